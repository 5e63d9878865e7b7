"""Blocks of variables that are seen as one: what a block is, and the graph in which some are collapsed."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..linearization import Linearization
from ..paths import GRADIENT
from ..rules import Masked
from .recorded import Recorded


@dataclass(frozen=True)
class Part:
    """A node of a collapsed graph: one variable, or a block of them under the block's name."""

    name: str
    members: tuple[int, ...]
    block: bool = False


@dataclass(frozen=True)
class Link:
    """An edge of a collapsed graph; ``edges`` are those of the LCG that it stands for.

    ``weight``: the local partial derivative; into a block that has one way out, that of the way out with respect to
    the tail, by all ways through the block; None into any other block.
    """

    tail: int
    head: int
    weight: Any
    edges: tuple[int, ...]


def block_of(lcg: Recorded | Linearization, name: str) -> tuple[str, ...]:
    """The variables, but for parameters, from which every path to the output leads through this one; itself the last."""
    structure = lcg.structure
    end = lcg.names.index(name) if name in lcg.names else -1
    if end < 0:
        raise BadInput(f'There is no variable "{name}" in the graph; print(lcg) shows their names.')
    inside = {end}
    for v in range(end - 1, len(lcg.params) - 1, -1):
        heads = [structure.head[e] for e in structure.branches(v)]
        if heads and inside.issuperset(heads):
            inside.add(v)
    return tuple(lcg.names[v] for v in sorted(inside))


def collapsed(
    lcg: Recorded | Linearization, blocks: Mapping[str, Iterable[str]] | None
) -> tuple[list[Part], list[Link]]:
    """The graph with each block as one node, in an order in which edges lead forwards.

    Raises BadInput for a name that is not in the graph, or in two blocks, for an empty block, for a block with the name
    of a variable outside it, and for one that a path leaves and enters again, which cannot stand in one place. Cost:
    O(edges log edges).

    >>> import tinyspad as ts
    >>> lcg = ts.trace(ts.functions.f1, 5.0)
    >>> parts, links = collapsed(lcg, {"cosine": lcg.block("d")})
    >>> [(parts[link.tail].name, parts[link.head].name, round(link.weight, 4)) for link in links]
    [('x', 'x1', 1.0), ('x', 'cosine', -3.6518), ('x1', 'a', 10.0), ('a', 'z', 2.4081), ('cosine', 'z', 25.0)]
    """
    number = {name: i for i, name in enumerate(lcg.names)}
    block_at: dict[int, str] = {}
    for block, members in (blocks or {}).items():
        if not isinstance(block, str) or not isinstance(members, Iterable):
            raise BadInput(
                f'collapse= is a dict like {{"cosine": lcg.block("d")}}, not with {block!r}: {members!r:.40}.'
            )
        listed = [members] if isinstance(members, str) else list(members)
        if not listed:
            raise BadInput(f'The block "{block}" is empty: give it names of variables, such as lcg.block("c").')
        for name in listed:
            if name not in number:
                raise BadInput(f'The block "{block}" has no variable "{name}" to hold; print(lcg) shows their names.')
            if block_at.setdefault(number[name], block) != block:
                raise BadInput(f'"{name}" is in two blocks: "{block_at[number[name]]}" and "{block}".')
        if block in number and block not in listed:
            raise BadInput(f'The block "{block}" has the name of a variable that is not in it: call it something else.')
    members_of: dict[str, list[int]] = {}
    for v in sorted(block_at):
        members_of.setdefault(block_at[v], []).append(v)
    parts, at = [], {}
    for v, name in enumerate(lcg.names):
        if v not in block_at:
            parts.append(Part(name, (v,)))
        elif v == members_of[block_at[v]][-1]:  # where its last variable is defined: behind all that it reads
            parts.append(Part(block_at[v], tuple(members_of[block_at[v]]), block=True))
        else:
            continue
        at.update(dict.fromkeys(parts[-1].members, len(parts) - 1))
    through = _through(lcg, parts)
    links: dict[tuple[int, int], tuple[list[Any], list[int]]] = {}
    structure, weights_of = lcg.structure, _shown(lcg)
    for e, (u, v) in enumerate(zip(structure.tail, structure.head)):
        if at[u] != at[v]:
            weight = weights_of[e]
            if parts[at[v]].block:
                weight = None if through.get(v) is None else GRADIENT.extend(through[v], GRADIENT.edge(weight))
            weights, edges = links.setdefault((at[u], at[v]), ([], []))
            weights.append(weight)
            edges.append(e)
    made = [Link(u, v, _total(weights), tuple(edges)) for (u, v), (weights, edges) in links.items()]
    return _in_order(parts, made) if members_of else (parts, made)


def _shown(lcg: Recorded | Linearization) -> list[Any]:
    """The weights, 0 where they are not taken."""
    at = lcg if isinstance(lcg, Linearization) else lcg.linearization
    return [w.shown() if isinstance(w, Masked) else w for w in at.weight]


def _total(weights: list[Any]) -> Any:
    return None if any(w is None for w in weights) else sum(weights[1:], weights[0])


def _through(lcg: Recorded | Linearization, parts: list[Part]) -> dict[int, Any]:
    """For the variables of a block with one way out: the derivative of the way out with respect to them."""
    structure, weight = lcg.structure, _shown(lcg)
    found: dict[int, Any] = {}
    for part in parts:
        if not part.block or not lcg.elementwise:
            continue
        inside = set(part.members)
        leave = {v for v in inside for e in structure.branches(v) if structure.head[e] not in inside} | (
            inside & {structure.output}
        )
        if len(leave) != 1:
            continue
        (end,) = leave
        found[end] = GRADIENT.one
        for v in sorted(inside - {end}, reverse=True):
            values = [
                GRADIENT.extend(found[structure.head[e]], GRADIENT.edge(weight[e])) for e in structure.branches(v)
            ]
            found[v] = sum(values[1:], values[0]) if values else GRADIENT.zero
    return found


def _in_order(parts: list[Part], links: list[Link]) -> tuple[list[Part], list[Link]]:
    """Parts and links renumbered so that links lead forwards, otherwise in the given order (Kahn 1962)."""
    waits, heads = [0] * len(parts), [[] for _ in parts]  # type: tuple[list[int], list[list[int]]]
    for link in links:
        waits[link.head] += 1
        heads[link.tail].append(link.head)
    ready, order = [i for i, n in enumerate(waits) if not n], []
    while ready:
        order.append(heapq.heappop(ready))
        for head in heads[order[-1]]:
            waits[head] -= 1
            if not waits[head]:
                heapq.heappush(ready, head)
    if len(order) < len(parts):
        done = set(order)
        held = next(part.name for i, part in enumerate(parts) if part.block and i not in done)
        raise BadInput(
            f'A path leaves the block "{held}" and comes back to it, so it cannot be drawn as one node. Add what lies '
            'between, or take all of a subexpression: lcg.block("c").'
        )
    new = {old: i for i, old in enumerate(order)}
    moved = [Link(new[link.tail], new[link.head], link.weight, link.edges) for link in links]
    return [parts[i] for i in order], sorted(moved, key=lambda link: (link.tail, link.head))
