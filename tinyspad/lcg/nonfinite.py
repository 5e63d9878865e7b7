"""Where NaN and infinity come from: the first bad operation, and the paths that carry it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .. import paths as algebra
from ..arguments import integer, spaced
from ..paths import COUNT, LIMIT, Path, Route, Structure
from ..rules import LinearMap
from ..tape import behind, replay, rule_of
from .recorded import Recorded
from .text import constant_text


@dataclass(frozen=True)
class NonFinite:
    """The first operation that is not finite.

    ``name``: the variable it defines, ``text``: its right-hand side. ``what``: "value", "partial", "adjoint" or "parameter".
    ``number``: the value (or partial, or adjoint) itself. ``by``: of a partial, the variable by which. ``inputs``: what it
    read, by name. ``runs``: in a batch, which runs are bad there. ``counts``: how many of each parameter's paths run
    through it (or through the edge of the partial), ``totals`` of how many, and ``paths`` the first of them.
    """

    name: str
    text: str
    what: str
    number: Any
    by: str | None
    inputs: dict[str, Any]
    runs: tuple[int, ...] | None
    counts: dict[str, int]
    totals: dict[str, int]
    paths: dict[str, tuple[Path, ...]]

    def __str__(self) -> str:
        number = self._show(self.number)
        lines = [
            {
                "value": f"{self.name} <- {self.text} gave {number}, the first result that is not finite",
                "partial": f"the partial derivative of {self.name} <- {self.text} by {self.by} is {number}, "
                "though the result is finite",
                "adjoint": f"the adjoint of {self.name} is {number}: a product of finite factors that overflows",
                "parameter": f"the parameter {self.name} is {number}",
            }[self.what]
        ]
        if self.runs is not None:
            lines[0] += f" (in {len(self.runs)} run{'s' * (len(self.runs) != 1)}, the first of them {self.runs[0]})"
        if self.inputs:
            lines.append("it read " + ", ".join(f"{name} = {self._show(x)}" for name, x in self.inputs.items()))
        for param, count in self.counts.items():
            total = self.totals[param]
            paths = f"the {spaced(total)} paths" if total != 1 else "the only path"
            of = f"{spaced(count)} of {paths}" if total != 1 else paths
            lines.append(f"it lies on {of} of {param}:")
            lines += [f"  {path}" for path in self.paths[param]]
            if count > len(self.paths[param]):
                lines.append(f"  ... and {spaced(count - len(self.paths[param]))} more")
        return "\n".join(lines)

    def _show(self, x: Any) -> str:
        if np.shape(x) == ():
            return f"{float(x):.6g}"
        if self.runs is not None and np.ndim(x) == 1:
            return f"{float(x[self.runs[0]]):.6g}"
        return constant_text(np.asarray(x))


def nonfinite_of(lcg: Recorded, shown: int) -> NonFinite | None:
    """See ``LCG.trace_nonfinite``."""
    integer(shown, "trace_nonfinite: shown=", 0, LIMIT)
    if lcg.single_access.root is None and _bad(lcg.value):
        return NonFinite("the output", "a constant", "value", lcg.value, None, {}, None, {}, {}, {})
    with np.errstate(all="ignore"):
        known = {id(leaf): argument for leaf, argument in zip(lcg.single_access.leaves, lcg.arguments)}
        results = {} if lcg.single_access.root is None else replay(behind(lcg.single_access.root), known)
        into: dict[int, list[int]] = {}
        for e, to in enumerate(lcg.structure.head):
            into.setdefault(to, []).append(e)
        for node, entry in enumerate(lcg.single_access.entry_of):
            if entry is None:
                continue
            value = known[id(entry)] if rule_of(entry) is None else results[id(entry)]
            if _bad(value):
                return _report(lcg, node, "value" if rule_of(entry) else "parameter", value, results, shown)
            for e in into.get(node, ()):
                partial = lcg.weight[e]
                if isinstance(partial, LinearMap):  # a vjp that makes ones infinite is
                    partial = np.ones(partial.out_shape) * partial
                if _bad(partial):
                    return _report(lcg, node, "partial", partial, results, shown, e)
        adjoints = lcg.adjoints if lcg.single_access.root is not None and _has_gradient(lcg) else []
        for node, adjoint in reversed(list(enumerate(adjoints))):
            if _bad(adjoint):
                return _report(lcg, node, "adjoint", adjoint, results, shown)
    return None


def _has_gradient(lcg: Recorded) -> bool:
    return lcg.elementwise or np.shape(lcg.value) == ()


def _bad(x: Any) -> bool:
    return not (math.isfinite(x) if isinstance(x, float) else np.all(np.isfinite(x)))


def _report(
    lcg: Recorded, node: int, what: str, number: Any, results: dict[int, Any], shown: int, edge: int | None = None
) -> NonFinite:
    entry, structure, inputs = lcg.single_access.entry_of[node], lcg.structure, {}
    if entry is not None and rule_of(entry) is not None:
        inputs = {lcg.names[r]: results[id(lcg.single_access.entry_of[r])] for r in lcg.reads(entry)}
    runs = None
    if lcg.batch:
        runs = tuple(map(int, np.flatnonzero(~np.isfinite(np.broadcast_to(number, lcg.batch)))))
    # The paths through the node, or the edge: those that lead to it, each with those that lead on.
    end = node if edge is None else structure.tail[edge]
    to_end = algebra.sweep(Structure(structure.start, structure.tail, structure.head, end), lcg.weight, COUNT)
    onward = algebra.sweep_to(structure, lcg.weight, COUNT, node)
    counts, totals, paths = {}, {}, {}
    for i, name in enumerate(lcg.params):
        if to_end[i]:
            counts[name] = to_end[i] * onward
            totals[name] = lcg.count_paths(name)
            paths[name] = tuple(_through(lcg, i, end, node, edge, to_end, shown))
    by = None if edge is None else lcg.nodes[structure.tail[edge]].name
    return NonFinite(lcg.names[node], lcg.nodes[node].text, what, number, by, inputs, runs, counts, totals, paths)


def _through(
    lcg: Recorded, source: int, end: int, node: int, edge: int | None, to_end: list[int], shown: int
) -> list[Path]:
    structure = lcg.structure
    before = Structure(structure.start, structure.tail, structure.head, end)
    over = () if edge is None else (edge,)
    ways_on = list(islice(algebra.enumerate_paths(structure, node), shown))
    found = []
    for i in range(min(to_end[source], shown)):
        way = Route(before, source, index=i).edges
        found += [Path(lcg.params[source], way + over + on, at=lcg.linearization) for on in ways_on]
    return found[:shown]
