"""backward(): the sweep back along the tape, newest operation first, into the gradients of everything behind the root."""

from __future__ import annotations

import operator
from sys import getrefcount
from threading import RLock
from typing import Any

import numpy as np

from ..errors import ChangedData
from ..rules import Rows
from .choices import chooses, guarded_partials
from .entry import (
    ADJOINT,
    ARGS,
    FIRST_PARENT,
    GRAD,
    LEAF_DATA,
    ORDER,
    OWNER,
    RULE,
    TWO_PARENTS,
    Entry,
    behind,
    called,
    parents,
    partials,
)

_one_thread_at_a_time = RLock()  # adjoints are kept in the entries, and threads may share leaves


def accumulate(root: Entry, seed: Any) -> None:
    """Add the gradient of root to ``grad`` of every entry behind it; root's own adjoint is the seed."""
    with _one_thread_at_a_time:
        waiting = object()  # the adjoint of an entry without a share so far, new in every pass
        operations, leaves, outer = _behind(root, waiting)
        try:
            _check_unchanged(operations, leaves)
            root[ADJOINT], before = seed, list(map(_grad, operations))
            _sweep(operations, waiting)
            if any(map(_may_be_lost, leaves)) and chooses(*operations) and any(map(_is_lost, leaves)):
                for node, grad in zip(operations, before):
                    node[ADJOINT], node[GRAD] = waiting, grad
                for leaf in leaves:
                    leaf[ADJOINT] = waiting
                root[ADJOINT] = seed
                _sweep_carefully(operations, root, waiting)
            _deliver(leaves, waiting)
        finally:
            for node, adjoint in outer:
                node[ADJOINT] = adjoint


_grad = operator.itemgetter(GRAD)


def _may_be_lost(leaf: Entry) -> bool:
    adjoint = leaf[ADJOINT]
    return adjoint.__class__ is not float or adjoint != adjoint


def _is_lost(leaf: Entry) -> bool:
    """Whether NaN has come here, perhaps along a branch that was not taken."""
    adjoint = leaf[ADJOINT]
    return bool(np.isnan(adjoint.values if isinstance(adjoint, Rows) else adjoint).any())


def _references() -> int:
    """What getrefcount says of an array that a local name has, and nothing else."""
    try:
        array = np.zeros(1)
        return getrefcount(array)
    except Exception:  # another Python, which does not count
        return -1


ALONE = _references()


def _sweep(operations: list[Entry], waiting: object) -> None:
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


def _sweep_carefully(operations: list[Entry], root: Entry, waiting: object) -> None:
    """The same, with nothing along what is not taken."""
    weights = guarded_partials(operations, [root])
    for node in operations:
        adjoint, node[ADJOINT], owner = node[ADJOINT], None, node[OWNER]
        if adjoint is waiting:
            continue
        if owner is None or owner() is not None:
            node[GRAD] = node[GRAD] + adjoint
        for parent, weight in zip(parents(node), weights.get(id(node)) or partials(node)):
            before, share = parent[ADJOINT], adjoint * weight
            parent[ADJOINT] = share if before is waiting else before + share


def _deliver(leaves: list[Entry], waiting: object) -> None:
    """Add to the leaves' gradients what has come to them."""
    for leaf in leaves:
        adjoint, leaf[ADJOINT], grad = leaf[ADJOINT], None, leaf[GRAD]
        if adjoint is waiting:
            continue
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


def slopes(root: Entry, leaves: list[Entry]) -> list[float] | None:
    """The derivatives of a float64 number by others, from the tape as it is, which nothing is written into.

    None where there is anything but such numbers, or an operation that leaves something out, or NaN. Contributions are added
    in the order in which they are read, as a sweep over the graph adds them: bit for bit the same.
    """
    shares: dict[int, list[float]] = {id(root): [1.0]}
    for entry in reversed(behind(root)):
        if entry[RULE].chooses:
            return None
        adjoint = _added(shares.pop(id(entry)))
        for i in range(len(entry) - 2, FIRST_PARENT - 1, -2):
            partial = entry[i + 1]
            if partial.__class__ is not float:
                return None
            shares.setdefault(id(entry[i]), []).append(adjoint * partial)
    found = [_added(shares[id(leaf)]) if id(leaf) in shares else 0.0 for leaf in leaves]
    return None if any(slope != slope for slope in found) else found  # NaN may be behind a mask


def _added(shares: list[float]) -> float:
    total = shares[-1]
    for share in shares[-2::-1]:
        total = total + share
    return total
