"""Classification task: reading labels, losses and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax

from skrec._data import Interactions
from skrec._data.targets.classes import class_codes, class_labels, is_text
from skrec._data.targets.numbers import read_weights
from skrec._estimators import ClassifierMixin, StrOptions, _fit_context
from skrec.base.events import Events
from skrec.base.method_docs import ROWS, SEEN, VALIDATION_ROWS, documented
from skrec.base.network import NetworkRecommender, own_loss
from skrec.base.task_rows import class_weights, find_classes, usable_weights
from skrec.base.training_arrays import training_arrays

__all__ = ["NetworkClassifier"]


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkClassifier(ClassifierMixin, NetworkRecommender):
    """Base class for networks that predict class labels, binary or multiclass.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import pandas as pd
    >>> from skrec.base import NetworkClassifier
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class BiasClassifier(NetworkClassifier):
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
    >>> model = BiasClassifier(epochs=50, learning_rate=0.05, random_state=0).fit(X, ["yes", "no", "yes", "no"])
    >>> model.predict(X).tolist()
    ['yes', 'no', 'yes', 'no']
    """

    loss: Any = "log_loss"
    class_weight: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss": [StrOptions({"log_loss"}), callable],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _chooses_epochs: ClassVar[bool] = True
    # classes_ is learned

    @_fit_context(prefer_skip_nested_validation=True)
    @documented(validation=VALIDATION_ROWS)
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
        {validation}

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    @documented(seen=SEEN)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further rows, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All class labels that can occur. Required in the first call if some of them are missing from ``y``.
        {seen}

        Returns
        -------
        self
            The fitted estimator.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFClassifier
        >>> first = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]})
        >>> model = NCFClassifier(random_state=0).partial_fit(first, ["yes", "no"], classes=["maybe", "no", "yes"])
        >>> model = model.partial_fit(pd.DataFrame({"user_id": ["cy"], "item_id": ["x"]}), ["maybe"])
        >>> model.classes_.tolist(), model.users_.tolist()
        (['maybe', 'no', 'yes'], ['ann', 'bob', 'cy'])
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
        from sklearn.metrics import log_loss

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

    @documented(rows=ROWS)
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        {rows}

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Columns in the order of ``classes_``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFClassifier
        >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
        >>> model = NCFClassifier(epochs=50, learning_rate=0.05, random_state=0).fit(X, ["yes", "no", "yes", "no"])
        >>> model.classes_.tolist(), (model.predict_proba(X) > 0.5).tolist()
        (['no', 'yes'], [[False, True], [True, False], [False, True], [True, False]])
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

    @documented(rows=ROWS)
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits.

        Parameters
        ----------
        {rows}

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            With two classes, one value per row; a value greater than 0 means ``classes_[1]``.
        """
        # float64, so that the probabilities that scikit-learn computes from the logits sum to 1 within its tolerance.
        logits = self._logits(X).astype(np.float64)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    @documented(rows=ROWS)
    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        {rows}

        Returns
        -------
        ndarray of shape (n_rows,)
            Predicted labels.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFClassifier
        >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
        >>> model = NCFClassifier(epochs=50, learning_rate=0.05, random_state=0).fit(X, ["yes", "no", "yes", "no"])
        >>> model.predict(X).tolist()
        ['yes', 'no', 'yes', 'no']
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

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFClassifier
        >>> X = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "item_id": ["x", "y", "x", "y"]})
        >>> model = NCFClassifier(epochs=50, learning_rate=0.05, random_state=0).fit(X, ["yes", "no", "yes", "no"])
        >>> model.score(X, ["yes", "no", "yes", "yes"])
        0.75
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
