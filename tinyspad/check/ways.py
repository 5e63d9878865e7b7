"""Exercises of tutorial 03: draw a path uniformly, and find the strongest, without listing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call, check_rng
from .graphs import (
    DEAD,
    DIAMOND,
    LEADS_NOWHERE,
    PARALLEL_AND_MORE,
    SHARED,
    TWO_EDGES,
    Graph,
    all_paths,
    chain,
    doublings,
    graphs_at_random,
    ladder,
)
from .verdict import VALUE, Wrong, exercise, expect, near, number, plain, show


@exercise(
    3,
    "Draw a path uniformly, without listing",
    idea="Count first, as in the exercise before. Of the paths that lead on from a node, how many begin with each of "
    "its edges?",
    formula="P(edge to head) = N(head) / N(v), N being the numbers of paths; walk so from the source to the output.",
)
def sample_path(answer: Callable[..., Any]) -> None:
    """Grade ``sample_path(graph, source, output, rng)``: a path as a list of nodes, every path equally likely.

    Two edges between the same nodes make two paths. ``rng``: a NumPy Generator, the only source of randomness.

    >>> from tinyspad import check
    >>> check.sample_path(lambda graph, source, output, rng: ["x", "a", "z"]).misconception
    'always the same path'
    """
    graph: Graph = {
        "x": [("a", 1.0), ("b", 9.0)],
        "a": [("z", 1.0)],
        "b": [("c", 1.0), ("d", 1.0)],
        "c": [("e", 1.0), ("z", 1.0)],
        "d": [("z", 1.0)],
        "e": [("z", 1.0)],
        "z": [],
    }
    paths = [["x", "a", "z"], ["x", "b", "c", "e", "z"], ["x", "b", "c", "z"], ["x", "b", "d", "z"]]
    rng, draws = np.random.default_rng(0), 1500
    told = f'sample_path({graph}, "x", "z", rng)'
    check_rng(answer, graph, "x", "z", told=told)
    seen = [0] * len(paths)
    for _ in range(draws):
        got = plain(call(answer, graph, "x", "z", rng, told=told))
        if got not in paths:
            raise Wrong(
                "no path", "What came back is not a path from x to z, as a list of nodes.", f"{told} gave {got!r:.100}."
            )
        seen[paths.index(got)] += 1
    shares = [n / draws for n in seen]
    example = f"Of {draws} draws " + ", ".join(f"{s:.1%} gave {'-'.join(p)}" for s, p in zip(shares, paths)) + "."
    if max(seen) == draws:
        raise Wrong("always the same path", "Every draw gave the same path. Use rng to choose at each branch.", example)
    if near(shares, [1 / 2, 1 / 8, 1 / 8, 1 / 4], draws):
        raise Wrong(
            "greedy bias",
            "At x both edges have the same chance, though three paths go on from b and one from a. So the short one "
            "is drawn too often: weigh each edge by the number of paths behind it.",
            example,
        )
    if near(shares, [1 / 3, 2 / 9, 2 / 9, 2 / 9], draws):
        raise Wrong(
            "counts branches, not paths",
            "The chances follow the number of edges that leave the next node. What counts is the number of paths "
            "behind it: three behind b.",
            example,
        )
    if near(shares, [0.1, 0.225, 0.225, 0.45], draws):
        raise Wrong(
            "draws by weight",
            "The chances follow the edges' weights. Uniform means by the number of paths behind each edge, whatever "
            "its weight.",
            example,
        )
    if not near(shares, [0.25] * 4, draws):
        raise Wrong("not uniform", "The paths are not equally likely.", example)
    told = f'sample_path({DEAD}, "x", "z", rng)'
    ways = [call(answer, DEAD, "x", "z", rng, told=told) for _ in range(20)]
    if any(plain(way) != ["x", "a", "z"] for way in ways):
        raise Wrong("counts dead ends", LEADS_NOWHERE, f"{told} went there.")
    for graph in (PARALLEL_AND_MORE, *graphs_at_random()[::5]):
        _check_uniform(answer, graph, rng)
    told = 'sample_path(graph, "v0", "v40", rng) on 40 doublings'
    got = call(answer, doublings(40), "v0", "v40", rng, told=told, paths="2**40")
    expect(got, [f"v{i}" for i in range(41)], told)
    _check_large(answer, rng)
    rungs = ladder(40)
    told = 'sample_path(graph, "v0", "v40", rng) on a ladder, 40 times a0 or b0, a1 or b1, ...,'
    got = plain(call(answer, rungs, "v0", "v40", rng, told=told, paths="2**40"))
    if not isinstance(got, list) or not _is_path(got, rungs, "v0", "v40"):
        raise Wrong("no path", "What came back is not a path, as a list of nodes.", f"{told} gave {show(got)}.")


def _check_large(answer: Callable[..., Any], rng: np.random.Generator) -> None:
    """Raise Wrong unless it is fair where there are 2**70 paths and more: in its first choice, and in its last."""
    few, more = ladder(66), {f"w{name}": [(f"w{h}", w) for h, w in edges] for name, edges in ladder(70).items()}
    graph: Graph = {"x": [("v0", 1.0), ("wv0", 1.0)], **few, **more, "z": []}
    graph["v66"], graph["wv70"] = [("z", 1.0)], [("z", 1.0)]
    told, draws, first, last = (
        "sample_path(graph, 'x', 'z', rng) where 2**66 paths begin left and 2**70 right",
        60,
        0,
        0,
    )
    for _ in range(draws):
        got = plain(call(answer, graph, "x", "z", rng, told=told, paths="2**70"))
        if not isinstance(got, list) or not _is_path(got, graph, "x", "z"):
            raise Wrong("no path", "What came back is not a path, as a list of nodes.", f"{told} gave {show(got)}.")
        first += got[1] == "wv0"
        last += "a" in got[-3]
    hint = (
        "Where there are very many paths they are not equally likely: numbers of paths are exact in Python's "
        "integers alone, and "
        "a random float has 53 bits."
    )
    found = f"{first / draws:.0%} began right, expected 94%; {last / draws:.0%} ended by an a, expected 50%"
    example = f"Of {draws} draws of {told} {found}."
    if not near([first / draws], [16 / 17], draws) or not near([last / draws], [0.5], draws):
        raise Wrong("not uniform", hint, example)


def _check_uniform(answer: Callable[..., Any], graph: Graph, rng: np.random.Generator) -> None:
    """Raise Wrong unless it draws the paths of this graph equally often; those through the same nodes count together."""
    nodes, draws = [tuple(path) for _, path in all_paths(graph, "x", "z")], 600
    different = list(dict.fromkeys(nodes))
    told = f'sample_path({graph}, "x", "z", rng)'
    seen = dict.fromkeys(different, 0)
    for _ in range(draws):
        got = plain(call(answer, graph, "x", "z", rng, told=told))
        if not isinstance(got, list) or tuple(got) not in seen:
            raise Wrong(
                "no path", "What came back is not a path from x to z, as a list of nodes.", f"{told} gave {show(got)}."
            )
        seen[tuple(got)] += 1
    shares, chances = [n / draws for n in seen.values()], [nodes.count(path) / len(nodes) for path in different]
    worst = max(range(len(different)), key=lambda i: abs(shares[i] - chances[i]))
    found = f"{shares[worst]:.0%} gave {'-'.join(different[worst])}; expected {chances[worst]:.0%}"
    example = f"Of {draws} draws of {told} {found}."
    if near(shares, chances, draws):
        return
    if near(shares, np.full(len(different), 1 / len(different)), draws):
        raise Wrong("one edge for two", TWO_EDGES, example)
    raise Wrong("not uniform", "The paths are not equally likely.", example)


def _is_path(nodes: list[Any], graph: Graph, source: str, output: str) -> bool:
    """Whether every node is the head of an edge of the one before."""
    steps = itertools.pairwise(nodes)
    return nodes[:1] == [source] and nodes[-1:] == [output] and all(h in dict(graph.get(n, ())) for n, h in steps)


@exercise(
    3,
    "Find the strongest path by one sweep",
    idea="Count paths as before, but keep at every node another number: the largest product, in magnitude, of a way "
    "on to "
    "the output; and the edge with which that way begins.",
    formula="B(output) = 1; from the last node to the first, B(v) = the weight * B(head) of largest magnitude among "
    "its "
    "edges to nodes that have a B; note the head. At last follow the notes from the source.",
)
def best_path(answer: Callable[..., Any]) -> None:
    """Grade ``best_path(graph, source, output)``: (product, path) of the path whose product is largest in magnitude.

    One sweep is enough; the product keeps its sign. Of several that are as large any will do.

    >>> from tinyspad import check
    >>> check.best_path(lambda graph, source, output: (24.0, ["x", "b", "z"])).misconception
    'ignores negative products'
    """
    graph: Graph = {
        "x": [("a", 9.0), ("b", 4.0), ("c", 5.0)],
        "a": [("z", 1.0)],
        "b": [("z", 6.0)],
        "c": [("z", -7.0)],
        "z": [],
    }
    told = f'best_path({graph}, "x", "z")'
    tells = {
        "greedy bias": (
            (9.0, ["x", "a", "z"]),
            "The edge x -> a is the largest, but what follows it is not. Sweep from the end.",
        ),
        "ignores negative products": (
            (24.0, ["x", "b", "z"]),
            "-35 is larger in magnitude than 24: a path counts by |product|.",
        ),
        "loses the sign": ((35.0, ["x", "c", "z"]), "The path is right; its product keeps its sign, -35."),
        "adds along the path": (
            (10.0, ["x", "a", "z"]),
            "Weights along a path are multiplied (equation 1), not added.",
        ),
    }
    expect(_pair(call(answer, graph, "x", "z", told=told)), (-35.0, ["x", "c", "z"]), told, tells)
    told = f'best_path({SHARED}, "x", "z")'
    want = (22.5, ["x", "x2", "a", "a1", "b", "z"])
    expect(
        _pair(call(answer, SHARED, "x", "z", told=told)),
        want,
        told,
        {},
        "Keep at every node the best product to the end.",
    )
    first: Graph = {"x": [("a", -7.0), ("b", 2.0)], "a": [("z", 1.0)], "b": [("z", 1.0)], "z": []}
    told = f'best_path({first}, "x", "z")'
    tells = {
        "magnitude on one side": (
            (2.0, ["x", "b", "z"]),
            "-7 was the best so far. 2 is larger than that, but not in magnitude: take abs on both sides of the "
            "comparison.",
        ),
    }
    expect(_pair(call(answer, first, "x", "z", told=told)), (-7.0, ["x", "a", "z"]), told, tells)
    told = f'best_path({DEAD}, "x", "z")'
    tells = {"counts dead ends": ((100.0, ["x", "b"]), LEADS_NOWHERE)}
    expect(_pair(call(answer, DEAD, "x", "z", told=told)), (2.0, ["x", "a", "z"]), told, tells, LEADS_NOWHERE)
    wide = ladder(40, 0.5, 2.0)
    told = 'best_path(graph, "v0", "v40") on a ladder, 40 times a0 with 1/2 or b0 with 2, ...,'
    got = _pair(call(answer, wide, "v0", "v40", told=told, paths="2**40"))
    best = [node for i in range(40) for node in (f"v{i}", f"b{i}")]
    expect(got, (2.0**40, [*best, "v40"]), told)
    told = 'best_path(graph, "v0", "v3000") on a chain'
    got = _pair(call(answer, chain(3000), "v0", "v3000", told=told))
    expect(got[0] if isinstance(got, tuple) and got else got, 1.0, told)
    told = f'best_path({DIAMOND}, "z", "z")'
    expect(
        _pair(call(answer, DIAMOND, "z", "z", told=told)),
        (1.0, ["z"]),
        told,
        {},
        "A path of one node has the product 1.",
    )
    zeros: Graph = {"x": [("b", 0.0), ("a", 0.0)], "b": [], "a": [("z", 2.0)], "z": []}
    small: Graph = {"x": [("a", 0.002), ("b", -0.001)], "a": [("z", 0.003)], "b": [("z", 0.004)], "z": []}
    for graph in (zeros, small, *graphs_at_random()):
        told = f'best_path({graph}, "x", "z")'
        _check_best(_ask_best(answer, graph, told), graph, told)


ALL_ZERO = (
    "All products are 0 here, and still one path is to be returned: the first one that you meet is the best so far."
)


def _ask_best(answer: Callable[..., Any], graph: Graph, told: str) -> Any:
    try:
        return _pair(call(answer, graph, "x", "z", told=told))
    except Wrong as wrong:
        if all(product == 0.0 for product, _ in all_paths(graph, "x", "z")):
            raise Wrong("fails where all are zero", ALL_ZERO, f"{told}: {wrong.hint}") from None
        raise


def _check_best(got: Any, graph: Graph, told: str) -> None:
    """Raise Wrong unless it is the product of a path that no other exceeds in magnitude."""
    known = all_paths(graph, "x", "z")
    products = [product for product, path in known if isinstance(got, tuple) and path == got[1]]
    best = max(known, key=lambda way: abs(way[0]))
    example = f"{told} gave {show(got)}; expected {show(best)}."
    if not products and best[0] == 0.0:
        raise Wrong("fails where all are zero", ALL_ZERO, example)
    if not products:
        hint = "Return a pair: the product, and a path from x to z as a list of nodes."
        raise Wrong(VALUE, hint, example)
    product = number(got[0], told)
    if not np.isclose([abs(p) for p in products], abs(best[0])).any():
        raise Wrong(
            "not the largest",
            "That path is not the strongest. The product of the weights counts, not their sum, nor the largest; and "
            "two edges between the same nodes are two ways.",
            example,
        )
    if not np.isclose(products, product).any():
        raise Wrong("another product", f"The path is right; its product is {show(best[0])}.", example)


def _pair(got: Any) -> Any:
    """The product, and the path as a list, of whatever they are made."""
    made = plain(got)
    return tuple(made) if isinstance(made, list) and len(made) == 2 and isinstance(made[1], list) else got
