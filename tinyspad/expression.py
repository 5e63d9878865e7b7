"""A formula typed as text becomes a plain NumPy function, through a whitelist; nothing is evaluated as Python code."""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import ExpressionError

__all__ = ["CONSTANTS", "FUNCTIONS", "parse"]

LONGEST = 2000
"""The most characters an expression may have."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "cbrt", "square", "log2", "log10", "exp2", "expm1")},
    **{
        name: getattr(np, name) for name in ("log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh")
    },
    **{name: getattr(np, name) for name in ("tanh", "arcsinh", "arccosh", "arctanh", "arctan2", "hypot", "logaddexp")},
    **{name: getattr(np, name) for name in ("maximum", "minimum", "sign", "abs", "reciprocal", "power", "sinc")},
}
"""The functions an expression may call, all NumPy's."""

CONSTANTS = {"pi": np.pi, "e": np.e}
"""The names that stand for numbers."""

ARGUMENTS = {"arctan2": 2, "hypot": 2, "logaddexp": 2, "maximum": 2, "minimum": 2, "power": 2}

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

Instruction = tuple[Callable[..., Any] | None, Any]


def parse(text: str) -> Callable[..., Any]:
    """The function that an expression stands for; its parameters are the expression's variables, as they first appear.

    Numbers, variables, ``+ - * / ** %``, parentheses, the functions in ``FUNCTIONS`` and the constants pi and e; at
    most 2000 characters. Raises ExpressionError, naming the part that it does not take. Cost: linear in the text.

    >>> f = parse("x**2 * (2 + cos(4*x))")
    >>> float(f(0.0)), float(f(np.pi / 4)) == (np.pi / 4) ** 2, list(inspect.signature(f).parameters)
    (0.0, True, ['x'])
    """
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

    def f(*args: Any) -> Any:
        if len(args) != len(variables):
            raise ExpressionError(
                f"{text!r:.80} has {len(variables)} variables ({', '.join(variables)}), not {len(args)}."
            )
        stack: list[Any] = []
        for function, operand in program:
            if function is not None:
                start = len(stack) - operand
                stack[start:] = [_apply(function, stack[start:])]
            else:
                stack.append(args[operand] if isinstance(operand, _Variable) else operand)
        return stack[0]

    f.__name__ = f.__qualname__ = "expression"
    f.__doc__ = text
    f.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in variables]
    )
    return f


class _Variable(int):
    """The position of a variable among the arguments."""


def _apply(function: Callable[..., Any], operands: list[Any]) -> Any:
    if all(isinstance(a, (int, float)) for a in operands):
        # Between constants: in float64, where 9**9**9 is infinity and not an hour of work.
        with np.errstate(all="ignore"):
            return float(function(*(np.float64(a) for a in operands)))
    return function(*operands)


def _postfix(tree: ast.AST, text: str, variables: list[str]) -> list[Instruction]:
    """The expression in postfix order, with an explicit stack, since x+x+...+x nests as deep as it is long."""
    program: list[Instruction] = []
    pending: list[ast.AST | Instruction] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            program.append(node)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            number: Any = node.value
            program.append((None, number if abs(number) <= 2**53 else _large(number)))
        elif isinstance(node, ast.Name) and node.id in CONSTANTS:
            program.append((None, CONSTANTS[node.id]))
        elif isinstance(node, ast.Name):
            if node.id in FUNCTIONS:
                raise ExpressionError(f"{node.id} is a function; write {node.id}(...).")
            if node.id not in variables:
                variables.append(node.id)
            program.append((None, _Variable(variables.index(node.id))))
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            pending += [(OPERATORS[type(node.op)], 2), node.right, node.left]
        elif isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            pending += [(OPERATORS[type(node.op)], 1), node.operand]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            pending += _call(node, node.func.id)
        else:
            raise ExpressionError(_refusal(node, text))
    return program


def _large(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return np.inf


def _call(node: ast.Call, name: str) -> list[Any]:
    if name not in FUNCTIONS:
        raise ExpressionError(f"There is no function {name!r:.40}; there are {', '.join(sorted(FUNCTIONS))}.")
    wanted = ARGUMENTS.get(name, 1)
    if len(node.args) != wanted or node.keywords:
        raise ExpressionError(f"{name} takes {wanted} argument{'s' * (wanted > 1)}.")
    return [(FUNCTIONS[name], wanted), *reversed(node.args)]


def _refusal(node: ast.AST, text: str) -> str:
    part = ast.get_source_segment(text.strip(), node) or text
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FUNCTIONS:
        return f"{part!r:.60}: write {node.func.attr}(...), without a module."
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return f"{part!r:.60}: a power is written **, not ^."
    return (
        f"{part!r:.60} is not part of an expression: numbers, variables, + - * / ** %, and functions like cos(x) are."
    )
