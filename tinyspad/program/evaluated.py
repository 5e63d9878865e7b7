"""A program at a point: the same questions about paths as an LCG answers, with weights computed by compiled code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lcg import LCG
from ..lcg.choice import PathChoice
from ..paths import GRADIENT, Graph, count, sweep
from .symbol import Symbol

if TYPE_CHECKING:
    from .program import Program


@dataclass(frozen=True)
class Structure:
    """What does not change from point to point: the graph without its numbers.

    ``weight``: the edges' weights where they are constants, None where they are computed. ``variables``: the names of the
    formulas that are variables of the single-access program, by number.
    """

    start: list[int]
    tail: list[int]
    head: list[int]
    weight: list[Any]
    output: int
    names: list[str]
    variables: dict[int, str]
    counts: list[int]
    signature: tuple[Any, ...]
    shared: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, lcg: LCG, symbol_of: dict[int, Any]) -> Structure:
        """From an LCG of formulas, and the formula of each of its operations."""
        graph = lcg.graph
        weight = [None if isinstance(w, Symbol) else w for w in graph.weight]
        variables: dict[int, str] = {}
        for entry, name in zip(lcg.entry_of, lcg.names):
            symbol = None if entry is None else symbol_of.get(id(entry))
            if isinstance(symbol, Symbol) and symbol.function is not None:
                variables.setdefault(symbol.number, name)
        return cls(
            graph.start, graph.tail, graph.head, weight, graph.output, lcg.names, variables, count(graph), lcg.signature
        )


class Evaluated(PathChoice):
    """What ``program.at`` gives: value, gradient and paths at a point, from weights that compiled code computed.

    ``value``, ``arguments``, ``graph``, ``batch`` and the methods of ``LCG`` about paths; what does not depend on the point
    is worked out once for all points.
    """

    elementwise = True

    def __init__(self, program: Program, args: tuple[Any, ...], first: str) -> None:
        structure = program.structure
        self.params, self.arguments = program.params, args
        self.batch = np.shape(args[0]) if args else ()
        self._program, self._first = program, first
        self.names, self.signature = structure.names, structure.signature
        for name in ("_counts", "_numbers"):  # both are the table of counts here: they do not depend on the point
            self.__dict__[name] = structure.counts
        self.__dict__["_known_chances"] = dict(structure.shared)

    @cached_property
    def value(self) -> Any:
        """The value, by the code that also gives what is asked first: the gradient, or the weights."""
        return self._value_and_gradient[0] if self._first == "gradient" else self._weights[0]

    @cached_property
    def graph(self) -> Graph:  # type: ignore[override]
        structure = self._program.structure
        left = iter(self._weights[1])
        weight = [next(left) if w is None else w for w in structure.weight]
        return Graph(structure.start, structure.tail, structure.head, weight, structure.output)

    @cached_property
    def _weights(self) -> Any:
        return self._program.run("weights", self.arguments)

    @cached_property
    def _value_and_gradient(self) -> Any:
        return self._program.run("value_and_gradient", self.arguments)

    @cached_property
    def seed(self) -> Any:
        return np.ones(self.batch) if self.batch else 1.0

    @cached_property
    def adjoints(self) -> list[Any]:
        return sweep(self.graph, GRADIENT, self.seed)

    def adjoint(self, param: str | None = None) -> Any:
        """The gradient with respect to one parameter."""
        source = self._source(param)
        return self._value_and_gradient[1 + source]

    def gradient(self) -> dict[str, Any]:
        """The gradient as a dict by parameter name, by the program's own code."""
        return {name: self.adjoint(name) for name in self.params}

    def check_differentiable(self) -> None:
        """Programs are elementwise: there is always a gradient for each run."""

    def chances(self, by: str) -> Any:
        """The branch probabilities; those that do not depend on the weights are made once for all points."""
        chances = super().chances(by)
        if by != "magnitude":
            self._program.structure.shared[by] = chances
        return chances
