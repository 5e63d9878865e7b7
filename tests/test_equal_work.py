"""Functions with many minima, and runs that may take so much work: against formulas, loops by hand, and SciPy."""

import pickle
import sys

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.__main__ import main
from tinyspad.errors import BadInput
from tinyspad.experiments import FAMILIES, MULTIMODAL_METHODS, multimodal
from tinyspad.experiments import equal_work as work_of
from tinyspad.experiments.blocks import Cell, _cut

RATED = [name for name in MULTIMODAL_METHODS if name != "basin hopping"]  # which needs SciPy


# --- the functions ---------------------------------------------------------------------------------------------------

BY_HAND = {
    "rastrigin": lambda x: 10 * len(x) + np.sum(x * x - 10 * np.cos(2 * np.pi * x)),
    "griewank": lambda x: 1 + x @ x / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1)))),
    "drop_wave": lambda x: -(1 + np.cos(12 * np.linalg.norm(x))) / (0.5 * x @ x + 2),
    "cosine_mixture": lambda x: x @ x - 0.1 * np.sum(np.cos(5 * np.pi * x)),
    "styblinski_tang": lambda x: np.sum(x**4 - 16 * x**2 + 5 * x) / 2,
    "schwefel": lambda x: 418.98288727243374 * len(x) - np.sum(x * np.sin(np.abs(x) ** 0.5)),
    "michalewicz": lambda x: -np.sum(np.sin(x) * np.sin(np.arange(1, len(x) + 1) * x**2 / np.pi) ** 20),
    "shubert": lambda x: sum(np.sum(j * np.sin((j + 1) * x + j)) for j in (1, 2, 3, 4, 5)),
}
LEAST = {
    ("drop_wave", 10): -1.0,
    ("cosine_mixture", 2): -0.2,
    ("styblinski_tang", 10): -391.6616570377142,
    ("michalewicz", 2): -1.8013034,
    ("michalewicz", 10): -9.6601517,
    ("shubert", 2): -29.675900051421,
}
"""Minima as they are told elsewhere; all others are 0."""


@pytest.mark.parametrize("n", [2, 10])
@pytest.mark.parametrize("name", FAMILIES)
def test_functions_are_their_formulas_and_their_minima_are_known(name, n):
    family, problem = FAMILIES[name], FAMILIES[name].problem(n)
    rng = np.random.default_rng(0)
    points = rng.uniform(*family.side, (n, 20_000))
    values = problem(*points)
    np.testing.assert_allclose(values[:50], [BY_HAND[name](x) for x in points.T[:50]], rtol=1e-12, atol=1e-10)
    known = {"rastrigin": 0.0, "griewank": 0.0, "schwefel": 0.0}.get(name, LEAST.get((name, n)))
    if known is not None:
        assert problem.minimum == pytest.approx(known, abs=1e-7)
    least = np.array(problem.minimizer)
    assert np.all(values > problem.minimum) and len(least) == n == len(problem.box)
    near = np.clip(least[:, None] + rng.normal(0, 1e-4 * family.width, (n, 20_000)), *family.side)
    assert np.min(problem(*near)) >= problem.minimum - 1e-12 * max(1, abs(problem.minimum))
    lcg = ts.trace(problem, *(least + 1e-9 * family.width))  # drop_wave has no slope at the minimum itself
    assert max(map(abs, lcg.gradient().values())) < 1e-3


@pytest.mark.parametrize("name", ["styblinski_tang", "schwefel", "michalewicz", "shubert"])
def test_coordinates_of_a_sum_are_least_by_themselves(name):
    """A sum over coordinates is least where each term is: along each axis, by a grid that no basin can hide from."""
    family = FAMILIES[name]
    for i, least in enumerate(family.minimizer):
        point = np.zeros(10) + np.mean(family.side)
        grid = np.linspace(*family.side, 20_001)
        values = family.formula(*point[:i], grid, *point[i + 1 :])
        assert abs(grid[np.argmin(values)] - least) < family.width / 15_000


@pytest.mark.parametrize("name", FAMILIES)
def test_paths_are_those_of_the_writing(name):
    problem = FAMILIES[name].problem(3)
    lcg = ts.trace(problem, *(c + 0.1 for c in problem.minimizer))
    number = {"styblinski_tang": 3, "shubert": 5}.get(name, 2)
    assert [lcg.count_paths(p) for p in lcg.params] == [number] * 3
    agrees = name in ("rastrigin", "griewank", "drop_wave", "cosine_mixture")
    assert FAMILIES[name].agrees() == FAMILIES[name].agrees(10) == agrees
    assert " at 0x" not in repr(problem.formula.__code__.co_consts)  # a file of kept blocks goes by it
    again = pickle.loads(pickle.dumps(problem))
    assert again.name == problem.name == f"{name}, 3-D" and again(1.0, 2.0, 3.0) == problem(1.0, 2.0, 3.0)


def test_functions_have_one_to_ten_dimensions():
    assert FAMILIES["rastrigin"].problem(1)(1.0) == 1.0
    for n in (0, 11, 2.5, "two"):
        with pytest.raises(BadInput, match="dimensions="):
            FAMILIES["rastrigin"].problem(n)


# --- the methods -----------------------------------------------------------------------------------------------------


def block_of(problem, method, lr, runs, work, seed=0):
    way = MULTIMODAL_METHODS[method]
    optimizer = ts.Adam(lr=lr, moments=way.moments)
    return _cut(
        Cell("a cell", problem, problem.box, way.estimator, optimizer, runs, work, way.run),
        np.random.SeedSequence(seed),
    )[0]


def adam_by_hand(slope, value, x, lr, points):
    """The values at the first so many points of Adam, for starts x of shape (n, runs)."""
    m, v, found = 0.0, 0.0, []
    for t in range(1, points + 1):
        found.append(value(x))
        g = slope(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return np.array(found)


def styblinski(x):
    return np.sum(x**4 - 16 * x**2 + 5 * x, axis=0) / 2


def styblinski_slope(x):
    return 2 * x**3 - 16 * x + 2.5


@pytest.mark.parametrize("work", [1, 130])
def test_gd_is_the_least_of_the_values_at_its_points(work):
    block = block_of(FAMILIES["styblinski_tang"].problem(3), "GD", 0.05, 20, work)
    starts, _ = block.begin()
    values = adam_by_hand(styblinski_slope, styblinski, np.array(starts), 0.05, work)
    np.testing.assert_allclose(block.cell.run(block), values.min(axis=0), rtol=1e-9)


@pytest.mark.parametrize("work", [150, 400, 470])
def test_restarts_share_the_work(work):
    block = block_of(FAMILIES["styblinski_tang"].problem(2), "GD, restarts", 0.05, 20, work)
    starts, rng = block.begin()
    number = -(-work // 200)
    more = [rng.uniform(-5, 5, (number - 1) * 20) for _ in range(2)]
    least = np.full(20, np.inf)
    for k in range(number):
        fresh = np.array(starts) if k == 0 else np.array([c[20 * (k - 1) : 20 * k] for c in more])
        values = adam_by_hand(styblinski_slope, styblinski, fresh, 0.05, min(200, work - 200 * k))
        least = np.minimum(least, values.min(axis=0))
    np.testing.assert_allclose(block.cell.run(block), least, rtol=1e-9)


def test_selections_are_work():
    for work in range(1, 120):
        for k in (1, 7, 50):
            points = 0  # the most for which steps and selections are no more than the work
            while points + 1 + -(-(points + 1) // k) <= work:
                points += 1
            assert work_of.evaluations(ts.SPAD(k_max=k), work) == points
        assert work_of.evaluations(ts.RAD(hold=50), work) == work_of.evaluations(ts.SPAD(m=1, k_max=9), work) == work
    problem = FAMILIES["rastrigin"].problem(2)
    assert np.all(np.isinf(block_of(problem, "SPAD", 0.1, 5, 1).cell.run(block_of(problem, "SPAD", 0.1, 5, 1))))
    one = block_of(problem, "SPAD", 0.1, 5, 2)
    np.testing.assert_allclose(one.cell.run(one), problem(*one.begin()[0]))


def test_rad_succeeds_as_often_as_a_loop_by_hand():
    """Of Rastrigin's function each coordinate draws one of two paths, each with its own m, v and t."""
    block = block_of(FAMILIES["rastrigin"].problem(2), "RAD", 0.0614, 300, 700)
    x, rng = np.array(block.begin()[0]), np.random.default_rng(1)
    m, v, t = np.zeros((3, 2, *x.shape))
    least = np.full(300, np.inf)
    one = np.arange(2)[:, None], np.arange(300)
    for _ in range(700):
        least = np.minimum(least, 20 + np.sum(x * x - 10 * np.cos(2 * np.pi * x), axis=0))
        path = rng.integers(0, 2, x.shape)
        at = path, *one
        g = np.where(path == 0, 2 * x, 20 * np.pi * np.sin(2 * np.pi * x))
        t[at] += 1
        m[at] = 0.9 * m[at] + 0.1 * g
        v[at] = 0.999 * v[at] + 0.001 * g**2
        x = x - 0.0614 * (m[at] / (1 - 0.9 ** t[at])) / (np.sqrt(v[at] / (1 - 0.999 ** t[at])) + 1e-8)
    same_rate(np.sum(least < 0.05), 300, np.sum(np.array(block.cell.run(block)) < 0.05), 300)
    assert 0.05 < np.mean(least < 0.05) < 0.95


def same_rate(good, runs, others, of):
    """Two samples of one rate are 3.3 standard errors apart at most (p = 0.001); at 0 and 1 of a single run."""
    p = (good + others + 1) / (runs + of + 2)
    assert abs(good / runs - others / of) <= 3.3 * np.sqrt(p * (1 - p) * (1 / runs + 1 / of)), (good, runs, others, of)


def _falls(x):
    return -x


def test_what_is_evaluated_outside_of_the_box_does_not_count():
    problem = ts.functions.Problem("falls", _falls, ((0.0, 1.0),), -1.0, ((1.0,),), "here")
    for method in ("GD", "RAD", "GD, restarts"):
        block = block_of(problem, method, 0.03, 9, 100)
        found = np.array(block.cell.run(block))
        assert np.all(found >= -1) and np.all(found < -0.97)


def test_noise_is_isotropic_and_has_the_mean_square_of_rads_error():
    rng = np.random.default_rng(0)
    problem = FAMILIES["shubert"].problem(2)
    lcg = ts.trace(problem, 1.2, 0.4)
    listed = [lcg.path_gradients(name) for name in lcg.params]
    expected = np.mean([np.mean((5 * g - np.sum(g)) ** 2) for g in listed])  # 5 equally likely draws of each
    noisy = work_of.Noisy()
    for name in lcg.params:
        assert noisy.variance(lcg, name) == pytest.approx(expected) and abs(noisy.bias(lcg, name)) < 1e-12
    batch = ts.trace(problem, np.full(4000, 1.2), np.full(4000, 0.4))
    drawn = np.array([noisy.draw(batch, name, None, rng).gradient - batch.adjoint(name) for name in batch.params])
    for noise in drawn:
        assert abs(np.mean(noise)) < 5 * np.sqrt(expected / 4000)
        assert abs(np.mean(noise**2) / expected - 1) < 5 * np.sqrt(2 / 4000)
    assert abs(np.corrcoef(drawn)[0, 1]) < 5 / np.sqrt(4000)


def test_basin_hopping_is_scipys_and_is_counted_as_scipy_counts():
    optimize = pytest.importorskip("scipy.optimize")
    problem = FAMILIES["styblinski_tang"].problem(2)
    program, box = ts.compile(problem, 2), np.array(problem.box)
    counted = work_of.Counted(program, box, 10**6)
    settings = {"method": "L-BFGS-B", "jac": True, "bounds": problem.box}
    found = optimize.basinhopping(counted, [1.0, 2.0], niter=3, minimizer_kwargs=settings)
    assert 10**6 - counted.left == found.nfev + found.njev and counted.least == pytest.approx(found.fun)
    value, gradient = counted(np.array([0.3, -0.4]))
    assert value == pytest.approx(styblinski(np.array([0.3, -0.4])))
    np.testing.assert_allclose(gradient, styblinski_slope(np.array([0.3, -0.4])))
    assert counted(np.array([-2.9, 60.0]))[0] > 0 and counted(np.array([-9.0, 0.0]))[0] != counted.least
    by_work = []
    for work in (1, 2, 20, 2000):
        block = block_of(problem, "basin hopping", 0.1, 4, work)
        by_work.append(block.cell.run(block))
    assert np.all(np.isinf(by_work[0])) and np.all(np.diff(by_work[1:], axis=0) <= 0)
    np.testing.assert_allclose(by_work[1], problem(*block.begin()[0]))  # one point: the start
    block = block_of(FAMILIES["griewank"].problem(10), "basin hopping", 0.1, 4, 2000)  # the least dent of a smooth bowl
    assert np.all(np.array(block.cell.run(block)) < 0.05)


def test_no_more_is_evaluated_than_the_work_pays_for():
    pytest.importorskip("scipy.optimize")
    counted = work_of.Counted(ts.compile(FAMILIES["rastrigin"].problem(1), 1), np.array([[-5.0, 5.0]]), 5)
    counted(np.array([1.0]))
    counted(np.array([2.0]))
    with pytest.raises(work_of._Spent):
        counted(np.array([0.0]))
    assert counted.least == 1.0


def test_without_scipy_basin_hopping_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(BadInput, match="Basin hopping is SciPy's, which is not installed"):
        multimodal("rastrigin", runs=2, work=2)
    assert multimodal("rastrigin", methods=RATED, runs=2, work=2).methods == tuple(RATED)
    assert main(["multimodal", "rastrigin", "--runs", "2", "--work", "2"]) == 2
    assert capsys.readouterr().err.startswith("tinyspad: Basin hopping is SciPy's")
