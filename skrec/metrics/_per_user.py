"""Several metrics of arrays from one ranking, and the AUC of each user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from skrec.metrics._array_inputs import mean_of_users, one_metric, values_of_arrays
from skrec.metrics._metric_names import is_per_list


def ranking_metrics(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    metrics: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    per_user: bool = False,
) -> Any:
    """Compute several metrics at several cutoffs from one ranking of given scores.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better.
    metrics : sequence of str
        ``"ndcg@k"``, ``"recall@k"``, ``"capped_recall@k"``, ``"precision@k"``, ``"hit_rate@k"`` (or ``"hr@k"``),
        ``"map@k"`` and ``"mrr@k"`` with any k of at least 1; ``"map"``, ``"mrr"`` and ``"auc"`` evaluate the whole
        list.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Required for one-dimensional `y_true` and `y_pred`, and not allowed otherwise.
    per_user : bool, default=False
        If True, return the values of each user instead of their means.

    Returns
    -------
    dict of str to float, or DataFrame of shape (n_users, n_metrics)
        For each metric, the mean over the users who have a value; see :func:`ndcg_at_k` and the other metric functions.
        With ``per_user=True``, the values of all users, indexed by row, or with `groups` by user in the order of first
        appearance; NaN for users without a relevant item and, for ``"auc"``, for users without an irrelevant item.

    Raises
    ------
    ValueError
        If a metric is unknown, shapes or the order of pandas labels differ, a value is NaN, or no user has a relevant
        item.

    Examples
    --------
    >>> from skrec.metrics import ranking_metrics
    >>> y_true = [[0, 1, 1], [1, 0, 0]]
    >>> y_pred = [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]]
    >>> ranking_metrics(y_true, y_pred, ["recall@1", "recall@2", "map", "auc"])
    {'recall@1': 0.5, 'recall@2': 0.75, 'map': 0.7916666666666666, 'auc': 0.5}
    >>> ranking_metrics(y_true, y_pred, ["recall@2", "auc"], per_user=True)
       recall@2  auc
    0       0.5  0.0
    1       1.0  1.0
    """
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    if not names:
        raise ValueError("metrics is empty: name at least one, such as 'ndcg@10'.")
    for name in names:
        if is_per_list(name):
            kind = name.partition("@")[0].removeprefix("neg_")
            raise ValueError(
                f"{name!r} describes lists of a whole catalogue: call {kind}_at_k with lists, or use "
                "make_ranking_scorer, which ranks the catalogue."
            )
    values, labels = values_of_arrays(names, y_true, y_pred, groups)
    if per_user:
        return pd.DataFrame(values, index=labels)
    return {name: mean_of_users(values[name], name) for name in names}


def user_auc(y_true: ArrayLike, y_pred: ArrayLike, *, groups: ArrayLike | None = None, per_user: bool = False) -> Any:
    """Compute the area under the ROC curve (AUC) of each user.

    The AUC is the share of the pairs of a relevant and an irrelevant item that are in the right order.

    Parameters
    ----------
    y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
        Relevance; items above 0 are relevant.
    y_pred : array-like of the same shape
        Scores; higher is better.
    groups : array-like of shape (n_rows,) or None, default=None
        User of each row. Required for one-dimensional `y_true` and `y_pred`, and not allowed otherwise.
    per_user : bool, default=False
        If True, return one value per user instead of the mean.

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        The mean over the users who have both a relevant and an irrelevant item; all users have the same weight. With
        ``per_user=True``, the values of all users; NaN for users who lack either. See :func:`ndcg_at_k`.

    Raises
    ------
    ValueError
        If shapes or the order of pandas labels differ, a value is NaN, or no user has both relevant and irrelevant
        items.

    Notes
    -----
    A tied pair counts one half, as in :func:`sklearn.metrics.roc_auc_score`. In the other ranking metrics, ties count
    against the model.

    Zhou et al. [1]_ weight the users by their numbers of impressions (they call this AUC; later papers call it GAUC):
    ``numpy.average(values, weights=n_rows_of_user)``, over the values that are not NaN.

    References
    ----------
    .. [1] G. Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018.
       :doi:`10.1145/3219819.3219823`

    Examples
    --------
    >>> from skrec.metrics import user_auc
    >>> user_auc([[0, 1, 1, 0], [1, 0, 0, 0]], [[0.9, 0.5, 0.1, 0.3], [0.8, 0.8, 0.8, 0.3]])
    0.4583333333333333
    >>> user_auc([0, 1, 1, 0], [0.1, 0.2, 0.3, 0.3], groups=["ana", "ana", "bo", "bo"], per_user=True)
    ana    1.0
    bo     0.5
    Name: auc, dtype: float64
    """
    return one_metric("auc", y_true, y_pred, k=None, groups=groups, per_user=per_user)
