"""Central differences against derivatives known in closed form."""

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.differences import central_difference


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.sin, np.cos),
        (np.exp, np.exp),
        (lambda x: x**5, lambda x: 5 * x**4),
        (lambda x: 3.0 * x - 1, lambda x: 3 + 0 * x),
    ],
)
@pytest.mark.parametrize("x", [-1.7, 0.0, 0.3, 12.0])
def test_smooth_functions(f, slope, x):
    found, error = central_difference(f, x)
    assert found == pytest.approx(slope(x), rel=1e-9, abs=1e-10)
    assert abs(found - slope(x)) <= 10 * error + 1e-11 * abs(slope(x))


def test_a_batch_moves_together_and_a_vector_element_by_element():
    x = np.linspace(-1, 2, 5)
    np.testing.assert_allclose(central_difference(np.sin, x)[0], np.cos(x), atol=1e-9)
    np.testing.assert_allclose(central_difference(lambda v: np.sum(np.sin(v)), x)[0], np.cos(x), atol=1e-9)
    matrix = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(central_difference(lambda m: np.sum(m**2), matrix)[0], 2 * matrix, atol=1e-8)


def test_at_a_kink_it_is_the_mean_of_the_sides():
    assert central_difference(np.abs, 0.0)[0] == 0.0
    assert central_difference(lambda x: np.maximum(x, 0.0), 0.0)[0] == pytest.approx(0.5)


def test_where_the_second_derivative_jumps_it_comes_close_and_knows_how_close():
    found, error = central_difference(lambda x: np.abs(x) * x, 0.0)
    assert abs(found) <= 10 * error < 1e-4


@pytest.mark.parametrize("problem", ts.functions.ALL.values(), ids=lambda p: p.name)
def test_it_never_accuses_a_right_gradient(problem):
    """Over the whole box, where schaffer2 oscillates a hundred times per unit."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        lcg = ts.trace(problem, *(float(rng.uniform(low, high)) for low, high in problem.box))
        assert all(lcg.ledger(name).agrees for name in lcg.params)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.log, 1e-6, 1e6),
        (np.log, 1e-300, 1e300),
        (np.sqrt, 1e-7, 0.5 / np.sqrt(1e-7)),
        (lambda x: 1 / x, 1e-8, -1e16),
        (lambda x: 1 / x, -1e8, -1e-16),
        (np.arcsin, 0.9999999, 1 / np.sqrt((1 - 0.9999999) * 1.9999999)),
        (np.sin, 1e8, np.cos(1e8)),
        (lambda x: np.sin(1e8 * x), 0.0, 1e8),
        (np.exp, 700.0, np.exp(700.0)),
        (lambda x: np.log(1 + x), 1e-13, 1.0),  # 1 + x moves in steps of 0.002 x: the longer ladder
        (lambda x: (x + 1e8) - 1e8, 1.2345, 1.0),
        (lambda x: np.abs(x - 1 - 1e-5), 1.0, -1.0),  # a kink nearby
        (lambda x: np.floor(x), 5.3, 0.0),
    ],
)
def test_it_says_how_far_it_may_be_off(f, x, slope):
    with np.errstate(all="ignore"):
        found, error = central_difference(f, x)
    assert abs(found - slope) <= error + 1e-9 * abs(slope)
    assert error <= 1e-4 * abs(slope) or slope == 0


def test_where_x_has_a_sign_no_step_of_its_own_size_leaves_it():
    seen = []
    for x in (1e-6, 3.0, 1e8):
        central_difference(lambda v: (seen.append(v), np.log(v))[1], x)
    assert min(seen) > 0


@pytest.mark.parametrize(
    "f", [np.sign, lambda x: np.floor(x + 1), lambda x: (x == 0) * 1.0, np.sqrt, np.cbrt, lambda x: np.nan * x]
)
def test_where_nothing_can_be_told_the_error_is_infinite(f):
    with np.errstate(all="ignore"):
        assert central_difference(f, 0.0)[1] == np.inf


def test_at_a_kink_the_error_is_half_of_what_the_sides_are_apart():
    assert central_difference(np.abs, 0.0)[1] == pytest.approx(1.0, rel=0.01)
    mean, error = central_difference(lambda x: np.maximum(2 * x, x * x), 2.0)
    assert mean == pytest.approx(3.0) and error == pytest.approx(1.0, rel=0.01)


def test_nothing_is_evaluated_more_often_than_it_says():
    calls = []
    central_difference(lambda x: (calls.append(x), x * x)[1], 2.0)
    assert len(calls) == 38  # once for the shape
    calls.clear()
    central_difference(lambda x: (calls.append(x), np.sum(x * x))[1], np.ones(3))
    assert len(calls) == 3 * 37 + 1


# --- the last line of a ledger ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "named"),
    [
        (lambda x: np.abs(x), 0.0, "a kink: one-sided slopes -1 and 1"),
        (lambda x: np.floor(x) * x, 2.0, "a jump, 4 at the point and 2 just below it"),
        (lambda x: x**1.5, 0.0, "the edge of its domain"),
    ],
)
def test_a_ledger_says_when_its_difference_cannot_tell(f, x, named):
    with np.errstate(all="ignore"):
        ledger = ts.trace(f, x).ledger("x")
    assert ledger.agrees is None and ledger.verdict == "cannot tell" and named in ledger.why
    assert f"The difference cannot tell: {ledger.why}." in str(ledger) and "DISAGREE" not in str(ledger)


def test_a_ledger_of_a_function_that_draws_cannot_tell():
    rng = np.random.default_rng(0)
    ledger = ts.trace(lambda x: x * x + 1e-3 * rng.normal(), 3.0).ledger("x")
    assert ledger.agrees is None and "not deterministic" in str(ledger)


@pytest.mark.parametrize("x", [1e-300, 1e-6, 1.0, 1e8])
def test_a_ledger_agrees_wherever_f_is_smooth_and_no_wrong_sum_does(x):
    ledger = ts.trace(lambda x: np.log(x) * np.sqrt(x), x).ledger("x")
    assert ledger.agrees is True and ledger.verdict == "agree" and ledger.why == ""
    wrong = ts.trace(lambda x: np.log(x) + 1e-3 * np.log(x.data), x).ledger("x")
    assert wrong.agrees is False and "THEY DISAGREE" in str(wrong)
