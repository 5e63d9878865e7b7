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
