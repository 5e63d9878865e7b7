"""A layered drawing of an LCG, in matplotlib alone (after Sugiyama, Tagawa & Toda 1981).

Variables stand in columns, each to the right of what it reads. Edges that skip columns pass through unseen way points,
so that ordering a column orders those edges, too. Columns are reordered by the mean position of their neighbours, to
and fro, and the order with the fewest crossings is kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from ..errors import BadInput
from ..lcg import LCG, Path
from ..lcg.text import DRAWABLE, weight_text
from .palette import BLACK, ORANGE, SKY, VERMILLION

SWEEPS = 24


def lcg(
    lcg: LCG,
    *,
    highlight: Path | None = None,
    around: str | None = None,
    reach: int = 3,
    weights: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw an LCG from its parameters on the left to its output on the right.

    Squares are parameters, orange diamonds tupling nodes (a parameter that is tupled is a diamond, too), dots their
    branches, circles operations, labelled with what they compute. ``highlight``: a path to draw thick. ``around``: draw
    only the variables within ``reach`` edges of this one. ``weights``: write the local partial derivatives on the
    edges. Without ``ax=`` it makes a figure of a fitting size. Raises BadInput for more than 60 nodes, for a
    highlighted path of another graph, and for a name that is not in the graph.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> graph = ts.trace(ts.functions.f1, 5.0)
    >>> ax = plot.lcg(graph, highlight=graph.best_path("x"))
    >>> len(ax.texts) > graph.graph.size
    True
    """
    if not isinstance(lcg, LCG):
        raise BadInput(f"plot.lcg draws what trace(f, ...) returns, not {lcg!r:.60}.")
    chosen = _part(lcg, around, reach)
    if len(chosen) > DRAWABLE:
        example = lcg.names[lcg.graph.output] if lcg.graph.output < len(lcg.names) else lcg.params[0]
        raise BadInput(
            f"The graph has {len(chosen)} nodes; a drawing stays readable up to {DRAWABLE}. Draw a part of it: "
            f'plot.lcg(lcg, around="{example}", reach=3), or print(lcg).'
        )
    if highlight is not None and not isinstance(highlight, Path):
        raise BadInput("highlight= takes one path; of a batch's, array[r] is the path of run r.")
    if highlight is not None and highlight.lcg.signature != lcg.signature:
        raise BadInput("The highlighted path belongs to another graph: take one of lcg.paths().")
    graph = lcg.graph
    edges = [e for e in range(len(graph.head)) if graph.tail[e] in chosen and graph.head[e] in chosen]
    places, bends = _layout(sorted(chosen), [(graph.tail[e], graph.head[e]) for e in edges])
    rows = max((y for _, y in places.values()), default=0) - min((y for _, y in places.values()), default=0) + 2
    columns = max((x for x, _ in places.values()), default=0) + 2
    if ax is None:
        _, ax = plt.subplots(figsize=(max(1.0 * columns, 4.0), max(0.62 * rows, 2.4)), layout="constrained")
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    scale = min(1.0, 72 * box.height / rows / 40, 72 * box.width / columns / 54)
    bold = set(highlight.edges) if highlight is not None else set()
    labels: list[Point] = []
    for e, way in zip(edges, bends):
        color, width = (VERMILLION, 3.0) if e in bold else (BLACK, 1.0)
        bent = np.array(way[:-1])
        ax.plot(bent[:, 0], bent[:, 1], color=color, linewidth=width, zorder=1)
        arrow = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 11 * scale}
        ax.annotate("", way[-1], way[-2], arrowprops=arrow, zorder=1)
        if (
            weights and len(graph.branches(graph.tail[e])) == 1
        ):  # the edges of a tupling node have weight 1 by definition
            labels.append(_free_place(way[0], way[1], labels))
            paper = {"boxstyle": "round,pad=0.1", "facecolor": ax.get_facecolor(), "edgecolor": "none"}
            look: dict[str, Any] = {"fontsize": 7.5 * scale, "weight": "bold" if e in bold else "normal", "bbox": paper}
            ax.text(*labels[-1], weight_text(graph.weight[e]), ha="center", va="center", zorder=2, **look)
    on_path = {v for e in bold for v in (graph.tail[e], graph.head[e])}
    for v, (x, y) in places.items():
        _draw_node(ax, lcg, v, (x, y), v in on_path, scale)
    ax.set_xlim(-0.8, columns - 1.2)
    ys = [y for _, y in places.values()] or [0.0]
    ax.set_ylim(max(ys) + 0.9, min(ys) - 0.7)  # downwards: the first branch on top, as in the program
    ax.set_axis_off()
    if around is not None and len(chosen) < graph.size:
        ax.set_title(f'part of the graph: {len(chosen)} of {graph.size} nodes around "{around}"', fontsize="small")
    return ax


def _draw_node(ax: Axes, lcg: LCG, v: int, place: Point, bold: bool, scale: float) -> None:
    node = lcg.nodes[v]
    marker, size, face = {"parameter": ("s", 21, "white"), "branch": ("o", 17, "white"), "operation": ("o", 21, SKY)}[
        node.kind
    ]
    if node.tupled:
        marker, size, face = "D", 19, ORANGE
    edge: dict[str, Any] = {"markeredgecolor": VERMILLION if bold else BLACK, "markeredgewidth": 2.4 if bold else 1.0}
    ax.plot(*place, marker, markersize=size * scale, markerfacecolor=face, zorder=3, **edge)
    font = 9 * scale if len(node.name) < 3 else 6.5 * scale
    ax.text(*place, node.name, ha="center", va="center", fontsize=font, zorder=4)
    if node.kind == "operation":
        text = node.text if len(node.text) <= 18 else node.text[:17] + "…"
        below: dict[str, Any] = {
            "xytext": (0, -11.5 * scale),
            "textcoords": "offset points",
            "ha": "center",
            "va": "top",
        }
        ax.annotate(text, place, fontsize=7.5 * scale, zorder=4, **below)


def _free_place(start: Point, end: Point, taken: list[Point]) -> Point:
    """A place for a label on the segment, about its middle, away from the labels placed so far."""
    spots = [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in (0.45, 0.33, 0.57, 0.25)]
    free = [p for p in spots if all(abs(p[0] - q[0]) > 0.3 or abs(p[1] - q[1]) > 0.25 for q in taken)]
    return (free or spots)[0]


def _part(lcg: LCG, around: str | None, reach: int) -> set[int]:
    if around is None:
        return set(range(len(lcg.names)))
    if around not in lcg.names:
        raise BadInput(f'There is no variable "{around}" in the graph; print(lcg) shows their names.')
    graph = lcg.graph
    neighbours: list[list[int]] = [[] for _ in range(graph.size)]
    for tail, head in zip(graph.tail, graph.head):
        neighbours[tail].append(head)
        neighbours[head].append(tail)
    chosen = frontier = {lcg.names.index(around)}
    for _ in range(reach):
        frontier = {to for v in frontier for to in neighbours[v]} - chosen
        chosen = chosen | frontier
    return chosen


Point = tuple[float, float]


def _layout(nodes: list[int], edges: list[tuple[int, int]]) -> tuple[dict[int, Point], list[list[Point]]]:
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
    layers = _uncrossed(layers, links)
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


def _uncrossed(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> list[list[Any]]:
    best, fewest = layers, _crossings(layers, links)
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
        crossings = _crossings(layers, links)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _crossings(layers: list[list[Any]], links: list[tuple[Any, Any]]) -> int:
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
            height.update(zip(layer, _spread(wish)))
    return height


def _spread(wish: list[float]) -> list[float]:
    """The nearest heights (least squares) at least one apart in this order: pool adjacent violators."""
    pools: list[tuple[float, int]] = []
    for i, w in enumerate(wish):
        pools.append((w - i, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (m1, n1), (m0, n0) = pools.pop(), pools.pop()
            pools.append(((m0 * n0 + m1 * n1) / (n0 + n1), n0 + n1))
    flat = [m for m, n in pools for _ in range(n)]
    return [m + i for i, m in enumerate(flat)]
