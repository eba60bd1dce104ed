"""Times as integers that have their order: nanoseconds where they are needed, and every year from 1 to 9999."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.columns import Column, as_column, in_utc, zone_of

__all__ = ["are_nanoseconds", "clock_of", "instants", "kind_of_times", "time_column"]

_FINE = np.array(["1690-01-01", "2250-01-01"], "datetime64[us]").astype(np.int64)
"""Microseconds since 1970 between which an instant is told in nanoseconds, of which int64 has room until 2262."""
_YEARS = np.array(["0001-01-01", "9999-12-31"], "datetime64[D]")


def time_column(values: Any) -> Column:
    """Return a column of times as one of integers wherever it holds integers: no date becomes a Python object.

    It is what :func:`skrec._data.tables.columns.as_column` returns, but dates with a time zone are in UTC, so that the
    same instant is the same number in any zone, and periods, such as days or months, are the instants at which they
    start.

    Parameters
    ----------
    values : array-like of shape (n,)
        A NumPy array, pandas or polars Series, list or tuple.

    Returns
    -------
    ndarray of shape (n,)
        Dates of a pandas object column stay objects (see :func:`instants`).

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.timestamps import time_column
    >>> time_column(pd.Series(pd.to_datetime(["2026-01-01T01:00:00+01:00"])).dt.as_unit("s"))
    array(['2026-01-01T00:00:00'], dtype='datetime64[s]')
    >>> time_column(pd.Series(pd.PeriodIndex(["2026-02"], freq="M"))).astype("datetime64[D]")
    array(['2026-02-01'], dtype='datetime64[D]')
    """
    if zone_of(values) is not None:
        return in_utc(values)
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, pd.PeriodDtype):
        return np.asarray(pd.PeriodIndex(values).to_timestamp())
    if isinstance(dtype, pd.CategoricalDtype):
        categorical = pd.Categorical(values)
        times = time_column(categorical.categories)
        if times.dtype.kind in "Mm":
            return np.asarray(np.append(times, np.array(["NaT"], times.dtype))[categorical.codes])
    return as_column(values)


def kind_of_times(values: Column) -> str:
    """Return what a column of times holds: ``"numbers"``, ``"dates"`` or ``"durations"``.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Of a canonical type (see :func:`skrec._data.tables.columns.as_column`).

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.timestamps import kind_of_times
    >>> kind_of_times(np.array([1, 2])), kind_of_times(np.array(["2020-01-01"], "datetime64[D]"))
    ('numbers', 'dates')
    """
    return {"M": "dates", "O": "dates", "m": "durations"}.get(values.dtype.kind, "numbers")


def instants(values: Column) -> NDArray[np.int64]:
    """Put dates held as objects on the clock of :func:`clock_of`.

    Parameters
    ----------
    values : ndarray of shape (n,) of objects
        ``date``, ``datetime`` or ``Timestamp``, none missing; those without a zone count as UTC.

    Returns
    -------
    ndarray of shape (n,), int64

    Examples
    --------
    >>> import datetime as dt
    >>> import numpy as np
    >>> from skrec._data.tables.timestamps import instants
    >>> instants(np.array([dt.date(1970, 1, 2)], dtype=object)).tolist()
    [86400000000000]
    """
    units = {value.unit if isinstance(value, pd.Timestamp) else None for value in values}
    if len(units) == 1 and None not in units:  # the stored integers of timestamps, whatever their zones
        stored = (value.asm8 for value in values)
        return clock_of(np.fromiter(stored, f"datetime64[{units.pop()}]", len(values)))
    try:
        return clock_of(np.asarray(pd.to_datetime(pd.Series(values), utc=True).dt.tz_localize(None)))
    except pd.errors.OutOfBoundsDatetime:  # no unit holds all of them: each has its own
        return np.concatenate([clock_of(np.array([_utc(value)])) for value in values])


def _utc(value: Any) -> np.datetime64:
    zone = getattr(value, "tzinfo", None)
    if zone is not None:
        value = pd.Timestamp(value).tz_convert("UTC").tz_localize(None)
    return value.to_datetime64() if isinstance(value, pd.Timestamp) else np.datetime64(value, "us")


def clock_of(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return integers in the order of dates or durations, equal where these are, whatever unit they are held in.

    They are nanoseconds since 1970 from the year 1690 to 2250, and continue in microseconds before and after, so that
    int64 can hold all years of dates. A distant date that stands for "never" does not wrap around, and the times of
    events are distinguished with nanosecond resolution.

    Parameters
    ----------
    values : ndarray of shape (n,), datetime64 or timedelta64
        None missing.

    Returns
    -------
    ndarray of shape (n,), int64

    Raises
    ------
    ValueError
        If a date is before the year 1 or after 9999.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.timestamps import clock_of
    >>> clock_of(np.array(["1970-01-01T00:00:01", "2249-12-31", "9999-12-31"], "datetime64[s]")).argsort().tolist()
    [0, 1, 2]
    """
    kind = values.dtype.kind
    if np.datetime_data(values.dtype)[0] in {"ns", "ps", "fs", "as"}:
        # NumPy's own rounding to microseconds wraps round at the first instants that nanoseconds hold.
        micros, below = np.divmod(values.astype(f"{kind}8[ns]").astype(np.int64), 1000)
    else:
        _refuse_beyond(values)
        micros = values.astype(f"{kind}8[us]").astype(np.int64)
        below = np.zeros_like(micros)
    near = np.clip(micros, *_FINE)
    times: NDArray[np.int64] = near * 1000 + (micros - near)
    return times + np.where((near == micros) & (micros < _FINE[1]), below, 0)


def are_nanoseconds(times: NDArray[np.int64]) -> bool:
    """Whether all times of :func:`clock_of` are nanoseconds, so that the difference of two is a duration.

    Parameters
    ----------
    times : ndarray of shape (n,), int64
        At least one.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.timestamps import are_nanoseconds, clock_of
    >>> are_nanoseconds(clock_of(np.array(["2020-01-01", "9999-12-31"], "datetime64[D]")))
    False
    """
    first, last = (_FINE * 1000).tolist()
    return bool(first <= times.min() and times.max() < last)


def _refuse_beyond(values: NDArray[Any]) -> None:
    days = values.astype(f"{values.dtype.kind}8[D]")
    first, last = _YEARS if values.dtype.kind == "M" else _YEARS - np.datetime64(0, "D")
    out = (days < first) | (days > last)
    if out.any():
        row = int(np.argmax(out))
        raise ValueError(f"holds {values[row]} in row {row}, beyond the years 1 to 9999. Correct or drop it.")
