"""What the loop sees at a point: f itself, or the mean of a loss over the observations that were drawn.

A loss is computed for all observations of all runs side by side, each in a lane of its own: its LCG is that of one
observation, with arrays of shape (K, *runs) on its edges. A path is drawn for the whole batch ("same"), which then is the
path of largest |contribution| to the batch's gradient, and so on; or for every observation ("different"). The words are
those of Oktay et al. 2020, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .arguments import name_of
from .data import FullBatch, Observed, Sampler
from .errors import BadInput, TinyspadError, said
from .estimators import ALL_PATHS, Draw, Estimator
from .lcg import LCG, trace_as
from .linearization import Linearization
from .program import Buffers, Program, compile_as
from .tape import refuse_foreign

SAMPLES = ("same", "different")


class Whole:
    """f as it is: every step sees all of it. ``linearize``: what gives value and paths at a point."""

    def __init__(self, linearize: Callable[..., Any]) -> None:
        self.linearize = linearize

    def init(self) -> Any:
        return None

    def at(self, position: Any, state: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        """The graph of this step, and the next state."""
        return self.linearize(*position), None

    def draw(self, graph: Any, estimator: Estimator, name: str, state: Any, rng: np.random.Generator) -> Draw:
        """The gradient with respect to one parameter."""
        return estimator.draw(graph, name, state, rng)

    def value(self, position: Any, graph: Any) -> Any:
        """f there; ``graph`` is the one at this position, or None if it may be half overwritten."""
        if graph is None:
            graph = self.linearize(*position)
        if graph.batch or not np.shape(graph.value):
            return np.array(graph.value) if graph.batch else graph.value
        return graph.value.item()  # an array of one number

    def learn(self, graph: Any, state: Any, followed: dict[str, Any]) -> Any:
        return state


class Batch:
    """The loss on the observations of one step. ``value``: their weighted mean, of each run; ``batch``: the runs' shape.

    ``lanes``: the graph of all observations side by side. ``lcg``: what an estimator is asked about.
    """

    def __init__(self, lanes: Any, observed: Observed, runs: tuple[int, ...], same: bool) -> None:
        self.lanes, self.observed, self.batch = lanes, observed, runs
        self.params = lanes.params
        self.alone = len(observed.weight) == 1  # one observation: no axis
        self.weight = observed.weight[0] if self.alone else observed.weight
        self.same = same and not self.alone
        self.lcg: Any = lanes
        if self.same:
            at = lanes if isinstance(lanes, Linearization) else lanes.linearization
            self.lcg = at.observing(self.weight, runs)

    @cached_property
    def value(self) -> Any:
        return self.mean(self.lanes.value)

    def mean(self, of: Any) -> Any:
        """The weighted sum over observations."""
        found = self.weight * of if self.alone else (self.weight * of).sum(axis=0)
        return found if self.batch else float(found)

    def draw(self, estimator: Estimator, name: str, state: Any, rng: np.random.Generator) -> Draw:
        gradient, path, state = estimator.draw(self.lcg, name, state, rng)
        return Draw(gradient if self.same else self.mean(gradient), path, state)

    def norms(self, followed: dict[str, Any]) -> Any:
        """The norm of each observation's gradient along the paths that were followed, shape (K, *runs)."""
        squares: Any = 0.0
        for name, index in followed.items():
            gradient = self._gradient(name, index)
            squares = squares + gradient * gradient
        return np.sqrt(squares).reshape(self.observed.weight.shape)

    def _gradient(self, name: str, index: Any) -> Any:
        if np.all(np.equal(index, ALL_PATHS)):
            return np.asarray(self.lanes.adjoint(name))
        if self.lanes.batch:
            index = np.broadcast_to(index, self.lanes.batch)
        return np.asarray(self.lanes.path_gradient(name, index))


class Losses:
    """The mean over data of a loss, ``f(*params, batch)``, which gives the loss of every observation of a batch.

    Where f is elementwise all observations of all runs go side by side, by f's program if it has one. Otherwise the batch
    is traced as one graph, for one run.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        names: list[str],
        position: Sequence[Any],
        data: Any,
        sampler: Sampler | None,
        sample: str,
        compiled: bool,
        exact: bool,
    ) -> None:
        self.f, self.names = f, names
        self.first = "gradient" if exact else "weights"
        self.given, self.pack = columns_of(data)  # as they are, for a batch as one graph
        self.columns = [_locked(column.astype(float)) for column in self.given]
        self.n = len(self.columns[0])
        self.sampler = FullBatch() if sampler is None else sampler
        if not isinstance(self.sampler, Sampler):
            raise BadInput(f"observations= is a sampler of ts.data, such as ts.data.Shuffled(8), not {sampler!r:.60}.")
        if sample not in SAMPLES:
            raise BadInput(f'sample= is "same" or "different", not {sample!r:.60}.')
        self.same = sample == "same"
        shapes = {np.shape(x) for x in position}
        self.runs: tuple[int, ...] = shapes.pop() if len(shapes) == 1 else ()
        problem = self._why_not_lanes(position, shapes)
        self.side_by_side = problem is None
        if not self.side_by_side:
            self.runs = ()
            self._check_whole(position, problem)
        self.sampler.init(self.n, self.runs)  # which says what does not fit
        self._buffers: dict[tuple[int, ...], Buffers] = {}
        self._every = FullBatch().draw(FullBatch().init(self.n, self.runs), np.random.default_rng(0))
        self._all = self._taken(self._every.index)
        self.program = self._compiled(position) if self.side_by_side and compiled else None

    # --- what the loop asks ----------------------------------------------------------------------------------

    def init(self) -> Any:
        return self.sampler.init(self.n, self.runs)

    def at(self, position: Any, state: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        """The batch of this step, and the sampler's next state."""
        if self.sampler.asks(state):
            state = self.sampler.tell(state, self.norms(position))
        observed = self._checked(self.sampler.draw(state, rng))
        return self._batch(position, observed), observed.state

    def draw(self, graph: Any, estimator: Estimator, name: str, state: Any, rng: np.random.Generator) -> Draw:
        """The gradient with respect to one parameter."""
        return graph.draw(estimator, name, state, rng)  # type: ignore[no-any-return]

    def value(self, position: Any, graph: Any) -> Any:
        """The mean loss over all data, of each run."""
        if graph is not None and len(graph.observed.index) == self.n and isinstance(self.sampler, FullBatch):
            return np.array(graph.value) if self.runs else graph.value
        if not self.side_by_side:
            return float(np.mean(_losses(self.f, position, self.pack(self.given))))
        shape = (self.n, *self.runs)
        if self.program is not None and position_is_double(position):
            found = self._memory(shape).run("forward", (*self._spread(position, shape), *self._all))[0]
        else:
            found = self._trace(position, self._all, shape).value
        found = np.broadcast_to(found, shape).mean(axis=0)
        return found if self.runs else float(found)

    def learn(self, graph: Any, state: Any, followed: dict[str, Any]) -> Any:
        """The sampler's state after a step that followed these paths."""
        if not self.sampler.learns:
            return state
        return self.sampler.learn(state, graph.observed, graph.norms(followed))

    def norms(self, position: Any) -> Any:
        """The norms of the gradients of all observations, shape (n, *runs)."""
        return self._batch(position, self._every).norms(dict.fromkeys(self.names, ALL_PATHS))

    def _checked(self, observed: Any) -> Observed:
        """What a sampler drew, as arrays; one of the user's own may give something else."""
        if type(self.sampler).__module__.startswith("tinyspad."):
            return observed  # type: ignore[no-any-return]
        try:
            index, weight = np.asarray(observed.index), np.asarray(observed.weight, float)
            fits = index.ndim and index.shape == weight.shape and index.shape[1:] == self.runs and index.size
            if fits and index.dtype.kind in "iu" and index.min() >= 0 and index.max() < self.n:
                return Observed(index, weight, observed.state)
        except (AttributeError, TypeError, ValueError):
            pass
        raise BadInput(
            f"{type(self.sampler).__name__}.draw is to give an Observed(index, weight, state): whole numbers from 0 to "
            f"{self.n - 1} and weights, both of shape (K, {', '.join(map(str, self.runs))})."
        )

    # --- observations side by side -----------------------------------------------------------------------------

    def _batch(self, position: Any, observed: Observed) -> Any:
        if not self.side_by_side:
            taken = [_locked(column[observed.index]) for column in self.given]
            return WholeBatch(self.f, self.names, position, taken, self.pack, observed)
        every = observed.index is self._every.index or isinstance(self.sampler, FullBatch)
        taken = self._all if every else self._taken(observed.index)
        shape = observed.index.shape
        if len(observed.index) == 1:
            shape, taken = shape[1:], [column[0] for column in taken]
        if self.program is None or not position_is_double(position):
            return Batch(self._trace(position, taken, shape), observed, self.runs, self.same)
        args = (*self._spread(position, shape), *(taken if shape else map(float, taken)))
        lanes = self.program.at(*args, first=self.first, buffers=self._memory(shape) if shape else None)
        return Batch(lanes, observed, self.runs, self.same)

    def _taken(self, index: Any) -> list[Any]:
        """The columns at these places; a column that has an axis of runs at each run's own."""
        if not self.runs:
            return [_locked(column[index]) for column in self.columns]
        place = (index, *np.indices(self.runs))
        return [_locked(c[place] if c.ndim > 1 else c[index]) for c in self.columns]

    def _spread(self, position: Any, shape: tuple[int, ...]) -> list[Any]:
        """Each parameter in all lanes."""
        return [np.broadcast_to(x, shape) if shape else x for x in position]

    def _trace(self, position: Any, taken: list[Any], shape: tuple[int, ...]) -> LCG:
        batch = self.pack(taken)
        lcg = trace_as(self.names, lambda *params: self.f(*params, batch), self._spread(position, shape))
        if not lcg.elementwise or np.shape(lcg.value) != shape:
            raise BadInput(
                f"{name_of(self.f)} gave shape {np.shape(lcg.value)} for observations of shape {shape}: it is to give the "
                "loss of each observation, without summing, and without mixing them."
            )
        return lcg

    def _memory(self, shape: tuple[int, ...]) -> Buffers:
        if shape not in self._buffers:
            assert self.program is not None
            self._buffers[shape] = Buffers(self.program, shape)
        return self._buffers[shape]

    def _why_not_lanes(self, position: Sequence[Any], other_shapes: set[Any]) -> Exception | None:
        """None if f is elementwise in parameters and data; otherwise what happened when it was asked to be."""
        if other_shapes:
            return BadInput("the parameters differ in shape.")
        for column in self.columns:
            if column.ndim > 1 and column.shape[1:] != self.runs:
                return BadInput(f"an array of data has shape {column.shape}")
        first = np.broadcast_to(np.zeros(1, int).reshape(1, *(1 for _ in self.runs)), (min(self.n, 2), *self.runs))
        try:
            with np.errstate(all="ignore"):
                self._trace(position, self._taken(first), first.shape)
        except Exception as problem:  # whatever f raises; told if it cannot be traced as it is, either
            return problem
        return None

    def _check_whole(self, position: Sequence[Any], why: Exception | None) -> None:
        """Raise unless f can be traced with the batch as one graph."""
        try:
            with np.errstate(all="ignore"):
                found = _losses(self.f, position, self.pack([_locked(c[:1]) for c in self.given]))
        except Exception as problem:
            if isinstance(problem, TinyspadError):
                raise
            raise BadInput(f"{name_of(self.f)} failed on a batch of one observation: {said(problem)}.{_told(why)}").at(
                problem
            ) from None
        if np.shape(found) != (1,):
            raise BadInput(
                f"{name_of(self.f)} gave shape {np.shape(found)} for a batch of one observation: f(*params, batch) is to "
                "give the loss of each observation, without summing; here shape (1,)."
                + _told(why if np.shape(found) else None)
            )
        if not self.same:
            raise BadInput(
                f'sample="different" needs a loss that is elementwise in parameters and data, and {name_of(self.f)} is not '
                f"({said(why) if why is not None else 'arrays'})."
            )

    def _compiled(self, position: Sequence[Any]) -> Program | None:
        """f's program, if it has one that agrees with a trace (see ``minimize``)."""
        if not position_is_double(position):
            return None
        data = [f"data{j}" for j in range(len(self.columns))]
        p = len(self.names)

        def f(*args: Any) -> Any:
            return self.f(*args[:p], self.pack(list(args[p:])))

        shape = (self.n, *self.runs)

        def there(made: Program) -> Any:
            return made.at(*self._spread(position, shape), *self._all)

        return compiled_twice(
            lambda: compile_as(self.names, f, data), there, lambda: self._trace(position, self._all, shape)
        )


class WholeBatch:
    """A batch as one graph, for a loss that is not elementwise: paths lead through linear maps, the same for all of it."""

    def __init__(
        self, f: Any, names: list[str], position: Any, columns: list[Any], pack: Any, observed: Observed
    ) -> None:
        self.f, self.position, self.columns, self.pack, self.observed = f, position, columns, pack, observed

        def mean(*params: Any) -> Any:
            return np.sum(_losses(f, params, pack(columns), len(observed.index)) * observed.weight)

        self.lcg = trace_as(names, mean, position)
        self.value, self.params, self.batch = self.lcg.value, self.lcg.params, ()

    def draw(self, estimator: Estimator, name: str, state: Any, rng: np.random.Generator) -> Draw:
        return estimator.draw(self.lcg, name, state, rng)

    def norms(self, followed: dict[str, Any]) -> Any:
        """The norm of each observation's full gradient, by a trace of each."""
        norms = []
        for j in range(len(self.observed.index)):
            one = self.pack([column[j : j + 1] for column in self.columns])
            lcg = trace_as(list(self.params), lambda *params, one=one: np.sum(self.f(*params, one)), self.position)
            norms.append(np.sqrt(sum(float(np.sum(np.square(lcg.adjoint(name)))) for name in self.params)))
        return np.array(norms)


def compiled_twice(
    compile_: Callable[[], Program], at: Callable[[Program], Any], trace: Callable[[], LCG]
) -> Program | None:
    """A function's program, if it has one, two recordings are the same, and value and gradient are a trace's, to rounding.

    A program is a snapshot: a function that draws random numbers, or counts its calls, must be traced anew at every step.
    """
    try:
        program, again = compile_(), compile_()
        if not program.same_as(again):
            return None
        with np.errstate(all="ignore"):
            lcg, evaluated = trace(), at(program)
            pairs = [
                (lcg.value, evaluated.value),
                *((lcg.adjoint(name), evaluated.adjoint(name)) for name in lcg.params),
            ]
    except Exception:  # whatever f raises, it raises again when it is traced
        return None
    agree = (np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in pairs)
    return program if all(agree) else None


def columns_of(data: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The arrays of data, and what puts as many together as they were given: an array, a tuple, or a named tuple."""
    several = isinstance(data, tuple)
    columns = []
    if isinstance(data, list) and data and all(np.ndim(column) for column in data):
        raise BadInput("data= of several columns is a tuple of arrays, not a list: (x, y).")
    for column in data if several else (data,):
        refuse_foreign(column, "data=")
        try:
            if isinstance(column, np.ma.MaskedArray):
                raise TypeError("a masked array: leave out the rows that are masked")
            array = np.asarray(column)
            if array.dtype.kind not in "fiub":
                raise TypeError(f"a {type(column).__name__}, as an array of {array.dtype}")
        except (TypeError, ValueError) as problem:
            raise BadInput(
                f"data= is an array of numbers, or a tuple of them, one row per observation ({problem})."
            ) from None
        columns.append(_locked(array.copy()))
    if not columns or any(c.ndim == 0 or not c.size for c in columns) or len({len(c) for c in columns}) > 1:
        shapes = ", ".join(str(c.shape) for c in columns) or "none"
        raise BadInput(
            f"data= is an array of observations, or a tuple of arrays of one length; the shapes are {shapes}."
        )
    if not several:
        return columns, lambda listed: listed[0]
    if hasattr(data, "_fields"):
        return columns, lambda listed: type(data)(*listed)
    return columns, tuple


def position_is_double(position: Any) -> bool:
    """Whether all parameters are double precision, as programs compute."""
    return all(x.__class__ is float or x.dtype == np.float64 for x in position)


def _losses(f: Any, params: Any, batch: Any, number: int | None = None) -> Any:
    found = f(*params, batch)
    if number is not None and np.shape(found) != (number,):
        raise BadInput(
            f"{name_of(f)} gave shape {np.shape(found)} for a batch of {number} observations: it is to give the loss of "
            f"each, without summing; here shape ({number},)."
        )
    return found


def _locked(array: Any) -> Any:
    """The array, which a loss cannot change in place: every step sees the data as they were given."""
    array = array.view() if array.base is not None or not array.flags.owndata else array
    array.flags.writeable = False
    return array


def _told(why: Exception | None) -> str:
    return "" if why is None else f" (With observations side by side: {said(why)})"
