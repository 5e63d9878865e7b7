"""The tape: a chain of entries, one per operation, each pointing at the entries it read; and the sweep back along it.

An entry holds the local partial derivatives (numbers, arrays, or linear maps) and no result, so an array that only the
forward pass needed is freed as soon as nobody holds its Value. Entries are plain lists, the cheapest record that Python
can build and change:

    [order, adjoint, grad, rule, args, kwargs, name, owner,  parent, partial,  parent, partial, ...]

A leaf has no rule and no parents; in place of kwargs it has its data, which operations are replayed from. The owner is a
weak reference to the Value of an array: a gradient that nobody could look at is not kept. Creation order is a
topological order, so the sweep sorts instead of recursing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import count
from sys import getrefcount
from threading import RLock
from typing import Any

import numpy as np

from ..errors import ChangedData, NoRule
from ..rules import Rows
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

_one_thread_at_a_time = RLock()  # adjoints are kept in the entries, and threads may share leaves


def accumulate(root: Entry, seed: Any) -> None:
    """Add the gradient of root to ``grad`` of every entry behind it; root's own adjoint is the seed."""
    with _one_thread_at_a_time:
        waiting = object()  # the adjoint of an entry without a share so far, new in every pass
        operations, leaves, outer = _behind(root, waiting)
        try:
            _check_unchanged(operations, leaves)
            root[ADJOINT] = seed
            _sweep(operations, leaves, waiting)
        finally:
            for node, adjoint in outer:
                node[ADJOINT] = adjoint


def _references() -> int:
    """What getrefcount says of an array that a local name has, and nothing else."""
    try:
        array = np.zeros(1)
        return getrefcount(array)
    except Exception:  # another Python, which does not count
        return -1


ALONE = _references()


def _sweep(operations: list[Entry], leaves: list[Entry], waiting: object) -> None:
    """Newest operation first, each adding its share to its parents' adjoints."""
    for node in operations:
        if len(node) == TWO_PARENTS:  # by far the most common, so spelled out
            _, adjoint, grad, _, _, _, _, owner, left, partial, right, other = node
            node[ADJOINT] = None
            if owner is None or owner() is not None:
                node[GRAD] = grad + adjoint
            before = left[ADJOINT]
            left[ADJOINT] = adjoint * partial if before is waiting else before + adjoint * partial
            before = right[ADJOINT]
            right[ADJOINT] = adjoint * other if before is waiting else before + adjoint * other
        else:
            adjoint, owner = node[ADJOINT], node[OWNER]
            node[ADJOINT] = None
            if owner is None or owner() is not None:
                node[GRAD] = node[GRAD] + adjoint
            for i in range(FIRST_PARENT, len(node), 2):
                parent = node[i]
                before = parent[ADJOINT]
                share = adjoint * node[i + 1]
                parent[ADJOINT] = share if before is waiting else before + share
    for leaf in leaves:
        adjoint, leaf[ADJOINT], grad = leaf[ADJOINT], None, leaf[GRAD]
        if leaf[LEAF_DATA].__class__ is not float:
            adjoint = _in_precision(adjoint, leaf[LEAF_DATA].dtype)
        fresh = grad.__class__ is float and grad == 0.0 and adjoint.__class__ is np.ndarray
        if fresh and getrefcount(adjoint) == ALONE and adjoint.flags.owndata and adjoint.flags.writeable:
            leaf[GRAD] = adjoint  # nobody else has it: no copy is needed
        else:
            leaf[GRAD] = grad + adjoint


def _in_precision(adjoint: Any, dtype: np.dtype[Any]) -> Any:
    """The adjoint of a leaf of this precision, which float64 constants beside it must not widen."""
    if adjoint.__class__ is Rows or getattr(adjoint, "dtype", None) == dtype:
        return adjoint
    return adjoint.astype(dtype) if isinstance(adjoint, np.ndarray) else dtype.type(adjoint)


def _behind(root: Entry, mark: object) -> tuple[list[Entry], list[Entry], list[tuple[Entry, Any]]]:
    """The operations that root was computed from, newest first, and the leaves; the adjoint of each becomes the mark.

    Third, the entries that had an adjoint already, with it: they take part in a pass that this one was called from (a vjp
    may call backward), or in one that was interrupted.
    """
    operations: list[Entry] = []
    leaves: list[Entry] = []
    outer: list[tuple[Entry, Any]] = []
    stack: list[Entry] = []
    pop, push, found = stack.pop, stack.append, operations.append

    def enter(node: Entry) -> None:
        if node[ADJOINT] is not None:
            outer.append((node, node[ADJOINT]))
        node[ADJOINT] = mark
        push(node)

    enter(root)
    while stack:
        node = pop()
        if node[RULE] is None:
            leaves.append(node)
            continue
        found(node)
        parent = node[FIRST_PARENT]
        if parent[ADJOINT] is None:  # the common case, spelled out for speed
            parent[ADJOINT] = mark
            push(parent)
        elif parent[ADJOINT] is not mark:
            enter(parent)
        if len(node) == TWO_PARENTS:
            parent = node[FIRST_PARENT + 2]
            if parent[ADJOINT] is None:
                parent[ADJOINT] = mark
                push(parent)
            elif parent[ADJOINT] is not mark:
                enter(parent)
        else:
            for parent in node[FIRST_PARENT + 2 :: 2]:
                if parent[ADJOINT] is not mark:
                    enter(parent)
    operations.sort(key=operator.itemgetter(ORDER), reverse=True)
    return operations, leaves, outer


def _check_unchanged(operations: list[Entry], leaves: list[Entry]) -> None:
    """Raise ChangedData if a leaf was replaced, or its array written into, after an operation read it."""
    oldest = operations[-1][ORDER] if operations else 0
    late = any(leaf[ORDER] > oldest for leaf in leaves)
    lent = any(leaf[ARGS] is not None for leaf in leaves)
    if not late and not lent:
        return
    for node in operations:
        for leaf in node[FIRST_PARENT::2]:
            if leaf[RULE] is None and (leaf[ORDER] > node[ORDER] or (leaf[ARGS] and leaf[ARGS].was_changed())):
                raise ChangedData(
                    f"backward: the data of {called(leaf)} was changed after {node[RULE].name} read it, so the gradient "
                    "would belong to another point. Run the forward pass again, then backward()."
                )


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
                "no second derivatives or programs through it."
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
