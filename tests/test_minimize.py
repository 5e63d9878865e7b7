"""The loop: what it reaches, what it records, what it does with NaN, and that a batch is so many single runs."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput, NotScalar

f1, beale = ts.functions.f1, ts.functions.beale


def test_figure_3_at_the_papers_learning_rate():
    """The full gradient sticks at 5.475 (value 30.10), g_1 alone reaches 0, g_2 alone is trapped."""
    results = ts.compare(
        f1, 5.0, {"GD": ts.GD(), "g1": ts.FixedPath(0), "g2": ts.FixedPath(1), "RAD": ts.RAD()}, steps=2000, rng=0
    )
    assert (results["GD"].x, results["GD"].value) == (pytest.approx(5.475, abs=1e-3), pytest.approx(30.10, abs=5e-3))
    assert abs(results["g1"].x) < 1e-3
    assert results["g2"].x == pytest.approx(7 * np.pi / 4, abs=1e-3)  # where sin(4x) = 0
    assert results["RAD"].x == pytest.approx(5.475, abs=0.1)
    assert {r.status for r in results.values()} == {"done"}


@pytest.mark.parametrize("optimizer", [ts.SGD(lr=1e-3), ts.Momentum(lr=1e-3), ts.Adam()])
def test_gd_takes_the_steps_of_a_loop_with_an_independent_gradient(optimizer):
    slope = autograd.grad(
        lambda p: (
            (1.5 - p[0] + p[0] * p[1]) ** 2
            + (2.25 - p[0] + p[0] * p[1] ** 2) ** 2
            + (2.625 - p[0] + p[0] * p[1] ** 3) ** 2
        )
    )
    p = anp.array([1.0, 1.2])
    state = optimizer.init(p)
    for _ in range(60):
        step, state = optimizer.update(slope(p), state)
        p = p + step
    result = ts.minimize(beale, (1.0, 1.2), optimizer=optimizer, steps=60)
    np.testing.assert_allclose(result.x, p, rtol=1e-10)
    assert result.value == pytest.approx(beale(*p)) and result.steps == 60


@pytest.mark.parametrize("estimator", [ts.GD(), ts.FixedPath(2), ts.SPAD(k_max=7)], ids=repr)
def test_law_4_a_batch_is_so_many_single_runs(estimator):
    xs, ys = np.random.default_rng(0).uniform(-2, 2, (2, 6))
    batch = ts.minimize(beale, (xs, ys), estimator=estimator, steps=50)
    for r in range(6):
        single = ts.minimize(beale, (xs[r], ys[r]), estimator=estimator, steps=50)
        np.testing.assert_allclose([x[r] for x in batch.x], single.x, rtol=1e-9)
        assert batch.value[r] == pytest.approx(single.value, rel=1e-9)
        np.testing.assert_array_equal(batch.history.paths["x"][:, r], single.history.paths["x"])


def test_law_4_a_batch_with_random_paths_follows_the_paths_it_records():
    xs = np.linspace(1.0, 5.0, 5)
    batch = ts.minimize(f1, xs, estimator=ts.RAD(hold=3), optimizer=ts.SGD(lr=0.01), steps=30, rng=1)
    x, paths = xs.copy(), batch.history.paths["x"]
    for t in range(30):
        terms = np.array([2 * x * (2 + np.cos(4 * x)), -4 * x**2 * np.sin(4 * x)])
        x = x - 0.01 * terms[paths[t], np.arange(5)]
    np.testing.assert_allclose(batch.x, x, rtol=1e-10)
    assert len(np.unique(paths[:30:3])) == 2 and np.all(paths[0] == paths[2])


@pytest.mark.parametrize("dtype", [int, np.float32, float])
def test_a_batch_of_whole_or_single_precision_starts_is_so_many_single_runs(dtype):
    xs, ys = np.array([1, 2, -1], dtype), np.array([1, 0, 1], dtype)
    batch = ts.minimize(beale, (xs, ys), optimizer=ts.Adam(lr=0.05), steps=20)
    for r in range(3):
        single = ts.minimize(beale, (float(xs[r]), float(ys[r])), optimizer=ts.Adam(lr=0.05), steps=20)
        np.testing.assert_allclose([x[r] for x in batch.x], single.x, rtol=1e-3 if dtype is np.float32 else 1e-9)


@pytest.mark.parametrize("shape", [(2, 3), (0,), (1,)])
@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(), ts.SPAD(m=2, epsilon=0.2), ts.Magnitude()], ids=repr)
def test_batches_of_every_shape(shape, estimator):
    xs, ys = np.random.default_rng(0).uniform(-1, 1, (2, *shape))
    runs = [
        ts.minimize(beale, (xs, ys), estimator=estimator, steps=9, rng=1, callback=callback)
        for callback in (None, lambda *_: None)  # a program, and traces
    ]
    for a, b in zip((*runs[0].x, runs[0].value), (*runs[1].x, runs[1].value)):
        assert a.shape == shape
        np.testing.assert_allclose(a, b, rtol=1e-9)
    assert np.all(runs[0].steps == (9 if np.prod(shape) else 0)) and runs[0].status.shape == shape


def test_the_generator_decides_everything():
    runs = [
        ts.minimize(f1, 5.0, estimator=ts.RAD(), steps=50, rng=seed).x for seed in (0, 0, 1, np.random.default_rng(0))
    ]
    assert runs[0] == runs[1] == runs[3] != runs[2]
    assert ts.minimize(f1, 5.0, estimator=ts.RAD(), steps=50).status == "done"


def test_compare_rows_do_not_depend_on_each_other():
    both = ts.compare(f1, 5.0, {"RAD": ts.RAD(), "held": ts.RAD(hold=5)}, steps=40, rng=3)
    alone = ts.compare(f1, 5.0, {"held": ts.RAD(hold=5)}, steps=40, rng=3)
    assert both["held"].x == alone["held"].x == ts.minimize(f1, 5.0, estimator=ts.RAD(hold=5), steps=40, rng=3).x
    assert list(both) == ["RAD", "held"]
    generator = ts.compare(f1, 5.0, {"a": ts.RAD(), "b": ts.RAD()}, steps=40, rng=np.random.default_rng(3))
    assert generator["a"].x == generator["b"].x


def test_vector_parameters_and_linear_maps():
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(40, 3)), np.array([1.0, -2.0, 0.5])
    y = x @ truth

    def loss(w):
        return np.mean((x @ w - y) ** 2)

    result = ts.minimize(loss, np.zeros(3), optimizer=ts.Adam(lr=0.05), steps=800)
    np.testing.assert_allclose(result.x, truth, atol=1e-4)
    held = ts.minimize(lambda w: loss(w) + 0.01 * np.sum(w * w), np.zeros(3), estimator=ts.RAD(hold=5), steps=50, rng=0)
    assert held.status == "done" and held.history.x["w"].shape == (51, 3)


# --- endings -------------------------------------------------------------------------------------------------------------


def test_a_run_that_meets_nan_stops_and_the_others_go_on():
    xs = np.array([1.0, -1.0, 2.0])
    result = ts.minimize(lambda x: np.log(x) * x, xs, optimizer=ts.SGD(lr=0.1), steps=30)
    assert list(result.status) == ["done", "non-finite", "done"]
    assert list(result.steps) == [30, 0, 30] and result.x[1] == -1.0 and np.isnan(result.value[1])
    alone = ts.minimize(lambda x: np.log(x) * x, xs[[0, 2]], optimizer=ts.SGD(lr=0.1), steps=30)
    np.testing.assert_array_equal(result.x[[0, 2]], alone.x)
    assert "1 non-finite" in str(result) and "2 done" in str(result)


@pytest.mark.parametrize("x0", [1.0, np.ones(2)], ids=["single", "batch"])
def test_divergence_is_marked_with_the_last_position(x0):
    result = ts.minimize(lambda x: x**4, x0, optimizer=ts.SGD(lr=10.0), steps=100)
    assert np.all(np.asarray(result.status) == "non-finite")
    assert np.all(np.isfinite(result.x)) and np.all(np.asarray(result.steps) < 100)
    assert np.all(np.isfinite(result.history.x["x"]))


def test_an_infinite_slope_stops_the_run_where_it_is():
    result = ts.minimize(lambda x: np.sqrt(np.abs(x)) + x, 0.0, steps=5)
    assert result.status == "non-finite" and result.x == 0.0 and result.steps == 0


def test_a_callback_sees_every_step_and_can_stop():
    seen = []

    def callback(step, x, value):
        seen.append((step, x["x"], value))
        return value < 0.5

    result = ts.minimize(lambda x: x * x, 1.0, optimizer=ts.SGD(lr=0.1), steps=100, callback=callback)
    assert result.status == "stopped" and result.steps == len(seen) - 1 == seen[-1][0]
    assert seen[-1][1:] == (result.x, result.value) and result.value < 0.5 <= seen[-2][2]


def test_ctrl_c_keeps_what_was_done():
    def interrupt(step, x, value):
        if step == 7:
            raise KeyboardInterrupt

    result = ts.minimize(f1, 5.0, steps=100, callback=interrupt)
    assert result.status == "interrupted" and result.steps == 7 and len(result.history) == 8
    assert result.value == f1(result.x)


def test_ctrl_c_inside_f_keeps_what_belongs_together():
    calls = []

    def f(x):
        if x > 0:  # a branch, so that f itself runs at every step
            calls.append(x)
        if len(calls) == 6:  # the first time to see whether it looks at its data
            raise KeyboardInterrupt
        return x * x

    result = ts.minimize(f, 1.0, optimizer=ts.SGD(lr=0.25), steps=100)
    assert (result.status, result.steps, result.x, result.value) == ("interrupted", 3, 0.125, 0.015625)
    np.testing.assert_array_equal(result.history.x["x"], [1.0, 0.5, 0.25, 0.125])
    assert list(result.history.steps) == [0, 1, 2, 3]


def test_a_callback_cannot_disturb_the_run():
    def spoil(step, x, value):
        x["x"][...] = 50.0

    quiet, spoiled = (ts.minimize(f1, np.ones(2), steps=5, callback=c) for c in (None, spoil))
    np.testing.assert_array_equal(quiet.x, spoiled.x)


def test_an_exception_in_f_passes_through():
    def f(x):
        if x < 0.9:
            raise RuntimeError("inside f")
        return x * x

    with pytest.raises(RuntimeError, match="inside f"):
        ts.minimize(f, 1.0, steps=100)


def test_data_dependent_control_flow_is_traced_anew():
    def f(x):
        return x * x * x * x if abs(x) > 1 else x * x

    assert abs(ts.minimize(f, 2.0, estimator=ts.RAD(hold=10), optimizer=ts.Adam(lr=0.05), steps=400, rng=0).x) < 0.05


def test_zero_steps_evaluate_once():
    result = ts.minimize(f1, 5.0, steps=0)
    assert (result.x, result.value, result.status, result.steps, len(result.history)) == (5.0, f1(5.0), "done", 0, 1)
    assert ts.minimize(f1, np.zeros(0), steps=3).value.shape == (0,)


def test_the_start_is_copied():
    xs = np.ones(3)
    ts.minimize(f1, xs, steps=3)
    np.testing.assert_array_equal(xs, 1.0)


def test_progress_does_not_change_the_run(capsys):
    assert ts.minimize(f1, 5.0, steps=5, progress=True).x == ts.minimize(f1, 5.0, steps=5).x


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ts.minimize(f1, 5.0, steps=-1), BadInput, "steps= is a whole number"),
        (lambda: ts.minimize(f1, 5.0, steps=2.5), BadInput, "steps="),
        (lambda: ts.minimize(f1, 5.0, every=0), BadInput, "every="),
        (lambda: ts.minimize(f1, 5.0, estimator=ts.RAD), BadInput, r"write RAD\(\)"),
        (
            lambda: ts.minimize(f1, 5.0, estimator="RAD"),
            BadInput,
            r"estimator= is a value with init and draw.*write RAD\(\)",
        ),
        (
            lambda: ts.minimize(f1, 5.0, optimizer=0.1),
            BadInput,
            r"optimizer= is a value with init and update.*Adam\(lr",
        ),
        (lambda: ts.minimize(f1, "five"), BadInput, "real numbers"),
        (lambda: ts.minimize(f1, None), BadInput, "real numbers"),
        (lambda: ts.minimize(beale, 5.0), BadInput, "takes 2 arguments"),
        (lambda: ts.minimize(lambda x, y: x * x, (np.ones(3), 2.0)), BadInput, '"y" has shape .*3,. runs'),
        (lambda: ts.minimize(lambda x: np.cumsum(x), np.ones(3)), NotScalar, "independent runs"),
        (lambda: ts.minimize(f1, 5.0, estimator=ts.FixedPath(2), steps=3), BadInput, "no path 2"),
        (lambda: ts.compare(f1, 5.0, [ts.GD()]), BadInput, "dict of names"),
        (lambda: ts.compare(f1, 5.0, {}), BadInput, "dict of names"),
    ],
)
def test_arguments_without_meaning_are_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()


# --- rates that plain NumPy loops, written apart from this project, found with 1000 starts: within five standard errors ---


@pytest.mark.parametrize(
    ("name", "box", "estimator", "rate"),
    [
        ("beale", 4.5, ts.GD(), 0.238),
        ("ackley", 2.0, ts.GD(), 0.132),
        ("ackley", 5.0, ts.SPAD(k_max=50), 0.32),
        ("ackley", 5.0, ts.SPAD(m=2, k_max=50, replace=True), 0.87),
        ("ackley", 5.0, ts.RAD(hold=50), 0.99),
    ],
)
def test_success_rates_agree_with_plain_loops(name, box, estimator, rate):
    f, runs = ts.functions.ALL[name], 300
    xs = np.random.default_rng(0).uniform(-box, box, (2, runs))
    result = ts.minimize(f, tuple(xs), estimator=estimator, steps=2000, rng=0, every=None)
    assert abs(np.mean(result.value - f.minimum < 0.05) - rate) < 5 * np.sqrt(rate * (1 - rate) / runs)
