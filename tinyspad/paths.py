"""Paths over bare edges: one traversal, a table of semirings, and one order in which paths are numbered.

A graph here is only edges with weights. Nodes are numbered so that every edge goes from a lower to a higher
number, and the out-edges of a node are consecutive, in branch order. A path from a node to the output is
the tuple of its edges. Paths are ordered lexicographically by the branches they take, and the number of a path in
that order is its index.

What is asked of the paths differs only in a semiring: sum of products of weights is the gradient, count the number
of paths, largest |product| the best path (Baras & Theodorakopoulos 2010, "Path problems in networks"; for
backpropagation Du et al. 2023, "Generalizing backpropagation for gradient-based interpretability").
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from .errors import TooManyPaths

LIMIT = 100_000
"""How many paths a listing may have unless told otherwise."""


@dataclass(frozen=True)
class Graph:
    """Edges sorted by tail: the out-edges of node v are ``start[v] .. start[v + 1] - 1``."""

    start: list[int]
    tail: list[int]
    head: list[int]
    weight: list[Any]
    output: int

    @classmethod
    def of(cls, out_edges: list[list[tuple[int, Any]]], output: int) -> Graph:
        """From a list that holds, for each node, its (head, weight) pairs in branch order."""
        start, tail, head, weight = [0], [], [], []
        for node, pairs in enumerate(out_edges):
            for to, w in pairs:
                tail.append(node)
                head.append(to)
                weight.append(w)
            start.append(len(head))
        return cls(start, tail, head, weight, output)

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.start) - 1

    def branches(self, node: int) -> range:
        """The out-edges of a node, in branch order."""
        return range(self.start[node], self.start[node + 1])


@dataclass(frozen=True)
class Semiring:
    """What to make of the weights along a path, and of the paths beside each other.

    ``edge`` lifts a weight, ``extend(value, edge)`` prolongs all paths of a node by an edge, ``combine`` joins those of
    two branches. ``one`` is the value of the empty path, ``zero`` that of no path.

    >>> graph = Graph.of([[(1, 1.0), (2, 1.0)], [(3, 5.0)], [(3, -7.0)], []], 3)    # z = 5 x1 - 7 x2
    >>> sweep(graph, GRADIENT)[0], sweep(graph, LARGEST)[0], count(graph)[0]
    (-2.0, 7.0, 2)
    >>> longest = Semiring(lambda weight: 1, lambda value, edge: value + edge, max, one=0, zero=0)
    >>> sweep(graph, longest)[0]
    2
    """

    edge: Callable[[Any], Any]
    extend: Callable[[Any, Any], Any]
    combine: Callable[[Any, Any], Any]
    one: Any = 1.0
    zero: Any = 0.0


def _larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else max(a, b)


def _prolong_all(listed: Any, weight: Any) -> Any:
    if isinstance(weight, (float, int, np.ndarray, np.generic)):
        return listed * weight
    return np.stack([np.asarray(adjoint * weight) for adjoint in listed])


GRADIENT = Semiring(lambda w: w, operator.mul, operator.add)
COUNT = Semiring(lambda w: 1, operator.mul, operator.add, one=1, zero=0)
LARGEST = Semiring(abs, operator.mul, _larger)
MAGNITUDE = Semiring(abs, operator.mul, operator.add)
LISTING = Semiring(lambda w: w, _prolong_all, lambda a, b: np.concatenate([a, b]))
"""Every path's product, in path order: as long as the count, so ask :func:`count` first."""


def sweep(graph: Graph, semiring: Semiring, one: Any = None) -> list[Any]:
    """The value of every node: what the semiring makes of all its paths to the output.

    A reverse sweep, O(edges) operations of the semiring, no recursion. ``one`` overrides the semiring's, to give the
    output's adjoint a shape. Nodes without a path get the semiring's zero.
    """
    values = [semiring.zero] * graph.size
    values[graph.output] = semiring.one if one is None else one
    start, head, weight = graph.start, graph.head, graph.weight
    edge, extend, combine = semiring.edge, semiring.extend, semiring.combine
    for node in range(graph.output - 1, -1, -1):
        first, stop = start[node], start[node + 1]
        if first == stop:
            continue
        value = extend(values[head[first]], edge(weight[first]))
        for e in range(first + 1, stop):
            value = combine(value, extend(values[head[e]], edge(weight[e])))
        values[node] = value
    return values


def sweep_to(graph: Graph, semiring: Semiring, source: int, one: Any = None) -> Any:
    """The value of one node, forgetting the values of others as soon as nobody needs them."""
    if source != graph.output and not graph.branches(source):
        return semiring.zero

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for other in values[1:]:
            value = semiring.combine(value, other)
        return value

    def extend(value: Any, weight: Any) -> Any:
        return semiring.extend(value, semiring.edge(weight))

    return _fold(graph, source, extend, join, semiring.one if one is None else one)


def _fold(
    graph: Graph, source: int, extend: Callable[[Any, Any], Any], join: Callable[[int, list[Any]], Any], one: Any
) -> Any:
    """The reverse sweep below one node: extend along every edge, join at every tupling node, forget what was used."""
    nodes = reachable(graph, source)
    readers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for e in graph.branches(node):
            readers[graph.head[e]] += 1
    values: dict[int, Any] = {graph.output: one}
    for node in reversed(nodes):
        edges = graph.branches(node)
        if not edges:
            continue
        extended = [extend(values[graph.head[e]], graph.weight[e]) for e in edges]
        values[node] = extended[0] if len(extended) == 1 else join(node, extended)
        for e in edges:
            readers[graph.head[e]] -= 1
            if not readers[graph.head[e]]:
                del values[graph.head[e]]
    return values[source]


def reachable(graph: Graph, source: int) -> list[int]:
    """The nodes on the paths from source to the output, ascending."""
    seen, stack = {source}, [source]
    while stack:
        for e in graph.branches(stack.pop()):
            to = graph.head[e]
            if to not in seen:
                seen.add(to)
                stack.append(to)
    return sorted(seen)


# --- one order, four views: list, count, unrank, rank --------------------------------------------------------


def count(graph: Graph) -> list[int]:
    """The exact number of paths of every node, as Python integers of any size."""
    return sweep(graph, COUNT)


def check_limit(number: int, limit: int, name: str) -> None:
    """Raise TooManyPaths if more paths than the limit would have to be listed."""
    if number > limit:
        raise TooManyPaths(
            f'"{name}" has {spaced(number)} path{"s" * (number != 1)}; listing stops at {spaced(limit)}. '
            "Use best_path(), nth_path(i) or sample_path(rng), or raise limit=."
        )


def spaced(number: int) -> str:
    """A whole number in groups of three digits; past 60 digits its magnitude (2**1000 is 1.0715e+301)."""
    return f"{number:,}".replace(",", " ") if number < 10**60 else f"{Decimal(number):.4e}"


def enumerate_paths(graph: Graph, source: int) -> Iterator[tuple[int, ...]]:
    """Every path from source to the output as a tuple of edges, in path order."""
    if source != graph.output and not graph.branches(source):
        return
    path: list[int] = []
    node = source
    while True:
        while node != graph.output:
            edge = graph.start[node]
            path.append(edge)
            node = graph.head[edge]
        yield tuple(path)
        while path:
            edge = path.pop() + 1
            if edge < graph.start[graph.tail[edge - 1] + 1]:
                path.append(edge)
                node = graph.head[edge]
                break
        else:
            return


def walk(graph: Graph, source: int, choose: Callable[[int, range], int]) -> tuple[int, ...]:
    """The path from source that takes edge ``choose(node, branches)`` wherever there is a choice."""
    path, node = [], source
    while node != graph.output:
        branches = graph.branches(node)
        edge = branches[0] if len(branches) == 1 else choose(node, branches)
        path.append(edge)
        node = graph.head[edge]
    return tuple(path)


def unrank(graph: Graph, counts: list[int], source: int, index: int) -> tuple[int, ...]:
    """The path with this index, without listing the others: the count table is the index."""
    left = index

    def choose(node: int, branches: range) -> int:
        nonlocal left
        for edge in branches:
            below = counts[graph.head[edge]]
            if left < below:
                return edge
            left -= below
        raise AssertionError("index beyond the count")

    return walk(graph, source, choose)


def rank(graph: Graph, counts: list[int], path: tuple[int, ...]) -> int:
    """The index of a path: the number of paths that turn off before it."""
    return sum(counts[graph.head[e]] for edge in path for e in range(graph.start[graph.tail[edge]], edge))


def best(graph: Graph, source: int, sizes: list[Any]) -> tuple[int, ...]:
    """The path of the largest |product|, the first one on a tie; sizes is the LARGEST sweep."""

    def choose(node: int, branches: range) -> int:
        if sizes[source] == 0:  # every product is zero, perhaps by an edge further up: the first path
            return branches[0]
        return max(branches, key=lambda e: (abs(graph.weight[e]) * sizes[graph.head[e]], -e))

    return walk(graph, source, choose)


def product(graph: Graph, path: tuple[int, ...], one: Any = 1.0) -> Any:
    """The product of the weights along a path, from the output back, so that linear maps act on adjoints."""
    adjoint = one
    for edge in reversed(path):
        adjoint = adjoint * graph.weight[edge]
    return adjoint


# --- drawing --------------------------------------------------------------------------------------------------


def uniform_below(rng: np.random.Generator, number: int, shape: tuple[int, ...] = ()) -> Any:
    """Whole numbers uniform on 0 .. number - 1, exact at any size: by rejection on random bits past 63 of them."""
    if number <= np.iinfo(np.int64).max:
        drawn = rng.integers(number, size=shape or None)
        return drawn if shape else int(drawn)
    if shape:
        many = np.empty(shape, object)
        for at in np.ndindex(shape):
            many[at] = uniform_below(rng, number)
        return many
    bits = (number - 1).bit_length()
    while True:
        candidate = int.from_bytes(rng.bytes((bits + 7) // 8), "little") >> (-bits % 8)
        if candidate < number:
            return candidate


def distinct_below(rng: np.random.Generator, number: int, m: int, shape: tuple[int, ...] = ()) -> Any:
    """min(m, number) different whole numbers below number for each run, every set equally likely: shape (m, *shape)."""
    m = min(m, number)
    if number <= max(4 * m, 64):
        every = np.broadcast_to(np.arange(number), (*shape, number)).copy()
        return np.moveaxis(rng.permuted(every, axis=-1)[..., :m], -1, 0)
    runs = shape or (1,)
    drawn = np.empty((m, *runs), _whole(number))
    for k in range(m):  # one after the other, each redrawn until it is new to its run
        drawn[k] = uniform_below(rng, number, runs)
        while np.any(repeated := np.any(drawn[:k] == drawn[k], axis=0)):
            drawn[k][repeated] = uniform_below(rng, number, (int(np.sum(repeated)),))
    return drawn if shape else drawn[:, 0]


def branch_probability(graph: Graph, path: tuple[int, ...]) -> float:
    """The probability of a path when every tupling node on it chooses uniformly among its branches."""
    return float(np.prod([1 / len(graph.branches(graph.tail[e])) for e in path]))


def draw(
    graph: Graph, source: int, rng: np.random.Generator, masses: list[Any] | None = None
) -> tuple[tuple[int, ...], float]:
    """A random path and its probability.

    At each node with a choice, branch e is taken with probability proportional to |weight of e| * mass of its head, or
    uniformly when no masses are given. With the MAGNITUDE sweep as masses, the path's probability is its share of the
    sum of all |products|.
    """
    probability = 1.0

    def choose(node: int, branches: range) -> int:
        nonlocal probability
        if masses is None:
            probability /= len(branches)
            return branches[int(rng.integers(len(branches)))]
        share = np.array([abs(graph.weight[e]) * masses[graph.head[e]] for e in branches])
        share /= share.sum()
        branch = int(rng.choice(len(share), p=share))
        probability *= float(share[branch])
        return branches[branch]

    return walk(graph, source, choose), probability


# --- many runs at once: one path per run ----------------------------------------------------------------------


def choices(graph: Graph, counts: list[int], source: int, index: Any) -> dict[int, Any]:
    """For an array of path indices the branch that each run takes at each tupling node it may meet."""
    nodes = reachable(graph, source)
    junction: dict[int, int] = {}  # the first node at or after this one that has a choice
    for node in reversed(nodes):
        edges = graph.branches(node)
        junction[node] = node if len(edges) != 1 else junction[graph.head[edges[0]]]
    at = np.full(np.shape(index), junction[source])
    left = np.array(index, _whole(counts[source]))
    taken: dict[int, Any] = {}
    for node in nodes:
        edges = graph.branches(node)
        if len(edges) < 2:
            continue
        here = at == node
        branch = np.zeros(np.shape(index), np.int64)
        at[here] = junction[graph.head[edges[0]]]
        turn = 0
        for k, edge in enumerate(edges[1:], start=1):
            turn = turn + counts[graph.head[edges[k - 1]]]
            beyond = here & (left >= turn)
            branch[beyond] = k
            at[beyond] = junction[graph.head[edge]]
        passed = np.array([0, *np.cumsum([counts[graph.head[e]] for e in edges[:-1]], dtype=object)], left.dtype)
        left = np.where(here, left - passed[branch], left)
        taken[node] = branch
    return taken


def ranks(graph: Graph, counts: list[int], source: int, taken: dict[int, Any], shape: tuple[int, ...]) -> Any:
    """The inverse of :func:`choices`: the path index of every run."""

    def join(node: int, values: list[Any]) -> Any:
        value, passed = values[0], 0
        for k, edge in enumerate(graph.branches(node)[1:], start=1):
            passed = passed + counts[graph.head[edge - 1]]
            value = np.where(taken[node] == k, values[k] + passed, value)
        return value

    return _fold(graph, source, lambda value, weight: value, join, np.zeros(shape, _whole(counts[source])))


def _whole(number: int) -> Any:
    """The dtype for indices below a number: int64, or Python's integers past it."""
    return np.int64 if number <= np.iinfo(np.int64).max else object


def best_choices(graph: Graph, source: int, sizes: list[Any]) -> dict[int, Any]:
    """For every run the branch of the largest |product| at each tupling node, the first one on a tie."""
    taken = {}
    for node in reachable(graph, source):
        edges = graph.branches(node)
        if len(edges) > 1:
            found = [abs(graph.weight[e]) * sizes[graph.head[e]] for e in edges]
            taken[node] = np.where(sizes[source] == 0, 0, np.argmax(np.stack(np.broadcast_arrays(*found)), axis=0))
    return taken


def follow(graph: Graph, source: int, taken: dict[int, Any], one: Any) -> Any:
    """The product along each run's own path: a reverse sweep in which tupling nodes pass on one branch."""

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for k in range(1, len(values)):
            value = np.where(taken[node] == k, values[k], value)
        return value

    return _fold(graph, source, operator.mul, join, one)
