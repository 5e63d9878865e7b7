"""Paths at a point: structure, weights and seed of a program there, and every question about its paths, answered once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data, generator, integer, spaced
from ..errors import BadInput, TooManyPaths
from ..paths import LIMIT, Chances, Path, PathArray, Route, Semiring
from ..rules import Masked
from .ledger import LISTED, Ledger, Shown, ledger_of, reach_of, shown_of
from .sums import ExactSums

BY = ("path", "branch", "magnitude")


class Linearization(ExactSums):
    """A program at a point, as far as its paths are concerned: what an estimator asks, and all that an LCG tells of paths.

    ``params``: the parameters' names; ``arguments``: the point; ``value``: the output. ``structure``, ``weight``: the edges,
    and what they carry. ``batch``: () for one run, (R,) for R independent ones. ``elementwise``: whether sizes multiply
    along a path, which they do where every edge carries a number (or one per run). ``observed``: weights of observations,
    shape (K, *batch): then every edge carries numbers for all of them, a path is followed for all observations of a run
    alike, and what it contributes is the weighted sum. In the methods ``param`` may be left out when there is only one.
    """

    def observing(self, weight: Data, runs: tuple[int, ...]) -> Linearization:
        """This batch as observations of these weights, shape (K, *runs), that share a path in each run."""
        arguments = tuple(a[0] if runs else float(a[0]) for a in self.arguments)
        return Linearization(self.code, self.structure, self.params, arguments, runs, observed=weight)

    def of_runs(self, batch: tuple[int, ...]) -> Linearization:
        """The same, of which it is known that the output's numbers belong to as many independent runs of arrays."""
        return Linearization(self.code, self.structure, self.params, self.arguments, batch, elementwise=False)

    # --- paths, listed and by number -------------------------------------------------------------------------

    def paths(self, param: str | None = None, *, limit: int = LIMIT) -> list[Path]:
        """All paths in order. Raises TooManyPaths, naming the number, when there are more than ``limit``.

        >>> import tinyspad as ts
        >>> for path in ts.trace(ts.functions.f1, 5.0).paths("x"):
        ...     print(path.index, path, path.branches)
        0 x -> x1 -> a -> z (0,)
        1 x -> x2 -> b -> c -> d -> z (1,)
        """
        source = self.listable(param, limit)
        listed = enumerate(algebra.enumerate_paths(self.structure, source))
        return [self._path(source, edges, known=i) for i, edges in listed]

    def nth_path(self, param: str | None = None, index: int = 0) -> Path:
        """The path with this index, without enumeration: the table of counts is an index. O(its length).

        Raises BadInput for an index that is not a whole number from 0 to the count less one. The table holds a Python
        integer for each node, as long as the count: for 2**N paths it has O(edges * N) digits.

        >>> import tinyspad as ts
        >>> [round(weight, 6) for weight in ts.trace(ts.functions.f1, 5.0).nth_path("x", 0).weights]
        [1.0, 10.0, 2.408082]
        """
        source = self.source(param)
        self.check_index(source, index)
        return self._path(source, Route(self.structure, source, index=int(index)).edges, known=int(index))

    # --- the best ones ---------------------------------------------------------------------------------------

    def best_path(self, param: str | None = None) -> Data:
        """The path of the largest |contribution|, the first one on a tie. Exact, by one max-product sweep: O(edges).

        In a batch every run has a best path of its own: a ``PathArray`` of shape ``batch``. Products that floats cannot hold
        are compared by their logarithms. With linear maps on edges size means the norm of the path's gradient, and that
        needs a listing: then it raises NotElementwise where there are too many paths. Raises BadInput where there is no
        path, or, for one run, where sizes are not numbers; in a batch, and in ``best_index``, NaN counts as the largest.

        >>> import numpy as np, tinyspad as ts
        >>> print(ts.trace(ts.functions.f1, 5.0).best_path("x"))
        x -> x2 -> b -> c -> d -> z
        >>> ts.trace(ts.functions.f1, np.array([0.1, 5.0])).best_path("x").index
        array([0, 1])
        """
        source = self.source(param)
        self.check_any(source)
        self._check_sizes(source)
        if self.elementwise and not self.batch:
            return self._path(source, self.best_route(param).edges)
        index = self.best_index(param)
        if not self.batch:
            return self.nth_path(self.params[source], index)
        return self._paths_at(source, index)

    def top_paths(self, param: str | None = None, n: int = 5) -> Data:
        """The n paths of the largest |contribution|, largest first, in path order among equals; all if there are fewer.

        Exact, by one k-best sweep: O(edges * n log n). In a batch every run has its own: a ``PathArray`` of shape (n, R).
        With linear maps on edges, by norms of listed gradients. Raises BadInput where there is no path, or, for one run,
        where sizes are not numbers; in a batch NaN counts as the largest.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
        >>> [path.gradient for path in lcg.top_paths("x", 3)]
        [154.0, 42.0, -19.25]
        """
        source = self.source(param)
        n = min(integer(n, "top_paths: n"), max(self.count_paths(param), 1))
        self.check_any(source)
        if n > LIMIT < algebra.count(self.structure, source):
            raise TooManyPaths(f"top_paths({n}) would list {n} paths; listing stops at {spaced(LIMIT)}.")
        self._check_sizes(source)
        if not self.elementwise:
            order = algebra.by_size(self.path_sizes(param))[:n]
            return self._paths_at(source, order) if self.batch else [self.nth_path(param, int(i)) for i in order]
        if self.batch:
            size = self.largest[0]
            return self._paths_at(source, algebra.top_runs(self.structure, self.weight, source, n, self.batch, size))
        return [
            self._path(source, edges) for edges in algebra.top(self.structure, self.weight, source, n, self.largest[0])
        ]

    # --- drawing ---------------------------------------------------------------------------------------------

    def sample_path(self, param: str | None = None, rng: Data = None, by: str = "path") -> Data:
        """A random path with its probability; in a batch one for every run, a ``PathArray`` of shape ``batch``.

        ``by="path"``: uniform over all paths, exactly so at any count. ``"branch"``: uniform at each tupling node that it
        meets. ``"magnitude"``: probability |g_i| / sum |g_j|, by one sweep. ``rng``: Generator, int or None. Raises
        BadInput when there is no path, ``by`` is none of these, or magnitudes have no positive finite sum; in a batch, runs
        without one draw uniformly where all contributions are zero, and from those that are not finite where there are some.
        Cost: O(edges) once per graph, O(length) for the walk.
        """
        source = self.source(param)
        rng = generator(rng)
        self._check_draw(source, by)
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, self.batch) if self.batch else self._draw_listed(source, rng, (1,))[0]
        if self.batch:
            return self._draw_runs(source, rng, by, self.batch)
        chances = self.chances(by)
        route, probability = algebra.draw(self.structure, source, rng, chances)
        log_p = float(algebra.log_probability(chances, self.structure, route))
        return self._path(source, route.edges, probability, log_p)

    def sample_paths(self, param: str | None = None, n: int = 1, rng: Data = None, by: str = "path") -> PathArray:
        """n independent random paths in arrays, walked all at once; in a batch n for every run, shape (n, R).

        Arguments and errors as for ``sample_path``. Cost: O(edges) once, then a few array operations per choice met.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> drawn = lcg.sample_paths("x", 1000, rng=0, by="magnitude")
        >>> round(float((drawn.gradient / drawn.probability).mean()), 2), round(lcg.gradient()["x"], 2)
        (-70.38, -67.21)
        """
        source = self.source(param)
        integer(n, "sample_paths: n", least=0)
        rng = generator(rng)
        self._check_draw(source, by)
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, (int(n), *self.batch))
        if self.batch:
            return self._draw_runs(source, rng, by, (int(n), *self.batch))
        with np.errstate(over="ignore", invalid="ignore"):
            turns = algebra.draw_many(self.structure, self.carried, source, rng, self.chances(by), int(n))
        gradient = turns.gradient if self.observed is None else None
        if gradient is None:  # linear maps: each path multiplied out by itself
            routes = [algebra.past_turns(self.structure, source, taken) for taken in turns.edges.T.tolist()]
            shape = (int(n), *np.shape(self.arguments[source]))
            gradient = np.array([self.product(route) for route in routes]).reshape(shape)
        return PathArray(
            self.params[source], gradient, turns.probability, turns.log_probability, at=self, turns=turns.edges
        )

    # --- any sum over all paths --------------------------------------------------------------------------------

    def sweep(self, semiring: Semiring | str, direction: str = "reverse") -> dict[str, Data]:
        """What a semiring makes of all paths of each parameter, by parameter name.

        ``direction``: "reverse" takes one sweep for all parameters, "forward" one for each; they agree for semirings
        that do not care about the order of factors and branches. The table ``ts.paths.SEMIRINGS`` has those behind
        the other methods, which go by name, too; ``ts.Semiring`` makes your own. Cost: O(edges) of the semiring's
        operations. Raises NotElementwise where edges are linear maps and the semiring, or the direction, needs numbers.

        >>> import math, tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> longest = ts.Semiring(lambda weight: 1, lambda length, edge: length + edge, max, one=0, zero=0)
        >>> lcg.sweep(longest), lcg.sweep("count", "forward")
        ({'x': 5}, {'x': 2})
        """
        if isinstance(semiring, str):
            if semiring not in algebra.SEMIRINGS:
                raise BadInput(f"sweep: there is no semiring {semiring!r}; there are {', '.join(algebra.SEMIRINGS)}.")
            semiring = algebra.SEMIRINGS[semiring]
        if not isinstance(semiring, Semiring):
            raise BadInput(f"sweep takes a Semiring, or the name of one in ts.paths.SEMIRINGS, not {semiring!r:.60}.")
        if direction not in ("reverse", "forward"):
            raise BadInput(f'sweep: direction= is "reverse" or "forward", not {direction!r}.')
        one, weight = semiring.one, self.carried
        if semiring is algebra.LISTING:
            for name in self.params:
                self.listable(name)
            if self.needs_guard:
                return {name: self.path_gradients(name) for name in self.params}
            one = np.asarray(self.seed)[None]
        elif semiring is algebra.GRADIENT:
            one = self.seed
        if self.needs_guard and semiring not in algebra.SEMIRINGS.values():  # of one's own, which takes numbers
            weight = [w.shown() if isinstance(w, Masked) else w for w in self.weight]
        if self.observed is not None:  # a sweep would be one over each observation by itself
            if semiring is algebra.GRADIENT:
                return self.gradient()
            if semiring is algebra.LISTING:
                return {name: self.path_gradients(name) for name in self.params}
            weight = [object()] * len(weight)
        try:
            if direction == "reverse":
                if semiring is algebra.COUNT:
                    return {name: self.count_paths(name) for name in self.params}
                found = algebra.sweep(self.structure, weight, semiring, one, forget=True)
                if isinstance(found, np.ndarray):
                    found = found[: len(self.params)].tolist()
                return {name: found[i] for i, name in enumerate(self.params)}
            self.check_elementwise()
            weight = weight.tolist() if isinstance(weight, np.ndarray) else weight
            swept = {}
            for i, name in enumerate(self.params):
                own = self.weight_onward(i) if self.needs_guard else weight
                swept[name] = algebra.sweep_from(self.structure, own, semiring, {i: one})[self.structure.output]
            return swept
        except (TypeError, ValueError):
            self.check_elementwise()  # linear maps add up and can be counted; most else needs numbers
            raise

    def ledger(self, param: str | None = None, *, limit: int = LISTED) -> Ledger:
        """The paths with their edge factors, products and shares, and the proof that they add up to the gradient.

        ``print`` it. Of more than ``limit`` paths, however many, it lists the largest, largest first, and all others as one
        exact row: see ``shown``. Cost: a listing or a k-best sweep, and 38 evaluations of f for a number.

        >>> import functools, tinyspad as ts
        >>> ledger = ts.trace(ts.functions.f1, 5.0).ledger("x")
        >>> ledger.shares.round(3), ledger.agrees
        (array([0.209, 0.791]), True)
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(98), x)
        >>> print(ts.trace(doubled, 1.0).ledger("x", limit=3).others)
        the other 3.2e29 together
        """
        return ledger_of(self, self.shown(param, integer(limit, "limit=")))

    def shown(self, param: str | None = None, n: int = LISTED) -> Shown:
        """What is shown of all paths: all in their order if there are at most ``n``, else the n largest and the rest as one.

        In a batch the largest are those of the largest size in any run. The rest has its exact count, the sum of its
        contributions and its share of all magnitudes, none of them by a subtraction. Raises NotElementwise where there are
        more than 100 000 paths through linear maps. Cost: as for ``top_paths``, and two sweeps.

        >>> import tinyspad as ts
        >>> shown = ts.trace(ts.functions.beale, 1.0, 2.0).shown("x", 2)
        >>> shown.products, shown.others.count, shown.others.sum
        (array([154.,  42.]), 4, -24.75)
        """
        source = self.source(param)
        name, number, n = self.params[source], algebra.count(self.structure, source), integer(n, "shown: n")
        if number <= n:
            return shown_of(self, name, tuple(self.paths(name, limit=n)))
        if self.elementwise and not self.batch:
            edges = [path.edges for path in self.top_paths(name, n)]
            ranks = algebra.ranks_of(self.structure, source, edges)
            paths = [self._path(source, own, known=i) for own, i in zip(edges, ranks)]
            return shown_of(self, name, tuple(paths))
        return shown_of(self, name, tuple(self.nth_path(name, i) for i in self._largest_anywhere(name, n)))

    def _largest_anywhere(self, name: str, n: int) -> list[int]:
        """The n paths of the largest size in any run: each of them is among the n largest of that run."""
        if not self.elementwise:
            sizes = reach_of(self.path_sizes(name), self.batch)
            return [int(i) for i in algebra.by_size(sizes)[:n]]
        reached: dict[int, float] = {}
        top = self.top_paths(name, n)
        for i, size in zip(top.index.ravel().tolist(), np.abs(top.gradient).ravel().tolist()):
            reached[i] = max(reached.get(i, 0.0), np.inf if size != size else size)
        found = sorted(reached, key=lambda i: (-reached[i], i))[:n]
        return found or list(range(n))  # of no runs at all

    # --- how long paths are ----------------------------------------------------------------------------------

    def factors(self, param: str | Sequence[str] | None = None) -> int:
        """The number of factors on all paths from a parameter, or from any of several: the multiplications of one sweep."""
        structure, copies = self.structure, self.structure.copies
        nodes: Iterable[int] = range(structure.size)
        if param is not None:
            names = (param,) if isinstance(param, str) else param
            nodes = set().union(*(structure.behind(self.source(name)) for name in names))
        return sum(not copies[e] for v in nodes for e in structure.branches(v))

    def length(self, param: str | None, route: Route) -> Data:
        """The number of factors on a path: edges other than those of tupling nodes, which copy. In a batch, one per run."""
        factors = [int(not copied) for copied in self.structure.copies]
        return algebra.follow(route, factors, np.zeros(self.batch, int) if self.batch else 0, np.add)

    def lengths(self, param: str | None) -> Array:
        """The number of factors on every path, listed."""
        source, copies = self.listable(param), self.structure.copies
        return np.array(
            [sum(not copies[e] for e in edges) for edges in algebra.enumerate_paths(self.structure, source)]
        )

    def mean_length(self, param: str | None, chances: Chances) -> Data:
        """The mean number of factors on a random path."""
        source, copies = self.source(param), self.structure.copies
        if not algebra.count(self.structure, source):
            return 0.0
        return algebra.mean_length(self.structure, source, chances, lambda e: int(not copies[e]))

    # --- private ---------------------------------------------------------------------------------------------

    def _path(
        self,
        source: int,
        edges: tuple[int, ...],
        probability: float | None = None,
        log_p: float | None = None,
        known: int | None = None,
    ) -> Path:
        return Path(self.params[source], edges, probability, log_p, known=known, at=self)

    def _paths_at(self, source: int, index: Data, p: Data = None, log_p: Data = None) -> PathArray:
        """The paths with these indices, in a batch; index is of shape (R,) or (n, R)."""
        index, name = np.asarray(index), self.params[source]
        if self.observed is None:
            route = Route(self.structure, source, index=index, shape=index.shape)
            gradient = algebra.follow(route, self.weight, np.broadcast_to(self.seed, index.shape))
        else:
            rows = [self.path_gradient(name, row) for row in index.reshape(-1, *self.batch)]
            gradient = np.array(rows).reshape(index.shape)
        return PathArray(name, gradient, p, log_p, at=self, indexed=index)

    def _draw_listed(self, source: int, rng: np.random.Generator, shape: tuple[int, ...]) -> PathArray:
        """By the norms of all listed path gradients, where edges are linear maps."""
        name = self.params[source]
        listed, shares = self.path_gradients(name), self.path_shares(name)
        index = algebra.drawn_from(rng, shares, shape)
        place = (index, *np.indices(shape)[len(shape) - len(self.batch) :])
        p = shares[place]
        return PathArray(name, listed[place], p, np.log(p), at=self, indexed=index)

    def _draw_runs(self, source: int, rng: np.random.Generator, by: str, shape: tuple[int, ...]) -> PathArray:
        if by == "path":
            number = algebra.count(self.structure, source)
            p, log_p = np.full(shape, 1 / number), np.full(shape, -math.log(number))
            return self._paths_at(source, algebra.uniform_below(rng, number, shape), p, log_p)
        chances = self.chances(by)
        route = algebra.draw_runs(self.structure, source, rng, chances, shape)
        with np.errstate(divide="ignore"):
            logs = [np.log(q) for q in chances.share]
        p = algebra.follow(route, chances.share, np.ones(shape))
        return self._paths_at(source, route.index, p, algebra.follow(route, logs, np.zeros(shape), np.add))

    def _check_sizes(self, source: int) -> None:
        if self.batch:
            return
        sizes = self.largest[1][source] if self.elementwise else self.path_sizes(self.params[source])
        if np.any(np.isnan(sizes)):
            raise BadInput(
                f'Some contributions to the gradient of "{self.params[source]}" are not numbers, so none is the largest. '
                "trace_nonfinite() names the operation they come from."
            )

    def _check_draw(self, source: int, by: str) -> None:
        self.check_any(source)
        if not isinstance(by, str) or by not in BY:
            raise BadInput(f'by= is "path", "branch" or "magnitude", not {by!r}.')
        if by == "magnitude" and not self.batch:
            name = self.params[source]
            log_mass = self.log_mass(name)
            if not np.isfinite(log_mass):
                with np.errstate(over="ignore"):
                    mass = np.exp(log_mass)
                raise BadInput(f"Sampling by magnitude needs a positive finite sum of |contributions|, not {mass}.")
