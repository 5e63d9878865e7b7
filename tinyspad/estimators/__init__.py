"""Estimators: which paths make up today's gradient, and exactly how good an estimate that is.

An estimator is a frozen value. ``init()`` gives the state before the first step; ``draw(lcg, param, state, rng)`` gives
a ``Draw``: the gradient estimate, the index of the path followed, and the next state. Each parameter draws for itself,
as in the paper's Algorithms 1 and 2, and in a batch each run draws for itself. A held path is remembered by its
branch choices; when the program changes shape, it is drawn afresh.
"""

from .base import Cost, Estimator, Held
from .draw import ALL_PATHS, Draw, PerRun, as_draw, draw_numbers, of_each, of_runs
from .magnitude import Magnitude
from .rad import GD, RAD, FixedPath
from .spad import SPAD, NearestPath

__all__ = [
    "ALL_PATHS",
    "GD",
    "RAD",
    "SPAD",
    "Cost",
    "Draw",
    "Estimator",
    "FixedPath",
    "Held",
    "Magnitude",
    "NearestPath",
    "PerRun",
    "as_draw",
    "draw_numbers",
    "of_each",
    "of_runs",
]
