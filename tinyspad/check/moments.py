"""Exercises of tutorial 05: bias and variance, exactly. g holds the contributions of the paths, p their probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .verdict import Wrong, call, check_rng, exercise, expect, near, number, pair

G = np.array([3.0, -1.0, 6.0])
P = np.array([0.2, 0.5, 0.3])


@exercise(5, "Make it unbiased")
def unbiased_draw(answer: Callable[..., Any]) -> None:
    """Grade ``unbiased_draw(g, p, rng)``: a random estimate of sum(g) from one path, drawn with probabilities p.

    Equation (4), the normalisation trick: its mean over all draws is the gradient, E = sum p_i ghat_i = sum g_i.

    >>> from tinyspad import check
    >>> check.unbiased_draw(lambda g, p, rng: g[rng.choice(len(g), p=p)]).misconception
    'missing 1/p'
    """
    told, draws, rng = "unbiased_draw([3, -1, 6], [0.2, 0.5, 0.3], rng)", 4000, np.random.default_rng(0)
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
        raise Wrong("another value", "Every estimate is g[i] / p[i] for the path i that was drawn.", example)
    shares = np.array([np.mean(np.abs(seen - v) < 1e-5) for v in G / P])
    if near(shares, np.full(3, 1 / 3), draws):
        raise Wrong(
            "draws uniformly", "It divides by p, but draws every path equally often: hand p to rng.choice.", example
        )
    if not near(shares, P, draws):
        raise Wrong("draws otherwise", "The paths are not drawn with probabilities p.", example)


@exercise(5, "The variance, without drawing")
def exact_variance(answer: Callable[..., Any]) -> None:
    """Grade ``exact_variance(g, p)``: the variance of g_I / p_I, path I drawn with probabilities p.

    Var = sum g_i**2 / p_i - (sum g_i)**2; a path with g_i = 0 and p_i = 0 adds nothing.

    >>> import numpy as np
    >>> from tinyspad import check
    >>> check.exact_variance(lambda g, p: np.sum(g**2 / p)).misconception
    'second moment'
    """
    for g, p in ((G, P), (np.array([1.0, 2.0]), np.array([0.5, 0.5])), (np.array([5.0]), np.array([1.0]))):
        second, total = float(np.sum(g**2 / p)), float(np.sum(g))
        told = f"exact_variance({g.tolist()}, {p.tolist()})"
        expect(
            call(answer, g, p, told=told),
            second - total**2,
            told,
            {
                "second moment": (
                    second,
                    "That is the mean of the square. Take off the square of the mean, the gradient squared.",
                ),
                "standard deviation": (
                    np.sqrt(second - total**2),
                    "That is the standard deviation: leave out the square root.",
                ),
                "missing 1/p": (
                    float(np.sum(p * g**2) - np.sum(p * g) ** 2),
                    "That is the variance of g_I. The estimate is g_I / p_I: its square has p**2 below, and the "
                    "mean one p above.",
                ),
                "variance of the list": (float(np.var(g)), "That is how far the terms differ, with no regard to p."),
                "squares p as well": (
                    float(np.sum((g / p) ** 2) - total**2),
                    "The squares (g/p)**2 are weighted by p when their mean is taken: one p cancels.",
                ),
                "uniform only": (
                    float(len(g) * np.sum(g**2) - total**2),
                    "That is the variance of a uniform draw, p = 1/N. Here the p differ.",
                ),
            },
        )
    g, p = np.array([4.0, 0.0]), np.array([1.0, 0.0])
    told = "exact_variance([4.0, 0.0], [1.0, 0.0])"
    expect(
        call(answer, g, p, told=told),
        0.0,
        told,
        {
            "divides by zero": (
                np.nan,
                "0/0 spoils the sum. A path that is never drawn and contributes nothing adds nothing: leave it out.",
            )
        },
    )


SIGNED = "|g|, not g: probabilities are not negative, and a negative term is as important as its size."


def _drawn(answer: Callable[..., Any], rng: np.random.Generator, told: str) -> Any:
    """One draw by magnitude; what rng.choice says of probabilities that are none becomes a hint."""
    try:
        return call(answer, G, rng, told=told)
    except Wrong as wrong:
        if wrong.misconception == "raises" and "do not sum" in wrong.hint:
            hint = "The probabilities do not add up to 1. Divide |g| by the sum of |g|, not by the sum of g."
            raise Wrong("does not add up", hint, f"{told}: {wrong.hint}") from None
        if wrong.misconception == "raises" and "non-negative" in wrong.hint:
            raise Wrong("negative probabilities", SIGNED, f"{told}: {wrong.hint}") from None
        raise


@exercise(5, "Sample by magnitude")
def magnitude_draw(answer: Callable[..., Any]) -> None:
    """Grade ``magnitude_draw(g, rng)``: (i, p), a path drawn with probability p = |g_i| / sum |g_j|, the best there is.

    >>> from tinyspad import check
    >>> check.magnitude_draw(lambda g, rng: (int(abs(g).argmax()), 1.0)).misconception
    'greedy bias'
    """
    told, draws, rng = "magnitude_draw([3, -1, 6], rng)", 3000, np.random.default_rng(0)
    p, seen = np.abs(G) / np.sum(np.abs(G)), []
    check_rng(lambda rng: _drawn(answer, rng, told), told=told)
    for _ in range(draws):
        i, told_p = (
            number(part, told) for part in pair(_drawn(answer, rng, told), told, "an index, and its probability")
        )
        if i not in (0, 1, 2):
            raise Wrong(
                "another value", "The first part is the index of a path, here 0, 1 or 2.", f"{told} gave {i:g}."
            )
        seen.append((int(i), told_p))
    index = np.array([i for i, _ in seen])
    shares = np.bincount(index, minlength=3)[:3] / draws
    example = (
        f"{told}, {draws} times: {', '.join(f'path {i} in {s:.1%}' for i, s in enumerate(shares))}; expected 30, 10, "
        "60 %."
    )

    if np.max(shares) == 1 and shares[2] < 1:
        raise Wrong("always the same path", "Draw the path at random, from the rng that is handed over.", example)
    if np.max(shares) == 1:
        raise Wrong(
            "greedy bias",
            "It always takes the largest. Then the others never count, and no factor can make the mean right. Draw, "
            "with probabilities in proportion to |g|.",
            example,
        )
    if near(shares, np.full(3, 1 / 3), draws):
        raise Wrong("uniform", "Every path is drawn equally often. Hand p = |g| / sum |g| to rng.choice.", example)
    if near(shares, G**2 / np.sum(G**2), draws):
        raise Wrong("squares", "The probabilities follow g**2. The variance is least for |g|.", example)
    if near(shares, np.exp(np.abs(G)) / np.sum(np.exp(np.abs(G))), draws):
        raise Wrong("softmax", "The probabilities follow exp(|g|): divide |g| by its sum instead.", example)
    if near(shares, np.maximum(G, 0) / np.sum(np.maximum(G, 0)), draws):
        raise Wrong("negative probabilities", SIGNED, example)
    if not near(shares, p, draws):
        raise Wrong("another distribution", "p_i = |g_i| / sum |g_j|.", example)
    for i, told_p in seen:
        if abs(told_p - p[i]) > 1e-6:
            raise Wrong(
                "tells another probability",
                "The second part is the probability of the path that was drawn, which the caller divides by.",
                f"{told} gave ({i}, {told_p:.4g}); path {i} has probability {p[i]:.4g}.",
            )


@exercise(5, "The best epsilon")
def best_epsilon(answer: Callable[..., Any]) -> None:
    """Grade ``best_epsilon(g)``: the epsilon of least variance for the almost-Dirac distribution (5) on the largest |g|.

    The second moment is a**2/(1 - eps) + b**2/eps, with a = max |g| and b**2 = (N - 1) times the sum of the other
    squares. Where is its derivative zero?

    >>> from tinyspad import check
    >>> check.best_epsilon(lambda g: 0.1).misconception
    'another value'
    """
    for g in (np.array([3.0, -1.0, 6.0]), np.array([1.0, -10.0, 2.0]), np.array([1.0, 1.0, 1.0, 1.0])):
        size = np.sort(np.abs(g))[::-1]
        a, rest, n = float(size[0]), float(np.sum(size[1:] ** 2)), len(g)
        b = np.sqrt((n - 1) * rest)
        told = f"best_epsilon({g.tolist()})"
        signed = float(np.max(g))
        of_signed = np.sqrt((n - 1) * max(float(np.sum(g**2)) - signed**2, 0.0))
        tells = {
            "forgets the magnitude": (
                of_signed / (signed + of_signed),
                f"The largest in magnitude is meant: a = max |g|, here {a:g}.",
            ),
            "the other way round": (a / (a + b), "That is 1 - epsilon. Large a means: seldom leave it."),
            "forgets N - 1": (
                np.sqrt(rest) / (a + np.sqrt(rest)),
                "epsilon is shared by N - 1 other paths, each drawn with epsilon / (N - 1): b**2 has the factor N - 1.",
            ),
            "forgets the root": (
                b * b / (a * a + b * b),
                "Setting the derivative to zero gives a/(1 - eps) = b/eps: roots, not squares.",
            ),
            "drops ties": (
                np.sqrt((n - 1) * float(np.sum(size[size < a] ** 2)))
                / (a + np.sqrt((n - 1) * np.sum(size[size < a] ** 2))),
                "Only one path is the largest; others of the same size belong to the rest.",
            ),
            "counts the largest twice": (
                np.sqrt((n - 1) * (rest + a * a)) / (a + np.sqrt((n - 1) * (rest + a * a))),
                "b**2 is made of the other paths' squares: leave out the largest.",
            ),
        }
        expect(call(answer, g, told=told), b / (a + b), told, tells, "Differentiate a**2/(1 - eps) + b**2/eps by eps.")
