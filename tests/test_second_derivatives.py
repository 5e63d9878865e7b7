"""A partial derivative is a formula, too: its own derivatives against SymPy. Formulas right only as numbers must fail."""

import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from programs import Program

import tinyspad as ts
from tinyspad.errors import NotSymmetric
from tinyspad.rules import RULES, Domain
from tinyspad.rules.elementwise import sinc_slope

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ANYWHERE = [0.0, 1.0, -1.0, 0.5, -0.7, 1.9, -10.0, 30.0, 1e-8, -1e-4, 1e-170]
INSIDE = [0.0, 0.5, -0.7, 1e-8, 1e-170, 0.9999999, -0.9999999]
POSITIVE = [1.0, 0.5, 7.0, 1e5, 1e-5, 1e100]
PAIRS = [*itertools.product([0.0, 1.0, -1.0, 0.3, -2.5], repeat=2), (1e-100, 3e-100), (1e100, -1e100), (1e170, 1e-20)]
POWERS = [
    *itertools.product([1.0, 2.0, 0.3], [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, -2.5]),
    *[
        (0.0, 3.5),
        (0.0, 4.0),
        (1e-8, 1.0),
        (1e-100, 0.0),
        (1e100, 0.0),
    ],  # at 0 ** y with less, a third derivative is infinite
]

SMOOTH = {  # the function in SymPy's words, and where: what is not a finite number there is left out
    "exp": ("exp(x)", ANYWHERE),
    "exp2": ("2**x", ANYWHERE),
    "expm1": ("exp(x) - 1", [*ANYWHERE, -40.0]),
    "log": ("log(x)", POSITIVE),
    "log2": ("log(x) / log(2)", POSITIVE),
    "log10": ("log(x) / log(10)", POSITIVE),
    "log1p": ("log(1 + x)", [0.0, 1.0, -0.5, -0.9999999, 1e-170, 1e100]),
    "sin": ("sin(x)", ANYWHERE),
    "cos": ("cos(x)", ANYWHERE),
    "tan": ("tan(x)", [0.0, 1.0, -1.0, 1.5, 1e-170]),
    "arcsin": ("asin(x)", INSIDE),
    "arccos": ("acos(x)", INSIDE),
    "arctan": ("atan(x)", [*ANYWHERE, 1e70]),
    "sinh": ("sinh(x)", ANYWHERE),
    "cosh": ("cosh(x)", ANYWHERE),
    "tanh": ("tanh(x)", [0.0, 1.0, -1.0, 0.5, 1e-8, 1e-170]),
    "arcsinh": ("asinh(x)", [*ANYWHERE, 1e80, 1e-200]),
    "arccosh": ("acosh(x)", [1.0000001, 1.5, 30.0, 1e100]),
    "arctanh": ("atanh(x)", INSIDE),
    "sinc": ("sin(pi*x) / (pi*x)", [0.0, 1.0, -1.0, 0.5, 1e-8, -1e-8, 1e-4, -0.01, 0.3, 0.59, 0.61, -0.6, 3.7, 30.0]),
    "square": ("x**2", ANYWHERE),
    "sqrt": ("sqrt(x)", POSITIVE),
    "cbrt": ("cbrt(x)", POSITIVE),
    "reciprocal": ("1 / x", [*POSITIVE, -1.0, -0.3]),
    "multiply": ("x * y", PAIRS),
    "divide": ("x / y", PAIRS[1:]),
    "power": ("x**y", POWERS),
    "float_power": ("x**y", POWERS),
    "logaddexp": ("log(exp(x) + exp(y))", [*PAIRS[:25], (30.0, -30.0), (1e8, 1e8), (1e8, 1e8 + 0.5), (-700.0, 700.0)]),
    "logaddexp2": ("log(2**x + 2**y) / log(2)", [*PAIRS[:25], (1e8, 1e8), (-900.0, 900.0)]),
    "arctan2": ("atan(x / y)", PAIRS[1:]),
    "hypot": ("sqrt(x**2 + y**2)", PAIRS),
}
LINEAR = {"add", "subtract", "negative", "positive", "conjugate", "deg2rad", "radians", "rad2deg", "degrees"}
PIECEWISE = {
    *("absolute", "fabs", "relu", "sign", "floor", "ceil", "trunc", "rint", "floor_divide", "remainder", "fmod"),
    *("maximum", "minimum", "fmax", "fmin", "where", "clip", "copysign", "ldexp"),
    *("round", "around", "fix", "heaviside"),
}
"""Linear between kinks and jumps, and by convention there: all second derivatives are 0."""

RULE = {rule.name: rule for rule in RULES.values() if rule.elementwise and rule.function is not sinc_slope}


def test_every_elementwise_rule_is_here():
    assert set(RULE) == set(SMOOTH) | LINEAR | PIECEWISE | {"full_like", "cast"}


class Derivatives:
    """The derivatives of a function at a point, by the names of the variables one differentiates by, in order."""

    def __init__(self, function, point):
        self.names = "xy"[: len(point)]
        one = ts.trace((lambda x: function(x)) if len(point) == 1 else (lambda x, y: function(x, y)), *point)
        self.lcgs = {"": one}

    def __getitem__(self, by):
        return self.row(by[:-1]).gradient()[by[-1]]

    def row(self, by):
        if by not in self.lcgs:
            self.lcgs[by] = self.row(by[:-1]).derivative(by[-1])
        return self.lcgs[by]


@functools.cache
def expected(sympy, formula, by, point):
    """By SymPy to 40 digits; None where there is no finite number."""
    symbols = sympy.symbols("x y", real=True)[: len(point)]
    slope = sympy.sympify(formula, dict(zip("xy", symbols)))
    for name in by:
        slope = sympy.diff(slope, symbols["xy".index(name)])
    if "pi*x" in formula and point[0] == 0:
        return float(sympy.limit(slope, symbols[0], 0))
    at = {s: sympy.Float(p, 400) if p else sympy.Integer(0) for s, p in zip(symbols, point)}
    number = sympy.N(slope.subs(at), 40, maxn=3000)
    return float(number) if number.is_number and number.is_real and number.is_finite else None


def ways(names, orders):
    """All orders of differentiation, each with its letters sorted: "xy" and "yx" are one derivative."""
    for order in orders:
        for by in itertools.product(names, repeat=order):
            yield "".join(by), "".join(sorted(by))


def apart_from_sympy(sympy, name, orders):
    """What disagrees, and how many numbers were compared."""
    formula, points = SMOOTH[name]
    wrong, compared = [], 0
    for point in points:
        point = point if isinstance(point, tuple) else (point,)
        found = Derivatives(RULE[name].function, point)
        for by, sorted_by in ways(found.names, orders):
            right = expected(sympy, formula, sorted_by, point)
            if right is None or abs(right) > 1e300:
                continue
            compared += 1
            # programs of a few operations, each rounded; 1e-9 of what is left where a cubic term cancels near an edge
            if not math.isclose(found[by], right, rel_tol=1e-9, abs_tol=1e-13 if len(by) > 1 else 1e-300):
                wrong.append((point, by, found[by], right))
    return wrong, compared


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_of_orders_one_to_three_are_sympys(name):
    sympy = pytest.importorskip("sympy")
    wrong, compared = apart_from_sympy(sympy, name, (1, 2, 3))
    assert not wrong
    assert compared >= 3 * 4


@pytest.mark.parametrize("name", SMOOTH)
def test_runs_and_programs_have_the_derivatives_of_numbers(name):
    """The same formulas on arrays, where what is patched is chosen by np.where, and on symbols."""
    points = [p if isinstance(p, tuple) else (p,) for p in SMOOTH[name][1]]
    function = RULE[name].function
    runs = Derivatives(function, [np.array(column) for column in zip(*points)])
    program = ts.compile((lambda x: function(x)) if len(points[0]) == 1 else (lambda x, y: function(x, y)))
    for i, point in enumerate(points):
        numbers = Derivatives(function, point)
        for by, _ in ways(numbers.names, (1, 2)):
            np.testing.assert_allclose(runs[by][i], numbers[by], rtol=1e-12, atol=1e-300, err_msg=f"{by} at {point}")
        for by in numbers.names:
            np.testing.assert_allclose(program.gradient(*point)[by], numbers[by], rtol=1e-12, atol=1e-300)


KINKS = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1.7]


def calls(rule):
    """A rule as a function of its variables, and points: draws from its domain, 0, 1, -1, and ties."""
    domain = rule.domain if isinstance(rule.domain, tuple) else (rule.domain,)
    if isinstance(domain[0], tuple) or isinstance(rule.domain, list):
        domain = rule.domain[0]
    variable = [i for i, d in enumerate(domain) if isinstance(d, Domain)]

    def function(*values):
        args = list(domain)
        for i, v in zip(variable, values):
            args[i] = v
        return rule.function(*args)

    rng = np.random.default_rng(0)
    yield function, [tuple(float(domain[i].sample(rng)) for i in variable) for _ in range(5)]
    yield function, list(itertools.product(KINKS, repeat=len(variable)))


def curved(rule):
    """Where a second derivative is not 0."""
    found = []
    for function, points in calls(rule):
        for point in points:
            lcg = ts.trace(
                eval(
                    f"lambda {', '.join('xyz'[: len(point)])}: f(*({', '.join('xyz'[: len(point)])},))", {"f": function}
                ),
                *point,
            )
            if not lcg.structure.head or not np.isfinite(lcg.value):
                continue
            for p in lcg.params:
                if np.isfinite(lcg.gradient()[p]):
                    found += [(point, p, q, h) for q, h in lcg.derivative(p).gradient().items() if h != 0]
    return found


@pytest.mark.parametrize("name", sorted(LINEAR | PIECEWISE))
def test_what_is_linear_between_kinks_has_second_derivative_zero(name):
    assert not curved(RULE[name])


# --- mutants: right as numbers, wrong as formulas ---------------------------------------------------------------------


def number(v):
    return v.data if isinstance(v, ts.Value) else v


def mutants(rule):
    """Partials that are the right numbers and do not vary, or vary by 1 too much."""

    def changed(k, change):
        right = rule.derivatives[k]

        def wrong(out, *args):
            return change(right(out, *args), args[k])

        return replace(rule, derivatives=(*rule.derivatives[:k], wrong, *rule.derivatives[k + 1 :]))

    for k, derivative in enumerate(rule.derivatives):
        if derivative is not None:
            yield f"frozen {k}", changed(k, lambda partial, x: number(partial))
            yield f"sloped {k}", changed(k, lambda partial, x: partial + (x - number(x)))


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_a_wrong_second_derivative_of_a_smooth_rule_fails(monkeypatch, name):
    sympy = pytest.importorskip("sympy")
    rule = RULE[name]
    for kind, mutant in mutants(rule):
        monkeypatch.setitem(RULES, rule.function, mutant)
        assert apart_from_sympy(sympy, name, (2,))[0], f"{name}: {kind} passes"


@pytest.mark.parametrize("name", sorted(LINEAR | PIECEWISE))
def test_a_wrong_second_derivative_of_a_linear_rule_fails(monkeypatch, name):
    rule = RULE[name]
    for kind, mutant in mutants(rule):
        if kind.startswith("sloped"):
            monkeypatch.setitem(RULES, rule.function, mutant)
            assert curved(mutant), f"{name}: {kind} passes"


# --- patched points -----------------------------------------------------------------------------------------------------

inf = math.inf


@pytest.mark.parametrize(
    ("function", "point", "slopes"),
    [
        (lambda x, y: x**y, (2.0, 0.0), {"xy": 0.5, "yx": 0.5, "xx": 0.0, "yy": math.log(2) ** 2}),
        (lambda x: (2 * x) ** (x - 1), (1.0,), {"xx": 2 + math.log(2) ** 2}),
        (lambda x: x**0, (0.0,), {"x": 0.0, "xx": 0.0, "xxx": 0.0}),
        (lambda x: x**1, (0.0,), {"x": 1.0, "xx": 0.0, "xxx": 0.0}),
        (lambda x: x**2, (0.0,), {"x": 0.0, "xx": 2.0, "xxx": 0.0}),
        (lambda x: x**3.0, (0.0,), {"x": 0.0, "xx": 0.0, "xxx": 6.0}),
        (lambda x: x**0.5, (0.0,), {"x": inf, "xx": -inf}),
        (lambda x, y: x**y, (0.0, 0.0), {"x": 0.0, "y": 0.0, "xx": 0.0, "yy": 0.0}),
        (lambda x, y: x**y, (5e-324, 0.0), {"x": 0.0, "y": math.log(5e-324), "xx": 0.0}),
        (lambda x, y: x**y, (0.0, 2.0), {"xx": 2.0, "xy": 0.0, "yx": 0.0, "yy": 0.0}),
        (lambda x, y: np.power(x, y), (-2.0, 3.0), {"x": 12.0, "xx": -12.0, "xxx": 6.0}),
        (lambda x, y: np.hypot(x, y), (0.0, 0.0), dict.fromkeys(("x", "y", "xx", "xy", "yx", "yy"), 0.0)),
        (lambda x: np.hypot(x, 0.0), (3.0,), {"x": 1.0, "xx": 0.0, "xxx": 0.0}),
        (np.logaddexp, (inf, 1.0), {"x": 1.0, "y": 0.0, "xx": 0.0, "xy": 0.0, "yx": 0.0, "yy": 0.0}),
        (np.logaddexp, (-inf, 1.0), {"x": 0.0, "y": 1.0, "xx": 0.0, "xy": 0.0, "yx": 0.0, "yy": 0.0}),
        (np.logaddexp, (-inf, -inf), {"x": 0.5, "y": 0.5}),
        (np.logaddexp2, (inf, inf), {"x": 0.5, "y": 0.5}),
        (np.logaddexp, (1e20, 1e20), {"x": 0.5, "y": 0.5, "xx": 0.25, "xy": -0.25}),
        (np.fmax, (np.nan, 1.0), {"y": 1.0, "yy": 0.0}),
    ],
)
def test_patched_points(function, point, slopes):
    names = "xy"[: len(point)]
    found, runs = Derivatives(function, point), Derivatives(function, [np.array([p, 0.5]) for p in point])
    for by, right in slopes.items():
        assert found[by] == pytest.approx(right, rel=1e-14, abs=1e-300), by
        assert runs[by][0] == pytest.approx(right, rel=1e-14, abs=1e-300), by
    assert set("".join(slopes)) <= set(names)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_sinc_is_right_to_rounding_on_both_sides_of_the_switch(dtype, order):
    """Error in units of eps; beyond 0.6 the recurrence and the rounding of pi x cost a few."""
    mpmath = pytest.importorskip("mpmath")
    points = np.array(
        [*np.geomspace(1e-8 if dtype is not np.float16 else 1e-4, 0.58, 40), *np.linspace(0.58, 2.0, 60)], dtype
    )
    got = sinc_slope(points, order)
    assert got.dtype == dtype
    with mpmath.workdps(50):
        right = [float(mpmath.diff(mpmath.sincpi, mpmath.mpf(float(x)), order)) for x in points]
    scale = np.pi**order / (order + 1) * np.where(points < 0.5, np.minimum(1, np.pi * points) ** (order % 2), 1.0)
    assert np.max(np.abs(got - right) / scale) < 12 * np.finfo(dtype).eps


def test_sincs_first_derivative_near_zero():
    for x, dtype, digits in [(1e-8, np.float64, 1e-15), (1e-4, np.float32, 1e-6), (1e-2, np.float16, 2e-3)]:
        v = ts.Value(np.array([x], dtype))
        np.sinc(v).sum().backward()
        assert v.grad.dtype == dtype
        np.testing.assert_allclose(v.grad, -(np.pi**2) / 3 * x, rtol=digits)


# --- the order of differentiation ---------------------------------------------------------------------------------------


@pytest.fixture
def wrong():
    def product(x, y):
        return x * y

    d = (lambda out, x, y: y, lambda out, x, y: number(x))
    product = ts.rule(product, d=d, domain=(Domain(1, 2), Domain(1, 2)))
    yield product
    del RULES[product]


def test_a_rule_that_is_wrong_as_a_formula_is_told(wrong):
    assert ts.check_gradients(lambda x, y: wrong(x, y) ** 2, 1.0, 2.0)  # as numbers it is right
    lcg = ts.trace(lambda x, y: wrong(x, y) ** 2, 1.0, 2.0)
    with pytest.raises(
        NotSymmetric, match=r"x and y depend on the order: d/dy of df/dx is 8, d/dx of df/dy is 4\."
    ) as e:
        lcg.hessian()
    assert isinstance(e.value, ArithmeticError) and "check_gradients(f, ..., order=2)" in str(e.value)
    assert lcg.derivative("y").gradient() == {"x": 4.0, "y": 2.0}
    report = ts.check_gradients(lambda x, y: wrong(x, y) ** 2, 1.0, 2.0, order=2)
    assert not report and [f.what for f in report.findings if not f.agrees] == [
        "d2f/dydx by central difference of df/dy"
    ]


@pytest.mark.parametrize(("shape", "run"), [((3,), "in run 0"), ((2, 3), r"in run \(0, 0\)")])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_in_a_batch_the_run_is_named(wrong, shape, run, dtype):
    with pytest.raises(NotSymmetric, match=run + ": d/dy of df/dx is 4, d/dx of df/dy is 2"):
        ts.trace(lambda x, y: wrong(x, y) ** 2, np.ones(shape, dtype), np.ones(shape, dtype)).hessian()


def test_where_there_is_no_second_derivative_none_is_given():
    with pytest.raises(NotSymmetric, match=r"in run 1: .* x \*\* y where x is 0"):
        ts.trace(lambda x, y: x**y, np.array([2.0, 0.0]), np.array([0.0, 1.0])).hessian()
    assert ts.trace(lambda x, y: np.log(x) * y, 0.0, 1.0).hessian()["x"] == {"x": -inf, "y": inf}


@pytest.mark.parametrize("seed", range(60))
def test_rounding_is_no_disagreement(seed):
    program = Program(seed, params=2 + seed % 2, length=6 + seed % 9)
    for dtype in (np.float64, np.float32):
        point = [np.asarray(x, dtype) for x in program.point(seed, (4,))]
        ts.trace(program, *point).hessian()
    big = ts.trace(lambda x, y: np.sin(x * y + 1e9) * (x + 1e9) - 1e9 * np.sin(x * y + 1e9), 0.3, 0.4).hessian()
    assert big["x"]["y"] == pytest.approx(big["y"]["x"], rel=1e-3)
