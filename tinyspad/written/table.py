"""NumPy functions that are written in other functions, which have rules: tracing goes through them.

So their paths are those of what is written there. Each has NumPy's own parameters, and the example calls by which it is
tested, as a rule has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import PLAIN, asking


class Written(NamedTuple):
    """What a function is written as, and example calls."""

    instead: Callable[..., Data]
    domain: Sequence[tuple[Data, ...]]


WRITTEN: dict[Callable[..., Data], Written] = {}
"""NumPy function -> what stands for it where an argument is a Value."""


def written(name: str, instead: Callable[..., Data], domain: Sequence[tuple[Data, ...]]) -> None:
    """Enter a function of NumPy's, ``linalg`` and all; nothing where this NumPy has none of that name."""
    function: Any = np
    for part in name.split("."):
        function = getattr(function, part, None)
    if function is not None and function is not instead:  # in an older NumPy two names may be one function
        WRITTEN[function] = Written(instead, domain)


def axes_of(a: Data, axis: Any) -> tuple[int, ...]:
    """The axes that are meant, each from 0 on."""
    given = range(np.ndim(a)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(i % np.ndim(a) for i in given)


def along(a: Data, axis: int, part: Any) -> Data:
    """a[..., part, ...] along an axis."""
    return a[(slice(None),) * (axis % np.ndim(a)) + (part,)]


def positions(x: Any, whose: str) -> Any:
    """An argument that says where. Raises NoRule for one that is recorded."""
    if not isinstance(x, (int, np.integer, slice, list, tuple, np.ndarray)):
        raise NoRule(f"{whose}: positions have no derivative. Write int(i.data), or i.data.astype(int), for i.")
    return x


def asked(function: Callable[..., Data]) -> Callable[..., Data]:
    """A function that sees the data alone."""
    function = asking(function)
    PLAIN.add(function)
    return function


def as_array(a: Data) -> Data:
    """A list as an array."""
    return a if hasattr(a, "shape") or np.isscalar(a) else np.asarray(a)
