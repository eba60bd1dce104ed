"""The columns that describe items, and their latest values for each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.column_kinds import refuse_other_measures
from skrec._data.features.multivalued import split
from skrec._data.features.numbers import as_numbers, refuse_infinity
from skrec._data.features.shared_cells import shared_cells
from skrec._data.features.vectors import stack
from skrec._data.tables.columns import Column, object_array
from skrec._data.tables.table import Rows
from skrec.exceptions import ColumnError

__all__ = ["ItemColumns", "ItemValues"]


@dataclass(frozen=True, eq=False)
class ItemColumns:
    """The columns of a table that describe items, with their kinds.

    Parameters
    ----------
    names : tuple of str
        Names of the columns.
    positions : tuple of int
        Positions of the columns in the table of ``fit``.
    kinds : tuple of {"text", "categorical", "multivalued", "numeric", "array"}
        The kind of each column.
    widths : tuple of int
        The width of each column of arrays, 0 for other columns.
    measures : tuple of str
        What each numeric column measures, see :func:`skrec._data.features.column_kinds.measures_of`; otherwise ``""``.
    separator : str or None
        The separator at which the strings of multi-valued columns are split.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.item_columns import ItemColumns
    >>> from skrec._data.tables.table import as_rows
    >>> columns = ItemColumns(("genres", "year"), (0, 1), ("multivalued", "numeric"), (0, 0), ("", "numbers"), "|")
    >>> columns.read(as_rows(pd.DataFrame({"genres": ["Drama|War", None], "year": [1999, 2001]})))
    (array([('Drama', 'War'), None], dtype=object), array([1999., 2001.]))
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    kinds: tuple[str, ...]
    widths: tuple[int, ...]
    measures: tuple[str, ...]
    separator: str | None = "|"

    def read(self, rows: Rows, positions: Sequence[int] | None = None) -> tuple[Column, ...]:
        """Return the values of the columns.

        Parameters
        ----------
        rows : Rows
            The table.
        positions : sequence of int, default=None
            Positions of the columns in the table. If None, those of ``fit``.

        Returns
        -------
        tuple of ndarray
            For each column: strings, or values, or tuples of values, all with None for missing ones; numbers, with NaN
            for missing ones; or a matrix with a row for each array.

        Raises
        ------
        ColumnError
            If a value is not of the kind of its column.
        TypeError
            If a value of a list is not hashable.
        ValueError
            If a number is infinite.
        """
        at = self.positions if positions is None else tuple(positions)
        numeric = [number for number, kind in enumerate(self.kinds) if kind == "numeric"]
        refuse_other_measures(rows, [at[number] for number in numeric], [self.measures[number] for number in numeric])
        return tuple(self._read_one(rows, position, number) for number, position in enumerate(at))

    def _read_one(self, rows: Rows, position: int, number: int) -> Column:
        kind, label = self.kinds[number], rows.label(position)
        if kind == "numeric":
            numbers = as_numbers(rows.time_values(position), label)
            refuse_infinity(np.isinf(numbers), label)
            return numbers
        column = rows.column(position)
        if kind == "array":
            return stack(column, self.widths[number], label)
        if kind == "multivalued":
            return _tuples(column, self.names[number], self.separator)
        cells = column.astype(object)
        missing = np.asarray(pd.isna(cells))
        if kind == "text":
            _refuse_other_than_text(cells, missing, label)
        cells[missing] = None
        return cells

    def blank(self, number: int, n: int) -> Column:
        """Return missing values of a column.

        Parameters
        ----------
        number : int
            Number of the column.
        n : int
            How many.

        Returns
        -------
        ndarray of shape (n,), or (n, width) for arrays
        """
        if self.kinds[number] == "array":
            return np.full((n, self.widths[number]), np.nan)
        return np.full(n, np.nan) if self.kinds[number] == "numeric" else np.full(n, None)


@dataclass(frozen=True, eq=False)
class ItemValues:
    """The latest known value of each item in each column.

    Parameters
    ----------
    columns : tuple of ndarray of shape (n_items,) or (n_items, width)
        Values, see :meth:`ItemColumns.read`.
    times : tuple of ndarray of shape (n_items,), or None
        Times of the values, NaN (or the lowest number) for missing ones. None without times.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.item_columns import ItemColumns, ItemValues
    >>> columns = ItemColumns(("year",), (0,), ("numeric",), (0,), ("numbers",))
    >>> values = ItemValues((), None).updated(columns, [np.array([1.0, 2.0, np.nan])], np.array([2, 1, 2]), 3, None)
    >>> values.columns[0]
    array([ 2.,  1., nan])
    """

    columns: tuple[Column, ...]
    times: tuple[Column, ...] | None

    def updated(
        self,
        kinds: ItemColumns,
        new: Sequence[Column],
        codes: NDArray[np.int32],
        n_items: int,
        time: NDArray[Any] | None,
    ) -> ItemValues:
        """Return the values after further rows.

        Parameters
        ----------
        kinds : ItemColumns
        new : sequence of ndarray of shape (n_rows,) or (n_rows, width)
            Values of the rows.
        codes : ndarray of shape (n_rows,), int32
            Code of the item of each row, from 1.
        n_items : int
            Number of items. Those that are new have no values yet.
        time : ndarray of shape (n_rows,) or None
            Times of the rows. A value replaces another one unless it is older. If None, later rows are later.

        Returns
        -------
        ItemValues
        """
        order = np.arange(len(codes)) if time is None else np.argsort(time, kind="stable")
        columns, times = [], []
        for number, found in enumerate(new):
            values = kinds.blank(number, n_items)
            if self.columns:
                values[: len(self.columns[number])] = self.columns[number]
            there = order[~is_missing(found)[order]]
            last = np.full(n_items + 1, -1, np.int64)
            last[codes[there]] = there
            items = np.flatnonzero(last[1:] >= 0)
            rows = last[1:][items]
            if time is not None:
                known = self._times_of(number, n_items, time.dtype)
                is_newer = time[rows] >= known[items]
                items, rows = items[is_newer], rows[is_newer]
                known[items] = time[rows]
                times.append(known)
            values[items] = found[rows]
            columns.append(values)
        return ItemValues(tuple(columns), None if time is None else tuple(times))

    def _times_of(self, number: int, n_items: int, dtype: np.dtype[Any]) -> Column:
        before = None if self.times is None else self.times[number]
        dtype = dtype if before is None else np.result_type(dtype, before.dtype)
        times = np.full(n_items, -np.inf if dtype.kind == "f" else np.iinfo(dtype).min, dtype)
        if before is not None:
            times[: len(before)] = before
        return times


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Return which values of a column, as read by :meth:`ItemColumns.read`, are missing."""
    if column.ndim == 2:
        return np.asarray(np.isnan(column).all(axis=1))
    return np.asarray(np.isnan(column) if column.dtype.kind == "f" else pd.isna(column))


def _tuples(column: Column, name: str, separator: str | None) -> Column:
    shared = shared_cells(column)
    if shared is not None:
        try:
            return _tuples(shared[0], name, separator)[shared[1]]
        except (TypeError, ValueError):
            pass  # the error below names the row
    lists = split(column, name=name, separator=separator)
    values = lists.factors.distinct[lists.factors.positions].tolist()
    stop = np.cumsum(np.bincount(lists.rows, minlength=lists.n_rows)).tolist()
    cells = object_array([tuple(values[start:end]) for start, end in zip([0, *stop[:-1]], stop, strict=True)])
    cells[np.asarray(pd.isna(column))] = None
    return cells


def _refuse_other_than_text(cells: Column, missing: NDArray[np.bool_], label: str) -> None:
    there = np.flatnonzero(~missing)
    if pd.api.types.infer_dtype(cells[there], skipna=False) == "string":
        return
    row = next((row for row in there if not isinstance(cells[row], str)), None)
    if row is not None:
        raise ColumnError(
            f"Column {label} is one of text, but has {cells[row]!r:.100} ({type(cells[row]).__name__}) in row {row}. "
            "Convert the column with .astype(str), or leave it out of text_features when fitting."
        )
