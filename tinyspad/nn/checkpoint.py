"""Computing again instead of keeping: exact, for one more forward pass through a block."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ChangedData, DroppedGradient, NoRule
from ..rules import rule
from ..tape import Value, raw_gradient
from .followed import ALL, Way
from .layers import Layer, Params


def checkpoint(block: Layer, x: Any, way: Way = ALL, params: Params | None = None) -> Any:
    """block(x, way), of which the tape keeps x alone; backward computes the block again, piece by piece, to the same bits.

    The way decides sets and masks by its seeds, so that the second pass follows the same paths and drops the same elements.
    Whatever else a block draws or refers to has to be the same in both passes: backward compares what they give, and raises
    ChangedData if it differs (NaN is equal to NaN). Raises DroppedGradient for a block that reads a Value beside x and
    ``params``. Cost: a forward pass more, and two checksums of the output; memory: x, and in backward what the block keeps.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> block = nn.Sequential(nn.Linear(3, 50, rng=0), nn.ReLU(), nn.Linear(50, 2, rng=1))
    >>> out = nn.checkpoint(block, np.ones((4, 3), np.float32))
    >>> sum(nn.saved_bytes(np.sum(out)).values())     # x: 4 examples of 3 numbers of 4 bytes
    48
    """
    params = block.params if params is None else params
    second = _Pass(not isinstance(x, Value))
    return _recomputed(x, *params.values(), block=block, names=tuple(params), way=way, second=second)


class Checkpoint(Layer):
    """A layer that keeps nothing but its input and computes the block in it again in backward."""

    def __init__(self, block: Layer) -> None:
        super().__init__()
        self.block, self.params = block, block.params

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return checkpoint(self.block, x, way, params)

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.block.out_shape(shape)

    def __repr__(self) -> str:
        return f"Checkpoint({self.block!r})"


class _Pass:
    """What the first pass gave, by its checksum; the gradients of one second pass, until each operand has got its own."""

    def __init__(self, constant: bool) -> None:
        self.constant = constant  # whether x is data, of which no gradient is wanted
        self.gave: Any = None
        self.adjoint: Any = None
        self.gradients: list[Any] = []


def _recomputed(x: Any, *params: Any, block: Any, names: Any, way: Any, second: Any) -> Any:
    return block.run(x, dict(zip(names, params)), way)


def _again(
    i: int, out: Any, x: Any, *params: Any, block: Any, names: Any, way: Any, second: _Pass
) -> Callable[[Any], Any]:
    if any(isinstance(operand, Value) for operand in (x, *params)):
        raise NoRule("checkpoint: what is computed again has no second derivatives. Leave the checkpoint out there.")
    if isinstance(out, Value):
        raise DroppedGradient(
            f"checkpoint: {block!r:.60} reads a Value that is neither x nor one of its params, and backward would not reach "
            "it. Make it a parameter: self.own(name, array), and read it from params."
        )
    if second.gave is None:
        second.gave = _checksum(out)

    def back(g: Any) -> Any:
        if second.adjoint is not g:  # the first operand that this adjoint is sent to
            leaves = [Value(data) for data in params]
            start = x if second.constant else Value(x)
            again = block.run(start, dict(zip(names, leaves)), way)
            result = again._data if isinstance(again, Value) else again
            if not _same(result, second.gave, lambda: block.run(x, dict(zip(names, params)), way)):
                raise ChangedData(
                    f"checkpoint: computed again, {block!r:.60} gave other numbers than in the forward pass; the gradient "
                    "would be that of another function. If it draws from a generator of its own, let it draw by the way it "
                    "is handed (way.mask(shape, rate), or a generator seeded with way.noise and way.place), or draw outside "
                    "and hand in what was drawn. If an array that it reads was changed, run the forward pass again."
                )
            if isinstance(again, Value):
                again.backward(g)
            second.adjoint = g
            second.gradients = [None if second.constant else raw_gradient(start), *map(raw_gradient, leaves)]
        gradient, second.gradients[i] = second.gradients[i], None
        if i == len(params):
            second.adjoint = None
        return gradient

    return back


def _checksum(out: Any) -> tuple[Any, ...]:
    """Shape, dtype and the bits of what a pass gave; all NaN are one."""
    array = np.ascontiguousarray(out)
    with np.errstate(all="ignore"):
        if np.isnan(np.sum(array)):
            array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    return np.shape(out), array.dtype, zlib.crc32(array.data)


def _same(found: Any, gave: tuple[Any, ...], plain_again: Callable[[], Any]) -> bool:
    """Whether a pass over Values gave what the first pass, over plain arrays, did: to the bit, or to rounding.

    A Value may be computed otherwise than a plain array (x**0.5). Then plain arrays give the same bits once more.
    """
    checksum = _checksum(found)
    if checksum == gave:
        return True
    if checksum[:2] != gave[:2] or _checksum(plain := plain_again()) != gave:
        return False
    near = np.sqrt(np.finfo(gave[1]).eps)
    with np.errstate(invalid="ignore"):
        top = np.max(np.abs(plain), where=np.isfinite(plain), initial=0.0)
    return np.allclose(found, plain, rtol=near, atol=near * top, equal_nan=True)


_recomputed = rule(_recomputed, vjp=_again, indexed=True, domain=[], forgets=True)
