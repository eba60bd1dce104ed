"""Codes of numeric ids, which are compared by value: 1, 1.0 and True are the same id."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.values import is_compact, take_from_table
from skrec._data.tables.columns import Column

__all__ = ["codes_of_numbers", "is_float"]

_CHUNK = 1 << 20


def codes_of_numbers(column: Column, keys: Column, codes_of_keys: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Return the codes of numbers, 0 for those that are not among the keys.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        Numbers.
    keys : ndarray of shape (n_ids,)
        Sorted numeric ids.
    codes_of_keys : ndarray of shape (n_ids,), int32, or None
        Their codes. None if they are 1 to n_ids.

    Returns
    -------
    ndarray of shape (n_rows,), int32

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.ids.number_codes import codes_of_numbers
    >>> codes_of_numbers(np.array([30.0, 10.0, 10.5]), np.array([10, 20, 30]), None)
    array([3, 1, 0], dtype=int32)
    """
    if not len(keys) or not len(column):
        return np.zeros(len(column), dtype=np.int32)
    if keys.dtype == column.dtype == np.int64 and is_compact(int(keys[0]), int(keys[-1]), len(column)):
        table = np.zeros(int(keys[-1]) - int(keys[0]) + 1, dtype=np.int32)
        table[keys - keys[0]] = np.arange(1, len(keys) + 1) if codes_of_keys is None else codes_of_keys
        return take_from_table(table, column, int(keys[0]))
    # A hash table of all ids pays only if many are looked up.
    index = pd.Index(keys) if 4 * len(column) > len(keys) else None
    codes = np.zeros(len(column), dtype=np.int32)
    for start in range(0, len(column), _CHUNK):
        values, exact = _cast_exactly(column[start : start + _CHUNK], keys.dtype)
        if index is not None:
            at = index.get_indexer(values)
            found = exact & (at >= 0)
        else:
            at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
            found = exact & (keys[at] == values)
        codes[start : start + _CHUNK][found] = at[found] + 1 if codes_of_keys is None else codes_of_keys[at[found]]
    return codes


def _cast_exactly(values: Column, dtype: np.dtype[Any]) -> tuple[Column, NDArray[np.bool_]]:
    """Cast numbers, and return which of them kept their value."""
    if values.dtype.kind == "b":
        values = values.astype(np.int64)
    if values.dtype == dtype:
        return values, np.ones(len(values), dtype=np.bool_)
    limits = {"i": (-(2.0**63), 2.0**63), "u": (0.0, 2.0**64)}
    if dtype.kind == "f":
        cast = values.astype(dtype)
        fits = cast < limits[values.dtype.kind][1]  # 2**63 - 1 rounds up to 2**63, which is not an int64
        return cast, fits & (np.where(fits, cast, 0.0).astype(values.dtype) == values)
    if values.dtype.kind == "f":
        fits = (values >= limits[dtype.kind][0]) & (values < limits[dtype.kind][1]) & (values == np.floor(values))
    else:
        fits = values >= 0 if dtype.kind == "u" else values <= np.iinfo(np.int64).max
    return np.where(fits, values, values.dtype.type(0)).astype(dtype), fits


def is_float(value: Any) -> bool:
    """Whether a value is a float, or a whole number that a float holds exactly.

    Examples
    --------
    >>> from skrec._data.ids.number_codes import is_float
    >>> is_float(0.5), is_float(2**53), is_float(2**53 + 1), is_float("1")
    (True, True, False, False)
    """
    try:
        return isinstance(value, (int, float, np.number)) and float(value) == value
    except OverflowError:
        return False
