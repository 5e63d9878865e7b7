"""Positions of one run or many: how they move, and which runs stay where they met NaN or infinity."""

from __future__ import annotations

import math

import numpy as np

from ..arguments import Data
from ..errors import BadInput
from ..estimators import ALL_PATHS
from .contracts import Position
from .result import NON_FINITE


class Runs:
    """Which of the runs go on (``left``: whether some do), and when the others ended.

    ``shape``: () for one run, (R,) for R side by side.
    """

    def __init__(self, names: list[str], position: Position, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.alive, self.since = np.ones(shape, bool), np.zeros(shape, np.int64)
        self.left, self._all = True, True
        for name, x in zip(names, position):
            if shape and np.shape(x)[: len(shape)] != shape:
                raise BadInput(
                    f'"{name}" has shape {np.shape(x)}, and there are {shape} runs: give it an array of that shape.'
                )

    def leave_unless(self, value: Data, step: int) -> None:
        """At this step runs end whose value is not finite."""
        if not (self._all and _finite(value)):
            self._leave(np.isfinite(np.reshape(value, self.shape)), step)

    def stay_unless_finite(self, moved: Position, position: Position, step: int) -> Position:
        """Where runs get to: those that have ended, or would get nowhere finite, stay."""
        if self._all and _finite(moved):
            return moved
        finite = [np.all(np.isfinite(x), axis=tuple(range(len(self.shape), np.ndim(x)))) for x in moved]
        self._leave(np.logical_and.reduce(finite), step)
        if not self.shape:
            return moved if self._all else position
        kept = [np.where(self._alive(new), new, old) for new, old in zip(moved, position)]
        return np.array(kept) if isinstance(moved, np.ndarray) else kept

    def of_those_left(self, index: Data) -> Data:
        """The paths that were followed; none by runs that stay."""
        return index if self._all else np.where(self._alive(index), index, ALL_PATHS)

    def _alive(self, x: Data) -> Data:
        """Which runs go on, beside an array whose first axes are those of the runs."""
        return self.alive.reshape(self.alive.shape + (1,) * (np.ndim(x) - self.alive.ndim))

    def _leave(self, finite: Data, step: int) -> None:
        alive = self.alive & finite
        self.since = np.where(self.alive & ~alive, step, self.since)
        self.alive, self.left, self._all = alive, bool(np.any(alive)), bool(np.all(alive))

    def ended(self, ending: str, last: int) -> tuple[Data, Data]:
        """How each run ended, so or "non-finite", and after how many steps."""
        status, steps = np.where(self.alive, ending, NON_FINITE), np.where(self.alive, last, self.since)
        return (status, steps) if self.shape else (str(status), int(steps))


def _finite(x: Data) -> bool:
    """Whether all of it is finite, for which its sum is asked: where that overflows, it says no."""
    if isinstance(x, np.ndarray):
        return math.isfinite(np.add.reduce(x, axis=None))
    return all(map(_finite, x)) if isinstance(x, list) else math.isfinite(x)
