"""Large programs in a few pieces: by the lines that they come from and the rounds of their loops, or by subexpressions.

What comes from one line, one round of a loop, or several in a row, is a run of operations in the order of the program: so no
path leaves it and comes back. Of an expression on one line the pieces are subexpressions: all that only serves one variable.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ..arguments import spaced
from ..displays import few
from ..errors import BadInput
from ..linearization import Linearization
from ..tape import rule_of
from .lines import Origin, origins
from .recorded import Recorded
from .runs import grouped, runs_of, told_of
from .text import DRAWABLE, right_hand_side

OPENED = 40
"""The most pieces that one is unfolded into."""

FEW_PARAMETERS = 24
"""More of them are a fold, too."""

LONG = 16
"""An operand that is longer is left out of a subexpression's text."""


class Piece(NamedTuple):
    """Nodes that are shown as one, under a name; of a run of operations, which ones, from ``low`` to before ``high``."""

    name: str
    nodes: list[int]
    low: int = -1
    high: int = -1

    @property
    def key(self) -> str:
        """The name without its text: "line 3, round 7"."""
        return self.name.split(":")[0]


def folds_of(lcg: Recorded, *, unfold: Iterable[str] = (), most: int = DRAWABLE) -> list[tuple[str, list[int]]]:
    """The pieces that a program of more than ``most`` variables is shown in, (name, its nodes), in their order.

    None of a program that has no more. A node alone is not listed. ``unfold``: names of pieces to divide further. Cost: f
    once more, watched line by line, and O(edges).

    >>> import numpy as np, tinyspad as ts
    >>> def f(x):
    ...     for _ in range(30):
    ...         x = np.sin(x) * x
    ...     return x
    >>> [(name.split(":")[0], nodes) for name, nodes in folds_of(ts.trace(f, 1.0))[:2]]
    [('line 3, round 1', [1, 2, 3, 4]), ('line 3, round 2', [5, 6, 7, 8])]
    """
    return folding_of(lcg, unfold, most)[0]


def folding_of(
    lcg: Recorded, unfold: Iterable[str] = (), most: int = DRAWABLE
) -> tuple[list[tuple[str, list[int]]], set[int]]:
    """The same, and the nodes that were unfolded."""
    asked, size = [unfold] if isinstance(unfold, str) else list(unfold), lcg.structure.size
    if size <= most:
        if asked:
            has = f"it has {size} variable{'s' * (size != 1)}, and is folded above {most}"
            raise BadInput(f'There is no fold "{asked[0]}" in this program: {has}.')
        return [], set()
    folding = _Folding(lcg)
    pieces = _numbered(folding.pieces(most))
    opened: set[int] = set()
    for name in asked:
        pieces, found = folding.unfolded(pieces, name)
        opened |= found
    number = len(lcg.params)
    if number > FEW_PARAMETERS and number + len(pieces) > most:
        told = f"parameters: {lcg.params[0]} to {lcg.params[-1]}, {spaced(number)} of them"
        pieces.insert(0, Piece(told, list(range(number))))
    pieces = [piece for piece in pieces if len(piece.nodes) > 1]
    taken = set(lcg.names)
    return [(f"{p.name}'" if p.name in taken else p.name, p.nodes) for p in pieces], opened


def folds_of_arrays(at: Linearization, *, most: int = DRAWABLE) -> list[tuple[str, list[int]]]:
    """The same for a graph of numbers: those of an array are a piece. None where the graph is no larger than ``most``.

    >>> import numpy as np, tinyspad as ts
    >>> e = ts.trace(lambda w: np.sum(w * w), np.ones(50), elements=True)
    >>> [(name, len(nodes)) for name, nodes in folds_of_arrays(e.linearization)]
    [('w: 50 numbers', 50), ('a: 50 numbers', 150)]
    """
    if at.structure.size <= most:
        return []
    found: dict[str, list[int]] = {}
    for node in at.nodes:
        v = node.index if node.kind != "branch" else at.structure.head[at.structure.start[node.index]]
        number = re.fullmatch(r"(.+)\[[\d, ]+\]", at.names[v])
        if number:
            found.setdefault(number[1], []).append(node.index)
    own = {name: sum(at.nodes[v].kind != "branch" for v in nodes) for name, nodes in found.items()}
    return [(f"{name}: {spaced(own[name])} numbers", nodes) for name, nodes in found.items() if len(nodes) > 1]


class _Folding:
    """A program's operations, each with the branches that it reads, and where they come from."""

    def __init__(self, lcg: Recorded) -> None:
        self.lcg, self.structure = lcg, lcg.structure
        made = lcg.single_access
        self.operations = [v for v in range(len(lcg.params), len(made.entry_of)) if made.entry_of[v] is not None]
        at = {v: k for k, v in enumerate(self.operations)}
        self.members: list[list[int]] = [[] for _ in self.operations]
        for v in range(len(made.entry_of)):
            if made.entry_of[v] is None:  # a branch stands where it is read
                self.members[at[self.structure.head[self.structure.start[v]]]].append(v)
        for k, v in enumerate(self.operations):
            self.members[k].append(v)

    @cached_property
    def ways(self) -> list[Origin]:
        """Where each operation comes from; the same of all where that cannot be told."""
        return origins(self.lcg) or [()] * len(self.operations)

    def pieces(self, most: int) -> list[Piece]:
        """As many as there is room for. A piece that is more than half of the program is divided again."""
        number = len(self.operations)
        pieces = [self._run("", 0, number)]
        params = len(self.lcg.params)
        room = most - (params if params <= FEW_PARAMETERS else 1)
        whole = len(pieces[0].nodes)
        while number:
            largest = max(range(len(pieces)), key=lambda i: len(pieces[i].nodes))
            if 2 * len(pieces[largest].nodes) <= whole:
                break
            parts = self._divided(pieces[largest], room - len(pieces) + 1)
            if len(parts) < 2:
                break
            pieces[largest : largest + 1] = parts
        return pieces

    def unfolded(self, pieces: list[Piece], asked: str) -> tuple[list[Piece], set[int]]:
        """The pieces with those of this name divided, as long as there is room; and the nodes in these."""
        given = pieces
        for _ in range(8):  # from "lines 3-5, rounds 1-10" to "line 3, round 7"
            found = [piece for piece in pieces if _is_called(piece, asked)]
            if found:
                break
            made: list[Piece] = []
            for i, piece in enumerate(pieces):
                room = len(made) + len(pieces) - i < 2 * DRAWABLE
                made += self._divided(piece, OPENED) if room and self._comes_from(piece, asked) else [piece]
            if len(made) == len(pieces):
                break
            pieces = _numbered(made)
        else:
            found = []
        if not found:
            known = [f'"{piece.key}"' for piece in given if len(piece.nodes) > 1 and piece.key]
            told = f"takes one of {few(known, letters=80)}" if known else "has nothing to divide here"
            raise BadInput(f'There is no fold "{asked}" in this program: unfold= {told} (lcg.folds()).')
        opened: set[int] = set()
        made = []
        for piece in pieces:
            parts = [piece]
            if _is_called(piece, asked) and len(piece.nodes) > 1 and len(opened) < OPENED:
                parts = self._divided(piece, OPENED)
                opened.update(piece.nodes)
            made += parts
        return _numbered(made), opened

    def _comes_from(self, piece: Piece, asked: str) -> bool:
        """Whether a run of operations has some of this line."""
        line = re.match(r"lines? (\d+)", asked)
        if not line or piece.low < 0 or len(piece.nodes) < 2:
            return False
        number = int(line[1])
        return any(
            step.kind == "line" and step.first <= number <= step.last
            for k in range(piece.low, piece.high)
            for step in self.ways[k]
        )

    def _divided(self, piece: Piece, most: int) -> list[Piece]:
        """Into at most so many, by lines, else by its nodes, else by subexpressions."""
        parts = self._by_lines(piece.low, piece.high, most) if piece.low >= 0 else []
        if len(parts) < 2:
            parts = [Piece("", [v]) for v in piece.nodes] if len(piece.nodes) <= most else []
        return parts or self._by_subexpressions(piece.nodes, most) or [piece]

    def _run(self, name: str, low: int, high: int) -> Piece:
        nodes = sorted(v for k in range(low, high) for v in self.members[k])
        return Piece(name, nodes, low, high)

    # --- by lines --------------------------------------------------------------------------------------------

    def _by_lines(self, low: int, high: int, most: int) -> list[Piece]:
        """By statement and round, if these are few enough; else by whole rounds, several, whole loops, several lines."""
        runs = runs_of(self.ways, low, high)
        if len(runs) < 2 or most < 2:
            return []
        groups, depth = grouped(runs, most)
        return [self._run(told_of(runs[a:b], depth, self._calls), runs[a].low, runs[b - 1].high) for a, b in groups]

    @cached_property
    def _calls(self) -> dict[int, int]:
        """For each call the how many-th of its function it is, where there are several."""
        of: dict[str, dict[int, None]] = {}
        for way in self.ways:
            for step in way:
                if step.kind == "call":
                    of.setdefault(step.text, {})[step.number] = None
        return {number: i for numbers in of.values() if len(numbers) > 1 for i, number in enumerate(numbers, 1)}

    # --- by subexpressions -----------------------------------------------------------------------------------

    def _by_subexpressions(self, nodes: Sequence[int], most: int) -> list[Piece]:
        """The largest are divided first, into the operation and its operands, as long as there is room."""
        serves, serving = _served(self.structure, nodes)
        size = dict.fromkeys(nodes, 1)
        for v in sorted(nodes):
            if serves[v] in size:
                size[serves[v]] += size[v]
        roots = serving[self.structure.size]
        if len(roots) > most:
            return []
        open_, alone, whole, number = [(-size[v], v) for v in roots], [], [], len(roots)
        heapq.heapify(open_)
        while open_:
            _, v = heapq.heappop(open_)
            inside = serving.get(v, [])
            if size[v] > 1 and number + len(inside) > most:
                whole.append(v)
                continue
            alone.append(v)
            number += len(inside)
            for u in inside:
                heapq.heappush(open_, (-size[u], u))
        pieces = [Piece("", [v]) for v in alone]
        for v in whole:
            members, pending = [], [v]
            while pending:
                members.append(pending.pop())
                pending += serving.get(members[-1], [])
            pieces.append(Piece(f"{self.lcg.names[v]}: {self._formula(v, set(members))}", sorted(members)))
        return sorted(pieces, key=lambda piece: piece.nodes[-1])

    def _formula(self, v: int, inside: set[int], depth: int = 3) -> str:
        """What a variable computes from what is outside; what is long in it, or deep, is left out."""
        made, names, source = self.lcg.single_access, self.lcg.names, self.lcg.single_access.tupled_from
        entry = made.entry_of[v]
        assert entry is not None
        read: list[str | None] = []
        for r in made.reads[id(entry)]:
            if r is None:
                read.append(None)
                continue
            u = source.get(r, r)
            text = names[u] if u not in inside else self._formula(u, inside, depth - 1) if depth else "…"
            within = made.entry_of[u] if u in inside else None
            if len(text) > LONG:
                text = "…"
            elif within is not None and text != "…" and rule_of(entry).symbol and rule_of(within).symbol:
                text = f"({text})"
            read.append(text)
        return right_hand_side(entry, read)


def _served(structure: Any, nodes: Sequence[int]) -> tuple[dict[int, int], dict[int, list[int]]]:
    """For each node the first one that all its paths lead through, ``structure.size`` if there is none; and the reverse.

    (Cooper, Harvey & Kennedy 2001, on a graph without cycles: one pass.)
    """
    inside, out = set(nodes), structure.size
    serves: dict[int, int] = {}
    serving: dict[int, list[int]] = {out: []}
    for v in sorted(nodes, reverse=True):
        heads = [structure.head[e] for e in structure.branches(v)] or [out]
        at = heads[0] if heads[0] in inside else out
        for head in heads[1:]:
            other = head if head in inside else out
            while at != other:
                if at < other:
                    at = serves[at]
                else:
                    other = serves[other]
        serves[v] = at
        serving.setdefault(at, []).append(v)
    return serves, serving


def _is_called(piece: Piece, asked: str) -> bool:
    """By its name, or without the text, or by the line of several rounds."""
    return asked in (piece.name, piece.key) or piece.key.startswith((f"{asked},", f"{asked} of "))


def _numbered(pieces: list[Piece]) -> list[Piece]:
    """The pieces, with their number where several are called the same: parts of one line."""
    often, seen = Counter(piece.key for piece in pieces), Counter[str]()
    made = []
    for piece in pieces:
        key, colon, text = piece.name.partition(":")
        if key and often[key] > 1:
            seen[key] += 1
            piece = piece._replace(name=f"{key}, part {seen[key]}{colon}{text}")
        made.append(piece)
    return made
