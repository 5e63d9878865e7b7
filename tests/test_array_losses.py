"""Losses of arrays over data: numbers draw paths for the batch, or for each observation, as scalar parameters do."""

import numpy as np
import pytest
from test_elements import CHOOSING, DATA
from test_losses import AT, loss
from test_losses import DATA as POINTS

import tinyspad as ts
from tinyspad.data import Bandit, FullBatch, Importance, Shuffled, Uniform


def of_an_array(w, batch):
    return loss(w[0], w[1], batch)


@pytest.mark.parametrize("sample", ["same", "different"])
@pytest.mark.parametrize("estimator", CHOOSING, ids=repr)
def test_an_array_is_as_good_as_its_numbers(estimator, sample):
    settings = {
        "data": POINTS,
        "estimator": estimator,
        "sample": sample,
        "steps": 12,
        "optimizer": ts.SGD(0.05),
        "rng": 2,
    }
    for sampler in (None, Uniform(1), Shuffled(2)):
        array = ts.minimize(of_an_array, np.array(AT), observations=sampler, **settings)
        numbers = ts.minimize(loss, AT, observations=sampler, **settings)
        np.testing.assert_allclose(array.x, numbers.x, rtol=1e-9)
        followed = np.stack([numbers.history.paths["a"], numbers.history.paths["b"]], axis=1)
        assert array.history.paths["w"].tolist() == followed.tolist()


@pytest.mark.parametrize("sampler", [Bandit(2), Importance(2), FullBatch()], ids=repr)
def test_samplers_that_learn_see_the_norms_of_what_was_followed(sampler):
    settings = {"data": POINTS, "estimator": ts.SPAD(k_max=2), "steps": 8, "optimizer": ts.SGD(0.05), "rng": 4}
    array = ts.minimize(of_an_array, np.array(AT), observations=sampler, **settings)
    numbers = ts.minimize(loss, AT, observations=sampler, **settings)
    np.testing.assert_allclose(array.x, numbers.x, rtol=1e-9)


def squared(w, batch):
    x, y = batch
    r = x @ w - y
    return r * r


X, Y = DATA[:6, :3], np.linspace(-1, 1, 6)


def squared_of_numbers(a, b, c, batch):
    x0, x1, x2, y = batch
    r = x0 * a + x1 * b + x2 * c - y
    return r * r


@pytest.mark.parametrize("sample", ["same", "different"])
@pytest.mark.parametrize("estimator", [ts.SPAD(), ts.RAD(normalize=True), ts.NearestPath()], ids=repr)
def test_a_matrix_product_has_a_path_of_each_observation(estimator, sample):
    settings = {"estimator": estimator, "sample": sample, "steps": 10, "optimizer": ts.SGD(0.05), "rng": 1}
    array = ts.minimize(squared, np.ones(3), data=(X, Y), observations=Uniform(3), **settings)
    numbers = ts.minimize(squared_of_numbers, (1.0, 1.0, 1.0), data=(*X.T, Y), observations=Uniform(3), **settings)
    np.testing.assert_allclose(array.x, numbers.x, rtol=1e-9)


def test_one_step_of_every_estimator_that_is_unbiased_is_right_on_average():
    w, draws = np.array([0.5, -1.0, 2.0]), 120
    exact = 2 * X.T @ (X @ w - Y) / 6
    for sample in ("same", "different"):
        for estimator in (ts.RAD(normalize=True), ts.Magnitude(), ts.SPAD(epsilon=0.5, normalize=True)):
            moved = [
                w
                - ts.minimize(
                    squared,
                    w,
                    data=(X, Y),
                    observations=Uniform(2),
                    sample=sample,
                    estimator=estimator,
                    optimizer=ts.SGD(1.0),
                    steps=1,
                    every=None,
                    rng=r,
                ).x
                for r in range(draws)
            ]
            error = np.std(moved, axis=0, ddof=1) / np.sqrt(draws)
            assert np.all(np.abs(np.mean(moved, axis=0) - exact) <= 5 * error + 1e-12)


def test_what_cannot_be_recorded_is_one_graph_whose_paths_lead_through_observations():
    """Labels are places in an array: no recording follows them, and a path then has an observation in it."""
    labels = np.array([0, 2, 1, 0, 1, 2])

    def chosen(w, batch):
        x, label = batch
        return (x[:, 0] * w[label]) ** 2

    result = ts.minimize(chosen, np.ones(3), data=(X, labels), estimator=ts.RAD(), steps=3, rng=0)
    assert result.history.paths["w"].shape == (4, 3)
    with pytest.raises(ts.errors.BadInput, match="elementwise"):
        ts.minimize(chosen, np.ones(3), data=(X, labels), estimator=ts.RAD(), steps=3, sample="different")
    with pytest.raises(ts.errors.BadInput, match="elementwise"):
        whole = {"paths": "arrays", "estimator": ts.RAD()}
        ts.minimize(squared, np.ones(3), data=(X, Y), steps=3, sample="different", **whole)
    both = [ts.minimize(squared, np.ones(3), data=(X, Y), steps=3, sample=sample).x for sample in ("same", "different")]
    np.testing.assert_array_equal(*both)  # GD follows all paths, whoever shares them


def test_a_result_says_that_there_is_one_path_of_each():
    def linear(w, batch):
        return (batch[0] @ w - batch[1]) ** 2

    assert ts.minimize(linear, np.ones(3), data=(X, Y), estimator=ts.RAD(), steps=2).single_paths
    assert not ts.minimize(squared, np.ones(3), data=(X, Y), estimator=ts.RAD(), steps=2).single_paths


def test_what_a_callback_changes_is_seen():
    offset = [0.0]

    def f(w, batch):
        return (batch[0] @ w - batch[1] - offset[0]) ** 2

    def moves(step, x, value):
        offset[0] = 5.0

    for estimator in (ts.GD(), ts.RAD(normalize=True), ts.SPAD()):
        offset[0] = 0.0
        plan = {"steps": 60, "optimizer": ts.SGD(0.3), "callback": moves, "rng": 0}
        found = ts.minimize(f, np.zeros(2), data=(np.eye(2), np.zeros(2)), estimator=estimator, **plan)
        np.testing.assert_allclose(found.x, [5.0, 5.0], rtol=0.1)


def test_losses_that_mix_observations_are_one_graph():
    def mixed(w, batch):
        r = batch[0] @ w - batch[1]
        return (r - r.mean()) ** 2

    def counted(w, batch):
        r = batch[0] @ w - batch[1]
        return r * r / len(batch[1])

    for f in (mixed, counted):
        result = ts.minimize(f, np.ones(3), data=(X, Y), steps=30, estimator=ts.RAD(normalize=True), rng=0)
        assert result.value == pytest.approx(np.mean(f(result.x, (X, Y)))) and np.any(result.x != 1)
        with pytest.raises(ts.errors.BadInput, match="elementwise"):
            ts.minimize(f, np.ones(3), data=(X, Y), steps=3, estimator=ts.RAD(), sample="different")


def test_a_loss_that_sorts_is_one_graph():
    """An order that depends on an observation is another graph for each."""

    def f(w, batch):
        s = np.sort(batch[0] * w, axis=1)
        return np.sum(s[:, 1:] * s[:, :-1], axis=1)

    estimator = ts.SPAD()
    result = ts.minimize(f, np.array([1.0, -2.0, 0.5]), data=(X,), estimator=estimator, optimizer=ts.SGD(0.1), steps=1)
    lcg = ts.trace(lambda w: np.mean(f(w, (X,))), np.array([1.0, -2.0, 0.5]))
    np.testing.assert_allclose(result.x, np.array([1.0, -2.0, 0.5]) - 0.1 * lcg.elements().best_path("w").gradient)
    with pytest.raises(ts.errors.BadInput, match="data of floats"):
        ts.minimize(f, np.ones(3), data=(X,), estimator=estimator, steps=1, sample="different")


def test_neither_a_callback_nor_single_precision_changes_what_a_path_is():
    plan = {"estimator": ts.SPAD(k_max=2), "steps": 6, "optimizer": ts.SGD(0.05), "rng": 0}
    plain = ts.minimize(squared, np.ones(3), data=(X, Y), **plan)
    watched = ts.minimize(squared, np.ones(3), data=(X, Y), callback=lambda *step: None, **plan)
    single = ts.minimize(squared, np.ones(3), data=(X.astype(np.float32), Y), **plan)
    assert plain.history.paths["w"].max() <= 1
    np.testing.assert_allclose(watched.x, plain.x, rtol=1e-12)
    assert watched.history.paths["w"].tolist() == plain.history.paths["w"].tolist()
    np.testing.assert_allclose(single.x, plain.x, rtol=1e-5)
