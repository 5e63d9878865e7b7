"""The methods of arrays that a Value has, NumPy's functions of these names; and for those it has not, what to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import BadInput, DroppedGradient, NotOffered
from ..rules import cast
from .dispatch import dispatch
from .operators import method
from .record import Operand, innermost

INSTEAD = {
    "sort": "np.sort(x), which gives a new array",
    "partition": "np.partition(x, kth), which gives a new array",
    "fill": "x * 0 + number, or a new Value",
    "put": "np.where, or np.concatenate of the parts",
    "itemset": "np.where, or np.concatenate of the parts",
    "resize": "np.resize(x, shape), which gives a new array",
    "view": ".data.view(...), for plain numbers",
    "tobytes": ".data.tobytes()",
    "tofile": ".data.tofile(...)",
    "dump": ".data.dump(...)",
    "byteswap": ".data.byteswap()",
    "strides": ".data.strides",
    "flags": ".data.flags",
    "base": ".data.base",
    "ctypes": ".data.ctypes",
}
"""What to write for what a Value cannot do, or does not."""


class ArrayMethods(Operand):
    """What a Value takes over from arrays."""

    __slots__ = ()

    exp, log, sqrt, sin, cos, tanh = map(method, (np.exp, np.log, np.sqrt, np.sin, np.cos, np.tanh))
    sum, mean, prod, var, std, cumsum = map(method, (np.sum, np.mean, np.prod, np.var, np.std, np.cumsum))
    max, min, clip, cumprod = map(method, (np.max, np.min, np.clip, np.cumprod))
    ravel, squeeze, dot, copy = map(method, (np.ravel, np.squeeze, np.dot, np.copy))
    swapaxes, take, repeat, trace, diagonal = map(method, (np.swapaxes, np.take, np.repeat, np.trace, np.diagonal))
    round, conj, conjugate = map(method, (np.round, np.conjugate, np.conjugate))
    argmax, argmin, argsort, any, all = map(method, (np.argmax, np.argmin, np.argsort, np.any, np.all))
    argpartition, nonzero, searchsorted = map(method, (np.argpartition, np.nonzero, np.searchsorted))

    def flatten(self, order: str = "C") -> Any:
        """np.ravel(self, order)."""
        return dispatch(np.ravel, (self,), {"order": order})

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """np.reshape(self, shape)."""
        return dispatch(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {"order": order})

    def astype(self, dtype: Any, **options: Any) -> Any:
        """In another precision: of floats to floats, for anything else has no gradient."""
        if np.dtype(dtype).kind != "f":
            raise DroppedGradient(
                f"astype: whole numbers and truth values have no gradient. Use .data.astype({dtype!r:.40})."
            )
        return dispatch(cast, (self, np.dtype(dtype)), {})

    @property
    def real(self) -> Any:
        """Itself: the data are real numbers."""
        return self

    @property
    def imag(self) -> Any:
        """Zeros of this shape."""
        return np.zeros(np.shape(innermost(self)))[()]

    @property
    def mT(self) -> Any:
        """The matrix transpose: the last two axes swapped."""
        return dispatch(np.swapaxes, (self, -1, -2), {})

    @property
    def flat(self) -> Iterator[Any]:
        """Its numbers, one after the other."""
        return iter(dispatch(np.ravel, (self,), {}))

    def item(self, *place: Any) -> Any:
        """One number, which stays a Value; ``.data.item()`` is the plain one."""
        if not place and np.size(innermost(self)) != 1:
            raise BadInput(f"item: there are {np.size(innermost(self))} numbers; say which.")
        flat: Any = self if len(place) > 1 else dispatch(np.ravel, (self,), {})
        return flat[place if len(place) > 1 else place[0] if place else 0]

    def tolist(self) -> Any:
        """Its numbers as Values, in nested lists as the array's axes are."""
        parts: Any = self
        return [part.tolist() for part in parts] if np.ndim(innermost(self)) else self

    def transpose(self, *axes: Any) -> Any:
        """np.transpose(self, axes)."""
        return dispatch(np.transpose, (self, axes[0] if len(axes) == 1 else axes or None), {})

    @property
    def T(self) -> Any:
        """The transpose."""
        return dispatch(np.transpose, (self,), {})


def _not_offered(name: str) -> property:
    """What arrays have and Values do not. (A ``__getattr__`` would make every other attribute slower.)"""
    told = INSTEAD.get(name, f"np.{name}(...), if it has a rule, or .data.{name} for plain numbers")

    def refuse(self: Operand) -> Any:
        raise NotOffered(f"A Value has no .{name}, as arrays have. Write {told}.")

    return property(refuse)


for _name in dir(np.ndarray):
    if not _name.startswith("_") and not hasattr(ArrayMethods, _name):
        setattr(ArrayMethods, _name, _not_offered(_name))
