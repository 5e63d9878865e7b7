"""Decompositions of matrices, and what is computed with them.

Where eigenvalues or singular values are equal their vectors have no derivative: it is infinite, or NaN, and never a number
that left that out. The values' sum has one, and so have functions that are written in the values alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import NoRule
from .elementwise import reals
from .table import Domain, Vjp, rule


def transposed(a: Any) -> Any:
    """Of each matrix of a stack."""
    return np.swapaxes(a, -1, -2)


class NearIdentity(Domain):
    """Matrices that are positive definite."""

    def sample(self, rng: np.random.Generator) -> Any:
        return 0.2 * super().sample(rng) + 2.0 * np.eye(self.shape[-1])


def _inverse_differences(w: Any) -> Any:
    """1 / (w_j - w_i) at ij, and 0 on the diagonal."""
    one = np.eye(np.shape(w)[-1], dtype=bool)
    apart = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    with np.errstate(divide="ignore"):
        return np.where(one, 0.0, 1.0 / np.where(one, 1.0, apart))


# --- of symmetric matrices, of which NumPy reads one triangle ------------------------------------------------------------


def _read(symmetric: Any, UPLO: str = "L") -> Any:
    """The derivative by the triangle that is read alone, from that by a symmetric matrix."""
    s = (symmetric + transposed(symmetric)) / 2.0
    return np.triu(s) + np.triu(s, 1) if UPLO.upper() == "U" else np.tril(s) + np.tril(s, -1)


def _cholesky(out: Any, a: Any, *, upper: bool = False) -> Vjp:
    """Murray (2016), "Differentiation of the Cholesky decomposition"."""
    half = np.tril(np.ones(np.shape(a)[-2:])) - 0.5 * np.eye(np.shape(a)[-1])
    back = out if upper else transposed(out)

    def vjp(g: Any) -> Any:
        g = transposed(g) if upper else g
        inner = np.linalg.solve(back, transposed(np.linalg.solve(back, transposed((back @ g) * half))))
        return _read(inner, "U" if upper else "L")

    return vjp


def eigenvalues(a: Any, UPLO: str = "L") -> Any:
    """Those of a symmetric matrix, of which this triangle is read, in ascending order.

    >>> import numpy as np
    >>> eigenvalues(np.array([[2.0, 0.0], [1.0, 2.0]]))
    array([1., 3.])
    """
    return np.linalg.eigvalsh(a, UPLO)  # type: ignore[call-overload]


def eigenvectors(a: Any, UPLO: str = "L") -> Any:
    """The eigenvectors of a symmetric matrix, as columns; their signs are those that LAPACK gives."""
    return np.linalg.eigh(a, UPLO)[1]  # type: ignore[call-overload]


def _eigenvalues(out: Any, a: Any, UPLO: str = "L") -> Vjp:
    v = eigenvectors(a, UPLO)
    return lambda g: _read((v * np.expand_dims(g, -2)) @ transposed(v), UPLO)


def _eigenvectors(out: Any, a: Any, UPLO: str = "L") -> Vjp:
    turn = _inverse_differences(eigenvalues(a, UPLO))
    return lambda g: _read(out @ (turn * (transposed(out) @ g)) @ transposed(out), UPLO)


rule(
    np.linalg.cholesky,
    vjp=_cholesky,
    domain=[(NearIdentity(-1.0, 1.0)(3, 3),), (NearIdentity(-1.0, 1.0)(2, 2, 2),)],
)
eigenvalues = rule(
    eigenvalues, vjp=_eigenvalues, domain=[(reals(3, 3),), (reals(2, 2, 2),), (reals(3, 3), {"UPLO": "U"})]
)
eigenvectors = rule(eigenvectors, vjp=_eigenvectors, domain=[(reals(3, 3),), (reals(3, 3), {"UPLO": "U"})])


# --- singular values -----------------------------------------------------------------------------------------------------


def singular_values(a: Any) -> Any:
    """Those of a matrix, in descending order.

    >>> import numpy as np
    >>> singular_values(np.array([[0.0, 2.0], [1.0, 0.0]]))
    array([2., 1.])
    """
    return np.linalg.svd(a, compute_uv=False)


def left_vectors(a: Any) -> Any:
    """The left singular vectors, as columns; their signs are those that LAPACK gives."""
    return np.linalg.svd(a, full_matrices=False)[0]


def right_vectors(a: Any) -> Any:
    """The right singular vectors, as rows."""
    return np.linalg.svd(a, full_matrices=False)[2]


def _singular_values(out: Any, a: Any) -> Vjp:
    u, vt = left_vectors(a), right_vectors(a)
    return lambda g: (u * np.expand_dims(g, -2)) @ vt


def _left_vectors(out: Any, a: Any) -> Vjp:
    return _of_vectors(out, singular_values(a), right_vectors(a))


def _right_vectors(out: Any, a: Any) -> Vjp:
    back = _of_vectors(transposed(out), singular_values(a), transposed(left_vectors(a)))
    return lambda g: transposed(back(transposed(g)))


def _of_vectors(u: Any, s: Any, others: Any) -> Vjp:
    """Papadopoulo and Lourakis (2000), "Estimating the Jacobian of the singular value decomposition".

    Of the vectors on one side, as columns; ``others``: those of the other side that belong to them, as rows.
    """
    turn, tall = _inverse_differences(s * s), np.shape(u)[-2] > np.shape(u)[-1]

    def vjp(g: Any) -> Any:
        inner = transposed(u) @ g
        along = u @ ((turn * (inner - transposed(inner))) * np.expand_dims(s, -2))
        if tall:  # what leaves the space that the columns span
            along = along + (g - u @ inner) / np.expand_dims(s, -2)
        return along @ others

    return vjp


singular_values = rule(
    singular_values, vjp=_singular_values, domain=[(reals(3, 3),), (reals(2, 3),), (reals(2, 3, 2),)]
)
left_vectors = rule(left_vectors, vjp=_left_vectors, domain=[(reals(3, 3),), (reals(2, 3),), (reals(2, 3, 2),)])
right_vectors = rule(right_vectors, vjp=_right_vectors, domain=[(reals(3, 3),), (reals(2, 3),), (reals(3, 2),)])


# --- an orthogonal and a triangular factor -------------------------------------------------------------------------------


def orthogonal_factor(a: Any) -> Any:
    """Q of a = QR, of as many columns as a has."""
    return np.linalg.qr(a)[0]


def triangular_factor(a: Any) -> Any:
    """R of a = QR; its signs are those that LAPACK gives.

    >>> import numpy as np
    >>> abs(triangular_factor(np.array([[3.0], [4.0]]))).round(12)
    array([[5.]])
    """
    return np.linalg.qr(a, mode="r")


def _orthogonal_factor(out: Any, a: Any) -> Vjp:
    r = triangular_factor(a)
    return lambda g: _behind_factors(g - out @ _mirrored(transposed(g) @ out), r)


def _triangular_factor(out: Any, a: Any) -> Vjp:
    q = orthogonal_factor(a)
    return lambda g: _behind_factors(q @ _mirrored(out @ transposed(np.triu(g))), out)


def _mirrored(m: Any) -> Any:
    """The lower triangle, and the same above."""
    return np.tril(m) + transposed(np.tril(m, -1))


def _behind_factors(m: Any, r: Any) -> Any:
    """m R^-T (Walter, Lehmann 2018, "Algorithmic differentiation of linear algebra functions")."""
    return transposed(np.linalg.solve(r, transposed(m)))


orthogonal_factor = rule(orthogonal_factor, vjp=_orthogonal_factor, domain=[(reals(3, 3),), (reals(3, 2),)])
triangular_factor = rule(
    triangular_factor, vjp=_triangular_factor, domain=[(reals(3, 3),), (reals(3, 2),), (reals(2, 2, 2),)]
)


# --- determinants and inverses by them -----------------------------------------------------------------------------------


def log_abs_det(a: Any) -> Any:
    """log |det a|.

    >>> import numpy as np
    >>> float(log_abs_det(np.eye(2)))
    0.0
    """
    return np.linalg.slogdet(a)[1]


def _log_abs_det(out: Any, a: Any) -> Vjp:
    def vjp(g: Any) -> Any:
        try:
            back = transposed(np.linalg.inv(a))
        except np.linalg.LinAlgError:
            raise NoRule("linalg.slogdet: at a singular matrix log |det| has no derivative.") from None
        return np.reshape(g, (*np.shape(g), 1, 1)) * back

    return vjp


log_abs_det = rule(log_abs_det, vjp=_log_abs_det, domain=[(reals(3, 3),), (reals(2, 2, 2),)])


def _pinv(out: Any, a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Vjp:
    """Golub and Pereyra (1973); among matrices of this rank, for others are not near in their inverses."""
    if hermitian or rcond is not None or rtol is not None:
        raise NoRule("linalg.pinv: it is covered without the options rcond=, rtol= and hermitian=.")
    back, outside = transposed(out), np.eye(np.shape(a)[-2]) - a @ out
    inside = np.eye(np.shape(a)[-1]) - out @ a

    def vjp(g: Any) -> Any:
        turned = transposed(g)
        return outside @ turned @ out @ back + back @ out @ turned @ inside - back @ g @ back

    return vjp


rule(np.linalg.pinv, vjp=_pinv, domain=[(reals(3, 2),), (reals(2, 3),), (reals(2, 3, 3),)])
