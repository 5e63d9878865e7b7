"""Elimination: the Jacobian by removing intermediate vertices, or edges, one after the other, in any order.

To eliminate vertex j, every product of an edge into j with an edge out of j is added to the edge that bypasses it, and j
is removed (Griewank & Walther 2008, chapter 9). To eliminate a single edge, front or back, does the same for the pairs that
it belongs to (Naumann 2004). All orders give one Jacobian; they differ in the number of multiplications. Forward mode
and reverse mode are two of the orders, and to find the cheapest one is NP-complete (Naumann 2008).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput

ORDERS = ("forward", "reverse", "markowitz")
FRONT, BACK = "front", "back"


@dataclass(frozen=True)
class Elimination:
    """What an elimination did.

    ``jacobian``: (input, output) -> derivative, for the pairs that are connected. ``multiplications``: one for every pair
    of edges that was multiplied; ``additions``: one for every product that met an edge already there. ``order``: the
    vertices eliminated, or the edges as (tail, head, "front" or "back"), with names instead of numbers where
    the graph has them.
    """

    jacobian: dict[tuple[Any, Any], Any]
    multiplications: int
    additions: int
    order: tuple[Any, ...]


class _Eliminator:
    """The edges that are left, by both ends, and what was spent."""

    def __init__(self, edges: Iterable[tuple[int, int, Any]], inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.after: dict[int, dict[int, Any]] = {v: {} for v in (*inputs, *outputs)}
        self.before: dict[int, dict[int, None]] = {v: {} for v in (*inputs, *outputs)}
        self.multiplications = self.additions = 0
        for tail, head, weight in edges:
            for v in (tail, head):
                self.after.setdefault(v, {})
                self.before.setdefault(v, {})
            if head in self.after[tail]:  # a variable that an operation reads twice, as in x * x
                self.after[tail][head] = self.after[tail][head] + weight
            else:
                self.after[tail][head] = weight
                self.before[head][tail] = None
        ends = {*inputs, *outputs}
        self.inner = {v for v in self.after if v not in ends}
        self.order: list[Any] = []

    def _bypass(self, tail: int, middle: int, head: int) -> None:
        product = self.after[middle][head] * self.after[tail][middle]
        self.multiplications += 1
        if head in self.after[tail]:
            self.after[tail][head] = self.after[tail][head] + product
            self.additions += 1
        else:
            self.after[tail][head] = product
            self.before[head][tail] = None

    def _remove(self, v: int) -> set[int]:
        neighbours = {*self.before[v], *self.after[v]}
        for tail in self.before.pop(v):
            del self.after[tail][v]
        for head in self.after.pop(v):
            del self.before[head][v]
        self.inner.discard(v)
        return neighbours

    def vertex(self, v: int) -> set[int]:
        """Eliminate a vertex; its neighbours come back, whose degrees have changed."""
        self.order.append(v)
        for tail in self.before[v]:
            for head in self.after[v]:
                self._bypass(tail, v, head)
        return self._remove(v)

    def edge(self, tail: int, head: int, end: str) -> set[int]:
        """Eliminate an edge through its head (front) or its tail (back), and the vertex between once it hangs loose."""
        self.order.append((tail, head, end))
        touched = {tail, head}
        if end == FRONT:
            touched |= set(self.after[head])
            for to in self.after[head]:
                self._bypass(tail, head, to)
        else:
            touched |= set(self.before[tail])
            for start in self.before[tail]:
                self._bypass(start, tail, head)
        del self.after[tail][head]
        del self.before[head][tail]
        middle = head if end == FRONT else tail
        if not self.before[middle] or not self.after[middle]:
            touched |= self._remove(middle)
        return touched & self.inner

    def vertex_cost(self, v: int) -> int:
        return len(self.before[v]) * len(self.after[v])

    def edge_cost(self, v: int) -> tuple[int, int]:
        """The products of the cheapest edge elimination at v, and those of v whole, which decide between equals."""
        return min(len(self.before[v]), len(self.after[v])), self.vertex_cost(v)

    def cheapest_edge(self, v: int) -> tuple[int, int, str]:
        """The edge at v that is eliminated through v at least cost: front costs v's out-degree, back its in-degree."""
        if len(self.after[v]) <= len(self.before[v]):
            return min(self.before[v]), v, FRONT
        return v, min(self.after[v]), BACK


def eliminate(
    edges: Iterable[tuple[int, int, Any]],
    inputs: Sequence[int],
    outputs: Sequence[int],
    order: str | Sequence[Any] = "reverse",
    by: str = "vertex",
    names: Sequence[str] | None = None,
) -> Elimination:
    """Accumulate the Jacobian of a graph of (tail, head, weight) edges, tails before heads, by elimination.

    ``order``: "forward" (ascending), "reverse" (descending), "markowitz" (always the cheapest next, Griewank & Reese 1991),
    or a sequence that names every intermediate vertex once, or, with ``by="edge"``, (tail, head, "front" or "back")
    triples that leave no intermediate vertex. Outputs have no out-edges. ``names``: of the vertices, for messages. Raises
    BadInput for an order that is none.
    Cost: the multiplications, and O(log) of bookkeeping for each under "markowitz".

    >>> diamond = [(0, 1, 2.0), (1, 2, 3.0), (1, 3, 5.0), (2, 4, 7.0), (3, 4, 1.0)]
    >>> for order in ORDERS:
    ...     done = eliminate(diamond, [0], [4], order)
    ...     print(done.order, done.multiplications, done.jacobian)
    (1, 2, 3) 4 {(0, 4): 52.0}
    (3, 2, 1) 3 {(0, 4): 52.0}
    (2, 3, 1) 3 {(0, 4): 52.0}
    """
    if by not in ("vertex", "edge"):
        raise BadInput(f'eliminate: by= is "vertex" or "edge", not {by!r}.')
    if isinstance(order, str) and order not in ORDERS:
        raise BadInput(f'eliminate: order= is "forward", "reverse", "markowitz" or a sequence, not {order!r}.')
    left = _Eliminator(edges, inputs, outputs)
    for v in sorted(left.inner, reverse=True):  # what leads nowhere has no part in the Jacobian
        if not left.after[v]:
            left._remove(v)
    for v in sorted(left.inner):
        if not left.before[v]:
            left._remove(v)
    if isinstance(order, str):
        (_vertices if by == "vertex" else _edges)(left, order)
    else:
        _given(left, order, by, lambda v: str(v) if names is None else names[v])
    found = {(i, o): left.after[i][o] for i in inputs for o in outputs if o in left.after[i]}
    jacobian = {pair: value.copy() if isinstance(value, np.ndarray) else value for pair, value in found.items()}
    return Elimination(jacobian, left.multiplications, left.additions, tuple(left.order))


def _vertices(left: _Eliminator, order: str) -> None:
    if order != "markowitz":
        for v in sorted(left.inner, reverse=order == "reverse"):
            left.vertex(v)
        return
    heap = [(left.vertex_cost(v), v) for v in left.inner]
    heapq.heapify(heap)
    while heap:
        cost, v = heapq.heappop(heap)
        if v in left.inner and cost == left.vertex_cost(v):  # otherwise out of date: its new cost is in the heap, too
            for w in left.vertex(v) & left.inner:
                heapq.heappush(heap, (left.vertex_cost(w), w))


def _edges(left: _Eliminator, order: str) -> None:
    if order != "markowitz":
        for v in sorted(left.inner, reverse=order == "reverse"):
            while v in left.inner:
                if order == "forward":
                    left.edge(min(left.before[v]), v, FRONT)
                else:
                    left.edge(v, max(left.after[v]), BACK)
        return
    heap = [(left.edge_cost(v), v) for v in left.inner]
    heapq.heapify(heap)
    while heap:
        cost, v = heapq.heappop(heap)
        if v in left.inner and cost == left.edge_cost(v):
            for w in left.edge(*left.cheapest_edge(v)):
                heapq.heappush(heap, (left.edge_cost(w), w))


def _given(left: _Eliminator, order: Sequence[Any], by: str, name: Callable[[Any], str]) -> None:
    def called(step: Any) -> str:
        return f"({', '.join([*map(name, step[:2]), *map(repr, step[2:])])})" if isinstance(step, tuple) else name(step)

    for step in order:
        if by == "vertex":
            if isinstance(step, tuple) or step not in left.inner:
                raise BadInput(f"eliminate: {called(step)} is no intermediate vertex, or was eliminated before.")
            left.vertex(step)
            continue
        tail, head, end = step if isinstance(step, (tuple, list)) and len(step) == 3 else (step, None, None)
        if end not in (FRONT, BACK) or head not in left.after.get(tail, {}):
            raise BadInput(f'eliminate: {called(step)} is no (tail, head, "front" or "back") of an edge that is there.')
        if (head if end == FRONT else tail) not in left.inner:
            raise BadInput(
                f"eliminate: {called(step)} would go through a parameter or an output; an edge is eliminated at its front "
                "through its head, at its back through its tail."
            )
        left.edge(tail, head, end)
    if left.inner:
        some = ", ".join(map(name, sorted(left.inner)[:5]))
        raise BadInput(f"eliminate: the order leaves {len(left.inner)} vertices, among them {some}.")
