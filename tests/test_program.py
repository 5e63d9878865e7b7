"""Generated programs: the numbers of the tape, source that runs by itself, and refusals where a program cannot be."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from programs import ELEMENTWISE_RULES, Program

import tinyspad as ts
from tinyspad.errors import BadInput, NotCompilable
from tinyspad.program.source import Writer
from tinyspad.program.symbol import Book

f1, beale = ts.functions.f1, ts.functions.beale


def two(seed, length=9):
    program = Program(seed, length=length)
    return (lambda x, y: program(x, y)), program


def assert_same(program, f, point):
    """Value, gradient and every path's contribution, against the tape, to rounding."""
    lcg = ts.trace(f, *point)
    np.testing.assert_allclose(program(*point), lcg.value, rtol=1e-12, atol=1e-14)
    gradient = program.gradient(*point)
    for name in lcg.params:
        terms = lcg.path_gradients(name)
        scale = np.abs(terms).sum(axis=0) + 1e-300
        assert np.all(np.abs(gradient[name] - lcg.gradient()[name]) <= 1e-12 * scale)
        assert np.shape(gradient[name]) == np.shape(point[0])
        np.testing.assert_allclose(program.path_gradients(name, *point), terms, rtol=1e-11, atol=1e-14 * np.max(scale))
        at = program.at(*point)
        assert at.count_paths(name) == lcg.count_paths(name)
        np.testing.assert_allclose(at.path_gradients(name), terms, rtol=1e-11, atol=1e-14 * np.max(scale))


@pytest.mark.parametrize("seed", range(40))
def test_law_4_compiled_is_traced(seed):
    f, program = two(seed)
    compiled = ts.compile(f)
    assert_same(compiled, f, program.point(seed))
    assert_same(compiled, f, program.point(seed, (5,)))


@pytest.mark.parametrize("rule", ELEMENTWISE_RULES, ids=lambda rule: rule.name)
def test_every_elementwise_rule_compiles(rule):
    rng = np.random.default_rng(0)
    domain = rule.domain if isinstance(rule.domain, tuple) else (rule.domain,)
    variables = [i for i, d in enumerate(domain) if isinstance(d, ts.Domain)]

    def f(*v):
        args = list(domain)
        for i, value in zip(variables, v):
            args[i] = value
        return rule.function(*args) * 1.0

    program = ts.compile(f, len(variables))
    for shape in ((), (4,)):
        point = [domain[i](*shape).sample(rng) for i in variables]
        assert_same(program, f, [float(p) if shape == () else p for p in point])


@pytest.mark.parametrize("x", [-1.0, 0.0, 0.5, 1.0, 3.0])
def test_kinks_and_masks_are_code_not_constants(x):
    def f(x):
        bent = np.where(x > 0.7, x * x, -x) + np.maximum(x, 1.0) + ts.relu(x) + np.clip(x, 0, 1) + abs(x)
        return bent * np.minimum(x, x * x)

    program = ts.compile(f)
    assert_same(program, f, [x])
    assert_same(program, f, [np.array([-1.0, 0.0, 0.5, 1.0, 3.0])])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x > 0) * x + (x < 2) * x,
        lambda x: ts.relu(x) + ts.relu(x - 0.1),
        lambda x: ts.relu(-x),
        lambda x: np.where(x > 0, x, -x),
        lambda x: 1 - np.where(x > 0, x, 2 * x),
        lambda x: (x > 0) * x - (x > 2) * x,
        lambda x: -((x > 0) * x),
    ],
)
def test_truth_values_become_numbers_before_they_are_added(f):
    for point in (1.0, -0.5, np.array([1.0, 0.5, -3.0]), np.zeros(0)):
        assert_same(ts.compile(f), f, [point]) if np.size(point) else ts.compile(f).gradient(point)
    listed = run(ts.compile(f).source("paths"), "paths", np.float64(1.0))["x"]
    np.testing.assert_allclose(np.sum(listed), ts.compile(f).gradient(1.0)["x"], rtol=1e-12)
    start = np.array([1.0, 0.5])
    compiled = ts.minimize(f, start, steps=3, optimizer=ts.SGD(0.1)).x
    np.testing.assert_allclose(compiled, ts.minimize(f, start, steps=3, optimizer=ts.SGD(0.1), callback=no).x)


def test_masks_are_combined_as_arrays_combine_them():
    def f(x):
        return np.where(~(x > 0) | (x < -1) & True ^ (x > 2), x, x * x)

    assert_same(ts.compile(f), f, [np.array([1.0, 0.5, -3.0, 4.0])])


def no(*_):
    """A callback: with one, minimize traces at every step."""


# --- source --------------------------------------------------------------------------------------------------------


def run(source, name, *args, **constants):
    """Run source as a reader would who pasted it: NumPy and nothing else."""
    namespace = {"np": np, **constants}
    exec(source, namespace)
    return namespace[name](*args)


def test_the_source_of_f1():
    program = ts.compile(f1)
    forward = (
        "def forward(x):\n    a = x ** 2\n    b = 4 * x\n    c = np.cos(b)\n    d = 2 + c\n    z = a * d\n    return z"
    )
    assert program.source("forward") == forward
    assert program.source("program") == str(ts.trace(f1, 5.0))
    assert program.source(path=("x", 0)) == "def path(x):\n    return (2 + np.cos(4 * x)) * (2 * x)"
    assert "cos" not in program.source(path=("x", 1))  # code that is not needed is not there


@pytest.mark.parametrize("seed", range(12))
def test_pasted_source_gives_the_same_numbers(seed):
    f, program = two(seed)
    compiled, point = ts.compile(f), program.point(seed)
    lcg = ts.trace(f, *point)
    assert run(compiled.source("forward"), "forward", *point) == pytest.approx(lcg.value, rel=1e-12)
    gradient = run(compiled.source("gradient"), "gradient", *point)
    np.testing.assert_allclose(gradient, list(lcg.gradient().values()), rtol=1e-10, atol=1e-13)
    listed = run(compiled.source("paths"), "paths", *point)
    for name in lcg.params:
        np.testing.assert_allclose(listed[name], lcg.path_gradients(name), rtol=1e-10, atol=1e-13)
        for path in lcg.paths(name):
            got = run(compiled.source(path=path), "path", *point)
            assert got == pytest.approx(path.gradient, rel=1e-10, abs=1e-13)


def test_shared_subexpressions_are_written_once():
    def f(x):
        return np.exp(x) * np.sin(x) + np.exp(x) * np.cos(x)

    assert ts.compile(f).source("gradient").count("np.exp") == 1


def test_zeros_and_ones_of_the_arguments_form():
    def f(x):
        return x * np.ones_like(x) * 2 + np.zeros_like(x)

    assert_same(ts.compile(f), f, [3.0])
    assert_same(ts.compile(f), f, [np.array([3.0, -1.0])])


def test_constants_are_folded():
    scale = ts.Value(2.0)
    program = ts.compile(lambda x: x * (np.sqrt(4.0) + scale * 3))
    assert program.source("forward") == "def forward(x):\n    z = x * 8.0\n    return z"
    assert_same(program, lambda x: x * (np.sqrt(4.0) + scale * 3), [3.0])


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda p: p.source("backward"), "the kinds are"),
        (lambda p: p.source(), "give a kind"),
        (lambda p: p.source("forward", path=("x", 0)), "give a kind"),
        (lambda p: p.source(path=("q", 0)), "no parameter 'q'"),
        (lambda p: p.source(path=("x", 9)), "no path 9"),
        (lambda p: p.source(path=("x", "a")), "a path is"),
        (lambda p: p(1.0), "takes 2 arguments"),
        (lambda p: p(1.0, np.ones(2)), "arrays of one shape"),
        (lambda p: p("a", 1.0), "x is a number"),
        (lambda p: p([[1, 2], [3]], 1.0), "x is a number"),
        (lambda p: p(np.ma.array(1.0, mask=True), 1.0), "x is a number"),
        (lambda p: p.source(path="x"), "a path is"),
        (lambda p: p.source(path=("x", 0, 1)), "a path is"),
        (lambda p: p.at(1.0, 2.0, first="nothing"), "first="),
        (lambda p: ts.compile(lambda *a: a[0]), "say how many"),
        (lambda p: ts.compile(f1, "2"), "number="),
        (lambda p: p.path_gradients("q", 1.0, 2.0), "no parameter 'q'"),
    ],
)
def test_requests_without_meaning_are_refused(ask, says):
    with pytest.raises(BadInput, match=says):
        ask(ts.compile(beale))


def test_too_many_paths_are_not_written_out():
    def f(x):
        for _ in range(20):
            x = 0.5 * x + 0.4 * x
        return x

    program = ts.compile(f)
    with pytest.raises(ts.TooManyPaths):
        program.source("paths")
    assert program.gradient(1.0)["x"] == pytest.approx(0.9**20)
    assert run(program.source(path=("x", 2**20 - 1)), "path", 1.0) == pytest.approx(0.4**20)


# --- numbers that Python and NumPy treat differently --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.log(x), 0.0),
        (lambda x: 1 / x, 0.0),
        (lambda x: x**0.5, -8.0),
        (lambda x: x**-1, 0.0),
        (lambda x: x**2, 1e200),
        (lambda x: (x - 1) ** 0.5 > 0, 0.5),
        (lambda x: np.exp(x), 1000.0),
    ],
)
def test_infinities_and_no_numbers_are_those_of_arrays(f, x):
    def g(x):
        return f(x) * 1.0

    program = ts.compile(g)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(program(x), program(np.array([x]))[0])
        np.testing.assert_array_equal(program.gradient(x)["x"], program.gradient(np.array([x]))["x"][0])


def test_single_precision_stays_single():
    program = ts.compile(f1)
    x = np.array([5.0], np.float32)
    assert program(x).dtype == np.float32 and program.gradient(x)["x"].dtype == np.float32


def swallows(x):
    try:
        return x * 2 if x > 0 else x * 3
    except Exception:
        return x * 100


# --- what cannot be a program ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: x if x > 0 else -x, "np.where"),
        (lambda x: max(x, 1.0), "np.maximum"),
        (lambda x: math.cos(x), "cannot be compiled|plain number"),
        (lambda x: float(x), "cannot be compiled|plain number"),
        (lambda x: np.sum(x), "not elementwise"),
        (lambda x: x @ x, "not elementwise"),
        (lambda x: x[0], "cannot be compiled|plain number"),
        (lambda x: x * np.ones(3), "array of its own"),
        (lambda x: x / x.size, "shape"),
        (lambda x: (x - 3) ** 2 if np.ndim(x) else x, "shape"),
        (lambda x: x * x.data.shape[0], "shape"),
        (lambda x: x * 2 if x.data in {1.0, 2.0} else x, "plain number"),
        (lambda x: x * len(repr(x)), "plain number"),
        (swallows, "np.where"),
        (lambda x: x * 1j, "real numbers|complex"),
        (lambda x: x * 10**400, "real numbers|cannot be compiled"),
        (lambda x: x + np.where(x > 0)[0], "cannot be compiled"),
        (lambda x: x * (x > 0).astype(float), "plain number|asks"),
        (lambda x: x + 1 / 0, "ZeroDivisionError"),
        (lambda x: x + round(x), "cannot be compiled|plain number"),
        (lambda x: x * np.argmax(x), "not elementwise"),
        (lambda x: x * np.any(x > 0), "not elementwise"),
        (lambda x: x > 0, "one number"),
        (lambda np: np * np, "rename it"),
        (lambda x: (x, x), "one number"),
        (lambda x: None, "one number"),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]), "no rule|cannot be compiled"),
    ],
)
def test_what_cannot_be_compiled_says_why(f, says):
    with pytest.raises(NotCompilable, match=says):
        ts.compile(f)


def test_names_that_generated_code_uses_itself():
    def f(forward, t, w, m, a, x1):
        return np.sin(forward * t) * w + m * a / x1 + t * t + np.exp(np.sin(w) * np.sin(w))

    assert_same(ts.compile(f), f, [0.5, 1.5, -0.3, 2.0, 0.7, 1.1])
    point = [np.array([v, 0.5 * v]) for v in (0.5, 1.5, -0.3, 2.0, 0.7, 1.1)]
    assert_same(ts.compile(f), f, point)
    compiled = ts.minimize(f, tuple(point), estimator=ts.RAD(hold=2), steps=5, rng=0)
    traced = ts.minimize(f, tuple(point), estimator=ts.RAD(hold=2), steps=5, rng=0, callback=no)
    np.testing.assert_allclose(compiled.x, traced.x, rtol=1e-9)


def test_functions_that_do_not_tell_their_parameters():
    assert ts.compile(lambda *v: v[0] * v[1], 2).gradient(2.0, 3.0) == {"v0": 3.0, "v1": 2.0}
    assert ts.compile(lambda x, scale=3.0: scale * x).params == ("x",)
    assert ts.compile(lambda x: 2.0)(5.0) == 2.0 and ts.compile(lambda x: 2.0).gradient(5.0) == {"x": 0.0}


# --- sending, and minimising ------------------------------------------------------------------------------------------


def test_programs_can_be_pickled():
    program = pickle.loads(pickle.dumps(ts.compile(beale)))
    assert_same(program, beale, [1.0, 2.0])
    assert program.source("paths") == ts.compile(beale).source("paths")


def test_long_programs_do_not_recurse():
    def f(x):
        for _ in range(3000):
            x = 0.999 * x + 0.001
        return x

    program = pickle.loads(pickle.dumps(ts.compile(f)))
    assert program.gradient(1.0)["x"] == pytest.approx(0.999**3000)


ESTIMATORS = [
    ts.GD(),
    ts.RAD(hold=3),
    ts.RAD(by="branch", normalize=True),
    ts.SPAD(m=2, k_max=3),
    ts.SPAD(epsilon=0.3, normalize=True),
    ts.FixedPath(1),
    ts.Magnitude(k_max=2),
    ts.NearestPath(k_max=2),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("shape", [(), (7,)])
def test_minimize_gives_the_same_on_programs_and_on_traces(estimator, shape):
    start = (np.full(shape, 1.0), np.full(shape, 0.5)) if shape else (1.0, 0.5)
    compiled = ts.minimize(beale, start, estimator=estimator, steps=40, rng=0)
    seen = []
    traced = ts.minimize(beale, start, estimator=estimator, steps=40, rng=0, callback=lambda *a: seen.append(a))
    np.testing.assert_allclose(compiled.x, traced.x, rtol=1e-9)
    np.testing.assert_allclose(compiled.history.values, traced.history.values, rtol=1e-8)
    np.testing.assert_array_equal(compiled.history.paths["x"], traced.history.paths["x"])
    assert len(seen) == 40


def test_minimize_traces_what_is_no_fixed_program():
    noise = np.random.default_rng(0)
    rates = iter(np.linspace(1.0, 2.0, 1000))
    drawn = ts.minimize(lambda x: (x - noise.normal()) ** 2, 0.0, optimizer=ts.SGD(0.1), steps=50)
    assert len(set(np.diff(drawn.history.x["x"]).round(12))) == 50
    counted = ts.minimize(lambda x: x * next(rates), 0.0, optimizer=ts.SGD(1.0), steps=5)
    assert len(set(np.diff(counted.history.x["x"]).round(9))) == 5
    weights = np.array([1.0, 2.0])
    own = ts.minimize(lambda x: x * x * weights, np.ones(2), optimizer=ts.SGD(0.1), steps=1)
    np.testing.assert_allclose(own.x, [0.8, 0.6])
    branching = ts.minimize(lambda x: x * x if x > 0 else -x, -1.0, steps=300)
    assert branching.status == "done"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x - 3) ** 2 / np.size(x),
        lambda x: (x - 3) ** 2 if np.ndim(x) else (x + 3) ** 2,
        lambda x: (x - 3) ** 2 if isinstance(x.data, np.ndarray) else (x + 3) ** 2,
        swallows,
    ],
)
def test_minimize_does_not_run_on_programs_that_would_differ(f):
    start = 1.0 if f is swallows else np.array([1.0, 2.0, 5.0])
    compiled = ts.minimize(f, start, steps=20, optimizer=ts.SGD(0.1))
    np.testing.assert_array_equal(compiled.x, ts.minimize(f, start, steps=20, optimizer=ts.SGD(0.1), callback=no).x)


def test_an_estimator_of_ones_own_gets_an_lcg():
    class Asks(ts.RAD):
        def draw(self, lcg, param, state, rng):
            assert isinstance(lcg, ts.LCG) and lcg.ledger(param).agrees
            return super().draw(lcg, param, state, rng)

    assert ts.minimize(f1, 5.0, estimator=Asks(), steps=3, rng=0).status == "done"


def test_results_are_the_callers_to_change():
    a, b = np.array([1.0, 0.5]), np.array([2.0, 3.0])
    assert ts.compile(lambda x: x)(a) is not a
    g = ts.compile(lambda x, y: x * y).gradient(a, b)
    assert g["x"] is not b and g["y"] is not a
    g = ts.compile(lambda x, y: np.sin(x + y)).gradient(a, b)
    assert g["x"] is not g["y"]
    at = ts.compile(f1).at(a)
    at.gradient()["x"][:] = 0.0
    a[0] = 100.0
    np.testing.assert_allclose(at.gradient()["x"], ts.trace(f1, np.array([1.0, 0.5])).gradient()["x"], rtol=1e-12)
    result = ts.minimize(lambda x: x, a, steps=2)
    assert result.value is not result.x


def test_code_is_written_in_linear_time():
    """Looking for a free name does not begin anew at t1."""

    class Counted(set):
        asked = 0

        def __contains__(self, name):
            Counted.asked += 1
            return super().__contains__(name)

    book = Book()
    x = book.input("x")
    terms = [book.apply(np.sin, (book.apply(np.add, (x, float(k))),)) for k in range(1000)]
    writer = Writer({}, ())
    writer.taken = Counted()
    writer.write([*terms, *terms])  # used twice, so each gets a name
    assert len(writer.lines) == 1000 and Counted.asked <= 2000


def test_runs_that_leave_the_numbers_are_marked_on_programs_too():
    result = ts.minimize(lambda x: np.log(x), np.array([0.05, 5.0]), optimizer=ts.SGD(0.01), steps=100)
    assert result.status.tolist() == ["non-finite", "done"]
    assert ts.minimize(lambda x: np.log(x), 0.05, optimizer=ts.SGD(0.1), steps=100).status == "non-finite"


# --- what a program at a point shows of itself, as a trace does ------------------------------------------------------------


def wave(x, y):
    return np.where(x > y, x * x * np.sin(y), y) + np.tanh(x * y) * x


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (ts.functions.f1, (5.0,)),
        (ts.functions.beale, (1.0, 2.0)),
        (wave, (2.0, -0.5)),
        (wave, (np.array([2.0, 0.3]), np.array([0.5, 0.8]))),
        (lambda x, y: x * 0 + 3.0, (1.0, 2.0)),
        (lambda x, y: 3.0, (1.0, 2.0)),
    ],
)
def test_a_program_at_a_point_shows_nodes_and_a_ledger_and_proves_single_access(f, point):
    lcg, at = ts.trace(f, *point), ts.compile(f).at(*point)
    assert [replace(n, text="") for n in at.nodes] == [
        replace(n, text="") for n in lcg.nodes
    ]  # a mask is a formula here
    assert at.names == lcg.names
    at.validate()
    for name in lcg.params:
        ours, theirs = at.ledger(name), lcg.ledger(name)
        assert [p.nodes for p in ours.paths] == [p.nodes for p in theirs.paths]
        np.testing.assert_allclose(ours.products, theirs.products, rtol=1e-12)
        assert ours.verdict == theirs.verdict == "agree" and "central difference" in str(ours)


def test_the_ledger_of_a_program_notices_a_wrong_derivative():
    def cubed(x):
        return x**3

    wrong = ts.rule(cubed, d=lambda out, x: 2 * x**2, domain=[])  # 3 x**2 is right
    at = ts.compile(lambda x: wrong(x) * x).at(2.0)
    assert at.ledger("x").verdict == "disagree" and at.ledger("x").agrees is False


def test_a_program_whose_tupling_is_missing_is_refused():
    program = ts.compile(ts.functions.f1)
    branch = program.structure.head[0]
    program.nodes[branch] = replace(program.nodes[branch], kind="operation")
    with pytest.raises(ts.errors.BadInput, match='"x" is read 2 times without a tupling node'):
        program.at(5.0).validate()
