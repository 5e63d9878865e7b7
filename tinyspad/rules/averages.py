"""Differences, sums and averages, written in functions that have rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from .elementwise import nonzero, positive, reals
from .table import PLAIN
from .written import WRITTEN, Written, along, as_array, axes_of, written

# --- differences and sums ------------------------------------------------------------------------------------------


def _diff(a: Data, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Data:
    ends = [x for x in (prepend, append) if x is not None]
    if ends:
        shape = tuple(1 if i == axis % np.ndim(a) else k for i, k in enumerate(np.shape(a)))
        before, after = (
            [] if x is None else [np.broadcast_to(x, shape) if np.ndim(x) == 0 else x] for x in (prepend, append)
        )
        a = np.concatenate([*before, a, *after], axis=axis)
    for _ in range(n):
        a = along(a, axis, slice(1, None)) - along(a, axis, slice(None, -1))
    return a


def _ediff1d(ary: Data, to_end: Any = None, to_begin: Any = None) -> Data:
    parts = [to_begin, _diff(np.ravel(ary)), to_end]
    return np.concatenate([np.ravel(x) for x in parts if x is not None])


def _trapezoid(y: Data, x: Any = None, dx: float = 1.0, axis: int = -1) -> Data:
    y = as_array(y)
    if x is None:
        steps: Any = dx
    else:
        steps = _diff(as_array(x), axis=-1 if np.ndim(x) == 1 else axis)
        if np.ndim(x) == 1:
            steps = np.reshape(steps, [-1 if i == axis % np.ndim(y) else 1 for i in range(np.ndim(y))])
    return np.sum(steps * (along(y, axis, slice(1, None)) + along(y, axis, slice(None, -1))) / 2.0, axis=axis)


def _gradient(f: Data, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Data:
    if edge_order != 1 or any(np.ndim(h) for h in spacing):
        raise NoRule("gradient: one-sided differences at the ends and equal steps are covered (edge_order=1, numbers).")
    axes = axes_of(f, axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise NoRule(f"gradient: {len(steps)} steps were given for {len(axes)} axes.")
    found = []
    for i, h in zip(axes, steps):
        inside = (along(f, i, slice(2, None)) - along(f, i, slice(None, -2))) / (2.0 * h)
        first = (along(f, i, slice(1, 2)) - along(f, i, slice(0, 1))) / h
        last = (along(f, i, slice(-1, None)) - along(f, i, slice(-2, -1))) / h
        found.append(np.concatenate([first, inside, last], axis=i))
    return found[0] if len(found) == 1 else tuple(found)


written(
    "diff", _diff, [(reals(4),), (reals(2, 3), {"axis": 0}), (reals(5), 2), (reals(3), {"prepend": 0.5, "append": 1.0})]
)
written("ediff1d", _ediff1d, [(reals(4),), (reals(2, 2), [1.0], [2.0, 3.0])])
for trapezoid in ("trapezoid", "trapz"):
    written(trapezoid, _trapezoid, [(reals(4),), (reals(2, 3), [0.0, 1.0, 3.0]), (reals(3, 2), {"dx": 0.5, "axis": 0})])
written("gradient", _gradient, [(reals(4),), (reals(5), 0.5), (reals(3, 4), {"axis": 0})])


# --- averages ------------------------------------------------------------------------------------------------------


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
    return _quantile(a, 0.5, axis, keepdims=keepdims)


def _quantile(
    a: Data,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Data:
    """Between the two neighbours in the sorted order, along the axes together."""
    a = as_array(a)
    if method != "linear":
        raise NoRule(f"quantile: method='linear' is covered, not {method!r}.")
    axes = axes_of(a, axis)
    kept = [i for i in range(np.ndim(a)) if i not in axes]
    shape = np.shape(a)
    flat = np.sort(np.reshape(np.transpose(a, [*kept, *axes]), [*(shape[i] for i in kept), -1]), axis=-1)
    place = np.asarray(q, float) * (np.shape(flat)[-1] - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.shape(flat)[-1] - 1)
    below, above = np.take(flat, low, axis=-1), np.take(flat, high, axis=-1)
    found = below + (above - below) * (place - low)
    if np.ndim(q):  # the axes of q come first
        found = np.moveaxis(found, range(-np.ndim(q), 0), range(np.ndim(q)))
    if keepdims:
        found = np.reshape(found, [*np.shape(q), *(1 if i in axes else n for i, n in enumerate(shape))])
    return found


def _percentile(a: Data, q: Any, *args: Any, **options: Any) -> Data:
    return _quantile(a, np.asarray(q) / 100.0, *args, **options)


def _cov(m: Data, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Data:
    m = np.atleast_2d(as_array(m))
    if not rowvar and np.shape(m)[0] != 1:
        m = np.transpose(m)
    if y is not None:
        y = np.atleast_2d(as_array(y))
        m = np.concatenate([m, np.transpose(y) if not rowvar and np.shape(y)[0] != 1 else y])
    centred = m - np.mean(m, axis=1, keepdims=True)
    less = (0 if bias else 1) if ddof is None else ddof
    return np.squeeze(centred @ np.transpose(centred) / float(np.shape(m)[1] - less))


def _corrcoef(x: Data, y: Any = None, rowvar: bool = True) -> Data:
    c = _cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return c / c
    scale = np.sqrt(np.diagonal(c))
    return c / scale[:, None] / scale


def _ptp(a: Data, axis: Any = None, keepdims: bool = False) -> Data:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


written("average", _average, [(reals(2, 3),), (reals(4), None, positive(4)), (reals(2, 3), 1, [1.0, 2.0, 1.0])])
written(
    "median",
    _median,
    [(reals(5),), (reals(4),), (reals(2, 3), {"axis": 0}), (reals(2, 3), {"axis": 1, "keepdims": True})],
)
written(
    "quantile",
    _quantile,
    [(reals(5), 0.3), (reals(2, 4), [0.25, 0.6], {"axis": 1}), (reals(2, 3), 0.5, {"keepdims": True})],
)
written("percentile", _percentile, [(reals(5), 30.0), (reals(3, 2), 70, {"axis": 0})])
written(
    "cov", _cov, [(reals(2, 4),), (reals(4),), (reals(4), reals(4)), (reals(4, 2), {"rowvar": False, "bias": True})]
)
written("corrcoef", _corrcoef, [(reals(2, 4),), (reals(4), reals(4))])
written(
    "ptp",
    lambda a, axis=None, keepdims=False: (
        np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)
    ),
    [(reals(4),), (reals(2, 3), {"axis": 1})],
)


# --- reductions of a part: where= and initial= -----------------------------------------------------------------------------


class Neutral(NamedTuple):
    """What changes nothing in a reduction, and how another number is added to what it gave."""

    number: float
    join: Callable[[Data, Data], Data]


PARTS = {
    np.sum: Neutral(0.0, np.add),
    np.prod: Neutral(1.0, np.multiply),
    np.max: Neutral(-np.inf, np.maximum),
    np.min: Neutral(np.inf, np.minimum),
}


def part_of(
    function: Callable[..., Data], a: Data, *args: Any, where: Any = True, initial: Any = None, **rest: Any
) -> Data:
    """A reduction of the numbers where a condition holds, joined with an initial one."""
    if function is np.mean:
        there = np.sum(np.broadcast_to(where, np.shape(a)), *args, **rest)
        return np.sum(np.where(where, a, 0.0), *args, **rest) / there
    neutral = PARTS[function]
    found = function(a if where is True else np.where(where, a, neutral.number), *args, **rest)
    return found if initial is None else neutral.join(found, initial)


# --- sums of exponentials ----------------------------------------------------------------------------------------------


def logsumexp(a: Data, axis: Any = None, keepdims: bool = False) -> Data:
    """log(sum(exp(a))), without overflow.

    Parameters
    ----------
    a : array or Value
        Numbers; -inf counts as a term of 0.
    axis : int, tuple of ints or None
        Along which to sum; all, if None.
    keepdims : bool
        Whether the summed axes stay, of length one.

    Returns
    -------
    number, array or Value
        Of a's shape without the summed axes. Cost: four operations.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> float(ts.logsumexp(np.array([1000.0, 1000.0]))) == 1000 + float(np.log(2))
    True
    >>> ts.grad(ts.logsumexp)(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    top = np.max(a, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    found = np.log(np.sum(np.exp(a - shift), axis=axis, keepdims=True)) + shift
    return found if keepdims else np.squeeze(found, axis=axis) if axis is not None else np.reshape(found, ())[()]


WRITTEN[logsumexp] = Written(logsumexp, [])  # as which np.logaddexp.reduce is known


def softmax(a: Data, axis: Any = -1) -> Data:
    """exp(a) / sum(exp(a)), without overflow.

    Parameters
    ----------
    a : array or Value
        Numbers; -inf gives 0.
    axis : int, tuple of ints or None
        Along which they sum up to 1; all, if None.

    Returns
    -------
    array or Value
        Of a's shape. Cost: that of :func:`logsumexp` and an exponential.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> ts.softmax(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    return np.exp(a - logsumexp(a, axis=axis, keepdims=True))


# --- what is no number left out ------------------------------------------------------------------------------------------


def _instead(a: Data, number: float) -> Data:
    return np.where(np.isnan(a), number, a)


def _nanmean(a: Data, axis: Any = None, *, keepdims: bool = False) -> Data:
    there = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
    return np.sum(_instead(a, 0.0), axis=axis, keepdims=keepdims) / there


def _nanvar(a: Data, axis: Any = None, ddof: int = 0, *, keepdims: bool = False) -> Data:
    there = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
    apart = np.where(np.isnan(a), 0.0, a - _nanmean(a, axis, keepdims=True))
    return np.sum(apart**2, axis=axis, keepdims=keepdims) / (there - ddof)


def _nan_to_num(x: Data, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Data:
    limits = np.finfo(np.result_type(x))
    x = np.where(np.isposinf(x), float(limits.max) if posinf is None else posinf, x)
    return _instead(np.where(np.isneginf(x), float(limits.min) if neginf is None else neginf, x), nan)


def _but_nan(function: Callable[..., Data], number: float) -> Callable[..., Data]:
    return lambda a, axis=None, **options: function(_instead(a, number), axis=axis, **options)


for function, number in ((np.sum, 0.0), (np.prod, 1.0), (np.max, -np.inf), (np.min, np.inf), (np.cumsum, 0.0)):
    written(f"nan{function.__name__}", _but_nan(function, number), [(reals(4),), (reals(2, 3), {"axis": 1})])
written("nancumprod", _but_nan(np.cumprod, 1.0), [(nonzero(4),)])
written("nanmean", _nanmean, [(reals(4),), (reals(2, 3), {"axis": 1})])
written("nanvar", _nanvar, [(reals(4),), (reals(2, 3), {"axis": 1, "ddof": 1})])
written("nanstd", lambda a, axis=None, ddof=0, **options: np.sqrt(_nanvar(a, axis, ddof, **options)), [(reals(4),)])
written("nan_to_num", _nan_to_num, [(reals(2, 2),)])
PLAIN.update({np.isposinf, np.isneginf})
