"""How much an answer keeps for backward, and whether it keeps it where one can see it."""

from __future__ import annotations

import copy
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np


def is_plain(kept: Any) -> bool:
    """Whether it is made of arrays and numbers alone: what is in other things, such as functions, cannot be measured."""
    if isinstance(kept, (tuple, list)):
        return all(map(is_plain, kept))
    return (
        kept is None
        or isinstance(kept, (bool, int, float, np.generic, bytes, bytearray))
        or (isinstance(kept, np.ndarray) and kept.dtype != object)
    )


def arrays_in(kept: Any) -> list[Any]:
    """The arrays in it."""
    if isinstance(kept, np.ndarray):
        return [kept]
    return [a for part in kept for a in arrays_in(part)] if isinstance(kept, (tuple, list)) else []


def bytes_kept(kept: Any) -> int:
    """The bytes that are alive through it: of a view the whole array's; of a number 8, of an integer its bits."""
    seen: set[int] = set()
    total = _of_numbers(kept)
    for array in arrays_in(kept):
        while isinstance(array.base, np.ndarray):
            array = array.base
        if id(array) not in seen:
            seen.add(id(array))
            total += array.nbytes
    return total


def _of_numbers(kept: Any) -> int:
    if isinstance(kept, (tuple, list)):
        return sum(map(_of_numbers, kept))
    if isinstance(kept, (bytes, bytearray)):
        return len(kept)
    if isinstance(kept, int):
        return max(8, -(-int(kept).bit_length() // 8))
    return 8 * isinstance(kept, (float, np.generic))


def alive_elsewhere(forward: Callable[[Any], Any], x: Any, returned: Callable[[Any], int]) -> int:
    """By how many bytes the memory in use grows with ``forward(x)``, beyond what it ``returned``; 0 if traced already."""
    if tracemalloc.is_tracing():
        return 0
    tracemalloc.start()
    try:
        forward(-x)  # what is made once, at the first call
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        result = forward(x)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before - returned(result)
    finally:
        tracemalloc.stop()


def taken_along(kept: Any) -> Any:
    """What is left of it on the way to backward: its content alone, not which object it is."""
    return copy.deepcopy(kept)
