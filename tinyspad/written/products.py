"""Products of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import nonzero, reals
from .table import as_array, written


def _vdot(a: Data, b: Data) -> Data:
    return np.sum(np.ravel(as_array(a)) * np.ravel(as_array(b)))


def _kron(a: Data, b: Data) -> Data:
    a, b = as_array(a), as_array(b)
    n = max(np.ndim(a), np.ndim(b))
    left, right = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    spread = [np.reshape(a, [m for k in left for m in (k, 1)]), np.reshape(b, [m for k in right for m in (1, k)])]
    return np.reshape(spread[0] * spread[1], [i * j for i, j in zip(left, right)])


def _cross(a: Data, b: Data, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Data:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(as_array(a), axisa, -1), np.moveaxis(as_array(b), axisb, -1)
    if np.shape(x)[-1] != 3 or np.shape(y)[-1] != 3:
        raise NoRule("cross: vectors of three numbers are covered.")
    (a0, a1, a2), (b0, b1, b2) = ([v[..., i] for i in range(3)] for v in (x, y))
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=axisc)


def _convolve(a: Data, v: Data, mode: str = "full") -> Data:
    a, v = np.ravel(as_array(a)), np.ravel(as_array(v))
    if np.size(v) > np.size(a):
        a, v = v, a
    n, m = np.size(a), np.size(v)
    wide = np.concatenate([np.zeros(m - 1), a, np.zeros(m - 1)])
    full = wide[np.arange(n + m - 1)[:, None] + np.arange(m)[::-1]] @ v
    start, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[start : start + length]


def _correlate(a: Data, v: Data, mode: str = "valid") -> Data:
    a, v = np.ravel(as_array(a)), np.ravel(as_array(v))
    if np.size(v) > np.size(a):
        return np.flip(_correlate(v, a, mode))
    full = _convolve(a, np.flip(v), "full")
    n, m = np.size(a), np.size(v)
    start, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[start : start + length]


def _matrix_power(a: Data, n: int) -> Data:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(np.shape(a)[-1]), np.shape(a))
    found = None
    while n:  # by squares
        found = a if n % 2 and found is None else found @ a if n % 2 else found
        a, n = (a @ a if n > 1 else a), n // 2
    return found


written("vdot", _vdot, [(reals(3), reals(3)), (reals(2, 2), reals(2, 2))])
written("kron", _kron, [(reals(2), reals(3)), (reals(2, 2), reals(1, 3))])
written("cross", _cross, [(reals(3), reals(3)), (reals(2, 3), reals(2, 3))])
written("linalg.cross", lambda x1, x2, *, axis=-1: _cross(x1, x2, axis=axis), [(reals(3), reals(3))])
written("convolve", _convolve, [(reals(5), reals(3), m) for m in ("full", "same", "valid")])
written(
    "correlate",
    _correlate,
    [
        *[(reals(5), reals(3), m) for m in ("full", "same", "valid")],
        (reals(2), reals(4), "full"),
        (reals(4), reals(2), "same"),
        (reals(4), reals(5), "same"),
    ],
)
written("linalg.matrix_power", _matrix_power, [(reals(2, 2), 3), (reals(2, 2), 0), (nonzero(2, 2), -2)])
written("linalg.multi_dot", lambda arrays: _chained(list(arrays)), [([reals(2, 3), reals(3, 2), reals(2)],)])
written("matvec", lambda x1, x2: np.einsum("...ij,...j->...i", x1, x2), [(reals(2, 3), reals(3))])
written("vecmat", lambda x1, x2: np.einsum("...i,...ij->...j", x1, x2), [(reals(2), reals(2, 3))])


def _chained(arrays: list[Data]) -> Data:
    found = arrays[0]
    for a in arrays[1:]:
        found = found @ a
    return found
