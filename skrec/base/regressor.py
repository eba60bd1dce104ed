"""Regression task: reading targets, losses and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions
from skrec._data.targets.numbers import numeric_labels, read_weights
from skrec._estimators import RegressorMixin, StrOptions, _fit_context
from skrec.base.events import Events, Inputs
from skrec.base.method_docs import ROWS, SEEN, VALIDATION_ROWS, documented
from skrec.base.network import NetworkRecommender, own_loss
from skrec.base.reader import Query
from skrec.base.retrieval import ScoreConsumer
from skrec.base.task_rows import usable_weights
from skrec.base.training_arrays import training_arrays

__all__ = ["NetworkRegressor"]

_LARGEST = 1e100  # the squares of larger targets overflow


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRegressor(RegressorMixin, NetworkRecommender):
    """Base class for networks that predict a number, such as a rating.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import pandas as pd
    >>> from skrec.base import NetworkRegressor
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class BiasRegressor(NetworkRegressor):
    ...     def _network_config(self, n_outputs):
    ...         return {}
    ...
    ...     @staticmethod
    ...     def _build_network(keras, layers):
    ...         parts = {"user": layers.Table("user", 1), "item": layers.Table("item", 1)}
    ...         return layers.Network(
    ...             query=lambda inputs: parts["user"](inputs["user"]),
    ...             item=lambda inputs: parts["item"](inputs["item"])[..., 0],
    ...             interact=lambda query, item: query + item,
    ...             parts=parts,
    ...         )
    >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
    >>> model = BiasRegressor(epochs=100, learning_rate=0.05, random_state=0).fit(X, [5.0, 1.0, 5.0, 1.0])
    >>> (model.predict(X) > 3).tolist()
    [True, False, True, False]
    """

    loss: Any = "squared_error"

    _parameter_constraints: ClassVar[dict[str, Any]] = {"loss": [StrOptions({"squared_error"}), callable]}
    _chooses_epochs: ClassVar[bool] = True

    @_fit_context(prefer_skip_nested_validation=True)
    @documented(validation=VALIDATION_ROWS)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Training data, one event per row.
        y : array-like of shape (n_rows,)
            Target values, such as ratings. They are standardized internally.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        {validation}

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    @documented(seen=SEEN)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further rows, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        {seen}

        Returns
        -------
        self
            The fitted estimator.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFRegressor
        >>> first = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]})
        >>> model = NCFRegressor(random_state=0).partial_fit(first, [5.0, 1.0])
        >>> model = model.partial_fit(pd.DataFrame({"user_id": ["cy"], "item_id": ["z"]}), [4.0])
        >>> model.users_.tolist(), model.items_.tolist()
        (['ann', 'bob', 'cy'], ['x', 'y', 'z'])
        """
        return self._partial_fit(X, y, sample_weight, seen)

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        values = self._numbers(X, y, name)
        weights = read_weights(sample_weight, X)
        if fresh:
            self._mean = float(np.average(values, weights=weights))
            self._scale = float(np.sqrt(np.average((values - self._mean) ** 2, weights=weights))) or 1.0
        return ((values - self._mean) / self._scale).astype(np.float32), weights, 1

    def _numbers(self, X: Any, y: Any, name: str = "y") -> NDArray[np.float64]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target {name} is None.")
        cure = "Convert it, for instance with pd.to_numeric. For class labels, use the Classifier of the same model."
        values = numeric_labels(y, X, name, what="numbers for a Regressor", cure=cure)
        row = int(np.argmax(np.abs(values)))
        if abs(values[row]) > _LARGEST:
            raise ValueError(
                f"{name} has the value {values[row]} in row {row}, which is too large to learn from. Rescale {name}."
            )
        return values

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        loss = own_loss(self.loss) if callable(self.loss) else self.loss
        return {"structure": {"losses": (loss,)}, "settings": {}, "arrays": training_arrays(events, log)}

    def _is_positive(self, events: Events) -> NDArray[np.bool_]:
        return np.ones(len(events), bool)  # regardless of the rating

    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        scale, mean = np.float32(self._scale), np.float32(self._mean)
        super()._score_catalogue(queries, items, lambda part, block: consume(part, block * scale + mean))

    def _pair_scores(self, inputs: Inputs) -> NDArray[Any]:
        return super()._pair_scores(inputs).astype(np.float64) * self._scale + self._mean

    def _score_scale(self) -> tuple[float, float]:
        return self._scale, self._mean

    def _score_between(self, queries: Query, items: Query, query: NDArray[Any], item: NDArray[Any]) -> NDArray[Any]:
        scores = super()._score_between(queries, items, query, item)
        return np.asarray(scores * np.float32(self._scale) + np.float32(self._mean))

    def _validation_score(self, logits: Any, events: Events) -> float:
        squares = (logits[:, 0].astype(np.float64) - events.target) ** 2
        return -float(np.average(squares, weights=usable_weights(events))) * self._scale**2

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination (R²) of the predictions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.
        y : array-like of shape (n_rows,)
            True values.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
            The best value is 1. Predicting the mean of ``y`` for all rows gives 0.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFRegressor
        >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
        >>> model = NCFRegressor(epochs=100, learning_rate=0.05, random_state=0).fit(X, [5.0, 1.0, 5.0, 1.0])
        >>> model.score(X, [5.0, 1.0, 5.0, 1.0]) > 0.9
        True
        """
        from sklearn.metrics import r2_score

        weights = read_weights(sample_weight, X)
        return float(r2_score(self._numbers(X, y), self.predict(X), sample_weight=weights))

    @documented(rows=ROWS)
    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the target value of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        ndarray of shape (n_rows,)

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFRegressor
        >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
        >>> model = NCFRegressor(epochs=100, learning_rate=0.05, random_state=0).fit(X, [5.0, 1.0, 5.0, 1.0])
        >>> (model.predict(X) > 3).tolist()
        [True, False, True, False]
        """
        return self._in_range(self._logits(X)[:, 0].astype(np.float64)) * self._scale + self._mean

    def _in_range(self, standardized: NDArray[np.float64]) -> NDArray[np.float64]:
        """Limit standardized predictions; by default, they are unchanged."""
        return standardized
