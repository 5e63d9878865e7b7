"""Where a picture is drawn: on the Axes that were given, or on a figure of its own; and its legend, beside the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import ScaledTranslation

from ..errors import BadInput

Place = Literal["outside upper center", "outside lower center"]

SIZE = (6.4, 4.0)
"""Of a figure of one panel, in inches."""

ROOM = 0.42
"""The most of a picture's width that a legend on its right may have."""


def own_axes(ax: Axes | None, *, size: tuple[float, float] = SIZE) -> Axes:
    """``ax``, or, where it is None, Axes in a new figure: what was drawn before is left alone.

    ``size``: of the figure, in inches. Raises BadInput for something that is no Axes.
    """
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise BadInput(f"ax= takes the Axes to draw on, such as plt.subplots()[1], not {ax!r:.60}.")
    return ax


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


def legend_beside(ax: Axes, *, grow: bool, **look: Any) -> Legend | None:
    """The legend of ``ax`` on the right of it, or below where it is too wide for that: never over the data.

    ``grow``: whether the figure is this plot's own, and grows by the legend; otherwise the Axes give way. For that, a
    figure that has no layout engine gets matplotlib's constrained one. ``look``: for ``ax.legend``. None without entries.
    """
    figure = ax.figure.canvas.figure
    if figure.get_layout_engine() is None and ax.get_subplotspec() is not None:
        figure.set_layout_engine("constrained")
    look = {"fontsize": "small", "borderaxespad": 0.0} | look
    if not (look.get("handles") or ax.get_legend_handles_labels()[0]):
        return None
    # matplotlib has no place below the numbers and the name of the axis: it is reckoned in points, from their sizes.
    gap = 2.4 * plt.rcParams["font.size"] + 10
    below = ax.transAxes + ScaledTranslation(0, -gap / 72, figure.dpi_scale_trans)
    right: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0)} | look
    under: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0), "bbox_transform": below} | look
    box = ax.get_window_extent()
    across, tall = (figure.get_figwidth(), 1e9) if grow else (box.width / figure.dpi, box.height / figure.dpi)
    legend = ax.legend(ncols=1, **right)
    width, height = beside = _inches(legend)
    if width > ROOM * across:
        for columns in _columns(len(legend.get_texts())):
            legend = ax.legend(ncols=columns, **under)
            width, height = _inches(legend)
            if width <= across * (0.85 if grow else 1.0):
                break
        room = 0.92 * figure.get_figwidth() - box.x0 / figure.dpi
        if not grow and width > room:  # smaller letters, where no place is wide enough
            size = legend.get_texts()[0].get_fontsize() * room / width
            legend = ax.legend(ncols=1, **under | {"fontsize": max(0.95 * size, 4.0)})
        if height / tall > beside[0] / across and beside[0] < room:  # it would take more of the Axes than beside them
            legend = ax.legend(ncols=1, **right)
        elif grow:
            figure.set_size_inches(max(across, width + 1.0), figure.get_figheight() + height)
    elif grow:
        figure.set_size_inches(across + width, max(figure.get_figheight(), height + 0.3))
    return legend


def legend_of(figure: Figure, handles: Sequence[Any], labels: Sequence[str], *, loc: Place, most: int) -> None:
    """One legend for all panels, in as many columns as there is room for."""
    for columns in _columns(min(most, len(labels))):
        legend = figure.legend(handles, labels, loc=loc, ncols=columns, fontsize="small")
        if columns == 1 or _inches(legend)[0] <= figure.get_figwidth():
            return
        legend.remove()


def _columns(most: int) -> Iterator[int]:
    return iter(range(max(most, 1), 0, -1))


def _inches(legend: Legend) -> tuple[float, float]:
    """Width and height."""
    box, dpi = legend.get_window_extent(), legend.figure.canvas.figure.dpi
    return float(box.width) / dpi, float(box.height) / dpi
