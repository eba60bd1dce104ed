"""Decide which columns of a table hold categories, numbers, lists or arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.multivalued import warn_separator
from skrec._data.features.spelled import Spelling, spelling_of
from skrec._data.features.vectors import LIST_TYPES, are_vectors, warn_ragged, width_of
from skrec._data.tables.columns import Column
from skrec._data.tables.roles import column_positions
from skrec._data.tables.table import Rows
from skrec._warnings import warn
from skrec.exceptions import ColumnError

__all__ = [
    "Kind",
    "categorical_columns",
    "columns_by_kind",
    "field_name",
    "warn_spelled_values",
    "kind_of",
    "measures_of",
    "refuse_other_measures",
]

Kind = Literal["categorical", "multivalued", "numeric", "array"]

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_FEW_CATEGORIES = 50
_ENOUGH_ROWS = 200
_OWN = 0.95
_TIMES = {"datetime", "datetime64", "date", "timedelta", "timedelta64"}
_CURES = {
    "numbers": "Convert it to the numbers that it held in fit, or fit again.",
    "text": "Convert it to the numbers that it held in fit, or fit again.",
    "dates": "Convert it with pandas.to_datetime, or fit again.",
    "durations": "Convert it with pandas.to_timedelta, or fit again.",
}


def categorical_columns(
    rows: Rows, spec: Iterable[Any] | Callable[[Any], Any] | None = "from_dtype"
) -> NDArray[np.bool_] | None:
    """Return the columns that a parameter ``categorical_features`` selects.

    Parameters
    ----------
    rows : Rows
        The table.
    spec : "from_dtype", sequence of str or int, boolean mask, callable or None, default="from_dtype"
        Names or positions of columns; a mask over all columns; a function of the table that returns either, such as
        one made by :func:`sklearn.compose.make_column_selector`; None for no column.

    Returns
    -------
    ndarray of shape (n_columns,), bool, or None
        None for ``"from_dtype"``, in which case :func:`kind_of` decides.

    Raises
    ------
    ColumnError
        If a column does not exist, or if the length of a mask differs from the number of columns.

    Examples
    --------
    >>> from skrec._data.features.column_kinds import categorical_columns
    >>> from skrec._data.tables.table import as_rows
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
    """Return the kind of field of a column from its dtype.

    Strings, categories, objects and booleans are categorical. Lists, tuples and sets are multi-valued. Arrays of equal
    width are arrays, and so are lists of numbers of equal length above 1 if not all numbers are whole. All other
    columns are numeric. An object column with at least one list is multi-valued. Objects in a table that is not a data
    frame are numeric if all of them are numbers or times.

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
    >>> from skrec._data.features.column_kinds import kind_of
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"age": [30], "city": ["Bern"], "genres": [["Drama", "War"]]}))
    >>> [kind_of(rows, position) for position in range(3)]
    ['numeric', 'categorical', 'multivalued']
    """
    raw = rows.raw(position)
    if type(raw).__module__.partition(".")[0] == "polars":
        kind = _kind_of_polars(rows, position)
    elif isinstance(raw.dtype, np.dtype):
        kind = None if raw.dtype == object else _numeric_if(raw.dtype.kind in "iufMm")
    else:
        kind = _kind_of_extension(rows, position)
    if kind is not None:
        return kind
    values = rows.column(position)
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred != "string" and any(isinstance(value, LIST_TYPES) for value in values):
        return "multivalued" if width_of(values) is None else "array"
    if not isinstance(rows.table, (np.ndarray, list)):
        return "categorical"
    return _numeric_if(inferred in _NUMBERS | _TIMES)


def warn_spelled_values(rows: Rows, position: int) -> None:
    """Warn about a categorical column that probably holds numbers or times, or a different value in nearly every row.

    Parameters
    ----------
    rows : Rows
        The table.
    position : int
        Position of a column that :func:`kind_of` takes for categorical and that was not declared to be.

    Warns
    -----
    UserWarning
        If most values are Python objects that are numbers or times, or text that spells numbers or dates; there is no
        warning if all text spells whole numbers, which may be codes. Also if at least 200 rows have a value and 95 % of
        these values are distinct. A column of dtype "category" only causes a warning if it has more than 50 categories.

    Examples
    --------
    >>> import warnings
    >>> import pandas as pd
    >>> from skrec._data.features.column_kinds import warn_spelled_values
    >>> from skrec._data.tables.table import as_rows
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_spelled_values(as_rows(pd.DataFrame({"price": ["1.5", "?", "2.25"]})), 0)
    >>> print(told[0].message)
    Column 'price' holds numbers as text, such as '1.5', but also '?': each is taken for a category. Convert them \
with pandas.to_numeric(..., errors='coerce'), or, if they are categories, convert the column with .astype('category').
    """
    raw, column, label = rows.raw(position), rows.column(position), rows.label(position)
    is_declared = isinstance(raw.dtype, pd.CategoricalDtype) or str(raw.dtype).startswith(("Categorical", "Enum"))
    missing = np.asarray(pd.isna(column))
    n_there = len(column) - int(missing.sum())
    if column.dtype.kind == "b" or not n_there:
        return
    try:
        distinct = pd.unique(column[~missing])
    except TypeError:
        return  # values that are not hashable raise an error later
    if is_declared and len(distinct) <= _FEW_CATEGORIES:
        return
    kind = pd.api.types.infer_dtype(distinct, skipna=False)
    found = None
    if kind in _NUMBERS | _TIMES:
        at = int(np.argmin(missing))
        what = "numbers" if kind in _NUMBERS else "times"
        cure = "numeric" if kind in _NUMBERS else "timedelta" if "delta" in kind else "datetime"
        found = Spelling(what, f"pandas.to_{cure}", raw.iloc[at] if hasattr(raw, "iloc") else raw[at], None)
    elif kind != "boolean":
        found = spelling_of(distinct)
    is_text = found is not None and isinstance(found.example, str)
    if found is not None and (is_text or not is_declared):
        besides = "" if found.exception is None else f", but also {found.exception!r:.100}"
        by_type = not is_declared and not isinstance(rows.table, (np.ndarray, list))
        say_so = "convert the column with .astype('category')" if by_type else "name it in categorical_features="
        warn(
            f"Column {label} holds {found.what} as {'text' if is_text else 'objects'}, such as "
            f"{found.example!r}{besides}: each is taken for a category. Convert them with {found.cure.format(label)}, "
            f"or, if they are categories, {say_so}."
        )
    elif n_there >= _ENOUGH_ROWS and len(distinct) >= _OWN * n_there:
        warn(
            f"Column {label} has a different category in nearly every row ({len(distinct):,} in {n_there:,} rows), "
            f"such as {distinct[0]!r:.100}, so a model can only memorize the rows. Leave the column out, or group its "
            "values. If they are the ids of users or items, name the column in user= or item=; if they are categories, "
            "name it in categorical_features=."
        )


def measures_of(rows: Rows, positions: Sequence[int]) -> tuple[str, ...]:
    """Return what numeric columns measure; numbers and times cannot replace each other.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of the columns.

    Returns
    -------
    tuple of str
        For each column ``"numbers"``, ``"text"``, ``"dates"`` or ``"durations"``, or ``""`` if all values are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.column_kinds import measures_of
    >>> from skrec._data.tables.table import as_rows
    >>> frame = pd.DataFrame({"age": [30], "born": pd.to_datetime(["1990-05-01"]), "size": ["1.5"], "left": [None]})
    >>> measures_of(as_rows(frame), range(4))
    ('numbers', 'dates', 'text', '')
    """
    if isinstance(rows.table, np.ndarray) and rows.table.dtype.kind in "iufb":
        return ("numbers",) * len(positions)
    return tuple(_measure_of(rows.time_values(position)) for position in positions)


def refuse_other_measures(rows: Rows, positions: Sequence[int], known: Sequence[str]) -> None:
    """Raise an error if a column holds times but held numbers in ``fit``, or the other way round.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of the columns.
    known : sequence of str
        The result of :func:`measures_of` in fit.

    Raises
    ------
    ColumnError

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.column_kinds import refuse_other_measures
    >>> from skrec._data.tables.table import as_rows
    >>> refuse_other_measures(as_rows(pd.DataFrame({"seen": pd.to_datetime(["2024-05-01"])})), [0], ["numbers"])
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: Column 'seen' holds dates, but held numbers in fit...
    """
    for position, here, there in zip(positions, measures_of(rows, positions), known, strict=True):
        if here != there and here and there and {here, there} != {"numbers", "text"}:
            raise ColumnError(f"Column {rows.label(position)} holds {here}, but held {there} in fit. {_CURES[there]}")


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


def _kind_of_polars(rows: Rows, position: int) -> Kind | None:
    series = rows.raw(position)
    name = str(series.dtype.base_type())
    if name == "Array":
        return "multivalued" if width_of(series) is None else "array"
    if name in {"List", "Object"}:
        if name == "List" and series.dtype.inner.is_float():
            return "array" if are_vectors(rows.column(position)) else "multivalued"
        return "multivalued" if name == "List" else None
    return _numeric_if(series.dtype.is_numeric() or name in {"Date", "Datetime", "Duration"})


def _kind_of_extension(rows: Rows, position: int) -> Kind | None:
    """Return the kind for a pandas dtype, or None if it depends on the values."""
    series = rows.raw(position)
    dtype = series.dtype
    name = str(dtype)
    if name.startswith(("list<", "large_list<")):
        return "array" if are_vectors(rows.column(position)) else "multivalued"
    if name.startswith("fixed_size_list<"):
        return None
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    if dtype.kind == "O" and not isinstance(dtype, (pd.StringDtype, pd.ArrowDtype, pd.PeriodDtype, pd.IntervalDtype)):
        return None
    is_number = pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "b"
    return _numeric_if(is_number or dtype.kind in "Mm" or dtype.type is date)


def _numeric_if(is_number: bool) -> Kind:
    return "numeric" if is_number else "categorical"


def field_name(rows: Rows, position: int) -> str:
    """Return the name of a column's field: that of the column, or ``"x3"`` by position."""
    return f"x{position}" if rows.names is None else rows.names[position]


def columns_by_kind(
    rows: Rows,
    positions: Sequence[int],
    categorical: Any,
    multivalued: Sequence[str | int] | None,
    separator: str | None,
) -> dict[Kind, list[int]]:
    """Return the columns of each kind among `positions`, and warn about values that look like another kind."""
    mask = categorical_columns(rows, categorical)
    listed = () if multivalued is None else multivalued
    several = set(column_positions(rows, listed, parameter="multivalued_features"))
    columns: dict[Kind, list[int]] = {"categorical": [], "multivalued": [], "numeric": [], "array": []}
    for position in map(int, positions):
        kind: Kind = "multivalued" if position in several else kind_of(rows, position)
        if position in several:
            warn_separator(rows.column(position), field_name(rows, position), separator)
        elif kind == "multivalued":
            warn_ragged(rows.column(position), field_name(rows, position))
        elif kind == "categorical" and mask is None:
            warn_spelled_values(rows, position)
        if mask is not None and kind in {"categorical", "numeric"}:
            kind = "categorical" if mask[position] else "numeric"
        columns[kind].append(position)
    return columns
