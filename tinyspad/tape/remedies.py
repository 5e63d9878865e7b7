"""What to write where NumPy does not pass a Value on: the same expression, in functions that it does."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from ..rules import PLAIN, RULES
from ..written import WRITTEN
from .entry import Entry
from .refused import REFUSED

INDEX = "int({}.data)"
"""How a Value's number is taken where a whole one is asked for: as an index, or as a length."""

LISTS = (ast.List, ast.Tuple, ast.ListComp)
Lists = ast.List | ast.Tuple | ast.ListComp


def remedy(expression: ast.expr, frame: FrameType, node: Entry, plain: str) -> str | None:
    """What to write instead of an expression that runs in a frame and asks a Value for its numbers; None if it is not known.

    ``node``: the Value's; ``plain``: how its numbers are taken, for a call that takes such alone.
    """
    there = Remedies(frame)
    if isinstance(expression, ast.Subscript):
        return there.for_index(expression)
    if isinstance(expression, ast.BinOp):
        sides = [there.stacked(x) if isinstance(x, LISTS) else x for x in (expression.left, expression.right)]
        lists = sides != [expression.left, expression.right]
        return ast.unparse(ast.BinOp(sides[0], expression.op, sides[1])) if lists else None
    if not isinstance(expression, ast.Call):
        return None
    found = None if plain == INDEX else there.for_call(expression)
    return found or there.with_numbers(expression, node, plain)


class Remedies:
    """The remedies of one frame, in which names mean something."""

    def __init__(self, frame: FrameType) -> None:
        self.frame = frame

    def meant(self, x: ast.expr) -> Any:
        """What a name stands for; of an attribute, where it is a module's, a ufunc's, or holds a module. Else None."""
        if isinstance(x, ast.Name):
            return {**vars(builtins), **self.frame.f_globals, **self.frame.f_locals}.get(x.id)
        if isinstance(x, ast.Attribute):
            owner = self.meant(x.value)
            if isinstance(owner, (types.ModuleType, np.ufunc)):
                return getattr(owner, x.attr, None)
            held = getattr(owner, "__dict__", {}).get(x.attr)
            return held if isinstance(held, types.ModuleType) else None
        return None

    def for_call(self, call: ast.Call) -> str | None:
        """For a call of a function, or of a method of an array."""
        function = call.func
        if isinstance(function, ast.Attribute) and isinstance(self.meant(function.value), np.ufunc):
            return self.with_stacks(call)
        meant = self.meant(function)
        if meant is None:
            return self.for_method(function, call) if isinstance(function, ast.Attribute) else None
        name, home = getattr(meant, "__name__", ""), (getattr(meant, "__module__", None) or "").partition(".")[0]
        if meant in SPELLED:
            return SPELLED[meant](self, call)
        if name in OTHERS and home in ("scipy", "math", "numpy"):
            return OTHERS[name]
        if home == "math":
            return of_math(name, call.args)
        return self.with_stacks(call) if meant in RULES or meant in WRITTEN or meant in PLAIN else None

    def for_index(self, x: ast.Subscript) -> str:
        """For what stands in brackets."""
        owner, index = self.meant(x.value), x.slice
        if owner is np.r_ or owner is np.c_:
            joiner = "np.concatenate" if owner is np.r_ else "np.column_stack"
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            if any(isinstance(part, (ast.Slice, ast.Constant)) and not _is_number(part) for part in parts):
                return f"{joiner}([...]) of the parts"
            arrays = [self.stacked(x) if isinstance(x, LISTS) else _call("np.atleast_1d", x) for x in parts]
            return ast.unparse(_call(joiner, ast.List(arrays, ast.Load())))
        if not isinstance(index, ast.Name):
            return "the index in whole numbers, int(i.data) or i.data.astype(int) for i: an index has no derivative"
        several = np.ndim(getattr(self.meant(index), "data", 0)) > 0
        whole = f"{index.id}.data.astype(int)" if several else f"int({index.id}.data)"
        if isinstance(self.meant(index), (list, tuple)):
            whole = f"[int(i.data) for i in {index.id}]"
        found = ast.Subscript(x.value, ast.parse(whole, mode="eval").body, ast.Load())
        return f"{ast.unparse(found)}: an index has no derivative"

    def for_method(self, function: ast.Attribute, call: ast.Call) -> str | None:
        """``a.searchsorted(x)``: NumPy's function of that name."""
        owner = self.meant(function.value)
        if function.attr not in METHODS or (owner is not None and not isinstance(owner, np.ndarray)):
            return None
        args = [self.stacked(a) if self.of_values(a) else a for a in call.args]
        if function.attr == "dot" and len(args) == 1:
            return ast.unparse(ast.BinOp(function.value, ast.MatMult(), args[0]))
        return ast.unparse(_call(f"np.{function.attr}", function.value, *args, keywords=call.keywords))

    def with_stacks(self, call: ast.Call) -> str | None:
        """The same call, its lists of Values joined to arrays; None if there are none."""
        args = [self.stacked(a) if self.of_values(a) else a for a in call.args]
        keywords = [ast.keyword(k.arg, self.stacked(k.value)) if self.of_values(k.value) else k for k in call.keywords]
        if args == call.args and keywords == call.keywords:
            return None
        first = call.args[0] if call.args else None
        if isinstance(first, (ast.List, ast.Tuple)) and ast.unparse(call.func).rpartition(".")[2] in JOINING:
            items = [self.stacked(x) if self.of_values(x) else x for x in first.elts]
            if items == first.elts:
                return None
            args = [ast.List(items, ast.Load()), *args[1:]]
        return ast.unparse(ast.Call(call.func, args, keywords))

    def with_numbers(self, call: ast.Call, node: Entry, plain: str) -> str | None:
        """The same call with the Value's numbers; None where it is not an argument by itself."""
        if self.meant(call.func) in (float, int, round, complex):
            return None

        def of(x: ast.expr) -> Any:
            return getattr(self.meant(x), "_node", None) if isinstance(x, ast.Name) else None

        given = [*call.args, *(k.value for k in call.keywords)]
        itself = any(of(x) is node for x in given)  # else it may be an element of one

        def is_it(x: ast.expr) -> bool:
            return of(x) is node if itself else of(x) is not None

        def numbers(x: ast.expr) -> ast.expr:
            return ast.parse(plain.format(ast.unparse(x)), mode="eval").body if is_it(x) else x

        if not any(map(is_it, given)):
            return None
        keywords = [ast.keyword(k.arg, numbers(k.value)) for k in call.keywords]
        told = ast.unparse(ast.Call(call.func, [numbers(a) for a in call.args], keywords))
        return f"it in functions that NumPy passes on; or {told}, where that is a constant"

    def of_values(self, x: ast.expr) -> bool:
        """Whether an argument is a list in which a Value stands, by its name or in what is computed."""
        if isinstance(x, ast.Name):
            given = self.meant(x)
            return isinstance(given, (list, tuple)) and any(map(_holds_values, given))
        return isinstance(x, ast.ListComp) or (isinstance(x, LISTS) and not _is_number(x))

    def stacked(self, x: ast.expr) -> ast.expr:
        """A list of Values as an array, row by row if it is nested."""
        if isinstance(x, ast.ListComp) and isinstance(x.elt, LISTS):
            return _call("np.stack", ast.ListComp(self.stacked(x.elt), x.generators))
        if isinstance(x, (ast.List, ast.Tuple)) and any(self.of_values(item) for item in x.elts):
            rows = [self.stacked(item) if self.is_list(item) else item for item in x.elts]
            return _call("np.stack", ast.List(rows, ast.Load()))
        return _call("np.stack", x)

    def is_list(self, x: ast.expr) -> bool:
        """Whether this is a list, as it is written or by its name."""
        return isinstance(x, LISTS) or (isinstance(x, ast.Name) and isinstance(self.meant(x), (list, tuple)))


def _call(name: str, *args: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, list(args), keywords or [])


def _is_number(x: ast.expr) -> bool:
    """Whether numbers alone are written there."""
    parts = (ast.Constant, ast.List, ast.Tuple, ast.UnaryOp, ast.Load, ast.USub)
    return all(isinstance(n, parts) and not isinstance(getattr(n, "value", 0), str) for n in ast.walk(x))


def _holds_values(x: Any) -> bool:
    return hasattr(x, "_node") or (isinstance(x, (list, tuple)) and any(map(_holds_values, x)))


METHODS = ("dot", "searchsorted", "clip")
"""Methods of arrays whose arguments are data, too."""

JOINING = ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "block")
"""Functions of sequences of arrays: what is to be joined there are the items."""


def of_math(name: str, args: list[ast.expr]) -> str | None:
    """NumPy's function for one of Python's math."""
    if name == "log" and len(args) == 2:
        return ast.unparse(ast.BinOp(_call("np.log", args[0]), ast.Div(), _call("np.log", args[1])))
    if name == "prod":
        return "np.prod(np.stack([...]))"
    if name == "pow":
        return ast.unparse(ast.BinOp(args[0], ast.Pow(), args[1]))
    if name in SPECIAL:
        return f"{ast.unparse(_call(f'scipy.special.{SPECIAL[name]}', *args))}, which has a rule"
    function = getattr(np, f"arc{name[1:]}" if name[0] == "a" else name, getattr(np, name, None))
    if not isinstance(function, np.ufunc) or function in REFUSED or function.nin != len(args) or name == "remainder":
        return None
    return ast.unparse(_call(f"np.{function.__name__}", *args))


SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
"""Functions of Python's math -> those of scipy.special."""


def _for_full(there: Remedies, call: ast.Call) -> str | None:
    if len(call.args) < 2:
        return None
    return ast.unparse(ast.BinOp(call.args[1], ast.Mult(), _call("np.ones", call.args[0])))


def _for_array(there: Remedies, call: ast.Call) -> str | None:
    if call.keywords or not call.args:
        return None
    if isinstance(call.args[0], LISTS) or there.of_values(call.args[0]):
        return ast.unparse(there.stacked(call.args[0]))
    return f"np.stack({ast.unparse(call.args[0])}) if that is a list of Values; a Value itself is an array already"


def _drawn(how: str) -> Callable[[Remedies, ast.Call], str]:
    return lambda there, call: f"numbers that are drawn without it, and moved: {how}"


ARRAYS = (
    np.array,
    np.asarray,
    np.asanyarray,
    np.ascontiguousarray,
    np.asfortranarray,
    np.asarray_chkfinite,
    np.require,
)
SPELLED: dict[Any, Callable[[Remedies, ast.Call], str | None]] = {
    **dict.fromkeys(ARRAYS, _for_array),
    np.full: _for_full,
    np.select: lambda there, call: "np.where, one condition inside the other",
    np.random.normal: _drawn("loc + scale * np.random.normal(size=...)"),
    np.random.uniform: _drawn("low + (high - low) * np.random.uniform(size=...)"),
    np.random.exponential: _drawn("scale * np.random.exponential(size=...)"),
}
"""Functions of which the arguments say what to write."""

OTHERS = {
    "logsumexp": "ts.logsumexp, which has SciPy's options",
    "softmax": "ts.softmax(x, axis=None), or the axis that is meant: SciPy's softmax is over all",
    "log_softmax": "x - ts.logsumexp(x), or along the axis that is meant, with keepdims=True",
    "polygamma": "scipy.special.digamma, and ts.grad of it",
    "fromiter": "np.stack([...])",
    "dist": "np.linalg.norm of the difference",
    "fsum": "sum(...), or np.sum(np.stack([...]))",
}
"""Functions that take plain numbers -> what to write."""
