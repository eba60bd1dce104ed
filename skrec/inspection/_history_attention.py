"""Attention of a model to the past items of users."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skrec._recommend import unwrap
from skrec.base.attention import AttentionModel

__all__ = ["history_attention", "history_model"]


def history_attention(estimator: Any, queries: Any = None, items: Any = None, *, history: Any = None) -> Bunch:
    """Return how much attention a model pays to each past item, as arrays.

    The weights of a query are in one row, the past items in the order of time. They tell what the model looks at; what
    each past event contributes to the score of an item is what ``explain`` of the model returns.

    The weights of a SASRec are the attention of the last block at the latest event (equation 2 of the paper), the mean
    over the heads. They are the same whichever item is recommended, and positive; what is missing to a sum of 1 went to
    the start of the history. The weights of a DIN are those of the local activation unit (equation 3 of the paper),
    which depend on the item, may be negative and need not sum to anything.

    Parameters
    ----------
    estimator : estimator
        A fitted ``SASRecRanker``, ``DINRanker``, ``DINClassifier`` or ``DINRegressor``, or a search around one.
    queries : array-like of shape (n_queries,) or rows, default=None
        User ids, or rows with a user column. Rows that have an item column too, such as those that ``recommend``
        returns, are about that item. Not needed with `history`.
    items : array-like of shape (n_queries,), default=None
        The item of each query. A DIN needs it.
    history : list of lists of item ids, or rows, default=None
        What to go by instead of the stored histories, as for ``recommend``.

    Returns
    -------
    Bunch
        With the attributes

        - ``past_items`` : ndarray of shape (n_queries, n_past) of objects: the ids of the past items, the latest in the
          last column. n_past is the length of the longest history; where there are fewer items, and for unknown ones,
          there is None;
        - ``weights`` : ndarray of shape (n_queries, n_past), float32: the attention to each; 0 where there is none.

    Raises
    ------
    TypeError
        If the estimator has no attention over histories, or stands behind transformers.
    NotFittedError
        If it is not fitted.
    ValueError
        If there are neither queries nor histories, or items are needed and not given, or not as many as queries.

    See Also
    --------
    HistoryAttentionDisplay : Plots those of one query.
    skrec.models.SASRecRanker.explain : Returns what each past event contributes to the score of an item.

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
    """Peel searches off a model, and check that it pays attention to histories."""
    unwrapped = unwrap(estimator)
    model, name = unwrapped.model, type(unwrapped.model).__name__
    if not isinstance(model, AttentionModel):
        raise TypeError(
            "Attention over histories is learnt by SASRec and DIN alone: pass a fitted SASRecRanker, DINRanker, "
            f"DINClassifier or DINRegressor, or a search around one, but got {name}."
        )
    if unwrapped.transformers:
        raise TypeError(
            f"The {name} stands behind transformers, and its past items are what they made of the ids: pass the last "
            "step, with users and items as they are encoded (skrec's models take ids of any kind, and need no encoder)."
        )
    return model
