"""A recording run again at other points: its operations by their rules, without a tape and without copies of constants.

That is the function itself as long as it records the same twice and never looks at its data (a comparison, ``.data``, an
index that is computed): what is recorded then depends on the shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Data
from ..linearization import Linearization, Node
from ..paths import Route
from ..rules import Rule
from ..tape import (
    arguments_of,
    edge_of,
    in_precision,
    looks,
    options_of,
    parents,
    positions,
    recorded_form,
    rule_of,
    shared,
)
from .graph import LCG
from .trace import trace_as


class Operation(NamedTuple):
    """One operation: its rule; its arguments, with the number of a result where one is read; options; edges it makes.

    ``holes``: (position, number of the result) of what is read. ``edges``: (edge, position).
    """

    rule: Rule
    arguments: list[Any]
    rest: tuple[Any, ...]
    holes: list[tuple[int, int]]
    options: dict[str, Any]
    edges: list[tuple[int, int]]


class Recording:
    """What a function does, recorded once: ``at`` does it again."""

    def __init__(self, lcg: LCG) -> None:
        self.lcg, made = lcg, lcg.single_access
        number = {id(leaf): i for i, leaf in enumerate(made.leaves)}
        edges: dict[int, list[tuple[int, int]]] = {}
        for e, entry, position in made.origins:
            edges.setdefault(id(entry), []).append((e, position))
        self.operations: list[Operation] = []
        for entry in made.entries:
            given, read = arguments_of(entry), [number[id(parent)] for parent in parents(entry)]
            flat = [None] * len(read) if given is None else list(given[0] if rule_of(entry).sequence else given)
            holes = list(zip(positions(entry), read))
            rest = given[1:] if given is not None and rule_of(entry).sequence else ()
            number[id(entry)] = len(number)
            self.operations.append(
                Operation(rule_of(entry), flat, rest, holes, options_of(entry), edges.get(id(entry), []))
            )
        self.fixed = [w if isinstance(w, float) else None for w in lcg.weight]  # of tupling edges
        self.shapes = [(np.shape(a), np.result_type(a)) for a in lcg.arguments]

    def fits(self, arguments: Sequence[Data]) -> bool:
        """Whether arguments have the shapes and precision that were recorded."""
        return [(np.shape(a), np.result_type(a)) for a in arguments] == self.shapes

    def at(self, *arguments: Data) -> Linearization:
        """The function at another point."""
        arguments, lcg = tuple(map(shared, arguments)), self.lcg
        code = ReplayedPoint(self, arguments)
        return Linearization(code, lcg.structure, lcg.params, arguments, lcg.batch, elementwise=lcg.elementwise)


class ReplayedPoint:
    """What a recording computes at a point: the results at once, the weights when they are asked for."""

    def __init__(self, recording: Recording, arguments: tuple[Data, ...]) -> None:
        self.recording = recording
        self.done: list[tuple[Operation, list[Data], tuple[Data, ...], Data]] = []
        results = list(arguments)
        for operation in recording.operations:
            rule, data = operation.rule, operation.arguments.copy()
            for position, number in operation.holes:
                data[position] = results[number]
            call = (data, *operation.rest) if rule.sequence else tuple(data)
            result = recorded_form(rule.function(*call, **operation.options), rule)
            results.append(result)
            self.done.append((operation, data, call, result))
        self.value = results[-1]

    @property
    def names(self) -> Sequence[str]:
        return self.recording.lcg.names

    @property
    def nodes(self) -> Sequence[Node]:
        return self.recording.lcg.nodes

    @property
    def signature(self) -> Data:
        return self.recording.lcg.signature

    @cached_property
    def weight(self) -> list[Data]:
        weight = self.recording.fixed.copy()
        with np.errstate(all="ignore"):
            for (rule, _, _, _, options, edges), data, call, result in self.done:
                seen = in_precision(rule, call, result)
                for e, position in edges:
                    weight[e] = edge_of(rule, position, result, data[position], seen, options)
        return weight

    def is_branch(self, node: int) -> bool:
        return self.recording.lcg.single_access.is_branch(node)

    def gradient(self, source: int) -> None:
        """By a sweep."""

    def follow(self, route: Route) -> None:
        """By a walk, or a sweep."""

    def listing(self, source: int) -> None:
        """By a sweep."""

    def evaluate(self, arguments: Sequence[Data]) -> Data:
        """The function at another point."""
        return self.recording.lcg.single_access.evaluate(arguments)

    def replay(self, arguments: Sequence[Data], then: Callable[[Data], Data]) -> tuple[Data, Sequence[Data]]:
        """The operations again, from what the tape kept."""
        return self.recording.lcg.single_access.replay(arguments, then)


def recorded_twice(names: list[str], f: Callable[..., Data], arguments: Sequence[Data]) -> Recording | None:
    """A function's recording, if it records the same twice and does not look at its data; None where it does."""
    before = looks()
    try:
        with np.errstate(all="ignore"):
            first = trace_as(names, f, arguments)
            if looks() != before:
                return None
            second = trace_as(names, f, arguments)
    except Exception:  # whatever f raises, it raises again when it is traced
        return None
    made = first.single_access
    inside = {id(entry) for entry in (*made.leaves, *made.entries)}
    closed = all(id(parent) in inside for entry in made.entries for parent in parents(entry))  # no Value from outside
    if looks() != before or not closed or not made.entries or made.entries[-1] is not made.root:
        return None
    if first.signature != second.signature or any(rule_of(entry).forgets for entry in made.entries):
        return None
    pairs = zip(made.entries, second.single_access.entries)
    same = all(_same((arguments_of(a), options_of(a)), (arguments_of(b), options_of(b))) for a, b in pairs)
    return Recording(first) if same and _is_first(Recording(first), first) else None


def _is_first(recording: Recording, lcg: LCG) -> bool:
    """Whether a recording run again is the trace to the bit. Between numbers a power on the tape is Python's own."""
    at = recording.at(*lcg.arguments)
    code = at.code
    assert isinstance(code, ReplayedPoint)
    if any(operation.rule.function is np.power and result.__class__ is float for operation, _, _, result in code.done):
        return False
    with np.errstate(all="ignore"):
        return _same(at.value, lcg.value) and all(_same(at.adjoint(name), lcg.adjoint(name)) for name in lcg.params)


def _same(a: object, b: object) -> bool:
    """Whether two constants are the same, to the bit."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return repr(a) == repr(b) if isinstance(a, (float, np.floating)) else bool(a == b)
