"""Fourier transforms: pairs of real arrays out of pairs, or out of real numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import fourier, reals
from .complex import Complex, complex_of
from .table import along, as_array, axes_of, written


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
    if np.iscomplexobj(a):
        raise NoRule("fft.rfft takes real numbers; write z.real, or np.fft.fft(z).")
    full = _fft(a, n, axis, norm)
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
    sizes = [z.shape[i] if k == -1 else k for k, i in zip(s, axes)] if s is not None else [None] * len(axes)
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
