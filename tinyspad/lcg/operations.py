"""The operations of a function of arrays, for those who do them otherwise: for many runs at once, or number by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data, name_of
from ..errors import BadInput
from ..rules import Rule, moved
from ..tape import Entry, arguments_of, looks, options_of, parents, positions, replay, rule_of
from .graph import LCG
from .replayed import alike, closed
from .trace import trace_as


class Operation(NamedTuple):
    """One operation of one run: its rule; its arguments, of which ``holes`` (position, number of the result) differ by run.

    ``shapes``: of what stands in the holes, by position. ``rest``: arguments behind a sequence. ``out``: the result's shape.
    """

    rule: Rule
    flat: list[Data]
    rest: tuple[Data, ...]
    options: dict[str, Data]
    holes: dict[int, int]
    shapes: dict[int, tuple[int, ...]]
    out: tuple[int, ...]

    @property
    def of_one(self) -> list[Data]:
        """The arguments of one run, with zeros for what differs by run."""
        return [np.broadcast_to(0.0, self.shapes[i]) if i in self.holes else x for i, x in enumerate(self.flat)]

    @property
    def moved(self) -> tuple[list[Data], Array]:
        """A move's operands, and which of their numbers, in one row from 1 on, is in each place of the result; 0: none."""
        operands, rest = (self.flat, self.rest) if self.rule.sequence else (self.flat[:1], tuple(self.flat[1:]))
        shapes = [self.shapes.get(i, np.shape(x)) for i, x in enumerate(operands)]
        ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
        places = [np.arange(end - math.prod(s) + 1, end + 1).reshape(s) for end, s in zip(ends, shapes)]
        return operands, moved(self.rule, places, rest, self.options, None).reshape(self.out)

    @property
    def settings(self) -> dict[str, Data]:
        """Everything behind the first argument, by name."""
        names = [parameter.name for parameter in self.rule.arguments]
        return dict(zip(names[1:], self.flat[1:])) | self.options


def operations_of(
    names: list[str], f: Callable[..., Data], arguments: Sequence[Data], cannot: str
) -> tuple[LCG, list[Operation], int]:
    """f, traced; its operations, which are f wherever one goes; and the number of the result that is f's.

    Raises BadInput, with the reason, where they are not f; ``cannot``: the end of what is then said. Cost: two traces.
    """
    before = looks()
    with np.errstate(all="ignore"):
        first = trace_as(names, f, arguments)
        looked = looks() != before
        second = trace_as(names, f, arguments)
    made = first.single_access
    number = {id(entry): i for i, entry in enumerate((*made.leaves, *made.entries))}
    if id(made.root) not in number:
        raise BadInput(f"{name_of(f)} depends on no parameter, so there is nothing to do at other points.")
    itself = not made.entries  # f gives one of its parameters
    if looked or not (itself or closed(first)) or not alike(first, second):
        why = (
            "looks at values (a comparison, .data, a computed index)"
            if looked
            else "is not the same at every call, or reads a Value from outside"
        )
        raise BadInput(f"{name_of(f)} {why}, so it may go different ways at different points, and {cannot}")
    with np.errstate(all="ignore"):
        results = replay(made.entries, dict(zip(map(id, made.leaves), first.arguments)))
    shape_of = {key: np.shape(result) for key, result in results.items()}
    return first, [_operation(entry, number, shape_of) for entry in made.entries], number[id(made.root)]


def _operation(entry: Entry, number: dict[int, int], shape_of: dict[int, tuple[int, ...]]) -> Operation:
    rule, given, read = rule_of(entry), arguments_of(entry), parents(entry)
    flat = [None] * len(read) if given is None else list(given[0] if rule.sequence else given)
    rest = tuple(given[1:]) if given is not None and rule.sequence else ()
    places = positions(entry)
    return Operation(
        rule,
        flat,
        rest,
        options_of(entry),
        {i: number[id(parent)] for i, parent in zip(places, read)},
        {i: shape_of[id(parent)] for i, parent in zip(places, read)},
        shape_of[id(entry)],
    )
