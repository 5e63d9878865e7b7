"""What a point is made of: who computes there, the edges' weights, and the seed that a sweep starts from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data
from ..errors import BadInput, NotScalar
from ..paths import FEWEST, Structure, Weights
from ..rules import Masked
from .choices import guarded_onward, guarded_weights, not_finite
from .code import Code, Node, Unchanging


class Weighted(Unchanging):
    """A program at a point, as far as its edges are concerned; of it ``Point`` asks the gradient and single paths."""

    def __init__(
        self,
        code: Code,
        structure: Structure,
        params: tuple[str, ...],
        arguments: tuple[Data, ...],
        batch: tuple[int, ...] = (),
        *,
        elementwise: bool = True,
        observed: Data = None,
    ) -> None:
        self.code, self.structure, self.params, self.arguments = code, structure, params, arguments
        self.batch, self.elementwise, self.observed = batch, elementwise and observed is None, observed

    @property
    def names(self) -> Sequence[str]:
        """The variables' names, by node."""
        return self.code.names

    @property
    def nodes(self) -> Sequence[Node]:
        """The variables of the program, in the order in which it defines them."""
        return self.code.nodes

    @property
    def signature(self) -> Data:
        """Equal for two points at which the same program ran."""
        return self.code.signature

    @property
    def value(self) -> Data:
        """The output; of observations the weighted sum."""
        value = self.code.value
        return self.summed(self.observed * value) if self.observed is not None else value

    def summed(self, found: Data) -> Data:
        """The sum over the observations, where there are some."""
        if self.observed is not None:
            found = np.broadcast_to(found, self.observed.shape).sum(axis=0)
            return found if self.batch else float(found)
        if found is self.seed or isinstance(found, np.float64):
            return np.copy(found) if np.shape(found) else float(found)
        return found

    @cached_property
    def weight(self) -> Sequence[Data]:
        """The local partial derivative on every edge; where it matters, with nothing flowing along what is not taken."""
        weight = self.code.weight
        weight = weight.tolist() if isinstance(weight, np.ndarray) else weight
        if not self.needs_guard:
            return weight
        with np.errstate(all="ignore"):
            return guarded_weights(self.structure, weight, self.code.choices)

    @cached_property
    def taken(self) -> list[Data]:
        """Of edges with numbers, 1 where they are taken and 0 where not: along a path their product says whether it is."""
        choices = self.code.choices
        return [(w != 0) * 1.0 if e in choices.edges else 1.0 for e, w in enumerate(self.code.weight)]

    def weight_onward(self, source: int) -> Sequence[Data]:
        """The same for a sweep from a parameter on."""
        with np.errstate(all="ignore"):
            return guarded_onward(self.structure, list(self.code.weight), self.code.choices, [source])

    @cached_property
    def needs_guard(self) -> bool:
        """Whether a part of the gradient is not finite, and the program makes choices, which may leave out what is not."""
        if not self.code.chooses:
            return False
        with np.errstate(all="ignore"):
            return any(map(not_finite, self._unguarded[: len(self.params)]))

    @cached_property
    def _unguarded(self) -> list[Data]:
        """The adjoints by the weights as they are."""
        value = self.code.value
        plain = self.observed is None and not self.elementwise and not self.batch and np.size(value) != 1
        seed = np.ones(np.shape(value)) if plain else self.seed  # of several outputs together
        found = algebra.sweep(self.structure, self._carried(self.code.weight), algebra.GRADIENT, seed)
        return found.tolist() if isinstance(found, np.ndarray) else list(found)

    @cached_property
    def carried(self) -> Weights:
        """The weights for sweeps over all edges: as one array where they are numbers in double precision, and many."""
        return self.weight if self.needs_guard else self._carried(self.code.weight)

    def _carried(self, given: Weights) -> Weights:
        plain = self.elementwise and not self.batch and all(a.__class__ is float for a in self.arguments)
        if plain and len(given) >= FEWEST:
            return np.asarray(given, float)
        return given.tolist() if isinstance(given, np.ndarray) else given

    @property
    def numbers(self) -> Array:
        """The weights as an array of numbers, where each is one: 0 of what is not taken."""
        given = self.carried
        if isinstance(given, np.ndarray):
            return given
        return np.array([w.shown() if isinstance(w, Masked) else w for w in given], float)

    @cached_property
    def seed(self) -> Data:
        """The adjoint of the output: 1, ones for a batch of runs, or the observations' weights."""
        if self.observed is not None:
            return self.observed
        self.check_differentiable()
        value = self.code.value
        if isinstance(value, float):
            return 1.0
        seed = np.ones(np.shape(value), np.result_type(value))
        seed.flags.writeable = False  # a path without factors carries it as it is
        return seed[()]

    def check_differentiable(self) -> None:
        """Raise NotScalar if the output is neither one number nor a batch of independent runs."""
        independent = self.elementwise or self.batch or self.observed is not None
        if not independent and np.size(self.code.value) != 1:
            raise NotScalar(
                f"The output has shape {np.shape(self.code.value)} and its elements are not independent runs, so there is "
                "no single gradient. Reduce it to one number, for example with np.sum or np.mean; or, if they are runs, "
                "give every parameter the same shape (np.full_like)."
            )

    def validate(self) -> None:
        """Prove single access: only tupling nodes have several readers, and those read nothing else.

        Raises BadInput naming the variable that is read twice. Cost: O(edges).
        """
        structure, weight = self.structure, self.__dict__.get("weight", self.code.weight)
        for node in range(structure.size):
            branches = structure.branches(node)
            if len(branches) < 2:
                continue
            for e in branches:
                to = structure.head[e]
                w = weight[e] if weight[e].__class__ is not Masked else weight[e].weight
                copies = self.code.is_branch(to) and isinstance(w, float) and w == 1.0
                if not copies or len(structure.branches(to)) != 1:
                    raise BadInput(f'"{self.names[node]}" is read {len(branches)} times without a tupling node.')
        for e, to in enumerate(structure.head):
            if not structure.tail[e] < to <= structure.output:
                raise BadInput(f'The edge from "{self.names[structure.tail[e]]}" does not lead towards the output.')
