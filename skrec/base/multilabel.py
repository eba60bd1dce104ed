"""Classification with several labels in each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions
from skrec._data.targets.numbers import read_weights
from skrec._estimators import POSITION, StrOptions, _fit_context, available_if, check_is_fitted
from skrec.base.classifier import NetworkClassifier
from skrec.base.events import Events
from skrec.base.label_columns import (
    label_columns,
    label_places,
    listed,
    side_by_side,
    task_position,
    task_weights,
)
from skrec.base.method_docs import SEEN, documented
from skrec.base.network import own_loss
from skrec.base.task_rows import class_weights, find_classes, usable_weights
from skrec.base.training_arrays import training_arrays

__all__ = ["NetworkMultilabelClassifier"]


def _has_one_target(model: Any) -> bool:
    if not isinstance(vars(model).get("classes_"), list):
        return True
    raise AttributeError(
        f"This {type(model).__name__} was fitted with several labels per row, but decision_function supports only one. "
        "Use predict_proba, which returns a list with one array of probabilities per label."
    )


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkMultilabelClassifier(NetworkClassifier):
    """Base class for networks that predict several labels per row, such as "clicked" and "bought".

    Each column of ``y`` is a task. A task with two classes has one logit; a task with more has one logit per class. The
    tasks are trained jointly on the mean of their losses. With a single column in ``y``, the model behaves like a
    :class:`NetworkClassifier`.

    ``_task_outputs`` gives an architecture the number of logits of each task. ``interact`` returns the logits of all
    tasks side by side in this order: (B, M, n_outputs).

    Parameters
    ----------
    loss : "log_loss" or callable, default="log_loss"
        Loss of each task. A callable has the signature ``f(logits, targets)``.
    loss_weights : array-like of shape (n_tasks,), dict or None, default=None
        Weights of the tasks in the mean loss, in the order of the columns of ``y`` or by name. Only their proportions
        matter. If None, all tasks have the same weight.
    class_weight : list, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn. A list contains a dict, ``"balanced"`` or None for each task. The
        weights of the labels of a row are multiplied.
    rank_by : str, int or None, default=None
        Task by which ``recommend`` and ``score_items`` rank items, given by name or position. It can be set after
        ``fit``. If None, ranking with several tasks raises an error.

    Attributes
    ----------
    classes_ : list of ndarray
        Class labels of each task; a single array if ``y`` had one column.
    task_names_ : ndarray of shape (n_tasks,) of str
        Names of the columns of ``y``, or ``"y0"``, ``"y1"``, ... if they have no names.

    See Also
    --------
    sklearn.multioutput.MultiOutputClassifier : Fits a model for each label.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrec.base import FieldModel, NetworkMultilabelClassifier
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class LinearMultilabelClassifier(FieldModel, NetworkMultilabelClassifier):
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, fields, n_outputs):
    ...         parts = {"output": keras.layers.Dense(n_outputs)}
    ...         pair = layers.Fields(*fields)
    ...         vectors = pair.embed(parts)
    ...         core = lambda inputs: parts["output"](layers.flatten(inputs["vectors"]))
    ...         return layers.field_network(core, parts, {"vectors": vectors}, n_outputs=n_outputs, width=pair.width)
    >>> X = pd.DataFrame({"age": np.arange(200.0), "price": np.arange(200.0) % 7})
    >>> y = pd.DataFrame({"clicked": X["age"] > 100, "bought": X["price"] > 3})
    >>> model = LinearMultilabelClassifier(epochs=40, learning_rate=0.01, random_state=0).fit(X, y)
    >>> model.task_names_.tolist(), [proba.shape for proba in model.predict_proba(X)]
    (['clicked', 'bought'], [(200, 2), (200, 2)])
    >>> model.predict(X).shape, bool(model.score(X, y) > 0.9)
    ((200, 2), True)
    """

    loss_weights: Any = None
    rank_by: str | int | None = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss_weights": ["array-like", dict, None],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "rank_by": [str, POSITION, None],
    }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Training data, one event per row.
        y : DataFrame or array-like of shape (n_rows, n_tasks) or (n_rows,)
            Class labels, with one column per task.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        X_val, y_val : DataFrame or array-like, default=None
            Validation rows, used to choose the best epoch by the mean loss of the tasks instead of a part of ``X``,
            regardless of ``early_stopping``. In a Pipeline, they are transformed before this step only with
            ``transform_input=["X_val"]``, metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @documented(seen=SEEN)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further rows, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : list of array-like, default=None
            All class labels that can occur, for each task. Required in the first call if some of them are missing from
            ``y``.
        {seen}

        Returns
        -------
        self
            The fitted estimator.
        """
        return super().partial_fit(X, y, classes=classes, sample_weight=sample_weight, seen=seen)

    # -- targets ------------------------------------------------------------------------------------------------------

    @property
    def _several(self) -> bool:
        """Whether the model was fitted with several labels per row."""
        return isinstance(self.classes_, list)

    @property
    def _task_outputs(self) -> tuple[int, ...]:
        """Number of logits of each task."""
        every = self.classes_ if self._several else [self.classes_]
        return tuple(1 if len(classes) == 2 else len(classes) for classes in every)

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        columns, names = label_columns(y)
        if not fresh:
            self._refuse_other_tasks(columns, names)
        if columns is None:
            self.__dict__.pop("task_names_", None)
            return super()._targets(X, y, sample_weight, fresh=fresh, name=name)
        places = label_places(names, len(columns), name)
        labels = [self._labels(X, column, place) for column, place in zip(columns, places, strict=True)]
        self.classes_: Any = self._find_all_classes(labels, places, fresh=fresh)
        if fresh:
            self.task_names_ = np.array(names or [f"y{i}" for i in range(len(columns))], dtype=object)
        codes = np.column_stack([self._codes(*task) for task in zip(labels, self.classes_, places, strict=True)])
        weights = read_weights(sample_weight, X)
        for task, by_class in enumerate(self._weights_of_classes(labels)):
            weights = by_class[codes[:, task]] if weights is None else weights * by_class[codes[:, task]]
        return codes.astype(np.float32), weights, sum(self._task_outputs)

    def _refuse_other_tasks(self, columns: list[Any] | None, names: list[str] | None) -> None:
        """Raise an error if the tasks or their order differ from those in ``fit``."""
        fitted = self.task_names_.tolist() if self._several else []
        if len(columns or ()) != len(fitted):
            raise ValueError(
                f"y has {len(columns or [0])} column(s), but had {len(fitted) or 1} in fit"
                f"{f' ({listed(fitted)})' if fitted else ''}. Pass one column per task."
            )
        if names and names != fitted and fitted != [f"y{i}" for i in range(len(fitted))]:
            raise ValueError(
                f"The columns of y are {listed(names)}, but were {listed(fitted)} in fit. Pass the same columns in "
                f"the same order: y[{fitted!r}]."
            )

    def _find_all_classes(self, labels: list[NDArray[Any]], places: list[str], *, fresh: bool) -> list[NDArray[Any]]:
        announced = vars(self).get("_announced")
        if announced is not None and len(announced) != len(labels):
            raise ValueError(
                f"classes has {len(announced)} entries, but y has {len(labels)} columns. Pass a list with the class "
                "labels of each column."
            )
        return [
            find_classes(
                column,
                None if announced is None else announced[task],
                None if fresh else self.classes_[task],
                where=f"[{task}]",
                name=places[task],
            )
            for task, column in enumerate(labels)
        ]

    def _weights_of_classes(self, labels: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the class weights of each task, or an empty list without ``class_weight``."""
        given = self.class_weight
        if given is None:
            return []
        if isinstance(given, dict) or (isinstance(given, list) and len(given) != len(labels)):
            raise ValueError(
                f"class_weight is {given!r}, but there are {len(labels)} tasks ({listed(self.task_names_)}). Pass "
                "'balanced', or a list with one dict per task."
            )
        each = given if isinstance(given, list) else [given] * len(labels)
        return [class_weights(*task) for task in zip(each, self.classes_, labels, strict=True)]

    def _weights_of_tasks(self) -> tuple[float, ...]:
        """Check ``loss_weights`` and return one weight per task."""
        return task_weights(self.loss_weights, self.task_names_.tolist() if self._several else ["y"])

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        weights = self._weights_of_tasks()
        if not self._several:
            return super()._training(events, log)
        outputs = self._task_outputs
        losses: tuple[Any, ...] = tuple("log_loss" if n == 1 else "categorical_crossentropy" for n in outputs)
        if callable(self.loss):
            losses = tuple(own_loss(self.loss, n_outputs=n) for n in outputs)
        return {
            "structure": {"losses": losses, "outputs": outputs},
            "settings": {"loss_weights": weights},
            "arrays": training_arrays(events, log),
        }

    def _is_positive(self, events: Events) -> NDArray[np.bool_]:
        counted = super()._is_positive(events)
        return np.asarray(counted.any(axis=1)) if counted.ndim == 2 else counted

    def _strata(self, events: Events) -> NDArray[Any]:
        labels: NDArray[Any] = events.target  # with several, stratified by their combinations
        return labels if labels.ndim == 1 else np.unique(labels, axis=0, return_inverse=True)[1].ravel()

    def _validation_score(self, logits: Any, events: Events) -> float:
        from sklearn.metrics import log_loss

        if not self._several:
            return super()._validation_score(logits, events)
        weight, target = usable_weights(events), events.target.astype(int)
        losses = [
            log_loss(target[:, task], probabilities, labels=np.arange(probabilities.shape[1]), sample_weight=weight)
            for task, probabilities in enumerate(self._probabilities(logits))
        ]
        return -float(np.average(losses, weights=self._weights_of_tasks()))

    # -- predictions --------------------------------------------------------------------------------------------------

    def _probabilities(self, logits: NDArray[np.float32]) -> Any:
        if not self._several:
            return super()._probabilities(logits)
        return [super(NetworkMultilabelClassifier, self)._probabilities(part) for part in self._of_tasks(logits)]

    def _log_probabilities(self, logits: NDArray[np.float64]) -> Any:
        if not self._several:
            return super()._log_probabilities(logits)
        return [super(NetworkMultilabelClassifier, self)._log_probabilities(part) for part in self._of_tasks(logits)]

    def _of_tasks(self, logits: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(logits, np.cumsum(self._task_outputs)[:-1], axis=1)

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        list of ndarray of shape (n_rows, n_classes)
            One array per task, with columns in the order of its ``classes_``. A single array if ``y`` had one column.
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
        list of ndarray of shape (n_rows, n_classes)
            Arrays as in :meth:`predict_proba`.
        """
        return super().predict_log_proba(X)

    @available_if(_has_one_target)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits of a model with one label per row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            With two classes, one value per row; a value greater than 0 means ``classes_[1]``.
        """
        return super().decision_function(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_tasks) or (n_rows,)
            Predicted labels.
        """
        check_is_fitted(self)
        if not self._several:
            return super().predict(X)
        return side_by_side(
            [classes[part.argmax(axis=1)] for classes, part in zip(self.classes_, self.predict_proba(X), strict=True)]
        )

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the subset accuracy: the fraction of rows for which all labels are predicted correctly.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows.
        y : DataFrame or array-like of shape (n_rows, n_tasks) or (n_rows,)
            True labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        columns, names = label_columns(y)
        self._refuse_other_tasks(columns, names)
        if columns is None:
            return float(super().score(X, y, sample_weight))
        predicted = self.predict(X)
        places = label_places(names, len(columns), "y")
        labels = [self._labels(X, column, place) for column, place in zip(columns, places, strict=True)]
        right = [column == predicted[:, task] for task, column in enumerate(labels)]
        return float(np.average(np.all(right, axis=0), weights=read_weights(sample_weight, X)))

    def _ranked_output(self) -> int:
        if not self._several:
            return super()._ranked_output()
        names = self.task_names_.tolist()
        task = task_position(names, self.rank_by, type(self).__name__)
        if len(self.classes_[task]) > 2:
            raise ValueError(
                f"The task {names[task]!r} has {len(self.classes_[task])} classes, but items can only be ranked by a "
                "task with two classes."
            )
        return sum(self._task_outputs[:task])
