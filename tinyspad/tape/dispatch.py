"""What a function of NumPy's does when one of its arguments is a Value."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np

from ..errors import DroppedGradient, NoRule, TinyspadError, said
from ..rules import PLAIN, RULES, Pair, cast
from .record import Operand, innermost, look, plain, record


def dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a NumPy function does when one of its arguments is a Value."""
    rule = RULES.get(function)
    if kwargs:
        kwargs = {k: v for k, v in kwargs.items() if not (k in NEUTRAL and v is NEUTRAL[k])}
        if function in PARTIAL and kwargs.keys() & {"where", "initial"}:
            return written_in_others().part_of(function, *args, **kwargs)
    if rule is not None and not (function is np.where and len(args) == 1):
        return record(rule, args, kwargs)
    if function in PLAIN or function is np.where:
        if function not in FORM:
            look()
        return function(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
    return _without_rule(function, args, kwargs)


def _without_rule(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function that is written in others; or of SciPy's; or the error that says what to write."""
    known = written_in_others()
    if function in known.WRITTEN:
        return _through(known.WRITTEN[function].instead, function, args, kwargs)
    if "scipy.special" in sys.modules:
        from ..rules.special import special_rule

        rule = special_rule(function)
        if rule is not None:
            return record(rule, args, kwargs)
    if function in WRITING:
        raise into_an_array(function)
    name, called_as = getattr(function, "__name__", str(function)), _spelled(function)
    from .refused import REFUSED

    if function in REFUSED:
        raise NoRule(f"{called_as} has no derivative here. Write {REFUSED[function]}.")
    position = next((i + 1 for i, a in enumerate(args) if isinstance(a, Operand)), "of a sequence")
    derivative = "d" if isinstance(function, np.ufunc) and function.signature is None else "vjp"
    raise NoRule(
        f"{name} has no rule, so the gradient through its argument {position} would be lost. Write it with other NumPy "
        f"functions, or teach tinyspad its derivative: ts.rule({called_as}, {derivative}=...) (README, 'Add a rule')."
    )


def written_in_others() -> Any:
    """The functions that are written in others, which are loaded when one of them is first met."""
    from .. import written

    return written


PARTIAL = {np.sum, np.prod, np.max, np.min, np.mean}
"""Reductions of which a part may be asked."""

NEUTRAL = {"out": None, "dtype": None, "where": True, "subok": True, "casting": "same_kind", "order": "K"}
"""Options of NumPy's that change nothing."""


def _through(instead: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function as it is written in others. NumPy's own is asked first, on the numbers: whether, and in which precision."""
    try:
        given = {} if isinstance(instead, np.ufunc) else inspect.signature(instead).bind(*args, **kwargs).arguments
    except TypeError as problem:
        raise NoRule(
            f"{_spelled(function)}: what is covered has other arguments ({problem}). Write it with other NumPy functions."
        ) from None
    for name, standard in STANDARD.items():
        if (
            name in given
            and given[name] is not standard
            and not (name == "dtype" and given[name] in (float, np.float64))
        ):
            raise NoRule(f"{_spelled(function)}: the option {name}= is not covered. Write the step without it.")
    if function in CALLING or not all(map(_is_of_numbers, (*args, *kwargs.values()))):
        return instead(*args, **kwargs)
    with np.errstate(all="ignore"):
        expected = function(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
    try:
        found = instead(*args, **kwargs)
    except TinyspadError:
        raise
    except Exception as problem:
        raise NoRule(
            f"{_spelled(function)}: what it is written in does not reach these arguments ({said(problem)}). Write it with "
            "other NumPy functions."
        ) from None
    return _in_precision_of(expected, found)


CALLING = {np.apply_along_axis, np.apply_over_axes, np.piecewise}
"""Functions that call others, which are not to be called twice."""


def _is_of_numbers(x: Any) -> bool:
    """Whether NumPy can be asked about it: not of formulas, and not of pairs."""
    if isinstance(x, (list, tuple)):
        return all(map(_is_of_numbers, x))
    return not isinstance(x, Pair) and (
        not isinstance(x, Operand) or isinstance(innermost(x), (float, np.ndarray, np.generic))
    )


def _in_precision_of(expected: Any, found: Any) -> Any:
    """What was found, in the precision that NumPy gives."""
    if isinstance(expected, (tuple, list)) and isinstance(found, (tuple, list)):
        parts = [_in_precision_of(a, b) for a, b in zip(expected, found)]
        return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
    if isinstance(found, Pair):
        return type(found)(_in_precision_of(expected.real, found.real), _in_precision_of(expected.imag, found.imag))
    dtype = getattr(expected, "dtype", None)
    if dtype is None or dtype.kind != "f" or not isinstance(found, Operand):
        return found
    return found if np.result_type(innermost(found)) == dtype else dispatch(cast, (found, dtype), {})


STANDARD = {"out": None, "dtype": None, "rcond": None, "hermitian": False}
"""Options that functions written in others have for NumPy's sake, and what they must be."""


FORM = {np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj}
"""Functions that ask for the form of data, not for the data."""

WRITING = {np.put, np.place, np.putmask, np.copyto, np.fill_diagonal, np.put_along_axis}
"""Functions that write into their first argument."""


def into_an_array(function: Any) -> DroppedGradient:
    remedy = (
        "Collect the Values in a list, and join them: np.stack([...])."
        if function in WRITING
        else "Write y = x + v instead of x += v."
    )
    return DroppedGradient(
        f"{function.__name__}: writing a Value into an existing array (out=, or += on an array) would drop its gradient. "
        + remedy
    )


def _spelled(function: Any) -> str:
    """How a user writes a function: np.sinc, np.linalg.eigh; what is not NumPy's own goes by its name alone."""
    name = getattr(function, "__name__", str(function))
    for prefix, module in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft)):
        if getattr(module, name, None) is function:
            return f"{prefix}.{name}"
    return str(name)
