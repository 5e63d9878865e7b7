"""Whatever goes wrong from outside: strange numbers and arrays, interruptions, a full disk. An error or the right answer."""

import copy
import errno
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput, TinyspadError
from tinyspad.experiments import laboratory, success_rates, variance_curve
from tinyspad.optimize import History
from tinyspad.rules import RULES

ESTIMATORS = [
    ts.GD(),
    ts.RAD(),
    ts.RAD(normalize=True, hold=4),
    ts.SPAD(k_max=4),
    ts.SPAD(m=1, k_max=3, epsilon=0.2, normalize=True),
    ts.NearestPath(k_max=4),
    ts.FixedPath(1),
    ts.Magnitude(),
    ts.Magnitude(k_max=4),
]


def square(x):
    return x * x


def wave(x):
    return x * x + 1 / x


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x, gradient",
    [
        (1e200, 2e200),  # the value overflows, the gradient does not
        (5e-324, -np.inf),  # the least number there is: 1/x**2 overflows
        (1e-310, -np.inf),
        (-0.0, -np.inf),
        (np.inf, np.inf),
        (np.nan, np.nan),
    ],
)
@pytest.mark.filterwarnings("ignore:.*(overflow|divide|invalid)")
def test_numbers_at_the_ends_of_the_range(x, gradient):
    lcg = ts.trace(wave, x)
    np.testing.assert_array_equal(lcg.gradient()["x"], gradient)
    np.testing.assert_array_equal(lcg.path_gradients("x").sum(), gradient)
    assert lcg.trace_nonfinite() is not None
    value = ts.Value(x)
    wave(value).backward()
    np.testing.assert_array_equal(value.grad, gradient)
    for estimator in ESTIMATORS:
        result = ts.minimize(wave, x, estimator=estimator, steps=3, rng=0)
        assert result.status == "non-finite" and np.array_equal(result.x, x, equal_nan=True)
    shares = ts.Magnitude().probabilities(lcg, "x")
    assert np.all(np.isnan(shares)) or shares.sum() == pytest.approx(1)
    if np.isnan(gradient):
        with pytest.raises(BadInput, match="trace_nonfinite"):
            lcg.best_path("x")
    else:
        assert lcg.best_path("x").index == np.argmax(np.abs(lcg.path_gradients("x")))
    if not np.isfinite(gradient):
        with pytest.raises(BadInput, match="positive finite sum"):
            lcg.sample_path("x", 0, by="magnitude")


def test_subnormal_numbers_are_numbers():
    for x in (5e-324, 2.2e-308, -1e-310):
        lcg = ts.trace(lambda x: 3 * x + x, x)
        assert lcg.gradient() == {"x": 4.0} and lcg.value == 4 * x and lcg.trace_nonfinite() is None
        assert ts.compile(lambda x: 3 * x + x)(x) == 4 * x
    tiny = ts.trace(lambda x, y: x * y, 5e-324, 0.5)
    assert tiny.gradient() == {"x": 0.5, "y": 5e-324} and tiny.best_path("y").gradient == 5e-324


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_run_that_goes_wrong_leaves_the_others_alone(estimator):
    starts = np.array([1.0, np.nan, 2.0, np.inf, 0.0, 1e200])
    result = ts.minimize(wave, starts, estimator=estimator, optimizer=ts.SGD(lr=0.01), steps=20, rng=0)
    assert list(result.status[[1, 3, 4, 5]]) == ["non-finite"] * 4 and result.status[0] == result.status[2] == "done"
    np.testing.assert_array_equal(result.x[[1, 3, 4, 5]], starts[[1, 3, 4, 5]])
    assert np.all(np.isfinite(result.value[[0, 2]])) and np.all(result.x[[0, 2]] != starts[[0, 2]])


# --- arrays -----------------------------------------------------------------------------------------------------------


def test_empty_arrays_have_empty_gradients():
    empty = np.zeros(0)
    assert ts.trace(square, empty).gradient()["x"].shape == (0,)
    assert ts.trace(lambda x: np.sum(x * x), empty).gradient()["x"].shape == (0,)
    assert ts.trace(square, empty).path_gradients("x").shape == (2, 0)
    assert ts.compile(square).gradient(empty)["x"].shape == (0,)
    value = ts.Value(empty)
    (value * value).sum().backward()
    assert value.grad.shape == (0,)
    for estimator in ESTIMATORS:
        result = ts.minimize(square, empty, estimator=estimator, steps=3, rng=0)
        assert result.x.shape == result.value.shape == result.status.shape == (0,)
    with pytest.raises(ValueError, match="zero-size"):  # NumPy's own
        ts.trace(lambda x: x.max(), empty)


def test_zero_dimensional_arrays_are_numbers():
    for x in (np.array(2.0), np.float64(2.0), np.array(2)):
        assert ts.trace(square, x).gradient() == {"x": 4.0}
        assert ts.minimize(square, x, optimizer=ts.SGD(lr=0.25), steps=1).x == 1.0
        assert ts.compile(square).gradient(x) == {"x": 4.0}


@pytest.mark.parametrize(
    "start, says",
    [
        (1j, "real numbers"),
        (np.array([1j]), "real numbers"),
        (np.array([object()]), "not objects"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), "mask"),
        ("2", "not text"),
        (None, "not objects"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
    ],
)
def test_a_start_that_is_no_number_is_refused_everywhere(start, says):
    for call in (lambda: ts.minimize(square, start, steps=2), lambda: ts.trace(square, start), lambda: ts.Value(start)):
        with pytest.raises(BadInput, match=says):
            call()
    with pytest.raises(BadInput):
        ts.compile(square)(start)


def test_whole_numbers_and_truth_values_become_floats():
    for x in (2, True, np.int8(2), np.arange(3), np.array([True, False])):
        gradient = ts.trace(square, x).gradient()["x"]
        np.testing.assert_array_equal(gradient, 2.0 * np.asarray(x, float))
        assert np.asarray(gradient).dtype == np.float64
        np.testing.assert_array_equal(
            ts.minimize(square, x, optimizer=ts.SGD(lr=0.5), steps=1).x, np.zeros(np.shape(x))
        )


def test_shapes_that_do_not_fit():
    product = lambda x, y: x * y  # noqa: E731
    with pytest.raises(ValueError, match=r"\(3,\) \(4,\)"):
        ts.minimize(product, (np.ones(3), np.ones(4)), steps=2)
    with pytest.raises(BadInput, match=r"x: \(3,\), y: \(4,\)"):
        ts.compile(product).gradient(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match=r"mismatch|not aligned|different"):
        ts.trace(lambda a, b: np.sum(a @ b), np.ones((2, 3)), np.ones((2, 3)))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(10.0)[::2],
        np.arange(10.0)[::-2],
        np.broadcast_to(1.5, (5,)),
        np.arange(5.0).astype(">f8"),
        np.arange(10.0).reshape(5, 2)[:, 1],
    ],
    ids=["every second", "backwards", "one number", "big-endian", "a column"],
)
def test_arrays_of_any_layout(array):
    before, expected = array.copy(), 2 * array
    np.testing.assert_array_equal(ts.trace(lambda x: np.sum(x * x), array).gradient()["x"], expected)
    np.testing.assert_array_equal(ts.trace(square, array).gradient()["x"], expected)
    np.testing.assert_array_equal(ts.compile(square).gradient(array)["x"], expected)
    np.testing.assert_allclose(ts.minimize(square, array, optimizer=ts.SGD(lr=0.1), steps=1).x, 0.8 * array)
    np.testing.assert_array_equal(array, before)


def test_read_only_arrays_and_one_array_for_two_parameters():
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    np.testing.assert_allclose(ts.minimize(square, fixed, optimizer=ts.SGD(lr=0.1), steps=1).x, 0.8 * fixed)
    both = np.ones(3)
    x, y = ts.minimize(lambda x, y: x * x * y, (both, both), optimizer=ts.SGD(lr=0.1), steps=1).x
    np.testing.assert_allclose((x, y), [[0.8] * 3, [0.9] * 3])
    np.testing.assert_array_equal(both, 1.0)


# --- functions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_parameter_that_vanishes_on_the_way_and_comes_back(estimator):
    seen = []

    def f(x, y):
        away = 0.8 > float(getattr(x, "data", x)) > 0.2
        seen.append(away)
        return x * x if away else x * x + y * y * y + 0 * x

    result = ts.minimize(f, (1.0, 1.0), estimator=estimator, optimizer=ts.SGD(lr=0.01), steps=400, rng=0)
    assert True in seen and seen[-1] is False and result.status == "done"
    x, y = result.history.x["x"], result.history.x["y"]
    gone = (x < 0.8) & (x > 0.2)
    assert gone.sum() > 2 and np.all(np.diff(y)[gone[:-1]] == 0)  # no path leads to y, so it stands still
    assert y[-1] != y[gone][-1]  # and afterwards it moves again


def test_what_f_raises_comes_through_and_what_was_done_is_kept():
    calls, steps = [], []

    def f(x):
        calls.append(1)
        if len(calls) > 8:
            raise LookupError("the table ends here")
        return x * x

    with pytest.raises(LookupError, match="ends here"):
        ts.minimize(f, 1.0, steps=50, callback=lambda step, x, value: steps.append((step, x["x"])))
    assert len(steps) >= 6 and steps[0] == (0, 1.0)
    assert ts.trace(square, 3.0).gradient() == {"x": 6.0}


@pytest.mark.parametrize("number", range(1, 12))
def test_an_interruption_at_any_moment_of_a_run_keeps_the_run(number):
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == number + 3:  # twice it is compiled, and once traced to see whether it looks at its data
            raise KeyboardInterrupt
        return square(x) if float(getattr(x, "data", x)) > -9 else x

    try:
        result = ts.minimize(f, np.float64(1.0), optimizer=ts.SGD(lr=0.25), steps=20)
    except KeyboardInterrupt:
        assert number == 1  # before the first step there is nothing to keep
    else:
        steps = result.steps
        assert result.status == "interrupted" and result.x == 0.5**steps and result.value == result.x**2
        np.testing.assert_array_equal(result.history.values, 0.25 ** np.arange(steps + 1))


def test_an_interruption_in_the_middle_of_a_sweep_changes_no_parameter():
    now = []

    def vjp(out, x):
        def back(g):
            if now:
                raise KeyboardInterrupt
            return g

        return back

    fragile = ts.rule(lambda x: x * 1.0, vjp=vjp, domain=[])
    try:
        x, y = ts.Value(2.0), ts.Value(3.0)
        z = fragile(x * y) * y
        z.backward()
        assert (x.grad, y.grad) == (9.0, 12.0)
        now.append(True)
        with pytest.raises(KeyboardInterrupt):
            z.backward()
        assert (x.grad, y.grad) == (9.0, 12.0)
        now.clear()
        z.backward()
        assert (x.grad, y.grad) == (18.0, 24.0)
    finally:
        del RULES[fragile]


def test_threads_trace_minimise_and_compile_at_once():
    expected = {
        n: ts.minimize(ts.functions.f1, 5.0 + n / 10, estimator=ts.SPAD(k_max=3), steps=60, rng=n).x for n in range(6)
    }
    results, errors = {}, []

    def work(n):
        try:
            for _ in range(5):
                lcg = ts.trace(ts.functions.beale, 1.0 + n, 2.0)
                compiled = ts.compile(ts.functions.beale).gradient(1.0 + n, 2.0)
                np.testing.assert_allclose(list(lcg.gradient().values()), list(compiled.values()), rtol=1e-12)
                np.testing.assert_allclose(lcg.path_gradients("x").sum(), lcg.gradient()["x"], rtol=1e-12)
            results[n] = ts.minimize(ts.functions.f1, 5.0 + n / 10, estimator=ts.SPAD(k_max=3), steps=60, rng=n).x
        except BaseException as problem:
            errors.append(problem)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and results == expected


# --- copies -----------------------------------------------------------------------------------------------------------

LCG = ts.trace(ts.functions.f1, 5.0)
RUN = ts.minimize(ts.functions.f1, 5.0, estimator=ts.SPAD(k_max=3), steps=5, rng=0)
OBJECTS = {
    "program": ts.compile(ts.functions.f1),
    "result": RUN,
    "history": RUN.history,
    "problem": ts.functions.beale,
    "optimizer": ts.Adam(lr=0.1),
    "optimizer's state": ts.Adam(lr=0.1).init(np.ones(2)),
    "laboratory": laboratory(ts.functions.f1, 5.0, rng=0, draws=50),
    "table": success_rates("beale", {"GD": ts.GD()}, runs=5, steps=2, rng=0),
    "curve": variance_curve(ts.functions.f1, 5.0),
    "report": ts.check_gradients(ts.functions.f1, 5.0),
    "cost": ts.SPAD().cost(LCG),
    "draw": ts.SPAD(k_max=3).draw(LCG, "x", ts.SPAD(k_max=3).init(), np.random.default_rng(0)),
    "steps": LCG.reverse_steps(),
    "block": LCG.block("x2"),
    "leaf": ts.Value([1.0, 2.0]),
    **{f"estimator {e}": e for e in ESTIMATORS},
}
BOUND = {
    "LCG": LCG,
    "path": LCG.best_path("x"),
    "paths": LCG.paths("x"),
    "ledger": LCG.ledger("x"),
    "nonfinite": ts.trace(lambda x: np.sqrt(x), 0.0).trace_nonfinite(),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_public_objects_can_be_copied_and_sent(name):
    thing = OBJECTS[name]
    for twin in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert type(twin) is type(thing) and str(twin) == str(thing)


@pytest.mark.parametrize("name", BOUND)
def test_what_belongs_to_a_tape_can_be_copied_and_says_why_it_cannot_be_sent(name):
    thing = BOUND[name]
    for twin in (copy.copy(thing), copy.deepcopy(thing)):
        assert str(twin) == str(thing)
    with pytest.raises(BadInput, match=r"cannot be pickled.*Send the function and the point"):
        pickle.dumps(thing)


@pytest.mark.parametrize("kind", ts.errors.__all__)
def test_errors_can_be_sent_with_their_line(kind):
    error = getattr(ts.errors, kind)("what, where, what next")
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error) and str(twin) == str(error) and twin.where == error.where is not None
    assert isinstance(error, TinyspadError)


# --- the disk ---------------------------------------------------------------------------------------------------------


def fills_up(monkeypatch, after):
    """Let the disk be full when so many files have been forced out to it."""
    left = iter(range(after))

    def fsync(number):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_full_disk_leaves_the_old_history_in_place(tmp_path, monkeypatch):
    RUN.history.save(tmp_path / "run.npz")
    before = (tmp_path / "run.npz").read_bytes()
    fills_up(monkeypatch, 0)
    with pytest.raises(OSError, match="No space left"):
        ts.minimize(square, 1.0, steps=50).history.save(tmp_path / "run.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"] and (tmp_path / "run.npz").read_bytes() == before
    np.testing.assert_array_equal(History.load(tmp_path / "run.npz").values, RUN.history.values)


def test_a_full_disk_loses_no_block_that_was_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyspad.experiments.blocks.BLOCK", 5)
    few = {"runs": 20, "steps": 3, "rng": 0}
    expected = str(success_rates("beale", {"GD": ts.GD()}, **few))
    with monkeypatch.context() as full:
        fills_up(full, 3)  # the head of the file, and two blocks
        with pytest.raises(OSError, match="No space left"):
            success_rates("beale", {"GD": ts.GD()}, resume=tmp_path / "kept.jsonl", **few)
    done = []
    run = ts.experiments.blocks.run_block
    monkeypatch.setattr("tinyspad.experiments.blocks.run_block", lambda block: done.append(block.first) or run(block))
    assert str(success_rates("beale", {"GD": ts.GD()}, resume=tmp_path / "kept.jsonl", **few)) == expected
    assert done[0] >= 10  # the first two were kept


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_the_command_line_is_one_line():
    for argv in (["paths", "x*x", "x=3"], ["table", "1", "--runs", "2", "--steps", "2"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "tinyspad", *argv], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode != 0 and "Traceback" not in done.stderr and "No space left" in done.stderr, done.stderr


def test_figures_that_do_not_fit_on_the_disk(tmp_path):
    resource = pytest.importorskip("resource", reason="needs resource, to limit the size of files")

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        [sys.executable, "-m", "tinyspad", "paths", "x*x", "x=3", "--figure", str(tmp_path / "p.png")],
        preexec_fn=small,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr and "x <- Param_0" in done.stdout, done.stderr


def test_a_file_made_to_fill_the_memory_is_refused_by_what_it_tells(tmp_path):
    file = tmp_path / "bomb.npz"
    History(np.arange(10), np.zeros(10), {"x": np.zeros((10, 400_000))}).save(file)
    assert file.stat().st_size < 100_000
    with pytest.raises(BadInput, match=r"unpacked it has 32\d{6} bytes; at most 1000000"):
        History.load(file, limit=10**6)
    assert History.load(file).x["x"].shape == (10, 400_000)


def test_numbers_of_runs_past_all_patience_are_refused():
    for settings in ({"runs": 10**30, "steps": 2}, {"runs": 2, "steps": 10**30}):
        with pytest.raises(BadInput, match="at most 100000000"):
            success_rates("beale", {"GD": ts.GD()}, rng=0, **settings)
