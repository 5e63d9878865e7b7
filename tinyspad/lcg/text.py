"""An LCG as text: the single-access program, its right-hand sides, Graphviz, and the notebook display."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

import numpy as np

from ..paths import Graph
from ..tape import ARGS, FIRST_PARENT, HOLE, KWARGS, NAME, ORDER, RULE, Entry, leaf_data

if TYPE_CHECKING:
    from .graph import LCG

DRAWABLE = 60
"""The most nodes that a drawing stays readable with."""


def program_text(lcg: LCG) -> str:
    """The single-access program, one assignment a line, as in the paper's Figure 5."""
    graph, nodes = lcg.graph, lcg.nodes
    lines, written = [], set()
    number = {name: i for i, name in enumerate(lcg.names)}
    for node in nodes:
        if node.kind != "branch":
            lines.append(f"{node.name} <- {node.text}")
        elif node.text not in written:
            written.add(node.text)
            siblings = [lcg.names[graph.head[e]] for e in graph.branches(number[node.text])]
            lines.append(f"{', '.join(siblings)} <- {node.text}")
    result = lcg.names[graph.output] if graph.output < len(nodes) else constant_text(lcg.value)
    return "\n".join([*lines, f"Return {result}"])


def variable_names(params: tuple[str, ...], entry_of: list[Entry | None], graph: Graph) -> list[str]:
    """Parameters keep their names; operations are a, b, c, ..., the output z; the branches of a are a1, a2, ..."""
    names: list[str | None] = [None] * len(entry_of)
    taken = set(params)
    spare = letters()
    for i, entry in enumerate(entry_of):
        if i < len(params):
            names[i] = params[i]
        elif entry is not None:
            wish = entry[NAME] or ("z" if i == graph.output else None)
            while wish is None or wish in taken or (wish == "z" and i != graph.output):
                wish = next(spare)
            names[i] = wish
            taken.add(wish)
    for i, name in enumerate(names):
        branches = graph.branches(i)
        if name is not None and len(branches) > 1:
            joint = ""
            while not taken.isdisjoint(copies := [f"{name}{joint}{k + 1}" for k in range(len(branches))]):
                joint += "_"
            taken.update(copies)
            for e, copied in zip(branches, copies):
                names[graph.head[e]] = copied
    return [str(name) for name in names]


def letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    prefix = [""]
    while True:
        prefix_next = []
        for p in prefix:
            for letter in "abcdefghijklmnopqrstuvwxyz":
                prefix_next.append(p + letter)
                if not iskeyword(p + letter):  # "as", "if", "in", ...: programs are Python, too
                    yield p + letter
        prefix = prefix_next


def right_hand_side(entry: Entry, read: list[str | None]) -> str:
    """What an operation computes, with the names of the variables that it reads."""
    rule = entry[RULE]
    names = iter(
        name if name is not None else parent[NAME] or _captured(parent, entry)
        for name, parent in zip(read, entry[FIRST_PARENT::2])
    )
    args = list(names) if entry[ARGS] is None else [_argument_text(a, names) for a in entry[ARGS]]
    if rule.function is operator.getitem:
        return f"{args[0]}[{args[1].removeprefix('(').removesuffix(')')}]"
    if rule.symbol and len(args) == 2:
        return f"{args[0]} {rule.symbol} {args[1]}"
    if rule.symbol and len(args) == 1:
        return f"{rule.symbol}{args[0]}"
    args += [f"{k}={constant_text(v)}" for k, v in (entry[KWARGS] or {}).items() if v is not None and v is not False]
    return f"{rule.name}({', '.join(args)})"


def _captured(parent: Entry, reader: Entry) -> str:
    """A Value from outside the function: the number that was read, unless it is computed, or was changed since."""
    if parent[RULE] is not None or parent[ORDER] > reader[ORDER]:
        return "constant"
    return constant_text(leaf_data(parent))


def _argument_text(a: Any, names: Iterator[str]) -> str:
    if a is HOLE:
        return next(names)
    if isinstance(a, list) and any(item is HOLE for item in a):
        return f"[{', '.join(_argument_text(item, names) for item in a)}]"
    return constant_text(a)


def constant_text(a: Any) -> str:
    """A constant as one would write it: floats to six digits, an array of more than four elements by its shape."""
    if isinstance(a, np.ndarray):
        return constant_text(a.tolist()) if a.size <= 4 else f"<array {'x'.join(map(str, a.shape))}>"
    if isinstance(a, (float, np.floating)):
        return repr(float(a)) if len(repr(float(a))) <= 8 else f"{a:.6g}"
    if isinstance(a, np.generic):
        return str(a)
    if isinstance(a, slice):
        ends = ["" if end is None else str(end) for end in (a.start, a.stop)]
        return ":".join(ends if a.step is None else [*ends, str(a.step)])
    if isinstance(a, tuple):
        return f"({', '.join(map(constant_text, a))}{',' * (len(a) == 1)})"
    if isinstance(a, list):
        return f"[{', '.join(map(constant_text, a))}]"
    return "..." if a is Ellipsis else repr(a)


def graphviz_text(lcg: LCG) -> str:
    """The graph in the DOT language: tupling nodes as diamonds, edges labelled with their weights."""
    lines = ["digraph lcg {", "  rankdir=LR;"]
    for node in lcg.nodes:
        shape = "diamond" if node.tupled else {"parameter": "box", "branch": "point"}.get(node.kind, "ellipse")
        label = node.name if node.kind != "operation" else f"{node.name} = {node.text}"
        lines.append(f"  n{node.index} [label={_quoted(label)}, shape={shape}];")
    for tail, head, weight in zip(lcg.graph.tail, lcg.graph.head, lcg.graph.weight):
        lines.append(f"  n{tail} -> n{head} [label={_quoted(weight_text(weight))}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    """A text as DOT shows it letter by letter, each on its line."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def weight_text(weight: Any) -> str:
    """An edge weight, or an adjoint, in a few characters."""
    if isinstance(weight, np.ndarray) and weight.shape:
        return f"array {'x'.join(map(str, weight.shape))}"
    return f"{float(weight):.4g}" if isinstance(weight, (int, float, np.floating, np.ndarray)) else f"{weight!r}"
