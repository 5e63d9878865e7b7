"""Definition 1 and Algorithms 1 and 2: bias and variance of the estimators, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functions
from ..estimators import RAD, SPAD, Magnitude
from ..experiments.white_box import median_interval
from ..lcg import LCG, trace
from ..table import Interval
from .claim import CONDITIONS, Claim, Numbers, Setting, table, tiny
from .points import PROBLEMS, Array, lcgs, starts

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


ESTIMATES = ("almost-Dirac, epsilon 0.1", "almost-Dirac, best epsilon", "by magnitude")


def measure_variance(setting: Setting) -> Numbers:
    points, programs = (200, 20) if setting.small else (20_000, 200)
    rng = np.random.default_rng(1)
    cases = [(name, trace(functions.ALL[name], *starts(name, points, rng))) for name in PROBLEMS]
    cases += [("random programs", layered_program(rng)) for _ in range(programs)]
    found: dict[str, dict[str, list[float]]] = {}
    most: dict[str, int] = {}
    bias = 0.0
    for family, lcg in cases:
        for param in lcg.params:
            g = lcg.path_gradients(param)
            kept = np.atleast_1d(np.abs(g).sum(axis=0) > 1e-100)
            if len(g) < 2 or not kept.any():
                continue
            most[family] = max(most.get(family, 0), len(g))
            ratios, off = mean_squares(lcg, param, g)
            bias = max(bias, float(off[kept].max()))
            of = found.setdefault(family, {name: [] for name in ESTIMATES})
            for name, ratio in zip(ESTIMATES, ratios):
                of[name] += ratio[kept].tolist()
    return {
        "bias": bias,
        "families": {
            family: {
                "paths": most[family],
                **{
                    name: {
                        "cases": len(v), "median": list(median_interval(v)), "range": [min(v), max(v)],
                        "worse": sum(x > 1 + 1e-9 for x in v),
                    }
                    for name, v in of.items()
                },
            }
            for family, of in found.items()
        },
    }  # fmt: skip


def mean_squares(lcg: LCG, param: str, g: Array) -> tuple[list[Array], Array]:
    """Mean squares of the estimates, over a uniform draw's; and the largest bias of these, in parts of the sum of sizes.

    ``g``: (paths, points), or (paths,). The best epsilon's is (a + b)**2, a the largest size, b**2 = (N - 1) times the sum
    of the other squares.
    """
    sizes = np.abs(g)
    largest = sizes.max(axis=0)
    rest = np.maximum((len(g) - 1) * ((sizes**2).sum(axis=0) - largest**2), 0.0)
    estimators = {"0.1": SPAD(epsilon=0.1, normalize=True), "size": Magnitude(), "uniform": RAD(normalize=True)}
    mean_square = {name: np.atleast_1d(e.second_moment(lcg, param)) for name, e in estimators.items()}
    off = np.zeros_like(mean_square["uniform"])
    for estimator in estimators.values():
        p = estimator.probabilities(lcg, param).reshape(g.shape)
        mean = (p * np.divide(g, p, out=np.zeros_like(g), where=p > 0)).sum(axis=0)
        off = np.maximum(off, np.abs(mean - lcg.adjoint(param)) / np.maximum(sizes.sum(axis=0), 1e-300))
    best = np.atleast_1d((largest + np.sqrt(rest)) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return [x / mean_square["uniform"] for x in (mean_square["0.1"], best, mean_square["size"])], off


def supremum(paths: int, epsilon: float) -> float:
    """The largest mean square of almost-Dirac over a uniform draw's: ((N - 1)**2/eps + 1/(1 - eps)) / N**2.

    Reached where all N paths have one size.
    """
    return ((paths - 1) ** 2 / epsilon + 1 / (1 - epsilon)) / paths**2


def told_variance(n: Numbers) -> str:
    rows = [
        [
            family, of["paths"], name, of[name]["cases"], f"{Interval(*of[name]['median']):.3f}",
            "{:.3f} to {:.3f}".format(*of[name]["range"]), f"{of[name]['worse'] / of[name]['cases']:.1%}",
        ]
        for family, of in n["families"].items()
        for name in ESTIMATES
    ]  # fmt: skip
    columns = ("function", "paths, at most", "estimate", "cases", "median", "range", "worse than uniform")
    bounds = ", ".join(f"{supremum(paths, 0.1):.3f} for N = {paths}" for paths in _paths(n))
    medians = {family: of[ESTIMATES[0]]["median"][0] for family, of in n["families"].items()}
    better = [family for family in PROBLEMS if medians[family] < 1]
    return (
        "Exact second moments (no sampling) at random points of the paper's four functions, and of random "
        "layered programs. The largest bias of a "
        f"normalised estimator, its mean taken over all listed paths, is {tiny(n['bias'])} of the sum of sizes: "
        "Definition 1 holds. "
        "The mean square of the estimate, over that of a uniform draw (RAD, normalised):\n\n"
        + table(columns, rows)
        + "\n\nThe range is that of these points. No point goes beyond ((N - 1)^2/epsilon + 1/(1 - epsilon))/N^2, "
        f"which is reached where all paths are of one size: at epsilon 0.1 {bounds}. By the median almost-Dirac is better "
        f"than RAD's uniform draw on {_listed(better)}; where there are many paths it is worse, since what is rarely "
        "drawn is multiplied by (N - 1)/epsilon. "
        "Its best epsilon is b/(a + b), with a the largest size and b^2 = (N - 1) times the sum of the other "
        "squares (`SPAD.best_epsilon`); the optimum over all distributions is to draw in proportion to the size, "
        "with mean square (sum of sizes)^2, by one sweep (`Magnitude`)."
    )


def _paths(n: Numbers) -> list[int]:
    """The numbers of paths on the paper's functions."""
    return sorted({n["families"][name]["paths"] for name in PROBLEMS})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _programs(n: Numbers) -> float:
    return float(n["families"]["random programs"][ESTIMATES[0]]["median"][0])


def _most(n: Numbers) -> tuple[float, int]:
    """The largest ratio at epsilon 0.1 that was met on the paper's functions, and of how many paths."""
    return max((n["families"][name][ESTIMATES[0]]["range"][1], n["families"][name]["paths"]) for name in PROBLEMS)


VARIANCE = Claim(
    "variance",
    "Definition 1, eqs. (4), (5)",
    "Dividing by the probability makes any distribution over paths unbiased, which settles the problems of a "
    "non-uniform one.",
    CONDITIONS,
    lambda n: (
        "unbiased, yes; but the mean square at epsilon 0.1 is up to {:.3g} times a uniform draw's on the paper's "
        "functions (N = {})".format(*_most(n))
        + f", where {supremum(_most(n)[1], 0.1):.4g} is the most that can be; and {_programs(n):.3g} times (median) on "
        "random programs"
    ),
    measure_variance,
    lambda n: (
        n["bias"] < 1e-9
        and _programs(n) > 2
        and _most(n)[0] > 2
        and all(of[ESTIMATES[0]]["range"][1] < supremum(of["paths"], 0.1) + 1e-9 for of in n["families"].values())
        and all(of[name]["range"][1] <= 1 + 1e-6 for of in n["families"].values() for name in ESTIMATES[1:])
    ),
    told_variance,
)


# --- Algorithms 1 and 2 ----------------------------------------------------------------------------------------------


def measure_algorithms(setting: Setting) -> Numbers:
    lcg = trace(functions.beale, 1.0, 2.0)
    n, epsilon = lcg.count_paths("x"), 0.1
    sums = {m: (1 - epsilon) + (m - 1) * epsilon / (n - 1) for m in (1, 2, n)}
    apart = 0.0
    ratios: dict[int, list[float]] = {}
    for _, each in lcgs(2 if setting.small else 25):
        for param in each.params:
            p, q = SPAD(m=1).probabilities(each, param), RAD().probabilities(each, param)
            apart = max(apart, float(np.abs(p - q).max()))
            if each.count_paths(param) > 1 and each.sweep("magnitude")[param] > 0:
                algorithm1 = SPAD(m=1, epsilon=epsilon, normalize=True).second_moment(each, param)
                ratio = float(algorithm1 / RAD(normalize=True).second_moment(each, param))
                ratios.setdefault(each.count_paths(param), []).append(ratio)
    return {
        "paths": n,
        "sums": {str(m): s for m, s in sums.items()},
        "Algorithm 2 against RAD": apart,
        "Algorithm 1 against RAD, mean square": {str(N): [min(v), max(v)] for N, v in sorted(ratios.items())},
    }


def _algorithm1(n: Numbers) -> str:
    """How many times RAD's mean square Algorithm 1's is, for each number of paths; it is one number for each."""
    found = n["Algorithm 1 against RAD, mean square"]
    return ", ".join(f"{most:.3f} (N = {paths})" for paths, (_, most) in found.items())


ALGORITHMS = Claim(
    "algorithms",
    "Algorithms 1 and 2; Section II-B",
    "Algorithm 1 draws from (p_1, ..., p_m); with m = k_max = 1 SPAD is RAD; Algorithm 2 is its practical form.",
    CONDITIONS,
    lambda n: (
        "p_1..p_m sum to less than 1 unless m = N; only Algorithm 2 becomes RAD: Algorithm 1's mean square is "
        f"{_algorithm1(n)} times RAD's"
    ),
    measure_algorithms,
    lambda n: n["sums"]["2"] < 1 and abs(n["sums"][str(n["paths"])] - 1) < 1e-12
    and n["Algorithm 2 against RAD"] < 1e-12
    and all(
        abs(x / supremum(int(paths), 0.1) - 1) < 1e-9
        for paths, ends in n["Algorithm 1 against RAD, mean square"].items() for x in ends
    ),
    lambda n: (
        f"Beale's x has {n['paths']} paths. With epsilon 0.1 the probabilities of Algorithm 1's line 15, over "
        "the m candidates, sum to "
        + ", ".join(f"{s:.4g} (m = {m})" for m, s in n["sums"].items())
        +
        ": as printed nothing is drawn now and then. `SPAD(epsilon=..., normalize=True)` draws over all N paths, "
        "as eq. (5) says. "
        "Algorithm 2's 1/p_1 is undefined; here it means no normalisation. With m = k_max = 1 Algorithm 2 *is* "
        "RAD: probabilities differ by "
        f"{tiny(n['Algorithm 2 against RAD'])}. Algorithm 1 is not: its paths are uniform, but its weights are "
        "not, and the mean square of its estimate is, everywhere on the paper's functions, "
        f"{_algorithm1(n)} times RAD's."
    ),
)  # fmt: skip

CLAIMS: list[Claim] = [VARIANCE, ALGORITHMS]
