"""Elements: every question about paths, put to the numbers in the arrays."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data, generator, spaced
from ..containers import Form
from ..displays import Code, cut, few, line
from ..errors import NotScalar
from ..linearization import Linearization, Node, Unchanging
from ..paths import Chances, Path, PathArray, Semiring, Walks, best_edges, walk_along, walk_many
from ..tape import rule_of
from .array_walks import ArrayWalks, edges_between, walk_arrays
from .boxes import Boxes
from .collapse import block_of
from .numbers import DEPENDS_ON_DATA, LARGEST_GRAPH, Numbers, NumbersAtPoint
from .show import numbers_text
from .single_access import SingleAccess
from .sums import Sums
from .svg import html_text

EXACT = 2.0**53
"""Whole numbers below this are exact in floats."""

TINY = 1e-290
"""Sums of sizes below this may be of what has underflowed."""

P = ParamSpec("P")
R = TypeVar("R")


def of_a_number(question: Callable[Concatenate[Linearization, str | None, P], R]) -> Callable[..., R]:
    """The question about one parameter, put to one number."""

    def ask(self: Elements, param: str | None = None, *args: P.args, **options: P.kwargs) -> R:
        return question(self.linearization, self.number(param, question.__name__), *args, **options)

    return functools.update_wrapper(ask, question)


class Elements(Boxes, Unchanging):
    """The LCG of the numbers in the arrays: made by ``lcg.elements()``, or ``trace(f, w, elements=True)``.

    A path is a path of numbers, and an array is a box of numbers: here every number of a parameter has its own paths. A
    parameter is a number, "w[3]" or "W[0, 1]" (negative indices, too): then everything is answered as for a scalar. Or it is
    an array, "w": ``gradient``, ``adjoint``, ``count_paths``, ``best_path``, ``sample_path``, ``entropy`` and ``log_mass``
    answer for all its numbers, in its shape, and so do estimators' ``expectation`` and ``variance``.

    There is an edge wherever the program reads a number, whatever its weight there. Paths are ordered operation by
    operation, in an operation element by element of its result, and in an element operand by operand; moves (reshape,
    indexing, stacking) are no operations. One NumPy function is one operation: ``np.var`` reads each number once.

    >>> import numpy as np, tinyspad as ts
    >>> X = np.array([[1.0, 2.0], [3.0, 0.0]])
    >>> e = ts.trace(lambda w: np.sum((X @ w - 1) ** 2), np.array([1.0, 1.0])).elements()
    >>> e.count_paths("w"), e.path_gradients("w[0]"), e.path_gradients("w[1]")
    (array([2, 2]), array([ 4., 12.]), array([8., 0.]))
    >>> print(e)
    w[0..1] <- Param_0  (each read 2 times)
    a[0..1] <- [[1.0, 2.0], [3.0, 0.0]] @ w
    b[0..1] <- a - 1
    c[0..1] <- b ** 2
    z <- sum(c)
    Return z
    paths of w[0..1]: 2 each
    """

    elementwise = False
    batch: tuple[int, ...] = ()

    def __init__(
        self, at: Linearization, made: SingleAccess, numbers: Numbers | None = None, form: Form | None = None
    ) -> None:
        if np.size(at.value) != 1:
            raise NotScalar(
                f"The output has shape {np.shape(at.value)}: paths of numbers lead to one number. Trace one run, at one "
                "point; or add up what there is, with np.sum."
            )
        self.at, self.single_access, self.form = at, made, form
        if numbers is not None:
            self.__dict__["numbers"] = numbers
        super().__init__(at.params, at.arguments)

    @cached_property
    def numbers(self) -> Numbers:
        """The edges between numbers, written out. Raises BadInput where they are more than four million."""
        return Numbers(self.single_access, self.at)

    @property
    def value(self) -> Data:
        """The output."""
        value = self.at.value
        return np.reshape(value, ())[()].item() if np.shape(value) else value

    @cached_property
    def linearization(self) -> Linearization:
        """The graph of numbers, whose parameters are all numbers of all parameters."""
        arguments: list[Data] = []
        for argument in self.arguments:
            double = isinstance(argument, float) or argument.dtype == np.float64
            arguments += np.ravel(argument).tolist() if double else list(np.ravel(argument))
        numbers = self.numbers
        return Linearization(NumbersAtPoint(numbers, self.at), numbers.structure, numbers.params, tuple(arguments))

    structure = property(lambda self: self.linearization.structure)
    signature = property(lambda self: self.numbers.signature)
    weight = property(lambda self: self.linearization.weight)
    names: list[str] = property(lambda self: self.linearization.names)  # type: ignore[assignment]
    nodes: list[Node] = property(lambda self: self.linearization.nodes)  # type: ignore[assignment]

    def elements(self) -> Elements:
        """Itself."""
        return self

    def check_differentiable(self) -> None:
        """It is: that was asked when it was made."""

    def validate(self) -> None:
        """Prove single access, of the numbers. Raises BadInput naming the one that is read twice. Cost: O(edges)."""
        self.linearization.validate()

    # --- answers for one number, or for all of an array -------------------------------------------------------------

    def gradient(self) -> dict[str, Data]:
        """The gradient by parameter, in its shape; by a container of parameters, in its form: by the sweep over arrays."""
        found = self.at.gradient()
        return found if self.form is None else self.form.by_argument(found)

    def adjoint(self, param: str | None = None) -> Data:
        """The gradient with respect to one parameter, or to one number."""
        name, place = self.where(param)
        found = self.at.adjoint(name)
        return found if place is None else np.ravel(found)[place].item()

    def count_paths(self, param: str | None = None) -> Data:
        """The exact number of paths of one number; of an array those of all its numbers, in its shape. O(edges).

        >>> import numpy as np, tinyspad as ts
        >>> ts.trace(lambda w: np.sum(w[:-1] * w[1:]), np.ones(4), elements=True).count_paths()
        array([1, 2, 2, 1])
        """
        if "numbers" not in self.__dict__:
            counts = self._sums(np.ones_like)
            if max((float(np.max(c, initial=0)) for c in counts.values()), default=0.0) < EXACT:
                name, place = self.where(param)
                found = counts[name].astype(np.int64)
                return int(found.reshape(-1)[place or 0]) if place is not None or not found.shape else found
        return self._all(param, algebra.counts(self.structure))

    def best_path(self, param: str | None = None) -> Data:
        """The path of the largest |contribution| of one number; of an array, a ``PathArray`` of its shape, a path for each.

        In an array a number without a path has the index -1. Raises BadInput for one number without a path, and where sizes
        are not numbers. Cost: one max-product sweep, and the walks.
        """
        name, place = self.where(param)
        at, shape = self.linearization, self.shapes[name]
        if place is not None or not shape:
            return at.best_path(self.numbers_of(param or name)[0])
        semiring, sizes = at.largest
        if semiring is not algebra.LARGEST:  # products that floats cannot hold
            return self._paths(name, at.best_path)
        weight, sizes = at.numbers, np.asarray(sizes, float)
        taken, sources = best_edges(self.structure, weight, sizes), self._sources(name)
        if taken is None:
            return self._paths(name, at.best_path)  # which names the number that is none
        return self._walked(name, walk_along(self.structure, sources, taken, sizes[sources] == 0))

    def sample_path(self, param: str | None = None, rng: Data = None, by: str = "path") -> Data:
        """A random path of one number; of an array, a ``PathArray`` of its shape, a path for each, independently.

        ``by``, ``rng``, errors: as for ``LCG.sample_path``.
        """
        rng, (name, place) = generator(rng), self.where(param)
        at, shape = self.linearization, self.shapes[name]
        if place is not None or not shape:
            return at.sample_path(self.numbers_of(param or name)[0], rng, by)
        if by not in ("path", "branch"):
            return self._paths(name, lambda number: at.sample_path(number, rng, by))
        chances = at.chances(by)
        return self._walked(name, walk_many(self.structure, self._sources(name), rng, chances), chances)

    def _sources(self, name: str) -> Array:
        return np.arange(self._first[name], self._first[name] + math.prod(self.shapes[name]))

    def _walked(self, name: str, walks: Walks, chances: Chances | None = None) -> PathArray:
        """The paths of all numbers of an array, in its shape."""
        shape, lost, p, logs = self.shapes[name], walks.lost, None, None
        if chances is not None:
            share = np.asarray(chances.share, float)
            p = np.where(lost, np.nan, np.asarray(walks.product(share)))
            taken = np.where(walks.turns >= 0, share[walks.turns], 1.0) if len(walks.turns) else np.ones((0, len(lost)))
            logs = np.where(lost, np.nan, np.log(taken).sum(axis=0))
        gradient = np.asarray(walks.product(self.linearization.carried))
        return PathArray(
            name,
            np.reshape(gradient, shape),
            None if p is None else p.reshape(shape),
            None if logs is None else logs.reshape(shape),
            at=self.linearization,
            indexed=walks.index.reshape(shape),
            sources=walks.sources.reshape(shape),
        )

    def _paths(self, param: str | None, ask: Callable[[str], Any]) -> Data:
        name, place = self.where(param)
        shape = self.shapes[name]
        if place is not None or not shape:
            return ask(self.numbers_of(param or name)[0])
        count = self.linearization.count_paths
        found = [ask(number) if count(number) else None for number in self.numbers_of(name)]

        def in_shape(of: Callable[[Path], Data], nothing: float) -> Array:
            return self._shaped([nothing if path is None else of(path) for path in found], shape)

        drawn = any(path is not None and path.probability is not None for path in found)
        return PathArray(
            name,
            in_shape(lambda path: path.gradient, 0.0),
            in_shape(lambda path: path.probability, np.nan) if drawn else None,
            in_shape(lambda path: path.log_probability, np.nan) if drawn else None,
            at=self.linearization,
            indexed=in_shape(lambda path: path.index, -1),
            sources=self._sources(name).reshape(shape),
        )

    def _sums(self, lift: Callable[[Array], Array]) -> dict[str, Array]:
        """By one sweep over arrays, without the edges between numbers: see ``sums``. Kept."""
        if lift not in self._swept:
            self._swept[lift] = Sums(self.single_access, self.at, lift)
        return dict(zip(self.params, self._swept[lift].of_params()))

    @cached_property
    def _swept(self) -> dict[Callable[[Array], Array], Sums]:
        return {}

    def float_counts(self) -> dict[str, Array]:
        """The numbers of paths as floats, exact below 2**53: about the cost of a gradient."""
        return self._sums(np.ones_like)

    @cached_property
    def signature_of_walks(self) -> object:
        """What walks over arrays are kept for: the same program, as long as no order of numbers depends on them."""
        ordered = any(rule_of(entry).kind in DEPENDS_ON_DATA for entry in self.single_access.entries)
        return object() if ordered else self.at.signature

    @cached_property
    def too_large(self) -> bool:
        """Whether the edges between numbers are too many to be written out."""
        if "numbers" in self.__dict__:
            return False
        self._sums(np.ones_like)
        return edges_between(self.at, self._swept[np.ones_like]) > LARGEST_GRAPH

    def walk(self, param: str, rng: np.random.Generator) -> ArrayWalks:
        """A random path of every number of an array, uniform over its paths, without any edge written out."""
        self._sums(np.ones_like)
        leaf = self.single_access.leaves[self.params.index(param)]
        return walk_arrays(self.single_access, self.at, leaf, self._swept[np.ones_like], rng)

    def log_mass(self, param: str | None = None) -> Data:
        """log H, the logarithm of the sum of all |contributions|, of one number or of all of an array.

        Cost: about that of a gradient; where floats cannot hold H, a sweep in logarithms over all edges between numbers.
        """
        name, place = self.where(param)
        found, none = self._sums(np.abs)[name], self._sums(_is_there)[name] == 0
        if place is not None or not found.shape:
            found, none = found.reshape(-1)[place or 0], none.reshape(-1)[place or 0]
        if np.all(none | ((found > TINY) & (found < np.inf))):
            with np.errstate(divide="ignore"):
                found = np.log(np.where(none, 0.0, found))
            return found if np.ndim(found) else float(found)
        return self.each(param or name, self.linearization.log_mass)

    def entropy(self, param: str | None = None) -> Data:
        """The entropy of the probabilities |g_i| / sum |g_j|, in nats, of one number; of an array NaN without a path."""
        name, place = self.where(param)
        at = self.linearization
        if place is not None or not self.shapes[name]:
            return at.entropy(self.numbers_of(param or name)[0])
        return self.each(name, lambda number: at.entropy(number) if at.count_paths(number) else np.nan)

    def sweep(self, semiring: Semiring | str) -> dict[str, Data]:
        """What a semiring makes of all paths of each number, by parameter, in its shape; see ``LCG.sweep``."""
        found = list(self.linearization.sweep(semiring).values())
        return {name: self._all(name, found) for name in self.params}

    # --- answers for one number -------------------------------------------------------------------------------------

    paths, nth_path = of_a_number(Linearization.paths), of_a_number(Linearization.nth_path)
    top_paths, sample_paths = of_a_number(Linearization.top_paths), of_a_number(Linearization.sample_paths)
    path_gradients, path_gradient = (
        of_a_number(Linearization.path_gradients),
        of_a_number(Linearization.path_gradient),
    )
    path_sizes, path_shares = of_a_number(Linearization.path_sizes), of_a_number(Linearization.path_shares)
    ledger, shown = of_a_number(Linearization.ledger), of_a_number(Linearization.shown)

    # What estimators ask besides.
    route, follow = of_a_number(Linearization.route), of_a_number(Linearization.follow)
    draw_route, best_route = of_a_number(Linearization.draw_route), of_a_number(Linearization.best_route)
    draw_index, best_index = of_a_number(Linearization.draw_index), of_a_number(Linearization.best_index)
    draw_distinct, draw_others = of_a_number(Linearization.draw_distinct), of_a_number(Linearization.draw_others)
    path_probabilities, moments = (
        of_a_number(Linearization.path_probabilities),
        of_a_number(Linearization.moments),
    )
    largest_and_others = of_a_number(Linearization.largest_and_others)
    length, lengths = of_a_number(Linearization.length), of_a_number(Linearization.lengths)
    mean_length = of_a_number(Linearization.mean_length)

    def chances(self, by: str, param: str | None = None) -> Chances:
        """The branch probabilities of "path", "branch" or "magnitude"."""
        return self.linearization.chances(by, None if param is None else self.number(param))

    def product(self, edges: Sequence[int]) -> Data:
        """What the path of these edges contributes."""
        return self.linearization.product(edges)

    def factors(self, param: str | Sequence[str] | None = None) -> int:
        """The multiplications of one sweep, from all numbers of a parameter, or of all."""
        return self.linearization.factors(self.numbers_of(param) if isinstance(param, str) else param)

    def block(self, name: str) -> tuple[str, ...]:
        """The names of all numbers that are computed for this one alone, which a drawing can collapse: see ``LCG.block``."""
        return block_of(self.linearization, name)

    def __str__(self) -> str:
        if self.too_large:
            counted = ", ".join(_ranged(name, counts) for name, counts in self.float_counts().items())
            return f"(too many edges between numbers to be written out; paths: {counted})"
        counts = {name: self.count_paths(name) for name in self.params}
        return numbers_text(self.numbers.made, self.numbers, self.value, counts)

    def _repr_html_(self) -> str:
        if self.too_large:
            return Code(str(self)).html()
        return html_text(self.linearization, str(self))

    def __repr__(self) -> str:
        counted = few((_ranged(cut(name), self.count_paths(name)) for name in self.params), letters=60)
        return line(f"Elements: {spaced(sum(map(math.prod, self.shapes.values())))} numbers; paths {{{counted}}}")


def _is_there(weight: Array) -> Array:
    """1 where a weight is not zero: a number whose paths all lead through a zero has no mass, which is no underflow."""
    return np.asarray(weight != 0, float)


def _ranged(name: str, counts: Data) -> str:
    least, most = (0, 0) if not np.size(counts) else (int(np.min(counts)), int(np.max(counts)))
    each = " each" if np.ndim(counts) else ""
    return f"{name}: {spaced(least)}{each}" if least == most else f"{name}: {spaced(least)} to {spaced(most)}"
