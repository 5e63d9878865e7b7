"""Variables' names, and what operations and weights look like in text."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any

import numpy as np

from ..paths import Structure
from ..tape import HOLE, Entry, arguments_of, label_of, leaf_data, options_of, order_of, parents, rule_of

DRAWABLE = 60
"""The most nodes that a drawing stays readable with."""


def variable_names(params: tuple[str, ...], entry_of: list[Entry | None], structure: Structure) -> list[str]:
    """Parameters keep their names; operations are a, b, c, ..., the output z; the branches of a are a1, a2, ..."""
    names: list[str | None] = [None] * len(entry_of)
    taken = set(params)
    spare = letters()
    for i, entry in enumerate(entry_of):
        if i < len(params):
            names[i] = params[i]
        elif entry is not None:
            wish = label_of(entry) or ("z" if i == structure.output else None)
            while wish is None or wish in taken or (wish == "z" and i != structure.output):
                wish = next(spare)
            names[i] = wish
            taken.add(wish)
    for i, name in enumerate(names):
        branches = structure.branches(i)
        if name is not None and len(branches) > 1:
            joint = ""
            while not taken.isdisjoint(copies := [f"{name}{joint}{k + 1}" for k in range(len(branches))]):
                joint += "_"
            taken.update(copies)
            for e, copied in zip(branches, copies):
                names[structure.head[e]] = copied
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
    rule, given = rule_of(entry), arguments_of(entry)
    names = iter(
        name if name is not None else label_of(parent) or _captured(parent, entry)
        for name, parent in zip(read, parents(entry))
    )
    args = list(names) if given is None else [_argument_text(a, names) for a in given]
    if rule.function is operator.getitem:
        return f"{args[0]}[{args[1].removeprefix('(').removesuffix(')')}]"
    if rule.symbol and len(args) == 2:
        return f"{args[0]} {rule.symbol} {args[1]}"
    if rule.symbol and len(args) == 1:
        return f"{rule.symbol}{args[0]}"
    args += [f"{k}={constant_text(v)}" for k, v in options_of(entry).items() if v is not None and v is not False]
    return f"{rule.name}({', '.join(args)})"


def _captured(parent: Entry, reader: Entry) -> str:
    """A Value from outside the function: the number that was read, unless it is computed, or was changed since."""
    if rule_of(parent) is not None or order_of(parent) > order_of(reader):
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


def weight_text(weight: Any) -> str:
    """An edge weight, or an adjoint, in a few characters."""
    if isinstance(weight, np.ndarray) and weight.shape:
        return f"array {'x'.join(map(str, weight.shape))}"
    return f"{float(weight):.4g}" if isinstance(weight, (int, float, np.floating, np.ndarray)) else f"{weight!r}"
