"""Reductions, and what runs along an axis: linear maps given by their vector-Jacobian product.

In this and the following modules each builder takes ``(out, *args, **kwargs)`` and returns the map from adjoint to
adjoint. It captures only what that map needs, often no more than a shape. A tie of max or min is shared equally among
the winners.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import reals
from .table import Vjp, rule


def restore(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """g with the reduced axes put back at length one, whatever keepdims was."""
    if axis is None or not shape:
        return np.reshape(g, (1,) * len(shape))
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _sum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    return lambda g: np.broadcast_to(restore(g, shape, axis), shape)


def _mean(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    n = np.size(a) / max(np.size(out), 1)
    return lambda g: np.broadcast_to(restore(g, shape, axis) / n, shape)


def _var(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    centred = a - np.mean(a, axis=axis, keepdims=True)
    freedom = max(np.size(a) / max(np.size(out), 1) - ddof, 0)
    slope = centred * np.divide(2.0, freedom)  # infinite or NaN where none is left, as NumPy's own result
    return lambda g: restore(g, np.shape(slope), axis) * slope


def _std(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    through_var = _var(out, a, axis, ddof)
    return lambda g: through_var(g * 0.5 / (out + (out == 0)))  # equal elements: the mean of the one-sided slopes, 0


def _prod(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    others = _product_of_others(np.asarray(a), axis)
    return lambda g: restore(g, np.shape(others), axis) * others


def _product_of_others(a: Any, axis: Any) -> Any:
    """For each element the product of all the others: right where elements are zero, too."""
    axes = range(a.ndim) if axis is None else [i % a.ndim for i in np.atleast_1d(axis)]
    last = [i for i in range(a.ndim) if i not in axes] + list(axes)
    moved = np.transpose(a, last)
    kept = moved.shape[: a.ndim - len(axes)]
    flat = moved.reshape(*kept, math.prod(moved.shape[len(kept) :]))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    return np.transpose((before * after).reshape(moved.shape), np.argsort(last))


def _extremum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    winners = (a == restore(out, np.shape(a), axis)).astype(np.result_type(a))
    share = winners / np.sum(winners, axis=axis, keepdims=True)
    return lambda g: restore(g, np.shape(share), axis) * share


def _cumsum(out: Any, a: Any, axis: Any = None) -> Vjp:
    shape = np.shape(a)

    def vjp(g: Any) -> Any:
        along = 0 if axis is None else axis
        return np.reshape(np.flip(np.cumsum(np.flip(g, along), along), along), shape)

    return vjp


def _sort(out: Any, a: Any, axis: Any = -1) -> Vjp:
    shape = np.shape(a)
    order = np.argsort(a, axis=axis, kind="stable")

    def vjp(g: Any) -> Any:
        result = np.zeros(np.size(order) if axis is None else shape, np.result_type(g))
        np.put_along_axis(result, order, g, axis=0 if axis is None else axis)
        return result.reshape(shape)

    return vjp


def _trace(out: Any, a: Any, offset: int = 0) -> Vjp:
    if np.ndim(a) != 2:
        raise NoRule("trace: the rule covers matrices; use einsum('...ii->...', a) for a stack of them.")
    eye = np.eye(a.shape[0], a.shape[1], k=offset)
    return lambda g: g * eye


rule(np.sum, vjp=_sum, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 0}), (reals(2, 3, 2), {"axis": (0, -1)})])
rule(np.mean, vjp=_mean, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1, "keepdims": True})])
rule(np.var, vjp=_var, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1, "ddof": 1})])
rule(np.std, vjp=_std, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 0, "ddof": 1})])
rule(np.prod, vjp=_prod, domain=[(reals(4),), (reals(2, 3), {"axis": 0}), (reals(2, 3, 2), {"axis": (0, 2)})])
for extremum in (np.max, np.min):
    rule(extremum, vjp=_extremum, domain=[(reals(5),), (reals(2, 3), {"axis": 1})])
rule(np.cumsum, vjp=_cumsum, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1})])
rule(np.sort, vjp=_sort, domain=[(reals(5),), (reals(2, 3), {"axis": 0}), (reals(2, 3), {"axis": None})])
rule(np.trace, vjp=_trace, domain=[(reals(3, 3),), (reals(2, 3), {"offset": 1})])
