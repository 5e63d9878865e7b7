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
    error = draw.gradient - exact
    assert abs(error.mean()) <= 5 * error.std() / np.sqrt(error.size) * 10  # numbers share what they meet
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
