"""A function beside its point: its slopes by differences, and what last digits do to its gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arguments import Data
from ..differences import Difference, difference
from ..paths import GRADIENT, sweep
from .point import Point


def difference_beside(at: Point, source: int, noise: Data = 0.0) -> Difference:
    """The slope by one parameter from values alone. Raises BadInput if the function is not known."""

    def along(x: Data) -> Data:
        moved = _spread(at, [x if i == source else a for i, a in enumerate(at.arguments)])
        value = at.code.evaluate(moved)
        value = value if at.observed is None else at.summed(at.observed * value)
        return value if at.batch or not np.shape(value) else np.reshape(value, ())[()]  # an array of one number

    return difference(along, at.arguments[source], noise)


def wobble(at: Point, seed: Data = None) -> list[Data]:
    """How uncertain the adjoint of each parameter is, because every number on the way to it has a last digit.

    The program is run again with every argument and the result of every operation moved by its last digit, up or down at
    random, and with all of them moved the other way: four times the most that an adjoint changes by is as much as
    roundings make. A partial derivative such as 1 - tanh(x)**2 loses digits far from 0. ``seed``: the adjoint of the
    output. 0 where nothing is known: where an operation has no value beside its own, or cannot be run again. Cost: three
    evaluations and sweeps.
    """
    return [4 * x for x in _apart(at, at.arguments, at.seed if seed is None else seed, exact=False)[1:]]


def noise_beside(at: Point) -> tuple[Data, dict[str, Data]]:
    """What roundings make of the output, and of the adjoints by parameter, in double precision and with exact arguments.

    This is the noise that differences of them meet. Cost: as for :func:`wobble`.
    """
    arguments = [np.asarray(x, np.float64)[()] for x in at.arguments]
    output, *adjoints = _apart(at, arguments, at.seed, exact=True)
    if not at.batch:
        output = np.max(output)  # also of an array of one number
    return output, dict(zip(at.params, adjoints))


def _apart(at: Point, arguments: Sequence[Data], seed: Data, exact: bool) -> list[Data]:
    """The most that output and adjoints are moved by last digits."""
    most: list[Data] = [np.zeros(np.shape(x)) for x in (at.value, *at.arguments)]
    try:
        own, *beside = (_beside(at, arguments, seed, side, exact) for side in (0.0, 1.0, -1.0))
    except Exception:  # whatever an operation does not like beside its own arguments
        return most
    for i in range(len(most)):
        for other in beside:
            apart = np.abs(np.subtract(other[i], own[i]))
            most[i] = np.fmax(most[i], np.where(np.isfinite(apart), apart, 0.0))
    return most


def _beside(at: Point, arguments: Sequence[Data], seed: Data, side: float, exact: bool) -> list[Data]:
    """The output and the adjoints, with last digits moved to this side of what they are."""
    rng = np.random.default_rng(0)

    def nudged(x: Data) -> Data:
        if not side or np.result_type(x).kind != "f":
            return x
        towards = side * rng.choice([-np.inf, np.inf], np.shape(x))
        return np.nextafter(x, np.asarray(towards, np.result_type(x)))

    output, weight = at.code.replay(_spread(at, arguments if exact else list(map(nudged, arguments))), nudged)
    if at.observed is not None:
        output = at.observed * output
    return list(map(at.summed, [output, *sweep(at.structure, weight, GRADIENT, seed)[: len(at.params)]]))


def _spread(at: Point, arguments: Sequence[Data]) -> Sequence[Data]:
    """Arguments as whoever computes takes them: for each observation, where there are some."""
    return arguments if at.observed is None else [np.broadcast_to(a, at.observed.shape) for a in arguments]
