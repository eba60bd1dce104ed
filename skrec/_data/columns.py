"""One column of any container as a one-dimensional NumPy array of a canonical type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Column", "as_column", "narrow", "object_array"]

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
        array = np.asarray(values.to_numpy())
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
    if kind == "M" and getattr(dtype, "tz", None) is None:
        return np.asarray(values, dtype=f"datetime64[{_unit(dtype)}]")
    if kind in "iuf" and not isinstance(dtype, pd.CategoricalDtype):
        if values.isna().any():
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(values, dtype=_CANONICAL[kind] if kind != "u" else np.uint64)
    if kind == "b" and not values.isna().any():
        return np.asarray(values, dtype=np.bool_)
    return np.asarray(values)


def _unit(dtype: Any) -> str:
    """Return the unit of a type of dates: nanoseconds do not hold the year 9999, which others do."""
    return str(getattr(getattr(dtype, "pyarrow_dtype", None), "unit", "s" if "date" in str(dtype) else "ns"))


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
