"""The weights of a graph with nothing flowing along what is not taken; see ``rules.choices``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..arguments import Data
from ..paths import Structure
from ..rules import Choices, LinearMap, Mask, Masked, both, either, guarded, taken


def guarded_weights(structure: Structure, weight: Sequence[Data], choices: Choices, output: Mask = True) -> list[Data]:
    """The weights, of which those that are not reached from the output, or not taken, let nothing through.

    ``output``: which of its numbers are asked. O(edges): one sweep, of truth values.
    """
    reached: list[Mask] = [False] * structure.size
    reached[structure.output] = output
    found = list(weight)
    for node in range(structure.output - 1, -1, -1):
        for e in structure.branches(node):
            edge, mask = weight[e], reached[structure.head[e]]
            found[e], behind = guarded_edge(e, edge, mask, choices)
            reached[node] = either(reached[node], behind)
    return found


def guarded_edge(e: int, edge: Data, reached: Mask, choices: Choices) -> tuple[Data, Mask]:
    """The weight of an edge whose head is reached there, and where its tail is reached by it."""
    if isinstance(edge, LinearMap):
        assert choices.operand is not None
        return guarded(choices.operand(e, edge), reached)
    mask = taken(edge, reached, e in choices.edges)
    if edge.__class__ is float and edge - edge == 0 and e not in choices.edges:
        return edge, mask  # what comes from the output is 0 already where it is not reached
    return (edge if mask is True else Masked(edge, mask, vanishes=reached is True)), mask


def guarded_onward(
    structure: Structure, weight: Sequence[Data], choices: Choices, sources: Iterable[int]
) -> list[Data]:
    """The same for numbers on edges and sweeps from the parameters on: what these sources do not reach lets nothing
    through, either."""
    found = guarded_weights(structure, weight, choices)
    reached: list[Mask] = [False] * structure.size
    for source in sources:
        reached[source] = True
    for node, mask in enumerate(reached):
        for e in structure.branches(node):
            onward = both(found[e].taken if isinstance(found[e], Masked) else True, mask)
            found[e] = weight[e] if onward is True else Masked(weight[e], onward)
            reached[structure.head[e]] = either(reached[structure.head[e]], onward)
    return found


def not_finite(found: Data) -> bool:
    """Whether some of these numbers are NaN or infinite."""
    return not np.isfinite(found).all()
