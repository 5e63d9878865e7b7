"""What the path algebra costs per edge, on random layered graphs of 1000 to a million edges; it has no peer.

Two families: "deep" graphs have layers of 10 nodes, ever more of them; "wide" ones have 20 layers, ever wider. Every node
but the last has three out-edges. Weights are one array. What is asked of a graph that is "known" has been asked before, so
that wide ones are swept by level; the other questions include all that has to be found out. In the deep family everything
grows with the number of edges, so that is the honest one for draws, whose length is the depth. Two things are not
constant, and why: counts of deep graphs are whole numbers of tens of thousands of bits; the largest product of the
deepest graph is beyond the floats, so that logarithms are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinyspad import paths as algebra
from tinyspad.paths import Structure

from .graphs import layered
from .turns import Workload


def workloads(small: bool) -> Iterator[Workload]:
    sizes, draws = ([300, 600], 10) if small else ([10**3, 10**4, 10**5, 10**6], 1000)
    for family in ("deep", "wide"):
        for size in sizes:
            width, layers = (10, size // 30) if family == "deep" else (max(3, size // 60), 20)
            edges_of, weight = layered(width, layers, 3, np.random.default_rng(size))
            edges = len(edges_of.head)
            yield Workload(
                name="paths",
                case=f"{family}, {edges} edges",
                engines={name: lambda ask=ask: ask for name, ask in questions(edges_of, weight, draws).items()},
                base="tinyspad, gradient",
                unit="edge",
                units=edges,
                turns=1 if small else 2 if size == 10**6 else 3,
                seconds=0.0 if small else 0.02,
                size=edges,
            )


def questions(edges: Structure, weight: list[Any], draws: int) -> dict[str, Callable[[], None]]:
    """What is asked of a graph, by name; what is answered is the tests' business."""
    numbers = np.array(weight)

    def fresh() -> Structure:
        return Structure(edges.start, edges.tail, edges.head, edges.output)

    def drawn(by: str) -> None:
        s = fresh()
        chances = algebra.by_magnitude(s, numbers) if by == "magnitude" else algebra.by_path(s)
        algebra.draw_many(s, numbers, 0, np.random.default_rng(0), chances, draws)

    def best() -> None:
        s = fresh()
        algebra.best(s, weight, 0, algebra.largest_sizes(s, numbers))

    def top() -> None:
        s = fresh()
        algebra.top(s, weight, 0, 5, algebra.largest_sizes(s, numbers)[0])

    def moments() -> None:
        s = fresh()
        algebra.moments(s, weight, 0, algebra.by_magnitude(s, numbers), True)

    asked: dict[str, Callable[[], Any]] = {
        "gradient, known": lambda: algebra.sweep(edges, numbers, algebra.GRADIENT)[0],
        "gradient": lambda: algebra.sweep(fresh(), numbers, algebra.GRADIENT)[0],
        "count": lambda: algebra.count(fresh(), 0),
        "largest, known": lambda: algebra.sweep(edges, numbers, algebra.LARGEST)[0],
        f"{draws} uniform, known": lambda: algebra.draw_many(
            edges, numbers, 0, np.random.default_rng(0), algebra.by_path(edges), draws
        ),
        "best path": best,
        f"{draws} uniform": lambda: drawn("path"),
        f"{draws} by magnitude": lambda: drawn("magnitude"),
        "5 best": top,
        "moments": moments,
        "entropy": lambda: algebra.sweep(edges, weight, algebra.ENTROPY)[0],
    }

    def silent(ask: Callable[[], Any]) -> Callable[[], None]:
        def call() -> None:
            ask()

        return call

    return {f"tinyspad, {name}": silent(ask) for name, ask in asked.items()}
