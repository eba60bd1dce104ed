"""Attention between the fields of an AutoInt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._recommend import Unwrapped
from skrec.inspection._fitted import fitted, row_views
from skrec.models.features._autoint import _AutoInt

__all__ = ["attention_model", "attention_weights", "mean_attention"]


def attention_weights(estimator: Any, X: Any) -> NDArray[np.float32]:
    """Return the attention of each field to each other field, in every row, layer and head of an AutoInt.

    These are the weights of equation 5 of the paper. In the first layer they show which fields are combined into
    second-order crosses; from the second layer on, each position already holds a mixture of fields.

    A penalty draws queries and keys to 0, where all fields receive equal attention: if every weight is
    ``1 / n_fields``, the attention is not used. Fit with a smaller `l2` in this case.

    Parameters
    ----------
    estimator : estimator
        A fitted ``AutoIntClassifier``, ``AutoIntRegressor`` or ``AutoIntRanker``, or a Pipeline or search that ends in
        one.
    X : DataFrame or array-like of shape (n_rows, n_columns)
        Rows with all columns of ``fit``, as for ``predict``.

    Returns
    -------
    ndarray of shape (n_rows, n_layers, n_heads, n_fields, n_fields), float32
        The entry ``[row, layer, head, i, j]`` is the weight of field j in the new vector of field i; the weights over j
        sum to 1. The fields are in the order of the model's ``field_names_``.

    Raises
    ------
    TypeError
        If the estimator is not an AutoInt model.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    AttentionDisplay : Plot the mean over the rows, without holding the weights of all rows in memory.
    history_attention : Return the attention of models of histories to past items.

    References
    ----------
    W. Song, C. Shi, Z. Xiao, Z. Duan, Y. Xu, M. Zhang, J. Tang. "AutoInt: Automatic Feature Interaction Learning via
    Self-Attentive Neural Networks". CIKM 2019, doi:10.1145/3357384.3357925.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import attention_weights
    >>> from skrec.models import AutoIntClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": range(100)})
    >>> model = AutoIntClassifier(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> weights = attention_weights(model, X)
    >>> weights.shape
    (100, 2, 2, 2, 2)
    >>> weights[0, 0, 0].sum(axis=1).round(3)
    array([1., 1.], dtype=float32)
    """
    return np.concatenate([part for _, part in row_views(attention_model(estimator), X, "attention")])


def attention_model(estimator: Any) -> Unwrapped:
    """Check that an estimator is a fitted AutoInt, and unwrap it."""
    return fitted(
        estimator,
        _AutoInt,
        "Only AutoInt has attention between fields (for past items see history_attention): pass a fitted AutoInt",
    )


def mean_attention(unwrapped: Unwrapped, X: Any) -> NDArray[np.float64]:
    """Return the mean attention over the rows, of shape (n_layers, n_heads, n_fields, n_fields)."""
    parts: Iterator[tuple[slice, NDArray[np.float32]]] = row_views(unwrapped, X, "attention")
    total, n_rows = 0.0, 0
    for rows, part in parts:
        total = total + part.sum(axis=0, dtype=np.float64)
        n_rows = rows.stop
    return np.asarray(total / n_rows)
