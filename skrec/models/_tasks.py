"""Classification, regression and ranking: how targets are read, what is minimised, what ``predict`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from skrec._data import Interactions
from skrec._sklearn_compat import Interval, StrOptions, _fit_context, check_sample_weight
from skrec.models._base import _SCORED_CELLS, Events, NetworkRecommender
from skrec.models._ranking import RankerMixin, positive_rows


def _weights(sample_weight: Any, X: Any) -> NDArray[np.float32] | None:
    if sample_weight is None:
        return None
    weights = check_sample_weight(sample_weight, X, dtype=np.float32, non_negative=True)
    if not weights.any():
        raise ValueError("All values of sample_weight are 0: there is nothing to learn from.")
    return weights


def _latest_or_random(events: Events, fraction: float, random_state: Any, stratify: Any) -> NDArray[Any]:
    """Rows to validate on: the latest where there is a time, else a random (stratified) part."""
    n = max(1, int(round(fraction * len(events))))
    if events.time is not None:
        return np.argsort(events.time, kind="stable")[-n:]
    if stratify is not None and (np.unique(stratify, return_counts=True)[1].min() < 2 or n < len(np.unique(stratify))):
        stratify = None
    split: list[NDArray[Any]] = train_test_split(
        np.arange(len(events)), test_size=n, random_state=random_state, stratify=stratify
    )
    return split[1]


def _arrays(events: Events, log: Interactions, **more: Any) -> Any:
    from skrec._engine.batches import TrainingArrays

    columns = {"user": events.users, "item": events.items}
    return TrainingArrays(columns, events.target, events.weight, log.n_items, **more)


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkClassifier(ClassifierMixin, NetworkRecommender):
    """A network that predicts class labels; binary and multi-class."""

    class_weight: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRecommender._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    # classes_ is learnt

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            One event a row.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        X_val, y_val : DataFrame or array-like, default=None
            Rows to choose the epoch by, instead of a part of ``X``. In a Pipeline they reach this step transformed only
            with ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Train one epoch on further rows; new users and items join.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur; needed in the first call if ``y`` lacks some.

        Returns
        -------
        self
            The fitted estimator.
        """
        self._announced = classes  # read by _targets in this call only
        try:
            return self._partial_fit(X, y, sample_weight)
        finally:
            vars(self).pop("_announced", None)

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool) -> tuple[Any, Any, int]:
        labels = self._labels(X, y)
        announced = vars(self).get("_announced")
        if fresh:
            self.classes_ = np.unique(labels if announced is None else np.asarray(announced))
        classes = self.classes_
        if len(classes) < 2:
            raise ValueError(
                f"y contains 1 class ({classes[0]!r}): {type(self).__name__} needs at least two classes. "
                "If every row is a positive, use the Ranker of the same model: it draws its own negatives."
            )
        codes = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
        if not np.array_equal(classes[codes], labels):
            new = labels[classes[codes] != labels][0]
            raise ValueError(
                f"y contains the label {new!r}, which is not among the classes {classes.tolist()!r}. "
                "Name all labels in the first call of partial_fit (classes=), or fit anew."
            )
        weights = _weights(sample_weight, X)
        if self.class_weight is not None:
            by_class = compute_class_weight(self.class_weight, classes=classes, y=labels).astype(np.float32)
            weights = by_class[codes] if weights is None else weights * by_class[codes]
        return codes.astype(np.float32), weights, 1 if len(classes) == 2 else len(classes)

    def _labels(self, X: Any, y: Any) -> NDArray[Any]:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. "
                "Without labels, use the Ranker of the same model."
            )
        labels = column_or_1d(y, warn=True)
        if labels.dtype.kind == "f":
            assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        check_consistent_length(X, labels)
        return np.asarray(labels)

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        loss = "log_loss" if len(self.classes_) == 2 else "categorical_crossentropy"
        return {"structure": {"loss": loss}, "settings": {}, "arrays": _arrays(events, log)}

    def _hold_out(self, events: Events, random_state: Any) -> NDArray[Any]:
        return _latest_or_random(events, self.validation_fraction, random_state, events.target)

    def _validation_score(self, logits: Any, events: Events) -> float:
        labels = np.arange(len(self.classes_))
        return -float(log_loss(events.target.astype(int), self._probabilities(logits), labels=labels))

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
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._probabilities(self._logits(X))

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return the logits.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            One number a row for two classes: above 0 means ``classes_[1]``.
        """
        logits = self._logits(X)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        logits = self._logits(X)
        chosen = (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def _score_catalogue(self, users: Any, items: Any) -> Any:
        if len(self.classes_) > 2:
            raise ValueError(
                f"{type(self).__name__} was fitted on {len(self.classes_)} classes: items can be ranked by the "
                "probability of one of two classes only. Use a Regressor for ratings, or make y binary."
            )
        return super()._score_catalogue(users, items)


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRegressor(RegressorMixin, NetworkRecommender):
    """A network that predicts a number, such as a rating."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            One event a row.
        y : array-like of shape (n_rows,)
            Ratings; they are standardised inside.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        X_val, y_val : DataFrame or array-like, default=None
            Rows to choose the epoch by, instead of a part of ``X``. In a Pipeline they reach this step transformed only
            with ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train one epoch on further rows; new users and items join.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight)

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool) -> tuple[Any, Any, int]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        values = column_or_1d(y, warn=True, dtype=np.float64)
        assert_all_finite(values, input_name="y")
        check_consistent_length(X, values)
        weights = _weights(sample_weight, X)
        if fresh:
            self._mean = float(np.average(values, weights=weights))
            self._scale = float(np.sqrt(np.average((values - self._mean) ** 2, weights=weights))) or 1.0
        return ((values - self._mean) / self._scale).astype(np.float32), weights, 1

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        return {"structure": {"loss": "squared_error"}, "settings": {}, "arrays": _arrays(events, log)}

    def _hold_out(self, events: Events, random_state: Any) -> NDArray[Any]:
        return _latest_or_random(events, self.validation_fraction, random_state, None)

    def _validation_score(self, logits: Any, events: Events) -> float:
        return -float(np.mean((logits[:, 0].astype(np.float64) - events.target) ** 2)) * self._scale**2

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the expected rating of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return self._logits(X)[:, 0].astype(np.float64) * self._scale + self._mean


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRanker(RankerMixin, NetworkRecommender):
    """A network that ranks items for users, learnt from events alone: it draws its own negatives."""

    loss: Literal["auto", "log_loss", "bpr", "softmax"] = "auto"
    n_negatives: int | Literal["auto", "all"] = "auto"
    negative_sampling: float | Literal["uniform", "popularity"] = "uniform"
    reject_positives: bool = False

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRecommender._parameter_constraints,
        "loss": [StrOptions({"auto", "log_loss", "bpr", "softmax"})],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto", "all"})],
        "negative_sampling": [Interval(Real, 0, None, closed="left"), StrOptions({"uniform", "popularity"})],
        "reject_positives": ["boolean"],
    }

    @property
    def _factorised(self) -> bool:
        """Whether the score is a dot product, so that a whole batch can share its negatives."""
        return False

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            One event a row.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are positives, the others explicit negatives; all rows are positives by default.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, for instance how often an item was played.
        X_val, y_val : DataFrame or array-like, default=None
            Events to choose the epoch by, instead of each user's last one. In a Pipeline they reach this step transformed
            only with ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Train one epoch on further events; new users and items join, and the events count as seen.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight)

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool) -> tuple[Any, Any, int]:  # noqa: ARG002
        positive, _ = positive_rows(X, y, None)
        return positive.astype(np.float32), _weights(sample_weight, X), 1

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        loss = ("softmax" if self._factorised else "log_loss") if self.loss == "auto" else self.loss
        negatives, n_negatives = self._negatives(loss, log.n_items)
        alpha = {"uniform": 0.0, "popularity": 1.0}.get(self.negative_sampling, self.negative_sampling)  # type: ignore[arg-type]
        reject = self.reject_positives and negatives == "rows"
        more: dict[str, Any] = {"item_counts": log.item_counts if alpha else None}
        if reject:
            users = np.repeat(np.arange(log.n_users + 1, dtype=np.int64), np.diff(log.indptr))
            more["positives"] = users * (log.n_items + 1) + log.items
        return {
            "structure": {"loss": loss, "negatives": negatives, "popularity": bool(alpha), "reject": reject},
            "settings": {"n_negatives": n_negatives, "popularity": float(alpha), "score_name": "val_ndcg"},
            "arrays": _arrays(events, log, **more),
        }

    def _negatives(self, loss: str, n_items: int) -> tuple[str, int]:
        """How negatives are drawn, and how many: each row its own, or the batch's in common, or the catalogue."""
        if loss == "softmax":
            if self.n_negatives == "all" or (self.n_negatives == "auto" and self._factorised and n_items <= 1024):
                return "catalogue", 0
            if self._factorised:
                return "shared", 1024 if self.n_negatives == "auto" else int(self.n_negatives)
        if self.n_negatives == "all":
            raise ValueError(f"n_negatives='all' needs loss='softmax', not {loss!r}.")
        return "rows", 4 if self.n_negatives == "auto" else int(self.n_negatives)

    def _hold_out(self, events: Events, random_state: Any) -> NDArray[Any]:
        """Choose the last positive event of users who have others; of `validation_fraction` of them."""
        positive = np.flatnonzero(events.target > 0)
        users = events.users[positive]
        keys = (users,) if events.time is None else (events.time[positive], users)
        order = positive[np.lexsort(keys)]
        ordered = events.users[order]
        last = np.append(ordered[1:] != ordered[:-1], True)
        several = np.append(False, ordered[1:] == ordered[:-1])
        rows = order[last & several]
        n = int(np.ceil(self.validation_fraction * len(rows)))
        n = min(n, max(100, _SCORED_CELLS // len(self._items)))
        return np.sort(random_state.permutation(rows)[:n])

    def _scorer(self, events: Events) -> Any:
        """NDCG@10 over the catalogue, the training items left out."""
        from skrec._engine.scoring import catalogue
        from skrec.metrics._ranks import metrics_from_ranks, positive_ranks

        relevant = events.take(np.flatnonzero((events.target > 0) & (events.items > 0)))
        missed = events.take(np.flatnonzero((events.target > 0) & (events.items == 0)))
        users = np.unique(np.concatenate([relevant.users, missed.users]))
        shape = (len(users), len(self._items))
        place = np.searchsorted(users, relevant.users)
        positives = csr_array((np.ones(len(place), bool), (place, relevant.items - 1)), shape=shape)
        positives.sum_duplicates()
        n_relevant = np.diff(positives.indptr) + np.bincount(np.searchsorted(users, missed.users), minlength=len(users))
        excluded = self._log.seen(users)
        items = np.arange(1, len(self._items) + 1, dtype=np.int32)

        def score(program: Any) -> float:
            values = np.empty(len(users))
            for part, scores in catalogue(program, users, items):
                indptr, ranks = positive_ranks(scores, positives[part], excluded[part])
                values[part] = metrics_from_ranks(["ndcg@10"], indptr, ranks, n_relevant[part])["ndcg@10"]
            return float(values.mean())

        return score
