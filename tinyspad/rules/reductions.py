"""Reductions, and what runs along an axis: linear maps given by their vector-Jacobian product.

In this and the following modules each builder takes ``(out, *args, **kwargs)`` and returns the map from adjoint to
adjoint. It captures only what that map needs, often no more than a shape. A tie of max or min is shared equally among
the winners.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .elementwise import reals
from .shapes import placed
from .table import Vjp, is_data, rule

SMALL = 65536
"""So many numbers are written out rather than shown by a view."""


def restore(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """g with the reduced axes put back at length one, whatever keepdims was."""
    if axis is None or not shape:
        return np.reshape(g, (1,) * len(shape))
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def in_double(*types: Any) -> Callable[[Callable[..., Vjp]], Callable[..., Vjp]]:
    """For arrays of these dtypes compute a vjp in float64, and round what comes out.

    float16 ends at 65504 and its normal numbers at 6e-5: a count, a share or a product of a few factors is soon out of it,
    where the derivative is not.
    """

    def wrap(builder: Callable[..., Vjp]) -> Callable[..., Vjp]:
        @functools.wraps(builder)
        def wide(out: Any, a: Any, *args: Any, **kwargs: Any) -> Vjp:
            dtype = a.dtype if isinstance(a, np.ndarray) else np.result_type(a)
            if dtype == np.float64 or dtype not in types or not is_data(a):
                return builder(out, a, *args, **kwargs)
            vjp = builder(np.asarray(out, float), np.asarray(a, float), *args, **kwargs)
            return lambda g: np.asarray(vjp(np.asarray(g, float))).astype(dtype)

        return wide

    return wrap


def spread(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """g at every place that was reduced."""
    if axis is None and np.ndim(g) == 0 and math.prod(shape) <= SMALL and is_data(g):
        return np.full(shape, g)  # quicker than a view of it, while it is small
    return np.broadcast_to(restore(g, shape, axis), shape)


def _sum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    return lambda g: spread(g, shape, axis)


@in_double(np.float16)
def _mean(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    n = np.size(a) / max(np.size(out), 1) or 1.0  # of nothing the gradient has no elements
    return lambda g: spread(g / n, shape, axis)


@in_double(np.float16)
def _var(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    centred = a - np.mean(a, axis=axis, keepdims=True)
    n = _freedom(a, out, ddof)
    return lambda g: restore(g, np.shape(centred), axis) * centred * (2 / n)


@in_double(np.float16)
def _std(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    centred = a - np.mean(a, axis=axis, keepdims=True)
    direction, root = direction_of(centred, axis), math.sqrt(_freedom(a, out, ddof))
    return lambda g: restore(g, np.shape(direction), axis) * direction * (1 / root)


def _freedom(a: Any, out: Any, ddof: int) -> float:
    """What var divides by; NaN where nothing is left of it."""
    n = np.size(a) / max(np.size(out), 1) - ddof
    return n if n > 0 else math.nan


def direction_of(x: Any, axis: Any, p: float = 2) -> Any:
    """The gradient of the p-norm of x along these axes: sign(x) (|x| / norm)^(p - 1).

    At the origin it is 0, the mean of the one-sided derivatives. Where NumPy's norm adds up powers that over- or underflow,
    it is infinite, zero, or of few digits; here x is divided by its largest element then.
    """
    powers, limits = _sum_of_powers(x, axis, p), np.finfo(np.result_type(x))
    if not np.all((powers > limits.tiny / limits.eps) & (powers < np.inf)):
        largest = np.max(np.abs(x), axis=axis, keepdims=True) if np.size(x) else np.zeros(np.shape(powers))
        x = x / np.where((largest > 0) & (largest < np.inf), largest, 1.0)
        powers = _sum_of_powers(x, axis, p)
        origin = powers == 0
        x, powers = np.where(origin, 0.0, x), np.where(origin, 1.0, powers)  # 0 there, and flat
    return x / np.sqrt(powers) if p == 2 else np.sign(x) * (np.abs(x) / powers ** (1 / p)) ** (p - 1)


def _sum_of_powers(x: Any, axis: Any, p: float) -> Any:
    return np.sum(x * x if p == 2 else np.abs(x) ** p, axis=axis, keepdims=True)


@in_double(np.float16)
def _prod(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    others = _product_of_others(a, axis)
    return lambda g: restore(g, np.shape(others), axis) * others


def _product_of_others(a: Any, axis: Any) -> Any:
    """For each element the product of all the others: right where elements are zero, too."""
    ndim = np.ndim(a)
    axes = range(ndim) if axis is None else [i % ndim for i in np.atleast_1d(axis)]
    last = [i for i in range(ndim) if i not in axes] + list(axes)
    moved = np.transpose(a, last)
    shape = np.shape(moved)
    kept = shape[: ndim - len(axes)]
    flat = np.reshape(moved, (*kept, math.prod(shape[len(kept) :])))
    one = np.ones((*kept, 1), np.result_type(a))[..., : np.shape(flat)[-1]]
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    return np.transpose(np.reshape(before * after, shape), np.argsort(last))


@in_double(np.float16)
def _cumprod(out: Any, a: Any, axis: Any = None) -> Vjp:
    """Divided by the element where none is 0; else the products without it, all written out: O(n^2)."""
    shape = np.shape(a)
    if axis is None:
        a, out = np.ravel(a), np.ravel(out)
    along = 0 if axis is None else axis

    def summed(g: Any) -> Any:  # from each place on
        return np.flip(np.cumsum(np.flip(g, along), along), along)

    if np.all(a != 0):
        return lambda g: np.reshape(summed(g * out) / a, shape)
    rows, last = np.moveaxis(a, along, -1), np.ndim(a) - 1
    n = np.shape(rows)[-1]
    without = np.where(np.eye(n, dtype=bool), 1.0, np.expand_dims(rows, -2))  # row i has 1 in the place of element i
    products = np.triu(np.cumprod(without, -1))
    return lambda g: np.reshape(
        np.moveaxis(np.sum(np.expand_dims(np.moveaxis(g, along, -1), -2) * products, -1), last, along), shape
    )


@in_double(np.float16)
def _extremum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    winners = a == restore(out, np.shape(a), axis)
    number = np.count_nonzero(winners, axis=axis, keepdims=True).astype(np.result_type(a))
    return lambda g: restore(g, np.shape(winners), axis) / number * winners


@in_double(np.float16, np.float32)  # a sum of ones in float32 stops at 2^24
def _cumsum(out: Any, a: Any, axis: Any = None) -> Vjp:
    shape = np.shape(a)

    def vjp(g: Any) -> Any:
        along = 0 if axis is None else axis
        return np.reshape(np.flip(np.cumsum(np.flip(g, along), along), along), shape)

    return vjp


def _sort(out: Any, a: Any, axis: Any = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Vjp:
    shape, ranked = np.shape(a), np.argsort(a, axis=axis, kind="stable")
    places = np.arange(np.size(ranked)).reshape(np.shape(ranked))
    found = np.ravel(np.take_along_axis(places, ranked, axis=-1 if axis is None else axis))
    back = np.empty_like(found)
    back[found] = np.arange(len(found))
    return lambda g: np.reshape(np.ravel(g)[back], shape)


def _trace(out: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Vjp:
    shape, size = np.shape(a), np.size(a)
    diagonals = np.diagonal(np.arange(size).reshape(shape), offset, axis1, axis2)

    # the diagonals alone: elsewhere an infinite g times 0 would be no number
    return lambda g: np.reshape(
        placed(np.broadcast_to(np.expand_dims(g, -1), np.shape(diagonals)), (size,), diagonals), shape
    )


rule(
    np.sum,
    vjp=_sum,
    kind="reduction",
    domain=[(reals(2, 3),), (reals(2, 3), {"axis": 0}), (reals(2, 3, 2), {"axis": (0, -1)})],
)
rule(np.mean, vjp=_mean, kind="reduction", domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1, "keepdims": True})])
rule(np.var, vjp=_var, kind="reduction", domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1, "ddof": 1})])
rule(np.std, vjp=_std, kind="reduction", domain=[(reals(2, 3),), (reals(2, 3), {"axis": 0, "ddof": 1})])
rule(
    np.prod,
    vjp=_prod,
    kind="reduction",
    domain=[(reals(4),), (reals(2, 3), {"axis": 0}), (reals(2, 3, 2), {"axis": (0, 2)})],
)
for extremum in (np.max, np.min):
    rule(extremum, vjp=_extremum, kind="reduction", chooses=True, domain=[(reals(5),), (reals(2, 3), {"axis": 1})])
rule(np.cumsum, vjp=_cumsum, kind="scan", domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1})])
rule(np.cumprod, vjp=_cumprod, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1})])
rule(np.sort, vjp=_sort, kind="order", domain=[(reals(5),), (reals(2, 3), {"axis": 0}), (reals(2, 3), {"axis": None})])
TRACES = [(reals(3, 3),), (reals(2, 3), {"offset": 1}), (reals(2, 3, 3), -1, 2, 1)]
rule(np.trace, vjp=_trace, kind="diagonal", chooses=True, domain=TRACES)
