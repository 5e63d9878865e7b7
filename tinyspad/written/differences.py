"""Differences, slopes, areas, running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import reals
from .table import along, as_array, asked, axes_of, written


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
            steps = _beside(steps, y, axis)
    return np.sum(steps * (along(y, axis, slice(1, None)) + along(y, axis, slice(None, -1))) / 2.0, axis=axis)


def _beside(steps: Data, f: Data, axis: int) -> Data:
    """What is given along one axis of f, in its dimensions."""
    return np.reshape(steps, [-1 if i == axis % np.ndim(f) else 1 for i in range(np.ndim(f))])


def _gradient(f: Data, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Data:
    f = as_array(f)
    axes = axes_of(f, axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise NoRule(
            f"gradient: {len(steps)} spacings were given for {len(axes)} axes. Give one for each, or one for all."
        )
    found = [_slopes(f, as_array(h), i, edge_order) for i, h in zip(axes, steps)]
    return found[0] if len(found) == 1 else found if isinstance(np.gradient(np.eye(2)), list) else tuple(found)


def _slopes(f: Data, h: Data, axis: int, edge_order: int) -> Data:
    """Along an axis, by parabolas through three neighbours, at the ends by lines (edge_order=1) or such parabolas.

    ``h``: the one step, or the points' places.
    """
    first, second, third = (slice(k, k + 1) for k in (0, 1, 2))
    last, last_but_one, last_but_two = slice(-1, None), slice(-2, -1), slice(-3, -2)

    def at(part: slice) -> Data:
        return along(f, axis, part)

    if np.ndim(h) == 0:
        inside = (at(slice(2, None)) - at(slice(None, -2))) / (2.0 * h)
        if edge_order == 1:
            ends = (at(second) - at(first)) / h, (at(last) - at(last_but_one)) / h
        else:
            ends = (
                (2.0 * at(second) - 1.5 * at(first) - 0.5 * at(third)) / h,
                (1.5 * at(last) - 2.0 * at(last_but_one) + 0.5 * at(last_but_two)) / h,
            )
        return np.concatenate([ends[0], inside, ends[1]], axis=axis)
    d = _beside(_diff(h), f, axis)
    line = (at(slice(1, None)) - at(slice(None, -1))) / d  # the slopes between neighbours
    ahead, behind = along(d, axis, slice(1, None)), along(d, axis, slice(None, -1))
    up, down = along(line, axis, slice(1, None)), along(line, axis, slice(None, -1))
    inside = (behind * up + ahead * down) / (behind + ahead)
    start, end = along(line, axis, first), along(line, axis, last)
    if edge_order != 1:  # twice the slope between, less that at the neighbour
        start, end = 2.0 * start - along(inside, axis, first), 2.0 * end - along(inside, axis, last)
    return np.concatenate([start, inside, end], axis=axis)


turns = asked(lambda p, *args, **options: np.unwrap(p, *args, **options) - p)


def _running(function: Callable[..., Data], start: float, x: Data, axis: Any, include_initial: bool) -> Data:
    axis = 0 if axis is None else axis
    found = function(x, axis=axis)
    if not include_initial:
        return found
    first = np.full([1 if i == axis % np.ndim(x) else n for i, n in enumerate(np.shape(x))], start)
    return np.concatenate([first, found], axis=axis)


written(
    "diff", _diff, [(reals(4),), (reals(2, 3), {"axis": 0}), (reals(5), 2), (reals(3), {"prepend": 0.5, "append": 1.0})]
)
written("ediff1d", _ediff1d, [(reals(4),), (reals(2, 2), [1.0], [2.0, 3.0])])
for trapezoid in ("trapezoid", "trapz"):
    written(trapezoid, _trapezoid, [(reals(4),), (reals(2, 3), [0.0, 1.0, 3.0]), (reals(3, 2), {"dx": 0.5, "axis": 0})])
written(
    "gradient",
    _gradient,
    [
        (reals(4),),
        (reals(5), 0.5),
        (reals(3, 4), {"axis": 0}),
        (reals(5), 0.5, {"edge_order": 2}),
        (reals(5), [0.0, 1.0, 1.5, 3.0, 3.25]),
        (reals(2, 4), [0.0, 1.0, 1.5, 3.0], {"axis": 1, "edge_order": 2}),
    ],
)
written("unwrap", lambda p, *args, **options: p + turns(p, *args, **options), [([0.5, 4.0, 9.0],)])
written(
    "cumulative_sum",
    lambda x, *, axis=None, include_initial=False: _running(np.cumsum, 0.0, x, axis, include_initial),
    [(reals(3),), (reals(2, 3), {"axis": 1, "include_initial": True})],
)
written(
    "cumulative_prod",
    lambda x, *, axis=None, include_initial=False: _running(np.cumprod, 1.0, x, axis, include_initial),
    [(reals(3),)],
)
