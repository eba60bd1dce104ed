"""Which columns of a table are categories, numbers, lists and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.columns import as_column
from skrec._data.lists import LIST_TYPES, are_vectors, width_of
from skrec._data.roles import column_positions
from skrec._data.table import Rows

__all__ = ["Kind", "categorical_columns", "kind_of"]

Kind = Literal["categorical", "multivalued", "numeric", "array"]

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TIMES = {"datetime", "datetime64", "date", "timedelta", "timedelta64"}


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
    The first value of an object column tells whether it holds lists. Objects of a table that is not a data frame are
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
    present = ~pd.isna(values)
    first = values[np.argmax(present)] if present.any() else None
    if isinstance(first, LIST_TYPES):
        return "multivalued" if width_of(values) is None else "array"
    if not isinstance(rows.table, (np.ndarray, list)):
        return "categorical"
    return _numeric_if(pd.api.types.infer_dtype(values, skipna=True) in _NUMBERS | _TIMES)


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
