"""Class labels: reading of ``y`` for Classifiers."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.columns import Column
from skrec._data.targets.labels import read_labels
from skrec._warnings import warn

__all__ = ["class_codes", "class_labels", "is_text", "warn_of_missing_as_text"]

_FINITE = "Class labels must be finite."
_MISSING_AS_TEXT = ("nan", "NaN", "<NA>", "NaT")


def class_labels(y: Any, X: Any, name: str = "y") -> NDArray[Any]:
    """Return class labels: numbers, bools or strings, all of one kind.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        As :func:`read_labels` takes it.
    X : table of shape (n_rows, n_columns)
        The rows that the labels belong to.
    name : str, default="y"
        What error messages call the labels.

    Returns
    -------
    ndarray of shape (n_rows,)
        Of the type of `y` where that is one of NumPy's.

    Raises
    ------
    ValueError
        If a label is missing or not one of a class, or labels of several kinds are mixed.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.targets.classes import class_labels
    >>> class_labels(np.array([0, 1, 1], dtype=object), np.zeros((3, 1)))
    array([0, 1, 1])
    """
    from sklearn.utils.multiclass import check_classification_targets

    column = read_labels(y, X, name, warn=True)
    if column.dtype.kind in "mM":
        raise ValueError(
            f"{name} holds dates or times, such as {column[0]} in row 0: class labels are numbers, bools or strings. "
            "Convert them, for instance with astype(str)."
        )
    if column.dtype.kind == "f":
        _refuse_fractions(column, name)
    if column.dtype.kind == "O":
        _refuse_mixed(column, name)
        column = column.astype(str) if isinstance(y, (list, tuple)) else column
    plain = np.asarray(y) if isinstance(y, np.ndarray) or isinstance(getattr(y, "dtype", None), np.dtype) else column
    labels: NDArray[Any] = plain.reshape(-1) if plain.dtype.kind in "biufU" else column
    check_classification_targets(labels)
    return labels


def _refuse_fractions(column: Column, name: str) -> None:
    infinite = np.isinf(column)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(f"Input {name} contains infinity: {column[row]} in row {row}. {_FINITE}")
    fractions = column != np.floor(column)
    if fractions.any():
        row = int(np.argmax(fractions))
        raise ValueError(
            f"Unknown label type: continuous. {name} has {column[row]} in row {row}, and a Classifier takes class "
            "labels. For ratings and other numbers use the Regressor of the same model; or make classes of them, such "
            "as y >= 4."
        )


def _refuse_mixed(column: Column, name: str) -> None:
    """Refuse objects that are not all strings."""
    if pd.api.types.infer_dtype(column, skipna=False) == "string":
        return
    kinds = [_kind_of(value) for value in column.tolist()]
    first = kinds[0]
    other = next((row for row, kind in enumerate(kinds) if kind != first), None)
    if other is not None:
        raise ValueError(
            f"{name} mixes labels of several kinds: {column[0]!r} ({first}) in row 0 and {column[other]!r} "
            f"({kinds[other]}) in row {other}. Convert them to one, for instance with astype(str)."
        )
    infinite = next((row for row, value in enumerate(column.tolist()) if value in (np.inf, -np.inf)), None)
    if infinite is not None:
        raise ValueError(f"Input {name} contains infinity: {column[infinite]} in row {infinite}. {_FINITE}")
    cure = "decode them, for instance with y.str.decode('utf-8')" if first == "bytes" else "use astype(str)"
    raise ValueError(
        f"{name} has {column[0]!r} ({type(column[0]).__name__}) in row 0: class labels are numbers, bools or strings. "
        f"Convert them: {cure}."
    )


def _kind_of(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    return "number" if isinstance(value, Number) else type(value).__name__


def warn_of_missing_as_text(classes: NDArray[Any], name: str = "y") -> None:
    """Warn about a class that is probably a missing value converted to a string by ``astype(str)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.targets.classes import warn_of_missing_as_text
    >>> warn_of_missing_as_text(np.array(["no", "yes"]))
    """
    if not is_text(classes):
        return
    found = next((label for label in classes.tolist() if label in _MISSING_AS_TEXT), None)
    if found is not None:
        warn(
            f"{name} has the class {found!r}: a missing value that astype(str) made a string? Leave such rows out "
            "before converting the labels."
        )


def is_text(labels: NDArray[Any]) -> bool:
    """Whether labels are strings rather than numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.targets.classes import is_text
    >>> is_text(np.array(["a"])), is_text(np.array([1]))
    (True, False)
    """
    return bool(labels.dtype.kind in "OUS")


def class_codes(labels: NDArray[Any], classes: NDArray[Any], explain: Callable[[Any, int], str]) -> NDArray[np.int64]:
    """Return the position of each label in ``classes``.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        As :func:`class_labels` returns them.
    classes : ndarray of shape (n_classes,)
        Sorted.
    explain : callable
        ``explain(label, row)`` makes the error message for a label that is not among the classes.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If a label is not among the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.targets.classes import class_codes
    >>> class_codes(np.array(["b", "a"]), np.array(["a", "b"]), "{} in row {}".format).tolist()
    [1, 0]
    """
    if is_text(labels) != is_text(classes):
        raise ValueError(explain(labels[0].item() if hasattr(labels[0], "item") else labels[0], 0))
    codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    unknown = classes[codes] != labels
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ValueError(explain(labels[row : row + 1].tolist()[0], row))
    return np.asarray(codes, dtype=np.int64)
