"""micrograd's moons step on micrograd's Value and on ours: 100 points, its own nn.MLP(2, [16, 16, 1]), hinge loss, L2.

    python -m benchmarks.moons [--small]

Three engines take turns: micrograd; tinyspad with a scalar Value per number, the same 65 000 operations; and tinyspad
with the 100 points in two array Values, the same network code, 650 operations. A turn is several training steps and
ends with a garbage collection, so that each engine pays for its own garbage: micrograd's graphs are reference cycles
that only the collector can free. The second table switches the collector off inside the turns. Ratios are of medians
over the turns.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyspad as ts


def moons(n: int) -> tuple[Any, Any]:
    """Two interleaved half circles with noise, labels -1 and 1."""
    rng = np.random.default_rng(1)
    angle, label = rng.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle)) + 0.1 * rng.normal(size=n)
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle)) + 0.1 * rng.normal(size=n)
    return np.stack([x, y], axis=1), 2 * label - 1


def scalar_loss(model: Any, value: Any, x: Any, y: Any) -> Any:
    """The loss of micrograd's demo notebook, one Value per number."""
    scores = list(map(model, [list(map(value, row)) for row in x.tolist()]))
    losses = [(1 + -yi * score).relu() for yi, score in zip(y.tolist(), scores)]
    return sum(losses) * (1.0 / len(losses))


def array_loss(model: Any, value: Any, x: Any, y: Any) -> Any:
    """The same loss with all points in two arrays."""
    score = model([value(x[:, 0]), value(x[:, 1])])
    return (1 + -y * score).relu().mean()


def trainer(nn: Any, value: Any, loss_of: Callable[..., Any], points: int) -> Callable[[int], float]:
    """A function that trains for some steps and returns the last loss."""
    x, y = moons(points)
    nn.Value = value
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])

    def train(steps: int) -> float:
        loss = None
        for _ in range(steps):
            loss = loss_of(model, value, x, y) + 1e-4 * sum(p * p for p in model.parameters())
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
        return float(loss.data) if loss is not None else float("nan")

    return train


def measure(points: int, steps: int, turns: int, collector: bool) -> dict[str, list[float]]:
    """Seconds per step of each engine, turn by turn; the losses must agree."""
    from micrograd import engine, nn

    engines = {
        "micrograd": trainer(nn, engine.Value, scalar_loss, points),
        "tinyspad, scalars": trainer(nn, ts.Value, scalar_loss, points),
        "tinyspad, arrays": trainer(nn, ts.Value, array_loss, points),
    }
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(turns + 1):  # the first turn warms up
        losses = []
        for name, train in engines.items():
            gc.collect()
            if not collector:
                gc.disable()
            start = time.perf_counter()
            losses.append(train(steps))
            if collector:
                gc.collect()
            seconds[name].append((time.perf_counter() - start) / steps)
            gc.enable()
        if not np.allclose(losses, losses[0], rtol=1e-6):
            raise SystemExit(f"The engines disagree: {losses}")
    return {name: times[1:] for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true", help="a few points and steps, to see that it runs")
    small = parser.parse_args().small
    points, steps, turns = (10, 1, 1) if small else (100, 5, 5)
    for collector in (True, False):
        seconds = measure(points, steps, turns, collector)
        base = statistics.median(seconds["micrograd"])
        print(f"garbage collector {'on' if collector else 'off'}: {points} points, {turns} turns of {steps} steps")
        for name, times in seconds.items():
            middle = statistics.median(times)
            spread = f"{1e3 * min(times):.1f} to {1e3 * max(times):.1f}"
            print(f"  {name:18} {1e3 * middle:8.1f} ms a step ({spread}), micrograd / it = {base / middle:6.1f}")


if __name__ == "__main__":
    main()
