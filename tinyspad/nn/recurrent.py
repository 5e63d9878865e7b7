"""A recurrent layer, whose steps hold more than anything else in RAD's comparison of memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import generator
from ..errors import BadInput
from ..tape import Value
from . import functional as F
from .followed import Way
from .layers import Flatten, Layer, Linear, Params, Sequential, check_sizes


class Recurrent(Layer):
    """h <- relu(h W + x U + biases), once for each of a sequence of inputs, from h = 0; the last h.

    Takes (B, steps, inputs), or (B, steps) where an input is one number. W (hidden, hidden) starts as the identity, U
    (inputs, hidden) near zero (normal, 0.001): the IRNN of Le, Jaitly and Hinton 2015. Each step draws a set of its own. In
    backward the steps hold steps x batch x hidden numbers, or those of them that are followed, and one bit for each.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> layer = nn.Recurrent(1, 3, rng=0)
    >>> layer(np.ones((2, 5))).shape, list(layer.params)
    ((2, 3), ['inputs.weight', 'inputs.bias', 'hidden.weight', 'hidden.bias'])
    """

    def __init__(self, inputs: int, hidden: int, *, rng: Any = None, dtype: Any = np.float32) -> None:
        super().__init__()
        check_sizes("Recurrent", dtype, inputs=inputs, hidden=hidden)
        self.inputs, self.hidden = inputs, hidden
        self.own("inputs.weight", generator(rng).normal(0, 0.001, (inputs, hidden)).astype(dtype))
        self.own("inputs.bias", np.zeros(hidden, dtype))
        self.own("hidden.weight", np.eye(hidden, dtype=dtype))
        self.own("hidden.bias", np.zeros(hidden, dtype))

    def run(self, x: Any, params: Params, way: Way) -> Any:
        self.out_shape(np.shape(x)[1:])
        name = ".".join(map(str, way.place)) or None
        h: Any = np.zeros((np.shape(x)[0], self.hidden), np.result_type(np.float32, x.dtype))
        for t in range(np.shape(x)[1]):
            now = x[:, t] if np.ndim(x) > 2 else x[:, t : t + 1]
            here = way.at(t)
            made = [F.linear(h, params["hidden.weight"], params["hidden.bias"], followed=here.at(0).inputs(h))]
            made += [F.linear(now, params["inputs.weight"], params["inputs.bias"], followed=here.at(1).inputs(now))]
            made += [made[0] + made[1]]
            h = F.relu(made[2])
            for value in (*made, h):
                if isinstance(value, Value):
                    value.name = name  # what it holds is counted as the layer's
        return h

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape != (*shape[:1], self.inputs) and not (len(shape) == self.inputs == 1):
            raise BadInput(f"{self!r} takes sequences (steps, {self.inputs}) of an example, not {shape}.")
        return (self.hidden,)

    def __repr__(self) -> str:
        return f"Recurrent({self.inputs}, {self.hidden})"


def small_irnn(*, hidden: int = 100, classes: int = 10, rng: Any = None, dtype: Any = np.float32) -> Sequential:
    """The IRNN of RAD's Table 1: images pixel by pixel, 784 steps for 28 x 28 of them, and a linear layer at the end.

    >>> from tinyspad import nn
    >>> nn.small_irnn(rng=0)
    Sequential(Flatten(), Recurrent(1, 100), Linear(100, 10))
    """
    rng = generator(rng)
    last = Linear(hidden, classes, rng=rng, dtype=dtype)
    last.own("weight", rng.normal(0, 0.001, (hidden, classes)).astype(dtype))
    last.own("bias", np.zeros(classes, dtype))
    return Sequential(Flatten(), Recurrent(1, hidden, rng=rng, dtype=dtype), last)
