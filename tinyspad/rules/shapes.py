"""Shape and order: functions that only move, copy or drop elements, so that their adjoints move them back and add."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import nonzero, reals
from .table import PLAIN, Vjp, is_data, rule, unbroadcast

# Where numbers come back to: two functions of NumPy's statements, so that they can be recorded in turn.


def placed(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of this shape with ``out[key] = g``, where no place is named twice: the transpose of ``a[key]``.

    >>> import numpy as np
    >>> placed(np.array([1.0, 2.0]), (5,), slice(1, None, 2))
    array([0., 1., 0., 2., 0.])
    """
    out = np.zeros(shape, np.result_type(g))
    out[key] = g
    return out


def added_at(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """The same where places may be named twice: what comes to one is added up.

    Of float16 in float32, since one by one its sums of ones stop at 2048.

    >>> import numpy as np
    >>> added_at(np.array([1.0, 2.0, 3.0]), (4,), np.array([0, 2, 2]))
    array([1., 0., 5., 0.])
    """
    dtype = np.result_type(g)
    out = np.zeros(shape, np.result_type(dtype, np.float32))
    np.add.at(out, key, g)
    return out.astype(dtype, copy=False)


def picked(ordered: Any, places: Any, axis: int = -1) -> Any:
    """``take_along_axis`` of what is sorted along its last axis: NaN where NaN is, which is last.

    >>> import numpy as np
    >>> picked(np.array([[1.0, 2.0], [3.0, np.nan]]), np.array([[0], [0]]))
    array([[ 1.],
           [nan]])
    """
    found = np.take_along_axis(ordered, places, axis=axis)
    last = ordered[..., -1:]
    return np.where(np.isnan(last), last, found) if np.any(np.isnan(last)) else found


def _reshaped(out: Any, a: Any, axis: Any = None) -> Vjp:
    shape = np.shape(a)
    return lambda g: np.reshape(g, shape)


def _ordered(a: Any, order: str) -> Vjp:
    if order not in ("C", "F"):
        raise NoRule(f"reshape and ravel: the rule covers order='C' and order='F', not {order!r}.")
    shape = np.shape(a)
    return lambda g: np.reshape(g, shape, order=order)  # type: ignore[call-overload]


def _reshape(out: Any, a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None) -> Vjp:
    return _ordered(a, order)


def _ravel(out: Any, a: Any, order: str = "C") -> Vjp:
    return _ordered(a, order)


def _transpose(out: Any, a: Any, axes: Any = None) -> Vjp:
    back = None if axes is None else np.argsort([i % np.ndim(a) for i in np.atleast_1d(axes)])
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
    def vjp(out: Any, m: Any, k: int = 0) -> Vjp:
        shape = np.shape(m)
        return lambda g: unbroadcast(part(g, k), shape)

    return vjp


def _gather(function: Callable[..., Any]) -> Callable[..., Vjp]:
    """For functions that only copy elements: run them once on positions, then add adjoints back there."""

    def vjp(out: Any, a: Any, *args: Any, **kwargs: Any) -> Vjp:
        shape, size = np.shape(a), np.size(a)
        positions = function(np.arange(1, size + 1).reshape(shape), *args, **kwargs)  # 0 where nothing was copied to
        there = np.flatnonzero(positions)
        back = np.ravel(positions)[there] - 1
        put = placed if len(there) <= size and np.bincount(back, minlength=1).max() <= 1 else added_at
        if len(there) == np.size(positions):
            return lambda g: np.reshape(put(np.ravel(g), (size,), back), shape)
        return lambda g: np.reshape(put(np.ravel(g)[there], (size,), back), shape)

    return vjp


def _getitem(out: Any, a: Any, key: Any) -> Vjp:
    shape = np.shape(a)
    parts = key if isinstance(key, tuple) else (key,)
    basic = (slice, int, np.integer, type(None), type(Ellipsis))
    repeats = not all(isinstance(part, basic) for part in parts)  # an array of positions may name one twice

    put, recorded = (_added_at, added_at) if repeats else (_placed, placed)
    return lambda g: (put if is_data(g) else recorded)(g, shape, key)


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


_placed, _added_at = placed, added_at  # of numbers, which need no asking
placed = rule(
    placed,
    vjp=lambda out, g, shape, key: lambda u: u[key],
    kind="move",
    domain=[(reals(2), (5,), slice(1, None, 2)), (reals(), (3,), 1), (reals(2), (3, 3), (np.array([0, 2]),) * 2)],
)
added_at = rule(
    added_at,
    vjp=lambda out, g, shape, key: lambda u: u[key],
    domain=[(reals(3), (4,), np.array([0, 2, 2])), (reals(2, 2), (3,), np.array([[0, 1], [1, 1]]))],
)
rule(
    np.reshape,
    vjp=_reshape,
    kind="move",
    domain=[
        (reals(2, 3), (3, 2)),
        (reals(2, 3), -1),
        (reals(2, 3), (3, 2), {"order": "F"}),
        (reals(2, 3), (3, 2), "F"),
    ],
)
rule(np.ravel, vjp=_ravel, kind="move", domain=[(reals(2, 3),), (reals(2, 3), "F"), (reals(2, 3), {"order": "F"})])
rule(np.copy, vjp=lambda out, a: lambda g: g, kind="move", domain=[(reals(2, 3),)])
rule(np.squeeze, vjp=_reshaped, kind="move", domain=[(reals(2, 1, 3),), (reals(1, 2, 1), {"axis": 0})])
rule(np.expand_dims, vjp=_reshaped, kind="move", domain=[(reals(2, 3), 1), (reals(3), {"axis": (0, 2)})])
for at_least in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    rule(at_least, vjp=_reshaped, kind="move", domain=[(reals(3),), (reals(),)])
rule(
    np.transpose,
    vjp=_transpose,
    kind="move",
    domain=[(reals(2, 3),), (reals(2, 3, 4), (2, 0, 1)), (reals(2, 3, 4), (-1, 0, 1))],
)
rule(np.swapaxes, vjp=_swapaxes, kind="move", domain=[(reals(2, 3, 4), 0, 2)])
rule(np.moveaxis, vjp=_moveaxis, kind="move", domain=[(reals(2, 3, 4), 0, 2)])
rule(np.flip, vjp=_flip, kind="move", domain=[(reals(2, 3),), (reals(2, 3), {"axis": 1})])
rule(np.roll, vjp=_roll, kind="move", domain=[(reals(2, 3), 1), (reals(2, 3), (1, 2), {"axis": (0, 1)})])
rule(
    np.broadcast_to, vjp=_broadcast_to, kind="move", domain=[(reals(3), (2, 3)), (reals(2, 1), (2, 3)), (reals(), (2,))]
)
rule(np.tril, vjp=_triangle(np.tril), kind="move", chooses=True, domain=[(reals(3, 3),), (reals(3),), (reals(2, 3), 1)])
rule(np.triu, vjp=_triangle(np.triu), kind="move", chooses=True, domain=[(reals(3, 3),), (reals(2, 3), {"k": -1})])
rule(np.tile, vjp=_gather(np.tile), kind="move", domain=[(reals(2), 3), (reals(2, 2), (2, 1))])
rule(
    np.repeat,
    vjp=_gather(np.repeat),
    kind="move",
    chooses=True,
    domain=[(reals(3), 2), (reals(2, 3), [1, 2], {"axis": 0})],
)
for turn in (np.fliplr, np.flipud, np.rot90):
    rule(turn, vjp=_gather(turn), kind="move", domain=[(reals(2, 3),)])
rule(
    np.diagonal,
    vjp=_gather(np.diagonal),
    kind="move",
    chooses=True,
    domain=[(reals(3, 3),), (reals(2, 3), 1), (reals(2, 3, 3), {"axis1": 1, "axis2": 2})],
)
rule(
    np.diag, vjp=_gather(np.diag), kind="move", chooses=True, domain=[(reals(3, 3),), (reals(2),), (reals(2), {"k": 1})]
)
rule(np.diagflat, vjp=_gather(np.diagflat), kind="move", domain=[(reals(3),), (reals(2), 1)])
rule(
    np.delete,
    vjp=_gather(np.delete),
    kind="move",
    chooses=True,
    domain=[(reals(4), 1), (reals(2, 3), [0, 2], {"axis": 1})],
)
rule(np.resize, vjp=_gather(np.resize), kind="move", chooses=True, domain=[(reals(3), (2, 2)), (reals(4), 3)])
rule(np.rollaxis, vjp=_gather(np.rollaxis), kind="move", domain=[(reals(2, 3, 2), 2)])
rule(
    np.take_along_axis,
    vjp=_gather(np.take_along_axis),
    kind="move",
    chooses=True,
    domain=[(reals(3), np.array([0, 2, 2]), {"axis": 0}), (reals(2, 3), np.array([[1, 0], [2, 2]]), {"axis": 1})],
)
picked = rule(
    picked,
    vjp=_gather(np.take_along_axis),
    kind="move",
    chooses=True,
    domain=[(reals(3), np.array([0, 2, 2]), {"axis": -1}), (reals(2, 3), np.array([[1, 0], [2, 2]]), {"axis": -1})],
)
rule(
    np.take,
    vjp=_gather(np.take),
    kind="move",
    chooses=True,
    domain=[(reals(4), [0, 2, 2]), (reals(2, 3), [1, 1], {"axis": 1})],
)
rule(
    operator.getitem,
    vjp=_getitem,
    kind="move",
    chooses=True,
    domain=[
        (reals(4), 1),
        (reals(4), slice(None, None, 2)),
        (reals(3, 4), (slice(None), None, -1)),
        (reals(3, 4), (Ellipsis, [0, 0, 2])),
        (reals(3), ((0, 0),)),
        (reals(3, 3), ((0, 0), (1, 1))),
        (reals(4), np.array([True, False, True, True])),
        (reals(3, 3), (np.array([0, 1]), np.array([1, 1]))),
        (reals(5), np.array([[0, 1], [1, 4]])),
    ],
)
rule(
    np.concatenate,
    vjp=_concatenate,
    kind="move",
    indexed=True,
    sequence=True,
    domain=[([reals(2), reals(3)],), ([reals(2, 1), reals(2, 2)], 1), ([reals(2, 2), reals(3)], {"axis": None})],
)
rule(
    np.stack,
    vjp=_stack,
    kind="move",
    indexed=True,
    sequence=True,
    domain=[([reals(2), reals(2)],), ([reals(2, 3), reals(2, 3)], {"axis": -1}), ([reals(), reals()],)],
)
for arrange in (np.vstack, np.hstack, np.dstack, np.column_stack):
    rule(
        arrange, vjp=_arranged(arrange), kind="move", indexed=True, sequence=True, domain=[([nonzero(2), nonzero(2)],)]
    )

PLAIN |= {  # whole numbers, truth values and texts, and what follows from the form alone, have no derivative
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.iscomplexobj, np.isrealobj),
    *(np.zeros_like, np.ones_like, np.empty_like, np.may_share_memory, np.shares_memory, np.einsum_path),
    *(np.tril_indices_from, np.triu_indices_from, np.diag_indices_from, np.min_scalar_type),
    *(np.argmax, np.argmin, np.argsort, np.nanargmax, np.nanargmin, np.argpartition, np.lexsort, np.searchsorted),
    *(np.any, np.all, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.digitize, np.bincount),
    *(np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin, np.isreal, np.iscomplex, np.angle),
    *(np.isposinf, np.isneginf, np.linalg.matrix_rank),
    *(np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges),
    *(np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savez_compressed, np.savetxt),
}
