"""An LCG as a text of its own: the single-access program, whole or in pieces, and Graphviz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arguments import Array, Data, spaced
from ..tape import parents
from .numbers import Box, Numbers
from .recorded import Recorded
from .single_access import SingleAccess
from .text import constant_text, right_hand_side, weight_text


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


def folded_text(lcg: Recorded, folds: Sequence[tuple[str, Sequence[int]]]) -> str:
    """The program in pieces, a line each: what it gives, its name, how many operations it has, and what it reads."""
    structure, names, made = lcg.structure, lcg.names, lcg.single_access
    source = made.tupled_from
    fold_at = {v: k for k, (_, nodes) in enumerate(folds) for v in nodes}
    single = [sum(made.entry_of[u] is not None for u in nodes) == 1 for _, nodes in folds]
    lines = []
    for v, entry in enumerate(made.entry_of):
        k = fold_at.get(v)
        alone = k is None or single[k]
        if k is None and v < len(lcg.params):
            lines.append(f"{names[v]} <- Param_{v}")
        elif alone and entry is not None:
            read = [None if r is None else names[source.get(r, r)] for r in made.reads[id(entry)]]
            lines.append(f"{names[v]} <- {right_hand_side(entry, read)}")
        elif k is not None and not alone and v == folds[k][1][-1]:
            lines.append(_fold_line(lcg, *folds[k]))
    result = names[structure.output] if structure.output < len(names) else constant_text(lcg.value)
    return "\n".join([*lines, f"Return {result}"])


def _fold_line(lcg: Recorded, name: str, nodes: Sequence[int]) -> str:
    structure, names, made = lcg.structure, lcg.names, lcg.single_access
    if nodes[-1] < len(lcg.params):
        return f"{names[nodes[0]]}, ..., {names[nodes[-1]]} <- Param_0, ..., Param_{nodes[-1]}"
    source, inside = made.tupled_from, set(nodes)
    own = [v for v in nodes if made.entry_of[v] is not None]
    gives = [v for v in own if v == structure.output or not inside.issuperset(_readers(lcg, v))]
    reads = {source.get(r, r): None for v in own for r in made.reads[id(made.entry_of[v])] if r is not None}
    read = _listed([names[r] for r in reads if r not in inside])
    own_name = _listed([names[v] for v in gives])
    return f"{own_name} <- {name.removeprefix(own_name + ': ')}  [{spaced(len(own))} operations on {read}]"


def _readers(lcg: Recorded, v: int) -> list[int]:
    """Who reads a variable: the operations, or its branches."""
    return [lcg.structure.head[e] for e in lcg.structure.branches(v)]


def _listed(names: list[str]) -> str:
    return ", ".join(names if len(names) <= SEVERAL else [*names[: SEVERAL - 2], "...", names[-1]])


SEVERAL = 8
"""Up to so many different counts are listed, by number; of more the least and the largest."""


def numbers_text(made: SingleAccess, numbers: Numbers, value: Data, counts: dict[str, Data]) -> str:
    """The program over arrays as one of numbers, in short: what each is made of, how often it is read, and the paths."""
    text_of = {id(leaf): name for leaf, name in zip(made.leaves, made.params)}
    lines = []
    box_of = {id(box.entry): box for box in numbers.boxes if box.entry is not None}
    found: Box | None
    for i, box in enumerate(numbers.boxes[: len(made.params)]):
        lines.append(f"{ranged(box.name, box.shape)} <- Param_{i}{_times_read(numbers.readers_of(box))}")
    for entry in made.entries:
        read = [text_of.get(id(parent)) for parent in parents(entry)]
        text = right_hand_side(entry, read)
        found = box_of.get(id(entry))
        if found is None:  # a move is no operation: it stands where it is read
            text_of[id(entry)] = f"({text})" if " " in text and not text.endswith(")") else text
        else:
            text_of[id(entry)] = found.name
            lines.append(f"{ranged(found.name, found.shape)} <- {text}{_times_read(numbers.readers_of(found))}")
    root = made.root
    output = constant_text(value) if root is None else text_of.get(id(root), constant_text(value))
    lines.append(f"Return {output}")
    for name, number in counts.items():
        each = " each" if np.size(number) > 1 and np.min(number) == np.max(number) else ""
        lines.append(f"paths of {ranged(name, np.shape(number))}: {_counted(np.asarray(number))}{each}")
    return "\n".join(lines)


def ranged(name: str, shape: tuple[int, ...]) -> str:
    """All numbers of an array: w[0..4]."""
    return f"{name}[{', '.join(f'0..{n - 1}' if n > 1 else '0' if n else 'none' for n in shape)}]" if shape else name


def _times_read(readers: Array) -> str:
    if np.max(readers, initial=0) == 0 or np.min(readers) == np.max(readers) == 1:  # by nobody: the output
        return ""
    each = "each " if np.size(readers) > 1 else ""
    least, most = int(np.min(readers)), int(np.max(readers))
    told = f"{spaced(least)}" if least == most else f"{spaced(least)} to {spaced(most)}"
    return f"  ({each}read {told} time{'s' * (most != 1)})"


def _counted(counts: Array) -> str:
    listed = [int(n) for n in counts.ravel()]
    if len(set(listed)) <= 1:
        return spaced(listed[0]) if listed else "none"
    if len(listed) <= SEVERAL:
        return ", ".join(map(spaced, listed))
    return f"{spaced(min(listed))} to {spaced(max(listed))}"


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
