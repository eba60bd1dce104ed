"""Standardize numeric columns, and compute the edges of their bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.outliers import learn_spread, moments, within_limits
from skrec._data.tables.columns import Column
from skrec._data.tables.table import Rows
from skrec.exceptions import ColumnError

__all__ = [
    "Floats",
    "Scales",
    "as_float32",
    "as_numbers",
    "bin_edges",
    "learn_scales",
    "moments",
    "refuse_infinity",
    "scaled",
    "standardise",
]

Floats = NDArray[np.float64]

_BLOCK = 1 << 22
"""Number of values that are processed together."""

_LARGEST = float(np.finfo(np.float32).max)
_NARROWEST = 1e-30
"""Minimum width of a bin: dividing by less may overflow in single precision."""


def as_numbers(column: Column, label: str) -> Floats:
    """Return a column as numbers, with NaN for missing values.

    Times are converted to seconds since 1970 (in UTC if they have a time zone), durations to seconds. Text is converted
    if every value is a number.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
        A column as returned by :func:`skrec._data.tables.columns.as_column`.
    label : str
        The column in the error message, quoted if it is a name.

    Returns
    -------
    ndarray of shape (n_rows,), float64

    Raises
    ------
    ColumnError
        If a value is not a number.

    Examples
    --------
    >>> from skrec._data.tables.columns import as_column
    >>> from skrec._data.features.numbers import as_numbers
    >>> as_numbers(as_column(["12.5", None, 1]), "'price'")
    array([12.5,  nan,  1. ])
    >>> as_numbers(as_column(["12.5", "cheap"]), "'price'")
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: Column 'price' is one of numbers, but has 'cheap' (str) in row 1. Correct it, make \
it missing with pandas.to_numeric(..., errors='coerce'), or add the column to categorical_features when fitting.
    """
    if column.dtype.kind == "O":
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind in {"datetime", "datetime64", "date"}:
            column = np.asarray(pd.to_datetime(pd.Series(column), utc=True).dt.tz_localize(None))
        elif kind in {"timedelta", "timedelta64"}:
            column = np.asarray(pd.to_timedelta(pd.Series(column)))
    if column.dtype.kind == "M":
        column = column - np.datetime64(0, "s")
    if column.dtype.kind == "m":
        column = column / np.timedelta64(1, "s")
    if column.dtype.kind == "O":
        column = np.where(pd.isna(column), np.nan, column)
    try:
        return column.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        row = next(row for row, value in enumerate(column) if not _is_number(value))
        raise ColumnError(
            f"Column {label} is one of numbers, but has {column[row]!r} ({type(column[row]).__name__}) in row {row}. "
            "Correct it, make it missing with pandas.to_numeric(..., errors='coerce'), or add the column to "
            "categorical_features when fitting."
        ) from error


class Scales(NamedTuple):
    """The learned state of numeric columns.

    Parameters
    ----------
    means, scales : ndarray of shape (k,), float64
        Means, and scales: the standard deviation of the values that are neither missing nor extreme, or 1 for a
        constant column.
    has_missing : ndarray of shape (k,), bool
    limits : ndarray of shape (k, 2), float64
    sentinels : list of (int, float)
        See :class:`skrec._data.features.outliers.Spread`.

    Examples
    --------
    >>> from skrec._data.features.numbers import learn_scales
    >>> from skrec._data.tables.table import as_rows
    >>> learn_scales(as_rows([[1], [None]]), [0]).has_missing
    array([ True])
    """

    means: Floats
    scales: Floats
    has_missing: NDArray[np.bool_]
    limits: Floats
    sentinels: list[tuple[int, float]]


def learn_scales(rows: Rows, positions: Sequence[int], sample_weight: Any = None) -> Scales:
    """Return the means and scales of numeric columns, and which of them have missing values.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of k numeric columns.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows in means and standard deviations.

    Returns
    -------
    Scales

    Raises
    ------
    ColumnError
        If a column cannot be converted to numbers.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> from skrec._data.features.numbers import learn_scales
    >>> from skrec._data.tables.table import as_rows
    >>> learn_scales(as_rows([[1, 7], [5, None]]), [0, 1])[:3]
    (array([3., 7.]), array([2., 1.]), array([False,  True]))
    """
    means, scales, limits = np.zeros(len(positions)), np.ones(len(positions)), np.zeros((len(positions), 2))
    has_missing = np.zeros(len(positions), dtype=np.bool_)
    sentinels: list[tuple[int, float]] = []
    for columns, block in _blocks(rows, positions):
        has_missing[columns] = np.isnan(block).any(axis=0)
        means[columns], scales[columns], limits[columns], found = learn_spread(block, sample_weight)
        sentinels += [(columns.start + column, value) for column, value in found]
    return Scales(means, scales, has_missing, limits, sentinels)


def standardise(
    rows: Rows,
    positions: Sequence[int],
    means: Floats,
    scales: Floats,
    flagged: NDArray[Any],
    *,
    limits: Floats | None = None,
    sentinels: Sequence[tuple[int, float]] = (),
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return standardized numbers, 0 for missing values and sentinels, with flags for both.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of k numeric columns.
    means, scales : ndarray of shape (k,), float64
        See :func:`learn_scales`.
    flagged : ndarray of shape (n_flags,), int
        The columns (of the k columns) that have a flag for missing values, in order.
    limits : ndarray of shape (k, 2), float64, default=None
        Numbers beyond the limits are compressed, see :func:`skrec._data.features.outliers.within_limits`. If None,
        outliers are unchanged, up to the largest number of the dtype.
    sentinels : sequence of (int, float), default=()
        Values with a separate flag, by column.

    Returns
    -------
    numbers : ndarray of shape (n_rows, k + n_flags), float32
        The numbers, followed by the flags for missing values.
    is_sentinel : ndarray of shape (n_rows, n_sentinels), float32

    Raises
    ------
    ColumnError
        If a column cannot be converted to numbers.
    ValueError
        If a value is infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.numbers import standardise
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows([[1, 7], [5, None]])
    >>> standardise(rows, [0, 1], np.array([3.0, 7.0]), np.array([2.0, 1.0]), np.array([1]))[0]
    array([[-1.,  0.,  0.],
           [ 1.,  0.,  1.]], dtype=float32)
    """
    numbers = np.empty((rows.n_rows, len(positions) + len(flagged)), dtype=np.float32)
    is_sentinel = np.zeros((rows.n_rows, len(sentinels)), dtype=np.float32)
    for columns, block in _blocks(rows, positions):
        missing = np.isnan(block)
        for number, (column, value) in enumerate(sentinels):
            if columns.start <= column < columns.stop:
                found = block[:, column - columns.start] == value
                is_sentinel[:, number] = found
                block[found, column - columns.start] = np.nan
        numbers[:, columns] = scaled(
            block, means[columns], scales[columns], None if limits is None else limits[columns]
        )
        first, end = np.searchsorted(flagged, [columns.start, columns.stop])
        numbers[:, len(positions) + first : len(positions) + end] = missing[:, flagged[first:end] - columns.start]
    return numbers, is_sentinel


def as_float32(block: Floats) -> NDArray[np.float32]:
    """Return numbers in single precision: NaN becomes 0, and numbers that are too large become the largest number.

    Parameters
    ----------
    block : ndarray, float64

    Returns
    -------
    ndarray of the shape of `block`, float32

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.numbers import as_float32
    >>> as_float32(np.array([0.5, np.nan, 1e300])).tolist()
    [0.5, 0.0, 3.4028234663852886e+38]
    """
    return np.nan_to_num(np.clip(block, -_LARGEST, _LARGEST), copy=False).astype(np.float32)


def bin_edges(numbers: NDArray[Any], n_bins: int) -> NDArray[np.float32]:
    """Return the edges of bins with about the same number of values, for piecewise-linear encoding.

    The encoding of a value ``x`` in bin ``t`` is ``clip((x - edges[t]) / (edges[t + 1] - edges[t]), 0, 1)``
    [1]_. The edges are quantiles. If some of them coincide, frequent values get less weight, so that the non-zero
    values of a column that is nearly always 0 can still be distinguished. Few distinct values are edges themselves.
    Edges are distinct and sorted, and the last one is repeated to keep the number of bins: such a bin of width zero
    encodes ``x >= edges[t]`` as 0 or 1.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_columns)
        NaN values are ignored.
    n_bins : int
        Number of bins of each column, at least 1.

    Returns
    -------
    ndarray of shape (n_columns, n_bins + 1), float32
        Finite and non-decreasing within a row; zeros for a column without any number.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko: On Embeddings for Numerical Features in Tabular Deep Learning.
       NeurIPS 2022, section 3.2.1. https://doi.org/10.48550/arXiv.2203.05556

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.numbers import bin_edges
    >>> bin_edges(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0], [5.0, 9.0]]), 4)
    array([[1., 2., 3., 4., 5.],
           [0., 9., 9., 9., 9.]], dtype=float32)
    """
    ordered = np.sort(numbers, axis=0)  # NaN comes last
    counts = len(ordered) - np.isnan(ordered).sum(axis=0)
    at = np.linspace(0.0, 1.0, n_bins + 1)[:, None] * np.maximum(counts - 1, 0)
    below = np.floor(at).astype(np.intp)
    low = np.take_along_axis(ordered, below, axis=0).astype(np.float64)
    high = np.take_along_axis(ordered, np.ceil(at).astype(np.intp), axis=0)
    edges = np.where(counts > 0, low * (1.0 - (at - below)) + high * (at - below), 0.0).astype(np.float32)
    edges = np.maximum.accumulate(edges, axis=0)  # rounding must not change the order
    for column in np.flatnonzero((np.diff(edges, axis=0) <= _NARROWEST).any(axis=0) & (counts > 0)):
        found = _spread_quantiles(ordered[: counts[column], column], n_bins)
        edges[:, column] = np.pad(found, (0, n_bins + 1 - len(found)), mode="edge")
    return np.ascontiguousarray(edges.T)


def _spread_quantiles(ordered: NDArray[Any], n_bins: int) -> NDArray[np.float32]:
    """Return at most ``n_bins + 1`` distinct quantiles; a value weighs no more than the distance between two."""
    values, counts = np.unique(ordered.astype(np.float32), return_counts=True)
    if len(values) > n_bins + 1:
        while counts.max() > (most := int(counts.sum()) // n_bins + 2):
            counts = np.minimum(counts, most)
        values = np.quantile(np.repeat(values, counts), np.linspace(0.0, 1.0, n_bins + 1)).astype(np.float32)
    return values[np.diff(values, prepend=np.float32(-np.inf)) > _NARROWEST]


def refuse_infinity(infinite: NDArray[np.bool_], label: str, what: str = "column") -> None:
    """Raise an error if a value of a column is infinite.

    Parameters
    ----------
    infinite : ndarray of shape (n_rows,), bool
    label : str
        The column in the error message, quoted if it is a name.
    what : str, default="column"
        The kind of the column.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.numbers import refuse_infinity
    >>> refuse_infinity(np.array([False, True]), "'price'")
    Traceback (most recent call last):
    ValueError: Input X contains infinity: the column 'price' has it in row 1 (1 such row(s)). Correct it, or make it \
missing, for instance with X.replace([numpy.inf, -numpy.inf], numpy.nan).
    """
    if infinite.any():
        raise ValueError(
            f"Input X contains infinity: the {what} {label} has it in row {int(np.argmax(infinite))} "
            f"({int(infinite.sum())} such row(s)). Correct it, or make it missing, for instance with "
            "X.replace([numpy.inf, -numpy.inf], numpy.nan)."
        )


def _is_number(value: Any) -> bool:
    try:
        return np.ndim(value) == 0 and isinstance(float(value), float)
    except (TypeError, ValueError, OverflowError):
        return False


def _blocks(rows: Rows, positions: Sequence[int]) -> Iterator[tuple[slice, Floats]]:
    """Yield some columns at a time as new arrays of shape (n_rows, n_columns); raise an error for infinity."""
    table = rows.table
    is_plain = isinstance(table, np.ndarray) and table.dtype.kind in "iufb"
    width = max(1, _BLOCK // rows.n_rows)
    for start in range(0, len(positions), width):
        some = list(positions[start : start + width])
        if is_plain:
            block = table[:, some].astype(np.float64)
        else:
            block = np.empty((rows.n_rows, len(some)))
            for column, position in enumerate(some):
                block[:, column] = as_numbers(rows.time_values(position), rows.label(position))
        infinite = np.isinf(block)
        if infinite.any():
            column = int(np.argmax(infinite.any(axis=0)))
            refuse_infinity(infinite[:, column], rows.label(some[column]))
        yield slice(start, start + len(some)), block


def scaled(block: Floats, means: Floats, scales: Floats, limits: Floats | None = None) -> NDArray[np.float32]:
    """Return standardized numbers, 0 for missing values.

    Parameters
    ----------
    block : ndarray of shape (n_rows, k), float64
    means, scales : ndarray of shape (k,), float64
    limits : ndarray of shape (k, 2), float64, default=None
        Numbers beyond the limits are compressed, see :func:`skrec._data.features.outliers.within_limits`.

    Returns
    -------
    ndarray of shape (n_rows, k), float32

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.numbers import scaled
    >>> scaled(np.array([[1.0], [np.nan]]), np.array([3.0]), np.array([2.0]))
    array([[-1.],
           [ 0.]], dtype=float32)
    """
    with np.errstate(over="ignore"):
        standardised = (block - means) / scales
    return as_float32(standardised if limits is None else within_limits(standardised, limits))
