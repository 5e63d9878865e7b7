"""What the loop asks of what it minimises; what it asks of estimators, optimizers and samplers is said where those live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from ..arguments import Data, State
from ..estimators import Draw, Estimator
from .ahead import Ahead
from .history import Recorder

Position = list[Data] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]
"""A number or an array for each parameter; or one array with a row for each of them, which one call of NumPy moves."""


class Graph(Protocol):
    """What an objective shows of itself at a point."""

    @property
    def value(self) -> Data:
        """The value there; in a batch, of every run."""

    @property
    def batch(self) -> tuple[int, ...]:
        """The shape of the runs; () for one."""

    @property
    def signature(self) -> Data:
        """What else has the same paths, and numbers them alike."""


G = TypeVar("G", bound=Graph)


class Objective(Protocol[G]):
    """What ``minimize`` minimises: f itself, or the mean of a loss over observations, of which each step sees some.

    ``G``: the graph that it gives at a point, which only it looks into. The state is what it remembers from step to step:
    which observations come next.
    """

    def init(self) -> State:
        """The state before the first step."""

    def at(self, position: Position, state: State, rng: np.random.Generator) -> tuple[G, State]:
        """The graph that a step from this position sees, and the next state."""

    def ahead(
        self, estimator: Estimator, optimizer: object, position: Position, recorder: Recorder | None, paths: bool
    ) -> Ahead | None:
        """Many steps as one function, if there is one for these; ``paths``: whether the history has the paths."""

    def draw(self, graph: G, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        """The estimator's gradient with respect to one parameter; ``state`` is the estimator's."""

    def value(self, position: Position, graph: G | None) -> Data:
        """All of the objective at this position; ``graph`` is the one there, None where it may be half overwritten."""

    def counts(self, graph: G) -> Sequence[Data]:
        """How many paths each parameter has; where its numbers have paths of their own, an array of them."""

    def learn(self, graph: G, state: State, draws: dict[str, Draw]) -> State:
        """The state after a step of these draws."""
