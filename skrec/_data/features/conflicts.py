"""Rows of one item whose features differ."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.table import Rows

__all__ = ["refuse_conflicts"]


def refuse_conflicts(
    rows: Rows, positions: Collection[int], kept: NDArray[np.int64], ids: Any, *, argument: str, item: str
) -> None:
    """Raise an error if a row has another feature than the row that stands for its item.

    Parameters
    ----------
    rows : Rows
    positions : collection of int
        Positions of the columns with the features.
    kept : ndarray of shape (n_rows,)
        For each row, the row that stands for its item.
    ids : ndarray of shape (n_rows,)
        The items.
    argument, item : str
        What the error message calls the rows, and the column of the items.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrec._data.features.conflicts import refuse_conflicts
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"item_id": [5, 5], "genre": ["war", "drama"]}))
    >>> refuse_conflicts(rows, [1], np.array([0, 0]), np.array([5, 5]), argument="candidates", item="item_id")
    Traceback (most recent call last):
    ValueError: candidates has 2 rows of item 5 with different values in column 'genre': 'war' in row 0 and 'drama' \
in row 1. Keep one row for each item, for instance with candidates.drop_duplicates('item_id').
    """
    others = np.flatnonzero(kept != np.arange(len(kept)))
    for position in positions if len(others) else ():
        column = rows.column(position)
        here, there = column[others], column[kept[others]]
        if column.dtype.kind == "O":
            same = np.array([_same(one, other) for one, other in zip(here, there, strict=True)])
        else:
            same = np.asarray((here == there) | (pd.isna(here) & pd.isna(there)))
        if same.all():
            continue
        row = int(others[np.argmin(same)])
        first = int(kept[row])
        raise ValueError(
            f"{argument} has {int((kept == first).sum())} rows of item {ids[row : row + 1].tolist()[0]!r} with "
            f"different values in column {rows.label(position)}: {_shown(column, first)} in row {first} and "
            f"{_shown(column, row)} in row {row}. Keep one row for each item, for instance with "
            f"{argument}.drop_duplicates({item!r})."
        )


def _shown(column: NDArray[Any], row: int) -> str:
    return f"{column[row : row + 1].tolist()[0]!r:.100}"


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        return one.shape == other.shape and bool(((one == other) | (pd.isna(one) & pd.isna(other))).all())
    if isinstance(one, (list, tuple, set, frozenset)):
        return type(one) is type(other) and _in_order(one) == _in_order(other)
    return bool(pd.isna(one) and pd.isna(other)) or bool(one == other)


def _in_order(values: Any) -> list[Any]:
    """Return the values of a cell: the order of strings does not matter, that of numbers does."""
    listed = [*values]
    return sorted(listed) if all(isinstance(value, str) for value in listed) else listed
