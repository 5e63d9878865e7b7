"""One path, and many of them in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ..arguments import spaced
from ..displays import cut, line, page, summary
from ..errors import BadInput
from ..table import Table
from .route import Route, ranks_of
from .structure import Structure
from .whole import whole_dtype

SHOWN = 8


class At(Protocol):
    """What a path asks of the point that it belongs to."""

    @property
    def params(self) -> tuple[str, ...]: ...

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def signature(self) -> Any: ...

    @property
    def structure(self) -> Structure: ...

    @property
    def weight(self) -> Sequence[Any]: ...

    @property
    def batch(self) -> tuple[int, ...]: ...

    def product(self, edges: Sequence[int]) -> Any: ...

    def count_paths(self, param: str | None = None) -> int: ...


@dataclass(frozen=True, repr=False)
class Path:
    """One path from a parameter to the output.

    ``index``: its rank in the lexicographic order of ``branches``, the choices made at the tupling nodes it meets.
    ``nodes``: the names of the variables on it. ``weights``: its edges' local partial derivatives, one fewer.
    ``gradient``: their product, the path's contribution g_i to the gradient. In a batch these are arrays over the runs, or,
    for a path with a ``run``, that run's numbers. ``probability``: how likely the draw was
    that returned it, None if it was not drawn; ``log_probability``, its logarithm, is good below 1e-308, too.
    """

    param: str
    edges: tuple[int, ...]
    probability: float | None = None
    log_probability: float | None = field(default=None, compare=False)
    run: tuple[int, ...] = ()
    known: int | None = field(default=None, compare=False, repr=False)
    at: At = field(compare=False, kw_only=True)

    @cached_property
    def index(self) -> int:
        if self.known is not None:
            return self.known
        return ranks_of(self.at.structure, self.at.params.index(self.param), [self._turns])[0]

    @property
    def _turns(self) -> list[int]:
        copies = self.at.structure.copies
        return [e for e in self.edges if copies[e]]

    @property
    def branches(self) -> tuple[int, ...]:
        structure = self.at.structure
        return tuple(e - structure.start[structure.tail[e]] for e in self._turns)

    @property
    def nodes(self) -> tuple[str, ...]:
        names, head = self.at.names, self.at.structure.head
        return (self.param, *(names[head[e]] for e in self.edges))

    @property
    def weights(self) -> tuple[Any, ...]:
        found = [self.at.weight[e] for e in self.edges]
        return tuple(self._own(w.shown() if hasattr(w, "shown") else w) for w in found)

    @property
    def gradient(self) -> Any:
        return self._own(self.at.product(self.edges))

    def _own(self, x: Any) -> Any:
        """The run's number, where there is a run and x is an array over the runs."""
        if not self.run or not isinstance(x, np.ndarray):
            return x
        place: Any = (Ellipsis, *self.run)  # of a batch of observations, those of each
        own = x[place]
        return own if own.shape else float(own)

    def __str__(self) -> str:
        return " -> ".join(self.nodes)

    def __repr__(self) -> str:
        drawn = "" if self.probability is None else f", probability {self.probability:.6g}"
        names = middle([cut(name) for name in self.nodes], " -> ")
        return line(f"Path {spaced(self.index)} of {cut(self.param)}{drawn}: {names}")

    def _repr_html_(self) -> str:
        names = self.nodes
        rows = [(tail, head, _in_short(weight)) for tail, head, weight in zip(names, names[1:], self.weights)]
        if len(rows) > 2 * SHOWN:
            rows = [*rows[:SHOWN], (f"... {spaced(len(rows) - 2 * SHOWN)} more ...", "", ""), *rows[-SHOWN:]]
        drawn = "" if self.probability is None else f" It was drawn with probability {self.probability:.6g}."
        number, name = self.at.count_paths(self.param), self.param
        which = f"Path {spaced(self.index)} of the {spaced(number)} of {name}, numbered from 0"
        return page(
            f"{which if number > 1 else f'The only path of {name}'}: it contributes {_in_short(self.gradient)} to the "
            f"gradient, the product of its weights.{drawn}",
            Table(("from", "to", "weight"), rows, left=2),
        )


@dataclass(frozen=True, repr=False, eq=False)
class PathArray:
    """Many paths of one parameter in arrays of one shape: n draws, one path for each of R runs, or (n, R).

    ``index``, ``gradient``, ``probability`` and ``log_probability`` are those of ``Path``, in arrays; a probability is None
    where nothing was drawn. Indices are int64, or Python integers where a parameter has more paths than that.
    ``sources``: where they are of different parameters, the numbers of an array, each one's node. ``array[i]`` is one of
    the ``Path`` s (in a batch ``array[..., r]``, the path of run r); indexing that leaves an array is another
    ``PathArray``.
    """

    param: str
    gradient: np.ndarray[Any, Any]
    probability: np.ndarray[Any, Any] | None = None
    log_probability: np.ndarray[Any, Any] | None = None
    at: At = field(kw_only=True)
    indexed: np.ndarray[Any, Any] | None = field(default=None, kw_only=True)
    turns: np.ndarray[Any, Any] | None = field(default=None, kw_only=True)
    sources: np.ndarray[Any, Any] | None = field(default=None, kw_only=True)

    @cached_property
    def index(self) -> np.ndarray[Any, Any]:
        if self.indexed is not None:
            return self.indexed
        assert self.turns is not None
        source = self.at.params.index(self.param)
        taken = [[e for e in path if e >= 0] for path in self.turns.T.tolist()]
        return np.array(ranks_of(self.at.structure, source, taken), whole_dtype(self.at.count_paths(self.param)))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.indexed.shape if self.indexed is not None else np.asarray(self.turns).shape[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        where = np.arange(int(np.prod(self.shape))).reshape(self.shape)[key]
        p, log_p = (None if x is None else x[key] for x in (self.probability, self.log_probability))
        if np.ndim(where):
            rows = None if self.turns is None else self.turns[:, key]
            indexed = None if self.indexed is None else self.indexed[key]
            of = None if self.sources is None else self.sources[key]
            return PathArray(
                self.param, self.gradient[key], p, log_p, at=self.at, indexed=indexed, turns=rows, sources=of
            )
        structure, param = self.at.structure, self.param
        source = self.at.params.index(param) if self.sources is None else int(self.sources[key])
        param = self.at.params[source]
        if self.indexed is not None and self.indexed[key] < 0:
            raise BadInput(f'The output does not depend on "{param}": there is no path.')
        if self.turns is not None:
            edges = past_turns(structure, source, self.turns[:, key].tolist())
        else:
            edges = Route(structure, source, index=int(self.index[key])).edges
        batch = self.at.batch
        run = np.unravel_index(int(where), self.shape)[len(self.shape) - len(batch) :] if batch else ()
        p, log_p = (None if x is None else float(x) for x in (p, log_p))
        return Path(param, edges, p, log_p, tuple(map(int, run)), at=self.at)

    def __repr__(self) -> str:
        return line(f"{' x '.join(map(str, self.shape))} paths of {cut(self.param)}")


def past_turns(structure: Structure, source: int, turns: Sequence[int]) -> tuple[int, ...]:
    """All edges of the path that takes these ones where it has a choice; what is negative stands behind its end."""
    start, tail = structure.start, structure.tail
    return Route(structure, source, branches={tail[e]: e - start[tail[e]] for e in turns if e >= 0}).edges


def _in_short(weight: Any) -> str:
    """A weight, or a contribution, as a text; a linear map by its name."""
    return summary(weight) if isinstance(weight, (int, float, np.generic, np.ndarray)) else cut(repr(weight), 60)


def middle(parts: list[str], joint: str) -> str:
    """Parts joined; of a long list the first and the last few."""
    if len(parts) > 2 * SHOWN:
        parts = [*parts[:SHOWN], f"... {len(parts) - 2 * SHOWN} more ...", *parts[-SHOWN:]]
    return joint.join(parts)
