"""Sections I and II: what can be shown exactly."""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import functions
from ..estimators import SPAD
from ..experiments.white_box import median_interval
from ..lcg import trace
from ..optimize import minimize
from ..optimizers import Adam
from ..table import Interval
from .claim import FAILS, HOLDS, Claim, Numbers, Setting, table, tiny
from .points import PROBLEMS, lcgs
from .variances import CLAIMS as VARIANCES

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
        "points": len(points), "paths": paths, "apart": apart, "f1 apart": f1_apart,
        "g1": float(at5[0]), "g2": float(at5[1]), "program": str(trace(functions.f2, 1.0, 2.0)),
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
        f"{n['g1']:.3f} and {n['g2']:.3f}. The program of f2 is that of Figure 5:\n\n```text\n{n['program']}\n```\n\n"
        "One thing the paper does not say: the decomposition belongs to the *program*. `x * x` has "
        f"{n['paths of x*x and x**2'][0]} paths, `x**2` has {n['paths of x*x and x**2'][1]}; so RAD and SPAD "
        "depend on how a function is written."
    ),
)


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
            "share": list(median_interval(share)),
            "fair": float(np.median(fair.max(axis=1))),
        }
    return {"runs": runs, "steps": steps, "functions": found}


AVERAGE = Claim(
    "average",
    "Section II-A, after eq. (3)",
    "The average of p over the iterations tends to 1/N, so that the estimator becomes unbiased over the iterations.",
    FAILS,
    lambda n: (
        "not for an argmax: one path is followed in "
        + ", ".join(f"{f['share'][0]:.0%} ({name}, N = {f['paths']})" for name, f in n["functions"].items())
        + " of the steps"
    ),
    measure_average,
    lambda n: max(f["share"][1] / f["fair"] for f in n["functions"].values()) > 1.5,
    lambda n: (
        "Nothing makes the argmax visit all paths alike. How often SPAD (k_max 5, all paths as candidates) "
        f"follows its most followed path of x, median of {n['runs']} runs of {n['steps']} steps, with its 95 % interval:\n\n"
        + table(
            ("function", "paths", "share of the most followed path", "the same, if holds were drawn uniformly"),
            [
                [name, f["paths"], f"{Interval(*f['share']):.2f}", f"{f['fair']:.2f}"]
                for name, f in n["functions"].items()
            ],
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
        "best": float(best.gradient), "by hand": math.prod(0.6 + 0.001 * i for i in range(200)),
    }  # fmt: skip


BEST_PATH = Claim(
    "best-path",
    "Section II-B",
    "Finding the exact best path implies to evaluate all possible paths.",
    FAILS,
    lambda n: f"one sweep over {n['edges']} edges finds the best of 2^200 paths",
    measure_best_path,
    lambda n: n["agree"] == n["tried"] and abs(n["best"] / n["by hand"] - 1) < 1e-9 and int(n["paths"]) == 2**200,
    lambda n: (
        "The largest product along a path is found by a sweep with the maximum in place of the sum, as shortest "
        "paths are (`lcg.best_path`, O(edges); the max-product view of backpropagation: Du et al. 2023). "
        f"It agrees with a listing in {n['agree']} of {n['tried']} derivatives of the paper's functions. On a "
        f"program with {n['edges']} edges and 2^200 paths it gives {n['best']:.6g}, the product that is known there. "
        "So SPAD with *all* paths as candidates costs one more sweep every k_max steps; m is needed only through "
        "linear maps, where a size is a norm."
    ),
)

CLAIMS: list[Claim] = [DECOMPOSITION, *VARIANCES, AVERAGE, BEST_PATH]
