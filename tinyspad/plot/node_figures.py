"""How a node of a graph is drawn: its shape, its name, and the texts above and below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from ..layout import Point
from .outside import verbatim
from .palette import BLACK, VERMILLION, ink

SHORT, LETTERS = 3, 18
"""Up to so many letters a name stands in its node, otherwise above it; so many are shown there, and of what it computes."""


@dataclass(frozen=True)
class NodeFigure:
    """``half``: of its shape half the width and height, in points. ``face``: None for the paper's colour."""

    marker: str
    half: tuple[float, float]
    face: Any
    name: str
    below: str
    above: str
    bold: bool

    @property
    def _tip(self) -> float:
        """From the middle down to the rim."""
        return self.half[1] * (1.42 if self.marker == "D" else 1.0)

    @property
    def _is_box(self) -> bool:
        return self.half[0] != self.half[1]

    def rim(self, u: float, v: float) -> float:
        """How far the rim is from the middle, in points, in a direction (of length 1)."""
        if not self._is_box:
            return 11.0
        return float(min(self.half[0] / max(u, 1e-9), self.half[1] / max(v, 1e-9))) + 1

    def covers(self) -> Iterator[tuple[float, float, float]]:
        """What it covers, in points: how far down its middle is, half its width and height; the shape, and the texts."""
        yield 0.0, (self._tip if self.marker == "D" else self.half[0]) + 2, self._tip + 2
        if self.below:
            yield self._tip + 6, 2.2 * min(len(self.below), LETTERS) + 1, 6.0
        for i, line in enumerate(reversed(self.above.splitlines())):
            yield -self._tip - 7 - 9 * i, 2.4 * len(line) + 2, 6.0

    def draw(self, ax: Axes, place: Point, scale: float, letter: float) -> None:
        """On ``ax``, at a place in its data: ``scale`` for points, ``letter`` for the size of letters."""
        face = ax.get_facecolor() if self.face is None else self.face
        rim: dict[str, Any] = {"color": VERMILLION if self.bold else ink(), "width": 2.4 if self.bold else 1.0}
        around: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "zorder": 4, "in_layout": False}
        if self._is_box:
            self._draw_box(ax, place, scale, rim, face)
        else:
            edge: dict[str, Any] = {"markeredgecolor": rim["color"], "markeredgewidth": rim["width"]}
            size = 2 * self.half[0] * scale
            ax.plot(*place, self.marker, markersize=size, markerfacecolor=face, zorder=3, **edge)
        lines = self.name.split("\n") if self._is_box else [self.name]
        name = "\n".join(verbatim(line, LETTERS) for line in lines)
        font = (9 if len(self.name) < 3 else 6.5) * letter
        ax.text(*place, name, ha="center", va="center", fontsize=font, zorder=4, color=ink_on(face), linespacing=1.25)
        if self.below:
            text = verbatim(self.below if len(self.below) <= LETTERS else f"{self.below[: LETTERS - 1]}…")
            look: dict[str, Any] = {"xytext": (0, -(self._tip + 1.5) * scale), "va": "top", "fontsize": 7.5 * letter}
            ax.annotate(text, place, bbox=paper(ax, 0.05, 0.7), **look, **around)  # an edge may pass below the text
        for i, line in enumerate(reversed(self.above.splitlines())):
            up = (0, (self._tip + 2.5) * scale + 10 * letter * i)
            look = {"xytext": up, "va": "bottom", "fontsize": 7.5 * letter, "weight": "bold"}
            ax.annotate(line, place, bbox=paper(ax, 0.1, 0.8), **look, **around)

    def _draw_box(self, ax: Axes, place: Point, scale: float, rim: dict[str, Any], face: Any) -> None:
        """A rectangle of so many points, whatever the data's scale."""
        wide, high = (half * scale for half in self.half)
        corners = [(-wide, -high), (wide, -high), (wide, high), (-wide, high), (-wide, -high)]
        shape = mpl.path.Path(corners, closed=True)
        size = 2 * max(wide, high)  # a marker is scaled by its largest reach
        look: dict[str, Any] = {"markeredgecolor": rim["color"], "markeredgewidth": rim["width"]}
        ax.plot(*place, marker=shape, markersize=size, markerfacecolor=face, zorder=3, linestyle="none", **look)


def ink_on(face: Any) -> str:
    """Black or white, whichever can be read on this colour (relative luminance, W3C)."""
    r, g, b, _ = mpl.colors.to_rgba(face)
    return BLACK if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.35 else "white"


def paper(ax: Axes, pad: float, alpha: float = 1.0) -> dict[str, Any]:
    """What a text stands on, so that it can be read across an edge."""
    return {"boxstyle": f"round,pad={pad}", "facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": alpha}
