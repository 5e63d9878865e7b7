"""Graphs as the exercises hand them out, and their paths by brute force, for the graders to compare with."""

from __future__ import annotations

import numpy as np

Graph = dict[str, list[tuple[str, float]]]
"""By node, in an order in which edges lead forwards, its (head, weight) pairs; two of one head are two edges."""


def doublings(n: int) -> Graph:
    """A graph with 2**n paths from "v0" to the last node: every node is read twice by the next."""
    return {f"v{i}": [(f"v{i + 1}", 1.0), (f"v{i + 1}", 1.0)] for i in range(n)} | {f"v{n}": []}


def ladder(n: int, upper: float = 1.0, lower: float = 1.0) -> Graph:
    """A graph with 2**n paths from "v0" to the last node, no two of them through the same nodes.

    From "v0" to "v1" one goes by "a0" or "b0", with weight ``upper`` or ``lower``, and so on.
    """
    graph: Graph = {}
    for i in range(n):
        graph[f"v{i}"] = [(f"a{i}", upper), (f"b{i}", lower)]
        graph[f"a{i}"] = graph[f"b{i}"] = [(f"v{i + 1}", 1.0)]
    return graph | {f"v{n}": []}


def chain(n: int) -> Graph:
    """A graph with one long path."""
    return {f"v{i}": [(f"v{i + 1}", 1.0)] for i in range(n)} | {f"v{n}": []}


WEIGHTS = (-3.0, -2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0)


def random_graph(seed: int, size: int) -> Graph:
    """A graph of ``size`` nodes "x", ..., "z", some edges parallel, names not in the order of the alphabet, dead ends."""
    rng = np.random.default_rng(seed)
    letters = rng.permutation(list("abcdefghijklmnopqrstuvw"))[: size - 2]
    names = ["x", *map(str, letters), "z"]
    graph: Graph = {name: [] for name in names}
    for i, name in enumerate(names[:-1]):
        for _ in range(int(rng.integers(1, 4)) if i == 0 else int(rng.integers(0, 4))):
            graph[name].append((names[int(rng.integers(i + 1, size))], float(rng.choice(WEIGHTS))))
    graph["x"].append(("z", float(rng.choice(WEIGHTS))))  # there is a path
    return graph


def all_paths(graph: Graph, source: str, output: str) -> list[tuple[float, list[str]]]:
    """Every path with its product, the first branch first; parallel edges make paths of their own."""
    found, pending = [], [(1.0, [source])]
    while pending:
        product, path = pending.pop()
        if path[-1] == output:
            found.append((product, path))
            continue
        pending += [(product * weight, [*path, head]) for head, weight in reversed(graph[path[-1]])]
    return found


# --- examples ---------------------------------------------------------------------------------------------------------

SHARED: Graph = {
    "x": [("x1", 1.0), ("x2", 1.0), ("x3", 1.0)],
    "x1": [("a", 2.0)],
    "x2": [("a", 3.0)],
    "x3": [("b", -4.0)],
    "a": [("a1", 1.0), ("a2", 1.0)],
    "a1": [("b", 5.0)],
    "a2": [("z", 0.5)],
    "b": [("z", 1.5)],
    "z": [],
}
"""Two of x's branches meet in a, which is tupled again: 2 * 2 + 1 paths."""

DIAMOND: Graph = {"x": [("a", 1.0), ("b", 1.0)], "a": [("z", 1.0)], "b": [("z", 1.0)], "z": []}


DEAD: Graph = {"x": [("a", 1.0), ("b", 100.0)], "a": [("z", 2.0)], "b": [], "z": []}
"""From b no path leads on: a node without edges is not the output."""

LEADS_NOWHERE = "b has no edges, but it is not the output: what leads there is no path."


PARALLEL: Graph = {"x": [("a", 1.0), ("a", 5.0)], "a": [("z", 1.0)], "z": []}
"""Two edges lead from x to a, as where a program reads one variable twice in one operation."""

PARALLEL_AND_MORE: Graph = {"x": [("a", 1.0), ("a", 5.0), ("b", 1.0)], "a": [("z", 1.0)], "b": [("z", 1.0)], "z": []}

TWO_EDGES = (
    "Two edges lead from x to a, so there are two ways, though they meet the same nodes. A dict by head forgets one."
)


def graphs_at_random(most: int = 60) -> list[Graph]:
    """Graphs of all kinds, small ones first: parallel edges, dead ends, zeros, names in any order."""
    graphs = [random_graph(seed, size) for size in (3, 4, 5, 6, 7) for seed in range(6)]
    return [graph for graph in graphs if len(all_paths(graph, "x", "z")) <= most]
