"""The graders: stubs fail, references pass, and every wrong answer is met with its own hint."""

import ast
import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest
from wrong_answers import WRONG

from tinyspad import check
from tinyspad.check.answer import changed
from tinyspad.check.verdict import STUB, near, same, show
from tinyspad.errors import BadInput

FILE = Path(__file__).parent.parent / "tutorials" / "instructor" / "solutions.py"
spec = importlib.util.spec_from_file_location("solutions", FILE)
solutions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(solutions)

ANSWERS = {name: (name,) for name in check.EXERCISES} | {
    "linear_memory": ("linear_memory", "linear_gradient"),
    "relu_keep": ("relu_keep", "relu_back"),
}


def stub(*args):
    raise NotImplementedError


def grade(name, answers):
    return check.EXERCISES[name].grade(*(answers if isinstance(answers, tuple) else (answers,)))


def test_there_are_enough_exercises_for_every_tutorial():
    tutorials = [e.tutorial for e in check.EXERCISES.values()]
    assert len(tutorials) >= 15 and tutorials == sorted(tutorials) and set(tutorials) == set(range(1, 10))
    assert set(check.EXERCISES) == set(WRONG) and all(getattr(check, name) for name in check.EXERCISES)


@pytest.mark.parametrize("name", check.EXERCISES)
def test_the_reference_passes(name):
    verdict = grade(name, tuple(getattr(solutions, answer) for answer in ANSWERS[name]))
    assert verdict and str(verdict) == f"{name}: passed."


@pytest.mark.parametrize("name", check.EXERCISES)
def test_the_stub_fails(name):
    verdict = grade(name, (stub,) * len(ANSWERS[name]))
    assert not verdict and verdict.misconception == STUB


@pytest.mark.parametrize("name", check.EXERCISES)
def test_every_wrong_answer_is_met_with_its_own_hint(name):
    hints = {}
    for i, (misconception, answer) in enumerate(WRONG[name]):
        verdict = grade(name, answer)
        assert not verdict.passed and verdict.misconception == misconception, i
        assert len(verdict.hint) > 20 and verdict.example
        assert misconception in str(verdict) and verdict.hint in repr(verdict)
        hints[misconception] = verdict.hint
    assert len(hints) >= 3 and len(set(hints.values())) == len(hints)


@pytest.mark.parametrize("name", check.EXERCISES)
def test_nonsense_is_a_verdict_not_a_traceback(name):
    n = len(ANSWERS[name])
    for nonsense in (
        10**400,
        [[1], [1, 2]],
        [None] * 8,
        ["a"] * 8,
        [["x"], [1]],
        {"v0": "a"},
        3,
        "text",
        [],
        (),
        {},
        np.nan,
        object(),
        np.ones((2, 2)),
        [None, None],
        ("a", "b"),
        True,
    ):
        verdict = grade(name, tuple([lambda *args, **kwargs: nonsense] * n))
        assert not verdict and verdict.hint
    with pytest.raises(BadInput, match="no brackets"):
        grade(name, (3,) * n)


def test_an_answer_without_the_right_arguments_is_told_so():
    verdict = check.tanh_rule(lambda x: x)
    assert verdict.misconception == "raises" and "positional argument" in verdict.hint


def own_error(out, x):
    return out / undefined_name  # noqa: F821


def test_errors_name_the_line_of_the_student():
    verdict = check.tanh_rule(own_error)
    assert "undefined_name" in verdict.hint and "return out / undefined_name" in verdict.hint


def test_verdicts_do_not_depend_on_the_global_generator():
    first = check.unbiased_draw(solutions.unbiased_draw)
    np.random.seed(3)  # noqa: NPY002
    assert check.unbiased_draw(solutions.unbiased_draw) == first
    assert check.sample_path(WRONG["sample_path"][0][1]) == check.sample_path(WRONG["sample_path"][0][1])


def test_solutions_use_numpy_and_tinyspad_alone():
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    assert names == {"numpy", "tinyspad"}
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert functions == {answer for answers in ANSWERS.values() for answer in answers}


def test_graders_have_texts():
    for name, e in check.EXERCISES.items():
        text = inspect.getdoc(e.grade)
        assert name in text and ">>>" in text and e.title


# --- the pieces -----------------------------------------------------------------------------------------------------


def test_same_compares_what_students_return():
    assert same([1, 2.0], (1, 2)) and same({"a": np.ones(2)}, {"a": [1, 1]}) and same(np.nan, np.nan)
    assert not same("ab", ["a", "b"]) and not same([1], [1, 2]) and not same(None, 1.0) and not same({"a": 1}, {})
    assert same(2**70, 2**70) and not same(2.0**70, 2**70) and not same(2**70, 2**70 + 1)
    assert (
        not same("12", 12.0)
        and not same([1, "2"], [1.0, 2.0])
        and not same(1j, 0.0)
        and not same(b"1", 1.0)
        and same(1e-12, 0.0)
        and not same(object(), 1.0)
    )


def test_show_is_short():
    assert show(np.float64(0.1 + 0.2)) == "0.3" and show((1, 2.5)) == "(1, 2.5)" and show((1,)) == "(1,)"
    assert (
        show(np.ones((3, 5))) == "<array 3x5>"
        and show(np.eye(2)) == "[[1., 0.], [0., 1.]]"
        and show(np.array([1.0, 2.0])) == "[1., 2.]"
    )
    assert show({"a": [0.5]}) == "{'a': [0.5]}" and show(np.sin) == "sin" and len(show("x" * 1000)) == 240


def test_changed_sees_damage_at_any_depth():
    assert changed([1, (np.ones(2),)], [1, (np.zeros(2),)]) and not changed([1, {"a": [2]}], [1, {"a": [2]}])
    assert changed([1], [1, 2]) and changed({"a": 1}, {"b": 1}) and not changed(np.array([np.nan]), np.array([np.nan]))


def test_near_is_five_standard_errors():
    p, draws = [0.5, 0.5], 10_000  # a standard error is 0.005
    assert near([0.524, 0.476], p, draws) and not near([0.526, 0.474], p, draws)
    assert near([1.0, 0.0], [1.0, 0.0], draws) and not near([0.999, 0.001], [1.0, 0.0], draws)


def damages(*args):
    for a in args:
        if isinstance(a, np.ndarray):
            a[...] = 0
        elif isinstance(a, (dict, list)):
            a.clear()
    return 1.0


@pytest.mark.parametrize("name", check.EXERCISES)
def test_damage_does_not_last(name):
    """A wrong answer that destroys its arguments must not make the right one fail afterwards."""
    grade(name, (damages,) * len(ANSWERS[name]))
    assert grade(name, tuple(getattr(solutions, answer) for answer in ANSWERS[name]))


def test_the_tracing_of_others_is_left_as_it_was():
    import sys

    seen = []

    def own(frame, event, argument):
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(own)
    try:
        check.tanh_rule(solutions.tanh_rule)
        now = sys.gettrace()
    finally:
        sys.settrace(before)
    assert now is own


@pytest.mark.parametrize(
    "name, answer",
    [
        ("sample_path", lambda *args: tuple(solutions.sample_path(*args))),
        ("sample_path", lambda *args: np.array(solutions.sample_path(*args))),
        ("magnitude_draw", lambda *args: list(solutions.magnitude_draw(*args))),
        ("wilson_interval", lambda *args: np.array(solutions.wilson_interval(*args))),
        ("best_path", lambda *args: list(solutions.best_path(*args))),
        ("best_path", lambda *args: (lambda product, path: (product, np.array(path)))(*solutions.best_path(*args))),
        ("tanh_rule", lambda out, x: np.asarray(1 - out**2)),
        ("spad", lambda *args: np.array(solutions.spad(*args))),
        ("list_paths", lambda *args: list(map(list, solutions.list_paths(*args)))),
        ("backward", lambda *args: {**dict.fromkeys([r for r, _ in args[0]], 0.0), **solutions.backward(*args)}),
        ("count_paths", lambda graph, source, output: solutions.count_paths(graph, source, output)),
        ("linear_memory", (lambda x, k, rng: in_single(solutions.linear_memory(x, k, rng)), solutions.linear_gradient)),
    ],
)
def test_right_answers_of_another_kind_pass(name, answer):
    assert grade(name, answer)


def in_single(saved):
    return (saved[0].astype(np.float32), *saved[1:])


@pytest.mark.parametrize("stop", [SystemExit, MemoryError, RecursionError, StopIteration, OverflowError])
def test_whatever_an_answer_raises_is_a_verdict(stop):
    def answer(*args):
        raise stop

    assert check.tanh_rule(answer).misconception in ("raises", "recursion")


def test_ctrl_c_goes_through():
    def answer(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.tanh_rule(answer)


def test_two_functions_are_asked_for_by_name():
    with pytest.raises(BadInput, match=r"check\.linear_memory\(save, gradient\): it takes 2, not 1"):
        check.linear_memory(solutions.linear_memory)
