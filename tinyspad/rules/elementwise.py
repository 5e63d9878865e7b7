"""Elementwise functions: out[i] depends on x[i] alone, so the derivative is a number per element.

At a kink the derivative is the mean of the one-sided derivatives, the limit of the central difference:
abs is 0 at 0, a tie of maximum or minimum is shared equally, clip has 1/2 at a bound. Step functions have
derivative 0. The one exception is relu, which has 0 at 0 as in micrograd.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .table import PLAIN, Domain, rule

reals = Domain(-2.0, 2.0)
positive = Domain(0.3, 3.0)
nonzero = Domain(0.3, 2.0, mirrored=True)
unit = Domain(-0.9, 0.9)
above_one = Domain(1.2, 3.0)

LOG2, LOG10 = np.log(2.0), np.log(10.0)


# Conditions enter as 0 and 1, since x > y is one on numbers and arrays alike, and far cheaper than np.where.


def _larger(x: Any, y: Any) -> Any:
    return (x > y) + 0.5 * (x == y)


def _power_base(out: Any, x: Any, y: Any) -> Any:
    return y * x ** (y - (y != 0))


def _power_exponent(out: Any, x: Any, y: Any) -> Any:
    return out * np.log(x + (x == 0))


def _over(x: Any, norm: Any) -> Any:
    return x / (norm + (norm == 0))


def _sinc(out: Any, x: Any) -> Any:
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 0.0, (np.cos(np.pi * safe) - np.sinc(safe)) / safe)


# arithmetic
rule(np.negative, d=lambda out, x: -1.0, domain=reals, symbol="-")
rule(np.positive, d=lambda out, x: 1.0, domain=reals, symbol="+")
rule(np.add, d=(lambda out, x, y: 1.0, lambda out, x, y: 1.0), domain=(reals, reals), symbol="+")
rule(np.subtract, d=(lambda out, x, y: 1.0, lambda out, x, y: -1.0), domain=(reals, reals), symbol="-")
rule(np.multiply, d=(lambda out, x, y: y, lambda out, x, y: x), domain=(reals, reals), symbol="*")
rule(np.divide, d=(lambda out, x, y: 1 / y, lambda out, x, y: -out / y), domain=(reals, nonzero), symbol="/")
rule(np.power, d=(_power_base, _power_exponent), domain=(positive, reals), symbol="**")
rule(np.float_power, d=(_power_base, _power_exponent), domain=(positive, reals))
rule(np.square, d=lambda out, x: 2 * x, domain=reals)
rule(np.sqrt, d=lambda out, x: 0.5 / out, domain=positive)
rule(np.cbrt, d=lambda out, x: 1 / (3 * out**2), domain=nonzero)
rule(np.reciprocal, d=lambda out, x: -(out**2), domain=nonzero)
rule(
    np.remainder,
    d=(lambda out, x, y: 1.0, lambda out, x, y: -np.floor(x / y)),
    domain=(reals, positive),
    symbol="%",
)
rule(np.fmod, d=(lambda out, x, y: 1.0, lambda out, x, y: -np.trunc(x / y)), domain=(reals, positive))

# exponentials and logarithms
rule(np.exp, d=lambda out, x: out, domain=reals)
rule(np.exp2, d=lambda out, x: out * LOG2, domain=reals)
rule(np.expm1, d=lambda out, x: out + 1, domain=reals)
rule(np.log, d=lambda out, x: 1 / x, domain=positive)
rule(np.log2, d=lambda out, x: 1 / (x * LOG2), domain=positive)
rule(np.log10, d=lambda out, x: 1 / (x * LOG10), domain=positive)
rule(np.log1p, d=lambda out, x: 1 / (1 + x), domain=positive)
rule(
    np.logaddexp,
    d=(lambda out, x, y: np.exp(x - out), lambda out, x, y: np.exp(y - out)),
    domain=(reals, reals),
)
rule(
    np.logaddexp2,
    d=(lambda out, x, y: np.exp2(x - out), lambda out, x, y: np.exp2(y - out)),
    domain=(reals, reals),
)

# trigonometric, hyperbolic, and their inverses
rule(np.sin, d=lambda out, x: np.cos(x), domain=reals)
rule(np.cos, d=lambda out, x: -np.sin(x), domain=reals)
rule(np.tan, d=lambda out, x: 1 + out**2, domain=unit)
rule(np.arcsin, d=lambda out, x: 1 / np.sqrt(1 - x**2), domain=unit)
rule(np.arccos, d=lambda out, x: -1 / np.sqrt(1 - x**2), domain=unit)
rule(np.arctan, d=lambda out, x: 1 / (1 + x**2), domain=reals)
rule(
    np.arctan2,
    d=(lambda out, y, x: x / (x**2 + y**2), lambda out, y, x: -y / (x**2 + y**2)),
    domain=(nonzero, nonzero),
)
rule(np.sinh, d=lambda out, x: np.cosh(x), domain=reals)
rule(np.cosh, d=lambda out, x: np.sinh(x), domain=reals)
rule(np.tanh, d=lambda out, x: 1 - out**2, domain=reals)
rule(np.arcsinh, d=lambda out, x: 1 / np.sqrt(x**2 + 1), domain=reals)
rule(np.arccosh, d=lambda out, x: 1 / np.sqrt(x**2 - 1), domain=above_one)
rule(np.arctanh, d=lambda out, x: 1 / (1 - x**2), domain=unit)
rule(np.sinc, d=_sinc, domain=nonzero)
for degrees in (np.deg2rad, np.radians):
    rule(degrees, d=lambda out, x: np.pi / 180, domain=reals)
for radians in (np.rad2deg, np.degrees):
    rule(radians, d=lambda out, x: 180 / np.pi, domain=reals)


# kinks, ties and steps
def relu(x: Any) -> Any:
    """The larger of x and 0, with derivative 0 at 0 as in micrograd.

    >>> import numpy as np
    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(x, 0.0)


relu = rule(relu, d=lambda out, x: (x > 0) * 1.0, domain=nonzero)
rule(np.absolute, d=lambda out, x: np.sign(x), domain=nonzero)
rule(np.fabs, d=lambda out, x: np.sign(x), domain=nonzero)
rule(np.hypot, d=(lambda out, x, y: _over(x, out), lambda out, x, y: _over(y, out)), domain=(reals, nonzero))


def _first(x: Any, y: Any) -> Any:
    """1 where fmax or fmin takes x because y is not a number."""
    return (y != y) * (x == x)


rule(
    np.fmax,
    d=(lambda out, x, y: _larger(x, y) + _first(x, y), lambda out, x, y: _larger(y, x) + _first(y, x)),
    domain=(reals, reals),
)
rule(
    np.fmin,
    d=(lambda out, x, y: _larger(y, x) + _first(x, y), lambda out, x, y: _larger(x, y) + _first(y, x)),
    domain=(reals, reals),
)
rule(np.maximum, d=(lambda out, x, y: _larger(x, y), lambda out, x, y: _larger(y, x)), domain=(reals, reals))
rule(np.minimum, d=(lambda out, x, y: _larger(y, x), lambda out, x, y: _larger(x, y)), domain=(reals, reals))
for step in (np.sign, np.floor, np.ceil, np.trunc, np.rint):
    rule(step, d=lambda out, x: 0.0, domain=nonzero)
rule(
    np.floor_divide,
    d=(lambda out, x, y: 0.0, lambda out, x, y: 0.0),
    domain=(reals, positive),
    symbol="//",
)
rule(
    np.where,
    d=(None, lambda out, c, x, y: (c != 0) * 1.0, lambda out, c, x, y: (c == 0) * 1.0),
    domain=[(np.True_, reals, reals), (np.False_, reals, reals), (np.array([True, False]), reals(2), reals())],
)


rule(np.copysign, d=(lambda out, x, y: np.sign(x) * np.sign(out), lambda out, x, y: 0.0), domain=(nonzero, nonzero))
rule(np.full_like, d=(None, lambda out, a, fill_value: 1.0), domain=[(np.zeros(3), reals), (np.zeros(3), reals(3))])
rule(np.conjugate, d=lambda out, x: 1.0, domain=reals)
rule(np.ldexp, d=(lambda out, x, n: 2.0**n, None), domain=(reals, 3))


def _clip_call(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> tuple[Any, Any, Any]:
    return a, (a_min if min is None else min), (a_max if max is None else max)


def _bounds(low: Any, high: Any) -> tuple[Any, Any]:
    return (-np.inf if low is None else low), (np.inf if high is None else high)


def _clip_inside(out: Any, a: Any, low: Any, high: Any) -> Any:
    low, high = _bounds(low, high)
    return _larger(a, low) * _larger(high, a) * (low < high)


def _clip_low(out: Any, a: Any, low: Any, high: Any) -> Any:
    low, high = _bounds(low, high)
    return _larger(low, a) * _larger(high, np.maximum(a, low))


def _clip_high(out: Any, a: Any, low: Any, high: Any) -> Any:
    low, high = _bounds(low, high)
    return _larger(np.maximum(a, low), high)


rule(
    np.clip,
    d=(_clip_inside, _clip_low, _clip_high),
    domain=(reals, Domain(-1.0, -0.5), Domain(0.5, 1.0)),
    call=_clip_call,
)

TRUTH = {
    np.greater,
    np.greater_equal,
    np.less,
    np.less_equal,
    np.equal,
    np.not_equal,
    np.logical_and,
    np.logical_or,
    np.logical_not,
    np.logical_xor,
    np.isfinite,
    np.isinf,
    np.isnan,
    np.signbit,
}
"""Elementwise functions whose answer is a truth value."""

PLAIN.update(TRUTH)
