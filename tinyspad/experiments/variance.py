"""The variance of the almost-Dirac estimator against epsilon, between those of a uniform draw and of magnitude sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..displays import cut, few, line, page, summary
from ..errors import BadInput
from ..estimators import RAD, SPAD, Magnitude
from ..lcg import trace
from ..table import Table

EPSILONS = tuple(float(e) for e in np.concatenate([np.geomspace(0.005, 0.5, 41), np.linspace(0.51, 0.995, 40)]))
"""Where the curve is taken: close together at small epsilon, where it is steep."""


@dataclass(frozen=True, eq=False, repr=False)
class VarianceCurve:
    """Exact variances of normalised estimators of one derivative, all of one path drawn.

    ``spad``: of ``SPAD(epsilon=e, normalize=True)`` at each of ``epsilons``, which ascend; ``rad``: of a uniform draw;
    ``magnitude``: of a draw by |g|, the least possible; ``best``: the epsilon of least variance (in closed form; see
    ``SPAD.best_epsilon``), ``best_variance`` there. ``gradient``: what all of them estimate, of ``paths`` paths.
    """

    function: str
    param: str
    point: dict[str, float]
    paths: int
    gradient: float
    epsilons: np.ndarray[Any, Any]
    spad: np.ndarray[Any, Any]
    rad: float
    magnitude: float
    best: float
    best_variance: float

    def __repr__(self) -> str:
        at = few((f"{cut(name)} = {summary(x)}" for name, x in self.point.items()), letters=50)
        least = f"least variance {summary(self.best_variance)} at epsilon {summary(self.best)}"
        return line(f"VarianceCurve of {cut(self.param)} in {cut(self.function)} at {at}: {least}")

    def _repr_html_(self) -> str:
        rows = [("uniform draw", "", self.rad), ("SPAD, least", self.best, self.best_variance)]
        rows += [("SPAD", e, v) for e, v in zip(self.epsilons[::10], self.spad[::10])]
        return page(
            repr(self)[1:-1],
            Table(
                ("estimator", "epsilon", "variance"), [*rows, ("draw by |g|", "", self.magnitude)], ("", ".4g", ".6g")
            ),
        )


def variance_curve(
    f: Callable[..., Any], *point: float, param: str | None = None, epsilons: Sequence[float] = EPSILONS
) -> VarianceCurve:
    """The exact variance of SPAD's Algorithm 1 against epsilon (paper, equations (4) and (5)).

    a**2/(1 - eps) + b**2/eps - G**2 with a the largest |g|, b**2 = (N - 1) times the sum of the other squares, G the
    gradient. ``param``: by which parameter, the first if left out. Raises BadInput for a point that is not numbers, a
    parameter that has fewer than two paths, contributions that are not finite or whose squares are not, and an epsilon
    that is not between 0 and 1. Cost: a few sweeps per epsilon.

    >>> import tinyspad as ts
    >>> curve = ts.experiments.variance_curve(ts.functions.beale, 1.0, 2.0)
    >>> round(curve.best, 3), curve.magnitude < curve.best_variance < curve.rad
    (0.414, True)
    """
    lcg = trace(f, *point)
    if not lcg.params:
        raise BadInput(
            "variance_curve takes a function of at least one parameter, and a point: variance_curve(f1, 5.0)."
        )
    name = lcg.params[0] if param is None else param
    if lcg.batch or not lcg.elementwise:
        raise BadInput("variance_curve takes one point of numbers, such as variance_curve(f1, 5.0).")
    if lcg.count_paths(name) < 2:
        raise BadInput(f'"{name}" has {lcg.count_paths(name)} paths: with fewer than two there is nothing to choose.')
    try:
        values = np.unique(np.asarray(list(epsilons), float))
    except (TypeError, ValueError):
        values = np.array([])
    if not values.size or not np.all((values > 0) & (values < 1)):
        raise BadInput(f"epsilons= are numbers between 0 and 1, both excluded, not {epsilons!r:.60}.")
    with np.errstate(all="ignore"):
        total = float(lcg.sweep("magnitude")[name])
    if not total * np.sqrt(float(lcg.count_paths(name))) < 1e150:
        raise BadInput(f"The contributions to d/d{name} are not finite there, or too large to be squared.")
    best = float(SPAD.best_epsilon(lcg, name))
    least = SPAD(epsilon=best, normalize=True).variance(lcg, name) if 0 < best < 1 else np.nan
    return VarianceCurve(
        getattr(f, "__name__", type(f).__name__),
        name,
        dict(zip(lcg.params, lcg.arguments)),
        lcg.count_paths(name),
        float(lcg.adjoint(name)),
        values,
        np.array([SPAD(epsilon=float(e), normalize=True).variance(lcg, name) for e in values]),
        float(RAD(normalize=True).variance(lcg, name)),
        float(Magnitude().variance(lcg, name)),
        best,
        float(least),
    )
