"""Columns with several values per cell: lists and delimited strings."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.categories import Categories, Factors, factorize
from skrec._data.features.shared_cells import shared_cells
from skrec._data.features.vectors import LIST_TYPES, is_polars_array
from skrec._data.tables.columns import Column, as_column, object_array
from skrec._warnings import warn

__all__ = ["Lists", "warn_separator", "pack", "split"]

_SEPARATORS = ("|", ",", ";")


class Lists(NamedTuple):
    """A flattened column of lists.

    Parameters
    ----------
    factors : Factors
        The values of all lists, without missing values.
    rows : ndarray of shape (n_values,), int
        The row of each value, ascending.
    n_rows : int
        Number of rows, including those with an empty list.

    Examples
    --------
    >>> from skrec._data.features.multivalued import split
    >>> lists = split(["a|b", None, "b|b"], name="genres", separator="|")
    >>> lists.factors.distinct, lists.factors.positions, lists.rows, lists.n_rows
    (array(['a', 'b'], dtype=object), array([0, 1, 1, 1]), array([0, 0, 2, 2]), 3)
    """

    factors: Factors
    rows: NDArray[np.intp]
    n_rows: int

    @property
    def counts(self) -> NDArray[np.intp]:
        """0, followed by the number of rows with each distinct value; repeated values in a list count once."""
        n_distinct = len(self.factors.distinct)
        pairs = _sorted_distinct(self.rows * n_distinct + self.factors.positions)
        return np.bincount(pairs % max(n_distinct, 1) + 1, minlength=n_distinct + 1)


def split(values: Any, *, name: str, separator: str | None) -> Lists:
    """Return the values in the cells of a column, and the rows that contain them.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Lists, tuples, sets and arrays; strings, which are split. A cell of any other kind is one value.
    name : str
        Name of the column in error messages.
    separator : str or None
        The separator at which strings are split. Blanks around the parts are removed, and empty parts are ignored. If
        None, a string is one value.

    Returns
    -------
    Lists
        The values, without missing cells and without missing values in a list.

    Raises
    ------
    TypeError
        If a value is not hashable.
    ValueError
        If a value is infinite, or if the separator is empty.

    Examples
    --------
    >>> from skrec._data.features.multivalued import split
    >>> split([["a", "b"], [], "c"], name="genres", separator=None).rows
    array([0, 0, 2])
    """
    if separator == "":
        raise ValueError("separator='' separates nothing: pass None if a string is a single value.")
    column = as_column(values)
    shared = shared_cells(column)
    if shared is not None:
        try:
            return _repeated(split(shared[0], name=name, separator=separator), shared[1])
        except (TypeError, ValueError):
            pass  # the error below names the row
    return _split_each(column, name, separator)


def _repeated(lists: Lists, index: NDArray[np.intp]) -> Lists:
    """Return the lists of rows that are some of the given ones, or the same ones several times."""
    lengths = np.bincount(lists.rows, minlength=lists.n_rows)
    of_row = lengths[index]
    shift = (np.cumsum(lengths) - lengths)[index] - (np.cumsum(of_row) - of_row)
    at = np.repeat(shift, of_row) + np.arange(of_row.sum())
    factors = Factors(lists.factors.distinct, lists.factors.positions[at])
    return Lists(factors, np.repeat(np.arange(len(index)), of_row), len(index))


def _split_each(column: Column, name: str, separator: str | None) -> Lists:
    @cache
    def parts(text: str) -> list[str]:
        return [part for part in map(str.strip, text.split(separator)) if part]

    def in_cell(cell: Any) -> Collection[Any]:
        if isinstance(cell, LIST_TYPES):
            return cell
        return parts(cell) if separator is not None and isinstance(cell, str) else (cell,)

    present = np.flatnonzero(~pd.isna(column))
    cells = [in_cell(cell) for cell in column[present]]
    rows = np.repeat(present, np.fromiter(map(len, cells), dtype=np.intp, count=len(cells)))
    flat = as_column(object_array(list(chain.from_iterable(cells))))
    try:
        distinct, positions = factorize(flat, name=name)
    except (TypeError, ValueError) as error:
        at = next(at for at, value in enumerate(flat) if not _is_category(value))
        raise type(error)(
            f"Column {name!r} has a list with {flat[at]!r} ({type(flat[at]).__name__}) in row {rows[at]}. The values "
            "of a list must be strings, finite numbers or other hashable values."
        ) from error
    known = positions >= 0
    return Lists(Factors(distinct, positions[known]), rows[known], len(column))


def warn_separator(values: Any, name: str, separator: str | None) -> None:
    """Warn if no string of a column has the separator, but strings have another one.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
    name : str
        Name of the column in the warning.
    separator : str or None
        The separator at which strings are split.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> from skrec._data.features.multivalued import warn_separator
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_separator(["Drama, War", "War"], "genres", "|")
    >>> str(told[0].message)[:71]
    "No string of column 'genres' has the separator '|', but 'Drama, War' ha"
    """
    if separator is None or is_polars_array(values):
        return
    column = as_column(values)
    texts = list(pd.unique(column[[isinstance(value, str) for value in column]]))
    if any(separator in text for text in texts):
        return
    for other in _SEPARATORS:
        text = next((text for text in texts if other in text), None)
        if text is not None:
            warn(
                f"No string of column {name!r} has the separator {separator!r}, but {text!r:.100} has {other!r}: each "
                f"string is one value. If strings hold several values, pass separator={other!r}, else separator=None."
            )
            return


def pack(lists: Lists, field: Categories) -> NDArray[np.int32]:
    """Return the rows of the embedding table for the values of lists.

    Parameters
    ----------
    lists : Lists
        A column of lists.
    field : Categories
        The field of the column.

    Returns
    -------
    ndarray of shape (n_rows, longest), int32
        The distinct rows of the values of each list, ascending, padded with -1. Unknown values are left out. A list
        without a known value gets the row of the unknown value.

    Examples
    --------
    >>> from skrec._data.features.categories import Categories
    >>> from skrec._data.features.multivalued import pack, split
    >>> lists = split(["b|a", None, "b|b"], name="genres", separator="|")
    >>> pack(lists, Categories.empty("genres").extend(lists.factors, n_rows=0))
    array([[ 1,  2],
           [ 0, -1],
           [ 2, -1]], dtype=int32)
    """
    codes = field.encode(lists.factors)
    known = codes != field.unknown
    pairs = _sorted_distinct(lists.rows[known].astype(np.int64) << 32 | codes[known])
    rows, codes = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    lengths = np.bincount(rows, minlength=lists.n_rows)
    bags = np.full((lists.n_rows, max(1, lengths.max(initial=1))), -1, dtype=np.int32)
    bags[rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)] = codes
    bags[lengths == 0, 0] = field.unknown
    return bags


def _sorted_distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sorted distinct numbers (from 0), as ``np.unique`` but faster for numbers that are nearly sorted."""
    pairs = np.sort(pairs, kind="stable")
    return np.asarray(pairs[np.diff(pairs, prepend=-1) != 0])


def _is_category(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return not (isinstance(value, (float, np.floating)) and np.isinf(value))
