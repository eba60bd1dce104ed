"""Columns whose cells hold several values: lists, delimited strings, and arrays of one width."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from functools import cache
from itertools import chain
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.categories import Categories, Factors, factorize
from skrec._data.columns import Column, as_column, object_array
from skrec._data.numbers import as_float32, refuse_infinity
from skrec.exceptions import ColumnError

__all__ = ["LIST_TYPES", "Lists", "are_vectors", "doubt_ragged", "pack", "split", "stack", "width_of"]

LIST_TYPES = (list, tuple, set, frozenset, np.ndarray)


class Lists(NamedTuple):
    """A column of lists, flat.

    Parameters
    ----------
    factors : Factors
        The values of all lists; none is missing.
    rows : ndarray of shape (n_values,), int
        The row that each value stands in, ascending.
    n_rows : int
        Number of rows, those with an empty list included.

    Examples
    --------
    >>> from skrec._data.lists import split
    >>> lists = split(["a|b", None, "b|b"], name="genres", separator="|")
    >>> lists.factors.distinct, lists.factors.positions, lists.rows, lists.n_rows
    (array(['a', 'b'], dtype=object), array([0, 1, 1, 1]), array([0, 0, 2, 2]), 3)
    """

    factors: Factors
    rows: NDArray[np.intp]
    n_rows: int

    @property
    def counts(self) -> NDArray[np.intp]:
        """0, and the number of rows that have each distinct value; repeated values of one list count once."""
        n_distinct = len(self.factors.distinct)
        pairs = _sorted_distinct(self.rows * n_distinct + self.factors.positions)
        return np.bincount(pairs % max(n_distinct, 1) + 1, minlength=n_distinct + 1)


def split(values: Any, *, name: str, separator: str | None) -> Lists:
    """Return the values in the cells of a column, and the rows that they stand in.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Lists, tuples, sets and arrays; strings, which are split; a cell of any other kind is one value.
    name : str
        What error messages call the column.
    separator : str or None
        Where strings are split; empty parts are left out. None: a string is one value.

    Returns
    -------
    Lists
        Without missing cells, and without missing values in a list.

    Raises
    ------
    TypeError
        If a value is not hashable.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data.lists import split
    >>> split([["a", "b"], [], "c"], name="genres", separator=None).rows
    array([0, 0, 2])
    """
    if _is_polars_array(values):
        values = values.arr.to_list()
    column = as_column(values)

    @cache
    def parts(text: str) -> list[str]:
        return [part for part in text.split(separator) if part]

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
            "of a list must be strings, numbers or other hashable values, and none may be infinity."
        ) from error
    known = positions >= 0
    return Lists(Factors(distinct, positions[known]), rows[known], len(column))


def pack(lists: Lists, field: Categories) -> NDArray[np.int32]:
    """Return the rows of a table that the lists stand for.

    Parameters
    ----------
    lists : Lists
        A column.
    field : Categories
        The field that it belongs to.

    Returns
    -------
    ndarray of shape (n_rows, longest), int32
        For every list the rows of its values, each once, ascending, then -1. Unknown values are left out; a list
        without a known value is that of the unknown value.

    Examples
    --------
    >>> from skrec._data.categories import Categories
    >>> from skrec._data.lists import pack, split
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


def width_of(values: Any) -> int | None:
    """Return the width of the arrays in a column.

    Parameters
    ----------
    values : array-like of shape (n_rows,)

    Returns
    -------
    int or None
        None if the cells that are not missing are something else than arrays of numbers of one width, or lists that
        :func:`are_vectors`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.lists import width_of
    >>> width_of([np.zeros(3), None, np.ones(3)])
    3
    >>> width_of([np.zeros(3), np.ones(2)]) is None
    True
    """
    if _is_polars_array(values):
        return int(values.dtype.size) if values.dtype.inner.is_numeric() else None
    cells = as_column(values)
    shapes = {
        cell.shape if isinstance(cell, np.ndarray) and cell.dtype.kind in "iufb" else None
        for cell in cells[~pd.isna(cells)]
    }
    shape = shapes.pop() if len(shapes) == 1 else None
    if shape is not None:
        return int(shape[0]) if len(shape) == 1 else None
    lengths = _lengths_of_fractions(cells)
    return int(lengths[0]) if lengths is not None and _is_one_width(lengths) else None


def are_vectors(values: Any) -> bool:
    """Whether the cells of a column are lists of one length above 1, of numbers that are not all whole: embeddings.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Missing cells are left out.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrec._data.lists import are_vectors
    >>> are_vectors([[0.5, 1.0], None, [2.0, 3.0]]), are_vectors([[1, 2], [3, 4]]), are_vectors([[0.5], [1.5]])
    (True, False, False)
    """
    lengths = _lengths_of_fractions(as_column(values))
    return lengths is not None and _is_one_width(lengths)


def doubt_ragged(values: Any, name: str) -> None:
    """Warn of lists of fractions that would be an array were it not for their lengths.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
    name : str
        What the warning calls the column.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> from skrec._data.lists import doubt_ragged
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     doubt_ragged([[0.5, 1.0], [0.5], [2.0, 3.0]], "v")
    >>> str(told[0].message)[:61]
    "Column 'v' holds lists of fractional numbers, but row 1 has 1"
    """
    if _is_polars_array(values):
        return
    cells = as_column(values)
    lengths = _lengths_of_fractions(cells)
    if lengths is None or (lengths == lengths[0]).all():
        return
    usual = int(np.bincount(lengths).argmax())
    if usual < 2:
        return
    at = int(np.argmax(lengths != usual))
    row = int(np.flatnonzero(~pd.isna(cells))[at])
    warnings.warn(
        f"Column {name!r} holds lists of fractional numbers, but row {row} has {lengths[at]} of them, where most have "
        f"{usual}: each number counts as a category. If they are embeddings, give every row {usual} numbers, or None; "
        f"if they are categories, say so with multivalued_features=[{name!r}].",
        stacklevel=3,
    )


def _lengths_of_fractions(cells: Column) -> NDArray[np.intp] | None:
    """Return the length of each cell that is there; None unless they are lists of numbers that are not all whole."""
    there = cells[~pd.isna(cells)]
    if not len(there) or not all(map(_is_vector, there)):
        return None
    flat = as_column(object_array(list(chain.from_iterable(there))))
    if flat.dtype.kind == "O":  # missing numbers among them
        flat = as_column(flat[~pd.isna(flat)])
    numbers = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat[:0]
    return np.fromiter(map(len, there), np.intp, len(there)) if (numbers != np.floor(numbers)).any() else None


def _is_vector(cell: Any) -> bool:
    """Whether a cell is a list of numbers, by its first value, or an array of them."""
    if isinstance(cell, np.ndarray):
        return cell.ndim == 1 and cell.dtype.kind in "iuf"
    return isinstance(cell, (list, tuple)) and (not cell or cell[0] is None or isinstance(cell[0], Real))


def _is_one_width(lengths: NDArray[np.intp]) -> bool:
    return bool(lengths[0] > 1 and (lengths == lengths[0]).all())


def stack(values: Any, width: int, label: str) -> NDArray[np.float32]:
    """Return a column of arrays of one width as a matrix.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Arrays, lists or tuples of numbers.
    width : int
        Their length.
    label : str
        What error messages call the column, quoted if it is a name.

    Returns
    -------
    ndarray of shape (n_rows, width), float32
        Zeros for what is missing: arrays, or numbers in them.

    Raises
    ------
    ColumnError
        If a cell is something else, or has another width.
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> from skrec._data.lists import stack
    >>> stack([[1.0, 2.0], None], 2, "'image'")
    array([[1., 2.],
           [0., 0.]], dtype=float32)
    >>> stack([[1.0, 2.0]], 3, "'image'")
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: Column 'image' holds arrays of 3 numbers, but row 0 has 2 of them. Give every row \
an array of 3 numbers, or fit again.
    """
    cells = as_column(values.arr.to_list() if _is_polars_array(values) else values)
    present = np.flatnonzero(~pd.isna(cells))
    block = np.zeros((len(cells), width))
    try:
        block[present] = _matrix(cells[present], width)
    except (TypeError, ValueError, OverflowError) as error:
        row, cell = next((row, cells[row]) for row in present if not _has_width(cells[row], width))
        is_array = isinstance(cell, LIST_TYPES) and _has_width(cell, len(cell))
        found = f"{len(cell)} of them" if is_array else f"{cell!r:.100} ({type(cell).__name__})"
        raise ColumnError(
            f"Column {label} holds arrays of {width} numbers, but row {row} has {found}. Give every row an array of "
            f"{width} numbers, or fit again."
        ) from error
    refuse_infinity(np.asarray(np.isinf(block).any(axis=1)), label)
    return as_float32(block)


def _sorted_distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from 0, each once, in order: ``np.unique``, but faster for those that are nearly in order."""
    pairs = np.sort(pairs, kind="stable")
    return np.asarray(pairs[np.diff(pairs, prepend=-1) != 0])


def _matrix(cells: Column, width: int) -> NDArray[np.float64]:
    matrix = np.array(cells.tolist(), dtype=np.float64)
    if matrix.shape != (len(cells), width) and len(cells):
        raise ValueError
    return matrix.reshape(len(cells), width)


def _has_width(cell: Any, width: int) -> bool:
    try:
        return np.array(cell, dtype=np.float64).shape == (width,)
    except (TypeError, ValueError, OverflowError):
        return False


def _is_category(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return not (isinstance(value, (float, np.floating)) and np.isinf(value))


def _is_polars_array(values: Any) -> bool:
    return type(values).__module__.partition(".")[0] == "polars" and str(values.dtype.base_type()) == "Array"
