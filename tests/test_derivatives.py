"""Forward mode, Jacobians and second derivatives, against autograd, SymPy's rules by hand, and each other."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from programs import ELEMENTWISE_RULES, Program

import tinyspad as ts
from tinyspad.errors import BadInput, ChangedData
from tinyspad.lcg.derivatives import push
from tinyspad.rules import RULES


def two(program, xp=np):
    return lambda x, y: program(x, y, xp=xp)


@pytest.mark.parametrize("seed", range(25))
def test_forward_mode_is_the_gradient_times_the_direction(seed):
    program = Program(seed)
    point, direction = program.point(seed), np.random.default_rng(seed).normal(size=2)
    lcg = ts.trace(two(program), *point)
    expected = np.dot(autograd.grad(lambda p: program(p[0], p[1], xp=anp))(np.array(point)), direction)
    assert lcg.jvp(*direction) == pytest.approx(float(expected), rel=1e-10, abs=1e-12)


def test_forward_mode_of_a_batch():
    x, t = np.linspace(0.1, 3.0, 7), np.linspace(-1.0, 1.0, 7)
    lcg = ts.trace(ts.functions.f1, x)
    np.testing.assert_allclose(lcg.jvp(t), lcg.gradient()["x"] * t, rtol=1e-14)


def network(w, b):
    hidden = np.tanh(np.arange(6.0).reshape(3, 2) / 5 @ w + b)
    return np.concatenate([hidden.max(axis=0), w[0, 1:] * np.sum(b**2)]) / np.linalg.norm(w)


def test_forward_mode_through_linear_maps():
    rng = np.random.default_rng(0)
    w, b, tw, tb = rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=(2, 2)), rng.normal(size=2)
    got = ts.trace(network, w, b).jvp(tw, tb)
    h = 1e-6
    difference = (network(w + h * tw, b + h * tb) - network(w - h * tw, b - h * tb)) / (2 * h)
    np.testing.assert_allclose(got, difference, rtol=1e-7, atol=1e-9)


TENSOR_RULES = [pytest.param(rule, id=rule.name) for rule in RULES.values() if not rule.elementwise]


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_the_transposed_vjp_is_the_jvp_for_every_rule(rule):
    """<u, J t> = <J^T u, t> for random u and t: the definition of the transpose."""
    rng = np.random.default_rng(0)
    for call in rule.domain[:2]:
        *args, kwargs = call if isinstance(call[-1], dict) else (*call, {})
        args = [draw(a, rng) for a in args]
        operands = args[0] if rule.sequence else args
        i = next(
            k for k, a in enumerate(operands) if isinstance(a, (float, np.ndarray)) and np.asarray(a).dtype.kind == "f"
        )
        out = rule.function(*args, **kwargs)
        edge = rule.edge(i, out, operands[i], tuple(args), kwargs)
        t, u = rng.normal(size=np.shape(operands[i])), rng.normal(size=np.shape(out))
        pushed, pulled = push(t if np.shape(t) else float(t), edge), u * edge
        assert np.shape(pushed) == np.shape(out)
        assert np.sum(u * pushed) == pytest.approx(np.sum(pulled * t), rel=1e-10, abs=1e-12)


def draw(a, rng):
    if isinstance(a, ts.Domain):
        return a.sample(rng)
    return type(a)(draw(x, rng) for x in a) if isinstance(a, (list, tuple)) and any(map(is_domain, a)) else a


def is_domain(a):
    return isinstance(a, ts.Domain)


# --- several outputs ---------------------------------------------------------------------------------------------


def test_jacobian_of_several_outputs_against_autograd():
    def three(x, y, xp=np):
        s = xp.sin(x * y)
        return s * x, s + y, xp.exp(s) / (1 + x**2)

    got = ts.jacobian(lambda x, y: three(x, y), 0.7, -1.2)
    expected = autograd.jacobian(lambda p: anp.stack(three(p[0], p[1], anp)))(np.array([0.7, -1.2]))
    np.testing.assert_allclose(got.matrix, expected, rtol=1e-12)
    assert got.lcgs[0].count_paths("x") == 2 and got.params == ("x", "y")
    np.testing.assert_allclose(got.values, three(0.7, -1.2))


def test_jacobian_of_arrays_is_whole_even_where_runs_are_independent():
    a = np.arange(6.0).reshape(2, 3)
    got = ts.jacobian(lambda x: (a @ x, x**2, np.sum(x)), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(got.matrix, np.vstack([a, np.diag([2.0, 4.0, 6.0]), np.ones(3)]))
    assert [block["x"].shape for block in got.blocks] == [(2, 3), (3, 3), (3,)]


@pytest.mark.parametrize(
    ("f", "says"),
    [(lambda x: (), "no outputs"), (lambda x: (x, None), "lack a return"), (lambda x: "1", "not a number")],
)
def test_what_is_no_output_is_refused(f, says):
    with pytest.raises(BadInput, match=says):
        ts.jacobian(f, 1.0)


def test_trace_points_to_jacobian():
    with pytest.raises(BadInput, match="jacobian"):
        ts.trace(lambda x: (x, x), 1.0)


# --- derivatives as programs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_hessian_against_autograd(seed):
    program = Program(seed)
    point = program.point(seed)
    expected = autograd.hessian(lambda p: program(p[0], p[1], xp=anp))(np.array(point))
    found = ts.trace(two(program), *point).hessian()
    got = [[found[p][q] for q in "xy"] for p in "xy"]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rule", ELEMENTWISE_RULES, ids=lambda rule: rule.name)
def test_the_derivative_of_every_elementwise_rule_has_a_derivative(rule):
    """Second derivatives against central differences of first ones, away from kinks."""
    rng = np.random.default_rng(1)
    domain = rule.domain if isinstance(rule.domain, tuple) else (rule.domain,)
    variables = [i for i, d in enumerate(domain) if isinstance(d, ts.Domain)]
    point = [d.sample(rng) if isinstance(d, ts.Domain) else d for d in domain]

    def f(*v):
        args = list(point)
        for i, value in zip(variables, v):
            args[i] = value
        return rule.function(*args)

    start = [float(point[i]) for i in variables]
    lcg = ts.trace(f, *start)
    if not lcg.structure.head:
        return
    for k, name in enumerate(lcg.params):
        slope, h = lcg.derivative(name), 1e-5
        assert slope.value == pytest.approx(lcg.gradient()[name], rel=1e-12, abs=1e-12)
        for j, other in enumerate(lcg.params):
            up, down = list(start), list(start)
            up[j], down[j] = start[j] + h, start[j] - h
            difference = (ts.trace(f, *up).gradient()[name] - ts.trace(f, *down).gradient()[name]) / (2 * h)
            assert slope.gradient()[other] == pytest.approx(difference, rel=1e-6, abs=1e-7), (name, k)


def test_derivatives_of_derivatives():
    lcg = ts.trace(lambda x: np.sin(x) * x, 0.6)
    chain = [lcg]
    for _ in range(4):
        chain.append(chain[-1].derivative())
    s, c, x = np.sin(0.6), np.cos(0.6), 0.6
    expected = [s * x, s + x * c, 2 * c - x * s, -3 * s - x * c, -4 * c + x * s]
    np.testing.assert_allclose([one.value for one in chain], expected, rtol=1e-12)
    assert chain[2].ledger("x").agrees


def test_a_derivative_has_paths_of_its_own_and_runs():
    x = np.linspace(0.5, 2.0, 4)
    slope = ts.trace(ts.functions.f1, x).derivative("x")
    np.testing.assert_allclose(slope.path_gradients("x").sum(axis=0), slope.gradient()["x"], rtol=1e-12)
    expected = autograd.elementwise_grad(autograd.elementwise_grad(lambda x: x**2 * (2 + anp.cos(4 * x))))(x)
    np.testing.assert_allclose(slope.gradient()["x"], expected, rtol=1e-12)


def test_what_does_not_vary_has_derivative_zero():
    lcg = ts.trace(lambda x, y: 3 * x, 1.0, 2.0)
    assert lcg.hessian() == {"x": {"x": 0.0, "y": 0.0}, "y": {"x": 0.0, "y": 0.0}}
    assert ts.trace(lambda x: 2.0, 1.0).derivative("x").value == 0.0
    assert str(ts.trace(lambda x: 3 * x, 1.0).derivative("x")).endswith("Return 3.0")


def test_values_from_outside_are_constants_of_the_derivative():
    scale = ts.Value(2.0)
    offset = scale * scale
    lcg = ts.trace(lambda x: scale * x**2 + offset * x, 3.0)
    assert lcg.derivative("x").value == 16.0 and lcg.derivative("x").gradient() == {"x": 4.0}
    assert "2" in str(lcg)
    scale.data = 5.0
    with pytest.raises(ChangedData, match="changed"):
        lcg.derivative("x")


def test_constant_derivatives_of_a_batch_are_a_batch():
    lcg = ts.trace(lambda x: x * x, np.ones(3))
    np.testing.assert_array_equal(lcg.derivative().derivative().value, np.full(3, 2.0))
    assert ts.trace(lambda x: 3 * x, np.ones(3)).derivative().batch == (
        3,
    )  # no edges are left to tell runs from elements


def test_scalar_tangents_serve_every_run_and_lists_are_arrays():
    lcg = ts.trace(lambda x: x * x, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(lcg.jvp(1.0), lcg.jvp([1, 1]))


def test_gradients_are_the_callers_to_change():
    lcg = ts.trace(lambda x: x * x, np.array([1.0, 2.0]))
    for ask in (lambda: lcg.gradient()["x"], lambda: lcg.adjoint("x"), lambda: ts.GD().expectation(lcg, "x")):
        ask()[:] = 99.0
        np.testing.assert_array_equal(lcg.gradient()["x"], [2.0, 4.0])


def test_jacobians_of_nothing():
    assert ts.jacobian(lambda x: x * x, np.zeros(0)).matrix.shape == (0, 0)
    assert ts.jacobian(lambda: 3.0).matrix.shape == (1, 0)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda lcg: lcg.jvp(1.0), "one tangent for each of x, y; 1 was given"),
        (lambda lcg: lcg.jvp(1.0, np.ones(2)), "has shape"),
        (lambda lcg: lcg.jvp(1.0, None), "tangent of y is a number"),
        (lambda lcg: lcg.jvp(1j, 1.0), "tangent of x is a number"),
        (lambda lcg: lcg.jvp(1.0, np.ma.array(1.0, mask=True)), "tangent of y is a number"),
        (lambda lcg: lcg.retrace(1.0), "one argument for each of x, y"),
    ],
)
def test_tangents_that_do_not_fit(ask, says):
    with pytest.raises(BadInput, match=says):
        ask(ts.trace(lambda x, y: x * y, 1.0, 2.0))
