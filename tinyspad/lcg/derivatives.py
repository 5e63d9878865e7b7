"""Forward mode, Jacobians, and derivatives as programs of their own.

There is one engine. A forward sweep is the traversal in the other direction. The derivative of a program is again a NumPy
program, so it is recorded on a tape like any other: that gives second derivatives, and higher ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import paths as algebra
from ..arguments import spaced
from ..displays import cut, few, line, page, summary
from ..errors import BadInput, NotElementwise, NotSymmetric, TinyspadError
from ..linearization import guarded_weights
from ..paths import Elimination, Semiring
from ..rules import LinearMap, Masked, Rule
from ..table import Table
from ..tape import (
    Entry,
    Value,
    behind,
    edge_inside,
    guarded_partials,
    operands,
    options_of,
    order_of,
    parents,
    partials,
    record,
    refuse_foreign,
    replay,
    rule_of,
    run_on,
)
from .elements import Elements
from .recorded import Recorded
from .text import letters

# --- forward mode ---------------------------------------------------------------------------------------------


def push(tangent: Any, weight: Any) -> Any:
    """The tangent behind an edge: the weight times it, or, for a linear map known by its vjp, the transposed vjp.

    A vjp is linear in the adjoint, so the vjp of the vjp is the jvp: it is recorded once and swept back. Where it uses
    NumPy in a way that cannot be recorded, it is multiplied out against unit adjoints, one call per element of the result.
    """
    if not isinstance(weight, LinearMap):
        return tangent * weight
    adjoint = Value(np.zeros(weight.out_shape))
    try:
        pulled = run_on(weight.vjp, [adjoint])  # one that calls backward() itself is refused, and multiplied out
        if isinstance(pulled, Value):
            np.sum(pulled * tangent).backward()
        return adjoint.grad
    except (TinyspadError, TypeError, ValueError):
        unit = np.zeros(weight.out_shape)
        found = np.zeros(weight.out_shape)
        for at in np.ndindex(unit.shape):
            unit[at] = 1.0
            found[at] = np.sum(weight.vjp(unit.copy()) * tangent)
            unit[at] = 0.0
        return found if found.shape else float(found)


TANGENT = Semiring(lambda w: w, push, lambda a, b: a + b)


def tangents_of(lcg: Recorded, given: Sequence[Any]) -> dict[int, Any]:
    """The tangents to start with, by node. Raises BadInput for a wrong number or shape."""
    if len(given) != len(lcg.params):
        raise BadInput(
            f"jvp takes one tangent for each of {', '.join(lcg.params)}; {len(given)} "
            f"{'was' if len(given) == 1 else 'were'} given."
        )
    tangents = {}
    for i, (name, argument, tangent) in enumerate(zip(lcg.params, lcg.arguments, given)):
        refuse_foreign(tangent, f"The tangent of {name}")
        try:
            if isinstance(tangent, np.ma.MaskedArray) or np.asarray(tangent).dtype.kind not in "fiu":
                raise TypeError
            tangent = np.asarray(tangent, float)[()]
        except (TypeError, ValueError, OverflowError):
            raise BadInput(f"The tangent of {name} is a number or an array of numbers, not {tangent!r:.60}.") from None
        if lcg.batch and np.shape(tangent) == ():
            tangent = np.broadcast_to(tangent, lcg.batch)
        if np.shape(tangent) != np.shape(argument):
            raise BadInput(f"The tangent of {name} has shape {np.shape(tangent)}, {name} has {np.shape(argument)}.")
        if lcg.structure.branches(i) or lcg.structure.output == i:
            tangents[i] = np.array(tangent, float) if np.shape(argument) else float(tangent)
    return tangents


def pushed_by_rows(lcg: Recorded, tangents: dict[int, Any]) -> Any:
    """The same by the rows of the Jacobian, of which a sweep backward gives one after the other."""
    if lcg.batch or np.ndim(lcg.value) == 0:
        total = np.sum if not lcg.batch else np.asarray
        return sum(total(lcg.linearization.adjoint(lcg.params[i]) * t) for i, t in tangents.items())
    blocks = blocks_of(lcg)
    return sum(np.tensordot(blocks[lcg.params[i]], t, np.ndim(t)) for i, t in tangents.items())


# --- derivatives as programs ----------------------------------------------------------------------------------

# x * 1 is x: without this the program of a derivative would be full of ones.
CLEAN = Semiring(
    lambda w: w,
    lambda value, w: (
        value if _is_one(w) else w if _is_one(value) and not isinstance(w, (LinearMap, Masked)) else value * w
    ),
    lambda a, b: a + b,
)


def _is_one(x: Any) -> bool:
    return x.__class__ is float and x == 1.0


def derivative_of(lcg: Recorded, source: int, params: dict[str, Value]) -> Any:
    """The derivative of an LCG's output by one parameter as a Value, computed from these parameters."""
    root = lcg.single_access.root
    if root is None:
        return 0.0
    known = {id(leaf): value for leaf, value in zip(lcg.single_access.leaves, params.values())}
    results = replay(behind(root), known, run=_recorded)
    weight: list[Any] = list(lcg.weight)
    for e, entry, position in lcg.single_access.origins:
        args, rule = operands(entry, results), rule_of(entry)
        x = args[0][position] if rule.sequence else args[position]
        weight[e] = edge_inside(rule, position, results[id(entry)], x, args, options_of(entry))
    if lcg.single_access.chooses:
        weight = guarded_weights(lcg.structure, weight, lcg.single_access.choices)
    return algebra.sweep_to(
        lcg.structure, weight, CLEAN, source, lcg.seed if np.ndim(lcg.value) and not lcg.batch else 1.0
    )


def _recorded(rule: Rule, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """An operation on what depends on the parameters, on the tape; on what does not, of numbers."""
    given = args[0] if rule.sequence else args
    return record(rule, args, options) if any(isinstance(x, Value) for x in given) else rule.function(*args, **options)


def hessian_of(
    lcg: Recorded, rows: dict[str, Recorded], number: Callable[[str, tuple[int, ...]], Elements]
) -> dict[str, dict[str, Any]]:
    """The gradients of all derivatives, the rows. Raises NotSymmetric where their order matters by more than rounding.

    ``number``: gives, of a row and a place in it, the graph of numbers behind that one; called only where ``[p][q]`` and
    ``[q][p]`` differ.
    """
    runs = lcg.elementwise
    # Half of the digits of the least precise: a wrong formula is wrong in the first few.
    share = max(float(np.sqrt(np.finfo(np.result_type(x)).eps)) for x in (lcg.value, *lcg.arguments))
    hessian = {name: row.linearization.gradient() if runs else blocks_of(row) for name, row in rows.items()}

    def terms(p: str, q: str, at: tuple[int, ...]) -> float:
        if runs:
            return float(np.broadcast_to(rows[q].sweep("magnitude")[p] + rows[p].sweep("magnitude")[q], lcg.batch)[at])
        here, there = at[: np.ndim(rows[q].value)], at[np.ndim(rows[q].value) :]
        sums = number(q, here).log_mass(p), number(p, there).log_mass(q)
        return float(np.exp(np.asarray(sums[0])[there]) + np.exp(np.asarray(sums[1])[here]))

    for i, p in enumerate(lcg.params):
        for q in lcg.params[: i + (not runs)]:
            one, other = hessian[q][p], hessian[p][q]
            if not runs:  # one has the axes of q first, and then those of p
                ahead = np.ndim(lcg.arguments[i])
                other = np.moveaxis(other, range(ahead), range(np.ndim(other) - ahead, np.ndim(other)))
            at = _asymmetric(one, other, share, functools.partial(terms, p, q))
            if at is not None:
                told = [f"{np.broadcast_to(h, np.shape(one))[at]:.10g}" for h in (one, other)]
                where = f"{at[0] if len(at) == 1 else at}"
                place = "" if not at else f" in run {where}" if runs else f" at {where}"
                raise NotSymmetric(
                    f"The second derivatives of {q} and {p} depend on the order{place}: "
                    f"d/d{p} of df/d{q} is {told[0]}, d/d{q} of df/d{p} is {told[1]}. Either the function has none here "
                    "(a kink, or x ** y where x is 0), or a partial derivative is right as a number and wrong as a formula "
                    "to differentiate again (look at the rules of your own first). ts.check_gradients(f, ..., order=2) says "
                    "which of the two is wrong; ts.jacobian(ts.grad(f), ...) has the rows as they are."
                )
    return hessian


def _asymmetric(
    one: Any, other: Any, share: float, terms: Callable[[tuple[int, ...]], float]
) -> tuple[int, ...] | None:
    """Where two second derivatives that are to be the same are apart by more than this share of the terms that were added
    up; None if nowhere. What is not finite is seen without a check."""
    with np.errstate(all="ignore"):
        apart = np.asarray(abs(one - other))
        for at in np.argwhere((apart > share * abs(one)) & np.isfinite(one) & np.isfinite(other)):
            place = tuple(map(int, at))
            if apart[place] > share * terms(place):
                return place
    return None


# --- several outputs ------------------------------------------------------------------------------------------


SHOWN = 10
"""So many outputs and parameters a Jacobian shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Jacobian:
    """The derivatives of all outputs of a function by all its parameters; made by ``ts.jacobian``.

    ``blocks[k][name]``: the derivative of output k by a parameter, of shape output's + parameter's. ``matrix``: all of them
    as one array, a row for each element of the outputs and a column for each element of the parameters. ``lcgs``: one
    LCG per output, all from one evaluation. ``values``: the outputs.
    """

    params: tuple[str, ...]
    values: tuple[Any, ...]
    blocks: tuple[dict[str, Any], ...]
    lcgs: tuple[Recorded, ...]

    @property
    def matrix(self) -> np.ndarray[Any, Any]:
        rows = []
        for value, block in zip(self.values, self.blocks):
            shape = np.shape(value)
            columns = [int(np.prod(np.shape(block[name])[len(shape) :])) for name in self.params]
            row = [np.reshape(block[name], (int(np.prod(shape)), n)) for name, n in zip(self.params, columns)]
            rows.append(np.concatenate([*row, np.zeros((int(np.prod(shape)), 0))], axis=1))
        return np.concatenate(rows)

    def __repr__(self) -> str:
        found = (f"{k} by {cut(name)}: {summary(block[name])}" for k, block in enumerate(self.blocks) for name in block)
        return line(f"Jacobian, outputs by parameters: {few(found, 3, 80, joint='; ')}")

    def _repr_html_(self) -> str:
        names = self.params[:SHOWN]
        rows = [(k, *(summary(block[name]) for name in names)) for k, block in enumerate(self.blocks[:SHOWN])]
        size = (
            f"{spaced(len(self.blocks))} outputs, {spaced(len(self.params))} parameters, of which the first are shown"
        )
        larger = max(len(self.blocks), len(self.params)) > SHOWN
        return page(Table(("output", *(f"by {name}" for name in names)), rows), size if larger else "")

    def eliminate(self, order: str | Sequence[Any] = "reverse", by: str = "vertex") -> Elimination:
        """Accumulate the Jacobian of the common graph by elimination; see ``LCG.eliminate``.

        >>> import numpy as np, tinyspad as ts
        >>> def both(x, y):
        ...     s = np.sin(x * y)
        ...     return s * x, s + y
        >>> for order in "forward", "reverse", "markowitz":
        ...     print(order, ts.jacobian(both, 1.0, 2.0).eliminate(order).multiplications)
        forward 6
        reverse 6
        markowitz 6
        """
        return eliminate_together(self.lcgs, order, by)


def blocks_of(lcg: Recorded) -> dict[str, Any]:
    """The derivative of every element of the output by every parameter, by one reverse sweep per element."""
    shape = np.shape(lcg.value)
    found = {name: np.zeros((*shape, *np.shape(a))) for name, a in zip(lcg.params, lcg.arguments)}
    for at in np.ndindex(shape):
        seed: Any = np.zeros(shape)
        seed[at] = 1.0
        for name, row in lcg.pulled(seed if shape else 1.0).items():
            found[name][at] = row
    return {name: block if block.shape else float(block) for name, block in found.items()}


def eliminate_together(lcgs: Sequence[Recorded], order: str | Sequence[Any], by: str) -> Elimination:
    """Elimination on the union of several LCGs of one evaluation, without tupling: a variable may be read many times."""
    if not all(lcg.elementwise for lcg in lcgs):
        raise NotElementwise(
            "Elimination multiplies edges with each other, which needs a number on each; here some are linear maps. "
            "Write the function elementwise."
        )
    leaves = lcgs[0].single_access.leaves
    operations = {id(entry): entry for lcg in lcgs for entry in lcg.single_access.entries}
    inner = sorted(operations.values(), key=lambda entry: order_of(entry))
    number = {id(entry): i for i, entry in enumerate((*leaves, *inner))}
    roots = [lcg.single_access.root for lcg in lcgs if lcg.single_access.root is not None]
    guards = guarded_partials(reversed(inner), roots) if any(lcg.linearization.needs_guard for lcg in lcgs) else {}
    edges = [
        (number[id(parent)], number[id(entry)], weight.shown() if isinstance(weight, Masked) else weight)
        for entry in inner
        for parent, weight in zip(parents(entry), guards.get(id(entry), partials(entry)))
        if id(parent) in number  # otherwise a constant
    ]
    read = {tail for tail, _, _ in edges} | set(range(len(leaves)))
    places = [number.get(id(lcg.single_access.root)) for lcg in lcgs]
    outputs: list[int] = []
    for at in places:
        if at is None or at in read or places.count(at) > 1:  # a constant, a parameter, or read elsewhere: a copy of it
            if at is not None:
                edges.append((at, len(number), 1.0))
            at = number[len(number)] = len(number)  # any key that is new
        outputs.append(at)
    names = _vertex_names(lcgs, inner, outputs, len(number))
    return _named(names, algebra.eliminate(edges, range(len(leaves)), outputs, _numbered(names, order), by, names))


def _vertex_names(lcgs: Sequence[Recorded], inner: list[Entry], outputs: list[int], size: int) -> list[str]:
    """A single LCG's own names; for several outputs the letters in order of evaluation, and z1, z2, ... for the outputs."""
    params = lcgs[0].params
    if len(lcgs) == 1:
        own = {
            id(entry): name for entry, name in zip(lcgs[0].single_access.entry_of, lcgs[0].names) if entry is not None
        }
        names = [*params, *(own[id(entry)] for entry in inner)]
        return names + ["z"] * (size - len(names))
    joint = ""
    while {f"z{joint}{k + 1}" for k in range(len(outputs))} & set(params):
        joint += "_"
    taken, spare = {*params, *(f"z{joint}{k + 1}" for k in range(len(outputs)))}, letters()
    names = [*params, *[""] * (size - len(params))]
    for i in range(len(params), size):
        if i in outputs:
            names[i] = f"z{joint}{outputs.index(i) + 1}"
        else:
            names[i] = next(letter for letter in spare if letter not in taken and letter != "z")
    return names


def _numbered(names: list[str], order: Any) -> Any:
    number = {name: i for i, name in enumerate(names)}

    def of(step: Any) -> Any:
        if isinstance(step, (tuple, list)):
            return (*map(of, step[:2]), *step[2:])
        if not isinstance(step, str) or step not in number:
            raise BadInput(f"eliminate: there is no vertex {step!r}; there are {', '.join(names[:30])}.")
        return number[step]

    if isinstance(order, str):
        return order
    if not isinstance(order, (list, tuple)):
        raise BadInput(f'eliminate: order= is "forward", "reverse", "markowitz" or a list, not {order!r:.60}.')
    return [of(step) for step in order]


def _named(names: list[str], done: Elimination) -> Elimination:
    def of(step: Any) -> Any:
        return tuple(map(of, step)) if isinstance(step, tuple) else step if isinstance(step, str) else names[step]

    jacobian = {(names[i], names[o]): value for (i, o), value in done.jacobian.items()}
    return Elimination(jacobian, done.multiplications, done.additions, tuple(map(of, done.order)))
