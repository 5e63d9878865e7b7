"""Exercises of tutorial 03: list paths, and count them. Graphs are dicts: by node its (head, weight) pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call
from .graphs import (
    DEAD,
    DIAMOND,
    LEADS_NOWHERE,
    PARALLEL,
    SHARED,
    TWO_EDGES,
    Graph,
    all_paths,
    chain,
    doublings,
    graphs_at_random,
)
from .verdict import Wrong, exercise, expect

FIVE = [
    ["x", "x1", "a", "a1", "b", "z"],
    ["x", "x1", "a", "a2", "z"],
    ["x", "x2", "a", "a1", "b", "z"],
    ["x", "x2", "a", "a2", "z"],
    ["x", "x3", "b", "z"],
]


@exercise(
    3,
    "List the paths",
    idea="Keep a list of paths that are not finished. Take one; if it is at the output, it is done; otherwise put it "
    "back "
    "once for each edge of its last node.",
    formula="pending = [[source]]; path = pending.pop(); for head, _ in reversed(graph[path[-1]]): "
    "pending.append([*path, "
    "head]). The last one pushed is popped first, so push the branches in reverse.",
)
def list_paths(answer: Callable[..., Any]) -> None:
    """Grade ``list_paths(graph, source, output)``: every path as a list of nodes, in the order of the branch choices.

    ``graph``: a dict by node of lists of (head, weight), in branch order. The first branch comes first, everywhere. Two
    edges between the same nodes make two paths.

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
            "The order is that of the branches, as the graph lists them, not that of the nodes' names: here b comes "
            "first.",
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
    told = f'list_paths({PARALLEL}, "x", "z")'
    tells = {"one edge for two": ([["x", "a", "z"]], TWO_EDGES)}
    expect(call(answer, PARALLEL, "x", "z", told=told), [["x", "a", "z"]] * 2, told, tells, TWO_EDGES)
    for graph in graphs_at_random():
        told = f'list_paths({graph}, "x", "z")'
        want = [path for _, path in all_paths(graph, "x", "z")]
        expect(call(answer, graph, "x", "z", told=told), want, told, {}, hint)


@exercise(
    3,
    "Count paths without listing them",
    idea="How many paths lead on from a node is known as soon as it is known for the heads of its edges. In which "
    "order do "
    "you have to go through the nodes?",
    formula="N(output) = 1; for the others, from the last to the first, N(v) = the sum of N(head) over the edges of v.",
)
def count_paths(answer: Callable[..., Any]) -> None:
    """Grade ``count_paths(graph, source, output)``: how many paths there are, by dynamic programming, exactly.

    ``graph``: a dict by node of lists of (head, weight); its nodes stand in an order in which edges lead forwards. Two
    edges between the same nodes make two paths.

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
            call(answer, graph, "x", "z", told=told),
            n,
            told,
            tells,
            "List the paths of this graph by hand, and compare.",
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
    told = f'count_paths({DIAMOND}, "z", "z")'
    expect(
        call(answer, DIAMOND, "z", "z", told=told),
        1,
        told,
        {},
        "From the output to itself leads one path, of one node.",
    )
    told = f'count_paths({PARALLEL}, "x", "z")'
    expect(call(answer, PARALLEL, "x", "z", told=told), 2, told, {"one edge for two": (1, TWO_EDGES)}, TWO_EDGES)
    for graph in graphs_at_random():
        told = f'count_paths({graph}, "x", "z")'
        hint = "List the paths of this graph by hand, and compare."
        expect(call(answer, graph, "x", "z", told=told), len(all_paths(graph, "x", "z")), told, {}, hint)
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
            "A float has 53 bits: 2**70 + 1 is rounded to 2**70. Count in Python's integers: start from 1, not from "
            "1.0.",
            f"{told} gave {got!r}; expected {2**70 + 1}.",
        )
    expect(got, 2**70 + 1, told)
