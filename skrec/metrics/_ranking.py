"""Ranking metrics of arrays of relevance and scores, one function per metric."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from skrec._docs import documented
from skrec.metrics._array_inputs import one_metric

_LISTS = """\
y_true : array-like or sparse array of shape (n_users, n_items), or array-like of shape (n_rows,)
    Relevance; items above 0 are relevant.
y_pred : array-like of the same shape
    Scores; higher is better. Among items with equal scores, irrelevant ones come first."""

_AT_K = """\
k : int
    Number of items of each list that are evaluated, at least 1. It may exceed the number of items."""

_AT_K_OR_ALL = """\
k : int or None
    Number of items of each list that are evaluated, at least 1. It may exceed the number of items. If None, the
    whole list is evaluated."""

_USERS = """\
groups : array-like of shape (n_rows,) or None, default=None
    User of each row. Required for one-dimensional `y_true` and `y_pred`, and not allowed otherwise.
per_user : bool, default=False
    If True, return one value per user instead of the mean."""

_RAISES = """\
ValueError
    If shapes or the order of pandas labels differ, a value is NaN, `k` is not an integer of at least 1, or no user
    has a relevant item."""

_documented = documented(lists=_LISTS, at_k=_AT_K, at_k_or_all=_AT_K_OR_ALL, users=_USERS, raises=_RAISES)


@_documented
def ndcg_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute the normalized discounted cumulative gain (NDCG) of the first `k` items.

    ``DCG = sum(relevance / log2(rank + 1))`` over ranks 1 to `k`, divided by the DCG of the best possible order of all
    relevant items [1]_. The gain is linear in the relevance, as in :func:`sklearn.metrics.ndcg_score`.

    Parameters
    ----------
    {lists}
    {at_k}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        The mean over the users who have a relevant item. With ``per_user=True``, the values of all users: an array, or
        with `groups` a Series with one entry per group in the order of first appearance; NaN for users without a
        relevant item.

    Raises
    ------
    {raises}

    Notes
    -----
    Ties count against the model: among items with equal scores, the less relevant ones come first. A model that gives
    all items the same score therefore gets the lowest possible value, not the value of a lucky order.

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
    return one_metric("ndcg", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def recall_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute recall: the share of the relevant items that are among the first `k`.

    Parameters
    ----------
    {lists}
    {at_k}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Number of hits divided by the number of relevant items, even if that number exceeds `k`. See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> from skrec.metrics import recall_at_k
    >>> recall_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.75
    """
    return one_metric("recall", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def capped_recall_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute recall with the number of relevant items capped at `k`, so that the best order has the value 1.

    This is the Recall@k of the papers on autoencoders [1]_ and of others that compare with them.

    Parameters
    ----------
    {lists}
    {at_k}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Number of hits divided by the minimum of `k` and the number of relevant items. See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    References
    ----------
    .. [1] D. Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018.
       :doi:`10.1145/3178876.3186150`

    Examples
    --------
    >>> from skrec.metrics import capped_recall_at_k, recall_at_k
    >>> y_true, y_pred = [[0, 1, 1, 1]], [[0.9, 0.5, 0.1, 0.3]]
    >>> capped_recall_at_k(y_true, y_pred, k=2), round(recall_at_k(y_true, y_pred, k=2), 3)
    (0.5, 0.333)
    """
    return one_metric("capped_recall", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def precision_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute precision: the share of the first `k` items that are relevant.

    Parameters
    ----------
    {lists}
    {at_k}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Number of hits divided by `k`, even if a user has fewer than `k` items. See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> from skrec.metrics import precision_at_k
    >>> precision_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.5
    """
    return one_metric("precision", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def hit_rate_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute the hit rate: the share of the users who have a relevant item among their first `k`.

    Parameters
    ----------
    {lists}
    {at_k}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Equal to :func:`recall_at_k` if each user has one relevant item. See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> from skrec.metrics import hit_rate_at_k
    >>> hit_rate_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=1)
    0.5
    """
    return one_metric("hit_rate", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def average_precision_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int | None, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute the average precision at the ranks of the relevant items among the first `k` (MAP@k, or MAP).

    Parameters
    ----------
    {lists}
    {at_k_or_all}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        Sum of the precisions divided by the minimum of `k` and the number of relevant items, so that the best order
        has the value 1. See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> from skrec.metrics import average_precision_at_k
    >>> average_precision_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.625
    """
    return one_metric("map", y_true, y_pred, k=k, groups=groups, per_user=per_user)


@_documented
def reciprocal_rank_at_k(
    y_true: ArrayLike, y_pred: ArrayLike, *, k: int | None, groups: ArrayLike | None = None, per_user: bool = False
) -> Any:
    """Compute one divided by the rank of the first relevant item, 0 if none is among the first `k` (MRR@k, or MRR).

    Parameters
    ----------
    {lists}
    {at_k_or_all}
    {users}

    Returns
    -------
    float, or ndarray of shape (n_users,), or Series of shape (n_groups,)
        See :func:`ndcg_at_k`.

    Raises
    ------
    {raises}

    Examples
    --------
    >>> from skrec.metrics import reciprocal_rank_at_k
    >>> reciprocal_rank_at_k([[0, 1, 1], [1, 0, 0]], [[0.9, 0.5, 0.1], [0.8, 0.2, 0.3]], k=2)
    0.75
    """
    return one_metric("mrr", y_true, y_pred, k=k, groups=groups, per_user=per_user)
