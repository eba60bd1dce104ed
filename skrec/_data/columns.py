"""One column of any container as a one-dimensional NumPy array of a canonical type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Column", "as_column", "in_utc", "narrow", "object_array", "zone_of"]

Column = NDArray[Any]

_CANONICAL = {"i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}


def as_column(values: Any) -> Column:
    """Return the values of a column as a one-dimensional array of one of a few types.

    Parameters
    ----------
    values : array-like of shape (n,)
        A NumPy array, pandas or polars Series, list or tuple.

    Returns
    -------
    ndarray of shape (n,)
        ``int64``, ``uint64`` (only for ``uint64``), ``float64`` or ``bool`` for numbers, also for those in object
        arrays if the type holds every one of them exactly; ``datetime64`` and ``timedelta64`` for times without a
        zone; otherwise objects. A number that is missing is NaN; in objects, None, NaN, NaT and pd.NA stay.

    Raises
    ------
    ValueError
        If the values are complex numbers or not one-dimensional.

    Examples
    --------
    >>> from skrec._data.columns import as_column
    >>> as_column([1, 2.5])
    array([1. , 2.5])
    >>> as_column(["a", 1])
    array(['a', 1], dtype=object)
    """
    if isinstance(values, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        array = _from_pandas(values)
    elif type(values).__module__.partition(".")[0] == "polars":
        zone = zone_of(values)
        array = np.asarray(values.to_numpy()) if zone is None else _with_zone(in_utc(values), zone)
        if array.ndim > 1:  # polars' type Array
            array = object_array(array)
    elif isinstance(values, (list, tuple)):
        array = object_array(values)
    else:
        array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"Expected 1D array, got an array of shape {array.shape} instead.")
    return _canonical(array)


def object_array(values: Any) -> Column:
    """Return a one-dimensional object array that keeps tuples and lists whole.

    Parameters
    ----------
    values : sequence of length n

    Returns
    -------
    ndarray of shape (n,) of objects

    Examples
    --------
    >>> from skrec._data.columns import object_array
    >>> object_array([(1, 2), (3, 4)]).shape
    (2,)
    """
    return np.fromiter(values, dtype=object, count=len(values))


def narrow(values: Column) -> Column:
    """Return an object array as numbers if all of it are numbers that one type holds exactly.

    Parameters
    ----------
    values : ndarray of shape (n,) of objects

    Returns
    -------
    ndarray of shape (n,)
        ``int64``, ``uint64``, ``float64`` or ``bool``; `values` itself if no type fits.

    Raises
    ------
    ValueError
        If the values are complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.columns import narrow
    >>> narrow(np.array([1, 0.5], dtype=object)).dtype
    dtype('float64')
    >>> narrow(np.array([10**18 + 1, 0.5], dtype=object)).dtype
    dtype('O')
    """
    kind = pd.api.types.infer_dtype(values, skipna=False) if len(values) else "empty"
    if kind == "complex":
        raise ValueError(f"Complex data not supported\n{values}\n")
    if kind in {"boolean", "floating"}:
        return values.astype(np.bool_ if kind == "boolean" else np.float64)
    try:
        if kind == "integer":
            return values.astype(np.uint64 if min(values) >= 0 and max(values) >= 2**63 else np.int64)
        if kind in {"mixed-integer-float", "integer-na"}:
            floats = values.astype(np.float64)
            if np.all((floats.astype(object) == values) | np.isnan(floats)):
                return floats
    except OverflowError:
        pass
    return values


def _from_pandas(values: Any) -> Column:
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(values)
    kind = getattr(dtype, "kind", "O")
    if kind in "Mm":
        return _from_times(values, kind)
    if kind in "iuf" and not isinstance(dtype, pd.CategoricalDtype):
        if values.isna().any():
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(values, dtype=_CANONICAL[kind] if kind != "u" else np.uint64)
    if kind == "b" and not values.isna().any():
        return np.asarray(values, dtype=np.bool_)
    return np.asarray(values)


def _from_times(values: Any, kind: str) -> Column:
    zone = zone_of(values)
    if zone is not None:
        return _with_zone(in_utc(values), zone)
    if str(values.dtype).startswith("date"):  # Arrow's days
        values = values.astype("timestamp[s][pyarrow]")
    unit = f"{kind}8[{_unit(values.dtype)}]"
    return np.asarray(values.to_numpy(dtype=unit, na_value=np.array("NaT", unit)[()]))


def zone_of(values: Any) -> Any:
    """Return the time zone of a column of dates; None if it has none, or if it holds objects.

    Parameters
    ----------
    values : array-like of shape (n,)

    Returns
    -------
    tzinfo, str or None

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.columns import zone_of
    >>> days = pd.Series(pd.to_datetime(["2026-01-01"]))
    >>> zone_of(days), str(zone_of(days.dt.tz_localize("UTC")))
    (None, 'UTC')
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return dtype.tz
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "time_zone", None)  # of polars


def in_utc(values: Any) -> Column:
    """Return a column of dates with a time zone as ``datetime64`` in UTC, in the unit of the column.

    The stored integers count from 1970 in UTC already: no date becomes a Python object.

    Parameters
    ----------
    values : pandas Series, Index or array, or polars Series, of shape (n,)
        Dates with a time zone (see :func:`zone_of`).

    Returns
    -------
    ndarray of shape (n,), datetime64
        NaT where a date is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.columns import in_utc
    >>> in_utc(pd.Series(pd.to_datetime(["2026-01-01T01:00:00+01:00"])).dt.as_unit("s"))
    array(['2026-01-01T00:00:00'], dtype='datetime64[s]')
    """
    if not isinstance(getattr(values, "dtype", None), pd.DatetimeTZDtype | pd.ArrowDtype):
        return np.asarray(values.to_numpy())  # polars returns the stored integers
    unit = f"datetime64[{_unit(values.dtype)}]"
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return np.asarray(pd.DatetimeIndex(values).tz_convert(None), dtype=unit)
    return np.asarray(values.to_numpy(dtype=unit, na_value=np.datetime64("NaT")))


def _with_zone(utc: Column, zone: Any) -> Column:
    """Return dates in UTC as timestamps of a time zone, one object for each distinct date."""
    codes, distinct = pd.factorize(utc)
    stamps = pd.Series(distinct).dt.tz_localize("UTC").dt.tz_convert(zone).astype(object)
    return np.asarray(np.append(stamps.to_numpy(), np.array([pd.NaT], dtype=object))[codes])


def _unit(dtype: Any) -> str:
    """Return the unit of a type of dates or durations; seconds for days."""
    return str(getattr(getattr(dtype, "pyarrow_dtype", dtype), "unit", "s"))


def _canonical(array: Column) -> Column:
    kind = array.dtype.kind
    if kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    if kind in "USV":
        return array.astype(object)
    if kind == "O":
        return narrow(array)
    if array.dtype == np.uint64 or kind not in _CANONICAL:
        return array
    return array.astype(_CANONICAL[kind], copy=False)
