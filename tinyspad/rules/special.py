"""SciPy's special functions. It is no dependency: their rules are made when one of them meets a Value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from .elementwise import positive, reals
from .table import RULES, Domain, Rule, rule

ROOT_PI, ROOT_2_PI, inside = math.sqrt(math.pi), math.sqrt(2 * math.pi), Domain(0.1, 0.9)


def special_rule(function: Callable[..., Data]) -> Rule | None:
    """The rule of a function of ``scipy.special``; None for any other."""
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
    digamma, gammaln, jv, yn, iv = special.digamma, special.gammaln, special.jv, special.yn, special.iv
    order = 2
    rule(special.expit, d=lambda out, x: out * (1 - out), domain=reals)
    rule(special.logit, d=lambda out, x: 1 / (x * (1 - x)), domain=inside)
    rule(special.erf, d=lambda out, x: 2 / ROOT_PI * np.exp(-x * x), domain=reals)
    rule(special.erfc, d=lambda out, x: -2 / ROOT_PI * np.exp(-x * x), domain=reals)
    rule(special.erfinv, d=lambda out, x: ROOT_PI / 2 * np.exp(out * out), domain=inside)
    rule(special.erfcinv, d=lambda out, x: -ROOT_PI / 2 * np.exp(out * out), domain=inside)
    rule(special.ndtr, d=lambda out, x: np.exp(-x * x / 2.0) / ROOT_2_PI, domain=reals)
    rule(special.ndtri, d=lambda out, x: ROOT_2_PI * np.exp(out * out / 2.0), domain=inside)
    rule(special.log_ndtr, d=lambda out, x: np.exp(-x * x / 2.0 - out) / ROOT_2_PI, domain=reals)
    rule(special.xlogy, d=(lambda out, x, y: np.log(y), lambda out, x, y: x / y), domain=(positive, positive))
    rule(special.entr, d=lambda out, x: -np.log(x) - 1.0, domain=positive)
    rule(special.rel_entr, d=(lambda out, x, y: np.log(x / y) + 1.0, lambda out, x, y: -x / y), domain=(positive,) * 2)
    rule(special.kl_div, d=(lambda out, x, y: np.log(x / y), lambda out, x, y: 1.0 - x / y), domain=(positive,) * 2)

    # the gamma function, and what is made of it
    rule(gammaln, d=lambda out, x: digamma(x), domain=positive)
    rule(digamma, d=lambda out, x: slope(x, 1), domain=positive)
    rule(special.gamma, d=lambda out, x: out * digamma(x), domain=positive)
    rule(special.rgamma, d=lambda out, x: -out * digamma(x), domain=positive)
    rule(special.gammasgn, d=lambda out, x: 0.0, domain=positive)
    rule(
        special.beta,
        d=(
            lambda out, a, b: out * (digamma(a) - digamma(a + b)),
            lambda out, a, b: out * (digamma(b) - digamma(a + b)),
        ),
        domain=(positive, positive),
    )
    rule(
        special.betaln,
        d=(lambda out, a, b: digamma(a) - digamma(a + b), lambda out, a, b: digamma(b) - digamma(a + b)),
        domain=(positive, positive),
    )
    rule(
        special.betainc,
        d=(_no_rule("betainc", 1), _no_rule("betainc", 2), _slope_of_betainc(special)),
        domain=(1.5, 2.5, inside),
    )
    rule(special.gammainc, d=(_no_rule("gammainc", 1), _slope_of_gammainc(gammaln, 1.0)), domain=(1.5, positive))
    rule(special.gammaincc, d=(_no_rule("gammaincc", 1), _slope_of_gammainc(gammaln, -1.0)), domain=(1.5, positive))

    # Bessel functions, by their argument
    rule(special.j0, d=lambda out, x: -special.j1(x), domain=reals)
    rule(special.j1, d=lambda out, x: (special.j0(x) - jv(2, x)) / 2.0, domain=reals)
    rule(special.y0, d=lambda out, x: -special.y1(x), domain=positive)
    rule(special.y1, d=lambda out, x: (special.y0(x) - yn(2, x)) / 2.0, domain=positive)
    rule(special.i0, d=lambda out, x: special.i1(x), domain=reals)
    rule(special.i1, d=lambda out, x: (special.i0(x) + iv(2, x)) / 2.0, domain=reals)
    rule(jv, d=(_no_rule("jv", 1), lambda out, n, x: (jv(n - 1, x) - jv(n + 1, x)) / 2.0), domain=(order, reals))
    rule(yn, d=(_no_rule("yn", 1), lambda out, n, x: (yn(n - 1, x) - yn(n + 1, x)) / 2.0), domain=(order, positive))
    rule(iv, d=(_no_rule("iv", 1), lambda out, n, x: (iv(n - 1, x) + iv(n + 1, x)) / 2.0), domain=(order, reals))
    ive = special.ive
    rule(
        ive,
        d=(_no_rule("ive", 1), lambda out, n, x: (ive(n - 1, x) + ive(n + 1, x)) / 2.0 - out * np.sign(x)),
        domain=(order, Domain(0.3, 2.0, mirrored=True)),
    )


def _no_rule(name: str, argument: int) -> Callable[..., Data]:
    def refuse(*args: Data) -> Data:
        raise NoRule(
            f"{name}: by its argument {argument} it has no derivative in closed form. Pass that as a plain number."
        )

    return refuse


def _slope_of_betainc(special: Any) -> Callable[..., Data]:
    return lambda out, a, b, x: np.exp((a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - special.betaln(a, b))


def _slope_of_gammainc(gammaln: Any, sign: float) -> Callable[..., Data]:
    return lambda out, a, x: sign * np.exp((a - 1.0) * np.log(x) - x - gammaln(a))
