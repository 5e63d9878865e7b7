"""Magnitude: the estimator of least variance, by sampling paths in proportion to what they contribute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data, State, set_integer
from ..linearization import Linearization, Linearized
from ..paths import Chances, drawn_from, walk_many, with_floor
from .base import (
    Cost,
    Estimator,
    aligned,
    kept,
    mean_and_variance,
    named,
    nothing,
    over_probability,
    path_cost,
)
from .draw import Draw
from .numbers import asks_numbers

FLOOR = 0.01
"""How much uniform choice is mixed in at a node where a branch would never be taken while the distribution is reused."""


class Refreshed(NamedTuple):
    """A distribution over paths that is kept for some more steps, as long as the program has this signature."""

    chances: Data
    signature: tuple[Data, ...]
    left: int

    def __repr__(self) -> str:
        return f"<Refreshed: {self.left} steps left>"


@dataclass(frozen=True)
class Magnitude(Estimator):
    """One path, drawn with probability p_i = |g_i| / H, H = sum |g_j|, by one sweep.

    ``normalize=True`` divides by the probability: unbiased, and E[ghat**2] = H**2 is the least that any unbiased choice of
    one path can have (Cauchy-Schwarz; for an array, whose size is its norm, summed over its elements). The variance
    H**2 - G**2 is zero where all contributions have one sign.
    ``k_max``: the distribution is made anew every k_max steps. In between it stays unbiased, since what is divided by is the
    probability that was used. For k_max > 1 no branch is ruled out: where the distribution gives one none,
    1 % of uniform choice is mixed in at that node. Where all contributions are zero, so is the estimate. NaN and infinity
    count as the largest: where there are some, one of those is followed, and the run stops, marked.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(ts.functions.f1, 5.0)
    >>> g1, g2 = lcg.path_gradients("x")
    >>> H, G = abs(g1) + abs(g2), g1 + g2
    >>> f"{ts.Magnitude().variance(lcg, 'x'):.6f} {H**2 - G**2:.6f}"
    '8793.788327 8793.788327'
    """

    paths_only = True

    k_max: int = 1
    normalize: bool = True

    def __post_init__(self) -> None:
        set_integer(self, "k_max")

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return nothing(lcg, param)
        held = kept(state, lcg) or Refreshed(self._chances(lcg, param), lcg.signature, self.k_max)
        held = held._replace(left=held.left - 1)
        if isinstance(held.chances, Chances):
            route = lcg.draw_route(param, rng, held.chances)
            gradient = lcg.follow(param, route, held.chances if self.normalize else None)
            return Draw(gradient, route, held)
        p = held.chances
        index = drawn_from(rng, p, lcg.batch)
        if lcg.batch:
            chance = np.take_along_axis(p, index[None], axis=0)[0]
        else:
            index = int(index)
            chance = p[index]
        gradient = lcg.path_gradient(param, index)
        return Draw(gradient / chance if self.normalize else gradient, index, held)

    def draw_together(self, lcg: Linearization, sources: Array, state: State, rng: np.random.Generator) -> Draw | None:
        """A path of each, all walked at once."""
        held = kept(state, lcg) if isinstance(state, Refreshed) else None
        if held is None:
            held = Refreshed(self._chances(lcg, lcg.params[sources[0]]), lcg.signature, self.k_max)
        walks = walk_many(lcg.structure, sources, rng, held.chances)
        with np.errstate(all="ignore"):
            found = walks.product(lcg.carried, held.chances.share if self.normalize else None)
        return None if found is None else Draw(found, walks, held._replace(left=held.left - 1))

    def _chances(self, lcg: Linearized, param: str) -> Data:
        """Branch probabilities; or, through linear maps, the probabilities of all paths, listed."""
        if not lcg.elementwise:
            p = lcg.path_shares(param)
            return p if self.k_max == 1 else np.where(np.all(p > 0, axis=0), p, (1 - FLOOR) * p + FLOOR / len(p))
        if self.k_max == 1:
            return lcg.chances("magnitude", param)
        return with_floor(lcg.structure, lcg.chances("magnitude"), FLOOR)

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """p_i = |g_i| / H, shape (N,) or (N, R); where some g_i are not finite, they share all."""
        if not lcg.elementwise:
            return np.asarray(self._chances(lcg, param))
        return lcg.path_probabilities(param, self._chances(lcg, param))

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        """By one sweep over the branch probabilities; through linear maps by enumeration."""
        if lcg.elementwise:
            return lcg.moments(param, self._chances(lcg, param), self.normalize)
        if not lcg.count_paths(param):
            return lcg.adjoint(param), abs(0.0 * lcg.adjoint(param))
        g = lcg.path_gradients(param)
        p = aligned(self.probabilities(lcg, param), g)
        return mean_and_variance(p, over_probability(g, p) if self.normalize else g)

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """A sweep for H every k_max steps (where sizes need a listing, all paths), and the mean length of a path always."""

        def length(name: str) -> Data:
            if lcg.elementwise:
                return lcg.mean_length(name, self._chances(lcg, name))
            return np.tensordot(lcg.lengths(name), self.probabilities(lcg, name), 1)

        names = named(lcg, param)
        select = lcg.factors(param) if lcg.elementwise else sum(int(lcg.lengths(name).sum()) for name in names)
        return path_cost(lcg, param, length, select, select, self.k_max)
