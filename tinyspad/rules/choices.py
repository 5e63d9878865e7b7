"""Along a branch that is not taken nothing flows: which numbers a choice leaves out, and products that leave them out.

Where a rule *chooses* (where, maximum, clip, max, indexing, ...), a derivative of zero says that an operand is left out
here, and what it was computed from is left out with it: its share is 0, even where a factor behind it or before it is
infinite. Zeros of other rules are numbers, and zero times infinity is none.

A mask says which numbers of a variable are *reached* from the output by edges that are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data
from .reads import LARGEST_JACOBIAN, Operand, lifted, number_of_reads, reads_of
from .reductions import restore
from .table import LinearMap, Rule, Vjp, is_data, unbroadcast

Mask = Data
"""True for all numbers of a variable, a truth value, an array of these, or a formula for one."""


class Choices(NamedTuple):
    """What a program leaves out: the ``edges`` whose zeros do, and what is known of an edge that is a linear map, if any."""

    edges: Collection[int]
    operand: Callable[[int, LinearMap], Operand] | None = None


def leaves_out(rule: Rule, args: Sequence[Data]) -> bool:
    """Whether a derivative of zero leaves an operand out: the rule chooses, or a truth value multiplies."""
    return rule.chooses or (
        rule.function is np.multiply and any(x.__class__ not in (int, float) and _is_truth(x) for x in args)
    )


def _is_truth(x: Data) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype == bool
    return isinstance(x, (bool, np.bool_)) or (hasattr(type(x), "boolean") and x.boolean)


class Masked:
    """The weight of an edge that is not taken everywhere.

    ``adjoint * masked`` is 0 where it is not taken, whatever adjoint and weight are; of its logarithm, which is added, -inf.
    ``vanishes``: that the weight itself is 0 there, so that a finite number may multiply it.
    """

    __slots__ = ("taken", "vanishes", "weight")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, weight: Data, taken: Mask, vanishes: bool = False) -> None:
        self.weight, self.taken, self.vanishes = weight, taken, vanishes

    def __mul__(self, other: Data) -> Data:
        if isinstance(other, Masked):
            return Masked(self.weight * other.weight, both(self.taken, other.taken))
        if self.vanishes and isinstance(other, float) and abs(other) < np.inf:
            return other * self.weight
        return _where(self.taken, other * self.weight, 0.0)

    def __add__(self, other: Data) -> Data:
        return _where(self.taken, other + self.weight, -np.inf)

    def __truediv__(self, other: Data) -> Masked:
        with np.errstate(all="ignore"):
            return Masked(np.divide(self.weight, other), self.taken)

    __rmul__, __radd__ = __mul__, __add__

    def __abs__(self) -> Masked:
        return Masked(abs(self.weight), self.taken)

    def __eq__(self, other: object) -> Data:
        return _where(self.taken, self.weight == other, other == 0)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Data, **options: Data) -> Data:
        """An array that meets it steps aside."""
        if method != "__call__" or options:
            return NotImplemented
        if ufunc is np.divide:
            return self / inputs[1] if inputs[0] is self else NotImplemented
        other = inputs[1] if inputs[0] is self else inputs[0]
        return self * other if ufunc is np.multiply else self + other if ufunc is np.add else NotImplemented

    def log_size(self) -> Masked:
        """The logarithm of its size, to be added."""
        with np.errstate(all="ignore"):
            return Masked(np.log(np.abs(self.weight)), self.taken)

    def shown(self) -> Data:
        """The weight as numbers: 0 where it is not taken."""
        return _where(self.taken, self.weight, 0.0)

    def __repr__(self) -> str:
        told = f"array{list(np.shape(self.weight))}" if np.shape(self.weight) else f"{self.weight:.4g}"
        return f"{told} (not taken{' everywhere' * (self.taken is not False)})"


def _where(taken: Mask, found: Data, otherwise: float) -> Data:
    if isinstance(taken, bool):
        return found if taken else otherwise if not np.shape(found) else np.full(np.shape(found), otherwise)
    return np.where(taken, found, otherwise)


def both(a: Mask, b: Mask) -> Mask:
    """Where both hold."""
    return b if a is True else a if b is True else _plain(a & b)


def either(a: Mask, b: Mask) -> Mask:
    """Where one of them holds."""
    return True if a is True or b is True else b if a is False else a if b is False else _plain(a | b)


def _plain(mask: Mask) -> Mask:
    """True or False where it is one for all."""
    if isinstance(mask, np.ndarray):
        return True if mask.all() else mask if mask.any() else False
    return bool(mask) if isinstance(mask, np.bool_) else mask


def taken(edge: Data, reached: Mask, chooses: bool) -> Mask:
    """Where an edge that carries numbers is taken, and leads to what is reached."""
    return both(reached, _plain(edge != 0)) if chooses else reached


def guarded(operand: Operand, reached: Mask) -> tuple[Data, Mask]:
    """An edge's weight with nothing flowing where its head is not reached, or it is not taken; and what it reaches."""
    edge, chooses = operand.edge, leaves_out(operand.rule, operand.args)
    if not isinstance(edge, LinearMap):
        mask = taken(edge, reached, chooses)
        return (edge if mask is True else Masked(edge, mask)), mask
    if reached is True and not chooses:
        return edge, True
    behind = _reached_behind(operand, reached, chooses)
    # a number that is broadcast may be taken in one place, and not in another
    broadcast = edge.kept is not None and operand.rule.elementwise
    if reached is True and not broadcast and (behind is True or operand.rule.kind in ("move", "order", "diagonal")):
        return edge, behind  # where numbers are only moved, what is left out is 0 already
    vjp = _broadcast(operand, reached, chooses) if broadcast else None
    return LinearMap(vjp or _exact(operand, reached, behind), edge.shape, edge.out_shape, edge.name, edge.kept), behind


def _reached_behind(operand: Operand, reached: Mask, chooses: bool) -> Mask:
    """Which numbers of an operand are read by reached results, and not left out there."""
    edge, rule, shape = operand.edge, operand.rule, operand.shape
    mask = np.ones(operand.out_shape) * reached
    if rule.kind == "elementwise" and edge.kept is not None:
        found = unbroadcast(mask * (edge.kept != 0) if chooses else mask, shape)
    elif rule.kind in ("move", "order", "diagonal") or (chooses and rule.kind in ("reduction", "elementwise")):
        found = edge.vjp(mask if operand.out_shape else float(mask))
    elif rule.kind == "reduction":
        found = np.broadcast_to(restore(mask, shape, rule.setting("axis", operand.args, operand.options)), shape)
    elif rule.kind == "elementwise":
        found = mask
    else:
        ones = lifted(operand, _ones_of) if callable(rule.kind) else None
        found = _read_by(operand, mask, chooses) if ones is None else ones.vjp(mask)
    return _plain(np.asarray(found != 0).reshape(shape)) if shape else bool(np.all(found != 0))


def _read_by(operand: Operand, mask: Array, chooses: bool) -> Array:
    """Which numbers are read by reached results, number by number; all of them, where that would be too many."""
    if number_of_reads(operand) > LARGEST_JACOBIAN or (
        operand.rule.kind == "dense" and not is_data(operand.edge.vjp(mask))
    ):
        return np.full(operand.shape, np.any(mask) * 1.0)
    reads, found = reads_of(operand), np.zeros(math.prod(operand.shape))
    read = np.ravel(mask)[reads.out] != 0
    if chooses and operand.rule.kind == "dense":
        read &= reads.weights(operand.edge) != 0
    found[reads.into[read]] = 1.0
    return found.reshape(operand.shape)


def _ones_of(x: Data) -> Array:
    return np.ones(np.shape(x))


def _broadcast(operand: Operand, reached: Mask, chooses: bool) -> Vjp:
    local, shape = operand.edge.kept, operand.shape
    mask = both(reached, _plain(local != 0)) if chooses else reached
    return lambda g: unbroadcast(np.where(mask, g * local, 0.0), shape)


def _exact(operand: Operand, reached: Mask, behind: Mask) -> Vjp:
    """The vjp to which what is not reached is no number at all, and not a zero, which an infinite factor makes NaN."""
    edge = operand.edge

    def vjp(g: Data) -> Data:
        g = g if reached is True else np.where(reached, g, 0.0)
        found = edge.vjp(g)
        if callable(operand.rule.kind) and not np.all(np.isfinite(found)):
            found = _of_reached(operand, g, np.ones(operand.out_shape) * reached, found)
        return found if behind is True else np.where(behind, found, 0.0)

    return vjp


def _of_reached(operand: Operand, g: Data, reached: Array, found: Data) -> Data:
    """The vjp of a product whose other operands are not all finite: it counts where these meet what is reached."""
    finite = lifted(operand, lambda x: np.where(np.isfinite(x), x, 0.0))
    every, sound = lifted(operand, _ones_of), lifted(operand, lambda x: np.isfinite(x) * 1.0)
    if finite is None or every is None or sound is None:
        return found
    if is_data(found) and number_of_reads(operand) <= LARGEST_JACOBIAN:
        reads = reads_of(operand)
        shares = np.where(
            reached.reshape(-1)[reads.out] != 0, np.ravel(g)[reads.out] * reads.weights(operand.edge), 0.0
        )
        found = np.bincount(reads.into, shares, minlength=math.prod(operand.shape)).reshape(operand.shape)
    return np.where(every.vjp(reached) - sound.vjp(reached) > 0.5, found, finite.vjp(g))
