"""Numeric targets and weights: reading of ``y`` for Regressors and Rankers, and of ``sample_weight``."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.tables.columns import Column
from skrec._data.targets.labels import read_labels
from skrec._warnings import warn

__all__ = ["numeric_labels", "positive_labels", "read_weights"]


def numeric_labels(y: Any, X: Any, name: str = "y", *, what: str, cure: str, warn: bool = True) -> NDArray[np.float64]:
    """Return finite numbers, one for each row of ``X``.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        As :func:`read_labels` takes it; strings that spell numbers count as numbers.
    X : table of shape (n_rows, n_columns)
        The rows that the numbers belong to.
    name : str, default="y"
        What error messages call the numbers.
    what : str
        What they must be, for error messages: the end of the sentence "y must be ...".
    cure : str
        What to do where they are not.
    warn : bool, default=True
        As :func:`read_labels` takes it.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If a value is missing, infinite or not a number.

    Examples
    --------
    >>> from skrec._data.targets.numbers import numeric_labels
    >>> numeric_labels([True, False], [[1], [2]], what="numbers", cure="")
    array([1., 0.])
    """
    column = read_labels(y, X, name, warn=warn)
    numbers = _as_numbers(column, name, what, cure)
    infinite = ~np.isfinite(numbers)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(
            f"Input {name} contains infinity or NaN: {column[row]!s} in row {row}. Leave such rows out, in X too, or "
            "replace the value."
        )
    return numbers


def _as_numbers(column: Column, name: str, what: str, cure: str) -> NDArray[np.float64]:
    if column.dtype.kind in "mM":
        raise ValueError(f"{name} must be {what}, but it holds dates or times, such as {column[0]} in row 0. {cure}")
    if column.dtype.kind != "O":
        return column.astype(np.float64)
    numbers = np.empty(len(column))
    for row, value in enumerate(column.tolist()):
        try:
            numbers[row] = float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"{name} must be {what}, but it has {value!r} ({type(value).__name__}) in row {row}. {cure}"
            ) from None
    return numbers


def positive_labels(y: Any, X: Any, name: str = "y", *, required: bool = True) -> NDArray[np.bool_]:
    """Return which rows of ``X`` are positive to a Ranker: those with ``y > 0``.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        As :func:`numeric_labels` takes it.
    X : table of shape (n_rows, n_columns)
        The rows that the labels belong to.
    name : str, default="y"
        What error messages call the labels.
    required : bool, default=True
        Whether there must be a positive row.

    Returns
    -------
    ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If a label is missing, infinite or not a number, or if `required` and none is above 0.

    Warns
    -----
    UserWarning
        If there are more than two values and all are above 0, as ratings from 1 to 5 are: they are not told apart.

    Examples
    --------
    >>> from skrec._data.targets.numbers import positive_labels
    >>> positive_labels([1, 0], [["ana", "x"], ["bo", "y"]])
    array([ True, False])
    """
    numbers = numeric_labels(
        y,
        X,
        name,
        what="numbers for a Ranker (above 0: positive, otherwise negative) or None",
        cure="For class labels use a Classifier.",
    )
    positive: NDArray[np.bool_] = numbers > 0
    if required and not positive.any():
        raise ValueError(
            f"No value of {name} is above 0 (n_samples = {len(numbers)}): a Ranker learns from positives. "
            f"Pass {name}=None if every row is one."
        )
    if positive.all() and len(np.unique(numbers)) > 2:
        warn(
            f"All values of {name} are above 0, from {numbers.min():g} to {numbers.max():g}, so that every row counts "
            f"as a positive, whatever its value. For ratings pass the liked ones, such as {name} >= 4; pass strengths, "
            f"such as counts, as sample_weight; if every row is a positive, pass {name}=None."
        )
    return positive


def read_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Return the weights of the rows of ``X``; None stays None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,), float or None
        A number is the weight of every row.
    X : table of shape (n_rows, n_columns)
        The rows that the weights belong to.

    Returns
    -------
    ndarray of shape (n_rows,) or None

    Raises
    ------
    ValueError
        If a weight is missing, infinite, negative or not a number, all are 0, there are more or fewer than rows, or
        they have the labels of the index of `X` in another order.

    Examples
    --------
    >>> from skrec._data.targets.numbers import read_weights
    >>> read_weights([2, 0.5], [[1], [2]])
    array([2. , 0.5])
    """
    from skrec._sklearn_compat import num_samples

    if sample_weight is None:
        return None
    if isinstance(sample_weight, Number):
        sample_weight = np.full(num_samples(X), sample_weight)
    what, cure = "numbers of at least 0", "Convert it, for instance with pd.to_numeric."
    weights = numeric_labels(sample_weight, X, "sample_weight", what=what, cure=cure, warn=False)
    wrong = (weights < 0) | (weights > np.finfo(np.float32).max)
    if wrong.any():
        row = int(np.argmax(wrong))
        low = "Negative values in data passed to sample_weight"
        raise ValueError(
            f"{low if weights[row] < 0 else 'sample_weight is too large'}: {weights[row]} in row {row}. A weight is at "
            "least 0, and a row of weight 0 does not count."
        )
    if not weights.astype(np.float32).any():
        raise ValueError("Each weight in sample_weight is zero: there is nothing to learn from.")
    return weights
