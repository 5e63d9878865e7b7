"""What is held for backward: counted on the tape, or by RAD's formula before anything is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import integer
from ..errors import BadInput
from ..rules import LinearMap
from ..tape import Value, behind, label_of, leaf_data, parents, partials, rule_of
from .checkpoint import Checkpoint
from .followed import Different, Identity, Nothing, Projection, Same, kept_number
from .layers import Conv2d, Layer, Linear, Sequential
from .recurrent import Recurrent

FOLLOWED = (Same, Different, Projection, Identity, Nothing)


def saved_bytes(loss: Value) -> dict[str, int]:
    """The bytes of all arrays that backward needs of the tape behind a loss, by layer; leaves (parameters) are not counted.

    An array that several layers hold counts where it is met first, from the start of the network. "loss" is what comes after
    the last layer. Cost: the operations on the tape.

    >>> import numpy as np
    >>> from tinyspad import nn
    >>> net = nn.Sequential(nn.Linear(100, 10, rng=0), nn.ReLU(), nn.Linear(10, 2, rng=0))
    >>> images, labels = np.ones((50, 100), np.float32), np.zeros(50, int)
    >>> held = nn.saved_bytes(nn.cross_entropy(net(images), labels))
    >>> held["0"] == 4 * 50 * 100, held["1"] == -(-50 * 10 // 8), held["2"] == 4 * 50 * 10
    (True, True, True)
    """
    if not isinstance(loss, Value):
        raise BadInput(f"saved_bytes takes a loss, which is a Value, not {loss!r:.60}.")
    entries = behind(loss._node)
    leaves = {id(_owner(leaf_data(p))) for e in entries for p in parents(e) if rule_of(p) is None}
    seen: set[int] = set(leaves)
    found: dict[str, int] = {}
    for entry in entries:
        held = sum(_held(edge, seen) for edge in partials(entry))
        if held:
            name = label_of(entry) or "loss"
            found[name] = found.get(name, 0) + held
    return found


def _owner(x: Any) -> Any:
    """The array whose memory a view shows."""
    while isinstance(x, np.ndarray) and isinstance(x.base, np.ndarray):
        x = x.base
    return x


def _held(thing: Any, seen: set[int]) -> int:
    """The bytes of the arrays in a partial derivative: itself, or what its vjp captured."""
    total, stack = 0, [thing]
    while stack:
        x = stack.pop()
        if isinstance(x, np.ndarray):
            x = _owner(x)
            if id(x) not in seen:
                seen.add(id(x))
                total += x.nbytes
        elif isinstance(x, LinearMap):
            stack.append(x.vjp)
        elif isinstance(x, FOLLOWED):
            stack += vars(x).values()
        elif isinstance(x, (tuple, list)):
            stack += x
        elif getattr(x, "__closure__", None):
            stack += [cell.cell_contents for cell in x.__closure__]
    return total


def _flat(layer: Layer) -> list[Layer]:
    """The layers inside, in order."""
    if isinstance(layer, Sequential):
        return [inner for part in layer.layers for inner in _flat(part)]
    return _flat(layer.block) if isinstance(layer, Checkpoint) else [layer]


def counted_memory(
    net: Sequential, batch_size: int, keep: float = 1.0, shape: tuple[int, ...] | None = None
) -> dict[str, int]:
    """RAD's count, in bytes, of what a training step holds: weights, kept inputs of layers, logits, and bits for ReLU.

    4 (weights + ceil(keep d) batch for each layer of d inputs, a recurrent one's at each step, + logits) + one bit for each
    activation that enters a later layer (no bits at keep = 1), Table 1 of Oktay et al. 2020. ``shape``: an example's, where
    the first layer does not tell (convolutions, recurrent layers).

    >>> from tinyspad import nn
    >>> net = nn.small_fc_net(rng=0)
    >>> [round(nn.counted_memory(net, 150, keep)["total"] / 1e6, 2) for keep in (1, 0.5, 0.1)]
    [2.69, 2.2, 1.8]
    """
    layers = _flat(net)
    first = next((layer for layer in layers if isinstance(layer, (Linear, Conv2d, Recurrent))), None)
    if shape is None and isinstance(first, Linear):
        shape = (first.inputs,)
    if shape is None:
        raise BadInput("counted_memory: say what shape an example has, shape=(3, 32, 32).")
    weights = sum(value.size for value in net.params.values())
    inputs = bits = 0
    batch_size = integer(batch_size, "counted_memory: batch_size")
    if not 0 < keep <= 1:
        raise BadInput(f"counted_memory: keep is a share, above 0 and at most 1, not {keep!r:.40}.")
    for layer in layers:
        for d, times, activations in _inputs(layer, shape, layer is first):
            inputs += times * kept_number(keep, d) * batch_size
            bits += activations * d * batch_size
        shape = layer.out_shape(shape)
    logits = int(np.prod(shape)) * batch_size
    counts = {
        "weights": 4 * weights,
        "inputs": 4 * inputs,
        "logits": 4 * logits,
        "bits": -(-bits // 8) if keep < 1 else 0,
    }
    return {**counts, "total": sum(counts.values())}


def _inputs(layer: Layer, shape: tuple[int, ...], first: bool) -> list[tuple[int, int, int]]:
    """What weights of a layer are multiplied with: how many inputs, how many times, and how often these are activations."""
    if isinstance(layer, Recurrent):
        steps = shape[0]
        return [(layer.hidden, steps, steps - 1), (layer.inputs, steps, 0 if first else steps)]
    return [(int(np.prod(shape)), 1, int(not first))] if isinstance(layer, (Linear, Conv2d)) else []
