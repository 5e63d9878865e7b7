"""Fits of white-box models, and the measured Table 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..errors import BadInput
from ..experiments import StochasticityTable, WhiteBoxFit, median_interval
from .outside import FEW, legend_label, verbatim
from .palette import GREY, ink
from .panels import legend_beside, legend_of, own_axes
from .success import method_looks

FILLS = ("full", "none", "left", "bottom")

ROWS = ("in-sample loss", "out-of-sample loss", "out of sample, over {}'s\non the same data")


def white_box(*fits: WhiteBoxFit, axes: Sequence[Axes] | None = None) -> Figure:
    """In-sample loss, out-of-sample loss, and the latter over the first estimator's on the same data, by step.

    ``fits``: from ``experiments.white_box``, a column for each. Lines are medians over the runs, bands their 95 % intervals;
    the dotted line is the loss of the parameters that made the data, or the ratio 1. What diverges leaves the picture.
    ``axes``: three for each fit, row by row. Raises BadInput for anything else.

    >>> from tinyspad import plot
    >>> from tinyspad.experiments import white_box
    >>> figure = plot.white_box(white_box("demand", runs=8, steps=20))
    >>> [ax.get_ylabel() for ax in figure.axes][:2]
    ['in-sample loss', 'out-of-sample loss']
    """
    if not fits or not all(isinstance(fit, WhiteBoxFit) for fit in fits):
        raise BadInput(f"plot.white_box draws what experiments.white_box returns, not {fits!r:.60}.")
    if axes is None:
        size = (3.4 * len(fits) + 1.2, 7.6)
        _, grid = plt.subplots(3, len(fits), figsize=size, layout="constrained", squeeze=False, sharex="col")
        axes = list(grid.flat)
    if len(axes) != 3 * len(fits):
        raise BadInput(f"plot.white_box: axes= are {3 * len(fits)}, not {len(axes)}.")
    for c, fit in enumerate(fits):
        ratio = fit.ratio(fit.estimators[0])
        for r, (values, level) in enumerate(
            ((fit.train, np.median(fit.truth[0])), (fit.test, np.median(fit.truth[1])), (ratio, 1.0))
        ):
            ax = axes[r * len(fits) + c]
            _medians(ax, fit, values, float(level), skip=r == 2)
            if c == 0:
                ax.set_ylabel(ROWS[r].format(verbatim(fit.estimators[0], FEW)))
        axes[c].set_title(f"{verbatim(fit.model, FEW)}, {fit.runs} runs", fontsize="medium")
        axes[2 * len(fits) + c].set_xlabel("step")
    whole = cast(Figure, axes[0].figure)
    legend_of(whole, *axes[0].get_legend_handles_labels(), loc="outside lower center", most=3)
    return whole


def _medians(ax: Axes, fit: WhiteBoxFit, values: Any, level: float, skip: bool) -> None:
    """A line with its band for each estimator (without the first, which is 1 in ratios), and a level to compare with."""
    drawn = np.median(values, axis=-1)
    top = 30 * max(drawn[0, 0], level)
    look_of = method_looks(fit.estimators)
    for k, name in enumerate(fit.estimators):
        if skip and k == 0:
            continue
        found = np.array([median_interval(at) for at in values[k]])
        found[~(found < 10 * top)] = np.nan
        look = look_of[name]
        every = max(len(fit.steps) // 5, 1)
        ax.plot(
            fit.steps,
            found[:, 0],
            label=legend_label(name),
            markersize=4,
            markevery=(k * every // 5, every),
            linewidth=1.5,
            **look,
        )
        ax.fill_between(fit.steps, found[:, 1], found[:, 2], color=look["color"], alpha=0.15, linewidth=0)
    ax.axhline(level, color=GREY, linestyle=":", label="the true parameters; in ratios, 1")
    inside = drawn[np.isfinite(drawn) & (drawn < top)]
    low, high = min(inside.min(initial=level), level), max(inside.max(initial=level), level)
    ax.set_yscale("log")
    ax.set_ylim(low / 1.2, min(high * 1.5, top))
    few, some, many = (1.0,), (1.0, 2.0, 5.0), (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 8.0)
    ax.yaxis.set_major_locator(LogLocator(subs=many if high < 4 * low else some if high < 100 * low else few))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)


def stochasticity(table: StochasticityTable, *, ax: Axes | None = None) -> Axes:
    """The measured Table 3: out-of-sample loss after equal work against the variance of the gradient estimate.

    ``table``: from ``experiments.stochasticity_table``. The loss is over that of the first cell (all data, all paths) on the
    same data. The shape of a mark is the observation sampler, its colour and filling the path estimator; bars are 95 %
    intervals of the median. What has no variance stands left of the dotted line. Raises BadInput for anything else.

    >>> from tinyspad import plot
    >>> from tinyspad.experiments import stochasticity_table
    >>> ax = plot.stochasticity(stochasticity_table(runs=4, steps=3, draws=10))
    >>> ax.get_xlabel()
    'variance of the gradient estimate / its squared mean'
    """
    if not isinstance(table, StochasticityTable):
        raise BadInput(f"plot.stochasticity draws what experiments.stochasticity_table returns, not {table!r:.60}.")
    grow, ax = ax is None, own_axes(ax, size=(6.4, 4.6))
    shown = table.variance[table.variance > 1e-12]
    edge = float(shown.min()) / 10 if shown.size else 0.1
    look_of = method_looks(table.code)
    shapes = ("o", "s", "^", "D", "v", "P")
    for o, sampler in enumerate(table.observations):
        for c, estimator in enumerate(table.code):
            value, low, high = median_interval(table.ratio[o, c])
            x = table.variance[o, c] if table.variance[o, c] > 1e-12 else edge
            x = float(x) * 1.04 ** (c - (len(table.code) - 1) / 2)  # marks of one variance beside each other
            color = look_of[estimator]["color"]
            ax.errorbar(
                x,
                value,
                [[value - low], [high - value]],
                color=color,
                marker=shapes[o % len(shapes)],
                markersize=9,
                markeredgecolor=ink(),
                fillstyle=FILLS[c % len(FILLS)],
                markerfacecoloralt=ax.get_facecolor(),
                elinewidth=0.8,
                linestyle="none",
                label=f"{legend_label(sampler, FEW)} / {verbatim(estimator, FEW)}",
            )
    ax.set_xscale("log")
    ax.axhline(1.0, color=GREY, linestyle=":")
    if np.any(table.variance <= 1e-12):
        ax.axvline(edge * 2, color=GREY, linestyle=":")
        ax.text(edge * 1.8, ax.get_ylim()[0], " no variance", rotation=90, ha="right", va="bottom", fontsize="x-small")
    ax.set_xlabel("variance of the gradient estimate / its squared mean")
    ax.set_ylabel("out-of-sample loss after equal work\nover that of all data, all paths")
    legend_beside(ax, grow=grow, title="observations / code", fontsize="x-small")
    ax.grid(alpha=0.3)
    return ax
