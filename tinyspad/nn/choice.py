"""Which paths make up a step's gradient, in bulk: the estimators of the core, for networks.

A gradient of a weight has as many paths as examples and outputs; one of them would move nothing. So a set of inputs stands
for a path, some share ``keep`` of every layer's, and ``draw`` gives the gradient of the sets that were chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
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
    """What ``fit`` asks of a choice of paths. One that has ``frozen``, and it is true, leaves weights to which no followed
    path leads as they are, until one does; otherwise what an optimizer remembers, such as momentum, moves them on."""

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
    """All paths: the exact gradient. ``identity``: by way of a multiplication with an explicit identity matrix, as the SPAD
    paper measures its baseline's memory; the gradient is the same."""

    identity: bool = False
    unbiased = True

    def init(self) -> None:
        return None

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        return gradients(net, x, labels, Way("identity" if self.identity else None, noise=_seed(rng)), count)


@dataclass(frozen=True)
class RandomPaths:
    """RAD: a share ``keep`` of every layer's inputs, drawn anew for every step; unbiased.

    ``kind``: "same", one set for the batch; "different", a set for every example (and channel of an image); "projection",
    random sums of all inputs. ``frozen``: weights of inputs that are not in the set do not move (with "same" and in linear
    layers; the other kinds, and pixels of a convolution, lead to all weights).

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
    frozen: bool = False

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

    ``select``: "layer", each layer holds the candidate that is largest there, as the paper's Algorithm 2 chooses for each
    parameter; or "net", all hold the one that is largest altogether. ``norm``: sizes by squares, "l2", or by absolute
    values, "l1". ``criterion``: "gradient" compares the candidates' gradients (m forward and backward passes, one after
    the other, so that memory does not depend on m); "activation" the inputs that they keep (one forward pass). ``kind``,
    ``frozen``: as of ``RandomPaths``. Biased, like every selection, unless m = 1. The paper's Section III-B and Appendix C.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net, x = nn.small_fc_net(rng=0), np.random.default_rng(0).random((50, 784), np.float32)
    >>> step = nn.SelectivePaths(m=3).draw(net, x, np.zeros(50, int), ((), 0), np.random.default_rng(0))
    >>> list(step.way.seeds), len(set(step.way.seeds.values())) > 1      # four layers, not all with the same candidate
    ([(1,), (3,), (5,), (7,)], True)
    """

    keep: float = 0.1
    m: int = 10
    k_max: int = 10
    criterion: str = "gradient"
    kind: str = "same"
    select: str = "layer"
    norm: str = "l2"
    frozen: bool = False

    def __post_init__(self) -> None:
        check_keep(self)
        for name in ("m", "k_max"):
            set_integer(self, name)
        for name, words in SELECTIVE.items():
            if getattr(self, name) not in words:
                told = " or ".join(f'"{word}"' for word in words)
                raise BadInput(f"SelectivePaths: {name} is {told}, not {getattr(self, name)!r:.40}.")

    @property
    def unbiased(self) -> bool:
        """With one candidate it is a draw like any other."""
        return self.m == 1

    def init(self) -> tuple[Any, int]:
        """The seeds of the held sets, and for how many more steps they are held."""
        return (), 0

    def draw(
        self, net: Sequential, x: Any, labels: Any, state: Any, rng: np.random.Generator, count: bool = False
    ) -> Step:
        seeds, left = state
        alone, noise = self._alone(net), _seed(rng)
        if left:
            step = self._along(dict(zip(alone, seeds)), net, x, labels, noise, count)
        else:
            candidates, left = [_seed(rng) for _ in range(self.m)], self.k_max
            step = self._best(alone, net, x, labels, candidates, noise, count)
        return step._replace(state=([step.way.seeds[place] for place in alone], left - 1))

    def _alone(self, net: Sequential) -> dict[tuple[int, ...], list[str]]:
        """What a set is chosen for: the places of layers with parameters, and these parameters' names; or all of the net."""
        if self.select == "net":
            return {(): list(net.params)}
        alone: dict[tuple[int, ...], list[str]] = {}
        for name in net.params:
            alone.setdefault(tuple(map(int, takewhile(str.isdigit, name.split(".")))), []).append(name)
        return alone

    def _along(self, seeds: Any, net: Sequential, x: Any, labels: Any, noise: int, count: bool) -> Step:
        return gradients(net, x, labels, Way(self.kind, self.keep, 0, noise, seeds=seeds), count)

    def _best(
        self, alone: Any, net: Sequential, x: Any, labels: Any, candidates: list[int], noise: int, count: bool
    ) -> Step:
        if self.criterion == "activation":
            watching = Watching([Way(self.kind, self.keep, seed, noise) for seed in candidates], self.norm)
            arrays = {name: value._data for name, value in net.params.items()}
            way: Any = watching
            net.run(x, arrays, way)
            largest = {place: candidates[int(np.argmax(watching.sizes_in(place)))] for place in alone}
            return self._along(largest, net, x, labels, noise, count)
        best: dict[str, Any] = {}
        sizes: dict[Any, float] = {}
        seeds: dict[Any, int] = {}
        for seed in candidates:  # at most two gradients at a time, however many candidates there are
            step = self._along({(): seed}, net, x, labels, noise, count)
            for place, names in alone.items():
                size = size_of({name: step.gradients[name] for name in names}, self.norm)
                if place not in seeds or size > sizes[place]:
                    sizes[place], seeds[place] = size, seed
                    best |= {name: step.gradients[name] for name in names}
            loss, held = step.loss, step.held
            del step
        way = Way(self.kind, self.keep, 0, noise, seeds=seeds)
        return Step(loss, {name: best[name] for name in net.params}, held, way, None)


SELECTIVE = {
    "criterion": ("gradient", "activation"),
    "kind": KINDS[:3],
    "select": ("layer", "net"),
    "norm": ("l2", "l1"),
}
"""The words that ``SelectivePaths`` understands."""


@dataclass(frozen=True)
class LayerOut:
    """Every layer's weights follow all paths, with probability ``keep``, or none: layers left out at random, for comparison.

    The gradient of a layer that is left out is zero, and the backward signal still passes through it; with ``frozen`` its
    parameters do not move either. Biased: keep times the exact gradient on average.
    """

    keep: float = 0.5
    frozen: bool = False
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
    """A way that follows everything and adds up, for each of several candidate ways, the size of what it would keep."""

    def __init__(self, ways: list[Way], norm: str = "l2", sizes: Any = None) -> None:
        self.ways, self.place, self.norm = ways, ways[0].place, norm
        self.sizes: dict[tuple[int, ...], Any] = {} if sizes is None else sizes

    def at(self, i: int) -> Watching:
        """The way on inside layer i."""
        return Watching([way.at(i) for way in self.ways], self.norm, self.sizes)

    def chunk(self, k: int) -> Watching:
        """The way of the k-th part of a batch."""
        return Watching([way.chunk(k) for way in self.ways], self.norm, self.sizes)

    def inputs(self, x: Any) -> None:
        """Look at the inputs of the layer at this place."""
        flat = x.reshape(*x.shape[:2], -1) if x.ndim > 2 else x
        found = self.sizes.setdefault(self.place, np.zeros(len(self.ways)))
        for c, way in enumerate(self.ways):
            followed = way.inputs(x)
            found[c] += NORMS[self.norm](flat if followed is None else followed.keep(flat))

    def sizes_in(self, place: tuple[int, ...]) -> Any:
        """A size for each way, of what is kept at a place and inside it."""
        inside = [found for at, found in self.sizes.items() if at[: len(place)] == place]
        return sum(inside, np.zeros(len(self.ways)))

    def mask(self, shape: tuple[int, ...], rate: float) -> Any:
        """The mask of dropout, which is the same for all of them."""
        return self.ways[0].mask(shape, rate)


NORMS: dict[str, Callable[[Any], float]] = {
    "l2": lambda a: float(np.vdot(a, a)),
    "l1": lambda a: float(np.abs(a).sum()),
}
"""The size of an array by which candidates are ranked, which adds up over arrays: of the Euclidean norm its square."""


def size_of(gradients: Mapping[str, Any], norm: str = "l2") -> float:
    """The size of all gradients together: the sum of their squares, or of their absolute values ("l1")."""
    return sum(NORMS[norm](g.values if isinstance(g, Rows) else g) for g in gradients.values())
