"""An LCG as a text of its own: the single-access program, and Graphviz."""

from __future__ import annotations

from .recorded import Recorded
from .text import constant_text, weight_text


def program_text(lcg: Recorded) -> str:
    """The single-access program, one assignment a line, as in the paper's Figure 5."""
    structure, nodes = lcg.structure, lcg.nodes
    lines, written = [], set()
    number = {name: i for i, name in enumerate(lcg.names)}
    for node in nodes:
        if node.kind != "branch":
            lines.append(f"{node.name} <- {node.text}")
        elif node.text not in written:
            written.add(node.text)
            siblings = [lcg.names[structure.head[e]] for e in structure.branches(number[node.text])]
            lines.append(f"{', '.join(siblings)} <- {node.text}")
    result = lcg.names[structure.output] if structure.output < len(nodes) else constant_text(lcg.value)
    return "\n".join([*lines, f"Return {result}"])


def graphviz_text(lcg: Recorded) -> str:
    """The graph in the DOT language: tupling nodes as diamonds, edges labelled with their weights."""
    lines = ["digraph lcg {", "  rankdir=LR;"]
    for node in lcg.nodes:
        shape = "diamond" if node.tupled else {"parameter": "box", "branch": "point"}.get(node.kind, "ellipse")
        label = node.name if node.kind != "operation" else f"{node.name} = {node.text}"
        lines.append(f"  n{node.index} [label={_quoted(label)}, shape={shape}];")
    for tail, head, weight in zip(lcg.structure.tail, lcg.structure.head, lcg.weight):
        lines.append(f"  n{tail} -> n{head} [label={_quoted(weight_text(weight))}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    """A text as DOT shows it letter by letter, each on its line."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
