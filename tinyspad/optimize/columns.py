"""Data as columns: the arrays of observations, and how a batch of them is put together again for the loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arguments import Array, Data
from ..errors import BadInput
from ..tape import locked, refuse_foreign

Pack = Callable[[list[Data]], Data]


def columns_of(data: Data) -> tuple[list[Array], Pack]:
    """The arrays of data, and what puts as many together as they were given: an array, a tuple, or a named tuple."""
    several = isinstance(data, tuple)
    columns = []
    if isinstance(data, list) and data and all(np.ndim(column) for column in data):
        raise BadInput("data= of several columns is a tuple of arrays, not a list: (x, y).")
    for column in data if several else (data,):
        refuse_foreign(column, "data=")
        try:
            if isinstance(column, np.ma.MaskedArray):
                raise TypeError("a masked array: leave out the rows that are masked")
            array = np.asarray(column)
            if array.dtype.kind not in "fiub":
                raise TypeError(f"a {type(column).__name__}, as an array of {array.dtype}")
        except (TypeError, ValueError) as problem:
            raise BadInput(
                f"data= is an array of numbers, or a tuple of them, one row per observation ({problem})."
            ) from None
        columns.append(locked(array.copy()))
    if not columns or any(c.ndim == 0 or not c.size for c in columns) or len({len(c) for c in columns}) > 1:
        shapes = ", ".join(str(c.shape) for c in columns) or "none"
        raise BadInput(
            f"data= is an array of observations, or a tuple of arrays of one length; the shapes are {shapes}."
        )
    if not several:
        return columns, lambda listed: listed[0]
    if hasattr(data, "_fields"):
        return columns, lambda listed: type(data)(*listed)
    return columns, tuple
