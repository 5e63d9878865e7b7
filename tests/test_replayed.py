"""Recordings that are run again: the bits of a trace at every step; and traces where a recording is not the function."""

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.lcg import recorded_twice
from tinyspad.optimize.whole import Whole

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), np.sign(rng.normal(size=30))
W = np.linspace(-0.5, 0.7, 4)
COUNTER = [0]


def logistic(w):
    return np.mean(np.log1p(np.exp(-Y * (X @ w))))


def least_squares(w, b):
    return np.sum((X @ w + b - Y) ** 2)


def with_everything(w):
    parts = np.concatenate([w[:2] * w[2:], np.stack([np.sum(w), np.max(w), w[1] * w[2]])])
    a = np.reshape(w, (2, 2)) @ np.array([[1.0, 2.0], [0.5, -1.0]])
    return np.linalg.norm(parts) + np.einsum("ij,ij->", a, a) + np.sum(np.where([True, False, True, False], w, 2 * w))


def rosenbrock(w):
    return np.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


def asks_for_shapes(w):
    return np.sum(w**2) / (np.shape(w)[0] * w.size) + np.size(w) * len(w) * w.ndim * np.ndim(w)


def of_single_precision(w):
    return np.sum(np.tanh(w) * np.array([1, 2, 3, 4], np.int8))


FUNCTIONS = [
    (logistic, (W,)),
    (least_squares, (W, 0.5)),
    (with_everything, (W,)),
    (rosenbrock, (W,)),
    (of_single_precision, (W.astype(np.float32),)),
    (asks_for_shapes, (W,)),
    (lambda w: np.sum(np.linalg.solve(np.eye(4) + np.outer(w, w), w)), (W,)),
]


def traced(f, x0, **settings):
    """With a callback f is traced at every step."""
    return ts.minimize(f, x0, callback=lambda *_: None, **settings)


@pytest.mark.parametrize(("f", "start"), FUNCTIONS)
@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(), ts.RAD(normalize=True), ts.SPAD(k_max=3), ts.Magnitude()])
def test_a_run_by_recording_is_a_run_by_traces_to_the_bit(f, start, estimator):
    x0 = start if len(start) > 1 else start[0]
    objective = Whole(f, [f"x{i}" for i in range(len(start))], list(start), True, False)
    assert objective.program is None and objective.recording is not None
    ours = ts.minimize(f, x0, estimator=estimator, steps=25, rng=0)
    theirs = traced(f, x0, estimator=estimator, steps=25, rng=0)
    assert ours.status == "done"
    for name in ours.history.x:
        np.testing.assert_array_equal(ours.history.x[name], theirs.history.x[name])
        np.testing.assert_array_equal(ours.history.paths[name], theirs.history.paths[name])
        assert ours.history.x[name].dtype == theirs.history.x[name].dtype
    np.testing.assert_array_equal(ours.history.values, theirs.history.values)


def looks_at_a_comparison(w):
    return np.sum(np.where(w > 0.1, w * w, -w))


def looks_at_data(w):
    return np.sum(w * w) * (1 + np.floor(w.data[0]))


def branches(w):
    total = np.sum(w)
    return total * total if total > 0.1 else np.sum(w * w)


def takes_the_place_of_the_largest(w):
    return w[np.argmax(w)] ** 2 + np.sum(w**4)


def counts_its_calls(w):
    COUNTER[0] += 1
    return np.sum(w * w) * (1 + 0.1 * COUNTER[0])


def draws(w):
    return np.sum(w * w * np.random.default_rng().normal(size=4) ** 2)


def has_a_value_for_a_condition(w):
    return np.sum(np.where(w, w * w, 1.0))


def asks_a_function_without_a_derivative(w):
    return np.sum(w * w * np.sign(w - 0.05)) + np.sum(w**2)


def prints(w):
    return np.sum(w * w) * len(repr(np.sum(w)))


def formats(w):
    return np.sum(w * w) + float(f"{np.sum(w):.6f}")


def has_a_power_between_numbers(w):
    return np.sum(w * w) ** 2.5


OUTSIDE = ts.Value(2.0)


@pytest.mark.parametrize(
    "f",
    [
        looks_at_a_comparison,
        looks_at_data,
        branches,
        takes_the_place_of_the_largest,
        counts_its_calls,
        draws,
        has_a_value_for_a_condition,
        prints,
        formats,
        has_a_power_between_numbers,
        lambda w: np.sum(w * w) * OUTSIDE,
        lambda w: np.sum(w * w) + float(np.random.default_rng().random()),
    ],
)
def test_what_looks_at_its_data_or_is_not_the_same_twice_is_traced(f):
    assert recorded_twice(["w"], f, [W]) is None


@pytest.mark.parametrize(
    "f", [looks_at_a_comparison, branches, takes_the_place_of_the_largest, asks_a_function_without_a_derivative]
)
def test_runs_that_change_their_mind_on_the_way_are_right(f):
    """From here the sign, the branch and the largest change: a recording of the start would go elsewhere."""
    ours = ts.minimize(f, W, optimizer=ts.SGD(lr=0.05), steps=60)
    theirs = traced(f, W, optimizer=ts.SGD(lr=0.05), steps=60)
    np.testing.assert_array_equal(ours.x, theirs.x)


def test_constants_that_change_between_steps_are_those_of_the_start():
    """As for programs: what f refers to is read once; whoever changes it on the way gives a callback, and f is traced."""
    constant = np.ones(4)
    recording = recorded_twice(["w"], lambda w: np.sum(w * constant), [W])
    constant[:] = 5.0
    np.testing.assert_array_equal(recording.at(W).gradient()["w"], np.ones(4))


def test_a_recording_at_another_point_answers_as_a_trace_there():
    recording, there = recorded_twice(["w"], with_everything, [W]), W[::-1] * 1.5
    at, lcg = recording.at(there), ts.trace(with_everything, there)
    at.validate()
    assert at.names == lcg.names and at.signature == lcg.signature and at.value == lcg.value
    assert at.ledger("w").verdict == lcg.ledger("w").verdict == "agree"
    np.testing.assert_array_equal(at.path_gradients("w"), lcg.path_gradients("w"))
    assert recording.fits([there]) and not recording.fits([W[:3]]) and not recording.fits([W.astype(np.float32)])


def test_nothing_that_comes_out_can_be_written_into_the_recording():
    recording = recorded_twice(["w"], lambda w: np.sum(np.reshape(w, (2, 2)) * np.eye(2)), [W])
    at = recording.at(W.copy())
    at.gradient()["w"][:] = 7.0
    np.testing.assert_array_equal(at.gradient()["w"], np.eye(2).ravel())
    with pytest.raises(ValueError, match="read-only"):
        at.arguments[0][:] = 0.0


def catches(x):
    try:
        return np.sum(np.linalg.solve(x[0] * np.eye(2), np.ones(2))) * 0 + np.sum(x)
    except np.linalg.LinAlgError:
        return np.sum((x - 3) * (x - 3))


positive = ts.rule(
    lambda v: v[v > 0], vjp=lambda out, v: lambda g: np.where(v > 0, 1.0, 0.0) * np.sum(g) / max(len(g), 1), domain=[]
)


def has_results_of_changing_shape(x):
    return np.sum(positive(x)) / len(positive(x)) + np.sum(x) * 0.3


MASK = {}


def masked(a):
    MASK["m"] = a > 0
    return a * MASK["m"]


masked = ts.rule(masked, vjp=lambda out, a: lambda g, mask=MASK["m"]: g * mask, domain=[])


def has_a_rule_with_a_state(x):
    return np.sum(masked(x) * masked(x)) + np.sum(masked(x - 0.9) * 3)


@pytest.mark.parametrize(
    ("f", "start", "lr"),
    [
        (catches, np.array([2.0, 1.0]), 0.5),
        (has_results_of_changing_shape, np.array([1.0, 2.0, 0.5]), 0.5),
        (has_a_rule_with_a_state, np.array([1.0, 2.0]), 0.05),
        (lambda x: np.sum(np.log(x)), np.array([0.0, 1.0]), 0.1),
    ],
)
def test_what_happens_on_the_way_is_what_happens_to_a_trace(f, start, lr):
    """An operation raises and is caught, a result has another shape, a rule remembers, a start is not finite."""
    ours = ts.minimize(f, start, optimizer=ts.SGD(lr=lr), steps=20)
    theirs = traced(f, start, optimizer=ts.SGD(lr=lr), steps=20)
    np.testing.assert_array_equal(ours.x, theirs.x)
    assert ours.status == theirs.status and ours.steps == theirs.steps


def test_a_function_that_is_alike_twice_by_chance_is_found_out_soon():
    calls = [0]

    def f(w):
        calls[0] += 1
        return np.sum(w * w) * (1.0 if calls[0] < 6 else 3.0)

    result = ts.minimize(f, np.ones(2), optimizer=ts.SGD(lr=0.01), steps=64)
    assert calls[0] > 50  # traced, once it was seen to differ
    assert result.value == f(result.x)


def test_numbers_of_single_precision_are_numbers():
    single = np.float32(0.5), np.float32(0.25)
    ours = ts.minimize(
        lambda a, b: np.sin(a) * b + np.cos(b) * a, single, estimator=ts.Magnitude(k_max=4), steps=9, rng=0
    )
    theirs = traced(lambda a, b: np.sin(a) * b + np.cos(b) * a, single, estimator=ts.Magnitude(k_max=4), steps=9, rng=0)
    np.testing.assert_array_equal(ours.x, theirs.x)


def test_an_output_that_becomes_an_array_is_told():
    def f(x):
        return np.sum(x * x) if x.data[0] > 0.3 else x[:2] * 2

    with pytest.raises(ts.errors.NotScalar, match="Reduce it to one number"):
        ts.minimize(f, np.array([0.5, 0.2, 0.3]), optimizer=ts.SGD(lr=0.1), steps=9)
