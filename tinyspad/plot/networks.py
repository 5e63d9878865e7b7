"""Training runs of networks, method by method (paper, Figures 8, 9, 11 and 12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import BadInput
from ..experiments import NetworkRuns
from .memory import memory_accuracy
from .outside import legend_label
from .panels import legend_of
from .success import method_looks

PANELS = {
    "train_loss": "cross-entropy, images trained on",
    "test_loss": "cross-entropy, test images",
    "train_accuracy": "accuracy, images trained on",
    "test_accuracy": "accuracy, test images",
}
MEASURES = {
    "held": "held for backward",
    "allocated": "peak allocation of a step",
    "resident": "rise of the peak resident size",
}


def learning_curves(runs: NetworkRuns, *, axes: Sequence[Axes] | None = None) -> Figure:
    """Loss and accuracy by iteration, on the images trained on and on the test images; four panels, a line for each method.

    ``runs``: from ``experiments.learning_curves``. Of several repeats the line is the median, and each is a dot where the
    line has a marker. ``axes``: four of them. Raises BadInput for anything else.

    >>> from tinyspad import plot
    >>> from tinyspad.experiments import learning_curves
    >>> figure = plot.learning_curves(learning_curves(methods=["baseline"], iterations=4, records=2))
    >>> figure.axes[3].get_ylabel()
    'accuracy, test images'
    """
    if not isinstance(runs, NetworkRuns):
        raise BadInput(f"plot.learning_curves draws what experiments.learning_curves returns, not {runs!r:.60}.")
    if axes is None:
        _, grid = plt.subplots(2, 2, figsize=(9.5, 7.2), layout="constrained", sharex=True)
        axes = list(grid.flat)
    if len(axes) != len(PANELS):
        raise BadInput(f"plot.learning_curves: axes= are {len(PANELS)}, not {len(axes)}.")
    for ax, (column, told) in zip(axes, PANELS.items()):
        for k, (name, look) in enumerate(method_looks(runs.runs).items()):
            repeats = runs.runs[name]
            values = np.array([getattr(run, column) for run in repeats])
            at, places = repeats[0].iteration, slice(k % 4, None, 4)
            look |= {"markevery": places, "markersize": 5, "linewidth": 1.4}
            ax.plot(at, np.median(values, axis=0), label=legend_label(name), **look)
            if len(repeats) > 1:
                dots: dict[str, Any] = {"color": look["color"], "linestyle": "none", "marker": ".", "markersize": 5}
                ax.plot(at[places], values[:, places].T, **dots, markeredgewidth=0, alpha=0.6)
        whole_runs = [getattr(run, column) for repeats in runs.runs.values() for run in repeats]
        after = np.concatenate([values[len(values) // 4 :] for values in whole_runs])
        if "accuracy" in column:  # the start, from guessing on, would take most of the room
            reach = 0.08 * (np.ptp(after) or 0.01)
            ax.set_ylim(after.min() - reach, after.max() + reach)
        ax.set_ylabel(told)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(alpha=0.3)
        if "loss" in column:
            ax.set_yscale("log")
    for ax in axes[2:]:
        ax.set_xlabel("iteration")
    whole = cast(Figure, axes[0].figure)
    legend_of(whole, *axes[0].get_legend_handles_labels(), loc="outside lower center", most=4)
    return whole


def memory_panels(runs: NetworkRuns) -> Figure:
    """Test accuracy against memory, a panel for each way in which memory was measured: they are never mixed.

    >>> from tinyspad import plot
    >>> from tinyspad.experiments import learning_curves
    >>> figure = plot.memory_panels(learning_curves(methods=["baseline", "RAD, same"], iterations=4, records=2))
    >>> [ax.get_xlabel() for ax in figure.axes]
    ['memory: held for backward', 'memory: peak allocation of a step']
    """
    if not isinstance(runs, NetworkRuns):
        raise BadInput(f"plot.memory_panels draws what experiments.learning_curves returns, not {runs!r:.60}.")
    kinds = [kind for kind in MEASURES if all(kind in measured for measured in runs.memory.values())]
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(4.2 * len(kinds), 4.6), layout="constrained", sharey=True, squeeze=False
    )
    for ax, kind in zip(axes[0], kinds):
        memory_accuracy(runs.memory_accuracy(kind), memory=MEASURES[kind], ax=ax)
        ax.get_legend().remove()
        if ax is not axes[0][0]:
            ax.set_ylabel("")
    legend_of(figure, *axes[0][0].get_legend_handles_labels(), loc="outside lower center", most=4)
    return figure
