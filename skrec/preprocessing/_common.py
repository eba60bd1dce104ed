"""Helpers that the transformers share: rare values, the type of the codes, and checks of sparse output."""

from __future__ import annotations

from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skrec._data import Rows, Vocabulary, as_rows
from skrec._data.tables.spelling import guessing
from skrec._estimators import check_features
from skrec._sklearn_compat import Interval, RealNotInt, get_output_config

__all__ = [
    "INPUT_FEATURES",
    "MIN_FREQUENCY",
    "OTHER_FEATURES",
    "min_count",
    "read_again",
    "refuse_narrow_dtype",
    "refuse_sparse_frame",
    "split_rare",
]

MIN_FREQUENCY = [
    Interval(Integral, 1, None, closed="left"),
    Interval(RealNotInt, 0, 1, closed="neither"),
    None,
]
"""Constraints of the parameter ``min_frequency``."""

INPUT_FEATURES = """\
input_features : array-like of str of shape (n_features,), default=None
    Names of the input columns. They must equal the names seen in ``fit``, if any. If None, the names seen in ``fit``
    are used, or ``"x0"``, ``"x1"``, ... if there were none."""

OTHER_FEATURES = """\
ValueError
    If `input_features` differ from the names seen in ``fit``, or in number from its columns."""


def min_count(min_frequency: float | None, n_rows: int) -> int:
    """Return the number of rows that a value needs, from ``min_frequency``: a number or a share of the rows."""
    if min_frequency is None or isinstance(min_frequency, Integral):
        return int(min_frequency or 1)
    return ceil(min_frequency * n_rows)


def split_rare(
    every: Vocabulary, codes: NDArray[np.int32], count: int
) -> tuple[Vocabulary, Vocabulary, NDArray[np.int32]]:
    """Separate the ids that occur in fewer than `count` rows.

    Parameters
    ----------
    every : Vocabulary
        All ids.
    codes : ndarray of shape (n_rows,)
        The rows as codes of `every`.
    count : int
        The number of rows that an id needs.

    Returns
    -------
    frequent, rare : Vocabulary
    codes : ndarray of shape (n_rows,), int32
        The rows as codes of `frequent`; 0 for rare ids.

    Examples
    --------
    >>> from skrec._data import Vocabulary
    >>> from skrec.preprocessing._common import split_rare
    >>> frequent, rare, codes = split_rare(*Vocabulary.fit(["b", "a", "b"]), 2)
    >>> frequent.ids, rare.ids, codes
    (array(['b'], dtype=object), array(['a'], dtype=object), array([1, 0, 1], dtype=int32))
    """
    if count <= 1:
        return every, Vocabulary(every.ids[:0], every.name), codes
    is_frequent = np.bincount(codes, minlength=len(every) + 1)[1:] >= count
    new_codes = np.cumsum(is_frequent, dtype=np.int32) * is_frequent
    frequent, rare = (Vocabulary(every.ids[chosen], every.name) for chosen in (is_frequent, ~is_frequent))
    return frequent, rare, new_codes[codes - 1]


def refuse_narrow_dtype(dtype: DTypeLike, highest: int, what: str) -> None:
    """Raise a ValueError if a dtype cannot hold the codes of `what`, which go up to `highest`."""
    dtype = np.dtype(dtype)
    if highest > (np.iinfo(dtype).max if dtype.kind in "iu" else 2 ** (np.finfo(dtype).nmant + 1)):
        raise ValueError(
            f"dtype {dtype} cannot hold the codes of {what}, which go up to {highest}: choose a wider dtype, for "
            "instance np.int32."
        )


def refuse_sparse_frame(transformer: Any) -> None:
    """Raise a ValueError if a transformer is configured for sparse output in a data frame."""
    library = get_output_config("transform", transformer)["dense"]
    if transformer.sparse_output and library != "default":
        raise ValueError(
            f"{library.capitalize()} output does not support sparse data. Pass sparse_output=False to get "
            f"{library} data frames, or call set_output(transform='default')."
        )


def read_again(estimator: Any, X: Any) -> Rows:
    """Return a view of a table after checking, as scikit-learn does, that it has the columns of ``fit``."""
    rows = as_rows(X)
    with guessing(getattr(estimator, "feature_names_in_", None), rows.names):
        check_features(estimator, X, "no_validation", rows.names, rows.n_columns, reset=False)
    return rows
