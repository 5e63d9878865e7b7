"""Optimizer states: one for each parameter, or one for each path, against plain dictionaries of numbers."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.estimators import ALL_PATHS, Draw
from tinyspad.optimize import states, whole

BY_PATH = {
    "Adam": ts.Adam(lr=0.03, moments="path"),
    "Adam, other averages": ts.Adam(lr=0.2, beta1=0.5, beta2=0.7, eps=1e-3, moments="path"),
    "Momentum": ts.Momentum(lr=1e-3, beta=0.8, moments="path"),
}


def stepped(optimizer, gradient, state):
    """The step and the next state, written from the formulas."""
    if isinstance(optimizer, ts.Momentum):
        v = optimizer.beta * state[0] + gradient
        return -optimizer.lr * v, (v,)
    m, v, t = state
    t += 1
    m = optimizer.beta1 * m + (1 - optimizer.beta1) * gradient
    v = optimizer.beta2 * v + (1 - optimizer.beta2) * gradient**2
    high, low = m / (1 - optimizer.beta1**t), math.sqrt(v / (1 - optimizer.beta2**t)) + optimizer.eps
    return -optimizer.lr * high / low, (m, v, t)


def contributions(x):
    """The two paths of f1 from x, by hand."""
    return [2 * x * (2 + math.cos(4 * x)), -4 * x**2 * math.sin(4 * x)]


def along(optimizer, x, paths):
    """Where f1's x gets to along these paths, with a dictionary of states."""
    known = {}
    for path in paths:
        both = contributions(x)
        gradient = sum(both) if path == ALL_PATHS else both[path]
        step, known[path] = stepped(optimizer, gradient, known.get(path, (0.0, 0.0, 0)))
        x += step
    return x


@pytest.mark.parametrize("runs", [None, 1, 9])
@pytest.mark.parametrize("estimator", [ts.RAD(), ts.RAD(hold=4), ts.SPAD(k_max=3), ts.FixedPath(1)], ids=repr)
@pytest.mark.parametrize("optimizer", BY_PATH.values(), ids=BY_PATH)
def test_every_path_has_a_state_of_its_own(optimizer, estimator, runs):
    x0 = 5.0 if runs is None else np.linspace(1.0, 5.0, runs)
    found = ts.minimize(ts.functions.f1, x0, estimator=estimator, optimizer=optimizer, steps=60, rng=3, every=1)
    paths = found.history.paths["x"][:-1].reshape(60, -1)
    expected = [along(optimizer, x, own) for x, own in zip(np.ravel(x0).tolist(), paths.T)]
    # 60 steps whose last bits differ, as sums are ordered otherwise; held paths of f1 amplify them by less than 1e3
    np.testing.assert_allclose(np.ravel(found.x), expected, rtol=1e-11)
    if not isinstance(estimator, ts.FixedPath):
        other = ts.minimize(
            ts.functions.f1, x0, estimator=estimator, optimizer=by_parameter(optimizer), steps=60, rng=3, every=1
        )
        assert not np.allclose(found.x, other.x, rtol=1e-3)


def by_parameter(optimizer):
    return type(optimizer)(**{**vars(optimizer), "moments": "parameter"})


@dataclass(frozen=True)
class Told(ts.Estimator):
    """Follows what it is told, step by step; all paths, too."""

    paths: tuple

    def init(self):
        return 0

    def draw(self, lcg, param, state, rng):
        path = self.paths[state]
        gradient = lcg.adjoint(param) if path == ALL_PATHS else lcg.path_gradient(param, path)
        return Draw(gradient, path, state + 1)


@pytest.mark.parametrize("optimizer", BY_PATH.values(), ids=BY_PATH)
def test_steps_along_all_paths_have_a_state_of_their_own(optimizer):
    paths = (0, ALL_PATHS, 1, ALL_PATHS, ALL_PATHS, 0, 1, 1, ALL_PATHS, 0)
    found = ts.minimize(ts.functions.f1, 2.0, estimator=Told(paths), optimizer=optimizer, steps=10)
    assert math.isclose(found.x, along(optimizer, 2.0, paths), rel_tol=1e-12)


# --- the laws ----------------------------------------------------------------------------------------------------------


def one_path_each(x, y):
    return np.exp(0.3 * x) + np.cos(y)


STARTS = {
    "one run": (1.0, 2.0),
    "one step of many runs": (np.linspace(-1, 1, 7), np.linspace(0, 3, 7)),
    "single precision": (np.linspace(-1, 1, 7, dtype=np.float32), np.linspace(0, 3, 7, dtype=np.float32)),
}


@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(), ts.SPAD(k_max=3), ts.Magnitude()], ids=repr)
@pytest.mark.parametrize("optimizer", BY_PATH.values(), ids=BY_PATH)
@pytest.mark.parametrize("x0", STARTS.values(), ids=STARTS)
def test_with_one_path_a_parameter_both_are_the_same_bit_for_bit(x0, optimizer, estimator):
    found, expected = (
        ts.minimize(one_path_each, x0, estimator=estimator, optimizer=own, steps=300, rng=0)
        for own in (optimizer, by_parameter(optimizer))
    )
    for a, b in zip(found.x, expected.x):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.mark.parametrize("runs", [None, True])
@pytest.mark.parametrize("optimizer", BY_PATH.values(), ids=BY_PATH)
def test_so_they_are_for_the_numbers_of_arrays(optimizer, runs):
    x0 = np.linspace(0.1, 1, 12).reshape((3, 4) if runs else (12,))
    found, expected = (
        ts.minimize(lambda w: np.sum(np.cos(w)), x0, estimator=ts.RAD(), optimizer=own, steps=100, rng=0, runs=runs)
        for own in (optimizer, by_parameter(optimizer))
    )
    np.testing.assert_array_equal(found.x, expected.x)


@pytest.mark.parametrize("every", [None, 1, 7])
@pytest.mark.parametrize(
    "estimator",
    [ts.GD(), ts.RAD(), ts.RAD(hold=7), ts.SPAD(k_max=5), ts.SPAD(m=1000, k_max=3), ts.FixedPath(0)],
    ids=repr,
)
@pytest.mark.parametrize("optimizer", BY_PATH.values(), ids=BY_PATH)
def test_the_generated_loop_does_what_the_steps_do_one_by_one(monkeypatch, optimizer, estimator, every):
    def f(x, y):  # other numbers of paths, and some runs that end
        return x * x * np.log(x) + y * y * y * x + ts.relu(y)

    x0 = np.array([2.0, 1e-3, 1.0, 0.02, 5.0]), np.array([1.0, 3.0, 0.0, -1.0, 0.5])
    settings = {"estimator": estimator, "optimizer": optimizer, "steps": 600, "rng": 0, "every": every}
    for start in (x0, (np.full(5, 3.0), np.linspace(0.1, 1, 5))):
        asked = []
        with monkeypatch.context() as patch, np.errstate(all="ignore"):
            found = ts.minimize(f, start, **settings)
            patch.setattr(whole, "ahead_of", lambda *args, asked=asked: asked.append(args))
            expected = ts.minimize(f, start, **settings)
        assert asked
        np.testing.assert_array_equal(found.x, expected.x)
        np.testing.assert_array_equal(found.status, expected.status)
        if every:
            np.testing.assert_array_equal(found.history.values, expected.history.values)


def test_runs_side_by_side_are_runs_alone():
    X = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, -1.0]])

    def loss(w):
        return np.sum((X @ w - 1) ** 2)

    x0 = np.array([[0.0, 1.0], [2.0, -1.0], [0.3, 0.3]])
    settings = {"estimator": ts.SPAD(k_max=2), "optimizer": ts.Adam(moments="path"), "steps": 40}
    found = ts.minimize(loss, x0, runs=True, **settings)
    for run, start in enumerate(x0):
        np.testing.assert_allclose(found.x[run], ts.minimize(loss, start, **settings).x, rtol=1e-12)


def test_tables_and_dictionaries_keep_the_same_states(monkeypatch):
    X = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, -1.0]])

    def loss(w):
        return np.sum((X @ w - 1) ** 2)

    settings = {"estimator": ts.RAD(), "steps": 50, "rng": 0, "optimizer": ts.Adam(moments="path")}
    found = ts.minimize(loss, np.zeros(2), **settings)
    monkeypatch.setattr(states, "LARGEST_TABLE", 0)
    np.testing.assert_array_equal(found.x, ts.minimize(loss, np.zeros(2), **settings).x)


def test_each_number_of_an_array_has_states_for_its_own_paths():
    def loss(w):
        return np.sum(w[:-1] * w[1:] * w[1:])

    def alone(a, b, c):
        return a * b * b + b * c * c

    settings = {"estimator": ts.SPAD(k_max=1), "steps": 30, "optimizer": ts.Adam(lr=0.1, moments="path")}
    found = ts.minimize(loss, np.array([1.0, 2.0, 3.0]), **settings)
    np.testing.assert_allclose(found.x, ts.minimize(alone, (1.0, 2.0, 3.0), **settings).x, rtol=1e-12)


def test_arrays_as_a_whole_have_a_state_for_each_path_of_arrays():
    def loss(w):
        return np.sum(w * w * np.array([1.0, 2.0]))

    adam, w = ts.Adam(lr=0.1, moments="path"), np.array([1.0, -2.0])
    paths = (0, 1, 1, 0, 1)
    found = ts.minimize(loss, w, estimator=Told(paths), optimizer=adam, steps=5, paths="arrays").x
    for number, (x, factor) in enumerate(zip(w.tolist(), (1.0, 2.0))):
        known = {}
        for path in paths:  # both paths of w * w have the same contribution
            step, known[path] = stepped(adam, factor * x, known.get(path, (0.0, 0.0, 0)))
            x += step
        assert math.isclose(found[number], x, rel_tol=1e-12)


def test_paths_of_another_program_begin_anew():
    def f(x):
        return x * x if x > 1.0 else x * x * x  # other paths, from the step on that gets below 1

    adam, x, known, seen = ts.Adam(lr=0.3, moments="path"), 2.0, {}, True
    paths = (0, 1, 1, 0, 1, 0, 0, 1)
    found = ts.minimize(f, x, estimator=Told(paths), optimizer=adam, steps=8, every=1)
    assert found.history.x["x"].min() < 1.0
    for path in paths:
        if seen != (x > 1.0):
            known, seen = {}, x > 1.0
        step, known[path] = stepped(adam, x if x > 1.0 else x * x, known.get(path, (0.0, 0.0, 0)))
        x += step
    assert math.isclose(found.x, x, rel_tol=1e-12)


def test_very_many_paths_of_one_run_are_kept_as_they_are_met():
    def f(x):
        for _ in range(80):
            x = x + x
        return x * 2.0**-80

    found = ts.minimize(f, 1.0, estimator=ts.RAD(), optimizer=ts.Adam(moments="path"), steps=5, rng=0)
    # five different paths, each for the first time: five steps of lr, whatever a contribution's size, but for eps
    step = 0.01 * 2.0**-80 / (2.0**-80 + 1e-8)
    assert math.isclose(found.x, 1.0 - 5 * step, rel_tol=1e-12)


def test_observations_that_share_a_path_share_its_state():
    t = np.linspace(0, 1, 20)

    def loss(a, b, batch):
        return (a * t_of(batch) + b * b * a - 1.0) ** 2

    def t_of(batch):
        return batch

    settings = {"steps": 40, "rng": 0, "data": t, "estimator": ts.SPAD(k_max=2)}
    found = ts.minimize(loss, (1.0, 0.5), optimizer=ts.Adam(moments="path"), **settings)
    in_runs = ts.minimize(
        loss, (np.array([1.0, 1.0]), np.array([0.5, 0.5])), optimizer=ts.Adam(moments="path"), **settings
    )
    for one, two in zip(found.x, in_runs.x):
        np.testing.assert_allclose(two, [one, one], rtol=1e-10)
    other = ts.minimize(loss, (1.0, 0.5), optimizer=ts.Adam(), **settings)
    assert not np.allclose(found.x, other.x, rtol=1e-4)


def test_what_the_states_are_for(reference=0.67):
    """A fresh draw from 5 leaves f1's trap in two thirds of the runs at the paper's own rate; with one state in none."""
    settings = {"estimator": ts.RAD(), "steps": 2000, "rng": 0, "every": None}
    left = {
        moments: np.mean(
            ts.minimize(ts.functions.f1, np.full(1000, 5.0), optimizer=ts.Adam(moments=moments), **settings).x < 4.5
        )
        for moments in ("parameter", "path")
    }
    assert left["parameter"] == 0.0
    assert abs(left["path"] - reference) < 5 * math.sqrt(reference * (1 - reference) / 1000)  # five standard errors


# --- what is refused -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Warmed:
    """Adam's first steps are smaller: it asks for its age as for a number."""

    lr: float = 0.1
    moments: str = "path"

    def init(self, x):
        return 0.0 * x, 0

    def update(self, gradient, state):
        v, t = state
        rate = self.lr if t > 5 else self.lr / 5
        return -rate * gradient, (v, t + 1)


@dataclass(frozen=True)
class Elder(Warmed):
    """It looks at the oldest of the states."""

    def update(self, gradient, state):
        return -self.lr * gradient / (1 + np.max(state[1])), (state[0], state[1] + 1)


@dataclass(frozen=True)
class Fine(Warmed):
    """Its age may be an array."""

    def update(self, gradient, state):
        return -np.where(state[1] > 5, self.lr, self.lr / 5) * gradient, (state[0], state[1] + 1)


@pytest.mark.parametrize("optimizer", [Warmed(), Elder()])
def test_an_optimizer_that_cannot_take_ages_is_refused_by_name(optimizer):
    with pytest.raises(BadInput, match=rf'{type(optimizer).__name__}: moments="path" asks .* step count .* array'):
        ts.minimize(ts.functions.f1, np.ones(3), estimator=ts.RAD(), optimizer=optimizer, steps=2)
    one = ts.minimize(ts.functions.f1, 1.0, estimator=ts.FixedPath(0), optimizer=optimizer, steps=2)
    assert one.status == "done"  # of one number a state is as it was


def test_one_that_can_is_taken():
    paths = (0, 0, 0, 1, 0, 0, 0, 0, 1, 1)
    found = ts.minimize(ts.functions.f1, np.ones(2), estimator=Told(paths), optimizer=Fine(lr=1e-3), steps=10).x
    x, ages = 1.0, {0: 0, 1: 0}
    for path in paths:
        x -= (1e-3 if ages[path] > 5 else 2e-4) * contributions(x)[path]
        ages[path] += 1
    np.testing.assert_allclose(found, [x, x], rtol=1e-12)


def test_too_many_paths_of_many_runs_are_refused_with_the_reason():
    def f(x):
        for _ in range(30):
            x = x + x
        return x

    adam = ts.Adam(moments="path")
    with pytest.raises(BadInput, match=r"x has 4 294 967 296 in all runs. Take fewer runs, .*moments=\"param"):
        ts.minimize(f, np.ones(4), estimator=ts.RAD(), optimizer=adam, steps=2)
    assert ts.minimize(f, np.ones(4), estimator=ts.GD(), optimizer=adam, steps=2).steps.tolist() == [2] * 4


@pytest.mark.parametrize("wrong", ["paths", None, True, ["path"]])
@pytest.mark.parametrize("kind", [ts.Adam, ts.Momentum])
def test_other_moments_are_refused(kind, wrong):
    with pytest.raises(BadInput, match=f'{kind.__name__}: moments= is "parameter" or "path", not'):
        kind(moments=wrong)


def test_observations_with_paths_of_their_own_are_refused():
    def loss(a, batch):
        return (a * a * batch - 1) ** 2

    with pytest.raises(BadInput, match=r'sample="different" .* moments="path"'):
        ts.minimize(
            loss, 1.0, data=np.ones(3), sample="different", estimator=ts.RAD(), optimizer=ts.Adam(moments="path")
        )


def test_networks_refuse_them():
    from tinyspad import nn

    data = nn.datasets.glyphs(20, rng=0)
    with pytest.raises(BadInput, match=r'fit: .*moments="path"'):
        nn.fit(nn.small_fc_net(hidden=5, rng=0), data, optimizer=ts.Adam(moments="path"), iterations=1, batch_size=5)


def test_a_path_that_is_not_there_is_told():
    with pytest.raises(BadInput, match="A draw followed path 7, and there are 2"):
        ts.minimize(ts.functions.f1, np.ones(2), estimator=Wild(), optimizer=ts.Adam(moments="path"), steps=1)


class Wild(ts.Estimator):
    def init(self):
        return None

    def draw(self, lcg, param, state, rng):
        return lcg.adjoint(param), 7, None


def test_a_state_that_update_changes_in_place_is_each_paths_own():
    class Heavy:
        moments = "path"

        def init(self, x):
            return [0.0]

        def update(self, gradient, state):
            state[0] = 0.9 * state[0] + gradient
            return -0.01 * state[0], state

    settings = {"estimator": ts.RAD(), "steps": 30, "rng": 0}
    ours = ts.minimize(ts.functions.f1, 5.0, optimizer=Heavy(), **settings).x
    assert ours == ts.minimize(ts.functions.f1, 5.0, optimizer=ts.Momentum(0.01, moments="path"), **settings).x
    assert ours != ts.minimize(ts.functions.f1, 5.0, optimizer=ts.Momentum(0.01), **settings).x


@pytest.mark.parametrize("start", [3.0, np.array([3.0, 4.0, 5.0])], ids=["one run", "three"])
def test_a_path_that_there_is_not_is_refused(start):
    class Beyond(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            return ts.estimators.Draw(lcg.adjoint(param), np.full(lcg.batch, 7)[()], ())

    with pytest.raises(ts.errors.BadInput, match="followed path 7, and there are 2"):
        ts.minimize(lambda x: x * x, start, estimator=Beyond(), optimizer=ts.Adam(moments="path"), steps=3)


def test_moments_that_are_neither_are_refused():
    class Typo(ts.SGD):
        moments = "paths"

    with pytest.raises(ts.errors.BadInput, match='moments= is "parameter" or "path", not \'paths\''):
        ts.minimize(ts.functions.f1, 5.0, estimator=ts.RAD(), optimizer=Typo(), steps=3)
