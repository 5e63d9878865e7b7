"""Replay: evaluate operations again from their entries, on the data they had or on anything else in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ChangedData, NoRule
from .entry import ARGS, FIRST_PARENT, HOLE, KWARGS, LEAF_DATA, ORDER, RULE, Entry, called


def behind(root: Entry) -> list[Entry]:
    """The operations that an entry was computed from, itself included, oldest first."""
    operations, seen, stack = [], {id(root)}, [root]
    while stack:
        entry = stack.pop()
        if entry[RULE] is None:
            continue
        operations.append(entry)
        for parent in entry[FIRST_PARENT::2]:
            if id(parent) not in seen:
                seen.add(id(parent))
                stack.append(parent)
    operations.sort(key=lambda entry: entry[ORDER])
    return operations


def replay(operations: list[Entry], known: dict[int, Any], then: Callable[[Any], Any] | None = None) -> dict[int, Any]:
    """The results of the operations, oldest first, by id of their entries; ``known`` stands in for leaves' own data.

    ``then``: what is done to each result before it is read.
    Raises ChangedData if a leaf that is not known was changed since it was read.
    """
    results = dict(known)
    for entry in operations:
        if entry[RULE].forgets:
            raise NoRule(
                f"{entry[RULE].name} keeps only what backward needs, so it cannot be run again from the tape: "
                "no second derivatives or programs through it."
            )
        for leaf in entry[FIRST_PARENT::2]:
            if leaf[RULE] is None and id(leaf) not in results:
                if leaf[ORDER] > entry[ORDER] or (leaf[ARGS] and leaf[ARGS].was_changed()):
                    raise ChangedData(f"The data of {called(leaf)} was changed after {entry[RULE].name} read it.")
                results[id(leaf)] = leaf_data(leaf)
        result = entry[RULE].function(*operands(entry, results), **(entry[KWARGS] or {}))
        results[id(entry)] = result if then is None else then(result)
    return results


def leaf_data(leaf: Entry) -> Any:
    """What operations read from a leaf."""
    return leaf[LEAF_DATA] if leaf[ARGS] is None else leaf[ARGS].snapshot


def operands(entry: Entry, results: dict[int, Any]) -> tuple[Any, ...]:
    """The arguments of an operation, with these results for its parents."""
    parents = iter([results[id(parent)] for parent in entry[FIRST_PARENT::2]])
    if entry[ARGS] is None:
        return tuple(parents)
    return tuple(
        [next(parents) if item is HOLE else item for item in a]
        if isinstance(a, list)
        else next(parents)
        if a is HOLE
        else a
        for a in entry[ARGS]
    )


def positions(entry: Entry) -> list[int]:
    """For each parent the position of the argument that it is."""
    if entry[ARGS] is None:
        return list(range(len(entry[FIRST_PARENT::2])))
    flat = entry[ARGS][0] if entry[RULE].sequence else entry[ARGS]
    return [i for i, a in enumerate(flat) if a is HOLE]
