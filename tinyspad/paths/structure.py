"""The edges of a single-access program without their weights: what stays the same from point to point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Array

Weights = Sequence[Any] | Array
"""What the edges carry: a list by edge, or one array of numbers."""


@dataclass(frozen=True, eq=False)
class Structure:
    """Edges sorted by tail: the out-edges of node v are ``start[v] .. start[v + 1] - 1``, in branch order.

    Nodes are numbered so that every edge goes from a lower to a higher number. A node with several out-edges is a tupling
    node, and its edges are the branches. Nodes from which no path leads to the output have no out-edges: walks that
    choose at random expect no dead ends.

    The edges' weights, which differ from point to point, are lists beside it. What follows from the edges alone is worked
    out once, and kept in ``known`` by whoever needs it.
    """

    start: list[int]
    tail: list[int]
    head: list[int]
    output: int

    @classmethod
    def of(cls, out_edges: list[list[tuple[int, Any]]], output: int) -> tuple[Structure, list[Any]]:
        """Structure and weights, from a list that holds, for each node, its (head, weight) pairs in branch order."""
        start, tail, head, weight = [0], [], [], []
        for node, pairs in enumerate(out_edges):
            for to, w in pairs:
                tail.append(node)
                head.append(to)
                weight.append(w)
            start.append(len(head))
        return cls(start, tail, head, output), weight

    @classmethod
    def of_arrays(cls, start: Array, tail: Array, head: Array, output: int) -> Structure:
        """The same from arrays, sorted by tail."""
        made = cls(start.tolist(), tail.tolist(), head.tolist(), output)
        made.__dict__["arrays"] = start.astype(np.intp), head.astype(np.intp)
        return made

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.start) - 1

    def branches(self, node: int) -> range:
        """The out-edges of a node, in branch order."""
        return range(self.start[node], self.start[node + 1])

    def behind(self, source: int) -> list[int]:
        """The nodes on the paths from source to the output, ascending; worked out once."""
        if source not in self._behind:
            start, head = self.start, self.head
            seen, stack = {source}, [source]
            while stack:
                node = stack.pop()
                for to in head[start[node] : start[node + 1]]:
                    if to not in seen:
                        seen.add(to)
                        stack.append(to)
            self._behind[source] = sorted(seen)
        return self._behind[source]

    def turns(self, source: int) -> list[int]:
        """The tupling nodes among the nodes behind source, ascending; worked out once."""
        if source not in self._turns:
            start = self.start
            self._turns[source] = [v for v in self.behind(source) if start[v + 1] - start[v] > 1]
        return self._turns[source]

    @cached_property
    def copies(self) -> list[bool]:
        """Of every edge whether it is a branch of a tupling node, which copies; the others multiply."""
        start = self.start
        return [start[v + 1] - start[v] > 1 for v in self.tail]

    @cached_property
    def arrays(self) -> tuple[Array, Array]:
        """``start`` and ``head`` as arrays."""
        return np.array(self.start, np.intp), np.array(self.head, np.intp)

    @cached_property
    def known(self) -> dict[str, Any]:
        """What else follows from the edges alone, by the name of what it is."""
        return {}

    @cached_property
    def _behind(self) -> dict[int, list[int]]:
        return {}

    @cached_property
    def _turns(self) -> dict[int, list[int]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("start", "tail", "head", "output")}
