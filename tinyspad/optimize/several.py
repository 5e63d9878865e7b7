"""Several runs of a function of arrays, as what the loop minimises: side by side, on the first axis of every parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from ..arguments import Data, State, name_of
from ..errors import BadInput
from ..estimators import Draw, Estimator, PerRun, as_draw, draw_numbers, of_runs
from ..lcg import LCG, Elements, recorded_twice, trace_as, vectorized
from ..linearization import Linearization
from .contracts import Position
from .states import counted


class Several:
    """f of many runs. Their values and gradients come from one vectorised program; paths are each run's own.

    ``compiled``: whether f's recording may stand in for it, that is, whether nobody changes what f refers to. ``exact``:
    whether what is asked is the gradient, rather than paths; ``numbers``: whether paths are those of the numbers.
    """

    def __init__(
        self,
        f: Callable[..., Data],
        names: list[str],
        position: Sequence[Data],
        compiled: bool,
        exact: bool,
        numbers: bool,
    ) -> None:
        self.f, self.names, self.compiled, self.exact, self.numbers = f, names, compiled, exact, numbers
        self.runs = np.shape(position[0])[0]
        first = one_run(position, 0)
        self.together = vectorized(names, f, first)
        self.recording = recorded_twice(names, self.together, position) if compiled else None
        self.alone = recorded_twice(names, f, first) if compiled and not exact else None
        self._check(position)

    def _check(self, position: Sequence[Data]) -> None:
        """Raise BadInput unless the first and the last run have the values that f gives them alone."""
        with np.errstate(all="ignore"):
            found = self.together(*position)
            for run in {0, self.runs - 1}:
                own = np.reshape(self.f(*one_run(position, run)), ())
                if not np.allclose(found[run], own, rtol=1e-6, atol=1e-9, equal_nan=True):
                    raise BadInput(
                        f"{name_of(self.f)} gives run {run} {own} by itself, and {found[run]} beside others: runs=True "
                        "cannot take runs side by side here. Minimise from each start by itself."
                    )

    def init(self) -> State:
        """Nothing."""
        return None

    def at(self, position: Position, state: State, rng: np.random.Generator) -> tuple[SideBySide, State]:
        if self.compiled:
            return SideBySide(self, list(position)), state
        self.together = vectorized(self.names, self.f, one_run(position, 0))
        graph = SideBySide(self, list(position))
        _ = graph.linearization, () if self.exact else graph.each  # before anybody changes what f refers to
        return graph, state

    def ahead(self, *asked: object) -> None:
        """One by one."""

    def draw(self, graph: SideBySide, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        if self.exact:
            return as_draw(estimator.draw(graph.linearization, param, state, rng), estimator)
        states = state if isinstance(state, PerRun) else [state] * self.runs
        draws = []
        for at, own in zip(graph.each, states):
            if isinstance(at, Elements):
                draws.append(draw_numbers(estimator, at, param, own, rng))
            else:
                draws.append(as_draw(estimator.draw(at, param, own, rng), estimator))
        return of_runs(draws)

    def value(self, position: Position, graph: SideBySide | None) -> Data:
        return np.array((SideBySide(self, list(position)) if graph is None else graph).value)

    def counts(self, graph: SideBySide) -> list[Data]:
        of_one = counted(graph.each[0])
        return [np.broadcast_to(count, (self.runs, *np.shape(count))) for count in of_one]

    def learn(self, graph: SideBySide, state: State, draws: dict[str, Draw]) -> State:
        return state


class SideBySide:
    """All runs at a point: ``linearization``, of values and gradients of all; ``each``, the paths of every run."""

    def __init__(self, several: Several, position: list[Data]) -> None:
        self.several, self.position, self.batch = several, position, (several.runs,)

    @cached_property
    def linearization(self) -> Linearization:
        recording = self.several.recording
        if recording is not None and recording.fits(self.position):
            at = recording.at(*self.position)
        else:
            at = trace_as(self.several.names, self.several.together, self.position).linearization
        return at.of_runs(self.batch)

    @property
    def value(self) -> Data:
        return self.linearization.value

    @property
    def signature(self) -> Data:
        return self.each[0].signature

    @cached_property
    def each(self) -> list[Elements | Linearization | LCG]:
        with np.errstate(all="ignore"):
            return [self._alone(one_run(self.position, run)) for run in range(self.several.runs)]

    def _alone(self, position: list[Data]) -> Elements | Linearization | LCG:
        several, recording = self.several, self.several.alone
        if recording is not None and recording.fits(position):
            at = recording.at(*position)
            return recording.elements(at) if several.numbers and not at.elementwise else at
        lcg = trace_as(several.names, several.f, position)
        if several.numbers and not lcg.elementwise:
            return lcg.elements()
        return lcg.linearization if several.compiled else lcg


def one_run(position: Sequence[Data] | Position, run: int) -> list[Data]:
    """The parameters of one run."""
    return [x[run] if np.ndim(x) > 1 else x[run].item() for x in position]


def check_runs(position: Sequence[Data]) -> None:
    """Raise BadInput unless every parameter has an axis of as many runs in front."""
    shapes = [np.shape(x) for x in position]
    if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) != 1 or not shapes[0][0]:
        raise BadInput(
            "minimize: with runs=True the runs stand on the first axis of every parameter of x0; the shapes are "
            f"{', '.join(map(str, shapes))}."
        )
