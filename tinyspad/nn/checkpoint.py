"""Computing again instead of keeping: exact, for one more forward pass through a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..rules import rule
from ..tape import GRAD, Value
from .followed import ALL, Way
from .layers import Layer, Params


def checkpoint(block: Layer, x: Any, way: Way = ALL, params: Params | None = None) -> Any:
    """block(x, way), of which the tape keeps x alone; backward computes the block again, piece by piece, to the same bits.

    The way decides sets and masks by its seeds, so that the second pass follows the same paths and drops the same elements.
    Cost: a forward pass more; memory: x, and in backward what the block itself keeps.

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
    """The gradients of one second pass, until each operand has got its own."""

    def __init__(self, constant: bool) -> None:
        self.constant = constant  # whether x is data, of which no gradient is wanted
        self.adjoint: Any = None
        self.gradients: list[Any] = []


def _recomputed(x: Any, *params: Any, block: Any, names: Any, way: Any, second: Any) -> Any:
    return block.run(x, dict(zip(names, params)), way)


def _again(
    i: int, out: Any, x: Any, *params: Any, block: Any, names: Any, way: Any, second: _Pass
) -> Callable[[Any], Any]:
    def back(g: Any) -> Any:
        if second.adjoint is not g:  # the first operand that this adjoint is sent to
            leaves = [Value(data) for data in params]
            start = x if second.constant else Value(x)
            block.run(start, dict(zip(names, leaves)), way).backward(g)
            second.adjoint = g
            second.gradients = [None if second.constant else start._node[GRAD], *(leaf._node[GRAD] for leaf in leaves)]
        gradient, second.gradients[i] = second.gradients[i], None
        if i == len(params):
            second.adjoint = None
        return gradient

    return back


_recomputed = rule(_recomputed, vjp=_again, indexed=True, domain=[], forgets=True)
