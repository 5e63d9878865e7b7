"""micrograd's moons step: 100 points, its own nn.MLP(2, [16, 16, 1]), hinge loss, L2; the same network code for all.

micrograd and tinyspad with a scalar Value per number, 65 000 operations; tinyspad and PyTorch with the 100 points in two
arrays, 650 operations. A turn is several training steps and ends with a garbage collection, so that each engine pays for
its own garbage: micrograd's graphs are reference cycles that only the collector can free. The other cases switch the
collector off inside the turns.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tinyspad as ts

from .turns import Workload


def workloads(small: bool) -> Iterator[Workload]:
    points, steps = (10, 1) if small else (100, 5)
    for collector in (True, False):
        scalars = {
            "tinyspad, scalars": partial(trainer, tinyspad_values, scalar_loss, points, steps, collector),
            "micrograd": partial(trainer, micrograd_values, scalar_loss, points, steps, collector),
        }
        arrays = {
            "tinyspad, arrays": partial(trainer, tinyspad_values, array_loss, points, steps, collector),
            "PyTorch, arrays": partial(trainer, pytorch_values, array_loss, points, steps, collector),
        }
        cases = {"scalars": scalars, "arrays": arrays | {"micrograd, scalars": scalars["micrograd"]}}
        for case, engines in cases.items():
            yield Workload(
                name="moons",
                case=f"{case}, garbage collector {'on' if collector else 'off'}",
                engines=engines,
                base=f"tinyspad, {case}",
                unit="step",
                units=steps,
                turns=1 if small else 5,
                tolerance=1e-6,  # the steps before are in it, too
            )


def moons(n: int) -> tuple[Any, Any]:
    """Two interleaved half circles with noise, labels -1 and 1."""
    rng = np.random.default_rng(1)
    angle, label = rng.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle)) + 0.1 * rng.normal(size=n)
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle)) + 0.1 * rng.normal(size=n)
    return np.stack([x, y], axis=1), 2 * label - 1


def tinyspad_values() -> tuple[Callable[[Any], Any], Any]:
    """How to make a Value or its like of data, and what stands for no gradient."""
    return ts.Value, 0


def micrograd_values() -> tuple[Callable[[Any], Any], Any]:
    from micrograd.engine import Value

    return Value, 0


def pytorch_values() -> tuple[Callable[[Any], Any], Any]:
    import torch

    return lambda data: torch.tensor(data, dtype=torch.float64, requires_grad=True), None


def scalar_loss(model: Any, value: Any, x: Any, y: Any) -> Any:
    """The loss of micrograd's demo notebook, one Value per number."""
    scores = list(map(model, [list(map(value, row)) for row in x.tolist()]))
    losses = [(1 + -yi * score).relu() for yi, score in zip(y.tolist(), scores)]
    return sum(losses) * (1.0 / len(losses))


def array_loss(model: Any, value: Any, x: Any, y: Any) -> Any:
    """The same loss with all points in two arrays."""
    score = model([value(x[:, 0]), value(x[:, 1])])
    return (1 + constant(-y, score) * score).relu().mean()


def constant(y: Any, like: Any) -> Any:
    return y if isinstance(like, ts.Value) else like.new_tensor(y)


def trainer(
    engine: Callable[[], tuple[Callable[[Any], Any], Any]],
    loss_of: Callable[..., Any],
    points: int,
    steps: int,
    collector: bool,
) -> Callable[[], float]:
    """A function that trains for some steps and returns the last loss."""
    from micrograd import nn

    value, no_gradient = engine()
    x, y = moons(points)
    nn.Value = value
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])

    def train() -> float:
        loss = None
        for _ in range(steps):
            loss = loss_of(model, value, x, y) + 1e-4 * sum(p * p for p in model.parameters())
            for p in model.parameters():
                p.grad = no_gradient
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
        return float(loss.data) if loss is not None else float("nan")

    def call() -> float:
        if not collector:
            gc.disable()
        try:
            return train()
        finally:
            gc.enable()
            if collector:
                gc.collect()

    return call
