"""Running a function on Values of its own, and what must not leave it as a plain number.

While a function runs, its parameters' leaves are open. What depends on an open leaf is foreign to every other recording: a
derivative taken there would be a number that has forgotten how it varies with that leaf. A free leaf is a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import DroppedGradient
from .entry import FIRST_PARENT, RULE, Entry, called
from .replay import behind

_open: set[int] = set()
"""The leaves, by id, on which functions are being run. Recordings are told apart by their leaves, in all threads."""


def run_on(f: Callable[..., Any], values: Iterable[Any]) -> Any:
    """f on Values of its own; meanwhile they are foreign to every recording but this one.

    An array that f writes a Value into asks for a plain number, and NumPy hides our refusal behind an error of its own;
    here it comes out again, with what to write instead.
    """
    values = tuple(values)
    mine = [id(value._node) for value in values]
    _open.update(mine)
    try:
        return f(*values)
    except ValueError as problem:
        if isinstance(problem.__cause__, DroppedGradient) and str(problem).startswith("setting an array element"):
            raise DroppedGradient(
                "Writing a Value into an array (out[i] = x, out.fill(x), np.fromiter) would turn it into a plain number and "
                "drop its gradient. Collect the Values in a list, and join them: np.stack([...])."
            ).at(problem) from None
        raise
    finally:
        _open.difference_update(mine)


def refuse_foreign(given: Any, what: str) -> None:
    """Raise DroppedGradient if this is a Value that depends on a leaf of a function that is still running."""
    node: Entry | None = getattr(given, "_node", None) if _open else None
    leaf = None if node is None else _open_leaf(node)
    if leaf is not None:
        name = called(leaf)
        raise DroppedGradient(
            f"{what} depends on {name}, whose own function is still being recorded: what comes out would be a plain number, "
            f"and how it varies with {name} would be lost. If {name} is a constant here, use its .data."
        )


def _open_leaf(root: Entry) -> Entry | None:
    if id(root) in _open:
        return root
    for entry in behind(root):
        for parent in entry[FIRST_PARENT::2]:
            if parent[RULE] is None and id(parent) in _open:
                return parent  # type: ignore[no-any-return]
    return None
