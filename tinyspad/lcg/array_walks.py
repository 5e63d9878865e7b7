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
from ..rules import MOVES, LinearMap, Operand, Product, kind_of, number_of_reads, places_of, reads_of
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
            weight = _weight(step, at.code.weight[step.reader.edge])
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
    if not np.all(np.isfinite(counts)):
        raise BadInput("There are more paths than the largest float: walks over arrays go by their counts, as floats.")
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
            there = _drawn_place(reader, at.code.weight[reader.edge], here[mine], sums, rng)
            walks.steps.append(Step(reader, own, here[mine], there))
            standing.setdefault(id(reader.entry), []).append((own, there))
    return walks


def edges_between(at: Linearization, sums: Sums) -> int:
    """How many edges between numbers there would be, or somewhat more."""
    found = 0
    for readers in sums.readers.values():
        for reader in readers:
            edge, shape = at.code.weight[reader.edge], np.shape(reader.share)
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


def _drawn_place(reader: Reader, edge: Data, here: Array, sums: Sums, rng: np.random.Generator) -> Array:
    """Which element of the reader's result each walker goes on to."""
    rule, kind = rule_of(reader.entry), kind_of(rule_of(reader.entry), edge)
    beyond = sums.of[id(reader.entry)].reshape(-1)
    if callable(kind):
        return _drawn_in_product(_operand(reader, edge), here, beyond, rng)
    if kind in MOVES:
        into = where_moved(reader.entry, reader.position, edge)
        return _among(np.arange(len(into)), into, here, beyond, rng)
    if not isinstance(edge, LinearMap) or (edge.shape == edge.out_shape and kind == "elementwise"):
        return here
    operand = _operand(reader, edge)
    if kind in ("scan", "dense"):
        reads = reads_of(operand)
        return _among(reads.out, reads.into, here, beyond, rng)
    out, into = places_of(rule, operand.shape, operand.out_shape, operand.args, operand.options)
    if kind == "elementwise":
        return _among(out, into, here, beyond, rng)
    read_by = np.empty(math.prod(operand.shape), np.intp)
    read_by[into] = out
    return read_by[here]


def _among(out: Array, into: Array, here: Array, beyond: Array, rng: np.random.Generator) -> Array:
    """Of the places ``out`` that read each number, by place the one of ``into``, one, in proportion to what is beyond."""
    order = np.argsort(into, kind="stable")
    order = order[into[order] >= 0]  # a constant's place reads nothing
    out, into = out[order], into[order]
    starts = np.flatnonzero(np.diff(into, prepend=-1))
    width = np.diff(starts, append=len(into))
    if np.all(width == 1):
        return out[np.searchsorted(into, here)]
    chances = beyond[out]
    chances = chances / np.repeat(np.maximum.reduceat(chances, starts), width).clip(1e-300)
    upto = np.cumsum(chances)
    segment = np.searchsorted(into[starts], here)
    low, high = starts[segment], starts[segment] + width[segment]
    before = upto[low] - chances[low]
    found = np.searchsorted(upto, before + rng.random(len(here)) * (upto[high - 1] - before), side="right")
    return out[_alive(np.clip(found, low, high - 1), low, high, chances, rng)]


def _alive(found: Array, low: Array, high: Array, chances: Array, rng: np.random.Generator) -> Array:
    """The same, where rounding led to a place from which no path leads on, drawn anew."""
    for i in np.flatnonzero(chances[found] <= 0):
        own = chances[low[i] : high[i]]
        found[i] = low[i] + rng.choice(len(own), p=own / own.sum())
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
    width = math.prod(product.sizes[c] for c in drawn)
    chances = beyond.reshape(sizes).transpose([product.output.index(c) for c in (*fixed, *drawn)]).reshape(-1, width)
    chances = chances / chances.max(axis=1, keepdims=True).clip(1e-300)
    upto = np.cumsum(chances, axis=1)
    rows = np.arange(len(upto))[:, None] + upto / upto[:, -1:].clip(1e-300)  # of row r from r to r + 1
    row = np.ravel_multi_index([known[c] for c in fixed], [product.sizes[c] for c in fixed]) if fixed else 0 * here
    low = row * width
    found = np.clip(np.searchsorted(rows.reshape(-1), row + rng.random(len(row)), side="right"), low, low + width - 1)
    place = _alive(found, low, low + width, chances.reshape(-1), rng) - low
    known |= dict(zip(drawn, np.unravel_index(place, [product.sizes[c] for c in drawn])))
    return np.ravel_multi_index([known[c] for c in product.output], sizes)


def _operand(reader: Reader, edge: Data) -> Operand:
    entry = reader.entry
    return Operand(
        rule_of(entry), reader.position, edge.shape, edge.out_shape, given_to(entry), options_of(entry), edge
    )


def _weight(step: Step, edge: Data) -> Array | None:
    """The weights that walkers meet; None where all are 1."""
    kind = kind_of(rule_of(step.reader.entry), edge)
    if kind in MOVES:
        return None
    if not isinstance(edge, LinearMap):
        return (
            np.asarray(edge, float).reshape(-1)[step.there] if np.shape(edge) else np.full(len(step.there), float(edge))
        )
    if kind == "elementwise" and edge.kept is not None:
        return np.broadcast_to(np.asarray(edge.kept, float), edge.out_shape).reshape(-1)[step.there]
    if kind in ("elementwise", "reduction", "diagonal"):
        return np.ravel(np.asarray(edge.vjp(np.ones(edge.out_shape) if edge.out_shape else 1.0), float))[step.here]
    operand = _operand(step.reader, edge)
    if callable(kind):
        return Product(operand).weights_at(edge, step.here, step.there)
    reads, width = reads_of(operand), math.prod(operand.shape)
    key = reads.out * width + reads.into
    order = np.argsort(key)
    return reads.weights(edge)[order][np.searchsorted(key[order], step.there * width + step.here)]
