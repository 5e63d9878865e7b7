"""Observations of a loss of arrays side by side, number by number: one graph of numbers, with weights for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from ..arguments import Array, Data, State
from ..data import Observed
from ..estimators import Draw, Estimator, of_each
from ..lcg import Elements, Recording, recorded_twice
from ..linearization import Linearization, Node
from ..paths import Route
from ..rules import Choices
from .batch import Batch
from .columns import Pack
from .states import counted


def recorded_loss(
    f: Callable[..., Data], names: list[str], position: Sequence[Data], columns: list[Array], pack: Pack
) -> Recording | None:
    """The loss of one observation, of the parameters and then of the data, recorded; None where it is not alike at all."""
    if any(column.dtype.kind != "f" for column in columns):
        return None  # whole numbers may be places, which no recording follows
    columns = [column.astype(np.float64) for column in columns]

    def loss(*arguments: Data) -> Data:
        params, data = arguments[: len(names)], arguments[len(names) :]
        found = f(*params, pack([np.reshape(x, (1, *np.shape(x))) for x in data]))
        return np.reshape(found, ())

    found = recorded_twice([*names, *(f"data{j}" for j in range(len(columns)))], loss, [*position, *one_row(columns)])
    alike = found is not None and found.static and _each_by_itself(found, f, position, columns, pack)
    return found if alike else None  # an order of numbers that depends on them is another graph for each observation


def _each_by_itself(
    recording: Recording, f: Callable[..., Data], position: Sequence[Data], columns: list[Array], pack: Pack
) -> bool:
    """Whether the losses of all data are those of the observations one by one: f may mix them, or count them."""
    rows = sorted({0, len(columns[0]) // 2, len(columns[0]) - 1})
    try:
        with np.errstate(all="ignore"):
            together = f(*position, pack(columns))
            alone = [recording.at(*position, *one_row([c[row:] for c in columns])).value for row in rows]
    except Exception:  # whatever f raises of all data, it raises of a batch again
        return False
    fits = np.shape(together) == (len(columns[0]),)
    return fits and np.allclose(np.asarray(together)[rows], alone, rtol=1e-9, atol=1e-12, equal_nan=True)


def one_row(columns: list[Array]) -> list[Data]:
    """The first observation."""
    return [np.asarray(column[0], float) if column.ndim > 1 else float(column[0]) for column in columns]


class EachObservation:
    """The loss on the observations of one step. Every number of the parameters draws a path for all of them, or for each."""

    batch = ()

    def __init__(
        self,
        recording: Recording,
        names: list[str],
        position: list[Data],
        taken: list[Array],
        observed: Observed,
        same: bool,
    ) -> None:
        self.observed = observed
        rows = zip(*(column.tolist() if column.ndim == 1 else column.astype(float) for column in taken))
        self.each = [recording.elements(recording.at(*position, *row)) for row in rows]
        self.shapes = {name: self.each[0].shapes[name] for name in names}
        self.together = Batch(self._lanes(), observed, (), same)
        self.value = self.together.value

    def _lanes(self) -> Linearization:
        first = self.each[0].linearization
        if len(self.each) == 1:
            return first
        code = Lanes(self.each)
        arguments = tuple(np.full(len(self.each), a) for a in first.arguments)
        return Linearization(code, first.structure, first.params, arguments, (len(self.each),))

    def draw(self, estimator: Estimator, param: str, state: State, rng: np.random.Generator) -> Draw:
        def of_one(number: str, own: State) -> Draw:
            return self.together.draw(estimator, number, own, rng)

        return of_each(of_one, self.each[0].numbers_of(param), self.shapes[param], state)

    @property
    def signature(self) -> Data:
        return self.each[0].signature

    def counts(self) -> list[Data]:
        return counted(self.each[0])[: len(self.shapes)]

    def norms(self, followed: dict[str, Data]) -> Data:
        """The norm of each observation's gradient along the paths that were followed."""
        listed: dict[str, Data] = {}
        for name, index in followed.items():
            numbers = self.each[0].numbers_of(name)
            own = np.reshape(index, (-1 if np.ndim(index) else 1, *np.shape(index)[len(self.shapes[name]) :]))
            listed |= dict(zip(numbers, own if np.ndim(index) else [index] * len(numbers)))
        return self.together.norms(listed)


class Lanes:
    """What a ``Linearization`` of numbers asks of whoever computes: several observations, of the same graph."""

    def __init__(self, each: list[Elements]) -> None:
        self.each = each

    @cached_property
    def value(self) -> Data:
        return np.array([elements.value for elements in self.each])

    @property
    def names(self) -> Sequence[str]:
        return self.each[0].names

    @property
    def nodes(self) -> Sequence[Node]:
        return self.each[0].nodes

    @property
    def signature(self) -> Data:
        return self.each[0].signature

    @cached_property
    def weight(self) -> list[Data]:
        rows = np.array([elements.linearization.code.weight for elements in self.each])
        copies = self.each[0].structure.copies
        return [1.0 if copied else own for copied, own in zip(copies, rows.T)]

    @property
    def chooses(self) -> bool:
        return self.each[0].linearization.code.chooses

    @property
    def choices(self) -> Choices:
        return self.each[0].linearization.code.choices

    def is_branch(self, node: int) -> bool:
        return self.each[0].linearization.code.is_branch(node)

    def gradient(self, source: int) -> Data:
        """Each observation's, by its own sweep."""
        return np.array([elements.linearization.code.gradient(source) for elements in self.each])

    def follow(self, route: Route) -> None:
        """By a sweep."""

    def listing(self, source: int) -> None:
        """By a sweep."""

    def evaluate(self, arguments: Sequence[Data]) -> Data:
        """The losses at another point."""
        return np.array([e.linearization.code.evaluate(own) for e, own in zip(self.each, zip(*arguments))])

    def replay(self, arguments: Sequence[Data], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]:
        """The losses and the weights at another point."""
        found = [e.linearization.code.replay(own, then) for e, own in zip(self.each, zip(*arguments))]
        return np.array([output for output, _ in found]), list(np.array([weight for _, weight in found]).T)
