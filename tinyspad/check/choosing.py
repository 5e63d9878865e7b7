"""Exercises of tutorial 06: choosing paths."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np

from ..experiments import wilson
from .verdict import call, exercise, expect, number, pair


@exercise(6, "How often is the largest among the candidates?")
def chance_of_largest(answer: Callable[..., Any]) -> None:
    """Grade ``chance_of_largest(n, m, replace)``: the probability that m candidates of n paths include the largest one.

    ``replace``: whether a path may be drawn more than once; without it m is at most n.

    >>> from tinyspad import check
    >>> check.chance_of_largest(lambda n, m, replace: m / n).misconception
    'forgets repeats'
    """
    for n, m, replace in (
        (5, 2, False),
        (5, 2, True),
        (2, 2, True),
        (2, 2, False),
        (7, 1, True),
        (3, 10, True),
        (1, 1, False),
    ):
        want = 1 - (1 - 1 / n) ** m if replace else m / n
        told = f"chance_of_largest({n}, {m}, {replace})"
        tells = {
            "forgets repeats": (
                m / n if replace else np.nan,
                "With replacement the same path may be drawn twice, so two draws do not have twice the chance. What "
                "is the chance that every draw misses it?",
            ),
            "always replaces": (
                np.nan if replace else 1 - (1 - 1 / n) ** m,
                "Without replacement a second draw cannot be the first path again: the candidates are m different "
                "ones of n.",
            ),
            "counts sets, not chances": (
                float(comb(n, m)),
                "That is the number of sets. Which share of them holds the largest?",
            ),
            "chance of missing it": (1 - want, "That is the chance that it is not among them."),
            "one draw": (1 / n, "That is the chance of a single draw; there are m."),
            "only if all are it": (
                (1 / n) ** m,
                "That is the chance that every candidate is the largest. One of them is enough.",
            ),
        }
        expect(call(answer, n, m, replace, told=told), want, told, tells)


@exercise(6, "A success rate has an interval")
def wilson_interval(answer: Callable[..., Any]) -> None:
    """Grade ``wilson_interval(successes, runs)``: the ends (low, high) of Wilson's 95 % interval, z = 1.96.

    (p + z**2/2n -+ z sqrt(p (1 - p)/n + z**2/4n**2)) / (1 + z**2/n), with p = successes / runs and n = runs.

    >>> from tinyspad import check
    >>> check.wilson_interval(lambda successes, runs: (0.0, 0.0)).misconception
    'no interval at the ends'
    """
    z = 1.96
    for good, n in ((0, 20), (7, 20), (20, 20), (632, 1000)):
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
        expect(got, (low, high), told, tells, "Put p, n and z into the formula, term by term.")
