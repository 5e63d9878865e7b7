"""Many steps as one generated function: bit for bit what the loop computes one by one."""

import warnings

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.optimize import ahead, tiles, whole
from tinyspad.program import MOVES, Buffers, with_half_angles

ESTIMATORS = {
    "GD": ts.GD(),
    "RAD": ts.RAD(),
    "RAD, held": ts.RAD(hold=7),
    "SPAD": ts.SPAD(k_max=5),
    "SPAD of enough candidates": ts.SPAD(m=1000, k_max=3),
    "one path": ts.FixedPath(0),
}
OPTIMIZERS = {"Adam": ts.Adam(), "SGD": ts.SGD(lr=1e-3), "Momentum": ts.Momentum(lr=1e-3, beta=0.8)}


def both(monkeypatch, f, x0, **settings):
    """By the generated function, and one by one."""
    made = []

    def remember(*args):
        made.append(ahead.ahead_of(*args))
        return made[-1]

    with monkeypatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(whole, "ahead_of", remember)
        found = ts.minimize(f, x0, **settings)
        patch.setattr(whole, "ahead_of", lambda *args: None)
        expected = ts.minimize(f, x0, **settings)
    assert made[0] is not None
    return found, expected


def assert_same(found, expected):
    for a, b in zip(
        found.x if isinstance(found.x, tuple) else [found.x], expected.x if isinstance(found.x, tuple) else [expected.x]
    ):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(found.value, expected.value)
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_array_equal(found.steps, expected.steps)
    assert found.single_paths == expected.single_paths
    assert (found.history is None) == (expected.history is None)
    if found.history is not None:
        np.testing.assert_array_equal(found.history.steps, expected.history.steps)
        np.testing.assert_array_equal(found.history.values, expected.history.values)
        for own, other in ((found.history.x, expected.history.x), (found.history.paths, expected.history.paths)):
            assert list(own) == list(other)
            for name in own:
                np.testing.assert_array_equal(own[name], other[name])
                assert own[name].dtype == other[name].dtype


def starts(f, runs, seed=0):
    low, high = np.array(f.box).T
    return tuple(np.random.default_rng(seed).uniform(low[:, None], high[:, None], (len(f.box), runs)))


@pytest.mark.parametrize("every", [None, 1, 7])
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("name", ["beale", "ackley", "f1"])
def test_bit_for_bit(monkeypatch, name, estimator, every):
    f = ts.functions.ALL[name]
    x0 = starts(f, 37)
    found, expected = both(monkeypatch, f, x0, estimator=estimator, steps=300, rng=0, every=every)
    assert_same(found, expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("name", sorted(ts.functions.ALL))
def test_every_function_and_optimizer(monkeypatch, name, optimizer):
    f = ts.functions.ALL[name]
    estimator = ts.RAD()
    try:
        found, expected = both(monkeypatch, f, starts(f, 11), estimator=estimator, optimizer=optimizer, steps=70, rng=1)
    except AssertionError:
        pytest.skip("not known ahead")  # f has no program, or a parameter no path
    assert_same(found, expected)


def test_most_functions_are_known_ahead(monkeypatch):
    known = 0
    for f in ts.functions.ALL.values():
        try:
            both(monkeypatch, f, starts(f, 3), steps=2)
            known += 1
        except AssertionError:
            pass
    assert known >= 15


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("steps", [1, 255, 256, 257, 600])
def test_runs_that_end_where_they_meet_what_is_not_finite(monkeypatch, estimator, steps):
    def f(x, y):
        return x * np.log(x) * x + y * y * x

    x0 = np.array([2.0, 1e-3, 1.0, 0.02, 5.0]), np.array([1.0, 3.0, 0.0, -1.0, 0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, expected = both(
            monkeypatch, f, x0, estimator=estimator, steps=steps, rng=0, optimizer=ts.SGD(lr=0.05), every=3
        )
    assert_same(found, expected)
    if steps == 600 and isinstance(estimator, ts.GD):
        assert "non-finite" in found.status.tolist() and "done" in found.status.tolist()


def test_values_whose_sum_is_beyond_floats(monkeypatch):
    found, expected = both(
        monkeypatch, lambda x: x * x * 1e300, np.array([9e3, -8e3]), steps=100, optimizer=ts.SGD(lr=1e-302)
    )
    assert_same(found, expected)
    assert found.status.tolist() == ["done", "done"]


def test_parameters_with_different_numbers_of_paths(monkeypatch):
    def f(x, y):
        return x * x * x + y * y + x * y

    for estimator in ESTIMATORS.values():
        found, expected = both(monkeypatch, f, (np.linspace(0, 1, 5), np.ones(5)), estimator=estimator, steps=90, rng=0)
        assert_same(found, expected)


def test_paths_may_be_left_out_of_the_history(monkeypatch):
    for estimator in (ts.GD(), ts.RAD()):
        found, expected = both(
            monkeypatch, ts.functions.f1, np.ones(4), estimator=estimator, steps=70, keep_paths=False, rng=0
        )
        assert_same(found, expected)
        assert found.history.paths == {}


def test_what_is_not_known_goes_one_by_one():
    numbers = (2, 2)

    class Mine(ts.RAD):
        pass

    for estimator in (
        Mine(),
        ts.RAD(by="branch"),
        ts.RAD(normalize=True),
        ts.SPAD(epsilon=0.1),
        ts.SPAD(m=1),
        ts.FixedPath(2),
    ):
        assert ahead.choice_of(estimator, numbers) is None
    assert ahead.choice_of(ts.RAD(), (0, 2)) is None and ahead.choice_of(ts.RAD(), (2**64, 2)) is None

    class Slower(ts.SGD):
        pass

    program = ts.compile(ts.functions.f1)
    assert (
        ahead.known_ahead(program, ts.GD(), Slower()) is None and ahead.known_ahead(program, ts.GD(), ts.SGD()) == "all"
    )


def test_an_interruption_finds_what_belongs_together(monkeypatch):
    """In the midst of some steps: what was there before them is what is left."""
    program_run, calls = ahead.Ahead.run, []

    def interrupted(self, steps, *rest):
        calls.append(steps)
        if len(calls) == 3:
            program_run(self, steps, *rest)
            raise KeyboardInterrupt
        return program_run(self, steps, *rest)

    monkeypatch.setattr(ahead.Ahead, "run", interrupted)
    found = ts.minimize(ts.functions.f1, np.linspace(3.0, 4.0, 3), steps=1000, estimator=ts.RAD(), rng=0)
    assert found.status.tolist() == ["interrupted"] * 3 and found.steps.tolist() == [512] * 3
    assert found.history.steps.tolist() == list(range(513)) and len(found.history.values) == 513
    monkeypatch.undo()
    expected = ts.minimize(ts.functions.f1, np.linspace(3.0, 4.0, 3), steps=512, estimator=ts.RAD(), rng=0)
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.history.x["x"], expected.history.x["x"])


def test_no_name_in_the_loop_is_that_of_a_function():
    special = pytest.importorskip("scipy.special")
    functions = {name for name in dir(special) if isinstance(getattr(special, name), np.ufunc)}
    functions |= {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    for optimizer in OPTIMIZERS.values():
        moves = MOVES[type(optimizer)](optimizer)
        names = {
            *moves.constants,
            *moves.turning,
            *moves.state,
            "x",
            "g",
            "s",
            "u",
            "total",
            "take",
            "choose",
            "chosen",
        }
        assert not names & functions


def test_the_loop_can_be_printed():
    source = ts.compile(ts.functions.f1).source("loop")
    assert source.startswith("def loop(steps):\n    for rate, share in steps:\n") and "add(x, u, x)" in source
    space = {
        name: getattr(np, name) for name in ("add", "multiply", "divide", "sqrt", "cos", "sin", "subtract", "negative")
    }
    compile(source, "loop", "exec")
    assert all(line.split("(")[0].strip() in space for line in source.splitlines()[2:])


# --- tiles ----------------------------------------------------------------------------------------------------------


def test_very_many_runs_are_those_of_their_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 10)
    monkeypatch.setattr(whole, "TILE", 10)
    x0 = starts(ts.functions.beale, 27)
    for estimator in (ts.GD(), ts.RAD(), ts.SPAD(k_max=3)):
        found = ts.minimize(
            ts.functions.beale, x0, estimator=estimator, steps=70, rng=np.random.default_rng(5), every=5
        )
        rng = np.random.default_rng(5)
        streams = [rng, *rng.spawn(2)]
        parts = [
            ts.minimize(
                ts.functions.beale, tuple(x[k : k + 10] for x in x0), estimator=estimator, steps=70, rng=stream, every=5
            )
            for k, stream in zip((0, 10, 20), streams)
        ]
        np.testing.assert_array_equal(found.value, np.concatenate([part.value for part in parts]))
        for name, rows in found.history.paths.items():
            np.testing.assert_array_equal(rows, np.concatenate([part.history.paths[name] for part in parts], axis=1))
        np.testing.assert_array_equal(found.x[1], np.concatenate([part.x[1] for part in parts]))
        assert found.history.values.shape == (15, 27) and found.status.tolist() == ["done"] * 27


def test_the_exact_gradient_knows_of_no_tiles(monkeypatch):
    x0 = starts(ts.functions.ackley, 23)
    expected = ts.minimize(ts.functions.ackley, x0, steps=70, every=None)
    monkeypatch.setattr(tiles, "TILE", 5)
    monkeypatch.setattr(whole, "TILE", 5)
    found = ts.minimize(ts.functions.ackley, x0, steps=70, every=None)
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.value, expected.value)


def test_after_an_interruption_the_tiles_that_are_done_keep_their_end(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", 2)
    monkeypatch.setattr(whole, "TILE", 2)
    program_run, calls = ahead.Ahead.run, []

    def interrupted(self, *asked):
        calls.append(asked)
        if len(calls) == 5:  # the second chunk of the third tile of four: each takes two
            raise KeyboardInterrupt
        return program_run(self, *asked)

    monkeypatch.setattr(ahead.Ahead, "run", interrupted)
    x0 = np.linspace(3.0, 4.0, 8)
    found = ts.minimize(ts.functions.f1, x0, steps=300)
    assert found.status.tolist() == ["done"] * 4 + ["interrupted"] * 4
    assert found.steps.tolist() == [300] * 4 + [0] * 4
    np.testing.assert_array_equal(found.x[4:], x0[4:])
    np.testing.assert_allclose(found.value[4:], ts.functions.f1(x0[4:]))
    assert found.history is None  # of tiles that have not begun there is none


def test_generators_of_a_state_set_by_hand_have_streams():
    class Bare:
        def __init__(self):
            self.rng = np.random.default_rng(3)

        def spawn(self, number):
            raise TypeError

        def integers(self, *args, **options):
            return self.rng.integers(*args, **options)

    one, other = tiles._spawned(Bare(), 2), tiles._spawned(Bare(), 2)
    assert [a.random() for a in one] == [b.random() for b in other] and one[0].random() != one[1].random()


# --- sines and cosines by half the angle -------------------------------------------------------------------------------


def test_sines_and_cosines_by_half_the_angle():
    """Absolutely to 3.4e-16, and the derivatives as well; only for many runs, and only where it was not asked otherwise."""
    x = np.concatenate(
        [np.random.default_rng(0).uniform(-30, 30, 5000), np.pi * np.arange(-8, 9) / 2, [0.0, 1e-300, 1e5]]
    )
    program = ts.compile(lambda x: np.sin(x) + 0 * np.cos(x))
    for f, exact in ((np.sin, np.sin), (np.cos, np.cos)):
        half = with_half_angles(ts.compile(lambda x, f=f: f(x)))
        assert half.half_angles and not program.half_angles
        found = Buffers(half, x.shape).run("value_and_gradient", (x,))
        assert np.max(np.abs(found[0] - exact(x))) < 3.4e-16
        slope = np.cos(x) if f is np.sin else -np.sin(x)
        assert np.max(np.abs(found[1] - slope)) < 3.4e-16
        np.testing.assert_array_equal(half.gradient(x)["x"], slope)  # what is asked of the program is NumPy's own
    beale = ts.compile(ts.functions.beale)
    assert with_half_angles(beale) is beale


@pytest.mark.parametrize(
    ("runs", "trig", "used"), [(101, "half-angle", "half-angle"), (100, "half-angle", "numpy"), (101, "numpy", "numpy")]
)
def test_how_sines_were_computed_is_recorded(runs, trig, used):
    result = ts.minimize(ts.functions.ackley, starts(ts.functions.ackley, runs), steps=3, trig=trig)
    assert result.trig == used
    assert ts.minimize(ts.functions.beale, starts(ts.functions.beale, 200), steps=3).trig == "numpy"


def test_half_angles_lead_to_the_same_basins():
    f = ts.functions.ackley
    found, expected = (ts.minimize(f, starts(f, 300), steps=300, every=None, trig=t) for t in ("half-angle", "numpy"))
    apart = np.abs(np.subtract(found.x, expected.x)).max(axis=0)
    assert np.median(apart) < 1e-9 and np.mean(apart > 0.1) < 0.05  # a few pass by saddles


def test_all_gears_have_the_same_sines(monkeypatch):
    found, expected = both(
        monkeypatch, ts.functions.levi, starts(ts.functions.levi, 120), steps=130, rng=0, estimator=ts.RAD()
    )
    assert found.trig == "half-angle"
    assert_same(found, expected)


def test_histories_of_very_many_runs_are_thinned(monkeypatch):
    from tinyspad.optimize import start

    monkeypatch.setattr(start, "LARGEST_HISTORY", 1000)
    result = ts.minimize(ts.functions.f1, np.linspace(3, 4, 10), steps=100)
    assert result.history.steps.tolist() == [*range(0, 100, 3), 100] and len(result.history.values) * 30 <= 1100
    assert len(ts.minimize(ts.functions.f1, np.linspace(3, 4, 10), steps=100, every=1).history) == 101
    with pytest.raises(ts.errors.BadInput, match="every="):
        ts.minimize(ts.functions.f1, 1.0, every="often")
    with pytest.raises(ts.errors.BadInput, match="trig="):
        ts.minimize(ts.functions.f1, 1.0, trig="tan")
