"""What layers of images compute, as rules on the tape.

| function | keeps for backward |
|---|---|
| ``conv2d`` | the followed pixels (all of them where nothing is said), and the weight itself |
| ``avg_pool2d`` | a shape |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import integer
from ..errors import BadInput
from ..rules import rule
from ..rules.elementwise import reals
from . import convolution
from .followed import Followed, Nothing, Same
from .functional import check_first_order, check_followed, floating, no_rows

Array = np.ndarray[Any, Any]
Vjp = Callable[[Any], Any]


def conv2d(x: Any, weight: Any, bias: Any, stride: int = 1, padding: int = 0, followed: Followed | None = None) -> Any:
    """Correlation of images x (B, C, H, W) with weight (O, C, kh, kw), plus bias (O,): (B, O, H', W').

    ``padding`` rows and columns of zeros stand around an image. ``followed`` chooses pixels: for all images and channels
    alike (``Same``; their share is also the share of the work that the weight's gradient takes), or for each channel of each
    image by itself (``Different``).

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> nn.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.zeros(1), padding=1)[0, 0]
    array([[1., 2., 2., 1.],
           [2., 4., 4., 2.],
           [2., 4., 4., 2.],
           [1., 2., 2., 1.]])
    """
    shape, kernel = np.shape(x), np.shape(weight)
    for name, value, least in (("stride", stride, 1), ("padding", padding, 0)):
        integer(value, f"conv2d: {name}", least)
    if np.shape(bias) != kernel[:1]:
        raise BadInput(f"conv2d: the bias has shape {kernel[:1]}, one for each output channel, not {np.shape(bias)}.")
    if len(shape) != 4 or len(kernel) != 4 or shape[1] != kernel[1]:
        raise BadInput(f"conv2d: x has shape {shape}, and the weight {kernel} takes (images, {kernel[1:2]}, H, W).")
    if any(n + 2 * padding < k for n, k in zip(shape[2:], kernel[2:])):
        raise BadInput(f"conv2d: images {shape[2:]} with padding {padding} are smaller than the kernel {kernel[2:]}.")
    check_followed(followed, shape[2] * shape[3])
    return convolution.convolve(floating(x), np.asarray(weight), np.asarray(bias), stride, padding)


def _conv_x(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    shape = x.shape
    return lambda g: input_gradient(g, weight, shape, stride, padding)


def _conv_weight(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    shape, images = weight.shape, x.shape
    if followed is None:
        return lambda g: weight_gradient(g, x, shape, stride, padding)
    check_first_order("conv2d", x)
    if isinstance(followed, Nothing):
        return lambda g: no_rows(shape, g.dtype)
    kept = followed.keep(x.reshape(*images[:2], -1))
    if isinstance(followed, Same):

        def at_pixels(g: Array) -> Array:
            out = convolution.weight_gradient_at(g, kept, followed.index, images[2:], shape, stride, padding)
            out *= out.dtype.type(followed.scale)
            return out

        return at_pixels

    def restored(g: Array) -> Array:
        total = np.zeros(shape, g.dtype)
        for i in range(images[0]):  # one image at a time: all of them would be as large as what was not kept
            x = followed.of(i).restore(kept[i : i + 1]).reshape(1, *images[1:])
            total += convolution.weight_gradient(g[i : i + 1], x, shape, stride, padding)
        return total

    return restored


def _conv_bias(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    if isinstance(followed, Nothing):
        return lambda g: no_rows(bias.shape, g.dtype)
    return lambda g: g.sum(axis=(0, 2, 3))


conv2d = rule(
    conv2d,
    vjp=(_conv_x, _conv_weight, _conv_bias),
    domain=[
        (reals(2, 2, 5, 4), reals(3, 2, 3, 3), reals(3)),
        (reals(2, 2, 5, 6), reals(3, 2, 3, 2), reals(3), {"stride": 2, "padding": 1}),
    ],
    forgets=True,
)


# Its gradients are convolutions, too: <u, input_gradient(g, w)> = <conv2d(u, w), g> = <w, weight_gradient(g, u)>.


weight_gradient: Callable[..., Any]


def _unbiased(x: Any, weight: Any, stride: int, padding: int) -> Any:
    return conv2d(x, weight, np.zeros(np.shape(weight)[0], np.result_type(weight)), stride, padding)


input_gradient = rule(
    convolution.input_gradient,
    vjp=(
        lambda out, g, weight, shape, stride, padding: lambda u: _unbiased(u, weight, stride, padding),
        lambda out, g, weight, shape, stride, padding: (
            lambda u: weight_gradient(g, u, np.shape(weight), stride, padding)
        ),
    ),
    domain=[(reals(2, 3, 3, 2), reals(3, 2, 3, 3), (2, 2, 5, 4), 1, 0)],
)
weight_gradient = rule(
    convolution.weight_gradient,
    vjp=(
        lambda out, g, x, shape, stride, padding: lambda u: _unbiased(x, u, stride, padding),
        lambda out, g, x, shape, stride, padding: lambda u: input_gradient(g, u, np.shape(x), stride, padding),
    ),
    domain=[(reals(2, 3, 3, 2), reals(2, 2, 5, 4), (3, 2, 3, 3), 1, 0)],
)


def avg_pool2d(x: Any, size: int = 2) -> Any:
    """The mean of each size x size square of images (B, C, H, W); rows and columns left over are dropped.

    Keeps nothing but shapes. Raises BadInput for images smaller than a square.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> nn.avg_pool2d(np.arange(8.0).reshape(1, 1, 2, 4))
    array([[[[2.5, 4.5]]]])
    """
    if np.ndim(x) != 4:
        raise BadInput(f"avg_pool2d takes images (B, C, H, W), not an array of shape {np.shape(x)}.")
    x, (h, w) = floating(x), np.shape(x)[2:]
    if min(h, w) < size:
        raise BadInput(f"avg_pool2d: images of {h} x {w} are smaller than the square {size} x {size}.")
    corners = [x[:, :, dy : h // size * size : size, dx : w // size * size : size] for dy, dx in np.ndindex(size, size)]
    out = corners[0].copy()
    for corner in corners[1:]:
        out += corner
    out *= out.dtype.type(1 / size**2)
    return out


def _avg_pool(out: Array, x: Array, size: int = 2) -> Vjp:
    shape = x.shape
    return lambda g: shared_out(g, shape, size)


def shared_out(g: Any, shape: tuple[int, ...], size: int) -> Any:
    """The transpose of ``avg_pool2d``: each number of g in equal shares all over its square of images of this shape.

    >>> import numpy as np
    >>> shared_out(np.array([[[[8.0]]]]), (1, 1, 2, 3), 2)
    array([[[[2., 2., 0.],
             [2., 2., 0.]]]])
    """
    h, w = g.shape[2:]
    g = g * g.dtype.type(1 / size**2)
    out: Array = (np.empty if (h * size, w * size) == shape[2:] else np.zeros)(shape, g.dtype)
    for dy, dx in np.ndindex(size, size):
        out[:, :, dy : h * size : size, dx : w * size : size] = g
    return out


shared_out = rule(
    shared_out,
    vjp=lambda out, g, shape, size: lambda u: avg_pool2d(u, size),
    domain=[(reals(2, 2, 2, 3), (2, 2, 4, 6), 2), (reals(1, 1, 1, 2), (1, 1, 4, 7), 3)],
)
avg_pool2d = rule(
    avg_pool2d, vjp=_avg_pool, domain=[(reals(2, 2, 4, 6),), (reals(1, 2, 5, 7), {"size": 3})], forgets=True
)
