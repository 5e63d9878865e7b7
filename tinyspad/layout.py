"""Where the nodes of a layered drawing stand (after Sugiyama, Tagawa & Toda 1981).

Variables stand in columns, each to the right of what it reads. Edges that skip columns pass through unseen way points,
so that ordering a column orders those edges, too. Columns are reordered by the mean position of their neighbours, to
and fro, and the order with the fewest crossings is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

SWEEPS = 24

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
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        rank = {v: float(i) for layer in layers for i, v in enumerate(layer)}
        ordered = []
        for layer in layers if forward else layers[::-1]:
            mean = {}
            for v in layer:
                beside = [rank[a] for a, b in links if b == v] if forward else [rank[b] for a, b in links if a == v]
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
    count = 0
    for c in range(len(layers) - 1):
        ends = np.array([(place[a][1], place[b][1]) for a, b in links if place[a][0] == c]).reshape(-1, 2)
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


def free_place(start: Point, end: Point, taken: Sequence[Point]) -> Point:
    """A place for a label on the segment, about its middle, away from other labels; or the farthest from them."""
    steps = (0.45, 0.33, 0.57, 0.22, 0.68, 0.8)
    spots = [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in steps]
    apart = [min((max(abs(x - u) / 0.3, abs(y - v) / 0.25) for u, v in taken), default=2.0) for x, y in spots]
    return spots[next((i for i, d in enumerate(apart) if d > 1), int(np.argmax(apart)))]
