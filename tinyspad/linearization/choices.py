"""The weights of a graph with nothing flowing along what is not taken; see ``rules.choices``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..arguments import Data
from ..paths import Structure
from ..rules import Choices, Chosen, LinearMap, Mask, both, either, guarded, taken


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
            if isinstance(edge, LinearMap):
                found[e], behind = guarded(choices.operand(e, edge), mask)
            else:
                behind = taken(edge, mask, e in choices.edges)
                found[e] = edge if behind is True else Chosen(edge, behind, vanishes=mask is True)
            reached[node] = either(reached[node], behind)
    return found


def guarded_onward(
    structure: Structure, weight: Sequence[Data], choices: Choices, sources: Iterable[int]
) -> list[Data]:
    """The same for sweeps from the parameters on: what is not reached from these sources lets nothing through, either."""
    found = guarded_weights(structure, weight, choices)
    reached: list[Mask] = [False] * structure.size
    for source in sources:
        reached[source] = True
    for node, mask in enumerate(reached):
        for e in structure.branches(node):
            edge, behind = weight[e], mask
            if isinstance(edge, LinearMap):
                behind = bool(np.any(mask))
            else:
                own = found[e].taken if isinstance(found[e], Chosen) else True
                behind = both(own, mask)
                found[e] = edge if behind is True else Chosen(edge, behind)
            reached[structure.head[e]] = either(reached[structure.head[e]], behind)
    return found


def is_lost(found: Data) -> bool:
    """Whether some of these numbers are none."""
    return bool(np.isnan(found).any()) if isinstance(found, np.ndarray) else bool(found != found)
