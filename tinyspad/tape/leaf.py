"""What may be done to a leaf from outside the tape, by name: give it data unlooked at, say it changed, read its gradient."""

from __future__ import annotations

from typing import Any

from .entry import ARGS, GRAD, LEAF_DATA, ORDER, tick
from .value import Value


def give(leaf: Value, data: Any) -> None:
    """Let a leaf hold this very object, which is not copied and may be no number at all: a view of a buffer, a formula."""
    leaf._data = leaf._node[LEAF_DATA] = data
    leaf._node[ARGS] = None


def touch(leaf: Value) -> None:
    """Say that a leaf's data was changed: whoever read it before is out of date."""
    leaf._node[ORDER] = tick()


def is_lent(leaf: Value) -> bool:
    """Whether somebody was shown a leaf's array, and may write into it."""
    return leaf._node[ARGS] is not None


def raw_gradient(value: Value) -> Any:
    """The gradient as the tape keeps it: 0.0 where none has arrived, and rows of an array where only those have."""
    return value._node[GRAD]


def put_back(value: Value, gradient: Any) -> None:
    """Restore what ``raw_gradient`` gave."""
    value._node[GRAD] = gradient
