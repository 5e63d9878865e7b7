"""How ``minimize`` reads its arguments, and what estimators and optimizers say of themselves."""

from __future__ import annotations

import numpy as np

from ..arguments import Data, integer
from ..errors import BadInput
from ..lcg import LCG
from ..linearization import Linearization
from ..tape import Value


def check_settings(estimator: object, optimizer: object, steps: object, every: object) -> None:
    """Raise BadInput for what minimize cannot work with."""
    for what, value, methods, example in (
        ("estimator", estimator, ("init", "draw"), "RAD()"),
        ("optimizer", optimizer, ("init", "update"), "Adam(lr=0.01)"),
    ):
        if isinstance(value, type) or not all(hasattr(value, method) for method in methods):
            shown, example = (
                (value.__name__, f"{value.__name__}()") if isinstance(value, type) else (repr(value), example)
            )
            raise BadInput(
                f"minimize: {what}= is a value with {' and '.join(methods)}, which {shown:.60} is not; write {example}."
            )
    for name, number in (("steps", steps), ("every", every)):
        if number is not None or name == "steps":
            integer(number, f"minimize: {name}=", least=int(name == "every"))


def start_of(x: Data) -> Data:
    """A start position as a float or a float array of our own; whatever is not one, Value explains on tracing."""
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return float(x)
    try:
        return x if isinstance(x, np.ma.MaskedArray) else np.array(x)
    except ValueError:  # rows of different lengths
        return Value(x).data  # which says what is wrong


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


def asks_paths_only(estimator: object) -> bool:
    """Whether an estimator can do with a program's answers (see ``Estimator.paths_only``)."""
    return says(estimator, "paths_only", "init", "draw")


def tell_what_is_not_asked(estimator: object, problem: AttributeError) -> None:
    """Raise BadInput if an estimator asked something that only an LCG can answer."""
    asked, known = problem.obj, isinstance(problem.name, str) and hasattr(LCG, problem.name)
    if isinstance(asked, Linearization) and known:
        which = "a program at a point" if asked.observed is None else "observations that share a path"
        raise BadInput(
            f'{type(estimator).__name__} asks {which} for "{problem.name}"; it answers what ts.Estimator lists. An LCG, '
            "which answers more, is for estimators that do not say paths_only = True; and, with data=, for "
            'sample="different".'
        ).at(problem) from None
