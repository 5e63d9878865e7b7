"""Random walks: a path drawn branch by branch, one at a time or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .chances import Chances
from .route import Route
from .structure import Structure
from .sweep import fold
from .whole import uniform_below

MANY = 16
"""Up to this many branches, nodes are treated all together; the few wider ones one by one."""

BITS = 53
"""A uniform random float is a whole number below 2**53, divided by that."""


def log_probability(chances: Chances, structure: Structure, route: Route) -> Any:
    """The logarithm of a path's probability, good where the probability itself is too small for a float."""
    share = [chances.share[structure.start[node] + branch] for node, branch in route.branches.items()]
    with np.errstate(divide="ignore"):
        return sum((np.log(q) for q in share), np.float64(0.0))


def draw(structure: Structure, source: int, rng: np.random.Generator, chances: Chances) -> tuple[Route, float]:
    """A random path and its probability. O(its length)."""
    share, start, head, output = chances.share, structure.start, structure.head, structure.output
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
    return Route(structure, source, branches=taken), probability


def _drawn(structure: Structure, node: int, rng: np.random.Generator, chances: Chances) -> int:
    """The edge that a random path takes at a tupling node."""
    share, branches = chances.share, structure.branches(node)
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
    structure: Structure, weight: Sequence[Any], source: int, rng: np.random.Generator, chances: Chances, n: int
) -> Turns:
    """n independent random paths, all walked at once: O(edges) once, and an array operation per choice met."""
    if not structure.head:  # the source is the output
        return Turns(np.zeros((0, n), np.int32), np.ones(n), np.ones(n), np.zeros(n))
    start, head = np.asarray(structure.start), np.asarray(structure.head, np.int64)
    share = np.array(chances.share, float)
    numbers = all(isinstance(w, (float, int, np.generic)) for w in weight)
    after, factor = _past_single_edges(start, head, np.array(weight, float) if numbers else None)
    border = _borders(start, share)

    node = np.full(n, after[source])
    log_share = np.log(share, where=share > 0, out=np.full(len(share), -np.inf))
    probability, log_p = np.ones(n), np.zeros(n)
    hops = []
    edge_number = np.int32 if len(head) < 2**31 else np.int64
    while len(walking := np.flatnonzero(node != structure.output)):
        v = node[walking]
        u = rng.random(len(walking))
        edge, last = start[v], start[v + 1] - 1
        while np.any(open_ := edge < last):  # bisection for the first border beyond u
            middle = (edge + last) // 2
            beyond = u >= border[middle]
            edge = np.where(open_ & beyond, middle + 1, edge)
            last = np.where(open_ & ~beyond, middle, last)
        if chances.margin:
            near = np.abs(u - border[edge]) <= chances.margin
            near |= (edge > start[v]) & (np.abs(u - border[edge - 1]) <= chances.margin)
            for i in np.flatnonzero(near):
                edge[i] = settle(structure, int(v[i]), float(u[i]), rng)
        hop = np.full(n, -1, edge_number)
        hop[walking] = edge
        hops.append(hop)
        probability[walking] *= share[edge]
        log_p[walking] += log_share[edge]
        node[walking] = after[head[edge]]
    edges = np.array(hops, edge_number).reshape(len(hops), n)
    return Turns(
        edges, None if factor is None else _products(structure, weight, source, edges, factor), probability, log_p
    )


def _past_single_edges(start: Any, head: Any, weight: Any) -> tuple[Any, Any]:
    """For each node the next one with a choice (or the output), and the product of the weights on the way there.

    By doubling: log2(the longest stretch) array operations.
    """
    single = np.diff(start) == 1
    first = np.minimum(start[:-1], len(head) - 1)
    nodes = np.arange(len(start) - 1)
    after = np.where(single, head[first], nodes)
    factor = None if weight is None else np.where(single, weight[first], 1.0)
    while np.any(further := after[after] != after):
        if factor is not None:
            factor = np.where(further, factor * factor[after], factor)
        after = after[after]
    return after, factor


def _products(structure: Structure, weight: Sequence[Any], source: int, edges: Any, factor: Any) -> Any:
    """The product along every path, from the output back."""
    onward = np.append(np.asarray(weight, float) * factor[np.asarray(structure.head, np.int64)], 1.0)
    product = np.ones(edges.shape[1])
    for hop in edges[::-1]:
        product = product * onward[hop]  # the appended 1 stands at -1, behind the end of a path
    return product * factor[source]


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
    """For every run of a batch a random path of its own; shape may have further axes in front."""
    taken = {}
    for node in structure.turns(source):
        shares = [chances.share[e] for e in structure.branches(node)]
        u, total, reached = rng.random(shape), sum(shares), 0.0
        branch = np.zeros(shape, np.int64)
        for q in shares[:-1]:
            reached = reached + q
            branch += u >= reached / total
        taken[node] = branch
    return Route(structure, source, branches=taken, shape=shape)
