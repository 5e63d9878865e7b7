"""The table of semirings: every question that is put to the paths of a graph, in three functions each."""

from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from .levels import ByLevel
from .sweep import Semiring


def _larger(a: Any, b: Any) -> Any:
    """The larger one; NaN counts as the largest, as it does for np.maximum and np.argmax."""
    if a.__class__ is float and b.__class__ is float:
        return a if a >= b or a != a else b
    return np.maximum(a, b)


def by_size(sizes: Any) -> Any:
    """The order of sizes along the first axis, largest first, in the given order among equals; NaN is the largest."""
    return len(sizes) - 1 - np.argsort(sizes[::-1], axis=0, kind="stable")[::-1]


def sizes_of(listed: Any) -> Any:
    """The norm of each of N arrays, shape (N,): without squares that over- or underflow, NaN where one is in it."""
    flat = np.abs(listed).reshape(len(listed), int(np.prod(np.shape(listed)[1:])))
    with np.errstate(all="ignore"):
        largest = flat.max(axis=1, initial=0.0, keepdims=True)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
        return scale[:, 0] * np.sqrt(np.sum((flat / scale) ** 2, axis=1))


def _prolong_all(listed: Any, weight: Any) -> Any:
    if isinstance(weight, (float, int, np.ndarray, np.generic)):
        return listed * weight
    return np.stack([np.asarray(adjoint * weight) for adjoint in listed])


# --- logarithms and entropy ----------------------------------------------------------------------------------------


def _log_size(weight: Any) -> Any:
    if hasattr(weight, "log_size"):  # an edge that is not taken everywhere
        return weight.log_size()
    if isinstance(weight, np.ndarray):
        with np.errstate(divide="ignore"):
            return np.log(np.abs(weight))
    return math.log(abs(weight)) if weight else -math.inf


def _log_of_sum(a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.logaddexp(a, b)
    low, high = (a, b) if a < b else (b, a)
    return high if low == -math.inf or low == high == math.inf else high + math.log1p(math.exp(low - high))


def _entropy_extend(value: tuple[Any, Any], log_weight: Any) -> tuple[Any, Any]:
    """An edge changes the mass and not the entropy; unless there is no mass left, and so nothing to choose between."""
    mass = value[0] + log_weight
    if isinstance(mass, np.ndarray):
        return mass, np.where(np.isneginf(mass), 0.0, value[1])
    return mass, 0.0 if mass == -math.inf else value[1]


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


# --- mean and deviation over all paths, the largest one apart from the others -----------------------------------------


class Moments(NamedTuple):
    """The number of some contributions, their mean, and their standard deviation from it.

    The deviation instead of the variance: a square would over- or underflow long before what it is the square of.
    """

    number: int
    mean: Any
    deviation: Any

    def times(self, weight: Any) -> Moments:
        return Moments(self.number, self.mean * weight, self.deviation * abs(weight))

    def beside(self, other: Moments) -> Moments:
        """Of both together (Chan et al. 1983): root sums of squares, so that no digits are lost."""
        if not self.number or not other.number:
            return self if self.number else other
        number = self.number + other.number
        share = other.number / number  # of two Python integers: exact at any size
        apart, rest = other.mean - self.mean, self.number / number
        parts = [
            math.sqrt(rest) * self.deviation,
            math.sqrt(share) * other.deviation,
            math.sqrt(share) * math.sqrt(rest) * apart,
        ]
        return Moments(number, self.mean + share * apart, norm(parts))

    def where(self, condition: Any, other: Moments) -> Moments:
        """These where the condition holds, the others elsewhere, run by run."""
        mean = np.where(condition, self.mean, other.mean)
        return Moments(self.number, mean, np.where(condition, self.deviation, other.deviation))


def norm(parts: list[Any]) -> Any:
    """The root of the sum of the squares, without squares that over- or underflow."""
    if not any(isinstance(part, np.ndarray) for part in parts):
        return math.hypot(*parts)
    total = parts[0]
    for part in parts[1:]:
        total = np.hypot(total, part)
    return np.abs(total)


_Split = tuple[Any, Moments, Moments]


def _split_extend(value: _Split, weight: Any) -> _Split:
    largest, every, others = value
    return largest * weight, every.times(weight), others.times(weight)


def _split_combine(a: _Split, b: _Split) -> _Split:
    first = (np.abs(a[0]) >= np.abs(b[0])) | (a[0] != a[0])  # the first path wins a tie, and NaN is the largest
    kept, passed = a[2].beside(b[1]), a[1].beside(b[2])
    if isinstance(first, np.ndarray):
        return np.where(first, a[0], b[0]), a[1].beside(b[1]), kept.where(first, passed)
    return (a[0] if first else b[0]), a[1].beside(b[1]), (kept if first else passed)


GRADIENT = Semiring(lambda w: w, operator.mul, operator.add, by_level=ByLevel(None, np.multiply, np.add))
"""The sum of the products: the gradient."""

COUNT = Semiring(lambda w: 1, lambda value, edge: value, operator.add, one=1, zero=0)
"""The number of paths N, as a Python integer of any size."""

LARGEST = Semiring(abs, operator.mul, _larger, by_level=ByLevel(np.abs, np.multiply, np.maximum))
"""The largest |product|; its table leads :func:`~tinyspad.paths.best` along the best path."""

LOG_LARGEST = Semiring(
    _log_size, operator.add, _larger, one=0.0, zero=-math.inf, by_level=ByLevel(_log_size, np.add, np.maximum)
)
"""Its logarithm, for products that floats cannot hold."""

MAGNITUDE = Semiring(abs, operator.mul, operator.add, by_level=ByLevel(np.abs, np.multiply, np.add))
"""H, the sum of the |products|: the normaliser of sampling by magnitude."""

SQUARES = Semiring(lambda w: w * w, operator.mul, operator.add, by_level=ByLevel(np.square, np.multiply, np.add))
"""The sum of the squared products; N times it is the second moment of a uniform draw that is multiplied by N."""

LOG = Semiring(
    _log_size, operator.add, _log_of_sum, one=0.0, zero=-math.inf, by_level=ByLevel(_log_size, np.add, np.logaddexp)
)
"""log H, which neither overflows nor underflows."""

ENTROPY = Semiring(_log_size, _entropy_extend, _mixed, one=(0.0, 0.0), zero=(-math.inf, 0.0))
"""(log H, Shannon entropy in nats of p = |product| / H): exp(entropy) paths share the gradient, as it were."""

SPLIT = Semiring(
    lambda w: w,
    _split_extend,
    _split_combine,
    one=(1.0, Moments(1, 1.0, 0.0), Moments(0, 0.0, 0.0)),
    zero=(0.0, Moments(0, 0.0, 0.0), Moments(0, 0.0, 0.0)),
)
"""(the product of the largest path, ``Moments`` of all products, and of all others)."""

LISTING = Semiring(lambda w: w, _prolong_all, lambda a, b: np.concatenate([a, b]))
"""Every path's product, in path order: as long as the count, so ask for the count first."""


def largest_of(n: int, size: Semiring = LARGEST) -> Semiring:
    """The n best paths, over weights that are pairs (edge number, weight): see :func:`~tinyspad.paths.top`.

    A value is a list of (|product|, links), largest first and in path order among equals; links are nested pairs
    (edge number, links of the rest). Products of zero are left out. ``size``: LARGEST, or LOG_LARGEST.
    """

    def extend(value: list[Any], edge: tuple[int, float]) -> list[Any]:
        number, factor = edge
        sizes = [size.extend(s, factor) for s, _ in value]
        return [(s, (number, links)) for s, (_, links) in zip(sizes, value) if s > size.zero]

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        return sorted(a + b, key=operator.itemgetter(0), reverse=True)[:n]  # a stable sort, reversed or not

    return Semiring(lambda pair: (pair[0], size.edge(pair[1])), extend, combine, one=[(size.one, None)], zero=[])


def in_range(sizes: Any) -> bool:
    """Whether sums or products of sizes, node by node, stayed where floats have all their digits."""
    if isinstance(sizes, np.ndarray):
        return bool(np.all((sizes > TINY) & (sizes < HUGE)))
    for size in sizes:
        if isinstance(size, np.ndarray):
            if not np.all((size > TINY) & (size < HUGE)):
                return False
        elif not TINY < size < HUGE:
            return False
    return True


TINY, HUGE = 1e-290, 1e290

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
