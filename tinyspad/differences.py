"""Central differences with an error estimate: the yardstick that owes nothing to automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def central_difference(f: Callable[[Any], Any], x: Any) -> Any:
    """The derivative of f at x by central differences, improved by Richardson extrapolation.

    (4 D(h/2) - D(h)) / 3 with D(h) = (f(x + h) - f(x - h)) / 2h, and h = eps**(1/5) * max(1, |x|) per element.
    ``x``: a number or an array. If ``f(x)`` has x's shape, its elements are taken to be independent runs and are moved
    together; otherwise f must give one number, and every element of x is moved in turn. Error O(h**4), about 1e-11
    relative for smooth functions of moderate size. Cost: 4 evaluations of f, times x.size if it is not a batch.

    >>> float(round(central_difference(lambda x: x**3, 2.0), 8))
    12.0
    """
    x = np.asarray(x, dtype=np.float64)
    h = np.finfo(np.float64).eps ** 0.2 * np.maximum(1.0, np.abs(x))

    def difference(step: Any) -> Any:
        ahead, behind = x + step, x - step
        width = ahead - behind
        return (f(ahead[()]) - f(behind[()])) / (width if batched else width[np.nonzero(width)])

    def extrapolated(step: Any) -> Any:
        return (4 * difference(step / 2) - difference(step)) / 3

    batched = np.shape(f(x[()])) == x.shape
    if batched:
        return extrapolated(h)
    result = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[at] = h[at]
        result[at] = extrapolated(step).item()
    return result
