"""Functions run inside functions: what depends on one that is still being recorded is foreign to every other recording.

While a function runs, its parameters' leaves are open. A derivative taken then of what depends on an open leaf would be a
number that has forgotten how it varies with that leaf: it is refused, or (``ts.grad``) taken one recording deeper, where the
data are Values of the recording outside. A free leaf is a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import get_ident
from typing import Any

from ..errors import DroppedGradient
from .entry import FIRST_PARENT, RULE, Entry, called
from .record import depth_of

_open: dict[int, tuple[int, int]] = {}
"""The leaves, by id, on which functions are being run, with their depth and the thread. Recordings are told apart by their
leaves, in all threads."""


def run_on(f: Callable[..., Any], values: Iterable[Any]) -> Any:
    """f on Values of its own; meanwhile they are foreign to every recording but this one.

    An array that f writes a Value into asks for a plain number, and NumPy hides our refusal behind an error of its own;
    here it comes out again, with what to write instead.
    """
    values = tuple(values)
    mine = {id(value._node): (depth_of(value), get_ident()) for value in values}
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
        for leaf in mine:
            _open.pop(leaf, None)


def deepest(given: Iterable[Any], everywhere: bool = False) -> int:
    """The depth of the deepest recording that is open in this thread, or everywhere, or that these arguments are of."""
    here = get_ident()
    return max(
        [*(d for d, thread in _open.copy().values() if everywhere or thread == here), *map(depth_of, given)], default=0
    )


def refuse_foreign(given: Any, what: str) -> None:
    """Raise DroppedGradient if this is a Value that depends on a leaf of a function that is still running."""
    leaf = open_leaf(given)
    if leaf is not None:
        name = called(leaf)
        raise DroppedGradient(
            f"{what} depends on {name}, whose own function is still being recorded: what comes out would be a plain number, "
            f"and how it varies with {name} would be lost. ts.grad, ts.value_and_grad and ts.hvp keep it, to any depth; if "
            f"{name} is a constant here, use its .data."
        )


def open_leaf(given: Any, depth: int = 0) -> Entry | None:
    """A leaf of a function that is still running, of this depth or deeper, on which this depends; None if there is none."""
    while _open and depth_of(given) >= max(depth, 1):
        found = _open_behind(given._node)
        if found is not None:
            return found
        given = given._data
    return None


def _open_behind(root: Entry) -> Entry | None:
    seen, stack = {id(root)}, [root]
    while stack:
        entry = stack.pop()
        if entry[RULE] is None:
            if id(entry) in _open:
                return entry
            continue
        for parent in entry[FIRST_PARENT::2]:
            if id(parent) not in seen:
                seen.add(id(parent))
                stack.append(parent)
    return None
