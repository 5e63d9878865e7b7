"""How good are the unbiased estimators of one path, exactly, over 200 random layered graphs?

    python -m benchmarks.variance [--small] [--out FILE]

For each graph the exact second moments E[ghat**2], without listing a path: uniform (RAD, normalised), almost-Dirac on the
largest path at epsilon 0.1 and at its best epsilon (SPAD, Algorithm 1 of the paper), and by magnitude. They are compared
with the uniform draw. The result is in benchmarks/variance.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.graphs import layered
from benchmarks.report import print_table
from tinyspad.paths import MAGNITUDE, SPLIT, SQUARES, Structure, sweep
from tinyspad.table import Table


def second_moments(structure: Structure, weight: list[Any], epsilon: float = 0.1) -> dict[str, float]:
    """E[ghat**2] of each estimator, the best epsilon, and the number of paths; three sweeps.

    >>> two = Structure.of([[(1, 3.0), (1, 1.0)], []], 1)
    >>> {name: round(value, 6) for name, value in second_moments(*two).items()}
    {'paths': 2, 'uniform': 20.0, 'almost-Dirac': 20.0, 'best epsilon': 0.25, 'at best': 16.0, 'magnitude': 16.0}
    """
    largest, _, others = sweep(structure, weight, SPLIT)[0]
    n = others.number + 1
    a, b = abs(largest), others.number * np.hypot(others.deviation, others.mean)
    return {
        "paths": n,
        "uniform": n * sweep(structure, weight, SQUARES)[0],
        "almost-Dirac": a**2 / (1 - epsilon) + b**2 / epsilon,
        "best epsilon": b / (a + b),
        "at best": (a + b) ** 2,
        "magnitude": sweep(structure, weight, MAGNITUDE)[0] ** 2,
    }


def graphs(number: int, seed: int = 0) -> list[tuple[Structure, list[Any]]]:
    """Layered graphs of 2 to 6 layers, 2 to 8 nodes wide, 2 to 4 edges a node: from a handful of paths to thousands."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        layers, width, degree = (int(rng.integers(low, high + 1)) for low, high in ((2, 6), (2, 8), (2, 4)))
        found.append(layered(width, layers, degree, rng))
    return found


def report(number: int) -> str:
    """The table in Markdown."""
    rows = [second_moments(*graph) for graph in graphs(number)]
    column: dict[str, Any] = {name: np.array([row[name] for row in rows], float) for name in rows[0]}
    n, uniform = column["paths"], column["uniform"]
    titles = {
        "almost-Dirac": "almost-Dirac, epsilon 0.1",
        "at best": "almost-Dirac, best epsilon",
        "magnitude": "magnitude",
    }
    told = []
    for name, title in titles.items():
        ratio = column[name] / uniform
        better = f"{int(np.sum(ratio < 1 - 1e-12))} of {number}"
        told.append([title, np.median(ratio), ratio.min(), ratio.max(), better])
    head = ("estimator", "E[ghat**2] / uniform: median", "least", "most", "better than uniform")
    lines = [
        "# The variance of one-path estimators",
        "",
        f"Second moments of unbiased one-path estimators, exact, over {number} random layered graphs",
        f"with {n.min():.0f} to {n.max():.0f} paths (median {np.median(n):.0f}); `python -m benchmarks.variance`.",
        "",
        Table(head, told, ("", *[".3f"] * 3)).markdown(),
    ]
    least = np.all(
        [column["magnitude"] <= column[name] * (1 + 1e-12) for name in ("uniform", "almost-Dirac", "at best")], 0
    )
    gap = 1 - column["best epsilon"]
    few, many = n <= np.median(n), n > np.median(n)
    lines += [
        "",
        f"- Magnitude is the least of the four on {int(np.sum(least))} of {number} graphs.",
        f"- The best epsilon has median {np.median(column['best epsilon']):.3f}: it takes the largest path with probability "
        f"{np.median(gap[few]):.3f} on the half of the graphs with fewer paths and {np.median(gap[many]):.4f} on the other; "
        f"a uniform draw would with {np.median(1 / n[few]):.3f} and {np.median(1 / n[many]):.4f}.",
        f"- At its best epsilon, almost-Dirac is {1 - np.median(column['at best'][few] / uniform[few]):.1%} better than "
        f"uniform on the first half and {1 - np.median(column['at best'][many] / uniform[many]):.1%} on the second.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print_table(__doc__, report, small=10, whole=200)
