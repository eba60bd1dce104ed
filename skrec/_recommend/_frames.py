"""Ids, columns and tables, whatever library they come from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from skrec._data.ids.id_lists import read_ids
from skrec._data.tables.columns import Column, as_column, side_by_side
from skrec._data.tables.spelling import closest
from skrec._data.tables.table import as_rows
from skrec.exceptions import ColumnError, UnknownIdError

Columns = list[Column]


def is_table(values: Any) -> bool:
    """Whether queries or candidates are rows, not ids: a list of tuples is a list of ids."""
    if hasattr(values, "columns"):
        return True
    if isinstance(values, np.ndarray):
        return values.ndim > 1
    return isinstance(values, list) and len(values) > 0 and isinstance(values[0], list | np.ndarray)


def as_ids(values: Any, argument: str) -> Column:
    """Return ids as a 1-D array that keeps their types."""
    return read_ids(values, argument)


def named_column(table: Any, name: str, argument: str) -> Column:
    """Return a column of a DataFrame, or say that it lacks it."""
    if name not in table.columns:
        guess = closest(name, [label for label in table.columns if isinstance(label, str)])
        cure = "Add it." if guess is None else f"Did you mean {guess!r}? Rename it to {name!r}."
        raise ColumnError(f"{argument} has no column {name!r}; its columns are {[*table.columns]}. {cure}")
    return as_column(table[name])


def columns_of(table: Any) -> Columns:
    """Return the columns of what a transformer returned."""
    rows = as_rows(table, name="the transformed X")
    return [rows.column(position) for position in range(rows.n_columns)]


def as_table(columns: Columns, names: Sequence[str] | None) -> Any:
    """Return columns as what a transformer was fitted on: a DataFrame if that had names, else an array."""
    if names is not None:
        return pd.DataFrame(dict(zip(names, columns, strict=True)))
    one_type = len({column.dtype for column in columns}) == 1
    return side_by_side(columns if one_type else [column.astype(object) for column in columns])


def with_columns(table: Any, columns: dict[int, Column], names: Sequence[str] | None = None) -> Any:
    """Return a copy of a table with other columns in place of those at the positions, or new ones by their names."""
    if isinstance(table, np.ndarray):
        return side_by_side([columns.get(position, table[:, position]) for position in range(table.shape[1])])
    labels = table.columns if names is None else names
    named = {labels[position]: column for position, column in columns.items()}
    if isinstance(table, pd.DataFrame):
        copy = table.copy()
        for name, column in named.items():
            copy[name] = column
        return copy
    series = type(table.to_series(0))
    return table.with_columns(**{name: series(name, column) for name, column in named.items()})


def repeat(value: Any, n: int) -> Column:
    """Return a column of one value."""
    return np.repeat(as_column([value]), n)


def unknown_error(kind: str, ids: Column, argument: str) -> UnknownIdError:
    """Return the error that names ids that are not in the training data."""
    shown = ", ".join(map(repr, ids[:5].tolist())) + (", ..." if len(ids) > 5 else "")
    return UnknownIdError(
        f"{argument} has {len(ids)} unknown {kind}: {shown}. They were not in the training data: "
        "correct them, or leave them out."
    )
