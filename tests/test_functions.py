"""The test problems: minimum, minimisers, boxes, known values, and gradients that vanish where they should."""

import inspect
import pickle

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput
from tinyspad.functions import ALL, Problem, written

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


WRITINGS = [pytest.param(f, id=f.__name__) for p in ALL.values() for f in p.writings.values()]


@pytest.mark.parametrize("f", WRITINGS)
def test_a_writing_has_its_functions_values_and_gradient_and_other_paths(f):
    known = ALL["ackley_product"] if f.writing.startswith("printed") else ALL[f.name]
    assert f.minimum == known.minimum and f.minimizers == known.minimizers and f.box == known.box
    rng = np.random.default_rng(2)
    points = [rng.uniform(low, high, 50) for low, high in f.box]
    size = np.max(np.abs(known(*points)))
    np.testing.assert_allclose(f(*points), known(*points), rtol=1e-12, atol=1e-13 * size)
    lcg, reference = ts.trace(f, *points), ts.trace(known, *points)
    for name, slope in reference.gradient().items():
        np.testing.assert_allclose(lcg.gradient()[name], slope, rtol=1e-9, atol=1e-11 * np.max(np.abs(slope)))
        np.testing.assert_allclose(lcg.path_gradients(name).sum(axis=0), slope, rtol=1e-8, atol=1e-8)
    programs = {str(ts.trace(g, *(p[0] for p in points))) for g in known.writings.values()}
    assert len(programs) == len(known.writings)
    assert list(inspect.signature(f).parameters) == ["x", "y"][: len(f.box)]
    assert pickle.loads(pickle.dumps(f)) is f


@pytest.mark.parametrize(
    ("name", "counts"),
    [  # of x and of y, counted on paper: where a parameter is read, times how often what it goes into is
        ("ackley", {"sum": (2, 2), "products": (3, 3), "printed": (2, 2), "printed-products": (3, 3)}),
        ("beale", {"powers": (6, 3), "products": (6, 6), "all-products": (12, 12)}),
        ("levi", {"powers": (2, 3), "all-products": (4, 6)}),
        ("schaffer2", {"powers": (2, 2), "products": (4, 4), "all-products": (8, 8)}),
    ],
)
def test_the_papers_functions_have_these_paths(name, counts):
    f = ALL[name]
    assert next(iter(f.writings.values())) is f
    found = {writing: ts.trace(g, 1.3, 0.7) for writing, g in f.writings.items()}
    assert {writing: (lcg.count_paths("x"), lcg.count_paths("y")) for writing, lcg in found.items()} == counts


def test_a_writing_that_is_not_there_is_told():
    beale = ALL["beale"]
    for ask in (lambda: beale.writings["roman"], lambda: written(beale, "roman")):
        with pytest.raises(BadInput, match=r"no writing 'roman'.*'powers', 'products', 'all-products'"):
            ask()
    with pytest.raises(BadInput, match="f2 has no other writings"):
        written(ALL["f2"], "products")
    with pytest.raises(BadInput, match="sin has no other writings"):
        written(np.sin, "products")


def test_a_writing_is_named_wherever_a_function_is():
    products = ALL["beale"].writings["products"]
    lab = ts.experiments.laboratory(products, 1.0, 2.0, draws=10)
    assert str(lab).startswith("beale, products at x = 1, y = 2; paths: 6 of x, 6 of y")
    assert str(ts.experiments.laboratory(ALL["beale"], 1.0, 2.0, draws=10)).startswith("beale at x = 1, y = 2")
    runs = ts.compare(products, (1.0, 2.0), {"SPAD": ts.SPAD(m=None)}, steps=3)
    assert runs["SPAD"].value != ts.minimize(ALL["beale"], (1.0, 2.0), estimator=ts.SPAD(), steps=3).value
    swept = ts.experiments.hold_sweep("beale", writing="products", k_max=(1,), runs=5, steps=5)
    assert swept.functions == ("beale, products",) and "beale products" in str(swept)


def test_a_problem_of_ones_own():
    mine = Problem("mine", np.square, ((-1.0, 1.0),), 0.0, ((0.0,),), "here")
    assert mine(3.0) == 9.0 and ts.trace(mine, 3.0).gradient() == {"x": 6.0}
    assert pickle.loads(pickle.dumps(mine))(2.0) == 4.0
    both = Problem("mine", np.square, ((-1.0, 1.0),), 0.0, ((0.0,),), "here", "power", {"product": multiplied})
    product = pickle.loads(pickle.dumps(both.writings["product"]))
    assert product.__name__ == "mine, product" and product.writings["product"] is product
    assert product.writings["power"].__name__ == "mine" and product.writings["power"](3.0) == product(3.0) == 9.0
    assert both != product and product == both.writings["product"] and hash(product) == hash(both.writings["product"])


def multiplied(x):
    return x * x


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"minimizers": [(0.0,)]}, r"Problem m: minimizers= are .* of 2 coordinates each, .* not \[\(0.0,\)\]"),
        ({"minimizers": [0.0]}, "of 2 coordinates each"),
        ({"minimizers": None}, "not None"),
        ({"minimizers": [(0.0, np.nan)]}, "of 2 coordinates each"),
        ({"minimum": None}, "Problem m: minimum= is the least value of the function, a number, NaN if .*, not None"),
        ({"minimum": -np.inf}, "not -inf"),
        ({"minimum": True}, "not True"),
        ({"minimum": "0"}, "not '0'"),
    ],
)
def test_what_is_known_of_a_problem_fits_it(known, says):
    with pytest.raises(BadInput, match=says):
        Problem("m", lambda x, y: x * x + y * y, (-1, 1), **known)


def test_what_is_known_of_a_problem_is_kept_as_tuples_of_numbers():
    mine = Problem("m", lambda x, y: x * x + y * y, (-1, 1), 0, [np.zeros(2), [1, 2]])
    assert mine.minimizers == ((0.0, 0.0), (1.0, 2.0)) and isinstance(mine.minimum, float) and {mine: 1}[mine] == 1
    assert Problem("m", lambda x, y: x * y, (-1, 1), minimizers=(3, 0.5)).minimizers == ((3.0, 0.5),)
    assert Problem("m", np.square, [(-1, 1)], np.nan, [0.0, 1.0]).minimizers == ((0.0,), (1.0,))
    assert Problem("m", np.square, [(-1, 1)], minimizers=[]).minimizers == ()
