"""What flows through operations that choose (where, maximum, indexing, ...): nothing, along what is not taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..rules import LinearMap, Operand, either, guarded, leaves_out
from .entry import ARGS, RULE, Entry, arguments_of, options_of, parents, partials, positions, rule_of


def chooses(*operations: Entry) -> bool:
    """Whether a zero among the partial derivatives of some operation leaves an operand out."""
    for entry in operations:
        rule, args = entry[RULE], entry[ARGS]
        if rule.chooses or (args is not None and leaves_out(rule, args)):
            return True
    return False


def operand_of(entry: Entry, position: int, edge: Any) -> Operand:
    """An operand of an operation, as rules speak of it."""
    shape, out_shape = (edge.shape, edge.out_shape) if isinstance(edge, LinearMap) else ((), ())
    given = arguments_of(entry)
    args: Sequence[Any] = [None] * len(parents(entry)) if given is None else given
    return Operand(rule_of(entry), position, shape, out_shape, args, options_of(entry), edge)


def guarded_partials(operations: Iterable[Entry], roots: Iterable[Entry]) -> dict[int, list[Any]]:
    """Of operations, by id, the partials with nothing flowing along what is not taken, where that makes a difference.

    ``operations``: newest first.
    """
    reached: dict[int, Any] = {id(root): True for root in roots}
    found = {}
    for entry in operations:
        mask, own = reached.get(id(entry), False), []
        if mask is True and not chooses(entry):
            reached.update((id(parent), True) for parent in parents(entry))
            continue
        for position, parent, partial in zip(positions(entry), parents(entry), partials(entry)):
            weight, behind = guarded(operand_of(entry, position, partial), mask)
            own.append(weight)
            reached[id(parent)] = either(reached.get(id(parent), False), behind)
        found[id(entry)] = own
    return found
