"""Arrays of relevance and scores, as metric functions take them.

Two forms of the same data: a row per user and a column per item, or a row per (user, item) pair with `groups` to say
whose pair it is. Each user gets a value first; the metric is the mean over users.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from skrec.metrics._names import WITHOUT_K
from skrec.metrics._values import Values, values_of_groups, values_of_rows


def one_metric(kind: str, y_true: Any, y_pred: Any, *, k: Any, groups: Any, per_user: bool) -> Any:
    """Return the mean of one metric over users, or the value of each; without `k` of the whole list."""
    if k is not None or kind not in WITHOUT_K:
        check_k(k)
    name = kind if k is None else f"{kind}@{k}"
    values, labels = values_of_arrays([name], y_true, y_pred, groups)
    if per_user:
        return values[name] if labels is None else pd.Series(values[name], index=labels, name=name)
    return mean_of_users(values[name], name)


def values_of_arrays(names: Sequence[str], y_true: Any, y_pred: Any, groups: Any) -> tuple[Values, pd.Index | None]:
    """Check arrays, and return the values of all users by metric, and whose they are where `groups` tells it."""
    _check_order({"y_true": y_true, "y_pred": y_pred, "groups": groups})
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
    """Return the mean over the users who have a value; somebody must."""
    if not np.isnan(values).all():
        return float(np.nanmean(values))
    if name == "auc":
        raise ValueError(
            "No user has both an item above 0 in y_true and another: without a pair of them there is no AUC."
        )
    raise ValueError("Nothing in y_true is above 0: without a relevant item there is nothing to measure.")


def check_k(k: Any, least: int = 1) -> None:
    """Refuse a `k` that is no whole number, or too small."""
    if isinstance(k, bool) or not isinstance(k, Integral) or k < least:
        raise ValueError(f"k must be a whole number of at least {least}, got {k!r}.")


def _check_order(arguments: Mapping[str, Any]) -> None:
    """Refuse pandas labels that are the same in another order, for values are compared by position."""
    for axis in ("index", "columns"):
        labelled = {
            name: getattr(argument, axis)
            for name, argument in arguments.items()
            if isinstance(argument, (pd.Series, pd.DataFrame)) and hasattr(argument, axis)
        }
        for (one, labels), (other, others) in pairwise(labelled.items()):
            same = len(labels) == len(others) and labels.is_unique and labels.isin(others).all()
            if same and not labels.equals(others):
                at = int(np.argmax(labels != others))
                raise ValueError(
                    f"{one} and {other} have the same {axis} in another order: at position {at}, {one} has "
                    f"{labels[[at]].tolist()[0]!r} and {other} has {others[[at]].tolist()[0]!r}, but values are "
                    f"compared by position. Bring {other} into the order of {one} with reindex, or pass NumPy arrays "
                    "if the positions are right."
                )


def _numbers(values: Any, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must hold numbers: {error}.") from error
    # NaN is the least of all, and a look for the least is fast.
    if np.isnan(array.min(initial=0)) or (name == "y_true" and np.isinf(array).any()):
        bad = np.isnan(array) if name == "y_pred" else ~np.isfinite(array)
        position = np.argwhere(bad)[0].tolist()
        raise ValueError(f"{name} contains {array[tuple(position)]} at {position}: replace it or leave the row out.")
    return array


def _group_codes(groups: Any, scores: NDArray[Any]) -> tuple[NDArray[np.int64], pd.Index]:
    if scores.ndim != 1:
        raise ValueError(
            "groups= goes with one-dimensional y_true and y_pred; for arrays of users x items leave it out."
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
