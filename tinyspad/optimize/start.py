"""``minimize`` and ``compare``: what is to be minimised, and how, handed to the loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..arguments import Data, generator, integer, parameter_names, says
from ..containers import Form, flattened
from ..data import Sampler
from ..errors import BadInput
from ..estimators import GD, Estimator
from ..lcg import trace_as
from ..optimizers import Adam, Optimizer
from ..tape import Value
from .loop import Plan, descend
from .observations import Losses
from .result import INTERRUPTED, Result, Results
from .several import Several, check_runs, one_run
from .states import states_by_path
from .tiles import by_tiles
from .whole import Whole


def minimize(
    f: Callable[..., Data],
    x0: Data,
    *,
    estimator: Estimator | None = None,
    optimizer: Optimizer | None = None,
    steps: int = 1000,
    rng: np.random.Generator | int | None = None,
    every: int | str | None = "auto",
    callback: Callable[[int, dict[str, Data], Data], object] | None = None,
    progress: bool = False,
    data: Data = None,
    observations: Sampler | None = None,
    sample: str = "same",
    paths: str = "numbers",
    keep_paths: bool | None = None,
    runs: bool | None = None,
    trig: str = "half-angle",
) -> Result:
    """Minimise f from x0 by ``steps`` steps of ``optimizer`` on the gradients that ``estimator`` gives.

    ``x0``: a number or an array for a function of one parameter, a tuple of them for several. A parameter may be a dict,
    list or tuple of numbers and arrays, nested as you like; then so is ``Result.x``, and the history calls what is in it
    "p['w']". (A list of plain numbers is one array.) If f is elementwise and x0 are arrays of shape (R,), these are R
    independent runs, each with its own path choices. If f is not (a sum, a matrix product, an index), every number in the
    arrays draws a path of its own (see ``LCG.elements``); ``paths="arrays"`` takes arrays as a whole. ``runs=True`` takes
    the first axis of every array in x0 for independent runs, for any f that gives one number and does not branch on values;
    False takes one problem, of the sum of what f gives; None takes runs where f's result has the parameters' shape, so that
    ``w**2 * c`` of shape (n,) is n runs. The history has the paths of at most 1000 numbers, or as ``keep_paths`` says.
    ``estimator`` defaults to ``GD()``, ``optimizer`` to ``Adam()``; all randomness comes from ``rng``. ``every``: record
    every so many steps in the history (and the last); "auto" is every step as long as that is less than 70 million numbers,
    and seldomer of more; None records nothing, and memory does not grow with steps.
    ``callback(step, x, value)`` sees every step, and stops the run by returning something true. ``progress=True`` shows a
    bar where tqdm is installed.

    ``data``: an array, or a tuple of arrays, of n observations (with ``sample="different"`` of one axis each). Then f
    is a loss, ``f(*params, batch)``, that gives the loss of every observation of a batch (data[index], or a tuple of as
    many), and what is minimised is the mean over all data; so ``value`` and the history's values are. ``observations``:
    which of them a step sees, a sampler of ``ts.data``; all if left out. ``sample``: one path for the whole "same"
    batch, or a "different" one for each observation. If f is elementwise, x0 may be R runs: each draws its own
    observations, and a column of shape (n, R) gives each its own data. If f mixes the elements of arrays (``X @ w``),
    numbers draw their paths, and each observation that a step sees is run by itself, some 0.1 ms. That asks for data of
    floats, and for an f that takes each observation by itself, looks at no values and sorts nothing; otherwise the batch is
    one graph, in which a path leads through one of the observations. Recording a step computes the loss of all data: with
    many, record seldom (``every``).

    ``trig``: of more than 100 runs f's program computes sines and cosines by the tangent of half the angle, in a quarter of
    the time and to 3.4e-16; "numpy" asks for NumPy's own. ``Result.trig`` says which it was.

    Raises BadInput for arguments without meaning, NotScalar when f gives an array that is not a batch of independent
    runs, and whatever f raises. NaN and infinity do not raise: see ``Result.status``. Cost: per step a
    run of f's program or of its recording, or a trace where it has neither. What f refers to is then fixed at the start, as
    long as two recordings of f are alike; with a callback f is traced at every step.

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
    check_settings(estimator, optimizer, steps, every)
    if data is None and observations is not None:
        raise BadInput("minimize: observations= says which of the data a step sees; give data=, too.")
    if data is None and sample != "same":
        raise BadInput("minimize: sample= is about the observations of a batch; give data=, too.")
    if not isinstance(trig, str) or trig not in ("half-angle", "numpy"):
        raise BadInput(f'minimize: trig= is "half-angle" or "numpy", not {trig!r:.60}.')
    if not isinstance(paths, str) or paths not in ("numbers", "arrays"):
        raise BadInput(f'minimize: paths= is "numbers" or "arrays", not {paths!r:.60}.')
    several = isinstance(x0, tuple) and not hasattr(x0, "_fields")  # a named one is a container
    given = x0 if several else (x0,)
    names = parameter_names(f, len(given) + (data is not None))[: len(given)]
    f, names, leaves, form = flattened(f, names, given)
    position = [start_of(x) for x in leaves]
    plan = Plan(
        estimator,
        optimizer,
        steps,
        generator(rng),
        _seldom_enough(position, steps) if isinstance(every, str) else every,
        None if keep_paths is None else bool(keep_paths),
        callback if callback is None or form is None else _by_argument(callback, form),
        progress,
    )
    compiled, exact = callback is None and asks_paths_only(estimator), getattr(type(estimator), "draw", None) is GD.draw
    if runs is not None and data is not None:
        raise BadInput("minimize: runs= is about functions without data=; with data, x0 of shape (R,) are R runs.")
    if keep_paths is not None and not isinstance(keep_paths, (bool, np.bool_)):
        raise BadInput(f"minimize: keep_paths= is True, False or None, not {keep_paths!r:.60}.")
    if runs is not None and not isinstance(runs, (bool, np.bool_)):
        raise BadInput(f"minimize: runs= is True, False or None, not {runs!r:.60}.")
    if sample == "different" and states_by_path(optimizer, estimator):
        raise BadInput(
            'minimize: with sample="different" every observation follows its own path, and moments="path" keeps a state '
            'for the one path that is followed. Take sample="same", or moments="parameter".'
        )
    if runs is not None and not runs:
        f = _summed(f)
    elif runs:
        check_runs(position)
    settings = compiled, exact, paths == "numbers"
    objective: Several | Losses | Whole
    if runs and not _elementwise(f, names, position):
        objective = Several(f, names, position, *settings)
    elif data is not None:
        objective = Losses(f, names, position, data, observations, sample, *settings)
    else:
        objective = Whole(f, names, position, *settings, trig == "half-angle")
    if isinstance(objective, Whole) and callback is None and objective.goes_by_tiles(estimator, optimizer, position):
        result = by_tiles(
            functools.partial(_tile, objective, names, plan), objective.alone, position, plan.rng, progress
        )
    else:
        result = descend(objective, names, position, plan)  # type: ignore[misc]
    half_angles = isinstance(objective, Whole) and objective.program is not None and objective.program.half_angles
    return replace(result, x=_in_form(result.x, form, several), trig="half-angle" if half_angles else "numpy")


def _tile(objective: Whole, names: list[str], plan: Plan, position: list[Data], rng: np.random.Generator) -> Result:
    """Some of the runs, by themselves."""
    return descend(objective.of_runs(len(position[0])), names, position, plan._replace(rng=rng, progress=False))


def _in_form(position: tuple[Data, ...], form: Form | None, several: bool) -> Data:
    """A position as x0 was given."""
    found = position if form is None else tuple(form.filled(position))
    return found if several else found[0]


def _by_argument(callback: Callable[[int, dict[str, Data], Data], object], form: Form) -> Callable[..., object]:
    """A callback that sees the parameters in their containers."""
    return lambda step, x, value: callback(step, form.by_argument(x), value)


def compare(
    f: Callable[..., Data],
    x0: Data,
    estimators: Mapping[str, Estimator],
    *,
    optimizer: Optimizer | None = None,
    steps: int = 1000,
    rng: np.random.Generator | int | None = None,
    every: int | str | None = "auto",
    progress: bool = False,
    data: Data = None,
    observations: Sampler | None = None,
    sample: str = "same",
    paths: str = "numbers",
    keep_paths: bool | None = None,
    runs: bool | None = None,
    trig: str = "half-angle",
) -> Results:
    """Minimise f from x0 with each of several estimators: ``Results``, a dict of ``Result`` by the names given, which shows
    itself as a table.

    Every estimator starts from the same seed, so a row does not depend on which others are in the table:
    ``compare(f, x0, {"RAD": RAD()}, rng=0)["RAD"]`` is ``minimize(f, x0, estimator=RAD(), rng=0)``. Ctrl-C keeps what was
    done, and leaves out the estimators that have not begun. Arguments, errors and cost as for ``minimize``, once per
    estimator.

    >>> import tinyspad as ts
    >>> results = ts.compare(ts.functions.f1, 5.0, {"GD": ts.GD(), "g1": ts.FixedPath(0)}, steps=2000)
    >>> [round(r.value, 2) for r in results.values()]
    [30.1, 0.0]
    """
    if not isinstance(estimators, Mapping) or not estimators:
        raise BadInput('compare: estimators is a dict of names, such as {"GD": GD(), "RAD": RAD()}.')
    if isinstance(rng, np.random.Generator):
        seeds: Data = rng.spawn(1)[0].bit_generator.seed_seq
    else:
        seeds = np.random.SeedSequence(rng)
    results = Results()
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
            paths=paths,
            keep_paths=keep_paths,
            runs=runs,
            trig=trig,
        )
        if np.any(np.equal(results[name].status, INTERRUPTED)):
            break  # who presses Ctrl-C wants the others even less
    return results


def _summed(f: Callable[..., Data]) -> Callable[..., Data]:
    """f as one problem: the sum of what it gives."""

    @functools.wraps(f)
    def total(*params: Data) -> Data:
        found = f(*params)
        return found if np.shape(found) == () else np.sum(found)

    return total


def _elementwise(f: Callable[..., Data], names: list[str], position: Sequence[Data]) -> bool:
    """Whether f of arrays of runs is what f gives each run by itself: then it needs no axis of runs."""
    if any(np.ndim(x) != 1 for x in position):
        return False
    number = np.shape(position[0])[0]
    some = sorted({0, number // 2, number - 1})
    try:
        with np.errstate(all="ignore"):
            lcg = trace_as(names, f, position)
            alone = [f(*one_run(position, run)) for run in some]
            return lcg.batch == (number,) and np.array_equal(alone, lcg.value[some], equal_nan=True)
    except Exception:  # whatever f raises of arrays, of one run it is another question
        return False


def check_settings(estimator: object, optimizer: object, steps: object, every: object) -> None:
    """Raise BadInput for what minimize cannot work with."""
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
    for name, number in (("steps", steps), ("every", every)):
        if (number is not None and number != "auto") or name == "steps":
            integer(number, f"minimize: {name}=", least=int(name == "every"))


def _seldom_enough(position: Sequence[Data], steps: int) -> int:
    """Every so many steps are recorded, lest a history of very many runs fill the memory."""
    numbers = 3 * sum(map(np.size, position))  # positions, paths, and as many values at most
    return max(1, -(-steps * numbers // LARGEST_HISTORY))


LARGEST_HISTORY = 7 * 10**7
"""Numbers of eight bytes that are recorded unless more are asked for."""


def start_of(x: Data) -> Data:
    """A start position as a float or a float array of our own; whatever is not one, Value explains on tracing."""
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return float(x)
    try:
        return x if isinstance(x, np.ma.MaskedArray) else np.array(x)
    except ValueError:  # rows of different lengths
        return Value(x).data  # which says what is wrong


def asks_paths_only(estimator: object) -> bool:
    """Whether an estimator can do with a program's answers (see ``Estimator.paths_only``)."""
    return says(estimator, "paths_only", "init", "draw")
