"""Sweeps by level: all edges of a level in one array operation, where there are many.

A node's level is the length of its longest path to an end. Values are kept in the order of levels, so that those of a level
lie side by side; its edges reach lower levels only, and ``reduceat`` joins the branches of every node at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..arguments import Array
from .structure import Structure

FEWEST, WIDE = 256, 12
"""It pays from so many edges on, if there are so many of them a level."""

HIGH_BITS = 500
HIGH = 2.0**HIGH_BITS

EXACT = 2.0**62
"""Counts below this are whole numbers of 64 bits."""


class ByLevel(NamedTuple):
    """A semiring on arrays: what lifts all weights at once (or None), and the ufuncs that extend and combine."""

    lift: Callable[[Array], Array] | None
    extend: np.ufunc
    combine: np.ufunc


@dataclass(frozen=True, eq=False)
class Levels:
    """The edges, level by level: ``edge``, their numbers. ``place``: of every node; ``output``: of the output.

    ``parts``: of each level its first and last place, its first and last edge, the places of its edges' heads, and where the
    edges of each of its nodes begin, None if all of them have one.
    """

    edge: Array
    place: Array
    parts: list[tuple[int, int, int, int, Array, Array | None]]
    output: int


def levels_of(structure: Structure) -> Levels | None:
    """The levels, kept once made; None where a loop is faster: few edges, or narrow levels.

    To make them takes about as long as two sweeps by a loop; whether they are made depends on the graph alone, so that the
    last digits of an answer do not depend on what was asked before.
    """
    if "levels" not in structure.known:
        structure.known["levels"] = None if len(structure.head) < FEWEST else _levels(structure)
    return structure.known["levels"]  # type: ignore[no-any-return]


def _levels(structure: Structure) -> Levels | None:
    start, head = structure.start, structure.head
    heights = [0] * structure.size
    for node in range(structure.size - 1, -1, -1):
        first, stop = start[node], start[node + 1]
        if stop - first == 1:
            heights[node] = heights[head[first]] + 1
        elif first < stop:
            heights[node] = max([heights[to] for to in head[first:stop]]) + 1
    if max(heights) * WIDE > len(head):
        return None
    height, (starts, heads) = np.array(heights), structure.arrays
    order = np.argsort(height, kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    width = np.diff(starts)[order]
    first_edge = np.cumsum(width) - width
    edge = np.repeat(starts[:-1][order] - first_edge, width) + np.arange(len(head))
    bounds = np.searchsorted(height[order], np.arange(1, max(heights) + 2)).tolist()
    head_places = place[heads[edge]]
    parts = []
    for low, high in pairwise(bounds):
        begin, end = int(first_edge[low]), int(first_edge[high - 1] + width[high - 1])
        single = end - begin == high - low
        parts.append((low, high, begin, end, head_places[begin:end], None if single else first_edge[low:high] - begin))
    return Levels(edge, place, parts, int(place[structure.output]))


def sweep_by_level(levels: Levels, weight: Array, by: ByLevel, one: float, zero: float) -> Array:
    """The value of every node, by node."""
    lift, extend, combine = by
    values = np.full(len(levels.place), zero, float)
    values[levels.output] = one
    with np.errstate(all="ignore"):
        lifted = weight.take(levels.edge)
        lifted = lifted if lift is None else lift(lifted)
        for low, high, begin, end, heads, starts in levels.parts:
            found = extend(values[heads], lifted[begin:end])
            values[low:high] = found if starts is None else combine.reduceat(found, starts)
    return values.take(levels.place)


def counts_by_level(levels: Levels) -> list[int] | None:
    """The exact number of paths of every node; None where one is beyond whole numbers of 64 bits."""
    for dtype in (np.float64, np.int64):  # first whether they are, roughly
        values = np.zeros(len(levels.place), dtype)
        values[levels.output] = 1
        for low, high, _, _, heads, starts in levels.parts:
            found = values[heads]
            values[low:high] = found if starts is None else np.add.reduceat(found, starts)
            if dtype is np.float64 and not values[low:high].max() < EXACT:
                return None
    return values.take(levels.place).tolist()  # type: ignore[no-any-return]


def shares_by_level(levels: Levels) -> tuple[Array, int]:
    """The share of every edge in the paths of its tail, and how many roundings the worst of them has met.

    Counts are floats with exponents of their own, multiples of HIGH_BITS, which cannot overflow.
    """
    count, exponent = np.zeros(len(levels.place)), np.zeros(len(levels.place), np.int64)
    rounded = np.zeros(len(levels.place), np.int64)
    count[levels.output] = 1.0
    share = np.ones(len(levels.edge))
    for low, top, begin, end, heads, starts in levels.parts:
        if starts is None:
            count[low:top], exponent[low:top], rounded[low:top] = count[heads], exponent[heads], rounded[heads]
            continue
        width = np.diff(starts, append=end - begin)
        parts, shift, largest = count[heads], exponent[heads], exponent[heads].max()
        if largest:  # all behind a node to its largest exponent
            shifted = np.maximum.reduceat(np.where(parts > 0, shift, 0), starts)
            parts = np.ldexp(parts, np.maximum(shift - np.repeat(shifted, width), -5000).astype(np.int32))
            exponent[low:top] = shifted
        total = np.add.reduceat(parts, starts)
        of_tail = np.repeat(total, width)
        share[levels.edge[begin:end]] = np.divide(parts, of_tail, where=of_tail > 0, out=np.zeros(len(parts)))
        rounded[low:top] = np.maximum.reduceat(rounded[heads], starts) + np.where(width > 1, width, 0)
        over = total >= HIGH
        count[low:top] = np.where(over, total / HIGH, total)
        exponent[low:top] += np.where(over, HIGH_BITS, 0)
    return share, int(rounded.max())
