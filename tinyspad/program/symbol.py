"""Symbols: what a Value holds when a function is recorded without numbers, so that what is recorded is a formula.

A book keeps every formula once, whoever asks for it, so that shared subexpressions are shared. Formulas of constants are
computed at once; multiplying by 1 and raising to the first power are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import NotCompilable
from ..rules import PLAIN, RULES
from ..tape import Value

ABOUT_ARRAYS: dict[Any, Any] = {np.shape: (), np.ndim: 0, np.size: 1, np.result_type: np.dtype(float)}
"""What NumPy is told about a symbol: a number, though arrays of runs may be put in its place later."""


LARGEST_POWER = 16


class Book:
    """All formulas of one function: ``symbols`` in order of creation, constants by their own value."""

    def __init__(self) -> None:
        self.symbols: list[Symbol] = []
        self._known: dict[Any, Symbol] = {}

    def input(self, name: str) -> Symbol:
        """A symbol that stands for an argument."""
        return self._symbol(None, (name,), ("input", name))

    def apply(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """The formula of a function of formulas and constants."""
        if not any(isinstance(a, Symbol) for a in args):
            with np.errstate(all="ignore"):
                return _plain(function(*args))
        args = tuple(a if isinstance(a, Symbol) else _plain(a) for a in args)
        if any(isinstance(a, np.ndarray) for a in args):
            raise NotCompilable(
                "The function computes with an array of its own, and a program does not know whether that is one number for "
                "each run. Pass it as a parameter; or use trace and minimize, which run the function as it is."
            )
        if function is np.multiply:
            for this, other in (args, args[::-1]):
                if _is(this, 1.0):
                    return other
                if _is(this, -1.0) and isinstance(other, Symbol):
                    return self.apply(np.negative, (other,))
        if function is np.power and _is(args[1], 1):
            return args[0]
        if function is np.divide and _is(args[1], 1):
            return args[0]
        return self._symbol(function, args, (function, *map(_key, args)))

    def without_powers(self, outputs: Sequence[Any]) -> list[Any]:
        """The same formulas with whole powers multiplied out, for arrays: NumPy's ``**`` is slow past the square."""
        new: dict[int, Any] = {}
        for symbol in self.symbols[:]:
            if symbol.function is None:
                new[symbol.number] = symbol
                continue
            args = tuple(new[a.number] if isinstance(a, Symbol) else a for a in symbol.args)
            if symbol.function is np.power and _whole(args[1]):
                new[symbol.number] = self._product(args[0], int(args[1]))
            else:
                new[symbol.number] = self.apply(symbol.function, args)
        return [new[o.number] if isinstance(o, Symbol) else o for o in outputs]

    def _product(self, base: Any, power: int) -> Any:
        if power == 1:
            return base
        half = self._product(base, power // 2)
        square = self.apply(np.multiply, (half, half))
        return self.apply(np.multiply, (square, base)) if power % 2 else square

    def flat(self) -> list[tuple[Any, tuple[Any, ...]]]:
        """The formulas without references to each other, for pickling: nothing recurses."""
        return [
            (s.function, tuple(("symbol", a.number) if isinstance(a, Symbol) else a for a in s.args))
            for s in self.symbols
        ]

    @classmethod
    def from_flat(cls, flat: list[tuple[Any, tuple[Any, ...]]]) -> Book:
        """The inverse of ``flat``."""
        book = cls()
        for function, args in flat:
            args = tuple(book.symbols[a[1]] if isinstance(a, tuple) else a for a in args)
            book.symbols.append(Symbol(book, len(book.symbols), function, args))
        return book

    def _symbol(self, function: Any, args: tuple[Any, ...], key: Any) -> Symbol:
        if key not in self._known:
            self._known[key] = Symbol(self, len(self.symbols), function, args)
            self.symbols.append(self._known[key])
        return self._known[key]


class Symbol:
    """A formula: an input (``function`` is None) or a NumPy function of formulas and constants."""

    __slots__ = ("args", "book", "function", "number")
    dtype, shape, ndim, size = np.dtype(float), (), 0, 1
    __hash__ = object.__hash__

    def __init__(self, book: Book, number: int, function: Any, args: tuple[Any, ...]) -> None:
        self.book, self.number, self.function, self.args = book, number, function, args

    def __repr__(self) -> str:
        return "formula"

    def __bool__(self) -> bool:
        raise NotCompilable(
            "The function decides by the value of its argument (if, while, and, or, min, max, sorted), and a program has no "
            "branches. Write it with np.where, np.maximum or np.minimum; or use trace and minimize, which run it as it is."
        )

    def __neg__(self) -> Any:
        return self.book.apply(np.negative, (self,))

    def __abs__(self) -> Any:
        return self.book.apply(np.absolute, (self,))

    def _refuse(self, *_: Any) -> Any:
        raise NotCompilable(
            "The function turns its argument into a plain number (float, int, math.cos, an index, a format), which a "
            "program cannot know in advance. Use NumPy's functions; or trace and minimize, which run it as it is."
        )

    __float__ = __int__ = __index__ = __complex__ = __len__ = __iter__ = __getitem__ = __array__ = __format__ = _refuse

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Value) for x in inputs):
            return NotImplemented
        if method != "__call__" or kwargs:
            raise NotCompilable(f"np.{ufunc.__name__} with options ({method}, {', '.join(kwargs)}) cannot be compiled.")
        return self._call(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, Value) for t in types):
            return NotImplemented
        if function in ABOUT_ARRAYS:
            return ABOUT_ARRAYS[function]
        if hasattr(function, "asks"):  # a function of one's own: its body is compiled
            return function.__wrapped__(*args, **kwargs)
        if kwargs:
            raise NotCompilable(f"np.{function.__name__} with options ({', '.join(kwargs)}) cannot be compiled.")
        return self._call(function, args)

    def _call(self, function: Any, args: tuple[Any, ...]) -> Any:
        rule = RULES.get(function)
        if function not in PLAIN and (rule is None or not rule.elementwise):
            raise NotCompilable(
                f"np.{getattr(function, '__name__', function)} is not elementwise, or has no rule; programs are made of "
                "elementwise functions. trace and minimize run it as it is."
            )
        return self.book.apply(function, args)


def _operator(ufunc: Any, swapped: bool = False) -> Callable[[Symbol, Any], Any]:
    def operate(self: Symbol, other: Any) -> Any:
        if isinstance(other, Value):
            return NotImplemented
        return self.book.apply(ufunc, (other, self) if swapped else (self, other))

    return operate


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
}.items():
    setattr(Symbol, f"__{_name}__", _operator(_ufunc))
    setattr(Symbol, f"__r{_name}__", _operator(_ufunc, swapped=True))
for _name, _relation in {
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
}.items():
    setattr(Symbol, f"__{_name}__", _operator(_relation))


def _whole(power: Any) -> bool:
    return isinstance(power, (int, float)) and power == int(power) and 2 <= power <= LARGEST_POWER


def _plain(x: Any) -> Any:
    """A constant as a Python number; an array as it is."""
    return x.item() if isinstance(x, (np.generic, np.ndarray)) and np.ndim(x) == 0 else x


def _is(x: Any, number: float) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) and x == number


def _key(x: Any) -> Any:
    if isinstance(x, Symbol):
        return x.number
    return type(x), repr(x)
