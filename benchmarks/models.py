"""Models as people write them: a logistic regression over arrays, and 50 Euler steps of Lotka and Volterra's equations.

The regression has a practised user's gradient by hand and autograd's as peers, in one loop of plain gradient descent. The
equations have 5.6e29 paths for each of four parameters, and no peer but the exact gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyspad as ts

from .turns import Workload

LR = 0.1
ESTIMATORS = {
    "GD": ts.GD(),
    "RAD": ts.RAD(),
    "SPAD(k_max=5)": ts.SPAD(k_max=5),
    "Magnitude": ts.Magnitude(),
}
START = (1.1, 0.4, 0.4, 0.1)


def lotka_volterra(a: Any, b: Any, c: Any, d: Any) -> Any:
    """How far prey and predators get from 1, in 50 Euler steps."""
    x, y, total = 1.0, 0.5, 0.0
    for _ in range(50):
        x, y = x + 0.05 * (a * x - b * x * y), y + 0.05 * (d * x * y - c * y)
        total = total + (x - 1.0) ** 2 + (y - 1.0) ** 2
    return total


def workloads(small: bool) -> Iterator[Workload]:
    for n, p in ((20, 3),) if small else ((50, 5), (500, 50), (5000, 100)):
        yield regression(n, p, steps=5 if small else 400, turns=1 if small else 5)
    for runs in (1, 5) if small else (1, 10, 100, 1000):
        yield equations(runs, steps=2 if small else 2000 if runs == 1 else 100, turns=1 if small else 3)


def regression(n: int, p: int, steps: int, turns: int) -> Workload:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, p))
    y = np.sign(x @ rng.normal(size=p) + 0.1 * rng.normal(size=n))

    def loss(w: Any) -> Any:
        return np.mean(np.log1p(np.exp(-y * (x @ w))))

    def descended(gradient: Callable[[Any], Any]) -> Any:
        w = np.zeros(p)
        for _ in range(steps):
            w = w - LR * gradient(w)
        return w

    def by_hand(w: Any) -> Any:
        odds = np.exp(-y * (x @ w))
        return (-y * odds / (1 + odds)) @ x / n

    def by_autograd() -> Callable[[], Any]:
        import autograd
        import autograd.numpy as anp

        gradient = autograd.grad(lambda w: anp.mean(anp.log1p(anp.exp(-y * anp.dot(x, w)))))
        return lambda: descended(gradient)

    def ours(**settings: Any) -> Callable[[], Any]:
        def call() -> Any:
            return ts.minimize(loss, np.zeros(p), optimizer=ts.SGD(lr=LR), steps=steps, every=None, **settings).x

        return call

    return Workload(
        name="models",
        case=f"logistic regression, {n} x {p}",
        engines={
            "tinyspad, minimize": lambda: ours(),
            "tinyspad, traced at every step": lambda: ours(callback=lambda step, x, value: None),
            "autograd": by_autograd,
            "NumPy by hand": lambda: lambda: descended(by_hand),
        },
        base="tinyspad, minimize",
        unit="step",
        units=steps,
        turns=turns,
        size=n * p,
    )


def equations(runs: int, steps: int, turns: int) -> Workload:
    rng = np.random.default_rng(0)
    start: Any = START if runs == 1 else tuple(v * rng.uniform(0.8, 1.2, runs) for v in START)

    def minimized(estimator: Any) -> Callable[[], Any]:
        def call() -> None:
            ts.minimize(lotka_volterra, start, estimator=estimator, steps=steps, rng=0, every=None)

        return call

    return Workload(
        name="models",
        case=f"Lotka-Volterra, {runs} run{'s' * (runs > 1)}",
        engines={f"tinyspad, {name}": lambda e=e: minimized(e) for name, e in ESTIMATORS.items()},  # type: ignore[misc]
        base="tinyspad, GD",
        unit="step",
        units=steps,
        turns=turns,
        size=runs,
    )
