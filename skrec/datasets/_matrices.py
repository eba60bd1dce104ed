"""Conversion between user-item matrices and rows of events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Vocabulary, as_rows
from skrec._data.ids.id_columns import is_id_name, role_of_name
from skrec._data.tables.columns import Column, as_column
from skrec._data.tables.roles import resolve_roles
from skrec._data.tables.table import to_pandas
from skrec.exceptions import ColumnError

__all__ = ["events_from_matrix", "matrix_from_events"]


def events_from_matrix(matrix: Any, users: Any = None, items: Any = None) -> pd.DataFrame:
    """Convert a user-item matrix into rows of events, as required by skrec's models.

    Parameters
    ----------
    matrix : sparse array, array-like or DataFrame of shape (n_users, n_items)
        Clicks, counts or ratings of users (rows) and items (columns): a SciPy matrix of any format, a dense array, or a
        DataFrame returned by ``pivot`` or ``crosstab``.
    users, items : array-like of shape (n_users,) and (n_items,), default=None
        The ids of the rows and columns. If None, the index and the column labels of a DataFrame, else the numbers of
        the rows and columns from 0.

    Returns
    -------
    DataFrame of shape (n_events, 3)
        The columns ``user_id``, ``item_id`` and ``value``, with one row for each cell that is neither 0 nor missing,
        in the order of the rows of the matrix. Duplicate entries of a sparse array are summed. Pass the first two
        columns as ``X``. The use of ``value`` depends on its meaning: as the ratings ``y`` of a Regressor, as the
        ``sample_weight`` of a Ranker, or not at all if all values are 1.

    Raises
    ------
    ColumnError
        If a column of a DataFrame holds the ids of users or items.
    TypeError
        If the cells are not numbers.
    ValueError
        If the matrix is not two-dimensional, has no cell with a value, or has an infinite value, if the number of ids
        differs from the number of rows or columns, or if an id is missing or occurs twice.

    See Also
    --------
    matrix_from_events : The inverse conversion.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skrec.datasets import events_from_matrix
    >>> events = events_from_matrix(csr_array([[0, 5], [3, 0], [0, 1]]), users=["ann", "bob", "cy"])
    >>> events
      user_id  item_id  value
    0     ann        1      5
    1     bob        0      3
    2      cy        1      1
    >>> from skrec.models import PopularityRanker
    >>> model = PopularityRanker().fit(events[["user_id", "item_id"]], sample_weight=events["value"])
    >>> model.recommend(["bob"], k=1)
      user_id  item_id  score  rank
    0     bob        1    6.0     1
    """
    matrix = to_pandas(matrix)
    if items is None and hasattr(matrix, "columns"):
        _refuse_columns_of_ids(matrix)
    if isinstance(matrix, pd.DataFrame):
        users = matrix.index if users is None else users
        items = matrix.columns if items is None else items
    elif hasattr(matrix, "to_series"):  # polars has no index
        items = list(matrix.columns) if items is None else items
    cells = _cells_of(matrix)
    user_ids, item_ids = _ids_of(users, cells.shape[0], "users"), _ids_of(items, cells.shape[1], "items")
    if cells.nnz == 0:
        raise ValueError(f"matrix of shape {cells.shape} has no cell with a value: all are 0 or missing.")
    if cells.dtype.kind == "f" and not np.isfinite(cells.data).all():
        at = int(np.argmax(~np.isfinite(cells.data)))
        row = int(np.searchsorted(cells.indptr, at, side="right")) - 1
        raise ValueError(
            f"matrix holds infinity in row {row}, column {int(cells.indices[at])}: values must be finite numbers."
        )
    return pd.DataFrame(
        {
            "user_id": user_ids[np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))],
            "item_id": item_ids[cells.indices],
            "value": cells.data,
        }
    )


def _refuse_columns_of_ids(table: Any) -> None:
    """Refuse a table with a column of the ids of users or items, which would become an item."""
    names = [name for name in table.columns if isinstance(name, str)]
    found = next((name for name in names if is_id_name(name) and role_of_name(name) is not None), None)
    if found is not None:
        raise ColumnError(
            f"matrix has the column {found!r}, which would be taken for an item. If it holds the ids of the rows, drop "
            f"it and pass its values as users=; of a pandas DataFrame, matrix.set_index({found!r}). If the rows are "
            "events already, they need no conversion."
        )


def matrix_from_events(
    X: Any, values: Any = None, *, user: str | int | None = None, item: str | int | None = None
) -> tuple[sparse.csr_array, NDArray[Any], NDArray[Any]]:
    """Convert rows of events into a sparse user-item matrix: the inverse of :func:`events_from_matrix`.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_events, n_columns)
        One event per row.
    values : array-like of shape (n_events,), default=None
        The values of the events, such as ratings or weights. If None, 1 for each event. The values of events of the
        same user and item are summed.
    user, item : str, int or None, default=None
        Names or positions of the user and item columns. If None, ``"user_id"`` and ``"item_id"`` in a DataFrame, and
        columns 0 and 1 in an array.

    Returns
    -------
    matrix : csr_array of shape (n_users, n_items)
    users, items : ndarray of shape (n_users,) and (n_items,)
        The sorted ids of the rows and columns of the matrix.

    Raises
    ------
    ColumnError
        If a column is missing.
    ValueError
        If the number of values differs from the number of events, or if an id or a value is missing.

    Examples
    --------
    >>> from skrec.datasets import matrix_from_events
    >>> matrix, users, items = matrix_from_events([["ann", "x"], ["bob", "y"], ["ann", "x"]])
    >>> matrix.toarray().tolist(), users.tolist(), items.tolist()
    ([[2, 0], [0, 1]], ['ann', 'bob'], ['x', 'y'])
    """
    rows = as_rows(X)
    roles = resolve_roles(rows, user=user, item=item, looked_for=("user", "item"))
    users, user_codes = Vocabulary.fit(rows.column(roles.user), name=roles.user_name)
    items, item_codes = Vocabulary.fit(rows.column(roles.item), name=roles.item_name)
    data = np.ones(len(rows), dtype=np.int64) if values is None else _numbers(as_column(values), "values")
    if len(data) != len(rows):
        raise ValueError(f"There are {len(data)} values, but {len(rows)} events: pass one value for each event.")
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        raise ValueError(f"values holds NaN or infinity in row {int(np.argmax(~np.isfinite(data)))}.")
    shape = (len(users), len(items))
    matrix = sparse.coo_array((data, (user_codes - 1, item_codes - 1)), shape=shape).tocsr()
    return matrix, np.array(users.ids), np.array(items.ids)


def _cells_of(matrix: Any) -> sparse.csr_array:
    """Return a matrix as sorted compressed sparse rows without zeros and missing values."""
    if sparse.issparse(matrix):
        if matrix.ndim != 2:
            raise ValueError(f"matrix must be two-dimensional (users, items), but its shape is {matrix.shape}.")
        cells = sparse.csr_array(matrix, copy=True)
        cells.data = _numbers(cells.data, "matrix")
        cells.sum_duplicates()
    else:
        if isinstance(matrix, pd.DataFrame) or hasattr(matrix, "to_series"):
            rows = as_rows(matrix, name="matrix")
            dense = np.column_stack([_numbers(rows.column(at), "matrix") for at in range(rows.n_columns)])
        else:
            dense = np.asarray(matrix)
            if dense.ndim != 2:
                raise ValueError(
                    f"matrix must be two-dimensional (users, items), but its shape is {dense.shape}. To convert lists "
                    "of the items of each user, build a DataFrame: "
                    "pd.Series(lists).explode().rename_axis('user_id').reset_index(name='item_id')."
                )
            dense = _numbers(dense, "matrix")
        row, column = np.nonzero(dense)
        cells = sparse.csr_array((dense[row, column], (row, column)), shape=dense.shape)
    if cells.dtype.kind == "f":
        cells.data[np.isnan(cells.data)] = 0
    cells.eliminate_zeros()
    return cells


def _numbers(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the values as floats, and raise a TypeError if they are not numbers."""
    if values.dtype.kind == "O":
        try:
            values = (
                pd.array(values.ravel(), dtype="Float64").to_numpy(np.float64, na_value=np.nan).reshape(values.shape)
            )
        except (TypeError, ValueError):
            odd = next(value for value in values.ravel() if not (isinstance(value, (int, float)) or value is None))
            raise TypeError(f"{name} must hold numbers, but has {odd!r} ({type(odd).__name__}).") from None
    if values.dtype.kind not in "iufb":
        raise TypeError(f"{name} must hold numbers, but its type is {values.dtype}.")
    return values


def _ids_of(ids: Any, n: int, name: str) -> Column:
    """Check the ids of the rows or columns of a matrix; by default they are numbered from 0."""
    if ids is None:
        return np.arange(n)
    column = as_column(list(ids) if not hasattr(ids, "dtype") else ids)
    side = "rows" if name == "users" else "columns"
    if len(column) != n:
        raise ValueError(f"{name} has {len(column)} ids, but the matrix has {n} {side}: pass one id for each of them.")
    vocabulary, codes = Vocabulary.fit(column, name=name)
    if len(vocabulary) < n:
        twice = column[pd.Series(codes).duplicated().to_numpy()][:1].tolist()[0]
        raise ValueError(f"{name} has the id {twice!r} more than once: each of the {side} needs its own id.")
    return column
