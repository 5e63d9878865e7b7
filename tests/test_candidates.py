"""The best of candidates: numbers that are none, and more candidates than paths. By every draw, listed."""

import itertools
import tracemalloc

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import paths as algebra
from tinyspad.errors import BadInput, NotElementwise, TooManyPaths
from tinyspad.estimators import candidates

NAN, INF = np.nan, np.inf
pytestmark = pytest.mark.filterwarnings("ignore:.*(invalid|overflow|divide)")


def terms(*factors):
    """sum of c * x: its contributions are these numbers (or, in a batch, these arrays of them)."""

    def f(x):
        total = factors[0] * x
        for c in factors[1:]:
            total = total + c * x
        return total

    return f


def through_maps(*factors):
    """The same with linear maps on the edges: contributions (c, 0)."""
    return lambda w: np.sum(terms(*[np.array([c, 0.0]) for c in factors])(w))


PATTERNS = [
    (1.0, NAN, 5.0, 2.0),
    (NAN, 1.0, 5.0, 2.0),
    (9.0, 3.0, -9.0, NAN),
    (NAN, -2.0, NAN, 2.0),
    (1.0, INF, NAN, -INF),
    (1.0, -INF, 3.0, INF),
    (INF, 0.0, 0.0, 3.0),
    (NAN, NAN, NAN, NAN),
    (0.0, 0.0, NAN, 0.0),
    (0.0, 0.0, 0.0, 0.0),
    (3.0, 3.0, -3.0, 1.0),
]
RUNS = [np.array(column) for column in zip(*PATTERNS)]
ESTIMATORS = [
    ts.SPAD(),
    ts.SPAD(m=1),
    ts.SPAD(m=2),
    ts.SPAD(m=3, replace=True),
    ts.SPAD(m=9),
    ts.SPAD(m=20, replace=True),
    ts.SPAD(m=2, epsilon=0.3),
    ts.SPAD(epsilon=0.4),
    ts.NearestPath(),
    ts.NearestPath(m=2),
    ts.NearestPath(m=7),
    ts.Magnitude(),
    ts.Magnitude(normalize=False),
]


def rank(estimator, g, i):
    """The smaller, the better, the first one first: NaN before all; for the nearest whatever is not finite before all."""
    if isinstance(estimator, ts.NearestPath):
        distance = abs(g[i] - sum(g))
        return not np.isnan(g[i]) and not np.isinf(g[i]), 0.0 if np.isnan(distance) else distance, i
    return not np.isnan(g[i]), -abs(g[i]) if not np.isnan(g[i]) else 0.0, i


def by_every_draw(estimator, g):
    """The probability of each path, from all draws of candidates (or, for many, from the ranks of the paths)."""
    n = len(g)
    if isinstance(estimator, ts.Magnitude):
        wild = ~np.isfinite(g)
        sizes = wild.astype(float) if wild.any() else np.abs(g)
        return sizes / sizes.sum() if sizes.any() else np.full(n, 1 / n)
    m, replace = estimator.m, getattr(estimator, "replace", False)
    order = sorted(range(n), key=lambda i: rank(estimator, g, i))
    p = np.zeros(n)
    if replace and m > 9:
        for r, i in enumerate(order):
            p[i] = ((n - r) / n) ** m - ((n - r - 1) / n) ** m
    else:
        sets = itertools.product(range(n), repeat=m) if replace else itertools.combinations(range(n), min(m or n, n))
        best = [min(candidates, key=order.index) for candidates in sets]
        p += np.bincount(best, minlength=n) / len(best)
    epsilon = getattr(estimator, "epsilon", 0.0)
    return (1 - epsilon) * p + epsilon * (1 - p) / (n - 1)


def same_draws(found, p):
    share = np.array([np.mean(np.equal(found, i), axis=0) for i in range(len(p))])
    assert np.all(np.abs(share - p) <= 5 * np.sqrt(p * (1 - p) / len(found)) + 1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_what_is_not_a_number_is_followed_and_probabilities_say_so(pattern, estimator):
    expected = by_every_draw(estimator, np.array(pattern))
    f, rng, one = terms(*pattern), np.random.default_rng(0), estimator.draw
    maps = ts.trace(through_maps(*pattern), np.ones(2))
    for lcg, param in ((ts.trace(f, 1.0), "x"), (ts.compile(f).at(1.0), "x"), (maps, "w")):
        np.testing.assert_allclose(estimator.probabilities(lcg, param, paths="arrays"), expected, atol=1e-15)
        same_draws([one(lcg, param, None, rng).path for _ in range(400)], expected)
    if expected[~np.isfinite(pattern)].sum() > 0.999:
        assert ts.minimize(f, 1.0, estimator=estimator, steps=3, rng=0).status == "non-finite"


@pytest.mark.parametrize(
    "make", [lambda f, x: ts.trace(f, x), lambda f, x: ts.compile(f).at(x)], ids=["LCG", "program"]
)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_runs_that_are_not_numbers_are_followed_and_leave_the_others_alone(estimator, make):
    if make(terms(1.0), 1.0).__class__ is not ts.LCG:  # a program's constants are numbers: the factors are arguments
        return batch_of_programs(estimator)
    lcg = make(terms(*RUNS), np.ones(len(PATTERNS)))
    expected = np.array([by_every_draw(estimator, np.array(pattern)) for pattern in PATTERNS]).T
    np.testing.assert_allclose(estimator.probabilities(lcg, "x"), expected, atol=1e-15)
    rng = np.random.default_rng(0)
    same_draws([estimator.draw(lcg, "x", None, rng).path for _ in range(400)], expected)


def batch_of_programs(estimator):
    lcg = ts.compile(lambda x, a, b, c, d: terms(a, b, c, d)(x)).at(np.ones(len(PATTERNS)), *RUNS)
    expected = np.array([by_every_draw(estimator, np.array(pattern)) for pattern in PATTERNS]).T
    np.testing.assert_allclose(estimator.probabilities(lcg, "x"), expected, atol=1e-15)
    rng = np.random.default_rng(0)
    same_draws([estimator.draw(lcg, "x", None, rng).path for _ in range(400)], expected)


def two_levels(u, v):
    return lambda x: terms(*v)(terms(*u)(x))


def test_the_best_path_is_that_of_the_listing_whatever_the_numbers():
    """NaN and infinity anywhere: the sweep finds a path as large as the listing's, and among finite ones the same."""
    rng, choices = np.random.default_rng(0), np.array([NAN, INF, -INF, 1e-99, 1e99, -3.0, 2.0, 2.0])
    u, v = rng.choice(choices, (2, 3, 300), p=[0.1, 0.05, 0.05, 0.05, 0.05, 0.2, 0.25, 0.25])
    batch = ts.trace(two_levels(u, v), np.ones(300))
    g = (u[None] * v[:, None]).swapaxes(0, 1).reshape(9, 300)  # by the branch of u first
    np.testing.assert_array_equal(batch.path_gradients("x"), g)
    size = np.abs(g)
    order = np.array(
        [sorted(range(9), key=lambda i: (not np.isnan(s[i]), -s[i] if s[i] == s[i] else 0)) for s in size.T]
    ).T
    runs, finite = np.arange(300), np.isfinite(g).all(axis=0)
    assert 50 < finite.sum() < 250
    best, top = batch.best_index("x"), batch.top_paths("x", 5).index
    np.testing.assert_array_equal(size[best, runs], size[order[0], runs])
    np.testing.assert_array_equal(best[finite], order[0, finite])
    np.testing.assert_array_equal(batch.best_path("x").index, best)
    np.testing.assert_array_equal(size[top, runs], size[order[:5], runs])
    np.testing.assert_array_equal(top[:, finite], order[:5, finite])
    assert all(len(set(own)) == 5 for own in top.T)
    np.testing.assert_array_equal(np.abs(batch.largest_and_others("x")[0]), size[order[0], runs])
    for r in range(300):
        lcg = ts.trace(two_levels(u[:, r], v[:, r]), 1.0)
        assert lcg.best_index("x") == best[r] == lcg.best_route("x").index
        np.testing.assert_array_equal(lcg.largest_and_others("x")[0], batch.largest_and_others("x")[0][r])
        if np.isnan(g[:, r]).any():
            for ask in (lcg.best_path, lcg.top_paths):
                with pytest.raises(BadInput, match="trace_nonfinite"):
                    ask("x")


def test_norms_keep_their_numbers_beside_what_is_none():
    """The size of one path does not depend on what another one is: NaN, infinite, too large or too small to be squared."""
    factors = (3.0, NAN, 1e200, 1e-200, INF, 4.0)
    lcg = ts.trace(lambda w: np.sum(terms(*[np.array([c, c]) for c in factors])(w)), np.ones(2))
    np.testing.assert_allclose(lcg.path_sizes("w"), np.sqrt(2) * np.abs(factors))
    assert lcg.best_index("w") == 1 and lcg.path_shares("w").tolist() == [0, 0.5, 0, 0, 0.5, 0]
    with pytest.raises(BadInput, match="trace_nonfinite"):
        lcg.top_paths("w")


def test_a_run_that_is_not_a_number_changes_no_tie_of_another():
    """1.5 * 0.2 * 0.1 is 0.1 * 0.2 * 1.5 in floats; the sums of their logarithms are not equal."""

    def f(x, n):
        return 1.5 * (0.2 * (0.1 * x)) + 0.1 * (0.2 * (1.5 * x)) + n * x

    first, second = ((np.log(a) + np.log(0.2)) + np.log(b) for a, b in ((1.5, 0.1), (0.1, 1.5)))
    assert first < second and 1.5 * 0.2 * 0.1 == 0.1 * 0.2 * 1.5
    for wild, its in ((NAN, 2), (INF, 2), (0.0, 0)):
        batch = ts.trace(lambda x, n=wild: f(x, np.array([0.0, n])), np.ones(2))
        assert batch.best_index("x").tolist() == [0, its]


# --- very many candidates -------------------------------------------------------------------------------------------------


class Grid:
    """In place of a generator: its uniform numbers are the middles of equal parts of the unit interval, all at once."""

    def __init__(self, parts):
        self.parts = parts

    def random(self, shape):
        assert shape == (self.parts,)
        return (np.arange(self.parts) + 0.5) / self.parts


@pytest.mark.parametrize("m", [3, 17, 100, 10**6, 10**9, 10**400])
def test_one_draw_stands_for_any_number_of_candidates(m):
    """As a function of the one uniform number that it takes, the choice has the probabilities of ``selection``: exactly."""
    sizes, parts = (2.0, -5.0, 1.0, 5.0), 10**5
    estimator = ts.SPAD(m=m, replace=True)
    batch = ts.trace(terms(*sizes), np.ones(parts))
    if m < 10**3:
        found = candidates.best_of_very_many(batch, "x", Grid(parts), m)
        expected = estimator.selection(ts.trace(terms(*sizes), 1.0), "x")
        np.testing.assert_allclose(np.bincount(found, minlength=4) / parts, expected, atol=2 / parts)
    rng = np.random.default_rng(0)
    lcg = ts.trace(terms(*sizes), 1.0)
    same_draws([estimator.draw(lcg, "x", None, rng).path for _ in range(2000)], estimator.selection(lcg, "x"))
    np.testing.assert_allclose(estimator.selection(lcg, "x").sum(), 1.0)


@pytest.mark.parametrize("shape", [(), (5,)])
@pytest.mark.parametrize(
    "estimator",
    [ts.SPAD(m=25), ts.SPAD(m=25, replace=True), ts.NearestPath(m=25), ts.SPAD(m=29, epsilon=0.3)],
    ids=repr,
)
def test_candidates_are_compared_alike_in_a_list_and_one_by_one(monkeypatch, estimator, shape):
    factors = np.random.default_rng(0).integers(-9, 9, (30, *shape)).astype(float)  # with ties
    lcg = ts.trace(terms(*factors), np.ones(shape) if shape else 1.0)
    found = []
    for few in (16, 1000):
        monkeypatch.setattr(candidates, "FEW", few)
        rng = np.random.default_rng(1)
        found.append([np.array(estimator.draw(lcg, "x", None, rng).path) for _ in range(50)])
    np.testing.assert_array_equal(*found)
    assert len(np.unique(found)) > 1


@pytest.mark.parametrize("shape", [(), (4,)])
@pytest.mark.parametrize("replace", [True, False])
def test_a_thousand_million_candidates_take_neither_time_nor_memory(shape, replace):
    lcg = ts.trace(terms(1.0, -3.0, 2.0), np.ones(shape) if shape else 1.0)
    for estimator in (ts.SPAD(m=10**9, replace=replace), ts.SPAD(m=10**9, replace=replace, epsilon=0.1)):
        rng = np.random.default_rng(0)
        estimator.draw(lcg, "x", None, rng)
        tracemalloc.start()
        draw = estimator.draw(lcg, "x", None, rng)
        assert tracemalloc.get_traced_memory()[1] < 10**6
        tracemalloc.stop()
        assert draw.state.index == 1 if not shape else np.all(draw.state.index == 1)


def doublings(x, stages=1000):
    for _ in range(stages):
        x = 0.6 * x + 0.5 * x
    return x


@pytest.mark.parametrize("shape", [(), (2,)])
@pytest.mark.parametrize(
    "estimator",
    [ts.SPAD(m=10**9, replace=True), ts.SPAD(m=10**9), ts.NearestPath(m=10**6), ts.SPAD(m=100_001)],
    ids=repr,
)
def test_very_many_candidates_of_far_more_paths_are_refused(estimator, shape):
    for stages in (1000, 40):
        lcg = ts.trace(lambda x, stages=stages: doublings(x, stages), np.ones(shape) if shape else 1.0)
        with pytest.raises(TooManyPaths):
            estimator.draw(lcg, "x", None, np.random.default_rng(0))
    few = ts.trace(lambda x: doublings(x, 40), 1.0)
    assert ts.SPAD(m=20).draw(few, "x", None, np.random.default_rng(0)).path >= 0


def test_very_many_of_paths_that_are_too_many_to_list():
    lcg = ts.trace(lambda x: doublings(x, 17), 1.0)  # 131 072
    assert ts.SPAD(m=10**9).draw(lcg, "x", None, np.random.default_rng(0)).path == 0  # all of them, by the sweep
    with pytest.raises(TooManyPaths, match="131 072"):
        ts.SPAD(m=10**9, replace=True).draw(lcg, "x", None, np.random.default_rng(0))


@pytest.mark.parametrize("number", [2000, 10**6, 2**200])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_many_different_numbers_are_different_and_uniform(number, shape):
    drawn = algebra.distinct_below(np.random.default_rng(0), number, 400, shape)
    assert drawn.shape == (400, *shape)
    for run in drawn.reshape(400, -1).T:
        assert len(set(run.tolist())) == 400 and min(run) >= 0 and max(run) < number
    seen = np.array([algebra.distinct_below(np.random.default_rng(k), 2000, 400)[[0, 1, -1]] for k in range(3000)])
    for place in seen.T:  # each place is uniform: by tenths, within five standard errors
        share = np.bincount(place * 10 // 2000, minlength=10) / 3000
        assert np.all(np.abs(share - 0.1) < 5 * np.sqrt(0.09 / 3000))


# --- listings that are too long -------------------------------------------------------------------------------------------


LISTINGS = {
    "paths": lambda lcg: lcg.paths("x"),
    "path_gradients": lambda lcg: lcg.path_gradients("x"),
    "path_sizes": lambda lcg: lcg.path_sizes("x"),
    "path_shares": lambda lcg: lcg.path_shares("x"),
    "path_probabilities": lambda lcg: lcg.path_probabilities("x", lcg.chances("path")),
    "lengths": lambda lcg: lcg.lengths("x"),
    "sweep": lambda lcg: lcg.sweep("listing"),
    "sweep forward": lambda lcg: lcg.sweep("listing", "forward"),
    "top_paths": lambda lcg: lcg.top_paths("x", 10**6),
    "selection": lambda lcg: ts.SPAD(m=2).selection(lcg, "x"),
    **{
        f"probabilities of {e!r}": lambda lcg, e=e: e.probabilities(lcg, "x")
        for e in (ts.GD(), ts.RAD(), ts.SPAD(), ts.SPAD(m=2), ts.NearestPath(), ts.FixedPath(0), ts.Magnitude())
    },
    "a draw of NearestPath()": lambda lcg: ts.NearestPath().draw(lcg, "x", None, None),
    "moments of NearestPath()": lambda lcg: ts.NearestPath().moments(lcg, "x"),
    "moments of SPAD(m=2)": lambda lcg: ts.SPAD(m=2).moments(lcg, "x"),
    "cost of SPAD(m=2)": lambda lcg: ts.SPAD(m=2).cost(lcg, "x"),
}
STAGES = {
    "numbers": ts.trace(doublings, 1.0),
    "runs": ts.trace(doublings, np.ones(2)),
    "a program": ts.compile(doublings).at(1.0),
    "a program of runs": ts.compile(doublings).at(np.ones(2)),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("listing", LISTINGS)
def test_listings_that_are_too_long_are_refused_with_the_number(listing, stage):
    with pytest.raises(TooManyPaths) as refused:
        LISTINGS[listing](STAGES[stage])
    assert "linear map" not in str(refused.value)
    assert "1.0715e+301" in str(refused.value) or listing == "top_paths"


def test_what_needs_no_listing_is_not_refused():
    lcg = STAGES["numbers"]
    assert lcg.ledger("x").count == 2**1000
    assert lcg.entropy("x") > 600 and lcg.best_index("x") == 0 and lcg.trace_nonfinite() is None
    maps = ts.trace(lambda w: np.sum(doublings(w, 20)), np.ones(2))
    for ask in (
        maps.path_sizes,
        maps.path_shares,
        maps.entropy,
        maps.best_path,
        maps.top_paths,
        maps.log_mass,
        maps.ledger,
    ):
        with pytest.raises(NotElementwise, match="linear maps"):
            ask("w")
    for ask in (maps.path_gradients, maps.lengths, maps.paths, lambda p: maps.sweep("listing")):
        with pytest.raises(TooManyPaths):
            ask("w")
