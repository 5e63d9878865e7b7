"""Many runs at once: the same graph with an array of weights on every edge, and one path for each run.

The runs' paths are a dict: for each tupling node, the branch that each run takes there if its path leads there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import Graph, Semiring, fold, reachable
from .semirings import by_size
from .whole import whole_dtype


def choices(graph: Graph, counts: list[int], source: int, index: Any) -> dict[int, Any]:
    """For an array of path indices the branch that each run takes at each tupling node it may meet."""
    nodes = reachable(graph, source)
    junction: dict[int, int] = {}  # the first node at or after this one that has a choice
    for node in reversed(nodes):
        edges = graph.branches(node)
        junction[node] = node if len(edges) != 1 else junction[graph.head[edges[0]]]
    at = np.full(np.shape(index), junction[source])
    left = np.array(index, whole_dtype(counts[source]))
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

    zero = np.zeros(shape, whole_dtype(counts[source]))
    return fold(graph, reachable(graph, source), lambda value, e: value, join, zero)[source]


def best_choices(graph: Graph, source: int, largest: tuple[Semiring, list[Any]]) -> dict[int, Any]:
    """For every run the branch of the largest |product| at each tupling node, the first one on a tie, NaN before all."""
    semiring, sizes = largest
    taken = {}
    for node in reachable(graph, source):
        edges = graph.branches(node)
        if len(edges) > 1:
            found = [semiring.extend(sizes[graph.head[e]], semiring.edge(graph.weight[e])) for e in edges]
            none = sizes[source] == semiring.zero
            taken[node] = np.where(none, 0, np.argmax(np.stack(np.broadcast_arrays(*found)), axis=0))
    return taken


def top_ranks(graph: Graph, counts: list[int], source: int, n: int, shape: tuple[int, ...], size: Semiring) -> Any:
    """For every run the indices of its n paths of largest |product|, in that order, NaN first: shape (min(n, N), R).

    ``size``: LARGEST, or LOG_LARGEST where floats cannot hold the products.
    """

    def extend(value: tuple[Any, Any], e: int) -> tuple[Any, Any]:
        sizes, indices = value
        lost = (graph.weight[e] == 0) & np.all(np.isfinite(sizes) | (sizes == size.zero), axis=0)
        lost = np.broadcast_to(lost, shape)  # among products of zero the first paths come first
        if np.any(lost):
            first = np.arange(len(indices)).reshape(-1, *(1 for _ in shape))
            indices = np.where(lost, first, indices).astype(indices.dtype)
        return size.extend(sizes, size.edge(graph.weight[e])), indices

    def join(node: int, values: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        before, sizes, indices = 0, [], []
        for e, (s, i) in zip(graph.branches(node), values):
            sizes.append(s)
            indices.append(i + before)
            before += counts[graph.head[e]]
        order = by_size(np.concatenate(sizes))[:n]
        return (
            np.take_along_axis(np.concatenate(sizes), order, axis=0),
            np.take_along_axis(np.concatenate(indices), order, axis=0),
        )

    one = np.full((1, *shape), size.one), np.zeros((1, *shape), whole_dtype(counts[source]))
    none = np.zeros((0, *shape)), np.zeros((0, *shape), np.int64)
    return fold(graph, reachable(graph, source), extend, join, one, none)[source][1]


def follow(
    graph: Graph,
    source: int,
    taken: dict[int, Any],
    one: Any,
    weight: list[Any] | None = None,
    extend: Callable[[Any, Any], Any] = operator.mul,
) -> Any:
    """The product along each run's own path: a reverse sweep in which tupling nodes pass on one branch.

    ``weight`` stands in for the graph's own weights, ``extend`` for the multiplication.
    """
    weight = graph.weight if weight is None else weight

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for k in range(1, len(values)):
            value = np.where(taken[node] == k, values[k], value)
        return value

    return fold(graph, reachable(graph, source), lambda value, e: extend(value, weight[e]), join, one)[source]
