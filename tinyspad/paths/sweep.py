"""Semirings over weighted edges, and the one traversal: edge by edge here, level by level over arrays in ``levels``.

What is asked of the paths differs only in a semiring (Baras & Theodorakopoulos 2010, "Path problems in networks"; for
backpropagation Du et al. 2023, "Generalizing backpropagation for gradient-based interpretability").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from .levels import ByLevel, levels_of, sweep_by_level
from .structure import Structure, Weights


@dataclass(frozen=True)
class Semiring:
    """What to make of the weights along a path, and of the paths beside each other.

    ``edge(weight)`` lifts a weight, ``extend(value, edge)`` prolongs all paths of a node by an edge, ``combine(a, b)``
    joins those of two branches. ``one`` is the value of the empty path, ``zero`` that of no path. In a batch of R runs
    the weights are arrays of shape (R,), so functions that work elementwise serve all runs at once. ``by_level``: the same
    three for arrays of all weights, where there are such.

    >>> graph = Structure.of([[(1, 1.0), (2, 1.0)], [(3, 5.0)], [(3, -7.0)], []], 3)    # z = 5 x1 - 7 x2
    >>> longest = Semiring(lambda weight: 1, lambda value, edge: value + edge, max, one=0, zero=0)
    >>> sweep(*graph, longest)[0], sweep_from(*graph, longest, {0: 0})[3]
    (2, 2)
    """

    edge: Callable[[Any], Any]
    extend: Callable[[Any, Any], Any]
    combine: Callable[[Any, Any], Any]
    one: Any = 1.0
    zero: Any = 0.0
    by_level: ByLevel | None = None


@overload
def sweep(
    structure: Structure, weight: list[Any], semiring: Semiring, one: Any = None, *, forget: bool = False
) -> list[Any]: ...


@overload
def sweep(
    structure: Structure, weight: Weights, semiring: Semiring, one: Any = None, *, forget: bool = False
) -> Weights: ...


def sweep(
    structure: Structure, weight: Weights, semiring: Semiring, one: Any = None, *, forget: bool = False
) -> Weights:
    """The value of every node: what the semiring makes of all its paths to the output.

    A reverse sweep, O(edges) operations of the semiring, no recursion. ``one`` overrides the semiring's, to give the
    output's adjoint a shape. Nodes without a path get the semiring's zero. With ``forget`` a value becomes None as soon as
    all its readers have seen it: only nodes that nobody reads, the parameters, keep theirs. Weights that are one array may
    be swept level by level, and the values then are an array, too; sums may be rounded in another order.
    """
    start_value = semiring.one if one is None else one
    if isinstance(weight, np.ndarray):
        if semiring.by_level is not None and weight.ndim == 1 and isinstance(start_value, float):
            levels = levels_of(structure)
            if levels is not None:
                return sweep_by_level(levels, weight, semiring.by_level, start_value, semiring.zero)
        weight = weight.tolist() if weight.ndim == 1 else list(weight)
    values = [semiring.zero] * structure.size
    values[structure.output] = start_value
    start, head = structure.start, structure.head
    edge, extend, combine = semiring.edge, semiring.extend, semiring.combine
    readers = [0] * structure.size if forget else []
    if forget:
        for to in head:
            readers[to] += 1
    for node in range(structure.output - 1, -1, -1):
        first, stop = start[node], start[node + 1]
        if first == stop:
            continue
        value = extend(values[head[first]], edge(weight[first]))
        for e in range(first + 1, stop):
            value = combine(value, extend(values[head[e]], edge(weight[e])))
        values[node] = value
        if forget:
            for to in head[first:stop]:
                readers[to] -= 1
                if not readers[to]:
                    values[to] = None
    return values


def sweep_from(
    structure: Structure, weight: Sequence[Any], semiring: Semiring, sources: Mapping[int, Any]
) -> list[Any]:
    """The value of every node: what the semiring makes of all paths from the sources to it. The forward direction.

    ``sources``: node -> the value to start with there. It agrees with :func:`sweep` for every semiring that does not care
    in which order factors and branches come.
    """
    values: list[Any] = [None] * structure.size
    for source, one in sources.items():
        values[source] = one
    edge, extend, combine = semiring.edge, semiring.extend, semiring.combine
    for node, value in enumerate(values):
        if value is None:  # not behind a source
            continue
        for e in structure.branches(node):
            to = structure.head[e]
            share = extend(value, edge(weight[e]))
            values[to] = share if values[to] is None else combine(values[to], share)
    return [semiring.zero if value is None else value for value in values]


def sweep_to(structure: Structure, weight: Weights, semiring: Semiring, source: int, one: Any = None) -> Any:
    """The value of one node, by a sweep over the nodes behind it that forgets as it goes."""
    return sweep_behind(structure, weight, semiring, structure.behind(source), one)[source]


def sweep_behind(
    structure: Structure, weight: Weights, semiring: Semiring, nodes: Iterable[int], one: Any = None
) -> dict[int, Any]:
    """The values of the parameters among these nodes, which are all that lies behind them."""
    edge, extend, combine = semiring.edge, semiring.extend, semiring.combine

    def join(node: int, values: list[Any]) -> Any:
        value = values[0]
        for other in values[1:]:
            value = combine(value, other)
        return value

    one = semiring.one if one is None else one
    return fold(structure, nodes, lambda value, e: extend(value, edge(weight[e])), join, one, semiring.zero)


def fold(
    structure: Structure,
    nodes: Iterable[int],
    extend: Callable[[Any, int], Any],
    join: Callable[[int, list[Any]], Any],
    one: Any,
    zero: Any = 0.0,
) -> dict[int, Any]:
    """The reverse sweep in its general form: extend along every edge, join at every node with a choice.

    ``nodes``, ascending, are closed under following edges. ``extend(value, e)`` and ``join(node, values)`` are told where
    they are. The value of a node is forgotten once all its readers have seen it, so what comes back are the values of
    the nodes that nobody reads: the parameters.
    """
    nodes = list(nodes)
    start, head = structure.start, structure.head
    readers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for e in range(start[node], start[node + 1]):
            readers[head[e]] += 1
    values: dict[int, Any] = {}
    for node in reversed(nodes):
        first, stop = start[node], start[node + 1]
        if first == stop:
            values[node] = one if node == structure.output else zero
            continue
        if stop - first == 1:
            values[node] = extend(values[head[first]], first)
        else:
            values[node] = join(node, [extend(values[head[e]], e) for e in range(first, stop)])
        for e in range(first, stop):
            readers[head[e]] -= 1
            if not readers[head[e]]:
                del values[head[e]]
    return values
