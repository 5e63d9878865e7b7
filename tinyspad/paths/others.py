"""What a semiring makes of all paths of a node but a few: nothing is subtracted, so no digits are lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .structure import Structure, Weights
from .sweep import Semiring


def all_but(
    structure: Structure,
    weight: Weights,
    semiring: Semiring,
    values: Weights,
    source: int,
    chosen: Iterable[tuple[int, ...]],
) -> Any:
    """What the semiring makes of the paths from source to the output that are not among the chosen ones.

    ``values``: of every node, by a sweep over the same weights. ``chosen``: paths as tuples of edges. The chosen ones make a
    tree of their common beginnings, which any other path leaves at one place, by an edge that none of them takes there: what
    is behind that edge is known from the sweep. The semiring's zero if there are no others. Cost: the edges of the chosen
    ones, and those beside them.

    >>> from tinyspad.paths import COUNT, GRADIENT, sweep
    >>> graph = Structure.of([[(1, 1.0), (2, 1.0)], [(3, 5.0)], [(3, -7.0)], []], 3)    # z = 5 x1 - 7 x2
    >>> [all_but(*graph, which, sweep(*graph, which), 0, [(1, 3)]) for which in (COUNT, GRADIENT)]
    [1, 5.0]
    """
    nodes, children, head = [source], [dict[int, int]()], structure.head
    for edges in chosen:
        at = 0
        for e in edges:
            if e not in children[at]:
                children[at][e] = len(nodes)
                nodes.append(head[e])
                children.append({})
            at = children[at][e]
    found: list[Any] = [None] * len(nodes)
    for at in range(len(nodes) - 1, -1, -1):  # what grows on a beginning comes after it
        taken, total = children[at], None
        for e in structure.branches(nodes[at]):
            below = found[taken[e]] if e in taken else values[head[e]]
            if below is not None:
                share = semiring.extend(below, semiring.edge(weight[e]))
                total = share if total is None else semiring.combine(total, share)
        found[at] = total
    return semiring.zero if found[0] is None else found[0]
