"""Along a branch that is not taken nothing flows: no NaN from it, whoever asks; and no zero hidden where none was chosen."""

import math

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import nn
from tinyspad.lcg.collapse import collapsed
from tinyspad.rules import RULES, Masked

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
INF = np.inf

# What people report to every engine: a function, a point, and what its derivative is there by a branch in Python.
REPORTS = {
    "sqrt behind where": (lambda x: np.where(x >= 0, x, np.sqrt(-x)), 1.0, 1.0),
    "x log x at 0": (lambda x: np.where(x > 0, x * np.log(x), 0.0), 0.0, 0.0),
    "exp that overflows": (lambda x: np.where(x <= 10, np.exp(x), 1.0), np.array([1.0, 1e10]), np.array([math.e, 0.0])),
    "sin(x) / x at 0": (lambda x: np.where(x != 0, np.sin(x) / x, 1.0), 0.0, 0.0),
    "log1p(x) / x": (lambda x: np.where(np.abs(x) > 1e-8, np.log1p(x) / x, 1.0), 0.0, 0.0),
    "a norm at the origin": (
        lambda x: np.where(np.sum(x**2) > 0, np.sqrt(np.sum(x**2)), 0.0),
        np.zeros(2),
        np.zeros(2),
    ),
    "log of what is clipped": (lambda x: np.log(np.clip(x, 1e-3, 1.0)), np.array([-1.0, 0.5]), np.array([0.0, 2.0])),
    "a root of max(x, 0)": (lambda x: np.sqrt(np.maximum(x, 0.0)), np.array([-1.0, 4.0]), np.array([0.0, 0.25])),
    "a root of min(x, 0)": (lambda x: np.sqrt(-np.minimum(x, 0.0)), np.array([1.0, -4.0]), np.array([0.0, -0.25])),
    "a root of relu": (lambda x: np.sqrt(ts.relu(x)), np.array([-1.0, 4.0]), np.array([0.0, 0.25])),
    "division by 0": (lambda x: np.where(x == 0, 0.0, 1 / x), np.array([0.0, 2.0]), np.array([0.0, -0.25])),
    "arccos at its edge": (lambda x: np.where(x < 1, np.arccos(x), 0.0), np.array([1.0, 0.0]), np.array([0.0, -1.0])),
    "a power": (lambda x: np.where(x > 0, x**0.3, 0.0), np.array([0.0, 1.0]), np.array([0.0, 0.3])),
    "arctan2 at the origin": (lambda x: np.where(x > 0, np.arctan2(x, x), x), 0.0, 1.0),
    "a mask that multiplies": (lambda x: (x > 0) * np.sqrt(x), np.array([0.0, 4.0]), np.array([0.0, 0.25])),
    "a mask that indexes": (lambda x: np.sqrt(x)[np.array([False, True])], np.array([0.0, 4.0]), np.array([0.0, 0.25])),
    "an index": (lambda x: np.sqrt(x)[0], np.array([1.0, 0.0]), np.array([0.5, 0.0])),
    "take": (lambda x: np.take(np.sqrt(x), [1, 1]), np.array([0.0, 4.0]), np.array([0.0, 0.5])),
    "a triangle": (
        lambda x: np.tril(np.sqrt(x)),
        np.array([[4.0, 0.0], [4.0, 1.0]]),
        np.array([[0.25, 0], [0.25, 0.5]]),
    ),
    "a trace": (lambda x: np.trace(np.sqrt(x)), np.array([[4.0, 0.0], [0.0, 1.0]]), np.array([[0.25, 0], [0, 0.5]])),
    "a diagonal": (
        lambda x: np.einsum("ii->i", np.sqrt(x)),
        np.array([[4.0, 0.0], [0.0, 1.0]]),
        np.array([[0.25, 0], [0, 0.5]]),
    ),
    "the largest": (lambda x: np.max(np.sqrt(x)), np.array([0.0, 4.0]), np.array([0.0, 0.25])),
    "one of two products": (
        lambda x: np.where([True, False], x, np.sqrt(x) @ np.array([[INF, 1.0], [1.0, 1.0]])),
        np.array([1.0, 4.0]),
        np.array([1.5, 0.25]),
    ),
    "softmax with a mask": (
        lambda x: np.log(np.sum(np.exp(np.where([True, True, False], x, -INF)))),
        np.array([0.0, 0.0, INF]),
        np.array([0.5, 0.5, 0.0]),
    ),
    "choices in a choice": (
        lambda x: np.where(x > 0, np.where(x > 1, np.log(x - 1), np.sqrt(1 - x)), np.exp(-x)),
        np.array([0.75, 2.0, -1.0]),
        np.array([-1.0, 1.0, -math.e]),
    ),
    "a number taken in one place": (lambda x: np.sqrt(np.where(np.array([True, False]), x, 0.0)), 4.0, 0.25),
    "a row taken in one place": (
        lambda x: np.sqrt(np.where(np.array([[True], [False]]), x, 0.0)),
        np.array([4.0, 1.0]),
        np.array([0.25, 0.5]),
    ),
    "the smaller of a number and a row": (lambda x: np.sqrt(5.0 - np.minimum(x, np.array([0.0, 5.0]))), 4.0, -0.5),
    "a mask of a row that multiplies a number": (lambda x: np.sqrt(np.array([True, False]) * x), 4.0, 0.25),
    "repeated not at all": (lambda x: np.repeat(np.sqrt(x), [0, 2]), np.array([0.0, 4.0]), np.array([0.0, 0.5])),
    "dropout": (
        lambda x: nn.dropout(np.sqrt(x), np.array([False, True]), rate=0.5),
        np.array([0.0, 4.0]),
        np.array([0.0, 0.5]),
    ),
    "a product of two, one with infinity": (
        lambda x: np.where([True, False], x @ np.array([[INF, INF], [1.0, 1.0]]), 0.0)[0] + 0.0 * x[0],
        np.ones(2),
        np.array([INF, 1.0]),
    ),
    "a row of a sum": (
        lambda x: np.einsum("i,ij->i", np.sqrt(x), np.ones((2, 2)))[0],
        np.array([4.0, 0.0]),
        np.array([0.5, 0.0]),
    ),
    "a column of a solution": (
        lambda x: np.linalg.solve(np.eye(2), np.sqrt(x))[:, 0],
        np.array([[4.0, 0.0], [1.0, 0.0]]),
        np.array([[0.25, 0.0], [0.5, 0.0]]),
    ),
    "one determinant of two": (
        lambda x: np.linalg.det(np.sqrt(x))[0],
        np.array([[[4.0, 1.0], [0.25, 1.0]], [[4.0, 0.0], [1.0, 1.0]]]),
        np.array([[[0.25, -0.25], [-1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]),
    ),
    "a tensordot of integer axes": (
        lambda x: np.tensordot(np.sqrt(x), np.eye(2), 1)[0],
        np.array([[4.0, 1.0], [0.0, 0.0]]),
        np.array([[0.25, 0.5], [0.0, 0.0]]),
    ),
    "moved between a choice and a slope": (
        lambda x: np.sqrt(np.reshape(np.maximum(x, 0.0), (2, 1)))[:, 0] @ np.ones(2),
        np.array([-1.0, 4.0]),
        np.array([0.0, 0.25]),
    ),
    "a step": (lambda x: np.floor(np.sqrt(x)) + x, 0.0, 1.0),
}


def total(f):
    return lambda x: np.sum(f(x))


@pytest.mark.parametrize(("f", "x", "slope"), REPORTS.values(), ids=REPORTS)
def test_the_commonest_reports(f, x, slope):
    close = {"rtol": 1e-14, "atol": 1e-15}
    leaf = ts.Value(x)
    total(f)(leaf).backward()
    np.testing.assert_allclose(leaf.grad, slope, **close)
    np.testing.assert_allclose(ts.grad(total(f))(x), slope, **close)
    lcg = ts.trace(total(f), x)
    np.testing.assert_allclose(lcg.gradient()["x"], slope, **close)
    np.testing.assert_allclose(np.sum(lcg.path_gradients("x"), axis=0), slope, **close)
    v = np.array([0.5, -2.0, 3.0, 1.0] * 2)[: np.size(x)].reshape(np.shape(x))[()]
    np.testing.assert_allclose(lcg.jvp(v), np.sum(v * slope), **close)
    np.testing.assert_allclose(sum((path.gradient for path in lcg.paths("x")), 0.0), slope, **close)


@pytest.mark.parametrize(("f", "x", "slope"), REPORTS.values(), ids=REPORTS)
def test_numbers_of_arrays(f, x, slope):
    e = ts.trace(total(f), x, elements=True)
    np.testing.assert_allclose(e.gradient()["x"], slope, rtol=1e-14, atol=1e-15)
    for place in np.ndindex(np.shape(x)):
        name = "x" + (f"[{', '.join(map(str, place))}]" if place else "")
        listed = e.path_gradients(name)
        assert len(listed) == e.count_paths(name)
        np.testing.assert_allclose(np.sum(listed), np.asarray(slope)[place], rtol=1e-14, atol=1e-15)
        drawn = e.sample_paths(name, 50, rng=0).gradient if len(listed) else np.zeros(0)
        assert not np.any(np.isnan(drawn)) and set(drawn) <= set(listed)


PLACES = {
    name
    for name in REPORTS
    if name.startswith(("a product", "a row of", "a column", "one det", "a tensordot", "moved"))
}
PLACES |= {"a number taken in one place", "a row taken in one place", "the smaller of a number and a row"}
OF_ARRAYS = (
    PLACES
    | {"a mask of a row that multiplies a number", "repeated not at all", "dropout"}
    | {
        "a norm at the origin",
        "a mask that indexes",
        "an index",
        "take",
        "a triangle",
        "a trace",
        "a diagonal",
        "the largest",
    }
)
BATCHED = [name for name in REPORTS if name not in OF_ARRAYS | {"one of two products", "softmax with a mask"}]


@pytest.mark.parametrize("name", BATCHED)
def test_runs_and_programs(name):
    f, x, slope = REPORTS[name]
    xs, slopes = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(slope)
    runs = ts.trace(f, xs)
    close = {"rtol": 1e-14, "atol": 1e-15}
    np.testing.assert_allclose(runs.gradient()["x"], slopes, **close)
    np.testing.assert_allclose(np.sum(runs.path_gradients("x"), axis=0), slopes, **close)
    np.testing.assert_allclose(runs.jvp(np.ones(len(xs))), slopes, **close)
    for one, its in zip(xs, slopes):
        lcg = ts.trace(f, float(one))
        assert lcg.gradient()["x"] == pytest.approx(its, abs=1e-15)
    program = ts.compile(f)
    np.testing.assert_allclose(program.gradient(xs)["x"], slopes, **close)
    np.testing.assert_allclose([program.gradient(float(one))["x"] for one in xs], slopes, **close)
    np.testing.assert_allclose(np.sum(program.path_gradients("x", xs), axis=0), slopes, **close)
    at = program.at(xs)
    np.testing.assert_allclose(np.sum([path.gradient for path in at.paths("x")], axis=0).reshape(-1), slopes, **close)


# --- every question, against the same function with a branch in Python ---------------------------------------------------


def chosen(x, y):
    a = np.sqrt(x) * y
    return np.where(y > 0, a * a * np.log(x) + x * y, x * y * y)


def branch(x, y):
    return x * y * y


POINT = (0.0, -2.0)  # where the side that is not taken has sqrt'(0), log(0) and their infinities


def test_sums_over_paths_leave_out_what_is_not_taken():
    lcg, plain = ts.trace(chosen, *POINT), ts.trace(branch, *POINT)
    for name in "xy":
        assert lcg.gradient()[name] == plain.gradient()[name]
        listed, taken = lcg.path_gradients(name), plain.path_gradients(name)
        assert sorted(listed[np.abs(listed) > 0]) == sorted(taken[np.abs(taken) > 0]) and len(listed) > len(taken)
        assert lcg.sweep("magnitude")[name] == plain.sweep("magnitude")[name]
        assert lcg.sweep("gradient", "forward")[name] == plain.gradient()[name]
        assert lcg.sweep("squares")[name] == plain.sweep("squares")[name]
        assert lcg.sweep("largest")[name] == plain.sweep("largest")[name]
        assert lcg.log_mass(name) == pytest.approx(plain.log_mass(name), abs=1e-15)
        assert lcg.entropy(name) == pytest.approx(plain.entropy(name), abs=1e-15)
        if plain.gradient()[name]:
            assert lcg.best_path(name).gradient == plain.best_path(name).gradient
            top = len(taken)
            assert [p.gradient for p in lcg.top_paths(name, top)] == [p.gradient for p in plain.top_paths(name, top)]
        ledger = lcg.ledger(name)
        assert "nan" not in str(ledger) and np.all(np.isfinite(ledger.products)) and "not taken" in str(ledger)
        assert [path.index for path in lcg.paths(name)] == list(range(lcg.count_paths(name)))


def test_counts_and_indices_are_those_of_the_code():
    taken, other = ts.trace(chosen, *POINT), ts.trace(chosen, 2.0, 3.0)
    assert taken.signature == other.signature and taken.count_paths("x") == other.count_paths("x") == 5
    assert [p.branches for p in taken.paths("x")] == [p.branches for p in other.paths("x")]
    assert str(taken) == str(other).replace("True", "False")


@pytest.mark.parametrize(
    "estimator", [ts.RAD(), ts.RAD(normalize=True), ts.SPAD(), ts.SPAD(m=2), ts.Magnitude(), ts.GD()]
)
def test_estimators_draw_from_finite_contributions(estimator):
    lcg = ts.trace(chosen, *POINT)
    for name in "xy":
        listed, p = lcg.path_gradients(name), estimator.probabilities(lcg, name)
        assert np.all(np.isfinite(p)) and np.isclose(np.sum(p), len(p) if estimator == ts.GD() else 1)
        assert np.isfinite(estimator.expectation(lcg, name)) and np.isfinite(estimator.variance(lcg, name))
        if estimator == ts.RAD():
            assert estimator.expectation(lcg, name) == pytest.approx(np.mean(listed))
            assert estimator.variance(lcg, name) == pytest.approx(np.var(listed))


@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(normalize=True), ts.SPAD(m=2, k_max=3), ts.Magnitude()])
def test_minimize_goes_on(estimator):
    def f(x):
        return np.where(x > 0, x**0.5 * x**0.5, x * x)

    starts = np.array([-1.0, -0.5, 2.0])
    result = ts.minimize(f, starts, estimator=estimator, steps=20, rng=0)
    assert list(result.status) == ["done"] * 3
    single = ts.minimize(f, -1.0, estimator=estimator, steps=20, rng=0)
    assert single.status == "done" and abs(single.x) < 1


def test_a_choice_below_an_infinite_slope():
    """What is not taken gets 0 and what is taken infinity, though both go on by the same edge."""
    lcg = ts.trace(lambda x, y: np.sqrt(np.maximum(x, y)), -1.0, 0.0)
    assert lcg.gradient() == {"x": 0.0, "y": INF}
    assert lcg.sweep("magnitude") == {"x": 0.0, "y": INF} and lcg.log_mass("x") == -INF
    runs = ts.trace(lambda x, y: np.sqrt(np.maximum(x, y)), np.array([-1.0, 4.0]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(runs.gradient()["x"], [0.0, 0.25])
    np.testing.assert_array_equal(runs.gradient()["y"], [INF, 0.0])
    program = ts.compile(lambda x, y: np.sqrt(np.maximum(x, y)))
    assert program.gradient(-1.0, 0.0) == {"x": 0.0, "y": INF}


def shared(x):
    s = np.sqrt(x)
    return np.where(x > 0, s, 2 * s) + np.where(x > 0, np.log(x), 0.0)


@pytest.mark.parametrize("elements", [False, True])
def test_a_variable_of_which_one_path_is_taken_and_one_is_not(elements):
    """What is not taken stays 0 along a path, though the infinite factor behind it is reached by another path."""
    at = ts.trace(shared, 0.0, elements=elements)
    assert at.gradient() == {"x": INF}
    np.testing.assert_array_equal(at.path_gradients("x"), [INF, 0.0, 0.0])
    assert [path.gradient for path in at.paths("x")] == [INF, 0.0, 0.0]
    assert set(at.sample_paths("x", 60, rng=0).gradient.tolist()) == {0.0, INF}
    assert {at.path_gradient("x", i) for i in range(3)} == {0.0, INF}


def test_runs_of_which_one_path_is_taken_and_one_is_not():
    xs = np.array([0.0, 4.0])
    expected = [[INF, 0.0], [0.0, 0.25], [0.0, 0.25]]
    for at in (ts.trace(shared, xs), ts.compile(shared).at(xs)):
        np.testing.assert_array_equal(at.path_gradients("x"), expected)
        np.testing.assert_array_equal(at.path_gradient("x", np.array([0, 1])), [INF, 0.25])
    listed = ts.trace(lambda x: np.sum(shared(x)), xs).path_gradients("x")
    np.testing.assert_array_equal(listed, expected)


def test_elimination_and_collapsed_drawings_leave_it_out():
    lcg = ts.trace(lambda x: np.where(x > 0, x * np.log(x), x), 0.0)
    assert lcg.eliminate().jacobian == {("x", "z"): 1.0}
    assert ts.jacobian(lambda x: (np.where(x > 0, x * np.log(x), x), x), 0.0).eliminate().jacobian[("x", "z1")] == 1.0
    _, links = collapsed(lcg, {"block": lcg.block("b")})
    assert all(np.isfinite(link.weight) for link in links)


def test_a_semiring_of_ones_own_is_given_numbers():
    lcg = ts.trace(chosen, *POINT)
    squares = ts.Semiring(lambda w: w**2, lambda v, w: v * w, lambda a, b: a + b)
    assert lcg.sweep(squares) == {"x": pytest.approx(16.0), "y": 0.0}
    smallest = ts.Semiring(abs, lambda v, w: min(v, w), lambda a, b: max(a, b))
    assert all(np.isfinite(found) for found in lcg.sweep(smallest).values())


# --- zeros that nobody chose ----------------------------------------------------------------------------------------

KEPT = {
    "the chain rule": (lambda x: np.sqrt(x) ** 2, 0.0),
    "a factor that is 0": (lambda x: 0.0 * np.sqrt(x), 0.0),
    "a kink under a root": (lambda x: np.sqrt(np.abs(x)), 0.0),
    "a choice of the bad side": (lambda x: np.where(x > 0, 0.0, np.sqrt(x) ** 2), 0.0),
    "a choice of another number": (lambda x: np.where(True, np.sqrt(x) ** 2, x), 0.0),
    "beside a choice": (lambda x: np.where(x > 0, x, 0.0) + np.sqrt(x) ** 2, 0.0),
    "a sum of products": (lambda x: np.sum(np.sqrt(x) @ np.zeros((2, 2))), np.zeros(2)),
}


@pytest.mark.parametrize(("f", "x"), KEPT.values(), ids=KEPT)
def test_no_other_zero_is_hidden(f, x):
    leaf = ts.Value(x)
    total(f)(leaf).backward()
    assert np.all(np.isnan(leaf.grad)) and np.all(np.isnan(ts.grad(total(f))(x)))
    assert np.all(np.isnan(ts.trace(total(f), x).gradient()["x"]))
    assert ts.trace(total(f), x).trace_nonfinite() is not None


def test_where_all_is_finite_nothing_changes():
    """The weights are the recorded ones, none of them is guarded."""
    lcg = ts.trace(lambda x: np.where(x > 0, x * x, -x), 2.0)
    assert not any(isinstance(w, Masked) for w in lcg.linearization.weight)
    assert list(lcg.linearization.weight) == list(lcg.weight)


# --- derivatives of derivatives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "second"),
    [
        (
            lambda x: np.where(x > 0, x**1.5, x**2),
            np.array([0.0, 4.0]),
            np.array([2.0, 0.375]),
        ),  # 2nd infinite, 1st not
        (lambda x: np.where(x >= 0, x**3, np.sqrt(-x)), np.array([0.0, 1.0]), np.array([0.0, 6.0])),
        (lambda x: np.where([True, False], x**2, np.sqrt(x) @ np.array([[INF, 1], [1, 1]])), np.ones(2), [1.75, -0.25]),
        (lambda x: np.log(np.clip(x, 0.5, 3.0)), np.array([0.0, 2.0]), np.array([0.0, -0.25])),
        (lambda x: np.max(x**1.5), np.array([0.0, 4.0]), np.array([0.0, 0.375])),
        (lambda x: np.outer(x, np.log(x))[:, 1], np.array([0.0, 2.0]), np.array([0.5, 1.0])),
        (
            lambda x: np.tensordot(ts.relu(np.outer(x, x)), np.ones((2, 1)), 1),
            np.array([1.0, 2.0]),
            np.array([4.0, 4.0]),
        ),
        (lambda x: (x**1.5)[1:], np.array([0.0, 4.0]), np.array([0.0, 0.375])),
    ],
)
def test_second_derivatives(f, x, second):
    ones = np.ones(len(x))
    np.testing.assert_allclose(ts.hvp(total(f), x, ones), second, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ts.trace(total(f), x).hessian()["x"]["x"] @ ones, second, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ts.jacobian(ts.grad(total(f)), x).matrix @ ones, second, rtol=1e-13, atol=1e-15)


def test_the_rows_of_a_jacobian_do_not_see_the_others():
    np.testing.assert_array_equal(ts.jacobian(np.sqrt, np.array([0.0, 4.0])).matrix, [[INF, 0.0], [0.0, 0.25]])


# --- rules that choose ------------------------------------------------------------------------------------------------


def test_a_rule_of_ones_own_chooses_if_it_says_so():
    def first(x, y):
        return x + 0.0 * y

    domain = (ts.Domain(1, 2), ts.Domain(1, 2))
    largest = ts.rule(
        lambda x: np.max(x), vjp=lambda out, x: lambda g: g * (x == out), domain=[(ts.Domain(1, 2)(3),)], chooses=True
    )
    try:
        at = ts.trace(lambda x: largest(np.sqrt(x)), np.array([0.0, 4.0]))
        np.testing.assert_array_equal(at.gradient()["x"], [0.0, 0.25])
    finally:
        del RULES[largest]
    for chooses, slope in ((True, 0.0), (False, math.nan)):
        mine = ts.rule(
            lambda x, y: first(x, y), d=(lambda out, x, y: 1.0, lambda out, x, y: 0.0), domain=domain, chooses=chooses
        )
        try:
            found = ts.trace(lambda x: mine(1.0, np.sqrt(x)), 0.0).gradient()["x"]
            assert found == slope or (math.isnan(slope) and math.isnan(found))
        finally:
            del RULES[mine]


def test_layers():
    x = ts.Value(np.array([[-1.0, 4.0]]))
    np.sum(np.sqrt(nn.relu(x))).backward()
    np.testing.assert_array_equal(x.grad, [[0.0, 0.25]])


def test_gradients_accumulate_once_where_a_sweep_is_made_again():
    x, y = ts.Value(1.0), ts.Value(3.0)
    z = np.where(x >= 0, x * y, np.sqrt(-x))
    w = z * y
    w.backward()
    w.backward()
    assert (x.grad, y.grad, z.grad) == (2 * 9.0, 2 * 6.0, 2 * 3.0)
