"""Averages, quantiles and covariances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..rules import nonzero, picked, positive, reals
from .table import as_array, axes_of, written


def _average(a: Data, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Data:
    a = as_array(a)
    if weights is None:
        mean, total = np.mean(a, axis=axis, keepdims=keepdims), np.size(a) / max(1, np.size(np.sum(a, axis=axis)))
    else:
        weights = as_array(weights)
        if np.shape(weights) != np.shape(a):
            weights = np.reshape(weights, [-1 if i == int(axis) % np.ndim(a) else 1 for i in range(np.ndim(a))])
            weights = weights * np.ones(np.shape(a))
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total * np.ones(np.shape(mean))) if returned else mean


def _median(a: Data, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Data:
    return _in_order(a, 0.5, axis, "linear", keepdims, False)


def _quantile(
    a: Data,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Data:
    return _in_order(a, q, axis, method, keepdims, False)


def _in_order(a: Data, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Data:
    """Between the two neighbours in the sorted order, along the axes together.

    ``skip_nan``: what is no number, which NumPy sorts to the end, does not count; else nothing there is a number.
    """
    a = as_array(a)
    axes = axes_of(a, axis)
    kept = [i for i in range(np.ndim(a)) if i not in axes]
    shape = np.shape(a)
    flat = np.sort(np.reshape(np.transpose(a, [*kept, *axes]), [*(shape[i] for i in kept), -1]), axis=-1)
    pick = np.take_along_axis if skip_nan else picked
    number = np.sum(~np.isnan(flat), axis=-1, keepdims=True) if skip_nan else np.full(1, np.shape(flat)[-1])
    place = np.broadcast_to(_places(number, np.asarray(q, float), method), (*np.shape(flat)[:-1], np.size(q)))
    low = np.floor(place).astype(int)
    between, found = (place - low).astype(np.result_type(a)), pick(flat, low, axis=-1)
    if np.any(between):
        above = pick(flat, np.minimum(low + 1, np.maximum(number - 1, 0)), axis=-1)
        found = (found + above) / 2.0 if np.all(between == 0.5) else found + (above - found) * between
    found = np.reshape(found, (*np.shape(found)[:-1], *np.shape(q)))
    if np.ndim(q):  # the axes of q come first
        found = np.moveaxis(found, range(-np.ndim(q), 0), range(np.ndim(q)))
    if keepdims:
        found = np.reshape(found, [*np.shape(q), *(1 if i in axes else n for i, n in enumerate(shape))])
    return found


def _places(number: Data, q: Data, method: str) -> Data:
    """Where in so many sorted numbers the quantiles are: those of 0, 1, 2, ... by NumPy itself."""
    if method == "linear":
        return np.maximum(number - 1, 0) * np.ravel(q)
    place = np.empty((*np.shape(number)[:-1], np.size(q)))
    for n in np.unique(number):
        numbers: Any = np.arange(max(int(n), 1), dtype=float)
        place[(number == n)[..., 0]] = np.quantile(numbers, np.ravel(q), method=method)  # type: ignore[call-overload]
    return place


def _percentile(
    a: Data,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Data:
    return _quantile(a, np.asarray(q) / 100.0, axis, None, overwrite_input, method, keepdims)


with np.errstate(all="ignore"):
    BY_DIMENSION = np.ndim(np.cov(np.eye(2)[:1], rowvar=False, ddof=0)) == 2
"""Whether of one row, with rowvar=False, the columns are the variables: so it is in newer versions of NumPy."""


def _cov(
    m: Data,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Data:
    """``fweights``: how often each observation was made; ``aweights``: how much each counts."""
    turned = not rowvar and (np.ndim(m) != 1 if BY_DIMENSION else np.shape(np.atleast_2d(m))[0] != 1)
    m = np.atleast_2d(as_array(m))
    if turned:
        m = np.transpose(m)
    if y is not None:
        y = np.atleast_2d(as_array(y))
        m = np.concatenate([m, np.transpose(y) if not rowvar and np.shape(y)[0] != 1 else y])
    less = (0 if bias else 1) if ddof is None else ddof
    weights = [as_array(w) for w in (fweights, aweights) if w is not None]
    if not weights:
        centred = m - np.mean(m, axis=1, keepdims=True)
        return np.squeeze(centred @ np.transpose(centred) / float(np.shape(m)[1] - less))
    w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
    total = np.sum(w)
    centred = m - np.sum(m * w, axis=1, keepdims=True) / total
    lost = less if aweights is None or less == 0 else less * np.sum(w * weights[-1]) / total
    return np.squeeze((centred * w) @ np.transpose(centred) / (total - lost))


def _corrcoef(x: Data, y: Any = None, rowvar: bool = True) -> Data:
    c = _cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return c / c
    scale = np.sqrt(np.diagonal(c))
    return c / scale[:, None] / scale


def _ptp(a: Data, axis: Any = None, keepdims: bool = False) -> Data:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


METHODS = ("nearest", "lower", "higher", "midpoint", "hazen", "weibull", "median_unbiased", "inverted_cdf")
written("average", _average, [(reals(2, 3),), (reals(4), None, positive(4)), (reals(2, 3), 1, [1.0, 2.0, 1.0])])
written(
    "median",
    _median,
    [(reals(5),), (reals(4),), (reals(2, 3), {"axis": 0}), (reals(2, 3), {"axis": 1, "keepdims": True})],
)
written(
    "quantile",
    _quantile,
    [
        (reals(5), 0.3),
        (reals(2, 4), [0.25, 0.6], {"axis": 1}),
        (reals(2, 3), 0.5, {"keepdims": True}),
        *[(reals(5), [0.3, 0.5], {"method": method}) for method in METHODS],
    ],
)
written("percentile", _percentile, [(reals(5), 30.0), (reals(3, 2), 70, {"axis": 0})])
written(
    "cov",
    _cov,
    [
        (reals(2, 4),),
        (reals(4),),
        (reals(4), reals(4)),
        (reals(4, 2), {"rowvar": False, "bias": True}),
        (reals(2, 4), {"fweights": [1, 2, 1, 3]}),
        (reals(2, 4), {"aweights": [0.5, 1.0, 0.25, 2.0], "fweights": [1, 2, 1, 3]}),
        (reals(2, 4), None, True, False, 0, None, positive(4)),
    ],
)
written("corrcoef", _corrcoef, [(reals(2, 4),), (reals(4), reals(4))])
written("ptp", _ptp, [(reals(4),), (reals(2, 3), {"axis": 1})])


# --- of numbers alone, without what is none ------------------------------------------------------------------------------


def _instead(a: Data, number: float) -> Data:
    return np.where(np.isnan(a), number, a)


def _nanmean(a: Data, axis: Any = None, *, keepdims: bool = False) -> Data:
    there = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
    return np.sum(_instead(a, 0.0), axis=axis, keepdims=keepdims) / there


def _nanvar(a: Data, axis: Any = None, ddof: int = 0, *, keepdims: bool = False) -> Data:
    there = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
    apart = np.where(np.isnan(a), 0.0, a - _nanmean(a, axis, keepdims=True))
    return np.sum(apart**2, axis=axis, keepdims=keepdims) / np.where(there > ddof, there - ddof, np.nan)


def _nan_to_num(x: Data, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Data:
    limits = np.finfo(np.result_type(x))
    x = np.where(np.isposinf(x), float(limits.max) if posinf is None else posinf, x)
    return _instead(np.where(np.isneginf(x), float(limits.min) if neginf is None else neginf, x), nan)


def _but_nan(function: Callable[..., Data], number: float) -> Callable[..., Data]:
    def of_numbers(a: Data, axis: Any = None, **options: Any) -> Data:
        found = function(_instead(a, number), axis=axis, **options)
        if np.isfinite(number):
            return found
        none = np.all(np.isnan(a), axis=axis, keepdims=options.get("keepdims", False))
        return np.where(none, np.nan, found) if np.any(none) else found

    return of_numbers


for function, number in ((np.sum, 0.0), (np.prod, 1.0), (np.max, -np.inf), (np.min, np.inf), (np.cumsum, 0.0)):
    written(f"nan{function.__name__}", _but_nan(function, number), [(reals(4),), (reals(2, 3), {"axis": 1})])
written("nancumprod", _but_nan(np.cumprod, 1.0), [(nonzero(4),)])
written("nanmean", _nanmean, [(reals(4),), (reals(2, 3), {"axis": 1})])
written("nanvar", _nanvar, [(reals(4),), (reals(2, 3), {"axis": 1, "ddof": 1})])
written(
    "nanstd",
    lambda a, axis=None, ddof=0, *, keepdims=False: np.sqrt(_nanvar(a, axis, ddof, keepdims=keepdims)),
    [(reals(4),)],
)
written(
    "nanmedian",
    lambda a, axis=None, out=None, overwrite_input=False, keepdims=False: _in_order(
        a, 0.5, axis, "linear", keepdims, True
    ),
    [(reals(4),), (reals(2, 3), {"axis": 1})],
)
written(
    "nanquantile",
    lambda a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False: _in_order(
        a, q, axis, method, keepdims, True
    ),
    [(reals(4), 0.3)],
)
written(
    "nanpercentile",
    lambda a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False: _in_order(
        a, np.asarray(q) / 100.0, axis, method, keepdims, True
    ),
    [(reals(2, 3), [20.0, 70.0], {"axis": 0})],
)
written("nan_to_num", _nan_to_num, [(reals(2, 2),)])
