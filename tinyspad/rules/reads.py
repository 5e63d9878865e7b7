"""What numbers an operation reads: the edges between the elements of its operands and of its result, and their weights.

An array is a box of numbers. From the kind of an operation (a word beside its rule) follows which elements of an operand
each element of the result reads, whatever the weights there; and the weights follow from the rule's derivative:

- "elementwise": one element of each operand, by broadcasting; "move" (reshape, indexing, stacking, ...): none, it only says
  where numbers go; "order" (sort): a move that depends on the data;
- "reduction" (sum, max, norm, ...): all elements along its ``axis``, of which each is read once; "diagonal" (trace): those;
- "scan" (cumsum): all elements up to its own along its ``axis``;
- a product (matmul, einsum, ...): what its subscripts say, which a function of its arguments gives as einsum writes them;
- "dense" (inv, solve, rules of the user's own, where nothing is said): what a vector-Jacobian product reaches from a NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import Array, Data
from ..errors import BadInput
from .reductions import restore
from .table import LinearMap, Rule, is_data

LARGEST_JACOBIAN = 10**6
"""So many elements has the Jacobian of one operation at most, where it is taken row by row."""


class Operand(NamedTuple):
    """An operand of a recorded operation: its shape, and the result's; the edge's weight in the graph of arrays."""

    rule: Rule
    position: int
    shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    args: Sequence[Data]
    options: dict[str, Data]
    edge: Data


class Reads(NamedTuple):
    """The edges of an operand, by result, then by position in the operand.

    ``out``, ``into``: the flat positions in result and operand. ``weights``: of the edge's weight in the graph of arrays
    makes those of all edges.
    """

    out: Array
    into: Array
    weights: Callable[[Data], Array]


def reads_of(operand: Operand) -> Reads:
    """What the elements of the result read of an operand, and with which weights."""
    kind = kind_of(operand.rule, operand.edge)
    return _product(operand) if callable(kind) else KINDS[kind](operand)


def kind_of(rule: Rule, edge: Data) -> str | Callable[..., str]:
    """The kind of an operation as far as one operand goes: a vjp has added up already what was broadcast."""
    broadcast = isinstance(edge, LinearMap) and edge.kept is None and edge.shape != edge.out_shape
    return "dense" if rule.kind == "elementwise" and broadcast else rule.kind


def places_of(
    rule: Rule, shape: tuple[int, ...], out_shape: tuple[int, ...], args: Sequence[Data], options: dict[str, Data]
) -> tuple[Array, Array]:
    """The flat positions that the elements of a result read in the operand of a reduction or a scan, in order."""
    reads = reads_of(Operand(rule, 0, shape, out_shape, args, options, None))
    return reads.out, reads.into


def number_of_reads(operand: Operand) -> int:
    """How many edges that will be, or somewhat more, before any is made."""
    kind, into, out = kind_of(operand.rule, operand.edge), math.prod(operand.shape), math.prod(operand.out_shape)
    if callable(kind):
        sizes = Product(operand).sizes
        return math.prod(sizes[letter] for letter in Product(operand).space)
    if kind in ("dense", "scan"):
        return into * (out if kind == "dense" else _length(operand))
    return out if kind == "elementwise" else into


def moved(rule: Rule, operands: Sequence[Array], rest: Sequence[Data], options: dict[str, Data], edge: Data) -> Array:
    """Where numbers go: the function itself, on numbers that say who is where (0 for a constant)."""
    if rule.kind == "order":
        (numbers,), size = operands, math.prod(edge.out_shape)
        goes_to = np.ravel(edge.vjp(np.arange(size, dtype=float).reshape(edge.out_shape)))
        found = np.empty(size, np.intp)
        found[goes_to.astype(np.intp)] = np.ravel(numbers)
        return found.reshape(edge.out_shape)
    return np.asarray(rule.function(list(operands) if rule.sequence else operands[0], *rest, **options))


def lifted(operand: Operand, lift: Callable[[Array], Array]) -> LinearMap | None:
    """A product's edge with something else in place of its weights: with the other operands lifted, which makes their
    product.

    None where the product sums, of the others, over what neither its result nor this operand has: there it does not.
    """
    found, (before, after) = Product(operand), operand.edge.kept
    if any(letter not in found.space for term in found.others for letter in term):
        return None
    inside, outside = np.broadcast_to(0.0, operand.shape), np.broadcast_to(0.0, operand.out_shape)
    call: list[Data] = [*before, inside, *after]
    for i in found.terms:
        call[i] = lift(np.asarray(call[i], float) if is_data(call[i]) else call[i])
    edge: LinearMap = operand.rule.edge(operand.position, outside, inside, tuple(call), operand.options)
    return edge


# --- one function for each kind ---------------------------------------------------------------------------------------


def _elementwise(operand: Operand) -> Reads:
    shape, out_shape = operand.shape, operand.out_shape
    size = math.prod(out_shape)
    into = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), out_shape).ravel()

    def weights(edge: Data) -> Array:
        local = edge
        if isinstance(edge, LinearMap):  # broadcast, or a rule that says by a vjp that it is elementwise
            local = edge.vjp(_ones(out_shape)) if edge.kept is None else edge.kept
        return np.asarray(np.broadcast_to(local, out_shape), float).reshape(size)

    return Reads(np.arange(size), into, weights)


def _reduction(operand: Operand) -> Reads:
    """Every element is read by one result, so one vector-Jacobian product has all weights."""
    shape, out_shape = operand.shape, operand.out_shape
    results = np.arange(math.prod(out_shape)).reshape(out_shape)
    out = np.broadcast_to(restore(results, shape, operand.rule.setting("axis", operand.args, operand.options)), shape)
    into = np.argsort(out.ravel(), kind="stable")
    return Reads(out.ravel()[into], into, lambda edge: _at_once(edge)[into])


def _diagonal(operand: Operand) -> Reads:
    positions = np.arange(math.prod(operand.shape)).reshape(operand.shape)
    given = {name: operand.rule.setting(name, operand.args, operand.options) for name in ("offset", "axis1", "axis2")}
    into = np.diagonal(positions, **{name: place for name, place in given.items() if place is not None})
    out = np.repeat(np.arange(math.prod(into.shape[:-1])), into.shape[-1])
    return Reads(out, into.ravel(), lambda edge: _at_once(edge)[into.ravel()])


def _at_once(edge: LinearMap) -> Array:
    return np.ravel(np.asarray(edge.vjp(_ones(edge.out_shape)), float))


def _ones(shape: tuple[int, ...]) -> Data:
    return np.ones(shape) if shape else 1.0


def _scan(operand: Operand) -> Reads:
    """Along its axis each result reads its own element and those before: one vector-Jacobian product for each place."""
    shape, axis = operand.shape, operand.rule.setting("axis", operand.args, operand.options)
    if axis is None:
        shape, axis = (math.prod(shape),), 0
    axis, n = axis % len(shape), shape[axis]
    lanes = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), axis, -1).reshape(-1, n)
    later, earlier = np.tril_indices(n)
    out, into = lanes[:, later].ravel(), lanes[:, earlier].ravel()
    order = np.argsort(out, kind="stable")

    def weights(edge: LinearMap) -> Array:
        rows = np.empty((n, *shape))
        for k in range(n):
            seed = np.zeros(shape)
            seed[(slice(None),) * axis + (k,)] = 1.0
            rows[k] = np.reshape(edge.vjp(seed.reshape(edge.out_shape)), shape)
        found = np.moveaxis(rows, axis + 1, -1).reshape(n, -1, n)
        return found[later, :, earlier].T.ravel()[order]

    return Reads(out[order], into[order], weights)


def _length(operand: Operand) -> int:
    axis = operand.rule.setting("axis", operand.args, operand.options)
    return math.prod(operand.shape) if axis is None else operand.shape[axis]


def _dense(operand: Operand) -> Reads:
    jacobian = _rows(operand.rule, operand.edge, np.nan)
    blind = not np.all(np.isfinite(np.ravel(np.asarray(operand.edge.vjp(0.0 * _ones(operand.out_shape)), float))))
    out, into = np.nonzero(np.isnan(jacobian) | blind)  # beside an infinite operand everything is NaN
    return Reads(out, into, lambda edge: _rows(operand.rule, edge, 1.0)[out, into])


def _rows(rule: Rule, edge: LinearMap, unit: float) -> Array:
    """The Jacobian of an operation, a row for each element of the result, times a number that may be NaN."""
    size, width = math.prod(edge.out_shape), math.prod(edge.shape)
    if size * width > LARGEST_JACOBIAN:
        raise BadInput(
            f"{rule.name} says nothing of which of its {width} x {size} elements depend on which, so a Jacobian would have "
            'to be taken row by row. Give its rule a kind (ts.rule(..., kind="reduction"), for example), or ask of arrays '
            'as a whole, paths="arrays".'
        )
    jacobian = np.empty((size, width))
    for k in range(size):
        seed = np.zeros(size)
        seed[k] = unit
        jacobian[k] = np.ravel(edge.vjp(seed.reshape(edge.out_shape) if edge.out_shape else unit))
    return jacobian


class Letters(NamedTuple):
    """How a product is written: the letters of its operands, by position; of its result; and how far each letter runs."""

    terms: dict[int, str]
    output: str
    sizes: dict[str, int]


def letters_of(rule: Rule, call: Sequence[Data], options: dict[str, Data]) -> Letters:
    """How a product of these arguments is written; of an operand only its shape matters."""
    assert not isinstance(rule.kind, str)
    subscripts = rule.kind(*call, **options)
    _check_product(rule, subscripts, call, options)
    inputs, _, output = subscripts.partition("->")
    terms = dict(zip((i for i, x in enumerate(call) if not isinstance(x, str)), inputs.split(",")))
    sizes: dict[str, int] = {}
    for i, term in terms.items():
        for letter, n in zip(term, np.shape(call[i])):
            sizes[letter] = max(n, sizes.get(letter, 1)) if n else 0
    return Letters(terms, output, sizes)


_known_products: set[tuple[Callable[..., Data], str]] = set()


def _check_product(rule: Rule, subscripts: str, call: Sequence[Data], options: dict[str, Data]) -> None:
    """Raise BadInput, once for each, if a function is not what its subscripts say: on random numbers of these shapes."""
    if (rule.function, subscripts) in _known_products or (getattr(rule.function, "__module__", "") or "").startswith(
        "numpy"
    ):
        return
    rng, letters = np.random.default_rng(0), subscripts.partition("->")[0].split(",")
    places = [i for i, x in enumerate(call) if not isinstance(x, str)][: len(letters)]
    drawn = [rng.normal(size=np.shape(x)) if i in places else x for i, x in enumerate(call)]
    expected = np.einsum(subscripts, *(drawn[i] for i in places))
    if not np.allclose(np.reshape(rule.function(*drawn, **options), np.shape(expected)), expected):
        raise BadInput(
            f"The rule of {rule.name} says kind= {subscripts!r}, and np.einsum with that gives something else. Leave it "
            "out, or write what differs as an operation of its own."
        )
    _known_products.add((rule.function, subscripts))


class Product:
    """The letters of a product, and over which of them an operand's edges run."""

    def __init__(self, operand: Operand) -> None:
        before, after = operand.edge.kept
        call = (*before, np.broadcast_to(0.0, operand.shape), *after)
        self.terms, self.output, self.sizes = letters_of(operand.rule, call, operand.options)
        self.mine = self.terms.pop(operand.position)
        self.others = list(self.terms.values())
        self.space = self.output + "".join(c for c in dict.fromkeys(self.mine) if c not in self.output)

    def positions(self, term: str, shape: tuple[int, ...]) -> Array:
        """Of an array with these letters the flat positions, all over the space."""
        found, stride = np.zeros((1,) * len(self.space), np.intp), 1
        for letter, n in reversed(list(zip(term, shape))):
            if n > 1:
                along = tuple(-1 if c == letter else 1 for c in self.space)
                found = found + np.arange(n).reshape(along) * stride
            stride *= n
        return np.broadcast_to(found, [self.sizes[c] for c in self.space]).ravel()

    def weights_at(self, edge: LinearMap, into: Array, out: Array) -> Array:
        """The weights of some edges, from these places in the operand to those in the result."""
        before, after = edge.kept
        call = (*before, None, *after)
        if any(letter not in self.space for term in self.others for letter in term):
            return self.weights(edge)[self._places(into, out)]
        at = dict(zip(self.mine, np.unravel_index(into, edge.shape))) if edge.shape else {}
        at |= dict(zip(self.output, np.unravel_index(out, [self.sizes[c] for c in self.output]))) if self.output else {}
        found = np.ones(len(into))
        for i, term in self.terms.items():
            x = np.asarray(call[i], float)
            found *= x[tuple(at[c] if n > 1 else 0 for c, n in zip(term, x.shape))]
        return found

    def _places(self, into: Array, out: Array) -> Array:
        """Where in the space these edges are."""
        at = dict(zip(self.mine, np.unravel_index(into, [self.sizes[c] for c in self.mine])))
        at |= dict(zip(self.output, np.unravel_index(out, [self.sizes[c] for c in self.output]))) if self.output else {}
        return np.ravel_multi_index([at[c] for c in self.space], [self.sizes[c] for c in self.space])

    def weights(self, edge: LinearMap) -> Array:
        """The product of the other operands, summed over what neither the result nor this operand has."""
        before, after = edge.kept
        call = (*before, None, *after)
        others = [np.asarray(call[i], float) for i in self.terms]
        common = "".join(c for c in self.space if any(c in term for term in self.others))
        product = np.einsum(",".join(self.others) + "->" + common, *others) if others else np.ones(())
        spread = product.reshape([product.shape[common.index(c)] if c in common else 1 for c in self.space])
        return np.broadcast_to(spread, [self.sizes[c] for c in self.space]).ravel()


def _product(operand: Operand) -> Reads:
    found = Product(operand)
    out = found.positions(found.output, tuple(found.sizes[c] for c in found.output))
    return Reads(out, found.positions(found.mine, operand.shape), found.weights)


KINDS: dict[str, Callable[[Operand], Reads]] = {
    "elementwise": _elementwise,
    "reduction": _reduction,
    "diagonal": _diagonal,
    "scan": _scan,
    "dense": _dense,
}
MOVES = ("move", "order")
