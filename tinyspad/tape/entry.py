"""The tape: a chain of entries, one per operation, each pointing at the entries it read; and the sweep back along it.

An entry holds the local partial derivatives (numbers, arrays, or linear maps) and no data, so an array that only the
forward pass needed is freed as soon as nobody holds its Value. Entries are plain lists, the cheapest record that Python
can build and change:

    [order, adjoint, grad, rule, args, kwargs, name,  parent, partial,  parent, partial, ...]

A leaf has no rule and no parents. Creation order is a topological order, so the sweep sorts instead of recursing.
"""

from __future__ import annotations

import operator
from itertools import count
from threading import Lock
from typing import Any

import numpy as np

from ..errors import ChangedData
from .data import locked

ORDER, ADJOINT, GRAD, RULE, ARGS, KWARGS, NAME, FIRST_PARENT = range(8)
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

_one_pass_at_a_time = Lock()  # adjoints are kept in the entries, and threads may share leaves


def accumulate(root: Entry, seed: Any) -> None:
    """Add the gradient of root to ``grad`` of every entry behind it; root's own adjoint is the seed."""
    with _one_pass_at_a_time:
        _sweep(root, seed)


def _sweep(root: Entry, seed: Any) -> None:
    """One reverse sweep: newest operation first, each adding its share to its parents' adjoints."""
    waiting = object()  # the adjoint of an entry without a share so far; new in every pass, in case one was interrupted
    operations, leaves = _behind(root, waiting)
    _check_unchanged(operations, leaves)
    root[ADJOINT] = seed
    for node in operations:
        if len(node) == TWO_PARENTS:  # by far the most common, so spelled out
            _, adjoint, grad, _, _, _, _, left, partial, right, other = node
            node[ADJOINT] = None
            node[GRAD] = grad + adjoint
            before = left[ADJOINT]
            left[ADJOINT] = adjoint * partial if before is waiting else before + adjoint * partial
            before = right[ADJOINT]
            right[ADJOINT] = adjoint * other if before is waiting else before + adjoint * other
        else:
            adjoint = node[ADJOINT]
            node[ADJOINT] = None
            node[GRAD] = node[GRAD] + adjoint
            for i in range(FIRST_PARENT, len(node), 2):
                parent = node[i]
                before = parent[ADJOINT]
                share = adjoint * node[i + 1]
                parent[ADJOINT] = share if before is waiting else before + share
    for leaf in leaves:
        leaf[GRAD] = leaf[GRAD] + leaf[ADJOINT]
        leaf[ADJOINT] = None


def _behind(root: Entry, mark: object) -> tuple[list[Entry], list[Entry]]:
    """The operations that root was computed from, newest first, and the leaves; the adjoint of each becomes the mark."""
    operations: list[Entry] = []
    leaves, stack = [], [root]
    pop, push, found = stack.pop, stack.append, operations.append
    root[ADJOINT] = mark
    while stack:
        node = pop()
        if node[RULE] is None:
            leaves.append(node)
            continue
        found(node)
        size = len(node)
        parent = node[FIRST_PARENT]
        if parent[ADJOINT] is not mark:
            parent[ADJOINT] = mark
            push(parent)
        if size == TWO_PARENTS:
            parent = node[FIRST_PARENT + 2]
            if parent[ADJOINT] is not mark:
                parent[ADJOINT] = mark
                push(parent)
        elif size > TWO_PARENTS:
            for parent in node[FIRST_PARENT + 2 :: 2]:
                if parent[ADJOINT] is not mark:
                    parent[ADJOINT] = mark
                    push(parent)
    operations.sort(key=operator.itemgetter(ORDER), reverse=True)
    return operations, leaves


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
    """A leaf's array that the user can write into, and the last snapshot of it that an operation read."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.snapshot: np.ndarray[Any, Any] | None = None

    def read(self) -> np.ndarray[Any, Any]:
        self.snapshot = locked(self.array.copy())
        return self.snapshot

    def was_changed(self) -> bool:
        return self.snapshot is not None and not np.array_equal(self.array, self.snapshot, equal_nan=True)


def called(node: Entry) -> str:
    return "a Value" if node[NAME] is None else f'"{node[NAME]}"'
