"""Linear algebra (Giles 2008, "Collected matrix derivative results for forward and reverse mode AD")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NoRule
from .decompositions import left_vectors, right_vectors, transposed
from .elementwise import nonzero, reals
from .reductions import direction_of, in_double, restore
from .table import Vjp, is_data, rule, unbroadcast

NUMPY_2 = hasattr(np, "vecdot")  # since then solve takes a vector beside a stack of matrices


@in_double(np.float16)
def _norm(out: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Vjp:
    ord = ord.item() if isinstance(ord, np.generic) else ord
    matrix = (isinstance(axis, tuple) and len(axis) == 2) or (axis is None and np.ndim(x) == 2)
    if matrix and ord in ("nuc", 2, -2):
        direction = _of_singular_values(x, ord, axis or (0, 1))
    elif isinstance(ord, (int, float)) and (abs(ord) == np.inf or (matrix and abs(ord) == 1)):
        direction = _of_largest(out, x, ord, axis if axis is not None else (0, 1) if matrix else 0, matrix)
    elif ord == 0:  # how many are not 0: flat
        direction = np.zeros(np.shape(x))
    else:
        direction = direction_of(x, axis, 2 if ord in (None, "fro") else ord)
    return lambda g: restore(g, np.shape(direction), axis) * direction


def _of_largest(out: Any, x: Any, ord: float, axis: Any, matrix: bool) -> Any:
    """Of norms that are the largest or smallest of sizes, or of sums of sizes along rows or columns; a tie is shared."""
    if matrix:
        rows, columns = axis
        along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sizes = np.sum(np.abs(x), axis=along, keepdims=True)
    else:
        over, sizes = axis, np.abs(x)
    winners = sizes == restore(out, np.shape(x), axis)
    share = winners / np.count_nonzero(winners, axis=over, keepdims=True)
    return share * np.sign(x)


def _of_singular_values(x: Any, ord: Any, axis: tuple[int, int]) -> Any:
    """Of norms that are the sum, the largest or the smallest of the singular values."""
    matrices = np.moveaxis(x, axis, (-2, -1))
    left, right = left_vectors(matrices), right_vectors(matrices)
    if ord != "nuc":
        k = slice(0, 1) if ord == 2 else slice(-1, None)
        left, right = left[..., :, k], right[..., k, :]
    return np.moveaxis(left @ right, (-2, -1), axis)


def _inv(out: Any, a: Any) -> Vjp:
    back = transposed(out)
    return lambda g: -(back @ g @ back)


def _det(out: Any, a: Any) -> Vjp:
    cofactor = cofactors(a)
    return lambda g: np.reshape(g, (*np.shape(g), 1, 1)) * cofactor


def cofactors(a: Any) -> Any:
    """The derivative of the determinant: right for singular matrices too, since it never divides by det.

    With a = U S V', the cofactor matrix is det(U) det(V) U C V' where C is diagonal with the products of
    all other singular values.

    >>> import numpy as np
    >>> cofactors(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    u, s, vt, sign = _signed_svd(np.asarray(a))
    others = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]), axis=-1)
    return sign * ((u * others[..., None, :]) @ vt)


def _signed_svd(a: Any) -> tuple[Any, Any, Any, Any]:
    u, s, vt = np.linalg.svd(a)
    return u, s, vt, (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]


def _cofactors(out: Any, a: Any) -> Vjp:
    """The second derivative of the determinant.

    That of det(S) by S is s_i ... without i and j: + for the elements ii and jj, - for ij and ji. A recording, whose
    derivative would be a third one, divides by the determinant.
    """
    if not is_data(a):
        try:
            back = transposed(np.linalg.inv(a))
        except np.linalg.LinAlgError:
            raise NoRule("det: at a singular matrix the rule covers first and second derivatives.") from None
        return lambda g: out * np.sum(back * g, axis=(-2, -1), keepdims=True) - back @ transposed(g) @ out
    u, s, vt, sign = _signed_svd(np.asarray(a))
    n = s.shape[-1]
    outside = ~(np.eye(n, dtype=bool)[:, None, :] | np.eye(n, dtype=bool)[None, :, :])
    without = np.prod(np.where(outside, s[..., None, None, :], 1.0), axis=-1) * ~np.eye(n, dtype=bool)

    def vjp(g: Any) -> Any:
        inner = transposed(u) @ g @ transposed(vt)
        beside = (without @ np.diagonal(inner, axis1=-2, axis2=-1)[..., None]) * np.eye(n)
        return sign * (u @ (beside - without * transposed(inner)) @ vt)

    return vjp


def _solve_adjoint(out: Any, a: Any) -> tuple[Callable[[Any], Any], bool]:
    """The map g -> a^-T g for columns, and whether the right-hand side was a vector (or a stack of them)."""
    back, vector = transposed(a), np.ndim(out) == np.ndim(a) - 1
    return (lambda g: np.linalg.solve(back, g[..., None] if vector else g)), vector


def _solve_matrix(out: Any, a: Any, b: Any) -> Vjp:
    (adjoint, vector), shape = _solve_adjoint(out, a), np.shape(a)
    columns = out[..., None] if vector else out
    return lambda g: unbroadcast(-(adjoint(g) @ transposed(columns)), shape)


def _solve_right(out: Any, a: Any, b: Any) -> Vjp:
    (adjoint, vector), shape = _solve_adjoint(out, a), np.shape(b)
    return lambda g: unbroadcast(adjoint(g)[..., 0] if vector else adjoint(g), shape)


rule(
    np.linalg.norm,
    vjp=_norm,
    kind="reduction",
    domain=[
        (reals(4),),
        (reals(2, 3),),
        (nonzero(2, 3), {"axis": 1, "ord": 3}),
        (reals(2, 3), {"axis": 0, "keepdims": True}),
        (nonzero(4), 1),
        (nonzero(4), {"ord": np.inf}),
        (nonzero(2, 3), {"ord": -np.inf, "axis": 1}),
        (nonzero(2, 3), 1),
        (nonzero(3, 2), {"ord": np.inf}),
        (nonzero(2, 3, 2), {"ord": -1, "axis": (0, 2)}),
        (nonzero(4), {"ord": 0.5}),
        (nonzero(2, 3), {"ord": -1.5, "axis": 1}),
        (reals(2, 3), "nuc"),
        (reals(3, 2), 2),
        (reals(2, 3, 2), {"ord": -2, "axis": (2, 0), "keepdims": True}),
    ],
)
cofactors = rule(cofactors, vjp=_cofactors, domain=[(reals(3, 3),), (reals(2, 2, 2),)])
rule(np.linalg.inv, vjp=_inv, domain=[(reals(3, 3),), (reals(2, 2, 2),)])
rule(np.linalg.det, vjp=_det, domain=[(reals(3, 3),), (reals(2, 2, 2),)])
rule(
    np.linalg.solve,
    vjp=(_solve_matrix, _solve_right),
    domain=[
        (reals(3, 3), reals(3)),
        (reals(2, 2), reals(2, 3)),
        (reals(2, 3, 3), reals(2, 3, 1)),
        *([(reals(2, 3, 3), reals(3)), (reals(4, 2, 2), reals(2, 3))] if NUMPY_2 else []),
    ],
)
