"""Where NaN and infinity come from, and two programs side by side."""

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.errors import BadInput


def found(f, *args):
    with np.errstate(all="ignore"):
        return ts.trace(f, *args).trace_nonfinite()


def test_the_first_bad_result_is_named_with_the_paths_through_it():
    bad = found(lambda x, y: x * np.log(x - y) + y, 1.0, 1.0)
    assert (bad.what, bad.text, bad.number) == ("value", "log(a)", -np.inf)
    assert bad.inputs == {"a": 0.0}
    assert bad.counts == {"x": 1, "y": 1} and bad.totals == {"x": 2, "y": 2}
    assert all(bad.name in path.nodes for paths in bad.paths.values() for path in paths)
    assert "1 of the 2 paths of y" in str(bad)


def test_an_infinite_slope_at_a_finite_result():
    bad = found(lambda x: np.sqrt(x) + x, 0.0)
    assert bad.what == "partial" and bad.text.startswith("sqrt") and bad.number == np.inf
    assert "the partial derivative of" in str(bad) and "though the result is finite" in str(bad)


def test_a_bad_partial_is_blamed_on_its_own_argument():
    bad = found(lambda x, y: (x**y) * y, 0.0, 0.5)
    assert (bad.what, bad.by, bad.counts) == ("partial", "x", {"x": 1})


def test_finite_factors_whose_product_overflows():
    def f(x):
        for _ in range(4):
            x = x * 1e100
        return x

    bad = found(f, 1e-300)
    assert bad.what == "adjoint" and bad.number == np.inf and bad.name == "x"


def test_a_parameter_that_is_bad_itself():
    bad = found(lambda x: x * x, np.nan)
    assert (bad.what, bad.name) == ("parameter", "x") and "the parameter x is nan" in str(bad)


def test_bad_runs_of_a_batch_are_numbered():
    bad = found(lambda x: np.log(x) * x, np.array([1.0, 0.0, 2.0, -1.0]))
    assert bad.runs == (1, 3) and "in 2 runs, the first of them 1" in str(bad)


def test_through_linear_maps():
    bad = found(lambda x: np.sum(np.log(x)), np.array([1.0, 0.0]))
    assert bad.text == "log(x)" and bad.runs is None
    assert found(lambda x: np.linalg.norm(x) / np.sum(x), np.array([1.0, -1.0])).what == "value"


def test_many_paths_are_counted_and_a_few_shown():
    def f(x):
        for _ in range(60):
            x = x + x
        return np.log(x - x)

    bad = found(f, 1.0)
    assert bad.counts["x"] == 2**61 and len(bad.paths["x"]) == 5
    assert "and 2 305 843 009 213 693 947 more" in str(bad)


def test_nothing_to_find():
    assert found(ts.functions.f1, 5.0) is None
    assert found(lambda x: 1.0, 5.0) is None
    assert found(lambda x: x, 5.0) is None
    assert found(lambda x: x**2, np.ones((2, 2))) is None


def test_a_constant_that_is_no_number():
    assert found(lambda x: np.nan, 5.0).what == "value"
    with pytest.raises(BadInput, match="shown="):
        ts.trace(ts.functions.f1, 5.0).trace_nonfinite(shown=-1)


# --- comparison ------------------------------------------------------------------------------------------------------


def test_one_function_written_two_ways():
    pairs = [
        (lambda x: x * x, lambda x: x**2, (3.0,), {"x": (2, 1)}),
        (
            lambda a, b, c: (a + b) * c,
            lambda a, b, c: a * c + b * c,
            (1.0, 2.0, 3.0),
            {"a": (1, 1), "b": (1, 1), "c": (1, 2)},
        ),
    ]
    for f, g, point, counts in pairs:
        both = ts.trace(f, *point).compare(ts.trace(g, *point))
        assert both.same_value and all(both.same_gradient.values())
        assert both.counts == counts
        assert {name for name, same in both.same_paths.items() if not same} == {list(counts)[-1]}
        assert "others" in str(both)


def test_different_functions_are_said_to_be_different():
    both = ts.trace(lambda x: x * x, 3.0).compare(ts.trace(lambda x: x * x * x, 3.0))
    assert not both.same_value and both.same_gradient == {"x": False} and str(both).count("DIFFERENT") == 2


def test_the_same_paths_in_another_order():
    both = ts.trace(lambda x: x * 2 + x * 3, 1.0).compare(ts.trace(lambda x: x * 3 + x * 2, 1.0))
    assert both.same_paths == {"x": True}


def test_comparison_of_runs_and_of_arrays():
    x = np.linspace(0.0, 1.0, 3)
    assert ts.trace(lambda x: x * x, x).compare(ts.trace(lambda x: x**2, x)).same_gradient == {"x": True}
    sums = [ts.trace(f, x) for f in (lambda x: np.sum(x * x), lambda x: np.sum(x**2))]
    assert sums[0].compare(sums[1]).same_gradient == {"x": True} and "array [2, 3]" in str(sums[0].compare(sums[1]))


def test_arrays_are_compared_as_wholes():
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    left = ts.trace(lambda w: np.sum(w * a) + np.sum(w * b), np.array([1.0, 2.0]))
    right = ts.trace(lambda w: np.sum(w * (a + b)) + np.sum(w * (0 * b)), np.array([1.0, 2.0]))
    assert left.compare(right).same_paths == {"w": False} and left.compare(right).same_gradient == {"w": True}
    assert left.compare(left).same_paths == {"w": True}


def test_infinities_and_rounding_are_no_difference():
    with np.errstate(all="ignore"):
        lcg = ts.trace(np.log, 0.0)
        assert lcg.compare(lcg).same_gradient == {lcg.params[0]: True}
    near = [ts.trace(f, 1.0001) for f in (lambda x: x**2 - 2 * x + 1, lambda x: (x - 1) ** 2)]
    assert near[0].compare(near[1]).same_value
    off = ts.trace(lambda x: (x - 1) ** 2 + 1e-9, 1.0001)
    assert not near[0].compare(off).same_value


def test_too_many_paths_to_list():
    def doubled(x):
        for _ in range(40):
            x = x + x
        return x

    both = ts.trace(doubled, 1.0).compare(ts.trace(lambda x: x * 2.0**40, 1.0))
    assert both.same_gradient == {"x": True} and both.same_paths == {"x": None} and "not listed" in str(both)


def test_comparisons_without_meaning():
    lcg = ts.trace(lambda x: x * x, 3.0)
    for other, says in [
        (ts.trace(lambda y: y, 3.0), "same parameters"),
        (ts.trace(lambda x: x, 4.0), "different points"),
        (3, "not 3"),
    ]:
        with pytest.raises(BadInput, match=says):
            lcg.compare(other)
