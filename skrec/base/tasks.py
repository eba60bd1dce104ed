"""Classification and regression tasks: reading targets, losses and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import log_loss, r2_score

from skrec._data import Interactions
from skrec._data.targets.classes import class_codes, class_labels, is_text
from skrec._data.targets.numbers import numeric_labels, read_weights
from skrec._sklearn_compat import StrOptions, _fit_context
from skrec.base.events import Events, Inputs
from skrec.base.network import NetworkRecommender, own_loss
from skrec.base.reader import Query
from skrec.base.retrieval import ScoreConsumer
from skrec.base.task_rows import class_weights, find_classes, usable_weights
from skrec.base.training_arrays import training_arrays

_LARGEST = 1e100  # the squares of larger targets overflow


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkClassifier(ClassifierMixin, NetworkRecommender):
    """Base class for networks that predict class labels, binary or multiclass."""

    loss: Any = "log_loss"
    class_weight: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss": [StrOptions({"log_loss"}), callable],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _chooses_epochs: ClassVar[bool] = True
    # classes_ is learned

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Training data, one event per row.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        X_val, y_val : DataFrame or array-like, default=None
            Validation rows, used to choose the best epoch instead of a part of ``X``, regardless of
            ``early_stopping``. In a Pipeline, they are transformed before this step only with
            ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further rows, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All class labels that can occur. Required in the first call if some of them are missing from ``y``.
        seen : bool, default=False
            Whether these rows were passed to an earlier call, as in a second pass over the same data. If True, the
            model is trained on them again, but they are not counted, logged or added to histories a second time.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight, seen, _announced=classes)  # read by _targets

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        labels = self._labels(X, y, name)
        known = None if fresh else vars(self)["classes_"]
        classes = find_classes(labels, vars(self).get("_announced"), known)
        self.classes_ = classes
        codes = self._codes(labels, classes, name)
        weights = read_weights(sample_weight, X)
        if self.class_weight is not None:
            by_class = class_weights(self.class_weight, classes, labels)
            weights = by_class[codes] if weights is None else weights * by_class[codes]
        return codes.astype(np.float32), weights, 1 if len(classes) == 2 else len(classes)

    def _codes(self, labels: NDArray[Any], classes: NDArray[Any], name: str) -> NDArray[np.int64]:
        """Return the class indices of labels; error messages refer to the labels as ``name``."""
        if len(classes) < 2:
            raise ValueError(
                f"{name} contains 1 class ({classes.tolist()[0]!r}): {type(self).__name__} needs at least two classes. "
                "If every row is a positive, use the Ranker of the same model, which samples negatives itself."
            )
        if name.startswith("y_val"):
            cure = "Remove such rows from X_val and y_val, or include rows of every class in y."
        elif "_announced" in vars(self):
            cure = "Pass all labels as classes= in the first call to partial_fit, or call fit again."
        else:
            cure = "warm_start=True keeps the classes of the first fit. To learn new ones, set warm_start=False."
        return class_codes(
            labels,
            classes,
            lambda label, row: (
                f"{name} contains the label {label!r} (in row {row}), which is not among the classes "
                f"{classes.tolist()!r}. {cure}"
            ),
        )

    def _labels(self, X: Any, y: Any, name: str = "y") -> NDArray[Any]:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target {name} is None. "
                "Without labels, use the Ranker of the same model."
            )
        return class_labels(y, X, name)

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        n_classes = len(self.classes_)
        loss, n_outputs = ("log_loss", 1) if n_classes == 2 else ("categorical_crossentropy", n_classes)
        if callable(self.loss):
            loss = own_loss(self.loss, n_outputs=n_outputs)
        structure = {"losses": (loss,), "outputs": (n_outputs,)}
        return {"structure": structure, "settings": {}, "arrays": training_arrays(events, log)}

    def _strata(self, events: Events) -> NDArray[Any]:
        return events.target

    def _validation_score(self, logits: Any, events: Events) -> float:
        labels = np.arange(len(self.classes_))
        probabilities = self._probabilities(logits)
        return -float(
            log_loss(events.target.astype(int), probabilities, labels=labels, sample_weight=usable_weights(events))
        )

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        if logits.shape[1] == 1:
            positive = expit(logits[:, 0].astype(np.float64))
            return np.column_stack([1 - positive, positive])
        return np.asarray(softmax(logits.astype(np.float64), axis=1))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with all columns of ``fit``, in the same order, including those that the model does not use.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._probabilities(self._logits(X))

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of ``classes_``. Values are finite even if a probability underflows to 0.
        """
        return self._log_probabilities(self._logits(X).astype(np.float64))

    def _log_probabilities(self, logits: NDArray[np.float64]) -> Any:
        if logits.shape[1] == 1:
            return np.column_stack([log_expit(-logits[:, 0]), log_expit(logits[:, 0])])
        return np.asarray(log_softmax(logits, axis=1))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with all columns of ``fit``, in the same order, including those that the model does not use.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            With two classes, one value per row; a value greater than 0 means ``classes_[1]``.
        """
        # float64, so that the probabilities that scikit-learn computes from the logits sum to 1 within its tolerance.
        logits = self._logits(X).astype(np.float64)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with all columns of ``fit``, in the same order, including those that the model does not use.

        Returns
        -------
        ndarray of shape (n_rows,)
            Predicted labels.
        """
        logits = self._logits(X)
        chosen = (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.
        y : array-like of shape (n_rows,)
            True labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
            The accuracy.
        """
        labels, predicted = self._labels(X, y), self.predict(X)
        if is_text(labels) != is_text(predicted):
            raise ValueError(
                f"y has labels such as {labels[:1].tolist()[0]!r}, but the classes are {self.classes_.tolist()!r}, so "
                "no prediction can match. Convert y to the type that it had in fit."
            )
        return float(np.average(labels == predicted, weights=read_weights(sample_weight, X)))

    def _ranked_output(self) -> int:
        if len(self.classes_) > 2:
            raise ValueError(
                f"{type(self).__name__} was fitted with {len(self.classes_)} classes, but items can only be ranked "
                "with two. Use a Regressor for ratings, or make y binary."
            )
        return 0


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRegressor(RegressorMixin, NetworkRecommender):
    """Base class for networks that predict a number, such as a rating."""

    loss: Any = "squared_error"

    _parameter_constraints: ClassVar[dict[str, Any]] = {"loss": [StrOptions({"squared_error"}), callable]}
    _chooses_epochs: ClassVar[bool] = True

    @_fit_context(prefer_skip_nested_validation=True)
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
        X_val, y_val : DataFrame or array-like, default=None
            Validation rows, used to choose the best epoch instead of a part of ``X``, regardless of
            ``early_stopping``. In a Pipeline, they are transformed before this step only with
            ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further rows, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        seen : bool, default=False
            Whether these rows were passed to an earlier call, as in a second pass over the same data. If True, the
            model is trained on them again, but they are not counted, logged or added to histories a second time.

        Returns
        -------
        self
            The fitted estimator.
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
        """
        weights = read_weights(sample_weight, X)
        return float(r2_score(self._numbers(X, y), self.predict(X), sample_weight=weights))

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predict the target value of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with all columns of ``fit``, in the same order, including those that the model does not use.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self._in_range(self._logits(X)[:, 0].astype(np.float64)) * self._scale + self._mean

    def _in_range(self, standardized: NDArray[np.float64]) -> NDArray[np.float64]:
        """Limit standardized predictions; by default, they are unchanged."""
        return standardized
