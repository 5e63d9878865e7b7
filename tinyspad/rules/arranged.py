"""Numbers joined, taken apart and chosen, and products of arrays, written in functions that have rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from .elementwise import nonzero, reals
from .linalg import eigenvalues, eigenvectors, log_abs_det
from .table import PLAIN, asking
from .written import along, as_array, written

# What is asked of the data, for whose order or equality there is no derivative.
first_of_each = asking(lambda a, axis=None: np.unique(a, axis=axis, return_index=True)[1])
partitioned = asking(lambda a, kth, axis: np.argpartition(a, kth, axis))
PLAIN.update({first_of_each, partitioned})


# --- joined, taken apart, arranged -----------------------------------------------------------------------------------------


def _append(arr: Data, values: Data, axis: Any = None) -> Data:
    if axis is None:
        arr, values, axis = np.ravel(as_array(arr)), np.ravel(as_array(values)), 0
    return np.concatenate([as_array(arr), as_array(values)], axis=axis)


def _insert(arr: Data, obj: Any, values: Data, axis: Any = None) -> Data:
    """Where NumPy puts the numbers' positions, the numbers go."""
    arr, values = as_array(arr), as_array(values)
    places = np.arange(np.size(arr)).reshape(np.shape(arr))
    new = np.size(arr) + np.arange(np.size(values)).reshape(np.shape(values))
    return np.concatenate([np.ravel(arr), np.ravel(values)])[np.insert(places, obj, new, axis)]


def _unique(ar: Data, axis: Any = None, **options: Any) -> Data:
    if any(options.values()) and options != {"equal_nan": True}:
        raise NoRule("unique: of a Value the numbers themselves are offered; ask its .data for positions and counts.")
    return np.take(np.ravel(ar) if axis is None else ar, first_of_each(ar, axis), axis=0 if axis is None else axis)


def _split(ary: Data, sections: Any, axis: int = 0, by: Callable[..., Any] = np.split) -> list[Data]:
    parts = by(np.arange(np.shape(ary)[axis]), sections)
    return [along(ary, axis, slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0)) for p in parts]


def _pad(array: Data, pad_width: Any, mode: Any = "constant", constant_values: Any = 0.0) -> Data:
    places = np.arange(1, np.size(array) + 1).reshape(np.shape(array))
    if mode not in ("constant", "edge", "wrap", "reflect", "symmetric"):
        raise NoRule(f"pad: mode= is constant, edge, wrap, reflect or symmetric, not {mode!r:.40}.")
    there = np.pad(places, pad_width, mode=mode)
    found = np.ravel(array)[np.maximum(there - 1, 0)]
    if mode != "constant":
        return found
    return np.where(there > 0, found, np.pad(np.zeros(np.shape(array)), pad_width, constant_values=constant_values))


def _partition(a: Data, kth: Any, axis: int = -1) -> Data:
    return np.take_along_axis(a, partitioned(a, kth, axis), axis)


def _block(arrays: Any, depth: int = 0) -> Data:
    if not isinstance(arrays, list):
        return arrays
    levels, inner = 0, arrays
    while isinstance(inner, list):
        levels, inner = levels + 1, inner[0]
    parts = [np.atleast_1d(_block(part)) for part in arrays]
    width = max(levels, *(np.ndim(part) for part in parts))
    parts = [np.reshape(part, (1,) * (width - np.ndim(part)) + np.shape(part)) for part in parts]
    return np.concatenate(parts, axis=-levels)


def _meshgrid(*xi: Data, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Data, ...]:
    order = [1, 0, *range(2, len(xi))] if indexing == "xy" and len(xi) > 1 else list(range(len(xi)))
    shape = tuple(np.size(xi[i]) for i in order)
    spread = [np.reshape(x, [-1 if order[k] == i else 1 for k in range(len(xi))]) for i, x in enumerate(xi)]
    return tuple(spread if sparse else [np.broadcast_to(x, shape) for x in spread])


def _linspace(
    start: Data, stop: Data, num: int = 50, endpoint: bool = True, retstep: bool = False, axis: int = 0
) -> Data:
    whole = max(num - 1 if endpoint else num, 1)
    step = (stop - start) / whole
    along = np.reshape(np.arange(num), (num,) + (1,) * np.ndim(step))
    found = start + along * step
    found = np.moveaxis(found, 0, axis) if axis else found
    return (found, step) if retstep else found


written("real", lambda val: val, [(reals(2),)])
written("imag", lambda val: np.zeros(np.shape(val))[()], [])
written("append", _append, [(reals(2), reals(3)), (reals(2, 2), reals(1, 2), {"axis": 0})])
written(
    "insert", _insert, [(reals(3), 1, reals()), (reals(3), [0, 2], reals(2)), (reals(2, 3), 1, reals(2), {"axis": 1})]
)
written("unique", _unique, [(reals(4),)])
written(
    "pad",
    _pad,
    [
        (reals(3), 2),
        (reals(2, 3), ((1, 0), (0, 2)), {"constant_values": 1.5}),
        (reals(4), 2, "reflect"),
        (reals(3), 1, "edge"),
    ],
)
written("partition", _partition, [(reals(5), 2), (reals(2, 4), 1, {"axis": 1})])
written("block", _block, [([reals(2), reals(3)],), ([[reals(2, 2), reals(2, 1)], [reals(1, 2), reals(1, 1)]],)])
written("linspace", _linspace, [(reals(), reals(), 5), (reals(2), reals(2), 4, {"endpoint": False})])
written("split", lambda ary, indices_or_sections, axis=0: _split(ary, indices_or_sections, axis), [])
written(
    "array_split", lambda ary, indices_or_sections, axis=0: _split(ary, indices_or_sections, axis, np.array_split), []
)
written("vsplit", lambda ary, indices_or_sections: _split(ary, indices_or_sections, 0), [])
written("hsplit", lambda ary, indices_or_sections: _split(ary, indices_or_sections, min(np.ndim(ary) - 1, 1)), [])
written("dsplit", lambda ary, indices_or_sections: _split(ary, indices_or_sections, 2), [])
written("meshgrid", _meshgrid, [])


# --- choices: nothing flows along what is not taken ------------------------------------------------------------------------


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
written("choose", _choose, [(np.array([0, 1, 1]), [reals(3), reals(3)])])


# --- products ------------------------------------------------------------------------------------------------------------


def _vdot(a: Data, b: Data) -> Data:
    return np.sum(np.ravel(as_array(a)) * np.ravel(as_array(b)))


def _kron(a: Data, b: Data) -> Data:
    a, b = as_array(a), as_array(b)
    n = max(np.ndim(a), np.ndim(b))
    left, right = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    spread = [np.reshape(a, [m for k in left for m in (k, 1)]), np.reshape(b, [m for k in right for m in (1, k)])]
    return np.reshape(spread[0] * spread[1], [i * j for i, j in zip(left, right)])


def _cross(a: Data, b: Data, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Data:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(as_array(a), axisa, -1), np.moveaxis(as_array(b), axisb, -1)
    if np.shape(x)[-1] != 3 or np.shape(y)[-1] != 3:
        raise NoRule("cross: vectors of three numbers are covered.")
    (a0, a1, a2), (b0, b1, b2) = ([v[..., i] for i in range(3)] for v in (x, y))
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=axisc)


def _convolve(a: Data, v: Data, mode: str = "full") -> Data:
    a, v = np.ravel(as_array(a)), np.ravel(as_array(v))
    if np.size(v) > np.size(a):
        a, v = v, a
    n, m = np.size(a), np.size(v)
    wide = np.concatenate([np.zeros(m - 1), a, np.zeros(m - 1)])
    full = wide[np.arange(n + m - 1)[:, None] + np.arange(m)[::-1]] @ v
    start, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[start : start + length]


def _correlate(a: Data, v: Data, mode: str = "valid") -> Data:
    a, v = np.ravel(as_array(a)), np.ravel(as_array(v))
    if np.size(v) > np.size(a):
        return np.flip(_correlate(v, a, mode))
    full = _convolve(a, np.flip(v), "full")
    n, m = np.size(a), np.size(v)
    start, length = {"full": (0, n + m - 1), "same": (m // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return full[start : start + length]


def _polyval(p: Data, x: Data) -> Data:
    found = 0.0 * x
    for i in range(len(p)):
        found = found * x + p[i]
    return found


def _interp(x: Data, xp: Data, fp: Data, left: Any = None, right: Any = None, period: None = None) -> Data:
    if period is not None:
        raise NoRule("interp: period= is not covered; take x % period first.")
    xp, fp = as_array(xp), as_array(fp)
    last = np.size(xp) - 1
    at = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(last - 1, 0))
    if not last:
        return fp[0] + 0.0 * x
    low, high = np.take(xp, at), np.take(xp, at + 1)
    found = np.take(fp, at) + (np.take(fp, at + 1) - np.take(fp, at)) * ((x - low) / (high - low))
    found = np.where(x < xp[0], fp[0] if left is None else left, found)
    return np.where(x > xp[last], fp[last] if right is None else right, found)


def _matrix_power(a: Data, n: int) -> Data:
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(np.shape(a)[-1]), np.shape(a))
    found = None
    while n:  # by squares
        found = a if n % 2 and found is None else found @ a if n % 2 else found
        a, n = (a @ a if n > 1 else a), n // 2
    return found


written("vdot", _vdot, [(reals(3), reals(3)), (reals(2, 2), reals(2, 2))])
written("kron", _kron, [(reals(2), reals(3)), (reals(2, 2), reals(1, 3))])
written("cross", _cross, [(reals(3), reals(3)), (reals(2, 3), reals(2, 3))])
written("linalg.cross", lambda x1, x2, *, axis=-1: _cross(x1, x2, axis=axis), [(reals(3), reals(3))])
written("convolve", _convolve, [(reals(5), reals(3), m) for m in ("full", "same", "valid")])
written(
    "correlate",
    _correlate,
    [(reals(5), reals(3), m) for m in ("full", "same", "valid")] + [(reals(2), reals(4), "full")],
)
written("polyval", _polyval, [(reals(3), reals()), ([1.0, -2.0, 0.5], reals(4))])
written("interp", _interp, [(reals(4), [-1.0, 0.0, 1.5], reals(3)), (reals(), [-1.0, 0.0, 1.5], [1.0, 2.0, 0.0])])
written("linalg.matrix_power", _matrix_power, [(reals(2, 2), 3), (reals(2, 2), 0), (nonzero(2, 2), -2)])
written("linalg.multi_dot", lambda arrays: _chained(list(arrays)), [([reals(2, 3), reals(3, 2), reals(2)],)])
written("matvec", lambda x1, x2: np.einsum("...ij,...j->...i", x1, x2), [(reals(2, 3), reals(3))])
written("vecmat", lambda x1, x2: np.einsum("...i,...ij->...j", x1, x2), [(reals(2), reals(2, 3))])


def _chained(arrays: list[Data]) -> Data:
    found = arrays[0]
    for a in arrays[1:]:
        found = found @ a
    return found


# --- the newer names of linalg ---------------------------------------------------------------------------------------------


def _vector_norm(x: Data, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Data:
    if axis is None:
        found = np.linalg.norm(np.ravel(x), ord=ord)
        return np.reshape(found, (1,) * np.ndim(x)) if keepdims else found
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


written("linalg.vector_norm", _vector_norm, [(reals(2, 3),), (reals(2, 3), {"axis": 1})])
written(
    "linalg.matrix_norm",
    lambda x, *, keepdims=False, ord="fro": np.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims),
    [(reals(2, 3),)],
)
written("linalg.trace", lambda x, *, offset=0: np.sum(np.diagonal(x, offset, -2, -1), axis=-1), [(reals(2, 3, 3),)])
written("linalg.diagonal", lambda x, *, offset=0: np.diagonal(x, offset, -2, -1), [(reals(2, 3, 3),)])
written(
    "cumulative_sum",
    lambda x, *, axis=None, include_initial=False: _running(np.cumsum, 0.0, x, axis, include_initial),
    [(reals(3),), (reals(2, 3), {"axis": 1, "include_initial": True})],
)
written(
    "cumulative_prod",
    lambda x, *, axis=None, include_initial=False: _running(np.cumprod, 1.0, x, axis, include_initial),
    [(reals(3),)],
)
for transpose in ("matrix_transpose", "linalg.matrix_transpose"):
    written(transpose, lambda x: np.swapaxes(x, -1, -2), [(reals(2, 3),)])


def _running(function: Callable[..., Data], start: float, x: Data, axis: Any, include_initial: bool) -> Data:
    axis = 0 if axis is None else axis
    found = function(x, axis=axis)
    if not include_initial:
        return found
    first = np.full([1 if i == axis % np.ndim(x) else n for i, n in enumerate(np.shape(x))], start)
    return np.concatenate([first, found], axis=axis)


# --- decompositions ---------------------------------------------------------------------------------------------------


def _of_symmetric(a: Data, UPLO: str) -> Data:
    """A matrix of which the lower triangle is read."""
    if UPLO not in ("L", "U"):
        raise NoRule(f"eigh: UPLO= is 'L' or 'U', not {UPLO!r:.20}.")
    return a if UPLO == "L" else np.swapaxes(a, -1, -2)


def _eigh(a: Data, UPLO: str = "L") -> Data:
    a = _of_symmetric(a, UPLO)
    return _EIGH(eigenvalues(a), eigenvectors(a))


def _slogdet(a: Data) -> Data:
    return _SLOGDET(sign_of_det(a), log_abs_det(a))


def _pinv(a: Data, rcond: Any = None, hermitian: bool = False) -> Data:
    """Of a matrix of full rank."""
    turned = np.swapaxes(a, -1, -2)
    try:
        if np.shape(a)[-2] >= np.shape(a)[-1]:
            return np.linalg.solve(turned @ a, turned)
        return np.swapaxes(np.linalg.solve(a @ turned, a), -1, -2)
    except np.linalg.LinAlgError:
        raise NoRule("pinv: matrices of full rank are covered; this one is not.") from None


_EIGH, _SLOGDET = type(np.linalg.eigh(np.eye(1))), type(np.linalg.slogdet(np.eye(1)))
sign_of_det = asking(lambda a: np.linalg.slogdet(a)[0])
PLAIN.add(sign_of_det)
written("linalg.eigh", _eigh, [])
written(
    "linalg.eigvalsh", lambda a, UPLO="L": eigenvalues(_of_symmetric(a, UPLO)), [(reals(3, 3),), (reals(2, 2), "U")]
)
written("linalg.slogdet", _slogdet, [])
written("linalg.pinv", _pinv, [(reals(3, 2),), (reals(2, 3),)])
