"""Elements: every question about paths, put to the numbers in the arrays."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data, generator, spaced
from ..errors import BadInput, NotScalar
from ..linearization import Linearization, Node, Unchanging
from ..paths import Chances, Path, PathArray, Semiring
from .array_walks import ArrayWalks, edges_between, walk_arrays
from .collapse import block_of
from .numbers import LARGEST_GRAPH, Numbers, NumbersAtPoint, place_of, places
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

NUMBER = re.compile(r"\s*(?P<name>.*?)\s*\[(?P<place>\s*-?\d+\s*(,\s*-?\d+\s*)*)\]\s*")


def of_a_number(question: Callable[Concatenate[Linearization, str | None, P], R]) -> Callable[..., R]:
    """The question about one parameter, put to one number."""

    def ask(self: Elements, param: str | None = None, *args: P.args, **options: P.kwargs) -> R:
        return question(self.linearization, self.number(param, question.__name__), *args, **options)

    return functools.update_wrapper(ask, question)


class Elements(Unchanging):
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

    def __init__(self, at: Linearization, made: SingleAccess, numbers: Numbers | None = None) -> None:
        if np.size(at.value) != 1:
            raise NotScalar(
                f"The output has shape {np.shape(at.value)}: paths of numbers lead to one number. Trace one run, at one "
                "point; or add up what there is, with np.sum."
            )
        self.at, self.single_access = at, made
        if numbers is not None:
            self.__dict__["numbers"] = numbers
        self.params, self.arguments = at.params, at.arguments
        shapes = dict(zip(at.params, map(np.shape, at.arguments)))
        self.shapes: dict[str, tuple[int, ...]] = shapes
        sizes = [math.prod(shape) for shape in shapes.values()]
        self._first = dict(zip(at.params, np.cumsum([0, *sizes]).tolist()))

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

    # --- which number, or which array -------------------------------------------------------------------------

    def number(self, param: str | None, question: str = "this") -> str:
        """The full name of one number. Raises BadInput for an array of several, where the answers would be ragged."""
        name, place = self.where(param)
        shape = self.shapes[name]
        if place is None and math.prod(shape) != 1:
            first = next(iter(places(shape)), "[...]")
            raise BadInput(
                f'{question} is asked of one number: "{name}{first}", say, of the {math.prod(shape)} in "{name}".'
            )
        return f"{name}{place_of(shape, place or 0)}"

    def where(self, param: str | None) -> tuple[str, int | None]:
        """The parameter, and which of its numbers is meant, None for all. Raises BadInput for a name that is none."""
        if param is None and len(self.params) == 1:
            return self.params[0], None
        if isinstance(param, str):
            if param in self.shapes:
                return param, None
            found = NUMBER.fullmatch(param)
            if found and found["name"] in self.shapes:
                return found["name"], self._place(found["name"], found["place"])
        asked = "Which parameter?" if param is None else f"There is no parameter {param!r}:"
        listed = ", ".join(f"{name} of shape {shape}" if shape else name for name, shape in self.shapes.items())
        raise BadInput(f'{asked} The function has {listed}; a number of an array is asked for as "name[index]".')

    def _place(self, name: str, text: str) -> int:
        shape = self.shapes[name]
        try:
            index = [int(part) for part in text.split(",")]
            if len(index) != len(shape) or not shape:
                raise IndexError
            return int(np.ravel_multi_index([range(n)[i] for i, n in zip(index, shape)], shape))
        except (ValueError, IndexError):
            raise BadInput(f'"{name}" has the shape {shape}, and no number [{text}].') from None

    def numbers_of(self, param: str) -> tuple[str, ...]:
        """The names of all numbers that are meant."""
        name, place = self.where(param)
        shape = self.shapes[name]
        return tuple(name + at for at in places(shape)) if place is None else (f"{name}{place_of(shape, place)}",)

    def each(self, param: str | None, ask: Callable[[str], Data]) -> Data:
        """What is answered for one number, or for every number of an array, in its shape."""
        name, place = self.where(param)
        answers = [ask(number) for number in self.numbers_of(param or name)]
        return answers[0] if place is not None or not self.shapes[name] else self._shaped(answers, self.shapes[name])

    def _all(self, param: str | None, found: Data) -> Data:
        """Of what is known of every node, what belongs to one number, or to the numbers of an array."""
        name, place = self.where(param)
        shape, first = self.shapes[name], self._first[name]
        if place is not None or not shape:
            return found[first + (place or 0)]
        return self._shaped(found[first : first + math.prod(shape)], shape)

    @staticmethod
    def _shaped(answers: Data, shape: tuple[int, ...]) -> Array:
        large = any(isinstance(a, int) and abs(a) >= 2**63 for a in answers)
        return np.array(answers, object if large else None).reshape(shape)

    # --- answers for one number, or for all of an array -------------------------------------------------------------

    def gradient(self) -> dict[str, Data]:
        """The gradient by parameter, in its shape: by the sweep over arrays."""
        return self.at.gradient()

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
        return self._paths(param, lambda name: self.linearization.best_path(name))

    def sample_path(self, param: str | None = None, rng: Data = None, by: str = "path") -> Data:
        """A random path of one number; of an array, a ``PathArray`` of its shape, a path for each, independently.

        ``by``, ``rng``, errors: as for ``LCG.sample_path``.
        """
        rng = generator(rng)
        return self._paths(param, lambda name: self.linearization.sample_path(name, rng, by))

    def _paths(self, param: str | None, ask: Callable[[str], Any]) -> Data:
        name, place = self.where(param)
        shape, first = self.shapes[name], self._first[name]
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
            sources=np.arange(first, first + len(found)).reshape(shape),
        )

    def _sums(self, lift: Callable[[Array], Array]) -> dict[str, Array]:
        """By one sweep over arrays, without the edges between numbers: see ``sums``. Kept."""
        if lift not in self._swept:
            self._swept[lift] = Sums(self.single_access, self.at, lift)
        return dict(zip(self.params, self._swept[lift].of_params()))

    @cached_property
    def _swept(self) -> dict[Callable[[Array], Array], Sums]:
        return {}

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
        found = self._sums(np.abs)[name]
        if place is not None or not found.shape:
            found = found.reshape(-1)[place or 0]
        if np.all((found > TINY) & (found < np.inf)):
            return np.log(found) if np.ndim(found) else float(np.log(found))
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
    ledger = of_a_number(Linearization.ledger)

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
        counts = {name: self.count_paths(name) for name in self.params}
        return numbers_text(self.single_access, self.numbers, self.value, counts)

    def _repr_html_(self) -> str:
        return html_text(self.linearization, str(self))

    def __repr__(self) -> str:
        counted = ", ".join(_ranged(name, self.count_paths(name)) for name in self.params)
        return f"<Elements: {sum(map(math.prod, self.shapes.values()))} numbers; paths {{{counted}}}>"


def _ranged(name: str, counts: Data) -> str:
    least, most = (0, 0) if not np.size(counts) else (int(np.min(counts)), int(np.max(counts)))
    each = " each" if np.ndim(counts) else ""
    return f"{name}: {spaced(least)}{each}" if least == most else f"{name}: {spaced(least)} to {spaced(most)}"
