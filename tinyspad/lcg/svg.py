"""The drawing of an LCG in a notebook: SVG in the page's own colours, light or dark, with nothing behind it."""

from __future__ import annotations

import html
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..displays import Code
from ..layout import Point, label_places, layout, near, wrapped
from ..linearization import Linearization, Node
from .collapse import Link, Part, collapsed
from .recorded import Recorded
from .text import DRAWABLE, weight_text

FACES = {"operation": "#56B4E9", "tupling": "#E69F00", "block": "#F0E442"}
"""What a node is filled with, by its kind, under black letters; a tupling node has a colour of its own. The others are
outlines, through which the page is seen."""

COLUMN, ROW, MARGIN, RADIUS = 92.0, 58.0, 34.0, 15.0
"""Pixels from node to node, around all of them, and from a node's centre to its rim."""

LETTER = 6.0
"""Pixels that a letter is wide, about."""

SHORT, LETTERS = 3, 18
"""Up to so many letters a name stands in its node, otherwise above it; so many are shown there, and of what it computes."""


def svg_text(lcg: Recorded | Linearization, folds: Sequence[tuple[str, Sequence[int]]] = ()) -> str:
    """The graph as an SVG element: parameters on the left, the output on the right, weights on the edges, folds as boxes."""
    parts, links = collapsed(lcg, {name: [lcg.names[v] for v in nodes] for name, nodes in folds})
    parts = [part for part in parts if part.members[0] < len(lcg.nodes)]  # an output that is a constant has no node
    links, told = near_links(lcg, parts, links)
    figures = [_Figure.of(part, lcg.nodes, told.get(v, "")) for v, part in enumerate(parts)]
    places, ways = wrapped(*layout(list(range(len(parts))), [(link.tail, link.head) for link in links]))
    labels = _edge_labels(lcg, parts, links)
    between = max(COLUMN - 2 * RADIUS, LETTER * max(map(len, labels.values()), default=0) + 16)
    across = between + 2 * max((f.wide for f in figures), default=RADIUS)
    points = [*places.values(), *(point for way in ways for point in way)]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    # Beside the outermost nodes there is room for half a text, which stands in the middle above or below them.
    beside = max([MARGIN, *(reach for f in figures for _, _, reach, _ in f.boxes())])
    left, top = beside - across * min(xs, default=0.0), MARGIN - ROW * min(ys, default=0.0)
    width = left + beside + across * max(xs, default=0.0)
    height = top + ROW * max(ys, default=0.0) + MARGIN + 10

    def pixels(place: Point) -> Point:
        return left + across * place[0], top + ROW * place[1]

    sizes = {k: ((LETTER * len(text) + 4) / 2 / across, 8 / ROW) for k, text in labels.items()}
    boxes = [
        (places[v][0], places[v][1] + y / ROW, wide / across, high / ROW)
        for v, f in enumerate(figures)
        for _, y, wide, high in f.boxes()
    ]
    lines = [[pixels(place) for place in way] for way in ways]
    texts = [_text(pixels(place), 4, labels[k]) for k, place in label_places(ways, sizes, boxes).items()]
    shapes = []
    for v, figure in enumerate(figures):
        shapes.append(figure.shape(*pixels(places[v])))
        texts += figure.texts(*pixels(places[v]))
    drawn = [
        f'<path d="{_line(line)}" fill="none" stroke="currentColor"/>{_arrow(line[-2], line[-1], figures[link.head])}'
        for line, link in zip(lines, links)
    ]
    name = f"lcg-{zlib.crc32(''.join([*drawn, *shapes, *texts]).encode()):08x}"
    # Edges are left out where a node or a text stands, by a mask: what is behind may have any colour.
    black = '<use href="#{}" fill="#000" stroke="#000" stroke-width="{}"/>'
    drawing = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'style="width:{width:g}px;max-width:100%;height:auto;flex:0 1 auto;min-width:min(100%,20em)" '
        'font-family="sans-serif" font-size="11" text-anchor="middle" fill="currentColor" stroke="none">'
        f"<title>The linearized computational graph: {lcg.structure.size} nodes, {len(lcg.structure.head)} edges</title>",
        f'<mask id="{name}" maskUnits="userSpaceOnUse" x="0" y="0" width="{width:g}" height="{height:g}">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>{black.format(f"{name}-shapes", 1)}'
        f"{black.format(f'{name}-texts', 4)}</mask>",
        f'<g mask="url(#{name})">{"".join(drawn)}</g>',
        f'<g fill="none" stroke="currentColor"><g id="{name}-shapes">{"".join(shapes)}</g></g>',
        f'<g id="{name}-texts">{"".join(texts)}</g>',
        "</svg>",
    ]
    return "".join(drawing)


def html_text(lcg: Recorded | Linearization, program: str, folds: Sequence[tuple[str, Sequence[int]]] = ()) -> str:
    """For notebooks: the program beside its drawing; one too large to draw, and without folds, stands alone."""
    picture = svg_text(lcg, folds) if lcg.structure.size <= DRAWABLE or folds else ""
    beside = "display:flex;flex-wrap:wrap;gap:2em;align-items:center"
    return f'<div style="{beside}">{Code(program, DRAWABLE).html()}{picture}</div>'


def _line(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _arrow(start: Point, end: Point, into: _Figure) -> str:
    """The head of an edge, where it meets the rim of its node."""
    along = end[0] - start[0], end[1] - start[1]
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    u, v = along[0] / length, along[1] / length
    rim = min(into.wide / max(abs(u), 1e-9), into.high / max(abs(v), 1e-9)) if into.block else RADIUS

    def at(back: float, aside: float) -> Point:
        return end[0] - back * u - aside * v, end[1] - back * v + aside * u

    return f'<path d="{_line([at(rim + 1, 0), at(rim + 9, 3.5), at(rim + 9, -3.5)])}Z"/>'


def near_links(
    lcg: Recorded | Linearization, parts: list[Part], links: list[Link]
) -> tuple[list[Link], dict[int, str]]:
    """The links to draw as lines; and of those that would go from band to band, by head, what to write: "← x, b"."""
    short = near(list(range(len(parts))), [(link.tail, link.head) for link in links])
    far: dict[int, dict[str, None]] = {}
    for link, drawn in zip(links, short):
        if not drawn:
            far.setdefault(link.head, {}).update((lcg.names[lcg.structure.tail[e]], None) for e in link.edges)
    return [link for link, drawn in zip(links, short) if drawn], {v: f"← {', '.join(n)}" for v, n in far.items()}


def _edge_labels(lcg: Recorded | Linearization, parts: list[Part], links: list[Link]) -> dict[int, str]:
    """The weights to write; those of a tupling node's edges are 1 by definition."""
    copies = lcg.structure.copies
    return {
        k: weight_text(link.weight)
        for k, link in enumerate(links)
        if link.weight is not None and (parts[link.head].block or not all(copies[e] for e in link.edges))
    }


class _Figure(NamedTuple):
    """How a part is drawn: a node as a square, a diamond or a circle, a block as a box with its name in several lines."""

    name: list[str]
    below: str
    kind: str
    wide: float = RADIUS
    high: float = RADIUS
    above: str = ""

    @classmethod
    def of(cls, part: Part, nodes: Sequence[Node], far: str) -> _Figure:
        if part.block:
            key, text = block_lines(part)
            return cls(key, _cut(text), "block", 3.4 * max(map(len, key)) + 6, 7.0 * len(key) + 4, _cut(far))
        node = nodes[part.members[0]]
        kind = "tupling" if node.tupled else node.kind
        above = "" if len(part.name) <= SHORT else _cut(part.name)
        below = _cut(node.text) if node.kind == "operation" else ""
        return cls([] if above else [part.name], below, kind, above=f"{above} {_cut(far)}".strip())

    @property
    def block(self) -> bool:
        return self.kind == "block"

    def boxes(self) -> Iterator[tuple[float, float, float, float]]:
        """What it covers: the middle from its own, and half of width and height, of the shape and of each text beside."""
        yield 0.0, 0.0, self.wide + 2, self.high + 2
        if self.above:
            yield 0.0, -self.high - 8, LETTER * len(self.above) / 2, 7.0
        if self.below:
            yield 0.0, self.high + 8, LETTER * len(self.below) / 2, 7.0

    def shape(self, x: float, y: float) -> str:
        face = FACES.get(self.kind)
        look = f' fill="{face}"' if face else ""
        r, wide, high = RADIUS - 3 if self.kind == "branch" else RADIUS, self.wide, self.high
        if self.kind == "tupling":
            return f'<path d="{_line([(x - r, y), (x, y - r), (x + r, y), (x, y + r)])}Z"{look}/>'
        if self.kind in ("parameter", "block"):
            box = f'x="{x - wide:.1f}" y="{y - high:.1f}" width="{2 * wide:g}" height="{2 * high:g}"'
            return f"<rect {box}{look}/>"
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"{look}/>'

    def texts(self, x: float, y: float) -> Iterator[str]:
        """A node's name, in it or above it, and what it computes, below."""
        for i, text in enumerate(self.name):
            at = 4 + 14 * (i - (len(self.name) - 1) / 2)
            yield _text((x, y), at, text, "#000" if self.kind in FACES else "")
        if self.above:
            yield _text((x, y), -self.high - 4, self.above)
        if self.below:
            yield _text((x, y), self.high + 12, self.below)


def _text(place: Point, below: float, text: str, color: str = "") -> str:
    look = f' fill="{color}"' if color else ""
    return f'<text x="{place[0]:.1f}" y="{place[1] + below:.1f}"{look}>{html.escape(text)}</text>'


def block_lines(part: Part) -> tuple[list[str], str]:
    """What stands in the box of a block, in lines, "line 3", "round 7"; and below it: its code, or how many nodes it has."""
    key, _, text = part.name.partition(": ")
    number = f"{len(part.members)} node{'s' * (len(part.members) > 1)}"
    return [_cut(line) for line in key.split(", ")], text or number


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
