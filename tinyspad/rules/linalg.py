"""Linear algebra (Giles 2008, "Collected matrix derivative results for forward and reverse mode AD")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import nonzero, reals
from .reductions import direction_of, in_double, restore
from .table import Vjp, rule, unbroadcast

NUMPY_2 = hasattr(np, "vecdot")  # since then solve takes a vector beside a stack of matrices


def _t(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


@in_double(np.float16)
def _norm(out: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Vjp:
    matrix = (isinstance(axis, tuple) and len(axis) == 2) or (axis is None and np.ndim(x) == 2)
    if ord not in (None, "fro", 2) and (matrix or not isinstance(ord, (int, float)) or ord < 1 or np.isinf(ord)):
        raise NoRule(f"linalg.norm: the rule covers ord=None, 'fro' and p-norms of vectors with p >= 1, not {ord!r}.")
    if matrix and ord == 2:
        raise NoRule("linalg.norm: the spectral norm of a matrix has no rule; use ord='fro'.")
    p = 2 if ord in (None, "fro") else ord
    direction = direction_of(x, axis, p)
    return lambda g: restore(g, np.shape(direction), axis) * direction


def _inv(out: Any, a: Any) -> Vjp:
    back = _t(out)
    return lambda g: -(back @ g @ back)


def _det(out: Any, a: Any) -> Vjp:
    cofactor = _cofactors(np.asarray(a))
    return lambda g: np.asarray(g)[..., None, None] * cofactor


def _cofactors(a: Any) -> Any:
    """The derivative of the determinant: right for singular matrices too, since it never divides by det.

    With a = U S V', the cofactor matrix is det(U) det(V) U C V' where C is diagonal with the products of
    all other singular values.
    """
    u, s, vt = np.linalg.svd(a)
    n = s.shape[-1]
    kept = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :])
    others = np.prod(kept, axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return sign[..., None, None] * ((u * others[..., None, :]) @ vt)


def _solve_adjoint(out: Any, a: Any) -> tuple[Callable[[Any], Any], bool]:
    """The map g -> a^-T g for columns, and whether the right-hand side was a vector (or a stack of them)."""
    back, vector = _t(a), np.ndim(out) == np.ndim(a) - 1
    return (lambda g: np.linalg.solve(back, g[..., None] if vector else g)), vector


def _solve_matrix(out: Any, a: Any, b: Any) -> Vjp:
    (adjoint, vector), shape = _solve_adjoint(out, a), np.shape(a)
    columns = out[..., None] if vector else out
    return lambda g: unbroadcast(-(adjoint(g) @ _t(columns)), shape)


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
    ],
)
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
