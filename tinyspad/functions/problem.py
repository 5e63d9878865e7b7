"""A function to minimise, with what is known about it, and the ways in which it is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arguments import name_of, parameter_count, parameter_names, spaced
from ..displays import cut, few, line
from ..errors import BadInput

Point = tuple[float, ...]
Box = tuple[tuple[float, float], ...]


class Writings(dict[str, Callable[..., Any]]):
    """A function's writings by name, itself the first; what is not there is told."""

    def __missing__(self, writing: str) -> Callable[..., Any]:
        raise BadInput(f"There is no writing {writing!r:.60} here; there are {', '.join(map(repr, self))}.")


@dataclass(frozen=True, repr=False)
class Problem:
    """A function to minimise, with what is known about it: ``Problem(name, f, box)`` is enough.

    ``box``: (low, high) for each parameter, where to search, or one pair for all. ``minimum``: its least value in the box,
    NaN if it is not known. ``minimizers``: every point that takes it, a tuple of coordinates each. ``reference``: the source
    of formula and minimum. Calling it evaluates the formula. Raises BadInput for a box, or points, that do not fit it.

    ``writings``: other formulas of the same function, by name; then a dict of problems, this one among them under the
    name ``writing``. ``x * x`` reads x twice and ``x**2`` once, so each writing has paths of its own.

    >>> import tinyspad as ts
    >>> beale = ts.functions.beale
    >>> beale(3.0, 0.5), beale.minimum, beale.minimizer
    (0.0, 0.0, (3.0, 0.5))
    >>> [ts.trace(f, 1.0, 2.0).count_paths("y") for f in (beale, beale.writings["products"])]
    [3, 6]
    >>> Problem("mine", lambda x, y: x * x + y * y, (-1, 1))
    <Problem mine(x, y): minimum not known; in [-1, 1]^2>
    >>> mine = Problem("mine", np.square, [(-1, 1)], writing="power", writings={"product": lambda x: x * x})
    >>> list(mine.writings), mine.writings["power"] is mine, mine.writings["product"](3.0)
    (['power', 'product'], True, 9.0)
    """

    name: str
    formula: Callable[..., Any]
    box: Box
    minimum: float = math.nan
    minimizers: tuple[Point, ...] = ()
    reference: str = "given"
    writing: str = "as given"
    writings: Mapping[str, Callable[..., Any]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", _box(self.name, self.formula, self.box))
        of_this = f"Problem {self.name}: "
        object.__setattr__(self, "minimum", least_value(self.minimum, of_this, unknown=True))
        none = isinstance(self.minimizers, (tuple, list)) and not self.minimizers
        found = () if none else points(self.minimizers, len(self.box), of_this)
        object.__setattr__(self, "minimizers", found)
        if not isinstance(self.writings, Writings):
            others = dict(self.writings)
            object.__setattr__(self, "writings", Writings({self.writing: self}))
            for writing, formula in others.items():
                self.write(writing, formula)
        first = next(iter(self.writings)) == self.writing
        # inspect.signature follows __wrapped__, so that parameters keep the formula's names
        for attribute, value in (
            ("__wrapped__", self.formula),
            ("__name__", self.name if first else f"{self.name}, {self.writing}"),
            ("__doc__", self.formula.__doc__),
        ):
            object.__setattr__(self, attribute, value)

    def write(self, writing: str, formula: Callable[..., Any], **other: Any) -> None:
        """Enter another formula of this function as a writing; ``other``: what is known of it, where that differs."""
        made: Any = replace(self, formula=formula, writing=writing, writings=self.writings, **other)
        self.writings[writing] = made  # type: ignore[index]

    def __call__(self, *args: Any) -> Any:
        return self.formula(*args)

    def __repr__(self) -> str:
        names = parameter_names(self.formula, len(self.box))
        where = " at " + few((f"({', '.join(f'{c:.6g}' for c in point)})" for point in self.minimizers), 2, 40)
        least = f"minimum {self.minimum:.6g}{where if self.minimizers else ''}"
        told = least if math.isfinite(self.minimum) else "minimum not known"
        several = f"; {spaced(len(self.writings))} writings" if len(self.writings) > 1 else ""
        return line(
            f"Problem {cut(name_of(self), 40)}({few(names)}): {told}; in {cut(told_box(self.box), 60)}{several}"
        )

    def __reduce__(self) -> Any:
        known = ALL.get(self.name)
        if known is self:
            return of_name, (self.name,)
        if known is not None and self in known.writings.values():
            return written, (known, self.writing)
        return super().__reduce__()

    @property
    def minimizer(self) -> tuple[float, ...]:
        """The first of the minimizers. Raises BadInput where they are not known."""
        if not self.minimizers:
            raise BadInput(f"The minimizers of {self.name} are not known: Problem(..., minimizers=[(0.0, 0.0)]).")
        return self.minimizers[0]


ALL: dict[str, Problem] = {}
"""Every problem by name."""


def of_name(name: str) -> Problem:
    """A problem of ``ALL``, as a pickle remembers it."""
    return ALL[name]


def written(f: Callable[..., Any], writing: str) -> Callable[..., Any]:
    """A function in one of its writings: of a problem, or of any function that has a dict of them, ``f.writings``.

    Raises BadInput for a writing that it has not, and names those that it has.

    >>> def square(x):
    ...     return x**2
    >>> square.writings = {"power": square, "product": lambda x: x * x}
    >>> written(square, "product")(3.0), written(square, "power") is square
    (9.0, True)
    """
    known = getattr(f, "writings", None)
    if not isinstance(known, Mapping) or len(known) < 2:
        raise BadInput(f"{name_of(f)} has no other writings, so not {writing!r:.60}.")
    if not isinstance(writing, str) or writing not in known:
        raise BadInput(f"{name_of(f)} has no writing {writing!r:.60}; it has {', '.join(map(repr, known))}.")
    return known[writing]


def told_box(box: Sequence[object]) -> str:
    """A box as text: its sides, each a pair of ends or a distribution; their power if they are alike.

    >>> told_box([(0.0, 1.0), (0.0, 1.0)]), told_box([(0.0, 1.0), "N(0, 1)"])
    ('[0, 1]^2', '[0, 1] x N(0, 1)')
    """
    sides = ["[{:g}, {:g}]".format(*side) if isinstance(side, tuple) else str(side) for side in box]
    return sides[0] + (f"^{len(sides)}" if len(sides) > 1 else "") if len(set(sides)) == 1 else " x ".join(sides)


def least_value(minimum: Any, of_this: str = "", *, unknown: bool = False) -> float:
    """A minimum that was given, as a number; NaN where it may be ``unknown``. Raises BadInput for anything else.

    ``of_this``: what the error starts with.
    """
    real = isinstance(minimum, (int, float, np.integer, np.floating)) and not isinstance(minimum, bool)
    if real and (np.isfinite(float(minimum)) or (unknown and np.isnan(minimum))):
        return float(minimum)
    what = "a number, NaN if it is not known" if unknown else "a number"
    raise BadInput(f"{of_this}minimum= is the least value of the function, {what}, not {minimum!r:.60}.")


def points(minimizers: Any, parameters: int, of_this: str = "") -> tuple[Point, ...]:
    """Minimizers that were given, one or several, as tuples of so many coordinates. Raises BadInput for anything else.

    >>> points([3, 0.5], 2), points([0.0, 1.0], 1)
    (((3.0, 0.5),), ((0.0,), (1.0,)))
    """
    try:
        found = np.asarray(minimizers, float)
        if found.ndim < 2:  # one point, or of a function of one parameter numbers
            found = found.reshape(-1, parameters)
        if found.ndim == 2 and found.shape[1] == parameters and found.size and np.isfinite(found).all():
            return tuple(tuple(map(float, point)) for point in found)
    except (TypeError, ValueError):
        pass
    raise BadInput(
        f"{of_this}minimizers= are the points that take the minimum, of {parameters} "
        f"coordinate{'s' * (parameters > 1)} each, such as [{(0.0,) * parameters}], not {minimizers!r:.60}."
    )


def _box(name: str, formula: Callable[..., Any], box: Any) -> Box:
    """A pair for each parameter of the formula; NaN where an end is not known."""
    try:
        pairs = np.asarray(box, float)
    except (TypeError, ValueError):
        pairs = np.empty(0)
    if pairs.shape == (2,):
        pairs = np.tile(pairs, (parameter_count(formula, f"Problem {name}", "give (low, high) for each"), 1))
    fits = pairs.ndim == 2 and pairs.shape[1] == 2 and len(pairs) and not np.any(np.isinf(pairs))
    if not fits or np.any(pairs[:, 0] > pairs[:, 1]):
        raise BadInput(
            f"Problem {name}: box= is (low, high) for each parameter, such as ((-1.0, 1.0), (0.0, 2.0)), or one pair "
            f"for all, not {box!r:.60}."
        )
    parameter_names(formula, len(pairs))  # which tells how many there are, if these are others
    return tuple((float(low), float(high)) for low, high in pairs)
