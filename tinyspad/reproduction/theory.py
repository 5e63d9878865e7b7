"""Sections I and II: what can be shown exactly."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import functions
from ..estimators import RAD, SPAD, Magnitude
from ..lcg import LCG, trace
from ..optimize import minimize
from ..optimizers import Adam
from .claim import CONDITIONS, FAILS, HOLDS, Claim, Numbers, Setting, table, tiny

PROBLEMS = ("ackley", "beale", "levi", "schaffer2")
"""The paper's four functions."""


def lcgs(number: int) -> list[tuple[str, LCG]]:
    """The paper's functions, each at so many random points of its box."""
    rng, found = np.random.default_rng(0), []
    for name in PROBLEMS:
        problem = functions.ALL[name]
        for _ in range(number):
            found.append((name, trace(problem, *(float(rng.uniform(low, high)) for low, high in problem.box))))
    return found


# --- equations (1), (2), (3), (7) ------------------------------------------------------------------------------------


def measure_decomposition(setting: Setting) -> Numbers:
    apart, paths, tupled = 0.0, 0, True
    points = lcgs(5 if setting.small else 250)
    for _, lcg in points:
        lcg.validate()
        for param in lcg.params:
            g = lcg.path_gradients(param)
            scale = float(np.abs(g).sum()) or 1.0
            apart = max(apart, abs(float(g.sum()) - lcg.adjoint(param)) / scale)
            paths += len(g)
        structure = lcg.structure
        several = [e for e, copied in enumerate(structure.copies) if copied]
        tupled &= all(lcg.weight[e] == 1.0 and len(structure.branches(structure.head[e])) == 1 for e in several)
    xs = np.linspace(-6, 6, 50 if setting.small else 5000)
    g1, g2 = trace(functions.f1, xs).path_gradients("x")
    by_hand = 2 * xs * (2 + np.cos(4 * xs)), -4 * xs**2 * np.sin(4 * xs)
    f1_apart = float(max(np.abs(g1 - by_hand[0]).max(), np.abs(g2 - by_hand[1]).max()))
    at5 = trace(functions.f1, 5.0).path_gradients("x")
    return {
        "points": len(points), "paths": paths, "apart": float(f"{apart:.1g}"), "f1 apart": float(f"{f1_apart:.1g}"),
        "g1": round(float(at5[0]), 3), "g2": round(float(at5[1]), 3), "program": str(trace(functions.f2, 1.0, 2.0)),
        "paths of x*x and x**2": [trace(lambda x: x * x, 3.0).count_paths(), trace(lambda x: x**2, 3.0).count_paths()],
        "only tupling nodes branch": tupled,
    }  # fmt: skip


DECOMPOSITION = Claim(
    "decomposition",
    "Eqs. (1), (2), (3), (7); Definitions 2, 3; Figures 1, 4, 5, 6",
    "The gradient is the sum over paths of products of local derivatives; after tupling (single access) a path "
    "is a choice of branch "
    "at each tupling node. For f1 it has the two terms of eq. (3).",
    HOLDS,
    lambda n: "sums agree with reverse mode " + (f"to {tiny(n['apart'])}" if n["apart"] else "to the last bit"),
    measure_decomposition,
    lambda n: n["apart"] < 1e-12 and n["f1 apart"] < 1e-12 and n["only tupling nodes branch"],
    lambda n: (
        f"At {n['points']} random points of the paper's four functions all {n['paths']} paths are listed. Their "
        "sum differs from reverse "
        f"mode by at most {tiny(n['apart'])} of the sum of sizes. f1's two terms are those of eq. (3), to "
        f"{tiny(n['f1 apart'])}; at x = 5 they are "
        f"{n['g1']} and {n['g2']}. The program of f2 is that of Figure 5:\n\n```text\n{n['program']}\n```\n\n"
        "One thing the paper does not say: the decomposition belongs to the *program*. `x * x` has "
        f"{n['paths of x*x and x**2'][0]} paths, `x**2` has {n['paths of x*x and x**2'][1]}; so RAD and SPAD "
        "depend on how a function is written."
    ),
)


# --- Definition 1, eq. (4), eq. (5) ----------------------------------------------------------------------------------


def layered_program(rng: np.random.Generator) -> LCG:
    """A random program of 2 to 6 layers of 2 to 8 variables, each the weighted sum of 2 to 4 of the layer before."""
    layers, width, degree = (int(rng.integers(low, high + 1)) for low, high in ((2, 6), (2, 8), (2, 4)))
    read = rng.integers(width, size=(layers, width, degree))
    weight = rng.normal(size=(layers, width, degree)) / np.sqrt(degree)
    ends = rng.normal(size=(2, width))

    def program(x: Any) -> Any:
        variables = [float(w) * x for w in ends[0]]
        for reads, weights in zip(read.tolist(), weight.tolist()):
            variables = [sum(w * variables[r] for r, w in zip(*one)) for one in zip(reads, weights)]
        return sum(float(w) * v for w, v in zip(ends[1], variables))

    return trace(program, 1.0)


def measure_variance(setting: Setting) -> Numbers:
    rng = np.random.default_rng(1)
    cases = [
        *lcgs(5 if setting.small else 50),
        *(("random programs", layered_program(rng)) for _ in range(20 if setting.small else 200)),
    ]
    rows: dict[str, dict[str, list[float]]] = {}
    bias = 0.0
    for family, lcg in cases:
        for param in lcg.params:
            scale = float(lcg.sweep("magnitude")[param])
            if lcg.count_paths(param) < 2 or not 1e-100 < scale < 1e100:
                continue
            base = RAD(normalize=True).second_moment(lcg, param)
            best = min(max(float(SPAD.best_epsilon(lcg, param)), 1e-9), 1 - 1e-9)
            estimators = (SPAD(epsilon=0.1, normalize=True), SPAD(epsilon=best, normalize=True), Magnitude())
            kept = rows.setdefault(family, {name: [] for name in ESTIMATES})
            for name, estimator in zip(ESTIMATES, estimators):
                kept[name].append(float(estimator.second_moment(lcg, param) / base))
            g = lcg.path_gradients(param)
            for estimator in (estimators[0], estimators[2], RAD(normalize=True)):
                p = estimator.probabilities(lcg, param)
                mean = float((p * np.divide(g, p, out=np.zeros_like(g), where=p > 0)).sum())
                bias = max(bias, abs(mean - lcg.adjoint(param)) / scale)
    return {
        "bias": float(f"{bias:.1g}"),
        "families": {
            family: {
                name: [
                    len(v),
                    *(round(float(x), 3) for x in (np.median(v), min(v), max(v), np.mean(np.array(v) > 1 + 1e-9))),
                ]
                for name, v in found.items()
            }
            for family, found in rows.items()
        },
    }


ESTIMATES = ("almost-Dirac, epsilon 0.1", "almost-Dirac, best epsilon", "by magnitude")


def told_variance(n: Numbers) -> str:
    rows = [
        [family, name, cases, median, f"{least} to {most}", f"{100 * worse:.0f} %"]
        for family, found in n["families"].items()
        for name, (cases, median, least, most, worse) in found.items()
    ]
    return (
        "Exact second moments (no sampling) at random points of the paper's four functions, and of random "
        "layered programs. The largest bias of a "
        f"normalised estimator, its mean taken over all listed paths, is {tiny(n['bias'])} of the sum of sizes: "
        "Definition 1 holds. "
        "The mean square of the estimate, over that of a uniform draw (RAD, normalised):\n\n"
        + table(("function", "estimate", "cases", "median", "range", "worse than uniform"), rows)
        + "\n\nOn the paper's functions, with two paths (six on Beale), almost-Dirac at epsilon 0.1 is mostly "
        "better than RAD's uniform draw (not on Ackley), and sometimes several times worse; where there are many "
        "paths it is "
        "worse throughout, since what is rarely drawn is multiplied by (N - 1)/epsilon. "
        "Its best epsilon is b/(a + b), with a the largest size and b^2 = (N - 1) times the sum of the other "
        "squares (`SPAD.best_epsilon`); the optimum over all distributions is to draw in proportion to the size, "
        "with mean square (sum of sizes)^2, by one sweep (`Magnitude`)."
    )


def _programs(n: Numbers) -> float:
    return float(n["families"]["random programs"][ESTIMATES[0]][1])


VARIANCE = Claim(
    "variance",
    "Definition 1, eqs. (4), (5)",
    "Dividing by the probability makes any distribution over paths unbiased, which settles the problems of a "
    "non-uniform one.",
    CONDITIONS,
    lambda n: (
        "unbiased, yes; but the mean square at epsilon 0.1 is up to "
        f"{max(f[ESTIMATES[0]][3] for k, f in n['families'].items() if k in PROBLEMS):.1f} times a uniform "
        "draw's on the paper's functions, and "
        f"{_programs(n):.1f} times on random programs (median)"
    ),
    measure_variance,
    lambda n: (
        n["bias"] < 1e-9
        and _programs(n) > 2
        and all(found[name][3] <= 1 + 1e-6 for found in n["families"].values() for name in ESTIMATES[1:])
    ),
    told_variance,
)


# --- Algorithms 1 and 2 ----------------------------------------------------------------------------------------------


def measure_algorithms(setting: Setting) -> Numbers:
    lcg = trace(functions.beale, 1.0, 2.0)
    n, epsilon = lcg.count_paths("x"), 0.1
    sums = {str(m): (1 - epsilon) + (m - 1) * epsilon / (n - 1) for m in (1, 2, n)}
    apart, ratios = 0.0, []
    for _, each in lcgs(2 if setting.small else 25):
        for param in each.params:
            rad = RAD()
            apart = max(
                apart, float(np.abs(SPAD(m=1).probabilities(each, param) - rad.probabilities(each, param)).max())
            )
            if each.count_paths(param) > 1 and each.sweep("magnitude")[param] > 0:
                algorithm1 = SPAD(m=1, epsilon=epsilon, normalize=True).second_moment(each, param)
                ratios.append(float(algorithm1 / RAD(normalize=True).second_moment(each, param)))
    return {
        "paths": n,
        "sums": {m: round(s, 4) for m, s in sums.items()},
        "Algorithm 2 against RAD": apart,
        "Algorithm 1 against RAD, mean square": round(float(np.median(ratios)), 3),
    }


ALGORITHMS = Claim(
    "algorithms",
    "Algorithms 1 and 2; Section II-B",
    "Algorithm 1 draws from (p_1, ..., p_m); with m = k_max = 1 SPAD is RAD; Algorithm 2 is its practical form.",
    CONDITIONS,
    lambda n: "p_1..p_m sum to less than 1 unless m = N; only Algorithm 2 becomes RAD",
    measure_algorithms,
    lambda n: n["sums"]["2"] < 1 and abs(n["sums"][str(n["paths"])] - 1) < 1e-12
    and n["Algorithm 2 against RAD"] < 1e-12 and n["Algorithm 1 against RAD, mean square"] > 1.5,
    lambda n: (
        f"Beale's x has {n['paths']} paths. With epsilon 0.1 the probabilities of Algorithm 1's line 15, over "
        "the m candidates, sum to "
        + ", ".join(f"{s} (m = {m})" for m, s in n["sums"].items())
        +
        ": as printed nothing is drawn now and then. `SPAD(epsilon=..., normalize=True)` draws over all N paths, "
        "as eq. (5) says. "
        "Algorithm 2's 1/p_1 is undefined; here it means no normalisation. With m = k_max = 1 Algorithm 2 *is* "
        "RAD: probabilities differ by "
        f"{tiny(n['Algorithm 2 against RAD'])}. Algorithm 1 is not: its paths are uniform, but its weights are "
        "not, and the mean square of its estimate is "
        f"{n['Algorithm 1 against RAD, mean square']} times RAD's (median over the paper's functions)."
    ),
)  # fmt: skip


# --- "the average of p tends to 1/N" ---------------------------------------------------------------------------------


def measure_average(setting: Setting) -> Numbers:
    runs, steps, found = (20, 200, {}) if setting.small else (200, 2000, {})
    for name in PROBLEMS:
        problem = functions.ALL[name]
        rng = np.random.default_rng(0)
        start = tuple(rng.uniform(low, high, runs) for low, high in problem.box)
        result = minimize(problem, start, estimator=SPAD(k_max=5), optimizer=Adam(), steps=steps, rng=0)
        assert result.history is not None
        paths = result.history.paths["x"][:-1]
        number = trace(problem, *(float(s[0]) for s in start)).count_paths("x")
        share = [max(np.mean(run == i) for i in np.unique(run)) for run in paths.T]
        fair = np.random.default_rng(1).multinomial(steps // 5, np.full(number, 1 / number), 2000) / (steps // 5)
        found[name] = {
            "paths": number,
            "share": round(float(np.median(share)), 3),
            "fair": round(float(np.median(fair.max(axis=1))), 3),
        }
    return {"runs": runs, "steps": steps, "functions": found}


AVERAGE = Claim(
    "average",
    "Section II-A, after eq. (3)",
    "The average of p over the iterations tends to 1/N, so that the estimator becomes unbiased over the iterations.",
    FAILS,
    lambda n: (
        "not for an argmax: one path is followed in "
        + ", ".join(f"{100 * f['share']:.0f} % ({name}, N = {f['paths']})" for name, f in n["functions"].items())
        + " of the steps"
    ),
    measure_average,
    lambda n: max(f["share"] / f["fair"] for f in n["functions"].values()) > 1.5,
    lambda n: (
        "Nothing makes the argmax visit all paths alike. How often SPAD (k_max 5, all paths as candidates) "
        f"follows its most followed path of x, median of {n['runs']} runs of {n['steps']} steps:\n\n"
        + table(
            ("function", "paths", "share of the most followed path", "the same, if holds were drawn uniformly"),
            [[name, f["paths"], f"{f['share']:.2f}", f"{f['fair']:.2f}"] for name, f in n["functions"].items()],
        )
    ),
)


# --- "finding the exact best path implies to evaluate all possible paths" --------------------------------------------


def measure_best_path(setting: Setting) -> Numbers:
    agree, tried = 0, 0
    for _, lcg in lcgs(3 if setting.small else 50):
        for param in lcg.params:
            g = lcg.path_gradients(param)
            if np.all(np.isfinite(g)) and np.abs(g).max() > 0:
                tried += 1
                agree += int(np.isclose(abs(lcg.best_path(param).gradient), np.abs(g).max(), rtol=1e-12))
    lcg = trace(lambda x: functools.reduce(lambda y, i: y * 0.5 + y * (0.6 + 0.001 * i), range(200), x), 1.0)
    best = lcg.best_path("x")
    return {
        "tried": tried, "agree": agree, "edges": len(lcg.structure.head), "paths": str(lcg.count_paths("x")),
        "best": float(f"{best.gradient:.6g}"), "by hand": float(f"{math.prod(0.6 + 0.001 * i for i in range(200)):.6g}"),
    }  # fmt: skip


BEST_PATH = Claim(
    "best-path",
    "Section II-B",
    "Finding the exact best path implies to evaluate all possible paths.",
    FAILS,
    lambda n: f"one sweep over {n['edges']} edges finds the best of 2^200 paths",
    measure_best_path,
    lambda n: n["agree"] == n["tried"] and n["best"] == n["by hand"] and int(n["paths"]) == 2**200,
    lambda n: (
        "The largest product along a path is found by a sweep with the maximum in place of the sum, as shortest "
        "paths are (`lcg.best_path`, O(edges); the max-product view of backpropagation: Du et al. 2023). "
        f"It agrees with a listing in {n['agree']} of {n['tried']} derivatives of the paper's functions. On a "
        f"program with {n['edges']} edges and 2^200 paths it gives {n['best']}, the product that is known there. "
        "So SPAD with *all* paths as candidates costs one more sweep every k_max steps; m is needed only through "
        "linear maps, where a size is a norm."
    ),
)

CLAIMS: list[Claim] = [DECOMPOSITION, VARIANCE, ALGORITHMS, AVERAGE, BEST_PATH]
