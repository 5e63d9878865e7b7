"""From arrays to numbers: the graph of the numbers that a recording of arrays stands for.

An array is a box of numbers. From what an operation reads (``rules.reads``) follow edges between numbers; moves (reshape,
indexing, stacking) are no operations, and only say which number is where. What lies on no way from a parameter to the
output is left out, and a number that is read more than once gets its tupling node, exactly as a variable does in
``single_access``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data, spaced
from ..errors import BadInput
from ..linearization import Linearization, Node
from ..paths import Route, Structure, Weights
from ..rules import MOVES, Choices, LinearMap, Operand, Reads, moved, number_of_reads, reads_of
from ..tape import HOLE, Entry, arguments_of, options_of, parents, partials, positions, rule_of
from .single_access import SingleAccess
from .text import right_hand_side

LARGEST_GRAPH = 4_000_000
"""So many edges between numbers are written out at most."""

DEPENDS_ON_DATA = ("order", "dense")
"""Kinds whose edges may differ from point to point: by the order of numbers, or by what a vjp reaches there."""

SHOWN = 6
"""So many of the numbers that an operation reads are named."""


class Box(NamedTuple):
    """An array whose numbers are variables: its name, its shape, the first of its numbers, and what made it (if
    anything)."""

    name: str
    shape: tuple[int, ...]
    first: int
    entry: Entry | None


class Numbers:
    """The numbers of a recording: ``structure``, the names of the parameters' numbers, and weights made from the arrays'.

    ``static``: whether it is the same at every point: no operation puts numbers in an order that depends on them.
    """

    def __init__(self, made: SingleAccess, at: Linearization) -> None:
        self.made, self.signature_of_arrays = made, at.signature
        self.boxes: list[Box] = []
        self._reads: list[tuple[int, Reads]] = []
        self.static = not any(rule_of(entry).kind in DEPENDS_ON_DATA for entry in made.entries)
        ends, output = self._read(made, at)
        self._connect(*ends, output)

    def _read(self, made: SingleAccess, at: Linearization) -> tuple[tuple[list[Array], list[Array]], int]:
        """The ends of all edges between numbers, operation by operation; and the output, -1 if no parameter reaches it."""
        edge_at = {(id(entry), position): e for e, entry, position in made.origins}
        where: dict[int, Array] = {}  # of every array which number is in which place, 0 for a constant, from 1 on
        tails: list[Array] = []
        heads: list[Array] = []
        total = edges = 0

        def fill(entry: Entry, name: str, shape: tuple[int, ...], made_by: Entry | None) -> None:
            nonlocal total
            self.boxes.append(Box(name, shape, total, made_by))
            size = math.prod(shape)
            where[id(entry)] = np.arange(total + 1, total + 1 + size).reshape(shape)
            total += size

        for leaf, name, argument in zip(made.leaves, made.params, at.arguments):
            fill(leaf, name, np.shape(argument), None)
        self.inputs = total
        name_of = {id(entry): name for entry, name in zip(made.entry_of, made.names) if entry is not None}
        for entry in made.entries:
            rule, read = rule_of(entry), list(zip(parents(entry), positions(entry)))
            weights = {i: at.code.weight[edge_at[id(entry), i]] for parent, i in read if id(parent) in where}
            if rule.kind in MOVES:
                first = next(iter(weights.values()))
                where[id(entry)] = moved(rule, *_places(entry, where), options_of(entry), first)
                continue
            args, shape = given_to(entry), None
            for parent, i in read:
                if id(parent) not in where:
                    continue
                weight, numbers = weights[i], where[id(parent)]
                shape = weight.out_shape if isinstance(weight, LinearMap) else numbers.shape
                operand = Operand(rule, i, numbers.shape, shape, args, options_of(entry), weight)
                edges += number_of_reads(operand)
                if edges > LARGEST_GRAPH:
                    raise BadInput(
                        f"The numbers of these arrays have more than {spaced(LARGEST_GRAPH)} edges between them, too many "
                        "to be written out. Counts, log_mass and gradients need none of them; lcg itself answers for "
                        "arrays as a whole, and so do estimators with paths='arrays'."
                    )
                reads = reads_of(operand)
                self._reads.append((edge_at[id(entry), i], reads))
                tails.append(numbers.reshape(-1)[reads.into] - 1)
                heads.append(reads.out + total)
            assert shape is not None
            fill(entry, name_of[id(entry)], shape, entry)
        root = where.get(id(made.root))
        self.total = total
        return (tails, heads), (-1 if root is None else int(root.reshape(-1)[0]) - 1)

    # long, as the numbering is one piece: who is kept, how often each is read, and where nodes and edges then stand
    def _connect(self, tails: list[Array], heads: list[Array], output: int) -> None:
        """Leave out what is on no way to the output, tuple up what is read several times, and number it all."""
        total, inputs = self.total, self.inputs
        live, needed = np.zeros(total + 1, bool), np.zeros(total + 1, bool)  # the last stands for constants, -1
        live[:inputs] = True
        needed[output] = output >= 0
        for tail, head in zip(tails, heads):
            live[head[live[tail]]] = True
        for tail, head in zip(reversed(tails), reversed(heads)):
            needed[tail[needed[head]]] = True
        tail, head = (np.concatenate(ends) if ends else np.zeros(0, np.intp) for ends in (tails, heads))
        self._kept = np.flatnonzero(live[tail] & needed[head])
        self._kept = self._kept[np.argsort(tail[self._kept] * (total + 1) + head[self._kept], kind="stable")]
        tail, head = tail[self._kept], head[self._kept]
        self._readers = readers = np.bincount(tail, minlength=total)
        copies = np.where(readers > 1, readers, 0)
        on_the_way = (live & needed)[:total]
        on_the_way[:inputs] = True
        # parameters first, then their branches; every other number stands before its own
        node, first_copy = np.arange(total), inputs + np.cumsum(copies) - copies
        after = inputs + int(copies[:inputs].sum())
        size = np.where(on_the_way[inputs:], 1 + copies[inputs:], 0)
        node[inputs:] = after + np.cumsum(size) - size
        first_copy[inputs:] = node[inputs:] + 1
        rank = np.arange(len(tail)) - (np.cumsum(readers) - readers)[tail]
        tupled = np.flatnonzero(copies)
        from_tupled = np.repeat(tupled, copies[tupled])
        copy_of = first_copy[from_tupled] + np.arange(len(from_tupled))
        copy_of -= np.repeat(np.cumsum(copies[tupled]) - copies[tupled], copies[tupled])
        tail_node = np.where(copies[tail] > 0, first_copy[tail] + rank, node[tail])
        ends = np.concatenate([node[from_tupled], tail_node]), np.concatenate([copy_of, node[head]])
        order = np.argsort(ends[0], kind="stable")
        self._slot = np.empty(len(order), np.intp)
        self._slot[order] = np.arange(len(order))
        self._slot = self._slot[len(from_tupled) :]
        nodes = after + int(size.sum())
        reached = output >= 0 and bool(live[output])
        start = np.concatenate([[0], np.cumsum(np.bincount(ends[0], minlength=nodes + (not reached)))])
        self.structure = Structure.of_arrays(
            start, ends[0][order], ends[1][order], int(node[output]) if reached else nodes
        )
        self._variable, self._copy = np.empty(nodes, np.intp), np.zeros(nodes, np.intp)
        self._variable[node[on_the_way]] = np.flatnonzero(on_the_way)
        self._variable[copy_of] = from_tupled
        self._copy[copy_of] = copy_of - first_copy[from_tupled] + 1

    def readers_of(self, box: Box) -> Array:
        """How often each of its numbers is read."""
        return self._readers[box.first : box.first + math.prod(box.shape)]

    def weights(self, weight: Weights) -> Array:
        """The weights of all edges between numbers, from those between arrays."""
        found = np.ones(len(self.structure.head))
        if len(self._kept):
            raw = np.concatenate([reads.weights(weight[e]) for e, reads in self._reads])
            found[self._slot] = raw[self._kept]
        return found

    def edges_of(self, edges: Collection[int]) -> set[int]:
        """The edges between numbers that these between arrays stand for."""
        mine = np.zeros(len(self.structure.head), bool)
        if len(self._kept):
            raw = np.concatenate([np.full(len(reads.out), e in edges) for e, reads in self._reads])
            mine[self._slot] = raw[self._kept]
        return set(np.flatnonzero(mine).tolist())

    # --- names ---------------------------------------------------------------------------------------------------

    @cached_property
    def params(self) -> tuple[str, ...]:
        """The names of the parameters' numbers."""
        inputs = [box for box in self.boxes if box.entry is None]
        return tuple(box.name + at for box in inputs for at in places(box.shape))

    @cached_property
    def signature(self) -> tuple[Data, ...]:
        """Equal where the same program ran, and put numbers in the same order."""
        return tuple(self.structure.start), tuple(self.structure.head), self.signature_of_arrays[2:]

    @cached_property
    def names(self) -> list[str]:
        """The variables' names, by node."""
        return [self._name(node) for node in range(len(self._variable))] + ["z"] * (
            self.structure.size - len(self._variable)
        )

    @cached_property
    def _joint(self) -> str:
        """What stands between an array's name and the number of a branch, so that no other array is called the same."""
        names, joint = {box.name for box in self.boxes}, ""
        most = int(self._copy.max(initial=0))
        while any(f"{name}{joint}{k}" in names for name in names for k in range(1, min(most, len(names)) + 2)):
            joint += "_"
        return joint

    def _name(self, node: int) -> str:
        box, place = self._box(int(self._variable[node]))
        copy = int(self._copy[node])
        return f"{box.name}{f'{self._joint}{copy}' if copy else ''}{place_of(box.shape, place)}"

    def _box(self, variable: int) -> tuple[Box, int]:
        found = self.boxes[int(np.searchsorted(self._firsts, variable, side="right")) - 1]
        return found, variable - found.first

    @cached_property
    def _firsts(self) -> Array:
        """The first number of every box that has some; an empty one stands before its successor, which starts there, too."""
        return np.array([box.first for box in self.boxes])

    def is_branch(self, node: int) -> bool:
        """Whether a node is a copy that a tupling node makes."""
        return node < len(self._copy) and bool(self._copy[node])

    @cached_property
    def nodes(self) -> list[Node]:
        """The variables, in the order in which the program defines them."""
        structure, names = self.structure, self.names
        arriving: list[list[int]] = [[] for _ in range(structure.size)]
        for tail, head in zip(structure.tail, structure.head):
            arriving[head].append(tail)
        found = []
        for node in range(len(self._variable)):
            tupled = structure.start[node + 1] - structure.start[node] > 1
            box, place = self._box(int(self._variable[node]))
            if self._copy[node]:
                found.append(Node(node, names[node], "branch", False, names[arriving[node][0]]))
            elif box.entry is None:
                text = f"Param_{self.boxes.index(box)}{place_of(box.shape, place)}"
                found.append(Node(node, names[node], "parameter", tupled, text))
            else:
                text = _text(box.entry, [names[tail] for tail in arriving[node]])
                found.append(Node(node, names[node], "operation", tupled, text))
        return found


class NumbersAtPoint:
    """What a ``Linearization`` of numbers asks of whoever computes: a linearization of arrays."""

    def __init__(self, numbers: Numbers, at: Linearization) -> None:
        self.numbers, self.at = numbers, at

    @property
    def value(self) -> Data:
        return np.reshape(self.at.value, ())[()].item() if np.shape(self.at.value) else self.at.value

    @property
    def names(self) -> Sequence[str]:
        return self.numbers.names

    @property
    def nodes(self) -> Sequence[Node]:
        return self.numbers.nodes

    @property
    def signature(self) -> Data:
        return self.numbers.signature

    @cached_property
    def weight(self) -> Array:
        with np.errstate(all="ignore"):
            return self.numbers.weights(self.at.code.weight)

    @property
    def chooses(self) -> bool:
        return self.at.code.chooses

    @cached_property
    def choices(self) -> Choices:
        """Those of the arrays, number by number."""
        given = self.at.code.choices
        return Choices(self.numbers.edges_of(given.edges), given.operand)

    def is_branch(self, node: int) -> bool:
        return self.numbers.is_branch(node)

    @cached_property
    def _gradient(self) -> list[float]:
        listed = [np.ravel(np.asarray(adjoint, float)) for adjoint in self.at.gradient().values()]
        return np.concatenate(listed).tolist()  # type: ignore[no-any-return]

    def gradient(self, source: int) -> float:
        """By the sweep over arrays."""
        return self._gradient[source]

    def follow(self, route: Route) -> None:
        """By a walk."""

    def listing(self, source: int) -> None:
        """By a sweep."""

    def evaluate(self, arguments: Sequence[Data]) -> Data:
        """The output at another point."""
        return self.at.code.evaluate(self._in_arrays(arguments))

    def replay(self, arguments: Sequence[Data], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]:
        """Output and weights at another point, if every result is passed through ``then`` before it is read."""
        output, weight = self.at.code.replay(self._in_arrays(arguments), then)
        return output, self.numbers.weights(weight).tolist()

    def _in_arrays(self, arguments: Sequence[Data]) -> list[Data]:
        found, first = [], 0
        for argument in self.at.arguments:
            size = np.size(argument)
            part = np.asarray(arguments[first : first + size], np.result_type(argument)).reshape(np.shape(argument))
            found.append(part if part.shape else part[()].item() if isinstance(argument, float) else part[()])
            first += size
        return found


# --- what is in which place -------------------------------------------------------------------------------------------


def places(shape: tuple[int, ...]) -> Iterable[str]:
    """[0], [1], ... of all numbers of an array; nothing behind the name of a number."""
    return ("",) if not shape else (f"[{', '.join(map(str, at))}]" for at in np.ndindex(shape))


def place_of(shape: tuple[int, ...], flat: int) -> str:
    """The place of one number of an array."""
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(flat, shape))}]" if shape else ""


def given_to(entry: Entry) -> Sequence[Data]:
    """The arguments of an operation as it was called, a HOLE for each parent."""
    given = arguments_of(entry)
    return [HOLE] * len(parents(entry)) if given is None else given


def _places(entry: Entry, where: dict[int, Array]) -> tuple[list[Array], Sequence[Data]]:
    """Of a move's operands which number is in which place, and its other arguments."""
    given = given_to(entry)
    operands, rest = (given[0], given[1:]) if rule_of(entry).sequence else (given[:1], given[1:])
    read = iter(parents(entry))
    found = []
    for operand in operands:
        parent = next(read) if operand is HOLE else None
        known = None if parent is None else where.get(id(parent))
        if known is None:  # a constant, or a Value from outside
            known = np.zeros(np.shape(operand) if parent is None else _shape_of(entry, parent), np.intp)
        found.append(known)
    return found, rest


def where_moved(entry: Entry, position: int, edge: Data) -> Array:
    """Of a move, by place in the result, which number of one operand is there; -1 where another's is, or none."""
    given, rule = given_to(entry), rule_of(entry)
    operands, rest = (given[0], given[1:]) if rule.sequence else (given[:1], given[1:])
    shapes = {i: partial.shape for i, partial in zip(positions(entry), partials(entry))}
    boxes = [np.zeros(shapes.get(i, np.shape(x)), np.intp) for i, x in enumerate(operands)]
    boxes[position] = np.arange(1, math.prod(edge.shape) + 1).reshape(edge.shape)
    return moved(rule, boxes, rest, options_of(entry), edge).ravel() - 1


def _shape_of(entry: Entry, parent: Entry) -> tuple[int, ...]:
    """The shape of a Value from outside the function, which its edge knows."""
    return next(edge.shape for other, edge in zip(parents(entry), partials(entry)) if other is parent)  # type: ignore[no-any-return]


def _text(entry: Entry, read: Sequence[str]) -> str:
    """What makes one number of an operation's result."""
    rule = rule_of(entry)
    if rule.kind == "elementwise" and len(read) == len(parents(entry)):
        return right_hand_side(entry, list(read))
    some = list(read) if len(read) <= SHOWN else [*read[: SHOWN - 1], f"... {len(read) - SHOWN} more", read[-1]]
    return f"{rule.name}({', '.join(some)})"
