"""The gradient of f1 at a number, and 1000 starts of Beale's function under Adam, by every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyspad as ts

from .turns import Workload

f1, beale = ts.functions.f1, ts.functions.beale
BY_PARAMETER, BY_PATH = ts.Adam(), ts.Adam(moments="path")
ESTIMATORS = {
    "RAD": (ts.RAD(), BY_PARAMETER),
    "RAD, moments by path": (ts.RAD(), BY_PATH),
    "RAD(hold=50)": (ts.RAD(hold=50), BY_PARAMETER),
    "SPAD(k_max=5)": (ts.SPAD(k_max=5), BY_PARAMETER),
    "SPAD(k_max=50)": (ts.SPAD(k_max=50), BY_PARAMETER),
    "SPAD(k_max=50), moments by path": (ts.SPAD(k_max=50), BY_PATH),
    "Magnitude": (ts.Magnitude(), BY_PARAMETER),
}


def gradients(small: bool) -> Iterator[Workload]:
    """f1's gradient: what it costs where the function is recorded every time, and where it was compiled once."""
    n = 3 if small else 300
    settings: dict[str, Any] = {"unit": "gradient", "units": n, "turns": 1 if small else 7}
    settings["seconds"] = 0.0 if small else 0.3
    yield Workload(
        name="f1",
        case="traced",
        engines={
            "tinyspad, trace": lambda: repeated(lambda: ts.trace(f1, 5.0).gradient()["x"], n),
            "tinyspad, Value": lambda: repeated(f1_by_value, n),
            "autograd": lambda: repeated(f1_by_autograd(), n),
            "PyTorch, eager": lambda: repeated(f1_by_pytorch(), n),
            "JAX, eager": lambda: repeated(f1_by_jax(False), n),
        },
        base="tinyspad, trace",
        **settings,
    )
    yield Workload(
        name="f1",
        case="compiled",
        engines={
            "tinyspad, compiled": f1_compiled(n),
            "JAX, jit": lambda: repeated(f1_by_jax(True), n),
        },
        base="tinyspad, compiled",
        **settings,
    )


def repeated(gradient: Callable[[], Any], n: int) -> Callable[[], float]:
    def call() -> float:
        for _ in range(n - 1):
            gradient()
        return float(gradient())

    return call


def f1_by_value() -> float:
    x = ts.Value(5.0)
    f1(x).backward()
    return x.grad


def f1_compiled(n: int) -> Callable[[], Callable[[], float]]:
    """The first call compiles, as that of JAX does."""

    def make() -> Callable[[], float]:
        programs: list[Any] = []

        def gradient() -> float:
            if not programs:
                programs.append(ts.compile(f1))
            return programs[0].gradient(5.0)["x"]

        return repeated(gradient, n)

    return make


def f1_by_autograd() -> Callable[[], Any]:
    import autograd
    import autograd.numpy as anp

    slope = autograd.grad(lambda x: x**2 * (2 + anp.cos(4 * x)))
    return lambda: slope(5.0)


def f1_by_pytorch() -> Callable[[], Any]:
    import torch

    def gradient() -> Any:
        x = torch.tensor(5.0, dtype=torch.float64, requires_grad=True)
        (x**2 * (2 + torch.cos(4 * x))).backward()
        return x.grad

    return gradient


def f1_by_jax(jit: bool) -> Callable[[], Any]:
    jax = doubles()
    slope = jax.grad(lambda x: x**2 * (2 + jax.numpy.cos(4 * x)))
    slope = jax.jit(slope) if jit else slope
    return lambda: slope(5.0).block_until_ready()


def doubles() -> Any:
    """JAX, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def runs(small: bool) -> Iterator[Workload]:
    """1000 starts of Beale's function, a step of Adam; then the estimators, which have no peer but the exact gradient."""
    steps, starts = (20, 20) if small else (2000, 1000)
    xs, ys = np.random.default_rng(0).uniform(-4.5, 4.5, (2, starts))

    def minimized(estimator: Any, optimizer: Any, exact: bool = False) -> Callable[[], Callable[[], Any]]:
        settings = {"estimator": estimator, "optimizer": optimizer, "steps": steps, "rng": 0, "every": None}

        def call() -> Any:
            end = ts.minimize(beale, (xs, ys), **settings).x
            return np.stack(end) if exact else None  # random ends agree with no others

        return lambda: call

    common: dict[str, Any] = {
        "base": "tinyspad, minimize",
        "unit": "step",
        "units": steps,
        "turns": 1 if small else 5,
        "tolerance": 1e-6,  # of 2000 steps: rounding errors add up
        "apart": middle,
    }
    yield Workload(
        name="beale",
        case=f"{starts} runs, exact gradient",
        engines={
            "tinyspad, minimize": minimized(ts.GD(), BY_PARAMETER, exact=True),
            "tinyspad, compiled, loop in NumPy": lambda: with_compiled(xs, ys, steps),
            "NumPy by hand": lambda: lambda: by_hand(xs, ys, steps),
            "NumPy by hand, with **": lambda: lambda: with_powers(xs, ys, steps),
            "autograd": lambda: with_autograd(xs, ys, steps),
            "PyTorch, eager": lambda: with_pytorch(xs, ys, steps),
            "JAX, jit and scan": lambda: with_jax(xs, ys, steps),
        },
        **common,
    )
    yield Workload(
        name="beale",
        case=f"{starts} runs, estimators",
        engines={"tinyspad, minimize": minimized(ts.GD(), BY_PARAMETER)}
        | {f"tinyspad, {name}": minimized(*how) for name, how in ESTIMATORS.items()},
        **common,
    )


def middle(a: Any, b: Any) -> float:
    """The median difference: a few runs pass by saddles, where rounding decides which way they go."""
    return float(np.median(np.abs(np.subtract(a, b))))


def by_hand(x: Any, y: Any, steps: int, lr: float = 0.01, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Adam on Beale's function as one who knows NumPy writes it: expressions, and products for powers, which are slow."""
    mx = vx = my = vy = 0.0
    for t in range(1, steps + 1):
        y2 = y * y
        y3 = y2 * y
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y2, 2.625 - x + x * y3
        gx = 2 * (a * (y - 1) + b * (y2 - 1) + c * (y3 - 1))
        gy = 2 * x * (a + 2 * b * y + 3 * c * y2)
        mx, vx = b1 * mx + (1 - b1) * gx, b2 * vx + (1 - b2) * (gx * gx)
        my, vy = b1 * my + (1 - b1) * gy, b2 * vy + (1 - b2) * (gy * gy)
        x = x - lr * (mx / (1 - b1**t)) / (np.sqrt(vx / (1 - b2**t)) + eps)
        y = y - lr * (my / (1 - b1**t)) / (np.sqrt(vy / (1 - b2**t)) + eps)
    return x, y


def with_powers(
    x: Any, y: Any, steps: int, lr: float = 0.01, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> Any:
    """The same as one writes it down first, with ``**``."""
    mx = vx = my = vy = 0.0
    for t in range(1, steps + 1):
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
        gx = 2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1)
        gy = 2 * a * x + 4 * b * x * y + 6 * c * x * y**2
        mx, vx = b1 * mx + (1 - b1) * gx, b2 * vx + (1 - b2) * gx**2
        my, vy = b1 * my + (1 - b1) * gy, b2 * vy + (1 - b2) * gy**2
        x = x - lr * (mx / (1 - b1**t)) / (np.sqrt(vx / (1 - b2**t)) + eps)
        y = y - lr * (my / (1 - b1**t)) / (np.sqrt(vy / (1 - b2**t)) + eps)
    return x, y


def adam(slopes: Callable[..., Any], x: Any, y: Any, steps: int) -> Any:
    """The same loop with the gradient by someone else."""
    b1, b2, m, v = 0.9, 0.999, [0.0, 0.0], [0.0, 0.0]
    p = [x, y]
    for t in range(1, steps + 1):
        for i, g in enumerate(slopes(*p)):
            m[i], v[i] = b1 * m[i] + (1 - b1) * g, b2 * v[i] + (1 - b2) * g**2
            p[i] = p[i] - 0.01 * (m[i] / (1 - b1**t)) / (np.sqrt(v[i] / (1 - b2**t)) + 1e-8)
    return p


def with_compiled(xs: Any, ys: Any, steps: int) -> Callable[[], Any]:
    program = ts.compile(beale)
    return lambda: adam(lambda x, y: program.gradient(x, y).values(), xs, ys, steps)


def with_autograd(xs: Any, ys: Any, steps: int) -> Callable[[], Any]:
    import autograd

    slopes = autograd.elementwise_grad(beale, (0, 1))
    return lambda: adam(slopes, xs, ys, steps)


def with_pytorch(xs: Any, ys: Any, steps: int) -> Callable[[], Any]:
    import torch

    def call() -> Any:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # 1000 numbers are too few to share
        x, y = (torch.tensor(p, requires_grad=True) for p in (xs, ys))
        optimizer = torch.optim.Adam([x, y], lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            beale(x, y).sum().backward()
            optimizer.step()
        torch.set_num_threads(threads)
        return x.detach().numpy(), y.detach().numpy()

    return call


def with_jax(xs: Any, ys: Any, steps: int, f: Callable[[Any, Any], Any] = beale) -> Callable[[], Any]:
    jax = doubles()
    slopes = jax.grad(lambda x, y: f(x, y).sum(), (0, 1))

    def step(state: Any, t: Any) -> Any:
        p, m, v = state
        g = slopes(*p)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b**2 for a, b in zip(v, g)]
        moves = [(a / (1 - 0.9**t)) / (jax.numpy.sqrt(b / (1 - 0.999**t)) + 1e-8) for a, b in zip(m, v)]
        return ([x - 0.01 * move for x, move in zip(p, moves)], m, v), None

    @jax.jit
    def loop(x: Any, y: Any) -> Any:
        zero = [jax.numpy.zeros(x.shape)] * 2
        return jax.lax.scan(step, ([x, y], zero, zero), jax.numpy.arange(1.0, steps + 1))[0][0]

    return lambda: [np.asarray(p) for p in loop(xs, ys)]
