"""Whether a gradient agrees with what it is compared with: yes, no, or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .differences import LIMIT, Difference

Verdict = Literal["agree", "disagree", "cannot tell"]

CLOSE = 1e-7
"""What a difference may always be off by, relative to the slope: its error is an estimate."""

CANCELLED = 1e-9
"""The largest uncertainty of a sum whose terms cancel, relative to the terms: of that size a gradient of 0 is."""


@dataclass(frozen=True)
class Finding:
    """One comparison: ``what`` with what, ``expected`` by the independent way, ``got`` from the gradient.

    ``apart``: the largest difference of an element; ``allowed``: ten times the estimated error of the independent way, or
    the rounding of the gradient, whichever is more there. ``verdict``: "agree", "disagree" or "cannot tell", and for
    the last ``why``: what is in the way, and what to do next.
    """

    what: str
    expected: Any
    got: Any
    apart: float
    allowed: float
    verdict: Verdict
    why: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the verdict is "agree"."""
        return self.verdict == "agree"


def by_difference(what: str, found: Difference, got: Any, *, terms: Any, wobble: Any = 0.0) -> Finding:
    """A slope against a difference; see :func:`judged`. A slope between those of the sides of a kink is not known."""
    close = CLOSE * np.fmax(np.abs(found.slope), np.where(np.isfinite(got), np.abs(got), 0.0))
    margin = np.fmax(found.margin, close)
    unseen = np.abs(got - found.near) <= LIMIT * np.fmax(found.size, np.abs(got))
    margin = np.where(unseen, np.inf, margin)
    steps = (
        "f has this slope over its last digits, and another beyond: what is rounded moves in steps. Check it in double "
        "precision, or write it so that less cancels"
    )
    why = np.where(unseen, steps, np.asarray(found.why, dtype=object))
    wobble = np.where(why == "", wobble, 0.0)  # at a kink a gradient moves with its point, and the margin says how far
    return judged(what, found.slope, got, margin, size=found.size, terms=terms, wobble=wobble, why=why)


def judged(
    what: str,
    expected: Any,
    got: Any,
    margin: Any = 0.0,
    *,
    size: Any = 0.0,
    terms: Any,
    wobble: Any = 0.0,
    why: Any = "",
) -> Finding:
    """The verdict on ``got``, of the worst element.

    What is allowed: ``margin``, the uncertainty of what is expected; the rounding of the ``terms`` that were added up to
    ``got``; and ``wobble``, what ``got`` moves by when the point is moved by its last digit. Further apart: "disagree".
    Else "agree" if what is allowed is at most ``LIMIT`` of the largest slope near the point, or ``CANCELLED`` of the
    terms; "cannot tell" if it is more, for then a wrong one would pass, too.
    """
    if 0 in (np.size(expected), np.size(got)):
        return Finding(what, expected, got, 0.0, 0.0, "agree")
    with np.errstate(all="ignore"):
        unit = rounding(got)
        apart = np.abs(np.subtract(expected, got, dtype=np.float64))
        terms = np.where(np.isfinite(terms), terms, 0.0).astype(np.float64)
        allowed = np.fmax(np.fmax(margin, unit * terms), wobble)
        limit = np.fmax(
            LIMIT * np.fmax(size, np.where(np.isfinite(got), np.abs(got), 0.0)), max(CANCELLED, unit) * terms
        )
        nothing = ~(np.isfinite(expected) | np.isfinite(got))
        nowhere = "the gradient is not finite; lcg.trace_nonfinite() names the first operation that is to blame"
        why = np.where(nothing & (np.asarray(why, object) == ""), nowhere, np.asarray(why, object))
        apart, allowed, limit, nothing, why = np.broadcast_arrays(apart, allowed, limit, nothing, why)
        close = apart <= allowed
        agree = close & np.isfinite(allowed) & ((allowed <= limit) | ((apart == 0) & (why == ""))) & ~nothing
        disagree = ~(close | nothing | np.isinf(allowed))
        rank = np.where(disagree, 2, np.where(agree, 0, 1))
        excess = np.clip(np.nan_to_num(apart / allowed, nan=1e3), 0.0, 1e3)
        worst = np.unravel_index(np.argmax(1e4 * rank + excess), rank.shape)
    verdicts: tuple[Verdict, Verdict, Verdict] = ("agree", "cannot tell", "disagree")
    verdict = verdicts[int(rank[worst])]
    said = ""
    if verdict == "cannot tell":
        said = str(why[worst]) or (
            f"{what} is known to within {allowed[worst]:.1g} alone, by the last digits of f or of its gradient. Write f so "
            "that less cancels, or check in double precision"
        )
    return Finding(what, expected, got, float(apart[worst]), float(allowed[worst]), verdict, said)


def rounding(got: Any) -> float:
    """What a sum of terms of size 1 may be off by in the precision of ``got``."""
    kind = np.asarray(got).dtype
    return max(1e-12, 100 * float(np.finfo(kind).eps)) if kind.kind == "f" else 1e-12
