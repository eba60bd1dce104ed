"""Columns of arrays of equal width, such as embeddings of texts or images, standardized to a length of about 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.features.numbers import Floats, refuse_infinity, scaled
from skrec._data.features.outliers import learn_spread
from skrec._data.features.shared_cells import shared_cells
from skrec._data.tables.columns import Column, as_column, object_array
from skrec._data.tables.table import Rows
from skrec._warnings import warn
from skrec.exceptions import ColumnError

__all__ = [
    "LIST_TYPES",
    "are_vectors",
    "warn_ragged",
    "is_polars_array",
    "learn_arrays",
    "stack",
    "standardise_arrays",
    "width_of",
]

LIST_TYPES = (list, tuple, set, frozenset, np.ndarray)


def width_of(values: Any) -> int | None:
    """Return the width of the arrays in a column.

    Parameters
    ----------
    values : array-like of shape (n_rows,)

    Returns
    -------
    int or None
        The width, or None unless all cells that are not missing are numeric arrays of equal width, or lists for which
        :func:`are_vectors` is True.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.vectors import width_of
    >>> width_of([np.zeros(3), None, np.ones(3)])
    3
    >>> width_of([np.zeros(3), np.ones(2)]) is None
    True
    """
    if is_polars_array(values):
        return int(values.dtype.size) if values.dtype.inner.is_numeric() else None
    cells = as_column(values)
    shared = shared_cells(cells)
    if shared is not None:
        cells = shared[0]
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
    """Return whether the cells are embeddings: lists of equal length above 1 of numbers that are not all whole.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        The cells. Missing cells are ignored.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrec._data.features.vectors import are_vectors
    >>> are_vectors([[0.5, 1.0], None, [2.0, 3.0]]), are_vectors([[1, 2], [3, 4]]), are_vectors([[0.5], [1.5]])
    (True, False, False)
    """
    lengths = _lengths_of_fractions(as_column(values))
    return lengths is not None and _is_one_width(lengths)


def warn_ragged(values: Any, name: str) -> None:
    """Warn about lists of fractional numbers that would be arrays if their lengths were equal.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
    name : str
        Name of the column in the warning.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> from skrec._data.features.vectors import warn_ragged
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_ragged([[0.5, 1.0], [0.5], [2.0, 3.0]], "v")
    >>> str(told[0].message)[:61]
    "Column 'v' holds lists of fractional numbers, but row 1 has 1"
    """
    if is_polars_array(values):
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
    warn(
        f"Column {name!r} holds lists of fractional numbers, but row {row} has {lengths[at]} numbers and most have "
        f"{usual}: each number is taken for a category. If they are embeddings, pass {usual} numbers or None in each "
        f"row; if they are categories, pass multivalued_features=[{name!r}]."
    )


def _lengths_of_fractions(cells: Column) -> NDArray[np.intp] | None:
    """Return the length of each non-missing cell, or None unless they are lists of numbers that are not all whole."""
    there = cells[~pd.isna(cells)]
    if not len(there) or not all(map(_is_vector, there)):
        return None
    flat = as_column(object_array(list(chain.from_iterable(there))))
    if flat.dtype.kind == "O":  # with missing numbers
        flat = as_column(flat[~pd.isna(flat)])
    numbers = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat[:0]
    return np.fromiter(map(len, there), np.intp, len(there)) if (numbers != np.floor(numbers)).any() else None


def _is_vector(cell: Any) -> bool:
    """Return whether a cell is a list of numbers, judged by its first value, or a numeric array."""
    if isinstance(cell, np.ndarray):
        return cell.ndim == 1 and cell.dtype.kind in "iuf"
    return isinstance(cell, (list, tuple)) and (not cell or cell[0] is None or isinstance(cell[0], Real))


def _is_one_width(lengths: NDArray[np.intp]) -> bool:
    return bool(lengths[0] > 1 and (lengths == lengths[0]).all())


def stack(values: Any, width: int, label: str) -> Floats:
    """Return a column of arrays of equal width as a matrix.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Arrays, lists or tuples of numbers.
    width : int
        The length of the arrays.
    label : str
        The column in error messages, quoted if it is a name.

    Returns
    -------
    ndarray of shape (n_rows, width), float64
        NaN for missing arrays and missing numbers.

    Raises
    ------
    ColumnError
        If a cell is not an array of numbers, or has another width.
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> from skrec._data.features.vectors import stack
    >>> stack([[1.0, 2.0], None], 2, "'image'")
    array([[ 1.,  2.],
           [nan, nan]])
    >>> stack([[1.0, 2.0]], 3, "'image'")
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: Column 'image' holds arrays of 3 numbers, but row 0 has 2 of them. Give every row \
an array of 3 numbers, or fit again.
    """
    cells = as_column(values)
    present = np.flatnonzero(~pd.isna(cells))
    block = np.full((len(cells), width), np.nan)
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
    return block


def learn_arrays(
    rows: Rows, positions: Sequence[int], sample_weight: Any = None
) -> tuple[list[int], Floats, Floats, Floats, NDArray[np.bool_]]:
    """Return the widths, means and scales of columns of arrays, and which columns have missing arrays.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of k columns of arrays.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows in means and standard deviations.

    Returns
    -------
    widths : list of int
    means, scales : ndarray of shape (sum of widths,), float64
        Means and scales of every place of the arrays, see :func:`skrec._data.features.outliers.moments`. The scales are
        multiplied by the square root of the width, so that the length of an array is comparable to a single number.
        Extreme values are ignored.
    limits : ndarray of shape (sum of widths, 2), float64
        See :class:`skrec._data.features.outliers.Spread`.
    has_missing : ndarray of shape (k,), bool

    Raises
    ------
    ColumnError
        If a cell is not an array, or has another width.
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.features.vectors import learn_arrays
    >>> from skrec._data.tables.table import as_rows
    >>> learn_arrays(as_rows(pd.DataFrame({"image": [[0.5, 1.0], None, [1.5, 1.0]]})), [0])[:3]
    ([2], array([1., 1.]), array([0.70710678, 1.41421356]))
    """
    raw = [rows.raw(position) for position in positions]
    cells = [one if is_polars_array(one) else rows.column(at) for one, at in zip(raw, positions, strict=True)]
    widths = [width_of(one) or 0 for one in cells]
    means, scales, limits = np.zeros(sum(widths)), np.ones(sum(widths)), np.zeros((sum(widths), 2))
    has_missing = np.zeros(len(positions), dtype=np.bool_)
    for number, (places, block) in enumerate(_blocks(rows, positions, widths)):
        has_missing[number] = _is_missing(block).any()
        means[places], scales[places], limits[places], _ = learn_spread(block, sample_weight)
        # otherwise a wide array would dominate the other fields and be memorized
        scales[places] *= np.sqrt(widths[number])
        limits[places] /= np.sqrt(widths[number])
    return widths, means, scales, limits, has_missing


def standardise_arrays(
    rows: Rows,
    positions: Sequence[int],
    widths: Sequence[int],
    means: Floats,
    scales: Floats,
    *,
    limits: Floats | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return standardized arrays side by side, 0 for missing values, and which arrays are missing.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of k columns of arrays.
    widths : sequence of int
        The width of the arrays of each column.
    means, scales : ndarray of shape (sum of widths,), float64
    limits : ndarray of shape (sum of widths, 2), float64, default=None
        See :func:`learn_arrays`.

    Returns
    -------
    arrays : ndarray of shape (n_rows, sum of widths), float32
    missing : ndarray of shape (n_rows, k), bool

    Raises
    ------
    ColumnError
        If a cell is not an array, or has another width.
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrec._data.features.vectors import standardise_arrays
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"image": [[2.0, 4.0], None]}))
    >>> standardise_arrays(rows, [0], [2], np.ones(2), np.ones(2))
    (array([[1., 3.],
           [0., 0.]], dtype=float32), array([[False],
           [ True]]))
    """
    arrays = np.empty((rows.n_rows, sum(widths)), dtype=np.float32)
    missing = np.zeros((rows.n_rows, len(positions)), dtype=np.bool_)
    for number, (places, block) in enumerate(_blocks(rows, positions, widths)):
        missing[:, number] = _is_missing(block)
        arrays[:, places] = scaled(block, means[places], scales[places], None if limits is None else limits[places])
    return arrays, missing


def _blocks(rows: Rows, positions: Sequence[int], widths: Sequence[int]) -> Iterator[tuple[slice, Floats]]:
    """Yield the arrays of each column as a matrix, with its place among all columns side by side."""
    start = 0
    for position, width in zip(positions, widths, strict=True):
        yield slice(start, start + width), stack(rows.column(position), width, rows.label(position))
        start += width


def _is_missing(block: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(block).all(axis=1))


def is_polars_array(values: Any) -> bool:
    """Return whether a column has the polars dtype Array.

    Examples
    --------
    >>> from skrec._data.features.vectors import is_polars_array
    >>> is_polars_array([[0.5, 1.0]])
    False
    """
    return type(values).__module__.partition(".")[0] == "polars" and str(values.dtype.base_type()) == "Array"


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
