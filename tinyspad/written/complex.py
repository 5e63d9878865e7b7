"""Complex numbers as pairs of real ones: what ``np.fft`` gives, and what one does with it.

tinyspad's numbers are real. What ``np.fft`` makes of them is a pair, the real and the imaginary part, each of which is an
array or a Value; of such pairs there is what one does between two transforms.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import Pair
from .table import WRITTEN, as_array


class Complex(Pair):
    """Complex numbers: their real and imaginary parts, which are arrays or Values of one shape.

    There are + - * / and powers of whole numbers, also with real and complex arrays; ``abs``, ``angle``, ``conj``, ``exp``,
    ``real``, ``imag``; indexing; sums, and functions that move numbers. For anything else there are ``.real`` and ``.imag``.
    """

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """That of either part."""
        return np.shape(self.real)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    T = property(lambda self: np.transpose(self))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Complex:
        return Complex(self.real[key], self.imag[key])

    def __repr__(self) -> str:
        return f"Complex(real={self.real!r}, imag={self.imag!r})"

    def conj(self) -> Complex:
        """The same with the other sign of the imaginary part."""
        return Complex(self.real, -self.imag)

    conjugate = conj

    def __add__(self, other: Any) -> Any:
        other = complex_of(other)
        return Complex(self.real + other.real, self.imag + other.imag)

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Complex) and not np.iscomplexobj(other):
            return Complex(self.real * other, self.imag * other)
        other = complex_of(other)
        return Complex(self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real)

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, Complex) and not np.iscomplexobj(other):
            return Complex(self.real / other, self.imag / other)
        other = complex_of(other)
        return self * other.conj() / (other.real**2 + other.imag**2)

    def __pow__(self, n: Any) -> Any:
        if not isinstance(n, (int, np.integer)):
            raise _no_rule("power")
        found = Complex(1.0 + 0.0 * self.real, 0.0 * self.imag)
        for _ in range(abs(n)):
            found = found * self
        return found if n >= 0 else 1.0 / found

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Complex:
        return Complex(-self.real, -self.imag)

    def __sub__(self, other: Any) -> Any:
        return self + -complex_of(other)

    def __rsub__(self, other: Any) -> Any:
        return complex_of(other) - self

    def __rtruediv__(self, other: Any) -> Any:
        return complex_of(other) / self

    def __matmul__(self, other: Any) -> Any:
        raise _no_rule("a product of matrices")

    __rmatmul__ = __matmul__

    def __eq__(self, other: object) -> Any:
        raise _no_rule("==")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        raise _no_rule("float()")

    def __complex__(self) -> complex:
        raise _no_rule("complex()")

    def __abs__(self) -> Data:
        return np.hypot(self.real, self.imag)

    def reshape(self, *shape: Any) -> Any:
        """np.reshape(self, shape)."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[call-overload]

    def ravel(self) -> Any:
        """np.ravel(self)."""
        return np.ravel(self)  # type: ignore[call-overload]

    flatten = ravel

    def copy(self) -> Complex:
        """Itself: nothing in it changes."""
        return self

    def sum(self, *args: Any, **options: Any) -> Any:
        """np.sum(self, ...)."""
        return np.sum(self, *args, **options)  # type: ignore[call-overload]

    def mean(self, *args: Any, **options: Any) -> Any:
        """np.mean(self, ...)."""
        return np.mean(self, *args, **options)  # type: ignore[call-overload]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise _no_rule("np.array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc not in UFUNCS:
            raise _no_rule(ufunc.__name__)
        first = inputs[0] if len(inputs) == 1 else complex_of(inputs[0])
        return UFUNCS[ufunc](first, *inputs[1:])

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in PARTS_ALONE:
            return PARTS_ALONE[function](*args, **options)
        if function in JOINING:
            arrays = map(complex_of, args[0]) if function is not np.append else map(complex_of, args[:2])
            args = ([*arrays], *args[1:]) if function is not np.append else (*arrays, *args[2:])
        if function in ALIKE or function in JOINING:
            parts = [function(*(_part(a, part) for a in args), **options) for part in ("real", "imag")]
            several = isinstance(parts[0], (list, tuple))
            return type(parts[0])(map(Complex, *parts)) if several else Complex(*parts)
        if getattr(function, "__module__", "") == "numpy.fft":
            return WRITTEN[function].instead(*args, **options)
        raise _no_rule(function.__name__)


def complex_of(x: Any) -> Complex:
    """As a pair: of real numbers, the imaginary part is 0."""
    if isinstance(x, Complex):
        return x
    x = as_array(x)
    return Complex(np.real(x), np.imag(x)) if np.iscomplexobj(x) else Complex(x, np.zeros(np.shape(x)))


def _part(x: Any, name: str) -> Any:
    """Of every pair in an argument this part."""
    if isinstance(x, (list, tuple)):
        return type(x)(_part(item, name) for item in x)
    return getattr(x, name) if isinstance(x, Complex) or np.iscomplexobj(x) else x


def _no_rule(name: str) -> NoRule:
    return NoRule(
        f"{name} of complex numbers is not covered. tinyspad's numbers are real: write it with the parts z.real and z.imag. "
        "Of what np.fft gives there are + - * /, abs, angle, conj, exp, sums and indices."
    )


def _exp(z: Complex) -> Complex:
    size = np.exp(z.real)
    return Complex(size * np.cos(z.imag), size * np.sin(z.imag))


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: lambda z: z,
    np.square: lambda z: z * z,
    np.reciprocal: lambda z: 1.0 / z,
    np.absolute: abs,
    np.conjugate: Complex.conj,
    np.exp: _exp,
}
PARTS_ALONE: dict[Any, Callable[..., Any]] = {
    np.real: lambda val: val.real,
    np.imag: lambda val: val.imag,
    np.angle: lambda z, deg=False: np.arctan2(z.imag, z.real) * (180 / math.pi if deg else 1.0),
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
    np.vdot: lambda a, b: np.sum(np.conj(np.ravel(complex_of(a))) * np.ravel(complex_of(b))),
    np.iscomplexobj: lambda x: True,
    np.isrealobj: lambda x: False,
}
ALIKE: set[Any] = {np.sum, np.mean, np.cumsum, np.diff, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis}
ALIKE |= {
    np.roll,
    np.flip,
    np.squeeze,
    np.expand_dims,
    np.broadcast_to,
    np.take,
    np.tile,
    np.repeat,
    np.gradient,
    np.split,
}
"""Functions of both parts alike."""

JOINING = {np.concatenate, np.stack, np.append}
"""The same, of several arrays, of which some may be real."""
