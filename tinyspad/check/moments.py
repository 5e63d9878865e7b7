"""Exercises of tutorial 05: bias and variance, exactly. g holds the contributions of the paths, p their probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call, check_rng
from .verdict import Wrong, exercise, expect, near, number, pair, same, show

G = np.array([3.0, -1.0, 6.0])
P = np.array([0.2, 0.5, 0.3])


@exercise(
    5,
    "Make it unbiased",
    idea="What does a path that is drawn with probability p add to the mean? By which factor is that too little?",
    formula="i = rng.choice(len(g), p=p), and g[i] / p[i]: its mean is the sum of p_i g_i / p_i.",
)
def unbiased_draw(answer: Callable[..., Any]) -> None:
    """Grade ``unbiased_draw(g, p, rng)``: a random estimate of sum(g) from one path, drawn with probabilities p.

    Its mean over all draws is to be the gradient (equation 4), for any number of paths.

    >>> from tinyspad import check
    >>> check.unbiased_draw(lambda g, p, rng: g[rng.choice(len(g), p=p)]).misconception
    'missing 1/p'
    """
    told, draws, rng = "unbiased_draw([3, -1, 6], [0.2, 0.5, 0.3], rng)", 2000, np.random.default_rng(0)
    check_rng(answer, G, P, told=told)
    seen = np.array([number(call(answer, G, P, rng, told=told), told) for _ in range(draws)])
    mean = float(np.mean(seen))
    example = f"The mean of {draws} draws of {told} is {mean:.3g}; the sum of g is 8."
    values = np.unique(np.round(seen, 6))

    def only(possible: Any) -> bool:
        return bool(np.all(np.min(np.abs(values[:, None] - np.asarray(possible)[None, :]), axis=1) < 1e-5))

    if only([8.0]):
        raise Wrong("no draw", "That adds up all paths. Follow one of them, drawn with probabilities p.", example)
    if len(values) == 1:
        raise Wrong(
            "always the same path",
            "Draw the path at random: rng.choice(len(g), p=p), from the rng that is handed over.",
            example,
        )
    if only(G):
        raise Wrong(
            "missing 1/p",
            "A path that is drawn with probability p contributes p * g on average. Divide what was drawn by its "
            "probability.",
            example,
        )
    if only(G * P):
        raise Wrong("multiplies by p", "Divide by the probability of what was drawn; it was multiplied by it.", example)
    if only(G * 3):
        raise Wrong(
            "multiplies by N",
            "Times N is right for a uniform draw alone, where every p is 1/N. Here they differ: divide by the p of "
            "what was drawn.",
            example,
        )
    if only(G / P[0]) or only(G / P.max()):
        raise Wrong(
            "divides by another path's p",
            "It always divides by the same probability (as Algorithm 2's 1/p_1 would). Divide by that of the path "
            "drawn.",
            example,
        )
    if not only(G / P):
        raise Wrong(
            "another value", "That is no estimate whose mean is the gradient. What does one draw have to give?", example
        )
    shares = np.array([np.mean(np.abs(seen - v) < 1e-5) for v in G / P])
    if near(shares, np.full(3, 1 / 3), draws):
        raise Wrong(
            "draws uniformly", "It divides by p, but draws every path equally often: hand p to rng.choice.", example
        )
    if not near(shares, P, draws):
        raise Wrong("draws otherwise", "The paths are not drawn with probabilities p.", example)
    for n in (1, 2, 5, 7):
        _check_unbiased(answer, n, rng)


def _check_unbiased(answer: Callable[..., Any], n: int, rng: np.random.Generator) -> None:
    """Raise Wrong unless every estimate of n random contributions is one over its probability, drawn so often."""
    g, p = rng.integers(1, 9, n) * rng.choice([-1.0, 1.0], n) + np.arange(n) / 8, rng.dirichlet(np.ones(n))
    told, draws = f"unbiased_draw({np.round(g, 3).tolist()}, {np.round(p, 3).tolist()}, rng)", 2000
    ratios = g / p
    seen = np.array([number(call(answer, g, p, rng, told=told), told) for _ in range(draws)])
    which = np.argmin(np.abs(seen[:, None] - ratios), axis=1)
    if not np.allclose(seen, ratios[which]):
        hint = f"With {n} path{'s' * (n != 1)} it gives another value. The number of paths is len(g), whatever it is."
        raise Wrong("another value", hint, f"{told} gave {show(float(seen[0]))}, which is no contribution over its p.")
    if not near(np.bincount(which, minlength=n) / draws, p, draws):
        hint = f"With {n} path{'s' * (n != 1)} they are not drawn with probabilities p."
        raise Wrong("draws otherwise", hint, f"{told}, {draws} times.")


ROWS = [
    (np.array([[3.0], [-1.0], [6.0]]), np.array([0.2, 0.5, 0.3])),
    (np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([0.25, 0.75])),
    (np.array([[5.0, 0.5, -2.0]]), np.array([1.0])),
    (np.array([[4.0, 1.0], [0.0, 0.0], [2.0, -1.0]]), np.array([0.25, 0.25, 0.5])),
]
"""Contributions, a row for each path, and their probabilities."""


def _rows_at_random(rng: np.random.Generator) -> list[Any]:
    """The same of other sizes: one path and more, one number and more, rows of 0 in between."""
    sizes = ((1, 1), (2, 1), (2, 3), (3, 2), (5, 1), (7, 4))
    return [(rng.integers(-9, 9, size) * 0.5, rng.dirichlet(np.ones(size[0]))) for size in sizes]


@exercise(
    5,
    "The variance, without drawing",
    idea="The variance of a vector is the mean of its squared length, less the squared length of its mean. Over the "
    "draws the "
    "mean of anything is the sum of p_i times what path i gives.",
    formula="sum over p_i > 0 of |g_i|**2 / p_i, less |sum g_i|**2, with |.|**2 the sum of the squares of a row.",
)
def exact_variance(answer: Callable[..., Any]) -> None:
    """Grade ``exact_variance(g, p)``: the variance of the vector g[I] / p[I], row I drawn with probabilities p.

    ``g``: a row for each path, its contribution to the d numbers of a parameter, shape (N, d). The variance of a vector is
    the sum of those of its numbers. Exactly, by arithmetic; a path that contributes nothing may have probability 0.

    >>> import numpy as np
    >>> from tinyspad import check
    >>> check.exact_variance(lambda g, p: np.sum(g**2 / p[:, None])).misconception
    'second moment'
    """
    for g, p in (*ROWS, *_rows_at_random(np.random.default_rng(4))):
        total, columns, each = np.sum(g, axis=0), p[:, None], np.sum(g**2, axis=1)
        second, gradient = float(np.sum(each / p)), float(np.sum(total**2))
        want, told = second - gradient, f"exact_variance({g.tolist()}, {np.round(p, 3).tolist()})"
        got = call(answer, g, p, told=told)
        if np.shape(got) == (g.shape[1],):
            hint = "One number was asked for: the variances of the parameter's numbers, added up."
            raise Wrong("a variance for each number", hint, f"{told} gave {show(got)}; expected {show(want)}.")
        tells = {
            "second moment": (
                second,
                "That is the mean of the square. Take off the square of the mean, the gradient squared.",
            ),
            "standard deviation": (
                np.sqrt(max(want, 0.0)),
                "That is the standard deviation: leave out the square root.",
            ),
            "missing 1/p": (
                float(np.sum(p * each) - np.sum(np.sum(columns * g, axis=0) ** 2)),
                "That is the variance of g_I. The estimate is g_I / p_I: its square has p**2 below, and the mean one "
                "p above.",
            ),
            "variance of the list": (
                float(np.sum(np.var(g, axis=0))),
                "np.var(g) tells how far the terms differ, each counted once. Here each counts p times, and the "
                "estimate is g/p.",
            ),
            "squares p as well": (
                float(np.sum((g / columns) ** 2) - gradient),
                "The squares (g/p)**2 are weighted by p when their mean is taken: one p cancels.",
            ),
            "uniform only": (
                float(len(g) * np.sum(g**2) - gradient),
                "That is the variance of a uniform draw, p = 1/N. Here the p differ.",
            ),
            "squares the sum of all": (
                second - float(np.sum(g)) ** 2,
                "The gradient is a vector: add up its numbers' squares, do not square the sum of its numbers.",
            ),
        }
        exact = same(got, want)
        close = not exact and np.ndim(got) == 0 and abs(number(got, told) - want) < 0.2 * abs(want)
        known = any(same(got, value) for value, _ in tells.values())
        if close and not known and not same(call(answer, g, p, told=told), got):
            hint = (
                "That is near, as of a simulation. It can be had exactly: add up all draws, each with its probability."
            )
            raise Wrong("simulated", hint, f"{told} gave {show(got)}; expected {show(want)}.")
        expect(got, want, told, tells, "Work it out by hand for two paths.")
    why = "0/0 spoils the sum. A path that is never drawn and contributes nothing adds nothing: leave it out."
    for g, p, want in (
        (np.array([[4.0], [0.0]]), [1.0, 0.0], 0.0),
        (np.array([[4.0], [0.0], [2.0]]), [0.5, 0.0, 0.5], 4.0),
    ):
        told = f"exact_variance({g.tolist()}, {p})"
        expect(call(answer, g, np.array(p), told=told), want, told, {"divides by zero": (np.nan, why)}, why)


SIGNED = "Sizes, not values: probabilities are not negative, and a negative term is as important as its size."


def _drawn(answer: Callable[..., Any], g: Any, rng: np.random.Generator, told: str) -> tuple[float, float]:
    """One draw by magnitude; what rng.choice says of probabilities that are none becomes a hint."""
    try:
        i, p = pair(call(answer, g, rng, told=told), told, "an index, and its probability")
    except Wrong as wrong:
        if wrong.misconception == "raises" and "do not sum" in wrong.hint:
            hint = "The probabilities do not add up to 1. Divide the sizes by the sum of the sizes."
            raise Wrong("does not add up", hint, f"{told}: {wrong.hint}") from None
        if wrong.misconception == "raises" and "non-negative" in wrong.hint:
            raise Wrong("negative probabilities", SIGNED, f"{told}: {wrong.hint}") from None
        if wrong.misconception == "raises" and "1-dimensional" in wrong.hint:
            hint = (
                "There is one probability for each path, a row of g, not for each number in it: take the rows' lengths."
            )
            raise Wrong("draws numbers, not paths", hint, f"{told}: {wrong.hint}") from None
        raise
    i = number(i, told)
    if i not in range(len(g)):
        hint = f"The first part is the index of a path, here 0 to {len(g) - 1}."
        raise Wrong("another value", hint, f"{told} gave {i:g}.")
    return i, number(p, told)


@exercise(
    5,
    "Sample by magnitude",
    idea="Probabilities are not negative, and add up to 1. Make such ones of the sizes of the contributions: of a "
    "row of "
    "several numbers that is its length.",
    formula="size = np.linalg.norm(g, axis=1); p = size / size.sum(); i = rng.choice(len(g), p=p); return i, p[i].",
)
def magnitude_draw(answer: Callable[..., Any]) -> None:
    """Grade ``magnitude_draw(g, rng)``: (i, p), a path drawn in proportion to the size of its contribution, and how likely.

    ``g``: a row for each path, shape (N, d); the size of a row is its Euclidean length.

    >>> import numpy as np
    >>> from tinyspad import check
    >>> check.magnitude_draw(lambda g, rng: (int(np.linalg.norm(g, axis=1).argmax()), 1.0)).misconception
    'greedy bias'
    """
    g = np.array([[3.0, 0.0], [-0.6, 0.8], [0.0, -6.0]])
    told, draws, rng = f"magnitude_draw({g.tolist()}, rng)", 3000, np.random.default_rng(0)
    size = np.linalg.norm(g, axis=1)
    p = size / size.sum()
    check_rng(lambda rng: _drawn(answer, g, rng, told), told=told)
    seen = [_drawn(answer, g, rng, told) for _ in range(draws)]
    shares = np.bincount([int(i) for i, _ in seen], minlength=3) / draws
    found = ", ".join(f"path {i} in {s:.1%}" for i, s in enumerate(shares))
    example = f"{told}, {draws} times: {found}; expected 30, 10, 60 %."
    signed = np.maximum(g.sum(axis=1), 0)
    of_others = {
        "uniform": (np.full(3, 1 / 3), "Every path is drawn equally often. Hand probabilities to rng.choice."),
        "squares": (
            size**2 / np.sum(size**2),
            "The probabilities follow the squares. The variance is least for the sizes.",
        ),
        "softmax": (
            np.exp(size) / np.sum(np.exp(size)),
            "The probabilities follow exp: divide the sizes by their sum instead.",
        ),
        "negative probabilities": (signed / signed.sum(), SIGNED),
        "another length": (
            np.abs(g).sum(axis=1) / np.abs(g).sum(),
            "The size of a row is its Euclidean length, the root of the sum of squares, not the sum of sizes.",
        ),
    }
    if np.max(shares) == 1 and shares[2] < 1:
        raise Wrong("always the same path", "Draw the path at random, from the rng that is handed over.", example)
    if np.max(shares) == 1:
        hint = (
            "It always takes the largest. Then the others never count, and no factor can make the mean right. Draw, "
            "with "
            "probabilities in proportion to the sizes."
        )
        raise Wrong("greedy bias", hint, example)
    if not near(shares, p, draws):
        for name, (other, hint) in of_others.items():
            if near(shares, other, draws):
                raise Wrong(name, hint, example)
        raise Wrong("another distribution", "The paths are drawn with other chances than by their sizes.", example)
    _check_told(seen, p, told)
    for g, _ in _rows_at_random(rng):
        g = g + 0.25  # no row of 0
        size = np.linalg.norm(g, axis=1)
        told = f"magnitude_draw({g.tolist()}, rng)"
        seen = [_drawn(answer, g, rng, told) for _ in range(400)]
        if not near(np.bincount([int(i) for i, _ in seen], minlength=len(g)) / len(seen), size / size.sum(), len(seen)):
            hint = f"Of {len(g)} path{'s' * (len(g) != 1)}, of {g.shape[1]} numbers each, they are drawn otherwise."
            raise Wrong("another distribution", hint, f"{told}, {len(seen)} times.")
        _check_told(seen, size / size.sum(), told)


def _check_told(seen: list[tuple[float, float]], p: Any, told: str) -> None:
    for i, told_p in seen:
        if abs(told_p - p[int(i)]) > 1e-6:
            raise Wrong(
                "tells another probability",
                "The second part is the probability of the path that was drawn, which the caller divides by.",
                f"{told} gave ({i:g}, {told_p:.4g}); path {i:g} has probability {p[int(i)]:.4g}.",
            )


@exercise(
    5,
    "The best epsilon",
    idea="Write the second moment as in the tutorial, with lengths of rows for sizes of numbers: a**2/(1 - eps) + "
    "b**2/eps. Where "
    "it is least, its derivative by eps is zero.",
    formula="a is the largest length of a row, b**2 = (N - 1) times the sum of the other rows' squared lengths; eps "
    "= b/(a + b).",
)
def best_epsilon(answer: Callable[..., Any]) -> None:
    """Grade ``best_epsilon(g)``: the epsilon of least variance for the almost-Dirac distribution (5) on the largest path.

    ``g``: a row for each path, shape (N, d). The largest row, in length, is drawn with probability 1 - epsilon, each other
    one with epsilon / (N - 1), and divided by its probability.

    >>> from tinyspad import check
    >>> check.best_epsilon(lambda g: 0.1).misconception
    'another value'
    """
    fixed = ([[3.0], [-1.0], [6.0]], [[1.0, 0.0], [-6.0, 8.0], [0.0, 2.0]], [[1.0]] * 4, [[5.0], [0.0]], [[2.0]] * 40)
    for g in (*map(np.array, fixed), *(g + 0.25 for g, _ in _rows_at_random(np.random.default_rng(5)) if len(g) > 1)):
        lengths = np.sort(np.linalg.norm(g, axis=1))[::-1]
        a, rest, n = float(lengths[0]), float(np.sum(lengths[1:] ** 2)), len(g)
        told = f"best_epsilon({g.tolist()})"

        def epsilon(a: float, squared: float) -> float:
            return float(np.sqrt(squared) / (a + np.sqrt(squared))) if a or squared else 0.0

        signed = float(np.max(g))
        of_signed = (n - 1) * max(float(np.sum(lengths**2)) - signed**2, 0.0)
        tells = {
            "forgets the magnitude": (epsilon(signed, of_signed), f"The largest in size is meant: here a is {a:g}."),
            "the other way round": (
                1 - epsilon(a, (n - 1) * rest),
                "That is 1 - epsilon. Large a means: seldom leave it.",
            ),
            "forgets N - 1": (
                epsilon(a, rest),
                "epsilon is shared by N - 1 other paths, each drawn with epsilon / (N - 1): b**2 has the factor N - 1.",
            ),
            "forgets the root": (
                (n - 1) * rest / (a * a + (n - 1) * rest) if a else 0.0,
                "Setting the derivative to zero gives a/(1 - eps) = b/eps: roots, not squares.",
            ),
            "drops ties": (
                epsilon(a, (n - 1) * float(np.sum(lengths[lengths < a] ** 2))),
                "Only one path is the largest; others of the same size belong to the rest.",
            ),
            "counts the largest twice": (
                epsilon(a, (n - 1) * (rest + a * a)),
                "b**2 is made of the other paths' squares: leave out the largest.",
            ),
            "numbers for rows": (
                epsilon(float(np.max(np.abs(g))), (g.size - 1) * float(np.sum(g**2) - np.max(g**2))),
                "A path is a row of g: take the rows' lengths, not single numbers.",
            ),
        }
        hint = (
            "Write down the second moment of the estimate, as the sum over all draws, and differentiate it by epsilon."
        )
        expect(call(answer, g, told=told), epsilon(a, (n - 1) * rest), told, tells, hint)
