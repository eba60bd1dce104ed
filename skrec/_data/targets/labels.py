"""Read ``y``, weights and groups from any container: one value for each row of ``X``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec import _warnings
from skrec._data.tables.columns import Column, as_column

__all__ = ["check_aligned", "check_same_order", "one_dimensional", "read_labels"]

_RAVEL = (
    "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), for "
    "example using ravel()."
)
_SEVERAL = (
    "Pass one column of it. Several labels in each row are for models built on "
    "skrec.base.NetworkMultilabelClassifier, or for one model for each column: "
    "sklearn.multioutput.MultiOutputClassifier or MultiOutputRegressor."
)


def read_labels(y: Any, X: Any, name: str = "y", *, cure: str = "", warn: bool = False) -> Column:
    """Return one value for each row of ``X``, none of them missing.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        A NumPy array, a pandas or polars Series of any type, a list, or a table with one column.
    X : table of shape (n_rows, n_columns)
        The rows that the values belong to.
    name : str, default="y"
        Name of the values in error messages.
    cure : str, default=""
        Additional text in error messages about missing values.
    warn : bool, default=False
        Whether to warn of a table with one column, as scikit-learn's estimators do.

    Returns
    -------
    ndarray of shape (n_rows,)
        See :func:`skrec._data.tables.columns.as_column` for its type.

    Raises
    ------
    TypeError
        If `y` is not array-like, or sparse.
    ValueError
        If `y` has several columns or another length than `X`, has the labels of the index of `X` in another order, or
        a value is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.targets.labels import read_labels
    >>> read_labels(pd.Series(["no", "yes"], dtype="category"), [[1], [2]])
    array(['no', 'yes'], dtype=object)
    >>> read_labels(pd.DataFrame({"clicked": pd.array([True, False])}), [[1], [2]])
    array([ True, False])
    """
    values = one_dimensional(y, name, warn=warn)
    column = _column(values, name)
    check_aligned(X, {name: values}, rows="X_val" if name.startswith("y_val") else "X")
    _refuse_missing(values, column, name, cure)
    return column


def one_dimensional(y: Any, name: str, *, warn: bool = False) -> Any:
    """Return an array-like of one dimension: `y`, or its only column.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        Values.
    name : str
        What error messages call them.
    warn : bool, default=False
        Whether to warn of a table with one column, as scikit-learn's estimators do.

    Returns
    -------
    array-like of shape (n_rows,)

    Raises
    ------
    TypeError
        If `y` is not array-like, or sparse.
    ValueError
        If it has several columns.

    Examples
    --------
    >>> from skrec._data.targets.labels import one_dimensional
    >>> one_dimensional([[1], [2]], "y")
    array([1, 2])
    """
    from sklearn.exceptions import DataConversionWarning

    if isinstance(y, (str, bytes)):
        raise TypeError(f"{name} is the string {y!r}: pass the values themselves, such as X.pop({y!r}).")
    if sparse.issparse(y):
        raise TypeError(f"{name} is a sparse array: pass a dense one, {name}.toarray().ravel().")
    not_ordered = isinstance(y, (Mapping, Set))
    if not_ordered or not (hasattr(y, "__array__") or isinstance(y, Sequence) or hasattr(y, "__len__")):
        what = "has no order" if isinstance(y, Set) else "is not array-like"
        raise TypeError(f"{name} is a {type(y).__name__}, which {what}: pass a list, an array or a Series.")
    if isinstance(y, (list, tuple)) and len(y) and isinstance(y[0], (list, tuple, np.ndarray)):
        y = _nested(y, name)
    shape = getattr(y, "shape", None)
    if shape is None or len(shape) == 1:
        return y
    if len(shape) == 0:
        raise ValueError(f"{name} is a single value, {y!r}: pass one for each row.")
    if len(shape) != 2 or shape[1] != 1:
        hint = f"It looks like one row: pass {name}.ravel()." if len(shape) == 2 and shape[0] == 1 else _SEVERAL
        raise ValueError(f"{name} should be a 1d array, got an array of shape {tuple(shape)} instead. {hint}")
    if warn:
        _warnings.warn(_RAVEL, DataConversionWarning)
    if isinstance(y, pd.DataFrame):
        return y.iloc[:, 0]
    return y.to_series(0) if hasattr(y, "to_series") else y[:, 0] if isinstance(y, np.ndarray) else np.asarray(y)[:, 0]


def check_aligned(X: Any, others: Mapping[str, Any], *, rows: str = "X") -> None:
    """Raise an error if lengths differ from ``X``, or if the labels of an index are in another order.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
        Rows.
    others : dict of str to array-like or None
        What belongs to the rows, by the names that error messages give it; None is passed over.
    rows : str, default="X"
        What error messages call the rows.

    Raises
    ------
    ValueError
        If a length or an order differs.

    Examples
    --------
    >>> from skrec._data.targets.labels import check_aligned
    >>> check_aligned([[1], [2]], {"y": [0, 1], "groups": None})
    """
    from skrec._sklearn_compat import num_samples

    n_rows = num_samples(X)
    for name, values in others.items():
        if values is None:
            continue
        n = num_samples(values)
        if n != n_rows:
            raise ValueError(
                f"{name} has {n} values, but {rows} has {n_rows} rows: there must be one value for each row."
            )
        check_same_order({rows: X, name: values}, axes=("index",))


def _nested(y: Sequence[Any], name: str) -> NDArray[Any]:
    try:
        array = np.asarray(y)
    except ValueError:
        array = np.empty(0)
    if array.ndim < 2:
        raise ValueError(
            f"{name} has a {type(y[0]).__name__} in row 0, {y[0]!r:.60}, and lists of other lengths. {_SEVERAL}"
        )
    return array


def _column(values: Any, name: str) -> Column:
    try:
        return as_column(values)
    except ValueError as error:
        raise ValueError(f"{name} cannot be read. {error}") from error


def _refuse_missing(values: Any, column: Column, name: str, cure: str) -> None:
    missing = np.asarray(pd.isna(column))
    if isinstance(values, np.ma.MaskedArray):
        missing = missing | np.ma.getmaskarray(values)
    if missing.any():
        row, n = int(np.argmax(missing)), int(missing.sum())
        raise ValueError(
            f"Input {name} contains NaN: its value in row {row} is missing ({n} of {len(column)} are). Leave such rows "
            f"out, in X too, or fill in their values.{cure}"
        )
    if column.dtype.kind == "O" and pd.api.types.infer_dtype(column, skipna=False) != "string":
        nested = next((row for row, value in enumerate(column.tolist()) if _is_nested(value)), None)
        if nested is not None:
            raise ValueError(
                f"{name} has a {type(column[nested]).__name__} in row {nested}, {column[nested]!r:.60}: it must have "
                f"one value in each row. {_SEVERAL}"
            )


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, dict, np.ndarray))


def check_same_order(arguments: Mapping[str, Any], axes: Sequence[str] = ("index", "columns")) -> None:
    """Refuse pandas labels that are the same in another order, because values are taken by position.

    Parameters
    ----------
    arguments : dict of str to array-like
        What to compare, by the names that error messages give them.
    axes : sequence of str, default=("index", "columns")
        Which labels to compare.

    Raises
    ------
    ValueError
        If the labels of two neighbours are in another order.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.targets.labels import check_same_order
    >>> check_same_order({"X": pd.DataFrame({"a": [1, 2]}), "y": pd.Series([1, 2])})
    """
    for axis in axes:
        labelled = {
            name: getattr(argument, axis)
            for name, argument in arguments.items()
            if isinstance(argument, (pd.Series, pd.DataFrame)) and hasattr(argument, axis)
        }
        for (one, labels), (other, others) in pairwise(labelled.items()):
            if labels is others or len(labels) != len(others) or labels.equals(others):
                continue
            if labels.is_unique and labels.isin(others).all():
                at = int(np.argmax(labels != others))
                raise ValueError(
                    f"{one} and {other} have the same {axis} in another order: at position {at}, {one} has "
                    f"{labels[[at]].tolist()[0]!r} and {other} has {others[[at]].tolist()[0]!r}, but values are "
                    f"compared by position. Bring {other} into the order of {one} with reindex, or pass NumPy arrays "
                    "if the positions are right."
                )
