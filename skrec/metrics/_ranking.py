"""Ranking metrics for arrays of relevance and scores.

Two forms of the same data: a row per user and a column per item, or a row per (user, item) pair with `groups` to say
whose pair it is. Each user gets a value first; the metric is the mean over users.
"""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from skrec.metrics._ranks import group_ranks, metrics_from_ranks, positive_ranks


def ndcg_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Normalised discounted cumulative gain of the first `k` items.

    ``DCG = sum(relevance / log2(rank + 1))`` over ranks 1 to `k`, divided by the DCG of the best order of all relevant
    items. The gain is linear in the relevance, as in :func:`sklearn.metrics.ndcg_score`.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance. What is not above 0 is not relevant.
    y_pred : array-like of the same shape
        Scores; higher is better.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        The mean over the users who have a relevant item. With ``per_user=True`` all values: an array, or with `groups`
        a Series with one entry per group in the order of first appearance; NaN for users without a relevant item.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Notes
    -----
    Ties count against the model: of items with one score, the less relevant come first. So a model that scores all
    items alike gets the lowest value rather than that of a lucky order.

    References
    ----------
    .. [1] K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002.
       :doi:`10.1145/582415.582418`

    Examples
    --------
    >>> from skrec.metrics import ndcg_at_k
    >>> y_true = [[0, 1, 1], [1, 0, 0]]
    >>> y_pred = [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]]
    >>> round(ndcg_at_k(y_true, y_pred, k=2), 3)
    0.693
    >>> ndcg_at_k([0, 1, 1, 0], [0.1, 0.2, 0.3, 0.3], k=1, groups=["ana", "ana", "bo", "bo"], per_user=True)
    ana    1.0
    bo     0.0
    Name: ndcg@1, dtype: float64
    """
    return _metric("ndcg", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def recall_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Share of the relevant items that are among the first `k`.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better. Of items with one score, those that are not relevant come first.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Hits divided by the number of relevant items, also where that number exceeds `k`. See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Examples
    --------
    >>> from skrec.metrics import recall_at_k
    >>> recall_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.75
    """
    return _metric("recall", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def precision_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Share of the first `k` items that are relevant.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better. Of items with one score, those that are not relevant come first.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Hits divided by `k`, also where a user has fewer items than that. See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Examples
    --------
    >>> from skrec.metrics import precision_at_k
    >>> precision_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.5
    """
    return _metric("precision", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def hit_rate_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Share of the users who have a relevant item among their first `k`.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better. Of items with one score, those that are not relevant come first.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user, 0 or 1, instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        With one relevant item a user it equals :func:`recall_at_k`. See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Examples
    --------
    >>> from skrec.metrics import hit_rate_at_k
    >>> hit_rate_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=1)
    0.5
    """
    return _metric("hit_rate", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def average_precision_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Mean of the precisions at the ranks of the relevant items among the first `k` (MAP@k).

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better. Of items with one score, those that are not relevant come first.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        The sum of the precisions divided by the lower of `k` and the number of relevant items, so that the best order
        has 1. See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Examples
    --------
    >>> from skrec.metrics import average_precision_at_k
    >>> average_precision_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.625
    """
    return _metric("map", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def reciprocal_rank_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """One divided by the rank of the first relevant item, 0 if none is among the first `k` (MRR@k).

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better. Of items with one score, those that are not relevant come first.
    k : int
        How many items of each list are judged, at least 1. It may exceed the number of items.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Needed, and allowed, for one-dimensional `y_true` and `y_pred`.
    per_user : bool, default=False
        Return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes differ, a value is NaN, `k` is not a whole number of at least 1, or nothing is relevant to anybody.

    Examples
    --------
    >>> from skrec.metrics import reciprocal_rank_at_k
    >>> reciprocal_rank_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.75
    """
    return _metric("mrr", y_true, y_pred, k=k, groups=groups, per_user=per_user)


def _metric(kind: str, y_true: Any, y_pred: Any, *, k: Any, groups: Any, per_user: bool) -> Any:
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k must be a whole number of at least 1, got {k!r}.")
    name = f"{kind}@{k}"
    relevance = csr_array(y_true, copy=True) if issparse(y_true) else _numbers(y_true, "y_true")
    scores = _numbers(y_pred, "y_pred")
    if relevance.shape != scores.shape:
        raise ValueError(f"y_true has shape {relevance.shape}, but y_pred has shape {scores.shape}: make them equal.")
    labels = None
    if groups is None:
        if scores.ndim != 2:
            raise ValueError(
                f"y_true and y_pred have {scores.ndim} dimension(s). Pass one row per user and one column per item, or "
                "one-dimensional arrays and the user of each row as groups=."
            )
        positives = csr_array(relevance)
        positives.sum_duplicates()
        positives.data = np.maximum(_numbers(positives.data, "y_true"), 0)
        positives.eliminate_zeros()
        indptr, ranks = positive_ranks(scores, positives)
        gains = positives.data
    else:
        codes, labels = _group_codes(groups, scores)
        indptr, ranks, gains = group_ranks(codes, relevance, scores, len(labels))
    values = metrics_from_ranks([name], indptr, ranks, np.diff(indptr), gains)[name]
    if per_user:
        return values if labels is None else pd.Series(values, index=labels, name=name)
    if np.isnan(values).all():
        raise ValueError("Nothing in y_true is above 0: without a relevant item there is nothing to measure.")
    return float(np.nanmean(values))


def _numbers(values: Any, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must hold numbers: {error}.") from error
    bad = np.isnan(array) if name == "y_pred" else ~np.isfinite(array)
    if bad.any():
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
