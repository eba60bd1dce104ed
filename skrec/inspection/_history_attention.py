"""Attention of a model to the past items of users."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skrec._recommend import unwrap
from skrec.base.attention import AttentionModel

__all__ = ["history_attention", "history_model"]


def history_attention(estimator: Any, queries: Any = None, items: Any = None, *, history: Any = None) -> Bunch:
    """Return the attention of a model to each past item.

    Each row holds the weights of one query, with the past items in the order of time. They show what the model attends
    to; the method ``explain`` of the model returns the contribution of each past event to the score of an item.

    The weights of a SASRec are the attention of the last block at the latest event (equation 2 of the paper), averaged
    over the heads. They are positive and do not depend on the recommended item; the difference between their sum and 1
    is the attention to the start of the history. The weights of a DIN are those of the local activation unit (equation
    3 of the paper): they depend on the item, may be negative, and are not normalized.

    Parameters
    ----------
    estimator : estimator
        A fitted ``SASRecRanker``, ``DINRanker``, ``DINClassifier`` or ``DINRegressor``, or a search around one.
    queries : array-like of shape (n_queries,) or rows, default=None
        User ids, or rows with a user column. If the rows have an item column too, such as those returned by
        ``recommend``, this is the item of each query. Not needed with `history`.
    items : array-like of shape (n_queries,), default=None
        The item of each query. Required for DIN.
    history : list of lists of item ids, or rows, default=None
        Histories to use instead of the stored ones, as for ``recommend``.

    Returns
    -------
    Bunch
        Dictionary-like object with the attributes

        - ``past_items`` : object ndarray of shape (n_queries, n_past), the ids of the past items, with the latest in
          the last column. n_past is the length of the longest history; shorter histories are
          padded with None, and unknown items are None;
        - ``weights`` : float32 ndarray of shape (n_queries, n_past), the attention to each item; 0 for padding.

    Raises
    ------
    TypeError
        If the estimator has no attention over histories, or is the last step of a Pipeline with transformers.
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If there are neither queries nor histories, or required items are missing, or their number differs from that of
        the queries.

    See Also
    --------
    HistoryAttentionDisplay : Plot the attention of one query.
    skrec.models.SASRecRanker.explain : Return the contribution of each past event to the score of an item.

    References
    ----------
    W.-C. Kang, J. McAuley. "Self-Attentive Sequential Recommendation". ICDM 2018, doi:10.1109/ICDM.2018.00035.

    G. Zhou, X. Zhu, C. Song, Y. Fan, H. Zhu, X. Ma, Y. Yan, J. Jin, H. Li, K. Gai. "Deep Interest Network for
    Click-Through Rate Prediction". KDD 2018, doi:10.1145/3219819.3219823.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import history_attention
    >>> from skrec.models import SASRecRanker
    >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
    >>> model = SASRecRanker(epochs=2, random_state=0).fit(events)
    >>> attention = history_attention(model, history=[[3, 7, 4], [8]])
    >>> attention.past_items
    array([[3, 7, 4],
           [None, None, 8]], dtype=object)
    >>> attention.weights.shape, attention.weights[1, :2]
    ((2, 3), array([0., 0.], dtype=float32))
    """
    model = history_model(estimator)
    windows, weights = model._attention(queries, items, history)
    codes = windows[:]
    codes = codes[:, codes.shape[1] - int(windows.lengths.max(initial=0)) :]
    past_items = np.full(codes.shape, None, dtype=object)
    past_items[codes > 0] = model.items_[codes[codes > 0] - 1]
    weights = np.where(codes >= 0, weights[:, weights.shape[1] - codes.shape[1] :], np.float32(0))
    return Bunch(past_items=past_items, weights=weights)


def history_model(estimator: Any) -> AttentionModel:
    """Return the model in a search, and check that it has attention over histories."""
    unwrapped = unwrap(estimator)
    model, name = unwrapped.model, type(unwrapped.model).__name__
    if not isinstance(model, AttentionModel):
        raise TypeError(
            "Only SASRec and DIN have attention over histories: pass a fitted SASRecRanker, DINRanker, "
            f"DINClassifier or DINRegressor, or a search around one, but got {name}."
        )
    if unwrapped.transformers:
        raise TypeError(
            f"The {name} is behind transformers, and its past items are encoded ids: pass the last step of the "
            "Pipeline, with encoded users and items (skrec's models accept raw ids and need no encoder)."
        )
    return model
