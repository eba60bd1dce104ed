"""User-item matrices that are passed where rows of events are expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skrec._data.tables.columns import Column, as_column
from skrec.exceptions import ColumnError

__all__ = ["HOW_TO_TURN_INTO_EVENTS", "is_matrix", "refuse_matrix"]

HOW_TO_TURN_INTO_EVENTS = "skrec.datasets.events_from_matrix(X) turns a user-item matrix into rows of events"

_LEAST_COLUMNS = 6
_MOST_COLUMNS, _MOST_ROWS = 64, 1000  # of those that are looked at
_HANDFUL = 12  # as many values as half stars from 0 to 5, and NaN


def is_matrix(table: Any, n_columns: int) -> bool:
    """Whether a table without a user column is a user-item matrix rather than rows of events.

    It has many columns of numbers, and its first columns hold no ids: either all columns share a handful of values
    (such as 0 and 1, or ratings) and most cells have the same one, or most cells, also of the first two columns, are 0
    or missing. A pandas frame
    whose columns have a name, as ``pivot`` and ``crosstab`` make it, is one too.

    Parameters
    ----------
    table : pandas DataFrame, polars DataFrame, ndarray of shape (n_rows, n_columns) or list of 1-D arrays
        As ``Rows.table`` holds it.
    n_columns : int

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.matrices import is_matrix
    >>> is_matrix(np.eye(20), 20), is_matrix(np.arange(400).reshape(20, 20), 20)
    (True, False)
    """
    if isinstance(table, pd.DataFrame) and table.columns.name is not None and n_columns > 2:
        return True
    if n_columns < _LEAST_COLUMNS:
        return False
    positions = np.unique(np.append([0, 1], np.linspace(0, n_columns - 1, min(n_columns, _MOST_COLUMNS)).astype(int)))
    columns = [_head(table, int(position)) for position in positions]
    if len(columns[0]) < 2 or any(column.dtype.kind not in "iufb" for column in columns):
        return False
    cells = np.column_stack([column.astype(np.float64) for column in columns])
    values, counts = np.unique(cells, return_counts=True)
    if len(values) <= _HANDFUL:
        return bool(counts.max() > cells.size / 2)
    empty = (cells == 0) | np.isnan(cells)
    return bool(empty.mean() > 0.5 and (empty[:, :2].mean(axis=0) > 0.5).all())


def refuse_matrix(table: Any, n_columns: int, name: str) -> None:
    """Raise if rows without column names, whose first columns would be taken as the user and the item, are a matrix.

    Parameters
    ----------
    table, n_columns
        As for :func:`is_matrix`.
    name : str
        What the error message calls the table.

    Raises
    ------
    ColumnError
    """
    if is_matrix(table, n_columns):
        raise ColumnError(
            f"{name} looks like a user-item matrix: it has {n_columns} columns of numbers, and the first two, which "
            "would be taken as the user and the item, hold no ids. Each row has to be one event of a user and an "
            f"item: {HOW_TO_TURN_INTO_EVENTS}. If the rows are events, name the columns of the ids: user=0, item=1."
        )


def _head(table: Any, position: int) -> Column:
    """Return the first values of a column; objects stay objects, which the cells of a matrix are not."""
    if isinstance(table, pd.DataFrame):
        column = table.iloc[:_MOST_ROWS, position]
    elif isinstance(table, np.ndarray):
        column = table[:_MOST_ROWS, position]
    else:
        column = (table[position] if isinstance(table, list) else table.to_series(position))[:_MOST_ROWS]
    return np.asarray(column) if str(getattr(column, "dtype", "")) == "object" else as_column(column)
