"""One order of paths, and its views: list, count, unrank, rank; the best path and the n best.

Paths are ordered lexicographically by the branches they take, and the number of a path in that order is its index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np

from ..arguments import spaced
from ..errors import TooManyPaths
from .graph import Graph, Semiring, fold, reachable, sweep, sweep_to
from .semirings import COUNT, LARGEST, LOG_LARGEST, in_range, largest_of

LIMIT = 100_000
"""How many paths a listing may have unless told otherwise."""


def count(graph: Graph) -> list[int]:
    """The exact number of paths of every node, as Python integers of any size: the table that indices are read from."""
    return sweep(graph, COUNT)


def check_limit(number: int, limit: int, name: str) -> None:
    """Raise TooManyPaths if more paths than the limit would have to be listed."""
    if number > limit:
        raise TooManyPaths(
            f'"{name}" has {spaced(number)} path{"s" * (number != 1)}; listing stops at {spaced(limit)}. '
            "Use best_path(), nth_path(i) or sample_path(rng), or raise limit=."
        )


def enumerate_paths(graph: Graph, source: int) -> Iterator[tuple[int, ...]]:
    """Every path from source to the output as a tuple of edges, in path order."""
    if source != graph.output and not graph.branches(source):
        return
    path: list[int] = []
    node = source
    while True:
        while node != graph.output and graph.branches(node):
            edge = graph.start[node]
            path.append(edge)
            node = graph.head[edge]
        if node == graph.output:
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


def turn_ranks(graph: Graph, source: int, paths: Sequence[Iterable[int]]) -> list[int]:
    """The indices of several paths, given by their edges (those at choices suffice), by one sweep that keeps no table."""
    turning: dict[int, list[int]] = {}
    for i, edges in enumerate(paths):
        for e in edges:
            turning.setdefault(e, []).append(i)
    found = [0] * len(paths)

    def join(node: int, counts: list[int]) -> int:
        before = 0
        for e, below in zip(graph.branches(node), counts):
            for i in turning.get(e, ()):
                found[i] += before
            before += below
        return before

    fold(graph, reachable(graph, source), lambda value, e: value, join, 1, 0)
    return found


def largest_sizes(graph: Graph) -> tuple[Semiring, list[Any]]:
    """The largest |product| behind every node, or its logarithm where floats cannot hold them all; and the semiring."""
    with np.errstate(all="ignore"):
        sizes = sweep(graph, LARGEST)
        if in_range(sizes):
            return LARGEST, sizes
        logs = sweep(graph, LOG_LARGEST)
        # A product that is zero, infinite or NaN is no rounding matter, and plain products break ties exactly.
        faithful = in_range(
            [
                np.where(np.isfinite(log), size, 1.0) if isinstance(log, np.ndarray) else size if isfinite(log) else 1.0
                for size, log in zip(sizes, logs)
            ]
        )
        return (LARGEST, sizes) if faithful else (LOG_LARGEST, logs)


def best(graph: Graph, source: int, largest: tuple[Semiring, list[Any]]) -> tuple[int, ...]:
    """The path of the largest |product|, the first one on a tie, NaN before all; ``largest``: of ``largest_sizes``."""
    semiring, sizes = largest
    head, weight = graph.head, graph.weight

    def choose(node: int, branches: range) -> int:
        if sizes[source] == semiring.zero:  # every product is zero, perhaps by an edge further up: the first path
            return branches[0]
        found, size = branches[0], None
        for e in branches:
            other = semiring.extend(sizes[head[e]], semiring.edge(weight[e]))
            if size is None or other > size or (other != other and size == size):
                found, size = e, other
        return found

    return walk(graph, source, choose)


def top(graph: Graph, source: int, n: int) -> list[tuple[int, ...]]:
    """The n paths of largest |product|, largest first, in path order among equals; all of them if there are fewer.

    One sweep of the k-best semiring, O(edges * n log n); paths through a weight of zero come last, in path order.
    """
    numbered = Graph(graph.start, graph.tail, graph.head, list(enumerate(graph.weight)), graph.output)
    found = []
    for _, links in sweep_to(numbered, largest_of(n, largest_sizes(graph)[0]), source):
        edges = []
        while links is not None:
            edge, links = links
            edges.append(edge)
        found.append(tuple(edges))
    if len(found) < n:  # at most len(found) others are passed over
        rest = (path for path in enumerate_paths(graph, source) if any(graph.weight[e] == 0 for e in path))
        found += islice(rest, n - len(found))
    return found


def product(graph: Graph, path: tuple[int, ...], one: Any = 1.0) -> Any:
    """The product of the weights along a path, from the output back, so that linear maps act on adjoints."""
    adjoint = one
    for edge in reversed(path):
        adjoint = adjoint * graph.weight[edge]
    return adjoint
