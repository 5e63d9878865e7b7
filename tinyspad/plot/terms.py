"""The terms of a gradient at one point: a ledger as bars, and the variance of drawing one of them."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from ..errors import BadInput
from ..experiments import VarianceCurve
from ..lcg import Ledger
from .outside import FEW, verbatim
from .palette import HATCHES, PURPLE, SKY, TERMS, VERMILLION, ink

MOST_BARS = 30


def ledger(ledger: Ledger, *, ax: Axes | None = None) -> Axes:
    """A ledger as bars: every path's contribution, with its share of all magnitudes, and their sum.

    ``ledger``: from ``lcg.ledger(param)``, of numbers. Raises BadInput for arrays, and for more than 30 paths.

    >>> import tinyspad as ts
    >>> from tinyspad import plot
    >>> ax = plot.ledger(ts.trace(ts.functions.f1, 5.0).ledger("x"))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['path 0: x -> x1 -> a -> z', 'path 1: x -> x2 -> b -> c -> d -> z', 'sum: the gradient']
    """
    if not isinstance(ledger, Ledger):
        raise BadInput(f"plot.ledger takes what lcg.ledger(param) returns, not {type(ledger).__name__}.")
    n = len(ledger.paths)
    if np.ndim(ledger.products) != 1:
        raise BadInput("plot.ledger draws contributions that are numbers: trace the function at one point.")
    if n > MOST_BARS:
        raise BadInput(f"{n} bars cannot be read, at most {MOST_BARS}: print the ledger, or draw lcg.top_paths.")
    values = [float(g) for g in ledger.products]
    if not np.all(np.isfinite([*values, float(ledger.total)])):
        raise BadInput(
            "A contribution is not a finite number, so there is no bar for it: lcg.trace_nonfinite() says where."
        )
    ax = plt.gca() if ax is None else ax
    texts = [str(path) for path in ledger.paths]
    texts = [f"path {i}: {verbatim(text)}" if len(text) <= 40 else f"path {i}" for i, text in enumerate(texts)]
    for i, value in enumerate(values):
        look: dict[str, Any] = {"facecolor": TERMS[i % len(TERMS)], "edgecolor": ink(), "linewidth": 0.8}
        ax.barh(i, value, height=0.62, alpha=0.75, hatch=HATCHES[i % len(HATCHES)], **look)
    ax.barh(n, float(ledger.total), height=0.62, facecolor=ink(), edgecolor=ink())
    told = [f"{value:.4g} ({share:.0%})" for value, share in zip(values, ledger.shares)]
    for i, (value, text) in enumerate(zip([*values, float(ledger.total)], [*told, f"{float(ledger.total):.4g}"])):
        beside: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(text, (max(value, 0.0), i), fontsize="small", **beside)
    ax.axvline(0.0, color=ink(), linewidth=0.8)
    ax.axhline(n - 0.5, color=ink(), linewidth=0.6, linestyle=":")
    ax.set_yticks(range(n + 1), [*texts, "sum: the gradient"])
    ax.set_ylim(n + 0.6, -0.6)
    low, high = min(0.0, *values, float(ledger.total)), max(0.0, *values, float(ledger.total))
    span = (high - low) or 1.0
    ax.set_xlim(low - 0.04 * span, high + 0.32 * span)
    ax.set_xlabel(f"contribution to d output / d{verbatim(ledger.param, FEW)} (share of all magnitudes)")
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
    ax = plt.gca() if ax is None else ax
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
    at, paths = verbatim(f"{curve.function} at {where}"), f"{curve.paths} paths of {verbatim(curve.param, FEW)}"
    ax.set_title(f"{at}: {paths}", fontsize="medium")
    ax.set_xlabel("epsilon, the probability of leaving the largest path")
    ax.set_ylabel(f"variance of the estimate of d/d{verbatim(curve.param, FEW)}")
    ax.legend(fontsize="small")
    return ax
