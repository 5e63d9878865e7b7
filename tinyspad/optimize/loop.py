"""The loop: at every step each parameter draws paths, and moves by what they contribute (paper, Algorithms 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arguments import Data, State
from ..errors import BadInput
from ..estimators import ALL_PATHS, Draw, Estimator
from ..lcg import LCG, Elements
from ..linearization import Linearization
from ..optimizers import Optimizer
from ..progress import shown
from .ahead import CHUNK
from .contracts import G, Objective, Position
from .history import Recorder
from .result import DONE, INTERRUPTED, STOPPED, Result
from .runs import Runs
from .states import OfParameters, OfPaths, States, follows_all, states_by_path, together

FEW_NUMBERS = 1000
"""Of no more numbers than this the history keeps the paths, unless it is asked to."""


class Plan(NamedTuple):
    """How a run is done."""

    estimator: Estimator
    optimizer: Optimizer
    steps: int
    rng: np.random.Generator
    every: int | None
    keep_paths: bool | None
    callback: Callable[[int, dict[str, Data], Data], object] | None
    progress: bool


# long, as the whole of a step is to be read in one piece
def descend(objective: Objective[G], names: list[str], position: Position, plan: Plan) -> Result:
    """Minimise an objective, from a position; the result's is a tuple."""
    estimator, optimizer, steps, rng, every, keep_paths, callback, progress = plan
    recorder = None if every is None else Recorder(len(range(0, steps, every)) + 1)
    exact = follows_all(estimator)
    ending, step = DONE, 0
    with np.errstate(all="ignore"):  # NaN and infinity are what status is for
        graph, seen = objective.at(position, objective.init(), rng)
        runs = Runs(names, position, graph.batch)
        position = together(optimizer, position, runs.shape)
        states = states_of(objective, graph, names, position, plan)
        held = {name: estimator.init() for name in names}
        ahead = None
        if callback is None and len(names) <= FEW_NUMBERS:
            ahead = objective.ahead(estimator, optimizer, position, recorder, keep_paths is not False)
        here = 0, graph, position  # replaced as a whole, so that an interruption finds what belongs together
        try:
            done = iter(shown(range(steps), "step", progress))
            while step < steps and runs.left:
                if ahead is not None and isinstance(position, np.ndarray):
                    chunk = range(step, min(step + CHUNK, steps))
                    found = ahead.run(chunk, every, position, states.rows, rng)
                    if found is None:  # one by one from here on
                        held, ahead = ahead.held(graph), None
                        continue
                    position, states.rows = found
                    graph, seen = objective.at(position, seen, rng)
                    step = chunk.stop
                    here = step, graph, position
                    for _ in chunk:
                        next(done)
                    continue
                runs.leave_unless(graph.value, step)
                if not runs.left:
                    break
                wanted = every is not None and step % every == 0
                value = objective.value(position, graph) if wanted or callback is not None else None
                if callback is not None and callback(step, dict(zip(names, map(np.copy, position))), value):
                    ending = STOPPED
                    break
                draws = drawn(objective, graph, estimator, held, rng)
                held = {name: draw.state for name, draw in draws.items()}
                seen = objective.learn(graph, seen, draws)
                if not states.fit(graph):
                    states = states_of(objective, graph, names, position, plan)
                moved = states.moved(position, list(draws.values()))
                moved = runs.stay_unless_finite(moved, position, step)
                if recorder is not None and wanted:
                    if keep_paths is None:
                        keep_paths = sum(draw.followers for draw in draws.values()) <= FEW_NUMBERS
                    followed = {name: runs.of_those_left(draw.path) for name, draw in draws.items() if keep_paths}
                    recorder.add(step, value, dict(zip(names, position)), followed)
                position = moved
                graph, seen = objective.at(position, seen, rng)
                step += 1
                next(done)
                here = step, graph, position
                if graph.batch != runs.shape:
                    raise BadInput(
                        f"f gave shape {graph.batch} at step {step}, and {runs.shape} before: runs cannot come and go."
                    )
            else:
                runs.leave_unless(graph.value, steps)
            next(done, None)
        except KeyboardInterrupt:
            ending = INTERRUPTED
        step, graph, position = here
        value = objective.value(position, None if ending == INTERRUPTED else graph)
    if recorder is not None and not recorder.ends(step):
        known = {name: paths.shape[1:] for name, paths in recorder.paths.items()}
        shapes = known if recorder.count else dict.fromkeys(names if keep_paths is not False else (), runs.shape)
        nowhere = {name: np.full(shape, ALL_PATHS) for name, shape in shapes.items()}
        recorder.add(step, value, dict(zip(names, position)), nowhere)
    history = None if recorder is None else recorder.history()
    no_choice = not exact and all(np.max(count, initial=0) <= 1 for count in objective.counts(graph))
    return Result(tuple(position), value, *runs.ended(ending, step), history, no_choice)


def states_of(objective: Objective[G], graph: G, names: list[str], position: Position, plan: Plan) -> States:
    """The optimizer's states before the first step."""
    if states_by_path(plan.optimizer, plan.estimator):
        return OfPaths(plan.optimizer, names, position, objective.counts(graph), graph.batch, graph.signature)
    return OfParameters(plan.optimizer, position)


def drawn(
    objective: Objective[G], graph: G, estimator: Estimator, held: dict[str, State], rng: np.random.Generator
) -> dict[str, Draw]:
    """An estimate of the gradient by each parameter, given what the estimator remembers of it."""
    try:
        return {name: objective.draw(graph, estimator, name, state, rng) for name, state in held.items()}
    except AttributeError as problem:
        tell_what_is_not_asked(estimator, problem)
        raise


def tell_what_is_not_asked(estimator: object, problem: AttributeError) -> None:
    """Raise BadInput if an estimator asked something that only an LCG can answer."""
    asked, known = problem.obj, isinstance(problem.name, str) and hasattr(LCG, problem.name)
    if isinstance(asked, Elements) and known:
        raise BadInput(
            f'{type(estimator).__name__} asks the numbers of arrays for "{problem.name}"; they answer what ts.Estimator '
            'lists, each for itself. With paths="arrays" an estimator is asked about arrays as a whole, and gets an LCG.'
        ).at(problem) from None
    if isinstance(asked, Linearization) and known:
        which = "a program at a point" if asked.observed is None else "observations that share a path"
        raise BadInput(
            f'{type(estimator).__name__} asks {which} for "{problem.name}"; it answers what ts.Estimator lists. An LCG, '
            "which answers more, is for estimators that do not say paths_only = True; and, with data=, for "
            'sample="different".'
        ).at(problem) from None
