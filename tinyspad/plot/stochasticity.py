"""Fits of white-box models, and the measured Table 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import BadInput
from ..experiments import StochasticityTable, WhiteBoxFit, median_interval
from .palette import GREY
from .success import DASHES, LOOKS

FILLS = ("full", "none", "left", "bottom")

SIDES = {"train": "in-sample loss", "test": "out-of-sample loss"}


def white_box(*fits: WhiteBoxFit, axes: Sequence[Axes] | None = None) -> Figure:
    """In-sample and out-of-sample loss by step: a column for each fit, a line for each estimator.

    ``fits``: from ``experiments.white_box``. Lines are medians over the runs, bands their 95 % intervals; the dotted line is
    the loss of the parameters that made the data. ``axes``: two for each fit, in-sample ones first. Raises BadInput for
    anything else.

    >>> from tinyspad import plot
    >>> from tinyspad.experiments import white_box
    >>> figure = plot.white_box(white_box("demand", runs=5, steps=20, every=10))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['in-sample loss', 'out-of-sample loss']
    """
    if not fits or not all(isinstance(fit, WhiteBoxFit) for fit in fits):
        raise BadInput(f"plot.white_box draws what experiments.white_box returns, not {fits!r:.60}.")
    if axes is None:
        size = (3.4 * len(fits) + 1.2, 5.6)
        _, grid = plt.subplots(2, len(fits), figsize=size, layout="constrained", squeeze=False, sharex="col")
        axes = list(grid.flat)
    if len(axes) != 2 * len(fits):
        raise BadInput(f"plot.white_box: axes= are {2 * len(fits)}, not {len(axes)}.")
    for c, fit in enumerate(fits):
        for r, side in enumerate(SIDES):
            ax = axes[r * len(fits) + c]
            for k, name in enumerate(fit.estimators):
                values = getattr(fit, side)[k]
                color, marker = LOOKS[k % len(LOOKS)]
                found = np.array([median_interval(at) for at in values])
                found[~np.isfinite(found)] = np.nan
                look: dict[str, Any] = {"color": color, "linestyle": DASHES[k % len(DASHES)], "marker": marker}
                ax.plot(fit.steps, found[:, 0], label=name, markersize=4, markevery=(3 * k, 20), linewidth=1.5, **look)
                ax.fill_between(fit.steps, found[:, 1], found[:, 2], color=color, alpha=0.15, linewidth=0)
            ax.axhline(float(np.median(fit.truth[r])), color=GREY, linestyle=":", label="the true parameters")
            ax.set_yscale("log")
            truth = float(np.median(fit.truth[r]))
            drawn = np.median(getattr(fit, side), axis=-1)
            top = 30 * max(drawn[0, 0], truth)  # what diverges leaves the picture
            inside = drawn[np.isfinite(drawn) & (drawn < top)]
            ax.set_ylim(min(inside.min(initial=truth), truth) / 1.3, min(inside.max(initial=truth) * 2, top))
            ax.grid(alpha=0.3)
            if c == 0:
                ax.set_ylabel(SIDES[side])
        axes[c].set_title(f"{fit.model}, {fit.runs} runs", fontsize="medium")
        axes[len(fits) + c].set_xlabel("step")
    whole: Any = axes[0].figure
    handles, labels = axes[0].get_legend_handles_labels()
    whole.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
    return whole  # type: ignore[no-any-return]


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
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    shown = table.variance[table.variance > 1e-12]
    edge = float(shown.min()) / 10 if shown.size else 0.1
    shapes = ("o", "s", "^", "D", "v", "P")
    for o, sampler in enumerate(table.observations):
        for c, estimator in enumerate(table.code):
            value, low, high = median_interval(table.ratio[o, c])
            x = table.variance[o, c] if table.variance[o, c] > 1e-12 else edge
            x = float(x) * 1.04 ** (c - (len(table.code) - 1) / 2)  # marks of one variance beside each other
            color = LOOKS[c % len(LOOKS)][0]
            ax.errorbar(
                x,
                value,
                [[value - low], [high - value]],
                color=color,
                marker=shapes[o % len(shapes)],
                markersize=9,
                markeredgecolor="black",
                fillstyle=FILLS[c % len(FILLS)],
                markerfacecoloralt="white",
                elinewidth=0.8,
                linestyle="none",
                label=f"{sampler} / {estimator}",
            )
    ax.set_xscale("log")
    ax.axhline(1.0, color=GREY, linestyle=":")
    if np.any(table.variance <= 1e-12):
        ax.axvline(edge * 2, color=GREY, linestyle=":")
        ax.text(edge * 1.8, ax.get_ylim()[0], " no variance", rotation=90, ha="right", va="bottom", fontsize="x-small")
    ax.set_xlabel("variance of the gradient estimate / its squared mean")
    ax.set_ylabel("out-of-sample loss after equal work\nover that of all data, all paths")
    ax.legend(title="observations / code", fontsize="x-small", ncols=1, loc="center left", bbox_to_anchor=(1.01, 0.5))
    ax.grid(alpha=0.3)
    return ax
