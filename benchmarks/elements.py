"""Paths of numbers: steps of a linear regression in which every weight follows its own path, and sums over all of them.

By hand a path of a weight is an observation, so a uniform one is a random row for each column. The sums are ratios to
the gradient of the network by one reverse sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import tinyspad as ts
from tinyspad.paths import GRADIENT, sweep

from .turns import Workload

LR = 0.1
ESTIMATORS = {
    "GD": ts.GD(),
    "RAD": ts.RAD(normalize=True),
    "SPAD(k_max=5)": ts.SPAD(k_max=5),
    "Magnitude": ts.Magnitude(),
}


def workloads(small: bool) -> Iterator[Workload]:
    for n, d in ((20, 3),) if small else ((20, 5), (200, 50), (1000, 50)):
        yield regression(n, d, steps=3 if small else 200, turns=1 if small else 5)
    for runs in (2,) if small else (20, 200):
        yield many_runs(runs, steps=2 if small else 100, turns=1 if small else 5)
    for sizes in ((5, 3, 2),) if small else ((20, 10, 5), (784, 300, 100, 10)):
        yield network(sizes, images=4 if small else 150, turns=1 if small else 5)


def _data(n: int, d: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    return x, x @ rng.normal(size=d)


def regression(n: int, d: int, steps: int, turns: int) -> Workload:
    x, y = _data(n, d)

    def loss(w: Any) -> Any:
        return np.mean((x @ w - y) ** 2)

    def minimized(f: Any, start: Any, estimator: Any) -> Callable[[], None]:
        def call() -> None:
            ts.minimize(f, start, estimator=estimator, optimizer=ts.SGD(LR), steps=steps, every=None, rng=0)

        return call

    def by_hand() -> None:
        rng, w, columns = np.random.default_rng(0), np.zeros(d), np.arange(d)
        for _ in range(steps):
            residuals, rows = x @ w - y, rng.integers(n, size=d)
            w = w - LR * 2 * residuals[rows] * x[rows, columns]

    engines: dict[str, Callable[[], Callable[[], Any]]] = {
        f"tinyspad, {name}": lambda e=e: minimized(loss, np.zeros(d), e)  # type: ignore[misc]
        for name, e in ESTIMATORS.items()
    }
    engines["RAD, NumPy by hand"] = lambda: by_hand
    if n * d <= 100:
        spelled = ts.of_numbers(loss, np.zeros(d))
        start = tuple(np.zeros(d).tolist())
        engines["tinyspad, RAD, spelled out in numbers"] = lambda: minimized(spelled, start, ESTIMATORS["RAD"])
    return Workload(
        name="elements",
        case=f"linear regression, {n} x {d}",
        engines=engines,
        base="tinyspad, RAD",
        unit="step",
        units=steps,
        turns=turns,
        size=n * d,
    )


def many_runs(runs: int, steps: int, turns: int) -> Workload:
    x, y = _data(200, 50)
    starts = np.random.default_rng(1).normal(size=(runs, 50))

    def loss(w: Any) -> Any:
        return np.mean((x @ w - y) ** 2)

    def together() -> Any:
        return ts.minimize(loss, starts, runs=True, optimizer=ts.SGD(LR), steps=steps, every=None).x

    def by_hand() -> Any:
        w = starts
        for _ in range(steps):
            w = w - LR * 2 / 200 * (w @ x.T - y) @ x
        return w

    return Workload(
        name="elements",
        case=f"{runs} runs of the regression, 200 x 50",
        engines={"tinyspad, GD, runs=True": lambda: together, "NumPy by hand": lambda: by_hand},
        base="tinyspad, GD, runs=True",
        unit="step",
        units=steps,
        turns=turns,
        size=runs,
    )


def network(sizes: tuple[int, ...], images: int, turns: int) -> Workload:
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=shape) / 10 for shape in pairwise(sizes)]
    x = rng.normal(size=(images, sizes[0]))

    def net(*weights: Any) -> Any:
        out = x
        for w in weights[:-1]:
            out = np.maximum(out @ w, 0)
        return np.mean(out @ weights[-1])

    lcg = ts.trace(net, *layers)

    def swept() -> None:
        sweep(lcg.structure, lcg.weight, GRADIENT)

    def walked() -> None:
        elements, rng = type(lcg.elements())(lcg.linearization, lcg.single_access), np.random.default_rng(0)
        for name in lcg.params:
            elements.walk(name, rng).product(elements.at)

    def asked(question: str) -> Callable[[], None]:
        def call() -> None:
            elements = type(lcg.elements())(lcg.linearization, lcg.single_access)  # which remembers nothing
            getattr(elements, question)(lcg.params[0])

        return call

    return Workload(
        name="elements",
        case=f"network {'-'.join(map(str, sizes))}, {images} images",
        engines={
            "tinyspad, gradient": lambda: swept,
            "tinyspad, counts of all paths": lambda: asked("count_paths"),
            "tinyspad, sums of magnitudes": lambda: asked("log_mass"),
            "tinyspad, a random path of every number": lambda: walked,
        },
        base="tinyspad, gradient",
        unit="call",
        units=1,
        turns=turns,
        size=sum(a * b for a, b in pairwise(sizes)) * images,
    )
