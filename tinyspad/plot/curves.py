"""Functions of one variable, and the terms that their gradient is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..arguments import integer
from ..errors import BadInput
from ..lcg import LCG
from ..linearization import percent
from .decades import decades
from .outside import FEW, legend_label, path_name, verbatim
from .palette import BLUE, GREY, HATCHES, TERMS, ink
from .panels import legend_beside, own_axes

CROSSING = 0.05
"""So large a part of a curve may be near zero without its being drawn by its logarithm."""


def function(lcg: LCG, *, ax: Axes | None = None, label: str | None = None, **line: Any) -> Axes:
    """The traced function along an axis (paper, Figure 2).

    ``lcg``: ``trace(f, xs)`` with xs of shape (R,), one parameter. ``line``: matplotlib line properties. Raises
    BadInput for any other trace.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.function(ts.trace(ts.functions.f1, np.linspace(-6, 6, 400)))
    >>> ax.get_xlabel()
    'x'
    """
    xs, name = _axis(lcg, None)
    ax = own_axes(ax)
    ax.plot(xs, lcg.value, **({"color": BLUE, "label": None if label is None else legend_label(label)} | line))
    ax.set_xlabel(verbatim(name))
    ax.set_ylabel(verbatim(f"f({name})" if label is None else label))
    return ax


def contributions(lcg: LCG, param: str | None = None, *, ax: Axes | None = None, limit: int = len(TERMS)) -> Axes:
    """Every path's contribution along an axis, stacked from zero, against their sum, the gradient.

    ``lcg``: a batch ``trace(f, xs)`` with xs of shape (R,). Positive terms are stacked upwards, negative ones
    downwards, so the line of the gradient is the difference of the two heights. Of more than ``limit`` paths those of the
    largest size anywhere are drawn, and the sum of all others as one area, exact. Where heights differ by decades the
    axis is logarithmic. Raises BadInput if xs is not an axis.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.contributions(ts.trace(ts.functions.f1, np.linspace(0, 6, 200)))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['path 0: x -> x1 -> a -> z', 'path 1: x -> x2 -> b -> c -> d -> z', 'sum: the gradient']
    """
    xs, name = _axis(lcg, param)
    shown = lcg.shown(param, integer(limit, "contributions: limit"))
    given, ax = ax is not None, own_axes(ax)
    terms: list[tuple[str, Any, str, str]] = [
        (path_name(path, i + 1), term, TERMS[i % len(TERMS)], HATCHES[i % len(HATCHES)])
        for i, (path, term) in enumerate(zip(shown.paths, shown.products))
    ]
    if shown.others is not None:
        terms.append((f"{shown.others}, {percent(shown.others.share)} of all sizes", shown.others.sum, GREY, ""))
    above, below = np.zeros_like(xs), np.zeros_like(xs)
    for label, term, color, hatch in terms:
        up, down = np.maximum(term, 0), np.minimum(term, 0)
        look: dict[str, Any] = {"facecolor": color, "alpha": 0.45, "hatch": hatch, "edgecolor": color, "linewidth": 0.0}
        ax.fill_between(xs, above, above + up, label=legend_label(label, 60), **look)
        ax.fill_between(xs, below, below + down, **look)
        above, below = above + up, below + down
    ax.plot(xs, np.broadcast_to(shown.total, xs.shape), color=ink(), linewidth=1.8, label="sum: the gradient")
    ax.axhline(0.0, color=ink(), linewidth=0.6)
    scale = decades(ax, "y", [0.0, *above, *below], steady=CROSSING)
    ax.set_xlabel(verbatim(name))
    ax.set_ylabel(f"contribution to df/d{verbatim(name, FEW)}{scale}")
    legend_beside(ax, grow=not given)
    return ax


def _axis(lcg: LCG, param: str | None) -> tuple[Any, str]:
    if not isinstance(lcg, LCG):
        raise BadInput(f"The plot takes a trace, such as trace(f, np.linspace(-6, 6, 400)), not {lcg!r:.60}.")
    name = param if param is not None else lcg.params[0]
    if name not in lcg.params:
        raise BadInput(f"There is no parameter {name!r}; the function has {', '.join(lcg.params)}.")
    xs = np.asarray(lcg.arguments[lcg.params.index(name)])
    if xs.ndim != 1 or lcg.batch != xs.shape:
        raise BadInput(
            "The plot needs an axis: trace an elementwise function on an array, trace(f, np.linspace(-6, 6, 400)), with "
            "every other argument an array of that shape, too (np.full_like). A function of a small vector is elementwise "
            "as ts.of_numbers(f, w)."
        )
    return xs, name
