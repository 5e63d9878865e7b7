"""Numbers joined, taken apart, arranged and spaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import positive, reals
from .table import along, as_array, asked, positions, written

partitioned = asked(lambda a, kth, axis: np.argpartition(a, kth, axis))


def _append(arr: Data, values: Data, axis: Any = None) -> Data:
    if axis is None:
        arr, values, axis = np.ravel(as_array(arr)), np.ravel(as_array(values)), 0
    return np.concatenate([as_array(arr), as_array(values)], axis=axis)


def _insert(arr: Data, obj: Any, values: Data, axis: Any = None) -> Data:
    """Where NumPy puts the numbers' positions, the numbers go."""
    obj = positions(obj, "insert")
    arr, values = as_array(arr), as_array(values)
    places = np.arange(np.size(arr)).reshape(np.shape(arr))
    new = np.size(arr) + np.arange(np.size(values)).reshape(np.shape(values))
    return np.concatenate([np.ravel(arr), np.ravel(values)])[np.insert(places, obj, new, axis)]


def _split(ary: Data, sections: Any, axis: int = 0, by: Callable[..., Any] = np.split) -> list[Data]:
    parts = by(np.arange(np.shape(ary)[axis]), positions(sections, by.__name__))
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


def _block(arrays: Any) -> Data:
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
    start: Data,
    stop: Data,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: None = None,
    axis: int = 0,
) -> Data:
    whole = max(num - 1 if endpoint else num, 1)
    step = (stop - start) / whole
    along = np.reshape(np.arange(num), (num,) + (1,) * np.ndim(step))
    found = start + along * step
    found = np.moveaxis(found, 0, axis) if axis else found
    return (found, step) if retstep else found


def without_zeros(filt: Data, trim: str = "fb", axis: Any = None) -> Data:
    """A vector without the zeros at its front and its back."""
    if np.ndim(filt) != 1:
        raise NoRule("trim_zeros: vectors are covered.")
    there = np.flatnonzero(filt)
    if not len(there):
        return filt[:0]
    front, back = "f" in trim.lower(), "b" in trim.lower()
    return filt[there[0] if front else 0 : there[-1] + 1 if back else np.size(filt)]


def _unstack(x: Data, /, *, axis: int = 0) -> tuple[Data, ...]:
    return tuple(along(x, axis, i) for i in range(np.shape(x)[axis]))


def _compress(condition: Any, a: Data, axis: Any = None, out: None = None) -> Data:
    return np.take(a, np.flatnonzero(condition), axis=axis)


def _broadcast_arrays(*args: Data, subok: bool = False) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, args))
    spread = [np.broadcast_to(as_array(a), shape) for a in args]
    return spread if isinstance(np.broadcast_arrays(0), list) else tuple(spread)


def _along_axis(func1d: Callable[..., Any], axis: int, arr: Data, *args: Any, **kwargs: Any) -> Data:
    lanes = np.moveaxis(as_array(arr), axis, -1)
    found = [func1d(lanes[at], *args, **kwargs) for at in np.ndindex(np.shape(lanes)[:-1])]
    joined = np.reshape(np.stack(found), np.shape(lanes)[:-1] + np.shape(found[0]))
    axes = range(np.ndim(lanes) - 1, np.ndim(joined))
    return np.moveaxis(joined, axes, [axis % np.ndim(lanes) + k for k in range(len(axes))])


def _over_axes(func: Callable[..., Any], a: Data, axes: Any) -> Data:
    for axis in np.atleast_1d(axes):
        found = func(a, int(axis))
        a = found if np.ndim(found) == np.ndim(a) else np.expand_dims(found, int(axis))
    return a


def _logspace(
    start: Data, stop: Data, num: int = 50, endpoint: bool = True, base: Data = 10.0, dtype: None = None, axis: int = 0
) -> Data:
    exponents = _linspace(start, stop, num, endpoint, axis=axis)
    return np.power(base if np.ndim(base) == 0 else np.expand_dims(base, axis), exponents)


def _geomspace(
    start: Data, stop: Data, num: int = 50, endpoint: bool = True, dtype: None = None, axis: int = 0
) -> Data:
    ratio, steps = stop / start, np.linspace(0.0, 1.0, num, endpoint)
    found = np.expand_dims(start, 0) * np.power(ratio, np.reshape(steps, (num,) + (1,) * np.ndim(ratio)))
    return np.moveaxis(found, 0, axis) if axis else found


written("real", lambda val: val, [(reals(2),)])
written("imag", lambda val: np.zeros(np.shape(val))[()], [])
written("append", _append, [(reals(2), reals(3)), (reals(2, 2), reals(1, 2), {"axis": 0})])
written(
    "insert", _insert, [(reals(3), 1, reals()), (reals(3), [0, 2], reals(2)), (reals(2, 3), 1, reals(2), {"axis": 1})]
)
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
written("unstack", _unstack, [])
written("compress", _compress, [([True, False, True], reals(3)), ([False, True], reals(2, 3), {"axis": 0})])
written("extract", lambda condition, arr: np.ravel(arr)[np.flatnonzero(condition)], [([True, False, True], reals(3))])
written("broadcast_arrays", _broadcast_arrays, [])
written(
    "apply_along_axis", _along_axis, [(np.cumsum, 0, reals(2, 3)), (np.diag, 1, reals(3, 2)), (np.sum, 1, reals(2, 3))]
)
written("apply_over_axes", _over_axes, [(np.sum, reals(2, 3, 2), [0, 2])])
written("logspace", _logspace, [(reals(), reals(), 4), (reals(2), reals(2), 3, {"base": 2.0, "endpoint": False})])
written("geomspace", _geomspace, [(positive(), positive(), 4), (positive(2), positive(2), 3, {"axis": -1})])
written("trim_zeros", without_zeros, [])
written("modf", lambda x: (x - np.trunc(x), np.trunc(x)), [])
written("divmod", lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)), [])
written("astype", lambda x, dtype, /, *, copy=True: x.astype(dtype), [(reals(3), np.dtype("f8"))])
written("real_if_close", lambda a, tol=100: a, [(reals(3),)])
