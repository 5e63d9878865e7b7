"""Where the nodes of a layered drawing stand (after Sugiyama, Tagawa & Toda 1981).

Variables stand in columns, each to the right of what it reads. Edges that skip columns pass through unseen way points,
so that ordering a column orders those edges, too. Columns are reordered by the mean position of their neighbours, to
and fro, and the order with the fewest crossings is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

SWEEPS = 24

WIDEST = 16
"""The most columns that stand side by side."""

SKIPPED, MANY = 4, 8
"""An edge that skips more columns, or is one of so many of a node, is told in words, where there are several bands."""

BETWEEN, LANE = 2.1, 0.1
"""Rows from one band of columns to the next, and between edges that pass there."""

Point = tuple[float, float]


def layout(nodes: list[int], edges: list[tuple[int, int]]) -> tuple[dict[int, Point], list[list[Point]]]:
    """A place for every node, and for every edge its way points from tail to head."""
    column = _columns(nodes, edges)
    layers: list[list[Any]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    for v in nodes:
        layers[column[v]].append(v)
    ways: list[list[Any]] = []
    for k, (tail, head) in enumerate(edges):
        bends = [(k, c) for c in range(column[tail] + 1, column[head])]
        for bend in bends:
            layers[bend[1]].append(bend)
        ways.append([tail, *bends, head])
    links = [(a, b) for way in ways for a, b in pairwise(way)]
    layers = uncrossed(layers, links)
    height = _heights(layers, links)
    across = {v: float(c) for c, layer in enumerate(layers) for v in layer}
    return {v: (across[v], height[v]) for v in nodes}, [[(across[p], height[p]) for p in way] for way in ways]


def near(nodes: list[int], edges: list[tuple[int, int]]) -> list[bool]:
    """Which edges to draw as lines: all where the columns stand side by side; else those that skip few of them.

    And not those of a node that many read.
    """
    column = _columns(nodes, edges)
    if max(column.values(), default=0) < WIDEST:
        return [True] * len(edges)
    readers = Counter(tail for tail, _ in edges)
    column = _columns(nodes, [edge for edge in edges if readers[edge[0]] <= MANY])
    return [readers[tail] <= MANY and column[head] - column[tail] <= SKIPPED for tail, head in edges]


def _columns(nodes: list[int], edges: list[tuple[int, int]]) -> dict[int, int]:
    """As far left as what a node reads allows; then those that read nothing move right, next to their reader."""
    column = dict.fromkeys(nodes, 0)
    for tail, head in sorted(edges, key=lambda e: e[1]):
        column[head] = max(column[head], column[tail] + 1)
    read = {head for _, head in edges}
    for v in reversed(nodes):
        readers = [column[head] for tail, head in edges if tail == v]
        if v not in read and readers:
            column[v] = min(readers) - 1
    return column


def uncrossed(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> list[list[Any]]:
    best, fewest = layers, crossings(layers, links)
    before: dict[Any, list[Any]] = {}
    after: dict[Any, list[Any]] = {}
    for a, b in links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        rank = {v: float(i) for layer in layers for i, v in enumerate(layer)}
        ordered = []
        for layer in layers if forward else layers[::-1]:
            mean = {}
            for v in layer:
                beside = [rank[u] for u in (before if forward else after).get(v, ())]
                mean[v] = float(np.mean(beside)) if beside else rank[v]
            layer = sorted(layer, key=lambda v: mean[v])
            rank.update({v: float(i) for i, v in enumerate(layer)})
            ordered.append(layer)
        layers = ordered if forward else ordered[::-1]
        crossed = crossings(layers, links)
        if crossed < fewest:
            best, fewest = layers, crossed
    return best


def crossings(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> int:
    place = {v: (c, i) for c, layer in enumerate(layers) for i, v in enumerate(layer)}
    between: list[list[tuple[int, int]]] = [[] for _ in layers]
    for a, b in links:
        between[place[a][0]].append((place[a][1], place[b][1]))
    count = 0
    for listed in between:
        ends = np.array(listed).reshape(-1, 2)
        before = ends[:, None, :] - ends[None, :, :]
        count += int(np.sum(before[..., 0] * before[..., 1] < 0)) // 2
    return count


def _heights(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> dict[Any, float]:
    """Each node as near to the mean of its neighbours as its column's order and a distance of one allow."""
    height = {v: i - (len(layer) - 1) / 2 for layer in layers for i, v in enumerate(layer)}
    beside: dict[Any, list[Any]] = {v: [] for layer in layers for v in layer}
    for a, b in links:
        beside[a].append(b)
        beside[b].append(a)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            wish = [float(np.mean([height[u] for u in beside[v]])) if beside[v] else height[v] for v in layer]
            height.update(zip(layer, spread(wish)))
    return height


def spread(wish: list[float]) -> list[float]:
    """The nearest heights (least squares) at least one apart in this order: pool adjacent violators."""
    pools: list[tuple[float, int]] = []
    for i, w in enumerate(wish):
        pools.append((w - i, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (m1, n1), (m0, n0) = pools.pop(), pools.pop()
            pools.append(((m0 * n0 + m1 * n1) / (n0 + n1), n0 + n1))
    flat = [m for m, n in pools for _ in range(n)]
    return [m + i for i, m in enumerate(flat)]


Placed = tuple[dict[int, Point], list[list[Point]]]


def wrapped(places: dict[int, Point], ways: list[list[Point]], widest: int = WIDEST) -> Placed:
    """The same in several bands below each other, where there are more than ``widest`` columns: as text is.

    An edge from one band to the next leaves on the right, passes between them, and comes in on the left.
    """
    columns = int(max((x for x, _ in places.values()), default=0)) + 1
    bands = -(-columns // widest)
    if bands == 1:
        return places, ways
    width = -(-columns // bands)
    points = [*places.values(), *(point for way in ways for point in way)]
    rows = [[y for x, y in points if x // width == band] for band in range(bands)]
    turns = [0] * bands  # how many edges turn behind each band
    for way in ways:
        for (x, _), (u, _) in pairwise(way):
            turns[int(x // width)] += x // width != u // width
    below: list[float] = []  # where what is y in the layout is in its band
    foot = 0.0
    for band in range(bands):
        below.append(foot - min(rows[band], default=0.0))
        foot += max(rows[band], default=0.0) - min(rows[band], default=0.0) + BETWEEN + LANE * turns[band]

    def moved(point: Point) -> Point:
        band = int(point[0] // width)
        return point[0] - band * width, point[1] + below[band]

    lanes, made = [0] * bands, []
    for way in ways:
        line = [moved(way[0])]
        for start, end in pairwise(way):
            band = int(start[0] // width)
            if end[0] // width != start[0] // width:
                (_, y), (_, v), aside = moved(start), moved(end), LANE * lanes[band]
                gap = below[band] + max(rows[band]) + BETWEEN / 2 + 0.2 + aside
                out, back = width - 0.45 + aside, -0.55 - LANE * turns[band] + aside
                line += [(out, y), (out, gap), (back, gap), (back, v)]
                lanes[band] += 1
            line.append(moved(end))
        made.append(line)
    return {v: moved(place) for v, place in places.items()}, made


def label_places(
    ways: Sequence[Sequence[Point]], sizes: Mapping[int, Point], boxes: Sequence[tuple[float, float, float, float]]
) -> dict[int, Point]:
    """Where the labels of edges stand: on their edge or just beside it, off all other edges, all boxes, and each other.

    ``sizes``: of the label of some of the ways half its width and half its height. ``boxes``: the middle of each, half its
    width and half its height. Where no place is free, off the boxes. Cost: labels times places times (edges + boxes).
    """
    pieces = [(k, *a, *b) for k, way in enumerate(ways) for a, b in pairwise(way)]
    owner = np.array([piece[0] for piece in pieces], int)
    ends = np.array([piece[1:] for piece in pieces], float).reshape(-1, 4)
    middle, half = (ends[:, :2] + ends[:, 2:]) / 2, (ends[:, 2:] - ends[:, :2]) / 2
    taken = [*boxes]
    found: dict[int, Point] = {}
    for k, (wide, high) in sizes.items():
        spots, apart = _spots(ways[k], wide, high)
        room = np.array(taken, float).reshape(-1, 4)
        near = np.abs(spots[:, None, :] - room[None, :, :2]) < room[None, :, 2:] + (wide, high)
        cost = apart + 100.0 * np.sum(near.all(axis=2), axis=1)
        others = owner != k
        away, along = middle[others] - spots[:, None, :], half[others]
        across = np.abs(away[..., 0] * along[:, 1] - away[..., 1] * along[:, 0])
        met = np.abs(away) <= np.abs(along) + (wide, high)  # a line meets a box: Gottschalk 1996, separating axes
        crossed = met.all(axis=2) & (across <= wide * np.abs(along[:, 1]) + high * np.abs(along[:, 0]))
        best = int(np.argmin(cost + 10.0 * np.sum(crossed, axis=1)))
        found[k] = (float(spots[best, 0]), float(spots[best, 1]))
        taken.append((*found[k], wide, high))
    return found


ASIDE = ((0, 0), (0, -1.2), (0, 1.2), (-1.15, 0), (1.15, 0), (0, -2.0), (0, 2.0), (0, -3.0), (0, 3.0))
"""Where a label stands by its edge, in halves of its size."""


def _spots(way: Sequence[Point], wide: float, high: float) -> tuple[Any, Any]:
    """Places for a label, on the way first; and how much worse each is than its middle."""
    steps = np.linspace(0.06, 0.94, 23 if len(way) < 4 else 9)
    spots, apart = [], []
    total = max(len(way) - 1, 1)
    for i, (start, end) in enumerate(pairwise(np.array(way, float))):
        on = start + steps[:, None] * (end - start)
        off = np.abs((i + steps) / total - 0.5) + 0.1 * (i > 0)
        for k, aside in enumerate(ASIDE):
            spots.append(on + np.array(aside) * (wide, high))
            apart.append(off + 0.5 * (k > 0) + 0.4 * abs(aside[0] + aside[1]))
    return np.concatenate(spots), np.concatenate(apart)
