"""A function of arrays spelled out in numbers: the same program, with every sum and product written term by term."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import Array, Data, name_of, parameter_names, spaced
from ..errors import NotElementwise
from ..rules import letters_of, places_of
from .numbers import places
from .operations import Operation, operations_of

LARGEST = 100_000
"""So many operations between numbers are spelled out at most."""


def of_numbers(f: Callable[..., Data], *like: Data) -> Callable[..., Data]:
    """A function of arrays as one of their numbers: elementwise, so that it can be compiled, drawn, and run many times.

    ``like``: arguments of the shapes that f takes. What comes back takes as many numbers, in C order, or arrays of runs;
    its parameters are called w0, w1, ... or W0_1. Sums are added up term by term, which leaves the paths as they are (but
    for einsums that sum over a letter which neither an operand nor the result has: those terms are then paths of their own).
    Raises BadInput where f is not the same operations everywhere (it branches on values), NotElementwise where an operation
    cannot be written in numbers (sort, inv, var; ``np.linalg.norm`` other than of order 2). Cost: two traces.

    >>> import tinyspad as ts
    >>> valley = ts.of_numbers(lambda w: np.sum((w[1:] - w[:-1] ** 2) ** 2), np.zeros(2))
    >>> valley(1.0, 3.0), ts.trace(valley, 1.0, 3.0).gradient()
    (4.0, {'w0': -8.0, 'w1': 4.0})
    >>> print(ts.compile(valley).source("forward"))
    def forward(w0, w1):
        a = w0 ** 2
        b = w1 - a
        z = b ** 2
        return z
    """
    names = parameter_names(f, len(like))
    args = [float(x) if np.ndim(x) == 0 else np.array(x, float) for x in like]
    cannot = "a program of numbers goes one. Trace it at the point, ts.trace(f, w).elements()."
    first, operations, result = operations_of(names, f, args, cannot)
    _check_size(f, operations)
    if np.size(first.value) != 1:
        raise NotElementwise(
            f"{name_of(f)} gave shape {np.shape(first.value)}; of_numbers takes a function of one result."
        )
    steps = [_step(done) for done in operations]
    shapes = [np.shape(x) for x in args]

    def spelled(*numbers: Data, **named: Data) -> Data:
        left, known = list(signature.bind(*numbers, **named).args), []
        for shape in shapes:
            box = np.empty(shape, object)
            for place in np.ndindex(shape):
                box[place] = left.pop(0)
            known.append(box)
        for step in steps:
            known.append(step(known))
        found = known[result].reshape(-1)[0]
        return float(found) if isinstance(found, np.float64) else found

    own = [_identifier(name, at) for name, shape in zip(names, shapes) for at in places(shape)]
    if len(set(own)) < len(own):
        own = [f"x{i}" for i in range(len(own))]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in own])
    spelled.__signature__ = signature  # type: ignore[attr-defined]
    spelled.__name__ = name_of(f) if name_of(f).isidentifier() else "f"
    return spelled


def _check_size(f: Callable[..., Data], operations: list[Operation]) -> None:
    """Raise NotElementwise where spelling it out would take too many operations."""
    number = 0
    for done in operations:
        number += math.prod(done.out)
        if callable(done.rule.kind):
            number += math.prod(letters_of(done.rule, done.of_one, done.options).sizes.values())
        elif done.rule.kind == "scan":
            number += math.prod(done.out) ** 2
    if number > LARGEST:
        raise NotElementwise(
            f"{name_of(f)} has some {spaced(number)} operations between numbers, too many to be spelled out, at most "
            f"{spaced(LARGEST)}. Use ts.trace(f, w).elements(), which takes arrays as they are."
        )


def _identifier(name: str, place: str) -> str:
    return name + place.strip("[]").replace(", ", "_")


Step = Callable[[Sequence[Array]], Array]
"""Of all results so far, boxes of numbers, the next box."""


def _step(done: Operation) -> Step:
    kind = done.rule.kind
    if callable(kind):
        return _product(done)
    if kind not in STEPS:
        raise _cannot(done)
    return STEPS[kind](done)


def _cannot(done: Operation) -> NotElementwise:
    return NotElementwise(
        f"{done.rule.name} is one operation on whole arrays, and cannot be written in numbers one by one. Use "
        "ts.trace(f, w).elements(), which takes it as it is."
    )


def _boxed(x: Data) -> Array:
    box = np.empty(np.shape(x), object)
    for place in np.ndindex(box.shape):
        box[place] = np.asarray(x)[place].item()
    return box


def _operands(done: Operation, known: Sequence[Array]) -> list[Data]:
    return [known[done.holes[i]] if i in done.holes else x for i, x in enumerate(done.flat)]


def _elementwise(done: Operation) -> Step:
    def step(known: Sequence[Array]) -> Array:
        boxes = [
            x if i in done.holes else None if x is None else _boxed(x) for i, x in enumerate(_operands(done, known))
        ]
        spread = [None if box is None else np.broadcast_to(box, done.out) for box in boxes]
        found = np.empty(done.out, object)
        for place in np.ndindex(done.out):
            found[place] = done.rule.function(*[None if box is None else box[place] for box in spread], **done.options)
        return found

    return step


def _move(done: Operation) -> Step:
    operands, taken = done.moved

    def step(known: Sequence[Array]) -> Array:
        boxes = [known[done.holes[i]] if i in done.holes else _boxed(x) for i, x in enumerate(operands)]
        row = [0.0, *(x for box in boxes for x in box.reshape(-1))]
        found = np.empty(done.out, object)
        for place in np.ndindex(done.out):
            found[place] = row[taken[place]]
        return found

    return step


def _total(terms: Sequence[Data]) -> Data:
    return functools.reduce(operator.add, terms) if terms else 0.0


def _norm(terms: Sequence[Data]) -> Data:
    return np.sqrt(_total([x**2 for x in terms]))


TERM_BY_TERM: dict[Any, Callable[[Sequence[Data]], Data]] = {
    np.sum: _total,
    np.mean: lambda terms: _total(terms) / float(len(terms)),
    np.prod: lambda terms: functools.reduce(operator.mul, terms) if terms else 1.0,
    np.max: lambda terms: functools.reduce(np.maximum, terms),
    np.min: lambda terms: functools.reduce(np.minimum, terms),
    np.linalg.norm: _norm,
    np.trace: _total,
    np.cumsum: _total,
}
"""What a reduction makes of its terms, in numbers."""


def _by_terms(done: Operation) -> Step:
    """Every result of what it reads, in order."""
    function = done.rule.function
    if function not in TERM_BY_TERM or (
        function is np.linalg.norm and done.rule.setting("ord", done.flat, done.options) not in (None, 2, "fro")
    ):
        raise _cannot(done)
    (shape,) = done.shapes.values()
    reads = places_of(done.rule, shape, done.out, done.flat, done.options)
    of_result: dict[int, list[int]] = {}
    for out, into in zip(*reads):
        of_result.setdefault(int(out), []).append(int(into))

    def step(known: Sequence[Array]) -> Array:
        row = known[next(iter(done.holes.values()))].reshape(-1)
        found = np.empty(done.out, object)
        for k, place in enumerate(np.ndindex(done.out)):
            found[place] = TERM_BY_TERM[function]([row[i] for i in of_result.get(k, [])])
        return found

    return step


def _product(done: Operation) -> Step:
    """Every result the sum of the products of what its subscripts name."""
    terms, output, sizes = letters_of(done.rule, done.of_one, done.options)
    inner = [c for c in sizes if c not in output]

    def step(known: Sequence[Array]) -> Array:
        boxes = {i: known[done.holes[i]] if i in done.holes else _boxed(done.flat[i]) for i in terms}
        found = np.empty([sizes[c] for c in output], object)
        for place in np.ndindex(found.shape):
            at = dict(zip(output, place))
            summed = []
            for rest in np.ndindex(*(sizes[c] for c in inner)):
                at.update(zip(inner, rest))
                factors = [
                    box[tuple(at[c] if n > 1 else 0 for c, n in zip(terms[i], box.shape))] for i, box in boxes.items()
                ]
                summed.append(functools.reduce(operator.mul, factors))
            found[place] = _total(summed)
        return found.reshape(done.out)

    return step


STEPS: dict[str, Callable[[Operation], Step]] = {
    "elementwise": _elementwise,
    "move": _move,
    "reduction": _by_terms,
    "diagonal": _by_terms,
    "scan": _by_terms,
}
