"""The graders against answers of a reader who had not seen them: subtle mistakes are refused, unusual right answers pass."""

import fresh_right_estimates
import fresh_right_paths
import fresh_wrong_estimates
import fresh_wrong_paths
import pytest
from test_check import grade

from tinyspad import check

WRONG = fresh_wrong_paths.WRONG | fresh_wrong_estimates.WRONG
RIGHT = fresh_right_paths.RIGHT | fresh_right_estimates.RIGHT


def case(name, answer):
    """One test; those of sample_path take seconds, as it is asked for thousands of paths."""
    return pytest.param(name, answer, marks=[pytest.mark.slow] if name == "sample_path" else [])


def test_every_exercise_has_such_answers():
    assert set(WRONG) == set(RIGHT) == set(check.EXERCISES)
    assert min(map(len, WRONG.values())) >= 3 and min(map(len, RIGHT.values())) >= 2


@pytest.mark.parametrize("name, mistake", [case(name, mistake) for name in WRONG for mistake in WRONG[name]])
def test_a_subtle_mistake_is_refused_with_a_hint_and_an_example(name, mistake):
    verdict = grade(name, WRONG[name][mistake])
    assert not verdict
    assert len(verdict.hint) > 20 and verdict.example


@pytest.mark.parametrize("name, i", [case(name, i) for name in RIGHT for i in range(len(RIGHT[name]))])
def test_an_unusual_right_answer_passes(name, i):
    verdict = grade(name, RIGHT[name][i])
    assert verdict, str(verdict)
