"""The estimator laboratory as a picture: at one point dots, along an axis curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from ..arguments import briefly
from ..errors import BadInput
from ..experiments import Laboratory, Measured
from .decades import decades
from .outside import FEW, legend_label, verbatim
from .palette import BLUE, ORANGE, VERMILLION, ink, styles
from .panels import legend_beside, legend_of
from .panels import panels as panels_of

CROSSING = 0.05
"""So large a part of a curve may be near zero without its being drawn by its logarithm."""

SHOWN_DRAWS = 25
"""How many points of an axis are marked with what the draws gave."""


def laboratory(lab: Laboratory, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Bias, standard deviation and cost of estimators, exact, with what the draws gave on top.

    At a point three panels share a row per estimator: bias and standard deviation; multiplications and partial derivatives
    held per step; and the error of what the cost of one exact gradient buys. Along an axis two panels
    show bias and standard deviation as curves. ``axes``: as many Axes as panels. Raises BadInput for another number of them.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> figure = plot.laboratory(ts.experiments.laboratory(ts.functions.f1, 5.0, draws=100))
    >>> len(figure.axes)
    3
    """
    if not isinstance(lab, Laboratory):
        raise BadInput(f"plot.laboratory takes what ts.experiments.laboratory returns, not {type(lab).__name__}.")
    if not lab.rows:
        raise BadInput("There is nothing to draw: every estimator was left out.")
    along = any(np.ndim(row.bias) for row in lab.rows.values())
    if any(np.ndim(row.bias) > 1 for row in lab.rows.values()):
        raise BadInput("plot.laboratory draws one point, or points along an axis: arrays of shape (R,).")
    if along:
        panels, own = panels_of(axes, 2, columns=1, size=(7.2, 5.8), sharex=True)
    else:
        panels, own = panels_of(axes, 3, columns=3, size=(11.5, 1.7 + 0.32 * len(lab.rows)), sharey=True)
    figure = cast(Figure, panels[0].figure)
    if own:
        figure.suptitle(_title(lab, figure), fontsize="medium")
    if along:
        _curves(lab, panels, own)
    else:
        _dots(lab, panels)
    return figure


def _title(lab: Laboratory, figure: Figure) -> str:
    """The title in lines that the figure is wide enough for."""
    letters = int(figure.get_figwidth() * 72 / (0.58 * font_size("medium")))
    parts = lab.title_parts(FEW)
    lines = [parts[0]]
    for part in parts[1:]:
        joined = f"{lines[-1]}; {part}"
        lines[-1:] = [joined] if len(joined) <= letters else [lines[-1], part]
    return "\n".join(verbatim(line, letters) for line in lines)


def font_size(name: str) -> float:
    """A size of matplotlib's by name, in points."""
    return float(FontProperties(size=name).get_size_in_points())


def _dots(lab: Laboratory, axes: Sequence[Axes]) -> None:
    rows = list(lab.rows.values())
    y = np.arange(len(rows))[::-1]
    deviation, cost, error = axes
    bias, spread = [row.bias for row in rows], [np.sqrt(row.variance) for row in rows]
    deviation.plot(bias, y, "s", color=BLUE, markersize=6, label="bias")
    deviation.plot(spread, y, "o", color=VERMILLION, markersize=8, fillstyle="none", label="standard deviation")
    low, drawn, high = np.array([_drawn(row) for row in rows]).T
    whiskers: dict[str, Any] = {"fmt": "+", "color": ink(), "markersize": 5, "elinewidth": 1.0}
    deviation.errorbar(drawn, y, xerr=(drawn - low, high - drawn), label=f"of {lab.draws} draws, ± 2 s.e.", **whiskers)
    scale = decades(deviation, "x", [*bias, *spread, *drawn])
    deviation.set_xlabel(f"error of one step, in the gradient's units{scale}")
    held = [row.cost.held for row in rows]
    cost.plot(held, y, "o", color=ORANGE, markersize=10, fillstyle="none", markeredgewidth=1.8, label="partials held")
    products = [row.cost.multiplications for row in rows]
    cost.plot(products, y, "D", color=ink(), markersize=4, label="multiplications")
    cost.set_xlabel(f"cost of one step (mean){decades(cost, 'x', [*held, *products])}")
    left = [row.error(lab.gradient_cost) for row in rows]
    affords = np.array([row.cost.multiplications <= lab.gradient_cost for row in rows])
    for mask, fill, label in ((affords, "full", "at least a draw"), (~affords, "none", "less than a draw")):
        error.plot(np.array(left)[mask], y[mask], "o", color=ink(), markersize=6, fillstyle=fill, label=label)
    scale = decades(error, "x", left)
    error.set_xlabel(f"error of {briefly(lab.gradient_cost)} multiplications,\nthe cost of one exact gradient{scale}")
    for ax in axes:
        if ax.get_xscale() != "log":
            ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
        ax.set_yticks(y, [verbatim(name) for name in lab.rows])
        ax.grid(axis="x", alpha=0.3)
        for line in y:
            ax.axhline(line, color=ink(), alpha=0.12, linewidth=0.6, zorder=0)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(
                loc="lower center",
                bbox_to_anchor=(0.5, 1.0),
                ncols=3,
                fontsize="x-small",
                columnspacing=0.8,
                handletextpad=0.3,
            )


def _drawn(row: Measured) -> tuple[Any, Any, Any]:
    """The standard deviation of the draws between what two standard errors of their variance leave possible."""
    spread, error = row.drawn_variance, 2 * row.drawn_error
    return np.sqrt(np.maximum(spread - error, 0.0)), np.sqrt(spread), np.sqrt(spread + error)


def _curves(lab: Laboratory, axes: Sequence[Axes], own: bool) -> None:
    axis = {name: np.asarray(x) for name, x in lab.point.items() if np.ndim(x) == 1}
    name = next((name for name, x in axis.items() if np.ptp(x) > 0), next(iter(axis)))  # the one that moves
    xs = axis[name]
    every = max(1, len(xs) // SHOWN_DRAWS)
    for (label, row), style in zip(lab.rows.items(), styles(lab.rows).values()):
        axes[0].plot(xs, np.broadcast_to(row.bias, xs.shape), label=legend_label(label, 36), **style)
        axes[1].plot(xs, np.sqrt(np.broadcast_to(row.variance, xs.shape)), **style)
        low, drawn, high = (np.broadcast_to(part, xs.shape)[::every] for part in _drawn(row))
        look: dict[str, Any] = {"fmt": ".", "color": style["color"], "markersize": 5, "elinewidth": 1.0}
        axes[1].errorbar(xs[::every], drawn, yerr=(drawn - low, high - drawn), **look)
    axes[1].errorbar([], [], yerr=[], fmt=".", color=ink(), label=f"{lab.draws} draws, ± 2 s.e.")
    for ax, what in zip(axes, ("bias", "standard deviation")):
        drawn = np.concatenate([np.ravel(line.get_ydata()) for line in ax.lines])
        ax.set_ylabel(f"{what}{decades(ax, 'y', drawn, steady=CROSSING)}")
    axes[1].set_xlabel(verbatim(name))
    if own:
        handles, labels = axes[0].get_legend_handles_labels()
        more, last = axes[1].get_legend_handles_labels()
        figure = cast(Figure, axes[0].figure)
        legend_of(figure, [*handles, *more], [*labels, *last], loc="outside lower center", most=3)
    else:
        for ax in axes:
            legend_beside(ax, grow=False)
