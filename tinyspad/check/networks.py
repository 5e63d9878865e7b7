"""Exercises of tutorial 08: what backward must remember of a neural net, and what it may forget."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .answer import call
from .memory import alive_elsewhere, bytes_kept, is_plain, taken_along
from .verdict import Wrong, exercise, number, pair, same, show

X = np.array([-1.5, 2.0, 0.0, 0.5, -0.25, 3.0, 1.0, -2.0, 4.0, -1.0, 0.125])


@exercise(
    8,
    "One bit for each",
    idea="Backward asks one question of each element: was it above 0? Eight such answers fit into a byte.",
    formula="kept = np.packbits(x > 0), and g * np.unpackbits(kept, count=len(g)).",
)
def relu_keep(relu_keep: Callable[..., Any], relu_back: Callable[..., Any]) -> None:
    """Grade ``relu_keep(x)``, which returns (max(x, 0), kept), and ``relu_back(kept, g)``, the gradient by x.

    What is kept takes about one bit for each element, and all that backward needs is in it.

    >>> from tinyspad import check
    >>> check.relu_keep(lambda x: (np.maximum(x, 0), x), lambda kept, g: g * (kept > 0)).misconception
    'keeps numbers'
    """
    rng, told = np.random.default_rng(0), "relu_keep(x)"
    large = rng.normal(size=4001)
    for x in (X, large):
        out, kept = pair(call(relu_keep, x, told=told), told, "max(x, 0), and what backward needs")
        if not same(out, np.maximum(x, 0)):
            raise Wrong("another output", "The output is max(x, 0).", f"{told} gave {show(out)} for x = {show(x)}.")
        g = rng.normal(size=x.shape)
        back = call(relu_back, kept, g, told="relu_back(kept, g)")
        seen = np.asarray(back)[:4] if np.ndim(back) else back
        example = f"For x = {show(x[:4])}... and g = {show(g[:4])}... it gave {show(seen)}."
        if same(back, g):
            raise Wrong("lets everything through", "Where x was not above 0 the output does not move with x.", example)
        if same(back, g * (g > 0)):
            raise Wrong("looks at g", "Whether the gradient passes depends on x, not on the sign of g.", example)
        if same(back, g * (x >= 0)) and np.any(x == 0):
            raise Wrong(
                "passes at zero", "At x = 0 the output does not move to the left; here the slope at 0 is 0.", example
            )
        if not same(back, g * (x > 0)):
            raise Wrong("another gradient", "It is g where x was above 0, and 0 elsewhere.", example)
    if not is_plain(kept):
        raise Wrong("keeps something else", "Keep arrays, numbers, or a tuple of them.", f"It kept {show(kept)}.")
    held = bytes_kept(kept)
    if held > large.size // 8 + 64:
        example = f"For {large.size} numbers it kept {held} bytes; {-(-large.size // 8)} are enough."
        if held >= 4 * large.size:
            raise Wrong(
                "keeps numbers", "Backward does not need the numbers: only, for each, whether it was above 0.", example
            )
        raise Wrong(
            "a byte for each", "A Boolean array has a byte for each element. np.packbits puts eight into one.", example
        )
    _check_own(relu_keep, relu_back)


def _check_own(relu_keep: Callable[..., Any], relu_back: Callable[..., Any]) -> None:
    """Raise Wrong if backward needs what is not in what was kept: two layers go forward before either goes backward."""
    hint = (
        "Backward works only right after forward, or memory grows by more than what is handed on: something is kept "
        "outside of "
        "it, in a global, or by which object it is. A net has many layers, and all go forward before the first goes "
        "backward."
    )
    rng, told = np.random.default_rng(3), "relu_keep(x1), relu_keep(x2), relu_back(kept1, g), relu_back(kept2, g)"
    large = rng.normal(size=400_000)
    here = "relu_keep(x) of 400 000 numbers"
    elsewhere = alive_elsewhere(
        lambda x: call(relu_keep, x, told=here), large, lambda result: large.nbytes + bytes_kept(result[1])
    )
    if elsewhere > large.size // 16:
        raise Wrong("keeps it elsewhere", hint, f"After {here} {elsewhere} bytes more are in use than it returned.")
    for size in (1, 8, 13):
        layers = [rng.normal(size=size) for _ in range(2)]
        layers[1][0] = -layers[0][0]  # the two differ
        kept = [
            taken_along(pair(call(relu_keep, x, told=told), told, "max(x, 0), and what backward needs")[1])
            for x in layers
        ]
        g = np.arange(1.0, size + 1)
        for x, one in zip(layers, kept):
            if not same(call(relu_back, one, g, told=told), g * (x > 0)):
                hint = (
                    "Backward works only right after forward: something is kept outside of what is handed on, in a "
                    "global, or "
                    "by which object it is. A net has many layers, and all go forward before the first goes backward."
                )
                raise Wrong("keeps it elsewhere", hint, f"{told}, each x of {size} numbers.")


@exercise(
    8,
    "Follow some inputs",
    idea="dW = x.T @ g is a sum over the columns of x, a row for each. Which rows are known, and how often is a row "
    "among them?",
    formula="dW = np.zeros(W.shape); dW[index] = x[:, index].T @ g * (d / k), d columns, k of them followed; y = x @ "
    "W and dx = g "
    "@ W.T are exact.",
)
def follow_columns(answer: Callable[..., Any]) -> None:
    """Grade ``follow_columns(x, W, g, index)``: (y, dx, dW) of y = x W, with dW from the columns ``index`` of x alone.

    Matrix injection (Oktay et al. 2020): the estimate of dW is right on average over all sets of as many columns; y and dx
    are exact. ``index``: different columns, in any order. ``W`` may hold integers.

    >>> from tinyspad import check
    >>> check.follow_columns(lambda x, W, g, index: (x @ W, g @ W.T, x.T @ g)).misconception
    'follows all'
    """
    rng = np.random.default_rng(1)
    for rows, d, n, index in (
        (2, 3, 2, [1]),
        (4, 6, 3, [0, 3, 4]),
        (3, 5, 2, [4, 0, 2]),
        (2, 7, 4, [6, 1, 5, 2, 0]),
        (3, 4, 4, [2, 0, 3]),
        (2, 3, 2, [2, 0, 1]),
    ):
        x, W, g = (rng.integers(-3, 4, shape).astype(float) for shape in ((rows, d), (d, n), (rows, n)))
        at = np.array(index)
        told = f"follow_columns(x, W, g, {index}) with x {rows} x {d}"
        result = call(answer, x, W, g, at, told=told)
        if not isinstance(result, (tuple, list)) or len(result) != 3:
            raise Wrong(
                "another shape",
                "Return three arrays: y, the gradient of x, the gradient of W.",
                f"{told} gave {show(result)}.",
            )
        y, dx, dw = result
        masked = np.zeros_like(x)
        masked[:, at] = x[:, at]
        exact, scaled = x.T @ g, masked.T @ g * (d / len(at))
        if not same(y, x @ W) and (same(y, masked @ W) or same(y, masked @ W * (d / len(at)))):
            raise Wrong(
                "drops inputs forward",
                "That is dropout. Here the output is that of all inputs: y = x @ W.",
                f"{told} gave y = {show(y)}.",
            )
        if not same(y, x @ W):
            raise Wrong("another output", "The output is x @ W, of all inputs.", f"{told} gave y = {show(y)}.")
        inputs = np.zeros_like(x)
        inputs[:, at] = (g @ W.T)[:, at]
        disturbed = (inputs, inputs * (d / len(at)), g @ W.T * (d / len(at)))
        if not same(dx, g @ W.T) and any(same(dx, other) for other in disturbed):
            raise Wrong(
                "disturbs the signal",
                "The gradient of x goes on to the layers before: it stays exact, g @ W.T, or the noise of every layer "
                "would reach all others.",
                f"{told} gave dx = {show(dx)}.",
            )
        if not same(dx, g @ W.T):
            raise Wrong(
                "another gradient of x", "It is g @ W.T, whatever is followed.", f"{told} gave dx = {show(dx)}."
            )
        example = f"{told} gave dW = {show(dw)}; x.T @ g is {show(exact)}."
        if same(dw, scaled):
            continue
        if np.shape(dw) == (len(at), n):
            raise Wrong(
                "rows without a place",
                "W has a row for each column of x: put the rows into an array of zeros.",
                example,
            )
        if same(dw, exact):
            raise Wrong("follows all", "Only the columns index of x may be used for the gradient of W.", example)
        if same(dw, masked.T @ g * (d // len(at))):
            raise Wrong("divides in integers", "d // k drops what is left over: 7 // 3 is 2. Divide with /.", example)
        in_order = np.zeros_like(exact)
        in_order[at] = exact[np.sort(at)] * (d / len(at))
        if same(dw, in_order):
            hint = "index need not be sorted: a mask gives the columns in their order, x[:, index] in that of index."
            raise Wrong("mask order", hint, example)
        if same(dw, masked.T @ g):
            raise Wrong(
                "forgets d / k", "On average over all sets a row is there k times in d. Make up for it.", example
            )
        if same(dw, masked.T @ g * len(at) / d):
            raise Wrong("multiplies by k / d", "Divide by the probability k / d; it was multiplied by it.", example)
        if same(dw, masked.T @ g * np.sqrt(d / len(at))):
            raise Wrong("forgets one root", "P has the factor sqrt(d / k), and comes in twice.", example)
        raise Wrong(
            "another gradient of W",
            "On average over all sets of as many columns it is not x.T @ g; or it looks at other columns than those "
            "of index.",
            example,
        )
    x, W, g, at = rng.normal(size=(3, 5)), rng.integers(-3, 4, (5, 2)), rng.normal(size=(3, 2)), np.array([3, 0])
    told = "follow_columns(x, W, g, [3, 0]) with a W of integers"
    got = call(answer, x, W, g, at, told=told)
    want = np.zeros((5, 2))
    want[at] = x[:, at].T @ g * 2.5
    if not same(got[2], want):
        hint = "The gradient has fractions: np.zeros_like(W) of integers holds integers, np.zeros(W.shape) floats."
        raise Wrong("cuts off fractions", hint, f"{told} gave dW = {show(got[2])}.")


def _kept_inputs(keep: float, d: int) -> int:
    """The share, rounded up; .07 of 100 is 7, though .07 * 100 is 7.000000000000001."""
    return math.ceil(round(keep * d, 9))


NETS: tuple[tuple[list[int], int, float], ...] = (
    ([5, 4, 3], 8, 1.0),
    ([784, 300, 300, 300, 10], 150, 0.1),
    ([7, 3, 2], 8, 0.5),
    ([9, 6, 3, 2], 7, 0.3),
    ([100, 3, 1], 5, 0.07),
    ([300, 1, 1, 1], 3, 0.29),
    ([4, 2], 3, 0.5),
)


@exercise(
    8,
    "How much is held?",
    idea="Go through the layers. Each linear layer keeps a share of its inputs, each ReLU between them a bit for "
    "each element "
    "of its own; each ReLU's bits fill up their last byte.",
    formula="The sum over widths[:-1] of 4 * batch * ceil(keep * d), and over widths[1:-1] of ceil(batch * n / 8); "
    "round keep * "
    "d to nine digits first, as .07 * 100 is 7.000000000000001.",
)
def held_bytes(answer: Callable[..., Any]) -> None:
    """Grade ``held_bytes(widths, batch, keep)``: the bytes that a net of linear layers with ReLU holds for backward.

    Each linear layer keeps a share ``keep`` of its inputs, rounded up, 4 bytes each, for each example of the batch; each
    ReLU one bit for each element that it passes on, in whole bytes of its own.

    >>> from tinyspad import check
    >>> check.held_bytes(lambda widths, batch, keep: 4 * batch * sum(widths)).misconception
    'counts the outputs'
    """
    for widths, batch, keep in NETS:
        inputs, units = widths[:-1], widths[1:-1]
        kept = [_kept_inputs(keep, d) for d in inputs]
        bits = sum(-(-batch * n // 8) for n in units)
        right = 4 * batch * sum(kept) + bits
        told = f"held_bytes({widths}, {batch}, {keep})"
        got = number(call(answer, widths, batch, keep, told=told), told)
        example = f"{told} gave {got:g}; expected {right}."
        if got == right:
            continue
        floats, weights = 4 * batch * sum(kept), sum(a * b for a, b in itertools.pairwise(widths))
        outputs = 4 * batch * _kept_inputs(keep, widths[-1])
        inputs_kept = "No layer reads the last outputs: each linear layer keeps its inputs."
        all_bits = sum(batch * n for n in units)
        whole = "A ReLU's bits fill whole bytes: 9 bits take 2 bytes, not {}."
        told_by: dict[float, tuple[str, str]] = {
            4 * batch * sum(widths): ("counts the outputs", inputs_kept),
            floats + outputs + bits: ("counts the outputs", inputs_kept),
            floats: ("forgets ReLU", "A ReLU keeps a bit for each element: whether it was above 0."),
            floats + all_bits: ("a byte for each", "Eight bits make a byte."),
            floats + 4 * batch * sum(units): ("numbers for bits", "A ReLU keeps bits, not numbers of 4 bytes."),
            floats + -(-batch * widths[-1] // 8) + bits: ("a ReLU too many", "Behind the last layer there is no ReLU."),
            right // batch: ("one example", "That is for one example; there is a batch of them."),
            right + 4 * weights: ("counts weights", "The weights are there whether backward comes or not."),
            4 * batch * sum(int(keep * d) for d in inputs) + bits: ("rounds down", "A share is rounded up."),
            4 * batch * sum(inputs) + bits: ("ignores keep", "A linear layer keeps the share keep of its inputs."),
            batch * sum(kept) + bits: ("forgets 4 bytes", "A number in float32 takes 4 bytes."),
            floats + all_bits / 8: ("parts of bytes", whole.format("1.125")),
            floats + sum(batch * n // 8 for n in units): ("bits rounded down", whole.format("1")),
            floats + -(-all_bits // 8): (
                "bits pooled",
                "Every ReLU keeps an array of its own, and each fills up its last byte: round up ReLU by ReLU.",
            ),
            4 * batch * sum(math.ceil(keep * d) for d in inputs) + bits: (
                "rounds up an error",
                f"In floating point {keep} * {inputs[0]} is {keep * inputs[0]!r}, a little more than it should be, "
                f"and rounding "
                "up makes it one more. Round to nine digits first.",
            ),
        }
        unknown = ("another count", "Add up the linear layers' kept inputs, 4 bytes each, and the ReLUs' bits.")
        name, hint = told_by.get(got, unknown)
        raise Wrong(name, hint, example)
