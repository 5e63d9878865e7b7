"""The paths of an LCG: count, list, number, choose and draw them, and what the algebra says about all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import paths as algebra
from ..arguments import generator, spaced
from ..errors import BadInput, TooManyPaths
from ..paths import LIMIT, Semiring
from .path import Path, PathArray
from .routes import Routes

BY = ("path", "branch", "magnitude")


class PathChoice(Routes):
    """The part of ``LCG`` that asks the path algebra. In the methods ``param`` may be left out when there is only one."""

    # --- count, list, number ----------------------------------------------------------------------------------

    def count_paths(self, param: str | None = None) -> int:
        """The exact number of paths, by dynamic programming: O(edges), a Python int of any size.

        >>> import functools, tinyspad as ts
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(70), x)
        >>> ts.trace(doubled, 1.0).count_paths("x")
        1180591620717411303424
        """
        return self._number(self._source(param))

    def paths(self, param: str | None = None, *, limit: int = LIMIT) -> list[Path]:
        """All paths in order. Raises TooManyPaths, naming the number, when there are more than ``limit``.

        >>> import tinyspad as ts
        >>> for path in ts.trace(ts.functions.f1, 5.0).paths("x"):
        ...     print(path.index, path, path.branches)
        0 x -> x1 -> a -> z (0,)
        1 x -> x2 -> b -> c -> d -> z (1,)
        """
        source = self._source(param)
        self._check_limit(source, limit)
        listed = enumerate(algebra.enumerate_paths(self.graph, source))
        return [self._path(source, edges, known=i) for i, edges in listed]

    def nth_path(self, param: str | None = None, index: int = 0) -> Path:
        """The path with this index, without enumeration: the table of counts is an index. O(its length).

        Raises BadInput for an index that is not a whole number from 0 to the count less one. The table holds a Python
        integer for each node, as long as the count: for 2**N paths it has O(edges * N) digits.

        >>> import tinyspad as ts
        >>> [round(weight, 6) for weight in ts.trace(ts.functions.f1, 5.0).nth_path("x", 0).weights]
        [1.0, 10.0, 2.408082]
        """
        source = self._source(param)
        self._check_index(source, index)
        return self._path(source, algebra.unrank(self.graph, self._counts, source, index), known=int(index))

    # --- the best ones ----------------------------------------------------------------------------------------

    def best_path(self, param: str | None = None) -> Any:
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
        source = self._source(param)
        self._check_any(source)
        self._check_sizes(source)
        if self.elementwise and not self.batch:
            return self._path(source, algebra.best(self.graph, source, self._largest))
        index = self.best_index(param)
        if not self.batch:
            return self.nth_path(self.params[source], index)
        return self._paths_at(source, index)

    def top_paths(self, param: str | None = None, n: int = 5) -> Any:
        """The n paths of the largest |contribution|, largest first, in path order among equals; all if there are fewer.

        Exact, by one k-best sweep: O(edges * n log n). In a batch every run has its own: a ``PathArray`` of shape (n, R).
        With linear maps on edges, by norms of listed gradients. Raises BadInput where there is no path, or, for one run,
        where sizes are not numbers; in a batch NaN counts as the largest.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
        >>> [path.gradient for path in lcg.top_paths("x", 3)]
        [154.0, 42.0, -19.25]
        """
        source = self._source(param)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise BadInput(f"top_paths: n is a whole number, at least 1, not {n!r}.")
        self._check_any(source)
        if n > LIMIT < self._number(source):
            raise TooManyPaths(f"top_paths({n}) would list {n} paths; listing stops at {spaced(LIMIT)}.")
        self._check_sizes(source)
        if not self.elementwise:
            order = algebra.by_size(self.path_sizes(param))[:n]
            return self._paths_at(source, order) if self.batch else [self.nth_path(param, int(i)) for i in order]
        if self.batch:
            return self._paths_at(
                source, algebra.top_ranks(self.graph, self._counts, source, n, self.batch, self._largest[0])
            )
        return [self._path(source, edges) for edges in algebra.top(self.graph, source, n)]

    # --- drawing ----------------------------------------------------------------------------------------------

    def sample_path(self, param: str | None = None, rng: Any = None, by: str = "path") -> Any:
        """A random path with its probability; in a batch one for every run, a ``PathArray`` of shape ``batch``.

        ``by="path"``: uniform over all paths, exactly so at any count. ``"branch"``: uniform at each tupling node that it
        meets. ``"magnitude"``: probability |g_i| / sum |g_j|, by one sweep. ``rng``: Generator, int or None. Raises
        BadInput when there is no path, ``by`` is none of these, or magnitudes have no positive finite sum; in a batch, runs
        without one draw uniformly where all contributions are zero, and from those that are not finite where there are some.
        Cost: O(edges) once per graph, O(length) for the walk.
        """
        source = self._source(param)
        rng = generator(rng)
        self._check_draw(source, by)
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, self.batch) if self.batch else self._draw_listed(source, rng, (1,))[0]
        if self.batch:
            return self._draw_runs(source, rng, by, self.batch)
        chances = self.chances(by)
        edges, probability = algebra.draw(self.graph, source, rng, chances)
        log_p = float(algebra.log_probability(self.graph, chances, edges))
        return self._path(source, edges, probability, log_p)

    def sample_paths(self, param: str | None = None, n: int = 1, rng: Any = None, by: str = "path") -> PathArray:
        """n independent random paths in arrays, walked all at once; in a batch n for every run, shape (n, R).

        Arguments and errors as for ``sample_path``. Cost: O(edges) once, then a few array operations per choice met.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> drawn = lcg.sample_paths("x", 1000, rng=0, by="magnitude")
        >>> round(float((drawn.gradient / drawn.probability).mean()), 2), round(lcg.gradient()["x"], 2)
        (-70.38, -67.21)
        """
        source = self._source(param)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise BadInput(f"sample_paths: n is a whole number, at least 0, not {n!r}.")
        rng = generator(rng)
        self._check_draw(source, by)
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, (int(n), *self.batch))
        if self.batch:
            return self._draw_runs(source, rng, by, (int(n), *self.batch))
        with np.errstate(over="ignore", invalid="ignore"):
            turns = algebra.draw_many(self.graph, source, rng, self.chances(by), int(n))
        gradient = turns.gradient
        if gradient is None:  # linear maps: each path multiplied out by itself
            routes = [
                self.past_turns(self.params[source], [e for e in taken if e >= 0]) for taken in turns.edges.T.tolist()
            ]
            shape = (int(n), *np.shape(self.arguments[source]))
            gradient = np.array([self.product(route) for route in routes]).reshape(shape)
        return PathArray(
            self.params[source], gradient, turns.probability, turns.log_probability, lcg=self, turns=turns.edges
        )

    def _draw_listed(self, source: int, rng: np.random.Generator, shape: tuple[int, ...]) -> PathArray:
        """By the norms of all listed path gradients, where edges are linear maps."""
        name = self.params[source]
        listed, shares = self.path_gradients(name), self.path_shares(name)
        index = algebra.drawn_from(rng, shares, shape)
        place = (index, *np.indices(shape)[len(shape) - len(self.batch) :])
        p = shares[place]
        return PathArray(name, listed[place], p, np.log(p), lcg=self, indexed=index)

    def _draw_runs(self, source: int, rng: np.random.Generator, by: str, shape: tuple[int, ...]) -> PathArray:
        if by == "path":
            number = self._number(source)
            found = self._paths_at(source, algebra.uniform_below(rng, number, shape))
            p, log_p = np.full(shape, 1 / number), np.full(shape, -math.log(number))
            return PathArray(found.param, found.gradient, p, log_p, lcg=found.lcg, indexed=found.indexed)
        chances = self.chances(by)
        taken = algebra.draw_runs(self.graph, source, rng, chances, shape)
        index = algebra.ranks(self.graph, self._counts, source, taken, shape)
        gradient = self._followed(source, taken, index)
        p = algebra.follow(self.graph, source, taken, np.ones(shape), chances.share)
        with np.errstate(divide="ignore"):
            logs = [np.log(q) for q in chances.share]
        log_p = algebra.follow(self.graph, source, taken, np.zeros(shape), logs, np.add)
        return PathArray(self.params[source], gradient, p, log_p, lcg=self, indexed=index)

    # --- what the algebra says about all paths ----------------------------------------------------------------

    def sweep(self, semiring: Semiring | str, direction: str = "reverse") -> dict[str, Any]:
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
        if semiring is algebra.LISTING:
            for source in range(len(self.params)):
                self._check_limit(source, LIMIT)
        graph, one = self._swept, semiring.one
        if semiring is algebra.LISTING:
            one = np.asarray(self.seed)[None]
        elif semiring is algebra.GRADIENT:
            one = self.seed
        try:
            if direction == "reverse":
                found = algebra.sweep(graph, semiring, one, forget=True)
                return {name: found[i] for i, name in enumerate(self.params)}
            self._check_elementwise()
            sweeps = {name: algebra.sweep_from(graph, semiring, {i: one}) for i, name in enumerate(self.params)}
            return {name: found[graph.output] for name, found in sweeps.items()}
        except (TypeError, ValueError):
            self._check_elementwise()  # linear maps add up and can be counted; most else needs numbers
            raise

    def entropy(self, param: str | None = None) -> Any:
        """The Shannon entropy, in nats, of the probabilities |g_i| / sum |g_j|: how concentrated is this gradient?

        0 when one path carries it all, log N when all N carry the same; exp(entropy) is an effective number of paths. By
        one sweep in logarithms, which no number of paths can overflow. An array in a batch. 0 where all g_i are 0.

        >>> import functools, math, tinyspad as ts
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(1000), x)
        >>> round(ts.trace(doubled, 1.0).entropy("x") / math.log(2))
        1000
        """
        source = self._source(param)
        self._check_any(source)
        if not self.elementwise:
            sizes, p = self.path_sizes(param), self.path_shares(param)
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.sum(np.where(p > 0, -p * np.log(p), 0.0), axis=0)
            found = np.where(sizes.any(axis=0), np.where(np.isfinite(sizes).all(axis=0), found, np.nan), 0.0)
            return found if self.batch else float(found)
        entropy = algebra.sweep_to(self.graph, algebra.ENTROPY, source)[1]
        return np.broadcast_to(entropy, self.batch).copy() if self.batch else float(entropy)

    # --- private ----------------------------------------------------------------------------------------------

    @property
    def _swept(self) -> algebra.Graph:
        """The graph that sweeps go over."""
        return self.graph

    def _path(
        self,
        source: int,
        edges: tuple[int, ...],
        probability: float | None = None,
        log_p: float | None = None,
        known: int | None = None,
    ) -> Path:
        return Path(self.params[source], edges, probability, log_p, known=known, lcg=self)

    def _paths_at(self, source: int, index: Any) -> PathArray:
        """The paths with these indices, in a batch; index is of shape (R,) or (n, R)."""
        gradient = self._followed(source, algebra.choices(self.graph, self._counts, source, index), index)
        return PathArray(self.params[source], gradient, lcg=self, indexed=np.asarray(index))

    def _followed(self, source: int, taken: dict[int, Any], index: Any) -> Any:
        """The contributions of the paths that make these choices and have these indices."""
        return algebra.follow(self.graph, source, taken, np.broadcast_to(self.seed, np.shape(index)))

    def _check_sizes(self, source: int) -> None:
        if not self.batch and np.isnan(self.log_mass(self.params[source])):
            raise BadInput(
                f'Some contributions to the gradient of "{self.params[source]}" are not numbers, so none is the largest. '
                "trace_nonfinite() names the operation they come from."
            )

    def _check_draw(self, source: int, by: str) -> None:
        self._check_any(source)
        if not isinstance(by, str) or by not in BY:
            raise BadInput(f'by= is "path", "branch" or "magnitude", not {by!r}.')
        if by == "magnitude" and not self.batch:
            name = self.params[source]
            log_mass = self.log_mass(name)
            if not np.isfinite(log_mass):
                with np.errstate(over="ignore"):
                    mass = np.exp(log_mass)
                raise BadInput(f"Sampling by magnitude needs a positive finite sum of |contributions|, not {mass}.")
