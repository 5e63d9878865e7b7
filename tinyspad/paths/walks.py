"""Random walks: a path drawn branch by branch, one at a time or many at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import Array
from .chances import Chances
from .route import Route, counts, ranks_of
from .structure import Structure, Weights
from .sweep import fold
from .whole import uniform_below

MANY = 16
"""Up to this many branches, nodes are treated all together; the few wider ones one by one."""

FEW = 8
"""Up to this many branches, their borders are compared one after the other."""

DRAWS = 10**6
"""So many branches are drawn at a time, over all runs."""

BITS = 53
"""A uniform random float is a whole number below 2**53, divided by that."""


def log_probability(chances: Chances, structure: Structure, route: Route) -> Any:
    """The logarithm of a path's probability, good where the probability itself is too small for a float."""
    share = [chances.share[structure.start[node] + branch] for node, branch in route.branches.items()]
    with np.errstate(divide="ignore"):
        return sum((np.log(q) for q in share), np.float64(0.0))


def draw(structure: Structure, source: int, rng: np.random.Generator, chances: Chances) -> tuple[Route, float]:
    """A random path and its probability. O(its length)."""
    share, start, head, output = chances.by_edge, structure.start, structure.head, structure.output
    probability, taken, node = 1.0, {}, source
    while node != output:
        first, stop = start[node], start[node + 1]
        if stop - first == 1:
            node = head[first]
            continue
        e = _drawn(structure, node, rng, chances)
        probability *= share[e]
        taken[node] = e - first
        node = head[e]
    return Route(structure, source, branches=taken), float(probability)


def _drawn(structure: Structure, node: int, rng: np.random.Generator, chances: Chances) -> int:
    """The edge that a random path takes at a tupling node."""
    share, branches = chances.by_edge, structure.branches(node)
    u, reached, total = rng.random(), 0.0, sum(share[e] for e in branches)
    for e in branches:
        reached += share[e]
        if chances.margin and abs(u - reached / total) <= chances.margin:
            return settle(structure, node, u, rng)
        if u * total < reached:
            return e
    return next((e for e in reversed(branches) if share[e] > 0), branches[0])  # u * total rounded up to total


def settle(structure: Structure, node: int, u: float, rng: np.random.Generator) -> int:
    """The branch for u and as many further random bits as an exactly uniform choice of path needs.

    With T = u 2**53 and r uniform below N, T N + r is uniform below 2**53 N; branch e takes the part that is its share.
    """
    counts: list[int] = []

    def join(at: int, below: list[int]) -> int:
        if at == node:
            counts.extend(below)
        return sum(below)

    total = fold(structure, structure.behind(node), lambda value, e: value, join, 1, 0)[node]
    drawn = int(u * 2**BITS) * total + uniform_below(rng, total)
    reached = 0
    for e, below in zip(structure.branches(node), counts):
        reached += below
        if drawn < reached << BITS:
            return e
    raise AssertionError("a draw beyond the count")


@dataclass(frozen=True)
class Turns:
    """n random paths in arrays.

    ``edges``: shape (hops, n), the edges taken where there was a choice, -1 behind the end of a path. ``gradient``: the
    product along each path, None where edges are linear maps; ``probability`` and its logarithm, shape (n,).
    """

    edges: np.ndarray[Any, Any]
    gradient: np.ndarray[Any, Any] | None
    probability: np.ndarray[Any, Any]
    log_probability: np.ndarray[Any, Any]


def draw_many(
    structure: Structure, weight: Weights, source: int, rng: np.random.Generator, chances: Chances, n: int
) -> Turns:
    """n independent random paths, all walked at once: a few array operations per edge of the longest.

    What has to be known of all edges is worked out once for these chances.
    """
    walks = walk_many(structure, np.full(n, source), rng, chances)
    taken = np.ones((0, n))
    if len(walks.turns):
        taken = np.where(walks.turns >= 0, _table(structure, chances)[0][walks.turns], 1.0)
    logs = np.log(taken, where=taken > 0, out=np.full(taken.shape, -np.inf))
    return Turns(walks.turns, walks.product(weight), taken.prod(axis=0), logs.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Walks:
    """n paths from the nodes ``sources``, in arrays.

    ``steps``: who takes which edges; ``turns``: the edges at choices, shape (hops, n), -1 behind the end of a path. A source
    from which no path leads has the product 0, and the index -1.
    """

    structure: Structure
    sources: Array
    steps: list[tuple[Array, Array]]
    turns: Array

    def product(self, weight: Weights, over: Weights | None = None) -> Array | None:
        """The product along every path, from the output back, each factor over its own; None where edges are linear maps.

        0 on a path with an edge that is not taken, whatever else is on it.
        """
        product, lost = np.ones(len(self.sources)), self.lost
        for walkers, edge in reversed(self.steps):
            factor = weight[edge] if isinstance(weight, np.ndarray) else [weight[e] for e in edge.tolist()]
            if isinstance(factor, list):
                passed_by = [hasattr(w, "shown") for w in factor]
                lost[walkers[passed_by]] = True
                factor = [w.shown() if so else w for w, so in zip(factor, passed_by)]
                if not all(isinstance(w, (float, int, np.generic)) for w in factor):
                    return None
            product[walkers] *= factor if over is None else factor / np.asarray(over)[edge]
        product[lost] = 0.0
        return product

    @property
    def lost(self) -> Array:
        """From which sources no path leads."""
        return (np.diff(self.structure.arrays[0])[self.sources] == 0) & (self.sources != self.structure.output)

    @property
    def index(self) -> Array:
        """The paths' numbers."""
        before = passed(self.structure)
        if before is not None:
            return np.where(self.lost, -1, np.where(self.turns >= 0, before[self.turns], 0).sum(axis=0))
        taken = [[e for e in path if e >= 0] for path in self.turns.T.tolist()]
        listed = [ranks_of(self.structure, int(source), [path])[0] for source, path in zip(self.sources, taken)]
        return np.where(self.lost, -1, np.array(listed, object))


def passed(structure: Structure) -> Array | None:
    """For every edge the number of paths of the branches before it; None where 64 bits do not hold them. Worked out once."""
    if "passed" not in structure.known:
        start, head = structure.arrays
        table = counts(structure)
        structure.known["passed"] = None
        if max(table, default=0) < 2**62:
            number = np.array(table, np.int64)[head]
            upto = np.concatenate([[0], np.cumsum(number)]) if sum(number.tolist()) < 2**62 else None
            structure.known["passed"] = (
                None if upto is None else upto[:-1] - np.repeat(upto[start[:-1]], np.diff(start))
            )
    return structure.known["passed"]  # type: ignore[no-any-return]


def walk_many(structure: Structure, sources: Array, rng: np.random.Generator, chances: Chances) -> Walks:
    """A random path from each of these nodes, all walked at once: a few array operations per edge of the longest."""
    border = _table(structure, chances)[1] if structure.head else np.zeros(0)

    def choose(walking: Array, v: Array, first: Array, wide: Array) -> Array:
        u = rng.random(len(v))
        edge = _beyond(border, first, wide, u)
        if chances.margin:
            near = border[edge] - u <= chances.margin
            near |= (edge > first) & (u - border[edge - 1] <= chances.margin)
            for i in np.flatnonzero(near):
                edge[i] = settle(structure, int(v[i]), float(u[i]), rng)
        return edge

    return _walked(structure, sources, choose)


def walk_along(structure: Structure, sources: Array, taken: Array, straight: Array) -> Walks:
    """The path from each of these nodes that takes, at every node, the edge said for it; ``straight``: or the first one."""
    return _walked(structure, sources, lambda walking, v, first, wide: np.where(straight[walking], first, taken[v]))


Choose = Callable[[Array, Array, Array, Array], Array]
"""Of some walkers, where they stand, their first edges there, and how many they have, the edges that they take."""


def _walked(structure: Structure, sources: Array, choose: Choose) -> Walks:
    n = len(sources)
    if not structure.head:  # the sources are the output
        return Walks(structure, sources, [], np.zeros((0, n), np.int32))
    start, head = structure.arrays
    width = np.diff(start)
    node = sources.copy()
    everyone = np.arange(n)
    hops: list[Array] = []
    steps: list[tuple[Array, Array]] = []
    while True:
        wide = width[node]
        while len(moving := np.flatnonzero(wide == 1)):  # no choice here
            edge = start[node[moving]]
            steps.append((moving, edge))
            node[moving] = to = head[edge]
            wide[moving] = width[to]
        walking = everyone if wide.all() else np.flatnonzero(wide)
        if not len(walking):
            break
        v, wide = (node, wide) if walking is everyone else (node[walking], wide[walking])
        edge = choose(walking, v, start[v], wide)
        hop = np.full(n, -1)
        hop[walking] = edge
        hops.append(hop)
        steps.append((walking, edge))
        node[walking] = head[edge]
    turns = np.array(hops, np.int32 if len(head) < 2**31 else np.int64).reshape(len(hops), n)
    return Walks(structure, sources, steps, turns)


def _table(structure: Structure, chances: Chances) -> tuple[Array, Array]:
    """The shares, and the sums of them up to each edge among the branches of its tail: worked out once for these chances."""
    if "border" not in chances.known:
        share = np.array(chances.share, float)
        chances.known["share"], chances.known["border"] = share, _borders(structure.arrays[0], share)
    return chances.known["share"], chances.known["border"]


def _beyond(border: Array, first: Array, width: Array, u: Array) -> Array:
    """The first edge of each walker whose border lies beyond u, among so many from its first one on."""
    edge, widest = first.copy(), int(width.max())
    if widest <= FEW:
        for k in range(widest - 1):
            edge += (u >= border[np.minimum(first + k, len(border) - 1)]) & (width > k + 1)
        return edge
    last = first + width - 1
    while np.any(open_ := edge < last):  # bisection
        middle = (edge + last) // 2
        beyond = u >= border[middle]
        edge = np.where(open_ & beyond, middle + 1, edge)
        last = np.where(open_ & ~beyond, middle, last)
    return edge


def _borders(start: Any, share: Any) -> Any:
    """The sums of the shares up to each edge among the branches of its tail; the last one is exactly 1."""
    border, width = share.copy(), np.diff(start)
    for k in range(1, min(MANY, int(width.max(initial=1)))):
        at = start[:-1][(width > k) & (width <= MANY)] + k
        border[at] += border[at - 1]
    for node in np.flatnonzero(width > MANY):
        border[start[node] : start[node + 1]] = np.cumsum(share[start[node] : start[node + 1]])
    total = np.repeat(border[start[1:] - 1], width)
    return np.divide(border, total, where=total > 0, out=border)


def draw_runs(
    structure: Structure, source: int, rng: np.random.Generator, chances: Chances, shape: tuple[int, ...]
) -> Route:
    """For every run of a batch a random path of its own; shape may have further axes in front.

    At every tupling node each run draws a branch, whether its path leads there or not.
    """
    nodes, taken = structure.turns(source), {}
    shares = [[chances.by_edge[e] for e in structure.branches(node)] for node in nodes]
    if any(isinstance(q, np.ndarray) for listed in shares for q in listed):  # the runs' own
        for node, listed in zip(nodes, shares):
            u, reached = rng.random(shape) * sum(listed), 0.0
            taken[node] = branch = np.zeros(shape, np.int64)
            for q in listed[:-1]:
                reached = reached + q
                branch += u >= reached
        return Route(structure, source, branches=taken, shape=shape)
    at_once = max(1, DRAWS // max(1, math.prod(shape)))
    for low in range(0, len(nodes), at_once):
        some = nodes[low : low + at_once]
        u = rng.random((len(some), *shape))
        branch = np.empty(u.shape, np.int64)
        for rows, borders in _by_width(shares[low : low + at_once]):
            own = u[rows]
            beyond, near = np.zeros(own.shape, np.int64), False
            for limit in borders.T.reshape(-1, len(rows), *(1 for _ in shape)):
                apart = own - limit
                beyond += apart >= 0
                if chances.margin:
                    near |= np.abs(apart, out=apart) <= chances.margin
            branch[rows] = beyond
            for row, *run in np.argwhere(near).tolist() if np.any(near) else ():
                node, at = some[rows[row]], (rows[row], *run)
                branch[at] = settle(structure, node, float(u[at]), rng) - structure.start[node]
        taken.update(zip(some, branch))
    return Route(structure, source, branches=taken, shape=shape)


def _by_width(shares: list[list[float]]) -> Iterator[tuple[list[int], Array]]:
    """The nodes of as many branches each, and the sums of their shares up to each branch but the last."""
    rows: dict[int, list[int]] = {}
    for row, listed in enumerate(shares):
        rows.setdefault(len(listed), []).append(row)
    for alike in rows.values():
        upto = np.cumsum([shares[row] for row in alike], axis=1)
        yield alike, upto[:, :-1] / upto[:, -1:]
