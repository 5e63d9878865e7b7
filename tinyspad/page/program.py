"""A traced function as data: the program that the page computes, or else the numbers that Python computed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import ChangedData, NoRule
from ..expression import FUNCTIONS, formula_of
from ..functions import Problem
from ..lcg import LCG, folds_of
from ..lcg.text import weight_text
from ..rules import Rule
from ..tape import HOLE, Entry, arguments_of, behind, leaf_data, options_of, parents, replay, rule_of

OPERATORS = (np.add, np.subtract, np.multiply, np.divide, np.power, np.remainder, np.negative, np.positive)
COMPUTES = {*OPERATORS, *FUNCTIONS.values()}
"""What the page computes by itself: the functions and operators of the command line's formulas."""

LISTED, LARGEST, COMPARED = 200, 12, 20_000
"""Through linear maps: the most paths that are all listed; how many of more, the largest; the most that are compared."""


class NotComputed(Exception):
    """The page cannot compute this; the text says what."""


def data_of(lcg: LCG) -> dict[str, Any]:
    """What the page is filled with: the point, and ``program``, or ``python`` and ``why``; what is large, in ``folds``."""
    found: dict[str, Any] = {"point": {name: _told(x) for name, x in zip(lcg.params, lcg.arguments)}}
    try:
        found["program"] = program_of(lcg)
    except NotComputed as problem:
        if formula_of(lcg.function) is not None:  # it has a condition, which the trace has forgotten
            found["program"] = _program(lcg, *_Written.program(lcg))
        else:
            found |= {"python": numbers_of(lcg), "why": str(problem)}
    if folds := folds_of(lcg):
        found["folds"] = folds
    if isinstance(lcg.function, Problem):
        sides = zip(lcg.params, lcg.function.box)
        found["box"] = {name: list(side) for name, side in sides if np.all(np.isfinite(side))}
    return found


def program_of(lcg: LCG) -> dict[str, Any]:
    """Operations between numbers: {text, params, steps: [[name, argument, ...], ...], output}.

    An argument is the number of a node, of the parameters and then the steps, or a {constant}. Raises NotComputed, which
    says what is no such operation.
    """
    known = {id(leaf): i for i, leaf in enumerate(lcg.single_access.leaves)}
    for name, x in zip(lcg.params, lcg.arguments):
        if np.ndim(x):
            raise NotComputed(f"{name} is an array")
    if lcg.single_access.root is None or np.ndim(lcg.value):
        if np.ndim(lcg.value):
            raise NotComputed("its output is an array")
        return _program(lcg, [], {"constant": told_number(lcg.value)})
    steps = []
    for entry in lcg.single_access.entries:
        rule = rule_of(entry)
        if rule.function not in COMPUTES:
            raise NotComputed(f"{rule.name} is not one of the functions that it knows")
        steps.append([rule.name, *_references(entry, rule, known)])
        known[id(entry)] = len(known)
    return _program(lcg, steps, known[id(lcg.single_access.root)])


def _program(lcg: LCG, steps: list[Any], output: Any) -> dict[str, Any]:
    return {"text": formula_of(lcg.function) or "", "params": list(lcg.params), "steps": steps, "output": output}


def _references(entry: Entry, rule: Rule, known: dict[int, int]) -> list[Any]:
    read = iter(parents(entry))
    given = arguments_of(entry)
    if any(value is not None and value is not False for value in options_of(entry).values()):
        raise NotComputed(f"{rule.name} is given options")
    found: list[Any] = []
    for argument in [HOLE for _ in parents(entry)] if given is None else given:
        parent = next(read) if argument is HOLE else None
        if parent is not None and id(parent) in known:
            found.append(known[id(parent)])
            continue
        constant = argument if parent is None else None if rule_of(parent) is not None else leaf_data(parent)
        if not isinstance(constant, (int, float, np.number)) or isinstance(constant, bool):
            raise NotComputed(f"{rule.name} reads what is no number")
        found.append({"constant": told_number(constant)} | ({"whole": True} if isinstance(constant, int) else {}))
    return found


class _Written(np.lib.mixins.NDArrayOperatorsMixin):
    """A number of a formula that is not computed but written down: every operation on it is a step."""

    def __init__(self, place: int, steps: list[Any], params: int) -> None:
        self.place, self.steps, self.params = place, steps, params

    @classmethod
    def program(cls, lcg: LCG) -> tuple[list[Any], Any]:
        """The steps of a formula, comparisons included, and its output."""
        steps: list[Any] = []
        assert lcg.function is not None
        found = lcg.function(*(cls(i, steps, len(lcg.params)) for i in range(len(lcg.params))))
        return steps, _written(found)

    def __array_ufunc__(self, function: Any, method: str, *arguments: Any, **options: Any) -> _Written:
        self.steps.append([function.__name__, *map(_written, arguments)])
        return _Written(self.params + len(self.steps) - 1, self.steps, self.params)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> _Written:
        return self.__array_ufunc__(function, "__call__", *arguments)


def _written(x: Any) -> Any:
    if isinstance(x, _Written):
        return x.place
    return {"constant": told_number(x)} | ({"whole": True} if isinstance(x, int) else {})


def numbers_of(lcg: LCG) -> dict[str, Any]:
    """The graph with the numbers that Python computed; of arrays their norms, linear maps by what they are called."""
    structure, copies = lcg.structure, lcg.structure.copies
    steps, choices = lcg.reverse_steps(), lcg.single_access.choices.edges
    adjoints = {step.node: step.adjoint for step in steps}
    nodes = [
        {"name": node.name, "kind": node.kind, "tupled": node.tupled, "text": node.text}
        | ({"of": lcg.single_access.tupled_from[node.index]} if node.kind == "branch" else {})
        for node in lcg.nodes
    ]
    chooses = {"chooses": [e in choices for e in range(len(copies))]} if choices else {}
    plain = all(map(_is_number, lcg.weight))  # then the page finds paths and products by itself
    return chooses | {
        "params": list(lcg.params),
        "output": structure.output,
        "nodes": nodes,
        "edges": [[tail, head, bool(copy)] for tail, head, copy in zip(structure.tail, structure.head, copies)],
        "where": {name: _told(x) for name, x in zip(lcg.params, lcg.arguments)},
        "value": _told(lcg.value),
        "values": [_told(value) for value in _values(lcg)],
        "weights": [_told(weight) for weight in lcg.weight],
        "adjoints": [_told(adjoints.get(name, 0.0)) for name in lcg.names],
        "told": [step.told for step in steps],
        "shown": {} if plain else {name: _shown(lcg, name) for name in lcg.params},
    }


def _shown(lcg: LCG, name: str) -> dict[str, Any]:
    """Paths by number with what they contribute, of an array its norm; ``rest``: of all but the LARGEST."""
    number = lcg.count_paths(name)
    if number > COMPARED:
        return {"paths": [], "rest": _size(lcg.gradient()[name])}
    shown = lcg.shown(name, LISTED if number <= LISTED else LARGEST)
    sizes = [_size(product) for product in shown.products]
    left = sorted(range(len(sizes)), key=lambda i: -abs(float(sizes[i])))[LARGEST:]  # as the page sorts them
    rest = np.sum(shown.products[left], axis=0) + (0.0 if shown.others is None else shown.others.sum)
    return {"paths": [[path.index, size] for path, size in zip(shown.paths, sizes)], "rest": _size(rest)}


def _size(x: Data) -> Any:
    return told_number(np.linalg.norm(x) if np.ndim(x) else x)


def _values(lcg: LCG) -> list[Any]:
    """What every node holds; None where the tape has forgotten it."""
    single = lcg.single_access
    known: dict[int, Any] = {id(leaf): x for leaf, x in zip(single.leaves, lcg.arguments)}
    with suppress(NoRule, ChangedData):
        known |= replay(behind(single.root) if single.root is not None else [], known)
    of = [single.tupled_from.get(node.index, node.index) for node in lcg.nodes]
    return [known.get(id(single.entry_of[i])) for i in of]


def _told(x: Any) -> Any:
    if x is None:
        return ""
    return told_number(x) if _is_number(x) else weight_text(x)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) or (isinstance(x, np.ndarray) and x.shape == ())


def told_number(x: Any) -> Any:
    """A number as JSON has it; of what it has not, the word that JavaScript's Number reads."""
    if isinstance(x, int):
        return x if abs(x) <= 2**53 else told_number(float(x))
    number = float(x)
    if np.isfinite(number):
        return number
    return "NaN" if np.isnan(number) else "Infinity" if number > 0 else "-Infinity"
