"""Exercises of tutorial 09: drawing observations, and drawing paths as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call, check_rng
from .verdict import Tell, Wrong, exercise, expect, near, number, show


@exercise(
    9,
    "Weights of what was drawn",
    idea="On average one draw of observation j adds p_j w_j g_j, and there are K draws. That is to be g_j / n.",
    formula="w_k = 1 / (K n p[index_k]).",
)
def observation_weights(answer: Callable[..., Any]) -> None:
    """Grade ``observation_weights(index, p)``: weights w_k with which sum_k w_k g[index_k] is unbiased for the mean of g.

    K observations were drawn with replacement from p.

    >>> from tinyspad import check
    >>> check.observation_weights(lambda index, p: 1 / (len(index) * p[index])).misconception
    'estimates the sum'
    """
    for index, p in (
        ([2, 0, 2, 1], [0.2, 0.5, 0.3]),
        ([1], [0.9, 0.1]),
        ([3, 1], [0.25] * 4),
        ([0, 4], [0.6, 0.1, 0.1, 0.1, 0.1]),
        ([5, 5, 1, 0, 5, 3, 1], [0.05, 0.3, 0.2, 0.15, 0.2, 0.1]),
        ([0], [1.0]),
        ([0, 0], [0.01, 0.04, 0.95]),
    ):
        at, q = np.array(index), np.array(p)
        size, n, told = len(at), len(q), f"observation_weights({index}, {p})"
        got = call(answer, at.copy(), q.copy(), told=told)
        one = 1 / q[at]
        if np.shape(got) == (n,) and n != size:
            why = f"One weight for each of the {size} draws, not for each of the {n} observations: take p[index]."
            raise Wrong("a weight for each observation", why, f"{told} gave {show(got)}.")
        tells: Tell = {
            "estimates the sum": (one / size, "That is unbiased for the sum of g; the mean is 1/n of it."),
            "estimates K times": (one / n, "Each of the K draws is unbiased on its own: take the mean of them."),
            "estimates nK times": (one, "Divide by the number of draws, and by n: it is the mean of g that is wanted."),
            "multiplies": (q[at] / size, "What is drawn often must count less: divide by its probability."),
            "ignores p": (
                np.full(size, 1 / size),
                "Then what is drawn often counts too much: divide by its probability.",
            ),
            "scaled to sum 1": (
                one / one.sum(),
                "Weights that are scaled to sum 1 change with the draw, and the estimate is biased. Divide by K n p.",
            ),
        }
        expect(got, one / (size * n), told, tells, "What does one draw add on average, and what should it add?")


@exercise(
    9,
    "Draw the steep ones",
    idea="Mix two ways to choose: with the share floor uniformly, otherwise by the norms. What are the probabilities "
    "of each?",
    formula="(1 - floor) * norms / norms.sum() + floor / n, and 1/n for each where all norms are 0.",
)
def norm_probabilities(answer: Callable[..., Any]) -> None:
    """Grade ``norm_probabilities(norms, floor)``: p in proportion to the norms, with a share ``floor`` of uniform choice.

    Where all norms are 0 everything is uniform.

    >>> from tinyspad import check
    >>> check.norm_probabilities(lambda norms, floor: norms / norms.sum()).misconception
    'no floor'
    """
    for listed, floor in (
        ([1.0, 3.0, 0.0, 4.0], 0.2),
        ([2.0, 2.0, 5.0], 0.5),
        ([7.0, 1.0], 0.0),
        ([0.0, 0.0, 0.0, 0.0], 0.1),
        ([5.0], 0.3),
        ([0.5, 0.0, 0.25, 8.0, 1.5, 0.0, 3.0], 0.35),
        ([1.0, 2.0], 1.0),
        ([0.0, 0.0], 0.0),
        ([1e-9, 3e-9, 0.0], 0.1),
        ([0.125, 0.25], 0.5),
    ):
        norms, n = np.array(listed), len(listed)
        told, total = f"norm_probabilities({listed}, {floor})", sum(listed)
        with np.errstate(all="ignore"):
            got = call(answer, norms.copy(), floor, told=told)
        uniform = np.full(n, 1 / n)
        if not total:
            if isinstance(got, np.ndarray) and got.dtype.kind == "f" and np.any(np.isnan(got)):
                why = "Where all norms are 0 nothing tells the observations apart: draw uniformly."
                raise Wrong("divides by zero", why, f"{told} gave {show(got)}.")
            expect(got, uniform, told, None, "Where all norms are 0 draw uniformly.")
            continue
        share = norms / total
        square = norms**2 / (norms**2).sum()
        tells: Tell = {
            "no floor": (
                share,
                "An observation whose norm is 0 today would never be drawn again. Mix in the uniform choice.",
            ),
            "sums to more than 1": (
                share + floor / n,
                "Now they sum to more than 1: give the norms the share 1 - floor alone.",
            ),
            "a floor for each": (
                (1 - floor) * share + floor,
                "The share floor is spread over all n: floor / n for each.",
            ),
            "squares": (
                (1 - floor) * square + floor / n,
                "Those are squares. The variance is least for the norms themselves (Cauchy-Schwarz).",
            ),
            "squares, no floor": (
                square,
                "In proportion to the norms, not their squares; and mix in the uniform choice.",
            ),
            "cuts off": (
                np.maximum(share, floor / n) / np.maximum(share, floor / n).sum(),
                "That lifts the small ones and scales all again; here the uniform choice is mixed in.",
            ),
            "lifts, does not scale": (
                np.maximum(share, floor / n),
                "These do not sum to 1. Mix: (1 - floor) p + floor / n.",
            ),
            "the shares exchanged": (
                floor * share + (1 - floor) / n,
                "floor is the share of the uniform choice; the norms get the rest, 1 - floor.",
            ),
            "norms as they are": (norms, "Probabilities sum to 1: divide by the sum of the norms."),
        }
        expect(
            got,
            (1 - floor) * share + floor / n,
            told,
            tells if floor else None,
            "Mix two ways to choose, one of them uniform.",
        )


@exercise(
    9,
    "Both at once",
    idea="How likely is the entry (j, i) to be drawn? Over all draws its part of the gradient is g[j, i] / n.",
    formula="j = rng.choice(len(p), p=p); i = rng.choice(len(q), p=q); g[j, i] / (len(p) * p[j] * q[i]).",
)
def sampled_gradient(answer: Callable[..., Any]) -> None:
    """Grade ``sampled_gradient(g, p, q, rng)``: one observation j from p, one path i from q, and an unbiased estimate.

    ``g``: contributions, a row for each of n observations, a column for each of N paths; wanted is the mean over
    observations of the sum over paths.

    >>> import numpy as np
    >>> from tinyspad import check
    >>> check.sampled_gradient(lambda g, p, q, rng: g[rng.choice(len(p), p=p), rng.choice(len(q), p=q)]).misconception
    'forgets both'
    """
    draws = 1500
    for listed, p, q in (
        ([[1.0, 4.0], [-2.0, 8.0], [16.0, -5.0]], [0.2, 0.5, 0.3], [0.75, 0.25]),
        ([[3.0, 1.0, -7.0], [2.0, 11.0, 5.0]], [0.9, 0.1], [0.5, 0.3, 0.2]),
        ([[3.0, 0.0], [0.0, -6.0], [1.0, 0.0]], [0.25, 0.25, 0.5], [0.5, 0.5]),
    ):
        g, chance = np.array(listed), np.outer(p, q)
        told = f"sampled_gradient({listed}, {p}, {q}, rng)"

        def ask(rng: Any, g: Any = g, p: Any = p, q: Any = q, told: str = told) -> float:
            return number(call(answer, g.copy(), np.array(p), np.array(q), rng, told=told), told)

        check_rng(lambda rng, ask=ask: ask(rng), told=told)  # type: ignore[misc]
        rng = np.random.default_rng(0)
        found = np.array([ask(rng) for _ in range(draws)])
        mean = g.sum(axis=1).mean()
        right = g / (len(p) * chance)
        values = {
            "forgets both": (g, "Nothing was divided by. Divide by the probability of what was drawn, and by n."),
            "forgets the path's": (g / (len(p) * np.array(p)[:, None]), "Divide by the path's probability, too."),
            "forgets the observation's": (g / (len(p) * np.array(q)), "Divide by the observation's probability, too."),
            "estimates the sum": (g / chance, "The mean over observations is wanted, not the sum: divide by n."),
            "divides by N": (right / len(q), "The sum over paths is wanted: do not divide by their number."),
            "multiplies": (g * chance, "What is drawn often must count less: divide by its probability."),
            "divides by n alone": (g / len(p), "Divide by the probabilities of what was drawn."),
            "forgets n and the observation's": (
                g / np.array(q),
                "Divide by n and by the observation's probability, too.",
            ),
            "forgets n and the path's": (g / np.array(p)[:, None], "Divide by n and by the path's probability, too."),
        }

        def among(of: Any, found: Any = found) -> bool:
            return bool(np.isclose(found[:, None], np.ravel(of), rtol=1e-9, atol=1e-12).any(axis=1).all())

        example = f"{told}: the mean of {draws} estimates is {found.mean():.4g}; the gradient is {mean:.4g}."
        if not among(right):
            for name, (of, why) in values.items():
                if among(of):
                    raise Wrong(name, why, example)
            full = g.sum(axis=1)
            if among(full / (len(p) * np.array(p))) or among(full) or among(mean):
                why = "That may be right on average, but it used all paths, or all observations. Draw one of each, with rng."
                raise Wrong("follows all paths", why, example)
            raise Wrong(
                "another estimate", "That is no estimate from one entry of g whose mean is the gradient.", example
            )
        values_of, groups = np.unique(np.round(right.ravel(), 9), return_inverse=True)  # entries of 0 look alike
        seen = np.isclose(found[:, None], values_of, rtol=1e-6, atol=1e-8).mean(axis=0)

        def so_often(p: Any, groups: Any = groups) -> Any:
            return np.bincount(np.ravel(groups), weights=np.ravel(p))

        if not near(seen, so_often(chance), draws):
            flat = np.full(chance.shape, 1 / chance.size)
            tried = {
                "draws uniformly": (flat, "Draw j by p and i by q: rng.choice(len(p), p=p)."),
                "draws observations uniformly": (
                    np.outer(np.full(len(p), 1 / len(p)), q),
                    "Draw the observation by p.",
                ),
                "draws paths uniformly": (np.outer(p, np.ones(len(q)) / len(q)), "Draw the path by q."),
            }
            for name, (of, why) in tried.items():
                if near(seen, so_often(of), draws):
                    raise Wrong(name, f"{why} What is divided by must be the probability that was used.", example)
            raise Wrong("another distribution", "Draw j by p and, independently, i by q.", example)
