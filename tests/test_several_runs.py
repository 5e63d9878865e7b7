"""Many starts of a function of arrays: runs on the first axis are runs by themselves, or refused."""

import warnings

import numpy as np
import pytest
from test_elements import DATA, IN_SCALARS, ON_PAPER, SIGNS

import tinyspad as ts
from tinyspad.lcg import vectorized

FUNCTIONS = {name: (f, args) for name, (f, _, args, _) in IN_SCALARS.items() if name != "where"}
FUNCTIONS |= {name: (f, args) for name, (f, args, _) in ON_PAPER.items() if name != "where"}
FUNCTIONS |= {
    "several axes": (lambda A: np.sum(np.max(A, axis=(0, -1)) ** 2), [np.arange(12.0).reshape(2, 3, 2)]),
    "a mean that keeps its axis": (
        lambda A: np.sum((A - A.mean(0, keepdims=True)) ** 3),
        [np.arange(6.0).reshape(3, 2)],
    ),
    "norm of a matrix": (lambda A: np.linalg.norm(A) + np.linalg.norm(A, axis=0)[1], [np.arange(1.0, 5).reshape(2, 2)]),
    "norm by its name": (lambda A: np.linalg.norm(A, "fro"), [np.arange(1.0, 5).reshape(2, 2)]),
    "cumsum of all": (lambda A: np.sum(np.cumsum(A) ** 2), [np.arange(4.0).reshape(2, 2)]),
    "sort along an axis": (
        lambda A: np.sum(np.sort(A, axis=0) * [[1.0, 2.0], [3.0, 4.0]]),
        [np.array([[3.0, 0.0], [1.0, 2.0]])],
    ),
    "triangle": (lambda A: np.sum(np.tril(A, -1) ** 2) + A[0, 0], [np.arange(1.0, 10).reshape(3, 3)]),
    "join with constants": (lambda w: np.sum(np.concatenate([w, [2.0], w[:1]]) * [1.0, 2.0, 3.0, 4.0]), [np.ones(2)]),
    "stacks of matrices": (lambda A, B: np.sum((A @ B) ** 2), [np.arange(8.0).reshape(2, 2, 2), np.ones((2, 2))]),
    "vector and matrix": (lambda w, A: np.sum(w @ A) ** 2, [np.arange(3.0), np.ones((3, 2))]),
    "constant in front": (
        lambda A: np.sum(np.tensordot(np.ones((2, 3)), A, ([1], [0])) ** 2),
        [np.arange(6.0).reshape(3, 2)],
    ),
    "a letter of its own": (lambda a, b: np.einsum("i,j->", a, b), [np.arange(2.0), np.ones(3)]),
    "three factors": (lambda a, B, c: np.einsum("i,ij,j", a, B, c), [np.ones(2), np.ones((2, 2)), np.ones(2)]),
    "vectors by their outer product": (lambda a: np.sum(np.outer(a, a) ** 2), [np.arange(3.0)]),
    "inverse": (lambda A: np.sum(np.linalg.inv(A)), [np.array([[2.0, 1.0], [0.0, 3.0]])]),
    "solve": (lambda A, b: np.sum(np.linalg.solve(A, b) ** 2), [np.array([[2.0, 1.0], [0.0, 3.0]]), np.ones(2)]),
    "a number and a vector": (lambda a, w: a * np.sum(w * a + np.arange(3.0)), [2.0, np.ones(3)]),
    "numbers in matrices": (lambda a: np.sum((a * np.eye(2) + 1) ** 2), [2.0]),
    "an output of one element": (lambda w: np.reshape(w @ w, (1, 1)), [np.ones(3)]),
    "a parameter itself": (lambda w: w[1], [np.ones(3)]),
    "inner and dot": (lambda A, w: np.dot(np.inner(A, w), w[:2]), [np.ones((2, 3)), np.arange(3.0)]),
    "trace with an offset": (lambda A: np.trace(A, offset=1) * A[0, 0], [np.arange(6.0).reshape(2, 3)]),
}


def starts(args, runs=4):
    rng = np.random.default_rng(1)
    return [np.stack([np.asarray(a) + 0.1 * rng.normal(size=np.shape(a)) for _ in range(runs)]) for a in args]


def alone(many, run):
    return tuple(x[run] if x.ndim > 1 else float(x[run]) for x in many)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_side_by_side_is_each_by_itself(name):
    f, args = FUNCTIONS[name]
    many = starts(args)
    together = vectorized([f"p{i}" for i in range(len(args))], f, alone(many, 0))
    np.testing.assert_allclose(together(*many), [np.reshape(f(*alone(many, r)), ()) for r in range(4)], rtol=1e-12)
    plan = {"optimizer": ts.SGD(0.01), "steps": 3}
    several = ts.minimize(f, tuple(many), runs=True, **plan)
    assert several.value.shape == several.status.shape == several.steps.shape == (4,)
    for run in range(4):
        single = ts.minimize(f, alone(many, run), **plan)
        np.testing.assert_allclose(several.value[run], np.reshape(single.value, ()), rtol=1e-9)
        for x, own in zip(several.x, single.x):
            np.testing.assert_allclose(x[run], own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("estimator", [ts.SPAD(k_max=2), ts.NearestPath(), ts.FixedPath(0)], ids=repr)
@pytest.mark.parametrize("paths", ["numbers", "arrays"])
def test_each_run_chooses_its_own_paths(estimator, paths):
    def f(w):
        r = DATA[:6, :3] @ w - 1
        return np.mean(r * r)

    many = np.random.default_rng(0).normal(size=(3, 3))
    plan = {"estimator": estimator, "optimizer": ts.SGD(0.05), "steps": 6, "paths": paths}
    several = ts.minimize(f, many, runs=True, **plan)
    for run in range(3):
        single = ts.minimize(f, many[run], **plan)
        np.testing.assert_allclose(several.x[run], single.x, rtol=1e-9)
        assert several.history.paths["w"][:, run].tolist() == single.history.paths["w"].tolist()


def test_random_runs_are_right_on_average():
    """One step of many runs from one start: their mean is a step along the exact expectation, by five standard errors."""

    def f(w):
        return np.sum((DATA[:5, :2] @ w - 1) ** 2)

    w, runs = np.array([0.5, -1.0]), 400
    for estimator in (ts.RAD(), ts.RAD(normalize=True), ts.Magnitude()):
        moved = ts.minimize(
            f, np.tile(w, (runs, 1)), runs=True, estimator=estimator, optimizer=ts.SGD(1.0), steps=1, rng=0
        )
        lcg = ts.trace(f, w)
        mean, variance = estimator.expectation(lcg, "w"), estimator.variance(lcg, "w")
        assert np.all(np.abs(np.mean(w - moved.x, axis=0) - mean) <= 5 * np.sqrt(variance / runs) + 1e-12)


def test_elementwise_functions_stay_one_program():
    starts = np.linspace(-3, 3, 7)
    assert (
        ts.minimize(ts.functions.f1, starts, runs=True, steps=20).x.tolist()
        == ts.minimize(ts.functions.f1, starts, steps=20).x.tolist()
    )


def test_what_is_ambiguous_can_be_said_either_way():
    c = np.array([1.0, 2.0, 3.0])
    joint = ts.minimize(lambda w: w**2 * c, np.ones(3), runs=False, steps=5)
    assert np.shape(joint.value) == () and joint.x.shape == (3,)
    assert joint.value == ts.minimize(lambda w: np.sum(w**2 * c), np.ones(3), steps=5).value
    assert ts.minimize(lambda w: w**2 * c, np.ones(3), steps=5).value.shape == (3,)
    assert ts.minimize(lambda w: np.sum(w**2), np.ones(3), runs=False, steps=5).x.shape == (3,)


def test_a_run_that_meets_infinity_ends_and_leaves_the_others_alone():
    def f(w):
        return np.sum(np.log(w)) * w[0]

    several = ts.minimize(
        f, np.array([[1.0, 2.0], [-1.0, 2.0], [3.0, 1.0]]), runs=True, optimizer=ts.SGD(0.01), steps=4
    )
    assert several.status.tolist() == ["done", "non-finite", "done"] and several.steps.tolist() == [4, 0, 4]
    assert several.x[1].tolist() == [-1.0, 2.0]
    np.testing.assert_allclose(several.x[2], ts.minimize(f, np.array([3.0, 1.0]), optimizer=ts.SGD(0.01), steps=4).x)


def test_runs_that_may_go_different_ways_are_refused():
    def branches(w):
        return np.sum(w**2) if w[0] > 0 else np.sum(w)

    def chooses(w):
        return np.sum(np.where(w > 0, w**2, -w))

    def random(w):
        return np.sum(w) * np.random.default_rng().random()

    for f, why in ((branches, "looks at values"), (chooses, "looks at values"), (random, "not the same at every call")):
        with pytest.raises(ts.errors.BadInput, match=why):
            ts.minimize(f, np.ones((3, 2)), runs=True)
    with pytest.raises(ts.errors.BadInput, match="is to give one number"):
        ts.minimize(lambda w: w * 2, np.ones((3, 2)), runs=True)
    with pytest.raises(ts.errors.BadInput, match="depends on no parameter"):
        ts.minimize(lambda w: np.sum(np.ones(2)), np.ones((3, 2)), runs=True)
    outside = ts.Value(2.0)
    with pytest.raises(ts.errors.BadInput, match="Value from outside"):
        ts.minimize(lambda w: np.sum(w) * outside, np.ones((3, 2)), runs=True)
    for x0 in (1.0, (np.ones((3, 2)), np.ones(2)), (np.ones((3, 2)), 1.0), np.ones((0, 2))):
        with pytest.raises(ts.errors.BadInput, match="first axis"):
            ts.minimize(lambda *w: np.sum(w[0]), x0, runs=True)
    with pytest.raises(ts.errors.BadInput, match="True, False or None"):
        ts.minimize(chooses, np.ones((3, 2)), runs=3)
    with pytest.raises(ts.errors.BadInput, match="without data="):
        ts.minimize(lambda w, y: (w - y) ** 2, np.ones(2), runs=True, data=np.ones(3))


def test_compare_takes_runs():
    def f(w):
        return np.mean(np.log1p(np.exp(-SIGNS * (DATA @ w))))

    results = ts.compare(f, np.zeros((2, 5)), {"GD": ts.GD(), "RAD": ts.RAD(normalize=True)}, runs=True, steps=5, rng=0)
    assert results["GD"].x.shape == (2, 5) and results["RAD"].history.paths["w"].shape == (6, 2, 5)


@pytest.mark.parametrize("estimator", [ts.GD(), ts.SPAD()], ids=repr)
def test_what_a_callback_changes_is_seen(estimator):
    target = [1.0]

    def f(w):
        return np.sum((w - target[0]) ** 2)

    def moves(step, x, value):
        target[0] = float(step + 2)

    found = []
    for x0, runs in ((np.zeros(2), None), (np.zeros((2, 2)), True)):
        target[0] = 1.0
        plan = {"steps": 20, "optimizer": ts.SGD(0.3), "callback": moves, "estimator": estimator}
        found.append(ts.minimize(f, x0, runs=runs, **plan).x)
    np.testing.assert_allclose(found[1], np.tile(found[0], (2, 1)), rtol=1e-12)


@pytest.mark.parametrize("state", [0, [10, 20], (1.0, 2.0, 3.0), None], ids=repr)
def test_each_run_has_the_whole_of_an_estimators_state(state):
    seen = []

    class Remembers:
        def init(self):
            return state

        def draw(self, lcg, param, own, rng):
            seen.append(own)
            return lcg.path_gradient(param, 0), 0, own

    ts.minimize(lambda w: np.sum(w * w), np.ones((2, 2)), estimator=Remembers(), runs=True, steps=2)
    assert len(seen) == 2 * 2 * 2 and all(own == state for own in seen)


def test_empty_arrays_and_the_letters_of_an_einsum_make_no_difference():
    for f, x0 in (
        (lambda w, v: np.sum(w * w) + np.sum(v * v), (np.zeros((3, 0)), np.ones((3, 2)))),
        (lambda w: np.sum(w[5:9] ** 2) + np.sum(w * w), np.ones((3, 2))),
        (lambda w: np.sum(np.einsum("R,R->R", w, w) ** 2), np.ones((4, 4))),
        (lambda w: np.einsum("Zi,Zi->", w, w), np.ones((4, 2, 3))),
        (lambda w: w, np.ones((3, 1))),
    ):
        several = ts.minimize(f, x0, runs=True, steps=2)
        first = tuple(x[0] for x in x0) if isinstance(x0, tuple) else x0[0]
        np.testing.assert_allclose(several.value[0], np.reshape(ts.minimize(f, first, steps=2).value, ()), rtol=1e-12)


def test_rules_of_ones_own_are_run_one_after_the_other():
    def squares(x):
        return np.sum(x**2)

    squares = ts.rule(
        squares, vjp=lambda out, x: lambda g: 2 * g * x, domain=[(ts.Domain(-1, 1)(3),)], kind="reduction"
    )
    several = ts.minimize(lambda w: squares(w) * w[0], np.ones((3, 2)), runs=True, steps=2)
    np.testing.assert_allclose(several.x[0], ts.minimize(lambda w: squares(w) * w[0], np.ones(2), steps=2).x)


def test_an_estimator_derived_from_gd_draws_as_it_says():
    class First(ts.GD):
        def draw(self, lcg, param, state, rng):
            return lcg.path_gradient(param, 0), 0, None

    def f(w):
        return np.sum(w * w * w)

    one = ts.minimize(f, np.ones(3) * 2, estimator=First(), steps=2)
    assert one.history.paths["w"].shape == (3, 3)
    np.testing.assert_allclose(ts.minimize(f, np.ones((2, 3)) * 2, estimator=First(), steps=2, runs=True).x[1], one.x)


def test_runs_that_overflow_warn_nobody():
    def f(w):
        return np.sum(w[:-1] * w[1:]) ** 4 * w[0]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ts.minimize(f, np.full((2, 3), 30.0), steps=8, estimator=ts.RAD(), runs=True, optimizer=ts.SGD(0.01))
    assert found.status.tolist() == ["non-finite"] * 2
