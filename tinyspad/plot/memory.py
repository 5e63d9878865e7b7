"""Accuracy against memory (paper, Figure 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from ..errors import BadInput
from .outside import legend_label, verbatim
from .palette import ink
from .panels import legend_beside, own_axes
from .success import method_looks


def memory_accuracy(
    runs: Mapping[str, tuple[Any, Any]],
    *,
    memory: str = "held for backward",
    accuracy: str = "test accuracy",
    ax: Axes | None = None,
) -> Axes:
    """Test accuracy against memory, a marker per method: the median of its repeats, each of which is a dot.

    ``runs``: by method, (memory in bytes, accuracy) of its repeats, two arrays of shape (repeats,) or two numbers.
    ``memory`` and ``accuracy``: what was measured, for the axes. The better corner is the upper left one. Raises BadInput
    for arrays that do not pair up or are not finite.

    >>> from matplotlib.figure import Figure
    >>> from tinyspad import plot
    >>> runs = {"exact": ([2.7e6, 2.7e6], [0.981, 0.979]), "a tenth of the paths": (1.8e6, 0.974)}
    >>> ax = plot.memory_accuracy(runs, ax=Figure().add_subplot())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['exact', 'a tenth of the paths']
    """
    if not isinstance(runs, Mapping) or not runs:
        raise BadInput('plot.memory_accuracy takes a dict of measurements, such as {"exact": (memory, accuracy)}.')
    measured = {name: _pairs(name, pair) for name, pair in runs.items()}
    grow, ax = ax is None, own_axes(ax)
    for name, look in method_looks(measured).items():
        held, good = measured[name]
        look["linestyle"] = "none"
        if held.size > 1:
            ax.plot(
                held, good, **look | {"marker": "o", "fillstyle": "full"}, markersize=4, alpha=0.6, markeredgewidth=0
            )
        edge = ink() if look["fillstyle"] == "full" else look["color"]
        ax.plot(
            np.median(held),
            np.median(good),
            **look,
            markersize=8,
            markeredgecolor=edge,
            label=legend_label(name),
            zorder=3,
        )
    ax.xaxis.set_major_formatter(EngFormatter(unit="B"))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set_xlabel(f"memory: {verbatim(memory)}")
    ax.set_ylabel(verbatim(accuracy))
    ax.annotate(
        "better", (0.76, 0.16), (0.86, 0.06), "axes fraction", arrowprops={"arrowstyle": "->"}, fontsize="small"
    )
    ax.grid(alpha=0.3)
    legend_beside(ax, grow=grow)
    return ax


def _pairs(name: str, pair: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A method's memories and accuracies, checked."""
    try:
        held, good = (np.atleast_1d(np.asarray(part, float)) for part in pair)
    except (TypeError, ValueError):
        raise BadInput(f'"{name}" is not a pair (memory, accuracy) of numbers or arrays.') from None
    if held.ndim != 1 or held.shape != good.shape or not held.size:
        raise BadInput(f'"{name}" has {held.size} memories and {good.size} accuracies; they pair up, one a repeat.')
    if not (np.all(np.isfinite(held)) and np.all(np.isfinite(good))):
        raise BadInput(f'"{name}" has a measurement that is not a finite number.')
    return held, good
