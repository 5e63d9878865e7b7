"""The loop: trace, estimate, step. One start, or R starts side by side; one estimator, or several compared."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import generator, integer
from .data import Sampler
from .errors import BadInput
from .estimators import ALL_PATHS, GD, Estimator
from .history import History, Recorder
from .lcg import LCG, parameter_names, trace_as
from .linearization import Linearization
from .losses import Losses, Whole, compiled_twice
from .optimizers import Adam, Optimizer
from .program import Buffers, compile_function
from .progress import Progress
from .tape import Value

__all__ = ["Result", "compare", "minimize"]

DONE, NON_FINITE, STOPPED, INTERRUPTED = "done", "non-finite", "stopped", "interrupted"


@dataclass(frozen=True)
class Result:
    """What a minimisation arrived at.

    ``x``: the final position, of x0's form (a tuple if x0 was one). ``value``: f there, a number or one per run.
    ``status``: "done", "non-finite" (the run met NaN or infinity and stays where it did), "stopped" (by the callback)
    or "interrupted" (by Ctrl-C); an array of these for a batch. ``steps``: steps taken, an array for a batch.
    ``history``: a ``History``, or None.
    """

    x: Any
    value: Any
    status: Any
    steps: Any
    history: History | None

    def __str__(self) -> str:
        if np.shape(self.value) == ():
            return f"{self.status} after {self.steps} steps: f({_coordinates(self.x)}) = {self.value:.6g}"
        value = np.asarray(self.value)
        finite = value[np.isfinite(value)]
        span = f"least {finite.min():.6g}, median {np.median(finite):.6g}" if finite.size else "no finite value"
        counts = ", ".join(f"{int(np.sum(self.status == s))} {s}" for s in np.unique(self.status))
        return f"{value.size} runs ({counts}): {span}"


def minimize(
    f: Callable[..., Any],
    x0: Any,
    *,
    estimator: Estimator | None = None,
    optimizer: Optimizer | None = None,
    steps: int = 1000,
    rng: np.random.Generator | int | None = None,
    every: int | None = 1,
    callback: Callable[[int, dict[str, Any], Any], Any] | None = None,
    progress: bool = False,
    data: Any = None,
    observations: Sampler | None = None,
    sample: str = "same",
) -> Result:
    """Minimise f from x0 by ``steps`` steps of ``optimizer`` on the gradients that ``estimator`` gives.

    ``x0``: a number or an array for a function of one parameter, a tuple of them for several. If f is elementwise and
    x0 are arrays of shape (R,), these are R independent runs, each with its own path choices. ``estimator`` defaults to
    ``GD()``, ``optimizer`` to ``Adam()``; all randomness comes from ``rng``. ``every``: record every so many steps in
    the history (and the last); None records nothing, and memory does not grow with steps. ``callback(step, x, value)``
    sees every step, and stops the run by returning something true. ``progress=True`` shows a bar where tqdm is
    installed.

    ``data``: an array, or a tuple of arrays, of n observations (with ``sample="different"`` of one axis each). Then f
    is a loss, ``f(*params, batch)``, that gives the loss of every observation of a batch (data[index], or a tuple of as
    many), and what is minimised is the mean over all data; so ``value`` and the history's values are. ``observations``:
    which of them a step sees, a sampler of ``ts.data``; all if left out. ``sample``: one path for the whole "same"
    batch, or a "different" one for each observation. If f is elementwise, x0 may be R runs: each draws its own
    observations, and a column of shape (n, R) gives each its own data. Recording a step computes the loss of all data:
    with many, record seldom (``every``).

    Raises BadInput for arguments without meaning, NotScalar when f gives an array that is not a batch of independent
    runs, and whatever f raises. NaN and infinity do not raise: see ``Result.status``. Cost: a run of f's program per
    step, or a trace where it has none.

    >>> import tinyspad as ts
    >>> print(ts.minimize(ts.functions.f1, 5.0, estimator=ts.GD(), steps=2000))
    done after 2000 steps: f(5.47483) = 30.1001

    Two parameters that are used twice, fitted to noisy points, by bandit sampling of points and a random path of each:

    >>> t = np.linspace(0, 1, 50)
    >>> y = 2 + 3 * t + 6 * t**2 + 0.1 * np.random.default_rng(0).normal(size=50)
    >>> def loss(a, b, batch):
    ...     t, y = batch
    ...     return (a + b * t + a * b * t**2 - y) ** 2
    >>> result = ts.minimize(loss, (1.0, 1.0), data=(t, y), observations=ts.data.Bandit(8),
    ...                      estimator=ts.RAD(), steps=2000, every=None, rng=0)
    >>> result.value < 0.02
    True
    """
    estimator, optimizer = GD() if estimator is None else estimator, Adam() if optimizer is None else optimizer
    _check_settings(estimator, optimizer, steps, every)
    rng = generator(rng)
    several = isinstance(x0, tuple)
    position: Any = [_start(x) for x in (x0 if several else (x0,))]
    recorder = Recorder(every)

    if data is None and observations is not None:
        raise BadInput("minimize: observations= says which of the data a step sees; give data=, too.")
    if data is None and sample != "same":
        raise BadInput("minimize: sample= is about the observations of a batch; give data=, too.")
    names = parameter_names(f, len(position) + (data is not None))[: len(position)]
    with np.errstate(all="ignore"):  # NaN and infinity are what status is for
        stage: Any
        if data is None:
            stage = Whole(_linearizer(f, names, position, estimator, callback))
        else:
            compiled = callback is None and _asks_paths_only(estimator)
            stage = Losses(f, names, position, data, observations, sample, compiled, isinstance(estimator, GD))
        seen = stage.init()
        graph, seen = stage.at(position, seen, rng)
        if data is None:
            graph.check_differentiable()
    batch = graph.batch
    for name, x in zip(names, position):
        if batch and np.shape(x) != batch:
            raise BadInput(
                f'"{name}" has shape {np.shape(x)}, and there are {batch} runs: give it an array of that shape.'
            )
    states = {name: estimator.init() for name in names}
    moments: Any
    if batch and _says(optimizer, "elementwise", "init", "update") and all(x.dtype == np.float64 for x in position):
        position = np.array(position)  # a row for each parameter: one call of NumPy serves all
        moments = optimizer.init(position)
    else:
        moments = [optimizer.init(x) for x in position]

    alive, whole, ended, ending = np.ones(batch, bool), True, np.zeros(batch, np.int64), DONE
    followed = {name: np.full(batch, ALL_PATHS) for name in names}
    here: Any = (0, graph, position)  # replaced as a whole, so that an interruption finds what belongs together
    try:
        with np.errstate(all="ignore"), Progress(steps, "step", progress) as bar:
            for step in range(steps + 1):
                bar.show(step)
                if step:
                    graph, seen = stage.at(position, seen, rng)
                    here = (step, graph, position)
                    if graph.batch != batch:
                        raise BadInput(
                            f"f gave shape {graph.batch} at step {step}, and {batch} before: runs cannot come and go."
                        )
                if not (whole and _finite(graph.value)):
                    alive, ended, whole = _left(alive, np.isfinite(np.reshape(graph.value, batch)), ended, step)
                if step == steps or not (whole or np.any(alive)):
                    break
                if callback is not None and callback(
                    step, dict(zip(names, map(np.copy, position))), stage.value(position, graph)
                ):
                    ending = STOPPED
                    break
                moved, moments, states, followed = _step(
                    stage, graph, position, moments, states, estimator, optimizer, rng
                )
                seen = stage.learn(graph, seen, followed)
                if not (whole and _finite(moved)):
                    finite = [np.isfinite(x) if batch else np.all(np.isfinite(x)) for x in moved]
                    alive, ended, whole = _left(alive, np.logical_and.reduce(finite), ended, step)
                    kept = [np.where(alive, new, old) for new, old in zip(moved, position)] if batch else position
                    moved = np.array(kept) if isinstance(moved, np.ndarray) else moved if whole else kept
                    followed = {name: np.where(alive, index, ALL_PATHS) for name, index in followed.items()}
                if recorder.wants(step):
                    recorder.add(step, stage.value(position, graph), dict(zip(names, position)), followed)
                position = moved
    except KeyboardInterrupt:
        ending = INTERRUPTED
    step, graph, position = here
    with np.errstate(all="ignore"):  # after an interruption buffers may be half overwritten
        value = stage.value(position, None if ending == INTERRUPTED else graph)
    taken = np.where(alive, step, ended)
    if recorder.every is not None:
        nowhere = {name: np.full(np.shape(index), ALL_PATHS) for name, index in followed.items()}
        recorder.finish(step, value, dict(zip(names, position)), nowhere)
    x = tuple(position) if several else position[0]
    status = np.where(alive, ending, NON_FINITE)
    return Result(x, value, status if batch else str(status), taken if batch else int(taken), recorder.history())


def compare(
    f: Callable[..., Any],
    x0: Any,
    estimators: Mapping[str, Estimator],
    *,
    optimizer: Optimizer | None = None,
    steps: int = 1000,
    rng: np.random.Generator | int | None = None,
    every: int | None = 1,
    progress: bool = False,
    data: Any = None,
    observations: Sampler | None = None,
    sample: str = "same",
) -> dict[str, Result]:
    """Minimise f from x0 with each of several estimators; a dict of ``Result`` by the names given.

    Every estimator starts from the same seed, so a row does not depend on which others are in the table:
    ``compare(f, x0, {"RAD": RAD()}, rng=0)["RAD"]`` is ``minimize(f, x0, estimator=RAD(), rng=0)``. Ctrl-C keeps what was
    done, and leaves out the estimators that have not begun. Arguments, errors
    and cost as for ``minimize``, once per estimator.

    >>> import tinyspad as ts
    >>> results = ts.compare(ts.functions.f1, 5.0, {"GD": ts.GD(), "g1": ts.FixedPath(0)}, steps=2000)
    >>> [round(r.value, 2) for r in results.values()]
    [30.1, 0.0]
    """
    if not isinstance(estimators, Mapping) or not estimators:
        raise BadInput('compare: estimators is a dict of names, such as {"GD": GD(), "RAD": RAD()}.')
    if isinstance(rng, np.random.Generator):
        seeds: Any = rng.spawn(1)[0].bit_generator.seed_seq
    else:
        seeds = np.random.SeedSequence(rng)
    results = {}
    for name, estimator in estimators.items():
        results[name] = minimize(
            f,
            x0,
            estimator=estimator,
            optimizer=optimizer,
            steps=steps,
            rng=np.random.default_rng(seeds),
            every=every,
            progress=progress,
            data=data,
            observations=observations,
            sample=sample,
        )
        if np.any(np.equal(results[name].status, INTERRUPTED)):
            break  # who presses Ctrl-C wants the others even less
    return results


def _step(
    stage: Any,
    graph: Any,
    position: Any,
    moments: Any,
    states: dict[str, Any],
    estimator: Estimator,
    optimizer: Optimizer,
    rng: np.random.Generator,
) -> tuple[Any, Any, dict[str, Any], dict[str, Any]]:
    """One step of every parameter, and the paths it followed."""
    states, followed, gradients = dict(states), {}, []
    for name in graph.params:
        try:
            gradient, followed[name], states[name] = stage.draw(graph, estimator, name, states[name], rng)
        except AttributeError as problem:
            _tell_what_is_not_asked(estimator, problem)
            raise
        gradients.append(gradient)
    if isinstance(position, np.ndarray):
        rows = np.empty_like(position)
        for i, gradient in enumerate(gradients):
            rows[i] = gradient
        step, moments = optimizer.update(rows, moments)
        return position + step, moments, states, followed
    steps = [optimizer.update(gradient, moment) for gradient, moment in zip(gradients, moments)]
    return [x + s for x, (s, _) in zip(position, steps)], [moment for _, moment in steps], states, followed


def _finite(x: Any) -> bool:
    """Whether all of it is finite, for which its sum of squares is asked: where that overflows, it says no."""
    if isinstance(x, np.ndarray):
        flat = x.ravel()
        return math.isfinite(flat.dot(flat))
    return all(map(_finite, x)) if isinstance(x, list) else math.isfinite(x)


def _left(alive: Any, finite: Any, ended: Any, step: int) -> tuple[Any, Any, bool]:
    """The runs that go on after some were found not to be finite at this step, since when, and whether all do."""
    left = alive & finite
    return left, np.where(alive & ~left, step, ended), bool(np.all(left))


def _says(value: Any, what: str, *methods: str) -> bool:
    """Whether a class says this of its methods: ``Estimator.paths_only``, or that an optimizer is ``elementwise``.

    What is said holds for derived classes, but not for one that writes one of the methods anew without saying so again.
    """
    for kind in type(value).__mro__:
        if what in vars(kind):
            return vars(kind)[what] is True
        if any(method in vars(kind) for method in methods):
            return False
    return False


def _tell_what_is_not_asked(estimator: Any, problem: AttributeError) -> None:
    """Raise BadInput if an estimator asked something that only an LCG can answer."""
    asked, known = problem.obj, isinstance(problem.name, str) and hasattr(LCG, problem.name)
    if isinstance(asked, Linearization) and known:
        which = "a program at a point" if asked.observed is None else "observations that share a path"
        raise BadInput(
            f'{type(estimator).__name__} asks {which} for "{problem.name}"; it answers what ts.Estimator lists. An LCG, '
            "which answers more, is for estimators that do not say paths_only = True; and, with data=, for "
            'sample="different".'
        ).at(problem) from None


def _asks_paths_only(estimator: Any) -> bool:
    return _says(estimator, "paths_only", "init", "draw")


def _linearizer(
    f: Callable[..., Any], names: list[str], position: list[Any], estimator: Estimator, callback: Any
) -> Callable[..., Any]:
    """What gives value and paths at a point: f's program where it has one, otherwise a trace.

    A program is a snapshot. So f is compiled twice, and compared with a trace at the start. If that gives two programs (f
    draws random numbers, or counts its calls) or other numbers, or if there is a callback or an estimator that might
    change what f refers to, f is traced anew at every step.
    """

    def traced(*at: Any) -> LCG:
        return trace_as(names, f, at)

    def paths_of_trace(*at: Any) -> Linearization:
        return trace_as(names, f, at).linearization

    asks = paths_of_trace if _asks_paths_only(estimator) else traced
    numbers = all(x.__class__ is float or (x.dtype == np.float64 and x.shape) for x in position)
    if (
        callback is not None
        or not _asks_paths_only(estimator)
        or not numbers
        or len({np.shape(x) for x in position}) > 1
    ):
        return asks
    program = compiled_twice(
        lambda: compile_function(f, len(names)), lambda made: made.at(*position), lambda: traced(*position)
    )
    if program is None:
        return asks
    shape = np.shape(position[0])
    buffers = Buffers(program, shape) if shape else None
    return functools.partial(program.at, first="gradient" if isinstance(estimator, GD) else "weights", buffers=buffers)


def _start(x: Any) -> Any:
    """A start position as a float or a float array of our own; whatever is not one, Value explains on tracing."""
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return float(x)
    try:
        return x if isinstance(x, np.ma.MaskedArray) else np.array(x)
    except ValueError:  # rows of different lengths
        return Value(x).data  # which says what is wrong


def _check_settings(estimator: Any, optimizer: Any, steps: Any, every: Any) -> None:
    for what, value, methods, example in (
        ("estimator", estimator, ("init", "draw"), "RAD()"),
        ("optimizer", optimizer, ("init", "update"), "Adam(lr=0.01)"),
    ):
        if isinstance(value, type) or not all(hasattr(value, method) for method in methods):
            shown, example = (
                (value.__name__, f"{value.__name__}()") if isinstance(value, type) else (repr(value), example)
            )
            raise BadInput(
                f"minimize: {what}= is a value with {' and '.join(methods)}, which {shown:.60} is not; write {example}."
            )
    for name, value in (("steps", steps), ("every", every)):
        if value is not None or name == "steps":
            integer(value, f"minimize: {name}=", least=int(name == "every"))


def _coordinates(x: Any) -> str:
    parts = x if isinstance(x, tuple) else (x,)
    return ", ".join(f"{p:.6g}" if np.shape(p) == () else f"array {np.shape(p)}" for p in parts)
