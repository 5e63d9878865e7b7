"""SPAD and NearestPath: draw candidates, keep the one that scores best, follow it for a while."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..arguments import Array, Data, State, set_integer, spaced
from ..errors import BadInput, NotElementwise, TooManyPaths
from ..lcg import Elements
from ..linearization import Linearization, Linearized
from ..paths import LARGEST, LIMIT, best_edges, walk_along
from .base import (
    Cost,
    Estimator,
    Held,
    HeldWalks,
    aligned,
    as_float,
    kept,
    kept_walks,
    mean_and_variance,
    nothing,
    path_cost,
    times_number,
)
from .candidates import FEW, best_of, best_of_very_many, candidates_cost, chance_of_selection, nearness, sizes
from .draw import Draw
from .numbers import asks_numbers, in_numbers


@dataclass(frozen=True)
class SPAD(Estimator):
    """Selective path automatic differentiation (paper, Algorithms 1 and 2).

    Every ``k_max`` steps draw ``m`` candidate paths, keep the one of largest |g| (the first in path order on a tie)
    and follow it for ``k_max`` steps. ``m=None`` takes all paths as candidates: exact at any N by the max-product
    sweep. ``replace``: candidates are drawn with replacement. ``epsilon > 0``: at every step follow, with probability
    epsilon, one of the N - 1 other paths instead, uniformly (the almost-Dirac distribution over all N paths, eq. (5)).
    ``normalize=True`` divides by the probability of what was followed, 1 - epsilon or epsilon / (N - 1): unbiased.
    NaN counts as the largest |g|, so that a candidate that is not a number is followed, and the run stops, marked. More than
    100 000 candidates out of more paths than that raise TooManyPaths; out of fewer paths any number takes one listing.

    Algorithm 2, the paper's "SPAD in practice", is ``epsilon=0, normalize=False``; with m = 1 and k_max = 1 it is RAD.
    The paper's Algorithm 1 is ``epsilon > 0, normalize=True``; see ``best_epsilon``. Raises BadInput for ``normalize`` with
    epsilon 0 or 1, where some paths are never drawn and no factor makes the estimate unbiased.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(ts.functions.f1, 5.0)
    >>> lcg.path_gradients("x").round(2)
    array([ 24.08, -91.29])
    >>> round(ts.SPAD().expectation(lcg, "x"), 2)
    -91.29
    """

    paths_only = True

    m: int | None = None
    k_max: int = 1
    epsilon: float = 0.0
    normalize: bool = False
    replace: bool = False

    def __post_init__(self) -> None:
        if self.m is not None:
            set_integer(self, "m")
        set_integer(self, "k_max")
        number = isinstance(self.epsilon, Real) and not isinstance(self.epsilon, (bool, np.bool_))
        if not (number and 0 <= self.epsilon <= 1):
            raise BadInput(f"SPAD: epsilon is a probability between 0 and 1, not {self.epsilon!r}.")
        object.__setattr__(self, "epsilon", float(self.epsilon))
        if self.normalize and self.epsilon in (0, 1):
            raise BadInput(
                f"SPAD: with epsilon={self.epsilon} some paths are never followed, so no normalisation makes the estimate "
                "unbiased. Use 0 < epsilon < 1, or normalize=False (Algorithm 2)."
            )
        if self.normalize and 1 / self.epsilon == float("inf"):
            raise BadInput(
                f"SPAD: with normalize=True a rare path is divided by epsilon, and 1 / {self.epsilon} is beyond floats. Use "
                "an epsilon of 1e-300 or more, or normalize=False."
            )
        if self.replace and self.m is None:
            raise BadInput("SPAD: replace=True needs m, the number of candidates to draw.")

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        n = lcg.count_paths(param)
        if not n:
            return nothing(lcg, param)
        held = kept(state, lcg) or self._select(lcg, param, rng)
        if not self.epsilon or n == 1:
            return Draw(lcg.follow(param, held.route), held.route, held._replace(left=held.left - 1))
        strays = rng.random(lcg.batch or None) < self.epsilon
        other = lcg.draw_others(param, rng, held.index)
        index = np.where(strays, other, held.index) if lcg.batch else other if strays else held.index
        route = lcg.route(param, index)
        gradient = lcg.follow(param, route)
        if self.normalize:
            astray = times_number(lcg, param, route) * ((n - 1) / n / self.epsilon)
            if lcg.batch:
                gradient = np.where(strays, astray, gradient / (1 - self.epsilon))
            else:
                gradient = astray if strays else gradient / (1 - self.epsilon)
        return Draw(gradient, index, held._replace(left=held.left - 1))

    def draw_together(self, lcg: Linearization, sources: Array, state: State, rng: np.random.Generator) -> Draw | None:
        """The best path of each, all walked at once; None where there are candidates to draw."""
        if self.m is not None or self.epsilon:
            return None
        held, weight = kept_walks(state, lcg.signature), lcg.carried
        if held is None:
            semiring, sizes = lcg.largest
            if semiring is not LARGEST or not isinstance(sizes, np.ndarray):
                return None
            taken = best_edges(lcg.structure, np.asarray(weight), sizes)
            if taken is None:
                return None
            walks = walk_along(lcg.structure, sources, taken, sizes[sources] == 0)
            held = HeldWalks(walks, lcg.signature, self.k_max)
        return Draw(held.walks.product(weight), held.walks, held._replace(left=held.left - 1))

    def draw_over_arrays(self, elements: Elements, param: str, state: State, rng: np.random.Generator) -> Draw:
        """The best of m random candidates for each, drawn with replacement: of so many paths hardly one is drawn twice."""
        if self.m is None or self.epsilon:
            raise BadInput(
                "SPAD() compares all paths, and here the edges between numbers are too many to be written out. Give it m, "
                "the number of candidates to draw, SPAD(m=5), with epsilon=0."
            )
        held = kept_walks(state, elements.signature_of_walks)
        if held is None:
            best = elements.walk(param, rng)
            size = np.abs(best.product(elements.at))
            for _ in range(self.m - 1):
                other = elements.walk(param, rng)
                sizes = np.abs(other.product(elements.at))
                better = ~(sizes <= size)  # NaN is the largest
                best, size = best.those(~better).beside(other.those(better)), np.where(better, sizes, size)
            held = HeldWalks(best, elements.signature_of_walks, self.k_max)
        return Draw(held.walks.product(elements.at), held.walks, held._replace(left=held.left - 1))

    def _select(self, lcg: Linearized, param: str, rng: np.random.Generator) -> Held:
        n = lcg.count_paths(param)
        if self.m is None or (not self.replace and self.m >= n):
            return Held(lcg.best_route(param), lcg.signature, self.k_max)
        if self.replace and self.m > FEW and self.m >= n:
            index = best_of_very_many(lcg, param, rng, self.m)
        else:
            index = best_of(lcg, param, rng, self.m, self.replace, lambda g: sizes(lcg, g))
        return Held(lcg.route(param, index), lcg.signature, self.k_max)

    def _selects_the_best(self, lcg: Linearized, param: str) -> bool:
        return self.m is None or (not self.replace and self.m >= lcg.count_paths(param))

    @asks_numbers
    def selection(self, lcg: Linearized, param: str) -> Array:
        """The probability that each path is the one selected (before epsilon), shape (N,) or (N, R).

        A path that r others beat is the best of m candidates with probability C(N-1-r, m-1) / C(N, m) without
        replacement and ((N-r)**m - (N-r-1)**m) / N**m with it. NaN beats all others.
        """
        sizes = lcg.path_sizes(param)
        if not len(sizes) or not self._selects_the_best(lcg, param):
            return chance_of_selection(sizes, self.m, self.replace)
        chosen = np.arange(len(sizes)).reshape(-1, *(1 for _ in lcg.batch)) == lcg.best_index(param)
        return chosen.astype(float)

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """The probability that a fresh draw follows each path, shape (N,) or (N, R)."""
        q = self.selection(lcg, param)
        if len(q) < 2:
            return q
        return (1 - self.epsilon) * q + self.epsilon * (1 - q) / (len(q) - 1)

    def moments(self, lcg: Linearized, param: str) -> tuple[Data, Data]:
        """By one sweep when all paths are candidates, or one; otherwise by enumeration, which TooManyPaths may refuse.

        Given the selected path, the draw follows it with 1 - epsilon and each of the others with epsilon / (N - 1).
        """
        n = lcg.count_paths(param)
        if n and lcg.elementwise and self._selects_the_best(lcg, param):
            best, others = lcg.largest_and_others(param)
            if not self.epsilon or n == 1:
                return best, abs(0.0 * best)
            return self._mixed(lcg, param, best, 0.0, others.mean, others.deviation)
        if n > 1 and lcg.elementwise and self.m == 1:
            mean, variance = lcg.moments(param, lcg.chances("path"), False)
            deviation = np.sqrt(variance)
            return self._mixed(lcg, param, mean, deviation, mean, deviation) if self.normalize else (mean, variance)
        g = lcg.path_gradients(param)
        if not self.normalize or n < 2:
            return mean_and_variance(aligned(self.probabilities(lcg, param), g), g)
        p, mean = self.epsilon / (n - 1), lcg.adjoint(param)
        stray = p * (g / p - mean) ** 2
        kept_to = (1 - self.epsilon) * (g / (1 - self.epsilon) - mean) ** 2
        given = kept_to + np.sum(stray, axis=0) - stray
        return mean, mean_and_variance(aligned(self.selection(lcg, param), g), given)[0]

    def _mixed(
        self, lcg: Linearized, param: str, mean: Data, deviation: Data, other_mean: Data, other_deviation: Data
    ) -> Data:
        """Mean and variance, from the path kept to, and the others, to which a draw strays with probability epsilon."""
        epsilon, kept_to, stray = self.epsilon, 1.0, 1.0
        if self.normalize:
            kept_to, stray = 1 / (1 - epsilon), as_float(lcg.count_paths(param) - 1) / epsilon
            if stray == float("inf"):
                raise BadInput(
                    f'"{param}" has so many paths, or epsilon is so small, that what an estimate is multiplied by when it '
                    "strays, (N - 1) / epsilon, is beyond the largest float, and so are its moments. Magnitude() and "
                    "RAD(normalize=True) have moments there."
                )
        rest, root = np.sqrt(1 - epsilon), np.sqrt(epsilon)
        with np.errstate(all="ignore"):
            apart = rest * root * (kept_to * mean - stray * other_mean)
            total = lcg.adjoint(param) if self.normalize else (1 - epsilon) * mean + epsilon * other_mean
            spread = np.hypot(np.hypot(rest * kept_to * deviation, root * stray * other_deviation), apart)
            variance = spread * spread
        return total, variance if np.ndim(variance) else float(variance)

    @staticmethod
    def best_epsilon(lcg: Linearized, param: str) -> Data:
        """The epsilon of least variance for ``SPAD(m=None, normalize=True)``: b / (a + b).

        a = |g_max|, b**2 = (N - 1) sum of the other g_i**2: E[ghat**2] = a**2 / (1 - eps) + b**2 / eps is least, (a + b)**2,
        there. An array in a batch. 0 where there is one path, or the others contribute nothing; (N - 1) / N, the
        uniform draw, where all contributions are zero. By one sweep. Raises NotElementwise where edges are linear maps,
        BadInput where contributions under- or overflow.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> best = ts.SPAD.best_epsilon(lcg, "x")
        >>> round(best, 3)
        0.209
        >>> for epsilon in (0.05, best, 0.6):
        ...     print(round(ts.SPAD(epsilon=epsilon, normalize=True).second_moment(lcg, "x")))
        20371
        13311
        21803
        """
        at, numbers = in_numbers(lcg, "numbers")
        if numbers is not None:
            lcg, param = at, numbers.number(param, "best_epsilon")
        if not lcg.elementwise:
            raise NotElementwise(
                "best_epsilon: some edges are linear maps, so squares do not multiply along a path. "
                "Ask lcg.elements() of a number."
            )
        best, others = lcg.largest_and_others(param)
        n = lcg.count_paths(param)
        if not n:
            return abs(0.0 * best)
        a, b = np.abs(best), as_float(others.number) * np.hypot(others.deviation, others.mean)
        lost = ~((a + b > 0) & (a + b < np.inf)) & np.isfinite(lcg.log_mass(param))
        if np.any(lost):
            raise BadInput(
                f'The contributions to the gradient of "{param}" are too large or too small for floats to compare their '
                "squares."
            )
        found = np.where(a + b == 0, (n - 1) / n, b / np.where(a + b == 0, 1.0, a + b))
        return found if found.shape else float(found)

    @property
    def steps_per_draw(self) -> int:  # type: ignore[override]
        """How many steps in a row share their randomness."""
        return 1 if self.m is None else self.k_max

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """Every k_max steps m candidates, or the sweep for the best of all; in every step the path that is followed."""

        def length(name: str) -> Data:
            n, uniform = lcg.count_paths(name), lcg.mean_length(name, lcg.chances("path"))
            if self.m == 1:
                return uniform
            if not (self._selects_the_best(lcg, name) and lcg.elementwise):
                return np.tensordot(lcg.lengths(name), self.probabilities(lcg, name), 1)
            best = lcg.length(name, lcg.best_route(name))
            if not self.epsilon or n == 1:
                return best
            return best + self.epsilon * (uniform - best) * (
                n / (n - 1)
            )  # the others' mean, with the best one left out

        if self.m is None:
            select = lcg.factors(param) if lcg.elementwise else candidates_cost(lcg, param, None, False)
            return path_cost(lcg, param, length, select, select, self.k_max)
        if self.m == 1:  # nothing to compare
            return path_cost(lcg, param, length)
        one = candidates_cost(lcg, param, 1, False)  # candidates are held one after the other
        return path_cost(lcg, param, length, candidates_cost(lcg, param, self.m, self.replace), one, self.k_max)


@dataclass(frozen=True)
class NearestPath(Estimator):
    """The path whose contribution is nearest to the full gradient (paper, eq. (8)).

    Every ``k_max`` steps draw ``m`` different candidates, keep the one of least |g - gradient| (the first in path order on a
    tie), and follow it. ``m=None`` compares all paths; no sweep finds the nearest, so they are listed, and it raises
    TooManyPaths past 100 000. It needs the full gradient at every selection. A candidate that is not finite counts as the
    nearest (so is the gradient, then), so that it is followed, and the run stops, marked.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(lambda x: x + x**2 + x**3, 1.0)
    >>> lcg.path_gradients("x"), lcg.adjoint("x"), ts.NearestPath().expectation(lcg, "x")
    (array([2., 1., 3.]), 6.0, 3.0)
    """

    paths_only = True

    m: int | None = None
    k_max: int = 1

    def __post_init__(self) -> None:
        if self.m is not None:
            set_integer(self, "m")
        set_integer(self, "k_max")

    def draw(self, lcg: Linearized, param: str, state: State, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return nothing(lcg, param)
        held = kept(state, lcg) or Held(lcg.route(param, self._select(lcg, param, rng)), lcg.signature, self.k_max)
        return Draw(lcg.follow(param, held.route), held.route, held._replace(left=held.left - 1))

    def _select(self, lcg: Linearized, param: str, rng: np.random.Generator) -> Data:
        if self.m is None and lcg.count_paths(param) > LIMIT:
            raise TooManyPaths(
                f'NearestPath() compares all {spaced(lcg.count_paths(param))} paths of "{param}"; listing stops at '
                f"{spaced(LIMIT)}. Give it m, the number of candidates to draw."
            )
        if self.m is None or self.m >= lcg.count_paths(param):
            index = np.argmax(nearness(lcg, lcg.path_gradients(param), lcg.adjoint(param)), axis=0)
            return index if lcg.batch else int(index)
        gradient = lcg.adjoint(param)
        return best_of(lcg, param, rng, self.m, False, lambda g: nearness(lcg, g, gradient))

    @asks_numbers
    def probabilities(self, lcg: Linearized, param: str) -> Array:
        """The probability that each path is the nearest of the candidates, shape (N,) or (N, R)."""
        return chance_of_selection(nearness(lcg, lcg.path_gradients(param), lcg.adjoint(param)), self.m, False)

    @property
    def steps_per_draw(self) -> int:  # type: ignore[override]
        """How many steps in a row share their randomness."""
        return 1 if self.m is None else self.k_max

    @asks_numbers
    def cost(self, lcg: Linearized, param: str | None = None) -> Cost:
        """Every k_max steps the full gradient and the candidates; in every step the path that is followed."""

        def length(name: str) -> Data:
            return np.tensordot(lcg.lengths(name), self.probabilities(lcg, name), 1)

        sweep = lcg.factors(param)
        select = sweep + candidates_cost(lcg, param, self.m, False)
        return path_cost(lcg, param, length, select, sweep, self.k_max)
