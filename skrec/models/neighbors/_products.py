"""The largest entries of the rows of a product of sparse matrices, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from skrec.base.threads import in_threads

__all__ = ["largest_of_product", "largest_of_rows"]

Similarity = Callable[[NDArray[np.float32], NDArray[Any], NDArray[Any]], NDArray[np.float32]]

_CELLS = 2**22  # stored entries of a block of the product, at most


def largest_of_product(
    left: csr_array, right: csr_array, k: int, similarity: Similarity, *, skip_diagonal: bool = False
) -> csr_array:
    """Return the k largest positive similarities of each row of ``left`` to the columns of ``right``.

    The product is computed in blocks of rows, in threads, and never held as a whole.

    Parameters
    ----------
    left : csr_array of shape (n, m)
    right : csr_array of shape (m, n_columns)
    k : int
        Number of entries to keep in each row.
    similarity : callable
        ``similarity(dots, rows, columns)`` returns the similarities for entries of the product.
    skip_diagonal : bool, default=False
        Whether to leave out entries with equal row and column.

    Returns
    -------
    csr_array of shape (n, n_columns), float32
        Indices are sorted.
    """

    def best(part: slice) -> csr_array:
        product = csr_array(left[part] @ right)
        rows = np.repeat(np.arange(part.start, part.stop, dtype=np.int32), np.diff(product.indptr))
        product.data = similarity(product.data, rows, product.indices).astype(np.float32, copy=False)
        if skip_diagonal:
            product.data[product.indices == rows] = 0
        return largest_of_rows(product, k)

    blocks = in_threads(best, _blocks(left, right))
    if not blocks:
        return csr_array((left.shape[0], right.shape[1]), dtype=np.float32)
    return csr_array(vstack(blocks, format="csr"))


def _blocks(left: csr_array, right: csr_array) -> Iterator[slice]:
    """Yield slices of rows for which the product has a limited number of entries."""
    multiplications = csr_array((np.ones(left.nnz), left.indices, left.indptr), shape=left.shape) @ np.diff(
        right.indptr
    )
    entries = np.minimum(multiplications, right.shape[1])
    part = np.cumsum(entries) // _CELLS
    starts = np.concatenate([[0], np.flatnonzero(np.diff(part)) + 1, [left.shape[0]]]).astype(int)
    for start, stop in pairwise(starts):
        if stop > start:
            yield slice(int(start), int(stop))


def largest_of_rows(matrix: csr_array, k: int) -> csr_array:
    """Return the k largest positive entries of each row."""
    data, indices, indptr = matrix.data, matrix.indices, matrix.indptr
    kept = data > 0
    for row in np.flatnonzero(np.diff(indptr) > k).tolist():
        start, stop = indptr[row], indptr[row + 1]
        smaller = np.argpartition(data[start:stop], -k)[:-k]
        kept[start + smaller] = False
    at = np.flatnonzero(kept)
    result = csr_array((data[at], indices[at], np.searchsorted(at, indptr)), shape=matrix.shape)
    result.sort_indices()
    return result
