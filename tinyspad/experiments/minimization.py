"""Figure 3: minimising f1 from x = 5 with all paths, random ones, selected ones and fixed ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functions
from ..estimators import GD, RAD, SPAD, Estimator, FixedPath
from ..optimize import Result, Results, minimize
from ..optimizers import Adam
from .blocks import uninterrupted

F1_ESTIMATORS: dict[str, Estimator] = {
    "GD": GD(),
    "RAD": RAD(),
    "SPAD": SPAD(k_max=50),
    "RAD, held": RAD(hold=50),
    "RAD, states by path": RAD(),
    "g1 alone": FixedPath(0),
    "g2 alone": FixedPath(1),
}
"""The five of the figure; a random path held for 50 steps, which is SPAD with m = 1 and k_max = 50; and one drawn at
every step, where each path has a state of Adam's of its own."""

RANDOM = {"RAD", "RAD, held", "RAD, states by path"}
BY_PATH = {"RAD, states by path"}


def minimize_f1(
    lr: float = 0.01, *, start: float = 5.0, runs: int = 50, steps: int = 2000, every: int | None = 10, rng: Any = 0
) -> Results:
    """Minimise f1 with Adam from one start with each of ``F1_ESTIMATORS``: the data of Figure 3.

    The estimators that draw at random are run ``runs`` times side by side, the deterministic ones once. ``lr``: 0.01 is
    what the paper calls Adam's default. ``every``: record every so many steps. Cost: about 0.2 ms per step and
    estimator.

    >>> results = minimize_f1(steps=200, runs=2)
    >>> round(results["GD"].x, 2), results["RAD"].x.shape
    (5.47, (2,))
    """
    results = {
        name: uninterrupted(
            minimize(
                functions.f1,
                np.full(runs, start) if name in RANDOM else start,
                estimator=estimator,
                optimizer=Adam(lr=lr, moments="path" if name in BY_PATH else "parameter"),
                steps=steps,
                every=every,
                rng=rng,
            )
        )
        for name, estimator in F1_ESTIMATORS.items()
    }
    return Results(results)


def success_rate(result: Result, minimum: float = 0.0, tolerance: float = 0.05) -> tuple[int, int]:
    """How many runs ended within ``tolerance`` of the minimum (paper, Definition 4), and of how many.

    >>> success_rate(minimize_f1(steps=0)["GD"])
    (0, 1)
    """
    values = np.atleast_1d(result.value)
    return int(np.sum(values - minimum < tolerance)), values.size
