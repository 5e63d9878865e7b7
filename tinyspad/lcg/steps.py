"""Reverse accumulation one node at a time: who is done, who waits for whom, and what has arrived so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..paths import GRADIENT

if TYPE_CHECKING:
    from .graph import LCG


class Pending(NamedTuple):
    """A node that waits: the sum of what has arrived, from how many of its readers, and how many it has."""

    sum: Any
    arrived: int
    readers: int


@dataclass(frozen=True, eq=False)
class ReverseStep:
    """One step of reverse accumulation: the adjoint of ``node`` is complete, and goes on to what the node reads.

    ``adjoint``: d output / d node. ``told``: how it came about, in words and numbers. ``sends``: the names of the nodes
    that it goes to. ``pending``: after this step, by name, the nodes that still wait for readers or for their turn.
    """

    node: str
    adjoint: Any
    told: str
    sends: tuple[str, ...]
    pending: dict[str, Pending]


def reverse_steps(lcg: LCG) -> Iterator[ReverseStep]:
    """The steps from the output to the parameters; see ``LCG.reverse_steps``."""
    graph, names = lcg.graph, lcg.names
    arriving: list[list[int]] = [[] for _ in range(graph.size)]
    for e, head in enumerate(graph.head):
        arriving[head].append(e)
    adjoint: dict[int, Any] = {graph.output: lcg.seed}
    waiting: dict[int, Pending] = {}
    for v in range(graph.output, -1, -1):
        out = graph.branches(v)
        if v != graph.output:
            if not out:
                continue  # the output does not depend on it
            adjoint[v] = waiting.pop(v).sum
        for e in arriving[v]:
            u = graph.tail[e]
            share = GRADIENT.extend(adjoint[v], GRADIENT.edge(graph.weight[e]))
            before = waiting.get(u)
            total = share if before is None else GRADIENT.combine(before.sum, share)
            arrived = 1 if before is None else before.arrived + 1
            waiting[u] = Pending(total, arrived, len(graph.branches(u)))
        yield ReverseStep(
            names[v] if v < len(names) else "z",
            adjoint[v],
            _told(lcg, v, adjoint),
            tuple(names[graph.tail[e]] for e in arriving[v]),
            {names[u]: pending for u, pending in sorted(waiting.items())},
        )


def _told(lcg: LCG, v: int, adjoint: dict[int, Any]) -> str:
    from .text import weight_text

    graph, names = lcg.graph, lcg.names
    if v == graph.output:
        return f"{names[v] if v < len(names) else 'z'} is the output: its adjoint is 1"
    out = graph.branches(v)
    result = number_text(adjoint[v])
    if len(out) > 1:
        shares = " + ".join(_bracketed(adjoint[graph.head[e]]) for e in out)
        readers = ", ".join(names[graph.head[e]] for e in out)
        return f"{names[v]} has heard from all its branches ({readers}): {shares} = {result}"
    (e,) = out
    head = names[graph.head[e]]
    weight = weight_text(graph.weight[e])
    factor = f"({weight})" if weight.startswith("-") else weight
    product = f"{factor} * {_bracketed(adjoint[graph.head[e]])} = {result}"
    return f"{names[v]}: d{head}/d{names[v]} * adjoint of {head} = {product}"


def number_text(x: Any) -> str:
    """An adjoint in a few characters: a number, or the shape of an array."""
    if np.shape(x) == ():
        return f"{float(x):.4g}"
    return f"array {'x'.join(map(str, np.shape(x)))}"


def _bracketed(x: Any) -> str:
    text = number_text(x)
    return f"({text})" if text.startswith("-") else text
