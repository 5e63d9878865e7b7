"""Where what can be shown exactly is measured: the paper's functions, at random points of their boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functions
from ..lcg import LCG, trace

Array = np.ndarray[Any, Any]

PROBLEMS = ("ackley", "beale", "levi", "schaffer2")
"""The paper's four functions."""


def lcgs(number: int) -> list[tuple[str, LCG]]:
    """The paper's functions, each at so many random points of its box."""
    rng = np.random.default_rng(0)
    points = [(name, zip(*(x.tolist() for x in starts(name, number, rng)))) for name in PROBLEMS]
    return [(name, trace(functions.ALL[name], *point)) for name, each in points for point in each]


def starts(name: str, number: int, rng: np.random.Generator) -> list[Array]:
    """So many random points of a function's box: an array for each parameter."""
    return [rng.uniform(low, high, number) for low, high in functions.ALL[name].box]
