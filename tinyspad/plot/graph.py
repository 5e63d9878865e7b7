"""A layered drawing of an LCG, in matplotlib alone: the graph, a path in it, its adjoints, and blocks of it as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ..arguments import integer, spaced
from ..errors import BadInput
from ..layout import Point, label_places, layout, wrapped
from ..lcg import LCG, Elements, Link, Part, Path, collapsed, folding_of, folds_of_arrays
from ..lcg.svg import FACES, block_lines, near_links
from ..lcg.text import DRAWABLE, weight_text
from ..linearization import Linearization
from .node_figures import LETTERS, SHORT, NodeFigure, paper
from .outside import FEW, verbatim
from .palette import ADJOINTS, VERMILLION, YELLOW, ink
from .panels import own_axes


@dataclass(frozen=True)
class Look:
    """How a node is drawn: its fill (None for that of its kind), whether its rim is thick, and what stands above it."""

    face: Any = None
    bold: bool = False
    note: str = ""


def lcg(
    lcg: LCG | Elements,
    *,
    highlight: Path | None = None,
    of: str | None = None,
    around: str | None = None,
    reach: int = 3,
    weights: bool = True,
    adjoints: bool = False,
    unfold: str | Iterable[str] = (),
    collapse: Mapping[str, Iterable[str]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw an LCG from its parameters on the left to its output on the right.

    Squares are parameters, orange diamonds tupling nodes (a parameter that is tupled is a diamond, too), dots their
    branches, circles operations, labelled with what they compute. ``highlight``: a path to draw thick. ``around``: draw
    only the variables within ``reach`` edges of this one. ``weights``: write the local partial derivatives on the
    edges. ``of``: of ``lcg.elements()`` only what lies behind a number, "w[0]", or those of an array. ``adjoints``: colour
    every node by its adjoint, d output / d node, and write it above. ``collapse``: blocks of variables to draw as one
    yellow box each, by the name to write there: ``{"cosine": lcg.block("d")}``; an edge into a block with one way out
    carries the derivative of the way out.

    A graph of more than 60 nodes is folded by ``lcg.folds()``: by the lines of your source and the rounds of its loops; one
    of numbers by their arrays.
    ``unfold``: names of such pieces to divide, "line 3, round 7"; what is then too much beside them is left out. Of more
    than 16 columns what does not fit stands below, and what is read from far away is written above: "← x". Without ``ax=``
    it makes a figure of a fitting size. Raises BadInput for more than 60 nodes of ``elements()`` or beside given blocks, for
    a highlighted path of another graph, for a name that is not in the graph, for a block that a path leaves and enters
    again, and for adjoints of more than one run.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> graph = ts.trace(ts.functions.f1, 5.0)
    >>> ax = plot.lcg(graph, highlight=graph.best_path("x"), collapse={"cosine": graph.block("d")})
    >>> "cosine" in [text.get_text() for text in ax.texts]
    True
    """
    if not isinstance(lcg, (LCG, Elements)):
        raise BadInput(f"plot.lcg draws what trace(f, ...) returns, or its elements(), not {lcg!r:.60}.")
    if of is not None and not isinstance(lcg, Elements):
        raise BadInput("of= is about numbers: plot.lcg(lcg.elements(), of=...).")
    if highlight is not None and not isinstance(highlight, Path):
        raise BadInput("highlight= takes one path; of a batch's, array[r] is the path of run r.")
    if highlight is not None and highlight.at.signature != lcg.signature:
        raise BadInput("The highlighted path belongs to another graph: take one of lcg.paths().")
    drawn = lcg.linearization if isinstance(lcg, Elements) else lcg
    sources = None
    if isinstance(lcg, Elements) and of is not None:
        sources = [lcg.linearization.source(name) for name in lcg.numbers_of(of)]
    folded, opened = [], set()  # type: tuple[list[tuple[str, list[int]]], set[int]]
    if isinstance(lcg, LCG) and collapse is None and around not in lcg.names:
        folded, opened = folding_of(lcg, unfold)
        collapse = {name: [lcg.names[v] for v in nodes] for name, nodes in folded}
    elif isinstance(lcg, Elements) and not unfold and all(given is None for given in (collapse, of, around)):
        folded = folds_of_arrays(lcg.linearization)
        collapse = {name: [drawn.names[v] for v in nodes] for name, nodes in folded}
    elif unfold:
        raise BadInput(
            "unfold= is about the pieces of a trace's whole graph: without collapse=, or a variable as around=."
        )
    sketch = Sketch.of(drawn, around, reach, collapse, sources, opened)
    looks = _adjoint_looks(drawn, sketch) if adjoints else {}
    bold = set(highlight.edges) if highlight is not None else set()
    ax = sketch.axes() if ax is None else ax
    sketch.draw(ax, bold=bold, looks=looks, weights=weights)
    if adjoints:
        _, norm = _adjoint_scale(drawn)
        bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, ADJOINTS), ax=ax, shrink=0.7, pad=0.02)
        bar.set_label("adjoint: d output / d node")
    titles = []
    if folded and isinstance(lcg, Elements):
        number = spaced(drawn.structure.size)
        titles.append(f'{number} numbers by their arrays; of="{verbatim(lcg.params[0], FEW)}[0]" draws one of them')
    elif folded:
        number = spaced(sum(node.kind == "operation" for node in drawn.nodes))
        titles.append(f'{number} operations in pieces; unfold="{verbatim(folded[0][0].split(":")[0])}" divides one')
    if len(sketch.chosen) < len(sketch.parts):
        what = f'"{verbatim(around)}"' if around is not None else "what is unfolded"
        titles.append(f"part of the graph: {len(sketch.chosen)} of {len(sketch.parts)} nodes around {what}")
    if titles and sources is None:
        ax.set_title("\n".join(titles), fontsize="small")
    return ax


@dataclass(frozen=True)
class Sketch:
    """A graph with places for its nodes and ways for its edges, to be drawn as often as one likes.

    ``links``: those that are drawn as lines. ``told``: of parts, by their number, what they read from far away.
    """

    lcg: LCG | Linearization
    parts: list[Part]
    links: list[Link]
    chosen: list[int]
    places: dict[int, Point]
    ways: list[list[Point]]
    told: dict[int, str]

    @classmethod
    def of(
        cls,
        lcg: LCG | Linearization,
        around: str | None = None,
        reach: int = 3,
        blocks: Mapping[str, Iterable[str]] | None = None,
        sources: Iterable[int] | None = None,
        opened: Iterable[int] = (),
    ) -> Sketch:
        """``sources``: the nodes behind which to draw, all if left out. ``opened``: what to draw if all is too much."""
        if blocks is not None and not isinstance(blocks, Mapping):
            raise BadInput('collapse= is a dict of blocks by name, such as {"cosine": lcg.block("d")}.')
        parts, links = collapsed(lcg, blocks)
        chosen = _part(parts, links, around, reach)
        if sources is not None:
            behind = {node for source in sources for node in lcg.structure.behind(source)}
            chosen &= {i for i, part in enumerate(parts) if behind.intersection(part.members)}
        matter = set(opened)
        if len(chosen) > DRAWABLE and matter:
            inside = {i for i in chosen if matter.intersection(parts[i].members)}
            ends = [{link.tail, link.head} for link in links]
            chosen = inside.union(*(pair for pair in ends if pair & inside))
        if len(chosen) > DRAWABLE:
            example = lcg.names[lcg.structure.output] if lcg.structure.output < len(lcg.names) else lcg.params[0]
            raise BadInput(
                f"The graph has {len(chosen)} nodes; a drawing stays readable up to {DRAWABLE}. Draw a part of it: "
                f'plot.lcg(lcg, around="{example}", reach=3), collapse some of it: '
                f'collapse={{"part": lcg.block("{example}")}}, or print(lcg).'
            )
        links = [link for link in links if link.tail in chosen and link.head in chosen]
        number = {v: i for i, v in enumerate(sorted(chosen))}
        renumbered = [Link(number[k.tail], number[k.head], k.weight, k.edges) for k in links]
        short, told = near_links(lcg, [parts[v] for v in sorted(chosen)], renumbered)
        drawn = {link.edges for link in short}
        links = [link for link in links if link.edges in drawn]
        places, ways = wrapped(*layout(sorted(chosen), [(link.tail, link.head) for link in links]))
        far = {v: told[i] for v, i in number.items() if i in told}
        return cls(lcg, parts, links, sorted(chosen), places, ways, far)

    @property
    def _box(self) -> tuple[float, float, float, float]:
        """From where to where everything reaches, across and down."""
        points = [*self.places.values(), *(point for way in self.ways for point in way)] or [(0.0, 0.0)]
        xs, ys = zip(*points)
        return min(xs), max(xs), min(ys), max(ys)

    @property
    def _pitch(self) -> float:
        """Inches from column to column."""
        boxes = [_half(self.parts[v])[0] for v in self.chosen if self.parts[v].block]
        longest = max((len(weight_text(link.weight)) for link in self.links if link.weight is not None), default=0)
        return max(1.0, max(0.6, (5.2 * longest + 18) / 72) + 2 * max(boxes, default=10.5) / 72)

    @property
    def extent(self) -> tuple[float, float]:
        """Columns and rows, with a margin."""
        left, right, top, bottom = self._box
        return right - left + 2, bottom - top + 2

    @property
    def size(self) -> tuple[float, float]:
        """A fitting size of a figure, in inches."""
        columns, rows = self.extent
        return max(self._pitch * columns, 4.0), max(0.62 * rows, 2.4)

    def axes(self) -> Axes:
        """Axes in a new figure of a fitting size."""
        return own_axes(None, size=self.size)

    def draw(
        self,
        ax: Axes,
        *,
        bold: Iterable[int] = (),
        looks: Mapping[int, Look] | None = None,
        weights: bool = True,
    ) -> None:
        """``bold``: edges of the LCG to draw thick. ``looks``: of the parts, by their number."""
        (columns, rows), copies_of, bold = self.extent, self.lcg.structure.copies, set(bold)
        looks = {} if looks is None else looks
        ax.set_axis_off()
        figure = ax.figure.canvas.figure
        alone = figure.get_layout_engine() is not None and figure.axes == [ax]  # then they will have all of it
        window = (figure.bbox if alone else ax.get_window_extent()).transformed(figure.dpi_scale_trans.inverted())
        across, down = 72 * window.width / (columns - 0.4), 72 * window.height / (rows - 0.4)  # points
        scale = min(1.0, down / 40, across / (54 * self._pitch))
        letter = scale * mpl.rcParams["font.size"] / 10
        figures = {}
        on_path = {v for link in self.links if not bold.isdisjoint(link.edges) for v in (link.tail, link.head)}
        for v in self.places:
            own = looks.get(v, Look())
            figures[v] = self._figure(v, Look(own.face, own.bold or v in on_path, own.note))
        # the edges of a tupling node have weight 1 by definition
        labels = {
            k: weight_text(link.weight)
            for k, link in enumerate(self.links)
            if weights
            and link.weight is not None
            and (self.parts[link.head].block or not all(copies_of[e] for e in link.edges))
        }
        sizes = {k: ((2.6 * len(text) + 2) * letter / across, 5.5 * letter / down) for k, text in labels.items()}
        boxes = [
            (x, y + part[0] * scale / down, part[1] * scale / across, part[2] * scale / down)
            for v, (x, y) in self.places.items()
            for part in figures[v].covers()
        ]
        spots = label_places(self.ways, sizes, boxes)
        for k, (link, way) in enumerate(zip(self.links, self.ways)):
            thick = not bold.isdisjoint(link.edges)
            color, width = (VERMILLION, 3.0) if thick else (ink(), 1.0)
            bent = np.array(way[:-1])
            ax.plot(bent[:, 0], bent[:, 1], color=color, linewidth=width, zorder=1)
            along = np.abs(np.subtract(way[-1], way[-2])) * (across, down)
            shrink = scale * figures[link.head].rim(*(along / np.hypot(*along)))
            arrow = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": shrink}
            ax.annotate("", way[-1], way[-2], arrowprops=arrow, zorder=1)
            if k in spots:
                look: dict[str, Any] = {"fontsize": 7.5 * letter, "weight": "bold" if thick else "normal"}
                look["bbox"] = paper(ax, 0.1)
                ax.text(*spots[k], verbatim(labels[k]), ha="center", va="center", zorder=2, **look)
        for v, place in self.places.items():
            figures[v].draw(ax, place, scale, letter)
        left, right, top, bottom = self._box
        ax.set_xlim(left - 0.8, right + 0.8)
        ax.set_ylim(bottom + 0.9, top - 0.7)  # downwards: the first branch on top, as in the program

    def _figure(self, v: int, look: Look) -> NodeFigure:
        part, face = self.parts[v], look.face
        name = "" if part.block or len(part.name) <= SHORT else part.name
        above = "\n".join(verbatim(text, LETTERS) for text in (look.note, self.told.get(v, ""), name) if text)
        if part.block:
            key, text = block_lines(part)
            return NodeFigure("s", _half(part), face or YELLOW, "\n".join(key), text, above, look.bold)
        node = self.lcg.nodes[part.members[0]]
        marker, size = {"parameter": ("s", 21), "branch": ("o", 17), "operation": ("o", 21)}[node.kind]
        if node.tupled:
            marker, size = "D", 19
        face = FACES.get("tupling" if node.tupled else node.kind) if face is None else face
        text = node.text if node.kind == "operation" else ""
        return NodeFigure(marker, (size / 2, size / 2), face, "" if name else part.name, text, above, look.bold)


def _adjoint_scale(lcg: LCG | Linearization) -> tuple[list[float], Normalize]:
    if lcg.batch or not lcg.elementwise:
        raise BadInput("adjoints=True colours one run of numbers: trace the function at one point.")
    values = [float(a) for a in lcg.adjoints]
    finite = [abs(a) for a in values if np.isfinite(a)]
    largest = max(finite, default=1.0) or 1.0
    return values, Normalize(-largest, largest)


def _adjoint_looks(lcg: LCG | Linearization, sketch: Sketch) -> dict[int, Look]:
    values, norm = _adjoint_scale(lcg)
    shades = mpl.colormaps[ADJOINTS]
    found = {}
    for v in sketch.chosen:
        part = sketch.parts[v]
        if not part.block and part.members[0] < len(values):
            adjoint = values[part.members[0]]
            found[v] = Look(shades(norm(adjoint)), note=weight_text(adjoint))
    return found


def _half(part: Part) -> tuple[float, float]:
    """Of a block's box half its width and height, in points."""
    lines = block_lines(part)[0]
    return 1.9 * max(map(len, lines)) + 5, 4.4 * len(lines) + 4


def _part(parts: list[Part], links: list[Link], around: str | None, reach: int) -> set[int]:
    if around is None:
        return set(range(len(parts)))
    names = [part.name for part in parts]
    keys = [part.name.split(":")[0] for part in parts]
    if around not in names and around in keys:
        around = names[keys.index(around)]
    if around not in names:
        raise BadInput(f'There is no variable "{around}" in the graph; print(lcg) shows their names.')
    neighbours: list[list[int]] = [[] for _ in parts]
    for link in links:
        neighbours[link.tail].append(link.head)
        neighbours[link.head].append(link.tail)
    integer(reach, "plot.lcg: reach=, a number of edges,", least=0)
    chosen = frontier = {names.index(around)}
    for _ in range(min(reach, len(parts))):
        frontier = {to for v in frontier for to in neighbours[v]} - chosen
        chosen = chosen | frontier
    return chosen
