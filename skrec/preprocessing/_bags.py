"""Columns that hold several values per row: lists, or strings with separators."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Rows, Vocabulary
from skrec._data.ids.values import as_objects, is_hashable, nearest_id
from skrec._data.tables.columns import as_column, object_array
from skrec.exceptions import UnknownIdError

__all__ = ["Bags", "bags_of", "refuse_unknown_values", "select"]


class Bags(NamedTuple):
    """The values of a column with several values per row.

    Parameters
    ----------
    name : str
        Name of the column.
    values : ndarray of shape (n_values,)
        The distinct values, in no particular order.
    matrix : csr_array of shape (n_rows, n_values), int8
        1 where the row has the value.
    """

    name: str
    values: NDArray[Any]
    matrix: sparse.csr_array


def bags_of(rows: Rows, position: int, separator: str | None) -> Bags:
    """Return the values of a column in each row.

    Parameters
    ----------
    rows : Rows
    position : int
        Position of the column. It holds lists, tuples, sets or arrays; strings, which are split; or single values.
        Missing values, also in a list, and empty parts of a string are ignored, and blanks around the parts are
        removed.
    separator : str or None
        The separator between the values in a string. If None, a string is a single value.

    Returns
    -------
    Bags

    Raises
    ------
    TypeError
        If a value is not hashable.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data import as_rows
    >>> from skrec.preprocessing._bags import bags_of
    >>> bags = bags_of(as_rows([["Comedy|Drama"], ["Drama"], [None]]), 0, "|")
    >>> bags.values, bags.matrix.toarray()
    (array(['Comedy', 'Drama'], dtype=object), array([[1, 1],
           [0, 1],
           [0, 0]], dtype=int8))
    """
    column = rows.column(position)
    name = f"x{position}" if rows.names is None else rows.names[position]
    try:  # each distinct string or number is split once; missing cells have bag -1
        bag_of_row, cells = pd.factorize(column)
    except TypeError:
        bag_of_row, cells = np.arange(len(column)), column
    bags = [_values_of(cell, separator) for cell in as_objects(cells)]
    owners = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    flat = object_array([*chain.from_iterable(bags)])
    missing = np.asarray(pd.isna(flat))
    owners, flat = owners[~missing], flat[~missing]
    try:
        codes, values = pd.factorize(as_column(flat))
    except TypeError as error:
        at = next(at for at, value in enumerate(flat) if not is_hashable(value))
        raise TypeError(
            f"Column {name!r} has {flat[at]!r} ({type(flat[at]).__name__}) in row {_row(bag_of_row, owners[at])}, "
            "which is not hashable. The argument must be a column of strings, numbers or other hashable values, or of "
            "lists of them."
        ) from error
    infinite = [code for code, value in enumerate(values) if isinstance(value, float) and np.isinf(value)]
    if infinite:
        at = int(np.argmax(codes == infinite[0]))
        raise ValueError(
            f"Input X contains infinity: column {name!r} has {flat[at]} in row {_row(bag_of_row, owners[at])}, which "
            "is not a category. Replace it, for instance with X.replace([np.inf, -np.inf], np.nan)."
        )
    # the missing cells get one more bag, which is empty
    ones = np.ones(len(codes), dtype=np.int8)
    matrix = sparse.csr_array((ones, (_narrow(owners), _narrow(codes))), shape=(len(bags) + 1, len(values)))
    matrix.data[:] = 1  # a value may occur twice in a list
    return Bags(name, values, matrix[_narrow(bag_of_row)])


def select(bags: Bags, codes: NDArray[np.integer[Any]], n_codes: int) -> sparse.csr_array:
    """Return the matrix of a column with one column for each code from 1; values with code 0 have no column.

    Parameters
    ----------
    bags : Bags
    codes : ndarray of shape (n_values,)
        The code of each value of the column.
    n_codes : int

    Returns
    -------
    csr_array of shape (n_rows, n_codes), int8
    """
    known = np.flatnonzero(codes)
    ones = np.ones(len(known), dtype=np.int8)
    return bags.matrix @ sparse.csr_array((ones, (_narrow(known), codes[known] - 1)), shape=(len(codes), n_codes))


def refuse_unknown_values(bags: Bags, codes: NDArray[np.integer[Any]], vocabulary: Vocabulary) -> None:
    """Raise an UnknownIdError if a value of a column has the code 0.

    Parameters
    ----------
    bags : Bags
    codes : ndarray of shape (n_values,)
        The code of each value of the column.
    vocabulary : Vocabulary
        The vocabulary of the known values.

    Raises
    ------
    UnknownIdError
    """
    unknown = bags.matrix[:, np.flatnonzero(codes == 0)]
    wrong = np.flatnonzero(np.diff(unknown.indptr))
    if not len(wrong):
        return
    value = bags.values[codes == 0][unknown.indices[:1]].tolist()[0]
    nearest = nearest_id(value, vocabulary.ids)
    hint = "" if nearest is None else f"The nearest known value is {nearest!r} ({type(nearest).__name__}). "
    raise UnknownIdError(
        f"Column {bags.name!r} has the value {value!r} ({type(value).__name__}) in row {wrong[0]}, which was not seen "
        f"in fit ({len(wrong)} such row(s)). {hint}Correct it, fit on data that has it, or pass "
        "handle_unknown='ignore'."
    )


def _values_of(cell: Any, separator: str | None) -> list[Any]:
    if isinstance(cell, str):
        return [part for part in ([cell] if separator is None else map(str.strip, cell.split(separator))) if part]
    if isinstance(cell, list | tuple | set | frozenset):
        return list(cell)
    if isinstance(cell, np.ndarray | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return list(as_objects(np.atleast_1d(cell)) if getattr(cell, "ndim", 1) < 2 else cell.tolist())
    return [cell]


def _narrow(index: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    # many solvers of scikit-learn only accept 32-bit indices
    return index.astype(np.int32)


def _row(bag_of_row: NDArray[np.intp], bag: int) -> int:
    return int(np.argmax(bag_of_row == bag))
