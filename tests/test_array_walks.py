"""Paths drawn over arrays, without edges between numbers: each is one of the listed paths, and they are equally likely."""

from itertools import pairwise

import numpy as np
import pytest
from test_elements import IN_SCALARS
from test_several_runs import FUNCTIONS

import tinyspad as ts
from tinyspad.estimators import draw_numbers

ALL = FUNCTIONS | {"where": (IN_SCALARS["where"][0], IN_SCALARS["where"][2])}
DRAWS = 150


def apart(args):
    """Arguments whose numbers differ, so that paths can be told by what they contribute."""
    given = [np.asarray(a, float) + 0.013 * np.arange(1, np.size(a) + 1).reshape(np.shape(a)) for a in args]
    return [a if a.shape else float(a) for a in given]


@pytest.mark.parametrize("name", ALL)
def test_walks_are_listed_paths_equally_likely(name):
    f, args = ALL[name]
    e, rng = ts.trace(f, *apart(args), elements=True), np.random.default_rng(2)
    for param in e.params:
        drawn = np.array([e.walk(param, rng).product(e.at) for _ in range(DRAWS)])
        for i, number in enumerate(e.numbers_of(param)):
            listed = e.path_gradients(number)
            if not len(listed):
                assert not drawn[:, i].any()
                continue
            scale = np.abs(listed).max() or 1.0
            nearest = np.abs(drawn[:, i][:, None] - listed).min(axis=1)
            assert np.all(nearest <= 1e-9 * scale), number
            error = np.sqrt(listed.var() / DRAWS) + 1e-9 * scale
            assert abs(drawn[:, i].mean() - listed.mean()) <= 5 * error, number


def layers(sizes=(784, 300, 100, 10)):
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=shape) / 10 for shape in pairwise(sizes))


IMAGES = np.random.default_rng(1).normal(size=(60, 784))


def net(W1, W2, W3):
    return np.mean((np.maximum(np.maximum(IMAGES @ W1, 0) @ W2, 0) @ W3 - 1) ** 2)


def test_every_number_of_a_network_follows_a_path_of_its_own():
    """18 million edges: a step of RAD, right on average over the numbers, and a path that is held is followed again."""
    lcg = ts.trace(net, *layers())
    e, rng = lcg.elements(), np.random.default_rng(0)
    assert e.too_large
    draw = draw_numbers(ts.RAD(normalize=True, hold=2), e, "W1", None, rng)
    again = draw_numbers(ts.RAD(normalize=True, hold=2), e, "W1", draw.state, rng)
    assert draw.gradient.shape == (784, 300)
    np.testing.assert_array_equal(draw.gradient, again.gradient)
    exact = lcg.gradient()["W1"]
    draws = [draw_numbers(ts.RAD(normalize=True), e, "W3", None, rng).gradient.sum() for _ in range(60)]
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - lcg.gradient()["W3"].sum()) <= 5 * error
    assert exact.shape == draw.gradient.shape
    elsewhere = ts.trace(net, *(2 * W for W in layers())).elements()
    followed = draw_numbers(ts.RAD(hold=3), elsewhere, "W1", draw.state, rng).gradient.ravel()
    np.testing.assert_array_equal(followed, draw.state.walks.product(elsewhere.at))
    result = ts.minimize(net, layers(), estimator=ts.RAD(), steps=2, rng=0)
    assert result.history.paths == {} and result.x[0].shape == (784, 300) and not result.single_paths


def test_candidates_are_compared_number_by_number():
    e = ts.trace(net, *layers()).elements()
    one = draw_numbers(ts.SPAD(m=1), e, "W2", None, np.random.default_rng(0)).gradient
    rng = np.random.default_rng(0)
    candidates = [e.walk("W2", rng).product(e.at) for _ in range(3)]
    best = draw_numbers(ts.SPAD(m=3), e, "W2", None, np.random.default_rng(0)).gradient.ravel()
    chosen = np.argmax(np.abs(candidates), axis=0)
    np.testing.assert_array_equal(best, np.array(candidates)[chosen, np.arange(len(chosen))])
    np.testing.assert_array_equal(one.ravel(), candidates[0])


@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        (ts.SPAD(), "Give it m"),
        (ts.SPAD(m=2, epsilon=0.1), "epsilon=0"),
        (ts.RAD(by="branch"), "not offered"),
        (ts.Magnitude(), "too many edges"),
        (ts.NearestPath(m=3), "too many edges"),
    ],
    ids=repr,
)
def test_what_needs_the_edges_says_so(estimator, says):
    with pytest.raises(ts.errors.BadInput, match=says):
        ts.minimize(net, layers(), estimator=estimator, steps=1, every=None)


def test_paths_without_numbers_are_not_kept():
    with pytest.raises(ts.errors.BadInput, match="keep_paths=False"):
        ts.minimize(net, layers(), estimator=ts.RAD(), steps=1, keep_paths=True)
    whole = ts.minimize(net, layers(), estimator=ts.RAD(), steps=1, paths="arrays")
    assert whole.history.paths["W1"].shape == (2,)


def test_counts_beyond_whole_numbers_lose_no_run():
    """30 layers of 400 units: 10^78 paths, as floats; and past the largest float it is said."""
    weights = np.random.default_rng(0).normal(size=(400, 400)) / 20

    def deep(x, times):
        for _ in range(times):
            x = np.tanh(weights @ x)
        return np.sum(x)

    result = ts.minimize(lambda x: deep(x, 30), np.ones(400), estimator=ts.RAD(normalize=True), steps=2, rng=0)
    assert result.steps == 2 and not result.single_paths
    e = ts.trace(lambda x: deep(x, 125), np.ones(400)).elements()
    with pytest.raises(ts.errors.BadInput, match="largest float"):
        e.walk("x", np.random.default_rng(0))


def test_very_different_counts_side_by_side_are_drawn():
    def f(w):
        deep = w[[0, 0]]
        for _ in range(70):
            deep = deep + deep[::-1]
        return np.sum(deep) + np.sum(w[[0, 0, 1, 1]] ** 2)

    e = ts.trace(f, np.array([1.0, 2.0]), elements=True)
    drawn = [e.walk("w", np.random.default_rng(k)).product(e.at) for k in range(20)]
    assert np.all(np.array(drawn) == [1.0, 4.0])


def test_an_order_that_changes_ends_a_hold():
    def f(w):
        return np.sum(np.sort(w) * np.array([1.0, 10.0, 100.0]))

    first, then = (ts.trace(f, np.array(w), elements=True) for w in ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]))
    estimator, rng = ts.RAD(hold=5), np.random.default_rng(0)
    draw = estimator.draw_over_arrays(first, "w", None, rng)
    assert draw.gradient.tolist() == [1.0, 10.0, 100.0]
    assert estimator.draw_over_arrays(then, "w", draw.state, rng).gradient.tolist() == [100.0, 10.0, 1.0]
