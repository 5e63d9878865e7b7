"""The test problems: minimum, minimisers, boxes, known values, and gradients that vanish where they should."""

import inspect
import pickle

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.functions import ALL, Problem

PROBLEMS = [pytest.param(p, id=name) for name, p in ALL.items()]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_minimum_is_taken_at_every_minimizer(problem):
    assert problem.minimizer == problem.minimizers[0] and problem.reference and problem.__doc__
    for point in problem.minimizers:
        assert problem(*point) == pytest.approx(problem.minimum, abs=1e-9)
        assert all(low <= x <= high for x, (low, high) in zip(point, problem.box, strict=True))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_nothing_in_the_box_is_lower(problem):
    rng = np.random.default_rng(0)
    anywhere = [rng.uniform(low, high, 100_000) for low, high in problem.box]
    nearby = [np.clip(m + rng.normal(0, 1e-3, 10_000), *b) for m, b in zip(problem.minimizer, problem.box)]
    for points in (anywhere, nearby):
        assert np.min(problem(*points)) >= problem.minimum - 1e-12 * max(1, abs(problem.minimum))


SMOOTH_INSIDE = [p for p in ALL.values() if p.name not in ("ackley", "ackley_product", "f2")]


@pytest.mark.parametrize("problem", [pytest.param(p, id=p.name) for p in SMOOTH_INSIDE])
def test_the_gradient_vanishes_at_every_minimizer(problem):
    for point in problem.minimizers:
        for slope in ts.trace(problem, *map(float, point)).gradient().values():
            assert slope == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("f1", (5.0,), 25 * (2 + np.cos(20))),
        ("f2", (1.0, 2.0), 3 * np.e),
        ("ackley", (1.0, 1.0), 3.6253849384403627),  # 20 + e - 20 exp(-0.2) - e
        ("ackley_product", (0.0, 0.0), np.e + 20 - 20 * np.e),
        ("beale", (0.0, 0.0), 14.203125),
        ("levi", (1.0, 1.0), 0.0),
        ("levi", (0.0, 0.0), 2.0),
        ("schaffer2", (0.0, 0.0), 0.0),
        ("rosenbrock", (-1.0, 1.0), 4.0),
        ("himmelblau", (0.0, 0.0), 170.0),
        ("rastrigin", (0.5, 0.5), 40.5),
        ("griewank", (0.0, 0.0), 0.0),
        ("booth", (0.0, 0.0), 74.0),
        ("matyas", (1.0, 1.0), 0.04),
        ("three_hump_camel", (1.0, 0.0), 2 - 1.05 + 1 / 6),
        ("easom", (0.0, 0.0), -np.exp(-2 * np.pi**2)),
        ("goldstein_price", (1.0, 1.0), 1876.0),
        ("mccormick", (0.0, 0.0), 1.0),
        ("styblinski_tang", (0.0, 0.0), 0.0),
    ],
)
def test_known_values(name, point, value):
    assert ALL[name](*point) == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_take_arrays_and_keep_their_parameters_names(problem):
    rng = np.random.default_rng(1)
    points = [rng.uniform(low, high, 5) for low, high in problem.box]
    np.testing.assert_allclose(problem(*points), [problem(*p) for p in zip(*points, strict=True)], rtol=1e-13)
    assert list(inspect.signature(problem).parameters) == ["x", "y"][: len(problem.box)]
    assert pickle.loads(pickle.dumps(problem)) is problem
    assert getattr(ts.functions, problem.name) is problem


def test_a_problem_of_ones_own():
    mine = Problem("mine", np.square, 0.0, ((0.0,),), ((-1.0, 1.0),), "here")
    assert mine(3.0) == 9.0 and ts.trace(mine, 3.0).gradient() == {"x": 6.0}
    assert pickle.loads(pickle.dumps(mine))(2.0) == 4.0
