"""Fourier transforms, and complex numbers as pairs of real ones.

tinyspad's numbers are real. What ``np.fft`` makes of them is a pair, the real and the imaginary part, each of which is an
array or a Value; of such pairs there is what one does between two transforms.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import Pair, fourier, reals
from .table import WRITTEN, along, as_array, axes_of, written


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

    def __abs__(self) -> Data:
        return np.hypot(self.real, self.imag)

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
        if function in ALIKE:
            return Complex(*(function(*(_part(a, part) for a in args), **options) for part in ("real", "imag")))
        if function in WRITTEN:
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
    np.iscomplexobj: lambda x: True,
    np.isrealobj: lambda x: False,
}
ALIKE: set[Any] = {np.sum, np.mean, np.cumsum, np.diff, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis}
ALIKE |= {
    np.roll,
    np.flip,
    np.squeeze,
    np.expand_dims,
    np.take,
    np.tile,
    np.repeat,
    np.concatenate,
    np.stack,
    np.broadcast_to,
}
"""Functions of both parts alike."""


# --- transforms ----------------------------------------------------------------------------------------------------------


def _sized(x: Data, n: int, axis: int) -> Data:
    """So many numbers along an axis: the first ones, or zeros behind them."""
    have = np.shape(x)[axis]
    if n <= have:
        return x if n == have else along(x, axis, slice(n))
    rest = [n - have if i == axis % np.ndim(x) else k for i, k in enumerate(np.shape(x))]
    return np.concatenate([x, np.zeros(rest)], axis=axis)


def _scale(norm: str | None, inverse: bool, n: int) -> float:
    if norm not in (None, "backward", "forward", "ortho"):
        raise NoRule(f"fft: norm= is backward, forward or ortho, not {norm!r:.40}.")
    return 1 / math.sqrt(n) if norm == "ortho" else 1 / n if inverse == (norm != "forward") else 1.0


def _fft(
    a: Data, n: Any = None, axis: int = -1, norm: str | None = None, out: None = None, *, inverse: bool = False
) -> Complex:
    z = complex_of(a)
    n = z.shape[axis] if n is None else n
    found = fourier(_sized(z.real, n, axis), _sized(z.imag, n, axis), axis - z.ndim if axis >= 0 else axis, inverse)
    scale = _scale(norm, inverse, n)
    return Complex(found[0] * scale, found[1] * scale) if scale != 1.0 else Complex(found[0], found[1])


def _rfft(a: Data, n: Any = None, axis: int = -1, norm: str | None = None, out: None = None) -> Complex:
    full = _fft(complex_of(a).real, n, axis, norm)
    half = slice(full.shape[axis] // 2 + 1)
    return Complex(along(full.real, axis, half), along(full.imag, axis, half))


def _irfft(a: Data, n: Any = None, axis: int = -1, norm: str | None = None, out: None = None) -> Data:
    """Of the whole spectrum of real numbers, of which the half is given; what is imaginary at its ends does not count."""
    z = complex_of(a)
    n = 2 * (z.shape[axis] - 1) if n is None else n
    real, imag = (_sized(part, n // 2 + 1, axis) for part in (z.real, z.imag))
    mirrored = slice((n - 1) // 2, 0, -1)
    nothing, inner = 0.0 * along(imag, axis, slice(0, 1)), along(imag, axis, slice(1, (n + 1) // 2))
    whole = Complex(
        np.concatenate([real, along(real, axis, mirrored)], axis=axis),
        np.concatenate([nothing, inner, *([] if n % 2 else [nothing]), -np.flip(inner, axis)], axis=axis),
    )
    return _fft(whole, n, axis, norm, inverse=True).real


SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _hfft(a: Data, n: Any = None, axis: int = -1, norm: str | None = None, out: None = None) -> Data:
    return _irfft(complex_of(a).conj(), n, axis, SWAPPED[norm])


def _ihfft(a: Data, n: Any = None, axis: int = -1, norm: str | None = None, out: None = None) -> Complex:
    return _rfft(a, n, axis, SWAPPED[norm]).conj()


def _sides(z: Complex, s: Any, axes: Any) -> list[tuple[Any, int]]:
    """The lengths and the axes along which to transform."""
    axes = list(axes) if axes is not None else list(range(-len(s) if s is not None else -z.ndim, 0))
    sizes = [None if k == -1 else k for k in s] if s is not None else [None] * len(axes)
    return list(zip(sizes, axes))


def _fftn(
    a: Data, s: Any = None, axes: Any = None, norm: str | None = None, out: None = None, *, inverse: bool = False
) -> Complex:
    z = complex_of(a)
    for n, axis in reversed(_sides(z, s, axes)):
        z = _fft(z, n, axis, norm, inverse=inverse)
    return z


def _rfftn(a: Data, s: Any = None, axes: Any = None, norm: str | None = None, out: None = None) -> Complex:
    *others, (n, axis) = _sides(complex_of(a), s, axes)
    z = _rfft(a, n, axis, norm)
    for n, axis in reversed(others):
        z = _fft(z, n, axis, norm)
    return z


def _irfftn(a: Data, s: Any = None, axes: Any = None, norm: str | None = None, out: None = None) -> Data:
    z = complex_of(a)
    *others, (n, axis) = _sides(z, s, axes)
    for n_other, other in others:
        z = _fft(z, n_other, other, norm, inverse=True)
    return _irfft(z, n, axis, norm)


def _of_two(function: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    def of_two(
        a: Data, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None, out: None = None
    ) -> Any:
        return function(a, s, axes, norm, **settings)

    return of_two


def _shifted(a: Data, axes: Any = None, *, back: bool = False) -> Data:
    a = a if isinstance(a, Complex) else as_array(a)
    along = axes_of(a, axes)
    return np.roll(a, [(-1 if back else 1) * (np.shape(a)[i] // 2) for i in along], along)  # type: ignore[arg-type]


written("fft.fft", _fft, [])
written("fft.ifft", partial(_fft, inverse=True), [])
written("fft.rfft", _rfft, [])
written("fft.irfft", _irfft, [(reals(4),), (reals(2, 4), 5)])
written("fft.hfft", _hfft, [(reals(4),), (reals(4), 7)])
written("fft.ihfft", _ihfft, [])
written("fft.fftn", _fftn, [])
written("fft.ifftn", partial(_fftn, inverse=True), [])
written("fft.rfftn", _rfftn, [])
written("fft.irfftn", _irfftn, [(reals(3, 4),)])
written("fft.fft2", _of_two(_fftn), [])
written("fft.ifft2", _of_two(_fftn, inverse=True), [])
written("fft.rfft2", _of_two(_rfftn), [])
written("fft.irfft2", _of_two(_irfftn), [(reals(3, 4),)])
written("fft.fftshift", _shifted, [(reals(5),), (reals(2, 3), {"axes": 1})])
written("fft.ifftshift", partial(_shifted, back=True), [(reals(5),), (reals(2, 3),)])
