"""The loss on the observations of one step: side by side, or as one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from ..arguments import Array, Data, State, name_of
from ..data import Observed
from ..errors import BadInput
from ..estimators import ALL_PATHS, Draw, Estimator, as_draw, draw_numbers
from ..lcg import trace_as
from ..linearization import Linearized
from .columns import Pack
from .states import counted


class Seen(Protocol):
    """The observations of one step, as the loop and their sampler see them."""

    observed: Observed

    @property
    def value(self) -> Data:
        """The weighted mean of their losses, of each run."""

    @property
    def batch(self) -> tuple[int, ...]:
        """The shape of the runs."""

    def draw(self, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        """The estimator's gradient of that mean."""

    def norms(self, followed: dict[str, Data]) -> Data:
        """The norm of each observation's gradient, shape (K, *runs)."""

    @property
    def signature(self) -> Data:
        """What else has the same paths."""

    def counts(self) -> list[Data]:
        """How many paths each parameter has, or each of its numbers."""


class Batch:
    """The loss on the observations of one step. ``value``: their weighted mean, of each run; ``batch``: the runs' shape.

    ``lanes``: all observations of all runs, each with a path of its own. ``asked``: what an estimator is asked about, in
    which observations may share one.
    """

    def __init__(self, lanes: Linearized, observed: Observed, runs: tuple[int, ...], same: bool) -> None:
        self.lanes, self.observed, self.batch = lanes, observed, runs
        self.alone = len(observed.weight) == 1  # one observation: no axis
        self.weight = observed.weight[0] if self.alone else observed.weight
        self.same = same and not self.alone
        self.asked = lanes.observing(self.weight, runs) if self.same else lanes

    @cached_property
    def value(self) -> Data:
        return self.mean(self.lanes.value)

    def mean(self, of: Data) -> Data:
        """The weighted sum over observations."""
        found = self.weight * of if self.alone else (self.weight * of).sum(axis=0)
        return found if self.batch else float(found)

    def draw(self, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        draw = as_draw(estimator.draw(self.asked, param, state, rng), estimator)
        return Draw(draw.gradient if self.same else self.mean(draw.gradient), draw.followed, draw.state)

    @property
    def signature(self) -> Data:
        return self.lanes.signature

    def counts(self) -> list[Data]:
        return counted(self.lanes)

    def norms(self, followed: dict[str, Data]) -> Data:
        """The norm of each observation's gradient along the paths that were followed, shape (K, *runs)."""
        squares: Data = 0.0
        for name, index in followed.items():
            gradient = self._gradient(name, index)
            squares = squares + gradient * gradient
        return np.sqrt(squares).reshape(self.observed.weight.shape)

    def _gradient(self, name: str, index: Data) -> Data:
        if np.all(np.equal(index, ALL_PATHS)):
            return np.asarray(self.lanes.adjoint(name))
        if self.lanes.batch:
            index = np.broadcast_to(index, self.lanes.batch)
        return np.asarray(self.lanes.path_gradient(name, index))


class OneGraph:
    """A batch as one graph, for a loss that is not elementwise: paths lead through linear maps, the same for all of it."""

    batch = ()

    def __init__(
        self,
        f: Callable[..., Data],
        names: list[str],
        position: Sequence[Data],
        columns: list[Array],
        pack: Pack,
        observed: Observed,
        numbers: bool,
    ) -> None:
        self.f, self.position, self.columns, self.pack, self.observed = f, position, columns, pack, observed

        def mean(*params: Data) -> Data:
            return np.sum(losses_of(f, params, pack(columns), len(observed.index)) * observed.weight)

        self.lcg = trace_as(names, mean, position)
        self.value = self.lcg.value
        self.elements = self.lcg.elements() if numbers and not self.lcg.elementwise else None

    def draw(self, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        if self.elements is not None:
            return draw_numbers(estimator, self.elements, param, state, rng)
        return as_draw(estimator.draw(self.lcg, param, state, rng), estimator)

    @property
    def signature(self) -> Data:
        return self.lcg.signature

    def counts(self) -> list[Data]:
        return counted(self.lcg if self.elements is None else self.elements)

    def norms(self, followed: dict[str, Data]) -> Data:
        """The norm of each observation's full gradient, by a trace of each."""
        norms = []
        for j in range(len(self.observed.index)):
            one = self.pack([column[j : j + 1] for column in self.columns])
            lcg = trace_as(list(self.lcg.params), lambda *params, one=one: np.sum(self.f(*params, one)), self.position)
            norms.append(np.sqrt(sum(float(np.sum(np.square(lcg.adjoint(name)))) for name in self.lcg.params)))
        return np.array(norms)


def losses_of(f: Callable[..., Data], params: Data, batch: Data, number: int | None = None) -> Data:
    found = f(*params, batch)
    if number is not None and np.shape(found) != (number,):
        raise BadInput(
            f"{name_of(f)} gave shape {np.shape(found)} for a batch of {number} observations: it is to give the loss of "
            f"each, without summing; here shape ({number},)."
        )
    return found
