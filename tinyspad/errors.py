"""The errors tinyspad raises on purpose. Each says what happened, where, and what to do next."""

from __future__ import annotations

__all__ = [
    "BadInput",
    "ChangedData",
    "DroppedGradient",
    "ExpressionError",
    "NoRule",
    "NotCompilable",
    "NotElementwise",
    "NotScalar",
    "TinyspadError",
    "TooManyPaths",
]


class TinyspadError(Exception):
    """Anything tinyspad refuses to do; catch this to catch them all."""


class BadInput(TinyspadError, ValueError):
    """An argument that has no meaning here: a wrong name, type, shape or range."""


class NoRule(TinyspadError, TypeError):
    """A NumPy function (or one of its options) whose derivative is not in the rule table."""


class DroppedGradient(TinyspadError, TypeError):
    """An operation that would turn a Value into plain numbers and lose its gradient on the way."""


class ChangedData(TinyspadError, RuntimeError):
    """Data changed between the forward pass that read it and the backward pass that needs it."""


class NotScalar(TinyspadError, ValueError):
    """A gradient was asked of an output that is neither a scalar nor a batch of independent runs."""


class NotCompilable(TinyspadError, TypeError):
    """A function that cannot be turned into a program: it branches on values, or is not elementwise."""


class NotElementwise(TinyspadError, TypeError):
    """An operation that needs a number on every edge met an edge that is a linear map."""


class TooManyPaths(TinyspadError, ValueError):
    """More paths than anyone would want listed; the message names the number and the alternatives."""


class ExpressionError(TinyspadError, ValueError):
    """Text that is not an expression in the small language of the command line."""


class BlockFailed(TinyspadError):
    """A block of runs failed again when it was retried; the others are done."""
