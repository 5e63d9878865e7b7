"""Generated programs against autograd, tracing, and a NumPy loop written by hand.

    python -m benchmarks.programs [--small]

Two workloads, each engine in turns, medians over the turns and ratios of them:

- the gradient of f1 at one number: autograd, tinyspad traced, tinyspad compiled;
- 1000 starts of Beale's function, 2000 steps of Adam: the plainly written loop, autograd and eager PyTorch (each left out
  where it is not installed), and ``minimize`` with several estimators, which run on the compiled program.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyspad as ts

f1, beale = ts.functions.f1, ts.functions.beale
ESTIMATORS = {
    "GD": ts.GD(),
    "RAD": ts.RAD(),
    "RAD(hold=50)": ts.RAD(hold=50),
    "SPAD(k_max=5)": ts.SPAD(k_max=5),
    "SPAD(k_max=50)": ts.SPAD(k_max=50),
}


def by_hand(x: Any, y: Any, steps: int, lr: float = 0.01, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Any:
    """Adam on Beale's function as one would write it in NumPy: expressions, no buffers."""
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


def with_autograd(xs: Any, ys: Any, steps: int) -> Callable[[], Any]:
    import autograd

    slopes = autograd.elementwise_grad(beale, (0, 1))
    return lambda: adam(slopes, xs, ys, steps)


def with_pytorch(xs: Any, ys: Any, steps: int) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)

    def run() -> Any:
        x, y = (torch.tensor(p, requires_grad=True) for p in (xs, ys))
        optimizer = torch.optim.Adam([x, y], lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            beale(x, y).sum().backward()
            optimizer.step()
        return x.detach().numpy(), y.detach().numpy()

    return run


def in_turns(engines: dict[str, Callable[[], Any]], turns: int) -> dict[str, float]:
    """The median time of each, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(turns):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def report(title: str, medians: dict[str, float], base: str, unit: float, scale: str) -> None:
    print(f"\n{title}")
    for name, t in medians.items():
        print(f"  {name:24s}{t * unit:10.3f} {scale}   {t / medians[base]:6.3f} times {base}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="few repetitions, for the tests")
    small = parser.parse_args().small
    repeats, turns, steps = (3, 1, 20) if small else (2000, 7, 2000)

    program = ts.compile(f1)
    gradients: dict[str, Callable[[], Any]] = {}
    try:
        import autograd
        import autograd.numpy as anp

        slope = autograd.grad(lambda x: x**2 * (2 + anp.cos(4 * x)))
        gradients["autograd"] = lambda: [slope(5.0) for _ in range(repeats)]
    except ImportError:
        print("autograd is not installed: left out")
    gradients["traced"] = lambda: [ts.trace(f1, 5.0).gradient() for _ in range(repeats)]
    gradients["compiled"] = lambda: [program.gradient(5.0) for _ in range(repeats)]
    base = next(iter(gradients))
    report("f1, gradient at a number", in_turns(gradients, turns), base, 1e6 / repeats, "us")

    xs, ys = np.random.default_rng(0).uniform(-4.5, 4.5, (2, 1000))

    def run(estimator: Any) -> Callable[[], Any]:
        return lambda: ts.minimize(beale, (xs, ys), estimator=estimator, steps=steps, rng=0, every=None)

    engines: dict[str, Callable[[], Any]] = {"by hand": lambda: by_hand(xs, ys, steps)}
    for name, make in (("autograd", with_autograd), ("eager PyTorch", with_pytorch)):
        try:
            engines[name] = make(xs, ys, steps)
        except ImportError:
            print(f"{name} is not installed: left out")
            continue
        apart = np.median(np.abs(np.subtract(engines[name](), engines["by hand"]())))
        print(f"{name} and the loop by hand end {apart:.0e} apart (median)")
    engines |= {name: run(estimator) for name, estimator in ESTIMATORS.items()}
    medians = in_turns(engines, 1 if small else 5)
    report(f"Beale, 1000 starts, {steps} steps", medians, "by hand", 1.0, "s")
    for name in ("autograd", "eager PyTorch"):
        if name in medians:
            print(f"  {name} takes {medians[name] / medians['GD']:.1f} times as long as tinyspad's GD")
    print("  against tinyspad's own GD: " + ", ".join(f"{n} {medians[n] / medians['GD']:.2f}" for n in ESTIMATORS))


if __name__ == "__main__":
    main()
