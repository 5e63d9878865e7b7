"""Exercises of tutorial 03: list, count, draw and rank paths. Graphs are dicts: by node its (head, weight) pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .verdict import Graph, Wrong, call, chain, check_rng, doublings, exercise, expect, near

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

FIVE = [
    ["x", "x1", "a", "a1", "b", "z"],
    ["x", "x1", "a", "a2", "z"],
    ["x", "x2", "a", "a1", "b", "z"],
    ["x", "x2", "a", "a2", "z"],
    ["x", "x3", "b", "z"],
]

DIAMOND: Graph = {"x": [("a", 1.0), ("b", 1.0)], "a": [("z", 1.0)], "b": [("z", 1.0)], "z": []}


DEAD: Graph = {"x": [("a", 1.0), ("b", 100.0)], "a": [("z", 2.0)], "b": [], "z": []}
"""From b no path leads on: a node without edges is not the output."""

LEADS_NOWHERE = "b has no edges, but it is not the output: what leads there is no path."


@exercise(3, "List the paths")
def list_paths(answer: Callable[..., Any]) -> None:
    """Grade ``list_paths(graph, source, output)``: every path as a list of nodes, in the order of the branch choices.

    ``graph``: a dict by node of lists of (head, weight), in branch order. The first branch comes first, everywhere.

    >>> from tinyspad import check
    >>> check.list_paths(lambda graph, source, output: [[source, output]]).misconception
    'another value'
    """
    hint = "Take the first branch as far as it goes, then the next choice at the last node that has one."
    told = f'list_paths({DIAMOND}, "x", "z")'
    two = [["x", "a", "z"], ["x", "b", "z"]]
    tells = {
        "wrong order": (two[::-1], "All paths are there, in another order: " + hint),
        "path without its end": ([["x", "a"], ["x", "b"]], "The output itself is the last node of every path."),
        "path without its start": ([["a", "z"], ["b", "z"]], "The source itself is the first node of every path."),
        "one list for all": (
            [[], []],
            "All entries are one and the same list, which was emptied later. Append a copy of it: path[:].",
        ),
        "one path only": ([["x", "a", "z"]], "That stops after the first path. There is another branch at x."),
    }
    expect(call(answer, DIAMOND, "x", "z", told=told), two, told, tells, hint)
    tells = {
        "sorts by name": (
            two,
            "The order is that of the branches, as the graph lists them, not that of the nodes' names: here b comes first.",
        ),
    }
    turned: Graph = {"x": [("b", 1.0), ("a", 1.0)], "b": [("z", 1.0)], "a": [("z", 1.0)], "z": []}
    told = f'list_paths({turned}, "x", "z")'
    expect(call(answer, turned, "x", "z", told=told), two[::-1], told, tells, hint)
    told = f'list_paths({SHARED}, "x", "z")'
    got = call(answer, SHARED, "x", "z", told=told)
    if (
        isinstance(got, list)
        and all(isinstance(p, list) and all(isinstance(n, str) for n in p) for p in got)
        and got != FIVE
    ):
        example = f"{told} gave {len(got)} paths; expected {len(FIVE)}."
        if sorted(got) == sorted(FIVE):
            where = next(i for i, path in enumerate(got) if path != FIVE[i])
            raise Wrong(
                "wrong order",
                "All paths are there, in another order: " + hint,
                f"Path {where} is {got[where]}; expected {FIVE[where]}.",
            )
        if len(got) < len(FIVE) and all(p in FIVE for p in got):
            raise Wrong(
                "visits every node once",
                "Several paths go through the same node. Do not skip a node because another path has been there.",
                example,
            )
    expect(got, FIVE, told, {}, hint)
    told = f'list_paths({DEAD}, "x", "z")'
    tells = {"counts dead ends": ([["x", "a", "z"], ["x", "b"]], LEADS_NOWHERE)}
    expect(call(answer, DEAD, "x", "z", told=told), [["x", "a", "z"]], told, tells, LEADS_NOWHERE)
    told = 'list_paths(graph, "z", "z")'
    expect(
        call(answer, DIAMOND, "z", "z", told=told),
        [["z"]],
        told,
        {},
        "From the output to itself leads one path, of one node.",
    )


@exercise(3, "Count paths without listing them")
def count_paths(answer: Callable[..., Any]) -> None:
    """Grade ``count_paths(graph, source, output)``: how many paths there are, by dynamic programming, exactly.

    ``graph``: a dict by node of lists of (head, weight); its nodes stand in an order in which edges lead forwards.
    N(output) = 1, N(v) = sum over the edges of v of N(head).

    >>> from tinyspad import check
    >>> check.count_paths(lambda graph, source, output: sum(len(edges) for edges in graph.values())).misconception
    'counts edges'
    """
    for graph, n in ((DIAMOND, 2), (SHARED, 5)):
        told = f'count_paths({graph}, "x", "z")'
        choices = int(np.prod([len(edges) for edges in graph.values() if edges]))
        tells = {
            "counts edges": (
                sum(map(len, graph.values())),
                "That is the number of edges. Different paths share edges.",
            ),
            "counts branches of the source": (
                len(graph["x"]),
                "That is the number of branches of x; they branch again.",
            ),
            "multiplies all choices": (
                choices,
                "A path need not meet every tupling node, so the choices cannot just be multiplied. Add the counts "
                "of the heads, node by node.",
            ),
            "counts nodes": (len(graph), "That is the number of nodes."),
        }
        expect(
            call(answer, graph, "x", "z", told=told), n, told, tells, "N(v) is the sum of N(head) over the edges of v."
        )
    told = f'count_paths({DEAD}, "x", "z")'
    tells = {
        "counts dead ends": (2, "b leads nowhere: N(b) = 0. Only the output itself has N = 1."),
    }
    expect(call(answer, DEAD, "x", "z", told=told), 1, told, tells)
    told = f'count_paths({SHARED}, "a", "z")'
    hint = "The source is a here: the paths that begin at another node do not count."
    expect(call(answer, SHARED, "a", "z", told=told), 2, told, {}, hint)
    told = f'count_paths({SHARED}, "x", "b")'
    hint = "The output is b here, and z comes after it: N(b) = 1, N(z) = 0."
    expect(call(answer, SHARED, "x", "b", told=told), 3, told, {}, hint)
    told = 'count_paths(graph, "v0", "v40") on 40 doublings'
    expect(call(answer, doublings(40), "v0", "v40", told=told, paths="2**40"), 2**40, told)
    told = 'count_paths(graph, "v0", "v20000") on a chain of 20 000 nodes'
    expect(call(answer, chain(20_000), "v0", "v20000", told=told), 1, told)
    odd = {"x": [("v0", 1.0), ("v70", 1.0)], **doublings(70)}
    told = 'count_paths(graph, "x", "v70") on 70 doublings and one more edge'
    got = call(answer, odd, "x", "v70", told=told, paths="2**70")
    if isinstance(got, np.integer) or (isinstance(got, int) and got in (0, 1)):
        hint = (
            "NumPy's int64 has 63 bits, and wraps round beyond them. Count in Python's own integers: sum, not np.sum."
        )
        raise Wrong("overflows", hint, f"{told} gave {got!r}; expected {2**70 + 1}.")
    if isinstance(got, (float, np.floating)) or (type(got) is int and got == 2**70):
        raise Wrong(
            "counts in floats",
            "A float has 53 bits: 2**70 + 1 is rounded to 2**70. Count in Python's integers: start from 1, not from 1.0.",
            f"{told} gave {got!r}; expected {2**70 + 1}.",
        )
    expect(got, 2**70 + 1, told)


@exercise(3, "Draw a path uniformly, without listing")
def sample_path(answer: Callable[..., Any]) -> None:
    """Grade ``sample_path(graph, source, output, rng)``: a path as a list of nodes, every path equally likely.

    Walk from the source; at a node v take the edge to ``head`` with probability N(head) / N(v), N the numbers of paths.
    ``rng``: a NumPy Generator, the only source of randomness.

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
    rng, draws = np.random.default_rng(0), 4000
    told = f'sample_path({graph}, "x", "z", rng)'
    check_rng(answer, graph, "x", "z", told=told)
    seen = [0] * len(paths)
    for _ in range(draws):
        got = call(answer, graph, "x", "z", rng, told=told)
        got = [str(node) for node in got] if isinstance(got, (list, tuple, np.ndarray)) else got
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
        raise Wrong("not uniform", "The paths are not equally likely. P(edge) = N(head) / N(v).", example)
    told = f'sample_path({DEAD}, "x", "z", rng)'
    ways = [call(answer, DEAD, "x", "z", rng, told=told) for _ in range(20)]
    if any(list(map(str, way)) != ["x", "a", "z"] for way in ways if isinstance(way, (list, tuple, np.ndarray))):
        raise Wrong("counts dead ends", LEADS_NOWHERE, f"{told} went there.")
    told = 'sample_path(graph, "v0", "v40", rng) on 40 doublings'
    got = call(answer, doublings(40), "v0", "v40", rng, told=told, paths="2**40")
    expect(list(got) if isinstance(got, (tuple, np.ndarray)) else got, [f"v{i}" for i in range(41)], told)


@exercise(3, "Find the strongest path by one sweep")
def best_path(answer: Callable[..., Any]) -> None:
    """Grade ``best_path(graph, source, output)``: (product, path) of the path whose product is largest in magnitude.

    The max-product sweep: B(output) = 1, B(v) = the w * B(head) of largest magnitude, with a note of the edge it came by.

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
            "-7 was the best so far. 2 is larger than that, but not in magnitude: take abs on both sides of the comparison.",
        ),
    }
    expect(_pair(call(answer, first, "x", "z", told=told)), (-7.0, ["x", "a", "z"]), told, tells)
    told = f'best_path({DEAD}, "x", "z")'
    tells = {"counts dead ends": ((100.0, ["x", "b"]), LEADS_NOWHERE)}
    expect(_pair(call(answer, DEAD, "x", "z", told=told)), (2.0, ["x", "a", "z"]), told, tells, LEADS_NOWHERE)
    wide = {f"v{i}": [(f"v{i + 1}", 1.0 + i % 2), (f"v{i + 1}", 2.0 - i % 2)] for i in range(40)} | {"v40": []}
    told = 'best_path(graph, "v0", "v40") on 40 doublings, weights 1 and 2'
    got = _pair(call(answer, wide, "v0", "v40", told=told, paths="2**40"))
    expect(got, (2.0**40, [f"v{i}" for i in range(41)]), told)
    told = 'best_path(graph, "v0", "v3000") on a chain'
    got = _pair(call(answer, chain(3000), "v0", "v3000", told=told))
    expect(got[0] if isinstance(got, tuple) and got else got, 1.0, told)


def _pair(got: Any) -> Any:
    """The product, and the path as a list: tuples and arrays of names will do."""
    if not isinstance(got, (list, tuple)) or len(got) != 2 or not isinstance(got[1], (list, tuple, np.ndarray)):
        return got
    return got[0], [str(node) for node in got[1]]
