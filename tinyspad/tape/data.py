"""What data a Value may hold, and in what form: numbers that nobody else can change."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BadInput, NoRule
from ..rules import Rule


def recorded_form(result: Any, rule: Rule) -> Any:
    """What a function returned, as a Value holds it. Raises for what has no gradient."""
    if result.__class__ is np.float64:
        return float(result)
    if isinstance(result, np.ndarray):
        if not result.shape:
            return float(result) if result.dtype == np.float64 else result[()]
        if result.dtype.kind != "f":
            raise BadInput(f"{rule.name} gave an array of {result.dtype}, which has no gradient.")
        return locked(result)
    if isinstance(result, (tuple, list)):
        raise NoRule(f"{rule.name} returns several arrays; a rule covers functions that return one.")
    if isinstance(result, complex) or (isinstance(result, np.generic) and result.dtype.kind != "f"):
        raise BadInput(f"{rule.name} gave {result!r}, which is not a real number.")
    return result


def floats(data: Any) -> Any:
    """Data as a Python float (any float64 scalar), a NumPy scalar of another precision, or a locked array."""
    if data.__class__ is float:
        return data
    if isinstance(data, np.ma.MaskedArray):
        raise BadInput("Value(...) of a masked array would lose the mask; use .filled(value).")
    mine = data.__class__ is np.ndarray and data.base is None and not data.flags.writeable
    if mine and data.shape and data.dtype.kind == "f":
        return data  # nobody can change it: no copy is needed
    try:
        array = np.array(data)
    except ValueError:
        raise BadInput(
            f"Value(...) takes numbers and arrays of them; rows of different lengths are neither: {data!r:.60}"
        ) from None
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        kind = {"c": "complex numbers", "U": "text", "S": "text", "O": "objects"}.get(
            array.dtype.kind, f"{array.dtype}"
        )
        raise BadInput(f"Value(...) takes real numbers and arrays of them, not {kind}: {data!r:.60}")
    if not array.shape:
        return float(array) if array.dtype == np.float64 else array[()]
    return locked(array)


def frozen(x: Any) -> Any:
    """A constant operand in a form that nobody else can change: the tape may keep it."""
    if isinstance(x, np.ma.MaskedArray):
        raise BadInput("A masked array's mask would be lost. Use np.where with x.filled() and the mask.")
    if isinstance(x, np.ndarray):
        if x.dtype == object:
            raise BadInput("An array of objects cannot be recorded. Join Values with np.stack([...]), not np.array.")
        if not x.shape and x.dtype == np.float64:
            return float(x)
        return x if _is_locked(x) else locked(np.array(x))
    if isinstance(x, (list, tuple)):
        return type(x)([frozen(item) for item in x])
    return x


def _is_locked(array: np.ndarray[Any, Any]) -> bool:
    """Whether nobody can write into it, nor into what it is a view of."""
    base = array.base
    owned = base is None or (base.__class__ is np.ndarray and not base.flags.writeable and base.base is None)
    return owned and not array.flags.writeable


def locked(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array itself, read-only from now on."""
    array.flags.writeable = False
    return array


def shared(x: Any) -> Any:
    """A number as a number, as a Value has it; of an array a view, through which nobody writes."""
    if not isinstance(x, np.ndarray):
        return x
    return locked(x.view()) if x.shape else floats(x)


def gradient_form(grad: Any, data: Any, whose: str) -> Any:
    """A gradient that is set by hand, as the tape keeps it: of the data's shape and precision, and nobody else's array."""
    if grad is None:
        return 0.0
    if grad.__class__ is float and data.__class__ is float:
        return grad
    try:
        array = np.array(grad)
        if (
            isinstance(grad, np.ma.MaskedArray)
            or array.dtype.kind not in "fiub"
            or array.shape not in ((), np.shape(data))
        ):
            raise ValueError
    except ValueError:
        raise BadInput(
            f"The gradient of {whose} is a number, or an array of shape {np.shape(data)}, not {grad!r:.60}."
        ) from None
    if data.__class__ is float or (not array.shape and isinstance(data, np.ndarray)):
        return float(array)
    return array.astype(np.result_type(data))[()]
