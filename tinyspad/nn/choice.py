"""Which paths make up a step's gradient, in bulk: the estimators of the core, for networks.

A gradient of a weight has as many paths as examples and outputs; one of them would move nothing. So a set of inputs stands
for a path, some share ``keep`` of every layer's, and ``draw`` gives the gradient of the sets that were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arguments import set_integer
from ..errors import BadInput
from ..rules import Rows
from ..tape import put_back, raw_gradient
from .followed import ALL, KINDS, Way
from .functional import cross_entropy
from .layers import Sequential
from .memory import saved_bytes

SEEDS = 2**63


class Step(NamedTuple):
    """One step's gradient: the loss, gradients by parameter (arrays, or ``Rows`` of them), bytes held for backward by
    layer (None if they were not asked for), the way that was followed, and the state for the next step."""

    loss: float
    gradients: dict[str, Any]
    held: dict[str, int] | None
    way: Way
    state: Any


class PathChoice(Protocol):
    """What ``fit`` asks of a choice of paths."""

    @property
    def unbiased(self) -> bool:
        """Whether the mean over all draws is the exact gradient."""

    def init(self) -> Any:
        """The state before the first step."""

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        """The gradient of a step on this batch."""


def gradients(net: Sequential, x: Any, labels: Any, way: Way = ALL, count: bool = False) -> Step:
    """The loss and the gradients of all parameters along a way; ``count``: the bytes held for backward, too.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net = nn.small_fc_net(rng=0)
    >>> x, labels = np.zeros((5, 784), np.float32), np.arange(5)
    >>> nn.gradients(net, x, labels, nn.Way("same", 0.1, seed=1)).gradients["1.weight"]
    <79 of 784 rows of an array (784, 300)>
    """
    loss = cross_entropy(net(x, way), labels)
    held = saved_bytes(loss) if count else None
    before = {name: raw_gradient(value) for name, value in net.params.items()}
    for value in net.params.values():
        value.grad = 0.0
    try:
        loss.backward()
        found = {name: raw_gradient(value) for name, value in net.params.items()}
    finally:  # what the caller had accumulated stays
        for name, value in net.params.items():
            put_back(value, before[name])
    return Step(float(loss.data), found, held, way, None)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(SEEDS))


def check_keep(choice: Any) -> None:
    """Raise BadInput unless keep is a share above 0."""
    keep = choice.keep
    if isinstance(keep, bool) or not isinstance(keep, (int, float, np.number)) or not 0 < keep <= 1:
        raise BadInput(f"{type(choice).__name__}: keep is a share of the inputs, above 0 and at most 1, not {keep!r}.")


@dataclass(frozen=True)
class AllPaths:
    """All paths: the exact gradient."""

    unbiased = True

    def init(self) -> None:
        return None

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        return gradients(net, x, labels, Way(noise=_seed(rng)), count)


@dataclass(frozen=True)
class RandomPaths:
    """RAD: a share ``keep`` of every layer's inputs, drawn anew for every step; unbiased.

    ``kind``: "same", one set for the batch; "different", a set for every example; "projection", random sums of all inputs.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net, x = nn.small_fc_net(rng=0), np.random.default_rng(0).random((50, 784), np.float32)
    >>> exact, sampled = (
    ...     choice.draw(net, x, np.zeros(50, int), choice.init(), np.random.default_rng(0), count=True).held["1"]
    ...     for choice in (nn.AllPaths(), nn.RandomPaths(0.1))
    ... )
    >>> exact, sampled          # the layer's inputs: 50 x 784 numbers; 50 x 79, and where they are
    (156800, 16432)
    """

    keep: float = 0.1
    kind: str = "same"

    unbiased = True

    def __post_init__(self) -> None:
        check_keep(self)
        if self.kind not in KINDS[:3]:
            raise BadInput(f'RandomPaths: kind is "same", "different" or "projection", not {self.kind!r}.')

    def init(self) -> None:
        return None

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        return gradients(net, x, labels, Way(self.kind, self.keep, _seed(rng), _seed(rng)), count)


@dataclass(frozen=True)
class SelectivePaths:
    """SPAD: every ``k_max`` steps draw m candidate sets, and hold the one with the largest gradient for k_max steps.

    ``criterion``: "gradient" compares the norms of the candidates' gradients (m forward and backward passes, one after the
    other, so that memory does not depend on m); "activation" the norms of the inputs that they keep (one forward pass).
    Biased, like every selection, unless m = 1. The paper's Section III-B and Appendix C.
    """

    keep: float = 0.1
    m: int = 10
    k_max: int = 10
    criterion: str = "gradient"
    kind: str = "same"

    def __post_init__(self) -> None:
        check_keep(self)
        for name in ("m", "k_max"):
            set_integer(self, name)
        if self.criterion not in ("gradient", "activation"):
            raise BadInput(f'SelectivePaths: criterion is "gradient" or "activation", not {self.criterion!r}.')
        if self.kind not in KINDS[:3]:
            raise BadInput(f'SelectivePaths: kind is "same", "different" or "projection", not {self.kind!r}.')

    @property
    def unbiased(self) -> bool:
        """With one candidate it is a draw like any other."""
        return self.m == 1

    def init(self) -> tuple[int, int]:
        """The seed of the held sets, and for how many more steps they are held."""
        return 0, 0

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        seed, left = state
        noise = _seed(rng)
        if left:
            step = gradients(net, x, labels, Way(self.kind, self.keep, seed, noise), count)
        else:
            ways = [Way(self.kind, self.keep, _seed(rng), noise) for _ in range(self.m)]
            step, left = self._best(net, x, labels, ways, count), self.k_max
        return step._replace(state=(step.way.seed, left - 1))

    def _best(self, net: Sequential, x: Any, labels: Any, ways: list[Way], count: bool) -> Step:
        if len(ways) == 1:
            return gradients(net, x, labels, ways[0], count)
        if self.criterion == "activation":
            watching = Watching(ways)
            arrays = {name: value._data for name, value in net.params.items()}
            way: Any = watching
            net.run(x, arrays, way)
            return gradients(net, x, labels, ways[int(np.argmax(watching.squares))], count)
        best = gradients(net, x, labels, ways[0], count)
        largest = squared_norm(best.gradients)
        for way in ways[1:]:
            step = gradients(net, x, labels, way, count)
            if (square := squared_norm(step.gradients)) > largest:
                best, largest = step, square
            del step  # at most two gradients at a time, however many candidates there are
        return best


@dataclass(frozen=True)
class LayerOut:
    """Every layer's weights follow all paths, with probability ``keep``, or none: layers frozen at random, for comparison.

    Frozen layers have gradient zero, and the backward signal still passes through them. Biased: keep times the exact
    gradient on average.
    """

    keep: float = 0.5
    unbiased = False

    def __post_init__(self) -> None:
        check_keep(self)

    def init(self) -> None:
        return None

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        return gradients(net, x, labels, Way("layers", self.keep, _seed(rng), _seed(rng)), count)


class Watching:
    """A way that follows everything and adds up, for each of several candidate ways, the squares of what it would keep."""

    def __init__(self, ways: list[Way], squares: Any = None) -> None:
        self.ways, self.place = ways, ways[0].place
        self.squares = np.zeros(len(ways)) if squares is None else squares

    def at(self, i: int) -> Watching:
        """The way on inside layer i."""
        return Watching([way.at(i) for way in self.ways], self.squares)

    def chunk(self, k: int) -> Watching:
        """The way of the k-th part of a batch."""
        return Watching([way.chunk(k) for way in self.ways], self.squares)

    def inputs(self, x: Any) -> None:
        """Look at the inputs of the layer at this place."""
        flat = x.reshape(*x.shape[:2], -1) if x.ndim > 2 else x
        for c, way in enumerate(self.ways):
            followed = way.inputs(x)
            kept = flat if followed is None else followed.keep(flat)
            self.squares[c] += float(np.sum(np.square(kept, dtype=np.float64)))

    def mask(self, shape: tuple[int, ...], rate: float) -> Any:
        """The mask of dropout, which is the same for all of them."""
        return self.ways[0].mask(shape, rate)


def squared_norm(gradients: Mapping[str, Any]) -> float:
    """The square of the Euclidean norm of all gradients together."""
    arrays = [g.values if isinstance(g, Rows) else g for g in gradients.values()]
    return float(sum(np.vdot(a, a) for a in arrays))
