"""A program at a point: its gradient, and what single paths contribute to it, by index and by route."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data, spaced
from ..errors import BadInput, NotElementwise, TooManyPaths
from ..paths import LIMIT, Chances, Route, Semiring, Weights, middle
from ..rules import LinearMap, Mask
from .choices import guarded_edge
from .code import in_form_of
from .weighted import Weighted

LARGEST_LISTING = 10**8
"""So many contributions, over all paths, observations and runs, are listed at a time."""


class Point(Weighted):
    """What ``Linearization`` stands on: the gradient, and every path's contribution, by index and by route."""

    # --- the gradient ----------------------------------------------------------------------------------------

    @cached_property
    def adjoints(self) -> list[Data]:
        """The derivative of the output by every variable, by one reverse sweep (of every observation, times its weight)."""
        self.check_differentiable()
        if not self.needs_guard:
            return self._unguarded
        return list(algebra.sweep(self.structure, self.weight, algebra.GRADIENT, self.seed))

    def adjoint(self, param: str | None = None) -> Data:
        """The gradient with respect to one parameter."""
        source = self.source(param)
        found = self.code.gradient(source)
        if found is None:
            found = self.adjoints[source]
        elif self.observed is not None:
            found = self.observed * found
        return self.shaped(source, self.summed(found))

    def gradient(self) -> dict[str, Data]:
        """The gradient as a dict by parameter name, by one reverse sweep: O(edges).

        >>> import tinyspad as ts
        >>> ts.trace(lambda x, y: x * y, 2.0, 3.0).gradient()
        {'x': 3.0, 'y': 2.0}
        """
        return {name: self.adjoint(name) for name in self.params}

    # --- every path's contribution ---------------------------------------------------------------------------

    def count_paths(self, param: str | None = None) -> int:
        """The exact number of paths, by dynamic programming: O(edges), a Python int of any size.

        >>> import functools, tinyspad as ts
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(70), x)
        >>> ts.trace(doubled, 1.0).count_paths("x")
        1180591620717411303424
        """
        return algebra.count(self.structure, self.source(param))

    def path_gradients(self, param: str | None = None, *, limit: int = LIMIT) -> Array:
        """Every path's contribution, in path order: shape (N,) + the parameter's shape. Equation (3) for f1.

        Raises TooManyPaths past ``limit``. Cost: one sweep whose values are as long as there are paths.

        >>> import tinyspad as ts
        >>> ts.trace(lambda x: x * x * x, 2.0).path_gradients("x")
        array([4., 4., 4.])
        """
        source = self.source(param)
        number = algebra.count(self.structure, source)
        if self.observed is not None and (number > limit or number * self.observed.size > LARGEST_LISTING):
            raise TooManyPaths(
                f'"{self.params[source]}" has {spaced(number)} paths. Which of them is the largest for a whole batch is '
                f"found by listing them, here for {self.observed.size} observations at a time. Let each observation have a "
                'path of its own, sample="different", which needs no listing; or draw candidates, SPAD(m=...).'
            )
        self.listable(param, limit)
        few = self._few(source)
        if few is not None:
            return np.array(few)
        if not number:
            return np.zeros((0, *np.shape(self.arguments[source])))
        one = np.asarray(self.seed)[None]
        listed = self._listed(source, one)
        if self.observed is not None:
            return np.asarray(np.broadcast_to(listed, (number, *self.observed.shape)).sum(axis=1))
        return np.array(listed, np.result_type(self.arguments[source]))

    def path_gradient(self, param: str | None, index: Data) -> Data:
        """The contribution of one path by its index, or, in a batch, of one per run (index of shape ``batch``)."""
        return self.follow(param, self.route(param, index))

    def path_sizes(self, param: str | None = None) -> Array:
        """The size of every path's contribution, listed: |g_i|, of an array its norm; shape (N,) or (N, R).

        Raises TooManyPaths past 100 000 paths; through linear maps NotElementwise, for there no sweep compares them, either.
        """
        source = self.source(param)
        number, name = algebra.count(self.structure, source), self.params[source]
        if number > LIMIT and not self.elementwise and self.observed is None:
            raise NotElementwise(
                f'"{name}" has {spaced(number)} paths through linear maps; their sizes are norms of whole gradients, which '
                "no sweep can compare. Those of single numbers can be: lcg.elements() has them. Or use sample_path(rng)."
            )
        listed = self.path_gradients(name)
        return np.abs(listed) if listed.ndim == 1 + len(self.batch) else algebra.sizes_of(listed)

    def path_shares(self, param: str | None = None) -> Array:
        """The size of every path's contribution as a share of their sum, listed: shape (N,) or (N, R).

        Equal shares where all are zero. NaN and infinity count as the largest: where there are some, they share all.
        """
        return np.asarray(algebra.shares_of(self.path_sizes(param)))

    def path_probabilities(self, param: str | None, chances: Chances) -> Array:
        """The probability of every path under these branch probabilities, listed: shape (N,) or (N, R)."""
        source = self.listable(param)
        if not algebra.count(self.structure, source):
            return np.zeros((0, *self.batch))
        one = np.ones((1, *self.batch))
        return np.asarray(algebra.sweep_to(self.structure, chances.share, algebra.LISTING, source, one))

    # --- routes: the choices that make a path, in a batch one for each run -----------------------------------

    def route(self, param: str | None, index: Data) -> Route:
        """The path with this index (in a batch, an array of them), good at every point with this signature."""
        source = self.source(param)
        if not self.batch:
            self.check_index(source, index)
            return Route(self.structure, source, index=int(index))
        index = np.asarray(index)
        if index.dtype == np.int64 and index.size and index.flags.c_contiguous:
            self.check_index(source, index.flat[index.view(np.uint64).argmax()])  # the largest, or a negative one
        else:
            for i in np.unique(index):
                self.check_index(source, i)
        if index.shape not in ((), self.batch):
            raise BadInput(f"There are {self.batch} runs; the path indices have shape {index.shape}.")
        own = np.empty(self.batch, algebra.whole_dtype(algebra.count(self.structure, source)))
        own[...] = index
        own.flags.writeable = False  # nobody else's to change: branches are worked out from it once
        index = own
        return Route(self.structure, source, index=index, shape=self.batch)

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Route:
        """A random path; in a batch, one per run."""
        source = self.source(param)
        self.check_any(source)
        if self.batch:
            return algebra.draw_runs(self.structure, source, rng, chances, self.batch)
        return algebra.draw(self.structure, source, rng, chances)[0]

    def best_route(self, param: str | None = None) -> Route:
        """The path of the largest |contribution|; in a batch, each run's own. NaN counts as the largest."""
        source = self.source(param)
        self.check_any(source)
        few = self._few(source)
        if few is not None or not self.elementwise:
            sizes = np.abs(few) if few is not None else self.path_sizes(param)
            return self.route(param, np.argmax(sizes, axis=0))
        return algebra.best(self.structure, self.weight, source, self.largest, self.batch)

    def follow(self, param: str | None, route: Route, chances: Chances | None = None) -> Data:
        """The contribution of a path (in a batch, of each run's own). O(its length); in a batch O(edges).

        With ``chances`` divided by the path's probability, factor by factor, which neither over- nor underflows.
        """
        few = self._few(route.source) if chances is None or chances.listed is not None else None
        if few is not None and self.batch:
            found = few.reshape(-1).take(route.places)
            if chances is not None:
                with np.errstate(all="ignore"):
                    found = found / chances.listed.reshape(-1).take(route.places)
            return found.reshape(self.batch)
        if few is not None:
            return float(few[route.index])
        found = self.code.follow(route) if self.batch and chances is None else None
        if found is not None:
            return self.summed(found if self.observed is None else self.observed * found)
        over = None if chances is None else chances.share
        if self.needs_guard and not self.batch and over is None:
            return self.product(route.edges)
        quiet = chances is not None or self.needs_guard  # of branches that no run takes
        weight = self.weight if self.batch and not self.needs_guard else self.code.weight
        with np.errstate(all="ignore" if quiet else None):
            found = algebra.follow(route, weight, self.seed, over=over)
            if self.needs_guard:
                found = np.where(algebra.follow(route, self.taken, np.ones(self.batch)) != 0, found, 0.0)[()]
        return self.summed(found)

    def product(self, edges: Sequence[int]) -> Data:
        """The contribution of the path of these edges; in a batch, of that one path for every run."""
        found, weight = self.seed, self.code.weight
        if not self.needs_guard:
            for e in reversed(edges):
                found = found * self.weight[e]
            return self.summed(found)
        mask: Mask = True
        with np.errstate(all="ignore"):
            for e in reversed(edges):  # what is not taken here lets nothing through further on, either
                factor, mask = guarded_edge(e, weight[e], mask, self.code.choices)
                found = found * factor
        return self.summed(found)

    def _listed(self, source: int, one: Data) -> Data:
        """Every path's contribution, in path order."""
        if not self.needs_guard:
            return algebra.sweep_to(self.structure, self.weight, algebra.LISTING, source, one)
        if not any(isinstance(w, LinearMap) for w in self.code.weight):
            with np.errstate(all="ignore"):
                listed = algebra.sweep_to(self.structure, self.code.weight, algebra.LISTING, source, one)
            taken = algebra.sweep_to(self.structure, self.taken, algebra.LISTING, source, np.ones(np.shape(one)))
            return np.where(taken != 0, listed, 0.0)
        return np.array([self.product(edges) for edges in algebra.enumerate_paths(self.structure, source)])

    def best_index(self, param: str | None = None) -> Data:
        """The index of the best path; in a batch, of every run's: an array of shape ``batch``. NaN counts as the largest."""
        return self.best_route(param).index

    def draw_index(self, param: str | None, rng: np.random.Generator, by: str = "path") -> Data:
        """The index of a random path; in a batch, of one per run. ``by``: as for ``chances``, also through linear maps."""
        source = self.source(param)
        self.check_any(source)
        if by == "path":
            return algebra.uniform_below(rng, algebra.count(self.structure, source), self.batch)
        if by == "magnitude" and not self.elementwise:
            index = algebra.drawn_from(rng, self.path_shares(param), self.batch)
            return index if self.batch else int(index)
        return self.draw_route(param, rng, self.chances(by)).index

    def draw_distinct(self, param: str | None, rng: np.random.Generator, m: int) -> Data:
        """The indices of min(m, N) different paths, every set equally likely; in a batch, of one set per run."""
        return algebra.distinct_below(rng, self.count_paths(param), m, self.batch)

    def draw_others(self, param: str | None, rng: np.random.Generator, index: Data) -> Data:
        """The index of a path other than the given one, uniformly; in a batch, one per run."""
        drawn = algebra.uniform_below(rng, self.count_paths(param) - 1, self.batch)
        return drawn + (drawn >= index)

    def chances(self, by: str, param: str | None = None) -> Chances:
        """The branch probabilities of "path", "branch" or "magnitude"; made once. O(edges).

        With ``param`` they need serve its paths alone, and are made from a listing where that is at hand. Raises
        NotElementwise for "magnitude" where sizes do not multiply along a path: there are ``path_shares``.
        """
        if by == "magnitude":
            source = -1 if param is None or not (self.batch and self.elementwise) else self.source(param)
            few = None if source < 0 else self._few(source)
            return self._by_magnitude if few is None else algebra.by_listing(self.structure, source, np.abs(few))
        if by not in ("path", "branch"):
            raise BadInput(f'by= is "path", "branch" or "magnitude", not {by!r:.60}.')
        return {"path": algebra.by_path, "branch": algebra.by_branch}[by](self.structure)

    # --- checks, and results in their form ------------------------------------------------------------------------

    def source(self, param: str | None) -> int:
        """The node of a parameter. Raises BadInput for a name that is none, or if one must be given."""
        if param is None:
            if len(self.params) == 1:
                return 0
            raise BadInput(f"Which parameter? There are {', '.join(self.params)}.")
        found = self._sources.get(param) if isinstance(param, str) else None
        if found is None:
            raise BadInput(f"There is no parameter {param!r:.60}; the function has {middle(list(self.params), ', ')}.")
        return found

    @cached_property
    def _sources(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.params)}

    def listable(self, param: str | None, limit: int = LIMIT) -> int:
        """The node of a parameter whose paths may be listed. Raises TooManyPaths past the limit."""
        source = self.source(param)
        algebra.check_limit(algebra.count(self.structure, source), limit, self.params[source])
        return source

    def check_any(self, source: int) -> None:
        """Raise BadInput if there is no path to choose."""
        if not algebra.count(self.structure, source):
            raise BadInput(f'The output does not depend on "{self.params[source]}": there is no path to choose.')

    def check_index(self, source: int, index: Data) -> None:
        """Raise BadInput unless there is a path of this number."""
        number, name = algebra.count(self.structure, source), self.params[source]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < number:
            told = spaced(index) if isinstance(index, int) else index
            raise BadInput(f'"{name}" has {spaced(number)} paths, numbered from 0; there is no path {told}.')

    def check_elementwise(self) -> None:
        """Raise NotElementwise where sizes do not multiply along a path."""
        if not self.elementwise:
            raise NotElementwise(
                "Some edges are linear maps, so sizes and squares do not multiply along a path; list the paths instead."
            )

    def shaped(self, source: int, adjoint: Data) -> Data:
        """A result in the parameter's own form: a float, or an array of its shape that is the caller's to change."""
        return in_form_of(self.arguments[source], adjoint)

    def _few(self, source: int) -> Data:
        """The contributions of all paths of a parameter where the code lists them, shape (N,) or (N, *batch); or None."""
        found = self.code.listing(source)
        if self.observed is None:
            return found
        if source not in self._fewer:
            self._fewer[source] = None if found is None else (self.observed * found).sum(axis=1)
        return self._fewer[source]

    @cached_property
    def _fewer(self) -> dict[int, Data]:
        return {}

    @cached_property
    def _by_magnitude(self) -> Chances:
        self.check_elementwise()
        return algebra.by_magnitude(self.structure, self.carried)

    @cached_property
    def largest(self) -> tuple[Semiring, Weights]:
        """The largest |product| behind every node, and the semiring that floats can hold it in: made once."""
        return algebra.largest_sizes(self.structure, self.carried)
