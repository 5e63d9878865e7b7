"""In which share of the settings the paper's claims hold, and which choice decides that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..errors import BadInput
from ..experiments import Shares
from ..experiments.shares import AXES
from .outside import verbatim
from .palette import BLACK, BLUE, GREY, VERMILLION, ink
from .panels import legend_beside, legend_of
from .panels import panels as panels_of

PARTS = (("holds", BLUE, ""), ("the starts do not tell", "#DDDDDD", ""), ("the contrary holds", VERMILLION, "///"))
"""Of a bar, from left to right: told apart in grey by lightness and hatches."""

SHORT = {
    "Adam by path": "Adam, by path",
    "largest of all N": "largest of N",
    "N drawn with replacement": "N drawn, repl.",
    "2 drawn without": "2 drawn",
    "2 drawn with replacement": "2 drawn, repl.",
    "[-2, 2]^2": "[-2, 2]²",
    "[-4, 4]^2": "[-4, 4]²",
    "[-1, 1]^2": "[-1, 1]²",
    "[-10, 10]^2": "[-10, 10]²",
    "N(0, 1)^2": "N(0, 1)²",
}
"""Names of choices where there is little room."""


def shares(found: Shares, *, axes: Sequence[Axes] | None = None) -> Figure:
    """The claims of Tables 1, 2 and Figure 7, a row each: in how many settings it holds, and in how many by each choice.

    Left, a bar: the share of the settings in which a claim holds, in which the starts do not tell, and in which its contrary
    holds. Right, a field for each choice of the paper's open questions: the percentage of its settings in which the claim
    holds. The framed group is the choice that decides it most. ``axes``: two Axes.

    >>> from tinyspad import experiments, plot
    >>> few = [r for r in experiments.readings()[6:18] if r.function == "levi"]
    >>> figure = plot.shares(experiments.shares(experiments.sensitivity(few, runs=10, steps=5)))
    >>> len(figure.axes)
    2
    """
    if not isinstance(found, Shares):
        raise BadInput(f"plot.shares takes what ts.experiments.shares returns, not {type(found).__name__}.")
    number = len(found.claims)
    size = (11.6, 2.3 + 0.33 * number)
    ratios = {"width_ratios": (1, 5.4)}
    (left, right), own = panels_of(axes, 2, columns=2, size=size, sharey=True, gridspec_kw=ratios)
    _bars(left, found)
    _fields(right, found)
    figure = cast(Figure, left.figure)
    if own:
        legend_of(figure, *left.get_legend_handles_labels(), loc="outside lower center", most=3)
    else:
        legend_beside(right, grow=False, handles=left.get_legend_handles_labels()[0])
    return figure


def _bars(ax: Axes, found: Shares) -> None:
    rows = np.arange(len(found.claims))
    total = np.maximum(found.counts.sum(axis=1), 1)
    start = np.zeros(len(rows))
    for part, (label, color, hatch) in enumerate(PARTS):
        width = 100 * found.counts[:, part] / total
        look: Any = {"color": color, "hatch": hatch, "edgecolor": "white", "linewidth": 0.5}
        ax.barh(rows, width, left=start, height=0.72, label=label, **look)
        start += width
    for row, (held, settings) in enumerate(zip(found.counts[:, 0], total)):
        ax.text(103, row, f"{100 * held / settings:.0f} %", va="center", fontsize="small", color=ink())
    names = [f"{verbatim(claim.says)}, {verbatim(claim.where)}" for claim in found.claims]
    ax.set_yticks(rows, names, fontsize="small")
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.set_xlim(0, 140)
    ax.set_xticks([0, 100])
    ax.set_xlabel("settings (%)")
    ax.set_title("holds in", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)


def _fields(ax: Axes, found: Shares) -> None:
    """A group of columns for each axis, with a gap between."""
    at, ticks, labels = 0.0, [], []
    for axis, choices in AXES.items():
        share = 100 * found.share[axis]
        columns = at + np.arange(len(choices))
        for row, column in np.ndindex(share.shape):
            _field(ax, columns[column], row, share[row, column])
        for row in range(len(found.claims)):
            if found.decides(row) == axis:
                frame: Any = {"fill": False, "edgecolor": VERMILLION, "linewidth": 2.2, "zorder": 3}
                ax.add_patch(Rectangle((at - 0.5, row - 0.5), len(choices), 1, **frame))
        heading = "learning rate" if axis == "rate" else axis
        ax.text(columns.mean(), -0.75, heading, ha="center", va="bottom", fontsize="medium", color=ink())
        ticks += columns.tolist()
        labels += [SHORT.get(str(choice), f"{choice}") for choice in choices]
        at += len(choices) + 0.4
    ax.set_xlim(-0.6, at - 0.8)
    ax.set_xticks(ticks, labels, rotation=60, ha="right", rotation_mode="anchor", fontsize="small")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("percent of the settings with this choice in which it holds; framed: the choice that decides it most")


def _field(ax: Axes, x: float, y: float, percent: float) -> None:
    if np.isnan(percent):
        ax.text(x, y, "·", ha="center", va="center", color=GREY, fontsize="small")
        return
    shade = _lightness(percent)
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=shade, edgecolor="white", linewidth=0.8))
    ax.text(
        x, y, f"{percent:.0f}", ha="center", va="center", fontsize="small", color="white" if percent > 45 else BLACK
    )


def _lightness(percent: float) -> tuple[float, ...]:
    """From white to the blue of a claim that holds."""
    blue = np.array([int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return tuple(1 - percent / 100 * (1 - blue))
