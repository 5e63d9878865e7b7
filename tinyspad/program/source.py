"""Formulas as NumPy source: straight-line code that a student can read and paste."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..lcg.derivatives import CLEAN
from ..paths import Structure, fold
from .symbol import Book, Symbol

INFIX: dict[Any, tuple[str, int]] = {
    np.greater: (">", 1),
    np.greater_equal: (">=", 1),
    np.less: ("<", 1),
    np.less_equal: ("<=", 1),
    np.equal: ("==", 1),
    np.not_equal: ("!=", 1),
    np.add: ("+", 2),
    np.subtract: ("-", 2),
    np.multiply: ("*", 3),
    np.divide: ("/", 3),
    np.floor_divide: ("//", 3),
    np.remainder: ("%", 3),
    np.power: ("**", 5),
}
"""Operators and how tightly they bind; the minus sign binds as 4, an argument as 6."""

MATH = {
    np.sin: "sin",
    np.cos: "cos",
    np.tan: "tan",
    np.arcsin: "asin",
    np.arccos: "acos",
    np.arctan: "atan",
    np.sinh: "sinh",
    np.cosh: "cosh",
    np.tanh: "tanh",
    np.exp: "exp",
    np.expm1: "expm1",
    np.log: "log",
    np.log1p: "log1p",
    np.sqrt: "sqrt",
    np.absolute: "fabs",
}
"""What Python's math does faster than NumPy on single numbers; it raises where NumPy gives NaN or infinity."""

MINUS, ATOM = 4, 6
LONGEST = 60
"""A formula that is used once is written where it is used, up to this many characters."""


class Writer:
    """Writes statements for formulas: what is used twice, has a name, or is long gets a variable of its own.

    ``numbers``: for single numbers alone, with Python's math where it has the function.
    """

    def __init__(self, names: Mapping[Symbol, str], taken: Iterable[str], numbers: bool = False) -> None:
        self.names = names
        self.numbers = numbers
        self.taken = set(taken)
        self.lines: list[str] = []
        self._next: dict[str, int] = {}
        self._text: dict[Symbol, tuple[str, int]] = {}

    def write(self, outputs: Iterable[Any]) -> list[str]:
        """Statements for everything that the outputs need, in order of creation; what comes back are the outputs' names."""
        outputs = list(outputs)
        needed, stack = set(), [o for o in outputs if isinstance(o, Symbol)]
        uses: dict[Symbol, int] = {}
        for o in stack:
            uses[o] = uses.get(o, 0) + 1
        while stack:
            symbol = stack.pop()
            if symbol in needed:
                continue
            needed.add(symbol)
            for a in symbol.args:
                if isinstance(a, Symbol):
                    uses[a] = uses.get(a, 0) + 1
                    stack.append(a)
        for symbol in sorted(needed, key=lambda s: s.number):
            if symbol in self._text:
                continue
            if symbol.function is None:
                self._text[symbol] = (symbol.args[0], ATOM)
                continue
            text, binds = self._formula(symbol)
            named = self.names.get(symbol)
            if named or uses[symbol] > 1 or len(text) > LONGEST:
                name = self._free(named or "t", numbered=not named)
                self.lines.append(f"{name} = {text}")
                text, binds = name, ATOM
            self._text[symbol] = (text, binds)
        return [self._operand(o, 0) for o in outputs]

    def _formula(self, symbol: Symbol) -> tuple[str, int]:
        function, args = symbol.function, symbol.args
        if self.numbers:
            listed = [self._operand(a, 0) for a in args]
            if function in MATH:
                return f"math.{MATH[function]}({listed[0]})", ATOM
            if function is np.where:
                return f"({listed[1]} if {listed[0]} else {listed[2]})", ATOM
            if function is np.power and not isinstance(args[1], int):
                return f"math.pow({listed[0]}, {listed[1]})", ATOM
        if function in INFIX:
            sign, binds = INFIX[function]
            # a - (b + c), a / (b * c) and a ** (b ** c) keep their brackets; ** binds to the right
            left, right = (binds + 1, binds) if function is np.power else (binds, binds + 1)
            if binds == 1:
                left = right = 2
            return f"{self._operand(args[0], left)} {sign} {self._operand(args[1], right)}", binds
        if function is np.negative:
            return f"-{self._operand(args[0], MINUS)}", MINUS
        return f"np.{function.__name__}({', '.join(self._operand(a, 0) for a in args)})", ATOM

    def _operand(self, a: Any, binds: int) -> str:
        if isinstance(a, Symbol):
            text, own = self._text[a]
            return text if own >= binds else f"({text})"
        if isinstance(a, float) and not np.isfinite(a):
            return "np.nan" if np.isnan(a) else "np.inf" if a > 0 else "(-np.inf)"
        text = repr(a)
        return f"({text})" if text.startswith("-") and binds > 0 else text

    def _free(self, wish: str, numbered: bool = False) -> str:
        i = self._next.get(wish, int(numbered))
        joint = "" if numbered else "_"
        name = f"{wish}{joint}{i}" if i else wish
        while name in self.taken:
            i += 1
            name = f"{wish}{joint}{i}"
        self._next[wish] = i + 1
        self.taken.add(name)
        return name


def function_source(name: str, params: Iterable[str], lines: Iterable[str], result: str, doc: str = "") -> str:
    """A def statement."""
    body = [f"def {name}({', '.join(params)}):"]
    body += [f'    """{doc}"""'] * bool(doc)
    body += [f"    {line}" for line in lines]
    return "\n".join([*body, f"    return {result}"])


def follower_source(structure: Structure, constants: Sequence[Any], param: int) -> str:
    """Code in which tupling nodes pass on one branch: see ``Program.follower``."""
    book = Book()
    moving = iter(range(len(constants)))
    weight = [book.input(f"w[{next(moving)}]") if w is None else w for w in constants]
    masks, number = {}, 0
    for node in structure.turns(param):  # in the order of a route's masks
        for k in range(1, len(structure.branches(node))):
            masks[node, k] = book.input(f"m[{number}]")
            number += 1

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for k, other in enumerate(values[1:], start=1):
            if not (isinstance(value, Symbol) or isinstance(other, Symbol)) and value == other:
                continue
            value = book.apply(np.where, (masks[node, k], other, value))
        return value

    found = fold(structure, structure.behind(param), lambda value, e: CLEAN.extend(value, weight[e]), join, 1.0)[param]
    writer = Writer({}, {"w", "m", "np"})
    result = writer.write([found])[0]
    return function_source("follow", ["w", "m"], writer.lines, result)


def compiled(source: str, function: str, of: str, space: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The function of this name in generated source; ``space``: what it names besides NumPy and math."""
    namespace: dict[str, Any] = {"np": np, "math": math, **(space or {})}
    exec(compile(source, f"<{function} of {of}>", "exec"), namespace)
    found: Callable[..., Any] = namespace[function]
    return found
