"""Containers of parameters: what is computed is what is computed of the leaves one by one, and comes back in their form."""

from typing import NamedTuple

import numpy as np
import pytest

import tinyspad as ts
from tinyspad.containers import is_container
from tinyspad.errors import BadInput

W, B, V = np.array([1.0, 2.0]), np.array([0.1, 0.2]), np.array([3.0, 4.0])


class Line(NamedTuple):
    slope: float
    shift: float


def network(p, x):
    hidden = np.tanh(p["layers"][0]["w"] * x + p["layers"][0]["b"])
    return np.sum(hidden * p["layers"][1]) + p["s"] * x


def network_of_leaves(w, b, v, s, x):
    return network({"layers": [{"w": w, "b": b}, v], "s": s}, x)


POINT = {"layers": [{"w": W, "b": B}, V], "s": 2.0}
NAMES = ("p['layers'][0]['w']", "p['layers'][0]['b']", "p['layers'][1]", "p['s']", "x")


def test_a_trace_is_that_of_the_leaves():
    lcg, leaves = ts.trace(network, POINT, 1.5), ts.trace(network_of_leaves, W, B, V, 2.0, 1.5)
    assert lcg.params == NAMES and lcg.value == leaves.value
    for own, other in zip(lcg.params, leaves.params):
        np.testing.assert_array_equal(lcg.adjoint(own), leaves.adjoint(other))
        assert lcg.count_paths(own) == leaves.count_paths(other)
    e = lcg.elements()
    assert e.path_gradients("p['layers'][0]['w'][1]").tolist() == leaves.elements().path_gradients("w[1]").tolist()
    assert e.count_paths("p['layers'][1]").tolist() == [1, 1]
    text = str(lcg)
    assert "p['s'] <- Param_3" in text and "p['layers'][0]['w'] * x1" in text
    assert "p['s']" in lcg.to_dot() and ts.check_gradients(network, POINT, 1.5).verdict == "agree"


def test_the_gradient_has_the_containers_form():
    g = ts.trace(network, POINT, 1.5).gradient()
    leaves = ts.trace(network_of_leaves, W, B, V, 2.0, 1.5).gradient()
    by_grad = ts.grad(network)(POINT, 1.5)
    for found in (g["p"], by_grad, ts.trace(network, POINT, 1.5, elements=True).gradient()["p"]):
        assert (
            list(found) == ["layers", "s"]
            and isinstance(found["layers"], list)
            and set(found["layers"][0]) == {"w", "b"}
        )
        np.testing.assert_array_equal(found["layers"][0]["w"], leaves["w"])
        np.testing.assert_array_equal(found["layers"][1], leaves["v"])
        assert found["s"] == leaves["s"]
    assert g["x"] == leaves["x"]
    assert ts.trace(lambda p: p.slope * p.shift, Line(1.0, 2.0)).gradient() == {"p": Line(2.0, 1.0)}
    assert ts.trace(lambda p: p[0] * p[1], (np.array(3.0), {"a": 2.0}["a"])).gradient() == {"p": (2.0, 3.0)}
    assert ts.jacobian(lambda p: p["a"] * p["b"], {"a": 2.0, "b": 3.0}).blocks == ({"p['a']": 3.0, "p['b']": 2.0},)


def test_lists_of_plain_numbers_stay_one_array():
    assert ts.trace(lambda w: np.sum(w * w), [1.0, 2.0]).gradient()["w"].tolist() == [2.0, 4.0]
    assert ts.trace(lambda w: np.sum(w), [[1, 2], [3, 4]]).gradient()["w"].shape == (2, 2)
    assert ts.minimize(lambda w: np.sum((w - 1) ** 2), [0.0, 2.0], steps=5).x.shape == (2,)
    assert ts.minimize(lambda w: np.sum((w - 1) ** 2), ([0.0, 2.0],), steps=5).x[0].shape == (2,)
    assert (
        not is_container((np.float64(1.0), 2))
        and is_container([[1.0], np.zeros(1)])
        and is_container((1.0, ts.Value(2.0)))
    )


@pytest.mark.parametrize("estimator", [ts.GD(), ts.RAD(), ts.SPAD(k_max=3)], ids=repr)
def test_a_minimisation_is_that_of_the_leaves(estimator):
    def of_leaves(a, b):
        return (a * a - 1) ** 2 + (a * b - 2) ** 2

    settings = {"estimator": estimator, "steps": 40, "rng": 0}
    expected = ts.minimize(of_leaves, (0.5, 1.0), **settings)
    found = ts.minimize(lambda p: of_leaves(p["a"], p["b"]), {"a": 0.5, "b": 1.0}, **settings)
    assert tuple(found.x.values()) == expected.x and list(found.x) == ["a", "b"]
    assert found.value == expected.value and "dict of 2 parameters" in str(found)
    np.testing.assert_array_equal(found.history.x["p['a']"], expected.history.x["a"])
    np.testing.assert_array_equal(found.history.paths["p['b']"], expected.history.paths["b"])
    both = ts.minimize(lambda p, b: of_leaves(p[0], b), ([np.array(0.5)], 1.0), **settings)
    assert isinstance(both.x, tuple) and float(both.x[0][0]) == expected.x[0] and both.x[1] == expected.x[1]


def test_runs_arrays_and_data():
    runs = ts.minimize(
        lambda p: (p["a"] * p["a"] - 2) ** 2, {"a": np.array([1.0, 3.0])}, steps=2000, estimator=ts.RAD(), rng=0
    )
    np.testing.assert_allclose(runs.x["a"], [2**0.5] * 2, atol=1e-3)
    assert runs.status.tolist() == ["done", "done"]
    numbers = ts.minimize(
        lambda p: np.sum((p["w"] * p["w"][::-1] - 1) ** 2), {"w": W}, steps=20, estimator=ts.RAD(), rng=0
    )
    assert numbers.history.paths["p['w']"].shape == (21, 2)
    t = np.linspace(0.0, 1.0, 20)

    def loss(p, batch):
        t, y = batch
        return (p["a"] + p["b"] * t - y) ** 2

    fit = ts.minimize(loss, {"a": 0.0, "b": 0.0}, data=(t, 2 + 3 * t), steps=4000, rng=0, every=None)
    assert fit.x["a"] == pytest.approx(2.0, abs=0.01) and fit.x["b"] == pytest.approx(3.0, abs=0.01)


def test_a_callback_sees_the_container():
    seen = []
    ts.minimize(
        lambda p: p["a"] ** 2, {"a": 1.0}, steps=2, callback=lambda step, x, value: seen.append(x["p"]["a"].item())
    )
    assert seen[0] == 1.0 and len(seen) == 2


def test_programs_of_leaves_have_names_that_code_has():
    f = lambda p: p["a"] * p["b"] * p["a"]  # noqa: E731
    from tinyspad.containers import flattened
    from tinyspad.program import compile_as

    flat, names, _, _ = flattened(f, ["p"], [{"a": 1.0, "b": 2.0}])
    program = compile_as([*names, "p_a"], lambda a, b, c: flat(a, b) + c)
    assert program.params == ("p['a']", "p['b']", "p_a") and program.inputs == ("p_a_", "p_b", "p_a")
    assert program.gradient(3.0, 2.0, 0.0) == {"p['a']": 12.0, "p['b']": 9.0, "p_a": 1.0}


def test_histories_of_containers_are_kept(tmp_path):
    result = ts.minimize(lambda p: p["a"] ** 2 * p["b/c"], {"a": 1.0, "b/c": 2.0}, steps=3)
    result.history.save(tmp_path / "h.npz")
    again = ts.History.load(tmp_path / "h.npz")
    assert list(again.x) == ["p['a']", "p['b/c']"]
    np.testing.assert_array_equal(again.x["p['b/c']"], result.history.x["p['b/c']"])


def test_what_is_no_number_is_refused():
    for bad in ({"a": "text"}, {"a": None}, [np.zeros(2), "b"]):
        with pytest.raises(BadInput, match="real numbers"):
            ts.trace(lambda p: 1.0, bad)
    assert ts.trace(lambda p: 1.0, {}).gradient() == {"p": {}}


def test_fields_of_a_container_are_drawn():
    plt = pytest.importorskip("matplotlib.pyplot")
    x, y = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(0, 1, 5))
    lcg = ts.trace(lambda p: p["w"] * p["w"] * p["b"] + p["b"] ** 2, {"w": x.ravel(), "b": y.ravel()})
    assert lcg.params == ("p['w']", "p['b']")
    lcg = ts.trace(lambda p: p["w"] * p["w"] * p["b"] + p["b"] ** 2, {"w": x, "b": y})
    figure = ts.plot.fields(lcg)
    assert figure is not None
    plt.close("all")


def test_compare_takes_containers():
    results = ts.compare(
        lambda p: (p["a"] * p["a"] - 2) ** 2, {"a": 1.0}, {"GD": ts.GD(), "RAD": ts.RAD()}, steps=50, rng=0
    )
    assert [list(result.x) for result in results.values()] == [["a"], ["a"]]


def test_a_list_of_numbers_inside_is_an_array_to_a_trace_and_a_container_to_grad():
    g = ts.trace(lambda p: np.sum(p["w"] ** 2), {"w": [1.0, 2.0]}).gradient()
    assert g["p"]["w"].tolist() == [2.0, 4.0]
    assert ts.grad(lambda p: p["w"][0] * p["w"][1])({"w": [1.0, 2.0]}) == {"w": [2.0, 1.0]}


def test_keys_that_look_alike_are_refused():
    class Key:
        def __repr__(self):
            return "key"

    with pytest.raises(BadInput, match=r"p\[key\]"):
        ts.trace(lambda p: sum(p.values()), {Key(): 1.0, Key(): 2.0})


def test_a_named_tuple_is_one_container():
    result = ts.minimize(lambda p: (p.slope - 1) ** 2 + p.shift**2, Line(0.0, 1.0), steps=300)
    assert isinstance(result.x, Line) and result.x.slope == pytest.approx(1.0, abs=0.01)
