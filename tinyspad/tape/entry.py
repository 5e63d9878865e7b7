"""The tape: a chain of entries, one per operation, each pointing at the entries it read.

An entry holds the local partial derivatives (numbers, arrays, or linear maps) and no result, so an array that only the
forward pass needed is freed as soon as nobody holds its Value. Entries are plain lists, the cheapest record that Python
can build and change:

    [order, adjoint, grad, rule, args, kwargs, name, owner,  parent, partial,  parent, partial, ...]

A leaf has no rule and no parents; in place of kwargs it has its data, which operations are replayed from. The owner is a
weak reference to the Value of an array: a gradient that nobody could look at is not kept. Creation order is a
topological order, so the sweep sorts instead of recursing.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from ..errors import ChangedData, NoRule
from .data import locked

ORDER, ADJOINT, GRAD, RULE, ARGS, KWARGS, NAME, OWNER, FIRST_PARENT = range(9)
LEAF_DATA = KWARGS
TWO_PARENTS = FIRST_PARENT + 4  # the length of an entry that read two Values
Entry = list[Any]

tick = count(1).__next__


class _Marker:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


HOLE = _Marker("·")
"""Stands in an entry's args where a parent's value goes; args None means: the parents, in order."""

FORGOTTEN = _Marker("…")
"""Stands in an entry's args where a constant was that a frugal rule did not keep."""


class Lent:
    """A leaf's array that the user can write into, and the snapshot of it that operations read."""

    def __init__(self, array: np.ndarray[Any, Any], snapshot: np.ndarray[Any, Any]) -> None:
        self.array, self.snapshot = array, snapshot

    def read(self, leaf: Entry) -> np.ndarray[Any, Any]:
        """The snapshot, renewed if the array was written into: then those who read the old one are out of date."""
        if self.was_changed():
            self.snapshot = locked(self.array.copy())
            leaf[ORDER] = tick()
        return self.snapshot

    def was_changed(self) -> bool:
        """Whether the array differs from what was read last."""
        return not np.array_equal(self.array, self.snapshot, equal_nan=True)


# --- an entry's parts by name, for those outside this package ----------------------------------------------------------


def parents(entry: Entry) -> list[Entry]:
    """The entries that an operation read, in order; none for a leaf."""
    return entry[FIRST_PARENT::2]


def partials(entry: Entry) -> list[Any]:
    """The operation's local derivatives by them: numbers, arrays, or linear maps."""
    return entry[FIRST_PARENT + 1 :: 2]


def rule_of(entry: Entry) -> Any:
    """The rule of an operation; None for a leaf."""
    return entry[RULE]


def options_of(entry: Entry) -> dict[str, Any]:
    """The keyword arguments of an operation."""
    return entry[KWARGS] or {}


def arguments_of(entry: Entry) -> Any:
    """The positional arguments of an operation, a HOLE where a parent stands; None where they are the parents, in order."""
    return entry[ARGS]


def label_of(entry: Entry) -> str | None:
    """The name that a Value was given."""
    return entry[NAME]  # type: ignore[no-any-return]


def order_of(entry: Entry) -> int:
    """When it was made, or, of a leaf, last changed (0: never)."""
    return entry[ORDER]  # type: ignore[no-any-return]


def was_changed(leaf: Entry) -> bool:
    """Whether a leaf's data was replaced or written into since it was made."""
    return bool(leaf[ORDER] or (leaf[ARGS] is not None and leaf[ARGS].was_changed()))


def called(node: Entry) -> str:
    """How an error message speaks of a Value."""
    return "a Value" if node[NAME] is None else f'"{node[NAME]}"'


# --- evaluating operations again, on the data they had or on anything else in its place ------------------------------


def behind(*roots: Entry) -> list[Entry]:
    """The operations that entries were computed from, themselves included, oldest first."""
    operations, seen, stack = [], {id(root) for root in roots}, list({id(root): root for root in roots}.values())
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


def _evaluated(rule: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return rule.function(*args, **options)


def replay(
    operations: list[Entry],
    known: dict[int, Any],
    then: Callable[[Any], Any] | None = None,
    run: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any] = _evaluated,
) -> dict[int, Any]:
    """The results of the operations, oldest first, by id of their entries; ``known`` stands in for leaves' own data.

    ``then``: what is done to each result before it is read. ``run``: how a rule's function is called.
    Raises ChangedData if a leaf that is not known was changed since it was read.
    """
    results = dict(known)
    for entry in operations:
        if entry[RULE].forgets:
            raise NoRule(
                f"{entry[RULE].name} keeps only what backward needs, so it cannot be run again from the tape: "
                "no derivative(), hessian() or program through it. ts.grad and ts.hvp differentiate it again."
            )
        for leaf in entry[FIRST_PARENT::2]:
            if leaf[RULE] is None and id(leaf) not in results:
                if leaf[ORDER] > entry[ORDER] or (leaf[ARGS] and leaf[ARGS].was_changed()):
                    raise ChangedData(f"The data of {called(leaf)} was changed after {entry[RULE].name} read it.")
                results[id(leaf)] = leaf_data(leaf)
        result = run(entry[RULE], operands(entry, results), entry[KWARGS] or {})
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
