"""What estimators ask of a graph: routes, which are the choices that make a path, in a batch one for each run; and sums."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .. import paths as algebra
from ..arguments import spaced
from ..errors import BadInput, NotElementwise
from ..paths import LIMIT, Chances, Graph, Moments, Semiring


class Routes:
    """The part of ``LCG`` that estimators use. A path is a route, good for every graph of this signature.

    For one run a route is a tuple of edges; in a batch a dict, which branch each run takes at each tupling node.
    """

    params: tuple[str, ...]
    arguments: tuple[Any, ...]
    graph: Graph
    elementwise: bool
    batch: tuple[int, ...]
    seed: Any
    names: Any
    signature: Any

    def chances(self, by: str) -> Chances:
        """The branch probabilities of "path", "branch" or "magnitude"; made once per graph. O(edges).

        Raises NotElementwise for "magnitude" where sizes do not multiply along a path: there are ``path_shares``.
        """
        if by not in self._known_chances:
            if by == "magnitude":
                self._check_elementwise()
            make = {"path": algebra.by_path, "branch": algebra.by_branch, "magnitude": algebra.by_magnitude}
            self._known_chances[by] = make[by](self.graph)
        return self._known_chances[by]

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Any:
        """The choices of a random path; in a batch, of one per run."""
        source = self._source(param)
        if self.batch:
            return algebra.draw_runs(self.graph, source, rng, chances, self.batch)
        return algebra.draw(self.graph, source, rng, chances)[0]

    def as_route(self, taken: dict[int, Any]) -> Any:
        """A route from the branch that each run of a batch takes at each tupling node that it may meet."""
        return taken

    def best_route(self, param: str | None) -> Any:
        """The choices of the best path; in a batch, of each run's own. NaN counts as the largest."""
        source = self._source(param)
        if not self.elementwise:
            return self.route(param, self.best_index(param))
        if self.batch:
            return algebra.best_choices(self.graph, source, self._largest)
        return algebra.best(self.graph, source, self._largest)

    def route(self, param: str | None, index: Any) -> Any:
        """The branch choices behind a path index (in a batch, an array of them); good for every graph of this signature."""
        if not self.batch:
            source = self._source(param)
            self._check_index(source, index)
            return algebra.unrank(self.graph, self._counts, source, index)
        source = self._source(param)
        index = np.asarray(index)
        if index.dtype == np.int64 and index.size:
            self._check_index(source, index.flat[index.view(np.uint64).argmax()])  # the largest, or a negative one
        else:
            for i in np.unique(index):
                self._check_index(source, i)
        if index.shape != self.batch:
            if index.shape:
                raise BadInput(f"There are {self.batch} runs; the path indices have shape {index.shape}.")
            index = np.broadcast_to(index, self.batch)
        return self._choices(source, index)

    def follow(self, param: str | None, route: Any, chances: Chances | None = None) -> Any:
        """The contribution of the path (in a batch, of each run's own path) that makes these choices. O(edges).

        With ``chances`` divided by the path's probability, factor by factor, which neither over- nor underflows.
        """
        weight = self.graph.weight
        with np.errstate(all="ignore" if chances is not None else None):  # branches that no run takes
            if chances is not None:
                shares = zip(weight, chances.share)
                weight = [w if q.__class__ is float and q == 1 else np.divide(w, q) for w, q in shares]
            if self.batch:
                return algebra.follow(self.graph, self._source(param), route, self.seed, weight)
            gradient = self.product(route, weight)
        return float(gradient) if isinstance(gradient, np.float64) else gradient

    def product(self, edges: Any, weight: list[Any] | None = None) -> Any:
        """The contribution of the path of these edges; from the output back, so that linear maps act on adjoints."""
        weight = self.graph.weight if weight is None else weight
        gradient = self.seed
        for e in reversed(edges):
            gradient = gradient * weight[e]
        return gradient

    def route_index(self, param: str | None, route: Any) -> Any:
        """The index of the path that makes these choices; in a batch, of each run's."""
        source = self._source(param)
        if self.batch:
            return algebra.ranks(self.graph, self._counts, source, route, self.batch)
        turns = [e for e in route if len(self.graph.branches(self.graph.tail[e])) > 1]
        return algebra.turn_ranks(self.graph, source, [turns])[0]

    def path_gradient(self, param: str | None, index: Any) -> Any:
        """The contribution of one path by its index, or, in a batch, of one per run (index of shape ``batch``)."""
        return self.follow(param, self.route(param, index))

    def path_gradients(self, param: str | None = None, *, limit: int = LIMIT) -> np.ndarray[Any, Any]:
        """Every path's contribution, in path order: shape (N,) + the parameter's shape. Equation (3) for f1.

        Raises TooManyPaths past ``limit``. Cost: one sweep whose values are as long as there are paths.

        >>> import tinyspad as ts
        >>> ts.trace(lambda x: x * x * x, 2.0).path_gradients("x")
        array([4., 4., 4.])
        """
        source = self._source(param)
        self._check_limit(source, limit)
        if not self._number(source):
            return np.zeros((0, *np.shape(self.arguments[source])))
        listed = algebra.sweep_to(self.graph, algebra.LISTING, source, np.asarray(self.seed)[None])
        return np.asarray(listed, np.result_type(self.arguments[source]))

    def best_index(self, param: str | None = None) -> Any:
        """The index of the best path; in a batch, of every run's: an array of shape ``batch``. NaN counts as the largest."""
        source = self._source(param)
        self._check_any(source)
        if not self.elementwise:
            best = np.argmax(self.path_sizes(param), axis=0)
            return best if self.batch else int(best)
        return self.route_index(param, self.best_route(param))

    def draw_index(self, param: str | None, rng: np.random.Generator, by: str = "path") -> Any:
        """The index of a random path; in a batch, of one per run. ``by``: as for ``chances``, also through linear maps."""
        source = self._source(param)
        self._check_any(source)
        if by == "path":
            return algebra.uniform_below(rng, self._number(source), self.batch)
        if by == "magnitude" and not self.elementwise:
            index = algebra.drawn_from(rng, self.path_shares(param), self.batch)
            return index if self.batch else int(index)
        return self.route_index(param, self.draw_route(param, rng, self.chances(by)))

    def draw_distinct(self, param: str | None, rng: np.random.Generator, m: int) -> Any:
        """The indices of min(m, N) different paths, every set equally likely; in a batch, of one set per run."""
        return algebra.distinct_below(rng, self._number(self._source(param)), m, self.batch)

    def draw_others(self, param: str | None, rng: np.random.Generator, index: Any) -> Any:
        """The index of a path other than the given one, uniformly; in a batch, one per run."""
        drawn = algebra.uniform_below(rng, self._number(self._source(param)) - 1, self.batch)
        return drawn + (drawn >= index)

    def moments(self, param: str | None, chances: Chances, normalize: bool) -> tuple[Any, Any]:
        """Exact mean and variance of a path's contribution (divided by its probability if ``normalize``): one sweep.

        Through linear maps, where squares do not multiply along a path, elementwise and by a listing.
        """
        source = self._source(param)
        if not self._number(source):
            return (zero := self._shaped(source, 0.0)), zero
        if not self.elementwise:
            g, p = self.path_gradients(param), self.path_probabilities(param, chances)
            p = p.reshape(p.shape + (1,) * (g.ndim - p.ndim))
            with np.errstate(all="ignore"):
                g = np.where(p > 0, g / p, 0.0) if normalize else g
                mean = np.sum(p * g, axis=0)
                return self._shaped(source, mean), self._shaped(source, np.sum(p * (g - mean) ** 2, axis=0))
        mean, deviation = algebra.moments(self.graph, source, chances, normalize, self.seed)
        return self._shaped(source, mean), self._shaped(source, deviation * deviation)

    def largest_and_others(self, param: str | None = None) -> tuple[Any, Moments]:
        """The contribution of the best path, and number, mean and standard deviation of all the others: one sweep.

        Through linear maps, elementwise and by a listing.
        """
        source = self._source(param)
        if not self.elementwise and self._number(source):
            g = self.path_gradients(param)
            best = np.reshape(self.best_index(param), (1, *self.batch) + (1,) * (g.ndim - 1 - len(self.batch)))
            rest = np.arange(len(g)).reshape(-1, *(1,) * (g.ndim - 1)) != best
            number = max(len(g) - 1, 1)
            with np.errstate(all="ignore"):
                mean = np.sum(g, axis=0, where=rest) / number
                spread = np.sqrt(np.sum((g - mean) ** 2, axis=0, where=rest) / number)
            largest = np.take_along_axis(g, best, axis=0)[0]
            found = Moments(len(g) - 1, self._shaped(source, mean), self._shaped(source, spread))
            return self._shaped(source, largest), found
        with np.errstate(all="ignore"):
            largest, _, others = algebra.sweep_to(self.graph, algebra.SPLIT, source)
        mean, deviation = self._shaped(source, others.mean), self._shaped(source, others.deviation)
        return self._shaped(source, largest), Moments(others.number, mean, deviation)

    def path_probabilities(self, param: str | None, chances: Chances) -> np.ndarray[Any, Any]:
        """The probability of every path under these branch probabilities, listed: shape (N,) or (N, R)."""
        source = self._source(param)
        self._check_limit(source, LIMIT)
        if not self._number(source):
            return np.zeros((0, *self.batch))
        graph = Graph(self.graph.start, self.graph.tail, self.graph.head, chances.share, self.graph.output)
        return np.asarray(algebra.sweep_to(graph, algebra.LISTING, source, np.ones((1, *self.batch))))

    def path_sizes(self, param: str | None = None) -> np.ndarray[Any, Any]:
        """The size of every path's contribution, listed: |g_i|, of an array its norm; shape (N,) or (N, R).

        Raises TooManyPaths past 100 000 paths; through linear maps NotElementwise, for there no sweep compares them, either.
        """
        source = self._source(param)
        number, name = self._number(source), self.params[source]
        if number > LIMIT and not self.elementwise:
            raise NotElementwise(
                f'"{name}" has {spaced(number)} paths through linear maps; their sizes are norms of whole gradients, which '
                "no sweep can compare. Use sample_path(rng), or fewer paths."
            )
        listed = self.path_gradients(name)
        return np.abs(listed) if listed.ndim == 1 + len(self.batch) else algebra.sizes_of(listed)

    def path_shares(self, param: str | None = None) -> np.ndarray[Any, Any]:
        """The size of every path's contribution as a share of their sum, listed: shape (N,) or (N, R).

        Equal shares where all are zero. NaN and infinity count as the largest: where there are some, they share all.
        """
        sizes = self.path_sizes(param)
        wild = ~np.isfinite(sizes)
        sizes = np.where(wild.any(axis=0), wild, sizes)
        top = sizes.max(axis=0, initial=0.0)
        sizes = sizes / np.where(top > 0, top, 1.0)
        total = sizes.sum(axis=0)
        return np.where(total > 0, sizes / np.where(total > 0, total, 1.0), 1 / max(len(sizes), 1))

    def log_mass(self, param: str | None = None) -> Any:
        """log H, the logarithm of the sum of all |contributions|: by a sweep that cannot overflow, made once.

        Through linear maps by a listing of their norms.
        """
        if self.elementwise:
            return self._log_masses[self._source(param)]
        sizes = self.path_sizes(param)
        with np.errstate(all="ignore"):
            top = sizes.max(axis=0, initial=0.0)
            scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
            found = np.log(scale) + np.log(np.sum(sizes / scale, axis=0))
        return found if self.batch else float(found)

    def factors(self, param: str | None = None) -> int:
        """The number of factors on all paths from a parameter (or from any of them): the multiplications of one sweep."""
        graph = self.graph
        nodes = range(graph.size) if param is None else algebra.reachable(graph, self._source(param))
        return sum(self._factors(e) for v in nodes for e in graph.branches(v))

    def length(self, param: str | None, route: Any) -> Any:
        """The number of factors on a path: edges other than those of tupling nodes, which copy. In a batch, one per run."""
        if not self.batch:
            return sum(map(self._factors, route))
        factors = list(map(self._factors, range(len(self.graph.head))))
        nothing = np.zeros(self.batch, int)
        return algebra.follow(self.graph, self._source(param), route, nothing, factors, np.add)

    def lengths(self, param: str | None) -> np.ndarray[Any, Any]:
        """The number of factors on every path, listed."""
        source = self._source(param)
        self._check_limit(source, LIMIT)
        return np.array([sum(map(self._factors, edges)) for edges in algebra.enumerate_paths(self.graph, source)])

    def mean_length(self, param: str | None, chances: Chances) -> Any:
        """The mean number of factors on a random path."""
        source = self._source(param)
        return algebra.mean_length(self.graph, source, chances, self._factors) if self._number(source) else 0.0

    def past_turns(self, param: str, turns: list[int]) -> tuple[int, ...]:
        """All edges of the path that takes these ones, in this order, where it has a choice."""
        left = iter(turns)
        return algebra.walk(self.graph, self._source(param), lambda node, branches: next(left))

    # --- private --------------------------------------------------------------------------------------------

    def _choices(self, source: int, index: Any) -> dict[int, Any]:
        return algebra.choices(self.graph, self._counts, source, index)

    @cached_property
    def _largest(self) -> tuple[Semiring, list[Any]]:
        return algebra.largest_sizes(self.graph)

    @cached_property
    def _counts(self) -> list[int]:
        return algebra.count(self.graph)

    @cached_property
    def _log_masses(self) -> list[Any]:
        with np.errstate(all="ignore"):
            return algebra.sweep(self.graph, algebra.LOG, forget=True)

    @cached_property
    def _numbers(self) -> list[int]:
        return algebra.sweep(self.graph, algebra.COUNT, forget=True)

    def _number(self, source: int) -> int:
        return self._numbers[source]

    @cached_property
    def _known_chances(self) -> dict[str, Chances]:
        return {}

    def _factors(self, e: int) -> int:
        """1 for an edge that multiplies, 0 for a branch of a tupling node, which copies."""
        return int(len(self.graph.branches(self.graph.tail[e])) == 1)

    def _source(self, param: str | None) -> int:
        if param is None:
            if len(self.params) == 1:
                return 0
            raise BadInput(f"Which parameter? There are {', '.join(self.params)}.")
        if param not in self.params:
            raise BadInput(f"There is no parameter {param!r}; the function has {', '.join(self.params)}.")
        return self.params.index(param)

    def _shaped(self, source: int, adjoint: Any) -> Any:
        """A result in the parameter's own form: a float, or an array of its shape that is the caller's to change."""
        argument = self.arguments[source]
        if isinstance(argument, float):
            return float(adjoint)
        if isinstance(argument, np.ndarray) and np.ndim(adjoint) == 0:
            return np.full_like(argument, adjoint)
        return argument.dtype.type(adjoint) if isinstance(argument, np.generic) else np.array(adjoint, argument.dtype)

    def _check_limit(self, source: int, limit: int) -> None:
        algebra.check_limit(self._number(source), limit, self.params[source])

    def _check_index(self, source: int, index: Any) -> None:
        number, name = self._number(source), self.params[source]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < number:
            told = spaced(index) if isinstance(index, int) else index
            raise BadInput(f'"{name}" has {spaced(number)} paths, numbered from 0; there is no path {told}.')

    def _check_any(self, source: int) -> None:
        if not self._number(source):
            raise BadInput(f'The output does not depend on "{self.params[source]}": there is no path to choose.')

    def _check_elementwise(self) -> None:
        if not self.elementwise:
            raise NotElementwise(
                "Some edges are linear maps, so sizes and squares do not multiply along a path; list the paths instead."
            )
