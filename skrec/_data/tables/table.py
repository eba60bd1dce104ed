"""A read-only view of ``X``, a data frame, an array or a list of rows, that reads one column at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data.tables.columns import Column, as_column, object_array, zone_of
from skrec._data.tables.timestamps import clock_of, instants, kind_of_times, time_column
from skrec.exceptions import ColumnError

__all__ = ["DATES", "Rows", "as_rows", "to_pandas"]

_RESHAPE = (
    "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
    "array.reshape(1, -1) if it contains a single sample."
)
_CHEAP = "iufb"
DATES = {"datetime", "datetime64", "date"}
"""What ``pandas.api.types.infer_dtype`` calls objects that are dates."""


class Rows:
    """Read-only view of a table in any supported container.

    Columns are converted to arrays on access, so that a frame of mixed types is never copied as a whole.

    Parameters
    ----------
    columns : pandas DataFrame, polars DataFrame, ndarray of shape (n_rows, n_columns) or list of 1-D arrays
        The table. Made by :func:`as_rows`, which checks it first.
    names : tuple of str or None
        The column labels if all of them are strings (scikit-learn's rule for ``feature_names_in_``).
    n_rows, n_columns : int
        The shape of the table.
    name : str, default="X"
        Name of the table in error messages.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"user_id": [1, 2], "item_id": ["a", "b"]}))
    >>> rows.names, rows.n_rows, rows.n_columns
    (('user_id', 'item_id'), 2, 2)
    >>> rows.column(1)
    array(['a', 'b'], dtype=object)
    """

    def __init__(
        self, columns: Any, *, names: tuple[str, ...] | None, n_rows: int, n_columns: int, name: str = "X"
    ) -> None:
        self._columns = columns
        self._name = name
        self.names = names
        self.n_rows = n_rows
        self.n_columns = n_columns
        self._raw: dict[int, Any] = {}
        self._converted: dict[int, Column] = {}
        self._in_utc: dict[int, Column] = {}
        self._clocks: dict[int, tuple[str, Column]] = {}  # of the columns of times that were asked for

    def __len__(self) -> int:
        return self.n_rows

    @property
    def name(self) -> str:
        """What error messages call the table."""
        return self._name

    @property
    def table(self) -> Any:
        """The data frame or array as it was passed; a list of columns if that was a list of rows."""
        return self._columns

    def raw(self, position: int) -> Any:
        """Return one column as the table holds it.

        Parameters
        ----------
        position : int
            Position of the column, from 0.

        Returns
        -------
        pandas Series, polars Series or ndarray, of shape (n_rows,)

        Raises
        ------
        IndexError
            If there is no such column.
        """
        if not 0 <= position < self.n_columns:
            raise IndexError(f"There is no column {position}: the table has the columns 0 to {self.n_columns - 1}.")
        if isinstance(self._columns, np.ndarray):
            return self._columns[:, position]
        if isinstance(self._columns, list):
            return self._columns[position]
        if position not in self._raw:
            is_pandas = isinstance(self._columns, pd.DataFrame)
            self._raw[position] = self._columns.iloc[:, position] if is_pandas else self._columns.to_series(position)
        return self._raw[position]

    def column(self, position: int) -> Column:
        """Return one column as an array. Each column is converted only once.

        Parameters
        ----------
        position : int
            Position of the column, from 0.

        Returns
        -------
        ndarray of shape (n_rows,)
            See :func:`skrec._data.tables.columns.as_column` for its type.

        Raises
        ------
        IndexError
            If there is no such column.
        """
        found = self._converted.get(position)
        if found is None:
            raw = self.raw(position)
            found = as_column(raw)
            kind = getattr(getattr(raw, "dtype", None), "kind", "O")
            if kind not in _CHEAP or not isinstance(raw.dtype, np.dtype):  # a cast of numbers costs more room than time
                self._converted[position] = found
        return found

    def time_values(self, position: int) -> Column:
        """Return one column, which may be one of times, with dates in UTC; it is converted once.

        Parameters
        ----------
        position : int
            Position of the column, from 0.

        Returns
        -------
        ndarray of shape (n_rows,)
            See :func:`skrec._data.tables.timestamps.time_column`; except for dates in a zone, periods and categories it
            is what :meth:`column` returns.
        """
        raw = self.raw(position)
        is_of_times = isinstance(raw.dtype, (pd.PeriodDtype, pd.CategoricalDtype)) or zone_of(raw) is not None
        if not is_of_times:
            return self.column(position)
        if position not in self._in_utc:
            self._in_utc[position] = time_column(raw)
        return self._in_utc[position]

    def times(self, position: int, *, like: str | None = None) -> Column:
        """Return a column of times as numbers in the same order.

        Parameters
        ----------
        position : int
            Position of the column, from 0.
        like : str or None, default=None
            The kind of the times that they are compared with, as :meth:`time_kind` tells it; None: any will do.

        Returns
        -------
        ndarray of shape (n_rows,), int64, uint64 or float64
            Numbers as they are; dates and durations on the clock of
            :func:`skrec._data.tables.timestamps.clock_of`, nanoseconds since 1970
            from the year 1690 to 2250, in UTC where they have a zone.

        Raises
        ------
        ColumnError
            If they are not of the kind that they should be like.
        ValueError
            If a time is missing or infinite, beyond the years 1 to 9999, or is neither a number nor a date.
        """
        kind, values = self._times(position)
        if like is not None and kind != like:
            raise ColumnError(
                f"The time column {self.label(position)} holds {kind}, but in fit it held {like}: convert it, so that "
                "times can be compared."
            )
        return values

    def _times(self, position: int) -> tuple[str, Column]:
        """Return the kind of a column of times and the times, which are read once."""
        if position not in self._clocks:
            self._clocks[position] = self._read_times(position)
        return self._clocks[position]

    def _read_times(self, position: int) -> tuple[str, Column]:
        values = self.time_values(position)
        label = self.label(position)
        missing = pd.isna(values) if values.dtype.kind == "O" else ~np.isfinite(values)
        if missing.any():
            raise ValueError(
                f"Input {self._name} contains NaN or infinity: the time column {label} has none in row "
                f"{int(np.argmax(missing))}. Every row needs a time: fill it in or drop the row."
            )
        if values.dtype.kind == "O" and pd.api.types.infer_dtype(values, skipna=False) not in DATES:
            row = _first_odd(values)
            raise ValueError(
                f"The time column {label} holds neither numbers nor dates, for instance {values[row]!r} in row {row}. "
                "Convert it first, for instance with pandas.to_datetime."
            )
        kind = kind_of_times(values)
        if kind == "numbers":
            return kind, values if values.dtype.kind in "uf" else values.astype(np.int64, copy=False)
        try:
            return kind, instants(values) if values.dtype.kind == "O" else clock_of(values)
        except ValueError as error:
            raise ValueError(f"The time column {label} {error}") from error

    def time_kind(self, position: int) -> str:
        """Return what a column of times, which :meth:`times` can read, holds.

        Parameters
        ----------
        position : int
            Position of the column, from 0.

        Returns
        -------
        str
            ``"numbers"``, ``"dates"`` or ``"durations"``.
        """
        return self._times(position)[0]

    def label(self, position: int) -> str:
        """Return what error messages call a column: its quoted name, or its position.

        Parameters
        ----------
        position : int
            Position of the column, from 0.

        Returns
        -------
        str
        """
        return str(position) if self.names is None else repr(self.names[position])


def _first_odd(values: Column) -> int:
    """Return the row of the first object that is not a time, or of the first change between numbers and dates."""
    kinds = [isinstance(value, date) + 2 * isinstance(value, Real) for value in values]
    return kinds.index(0) if 0 in kinds else next((row for row, kind in enumerate(kinds) if kind != kinds[0]), 0)


def as_rows(X: Any, *, name: str = "X", min_columns: int = 1) -> Rows:
    """Check a table and return a view of its rows.

    This function does for tables of mixed types what :func:`sklearn.utils.check_array` does for numbers. It does not
    check values: each role or feature raises an error for values that it cannot use.

    Parameters
    ----------
    X : pandas DataFrame, polars DataFrame, array-like of shape (n_rows, n_columns)
        An array of any type, or a list of rows, which keeps the types of its values.
    name : str, default="X"
        Name of the table in error messages.
    min_columns : int, default=1
        Minimum number of columns.

    Returns
    -------
    Rows

    Raises
    ------
    ColumnError
        If two columns have the same name.
    TypeError
        If it is sparse, a dict, a string or a lazy frame.
    ValueError
        If it is not two-dimensional, is empty, has too few columns or holds complex numbers.

    Examples
    --------
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows([[1, "a"], [2, "b"]])
    >>> rows.column(0), rows.column(1)
    (array([1, 2]), array(['a', 'b'], dtype=object))
    """
    columns, labels, shape = _columns_of(X, name)
    if shape[0] < 1:
        raise _no_rows(shape, name)
    if shape[1] < min_columns:
        raise ValueError(
            f"Found array with {shape[1]} feature(s) (shape={shape}) while a minimum of {min_columns} is required."
        )
    names = None
    if labels and all(isinstance(label, str) for label in labels):
        names = tuple(str(label) for label in labels)
        twice = [label for label, count in Counter(names).items() if count > 1]
        if twice:
            raise ColumnError(
                f"{name} has more than one column named {twice[0]!r}. Rename or drop the others, "
                f"for instance with {name}.loc[:, ~{name}.columns.duplicated()]."
            )
    return Rows(columns, names=names, n_rows=shape[0], n_columns=shape[1], name=name)


def to_pandas(table: Any) -> Any:
    """Return the table of another library, such as an Arrow table, as a pandas DataFrame; anything else as it is.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from skrec._data.tables.table import to_pandas
    >>> list(to_pandas(pa.table({"user_id": [1, 2]})).columns), to_pandas([1, 2])
    (['user_id'], [1, 2])
    """
    library = type(table).__module__.partition(".")[0]
    if library in {"polars", "pandas"} or not (hasattr(table, "to_pandas") and hasattr(table, "columns")):
        return table
    # The types of NumPy would make floats of whole numbers beside missing ones.
    return table.to_pandas(types_mapper=pd.ArrowDtype) if library == "pyarrow" else table.to_pandas()


def _columns_of(X: Any, name: str) -> tuple[Any, list[Any] | None, tuple[int, int]]:
    """Return what :class:`Rows` holds, the labels of the columns, and the shape."""
    if sparse.issparse(X):
        raise TypeError(
            f"Sparse data was passed for {name}, but rows with an id in each are required. If {name} is a user-item "
            f"matrix, turn it into rows of events: skrec.datasets.events_from_matrix({name}). If its columns are "
            f"features, the Classifiers and Regressors of features (DCN, FM, ...) take it as it is; for others pass "
            f"{name}.toarray(), or have the transformer return dense data (sparse_output=False, sparse_threshold=0)."
        )
    if isinstance(X, (str, bytes, dict, set)):
        raise TypeError(
            f"Expected 2D array, got {type(X).__name__} instead. "
            f"Pass a DataFrame with one row an event{', for instance pandas.DataFrame(X)' * isinstance(X, dict)}."
        )
    is_polars = type(X).__module__.partition(".")[0] == "polars"
    if is_polars and hasattr(X, "collect"):
        raise TypeError(f"{name} is a polars LazyFrame, which has no rows yet: pass {name}.collect().")
    if isinstance(X, (pd.Series, pd.Index)) or (is_polars and not hasattr(X, "to_series")):
        raise ValueError(
            f"Expected a 2-dimensional container but got {type(X)} instead. Pass a DataFrame containing a single row "
            "(i.e. single sample) or a single column (i.e. single feature) instead."
        )
    X = to_pandas(X)
    if is_polars or isinstance(X, pd.DataFrame):
        if any(getattr(dtype, "kind", "O") == "c" for dtype in X.dtypes):
            raise ValueError(f"Complex data not supported\n{X.dtypes}\n")
        return X, list(X.columns), (int(X.shape[0]), int(X.shape[1]))
    if isinstance(X, (list, tuple)) and len(X) and not isinstance(X[0], np.generic):
        return _columns_of_list(X, name)
    if isinstance(X, np.ma.MaskedArray):
        masked: Any = X
        X = masked.filled(np.nan) if masked.dtype.kind == "f" else masked.astype(object).filled(None)
    return _columns_of_array(np.asarray(X), name)


def _no_rows(shape: tuple[int, ...], name: str) -> ValueError:
    return ValueError(
        f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required: {name} is empty. Pass at "
        "least one row; if a filter made it, look at what that leaves."
    )


def _columns_of_array(array: NDArray[Any], name: str) -> tuple[NDArray[Any], None, tuple[int, int]]:
    if array.shape == (0,):
        raise _no_rows(array.shape, name)
    if array.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {'1D' if array.ndim else 'scalar'} array instead:\narray={array}.\n{_RESHAPE}"
        )
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required.")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    return array, None, (int(array.shape[0]), int(array.shape[1]))


def _columns_of_list(X: Sequence[Any], name: str) -> tuple[list[Column], None, tuple[int, int]]:
    """Turn a list of rows into columns, each with its own type."""
    if any(isinstance(row, dict) for row in X):
        raise TypeError(f"{name} is a list of dicts: pass pandas.DataFrame({name}).")
    if not all(isinstance(row, (list, tuple, np.ndarray)) for row in X):
        raise ValueError(f"Expected 2D array, got 1D array instead:\narray={X!s:.200}.\n{_RESHAPE}")
    ragged = next((position for position, row in enumerate(X) if len(row) != len(X[0])), None)
    if ragged is not None:
        raise ValueError(
            f"The rows of {name} differ in length: row 0 has {len(X[0])} values and row {ragged} {len(X[ragged])}."
        )
    if len(X[0]) and isinstance(X[0][0], (list, np.ndarray)):
        raise ValueError("Found array with dim 3, while dim <= 2 is required.")
    columns = [as_column(object_array(values)) for values in zip(*X, strict=True)]
    return columns, None, (len(X), len(columns))
