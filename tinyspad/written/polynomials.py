"""Polynomials, by their coefficients from the highest power on; and functions that are linear between points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import positive, reals
from .arranged import without_zeros
from .matrices import least_squares
from .table import as_array, written


def _polyval(p: Data, x: Data) -> Data:
    p, x = as_array(p), as_array(x)
    found = 0.0 * x
    for i in range(len(p)):
        found = found * x + p[i]
    return found


def _coefficients(p: Data) -> Data:
    """As a polynomial has them: none of 0 at the front."""
    return without_zeros(np.atleast_1d(as_array(p)), "f")


def _polyadd(a1: Data, a2: Data) -> Data:
    a1, a2 = np.atleast_1d(as_array(a1)), np.atleast_1d(as_array(a2))
    n = max(len(a1), len(a2))
    wide = [np.concatenate([np.zeros(n - len(a)), a]) for a in (a1, a2)]
    return wide[0] + wide[1]


def _polyder(p: Data, m: int = 1) -> Data:
    p = as_array(p)
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


def _polyint(p: Data, m: int = 1, k: Any = None) -> Data:
    p, constants = as_array(p), np.broadcast_to(0.0 if k is None else as_array(k), m)
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), np.atleast_1d(constants[i])])
    return p


def _polydiv(u: Data, v: Data) -> tuple[Data, Data]:
    rest, v = np.atleast_1d(as_array(u)), np.atleast_1d(as_array(v))
    n = len(v)
    found = []
    for _ in range(len(rest) - n + 1):
        found.append(rest[0] / v[0])
        rest = np.concatenate([rest[1:n] - found[-1] * v[1:], rest[n:]])
    while len(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return np.stack(found) if found else np.zeros(1), rest if len(rest) else np.zeros(1)


def _poly(seq_of_zeros: Data) -> Data:
    zeros, found = np.atleast_1d(as_array(seq_of_zeros)), np.ones(1)
    if np.ndim(zeros) != 1:
        raise NoRule("poly: zeros of a polynomial are covered. Of a matrix write np.poly(np.linalg.eigvalsh(a)).")
    for z in zeros:
        found = np.concatenate([found, [0.0]]) - z * np.concatenate([[0.0], found])
    return found


def _vander(x: Data, N: Any = None, increasing: bool = False) -> Data:
    x = as_array(x)
    if N == 0:
        return np.zeros((len(x), 0))
    powers = [np.ones(np.shape(x))]
    for _ in range(1, len(x) if N is None else N):
        powers.append(powers[-1] * x)
    return np.stack(powers if increasing else powers[::-1], axis=-1)


def _polyfit(
    x: Data, y: Data, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Data:
    if full or cov:
        raise NoRule("polyfit: the coefficients are covered, without full= and cov=.")
    columns, y = _vander(x, deg + 1), as_array(y)
    if w is not None:
        w = as_array(w)
        columns, y = columns * w[:, None], (y.T * w).T
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    return (least_squares(columns / scale, y).T / scale).T


def _interp(x: Data, xp: Data, fp: Data, left: Any = None, right: Any = None, period: Any = None) -> Data:
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if period is not None:
        x, xp = x % abs(period), xp % abs(period)
        order = np.argsort(xp)
        xp, fp, left, right = xp[order], fp[order], None, None
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    last = np.size(xp) - 1
    at = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(last - 1, 0))
    if not last:
        below, above = (fp[0] if end is None else end for end in (left, right))
        return np.where(x < xp[0], below, np.where(x > xp[0], above, fp[0]))
    low, high = np.take(xp, at), np.take(xp, at + 1)
    found = np.take(fp, at) + (np.take(fp, at + 1) - np.take(fp, at)) * ((x - low) / (high - low))
    found = np.where(x < xp[0], fp[0] if left is None else left, found)
    return np.where(x > xp[last], fp[last] if right is None else right, found)


written("polyval", _polyval, [(reals(3), reals()), ([1.0, -2.0, 0.5], reals(4))])
written("polyadd", _polyadd, [(reals(3), reals(2))])
written("polysub", lambda a1, a2: _polyadd(a1, -as_array(a2)), [(reals(2), reals(4))])
written("polymul", lambda a1, a2: np.convolve(_coefficients(a1), _coefficients(a2)), [(reals(3), reals(2))])
written("polyder", _polyder, [(reals(4),), (reals(4), 2)])
written("polyint", _polyint, [(reals(3),), (reals(2), 2, [1.0, 2.0])])
written("polydiv", _polydiv, [])
written("poly", _poly, [(reals(3),)])
written("vander", _vander, [(reals(3),), (reals(3), 2, {"increasing": True})])
written("polyfit", _polyfit, [([0.0, 1.0, 2.0, 4.0], reals(4), 2), (reals(5), reals(5), 1, None, False, positive(5))])
written(
    "interp",
    _interp,
    [
        (reals(4), [-1.0, 0.0, 1.5], reals(3)),
        (reals(), [-1.0, 0.0, 1.5], [1.0, 2.0, 0.0]),
        (reals(4), [0.5, 2.0, 1.0], reals(3), {"period": 2.5}),
    ],
)
