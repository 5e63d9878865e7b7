"""One step on a parameter, in place: no array of its size is made on the way."""

from __future__ import annotations

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


def update(value: Value, gradient: Any, optimizer: Optimizer, moments: list[Any], weight_decay: float = 0.0) -> None:
    """One step of an elementwise optimizer on a parameter, in place, a block of rows after the other.

    ``gradient``: an array, or ``Rows`` of one. ``moments``: the optimizer's state for this parameter, changed in place. No
    array of the parameter's size is made on the way. A tape that read the parameter before is out of date.
    """
    if is_lent(value) or value._data.base is None:  # somebody holds its data
        make_private(value)
    array = np.atleast_1d(value._data.base)
    if np.ndim(gradient) == 0 and not isinstance(gradient, Rows):
        gradient = np.atleast_1d(gradient)
    height, after = max(1, BLOCK // max(1, array[0].size)), tuple(moments)
    try:
        for low in range(0, len(array), height):
            high = min(len(array), low + height)
            g = gradient.block(low, high) if isinstance(gradient, Rows) else gradient[low:high]
            if weight_decay:
                g = g + weight_decay * array[low:high]
            part = tuple(np.atleast_1d(m)[low:high] if isinstance(m, np.ndarray) else m for m in moments)
            step, after = optimizer.update(g, part)
            array[low:high] += step
            for m, new in zip(moments, after):
                if isinstance(m, np.ndarray):
                    np.atleast_1d(m)[low:high] = new
        moments[:] = [m if isinstance(m, np.ndarray) else new for m, new in zip(moments, after)]
    finally:
        touch(value)
