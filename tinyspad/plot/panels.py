"""Figures of several panels: the Axes that were given, or new ones."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from ..errors import BadInput


def panels(
    axes: Any, number: int, *, columns: int, size: tuple[float, float], **shared: Any
) -> tuple[list[Axes], bool]:
    """``number`` Axes, and whether they are new: those of ``axes``, or, where it is None, of a new figure, row by row.

    ``size``: of the figure, in inches. Raises BadInput for another number of Axes, or for something else.
    """
    if axes is None:
        rows = -(-number // columns)
        grid = plt.subplots(rows, columns, layout="constrained", figsize=size, squeeze=False, **shared)[1]
        flat = list(grid.ravel())
        for ax in flat[number:]:
            ax.remove()
        return flat[:number], True
    found = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(found) != number or not all(isinstance(ax, Axes) for ax in found):
        raise BadInput(f"There are {number} panels to draw: axes= is a list of that many Axes.")
    return found, False
