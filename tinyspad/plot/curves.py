"""Functions of one variable, and the terms that their gradient is made of."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from ..errors import BadInput
from ..lcg import LCG
from .outside import FEW, legend_label, verbatim
from .palette import BLACK, BLUE, HATCHES, TERMS


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
    ax = plt.gca() if ax is None else ax
    xs, name = _axis(lcg, None)
    ax.plot(xs, lcg.value, **({"color": BLUE, "label": None if label is None else legend_label(label)} | line))
    ax.set_xlabel(verbatim(name))
    ax.set_ylabel(verbatim(f"f({name})" if label is None else label))
    return ax


def contributions(lcg: LCG, param: str | None = None, *, ax: Axes | None = None, limit: int = len(TERMS)) -> Axes:
    """Every path's contribution along an axis, stacked from zero, against their sum, the gradient.

    ``lcg``: a batch ``trace(f, xs)`` with xs of shape (R,). Positive terms are stacked upwards, negative ones
    downwards, so the black line is the difference of the two heights. Raises BadInput if xs is not an axis,
    TooManyPaths past ``limit``.

    >>> import numpy as np, tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.contributions(ts.trace(ts.functions.f1, np.linspace(0, 6, 200)))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['path 0: x -> x1 -> a -> z', 'path 1: x -> x2 -> b -> c -> d -> z', 'sum: the gradient']
    """
    ax = plt.gca() if ax is None else ax
    xs, name = _axis(lcg, param)
    terms = lcg.path_gradients(param, limit=limit)
    above, below = np.zeros_like(xs), np.zeros_like(xs)
    for i, term in enumerate(terms):
        up, down = np.maximum(term, 0), np.minimum(term, 0)
        color, hatch = TERMS[i % len(TERMS)], HATCHES[i % len(HATCHES)]
        look: dict[str, Any] = {"facecolor": color, "alpha": 0.45, "hatch": hatch, "edgecolor": color, "linewidth": 0.0}
        ax.fill_between(xs, above, above + up, label=legend_label(_short(lcg, i, name)), **look)
        ax.fill_between(xs, below, below + down, **look)
        above, below = above + up, below + down
    ax.plot(xs, np.sum(terms, axis=0), color=BLACK, linewidth=1.8, label="sum: the gradient")
    ax.axhline(0.0, color=BLACK, linewidth=0.6)
    ax.set_xlabel(verbatim(name))
    ax.set_ylabel(f"contribution to df/d{verbatim(name, FEW)}")
    ax.legend()
    return ax


def _short(lcg: LCG, i: int, name: str) -> str:
    """The path by its number, and by its variables where they fit."""
    through = str(lcg.nth_path(name, i))
    return f"path {i}: {through}" if len(through) <= 40 else f"path {i}"


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
