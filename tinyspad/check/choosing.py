"""Exercises of tutorial 06: choosing paths."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np

from ..experiments import wilson
from .answer import call
from .verdict import exercise, expect, number, pair


@exercise(
    6,
    "How often is a good one among the candidates?",
    idea="Ask for the opposite: that all m candidates miss all k good ones. With replacement the draws do not "
    "influence each "
    "other; without, count the sets.",
    formula="1 - (1 - k/n)**m with replacement; 1 - comb(n - k, m) / comb(n, m) without.",
)
def chance_of_largest(answer: Callable[..., Any]) -> None:
    """Grade ``chance_of_largest(n, m, k, replace)``: how likely m candidates of n paths include one of the k largest.

    ``replace``: whether a path may be drawn more than once; without it m is at most n. k is at least 1, at most n.

    >>> from tinyspad import check
    >>> check.chance_of_largest(lambda n, m, k, replace: m * k / n).misconception
    'adds up chances'
    """
    for n, m, k, replace in (
        (5, 2, 1, False),
        (5, 2, 2, False),
        (5, 2, 2, True),
        (5, 2, 1, True),
        (2, 2, 1, True),
        (2, 2, 1, False),
        (7, 1, 3, True),
        (3, 10, 1, True),
        (6, 5, 2, False),
        (4, 2, 4, True),
        (1, 1, 1, False),
        (1000, 50, 3, True),
        (1000, 50, 3, False),
    ):
        want = 1 - (1 - k / n) ** m if replace else 1 - comb(n - k, m) / comb(n, m)
        told = f"chance_of_largest({n}, {m}, {k}, {replace})"
        tells = {
            "adds up chances": (
                m * k / n,
                "The chances of the draws, or of the paths, were added up, and what happens twice was counted twice. "
                "What "
                "is the chance that every draw misses all of them?",
            ),
            "always replaces": (
                np.nan if replace else 1 - (1 - k / n) ** m,
                "Without replacement a second draw cannot be the first path again: the candidates are m different "
                "ones of n.",
            ),
            "never replaces": (
                1 - comb(n - k, m) / comb(n, m) if replace and m <= n else np.nan,
                "With replacement a path may be drawn again, so two draws tell less than two different ones.",
            ),
            "the largest alone": (
                1 - (1 - 1 / n) ** m if replace else m / n,
                "That is the chance of the very largest. Any of the k largest will do here.",
            ),
            "all of them": (
                (1 - (1 - 1 / n) ** m) ** k if replace else (comb(n - k, m - k) / comb(n, m) if m >= k else 0.0),
                "That is the chance that all k are among them. One is enough.",
            ),
            "counts sets, not chances": (
                float(comb(n, m)),
                "That is the number of sets. Which share of them holds one of the largest?",
            ),
            "chance of missing it": (1 - want, "That is the chance that none of them is among the candidates."),
            "one draw": (k / n, "That is the chance of a single draw; there are m."),
            "only if all are it": (
                (k / n) ** m,
                "That is the chance that every candidate is one of the largest. One of them is enough.",
            ),
        }
        expect(call(answer, n, m, k, replace, told=told), want, told, tells)


@exercise(
    6,
    "A success rate has an interval",
    idea="Square the condition: (rate - p)**2 = z**2 p (1 - p)/n is a quadratic equation for p, whose roots are the "
    "ends.",
    formula="middle = p + z**2/(2*n); reach = z*sqrt(p*(1 - p)/n + z**2/(4*n**2)); ((middle - reach)/(1 + z**2/n), "
    "(middle "
    "+ reach)/(1 + z**2/n)).",
)
def wilson_interval(answer: Callable[..., Any]) -> None:
    """Grade ``wilson_interval(successes, runs)``: the ends (low, high) of Wilson's 95 % interval, z = 1.96.

    It holds every chance p from which the observed rate is no more than z standard errors away, sqrt(p (1 - p)/n) each.

    >>> from tinyspad import check
    >>> check.wilson_interval(lambda successes, runs: (0.0, 0.0)).misconception
    'no interval at the ends'
    """
    z = 1.96
    for good, n in ((0, 20), (7, 20), (20, 20), (632, 1000), (1, 1), (2, 3), (1, 137), (0, 5000)):
        p = good / n
        plain = z * np.sqrt(p * (1 - p) / n)
        low, high = (float(end) for end in wilson(good, n, z))
        told = f"wilson_interval({good}, {n})"
        got = call(answer, good, n, told=told)
        tells = {
            "no interval at the ends" if good in (0, n) else "the simple interval": (
                (p - plain, p + plain),
                "p -+ 1.96 sqrt(p (1 - p)/n) has no width at 0 of 20, as if that proved the rate to be 0. Wilson's "
                "does.",
            ),
            "half the interval": ((low, p), "The interval has two ends."),
            "standard error": ((p - plain / z, p + plain / z), "That is one standard error to either side: 68 %."),
            "percent": ((100 * low, 100 * high), "Rates are between 0 and 1 here, not percent."),
            "forgets the division": (
                (low * (1 + z * z / n), high * (1 + z * z / n)),
                "The whole of it is divided by 1 + z**2/n, which draws it towards 1/2.",
            ),
            "ends exchanged": ((high, low), "The lower end comes first."),
        }
        got = tuple(number(end, told) for end in pair(got, told, "two numbers, (low, high)"))
        if np.allclose(got, (low, high), atol=1e-4):
            continue
        expect(
            got, (low, high), told, tells, "Put your ends into the condition: at both of them the two sides are equal."
        )
