"""Minimisation runs side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from ..errors import BadInput
from ..optimize import Result
from .outside import FEW, UPRIGHT, legend_label, verbatim
from .palette import styles
from .panels import legend_beside, own_axes


def compare(results: Mapping[str, Result], *, ax: Axes | None = None) -> Axes:
    """The function's value at every recorded step, one line per estimator (paper, Figure 3).

    ``results``: as from ``ts.compare``, with histories. For a batch of runs the line is the median and the band holds
    the middle 80 % of them. For values over many orders of magnitude call
    ``ax.set_yscale("log")`` on what it returns. Raises BadInput if a result has no history.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.compare(ts.compare(ts.functions.f1, 5.0, {"GD": ts.GD(), "RAD": ts.RAD()}, steps=50, rng=0))
    >>> ax.get_ylabel()
    'f(x)'
    """
    if not isinstance(results, Mapping):
        raise BadInput(f'plot.compare takes a dict of results, such as {{"GD": result}}, not {type(results).__name__}.')
    grow, ax = ax is None, own_axes(ax)
    parameters: dict[str, None] = {}  # in the order of f
    for (name, result), style in zip(results.items(), styles(results).values()):
        history = result.history
        if history is None:
            raise BadInput(f'"{name}" has no history to draw: run it with every=1 (or every=10, ...).')
        parameters |= dict.fromkeys(history.x)
        values = np.where(np.isfinite(history.values), history.values, np.nan)
        if values.ndim == 1:
            ax.plot(history.steps, values, label=legend_label(name), **style)
            continue
        low, middle, high = np.nanquantile(values.reshape(len(values), -1), [0.1, 0.5, 0.9], axis=1)
        runs = values[0].size
        ax.plot(history.steps, middle, label=f"{legend_label(name, FEW)} (median of {runs}, band 10-90 %)", **style)
        ax.fill_between(history.steps, low, high, color=style["color"], alpha=0.18, linewidth=0)
    ax.set_xlabel("step")
    ax.set_ylabel(verbatim(f"f({', '.join(parameters)})", UPRIGHT))
    legend_beside(ax, grow=grow)
    return ax
