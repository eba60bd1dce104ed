"""The item-item matrix of dot products, and the memory that it may take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import ssyrk
from scipy.sparse import csr_array

from skrec.base.threads import in_threads

__all__ = ["check_memory", "Gram", "dense_gram", "item_gram", "mirror"]

_GIB = 2**30
_DENSE_ITEMS = 8192
_CELLS = 2**26  # cells of a dense part of the matrix
_DENSE_SPEED = 128  # multiplications of a dense product in the time of one of a sparse product


def check_memory(model: Any, n_items: int, *, instead: str) -> None:
    """Refuse a dense matrix of items by items above the limit of the model, before it is allocated."""
    needed = 4 * n_items**2 / _GIB
    if needed > model.memory_limit:
        raise ValueError(
            f"{type(model).__name__} needs a dense matrix of {n_items:,} by {n_items:,} items, {needed:.1f} GiB in "
            f"float32, more than memory_limit={model.memory_limit:g} GiB. Use {instead}, whose memory grows with the "
            "number of events; leave out rare items; or raise memory_limit if the machine has this memory and the time."
        )


def dense_gram(matrix: csr_array) -> NDArray[np.float32]:
    """Return ``matrix.T @ matrix`` as a dense array in Fortran order; only the upper triangle is defined."""
    n_users, n_items = matrix.shape
    matrix = matrix.astype(np.float32)
    sparse_cost = float((np.diff(matrix.indptr).astype(np.float64) ** 2).sum())
    gram = np.zeros((n_items, n_items), np.float32)
    if sparse_cost * _DENSE_SPEED > n_users * n_items**2 / 2:
        size = max(1, _CELLS // n_items)
        for start in range(0, n_users, size):
            part = matrix[start : start + size].toarray()
            gram = ssyrk(1.0, part.T, 1.0, gram.T, overwrite_c=1, lower=0).T
    else:
        items, size = csr_array(matrix.T), max(1, _CELLS // 16 // n_items)

        def fill(start: int) -> None:
            gram[start : start + size] = (items[start : start + size] @ matrix).toarray()

        in_threads(fill, range(0, n_items, size))
    return gram.T  # symmetric, or with the lower triangle in rows


@dataclass(frozen=True)
class Gram:
    """Dot products of items: a dense array up to some number of items, else a sparse one.

    Parameters
    ----------
    products : ndarray or csr_array of shape (n_items, n_items), float32
    """

    products: Any

    def row(self, item: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return items, sorted, and their dot products with an item; those of all others are 0."""
        if isinstance(self.products, np.ndarray):
            return np.arange(len(self.products)), self.products[item]
        part = slice(self.products.indptr[item], self.products.indptr[item + 1])
        return self.products.indices[part].astype(np.intp), self.products.data[part]

    @cached_property
    def diagonal(self) -> NDArray[np.float32]:
        """The dot product of each item with itself."""
        return np.asarray(self.products.diagonal())

    def among(self, items: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return the dot products of some items with each other, or of all items if those are many."""
        if not isinstance(self.products, np.ndarray):
            return self._stored_among(items), items
        if len(items) > len(self.products) // 3:
            return self.products, np.arange(len(self.products))
        return self.products[np.ix_(items, items)], items

    def _stored_among(self, items: NDArray[np.intp]) -> NDArray[np.float32]:
        """Look up the stored dot products of some items; for few items, much faster than indexing a sparse array."""
        n, indptr = len(items), self.products.indptr
        lengths = indptr[items + 1] - indptr[items]
        row = np.repeat(np.arange(n), lengths)
        stored = np.arange(len(row)) + (indptr[items + 1] - np.cumsum(lengths))[row]
        place = np.full(self.products.shape[1], -1, np.intp)
        place[items] = np.arange(n)
        column = place[self.products.indices[stored]]
        inside = column >= 0
        found = np.zeros((n, n), np.float32)
        found[row[inside], column[inside]] = self.products.data[stored[inside]]
        return found


def item_gram(matrix: csr_array) -> Gram:
    """Return the dot products of the columns."""
    n_items = matrix.shape[1]
    if n_items > _DENSE_ITEMS:
        products = csr_array(matrix.T @ matrix).astype(np.float32)
        products.sort_indices()
        return Gram(products)
    gram = dense_gram(matrix).T
    mirror(gram)
    return Gram(gram)


def mirror(matrix: NDArray[np.float32]) -> None:
    """Copy the lower triangle into the upper one."""
    n = len(matrix)
    for start in range(0, n, 256):
        stop = min(start + 256, n)
        corner = np.tril(matrix[start:stop, start:stop])
        matrix[start:stop, start:stop] = corner + np.tril(corner, -1).T
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T
