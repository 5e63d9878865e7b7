"""The table of semirings: every question that is put to the paths of a graph, in three functions each."""

from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from .graph import Semiring


def _larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else max(a, b)


def _prolong_all(listed: Any, weight: Any) -> Any:
    if isinstance(weight, (float, int, np.ndarray, np.generic)):
        return listed * weight
    return np.stack([np.asarray(adjoint * weight) for adjoint in listed])


# --- logarithms and entropy ----------------------------------------------------------------------------------------


def _log_size(weight: Any) -> Any:
    if isinstance(weight, np.ndarray):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(weight))
    return math.log(abs(weight)) if weight else -math.inf


def _log_of_sum(a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.logaddexp(a, b)
    low, high = (a, b) if a < b else (b, a)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _mixed(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    """The entropy of a mixture is the mean entropy of its parts plus the entropy of the choice between them."""
    total = _log_of_sum(a[0], b[0])
    if not isinstance(total, np.ndarray):
        if total == -math.inf:
            return total, 0.0
        shares = [(math.exp(mass - total), mass - total, entropy) for mass, entropy in (a, b)]
        return total, sum(share * (entropy - log_share) for share, log_share, entropy in shares if share)
    mixture = 0.0
    for mass, entropy in (a, b):
        log_share = mass - np.where(np.isneginf(total), 0.0, total)
        share = np.exp(log_share)
        mixture = mixture + share * (entropy - np.where(share > 0, log_share, 0.0))
    return total, mixture


# --- mean and variance over all paths, the largest one apart from the others -----------------------------------------


class Moments(NamedTuple):
    """The number of some contributions, their mean, and their variance about it."""

    number: int
    mean: Any
    variance: Any

    def times(self, weight: Any) -> Moments:
        return Moments(self.number, self.mean * weight, self.variance * weight**2)

    def beside(self, other: Moments) -> Moments:
        """Of both together (Chan et al. 1983): sums of what is not negative, so that no digits are lost."""
        if not self.number or not other.number:
            return self if self.number else other
        number = self.number + other.number
        share = other.number / number  # of two Python integers: exact at any size
        apart = other.mean - self.mean
        variance = (1 - share) * self.variance + share * other.variance + share * (1 - share) * apart**2
        return Moments(number, self.mean + share * apart, variance)

    def where(self, condition: Any, other: Moments) -> Moments:
        """These where the condition holds, the others elsewhere, run by run."""
        return Moments(
            self.number, np.where(condition, self.mean, other.mean), np.where(condition, self.variance, other.variance)
        )


_Split = tuple[Any, Moments, Moments]


def _split_extend(value: _Split, weight: Any) -> _Split:
    largest, every, others = value
    return largest * weight, every.times(weight), others.times(weight)


def _split_combine(a: _Split, b: _Split) -> _Split:
    first = np.abs(a[0]) >= np.abs(b[0])  # the first path wins a tie
    kept, passed = a[2].beside(b[1]), a[1].beside(b[2])
    if isinstance(first, np.ndarray):
        return np.where(first, a[0], b[0]), a[1].beside(b[1]), kept.where(first, passed)
    return (a[0] if first else b[0]), a[1].beside(b[1]), (kept if first else passed)


GRADIENT = Semiring(lambda w: w, operator.mul, operator.add)
"""The sum of the products: the gradient."""

COUNT = Semiring(lambda w: 1, lambda value, edge: value, operator.add, one=1, zero=0)
"""The number of paths N, as a Python integer of any size."""

LARGEST = Semiring(abs, operator.mul, _larger)
"""The largest |product|; its table leads :func:`~tinyspad.paths.best` along the best path."""

MAGNITUDE = Semiring(abs, operator.mul, operator.add)
"""H, the sum of the |products|: the normaliser of sampling by magnitude."""

SQUARES = Semiring(lambda w: w * w, operator.mul, operator.add)
"""The sum of the squared products; N times it is the second moment of a uniform draw that is multiplied by N."""

LOG = Semiring(_log_size, operator.add, _log_of_sum, one=0.0, zero=-math.inf)
"""log H, which neither overflows nor underflows."""

ENTROPY = Semiring(
    _log_size, lambda value, edge: (value[0] + edge, value[1]), _mixed, one=(0.0, 0.0), zero=(-math.inf, 0.0)
)
"""(log H, Shannon entropy in nats of p = |product| / H): exp(entropy) paths share the gradient, as it were."""

SPLIT = Semiring(
    lambda w: w,
    _split_extend,
    _split_combine,
    one=(1.0, Moments(1, 1.0, 0.0), Moments(0, 0.0, 0.0)),
    zero=(0.0, Moments(0, 0.0, 0.0), Moments(0, 0.0, 0.0)),
)
"""(the product of the largest path, ``Moments`` of all products, ``Moments`` of all others)."""

LISTING = Semiring(lambda w: w, _prolong_all, lambda a, b: np.concatenate([a, b]))
"""Every path's product, in path order: as long as the count, so ask for the count first."""


def largest_of(n: int) -> Semiring:
    """The n best paths, over weights that are pairs (edge number, weight): see :func:`~tinyspad.paths.top`.

    A value is a list of (|product|, links), largest first and in path order among equals; links are nested pairs
    (edge number, links of the rest). Products of zero are left out.
    """

    def extend(value: list[Any], edge: tuple[int, float]) -> list[Any]:
        number, size = edge
        return [(s * size, (number, links)) for s, links in value if s * size > 0]

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        return sorted(a + b, key=operator.itemgetter(0), reverse=True)[:n]  # a stable sort, reversed or not

    return Semiring(lambda pair: (pair[0], abs(pair[1])), extend, combine, one=[(1.0, None)], zero=[])


SEMIRINGS: dict[str, Semiring] = {
    "gradient": GRADIENT,
    "count": COUNT,
    "largest": LARGEST,
    "magnitude": MAGNITUDE,
    "squares": SQUARES,
    "log": LOG,
    "entropy": ENTROPY,
    "split": SPLIT,
    "listing": LISTING,
}
"""The table, by name."""
