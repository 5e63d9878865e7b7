"""From the tape to single-access form: what to keep, which variables to tuple, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import BadInput
from ..linearization import Node
from ..paths import Route, Structure
from ..rules import Choices
from ..tape import (
    Entry,
    Value,
    behind,
    chooses,
    edge_of,
    in_precision,
    operand_of,
    operands,
    options_of,
    parents,
    partials,
    positions,
    refuse_foreign,
    replay,
    rule_of,
    run_on,
    slopes,
)
from .text import right_hand_side, variable_names


class Tupled(NamedTuple):
    """The single-access form.

    ``entry_of``: for each node its entry on the tape, None for a branch. ``reads``: for each operation, by the id of its
    entry, the nodes that it reads, None for a constant computed outside.
    """

    structure: Structure
    weight: list[Any]
    entry_of: list[Entry | None]
    reads: dict[int, list[int | None]]


class SingleAccess:
    """A recording in single-access form, and so what a ``Linearization`` asks of whoever computes.

    The form is made when somebody asks for it: a gradient of numbers alone does without.
    """

    def __init__(self, output: Any, params: dict[str, Value], function: Callable[..., Any] | None = None) -> None:
        self.function = function
        self.params = tuple(params)
        self.value: Any = output._data if isinstance(output, Value) else output
        self.root: Entry | None = output._node if isinstance(output, Value) else None
        self.leaves = [value._node for value in params.values()]
        numbers = self.value.__class__ is float and all(value._data.__class__ is float for value in params.values())
        self.of_numbers = numbers and self.root is not None

    @cached_property
    def entries(self) -> list[Entry]:
        """The operations, oldest first."""
        return _kept(self.root, self.leaves)

    @cached_property
    def slopes(self) -> list[float] | None:
        """The gradient where all is numbers, without single-access form, which takes several times as long."""
        return slopes(self.root, self.leaves) if self.of_numbers and self.root is not None else None

    structure: Structure = property(lambda self: self._tupled.structure)  # type: ignore[assignment]
    weight: list[Any] = property(lambda self: self._tupled.weight)  # type: ignore[assignment]
    entry_of: list[Entry | None] = property(lambda self: self._tupled.entry_of)  # type: ignore[assignment]
    reads: dict[int, list[int | None]] = property(lambda self: self._tupled.reads)  # type: ignore[assignment]

    # long, as one pass over the program does all of it: names for its tables would be more to read than the pass
    @cached_property
    def _tupled(self) -> Tupled:
        """Number the variables, give every variable that is read more than once its branches, and list the edges."""
        readers: dict[int, int] = {id(entry): 0 for entry in (*self.leaves, *self.entries)}
        for entry in self.entries:
            for parent in parents(entry):
                if id(parent) in readers:
                    readers[id(parent)] += 1
        entry_of: list[Entry | None] = []
        out_edges: list[list[tuple[int, Any]]] = []
        variable: dict[int, int] = {}
        branches: dict[int, Iterator[int]] = {}
        reads: dict[int, list[int | None]] = {}

        def define(entry: Entry) -> None:
            variable[id(entry)] = len(entry_of)
            entry_of.append(entry)
            out_edges.append([])

        def tuple_up(entry: Entry) -> None:
            node, n = variable[id(entry)], readers[id(entry)]
            if n > 1:
                first = len(entry_of)
                entry_of.extend([None] * n)
                out_edges[node] = [(first + k, 1.0) for k in range(n)]
                out_edges.extend([] for _ in range(n))
                branches[id(entry)] = iter(range(first, first + n))

        for leaf in self.leaves:
            define(leaf)
        for leaf in self.leaves:
            tuple_up(leaf)
        for entry in self.entries:
            define(entry)
            read: list[int | None] = []
            reads[id(entry)] = read
            for parent, weight in zip(parents(entry), partials(entry)):
                if id(parent) not in readers:
                    read.append(None)
                    continue
                tail = next(branches[id(parent)]) if id(parent) in branches else variable[id(parent)]
                out_edges[tail].append((variable[id(entry)], weight))
                read.append(tail)
            tuple_up(entry)
        output = variable.get(id(self.root))
        if output is None:  # it depends on no parameter: a node of its own that no edge reaches
            out_edges, output = [[] for _ in (*out_edges, None)], len(out_edges)
        structure, weights = Structure.of(out_edges, output)
        return Tupled(structure, weights, entry_of, reads)

    @cached_property
    def names(self) -> list[str]:
        """The variables' names, by node."""
        return variable_names(self.params, self.entry_of, self.structure)

    @cached_property
    def signature(self) -> tuple[Any, ...]:
        """Equal for two evaluations that ran the same program: the shape of the graph without its weights."""
        structure = self.structure
        return tuple(structure.start), tuple(structure.head), tuple(rule_of(entry).function for entry in self.entries)

    @cached_property
    def nodes(self) -> list[Node]:
        """The variables of the program, in the order in which it defines them."""
        names, start = self.names, self.structure.start
        nodes = []
        for i, entry in enumerate(self.entry_of):
            tupled = start[i + 1] - start[i] > 1
            if i < len(self.params):
                nodes.append(Node(i, names[i], "parameter", tupled, f"Param_{i}"))
            elif entry is None:
                nodes.append(Node(i, names[i], "branch", False, names[self.tupled_from[i]]))
            else:
                read = [None if r is None else names[r] for r in self.reads[id(entry)]]
                nodes.append(Node(i, names[i], "operation", tupled, right_hand_side(entry, read)))
        return nodes

    @cached_property
    def tupled_from(self) -> dict[int, int]:
        """For each branch its tupling node."""
        structure = self.structure
        return {to: tail for tail, to in zip(structure.tail, structure.head) if self.entry_of[to] is None}

    @cached_property
    def origins(self) -> list[tuple[int, Entry, int]]:
        """(edge, the operation whose partial derivative is its weight, the argument's position), without tupling edges."""
        edge_between: dict[tuple[int, int], list[int]] = {}
        for e, ends in enumerate(zip(self.structure.tail, self.structure.head)):
            edge_between.setdefault(ends, []).append(e)
        found = []
        for node, entry in enumerate(self.entry_of):
            if entry is None or rule_of(entry) is None:
                continue
            for tail, position in zip(self.reads[id(entry)], positions(entry)):
                if tail is not None:  # otherwise a constant
                    found.append((edge_between[tail, node].pop(0), entry, position))
        return found

    @cached_property
    def chooses(self) -> bool:
        """Whether some operation leaves operands out."""
        return chooses(*self.entries)

    @cached_property
    def choices(self) -> Choices:
        """Which edges leave something out, and who reads on each."""
        at = {e: (entry, position) for e, entry, position in self.origins}
        edges = {e for e, (entry, _) in at.items() if chooses(entry)}
        return Choices(edges, lambda e, edge: operand_of(*at[e], edge))

    def is_branch(self, node: int) -> bool:
        """Whether a node is a copy that a tupling node makes."""
        return self.entry_of[node] is None

    def evaluate(self, arguments: Sequence[Any]) -> Any:
        """The function at another point."""
        if self.function is None:
            raise BadInput("This LCG was built without its function, so there is nothing to evaluate.")
        out = run_on(self.function, map(Value, arguments))
        refuse_foreign(out, "The difference")
        return out._data if isinstance(out, Value) else out

    def replay(self, arguments: Sequence[Any], then: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
        """The operations again, from what the tape kept."""
        weight: list[Any] = list(self.weight)
        if self.root is None:
            return self.value, weight
        results = replay(behind(self.root), dict(zip(map(id, self.leaves), arguments)), then)
        for e, entry, position in self.origins:
            args, rule, result = operands(entry, results), rule_of(entry), results[id(entry)]
            x = args[0][position] if rule.sequence else args[position]
            weight[e] = edge_of(rule, position, result, x, in_precision(rule, args, result), options_of(entry))
        return results[id(self.root)], weight

    # What code of its own would find faster, and a recording does not.

    def gradient(self, source: int) -> float | None:
        """Where all is numbers, from the tape; else by a sweep."""
        return None if self.slopes is None else self.slopes[source]

    def follow(self, route: Route) -> None:
        """By a walk, or a sweep."""

    def listing(self, source: int) -> None:
        """By a sweep."""


def _kept(root: Entry | None, leaves: list[Entry]) -> list[Entry]:
    """The operations between the parameters and the root, oldest first."""
    if root is None:
        return []
    live = {id(leaf) for leaf in leaves}
    kept = []
    for entry in behind(root):
        for parent in parents(entry):
            if id(parent) in live:
                live.add(id(entry))
                kept.append(entry)
                break
    return kept
