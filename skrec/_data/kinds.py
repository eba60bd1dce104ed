"""Which columns of a table are categories, numbers, lists and arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.arrays import LIST_TYPES, are_vectors, width_of
from skrec._data.clock import time_column
from skrec._data.columns import Column, as_column
from skrec._data.roles import column_positions
from skrec._data.table import Rows
from skrec.exceptions import ColumnError

__all__ = ["Kind", "categorical_columns", "doubt_categories", "kind_of", "measures_of", "refuse_other_measures"]

Kind = Literal["categorical", "multivalued", "numeric", "array"]

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TIMES = {"datetime", "datetime64", "date", "timedelta", "timedelta64"}
_CURES = {
    "numbers": "Convert it to the numbers that it held then, or fit again.",
    "text": "Convert it to the numbers that it held then, or fit again.",
    "dates": "Convert it with pandas.to_datetime, or fit again.",
    "durations": "Convert it with pandas.to_timedelta, or fit again.",
}


def categorical_columns(
    rows: Rows, spec: Iterable[Any] | Callable[[Any], Any] | None = "from_dtype"
) -> NDArray[np.bool_] | None:
    """Return which columns a parameter ``categorical_features`` names.

    Parameters
    ----------
    rows : Rows
        The table.
    spec : "from_dtype", sequence of str or int, boolean mask, callable or None, default="from_dtype"
        Names or positions of columns; a mask over all of them; a function of the table that returns either, such as
        :func:`sklearn.compose.make_column_selector` makes; None for no column.

    Returns
    -------
    ndarray of shape (n_columns,), bool, or None
        None for ``"from_dtype"``: :func:`kind_of` tells.

    Raises
    ------
    ColumnError
        If a column is not there, or a mask has another length than the table has columns.

    Examples
    --------
    >>> from skrec._data.kinds import categorical_columns
    >>> from skrec._data.table import as_rows
    >>> categorical_columns(as_rows([[1, "a", 0.5]]), [0, 1])
    array([ True,  True, False])
    """
    if isinstance(spec, str) and spec == "from_dtype":
        return None
    table = pd.DataFrame(dict(enumerate(rows.table))) if isinstance(rows.table, list) else rows.table
    columns = () if spec is None else spec(table) if callable(spec) else spec
    mask = np.zeros(rows.n_columns, dtype=np.bool_)
    mask[column_positions(rows, columns, parameter="categorical_features")] = True
    return mask


def kind_of(rows: Rows, position: int) -> Kind:
    """Return what kind of field a column is by its type.

    Strings, categories, objects and booleans are categorical; lists, tuples and sets are multi-valued; arrays of one
    width are arrays, and so are lists of one length above 1, of numbers that are not all whole; all else is numeric.
    One list among the values of an object column makes it one of lists. Objects of a table that is not a data frame are
    numeric if all of them are numbers or times.

    Parameters
    ----------
    rows : Rows
        The table.
    position : int
        Position of the column, from 0.

    Returns
    -------
    {"categorical", "multivalued", "numeric", "array"}

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.kinds import kind_of
    >>> from skrec._data.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"age": [30], "city": ["Bern"], "genres": [["Drama", "War"]]}))
    >>> [kind_of(rows, position) for position in range(3)]
    ['numeric', 'categorical', 'multivalued']
    """
    raw = rows.raw(position)
    if type(raw).__module__.partition(".")[0] == "polars":
        kind = _kind_of_polars(raw)
    elif isinstance(raw.dtype, np.dtype):
        kind = None if raw.dtype == object else _numeric_if(raw.dtype.kind in "iufMm")
    else:
        kind = _kind_of_extension(raw)
    if kind is not None:
        return kind
    values = as_column(raw)
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred != "string" and any(isinstance(value, LIST_TYPES) for value in values):
        return "multivalued" if width_of(values) is None else "array"
    if not isinstance(rows.table, (np.ndarray, list)):
        return "categorical"
    return _numeric_if(inferred in _NUMBERS | _TIMES)


def doubt_categories(values: Any, name: str) -> None:
    """Warn of a column of categories that are probably numbers or times, which came as objects or as text.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        A column of a data frame that :func:`kind_of` takes for categorical.
    name : str
        What the warning calls the column.

    Warns
    -----
    UserWarning
        If all values that are there are objects of Python that are numbers or times, or text that spells numbers of
        which some are not whole: whole ones may well be codes.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from skrec._data.kinds import doubt_categories
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     doubt_categories(pd.Series(["1.5", "2"]), "price")
    >>> str(told[0].message)[:48]
    "Column 'price' holds numbers as text, such as '1"
    """
    if isinstance(values.dtype, pd.CategoricalDtype) or str(values.dtype).startswith(("Categorical", "Enum", "bool")):
        return  # somebody has said so
    column = as_column(values)
    there = column[~pd.isna(column)]
    kind = pd.api.types.infer_dtype(there, skipna=False)
    if kind in _NUMBERS:
        found, cure = "numbers as objects", "pandas.to_numeric"
    elif kind in _TIMES:
        found, cure = "times as objects", "pandas.to_timedelta" if "delta" in kind else "pandas.to_datetime"
    elif kind == "string" and len(there) and _spells_fractions(there):
        found, cure = "numbers as text", "pandas.to_numeric"
    else:
        return
    warnings.warn(
        f"Column {name!r} holds {found}, such as {there[0]!r}: each is a category of its own. Convert them with "
        f"{cure}, or, if they are categories, the column with .astype('category').",
        stacklevel=3,
    )


def measures_of(rows: Rows, positions: Sequence[int]) -> tuple[str, ...]:
    """Return what columns of numbers measure: numbers and times do not go into one another.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of the columns.

    Returns
    -------
    tuple of str
        For each ``"numbers"``, ``"text"``, ``"dates"`` or ``"durations"``; ``""`` if all of it is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.kinds import measures_of
    >>> from skrec._data.table import as_rows
    >>> frame = pd.DataFrame({"age": [30], "born": pd.to_datetime(["1990-05-01"]), "size": ["1.5"], "left": [None]})
    >>> measures_of(as_rows(frame), range(4))
    ('numbers', 'dates', 'text', '')
    """
    if isinstance(rows.table, np.ndarray) and rows.table.dtype.kind in "iufb":
        return ("numbers",) * len(positions)
    return tuple(_measure_of(time_column(rows.raw(position))) for position in positions)


def refuse_other_measures(rows: Rows, positions: Sequence[int], known: Sequence[str]) -> None:
    """Raise if a column holds times where those of ``fit`` were numbers, or the other way round.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of the columns.
    known : sequence of str
        What :func:`measures_of` found in fit.

    Raises
    ------
    ColumnError

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.kinds import refuse_other_measures
    >>> from skrec._data.table import as_rows
    >>> refuse_other_measures(as_rows(pd.DataFrame({"seen": pd.to_datetime(["2024-05-01"])})), [0], ["numbers"])
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: Column 'seen' holds dates, and numbers in fit...
    """
    for position, here, there in zip(positions, measures_of(rows, positions), known, strict=True):
        if here != there and here and there and {here, there} != {"numbers", "text"}:
            raise ColumnError(f"Column {rows.label(position)} holds {here}, and {there} in fit. {_CURES[there]}")


def _measure_of(column: Column) -> str:
    if column.dtype.kind in "Mm":
        found = "dates" if column.dtype.kind == "M" else "durations"
    elif column.dtype.kind != "O":
        found = "numbers"
    else:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        found = {"string": "text"}.get(kind, "numbers")
        if kind in _TIMES:
            found = "durations" if "delta" in kind else "dates"
    return "" if pd.isna(column).all() else found


def _spells_fractions(texts: NDArray[Any]) -> bool:
    if np.isnan(pd.to_numeric(texts[:1], errors="coerce")).any():
        return False  # mostly told by the first
    numbers = pd.to_numeric(pd.unique(texts), errors="coerce")
    return bool(np.isfinite(numbers).all() and (numbers != np.floor(numbers)).any())


def _kind_of_polars(series: Any) -> Kind | None:
    name = str(series.dtype.base_type())
    if name == "Array":
        return "multivalued" if width_of(series) is None else "array"
    if name in {"List", "Object"}:
        if name == "List" and series.dtype.inner.is_float():
            return "array" if are_vectors(series) else "multivalued"
        return "multivalued" if name == "List" else None
    return _numeric_if(series.dtype.is_numeric() or name in {"Date", "Datetime", "Duration"})


def _kind_of_extension(series: Any) -> Kind | None:
    """Return the kind for a type of pandas; None if its values have to tell."""
    dtype = series.dtype
    name = str(dtype)
    if name.startswith(("list<", "large_list<")):
        return "array" if are_vectors(series) else "multivalued"
    if name.startswith("fixed_size_list<"):
        return None
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    is_number = pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "b"
    return _numeric_if(is_number or dtype.kind in "Mm" or dtype.type is date)


def _numeric_if(is_number: bool) -> Kind:
    return "numeric" if is_number else "categorical"
