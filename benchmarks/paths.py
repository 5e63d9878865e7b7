"""What the path algebra costs per edge, on random layered graphs of 1000 to a million edges.

    python -m benchmarks.paths [--small]

Two families: "deep" graphs have layers of 10 nodes, ever more of them; "wide" ones have 20 layers, ever wider. Every node
but the last has three out-edges. A time is the least of three; the draws include what they need to know about the graph.
The last line of a family is the largest time per edge over the smallest. In the deep family everything grows with the
number of edges, so that is the honest one for draws, whose length is the depth. Three things are not constant, and why:
counts of deep graphs are whole numbers of tens of thousands of bits; the largest product of the deepest graph is beyond
the floats, so that logarithms are compared; and 1000 draws from a small wide graph cost more than its edges.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.graphs import layered
from tinyspad import paths as algebra
from tinyspad.paths import Graph

DRAWS = 1000


def questions(graph: Graph, draws: int) -> dict[str, Callable[[], Any]]:
    """What is asked of a graph, by name."""

    def drawn(chances: Any) -> Any:
        return algebra.draw_many(graph, 0, np.random.default_rng(0), chances, draws)

    return {
        "count": lambda: algebra.sweep(graph, algebra.COUNT, forget=True)[0],
        "gradient": lambda: algebra.sweep(graph, algebra.GRADIENT)[0],
        "best path": lambda: algebra.best(graph, 0, algebra.largest_sizes(graph)),
        f"{draws} uniform": lambda: drawn(algebra.by_path(graph)),
        f"{draws} by magnitude": lambda: drawn(algebra.by_magnitude(graph)),
        "5 best": lambda: algebra.top(graph, 0, 5),
        "moments": lambda: algebra.moments(graph, 0, algebra.by_magnitude(graph), True),
        "entropy": lambda: algebra.sweep(graph, algebra.ENTROPY)[0],
    }


def seconds(question: Callable[[], Any], repeats: int = 3) -> float:
    """The least of some runs."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        question()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a few hundred edges, for the tests")
    small = parser.parse_args().small
    sizes, draws = ([300, 600], 10) if small else ([10**3, 10**4, 10**5, 10**6], DRAWS)
    for family in ("deep", "wide"):
        print(f"\n{family}: nanoseconds per edge")
        times: dict[str, list[float]] = {}
        for size in sizes:
            width, layers = (10, size // 30) if family == "deep" else (max(3, size // 60), 20)
            graph = layered(width, layers, 3, np.random.default_rng(size))
            edges = len(graph.head)
            asked = questions(graph, draws)
            if not times:
                print("edges".rjust(10) + "".join(name.rjust(20) for name in asked))
            row = [seconds(question) / edges * 1e9 for question in asked.values()]
            for name, t in zip(asked, row):
                times.setdefault(name, []).append(t)
            print(f"{edges:10d}" + "".join(f"{t:20.0f}" for t in row), flush=True)
        print("max / min".rjust(10) + "".join(f"{max(t) / min(t):20.2f}" for t in times.values()))


if __name__ == "__main__":
    main()
