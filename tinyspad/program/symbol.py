"""Symbols: what a Value holds when a function is recorded without numbers, so that what is recorded is a formula.

A book keeps every formula once, whoever asks for it, so that shared subexpressions are shared. Formulas of constants are
computed at once; multiplying by 1 and raising to the first power are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..errors import NotCompilable
from ..rules import RULES, TRUTH, Masked
from ..tape import Value

ALIKE = {np.zeros_like, np.ones_like}
"""Constants of their argument's form: elementwise, and without a derivative."""

LARGEST_POWER = 16

OF_NUMBERS = (
    "A function of small arrays compiles as one of their numbers: ts.compile(f, w), with an array like its argument."
)


ANGLES = (np.sin, np.cos)


class Book:
    """All formulas of one function: ``symbols`` in order of creation, constants by their own value.

    ``recording``: while the function runs, what it must not ask of a formula is refused; ``refused`` keeps the first
    refusal, for a function that catches it and goes on.
    """

    def __init__(self) -> None:
        self.recording = False
        self.refused: NotCompilable | None = None
        self.symbols: list[Symbol] = []
        self._known: dict[Any, Symbol] = {}

    def input(self, name: str) -> Symbol:
        """A symbol that stands for an argument."""
        return self._symbol(None, (name,), ("input", name))

    def refuse(self, why: str) -> NoReturn:
        """Raise NotCompilable, and remember it."""
        error = NotCompilable(why)
        self.refused = self.refused or error
        raise error

    def apply(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """The formula of a function of formulas and constants."""
        if not any(isinstance(a, Symbol) for a in args):
            with np.errstate(all="ignore"):
                return _plain(function(*args))
        args = tuple(a if isinstance(a, Symbol) else _plain(a) for a in args)
        for a in args:
            self._check_constant(a)
        if function is np.multiply:
            for this, other in (args, args[::-1]):
                if isinstance(other, Symbol) and not other.boolean:  # of a truth value, times 1 makes a number
                    if _is(this, 1.0):
                        return other
                    if _is(this, -1.0):
                        return self.apply(np.negative, (other,))
        if function is np.where and _is(args[2], 0.0) and isinstance(args[1], Symbol):
            args = (args[0], self._inside(args[1], args[0]), args[2])
        if function is np.power and _is(args[1], 1):
            return args[0]
        if function is np.divide and _is(args[1], 1):
            return args[0]
        return self._symbol(function, args, (function, *map(_key, args)))

    def _inside(self, product: Symbol, condition: Any) -> Any:
        """A product behind a choice of 0 elsewhere, whose factors need not choose once more."""
        if product.function is not np.multiply:
            return product
        factors = [
            x.args[1]
            if isinstance(x, Symbol) and x.function is np.where and x.args[0] is condition and _is(x.args[2], 0.0)
            else x
            for x in product.args
        ]
        return (
            product if all(a is b for a, b in zip(factors, product.args)) else self.apply(np.multiply, tuple(factors))
        )

    def for_arrays(self, outputs: Sequence[Any], half_angles: bool = False) -> list[Any]:
        """The same formulas with whole powers multiplied out, for arrays: NumPy's ``**`` is slow past the square.

        ``half_angles``: sines and cosines by the tangent of half the angle, which NumPy has much quicker: t = tan(x / 2),
        q = 2 / (1 + t * t), sin x = t * q, cos x = q - 1. They are off by 3.4e-16 at most.
        """
        new: dict[int, Any] = {}
        for symbol in self.symbols[:]:
            if symbol.function is None:
                new[symbol.number] = symbol
                continue
            args = tuple(new[a.number] if isinstance(a, Symbol) else a for a in symbol.args)
            if symbol.function is np.power and _whole(args[1]):
                new[symbol.number] = self._product(args[0], int(args[1]))
            elif half_angles and symbol.function in ANGLES and isinstance(args[0], Symbol):
                tangent = self.apply(np.tan, (self.apply(np.multiply, (args[0], 0.5)),))
                square = self.apply(np.multiply, (tangent, tangent))
                share = self.apply(np.divide, (2.0, self.apply(np.add, (1.0, square))))
                sine = symbol.function is np.sin
                new[symbol.number] = self.apply(
                    *((np.multiply, (tangent, share)) if sine else (np.subtract, (share, 1.0)))
                )
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

    def _check_constant(self, a: Any) -> None:
        if isinstance(a, np.ndarray):
            self.refuse(
                "The function computes with an array of its own, and a program does not know whether that is one number for "
                "each run. Pass it as a parameter; or use trace and minimize, which run the function as it is."
            )
        if not isinstance(a, Symbol) and not (
            isinstance(a, (bool, float)) or (isinstance(a, int) and abs(a) < 10**300)
        ):
            self.refuse(f"The function computes with {a!r:.60}, and the constants of a program are real numbers.")

    def _symbol(self, function: Any, args: tuple[Any, ...], key: Any) -> Symbol:
        if key not in self._known:
            self._known[key] = Symbol(self, len(self.symbols), function, args)
            self.symbols.append(self._known[key])
        return self._known[key]


class Symbol:
    """A formula: an input (``function`` is None) or a NumPy function of formulas and constants."""

    __slots__ = ("args", "book", "function", "number")
    dtype = np.dtype(float)

    def __init__(self, book: Book, number: int, function: Any, args: tuple[Any, ...]) -> None:
        self.book, self.number, self.function, self.args = book, number, function, args

    @property
    def boolean(self) -> bool:
        """Whether it is a truth value, as comparisons are."""
        return self.function in TRUTH

    def __hash__(self) -> int:
        if self.book.recording:
            self._refuse()
        return self.number

    def __repr__(self) -> str:
        if self.book.recording:
            self._refuse()
        return "formula"

    def __bool__(self) -> bool:
        self.book.refuse(
            "The function decides by the value of its argument (if, while, and, or, min, max, sorted), and a program has no "
            "branches. Write it with np.where, np.maximum or np.minimum; or use trace and minimize, which run it as it is."
        )

    def _refuse(self, *_: Any) -> NoReturn:
        self.book.refuse(
            "The function turns its argument into a plain number or asks what it is (float, int, math.cos, an index, a "
            "format, shape, ndim), which a program cannot know in advance. Use NumPy's functions; or trace and minimize, "
            "which run it as it is."
        )

    __float__ = __int__ = __index__ = __complex__ = __len__ = __iter__ = __getitem__ = __array__ = __format__ = _refuse
    __round__ = __contains__ = __floor__ = __ceil__ = __trunc__ = _refuse

    @property
    def shape(self) -> tuple[int, ...]:
        """That of a number, once the function has run: arrays of runs may be put in its place later."""
        if self.book.recording:
            self._refuse()
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols that are not there
            raise AttributeError(name)
        self._refuse()

    def __neg__(self) -> Any:
        return self.book.apply(np.negative, (self,))

    def __invert__(self) -> Any:
        return self.book.apply(np.logical_not, (self,))

    def __abs__(self) -> Any:
        return self.book.apply(np.absolute, (self,))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Value) for x in inputs):
            return NotImplemented
        if method != "__call__" or kwargs:
            self.book.refuse(f"np.{ufunc.__name__} with options ({method}, {', '.join(kwargs)}) cannot be compiled.")
        return self._call(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, Value) for t in types):
            return NotImplemented
        if function is np.result_type:
            return self.dtype
        if function in (np.shape, np.ndim, np.size):
            return {np.shape: self.shape, np.ndim: len(self.shape), np.size: 1}[function]
        if hasattr(function, "asks"):  # a function of one's own: its body is compiled
            return function.__wrapped__(*args, **kwargs)
        if kwargs or (function is np.where and len(args) != 3):
            self.book.refuse(f"np.{function.__name__} with options ({', '.join(kwargs)}) cannot be compiled.")
        return self._call(function, args)

    def _call(self, function: Any, args: tuple[Any, ...]) -> Any:
        rule = RULES.get(function)
        if function not in TRUTH | ALIKE and (rule is None or not rule.elementwise):
            self.book.refuse(
                f"np.{getattr(function, '__name__', function)} is not elementwise, or has no rule; programs are made of "
                f"elementwise functions. trace and minimize run it as it is. {OF_NUMBERS}"
            )
        return self.book.apply(function, args)


def _operator(ufunc: Any, swapped: bool = False) -> Callable[[Symbol, Any], Any]:
    def operate(self: Symbol, other: Any) -> Any:
        if isinstance(other, (Value, Masked)):
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
    "xor": np.logical_xor,
}.items():
    setattr(Symbol, f"__{_name}__", _operator(_relation))
    if _name in ("and", "or", "xor"):
        setattr(Symbol, f"__r{_name}__", _operator(_relation, swapped=True))


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


def flattened(x: Any) -> Any:
    """A formula by its number, anything else as it is."""
    return ("symbol", x.number) if isinstance(x, Symbol) else x


def restored(x: Any, book: Book) -> Any:
    """What ``flattened`` gave, of this book."""
    return book.symbols[x[1]] if isinstance(x, tuple) else x
