"""Check and sort ids: which values can be ids, their order, and the errors for values that cannot."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.value_kinds import of_another_kind, warn_other_kind
from skrec._data.tables.columns import Column, narrow, object_array, plain_value

__all__ = [
    "as_objects",
    "warn_other_kind",
    "factorize_sorted",
    "is_compact",
    "join_ids",
    "nearest_id",
    "is_hashable",
    "of_another_kind",
    "refuse_infinite",
    "refuse_missing",
    "take_from_table",
    "unhashable",
]

Codes = NDArray[np.int32]

_CHUNK = 1 << 20
_MAX_COMPARED = 10_000


def factorize_sorted(column: Column, name: str) -> tuple[Column, Codes]:
    """Return the distinct ids of a column, sorted, and the codes (from 1) of its rows.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        A column as returned by :func:`skrec._data.tables.columns.as_column`.
    name : str
        Name of the column in error messages.

    Returns
    -------
    ids : ndarray of shape (n,)
    codes : ndarray of shape (n_rows,), int32

    Raises
    ------
    TypeError
        If an id is not hashable.
    ValueError
        If an id is missing or infinite.

    Examples
    --------
    >>> from skrec._data.tables.columns import as_column
    >>> from skrec._data.ids.values import factorize_sorted
    >>> factorize_sorted(as_column([30, 10, 30]), "user_id")
    (array([10, 30]), array([2, 1, 2], dtype=int32))
    """
    refuse_missing(column, name)
    if column.dtype == np.int64 and len(column):
        low, high = int(column.min()), int(column.max())
        if is_compact(low, high, len(column)):
            seen = np.zeros(high - low + 1, dtype=np.bool_)
            for start in range(0, len(column), _CHUNK):
                seen[column[start : start + _CHUNK] - low] = True
            return np.flatnonzero(seen) + low, take_from_table(np.cumsum(seen, dtype=np.int32), column, low)
    try:
        positions, distinct = pd.factorize(column)
    except TypeError as error:
        raise unhashable(column, name) from error
    if column.dtype.kind == "O" and pd.api.types.infer_dtype(distinct, skipna=False) == "string":
        strings = [str(value) for value in distinct]
        distinct = object_array(strings)
        order = np.array(sorted(range(len(strings)), key=strings.__getitem__), dtype=np.intp)
    elif column.dtype.kind == "O":
        distinct = object_array([plain_value(value) for value in distinct])
        infinite = [position for position, value in enumerate(distinct) if _is_infinite(value)]
        if infinite:
            raise _no_id("infinity", name, np.isin(positions, infinite))
        order = _order(distinct)
    else:
        order = np.argsort(distinct)
    codes = np.empty(len(distinct), dtype=np.int32)
    codes[order] = np.arange(1, len(distinct) + 1)
    ids = distinct[order]
    if ids.dtype.kind == "f":
        ids = ids + 0.0  # -0.0 becomes 0.0
    return ids if ids.dtype.kind in "iufbO" else as_objects(ids), codes[positions]


def is_compact(low: int, high: int, n_rows: int) -> bool:
    """Return whether a lookup table over a range of integers is small compared to a column of `n_rows`."""
    return high - low < 2 * n_rows + 4096


def take_from_table(table: Codes, column: Column, low: int) -> Codes:
    """Return ``table[column - low]``, and 0 outside the table; in chunks, to save memory."""
    codes = np.empty(len(column), dtype=np.int32)
    for start in range(0, len(column), _CHUNK):
        values = column[start : start + _CHUNK]
        inside = (values >= low) & (values <= low + len(table) - 1)
        if inside.all():
            table.take(values - low, out=codes[start : start + _CHUNK])
        else:
            codes[start : start + _CHUNK] = np.where(inside, table[np.where(inside, values, low) - low], 0)
    return codes


def as_objects(values: Any) -> Column:
    """Return values as an object array of plain Python values and pandas timestamps."""
    return object_array(list(pd.Series(values).astype(object)))


def join_ids(old: Column, new: Column) -> Column:
    """Concatenate ids, in one type if it holds all of them exactly."""
    if old.dtype == new.dtype:
        return np.concatenate([old, new])
    return narrow(np.concatenate([old.astype(object), new.astype(object)]))


def refuse_missing(column: Column, name: str, where: str | None = None) -> None:
    """Raise an error if an id is missing, or if an id in a numeric column is infinite.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
    name : str
        Name of the column of ``X`` in the error message.
    where : str or None, default=None
        Name of the argument, such as ``"queries"``, if the ids are not a column of ``X``.

    Raises
    ------
    ValueError
    """
    if column.dtype.kind == "f":
        wrong = ~np.isfinite(column)
    elif column.dtype.kind in "OMm":
        wrong = np.asarray(pd.isna(column))
    else:
        return
    if wrong.any():
        infinite = column.dtype.kind == "f" and np.isinf(column[np.argmax(wrong)])
        raise _no_id("infinity" if infinite else "NaN", name, wrong, where)


def refuse_infinite(column: Column, codes: Codes, name: str, where: str | None = None) -> None:
    """Raise an error if an object without a code is an infinite number.

    Parameters
    ----------
    column : ndarray of shape (n_rows,) of objects
    codes : ndarray of shape (n_rows,)
    name, where : str
        As in :func:`refuse_missing`.

    Raises
    ------
    ValueError
    """
    infinite = np.zeros(len(column), dtype=np.bool_)
    unknown = np.flatnonzero(codes == 0)
    infinite[unknown] = [_is_infinite(value) for value in column[unknown]]
    if infinite.any():
        raise _no_id("infinity", name, infinite, where)


def is_hashable(value: Any) -> bool:
    """Return whether a value can be an id.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrec._data.ids.values import is_hashable
    >>> is_hashable("ann"), is_hashable(["ann"])
    (True, False)
    """
    try:
        hash(value)
    except TypeError:
        return False
    return True


def unhashable(column: Column, name: str, where: str | None = None) -> TypeError:
    """Return the error for a column with an id that is not hashable."""
    for row, value in enumerate(column):
        if is_hashable(value):
            continue
        if where is not None:
            return TypeError(
                f"{where} has {value!r} ({type(value).__name__}) in place {row}, which is not hashable and so no "
                "id: pass strings, numbers or other hashable values."
            )
        return TypeError(
            f"Column {name!r} has {value!r} ({type(value).__name__}) in row {row}, which is not hashable, and so "
            "neither an id nor a category. The argument must be a column of strings, numbers or other hashable values: "
            "convert it, for instance with X[column].map(str)."
        )
    return TypeError(f"Column {name!r} holds ids that cannot be compared with one another.")


def nearest_id(value: Any, ids: Column) -> Any:
    """Return the known id most similar to an unknown id, or None if no id is similar.

    The result is the nearest number for a number, and the most similar string, or the number that it spells, for a
    string.

    Parameters
    ----------
    value : object
        The unknown id.
    ids : ndarray of shape (n,)
        The known ids.

    Returns
    -------
    object or None

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.ids.values import nearest_id
    >>> nearest_id("anna", np.array(["ana", "bo"], dtype=object))
    'ana'
    >>> nearest_id("7", np.array([6, 7]))
    7
    """
    if ids.dtype.kind in "iufb":
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        nearest = ids[np.argmin(np.abs(ids.astype(np.float64) - number))] if len(ids) else None
        return None if nearest is None or (isinstance(value, str) and nearest != number) else nearest.item()
    strings = [known for known in ids if isinstance(known, str)]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if len(strings) > _MAX_COMPARED:  # difflib is slow: look only where the first letters agree
        start = sum(known < text for known in strings) - _MAX_COMPARED // 2
        strings = strings[max(start, 0) : max(start, 0) + _MAX_COMPARED]
    return next(iter(difflib.get_close_matches(text, strings, n=1)), None)


def _order(ids: Column) -> NDArray[np.intp]:
    """Return the order of distinct objects: numbers, strings, then other types by name."""
    groups: dict[tuple[int, str], list[int]] = {}
    for position, value in enumerate(ids):
        rank = 0 if isinstance(value, (int, float)) else 1 if isinstance(value, str) else 2
        groups.setdefault((rank, type(value).__name__ if rank == 2 else ""), []).append(position)
    order: list[int] = []
    for key in sorted(groups):
        try:
            order += sorted(groups[key], key=ids.__getitem__)
        except TypeError:  # values without an order stay in order of appearance
            order += groups[key]
    return np.array(order, dtype=np.intp)


def _is_infinite(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isinf(value))


def _no_id(what: str, name: str, wrong: NDArray[np.bool_], where: str | None = None) -> ValueError:
    row, n_wrong = int(np.argmax(wrong)), int(wrong.sum())
    if where is not None:
        return ValueError(
            f"{where} contains {what}: there is no id in place {row} ({n_wrong} such place(s)). An id is neither "
            "missing nor infinite: leave these out, or give them an id of their own."
        )
    if n_wrong == len(wrong) > 1:
        return ValueError(
            f"Input X contains {what}: column {name!r} has no id in any of its {n_wrong} rows. Every row needs an id "
            "that is neither missing nor infinite: fill the column (a merge that finds nothing leaves it so), or pass "
            "the one that holds the ids."
        )
    return ValueError(
        f"Input X contains {what}: column {name!r} has no id in row {row} ({n_wrong} such row(s)). Every row needs an "
        "id that is neither missing nor infinite: drop these rows, for instance from a DataFrame with "
        f"X.dropna(subset=[{name!r}]), or give them an id of their own."
    )
