"""A recording run again at other points: its operations by their rules, without a tape and without copies of constants.

That is the function itself as long as it records the same twice and never looks at its data (a comparison, ``.data``, an
index that is computed): what is recorded then depends on the shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Data
from ..linearization import Linearization, Linearized, Node
from ..paths import Route
from ..rules import Choices, Rule
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
from .elements import Elements
from .graph import LCG
from .numbers import DEPENDS_ON_DATA, Numbers
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

        self._numbers: Numbers | None = None
        self._too_large: bool | None = None
        self.forms: list[object] = []
        self.forms = ReplayedPoint(self, lcg.arguments).forms

    def fits(self, arguments: Sequence[Data]) -> bool:
        """Whether arguments have the shapes and precision that were recorded."""
        return [(np.shape(a), np.result_type(a)) for a in arguments] == self.shapes

    def at(self, *arguments: Data) -> Linearization:
        """The function at another point. Raises what its operations raise, and ValueError for a result of another form."""
        arguments, lcg = tuple(map(shared, arguments)), self.lcg
        code = ReplayedPoint(self, arguments)
        if code.forms != self.forms:
            raise ValueError("a result has another shape or precision than was recorded")
        return Linearization(code, lcg.structure, lcg.params, arguments, lcg.batch, elementwise=lcg.elementwise)

    @property
    def static(self) -> bool:
        """Whether its graph of numbers is the same at every point."""
        return not any(operation.rule.kind in DEPENDS_ON_DATA for operation in self.operations)

    def elements(self, at: Linearization) -> Elements:
        """The numbers of the function at a point, numbered once, unless it puts them in an order that depends on them."""
        if self._too_large is None:
            self._too_large = Elements(at, self.lcg.single_access).too_large
        if self._too_large:
            return Elements(at, self.lcg.single_access)
        if self._numbers is None or not self._numbers.static:
            self._numbers = Numbers(self.lcg.single_access, at)
        return Elements(at, self.lcg.single_access, self._numbers)


class ReplayedPoint:
    """What a recording computes at a point: as on the tape, each operation's result and then its derivatives."""

    def __init__(self, recording: Recording, arguments: tuple[Data, ...]) -> None:
        self.recording = recording
        self.forms: list[object] = []
        self.weight: list[Data] = recording.fixed.copy()
        results = list(arguments)
        with np.errstate(all="ignore"):
            for rule, given, rest, holes, options, edges in recording.operations:
                data = given.copy()
                for position, number in holes:
                    data[position] = results[number]
                call = (data, *rest) if rule.sequence else tuple(data)
                result = recorded_form(rule.function(*call, **options), rule)
                results.append(result)
                self.forms.append((result.shape, result.dtype) if result.__class__ is np.ndarray else result.__class__)
                call = in_precision(rule, call, result)
                for e, position in edges:
                    self.weight[e] = edge_of(rule, position, result, data[position], call, options)
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

    @property
    def chooses(self) -> bool:
        return self.recording.lcg.single_access.chooses

    @property
    def choices(self) -> Choices:
        return self.recording.lcg.single_access.choices

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
            if looks() != before or not closed(first) or not alike(first, second):
                return None
            recording = Recording(first)
            return recording if _between_arrays(recording) and is_trace(recording.at(*first.arguments), first) else None
    except Exception:  # whatever f raises, it raises again when it is traced
        return None


def is_trace(at: Linearized, lcg: Linearized) -> bool:
    """Whether a recording at a point is this trace there, to the bit."""
    return _same(at.value, lcg.value) and all(_same(at.adjoint(name), lcg.adjoint(name)) for name in lcg.params)


def closed(lcg: LCG) -> bool:
    """Whether it is made of operations on the parameters and on constants, all of which the tape has kept."""
    made = lcg.single_access
    inside = {id(entry) for entry in (*made.leaves, *made.entries)}
    own = all(id(parent) in inside for entry in made.entries for parent in parents(entry))
    return (
        own
        and bool(made.entries)
        and made.entries[-1] is made.root
        and not any(rule_of(e).forgets for e in made.entries)
    )


def alike(first: LCG, second: LCG) -> bool:
    """Whether two recordings have the same operations with the same constants."""
    pairs = zip(first.single_access.entries, second.single_access.entries)
    return first.signature == second.signature and all(
        _same((arguments_of(a), options_of(a)), (arguments_of(b), options_of(b))) for a, b in pairs
    )


def _between_arrays(recording: Recording) -> bool:
    """Whether no power is one of numbers, for on the tape those may be Python's own."""
    done = zip(recording.operations, recording.forms)
    return not any(operation.rule.function is np.power and form is float for operation, form in done)


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
