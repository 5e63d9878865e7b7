"""The gradient checker is worth its mutants: right gradients pass, and every wrong rule is rejected by name."""

from dataclasses import replace

import numpy as np
import pytest
from programs import Program, scaled

import tinyspad as ts
import tinyspad.nn  # its rules are checked, too
from tinyspad import nn
from tinyspad.errors import BadInput, NoRule, NotScalar
from tinyspad.rules import RULES, Domain

f1 = ts.functions.f1


# --- functions ------------------------------------------------------------------------------------------------------


WITH_EXAMPLES = [rule for rule in RULES.values() if rule.domain != []]


@pytest.mark.parametrize("name", ts.functions.ALL)
def test_the_test_problems_pass_at_first_and_second_order(name):
    problem = ts.functions.ALL[name]
    rng = np.random.default_rng(len(name))
    point = [rng.uniform(low, high) for low, high in problem.box]
    report = ts.check_gradients(problem, *point, order=2)
    assert report, report
    assert ts.check_gradients(problem, *(np.array([x, 0.9 * x]) for x in point))


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_pass(seed):
    program = Program(seed)
    report = ts.check_gradients(program, *program.point(seed), order=2)
    assert report.verdict == ("cannot tell" if seed == 9 else "agree"), report  # the 9th: tanh of 12, all of 1e-9


def test_everything_is_compared_once():
    report = ts.check_gradients(ts.functions.beale, 1.0, 2.0, order=2)
    told = [finding.what for finding in report.findings]
    assert len(set(told)) == len(told) == 3 + 3 + 2 + 4
    exact = {"df/dx": 171.25, "df/dy": 278.0}  # by hand, see test_plane
    for finding in report.findings[:6]:
        assert finding.expected == pytest.approx(exact[finding.what[:5]]) and finding.got == pytest.approx(
            finding.expected
        )
    assert report.notes == () and "all agree" in str(report) and repr(report) == str(report)


def test_large_arrays_are_checked_along_directions():
    w = np.random.default_rng(0).normal(size=(9, 9))
    report = ts.check_gradients(lambda w: np.sum(np.tanh(w @ w)), w, directions=4)
    assert report and sum("along direction" in f.what for f in report.findings) == 4
    small = ts.check_gradients(lambda w: np.sum(np.tanh(w @ w)), w[:3, :3])
    assert small and not any("along direction" in f.what for f in small.findings[:1])


def test_a_hidden_dependence_is_found_and_no_rule_is_blamed():
    report = ts.check_gradients(lambda x: x.data * x, 3.0)
    wrong = [f for f in report.findings if not f.agrees]
    ways = ["df/dx by central difference", "df/dx by complex step", "Taylor remainder along a direction, power of h"]
    assert not report and report.verdict == "disagree" and report.blamed == ()
    assert [f.what for f in wrong] == ways and {f.verdict for f in wrong} == {"disagree"}
    assert (wrong[0].expected, wrong[0].got) == (pytest.approx(6), 3.0) and wrong[2].got == pytest.approx(1, abs=0.01)
    assert ".data inside f" in str(report) and "3 of 5 disagree" in str(report)


def test_a_wrong_rule_is_blamed_with_argument_and_place():
    def halves(x, y):
        return x * y / 2

    halves = ts.rule(halves, d=(lambda out, x, y: y / 2, lambda out, x, y: x), domain=(Domain(1, 2), Domain(1, 2)))
    try:
        report = ts.check_gradients(lambda x, y: np.sin(halves(x, y)) + x, 1.5, 0.5)
    finally:
        del RULES[halves]
    assert not report
    (blamed,) = report.blamed
    assert blamed.what == "halves, argument 2 in halves(x1, y)"
    assert blamed.got / blamed.expected == pytest.approx(2)
    assert "The local derivative that is wrong:" in str(report) and "df/dy by central difference" in str(report)


def test_a_small_error_that_differences_cannot_see_is_seen_by_the_complex_step():
    def almost(x):
        return np.exp(x)

    almost = ts.rule(almost, d=lambda out, x: out * (1 + 1e-10), domain=Domain(0, 1))
    try:
        report = ts.check_gradients(almost, 1.0)
    finally:
        del RULES[almost]
    assert {f.what for f in report.findings if not f.agrees} == {"df/dx by complex step"}


def test_what_cannot_be_checked_is_said():
    kinked = ts.check_gradients(lambda x: np.abs(x) * x, -1.0)
    assert kinked and "not analytic" in kinked.notes[0]
    branch = ts.check_gradients(lambda x: x * x if float(np.real(getattr(x, "data", x))) > 0 else x, 2.0)
    assert branch
    many = ts.check_gradients(lambda x: doubled(x), 1.0)
    assert many and "were not added up" in " ".join(many.notes)
    flat = ts.check_gradients(lambda w: np.sum(nn.log_softmax(w) ** 2), np.ones((2, 2)), order=2)
    assert flat and "No second derivatives" in " ".join(flat.notes)


def doubled(x):
    for _ in range(11):
        x = x + x
    return x


def test_constants_and_zero_gradients_pass():
    assert ts.check_gradients(lambda x: 3.0, 1.0)
    assert ts.check_gradients(lambda x, y: x * x, 1.0, 2.0, order=2)
    assert ts.check_gradients(lambda x: 0 * x, 0.0)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: ts.check_gradients(f1, 5.0, order=3), BadInput),
        (lambda: ts.check_gradients(f1, 5.0, directions=0), BadInput),
        (lambda: ts.check_gradients(f1, 5.0, rng="seed"), BadInput),
        (lambda: ts.check_gradients(lambda w: w @ w, np.ones((2, 2))), NotScalar),
        (lambda: ts.check_rule(np.exp, draws=0), BadInput),
        (lambda: ts.check_rule(f1), NoRule),
        (lambda: ts.check_rule(3), NoRule),
    ],
)
def test_bad_input_is_refused(call, error):
    with pytest.raises(error):
        call()


# --- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.name)
def test_every_rule_passes(rule):
    report = ts.check_rule(rule, draws=2)
    assert report and report.findings, report


@pytest.mark.parametrize("factor", [-1.0, 1.001, 0.0])
@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.name)
def test_a_wrong_sign_a_factor_and_a_missing_derivative_are_rejected(rule, factor):
    for i, derivative in enumerate(rule.derivatives):
        if derivative is None:
            continue
        wrong = scaled(derivative, factor)[0 if rule.elementwise else 1]
        mutant = replace(rule, derivatives=(*rule.derivatives[:i], wrong, *rule.derivatives[i + 1 :]))
        if all(np.all(f.expected == 0) for f in ts.check_rule(rule, draws=1).findings):
            pytest.skip("its derivative is zero")
        report = ts.check_rule(mutant, draws=1)
        said = [f for f in report.findings if not f.agrees]
        if rule.elementwise and all(np.all(f.expected == 0) for f in report.findings if f"argument {i + 1} " in f.what):
            continue  # sign, floor: the derivative is zero, and any multiple of it right
        assert said and all(rule.name in f.what for f in said)
        if not rule.indexed:
            assert {f.what.split(" at ")[0] for f in said} == {f"{rule.name}, argument {i + 1}"}


TWO = [
    rule for rule in RULES.values() if rule.elementwise and len(rule.derivatives) == 2 and None not in rule.derivatives
]


@pytest.mark.parametrize("rule", TWO, ids=lambda rule: rule.name)
def test_exchanged_arguments_are_rejected(rule):
    first, second = rule.derivatives
    rng = np.random.default_rng(0)
    args = [d.sample(rng) for d in rule.domain]
    out = rule.function(*args)
    if np.allclose(first(out, *args), second(out, *args)):
        pytest.skip("both derivatives are the same")
    assert not ts.check_rule(replace(rule, derivatives=(second, first)))


def test_a_rule_can_be_checked_where_one_likes():
    assert ts.check_rule(np.exp, 0.3) and ts.check_rule(np.multiply, np.ones(3), 2.0)
    assert ts.check_rule(np.where, np.array([True, False]), np.ones(2), np.zeros(2))
    report = ts.check_rule(np.sum, np.ones((2, 3)))
    assert report and len(report.findings) == 1
