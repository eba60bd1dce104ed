"""What Rankers share, whether or not there is a network behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from skrec._sklearn_compat import check_sample_weight


def positive_rows(X: Any, y: Any, sample_weight: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Check ``y`` and the weights of a Ranker's rows.

    Returns
    -------
    positive : ndarray of shape (n_rows,) of bool
        True for every row, or where ``y > 0``.
    weight : ndarray of shape (n_rows,)

    Raises
    ------
    ValueError
        If ``y`` is no number, missing somewhere, or nowhere above 0.
    """
    weight = check_sample_weight(sample_weight, X, dtype=np.float64, non_negative=True)
    if not weight.any():
        raise ValueError("All values of sample_weight are 0: there is nothing to learn from.")
    if y is None:
        return np.ones(len(weight), bool), weight
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    try:
        numbers = labels.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"y of a Ranker must be numbers (above 0: positive, else negative) or None, got {labels[0]!r}. "
            "For class labels use a Classifier."
        ) from None
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise ValueError(f"Input y contains NaN or infinity (first in row {row}). Drop such rows, or label them.")
    positive = numbers > 0
    if not positive.any():
        raise ValueError(
            f"No value of y is above 0 (n_samples = {len(numbers)}): a Ranker learns from positives. "
            "Pass y=None if every row is one."
        )
    return positive, weight


class RankerMixin:
    """``predict`` and ``score`` of an estimator that ranks."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = None
        tags.target_tags.required = False
        return tags

    def predict(self, X: Any) -> NDArray[np.float32]:
        """Score rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with a user and an item.

        Returns
        -------
        ndarray of shape (n_rows,), float32
            Relevance of the row's item for its user: higher is better; comparable within a user.
        """
        check_is_fitted(self)
        rows = self._read(X, reset=False)  # type: ignore[attr-defined]
        return self._score_pairs(*self._pair_codes(rows, self._estimator_roles))  # type: ignore[attr-defined, no-any-return]

    def score(self, X: Any, y: Any = None) -> float:
        """NDCG@10 of held-out rows, ranked among the whole catalogue without the items seen in ``fit``.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Held-out events.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are relevant; all rows by default.

        Returns
        -------
        float
            Mean over the users with relevant rows; see :func:`skrec.metrics.make_ranking_scorer`.
        """
        from skrec.metrics import make_ranking_scorer

        check_is_fitted(self)
        self._read(X, reset=False)  # type: ignore[attr-defined]
        return float(make_ranking_scorer("ndcg@10")(self, X, y))
