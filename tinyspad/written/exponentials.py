"""Sums of exponentials, without overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import Data


def logsumexp(a: Data, axis: Any = None, keepdims: bool = False, *, b: Any = None) -> Data:
    """log(sum(b exp(a))), without overflow.

    Parameters
    ----------
    a : array or Value
        Numbers; -inf counts as a term of 0.
    axis : int, tuple of ints or None
        Along which to sum; all, if None.
    keepdims : bool
        Whether the summed axes stay, of length one.
    b : array or Value
        Factors of the terms, of a shape that goes with that of a; all 1, if None. Where their sum is negative, the logarithm
        is no number.

    Returns
    -------
    number, array or Value
        Of a's shape without the summed axes. Cost: four operations.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> float(ts.logsumexp(np.array([1000.0, 1000.0]))) == 1000 + float(np.log(2))
    True
    >>> ts.grad(ts.logsumexp)(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    if b is not None:
        a = np.broadcast_to(a, np.broadcast_shapes(np.shape(a), np.shape(b)))
        a = np.where(b == 0, -np.inf, a)  # what has no part in the sum
    top = np.max(a, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    terms = np.exp(a - shift) if b is None else np.where(b == 0, 0.0, b * np.exp(a - shift))
    found = np.log(np.sum(terms, axis=axis, keepdims=True)) + shift
    return found if keepdims else np.squeeze(found, axis=axis) if axis is not None else np.reshape(found, ())[()]


def softmax(a: Data, axis: Any = -1) -> Data:
    """exp(a) / sum(exp(a)), without overflow.

    Parameters
    ----------
    a : array or Value
        Numbers; -inf gives 0.
    axis : int, tuple of ints or None
        Along which they sum up to 1; all, if None.

    Returns
    -------
    array or Value
        Of a's shape. Cost: that of :func:`logsumexp` and an exponential.

    Examples
    --------
    >>> import numpy as np, tinyspad as ts
    >>> ts.softmax(np.array([0.0, 1000.0]))
    array([0., 1.])
    """
    return np.exp(a - logsumexp(a, axis=axis, keepdims=True))
