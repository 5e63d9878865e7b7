"""Exact sums over all paths, by sweeps: moments of what a random path contributes, masses, entropy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np

from .. import paths as algebra
from ..arguments import Data
from ..paths import Chances, Moments, Semiring, Weights
from .point import Point

FEW_SOURCES = 8
"""Up to so many parameters, each is swept for by itself."""


class ExactSums(Point):
    """What sweeps say of all paths of a parameter, however many there are."""

    def moments(self, param: str | None, chances: Chances, normalize: bool) -> tuple[Data, Data]:
        """Exact mean and variance of a path's contribution (divided by its probability if ``normalize``): one sweep.

        Through linear maps, where squares do not multiply along a path, elementwise and by a listing.
        """
        source = self.source(param)
        if not algebra.count(self.structure, source):
            return (zero := self.shaped(source, 0.0)), zero
        if self.elementwise:
            mean, deviation = self._of_source(
                source,
                ("moments", chances, normalize),
                lambda nodes: algebra.moments_behind(self.structure, self.weight, nodes, chances, normalize, self.seed),
            )
            return self.shaped(source, mean), self.shaped(source, deviation * deviation)
        listed = self.path_gradients(param), self.path_probabilities(param, chances)
        mean, variance = algebra.moments_of(*listed, normalize)
        return self.shaped(source, mean), self.shaped(source, variance)

    def largest_and_others(self, param: str | None = None) -> tuple[Data, Moments]:
        """The contribution of the best path, and number, mean and standard deviation of all the others: one sweep.

        Through linear maps, elementwise and by a listing.
        """
        source = self.source(param)
        if self.elementwise or not algebra.count(self.structure, source):
            with np.errstate(all="ignore"):
                largest, _, others = self._swept(source, algebra.SPLIT)
        else:
            largest, others = algebra.largest_and_others_of(self.path_gradients(param), self.best_index(param))
        mean, deviation = self.shaped(source, others.mean), self.shaped(source, others.deviation)
        return self.shaped(source, largest), Moments(others.number, mean, deviation)

    def log_mass(self, param: str | None = None) -> Data:
        """log H, the logarithm of the sum of all |contributions|: by a sweep that cannot overflow, made once.

        Through linear maps by a listing of their norms.
        """
        if self.elementwise:
            return self._log_masses[self.source(param)]
        found = algebra.log_mass_of(self.path_sizes(param))
        return found if self.batch else float(found)

    def entropy(self, param: str | None = None) -> Data:
        """The Shannon entropy, in nats, of the probabilities |g_i| / sum |g_j|: how concentrated is this gradient?

        0 when one path carries it all, log N when all N carry the same; exp(entropy) is an effective number of paths. By
        one sweep in logarithms, which no number of paths can overflow. An array in a batch. 0 where all g_i are 0.

        >>> import functools, math, tinyspad as ts
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(1000), x)
        >>> round(ts.trace(doubled, 1.0).entropy("x") / math.log(2))
        1000
        """
        source = self.source(param)
        self.check_any(source)
        if self.elementwise:
            found = self._swept(source, algebra.ENTROPY)[1]
            return np.broadcast_to(found, self.batch).copy() if self.batch else float(found)
        found = algebra.entropy_of(self.path_sizes(param))
        return found if self.batch else float(found)

    def _swept(self, source: int, semiring: Semiring) -> Data:
        return self._of_source(
            source, semiring, lambda nodes: algebra.sweep_behind(self.structure, self.weight, semiring, nodes)
        )

    def _of_source(self, source: int, what: Data, ask: Callable[[Iterable[int]], dict[int, Data]]) -> Data:
        """What a sweep makes of one parameter; of many, who are numbers of arrays, one sweep serves all, and is kept."""
        if len(self.params) <= FEW_SOURCES:
            return ask(self.structure.behind(source))[source]
        if what not in self._for_all:
            self._for_all[what] = ask(range(self.structure.size))
        return self._for_all[what][source]

    @cached_property
    def _for_all(self) -> dict[Data, dict[int, Data]]:
        return {}

    @cached_property
    def _log_masses(self) -> Weights:
        with np.errstate(all="ignore"):
            found = algebra.sweep(self.structure, self.carried, algebra.LOG, forget=True)
        return found.tolist() if isinstance(found, np.ndarray) else found
