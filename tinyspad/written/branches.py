"""Choices: nothing flows along what is not taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import BadInput
from ..rules import reals
from .table import as_array, written


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Data:
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        found = np.where(condition, choice, found)
    return found


def _piecewise(x: Data, condlist: Any, funclist: Any, *args: Any, **options: Any) -> Data:
    """Each function sees the numbers where its condition holds; the last one that holds has its way."""
    x, shape = as_array(x), np.shape(x)
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) or np.ndim(condlist) > len(shape) else [condlist]
    if len(conditions) and np.ndim(conditions[0]) == 0 and shape:
        conditions = [condlist]
    where = [np.flatnonzero(np.asarray(condition, bool)) for condition in conditions]
    functions, size = list(funclist), int(np.prod(shape))
    if len(functions) == len(where) + 1:  # the last one where none holds
        where.append(np.setdiff1d(np.arange(size), np.concatenate(where)))
    if len(functions) != len(where):
        raise BadInput(f"piecewise: {len(where)} conditions take as many functions, or one more, not {len(functions)}.")
    flat, parts, place, ahead = np.ravel(x), [np.zeros(1)], np.zeros(size, int), 1
    for at, f in zip(where, functions):
        if len(at):
            parts.append(np.broadcast_to(f(flat[at], *args, **options) if callable(f) else f, at.shape))
            place[at] = np.arange(ahead, ahead + len(at))
            ahead += len(at)
    return np.reshape(np.concatenate(parts)[place], shape)


def _choose(a: Any, choices: Any) -> Data:
    if np.any((np.asarray(a) < 0) | (np.asarray(a) >= len(choices))):
        raise BadInput(f"choose: there are {len(choices)} choices, numbered from 0, and {a!r:.60} asks for others.")
    found: Any = np.broadcast_to(choices[0], np.broadcast_shapes(np.shape(a), *map(np.shape, choices)))
    for k, choice in enumerate(choices[1:], start=1):
        found = np.where(np.asarray(a) == k, choice, found)
    return found


written(
    "select", _select, [([np.array([True, False, False]), np.array([True, True, False])], [reals(3), reals(3)], 1.5)]
)
written(
    "piecewise", _piecewise, [(reals(4), [np.array([True, False, True, False])], [lambda x: x**2, lambda x: 3 * x])]
)
written(
    "choose", _choose, [(np.array([0, 1, 1]), [reals(3), reals(3)]), (np.array([2, 0]), [reals(2), reals(2), reals()])]
)
