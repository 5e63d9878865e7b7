"""The discrete Fourier transform, as a map of two real arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import reals
from .table import rule


class Pair:
    """A real and an imaginary part: what ``written.Complex`` is, by which the tape knows it without loading all that."""

    __slots__ = ("imag", "real")

    def __init__(self, real: Any, imag: Any) -> None:
        self.real, self.imag = real, imag


def fourier(real: Any, imag: Any, axis: int, inverse: bool) -> Any:
    """sum_k (real_k + i imag_k) e^(-2 pi i jk / n) along an axis, its real and its imaginary part one above the other.

    With e^(+...) if ``inverse``; never divided by n. Each is the other's transpose.

    >>> import numpy as np
    >>> fourier(np.array([1.0, 2.0]), np.zeros(2), 0, False)
    array([[ 3., -1.],
           [ 0.,  0.]])
    """
    z = real + 1j * imag
    found = np.fft.ifft(z, axis=axis, norm="forward") if inverse else np.fft.fft(z, axis=axis)
    return np.stack([found.real, found.imag])


fourier = rule(
    fourier,
    vjp=(
        lambda out, real, imag, axis, inverse: lambda g: fourier(g[0], g[1], axis, not inverse)[0],
        lambda out, real, imag, axis, inverse: lambda g: fourier(g[0], g[1], axis, not inverse)[1],
    ),
    domain=[(reals(5), reals(5), 0, False), (reals(2, 4), reals(2, 4), -1, True), (reals(3, 2), reals(3, 2), 0, False)],
)
