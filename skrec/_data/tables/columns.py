"""One column of any container as a one-dimensional NumPy array of a canonical type."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "Column",
    "as_column",
    "in_utc",
    "narrow",
    "object_array",
    "plain_value",
    "side_by_side",
    "zone_of",
]

Column = NDArray[Any]

_CANONICAL = {"i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}
_EXACT = 2**53
"""Every whole number up to this one, and not every one above it, is a float64."""


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
        zone; otherwise objects. Whole numbers some of which are missing are ``float64`` if that holds each of them
        exactly, and else objects. A number that is missing is NaN; in objects, None, NaN, NaT and pd.NA stay. NumPy's
        scalars, decimals and fractions in objects become the plain Python numbers that they equal.

    Raises
    ------
    ValueError
        If the values are complex numbers or not one-dimensional.

    Notes
    -----
    No conversion loses a value: two values are equal afterwards if and only if they were before.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.columns import as_column
    >>> as_column([1, 2.5])
    array([1. , 2.5])
    >>> as_column(["a", 1])
    array(['a', 1], dtype=object)
    >>> as_column(pd.array([2**60 + 1, None], dtype="Int64"))
    array([1152921504606846977, None], dtype=object)
    """
    library = type(values).__module__.partition(".")[0]
    if library == "pyarrow":
        values = pd.arrays.ArrowExtensionArray(values)
    if isinstance(values, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        array = _from_pandas(values)
    elif library == "polars":
        array = _from_polars(values)
    elif isinstance(values, np.ma.MaskedArray):
        array = _gaps(_canonical(np.asarray(values.data)), np.ma.getmaskarray(values))
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
    >>> from skrec._data.tables.columns import object_array
    >>> object_array([(1, 2), (3, 4)]).shape
    (2,)
    """
    return np.fromiter(values, dtype=object, count=len(values))


def narrow(values: Column) -> Column:
    """Return an object array as numbers or dates if all of it are values that one type holds exactly.

    Parameters
    ----------
    values : ndarray of shape (n,) of objects

    Returns
    -------
    ndarray of shape (n,)
        ``int64``, ``uint64``, ``float64`` or ``bool``; objects if no type fits, as for ``datetime.date``.

    Raises
    ------
    ValueError
        If the values are complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.columns import narrow
    >>> narrow(np.array([1, 0.5], dtype=object)).dtype
    dtype('float64')
    >>> narrow(np.array([10**18 + 1, 0.5], dtype=object)).dtype
    dtype('O')
    """
    kind = pd.api.types.infer_dtype(values, skipna=False) if len(values) else "empty"
    if kind in {"string", "empty"}:
        return values
    if kind == "complex":
        raise ValueError(f"Complex data not supported\n{values}\n")
    if any(issubclass(found, (np.generic, Decimal, Fraction)) for found in set(map(type, values))):
        values = object_array([plain_value(value) for value in values])
        kind = pd.api.types.infer_dtype(values, skipna=False)
    if kind in {"boolean", "floating"}:
        return values.astype(np.bool_ if kind == "boolean" else np.float64)
    try:
        if kind == "integer":
            return values.astype(np.uint64 if min(values) >= 0 and max(values) >= 2**63 else np.int64)
        if kind in {"mixed-integer-float", "integer-na"}:
            floats = values.astype(np.float64)
            if not (np.abs(floats[np.isfinite(floats)]) >= _EXACT).any():  # the limit itself may be a rounded value
                return floats
    except OverflowError:
        pass
    return values


def plain_value(value: Any) -> Any:  # noqa: PLR0911
    """Return a scalar of NumPy, a decimal or a fraction as the plain value that it equals.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
        An int, a float, a str and so on, or a pandas Timestamp or Timedelta; `value` itself if it is none of these
        exactly. Equal values then have one hash, as pandas and NumPy need to find them.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import numpy as np
    >>> from skrec._data.tables.columns import plain_value
    >>> plain_value(np.int64(7)), plain_value(Decimal("7.00")), plain_value(Decimal("0.1"))
    (7, 7, Decimal('0.1'))
    """
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)
    if isinstance(value, np.longdouble):
        value = Fraction(*value.as_integer_ratio()) if np.isfinite(value) else float(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Decimal) and not value.is_finite():
        return np.nan if value.is_nan() else float(value)
    if not isinstance(value, (Decimal, Fraction)):
        return value
    whole = int(value)
    if whole == value:
        return whole
    number = float(value)
    return number if Fraction(number) == Fraction(value) else value


def side_by_side(columns: Sequence[Column]) -> NDArray[Any]:
    """Return columns as an array: of numbers if one type holds all of them exactly, else of objects.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Dates among other types are objects: NumPy would make numbers of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.tables.columns import side_by_side
    >>> side_by_side([np.array([1, 2]), np.array([0.5, 1.5])])
    array([[1. , 0.5],
           [2. , 1.5]])
    >>> side_by_side([np.array([2**60 + 1]), np.array([0.5])])
    array([[1152921504606846977, 0.5]], dtype=object)
    """
    dtypes = {column.dtype for column in columns}
    if len(dtypes) > 1:
        dtype = np.result_type(*dtypes) if all(found.kind in "iufb" for found in dtypes) else np.dtype(object)
        if dtype.kind == "f" and not all(column.dtype.kind in "fb" or _fits_floats(column) for column in columns):
            dtype = np.dtype(object)
    else:
        dtype = next(iter(dtypes))
    array = np.empty((len(columns[0]), len(columns)), dtype=dtype)
    for position, column in enumerate(columns):
        is_time = column.dtype.kind in "mM" and dtype.kind == "O"
        array[:, position] = object_array(list(pd.Series(column).astype(object))) if is_time else column
    return array


def _fits_floats(numbers: Column) -> bool:
    """Whether float64 holds all whole numbers up to the largest of a column."""
    return not len(numbers) or bool(numbers.min() >= -_EXACT and numbers.max() <= _EXACT)


def _gaps(values: Column, missing: NDArray[np.bool_]) -> Column:
    """Return a canonical column with some of its rows made missing, in a type that keeps all others exactly."""
    if not missing.any():
        return values
    kind = values.dtype.kind
    if kind in "iu" and _fits_floats(values[~missing]):
        values = values.astype(np.float64)
    elif kind not in "fMm":
        values = values.astype(object)
    values = values.copy()
    values[missing] = None if values.dtype == object else np.nan if values.dtype.kind == "f" else "NaT"
    return values


def _from_pandas(values: Any) -> Column:  # noqa: PLR0911
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(values)
    if isinstance(dtype, pd.CategoricalDtype):
        codes = np.asarray(pd.Categorical(values).codes)
        known = as_column(dtype.categories)
        return _gaps(known[codes], codes < 0) if len(known) else np.full(len(codes), np.nan)
    kind = getattr(dtype, "kind", "O")
    if kind in "Mm":
        return _from_times(values, kind)
    if kind in "iu":
        whole = values.to_numpy(dtype=np.uint64 if "uint64" in str(dtype).lower() else np.int64, na_value=0)
        return _gaps(whole, np.asarray(values.isna()))
    if kind == "f":
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "b" and not values.isna().any():
        return np.asarray(values, dtype=np.bool_)
    if "list" in str(dtype) and "[pyarrow]" in str(dtype) and _has_whole_numbers(dtype):
        return object_array(values.tolist())  # as an array, a list with a gap would be one of floats
    return np.asarray(values)


def _has_whole_numbers(dtype: Any) -> bool:
    """Whether an Arrow type of lists is one of whole numbers, also in lists of lists."""
    return "int" in str(dtype)


def _from_polars(values: Any) -> Column:
    dtype = values.dtype
    if dtype.is_integer():
        if str(dtype).endswith("128"):
            return object_array(values.to_list())
        return _gaps(_canonical(values.fill_null(0).to_numpy()), values.is_null().to_numpy())
    if str(dtype.base_type()) == "Array":
        values = values.arr.to_list()
    if str(dtype) == "Date" or (dtype.is_nested() and not (hasattr(dtype, "inner") and dtype.inner.is_float())):
        return object_array(values.to_list())
    zone = zone_of(values)
    return np.asarray(values.to_numpy()) if zone is None else _with_zone(in_utc(values), zone)


def _from_times(values: Any, kind: str) -> Column:
    zone = zone_of(values)
    if zone is not None:
        return _with_zone(in_utc(values), zone)
    if str(values.dtype).startswith("date"):  # Arrow's days are dates without a time of day, as objects are
        return np.asarray(values.astype(object).where(~values.isna(), None), dtype=object)
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
    >>> from skrec._data.tables.columns import zone_of
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
    >>> from skrec._data.tables.columns import in_utc
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
    if kind == "f" and array.dtype.itemsize > 8:
        floats = array.astype(np.float64)
        is_exact = bool(np.all((floats == array) | np.isnan(array)))
        return floats if is_exact else object_array([plain_value(value) for value in array])
    return array.astype(_CANONICAL[kind], copy=False)
