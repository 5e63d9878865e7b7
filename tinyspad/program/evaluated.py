"""A program at a point: the same questions about paths as an LCG answers, with weights computed by compiled code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lcg import LCG
from ..lcg.choice import PathChoice
from ..paths import GRADIENT, Chances, Graph, choices, count, reachable, sweep
from .symbol import Symbol

if TYPE_CHECKING:
    from .program import Program


FEW = 64
"""Up to this many paths, the best one is found by listing all contributions, which compiled code does fastest."""

TABULATED = 4096
"""Up to this many paths of a parameter, their branches are kept in a table."""


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
    behind: dict[int, list[int]] = field(default_factory=dict, compare=False)
    tables: dict[int, dict[int, Any]] = field(default_factory=dict, compare=False)

    def nodes_behind(self, param: int) -> list[int]:
        """The tupling nodes behind a parameter, ascending."""
        if param not in self.behind:
            graph = Graph(self.start, self.tail, self.head, self.weight, self.output)
            self.behind[param] = [v for v in reachable(graph, param) if len(graph.branches(v)) > 1]
        return self.behind[param]

    def branches_of_paths(self, param: int) -> dict[int, Any] | None:
        """Where there are few paths: for each tupling node the branch that each of them takes there."""
        if self.counts[param] > TABULATED:
            return None
        if param not in self.tables:
            graph = Graph(self.start, self.tail, self.head, self.weight, self.output)
            self.tables[param] = choices(graph, self.counts, param, np.arange(self.counts[param]))
        return self.tables[param]

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


class Masked(dict[int, Any]):
    """The routes of a batch, their indices, and the masks that following them takes: once for all steps of a hold."""

    masks: list[Any] | None = None
    index: Any = None


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
        return self._program.run_checked("weights", self.arguments)

    @cached_property
    def _value_and_gradient(self) -> Any:
        return self._program.run_checked("value_and_gradient", self.arguments)

    @cached_property
    def seed(self) -> Any:
        return np.ones(self.batch) if self.batch else 1.0

    @cached_property
    def adjoints(self) -> list[Any]:
        return sweep(self.graph, GRADIENT, self.seed)

    def adjoint(self, param: str | None = None) -> Any:
        """The gradient with respect to one parameter."""
        source = self._source(param)
        found = self._value_and_gradient[1 + source]
        return found.copy() if self.batch else found

    def gradient(self) -> dict[str, Any]:
        """The gradient as a dict by parameter name, by the program's own code."""
        return {name: self.adjoint(name) for name in self.params}

    # Routes of a batch are followed by compiled code.

    def route(self, param: str | None, index: Any) -> Any:
        found = super().route(param, index)
        if not self.batch:
            return found
        found = Masked(found)
        found.index = index if np.shape(index) else np.full(self.batch, index)
        return found

    def _choices(self, source: int, index: Any) -> dict[int, Any]:
        table = self._program.structure.branches_of_paths(source)
        if table is None:
            return super()._choices(source, index)
        return {node: branch[index] for node, branch in table.items()}

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Any:
        found = super().draw_route(param, rng, chances)
        return Masked(found) if self.batch else found

    def best_route(self, param: str | None) -> Any:
        if not self.batch:
            return super().best_route(param)
        source = self._source(param)
        if max(self._program.structure.counts[: len(self.params)]) > FEW:
            return Masked(super().best_route(param))
        return self.route(param, np.argmax(np.abs(self._listed[source]), axis=0))

    @cached_property
    def _listed(self) -> list[Any]:
        return self._program.run_checked("paths", self.arguments)

    def route_index(self, param: str | None, route: Any) -> Any:
        if isinstance(route, Masked) and route.index is not None:
            return route.index
        return super().route_index(param, route)

    def follow(self, param: str | None, route: Any, chances: Chances | None = None) -> Any:
        if not isinstance(route, Masked) or chances is not None:
            return super().follow(param, route, chances)
        source = self._source(param)
        if route.masks is None:
            structure = self._program.structure
            nodes = structure.nodes_behind(source)
            widths = [structure.start[v + 1] - structure.start[v] for v in nodes]
            route.masks = [route[v] == k for v, width in zip(nodes, widths) for k in range(1, width)]
        with np.errstate(all="ignore"):
            found = self._program.follower(source)(self._weights[1], route.masks)
        return found if isinstance(found, np.ndarray) and found.dtype.kind == "f" else np.full(self.batch, found, float)

    def __repr__(self) -> str:
        return f"<{self._program!r} at a point>"

    def check_differentiable(self) -> None:
        """Programs are elementwise: there is always a gradient for each run."""

    def chances(self, by: str) -> Any:
        """The branch probabilities; those that do not depend on the weights are made once for all points."""
        chances = super().chances(by)
        if by != "magnitude":
            self._program.structure.shared[by] = chances
        return chances
