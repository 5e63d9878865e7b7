"""One step on a parameter, in place: no array of its size is made on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..optimizers import Optimizer
from ..rules import Rows
from ..tape import Value, give, is_lent, touch

BLOCK = 32768
"""How many numbers of a parameter are updated at once: what they need for it stays in the processor's cache."""


def make_private(value: Value) -> None:
    """Let a parameter show an array that nobody else has: its data become a view, which cannot be written into, of a
    copy."""
    view = np.array(value._data).view()
    view.flags.writeable = False
    give(value, view)
    touch(value)


def first_moments(optimizer: Optimizer, array: np.ndarray[Any, Any], frozen: bool = False) -> list[Any]:
    """The optimizer's state for a parameter before the first step; rows that can be frozen count their own steps."""
    state, apart = optimizer.init(np.zeros_like(array)), (len(np.atleast_1d(array)), *(1,) * (array.ndim - 1))
    return [np.full(apart, m) if frozen and not isinstance(m, np.ndarray) else m for m in state]


def update(
    value: Value,
    gradient: Any,
    optimizer: Optimizer,
    moments: list[Any],
    weight_decay: float = 0.0,
    frozen: bool = False,
) -> None:
    """One step of an elementwise optimizer on a parameter, in place, a block of rows after the other.

    ``gradient``: an array, or ``Rows`` of one. ``moments``: the optimizer's state for this parameter, changed in place.
    ``frozen``: rows that ``Rows`` leaves out stay as they are, and so does the state for them; otherwise their gradient is
    0, and what the optimizer remembers moves them on. No array of the parameter's size is made on the way. A tape that read
    the parameter before is out of date.
    """
    if is_lent(value) or value._data.base is None:  # somebody holds its data
        make_private(value)
    array = np.atleast_1d(value._data.base)
    if not isinstance(gradient, Rows) and np.ndim(gradient) == 0:
        gradient = np.atleast_1d(gradient)
    height, after = max(1, BLOCK // max(1, array[0].size)), tuple(moments)
    try:
        for at, g in _parts(gradient, len(array), height, frozen):
            if weight_decay:
                g = g + weight_decay * array[at]
            part = tuple(np.atleast_1d(m)[at] if isinstance(m, np.ndarray) else m for m in moments)
            step, after = optimizer.update(g, part)
            array[at] += step
            for m, new in zip(moments, after):
                if isinstance(m, np.ndarray):
                    np.atleast_1d(m)[at] = new
        moments[:] = [m if isinstance(m, np.ndarray) else new for m, new in zip(moments, after)]
    finally:
        touch(value)


def _parts(gradient: Any, rows: int, height: int, frozen: bool) -> Iterator[tuple[Any, Any]]:
    """Which rows are updated at once, and their gradient."""
    if frozen and isinstance(gradient, Rows):
        for low in range(0, len(gradient.index), height):
            yield gradient.index[low : low + height], gradient.values[low : low + height]
        return
    for low in range(0, rows, height):
        high = min(rows, low + height)
        yield slice(low, high), gradient.block(low, high) if isinstance(gradient, Rows) else gradient[low:high]
