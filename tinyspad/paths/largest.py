"""The paths of the largest products: the best one by a walk along a table, the n best by one sweep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np

from ..arguments import Array
from .route import Route, counts, enumerate_paths
from .semirings import LARGEST, LOG_LARGEST, by_size, in_range, largest_of
from .structure import Structure, Weights
from .sweep import Semiring, fold, sweep, sweep_to
from .whole import whole_dtype


def largest_sizes(structure: Structure, weight: Weights) -> tuple[Semiring, Weights]:
    """The largest |product| behind every node, or its logarithm where floats cannot hold them all; and the semiring."""
    with np.errstate(all="ignore"):
        sizes = sweep(structure, weight, LARGEST)
        if in_range(sizes):
            return LARGEST, sizes
        logs = sweep(structure, weight, LOG_LARGEST)
        if isinstance(sizes, np.ndarray):
            return (LARGEST, sizes) if in_range(np.where(np.isfinite(logs), sizes, 1.0)) else (LOG_LARGEST, logs)
        # A product that is zero, infinite or NaN is no rounding matter, and plain products break ties exactly.
        faithful = in_range(
            [
                np.where(np.isfinite(log), size, 1.0) if isinstance(log, np.ndarray) else size if isfinite(log) else 1.0
                for size, log in zip(sizes, logs)
            ]
        )
        return (LARGEST, sizes) if faithful else (LOG_LARGEST, logs)


def best(
    structure: Structure,
    weight: Sequence[Any],
    source: int,
    largest: tuple[Semiring, Weights],
    shape: tuple[int, ...] = (),
) -> Route:
    """The path of the largest |product|, the first one on a tie, NaN before all; for many runs, each one's.

    ``largest``: of :func:`largest_sizes`.
    """
    semiring, sizes = largest
    start, head, output = structure.start, structure.head, structure.output
    taken: dict[int, Any] = {}
    if shape:
        for node in structure.turns(source):
            edges = structure.branches(node)
            found = [semiring.extend(sizes[head[e]], semiring.edge(weight[e])) for e in edges]
            none = sizes[source] == semiring.zero
            taken[node] = np.where(none, 0, np.argmax(np.stack(np.broadcast_arrays(*found)), axis=0))
        return Route(structure, source, branches=taken, shape=shape)
    none, node = sizes[source] == semiring.zero, source  # every product is zero, perhaps by an edge further up
    while node != output:
        edge = start[node]
        if start[node + 1] - edge > 1:
            size = None
            for e in () if none else structure.branches(node):
                other = semiring.extend(sizes[head[e]], semiring.edge(weight[e]))
                if size is None or other > size or (other != other and size == size):
                    edge, size = e, other
            taken[node] = edge - start[node]
        node = head[edge]
    return Route(structure, source, branches=taken)


def best_edges(structure: Structure, weight: Array, sizes: Array) -> Array | None:
    """For every node the edge on which its path of the largest |product| goes on, the first one on a tie.

    ``sizes``: the largest products behind every node, numbers. None where some are none.
    """
    start, head = structure.arrays
    found = np.abs(weight) * sizes[head]
    if np.isnan(found).any():
        return None
    width = np.diff(start)
    tails = start[:-1][width > 0]
    if not len(tails):
        return np.zeros(len(width), np.intp)
    best = np.repeat(np.maximum.reduceat(found, tails), width[width > 0])
    first = np.minimum.reduceat(np.where(found == best, np.arange(len(found)), len(found)), tails)
    edges = np.zeros(len(width), np.intp)
    edges[width > 0] = first
    return edges


def top(structure: Structure, weight: Sequence[Any], source: int, n: int, size: Semiring) -> list[tuple[int, ...]]:
    """The n paths of largest |product|, largest first, in path order among equals; all of them if there are fewer.

    One sweep of the k-best semiring, O(edges * n log n); products of zero, underflown ones too, come last, in path order.
    ``size``: LARGEST, or LOG_LARGEST where floats cannot hold the products.
    """
    found = []
    for _, links in sweep_to(structure, list(enumerate(weight)), largest_of(n, size), source):
        edges = []
        while links is not None:
            edge, links = links
            edges.append(edge)
        found.append(tuple(edges))
    if len(found) < n:  # at most len(found) others are passed over
        seen = set(found)
        found += islice((path for path in enumerate_paths(structure, source) if path not in seen), n - len(found))
    return found


def top_runs(
    structure: Structure, weight: Sequence[Any], source: int, n: int, shape: tuple[int, ...], size: Semiring
) -> Any:
    """For every run the indices of its n paths of largest |product|, in that order, NaN first: shape (min(n, N), R).

    ``size``: LARGEST, or LOG_LARGEST where floats cannot hold the products.
    """
    table = counts(structure)

    def extend(value: tuple[Any, Any], e: int) -> tuple[Any, Any]:
        sizes, indices = value
        lost = (weight[e] == 0) & np.all(np.isfinite(sizes) | (sizes == size.zero), axis=0)
        lost = np.broadcast_to(lost, shape)  # among products of zero the first paths come first
        if np.any(lost):
            first = np.arange(len(indices)).reshape(-1, *(1 for _ in shape))
            indices = np.where(lost, first, indices).astype(indices.dtype)
        return size.extend(sizes, size.edge(weight[e])), indices

    def join(node: int, values: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        before, sizes, indices = 0, [], []
        for e, (s, i) in zip(structure.branches(node), values):
            sizes.append(s)
            indices.append(i + before)
            before += table[structure.head[e]]
        order = by_size(np.concatenate(sizes))[:n]
        return (
            np.take_along_axis(np.concatenate(sizes), order, axis=0),
            np.take_along_axis(np.concatenate(indices), order, axis=0),
        )

    one = np.full((1, *shape), size.one), np.zeros((1, *shape), whole_dtype(table[source]))
    none = np.zeros((0, *shape)), np.zeros((0, *shape), np.int64)
    return fold(structure, structure.behind(source), extend, join, one, none)[source][1]
