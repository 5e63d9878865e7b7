"""The mean of a loss over observations, as what the loop minimises: each step sees those that were drawn.

A loss is computed for all observations of all runs side by side, each in a lane of its own: its LCG is that of one
observation, with arrays of shape (K, *runs) on its edges. A path is drawn for the whole batch ("same"), which then is the
path of largest |contribution| to the batch's gradient, and so on; or for every observation ("different"). The words are
those of Oktay et al. 2020, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..arguments import Data, State, name_of
from ..data import FullBatch, Observed, Sampler
from ..errors import BadInput, TinyspadError, said
from ..estimators import ALL_PATHS, Draw, Estimator
from ..lcg import LCG, Recording, trace_as
from ..program import Buffers, Program, compile_as
from ..tape import locked
from .batch import Batch, OneGraph, Seen, losses_of
from .columns import columns_of
from .contracts import Position
from .each import EachObservation, one_row, recorded_loss
from .whole import compiled_twice

SAMPLES = ("same", "different")


class Losses:
    """The mean over data of a loss, ``f(*params, batch)``, which gives the loss of every observation of a batch.

    Where f is elementwise all observations of all runs go side by side, by f's program if it has one. Otherwise the batch
    is traced as one graph, for one run.
    """

    def __init__(
        self,
        f: Callable[..., Data],
        names: list[str],
        position: Sequence[Data],
        data: Data,
        sampler: Sampler | None,
        sample: str,
        compiled: bool,
        exact: bool,
        numbers: bool = True,
    ) -> None:
        self.f, self.names, self.compiled, self.numbers = f, names, compiled, numbers and not exact
        self.first = "gradient" if exact else "weights"
        self.given, self.pack = columns_of(data)  # as they are, for a batch as one graph
        self.columns = [locked(column.astype(float)) for column in self.given]
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
        self.recording: Recording | None = None
        if not self.side_by_side:
            self.runs = ()
            if self.numbers:
                self.recording = recorded_loss(f, names, position, self.given, self.pack)
            self._check_whole(position, problem)
        self.sampler.init(self.n, self.runs)  # which says what does not fit
        self._buffers: dict[tuple[int, ...], Buffers] = {}
        self._every = FullBatch().draw(FullBatch().init(self.n, self.runs), np.random.default_rng(0))
        self._all = self._taken(self._every.index)
        self.program = self._compiled(position) if self.side_by_side and compiled else None

    # --- what the loop asks ----------------------------------------------------------------------------------

    def init(self) -> State:
        return self.sampler.init(self.n, self.runs)

    def at(self, position: Position, state: State, rng: np.random.Generator) -> tuple[Seen, State]:
        """The batch of this step, and the sampler's next state."""
        if self.sampler.asks(state):
            state = self.sampler.tell(state, self.norms(position))
        observed = self._checked(self.sampler.draw(state, rng))
        return self._batch(position, observed), observed.state

    def ahead(self, *asked: object) -> None:
        """One by one."""

    def draw(self, graph: Seen, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        return graph.draw(estimator, param, state, rng)

    def value(self, position: Position, graph: Seen | None) -> Data:
        """The mean loss over all data, of each run."""
        if graph is not None and len(graph.observed.index) == self.n and isinstance(self.sampler, FullBatch):
            return np.array(graph.value) if self.runs else graph.value
        if not self.side_by_side:
            return float(np.mean(losses_of(self.f, position, self.pack(self.given))))
        shape = (self.n, *self.runs)
        if self.program is not None and position_is_double(position):
            found = self._memory(shape).run("forward", (*self._spread(position, shape), *self._all))[0]
        else:
            found = self.traced(position).value
        found = np.broadcast_to(found, shape).mean(axis=0)
        return found if self.runs else float(found)

    def counts(self, graph: Seen) -> list[Data]:
        return graph.counts()

    def learn(self, graph: Seen, state: State, draws: dict[str, Draw]) -> State:
        """The sampler's state after a step that followed these paths."""
        if not self.sampler.learns:
            return state
        return self.sampler.learn(state, graph.observed, graph.norms({name: draw.path for name, draw in draws.items()}))

    def norms(self, position: Position) -> Data:
        """The norms of the gradients of all observations, shape (n, *runs)."""
        return self._batch(position, self._every).norms(dict.fromkeys(self.names, ALL_PATHS))

    def _checked(self, observed: Observed) -> Observed:
        """What a sampler drew, as arrays, and looked at: the sampler may be the user's own."""
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

    def _batch(self, position: Position, observed: Observed) -> Seen:
        if not self.side_by_side:
            taken = [locked(column[observed.index]) for column in self.given]
            recording = self.recording
            if recording is not None and not self.compiled:  # somebody may have changed what f refers to
                recording = recorded_loss(self.f, self.names, list(position), self.given, self.pack)
            if recording is not None and recording.fits([*position, *one_row(taken)]):
                return EachObservation(recording, self.names, list(position), taken, observed, self.same)
            return OneGraph(self.f, self.names, list(position), taken, self.pack, observed, self.numbers)
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

    def _taken(self, index: Data) -> list[Data]:
        """The columns at these places; a column that has an axis of runs at each run's own."""
        if not self.runs:
            return [locked(column[index]) for column in self.columns]
        place = (index, *np.indices(self.runs))
        return [locked(c[place] if c.ndim > 1 else c[index]) for c in self.columns]

    def _spread(self, position: Sequence[Data] | Position, shape: tuple[int, ...]) -> list[Data]:
        """Each parameter in all lanes."""
        return [np.broadcast_to(x, shape) if shape else x for x in position]

    def _trace(self, position: Sequence[Data] | Position, taken: list[Data], shape: tuple[int, ...]) -> LCG:
        batch = self.pack(taken)
        lcg = trace_as(self.names, lambda *params: self.f(*params, batch), self._spread(position, shape))
        if not lcg.elementwise or np.shape(lcg.value) != shape:
            raise BadInput(
                f"{name_of(self.f)} gave shape {np.shape(lcg.value)} for observations of shape {shape}: it is to give the "
                "loss of each observation, without summing, and without mixing them."
            )
        return lcg

    def traced(self, position: Sequence[Data] | Position) -> LCG:
        """The loss of all observations of all runs side by side, where f is elementwise, as one LCG."""
        return self._trace(position, self._all, (self.n, *self.runs))

    def _memory(self, shape: tuple[int, ...]) -> Buffers:
        if shape not in self._buffers:
            assert self.program is not None
            self._buffers[shape] = Buffers(self.program, shape)
        return self._buffers[shape]

    def _why_not_lanes(self, position: Sequence[Data], other_shapes: set[Data]) -> Exception | None:
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

    def _check_whole(self, position: Sequence[Data], why: Exception | None) -> None:
        """Raise unless f can be traced with the batch as one graph."""
        try:
            with np.errstate(all="ignore"):
                found = losses_of(self.f, position, self.pack([locked(c[:1]) for c in self.given]))
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
        if not self.same and self.recording is None and self.first == "weights":  # to GD all samples are the same
            raise BadInput(
                f'sample="different" needs a loss that is elementwise in parameters and data, or one of arrays that takes '
                f"each observation by itself, data of floats, and looks at no values; {name_of(self.f)} is not "
                f"({said(why) if why is not None else 'arrays'})."
            )

    def _compiled(self, position: Sequence[Data]) -> Program | None:
        """f's program, if it has one that agrees with a trace (see ``minimize``)."""
        if not position_is_double(position):
            return None
        data = [f"data{j}" for j in range(len(self.columns))]
        p = len(self.names)

        def f(*args: Data) -> Data:
            return self.f(*args[:p], self.pack(list(args[p:])))

        shape = (self.n, *self.runs)

        def there(made: Program) -> Data:
            return made.at(*self._spread(position, shape), *self._all)

        return compiled_twice(lambda: compile_as(self.names, f, data), there, lambda: self.traced(position))


def position_is_double(position: Data) -> bool:
    """Whether all parameters are double precision, as programs compute."""
    return all(x.__class__ is float or x.dtype == np.float64 for x in position)


def _told(why: Exception | None) -> str:
    return "" if why is None else f" (With observations side by side: {said(why)})"
