"""Which inputs of a layer the gradient of its weight follows.

The gradient of a weight W in y = x W is x^T g: one path from each weight through each example. RAD (Oktay et al. 2020)
replaces x by x P P^T with E[P P^T] = I, and so keeps only x P. The signal that goes on backwards, g W^T, is not touched, so
that errors do not build up from layer to layer. Each class here is one kind of P, for inputs x whose last axis is the d
features of a linear layer, or the d = H W pixels of a convolution: ``keep`` gives x P, ``restore`` x P P^T.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import BadInput

Array = np.ndarray[Any, Any]

KINDS = ("same", "different", "projection", "identity", "layers")


def kept_number(keep: float, d: int) -> int:
    """How many of d inputs are kept: ceil(keep d), at least one."""
    return min(d, max(1, math.ceil(round(keep * d, 9))))


@dataclass(frozen=True)
class Same:
    """k of d inputs, one set for the whole batch: ``index``, shape (k,), ascending.

    >>> import numpy as np
    >>> half = Same(np.array([0, 3]), 4)
    >>> half.restore(half.keep(np.arange(8.0).reshape(2, 4)))
    array([[ 0.,  0.,  0.,  6.],
           [ 8.,  0.,  0., 14.]])
    """

    index: Array
    d: int

    def __post_init__(self) -> None:
        index = np.asarray(self.index)
        if index.ndim != 1 or index.dtype.kind not in "iu" or np.any(np.diff(index) <= 0):
            raise BadInput(f"Same: index is a row of different whole numbers in ascending order, not {index!r:.60}.")
        if not index.size or index[0] < 0 or index[-1] >= self.d:
            raise BadInput(f"Same: of {self.d} inputs the index goes from 0 to {self.d - 1}, and names at least one.")

    @property
    def scale(self) -> float:
        """d / k, by which the estimate becomes unbiased."""
        return self.d / len(self.index)

    def keep(self, x: Array) -> Array:
        return x.take(self.index, axis=-1)

    def restore(self, kept: Array) -> Array:
        x = np.zeros((*kept.shape[:-1], self.d), kept.dtype)
        x[..., self.index] = kept * kept.dtype.type(self.scale)
        return x


@dataclass(frozen=True)
class Different:
    """k of d inputs, a set for every example (of images: for every channel of each, as RAD's authors released it): k that
    follow each other, cyclically, in one order of all d inputs.

    The order is drawn anew for every batch, and for every example, independently, where in it the set begins: ``first``, of
    shape (B,), or (B, C). So each set is uniform over all sets of k, the estimate is unbiased, and its variance is that of
    independent sets: given the order, every example's estimate is still unbiased, and they are independent.
    """

    order: Array
    first: Array
    k: int

    @property
    def d(self) -> int:
        """The number of inputs."""
        return len(self.order)

    @property
    def scale(self) -> float:
        """d / k."""
        return self.d / self.k

    @property
    def index(self) -> Array:
        """Shape (B, k), or (B, C, k): made when it is needed, and not kept."""
        return self.order[(self.first[..., None] + np.arange(self.k)) % self.d]

    def of(self, i: int) -> Different:
        """Those of example i alone."""
        return Different(self.order, self.first[i : i + 1], self.k)

    def keep(self, x: Array) -> Array:
        return np.take_along_axis(x, self.index, axis=-1)

    def restore(self, kept: Array) -> Array:
        x = np.zeros((*kept.shape[:-1], self.d), kept.dtype)
        np.put_along_axis(x, self.index, kept * kept.dtype.type(self.scale), axis=-1)
        return x


class Multiplied:
    """Inputs by way of a matrix P, which is made when it is needed, and not kept."""

    def matrix(self, dtype: Any) -> Array:
        """P."""
        raise NotImplementedError

    def of(self, i: int) -> Multiplied:
        """Those of example i alone: the same for all."""
        return self

    def keep(self, x: Array) -> Array:
        return x @ self.matrix(x.dtype)

    def restore(self, kept: Array) -> Array:
        return kept @ self.matrix(kept.dtype).T


@dataclass(frozen=True)
class Projection(Multiplied):
    """k random sums and differences of all d inputs: P is d x k, its elements +-1 / sqrt(k)."""

    seed: tuple[int, ...]
    d: int
    k: int

    def matrix(self, dtype: Any) -> Array:
        """P, made from the seed when it is needed, and not kept."""
        signs = np.random.default_rng(self.seed).integers(0, 2, (self.d, self.k), np.int8)
        return ((2 * signs - 1) / np.sqrt(self.k)).astype(dtype)


@dataclass(frozen=True)
class Identity(Multiplied):
    """All inputs, by way of a matrix: P is the identity, made when it is needed. Exact, as following everything is, at the
    cost of a projection onto d dimensions: what the SPAD paper compares with (Appendix C)."""

    d: int

    def matrix(self, dtype: Any) -> Array:
        """P."""
        return np.eye(self.d, dtype=dtype)


@dataclass(frozen=True)
class Nothing:
    """No input: the gradients of the layer's parameters are zero for a step."""

    d: int

    def keep(self, x: Array) -> Array:
        return x[..., :0].copy()

    def restore(self, kept: Array) -> Array:
        return np.zeros((*kept.shape[:-1], self.d), kept.dtype)


Followed = Same | Different | Projection | Identity | Nothing


@dataclass(frozen=True)
class Way:
    """What a forward pass keeps, as a value: the same way draws the same sets, layer by layer, as often as it is asked.

    ``kind``: "same", "different" or "projection", of RAD; "identity", a projection that loses nothing; "layers" (every layer
    follows all its inputs, or none, with probability ``keep``); None follows everything. ``seed`` decides the sets, but in
    the places, such as (3,) or (3, 0), for which ``seeds`` has one; ``noise`` decides dropout's masks (None: no dropout, as
    in evaluation). ``place`` says in which layer one is, ``part`` in which part of the batch.

    >>> import numpy as np
    >>> way = Way("same", keep=0.25, seed=1)
    >>> way.inputs(np.zeros((10, 8))).index.tolist() == way.inputs(np.ones((10, 8))).index.tolist()
    True
    """

    kind: str | None = None
    keep: float = 1.0
    seed: int = 0
    noise: int | None = None
    place: tuple[int, ...] = ()
    part: tuple[int, ...] = ()
    seeds: Mapping[tuple[int, ...], int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise BadInput(f"Way: kind is one of {', '.join(KINDS)}, or None for everything, not {self.kind!r:.40}.")
        if not isinstance(self.keep, (int, float, np.number)) or not 0 < self.keep <= 1:
            raise BadInput(f"Way: keep is a share of the inputs, above 0 and at most 1, not {self.keep!r:.40}.")

    def at(self, i: int) -> Way:
        """The way on inside layer i."""
        return Way(self.kind, self.keep, self.seed, self.noise, (*self.place, i), self.part, self.seeds)

    def chunk(self, k: int) -> Way:
        """The way of the k-th part of a batch."""
        return Way(self.kind, self.keep, self.seed, self.noise, self.place, (*self.part, k), self.seeds)

    def inputs(self, x: Any) -> Followed | None:
        """Which inputs of the layer at this place are followed: of the features, or the pixels of images; None: all."""
        if self.kind is None:
            return None
        shape = x.shape
        d = math.prod(shape[2:]) if len(shape) > 2 else shape[-1]
        if self.kind == "identity":
            return Identity(d)
        if self.kind == "layers":
            frozen = np.random.default_rng(self._key()).random() >= self.keep
            return Nothing(d) if frozen else None
        k, key = kept_number(self.keep, d), self._key()
        if self.kind == "projection":
            return Projection(key, d, k)
        if k == d:
            return None
        if self.kind == "same":
            return Same(_set(key, d, k), d)
        of_examples = np.random.default_rng((*key, *(part + 1 for part in self.part or (0,))))
        return Different(_set(key, d, d), of_examples.integers(0, d, shape[: 2 if len(shape) > 2 else 1]), k)

    def _key(self) -> tuple[int, ...]:
        """What the sets are drawn from: the place, and the seed of the innermost layer around it that has one."""
        around = (self.place[:n] for n in range(len(self.place), -1, -1))
        return next((self.seeds[place] for place in around if place in self.seeds), self.seed), *self.place

    def mask(self, shape: tuple[int, ...], rate: float) -> Array | None:
        """Which elements dropout leaves, each with probability 1 - rate; None where there is no dropout."""
        if self.noise is None or rate == 0:
            return None
        return np.random.default_rng((self.noise, *self.place, *(self.part or (0,)))).random(shape, np.float32) >= rate


@lru_cache(maxsize=64)
def _set(key: tuple[int, ...], d: int, k: int) -> Array:
    """k of d in ascending order; all d, in an order of their own. What is held is not drawn again for every step."""
    order = np.random.default_rng(key).permutation(d)
    order = order if k == d else np.sort(order[:k])
    order.flags.writeable = False
    return order


ALL = Way()
"""Everything is followed, and dropout is off."""
