"""The path algebra over bare edges: four views of one order, against brute force."""

import functools
import importlib
import itertools
from collections import Counter
from fractions import Fraction
from math import comb

import numpy as np
import pytest
import weighted as algebra
from weighted import Graph

import tinyspad as ts
from tinyspad import paths
from tinyspad.arguments import spaced
from tinyspad.errors import TooManyPaths
from tinyspad.paths import COUNT, GRADIENT, LARGEST, LISTING, MAGNITUDE, Route, Structure


def random_graph(seed, layers=4, width=3):
    """A layered graph in which every node has one to three out-edges; node 0 is the source, the last the output."""
    rng = np.random.default_rng(seed)
    sizes = [1, *rng.integers(1, width + 1, layers), 1]
    first = np.cumsum([0, *sizes])
    out_edges = [[] for _ in range(first[-1])]
    for layer in range(len(sizes) - 1):
        for node in range(first[layer], first[layer + 1]):
            for _ in range(rng.integers(1, 4)):
                later = int(rng.integers(layer + 1, len(sizes)))
                head = int(rng.integers(first[later], first[later + 1]))
                out_edges[node].append((head, float(rng.normal())))
    return Graph.of(out_edges, len(out_edges) - 1)


def brute(graph, node=0):
    if node == graph.output:
        return [()]
    return [(e, *rest) for e in graph.branches(node) for rest in brute(graph, graph.head[e])]


SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_four_views_of_one_order(seed):
    graph = random_graph(seed)
    expected = brute(graph)
    counts = algebra.counts(graph)
    assert list(algebra.enumerate_paths(graph, 0)) == expected
    assert counts[0] == len(expected)
    assert [algebra.unrank(graph, 0, i) for i in range(len(expected))] == expected
    assert algebra.ranks_of(graph, 0, expected) == list(range(len(expected)))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_semiring_agrees_with_the_list(seed):
    graph = random_graph(seed)
    products = [float(np.prod([graph.weight[e] for e in path])) for path in brute(graph)]
    for semiring, expected in [
        (GRADIENT, sum(products)),
        (COUNT, len(products)),
        (LARGEST, max(map(abs, products))),
        (MAGNITUDE, sum(map(abs, products))),
    ]:
        assert algebra.sweep(graph, semiring)[0] == pytest.approx(expected, rel=1e-12)
        assert algebra.sweep_to(graph, semiring, 0) == algebra.sweep(graph, semiring)[0]
    np.testing.assert_allclose(algebra.sweep_to(graph, LISTING, 0, np.ones(1)), products, rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_best_path_is_the_argmax(seed):
    graph = random_graph(seed)
    listed = brute(graph)
    sizes = [abs(np.prod([graph.weight[e] for e in path])) for path in listed]
    assert algebra.best(graph, 0).edges == listed[int(np.argmax(sizes))]


def test_the_first_path_wins_a_tie():
    graph = Graph.of([[(1, 2.0), (2, -2.0)], [(3, 1.0)], [(3, 1.0)], []], 3)
    assert algebra.best(graph, 0).edges == (0, 2)


def test_the_first_path_wins_when_an_edge_further_up_is_zero():
    graph = Graph.of([[(1, 0.0)], [(2, 1.0), (3, 2.0)], [(4, 1.0)], [(4, 1.0)], []], 4)
    assert algebra.best(graph, 0).edges == (0, 1, 3)


def test_a_semiring_of_ones_own():
    graph = random_graph(1)
    longest = algebra.Semiring(lambda w: 1, lambda value, edge: value + edge, max, one=0, zero=0)
    assert algebra.sweep(graph, longest)[0] == max(map(len, brute(graph)))


def test_no_path():
    graph = Graph.of([[], [(2, 1.0)], []], 2)
    assert algebra.counts(graph) == [0, 1, 1]
    assert list(algebra.enumerate_paths(graph, 0)) == []
    assert algebra.sweep_to(graph, GRADIENT, 0) == 0.0
    assert list(algebra.enumerate_paths(graph, 2)) == [()]
    assert algebra.sweep_to(graph, GRADIENT, 2) == 1.0


# --- sampling -----------------------------------------------------------------------------------------------------


def chi_square(observed, expected):
    return float(np.sum((observed - expected) ** 2 / expected))


@pytest.mark.parametrize("magnitude", [False, True])
def test_draws_have_the_probabilities_they_say(magnitude):
    graph = random_graph(11)
    listed = brute(graph)
    chances = algebra.by_magnitude(graph) if magnitude else algebra.by_branch(graph)
    rng = np.random.default_rng(0)
    drawn = [algebra.draw(graph, 0, rng, chances) for _ in range(4000)]
    said = dict(drawn)
    if magnitude:
        sizes = [abs(np.prod([graph.weight[e] for e in path])) for path in listed]
        exact = dict(zip(listed, np.array(sizes) / sum(sizes)))
    else:
        exact = {p: float(np.prod([1 / len(graph.branches(graph.tail[e])) for e in p])) for p in listed}
    assert sum(exact.values()) == pytest.approx(1.0, rel=1e-12)
    for path, p in said.items():
        assert p == pytest.approx(exact[path], rel=1e-12)
    counted = Counter(path for path, _ in drawn)
    observed = np.array([counted[path] for path in listed])
    expected = 4000 * np.array([exact[path] for path in listed])
    assert len(listed) > 5
    freedom = len(listed) - 1
    assert chi_square(observed, expected) < freedom + 5 * np.sqrt(2 * freedom)  # about five sigma


@pytest.mark.parametrize("number", [1, 2, 7, 2**62 + 3, 2**63 - 1, 2**63, 2**63 + 1, 10**40, 2**1000])
def test_uniform_below_stays_below_at_any_size(number):
    rng = np.random.default_rng(0)
    drawn = [algebra.uniform_below(rng, number) for _ in range(200)]
    assert all(isinstance(d, int) and 0 <= d < number for d in drawn)
    mean, sigma = sum(drawn) / 200 / number, 1 / np.sqrt(12 * 200)
    assert number == 1 or abs(mean - 0.5 * (1 - 1 / number)) < 5 * sigma
    many = algebra.uniform_below(rng, number, (3,))
    assert many.shape == (3,) and all(0 <= d < number for d in many)


@pytest.mark.parametrize(
    ("number", "m", "shape"), [(4, 2, ()), (4, 2, (5,)), (200, 3, ()), (200, 3, (4,)), (2**70, 2, (3,))]
)
def test_distinct_draws_are_distinct(number, m, shape):
    drawn = algebra.distinct_below(np.random.default_rng(0), number, m, shape)
    assert drawn.shape == (m, *shape)
    ordered = np.sort(drawn, axis=0)
    assert np.all(ordered[1:] != ordered[:-1]) and np.all(drawn >= 0) and np.all(drawn < number)


def test_many_distinct_draws_from_many_are_quick():
    drawn = algebra.distinct_below(np.random.default_rng(0), 8192, 1000)
    assert len(set(drawn.tolist())) == 1000


def test_more_candidates_than_paths_are_all_paths():
    assert sorted(algebra.distinct_below(np.random.default_rng(0), 3, 10)) == [0, 1, 2]


@pytest.mark.parametrize(("number", "m"), [(5, 2), (70, 2)], ids=["shuffled", "rejected"])
def test_distinct_draws_are_uniform_over_sets(number, m):
    rng = np.random.default_rng(1)
    runs = 40_000
    drawn = np.sort(algebra.distinct_below(rng, number, m, (runs,)), axis=0)
    counted = Counter(zip(*drawn))
    observed = np.array([counted[pair] for pair in itertools.combinations(range(number), m)])
    freedom = comb(number, m) - 1
    assert observed.sum() == runs
    assert chi_square(observed, runs / comb(number, m)) < freedom + 5 * np.sqrt(2 * freedom)


# --- many runs at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_a_batch_of_runs_follows_the_paths_that_single_runs_would(seed):
    graph = random_graph(seed)
    n = algebra.counts(graph)[0]
    rng = np.random.default_rng(seed)
    runs = 7
    weights = [np.array(rng.normal(size=runs)) for _ in graph.weight]
    batch = graph.weighing(weights)
    index = rng.integers(n, size=runs)
    taken = algebra.routed(batch, 0, index)
    got = algebra.follow(taken, batch.weight, np.ones(runs))
    best_index = algebra.best(batch, 0, (runs,)).index
    again = algebra.Route(batch.structure, 0, branches=taken.branches, shape=(runs,))
    np.testing.assert_array_equal(again.index, index)
    for r in range(runs):
        single = graph.weighing([float(w[r]) for w in weights])
        path = algebra.unrank(single, 0, int(index[r]))
        assert got[r] == algebra.product(single, path)
        products = [abs(algebra.product(single, p)) for p in brute(single)]
        assert best_index[r] == int(np.argmax(products))


def test_indices_past_64_bits_work_in_a_batch():
    doublings = 70
    out_edges = []
    for k in range(doublings):
        base = 3 * k
        out_edges += [[(base + 1, 1.0), (base + 2, 1.0)], [(base + 3, np.full(2, 0.5))], [(base + 3, np.full(2, 2.0))]]
    graph = Graph.of([*out_edges, []], 3 * doublings)
    index = np.array([0, 2**70 - 1], dtype=object)
    taken = algebra.routed(graph, 0, index)
    np.testing.assert_array_equal(algebra.follow(taken, graph.weight, np.ones(2)), [0.5**70, 2.0**70])
    assert list(algebra.Route(graph.structure, 0, branches=taken.branches, shape=(2,)).index) == list(index)


def test_too_many_paths_names_the_number_and_the_way_out():
    with pytest.raises(TooManyPaths, match=r'"x" has 1 267 650 600 228 229 401 496 703 205 376 paths.*sample_path'):
        algebra.check_limit(2**100, 100_000, "x")
    assert spaced(12345) == "12 345"
    assert spaced(2**1000) == "1.0715e+301"
    assert spaced(2**100_000).endswith("e+30102")


# --- the table of semirings ---------------------------------------------------------------------------------------


def products_of(graph):
    return np.array([float(np.prod([graph.weight[e] for e in path])) for path in brute(graph)])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_whole_table_agrees_with_the_list(seed):
    graph = random_graph(seed)
    g = products_of(graph)
    H, p = np.abs(g).sum(), np.abs(g) / np.abs(g).sum()
    log_mass, entropy = algebra.sweep(graph, algebra.ENTROPY)[0]
    largest, every, others = algebra.sweep(graph, algebra.SPLIT)[0]
    rest = np.delete(g, np.argmax(np.abs(g)))
    expected = [
        (algebra.sweep(graph, algebra.SQUARES)[0], np.sum(g**2)),
        (algebra.sweep(graph, algebra.LOG)[0], np.log(H)),
        (log_mass, np.log(H)),
        (entropy, -np.sum(p * np.log(p))),
        (largest, g[np.argmax(np.abs(g))]),
        (every.mean, g.mean()),
        (every.deviation, g.std()),
        (others.mean, rest.mean() if len(rest) else 0.0),
        (others.deviation, rest.std() if len(rest) else 0.0),
    ]
    for got, wanted in expected:
        assert got == pytest.approx(wanted, rel=1e-10, abs=1e-12)
    assert (every.number, others.number) == (len(g), len(g) - 1)


@pytest.mark.parametrize("name", sorted(set(algebra.SEMIRINGS) - {"listing", "split"}))
@pytest.mark.parametrize("seed", range(20))
def test_forward_and_reverse_agree(name, seed):
    graph = random_graph(seed)
    semiring = algebra.SEMIRINGS[name]
    forward = algebra.sweep_from(graph, semiring, {0: semiring.one})[graph.output]
    np.testing.assert_allclose(forward, algebra.sweep(graph, semiring)[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(algebra.sweep(graph, semiring, forget=True)[0], algebra.sweep(graph, semiring)[0])


@pytest.mark.parametrize("name", sorted(algebra.SEMIRINGS))
def test_a_batch_of_runs_is_swept_at_once(name):
    graph, runs = random_graph(4), 6
    weights = [np.random.default_rng(e).normal(size=runs) for e in range(len(graph.head))]
    semiring = algebra.SEMIRINGS[name]
    one = np.ones((1, runs)) if name == "listing" else None

    def flat(value):
        if isinstance(value, (tuple, list)):
            return [x for part in value for x in flat(part)]
        return [value]

    batch = graph.weighing(weights)
    together = flat(algebra.sweep(batch, semiring, one)[0])
    for r in range(runs):
        single = graph.weighing([float(w[r]) for w in weights])
        alone = flat(algebra.sweep(single, semiring, np.ones(1) if name == "listing" else None)[0])
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[..., r] if np.ndim(a) else a, b, rtol=1e-12, atol=1e-14)


def test_forgetting_keeps_the_parameters_alone():
    graph = random_graph(3)
    read = set(graph.head)
    values = algebra.sweep(graph, COUNT, forget=True)
    assert all((values[v] is None) == (v in read) for v in range(graph.size) if graph.branches(v) or v == graph.output)


def test_entropy_where_a_zero_stands_above_the_choice():
    graph = Graph.of([[(1, 0.0)], [(2, 1.0), (2, 3.0)], []], 2)
    assert algebra.sweep(graph, algebra.ENTROPY)[0] == (-np.inf, 0.0)
    batch = graph.weighing([np.array([w, 1.0]) for w in graph.weight])
    np.testing.assert_allclose(algebra.sweep(batch, algebra.ENTROPY)[0][1], [0.0, np.log(2)])


def test_dead_ends_are_no_paths():
    graph = Graph.of([[(1, 1.0), (2, 1.0)], [(3, 1.0)], [], []], 3)
    assert list(algebra.enumerate_paths(graph, 0)) == [(0, 2)] and algebra.counts(graph)[0] == 1


def test_entropy_where_everything_is_zero_is_zero():
    graph = Graph.of([[(1, 0.0), (1, 0.0)], []], 1)
    assert algebra.sweep(graph, algebra.ENTROPY)[0] == (-np.inf, 0.0)


# --- the n best ---------------------------------------------------------------------------------------------------


def by_size(sizes):
    return sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))


@pytest.mark.parametrize("whole", [False, True], ids=["floats", "ties and zeros"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_n_best_paths_in_order_ties_by_index(seed, whole):
    graph = random_graph(seed)
    if whole:  # small whole numbers: exact products, many ties, many zeros
        weights = np.random.default_rng(seed).integers(-2, 3, len(graph.weight)).astype(float).tolist()
        graph = graph.weighing(weights)
    listed = brute(graph)
    order = by_size(np.abs([algebra.product(graph, path) for path in listed]))
    for n in (1, 2, 5, len(listed), len(listed) + 3):
        assert algebra.top(graph, 0, n) == [listed[i] for i in order[:n]]


@pytest.mark.parametrize("seed", range(30))
def test_every_run_of_a_batch_has_its_own_n_best(seed):
    graph, runs = random_graph(seed), 5
    rng = np.random.default_rng(seed)
    weights = [rng.integers(-2, 3, runs).astype(float) for _ in graph.weight]
    batch = graph.weighing(weights)
    found = algebra.top_runs(batch, 0, 4, (runs,), LARGEST)
    for r in range(runs):
        single = graph.weighing([float(w[r]) for w in weights])
        order = by_size(np.abs([algebra.product(single, path) for path in brute(single)]))
        assert found[:, r].tolist() == order[:4]


@pytest.mark.parametrize("seed", range(30))
def test_the_largest_and_the_others_where_there_are_ties(seed):
    graph = random_graph(seed)
    weights = np.random.default_rng(seed).choice([-2.0, 2.0, 0.0, 1.0], len(graph.weight)).tolist()
    graph = graph.weighing(weights)
    g = products_of(graph)
    first = by_size(np.abs(g))[0]
    largest, _, others = algebra.sweep(graph, algebra.SPLIT)[0]
    rest = np.delete(g, first)
    assert largest == g[first]
    assert others.mean == pytest.approx(rest.mean() if len(rest) else 0.0, rel=1e-12, abs=1e-12)


# --- branch probabilities -------------------------------------------------------------------------------------------


MAKERS = {"path": algebra.by_path, "branch": algebra.by_branch, "magnitude": algebra.by_magnitude}


def exact_probabilities(graph, by):
    listed = brute(graph)
    if by == "path":
        return np.full(len(listed), 1 / len(listed))
    if by == "branch":
        return np.array([np.prod([1 / len(graph.branches(graph.tail[e])) for e in path]) for path in listed])
    g = np.abs(products_of(graph))
    return g / g.sum()


@pytest.mark.parametrize("by", MAKERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_chances_multiply_up_to_the_probability_and_moments_are_exact(seed, by):
    graph, g = random_graph(seed), products_of(random_graph(seed))
    chances, p = MAKERS[by](graph), exact_probabilities(graph, by)
    said = [
        np.exp(algebra.log_probability(chances, graph.structure, algebra.route_of(graph, 0, path)))
        for path in brute(graph)
    ]
    np.testing.assert_allclose(said, p, rtol=1e-10)
    for normalize, estimate in ((False, g), (True, g / p)):
        mean, deviation = algebra.moments(graph, 0, chances, normalize)
        variance = deviation**2
        scale = np.sum(p * np.abs(estimate))
        assert mean == pytest.approx(np.sum(p * estimate), rel=1e-10, abs=1e-12 * scale)
        assert variance == pytest.approx(
            np.sum(p * (estimate - np.sum(p * estimate)) ** 2), rel=1e-10, abs=1e-12 * scale**2
        )
    lengths = [len(path) for path in brute(graph)]
    assert algebra.mean_length(graph, 0, chances, lambda e: 1) == pytest.approx(np.sum(p * lengths), rel=1e-12)


@pytest.mark.parametrize("by", MAKERS)
def test_many_draws_at_once_have_the_probabilities_they_say(by):
    graph, n = random_graph(11), 20_000
    listed = brute(graph)
    p, g = exact_probabilities(graph, by), products_of(graph)
    turns = algebra.draw_many(graph, 0, np.random.default_rng(0), MAKERS[by](graph), n)
    index = np.array(algebra.ranks_of(graph, 0, [[e for e in path if e >= 0] for path in turns.edges.T.tolist()]))
    np.testing.assert_allclose(turns.probability, p[index], rtol=1e-12)
    np.testing.assert_allclose(turns.log_probability, np.log(p[index]), rtol=1e-10)
    np.testing.assert_allclose(turns.gradient, g[index], rtol=1e-12)
    freedom = len(listed) - 1
    assert chi_square(np.bincount(index, minlength=len(listed)), n * p) < freedom + 5 * np.sqrt(2 * freedom)


def test_wide_nodes_are_drawn_from_like_narrow_ones():
    weights = np.random.default_rng(0).uniform(0.1, 1.0, 40)
    graph = Graph.of([[(1, float(w)) for w in weights], []], 1)
    turns = algebra.draw_many(graph, 0, np.random.default_rng(1), algebra.by_magnitude(graph), 40_000)
    p = weights / weights.sum()
    assert chi_square(np.bincount(turns.edges[0], minlength=40), 40_000 * p) < 39 + 5 * np.sqrt(2 * 39)


@pytest.mark.parametrize("many", [False, True])
def test_draws_too_near_to_a_border_are_settled_by_whole_numbers(many):
    graph, n = random_graph(11), 6000
    number = len(brute(graph))
    doubtful = algebra.Chances(algebra.by_path(graph).share, margin=2.0)  # wide enough to doubt every draw
    rng = np.random.default_rng(0)
    if many:
        edges = algebra.draw_many(graph, 0, rng, doubtful, n).edges.T.tolist()
    else:
        edges = [algebra.draw(graph, 0, rng, doubtful)[0] for _ in range(n)]
    index = algebra.ranks_of(graph, 0, [[e for e in path if e >= 0] for path in edges])
    assert chi_square(np.bincount(index, minlength=number), n / number) < number - 1 + 5 * np.sqrt(2 * (number - 1))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("layers", "width"), [(4, 3), (200, 3), (3, 40)])
def test_the_margin_covers_what_rounding_may_do_to_a_border(seed, layers, width):
    """Against exact fractions: |rounded border - exact border| and the last bit of u are within the margin."""
    graph = random_graph(seed, layers, width)
    chances, counts = algebra.by_path(graph), algebra.counts(graph)
    for node in range(graph.size):
        total, exact, rounded = sum(counts[graph.head[e]] for e in graph.branches(node)), 0, 0.0
        for e in graph.branches(node):
            exact += counts[graph.head[e]]
            rounded += chances.share[e]
            assert abs(Fraction(rounded) - Fraction(exact, total)) + Fraction(1, 2**53) <= Fraction(chances.margin)


class Scripted:
    """A generator whose floats and whole numbers are given."""

    def __init__(self, floats, wholes=()):
        self.floats, self.wholes = list(floats), list(wholes)

    def random(self, size=None):
        if size is None:
            return self.floats.pop(0)
        return np.array([self.floats.pop(0) for _ in range(np.prod(size))]).reshape(size)

    def integers(self, number, size=None):
        return self.wholes.pop(0)


def test_settling_takes_its_bits_from_the_whole_number():
    """Counts 1 : 2. With u just below 1/3, T N + r crosses the border 2**53 at r = 2."""
    graph = Graph.of([[(1, 1.0), (2, 1.0)], [(3, 1.0)], [(3, 1.0), (3, 1.0)], []], 3)
    u = (2**53 // 3) / 2**53
    assert [algebra.settle(graph, 0, u, Scripted([], [r])) - graph.start[0] for r in (0, 1, 2)] == [0, 0, 1]


@pytest.mark.parametrize("many", [None, "draws", "runs"])
@pytest.mark.parametrize(
    ("u", "settled"), [(1 / 4, 1), (1 / 4 - 1e-15, 1), (1 / 4 + 1e-15, 1), (0.3, 0), (3 / 4 - 1e-15, 1)]
)
def test_draws_at_either_border_are_settled_and_others_are_not(monkeypatch, many, u, settled):
    graph = Graph.of([[(1, 1.0)] * 4, []], 1)
    asked = []

    def spy(graph, node, u, rng):
        asked.append(u)
        return 2

    monkeypatch.setattr("tinyspad.paths.walks.settle", spy)
    assert algebra.by_path(graph).margin < 1e-14
    if many == "draws":
        algebra.draw_many(graph, 0, Scripted([u]), algebra.by_path(graph), 1)
    elif many == "runs":
        route = algebra.draw_runs(graph, 0, Scripted([0.6, u, 0.1]), algebra.by_path(graph), (3,))
        assert route.branches[0].tolist() == [2, 2 if settled else 1, 0]
    else:
        algebra.draw(graph, 0, Scripted([u]), algebra.by_path(graph))
    assert len(asked) == settled


def test_settling_a_wide_node_is_one_sweep(monkeypatch):
    graph = Graph.of([[(v, 1.0) for v in range(1, 3001)], *[[(3001, 1.0)]] * 3000, []], 3001)
    sweeps = []

    def counted(*args):
        sweeps.append(args)
        return algebra.fold(*args)

    monkeypatch.setattr("tinyspad.paths.walks.fold", counted)
    algebra.settle(graph, 0, 0.5, np.random.default_rng(0))
    assert len(sweeps) == 1


def test_settling_takes_the_branch_that_the_float_would():
    """Away from the borders the whole numbers and the float agree."""
    graph = random_graph(11)
    share = algebra.by_path(graph).share
    node = next(v for v in range(graph.size) if len(graph.branches(v)) > 1)
    border = np.cumsum([share[e] for e in graph.branches(node)])
    rng = np.random.default_rng(0)
    for u in rng.random(200):
        if np.min(np.abs(border - u)) > 1e-12:
            expected = graph.branches(node)[int(np.sum(u >= border))]
            assert algebra.settle(graph, node, float(u), rng) == expected


def doubling_graph(stages):
    """A chain of stages, each with two parallel edges: 2**stages paths."""
    return Graph.of([[(v + 1, 1.0), (v + 1, 1.0)] for v in range(stages)] + [[]], stages)


def test_uniform_draws_among_two_to_the_thousandth_paths():
    graph = doubling_graph(1000)
    turns = algebra.draw_many(graph, 0, np.random.default_rng(0), algebra.by_path(graph), 2000)
    assert turns.edges.shape == (1000, 2000)
    ones = (turns.edges % 2).sum(axis=0)
    assert abs(ones.mean() - 500) < 5 * np.sqrt(250 / 2000)
    assert ones.var() == pytest.approx(250, rel=0.2)
    np.testing.assert_allclose(turns.log_probability, -1000 * np.log(2), rtol=1e-12)
    ranks = algebra.ranks_of(graph, 0, turns.edges.T.tolist())
    assert all(0 <= r < 2**1000 for r in ranks) and len(set(ranks)) == 2000


def test_shares_of_counts_past_the_largest_float():
    stages = 3000
    graph = Graph.of([[(v + 1, 1.0)] * (2 + v % 3) for v in range(stages)] + [[]], stages)
    chances = algebra.by_path(graph)
    off = [abs(chances.share[e] - 1 / (2 + v % 3)) for v in range(stages) for e in graph.branches(v)]
    assert max(off) <= chances.margin < 1e-11
    uneven = Graph.of([[(1, 1.0), (stages, 1.0)], *[[(v + 1, 1.0)] * 2 for v in range(1, stages)], []], stages)
    assert algebra.by_path(uneven).share[:2] == [1.0, 0.0]  # 2**-2999 is below every float
    p = [np.exp(algebra.log_probability(algebra.by_path(uneven), uneven.structure, algebra.route_of(uneven, 0, (1,))))]
    assert p == [0.0]


def test_magnitudes_whose_sum_overflows_are_drawn_from_in_logarithms():
    graph = doubling_graph(2000)
    assert algebra.sweep(graph, MAGNITUDE)[0] == np.inf
    share = algebra.by_magnitude(graph).share
    np.testing.assert_allclose(share, 0.5, rtol=1e-12)
    batch = graph.weighing([np.array([1.0, 0.5])] * len(graph.head))
    np.testing.assert_allclose(np.stack(algebra.by_magnitude(batch).share), 0.5, rtol=1e-12)


def test_a_floor_gives_every_branch_a_chance_and_leaves_other_nodes_alone():
    graph = Graph.of([[(1, 0.0), (1, 1.0)], [(2, 1.0), (2, 3.0)], []], 2)
    floored = algebra.with_floor(graph, algebra.by_magnitude(graph), 0.01)
    assert floored.share == [0.005, 0.995, 0.25, 0.75]


@pytest.mark.parametrize("by", ["branch", "magnitude"])
def test_every_run_draws_with_its_own_probabilities(by):
    graph, runs, n = random_graph(11), 3, 20_000
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=runs) for _ in graph.weight]
    batch = graph.weighing(weights)
    index = algebra.draw_runs(batch, 0, rng, MAKERS[by](batch), (n, runs)).index
    for r in range(runs):
        single = graph.weighing([float(w[r]) for w in weights])
        p = exact_probabilities(single, by)
        seen = np.bincount(index[:, r], minlength=len(p))
        rare = n * p < 5  # too few for chi-square: pooled
        seen, expected = np.append(seen[~rare], seen[rare].sum()), np.append(n * p[~rare], n * p[rare].sum())
        seen, expected = seen[expected > 0], expected[expected > 0]
        freedom = len(seen) - 1
        assert chi_square(seen, expected) < freedom + 5 * np.sqrt(2 * freedom) + 5


def test_no_draws_at_all():
    turns = algebra.draw_many(random_graph(0), 0, np.random.default_rng(0), algebra.by_branch(random_graph(0)), 0)
    assert turns.probability.shape == (0,)


# --- products that floats cannot hold --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-3, 1e3], ids=["underflow", "overflow"])
@pytest.mark.parametrize("runs", [None, 3])
def test_sizes_beyond_the_floats_are_compared_in_logarithms(scale, runs):
    """Two hundred stages of weights 0.4, 0.5, 0.45 times a scale: the second branch is the largest at every one."""
    stages = 200
    factor = scale if runs is None else np.full(runs, scale)
    out_edges = [[(v + 1, 0.4 * factor), (v + 1, 0.5 * factor), (v + 1, 0.45 * factor)] for v in range(stages)]
    graph = Graph.of([*out_edges, []], stages)
    size = algebra.largest_sizes(graph)[0]
    assert size is algebra.LOG_LARGEST
    share = np.array(algebra.by_magnitude(graph).share, float).reshape(stages, 3, -1)
    np.testing.assert_allclose(share, np.broadcast_to(np.array([[40], [50], [45]]) / 135, share.shape), rtol=1e-10)
    if runs is None:
        assert [e % 3 for e in algebra.best(graph, 0).edges] == [1] * stages
        first, second = algebra.top(graph, 0, 2)
        assert [e % 3 for e in first] == [1] * stages and sorted(e % 3 for e in second) == [1] * (stages - 1) + [2]
    else:
        taken = algebra.best(graph, 0, (runs,)).branches
        assert all(np.all(branch == 1) for branch in taken.values())
        top = algebra.top_runs(graph, 0, 1, (runs,), size)
        assert algebra.unrank(graph, 0, top[0, 2]) == tuple(range(1, 3 * stages, 3))


def test_one_question_is_one_sweep(monkeypatch):
    """Best paths take one table of largest sizes, made once; gradients one of adjoints."""
    swept, plain = [], paths.sweep

    def counted(structure, weight, semiring, *one, **options):
        swept.append(semiring)
        return plain(structure, weight, semiring, *one, **options)

    for module in (paths, importlib.import_module("tinyspad.paths.largest")):
        monkeypatch.setattr(module, "sweep", counted)
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    lcg.best_path("x"), lcg.best_path("y"), lcg.best_index("x")
    assert [s for s in swept if s is not COUNT] == [LARGEST]
    swept.clear()
    lcg.gradient(), lcg.adjoint("x")
    assert swept == []  # of numbers, from the tape
    runs = ts.trace(ts.functions.beale, np.ones(2), np.ones(2))
    runs.gradient(), runs.adjoint("x")
    assert swept == [GRADIENT]


@pytest.mark.parametrize("seed", range(20))
def test_shares_from_a_listing_are_those_of_the_edges(seed):
    """Of the paths of one parameter, in many runs, zeros and infinities among them: same shares where a walk gets to."""
    rng = np.random.default_rng(seed)
    graph = random_graph(seed, layers=3, width=2)
    runs = [np.where(rng.random(5) < 0.2, 0.0, rng.normal(size=5)) for _ in graph.weight]
    sizes = np.abs(algebra.sweep(graph.weighing(runs), LISTING, np.ones((1, 5)))[0])
    if seed % 2:  # one is infinite in one run
        sizes[rng.integers(len(sizes)), 2] = np.inf
    by_edge, listed = paths.by_magnitude(graph.structure, runs), paths.by_listing(graph.structure, 0, sizes)
    np.testing.assert_allclose(listed.listed, paths.shares_of(sizes))
    one = np.ones((1, 5))
    zero = ~sizes.any(axis=0)  # where all contributions are zero the walk is uniform at each node
    for chances in (by_edge, listed)[seed % 2 :]:
        p = np.broadcast_to(paths.sweep_to(graph.structure, chances.share, LISTING, 0, one), sizes.shape)
        np.testing.assert_allclose(p[:, ~zero], paths.shares_of(sizes)[:, ~zero], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(p.sum(axis=0), 1.0)


# --- by level --------------------------------------------------------------------------------------------------------------


def wide_graph(seed, layers=6, width=40, scale=1.0):
    """Layers whose nodes have one to nine edges to a later one; enough edges for levels."""
    rng = np.random.default_rng(seed)
    size = 1 + layers * width + 1
    out_edges = [[] for _ in range(size)]
    out_edges[0] = [(1 + k, 1.0) for k in range(width)]
    for layer in range(layers):
        for node in range(1 + layer * width, 1 + (layer + 1) * width):
            for _ in range(int(rng.choice([1, 1, 2, 3, 9]))):
                low = 1 + (layer + 1) * width
                head = int(rng.integers(low, min(low + 2 * width, size))) if layer < layers - 1 else size - 1
                out_edges[node].append((min(head, size - 1), float(scale * rng.normal())))
    return Graph.of(out_edges, size - 1)


def known(graph):
    """A structure that is swept by level."""
    assert isinstance(paths.sweep(graph.structure, np.array(graph.weight), GRADIENT), np.ndarray)
    return graph.structure


def unknown(graph):
    """The same, as if it were too small or too narrow for levels."""
    structure = Structure(*(getattr(graph.structure, name) for name in ("start", "tail", "head", "output")))
    structure.known["levels"] = None
    return structure


@pytest.mark.parametrize("name", ["gradient", "magnitude", "squares", "largest", "log", "log largest"])
@pytest.mark.parametrize("seed", range(6))
def test_sweeps_by_level_are_those_of_the_loop(name, seed):
    semiring = paths.LOG_LARGEST if name == "log largest" else paths.SEMIRINGS[name]
    graph = wide_graph(seed)
    weight = np.array(graph.weight)
    if seed == 1:
        weight[::7] = 0.0
    if seed == 2:
        weight[11] = np.nan
    if seed == 3:
        weight[[5, 90, 200]] = np.inf, -np.inf, 0.0
    found = paths.sweep(known(graph), weight, semiring)
    loop = paths.sweep(unknown(graph), weight.tolist(), semiring)
    assert isinstance(found, np.ndarray) and isinstance(loop, list)
    np.testing.assert_allclose(found, loop, rtol=1e-12, atol=1e-13)  # sums of up to nine terms, in another order


def test_levels_are_not_made_where_they_do_not_pay():
    narrow, small = wide_graph(0, layers=60, width=3), random_graph(0)
    for graph in (narrow, small):
        for _ in range(3):
            assert isinstance(paths.sweep(graph.structure, np.array(graph.weight), GRADIENT), list)


def test_what_cannot_go_by_level_goes_by_the_loop():
    """Weights of many runs, a start that is no number, semirings of one's own; the same the second time."""
    graph = wide_graph(0)
    fresh = unknown(graph)
    weight = np.array(graph.weight)
    runs = np.stack([weight, 2 * weight], axis=1)
    mine = paths.Semiring(lambda w: 2, lambda value, edge: value * edge, lambda a, b: a + b, one=1, zero=0)
    for _ in range(2):
        by_runs = paths.sweep(graph.structure, runs, GRADIENT)[0]
        np.testing.assert_allclose(by_runs, paths.sweep(fresh, list(runs), GRADIENT)[0])
        assert by_runs.shape == (2,)
        shaped = paths.sweep(graph.structure, weight, GRADIENT, np.ones(2))[0]
        np.testing.assert_allclose(shaped, np.full(2, paths.sweep(fresh, graph.weight, GRADIENT)[0]))
        assert paths.sweep(graph.structure, weight, COUNT, 2)[0] == 2 * paths.count(fresh, 0)
        assert paths.sweep(graph.structure, weight, mine)[0] == paths.sweep(fresh, graph.weight, mine)[0]


def test_many_draws_where_the_last_choice_is_a_narrow_one_beside_a_wide_one():
    def f(x):
        c = np.cos(x)
        d = ((((c * c) * c) * c) * c * c * c) * c
        a = np.sin(x)
        return d + a * a

    lcg = ts.trace(f, 1.0)
    for by in ("path", "branch", "magnitude"):
        drawn = lcg.sample_paths("x", 2000, rng=0, by=by)
        p = ts.RAD(by=by).probabilities(lcg, "x") if by != "magnitude" else ts.Magnitude().probabilities(lcg, "x")
        found = np.bincount(drawn.index.astype(int), minlength=len(p)) / 2000
        assert np.all(np.abs(found - p) < 5 * np.sqrt(p * (1 - p) / 2000) + 1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_counts_and_uniform_shares_by_level(seed):
    graph = wide_graph(seed)
    structure = known(graph)
    assert paths.counts(structure) == paths.sweep(unknown(graph), graph.structure.head, COUNT)
    assert all(type(n) is int for n in paths.counts(structure))
    by_level, loop = paths.by_path(structure), paths.by_path(unknown(graph))
    np.testing.assert_allclose(by_level.share, loop.share, rtol=1e-14)
    assert by_level.margin == loop.margin
    np.testing.assert_allclose(
        paths.by_branch(structure).share, [1 / len(structure.branches(v)) for v in structure.tail]
    )


def test_counts_beyond_64_bits_and_beyond_floats_stay_exact():
    """Every node has an edge to all of the next layer: width times as many paths with each."""
    for layers, width in ((13, 40), (250, 20)):
        size = layers * width + 2
        out_edges = [[(1 + k, 1.0) for k in range(width)]]
        for layer in range(layers):
            low = 1 + (layer + 1) * width
            heads = range(low, low + width) if layer < layers - 1 else [size - 1]
            out_edges += [[(head, 1.0) for head in heads] for _ in range(width)]
        graph = Graph.of([*out_edges, []], size - 1)
        structure = known(graph)
        assert paths.counts(structure)[0] == width**layers > 2**64
        by_level, loop = paths.by_path(structure), paths.by_path(unknown(graph))
        np.testing.assert_allclose(by_level.share, loop.share, rtol=1e-13)
        assert by_level.margin == loop.margin


@pytest.mark.parametrize("scale", [1.0, 1e-60, 1e60])
@pytest.mark.parametrize("seed", range(4))
def test_shares_by_magnitude_and_best_paths_by_level(scale, seed):
    graph = wide_graph(seed, scale=scale)
    weight = np.array(graph.weight)
    if seed == 1:
        weight[::5] = 0.0
    if seed == 2:
        weight[17] = np.inf
    structure, fresh = known(graph), unknown(graph)
    found, loop = paths.by_magnitude(structure, weight), paths.by_magnitude(fresh, weight.tolist())
    assert isinstance(found.share, np.ndarray)
    np.testing.assert_allclose(found.share, loop.share, rtol=1e-10, atol=1e-300)
    one, other = (
        paths.best(s, weight.tolist(), 0, paths.largest_sizes(s, w))
        for s, w in ((structure, weight), (fresh, weight.tolist()))
    )
    assert one.edges == other.edges


def test_a_traced_graph_answers_the_same_before_and_after_it_has_levels():
    def f(x):
        parts = [np.sin((k % 5 + 1) * x) * np.cos(x) for k in range(60)]
        return functools.reduce(lambda a, b: a + b, parts)

    first, second = ts.trace(f, 0.7), ts.trace(f, 0.7)
    for _ in range(3):
        first.sweep("magnitude"), first.sweep("count")
    assert isinstance(first.sweep("largest")["x"], float) and type(first.sweep("largest")["x"]) is float
    for ask in (
        lambda lcg: lcg.gradient()["x"],
        lambda lcg: lcg.log_mass("x"),
        lambda lcg: lcg.best_path("x").gradient,
        lambda lcg: ts.Magnitude().variance(lcg, "x"),
        lambda lcg: ts.RAD(normalize=True).variance(lcg, "x"),
        lambda lcg: lcg.sample_path("x", 3).index,
        lambda lcg: lcg.sample_path("x", 3, by="magnitude").index,
        lambda lcg: lcg.sample_path("x", 3, by="branch").probability,
    ):
        assert ask(first) == pytest.approx(ask(second), rel=1e-10)
        assert type(ask(first)) is type(ask(second))


def test_runs_among_more_paths_than_64_bits_count_draw_each_branch_as_often_as_it_has_paths():
    """A chain of nodes of four branches, and one of two: each as often as the others, within five standard errors."""
    n, runs = 80, 4000
    out_edges = []
    for k in range(n):
        node = 3 * k
        out_edges += [[(node + 1, 1.0)] * 3 + [(node + 2, 1.0)], [(node + 3, 1.0)], [(node + 3, 1.0)]]
    graph = Graph.of([*out_edges, [(3 * n + 1, 1.0)] * 2, []], 3 * n + 1)
    assert paths.count(graph.structure, 0) == 4**n * 2 > 2**64
    route = algebra.draw_runs(graph, 0, np.random.default_rng(5), algebra.by_path(graph), (runs,))
    for k in (0, 1, n - 1):
        found = np.bincount(route.branches[3 * k], minlength=4)
        assert np.all(np.abs(found - runs / 4) < 5 * np.sqrt(runs * 3 / 16))
    assert abs(route.branches[3 * n].sum() - runs / 2) < 5 * np.sqrt(runs / 4)
    assert [route.index[i] for i in range(3)] == [
        Route(graph.structure, 0, branches={v: int(b[i]) for v, b in route.branches.items()}).index for i in range(3)
    ]


def test_runs_find_the_path_of_a_number_beyond_64_bits():
    """To the last digit: borders between branches are sums of whole numbers of any size."""

    def f(x):
        z = x * x
        y = x
        for _ in range(64):
            y = 0.4 * y + 0.6 * y
        return z + y

    one, many = ts.trace(f, 1.0), ts.trace(f, np.ones(3))
    n = one.count_paths("x")
    for index in (n - 1, n - 2, 4847597059868689668, 2**63, 2**63 + 1):
        found = many.path_gradient("x", np.array([index, 0, index], object))
        np.testing.assert_array_equal(found, [one.nth_path("x", i).gradient for i in (index, 0, index)])
        assert many.linearization.route("x", np.array([index] * 3, object)).index.tolist() == [index] * 3
