"""What a minimisation arrived at: the best that is known, SciPy's names, files, and how it shows itself."""

import csv
from collections import namedtuple

import numpy as np
import pytest
from test_displays import check
from test_history import assert_same

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.optimize import History

beale, f1 = ts.functions.beale, ts.functions.f1
Pair = namedtuple("Pair", "first second")


def stopping_at(last):
    return lambda step, x, value: step == last


def one(**options):
    return ts.minimize(beale, (1.0, 2.0), **{"steps": 20, "rng": 0, **options})


def many(f=beale, **options):
    starts = tuple(np.random.default_rng(0).uniform(-2, 2, (2, 1000)))
    return ts.minimize(f, starts, **{"steps": 20, "rng": 0, **options})


def of_arrays(**options):
    return ts.minimize(lambda w: np.sum((w - 1) * (w - 1)), np.zeros((2, 3)), **{"steps": 20, "rng": 0, **options})


def of_a_container(**options):
    p = {"<w>": np.zeros(3), "layers": [np.ones(1), (2.0, np.ones(2))], "pair": Pair(1.0, np.ones(2))}

    def f(p, λ):
        w, layers = p["<w>"], p["layers"]
        others = layers[0][0] * layers[1][0] ** 2 + np.sum(layers[1][1] ** 2) + np.sum(p["pair"].second ** 2)
        return np.sum((w - λ) ** 2) + others

    return ts.minimize(f, (p, 2.0), **{"steps": 20, "rng": 0, **options})


def of_several_arrays(**options):
    return ts.minimize(lambda w: np.sum(w * w), np.ones((5, 3)) * np.arange(5)[:, None], runs=True, steps=20, **options)


RESULTS = {
    "one": one,
    "many": many,
    "arrays": of_arrays,
    "container": of_a_container,
    "several arrays": of_several_arrays,
    "stopped": lambda **options: one(callback=stopping_at(7), **options),
    "not finite": lambda **options: ts.minimize(
        lambda x: np.log(x), 1e-3, optimizer=ts.SGD(lr=1e-5), steps=20, **options
    ),
    "nowhere finite": lambda **options: ts.minimize(lambda x: x / 0.0, np.ones(3), steps=3, **options),
    "no steps": lambda **options: one(**{**options, "steps": 0}),
    "no runs": lambda **options: ts.minimize(lambda x: x**2, np.zeros(0), steps=3, **options),
    "one number": lambda **options: ts.minimize(lambda x: x**2, np.float64(3.0), steps=3, **options),
    "many parameters": lambda **options: ts.minimize(
        lambda *p: sum(x * x for x in p), (1.0,) * 200, steps=3, **options
    ),
}


@pytest.fixture(params=RESULTS)
def made(request):
    return RESULTS[request.param]


# --- the best that is known ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", ["auto", 3])
def test_the_best_is_the_least_finite_value_that_was_recorded(made, every):
    result = made(every=every)
    values = result.history.values
    finite = values[np.isfinite(values)]
    if not finite.size:
        assert np.isnan(result.best_value) and result.best_x is None
        return
    assert result.best_value == finite.min()
    if np.shape(result.value):
        runs = np.argwhere(values == result.best_value)[:, 1]
        best = result.best_x if isinstance(result.x, tuple) else (result.best_x,)
        ends = result.x if isinstance(result.x, tuple) else (result.x,)
        assert len(best) == len(ends) and [np.shape(x) for x in best] == [np.shape(x)[1:] for x in ends]
        rows = [np.stack([x[:, run] for run in runs]) for x in result.history.x.values()]
        assert all(np.any(np.all(row == x, axis=tuple(range(2, row.ndim)))) for row, x in zip(rows, best))


def test_the_best_position_is_one_where_f_is_that():
    result = one(every=2)
    assert beale(*result.best_x) == pytest.approx(result.best_value, rel=1e-12)
    result = many()
    assert beale(*result.best_x) == pytest.approx(result.best_value, rel=1e-12)
    assert all(type(x) is float for x in result.best_x)
    result = of_arrays(optimizer=ts.Adam(lr=0.7), steps=4)
    assert result.best_value < result.value and result.best_x.shape == (2, 3)
    assert np.sum((result.best_x - 1) ** 2) == pytest.approx(result.best_value)


def test_without_a_history_the_ends_are_what_is_known():
    result = many(every=None)
    run = np.argmin(result.value)
    assert result.best_value == result.value[run] and result.best_x == (result.x[0][run], result.x[1][run])
    assert one(every=None).best_x == one().x and one(every=None).best_value == one().value


def test_a_best_position_has_the_form_of_the_start():
    best = of_a_container().best_x
    assert isinstance(best, tuple) and best[0].keys() == {"<w>", "layers", "pair"} and isinstance(best[0]["pair"], Pair)
    assert (
        isinstance(best[0]["layers"], list) and isinstance(best[0]["layers"][1], tuple) and best[0]["<w>"].shape == (3,)
    )


def test_runs_that_are_not_finite_are_not_the_best():
    found = many(logarithm)
    assert found.best_value == found.history.values[np.isfinite(found.history.values)].min() > -1e9


def logarithm(x, y):
    with np.errstate(all="ignore"):
        return np.log(x) + y * y


def test_a_best_that_is_changed_changes_no_history():
    result = of_arrays()
    result.best_x[...] = 7
    assert not np.any(result.history.x["w"] == 7)


# --- SciPy's names ------------------------------------------------------------------------------------------------------


def test_scipys_names_say_the_same(made):
    result = made()
    assert result.fun is result.value and result.nit is result.steps
    assert np.shape(result.success) == np.shape(result.status) == np.shape(result.value)


def test_one_run_succeeds_if_it_took_all_its_steps_and_is_finite():
    assert one().success is True and one().message == "The run took all steps, 20."
    stopped = RESULTS["stopped"]()
    assert stopped.success is False and stopped.message == "The run ended after 7 steps, by the callback."
    lost = RESULTS["not finite"]()
    assert lost.success is False and lost.status == "non-finite"
    assert lost.message == "The run met NaN or infinity after 1 step, and stayed there."


def test_of_many_runs_each_succeeds_or_not():
    found = many(logarithm)
    lost = int(np.sum(found.status == "non-finite"))
    assert 0 < lost < 1000 and np.array_equal(found.success, found.status == "done")
    assert found.message.startswith(
        f"Of 1 000 runs {1000 - lost} took all steps, 20; {lost} met NaN or infinity after 0"
    )
    assert many().message == "All of 1 000 runs took all steps, 20."


# --- files --------------------------------------------------------------------------------------------------------------


def equal(a, b):
    """Alike in type and form, and equal in all numbers."""
    if isinstance(a, (tuple, list)):
        return (
            len(a) == len(b)
            and isinstance(b, type(a) if not hasattr(a, "_fields") else tuple)
            and all(map(equal, a, b))
        )
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return np.array_equal(a, b, equal_nan=isinstance(a, float)) and np.ndim(b) == 0


@pytest.mark.parametrize("every", ["auto", None])
def test_a_result_is_read_back_whole(made, every, tmp_path):
    result = made(every=every)
    result.save(tmp_path / "a result")
    found = ts.Result.load(tmp_path / "a result")
    assert [p.name for p in tmp_path.iterdir()] == ["a result"]
    for name in ("x", "value", "status", "steps", "single_paths", "trig"):
        assert equal(getattr(result, name), getattr(found, name)), name
    assert type(found.steps) is type(result.steps) and type(found.status) is type(result.status)
    assert (found.history is None) == (result.history is None)
    if result.history is not None:
        assert_same(found.history, result.history)
    assert repr(found) == repr(result) and str(found) == str(result) and found.message == result.message


def test_a_file_of_something_else_is_refused(tmp_path):
    one().history.save(tmp_path / "history")
    one().save(tmp_path / "result")
    with pytest.raises(BadInput, match="is not a tinyspad result"):
        ts.Result.load(tmp_path / "history")
    with pytest.raises(BadInput, match="is not a tinyspad history"):
        History.load(tmp_path / "result")
    whole = (tmp_path / "result").read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "result").write_bytes(whole[:cut])
        with pytest.raises(BadInput, match="is not a tinyspad result"):
            ts.Result.load(tmp_path / "result")
    with pytest.raises(FileNotFoundError):
        ts.Result.load(tmp_path / "nothing")
    with pytest.raises(OSError, match="folder"):
        one().save(tmp_path / "no folder" / "result")


def test_keys_that_a_file_cannot_hold_are_refused(tmp_path):
    result = ts.minimize(lambda p: p[1, 2] ** 2, {(1, 2): 3.0}, steps=2)
    with pytest.raises(BadInput, match=r"\(1, 2\).*rename it"):
        result.save(tmp_path / "result")
    assert not list(tmp_path.iterdir())


def test_a_history_as_comma_separated_values(made, tmp_path):
    history = made(every=3).history
    history.to_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    batch = history.values.ndim > 1
    assert len(rows) == history.values.size and head[: 2 + batch] == ["step", *["run"] * batch, "value"]
    assert len(set(head)) == len(head) and {len(row) for row in rows} <= {len(head)}
    assert [float(row[1 + batch]) for row in rows] == pytest.approx(
        history.values.ravel().tolist(), rel=0, abs=0, nan_ok=True
    )
    assert [int(row[0]) for row in rows] == np.repeat(history.steps, history.values[:1].size).tolist()
    columns = dict(zip(head, zip(*rows))) if rows else dict.fromkeys(head, ())

    def of(name):
        """All columns of a parameter, or of its paths."""
        return [columns[c] for c in head if c == name or c.startswith(f"{name}[")]

    for name, array in history.x.items():
        np.testing.assert_array_equal(np.float64(of(name)).T.ravel(), array.ravel())
    for name, array in history.paths.items():
        np.testing.assert_array_equal(np.int64(of(f"path of {name}")).T.ravel(), array.ravel())


def test_numbers_of_arrays_have_columns_of_their_own(tmp_path):
    of_arrays(estimator=ts.RAD()).history.to_csv(tmp_path / "history.csv")
    head = (tmp_path / "history.csv").read_text().splitlines()[0]
    assert head.startswith('step,value,"w[0, 0]","w[0, 1]"') and head.endswith('"path of w[1, 2]"')


# --- how it shows itself ------------------------------------------------------------------------------------------------


def test_a_result_in_short(made):
    told = check(made())
    assert "the best" in told and (made().message.split(";")[0] in told)


def test_a_result_says_what_one_would_say():
    assert repr(one(steps=0)) == "<Result: f = 126.453 at x = (1, 2), done after 0 steps>"
    assert repr(RESULTS["nowhere finite"]()) == "<Result of 3 runs: no finite value; 3 non-finite>"


def test_several_results_are_a_dict_that_shows_itself_as_a_table():
    two = {"GD": ts.GD(), "<b>": ts.RAD()}
    results = ts.compare(beale, (1.0, 2.0), two, steps=20, rng=0)
    assert isinstance(results, dict) and list(results) == ["GD", "<b>"] and len(results) == 2
    assert results == dict(results) and results["GD"] is dict(results.items())["GD"] and {**results} == results
    told = check(results).split(" | ")
    assert told[:5] == ["estimator", "best f", "at x", "f at the end", "status"] and told[5] == "GD" and "<b>" in told
    assert str(results) == str(results.table()) and len(str(results).splitlines()) == 3
    runs = ts.compare(beale, tuple(np.ones((2, 1000))), {"λ" * 50: ts.RAD(), **two}, steps=3, rng=0)
    told = check(runs).split(" | ")
    assert "median f at the end" in told and "1 000 done" in told
    assert ts.compare(f1, 5.0, {str(i): ts.GD() for i in range(100)}, steps=1) and len(check(runs)) < 2000


def test_an_estimator_without_a_choice_is_told_in_the_table():
    told = check(ts.compare(lambda x: x**2, 5.0, {"GD": ts.GD(), "RAD": ts.RAD()}, steps=2, rng=0))
    assert told.endswith("or sum over data inside f.") and "RAD: Every parameter has a single path here" in told


def test_one_step_is_one_step():
    lone = one(steps=1)
    assert repr(lone).endswith(" done after 1 step>") or " done after 1 step;" in repr(lone)
    assert str(lone).startswith("done after 1 step: ") and lone.message == "The run took the one step."
    batch = ts.minimize(lambda x: x * x, np.ones(1), steps=1)
    assert batch.message == "The run took the one step."
