"""Warnings about times: an unused time column, and codes instead of times."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.roles import Roles
from skrec._data.tables.table import DATES, Rows
from skrec._warnings import warn

__all__ = ["are_codes", "warn_encoded_times", "warn_row_order", "warn_unused_times"]

_TIME_NAMES = re.compile(r"time|date|stamp|(^|_)ts($|_)", re.IGNORECASE)
_UNIX_1973, _UNIX_2100 = 10**8, 4.2 * 10**9  # in seconds
_UNITS_A_SECOND = (1, 10**3, 10**6, 10**9)


def are_codes(times: NDArray[Any]) -> bool:
    """Whether times are the integers 1 to n, each there at least once: what an encoder of ids makes of a column.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        As :meth:`skrec._data.tables.table.Rows.times` returns them.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.time_checks import are_codes
    >>> are_codes(np.array([2, 1, 3, 1])), are_codes(np.array([2, 4]))
    (True, False)
    """
    if not len(times) or times.min() != 1 or times.max() > len(times):
        return False
    whole = times.astype(np.int64)
    return bool((whole == times).all() and np.bincount(whole)[1:].all())


def warn_encoded_times(times: NDArray[Any] | None, name: str) -> None:
    """Warn of rows at time 0, where the times of ``fit`` were 1 to n: a new time is an unknown id to an encoder.

    Parameters
    ----------
    times : ndarray of shape (n_rows,) or None
        Times of rows; None: they have none.
    name : str
        What the warning calls the column.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data.tables.time_checks import warn_encoded_times
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_encoded_times(np.array([3, 0, 2]), "timestamp")
    >>> str(told[0].message)[:33]
    '1 of 3 row(s) have the time 0, be'
    """
    n_rows = 0 if times is None else int((times == 0).sum())
    if times is None or not n_rows:
        return
    warn(
        f"{n_rows} of {len(times)} row(s) have the time 0, before all times of fit, and so no past. Those of fit were "
        "1, 2, 3, ... without a gap, as an encoder of ids makes them, to which a new time is an unknown id, 0. Have it "
        f"pass the time through: IDEncoder(time={name!r})."
    )


def warn_row_order(rows: Rows, roles: Roles, users: NDArray[np.int32], items: NDArray[np.int32]) -> None:
    """Warn if the times leave no row a past, or if the order of the rows stands for it, though there are times.

    Times tell no order if they are the same in all rows of every user, where some have several.

    Parameters
    ----------
    rows : Rows
    roles : Roles
        Those of `rows`.
    users, items : ndarray of shape (n_rows,), int32
        Codes of the rows.

    Warns
    -----
    UserWarning
    """
    if roles.time is None:
        warn_unused_times(rows, roles, users, items)
    elif users.max(initial=0) < len(users) and not _varies_within(users, rows.times(roles.time)):
        warn(
            f"All rows of a user have one and the same time in column {rows.label(roles.time)}, for every user, so "
            "that none of them has a past. Pass a finer time, or leave the column out, so that the order of a "
            "user's rows counts."
        )


def warn_unused_times(rows: Rows, roles: Roles, users: NDArray[Any], items: NDArray[Any] | None) -> None:
    """Warn if a table without a time column has a column that probably holds the times of its events.

    That is a column of dates, or of numbers that could all be Unix times of 1973 or later. In a table with column names
    the name has to speak of a time as well; in one without, the numbers have to be from 1973 to 2100 in one unit:
    seconds, milliseconds, microseconds or nanoseconds. Values that are always the same for a user, or for an item, are
    not times of events.

    Parameters
    ----------
    rows : Rows
    roles : Roles
        Those of `rows`, without a time.
    users : ndarray of shape (n_rows,), int
        Codes of the rows.
    items : ndarray of shape (n_rows,), int, or None
        Codes of the rows; None if there is no item column.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data import as_rows, resolve_roles
    >>> from skrec._data.tables.time_checks import warn_unused_times
    >>> rows = as_rows([[1, 1, 881250949], [1, 2, 891717742], [2, 1, 878887116]])
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn_unused_times(rows, resolve_roles(rows), np.array([1, 1, 2]), np.array([1, 2, 1]))
    >>> str(caught[0].message)[-82:]
    'If these are the times of the events, pass time=2 to every estimator and splitter.'
    """
    for position in range(rows.n_columns):
        if position in {roles.user, roles.item}:
            continue
        held, values = "dates", _dates_in(rows, position)
        if values is None and _may_be_named_time(rows, position):
            held, values = "numbers that look like Unix times", _unix_times_in(rows, position)
        if values is None:
            continue
        if _varies_within(users, values) and (items is None or _varies_within(items, values)):
            label = rows.label(position)
            warn(
                f"X has no time column, so the order of a user's rows is taken as their order in time; but column "
                f"{label} holds {held}. If these are the times of the events, pass time={label} to every estimator "
                "and splitter."
            )
            return


def _may_be_named_time(rows: Rows, position: int) -> bool:
    return rows.names is None or _TIME_NAMES.search(rows.names[position]) is not None


def _unix_times_in(rows: Rows, position: int) -> NDArray[Any] | None:
    """Return a column of numbers that could be Unix times; None for any other."""
    values = rows.column(position)
    if values.dtype.kind not in "iuf" or not (values >= _UNIX_1973).all():
        return None
    low, high = float(values.min()), float(values.max())
    in_one_unit = any(_UNIX_1973 * unit <= low and high <= _UNIX_2100 * unit for unit in _UNITS_A_SECOND)
    return values if rows.names is not None or in_one_unit else None


def _dates_in(rows: Rows, position: int) -> NDArray[Any] | None:
    """Return a column of dates; None for any other."""
    dtype = rows.raw(position).dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.StringDtype):
        return None
    if hasattr(dtype, "base_type"):  # of polars
        may_hold_dates = str(dtype.base_type()) in {"Date", "Datetime", "Object"}
    else:
        may_hold_dates = dtype.kind in "MO"
    if not may_hold_dates:
        return None
    values = rows.time_values(position)
    if values.dtype.kind == "O":
        return values if pd.api.types.infer_dtype(values, skipna=True) in DATES else None
    return values if values.dtype.kind == "M" else None


def _varies_within(codes: NDArray[Any], values: NDArray[Any]) -> bool:
    order = np.argsort(codes, kind="stable")
    codes, values = codes[order], values[order]
    return bool(((codes[1:] == codes[:-1]) & (values[1:] != values[:-1])).any())
