"""Random paths of all numbers of an array, where the edges between numbers are too many to be written out.

All numbers walk at once, from array to array: at each it is drawn who reads them next, and which element of that reader's
result, in proportion to the paths that lead on from there (``sums``). A product is never spelled out: given the letters of
a number, only the other letters of the result are drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import Array, Data
from ..errors import BadInput
from ..linearization import Linearization
from ..rules import MOVES, LinearMap, Operand, Product, number_of_reads, places_of, reads_of
from ..tape import options_of, rule_of
from .numbers import given_to, where_moved
from .single_access import SingleAccess
from .sums import Reader, Sums


@dataclass(frozen=True, eq=False)
class Step:
    """Some walkers that go on through one reader: from these places in what it reads to those in its result."""

    reader: Reader
    walkers: Array
    here: Array
    there: Array


@dataclass(frozen=True, eq=False)
class ArrayWalks:
    """A path of each number of an array; ``lost``: of which there is none. The paths have no numbers."""

    size: int
    lost: Array
    steps: list[Step] = field(default_factory=list)

    def product(self, at: Linearization) -> Array:
        """The contributions of the paths at a point, 0 where there is none."""
        found = np.where(self.lost, 0.0, 1.0)
        for step in reversed(self.steps):
            weight = _weight(step, at.weight[step.reader.edge])
            if weight is not None:
                found[step.walkers] *= weight
        return found

    def those(self, chosen: Array) -> ArrayWalks:
        """The walks of these numbers alone."""
        steps = []
        for step in self.steps:
            mine = chosen[step.walkers]
            steps.append(Step(step.reader, step.walkers[mine], step.here[mine], step.there[mine]))
        return ArrayWalks(self.size, self.lost | ~chosen, steps)

    def beside(self, other: ArrayWalks) -> ArrayWalks:
        """These and those of other numbers."""
        return ArrayWalks(self.size, self.lost & other.lost, [*self.steps, *other.steps])

    @property
    def index(self) -> Data:
        raise BadInput("Among so many edges paths are not numbered, so a history cannot keep them: keep_paths=False.")


def walk_arrays(made: SingleAccess, at: Linearization, leaf: Any, sums: Sums, rng: np.random.Generator) -> ArrayWalks:
    """A path of each number of a parameter, uniform over its paths up to the rounding of floats.

    Cost: about that of a few gradients, whatever the number of edges.
    """
    counts = sums.of[id(leaf)].reshape(-1)
    walks = ArrayWalks(counts.size, counts == 0)
    walkers = np.flatnonzero(counts)
    standing: dict[int, list[tuple[Array, Array]]] = {id(leaf): [(walkers, walkers)]}
    for entry in (leaf, *made.entries):
        arrived = standing.pop(id(entry), None)
        if arrived is None or entry is made.root:
            continue
        walkers, here = (np.concatenate(parts) for parts in zip(*arrived))
        readers = sums.readers[id(entry)]
        which = _drawn_reader(readers, here, rng)
        for k, reader in enumerate(readers):
            mine = which == k if len(readers) > 1 else slice(None)
            if not len(own := walkers[mine]):
                continue
            there = _drawn_place(reader, at.weight[reader.edge], here[mine], sums, at, rng)
            walks.steps.append(Step(reader, own, here[mine], there))
            standing.setdefault(id(reader.entry), []).append((own, there))
    return walks


def edges_between(at: Linearization, sums: Sums) -> int:
    """How many edges between numbers there would be, or somewhat more."""
    found = 0
    for readers in sums.readers.values():
        for reader in readers:
            edge, shape = at.weight[reader.edge], np.shape(reader.share)
            rule = rule_of(reader.entry)
            if rule.kind in MOVES:
                continue
            out = edge.out_shape if isinstance(edge, LinearMap) else shape
            args, options = given_to(reader.entry), options_of(reader.entry)
            found += number_of_reads(Operand(rule, reader.position, shape, out, args, options, edge))
    return found


def _drawn_reader(readers: list[Reader], here: Array, rng: np.random.Generator) -> Array:
    if len(readers) == 1:
        return np.zeros(len(here), np.intp)
    upto = np.cumsum([reader.share.reshape(-1)[here] for reader in readers], axis=0)
    return np.sum(rng.random(len(here)) * upto[-1] >= upto[:-1], axis=0)


def _drawn_place(
    reader: Reader, edge: Data, here: Array, sums: Sums, at: Linearization, rng: np.random.Generator
) -> Array:
    """Which element of the reader's result each walker goes on to."""
    rule = rule_of(reader.entry)
    beyond = sums.of[id(reader.entry)].reshape(-1)
    if callable(rule.kind):
        return _drawn_in_product(_operand(reader, edge), here, beyond, rng)
    if rule.kind in MOVES:
        return _among(where_moved(reader.entry, reader.position, edge), here, beyond, rng)
    if not isinstance(edge, LinearMap) or (edge.shape == edge.out_shape and rule.kind == "elementwise"):
        return here
    operand = _operand(reader, edge)
    if rule.kind in ("reduction", "diagonal", "elementwise"):
        out, into = places_of(rule, operand.shape, operand.out_shape, operand.args, operand.options)
        if rule.kind == "elementwise":
            return _among(into, here, beyond, rng)
        read_by = np.empty(math.prod(operand.shape), np.intp)
        read_by[into] = out
        return read_by[here]
    reads = reads_of(operand)  # scans, and where nothing is said
    order = np.argsort(reads.into, kind="stable")
    low, high = (np.searchsorted(reads.into[order], here, side) for side in ("left", "right"))
    return reads.out[order][_between(low, high, np.cumsum(beyond[reads.out[order]]), rng)]


def _among(into: Array, here: Array, beyond: Array, rng: np.random.Generator) -> Array:
    """Of the places into which each number went (``into``: by place, which number is there) one."""
    order = np.argsort(into, kind="stable")
    low, high = (np.searchsorted(into[order], here, side) for side in ("left", "right"))
    if np.all(high - low == 1):
        return order[low]
    return order[_between(low, high, np.cumsum(beyond[order]), rng)]


def _between(low: Array, high: Array, upto: Array, rng: np.random.Generator) -> Array:
    """Of a row of places, in proportion to what is added to ``upto`` there, one from low to high for each."""
    before = np.where(low > 0, upto[low - 1], 0.0)
    while True:
        found = np.searchsorted(upto, before + rng.random(len(low)) * (upto[high - 1] - before), side="right")
        found = np.clip(found, low, high - 1)
        if np.all(upto[found] > np.where(found > 0, upto[found - 1], 0.0)):  # otherwise rounding led to a dead end
            return found


def _drawn_in_product(operand: Operand, here: Array, beyond: Array, rng: np.random.Generator) -> Array:
    product = Product(operand)
    known = dict(zip(product.mine, np.unravel_index(here, operand.shape)))
    free = [c for c, n in zip(product.mine, operand.shape) if n == 1 and product.sizes[c] > 1]
    fixed = [c for c in product.output if c in known and c not in free]
    drawn = [c for c in product.output if c not in fixed]
    sizes = [product.sizes[c] for c in product.output]
    if not drawn:
        return (
            np.ravel_multi_index([known[c] for c in product.output], sizes) if sizes else np.zeros(len(here), np.intp)
        )
    rows = beyond.reshape(sizes).transpose([product.output.index(c) for c in (*fixed, *drawn)])
    width = math.prod(product.sizes[c] for c in drawn)
    row = np.ravel_multi_index([known[c] for c in fixed], [product.sizes[c] for c in fixed]) if fixed else 0 * here
    place = _between(row * width, (row + 1) * width, np.cumsum(rows.reshape(-1)), rng) - row * width
    known |= dict(zip(drawn, np.unravel_index(place, [product.sizes[c] for c in drawn])))
    return np.ravel_multi_index([known[c] for c in product.output], sizes)


def _operand(reader: Reader, edge: Data) -> Operand:
    entry = reader.entry
    return Operand(
        rule_of(entry), reader.position, edge.shape, edge.out_shape, given_to(entry), options_of(entry), edge
    )


def _weight(step: Step, edge: Data) -> Array | None:
    """The weights that walkers meet; None where all are 1."""
    rule = rule_of(step.reader.entry)
    if rule.kind in MOVES:
        return None
    if not isinstance(edge, LinearMap):
        return (
            np.asarray(edge, float).reshape(-1)[step.there] if np.shape(edge) else np.full(len(step.there), float(edge))
        )
    if rule.kind == "elementwise" and edge.kept is not None:
        return np.broadcast_to(np.asarray(edge.kept, float), edge.out_shape).reshape(-1)[step.there]
    if rule.kind in ("elementwise", "reduction", "diagonal"):
        return np.ravel(np.asarray(edge.vjp(np.ones(edge.out_shape) if edge.out_shape else 1.0), float))[step.here]
    operand = _operand(step.reader, edge)
    if callable(rule.kind):
        return Product(operand).weights_at(edge, step.here, step.there)
    reads, width = reads_of(operand), math.prod(operand.shape)
    key = reads.out * width + reads.into
    order = np.argsort(key)
    return reads.weights(edge)[order][np.searchsorted(key[order], step.there * width + step.here)]
