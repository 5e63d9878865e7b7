"""Networks: gradients against PyTorch and brute force, unbiasedness by enumeration, and every byte that is held."""

import copy
import itertools
import math
import weakref

import numpy as np
import pytest

import tinyspad as ts
from tinyspad import nn
from tinyspad.errors import BadInput, ChangedData, NoRule
from tinyspad.experiments.network_memory import allocated
from tinyspad.nn import convolution
from tinyspad.rules import Rows
from tinyspad.tape import arguments_of, behind, replay, rule_of

WAYS = [nn.ALL, *(nn.Way(kind, 0.3, seed=5) for kind in ("same", "different", "projection", "layers"))]


def dense(gradients):
    return {name: np.asarray(g) for name, g in gradients.items()}


def tiny_conv(dtype=np.float64, **settings):
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, rng=0, dtype=dtype),
        nn.ReLU(),
        nn.Conv2d(3, 4, 3, stride=2, padding=1, rng=1, dtype=dtype),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 3, rng=2, dtype=dtype),
        **settings,
    )


def batch(n=6, shape=(2, 8, 4), classes=3, dtype=np.float64):
    rng = np.random.default_rng(3)
    return rng.normal(size=(n, *shape)).astype(dtype), rng.integers(0, classes, n)


# --- convolution, against loops -------------------------------------------------------------------------------------


def slowly(x, weight, stride, padding):
    """The definition, pixel by pixel."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    o, _, kh, kw = weight.shape
    h, w = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], (kh, kw)))
    out = np.zeros((len(x), o, h, w))
    for i, j in np.ndindex(h, w):
        patch = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
        out[:, :, i, j] = np.tensordot(patch, weight, ((1, 2, 3), (1, 2, 3)))
    return out


CASES = [(1, 2, (5, 5), 8, 9), (1, 0, (3, 2), 7, 6), (2, 1, (3, 3), 8, 7), (3, 0, (2, 2), 9, 8), (1, 4, (5, 5), 6, 6)]
CASES += [(2, 3, (3, 3), 6, 5), (3, 2, (2, 4), 7, 10), (1, 1, (1, 1), 3, 3), (4, 3, (2, 2), 3, 3)]


@pytest.mark.parametrize(("stride", "padding", "kernel", "height", "width"), CASES)
def test_convolution_and_its_three_gradients(stride, padding, kernel, height, width):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(3, 4, height, width)), rng.normal(size=(5, 4, *kernel))
    out = slowly(x, weight, stride, padding)
    np.testing.assert_allclose(convolution.convolve(x, weight, np.zeros(5), stride, padding), out, atol=1e-12)
    g = rng.normal(size=out.shape)
    # the gradients of sum(g * out), which is linear in each: exact from unit steps in a few places
    by_weight = convolution.weight_gradient(g, x, weight.shape, stride, padding)
    by_input = convolution.input_gradient(g, weight, x.shape, stride, padding)
    for _ in range(6):
        at = tuple(rng.integers(n) for n in weight.shape)
        unit = np.zeros_like(weight)
        unit[at] = 1
        assert by_weight[at] == pytest.approx(np.sum(g * slowly(x, unit, stride, padding)), abs=1e-10)
        at = tuple(rng.integers(n) for n in x.shape)
        unit = np.zeros_like(x)
        unit[at] = 1
        assert by_input[at] == pytest.approx(np.sum(g * slowly(unit, weight, stride, padding)), abs=1e-10)
    flat, size = x.reshape(3, 4, -1), (height, width)
    for index in (rng.permutation(height * width), np.array([rng.permutation(height * width) for _ in range(3)])):
        pixels = flat[:, :, index] if index.ndim == 1 else np.take_along_axis(flat, index[:, None], axis=2)
        got = convolution.weight_gradient_at(g, pixels, index, size, weight.shape, stride, padding)
        np.testing.assert_allclose(got, by_weight, atol=1e-10)


# --- PyTorch --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["fc", "conv"])
def test_gradients_are_pytorchs_layer_by_layer(kind, dtype):
    torch = pytest.importorskip("torch")
    from benchmarks.networks import in_pytorch

    if kind == "fc":
        net, (x, y) = nn.small_fc_net(rng=0, dtype=dtype), batch(20, (1, 28, 28), 10, dtype)
    else:
        net, (x, y) = nn.small_conv_net((3, 16, 16), rng=0, dtype=dtype), batch(12, (3, 16, 16), 10, dtype)
    module = in_pytorch(net)
    loss = torch.nn.functional.cross_entropy(module(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    step = nn.gradients(net, x, y)
    tolerance = 1e-10 if dtype == np.float64 else 2e-5
    assert step.loss == pytest.approx(loss.item(), rel=tolerance)
    for i, (layer, other) in enumerate(zip(net.layers, module)):
        if layer.params:
            theirs = other.weight.grad.numpy()
            theirs = theirs.T if isinstance(layer, nn.Linear) else theirs
            scale = np.abs(theirs).max()
            np.testing.assert_allclose(step.gradients[f"{i}.weight"], theirs, atol=tolerance * scale)
            np.testing.assert_allclose(step.gradients[f"{i}.bias"], other.bias.grad.numpy(), atol=tolerance * scale)
            assert step.gradients[f"{i}.weight"].dtype == dtype


def test_training_is_pytorchs_adam_with_weight_decay_step_by_step():
    torch = pytest.importorskip("torch")
    from benchmarks.networks import in_pytorch

    data = nn.datasets.glyphs(60, rng=0)
    net = nn.small_fc_net(hidden=20, rng=0)
    module = in_pytorch(net)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01, weight_decay=0.02)
    settings = {"optimizer": ts.Adam(lr=0.01), "weight_decay": 0.02, "batch_size": 60, "bootstrap": False}
    nn.fit(net, data, iterations=5, rng=0, **settings)
    for _ in range(5):  # of a batch that is all images, the order does not matter
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(torch.tensor(data.x)), torch.tensor(data.y)).backward()
        optimizer.step()
    for name in ("1.weight", "7.bias"):
        theirs = dict(module.named_parameters())[name].detach().numpy()
        np.testing.assert_allclose(net.state()[name], theirs.T if theirs.ndim == 2 else theirs, atol=3e-5)


# --- exact parts and chunks -----------------------------------------------------------------------------------------


def test_a_network_in_parts_is_the_network():
    x, y = batch(7)
    whole, parts = tiny_conv(), tiny_conv(at_once=2)
    for way in WAYS[:2]:
        a, b = nn.gradients(whole, x, y, way), nn.gradients(parts, x, y, way)
        assert a.loss == pytest.approx(b.loss, rel=1e-12)
        for name, g in dense(a.gradients).items():
            np.testing.assert_allclose(b.gradients[name], g, atol=1e-13)
    np.testing.assert_allclose(parts.predict(x, at_once=3), whole(x).data, atol=1e-13)
    assert parts.predict(x[:0]).shape == (0, 3)


def test_gradients_agree_with_differences_and_inputs_have_theirs():
    x, y = batch(3)
    net = tiny_conv()

    def loss(x):
        return nn.cross_entropy(net(x), y)

    value = ts.Value(x)
    loss(value).backward()
    rng = np.random.default_rng(0)
    for _ in range(5):
        direction = rng.normal(size=x.shape)
        slope = (loss(x + 1e-6 * direction).data - loss(x - 1e-6 * direction).data) / 2e-6
        assert np.sum(value.grad * direction) == pytest.approx(slope, rel=1e-5)


def test_dropout_masks_scale_and_are_off_in_evaluation():
    net = nn.Sequential(nn.Dropout(0.25))
    x = np.ones((200, 50), np.float32)
    assert net(x) is x
    dropped = net(x, nn.Way(noise=1))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert abs(np.mean(dropped == 0) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / x.size)
    np.testing.assert_array_equal(dropped, net(x, nn.Way(noise=1)))
    value = ts.Value(x)
    out = net(value, nn.Way(noise=1))
    out.backward(np.ones_like(x))
    np.testing.assert_array_equal(value.grad, dropped)
    assert sum(nn.saved_bytes(np.sum(out)).values()) == 200 * 50 // 8


# --- unbiased, by enumeration ---------------------------------------------------------------------------------------


def linear_gradient(x, g, followed):
    weight = ts.Value(np.zeros((x.shape[1], g.shape[1])))
    nn.linear(x, weight, np.zeros(g.shape[1]), followed).backward(g)
    return weight.grad


def conv_gradient(x, g, followed):
    weight = ts.Value(np.zeros((g.shape[1], x.shape[1], 2, 2)))
    nn.conv2d(x, weight, np.zeros(g.shape[1]), padding=1, followed=followed).backward(g)
    return weight.grad


RNG = np.random.default_rng(8)
LAYERS = {
    "linear": (linear_gradient, RNG.normal(size=(2, 4)), RNG.normal(size=(2, 3)), 4),
    "conv": (conv_gradient, RNG.normal(size=(2, 2, 2, 2)), RNG.normal(size=(2, 3, 3, 3)), 4),
}
ROWS = {"linear": (2,), "conv": (2, 2)}  # each example has a set, or each channel of each image


class Signs(nn.Projection):
    """A projection with given signs."""

    def __init__(self, signs):
        object.__setattr__(self, "signs", np.array(signs))
        object.__setattr__(self, "d", len(self.signs))

    def matrix(self, dtype):
        return (self.signs / np.sqrt(self.signs.shape[1])).astype(dtype)


def all_sets(kind, d, k, rows=(2,)):
    """Every draw; "different" has a set for each of the rows, of this shape."""
    if kind == "same":
        return [nn.Same(np.array(index), d) for index in itertools.combinations(range(d), k)]
    if kind == "different":
        orders = map(np.array, itertools.permutations(range(d)))
        firsts = [np.reshape(first, rows) for first in itertools.product(range(d), repeat=math.prod(rows))]
        return [nn.Different(order, first, k) for order, first in itertools.product(orders, firsts)]
    return [Signs(np.reshape(signs, (d, k))) for signs in itertools.product((-1, 1), repeat=d * k)]


@pytest.mark.parametrize("kind", ["same", "different", "projection"])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_mean_over_all_sets_is_the_exact_gradient(layer, kind):
    gradient, x, g, d = LAYERS[layer]
    exact = gradient(x, g, None)
    estimates = [gradient(x, g, followed) for followed in all_sets(kind, d, 2, ROWS[layer])]
    np.testing.assert_allclose(np.mean(estimates, axis=0), exact, atol=1e-12)
    assert np.max(np.std(estimates, axis=0)) > 0.1


@pytest.mark.parametrize("layer", LAYERS)
def test_sets_of_an_example_each_vary_as_independent_ones(layer):
    gradient, x, g, d = LAYERS[layer]
    cyclic = [gradient(x, g, followed) for followed in all_sets("different", d, 2, ROWS[layer])]
    sets = [np.array(index) for index in itertools.combinations(range(d), 2)]
    independent, flat = [], x.reshape(-1, d)
    for chosen in itertools.product(sets, repeat=len(flat)):
        kept = np.zeros_like(flat)
        for row, index in enumerate(chosen):
            kept[row, index] = flat[row, index] * d / 2
        independent.append(gradient(kept.reshape(x.shape), g, None))
    np.testing.assert_allclose(np.var(cyclic, axis=0), np.var(independent, axis=0), atol=1e-12)


def test_the_mean_over_all_ways_of_a_whole_network():
    """Every layer's gradient depends on its own set alone: the backward signal is exact."""
    x, y = batch(4, (4,))
    net = nn.Sequential(nn.Linear(4, 3, rng=0, dtype=np.float64), nn.ReLU(), nn.Linear(3, 3, rng=1, dtype=np.float64))
    exact = dense(nn.gradients(net, x, y).gradients)

    class Given(nn.Way):
        def inputs(self, x):
            return self.sets[self.place]

        def at(self, i):
            way = copy.copy(self)
            object.__setattr__(way, "place", (i,))
            return way

    estimates = []
    for first, second in itertools.product(all_sets("same", 4, 2), all_sets("same", 3, 1)):
        way = Given("same")
        object.__setattr__(way, "sets", {(0,): first, (2,): second})
        estimates.append(dense(nn.gradients(net, x, y, way).gradients))
    for name, g in exact.items():
        np.testing.assert_allclose(np.mean([e[name] for e in estimates], axis=0), g, atol=1e-12)


@pytest.mark.parametrize("at_once", [None, 2])
def test_an_explicit_identity_gives_the_same_gradient(at_once):
    net, (x, y) = tiny_conv(at_once=at_once), batch(5)
    exact = dense(nn.gradients(net, x, y).gradients)
    step = nn.AllPaths(identity=True).draw(net, x, y, None, np.random.default_rng(0), count=True)
    for name, g in exact.items():
        np.testing.assert_allclose(step.gradients[name], g, rtol=1e-12, atol=1e-14)
    plain = nn.AllPaths().draw(net, x, y, None, np.random.default_rng(0), count=True)
    assert sum(step.held.values()) == sum(plain.held.values())  # the matrices are made anew in backward
    followed = nn.Way("identity").at(0).inputs(x)
    assert isinstance(followed, nn.Identity) and followed.d == 32
    images = np.arange(64.0).reshape(1, 2, 32)
    np.testing.assert_array_equal(followed.restore(followed.keep(images)), images)


def test_frozen_layers_are_biased_by_their_share():
    x, y = batch(5)
    net = tiny_conv()
    exact, n = dense(nn.gradients(net, x, y).gradients), 200
    ways = [nn.Way("layers", 0.25, seed=seed) for seed in range(n)]
    moved = dict.fromkeys(exact, 0)
    for way in ways:
        for name, g in dense(nn.gradients(net, x, y, way).gradients).items():
            assert not np.any(g) or np.allclose(g, exact[name], atol=1e-12)
            moved[name] += bool(np.any(g))
    for name, count in moved.items():
        assert abs(count / n - 0.25) < 5 * np.sqrt(0.25 * 0.75 / n), name
        assert count == moved[name.split(".")[0] + ".weight"]
    assert not nn.LayerOut().unbiased and nn.RandomPaths().unbiased and nn.AllPaths().unbiased


def test_ways_draw_every_set_equally_often():
    n, x = 1500, np.zeros((2, 5))
    for kind in ("same", "different"):
        counts = {}
        for seed in range(n):
            index = nn.Way(kind, 0.4, seed=seed).at(3).inputs(x).index
            first = tuple(sorted(index if kind == "same" else index[1]))
            counts[first] = counts.get(first, 0) + 1
        assert len(counts) == 10
        assert all(abs(c / n - 0.1) < 5 * np.sqrt(0.09 / n) for c in counts.values())
    images = nn.Way("different", 0.4, seed=1).inputs(np.zeros((2, 3, 5, 5)))
    assert images.index.shape == (2, 3, 10) and len({tuple(row) for row in images.index.reshape(6, 10)}) > 1
    assert nn.Way("same", 1.0).inputs(x) is None and nn.ALL.inputs(x) is None


# --- the path choices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.RandomPaths(0), "above 0 and at most 1"),
        (lambda: nn.RandomPaths(1.5), "above 0 and at most 1"),
        (lambda: nn.RandomPaths(True), "above 0"),
        (lambda: nn.RandomPaths(0.1, "other"), "kind is"),
        (lambda: nn.SelectivePaths(m=0), "m is a whole number"),
        (lambda: nn.SelectivePaths(k_max=1.5), "k_max is a whole number"),
        (lambda: nn.SelectivePaths(criterion="loss"), "criterion is"),
        (lambda: nn.SelectivePaths(kind="layers"), "kind is"),
        (lambda: nn.SelectivePaths(select="weights"), 'select is "layer" or "net"'),
        (lambda: nn.SelectivePaths(norm="max"), 'norm is "l2" or "l1"'),
        (lambda: nn.LayerOut(-1), "above 0"),
        (lambda: nn.Dropout(1.0), "below 1"),
        (lambda: nn.Dropout("a"), "below 1"),
        (lambda: nn.Linear(0, 3), "inputs is a whole number"),
        (lambda: nn.Linear(3, 2.5), "outputs is a whole number"),
        (lambda: nn.Linear(3, 2, dtype=int), "dtype is float32"),
        (lambda: nn.AvgPool2d(0), "size is a whole number"),
        (lambda: nn.small_fc_net(hidden=0), "whole number"),
        (lambda: nn.small_fc_net(rng=0).predict(np.ones((2, 784)), at_once=-1), "at_once is"),
        (lambda: nn.small_fc_net(rng=0)(3.0), "takes examples in rows"),
        (lambda: nn.small_fc_net(rng=0)(np.ones((2, 784)), nn.RandomPaths(0.5)), "draws a way for every step"),
        (lambda: nn.Way("sames", 0.1), "kind is one of"),
        (lambda: nn.Way("same", 9), "keep is a share"),
        (lambda: nn.Same(np.array([2, 0]), 3), "ascending"),
        (lambda: nn.Same(np.array([3]), 3), "from 0 to 2"),
        (lambda: nn.Sequential(*[nn.Linear(3, 3, rng=0)] * 2), "stands in it twice"),
        (lambda: nn.Conv2d(1, 1, (3, 3)), "kernel is a whole number"),
        (lambda: nn.linear(np.ones((2, 3)), np.ones((3, 2)), np.zeros(1)), r"bias \(n,\)"),
        (lambda: nn.linear(np.ones((2, 3)), np.ones((3, 2)), np.zeros(2), nn.Same(np.array([1]), 5)), "are of 5"),
        (lambda: nn.conv2d(np.ones((1, 1, 3, 3)), np.ones((2, 1, 1, 1)), np.zeros(1)), "one for each output"),
        (lambda: nn.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 1, 1)), np.zeros(1), stride=0), "stride is"),
        (lambda: nn.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 1, 1)), np.zeros(1), padding=-1), "padding is"),
        (lambda: nn.avg_pool2d(np.ones((3, 3))), "takes images"),
        (lambda: nn.dropout(np.ones((1, 2)), [[0.5, 1.0]]), "truth values"),
        (lambda: nn.cross_entropy(np.ones((2, 3, 4)), [0, 1]), "logits have shape"),
        (lambda: nn.counted_memory(nn.small_fc_net(rng=0), 150, -3), "keep is a share"),
        (lambda: nn.counted_memory(nn.small_fc_net(rng=0), 0), "batch_size is"),
        (lambda: nn.Sequential(), "at least one"),
        (lambda: nn.Sequential(nn.ReLU(), at_once=0), "at_once"),
        (lambda: nn.linear(np.ones((2, 3)), np.ones((4, 2)), np.zeros(2)), r"takes \(examples, 4\)"),
        (lambda: nn.conv2d(np.ones((2, 3)), np.ones((4, 2, 1, 1)), np.zeros(4)), "conv2d: x has shape"),
        (lambda: nn.conv2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3)), np.zeros(1)), "smaller than the kernel"),
        (lambda: nn.avg_pool2d(np.ones((1, 1, 1, 4))), "smaller than the square"),
        (lambda: nn.cross_entropy(np.ones((2, 3)), [0.5, 1.0]), "whole numbers"),
        (lambda: nn.cross_entropy(np.ones((2, 3)), [0, 3]), "from 0 to 2"),
        (lambda: nn.cross_entropy(np.ones((0, 3)), np.zeros(0, int)), "at least one"),
        (lambda: nn.small_conv_net(rng=0).out_shape((1, 28, 28)), r"takes images \(3, H, W\)"),
        (lambda: nn.small_fc_net(rng=0).out_shape((1, 2, 2)), "takes 784 features"),
        (lambda: nn.saved_bytes(3.0), "takes a loss"),
        (lambda: nn.counted_memory(nn.small_conv_net(rng=0), 150), "say what shape"),
    ],
)
def test_arguments_without_meaning(make, says):
    with pytest.raises(BadInput, match=says):
        make()


def test_parts_of_parts_draw_for_themselves():
    inner = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), at_once=2)
    rows = nn.Sequential(inner, nn.Flatten(), at_once=4)(np.ones((8, 40)), nn.Way(noise=1))
    assert len(np.unique(rows, axis=0)) == 8


def test_bytes_of_images_become_floats():
    image = np.full((1, 1, 2, 2), 4, np.uint8)
    assert nn.avg_pool2d(image) == 4.0 and nn.conv2d(image, np.ones((1, 1, 2, 2)), np.zeros(1)) == 16.0
    np.testing.assert_allclose(nn.dropout([[10, 10]], [[True, False]], rate=0.25), [[10 / 0.75, 0]], rtol=1e-6)
    assert nn.cross_entropy(np.zeros((2, 10), int), [1, 2]) == pytest.approx(np.log(10))


def test_the_input_is_not_given_a_name():
    x = ts.Value(np.ones((2, 3)))
    nn.Sequential(nn.Dropout(0.5), nn.Flatten())(x)
    assert x.name is None


def test_layers_of_ones_own():
    class Double(nn.Layer):
        def run(self, x, params, way):
            return 2 * x

    net = nn.Sequential(nn.Linear(3, 2, rng=0), Double())
    x = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(net(x).data, 2 * net.layers[0](x).data)
    with pytest.raises(NotImplementedError, match="lacks run"):
        nn.Sequential(nn.Layer())(x)
    assert repr(net) == "Sequential(Linear(3, 2), Double())"


# --- memory ---------------------------------------------------------------------------------------------------------


def test_what_a_step_holds_is_what_it_needs_byte_by_byte():
    net, (x, y) = nn.small_fc_net(rng=0), batch(150, (784,), 10, np.float32)
    held = nn.gradients(net, x, y, count=True).held
    bits = -(-150 * 300 // 8)
    assert held == {
        "1": 4 * 150 * 784, "2": bits, "3": 4 * 150 * 300, "4": bits, "5": 4 * 150 * 300, "6": bits,
        "7": 4 * 150 * 300, "loss": 4 * 150 * 10 + 8 * 150,
    }  # fmt: skip
    sampled = nn.gradients(net, x, y, nn.Way("same", 0.1), count=True).held
    assert sampled["1"] == (4 * 150 + 8) * 79 and sampled["3"] == (4 * 150 + 8) * 30
    assert sum(sampled.values()) <= 0.13 * sum(held.values())


def test_a_convolution_holds_followed_pixels():
    net, (x, y) = nn.small_conv_net(rng=0), batch(20, (3, 32, 32), 10, np.float32)
    x.flags.writeable = False
    held = nn.gradients(net, x, y, count=True).held
    assert held["0"] == 4 * 20 * 3 * 1024 and held["2"] == 4 * 20 * 16 * 1024 and held["1"] == 20 * 16 * 1024 // 8
    sampled = nn.gradients(net, x, y, nn.Way("same", 0.1), count=True).held
    assert sampled["2"] == 4 * 20 * 16 * 103 + 8 * 103 and sum(sampled.values()) <= 0.15 * sum(held.values())


def test_the_peak_of_a_sampled_step():
    for net, shape, most in (
        (nn.small_fc_net(rng=0), (784,), 0.35),
        (nn.small_conv_net(rng=0), (3, 32, 32), 0.4),
    ):
        x, y = batch(150, shape, 10, np.float32)
        x.flags.writeable = False
        exact, sampled = (
            allocated(lambda way=way: nn.gradients(net, x, y, way)) for way in (nn.ALL, nn.Way("same", 0.1))
        )
        assert sampled <= most * exact


def test_parameters_do_not_count_whoever_holds_them():
    net, (x, _) = (
        nn.Sequential(nn.Linear(5, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=0)),
        batch(10, (5,), 3, np.float32),
    )
    before = nn.saved_bytes(np.sum(net(x)))
    for value in net.params.values():
        value.data -= 0.1
    assert nn.saved_bytes(np.sum(net(x))) == before


def test_values_nobody_holds_are_freed():
    net, (x, _) = tiny_conv(), batch()
    seen = []

    class Spy(nn.Layer):
        def run(self, x, params, way):
            seen.append(weakref.ref(x._data))
            return x

    spied = nn.Sequential(*net.layers[:2], Spy(), *net.layers[2:5], Spy(), *net.layers[5:])
    out = spied(x, nn.Way("same", 0.3))
    assert [ref() for ref in seen] == [None, None]
    exact = spied(x)
    assert seen[2]() is not None and out.shape == exact.shape  # the input of a layer that follows everything


@pytest.mark.parametrize(
    ("net", "shape", "cells"),
    [
        (nn.small_fc_net, None, {1: 2.69, 0.8: 2.51, 0.3: 2.00, 0.1: 1.80, 0.05: 1.75}),
        (nn.small_conv_net, (3, 32, 32), {1: 23.08, 0.8: 19.19, 0.5: 12.37, 0.3: 7.82, 0.1: 3.28, 0.05: 2.14}),
    ],
)
def test_rads_table_of_memory(net, shape, cells):
    for keep, megabytes in cells.items():
        assert round(nn.counted_memory(net(rng=0), 150, keep, shape)["total"] / 1e6, 2) == megabytes
        wrapped = nn.Sequential(nn.Checkpoint(net(rng=0)))
        assert nn.counted_memory(wrapped, 150, keep, shape) == nn.counted_memory(net(rng=0), 150, keep, shape)
    # the one cell that differs: the paper says 2.21, its own formula 2.2045
    assert nn.counted_memory(nn.small_fc_net(rng=0), 150, 0.5)["total"] == 2_204_515


# --- rows -----------------------------------------------------------------------------------------------------------


def test_rows_are_the_array_they_stand_for():
    rows = Rows(np.array([0, 3]), np.array([[1.0, 2.0], [3.0, 4.0]]), (5, 2))
    array = rows.dense()
    assert array.sum() == 10 and array[3, 1] == 4
    other = Rows(np.array([1]), np.ones((1, 2)), (5, 2))
    assert isinstance(0.0 + rows, Rows) and isinstance(rows + rows, Rows)
    np.testing.assert_array_equal(rows + other, array + other.dense())
    np.testing.assert_array_equal(np.ones((5, 2)) + rows, 1 + array)
    np.testing.assert_array_equal(rows + np.ones((5, 2)), 1 + array)
    np.testing.assert_array_equal(rows * 2.0, 2 * array)
    for low, high in ((0, 2), (2, 5), (4, 5), (0, 5)):
        np.testing.assert_array_equal(rows.block(low, high), array[low:high])
    assert np.asarray(rows, np.float32).dtype == np.float32 and repr(rows) == "<2 of 5 rows of an array (5, 2)>"


def test_a_weight_that_is_computed_gets_an_array():
    base, x = ts.Value(np.ones((4, 2))), np.arange(8.0).reshape(2, 4)
    nn.linear(x, 3 * base, np.zeros(2), nn.Same(np.array([2]), 4)).backward(np.ones((2, 2)))
    np.testing.assert_array_equal(base.grad, [[0, 0], [0, 0], [96, 96], [0, 0]])  # 3 * 4 * (2 + 6)


# --- computing again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.kind))
def test_checkpoints_change_no_bit(way):
    (x, y), way = batch(5), nn.Way(way.kind, way.keep, way.seed, noise=4)

    def net(wrap):
        layers = list(tiny_conv().layers)
        return nn.Sequential(
            wrap(nn.Sequential(*layers[:3])), nn.Dropout(0.2), wrap(nn.Sequential(*layers[3:])), at_once=2
        )

    plain, again = (nn.gradients(net(wrap), x, y, way, count=True) for wrap in (lambda b: b, nn.Checkpoint))
    assert plain.loss == again.loss
    for name, g in plain.gradients.items():
        np.testing.assert_array_equal(np.asarray(again.gradients[name]), np.asarray(g))
    if way.kind is None:
        assert sum(again.held.values()) < 0.6 * sum(plain.held.values())
    assert repr(net(nn.Checkpoint)).startswith("Sequential(Checkpoint(Sequential(Conv2d(2, 3, 3, padding=1)")
    assert net(nn.Checkpoint).out_shape((2, 8, 4)) == (3,)


def test_a_checkpoint_backward_twice_adds_twice_and_reaches_its_input():
    block = nn.Sequential(nn.Linear(3, 5, rng=0, dtype=np.float64), nn.ReLU())
    x = ts.Value(np.ones((2, 3)))
    out = np.sum(nn.checkpoint(block, x) * 2.0)
    out.backward()
    once = {name: value.grad.copy() for name, value in block.params.items()}, x.grad.copy()
    out.backward()
    for name, value in block.params.items():
        np.testing.assert_array_equal(value.grad, 2 * once[0][name])
    np.testing.assert_array_equal(x.grad, 2 * once[1])
    plain = ts.Value(np.ones((2, 3)))
    np.sum(block(plain) * 2.0).backward()
    np.testing.assert_array_equal(plain.grad, once[1])


class Own(nn.Layer):
    """A layer of one's own: ``f(x, self)``, which may have a state."""

    def __init__(self, f, **state):
        super().__init__()
        self.f = f
        vars(self).update(state)

    def run(self, x, params, way):
        return self.f(x, self)


def changed_mask(x, layer):
    layer.calls += 1
    return x * layer.mask[layer.calls % 2]


def longer_each_time(x, layer):
    layer.calls += 1
    return np.tile(x, layer.calls)


DIFFERENT_TWICE = {
    "draws": lambda: Own(lambda x, own: x * own.rng.normal(size=x.shape), rng=np.random.default_rng(0)),
    "draws a mask of few": lambda: Own(
        lambda x, own: x * (np.arange(x.size).reshape(x.shape) != own.rng.integers(x.size)),
        rng=np.random.default_rng(0),
    ),
    "draws an order": lambda: Own(lambda x, own: x[:, own.rng.permutation(3)], rng=np.random.default_rng(0)),
    "goes to and fro": lambda: Own(changed_mask, calls=0, mask=np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 4.0]])),
    "another shape": lambda: Own(longer_each_time, calls=0),
    "another dtype": lambda: Own(
        lambda x, own: x * own.ones.pop(), ones=[np.ones(3, t) for t in (np.float64, np.float32)]
    ),
    "once NaN": lambda: Own(
        lambda x, own: x * own.first.pop(), first=[np.ones(3), np.ones(3), np.array([1, np.nan, 1])]
    ),
}


@pytest.mark.parametrize("make", DIFFERENT_TWICE.values(), ids=DIFFERENT_TWICE)
@pytest.mark.parametrize("with_params", [False, True])
def test_a_block_that_gives_something_else_the_second_time_is_refused(make, with_params):
    layers = [nn.Linear(3, 3, rng=0), make()] if with_params else [make()]
    x = ts.Value(np.arange(6, dtype=np.float32).reshape(2, 3) + 1)
    out = np.sum(nn.checkpoint(nn.Sequential(*layers), x) ** 2)
    with pytest.raises(ts.errors.ChangedData, match="computed again"):
        out.backward()


def test_a_weight_changed_in_place_between_the_passes_is_refused():
    layer = Own(lambda x, own: x * own.weight, weight=np.ones(3))
    for changed in (1 + 1e-15, np.nan):
        out = np.sum(nn.checkpoint(layer, ts.Value(np.ones(3))))
        layer.weight[1] = changed
        with pytest.raises(ts.errors.ChangedData, match="run the forward pass again"):
            out.backward()
        layer.weight[1] = 1.0
    block = nn.Linear(3, 3, rng=0)  # a parameter's own data the tape looks after
    out = np.sum(nn.checkpoint(block, np.ones((2, 3), np.float32)))
    block.params["weight"].data = np.ones((3, 3), np.float32)
    with pytest.raises(ts.errors.ChangedData):
        out.backward()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_block_that_gives_the_same_the_second_time_is_not():
    odd = np.array([1.0, np.nan, np.inf, -0.0])
    blocks = [
        Own(lambda x, own: x * odd),  # NaN is equal to NaN
        Own(lambda x, own: x * own.signs.pop(), signs=[np.full(4, s * np.nan) for s in (1, 1, -1)]),  # of any sign
        Own(lambda x, own: np.sum(x * 3.0)),
        Own(lambda x, own: x[:0]),
        Own(lambda x, own: x * np.random.default_rng(3).normal(size=4)),
    ]
    for block in blocks:
        x, plain = (ts.Value(np.array([0.3, 0.7, 1.9, 2.3])) for _ in range(2))
        np.sum(nn.checkpoint(block, x) * 2.0).backward()
        np.sum(block(plain) * 2.0).backward()
        np.testing.assert_array_equal(x.grad, plain.grad)


def test_a_block_whose_passes_differ_by_rounding_alone_is_not_refused():
    """A Value may take another way through a block than a plain array: here one that rounds otherwise."""

    def f(x, own):
        return (x + 0.1) + 0.2 if isinstance(x, ts.Value) else x + (0.1 + 0.2)

    data = np.random.default_rng(0).normal(size=100)
    assert np.any((data + 0.1) + 0.2 != data + (0.1 + 0.2))
    x = ts.Value(data)
    nn.checkpoint(Own(f), x).backward(np.ones(100))
    np.testing.assert_array_equal(x.grad, np.ones(100))

    def g(x, own):
        return x * (2.0 if isinstance(x, ts.Value) else 3.0)

    out = nn.checkpoint(Own(g), ts.Value(data))
    with pytest.raises(ts.errors.ChangedData, match="computed again"):
        out.backward(np.ones(100))


def test_a_block_that_reads_a_value_beside_its_parameters_is_refused():
    hidden = ts.Value(np.ones(3))
    with pytest.raises(ts.errors.DroppedGradient, match="Make it a parameter"):
        nn.checkpoint(Own(lambda x, own: x * hidden), ts.Value(np.ones(3)))


def test_a_block_that_does_not_depend_on_its_input_gives_it_no_gradient():
    x = ts.Value(np.ones(3))
    (np.sum(x) + np.sum(nn.checkpoint(Own(lambda x, own: np.ones(3)), x))).backward()
    np.testing.assert_array_equal(x.grad, np.ones(3))


def test_what_forgets_cannot_be_replayed_and_says_so():
    big = np.ones((20, 30))
    loss = np.sum(nn.linear(big, ts.Value(np.ones((30, 2))), np.zeros(2), nn.Same(np.array([4]), 30)))
    (layer,) = (entry for entry in behind(loss._node) if rule_of(entry).name == "linear")
    assert not any(isinstance(a, np.ndarray) for a in arguments_of(layer))
    with pytest.raises(NoRule, match="linear keeps only what backward needs"):
        replay(behind(loss._node), {})


# --- state ----------------------------------------------------------------------------------------------------------


def test_a_network_is_saved_and_loaded(tmp_path):
    net, other = nn.small_fc_net(hidden=5, rng=0), nn.small_fc_net(hidden=5, rng=1)
    net.save(tmp_path / "net.npz")
    other.load(tmp_path / "net.npz")
    x = batch(3, (784,), 10, np.float32)[0]
    np.testing.assert_array_equal(net.predict(x), other.predict(x))
    before = other.state()
    for wrong in (
        {"7.bias": np.zeros(3)},
        {"7.bias": np.array(list("0123456789"))},
        {"7.bias": np.ones(10) * 1j},
        {"more": 1},
    ):
        with pytest.raises(BadInput):
            other.load_state({name: 2 * a for name, a in before.items()} | wrong)
    for wrong in (None, [1, 2], other.params):
        with pytest.raises(BadInput, match="takes what state"):
            other.load_state(wrong)
    for name, array in before.items():  # nothing was changed on the way
        np.testing.assert_array_equal(other.state()[name], array)
    with pytest.raises(BadInput, match="another network"):
        nn.small_fc_net(hidden=6, rng=0).load(tmp_path / "net.npz")
    with pytest.raises(OSError, match="folder"):
        net.save(tmp_path / "missing" / "net.npz")
    with pytest.raises(BadInput, match="another network"):
        nn.Sequential(nn.Linear(2, 2, rng=0)).load(tmp_path / "net.npz")
    (tmp_path / "net.npz").write_bytes(b"PK nonsense")
    with pytest.raises(BadInput, match="not a tinyspad network"):
        net.load(tmp_path / "net.npz")


def test_a_state_is_a_copy_and_old_tapes_are_out_of_date():
    net, (x, y) = nn.small_fc_net(hidden=5, rng=0), batch(4, (784,), 10, np.float32)
    before = net.state()
    loss = nn.cross_entropy(net(x), y)
    data = nn.Dataset("few", x.reshape(4, 1, 28, 28), y, x.reshape(4, 1, 28, 28), y)
    nn.fit(net, data, iterations=1, batch_size=4, rng=0)
    assert any(np.any(before[name] != array) for name, array in net.state().items())
    with pytest.raises(ChangedData):
        loss.backward()
    assert net.params["1.weight"].data.flags.writeable  # lent out: from here on it is copied for every step
    nn.fit(net, data, iterations=1, batch_size=4, rng=0)
