"""What an optimizer remembers: a state for each parameter; or one for each path of it, and one for steps along all paths.

Which of the two, an optimizer says by its ``moments``. Fresh draws add up to the gradient again in the averages of one
state; in a state for each path, every path keeps the averages of its own contributions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..arguments import Array, Data, State, says, spaced
from ..errors import BadInput, said
from ..estimators import ALL_PATHS, GD, Draw
from ..lcg import ArrayWalks, Elements
from ..linearization import Linearized
from ..optimizers import Optimizer, check_moments
from .contracts import Graph, Position

LARGEST_TABLE = 10**7
"""So many states are kept in arrays: paths times runs."""


class States(Protocol):
    """An optimizer's states. ``rows``: of parameters that are rows of one array, as the generated function has them."""

    rows: State

    def fit(self, graph: Graph) -> bool:
        """Whether they are of this graph's paths."""

    def moved(self, position: Position, draws: Sequence[Draw]) -> Position:
        """The position after a step along these draws, which renews the states."""


def counted(graph: Linearized | Elements) -> list[Data]:
    """How many paths each parameter has; of numbers among too many edges as floats."""
    if isinstance(graph, Elements) and graph.too_large:
        return [graph.float_counts()[name] for name in graph.params]
    return [graph.count_paths(name) for name in graph.params]


def follows_all(estimator: object) -> bool:
    """Whether an estimator draws what GD draws, the gradient."""
    return getattr(type(estimator), "draw", None) is GD.draw


def states_by_path(optimizer: object, estimator: object) -> bool:
    """Whether each path has a state of its own: of steps that all go along all paths there is one."""
    moments = getattr(optimizer, "moments", "parameter")
    check_moments(type(optimizer).__name__, moments)
    return bool(moments == "path" and not follows_all(estimator))


def together(optimizer: Optimizer, position: Position, shape: tuple[int, ...]) -> Position:
    """The position as rows of one array, where the optimizer treats every number by itself: one call serves them all."""
    one = shape and says(optimizer, "elementwise", "init", "update")
    if one and all(x.dtype == np.float64 for x in position) and len({x.shape for x in position}) == 1:
        return np.array(position)
    return position


class OfParameters:
    """A state for each parameter; of rows of one array, one for all."""

    def __init__(self, optimizer: Optimizer, position: Position) -> None:
        self.optimizer = optimizer
        whole = isinstance(position, np.ndarray)
        self.each: list[State] = [optimizer.init(x) for x in ([position] if whole else position)]

    @property
    def rows(self) -> State:
        return self.each[0]

    @rows.setter
    def rows(self, state: State) -> None:
        self.each = [state]

    def fit(self, graph: Graph) -> bool:
        return True

    def moved(self, position: Position, draws: Sequence[Draw]) -> Position:
        if isinstance(position, np.ndarray):
            step, self.rows = self.optimizer.update(_stacked(position, draws), self.rows)
            return position + step
        steps = [self.optimizer.update(draw.gradient, state) for draw, state in zip(draws, self.each)]
        self.each = [state for _, state in steps]
        return [x + step for x, (step, _) in zip(position, steps)]


class OfPaths:
    """A state for each path of each parameter, and one for its steps along all paths.

    ``counts``: how many paths each parameter has; of numbers that have paths of their own, an array of them. They are
    good for graphs of the ``signature``. Raises BadInput for an optimizer that cannot update states of different ages at
    once, and for too many paths of many runs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        names: Sequence[str],
        position: Position,
        counts: Sequence[Data],
        shape: tuple[int, ...],
        signature: Data,
    ) -> None:
        self.signature = signature
        self.each: list[Table | Known]
        if isinstance(position, np.ndarray):
            self.each = [_kept(optimizer, ", ".join(names), position, np.array(counts), shape)]
        else:
            self.each = [_kept(optimizer, *each, shape) for each in zip(names, position, counts)]

    @property
    def rows(self) -> State:
        """Those of the paths, without those of steps along all."""
        own = self.each[0]
        return tuple(part[: len(part) - math.prod(own.shape)] for part in own.parts)

    @rows.setter
    def rows(self, state: State) -> None:
        for own, part in zip(self.rows, state):
            own[:] = part

    def fit(self, graph: Graph) -> bool:
        return graph.signature is self.signature or bool(graph.signature == self.signature)

    def moved(self, position: Position, draws: Sequence[Draw]) -> Position:
        index = [_numbered(draw) for draw in draws]
        if isinstance(position, np.ndarray):
            paths = np.array([np.broadcast_to(i, position.shape[1:]) for i in index])
            return position + self.each[0].step(_stacked(position, draws), paths)
        return [x + own.step(d.gradient, i) for x, own, d, i in zip(position, self.each, draws, index)]


class Table:
    """The states of all paths of an array's numbers, side by side.

    ``counts``: how many paths each has, in the shape of the array's first axes; numbers behind the same place have as many.
    ``parts``: what a state consists of, each in one row: path by path, and behind them those of steps along all paths.
    """

    def __init__(self, optimizer: Optimizer, x: Array, counts: Array) -> None:
        self.optimizer, self.shape = optimizer, x.shape
        of_each = counts.astype(np.int64).reshape(-1)
        self.lanes = x.size // max(1, of_each.size)
        first = (np.cumsum(of_each) - of_each)[:, None] * self.lanes + np.arange(self.lanes)
        self.first, self.counts = first.reshape(x.shape), np.repeat(of_each, self.lanes).reshape(x.shape)
        self.all = int(of_each.sum()) * self.lanes + np.arange(x.size).reshape(x.shape)
        self.parts = tuple(self._spread(part, of_each) for part in _parts(optimizer, x))

    def _spread(self, part: Data, of_each: Array) -> Array:
        rows = np.broadcast_to(part, self.shape).reshape(len(of_each), self.lanes)
        return np.concatenate([np.repeat(rows, of_each, axis=0).reshape(-1), rows.reshape(-1)])

    def step(self, gradient: Data, paths: Data) -> Data:
        """The step along these paths, one for each number or the same for all."""
        paths = np.broadcast_to(paths, self.shape)
        _check_paths(paths, self.counts)
        at = np.where(paths == ALL_PATHS, self.all, self.first + paths * self.lanes)
        step, state = self.optimizer.update(gradient, tuple(part[at] for part in self.parts))
        for part, new in zip(self.parts, state):
            part[at] = new
        return step


class Known:
    """The states of those paths that were followed, of one run: of a number, or of an array with very many paths."""

    parts: State = ()

    def __init__(self, optimizer: Optimizer, x: Data, counts: Data) -> None:
        self.optimizer, self.x, self.shape, self.counts = optimizer, x, np.shape(x), counts
        self.fresh = _parts(optimizer, x) if self.shape else ()
        self.known: dict[Data, State] = {}

    def step(self, gradient: Data, paths: Data) -> Data:
        """The step along these paths, one for each number or the same for all."""
        _check_paths(paths, self.counts)
        if not self.shape:
            path = int(paths)
            # each begins with a state of its own, which update may change in place
            state = self.known[path] if path in self.known else self.optimizer.init(self.x)
            step, self.known[path] = self.optimizer.update(gradient, state)
            return step
        keys = list(enumerate(np.broadcast_to(paths, self.shape).reshape(-1).tolist()))
        fresh = [np.broadcast_to(part, self.shape).reshape(-1) for part in self.fresh]
        states = [self.known.get(key) or tuple(part[key[0]] for part in fresh) for key in keys]
        gathered = tuple(np.array(part).reshape(self.shape) for part in zip(*states))
        step, state = self.optimizer.update(gradient, gathered)
        self.known |= dict(zip(keys, zip(*(np.reshape(part, -1) for part in state))))
        return step


def _check_paths(paths: Data, counts: Data) -> None:
    if isinstance(counts, int) and counts > 2**62:  # more than an array's numbers can tell
        return
    if np.any((paths < ALL_PATHS) | (paths >= np.maximum(counts, 0))):
        raise BadInput(f"A draw followed path {np.max(paths)}, and there are {np.max(counts)}, from 0 on.")


def _stacked(position: Array, draws: Sequence[Draw]) -> Array:
    """The gradients, as rows of one array."""
    rows = np.empty_like(position)
    for i, draw in enumerate(draws):
        rows[i] = draw.gradient
    return rows


def _numbered(draw: Draw) -> Data:
    if isinstance(draw.followed, ArrayWalks):
        raise BadInput(
            'moments="path" keeps a state for each path by its number; among so many edges paths are drawn without '
            'numbers. Take moments="parameter", or arrays as a whole: paths="arrays".'
        )
    return draw.path


def _parts(optimizer: Optimizer, x: Array) -> tuple[Data, ...]:
    """The state before the first step, part by part, of an optimizer that can update states of different ages at once."""
    name = type(optimizer).__name__
    try:
        own = optimizer.init(x)
        young = optimizer.init(np.zeros(2))
        first, old = optimizer.update(np.ones(2), young)
        second, _ = optimizer.update(np.ones(2), old)
        parts = tuple(np.where([True, False], *pair) for pair in zip(old, young))
        found = np.array(optimizer.update(np.ones(2), parts)[0])
        why = "" if np.allclose(found, np.where([True, False], second, first), rtol=1e-12) else "its steps are others"
    except Exception as problem:  # whatever an optimizer of the user's own raises
        why = said(problem)
    if why or not isinstance(own, tuple):
        raise BadInput(
            f'{name}: moments="path" asks update for a step of many states at once, of which each has its own age: a state '
            "is a tuple of arrays, and a step count in it an array, too. This one cannot "
            f"({why or 'its state is no tuple'}): write it with NumPy's functions, elementwise, or leave moments out."
        )
    return own


def _kept(optimizer: Optimizer, name: str, x: Data, counts: Data, runs: tuple[int, ...]) -> Table | Known:
    """A table, or, where one run has very many paths or is a number, a dictionary. Raises BadInput where many runs have."""
    number = sum(np.ravel(counts).tolist()) * (np.size(x) // max(1, np.size(counts)))
    if np.shape(x) and number <= LARGEST_TABLE:
        return Table(optimizer, x, np.array(counts))
    if runs:
        raise BadInput(
            f'{type(optimizer).__name__}: moments="path" keeps a state for each path of each run, up to '
            f"{spaced(LARGEST_TABLE)}; {name} has {spaced(number)} in all runs. Take fewer runs, or one, which may have any "
            'number of paths; or moments="parameter".'
        )
    return Known(optimizer, x, counts)
