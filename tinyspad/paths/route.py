"""One order of paths, and routes, which are the choices that make a path: for one run, or one for each of many.

Paths are ordered lexicographically by the branches they take, and the number of a path in that order is its index.
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from ..arguments import spaced
from ..errors import TooManyPaths
from .levels import counts_by_level, levels_of
from .semirings import COUNT
from .structure import Structure, Weights
from .sweep import fold, sweep
from .whole import whole_dtype

LIMIT = 100_000
"""How many paths a listing may have unless told otherwise."""

TABLE_BITS = 10**8
"""Up to this size, 12 MB, paths are numbered by the table of all counts."""

BISECTED = 16
"""In more branches than this, the one that a number falls into is found by bisection."""

TABULATED = 4096
"""Up to this many paths of a parameter, their branches are kept in a table."""


# --- how many there are, and all of them ------------------------------------------------------------------------------


def counts(structure: Structure) -> list[int]:
    """The exact number of paths of every node, as Python integers of any size: the table that indices are read from."""
    if "counts" not in structure.known:
        levels = levels_of(structure)
        found = None if levels is None else counts_by_level(levels)
        structure.known["counts"] = sweep(structure, structure.head, COUNT) if found is None else found
    return structure.known["counts"]  # type: ignore[no-any-return]


def count(structure: Structure, source: int) -> int:
    """The number of paths of a node that nobody reads, without the table, which for 2**N paths has O(edges * N) digits."""
    if "counts" in structure.known:
        return structure.known["counts"][source]  # type: ignore[no-any-return]
    if "numbers" not in structure.known:
        levels = levels_of(structure)
        found = None if levels is None else counts_by_level(levels)
        structure.known["numbers"] = sweep(structure, structure.head, COUNT, forget=True) if found is None else found
    return structure.known["numbers"][source]  # type: ignore[no-any-return]


def check_limit(number: int, limit: int, name: str) -> None:
    """Raise TooManyPaths if more paths than the limit would have to be listed."""
    if number > limit:
        raise TooManyPaths(
            f'"{name}" has {spaced(number)} path{"s" * (number != 1)}; listing stops at {spaced(limit)}. '
            "Use best_path(), nth_path(i) or sample_path(rng), or raise limit=."
        )


def enumerate_paths(structure: Structure, source: int) -> Iterator[tuple[int, ...]]:
    """Every path from source to the output as a tuple of edges, in path order."""
    start, tail, head, output = structure.start, structure.tail, structure.head, structure.output
    if source != output and start[source] == start[source + 1]:
        return
    path: list[int] = []
    node = source
    while True:
        while node != output and start[node] < start[node + 1]:
            edge = start[node]
            path.append(edge)
            node = head[edge]
        if node == output:
            yield tuple(path)
        while path:
            edge = path.pop() + 1
            if edge < start[tail[edge - 1] + 1]:
                path.append(edge)
                node = head[edge]
                break
        else:
            return


# --- routes -------------------------------------------------------------------------------------------------------------


class Route:
    """The choices that make a path from a source to the output; for many runs, one path for each of them.

    ``branches``: {tupling node: branch}. For one run (``shape`` is ()) those that the path meets, in order; otherwise all
    that lie behind the source, each with an array of the runs' branches, taken where a run's path leads there. ``index``:
    the path's number, an array for many runs. A route is made from one of the two, and the other is worked out when it is
    asked for. It is good at every point where the program has this structure.
    """

    def __init__(
        self,
        structure: Structure,
        source: int,
        *,
        branches: dict[int, Any] | None = None,
        index: Any = None,
        shape: tuple[int, ...] = (),
    ) -> None:
        self.structure, self.source, self.shape = structure, source, shape
        if branches is not None:
            self.__dict__["branches"] = branches
        if index is not None:
            self.__dict__["index"] = index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Route) or (self.source, self.shape) != (other.source, other.shape):
            return False
        return bool(np.array_equal(self.index, other.index))

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def branches(self) -> dict[int, Any]:
        if not self.shape:
            return _unranked(self.structure, self.source, self.index)
        number = counts(self.structure)[self.source]
        if number > TABULATED:
            return _unranked_runs(self.structure, self.source, self.index)
        table = self.structure.known.setdefault("table", {})
        if self.source not in table:
            table[self.source] = _unranked_runs(self.structure, self.source, np.arange(number))
        return {node: branch[self.index] for node, branch in table[self.source].items()}

    @cached_property
    def index(self) -> Any:
        rank = _ranked_runs if self.shape else _ranked
        return rank(self.structure, self.source, self.branches, self.shape)

    @cached_property
    def edges(self) -> tuple[int, ...]:
        """All edges of the path, for one run."""
        start, head, output, branches = (
            self.structure.start,
            self.structure.head,
            self.structure.output,
            self.branches,
        )
        path, node = [], self.source
        while node != output:
            edge = start[node] + branches.get(node, 0)
            path.append(edge)
            node = head[edge]
        return tuple(path)

    @cached_property
    def masks(self) -> list[Any]:
        """For each tupling node behind the source, and each of its branches but the first, which runs take it."""
        start = self.structure.start
        nodes = self.structure.turns(self.source)
        return [self.branches[v] == k for v in nodes for k in range(1, start[v + 1] - start[v])]

    @cached_property
    def places(self) -> Any:
        """Where each run's own is in a listing of all paths of all runs, (N, *shape), seen as one row."""
        return self.index.ravel() * self.index.size + np.arange(self.index.size)


def _unranked(structure: Structure, source: int, index: int) -> dict[int, int]:
    """The branches of the path with this index, without listing the others: the count table is the index."""
    start, head, output, table = structure.start, structure.head, structure.output, counts(structure)
    taken, node, left = {}, source, index
    while node != output:
        edge = start[node]
        wide = start[node + 1] - edge
        if wide > BISECTED:
            upto = _upto(structure, node)
            taken[node] = branch = bisect_right(upto, left)
            left -= upto[branch - 1] if branch else 0
            edge += branch
        elif wide > 1:
            while left >= (below := table[head[edge]]):
                left -= below
                edge += 1
            taken[node] = edge - start[node]
        node = head[edge]
    return taken


def _upto(structure: Structure, node: int) -> list[int]:
    """The number of paths up to each branch of a node; worked out once."""
    known = structure.known.setdefault("upto", {})
    if node not in known:
        table = counts(structure)
        known[node] = list(accumulate(table[structure.head[e]] for e in structure.branches(node)))
    return known[node]  # type: ignore[no-any-return]


def _ranked(structure: Structure, source: int, taken: dict[int, int], shape: Any = ()) -> int:
    """The inverse; by one sweep that keeps no table where the table of counts would be very large."""
    if count(structure, source).bit_length() * structure.size <= TABLE_BITS:
        start, head, table = structure.start, structure.head, counts(structure)
        return sum(table[to] for node, k in taken.items() for to in head[start[node] : start[node] + k])
    return ranks_of(structure, source, [{structure.start[node] + k for node, k in taken.items()}])[0]


def ranks_of(structure: Structure, source: int, paths: Sequence[Any]) -> list[int]:
    """The indices of several paths, given by their edges (those at choices suffice), by one sweep that keeps no table."""
    turning: dict[int, list[int]] = {}
    for i, edges in enumerate(paths):
        for e in edges:
            turning.setdefault(e, []).append(i)
    found = [0] * len(paths)

    def join(node: int, below: list[int]) -> int:
        before = 0
        for e, number in zip(structure.branches(node), below):
            for i in turning.get(e, ()):
                found[i] += before
            before += number
        return before

    fold(structure, structure.behind(source), lambda value, e: value, join, 1, 0)
    return found


def _unranked_runs(structure: Structure, source: int, index: Any) -> dict[int, Any]:
    """For an array of path indices the branch that each run takes at each tupling node it may meet."""
    table, junction = counts(structure), _junctions(structure, source)
    at = np.full(np.shape(index), junction[source])
    left = np.array(index, whole_dtype(table[source]))
    taken: dict[int, Any] = {}
    for node in structure.turns(source):
        edges = structure.branches(node)
        here = at == node
        branch = np.zeros(np.shape(index), np.int64)
        at[here] = junction[structure.head[edges[0]]]
        turn = 0
        for k, edge in enumerate(edges[1:], start=1):
            turn = turn + table[structure.head[edges[k - 1]]]
            beyond = here & (left >= turn)
            branch[beyond] = k
            at[beyond] = junction[structure.head[edge]]
        passed = np.array(list(accumulate([0, *(table[structure.head[e]] for e in edges[:-1])])), left.dtype)
        left = np.where(here, left - passed[branch], left)
        taken[node] = branch
    return taken


def _ranked_runs(structure: Structure, source: int, taken: dict[int, Any], shape: tuple[int, ...]) -> Any:
    """The inverse: the path index of every run."""
    table, junction = counts(structure), _junctions(structure, source)
    if table[source] == 1:
        return np.zeros(shape, np.int64)
    first = junction[source]
    if len(structure.branches(first)) == table[source]:  # the only choice there is
        return np.broadcast_to(taken[first], shape).astype(np.int64)
    at, index = np.full(shape, first), np.zeros(shape, whole_dtype(table[source]))
    for node in structure.turns(source):
        here = at == node
        if not here.any():
            continue
        edges, branch = structure.branches(node), np.broadcast_to(taken[node], shape)[here]
        heads = [structure.head[e] for e in edges]
        passed = np.array(list(accumulate([0, *(table[to] for to in heads[:-1])])), index.dtype)
        index[here] += passed[branch]
        at[here] = np.array([junction[to] for to in heads])[branch]
    return index


def _junctions(structure: Structure, source: int) -> dict[int, int]:
    """For every node behind the source the first one, at or after it, that has a choice (or none, at the end)."""
    known = structure.known.setdefault("junctions", {})
    if source not in known:
        junction: dict[int, int] = {}
        for node in reversed(structure.behind(source)):
            edges = structure.branches(node)
            junction[node] = node if len(edges) != 1 else junction[structure.head[edges[0]]]
        known[source] = junction
    return known[source]  # type: ignore[no-any-return]


# --- what a route multiplies up -------------------------------------------------------------------------------------------


def follow(
    route: Route,
    weight: Weights,
    one: Any,
    extend: Callable[[Any, Any], Any] = operator.mul,
    over: Weights | None = None,
) -> Any:
    """The product along the path, from the output back, so that linear maps act on adjoints; for many runs along each's own.

    ``extend`` stands in for the multiplication; each weight may be divided by what is ``over`` it. For many runs it is a
    sweep in which tupling nodes pass on one branch.
    """

    def factor(e: int) -> Any:
        divisor = 1.0 if over is None else over[e]
        return weight[e] if isinstance(divisor, float) and divisor == 1 else np.divide(weight[e], divisor)

    if not route.shape:
        for e in reversed(route.edges):
            one = extend(one, factor(e))
        return one
    taken = route.branches

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for k in range(1, len(values)):
            value = np.where(taken[node] == k, values[k], value)
        return value

    nodes = route.structure.behind(route.source)
    return fold(route.structure, nodes, lambda value, e: extend(value, factor(e)), join, one)[route.source]
