"""Layers and networks: what is computed (``run``), and the parameters that it is computed with (``params``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from ..archive import load_arrays, save_arrays
from ..arguments import generator, integer
from ..errors import BadInput
from ..tape import Value
from . import functional as F
from . import images
from .convolution import out_size
from .followed import ALL, Way

KIND = "tinyspad network 1"
Params = Mapping[str, Any]


class Layer:
    """A function of x, parameters by name, and a ``Way`` that says which inputs the weights' gradients follow.

    ``layer(x)`` computes with the layer's own parameters, ``layer.params``. A layer of your own is a class with ``run`` and
    ``out_shape``; one with parameters calls ``own(name, array)`` for each.
    """

    def __init__(self) -> None:
        self.params: dict[str, Value] = {}

    def own(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """Give the layer a parameter."""
        array = np.array(array)
        array.flags.writeable = False
        self.params[name] = Value(array, name=name)

    def run(self, x: Any, params: Params, way: Way) -> Any:
        """The layer's function."""
        raise NotImplementedError(f"{type(self).__name__} lacks run(self, x, params, way).")

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that it makes of one example's."""
        return shape

    def __call__(self, x: Any, way: Way = ALL) -> Any:
        return self.run(x, self.params, way)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], inputs: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Between +-1 / sqrt(inputs), PyTorch's start for linear and convolution layers."""
    bound = 1 / math.sqrt(inputs)
    return rng.uniform(-bound, bound, shape).astype(dtype)


def check_sizes(layer: str, dtype: Any = np.float32, **sizes: Any) -> None:
    for name, value in sizes.items():
        integer(value, f"{layer}: {name}", least=int(name != "padding"))
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise BadInput(f"{layer}: dtype is float32 or float64, not {np.dtype(dtype)}.")


class Linear(Layer):
    """x @ weight + bias; weight (inputs, outputs), bias (outputs,)."""

    def __init__(self, inputs: int, outputs: int, *, rng: Any = None, dtype: Any = np.float32) -> None:
        super().__init__()
        check_sizes("Linear", dtype, inputs=inputs, outputs=outputs)
        self.inputs, self.outputs = inputs, outputs
        rng = generator(rng)
        self.own("weight", _uniform(rng, (inputs, outputs), inputs, dtype))
        self.own("bias", _uniform(rng, (outputs,), inputs, dtype))

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return F.linear(x, params["weight"], params["bias"], followed=way.inputs(x))

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape != (self.inputs,):
            raise BadInput(f"{self!r} takes {self.inputs} features of an example, not {shape}.")
        return (self.outputs,)

    def __repr__(self) -> str:
        return f"Linear({self.inputs}, {self.outputs})"


class Conv2d(Layer):
    """Correlation of images with weight (outputs, inputs, k, k), plus bias (outputs,)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        rng: Any = None,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        check_sizes("Conv2d", dtype, inputs=inputs, outputs=outputs, kernel=kernel, stride=stride, padding=padding)
        self.inputs, self.outputs, self.kernel, self.stride, self.padding = inputs, outputs, kernel, stride, padding
        rng, fan = generator(rng), inputs * kernel**2
        self.own("weight", _uniform(rng, (outputs, inputs, kernel, kernel), fan, dtype))
        self.own("bias", _uniform(rng, (outputs,), fan, dtype))

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return images.conv2d(
            x, params["weight"], params["bias"], stride=self.stride, padding=self.padding, followed=way.inputs(x)
        )

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(shape) != 3 or shape[0] != self.inputs:
            raise BadInput(f"{self!r} takes images ({self.inputs}, H, W), not {shape}.")
        return (self.outputs, *(out_size(n, self.kernel, self.stride, self.padding) for n in shape[1:]))

    def __repr__(self) -> str:
        more = f", stride={self.stride}" * (self.stride != 1) + f", padding={self.padding}" * (self.padding != 0)
        return f"Conv2d({self.inputs}, {self.outputs}, {self.kernel}{more})"


class ReLU(Layer):
    """max(x, 0)."""

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return F.relu(x)


class AvgPool2d(Layer):
    """The means of squares of size x size pixels."""

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        check_sizes("AvgPool2d", size=size)
        self.size = size

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return images.avg_pool2d(x, size=self.size)

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[0], *(n // self.size for n in shape[1:]))

    def __repr__(self) -> str:
        return f"AvgPool2d({self.size})"


class Flatten(Layer):
    """Images (C, H, W) as rows of C H W features."""

    def run(self, x: Any, params: Params, way: Way) -> Any:
        return F.flatten(x)

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (math.prod(shape),)


class Dropout(Layer):
    """In training a share ``rate`` of the elements, drawn anew each time, becomes zero, and the others grow to make up."""

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        if not isinstance(rate, (int, float, np.number)) or not 0 <= rate < 1:
            raise BadInput(f"Dropout: rate is a share, at least 0 and below 1, not {rate!r}.")
        self.rate = rate

    def run(self, x: Any, params: Params, way: Way) -> Any:
        mask = way.mask(x.shape, self.rate)
        return x if mask is None else F.dropout(x, mask, rate=self.rate)

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"


class Sequential(Layer):
    """One layer after the other.

    ``net(x)`` gives the outputs, as a Value, with dropout off (``net(x, Way(noise=seed))`` has it on, as ``fit`` does);
    ``net.params`` the parameters by name, such as "0.weight". ``at_once``: how many examples go through the layers
    together. Fewer than a batch changes no result but for rounding (and for where dropout's masks and the sets of
    "different" fall), and the values on the way, which nobody keeps, are small and stay in the processor's cache.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    >>> net(np.ones((5, 4), np.float32)).shape, list(net.params)
    ((5, 2), ['0.weight', '0.bias', '2.weight', '2.bias'])
    """

    def __init__(self, *layers: Layer, at_once: int | None = None) -> None:
        super().__init__()
        if not layers or not all(isinstance(layer, Layer) for layer in layers):
            raise BadInput("Sequential takes layers, at least one, such as Sequential(Linear(4, 3), ReLU()).")
        if at_once is not None:
            check_sizes("Sequential", at_once=at_once)
        self.layers, self.at_once = layers, at_once
        self.params = {f"{i}.{name}": value for i, layer in enumerate(layers) for name, value in layer.params.items()}
        if len({id(value) for value in self.params.values()}) < len(self.params):
            raise BadInput(
                "Sequential: a layer with parameters stands in it twice; its weights would be two parameters."
            )
        for name, value in self.params.items():
            value.name = name
        self._own = [{name: f"{i}.{name}" for name in layer.params} for i, layer in enumerate(layers)]

    def run(self, x: Any, params: Params, way: Way) -> Any:
        if not hasattr(way, "inputs"):
            raise BadInput(
                f"A network is computed along a Way, such as Way('same', 0.1), not {way!r:.60}. A choice of paths, such as "
                "RandomPaths, draws a way for every step: choice.draw(net, x, labels, choice.init(), rng)."
            )
        if np.ndim(x) < 2:
            raise BadInput(
                f"A network takes examples in rows, an array of two or more axes, not one of shape {np.shape(x)}."
            )
        n = np.shape(x)[0]
        if self.at_once is None or n <= self.at_once:
            return self._through(x, params, way)
        cuts = range(0, n, self.at_once)
        outs = [self._through(x[i : i + self.at_once], params, way.chunk(k)) for k, i in enumerate(cuts)]
        return np.concatenate(outs)

    def _through(self, x: Any, params: Params, way: Way) -> Any:
        for i, layer in enumerate(self.layers):
            before, x = x, layer.run(x, {name: params[full] for name, full in self._own[i].items()}, way.at(i))
            if isinstance(x, Value) and x is not before and x.name is None:
                x.name = ".".join(map(str, (*way.place, i)))
        return x

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for layer in self.layers:
            shape = layer.out_shape(shape)
        return shape

    def predict(self, x: Any, at_once: int = 1000) -> np.ndarray[Any, Any]:
        """The outputs as plain numbers, nothing recorded, dropout off: (B, ...)."""
        check_sizes("predict", at_once=at_once)
        arrays = {name: value._data for name, value in self.params.items()}
        x = x._data if isinstance(x, Value) else np.asarray(x)
        parts = [self.run(x[i : i + at_once], arrays, ALL) for i in range(0, len(x), at_once)]
        return np.concatenate(parts) if parts else np.zeros((0, *self.out_shape(np.shape(x)[1:])), np.float32)

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of the parameters by name."""
        return {name: np.array(value._data) for name, value in self.params.items()}

    def load_state(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Put parameters in place. Raises BadInput if a name or a shape differs; then nothing is changed."""
        if not isinstance(state, Mapping) or any(isinstance(array, Value) for array in state.values()):
            raise BadInput("load_state takes what state() gives: a dict of arrays by name.")
        if set(state) != set(self.params):
            differ = sorted(map(str, set(state) ^ set(self.params)))
            raise BadInput(f"These are the parameters of another network; they differ in {', '.join(differ)[:200]}.")
        for name, value in self.params.items():
            if np.shape(state[name]) != value.shape:
                raise BadInput(f"{name} has shape {value.shape} here, and {np.shape(state[name])} there.")
            if np.asarray(state[name]).dtype.kind not in "fiu":
                raise BadInput(f"{name} is to be numbers, not {np.asarray(state[name]).dtype}.")
        for name, value in self.params.items():
            array = np.array(state[name], value._data.dtype)
            array.flags.writeable = False
            value.data = array

    def save(self, file: str | PathLike[str]) -> None:
        """Write the parameters to an .npz file, whole or not at all. Raises OSError as ``open`` does."""
        save_arrays(file, KIND, {"layers": np.array(repr(self)), **self.state()})

    def load(self, file: str | PathLike[str]) -> None:
        """Read parameters that ``save`` wrote. Raises BadInput for another network's, or another kind of file."""
        state = load_arrays(file, KIND, dict)
        if str(state.pop("layers", "")) != repr(self):
            raise BadInput(f"{file} keeps the parameters of another network.")
        self.load_state(state)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"


def small_fc_net(
    inputs: int = 784,
    *,
    hidden: int = 300,
    classes: int = 10,
    dropout: float = 0.0,
    rng: Any = None,
    dtype: Any = np.float32,
) -> Sequential:
    """SmallFCNet of the RAD and SPAD papers: three hidden layers of 300 units; images are flattened first.

    >>> from tinyspad import nn
    >>> nn.small_fc_net(rng=0)
    Sequential(Flatten(), Linear(784, 300), ReLU(), Linear(300, 300), ReLU(), Linear(300, 300), ReLU(), Linear(300, 10))
    """
    rng = generator(rng)
    layers: list[Layer] = [Flatten()]
    for n in (inputs, hidden, hidden):
        layers += [Linear(n, hidden, rng=rng, dtype=dtype), ReLU()] + [Dropout(dropout)] * (dropout > 0)
    return Sequential(*layers, Linear(hidden, classes, rng=rng, dtype=dtype))


def small_conv_net(
    shape: tuple[int, int, int] = (3, 32, 32),
    *,
    classes: int = 10,
    dropout: float = 0.0,
    rng: Any = None,
    dtype: Any = np.float32,
) -> Sequential:
    """SmallConvNet of the RAD and SPAD papers, for images of this shape: four 5 x 5 convolutions and two poolings.

    >>> from tinyspad import nn
    >>> nn.small_conv_net(rng=0).layers[-1]
    Linear(2048, 10)
    """
    rng = generator(rng)

    def block(inputs: int, outputs: int) -> list[Layer]:
        return [Conv2d(inputs, outputs, 5, padding=2, rng=rng, dtype=dtype), ReLU()] + [Dropout(dropout)] * (
            dropout > 0
        )

    body = [*block(shape[0], 16), *block(16, 32), AvgPool2d(), *block(32, 32), *block(32, 32), AvgPool2d(), Flatten()]
    (features,) = Sequential(*body).out_shape(shape)
    return Sequential(*body, Linear(features, classes, rng=rng, dtype=dtype), at_once=10)
