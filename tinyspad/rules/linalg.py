"""Linear algebra (Giles 2008, "Collected matrix derivative results for forward and reverse mode AD")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import nonzero, reals
from .reductions import direction_of, in_double, restore
from .table import Domain, Vjp, is_data, rule, unbroadcast

NUMPY_2 = hasattr(np, "vecdot")  # since then solve takes a vector beside a stack of matrices


def _t(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


@in_double(np.float16)
def _norm(out: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Vjp:
    matrix = (isinstance(axis, tuple) and len(axis) == 2) or (axis is None and np.ndim(x) == 2)
    if isinstance(ord, (int, float)) and (abs(ord) == np.inf or (matrix and abs(ord) == 1)):
        return _largest(out, x, ord, axis if axis is not None else (0, 1) if matrix else 0, matrix)
    if ord not in (None, "fro", 2) and (matrix or not isinstance(ord, (int, float)) or ord < 1 or np.isinf(ord)):
        raise NoRule(f"linalg.norm: the rule covers ord=None, 'fro' and p-norms of vectors with p >= 1, not {ord!r}.")
    if matrix and ord == 2:
        raise NoRule("linalg.norm: the spectral norm of a matrix has no rule; use ord='fro'.")
    p = 2 if ord in (None, "fro") else ord
    direction = direction_of(x, axis, p)
    return lambda g: restore(g, np.shape(direction), axis) * direction


def _largest(out: Any, x: Any, ord: float, axis: Any, matrix: bool) -> Vjp:
    """Of norms that are the largest or smallest of sizes, or of sums of sizes along rows or columns; a tie is shared."""
    if matrix:
        rows, columns = axis
        along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sizes = np.sum(np.abs(x), axis=along, keepdims=True)
    else:
        over, sizes = axis, np.abs(x)
    winners = sizes == restore(out, np.shape(x), axis)
    share = winners / np.count_nonzero(winners, axis=over, keepdims=True)
    return lambda g: restore(g, np.shape(x), axis) * share * np.sign(x)


def _inv(out: Any, a: Any) -> Vjp:
    back = _t(out)
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
            back = _t(np.linalg.inv(a))
        except np.linalg.LinAlgError:
            raise NoRule("det: at a singular matrix the rule covers first and second derivatives.") from None
        return lambda g: out * np.sum(back * g, axis=(-2, -1), keepdims=True) - back @ _t(g) @ out
    u, s, vt, sign = _signed_svd(np.asarray(a))
    n = s.shape[-1]
    outside = ~(np.eye(n, dtype=bool)[:, None, :] | np.eye(n, dtype=bool)[None, :, :])
    without = np.prod(np.where(outside, s[..., None, None, :], 1.0), axis=-1) * ~np.eye(n, dtype=bool)

    def vjp(g: Any) -> Any:
        inner = _t(u) @ g @ _t(vt)
        beside = (without @ np.diagonal(inner, axis1=-2, axis2=-1)[..., None]) * np.eye(n)
        return sign * (u @ (beside - without * _t(inner)) @ vt)

    return vjp


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
        (nonzero(4), {"ord": np.inf}),
        (nonzero(2, 3), {"ord": -np.inf, "axis": 1}),
        (nonzero(2, 3), 1),
        (nonzero(3, 2), {"ord": np.inf}),
        (nonzero(2, 3, 2), {"ord": -1, "axis": (0, 2)}),
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


# --- of symmetric matrices, of which NumPy reads the lower triangle -----------------------------------------------------


def _read_below(symmetric: Any) -> Any:
    """The derivative by the lower triangle alone, from that by a symmetric matrix."""
    s = (symmetric + _t(symmetric)) / 2.0
    return np.tril(s) + np.tril(s, -1)


def _cholesky(out: Any, a: Any) -> Vjp:
    """Murray (2016), "Differentiation of the Cholesky decomposition"."""
    half = np.tril(np.ones(np.shape(a)[-2:])) - 0.5 * np.eye(np.shape(a)[-1])
    back = _t(out)

    def vjp(g: Any) -> Any:
        inner = np.linalg.solve(back, _t(np.linalg.solve(back, _t((back @ g) * half))))
        return _read_below(inner)

    return vjp


def eigenvalues(a: Any) -> Any:
    """Those of a symmetric matrix, of which the lower triangle is read, in ascending order.

    >>> import numpy as np
    >>> eigenvalues(np.array([[2.0, 0.0], [1.0, 2.0]]))
    array([1., 3.])
    """
    return np.linalg.eigvalsh(a)


def eigenvectors(a: Any) -> Any:
    """The eigenvectors of a symmetric matrix, as columns; their signs are those that LAPACK gives."""
    return np.linalg.eigh(a)[1]


def _eigenvalues(out: Any, a: Any) -> Vjp:
    v = eigenvectors(a)
    return lambda g: _read_below((v * np.expand_dims(g, -2)) @ _t(v))


def _eigenvectors(out: Any, a: Any) -> Vjp:
    """Where eigenvalues are equal there is no derivative: it is infinite, or NaN, and never a number that left that out."""
    w, one = eigenvalues(a), np.eye(np.shape(a)[-1], dtype=bool)
    apart = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    with np.errstate(divide="ignore"):
        turn = np.where(one, 0.0, 1.0 / np.where(one, 1.0, apart))
    return lambda g: _read_below(out @ (turn * (_t(out) @ g)) @ _t(out))


def log_abs_det(a: Any) -> Any:
    """log |det a|.

    >>> import numpy as np
    >>> float(log_abs_det(np.eye(2)))
    0.0
    """
    return np.linalg.slogdet(a)[1]


def _log_abs_det(out: Any, a: Any) -> Vjp:
    back = _t(np.linalg.inv(a))
    return lambda g: np.reshape(g, (*np.shape(g), 1, 1)) * back


class NearIdentity(Domain):
    """Matrices that are positive definite."""

    def sample(self, rng: np.random.Generator) -> Any:
        return 0.2 * super().sample(rng) + 2.0 * np.eye(self.shape[-1])


rule(
    np.linalg.cholesky,
    vjp=_cholesky,
    domain=[(NearIdentity(-1.0, 1.0)(3, 3),), (NearIdentity(-1.0, 1.0)(2, 2, 2),)],
)
eigenvalues = rule(eigenvalues, vjp=_eigenvalues, domain=[(reals(3, 3),), (reals(2, 2, 2),)])
eigenvectors = rule(eigenvectors, vjp=_eigenvectors, domain=[(reals(3, 3),)])
log_abs_det = rule(log_abs_det, vjp=_log_abs_det, domain=[(reals(3, 3),), (reals(2, 2, 2),)])
