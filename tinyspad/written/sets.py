"""Numbers that differ: which there are of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import reals
from .table import asked, written

# What is asked of the data, for whose equality there is no derivative.
first_of_each = asked(lambda a, **options: np.unique(a, return_index=True, **options)[1])


def _unique(
    ar: Data,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
) -> Data:
    if return_index or return_inverse or return_counts:
        raise NoRule("unique: of a Value the numbers themselves are offered; ask its .data for positions and counts.")
    first = first_of_each(ar, axis=axis, equal_nan=equal_nan)
    return np.take(np.ravel(ar) if axis is None else ar, first, axis=0 if axis is None else axis)


def _difference(ar1: Data, ar2: Data, assume_unique: bool = False) -> Data:
    mine = np.ravel(ar1) if assume_unique else _unique(ar1)
    return mine[~np.isin(mine, ar2)]


def _intersection(ar1: Data, ar2: Data, assume_unique: bool = False) -> Data:
    mine = np.sort(np.ravel(ar1)) if assume_unique else _unique(ar1)
    return mine[np.isin(mine, ar2)]


def _either(ar1: Data, ar2: Data, assume_unique: bool = False) -> Data:
    return np.sort(np.concatenate([_difference(ar1, ar2), _difference(ar2, ar1)]))


written("unique", _unique, [(reals(4),)])
written("unique_values", lambda x: _unique(x, equal_nan=False), [])
written("union1d", lambda ar1, ar2: _unique(np.concatenate([np.ravel(ar1), np.ravel(ar2)])), [(reals(3), reals(2))])
written("setdiff1d", _difference, [(reals(3), [0.25])])
written("intersect1d", _intersection, [([0.5, 0.25], [0.25])])
written("setxor1d", _either, [(reals(3), reals(2))])
