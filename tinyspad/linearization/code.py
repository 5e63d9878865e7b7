"""Who computes at a point: a recording that has done so, or code that was generated for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arguments import Data
from ..errors import BadInput
from ..paths import Route, Weights
from ..rules import Choices


@dataclass(frozen=True)
class Node:
    """One variable of the single-access program.

    ``kind`` is "parameter", "branch" (one of the copies that a tupling node makes) or "operation"; ``tupled`` says that
    this node is a tupling node, read by its tupling alone. ``text`` is the right-hand side that defines it.
    """

    index: int
    name: str
    kind: str
    tupled: bool
    text: str


class Code(Protocol):
    """What a ``Linearization`` asks of whoever computes.

    ``value`` is the output, ``names`` are the variables', ``signature`` tells programs apart, ``weight`` is that of
    every edge, ``chooses`` says whether the program makes choices, and ``choices`` which. Three are hooks,
    ``gradient``, ``follow`` and ``listing``: what code of its own finds faster than a sweep or a walk over the
    weights, or None.
    """

    @property
    def value(self) -> Data: ...

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def nodes(self) -> Sequence[Node]: ...

    @property
    def signature(self) -> Data: ...

    @property
    def weight(self) -> Weights: ...

    @property
    def chooses(self) -> bool: ...

    @property
    def choices(self) -> Choices: ...

    def is_branch(self, node: int) -> bool:
        """Whether a node is a copy that a tupling node makes."""

    def gradient(self, source: int) -> Data:
        """The gradient with respect to one parameter."""

    def follow(self, route: Route) -> Data:
        """The contribution of each run's own path."""

    def listing(self, source: int) -> Data:
        """The contributions of all paths of a parameter, shape (N, R): where they are few."""

    def evaluate(self, arguments: Sequence[Data]) -> Data:
        """The output at another point. Raises BadInput where the function is not known."""

    def replay(self, arguments: Sequence[Data], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]:
        """Output and weights at another point, if every result is passed through ``then`` before it is read."""


class Unchanging:
    """Nothing in it changes, so that a copy is itself; and it cannot be pickled."""

    def __copy__(self) -> Data:
        return self

    def __deepcopy__(self, memo: Data) -> Data:
        return self

    def __reduce__(self) -> Data:
        raise BadInput(
            "An LCG, or what a program answers at a point, cannot be pickled, and neither can their paths: they refer to "
            "the function and its tape. Send the function and the point, and trace there; or the arrays that you need."
        )


def in_form_of(argument: Data, result: Data) -> Data:
    """A result as a float, as a number of the argument's precision, or as an array of its shape that nobody else has."""
    if isinstance(argument, float):
        return float(result)
    if isinstance(argument, np.ndarray) and np.ndim(result) == 0:
        return np.full_like(argument, result)
    return argument.dtype.type(result) if isinstance(argument, np.generic) else np.array(result, argument.dtype)
