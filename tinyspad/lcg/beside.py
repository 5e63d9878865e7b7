"""A traced function beside its point: its slopes by differences, and what last digits do to its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..differences import Difference, difference
from ..errors import BadInput
from ..paths import GRADIENT, sweep
from ..tape import Value, behind, operands, options_of, refuse_foreign, replay, rule_of, run_on
from .recorded import Recorded


def difference_beside(lcg: Recorded, source: int, noise: Any = 0.0) -> Difference:
    """The slope by one parameter from values alone. Raises BadInput if the LCG was built without its function."""
    if lcg.function is None:
        raise BadInput("This LCG was built without its function, so there is nothing to evaluate.")
    function = lcg.function

    def along(x: Any) -> Any:
        moved = [Value(x if i == source else a) for i, a in enumerate(lcg.arguments)]
        out = run_on(function, moved)
        refuse_foreign(out, "The difference")
        value = out._data if isinstance(out, Value) else out
        return value if lcg.batch or not np.shape(value) else np.reshape(value, ())[()]  # an array of one number

    return difference(along, lcg.arguments[source], noise)


def wobble(lcg: Recorded, seed: Any = None) -> list[Any]:
    """How uncertain the adjoint of each parameter is, because every number on the way to it has a last digit.

    The program is run again with every argument and the result of every operation moved by its last digit, up or down at
    random, and with all of them moved the other way: four times the most that an adjoint changes by is as much as
    roundings make. A partial derivative such as 1 - tanh(x)**2 loses digits far from 0. ``seed``: the adjoint of the
    output. 0 where nothing is known: where an operation has no value beside its own, or cannot be run again. Cost: three
    evaluations and sweeps.
    """
    return [4 * x for x in _apart(lcg, lcg.arguments, lcg.seed if seed is None else seed, exact=False)[1:]]


def noise_beside(lcg: Recorded) -> tuple[Any, dict[str, Any]]:
    """What roundings make of the output, and of the adjoints by parameter, in double precision and with exact arguments.

    This is the noise that differences of them meet. Cost: as for :func:`wobble`.
    """
    arguments = [np.asarray(x, np.float64)[()] for x in lcg.arguments]
    output, *adjoints = _apart(lcg, arguments, lcg.seed, exact=True)
    if not lcg.batch:
        output = np.max(output)  # also of an array of one number
    return output, dict(zip(lcg.params, adjoints))


def _apart(lcg: Recorded, arguments: Sequence[Any], seed: Any, exact: bool) -> list[Any]:
    """The most that output and adjoints are moved by last digits."""
    most: list[Any] = [np.zeros(np.shape(x)) for x in (lcg.value, *lcg.arguments)]
    if lcg.single_access.root is None:
        return most
    try:
        own, *beside = (_beside(lcg, arguments, seed, side, exact) for side in (0.0, 1.0, -1.0))
    except Exception:  # whatever an operation does not like beside its own arguments
        return most
    for i in range(len(most)):
        for other in beside:
            apart = np.abs(np.subtract(other[i], own[i]))
            most[i] = np.fmax(most[i], np.where(np.isfinite(apart), apart, 0.0))
    return most


def _beside(lcg: Recorded, arguments: Sequence[Any], seed: Any, side: float, exact: bool) -> list[Any]:
    """The output and the adjoints, with last digits moved to this side of what they are."""
    assert lcg.single_access.root is not None
    rng = np.random.default_rng(0)

    def nudged(x: Any) -> Any:
        if not side:
            return x
        towards = side * rng.choice([-np.inf, np.inf], np.shape(x))
        return np.nextafter(x, np.asarray(towards, np.result_type(x)))

    known = {id(leaf): x if exact else nudged(x) for leaf, x in zip(lcg.single_access.leaves, arguments)}
    results = replay(behind(lcg.single_access.root), known, nudged)
    weight: list[Any] = list(lcg.weight)
    for e, entry, position in lcg.single_access.origins:
        args = operands(entry, results)
        x = args[0][position] if rule_of(entry).sequence else args[position]
        weight[e] = rule_of(entry).edge(position, results[id(entry)], x, args, options_of(entry))
    return [results[id(lcg.single_access.root)], *sweep(lcg.structure, weight, GRADIENT, seed)[: len(lcg.params)]]
