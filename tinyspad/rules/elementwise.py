"""Elementwise functions: out[i] depends on x[i] alone, so the derivative is a number per element.

At a kink the derivative is the mean of the one-sided derivatives, the limit of the central difference: abs is 0 at 0
(a mean, and no choice: sqrt(abs(x)) has no slope there), a tie of maximum or minimum is shared equally, clip has 1/2
at a bound. Step functions have derivative 0. The one exception is relu, which has 0 at 0 as in micrograd.

A derivative is read twice: as a number, and as a program whose own derivatives are second ones. So a formula must be right
next to the point as well: a patch for one point (a zero to divide by) may not bring in a slope. Squares that would over- or
underflow before the answer does are avoided; float16 ends at 65504, and its squares at 256.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .table import PLAIN, Domain, rule

reals = Domain(-2.0, 2.0)
positive = Domain(0.3, 3.0)
nonzero = Domain(0.3, 2.0, mirrored=True)
unit = Domain(-0.9, 0.9)
above_one = Domain(1.2, 3.0)

LOG2, LOG2E, LOG10E = float(np.log(2.0)), float(1 / np.log(2.0)), float(1 / np.log(10.0))


# Conditions enter as 0 and 1, since x > y is one on numbers and arrays alike, and far cheaper than np.where.


def _larger(x: Any, y: Any) -> Any:
    return (x > y) + 0.5 * (x == y)


# What is patched stands in a choice, through which nothing flows from the side that is not taken.


def _choose(condition: Any, x: Any, y: Any) -> Any:
    """np.where; where only one side is taken, that one, for a shorter program."""
    if isinstance(condition, (bool, np.bool_)):
        return x if condition else y
    if isinstance(condition, np.ndarray) and not condition.any():
        return y
    return np.where(condition, x, y)


def _power_base(out: Any, x: Any, y: Any) -> Any:
    if isinstance(y, (int, float)):
        return (0.0 if y == 0 else 1.0) if y in (0, 1) else y * (x if y == 2 else x ** (y - 1))
    if isinstance(y, np.ndarray) and y.all():  # nothing to patch
        return y * x ** (y - 1)
    tiny = np.finfo(np.result_type(x)).tiny  # below it 1 / x overflows, and 0 * inf is no slope
    return y * x ** _choose((y == 0) & (abs(x) < tiny), y, y - 1)


def _power_exponent(out: Any, x: Any, y: Any) -> Any:
    """out log(x); at x = 0 its limit for a positive exponent, 0."""
    return out * np.log(_choose(x == 0, 1.0, x))


def _over(x: Any, norm: Any) -> Any:
    """x / norm; at the origin 0, and flat there."""
    origin = norm == 0
    return _choose(origin, 0.0, x / _choose(origin, 1.0, norm))


def _about(x: Any, y: Any) -> Any:
    """x / (x^2 + y^2)."""
    norm = np.hypot(x, y)
    return x / norm / norm


def _lost(sum_of: Any, x: Any, y: Any) -> Any:
    """log(e^x + e^y) - x, of x - y alone: the difference of the two would round off what x and y have in common."""
    tie = (x == y) & np.isinf(x)  # infinities that tie share, as numbers do
    return sum_of(0.0, _choose(tie, 0.0, y) - _choose(tie, 0.0, x))


SINC_SERIES = 0.6
"""Up to this |x| the derivatives of sinc are added up as series in t = pi x, of 12 terms: the first one left out is
t^24 / 24! < 1e-17. Beyond, t f_n = sin^(n)(t) - n f_(n-1) loses no more than n! / t^n bits' worth: under 2 for n <= 3."""


def sinc_slope(x: Any, order: int) -> Any:
    """The derivative of np.sinc of this order, a number of 1 or more, right to rounding also near 0.

    With t = pi x and f(t) = sin(t) / t it is pi^n f_n(t), the n-th derivative of f: the integral of s^n cos^(n)(t s) over
    s from 0 to 1.

    >>> import numpy as np
    >>> sinc_slope(np.array([1e-8, 0.5, 1.0]), 1)
    array([-3.28986813e-08, -1.27323954e+00, -1.00000000e+00])
    """
    near = abs(x) < SINC_SERIES
    if isinstance(near, (bool, np.bool_)):
        return (_sinc_series if near else _sinc_recurrence)(x, order)
    return np.where(near, _sinc_series(np.where(near, x, 0.0), order), _sinc_recurrence(np.where(near, 1.0, x), order))


def _sinc_series(x: Any, order: int) -> Any:
    """The sum over even k >= n of (-1)^(k/2) t^(k-n) / ((k + 1) (k - n)!)."""
    t, odd = np.pi * x, order % 2
    first, *rest = [
        (-1) ** ((m + order) // 2) / ((m + order + 1) * math.factorial(m)) for m in range(22 + odd, odd - 1, -2)
    ]
    total: Any = first
    for term in rest:
        total = total * (t * t) + term
    return np.pi**order * (total * t if odd else total)


def _sinc_recurrence(x: Any, order: int) -> Any:
    t = np.pi * x
    sine, cosine = np.sin(t), np.cos(t)
    slope = sine / t
    for n in range(1, order + 1):
        slope = ((sine, cosine, -sine, -cosine)[n % 4] - n * slope) / t
    return np.pi**order * slope


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
    d=(lambda out, x, y: 1.0, lambda out, x, y: -(x // y)),
    domain=(reals, positive),
    symbol="%",
)
rule(np.fmod, d=(lambda out, x, y: 1.0, lambda out, x, y: -np.rint((x - out) / y)), domain=(reals, positive))

# exponentials and logarithms
rule(np.exp, d=lambda out, x: out, domain=reals)
rule(np.exp2, d=lambda out, x: out * LOG2, domain=reals)
rule(np.expm1, d=lambda out, x: np.exp(x), domain=reals)
rule(np.log, d=lambda out, x: 1 / x, domain=positive)
rule(np.log2, d=lambda out, x: LOG2E / x, domain=positive)
rule(np.log10, d=lambda out, x: LOG10E / x, domain=positive)
rule(np.log1p, d=lambda out, x: 1 / (1 + x), domain=positive)
rule(
    np.logaddexp,
    d=(
        lambda out, x, y: np.exp(-_lost(np.logaddexp, x, y)),
        lambda out, x, y: np.exp(-_lost(np.logaddexp, y, x)),
    ),
    domain=(reals, reals),
)
rule(
    np.logaddexp2,
    d=(
        lambda out, x, y: np.exp2(-_lost(np.logaddexp2, x, y)),
        lambda out, x, y: np.exp2(-_lost(np.logaddexp2, y, x)),
    ),
    domain=(reals, reals),
)

# trigonometric, hyperbolic, and their inverses
rule(np.sin, d=lambda out, x: np.cos(x), domain=reals)
rule(np.cos, d=lambda out, x: -np.sin(x), domain=reals)
rule(np.tan, d=lambda out, x: 1 + out**2, domain=unit)
rule(np.arcsin, d=lambda out, x: 1 / np.sqrt((1 - x) * (1 + x)), domain=unit)
rule(np.arccos, d=lambda out, x: -1 / np.sqrt((1 - x) * (1 + x)), domain=unit)
rule(np.arctan, d=lambda out, x: 1 / (1 + x**2), domain=reals)
rule(
    np.arctan2,
    d=(lambda out, y, x: _about(x, y), lambda out, y, x: -_about(y, x)),
    domain=(nonzero, nonzero),
)
rule(np.sinh, d=lambda out, x: np.cosh(x), domain=reals)
rule(np.cosh, d=lambda out, x: np.sinh(x), domain=reals)
rule(np.tanh, d=lambda out, x: 1 - out**2, domain=reals)
rule(np.arcsinh, d=lambda out, x: 1 / np.hypot(1, x), domain=reals)
rule(np.arccosh, d=lambda out, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)), domain=above_one)
rule(np.arctanh, d=lambda out, x: 1 / ((1 - x) * (1 + x)), domain=unit)
sinc_slope = rule(sinc_slope, d=(lambda out, x, order: sinc_slope(x, order + 1), None), domain=(reals, 1))
rule(np.sinc, d=lambda out, x: sinc_slope(x, 1), domain=reals)
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


relu = rule(relu, d=lambda out, x: (x > 0) * 1.0, domain=nonzero, chooses=True)
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
    chooses=True,
)
rule(
    np.fmin,
    d=(lambda out, x, y: _larger(y, x) + _first(x, y), lambda out, x, y: _larger(x, y) + _first(y, x)),
    domain=(reals, reals),
    chooses=True,
)
rule(
    np.maximum,
    d=(lambda out, x, y: _larger(x, y), lambda out, x, y: _larger(y, x)),
    domain=(reals, reals),
    chooses=True,
)
rule(
    np.minimum,
    d=(lambda out, x, y: _larger(y, x), lambda out, x, y: _larger(x, y)),
    domain=(reals, reals),
    chooses=True,
)
for step in (np.sign, np.floor, np.ceil, np.trunc, np.rint):
    rule(step, d=lambda out, x: 0.0, domain=nonzero, chooses=True)
for rounded in (np.round, np.around):
    rule(rounded, d=(lambda out, a, decimals: 0.0, None), domain=(nonzero, 1), chooses=True)
rule(np.fix, d=lambda out, x: 0.0, domain=nonzero, chooses=True)
rule(
    np.heaviside,
    d=(lambda out, x1, x2: 0.0, lambda out, x1, x2: (x1 == 0) * 1.0),
    domain=(nonzero, reals),
    chooses=True,
)
rule(
    np.floor_divide,
    d=(lambda out, x, y: 0.0, lambda out, x, y: 0.0),
    domain=(reals, positive),
    symbol="//",
    chooses=True,
)
rule(
    np.where,
    d=(None, lambda out, c, x, y: (c != 0) * 1.0, lambda out, c, x, y: (c == 0) * 1.0),
    domain=[(np.True_, reals, reals), (np.False_, reals, reals), (np.array([True, False]), reals(2), reals())],
    chooses=True,
)


rule(
    np.copysign,
    d=(lambda out, x, y: np.sign(x) * np.sign(out), lambda out, x, y: 0.0),
    domain=(nonzero, nonzero),
)
rule(np.full_like, d=(None, lambda out, a, fill_value: 1.0), domain=[(np.zeros(3), reals), (np.zeros(3), reals(3))])


def cast(x: Any, dtype: Any) -> Any:
    """x in another precision.

    >>> import numpy as np
    >>> cast(np.array([1.0]), np.float32)
    array([1.], dtype=float32)
    """
    return np.asarray(x).astype(dtype)[()]


cast = rule(cast, d=(lambda out, x, dtype: 1.0, None), domain=[(reals(3), np.dtype(float)), (reals(), np.dtype(float))])
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
    chooses=True,
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
