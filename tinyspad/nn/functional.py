"""What layers compute, as rules on the tape. A rule's vjp captures what backward needs of its operands, and nothing else.

| function | keeps for backward |
|---|---|
| ``linear`` | the followed inputs (all of them where nothing is said), and the weight itself |
| ``relu``, ``dropout`` | one bit per element |
| ``flatten`` | a shape |
| ``log_softmax``, ``cross_entropy`` | the probabilities |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import BadInput, NoRule
from ..rules import Rows, is_data, rule
from ..rules.elementwise import reals
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
    check_followed(followed, np.shape(x)[-1])
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
    check_first_order("linear", x)
    kept = followed.keep(x)
    if isinstance(followed, Nothing):
        return lambda g: no_rows(shape, g.dtype)
    if isinstance(followed, Same):
        index, scale = followed.index, followed.scale

        def rows(g: Array) -> Rows:
            check_first_order("linear", g)
            values = kept.T @ g
            values *= values.dtype.type(scale)
            return Rows(index, values, shape)

        return rows
    if isinstance(followed, Different):
        return lambda g: followed.restore(kept).T @ g
    return lambda g: followed.matrix(g.dtype) @ (kept.T @ g)


def _linear_bias(out: Array, x: Array, weight: Array, bias: Array, followed: Followed | None = None) -> Vjp:
    if isinstance(followed, Nothing):
        return lambda g: no_rows(bias.shape, g.dtype)
    return lambda g: g.sum(axis=0)


linear = rule(
    linear,
    vjp=(_linear_x, _linear_weight, _linear_bias),
    domain=[(reals(4, 3), reals(3, 2), reals(2))],
    forgets=True,
)


def no_rows(shape: tuple[int, ...], dtype: Any) -> Rows:
    """The gradient of a parameter of this shape to which no path is followed."""
    return Rows(np.zeros(0, int), np.zeros((0, *shape[1:]), dtype), shape)


def check_first_order(name: str, x: Any) -> None:
    """Raise NoRule if this is a recording, of which a second derivative will be asked."""
    if not is_data(x):
        raise NoRule(
            f"{name}: the gradient from some of its inputs is an estimate, and has no derivative. Follow all of them where "
            "second derivatives are taken."
        )


def check_followed(followed: Any, d: int) -> None:
    """Raise BadInput unless the followed inputs are of that many."""
    if followed is not None and followed.d != d:
        raise BadInput(f"The followed inputs are of {followed.d}, and the layer has {d}.")


def floating(x: Any) -> Array:
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


relu = rule(
    relu, vjp=lambda out, x: _masked(out > 0), domain=[(reals(3, 4),)], forgets=True, kind="elementwise", chooses=True
)


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
    out: Array = floating(x) * mask
    out *= out.dtype.type(1 / (1 - rate))
    return out


dropout = rule(
    dropout,
    vjp=(lambda out, x, mask, rate=0.5: _masked(np.asarray(mask, bool), 1 / (1 - rate)), None),
    domain=[(reals(2, 3), np.array([[True, False, True], [False, True, True]]), {"rate": 0.25})],
    forgets=True,
    kind="elementwise",
    chooses=True,
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
    x = floating(x)
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
    p, labels = np.exp(log_softmax(logits)), np.array(labels)

    def back(g: Any) -> Array:
        if not (is_data(g) and is_data(p)):
            hits = np.zeros(np.shape(p), np.result_type(p))
            hits[np.arange(len(p)), labels] = 1
            return (p - hits) * (g / len(p))
        gradient = p.copy()
        gradient[np.arange(len(p)), labels] -= 1
        gradient *= p.dtype.type(float(g) / len(p))  # a count may be beyond float16
        return gradient

    return back


cross_entropy = rule(
    cross_entropy, vjp=(_cross_entropy, None), domain=[(reals(3, 4), np.array([1, 0, 3]))], forgets=True
)
