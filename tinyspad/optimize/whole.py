"""f as it is, as what the loop minimises: by its program, or by its recording, where these agree with a trace.

Of a function of arrays an estimator that chooses among paths sees the numbers: each draws its own.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..arguments import Data, State
from ..estimators import Draw, Estimator, as_draw, draw_numbers
from ..lcg import LCG, Elements, Numbers, alike, is_trace, recorded_twice, trace_as
from ..linearization import Linearization, Linearized
from ..program import Buffers, Program, compile_as, with_half_angles
from ..rules import LinearMap
from .ahead import Ahead, ahead_of, known_ahead
from .contracts import Position
from .history import Recorder
from .states import counted
from .tiles import TILE

MANY = 100
"""More runs than this compute sines and cosines by half the angle, unless they are asked not to."""


class Whole:
    """f as it is: every step sees all of it.

    ``half_angles``: whether many runs may have sines by the tangent of half the angle. ``compiled``: whether f's
    program or recording may stand in for f, that is, whether nobody asks for more, or changes what f refers to.
    ``exact``: whether what is asked is the gradient, rather than paths. ``numbers``: whether paths of arrays are those
    of their numbers.
    """

    def __init__(
        self,
        f: Callable[..., Data],
        names: list[str],
        position: Sequence[Data],
        compiled: bool,
        exact: bool,
        numbers: bool = False,
        half_angles: bool = False,
    ) -> None:
        self.f, self.names, self.compiled, self.numbers = f, names, compiled, numbers and not exact
        self.first = "gradient" if exact else "weights"
        self.before: tuple[LCG, Numbers] | None = None
        shapes = {np.shape(x) for x in position}
        fits = len(shapes) <= 1 and all(x.__class__ is float or (x.dtype == np.float64 and x.shape) for x in position)
        self.program = self._program(position) if compiled and fits else None
        if self.program is not None and half_angles and math.prod(next(iter(shapes), ())) > MANY:
            self.program = with_half_angles(self.program)
        self.recording = recorded_twice(names, f, position) if compiled and self.program is None else None
        shape = shapes.pop() if self.program is not None and shapes else ()
        self.buffers = Buffers(self.program, shape) if self.program is not None and shape else None

    def _program(self, position: Sequence[Data]) -> Program | None:
        """f's program; of very many runs it is held to a trace of a thousand, for a program takes each by itself."""
        position = [x[:: max(1, len(x) // 1000)] if np.ndim(x) == 1 else x for x in position]
        return compiled_twice(
            lambda: compile_as(self.names, self.f),
            lambda made: made.at(*position),
            lambda: trace_as(self.names, self.f, position),
        )

    def init(self) -> State:
        """How often the recording has stood in for f; None where it does not."""
        return None if self.recording is None else 0

    def at(self, position: Position, state: State, rng: np.random.Generator) -> tuple[Linearized | Elements, State]:
        graph, state = self._recorded(position, state)
        graph.check_differentiable()
        if not self.numbers or graph.elementwise:
            return graph, state
        if isinstance(graph, LCG):
            return self._elements(graph), state
        assert self.recording is not None
        return self.recording.elements(graph), state

    def _elements(self, lcg: LCG) -> Elements:
        """The numbers of a trace, numbered anew where operations, constants or shapes are others than at the last step."""
        found = lcg.elements()
        if self.before is not None:
            traced, known = self.before
            if known.static and alike(traced, lcg) and _forms(traced) == _forms(lcg):
                found = Elements(lcg.linearization, lcg.single_access, known)
        self.before = None if found.too_large else (lcg, found.numbers)
        return found

    def _recorded(self, position: Position, state: State) -> tuple[Linearization | LCG, State]:
        """f at this position: by its recording, its program, or a trace."""
        graph: Linearization | LCG | None = None if state is None else self._replayed(position)
        if graph is not None and state & (state - 1):
            state += 1
        else:  # after 0, 1, 2, 4, ... steps f is traced, too, lest it draw random numbers that were alike before
            traced = self.linearized(position)
            if graph is not None and is_trace(graph, traced):
                state += 1
            else:
                graph, state = traced, None
        return graph, state

    def _replayed(self, position: Position) -> Linearization | None:
        """f at this position by its recording, or None where that is not f: an operation raises, and f might catch that."""
        if self.recording is None or not self.recording.fits(list(position)):
            return None
        try:
            return self.recording.at(*position)
        except Exception:
            return None

    def linearized(self, position: Position) -> Linearization | LCG:
        """f at this position: by its program, or by a trace."""
        if self.program is not None:
            return self.program.at(*position, first=self.first, buffers=self.buffers)
        lcg = trace_as(self.names, self.f, list(position))
        return lcg.linearization if self.compiled and (lcg.elementwise or not self.numbers) else lcg

    def of_runs(self, number: int) -> Whole:
        """The same for so many runs side by side, in memory of its own."""
        assert self.program is not None
        found = copy.copy(self)
        found.buffers = Buffers(self.program, (number,))
        return found

    def alone(self, position: Position) -> Data:
        """The values of some of the runs."""
        return self.of_runs(len(position[0])).value(position, None)

    def goes_by_tiles(self, estimator: Estimator, optimizer: object, position: Sequence[Data]) -> bool:
        """Whether these are very many runs, which the generated function knows."""
        many = len(position) > 0 and np.ndim(position[0]) == 1 and len(position[0]) > TILE
        return many and self.program is not None and known_ahead(self.program, estimator, optimizer) is not None

    def ahead(
        self, estimator: Estimator, optimizer: object, position: Position, recorder: Recorder | None, paths: bool
    ) -> Ahead | None:
        return None if self.program is None else ahead_of(self.program, estimator, optimizer, position, recorder, paths)

    def draw(
        self, graph: Linearized | Elements, estimator: Estimator, param: str, state: State, rng: np.random.Generator
    ) -> Draw:
        if isinstance(graph, Elements):
            return draw_numbers(estimator, graph, param, state, rng)
        return as_draw(estimator.draw(graph, param, state, rng), estimator)

    def value(self, position: Position, graph: Linearized | Elements | None) -> Data:
        graph = self.linearized(position) if graph is None else graph
        if graph.batch:
            return np.array(graph.value)
        return graph.value.item() if np.shape(graph.value) else graph.value  # an array of one number

    def counts(self, graph: Linearized | Elements) -> list[Data]:
        return counted(graph)

    def learn(self, graph: Linearized | Elements, state: State, draws: dict[str, Draw]) -> State:
        return state


def _forms(lcg: LCG) -> list[Data]:
    """What every edge leads from and to."""
    return [(w.shape, w.out_shape) if isinstance(w, LinearMap) else np.shape(w) for w in lcg.weight]


def compiled_twice(
    compile_: Callable[[], Program], at: Callable[[Program], Data], trace: Callable[[], LCG]
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
