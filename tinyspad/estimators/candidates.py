"""Candidates: the best of some random paths by any score, how likely each path is to be it, and what that costs."""

from __future__ import annotations

import math

import numpy as np

from ..arguments import Array, Data, spaced
from ..errors import TooManyPaths
from ..linearization import Linearized
from ..paths import LIMIT, by_size, sizes_of
from .base import as_float, named

FEW = 16
"""Up to this many candidates are followed one after the other; for more it pays to list all paths, if there are few."""


def candidates_cost(lcg: Linearized, param: str | tuple[str, ...] | None, m: int | None, replace: bool) -> float:
    """What it takes to follow m random candidates of each parameter once."""
    total = 0.0
    for name in named(lcg, param):
        n = lcg.count_paths(name)
        candidates = n if m is None else m if replace else min(m, n)
        total += candidates * lcg.mean_length(name, lcg.chances("path"))
    return total


def best_of(lcg: Linearized, param: str, rng: np.random.Generator, m: int, replace: bool, score: Data) -> Data:
    """The index of the candidate of highest score, the first in path order on a tie; in a batch, run by run.

    ``score``: of contributions, one behind the other. NaN is the highest.
    """
    n = lcg.count_paths(param)
    if m > LIMIT < n:
        raise TooManyPaths(
            f'The best of {spaced(m)} candidates is found by following each, and "{param}" has {spaced(n)} paths; following '
            f"stops at {spaced(LIMIT)}. Take fewer candidates, or SPAD(m=None): all of them, by one sweep."
        )
    if m <= FEW or n > LIMIT or n > m * (2 if lcg.batch else 100):
        return _best_one_by_one(lcg, param, _candidates(lcg, param, rng, m, replace), score)
    scores = score(lcg.path_gradients(param))
    candidates = np.sort(np.array(_candidates(lcg, param, rng, m, replace)), axis=0)
    first = np.argmax(np.take_along_axis(scores, candidates, axis=0), axis=0)
    index = np.take_along_axis(candidates, first[None], axis=0)[0]
    return index if lcg.batch else int(index)


def _candidates(lcg: Linearized, param: str, rng: np.random.Generator, m: int, replace: bool) -> list[Data]:
    return [lcg.draw_index(param, rng) for _ in range(m)] if replace else list(lcg.draw_distinct(param, rng, m))


def _best_one_by_one(lcg: Linearized, param: str, candidates: list[Data], score: Data) -> Data:
    """One candidate after the other, so that memory does not depend on their number."""

    def scored(index: Data) -> Data:
        g = lcg.path_gradient(param, index)
        return score(g) if g.__class__ is float else score(np.asarray(g)[None])[0]

    best = candidates[0]
    highest = scored(best) if len(candidates) > 1 else None
    for index in candidates[1:]:
        found = scored(index)
        better = (found > highest) | ((found == highest) & (index < best))
        if _has_nan(found) or _has_nan(highest):
            new, old = found != found, highest != highest
            better = np.where(new | old, new & (~old | (index < best)), better)
        if lcg.batch:
            best, highest = np.where(better, index, best), np.where(better, found, highest)
        elif better:
            best, highest = index, found
    return best if lcg.batch else int(best)


def _has_nan(x: Data) -> bool:
    return math.isnan(_square(x))  # squares may overflow, but to infinity


def _square(x: Data) -> float:
    """The sum of the squares: the quickest way to see whether some number is NaN or infinite."""
    if not isinstance(x, np.ndarray):
        return float(x * x)
    flat = x.ravel()
    with np.errstate(all="ignore"):
        return float(flat.dot(flat))


def best_of_very_many(lcg: Linearized, param: str, rng: np.random.Generator, m: int) -> Data:
    """The index of the largest of m paths drawn with replacement, m beyond their number: by its rank, which one draw gives.

    All m have rank r or more with probability ((N - r) / N)**m, so that of the best is N (1 - U**(1 / m)), rounded down.
    """
    sizes = lcg.path_sizes(param)
    n = len(sizes)
    rank = -n * np.expm1(np.log1p(-rng.random(lcg.batch or None)) / as_float(m))
    order = by_size(sizes)
    index = (
        np.take_along_axis(order, np.minimum(rank.astype(int), n - 1)[None], axis=0)[0]
        if lcg.batch
        else order[int(rank)]
    )
    return index if lcg.batch else int(index)


def chance_of_selection(scores: Array, m: int | None, replace: bool) -> Array:
    """The probability that each path has the highest score of m random candidates; the first path wins a tie."""
    n = len(scores)
    if m is None:
        chance = np.array([1.0, *[0.0] * (n - 1)])
    elif replace:  # ((n - r)/n)**m (1 - (1 - 1/(n - r))**m)
        left = np.arange(n, 0, -1)
        with np.errstate(divide="ignore"):
            chance = (left / n) ** as_float(m) * -np.expm1(as_float(m) * np.log1p(-1 / left))
    else:  # C(n-1-r, m-1) / C(n, m), each from the one before
        m, r = min(m, n), np.arange(max(n - 1, 0))
        chance = np.cumprod([m / max(n, 1), *(np.maximum(n - m - r, 0) / (n - 1 - r))])
    result = np.empty(scores.shape)
    np.put_along_axis(result, by_size(scores), np.reshape(chance[:n], (n,) + (1,) * (scores.ndim - 1)), axis=0)
    return result


def sizes(lcg: Linearized, listed: Data) -> Data:
    """The size of each of some contributions, or of one number: |g|, of an array its norm."""
    if listed.__class__ is float:
        return abs(listed)
    return np.abs(listed) if lcg.batch or listed.ndim == 1 else sizes_of(listed)


def nearness(lcg: Linearized, listed: Data, gradient: Data) -> Data:
    """Minus the distance of each from the gradient; NaN, which counts as the nearest, for what is not finite itself."""
    distance = sizes(lcg, listed - gradient)
    if math.isfinite(_square(distance)):
        return -distance
    wild = ~np.isfinite(sizes(lcg, listed))
    return np.where(wild, np.nan, np.where(np.isnan(distance), -np.inf, -distance))
