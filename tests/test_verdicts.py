"""Agree, disagree, cannot tell: no right gradient is accused, no wrong one confirmed, and what is in the way is named."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from programs import Program, scaled

import tinyspad as ts
from tinyspad.rules import RULES, Domain


def off(f, factor):
    """f with a rule of its own whose derivative is that of f times a factor: what f does is one operation."""

    def opaque(x):
        return f(x)

    def derivative(out, x):
        x = np.asarray(x, dtype=np.float64)
        return factor * ts.trace(f, x if x.shape else float(x)).gradient()[ts.trace(f, 0.5).params[0]]

    return ts.rule(opaque, d=derivative, domain=[])


@pytest.fixture
def rules():
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


EXTREMES = [
    (lambda x: np.log(x), 1e-6),
    (lambda x: np.log(x), 1e-300),
    (lambda x: np.log(x), 1e200),
    (lambda x: np.log(1 + x), 1e-10),
    (lambda x: np.log(1 + x), 1e-13),
    (lambda x: 1 / x, 1e-8),
    (lambda x: 1 / x, 1e8),
    (lambda x: 1 / x, -1e-8),
    (lambda x: np.sqrt(x), 1e-7),
    (lambda x: x**0.5, 1e-12),
    (lambda x: np.arcsin(x), 0.9999999),
    (lambda x: np.arccos(x), -0.9999999),
    (lambda x: np.arctanh(x), 1 - 1e-9),
    (lambda x: np.arccosh(x), 1 + 1e-9),
    (lambda x: np.sin(x), 1e8),
    (lambda x: np.sin(3 * x), 1e8),
    (lambda x: np.sin(1e8 * x), 0.0),
    (lambda x: np.cos(2 * np.pi * 1024 * x), 1.1),
    (lambda x: np.exp(x), 700.0),
    (lambda x: np.exp(x), -700.0),
    (lambda x: np.exp(-x * x), 20.0),
    (lambda x: np.tan(x), np.pi / 2 - 1e-6),
    (lambda x: x / 1e200, 1e200),
    (lambda x: x * 1e-10, 0.0),
    (lambda x: np.sin(x) + 1, 1e-12),
    (lambda x: np.sin(x) + 1, 1e-300),
    (lambda x: (x + 1e8) - 1e8, 1.2345),
    (lambda x: 1e6 + x * x, 1e-3),
    (lambda x: np.abs(x - 1 - 1e-5) * x, 1.0),
    (lambda x: x * x * np.sign(x - 1), 1 + 1e-6),
    (lambda x: np.log(x), np.array([1e-8, 1e-3, 1.0, 1e8])),
    (lambda x: 1 / x, np.array([1e-8, 1e-3, -1.0, 1e8])),
    (lambda x: np.sqrt(x), np.array([1e-30, 1e-7, 1.0, 1e30])),
]


@pytest.mark.parametrize("f, x", EXTREMES)
def test_steps_scale_with_x_and_stay_inside_the_domain(rules, f, x):
    report = ts.check_gradients(f, x)
    assert report.verdict == "agree", report
    for factor in (1.001, 0.999, -1.0, 0.0):
        report = ts.check_gradients(off(f, factor), x)
        assert report.verdict == "disagree", report
        assert factor == 0 or report.blamed[0].what.startswith("opaque, argument 1"), report


@pytest.mark.parametrize("rule, x", [(r, x) for r, x in [
    (np.log, 1e-6), (np.log, 1e-300), (np.reciprocal, 1e-8), (np.sqrt, 1e-7), (np.arcsin, 0.9999999),
    (np.arccos, -0.9999999), (np.arctanh, 1 - 1e-9), (np.arccosh, 1 + 1e-9), (np.sin, 1e8), (np.exp, 700.0),
    (np.tanh, 9.0), (np.log, np.array([1e-8, 1.0, 1e8])), (np.log, np.float32(1e-6)), (np.exp, np.ones(3, np.float32)),
    (np.reciprocal, np.array([1e-8, 1e8])), (np.prod, np.array([1e-8, 1e8, 3.0])), (np.sin, np.zeros((0, 2))),
]])  # fmt: skip
def test_rules_are_checked_at_the_edge_of_their_domain(rule, x):
    report = ts.check_rule(rule, x)
    assert report.verdict == "agree" and len(report.findings) == 1, report
    if np.size(x):
        for factor in (1.001, -1.0, 0.0):
            rows = RULES[rule]
            wrong = replace(rows, derivatives=(scaled(rows.derivatives[0], factor)[0 if rows.elementwise else 1],))
            assert ts.check_rule(wrong, x).verdict == "disagree"


def test_arrays_whose_elements_differ_by_decades():
    x = np.array([1e-8, 1e-3, 1.0, 1e8])
    assert ts.check_gradients(lambda x: np.sum(np.log(x)), x)
    hidden = ts.check_gradients(lambda x: np.sum(np.log(x)) + 1e-3 * np.log(x.data[0]), x)
    assert hidden.verdict == "disagree" and hidden.findings[0].verdict == "disagree"
    wide = np.geomspace(1e-8, 1e8, 60)
    assert ts.check_gradients(lambda x: np.sum(np.log(x)), wide)
    assert not ts.check_gradients(lambda x: np.sum(np.log(x)) + np.sum(1e-3 * np.log(x.data)), wide)


def test_single_precision_and_empty_parameters():
    w, x = np.linspace(0.1, 1, 6, dtype=np.float32).reshape(2, 3), np.ones(3, np.float32)
    assert ts.check_gradients(lambda w: np.sum(np.tanh(w @ x)), w)
    assert not ts.check_gradients(lambda w: np.sum(np.tanh(w @ x)) + 1e-3 * np.sum(np.tanh(w.data @ x)), w)
    assert ts.check_gradients(lambda w, x: np.sum(w) * x, np.zeros((0, 3)), 2.0)


def test_a_gradient_that_cancels_to_nothing_agrees():
    assert ts.check_gradients(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, 0.7, order=2)
    assert ts.check_gradients(lambda x: np.exp(x) / np.exp(x), 0.7)
    assert ts.check_gradients(lambda w: np.sum(np.exp(w) / np.sum(np.exp(w))), np.array([0.1, 0.7, -1.3]))
    assert ts.check_gradients(lambda x: np.cos(x), np.pi) and ts.check_gradients(lambda x: x**5, 0.0)
    assert ts.check_gradients(lambda x: np.abs(x) * x, 0.0)  # the second derivative jumps
    flat = ts.check_gradients(lambda x: np.sin(x) ** 2 + np.cos(x.data) ** 2, 0.7)
    assert flat.verdict == "disagree"


def test_a_function_that_draws_is_not_deterministic():
    rng = np.random.default_rng(0)
    for f in (
        lambda x: x * rng.normal(),
        lambda x: x * x + 1e-3 * rng.normal(),
        lambda x: x * x.data + 1e-3 * rng.normal(),
    ):
        report = ts.check_gradients(f, 3.0)
        assert report.verdict == "cannot tell" and not report, report
        assert "f is not deterministic" in str(report) and "default_rng(0)" in str(report)
    report = ts.check_gradients(lambda x: x * x + 1e-3 * np.random.default_rng(0).normal(), 3.0)
    assert report.verdict == "agree"
    calls = []
    assert "not deterministic" in str(ts.check_gradients(lambda x: calls.append(0) or x * len(calls), 3.0))


def test_a_rule_whose_function_draws_is_not_deterministic(rules):
    rng = np.random.default_rng(0)

    def shaken(x):
        return x + 0.1 * rng.normal(size=np.shape(x))

    report = ts.check_rule(ts.rule(shaken, d=lambda out, x: 1.0, domain=Domain(1, 2)))
    assert report.verdict == "cannot tell" and "not deterministic" in str(report)


def hashed(x):
    """Numbers in -1/2 to 1/2 that are as good as random, and the same for the same x."""
    return int.from_bytes(hashlib.md5(np.float64(x).tobytes()).digest()[:4], "big") / 2**32 - 0.5


@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-7, 1e-9, 1e-12])
@pytest.mark.parametrize("x", [-2.3, 0.7, 1.0, 40.0])
def test_noise_confirms_nothing(size, x):
    """A right gradient never disagrees, a wrong one never agrees; in little noise both are told."""

    def noisy(wrong):
        def f(v):
            at = v.data if isinstance(v, ts.Value) else v
            return v * v + size * hashed(at) + wrong * at * at

        return f

    right, far, near = (ts.check_gradients(noisy(wrong), x).verdict for wrong in (0.0, 1.0, 1e-3))
    assert right == ("cannot tell" if size >= 1e-5 else "agree") or (size == 1e-5 and x == 40.0)
    assert far in ("disagree", "cannot tell") and near in ("disagree", "cannot tell") and right != "disagree"
    assert far == "disagree" or size == 1e-3
    assert near == "disagree" or size >= 1e-7
    if right == "cannot tell":
        assert "noise of size" in str(ts.check_gradients(noisy(0.0), x))


@pytest.mark.parametrize(
    "f, x, named",
    [
        (lambda x: np.floor(x) + x, 3.0, "a jump, 6 at the point and 5 just below it"),
        (lambda x: np.floor(x), 0.0, "a jump, 0 at the point and -1 just below it"),
        (lambda x: np.sign(x) + x, 0.0, "a jump, 0 at the point and 1 just above it and -1 just below it"),
        (lambda x: np.where(x.data == 2.0, 1.0, 0.0) + x, 2.0, "a jump, 3 at the point and 2 just above it"),
        (lambda x: np.abs(x), 0.0, "a kink: one-sided slopes -1 and 1"),
        (lambda x: ts.relu(x), 0.0, "a kink: one-sided slopes 0 and 1"),
        (lambda x: np.maximum(2 * x, x * x), 2.0, "a kink: one-sided slopes 2 and 4"),
        (lambda x: np.abs(x - 1) + np.exp(x), 1.0, "a kink: one-sided slopes 1.71828 and 3.71828"),
        (lambda x: np.sqrt(np.abs(x)), 0.0, "the one-sided slopes do not settle"),
        (lambda x: np.cbrt(x), 0.0, "grows without bound"),
        (lambda x: np.sqrt(x), 0.0, "just below this point, the edge of its domain"),
        (lambda x: np.arcsin(x), 1.0, "just above this point, the edge of its domain"),
        (lambda x: x**1.5, 0.0, "just below this point, the edge of its domain"),
        (lambda x: np.log(x), -1.0, "f is nan at this point"),
        (lambda x: 1e12 + 1e-3 * x, 1.0, "noise of size"),
    ],
)
def test_what_is_in_the_way_is_named(f, x, named):
    with np.errstate(all="ignore"):
        report = ts.check_gradients(f, x)
    assert report.verdict == "cannot tell" and not report, report
    assert named in str(report).replace("slopes -0 and", "slopes 0 and") and "Check" in str(report)
    assert "cannot be told" in str(report).splitlines()[0] and "WRONG" not in str(report)


def test_outside_of_the_slopes_of_a_kink_a_gradient_is_wrong():
    assert ts.check_gradients(lambda x: np.abs(x) + 2 * x.data, 0.0).verdict == "disagree"
    assert (
        ts.check_gradients(lambda x: np.abs(x) + 0.5 * x.data, 0.0).verdict == "cannot tell"
    )  # 0, between -1/2 and 3/2
    assert ts.check_rule(np.abs, 0.0).verdict == ts.check_rule(np.maximum, 1.0, 1.0).verdict == "cannot tell"
    wrong = replace(RULES[np.absolute], derivatives=(lambda out, x: 2.0,))
    assert ts.check_rule(wrong, 0.0).verdict == "disagree"


def test_where_f_is_not_analytic_the_complex_step_accuses_nobody():
    """At a tie sort, max and abs go to one side of a complex step; the difference is the mean of both."""
    tied = np.array([1.0, 1.0, 2.0, 3.0])
    for f in (
        lambda w: np.sum(np.sort(w) * np.arange(4)),
        lambda w: np.max(w[:2]) * w[3],
        lambda w: w[0] + np.sum(np.sort(w)[:1]),
    ):
        report = ts.check_gradients(f, tied)
        assert report.verdict == "cannot tell" and "a kink: one-sided slopes" in str(report), report


def test_one_run_at_a_kink_among_others_is_found():
    report = ts.check_gradients(lambda x: np.abs(x), np.array([-1.0, 0.0, 2.0]))
    assert report.verdict == "cannot tell" and "one-sided slopes -1 and 1" in str(report)


def test_a_function_that_cannot_be_evaluated_beside_the_point_says_so():
    def only(x):
        if float(getattr(x, "data", x)) != 2.0:
            raise LookupError("only at 2")
        return x * x

    report = ts.check_gradients(only, 2.0)
    assert report.verdict == "cannot tell" and "LookupError: only at 2" in str(report)


def test_a_slope_over_the_last_digits_is_another_than_the_one_beyond():
    """Rounded inside, f moves in steps; then 0 is neither confirmed nor denied, and anything else is wrong."""

    def coarse(x):
        return (
            np.tanh(x).astype(np.float32).astype(np.float64)
            if isinstance(x, np.ndarray)
            else float(np.float32(np.tanh(x)))
        )

    for slope, verdict in ((1.0, "agree"), (0.0, "cannot tell"), (1.001, "disagree"), (-1.0, "disagree")):
        rule = ts.rules.Rule(coarse, True, (lambda out, x, s=slope: s / np.cosh(x) ** 2,), [])
        assert ts.check_rule(rule, 0.7).verdict == verdict, slope


def test_the_taylor_remainder_falls_as_its_square():
    (finding,) = [f for f in ts.check_gradients(lambda x, y: np.exp(x * y), 0.7, 1.1).findings if "Taylor" in f.what]
    assert finding.expected == 2 and finding.got == pytest.approx(2, abs=0.05) and finding.agrees
    cubic = ts.check_gradients(lambda x: np.sin(x), 0.0)
    assert cubic and next(f.got for f in cubic.findings if "Taylor" in f.what) >= 2
    straight = ts.check_gradients(lambda x: 3 * x, 2.0)
    assert straight and np.isinf(next(f.got for f in straight.findings if "Taylor" in f.what))


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_with_a_wrong_rule_never_agree(rules, seed):
    """One rule of the program off by a little, or of the other sign: no wrong gradient is confirmed, and it is blamed."""
    program = Program(seed, params=1 + seed % 3, length=4 + seed % 9)
    point = [x * 10.0 ** (seed % 4 - 2) for x in program.point(seed)]
    right = ts.trace(program, *point).gradient()
    for function in (np.sin, np.tanh, np.square, np.multiply, np.divide):
        rule = RULES[function]
        RULES[function] = replace(
            rule, derivatives=tuple(scaled(d, 1.001 - 2 * (seed % 2))[0] for d in rule.derivatives)
        )
        wrong = ts.trace(program, *point).gradient()
        if any(abs(wrong[n] - right[n]) > 5e-4 * max(abs(wrong[n]), abs(right[n])) for n in right):
            report = ts.check_gradients(program, *point)
            assert report.verdict != "agree", report
            assert all(f.what.startswith(f"{rule.name}, argument") for f in report.blamed)
        RULES[function] = rule


def test_random_programs_at_all_scales_never_disagree_and_can_seldom_not_be_told():
    verdicts = []
    for seed in range(150):
        program = Program(seed, params=1 + seed % 3, length=4 + seed % 9)
        scales = 10.0 ** np.random.default_rng(seed).integers(-3, 2, program.params)
        report = ts.check_gradients(program, *(x * s for x, s in zip(program.point(seed), scales)), order=1 + seed % 2)
        assert report.verdict != "disagree", report
        verdicts.append(report.verdict)
    assert (
        verdicts.count("cannot tell") <= 8
    )  # 24 in a thousand: tanh of 10 and more, whose slopes are as small as rounding
