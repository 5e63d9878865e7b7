"""The single-access graph: its program, its paths, its ledger, and the laws (CONTRIBUTING.md) on random programs."""

import functools
import subprocess
import sys
from xml.etree import ElementTree

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program, listed_paths

import tinyspad as ts
from tinyspad import paths as algebra
from tinyspad.errors import BadInput, ChangedData, NotElementwise, NotScalar, TooManyPaths
from tinyspad.paths import Structure

f1, f2 = ts.functions.f1, ts.functions.f2


def doublings(n):
    def f(x):
        for _ in range(n):
            x = x + x
        return x

    return f


# --- the program ----------------------------------------------------------------------------------------------------


def test_the_program_of_figure_5():
    assert str(ts.trace(f2, 1.0, 2.0)).splitlines() == [
        "x <- Param_0",
        "y <- Param_1",
        "x1, x2 <- x",
        "a <- exp(x1)",
        "b <- x2 + y",
        "z <- a * b",
        "Return z",
    ]


def test_intermediates_are_tupled_like_parameters():
    def f(x):
        h = np.sin(x)
        return h * h

    lcg = ts.trace(f, 1.0)
    assert str(lcg).splitlines()[1:4] == ["a <- sin(x)", "a1, a2 <- a", "z <- a1 * a2"]
    assert lcg.tupling_nodes == ("a",)


def test_the_decomposition_belongs_to_the_program():
    assert ts.trace(lambda x: x * x, 3.0).count_paths("x") == 2
    assert ts.trace(lambda x: x**2, 3.0).count_paths("x") == 1


def test_dead_code_is_dropped():
    def f(x, y):
        _ = np.exp(x) * y
        return np.sin(x)

    lcg = ts.trace(f, 1.0, 2.0)
    assert str(lcg).splitlines() == ["x <- Param_0", "y <- Param_1", "z <- sin(x)", "Return z"]
    assert lcg.count_paths("y") == 0 and lcg.gradient()["y"] == 0.0


@pytest.mark.parametrize(
    ("f", "args", "line"),
    [
        (lambda x: -x, (1.0,), "z <- -x"),
        (lambda x: 2.5 - x, (1.0,), "z <- 2.5 - x"),
        (lambda x: x[0], (np.ones(2),), "z <- x[0]"),
        (lambda x: x[..., 1:], (np.ones((1, 2)),), "z <- x[..., 1:]"),
        (lambda x: x[0, 1], (np.ones((1, 2)),), "z <- x[0, 1]"),
        (lambda x: np.sum(x, axis=0), (np.ones(2),), "z <- sum(x, axis=0)"),
        (lambda x: np.linalg.norm(x), (np.ones(2),), "z <- linalg.norm(x)"),
        (lambda x: x @ np.array([1.0, 2.0]), (np.ones(2),), "z <- x @ [1.0, 2.0]"),
        (lambda x: x @ np.ones(7), (np.ones(7),), "z <- x @ <array 7>"),
        (lambda x: np.maximum(x, np.float64(3)), (1.0,), "z <- maximum(x, 3.0)"),
        (lambda x: ts.relu(x), (1.0,), "z <- relu(x)"),
        (lambda x: np.where(x > 0, x, 1.0), (1.0,), "z <- where(True, x, 1.0)"),
        (lambda x, y: np.stack([x, y]), (1.0, 2.0), "z <- stack([x, y])"),
        (lambda x: np.concatenate([x, np.ones(2)], axis=0), (np.ones(2),), "z <- concatenate([x, [1.0, 1.0]], axis=0)"),
        (lambda x: np.reshape(x, (2, 1)), (np.ones(2),), "z <- reshape(x, (2, 1))"),
    ],
)
def test_right_hand_sides_read_like_numpy(f, args, line):
    assert str(ts.trace(f, *args)).splitlines()[-2] == line


def test_names_do_not_clash():
    def f(a, z, a1):
        return np.exp(a * z) * a + np.sin(a1) * z

    lcg = ts.trace(f, 1.0, 2.0, 3.0)
    assert len(set(lcg.names)) == len(lcg.names)
    assert {"a_1", "a_2"} <= set(lcg.names)
    many = ts.trace(lambda x: functools.reduce(lambda y, _: np.sin(y), range(60), x), 0.5)
    assert len(set(many.names)) == len(many.names) == 61


@pytest.mark.parametrize(
    "f", [lambda x, x1, x_: x * x + x1 * x1 + x_ * x_, lambda x, x1, x_1: x * x + x1 * x1 + x_1 * x_1]
)
def test_branches_of_alike_parameters_keep_apart(f):
    lcg = ts.trace(f, 1.0, 2.0, 3.0)
    assert len(set(lcg.names)) == len(lcg.names)


def test_a_parameter_named_like_the_spread_ones():
    assert ts.trace(lambda x0, *x: x0 * x[0], 1.0, 2.0).gradient() == {"x0": 2.0, "x_0": 1.0}


def test_a_function_that_changes_its_argument_is_refused():
    def assign(x):
        y = x * x
        x.data = 10.0
        return y + x

    def write(x):
        y = np.sum(x * x)
        x.data[0] = 10.0
        return y

    for f, x in ((assign, 3.0), (write, np.ones(2))):
        with pytest.raises(ChangedData, match='own argument "x"'):
            ts.trace(f, x)


def test_indices_out_of_range_are_refused_in_a_batch_too():
    lcg = ts.trace(f1, np.array([5.0, 6.0]))
    for index in (2, -1, np.array([0, 7]), 1.5):
        with pytest.raises(BadInput, match="there is no path"):
            lcg.path_gradient("x", index)
    with pytest.raises(BadInput, match=r"there is no path 1\.5"):
        ts.trace(f1, 5.0).nth_path("x", 1.5)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_shares_of_extreme_products(scale):
    np.testing.assert_allclose(ts.trace(lambda x: scale * x * x, 1.0).ledger().shares, [0.5, 0.5])


def test_values_named_by_the_user_keep_their_names():
    def f(x):
        h = np.exp(x)
        h.name = "hidden"
        return h * x

    assert "hidden <- exp(x1)" in str(ts.trace(f, 1.0))


def test_validate_accepts_every_trace_and_rejects_a_second_reader():
    lcg = ts.trace(lambda x: np.exp(x) + np.sin(x), 1.0)  # x, x1, x2, exp, sin, z
    lcg.validate()
    at = lcg.linearization
    for wrong in [
        [[(3, 2.7), (4, 0.5)], [], [], [(5, 1.0)], [(5, 1.0)], []],  # x read by exp and sin, without a tupling node
        [[(1, 1.0), (2, 2.0)], [(3, 2.7)], [(4, 0.5)], [(5, 1.0)], [(5, 1.0)], []],  # a copy that is not one
    ]:
        at.structure, at.weight = Structure.of(wrong, 5)
        with pytest.raises(BadInput, match='"x" is read 2 times'):
            lcg.validate()
    at.structure, at.weight = Structure.of([[(1, 1.0)], [(1, 1.0)], [], [], [], []], 5)
    with pytest.raises(BadInput, match="towards the output"):
        lcg.validate()


def test_dot_text_names_every_node_and_edge():
    lcg = ts.trace(f2, 1.0, 2.0)
    dot = lcg.to_dot()
    assert dot.startswith("digraph") and dot.rstrip().endswith("}")
    assert dot.count("->") == len(lcg.edges) and dot.count("shape=diamond") == 1
    assert all(f'label="{n.name}' in dot for n in lcg.nodes)


def test_a_notebook_shows_program_and_drawing():
    lcg = ts.trace(f2, 1.0, 2.0)
    shown = lcg._repr_html_()
    assert "x1, x2 &lt;- x" in shown
    picture = ElementTree.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])
    of = {kind: picture.findall(f"{{*}}g//{{*}}{kind}") for kind in ("path", "rect", "circle", "text")}
    tupled = sum(node.tupled for node in lcg.nodes)
    assert len(of["path"]) == 2 * len(lcg.edges) + tupled  # a line and a head for every edge, a diamond
    assert len(of["rect"]) + len(of["circle"]) == len(lcg.nodes) - tupled
    texts = [text.text for text in of["text"]]
    assert set(lcg.names) <= set(texts) and {node.text for node in lcg.nodes if node.kind == "operation"} <= set(texts)
    large = ts.trace(doublings(40), 1.0)._repr_html_()
    assert large.count("<svg") == 1 and "40 operations, folded into" in large and "<img" not in large


@pytest.mark.parametrize(
    "f",
    [
        lambda x_y: 3.0,
        lambda x_y: x_y,
        lambda x_y: np.sum(np.ones(3) * x_y * x_y),
        lambda x_y: named(x_y * 2) + x_y,
    ],
)
def test_a_drawing_stays_whole(f):
    """With an output that reads nothing, linear maps, names too long for a node, and letters that HTML knows."""
    shown = ts.trace(f, 2.0)._repr_html_()
    picture = ElementTree.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])
    _, _, width, height = map(float, picture.get("viewBox").split())
    for text in picture.findall(".//{*}text"):
        half = 3 * len(text.text)  # about 6 pixels a letter, from its middle
        assert half <= float(text.get("x")) <= width - half and 8 <= float(text.get("y")) <= height - 3


def named(value):
    value.name = '<a & "long name">'
    return value


def test_showing_an_lcg_needs_no_matplotlib():
    code = "import sys, tinyspad as ts; ts.trace(lambda x: x * x, 3.0)._repr_html_(); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- f1 and equation (3) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [-3.0, 0.0, 0.5, 5.0])
def test_equation_3(x):
    terms = ts.trace(f1, x).path_gradients("x")
    np.testing.assert_allclose(terms, [2 * x * (2 + np.cos(4 * x)), -4 * x**2 * np.sin(4 * x)], rtol=1e-14, atol=1e-14)


def test_f1_at_5():
    lcg = ts.trace(f1, 5.0)
    assert lcg.value == pytest.approx(60.20205, abs=1e-5)
    assert lcg.gradient() == {"x": pytest.approx(-67.21370, abs=1e-5)}
    first, second = lcg.paths("x")
    assert first.nodes == ("x", "x1", "a", "z") and str(second) == "x -> x2 -> b -> c -> d -> z"
    assert first.weights == (1.0, 10.0, pytest.approx(2.408082, abs=1e-6))
    assert (first.index, first.branches, second.branches) == (0, (0,), (1,))
    assert lcg.best_path("x") == second and second.gradient == pytest.approx(-91.294525, abs=1e-6)


# --- the laws, on random programs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(150))
def test_laws_1_and_2_on_random_programs(seed):
    program = Program(seed, params=1 + seed % 3, length=4 + seed % 9)
    point = program.point(seed)
    names = [f"args{i}" for i in range(program.params)]
    lcg = ts.trace(lambda *args: program(*args), *point)
    lcg.validate()
    assert lcg.value == pytest.approx(program(*point), rel=1e-12)
    expected = autograd.grad(lambda x: program(*x, xp=anp))(tuple(point))
    for i, name in enumerate(names):
        gradient = lcg.gradient()[name]
        assert gradient == pytest.approx(expected[i], rel=1e-10, abs=1e-12)
        assert lcg.central_difference(name)[0] == pytest.approx(gradient, rel=1e-7, abs=1e-8)
        brute = listed_paths(lcg, name)
        assert lcg.count_paths(name) == len(brute)
        paths = lcg.paths(name)
        assert [p.nodes for p in paths] == [nodes for nodes, _ in brute]
        products = [product for _, product in brute]
        np.testing.assert_allclose(lcg.path_gradients(name), products, rtol=1e-10)
        np.testing.assert_allclose([p.gradient for p in paths], products, rtol=1e-10)
        assert sum(products) == pytest.approx(gradient, rel=1e-10, abs=1e-10)
        if brute:
            assert [lcg.nth_path(name, k) for k in range(len(paths))] == paths
            sizes = np.abs(lcg.path_gradients(name))
            assert sizes[lcg.best_path(name).index] == pytest.approx(sizes.max(), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 14), params=st.integers(1, 4))
def test_the_sum_over_paths_is_the_gradient_for_any_program(seed, length, params):
    program = Program(seed, params, length)
    lcg = ts.trace(lambda *args: program(*args), *program.point(seed))
    lcg.validate()
    for name, gradient in lcg.gradient().items():
        if lcg.count_paths(name) <= 5000:
            terms = lcg.path_gradients(name)
            assert abs(terms.sum() - gradient) <= 1e-10 * max(1.0, np.abs(terms).sum())


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_of_runs_is_so_many_single_runs(seed):
    program = Program(seed, params=2, length=7)
    points = program.point(seed, (5,))
    batch = ts.trace(lambda x, y: program(x, y), *points)
    assert batch.batch == (5,)
    for r in range(5):
        single = ts.trace(lambda x, y: program(x, y), *(float(p[r]) for p in points))
        assert single.signature == batch.signature
        for name in ("x", "y"):
            if not single.count_paths(name):
                continue
            np.testing.assert_allclose(batch.path_gradients(name)[:, r], single.path_gradients(name), rtol=1e-12)
            assert batch.best_index(name)[r] == single.best_index(name)
            np.testing.assert_allclose(batch.gradient()[name][r], single.gradient()[name], rtol=1e-12)


# --- tensor edges -------------------------------------------------------------------------------------------------------


def network(w, b):
    x = np.arange(6.0).reshape(3, 2) / 5
    hidden = np.tanh(x @ w + b)
    return np.sum(hidden * hidden) + np.sum(w * w) * b[0]


def test_tensor_edges_list_count_and_sum():
    w, b = np.random.default_rng(0).normal(size=(2, 2)), np.array([0.3, -0.2])
    lcg = ts.trace(network, w, b)
    expected = autograd.grad(
        lambda args: (
            anp.sum(anp.tanh(anp.arange(6.0).reshape(3, 2) / 5 @ args[0] + args[1]) ** 2)
            + anp.sum(args[0] * args[0]) * args[1][0]
        )
    )((w, b))
    for name, gradient in zip(("w", "b"), expected, strict=True):
        terms = lcg.path_gradients(name)
        assert terms.shape == (lcg.count_paths(name), *gradient.shape)
        np.testing.assert_allclose(terms.sum(axis=0), gradient, rtol=1e-12)
        np.testing.assert_allclose([p.gradient for p in lcg.paths(name)], terms, rtol=1e-12)
        assert lcg.best_path(name).index == np.argmax(np.linalg.norm(terms.reshape(len(terms), -1), axis=1))
        norms = np.linalg.norm(terms.reshape(len(terms), -1), axis=1)
        assert [p.index for p in lcg.top_paths(name, 3)] == np.argsort(-norms, kind="stable")[:3].tolist()
        drawn = lcg.sample_path(name, 0, by="magnitude")
        assert drawn.probability == pytest.approx(norms[drawn.index] / norms.sum(), rel=1e-12)
        shares = norms / norms.sum()
        assert lcg.entropy(name) == pytest.approx(-np.sum(shares * np.log(shares)), rel=1e-12)
    assert lcg.sample_paths("w", 4, 0).gradient.shape == (4, 2, 2)
    assert lcg.sample_paths("w", 4, 0, by="magnitude").gradient.shape == (4, 2, 2)


def test_too_many_paths_through_linear_maps_cannot_be_ranked():
    lcg = ts.trace(lambda x: np.sum(doublings(30)(x)), np.ones(2))
    with pytest.raises(NotElementwise, match="norms"):
        lcg.best_path("x")
    assert lcg.sample_path("x", 0).gradient.shape == (2,)


def test_an_array_that_is_no_batch_has_no_single_gradient():
    lcg = ts.trace(lambda x: np.cumsum(x), np.ones(3))
    with pytest.raises(NotScalar, match=r"np\.sum"):
        lcg.gradient()


# --- size -----------------------------------------------------------------------------------------------------------------


def test_a_thousand_doublings():
    lcg = ts.trace(doublings(1000), 1e-305)
    assert lcg.count_paths("x") == 2**1000
    with pytest.raises(TooManyPaths, match="nth_path"):
        lcg.paths("x")
    with pytest.raises(TooManyPaths):
        lcg.path_gradients("x")
    path = lcg.nth_path("x", 2**1000 - 1)
    assert set(path.branches) == {1} and path.gradient == 1.0
    drawn = lcg.sample_path("x", 0)
    assert lcg.nth_path("x", drawn.index).edges == drawn.edges
    assert drawn.probability == 2.0**-1000
    assert lcg.best_path("x").index == 0
    assert lcg.sample_path("x", 0, by="branch").probability == 2.0**-1000


@pytest.mark.parametrize("n", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_ten_and_a_hundred_thousand_operations(n):
    def chain(x):
        y = x
        for _ in range(n):
            y = y * 1.00001
        return y + x

    lcg = ts.trace(chain, 1.0)
    lcg.validate()
    assert lcg.gradient()["x"] == pytest.approx(1 + 1.00001**n)
    assert lcg.count_paths() == 2 and lcg.sample_path("x", 0).index in (0, 1)
    assert len(lcg.text().splitlines()) == n + 4 and len(str(lcg).splitlines()) < 64
    assert [len(p.nodes) for p in lcg.paths()] == [n + 3, 3]
    assert len(str(lcg.ledger()).splitlines()) < 20


# --- edges of the domain -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "count", "gradient"),
    [(lambda x: x, 1, 1.0), (lambda x: 3.0, 0, 0.0), (lambda x: 0.0 * x, 1, 0.0), (lambda x: np.float32(2), 0, 0.0)],
    ids=["identity", "constant", "zero", "float32"],
)
def test_trivial_functions(f, count, gradient):
    lcg = ts.trace(f, 2.0)
    lcg.validate()
    assert lcg.count_paths() == count == len(lcg.paths()) == len(lcg.path_gradients())
    assert lcg.gradient() == {"x": gradient}
    assert "Return" in str(lcg) and f"sum over {count} path" in str(lcg.ledger())
    if not count:
        for ask in (lcg.best_path, lambda: lcg.sample_path("x", 0)):
            with pytest.raises(BadInput, match="does not depend"):
                ask()


def test_an_empty_batch():
    lcg = ts.trace(f1, np.zeros(0))
    assert lcg.batch == (0,) and lcg.path_gradients().shape == (2, 0)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: ts.trace(f2, 1.0), r"f2 takes 2 arguments \(x, y\), and 1 was given. Start from a tuple"),
        (lambda: ts.trace(f1, 1.0, 2.0), r"f1 takes 1 argument \(x\), and 2 were given"),
        (lambda: ts.trace(f1, 1.0).count_paths("y"), "no parameter 'y'; the function has x"),
        (lambda: ts.trace(f2, 1.0, 2.0).count_paths(), "Which parameter"),
        (lambda: ts.trace(f1, 1.0).nth_path("x", 2), "has 2 paths, numbered from 0; there is no path 2"),
        (lambda: ts.trace(f1, 1.0).nth_path("x", -1), "there is no path -1"),
        (lambda: ts.trace(f1, 1.0).sample_path("x", 0, by="luck"), "by="),
        (lambda: ts.trace("x**2", 1.0), "the function to trace"),
        (lambda: ts.trace(lambda x: None, 1.0), "lack a return"),
        (lambda: ts.trace(lambda x: (x, x), 1.0), "several outputs"),
        (lambda: ts.trace(lambda x: "three", 1.0), "not a number"),
        (lambda: ts.trace(lambda x: x * 0.0, 1.0).sample_path("x", 0, by="magnitude"), "positive finite sum"),
    ],
)
def test_wrong_questions_are_answered_clearly(ask, says):
    with pytest.raises(BadInput, match=says):
        ask()


def test_every_run_of_a_batch_has_its_own_best_paths_and_draws():
    x = np.linspace(0.1, 6.0, 7)
    lcg = ts.trace(f1, x)
    singles = [ts.trace(f1, float(a)) for a in x]
    np.testing.assert_array_equal(lcg.best_path().index, [one.best_path().index for one in singles])
    top = lcg.top_paths("x", 5)
    assert top.shape == (2, 7)
    for r, one in enumerate(singles):
        assert top.index[:, r].tolist() == [path.index for path in one.top_paths("x", 5)]
        np.testing.assert_allclose(top.gradient[:, r], [path.gradient for path in one.top_paths("x", 5)], rtol=1e-15)
    drawn = lcg.sample_path("x", 0, by="magnitude")
    listed = lcg.path_gradients("x")
    share = np.abs(listed) / np.abs(listed).sum(axis=0)
    np.testing.assert_allclose(drawn.probability, np.take_along_axis(share, drawn.index[None], axis=0)[0], rtol=1e-14)
    np.testing.assert_array_equal(drawn.gradient, np.take_along_axis(listed, drawn.index[None], axis=0)[0])
    assert lcg.sample_paths("x", 3, 0, by="branch").shape == (3, 7)


def test_parameters_without_names():
    assert ts.trace(np.exp, 1.0).params == ("x",)
    assert ts.trace(lambda *xs: xs[0] * xs[1], 1.0, 2.0).params == ("xs0", "xs1")
    assert ts.trace(lambda x, n=3: x**n, 2.0).gradient() == {"x": 12.0}
    assert ts.trace(ts.functions.beale, 1.0, 2.0).params == ("x", "y")


def test_constants_that_are_values_are_constants():
    w = ts.Value(2.0, name="w")
    lcg = ts.trace(lambda x: w * x + np.exp(w), 3.0)
    assert lcg.gradient() == {"x": 2.0} and w.grad == 0.0
    assert "a <- w * x" in str(lcg)


# --- ledger ---------------------------------------------------------------------------------------------------------------


def test_the_ledger_proves_itself():
    ledger = ts.trace(f1, 5.0).ledger("x")
    assert ledger.total == pytest.approx(ledger.reverse, rel=1e-15)
    assert ledger.difference == pytest.approx(ledger.reverse, rel=1e-8)
    assert ledger.shares.sum() == pytest.approx(1.0)
    text = str(ledger)
    assert "x -> x2 -> b -> c -> d -> z" in text and "(-0.9129)" in text and "79.1%" in text


def test_the_ledger_of_arrays_shows_norms():
    assert "norm" in str(ts.trace(f1, np.array([1.0, 2.0])).ledger())
    assert "<matmul>" in str(ts.trace(network, np.ones((2, 2)), np.ones(2)).ledger("w"))


def test_sampling_frequencies_match_probabilities():
    lcg = ts.trace(lambda x, y: Program(3, 2, 9)(x, y), 0.4, 0.9)
    n = lcg.count_paths("x")
    assert n > 3
    rng = np.random.default_rng(0)
    for by in ("path", "branch", "magnitude"):
        drawn = [lcg.sample_path("x", rng, by=by) for _ in range(3000)]
        said = {p.index: p.probability for p in drawn}
        for index, probability in said.items():
            frequency = np.mean([p.index == index for p in drawn])
            assert abs(frequency - probability) < 5 * np.sqrt(probability * (1 - probability) / 3000) + 1e-9
    assert algebra.LIMIT == 100_000


def test_names_of_parameters_are_those_of_the_function_asked():
    from tinyspad.arguments import parameter_names

    def make(name):
        namespace = {}
        exec(f"def f({name}, q=1.0): return {name}", namespace)
        return namespace["f"]

    f, g = make("a"), make("b")
    assert parameter_names(f, 1) == ["a"] and parameter_names(g, 1) == ["b"] and parameter_names(f, 2) == ["a", "q"]
    parameter_names(f, 1).append("harm")
    assert parameter_names(f, 1) == ["a"]

    class NoHash:
        __hash__ = None

        def __call__(self, u, v):
            return u * v

    assert parameter_names(NoHash(), 2) == parameter_names(NoHash().__call__, 2) == ["u", "v"]
    for _ in range(3):  # what is refused is refused again
        with pytest.raises(BadInput, match="takes 2 arguments"):
            parameter_names(f, 3)


@pytest.mark.parametrize("seed", range(40))
def test_a_gradient_of_numbers_needs_no_single_access_form_and_is_the_sweeps_to_the_bit(seed):
    program = Program(seed, params=2, length=12)
    point = program.point(seed)
    lcg = ts.trace(lambda x, y: program(x, y), *point)
    found = list(lcg.gradient().values())
    assert "_tupled" not in vars(lcg.single_access) or not lcg.single_access.of_numbers or any(np.isnan(found))
    lcg.validate()
    assert [lcg.adjoint(name) for name in lcg.params] == found
    assert lcg.adjoints[: len(found)] == found
    assert list(ts.trace(lambda x, y: program(x, y), *point).retrace(*point).gradient().values()) == found


def test_a_sum_is_added_up_in_the_order_of_reading():
    """Of floats the order shows in the last digit."""
    for k in range(30):
        c = np.random.default_rng(k).normal(size=7).tolist()
        lcg = ts.trace(lambda x, c=c: sum(a * x for a in c) * x + x, 0.1 + k)
        assert lcg.gradient()["x"] == lcg.adjoints[0]
