"""What a minimisation arrived at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arguments import Data
from ..containers import is_container, leaves_of
from .history import History

NO_CHOICE = (
    "Every parameter has a single path here, so this estimator is GD. To have more, read a variable several times (x * x, "
    "not x**2), or sum over data inside f."
)

DONE, NON_FINITE, STOPPED, INTERRUPTED = "done", "non-finite", "stopped", "interrupted"


@dataclass(frozen=True)
class Result:
    """What a minimisation arrived at.

    ``x``: the final position, of x0's form (a tuple if x0 was one). ``value``: f there, a number or one per run.
    ``status``: "done", "non-finite" (the run met NaN or infinity and stays where it did), "stopped" (by the callback)
    or "interrupted" (by Ctrl-C); an array of these for a batch. ``steps``: steps taken, an array for a batch.
    ``history``: a ``History``, or None. ``single_paths``: whether the estimator had no choice, since every parameter, or
    number in an array, has one path at most: then it did what ``GD`` does. ``trig``: how sines and cosines were computed, by
    "numpy" or "half-angle".
    """

    x: Data
    value: Data
    status: Data
    steps: Data
    history: History | None
    single_paths: bool = False
    trig: str = "numpy"

    def __str__(self) -> str:
        return f"{self._told()}\n{NO_CHOICE}" if self.single_paths else self._told()

    def _told(self) -> str:
        if np.shape(self.value) == ():
            return f"{self.status} after {self.steps} steps: f({_coordinates(self.x)}) = {self.value:.6g}"
        value = np.asarray(self.value)
        finite = value[np.isfinite(value)]
        span = f"least {finite.min():.6g}, median {np.median(finite):.6g}" if finite.size else "no finite value"
        counts = ", ".join(f"{int(np.sum(self.status == s))} {s}" for s in np.unique(self.status))
        return f"{value.size} runs ({counts}): {span}"


def _coordinates(x: Data) -> str:
    parts = x if isinstance(x, tuple) else (x,)
    return ", ".join(map(_coordinate, parts))


def _coordinate(p: Data) -> str:
    if is_container(p):
        n = len(list(leaves_of(p, "", True)))
        return f"{type(p).__name__} of {n} parameter{'s' * (n != 1)}"
    return f"{p:.6g}" if np.shape(p) == () else f"array {np.shape(p)}"
