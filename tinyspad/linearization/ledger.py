"""The ledger: the paths, their factors, products and shares, the others as one row, and the proof that they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import paths as algebra
from ..arguments import Array, Data, briefly, integer
from ..displays import cut, line, page
from ..errors import said
from ..paths import Path, middle
from ..table import Table
from ..verdicts import Verdict, by_difference, judged
from .beside import difference_beside, noise_beside, wobble
from .point import Point
from .sums import ExactSums

LISTED = 30
"""Up to so many paths a ledger lists all of them, in their order; of more it lists so many, the largest."""


@dataclass(frozen=True)
class Others:
    """All paths that are not listed: how many, the sum of their contributions, and their share of all magnitudes."""

    count: int
    sum: Any
    share: float

    def __str__(self) -> str:
        return "the other path" if self.count == 1 else f"the other {briefly(self.count)} together"


@dataclass(frozen=True, repr=False, eq=False)
class Shown:
    """What is shown of all paths of a parameter: all in their order, or the largest and ``others``; ``print`` it.

    ``products``: what those listed contribute, shape (n,) + the parameter's; ``shares``: their parts of the sum of all
    magnitudes, of a batch over all runs.
    """

    param: str
    paths: tuple[Path, ...]
    products: Array
    shares: Array
    others: Others | None

    @property
    def count(self) -> int:
        """How many paths there are, listed or not."""
        return len(self.paths) + (self.others.count if self.others else 0)

    @property
    def total(self) -> Data:
        """The sum of all contributions."""
        listed = np.sum(self.products, axis=0)
        total = listed if self.others is None else listed + self.others.sum
        return float(total) if total.shape == () else total

    def largest(self, n: int) -> Shown:
        """The n largest of those listed, largest first, with the rest among the others; as it is if it lists no more."""
        if n >= len(self.paths):
            return self
        order = algebra.by_size(reach_of(self.products, self.paths[0].at.batch))
        kept, left = order[:n].tolist(), order[n:].tolist()
        more, share = np.sum(self.products[left], axis=0), float(np.sum(self.shares[left]))
        more = float(more) if more.shape == () else more
        others = Others(len(left), more, share)
        if self.others is not None:
            others = Others(len(left) + self.others.count, more + self.others.sum, share + self.others.share)
        paths = tuple(self.paths[i] for i in kept)
        return Shown(self.param, paths, self.products[kept], self.shares[kept], others)

    def table(self) -> Table:
        """The rows: paths, and the others if there are any."""
        rows: list[tuple[Any, ...]] = [
            (briefly(path.index), middle(list(path.nodes), " -> "), _factors(path), _number(product), percent(share))
            for path, product, share in zip(self.paths, self.products, self.shares)
        ]
        if self.others is not None:
            rows.append(("", str(self.others), "", _number(self.others.sum), percent(self.others.share)))
        return Table(("path", "through", "factors", "product", "share"), rows, left=3)

    def __str__(self) -> str:
        return f"{self._titled()}\n\n{self.table()}\n\nsum over {self._counted}   {_number(self.total)}"

    def __repr__(self) -> str:
        return line(self._named())

    def _repr_html_(self) -> str:
        return page(self._titled(), self._unbroken(), f"sum over {self._counted}   {_number(self.total)}")

    @property
    def _counted(self) -> str:
        return f"{briefly(self.count)} path{'s' * (self.count != 1)}"

    def _named(self) -> str:
        listed = "" if self.others is None else f", the largest {len(self.paths)} listed"
        return f"{type(self).__name__} of {cut(self.param)}: {self._counted}{listed}, sum {_number(self.total)}"

    def _titled(self, value: str = "") -> str:
        listed = "" if self.others is None else f"; the largest {len(self.paths)} of {self._counted}"
        return f"Paths from {self.param} to the output{value} (the factor 1 of a branch is not shown{listed})"

    def _unbroken(self) -> Table:
        """The table with 1 022 on one line."""
        rows = self.table()
        return replace(rows, rows=[(number.replace(" ", "\u00a0"), *cells) for number, *cells in rows.rows])


@dataclass(frozen=True, repr=False, eq=False)
class Ledger(Shown):
    """The paths of one parameter and what they add up to; ``print`` shows it as a table, and so does a notebook.

    ``paths``: all, in their order, or, of many, the largest. ``products``: what each of these contributes, shape (n,) +
    the parameter's. ``shares``: its part of the sum of all magnitudes; with that of the others they add up to 1.
    ``others``: ``count``, ``sum`` and ``share`` of the paths that are not listed, exact; None if all are. ``count``: how
    many there are. ``total``: the sum of all; ``reverse`` and ``difference``: the gradient by reverse mode and by central
    differences (the reason, a text, if f could not be evaluated), and how far that may be off, ``error``. ``verdict``:
    whether they confirm each other, "agree" or "disagree"; "cannot tell" where there is no difference to tell by, and
    ``why``: f is not deterministic, say, or stands at a kink.
    """

    value: Any
    reverse: Any
    difference: Any
    error: Any
    verdict: Verdict
    why: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether reverse mode and the central difference confirm the sum; None if there is no telling."""
        return None if self.verdict == "cannot tell" else self.verdict == "agree"

    @property
    def finite(self) -> bool:
        """Whether every contribution is a finite number."""
        return bool(np.all(np.isfinite(self.products))) and (
            self.others is None or bool(np.all(np.isfinite(self.others.sum)))
        )

    def largest(self, n: int) -> Ledger:
        """The ledger of the n largest, largest first, with the rest among the others.

        >>> import tinyspad as ts
        >>> print(ts.trace(ts.functions.beale, 1.0, 2.0).ledger("x").largest(1).others)
        the other 5 together
        """
        integer(n, "largest: n")
        shown = super().largest(n)
        told = {name: getattr(shown, name) for name in ("paths", "products", "shares", "others")}
        return replace(self, **told)

    def __str__(self) -> str:
        proof = self._proof()
        width = max(22, *(len(name) + 2 for name, _ in proof))
        lines = [name.ljust(width) + told for name, told in proof]
        return "\n".join([self._title, "", str(self.table()), "", *lines, *filter(None, [self._remark])])

    def __repr__(self) -> str:
        return line(f"{self._named()}; {self.verdict}")

    def _repr_html_(self) -> str:
        proof = "\n".join(f"{name}: {' '.join(told.split())}" for name, told in self._proof())
        return page(self._title, self._unbroken(), proof, self._remark)

    @property
    def _title(self) -> str:
        return self._titled(f", {_number(self.value)}")

    def _proof(self) -> list[tuple[str, str]]:
        sums = [(f"sum over {self._counted}", _number(self.total))]
        for name, x in (("reverse mode", self.reverse), ("central difference", self.difference)):
            sums.append((name, x if isinstance(x, str) else _number(x) + _apart(x, self.total)))
        return sums

    @property
    def _remark(self) -> str:
        if not self.finite:
            return (
                "A contribution is not a finite number here, so nothing can be proved: there may be no derivative at this "
                "point. lcg.trace_nonfinite() names the first operation that is to blame."
            )
        if self.verdict == "disagree":
            return "THEY DISAGREE. f hides a part of its dependence from the tape (a .data inside f, for example)."
        return f"The difference cannot tell: {self.why}." if self.why else ""


def percent(share: float) -> str:
    """A share as one would say it, also where sizes differ by decades.

    >>> percent(0.25), percent(2e-17), percent(0.0)
    ('25.0%', '2e-15%', '0.0%')
    """
    return f"{100 * share:.1g}%" if 0 < share < 0.0005 else f"{share:.1%}"


def shown_of(at: Point, param: str, paths: tuple[Path, ...]) -> Shown:
    """These paths, and all others as one. Those are what leaves the tree of these, so that nothing cancels between them."""
    source = at.source(param)
    number = at.count_paths(param) - len(paths)
    if not number:
        products = at.path_gradients(param, limit=len(paths))
        return Shown(param, paths, products, _shares(_sizes(at, products)), None)
    if not at.elementwise:  # they were listed to find the largest
        every, taken = at.path_gradients(param), [path.index for path in paths]
        left = np.delete(np.arange(len(every)), taken)
        shares = _shares(_sizes(at, every))
        rest = Others(number, np.sum(every[left], axis=0), float(np.sum(shares[left])))
        return Shown(param, paths, every[taken], shares[taken], rest)
    edges = [path.edges for path in paths]
    with np.errstate(all="ignore"):
        products = np.array([np.broadcast_to(path.gradient, at.batch) for path in paths])
        found = algebra.all_but(at.structure, at.weight, algebra.GRADIENT, at.adjoints, source, edges)
        behind = algebra.sweep(at.structure, at.carried, algebra.LOG)
        logs = [algebra.all_but(at.structure, at.weight, algebra.LOG, behind, source, edges)]
        logs += [_log_size(at, own) for own in edges]
        every = np.array([np.broadcast_to(log, at.batch) for log in logs])
        top = np.max(every, initial=-np.inf)
        shares = _shares(_sizes(at, np.exp(every - (top if np.isfinite(top) else 0.0))))
    rest = Others(number, at.shaped(source, found), float(shares[0]))
    return Shown(param, paths, products, shares[1:], rest)


def _sizes(at: Point, products: Array) -> Array:
    """The magnitude of each contribution: in a batch the sum over the runs, of arrays the norm."""
    if not at.elementwise:
        return np.asarray(algebra.sizes_of(products))
    return np.abs(products).reshape(len(products), -1 if products.size else 0).sum(axis=1)


def reach_of(products: Array, batch: tuple[int, ...]) -> Array:
    """By what contributions are ranked: in a batch the largest size anywhere, of arrays the norm."""
    if products.ndim > 1 and not batch:
        return np.asarray(algebra.sizes_of(products))
    return np.abs(products).reshape(len(products), -1 if products.size else 0).max(axis=1, initial=0.0)


def _shares(sizes: Array) -> Array:
    top = np.max(sizes, initial=0.0) or 1.0  # sums would overflow before the sizes do
    with np.errstate(invalid="ignore"):  # where one is infinite, no share is a number
        return np.asarray((sizes / top) / (np.sum(sizes / top) or 1.0))


def _log_size(at: Point, edges: Sequence[int]) -> Data:
    """The logarithm of a path's size, which cannot underflow."""
    size: Data = algebra.LOG.one
    for e in reversed(edges):
        size = algebra.LOG.extend(size, algebra.LOG.edge(at.weight[e]))
    return size


def ledger_of(at: ExactSums, shown: Shown) -> Ledger:
    """Add them up, and have the sum confirmed twice."""
    param, total = shown.param, shown.total
    reverse, terms = at.gradient()[param], np.sum(np.abs(shown.products), axis=0)
    if shown.others is not None:
        terms = terms + (np.exp(at.log_mass(param)) if at.elementwise else np.sum(np.abs(at.path_gradients(param)), 0))
    known = judged("sum over paths", reverse, total, terms=terms)
    difference: Any
    try:
        with np.errstate(all="ignore"):
            source = at.params.index(param)
            found, moved = difference_beside(at, source, noise_beside(at)[0]), wobble(at)[source]
    except Exception as problem:  # whatever f raises at its own point, the ledger itself stands
        difference, error = f"not available ({said(problem)})", None
        checked = replace(known, verdict="disagree" if known.verdict == "disagree" else "cannot tell")
    else:
        difference, error = found.slope, found.margin
        checked = by_difference("sum over paths", found, total, terms=terms, wobble=moved)
    verdicts = {known.verdict, checked.verdict}
    verdict: Verdict = next(v for v in ("disagree", "cannot tell", "agree") if v in verdicts)
    listed = (shown.paths, shown.products, shown.shares, shown.others)
    return Ledger(param, *listed, at.value, reverse, difference, error, verdict, checked.why or known.why)


def _number(x: Any) -> str:
    if np.shape(x) == ():
        return f"{float(x):.10g}"
    return f"norm {float(np.linalg.norm(np.ravel(x))):.8g}"


def _apart(x: Any, y: Any) -> str:
    return f"   apart by {float(np.max(np.abs(_difference(x, y)), initial=0.0)):.1e}"


def _difference(x: Any, y: Any) -> Any:
    with np.errstate(invalid="ignore"):  # of two infinities: NaN, which agrees with nothing
        return np.subtract(x, y)


def _factors(path: Path) -> str:
    """The factors other than the 1 of tupling edges; linear maps by name."""
    copies, weight = path.at.structure.copies, path.at.weight
    return middle([_factor(weight[e]) for e in path.edges if not copies[e]], " * ") or "1"


def _factor(weight: Any) -> str:
    if isinstance(weight, (int, float, np.floating)):
        return f"{weight:.4g}" if weight >= 0 else f"({weight:.4g})"
    return f"array{list(weight.shape)}" if isinstance(weight, np.ndarray) else repr(weight)
