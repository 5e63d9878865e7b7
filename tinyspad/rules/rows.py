"""A gradient that is zero except in some of its rows: what a layer gets that followed a few of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np


class Rows:
    """An array of this shape whose rows ``index`` are ``values`` and whose others are zero.

    It stays sparse where it is added to zero or to rows of the same index, and becomes an array wherever else it goes.
    """

    __slots__ = ("index", "shape", "values")
    __array_ufunc__ = None  # array + rows: NumPy steps aside and __radd__ below answers

    def __init__(self, index: np.ndarray[Any, Any], values: np.ndarray[Any, Any], shape: tuple[int, ...]) -> None:
        self.index, self.values, self.shape = index, values, shape

    @property
    def dtype(self) -> Any:
        """That of the values."""
        return self.values.dtype

    def dense(self) -> np.ndarray[Any, Any]:
        """The whole array."""
        out = np.zeros(self.shape, self.dtype)
        out[self.index] = self.values
        return out

    def block(self, low: int, high: int) -> np.ndarray[Any, Any]:
        """Rows low to high of the whole array; ``index`` must be ascending."""
        out = np.zeros((high - low, *self.shape[1:]), self.dtype)
        first, last = np.searchsorted(self.index, (low, high))
        out[self.index[first:last] - low] = self.values[first:last]
        return out

    def __add__(self, other: Any) -> Any:
        if isinstance(other, float) and other == 0.0:
            return self
        if isinstance(other, Rows):
            if np.array_equal(self.index, other.index):
                return Rows(self.index, self.values + other.values, self.shape)
            other = other.dense()
        out = other + np.zeros(self.shape, self.dtype)
        out[self.index] += self.values
        return out

    __radd__ = __add__

    def __mul__(self, other: Any) -> Any:
        return self.dense() * other

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self.dense() if dtype is None else self.dense().astype(dtype)

    def __repr__(self) -> str:
        return f"<{len(self.index)} of {self.shape[0]} rows of an array {self.shape}>"
