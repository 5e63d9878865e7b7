"""Agreement with engines that nobody here wrote: autograd, PyTorch and SymPy, over random programs and the rule table."""

import inspect

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from programs import ELEMENTWISE_RULES, Program

import tinyspad as ts

PROGRAMS = 1000


def close(got, expected):
    """To twelve digits of the larger terms: both engines round, and programs of eight lines cancel a digit or two."""
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11)


def gradients(program, point):
    lcg = ts.trace(program, *point)
    return [lcg.gradient()[name] for name in lcg.params]


# --- autograd -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(10))
def test_a_thousand_programs_agree_with_autograd(part):
    """Shared intermediates, constants, dead code and reused parameters; every other one on a batch of runs."""
    for seed in range(part * PROGRAMS // 10, (part + 1) * PROGRAMS // 10):
        program = Program(seed, params=2 + seed % 2, length=6 + seed % 7)
        point = program.point(seed, (3,) if seed % 2 else ())

        def total(x, program=program):
            return anp.sum(program(*x, xp=anp))

        expected = autograd.grad(total)(tuple(point))
        close(gradients(program, point), [np.broadcast_to(e, np.shape(x)) for e, x in zip(expected, point)])


# --- PyTorch --------------------------------------------------------------------------------------------------------


class Torch:
    """NumPy's names for PyTorch's functions, on float64."""

    def __init__(self, torch):
        self.torch = torch

    def __getattr__(self, name):
        return getattr(self.torch, {"abs": "abs", "power": "pow", "arctan2": "atan2"}.get(name, name))


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("part", range(10))
def test_a_thousand_programs_agree_with_pytorch(torch, part):
    xp = Torch(torch)
    for seed in range(part * PROGRAMS // 10, (part + 1) * PROGRAMS // 10):
        program = Program(seed, params=2 + seed % 2, length=6 + seed % 7)
        point = program.point(seed, (3,) if seed % 2 else ())
        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
        out = program(*leaves, xp=xp).sum()
        if out.requires_grad:
            out.backward()
        expected = [np.zeros(np.shape(x)) if leaf.grad is None else leaf.grad.numpy() for x, leaf in zip(point, leaves)]
        close(gradients(program, point), expected)


@pytest.mark.parametrize("rule", ELEMENTWISE_RULES, ids=lambda rule: rule.name)
def test_elementwise_rules_agree_with_pytorch(torch, rule):
    function = getattr(Torch(torch), rule.name, None)
    domains = rule.domain if isinstance(rule.domain, tuple) else (rule.domain,)
    if function is None or not all(hasattr(d, "sample") for d in domains):
        pytest.skip("PyTorch has no function of this name and kind")
    rng = np.random.default_rng(0)
    point = [d(5).sample(rng) for d in domains]
    leaves = [torch.tensor(x, requires_grad=True) for x in point]
    try:
        out = function(*leaves)
    except TypeError:
        pytest.skip("PyTorch's function takes other arguments")
    if not out.requires_grad:
        pytest.skip("PyTorch gives no gradient")
    try:
        out.sum().backward()
    except RuntimeError as problem:
        pytest.skip(str(problem))  # not implemented there
    names = [f"x{i}" for i in range(len(point))]
    lcg = ts.trace(eval(f"lambda {', '.join(names)}: f({', '.join(names)})", {"f": rule.function}), *point)
    np.testing.assert_allclose(lcg.value, out.detach().numpy(), rtol=1e-12, atol=1e-12)
    for name, leaf in zip(names, leaves):
        close(lcg.gradient()[name], 0.0 if leaf.grad is None else leaf.grad.numpy())


def einsum(a, b):
    return np.sum(np.einsum("ij,kj->ik", a, b) ** 2)


@pytest.mark.parametrize(
    "name, ours, theirs, shapes",
    [
        ("matmul", lambda a, b: np.sum(np.tanh(a @ b)), lambda t, a, b: t.tanh(a @ b).sum(), [(3, 4), (4, 2)]),
        (
            "batched matmul",
            lambda a, b: np.sum((a @ b) ** 2),
            lambda t, a, b: ((a @ b) ** 2).sum(),
            [(2, 3, 4), (4, 2)],
        ),
        ("einsum", einsum, lambda t, a, b: (t.einsum("ij,kj->ik", a, b) ** 2).sum(), [(3, 4), (2, 4)]),
        (
            "solve",
            lambda a, b: np.sum(np.linalg.solve(a, b)),
            lambda t, a, b: t.linalg.solve(a, b).sum(),
            [(3, 3), (3, 2)],
        ),
        ("mean and var", lambda a: np.mean(a) * np.var(a), lambda t, a: a.mean() * a.var(correction=0), [(4, 3)]),
        ("cumsum", lambda a: np.sum(np.cumsum(a, axis=1) ** 2), lambda t, a: (t.cumsum(a, 1) ** 2).sum(), [(3, 4)]),
        ("index", lambda a: np.sum(a[1:, ::2] * a[0, 0]), lambda t, a: (a[1:, ::2] * a[0, 0]).sum(), [(3, 4)]),
        ("broadcast", lambda a, b: np.sum(np.exp(a) * b), lambda t, a, b: (t.exp(a) * b).sum(), [(3, 1), (1, 4)]),
        ("norm", lambda a: np.linalg.norm(a) ** 3, lambda t, a: t.linalg.norm(a) ** 3, [(3, 4)]),
        ("det", lambda a: np.linalg.det(a), lambda t, a: t.linalg.det(a), [(3, 3)]),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_linear_maps_agree_with_pytorch(torch, name, ours, theirs, shapes):
    rng = np.random.default_rng(1)
    point = [rng.normal(size=shape) for shape in shapes]
    leaves = [torch.tensor(x, requires_grad=True) for x in point]
    theirs(torch, *leaves).backward()
    lcg = ts.trace(ours, *point)
    for param, leaf in zip(lcg.params, leaves):
        close(lcg.gradient()[param], leaf.grad.numpy())


# --- SymPy: the terms themselves ------------------------------------------------------------------------------------


class Reads:
    """A parameter that is another symbol each time it is read: single access by construction."""

    def __init__(self, sympy, name):
        self.sympy, self.name, self.symbols = sympy, name, []

    def read(self):
        self.symbols.append(self.sympy.Symbol(f"{self.name}{len(self.symbols) + 1}"))
        return self.symbols[-1]

    def __pow__(self, n):
        return self.read() ** n

    def __add__(self, other):
        return self.read() + read(other)

    def __sub__(self, other):
        return self.read() - read(other)

    def __mul__(self, other):
        return self.read() * read(other)

    def __radd__(self, other):
        return other + self.read()

    def __rsub__(self, other):
        return other - self.read()

    def __rmul__(self, other):
        return other * self.read()

    def __neg__(self):
        return -self.read()


def read(x):
    return x.read() if isinstance(x, Reads) else x


def f1(x, xp):
    return x**2 * (2 + xp.cos(4 * x))


def f2(x, y, xp):
    return xp.exp(read(x)) * (x + y)


def beale(x, y, xp):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def levi(x, y, xp):
    across = (x - 1) ** 2 * (1 + xp.sin(3 * np.pi * y) ** 2)
    return xp.sin(3 * np.pi * x) ** 2 + across + (y - 1) ** 2 * (1 + xp.sin(2 * np.pi * y) ** 2)


def booth(x, y, xp):
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


def camel(x, y, xp):
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@pytest.mark.parametrize("f", [f1, f2, beale, levi, booth, camel], ids=lambda f: f.__name__)
def test_path_gradients_are_sympys_terms(f):
    """d f / d x_i, x_i the i-th read of x, then set to x: a term for every path, as no intermediate is tupled."""
    sympy = pytest.importorskip("sympy")
    names = list(inspect.signature(f).parameters)[:-1]
    readers = [Reads(sympy, name) for name in names]
    symbolic = f(*readers, xp=sympy)
    point = [0.7, -1.3][: len(names)]
    at = {s: x for reader, x in zip(readers, point) for s in reader.symbols}
    lcg = ts.trace(lambda *args: f(*args, xp=np), *point)
    assert not [name for name in lcg.tupling_nodes if name not in lcg.params]
    for param, reader in zip(lcg.params, readers):
        expected = [float(symbolic.diff(s).subs(at)) for s in reader.symbols]
        np.testing.assert_allclose(lcg.path_gradients(param), expected, rtol=1e-11)
