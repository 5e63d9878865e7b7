"""Figures of several panels: the Axes that were given, or new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import BadInput

Place = Literal["outside upper center", "outside lower center"]


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


def legend_of(figure: Figure, handles: Sequence[Any], labels: Sequence[str], *, loc: Place, most: int) -> None:
    """One legend for all panels, in as many columns as there is room for."""
    room = 72 * figure.get_figwidth()
    columns = next((n for n in range(most, 1, -1) if _width(labels, n) <= room), 1)
    figure.legend(handles, labels, loc=loc, ncols=columns, fontsize="small")


def _width(labels: Sequence[str], columns: int) -> float:
    """About how many points wide a legend is: of a letter in small print 5.2, of a handle with its margins 34."""
    split = np.array_split([len(label) for label in labels], min(columns, max(len(labels), 1)))
    return sum(5.2 * float(max(part, default=0)) + 34 for part in split)
