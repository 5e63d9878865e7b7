"""Reductions of a part, and the methods of ufuncs: ``reduce``, ``accumulate`` and ``outer``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..arguments import Data
from ..errors import BadInput, NoRule
from .exponentials import logsumexp
from .table import along, as_array, axes_of


class Neutral(NamedTuple):
    """What changes nothing in a reduction, and how another number is added to what it gave."""

    number: float
    join: Callable[[Data, Data], Data]


PARTS = {
    np.sum: Neutral(0.0, np.add),
    np.prod: Neutral(1.0, np.multiply),
    np.max: Neutral(-np.inf, np.maximum),
    np.min: Neutral(np.inf, np.minimum),
}


def part_of(
    function: Callable[..., Data], a: Data, *args: Any, where: Any = True, initial: Any = None, **rest: Any
) -> Data:
    """A reduction of the numbers where a condition holds, joined with an initial one."""
    if function is np.mean:
        there = np.sum(np.broadcast_to(where, np.shape(a)), *args, **rest)
        return np.sum(np.where(where, a, 0.0), *args, **rest) / there
    neutral = PARTS[function]
    if where is not True and initial is None and not np.isfinite(neutral.number):
        raise BadInput(f"{function.__name__}: of a part that may be empty there is none: give initial=, as for NumPy.")
    found = function(a if where is True else np.where(where, a, neutral.number), *args, **rest)
    return found if initial is None else neutral.join(found, initial)


KNOWN: dict[Any, Callable[..., Data]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
    (np.logaddexp, "reduce"): logsumexp,
}
"""The methods of ufuncs that are another function's names."""


def method_of(ufunc: np.ufunc, method: str, inputs: tuple[Data, ...], options: dict[str, Any]) -> Data:
    """What ``np.add.reduce`` and the like are, written in functions that have rules; any other one step by step."""
    options = {name: value for name, value in options.items() if value is not None or name == "axis"}
    if method == "outer" and not options:
        first, second = map(as_array, inputs)
        return ufunc(np.reshape(first, np.shape(first) + (1,) * np.ndim(second)), second)
    if method not in ("reduce", "accumulate") or ufunc.nin != 2:
        raise NoRule(f"{ufunc.__name__}.{method} has no rule. Write it with np.sum, np.prod, np.max or a loop.")
    names = ("axis", "dtype", "out", "keepdims") if method == "reduce" else ("axis", "dtype", "out")
    options = {"axis": 0, **{n: x for n, x in zip(names, inputs[1:]) if x is not None or n == "axis"}, **options}
    function = KNOWN.get((ufunc, method))
    if function in PARTS and options.keys() & {"where", "initial"}:  # of a plain array, too
        return part_of(function, as_array(inputs[0]), **options)
    if function is logsumexp and options.keys() - {"axis", "keepdims"}:
        raise NoRule("logaddexp.reduce is covered with the options axis= and keepdims=.")
    if function is not None:
        return function(inputs[0], **options)
    return _stepwise(ufunc, method, as_array(inputs[0]), **options)


def _stepwise(ufunc: np.ufunc, method: str, a: Data, axis: Any = 0, keepdims: bool = False, **rest: Any) -> Data:
    if rest or (axis is not None and not isinstance(axis, (int, np.integer))):
        others = f", and without the options {', '.join(rest)}" if rest else ""
        raise NoRule(f"{ufunc.__name__}.{method} is covered along one axis{others}.")
    ndim = np.ndim(a)
    if axis is None:
        a, axis = np.ravel(a), 0
    else:
        ndim = 0
    (axis,) = axes_of(a, axis)
    found = [along(a, axis, 0)]
    for i in range(1, np.shape(a)[axis]):
        found.append(ufunc(found[-1], along(a, axis, i)))
    if method == "accumulate":
        return np.stack(found, axis=axis)
    if keepdims and ndim:
        return np.reshape(found[-1], (1,) * ndim)
    return np.expand_dims(found[-1], axis) if keepdims else found[-1]
