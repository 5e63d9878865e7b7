"""Success on functions with many minima, at equal work: a panel for each function, a line for each method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..errors import BadInput
from ..experiments import FAMILIES, Multimodal
from .outside import FEW, verbatim
from .palette import ink, looks
from .panels import legend_of
from .panels import panels as panels_of

AGREE = {True: "every path vanishes at the minimum", False: "single paths lead away from the minimum"}


def multimodal(found: Multimodal, *, axes: Sequence[Axes] | None = None) -> Figure:
    """What ``ts.experiments.multimodal`` found: a panel for each function and number of dimensions, a line for each method.

    Filled markers are the method's best learning rate, with a 95 % interval; hollow ones the other rates, larger for larger
    ones. The first half of the functions is on the left. ``axes``: as many Axes as panels, row by row. Raises BadInput for
    something else.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> found = ts.experiments.multimodal("rastrigin", methods=["GD", "RAD"], runs=10, work=5)
    >>> len(plot.multimodal(found).axes)
    2
    """
    if not isinstance(found, Multimodal):
        raise BadInput(f"plot.multimodal takes what ts.experiments.multimodal returns, not {type(found).__name__}.")
    rows, halves = -(-len(found.functions) // 2), min(len(found.functions), 2)
    many, number = len(found.dimensions), len(found.methods)
    columns = halves * many
    size = (2.1 * columns + 1.6, rows * (0.17 * number + 0.55) + 1.3)
    places = [
        (half * rows + row, d)
        for row in range(rows)
        for half in range(halves)
        for d in range(many)
        if half * rows + row < len(found.functions)
    ]
    panels, own = panels_of(axes, len(places), columns=columns, size=size, sharex=True, sharey=True)
    for ax, (f, d) in zip(panels, places):
        _panel(ax, found, f, d)
        half = range(f, min(f + rows, len(found.functions)))
        kinds = {FAMILIES[name].agrees() for name in map(found.functions.__getitem__, half) if name in FAMILIES}
        if f % rows == 0 and d == 0 and len(kinds) == 1:
            look: dict[str, Any] = {"textcoords": "offset points", "fontsize": "small", "fontweight": "bold"}
            text = ax.annotate(AGREE[kinds.pop()], (0, 1), (0, 18), xycoords="axes fraction", **look)
            text.set_in_layout(False)  # it reaches over several panels
    for ax in panels[-columns:]:
        ax.set_xlabel("success (%)")
    figure = cast(Figure, panels[0].figure)
    if own:
        figure.suptitle(" ", fontsize="small")  # room for what is written above the panels
        handles = [
            Line2D([], [], color=ink(), marker="o", fillstyle="none", linestyle="", markersize=_size(k))
            for k in range(len(found.rates))
        ]
        labels = [f"lr {rate:g} of the box" for rate in found.rates]
        handles.append(Line2D([], [], color=ink(), marker="o", linestyle="-", markersize=_size(1)))
        labels.append("best lr, 95 % interval")
        legend_of(figure, handles, labels, loc="outside lower center", most=4)
    return figure


def _panel(ax: Axes, found: Multimodal, f: int, d: int) -> None:
    """One function in one number of dimensions."""
    low, high = (100 * end[f, d] for end in found.intervals)
    rates = 100 * found.successes[f, d] / found.runs
    lines = np.arange(len(found.methods), dtype=float)[::-1]
    look_of = looks(found.methods)
    for m, (name, y) in enumerate(zip(found.methods, lines)):
        color, marker = look_of[name]["color"], look_of[name]["marker"]
        best = found.best[f, d, m]
        for k in range(len(found.rates)):
            if k != best:
                look: dict[str, Any] = {"fillstyle": "none", "markersize": _size(k), "alpha": 0.75}
                ax.plot(rates[m, k], y, marker, color=color, **look)
        reach = np.maximum([[rates[m, best] - low[m, best]], [high[m, best] - rates[m, best]]], 0.0)
        ax.errorbar(
            rates[m, best],
            y,
            xerr=reach,
            fmt=marker,
            color=color,
            markersize=_size(int(best)),
            capsize=2,
            label=verbatim(name),
        )
    ax.set_yticks(lines, [verbatim(name, FEW) for name in found.methods], fontsize="small")
    ax.set_ylim(-0.6, len(lines) - 0.4)
    ax.set_xlim(-4, 104)
    ax.set_xticks([0, 25, 50, 75, 100])
    ax.tick_params(axis="x", labelsize="small")
    ax.set_title(f"{verbatim(found.functions[f], FEW)}, {found.dimensions[d]}-D", fontsize="small", loc="left")
    ax.grid(axis="x", alpha=0.3)


def _size(rate: int) -> float:
    """The size of the marker for the k-th learning rate."""
    return (3.0, 4.2, 5.4)[min(rate, 2)]
