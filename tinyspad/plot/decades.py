"""Axes of numbers that differ by decades: logarithmic, around zero symmetrically so, and saying it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

MOST = 1e3
"""Sizes that differ by more than this factor are drawn by their logarithms."""

ROUNDING = 1e-12
"""What is smaller than the largest by this factor is as good as zero."""


def decades(ax: Axes, which: Literal["x", "y"], values: Any, *, steady: float = 0.0) -> str:
    """Make an axis logarithmic if these values differ by decades, and tell what to add to its label, "" if they do not.

    Where some are zero or negative it is linear in between, around zero. ``steady``: so large a part of the values, the
    smallest ones, may be however small: a curve that crosses zero has such.

    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().gca()
    >>> decades(ax, "x", [1, 2, 3]), decades(ax, "x", [1, 1e4]), decades(ax, "y", [-1e6, 0, 0.2])
    ('', ' (logarithmic)', ' (logarithmic beyond ±0.1)')
    """
    found = np.ravel(np.asarray(values, float))
    found = found[np.isfinite(found)]
    sizes = np.sort(np.abs(found))
    sizes = sizes[sizes > ROUNDING * sizes.max(initial=0.0)]
    sizes = sizes[int(steady * len(sizes)) :]
    if not sizes.size or sizes[-1] <= MOST * sizes[0]:
        return ""
    scale = {"x": ax.set_xscale, "y": ax.set_yscale}[which]
    if found.min() > 0:
        scale("log")
        return " (logarithmic)"
    start = 10.0 ** np.floor(np.log10(sizes[0]))
    scale("symlog", linthresh=start, linscale=0.5)
    return f" (logarithmic beyond {'±' if found.min() < 0 else ''}{start:g})"


def room(ax: Axes, low: float, high: float, before: float, after: float) -> None:
    """Limits of the x-axis around low and high with these parts of their distance beside them, on whatever scale it has."""
    scale = ax.xaxis.get_transform()
    first, last = scale.transform(np.array([low, high]))
    span = (last - first) or 1.0
    ax.set_xlim(*scale.inverted().transform(np.array([first - before * span, last + after * span])))
