"""Which observations of the data a step sees: samplers as values, for losses that are means over data.

    loss(theta) = (1 / n) sum_j l_j(theta)

``init`` makes a state, ``draw`` gives the indices of K observations with their weights, so that the gradient of a step is
sum_k weight_k grad l_{index_k}. Nothing is kept between calls but the state that is handed in and out. All arrays have a
trailing axis of runs where there are runs: each draws for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .arguments import Data, State, set_integer
from .errors import BadInput

__all__ = ["Bandit", "FullBatch", "Importance", "Observed", "Sampler", "Shuffled", "Uniform"]


class Observed(NamedTuple):
    """The observations of a step: ``index`` and ``weight`` of shape (K, *runs), and the next state."""

    index: Data
    weight: Data
    state: State


class Sampler:
    """The base of all samplers: what ``minimize`` asks of them. One of your own gives ``init`` and ``draw``.

    ``learns``: whether ``learn`` wants the gradient norms of what was drawn.

    >>> import numpy as np
    >>> class First(Sampler):  # always the first observation: biased
    ...     def init(self, n, runs=()):
    ...         return runs
    ...     def draw(self, state, rng):
    ...         return Observed(np.zeros((1, *state), int), np.ones((1, *state)), state)
    >>> import tinyspad as ts
    >>> fit = ts.minimize(lambda a, y: (a - y) ** 2, 0.0, data=np.array([3.0, 5.0]), observations=First())
    >>> round(fit.x, 2)
    3.0
    """

    learns = False

    def init(self, n: int, runs: tuple[int, ...] = ()) -> State:
        """The state before the first step, for n observations and so many runs. Raises BadInput where n does not fit."""
        raise NotImplementedError

    def draw(self, state: State, rng: np.random.Generator) -> Observed:
        """The observations of one step."""
        raise NotImplementedError

    def probabilities(self, state: State) -> Data:
        """The chance that a place in the batch holds each observation: shape (n, *runs), sum 1."""
        raise NotImplementedError

    def asks(self, state: State) -> bool:
        """Whether it wants the gradient norms of all observations, by ``tell``, before it draws."""
        return False

    def tell(self, state: State, norms: Data) -> State:
        """The next state, given the norms of all observations' gradients: shape (n, *runs)."""
        return state

    def learn(self, state: State, observed: Observed, norms: Data) -> State:
        """The next state, given the norms of the gradients that were drawn: shape (K, *runs).

        Where observations go side by side, of the paths that were followed, which the step has computed anyhow; where a
        batch is one graph, of the full gradients, K traces more.
        """
        return state


class Count(NamedTuple):
    """How many observations and runs there are."""

    n: int
    runs: tuple[int, ...]


@dataclass(frozen=True)
class FullBatch(Sampler):
    """All observations at every step: no randomness.

    >>> import numpy as np
    >>> full = FullBatch()
    >>> full.draw(full.init(4), np.random.default_rng(0)).index
    array([0, 1, 2, 3])
    """

    def init(self, n: int, runs: tuple[int, ...] = ()) -> Count:
        return Count(n, runs)

    def draw(self, state: Count, rng: np.random.Generator) -> Observed:
        n, runs = state
        every = np.arange(n).reshape(n, *(1 for _ in runs))
        return Observed(np.broadcast_to(every, (n, *runs)), np.full((n, *runs), 1 / n), state)

    def probabilities(self, state: Count) -> Data:
        return np.full((state.n, *state.runs), 1 / state.n)


class Order(NamedTuple):
    """A random order of the observations, of each run, and how many of it have been seen."""

    order: Data
    seen: int


@dataclass(frozen=True)
class Shuffled(Sampler):
    """Mini-batches of stochastic gradient descent: a random order, cut in pieces, then another one.

    Within an epoch no observation comes twice; a batch that reaches over the end of an epoch is filled from the next order.
    Each step alone is unbiased: every observation is equally likely at every place. Steps of one epoch depend on each other.

    >>> import numpy as np
    >>> sampler, rng = Shuffled(2), np.random.default_rng(0)
    >>> first = sampler.draw(sampler.init(4), rng)
    >>> second = sampler.draw(first.state, rng)
    >>> sorted([*first.index.tolist(), *second.index.tolist()])
    [0, 1, 2, 3]
    """

    size: int = 8

    def __post_init__(self) -> None:
        set_integer(self, "size")

    def init(self, n: int, runs: tuple[int, ...] = ()) -> Order:
        if self.size > n:
            raise BadInput(
                f"Shuffled: batches of {self.size} cannot be drawn from {n} observations without replacement."
            )
        start = np.arange(n).reshape(n, *(1 for _ in runs))
        return Order(np.broadcast_to(start, (n, *runs)), n)

    def draw(self, state: Order, rng: np.random.Generator) -> Observed:
        order, seen = state
        index = order[seen : seen + self.size]
        seen += self.size
        if seen > len(order):
            order = rng.permuted(order, axis=0)
            missing = self.size - len(index)
            index, seen = np.concatenate([index, order[:missing]]), missing
        return Observed(index, np.full(index.shape, 1 / self.size), Order(order, seen))

    def probabilities(self, state: Order) -> Data:
        """Of a step whose epoch is not known: 1 / n."""
        return np.full(state.order.shape, 1 / len(state.order))


@dataclass(frozen=True)
class Uniform(Sampler):
    """K observations drawn uniformly with replacement; steps are independent.

    >>> import numpy as np
    >>> sampler = Uniform(3)
    >>> sampler.draw(sampler.init(10), np.random.default_rng(0)).weight
    array([0.33333333, 0.33333333, 0.33333333])
    """

    size: int = 8

    def __post_init__(self) -> None:
        set_integer(self, "size")

    def init(self, n: int, runs: tuple[int, ...] = ()) -> Count:
        return Count(n, runs)

    def draw(self, state: Count, rng: np.random.Generator) -> Observed:
        shape = (self.size, *state.runs)
        return Observed(rng.integers(state.n, size=shape), np.full(shape, 1 / self.size), state)

    def probabilities(self, state: Count) -> Data:
        return np.full((state.n, *state.runs), 1 / state.n)


class Known(NamedTuple):
    """The probabilities in use, shape (n, *runs); None before the first norms. ``left``: steps until they are made anew."""

    p: Data
    left: float
    n: int
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Importance(Sampler):
    """Importance sampling: K observations with replacement, with probability in proportion to a bound on the gradient norm::

        p_j = (1 - floor) b_j / sum b + floor / n        weight = 1 / (K n p_j)

    Unbiased whatever the bounds, as long as no p_j is 0, which ``floor`` sees to. Where b_j is the norm itself, and floor
    0, no other p has less variance (if then a norm is 0, the draw is uniform). ``bounds``: b, n numbers of at least 0,
    such as Lipschitz constants; if left out, the norms at the start, and again every ``refresh`` steps, each time at the
    cost of all n gradients. (Zhao & Zhang 2015; Needell, Srebro & Ward 2014 for bounds; Alain et al. 2015 for norms.)

    >>> import numpy as np
    >>> sampler = Importance(2, bounds=[1.0, 1.0, 8.0], floor=0.0)
    >>> sampler.probabilities(sampler.init(3))
    array([0.1, 0.1, 0.8])
    """

    size: int = 8
    bounds: Data = None
    refresh: int | None = None
    floor: float = 0.1

    def __post_init__(self) -> None:
        set_integer(self, "size")
        _check_share(self, "floor", zero=True)
        if self.refresh is not None:
            set_integer(self, "refresh")
        if self.bounds is None:
            return
        if self.refresh is not None:
            raise BadInput("Importance: refresh makes the bounds anew; give bounds or refresh, not both.")
        try:
            bounds = tuple(float(b) for b in np.asarray(self.bounds, float))
        except (TypeError, ValueError):
            bounds = (np.nan,)
        if not all(0 <= b < np.inf for b in bounds) or not sum(bounds) > 0:
            raise BadInput(f"Importance: bounds are finite numbers of at least 0, not all 0, not {self.bounds!r:.60}.")
        if not self.floor and not all(bounds):
            raise BadInput("Importance: an observation of bound 0 would never be drawn; give floor above 0.")
        object.__setattr__(self, "bounds", bounds)  # hashable, and nobody else's to change

    def init(self, n: int, runs: tuple[int, ...] = ()) -> Known:
        if self.bounds is None:
            return Known(None, 0, n, runs)
        if len(self.bounds) != n:
            raise BadInput(f"Importance: there are {len(self.bounds)} bounds and {n} observations.")
        p = self._p(np.array(self.bounds))
        return Known(np.broadcast_to(p.reshape(n, *(1 for _ in runs)), (n, *runs)), np.inf, n, runs)

    def asks(self, state: Known) -> bool:
        return state.left <= 0

    def tell(self, state: Known, norms: Data) -> Known:
        norms = np.asarray(norms, float)
        norms = np.where(np.isfinite(norms), norms, 0.0)
        return state._replace(p=self._p(norms), left=np.inf if self.refresh is None else self.refresh)

    def _p(self, bounds: Data) -> Data:
        n = len(bounds)
        largest = bounds.max(axis=0)
        share = np.where(largest > 0, bounds / np.where(largest > 0, largest, 1.0), 1.0)  # the sum cannot overflow
        p = (1 - self.floor) * share / share.sum(axis=0) + self.floor / n
        return np.where(np.any(p <= 0, axis=0), 1 / n, p)  # floor 0, and a norm of 0: nothing may be ruled out

    def draw(self, state: Known, rng: np.random.Generator) -> Observed:
        if state.p is None:
            raise BadInput("Importance: without bounds it needs the norms of all gradients first (tell).")
        index, weight = _drawn(state.p, self.size, rng)
        return Observed(index, weight, state._replace(left=state.left - 1))

    def probabilities(self, state: Known) -> Data:
        return np.full((state.n, *state.runs), 1 / state.n) if state.p is None else state.p


class Arms(NamedTuple):
    """What a bandit believes: the probabilities, shape (n, *runs), and the largest norm that each run has seen."""

    p: Data
    largest: Data


@dataclass(frozen=True)
class Bandit(Sampler):
    """Adam with bandit sampling (Liu, Wu & Mozafari 2020; the paper's reference [10]); ``optimizer=Adam()`` makes the step.

    K observations with replacement from p, weight 1 / (K n p_j). Then, for those drawn::

        l_j = L**2 / p_min**2 - |g_j|**2 / p_j**2        w_j = p_j exp(-alpha_p l_j count_j / (K p_j))

    and p becomes w projected on {sum p = 1, p >= p_min}. ``floor``: p_min = floor / n. L is the largest norm a run has
    seen, and alpha_p = rate * p_min**3 / L**2, so that ``rate`` has no unit: a step shrinks a w by at most exp(-rate).
    Unbiased at every step, since what is divided by is the probability that was used. Of how soon it learns nothing is
    claimed here (AdamCB, ICLR 2025, finds the original guarantee limited).

    >>> import numpy as np
    >>> sampler, rng = Bandit(2), np.random.default_rng(0)
    >>> state = sampler.init(3)
    >>> for _ in range(2000):
    ...     seen = sampler.draw(state, rng)
    ...     state = sampler.learn(seen.state, seen, np.array([1.0, 1.0, 8.0])[seen.index])
    >>> bool(sampler.probabilities(state).argmax() == 2)
    True
    """

    size: int = 8
    rate: float = 0.3
    floor: float = 0.5

    learns = True

    def __post_init__(self) -> None:
        set_integer(self, "size")
        _check_share(self, "floor", zero=False)
        if not _is_number(self.rate) or not 0 <= self.rate < np.inf:
            raise BadInput(f"Bandit: rate is a finite number, at least 0, not {self.rate!r:.60}.")

    def init(self, n: int, runs: tuple[int, ...] = ()) -> Arms:
        return Arms(np.full((n, *runs), 1 / n), np.zeros(runs))

    def draw(self, state: Arms, rng: np.random.Generator) -> Observed:
        index, weight = _drawn(state.p, self.size, rng)
        return Observed(index, weight, state)

    def learn(self, state: Arms, observed: Observed, norms: Data) -> Arms:
        p, n = state.p, len(state.p)
        norms = np.where(np.isfinite(norms), norms, 0.0)
        largest = np.maximum(state.largest, norms.max(axis=0))
        if not np.any(largest > 0):
            return state  # nothing to tell the observations apart
        least = self.floor / n
        drawn = (observed.index, *np.indices(p.shape[1:]))
        held = p[drawn]
        ratio = least / held
        relative = norms / np.where(largest > 0, largest, 1.0)
        shrink = self.rate * ratio * (1 - (relative * ratio) ** 2) / self.size  # added up: once for each time drawn
        logs = np.zeros(p.shape)
        np.subtract.at(logs, drawn, np.where(largest > 0, shrink, 0.0))
        return Arms(_projected(p * np.exp(logs), least), largest)

    def probabilities(self, state: Arms) -> Data:
        return state.p


def _drawn(p: Data, size: int, rng: np.random.Generator) -> tuple[Data, Data]:
    """Indices drawn with replacement from the columns of p, and their weights 1 / (K n p)."""
    n, runs = len(p), p.shape[1:]
    number = int(np.prod(runs))
    upto = np.cumsum(p.reshape(n, number), axis=0)
    upto /= upto[-1]
    shift = np.arange(number)  # run r lies between r and r + 1: one search serves all
    places = np.searchsorted((upto + shift).T.ravel(), (rng.random((size, number)) + shift).ravel(), side="right")
    index = (places.reshape(size, number) - n * shift).clip(0, n - 1).reshape(size, *runs)
    place = (index, *np.indices(runs))
    return index, 1 / (size * n * p[place])


def _projected(w: Data, least: float) -> Data:
    """w scaled to sum 1 with no entry below ``least``: what is below is lifted, the rest shares what is left."""
    n = len(w)
    low = np.zeros(w.shape, bool)
    p = w / w.sum(axis=0)
    while np.any(fell := (p < least) & ~low):
        low |= fell
        rest = np.where(low, 0.0, w)
        total = rest.sum(axis=0)
        left = 1 - least * low.sum(axis=0)
        p = np.where(low, least, rest * (left / np.where(total > 0, total, 1.0)))
    p = np.where(np.all(low, axis=0), 1 / n, p)
    return p / p.sum(axis=0)


def _is_number(x: Data) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


def _check_share(sampler: Data, name: str, zero: bool) -> None:
    value = getattr(sampler, name)
    if not _is_number(value) or not (0 <= value <= 1) or (not zero and value == 0):
        least = "at least 0" if zero else "above 0"
        raise BadInput(f"{type(sampler).__name__}: {name} is a share, {least} and at most 1, not {value!r:.60}.")
