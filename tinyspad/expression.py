"""A formula typed as text becomes a plain NumPy function, through a whitelist; nothing is evaluated as Python code."""

from __future__ import annotations

import ast
import difflib
import inspect
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .errors import ExpressionError

__all__ = ["CONSTANTS", "FUNCTIONS", "closest", "parse", "trouble"]

LONGEST = 2000
"""The most characters an expression may have."""

NUMPY = (
    *("exp", "log", "sqrt", "cbrt", "square", "log2", "log10", "exp2", "expm1", "log1p", "sin", "cos", "tan", "arcsin"),
    *("arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "arctan2", "hypot", "logaddexp"),
    *("maximum", "minimum", "sign", "abs", "reciprocal", "power", "sinc"),
)
OTHERWISE = {
    "max": "maximum",
    "min": "minimum",
    "ln": "log",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
}
"""Names that mathematics and Python have for some of them."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in NUMPY},
    **{name: getattr(np, numpys) for name, numpys in OTHERWISE.items()},
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),  # 1 / (1 + exp(-x)), which neither overflows nor loses digits
}
"""The functions an expression may call, besides ``where``: NumPy's, some by a second name, and two that are made of them."""

CONSTANTS = {"pi": np.pi, "e": np.e}
"""The names that stand for numbers."""

TWO = {"arctan2", "hypot", "logaddexp", "maximum", "minimum", "power", "max", "min", "atan2"}
"""Those of two arguments; the others have one."""

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Mod: lambda a, b: a % b,
    ast.USub: lambda a: -a,
    ast.UAdd: lambda a: +a,
}

COMPARISONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
"""What may stand in the condition of ``where``, and nowhere else."""


def _where(condition: Any, a: Any, b: Any) -> Any:
    found = np.where(condition, a, b)
    return found[()] if isinstance(found, np.ndarray) else found


class Instruction(NamedTuple):
    """A function and how many operands it takes, or None and a number or a variable; and the part of the expression."""

    function: Callable[..., Any] | None
    operand: Any
    part: ast.AST


def parse(text: str) -> Callable[..., Any]:
    """The function that an expression stands for; its parameters are the expression's variables, as they first appear.

    Numbers, variables, ``+ - * / ** %``, parentheses, the functions in ``FUNCTIONS``, ``where(x < 1, a, b)`` with a
    comparison, and the constants pi and e; at most 2000 characters. Raises ExpressionError, naming the part that it does
    not take. Cost: linear in the text.

    >>> f = parse("x**2 * (2 + cos(4*x))")
    >>> float(f(0.0)), float(f(np.pi / 4)) == (np.pi / 4) ** 2, list(inspect.signature(f).parameters)
    (0.0, True, ['x'])
    """
    program, variables = _read(text)

    def f(*args: Any) -> Any:
        if len(args) != len(variables):
            raise ExpressionError(
                f"{text!r:.80} has {len(variables)} variables ({', '.join(variables)}), not {len(args)}."
            )
        stack: list[Any] = []
        for function, operand, _ in program:
            if function is not None:
                start = len(stack) - operand
                stack[start:] = [_apply(function, stack[start:])]
            else:
                stack.append(args[operand] if isinstance(operand, _Variable) else operand)
        return stack[0]

    f.__name__ = f.__qualname__ = "expression"
    f.__doc__ = text
    f.typed = text  # type: ignore[attr-defined]
    f.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in variables]
    )
    return f


def formula_of(f: Any) -> str | None:
    """The formula that was typed, of a function that ``parse`` made; None of any other.

    >>> formula_of(parse(" x*x ")), formula_of(np.sin)
    ('x*x', None)
    """
    typed = getattr(f, "typed", None)
    return typed.strip() if isinstance(typed, str) else None


def trouble(text: str, point: Mapping[str, float]) -> str | None:
    """Where an expression is infinite or NaN: the first part of it that is, on the way to its value. None if it is finite.

    ``point``: a number for each variable. What ``where`` does not choose is not to blame.

    >>> trouble("x * log(x) + y", {"x": 0.0, "y": 1.0})
    'log(x) is -inf at x = 0, y = 1'
    """
    program, variables = _read(text)
    stack: list[tuple[Any, str | None]] = []
    for function, operand, part in program:
        value, blame = operand, None
        if isinstance(operand, _Variable):
            value = point[variables[operand]]
        elif function is not None:
            start = len(stack) - operand
            taken, stack[start:] = stack[start:], []
            with np.errstate(all="ignore"):
                value = _apply(function, [number for number, _ in taken])
            read = [taken[1 if taken[0][0] else 2]] if function is _where else taken
            blame = next((told for _, told in read if told), None)
        if np.isfinite(value):
            blame = None
        elif blame is None:
            segment = " ".join((ast.get_source_segment(text.strip(), part) or text).split())
            blame = f"{_cut(segment)} is {float(value):g}"
        stack.append((value, blame))
    blame = stack[0][1]
    return blame and f"{blame} at {', '.join(f'{name} = {point[name]:g}' for name in variables)}"


def closest(name: str, known: Iterable[str]) -> str:
    """A hint for a name that is not known: "; did you mean cos?", or nothing where no known name is like it.

    >>> closest("coz", FUNCTIONS), closest("frobnicate", FUNCTIONS)
    ('; did you mean cos?', '')
    """
    spelled = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), spelled, n=1)
    return f"; did you mean {spelled[found[0]]}?" if found else ""


def _cut(part: str) -> str:
    return part if len(part) <= 60 else f"{part[:30]} ... {part[-25:]}"


class _Variable(int):
    """The position of a variable among the arguments."""


def _apply(function: Callable[..., Any], operands: list[Any]) -> Any:
    if all(isinstance(a, (int, float)) for a in operands):
        # Between constants: in float64, where 9**9**9 is infinity and not an hour of work.
        with np.errstate(all="ignore"):
            found = function(*(np.float64(a) for a in operands))
            return bool(found) if isinstance(found, np.bool_) else float(found)
    return function(*operands)


def _read(text: str) -> tuple[list[Instruction], list[str]]:
    if len(text) > LONGEST:
        raise ExpressionError(f"The expression has {len(text)} characters; at most {LONGEST} are taken.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 1or x: refused below, in our words
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        detail = getattr(error, "msg", None) or str(error) or type(error).__name__
        hint = " A product needs its sign: 2*x." if re.search(r"\d\s*[a-zA-Z_(]|\)\s*[\w(]", text) else ""
        raise ExpressionError(f"{text!r:.80} is not an expression: {detail}.{hint}") from None
    variables: list[str] = []
    program = _postfix(tree, text, variables)
    if not variables:
        raise ExpressionError(f"{text!r:.80} has no variable, so there is no path to follow.")
    return program, variables


def _postfix(tree: ast.AST, text: str, variables: list[str]) -> list[Instruction]:
    """The expression in postfix order, with an explicit stack, since x+x+...+x nests as deep as it is long."""
    program: list[Instruction] = []
    pending: list[ast.AST | Instruction] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Instruction):
            program.append(node)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            number: Any = node.value
            program.append(Instruction(None, number if abs(number) <= 2**53 else _large(number), node))
        elif isinstance(node, ast.Name) and node.id in CONSTANTS:
            program.append(Instruction(None, CONSTANTS[node.id], node))
        elif isinstance(node, ast.Name):
            if node.id in FUNCTIONS or node.id == "where":
                raise ExpressionError(f"{node.id} is a function; write {node.id}(...).")
            if node.id not in variables:
                variables.append(node.id)
            program.append(Instruction(None, _Variable(variables.index(node.id)), node))
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            pending += [Instruction(OPERATORS[type(node.op)], 2, node), node.right, node.left]
        elif isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            pending += [Instruction(OPERATORS[type(node.op)], 1, node), node.operand]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            pending += _call(node, node.func.id, text)
        else:
            raise ExpressionError(_refusal(node, text))
    return program


def _large(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return np.inf


def _call(node: ast.Call, name: str, text: str) -> list[Any]:
    if name == "where":
        return _choice(node, text)
    if name not in FUNCTIONS:
        every = sorted([*FUNCTIONS, "where"])
        hint = closest(name, every)
        listed = f"{hint} There are" if hint else "; there are"
        raise ExpressionError(f"There is no function {name!r:.40}{listed} {', '.join(every)}.")
    wanted = 2 if name in TWO else 1
    if len(node.args) != wanted or node.keywords:
        more = f" Write {name}(a, {name}(b, c))." if len(node.args) > 2 and name in ("max", "min") else ""
        raise ExpressionError(f"{name} takes {wanted} argument{'s' * (wanted > 1)}.{more}")
    return [Instruction(FUNCTIONS[name], wanted, node), *reversed(node.args)]


def _choice(node: ast.Call, text: str) -> list[Any]:
    if len(node.args) != 3 or node.keywords:
        raise ExpressionError("where takes 3 arguments: where(x < 1, a, b) is a if x < 1, and b if not.")
    condition, a, b = node.args
    if not isinstance(condition, ast.Compare) or len(condition.ops) > 1 or type(condition.ops[0]) not in COMPARISONS:
        part = ast.get_source_segment(text.strip(), condition) or text
        raise ExpressionError(
            f"{part!r:.60}: the condition of where is one comparison, such as x < 1 (or <=, >, >=, ==, !=)."
        )
    compared = Instruction(COMPARISONS[type(condition.ops[0])], 2, condition)
    return [Instruction(_where, 3, node), b, a, compared, condition.comparators[0], condition.left]


def _refusal(node: ast.AST, text: str) -> str:
    part = ast.get_source_segment(text.strip(), node) or text
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FUNCTIONS:
        return f"{part!r:.60}: write {node.func.attr}(...), without a module."
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return f"{part!r:.60}: a power is written **, not ^."
    if isinstance(node, (ast.Compare, ast.IfExp, ast.BoolOp)):
        return f"{part!r:.60} is not part of an expression: a comparison stands in where, where(x < 1, a, b)."
    return (
        f"{part!r:.60} is not part of an expression: numbers, variables, + - * / ** %, and functions like cos(x) are."
    )
