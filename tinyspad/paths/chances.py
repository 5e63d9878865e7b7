"""Branch probabilities: a random path drawn branch by branch, its probability, and exact moments of what it carries.

Every way to draw a path here is a share for each branch of each tupling node; a path's probability is the product of
the shares along it. Uniform over paths is the share N_head / N_tail, proportional to magnitude |w| H_head / H_tail. So
drawing is one walk, and mean and variance of whatever a path multiplies up are one sweep, whatever the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .route import Route
from .semirings import LOG, MAGNITUDE, in_range, norm
from .structure import Structure
from .sweep import fold, sweep
from .whole import uniform_below

MANY = 16
"""Up to this many branches, nodes are treated all together; the few wider ones one by one."""

HIGH_BITS = 500
HIGH = 2.0**HIGH_BITS

BITS = 53
"""A uniform random float is a whole number below 2**53, divided by that."""


@dataclass(frozen=True)
class Chances:
    """The share of every edge among the branches of its tail.

    ``margin``: if positive, the shares are rounded ratios of path counts, and a draw that falls so near to the border
    between two branches that rounding could matter is settled with whole numbers: exactly uniform over paths.
    """

    share: list[Any]
    margin: float = 0.0


def by_branch(structure: Structure) -> Chances:
    """Uniform at each tupling node that is met; worked out once."""
    if "by branch" not in structure.known:
        structure.known["by branch"] = _by_branch(structure)
    return structure.known["by branch"]  # type: ignore[no-any-return]


def _by_branch(structure: Structure) -> Chances:
    share = [1.0] * len(structure.head)
    for node in range(structure.size):
        branches = structure.branches(node)
        for e in branches:
            share[e] = 1 / len(branches)
    return Chances(share)


def by_path(structure: Structure) -> Chances:
    """Uniform over all paths; worked out once.

    Shares are ratios of counts, in floats with exponents of their own, which cannot overflow.
    """
    if "by path" not in structure.known:
        structure.known["by path"] = _by_path(structure)
    return structure.known["by path"]  # type: ignore[no-any-return]


def _by_path(structure: Structure) -> Chances:
    share = [1.0] * len(structure.head)
    rounded = 0

    def join(node: int, counts: list[tuple[float, int, int]]) -> tuple[float, int, int]:
        nonlocal rounded
        exponent = max(count[1] for count in counts)
        parts = [m if e == exponent else math.ldexp(m, e - exponent) for m, e, _ in counts]
        total = sum(parts)
        for e, part in zip(structure.branches(node), parts):
            share[e] = part / total if total else 0.0
        additions = max(count[2] for count in counts) + len(counts)
        rounded = max(rounded, additions)
        return (total, exponent, additions) if total < HIGH else (total / HIGH, exponent + HIGH_BITS, additions)

    fold(structure, range(structure.size), lambda value, e: value, join, (1.0, 0, 0), (0.0, 0, 0))
    # Every addition may round by half a bit, in a count and in the total; then the ratio, the border's sum, and u.
    return Chances(share, (4 * rounded + 8) * 2.0**-BITS)


def by_magnitude(structure: Structure, weight: Sequence[Any]) -> Chances:
    """Proportional to the |product| along the path. Where all products behind a node are zero, uniform at that node.

    NaN and infinity count as the largest: at a node with such products behind it, one of those branches is taken.
    """
    with np.errstate(all="ignore"):
        masses = sweep(structure, weight, MAGNITUDE)
        logarithms = not in_range(masses)
        if logarithms:
            masses = sweep(structure, weight, LOG)
        if any(isinstance(mass, np.ndarray) for mass in masses):
            return _shares_of_runs(structure, weight, masses, logarithms)
        return _shares_of_numbers(structure, weight, masses, logarithms)


def _shares_of_numbers(structure: Structure, weight: Sequence[Any], masses: list[Any], logarithms: bool) -> Chances:
    share, head = [1.0] * len(structure.head), structure.head
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) < 2:
            continue
        if logarithms:
            logs = [LOG.edge(weight[e]) + masses[head[e]] for e in branches]
            highest = max(logs)
            if all(size < math.inf for size in logs):
                sizes = [math.exp(size - highest) if size > -math.inf else 0.0 for size in logs]
            else:
                sizes = [0.0 if size < math.inf else 1.0 for size in logs]
        else:
            sizes = [abs(weight[e]) * masses[head[e]] for e in branches]
        total = sum(sizes)
        for e, size in zip(branches, sizes):
            share[e] = float(size / total) if total else 1 / len(branches)
    return Chances(share)


def _shares_of_runs(structure: Structure, weight: Sequence[Any], masses: list[Any], logarithms: bool) -> Chances:
    share: list[Any] = [1.0] * len(structure.head)
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) < 2:
            continue
        if logarithms:
            logs = np.stack(np.broadcast_arrays(*[LOG.edge(weight[e]) + masses[structure.head[e]] for e in branches]))
            highest, wild = np.max(logs, axis=0), ~(logs < np.inf)
            sizes = np.exp(logs - np.where(np.isneginf(highest), 0.0, highest))
            sizes = np.where(wild.any(axis=0), wild, sizes)
        else:
            sizes = np.stack(np.broadcast_arrays(*[abs(weight[e]) * masses[structure.head[e]] for e in branches]))
        total = np.sum(sizes, axis=0)
        shares = np.where(total == 0, 1 / len(branches), sizes / total)
        for e, q in zip(branches, shares):
            share[e] = q if q.shape else float(q)
    return Chances(share)


def with_floor(structure: Structure, chances: Chances, floor: float) -> Chances:
    """The same, but no branch that would never be taken: at nodes with such a branch, mix in a little uniform choice."""
    share = list(chances.share)
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) > 1:
            least = share[branches[0]]
            for e in branches:
                least = np.minimum(least, share[e])
            lift = np.where(least == 0, floor, 0.0)
            for e in branches:
                lifted = (1 - lift) * share[e] + lift / len(branches)
                share[e] = lifted if isinstance(lifted, np.ndarray) and lifted.shape else float(lifted)
    return Chances(share)


# --- exact moments ---------------------------------------------------------------------------------------------------


def moments(
    structure: Structure, weight: Sequence[Any], source: int, chances: Chances, normalize: bool, one: Any = 1.0
) -> tuple[Any, Any]:
    """Mean and standard deviation of the product along a random path, over the path's probability if ``normalize``.

    Both follow branch by branch: mean = sum q m_e and deviation**2 = sum q (d_e**2 + (m_e - mean)**2), where q is a branch's
    share and m_e, d_e belong to what lies behind it. Sums of squares only, so that no digits are lost, and taken as
    norms, so that none over- or underflows. O(edges).
    """

    def extend(value: tuple[Any, Any], e: int) -> tuple[Any, Any]:
        w = weight[e]
        return value[0] * w, value[1] * abs(w)

    def join(node: int, values: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        shares = [chances.share[e] for e in structure.branches(node)]
        # Over the probability the mean is a plain sum, however small a share may be.
        mean = sum(m if normalize else q * m for q, (m, _) in zip(shares, values))
        parts = []
        for q, (m, d) in zip(shares, values):
            if normalize:
                parts += _over_share(q, m, d, mean)
            else:
                root = _root(q)
                parts += [root * d, root * (m - mean)]
        return mean, norm(parts)

    with np.errstate(all="ignore"):
        return fold(structure, structure.behind(source), extend, join, (one, 0.0 * one), (0.0, 0.0))[source]


def _root(q: Any) -> Any:
    return math.sqrt(q) if q.__class__ is float else np.sqrt(q)


def _over_share(q: Any, m: Any, d: Any, mean: Any) -> list[Any]:
    """sqrt(q) times deviation and distance from the mean of what is divided by q; infinite if q is 0 and there is some."""
    if q.__class__ is float and q > 0:
        root = math.sqrt(q)
        return [d / root, m / root - root * mean]
    root = np.sqrt(q)
    parts = [d / root, m / root - root * mean]
    if np.all(q > 0):
        return parts
    lost = np.where((m == 0) & (d == 0), 0.0, np.inf)
    return [np.where(q > 0, part, lost)[()] for part in parts]


def mean_length(structure: Structure, source: int, chances: Chances, length: Callable[[int], int]) -> Any:
    """The mean length of a random path, when an edge has this length."""

    def join(node: int, values: list[Any]) -> Any:
        return sum(chances.share[e] * value for e, value in zip(structure.branches(node), values))

    return fold(structure, structure.behind(source), lambda value, e: value + length(e), join, 0.0)[source]


# --- drawing one path, or many at once -----------------------------------------------------------------------------------


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
        border = np.cumsum([np.broadcast_to(chances.share[e], shape) for e in structure.branches(node)], axis=0)
        taken[node] = np.sum(rng.random(shape) >= border[:-1] / border[-1], axis=0)
    return Route(structure, source, branches=taken, shape=shape)
