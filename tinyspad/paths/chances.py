"""Branch probabilities, and exact moments of what a path that is drawn by them carries.

Every way to draw a path here is a share for each branch of each tupling node; a path's probability is the product of
the shares along it. Uniform over paths is the share N_head / N_tail, proportional to magnitude |w| H_head / H_tail. So
drawing is one walk, and mean and variance of whatever a path multiplies up are one sweep, whatever the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import Array
from .levels import FEWEST, HIGH, HIGH_BITS, levels_of, shares_by_level
from .listing import shares_of
from .route import enumerate_paths
from .semirings import LOG, MAGNITUDE, in_range, norm
from .structure import Structure, Weights
from .sweep import fold, sweep


@dataclass(frozen=True, eq=False)
class Chances:
    """The share of every edge among the branches of its tail.

    ``margin``: if positive, the shares are rounded ratios of path counts, and a draw that falls so near to the border
    between two branches that rounding could matter is settled with whole numbers: exactly uniform over paths.
    ``listed``: the probabilities of all paths of the one parameter that the shares are for, if they come from a listing.
    ``known``: what follows from the shares, worked out once by whoever needs it.
    """

    share: Weights
    margin: float = 0.0
    listed: Any = None
    known: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def by_edge(self) -> Sequence[Any]:
        """The shares as a list, for those who go edge by edge."""
        if not isinstance(self.share, np.ndarray):
            return self.share
        if "by edge" not in self.known:
            self.known["by edge"] = self.share.tolist()
        return self.known["by edge"]  # type: ignore[no-any-return]


def by_branch(structure: Structure) -> Chances:
    """Uniform at each tupling node that is met; worked out once."""
    if "by branch" not in structure.known:
        structure.known["by branch"] = _by_branch(structure)
    return structure.known["by branch"]  # type: ignore[no-any-return]


def _by_branch(structure: Structure) -> Chances:
    if len(structure.head) >= FEWEST:
        width = np.diff(structure.arrays[0])
        return Chances(1 / np.repeat(width, width))
    share = [1.0] * len(structure.head)
    for node in range(structure.size):
        branches = structure.branches(node)
        for e in branches:
            share[e] = 1 / len(branches)
    return Chances(share)


def by_path(structure: Structure) -> Chances:
    """Uniform over all paths; worked out once.

    Shares are ratios of counts, in floats with exponents of their own, which cannot overflow.
    """
    if "by path" not in structure.known:
        structure.known["by path"] = _by_path(structure)
    return structure.known["by path"]  # type: ignore[no-any-return]


def _by_path(structure: Structure) -> Chances:
    # Every addition may round by half a bit, in a count and in the total; then the ratio, the border's sum, and u.
    share, rounded = _path_shares(structure)
    return Chances(share, (4 * rounded + 8) * 2.0**-53)


def _path_shares(structure: Structure) -> tuple[Sequence[float] | Array, int]:
    """The share of every edge in the paths of its tail, and how many additions the worst of them has met."""
    levels = levels_of(structure)
    if levels is not None:
        return shares_by_level(levels)
    share = [1.0] * len(structure.head)
    rounded = 0

    def join(node: int, counts: list[tuple[float, int, int]]) -> tuple[float, int, int]:
        nonlocal rounded
        exponent = max(count[1] for count in counts)
        parts = [m if e == exponent else math.ldexp(m, e - exponent) for m, e, _ in counts]
        total = sum(parts)
        for e, part in zip(structure.branches(node), parts):
            share[e] = part / total if total else 0.0
        additions = max(count[2] for count in counts) + len(counts)
        rounded = max(rounded, additions)
        return (total, exponent, additions) if total < HIGH else (total / HIGH, exponent + HIGH_BITS, additions)

    fold(structure, range(structure.size), lambda value, e: value, join, (1.0, 0, 0), (0.0, 0, 0))
    return share, rounded


def by_magnitude(structure: Structure, weight: Weights) -> Chances:
    """Proportional to the |product| along the path. Where all products behind a node are zero, uniform at that node.

    NaN and infinity count as the largest: at a node with such products behind it, one of those branches is taken.
    """
    with np.errstate(all="ignore"):
        masses = sweep(structure, weight, MAGNITUDE)
        logarithms = not in_range(masses)
        if logarithms:
            masses = sweep(structure, weight, LOG)
        if isinstance(masses, np.ndarray):
            return Chances(_shares_of_array(structure, np.asarray(weight), masses, logarithms))
        if any(isinstance(mass, np.ndarray) for mass in masses):
            return _shares_of_runs(structure, weight, masses, logarithms)
        return _shares_of_numbers(structure, weight, masses, logarithms)


def by_listing(structure: Structure, source: int, sizes: Any) -> Chances:
    """``by_magnitude`` for the paths of one parameter in many runs, from the sizes of all: shape (N, R), where N is small.

    At a tupling node the shares are those of the paths through its branches, since what leads there is a common factor.
    """
    share: list[Any] = [1.0] * len(structure.head)
    listed = shares_of(sizes)
    for branches in _paths_through(structure, source).values():
        if len(branches) == len(sizes):  # a path for each branch, in order
            shares = listed
        else:
            shares = shares_of(np.stack([sizes[paths].sum(axis=0) for paths in branches.values()]))
        for e, q in zip(branches, shares):
            share[e] = q
    return Chances(share, listed=listed)


def _paths_through(structure: Structure, source: int) -> dict[int, dict[int, list[int]]]:
    """For each tupling node behind the source and each of its branches the paths that take it; worked out once."""
    known = structure.known.setdefault("through", {})
    if source not in known:
        nodes = structure.turns(source)
        through: dict[int, dict[int, list[int]]] = {node: {e: [] for e in structure.branches(node)} for node in nodes}
        for i, edges in enumerate(enumerate_paths(structure, source)):
            for e in edges:
                if structure.tail[e] in through:
                    through[structure.tail[e]][e].append(i)
        known[source] = through
    return known[source]  # type: ignore[no-any-return]


def _shares_of_numbers(structure: Structure, weight: Weights, masses: Weights, logarithms: bool) -> Chances:
    share, head = [1.0] * len(structure.head), structure.head
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) < 2:
            continue
        if logarithms:
            logs = [LOG.edge(weight[e]) + masses[head[e]] for e in branches]
            highest = max(logs)
            if all(size < math.inf for size in logs):
                sizes = [math.exp(size - highest) if size > -math.inf else 0.0 for size in logs]
            else:
                sizes = [0.0 if size < math.inf else 1.0 for size in logs]
        else:
            sizes = [abs(weight[e]) * masses[head[e]] for e in branches]
        total = sum(sizes)
        for e, size in zip(branches, sizes):
            share[e] = float(size / total) if total else 1 / len(branches)
    return Chances(share)


def _shares_of_array(structure: Structure, weight: Array, masses: Array, logarithms: bool) -> Array:
    start, head = structure.arrays
    width = np.diff(start)
    tails = start[:-1][width > 0]
    edges = width[width > 0]

    def over_tail(ufunc: Any, x: Array) -> Array:
        return np.repeat(ufunc.reduceat(x, tails), edges)

    behind = masses[head]
    if logarithms:
        logs = LOG.edge(weight) + behind
        highest, wild = over_tail(np.maximum, logs), ~(logs < np.inf)
        sizes = np.exp(logs - np.where(np.isneginf(highest), 0.0, highest))
        sizes = np.where(over_tail(np.logical_or, wild), wild, sizes)
    else:
        sizes = np.abs(weight) * behind
    total = over_tail(np.add, sizes)
    return np.where(total == 0, 1 / np.repeat(edges, edges), sizes / np.where(total == 0, 1.0, total))


def _shares_of_runs(structure: Structure, weight: Weights, masses: Weights, logarithms: bool) -> Chances:
    share: list[Any] = [1.0] * len(structure.head)
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) < 2:
            continue
        if logarithms:
            logs = np.stack(np.broadcast_arrays(*[LOG.edge(weight[e]) + masses[structure.head[e]] for e in branches]))
            highest, wild = np.max(logs, axis=0), ~(logs < np.inf)
            sizes = np.exp(logs - np.where(np.isneginf(highest), 0.0, highest))
            sizes = np.where(wild.any(axis=0), wild, sizes)
        else:
            sizes = np.stack(np.broadcast_arrays(*[abs(weight[e]) * masses[structure.head[e]] for e in branches]))
        total = np.sum(sizes, axis=0)
        shares = np.where(total == 0, 1 / len(branches), sizes / total)
        for e, q in zip(branches, shares):
            share[e] = q if q.shape else float(q)
    return Chances(share)


def with_floor(structure: Structure, chances: Chances, floor: float) -> Chances:
    """The same, but no branch that would never be taken: at nodes with such a branch, mix in a little uniform choice."""
    share = list(chances.share)
    for node in range(structure.size):
        branches = structure.branches(node)
        if len(branches) > 1:
            least = share[branches[0]]
            for e in branches:
                least = np.minimum(least, share[e])
            lift = np.where(least == 0, floor, 0.0)
            for e in branches:
                lifted = (1 - lift) * share[e] + lift / len(branches)
                share[e] = lifted if isinstance(lifted, np.ndarray) and lifted.shape else float(lifted)
    return Chances(share)


# --- exact moments ---------------------------------------------------------------------------------------------------


def moments(
    structure: Structure, weight: Sequence[Any], source: int, chances: Chances, normalize: bool, one: Any = 1.0
) -> tuple[Any, Any]:
    """Mean and standard deviation of the product along a random path, over the path's probability if ``normalize``."""
    return moments_behind(structure, weight, structure.behind(source), chances, normalize, one)[source]


def moments_behind(
    structure: Structure,
    weight: Sequence[Any],
    nodes: Iterable[int],
    chances: Chances,
    normalize: bool,
    one: Any = 1.0,
) -> dict[int, tuple[Any, Any]]:
    """The moments of every parameter among these nodes, which are all that lies behind them.

    Both follow branch by branch: mean = sum q m_e and deviation**2 = sum q (d_e**2 + (m_e - mean)**2), where q is a branch's
    share and m_e, d_e belong to what lies behind it. Sums of squares only, so that no digits are lost, and taken as
    norms, so that none over- or underflows. O(edges).
    """

    share = chances.by_edge

    def extend(value: tuple[Any, Any], e: int) -> tuple[Any, Any]:
        w = weight[e]
        return value[0] * w, value[1] * abs(w)

    def join(node: int, values: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        shares = [share[e] for e in structure.branches(node)]
        # Over the probability the mean is a plain sum, however small a share may be.
        mean = sum(m if normalize else q * m for q, (m, _) in zip(shares, values))
        parts = []
        for q, (m, d) in zip(shares, values):
            if normalize:
                parts += _over_share(q, m, d, mean)
            else:
                root = _root(q)
                parts += [root * d, root * (m - mean)]
        return mean, norm(parts)

    with np.errstate(all="ignore"):
        return fold(structure, nodes, extend, join, (one, 0.0 * one), (0.0, 0.0))


def _root(q: Any) -> Any:
    return math.sqrt(q) if q.__class__ is float else np.sqrt(q)


def _over_share(q: Any, m: Any, d: Any, mean: Any) -> list[Any]:
    """sqrt(q) times deviation and distance from the mean of what is divided by q; infinite if q is 0 and there is some."""
    if q.__class__ is float and q > 0:
        root = math.sqrt(q)
        return [d / root, m / root - root * mean]
    root = np.sqrt(q)
    parts = [d / root, m / root - root * mean]
    if np.all(q > 0):
        return parts
    lost = np.where((m == 0) & (d == 0), 0.0, np.inf)
    return [np.where(q > 0, part, lost)[()] for part in parts]


def mean_length(structure: Structure, source: int, chances: Chances, length: Callable[[int], int]) -> Any:
    """The mean length of a random path, when an edge has this length."""
    share = chances.by_edge

    def join(node: int, values: list[Any]) -> Any:
        return sum(share[e] * value for e, value in zip(structure.branches(node), values))

    return fold(structure, structure.behind(source), lambda value, e: value + length(e), join, 0.0)[source]
