"""The paths of an LCG: count, list, number, choose and draw them, and what the algebra says about all of them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from .. import paths as algebra
from ..errors import BadInput, NotElementwise
from ..paths import LIMIT, Chances, Graph, Moments, Semiring, spaced
from .ledger import Ledger, ledger_of
from .path import Path, PathArray

BY = ("path", "branch", "magnitude")


class PathChoice:
    """The part of ``LCG`` that asks the path algebra. In the methods ``param`` may be None when there is only one."""

    params: tuple[str, ...]
    arguments: tuple[Any, ...]
    graph: Graph
    elementwise: bool
    batch: tuple[int, ...]
    seed: Any

    # --- count, list, number --------------------------------------------------------------------------------

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
        return [self._path(source, edges) for edges in algebra.enumerate_paths(self.graph, source)]

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
        return np.asarray(algebra.sweep_to(self.graph, algebra.LISTING, source, np.asarray(self.seed)[None]))

    def nth_path(self, param: str | None, index: int) -> Path:
        """The path with this index, without enumeration: the table of counts is an index. O(its length).

        Raises BadInput for an index that is not a whole number from 0 to the count less one. The table holds a Python
        integer for each node, as long as the count: for 2**N paths it has O(edges * N) digits.

        >>> import tinyspad as ts
        >>> ts.trace(ts.functions.f1, 5.0).nth_path("x", 0).weights
        (1.0, 10.0, 2.408082061813392)
        """
        source = self._source(param)
        self._check_index(source, index)
        return self._path(source, algebra.unrank(self.graph, self._counts, source, index))

    # --- the best ones ------------------------------------------------------------------------------------------

    def best_path(self, param: str | None = None) -> Any:
        """The path of the largest |contribution|, the first one on a tie. Exact, by one max-product sweep: O(edges).

        In a batch every run has a best path of its own: a ``PathArray`` of shape ``batch``. With linear maps on edges size
        means the norm of the path's gradient, and that needs a listing: then it raises NotElementwise where there are
        too many paths. Raises BadInput where there is no path, or where sizes are not numbers.

        >>> import numpy as np, tinyspad as ts
        >>> print(ts.trace(ts.functions.f1, 5.0).best_path("x"))
        x -> x2 -> b -> c -> d -> z
        >>> ts.trace(ts.functions.f1, np.array([0.1, 5.0])).best_path("x").index
        array([0, 1])
        """
        source = self._source(param)
        if self.elementwise and not self.batch:
            self._check_any(source)
            self._check_sizes(source)
            return self._path(source, algebra.best(self.graph, source, self._largest))
        index = self.best_index(param)
        if not self.batch:
            return self.nth_path(self.params[source], index)
        return self._paths_at(source, index)

    def top_paths(self, param: str | None, n: int) -> Any:
        """The n paths of the largest |contribution|, largest first, in path order among equals; all if there are fewer.

        Exact, by one k-best sweep: O(edges * n log n). In a batch every run has its own: a ``PathArray`` of shape (n, R).
        With linear maps on edges, by norms of listed gradients. Raises BadInput where there is no path.

        >>> import tinyspad as ts
        >>> lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
        >>> [path.gradient for path in lcg.top_paths("x", 3)]
        [154.0, 42.0, -19.25]
        """
        source = self._source(param)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise BadInput(f"top_paths: n is a whole number, at least 1, not {n!r}.")
        self._check_any(source)
        if not self.elementwise:
            order = np.argsort(-self._norms(source), kind="stable")[:n]
            return [self.nth_path(self.params[source], int(i)) for i in order]
        if self.batch:
            return self._paths_at(source, algebra.top_ranks(self.graph, self._counts, source, n, self.batch))
        self._check_sizes(source)
        return [self._path(source, edges) for edges in algebra.top(self.graph, source, n)]

    # --- drawing ------------------------------------------------------------------------------------------------

    def sample_path(self, param: str | None, rng: Any = None, by: str = "path") -> Any:
        """A random path with its probability; in a batch one for every run, a ``PathArray`` of shape ``batch``.

        ``by="path"``: uniform over all paths, exactly so at any count. ``"branch"``: uniform at each tupling node that it
        meets. ``"magnitude"``: probability |g_i| / sum |g_j|, by one sweep. ``rng``: Generator, int or None. Raises
        BadInput when there is no path, ``by`` is none of these, or magnitudes have no positive finite sum. Cost:
        O(edges) once per graph, O(length) for the walk.
        """
        source = self._source(param)
        rng = np.random.default_rng(rng)
        self._check_draw(source, by)
        if self.batch:
            return self._draw_runs(source, rng, by, self.batch)
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, 1)[0]
        chances = self._chances(by)
        edges, probability = algebra.draw(self.graph, source, rng, chances)
        log_p = float(algebra.log_probability(self.graph, chances, edges))
        return self._path(source, edges, probability, log_p)

    def sample_paths(self, param: str | None, n: int, rng: Any = None, by: str = "path") -> PathArray:
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
        rng = np.random.default_rng(rng)
        self._check_draw(source, by)
        if self.batch:
            return self._draw_runs(source, rng, by, (int(n), *self.batch))
        if not self.elementwise and by == "magnitude":
            return self._draw_listed(source, rng, int(n))
        turns = algebra.draw_many(self.graph, source, rng, self._chances(by), int(n))
        drawn = PathArray(
            self.params[source],
            turns.gradient if turns.gradient is not None else np.empty(0),
            turns.probability,
            turns.log_probability,
            lcg=self,  # type: ignore[arg-type]
            turns=turns.edges,
        )
        if turns.gradient is None:  # linear maps: each path multiplied out by itself
            gradient = [path.gradient for path in drawn]
            shape = (int(n), *np.shape(self.arguments[source]))
            object.__setattr__(drawn, "gradient", np.array(gradient).reshape(shape))
        return drawn

    def _draw_listed(self, source: int, rng: np.random.Generator, n: int) -> PathArray:
        """By the norms of all listed path gradients, where edges are linear maps."""
        listed, p = self.path_gradients(self.params[source]), self.path_shares(self.params[source])
        index = rng.choice(len(p), size=n, p=p)
        return PathArray(self.params[source], listed[index], p[index], np.log(p[index]), lcg=self, indexed=index)  # type: ignore[arg-type]

    def _draw_runs(self, source: int, rng: np.random.Generator, by: str, shape: tuple[int, ...]) -> PathArray:
        if by == "path":
            number = self._number(source)
            found = self._paths_at(source, algebra.uniform_below(rng, number, shape))
            p, log_p = np.full(shape, 1 / number), np.full(shape, -math.log(number))
            return PathArray(found.param, found.gradient, p, log_p, lcg=found.lcg, indexed=found.indexed)
        chances = self._chances(by)
        taken = algebra.draw_runs(self.graph, source, rng, chances, shape)
        index = algebra.ranks(self.graph, self._counts, source, taken, shape)
        gradient = algebra.follow(self.graph, source, taken, np.broadcast_to(self.seed, shape))
        p = algebra.follow(self.graph, source, taken, np.ones(shape), chances.share)
        with np.errstate(divide="ignore"):
            logs = [np.log(q) for q in chances.share]
        log_p = algebra.follow(self.graph, source, taken, np.zeros(shape), logs, np.add)
        return PathArray(self.params[source], gradient, p, log_p, lcg=self, indexed=index)  # type: ignore[arg-type]

    # --- what the algebra says about all paths ----------------------------------------------------------------------

    def sweep(self, semiring: Semiring, direction: str = "reverse") -> dict[str, Any]:
        """What a semiring makes of all paths of each parameter, by parameter name.

        ``direction``: "reverse" takes one sweep for all parameters, "forward" one for each; they agree for semirings
        that do not care about the order of factors and branches. The table ``ts.paths.SEMIRINGS`` has those behind
        the other methods; ``ts.Semiring`` makes your own. Cost: O(edges) of the semiring's operations.

        >>> import math, tinyspad as ts
        >>> lcg = ts.trace(ts.functions.f1, 5.0)
        >>> longest = ts.Semiring(lambda weight: 1, lambda length, edge: length + edge, max, one=0, zero=0)
        >>> lcg.sweep(longest), lcg.sweep(ts.paths.COUNT, "forward")
        ({'x': 5}, {'x': 2})
        """
        if direction == "reverse":
            found = algebra.sweep(self.graph, semiring, forget=True)
            return {name: found[i] for i, name in enumerate(self.params)}
        if direction != "forward":
            raise BadInput(f'sweep: direction= is "reverse" or "forward", not {direction!r}.')
        graph = self.graph
        return {
            name: algebra.sweep_from(graph, semiring, {i: semiring.one})[graph.output]
            for i, name in enumerate(self.params)
        }

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
            p = self._norms(source)
            p = p[p > 0] / (p.sum() or 1.0)
            return float(-np.sum(p * np.log(p)))
        entropy = algebra.sweep_to(self.graph, algebra.ENTROPY, source)[1]
        return np.broadcast_to(entropy, self.batch).copy() if self.batch else float(entropy)

    def ledger(self, param: str | None = None, *, limit: int = 1000) -> Ledger:
        """Every path with its edge factors, product and share, and the proof that they add up to the gradient.

        ``print`` it. Raises TooManyPaths past ``limit``. Cost: a listing, a sweep and 27 evaluations of f for a number.

        >>> import tinyspad as ts
        >>> ledger = ts.trace(ts.functions.f1, 5.0).ledger("x")
        >>> ledger.shares.round(3), ledger.agrees
        (array([0.209, 0.791]), True)
        """
        return ledger_of(self, self.params[self._source(param)], limit)  # type: ignore[arg-type]

    # --- for estimators: indices and routes, one per run in a batch ---------------------------------------------------

    def path_gradient(self, param: str | None, index: Any) -> Any:
        """The contribution of one path by its index, or, in a batch, of one per run (index of shape ``batch``)."""
        return self.follow(param, self.route(param, index))

    def route(self, param: str | None, index: Any) -> Any:
        """The branch choices behind a path index (in a batch, an array of them); good for every graph of this signature."""
        if not self.batch:
            return self.nth_path(param, index).edges
        source = self._source(param)
        for i in np.unique(index):
            self._check_index(source, i)
        return algebra.choices(self.graph, self._counts, source, np.broadcast_to(index, self.batch))

    def follow(self, param: str | None, route: Any, chances: Chances | None = None) -> Any:
        """The contribution of the path (in a batch, of each run's own path) that makes these choices. O(edges).

        With ``chances`` divided by the path's probability, factor by factor, which neither over- nor underflows.
        """
        weight = self.graph.weight
        if chances is not None:
            with np.errstate(all="ignore"):  # branches that no run takes
                weight = [
                    w if q.__class__ is float and q == 1 else np.divide(w, q) for w, q in zip(weight, chances.share)
                ]
        if not self.batch:
            gradient = self.seed
            for e in reversed(route):
                gradient = gradient * weight[e]
            return float(gradient) if isinstance(gradient, np.float64) else gradient
        return algebra.follow(self.graph, self._source(param), route, self.seed, weight)

    def draw_route(self, param: str | None, rng: np.random.Generator, chances: Chances) -> Any:
        """The choices of a random path; in a batch, of one per run."""
        source = self._source(param)
        if self.batch:
            return algebra.draw_runs(self.graph, source, rng, chances, self.batch)
        return algebra.draw(self.graph, source, rng, chances)[0]

    def best_route(self, param: str | None) -> Any:
        """The choices of the best path; in a batch, of each run's own."""
        source = self._source(param)
        if self.batch:
            return algebra.best_choices(self.graph, source, self._largest)
        return algebra.best(self.graph, source, self._largest)

    def route_index(self, param: str | None, route: Any) -> Any:
        """The index of the path that makes these choices; in a batch, of each run's."""
        source = self._source(param)
        if self.batch:
            return algebra.ranks(self.graph, self._counts, source, route, self.batch)
        return self._path(source, route).index

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

    def path_probabilities(self, param: str | None, chances: Chances) -> np.ndarray[Any, Any]:
        """The probability of every path under these branch probabilities, listed: shape (N,) or (N, R)."""
        source = self._source(param)
        self._check_limit(source, LIMIT)
        if not self._number(source):
            return np.zeros((0, *self.batch))
        graph = Graph(self.graph.start, self.graph.tail, self.graph.head, chances.share, self.graph.output)
        return np.asarray(algebra.sweep_to(graph, algebra.LISTING, source, np.ones((1, *self.batch))))

    def path_shares(self, param: str | None) -> np.ndarray[Any, Any]:
        """Through linear maps: the norm of every path's contribution as a share of their sum, listed."""
        norms = self._norms(self._source(param))
        total = norms.sum()
        return norms / total if total else np.full(len(norms), 1 / len(norms))

    def best_index(self, param: str | None = None) -> Any:
        """The index of the best path; in a batch, of every run's: an array of shape ``batch``."""
        source = self._source(param)
        self._check_any(source)
        if not self.elementwise:
            return int(np.argmax(self._norms(source)))
        return self.route_index(param, self.best_route(param))

    def draw_index(self, param: str | None, rng: np.random.Generator, by: str = "path") -> Any:
        """The index of a random path; in a batch, of one per run."""
        source = self._source(param)
        self._check_any(source)
        if by == "path":
            return algebra.uniform_below(rng, self._number(source), self.batch)
        return self.route_index(param, self.draw_route(param, rng, self.chances(by)))

    def draw_distinct(self, param: str | None, rng: np.random.Generator, m: int) -> Any:
        """The indices of min(m, N) different paths, every set equally likely; in a batch, of one set per run."""
        return algebra.distinct_below(rng, self._number(self._source(param)), m, self.batch)

    def draw_others(self, param: str | None, rng: np.random.Generator, index: Any) -> Any:
        """The index of a path other than the given one, uniformly; in a batch, one per run."""
        drawn = algebra.uniform_below(rng, self._number(self._source(param)) - 1, self.batch)
        return drawn + (drawn >= index)

    def branch_probability(self, param: str | None, index: Any) -> Any:
        """The probability of the path with this index under a uniform choice at each tupling node; array in, array out."""
        source = self._source(param)
        unique, where = np.unique(np.asarray(index), return_inverse=True)
        chances = self._chances("branch")
        found = []
        for i in unique:
            self._check_index(source, i)
            edges = algebra.unrank(self.graph, self._counts, source, int(i))
            found.append(np.exp(algebra.log_probability(self.graph, chances, edges)))
        result = np.array(found)[where].reshape(np.shape(index))
        return result if result.shape else float(result)

    def chances(self, by: str) -> Chances:
        """The branch probabilities of "path", "branch" or "magnitude"; made once per graph. O(edges)."""
        return self._chances(by)

    def moments(self, param: str | None, chances: Chances, normalize: bool) -> tuple[Any, Any]:
        """Exact mean and variance of a path's contribution (divided by its probability if ``normalize``): one sweep."""
        source = self._source(param)
        self._check_elementwise()
        if not self._number(source):
            return (zero := self._shaped(source, 0.0)), zero
        mean, variance = algebra.moments(self.graph, source, chances, normalize, self.seed)
        return self._shaped(source, mean), self._shaped(source, variance)

    def largest_and_others(self, param: str | None = None) -> tuple[Any, Moments]:
        """The contribution of the best path, and number, mean and variance of all the others: one sweep."""
        source = self._source(param)
        self._check_elementwise()
        largest, _, others = algebra.sweep_to(self.graph, algebra.SPLIT, source)
        mean, variance = self._shaped(source, others.mean), self._shaped(source, others.variance)
        return self._shaped(source, largest), Moments(others.number, mean, variance)

    def factors(self, param: str | None = None) -> int:
        """The number of factors on all paths from a parameter together: the multiplications of one reverse sweep."""
        graph = self.graph
        nodes = algebra.reachable(graph, self._source(param))
        return sum(self._factors(e) for v in nodes for e in graph.branches(v))

    def past_turns(self, param: str, turns: list[int]) -> tuple[int, ...]:
        """All edges of the path that takes these ones, in this order, where it has a choice."""
        left = iter(turns)
        return algebra.walk(self.graph, self._source(param), lambda node, branches: next(left))

    # --- private --------------------------------------------------------------------------------------------------

    @cached_property
    def _largest(self) -> list[Any]:
        return algebra.sweep(self.graph, algebra.LARGEST, self.seed)

    @cached_property
    def _counts(self) -> list[int]:
        return algebra.count(self.graph)

    @cached_property
    def _numbers(self) -> list[int]:
        return algebra.sweep(self.graph, algebra.COUNT, forget=True)

    def _number(self, source: int) -> int:
        return self._numbers[source]

    @cached_property
    def _known_chances(self) -> dict[str, Chances]:
        return {}

    def _chances(self, by: str) -> Chances:
        if by not in self._known_chances:
            make = {"path": algebra.by_path, "branch": algebra.by_branch, "magnitude": algebra.by_magnitude}
            self._known_chances[by] = make[by](self.graph)
        return self._known_chances[by]

    def _factors(self, e: int) -> int:
        """1 for an edge that multiplies, 0 for a branch of a tupling node, which copies."""
        return int(len(self.graph.branches(self.graph.tail[e])) == 1)

    def _norms(self, source: int) -> np.ndarray[Any, Any]:
        """The sizes of all paths through linear maps: the norms of their gradients."""
        number, name = self._number(source), self.params[source]
        if number > LIMIT:
            raise NotElementwise(
                f'"{name}" has {spaced(number)} paths through linear maps; their sizes are norms of whole gradients, which '
                "no sweep can compare. Use sample_path(rng), or fewer paths."
            )
        listed = self.path_gradients(name)
        flat = np.abs(listed).reshape(len(listed), -1)
        largest = flat.max(initial=0.0) or 1.0  # squares would overflow before the norms do
        return np.asarray(largest * np.sqrt(np.sum((flat / largest) ** 2, axis=1)))

    def _paths_at(self, source: int, index: Any) -> PathArray:
        """The paths with these indices, in a batch; index is of shape (R,) or (n, R)."""
        taken = algebra.choices(self.graph, self._counts, source, index)
        gradient = algebra.follow(self.graph, source, taken, np.broadcast_to(self.seed, np.shape(index)))
        return PathArray(self.params[source], gradient, lcg=self, indexed=np.asarray(index))  # type: ignore[arg-type]

    def _path(
        self, source: int, edges: tuple[int, ...], probability: float | None = None, log_p: float | None = None
    ) -> Path:
        return Path(self.params[source], edges, probability, log_p, lcg=self)  # type: ignore[arg-type]

    def _source(self, param: str | None) -> int:
        if param is None:
            if len(self.params) == 1:
                return 0
            raise BadInput(f"Which parameter? There are {', '.join(self.params)}.")
        if param not in self.params:
            raise BadInput(f"There is no parameter {param!r}; the function has {', '.join(self.params)}.")
        return self.params.index(param)

    def _shaped(self, source: int, adjoint: Any) -> Any:
        argument = self.arguments[source]
        if isinstance(argument, float):
            return float(adjoint)
        return np.zeros_like(argument) if isinstance(adjoint, float) and adjoint == 0 else adjoint

    def _check_limit(self, source: int, limit: int) -> None:
        algebra.check_limit(self._number(source), limit, self.params[source])

    def _check_index(self, source: int, index: Any) -> None:
        number, name = self._number(source), self.params[source]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < number:
            raise BadInput(f'"{name}" has {spaced(number)} paths, numbered from 0; there is no path {index}.')

    def _check_any(self, source: int) -> None:
        if not self._number(source):
            raise BadInput(f'The output does not depend on "{self.params[source]}": there is no path to choose.')

    def _check_elementwise(self) -> None:
        if not self.elementwise:
            raise NotElementwise(
                "Some edges are linear maps, so sizes and squares do not multiply along a path; list the paths instead."
            )

    def _mass(self, source: int) -> Any:
        """H, or for linear maps the sum of the norms."""
        if not self.elementwise:
            return self._norms(source).sum()
        with np.errstate(all="ignore"):
            return algebra.sweep_to(self.graph, algebra.MAGNITUDE, source)

    def _check_sizes(self, source: int) -> None:
        if np.isnan(self._mass(source)):
            raise BadInput(
                f'Some contributions to the gradient of "{self.params[source]}" are not numbers, so none is the largest. '
                "trace_nonfinite() names the operation they come from."
            )

    def _check_draw(self, source: int, by: str) -> None:
        self._check_any(source)
        if by not in BY:
            raise BadInput(f'sample_path: by= is "path", "branch" or "magnitude", not {by!r}.')
        if by == "magnitude" and not self.batch:
            mass = self._mass(source)
            overflow = self.elementwise and mass == np.inf and np.isfinite(self._log_mass(source))
            if not (overflow or (np.isfinite(mass) and mass > 0)):
                raise BadInput(f"Sampling by magnitude needs a positive finite sum of |contributions|, not {mass}.")

    def _log_mass(self, source: int) -> Any:
        return algebra.sweep_to(self.graph, algebra.LOG, source)
