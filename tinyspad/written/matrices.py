"""Linear algebra: decompositions, what is solved by them, and the newer names of linalg."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arguments import Data
from ..errors import NoRule
from ..rules import (
    eigenvalues,
    eigenvectors,
    left_vectors,
    log_abs_det,
    orthogonal_factor,
    reals,
    right_vectors,
    singular_values,
    triangular_factor,
)
from .table import as_array, asked, axes_of, written

# --- decompositions ------------------------------------------------------------------------------------------------------

sign_of_det = asked(lambda a: np.linalg.slogdet(a)[0])


def _like(example: Any, *parts: Any) -> Any:
    """The parts in the tuple that this NumPy returns, which in NumPy 2 has names."""
    return type(example)(*parts) if hasattr(example, "_fields") else parts


def _eigh(a: Data, UPLO: str = "L") -> Any:
    return _like(np.linalg.eigh(np.eye(1)), eigenvalues(a, UPLO), eigenvectors(a, UPLO))


def _svd(a: Data, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not compute_uv:
        return singular_values(a)
    if full_matrices and np.shape(a)[-1] != np.shape(a)[-2]:
        raise NoRule(
            "linalg.svd: of a matrix that is not square the vectors that complete a basis are not unique, and have no "
            "derivative. Write np.linalg.svd(a, full_matrices=False)."
        )
    return _like(np.linalg.svd(np.eye(1)), left_vectors(a), singular_values(a), right_vectors(a))


def _qr(a: Data, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "r") or np.shape(a)[-2] < np.shape(a)[-1]:
        raise NoRule("linalg.qr: matrices with no more columns than rows are covered, with mode='reduced' or 'r'.")
    if mode == "r":
        return triangular_factor(a)
    return _like(np.linalg.qr(np.eye(1)), orthogonal_factor(a), triangular_factor(a))


def _slogdet(a: Data) -> Any:
    return _like(np.linalg.slogdet(np.eye(1)), sign_of_det(a), log_abs_det(a))


written("linalg.eigh", _eigh, [])
written("linalg.eigvalsh", lambda a, UPLO="L": eigenvalues(a, UPLO), [(reals(3, 3),), (reals(2, 2), "U")])
written("linalg.svd", _svd, [(reals(3, 2), {"compute_uv": False})])
written("linalg.svdvals", lambda x: singular_values(x), [(reals(2, 3),)])
written("linalg.qr", _qr, [(reals(3, 2), "r")])
written("linalg.slogdet", _slogdet, [])


# --- solved --------------------------------------------------------------------------------------------------------------


def least_squares(a: Data, b: Data) -> Data:
    """By the factors of a where its columns are independent, as digits are lost otherwise; else the shortest solution."""
    if np.shape(a)[0] < np.shape(a)[1] or np.linalg.matrix_rank(a) < np.shape(a)[1]:
        return np.linalg.pinv(a) @ b
    q, r = np.linalg.qr(a)
    return np.linalg.solve(r, np.transpose(q) @ b)


def _lstsq(a: Data, b: Data, rcond: Any = None) -> tuple[Data, Data, int, Data]:
    a, b = as_array(a), as_array(b)
    found, rank = least_squares(a, b), int(np.linalg.matrix_rank(a))
    m, n = np.shape(a)
    over = rank == n < m
    return (
        found,
        np.sum(np.reshape((b - a @ found) ** 2, (m, -1)), axis=0) if over else np.zeros(0),
        rank,
        singular_values(a),
    )


def _cond(x: Data, p: Any = None) -> Data:
    if p in (None, 2, -2):
        s = singular_values(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    norms = (np.linalg.norm(m, ord=p, axis=(-2, -1)) for m in (x, np.linalg.inv(x)))
    return next(norms) * next(norms)


def _tensorinv(a: Data, ind: int = 2) -> Data:
    shape = np.shape(a)
    return np.reshape(np.linalg.inv(np.reshape(a, (math.prod(shape[:ind]), -1))), shape[ind:] + shape[:ind])


def _tensorsolve(a: Data, b: Data, axes: Any = None) -> Data:
    a, b = as_array(a), as_array(b)
    if axes is not None:
        last = [i % np.ndim(a) for i in axes]
        a = np.transpose(a, [i for i in range(np.ndim(a)) if i not in last] + last)
    shape = np.shape(a)[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (np.size(b), math.prod(shape))), np.ravel(b)), shape)


written("linalg.lstsq", _lstsq, [])
written("linalg.cond", _cond, [(reals(3, 3),), (reals(2, 2), "fro"), (reals(2, 2, 2), -2)])
written("linalg.tensorinv", _tensorinv, [(reals(2, 3, 6),), (reals(4, 2, 2), {"ind": 1})])
written(
    "linalg.tensorsolve",
    _tensorsolve,
    [(reals(2, 2, 4), reals(2, 2)), (reals(4, 2, 2), reals(4)), (reals(4, 4), reals(4), [0])],
)


# --- newer names ---------------------------------------------------------------------------------------------------------


def _vector_norm(x: Data, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Data:
    """Of all numbers along the axes together."""
    axes = axes_of(x, axis)
    kept = [i for i in range(np.ndim(x)) if i not in axes]
    shape = np.shape(x)
    rows = np.reshape(np.transpose(x, [*kept, *axes]), [*(shape[i] for i in kept), -1])
    found = np.linalg.norm(rows, ord=ord, axis=-1)
    return np.reshape(found, [1 if i in axes else n for i, n in enumerate(shape)]) if keepdims else found


written(
    "linalg.vector_norm",
    _vector_norm,
    [
        (reals(2, 3),),
        (reals(2, 3), {"axis": 1}),
        (reals(2, 3, 2), {"axis": (0, 2), "keepdims": True}),
        (reals(2, 2), {"ord": 1}),
    ],
)
written(
    "linalg.matrix_norm",
    lambda x, *, keepdims=False, ord="fro": np.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims),
    [(reals(2, 3),), (reals(3, 2), {"ord": "nuc"})],
)
written("linalg.trace", lambda x, *, offset=0: np.trace(x, offset, -2, -1), [(reals(2, 3, 3),)])
written("linalg.diagonal", lambda x, *, offset=0: np.diagonal(x, offset, -2, -1), [(reals(2, 3, 3),)])
for transpose in ("matrix_transpose", "linalg.matrix_transpose"):
    written(transpose, lambda x: np.swapaxes(x, -1, -2), [(reals(2, 3),)])
