"""Many small problems of weighted least squares, solved in stacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.base.threads import in_threads

__all__ = ["solve_rows"]

_TINY = np.finfo(np.float32).tiny
_LENGTHS = np.unique(np.ceil(1.15 ** np.arange(0, 160)).astype(np.int64))  # to which rows are padded
_CELLS = 2**19  # numbers of a stack, at most: they should stay in the cache of a core


def solve_rows(
    matrix: csr_array,
    fixed: NDArray[np.float32],
    everywhere: float,
    penalty: NDArray[np.float64],
    *,
    gram: NDArray[np.float32] | None = None,
    start: NDArray[np.float32] | None = None,
    steps: int = 3,
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
    gram : ndarray of shape (dim, dim), default=None
        ``fixed.T @ fixed``, if it is known.
    start : ndarray of shape (n, dim), default=None
        Vectors to improve by conjugate gradients. If None, the solution is exact.
    steps : int, default=3
        Number of steps of conjugate gradients.

    Returns
    -------
    ndarray of shape (n, dim), float32
        An exact solution depends on the row only, bit for bit.
    """
    n, dim = matrix.shape[0], fixed.shape[1]
    result = np.zeros((n, dim), np.float32)
    shared = np.float32(everywhere) * (fixed.T @ fixed if gram is None else gram)
    padded = np.concatenate([fixed, np.zeros((1, dim), np.float32)]) if matrix.nnz > len(fixed) else None
    unweighted = bool((matrix.data == 1).all())
    lengths = np.diff(matrix.indptr)

    @np.errstate(invalid="ignore")  # products of small matrices may raise this flag for finite numbers
    def solve(part: tuple[NDArray[np.intp], int]) -> None:
        rows, length = part
        there = np.arange(length) < lengths[rows, None]
        at = np.where(there, matrix.indptr[rows, None] + np.arange(length), 0)
        if padded is None:
            vectors = fixed.take(np.where(there, matrix.indices[at], 0), axis=0)  # (rows, length, dim)
            vectors[~there] = 0
        else:
            vectors = padded.take(np.where(there, matrix.indices[at], len(fixed)), axis=0)
        weights = None if unweighted else np.where(there, matrix.data[at], np.float32(0))[:, :, None]
        problems = vectors, weights, shared, penalty[rows, None].astype(np.float32)
        if start is None:
            result[rows] = _exact(*problems)
        else:
            result[rows] = _conjugate_gradients(*problems, start=start[rows], steps=steps)

    cost = dim**2 if start is None else 4 * steps * dim
    in_threads(solve, _stacks(lengths, dim, dim if start is None else 4), operations=(matrix.nnz + n * dim) * cost)
    return result


def _exact(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    shared: NDArray[np.float32],
    penalty: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Solve a stack of problems by their normal equations."""
    weighted = vectors if weights is None else vectors * weights
    products = np.matmul(weighted.transpose(0, 2, 1), vectors)
    products += shared
    diagonal = np.arange(len(shared))
    products[:, diagonal, diagonal] += penalty
    solutions: NDArray[np.float32] = np.linalg.solve(products, weighted.sum(axis=1)[:, :, None])[:, :, 0]
    return solutions


def _conjugate_gradients(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    shared: NDArray[np.float32],
    penalty: NDArray[np.float32],
    *,
    start: NDArray[np.float32],
    steps: int,
) -> NDArray[np.float32]:
    """Improve a stack of solutions by a few steps, without the normal equations."""
    transposed = vectors.transpose(0, 2, 1)

    def product(x: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.matmul(vectors, x[:, :, None])
        if weights is not None:
            scores *= weights
        result: NDArray[np.float32] = np.matmul(transposed, scores)[:, :, 0]
        result += x @ shared
        result += penalty * x
        return result

    solutions = start.copy()
    target = (vectors if weights is None else vectors * weights).sum(axis=1)
    residual = target - product(solutions)
    direction = residual.copy()
    square = np.einsum("ij,ij->i", residual, residual)
    for _ in range(steps):
        changed = product(direction)
        curvature = np.einsum("ij,ij->i", direction, changed)
        size = (square / np.maximum(curvature, _TINY))[:, None]  # a direction of zeros has a square of 0
        solutions += size * direction
        residual -= size * changed
        before, square = square, np.einsum("ij,ij->i", residual, residual)
        direction *= (square / np.maximum(before, _TINY))[:, None]
        direction += residual
    return solutions


def _stacks(lengths: NDArray[np.int64], dim: int, more: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield rows of similar lengths and the length to which they are padded, which depends on a row's own length.

    A row takes `more` vectors besides those of its entries.
    """
    padded = _LENGTHS[np.searchsorted(_LENGTHS, lengths)]
    order = np.argsort(padded, kind="stable")
    order = order[lengths[order] > 0]
    for length in np.unique(padded[order]):
        rows = order[np.searchsorted(padded[order], length) : np.searchsorted(padded[order], length, side="right")]
        size = max(1, _CELLS // (dim * (int(length) + more)))
        for start in range(0, len(rows), size):
            yield rows[start : start + size], int(length)
