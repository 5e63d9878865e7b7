"""What is minimised, in which writing, where its runs start, and when a run that ended has succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import functions as problems
from ..arguments import Array, name_of, parameter_count
from ..errors import BadInput
from ..functions import Problem, written
from ..functions.problem import least_value, points


@dataclass(frozen=True)
class Normal:
    """Starts drawn from a normal distribution, every coordinate by itself: ``boxes=Normal(0.0, 1.5)``.

    >>> import tinyspad as ts
    >>> around = ts.experiments.Normal(0.0, 1.5)
    >>> ts.experiments.success_rates("booth", {"GD": ts.GD()}, boxes=around, runs=5, steps=5).provenance["starts"]
    'booth N(0, 1.5)^2'
    """

    mean: float = 0.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        try:
            fits = np.isfinite([self.mean, self.spread]).all() and self.spread >= 0
        except TypeError:
            fits = False
        if not fits:
            raise BadInput(f"Normal: mean and spread are finite numbers, the spread at least 0, not {self!r:.60}.")

    def __str__(self) -> str:
        return f"N({self.mean:g}, {self.spread:g})"


Side = tuple[float, float] | Normal

Box = tuple[Side, ...]
"""Where starts are drawn, for each parameter: uniformly between two ends, or from a normal distribution."""

CRITERIA = {
    "value": "f within the tolerance of its minimum",
    "distance": "within the tolerance of the nearest minimizer",
}
"""What counts as success (paper, Definition 4, which writes arg min f where its f(X_T) asks for min f)."""


STANDS_IN = "minimum"
"""Where a provenance says that a value that was found stands in for the minimum."""


def starts(box: Box, runs: int, rng: np.random.Generator) -> tuple[Array, ...]:
    """So many starts, an array for each parameter."""
    return tuple(
        rng.normal(side.mean, side.spread, runs) if isinstance(side, Normal) else rng.uniform(*side, runs)
        for side in box
    )


def distance(position: Any, minimizers: Iterable[tuple[float, ...]]) -> Array:
    """How far runs are from the nearest of these points; ``position``: an array of shape (parameters, runs).

    >>> distance(np.array([[3.0, 0.0], [4.0, 1.0]]), [(0.0, 0.0), (0.0, 2.0)]).round(2).tolist()
    [3.61, 1.0]
    """
    away = [np.linalg.norm(np.subtract(position, np.array(point)[:, None]), axis=0) for point in minimizers]
    return np.min(away, axis=0)


def stand_ins(runs: Iterable[tuple[Problem, Array]]) -> dict[str, float]:
    """Of functions whose minimum is not known, by name: the least value at which a run of them ended.

    ``runs``: problems, each with the values at which runs of it ended; several writings are one function. NaN where none is
    finite.
    """
    found: dict[str, float] = {}
    for problem, values in runs:
        if not np.isfinite(problem.minimum):
            least = np.min(values, where=np.isfinite(values), initial=np.inf)
            found[problem.name] = min(found.get(problem.name, np.inf), float(least))
    return {name: least if np.isfinite(least) else np.nan for name, least in found.items()}


def away(problem: Problem, criterion: str, values: Array, position: Sequence[Array]) -> Array:
    """By how much runs miss, by one of ``CRITERIA``."""
    return values - problem.minimum if criterion == "value" else distance(position, problem.minimizers)


# --- arguments --------------------------------------------------------------------------------------------------------


def chosen_problems(
    functions: Any, writing: str | Mapping[str, str] | None = None, minimum: Any = None, minimizers: Any = None
) -> list[Problem]:
    """The problems that were named, in the writing that was asked for; raises BadInput for what is none, or given twice."""
    listed = [functions] if isinstance(functions, str) or callable(functions) else functions
    if isinstance(listed, Mapping) or not isinstance(listed, Iterable) or not (listed := list(listed)):
        raise BadInput(
            f"functions: give problems or their names in a list, such as [ts.functions.beale], not {listed!r:.60}."
        )
    found = [_problem(f) for f in listed]
    if writing is not None:
        found = _written(found, writing)
    for what, known in (("minimum", minimum), ("minimizers", minimizers)):
        check_names(what, known, found)
    found = [_known(p, of_one(minimum, p, found), of_one(minimizers, p, found)) for p in found]
    names = [name_of(p) for p in found]
    if len(set(names)) < len(names):
        raise BadInput(f"functions: {', '.join(names)}: give each once.")
    return found


def check_names(what: str, known: Any, chosen: list[Problem]) -> None:
    """Raise BadInput for a name in a dict that is none of the functions', nor of any test function."""
    names = {name for p in chosen for name in (p.name, name_of(p))}
    for name in known if isinstance(known, Mapping) else ():
        if name not in names and name not in problems.ALL:
            raise BadInput(f"{what}=: {name!r:.60} is no function here; there are {', '.join(sorted(names))}.")


def of_one(known: Any, problem: Problem, chosen: list[Problem]) -> Any:
    """What is said of one function: by its name where a dict says it, and otherwise of the only one."""
    if isinstance(known, Mapping):
        return known.get(name_of(problem), known.get(problem.name))
    if known is not None and len(chosen) > 1:
        raise BadInput(
            "minimum= and minimizers= of several functions are dicts by their names, such as minimum={'mine': 0.0}."
        )
    return known


def _problem(f: Any) -> Problem:
    if isinstance(f, str):
        name, _, writing = f.partition(", ")  # as tables name it
        if name not in problems.ALL:
            raise BadInput(f"{f!r:.60} is not a problem of ts.functions: {', '.join(problems.ALL)}.")
        f = written(problems.ALL[name], writing) if writing else problems.ALL[name]
    if not callable(f) or isinstance(f, type):
        raise BadInput(f"{f!r:.60} is not a problem of ts.functions ({', '.join(problems.ALL)}), and no function.")
    if not isinstance(f, Problem):
        writings = getattr(f, "writings", None)
        writings = writings if isinstance(writings, Mapping) else {}
        own = next((name for name, g in writings.items() if g is f), "as given")
        others = {name: g for name, g in writings.items() if name != own}
        sides = ((np.nan, np.nan),) * parameter_count(
            f, "success_rates", "make a ts.functions.Problem of it, whose box tells"
        )
        f = Problem(name_of(f), f, sides, writing=own, writings=others)
    return f


def _known(problem: Problem, minimum: Any, minimizers: Any) -> Problem:
    known: dict[str, Any] = {} if minimum is None else {"minimum": least_value(minimum)}
    if minimizers is not None:
        known["minimizers"] = points(minimizers, len(problem.box))
    return replace(problem, **known) if known else problem


def _written(found: list[Problem], writing: str | Mapping[str, str]) -> list[Problem]:
    """Each in its writing; one name for all is for those that have it, and at least one is to have it."""
    if isinstance(writing, Mapping):
        names = [p.name for p in found]
        for name in writing:
            if name not in names:
                raise BadInput(f"writing=: {name!r:.60} is not among the functions: {', '.join(names)}.")
        return [_in_writing(p, writing[p.name]) if p.name in writing else p for p in found]
    if not isinstance(writing, str) or not any(writing in p.writings for p in found):
        told = "; ".join(f"{p.name}: {', '.join(p.writings)}" for p in found)
        raise BadInput(f"There is no writing {writing!r:.60} of these functions. There are {told}.")
    return [_in_writing(p, writing) if writing in p.writings else p for p in found]


def _in_writing(problem: Problem, writing: str) -> Problem:
    found = problem if writing == problem.writing else written(problem, writing)
    assert isinstance(found, Problem)
    return found


def check_criterion(criterion: Any, chosen: list[Problem]) -> None:
    """Raise BadInput unless the criterion is one of the two, and what it asks about each function is known."""
    if not isinstance(criterion, str) or criterion not in CRITERIA:
        raise BadInput(f'criterion= is "value" or "distance", not {criterion!r:.60}.')
    for p in chosen:
        if criterion == "distance" and not p.minimizers:
            raise BadInput(
                f'criterion="distance" is the distance from the nearest minimizer, and those of {p.name} are not known: '
                f'pass them, minimizers=[{(0.0,) * len(p.box)}], or take criterion="value", which needs none.'
            )


def box_of(problem: Problem, boxes: Any) -> Box:
    """A function's box from what the user gave: nothing, one pair or ``Normal`` for all, or a dict by function."""
    box = boxes
    if isinstance(boxes, Mapping):
        box = boxes.get(name_of(problem), boxes.get(problem.name, problem.box))
    elif boxes is None:
        box = problem.box
    parameters = len(problem.box)
    if isinstance(box, Normal):
        return (box,) * parameters
    try:
        pairs = np.asarray(box, float)
        if pairs.shape == (2,):
            pairs = np.tile(pairs, (parameters, 1))
        if pairs.shape == (parameters, 2) and np.all(np.isfinite(pairs)) and np.all(pairs[:, 0] <= pairs[:, 1]):
            return tuple((float(low), float(high)) for low, high in pairs)
    except (TypeError, ValueError):
        pass
    told = "nothing" if box is problem.box else f"{box!r:.60}"
    raise BadInput(
        f"boxes: {problem.name} has {parameters} parameter{'s' * (parameters > 1)}; give (low, high), or one "
        f"such pair for each, or Normal(mean, spread), not {told}."
    )


def near_what(provenance: Mapping[str, str]) -> str:
    """What the runs of a table end within a tolerance of."""
    if provenance["criterion"] != CRITERIA["value"]:
        return "nearest minimizer"
    return "least value known" if STANDS_IN in provenance else "minimum"


def told_stand_ins(known: Mapping[str, float]) -> dict[str, str]:
    """For a provenance: what stands in for minima that are not known."""
    if not known:
        return {}
    found = [f"of {name} not known, {value!r} stands in" for name, value in known.items() if np.isfinite(value)]
    least = "the least value at which a run here ended, so that true rates are at most these"
    told = [f"{'; '.join(found)}: {least}"] if found else []
    lost = (name for name, value in known.items() if not np.isfinite(value))
    told += [f"of {name} not known, and no run ended at a number, so none can succeed" for name in lost]
    return {STANDS_IN: "; ".join(told)}


def told_writings(chosen: list[Problem]) -> str:
    """In which of its writings each function is, where it has several."""
    return "; ".join(f"{p.name} {p.writing}" for p in chosen if len(p.writings) > 1) or "one each"
