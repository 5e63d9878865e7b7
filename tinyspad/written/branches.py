"""Choices: nothing flows along what is not taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import BadInput
from ..rules import reals
from .table import written


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Data:
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        found = np.where(condition, choice, found)
    return found


def _piecewise(x: Data, condlist: Any, funclist: Any, *args: Any, **options: Any) -> Data:
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    if len(conditions) and np.ndim(conditions[0]) == 0 and np.ndim(x):
        conditions = [np.asarray(condlist)]
    values = [f(x, *args, **options) if callable(f) else f for f in funclist]
    default = values.pop() if len(values) == len(conditions) + 1 else 0.0
    found = default * np.ones(np.shape(x)) if np.ndim(x) else default
    for condition, value in zip(conditions, values):  # the last one that holds
        found = np.where(condition, value, found)
    return found


def _choose(a: Any, choices: Any) -> Data:
    if np.any((np.asarray(a) < 0) | (np.asarray(a) >= len(choices))):
        raise BadInput(f"choose: there are {len(choices)} choices, numbered from 0, and {a!r:.60} asks for others.")
    found: Any = choices[0]
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
