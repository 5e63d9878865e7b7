"""A step of Adam over the number of runs; functions with sines; and one run of one start, as in a classroom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyspad as ts

from .programs import adam, by_hand, doubles, middle, with_jax
from .turns import Workload

SIZES = (100, 1000, 10_000, 100_000, 1_000_000)


def sizes(small: bool) -> Iterator[Workload]:
    """Beale's function for a hundred runs to a million: what a run and a step cost."""
    for runs in SIZES[:2] if small else SIZES:
        steps = 4 if small else max(50, min(2000, 10_000_000 // runs))
        xs, ys = np.random.default_rng(0).uniform(-1.0, 1.0, (2, runs))
        yield Workload(
            name="runs",
            case=f"{runs} runs, exact gradient",
            engines={
                "tinyspad, minimize": minimized(ts.functions.beale, xs, ys, steps, every=None),
                "tinyspad, with its history": minimized(ts.functions.beale, xs, ys, steps),
                "tinyspad, RAD": minimized(ts.functions.beale, xs, ys, steps, estimator=ts.RAD(), every=None),
                "NumPy by hand": lambda xs=xs, ys=ys, steps=steps: lambda: by_hand(xs, ys, steps),
                "JAX, jit and scan": lambda xs=xs, ys=ys, steps=steps: with_jax(xs, ys, steps),
            },
            base="tinyspad, minimize",
            unit="run and step",
            units=runs * steps,
            turns=1 if small else 5,
            tolerance=1e-6,
            apart=middle,
        )


def minimized(f: Any, x: Any, y: Any, steps: int, **settings: Any) -> Callable[[], Callable[[], Any]]:
    def call() -> Any:
        end = ts.minimize(f, (x, y), steps=steps, rng=0, **settings).x
        return None if "estimator" in settings else np.stack(end)

    return lambda: call


WAVES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "ackley": lambda xp, x, y: (
        -20 * xp.exp(-0.2 * xp.sqrt(0.5 * (x**2 + y**2)))
        - xp.exp(0.5 * (xp.cos(2 * np.pi * x) + xp.cos(2 * np.pi * y)))
        + np.e
        + 20
    ),
    "levi": lambda xp, x, y: (
        xp.sin(3 * np.pi * x) ** 2
        + (x - 1) ** 2 * (1 + xp.sin(3 * np.pi * y) ** 2)
        + (y - 1) ** 2 * (1 + xp.sin(2 * np.pi * y) ** 2)
    ),
    "schaffer2": lambda xp, x, y: 0.5 + (xp.sin(x**2 - y**2) ** 2 - 0.5) / (1 + 0.001 * (x**2 + y**2)) ** 2,
    "rastrigin": lambda xp, x, y: 20 + x**2 - 10 * xp.cos(2 * np.pi * x) + y**2 - 10 * xp.cos(2 * np.pi * y),
}
"""As in ``ts.functions``, of NumPy's functions or JAX's."""


def waves(small: bool) -> Iterator[Workload]:
    """1000 runs on functions with sines and cosines."""
    steps, runs = (4, 20) if small else (1000, 1000)
    for name, f in WAVES.items():
        xs, ys = np.random.default_rng(0).uniform(-2.0, 2.0, (2, runs))
        yield Workload(
            name="waves",
            case=f"{name}, {runs} runs",
            engines={
                "tinyspad, minimize": minimized(lambda x, y, f=f: f(np, x, y), xs, ys, steps, every=None),
                'tinyspad, trig="numpy"': minimized(
                    lambda x, y, f=f: f(np, x, y), xs, ys, steps, every=None, trig="numpy"
                ),
                "JAX, jit and scan": lambda f=f, xs=xs, ys=ys: with_jax(
                    xs, ys, steps, lambda x, y: f(doubles().numpy, x, y)
                ),
            },
            base="tinyspad, minimize",
            unit="step",
            units=steps,
            turns=1 if small else 5,
            tolerance=1e-4,  # rounding errors add up, and the slopes are steep
            apart=middle,
        )


def single(small: bool) -> Iterator[Workload]:
    """One run of one start."""
    steps = 4 if small else 500
    x, y = 1.0, 1.5

    def with_autograd() -> Callable[[], Any]:
        import autograd

        slopes = autograd.grad(ts.functions.beale, (0, 1))
        return lambda: adam(slopes, x, y, steps)

    yield Workload(
        name="one",
        case="one run, exact gradient",
        engines={
            "tinyspad, minimize": minimized(ts.functions.beale, x, y, steps, every=None),
            "tinyspad, with its history": minimized(ts.functions.beale, x, y, steps),
            "tinyspad, RAD": minimized(ts.functions.beale, x, y, steps, estimator=ts.RAD(), every=None),
            "numbers by hand": lambda: lambda: by_hand(x, y, steps),
            "autograd": with_autograd,
            "JAX, jit and scan": lambda: with_jax(np.float64(x), np.float64(y), steps),
        },
        base="tinyspad, minimize",
        unit="step",
        units=steps,
        turns=1 if small else 7,
        tolerance=1e-6,
    )
