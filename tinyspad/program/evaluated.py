"""A program at a point: the same questions about paths as an LCG answers, with weights computed by compiled code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ChangedData
from ..lcg import LCG
from ..lcg.choice import PathChoice
from ..paths import GRADIENT, LIMIT, Chances, Graph, choices, count, reachable, sweep
from .buffers import Buffers
from .symbol import Symbol

if TYPE_CHECKING:
    from .program import Program


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
    """The routes of a batch, their indices, and the masks or places that following them takes: once for all steps of a hold.

    Where ``table`` has the branches of every path, those of the runs are looked up when they are asked for.
    """

    masks: list[Any] | None = None
    index: Any = None
    place: Any = None
    table: dict[int, Any] | None = None

    def __missing__(self, node: int) -> Any:
        if self.table is None:
            raise KeyError(node)
        self[node] = self.table[node][self.index]
        return self[node]


class Evaluated(PathChoice):
    """What ``program.at`` gives: value, gradient and paths at a point, from weights that compiled code computed.

    ``value``, ``arguments``, ``graph``, ``batch`` and the methods of ``LCG`` about paths; what does not depend on the point
    is worked out once for all points.
    """

    elementwise = True

    def __init__(self, program: Program, args: tuple[Any, ...], first: str, buffers: Buffers | None = None) -> None:
        structure = program.structure
        self.params, self._inputs = program.params, args
        self.batch = np.shape(args[0]) if args else ()
        self._program, self._buffers = program, buffers
        self._few = self._takes_few() if buffers is None else buffers.few
        if buffers is not None:
            buffers.turn += 1
            self._turn = buffers.turn
        self._first = "paths" if first == "weights" and self._few else first
        self.names, self.signature = structure.names, structure.signature
        known = self.__dict__  # both are the table of counts here: they do not depend on the point
        known["_counts"] = known["_numbers"] = structure.counts
        known["_known_chances"] = structure.shared.copy()

    @cached_property
    def value(self) -> Any:
        """The value, by the code that also gives what is asked first: the gradient, or the weights."""
        if self._buffers is not None:
            self._check_turn()
        if self._first == "paths":
            found = self._value_and_paths[0]
        else:
            found = self._value_and_gradient[0] if self._first == "gradient" else self._weights[0]
        return found.copy() if self.batch else found

    @property
    def arguments(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The point: what the program read for its parameters; data come behind them."""
        return self._inputs[: len(self.params)]

    def _takes_few(self) -> bool:
        """Whether these are runs side by side of a program with few paths, in double precision."""
        return bool(self.batch) and all(a.dtype == float for a in self._inputs) and self._program.few

    @cached_property
    def graph(self) -> Graph:  # type: ignore[override]
        structure = self._program.structure
        left = iter(self._weights[1])
        weight = [next(left) if w is None else w for w in structure.weight]
        return Graph(structure.start, structure.tail, structure.head, weight, structure.output)

    @cached_property
    def _weights(self) -> Any:
        return self._program.run_checked("weights", self._inputs)

    @cached_property
    def _value_and_gradient(self) -> Any:
        if self._buffers is not None:
            return self._buffers.run("value_and_gradient", self._inputs)
        return self._program.run_checked("value_and_gradient", self._inputs)

    @cached_property
    def _value_and_paths(self) -> Any:
        buffers = Buffers(self._program, self.batch) if self._buffers is None else self._buffers
        return buffers.run("value_and_paths", self._inputs)

    def _listed(self, source: int) -> Any:
        """All contributions to the gradient by a parameter, where there are few: shape (N, R)."""
        if self._buffers is not None:
            self._check_turn()
        counts = self._program.structure.counts
        before = 1 + sum(counts[:source])
        return self._value_and_paths[before : before + counts[source]]

    @cached_property
    def seed(self) -> Any:
        return np.ones(self.batch) if self.batch else 1.0

    @cached_property
    def adjoints(self) -> list[Any]:
        return sweep(self.graph, GRADIENT, self.seed)

    def adjoint(self, param: str | None = None) -> Any:
        """The gradient with respect to one parameter."""
        source = self._source(param)
        if self._buffers is not None:
            self._check_turn()
        found = self._value_and_gradient[1 + source]
        return found.copy() if self.batch else found

    def path_gradients(self, param: str | None = None, *, limit: int = LIMIT) -> np.ndarray[Any, Any]:
        source = self._source(param)
        if not self._few or self.count_paths(param) > limit:
            return super().path_gradients(param, limit=limit)
        return np.array(self._listed(source))

    def gradient(self) -> dict[str, Any]:
        """The gradient as a dict by parameter name, by the program's own code."""
        return {name: self.adjoint(name) for name in self.params}

    # Routes of a batch are followed by compiled code.

    def route(self, param: str | None, index: Any) -> Any:
        if not self.batch:
            return super().route(param, index)
        few = self._few and index.__class__ is np.ndarray and index.dtype == np.int64 and index.shape == self.batch
        if few and index.size and not index.view(np.uint64).max() < self.count_paths(param):
            few = False  # there is no such path, or none with a negative number, which super() says
        found = Masked() if few else Masked(super().route(param, index))
        found.index = index if np.shape(index) else np.full(self.batch, index)
        if few:
            found.table = self._program.structure.branches_of_paths(self._source(param))
        return found

    def _choices(self, source: int, index: Any) -> dict[int, Any]:
        table = self._program.structure.branches_of_paths(source)
        if table is None:
            return super()._choices(source, index)
        return {node: branch[index] for node, branch in table.items()}

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Any:
        found = super().draw_route(param, rng, chances)
        return self.as_route(found) if self.batch else found

    def as_route(self, taken: dict[int, Any]) -> Any:
        return Masked(taken)

    def best_route(self, param: str | None) -> Any:
        if not self.batch:
            return super().best_route(param)
        if not self._few:
            return Masked(super().best_route(param))
        return self.route(param, np.argmax(np.abs(self._listed(self._source(param))), axis=0))

    def route_index(self, param: str | None, route: Any) -> Any:
        if isinstance(route, Masked) and route.index is not None:
            return route.index
        return super().route_index(param, route)

    def follow(self, param: str | None, route: Any, chances: Chances | None = None) -> Any:
        source = self._source(param)
        if isinstance(route, Masked) and route.table is not None and chances is None and self._few:
            if route.place is None:
                route.place = route.index.ravel() * route.index.size
                route.place += np.arange(route.index.size) if self._buffers is None else self._buffers.numbers
            return self._listed(source).reshape(-1).take(route.place).reshape(self.batch)
        if not isinstance(route, Masked) or chances is not None:
            return super().follow(param, route, chances)
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

    def _check_turn(self) -> None:
        """Raise ChangedData if another point has been computed in the same memory since."""
        if self._buffers is not None and self._turn != self._buffers.turn:
            raise ChangedData(
                "This graph is that of an earlier step, and its memory holds a later one. Keep what it answers rather than "
                "the graph; or do not say paths_only = True in the estimator's class, and f is traced at every step."
            )

    def check_differentiable(self) -> None:
        """Programs are elementwise: there is always a gradient for each run."""

    def chances(self, by: str) -> Any:
        """The branch probabilities; those that do not depend on the weights are made once for all points."""
        chances = super().chances(by)
        if by != "magnitude":
            self._program.structure.shared[by] = chances
        return chances
