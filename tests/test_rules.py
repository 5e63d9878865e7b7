"""Every rule over its own domain: against central differences, against autograd, and against its mutants."""

import functools
from dataclasses import replace

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import tinyspad as ts
import tinyspad.nn  # its rules are tested, too
from tinyspad.errors import BadInput, NoRule, NotElementwise
from tinyspad.rules import RULES, Domain
from tinyspad.rules.table import LinearMap, unbroadcast
from tinyspad.tape import record

H = 1e-6
TOLERANCE = {
    "rtol": 1e-6,
    "atol": 1e-7,
}  # central differences with h = 1e-6: rounding 1e-10, truncation 1e-12, times slopes


def examples(rule):
    """The example calls of a rule: (args with Domains in them, kwargs)."""
    domain = rule.domain if isinstance(rule.domain, (list, tuple)) else (rule.domain,)
    if isinstance(
        domain, tuple
    ):  # elementwise, one Domain per argument: scalars, arrays, and one argument broadcast against the other
        shapes = [(), (3,)]
        domain = [tuple(d(*s) if isinstance(d, Domain) else d for d in domain) for s in shapes]
        if len(domain[0]) > 1:
            first = next(i for i, d in enumerate(domain[0]) if isinstance(d, Domain))
            domain.append(tuple(d(2, 3) if i == first else d for i, d in enumerate(domain[1])))
    for call in domain:
        yield (call[:-1], call[-1]) if isinstance(call[-1], dict) else (call, {})


def draw(x, rng):
    if isinstance(x, Domain):
        return x.sample(rng)
    return [draw(item, rng) for item in x] if isinstance(x, list) and isinstance(x[0], Domain) else x


CASES = [
    pytest.param(rule, call, kwargs, id=f"{rule.name}-{n}")
    for rule in list(RULES.values())
    for n, (call, kwargs) in enumerate(examples(rule))
]


class Example:
    """One drawn call of a rule, with which of its operands are variable."""

    def __init__(self, rule, call, kwargs, seed=0):
        rng = np.random.default_rng(seed)
        args = [draw(x, rng) for x in call]
        self.rule, self.kwargs, self.rest = rule, kwargs, tuple(args[1:]) if rule.sequence else ()
        self.operands = args[0] if rule.sequence else args
        places = call[0] if rule.sequence else call
        self.variable = [i for i, place in enumerate(places) if isinstance(place, Domain)]
        self.seed = rng.normal(size=np.shape(self.evaluate(self.operands, rule.function)))

    def evaluate(self, operands, function):
        return (
            function(list(operands), *self.rest, **self.kwargs)
            if self.rule.sequence
            else function(*operands, **self.kwargs)
        )

    def gradients(self, rule):
        values = [ts.Value(x) if i in self.variable else x for i, x in enumerate(self.operands)]
        out = record(rule, (values, *self.rest) if rule.sequence else tuple(values), self.kwargs)
        out.backward(self.seed if self.seed.shape else float(self.seed))
        return [values[i].grad for i in self.variable]

    def differences(self):
        for i in self.variable:
            x = np.array(self.operands[i], float)
            result = np.empty(x.shape)
            for at in np.ndindex(x.shape):
                sides = []
                for h in (H, -H):
                    moved = x.copy()
                    moved[at] += h
                    operands = list(self.operands)
                    operands[i] = moved if x.shape else float(moved)
                    sides.append(np.sum(self.seed * self.evaluate(operands, self.rule.function)))
                result[at] = (sides[0] - sides[1]) / (2 * H)
            yield result


@pytest.mark.parametrize(("rule", "call", "kwargs"), CASES)
def test_rule_agrees_with_central_differences(rule, call, kwargs):
    example = Example(rule, call, kwargs)
    assert example.variable
    for got, expected in zip(example.gradients(rule), example.differences(), strict=True):
        np.testing.assert_allclose(got, expected, **TOLERANCE)
        assert np.shape(got) == np.shape(expected)


AUTOGRAD_SLIPS = {  # autograd 1.9 gives a gradient of another shape here, or none, or stops
    "full_like-0": "the fill value",
    "linalg.norm-5": "the order infinity",
    "linalg.cholesky-0": "both triangles, of which NumPy reads one",
    "linalg.cholesky-1": "both triangles, of which NumPy reads one",
    "linalg.solve-3": "a vector beside a stack of matrices",
    "linalg.solve-4": "a matrix beside a stack of matrices",
    "tril-1": "a vector",
    "full_like-1": "the fill value",
    "where-2": "an argument that is broadcast",
    "outer-1": "a matrix argument",
    "transpose-2": "a negative axis",
    "broadcast_to-0": "a new leading axis",
    "broadcast_to-2": "a new leading axis",
    "linalg.norm-3": "axis with keepdims",
}


def autograd_function(rule):
    module, name = (anp.linalg, rule.name[7:]) if rule.name.startswith("linalg.") else (anp, rule.name)
    if rule.name == "getitem":
        return lambda a, key: a[key]
    return getattr(module, name, None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("rule", "call", "kwargs"), CASES)
def test_rule_agrees_with_autograd(request, rule, call, kwargs):
    if request.node.callspec.id in AUTOGRAD_SLIPS:
        pytest.skip(f"autograd slips on {AUTOGRAD_SLIPS[request.node.callspec.id]}")
    function = autograd_function(rule)
    if function is None:
        pytest.skip(f"autograd has no {rule.name}")
    example = Example(rule, call, kwargs)
    got = example.gradients(rule)
    for i, gradient in zip(example.variable, got, strict=True):

        def along(x, i=i):
            operands = [x if j == i else y for j, y in enumerate(example.operands)]
            return anp.sum(example.seed * example.evaluate(operands, function))

        try:
            expected = autograd.grad(along)(example.operands[i])
        except UserWarning:  # "Output seems independent of input": autograd's way to say zero
            expected = np.zeros(np.shape(example.operands[i]))
        except (NotImplementedError, TypeError, ValueError, AttributeError) as error:
            pytest.skip(f"autograd cannot: {error}")
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def mutants(rule):
    """Wrong rules: one derivative with another sign, another factor or left out; and two arguments swapped."""

    def changed(k, change):
        right = rule.derivatives[k]

        @functools.wraps(right)  # with the signature of the right one, which names the arguments
        def wrong(*args, **kwargs):
            local = right(*args, **kwargs)
            return change(local) if rule.elementwise else lambda g: change(local(g))

        return replace(rule, derivatives=(*rule.derivatives[:k], wrong, *rule.derivatives[k + 1 :]))

    for k, derivative in enumerate(rule.derivatives):
        if derivative is not None:
            yield f"sign of {k}", changed(k, lambda x: -np.asarray(x))
            yield f"factor of {k}", changed(k, lambda x: 1.01 * np.asarray(x))
            yield f"dropped {k}", changed(k, lambda x: 0.0 * np.asarray(x))
    if len(rule.derivatives) == 2 and rule.name not in SYMMETRIC:
        yield "swapped", replace(rule, derivatives=rule.derivatives[::-1])


FLAT = {
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "floor_divide",
    "round",
    "around",
    "fix",
    "heaviside",
}  # derivative 0: its mutants are right
FLAT_ARGUMENTS = {("copysign", 1)}
SYMMETRIC = {"add", "ldexp"}  # both partials of add are 1; the second argument of ldexp is a whole number


@pytest.mark.parametrize(
    "rule", [pytest.param(r, id=r.name) for r in RULES.values() if r.name not in FLAT and r.domain != []]
)
def test_a_wrong_rule_fails(rule):
    for kind, mutant in mutants(rule):
        if (rule.name, int(kind[-1]) if kind[-1].isdigit() else None) in FLAT_ARGUMENTS:
            continue
        caught = False
        for call, kwargs in examples(rule):
            example = Example(rule, call, kwargs)
            try:
                pairs = zip(example.gradients(mutant), example.differences(), strict=True)
                caught = caught or not all(np.allclose(a, b, **TOLERANCE) for a, b in pairs)
            except (ValueError, IndexError, TypeError, AttributeError, np.exceptions.AxisError):
                assert kind == "swapped"  # a swapped matrix rule does not even fit
                caught = True
        assert caught, f"{rule.name}: a rule with {kind} derivative passes the check"


@pytest.mark.parametrize(
    ("function", "point", "expected"),
    [
        (np.abs, (0.0,), (0.0,)),
        (np.fabs, (0.0,), (0.0,)),
        (ts.relu, (0.0,), (0.0,)),
        (np.maximum, (1.0, 1.0), (0.5, 0.5)),
        (np.minimum, (1.0, 1.0), (0.5, 0.5)),
        (np.hypot, (0.0, 0.0), (0.0, 0.0)),
        (np.sign, (0.0,), (0.0,)),
        (lambda x: np.clip(x, -1.0, 1.0), (1.0,), (0.5,)),
        (lambda x: np.clip(x, -1.0, 1.0), (-1.0,), (0.5,)),
        (lambda x: np.clip(x, None, 1.0), (-7.0,), (1.0,)),
        (lambda x: np.clip(x, a_min=0.0, a_max=None), (-7.0,), (0.0,)),
        (lambda x: np.clip(x, 1.0, 1.0), (1.0,), (0.0,)),
        (lambda x, y: np.std(np.stack([x, y])), (1.0, 1.0), (0.0, 0.0)),
        (lambda x: np.sum(np.std(x * np.ones((2, 2)), axis=1)), (1.0,), (0.0,)),
        (lambda x: np.copysign(x, -1.0), (2.0,), (-1.0,)),
        (lambda x, y: np.max(np.stack([x, y])), (2.0, 2.0), (0.5, 0.5)),
        (lambda x: np.linalg.norm(np.stack([x, 0.0 * x])), (0.0,), (0.0,)),
        (lambda x: x**0, (0.0,), (0.0,)),
        (lambda x: x**1, (0.0,), (1.0,)),
        (lambda x: x**2, (0.0,), (0.0,)),
        (lambda x, y: x**y, (0.0, 2.0), (0.0, 0.0)),
        (np.sinc, (0.0,), (0.0,)),
    ],
)
def test_kinks_follow_the_documented_convention(function, point, expected):
    values = [ts.Value(x) for x in point]
    function(*values).backward()
    assert tuple(v.grad for v in values) == expected


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [(np.sqrt, 0.0, np.inf), (np.log, 0.0, np.inf), (lambda x: 1 / x, 0.0, -np.inf), (np.cbrt, 0.0, np.inf)],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_an_infinite_slope_is_infinite_not_an_exception(function, x, slope):
    v = ts.Value(x)
    function(v).backward()
    assert v.grad == slope


@pytest.mark.parametrize(
    "a", [np.diag([2.0, 0.0, 3.0]), np.zeros((2, 2)), np.ones((3, 3))], ids=["rank2", "zero", "rank1"]
)
def test_det_has_the_right_slope_at_singular_matrices(a):
    v = ts.Value(a)
    np.linalg.det(v).backward()
    n = len(a)
    minors = np.array(
        [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    )
    np.testing.assert_allclose(v.grad, minors, atol=1e-12)


def test_prod_has_the_right_slope_at_zeros():
    v = ts.Value(np.array([2.0, 0.0, 3.0]))
    np.prod(v).backward()
    np.testing.assert_array_equal(v.grad, [0.0, 6.0, 0.0])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: np.sum(x, 0, None, None, True), [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: np.max(x, 1, None, True), [[0.0, 1.0], [0.0, 1.0]]),
        (lambda x: np.sum(x[0], axis=0) + np.sum(x[0, 0], axis=0), [[2.0, 1.0], [0.0, 0.0]]),
        (lambda x: x.transpose((1, 0)) * [[1.0, 2.0], [3.0, 4.0]], [[1.0, 3.0], [2.0, 4.0]]),
        (lambda x: x @ [1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]]),
        (lambda x: [1.0, 2.0] @ x, [[1.0, 1.0], [2.0, 2.0]]),
        (lambda x: x / [1, 2], [[1.0, 0.5], [1.0, 0.5]]),
        (lambda x: np.arctan2(0 * x, np.array([100, 90], np.int8)) + x, [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: np.arctan2(x * 0 + 1.0, np.array([100, 90], np.int8)) * 0 + x * np.int8(100), [[100.0] * 2] * 2),
        (lambda x: np.fmax(x, np.nan), [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: np.fmin(np.nan, x), [[1.0, 1.0], [1.0, 1.0]]),
        (lambda x: np.tensordot(x, np.ones((2, 2)), np.int64(1)), [[2.0, 2.0], [2.0, 2.0]]),
        (lambda x: np.tensordot(x, 3.0, 0), [[3.0, 3.0], [3.0, 3.0]]),
        (lambda x: np.tensordot(3.0, x, 0), [[3.0, 3.0], [3.0, 3.0]]),
    ],
)
def test_numpys_other_ways_to_call(call, expected):
    x = ts.Value(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.sum(call(x)).backward()
    np.testing.assert_array_equal(x.grad, expected)


def test_int8_constants_do_not_overflow_in_a_derivative():
    x = ts.Value(np.array([1.0, 2.0]))
    np.sum(np.arctan2(x, np.array([100, 90], np.int8))).backward()
    np.testing.assert_allclose(x.grad, [100 / 10001, 90 / 8104], rtol=1e-14)


def test_options_by_their_other_names():
    v, low = ts.Value(np.array([-2.0, 0.5])), ts.Value(-1.0)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        np.clip(v, min=low, max=1.0).sum().backward()
        assert low.grad == 1.0 and list(v.grad) == [0.0, 1.0]
        v.grad = 0.0
    np.sum(np.stack(arrays=[v, v])).backward()
    assert list(v.grad) == [2.0, 2.0]
    np.einsum("i->", v, optimize=True).backward()
    assert list(v.grad) == [3.0, 3.0]
    for call in (
        np.sum,
        np.cumsum,
        lambda v, out: np.concatenate([v, v], out=out),
        lambda v, out: np.clip(v, 0, 1, out=out),
    ):
        with pytest.raises(ts.TinyspadError, match="out="):
            call(v, out=np.zeros(()))


def test_values_by_keyword_reach_a_rule_of_ones_own():
    square = ts.rule(lambda x: x * x, d=lambda out, x: 2 * x, domain=Domain(-1, 1))
    try:
        assert ts.trace(lambda x: square(x=x), 3.0).count_paths() == 1
        assert ts.rule(square, d=lambda out, x: 7.0, domain=Domain(-1, 1)) is square
        assert ts.trace(lambda x: square(x), 3.0).gradient() == {"x": 7.0}
    finally:
        del RULES[square]


def test_a_rule_of_ones_own():
    double = ts.rule(lambda x: 2 * x, d=lambda out, x: 2.0, domain=Domain(-1, 1))
    try:
        v = ts.Value(np.arange(3.0))
        double(v).sum().backward()
        np.testing.assert_array_equal(v.grad, [2.0, 2.0, 2.0])
        assert double(3.0) == 6.0
    finally:
        del RULES[double]


@pytest.mark.parametrize("wrong", [{}, {"d": lambda out, x: x, "vjp": lambda out, x: x}])
def test_a_rule_needs_d_or_vjp(wrong):
    with pytest.raises(BadInput, match=r"d= .* or vjp="):
        ts.rule(np.sum, domain=Domain(0, 1), **wrong)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda v: np.std(v, where=v > 0), "std: the rule does not cover the option where="),
        (lambda v: np.sum(v, dtype=float), "sum: the rule does not cover the option dtype="),
        (lambda v: np.einsum("i->", v, casting="no"), "einsum: the rule does not cover the option casting="),
        (lambda v: np.cumsum(v, 0, np.float32), "cumsum: the rule covers a, axis, and no further|option dtype="),
        (lambda v: np.frompyfunc(abs, 1, 1)(v), "abs.* has no rule.*argument 1"),
        (lambda v: np.fft.rfft(v) ** 0.5, "power of complex numbers"),
        (lambda v: np.log(np.fft.rfft(v)), "log of complex numbers"),
        (lambda v: np.frexp(v), r"np\.frexp has no derivative here. Write x\.data"),
        (lambda v: np.linalg.eig(np.outer(v, v)), r"Write np\.linalg\.eigh"),
        (lambda v: np.add.reduceat(v, [0, 1]), "add.reduceat has no rule"),
        (lambda v: np.subtract.reduce(v, dtype=int), "subtract.reduce .* dtype"),
        (lambda v: np.linalg.svd(np.stack([v, v])), "full_matrices=False"),
        (lambda v: np.linalg.qr(np.stack([v, v])), "no more columns than rows"),
        (lambda v: np.linalg.pinv(np.outer(v, v), hermitian=True), "hermitian"),
        (lambda v: np.poly(np.outer(v, v)), "eigvalsh"),
        (lambda v: np.polyfit(v, v, 1, cov=True), "polyfit"),
    ],
)
def test_what_has_no_rule_says_so(call, says):
    with pytest.raises(NoRule, match=says):
        call(ts.Value(np.array([1.0, 2.0, 3.0])))


def test_unbroadcast_is_the_transpose_of_broadcasting():
    g = np.random.default_rng(0).normal(size=(4, 2, 3))
    for shape in [(), (3,), (2, 3), (2, 1), (1, 3), (4, 1, 1), (1, 1, 1), (4, 2, 3)]:
        x = np.random.default_rng(1).normal(size=shape)
        np.testing.assert_allclose(np.sum(g * np.broadcast_to(x, g.shape)), np.sum(unbroadcast(g, shape) * x))


def test_a_linear_map_has_no_size():
    with pytest.raises(NotElementwise, match="path_gradients"):
        abs(LinearMap(lambda g: g, (2,), (2,), "matmul"))
