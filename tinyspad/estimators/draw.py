"""Draws: one estimate, and the path that it follows; of the numbers of an array, one for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from ..arguments import Array, Data, State, says
from ..errors import BadInput
from ..lcg import ArrayWalks, Elements
from ..linearization import in_form_of
from ..paths import Route, Walks

ALL_PATHS = -1
"""Stands in place of a path index when every path was followed, or when there is none."""


class Draw:
    """One estimate: the ``gradient``, the index of the ``path`` that it follows (in a batch an array), the next ``state``.

    It unpacks into these three. ``followed``: the index, or the route, which is numbered when somebody asks for ``path``:
    among very many paths that takes longer than the step.
    """

    __slots__ = ("followed", "gradient", "state")

    def __init__(self, gradient: Data, path: Data | Route | PathsOfNumbers | Walks | ArrayWalks, state: State) -> None:
        self.gradient, self.followed, self.state = gradient, path, state

    @property
    def path(self) -> Data:
        """The index of the path, an array of them in a batch."""
        return (
            self.followed.index
            if isinstance(self.followed, (Route, PathsOfNumbers, Walks, ArrayWalks))
            else self.followed
        )

    @property
    def followers(self) -> int:
        """How many numbers of one parameter draw a path of their own; of the runs of a batch each has as many."""
        if isinstance(self.followed, ArrayWalks):
            return UNNUMBERED
        return self.followed.followers if isinstance(self.followed, PathsOfNumbers) else 1

    def __iter__(self) -> Iterator[Data]:
        return iter((self.gradient, self.path, self.state))

    def __getitem__(self, i: Data) -> Data:
        return tuple(self)[i]

    def __len__(self) -> int:
        return 3

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Draw, tuple)) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Draw(gradient={self.gradient!r}, path={self.path!r}, state={self.state!r})"


def as_draw(found: Draw | tuple[Data, Data, State], estimator: object) -> Draw:
    """What an estimator gave; one of the user's own may give a plain triple. Raises BadInput for anything else."""
    if isinstance(found, Draw):
        return found
    if isinstance(found, tuple) and len(found) == 3:
        return Draw(*found)
    raise BadInput(
        f"{type(estimator).__name__}.draw is to give (gradient, index of the path, next state), or a ts.estimators.Draw, "
        f"not {found!r:.60}."
    )


UNNUMBERED = 10**9
"""More paths than anyone keeps: among too many edges they have no numbers."""

TOGETHER = 32
"""So many numbers of an array draw together, where the estimator knows how."""


class Drawing(Protocol):
    """What draws."""

    def draw(self, lcg: Data, param: str, state: State, rng: np.random.Generator) -> Draw: ...

    def draw_together(self, lcg: Data, sources: Array, state: State, rng: np.random.Generator) -> Draw | None: ...

    def draw_over_arrays(self, elements: Data, param: str, state: State, rng: np.random.Generator) -> Draw: ...


def draw_numbers(estimator: Drawing, elements: Elements, param: str, state: State, rng: np.random.Generator) -> Draw:
    """An estimate for every number of an array, each of which draws for itself: gradient, paths and states in its shape."""
    plain, shape = says(estimator, "paths_only", "init", "draw"), elements.shapes[param]
    argument = elements.arguments[elements.params.index(param)]
    if elements.too_large:
        if not (plain and draws_so(estimator, "draw_over_arrays")):
            raise BadInput(
                f"The numbers of these arrays have too many edges between them for {type(estimator).__name__}; RAD() and "
                'SPAD(m=...) draw paths without writing them out. Or take arrays as a whole: paths="arrays".'
            )
        over = estimator.draw_over_arrays(elements, param, state, rng)
        return Draw(in_form_of(argument, over.gradient.reshape(shape)), over.followed, over.state)
    at = elements.linearization if plain else elements
    if plain and math.prod(shape) >= TOGETHER and draws_so(estimator, "draw_together"):
        first = elements.linearization.source(elements.numbers_of(param)[0])
        found = estimator.draw_together(at, np.arange(first, first + math.prod(shape)), state, rng)
        if found is not None:
            paths = PathsOfNumbers(lambda: found.path, shape)
            return Draw(in_form_of(argument, found.gradient.reshape(shape)), paths, found.state)

    def of_one(number: str, own: State) -> Draw:
        return as_draw(estimator.draw(at, number, own, rng), estimator)

    draw = of_each(of_one, elements.numbers_of(param), shape, state)
    draw.gradient = in_form_of(argument, draw.gradient)
    return draw


def draws_so(estimator: object, way: str) -> bool:
    """Whether a class that says how one path is drawn says how many are, too; what is derived from it may draw otherwise."""
    one, many = (next((kind for kind in type(estimator).__mro__ if name in vars(kind)), None) for name in ("draw", way))
    return many is not None and one is many


def of_each(of_one: Callable[[str, State], Draw], names: Sequence[str], shape: tuple[int, ...], state: State) -> Draw:
    """The draws of all numbers of an array as one, with gradient, paths and states in its shape."""
    states = state if isinstance(state, PerNumber) else [state] * len(names)
    draws = [of_one(name, own) for name, own in zip(names, states)]
    gradient = np.array([draw.gradient for draw in draws], float).reshape(shape)
    paths = PathsOfNumbers(lambda: _indices(draws), shape)
    return Draw(gradient if shape else float(gradient), paths, PerNumber(draw.state for draw in draws))


def _indices(draws: list[Draw]) -> Array:
    listed = [draw.path for draw in draws]
    return np.array(listed, object if any(isinstance(i, int) and i >= 2**63 for i in listed) else None)


def of_runs(draws: list[Draw]) -> Draw:
    """The estimates of several runs as one, with an axis of runs in front."""
    gradient = np.array([draw.gradient for draw in draws])
    paths = PathsOfNumbers(lambda: _indices(draws), None, draws[0].followers)
    return Draw(gradient, paths, PerRun(draw.state for draw in draws))


class PerRun(list[State]):
    """What an estimator remembers of every run."""


class PerNumber(list[State]):
    """What an estimator remembers of every number of an array."""


class PathsOfNumbers:
    """The paths that the numbers of an array follow, numbered when somebody asks."""

    def __init__(
        self, number: Callable[[], Array], shape: tuple[int, ...] | None, followers: int | None = None
    ) -> None:
        self._number, self.shape = number, shape
        self.followers = math.prod(shape or ()) if followers is None else followers

    @property
    def index(self) -> Array:
        """Their indices, in the array's shape; of several observations with an axis behind; without a shape, as they are."""
        index = self._number()
        index = index if index.size else index.astype(np.int64)
        if self.shape is None:
            return index
        size = math.prod(self.shape)
        return index.reshape(self.shape) if index.size == size else index.reshape(*self.shape, -1)
