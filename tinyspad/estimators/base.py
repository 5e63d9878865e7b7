"""What an estimator is, and what all of them share: exact moments, cost, and holding a path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data, State, spaced
from ..errors import BadInput
from ..lcg import Elements
from ..linearization import Linearization, Linearized
from ..paths import Route
from .draw import ALL_PATHS, Draw
from .numbers import in_numbers


class Cost(NamedTuple):
    """What a step takes on average, over a whole hold and over what is drawn.

    ``multiplications`` by local partial derivatives: one for each edge that is swept or followed, other than those of
    tupling nodes, which copy. ``held``: the partial derivatives that must be in memory for the step.
    """

    multiplications: Data
    held: Data


class Held(NamedTuple):
    """A path that is kept for some more steps, as long as the program has this signature."""

    route: Route
    signature: Data
    left: int

    @property
    def index(self) -> Data:
        """The path's number, an array of them for many runs."""
        return self.route.index

    def __repr__(self) -> str:
        path = spaced(self.index) if isinstance(self.index, int) else self.index
        return f"<Held: path {path}, {self.left} steps left>"


class HeldWalks(NamedTuple):
    """The paths of many numbers that walk together (``Walks``, or ``ArrayWalks``), kept for some more steps."""

    walks: Data
    signature: Data
    left: int


class Estimator:
    """The base of all estimators.

    ``minimize`` asks for ``init`` and ``draw`` alone. ``probabilities`` gives the exact theory by enumeration; an estimator
    that knows better overrides ``moments``, which takes sweeps instead. In ``expectation``, ``variance``, ``bias`` and
    ``second_moment`` a parameter is named, or left out for a dict of all.

    ``draw`` may ask of ``lcg``, be it an LCG of numbers or arrays, a program at a point, or a batch of observations:
    ``params``, ``arguments``, ``value``, ``gradient()``, ``adjoint(param)``, ``batch`` (the shape of the runs),
    ``elementwise``, ``signature``, and whatever is about paths: ``count_paths``, ``paths``, ``nth_path``,
    ``path_gradients`` and the like (the members of ``tinyspad.linearization.Linearized``).
    """

    paths_only = False
    """Whether ``draw`` asks no more than this, keeps no ``lcg`` beyond its step, and changes nothing that f refers to.

    Then ``minimize`` runs f's program or its recording instead of tracing f at every step. True of tinyspad's own
    estimators, and of what is derived from them; but a class with a ``draw`` or ``init`` of its own has to say it anew, or
    it gets an LCG; of a function of arrays its ``elements()``, and in ``param`` one number after the other.
    """

    steps_per_draw = 1
    """How many steps in a row share their randomness: those that a random path is held for."""

    def init(self) -> Data:
        """The state before the first step."""
        return None

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        """Estimate the gradient with respect to one parameter."""
        raise NotImplementedError(_TO_GIVE.format(type(self).__name__, "draw"))

    def draw_together(self, lcg: Linearization, sources: Array, state: State, rng: np.random.Generator) -> Draw | None:
        """Estimates for many numbers at once, whose nodes are ``sources``: arrays of gradients and of the paths' indices.

        None where they are to be drawn one by one, by ``draw``. It is asked only of a class that has both of its own.
        """
        return None

    def draw_over_arrays(self, elements: Elements, param: str, state: State, rng: np.random.Generator) -> Draw:
        """Estimates for all numbers of an array, where the edges between numbers are too many to be written out."""
        raise NotImplementedError(_TO_GIVE.format(type(self).__name__, "draw_over_arrays"))

    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """The chance that a fresh draw follows each path, shape (N,), or (N, R) in a batch; raises TooManyPaths."""
        raise NotImplementedError(_TO_GIVE.format(type(self).__name__, "probabilities"))

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        """Exact mean and variance of a fresh draw's gradient, elementwise: here of the one path followed, by enumeration.

        Raises BadInput where the probabilities do not add up to 1: paths that are followed together are no outcomes.
        """
        g, p = lcg.path_gradients(param), self.probabilities(lcg, param)
        total = np.sum(p, axis=0)
        if len(p) and np.any(np.abs(total - 1) > 1e-6):
            raise BadInput(
                f"{type(self).__name__}: the probabilities of the paths add up to {np.max(total):g}, so they are not those "
                "of following one path alone. Give it a method moments(self, lcg, param) of its own (see ts.Estimator)."
            )
        return mean_and_variance(aligned(p, g), g)

    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """What a step takes on average, for one parameter, or for all together (a sweep serves them all).

        Of an array: for all its numbers together. In a batch an array where runs differ. (Griewank & Walther 2008, section
        3.3, for the sweep.)

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> ts.GD().cost(lcg, "x"), ts.RAD().cost(lcg, "x")
        (Cost(multiplications=6, held=6), Cost(multiplications=3.0, held=3.0))
        """
        raise NotImplementedError(_TO_GIVE.format(type(self).__name__, "cost"))

    def expectation(self, lcg: Linearized, param: str | None = None, *, paths: str = "numbers") -> Data:
        """The exact mean of a fresh draw's gradient, E = sum p_i ghat_i, of the parameter's shape.

        In an LCG of arrays every number has paths of its own (``lcg.elements()``), and so draws for itself; with
        ``paths="arrays"`` an array is taken as a whole.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(lambda x, y: x * x * y, 3.0, 1.0)
        >>> ts.RAD().expectation(lcg, "x"), ts.RAD(normalize=True).expectation(lcg)
        (3.0, {'x': 6.0, 'y': 9.0})
        """
        return _each(lcg, param, paths, lambda at, name: self.moments(at, name)[0])

    def variance(self, lcg: Linearized, param: str | None = None, *, paths: str = "numbers") -> Data:
        """Its exact variance, sum p_i (ghat_i - E)**2, elementwise.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> [round(e.variance(lcg, "x")) for e in (ts.GD(), ts.RAD(normalize=True), ts.Magnitude())]
        [0, 13311, 8794]
        """
        return _each(lcg, param, paths, lambda at, name: self.moments(at, name)[1])

    def bias(self, lcg: Linearized, param: str | None = None, *, paths: str = "numbers") -> Data:
        """Expectation minus gradient, elementwise: 0 up to rounding for the normalised ones."""
        return _each(lcg, param, paths, lambda at, name: self.moments(at, name)[0] - at.adjoint(name))

    def second_moment(self, lcg: Linearized, param: str | None = None, *, paths: str = "numbers") -> Data:
        """The exact mean of the squared estimate, E[ghat**2] = variance + expectation**2, elementwise."""

        def of(at: Linearized, name: str) -> Data:
            mean, variance = self.moments(at, name)
            return variance + mean * mean

        return _each(lcg, param, paths, of)


_TO_GIVE = "{0} does not say its {1}: give the class a method {1}(self, lcg, param) (see ts.Estimator)."


def _each(lcg: Linearized, param: str | None, paths: str, ask: Callable[[Linearized, str], Data]) -> Data:
    """What is answered for a parameter, or a dict of it for all; of arrays for every number."""
    at, numbers = in_numbers(lcg, paths)
    if numbers is None:
        return {name: ask(at, name) for name in at.params} if param is None else ask(at, param)
    names = numbers.params if param is None else (param,)
    found = {name: numbers.each(name, lambda number: ask(at, number)) for name in names}
    return found if param is None else found[param]


# --- moments by enumeration ---------------------------------------------------------------------------------------------


def mean_and_variance(p: Data, estimates: Data) -> tuple[Data, Data]:
    """Of outcomes with these probabilities: about the mean, not as a difference of squares, which would lose all digits."""
    with np.errstate(all="ignore"):
        mean = np.sum(p * estimates, axis=0)
        variance = np.sum(np.where(p > 0, p * (estimates - mean) ** 2, 0.0), axis=0)
    return (mean, variance) if mean.shape else (float(mean), float(variance))


def aligned(p: Array, g: Array) -> Array:
    """Probabilities with axes of length 1 behind, so that they multiply the gradients of array parameters."""
    return p.reshape(p.shape + (1,) * (g.ndim - p.ndim))


def over_probability(g: Data, p: Data) -> Data:
    """g / p, and 0 for what is never drawn."""
    return np.divide(g, p, where=np.broadcast_to(p > 0, np.shape(g)), out=np.zeros_like(g))


def over_runs(p: Array, lcg: Linearized) -> Array:
    """The same probabilities for every run of a batch."""
    return np.broadcast_to(p.reshape(p.shape + (1,) * len(lcg.batch)), p.shape + lcg.batch).copy()


# --- cost ------------------------------------------------------------------------------------------------------------------


def named(lcg: Linearized, param: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The parameters that a question is about: one, several, or all."""
    return lcg.params if param is None else (param,) if isinstance(param, str) else param


def path_cost(
    lcg: Linearized,
    param: str | tuple[str, ...] | None,
    length: Callable[[str], Data],
    select: Data = 0.0,
    held: Data = None,
    steps: int = 1,
) -> Cost:
    """A path of each parameter followed in every step, and a selection of this cost every so many steps.

    ``length``: of the path, by parameter. ``held``: what the selection must hold, if that is not the paths.
    """
    names = [name for name in named(lcg, param) if lcg.count_paths(name)]
    total = sum(length(name) for name in names)
    return Cost(select / steps + total, ((total if held is None else held) + (steps - 1) * total) / steps)


# --- holding -------------------------------------------------------------------------------------------------------------


def kept(state: State, lcg: Linearized) -> Data:
    """The state if it is still good: steps are left, and the program has the same shape."""
    return state if state is not None and state.left > 0 and state.signature == lcg.signature else None


def kept_walks(state: State, signature: object) -> HeldWalks | None:
    """The same, of many numbers that walk together."""
    good = isinstance(state, HeldWalks) and state.left > 0 and state.signature == signature
    return state if good else None


def nothing(lcg: Linearized, param: str) -> Draw:
    """No path leads from the parameter to the output: the gradient is zero, whatever the estimator."""
    return Draw(lcg.adjoint(param), everywhere(lcg, ALL_PATHS), None)


def times_number(lcg: Linearized, param: str, route: Route) -> Data:
    """N times the contribution of a path; past the largest float factor by factor, so that it need not overflow."""
    number = lcg.count_paths(param)
    if number < 1e300:
        return lcg.follow(param, route) * float(number)
    return lcg.follow(param, route, lcg.chances("path"))


def everywhere(lcg: Linearized, index: int) -> Data:
    return _filled(lcg.batch, index) if lcg.batch else index


@functools.lru_cache(maxsize=16)
def _filled(shape: tuple[int, ...], index: int) -> Data:
    """An array of one index, which nobody changes: one for all steps of all runs."""
    found = np.full(shape, index)
    found.flags.writeable = False
    return found


def as_float(number: int) -> float:
    """A count as a float; past the largest float infinity, which a run's status then reports."""
    try:
        return float(number)
    except OverflowError:
        return float("inf")
