"""What all rankers share: the reading of targets, ``predict`` and ``score``."""

from __future__ import annotations

from numbers import Number
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data.targets.numbers import positive_labels, read_weights
from skrec._estimators import check_is_fitted

__all__ = ["RankerMixin"]


class RankerMixin:
    """Mixin class for rankers, with ``predict`` and ``score``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.base import RankerMixin
    >>> from skrec.models import PopularityRanker
    >>> model = PopularityRanker().fit(pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "x"]}))
    >>> isinstance(model, RankerMixin), model.predict(pd.DataFrame({"user_id": ["cy"], "item_id": ["x"]})).tolist()
    (True, [2.0])
    """

    _ids_may_come_alone: ClassVar[bool] = False  # whether partial_fit takes rows none of which is positive

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type = None
        tags.target_tags.required = False
        return tags

    def _targets(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        fresh: bool,
        name: str = "y",
    ) -> tuple[Any, Any, int]:
        from skrec._sklearn_compat import num_samples

        if isinstance(y, Number):  # the label of every row
            y = np.full(num_samples(X), y)
        required = fresh or not self._ids_may_come_alone
        positive = np.ones(num_samples(X), bool) if y is None else positive_labels(y, X, name, required=required)
        return positive.astype(np.float32), read_weights(sample_weight, X), 1

    def predict(self, X: Any) -> NDArray[np.float32]:
        """Predict the relevance of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with all columns of ``fit``, in the same order, as scikit-learn requires. This includes columns that
            the model does not use, such as a time. ``recommend``, ``score_items`` and ``append_history`` need only the
            columns that they use.

        Returns
        -------
        ndarray of shape (n_rows,), float32
            Relevance of the item for the user of each row. Higher is better. Values are comparable within a user.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> PopularityRanker().fit(events).predict(pd.DataFrame({"user_id": ["cy", "cy"], "item_id": ["y", "new"]}))
        array([2., 0.], dtype=float32)
        """
        check_is_fitted(self)
        return self._score_rows(self._read(X, reset=False))  # type: ignore[attr-defined, no-any-return]

    def score(self, X: Any, y: Any = None) -> float:
        """Return the NDCG@10 of held-out rows, ranked among all items except the user's positives in ``fit``.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Held-out events.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are relevant. If None, all rows are relevant.

        Returns
        -------
        float
            Mean over the users with relevant rows. See :func:`skrec.metrics.make_ranking_scorer`.

        Notes
        -----
        ``Pipeline.score`` and a search without ``scoring=`` pass encoded rows to this method. After an encoder that
        merges ids (``IDEncoder(min_frequency=...)``), ids with the same code count as one, and the score increases with
        the number of merged ids. If there is an encoder, pass ``scoring=make_ranking_scorer("ndcg@10")`` to the search,
        or call that scorer with the Pipeline: it evaluates raw ids.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.score(pd.DataFrame({"user_id": ["cy"], "item_id": ["y"]}))  # the best of x and y, as cy has seen z
        1.0
        """
        from skrec.metrics import make_ranking_scorer

        check_is_fitted(self)
        self._read(X, reset=False)  # type: ignore[attr-defined]
        value = make_ranking_scorer("ndcg@10")(self, X, y)
        assert isinstance(value, float)
        return value
