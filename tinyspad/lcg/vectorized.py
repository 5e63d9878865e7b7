"""Many runs of a function of arrays as one: its recording, with an axis of runs in front of all that differs by run.

What an operation does with that axis follows from its kind (``rules.reads``): what is elementwise is broadcast, reductions
and scans go by axes that move on by one, a product gets one more letter, a move becomes a gather. Where a kind says
nothing, the runs are done one after the other. Every step is an ordinary NumPy call, so what comes out can be traced in
turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import Array, Data, name_of
from ..errors import BadInput
from ..rules import LETTERS, letters_of
from .operations import Operation, operations_of

STACKED = (np.linalg.inv, np.linalg.det)
"""Functions of matrices that NumPy takes stacks of."""


def vectorized(names: list[str], f: Callable[..., Data], arguments: Sequence[Data]) -> Callable[..., Data]:
    """f of many runs: of parameters with one more axis in front, of R runs, their R results.

    ``arguments``: those of one run. Raises BadInput, with the reason, where f is not that: it branches on values, is not the
    same at every call, or gives no single number. Cost: two traces.

    >>> squares = vectorized(["w"], lambda w: np.sum(w * w), [np.ones(3)])
    >>> squares(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]]))
    array([14.,  1.])
    """
    cannot = "side by side they cannot. Minimise from each start by itself."
    first, operations, result = operations_of(names, f, arguments, cannot)
    if np.size(first.value) != 1:
        raise BadInput(
            f"{name_of(f)} of one run gave shape {np.shape(first.value)}, and is to give one number: with runs=True the "
            "runs stand on the first axis of every parameter."
        )
    steps = [_step(done) for done in operations]

    def side_by_side(*params: Data) -> Data:
        known = list(params)
        for step in steps:
            known.append(step(known))
        found = known[result]
        return np.reshape(found, np.shape(params[0])[:1]) if np.ndim(found) > 1 else found

    side_by_side.__name__ = name_of(f)
    return side_by_side


Step = Callable[[Sequence[Data]], Data]
"""Of all results so far, each with its axis of runs, the next one."""


def _step(done: Operation) -> Step:
    kind = done.rule.kind
    if callable(kind):
        return _product(done)
    own = not (getattr(done.rule.function, "__module__", "") or "").startswith("numpy")
    if own and kind not in ("elementwise", "move"):  # a user's function may know no axes
        return _one_after_the_other(done)
    return STEPS[kind](done)


def _runs(done: Operation, known: Sequence[Data]) -> int:
    return int(np.shape(known[next(iter(done.holes.values()))])[0])


def _elementwise(done: Operation) -> Step:
    """Axes of length one between that of the runs and the operand's own, so that it is broadcast as one run's is."""

    def step(known: Sequence[Data]) -> Data:
        args = list(done.flat)
        for i, j in done.holes.items():
            lacking = len(done.out) - len(done.shapes[i])
            args[i] = known[j]
            if lacking and done.shapes[i]:
                args[i] = np.reshape(known[j], (_runs(done, known), *(1,) * lacking, *done.shapes[i]))
            elif lacking:
                args[i] = np.reshape(known[j], (_runs(done, known), *(1,) * lacking))
        return done.rule.function(*args, **done.options)

    return step


def _along_an_axis(done: Operation) -> Step:
    """An axis moves on by one; where there is none, all of a run is one row."""
    (j,), (shape,) = done.holes.values(), done.shapes.values()
    settings = done.settings
    axis = done.rule.setting("axis", done.flat, done.options)

    def in_a_row(known: Sequence[Data]) -> Data:
        options = {name: x for name, x in settings.items() if name not in ("axis", "keepdims")}
        if options.get("ord") == "fro":
            del options["ord"]
        runs = _runs(done, known)
        found = done.rule.function(np.reshape(known[j], (runs, math.prod(shape))), axis=1, **options)
        return np.reshape(found, (runs, *done.out)) if len(done.out) != np.ndim(found) - 1 else found

    if axis is None or not shape:
        return in_a_row
    axes = tuple(a % len(shape) + 1 for a in axis) if isinstance(axis, tuple) else axis % len(shape) + 1
    return lambda known: done.rule.function(known[j], **(settings | {"axis": axes}))


def _diagonal(done: Operation) -> Step:
    (j,), (shape,) = done.holes.values(), done.shapes.values()
    places = np.arange(math.prod(shape)).reshape(shape)
    diagonal = np.diagonal(places, done.rule.setting("offset", done.flat, done.options)).ravel()
    return lambda known: np.sum(np.reshape(known[j], (_runs(done, known), math.prod(shape)))[:, diagonal], axis=1)


def _move(done: Operation) -> Step:
    """All operands of a run in one row, and in front of them a zero; the move says which of these is where."""
    operands, places = done.moved
    sizes, taken = [math.prod(done.shapes.get(i, np.shape(x))) for i, x in enumerate(operands)], places.ravel()
    key = _as_slice(taken - 1)

    def step(known: Sequence[Data]) -> Data:
        runs = _runs(done, known)
        rows = [
            np.reshape(known[done.holes[i]], (runs, sizes[i]))
            if i in done.holes
            else np.broadcast_to(np.ravel(x), (runs, np.size(x)))
            for i, x in enumerate(operands)
        ]
        if key is not None:
            row = rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)
            found = row if key == slice(0, sum(sizes)) else row[:, key]
        else:
            found = np.concatenate([np.zeros((runs, 1)), *rows], axis=1)[:, taken]
        return np.reshape(found, (runs, *done.out))

    return step


def _as_slice(taken: Array) -> slice | None:
    """Positions that follow each other; None for others."""
    if not len(taken) or taken[0] < 0 or np.any(np.diff(taken) != 1):
        return None
    return slice(int(taken[0]), int(taken[-1]) + 1)


def _product(done: Operation) -> Step:
    """The runs are one more letter. Beside a constant they are rows of one matrix product."""
    one_run = done.of_one
    terms, output, _ = letters_of(done.rule, one_run, done.options)
    numbers = list(terms)
    runs = next(c for c in LETTERS[::-1] if c not in "".join(terms.values()) + output)  # the letter of their axis

    def subscripts(known: Sequence[Data]) -> Data:
        operands = [known[done.holes[i]] if i in done.holes else done.flat[i] for i in numbers]
        listed = [(runs if i in done.holes else "") + terms[i] for i in numbers]
        found = np.einsum(f"{','.join(listed)}->{runs}{output}", *operands)
        return np.reshape(found, (_runs(done, known), *done.out)) if np.shape(found)[1:] != done.out else found

    if len(numbers) != 2 or any(len(set(term)) < len(term) for term in terms.values()):
        return subscripts
    first, second = sorted(numbers, key=lambda i: i not in done.holes)  # what differs by run
    mine, other = terms[first], terms[second]
    summed = [c for c in mine if c in other]
    plain = not set(summed) & set(output) and set(mine + other) == set(output) | set(summed)
    same_sizes = all(
        np.shape(one_run[first])[mine.index(c)] == np.shape(one_run[second])[other.index(c)] for c in summed
    )
    if not plain or not same_sizes:
        return subscripts
    if second in done.holes:
        return _of_matrices(done, terms, output, summed) or subscripts
    axes = [mine.index(c) + 1 for c in summed], [other.index(c) for c in summed]
    free = [c for c in mine + other if c not in summed]
    order = [0, *(free.index(c) + 1 for c in output)]

    def rows_times_matrix(known: Sequence[Data]) -> Data:
        found = np.tensordot(known[done.holes[first]], done.flat[second], axes)
        found = found if order == sorted(order) else np.transpose(found, order)
        return np.reshape(found, (_runs(done, known), *done.out)) if np.shape(found)[1:] != done.out else found

    return rows_times_matrix


def _of_matrices(done: Operation, terms: dict[int, str], output: str, summed: list[str]) -> Step | None:
    """A matrix product for each run, where both operands differ by run and are matrices or vectors."""
    (left, first), (right, second) = terms.items()
    if len(summed) != 1 or max(len(first), len(second)) > 2 or first[-1:] != summed[0] or second[:1] != summed[0]:
        return None
    if output != first[:-1] + second[1:]:
        return None
    rows, columns, n = done.shapes[left][:-1] or (1,), done.shapes[right][1:] or (1,), done.shapes[right][0]

    def step(known: Sequence[Data]) -> Data:
        runs = _runs(done, known)
        a = np.reshape(known[done.holes[left]], (runs, *rows, n))
        b = np.reshape(known[done.holes[right]], (runs, n, *columns))
        return np.reshape(a @ b, (runs, *done.out))

    return step


def _one_after_the_other(done: Operation) -> Step:
    def step(known: Sequence[Data]) -> Data:
        if done.rule.function in STACKED:
            return done.rule.function(known[done.holes[0]])
        each = []
        for run in range(_runs(done, known)):
            flat = list(done.flat)
            for i, j in done.holes.items():
                flat[i] = known[j][run]
            args: tuple[Any, ...] = (flat, *done.rest) if done.rule.sequence else tuple(flat)
            each.append(done.rule.function(*args, **done.options))
        return np.stack(each)

    return step


STEPS: dict[str, Callable[[Operation], Step]] = {
    "elementwise": _elementwise,
    "move": _move,
    "order": _along_an_axis,
    "reduction": _along_an_axis,
    "diagonal": _diagonal,
    "scan": _along_an_axis,
    "dense": _one_after_the_other,
}
