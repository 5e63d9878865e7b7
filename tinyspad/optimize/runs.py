"""Positions of one run or many: how they move, and which runs stay where they met NaN or infinity."""

from __future__ import annotations

import math

import numpy as np

from ..arguments import Data, State
from ..errors import BadInput
from ..estimators import ALL_PATHS
from ..optimizers import Optimizer
from .contracts import Position
from .result import NON_FINITE
from .settings import says


class Runs:
    """Which of the runs go on, and when the others ended. ``shape``: () for one run, (R,) for R side by side."""

    def __init__(self, names: list[str], position: Position, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.alive, self.ended = np.ones(shape, bool), np.zeros(shape, np.int64)
        self._all = True
        for name, x in zip(names, position):
            if shape and np.shape(x) != shape:
                raise BadInput(
                    f'"{name}" has shape {np.shape(x)}, and there are {shape} runs: give it an array of that shape.'
                )

    @property
    def left(self) -> bool:
        """Whether some run goes on."""
        return self._all or bool(np.any(self.alive))

    def check_shape(self, shape: tuple[int, ...], step: int) -> None:
        """Raise BadInput if there are more runs than before, or fewer."""
        if shape != self.shape:
            raise BadInput(f"f gave shape {shape} at step {step}, and {self.shape} before: runs cannot come and go.")

    def leave_unless(self, value: Data, step: int) -> None:
        """At this step runs end whose value is not finite."""
        if not (self._all and _finite(value)):
            self._leave(np.isfinite(np.reshape(value, self.shape)), step)

    def stay_unless_finite(
        self, moved: Position, position: Position, followed: dict[str, Data], step: int
    ) -> tuple[Position, dict[str, Data]]:
        """Where runs get to, and by which paths: those that have ended, or would get nowhere finite, stay."""
        if self._all and _finite(moved):
            return moved, followed
        finite = [np.isfinite(x) if self.shape else np.all(np.isfinite(x)) for x in moved]
        self._leave(np.logical_and.reduce(finite), step)
        followed = {name: np.where(self.alive, index, ALL_PATHS) for name, index in followed.items()}
        if not self.shape:
            return (moved if self._all else position), followed
        kept = [np.where(self.alive, new, old) for new, old in zip(moved, position)]
        return (np.array(kept) if isinstance(moved, np.ndarray) else kept), followed

    def _leave(self, finite: Data, step: int) -> None:
        left = self.alive & finite
        self.ended = np.where(self.alive & ~left, step, self.ended)
        self.alive, self._all = left, bool(np.all(left))

    def status(self, ending: str) -> Data:
        """How each run ended: so, or "non-finite"."""
        status = np.where(self.alive, ending, NON_FINITE)
        return status if self.shape else str(status)

    def steps(self, last: int) -> Data:
        """How many steps each run took."""
        taken = np.where(self.alive, last, self.ended)
        return taken if self.shape else int(taken)


def rows_of(position: Position, optimizer: Optimizer, shape: tuple[int, ...]) -> Position:
    """As rows of one array where the optimizer treats every number by itself: one call of NumPy serves all parameters."""
    together = shape and says(optimizer, "elementwise", "init", "update")
    return np.array(position) if together and all(x.dtype == np.float64 for x in position) else position


def first_moments(optimizer: Optimizer, position: Position) -> list[State]:
    """The optimizer's state before the first step: of each parameter, or of all rows."""
    return [optimizer.init(x) for x in ([position] if isinstance(position, np.ndarray) else position)]


def moved_by(
    optimizer: Optimizer, position: Position, gradients: list[Data], moments: list[State]
) -> tuple[Position, list[State]]:
    """The position after one step of the optimizer, and its next state."""
    if isinstance(position, np.ndarray):
        rows = np.empty_like(position)
        for i, gradient in enumerate(gradients):
            rows[i] = gradient
        step, state = optimizer.update(rows, moments[0])
        return position + step, [state]
    steps = [optimizer.update(gradient, moment) for gradient, moment in zip(gradients, moments)]
    return [x + s for x, (s, _) in zip(position, steps)], [moment for _, moment in steps]


def _finite(x: Data) -> bool:
    """Whether all of it is finite, for which its sum of squares is asked: where that overflows, it says no."""
    if isinstance(x, np.ndarray):
        flat = x.ravel()
        return math.isfinite(flat.dot(flat))
    return all(map(_finite, x)) if isinstance(x, list) else math.isfinite(x)
