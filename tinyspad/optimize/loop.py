"""The loop: at every step each parameter draws paths, and moves by what they contribute (paper, Algorithms 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arguments import Data, State
from ..estimators import ALL_PATHS, Estimator
from ..optimizers import Optimizer
from ..progress import Progress
from .contracts import G, Objective, Position
from .history import Recorder
from .result import DONE, INTERRUPTED, STOPPED, Result
from .runs import Runs, first_moments, moved_by, rows_of
from .settings import tell_what_is_not_asked


class Plan(NamedTuple):
    """How a run is done."""

    estimator: Estimator
    optimizer: Optimizer
    steps: int
    rng: np.random.Generator
    every: int | None
    callback: Callable[[int, dict[str, Data], Data], object] | None
    progress: bool


def descend(objective: Objective[G], names: list[str], position: Position, plan: Plan, several: bool) -> Result:
    """Minimise an objective; ``several``: whether the result is a tuple of positions."""
    estimator, optimizer, steps, rng, every, callback, progress = plan
    recorder, ending = Recorder(every), DONE
    with np.errstate(all="ignore"):  # NaN and infinity are what status is for
        graph, seen = objective.at(position, objective.init(), rng)
        runs = Runs(names, position, graph.batch)
        position = rows_of(position, optimizer, runs.shape)
        held = {name: estimator.init() for name in names}
        moments = first_moments(optimizer, position)
        here = 0, graph, position  # replaced as a whole, so that an interruption finds what belongs together
        followed: dict[str, Data] = {name: np.full(runs.shape, ALL_PATHS) for name in names}
        try:
            with Progress(steps, "step", progress) as bar:
                for step in range(steps):
                    runs.leave_unless(graph.value, step)
                    if not runs.left:
                        break
                    bar.show(step)
                    value = objective.value(position, graph) if callback or recorder.wants(step) else None
                    if callback and callback(step, dict(zip(names, map(np.copy, position))), value):
                        ending = STOPPED
                        break
                    gradients, followed, held = gradients_of(objective, graph, estimator, held, rng)
                    seen = objective.learn(graph, seen, followed)
                    moved, moments = moved_by(optimizer, position, gradients, moments)
                    moved, followed = runs.stay_unless_finite(moved, position, followed, step)
                    if recorder.wants(step):
                        recorder.add(step, value, dict(zip(names, position)), followed)
                    position = moved
                    graph, seen = objective.at(position, seen, rng)
                    here = step + 1, graph, position
                    runs.check_shape(graph.batch, step + 1)
                else:
                    runs.leave_unless(graph.value, steps)
                    bar.show(steps)
        except KeyboardInterrupt:
            ending = INTERRUPTED
        step, graph, position = here
        value = objective.value(position, None if ending == INTERRUPTED else graph)
    if every is not None:
        nowhere = {name: np.full(np.shape(index), ALL_PATHS) for name, index in followed.items()}
        recorder.finish(step, value, dict(zip(names, position)), nowhere)
    x = tuple(position) if several else position[0]
    return Result(x, value, runs.status(ending), runs.steps(step), recorder.history())


def gradients_of(
    objective: Objective[G], graph: G, estimator: Estimator, held: dict[str, State], rng: np.random.Generator
) -> tuple[list[Data], dict[str, Data], dict[str, State]]:
    """An estimate of the gradient for each parameter, the paths it followed, and what the estimator remembers."""
    gradients, followed, held = [], {}, dict(held)
    for name, state in held.items():
        try:
            gradient, followed[name], held[name] = objective.draw(graph, estimator, name, state, rng)
        except AttributeError as problem:
            tell_what_is_not_asked(estimator, problem)
            raise
        gradients.append(gradient)
    return gradients, followed, held
