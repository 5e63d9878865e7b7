"""The LCG: every variable is read at most once, so a path is a choice of branch at each tupling node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .. import paths as algebra
from ..differences import central_difference
from ..errors import BadInput, NotElementwise, NotScalar
from ..paths import LIMIT, spaced
from ..rules import LinearMap
from ..tape import RULE, Value
from .ledger import Ledger, ledger_of, middle
from .single_access import kept, single_access
from .text import graphviz_text, html_text, program_text, right_hand_side, variable_names


@dataclass(frozen=True)
class Node:
    """One variable of the single-access program.

    ``kind`` is "parameter", "branch" (one of the copies that a tupling node makes) or "operation"; ``tupled`` says that
    this node is a tupling node, read by its tupling alone. ``text`` is the right-hand side that defines it.
    """

    index: int
    name: str
    kind: str
    tupled: bool
    text: str


@dataclass(frozen=True, repr=False)
class Path:
    """One path from a parameter to the output.

    ``index``: its rank in the lexicographic order of ``branches``, the choices made at the tupling nodes it meets.
    ``nodes``: the names of the variables on it. ``weights``: its edges' local partial derivatives, one fewer.
    ``gradient``: their product, the path's contribution g_i to the gradient. ``probability``: how likely the draw was
    that returned it, None if it was not drawn.
    """

    param: str
    index: int
    edges: tuple[int, ...]
    probability: float | None = None
    lcg: LCG = field(compare=False, kw_only=True)

    @property
    def branches(self) -> tuple[int, ...]:
        graph = self.lcg.graph
        return tuple(e - graph.start[graph.tail[e]] for e in self.edges if len(graph.branches(graph.tail[e])) > 1)

    @property
    def nodes(self) -> tuple[str, ...]:
        names, graph = self.lcg.names, self.lcg.graph
        return (self.param, *(names[graph.head[e]] for e in self.edges))

    @property
    def weights(self) -> tuple[Any, ...]:
        return tuple(self.lcg.graph.weight[e] for e in self.edges)

    @property
    def gradient(self) -> Any:
        return algebra.product(self.lcg.graph, self.edges, self.lcg.seed)

    def __str__(self) -> str:
        return " -> ".join(self.nodes)

    def __repr__(self) -> str:
        drawn = "" if self.probability is None else f", probability {self.probability:.6g}"
        return f"<Path {spaced(self.index)} of {self.param}: {middle(list(self.nodes), ' -> ')}{drawn}>"


class LCG:
    """The linearized computational graph of one evaluation, in single-access form; made by :func:`trace`.

    Only what lies on a way from a parameter to the output is kept. A variable that the program reads n > 1 times gets a
    tupling node with n branches of weight 1, in reading order. ``print(lcg)`` is the program of the paper's Figure 5.

    ``value``: the output. ``params``: the parameters' names. ``elementwise``: whether every edge carries a number (or
    one per run) rather than a linear map. ``batch``: () for one run; (R,) when the output is an array of R independent
    runs. In the methods ``param`` may be left out when there is only one.
    """

    def __init__(
        self,
        output: Value | Any,
        params: dict[str, Value],
        function: Callable[..., Any] | None = None,
    ) -> None:
        self.params = tuple(params)
        self.function = function
        self.arguments = tuple(value._data for value in params.values())
        self.value: Any = output._data if isinstance(output, Value) else output
        root = output._node if isinstance(output, Value) else None
        leaves = [value._node for value in params.values()]
        self._entries, self._reads = kept(root, leaves)
        self.graph, self._entry_of = single_access(leaves, self._entries, self._reads, root)
        self.elementwise: bool = not any(isinstance(w, LinearMap) for w in self.graph.weight)
        self.batch: tuple[int, ...] = np.shape(self.value) if self.elementwise else ()

    # --- what is in it ------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> list[str]:
        """The variables' names, by node."""
        return variable_names(self.params, self._entry_of, self.graph)

    @cached_property
    def nodes(self) -> list[Node]:
        """The variables of the program, in the order in which it defines them."""
        graph, names = self.graph, self.names
        source_of = {graph.head[e]: graph.tail[e] for e in range(len(graph.head))}
        nodes = []
        for i, entry in enumerate(self._entry_of):
            tupled = len(graph.branches(i)) > 1
            if i < len(self.params):
                nodes.append(Node(i, names[i], "parameter", tupled, f"Param_{i}"))
            elif entry is None:
                nodes.append(Node(i, names[i], "branch", False, names[source_of[i]]))
            else:
                read = [None if r is None else names[r] for r in self._reads[id(entry)]]
                nodes.append(Node(i, names[i], "operation", tupled, right_hand_side(entry, read)))
        return nodes

    @property
    def edges(self) -> list[tuple[str, str, Any]]:
        """(tail, head, weight) by name, sorted by tail."""
        graph, names = self.graph, self.names
        return [(names[t], names[h], w) for t, h, w in zip(graph.tail, graph.head, graph.weight)]

    @property
    def tupling_nodes(self) -> tuple[str, ...]:
        """The names of the variables that the program reads more than once."""
        return tuple(node.name for node in self.nodes if node.tupled)

    def validate(self) -> None:
        """Prove single access: only tupling nodes have several readers, and those read nothing else.

        Raises BadInput naming the variable that is read twice. Cost: O(edges).
        """
        graph = self.graph
        for node in range(graph.size):
            branches = graph.branches(node)
            if len(branches) < 2:
                continue
            for e in branches:
                to = graph.head[e]
                copies = self._entry_of[to] is None and isinstance(graph.weight[e], float) and graph.weight[e] == 1.0
                if not copies or len(graph.branches(to)) != 1:
                    raise BadInput(f'"{self.names[node]}" is read {len(branches)} times without a tupling node.')
        for e, to in enumerate(graph.head):
            if not graph.tail[e] < to <= graph.output:
                raise BadInput(f'The edge from "{self.names[graph.tail[e]]}" does not lead towards the output.')

    @cached_property
    def signature(self) -> tuple[Any, ...]:
        """Equal for two evaluations that ran the same program: the shape of the graph without its weights."""
        graph = self.graph
        return tuple(graph.start), tuple(graph.head), tuple(entry[RULE].function for entry in self._entries)

    # --- gradients ----------------------------------------------------------------------------------------

    @property
    def seed(self) -> Any:
        """The adjoint of the output: 1, or ones for a batch of runs."""
        self.check_differentiable()
        if isinstance(self.value, float):
            return 1.0
        return np.ones(self.batch, np.result_type(self.value)) if self.batch else np.result_type(self.value).type(1)

    def check_differentiable(self) -> None:
        """Raise NotScalar if the output is neither one number nor a batch of independent runs."""
        if not self.elementwise and np.shape(self.value):
            raise NotScalar(
                f"The output has shape {np.shape(self.value)} and its elements are not independent runs, so there is no "
                "single gradient. Reduce it to one number, for example with np.sum or np.mean; or, if they are runs, "
                "give every parameter the same shape (np.full_like)."
            )

    def gradient(self) -> dict[str, Any]:
        """The gradient as a dict by parameter name, by one reverse sweep: O(edges).

        >>> import tinyspad as ts
        >>> ts.trace(lambda x, y: x * y, 2.0, 3.0).gradient()
        {'x': 3.0, 'y': 2.0}
        """
        return {name: self._shaped(i, self._adjoints[i]) for i, name in enumerate(self.params)}

    def path_gradients(self, param: str | None = None, *, limit: int = LIMIT) -> np.ndarray[Any, Any]:
        """Every path's contribution, in path order: shape (N,) + the parameter's shape. Equation (3) for f1.

        Raises TooManyPaths past ``limit``. Cost: one sweep whose values are as long as there are paths.

        >>> import tinyspad as ts
        >>> ts.trace(lambda x: x * x * x, 2.0).path_gradients("x")
        array([4., 4., 4.])
        """
        source = self._source(param)
        self._check_limit(source, limit)
        one = np.asarray(self.seed)[None]
        shape = np.shape(self.arguments[source])
        listed = algebra.sweep_to(self.graph, algebra.LISTING, source, one)
        return np.zeros((0, *shape)) if listed is algebra.LISTING.zero else np.asarray(listed)

    def adjoint(self, param: str | None = None) -> Any:
        """The gradient with respect to one parameter."""
        source = self._source(param)
        return self._shaped(source, self._adjoints[source])

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

    def follow(self, param: str | None, route: Any) -> Any:
        """The contribution of the path (in a batch, of each run's own path) that makes these choices. O(edges)."""
        if not self.batch:
            return algebra.product(self.graph, route, self.seed)
        return algebra.follow(self.graph, self._source(param), route, self.seed)

    def central_difference(self, param: str | None = None) -> tuple[Any, Any]:
        """The derivative of the traced function by one parameter, by central differences, and an estimate of its error."""
        source = self._source(param)
        if self.function is None:
            raise BadInput("This LCG was built without its function, so there is nothing to evaluate.")
        function = self.function

        def along(x: Any) -> Any:
            moved = [Value(x if i == source else a) for i, a in enumerate(self.arguments)]
            out = function(*moved)
            return out._data if isinstance(out, Value) else out

        return central_difference(along, self.arguments[source])

    # --- paths: list, count, unrank, best, sample -------------------------------------------------------------

    def count_paths(self, param: str | None = None) -> int:
        """The exact number of paths, by dynamic programming: O(edges), a Python int of any size.

        >>> import functools, tinyspad as ts
        >>> doubled = lambda x: functools.reduce(lambda y, _: y + y, range(70), x)
        >>> ts.trace(doubled, 1.0).count_paths("x")
        1180591620717411303424
        """
        return int(self._counts[self._source(param)])

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
        found = algebra.enumerate_paths(self.graph, source)
        return [Path(self.params[source], i, edges, lcg=self) for i, edges in enumerate(found)]

    def nth_path(self, param: str | None, index: int) -> Path:
        """The path with this index, without enumeration: the table of counts is an index. O(its length).

        Raises BadInput for an index that is not a whole number from 0 to the count less one.

        >>> import tinyspad as ts
        >>> ts.trace(ts.functions.f1, 5.0).nth_path("x", 0).weights
        (1.0, 10.0, 2.408082061813392)
        """
        source = self._source(param)
        self._check_index(source, index)
        return self._path(source, algebra.unrank(self.graph, self._counts, source, index), int(index))

    def best_path(self, param: str | None = None) -> Path:
        """The path of the largest |contribution|, the first one on a tie. Exact, by one max-product sweep: O(edges).

        With linear maps on edges size means the norm of the path's gradient, and that needs a listing: then it raises
        NotElementwise where there are too many paths. In a batch there is a best path per run: see ``best_index``.

        >>> import tinyspad as ts
        >>> print(ts.trace(ts.functions.f1, 5.0).best_path("x"))
        x -> x2 -> b -> c -> d -> z
        """
        source = self._source(param)
        if self.batch:
            raise NotElementwise(
                "Every run of a batch has a best path of its own: ask best_index(param) for their indices."
            )
        return self.nth_path(self.params[source], self.best_index(param))

    def best_index(self, param: str | None = None) -> Any:
        """The index of the best path; in a batch, of every run's: an array of shape ``batch``."""
        source = self._source(param)
        self._check_any(source)
        if not self.elementwise:
            if self._counts[source] > LIMIT:
                raise NotElementwise(
                    f'"{self.params[source]}" has {spaced(self._counts[source])} paths through linear maps; their sizes are '
                    "norms of whole gradients, which no sweep can maximise. Use sample_path(rng), or fewer paths."
                )
            sizes = np.abs(self.path_gradients(param))
            return int(np.argmax(np.sum(sizes**2, axis=tuple(range(1, sizes.ndim)))))
        sizes_by_node = self._largest
        if not self.batch:
            return algebra.rank(self.graph, self._counts, algebra.best(self.graph, source, sizes_by_node))
        taken = algebra.best_choices(self.graph, source, sizes_by_node)
        return algebra.ranks(self.graph, self._counts, source, taken, self.batch)

    def sample_path(self, param: str | None, rng: Any = None, by: str = "path") -> Path:
        """A random path with its probability.

        ``by="path"``: uniform over all paths, exact at any count. ``"branch"``: uniform at each tupling node that it
        meets. ``"magnitude"``: probability |g_i| / sum |g_j|, by one sweep. ``rng``: Generator, int or None. Raises
        BadInput when there is no path or ``by`` is none of these. Cost: O(edges) for the sweep, O(length) for the walk.
        """
        source = self._source(param)
        self._check_any(source)
        rng = np.random.default_rng(rng)
        if by == "path":
            number = self._counts[source]
            index = algebra.uniform_below(rng, number)
            return self._path(source, algebra.unrank(self.graph, self._counts, source, index), index, 1 / number)
        if by == "branch":
            edges, probability = algebra.draw(self.graph, source, rng)
        elif by == "magnitude":
            if self.batch:
                raise NotElementwise("Runs of a batch differ in magnitude: trace one run, or sample by path or branch.")
            masses = algebra.sweep(self.graph, algebra.MAGNITUDE, self.seed)
            if not (np.isfinite(masses[source]) and masses[source] > 0):
                raise BadInput(
                    f"Sampling by magnitude needs a positive finite sum of |contributions|, not {masses[source]}."
                )
            edges, probability = algebra.draw(self.graph, source, rng, masses)
        else:
            raise BadInput(f'sample_path: by= is "path", "branch" or "magnitude", not {by!r}.')
        return self._path(source, edges, algebra.rank(self.graph, self._counts, edges), probability)

    def draw_index(self, param: str | None, rng: np.random.Generator, by: str = "path") -> Any:
        """The index of a random path; in a batch, of one per run. ``by`` is "path" or "branch"."""
        source = self._source(param)
        self._check_any(source)
        if by == "path":
            return algebra.uniform_below(rng, self._counts[source], self.batch)
        if not self.batch:
            return self.sample_path(param, rng, by).index
        shape = self.batch
        nodes = [v for v in algebra.reachable(self.graph, source) if len(self.graph.branches(v)) > 1]
        taken = {v: rng.integers(len(self.graph.branches(v)), size=shape) for v in nodes}
        return algebra.ranks(self.graph, self._counts, source, taken, shape)

    def draw_distinct(self, param: str | None, rng: np.random.Generator, m: int) -> Any:
        """The indices of min(m, N) different paths, every set equally likely; in a batch, of one set per run."""
        return algebra.distinct_below(rng, self._counts[self._source(param)], m, self.batch)

    def draw_others(self, param: str | None, rng: np.random.Generator, index: Any) -> Any:
        """The index of a path other than the given one, uniformly; in a batch, one per run."""
        drawn = algebra.uniform_below(rng, self._counts[self._source(param)] - 1, self.batch)
        return drawn + (drawn >= index)

    def branch_probability(self, param: str | None, index: Any) -> Any:
        """The probability of the path with this index under a uniform choice at each tupling node; array in, array out."""
        source = self._source(param)
        unique, where = np.unique(np.asarray(index), return_inverse=True)
        for i in unique:
            self._check_index(source, i)
        found = [
            algebra.branch_probability(self.graph, algebra.unrank(self.graph, self._counts, source, int(i)))
            for i in unique
        ]
        result = np.array(found)[where].reshape(np.shape(index))
        return result if result.shape else float(result)

    def ledger(self, param: str | None = None, *, limit: int = 1000) -> Ledger:
        """Every path with its edge factors, product and share, and the proof that they add up to the gradient.

        ``print`` it. Raises TooManyPaths past ``limit``. Cost: a listing, a sweep and 27 evaluations of f for a number.

        >>> import tinyspad as ts
        >>> ledger = ts.trace(ts.functions.f1, 5.0).ledger("x")
        >>> ledger.shares.round(3), ledger.agrees
        (array([0.209, 0.791]), True)
        """
        return ledger_of(self, self.params[self._source(param)], limit)

    # --- showing it -----------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return program_text(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}: {spaced(self._counts[i])}" for i, name in enumerate(self.params))
        return f"<LCG of {self.graph.size} nodes and {len(self.graph.head)} edges; paths {{{counts}}}>"

    def to_dot(self) -> str:
        """The graph as Graphviz text; Graphviz itself is not needed to make it."""
        return graphviz_text(self)

    def _repr_html_(self) -> str:
        return html_text(self)

    # --- private ----------------------------------------------------------------------------------------------

    @cached_property
    def _adjoints(self) -> list[Any]:
        return algebra.sweep(self.graph, algebra.GRADIENT, self.seed)

    @cached_property
    def _largest(self) -> list[Any]:
        return algebra.sweep(self.graph, algebra.LARGEST, self.seed)

    @cached_property
    def _counts(self) -> list[int]:
        return algebra.count(self.graph)

    def _source(self, param: str | None) -> int:
        if param is None:
            if len(self.params) == 1:
                return 0
            raise BadInput(f"Which parameter? There are {', '.join(self.params)}.")
        if param not in self.params:
            raise BadInput(f"There is no parameter {param!r}; the function has {', '.join(self.params)}.")
        return self.params.index(param)

    def _path(self, source: int, edges: tuple[int, ...], index: int, probability: float | None = None) -> Path:
        return Path(self.params[source], index, edges, probability, lcg=self)

    def _check_limit(self, source: int, limit: int) -> None:
        algebra.check_limit(self._counts[source], limit, self.params[source])

    def _check_index(self, source: int, index: Any) -> None:
        number, name = self._counts[source], self.params[source]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < number:
            raise BadInput(f'"{name}" has {spaced(number)} paths, numbered from 0; there is no path {index}.')

    def _check_any(self, source: int) -> None:
        if not self._counts[source]:
            raise BadInput(f'The output does not depend on "{self.params[source]}": there is no path to choose.')

    def _shaped(self, source: int, adjoint: Any) -> Any:
        argument = self.arguments[source]
        if isinstance(argument, float):
            return float(adjoint)
        return np.zeros_like(argument) if isinstance(adjoint, float) and adjoint == 0 else adjoint
