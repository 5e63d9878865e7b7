"""Reverse accumulation one node at a time: who is done, who waits for whom, and what has arrived so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..linearization import Linearization
from ..paths import GRADIENT
from .text import weight_text


class Pending(NamedTuple):
    """A node that waits: the sum of what has arrived, from how many of its readers, and how many it has."""

    sum: Any
    arrived: int
    readers: int


@dataclass(frozen=True, eq=False)
class ReverseStep:
    """One step of reverse accumulation: the adjoint of ``node`` is complete, and goes on to what the node reads.

    ``adjoint``: d output / d node. ``told``: how it came about, in words and numbers. ``sends``: the nodes that it goes
    to, by name, with what has arrived there so far, this step's share included.
    """

    node: str
    adjoint: Any
    told: str
    sends: dict[str, Pending]


def waiting(steps: Iterable[ReverseStep]) -> dict[str, Pending]:
    """Who waits after these steps, for readers or for its turn, with what has arrived there; O(edges).

    >>> import tinyspad as ts
    >>> waiting(ts.trace(lambda x: x * x, 3.0).reverse_steps()[:2])
    {'x1': Pending(sum=3.0, arrived=1, readers=1), 'x': Pending(sum=3.0, arrived=1, readers=2)}
    """
    pending: dict[str, Pending] = {}
    for step in steps:
        pending.pop(step.node, None)
        pending |= step.sends
    return pending


def reverse_steps(lcg: Linearization) -> Iterator[ReverseStep]:
    """The steps from the output to the parameters; see ``LCG.reverse_steps``."""
    structure, names = lcg.structure, lcg.names
    if structure.output >= len(names):
        return  # the output depends on no parameter
    arriving: list[list[int]] = [[] for _ in range(structure.size)]
    for e, head in enumerate(structure.head):
        arriving[head].append(e)
    adjoint: dict[int, Any] = {structure.output: lcg.seed}
    pending: dict[int, Pending] = {}
    for v in range(structure.output, -1, -1):
        if v != structure.output:
            if v not in pending:
                continue  # the output does not depend on it
            adjoint[v] = pending.pop(v).sum
        for e in arriving[v]:
            u = structure.tail[e]
            total, arrived = GRADIENT.extend(adjoint[v], GRADIENT.edge(lcg.weight[e])), 1
            if u in pending:
                total, arrived = GRADIENT.combine(pending[u].sum, total), pending[u].arrived + 1
            pending[u] = Pending(total, arrived, len(structure.branches(u)))
        told = {structure.tail[e]: pending[structure.tail[e]] for e in arriving[v]}
        yield ReverseStep(names[v], adjoint[v], _told(lcg, v, adjoint), {names[u]: p for u, p in told.items()})


def _told(lcg: Linearization, v: int, adjoint: dict[int, Any]) -> str:
    structure, names = lcg.structure, lcg.names
    if v == structure.output:
        return f"{names[v]} is the output: its adjoint is 1"
    out = structure.branches(v)
    result = weight_text(adjoint[v])
    if len(out) > 1:
        some = [structure.head[e] for e in out] if len(out) <= 8 else [structure.head[e] for e in (*out[:4], *out[-3:])]
        shares, readers = [_bracketed(adjoint[to]) for to in some], [names[to] for to in some]
        if len(out) > 8:
            shares.insert(4, "...")
            readers.insert(4, "...")
        return f"{names[v]} has heard from all its branches ({', '.join(readers)}): {' + '.join(shares)} = {result}"
    (e,) = out
    head = structure.head[e]
    product = f"{_bracketed(lcg.weight[e])} * {_bracketed(adjoint[head])} = {result}"
    return f"{names[v]}: d{names[head]}/d{names[v]} * adjoint of {names[head]} = {product}"


def _bracketed(x: Any) -> str:
    text = weight_text(x)
    return f"({text})" if text.startswith("-") else text
