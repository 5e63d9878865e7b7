"""Selected paths of networks: which sets a step holds, layer by layer, against gradients that PyTorch computed."""

import numpy as np
import pytest

from tinyspad import nn
from tinyspad.experiments.network_memory import allocated

NORMS = {"l2": lambda g: np.sqrt(np.sum(g**2)), "l1": lambda g: np.sum(np.abs(g))}


def deep(**settings):
    """A network of three layers, the last two in a network of their own, of which one is computed again."""
    inner = nn.Sequential(nn.Checkpoint(nn.Linear(9, 7, rng=1, dtype=np.float64)), nn.ReLU())
    last = nn.Linear(7, 3, rng=2, dtype=np.float64)
    return nn.Sequential(nn.Linear(12, 9, rng=0, dtype=np.float64), nn.ReLU(), inner, last, **settings)


PLACES = {(0,): "0.weight", (2, 0): "2.0.weight", (3,): "3.weight"}


def batch(n=6, features=12):
    rng = np.random.default_rng(3)
    return rng.normal(size=(n, features)), rng.integers(0, 3, n)


def by_pytorch(net, x, y):
    """Of every layer its inputs and the exact gradient of its weight."""
    torch = pytest.importorskip("torch")
    h, inputs, weights = torch.tensor(x), {}, {}
    for k, (place, name) in enumerate(PLACES.items()):
        bias = torch.tensor(np.array(net.params[name.replace("weight", "bias")].data))
        weights[place] = torch.tensor(np.array(net.params[name].data), requires_grad=True)
        inputs[place] = h.detach().numpy()
        h = h @ weights[place] + bias
        h = torch.relu(h) if k < 2 else h
    torch.nn.functional.cross_entropy(h, torch.tensor(y)).backward()
    return inputs, {place: weight.grad.numpy() for place, weight in weights.items()}


def kept_rows(seed, place, exact):
    """The estimate of a weight's gradient from the set that a seed draws at a place."""
    way, d = nn.Way("same", 0.25, seed=int(seed)), len(exact)
    for i in place:
        way = way.at(i)
    index = way.inputs(np.zeros((1, d))).index
    estimate = np.zeros_like(exact)
    estimate[index] = exact[index] * d / len(index)
    return estimate, index


def candidates(m, rng):
    """The seeds that a draw makes: of dropout's masks, then of the candidates."""
    return np.random.default_rng(rng).integers(2**63, size=m + 1)[1:]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("rng", range(5))
def test_every_layer_takes_the_candidate_with_the_largest_gradient_there(norm, rng):
    net, (x, y) = deep(), batch()
    inputs, exact = by_pytorch(net, x, y)
    choice = nn.SelectivePaths(0.25, m=4, norm=norm)
    step = choice.draw(net, x, y, choice.init(), np.random.default_rng(rng))
    for place, name in PLACES.items():
        sizes = {s: NORMS[norm](kept_rows(s, place, exact[place])[0]) for s in candidates(4, rng)}
        largest = max(sizes, key=sizes.get)
        assert step.way.seeds[place] == largest
        np.testing.assert_allclose(
            np.asarray(step.gradients[name]), kept_rows(largest, place, exact[place])[0], rtol=1e-10
        )
    assert list(step.gradients) == list(net.params) and len(step.way.seeds) == 3
    by_activation = nn.SelectivePaths(0.25, m=4, norm=norm, criterion="activation")
    step = by_activation.draw(net, x, y, by_activation.init(), np.random.default_rng(rng))
    for place in PLACES:
        sizes = {s: NORMS[norm](inputs[place][:, kept_rows(s, place, exact[place])[1]]) for s in candidates(4, rng)}
        assert step.way.seeds[place] == max(sizes, key=sizes.get)


@pytest.mark.parametrize("norm", NORMS)
def test_the_net_takes_the_candidate_with_the_largest_gradient_altogether(norm):
    net, (x, y) = deep(), batch()
    inputs, exact = by_pytorch(net, x, y)
    for rng in range(5):
        choice = nn.SelectivePaths(0.25, m=4, norm=norm, select="net")
        step = choice.draw(net, x, y, choice.init(), np.random.default_rng(rng))
        whole = {
            s: NORMS[norm](np.concatenate([kept_rows(s, place, exact[place])[0].ravel() for place in PLACES]))
            for s in candidates(4, rng)
        }
        assert step.way.seeds == {(): max(whole, key=whole.get)}
        by_activation = nn.SelectivePaths(0.25, m=4, norm=norm, select="net", criterion="activation")
        step = by_activation.draw(net, x, y, by_activation.init(), np.random.default_rng(rng))
        kept = {
            s: NORMS[norm](np.concatenate([inputs[p][:, kept_rows(s, p, exact[p])[1]].ravel() for p in PLACES]))
            for s in candidates(4, rng)
        }
        assert step.way.seeds == {(): max(kept, key=kept.get)}


@pytest.mark.parametrize("select", ["layer", "net"])
@pytest.mark.parametrize("at_once", [None, 2])
@pytest.mark.parametrize("kind", ["same", "projection"])
def test_what_is_held_is_followed_until_the_next_choice(select, at_once, kind):
    net, (x, y) = deep(at_once=at_once), batch()
    choice, rng = nn.SelectivePaths(0.25, m=3, k_max=3, select=select, kind=kind), np.random.default_rng(1)
    state, steps = choice.init(), []
    for _ in range(6):
        steps.append(choice.draw(net, x, y, state, rng))
        state = steps[-1].state
    seeds = [step.way.seeds for step in steps]
    assert seeds[0] == seeds[1] == seeds[2] != seeds[3] == seeds[4] == seeds[5]
    for step in steps:  # the chosen gradients are those along the way that is told
        again = nn.gradients(net, x, y, step.way)
        assert again.loss == step.loss
        for name, g in step.gradients.items():
            np.testing.assert_array_equal(np.asarray(g), np.asarray(again.gradients[name]))


def test_one_candidate_without_a_hold_is_random():
    net, (x, y) = deep(), batch()
    norms = []
    for choice in (nn.SelectivePaths(0.25, m=1, k_max=1), nn.RandomPaths(0.25)):
        rng, state = np.random.default_rng(0), choice.init()
        drawn = []
        for _ in range(400):
            step = choice.draw(net, x, y, state, rng)
            state = step.state
            drawn.append(sum(np.sum(np.asarray(g) ** 2) for g in step.gradients.values()))
        norms.append(drawn)
    a, b = map(np.array, norms)
    assert abs(a.mean() - b.mean()) < 5 * np.hypot(a.std(), b.std()) / 20
    assert not nn.SelectivePaths().unbiased and nn.SelectivePaths(m=1).unbiased


@pytest.mark.parametrize("select", ["layer", "net"])
def test_memory_does_not_depend_on_the_number_of_candidates(select):
    net, rng = nn.small_fc_net(rng=0), np.random.default_rng(3)
    x, y = rng.normal(size=(150, 784)).astype(np.float32), rng.integers(0, 10, 150)
    x.flags.writeable = False

    def peak(m):
        choice = nn.SelectivePaths(0.1, m=m, select=select)
        return allocated(lambda: choice.draw(net, x, y, choice.init(), np.random.default_rng(0)))

    peaks = [peak(m) for m in (3, 6, 16)]
    assert max(peaks) < 1.05 * min(peaks)
