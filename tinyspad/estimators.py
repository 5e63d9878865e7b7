"""Estimators: which paths make up today's gradient.

An estimator is a frozen value. ``init()`` gives the state before the first step; ``draw(lcg, param, state, rng)`` gives
a ``Draw``: the gradient estimate, the index of the path followed, and the next state. Each parameter draws for itself,
as in the paper's Algorithms 1 and 2, and in a batch each run draws for itself. A held path is remembered by its index,
which stands for its branch choices as long as the program keeps its shape; when the shape changes, it is drawn afresh.

``probabilities(lcg, param)`` gives the chance that a fresh draw follows each path; ``expectation`` and ``variance`` are
exact sums over them. These list the paths, so they raise TooManyPaths beyond 100 000.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any, NamedTuple, Protocol

import numpy as np

from .errors import BadInput
from .lcg import LCG

__all__ = ["ALL_PATHS", "GD", "RAD", "SPAD", "Draw", "Estimator", "FixedPath"]

ALL_PATHS = -1
"""Stands in place of a path index when every path was followed, or when there is none."""


class Draw(NamedTuple):
    """One estimate: the gradient, the index of the path it follows (an array of them in a batch), and the next state."""

    gradient: Any
    path: Any
    state: Any


class Held(NamedTuple):
    """A path that is kept for some more steps, as long as the program has this signature.

    ``route``: its branch choices, by which it is followed; ``index``: its number, for the record.
    """

    index: Any
    route: Any
    signature: tuple[Any, ...]
    left: int

    def __repr__(self) -> str:
        return f"<Held: path {self.index}, {self.left} steps left>"


class Estimator(Protocol):
    """What ``minimize`` asks of an estimator."""

    def init(self) -> Any:
        """The state before the first step."""

    def draw(self, lcg: LCG, param: str, state: Any, rng: np.random.Generator) -> Draw:
        """Estimate the gradient with respect to one parameter."""

    def probabilities(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """The chance that a fresh draw follows each path, shape (N,), or (N, R) in a batch."""

    def expectation(self, lcg: LCG, param: str) -> Any:
        """The exact mean of a fresh draw's gradient, of the parameter's shape."""

    def variance(self, lcg: LCG, param: str) -> Any:
        """Its exact variance, elementwise."""


@dataclass(frozen=True)
class GD:
    """Gradient descent: all paths, the exact gradient by one reverse sweep.

    >>> import numpy as np, tinyspad as ts
    >>> lcg = ts.trace(lambda x: x * x, 3.0)
    >>> ts.GD().draw(lcg, "x", None, np.random.default_rng(0)).gradient
    6.0
    """

    def init(self) -> Any:
        return None

    def draw(self, lcg: LCG, param: str, state: Any, rng: np.random.Generator) -> Draw:
        return Draw(lcg.adjoint(param), _everywhere(lcg, ALL_PATHS), None)

    def probabilities(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """Ones: every path is followed."""
        return np.ones((len(lcg.path_gradients(param)), *lcg.batch))

    def expectation(self, lcg: LCG, param: str) -> Any:
        """The gradient."""
        return lcg.adjoint(param)

    def variance(self, lcg: LCG, param: str) -> Any:
        """Zero, elementwise."""
        return 0.0 * lcg.adjoint(param)


@dataclass(frozen=True)
class RAD:
    """Randomized automatic differentiation: one path, drawn uniformly (Oktay et al. 2020; paper, eq. (4)).

    ``by``: "path" draws uniformly over the N paths, "branch" uniformly at each tupling node that is met.
    ``normalize=True`` divides by the probability of what was drawn (by path: multiplies by N), which makes the estimate
    unbiased; otherwise its mean over paths is gradient / N. ``hold``: a path is kept for this many steps.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(lambda x: x * x, 3.0)
    >>> ts.RAD().expectation(lcg, "x"), ts.RAD(normalize=True).expectation(lcg, "x")
    (3.0, 6.0)
    """

    by: str = "path"
    normalize: bool = False
    hold: int = 1

    def __post_init__(self) -> None:
        if self.by not in ("path", "branch"):
            raise BadInput(f'RAD: by= is "path" or "branch", not {self.by!r}.')
        _check_whole("RAD", "hold", self.hold)

    def init(self) -> Any:
        return None

    def draw(self, lcg: LCG, param: str, state: Any, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return _nothing(lcg, param)
        held = _kept(state, lcg) or _hold(lcg, param, lcg.draw_index(param, rng, self.by), self.hold)
        gradient = lcg.follow(param, held.route)
        if self.normalize and self.by == "path":
            gradient = gradient * _as_float(lcg.count_paths(param))
        elif self.normalize:
            gradient = np.divide(gradient, lcg.branch_probability(param, held.index))
        return Draw(gradient, held.index, held._replace(left=held.left - 1))

    def probabilities(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """The probability of each path, shape (N,) or (N, R): 1 / N, or the product of 1 / branches."""
        n = len(lcg.path_gradients(param))
        p = lcg.branch_probability(param, np.arange(n)) if self.by == "branch" else np.full(n, 1 / max(n, 1))
        return _over_runs(p, lcg)

    def expectation(self, lcg: LCG, param: str) -> Any:
        """sum p_i g_i, or the gradient when normalised. Exact."""
        return _mean(*self._outcomes(lcg, param))

    def variance(self, lcg: LCG, param: str) -> Any:
        """sum p_i (estimate_i - expectation)**2, elementwise. Exact."""
        return _variance(*self._outcomes(lcg, param))

    def _outcomes(self, lcg: LCG, param: str) -> tuple[Any, Any]:
        g = lcg.path_gradients(param)
        p = _aligned(self.probabilities(lcg, param), g)
        return p, g / p if self.normalize else g


@dataclass(frozen=True)
class SPAD:
    """Selective path automatic differentiation (paper, Algorithms 1 and 2).

    Every ``k_max`` steps draw ``m`` candidate paths, keep the one of largest \\|g\\| (the first in path order on a tie)
    and follow it for ``k_max`` steps. ``m=None`` takes all paths as candidates: exact at any N by the max-product
    sweep. ``replace``: candidates are drawn with replacement. ``epsilon > 0``: at every step follow, with probability
    epsilon, one of the N - 1 other paths instead, uniformly (the almost-Dirac distribution over all N paths, eq. (5)).
    ``normalize=True`` divides by the probability of what was followed, 1 - epsilon or epsilon / (N - 1): unbiased.

    Algorithm 2, the paper's "SPAD in practice", is ``epsilon=0, normalize=False``; with m = 1 and k_max = 1 it is RAD.
    The paper's Algorithm 1 is ``epsilon > 0, normalize=True``. Raises BadInput for ``normalize`` with epsilon 0 or 1,
    where some paths are never drawn and no factor makes the estimate unbiased.

    >>> import tinyspad as ts
    >>> lcg = ts.trace(ts.functions.f1, 5.0)
    >>> lcg.path_gradients("x").round(2)
    array([ 24.08, -91.29])
    >>> round(ts.SPAD().expectation(lcg, "x"), 2)
    -91.29
    """

    m: int | None = None
    k_max: int = 1
    epsilon: float = 0.0
    normalize: bool = False
    replace: bool = False

    def __post_init__(self) -> None:
        if self.m is not None:
            _check_whole("SPAD", "m", self.m)
        _check_whole("SPAD", "k_max", self.k_max)
        if not (isinstance(self.epsilon, (int, float)) and 0 <= self.epsilon <= 1):
            raise BadInput(f"SPAD: epsilon is a probability between 0 and 1, not {self.epsilon!r}.")
        if self.normalize and self.epsilon in (0, 1):
            raise BadInput(
                f"SPAD: with epsilon={self.epsilon} some paths are never followed, so no normalisation makes the estimate "
                "unbiased. Use 0 < epsilon < 1, or normalize=False (Algorithm 2)."
            )
        if self.replace and self.m is None:
            raise BadInput("SPAD: replace=True needs m, the number of candidates to draw.")

    def init(self) -> Any:
        return None

    def draw(self, lcg: LCG, param: str, state: Any, rng: np.random.Generator) -> Draw:
        n = lcg.count_paths(param)
        if not n:
            return _nothing(lcg, param)
        held = _kept(state, lcg) or _hold(lcg, param, self._select(lcg, param, rng), self.k_max)
        if not self.epsilon or n == 1:
            return Draw(lcg.follow(param, held.route), held.index, held._replace(left=held.left - 1))
        strays = rng.random(lcg.batch or None) < self.epsilon
        other = lcg.draw_others(param, rng, held.index)
        index = np.where(strays, other, held.index) if lcg.batch else other if strays else held.index
        gradient = lcg.path_gradient(param, index)
        if self.normalize:
            gradient = np.divide(gradient, np.where(strays, self.epsilon / _as_float(n - 1), 1 - self.epsilon))
        return Draw(gradient, index, held._replace(left=held.left - 1))

    def _select(self, lcg: LCG, param: str, rng: np.random.Generator) -> Any:
        if self.m is None:
            return lcg.best_index(param)
        if self.replace:
            candidates = [lcg.draw_index(param, rng) for _ in range(self.m)]
        else:
            candidates = list(lcg.draw_distinct(param, rng, self.m))
        # One candidate after the other, so that memory does not depend on m.
        best = candidates[0]
        largest = _size(lcg, lcg.path_gradient(param, best)) if len(candidates) > 1 else None
        for index in candidates[1:]:
            size = _size(lcg, lcg.path_gradient(param, index))
            better = (size > largest) | ((size == largest) & (index < best))
            if lcg.batch:
                best, largest = np.where(better, index, best), np.where(better, size, largest)
            elif better:
                best, largest = index, size
        return best if lcg.batch else int(best)

    def selection(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """The probability that each path is the one selected (before epsilon), shape (N,) or (N, R).

        A path that r others beat is the best of m candidates with probability C(N-1-r, m-1) / C(N, m) without
        replacement and ((N-r)**m - (N-r-1)**m) / N**m with it.
        """
        sizes = _sizes(lcg, param)
        n = len(sizes)
        by_size = np.argsort(-sizes, axis=0, kind="stable")  # stable: the first path wins a tie
        if self.m is None:
            chance = [1.0, *[0.0] * (n - 1)]
        elif self.replace:
            chance = [((n - r) ** self.m - (n - r - 1) ** self.m) / n**self.m for r in range(n)]
        else:
            m = min(self.m, n)
            chance = [comb(n - 1 - r, m - 1) / comb(n, m) for r in range(n)]
        result = np.empty(sizes.shape)
        np.put_along_axis(result, by_size, np.reshape(chance[:n], (n,) + (1,) * (sizes.ndim - 1)), axis=0)
        return result

    def probabilities(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """The probability that a fresh draw follows each path, shape (N,) or (N, R)."""
        q = self.selection(lcg, param)
        if len(q) < 2:
            return q
        return (1 - self.epsilon) * q + self.epsilon * (1 - q) / (len(q) - 1)

    def expectation(self, lcg: LCG, param: str) -> Any:
        """sum p_i g_i, or the gradient when normalised. Exact."""
        if self.normalize:
            return lcg.adjoint(param)
        g = lcg.path_gradients(param)
        return _mean(_aligned(self.probabilities(lcg, param), g), g)

    def variance(self, lcg: LCG, param: str) -> Any:
        """The mean of (estimate - expectation)**2, elementwise, over selection and almost-Dirac draw together. Exact."""
        g = lcg.path_gradients(param)
        n = len(g)
        if not self.normalize or n < 2:
            return _variance(_aligned(self.probabilities(lcg, param), g), g)
        # Given that path i is selected: i itself with 1 - epsilon, each of the others with epsilon / (n - 1).
        p, mean = self.epsilon / (n - 1), lcg.adjoint(param)
        stray = p * (g / p - mean) ** 2
        kept = (1 - self.epsilon) * (g / (1 - self.epsilon) - mean) ** 2
        given = kept + np.sum(stray, axis=0) - stray
        return _mean(_aligned(self.selection(lcg, param), g), given)


@dataclass(frozen=True)
class FixedPath:
    """Always the path with this index (Figure 3, green and black-dashed).

    >>> import tinyspad as ts
    >>> round(ts.FixedPath(0).expectation(ts.trace(ts.functions.f1, 5.0), "x"), 2)
    24.08
    """

    index: int

    def __post_init__(self) -> None:
        _check_whole("FixedPath", "index", self.index, least=0)

    def init(self) -> Any:
        return None

    def draw(self, lcg: LCG, param: str, state: Any, rng: np.random.Generator) -> Draw:
        if not lcg.count_paths(param):
            return _nothing(lcg, param)
        lcg.nth_path(param, self.index)  # names the number of paths if there is no such path
        return Draw(lcg.path_gradient(param, self.index), _everywhere(lcg, self.index), None)

    def probabilities(self, lcg: LCG, param: str) -> np.ndarray[Any, Any]:
        """One for this path, zero for the others."""
        lcg.nth_path(param, self.index)
        p = np.zeros(len(lcg.path_gradients(param)))
        p[self.index] = 1.0
        return _over_runs(p, lcg)

    def expectation(self, lcg: LCG, param: str) -> Any:
        """The path's contribution."""
        return lcg.path_gradient(param, self.index)

    def variance(self, lcg: LCG, param: str) -> Any:
        """Zero, elementwise."""
        return 0.0 * self.expectation(lcg, param)


def _kept(state: Held | None, lcg: LCG) -> Held | None:
    return state if state is not None and state.left > 0 and state.signature == lcg.signature else None


def _hold(lcg: LCG, param: str, index: Any, steps: int) -> Held:
    return Held(index, lcg.route(param, index), lcg.signature, steps)


def _as_float(number: int) -> float:
    """A count as a float; past the largest float infinity, which a run's status then reports."""
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _nothing(lcg: LCG, param: str) -> Draw:
    """No path leads from the parameter to the output: the gradient is zero, whatever the estimator."""
    return Draw(lcg.adjoint(param), _everywhere(lcg, ALL_PATHS), None)


def _everywhere(lcg: LCG, index: int) -> Any:
    return np.full(lcg.batch, index) if lcg.batch else index


def _over_runs(p: np.ndarray[Any, Any], lcg: LCG) -> np.ndarray[Any, Any]:
    return np.broadcast_to(p.reshape(p.shape + (1,) * len(lcg.batch)), p.shape + lcg.batch).copy()


def _size(lcg: LCG, gradient: Any) -> Any:
    return np.abs(gradient) if lcg.batch or np.shape(gradient) == () else np.linalg.norm(np.ravel(gradient))


def _sizes(lcg: LCG, param: str) -> np.ndarray[Any, Any]:
    listed = lcg.path_gradients(param)
    if lcg.batch or listed.ndim == 1:
        return np.abs(listed)
    return np.asarray(np.linalg.norm(listed.reshape(len(listed), -1), axis=1))


def _aligned(p: np.ndarray[Any, Any], g: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return p.reshape(p.shape + (1,) * (g.ndim - p.ndim))


def _mean(p: Any, estimates: Any) -> Any:
    result = np.sum(p * estimates, axis=0)
    return result if result.shape else float(result)


def _variance(p: Any, estimates: Any) -> Any:
    """About the mean, not as a difference of squares, which would lose all digits where the estimates are alike."""
    return _mean(p, (estimates - _mean(p, estimates)) ** 2)


def _check_whole(estimator: str, name: str, value: Any, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise BadInput(f"{estimator}: {name} is a whole number, at least {least}, not {value!r}.")
