"""Exercises of tutorial 04: GD, RAD and SPAD on f1."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import said
from ..functions import f1
from ..optimize import minimize
from ..optimizers import Adam
from .answer import call, check_rng
from .verdict import Wrong, exercise, expect, near, number, plain, same, show


def _terms(x: float) -> Any:
    """The terms of a made-up gradient: below x = 2 the second one is larger than the first, and negative."""
    return np.array([1.5 * x, -x - 1.0, 0.5])


def _followed(way: Any, lr: float, told: str) -> list[int]:
    """Which path every step of a run took."""
    way = plain(way)
    if not isinstance(way, (list, tuple, np.ndarray)) or len(way) < 2:
        raise Wrong("stops early", "Return every position of the run, the start first.", f"{told} gave {show(way)}.")
    x = [number(place, told) for place in way]
    return [int(np.argmin(np.abs((a - b) / lr - _terms(a)))) for a, b in itertools.pairwise(x)]


def _walk(x: float, steps: int, k_max: int, lr: float, pick: Callable[[Any], int], held: str = "index") -> list[float]:
    """The positions of a run that picks a path every k_max steps and holds it: by its index, or (wrongly) by its value."""
    way, i, value = [x], 0, 0.0
    for t in range(steps):
        g = _terms(x)
        if t % k_max == 0:
            i = pick(g)
            value = g[i]
        x = x - lr * float(np.sum(g) if held == "all" else value if held == "value" else g[i])
        way.append(x)
    return way


@exercise(
    4,
    "Write SPAD's Algorithm 2",
    idea="What is held between choices is the number of a path. Choose when step % k_max == 0; take the step along "
    "the chosen "
    "path's contribution at the present x, each time.",
    formula="c = rng.choice(len(g), size=m, replace=False); held = c[np.argmax(np.abs(g[c]))]; x = x - lr * g[held], "
    "with g = "
    "contributions(x).",
)
# long, as a grader asks one thing after the other, each with its hint
def spad(answer: Callable[..., Any]) -> None:
    """Grade ``spad(contributions, x, steps, k_max, m, lr, rng)``: the positions of a run of the paper's Algorithm 2.

    ``contributions(x)``: the array of the N path gradients at x. Every ``k_max`` steps draw ``m`` different paths with
    ``rng.choice(N, size=m, replace=False)``, keep the one of largest magnitude *there*, and follow this path for k_max
    steps: x <- x - lr * (its contribution at the present x). Returns the list of all positions, steps + 1 of them, the
    start first.

    >>> from tinyspad import check
    >>> check.spad(lambda contributions, x, steps, k_max, m, lr, rng: [x]).misconception
    'stops early'
    """
    start, steps, k_max, lr = 4.0, 7, 3, 0.3

    def largest(g: Any) -> int:
        return int(np.argmax(np.abs(g)))

    told = f"spad(contributions, {start:g}, {steps}, {k_max}, 3, {lr:g}, rng), all 3 paths being candidates,"
    got = call(answer, _terms, start, steps, k_max, 3, lr, np.random.default_rng(0), told=told)
    want = _walk(start, steps, k_max, lr, largest)
    got = plain(got) if not isinstance(got, np.ndarray) else got
    size = len(got) if isinstance(got, (list, np.ndarray)) else 0
    if size < steps:
        example = f"{told} gave {show(got)}; expected {steps + 1} positions."
        raise Wrong("stops early", "Return every position of the run, the start first.", example)
    if size == steps:
        hint = "There are steps + 1 positions: the start, and one after each step."
        if same(got[0], start):
            hint = "An end is missing: steps need not be a multiple of k_max, so the last hold may be shorter."
        raise Wrong("leaves out an end", hint, f"{told} gave {steps}.")
    once, twice = np.random.default_rng(0), np.random.default_rng(0)
    tells = {
        "place for path": (
            _walk(start, steps, k_max, lr, lambda g: largest(g[once.choice(3, size=3, replace=False)])),
            "argmax gives a place among the candidates, and the path is candidates[place].",
        ),
        "candidates repeat": (
            _walk(start, steps, k_max, lr, lambda g: (c := twice.choice(3, size=3))[largest(g[c])]),
            "The m candidates are different paths: replace=False.",
        ),
        "does not hold": (
            _walk(start, steps, 1, lr, largest),
            "It chooses anew at every step. A path is kept for k_max steps, even when another one has become larger.",
        ),
        "holds for ever": (
            _walk(start, steps, steps + 1, lr, largest),
            "It never chooses again, or compares at the first x. Every k_max steps, compare candidates at the "
            "present x.",
        ),
        "holds the number, not the path": (
            _walk(start, steps, k_max, lr, largest, "value"),
            "It goes on with the old number. What is held is the choice of path; its contribution is computed at "
            "the present x.",
        ),
        "forgets the magnitude": (
            _walk(start, steps, k_max, lr, lambda g: int(np.argmax(g))),
            "It takes the largest contribution, but -1.7 is larger in magnitude than 1 (||g|| in line 10 of "
            "Algorithm 2).",
        ),
        "follows all paths": (
            _walk(start, steps, k_max, lr, largest, "all"),
            "That is gradient descent: it adds up all contributions. SPAD follows the chosen one alone.",
        ),
        "walks uphill": (
            _walk(start, steps, k_max, -lr, largest),
            "The step goes against the gradient: x - lr * g.",
        ),
        "takes the smallest": (
            _walk(start, steps, k_max, lr, lambda g: int(np.argmin(np.abs(g)))),
            "argmax, not argmin.",
        ),
    }
    expect(
        [number(x, told) for x in got], want, told, tells, "Write down x and the chosen path step by step, and compare."
    )
    told = f"spad(contributions, {start:g}, 6, 1, 1, {lr:g}, rng)"
    check_rng(lambda rng: call(answer, _terms, start, 6, 1, 1, lr, rng, told=told), told=told)
    ways = [call(answer, _terms, start, 6, 1, 1, lr, np.random.default_rng(seed), told=told) for seed in range(20)]
    if all(len(set(_followed(way, lr, told))) == 1 for way in ways):
        raise Wrong(
            "draws candidates once",
            "One and the same path is followed to the end of the run, though k_max is 1. Candidates are drawn again "
            "every k_max steps, not once before the loop.",
            f"In 20 runs of {told} the path never changed.",
        )
    told = f"spad(contributions, {start:g}, 1, 1, 2, {lr:g}, rng)"
    rng = np.random.default_rng(1)
    pairs = [_followed(call(answer, _terms, start, 1, 1, 2, lr, rng, told=told), lr, told)[0] for _ in range(300)]
    shares = np.bincount(pairs, minlength=3)[:3] / len(pairs)
    example = f"{told}, 300 times: path 0 in {shares[0]:.0%}, path 1 in {shares[1]:.0%}, path 2 in {shares[2]:.0%}."
    if shares.max() == 1:
        raise Wrong(
            "ignores m", "With m = 2 of 3 the largest path is a candidate in two of three draws, not always.", example
        )
    if not near(shares, [2 / 3, 1 / 3, 0], len(pairs)):
        raise Wrong(
            "other candidates",
            "With two different candidates of three, the largest path is followed in 2/3 of the draws, the middle "
            "one in 1/3, the smallest never.",
            example,
        )
    for n in (5, 6, 2, 1):
        _check_number(answer, n)
    first = []
    rng = np.random.default_rng(1)
    told = f"spad(contributions, {start:g}, 1, 1, 1, {lr:g}, rng)"
    for _ in range(300):
        first += _followed(call(answer, _terms, start, 1, 1, 1, lr, rng, told=told), lr, told)
    shares = np.bincount(first, minlength=3) / len(first)
    example = f"{told}, 300 times: path 0 in {shares[0]:.0%}, path 1 in {shares[1]:.0%}, path 2 in {shares[2]:.0%}."
    if shares.max() == 1:
        raise Wrong(
            "ignores m", "With m = 1 there is nothing to compare: SPAD is RAD then, a random path each time.", example
        )
    if not near(shares, np.full(3, 1 / 3), len(first)):
        raise Wrong("unequal candidates", "Every path must be as likely a candidate as any other.", example)


def _check_number(answer: Callable[..., Any], n: int) -> None:
    """Raise Wrong unless with n paths, all of them candidates, it follows the largest, whatever n and k_max are."""
    sizes = np.random.default_rng(n).permutation(np.arange(1.0, n + 1)) * np.where(np.arange(n) % 2, -1.0, 1.0)

    for x, lr, steps, k_max, scale in (
        (2.0, 0.05, 5, 2, 1.0),
        (2.0, 0.05, 0, 2, 1.0),
        (2.0, 1e-3, 3, 10, 50.0),
        (0.0, 0.05, 4, 2, 0.0),
    ):
        _check_run(answer, sizes * scale, x, lr, steps, k_max)


def _check_run(answer: Callable[..., Any], sizes: Any, x: float, lr: float, steps: int, k_max: int) -> None:
    n = len(sizes)

    def contributions(x: float) -> Any:
        return sizes * (1.0 + 0.1 * x)

    told = (
        f"spad(contributions, {x:g}, {steps}, {k_max}, {n}, {lr:g}, rng) with {n} path{'s' * (n != 1)}, all candidates,"
    )
    got = call(answer, contributions, x, steps, k_max, n, lr, np.random.default_rng(0), told=told)
    want = [x]
    for _ in range(steps):
        want.append(want[-1] - lr * float(contributions(want[-1])[np.argmax(np.abs(sizes))]))
    hint = "The number of paths is len(contributions(x)), whatever it is; the largest of all is followed here."
    expect(got, want, told, {}, hint)


@exercise(
    4,
    "Escape from the local minimum",
    idea="The larger term always leads back into the trap. Which estimator follows one term by chance, and for how "
    "long must it "
    "be followed to get over the hill?",
    formula="A random path that is held for some tens of steps: look at hold= of ts.RAD.",
)
def escape(answer: Callable[[], Any]) -> None:
    """Grade ``escape()``: an estimator with which f1 gets from x = 5 below 0.05 within 1000 steps of Adam at lr 0.1.

    It is run 20 times, and has to arrive in 18 of them.

    >>> import tinyspad as ts
    >>> from tinyspad import check
    >>> check.escape(lambda: ts.GD()).misconception
    'trapped'
    """
    estimator = call(answer, told="escape()")
    if not hasattr(estimator, "draw") or isinstance(estimator, type):
        raise Wrong(
            "no estimator", "Return an estimator, such as ts.RAD(): with brackets.", f"escape() gave {estimator!r:.60}."
        )
    try:
        result = minimize(
            f1, np.full(20, 5.0), estimator=estimator, optimizer=Adam(lr=0.1), steps=1000, rng=0, every=None
        )
    except Exception as problem:
        raise Wrong("cannot run", f"minimize raised {said(problem)}", f"With {show(estimator)}.") from None
    arrived = int(np.sum(result.value < 0.05))
    if arrived >= 18:
        return
    x = np.abs(np.asarray(result.x, float))
    example = f"With {estimator!r} {arrived} of 20 runs arrive; the median ends at x = {np.median(x):.3f}."
    if np.ptp(x) < 1e-9 and abs(x[0] - 5.4748) < 5e-4:
        raise Wrong(
            "trapped",
            "All runs end at the same place, where the terms of the gradient cancel. Neither of them is zero there: "
            "follow one.",
            example,
        )
    if np.ptp(x) < 1e-9 and abs(x[0] - 5.498) < 5e-3:
        raise Wrong(
            "one term's own trap",
            "That term alone is trapped as well, at a minimum of its own. Try the other.",
            example,
        )
    if np.median(x) > 5.2 and getattr(estimator, "m", 1) != 1:
        raise Wrong(
            "downhill again",
            "The larger of two terms has the sign of their sum, so every choice leads downhill, back into the trap. "
            "Hold it long enough to be carried over the hill, or leave the choice to chance.",
            example,
        )
    hold = max(getattr(estimator, "hold", 1), getattr(estimator, "k_max", 1))
    if np.median(x) > 5.2 and hold < 20:
        raise Wrong(
            "averaged away",
            "A path that is chosen anew at every step does not get far: Adam averages over about ten steps, and the "
            "mean of the terms is half the gradient. Hold what was chosen for longer than that.",
            example,
        )
    if hold > 300:
        hint = (
            "It draws too seldom: a run that begins with the wrong term hardly gets a second chance within 1000 steps."
        )
        raise Wrong("holds too long", hint, example)
    raise Wrong("too few arrive", "Some get out, not enough of them. For how many steps is a path held?", example)
