"""What generated code is given, and what it returned, in their form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadInput
from ..tape import Value, refuse_foreign


def as_argument(name: str, a: Any) -> Any:
    """An argument of a program as a float or a float array. Raises BadInput for anything else."""
    refuse_foreign(a, f'The argument "{name}" of the program')
    try:
        array = None if isinstance(a, (Value, np.ma.MaskedArray)) else np.asarray(a)
        if array is not None and array.dtype.kind in "fiub":
            array = array if array.dtype.kind == "f" else array.astype(float)
            return array if array.shape else float(array)
    except ValueError:
        pass
    raise BadInput(f"{name} is a number or an array of numbers, not {a!r:.60}.")


def read_only(x: Any) -> Any:
    """A view of an array that its owner may write through, and nobody else; a number as it is."""
    if x.__class__ is float:
        return x
    view = x.view()
    view.flags.writeable = False
    return view


class Tidy:
    """What code returned, as floats (shape None), or as arrays of a shape that are nobody else's."""

    def __init__(self, shape: tuple[int, ...] | None, args: tuple[Any, ...]) -> None:
        self.shape = shape
        self.seen = set(map(id, args))

    def all(self, kind: str, found: Any) -> Any:
        if kind == "weights":  # these stay inside
            return self.one(found[0]), [float(x) for x in found[1]] if self.shape is None else found[1]
        if kind == "paths":
            return [[self.one(x) for x in listed] for listed in found.values()]
        if found.__class__ is tuple:
            return [self.one(x) for x in found]
        return [self.one(found)]

    def one(self, x: Any) -> Any:
        if self.shape is None:
            return float(x)
        if x.__class__ is not np.ndarray or x.shape != self.shape or x.dtype.kind != "f" or id(x) in self.seen:
            x = np.broadcast_to(np.asarray(x) * 1.0, self.shape).copy()
        self.seen.add(id(x))
        return x
