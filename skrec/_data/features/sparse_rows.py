"""Rows of a sparse matrix, each of which is a weighted bag of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skrec._data.events.windows import Windows
from skrec._data.features.numbers import as_float32, as_numbers
from skrec._data.tables.table import Rows
from skrec.exceptions import ColumnError

__all__ = ["SparseRows", "dense_columns", "largest_values", "packed", "refuse_options"]

_DENSE, _MOST_DENSE = 0.5, 256
_SHORTEST = 8


class SparseRows(Rows):
    """Rows of a sparse matrix. A column is converted to a dense array on access.

    Parameters
    ----------
    X : sparse matrix or sparse array of shape (n_rows, n_columns)
        A matrix of any format. Duplicate entries are summed, and explicit zeros are ignored.
    name : str, default="X"
        Name of the table in error messages.

    Attributes
    ----------
    matrix : csr_array of shape (n_rows, n_columns), float64

    Raises
    ------
    ValueError
        If the matrix is not two-dimensional, has no rows or no columns, or holds NaN, infinity or complex numbers.

    Examples
    --------
    >>> from scipy.sparse import coo_array
    >>> from skrec._data.features.sparse_rows import SparseRows
    >>> rows = SparseRows(coo_array(([2, 3, 1], ([0, 0, 1], [1, 1, 2])), shape=(2, 4)))
    >>> rows.n_columns, rows.raw(1), rows.matrix.nnz
    (4, array([5., 0.]), 2)
    """

    def __init__(self, X: Any, *, name: str = "X") -> None:
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got a sparse array of {X.ndim} dimension(s) instead.")
        if X.dtype.kind == "c":
            raise ValueError(f"Complex data not supported\n{X!r}\n")
        n_rows, n_columns = (int(n) for n in X.shape)
        for n, what in ((n_rows, "sample(s)"), (n_columns, "feature(s)")):
            if n < 1:
                raise ValueError(f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 is required.")
        matrix = sparse.csr_array(X, dtype=np.float64, copy=True)
        matrix.sum_duplicates()
        _refuse_non_finite(matrix, name)
        matrix.eliminate_zeros()
        super().__init__(matrix, names=None, n_rows=n_rows, n_columns=n_columns, name=name)
        self.matrix = matrix

    @classmethod
    def of_dense(cls, rows: Rows) -> SparseRows:
        """Return the rows of a table of numbers as sparse rows.

        Raises
        ------
        ColumnError
            If a column is not numeric.
        """
        table = rows.table
        if isinstance(table, np.ndarray) and table.dtype.kind in "iufb":
            return cls(table, name=rows.name)
        columns = [as_numbers(rows.column(at), rows.label(at)) for at in range(rows.n_columns)]
        return cls(np.column_stack(columns), name=rows.name)

    def raw(self, position: int) -> NDArray[np.float64]:
        """Return one column as a dense array."""
        if not 0 <= position < self.n_columns:
            raise IndexError(f"There is no column {position}: the table has the columns 0 to {self.n_columns - 1}.")
        return np.asarray(self.matrix[:, [position]].toarray()).ravel()


def _refuse_non_finite(matrix: Any, name: str) -> None:
    wrong = np.flatnonzero(~np.isfinite(matrix.data))
    if not len(wrong):
        return
    at = int(wrong[0])
    what = "NaN" if np.isnan(matrix.data[at]) else "infinity"
    row = int(np.searchsorted(matrix.indptr, at, side="right")) - 1
    raise ValueError(
        f"Input {name} contains {what}: the sparse matrix has it in row {row}, column {int(matrix.indices[at])} "
        f"({len(wrong)} such value(s)). Impute it first, for instance with sklearn.impute.SimpleImputer."
    )


def dense_columns(rows: SparseRows, left_out: set[int]) -> list[int]:
    """Return the columns with a value in more than half of the rows, which are numeric rather than entries of a bag.

    Parameters
    ----------
    rows : SparseRows
    left_out : set of int
        Columns to ignore.

    Returns
    -------
    list of int
        At most 256 columns, those with the most values.
    """
    counts = np.bincount(rows.matrix.indices, minlength=rows.n_columns)
    counts[sorted(left_out)] = 0
    order = np.argsort(-counts, kind="stable")[:_MOST_DENSE]
    return sorted(order[counts[order] > _DENSE * rows.n_rows].tolist())


def largest_values(rows: SparseRows, left_out: set[int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the columns that have a value, and the largest absolute value of each.

    Parameters
    ----------
    rows : SparseRows
    left_out : set of int
        Columns to ignore.

    Returns
    -------
    columns : ndarray of shape (n,), int64
    largest : ndarray of shape (n,), float64
    """
    largest = np.zeros(rows.n_columns)
    np.maximum.at(largest, rows.matrix.indices, np.abs(rows.matrix.data))
    largest[sorted(left_out)] = 0.0
    columns = np.flatnonzero(largest)
    return columns, largest[columns]


def packed(rows: SparseRows, columns: NDArray[np.int64], scales: NDArray[np.float64]) -> tuple[Windows, Windows]:
    """Return the entries of the rows: the numbers of their columns, from 1, and the bits of their values.

    Parameters
    ----------
    rows : SparseRows
    columns : ndarray of shape (n,), int64
        The known columns, in any order. Entries of other columns are left out.
    scales : ndarray of shape (n,), float64
        The divisor of the values of each column.

    Returns
    -------
    places, bits : Windows
        As wide as the longest row, or the next power of two, so that few widths occur.
    """
    matrix = rows.matrix
    place_of = np.zeros(rows.n_columns, np.int32)
    place_of[columns] = np.arange(1, len(columns) + 1, dtype=np.int32)
    places = place_of[matrix.indices]
    kept = places > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr].astype(np.int64)
    places = places[kept]
    values = as_float32(matrix.data[kept] / scales[places - 1])
    longest = int(np.diff(ends).max(initial=1))
    length = max(_SHORTEST, 1 << (longest - 1).bit_length())
    return tuple(Windows(flat, ends[:-1], ends[1:], length) for flat in (places, values.view(np.int32)))  # type: ignore[return-value]


def refuse_options(**given: Any) -> None:
    """Raise an error if a parameter was given that cannot be used with sparse rows.

    Raises
    ------
    ColumnError
    """
    for name, value in given.items():
        if value is not None:
            raise ColumnError(
                f"{name}={value!r} cannot be used with a sparse X, whose columns are numbers without names: pass "
                f"X.toarray() or a DataFrame to use {name}=, or leave it out. One-hot encoded columns need no "
                "categorical_features. To convert a user-item matrix, use skrec.datasets.events_from_matrix."
            )
