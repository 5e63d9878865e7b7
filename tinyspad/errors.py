"""The errors tinyspad raises on purpose. Each says what happened, where, and what to do next."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable
from traceback import walk_stack, walk_tb
from types import FrameType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "BadInput",
    "BlockFailed",
    "ChangedData",
    "DroppedGradient",
    "ExpressionError",
    "NoRule",
    "NotCompilable",
    "NotElementwise",
    "NotOffered",
    "NotScalar",
    "NotSymmetric",
    "TinyspadError",
    "TooManyPaths",
]


class TinyspadError(Exception):
    """Anything tinyspad refuses to do; catch this to catch them all.

    ``message`` says what happened and what to do next; ``where`` is the line of the caller's own code that led there,
    the innermost one outside tinyspad, NumPy and Python, as ``"file.py, line 3: y = math.cos(x)"`` (None if there is none).
    ``str()`` of the error is both.

    >>> import math
    >>> import tinyspad as ts
    >>> try:
    ...     math.cos(ts.Value(2.0))
    ... except ts.errors.TinyspadError as error:
    ...     print(error.where.partition(", ")[2])
    line 2: math.cos(ts.Value(2.0))
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = _first_outside(frame for frame, _ in walk_stack(sys._getframe(1)))

    def at(self, problem: BaseException) -> Self:
        """This error, said to be where another one was raised."""
        frames = [frame for frame, _ in walk_tb(problem.__traceback__)]
        self.where = getattr(problem, "where", None) or _first_outside(reversed(frames)) or self.where
        return self

    def __str__(self) -> str:
        return self.message if self.where is None else f"{self.message}\n    {self.where}"


def said(problem: BaseException) -> str:
    """What an exception says: its kind and its text, without the line."""
    text = problem.message if isinstance(problem, TinyspadError) else problem
    return f"{type(problem).__name__}: {text}"


LIBRARIES = tuple(os.path.dirname(file) + os.sep for file in (__file__, np.__file__))
STANDARD = os.path.dirname(os.__file__) + os.sep


def _first_outside(frames: Iterable[FrameType]) -> str | None:
    """The first line of source, going outwards, that is the caller's own."""
    frame = outside(frames)
    if frame is None:
        return None
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()
    return f"{os.path.basename(frame.f_code.co_filename)}, line {frame.f_lineno}: {line:.200}"


def outside(frames: Iterable[FrameType]) -> FrameType | None:
    """The first frame with source, going outwards, that is neither tinyspad's nor NumPy's nor SciPy's nor Python's own.

    Of packages that are installed another one's only if there is no other: who calls matplotlib is asked, not matplotlib.
    """
    installed = None
    for frame in frames:
        file, scipy = frame.f_code.co_filename, getattr(sys.modules.get("scipy"), "__file__", None)
        libraries = (*LIBRARIES, os.path.dirname(scipy) + os.sep) if scipy else LIBRARIES
        if file.startswith(libraries) or (file.startswith(STANDARD) and "-packages" not in file):
            continue
        if has_source(frame):  # a generated program has none
            if "-packages" not in file:
                return frame
            installed = installed or frame
    return installed


def has_source(frame: FrameType) -> bool:
    """Whether the line that runs is at hand."""
    linecache.checkcache(frame.f_code.co_filename)
    return bool(linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip())


class BadInput(TinyspadError, ValueError):
    """An argument that has no meaning here: a wrong name, type, shape or range."""


class NoRule(TinyspadError, TypeError):
    """A NumPy function (or one of its options) whose derivative is not in the rule table."""


class DroppedGradient(TinyspadError, TypeError):
    """An operation that would turn a Value into plain numbers and lose its gradient on the way."""


class NotOffered(TinyspadError, AttributeError):
    """An attribute that arrays have and Values do not; the message says what to write."""


class ChangedData(TinyspadError, RuntimeError):
    """Data changed between the forward pass that read it and the backward pass that needs it."""


class NotScalar(TinyspadError, ValueError):
    """A gradient was asked of an output that is neither a scalar nor a batch of independent runs."""


class NotCompilable(TinyspadError, TypeError):
    """A function that cannot be turned into a program: it branches on values, or is not elementwise."""


class NotElementwise(TinyspadError, TypeError):
    """An operation that needs a number on every edge met an edge that is a linear map."""


class NotSymmetric(TinyspadError, ArithmeticError):
    """Second derivatives that depend on the order of differentiation, as those of no smooth function do."""


class TooManyPaths(TinyspadError, ValueError):
    """More paths than anyone would want listed; the message names the number and the alternatives."""


class ExpressionError(TinyspadError, ValueError):
    """Text that is not an expression in the small language of the command line."""


class BlockFailed(TinyspadError):
    """A block of runs failed again when it was retried; the others are done."""
