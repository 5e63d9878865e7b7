"""Losses over data: what a step sees, for every sampler with every estimator; exactly on tiny data."""

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import tinyspad as ts
from tinyspad.data import Bandit, FullBatch, Importance, Observed, Sampler, Shuffled, Uniform
from tinyspad.errors import BadInput, TooManyPaths
from tinyspad.optimize import Losses

T, Y = np.array([0.5, 1.0, 2.0]), np.array([1.0, 0.3, 2.0])
DATA = (T, Y)


def loss(a, b, batch):  # a has three paths, b two
    t, y = batch
    return (a * t * a + np.sin(b * t) * a - b * y) ** 2


def mean_loss(a, b):
    return sum(loss(a, b, (t, y)) for t, y in zip(T, Y)) / len(T)


AT = (0.7, -1.3)


def one_step(x0=AT, f=loss, data=DATA, **settings):
    """The gradient estimates of one step: what plain descent of rate 1 subtracts."""
    result = ts.minimize(f, x0, data=data, optimizer=ts.SGD(lr=1.0), steps=1, every=None, **settings)
    return np.array(x0) - np.array(result.x)


def exact(x0=AT):
    return np.array([autograd.grad(lambda *p: autograd_mean(*p), k)(*x0) for k in range(2)])


def autograd_mean(a, b):
    return sum((a * t * a + anp.sin(b * t) * a - b * y) ** 2 for t, y in zip(T, Y)) / len(T)


@dataclass(frozen=True)
class Given(Sampler):
    """A sampler that gives these observations, one list for each run, with the weights of this p."""

    index: Any
    p: Any

    def init(self, n, runs=()):
        return None

    def draw(self, state, rng):
        return Observed(self.index, 1 / (len(self.index) * len(self.p) * self.p[self.index]), None)


@pytest.mark.parametrize("sample", ["same", "different"])
@pytest.mark.parametrize("p", [np.full(3, 1 / 3), np.array([0.2, 0.7, 0.1])], ids=["uniform", "not uniform"])
def test_over_all_observations_and_all_paths_the_mean_is_the_gradient(p, sample):
    pairs = np.array(list(itertools.product(range(3), repeat=2))).T
    chance = p[pairs[0]] * p[pairs[1]]
    runs = pairs.shape[1]
    x0 = tuple(np.full(runs, x) for x in AT)
    lcg = ts.trace(lambda a, b: loss(a, b, (0.5, 1.0)), *AT)
    for k, name in enumerate(("a", "b")):
        number, mean = lcg.count_paths(name), 0.0
        for path in range(number):  # RAD, normalised: each with 1 / N, times N
            found = one_step(
                x0,
                estimator=ts.FixedPath(path) if path < 2 else LastOf(path),
                observations=Given(pairs, p),
                sample=sample,
            )
            mean += (chance * found[k]).sum()
        np.testing.assert_allclose(mean, exact()[k], rtol=1e-12)


@dataclass(frozen=True)
class LastOf(ts.Estimator):
    """A path that not every parameter has; those without follow their last one."""

    index: int

    def draw(self, lcg, param, state, rng):
        return ts.FixedPath(min(self.index, lcg.count_paths(param) - 1)).draw(lcg, param, state, rng)


SAMPLERS = [FullBatch(), Shuffled(2), Uniform(1), Uniform(2), Importance(2), Importance(1, bounds=[1, 2, 3]), Bandit(2)]
UNBIASED = [
    ts.GD(),
    ts.RAD(normalize=True),
    ts.RAD(by="branch", normalize=True),
    ts.SPAD(epsilon=0.4, normalize=True),
    ts.SPAD(m=2, epsilon=0.4, normalize=True),
    ts.Magnitude(),
    ts.Magnitude(k_max=3),
]


@pytest.mark.parametrize("sample", ["same", "different"])
@pytest.mark.parametrize("estimator", UNBIASED, ids=repr)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_every_sampler_with_every_unbiased_estimator_is_unbiased(sampler, estimator, sample):
    runs = 4000
    found = one_step(
        tuple(np.full(runs, x) for x in AT), estimator=estimator, observations=sampler, sample=sample, rng=3
    )
    error = found.std(axis=1, ddof=1) / np.sqrt(runs)
    assert np.all(np.abs(found.mean(axis=1) - exact()) <= 5 * error + 1e-12)


@pytest.mark.parametrize("sample", ["same", "different"])
@pytest.mark.parametrize("sampler", [None, Uniform(1)], ids=repr)
def test_the_largest_path_is_that_of_the_batch_or_of_each_observation(sampler, sample):
    terms = np.array([ts.trace(lambda a, b: loss(a, b, (t, y)), *AT).path_gradients("a") for t, y in zip(T, Y)])
    found = one_step(estimator=ts.SPAD(), observations=sampler, sample=sample, rng=0)[0]
    if sampler is None and sample == "same":
        mean = terms.mean(axis=0)
        assert np.isclose(found, mean[np.abs(mean).argmax()])
    else:
        largest = terms[np.arange(3), np.abs(terms).argmax(axis=1)]
        assert np.isclose(found, largest.mean() if sampler is None else largest, rtol=1e-12).any()


def test_the_largest_path_of_a_batch_is_another_than_those_of_its_observations():
    def f(a, batch):
        return batch * a + a**2  # the first path's contributions, +-3, cancel over the batch

    both = {
        s: one_step((1.0,), f, np.array([3.0, -3.1]), estimator=ts.SPAD(), sample=s)[0] for s in ("same", "different")
    }
    np.testing.assert_allclose([both["same"], both["different"]], [2.0, (3.0 - 3.1) / 2])


def test_nearest_and_magnitude_go_by_the_batch():
    terms = np.array([ts.trace(lambda a, b: loss(a, b, (t, y)), *AT).path_gradients("a") for t, y in zip(T, Y)]).mean(
        axis=0
    )
    found = one_step(estimator=ts.NearestPath())[0]
    np.testing.assert_allclose(found, terms[np.abs(terms - terms.sum()).argmin()])
    runs = 20_000
    drawn = one_step(tuple(np.full(runs, x) for x in AT), estimator=ts.Magnitude(normalize=False), rng=0)[0]
    for term in np.unique(terms.round(12)):  # a * t * a has two paths of the same contribution
        share = np.abs(terms)[np.isclose(terms, term)].sum() / np.abs(terms).sum()
        assert abs(np.isclose(drawn, term).mean() - share) < 5 * np.sqrt(share * (1 - share) / runs)
    normalised = one_step(tuple(np.full(9, x) for x in AT), estimator=ts.Magnitude(), rng=0)[0]
    np.testing.assert_allclose(np.abs(normalised), np.abs(terms).sum())


def test_all_data_and_all_paths_is_gradient_descent_on_the_mean():
    np.testing.assert_allclose(one_step(), exact(), rtol=1e-12)
    data = ts.minimize(loss, AT, data=DATA, steps=50)
    plain = ts.minimize(mean_loss, AT, steps=50)
    np.testing.assert_allclose(data.x, plain.x, rtol=1e-9)
    np.testing.assert_allclose(data.history.values, plain.history.values, rtol=1e-9)
    assert isinstance(data.value, float) and data.value == data.history.values[-1]


def test_values_are_of_all_data_whatever_a_step_sees():
    result = ts.minimize(loss, AT, data=DATA, observations=Uniform(1), steps=20, every=5, rng=0)
    assert list(result.history.steps) == [0, 5, 10, 15, 20]
    for a, b, value in zip(result.history.x["a"], result.history.x["b"], result.history.values):
        np.testing.assert_allclose(value, mean_loss(a, b), rtol=1e-12)
    seen = []
    ts.minimize(loss, AT, data=DATA, observations=Uniform(1), steps=2, rng=0, callback=lambda *c: seen.append(c))
    np.testing.assert_allclose(
        [value for _, _, value in seen], [mean_loss(*x.values()) for _, x, _ in seen], rtol=1e-12
    )


def test_runs_are_runs_also_with_data_of_their_own():
    starts = (np.array([0.7, -0.2, 1.1]), np.array([-1.3, 0.4, 0.9]))
    own = np.array([[1.0, 0.3, 2.0], [0.1, 0.2, 0.3], [-1.0, 1.0, 0.5]]).T  # (n, R)
    together = ts.minimize(loss, starts, data=(T, own), steps=30)
    for r in range(3):
        alone = ts.minimize(loss, tuple(s[r] for s in starts), data=(T, own[:, r]), steps=30)
        np.testing.assert_allclose([x[r] for x in together.x], alone.x, rtol=1e-9)
        np.testing.assert_allclose(together.value[r], alone.value, rtol=1e-9)


@pytest.mark.parametrize("sample", ["same", "different"])
def test_a_batch_of_one_is_one_observation(sample):
    picked = Given(np.array([1]), np.full(3, 1 / 3))
    found = one_step(observations=picked, estimator=ts.SPAD(), sample=sample)
    terms = ts.trace(lambda a, b: loss(a, b, (T[1], Y[1])), *AT)
    np.testing.assert_allclose(found, [terms.best_path("a").gradient, terms.best_path("b").gradient])


def test_traced_and_compiled_agree():
    def branching(a, b, batch):
        branching.calls += 1  # not to be compiled: another number at every recording
        return loss(a, b, batch) + 1e-300 * branching.calls

    for sampler in (None, Shuffled(2), Bandit(2)):
        for estimator in (ts.GD(), ts.RAD(), ts.SPAD(k_max=3)):
            branching.calls = 0
            settings = {"data": DATA, "observations": sampler, "estimator": estimator, "steps": 20, "rng": 1}
            x0 = (np.array([0.7, 0.1]), np.array([-1.3, 0.2]))
            compiled, traced = ts.minimize(loss, x0, **settings), ts.minimize(branching, x0, **settings)
            assert branching.calls > 20
            np.testing.assert_allclose(compiled.x, traced.x, rtol=1e-9)
            for name in ("a", "b"):
                np.testing.assert_array_equal(compiled.history.paths[name], traced.history.paths[name])


X = np.random.default_rng(0).normal(size=(5, 3))
W = np.array([0.3, -0.2, 0.5])
TARGET = X @ np.array([1.0, 2.0, -1.0]) + 0.1


def linear(w, batch):
    x, y = batch
    return (x @ w - y) ** 2 + 0.1 * np.sum(w * w)


def test_a_loss_of_arrays_is_traced_as_one_graph():
    g = 2 * X * (X @ W - TARGET)[:, None] + 0.2 * W
    np.testing.assert_allclose(one_step((W,), linear, (X, TARGET))[0], g.mean(axis=0), rtol=1e-12)
    sampler = Uniform(2)
    mean = np.mean([one_step((W,), linear, (X, TARGET), observations=sampler, rng=k)[0] for k in range(1000)], axis=0)
    assert np.all(np.abs(mean - g.mean(axis=0)) < 5 * g.std(axis=0) / np.sqrt(2 * 1000))
    for sampler in (Shuffled(2), Importance(2, refresh=5), Bandit(2)):
        for estimator in (ts.GD(), ts.RAD(normalize=True), ts.SPAD(k_max=3), ts.Magnitude()):
            result = ts.minimize(
                linear, (W,), data=(X, TARGET), observations=sampler, estimator=estimator, steps=150, rng=0,
                optimizer=ts.Adam(0.05), every=None,
            )  # fmt: skip
            assert result.value < 0.5 * np.mean((X @ W - TARGET) ** 2 + 0.1 * np.sum(W * W))


def test_norms_of_a_loss_of_arrays_are_those_of_each_observation():
    stage = Losses(linear, ["w"], [W], (X, TARGET), Bandit(2), "same", True, False)
    assert not stage.side_by_side
    g = 2 * X * (X @ W - TARGET)[:, None] + 0.2 * W
    np.testing.assert_allclose(stage.norms([W]), np.linalg.norm(g, axis=1), rtol=1e-12)


def test_norms_of_lanes_are_those_of_each_observation():
    stage = Losses(loss, ["a", "b"], list(AT), DATA, None, "same", True, False)
    assert stage.side_by_side and stage.program is not None
    each = [list(ts.trace(lambda a, b: loss(a, b, (t, y)), *AT).gradient().values()) for t, y in zip(T, Y)]
    np.testing.assert_allclose(stage.norms(list(AT)), np.linalg.norm(each, axis=1), rtol=1e-12)


class Pair(NamedTuple):
    t: Any
    y: Any


def test_data_keeps_its_form():
    def by_name(a, b, batch):
        return loss(a, b, (batch.t, batch.y))

    np.testing.assert_allclose(one_step(f=by_name, data=Pair(T, Y)), exact(), rtol=1e-12)
    np.testing.assert_allclose(one_step((0.5,), lambda a, y: (a - y) ** 2, [1.0, 2.0]), [-2.0])
    np.testing.assert_allclose(one_step((0.5,), lambda a, y: (a - y) ** 2, np.array([1, 2])), [-2.0])


def test_a_recurrence_of_hundreds_of_steps_lists_no_paths():
    def series(rate, capacity, batch):
        x, start = 0.1, batch
        x = x * start
        for _ in range(200):
            x = x + 0.1 * rate * x * (1 - x / capacity)
        return (x - 1.5) ** 2

    start = np.array([1.0, 0.5])
    lcg = ts.trace(lambda rate, capacity: series(rate, capacity, 1.0), 0.4, 1.2)
    assert lcg.count_paths("rate") > 10**80
    for estimator in (ts.RAD(), ts.RAD(by="branch"), ts.SPAD(k_max=5), ts.SPAD(m=2, k_max=5), ts.Magnitude()):
        result = ts.minimize(
            series,
            (np.full(3, 0.4), np.full(3, 1.2)),
            data=start,
            estimator=estimator,
            sample="different",
            steps=3,
            rng=0,
        )
        assert np.all(result.status == "done") and result.history.paths["rate"].shape == (4, 2, 3)
    with pytest.raises(TooManyPaths, match='sample="different"'):
        ts.minimize(series, (0.4, 1.2), data=start, estimator=ts.SPAD(), steps=1)
    same = ts.minimize(series, (0.4, 1.2), data=start, estimator=ts.SPAD(m=2, k_max=3), steps=3, rng=0)
    assert same.status == "done"
    alone = ts.minimize(series, (0.4, 1.2), data=start[:1], estimator=ts.SPAD(k_max=3), steps=3, rng=0)
    assert alone.status == "done"  # one observation: nothing has to be listed


def test_a_run_that_meets_nan_stops_and_the_others_go_on():
    def f(a, y):
        return np.where(a > 100, np.nan, (a - y) ** 2)

    result = ts.minimize(
        f, (np.array([0.0, 101.0]),), data=np.array([1.0, 2.0]), observations=Uniform(1), steps=5, rng=0
    )
    assert list(result.status) == ["done", "non-finite"] and list(result.steps) == [5, 0]


def test_ctrl_c_keeps_what_was_done():
    def interrupt(step, x, value):
        if step == 3:
            raise KeyboardInterrupt

    result = ts.minimize(loss, AT, data=DATA, observations=Uniform(1), callback=interrupt, rng=0)
    assert result.status == "interrupted" and result.steps == 3
    np.testing.assert_allclose(result.value, mean_loss(*result.x), rtol=1e-12)


def test_compare_takes_data():
    results = ts.compare(
        loss,
        AT,
        {"GD": ts.GD(), "RAD": ts.RAD()},
        data=DATA,
        observations=Bandit(2),
        sample="different",
        steps=3,
        rng=0,
    )
    again = ts.minimize(
        loss,
        AT,
        data=DATA,
        observations=Bandit(2),
        sample="different",
        estimator=ts.RAD(),
        steps=3,
        rng=np.random.default_rng(0),
    )
    assert results["RAD"].x == again.x != results["GD"].x


ARRAYS = {"estimator": ts.RAD(), "paths": "arrays"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"data": None, "observations": Uniform(2)}, "give data="),
        ({"observations": Uniform}, "sampler of ts.data"),
        ({"observations": 8}, "sampler of ts.data"),
        ({"sample": "each"}, "sample="),
        ({"data": ()}, "the shapes are none"),
        ({"data": 3.0}, "the shapes are"),
        ({"data": (T, Y[:2])}, r"\(3,\), \(2,\)"),
        ({"data": np.zeros((0,))}, r"\(0,\)"),
        ({"data": (T, ["a", "b", "c"])}, "array of numbers"),
        ({"observations": Shuffled(4)}, "4 cannot be drawn from 3"),
        ({"observations": Importance(2, bounds=[1, 2])}, "2 bounds and 3 observations"),
        ({"f": lambda a, b, batch: np.mean(loss(a, b, batch))}, "without summing"),
        ({"f": lambda a, b, batch: a}, "."),
        ({"f": lambda a, b, batch: a * b * batch[2]}, "tuple index out of range"),
        ({"f": linear, "x0": (W,), "data": (X, TARGET), "sample": "different", **ARRAYS}, "elementwise"),
        ({"f": lambda a: a}, "takes 1 argument"),
    ],
)
def test_what_does_not_fit_is_said(settings, says):
    settings = {"f": loss, "x0": AT, "data": DATA, "steps": 2, **settings}
    if says == ".":  # a loss that does not look at the data is a loss
        assert ts.minimize(settings.pop("f"), settings.pop("x0"), **settings).status == "done"
        return
    with pytest.raises(BadInput, match=says):
        ts.minimize(settings.pop("f"), settings.pop("x0"), **settings)


def test_parameters_may_be_called_anything():
    for f in (lambda a, b: (a - 1) ** 2 + (b * a - 2) ** 2, lambda o, c: (o - 1) ** 2 + (c * o - 2) ** 2):
        result = ts.minimize(f, (np.zeros(3), np.zeros(3)), steps=3)
        np.testing.assert_allclose(result.value, ts.minimize(f, (0.0, 0.0), steps=3).value)


# --- data as people have them ----------------------------------------------------------------------------------------


def test_data_cannot_be_changed_by_the_loss():
    kept = X.copy()

    def tensor(w, batch):
        x, y = batch
        x -= 1.0
        return (x @ w - y) ** 2

    def lanes(a, b, batch):
        t, y = batch
        t -= 0.5
        return (a + b * t - y) ** 2

    with pytest.raises(BadInput, match="read-only"):
        ts.minimize(tensor, (W,), data=(X, TARGET), steps=2)
    np.testing.assert_array_equal(X, kept)
    pure = ts.minimize(lambda a, b, batch: (a + b * (batch[0] - 0.5) - batch[1]) ** 2, AT, data=DATA, steps=5)
    for sampler in (None, Uniform(2)):
        for callback in (None, lambda *_: False):
            try:
                found = ts.minimize(lanes, AT, data=DATA, steps=5, observations=sampler, callback=callback, rng=0)
            except BadInput as refused:
                assert "read-only" in str(refused)
            else:
                assert sampler is not None or np.allclose(found.x, pure.x)
    np.testing.assert_array_equal(T, [0.5, 1.0, 2.0])


def test_masked_arrays_lists_and_dicts_are_told_apart():
    masked = np.ma.array([1.0, 2.0, 1e6], mask=[0, 0, 1])
    for data, says in (
        ((T, masked), "masked"),
        (masked, "masked"),
        ([T, Y], r"tuple of arrays, not a list: \(x, y\)"),
        ({"t": T, "y": Y}, "a dict, as an array of object"),
    ):
        with pytest.raises(BadInput, match=says):
            ts.minimize(loss, AT, data=data, steps=1)


def test_conditions_of_where_may_be_data():
    flag = T > 0.7
    expected = [2 * (0.1 - 1.0) / 3, 2 * ((0.2 - 0.3) + (0.2 - 2.0)) / 3]
    for column in (flag, flag.astype(int), flag.astype(float)):
        for x0 in ((0.1, 0.2), (np.full(3, 0.1), np.full(3, 0.2))):
            found = one_step(x0, lambda a, b, batch: (np.where(batch[0], b, a) - batch[1]) ** 2, (column, Y))
            np.testing.assert_allclose(found.T, np.broadcast_to(expected, found.T.shape))


def test_whole_numbers_index_in_a_batch_as_one_graph():
    index = np.array([0, 1, 2, 0])
    target = np.arange(4.0)
    found = one_step((np.zeros(3),), lambda w, batch: (w[batch[0]] - batch[1]) ** 2, (index, target))
    np.testing.assert_allclose(found[0], [-2 * 3.0 / 4, -2 * 1.0 / 4, -2 * 2.0 / 4])


@pytest.mark.parametrize(
    "drawn",
    [
        ([0, 1], [0.5, 0.5]),
        (np.array([0.0, 1.0]), np.array([0.5, 0.5])),
        (np.array([0, 7]), np.array([0.5, 0.5])),
        (np.array([-1, 0]), np.array([0.5, 0.5])),
        (np.array([0, 1]), np.array([0.5])),
        (np.zeros((2, 2), int), np.ones((2, 2))),
    ],
)
def test_a_sampler_of_ones_own_is_checked(drawn):
    class Mine(Sampler):
        def init(self, n, runs=()):
            return None

        def draw(self, state, rng):
            return Observed(*drawn, None)

    if isinstance(drawn[0], list):  # lists will do
        assert ts.minimize(loss, AT, data=DATA, observations=Mine(), steps=2).status == "done"
        return
    with pytest.raises(BadInput, match=r"Mine\.draw is to give"):
        ts.minimize(loss, AT, data=DATA, observations=Mine(), steps=2)


def test_the_reason_against_lanes_is_told():
    def mixed(a, b, batch):
        return (a + b.sum() - batch) ** 2 + 0 * np.ones(3)

    with pytest.raises(BadInput, match="the parameters differ in shape"):
        ts.minimize(mixed, (0.0, np.zeros(3)), data=np.array([1.0, 2.0]), steps=1)
    with pytest.raises(BadInput, match="sample= is about"):
        ts.minimize(mean_loss, AT, sample="different")


def test_compare_stops_with_the_estimator_that_was_interrupted():
    class Interrupts(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            raise KeyboardInterrupt

    results = ts.compare(loss, AT, {"GD": ts.GD(), "K": Interrupts(), "RAD": ts.RAD()}, data=DATA, steps=3)
    assert list(results) == ["GD", "K"] and results["K"].status == "interrupted"


def test_a_bandit_learns_nothing_from_zeros():
    sampler, rng = Bandit(2), np.random.default_rng(0)
    state = sampler.init(3)
    seen = sampler.draw(state, rng)
    np.testing.assert_array_equal(sampler.learn(seen.state, seen, np.zeros(2)).p, np.full(3, 1 / 3))


def test_what_a_selection_over_a_batch_costs_is_a_listing():
    stage = Losses(loss, ["a", "b"], list(AT), DATA, None, "same", False, False)
    graph, _ = stage.at(list(AT), stage.init(), np.random.default_rng(0))
    one = ts.trace(lambda a, b: loss(a, b, (0.5, 1.0)), *AT)
    all_paths = sum(int(one.lengths(name).sum()) for name in ("a", "b"))
    for estimator in (ts.SPAD(), ts.Magnitude()):
        assert estimator.cost(graph.asked).multiplications > all_paths
        assert estimator.cost(one).multiplications < estimator.cost(graph.asked).multiplications
