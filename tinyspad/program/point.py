"""A program at a point: value, weights, gradient and paths as generated code computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ..arguments import Data
from ..errors import ChangedData
from ..linearization import Node
from ..paths import Route, counts
from ..rules import Choices
from .buffers import Buffers, Runs
from .tidy import read_only


class Compiled(Runs, Protocol):
    """What a point asks of the program that computes there. ``choosing``: the edges whose zeros leave something out."""

    params: tuple[str, ...]
    signature: Any

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def nodes(self) -> Sequence[Node]: ...

    @property
    def constants(self) -> list[Any]: ...

    choosing: frozenset[int]

    def run(self, kind: str, args: tuple[Data, ...]) -> Data: ...

    def replay(self, args: tuple[Data, ...], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]: ...

    def run_checked(self, kind: str, args: tuple[Any, ...]) -> Any: ...

    def follower(self, param: int) -> Any: ...


class CompiledPoint:
    """What ``program.at`` hands to a ``Linearization``: the hooks of generated code, each run once when it is asked for.

    ``first``: what will be asked, the "weights" of the paths or the "gradient"; the value comes along with it. ``buffers``:
    memory that later points write into; then this one answers until the next one asks.
    """

    def __init__(self, program: Compiled, args: tuple[Any, ...], first: str, buffers: Buffers | None) -> None:
        self.program, self.args, self.buffers = program, args, buffers
        self.batch: tuple[int, ...] = np.shape(args[0]) if args else ()
        self.few = self._takes_few() if buffers is None else buffers.few
        self.first = "paths" if first == "weights" and self.few else first
        self.signature = program.signature
        if buffers is not None:
            buffers.turn += 1
            self._turn = buffers.turn

    def _takes_few(self) -> bool:
        """Whether these are runs side by side of a program with few paths, in double precision."""
        return bool(self.batch) and all(a.dtype == float for a in self.args) and self.program.few

    @property
    def names(self) -> Sequence[str]:
        return self.program.names

    @property
    def nodes(self) -> Sequence[Node]:
        return self.program.nodes

    @property
    def chooses(self) -> bool:
        return bool(self.program.choosing)

    @property
    def choices(self) -> Choices:
        return Choices(self.program.choosing)

    def is_branch(self, node: int) -> bool:
        return self.program.nodes[node].kind == "branch"

    def evaluate(self, arguments: Sequence[Data]) -> Data:
        """By the program's code, with the same data."""
        return self.program.run("forward", self._all(arguments))[0]

    def replay(self, arguments: Sequence[Data], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]:
        """Formula by formula."""
        return self.program.replay(self._all(arguments), then)

    def _all(self, arguments: Sequence[Data]) -> tuple[Data, ...]:
        return (*arguments, *self.args[len(arguments) :])

    @cached_property
    def value(self) -> Any:
        """By the code that also gives what is asked first: the gradient, the contributions, or the weights."""
        self._check_turn()
        if self.first == "paths":
            found = self._value_and_paths[0]
        else:
            found = self._value_and_gradient[0] if self.first == "gradient" else self._weights[0]
        return found.copy() if self.batch else found

    @cached_property
    def weight(self) -> Sequence[Any]:
        left = iter(self._weights[1])
        return [read_only(next(left)) if w is None else w for w in self.program.constants]

    def gradient(self, source: int) -> Any:
        """By the program's own code."""
        self._check_turn()
        found = self._value_and_gradient[1 + source]
        return found.copy() if self.batch else found

    def follow(self, route: Route) -> Any:
        """By code in which tupling nodes pass on the branch that each run takes; not where choices leave something out."""
        if self.program.choosing and not all(np.all(np.isfinite(w)) for w in self._weights[1]):
            return None
        with np.errstate(all="ignore"):
            found = self.program.follower(route.source)(self._weights[1], route.masks)
        return found if isinstance(found, np.ndarray) and found.dtype.kind == "f" else np.full(self.batch, found, float)

    def listing(self, source: int) -> Any:
        """All contributions, where there are few."""
        if not self.few:
            return None
        self._check_turn()
        number = counts(self.program.structure)
        before = 1 + sum(number[:source])
        return self._value_and_paths[before : before + number[source]]

    @cached_property
    def _weights(self) -> Any:
        return self.program.run_checked("weights", self.args)

    @cached_property
    def _value_and_gradient(self) -> Any:
        if self.buffers is not None:
            return self.buffers.run("value_and_gradient", self.args)
        return self.program.run_checked("value_and_gradient", self.args)

    @cached_property
    def _value_and_paths(self) -> Any:
        buffers = Buffers(self.program, self.batch) if self.buffers is None else self.buffers
        return buffers.run("value_and_paths", self.args)

    def _check_turn(self) -> None:
        """Raise ChangedData if another point has been computed in the same memory since."""
        if self.buffers is not None and self._turn != self.buffers.turn:
            raise ChangedData(
                "This graph is that of an earlier step, and its memory holds a later one. Keep what it answers rather than "
                "the graph; or do not say paths_only = True in the estimator's class, and f is traced at every step."
            )
