"""Estimators: exact expectation and variance by enumeration, Monte Carlo within five sigma, holding, and refusals."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from programs import Program

import tinyspad as ts
from tinyspad.errors import BadInput

f1 = ts.functions.f1
ALL = [
    ts.GD(),
    ts.RAD(),
    ts.RAD(normalize=True),
    ts.RAD(by="branch"),
    ts.RAD(by="branch", normalize=True),
    ts.SPAD(),
    ts.SPAD(m=1),
    ts.SPAD(m=2),
    ts.SPAD(m=3, replace=True),
    ts.SPAD(m=2, epsilon=0.3),
    ts.SPAD(epsilon=0.2, normalize=True),
    ts.SPAD(m=2, epsilon=0.4, normalize=True),
    ts.SPAD(m=2, epsilon=0.4, normalize=True, replace=True),
    ts.SPAD(m=1, epsilon=0.3, normalize=True, replace=True),
    ts.FixedPath(1),
    ts.NearestPath(),
    ts.NearestPath(m=2),
    ts.Magnitude(),
    ts.Magnitude(normalize=False),
    ts.Magnitude(k_max=3),
]
NORMALIZED = [e for e in ALL if getattr(e, "normalize", False)]


def graph(seed=3):
    """A program of two parameters with between four and forty paths from the first."""
    program = Program(seed, params=2, length=9)
    lcg = ts.trace(lambda x, y: program(x, y), *program.point(seed))
    assert 4 <= lcg.count_paths("x") <= 40
    return lcg


def every_draw(estimator, lcg, param):
    """(probability, estimate) of every outcome, by enumerating every draw; independent of the closed forms."""
    g = lcg.path_gradients(param)
    n = len(g)
    if isinstance(estimator, ts.GD):
        return [(1.0, g.sum())]
    if isinstance(estimator, ts.FixedPath):
        return [(1.0, g[estimator.index])]
    if isinstance(estimator, ts.RAD):
        chance = []
        for path in lcg.paths(param):
            tupled = [node for node in path.nodes if node in lcg.tupling_nodes]
            width = [sum(tail == node for tail, _, _ in lcg.edges) for node in tupled]
            chance.append(1 / n if estimator.by == "path" else 1 / np.prod(width))
        return [(p, gi / p if estimator.normalize else gi) for p, gi in zip(chance, g)]
    if isinstance(estimator, ts.Magnitude):
        chance = np.abs(g) / np.abs(g).sum() if np.any(g) else np.full(n, 1 / n)
        return [(p, gi / p if estimator.normalize else gi) for p, gi in zip(chance, g) if p > 0]
    if isinstance(estimator, ts.NearestPath):
        sets = list(itertools.combinations(range(n), n if estimator.m is None else estimator.m))
        nearest = [min(candidates, key=lambda i: (abs(g[i] - g.sum()), i)) for candidates in sets]
        return [(1 / len(sets), g[i]) for i in nearest]
    assert isinstance(estimator, ts.SPAD), f"every_draw: say what {type(estimator).__name__} draws, by enumeration"
    m = n if estimator.m is None else min(estimator.m, n)
    sets = list(
        itertools.product(range(n), repeat=estimator.m) if estimator.replace else itertools.combinations(range(n), m)
    )
    outcomes = []
    for candidates in sets:
        best = min(candidates, key=lambda i: (-abs(g[i]), i))
        for j in range(n):
            p = 1 - estimator.epsilon if j == best else estimator.epsilon / (n - 1)
            if p:
                outcomes.append((p / len(sets), g[j] / p if estimator.normalize else g[j]))
    return outcomes


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_law_3_expectation_and_variance_are_sums_over_all_draws(estimator):
    lcg = graph()
    outcomes = every_draw(estimator, lcg, "x")
    p, e = np.array(outcomes).T
    assert p.sum() == pytest.approx(1.0)
    mean = np.sum(p * e)
    assert estimator.expectation(lcg, "x") == pytest.approx(mean, rel=1e-12)
    variance = np.sum(p * (e - mean) ** 2)
    assert estimator.variance(lcg, "x") == pytest.approx(variance, rel=1e-10, abs=1e-12)
    assert estimator.second_moment(lcg, "x") == pytest.approx(np.sum(p * e**2), rel=1e-10)
    assert estimator.bias(lcg, "x") == pytest.approx(mean - lcg.gradient()["x"], rel=1e-10, abs=1e-12)
    assert estimator.expectation(lcg).keys() == estimator.variance(lcg).keys() == {"x", "y"}
    assert estimator.variance(lcg)["x"] == estimator.variance(lcg, "x")


@pytest.mark.parametrize("estimator", NORMALIZED, ids=repr)
@pytest.mark.parametrize("seed", [3, 6])
def test_normalised_estimators_are_unbiased(estimator, seed):
    lcg = graph(seed)
    assert estimator.expectation(lcg, "x") == pytest.approx(lcg.gradient()["x"], rel=1e-12)


FAST = [e for e in ALL if not isinstance(e, (ts.SPAD, ts.NearestPath)) or e.m is None]
FAST.remove(ts.Magnitude(k_max=3))  # where a contribution is zero, it mixes in a floor


@example(seed=146, estimator=ts.GD())  # the contributions cancel
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), estimator=st.sampled_from(FAST))
def test_the_algebra_agrees_with_brute_force_on_random_programs(seed, estimator):
    program = Program(seed, params=2, length=10)
    lcg = ts.trace(lambda x, y: program(x, y), *program.point(seed))
    n = lcg.count_paths("x")
    if n > 500 or (isinstance(estimator, ts.FixedPath) and n < 2):
        return
    if n == 0:
        assert estimator.expectation(lcg, "x") == estimator.variance(lcg, "x") == 0.0
        return
    p, e = np.array(every_draw(estimator, lcg, "x") if n > 1 else [(1.0, lcg.path_gradients("x")[0])]).T
    mean = np.sum(p * e)
    size = np.sum(p * np.abs(e)) + np.sum(np.abs(lcg.path_gradients("x")))
    assert estimator.expectation(lcg, "x") == pytest.approx(mean, rel=1e-10, abs=1e-10 * size)
    exact = np.sum(p * (e - mean) ** 2)
    assert estimator.variance(lcg, "x") == pytest.approx(exact, rel=1e-10, abs=1e-20 * size**2 + 1e-300)


def signed_chain(x, stages=200):
    for _ in range(stages):
        x = 0.6 * x - 0.5 * x
    return x


def test_moments_of_two_to_the_two_hundredth_paths():
    """By hand: sums over the paths of a chain of stages are powers of sums over one stage."""
    lcg = ts.trace(signed_chain, 1.0)
    k = 200
    n, total, mass, squares, largest = 2**k, 0.1**k, 1.1**k, 0.61**k, 0.6**k
    moment = {
        ts.RAD(normalize=True): n * squares,
        ts.RAD(by="branch", normalize=True): n * squares,
        ts.RAD(): squares / n,
        ts.Magnitude(): mass**2,
        ts.Magnitude(normalize=False): squares * 1.0 / mass * (0.216 + 0.125) ** k / squares,
        ts.SPAD(): largest**2,
        ts.SPAD(m=1, epsilon=0.3): squares / n,
        ts.SPAD(epsilon=0.3, normalize=True): largest**2 / 0.7 + (n - 1) * (squares - largest**2) / 0.3,
    }
    for estimator, expected in moment.items():
        assert estimator.second_moment(lcg, "x") == pytest.approx(expected, rel=1e-10), estimator
        if getattr(estimator, "normalize", False):
            assert estimator.expectation(lcg, "x") == pytest.approx(total, rel=1e-6, abs=1e-10 * mass)
    with pytest.raises(ts.TooManyPaths):
        ts.SPAD(m=2).variance(lcg, "x")
    with pytest.raises(ts.TooManyPaths, match="Give it m"):
        ts.NearestPath().draw(lcg, "x", None, np.random.default_rng(0))
    assert ts.NearestPath(m=3).draw(lcg, "x", None, np.random.default_rng(0)).path >= 0


def test_moments_where_squares_overflow_and_where_shares_underflow():
    large = ts.trace(lambda x: 1e200 * x + 2e200 * x + 3e200 * x, 1.0)
    for estimator in (ts.RAD(), ts.RAD(normalize=True), ts.SPAD(m=1), ts.SPAD(epsilon=0.2), ts.GD()):
        assert estimator.expectation(large, "x") > 1e200
        assert estimator.second_moment(large, "x") == np.inf
    for certain in (ts.NearestPath(), ts.SPAD(), ts.FixedPath(1)):
        assert certain.variance(large, "x") == 0.0
    scaled = [ts.trace(lambda x, s=s: s * x + 2 * s * x + 3 * s * x, 1.0) for s in (1.0, 1e200, 1e-170)]
    assert {round(ts.SPAD.best_epsilon(lcg, "x"), 12) for lcg in scaled} == {
        round(ts.SPAD.best_epsilon(scaled[0], "x"), 12)
    }

    def lopsided(x):
        y = x
        for _ in range(1100):
            y = 0.5 * y + 0.5 * y
        return y + x  # one path of 2**1100 + 1: its share is below every float

    lcg = ts.trace(lopsided, 1.0)
    assert ts.RAD(normalize=True).expectation(lcg, "x") == pytest.approx(2.0)
    assert ts.RAD(normalize=True).variance(lcg, "x") == np.inf
    with pytest.raises(BadInput, match="largest float"):
        ts.SPAD(epsilon=0.3, normalize=True).variance(lcg, "x")
    assert ts.SPAD(epsilon=0.3).cost(lcg, "x").multiplications > 0


def test_numpy_integers_are_whole_numbers():
    lcg = ts.trace(lambda x: x + 2 * x + 3 * x + 4 * x + 5 * x, 1.0)
    for m in (40, 4):
        plain = ts.SPAD(m=m, replace=True)
        assert ts.SPAD(m=np.int8(m), replace=True) == plain
        assert ts.SPAD(m=np.int64(m), replace=True).expectation(lcg, "x") == plain.expectation(lcg, "x")
    assert ts.SPAD(k_max=np.int8(100)).cost(lcg, "x") == ts.SPAD(k_max=100).cost(lcg, "x")
    assert ts.SPAD(epsilon=np.float32(0.5)) == ts.SPAD(epsilon=0.5)


def test_selection_from_many_candidates_is_quick_and_adds_up():
    lcg = graph()
    for estimator in (ts.SPAD(m=10**9, replace=True), ts.SPAD(m=2), ts.SPAD(m=3, replace=True)):
        assert estimator.probabilities(lcg, "x").sum() == pytest.approx(1.0, rel=1e-12)
    assert ts.SPAD(m=10**9, replace=True).probabilities(lcg, "x").max() == 1.0


def test_best_epsilon_is_the_least():
    lcg = graph()
    best = ts.SPAD.best_epsilon(lcg, "x")
    at_best = ts.SPAD(epsilon=best, normalize=True).variance(lcg, "x")
    for epsilon in (0.9 * best, 0.5 * (1 + best), 0.01):
        assert ts.SPAD(epsilon=epsilon, normalize=True).variance(lcg, "x") > at_best
    g = np.abs(lcg.path_gradients("x"))
    b = np.sqrt((len(g) - 1) * (np.sum(g**2) - g.max() ** 2))
    assert best == pytest.approx(b / (g.max() + b), rel=1e-12)
    xs = np.linspace(1.0, 3.0, 4)
    batch = ts.SPAD.best_epsilon(ts.trace(f1, xs), "x")
    np.testing.assert_allclose(batch, [ts.SPAD.best_epsilon(ts.trace(f1, float(x)), "x") for x in xs])


def test_best_epsilon_at_the_edges():
    assert ts.SPAD.best_epsilon(ts.trace(np.sin, 1.0), "x") == 0.0  # one path
    assert ts.SPAD.best_epsilon(ts.trace(lambda x: 0.0 * x + 0.0 * x, 1.0), "x") == 0.5  # nothing to choose: uniform
    assert ts.SPAD.best_epsilon(ts.trace(lambda x, y: x, 1.0, 2.0), "y") == 0.0


def test_magnitude_has_the_least_variance_of_all_normalised_ones():
    for seed in range(3, 9):
        program = Program(seed, params=2, length=9)
        lcg = ts.trace(lambda x, y: program(x, y), *program.point(seed))
        g = lcg.path_gradients("x")
        least = ts.Magnitude().second_moment(lcg, "x")
        assert least == pytest.approx(np.abs(g).sum() ** 2, rel=1e-10)
        for other in (ts.RAD(normalize=True), ts.RAD(by="branch", normalize=True)):
            assert other.second_moment(lcg, "x") >= least * (1 - 1e-12)


def test_magnitude_stays_unbiased_while_its_distribution_is_reused():
    """Refreshed at x = 5, used at x = 2: the probabilities are those of x = 5, and the mean is the gradient at 2."""
    estimator, rng = ts.Magnitude(k_max=2), np.random.default_rng(0)
    there, here = ts.trace(f1, 5.0), ts.trace(f1, 2.0)
    g, p = here.path_gradients("x"), estimator.probabilities(there, "x")
    drawn = []
    for _ in range(4000):
        _, _, state = estimator.draw(there, "x", None, rng)
        gradient, path, state = estimator.draw(here, "x", state, rng)
        assert gradient == pytest.approx(g[path] / p[path], rel=1e-12) and state.left == 0
        drawn.append(gradient)
    error = np.sqrt(np.sum(p * (g / p - g.sum()) ** 2) / 4000)
    assert abs(np.mean(drawn) - g.sum()) < 5 * error


def test_magnitude_reused_rules_no_path_out():
    """At 0 the second term of x**2 + x has all the share; a step later the first counts, too."""
    lcg = ts.trace(lambda x: x**2 + x, 0.0)
    assert ts.Magnitude().probabilities(lcg, "x").tolist() == [0.0, 1.0]
    np.testing.assert_allclose(ts.Magnitude(k_max=5).probabilities(lcg, "x"), [0.005, 0.995])
    assert ts.Magnitude(k_max=5).expectation(lcg, "x") == pytest.approx(1.0)


def test_magnitude_where_every_contribution_is_zero():
    lcg = ts.trace(lambda x: 0.0 * x + 0.0 * x, 1.0)
    assert ts.Magnitude().draw(lcg, "x", None, np.random.default_rng(0)).gradient == 0.0
    assert ts.Magnitude().variance(lcg, "x") == 0.0
    mixed = ts.trace(lambda x: x**2 + x**3, np.array([0.0, 1.0]))
    assert ts.Magnitude().draw(mixed, "x", None, np.random.default_rng(0)).gradient[0] == 0.0


def test_magnitude_and_nearest_through_linear_maps():
    lcg = ts.trace(lambda w: np.sum(w * w) + w[0] ** 3, np.array([0.5, -1.0]))
    g = lcg.path_gradients("w")
    norms = np.linalg.norm(g, axis=1)
    magnitude = ts.Magnitude()
    np.testing.assert_allclose(magnitude.probabilities(lcg, "w", paths="arrays"), norms / norms.sum())
    np.testing.assert_allclose(magnitude.expectation(lcg, "w", paths="arrays"), g.sum(axis=0))
    draw = magnitude.draw(lcg, "w", None, np.random.default_rng(0))
    np.testing.assert_allclose(draw.gradient, g[draw.path] * norms.sum() / norms[draw.path])
    nearest = int(np.argmin(np.linalg.norm(g - g.sum(axis=0), axis=1)))
    assert ts.NearestPath().draw(lcg, "w", None, None).path == nearest
    for estimator in (magnitude, ts.NearestPath(), ts.GD(), ts.RAD(), ts.SPAD()):
        for paths in ("numbers", "arrays"):
            assert estimator.variance(lcg, "w", paths=paths).shape == (2,)
            assert estimator.cost(lcg, "w", paths=paths).held > 0


# --- cost -------------------------------------------------------------------------------------------------------------


def test_costs_by_hand():
    """f1 has paths of 2 and of 4 factors: x1**2, * d and 4 * x2, cos, 2 +, * a."""
    lcg = ts.trace(f1, 5.0)  # the second path is the larger, the first the nearer
    expected = {
        ts.GD(): (6, 6),
        ts.RAD(): (3, 3),
        ts.FixedPath(0): (2, 2),
        ts.SPAD(): (6 + 4, 6),
        ts.SPAD(k_max=4): (6 / 4 + 4, (6 + 3 * 4) / 4),
        ts.SPAD(epsilon=0.5): (6 + 3, 6),
        ts.SPAD(m=1, k_max=4): (3, 3),
        ts.SPAD(m=2, k_max=4): (2 * 3 / 4 + 4, (3 + 3 * 4) / 4),
        ts.NearestPath(k_max=2): ((6 + 2 * 3) / 2 + 4, (6 + 4) / 2),
    }
    for estimator, cost in expected.items():
        assert estimator.cost(lcg, "x") == pytest.approx(cost), estimator
    g1, g2 = np.abs(lcg.path_gradients("x"))
    length = (2 * g1 + 4 * g2) / (g1 + g2)
    assert ts.Magnitude(k_max=3).cost(lcg) == pytest.approx((6 / 3 + length, (6 + 2 * length) / 3))


def test_costs_in_a_batch_are_those_of_the_runs():
    xs = np.array([0.2, 5.0])
    for estimator in (ts.SPAD(), ts.SPAD(m=2, k_max=3), ts.Magnitude(), ts.RAD(by="branch"), ts.NearestPath()):
        together = estimator.cost(ts.trace(f1, xs), "x")
        for r, x in enumerate(xs):
            alone = estimator.cost(ts.trace(f1, float(x)), "x")
            assert np.broadcast_to(together.multiplications, 2)[r] == pytest.approx(alone.multiplications)
            assert np.broadcast_to(together.held, 2)[r] == pytest.approx(alone.held)


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_law_3_monte_carlo_agrees_within_five_standard_errors(estimator):
    lcg = graph()
    rng = np.random.default_rng(0)
    n = 4000
    drawn = np.array([estimator.draw(lcg, "x", None, rng).gradient for _ in range(n)])
    error = np.sqrt(estimator.variance(lcg, "x") / n)
    assert abs(drawn.mean() - estimator.expectation(lcg, "x")) <= 5 * error + 1e-12


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_probabilities_are_those_of_the_paths_drawn(estimator):
    lcg = graph()
    p = estimator.probabilities(lcg, "x")
    assert p.shape == (lcg.count_paths("x"),)
    if isinstance(estimator, ts.GD):
        assert np.all(p == 1)
        return
    assert p.sum() == pytest.approx(1.0)
    rng = np.random.default_rng(1)
    n = 4000
    drawn = np.bincount([estimator.draw(lcg, "x", None, rng).path for _ in range(n)], minlength=len(p)) / n
    assert np.all(np.abs(drawn - p) <= 5 * np.sqrt(p * (1 - p) / n) + 1e-12)


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_the_gradient_drawn_is_that_of_the_path_named(estimator):
    lcg = graph()
    g = lcg.path_gradients("x")
    rng = np.random.default_rng(2)
    for _ in range(20):
        gradient, path, _ = estimator.draw(lcg, "x", None, rng)
        if isinstance(estimator, ts.GD):
            assert gradient == pytest.approx(g.sum(), rel=1e-12)
        elif not getattr(estimator, "normalize", False):
            assert gradient == pytest.approx(g[path], rel=1e-12)
        else:
            drawn_from = isinstance(estimator, (ts.RAD, ts.Magnitude))
            p = estimator.probabilities(lcg, "x")[path] if drawn_from else None
            ratio = g[path] / gradient
            n = len(g)
            assert (
                ratio == pytest.approx(p)
                if p
                else np.isclose(ratio, [1 - estimator.epsilon, estimator.epsilon / (n - 1)]).any()
            )


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_a_batch_draws_for_each_run(estimator):
    program = Program(3, params=2, length=9)
    points = program.point(5, (400,))
    lcg = ts.trace(lambda x, y: program(x, y), *points)
    g = lcg.path_gradients("x")
    draw = estimator.draw(lcg, "x", None, np.random.default_rng(0))
    assert draw.gradient.shape == draw.path.shape == (400,)
    p = estimator.probabilities(lcg, "x")
    assert p.shape == g.shape
    if isinstance(estimator, ts.GD):
        np.testing.assert_allclose(draw.gradient, g.sum(axis=0), rtol=1e-9)
        return
    follows = g[draw.path, np.arange(400)]
    if not getattr(estimator, "normalize", False):
        np.testing.assert_allclose(draw.gradient, follows, rtol=1e-12)
    assert np.all(p[draw.path, np.arange(400)] > 0)
    deviation = draw.gradient - estimator.expectation(lcg, "x")
    spread = np.sqrt(np.sum(estimator.variance(lcg, "x")))
    assert abs(np.sum(deviation)) <= 5 * spread + 1e-9
    if isinstance(estimator, ts.RAD):
        assert len(set(draw.path.tolist())) > 2


@pytest.mark.parametrize("n", range(1, 7))
@pytest.mark.parametrize("m", range(1, 8))
def test_selection_counts_candidate_sets(n, m):
    def f(x):
        total = 0.0 * x
        for k in range(n - 1):
            total = total + (k + 1.0) * x
        return total

    lcg = ts.trace(f, 1.0)
    sizes = np.abs(lcg.path_gradients())
    size = min(m, n)
    best = [max(c, key=lambda i: sizes[i]) for c in itertools.combinations(range(n), size)]
    expected = np.bincount(best, minlength=n) / comb(n, size)
    np.testing.assert_allclose(ts.SPAD(m=m).selection(lcg, "x"), expected, atol=1e-12)


def test_spad_with_one_candidate_and_no_hold_is_rad():
    lcg = graph()
    np.testing.assert_allclose(ts.SPAD(m=1).probabilities(lcg, "x"), ts.RAD().probabilities(lcg, "x"))
    assert ts.SPAD(m=1).variance(lcg, "x") == pytest.approx(ts.RAD().variance(lcg, "x"))


def test_almost_dirac_variance_is_the_closed_form():
    """E[ghat^2] = a^2/(1-eps) + b^2/eps, least at eps = b/(a+b), where it is (a+b)^2."""
    lcg = graph()
    g = lcg.path_gradients("x")
    a = np.abs(g).max()
    b = np.sqrt((len(g) - 1) * (np.sum(g**2) - a**2))
    for epsilon in (0.1, 0.5, b / (a + b)):
        second = ts.SPAD(epsilon=epsilon, normalize=True).variance(lcg, "x") + g.sum() ** 2
        assert second == pytest.approx(a**2 / (1 - epsilon) + b**2 / epsilon, rel=1e-10)
    assert second == pytest.approx((a + b) ** 2, rel=1e-10)


def test_variance_keeps_its_digits_where_estimates_are_alike():
    lcg = ts.trace(lambda x: 1e9 * x + (1e9 + 1) * x + (1e9 + 2) * x, 1.0)
    assert ts.RAD().variance(lcg, "x") == pytest.approx(2 / 3, rel=1e-9)


def test_counts_past_the_largest_float():
    def f(x):
        for _ in range(1100):
            x = 0.5 * x + 0.5 * x
        return x

    lcg = ts.trace(f, 1.0)
    rng = np.random.default_rng(0)
    for estimator in (ts.RAD(), ts.SPAD(epsilon=0.1), ts.SPAD(m=2), ts.FixedPath(0), ts.RAD(by="branch")):
        assert estimator.draw(lcg, "x", None, rng).gradient == pytest.approx(0.5**1100)
    batch = ts.trace(f, np.ones(2))
    # 0.5**1100 times 2**1100: neither factor is a float, and the product is 1
    always_one = (ts.RAD(normalize=True), ts.RAD(by="branch", normalize=True), ts.Magnitude())
    for estimator in (*always_one, ts.SPAD(epsilon=1 - 1e-9, normalize=True)):
        assert estimator.draw(lcg, "x", None, rng).gradient == pytest.approx(1.0, rel=1e-6)
        np.testing.assert_allclose(estimator.draw(batch, "x", None, rng).gradient, 1.0, rtol=1e-6)
    for estimator in always_one:
        assert estimator.expectation(lcg, "x") == pytest.approx(1.0, rel=1e-10)
        assert estimator.variance(lcg, "x") == pytest.approx(0.0, abs=1e-20)
    assert ts.FixedPath(0).draw(batch, "x", None, rng).gradient.shape == (2,)
    with pytest.raises(ts.TooManyPaths):
        ts.FixedPath(0).probabilities(lcg, "x")


# --- holding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator", [ts.RAD(hold=7), ts.SPAD(m=2, k_max=7), ts.SPAD(m=1, k_max=7, replace=True)], ids=repr
)
def test_a_path_is_held_for_so_many_steps(estimator):
    lcg = graph()
    rng, state, followed = np.random.default_rng(0), estimator.init(), []
    for _ in range(70):
        _, path, state = estimator.draw(lcg, "x", state, rng)
        followed.append(path)
    blocks = np.reshape(followed, (10, 7))
    assert np.all(blocks == blocks[:, :1])
    assert len(set(blocks[:, 0])) > 2


def test_a_held_path_is_followed_while_its_size_changes():
    """SPAD at 5 selects g2, the larger; near 5.498 g2 vanishes, and it is still followed."""
    estimator, rng = ts.SPAD(k_max=3), np.random.default_rng(0)
    state = estimator.init()
    paths = []
    for x in (5.0, 5.4978, 5.4978, 5.4978):
        _, path, state = estimator.draw(ts.trace(f1, x), "x", state, rng)
        paths.append(path)
    assert paths == [1, 1, 1, 0]


def test_when_the_program_changes_shape_the_path_is_drawn_afresh():
    def f(x):
        return x * x if x > 0 else x * x * x

    estimator, rng = ts.RAD(hold=100), np.random.default_rng(0)
    _, _, state = estimator.draw(ts.trace(f, 1.0), "x", None, rng)
    seen = set()
    for sign in [-1.0, 1.0] * 30:
        _, path, state = estimator.draw(ts.trace(f, sign), "x", state, rng)
        seen.add((sign, path))
        assert state.left == 99
    assert {path for sign, path in seen if sign < 0} == {0, 1, 2}


def test_estimators_share_no_state():
    estimator = ts.RAD(hold=5)
    lcg = graph()
    first = estimator.draw(lcg, "x", None, np.random.default_rng(0))
    estimator.draw(lcg, "x", None, np.random.default_rng(1))
    again = estimator.draw(lcg, "x", None, np.random.default_rng(0))
    assert first == again
    with pytest.raises(AttributeError):
        estimator.hold = 3


# --- edges --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ALL, ids=repr)
def test_a_parameter_without_paths_has_gradient_zero(estimator):
    lcg = ts.trace(lambda x, y: x * x, 1.0, 2.0)
    assert estimator.draw(lcg, "y", None, np.random.default_rng(0))[:2] == (0.0, -1)
    batch = ts.trace(lambda x, y: x * x, np.ones(3), np.ones(3))
    np.testing.assert_array_equal(estimator.draw(batch, "y", None, np.random.default_rng(0)).gradient, np.zeros(3))


@pytest.mark.parametrize("estimator", [e for e in ALL if not isinstance(e, ts.FixedPath)], ids=repr)
def test_with_one_path_every_estimator_is_exact(estimator):
    lcg = ts.trace(np.sin, 1.0)
    assert estimator.draw(lcg, "x", None, np.random.default_rng(0)).gradient == np.cos(1.0)
    assert estimator.expectation(lcg, "x") == np.cos(1.0) and estimator.variance(lcg, "x") == pytest.approx(0.0)


def test_spad_and_rad_work_where_listing_is_hopeless():
    def f(x):
        for _ in range(200):
            x = 0.6 * x + 0.5 * x
        return x

    lcg = ts.trace(f, 1.0)
    for estimator in (
        ts.SPAD(k_max=5),
        ts.SPAD(m=3),
        ts.SPAD(m=3, replace=True, epsilon=0.5),
        ts.RAD(by="branch"),
        ts.RAD(),
    ):
        gradient, path, _ = estimator.draw(lcg, "x", None, np.random.default_rng(0))
        assert lcg.nth_path("x", path).gradient == pytest.approx(gradient)
    assert ts.SPAD().draw(lcg, "x", None, None).gradient == pytest.approx(0.6**200)
    batch = ts.trace(f, np.ones(3))
    for estimator in (ts.SPAD(), ts.SPAD(m=3, epsilon=0.5), ts.RAD(hold=3), ts.RAD(by="branch")):
        draw = estimator.draw(batch, "x", None, np.random.default_rng(0))
        np.testing.assert_allclose(draw.gradient, [lcg.nth_path("x", i).gradient for i in draw.path], rtol=1e-9)


def test_estimators_on_linear_maps_compare_norms():
    x = np.array([0.5, -1.0])
    lcg = ts.trace(lambda w: np.sum(w * w) + w[0] ** 3, x)
    g = lcg.path_gradients("w")
    assert len(g) == 3
    best = int(np.argmax(np.linalg.norm(g, axis=1)))
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(ts.SPAD().draw(lcg, "w", None, rng).gradient, g[best])
    np.testing.assert_allclose(ts.SPAD(m=3).draw(lcg, "w", None, rng).gradient, g[best])
    np.testing.assert_allclose(ts.RAD(normalize=True).expectation(lcg, "w"), lcg.gradient()["w"])
    assert ts.SPAD(m=2, epsilon=0.2, normalize=True).variance(lcg, "w").shape == (2,)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ts.RAD(by="luck"), "by="),
        (lambda: ts.RAD(hold=0), "hold is a whole number, at least 1"),
        (lambda: ts.RAD(hold=2.0), "hold is a whole number"),
        (lambda: ts.SPAD(m=0), "m is a whole number"),
        (lambda: ts.SPAD(m=-1), "m is a whole number"),
        (lambda: ts.SPAD(m=True), "m is a whole number"),
        (lambda: ts.SPAD(k_max=0), "k_max"),
        (lambda: ts.SPAD(epsilon=1.5), "epsilon is a probability"),
        (lambda: ts.SPAD(epsilon=float("nan")), "epsilon is a probability"),
        (lambda: ts.SPAD(epsilon="a"), "epsilon is a probability"),
        (lambda: ts.SPAD(normalize=True), "no normalisation makes the estimate unbiased"),
        (lambda: ts.SPAD(replace=True), "needs m"),
        (lambda: ts.FixedPath(-1), "at least 0"),
        (lambda: ts.Magnitude(k_max=0), "k_max"),
        (lambda: ts.NearestPath(m=0), "m is a whole number"),
        (lambda: ts.FixedPath(9).draw(ts.trace(f1, 1.0), "x", None, None), "there is no path 9"),
        (lambda: ts.RAD().draw(ts.trace(f1, 1.0), "q", None, None), "no parameter 'q'"),
    ],
)
def test_settings_without_meaning_are_refused(make, says):
    with pytest.raises(BadInput, match=says):
        make()


def test_no_public_estimator_is_left_out():
    kinds = {
        kind for name in ts.__all__ if isinstance(kind := getattr(ts, name), type) and issubclass(kind, ts.Estimator)
    }
    assert {type(estimator) for estimator in ALL} == kinds - {ts.Estimator}, "give ALL and every_draw the new estimator"


def test_probabilities_that_are_no_single_choice_have_moments_of_their_own():
    """Of RAD and GD mixed: all paths at once, or one of them."""

    class Mixed(ts.Estimator):
        def probabilities(self, lcg, param):
            n = lcg.count_paths(param)
            return np.full(n, 0.5 + 0.5 / n)

    lcg = ts.trace(f1, 5.0)
    with pytest.raises(BadInput, match=r"Mixed: the probabilities of the paths add up to 1.5.* moments\(self"):
        Mixed().variance(lcg, "x")


def test_what_a_draw_gives_is_looked_at():
    class Gives(ts.Estimator):
        def __init__(self, found):
            self.found = found

        def draw(self, lcg, param, state, rng):
            return self.found

    for found in (None, (1.0, 0), 3.0, [1.0, 0, None]):
        with pytest.raises(BadInput, match=r"Gives.draw is to give \(gradient, index of the path, next state\)"):
            ts.minimize(f1, 5.0, estimator=Gives(found), steps=1)
    draw = ts.RAD().draw(ts.trace(f1, 5.0), "x", None, np.random.default_rng(0))
    assert draw == tuple(draw) and len(draw) == 3 and draw[1] == draw.path
