"""Many small problems of weighted least squares, solved in stacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.base.threads import in_threads

__all__ = ["solve_rows"]

_CELLS = 2**22  # numbers of a stack, at most


def solve_rows(
    matrix: csr_array, fixed: NDArray[np.float32], everywhere: float, penalty: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the vectors x of rows that minimize a weighted squared error.

    It is the sum of ``w * (x @ y - 1)**2`` over the entries w of the row and the vectors y of their columns, plus
    ``everywhere * (x @ y)**2`` for all columns, plus ``penalty * x @ x``.

    Parameters
    ----------
    matrix : csr_array of shape (n, m), float32
    fixed : ndarray of shape (m, dim)
        Vectors of the columns.
    everywhere : float
        Weight of all pairs.
    penalty : ndarray of shape (n,)
        Strength of the L2 regularization of each row.

    Returns
    -------
    ndarray of shape (n, dim), float32
        The vector of a row depends on this row only, bit for bit.
    """
    n, dim = matrix.shape[0], fixed.shape[1]
    result = np.zeros((n, dim), np.float32)
    shared = everywhere * (fixed.T @ fixed)
    padded = np.concatenate([fixed, np.zeros((1, dim), np.float32)])
    weighted = bool(matrix.nnz) and not (matrix.data == 1).all()
    diagonal = np.arange(dim)

    def solve(part: tuple[NDArray[np.intp], int]) -> None:
        rows, length = part
        starts, lengths = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
        there = np.arange(length) < lengths[:, None]
        at = np.where(there, starts[:, None] + np.arange(length), 0)
        vectors = padded[np.where(there, matrix.indices[at], len(fixed))]  # (rows, length, dim)
        if weighted:
            weights = np.where(there, matrix.data[at], np.float32(0))[:, :, None]
            products = np.matmul((vectors * weights).transpose(0, 2, 1), vectors)
            sums = (vectors * weights).sum(axis=1)
        else:
            products = np.matmul(vectors.transpose(0, 2, 1), vectors)
            sums = vectors.sum(axis=1)
        products += shared
        products[:, diagonal, diagonal] += penalty[rows, None].astype(np.float32)
        result[rows] = np.linalg.solve(products, sums[:, :, None])[:, :, 0]

    in_threads(solve, _stacks(np.diff(matrix.indptr), dim), operations=(matrix.nnz + n * dim) * dim**2)
    return result


def _stacks(lengths: NDArray[np.int64], dim: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield rows of similar lengths and the length to which they are padded, which depends on a row's own length."""
    steps = np.unique(np.ceil(1.15 ** np.arange(0, 160)).astype(np.int64))
    padded = steps[np.searchsorted(steps, lengths)]
    order = np.argsort(padded, kind="stable")
    order = order[lengths[order] > 0]
    for length in np.unique(padded[order]):
        rows = order[np.searchsorted(padded[order], length) : np.searchsorted(padded[order], length, side="right")]
        size = max(1, _CELLS // (dim * (int(length) + dim)))
        for start in range(0, len(rows), size):
            yield rows[start : start + size], int(length)
