"""Paths of numbers: what the elements of arrays read, against values on paper, code written out in scalars, and one_page."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import one_page
from tinyspad.estimators import draw_numbers
from tinyspad.nn.followed import Same
from tinyspad.nn.functional import linear
from tinyspad.rules import RULES, LinearMap, Operand, reads_of
from tinyspad.tape import Value

X = np.array([[1.0, 2.0], [3.0, 0.0]])
T = np.arange(3.0)


def residual_times_itself(w):
    r = X @ w - 1
    return r @ r


def cross_entropy(x):
    e = np.exp(x)
    return -np.log((e / np.sum(e))[1])


ON_PAPER = {
    "residuals": (
        lambda w: np.sum((X @ w - 1) ** 2),
        [np.ones(2)],
        {"w[0]": [4, 12], "w[1]": [8, 0]},
    ),
    "r @ r": (residual_times_itself, [np.ones(2)], {"w[0]": [2, 2, 6, 6], "w[1]": [4, 4, 0, 0]}),
    "neighbours": (
        lambda w: np.sum((w[:-1] * w[1:] - 1) ** 2),
        [np.array([1.0, 2.0, 3.0])],
        {"w[0]": [4], "w[1]": [2, 30], "w[2]": [20]},
    ),
    "layer": (
        lambda W, b: np.sum((X @ W + b) ** 2),
        [np.eye(2), np.array([1.0, -1.0])],
        {"W[0, 0]": [4, 24], "W[0, 1]": [2, -6], "W[1, 0]": [8, 0], "W[1, 1]": [4, 0], "b[0]": [4, 8], "b[1]": [2, -2]},
    ),
    "line": (
        lambda a, b: np.mean((a * T + b) ** 2),
        [1.0, 1.0],
        {"a": [0, 4 / 3, 4], "b": [2 / 3, 4 / 3, 2]},
    ),
    "factors": (
        lambda U, V: np.sum((U @ V.T) ** 2),
        [np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [2.0, 0.0]])],
        {"U[0, 0]": [6, 8], "U[0, 1]": [6, 0], "V[0, 0]": [6], "V[0, 1]": [12], "V[1, 0]": [4], "V[1, 1]": [8]},
    ),
    "twice": (
        lambda W: np.sum(W @ (W @ [1, 1])),
        [np.array([[1.0, 2.0], [3.0, 4.0]])],
        {"W[0, 0]": [1, 3, 3], "W[0, 1]": [1, 3, 7], "W[1, 0]": [2, 4, 3], "W[1, 1]": [2, 4, 7]},
    ),
    "max": (lambda w: np.max(w) ** 2, [np.array([1.0, 3.0, 2.0])], {"w[0]": [0], "w[1]": [6], "w[2]": [0]}),
    "max, a tie": (lambda w: np.max(w) ** 2, [np.array([3.0, 3.0])], {"w[0]": [3], "w[1]": [3]}),
    "softmax": (cross_entropy, [np.zeros(2)], {"x[0]": [0.5], "x[1]": [0.5, -1]}),
    "gather": (
        lambda w: np.sum(w[[0, 0, 2]] ** 2),
        [np.array([1.0, 2.0, 3.0])],
        {"w[0]": [2, 2], "w[1]": [], "w[2]": [6]},
    ),
    "where": (
        lambda w: np.sum(np.where(w > 0, w**2, -w)),
        [np.array([2.0, -1.0])],
        {"w[0]": [4, 0], "w[1]": [0, -1]},
    ),
    "trace": (
        lambda A: np.trace(A @ A),
        [np.array([[1.0, 2.0], [3.0, 4.0]])],
        {"A[0, 0]": [1, 1], "A[0, 1]": [3, 3], "A[1, 0]": [2, 2], "A[1, 1]": [4, 4]},
    ),
}


@pytest.mark.parametrize("name", ON_PAPER)
def test_contributions_in_path_order_are_those_on_paper(name):
    f, args, expected = ON_PAPER[name]
    e = ts.trace(f, *args, elements=True)
    e.validate()
    for number, contributions in expected.items():
        assert e.path_gradients(number).tolist() == pytest.approx(contributions)
        assert e.count_paths(number) == len(contributions)
    assert set(e.numbers.params) == set(expected)


# --- twenty functions, and the same in scalars -----------------------------------------------------------------------

RNG = np.random.default_rng(5)
DATA, TARGET, SIGNS = RNG.normal(size=(20, 5)), RNG.normal(size=20), RNG.choice([-1.0, 1.0], 20)
M23, M4 = RNG.normal(size=(2, 3)), RNG.normal(size=4)
tanh, exp, log = np.tanh, np.exp, np.log


def dot(a, b):
    return sum((x * y for x, y in zip(a[1:], b[1:])), a[0] * b[0])


def total(xs):
    return sum(xs[1:], xs[0])


def largest(xs):
    found = xs[0]
    for x in xs[1:]:
        found = np.maximum(found, x)
    return found


def product(xs):
    found = xs[0]
    for x in xs[1:]:
        found = found * x
    return found


def by_times(residuals):
    return np.sum(residuals * residuals)


def net(W, v):
    return np.sum(tanh(W @ np.array([1.0, -2.0])) * v) ** 2


def net_in_scalars(W, v):
    hidden = [tanh(dot(row, [1.0, -2.0])) for row in W]
    return dot(hidden, v) ** 2


def logsumexp(x):
    m = np.max(x)
    return m + log(np.sum(exp(x - m)))


def logsumexp_in_scalars(x):
    m = largest(x)
    return m + log(total([exp(xi - m) for xi in x]))


def softmax_in_scalars(x):
    e = [exp(xi) for xi in x]
    return -log(e[1] / total(e))


def rnn(W, u):
    h = np.array([0.3, -0.2])
    for x in (1.0, -0.5, 0.25, 2.0):
        h = tanh(W @ h + u * x)
    return np.sum(h)


def rnn_in_scalars(W, u):
    h = [0.3, -0.2]
    for x in (1.0, -0.5, 0.25, 2.0):
        h = [tanh(dot(row, h) + ui * x) for row, ui in zip(W, u)]
    return total(h)


def variance(w):
    apart = w - np.mean(w)
    return np.mean(apart**2)


def variance_in_scalars(w):
    mean = total(w) / 4.0
    return total([(wi - mean) ** 2 for wi in w]) / 4.0


def cumsum_in_scalars(w):
    found, so_far = [], None
    for wi in w:
        so_far = wi if so_far is None else so_far + wi
        found.append(so_far**2 * 0.5)
    return total(found)


W2 = RNG.normal(size=(2, 2))
IN_SCALARS = {
    "regression": (
        lambda w: np.sum((DATA @ w - TARGET) ** 2),
        lambda w: total([(dot(row, w) - t) ** 2 for row, t in zip(DATA, TARGET)]),
        [RNG.normal(size=5)],
        20,
    ),
    "regression, r * r": (
        lambda w: by_times(DATA @ w - TARGET),
        lambda w: total([r * r for r in [dot(row, w) - t for row, t in zip(DATA, TARGET)]]),
        [RNG.normal(size=5)],
        40,
    ),
    "logistic regression": (
        lambda w: np.mean(np.log1p(exp(-SIGNS * (DATA @ w)))),
        lambda w: total([np.log1p(exp(-s * dot(row, w))) for row, s in zip(DATA, SIGNS)]) / 20.0,
        [RNG.normal(size=5)],
        20,
    ),
    "net": (net, net_in_scalars, [RNG.normal(size=(3, 2)), RNG.normal(size=3)], 1),
    "softmax": (cross_entropy, softmax_in_scalars, [RNG.normal(size=4)], None),
    "logsumexp": (logsumexp, logsumexp_in_scalars, [RNG.normal(size=5)], 7),
    "factorisation": (
        lambda U, V: np.sum((U @ V.T - M23) ** 2),
        lambda U, V: total([(dot(u, v) - M23[i, j]) ** 2 for i, u in enumerate(U) for j, v in enumerate(V)]),
        [RNG.normal(size=(2, 4)), RNG.normal(size=(3, 4))],
        None,
    ),
    "RNN of four steps": (rnn, rnn_in_scalars, [W2, RNG.normal(size=2)], None),
    "Rosenbrock": (
        lambda w: np.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2),
        lambda w: total([100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(w)]),
        [RNG.normal(size=5)],
        None,
    ),
    "sort": (
        lambda w: np.sum(np.sort(w) ** 2 * M4),
        lambda w: total([x**2 * m for x, m in zip(sorted(w, key=lambda x: getattr(x, "data", x)), M4.tolist())]),
        [RNG.normal(size=4)],
        1,
    ),
    "max": (lambda w: np.max(w) * np.sum(w), lambda w: largest(w) * total(w), [RNG.normal(size=4)], 2),
    "where": (
        lambda w: np.sum(np.where(w > 0, w**2, -w)),
        lambda w: total([np.where(x > 0, x**2, -x) for x in w]),
        [RNG.normal(size=5)],
        2,
    ),
    "outer": (
        lambda a, b: np.sum(np.outer(a, b) ** 2),
        lambda a, b: total([(x * y) ** 2 for x in a for y in b]),
        [RNG.normal(size=3), RNG.normal(size=2)],
        None,
    ),
    "einsum": (
        lambda A, b: np.sum(np.einsum("ij,j->i", A, b) ** 2),
        lambda A, b: total([dot(row, b) ** 2 for row in A]),
        [RNG.normal(size=(3, 2)), RNG.normal(size=2)],
        None,
    ),
    "cumsum": (lambda w: np.sum(np.cumsum(w) ** 2 * 0.5), cumsum_in_scalars, [RNG.normal(size=4)], None),
    "hstack": (
        lambda a, b: np.sum(np.hstack([a, b, a]) ** 2),
        lambda a, b: total([x**2 for x in (*a, *b, *a)]),
        [RNG.normal(size=2), RNG.normal(size=3)],
        None,
    ),
    "variance by hand": (variance, variance_in_scalars, [RNG.normal(size=4)], 5),
    "variance": (lambda w: np.var(w), None, [RNG.normal(size=4)], 1),
    "products": (lambda w: np.prod(w) * w[0], lambda w: product(w) * w[0], [RNG.normal(size=4)], None),
    "norm": (
        lambda w: np.linalg.norm(w),
        lambda w: np.sqrt(total([x**2 for x in w])),
        [RNG.normal(size=4)],
        1,
    ),
    "batch of layers": (
        lambda W: np.sum((DATA[:4].reshape(2, 2, 5) @ W.T) ** 2),
        lambda W: total([dot(row, w) ** 2 for row in DATA[:4] for w in W]),
        [RNG.normal(size=(3, 5))],
        4,
    ),
    "columns by their mean": (
        lambda A: np.sum((A - np.mean(A, axis=0, keepdims=True)) ** 2),
        lambda A: total(
            [(a - m) ** 2 for column in zip(*A) for m in [total(column) / float(len(column))] for a in column]
        ),
        [RNG.normal(size=(3, 2))],
        4,
    ),
}


def in_scalars(f, args):
    """A function of nested lists as one of numbers, traced: the numbers in C order."""

    def flat(*numbers):
        given, left = [], list(numbers)
        for a in args:
            own, left = left[: np.size(a)], left[np.size(a) :]
            columns = np.shape(a)[1] if np.ndim(a) == 2 else 0
            given.append([own[i : i + columns] for i in range(0, len(own), columns)] if columns else own)
        return f(*given)

    return ts.trace(flat, *np.concatenate([np.ravel(a) for a in args]).tolist())


def by_numbers(e, ask):
    """What is answered for arrays, number by number, in C order."""
    return np.concatenate([np.ravel(ask(name)) for name in e.params])


def assert_the_same(e, lcg):
    assert "numbers" not in e.__dict__  # so that these go by arrays
    counts, masses = by_numbers(e, e.count_paths), by_numbers(e, e.log_mass)
    assert counts.tolist() == [lcg.count_paths(name) for name in lcg.params]
    np.testing.assert_allclose(masses, [lcg.log_mass(name) for name in lcg.params], rtol=1e-9, atol=1e-12)
    assert e.value == pytest.approx(lcg.value, rel=1e-12)
    for number, name in zip(e.numbers.params, lcg.params):
        assert e.count_paths(number) == lcg.count_paths(name), number
        np.testing.assert_allclose(
            np.sort(e.path_gradients(number)), np.sort(lcg.path_gradients(name)), rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("name", IN_SCALARS)
def test_arrays_have_the_paths_of_the_same_code_in_scalars(name):
    f, scalars, args, number = IN_SCALARS[name]
    e = ts.trace(f, *args, elements=True)
    if scalars is not None:
        assert_the_same(e, in_scalars(scalars, args))
    e.validate()
    if number is not None:
        assert {e.count_paths(n) for n in e.numbers.params} == {number}
    for param, gradient in ts.trace(f, *args).gradient().items():
        summed = [e.path_gradients(n).sum() for n in e.numbers_of(param)]
        np.testing.assert_allclose(np.reshape(summed, np.shape(gradient)), gradient, rtol=1e-9, atol=1e-12)


# --- random programs, against one_page on arrays of its own numbers ------------------------------------------------------

STEPS = {
    "add": lambda a, b: a + b if np.shape(a) == np.shape(b) else a + 1.5,
    "subtract": lambda a, b: a - b if np.shape(a) == np.shape(b) else 0.5 - a,
    "multiply": lambda a, b: a * b if np.shape(a) == np.shape(b) else a * a,
    "power": lambda a, b: a**2 + b[(0,) * np.ndim(b)] if np.ndim(b) else a**2,
    "matmul": lambda a, b: a @ b if np.ndim(a) and np.ndim(b) and np.shape(a)[-1] == np.shape(b)[0] else a,
    "constant matmul": lambda a, b: RNG_CONSTANT[:, : np.shape(a)[0]] @ a if np.ndim(a) else a,
    "outer": lambda a, b: (
        np.reshape(a, (-1, 1))[:2] * np.reshape(b, (1, -1))[:, :2] if np.ndim(a) and np.ndim(b) else a * a
    ),
    "sum": lambda a, b: np.sum(a, axis=0) if np.ndim(a) > 1 else a,
    "prod": lambda a, b: np.prod(a[..., :2], axis=-1) if np.ndim(a) > 1 else a,
    "cumsum": lambda a, b: np.cumsum(a, axis=-1) if np.ndim(a) else a,
    "reversed": lambda a, b: a[::-1] if np.ndim(a) else a,
    "some": lambda a, b: a[[0, -1, 0]] if np.ndim(a) else a,
    "part": lambda a, b: a[..., 1:] if np.ndim(a) and np.shape(a)[-1] > 1 else a,
    "transpose": lambda a, b: a.T if np.ndim(a) > 1 else a,
    "join": lambda a, b: np.concatenate([np.ravel(a), np.ravel(b)])[:5],
    "stack": lambda a, b: np.stack([np.ravel(a)[0], np.ravel(b)[-1]]),
    "roll": lambda a, b: np.roll(a, 1) if np.ndim(a) else a,
    "tile": lambda a, b: np.tile(a, 2)[..., :4] if np.ndim(a) else a,
    "trace": lambda a, b: b * np.trace(a) if np.ndim(a) == 2 else a,
}
RNG_CONSTANT = np.random.default_rng(3).normal(size=(2, 40))


def random_program(rng):
    """A function of two arrays, by steps chosen at random, each of two earlier results."""
    steps = [(rng.choice(list(STEPS)), *rng.integers(0, 100, 2)) for _ in range(rng.integers(2, 7))]

    def f(v, A):
        known = [v, A]
        for name, i, j in steps:
            known.append(STEPS[name](known[i % len(known)], known[j % len(known)]) * 0.5)
        return np.sum(known[-1]) + np.sum(known[-2])

    return f, " ".join(str(name) for name, *_ in steps)


@pytest.mark.parametrize("seed", range(120))
def test_random_programs_have_the_paths_of_one_page(seed):
    rng = np.random.default_rng(seed)
    f, told = random_program(rng)
    args = [rng.normal(size=rng.integers(1, 4)), rng.normal(size=tuple(rng.integers(1, 4, 2)))]
    lcg = ts.trace(f, *args)
    e = lcg.elements()
    by_arrays = by_numbers(e, e.count_paths), by_numbers(e, e.log_mass)
    e.validate()

    def flat(*numbers):
        n = np.size(args[0])
        return f(np.array(numbers[:n], object), np.array(numbers[n:], object).reshape(np.shape(args[1])))

    graph = one_page.Graph(flat, *np.concatenate([np.ravel(a) for a in args]).tolist())
    counts, gradients = one_page.count(graph), one_page.gradient(graph)
    assert e.value == pytest.approx(graph.value, rel=1e-12), told
    assert by_arrays[0].tolist() == [counts[node] for node in graph.source], told
    masses = [e.linearization.log_mass(number) for number in e.linearization.params]
    np.testing.assert_allclose(by_arrays[1], masses, rtol=1e-9, atol=1e-12)
    few = max(counts[node] for node in graph.source) <= 5000
    lists = one_page.listing(graph) if few else None
    for number, node in zip(e.numbers.params, graph.source):
        assert e.count_paths(number) == counts[node], (told, number)
        assert e.adjoint(number) == pytest.approx(gradients[node], rel=1e-9, abs=1e-9)
        if few:
            contributions = e.path_gradients(number)
            scale = np.abs(contributions).max(initial=1.0)
            np.testing.assert_allclose(
                np.sort(contributions), np.sort(lists[node]), rtol=1e-9, atol=1e-12 * scale, err_msg=told
            )
            if len(contributions):
                assert abs(e.best_path(number).gradient) == pytest.approx(np.abs(contributions).max(), rel=1e-12)
                i = int(rng.integers(len(contributions)))
                assert e.nth_path(number, i).gradient == pytest.approx(contributions[i], rel=1e-12)
                mean = ts.RAD(normalize=True).expectation(lcg, number)
                assert mean == pytest.approx(gradients[node], rel=1e-9, abs=1e-9 * scale)
                variance = np.mean((contributions * len(contributions) - mean) ** 2)
                assert ts.RAD(normalize=True).variance(lcg, number) == pytest.approx(variance, rel=1e-8, abs=1e-9)


# --- every rule says what it reads -----------------------------------------------------------------------------------


def calls():
    for function, rule in RULES.items():
        if rule.elementwise or not (getattr(function, "__module__", "") or "").startswith(("numpy", "_operator")):
            continue
        for k, call in enumerate(rule.domain):
            yield pytest.param(function, rule, call, id=f"{rule.name}-{k}")


@pytest.mark.parametrize("function, rule, call", list(calls()))
def test_what_a_rule_reads_has_the_weights_of_its_jacobian(function, rule, call):
    """The edges' weights, put where they belong, are the Jacobian that vector-Jacobian products give row by row."""
    rng = np.random.default_rng(0)

    def drawn(x):
        if isinstance(x, ts.Domain):
            return x.sample(rng)
        return [drawn(item) for item in x] if isinstance(x, list) and x and isinstance(x[0], ts.Domain) else x

    options = call[-1] if isinstance(call[-1], dict) else {}
    args = [drawn(x) for x in (call[:-1] if options else call)]
    places = [i for i, x in enumerate(args) if isinstance(x, (float, np.ndarray)) and np.result_type(x).kind == "f"]
    if rule.sequence:
        places = list(range(len(args[0])))

    def f(*given):
        own = list(args)
        if rule.sequence:
            own[0] = list(given)
        else:
            for i, x in zip(places, given):
                own[i] = x
        return function(*own, **options)

    at = [args[0][i] for i in places] if rule.sequence else [args[i] for i in places]
    shape = np.shape(f(*at))
    factors = rng.uniform(1, 2, shape)
    e = ts.trace(lambda *given: np.sum(f(*given) * factors), *at, elements=True)
    by_arrays = by_numbers(e, e.count_paths), by_numbers(e, e.log_mass)
    e.validate()
    assert by_arrays[0].tolist() == by_numbers(e, e.count_paths).tolist()
    jacobian = ts.jacobian(f, *at)
    for name in e.params:
        block = jacobian.blocks[0][name].reshape(math.prod(shape), -1)
        weighted = block * np.ravel(factors)[:, None]
        for j, number in enumerate(e.numbers_of(name)):
            found, expected = e.path_gradients(number), weighted[:, j]
            np.testing.assert_allclose(found[found != 0], expected[expected != 0], rtol=1e-9, err_msg=number)
    masses = [np.log(np.abs(e.path_gradients(n)).sum()) for n in e.linearization.params if np.any(e.path_gradients(n))]
    np.testing.assert_allclose(by_arrays[1][np.isfinite(by_arrays[1])], masses, rtol=1e-9, atol=1e-12)


def test_a_product_with_a_letter_of_its_own_sums_it():
    a, b = RNG.normal(size=2), RNG.normal(size=3)
    e = ts.trace(lambda a, b: np.einsum("i,j->", a, b), a, b, elements=True)
    assert e.count_paths("a").tolist() == [1, 1]
    assert e.path_gradients("a[1]") == pytest.approx([b.sum()])


def test_where_a_rule_says_nothing_its_vjp_is_asked_row_by_row():
    A, b = RNG.normal(size=(2, 2)) + 2 * np.eye(2), RNG.normal(size=2)
    e = ts.trace(lambda A, b: np.sum(np.linalg.solve(A, b) * np.array([1.0, 3.0])), A, b, elements=True)
    assert e.count_paths("A").tolist() == [[2, 2], [2, 2]]
    inverse = np.linalg.inv(A)
    x = inverse @ b
    for i in range(2):
        for j in range(2):
            assert e.path_gradients(f"A[{i}, {j}]") == pytest.approx(-inverse[:, i] * x[j] * [1.0, 3.0])
    with pytest.raises(ts.errors.BadInput, match="Jacobian would have to be taken row by row"):
        ts.trace(lambda A: np.sum(np.linalg.inv(A)), np.eye(40), elements=True).paths("A[0, 0]")


def test_an_edge_is_there_although_its_weight_is_zero():
    at = [np.array([[1.0, 0.0], [0.0, 0.0]]), np.zeros(2)]
    zero = ts.trace(lambda A, w: np.sum((A @ w) ** 2 + 0.0 * w), *at, elements=True)
    other = ts.trace(lambda A, w: np.sum((A @ w) ** 2 + 0.0 * w), np.ones((2, 2)), np.ones(2), elements=True)
    assert zero.count_paths("w").tolist() == other.count_paths("w").tolist() == [3, 3]
    assert zero.signature == other.signature


def test_numbers_in_an_order_that_depends_on_them_enter_the_signature():
    def f(w):
        return np.sum(np.sort(w) * np.arange(3))

    up, same, down = (ts.trace(f, np.array(w), elements=True) for w in ([1.0, 2, 3], [4.0, 5, 9], [3.0, 2, 1]))
    assert up.signature == same.signature != down.signature


def test_captured_values_and_constants_have_no_paths():
    outside = Value(np.array([2.0, 3.0]))
    e = ts.trace(lambda w: np.sum(np.stack([w[0], outside[1], 4.0]) ** 2 * np.stack([w[1], w[0], 1.0])), np.ones(2))
    assert e.elements().count_paths("w").tolist() == [2, 1]
    none = ts.trace(lambda w: np.sum(np.ones(2)), np.ones(2), elements=True)
    assert none.count_paths("w").tolist() == [0, 0] and none.path_gradients("w[0]").shape == (0,)
    itself = ts.trace(lambda w: w[1] + 0, np.ones(3), elements=True)
    assert itself.count_paths("w").tolist() == [0, 1, 0]
    assert ts.trace(lambda w: w[1], np.ones(3), elements=True).path_gradients("w[1]").tolist() == [1.0]


# --- names, and questions about arrays -------------------------------------------------------------------------------


@pytest.fixture
def e():
    return ts.trace(lambda W, b, c: np.sum((X @ W + b) ** 2) * c, np.eye(2), np.array([1.0, -1.0]), 2.0, elements=True)


def test_a_number_is_named_by_its_place(e):
    first = e.path_gradients("W[0, 1]")
    for name in ("W[0,1]", "W[-2, -1]", " W[ 0 , 1 ]"):
        assert e.path_gradients(name).tolist() == first.tolist()
    assert e.path_gradients("c") == pytest.approx([(e.value) / 2])
    assert e.nth_path("b[-1]", 0).param == "b[1]"
    for wrong in (
        "W[2, 0]",
        "W[0]",
        "W[]",
        "W[0, 1, 0]",
        "b[0, 0]",
        "V[0]",
        "W[a]",
        "W[0, 1,]",
        "W[0,,1]",
        "c[0]",
        "W[0, 1",
        None,
        3,
    ):
        with pytest.raises(ts.errors.BadInput):
            e.path_gradients(wrong)


def test_questions_about_an_array_are_answered_in_its_shape(e):
    assert e.count_paths("W").tolist() == [[2, 2], [2, 2]] and e.count_paths("c") == 1
    best = e.best_path("W")
    assert best.shape == (2, 2) and best[0, 1].param == "W[0, 1]" and best[0, 1].index == best.index[0, 1]
    np.testing.assert_allclose(best.gradient, [[e.best_path(f"W[{i}, {j}]").gradient for j in (0, 1)] for i in (0, 1)])
    assert best[1].shape == (2,) and best[1][0].param == "W[1, 0]"
    drawn = e.sample_path("W", 0, by="branch")
    assert drawn.probability.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert drawn[1, 1].gradient in e.path_gradients("W[1, 1]")
    np.testing.assert_allclose(np.exp(e.log_mass("b")), [np.abs(e.path_gradients(f"b[{i}]")).sum() for i in (0, 1)])
    assert e.entropy("W").shape == (2, 2)
    assert {k: np.shape(v) for k, v in e.sweep("count").items()} == {"W": (2, 2), "b": (2,), "c": ()}
    for question in (e.paths, e.path_gradients, e.ledger, e.top_paths, e.nth_path, e.path_shares, e.sample_paths):
        with pytest.raises(ts.errors.BadInput, match="one number"):
            question("W")


def test_the_ledger_of_a_number_proves_itself(e):
    ledger = e.ledger("W[0, 0]")
    assert ledger.agrees and ledger.total == pytest.approx(56.0)
    assert "W[0, 0] -> W1[0, 0]" in str(ledger)


def test_more_edges_than_can_be_written_out_are_refused():
    with pytest.raises(ts.errors.BadInput, match="more than 4 000 000 edges"):
        ts.trace(lambda A: np.sum(A @ A), np.ones((200, 200)), elements=True).best_path("A[0, 0]")
    with pytest.raises(ts.errors.NotScalar):
        ts.trace(lambda A: A @ A, np.ones((2, 2)), elements=True)


def test_counts_and_magnitudes_of_a_network_need_no_edges():
    """784 inputs, 300 and 100 units, 10 outputs, 150 images: 45 million edges between 266 610 numbers, in closed form."""
    rng = np.random.default_rng(0)
    sizes, images = (784, 300, 100, 10), 150
    layers = [rng.normal(size=shape) / 10 for shape in pairwise(sizes)] + [rng.normal(size=n) for n in sizes[1:]]
    x = rng.normal(size=(images, 784))

    def net(W1, W2, W3, b1, b2, b3):
        return np.mean(np.maximum(np.maximum(x @ W1 + b1, 0) @ W2 + b2, 0) @ W3 + b3)

    e = ts.trace(net, *layers, elements=True)
    # a weight of layer k is read by every image, and from its unit every unit of each later layer is reached
    assert [np.unique(e.count_paths(f"W{k}")).tolist() for k in (1, 2, 3)] == [[images * 1000], [images * 10], [images]]
    assert [np.unique(e.count_paths(f"b{k}")).tolist() for k in (1, 2, 3)] == [[images * 1000], [images * 10], [images]]
    active = (x @ layers[0] + layers[3] > 0) * 1.0
    active2 = (np.maximum(x @ layers[0] + layers[3], 0) @ layers[1] + layers[4] > 0) * 1.0
    behind = active * (active2 * np.abs(layers[2]).sum(axis=1) @ np.abs(layers[1]).T) / (images * 10)
    np.testing.assert_allclose(np.exp(e.log_mass("W1")), np.abs(x).T @ behind, rtol=1e-9)
    assert "numbers" not in e.__dict__
    with pytest.raises(ts.errors.BadInput, match="too many"):
        e.path_gradients("W1[0, 0]")


def test_counts_beyond_what_floats_hold_are_exact():
    def f(w):
        x = w
        for _ in range(60):
            x = x * x[::-1]
        return np.sum(x)

    assert ts.trace(f, np.ones(2), elements=True).count_paths("w").tolist() == [2**60, 2**60]


def test_single_precision_is_computed_in_it():
    e = ts.trace(lambda w: np.sum(w * w), np.ones(3, np.float32), elements=True)
    assert e.path_gradients("w[0]").dtype == np.float32


def test_an_operand_that_is_broadcast_is_read_by_all():
    rule = RULES[np.multiply]
    edge = rule.edge(1, np.ones((2, 3)), np.ones(3), (np.full((2, 3), 2.0), np.ones(3)), {})
    assert isinstance(edge, LinearMap)
    reads = reads_of(Operand(rule, 1, (3,), (2, 3), (), {}, edge))
    assert reads.out.tolist() == [0, 1, 2, 3, 4, 5] and reads.into.tolist() == [0, 1, 2, 0, 1, 2]
    assert reads.weights(edge).tolist() == [2.0] * 6


# --- minimising: every number draws, selects and holds a path of its own ---------------------------------


def neighbours(w):
    return np.sum((w[:-1] * w[1:] - 1) ** 2)


def neighbours_in_scalars(*w):
    found = (w[0] * w[1] - 1) ** 2
    for a, b in pairwise(w[1:]):
        found = found + (a * b - 1) ** 2
    return found


START = np.linspace(0.5, 2.0, 6)
CHOOSING = [
    ts.SPAD(),
    ts.SPAD(k_max=5),
    ts.NearestPath(),
    ts.NearestPath(k_max=3),
    ts.RAD(),
    ts.RAD(normalize=True, hold=3),
    ts.RAD(by="branch", normalize=True),
    ts.SPAD(m=1, k_max=2),
    ts.SPAD(epsilon=0.3, normalize=True),
    ts.Magnitude(),
    ts.Magnitude(k_max=4),
]


@pytest.mark.parametrize("estimator", CHOOSING, ids=repr)
def test_a_run_over_an_array_is_the_run_over_its_numbers(estimator):
    """The draws come in the same order, number by number, so that even random runs are the same."""
    steps = {"steps": 40, "optimizer": ts.SGD(0.01), "rng": 3, "estimator": estimator}
    array = ts.minimize(neighbours, START, **steps)
    scalars = ts.minimize(neighbours_in_scalars, tuple(START.tolist()), **steps)
    np.testing.assert_allclose(array.x, scalars.x, rtol=1e-9)
    followed = np.array([scalars.history.paths[f"w{i}"] for i in range(6)]).T
    assert array.history.paths["w"].tolist() == followed.tolist()


@pytest.mark.parametrize("estimator", CHOOSING, ids=repr)
def test_exact_moments_of_an_array_are_those_of_its_numbers(estimator):
    lcg, scalars = ts.trace(neighbours, START), ts.trace(neighbours_in_scalars, *START.tolist())
    for ask in ("expectation", "variance", "bias", "second_moment"):
        expected = list(getattr(estimator, ask)(scalars).values())
        np.testing.assert_allclose(getattr(estimator, ask)(lcg, "w"), expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(getattr(estimator, ask)(lcg)["w"], expected, rtol=1e-9, atol=1e-12)
        assert getattr(estimator, ask)(lcg, "w[2]") == pytest.approx(expected[2])
        assert getattr(estimator, ask)(lcg.elements(), "w[2]") == pytest.approx(expected[2])
    np.testing.assert_allclose(estimator.probabilities(lcg, "w[3]"), estimator.probabilities(scalars, "w3"))
    with pytest.raises(ts.errors.BadInput, match="one number"):
        estimator.probabilities(lcg, "w")


def test_costs_of_an_array_are_those_of_all_its_numbers():
    """A path of neighbours has four factors: the product, the difference, the square, and the sum."""
    lcg = ts.trace(neighbours, START)
    assert ts.GD().cost(lcg) == (10 + 5 + 5 + 5,) * 2  # 10 reads by five products, and three operations behind each
    assert ts.RAD().cost(lcg) == ts.RAD().cost(lcg, "w") == (6 * 4.0, 6 * 4.0)
    assert ts.RAD().cost(lcg, "w[2]") == (4.0, 4.0)


def test_no_array_has_variance_zero_unless_its_numbers_have():
    X, y = DATA[:, :3], TARGET
    for f in (lambda w: np.mean((X @ w - y) ** 2), lambda w: np.sum(w[0] * X[:, 0] * w[1] + w[2])):
        lcg = ts.trace(f, np.array([0.5, -1.0, 2.0]))
        assert np.all(ts.RAD(normalize=True).variance(lcg, "w")[:2] > 0)
    lcg = ts.trace(lambda a, b: np.mean((a * T + b - 1) ** 2), 1.0, 1.0)
    assert ts.RAD(normalize=True).variance(lcg, "a") > 0
    assert ts.RAD(normalize=True).variance(lcg, "a", paths="arrays") == 0
    assert np.all(ts.RAD(normalize=True).variance(ts.trace(lambda w: np.sum(w**2), np.ones(2)), "w") == 0)


def test_arrays_may_be_taken_as_a_whole():
    def f(w):
        return sum((w[i] * w[i + 1] - 1) ** 2 for i in range(3))

    whole = ts.minimize(f, np.ones(4) * 2, estimator=ts.RAD(), steps=5, rng=0, paths="arrays")
    assert whole.history.paths["w"].shape == (6,)
    each = ts.minimize(f, np.ones(4) * 2, estimator=ts.RAD(), steps=5, rng=0)
    assert each.history.paths["w"].shape == (6, 4)
    for wrong in ("elements", None, 3):
        with pytest.raises(ts.errors.BadInput, match="numbers"):
            ts.minimize(f, np.ones(4), paths=wrong)


def test_a_step_of_every_number_reaches_what_one_of_a_single_number_does_not():
    def f(w):
        return sum((w[i] * w[i + 1] - 1) ** 2 for i in range(7))

    def reached(paths):
        plan = {"estimator": ts.RAD(), "optimizer": ts.Adam(0.02), "steps": 300, "every": None, "rng": 0}
        return ts.minimize(f, np.linspace(0.5, 2, 8), paths=paths, **plan).value

    assert reached("numbers") < 1e-3 < 1e-2 < reached("arrays")


def test_the_history_keeps_the_paths_of_at_most_a_thousand_numbers_unless_it_is_asked():
    def f(w):
        return np.sum((w[:-1] * w[1:]) ** 2)

    for n, keep, kept in ((1000, None, True), (1001, None, False), (1001, True, True), (5, False, False)):
        history = ts.minimize(f, np.ones(n), estimator=ts.RAD(), steps=2, rng=0, keep_paths=keep).history
        assert list(history.paths) == (["w"] if kept else []) and history.x["w"].shape == (3, n)


def test_a_result_says_that_there_was_nothing_to_choose():
    single = ts.minimize(lambda w: np.sum(w**2), np.ones(3), estimator=ts.RAD(), steps=2)
    assert single.single_paths and "this estimator is GD" in str(single)
    for f, x, estimator in (
        (lambda w: np.sum(w**2), np.ones(3), ts.GD()),
        (lambda w: np.sum(w * w), np.ones(3), ts.RAD()),
        (lambda x: x * x, 2.0, ts.RAD()),
    ):
        result = ts.minimize(f, x, estimator=estimator, steps=2)
        assert not result.single_paths and "GD" not in str(result)
    assert ts.minimize(lambda x: x**2, 2.0, estimator=ts.SPAD(), steps=2).single_paths


def test_a_held_path_is_dropped_when_numbers_change_their_order():
    """While w[0] is the smaller it has two paths, and then one."""

    def f(w):
        low, high = np.sort(w)
        return low * low * 4 + high

    result = ts.minimize(f, np.array([0.9, 1.0]), estimator=ts.RAD(hold=1000), optimizer=ts.SGD(0.05), steps=30, rng=1)
    traced = ts.minimize(
        f,
        np.array([0.9, 1.0]),
        estimator=ts.RAD(hold=1000),
        optimizer=ts.SGD(0.05),
        steps=30,
        rng=1,
        callback=lambda step, x, value: None,
    )
    np.testing.assert_array_equal(result.x, traced.x)
    assert np.any(np.diff(result.history.paths["w"][:-1], axis=0) != 0)


def test_data_that_depend_on_values_are_traced_anew_and_still_have_numbers():
    def f(w):
        return np.sum(w[w > 0.5] ** 2) + np.sum(w * w)

    result = ts.minimize(f, np.array([0.2, 1.0]), estimator=ts.SPAD(k_max=3), steps=20, rng=0)
    assert result.history.paths["w"].shape == (21, 2) and result.value < 2.08


def test_a_users_estimator_is_asked_about_one_number_at_a_time():
    asked = []

    class First(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            asked.append((param, lcg.count_paths(param), (state or 0)))
            return lcg.path_gradients(param)[0], 0, (state or 0) + 1

    ts.minimize(neighbours, np.ones(3), estimator=First(), steps=2)
    assert asked == [(f"w[{i}]", 1 + (i == 1), step) for step in (0, 1) for i in range(3)]


def test_a_set_of_features_is_a_set_of_paths_of_numbers_with_the_same_expectation():
    """nn.RandomPaths, "same": of a layer's weights those of k of d inputs keep all paths, times d / k, over all sets."""
    rng = np.random.default_rng(0)
    x, W, b, d, k = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2), 3, 2

    def loss(followed):
        def f(W, b):
            return np.sum(np.tanh(linear(x, W, b, followed)) ** 2)

        return f

    e = ts.trace(loss(None), W, b, elements=True)
    assert e.count_paths("W").tolist() == [[4, 4]] * 3  # one for each example
    estimates = []
    for kept in combinations(range(d), k):
        estimate = np.asarray(ts.trace(loss(Same(np.array(kept), d)), W, b).gradient()["W"])
        for i in range(d):
            for j in range(2):
                paths = e.path_gradients(f"W[{i}, {j}]")
                assert estimate[i, j] == pytest.approx(d / k * paths.sum() if i in kept else 0.0)
        estimates.append(estimate)
    mean = ts.RAD(normalize=True).expectation(e, "W")
    np.testing.assert_allclose(np.mean(estimates, axis=0), mean, rtol=1e-12)
    np.testing.assert_allclose(mean, e.gradient()["W"], rtol=1e-12)


# --- many numbers draw together ---------------------------------------------------------------------------------------


def forty(w):
    """Numbers with one to four paths, some of them zero, and some without any."""
    return np.sum((w[:30] * w[1:31] - 1) ** 2) + np.sum(w[:5] * w[:5] * w[5:10]) * 0.5 + w[33] * 0.0 * w[33]


AT_FORTY = np.concatenate([np.zeros(3), np.linspace(-1, 2, 37)])


@pytest.mark.parametrize("k_max", [1, 3])
def test_the_best_paths_of_many_numbers_are_those_of_each(k_max, monkeypatch):
    plan = {"estimator": ts.SPAD(k_max=k_max), "optimizer": ts.SGD(0.01), "steps": 12}
    together = ts.minimize(forty, AT_FORTY, **plan)
    monkeypatch.setattr("tinyspad.estimators.draw.TOGETHER", 10**9)
    each = ts.minimize(forty, AT_FORTY, **plan)
    np.testing.assert_allclose(together.x, each.x, rtol=1e-12)
    assert together.history.paths["w"].tolist() == each.history.paths["w"].tolist()
    assert set(together.history.paths["w"][0][[31, 34, 39]]) == {-1}


@pytest.mark.parametrize(
    "estimator",
    [
        ts.RAD(),
        ts.RAD(normalize=True),
        ts.RAD(by="branch"),
        ts.RAD(by="branch", normalize=True),
        ts.Magnitude(),
        ts.Magnitude(k_max=3, normalize=False),
    ],
    ids=repr,
)
def test_random_paths_of_many_numbers_have_the_chances_of_each(estimator):
    e, rng, draws = ts.trace(forty, AT_FORTY).elements(), np.random.default_rng(1), 600
    at = e.linearization
    found = [draw_numbers(estimator, e, "w", None, rng) for _ in range(draws)]
    gradient, index = np.array([draw.gradient for draw in found]), np.array([draw.path for draw in found])
    for i in range(40):
        name = f"w[{i}]"
        listed = at.path_gradients(name)
        if not len(listed):
            assert not gradient[:, i].any() and set(index[:, i]) == {-1}
            continue
        p = estimator.probabilities(at, name)
        scale = 1 / np.where(p > 0, p, 1) if estimator.normalize else np.ones(len(p))
        np.testing.assert_allclose(gradient[:, i], (listed * scale)[index[:, i]], rtol=1e-9, atol=1e-12)
        share = np.bincount(index[:, i], minlength=len(p)) / draws
        assert np.all(np.abs(share - p) <= 5 * np.sqrt(p * (1 - p) / draws) + 1e-12)


def test_held_walks_are_kept_and_followed_with_new_weights():
    steps = {"optimizer": ts.SGD(0.01), "steps": 6, "rng": 0}
    result = ts.minimize(forty, AT_FORTY, estimator=ts.RAD(hold=3), **steps)
    paths = result.history.paths["w"][:-1]
    assert np.all(paths[0] == paths[1]) and np.all(paths[1] == paths[2]) and np.any(paths[2] != paths[3])
    x = result.history.x["w"]
    for step in range(6):
        at = ts.trace(forty, x[step]).elements().linearization
        for i in (0, 5, 12, 33):
            gradient = at.path_gradient(f"w[{i}]", int(paths[step][i]))
            assert x[step][i] - x[step + 1][i] == pytest.approx(0.01 * gradient, abs=1e-12)


def test_what_is_derived_from_an_estimator_draws_one_by_one_unless_it_says_otherwise():
    class Halved(ts.RAD):
        paths_only = True

        def draw(self, lcg, param, state, rng):
            gradient, path, state = super().draw(lcg, param, state, rng)
            return gradient / 2, path, state

    class Named(ts.RAD):
        """As it is."""

    whole = ts.minimize(forty, AT_FORTY, estimator=Halved(), optimizer=ts.SGD(0.1), steps=1, rng=0)
    at, paths = ts.trace(forty, AT_FORTY).elements().linearization, whole.history.paths["w"][0]
    gradient = at.path_gradient("w[12]", int(paths[12]))
    assert AT_FORTY[12] - whole.x[12] == pytest.approx(0.05 * gradient)
    steps = {"optimizer": ts.SGD(0.1), "steps": 3, "rng": 0}
    same = [ts.minimize(forty, AT_FORTY, estimator=estimator, **steps).x for estimator in (Named(), ts.RAD())]
    np.testing.assert_array_equal(*same)


def test_many_numbers_with_very_many_paths_are_numbered_exactly():
    def f(w):
        x = w
        for _ in range(70):
            x = x + x[::-1]
        return np.sum(x)

    result = ts.minimize(f, np.ones(40), estimator=ts.RAD(), steps=1, rng=0)
    lcg, paths = ts.trace(f, np.ones(40)).elements(), result.history.paths["w"][0]
    assert lcg.count_paths("w[3]") == 2**70 and all(0 <= i < 2**70 for i in paths) and max(paths) > 2**64
    assert lcg.nth_path("w[3]", int(paths[3])).index == paths[3]


def test_arrays_in_single_precision_stay_in_it():
    for estimator in (ts.RAD(), ts.SPAD(), ts.Magnitude()):
        for n in (3, 40):
            result = ts.minimize(lambda w: np.sum(w * w), np.ones(n, np.float32), estimator=estimator, steps=3)
            assert result.x.dtype == np.float32


def test_the_text_of_an_lcg_of_arrays_says_what_its_paths_are():
    lcg = ts.trace(lambda w, a: np.sum(w * a), np.ones(3), 2.0)
    assert str(lcg).splitlines() == [
        "w <- Param_0  (an array, as a whole; lcg.elements() has its numbers)",
        "a <- Param_1",
        "b <- w * a",
        "z <- sum(b)",
        "Return z",
    ]
    assert "elements" not in str(ts.trace(lambda w: w * w, np.ones(3)))
    page = lcg.elements()._repr_html_()
    assert "<svg" in page and "w[0..2] &lt;- Param_0" in page and "w[2]" in page
    assert "<svg" not in ts.trace(lambda w: np.sum(w * w), np.ones(99), elements=True)._repr_html_()


def test_elements_are_drawn_whole_or_behind_some_of_their_numbers():
    import matplotlib.pyplot as plt

    from tinyspad import plot

    lcg = ts.trace(net, np.ones((3, 2)), np.ones(3))
    e = lcg.elements()
    words = {text.get_text() for text in plot.lcg(e).texts}
    assert {"W[0, 0]", "W[2, 1]", "v[1]", "z"} <= words
    some = {
        text.get_text() for text in plot.lcg(e, of="W[1, 0]", highlight=e.best_path("W[1, 0]"), adjoints=True).texts
    }
    assert "W[1, 0]" in some and not {"W[0, 0]", "v[1]"} & some
    assert "v[2]" in {text.get_text() for text in plot.lcg(e, of="v").texts}
    for wrong in ({"lcg": lcg, "of": "W"}, {"lcg": e, "of": "u"}, {"lcg": e.linearization}):
        with pytest.raises(ts.errors.BadInput):
            plot.lcg(**wrong)
    large = ts.trace(lambda w: np.sum(w * w), np.ones(99), elements=True)
    texts = [text.get_text() for text in plot.lcg(large).texts]
    assert {"w", "99 numbers", "a", "z"} <= set(texts)
    with pytest.raises(ts.errors.BadInput, match="60"):
        plot.lcg(large, collapse={})
    plt.close("all")


def test_elements_of_a_batch_of_runs_are_refused():
    for elements in (
        lambda: ts.trace(lambda x: x * x, np.ones(3)).elements(),
        lambda: ts.trace(lambda x: x, np.ones(2), elements=True),
    ):
        with pytest.raises(ts.errors.NotScalar, match="one number"):
            elements()


def test_numbers_without_a_path_have_no_entropy():
    e = ts.trace(lambda w: w[0] * w[0] * w[1], np.ones(3)).elements()
    np.testing.assert_allclose(e.entropy(), [np.log(2), 0.0, np.nan])
    with pytest.raises(ts.errors.BadInput, match="no path"):
        e.entropy("w[2]")


def test_a_product_is_held_to_its_subscripts():
    def twice(a, b):
        return 2 * (a @ b)

    vector = ts.Domain(-1, 1)(3)
    vjp = (lambda out, a, b: lambda g: 2 * g * b, lambda out, a, b: lambda g: 2 * g * a)
    wrong = ts.rule(twice, vjp=vjp, domain=[(vector, vector)], kind=lambda a, b: "i,i->")
    with pytest.raises(ts.errors.BadInput, match="with that gives something else"):
        ts.trace(lambda w: wrong(w, w), np.ones(3)).elements().count_paths()
    right = ts.rule(
        lambda a, b: a @ b,
        vjp=tuple(lambda out, a, b, i=i: lambda g: g * (b, a)[i] for i in (0, 1)),
        domain=[(vector, vector)],
        kind=lambda a, b: "i,i->",
    )
    e = ts.trace(lambda w: right(w, w), np.arange(1.0, 4.0)).elements()
    assert e.count_paths().tolist() == [2, 2, 2] and e.path_gradients("w[2]").tolist() == [3.0, 3.0]


def test_a_rule_says_a_kind_that_there_is():
    reals = ts.Domain(-1, 1)
    for options in (
        {"vjp": lambda out, x: lambda g: g, "kind": "sideways"},
        {"d": lambda out, x: 1.0, "kind": "reduction"},
        {"vjp": lambda out, x: lambda g: g, "kind": "reduction", "forgets": True},
    ):
        with pytest.raises(ts.errors.BadInput, match="kind"):
            ts.rule(lambda x: x, domain=[(reals,)], **options)
    with pytest.raises(ts.errors.BadInput, match="keep_paths"):
        ts.minimize(neighbours, START, keep_paths="yes")
    with pytest.raises(ts.errors.BadInput, match="paths="):
        ts.minimize(neighbours, START, paths=np.ones(2))


def test_a_diagonal_needs_no_offset():
    def product(x):
        return np.prod(np.diagonal(x))

    def vjp(out, x):
        return lambda g: g * out * np.diag(1 / np.diagonal(x))

    product = ts.rule(product, vjp=vjp, domain=[(ts.Domain(1, 2)(3, 3),)], kind="diagonal")
    e = ts.trace(lambda w: product(w), np.diag([1.0, 2.0, 3.0])).elements()
    assert e.path_gradients("w[1, 1]").tolist() == [3.0] and e.count_paths("w[0, 1]") == 0


def test_a_vjp_that_has_added_up_what_was_broadcast_is_asked_row_by_row():
    def times(a, b):
        return a * b

    def summed_like(g, x):
        return np.sum(g, axis=0) if np.ndim(x) < np.ndim(g) else g

    vjp = (lambda out, a, b: lambda g: summed_like(g * b, a), lambda out, a, b: lambda g: summed_like(g * a, b))
    times = ts.rule(times, vjp=vjp, domain=[(ts.Domain(-1, 1)(2), ts.Domain(-1, 1)(3, 2))], kind="elementwise")
    a, b = np.array([1.0, 2.0]), np.arange(6.0).reshape(3, 2)
    e = ts.trace(lambda a, b: np.sum(times(a, b) ** 2), a, b, elements=True)
    by_arrays = by_numbers(e, e.count_paths), by_numbers(e, e.log_mass)
    for i in range(2):
        np.testing.assert_allclose(e.path_gradients(f"a[{i}]"), 2 * a[i] * b[:, i] ** 2)
    assert by_arrays[0].tolist() == [3, 3] + [1] * 6
    np.testing.assert_allclose(np.exp(by_arrays[1][:2]), 2 * a * np.sum(b**2, axis=0))


def test_edges_that_a_vjp_reaches_at_one_point_are_looked_for_at_the_next():
    def positive(x):
        return np.where(x > 0, x**2, 0.0)

    positive = ts.rule(
        positive, vjp=lambda out, x: lambda g: np.where(x > 0, 2 * x * g, 0.0), domain=[(ts.Domain(-1, 1)(3),)]
    )

    def f(w):
        return np.sum(positive(w - 1.5) * w)

    result = ts.minimize(f, np.array([1.0, 2.0, 3.0]), estimator=ts.RAD(hold=50), optimizer=ts.SGD(0.3), steps=8, rng=3)
    for step in range(8):
        at = ts.trace(f, result.history.x["w"][step]).elements()
        for i in range(3):
            moved = (result.history.x["w"][step] - result.history.x["w"][step + 1])[i] / 0.3
            assert np.abs(at.path_gradients(f"w[{i}]") - moved).min() <= 1e-9


def test_a_number_behind_a_zero_has_no_mass_and_needs_no_edges():
    X = np.ones((150, 784))
    X[:, 3] = 0.0
    W = np.ones((784, 300))
    e = ts.trace(lambda W: np.sum((X @ W) @ np.ones((300, 100))), W, elements=True)
    mass = e.log_mass("W")
    assert np.all(np.isneginf(mass[3])) and np.all(np.isfinite(np.delete(mass, 3, axis=0)))
    assert e.log_mass("W[3, 0]") == -np.inf and "numbers" not in e.__dict__


def test_a_graph_too_large_shows_what_can_be_told():
    e = ts.trace(lambda A: np.sum(A @ A), np.ones((200, 200)), elements=True)
    assert "paths: A: 400" in str(e) and "<pre" in e._repr_html_() and "400 each" in repr(e)


def test_moments_of_many_numbers_are_those_of_each():
    """One sweep serves them all, by whichever probabilities."""
    e = ts.trace(forty, AT_FORTY).elements()
    for estimator in (ts.RAD(), ts.RAD(by="branch", normalize=True), ts.Magnitude(), ts.SPAD(epsilon=0.2)):
        for number in ("w[0]", "w[5]", "w[12]", "w[33]", "w[39]"):
            listed = e.path_gradients(number)
            if not len(listed):
                assert estimator.expectation(e, number) == 0
                continue
            p = estimator.probabilities(e, number)
            if isinstance(estimator, ts.SPAD) or not estimator.normalize:
                assert estimator.expectation(e, number) == pytest.approx(p @ listed, rel=1e-9, abs=1e-12)
            else:
                assert estimator.expectation(e, number) == pytest.approx(listed.sum(), rel=1e-9, abs=1e-12)


def test_estimators_ask_about_numbers_by_their_name():
    lcg = ts.trace(neighbours, START)
    scalars = ts.trace(neighbours_in_scalars, *START.tolist())
    np.testing.assert_allclose(ts.SPAD(m=2).selection(lcg, "w[1]"), ts.SPAD(m=2).selection(scalars, "w1"))
    assert ts.SPAD.best_epsilon(lcg, "w[1]") == pytest.approx(ts.SPAD.best_epsilon(scalars, "w1"))

    class Curious(ts.Estimator):
        def draw(self, lcg, param, state, rng):
            return lcg.central_difference(param)

    with pytest.raises(ts.errors.BadInput, match="gets an LCG"):
        ts.minimize(neighbours, START, estimator=Curious(), steps=1)
    assert ts.minimize(neighbours, START, estimator=ts.RAD(), steps=1, keep_paths=np.False_).history.paths == {}
    many = ts.minimize(neighbours, np.ones((2, 1001)), estimator=ts.RAD(), steps=1, runs=True)
    assert many.history.paths == {}


def test_a_trace_whose_constants_change_is_numbered_anew():
    """f takes other elements at every step, by the same operations."""
    calls = []

    def f(w):
        calls.append(0)
        return np.sum(w[[len(calls) % 3, 0]] ** 2)

    followed = ts.minimize(
        f,
        np.array([1.0, 2.0, 3.0]),
        estimator=ts.FixedPath(0),
        optimizer=ts.SGD(0.1),
        steps=6,
        callback=lambda *a: None,
    )
    moved = np.diff(followed.history.x["w"], axis=0) != 0
    assert moved[:, 0].all() and moved[:, 1].any() and moved[:, 2].any() and not moved[:, 1].all()


def test_what_floats_cannot_hold_is_compared_by_logarithms():
    def f(w):
        return np.sum(w * 1e200) * 1e-150 * 1e-200 + np.sum(w * 1e-200) * 1e-200

    e = ts.trace(f, np.array([1.0, 2.0]), elements=True)
    assert e.best_path("w").index.tolist() == [0, 0]
    np.testing.assert_allclose(e.log_mass("w"), np.log(1e-150), rtol=1e-9)
    large = ts.trace(lambda w: np.sum(w * 1e200) * 1e200 * 1e-200, np.array([1.0, 2.0]), elements=True)
    np.testing.assert_allclose(large.log_mass("w"), np.log(1e200), rtol=1e-9)
    with np.errstate(all="ignore"):
        wild = ts.trace(lambda w: np.sum(w * np.array([np.nan, 1.0])), np.ones(2), elements=True)
    with pytest.raises(ts.errors.BadInput, match="not numbers"):
        wild.best_path("w")


def test_all_numbers_of_an_array_are_drawn_by_magnitude():
    w = np.array([1.0, 2.0, 3.0])
    some = ts.trace(lambda w: np.sum((w[:-1] * w[1:] - 1) ** 2), w, elements=True)
    paths = some.sample_path("w", 0, by="magnitude")
    np.testing.assert_allclose(paths.probability, [1.0, {0: 2 / 32, 1: 30 / 32}[int(paths.index[1])], 1.0])
    assert paths[1].gradient == paths.gradient[1] and paths.index[0] == 0


def test_a_block_of_numbers_is_drawn_as_one():
    import matplotlib.pyplot as plt

    from tinyspad import plot

    e = ts.trace(net, np.ones((3, 2)), np.ones(3)).elements()
    assert e.block("b[1]") == ("a[1]", "b[1]")
    words = {text.get_text() for text in plot.lcg(e, collapse={"unit 1": e.block("b[1]")}).texts}
    assert "unit 1" in words and "b[1]" not in words and "b[0]" in words
    plt.close("all")
