"""What layers compute, as rules on the tape. A rule's vjp captures what backward needs of its operands, and nothing else.

| function | keeps for backward |
|---|---|
| ``linear``, ``conv2d`` | the followed inputs (all of them where nothing is said), and the weight itself |
| ``relu``, ``dropout`` | one bit per element |
| ``avg_pool2d``, ``flatten`` | a shape |
| ``log_softmax``, ``cross_entropy`` | the probabilities |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import integer
from ..errors import BadInput
from ..rules import Rows, rule
from ..rules.elementwise import reals
from . import convolution
from .followed import Different, Followed, Nothing, Same

Array = np.ndarray[Any, Any]
Vjp = Callable[[Any], Any]


# --- linear -----------------------------------------------------------------------------------------------------------


def linear(x: Any, weight: Any, bias: Any, followed: Followed | None = None) -> Any:
    """x @ weight + bias, with x (B, d), weight (d, n), bias (n,).

    The gradient of the weight is x^T g, or, where only some inputs are followed, its estimate (x P P^T)^T g, of which
    no more is computed than the rows that are not zero.

    >>> import numpy as np
    >>> import tinyspad as ts
    >>> from tinyspad import nn
    >>> weight = ts.Value(np.ones((3, 2)))
    >>> out = nn.linear(np.arange(6.0).reshape(2, 3), weight, np.zeros(2), nn.Same(np.array([1]), 3))
    >>> out.backward(np.ones((2, 2)))
    >>> weight.grad            # 3 times row 1 of the exact gradient, which has rows 3, 5, 7
    array([[ 0.,  0.],
           [15., 15.],
           [ 0.,  0.]])
    """
    if np.ndim(weight) != 2 or np.shape(bias) != np.shape(weight)[1:]:
        raise BadInput(
            f"linear: the weight has shape (d, n) and the bias (n,), not {np.shape(weight)}, {np.shape(bias)}."
        )
    _check_followed(followed, np.shape(x)[-1])
    if np.ndim(x) != 2 or np.shape(x)[1] != np.shape(weight)[0]:
        raise BadInput(
            f"linear: x has shape {np.shape(x)}, and the weight takes (examples, {np.shape(weight)[0]}). Flatten images "
            "first."
        )
    out: Array = x @ weight
    out += bias
    return out


def _linear_x(out: Array, x: Array, weight: Array, bias: Array, followed: Followed | None = None) -> Vjp:
    return lambda g: g @ weight.T


def _linear_weight(out: Array, x: Array, weight: Array, bias: Array, followed: Followed | None = None) -> Vjp:
    shape = weight.shape
    if followed is None:
        return lambda g: x.T @ g
    kept = followed.keep(x)
    if isinstance(followed, Nothing):
        return lambda g: Rows(np.zeros(0, int), np.zeros((0, shape[1]), g.dtype), shape)
    if isinstance(followed, Same):
        index, scale = followed.index, followed.scale

        def rows(g: Array) -> Rows:
            values = kept.T @ g
            values *= values.dtype.type(scale)
            return Rows(index, values, shape)

        return rows
    if isinstance(followed, Different):
        return lambda g: followed.restore(kept).T @ g
    return lambda g: followed.matrix(g.dtype) @ (kept.T @ g)


def _linear_bias(out: Array, x: Array, weight: Array, bias: Array, followed: Followed | None = None) -> Vjp:
    if isinstance(followed, Nothing):
        return lambda g: np.zeros(g.shape[1], g.dtype)
    return lambda g: g.sum(axis=0)


linear = rule(
    linear,
    vjp=(_linear_x, _linear_weight, _linear_bias),
    domain=[(reals(4, 3), reals(3, 2), reals(2))],
    forgets=True,
)


# --- convolution ------------------------------------------------------------------------------------------------------


def conv2d(x: Any, weight: Any, bias: Any, stride: int = 1, padding: int = 0, followed: Followed | None = None) -> Any:
    """Correlation of images x (B, C, H, W) with weight (O, C, kh, kw), plus bias (O,): (B, O, H', W').

    ``padding`` rows and columns of zeros stand around an image. ``followed`` chooses pixels, for all channels alike; their
    share is also the share of the work that the weight's gradient takes.

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
    _check_followed(followed, shape[2] * shape[3])
    return convolution.convolve(_floating(x), np.asarray(weight), np.asarray(bias), stride, padding)


def _conv_x(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    shape = x.shape
    return lambda g: convolution.input_gradient(g, weight, shape, stride, padding)


def _conv_weight(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    shape, images = weight.shape, x.shape
    if followed is None:
        return lambda g: convolution.weight_gradient(g, x, shape, stride, padding)
    if isinstance(followed, Nothing):
        return lambda g: np.zeros(shape, g.dtype)
    kept = followed.keep(x.reshape(*images[:2], -1))
    if isinstance(followed, (Same, Different)):

        def at_pixels(g: Array) -> Array:
            out = convolution.weight_gradient_at(g, kept, followed.index, images[2:], shape, stride, padding)
            out *= out.dtype.type(followed.scale)
            return out

        return at_pixels

    def of_projection(g: Array) -> Array:
        total = np.zeros(shape, g.dtype)
        for i in range(images[0]):  # one image at a time is restored
            x = followed.restore(kept[i : i + 1]).reshape(1, *images[1:])
            total += convolution.weight_gradient(g[i : i + 1], x, shape, stride, padding)
        return total

    return of_projection


def _conv_bias(
    out: Array, x: Array, weight: Array, bias: Array, stride: int = 1, padding: int = 0, followed: Any = None
) -> Vjp:
    if isinstance(followed, Nothing):
        return lambda g: np.zeros(g.shape[1], g.dtype)
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


def _check_followed(followed: Any, d: int) -> None:
    if followed is not None and followed.d != d:
        raise BadInput(f"The followed inputs are of {followed.d}, and the layer has {d}.")


def _floating(x: Any) -> Array:
    """An array of floats: whole numbers, such as the bytes of an image, become float32."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float32)


# --- the rest ---------------------------------------------------------------------------------------------------------


def relu(x: Any) -> Any:
    """max(x, 0), which keeps one bit for each element. At 0 the slope is 0.

    >>> import numpy as np
    >>> import tinyspad as ts
    >>> from tinyspad import nn
    >>> x = ts.Value(np.array([-1.0, 0.0, 2.0]))
    >>> nn.relu(x).backward(np.ones(3))
    >>> x.grad
    array([0., 0., 1.])
    """
    return np.maximum(x, 0)


def _masked(mask: Array, scale: float = 1.0) -> Vjp:
    shape, bits = mask.shape, np.packbits(mask.reshape(-1))

    def back(g: Array) -> Array:
        mask = np.unpackbits(bits, count=g.size).view(bool).reshape(shape)
        out = g * mask
        if scale != 1.0:
            out *= out.dtype.type(scale)
        return out

    return back


relu = rule(relu, vjp=lambda out, x: _masked(out > 0), domain=[(reals(3, 4),)], forgets=True, kind="elementwise")


def dropout(x: Any, mask: Any, rate: float = 0.5) -> Any:
    """x where the mask is true, divided by 1 - rate, and zero elsewhere (Srivastava et al. 2014); keeps one bit an element.

    ``mask``: truth values of x's shape. Raises BadInput for another mask.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> nn.dropout(np.array([1.0, 2.0]), np.array([True, False]), rate=0.5)
    array([2., 0.])
    """
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != np.shape(x):
        raise BadInput(f"dropout: the mask is an array of truth values of shape {np.shape(x)}.")
    out: Array = _floating(x) * mask
    out *= out.dtype.type(1 / (1 - rate))
    return out


dropout = rule(
    dropout,
    vjp=(lambda out, x, mask, rate=0.5: _masked(np.asarray(mask, bool), 1 / (1 - rate)), None),
    domain=[(reals(2, 3), np.array([[True, False, True], [False, True, True]]), {"rate": 0.25})],
    forgets=True,
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
    x, (h, w) = _floating(x), np.shape(x)[2:]
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

    def back(g: Array) -> Array:
        h, w = g.shape[2:]
        g = g * g.dtype.type(1 / size**2)
        out = (np.empty if (h * size, w * size) == shape[2:] else np.zeros)(shape, g.dtype)
        for dy, dx in np.ndindex(size, size):
            out[:, :, dy : h * size : size, dx : w * size : size] = g
        return out

    return back


avg_pool2d = rule(
    avg_pool2d, vjp=_avg_pool, domain=[(reals(2, 2, 4, 6),), (reals(1, 2, 5, 7), {"size": 3})], forgets=True
)


def flatten(x: Any) -> Any:
    """Everything but the first axis in one: (B, ...) to (B, d).

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> nn.flatten(np.zeros((5, 3, 2, 2))).shape
    (5, 12)
    """
    return np.reshape(x, (np.shape(x)[0], -1))


def log_softmax(x: Any) -> Any:
    """x - log(sum(exp(x))) along the last axis, without overflow; keeps the probabilities.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> nn.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    return _log_softmax_of(x)


def _log_softmax_of(x: Any) -> Any:
    x = _floating(x)
    shifted: Array = x - x.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.result_type(x, np.float32)))
    return shifted


def _log_softmax(out: Array, x: Array) -> Vjp:
    p = np.exp(out)
    return lambda g: g - p * g.sum(axis=-1, keepdims=True)


log_softmax = rule(log_softmax, vjp=_log_softmax, domain=[(reals(3, 4),)], forgets=True)


def checked_labels(where: str, labels: Any, shape: tuple[int, ...]) -> Array:
    """Labels as an array; raises BadInput unless there is a class for each row of logits of this shape."""
    if len(shape) != 2:
        raise BadInput(f"{where}: logits have shape (examples, classes), not {shape}.")
    try:
        labels = np.asarray(labels)
    except ValueError:
        labels = np.array("rows of different lengths")
    if labels.shape != shape[:1] or labels.dtype.kind not in "iu":
        raise BadInput(f"{where}: labels are {shape[0]} whole numbers, one for each row of logits, in one row.")
    if labels.size == 0 or labels.min() < 0 or labels.max() >= shape[1]:
        raise BadInput(f"{where}: labels go from 0 to {shape[1] - 1}, and there is at least one.")
    return labels


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean over examples of -log softmax(logits)[label]; logits (B, n), labels whole numbers (B,).

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> float(nn.cross_entropy(np.zeros((4, 10)), np.arange(4))) == float(np.log(10))
    True
    """
    labels = checked_labels("cross_entropy", labels, np.shape(logits))
    return -_log_softmax_of(logits)[np.arange(len(labels)), labels].mean()


def _cross_entropy(out: Any, logits: Array, labels: Any) -> Vjp:
    p = np.exp(_log_softmax_of(logits))
    labels = np.array(labels)

    def back(g: Any) -> Array:
        gradient = p.copy()
        gradient[np.arange(len(p)), labels] -= 1
        gradient *= p.dtype.type(float(g) / len(p))  # a count may be beyond float16
        return gradient

    return back


cross_entropy = rule(
    cross_entropy, vjp=(_cross_entropy, None), domain=[(reals(3, 4), np.array([1, 0, 3]))], forgets=True
)
