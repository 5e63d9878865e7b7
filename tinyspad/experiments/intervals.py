"""How sure a counted rate is, and the difference of two rates of the same starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..table import Interval

Z95 = 1.959963984540054


def wilson(successes: Any, runs: Any, z: float = Z95) -> tuple[Any, Any]:
    """The 95 % interval of a rate (Wilson 1927): of all rates those that so many successes do not contradict.

    (p + z**2/2n -+ z sqrt(p(1 - p)/n + z**2/4n**2)) / (1 + z**2/n), p = successes / runs, n = runs.

    >>> [round(float(end), 4) for end in wilson(0, 1000)]
    [0.0, 0.0038]
    """
    p = np.divide(successes, runs)
    centre, spread = p + z * z / (2 * runs), z * np.sqrt(p * (1 - p) / runs + (z / (2 * runs)) ** 2)
    scale = 1 + z * z / runs
    low, high = np.maximum(centre - spread, 0.0) / scale, np.minimum(centre + spread, scale) / scale
    # at the ends the bound is the rate itself, which rounding must not miss
    return np.where(successes == 0, 0.0, low)[()], np.where(successes == runs, 1.0, high)[()]


def paired(won: Any, lost: Any, runs: Any, z: float = Z95) -> tuple[Any, Any, Any]:
    """The difference of two methods' rates on the same starts, with its 95 % interval (Agresti & Min 2005).

    ``won``: how many starts only the first method succeeds from; ``lost``: only the second one. The difference is
    (won - lost) / runs. The starts from which both do the same tell nothing about it (McNemar 1947), so the interval is far
    narrower than that of two independent samples: with half a start added to each of the four cells of their table, and
    n = runs + 2, it is d -+ z sqrt(won + lost + 1 - n d**2) / n around d = (won - lost) / n.

    >>> [round(float(x), 3) for x in paired(30, 10, 1000)], [round(float(x), 3) for x in paired(0, 0, 1000)]
    ([0.02, 0.007, 0.032], [0.0, -0.002, 0.002])
    """
    n = np.add(runs, 2)
    d = np.subtract(won, lost) / n
    spread = z * np.sqrt(np.maximum(np.add(won, lost) + 1 - n * d * d, 0.0)) / n
    return np.subtract(won, lost) / runs, np.maximum(d - spread, -1.0), np.minimum(d + spread, 1.0)


def rate_interval(successes: Any, runs: int) -> Interval:
    """A rate and its Wilson interval."""
    return Interval(float(successes / runs), *map(float, wilson(successes, runs)))


def percent(successes: Any, runs: int) -> str:
    """A rate with its Wilson interval, in percent.

    >>> percent(31, 60)
    '51.7 (39.3-63.8)'
    """
    return f"{Interval(*(100 * x for x in rate_interval(successes, runs))):.1f}"
