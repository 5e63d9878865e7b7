"""Products of matrices and tensors: their adjoints are products, too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .elementwise import reals
from .shapes import placed
from .table import Vjp, rule, unbroadcast


def _tensordot_axes(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, (int, np.integer)):
        return list(range(np.ndim(a) - int(axes), np.ndim(a))), list(range(int(axes)))
    left, right = (list(np.atleast_1d(side)) for side in axes)
    return [int(i) % np.ndim(a) for i in left], [int(i) % np.ndim(b) for i in right]


def _tensordot_left(out: Any, a: Any, b: Any, axes: Any = 2) -> Vjp:
    a_axes, b_axes = _tensordot_axes(a, b, axes)
    a_free = [i for i in range(np.ndim(a)) if i not in a_axes]
    b_free = [i for i in range(np.ndim(b)) if i not in b_axes]
    place = np.argsort(a_free + [a_axes[b_axes.index(i)] for i in sorted(b_axes)])
    return lambda g: np.transpose(
        np.tensordot(g, b, (list(range(len(a_free), len(a_free) + len(b_free))), b_free)), place
    )


def _tensordot_right(out: Any, a: Any, b: Any, axes: Any = 2) -> Vjp:
    a_axes, b_axes = _tensordot_axes(a, b, axes)
    a_free = [i for i in range(np.ndim(a)) if i not in a_axes]
    b_free = [i for i in range(np.ndim(b)) if i not in b_axes]
    place = np.argsort([b_axes[a_axes.index(i)] for i in sorted(a_axes)] + b_free)
    return lambda g: np.transpose(np.tensordot(a, g, (a_free, list(range(len(a_free))))), place)


def _dot(side: Callable[..., Vjp], other: int) -> Callable[..., Vjp]:
    def vjp(out: Any, a: Any, b: Any) -> Vjp:
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            factor, shape = (a, b)[other], np.shape((a, b)[1 - other])
            return lambda g: unbroadcast(g * factor, shape)
        return side(out, a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))

    return vjp


def _inner(side: Callable[..., Vjp], other: int) -> Callable[..., Vjp]:
    def vjp(out: Any, a: Any, b: Any) -> Vjp:
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            factor, shape = (a, b)[other], np.shape((a, b)[1 - other])
            return lambda g: unbroadcast(g * factor, shape)
        return side(out, a, b, ([a.ndim - 1], [b.ndim - 1]))

    return vjp


def _as_matrices(g: Any, a: Any, b: Any) -> Any:
    """The adjoint of a @ b as a stack of matrices, with the axes that 1-d operands lost put back."""
    if np.ndim(a) == 1:
        g = np.expand_dims(g, -1 if np.ndim(b) == 1 else -2)
    return np.expand_dims(g, -1) if np.ndim(b) == 1 else g


def _matmul_left(out: Any, a: Any, b: Any) -> Vjp:
    if a.ndim == 2 and b.ndim <= 2:  # most often, and without a stack
        return (lambda g: g[:, None] * b) if b.ndim == 1 else (lambda g: g @ b.T)
    shape, a_ndim = np.shape(a), np.ndim(a)
    right = b[:, None] if b.ndim == 1 else b

    def vjp(g: Any) -> Any:
        full = _as_matrices(g, np.empty((0,) * a_ndim), b) @ np.swapaxes(right, -1, -2)
        return np.reshape(unbroadcast(full, (1, *shape) if a_ndim == 1 else shape), shape)

    return vjp


def _matmul_right(out: Any, a: Any, b: Any) -> Vjp:
    if a.ndim == 2 and b.ndim <= 2:
        return lambda g: a.T @ g
    shape, b_ndim = np.shape(b), np.ndim(b)
    left = a[None, :] if a.ndim == 1 else a

    def vjp(g: Any) -> Any:
        full = np.swapaxes(left, -1, -2) @ _as_matrices(g, a, np.empty((0,) * b_ndim))
        return np.reshape(unbroadcast(full, (*shape, 1) if b_ndim == 1 else shape), shape)

    return vjp


def _outer_left(out: Any, a: Any, b: Any) -> Vjp:
    shape, b = np.shape(a), np.ravel(b)
    return lambda g: np.reshape(g @ b, shape)


def _outer_right(out: Any, a: Any, b: Any) -> Vjp:
    shape, a = np.shape(b), np.ravel(a)
    return lambda g: np.reshape(a @ g, shape)


def _einsum_terms(subscripts: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """Subscripts with ellipses spelled out in unused letters and the output made explicit."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts]
    widths = [np.ndim(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands)]
    letters = "".join(spare[: max(widths, default=0)])
    terms = [t.replace("...", letters[len(letters) - w :]) for t, w in zip(terms, widths)]
    if arrow:
        return terms, output.replace("...", letters)
    joined = "".join(terms)
    once = sorted(c for c in set(joined) if joined.count(c) == 1 and c not in letters)
    return terms, letters + "".join(once)


def _einsum_call(*args: Any, optimize: Any = False, **options: Any) -> tuple[Any, ...]:
    """Subscripts as a string, also where they are given as lists of numbers, each behind its operand."""
    if options:
        raise TypeError(f"the rule does not cover the option {next(iter(options))}=")
    if args and not isinstance(args[0], str):
        ascending = "".join(sorted(LETTERS))
        lists = [*args[1::2], *args[-1:]] if len(args) % 2 else args[1::2]
        terms = ["".join("..." if k is Ellipsis else ascending[k] for k in subscripts) for subscripts in lists]
        operands = args[: len(args) // 2 * 2 : 2]
        output = f"->{terms.pop()}" if len(args) % 2 else ""
        args = (",".join(terms) + output, *operands)
    return (*args, {"optimize": optimize}) if optimize is not False else args


def _einsum(i: int, out: Any, subscripts: Any, *operands: Any, optimize: Any = False) -> Vjp:
    terms, output = _einsum_terms(subscripts, operands)
    i -= 1  # argument 0 is the subscripts
    mine, others = terms[i], [t for j, t in enumerate(terms) if j != i]
    rest = [x for j, x in enumerate(operands) if j != i]
    shape = np.shape(operands[i])
    unique = "".join(dict.fromkeys(mine))
    known = "".join(c for c in unique if c in output or any(c in t for t in others))
    sizes = dict(zip(mine, shape))

    def vjp(g: Any) -> Any:
        part = np.einsum(",".join([output, *others]) + "->" + known, g, *rest)
        spread = np.reshape(part, [np.shape(part)[known.index(c)] if c in known else 1 for c in unique])
        broadcast = [n if sizes[c] == 1 else sizes[c] for c, n in zip(unique, np.shape(spread))]
        spread = np.broadcast_to(spread, broadcast)
        spread = unbroadcast(spread, tuple(sizes[c] for c in unique))
        if unique == mine:
            return spread
        diagonal = np.einsum(f"{mine}->{unique}", np.arange(math.prod(shape)).reshape(shape))
        return np.reshape(placed(spread, (math.prod(shape),), diagonal), shape)

    return vjp


# --- which letters run along which axes, as einsum writes it: from these follow the paths of numbers ---------------------

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _matmul_letters(x1: Any, x2: Any) -> str:
    ahead = max(np.ndim(x1), np.ndim(x2), 2) - 2
    batch, [row, inner, column] = LETTERS[:ahead], list(LETTERS[ahead : ahead + 3])
    left = batch[ahead - np.ndim(x1) + 2 :] + row + inner if np.ndim(x1) > 1 else inner
    right = batch[ahead - np.ndim(x2) + 2 :] + inner + column if np.ndim(x2) > 1 else inner
    return f"{left},{right}->{batch}{row * (np.ndim(x1) > 1)}{column * (np.ndim(x2) > 1)}"


def _tensordot_letters(a: Any, b: Any, axes: Any = 2) -> str:
    a_axes, b_axes = _tensordot_axes(a, b, axes)
    left, right = LETTERS[: np.ndim(a)], list(LETTERS[np.ndim(a) : np.ndim(a) + np.ndim(b)])
    for i, j in zip(a_axes, b_axes):
        right[j] = left[i]
    free = [c for c in left if c not in right] + [c for c in right if c not in left]
    return f"{left},{''.join(right)}->{''.join(free)}"


def _dot_letters(a: Any, b: Any) -> str:
    scalar = np.ndim(a) == 0 or np.ndim(b) == 0
    return _tensordot_letters(a, b, 0 if scalar else ([np.ndim(a) - 1], [max(np.ndim(b) - 2, 0)]))


def _inner_letters(a: Any, b: Any) -> str:
    scalar = np.ndim(a) == 0 or np.ndim(b) == 0
    return _tensordot_letters(a, b, 0 if scalar else ([np.ndim(a) - 1], [np.ndim(b) - 1]))


def _vecdot_letters(x1: Any, x2: Any) -> str:
    along, batch = LETTERS[0], LETTERS[1 : max(np.ndim(x1), np.ndim(x2))]
    left, right = (batch[len(batch) - np.ndim(x) + 1 :] + along for x in (x1, x2))
    return f"{left},{right}->{batch}"


def _einsum_letters(subscripts: str, *operands: Any, optimize: Any = False) -> str:
    terms, output = _einsum_terms(subscripts, operands)
    return f"{','.join(terms)}->{output}"


MATRICES = [(reals(2, 3), reals(3, 2)), (reals(3), reals(3)), (reals(2, 3), reals(3)), (reals(3), reals(3, 2))]
rule(
    np.dot,
    vjp=(_dot(_tensordot_left, 1), _dot(_tensordot_right, 0)),
    kind=_dot_letters,
    domain=[*MATRICES, (reals(2, 2, 3), reals(2, 3, 2)), (reals(), reals(3))],
)
rule(
    np.inner,
    vjp=(_inner(_tensordot_left, 1), _inner(_tensordot_right, 0)),
    kind=_inner_letters,
    domain=[(reals(3), reals(3)), (reals(2, 3), reals(4, 3)), (reals(3), reals())],
)
rule(
    np.matmul,
    vjp=(_matmul_left, _matmul_right),
    kind=_matmul_letters,
    domain=[*MATRICES, (reals(4, 2, 3), reals(3, 2)), (reals(3), reals(4, 3, 2)), (reals(4, 2, 3), reals(3))],
    symbol="@",
)
rule(
    np.tensordot,
    vjp=(_tensordot_left, _tensordot_right),
    kind=_tensordot_letters,
    domain=[(reals(2, 3, 2), reals(3, 2, 2)), (reals(2, 3, 4), reals(4, 2), {"axes": ([0, 2], [1, 0])})],
)
rule(
    np.outer,
    vjp=(_outer_left, _outer_right),
    kind=lambda a, b: _tensordot_letters(a, b, 0),
    domain=[(reals(2), reals(3)), (reals(2, 2), reals(3))],
)
rule(
    np.einsum,
    vjp=_einsum,
    kind=_einsum_letters,
    chooses=True,  # of "ii->i" all but a diagonal
    indexed=True,
    call=_einsum_call,
    domain=[
        ("ij,jk->ik", reals(2, 3), reals(3, 2)),
        ("ij,jk", reals(2, 3), reals(3, 2)),
        ("ij->", reals(2, 3)),
        ("ii->i", reals(3, 3)),
        ("...i,i->...", reals(2, 4, 3), reals(3)),
        ("i,i,i->i", reals(3), reals(3), reals(3)),
    ],
)
if hasattr(np, "vecdot"):  # NumPy 2
    rule(
        np.vecdot,
        vjp=(
            lambda out, a, b: lambda g: unbroadcast(np.expand_dims(g, -1) * b, np.shape(a)),
            lambda out, a, b: lambda g: unbroadcast(np.expand_dims(g, -1) * a, np.shape(b)),
        ),
        kind=_vecdot_letters,
        domain=[(reals(3), reals(3)), (reals(2, 3), reals(3))],
    )
