"""What NumPy does not pass on, so that a gradient would be lost: which call it was, and what to write there.

``np.sum([x, y])`` makes an array of the list before anybody is asked. By then it is known which line runs, and in it which
expression; from that follows what to write.
"""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
import math
import re
import sys
import types
from collections.abc import Callable
from traceback import walk_stack
from types import FrameType
from typing import Any

import numpy as np

from ..errors import DroppedGradient, is_outside
from ..rules import PLAIN, RULES
from ..written import WRITTEN, logsumexp, softmax
from .entry import Entry, called


def lost(node: Entry, what: str, instead: str, plain: str = "{}.data") -> DroppedGradient:
    """The error for a Value that is asked for a plain number or a plain array.

    Parameters
    ----------
    node : Entry
        The Value's.
    what, instead : str
        What to say of the call, and of what to write, where the source does not tell.
    plain : str
        How its numbers are taken, for a call that takes such alone.

    Returns
    -------
    DroppedGradient
        Cost: a walk up the stack, and the statement that runs there, parsed.
    """
    frame = next((frame for frame, _ in walk_stack(sys._getframe(1)) if is_outside(frame)), None)
    expression = None if frame is None else _running(frame)
    if frame is not None and dis.opname[frame.f_code.co_code[frame.f_lasti]].startswith("STORE"):
        what, instead = "Writing it into an array", "np.stack([...]) of the Values, collected in a list"
    elif expression is not None and frame is not None:
        what = ast.unparse(expression)
        instead = _remedy(expression, frame) or _with_numbers(expression, frame, node, plain) or instead
    return DroppedGradient(
        f"{what} would turn {called(node)} into plain numbers and drop its gradient. Write {instead}."
    )


# --- which expression runs -----------------------------------------------------------------------------------------------


def _running(frame: FrameType) -> ast.expr | None:
    """The call or the index that runs in a frame; None where the source is not at hand, or leaves a choice."""
    code = frame.f_code
    linecache.checkcache(code.co_filename)
    positions: Any = getattr(code, "co_positions", None)
    if positions is None:  # before Python 3.11
        return _only_one(linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals))
    first, last, start, end = list(positions())[frame.f_lasti // 2]
    lines = linecache.getlines(code.co_filename, frame.f_globals)[(first or 1) - 1 : last or 0]
    if not lines or start is None or end is None:
        return None
    try:
        whole = [line.encode() for line in lines]  # columns are those of bytes
        whole[-1] = whole[-1][:end]
        whole[0] = whole[0][start:]
        found = ast.parse(b"".join(whole).decode().strip(), mode="eval").body
    except (SyntaxError, UnicodeDecodeError):
        return None
    return found if isinstance(found, (ast.Call, ast.Subscript, ast.BinOp)) else None


def _only_one(line: str) -> ast.expr | None:
    try:
        found = [n for n in ast.walk(ast.parse(re.sub(r"^\s*return\b", "", line).strip())) if isinstance(n, ast.Call)]
    except SyntaxError:
        return None
    return found[0] if len(found) == 1 else None


# --- what to write -------------------------------------------------------------------------------------------------------


def _remedy(expression: ast.expr, frame: FrameType) -> str | None:
    if isinstance(expression, ast.Subscript):
        return _for_index(expression, frame)
    if isinstance(expression, ast.BinOp):
        sides = [_stacked(x) if isinstance(x, LISTS) else x for x in (expression.left, expression.right)]
        lists = isinstance(expression.left, LISTS) or isinstance(expression.right, LISTS)
        return ast.unparse(ast.BinOp(sides[0], expression.op, sides[1])) if lists else None
    assert isinstance(expression, ast.Call)
    function = expression.func
    meant = _meant(function, frame)
    if meant is None and isinstance(function, ast.Attribute):
        return _for_method(function, expression)
    name = getattr(meant, "__name__", "")
    if meant in SPELLED:
        return SPELLED[meant](expression)
    if name in OTHERS and getattr(meant, "__module__", "").split(".")[0] in ("scipy", "math", "numpy"):
        return OTHERS[name]
    if getattr(meant, "__module__", "") == "math":
        return ast.unparse(ast.Call(_np(name), expression.args, [])) if hasattr(np, name) else None
    known = meant in RULES or meant in WRITTEN or meant in PLAIN
    return _with_stacks(expression, frame) if known else None


LISTS = (ast.List, ast.Tuple, ast.ListComp)


def _np(name: str) -> ast.expr:
    return ast.parse(f"np.{name}", mode="eval").body


def _meant(function: ast.expr, frame: FrameType) -> Any:
    """What a name stands for in a frame; of a method of anything but a module, None."""
    if isinstance(function, ast.Name):
        return {**vars(builtins), **frame.f_globals, **frame.f_locals}.get(function.id)
    if isinstance(function, ast.Attribute):
        owner = _meant(function.value, frame)
        return getattr(owner, function.attr, None) if isinstance(owner, types.ModuleType) else None
    return None


def _for_index(expression: ast.Subscript, frame: FrameType) -> str:
    owner = _meant(expression.value, frame)
    if owner is np.r_ or owner is np.c_:
        joiner = "np.concatenate" if owner is np.r_ else "np.column_stack"
        parts = expression.slice.elts if isinstance(expression.slice, ast.Tuple) else [expression.slice]
        joined = ", ".join(f"np.atleast_1d({ast.unparse(part)})" for part in parts)
        return f"{joiner}([{joined}])"
    index = expression.slice
    text = ast.unparse(index)
    if not isinstance(index, ast.Name):
        return "the index in whole numbers, int(i.data) or i.data.astype(int) for i: an index has no derivative"
    return f"{ast.unparse(expression.value)}[int({text}.data)], or {text}.data.astype(int): an index has no derivative"


def _for_method(function: ast.Attribute, expression: ast.Call) -> str | None:
    """``a.searchsorted(x)``: NumPy's function of that name."""
    if function.attr == "dot" and len(expression.args) == 1:
        return f"{ast.unparse(function.value)} @ {ast.unparse(expression.args[0])}"
    meant = getattr(np, function.attr, None)
    if meant not in RULES and meant not in WRITTEN and meant not in PLAIN:
        return None
    return ast.unparse(ast.Call(_np(function.attr), [function.value, *expression.args], expression.keywords))


def _with_stacks(expression: ast.Call, frame: FrameType) -> str | None:
    """The same call, its lists joined to arrays; None if there are none."""

    def is_list(x: ast.expr) -> bool:
        return isinstance(x, LISTS) or (isinstance(x, ast.Name) and isinstance(_meant(x, frame), (list, tuple)))

    if not any(map(is_list, expression.args)):
        return None
    args = [_stacked(a) if is_list(a) else a for a in expression.args]
    return ast.unparse(ast.Call(expression.func, args, expression.keywords))


def _with_numbers(expression: ast.expr, frame: FrameType, node: Entry, plain: str) -> str | None:
    """The same call with the Value's numbers; None where it is not an argument by itself."""
    if not isinstance(expression, ast.Call) or _meant(expression.func, frame) in (float, int, round, complex):
        return None

    def is_it(x: ast.expr) -> bool:
        return isinstance(x, ast.Name) and getattr(_meant(x, frame), "_node", None) is node

    def written_plain(x: ast.expr) -> ast.expr:
        return ast.parse(plain.format(ast.unparse(x)), mode="eval").body if is_it(x) else x

    if not any(map(is_it, expression.args)):
        return None
    call = ast.Call(expression.func, [written_plain(a) for a in expression.args], expression.keywords)
    return f"it in functions that NumPy passes on; or {ast.unparse(call)}, where that is a constant"


def _stacked(x: ast.expr) -> ast.expr:
    nested = isinstance(x, (ast.List, ast.Tuple)) and any(isinstance(item, (ast.List, ast.Tuple)) for item in x.elts)
    if nested:
        rows = [_stacked(item) for item in x.elts]  # type: ignore[attr-defined]
        return ast.Call(_np("stack"), [ast.List(rows, ast.Load())], [])
    return ast.Call(_np("stack"), [x], [])


def _for_full(expression: ast.Call) -> str | None:
    if len(expression.args) < 2:
        return None
    return f"{ast.unparse(expression.args[1])} * np.ones({ast.unparse(expression.args[0])})"


def _for_array(expression: ast.Call) -> str | None:
    given = expression.args[:1]
    if given and isinstance(given[0], (ast.List, ast.Tuple, ast.ListComp)):
        return ast.unparse(_stacked(given[0]))
    text = ast.unparse(given[0]) if given else "x"
    return f"np.stack({text}) if that is a list of Values; a Value itself is an array already"


def _for_random(expression: ast.Call) -> str:
    return "numbers drawn without it, and moved: loc + scale * np.random.normal(size=...)"


ARRAYS = (
    np.array,
    np.asarray,
    np.asanyarray,
    np.ascontiguousarray,
    np.asfortranarray,
    np.asarray_chkfinite,
    np.require,
)
SPELLED: dict[Any, Callable[[ast.Call], str | None]] = {
    np.full: _for_full,
    **dict.fromkeys(ARRAYS, _for_array),
    **dict.fromkeys((np.random.normal, np.random.uniform, np.random.exponential), _for_random),
}
"""Functions of which the arguments say what to write."""

OTHERS = {
    "logsumexp": f"ts.{logsumexp.__name__}, which has SciPy's options",
    "softmax": f"ts.{softmax.__name__}",
    "log_softmax": f"x - ts.{logsumexp.__name__}(x, axis=-1, keepdims=True)",
    "polygamma": "scipy.special.digamma, and ts.grad of it",
    "extract": "x[condition]",
    "vectorize": "the function in NumPy's functions, which take arrays",
    "fromiter": "np.stack([...])",
    "pow": "x ** y",
    "dist": "np.linalg.norm(x - y)",
    "hypot": "np.hypot(x, y)",
    "fsum": "sum(...), or np.sum(np.stack([...]))",
    "prod": "np.prod(np.stack([...]))",
    **{name: f"scipy.special.{name}, which has a rule" for name in ("erf", "erfc", "gamma")},
    "lgamma": "scipy.special.gammaln, which has a rule",
    **{name: f"np.arc{name[1:]}" for name in dir(math) if name[0] == "a" and hasattr(np, f"arc{name[1:]}")},
}
"""Functions that take plain numbers -> what to write."""
