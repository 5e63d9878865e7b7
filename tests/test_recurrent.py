"""The recurrent layer against PyTorch's, its memory against RAD's Table 1, and its estimates by brute force."""

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import nn
from tinyspad.errors import BadInput

TABLE = {1.0: 47.93, 0.8: 39.98, 0.5: 25.85, 0.3: 16.43, 0.1: 7.01, 0.05: 4.66}
"""MB, of the IRNN: hidden 100, 784 steps, batches of 150 (Oktay et al. 2020, Table 1)."""


def net_of(inputs=2, hidden=5, dtype=np.float64):
    layer = nn.Recurrent(inputs, hidden, rng=0, dtype=dtype)
    rng = np.random.default_rng(4)
    for name, value in layer.params.items():  # away from the start, at which many derivatives are zero
        layer.own(name, value.data + rng.normal(0, 0.3, value.shape))
    return nn.Sequential(layer, nn.Linear(hidden, 3, rng=1, dtype=dtype))


def batch(steps=7, inputs=2, n=6):
    rng = np.random.default_rng(3)
    return rng.normal(size=(n, steps, inputs)), rng.integers(0, 3, n)


def test_it_is_pytorchs_recurrent_layer():
    torch = pytest.importorskip("torch")
    net, (x, y) = net_of(), batch()
    rnn = torch.nn.RNN(2, 5, nonlinearity="relu", batch_first=True, dtype=torch.float64)
    names = {"weight_ih_l0": "inputs.weight", "weight_hh_l0": "hidden.weight"}
    names |= {"bias_ih_l0": "inputs.bias", "bias_hh_l0": "hidden.bias"}
    with torch.no_grad():
        for theirs, ours in names.items():
            getattr(rnn, theirs).copy_(torch.tensor(net.params[f"0.{ours}"].data.T.copy()))
    last = [torch.tensor(net.params[f"1.{name}"].data.copy()) for name in ("weight", "bias")]
    outs, _ = rnn(torch.tensor(x))
    loss = torch.nn.functional.cross_entropy(outs[:, -1] @ last[0] + last[1], torch.tensor(y))
    loss.backward()
    step = nn.gradients(net, x, y)
    assert step.loss == pytest.approx(float(loss.detach()), rel=1e-12)
    for theirs, ours in names.items():
        expected = getattr(rnn, theirs).grad.numpy().T
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(step.gradients[f"0.{ours}"], expected, rtol=1e-9, atol=1e-12)
    value = ts.Value(x)
    nn.cross_entropy(net(value), y).backward()
    rows = torch.tensor(x, requires_grad=True)
    torch.nn.functional.cross_entropy(rnn(rows)[0][:, -1] @ last[0] + last[1], torch.tensor(y)).backward()
    np.testing.assert_allclose(value.grad, rows.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["same", "different", "projection"])
def test_every_step_follows_a_set_of_its_own(kind):
    """The gradient of the recurrent weight is the sum over steps of (h P P^T)^T g, with the exact g of every step."""
    net, (x, y) = net_of(), batch()
    way = nn.Way(kind, 0.4, seed=5)
    value = {name: np.array(p.data) for name, p in net.params.items()}
    states = [np.zeros((6, 5))]
    for t in range(7):
        z = states[-1] @ value["0.hidden.weight"] + value["0.hidden.bias"]
        states.append(np.maximum(z + x[:, t] @ value["0.inputs.weight"] + value["0.inputs.bias"], 0))
    logits = states[-1] @ value["1.weight"] + value["1.bias"]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p[np.arange(6), y] -= 1
    g, hidden, inputs, sets = p / 6 @ value["1.weight"].T, 0, 0, set()
    for t in reversed(range(7)):
        g = g * (states[t + 1] > 0)
        here = way.at(0).at(t)
        followed = [here.at(0).inputs(states[t]), here.at(1).inputs(x[:, t])]
        restored = [f.restore(f.keep(h)) for f, h in zip(followed, (states[t], x[:, t]))]
        hidden, inputs = hidden + restored[0].T @ g, inputs + restored[1].T @ g
        sets.add(np.asarray(followed[0].keep(np.arange(5.0) * np.ones((6, 1)))).tobytes())
        g = g @ value["0.hidden.weight"].T
    found = nn.gradients(net, x, y, way).gradients
    np.testing.assert_allclose(np.asarray(found["0.hidden.weight"]), hidden, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.asarray(found["0.inputs.weight"]), inputs, rtol=1e-9, atol=1e-12)
    assert len(sets) > 1


@pytest.mark.parametrize("keep", TABLE)
def test_memory_is_that_of_rads_table(keep):
    net, rng = nn.small_irnn(rng=0), np.random.default_rng(0)
    counted = nn.counted_memory(net, 150, keep, shape=(784,))["total"] / 1e6
    # at every keep the table has 784 x 100 numbers more than the formula that its other rows follow
    assert TABLE[keep] - counted == pytest.approx(0.31, abs=0.006)
    weights = sum(value.size for value in net.params.values()) * 4 / 1e6
    x, y = rng.random((150, 784), np.float32), rng.integers(0, 10, 150)
    x.flags.writeable = False
    held = nn.gradients(net, x, y, nn.Way("same", keep) if keep < 1 else nn.ALL, count=True).held
    measured = weights + sum(held.values()) / 1e6
    bits = 784 * 150 * 100 / 8 / 1e6 if keep == 1 else 0  # a ReLU keeps bits here even where its output is kept, too
    places = 784 * 8 * 100 * keep / 1e6 if keep < 1 else 0  # where the followed ones are
    assert measured - bits - places == pytest.approx(counted, rel=0.01)
    assert held["1"] > 0.98 * sum(held.values())


def test_it_starts_as_le_jaitly_and_hinton_say_and_learns():
    net = nn.small_irnn(rng=0)
    hidden = net.params["1.hidden.weight"].data
    np.testing.assert_array_equal(hidden, np.eye(100, dtype=np.float32))
    assert 0.0005 < net.params["1.inputs.weight"].data.std() < 0.0015 and not np.any(net.params["2.bias"].data)
    rng = np.random.default_rng(0)
    x, y = rng.random((300, 12), np.float32), rng.integers(0, 2, 300)
    x[y == 1, :6] += 1.0  # the first steps tell, and have to be remembered
    data = nn.Dataset("steps", x, y, x, y)

    def small():
        return nn.Sequential(nn.Recurrent(1, 20, rng=0), nn.Linear(20, 2, rng=0))

    for paths in (nn.AllPaths(), nn.RandomPaths(0.5), nn.SelectivePaths(0.5, m=3)):
        run = nn.fit(
            small(),
            data,
            paths=paths,
            optimizer=ts.Adam(lr=0.01),
            iterations=60,
            every=60,
            batch_size=50,
            rng=0,
        )
        assert run.train_accuracy[-1] > 0.9
    held = nn.SelectivePaths(0.5, m=3).draw(small(), x, y, ((), 0), np.random.default_rng(0)).way
    assert list(held.seeds) == [(0,), (1,)]


def test_sequences_of_another_form_are_told():
    with pytest.raises(BadInput, match=r"Recurrent\(2, 5\) takes sequences \(steps, 2\) of an example, not \(7, 3\)"):
        net_of()(np.zeros((6, 7, 3)))
    with pytest.raises(BadInput, match="takes sequences"):
        net_of()(np.zeros((6, 7)))
    with pytest.raises(BadInput, match="hidden is a whole number"):
        nn.Recurrent(1, 0)
    with pytest.raises(BadInput, match="say what shape an example has"):
        nn.counted_memory(nn.small_irnn(rng=0), 150)
    assert nn.Recurrent(1, 4).out_shape((9,)) == nn.Recurrent(1, 4).out_shape((9, 1)) == (4,)
