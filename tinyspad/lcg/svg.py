"""The drawing of an LCG in a notebook: SVG in the page's own colours, light or dark."""

from __future__ import annotations

import html
from collections.abc import Iterator

from ..layout import Point, free_place, layout
from ..linearization import Linearization, Node
from .recorded import Recorded
from .text import DRAWABLE, weight_text

FACES = {"parameter": "#ffffff", "branch": "#ffffff", "operation": "#56B4E9", "tupling": "#E69F00"}
"""What a node is filled with, by its kind; a tupling node has a colour of its own."""

COLUMN, ROW, MARGIN, RADIUS = 92.0, 58.0, 34.0, 15.0
"""Pixels from node to node, around all of them, and from a node's centre to its rim."""

SHORT, LETTERS = 3, 18
"""Up to so many letters a name stands in its node, otherwise above it; so many are shown there, and of what it computes."""

# What a text stands on, so that it can be read across an edge: the background of JupyterLab, of VS Code, or the page's.
HALO = 'style="paint-order:stroke;stroke:var(--jp-layout-color0, var(--vscode-editor-background, Canvas));stroke-width:3px"'


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
    labels = [(pixels(place), text) for place, text in _edge_labels(lcg, places, ways)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'style="width:{width:g}px;max-width:100%;height:auto;flex:0 1 auto;min-width:min(100%,20em)" '
        'font-family="sans-serif" font-size="11" text-anchor="middle" fill="currentColor" stroke="none">'
        f"<title>The linearized computational graph: {lcg.structure.size} nodes, {len(links)} edges</title>",
        *(f'<path d="{_line(line)}" fill="none" stroke="currentColor"/>{_arrow(*line[-2:])}' for line in lines),
        *(f'<text x="{x:.1f}" y="{y + 4:.1f}" {HALO}>{html.escape(text)}</text>' for (x, y), text in labels),
        *(_node(node, *pixels(places[node.index])) for node in nodes if node.index in places),
        "</svg>",
    ]
    return "".join(parts)


def html_text(lcg: Recorded | Linearization, program: str) -> str:
    """For notebooks: the program beside its drawing; a program too large to draw stands alone."""
    picture = svg_text(lcg) if lcg.structure.size <= DRAWABLE else ""
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:2em;align-items:center">'
        f"<pre>{html.escape(program)}</pre>{picture}</div>"
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


def _node(node: Node, x: float, y: float) -> str:
    look = f'fill="{FACES["tupling" if node.tupled else node.kind]}" stroke="currentColor"'
    r = RADIUS - 3 if node.kind == "branch" else RADIUS
    if node.tupled:
        shape = f'<path d="{_line([(x - r, y), (x, y - r), (x + r, y), (x, y + r)])}Z" {look}/>'
    elif node.kind == "parameter":
        shape = f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:g}" height="{2 * r:g}" {look}/>'
    else:
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" {look}/>'
    inside = len(node.name) <= SHORT
    name_at, name_look = (y + 4, 'fill="#000000"') if inside else (y - RADIUS - 4, HALO)
    texts = [f'<text x="{x:.1f}" y="{name_at:.1f}" {name_look}>{html.escape(_cut(node.name))}</text>']
    if node.kind == "operation":
        texts.append(f'<text x="{x:.1f}" y="{y + RADIUS + 12:.1f}" {HALO}>{html.escape(_cut(node.text))}</text>')
    return shape + "".join(texts)


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
