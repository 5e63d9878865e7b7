"""micrograd's own programs with ts.Value swapped in."""

import random

import numpy as np
import pytest
from programs import more_operations

import tinyspad as ts

engine = pytest.importorskip("micrograd.engine")
nn = pytest.importorskip("micrograd.nn")


def sanity_check(value):
    """micrograd's test/test_engine.py, first program."""
    x = value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    return y.data, x.grad


@pytest.mark.parametrize("program", [sanity_check, more_operations])
def test_its_test_programs_agree(program):
    np.testing.assert_allclose(program(ts.Value), program(engine.Value), rtol=1e-12)


def moons(n=100):
    rng = np.random.default_rng(1)
    angle, label = rng.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle)) + 0.1 * rng.normal(size=n)
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle)) + 0.1 * rng.normal(size=n)
    return np.stack([x, y], axis=1), 2 * label - 1


def training(value, monkeypatch, points=40, steps=4):
    """The training loop of micrograd's demo.ipynb: nn.MLP(2, [16, 16, 1]), hinge loss, L2."""
    monkeypatch.setattr(nn, "Value", value)
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    x, y = moons(points)
    losses = []
    for _ in range(steps):
        inputs = [list(map(value, row)) for row in x]
        scores = list(map(model, inputs))
        hinge = [(1 + -yi * score).relu() for yi, score in zip(y, scores)]
        loss = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    return losses, [p.data for p in model.parameters()]


def test_its_mlp_trains_unchanged(monkeypatch):
    ours, theirs = training(ts.Value, monkeypatch), training(engine.Value, monkeypatch)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-10)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-8)
    assert ours[0][-1] < ours[0][0]


def test_its_mlp_takes_all_points_as_arrays(monkeypatch):
    """The same network, unchanged, on two array inputs: the gradients of the batch in one pass."""
    monkeypatch.setattr(nn, "Value", ts.Value)
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    x, y = moons(40)
    score = model([ts.Value(x[:, 0]), ts.Value(x[:, 1])])
    loss = (1 + -y * score).relu().mean() + 1e-4 * sum(p * p for p in model.parameters())
    loss.backward()
    together = [p.grad for p in model.parameters()]
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    hinge = [(1 + -yi * model(list(map(ts.Value, row)))).relu() for yi, row in zip(y, x)]
    (sum(hinge) * (1 / 40) + 1e-4 * sum(p * p for p in model.parameters())).backward()
    np.testing.assert_allclose(together, [p.grad for p in model.parameters()], rtol=1e-9, atol=1e-14)
