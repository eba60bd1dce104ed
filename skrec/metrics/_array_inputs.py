"""Arrays of relevance and scores, as metric functions take them.

The data has one of two forms: one row per user and one column per item, or one row per (user, item) pair, with the user
of each pair in `groups`. Each user gets a value first; the metric is the mean over users.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from skrec._data.targets.labels import check_same_order, one_dimensional
from skrec.metrics._metric_names import WITHOUT_K
from skrec.metrics._user_values import Values, values_of_groups, values_of_rows


def one_metric(kind: str, y_true: Any, y_pred: Any, *, k: Any, groups: Any, per_user: bool) -> Any:
    """Return the mean of one metric over users, or the value of each user; without `k`, the whole list is evaluated."""
    if k is not None or kind not in WITHOUT_K:
        check_k(k)
    name = kind if k is None else f"{kind}@{k}"
    values, labels = values_of_arrays([name], y_true, y_pred, groups)
    if per_user:
        return values[name] if labels is None else pd.Series(values[name], index=labels, name=name)
    return mean_of_users(values[name], name)


def values_of_arrays(names: Sequence[str], y_true: Any, y_pred: Any, groups: Any) -> tuple[Values, pd.Index | None]:
    """Check arrays, and return the values of all users by metric, and the users if `groups` is given."""
    check_same_order({"y_true": y_true, "y_pred": y_pred, "groups": groups})
    if groups is not None:
        y_true, y_pred = _one_column(y_true, "y_true"), _one_column(y_pred, "y_pred")
        groups = one_dimensional(groups, "groups")
    relevance = csr_array(y_true, copy=True) if issparse(y_true) else _numbers(y_true, "y_true")
    scores = _numbers(y_pred, "y_pred")
    if relevance.shape != scores.shape:
        raise ValueError(f"y_true has shape {relevance.shape}, but y_pred has shape {scores.shape}: make them equal.")
    if groups is not None:
        codes, labels = _group_codes(groups, scores)
        return values_of_groups(names, codes, relevance, scores, len(labels)), labels
    if scores.ndim != 2:
        raise ValueError(
            f"y_true and y_pred have {scores.ndim} dimension(s). Pass one row per user and one column per item, or "
            "one-dimensional arrays and the user of each row as groups=."
        )
    positives = csr_array(relevance)
    positives.sum_duplicates()
    positives.data = np.maximum(_numbers(positives.data, "y_true"), 0)
    positives.eliminate_zeros()
    return values_of_rows(names, scores, positives, graded=True), None


def mean_of_users(values: NDArray[np.float64], name: str) -> float:
    """Return the mean over the users who have a value; raise an error if no user has one."""
    if not np.isnan(values).all():
        return float(np.nanmean(values))
    if name == "auc":
        raise ValueError(
            "No user has both an item above 0 in y_true and another: the AUC needs a pair of a relevant and an "
            "irrelevant item."
        )
    raise ValueError("Nothing in y_true is above 0: a ranking metric needs at least one relevant item.")


def check_k(k: Any, least: int = 1) -> None:
    """Raise an error if `k` is not an integer or is too small."""
    if isinstance(k, bool) or not isinstance(k, Integral) or k < least:
        raise ValueError(f"k must be a whole number of at least {least}, got {k!r}.")


def _numbers(values: Any, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        array = _converted(array, name)
    # The minimum of an array with NaN is NaN, and computing it is fast.
    if np.isnan(array.min(initial=0)) or (name == "y_true" and np.isinf(array).any()):
        bad = np.isnan(array) if name == "y_pred" else ~np.isfinite(array)
        raise _contains(array, bad, name)
    return array


def _converted(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    if array.dtype.kind in "mMcV":
        raise ValueError(f"{name} must hold numbers, not {array.dtype}.")
    if array.dtype.kind == "O" and (missing := np.asarray(pd.isna(array))).any():
        raise _contains(array, missing, name)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}.") from error


def _contains(array: NDArray[Any], bad: NDArray[np.bool_], name: str) -> ValueError:
    position = np.argwhere(bad)[0].tolist()
    return ValueError(f"{name} contains {array[tuple(position)]} at {position}: replace it or leave the row out.")


def _one_column(values: Any, name: str) -> Any:
    """Return the column of a table with a single column, and any other input unchanged."""
    has_one = not issparse(values) and np.ndim(values) == 2 and np.shape(values)[1] == 1
    return one_dimensional(values, name) if has_one else values


def _group_codes(groups: Any, scores: NDArray[Any]) -> tuple[NDArray[np.int64], pd.Index]:
    if scores.ndim != 1:
        raise ValueError(
            "groups= needs one-dimensional y_true and y_pred; do not pass it with arrays of users x items."
        )
    index = pd.Index(groups)
    if len(index) != len(scores):
        raise ValueError(
            f"groups has {len(index)} entries, but y_pred has {len(scores)}: there must be one for each row."
        )
    codes, labels = pd.factorize(index)
    if (codes < 0).any():
        raise ValueError(
            f"groups is missing (None or NaN) in row {int(np.argmax(codes < 0))}: every row needs its user."
        )
    return codes.astype(np.int64), labels.rename(index.name)
