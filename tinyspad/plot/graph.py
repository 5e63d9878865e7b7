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

from ..arguments import integer
from ..errors import BadInput
from ..layout import Point, free_place, layout
from ..lcg import LCG, Elements, Link, Part, Path, collapsed
from ..lcg.svg import FACES
from ..lcg.text import DRAWABLE, weight_text
from ..linearization import Linearization
from .outside import verbatim
from .palette import ADJOINTS, BLACK, VERMILLION, YELLOW, ink


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
    carries the derivative of the way out. Without ``ax=`` it makes a figure of a fitting size. Raises BadInput for more
    than 60 nodes, for a highlighted path of another graph, for a name that is not in the graph, for a block that a path
    leaves and enters again, and for adjoints of more than one run.

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
    sketch = Sketch.of(drawn, around, reach, collapse, sources)
    looks = _adjoint_looks(drawn, sketch) if adjoints else {}
    bold = set(highlight.edges) if highlight is not None else set()
    ax = sketch.axes() if ax is None else ax
    sketch.draw(ax, bold=bold, looks=looks, weights=weights)
    if adjoints:
        _, norm = _adjoint_scale(drawn)
        bar = ax.figure.colorbar(plt.cm.ScalarMappable(norm, ADJOINTS), ax=ax, shrink=0.7, pad=0.02)
        bar.set_label("adjoint: d output / d node")
    if around is not None and len(sketch.chosen) < len(sketch.parts):
        ax.set_title(
            f'part of the graph: {len(sketch.chosen)} of {len(sketch.parts)} nodes around "{verbatim(around)}"',
            fontsize="small",
        )
    return ax


@dataclass(frozen=True)
class Sketch:
    """A graph with places for its nodes and ways for its edges, to be drawn as often as one likes."""

    lcg: LCG | Linearization
    parts: list[Part]
    links: list[Link]
    chosen: list[int]
    places: dict[int, Point]
    ways: list[list[Point]]

    @classmethod
    def of(
        cls,
        lcg: LCG | Linearization,
        around: str | None = None,
        reach: int = 3,
        blocks: Mapping[str, Iterable[str]] | None = None,
        sources: Iterable[int] | None = None,
    ) -> Sketch:
        """``sources``: the nodes behind which to draw, all if left out."""
        if blocks is not None and not isinstance(blocks, Mapping):
            raise BadInput('collapse= is a dict of blocks by name, such as {"cosine": lcg.block("d")}.')
        parts, links = collapsed(lcg, blocks)
        chosen = _part(parts, links, around, reach)
        if sources is not None:
            behind = {node for source in sources for node in lcg.structure.behind(source)}
            chosen &= {i for i, part in enumerate(parts) if behind.intersection(part.members)}
        if len(chosen) > DRAWABLE:
            example = lcg.names[lcg.structure.output] if lcg.structure.output < len(lcg.names) else lcg.params[0]
            raise BadInput(
                f"The graph has {len(chosen)} nodes; a drawing stays readable up to {DRAWABLE}. Draw a part of it: "
                f'plot.lcg(lcg, around="{example}", reach=3), collapse some of it: '
                f'collapse={{"part": lcg.block("{example}")}}, or print(lcg).'
            )
        links = [link for link in links if link.tail in chosen and link.head in chosen]
        places, ways = layout(sorted(chosen), [(link.tail, link.head) for link in links])
        return cls(lcg, parts, links, sorted(chosen), places, ways)

    @property
    def extent(self) -> tuple[float, float]:
        """Columns and rows, with a margin."""
        ys = [y for _, y in self.places.values()]
        rows = max(ys, default=0) - min(ys, default=0) + 2
        return max((x for x, _ in self.places.values()), default=0) + 2, rows

    @property
    def size(self) -> tuple[float, float]:
        """A fitting size of a figure, in inches."""
        columns, rows = self.extent
        return max(1.0 * columns, 4.0), max(0.62 * rows, 2.4)

    def axes(self) -> Axes:
        """Axes in a new figure of a fitting size."""
        return plt.subplots(figsize=self.size, layout="constrained")[1]

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
        box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
        scale = min(1.0, 72 * box.height / rows / 40, 72 * box.width / columns / 54)
        letter = scale * mpl.rcParams["font.size"] / 10
        labels: list[Point] = [(x, y + 0.45) for x, y in self.places.values()]  # the texts below the nodes
        for link, way in zip(self.links, self.ways):
            thick = not bold.isdisjoint(link.edges)
            color, width = (VERMILLION, 3.0) if thick else (ink(), 1.0)
            bent = np.array(way[:-1])
            ax.plot(bent[:, 0], bent[:, 1], color=color, linewidth=width, zorder=1)
            arrow = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 11 * scale}
            ax.annotate("", way[-1], way[-2], arrowprops=arrow, zorder=1)
            # the edges of a tupling node have weight 1 by definition
            copies = all(copies_of[e] for e in link.edges) and not self.parts[link.head].block
            if weights and not copies and link.weight is not None:
                labels.append(free_place(way[0], way[1], labels))
                paper = {"boxstyle": "round,pad=0.1", "facecolor": ax.get_facecolor(), "edgecolor": "none"}
                look: dict[str, Any] = {
                    "fontsize": 7.5 * letter,
                    "weight": "bold" if thick else "normal",
                    "bbox": paper,
                }
                ax.text(*labels[-1], verbatim(weight_text(link.weight)), ha="center", va="center", zorder=2, **look)
        on_path = {v for link in self.links if not bold.isdisjoint(link.edges) for v in (link.tail, link.head)}
        for v, place in self.places.items():
            own = looks.get(v, Look())
            self._draw_part(ax, v, place, Look(own.face, own.bold or v in on_path, own.note), scale, letter)
        ys = [y for _, y in self.places.values()] or [0.0]
        ax.set_xlim(-0.8, columns - 1.2)
        ax.set_ylim(max(ys) + 0.9, min(ys) - 0.7)  # downwards: the first branch on top, as in the program
        ax.set_axis_off()

    def _draw_part(self, ax: Axes, v: int, place: Point, look: Look, scale: float, letter: float) -> None:
        part = self.parts[v]
        edge: dict[str, Any] = {
            "markeredgecolor": VERMILLION if look.bold else ink(),
            "markeredgewidth": 2.4 if look.bold else 1.0,
        }
        if part.block:
            marker, size, face = "s", 27, YELLOW
            text = f"{len(part.members)} nodes" if len(part.members) > 1 else "1 node"
        else:
            node = self.lcg.nodes[part.members[0]]
            marker, size = {"parameter": ("s", 21), "branch": ("o", 17), "operation": ("o", 21)}[node.kind]
            face = FACES.get("tupling" if node.tupled else node.kind) or mpl.colors.to_hex(ax.get_facecolor())
            if node.tupled:
                marker, size = "D", 19
            text = node.text if node.kind == "operation" else ""
        if look.face is not None:
            face = look.face
        ax.plot(*place, marker, markersize=size * scale, markerfacecolor=face, zorder=3, **edge)
        font = (9 if len(part.name) < 3 else 6.5) * letter
        ax.text(*place, verbatim(part.name, 18), ha="center", va="center", fontsize=font, zorder=4, color=ink_on(face))
        reach = size * (0.71 if marker == "D" else 0.5)
        around: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "zorder": 4}
        if text:
            text = verbatim(text if len(text) <= 18 else text[:17] + "…")
            below = (0, -(reach + 1.5) * scale)
            paper: dict[str, Any] = {"boxstyle": "round,pad=0.05", "facecolor": ax.get_facecolor(), "edgecolor": "none"}
            paper["alpha"] = 0.7  # an edge may pass below the text
            ax.annotate(text, place, xytext=below, va="top", fontsize=7.5 * letter, bbox=paper, **around)
        if look.note:
            above = (0, (reach + 2.5) * scale)
            paper = {"boxstyle": "round,pad=0.1", "facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": 0.8}
            ax.annotate(
                verbatim(look.note),
                place,
                xytext=above,
                va="bottom",
                fontsize=7.5 * letter,
                weight="bold",
                bbox=paper,
                **around,
            )


def ink_on(face: Any) -> str:
    """Black or white, whichever can be read on this colour (relative luminance, W3C)."""
    r, g, b, _ = mpl.colors.to_rgba(face)
    return BLACK if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.35 else "white"


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


def _part(parts: list[Part], links: list[Link], around: str | None, reach: int) -> set[int]:
    if around is None:
        return set(range(len(parts)))
    names = [part.name for part in parts]
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
