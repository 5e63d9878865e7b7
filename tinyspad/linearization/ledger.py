"""The ledger: every path, its factors, its product, its share, and the proof that they add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import said
from ..paths import Path, middle
from ..table import Table
from ..verdicts import Verdict, by_difference, judged
from .beside import difference_beside, noise_beside, wobble
from .point import Point


@dataclass(frozen=True, repr=False)
class Ledger:
    """The paths of one parameter and what they add up to; ``print`` shows it as a table.

    ``products``: every path's contribution, shape (N,) + the parameter's. ``shares``: its part of the sum of all
    magnitudes, adding up to 1. ``total``: the sum of the products; ``reverse`` and ``difference``: the gradient by
    reverse mode and by central differences (the reason, a text, if f could not be evaluated), and how far that may be
    off, ``error``. ``verdict``: whether they confirm each other, "agree" or "disagree"; "cannot tell" where there is no
    difference to tell by, and ``why``: f is not deterministic, say, or stands at a kink.
    """

    param: str
    value: Any
    paths: tuple[Path, ...]
    products: np.ndarray[Any, Any]
    shares: np.ndarray[Any, Any]
    total: Any
    reverse: Any
    difference: Any
    error: Any
    verdict: Verdict
    why: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether reverse mode and the central difference confirm the sum; None if there is no telling."""
        return None if self.verdict == "cannot tell" else self.verdict == "agree"

    def __str__(self) -> str:
        rows = [
            (path.index, middle(list(path.nodes), " -> "), _factors(path), _number(product), f"{share:.1%}")
            for path, product, share in zip(self.paths, self.products, self.shares)
        ]
        n = len(self.paths)
        sums = [(f"sum over {n} path{'s' * (n != 1)}", _number(self.total))]
        for name, x in (("reverse mode", self.reverse), ("central difference", self.difference)):
            sums.append((name, x if isinstance(x, str) else _number(x) + _apart(x, self.total)))
        lines = [
            f"Paths from {self.param} to the output, {_number(self.value)} (the factor 1 of a branch is not shown)\n",
            str(Table(("path", "through", "factors", "product", "share"), rows, left=3)) + "\n",
            *(name.ljust(22) + told for name, told in sums),
        ]
        if not np.all(np.isfinite(self.products)):
            lines.append(
                "A contribution is not a finite number here, so nothing can be proved: there may be no derivative at this "
                "point. lcg.trace_nonfinite() names the first operation that is to blame."
            )
        elif self.verdict == "disagree":
            lines.append(
                "THEY DISAGREE. f hides a part of its dependence from the tape (a .data inside f, for example)."
            )
        elif self.why:
            lines.append(f"The difference cannot tell: {self.why}.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Ledger of {self.param}: {len(self.paths)} paths, sum {_number(self.total)}; print it>"


def ledger_of(at: Point, param: str, paths: tuple[Path, ...]) -> Ledger:
    """List the paths, add them up, and have the sum confirmed twice."""
    products = at.path_gradients(param, limit=len(paths))
    flat = np.abs(products).reshape(len(products), int(np.prod(products.shape[1:])))
    largest = flat.max(initial=0.0) or 1.0  # squares would overflow before the products do
    with np.errstate(invalid="ignore"):  # where one is infinite, no share is a number
        sizes = np.sqrt(np.sum((flat / largest) ** 2, axis=1))
    shares = sizes / (sizes.sum() or 1.0)
    total: Any = np.sum(products, axis=0)
    total = float(total) if total.shape == () else total
    reverse, terms = at.gradient()[param], np.sum(np.abs(products), axis=0)
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
    return Ledger(
        param, at.value, paths, products, shares, total, reverse, difference, error, verdict, checked.why or known.why
    )


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
