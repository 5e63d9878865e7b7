"""Sums over all paths of every number in arrays, without the graph of numbers: a reverse sweep over arrays in other numbers.

An operation's rule is linear in the adjoint, and its weights are numbers that the rule has anyway: so counts, magnitudes and
squares are swept by the same rules, applied to ones, absolute values or squares of the weights. It costs what a gradient
costs, where the numbers have tens of millions of edges between them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Array, Data
from ..linearization import Linearization
from ..rules import MOVES, LinearMap, Operand, kind_of, lifted, reads_of, restore, unbroadcast
from ..tape import Entry, options_of, parents, positions, rule_of
from .numbers import given_to
from .single_access import SingleAccess

Lift = Callable[[Array], Array]
"""What stands in for a weight: itself, its size, its square, or 1."""


class Reader(NamedTuple):
    """An operand of an operation that is on the way to the output: what it hands back to every number that it reads."""

    entry: Entry
    position: int
    edge: int
    share: Array


class Sums:
    """For every number of every array the sum, over its paths, of the products of what stands in for the weights.

    ``of``: by the id of an array's entry, in its shape; ``readers``: who reads it. In floats: whole numbers are exact below
    2**53. Cost: about that of a gradient.
    """

    def __init__(self, made: SingleAccess, at: Linearization, lift: Lift) -> None:
        edge_at = {(id(entry), position): e for e, entry, position in made.origins}
        self.leaves = made.leaves
        self.of: dict[int, Any] = {id(leaf): np.zeros(np.shape(x)) for leaf, x in zip(made.leaves, at.arguments)}
        self.readers: dict[int, list[Reader]] = {}
        if made.root is not None and ((made.entries and made.entries[-1] is made.root) or id(made.root) in self.of):
            self.of[id(made.root)] = np.ones(np.shape(at.value))
            with np.errstate(all="ignore"):
                for entry in reversed(made.entries):
                    if id(entry) in self.of:
                        self._hand_back(entry, at, edge_at, lift)

    def _hand_back(self, entry: Entry, at: Linearization, edge_at: dict[tuple[int, int], int], lift: Lift) -> None:
        """Hand the sums of an operation's result back to what it reads."""
        for parent, position in zip(parents(entry), positions(entry)):
            e = edge_at.get((id(entry), position))
            if e is None:  # a Value from outside
                continue
            share = _through(entry, position, at.code.weight[e], self.of[id(entry)], lift)
            self.of[id(parent)] = share if id(parent) not in self.of else self.of[id(parent)] + share
            self.readers.setdefault(id(parent), []).append(Reader(entry, position, e, share))

    def of_params(self) -> list[Array]:
        """Those of the parameters."""
        return [self.of[id(leaf)] for leaf in self.leaves]


def _through(entry: Entry, position: int, edge: Data, value: Array, lift: Lift) -> Array:
    """The share of one operand."""
    rule, options = rule_of(entry), options_of(entry)
    kind = kind_of(rule, edge)
    if not isinstance(edge, LinearMap):  # elementwise, and nothing is broadcast
        return lift(np.asarray(edge, float)) * value
    adjoint = value if edge.out_shape else value[()]
    if kind in MOVES:
        return np.asarray(edge.vjp(adjoint))
    if kind == "elementwise" and edge.kept is not None:
        return np.asarray(unbroadcast(lift(np.asarray(edge.kept, float)) * value, edge.shape))
    if kind in ("elementwise", "reduction"):
        weights = lift(np.asarray(edge.vjp(np.ones(edge.out_shape) if edge.out_shape else 1.0), float))
        if kind == "reduction":
            value = restore(value, edge.shape, rule.setting("axis", given_to(entry), options))
        return weights * value
    operand = Operand(rule, position, edge.shape, edge.out_shape, given_to(entry), options, edge)
    instead = lifted(operand, lift) if callable(kind) else None
    if instead is not None:
        return np.asarray(instead.vjp(adjoint))
    reads = reads_of(operand)
    shares = lift(reads.weights(edge)) * value.reshape(-1)[reads.out]
    return np.bincount(reads.into, shares, minlength=int(np.prod(edge.shape))).reshape(edge.shape)
