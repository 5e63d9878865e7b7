"""Two ways of writing one function: the same gradient, other paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import spaced
from ..displays import cut, few, line, page
from ..errors import BadInput
from ..paths import LIMIT
from ..table import Table
from .recorded import Recorded

SHOWN = 8
ROUNDING = 1e-12
"""Relative to the sum of the magnitudes: two programs round differently."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two LCGs of the same parameters; ``print`` it.

    ``left``, ``right``: the LCGs. ``same_value``, ``same_gradient``: whether they agree to rounding. ``counts``: by
    parameter, the numbers of paths. ``contributions``: by parameter, both lists of contributions in path order (None past
    100 000). ``same_paths``: by parameter, whether these are the same up to order; None if they were not listed.
    """

    left: Recorded
    right: Recorded
    same_value: bool
    same_gradient: dict[str, bool]
    counts: dict[str, tuple[int, int]]
    contributions: dict[str, tuple[Any, Any] | None]
    same_paths: dict[str, bool | None]

    def table(self) -> Table:
        """Value, gradient and paths of both, and whether they are the same."""
        rows = [("value", _text(self.left.value), _text(self.right.value), _same(self.same_value))]
        for name in self.left.params:
            a, b = self.left.adjoint(name), self.right.adjoint(name)
            rows.append((f"gradient of {name}", _text(a), _text(b), _same(self.same_gradient[name])))
            m, n = self.counts[name]
            listed = self.contributions[name]
            verdict = "not listed" if listed is None else "the same" if self.same_paths[name] else "others"
            rows.append((f"paths of {name}", spaced(m), spaced(n), verdict))
            if listed is not None:
                rows.append(("  contributions", _some(listed[0]), _some(listed[1]), ""))
        return Table(("", "left", "right", ""), rows, left=4)

    def __str__(self) -> str:
        return str(self.table())

    def __repr__(self) -> str:
        paths = (f"{spaced(m)} and {spaced(n)} of {cut(name)}" for name, (m, n) in self.counts.items())
        same = f"value {_same(self.same_value)}, gradient {_same(all(self.same_gradient.values()))}"
        return line(f"Comparison: {same}; paths: {few(paths, letters=60)}")

    def _repr_html_(self) -> str:
        return page(self.table())


def comparison_of(left: Recorded, right: Recorded) -> Comparison:
    """See ``LCG.compare``."""
    if not hasattr(right, "params") or left.params != right.params:
        there = ", ".join(getattr(right, "params", ())) or f"{right!r:.40}"
        raise BadInput(f"compare takes an LCG of the same parameters, {', '.join(left.params)}, not {there}.")
    for name, a, b in zip(left.params, left.arguments, right.arguments):
        if not np.array_equal(a, b, equal_nan=True):
            raise BadInput(f"The two were traced at different points: {name} is {_text(a)} and {_text(b)}.")
    same_gradient: dict[str, bool] = {}
    counts: dict[str, tuple[int, int]] = {}
    contributions: dict[str, tuple[Any, Any] | None] = {}
    same_paths: dict[str, bool | None] = {}
    size = np.abs(left.value) + np.abs(right.value)  # and what the arguments' own rounding may change
    for name, argument in zip(left.params, left.arguments):
        counts[name] = left.count_paths(name), right.count_paths(name)
        a, b = left.adjoint(name), right.adjoint(name)
        scale = np.abs(a) + np.abs(b)
        contributions[name] = None
        same_paths[name] = None
        if max(counts[name]) <= LIMIT:
            g, h = contributions[name] = left.path_gradients(name), right.path_gradients(name)
            scale = scale + np.sum(np.abs(g), axis=0) + np.sum(np.abs(h), axis=0)
            same_paths[name] = len(g) == len(h) and _close(_in_order(left, g), _in_order(right, h), scale)
        same_gradient[name] = _close(a, b, scale)
        size = size + np.sum(np.abs(argument)) * np.max(scale, initial=0.0)
    same_value = np.shape(left.value) == np.shape(right.value) and _close(left.value, right.value, size)
    return Comparison(left, right, same_value, same_gradient, counts, contributions, same_paths)


def _in_order(lcg: Recorded, g: Any) -> Any:
    """Contributions in an order that does not depend on the paths': each run's by size, arrays by a projection."""
    if lcg.batch or g.ndim == 1:
        return np.sort(g, axis=0)
    flat = g.reshape(len(g), -1)
    along = flat @ np.random.default_rng(0).normal(size=flat.shape[1])
    return g[np.argsort(along, kind="stable")]


def _close(a: Any, b: Any, scale: Any) -> bool:
    """Equal to rounding; NaN is equal to NaN, infinity to infinity."""
    a, b = np.asarray(a), np.asarray(b)
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= ROUNDING * np.where(np.isfinite(scale), scale, 0.0)
    return bool(np.all(near | (a == b) | (np.isnan(a) & np.isnan(b))))


def _same(same: bool) -> str:
    return "the same" if same else "DIFFERENT"


def _text(x: Any) -> str:
    return f"{float(x):.6g}" if np.shape(x) == () else f"array {list(np.shape(x))}"


def _some(listed: Any) -> str:
    if listed.ndim > 1:
        return f"array {list(listed.shape)}"
    shown = [f"{g:.6g}" for g in listed[:SHOWN]]
    return ", ".join(shown) + (f", ... {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
