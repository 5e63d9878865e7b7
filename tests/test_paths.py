"""The path algebra over bare edges: four views of one order, against brute force."""

import itertools
from collections import Counter
from math import comb

import numpy as np
import pytest

from tinyspad import paths as algebra
from tinyspad.errors import TooManyPaths
from tinyspad.paths import COUNT, GRADIENT, LARGEST, LISTING, MAGNITUDE, Graph


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
    counts = algebra.count(graph)
    assert list(algebra.enumerate_paths(graph, 0)) == expected
    assert counts[0] == len(expected)
    assert [algebra.unrank(graph, counts, 0, i) for i in range(len(expected))] == expected
    assert [algebra.rank(graph, counts, path) for path in expected] == list(range(len(expected)))


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
    assert algebra.best(graph, 0, algebra.sweep(graph, LARGEST)) == listed[int(np.argmax(sizes))]


def test_the_first_path_wins_a_tie():
    graph = Graph.of([[(1, 2.0), (2, -2.0)], [(3, 1.0)], [(3, 1.0)], []], 3)
    assert algebra.best(graph, 0, algebra.sweep(graph, LARGEST)) == (0, 2)


def test_the_first_path_wins_when_an_edge_further_up_is_zero():
    graph = Graph.of([[(1, 0.0)], [(2, 1.0), (3, 2.0)], [(4, 1.0)], [(4, 1.0)], []], 4)
    sizes = algebra.sweep(graph, LARGEST)
    assert algebra.best(graph, 0, sizes) == (0, 1, 3)


def test_a_semiring_of_ones_own():
    graph = random_graph(1)
    longest = algebra.Semiring(lambda w: 1, lambda value, edge: value + edge, max, one=0, zero=0)
    assert algebra.sweep(graph, longest)[0] == max(map(len, brute(graph)))


def test_no_path():
    graph = Graph.of([[], [(2, 1.0)], []], 2)
    assert algebra.count(graph) == [0, 1, 1]
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
    masses = algebra.sweep(graph, MAGNITUDE) if magnitude else None
    rng = np.random.default_rng(0)
    drawn = [algebra.draw(graph, 0, rng, masses) for _ in range(4000)]
    said = dict(drawn)
    if magnitude:
        sizes = [abs(np.prod([graph.weight[e] for e in path])) for path in listed]
        exact = dict(zip(listed, np.array(sizes) / sum(sizes)))
    else:
        exact = {path: algebra.branch_probability(graph, path) for path in listed}
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
    n = algebra.count(graph)[0]
    rng = np.random.default_rng(seed)
    runs = 7
    weights = [np.array(rng.normal(size=runs)) for _ in graph.weight]
    batch = Graph(graph.start, graph.tail, graph.head, weights, graph.output)
    counts = algebra.count(batch)
    index = rng.integers(n, size=runs)
    taken = algebra.choices(batch, counts, 0, index)
    got = algebra.follow(batch, 0, taken, np.ones(runs))
    best = algebra.best_choices(batch, 0, algebra.sweep(batch, LARGEST, np.ones(runs)))
    best_index = algebra.ranks(batch, counts, 0, best, (runs,))
    np.testing.assert_array_equal(algebra.ranks(batch, counts, 0, taken, (runs,)), index)
    for r in range(runs):
        single = Graph(graph.start, graph.tail, graph.head, [float(w[r]) for w in weights], graph.output)
        path = algebra.unrank(single, counts, 0, int(index[r]))
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
    counts = algebra.count(graph)
    index = np.array([0, 2**70 - 1], dtype=object)
    taken = algebra.choices(graph, counts, 0, index)
    np.testing.assert_array_equal(algebra.follow(graph, 0, taken, np.ones(2)), [0.5**70, 2.0**70])
    assert list(algebra.ranks(graph, counts, 0, taken, (2,))) == list(index)


def test_too_many_paths_names_the_number_and_the_way_out():
    with pytest.raises(TooManyPaths, match=r'"x" has 1 267 650 600 228 229 401 496 703 205 376 paths.*sample_path'):
        algebra.check_limit(2**100, 100_000, "x")
    assert algebra.spaced(12345) == "12 345"
    assert algebra.spaced(2**1000) == "1.0715e+301"
    assert algebra.spaced(2**100_000).endswith("e+30102")
