"""Axes of numbers that differ by decades: logarithmic, around zero symmetrically so, and saying it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

MOST = 1e3
"""Sizes that differ by more than this factor are drawn by their logarithms."""

ROUNDING = 1e-12
"""What is smaller than the largest by this factor is as good as zero."""


TICKS = 7
"""So many numbers at most stand along an axis of powers of ten."""


def decades(ax: Axes, which: Literal["x", "y"], values: Any, *, steady: float = 0.0) -> str:
    """Make an axis logarithmic if these values differ by decades, and tell what to add to its label, "" if they do not.

    Where some are zero or negative it is linear in between, around zero. ``steady``: so large a part of the values, the
    smallest ones, may be however small: a curve that crosses zero has such.

    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().gca()
    >>> decades(ax, "x", [1, 2, 3]), decades(ax, "x", [1, 1e4]), decades(ax, "y", [-1e6, 0, 0.2])
    ('', '\\n(logarithmic)', '\\n(logarithmic beyond ±0.1)')
    """
    found = np.ravel(np.asarray(values, float))
    found = found[np.isfinite(found)]
    sizes = np.sort(np.abs(found))
    sizes = sizes[sizes > ROUNDING * sizes.max(initial=0.0)]
    sizes = sizes[int(steady * len(sizes)) :]
    if not sizes.size or sizes[-1] <= MOST * sizes[0]:
        return ""
    scale = {"x": ax.set_xscale, "y": ax.set_yscale}[which]
    low, high = float(found.min()), float(found.max())
    told = "\n(logarithmic)"
    if low > 0:
        scale("log")
    else:
        start = 10.0 ** np.floor(np.log10(sizes[0]))
        scale("symlog", linthresh=start, linscale=1.0)
        locator: Any = {"x": ax.xaxis, "y": ax.yaxis}[which].get_major_locator()
        locator.set_params(numticks=TICKS)
        told = f"\n(logarithmic beyond {'±' if low < 0 else ''}{start:g})"
    room(ax, which, low, high, 0.05, 0.05)
    return told


def room(ax: Axes, which: Literal["x", "y"], low: float, high: float, before: float, after: float) -> None:
    """Limits of an axis around low and high with these parts of their distance beside them, on whatever scale it has."""
    scale = {"x": ax.xaxis, "y": ax.yaxis}[which].get_transform()
    first, last = scale.transform(np.array([low, high]))
    span = (last - first) or 1.0
    limits = scale.inverted().transform(np.array([first - before * span, last + after * span]))
    ax.set(**{f"{which}lim": tuple(limits)})
