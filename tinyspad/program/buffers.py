"""Programs in a loop over many runs: every operation writes into a buffer, and the buffers are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..paths import Structure
from .symbol import Symbol

FLOAT = np.dtype(float)


class Runs(Protocol):
    """What memory asks of the program that runs in it: code, how many outputs it has, and what buffers it needs."""

    structure: Structure

    @property
    def few(self) -> bool: ...

    def buffered(self, kind: str) -> tuple[Callable[..., Any], int, list[Any]]: ...


class Buffers:
    """The memory in which a program runs for arguments of one shape, again and again without asking for more.

    ``run(kind, args)`` gives an array (outputs, *shape) for float64 arguments; the next run of that kind overwrites it.
    ``turn``: whose numbers these are, counted up by everyone who begins to compute here.
    """

    def __init__(self, program: Runs, shape: tuple[int, ...]) -> None:
        self.program, self.shape = program, shape
        self.few = program.few
        self.turn = 0
        self._ready: dict[str, tuple[Callable[..., Any], Any, list[Any], list[Any]]] = {}

    def run(self, kind: str, args: tuple[Any, ...]) -> Any:
        """What the code of this kind computes, one row for each output."""
        if kind not in self._ready:
            code, number, dtypes = self.program.buffered(kind)
            outputs = np.empty((number, *self.shape))
            self._ready[kind] = (code, outputs, [*outputs], [np.empty(self.shape, dtype) for dtype in dtypes])
        code, outputs, rows, buffers = self._ready[kind]
        with np.errstate(all="ignore"):
            code(*args, rows, buffers)
        return outputs


class Statements(NamedTuple):
    """Code on arrays that are there: ``dtypes`` of the buffers b0, b1, ...; ``space``: what else is named in it."""

    lines: list[str]
    dtypes: list[Any]
    space: dict[str, Any]

    def heads(self, outputs: int) -> list[str]:
        """Statements that give names to the arrays in the lists o and b."""
        names = {"o": outputs, "b": len(self.dtypes)}
        return [f"{', '.join(f'{of}{k}' for k in range(n))}, = {of}" for of, n in names.items() if n]


# long, as every line depends on which buffers are free then
def write(outputs: Iterable[Any], names: Mapping[Symbol, str]) -> Statements:
    """Statements that leave every output in o0, o1, ..., by way of buffers.

    ``names``: of the formulas that are arguments. A number that meets floats is a constant in an array, which NumPy need not
    convert at every call; adding what was negated is a subtraction. A buffer is used again as soon as what it held has
    been read for the last time; an operation may write over its own operand, since all of them are elementwise.
    """
    outputs = list(outputs)
    order = _needed(outputs)
    forms = _forms(order, outputs)
    order = [s for s in order if s in forms]
    constants: dict[float, int] = {}
    last: dict[Symbol, int] = {}
    for i, symbol in enumerate(order):
        last.update((a, i) for a in forms[symbol][1] if isinstance(a, Symbol))
    row = {o: f"o{k}" for k, o in reversed([*enumerate(outputs)]) if isinstance(o, Symbol)}
    place, dtype = dict(names), dict.fromkeys(names, FLOAT)
    lines: list[str] = []
    dtypes: list[Any] = []
    space: dict[str, Any] = {"np": np, "copyto": np.copyto}
    free: dict[Any, list[int]] = {}
    held: dict[Symbol, int] = {}

    for i, symbol in enumerate(order):
        if symbol in names:
            continue
        function, args = forms[symbol]
        dtype[symbol] = kind = _dtype(function, [dtype[a] if isinstance(a, Symbol) else a for a in args])
        read = dict.fromkeys(a for a in args if isinstance(a, Symbol))
        dying = [held.pop(a) for a in read if last[a] == i and a in held]
        if isinstance(function, np.ufunc):  # may write where it reads
            for b in dying:
                free.setdefault(dtypes[b], []).append(b)
        if symbol in row and kind == FLOAT:
            place[symbol] = row[symbol]
        else:
            spare = free.setdefault(kind, [])
            if not spare:
                spare.append(len(dtypes))
                dtypes.append(kind)
            held[symbol] = spare.pop()
            place[symbol] = f"b{held[symbol]}"
        floats = isinstance(function, np.ufunc) and _of_floats(function) and all(dtype[a] == FLOAT for a in read)
        told = []
        for a in args:
            if isinstance(a, Symbol):
                told.append(place[a])
            elif floats and isinstance(a, (int, float)) and not isinstance(a, bool) and a == a and abs(a) < 2**53:
                told.append(f"c{constants.setdefault(float(a), len(constants))}")
            else:
                told.append(_constant(a))
        out = place[symbol]
        called = function.__name__
        space[called] = function
        if isinstance(function, np.ufunc):
            third = "out=" if function in (np.maximum, np.minimum) else ""  # of which NumPy may want more operands
            lines.append(f"{called}({', '.join(told)}, {third}{out})")
        elif function is np.where:
            condition = told[0] if _truth(args[0]) else f"np.not_equal({told[0]}, 0)"
            lines += [f"copyto({out}, {told[2]})", f"copyto({out}, {told[1]}, where={condition})"]
        else:
            lines.append(f"copyto({out}, {called}({', '.join(told)}))")
        if not isinstance(function, np.ufunc):
            for b in dying:
                free.setdefault(dtypes[b], []).append(b)
        if symbol not in last and symbol in held and symbol not in row:
            free.setdefault(kind, []).append(held.pop(symbol))
        if symbol in row and place[symbol] != row[symbol]:
            lines.append(f"copyto({row[symbol]}, {place[symbol]})")
    for k, o in enumerate(outputs):
        if not isinstance(o, Symbol):
            lines.append(f"o{k}.fill({_constant(o)})")
        elif o in names:
            lines.append(f"copyto(o{k}, {names[o]})")
        elif row[o] != f"o{k}":
            lines.append(f"copyto(o{k}, {row[o]})")
    return Statements(lines, dtypes, space | {f"c{i}": np.array(value) for value, i in constants.items()})


def _forms(order: list[Symbol], outputs: list[Any]) -> dict[Symbol, tuple[Any, tuple[Any, ...]]]:
    """The function and operands of every formula that is computed: a + -b is a - b, whose -b nobody else may need."""
    forms: dict[Symbol, tuple[Any, tuple[Any, ...]]] = {s: (s.function, s.args) for s in order}
    for symbol in order:
        if symbol.function is np.add:
            left, right = symbol.args
            if isinstance(right, Symbol) and right.function is np.negative and not _truth(left):
                forms[symbol] = (np.subtract, (left, right.args[0]))
            elif isinstance(left, Symbol) and left.function is np.negative and not _truth(right):
                forms[symbol] = (np.subtract, (right, left.args[0]))
    used = {o for o in outputs if isinstance(o, Symbol)}
    kept = {}
    for symbol in reversed(order):
        if symbol in used:
            kept[symbol] = forms[symbol]
            used.update(a for a in forms[symbol][1] if isinstance(a, Symbol))
    return kept


def _of_floats(function: np.ufunc) -> bool:
    """Whether all its operands may be floats: ldexp's exponent may not."""
    return any(set(loop.split("->")[0]) == {"d"} for loop in function.types)


def _truth(x: Any) -> bool:
    return isinstance(x, bool) or (isinstance(x, Symbol) and x.boolean)


def _needed(outputs: list[Any]) -> list[Symbol]:
    """All formulas behind the outputs, in order of creation."""
    needed, stack = set(), [o for o in outputs if isinstance(o, Symbol)]
    while stack:
        symbol = stack.pop()
        if symbol not in needed:
            needed.add(symbol)
            stack += [a for a in symbol.args if isinstance(a, Symbol)]
    return sorted(needed, key=lambda s: s.number)


def _dtype(function: Any, args: list[Any]) -> Any:
    """The dtype of a function's result: of arrays of these dtypes, and of numbers."""
    with np.errstate(all="ignore"):
        return function(*(np.ones(1, a) if isinstance(a, np.dtype) else a for a in args)).dtype


def _constant(a: Any) -> str:
    if isinstance(a, float) and not np.isfinite(a):
        return "np.nan" if np.isnan(a) else "np.inf" if a > 0 else "-np.inf"
    return repr(a)
