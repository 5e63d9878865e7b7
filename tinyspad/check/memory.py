"""How much an answer keeps for backward, and whether it keeps it where one can see it."""

from __future__ import annotations

import copy
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


def taken_along(kept: Any) -> Any:
    """What is left of it on the way to backward: its content alone, not which object it is."""
    return copy.deepcopy(kept)
