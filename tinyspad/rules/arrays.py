"""Reductions, products and shape functions: linear maps given by their vector-Jacobian product.

Each builder takes ``(out, *args, **kwargs)`` and returns the map from adjoint to adjoint. It captures only
what that map needs, often no more than a shape. A tie of max or min is shared equally among the winners.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import nonzero, reals
from .table import PLAIN, rule, unbroadcast

Vjp = Callable[[Any], Any]


# --- reductions ---------------------------------------------------------------------------------------------


def _restore(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """g with the reduced axes put back at length one, whatever keepdims was."""
    if axis is None:
        return np.reshape(g, (1,) * len(shape))
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def _sum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    return lambda g: np.broadcast_to(_restore(g, shape, axis), shape)


def _mean(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    shape = np.shape(a)
    n = np.size(a) / max(np.size(out), 1)
    return lambda g: np.broadcast_to(_restore(g, shape, axis) / n, shape)


def _var(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    centred = a - np.mean(a, axis=axis, keepdims=True)
    n = np.size(a) / max(np.size(out), 1) - ddof
    return lambda g: _restore(g, np.shape(centred), axis) * centred * (2 / n)


def _std(out: Any, a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Vjp:
    through_var = _var(out, a, axis, ddof)
    return lambda g: through_var(g * 0.5 / out)


def _prod(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    others = _product_of_others(np.asarray(a), axis)
    return lambda g: _restore(g, np.shape(others), axis) * others


def _product_of_others(a: Any, axis: Any) -> Any:
    """For each element the product of all the others: right where elements are zero, too."""
    axes = range(a.ndim) if axis is None else [i % a.ndim for i in np.atleast_1d(axis)]
    last = [i for i in range(a.ndim) if i not in axes] + list(axes)
    moved = np.transpose(a, last)
    flat = moved.reshape(moved.shape[: a.ndim - len(axes)] + (-1,))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    return np.transpose((before * after).reshape(moved.shape), np.argsort(last))


def _extremum(out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Vjp:
    winners = (a == _restore(out, np.shape(a), axis)).astype(np.result_type(a))
    share = winners / np.sum(winners, axis=axis, keepdims=True)
    return lambda g: _restore(g, np.shape(share), axis) * share


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


# --- products -----------------------------------------------------------------------------------------------


def _tensordot_axes(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        return list(range(a.ndim - axes, a.ndim)), list(range(axes))
    left, right = (list(np.atleast_1d(side)) for side in axes)
    return [int(i) % a.ndim for i in left], [int(i) % b.ndim for i in right]


def _tensordot_left(out: Any, a: Any, b: Any, axes: Any = 2) -> Vjp:
    a_axes, b_axes = _tensordot_axes(a, b, axes)
    a_free = [i for i in range(a.ndim) if i not in a_axes]
    b_free = [i for i in range(b.ndim) if i not in b_axes]
    place = np.argsort(a_free + [a_axes[b_axes.index(i)] for i in sorted(b_axes)])
    return lambda g: np.transpose(
        np.tensordot(g, b, (list(range(len(a_free), len(a_free) + len(b_free))), b_free)), place
    )


def _tensordot_right(out: Any, a: Any, b: Any, axes: Any = 2) -> Vjp:
    a_axes, b_axes = _tensordot_axes(a, b, axes)
    a_free = [i for i in range(a.ndim) if i not in a_axes]
    b_free = [i for i in range(b.ndim) if i not in b_axes]
    place = np.argsort([b_axes[a_axes.index(i)] for i in sorted(a_axes)] + b_free)
    return lambda g: np.transpose(np.tensordot(a, g, (a_free, list(range(len(a_free))))), place)


def _dot(side: Callable[..., Vjp], other: int) -> Callable[..., Vjp]:
    def vjp(out: Any, a: Any, b: Any) -> Vjp:
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            factor, shape = (a, b)[other], np.shape((a, b)[1 - other])
            return lambda g: unbroadcast(g * factor, shape)
        return side(out, a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))

    return vjp


def _inner(side: Callable[..., Vjp], other: int) -> Callable[..., Vjp]:
    def vjp(out: Any, a: Any, b: Any) -> Vjp:
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            factor, shape = (a, b)[other], np.shape((a, b)[1 - other])
            return lambda g: unbroadcast(g * factor, shape)
        return side(out, a, b, ([a.ndim - 1], [b.ndim - 1]))

    return vjp


def _as_matrices(g: Any, a: Any, b: Any) -> Any:
    """The adjoint of a @ b as a stack of matrices, with the axes that 1-d operands lost put back."""
    if np.ndim(a) == 1:
        g = np.expand_dims(g, -1 if np.ndim(b) == 1 else -2)
    return np.expand_dims(g, -1) if np.ndim(b) == 1 else g


def _matmul_left(out: Any, a: Any, b: Any) -> Vjp:
    shape, a_ndim = np.shape(a), np.ndim(a)
    right = b[:, None] if b.ndim == 1 else b

    def vjp(g: Any) -> Any:
        full = _as_matrices(g, np.empty((0,) * a_ndim), b) @ np.swapaxes(right, -1, -2)
        return np.reshape(unbroadcast(full, (1, *shape) if a_ndim == 1 else shape), shape)

    return vjp


def _matmul_right(out: Any, a: Any, b: Any) -> Vjp:
    shape, b_ndim = np.shape(b), np.ndim(b)
    left = a[None, :] if a.ndim == 1 else a

    def vjp(g: Any) -> Any:
        full = np.swapaxes(left, -1, -2) @ _as_matrices(g, a, np.empty((0,) * b_ndim))
        return np.reshape(unbroadcast(full, (*shape, 1) if b_ndim == 1 else shape), shape)

    return vjp


def _outer_left(out: Any, a: Any, b: Any) -> Vjp:
    shape, b = np.shape(a), np.ravel(b)
    return lambda g: np.reshape(g @ b, shape)


def _outer_right(out: Any, a: Any, b: Any) -> Vjp:
    shape, a = np.shape(b), np.ravel(a)
    return lambda g: np.reshape(a @ g, shape)


def _einsum_terms(subscripts: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """Subscripts with ellipses spelled out in unused letters and the output made explicit."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    widths = [np.ndim(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands)]
    letters = "".join(spare[: max(widths, default=0)])
    terms = [t.replace("...", letters[len(letters) - w :]) for t, w in zip(terms, widths)]
    if arrow:
        return terms, output.replace("...", letters)
    joined = "".join(terms)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in letters)
    return terms, letters + "".join(once)


def _einsum(i: int, out: Any, subscripts: Any, *operands: Any) -> Vjp:
    if not isinstance(subscripts, str):
        raise NoRule("einsum: the rule covers subscripts given as a string, 'ij,jk->ik'.")
    terms, output = _einsum_terms(subscripts, operands)
    i -= 1  # argument 0 is the subscripts
    mine, others = terms[i], [t for j, t in enumerate(terms) if j != i]
    rest = [x for j, x in enumerate(operands) if j != i]
    shape = np.shape(operands[i])
    unique = "".join(dict.fromkeys(mine))
    known = "".join(c for c in unique if c in output or any(c in t for t in others))
    sizes = dict(zip(mine, shape))

    def vjp(g: Any) -> Any:
        part = np.einsum(",".join([output, *others]) + "->" + known, g, *rest)
        spread = part.reshape([part.shape[known.index(c)] if c in known else 1 for c in unique])
        broadcast = [n if sizes[c] == 1 else sizes[c] for c, n in zip(unique, spread.shape)]
        spread = np.broadcast_to(spread, broadcast)
        spread = unbroadcast(spread, tuple(sizes[c] for c in unique))
        if unique == mine:
            return spread
        full = np.zeros(shape, np.result_type(spread))
        np.einsum(f"{mine}->{unique}", full)[...] = spread  # einsum hands out a writable diagonal
        return full

    return vjp


MATRICES = [(reals(2, 3), reals(3, 2)), (reals(3), reals(3)), (reals(2, 3), reals(3)), (reals(3), reals(3, 2))]
rule(
    np.dot,
    vjp=(_dot(_tensordot_left, 1), _dot(_tensordot_right, 0)),
    domain=[*MATRICES, (reals(2, 2, 3), reals(2, 3, 2)), (reals(), reals(3))],
)
rule(
    np.inner,
    vjp=(_inner(_tensordot_left, 1), _inner(_tensordot_right, 0)),
    domain=[(reals(3), reals(3)), (reals(2, 3), reals(4, 3)), (reals(3), reals())],
)
rule(
    np.matmul,
    vjp=(_matmul_left, _matmul_right),
    domain=[*MATRICES, (reals(4, 2, 3), reals(3, 2)), (reals(3), reals(4, 3, 2)), (reals(4, 2, 3), reals(3))],
    symbol="@",
)
rule(
    np.tensordot,
    vjp=(_tensordot_left, _tensordot_right),
    domain=[(reals(2, 3, 2), reals(3, 2, 2)), (reals(2, 3, 4), reals(4, 2), {"axes": ([0, 2], [1, 0])})],
)
rule(np.outer, vjp=(_outer_left, _outer_right), domain=[(reals(2), reals(3)), (reals(2, 2), reals(3))])
rule(
    np.einsum,
    vjp=_einsum,
    indexed=True,
    domain=[
        ("ij,jk->ik", reals(2, 3), reals(3, 2)),
        ("ij,jk", reals(2, 3), reals(3, 2)),
        ("ij->", reals(2, 3)),
        ("ii->i", reals(3, 3)),
        ("...i,i->...", reals(2, 4, 3), reals(3)),
        ("i,i,i->i", reals(3), reals(3), reals(3)),
    ],
)


# --- shape and order ----------------------------------------------------------------------------------------


def _reshaped(out: Any, a: Any, *args: Any, **kwargs: Any) -> Vjp:
    shape, order = np.shape(a), kwargs.get("order", "C")
    return lambda g: np.reshape(g, shape, order=order)


def _transpose(out: Any, a: Any, axes: Any = None) -> Vjp:
    back = None if axes is None else np.argsort([i % np.ndim(a) for i in axes])
    return lambda g: np.transpose(g, back)


def _swapaxes(out: Any, a: Any, axis1: int, axis2: int) -> Vjp:
    return lambda g: np.swapaxes(g, axis1, axis2)


def _moveaxis(out: Any, a: Any, source: Any, destination: Any) -> Vjp:
    return lambda g: np.moveaxis(g, destination, source)


def _flip(out: Any, m: Any, axis: Any = None) -> Vjp:
    return lambda g: np.flip(g, axis)


def _roll(out: Any, a: Any, shift: Any, axis: Any = None) -> Vjp:
    return lambda g: np.roll(g, np.negative(shift), axis)


def _broadcast_to(out: Any, array: Any, shape: Any) -> Vjp:
    own = np.shape(array)
    return lambda g: unbroadcast(g, own)


def _triangle(part: Callable[..., Any]) -> Callable[..., Vjp]:
    return lambda out, m, k=0: lambda g: part(g, k)


def _gather(function: Callable[..., Any]) -> Callable[..., Vjp]:
    """For functions that only copy elements: run them once on positions, then add adjoints back there."""

    def vjp(out: Any, a: Any, *args: Any, **kwargs: Any) -> Vjp:
        shape, size = np.shape(a), np.size(a)
        positions = function(np.arange(size).reshape(shape), *args, **kwargs)

        def scatter(g: Any) -> Any:
            result = np.zeros(size, np.result_type(g))
            np.add.at(result, positions, g)
            return result.reshape(shape)

        return scatter

    return vjp


def _getitem(out: Any, a: Any, key: Any) -> Vjp:
    shape = np.shape(a)
    parts = key if isinstance(key, tuple) else (key,)
    repeats = any(isinstance(k, (list, np.ndarray)) and np.asarray(k).dtype != bool for k in parts)

    def vjp(g: Any) -> Any:
        result = np.zeros(shape, np.result_type(g))
        if repeats:
            np.add.at(result, key, g)
        else:
            result[key] = g
        return result

    return vjp


def _concatenate(i: int, out: Any, arrays: Any, axis: int | None = 0) -> Vjp:
    shape = np.shape(arrays[i])
    along = 0 if axis is None else axis
    length = (lambda x: np.size(x)) if axis is None else (lambda x: np.shape(x)[axis])
    start = sum(length(x) for x in arrays[:i])
    key = [slice(None)] * np.ndim(out)
    key[along] = slice(start, start + length(arrays[i]))
    return lambda g: np.reshape(g[tuple(key)], shape)


def _stack(i: int, out: Any, arrays: Any, axis: int = 0) -> Vjp:
    return lambda g: np.take(g, i, axis)


def _arranged(function: Callable[..., Any]) -> Callable[..., Vjp]:
    """For functions that lay a sequence of arrays side by side: find where each position went."""

    def vjp(i: int, out: Any, arrays: Any) -> Vjp:
        sizes = [np.size(x) for x in arrays]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        labelled = [np.arange(s, s + n).reshape(np.shape(x)) for s, n, x in zip(starts, sizes, arrays)]
        where = np.argsort(np.ravel(function(labelled)))[starts[i] : starts[i + 1]]
        shape = np.shape(arrays[i])
        return lambda g: np.reshape(np.ravel(g)[where], shape)

    return vjp


rule(
    np.reshape,
    vjp=_reshaped,
    domain=[(reals(2, 3), (3, 2)), (reals(2, 3), -1), (reals(2, 3), (3, 2), {"order": "F"})],
)
rule(np.ravel, vjp=_reshaped, domain=[(reals(2, 3),), (reals(2, 3), {"order": "F"})])
rule(np.squeeze, vjp=_reshaped, domain=[(reals(2, 1, 3),), (reals(1, 2, 1), {"axis": 0})])
rule(np.expand_dims, vjp=_reshaped, domain=[(reals(2, 3), 1), (reals(3), {"axis": (0, 2)})])
for at_least in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    rule(at_least, vjp=_reshaped, domain=[(reals(3),), (reals(),)])
rule(np.transpose, vjp=_transpose, domain=[(reals(2, 3),), (reals(2, 3, 4), (2, 0, 1)), (reals(2, 3, 4), (-1, 0, 1))])
rule(np.swapaxes, vjp=_swapaxes, domain=[(reals(2, 3, 4), 0, 2)])
rule(np.moveaxis, vjp=_moveaxis, domain=[(reals(2, 3, 4), 0, 2)])
rule(np.flip, vjp=_flip, domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1})])
rule(np.roll, vjp=_roll, domain=[(reals(2, 3), 1), (reals(2, 3), (1, 2), {"axis": (0, 1)})])
rule(np.broadcast_to, vjp=_broadcast_to, domain=[(reals(3), (2, 3)), (reals(2, 1), (2, 3)), (reals(), (2,))])
rule(np.tril, vjp=_triangle(np.tril), domain=[(reals(3, 3),), (reals(2, 3), 1)])
rule(np.triu, vjp=_triangle(np.triu), domain=[(reals(3, 3),), (reals(2, 3), {"k": -1})])
rule(np.tile, vjp=_gather(np.tile), domain=[(reals(2), 3), (reals(2, 2), (2, 1))])
rule(np.repeat, vjp=_gather(np.repeat), domain=[(reals(3), 2), (reals(2, 3), [1, 2], {"axis": 0})])
rule(np.take, vjp=_gather(np.take), domain=[(reals(4), [0, 2, 2]), (reals(2, 3), [1, 1], {"axis": 1})])
rule(
    operator.getitem,
    vjp=_getitem,
    domain=[
        (reals(4), 1),
        (reals(4), slice(None, None, 2)),
        (reals(3, 4), (slice(None), None, -1)),
        (reals(3, 4), (Ellipsis, [0, 0, 2])),
        (reals(4), np.array([True, False, True, True])),
        (reals(3, 3), (np.array([0, 1]), np.array([1, 1]))),
        (reals(5), np.array([[0, 1], [1, 4]])),
    ],
)
rule(
    np.concatenate,
    vjp=_concatenate,
    indexed=True,
    sequence=True,
    domain=[([reals(2), reals(3)],), ([reals(2, 1), reals(2, 2)], 1), ([reals(2, 2), reals(3)], {"axis": None})],
)
rule(
    np.stack,
    vjp=_stack,
    indexed=True,
    sequence=True,
    domain=[([reals(2), reals(2)],), ([reals(2, 3), reals(2, 3)], {"axis": -1}), ([reals(), reals()],)],
)
for arrange in (np.vstack, np.hstack, np.dstack, np.column_stack):
    rule(arrange, vjp=_arranged(arrange), indexed=True, sequence=True, domain=[([nonzero(2), nonzero(2)],)])

PLAIN.update(
    {
        np.shape,
        np.ndim,
        np.size,
        np.zeros_like,
        np.ones_like,
        np.full_like,
        np.empty_like,
        np.argmax,
        np.argmin,
        np.argsort,
        np.any,
        np.all,
        np.nonzero,
        np.flatnonzero,
        np.count_nonzero,
        np.searchsorted,
        np.digitize,
        np.allclose,
        np.isclose,
        np.array_equal,
        np.result_type,
        np.can_cast,
        np.iscomplexobj,
        np.isrealobj,
        np.array_repr,
        np.array_str,
        np.array2string,
    }
)
