"""Optimizers against autograd's own, closed forms, and each other; state goes in and comes out."""

import numpy as np
import pytest
from autograd.misc import optimizers as reference

import tinyspad as ts
from tinyspad.errors import BadInput


def run(optimizer, gradient, x, steps):
    state = optimizer.init(x)
    for _ in range(steps):
        step, state = optimizer.update(gradient(x), state)
        x = x + step
    return x


def slope(x):
    return 2 * x + np.sin(5 * x)


START = np.array([3.0, -0.5, 1e-3])


def test_adam_agrees_with_autograds():
    expected = reference.adam(lambda x, i: slope(x), START.copy(), num_iters=50, step_size=0.02)
    np.testing.assert_allclose(run(ts.Adam(lr=0.02), slope, START, 50), expected, rtol=1e-12)


def test_momentum_agrees_with_autograds():
    """autograd's sgd weighs a new gradient with 1 - mass: the same as a learning rate so much smaller."""
    expected = reference.sgd(lambda x, i: slope(x), START.copy(), num_iters=50, step_size=0.02, mass=0.9)
    np.testing.assert_allclose(run(ts.Momentum(lr=0.002, beta=0.9), slope, START, 50), expected, rtol=1e-12)


def test_sgd_on_a_parabola_is_geometric():
    assert run(ts.SGD(lr=0.1), lambda x: 2 * x, 1.0, 10) == pytest.approx(0.8**10)
    assert run(ts.Momentum(lr=0.1, beta=0.0), lambda x: 2 * x, 1.0, 10) == pytest.approx(0.8**10)


@pytest.mark.parametrize("optimizer", [ts.SGD(), ts.Momentum(), ts.Adam()])
def test_scalars_and_arrays_take_the_same_steps(optimizer):
    many = run(optimizer, slope, START, 20)
    for i, x in enumerate(START):
        assert many[i] == pytest.approx(run(optimizer, slope, float(x), 20), rel=1e-14)


@pytest.mark.parametrize("optimizer", [ts.SGD(), ts.Momentum(), ts.Adam()])
def test_two_runs_never_share_state(optimizer):
    state = optimizer.init(1.0)
    first = optimizer.update(2.0, state)
    optimizer.update(-7.0, state)
    assert optimizer.update(2.0, state) == first


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ts.SGD(lr=-1), "SGD: lr"),
        (lambda: ts.SGD(lr=float("nan")), "SGD: lr"),
        (lambda: ts.SGD(lr="fast"), "SGD: lr"),
        (lambda: ts.Momentum(beta=1), "below 1"),
        (lambda: ts.Adam(beta1=1.5), "Adam: beta1"),
        (lambda: ts.Adam(lr=float("inf")), "Adam: lr"),
        (lambda: ts.Adam(eps=-1e-8), "Adam: eps"),
    ],
)
def test_settings_without_meaning_are_refused(make, says):
    with pytest.raises(BadInput, match=says):
        make()
