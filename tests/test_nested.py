"""Derivatives inside derivatives: grad, value_and_grad and hvp, through every rule, against autograd and differences."""

import collections
import threading

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from test_rules import CASES, Example

import tinyspad as ts
from tinyspad import nn
from tinyspad.errors import BadInput, ChangedData, DroppedGradient, NoRule, NotScalar
from tinyspad.rules import RULES
from tinyspad.tape import behind, gradients, record

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)), RNG.choice([-1.0, 1.0], 12)
M = RNG.normal(size=(3, 3))


# --- what may depend on what ----------------------------------------------------------------------------------------


def test_no_perturbation_is_confused_with_another():
    grad = ts.grad
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: x * grad(lambda y: y * x)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: y**2 * x)(x))(3.0) == 12.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(5.0) == 1.0  # Siskind & Pearlmutter 2005
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y**2 * z**3)(y))(x))(2.0) == 48 * 2.0**3  # of 12 x^4
    assert grad(lambda x: grad(lambda y: 3.0)(x))(1.0) == 0.0
    assert grad(lambda x: grad(lambda y: x)(2.0))(1.0) == 0.0


@pytest.mark.parametrize("order", range(1, 7))
def test_any_order(order):
    f, x = np.sin, 0.7
    for _ in range(order):
        f = ts.grad(f)
    assert f(x) == pytest.approx([np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x)][order % 4](x), rel=1e-14)


def test_arrays_and_outer_values():
    w = np.array([1.0, 2.0])
    outer = ts.grad(lambda x: np.sum(x * ts.grad(lambda y: np.sum(y**2 * x))(np.ones(2))))(w)
    np.testing.assert_array_equal(outer, 4 * w)
    through = ts.grad(lambda x: np.sum(ts.grad(lambda y: np.sum(np.outer(x, y) @ M[:2, :2]))(w) ** 2))(w)
    ones = np.sum(M[:2, :2], axis=1)
    np.testing.assert_allclose(through, 2 * np.sum(w) * np.sum(ones**2))


def test_arguments_that_are_values_stay_values():
    x = ts.Value(3.0)
    slope = ts.grad(lambda y: y**3)(x)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)
    value, slope = ts.value_and_grad(lambda y, k: k * y**2)(x, 2.0)
    assert (value.data, slope.data) == (18.0, 12.0)
    factor = ts.Value(5.0)
    ts.grad(lambda y, k: k * y**2)(2.0, factor).backward()
    assert factor.grad == 4.0
    assert ts.grad(lambda y: y * factor)(2.0) == 5.0 and factor.grad == 4.0  # read from outside, it is a constant


def test_every_way_to_differentiate_a_function_sees_into_it():
    slope = ts.grad(lambda y: y**4)
    assert ts.trace(lambda x: x * slope(x), 2.0).gradient() == {"x": 128.0}
    assert ts.jacobian(slope, 2.0).matrix == 48.0
    assert ts.compile(lambda x: ts.hvp(lambda y: y**4, x, 1.0))(2.0) == 48.0
    assert ts.compile(slope)(2.0) == 32.0 and ts.compile(slope).gradient(2.0) == {"y": 48.0}
    assert abs(ts.minimize(lambda x: slope(x) ** 2, 1.0, steps=300, optimizer=ts.Adam(lr=0.05)).x) < 0.2
    assert ts.check_gradients(lambda x: x * slope(x), 2.0, order=2)
    assert ts.trace(slope, 2.0).hessian() == {"y": {"y": 48.0}}


def test_threads_do_not_mix():
    found = {}

    def work(k):
        found[k] = [ts.grad(lambda x: x * ts.grad(lambda y: x * y * k)(2.0))(3.0) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: [6.0 * k] * 50 for k in range(4)}
    assert all(isinstance(slope, float) for slope in found[1])


def test_a_gradient_inside_a_loop_unrolls():
    def trained(rate):
        x = 5.0
        for _ in range(3):
            x = x - rate * ts.grad(lambda y: y**2)(x)
        return x**2

    expected = 2 * 5.0**2 * (1 - 0.2) ** 5 * -2 * 3
    assert ts.grad(trained)(0.1) == pytest.approx(expected)


def test_functions_that_overlap_in_two_threads_cost_what_they_cost_alone():
    """Depth is counted in each thread, or two that keep overlapping would push each other deeper and deeper."""
    depths = []

    def f(x):
        depths.append(x.depth)
        for _ in range(50):
            x = np.sin(x) + 0.1 * x
        return x

    threads = [threading.Thread(target=lambda: [ts.grad(f)(1.0) for _ in range(100)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(depths) == {1}


def test_an_outer_variable_is_seen_from_another_thread():
    def outer(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(ts.grad(lambda y: x * y**2)(2.0)))
        thread.start()
        thread.join()
        return found[0] * x

    assert ts.grad(outer)(3.0) == 24.0

    def curved(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(ts.hvp(lambda y: x * y**2, 2.0, 1.0)))
        thread.start()
        thread.join()
        return found[0] * x

    assert ts.grad(curved)(3.0) == 12.0


def test_an_open_function_that_has_nothing_to_do_with_it_changes_nothing():
    a, v = np.diag([1.0, 2.0, 0.0]), np.eye(3)
    alone = np.sum(v * ts.hvp(np.linalg.det, a, v))  # at a singular matrix there is no third derivative
    assert ts.grad(lambda t: t * np.sum(v * ts.hvp(np.linalg.det, a, v)))(1.0) == pytest.approx(alone)


def test_what_a_deeper_function_left_behind_is_a_constant():
    left = []
    ts.grad(lambda x: ts.grad(lambda y: (left.append(y), x * y)[1])(2.0))(3.0)
    assert ts.grad(lambda z: z * left[0])(5.0) == 2.0
    assert ts.trace(lambda z: z * left[0], 5.0).gradient() == {"z": 2.0}
    assert ts.jacobian(lambda z: z * left[0], 5.0).matrix == [[2.0]]
    z = ts.Value(5.0)
    (z * left[0]).backward()
    assert z.grad == 2.0
    assert ts.minimize(lambda z: (z * left[0] - 1) ** 2, 1.0, steps=3).status == "done"


def test_constants_of_another_precision_do_not_enter_second_derivatives():
    x, c = np.array([1.01]), np.array([-128], np.int8)  # c - 1 is 127
    assert ts.hvp(lambda x: np.sum(x**c), x, np.ones(1)) == pytest.approx(128 * 129 * 1.01**-130)
    short = np.array([3, 7, 11], np.float16)
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(
        *(ts.hvp(lambda x, c=c: np.sum(np.sin(x / c)), x, x) for c in (short, short.astype(float)))
    )


def test_lists_of_constants_are_arrays_at_any_depth():
    x = np.array([1.0, 4.0])
    np.testing.assert_array_equal(ts.hvp(lambda x: np.sum(np.where([True, False], x**2, x**3)), x, np.ones(2)), [2, 24])


def test_single_precision_has_hessians():
    x = np.array([1, 2, 3, 4.5], np.float32)

    def f(x):
        return np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x)

    assert ts.trace(f, x).hessian()["x"]["x"].shape == (4, 4)
    assert ts.check_gradients(lambda x: np.log(np.sum(np.exp(x))), x, order=2).verdict == "agree"


def test_a_loop_of_inner_gradients_is_linear(monkeypatch):
    """What is behind the accumulated sum is not walked again by every one of them."""
    walked = []

    def counting(*roots):
        found = behind(*roots)
        walked.append(len(found))
        return found

    monkeypatch.setattr(gradients, "behind", counting)

    def outer(x, n):
        total = x
        for _ in range(n):
            total = total + 1e-3 * ts.grad(lambda y, total=total: y * y * total)(2.0)
        return total

    for n in (30, 300):
        walked.clear()
        assert ts.grad(lambda x, n=n: outer(x, n))(1.0) == pytest.approx(1.004**n)
        assert sum(walked) <= 20 * n


# --- the form of arguments and results ------------------------------------------------------------------------------

Pair = collections.namedtuple("Pair", "a b")


def test_containers_come_back_in_their_form():
    f = ts.grad(lambda p: np.sum(p["w"] ** 2) * p["b"][0] + p["b"][1].a)
    found = f({"w": np.array([1.0, 2.0]), "b": (3.0, Pair(1.0, [2.0]))})
    assert found["b"] == (5.0, Pair(1.0, [0.0]))
    np.testing.assert_array_equal(found["w"], [6.0, 12.0])
    assert ts.hvp(lambda p: p[0] ** 2 * p[1], [2.0, 3.0], [1.0, 0.0]) == [6.0, 4.0]
    both = ts.hvp(lambda p: p["a"] ** 2 + 10 * p["b"] ** 2, {"a": 1.0, "b": 1.0}, {"b": 0.0, "a": 1.0})
    assert both == {"a": 2.0, "b": 0.0}  # by key, and not by order
    ordered = ts.grad(lambda p: p["a"] ** 2)(collections.OrderedDict(a=3.0))
    assert type(ordered) is collections.OrderedDict and ordered["a"] == 6.0
    assert (
        ts.grad(lambda p: 1.0)({}) == {} and ts.grad(lambda x: x, ())(1.0) == () and ts.hvp(lambda x: 0.0, [], []) == []
    )


def test_argnums_and_options():
    def f(x, y, scale=1.0):
        return scale * x * y**2

    assert ts.grad(f, 1)(2.0, 3.0) == 12.0
    assert ts.grad(f, (0, -1))(2.0, 3.0) == (9.0, 12.0)
    assert ts.value_and_grad(f, argnums=[1])(2.0, 3.0, scale=10.0) == (180.0, (120.0,))
    assert ts.grad(f).__name__ == "grad(f)"


def test_precision_is_that_of_the_argument():
    found = ts.grad(lambda x: np.sum(x * 2.0))(np.ones(3, np.float32))
    assert found.dtype == np.float32 and type(ts.grad(np.sin)(1)) is float
    assert ts.grad(lambda x: np.sum(x, keepdims=True))(np.ones((2, 2))).shape == (2, 2)
    assert ts.hvp(lambda x: np.sum(x**3), np.array([1, 2]), np.array([1, 0])).tolist() == [6.0, 0.0]


REFUSED = {
    "no number": (lambda: ts.grad(lambda x: None)(1.0), BadInput, "lack a return"),
    "text": (lambda: ts.grad(lambda x: x)("a"), BadInput, "real numbers"),
    "a comparison": (lambda: ts.grad(lambda x: x > 0)(1.0), BadInput, "not a number"),
    "an array": (lambda: ts.grad(lambda x: 2 * x)(np.ones(2)), NotScalar, "jacobian"),
    "no function": (lambda: ts.grad(3.0), BadInput, "takes a function"),
    "no argument": (lambda: ts.grad(lambda: 1.0)(), BadInput, "positional"),
    "a place that is none": (lambda: ts.grad(np.sin, 2)(1.0), BadInput, "argnums"),
    "a name as a place": (lambda: ts.grad(np.sin, "x")(1.0), BadInput, "argnums"),
    "another form": (lambda: ts.hvp(lambda x: np.sum(x), np.ones(2), np.ones(3)), BadInput, "form of the point"),
    "another container": (lambda: ts.hvp(lambda x: x[0], [1.0], (1.0, 2.0)), BadInput, "form of the point"),
    "other keys": (lambda: ts.hvp(lambda p: p["a"], {"a": 1.0}, {"b": 1.0}), BadInput, "form of the point"),
    "an argument twice": (lambda: ts.grad(lambda x, y: x * y, (0, -2))(1.0, 2.0), BadInput, "twice"),
    "an array of truth values": (lambda: ts.grad(lambda x: np.array([True]))(1.0), BadInput, "not a number"),
    "an argument that is changed": (lambda: ts.grad(changes)(np.ones(2)), ChangedData, '"x"'),
    "no rule": (lambda: ts.grad(lambda x: np.sum(np.linalg.eigvals(x)))(np.ones((2, 2))), NoRule, "eigvals"),
    "an estimate": (lambda: ts.hvp(estimated, np.ones((3, 2)), np.ones((3, 2))), NoRule, "estimate"),
    "an estimate whose inputs are constant": (
        lambda: ts.hvp(fixed, np.ones((4, 3)), np.ones((4, 3))),
        NoRule,
        "estimate",
    ),
    "a third derivative": (
        lambda: ts.grad(lambda a: np.sum(ts.hvp(np.linalg.det, a, M)))(np.diag([1.0, 2.0, 0.0])),
        NoRule,
        "singular",
    ),
    "backward inside": (lambda: ts.grad(backward_inside)(3.0), DroppedGradient, r"ts\.grad"),
    "trace inside": (lambda: ts.grad(lambda x: x * ts.trace(lambda y: x * y, 2.0).value)(3.0), DroppedGradient, "keep"),
    "two deep": (
        lambda: ts.grad(lambda x: ts.grad(lambda y: y * ts.trace(lambda z: x * z, 2.0).value)(1.0))(3.0),
        DroppedGradient,
        '"x"',
    ),
}


def changes(x):
    x.data[0] = 5.0
    return np.sum(x)


def backward_inside(x):
    y = ts.Value(2.0)
    (x * y).backward()
    return x * y.grad


def estimated(weight):
    return np.sum(nn.linear(weight[:, :2].T, weight, np.zeros(2), nn.Same(np.array([1]), 3)) ** 2)


def fixed(weight):
    return np.sum(nn.linear(np.ones((5, 4)), weight, np.zeros(3), nn.Same(np.array([1]), 4)) ** 2)


@pytest.mark.parametrize(("ask", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(ask, error, says):
    with pytest.raises(error, match=says):
        ask()


# --- every rule -----------------------------------------------------------------------------------------------------

H = 1e-6


def through(example, rule):
    """A curved number of a rule's result, and the point and direction of its variable operands."""

    def f(values):
        operands = list(example.operands)
        for i, v in zip(example.variable, values):
            operands[i] = v
        call = (operands, *example.rest) if rule.sequence else tuple(operands)
        return np.sum(np.tanh(0.3 * record(rule, call, example.kwargs) + 0.1) * example.seed)

    rng = np.random.default_rng(1)
    point = tuple(np.array(example.operands[i], float)[()] for i in example.variable)
    return f, point, tuple(rng.normal(size=np.shape(x)) for x in point)


def apart(rule, example):
    """The product of the Hessian with a vector against the difference of the gradient along it: the largest ratio."""
    f, point, v = through(example, rule)
    ahead, behind = (ts.grad(f)(tuple(x + h * u for x, u in zip(point, v))) for h in (H, -H))
    found = ts.hvp(f, point, v)
    # of slopes and curvatures about 1: rounding 1e-10, truncation 1e-12 times higher derivatives
    return max(
        np.max(np.abs(h - (a - b) / (2 * H)) / (1e-6 + 1e-5 * np.abs(h)), initial=0.0)
        for h, a, b in zip(found, ahead, behind)
    )


@pytest.mark.parametrize(("rule", "call", "kwargs"), CASES)
def test_second_derivatives_of_every_rule(rule, call, kwargs):
    assert apart(rule, Example(rule, call, kwargs)) <= 1


def test_a_vjp_that_is_right_as_a_number_alone_is_found():
    """The very kind that the test above is there for: numbers instead of formulas."""
    numbers = ts.rule(lambda x: np.sum(x**3), vjp=lambda out, x: frozen(3 * x**2), domain=[(ts.Domain(1, 2)(3),)])
    try:
        rule = RULES[numbers]
        assert apart(rule, Example(rule, rule.domain[0], {})) > 1
        report = ts.check_gradients(lambda x: numbers(x) ** 2, np.array([1.0, 2.0]), order=2)
        assert report.verdict == "disagree" and all("d2f" in found.what for found in report.findings if not found)
    finally:
        del RULES[numbers]


def test_rows_of_a_hessian_that_disagree_are_refused():
    half = ts.rule(
        lambda x: x[0] * x[1] ** 2,
        vjp=lambda out, x: lambda g: g * np.stack([x[1] ** 2, number(2 * x[0] * x[1])]),
        domain=[(ts.Domain(1, 2)(2),)],
    )
    try:
        with pytest.raises(ts.errors.NotSymmetric, match=r"at \(0, 1\)"):
            ts.trace(half, np.array([1.0, 2.0])).hessian()
    finally:
        del RULES[half]


def number(x):
    return x.data if isinstance(x, ts.Value) else x


def frozen(slope):
    return lambda g: g * number(slope)


# --- Hessians, against autograd ---------------------------------------------------------------------------------------


def rosenbrock(x, xp):
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic(w, xp):
    return xp.mean(xp.logaddexp(0.0, -Y * (X @ w))) + 0.1 * xp.sum(w**2)


def mlp(w, xp):
    first, second = xp.reshape(w[:6], (3, 2)), w[6:]
    return xp.mean((xp.tanh(X @ first) @ second - Y) ** 2)


def softmax(x, xp):
    z = xp.exp(x - xp.max(x))
    return xp.sum((z / xp.sum(z)) ** 2 * xp.arange(3.0))


HESSIANS = {
    "Rosenbrock": (rosenbrock, 5),
    "logistic regression": (logistic, 3),
    "a small network": (mlp, 8),
    "softmax": (softmax, 3),
    "logsumexp": (lambda x, xp: xp.max(x) + xp.log(xp.sum(xp.exp(x - xp.max(x)))), 4),
    "sum": (lambda x, xp: xp.sum(x**3), 3),
    "mean": (lambda x, xp: xp.mean(x) ** 3, 3),
    "dot": (lambda x, xp: xp.dot(x, xp.sin(x)), 3),
    "matmul": (lambda x, xp: xp.sum((M @ x) ** 2 * x), 3),
    "a quadratic form": (lambda x, xp: x @ M @ x, 3),
    "einsum": (lambda x, xp: xp.einsum("i,ij,j->", x, M, xp.exp(x)), 3),
    "indexing": (lambda x, xp: x[0] * x[-1] ** 2 + xp.sum(x[[0, 0, 2]] ** 3), 3),
    "reshape": (lambda x, xp: xp.sum(xp.reshape(x, (2, 2)) @ xp.reshape(x, (2, 2)).T), 4),
    "stack": (lambda x, xp: xp.sum(xp.stack([x, x**2]) @ xp.stack([x, xp.sin(x)]).T), 3),
    "concatenate": (lambda x, xp: xp.sum(xp.concatenate([x, x**2]) ** 2), 3),
    "norm": (lambda x, xp: xp.linalg.norm(x) ** 3, 3),
    "prod": (lambda x, xp: xp.prod(x), 4),
    "var": (lambda x, xp: xp.var(x) * xp.std(x), 4),
    "max": (lambda x, xp: xp.max(x) ** 2 * x[0] + xp.min(x) ** 3, 4),
    "cumsum": (lambda x, xp: xp.sum(xp.cumsum(x) ** 3), 3),
    "sort": (lambda x, xp: xp.sum(xp.sort(x) ** 2 * xp.arange(4.0)), 4),
    "where": (lambda x, xp: xp.sum(xp.where(x > 0, x**3, xp.sin(x))), 4),
    "solve": (lambda x, xp: xp.sum(xp.linalg.solve(xp.reshape(x, (2, 2)), xp.sin(x[:2])) ** 2), 4),
    "inv": (lambda x, xp: xp.sum(xp.linalg.inv(xp.reshape(x, (2, 2))) ** 2), 4),
    "det": (lambda x, xp: xp.linalg.det(xp.reshape(x, (3, 3))) ** 2, 9),
    "outer": (lambda x, xp: xp.sum(xp.outer(x, x**2) ** 2), 3),
    "broadcasting": (lambda x, xp: xp.sum((x[:, None] * x - x) ** 2), 3),
    "tensordot": (lambda x, xp: xp.sum(xp.tensordot(xp.outer(x, x), x, 1) ** 2), 3),
    "transpose and trace": (lambda x, xp: xp.trace(xp.reshape(x, (3, 3)) @ xp.reshape(x, (3, 3)).T @ M), 9),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_hessians_are_those_of_autograd(name):
    f, n = HESSIANS[name]
    x = np.random.default_rng(n).normal(size=n) + 0.1
    expected = autograd.hessian(lambda x: f(x, anp))(x)
    lcg = ts.trace(lambda x: f(x, np), x)
    close = {"rtol": 1e-9, "atol": 1e-11 * np.max(np.abs(expected), initial=1.0)}  # a few hundred operations, rounded
    np.testing.assert_allclose(lcg.hessian()["x"]["x"], expected, **close)
    np.testing.assert_allclose(ts.jacobian(ts.grad(lambda x: f(x, np)), x).blocks[0]["x"], expected, **close)
    v = np.arange(1.0, n + 1)
    np.testing.assert_allclose(ts.hvp(lambda x: f(x, np), x, v), expected @ v, rtol=1e-8, atol=100 * close["atol"])
    np.testing.assert_allclose(lcg.derivative("x").jvp(v), expected @ v, rtol=1e-8, atol=100 * close["atol"])


def test_hessians_by_several_arrays():
    w, b = np.array([0.3, -1.0]), 0.5
    hessian = ts.trace(lambda w, b: np.sum(np.tanh(X[:, :2] @ w + b) ** 2), w, b).hessian()
    both = autograd.hessian(lambda x: anp.sum(anp.tanh(X[:, :2] @ x[:2] + x[2]) ** 2))(np.array([*w, b]))
    np.testing.assert_allclose(hessian["w"]["w"], both[:2, :2], rtol=1e-12)
    np.testing.assert_allclose(hessian["w"]["b"], both[:2, 2], rtol=1e-12)
    np.testing.assert_allclose(hessian["b"]["w"], both[2, :2], rtol=1e-12)
    assert hessian["b"]["b"] == pytest.approx(both[2, 2])


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros_have_second_derivatives(zeros):
    x = np.array([0.0] * zeros + [2.0, 3.0, -1.0][: 4 - zeros])
    expected = np.zeros((len(x), len(x)))
    for i, j in np.ndindex(expected.shape):
        if i != j:
            expected[i, j] = np.prod(np.delete(x, [i, j]))
    np.testing.assert_allclose(ts.trace(np.prod, x).hessian()["a"]["a"], expected, atol=1e-14)
    running = ts.trace(lambda x: np.sum(np.cumprod(x) * [0.0] * (len(x) - 1) + np.cumprod(x)[-1]), x)
    np.testing.assert_allclose(running.hessian()["x"]["x"], len(x) * expected, atol=1e-13)


@pytest.mark.parametrize("a", [np.diag([1.0, 2.0, 0.0]), np.diag([1.0, 0.0, 0.0]), np.zeros((3, 3)), M])
def test_the_determinant_has_second_derivatives_at_singular_matrices(a):
    v = RNG.normal(size=(3, 3))
    # det is a cubic along a line, of which three differences have the curvature exactly
    along = [np.linalg.det(a + h * v) for h in (-1.0, 0.0, 1.0)]
    assert np.sum(v * ts.hvp(np.linalg.det, a, v)) == pytest.approx(along[0] - 2 * along[1] + along[2], abs=1e-12)


def test_third_derivatives_through_arrays():
    x, v = np.array([0.3, -0.8, 1.2]), np.array([1.0, 2.0, -1.0])

    def f(x, xp):
        return xp.sum(xp.exp(xp.reshape(M @ x, (3, 1)) * x)) + xp.linalg.det(xp.outer(x, x) + M) + xp.prod(x) ** 2

    def third(grad, xp):
        return grad(lambda x: xp.sum(grad(lambda y: xp.sum(grad(lambda z: f(z, xp))(y) * v))(x) * v))(x)

    np.testing.assert_allclose(third(ts.grad, np), third(autograd.grad, anp), rtol=1e-9)
