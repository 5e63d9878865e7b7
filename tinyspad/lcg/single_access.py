"""From the tape to single-access form: what to keep, and which variables to tuple."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..paths import Graph
from ..tape import FIRST_PARENT, Entry, behind


def kept(root: Entry | None, leaves: list[Entry]) -> tuple[list[Entry], dict[int, list[Any]]]:
    """The operations between the parameters and the root, oldest first, and the empty list of reads of each."""
    if root is None:
        return [], {}
    live = {id(leaf) for leaf in leaves}
    kept = []
    for entry in behind(root):
        for parent in entry[FIRST_PARENT::2]:
            if id(parent) in live:
                live.add(id(entry))
                kept.append(entry)
                break
    return kept, {id(entry): [] for entry in kept}


def single_access(
    leaves: list[Entry], entries: list[Entry], reads: dict[int, list[Any]], root: Entry | None
) -> tuple[Graph, list[Entry | None]]:
    """Number the variables, give every variable that is read more than once its branches, and list the edges."""
    readers: dict[int, int] = {id(entry): 0 for entry in (*leaves, *entries)}
    for entry in entries:
        for parent in entry[FIRST_PARENT::2]:
            if id(parent) in readers:
                readers[id(parent)] += 1
    entry_of: list[Entry | None] = []
    out_edges: list[list[tuple[int, Any]]] = []
    variable: dict[int, int] = {}
    branches: dict[int, Iterator[int]] = {}

    def define(entry: Entry) -> None:
        variable[id(entry)] = len(entry_of)
        entry_of.append(entry)
        out_edges.append([])

    def tuple_up(entry: Entry) -> None:
        node, n = variable[id(entry)], readers[id(entry)]
        if n > 1:
            first = len(entry_of)
            entry_of.extend([None] * n)
            out_edges[node] = [(first + k, 1.0) for k in range(n)]
            out_edges.extend([] for _ in range(n))
            branches[id(entry)] = iter(range(first, first + n))

    for leaf in leaves:
        define(leaf)
    for leaf in leaves:
        tuple_up(leaf)
    for entry in entries:
        define(entry)
        for parent, weight in zip(entry[FIRST_PARENT::2], entry[FIRST_PARENT + 1 :: 2]):
            if id(parent) not in readers:
                reads[id(entry)].append(None)  # a constant that was computed outside f
                continue
            tail = next(branches[id(parent)]) if id(parent) in branches else variable[id(parent)]
            out_edges[tail].append((variable[id(entry)], weight))
            reads[id(entry)].append(tail)
        tuple_up(entry)
    if id(root) in variable:
        return Graph.of(out_edges, variable[id(root)]), entry_of
    # The output depends on no parameter: it is a node of its own that no edge reaches.
    return Graph.of([[] for _ in (*out_edges, None)], len(out_edges)), entry_of
