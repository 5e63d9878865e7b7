"""The terms of a gradient at one point: a ledger as bars, and the variance of drawing one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..arguments import briefly
from ..errors import BadInput
from ..experiments import VarianceCurve
from ..lcg import Ledger
from ..linearization import percent
from .decades import decades, room
from .outside import FEW, path_name, verbatim
from .palette import GREY, HATCHES, PURPLE, SKY, TERMS, VERMILLION, ink
from .panels import SIZE, legend_beside, own_axes

MOST_BARS = 30
"""So many paths at most have a bar of their own."""

ROW = 0.24
"""The height that a bar with its name needs, in inches."""


def ledger(ledger: Ledger, *, ax: Axes | None = None) -> Axes:
    """A ledger as bars: the paths' contributions, with their shares of all magnitudes, and their sum.

    ``ledger``: from ``lcg.ledger(param)``, of numbers. Of more paths than 30, or than ``ax`` has room for, the largest have
    bars of their own, and all others together one, exact. Where sizes differ by decades the axis is logarithmic. Raises
    BadInput for arrays, and where a contribution is not a finite number.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.ledger(ts.trace(ts.functions.f1, 5.0).ledger("x"))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['path 0: x -> x1 -> a -> z', 'path 1: x -> x2 -> b -> c -> d -> z', 'sum: the gradient']
    """
    if not isinstance(ledger, Ledger):
        raise BadInput(f"plot.ledger takes what lcg.ledger(param) returns, not {type(ledger).__name__}.")
    if np.ndim(ledger.products) != 1:
        raise BadInput("plot.ledger draws contributions that are numbers: trace the function at one point.")
    if not ledger.finite:
        raise BadInput(
            "A contribution is not a finite number, so there is no bar for it: lcg.trace_nonfinite() says where."
        )
    if ax is None:
        ledger = ledger.largest(MOST_BARS)
        ax = own_axes(None, size=(SIZE[0], 1.0 + ROW * (len(ledger.paths) + 3)))
    else:
        ax = own_axes(ax)
        fit = int(ax.get_window_extent().height / ax.figure.dpi / ROW) - 2
        ledger = ledger.largest(min(max(fit, 2), MOST_BARS))
    names = [path_name(path, k) for k, path in enumerate(ledger.paths, start=1)]
    values = [float(g) for g in ledger.products]
    told = [f"{value:.4g} ({percent(share)})" for value, share in zip(values, ledger.shares)]
    looks: list[dict[str, Any]] = [
        {"facecolor": TERMS[i % len(TERMS)], "alpha": 0.75, "hatch": HATCHES[i % len(HATCHES)]}
        for i in range(len(values))
    ]
    if ledger.others is not None:
        names.append(str(ledger.others))
        values.append(float(ledger.others.sum))
        told.append(f"{values[-1]:.4g} ({percent(ledger.others.share)})")
        looks.append({"facecolor": GREY, "alpha": 0.75})
    n = len(values)
    total = float(ledger.total)
    for i, (value, text, look) in enumerate(
        zip([*values, total], [*told, f"{total:.4g}"], [*looks, {"facecolor": ink()}])
    ):
        ax.barh(i, value, height=0.62, edgecolor=ink(), linewidth=0.8, **look)
        beside: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(text, (max(value, 0.0), i), fontsize="small", **beside)
    ax.axvline(0.0, color=ink(), linewidth=0.8)
    ax.axhline(n - 0.5, color=ink(), linewidth=0.6, linestyle=":")
    ax.set_yticks(range(n + 1), [*names, "sum: the gradient"])
    ax.set_ylim(n + 0.6, -0.6)
    scale = decades(ax, "x", [0.0, *values, total])
    room(ax, "x", min(0.0, *values, total), max(0.0, *values, total), 0.04, 0.4)
    ax.set_xlabel(f"contribution to d output / d{verbatim(ledger.param, FEW)} {scale}\n(share of all magnitudes)")
    return ax


def variance_curve(curve: VarianceCurve, *, ax: Axes | None = None) -> Axes:
    """The exact variance of the almost-Dirac estimator against epsilon, with those of uniform and magnitude sampling.

    ``curve``: from ``ts.experiments.variance_curve``. Both axes are logarithmic, variances in the square of the
    gradient's unit; where a variance is zero, the axis of variances is linear instead.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.variance_curve(ts.experiments.variance_curve(ts.functions.f1, 5.0))
    >>> ax.get_xlabel()
    'epsilon, the probability of leaving the largest path'
    """
    if not isinstance(curve, VarianceCurve):
        raise BadInput(
            f"plot.variance_curve takes what ts.experiments.variance_curve returns, not {type(curve).__name__}."
        )
    given, ax = ax is not None, own_axes(ax)
    ax.plot(curve.epsilons, curve.spad, color=PURPLE, linewidth=2.0, label="almost-Dirac on the largest path")
    ax.axhline(curve.rad, color=VERMILLION, linestyle="--", linewidth=1.6, label="uniform draw, times N")
    ax.axhline(curve.magnitude, color=SKY, linestyle="-.", linewidth=2.2, label="by magnitude: the least possible")
    if np.isfinite(curve.best_variance):
        ax.plot([curve.best], [curve.best_variance], "o", color=ink(), label=f"best epsilon, {curve.best:.3g}")
    ax.set_xscale("log")
    least = min(float(np.min(curve.spad)), curve.rad, curve.magnitude)
    if least > 1e-12 * curve.rad:
        ax.set_yscale("log")
    where = ", ".join(f"{name} = {x:g}" for name, x in curve.point.items())
    paths = f"{briefly(curve.paths)} paths of {verbatim(curve.param, FEW)}"
    at = verbatim(f"{curve.function} at {where}")
    ax.set_title(f"{at}:{' ' if len(at) + len(paths) < 60 else chr(10)}{paths}", fontsize="medium")
    ax.set_xlabel("epsilon, the probability of leaving the largest path")
    ax.set_ylabel(f"variance of the estimate of d/d{verbatim(curve.param, FEW)}")
    legend_beside(ax, grow=not given)
    return ax
