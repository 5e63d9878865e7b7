"""The drawing of an LCG in a notebook: SVG in the page's own colours, light or dark, with nothing behind it."""

from __future__ import annotations

import html
import zlib
from collections.abc import Iterator

from ..displays import code
from ..layout import Point, free_place, layout
from ..linearization import Linearization, Node
from .recorded import Recorded
from .text import DRAWABLE, weight_text

FACES = {"operation": "#56B4E9", "tupling": "#E69F00"}
"""What a node is filled with, by its kind, under black letters; a tupling node has a colour of its own. The others are
outlines, through which the page is seen."""

COLUMN, ROW, MARGIN, RADIUS = 92.0, 58.0, 34.0, 15.0
"""Pixels from node to node, around all of them, and from a node's centre to its rim."""

SHORT, LETTERS = 3, 18
"""Up to so many letters a name stands in its node, otherwise above it; so many are shown there, and of what it computes."""


def svg_text(lcg: Recorded | Linearization) -> str:
    """The graph as an SVG element: parameters on the left, the output on the right, weights on the edges."""
    nodes, links = lcg.nodes, list(zip(lcg.structure.tail, lcg.structure.head))
    places, ways = layout(list(range(lcg.structure.size)), links)
    ys = [y for _, y in places.values()]
    # Beside the outermost nodes there is room for half a text, which stands in the middle above or below them.
    longest = max((len(_cut(text)) for node in nodes for text in (node.name, node.text)), default=0)
    left, top = max(MARGIN, 3.2 * longest), MARGIN - ROW * min(ys, default=0.0)
    width = 2 * left + COLUMN * max((x for x, _ in places.values()), default=0.0)
    height = top + ROW * max(ys, default=0.0) + MARGIN + 10

    def pixels(place: Point) -> Point:
        return left + COLUMN * place[0], top + ROW * place[1]

    lines = [[pixels(place) for place in way] for way in ways]
    texts = [_text(pixels(place), 4, text) for place, text in _edge_labels(lcg, places, ways)]
    shapes = []
    for node in nodes:
        if node.index in places:
            shapes.append(_shape(node, *pixels(places[node.index])))
            texts += _texts(node, *pixels(places[node.index]))
    drawn = [f'<path d="{_line(line)}" fill="none" stroke="currentColor"/>{_arrow(*line[-2:])}' for line in lines]
    name = f"lcg-{zlib.crc32(''.join([*drawn, *shapes, *texts]).encode()):08x}"
    # Edges are left out where a node or a text stands, by a mask: what is behind may have any colour.
    black = '<use href="#{}" fill="#000" stroke="#000" stroke-width="{}"/>'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'style="width:{width:g}px;max-width:100%;height:auto;flex:0 1 auto;min-width:min(100%,20em)" '
        'font-family="sans-serif" font-size="11" text-anchor="middle" fill="currentColor" stroke="none">'
        f"<title>The linearized computational graph: {lcg.structure.size} nodes, {len(links)} edges</title>",
        f'<mask id="{name}" maskUnits="userSpaceOnUse" x="0" y="0" width="{width:g}" height="{height:g}">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>{black.format(f"{name}-shapes", 1)}'
        f"{black.format(f'{name}-texts', 4)}</mask>",
        f'<g mask="url(#{name})">{"".join(drawn)}</g>',
        f'<g fill="none" stroke="currentColor"><g id="{name}-shapes">{"".join(shapes)}</g></g>',
        f'<g id="{name}-texts">{"".join(texts)}</g>',
        "</svg>",
    ]
    return "".join(parts)


def html_text(lcg: Recorded | Linearization, program: str) -> str:
    """For notebooks: the program beside its drawing; a program too large to draw stands alone."""
    picture = svg_text(lcg) if lcg.structure.size <= DRAWABLE else ""
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:2em;align-items:center">{code(program, DRAWABLE)}{picture}</div>'
    )


def _line(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _arrow(start: Point, end: Point) -> str:
    """The head of an edge, where it meets the rim of its node."""
    along = end[0] - start[0], end[1] - start[1]
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    u, v = along[0] / length, along[1] / length

    def at(back: float, aside: float) -> Point:
        return end[0] - back * u - aside * v, end[1] - back * v + aside * u

    return f'<path d="{_line([at(RADIUS + 1, 0), at(RADIUS + 9, 3.5), at(RADIUS + 9, -3.5)])}Z"/>'


def _edge_labels(
    lcg: Recorded | Linearization, places: dict[int, Point], ways: list[list[Point]]
) -> Iterator[tuple[Point, str]]:
    taken = [(x, y + 0.45) for x, y in places.values()]  # the texts below the nodes
    for e, way in enumerate(ways):
        if (
            len(lcg.structure.branches(lcg.structure.tail[e])) == 1
        ):  # those of a tupling node have weight 1 by definition
            taken.append(free_place(way[0], way[1], taken))
            yield taken[-1], weight_text(lcg.weight[e])


def _shape(node: Node, x: float, y: float) -> str:
    face = FACES.get("tupling" if node.tupled else node.kind)
    look = f' fill="{face}"' if face else ""
    r = RADIUS - 3 if node.kind == "branch" else RADIUS
    if node.tupled:
        return f'<path d="{_line([(x - r, y), (x, y - r), (x + r, y), (x, y + r)])}Z"{look}/>'
    if node.kind == "parameter":
        return f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:g}" height="{2 * r:g}"{look}/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"{look}/>'


def _texts(node: Node, x: float, y: float) -> Iterator[str]:
    """A node's name, in it or above it, and what it computes, below."""
    inside, filled = len(node.name) <= SHORT, node.tupled or node.kind in FACES
    yield _text((x, y), 4 if inside else -RADIUS - 4, _cut(node.name), "#000" if inside and filled else "")
    if node.kind == "operation":
        yield _text((x, y), RADIUS + 12, _cut(node.text))


def _text(place: Point, below: float, text: str, color: str = "") -> str:
    look = f' fill="{color}"' if color else ""
    return f'<text x="{place[0]:.1f}" y="{place[1] + below:.1f}"{look}>{html.escape(text)}</text>'


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
