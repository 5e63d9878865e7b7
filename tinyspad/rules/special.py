"""SciPy's special functions that classes use. It is no dependency: their rules are made when one of them meets a Value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from .elementwise import positive, reals
from .table import RULES, Domain, Rule, rule

ROOT_2_PI, inside = math.sqrt(2 * math.pi), Domain(0.1, 0.9)


def special_rule(function: Callable[..., Data]) -> Rule | None:
    """The rule of a function of ``scipy.special``, where SciPy is in use; None for any other.

    A miss costs a look at the modules that are loaded.
    """
    special = sys.modules.get("scipy.special")
    if special is None or getattr(special, getattr(function, "__name__", ""), None) is not function:
        return None
    if special.expit not in RULES:
        _enter(special)
    return RULES.get(function)


def _enter(special: Any) -> None:
    def polygamma(x: Data, order: Data) -> Data:
        """The derivative of digamma of this order."""
        return special.polygamma(order, x)

    slope: Any = rule(polygamma, d=(lambda out, x, order: slope(x, order + 1), None), domain=[])
    rule(special.expit, d=lambda out, x: out * (1 - out), domain=reals)
    rule(special.logit, d=lambda out, x: 1 / (x * (1 - x)), domain=inside)
    rule(special.erf, d=lambda out, x: 2 / math.sqrt(math.pi) * np.exp(-x * x), domain=reals)
    rule(special.erfc, d=lambda out, x: -2 / math.sqrt(math.pi) * np.exp(-x * x), domain=reals)
    rule(special.gammaln, d=lambda out, x: special.digamma(x), domain=positive)
    rule(special.digamma, d=lambda out, x: slope(x, 1), domain=positive)
    rule(special.xlogy, d=(lambda out, x, y: np.log(y), lambda out, x, y: x / y), domain=(positive, positive))
    rule(special.entr, d=lambda out, x: -np.log(x) - 1.0, domain=positive)
    rule(special.ndtr, d=lambda out, x: np.exp(-x * x / 2.0) / ROOT_2_PI, domain=reals)
    rule(special.log_ndtr, d=lambda out, x: np.exp(-x * x / 2.0 - out) / ROOT_2_PI, domain=reals)
