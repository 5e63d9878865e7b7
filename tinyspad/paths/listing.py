"""What sweeps cannot tell of paths through linear maps, or of means over observations: from their listed contributions.

``g``: the contributions, (N, ...); ``sizes``: (N,), or (N, *runs); ``p``: probabilities of the same shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .semirings import HUGE, TINY, Moments


def shares_of(sizes: Any) -> Any:
    """Each size as a share of their sum: equal ones where all are zero. NaN and infinity share all where there are some."""
    total = sizes.sum(axis=0)
    if np.all((total > TINY) & (total < HUGE)):
        return sizes / total
    wild = ~np.isfinite(sizes)
    sizes = np.where(wild.any(axis=0), wild, sizes)
    top = sizes.max(axis=0, initial=0.0)
    sizes = sizes / np.where(top > 0, top, 1.0)
    total = sizes.sum(axis=0)
    return np.where(total > 0, sizes / np.where(total > 0, total, 1.0), 1 / max(len(sizes), 1))


def log_mass_of(sizes: Any) -> Any:
    """The logarithm of the sum of the sizes."""
    with np.errstate(all="ignore"):
        top = sizes.max(axis=0, initial=0.0)
        scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
        return np.log(scale) + np.log(np.sum(sizes / scale, axis=0))


def entropy_of(sizes: Any) -> Any:
    """The Shannon entropy of the shares; 0 where there is nothing to share, NaN where some sizes are not finite."""
    p = shares_of(sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sum(np.where(p > 0, -p * np.log(p), 0.0), axis=0)
    return np.where(sizes.any(axis=0), np.where(np.isfinite(sizes).all(axis=0), found, np.nan), 0.0)


def moments_of(g: Any, p: Any, normalize: bool) -> tuple[Any, Any]:
    """Mean and variance of a random contribution, over its probability if ``normalize``, elementwise."""
    p = p.reshape(p.shape + (1,) * (g.ndim - p.ndim))
    with np.errstate(all="ignore"):
        g = np.where(p > 0, g / p, 0.0) if normalize else g
        mean = np.sum(p * g, axis=0)
        return mean, np.sum(p * (g - mean) ** 2, axis=0)


def largest_and_others_of(g: Any, best: Any) -> tuple[Any, Moments]:
    """The contribution of this index, an array of them for runs, and number, mean and deviation of all others."""
    best = np.reshape(best, (1, *np.shape(best)) + (1,) * (g.ndim - 1 - np.ndim(best)))
    rest = np.arange(len(g)).reshape(-1, *(1,) * (g.ndim - 1)) != best
    number = max(len(g) - 1, 1)
    with np.errstate(all="ignore"):
        mean = np.sum(g, axis=0, where=rest) / number
        spread = np.sqrt(np.sum((g - mean) ** 2, axis=0, where=rest) / number)
    return np.take_along_axis(g, best, axis=0)[0], Moments(len(g) - 1, mean, spread)
