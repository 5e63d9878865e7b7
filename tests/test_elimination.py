"""Elimination: every order gives the same Jacobian, and costs what the literature says it costs."""

import itertools

import numpy as np
import pytest
from programs import Program

import tinyspad as ts
from tinyspad.errors import BadInput, NotElementwise
from tinyspad.paths import eliminate


def random_dag(seed, inputs=3, inner=6, outputs=2):
    """Random edges, some of them parallel, from lower to higher vertices; outputs have none."""
    rng = np.random.default_rng(seed)
    size = inputs + inner + outputs
    edges = []
    for head in range(inputs, size):
        for tail in rng.integers(0, min(head, inputs + inner), rng.integers(1, 4)):
            edges.append((int(tail), head, float(rng.normal())))
    return edges, list(range(inputs)), list(range(inputs + inner, size))


def dense_jacobian(edges, inputs, outputs):
    """By linear algebra: the sum over all paths is the inverse of I - A, A the matrix of the edges."""
    size = max(max(e[:2]) for e in edges) + 1
    a = np.zeros((size, size))
    for tail, head, weight in edges:
        a[tail, head] += weight
    total = np.linalg.inv(np.eye(size) - a)
    return {(i, o): total[i, o] for i in inputs for o in outputs}


def check(done, expected):
    for pair, value in expected.items():
        assert done.jacobian.get(pair, 0.0) == pytest.approx(value, rel=1e-10, abs=1e-12)
    assert done.jacobian.keys() <= expected.keys()


@pytest.mark.parametrize("by", ["vertex", "edge"])
@pytest.mark.parametrize("order", ["forward", "reverse", "markowitz"])
@pytest.mark.parametrize("seed", range(40))
def test_every_order_gives_the_same_jacobian(seed, order, by):
    graph = random_dag(seed)
    check(eliminate(*graph, order, by), dense_jacobian(*graph))


@pytest.mark.parametrize("seed", range(5))
def test_every_permutation_of_the_vertices_does(seed):
    graph = random_dag(seed, inner=4)
    inner = eliminate(*graph).order
    expected = dense_jacobian(*graph)
    counts = set()
    for order in itertools.permutations(inner):
        done = eliminate(*graph, list(order))
        check(done, expected)
        assert done.order == order
        counts.add(done.multiplications)
    assert eliminate(*graph, "markowitz").multiplications >= min(counts)
    assert {eliminate(*graph, o).multiplications for o in ("forward", "reverse")} <= counts


@pytest.mark.parametrize("seed", range(30))
def test_random_edge_orders_do(seed):
    edges, inputs, outputs = random_dag(seed)
    rng = np.random.default_rng(seed)
    order = []
    while True:  # extend the order by a random legal step until nothing is left to eliminate
        try:
            done = eliminate(edges, inputs, outputs, order, "edge")
            break
        except BadInput as problem:
            assert "leaves" in str(problem)
        steps = [
            (t, h, end)
            for t, h in itertools.permutations(range(len(inputs) + 6 + 2), 2)
            for end in ("front", "back")
            if (h if end == "front" else t) in range(3, 9)
        ]
        for i in rng.permutation(len(steps)):
            try:
                eliminate(edges, inputs, outputs, [*order, steps[i]], "edge")
            except BadInput as problem:
                if "leaves" not in str(problem):
                    continue
            order.append(steps[i])
            break
    check(done, dense_jacobian(edges, inputs, outputs))


def test_costs_on_a_funnel_are_those_of_forward_and_reverse_mode():
    """n inputs into one vertex, a chain, then m outputs: forward n (c - 1) + n m, reverse m (c - 1) + n m."""
    n, c, m = 5, 7, 2
    chain = list(range(n, n + c))
    outputs = list(range(n + c, n + c + m))
    edges = [(i, chain[0], 1.5) for i in range(n)]
    edges += [(a, b, 0.5) for a, b in itertools.pairwise(chain)]
    edges += [(chain[-1], o, 2.0) for o in outputs]
    cost = {order: eliminate(edges, list(range(n)), outputs, order).multiplications for order in ("forward", "reverse")}
    assert cost == {"forward": n * (c - 1) + n * m, "reverse": m * (c - 1) + n * m}
    best = eliminate(edges, list(range(n)), outputs, "markowitz").multiplications
    assert best == (c - 2) + min(n, m) + n * m  # the chain first, one product each; then its cheaper end


def test_additions_are_the_products_that_meet_an_edge():
    done = eliminate([(0, 1, 2.0), (1, 2, 3.0), (0, 2, 1.0)], [0], [2])
    assert (done.multiplications, done.additions, done.jacobian) == (1, 1, {(0, 2): 7.0})


def test_what_leads_nowhere_or_comes_from_nowhere_costs_nothing():
    done = eliminate([(0, 1, 2.0), (1, 3, 3.0), (0, 2, 1.0), (4, 1, 5.0)], [0], [3])
    assert (done.multiplications, done.jacobian) == (1, {(0, 3): 6.0})


@pytest.mark.parametrize("order", ["forward", "reverse", "markowitz"])
@pytest.mark.parametrize("by", ["vertex", "edge"])
@pytest.mark.parametrize("seed", range(10))
def test_the_elimination_of_a_program_gives_its_gradient(seed, by, order):
    program = Program(seed, length=10)
    lcg = ts.trace(lambda x, y: program(x, y), *program.point(seed))
    done = lcg.eliminate(order, by)
    end = lcg.names[lcg.structure.output]
    for name, gradient in lcg.gradient().items():
        assert done.jacobian.get((name, end), 0.0) == pytest.approx(gradient, rel=1e-10, abs=1e-12)


def test_a_batch_is_eliminated_at_once():
    x = np.linspace(0.5, 2.0, 5)
    lcg = ts.trace(ts.functions.f1, x)
    np.testing.assert_allclose(lcg.eliminate().jacobian["x", "z"], lcg.gradient()["x"], rtol=1e-13)


def test_several_outputs_share_their_graph():
    def both(x, y):
        s = np.sin(x * y)
        return s * x, s + y, s, 3.0

    together = ts.jacobian(both, 1.0, 2.0)
    done = together.eliminate("markowitz")
    outputs = sorted({o for _, o in done.jacobian})
    assert outputs == ["z1", "z2", "z3"]  # the fourth does not depend on anything
    for k, name in enumerate(outputs):
        for param in "xy":
            assert done.jacobian[param, name] == pytest.approx(together.blocks[k][param], rel=1e-14)
    assert together.values[3] == 3.0 and together.blocks[3] == {"x": 0.0, "y": 0.0}


def test_an_output_that_is_returned_twice():
    def twice(z1):
        y = z1 * z1
        return y, y

    done = ts.jacobian(twice, 3.0).eliminate()
    assert done.jacobian == {("z1", "z_1"): 6.0, ("z1", "z_2"): 6.0}


def test_the_jacobian_is_the_callers_to_change():
    lcg = ts.trace(np.sin, np.array([1.0, 2.0]))
    lcg.eliminate().jacobian["x0" if "x0" in lcg.params else "x", "z"][:] = 99.0
    np.testing.assert_allclose(lcg.gradient()[lcg.params[0]], np.cos([1.0, 2.0]))


def test_edge_markowitz_breaks_ties_by_the_vertex():
    lcg = ts.trace(ts.functions.beale, 1.0, 2.0)
    assert lcg.eliminate("markowitz", "edge").multiplications <= lcg.eliminate("markowitz").multiplications


def test_an_output_that_is_a_parameter():
    assert ts.trace(lambda x: x, 2.0).eliminate().jacobian == {("x", "z"): 1.0}


@pytest.mark.parametrize(
    ("order", "by", "says"),
    [
        ("sideways", "vertex", "order="),
        ("forward", "corner", "by="),
        (["a"], "vertex", "leaves 3 vertices"),
        (["a", "a"], "vertex", "eliminated before"),
        (["a", "q"], "vertex", "no vertex 'q'"),
        (["x"], "vertex", "no intermediate"),
        ([("x", "b", "front")], "edge", "leaves"),
        ([("x", "c", "front")], "edge", "of an edge that is there"),
        ([("x", "b", "back")], "edge", "through a parameter"),
        (["b"], "edge", "of an edge that is there"),
        (["a", "a"], "vertex", "a is no intermediate"),
        (["c", "a"], "vertex", "among them b, d"),
        (None, "vertex", "not None"),
        ({"a"}, "vertex", "or a list"),
        ([("a", "z", "middle")], "edge", r"\(a, z, 'middle'\) is no"),
    ],
)
def test_orders_that_are_none_are_refused(order, by, says):
    with pytest.raises(BadInput, match=says):
        ts.trace(ts.functions.f1, 5.0).eliminate(order, by)


def test_linear_maps_cannot_be_eliminated():
    with pytest.raises(NotElementwise, match="elementwise"):
        ts.trace(lambda x: np.sum(x * x), np.ones(3)).eliminate()
