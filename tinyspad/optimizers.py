"""Optimizers as values: ``init`` makes a state, ``update`` maps (gradient, state) to (step, new state).

Nothing is kept between calls but the state that is handed in and out, so one optimizer serves any number of runs. A
step is added to the parameter. All operations are elementwise: an array holds independent runs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .arguments import Array, Data, State
from .errors import BadInput

__all__ = ["SGD", "Adam", "Momentum", "Optimizer"]


class Optimizer(Protocol):
    """What ``minimize`` asks of an optimizer.

    One may say ``elementwise = True``: ``init`` and ``update`` treat every number by itself, so that parameters can be
    handed over side by side, as rows of one array. A class that overrides one of them says it anew.

    One may have ``moments = "path"``: each path of a parameter then has a state of its own, and so has the step along all
    paths. ``update`` is handed the states of the paths that were followed; of an array, as arrays, step counts included.
    """

    def init(self, x: Data) -> State:
        """The state before the first step, for a parameter of x's shape."""

    def update(self, gradient: Data, state: State) -> tuple[Data, State]:
        """The step to add to the parameter, and the next state."""


@dataclass(frozen=True)
class SGD:
    """Plain gradient descent: step = -lr * gradient (Robbins & Monro 1951).

    >>> SGD(lr=0.1).update(2.0, ())
    (-0.2, ())
    """

    elementwise = True

    lr: float = 0.01

    def __post_init__(self) -> None:
        _check("SGD", lr=(self.lr, 0, np.inf))

    def init(self, x: Data) -> State:
        return ()

    def update(self, gradient: Data, state: State) -> tuple[Data, State]:
        return -self.lr * gradient, ()


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: v = beta * v + gradient, step = -lr * v (Polyak 1964).

    ``moments``: whether each "parameter" has a v, or each "path" of it; see :class:`Adam`.

    >>> m = Momentum(lr=0.1, beta=0.5)
    >>> step, state = m.update(2.0, m.init(0.0))
    >>> m.update(2.0, state)[0]
    -0.30000000000000004
    """

    elementwise = True

    lr: float = 0.01
    beta: float = 0.9
    moments: str = "parameter"

    def __post_init__(self) -> None:
        _check("Momentum", lr=(self.lr, 0, np.inf), beta=(self.beta, 0, 1))
        check_moments("Momentum", self.moments)

    def init(self, x: Data) -> State:
        return (0.0 * x,)

    def update(self, gradient: Data, state: State) -> tuple[Data, State]:
        velocity = self.beta * state[0] + gradient
        return -self.lr * velocity, (velocity,)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015), with bias correction::

        m = beta1 * m + (1 - beta1) * g        v = beta2 * v + (1 - beta2) * g**2
        step = -lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    The defaults are the SPAD paper's "default values" (Section III-A), whose learning rate of 0.01 is ten times the one
    that Adam's authors propose.

    ``moments``: whether each "parameter" has m, v and t, or each "path" of it, and a step along all paths its own. The
    averages of one state add the contributions of fresh draws up to the gradient again; those of a path are its own. They
    begin anew where the function takes another branch, and so has other paths.

    >>> adam = Adam()
    >>> step, state = adam.update(3.0, adam.init(0.0))
    >>> round(step, 6)   # the first step is lr, whatever the gradient's size
    -0.01

    From x = 5 the gradient leads to 5.47, where the two paths of f1 cancel; a path by itself leads on:

    >>> import tinyspad as ts
    >>> def left(moments):   # the share of 200 runs that leave the trap
    ...     adam = ts.Adam(lr=0.1, moments=moments)
    ...     result = ts.minimize(ts.functions.f1, np.full(200, 5.0), estimator=ts.RAD(), optimizer=adam, rng=0)
    ...     return float(np.mean(result.x < 4.5))
    >>> left("parameter") < 0.4, left("path") > 0.9
    (True, True)
    """

    elementwise = True

    lr: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    moments: str = "parameter"

    def __post_init__(self) -> None:
        check_moments("Adam", self.moments)
        _check(
            "Adam",
            lr=(self.lr, 0, np.inf),
            beta1=(self.beta1, 0, 1),
            beta2=(self.beta2, 0, 1),
            eps=(self.eps, 0, np.inf),
        )

    def init(self, x: Data) -> State:
        return 0.0 * x, 0.0 * x, 0

    def update(self, gradient: Data, state: State) -> tuple[Data, State]:
        m, v, t = state
        t = t + 1
        rate, share = self._corrected(t, m)
        # Each name is a new array before it is changed in place: nothing that was handed in is.
        m = self.beta1 * m
        m += (1 - self.beta1) * gradient
        v = self.beta2 * v
        v += (1 - self.beta2) * (gradient * gradient)
        root = v / share
        root = np.sqrt(root, out=root) if isinstance(root, np.ndarray) else root**0.5
        root += self.eps
        step = m * rate
        step /= root
        return step, (m, v, t)

    def corrections(self, t: int) -> tuple[float, float]:
        """What step t multiplies m by, and divides v by: the bias of averages that begin at 0 is corrected."""
        return -self.lr / (1 - self.beta1**t), 1 - self.beta2**t

    def _corrected(self, t: Data, m: Data) -> Sequence[Data]:
        """The same; for an array of step counts, arrays of m's precision."""
        if not isinstance(t, np.ndarray) or not t.size:
            return self.corrections(t)
        return [row.astype(m.dtype)[t] for row in corrections_until(self, 1 << int(t.max()).bit_length())]


@functools.lru_cache(maxsize=16)
def corrections_until(adam: Adam, steps: int) -> Array:
    """The corrections of all steps below this one, (2, steps): to the bit those that are computed one by one."""
    return np.array([(0.0, 1.0), *map(adam.corrections, range(1, steps))]).T.copy()


def check_moments(optimizer: str, moments: object) -> None:
    """Raises BadInput for what is none of an optimizer's ``moments``."""
    if not isinstance(moments, str) or moments not in ("parameter", "path"):
        raise BadInput(f'{optimizer}: moments= is "parameter" or "path", not {moments!r:.60}.')


def _check(optimizer: str, **values: tuple[float, float, float]) -> None:
    for name, (value, low, high) in values.items():
        if not (isinstance(value, (int, float, np.number)) and low <= value <= high and np.isfinite(value)):
            top = "" if high == np.inf else f" and at most {high}"
            raise BadInput(f"{optimizer}: {name} must be a finite number, at least {low}{top}, not {value!r}.")
        if high == 1 and value == 1:
            raise BadInput(f"{optimizer}: {name} must be below 1, or the average never forgets its start.")
