"""Runs that may take so much work and no more, for the lowest value that they evaluate in the box.

Work is counted in evaluations: a step is one, of value and gradient; a selection, for which SPAD ranks the paths, is one
more; SciPy's is its nfev + njev, so that a point at which it asks for both is two. Whatever the method, what counts is the
least of all values that it evaluated within the work at points of the box, for some methods never settle.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ..arguments import State
from ..errors import BadInput
from ..estimators import ALL_PATHS, GD, RAD, SPAD, Draw, Estimator
from ..linearization import Linearized
from ..program import Program, compile
from .blocks import Block, minimized

HOLD = 50
"""For so many steps a path is held: RAD's and SPAD's."""

HOP = 0.05
"""So many widths of the box long is a hop of basin hopping, at most."""

SHORT = 200
"""So many evaluations has each start of gradient descent with restarts."""


@dataclass(frozen=True)
class Noisy(Estimator):
    """The gradient and isotropic normal noise, of the mean square that the error of a uniformly drawn path has there.

    Of the drawn path times the number of paths, that is, whose mean is the gradient: the mean over the parameters of
    ``RAD(normalize=True).variance`` is the variance of the noise in each of them, which draws for itself.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(lambda x, y: x**2 * y**2 * x, 3.0, 1.0)   # x has two paths, of 18 and 9, y one
    >>> ts.RAD(normalize=True).variance(lcg), Noisy().variance(lcg, "y")
    ({'x': 81.0, 'y': 0.0}, 40.5)
    """

    paths_only = True

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        gradient, variance = self.moments(lcg, param)
        noise = np.sqrt(variance) * rng.standard_normal(lcg.batch)
        return Draw(gradient + noise, np.full(lcg.batch, ALL_PATHS)[()], None)

    def moments(self, lcg: Linearized, param: str) -> tuple[Any, Any]:
        """The gradient, and the variance of the noise."""
        of_paths = RAD(normalize=True)
        return lcg.adjoint(param), sum(of_paths.moments(lcg, name)[1] for name in lcg.params) / len(lcg.params)


@dataclass(frozen=True)
class Method:
    """How a function is minimised. ``moments``: those of Adam. ``run``: what gives the lowest values of a block's runs;
    ``rated``: whether it has a learning rate."""

    estimator: Estimator
    moments: str
    run: Callable[[Block], list[float]]
    rated: bool = True


def evaluations(estimator: Estimator, work: int) -> int:
    """How many points can be evaluated for so much work: SPAD's selections, one every k_max steps, count as one each.

    >>> evaluations(RAD(hold=50), 2000), evaluations(SPAD(k_max=50), 2000)
    (2000, 1960)
    """
    if not isinstance(estimator, SPAD) or estimator.m == 1:
        return work
    held, left = divmod(work, estimator.k_max + 1)
    return held * estimator.k_max + max(left - 1, 0)


def followed(block: Block) -> list[float]:
    """One run from each start, for as long as the work lasts."""
    position, rng = block.begin()
    points = evaluations(block.cell.estimator, block.cell.steps)
    return _found(_values(block, position, points, rng).min(axis=0, initial=np.inf))


def restarted(block: Block) -> list[float]:
    """Runs of ``SHORT`` evaluations, the first from the start and the others from fresh ones, uniform in the box."""
    position, rng = block.begin()
    starts, runs, work = -(-block.cell.steps // SHORT), block.runs, block.cell.steps
    fresh = [rng.uniform(*side, (starts - 1) * runs) for side in block.cell.problem.box]
    every = tuple(np.concatenate(pair) for pair in zip(position, fresh))
    values = _values(block, every, min(SHORT, work), rng).reshape(-1, starts, runs)
    values[work - (starts - 1) * SHORT :, -1] = np.inf  # what the last one has no work left for
    return _found(values.min(axis=(0, 1)))


def hopped(block: Block) -> list[float]:
    """SciPy's basin hopping (Wales & Doye 1997) with L-BFGS-B in the box, stopped in the middle of it when the work is done.

    Its hops are at most a twentieth of the box's width in each coordinate, which is SciPy's own 0.5 in a box of width 10;
    all else is SciPy's default.
    """
    optimize, (position, rng) = scipy_optimize(), block.begin()
    box = np.array(block.cell.box)
    program = compile(block.cell.problem, len(box))
    generator = {"rng" if "rng" in _parameters(optimize.basinhopping) else "seed": rng}
    found = []
    for start in np.transpose(position):
        objective = Counted(program, box, block.cell.steps)
        with contextlib.suppress(_Spent):
            optimize.basinhopping(
                objective,
                start,
                niter=block.cell.steps,
                stepsize=HOP * float(np.max(box[:, 1] - box[:, 0])),
                minimizer_kwargs={"method": "L-BFGS-B", "jac": True, "bounds": block.cell.box},
                **generator,
            )
        found.append(objective.least)
    return found


class Counted:
    """Value and gradient at a point, two evaluations each; ``least``: the lowest value in the box so far."""

    def __init__(self, program: Program, box: np.ndarray[Any, Any], work: int) -> None:
        self.program, self.box = program, box
        self.left, self.least = work, np.inf

    def __call__(self, x: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        if self.left < 2:
            raise _Spent
        self.left -= 2
        value, *gradient = self.program.run("value_and_gradient", tuple(map(float, x)))
        if value < self.least and np.all((self.box[:, 0] <= x) & (x <= self.box[:, 1])):
            self.least = float(value)
        return value, np.array(gradient)


class _Spent(Exception):
    """The work is done."""


def scipy_optimize() -> Any:
    """SciPy's module. Raises BadInput where it is not installed."""
    try:
        return import_module("scipy.optimize")
    except ImportError:
        raise BadInput(
            "Basin hopping is SciPy's, which is not installed: `pip install scipy`, or leave this method out."
        ) from None


METHODS: dict[str, Method] = {
    "GD": Method(GD(), "parameter", followed),
    "GD, restarts": Method(GD(), "parameter", restarted),
    "GD, noise": Method(Noisy(), "parameter", followed),
    "RAD": Method(RAD(), "path", followed),
    "SPAD": Method(SPAD(k_max=HOLD), "path", followed),
    "RAD, held": Method(RAD(hold=HOLD), "path", followed),
    "basin hopping": Method(GD(), "parameter", hopped, rated=False),
}
"""Gradient descent, alone, with restarts and with noise; one path at a time, with moments of its own; and SciPy's."""


def _values(block: Block, position: Any, points: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """The values at the first so many points of every run, shape (points, runs): infinite outside of the box."""
    if points < 1:
        return np.full((1, len(position[0])), np.inf)
    cell = block.cell
    history = minimized(cell, position, points - 1, rng, every=1, keep_paths=False).history
    assert history is not None
    values = history.values.astype(float)
    for x, (low, high) in zip(history.x.values(), cell.problem.box):
        values[~((low <= x) & (x <= high))] = np.inf
    values[~np.isfinite(values)] = np.inf
    return values


def _found(values: np.ndarray[Any, Any]) -> list[float]:
    found: list[float] = values.tolist()
    return found


def _parameters(function: Callable[..., Any]) -> Any:
    return inspect.signature(function).parameters
