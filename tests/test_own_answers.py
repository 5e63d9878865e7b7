"""What is handed out is the asker's own: writing into an answer changes no later one, or is refused. And what is
taken is read whole: seeds, rules' partials, copies made inside of f."""

import copy
import pickle

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput, DroppedGradient

RUNS = np.array([0.5, 1.5, 2.5])


def spoil(answer):
    """Write into every array of an answer that can be written."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (list, tuple)):
        for one in answer:
            spoil(one)
    elif isinstance(answer, np.ndarray) and answer.flags.writeable:
        answer[...] = -77


QUESTIONS = {
    "gradient": lambda at: at.gradient(),
    "path_gradients": lambda at: at.path_gradients("x"),
    "path_gradient": lambda at: at.path_gradient("x", 0),
    "sample_paths": lambda at: at.sample_paths("x", 4, 0).gradient,
    "best_path": lambda at: at.best_path("x").gradient,
}
FUNCTIONS = {  # the second is its own parameter: its one path has no factors
    "a product": lambda x: x * x + 3.0 * x,
    "itself": lambda x: x,
    "a constant": lambda x: x * 0.0 + 2.0,
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("way", ("traced", "compiled"))
@pytest.mark.parametrize("x", (1.5, RUNS), ids=("number", "runs"))
def test_writing_into_an_answer_changes_no_later_one(question, function, way, x):
    f, ask = FUNCTIONS[function], QUESTIONS[question]
    at = (lambda: ts.trace(f, x).linearization) if way == "traced" else (lambda: ts.compile(f).at(x))
    expected, spoiled = ask(at()), at()
    for _ in range(2):
        spoil(ask(spoiled))
    for a, b in zip(np.atleast_1d(expected), np.atleast_1d(ask(spoiled))):
        np.testing.assert_equal(a, b)


def test_the_arguments_and_weights_of_a_program_cannot_be_written():
    at = ts.compile(lambda x: x * x).at(RUNS)
    for array in (at.arguments[0], at.weight[0]):
        if isinstance(array, np.ndarray):
            with pytest.raises(ValueError):
                array[...] = 0.0


def test_a_route_keeps_its_index_when_the_caller_changes_his():
    at = ts.trace(lambda x: x * x + 3.0 * x, RUNS).linearization
    index = np.array([0, 1, 2])
    route = at.route("x", index)
    index[:] = 0
    np.testing.assert_array_equal(at.follow("x", route), [0.5, 1.5, 3.0])


@pytest.mark.parametrize("kind", (np.uint64, np.int8, object))
def test_path_indices_of_any_whole_kind(kind):
    at = ts.trace(lambda x: x * x + 3.0 * x, RUNS).linearization
    np.testing.assert_array_equal(at.path_gradient("x", np.array([2, 0, 1], kind)), [3.0, 1.5, 2.5])


def test_top_paths_lists_products_that_underflow():
    def f(x):
        y = x * 1e-200
        return y * 1e-200 + y

    at = ts.trace(f, 1.0)
    assert [path.gradient for path in at.top_paths("x", 5)] == [1e-200, 0.0]
    assert len(at.top_paths("x", 10**30)) == 2


def test_sample_paths_over_observations_adds_them_up():
    data, weight = np.array([1.0, 2.0, 4.0]), np.array([0.25, 0.25, 0.5])
    at = ts.trace(lambda a: a * data + 3.0 * a, np.full(3, 0.5)).linearization.observing(weight, ())
    drawn = at.sample_paths("a", 20, 0)
    expected = {0: float(weight @ data), 1: 3.0}  # of the path through the data, of the other
    assert {path.index: float(path.gradient) for path in drawn} == expected


def test_an_estimator_may_answer_with_a_plain_tuple_for_different_samples():
    class First(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            return lcg.path_gradient(param, np.zeros(lcg.batch, int) if lcg.batch else 0), 0, state

    def loss(a, batch):
        return (a - batch) ** 2

    for sample in ("same", "different"):
        found = ts.minimize(loss, (1.0,), estimator=First(), data=np.arange(4.0), steps=2, sample=sample)
        assert found.status == "done"


def test_an_unknown_kind_of_chances_is_refused():
    with pytest.raises(BadInput, match="by= is"):
        ts.trace(lambda x: x * x, 1.0).linearization.chances("dice")


# --- what is taken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", ("1", 1j, np.ma.masked_array([1.0], [True])), ids=("text", "complex", "masked"))
def test_seeds_that_are_no_numbers_are_refused(seed):
    x = ts.Value(np.ones(1))
    with pytest.raises(BadInput, match="seed"):
        (x * 2.0).backward(seed)
    with pytest.raises(BadInput):
        x.grad = seed


@pytest.mark.parametrize("copied", (copy.copy, copy.deepcopy, pickle.dumps))
def test_a_copy_of_a_parameter_inside_of_its_function_is_refused(copied):
    with pytest.raises(DroppedGradient, match="A copy"):
        ts.trace(lambda x: x * (pickle.loads if copied is pickle.dumps else np.asarray)(copied(x)), 2.0)


def test_a_copy_outside_of_any_function_is_a_parameter_of_its_own():
    x = ts.Value(2.0, name="x")
    twin = copy.deepcopy(x)
    (x * twin).backward()
    assert (x.grad, twin.grad) == (2.0, 2.0)


@pytest.mark.parametrize("f", (lambda x: np.sum(np.ones(2) / x), lambda x: np.sum(x ** np.array([-1.0, -1.0]))))
def test_division_by_zero_beside_an_array_is_infinite_as_in_numpy(f):
    with np.errstate(all="ignore"):
        assert ts.trace(f, 0.0).gradient()["x"] == -np.inf


def test_a_check_of_no_runs_agrees():
    assert ts.check_gradients(lambda x: x * x, np.ones(0)).verdict == "agree"


def test_an_operator_is_known_by_its_own_name():
    assert ts.Value.__mul__.__name__ == "__mul__"
    assert ts.Value.__radd__.__qualname__ == "Value.__radd__"


def test_a_rule_whose_partial_is_complex_is_refused():
    half = ts.rule(lambda x: x * 0.5, d=lambda out, x: x * 0.5j, domain=ts.Domain(-2, 2))
    with pytest.raises(BadInput, match="complex"):
        ts.trace(lambda x: np.sum(half(x * np.ones(2))), 1.0)
