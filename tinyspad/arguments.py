"""How arguments are read: integers, rng=, the names of functions and of their parameters; how large counts are written."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from .errors import BadInput

Data = Any
"""Data: a number or an array of them; where several parameters or columns may be given, a tuple of these."""

Array = np.ndarray[Any, Any]
"""Data: an array of any shape and precision."""

State = Any
"""What an estimator, optimizer or sampler remembers from one step to the next. Nobody but who made it looks inside."""


def integer(value: Any, what: str, least: int = 1, most: int | None = None) -> int:
    """The argument as an integer of Python's own, which cannot overflow.

    Raises BadInput, which says ``what`` is to be an integer and what it is, for anything else: floats, truth values, and
    integers below ``least`` or above ``most``.

    >>> integer(np.int64(3), "draw: m")
    3
    >>> try:
    ...     integer(0, "draw: m")
    ... except BadInput as error:
    ...     print(error.message)
    draw: m is a whole number, at least 1, not 0.
    """
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if fits and value >= least and (most is None or value <= most):
        return int(value)
    span = f", at least {least}" if most is None else f" from {least} to {spaced(most)}"
    raise BadInput(f"{what} is a whole number{span}, not {value!r:.60}.")


def set_integer(setting_of: Any, name: str, least: int = 1) -> None:
    """Make a field of a frozen dataclass an integer of Python's own; raises BadInput as :func:`integer` does."""
    value = integer(getattr(setting_of, name), f"{type(setting_of).__name__}: {name}", least)
    object.__setattr__(setting_of, name, value)


def generator(rng: Any) -> np.random.Generator:
    """A Generator from a Generator, a seed, or None. Raises BadInput for anything else."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as problem:
        raise BadInput(f"rng= is a numpy Generator, a whole number or None, not {rng!r:.60} ({problem}).") from None


def name_of(f: Callable[..., Any]) -> str:
    """How messages speak of a function: by its name, or, of an object that can be called, by its class."""
    return getattr(f, "__name__", None) or type(f).__name__


def spaced(number: int) -> str:
    """An integer in groups of three digits; past 60 digits its magnitude.

    >>> spaced(1267650), spaced(2**1000)
    ('1 267 650', '1.0715e+301')
    """
    return f"{number:,}".replace(",", " ") if number < 10**60 else f"{Decimal(number):.4e}"


def briefly(number: int) -> str:
    """An integer in groups of three digits where one would read them all; from 15 digits on its magnitude.

    >>> briefly(1267650), briefly(3**62)
    ('1 267 650', '3.8e29')
    """
    return spaced(number) if number < 10**15 else f"{Decimal(number):.1e}".replace("e+", "e")


def says(value: object, what: str, *methods: str) -> bool:
    """Whether a class says this of its methods: ``Estimator.paths_only``, or that an optimizer is ``elementwise``.

    What is said holds for derived classes, but not for one that writes one of the methods anew without saying so again.
    """
    for kind in type(value).__mro__:
        if what in vars(kind):
            return vars(kind)[what] is True
        if any(method in vars(kind) for method in methods):
            return False
    return False


_known_names: weakref.WeakKeyDictionary[Any, tuple[int, list[str]]] = weakref.WeakKeyDictionary()
"""Reading a signature takes a tenth of a trace and more; so it is kept as long as the function lives."""


def parameter_names(f: Callable[..., Any], number: int) -> list[str]:
    """The names of f's first positional parameters; x0, x1, ... where f does not tell."""
    try:
        known = _known_names.get(f)
        if known is None or known[0] != number:
            known = _known_names[f] = number, _names_of(f, number)
        return list(known[1])
    except TypeError:  # no hash, or no weak reference
        return _names_of(f, number)


def _names_of(f: Callable[..., Any], number: int) -> list[str]:
    if not callable(f):
        raise BadInput(f"The first argument is the function to trace, not {f!r:.60}.")
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return ["x"] if number == 1 else [f"x{i}" for i in range(number)]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    spread = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    if number < len(required) or (number > len(named) and spread is None):
        takes = f"{len(named)} argument{'s' * (len(named) != 1)} ({', '.join(named)})" if named else "no arguments"
        hint = (
            " Start from a tuple, minimize(f, (1.0, 2.0)), or trace(f, 1.0, 2.0)." if number == 1 < len(named) else ""
        )
        raise BadInput(f"{name_of(f)} takes {takes}, and {number} {'was' if number == 1 else 'were'} given.{hint}")
    joint = "" if not any(name.startswith(str(spread)) for name in named) else "_"
    return named[:number] + [f"{spread}{joint}{i}" for i in range(number - len(named))]


def parameter_count(f: Callable[..., Any], asking: str, remedy: str) -> int:
    """How many parameters f needs, or takes if it needs none. Raises BadInput, with the asker's remedy, if f does not tell.

    >>> parameter_count(lambda x, y, n=2: x, "compile", "say how many")
    2
    """
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        raise BadInput(f"{asking}: the function does not tell its parameters; {remedy}.") from None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in positional if p.default is p.empty]
    if not positional and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise BadInput(f"{asking}: the function takes any number of parameters; {remedy}.")
    return len(needed or positional)
