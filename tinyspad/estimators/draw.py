"""Draws: one estimate, and the path that it follows; of the numbers of an array, one for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from ..arguments import Array, Data, State, says
from ..errors import BadInput
from ..lcg import Elements
from ..paths import Route

ALL_PATHS = -1
"""Stands in place of a path index when every path was followed, or when there is none."""


class Draw:
    """One estimate: the ``gradient``, the index of the ``path`` that it follows (in a batch an array), the next ``state``.

    It unpacks into these three. ``followed``: the index, or the route, which is numbered when somebody asks for ``path``:
    among very many paths that takes longer than the step.
    """

    __slots__ = ("followed", "gradient", "state")

    def __init__(self, gradient: Data, path: Data | Route | PathsOfNumbers, state: State) -> None:
        self.gradient, self.followed, self.state = gradient, path, state

    @property
    def path(self) -> Data:
        """The index of the path, an array of them in a batch."""
        return self.followed.index if isinstance(self.followed, (Route, PathsOfNumbers)) else self.followed

    @property
    def followers(self) -> int:
        """How many numbers of one parameter draw a path of their own; of the runs of a batch each has as many."""
        return len(self.followed.draws) if isinstance(self.followed, PathsOfNumbers) else 1

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


class Drawing(Protocol):
    """What draws."""

    def draw(self, lcg: Data, param: str, state: State, rng: np.random.Generator) -> Draw: ...


def draw_numbers(estimator: Drawing, elements: Elements, param: str, state: State, rng: np.random.Generator) -> Draw:
    """An estimate for every number of an array, each of which draws for itself: gradient, paths and states in its shape."""
    at = elements.linearization if says(estimator, "paths_only", "init", "draw") else elements

    def of_one(number: str, own: State) -> Draw:
        return as_draw(estimator.draw(at, number, own, rng), estimator)

    return of_each(of_one, elements.numbers_of(param), elements.shapes[param], state)


def of_each(of_one: Callable[[str, State], Draw], names: Sequence[str], shape: tuple[int, ...], state: State) -> Draw:
    """The draws of all numbers of an array as one, with gradient, paths and states in its shape."""
    states = state if isinstance(state, PerNumber) else [state] * len(names)
    draws = [of_one(name, own) for name, own in zip(names, states)]
    gradient = np.array([draw.gradient for draw in draws], float).reshape(shape)
    held = PerNumber(draw.state for draw in draws)
    return Draw(gradient if shape else float(gradient), PathsOfNumbers(draws, shape), held)


def of_runs(draws: list[Draw]) -> Draw:
    """The estimates of several runs as one, with an axis of runs in front."""
    gradient = np.array([draw.gradient for draw in draws])
    return Draw(gradient, PathsOfNumbers(draws, gradient.shape), [draw.state for draw in draws])


class PerNumber(list[State]):
    """What an estimator remembers of every number of an array."""


class PathsOfNumbers:
    """The paths that the numbers of an array follow, numbered when somebody asks."""

    def __init__(self, draws: list[Draw], shape: tuple[int, ...]) -> None:
        self.draws, self.shape = draws, shape

    @property
    def index(self) -> Array:
        """Their indices, in the array's shape."""
        listed = [draw.path for draw in self.draws]
        large = any(isinstance(i, int) and i >= 2**63 for i in listed)
        index = np.array(listed, object if large else None)
        return index.reshape(self.shape) if index.size == math.prod(self.shape) else index.reshape(*self.shape, -1)
