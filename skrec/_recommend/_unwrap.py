"""Searches and Pipelines peeled off a model."""

from dataclasses import dataclass
from typing import Any

from skrec._recommend._protocol import StoresHistories


@dataclass(frozen=True)
class Unwrapped:
    """The fitted transformers of an estimator and the model behind them.

    Parameters
    ----------
    transformers : list of transformers
        In the order in which they are applied; empty where the model sees the raw rows.
    model : estimator
        The last step.
    """

    transformers: list[Any]
    model: Any

    def transform(self, X: Any) -> Any:
        """Return raw rows as the model is given them."""
        for transformer in self.transformers:
            X = transformer.transform(X)
        return X


def unwrap(estimator: Any) -> Unwrapped:
    """Peel searches, Pipelines and ``FrozenEstimator`` off a model.

    Parameters
    ----------
    estimator : estimator
        Fitted, if it is a search: its ``best_estimator_`` is taken.

    Returns
    -------
    Unwrapped
        The transformers and the model; they are the estimator's own, not copies.

    Raises
    ------
    NotFittedError
        If a search has no ``best_estimator_``.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OrdinalEncoder
    >>> from sklearn.linear_model import Ridge
    >>> unwrap(make_pipeline(OrdinalEncoder(), Ridge()))
    Unwrapped(transformers=[OrdinalEncoder()], model=Ridge())
    """
    transformers: list[Any] = []
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "refit") and hasattr(estimator, "estimator"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"This {type(estimator).__name__} has no best_estimator_. Call fit first, with refit=True (or "
                "refit='name of a metric' where there are several)."
            )
        elif type(estimator).__name__ == "FrozenEstimator":
            estimator = estimator.estimator
        elif hasattr(estimator, "named_steps"):
            *before, estimator = [step for _, step in estimator.steps]
            transformers += [part for step in before for part in flat(step)]
        else:
            return Unwrapped(transformers, estimator)


def is_recommender(model: Any) -> bool:
    """Whether a model ranks a catalogue of its own, as skrec's do.

    Parameters
    ----------
    model : object
        As :func:`unwrap` returns it.

    Returns
    -------
    bool

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> is_recommender(Ridge())
    False
    """
    return all(callable(getattr(model, name, None)) for name in ("recommend", "score_items"))


def reads_histories(model: Any) -> bool:
    """Whether ``recommend`` of a model takes ``history=``.

    Parameters
    ----------
    model : object
        As :func:`unwrap` returns it.

    Returns
    -------
    bool
        Models that store histories do, and those whose ``reads_histories`` is True.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> reads_histories(Ridge())
    False
    """
    return bool(getattr(model, "reads_histories", isinstance(model, StoresHistories)))


def refuse_history(model: Any, history: Any) -> None:
    """Raise an error if a history is given but the model does not read histories.

    Parameters
    ----------
    model : object
        As :func:`unwrap` returns it.
    history : object
        What was passed as ``history=``.

    Raises
    ------
    TypeError
        If it is not None and the model reads no histories.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> refuse_history(Ridge(), None)
    >>> refuse_history(Ridge(), [[5, 6]])
    Traceback (most recent call last):
    TypeError: history= was passed, but Ridge reads no histories. Use a model that does, such as SASRecRanker, \
GRU4RecRanker or DINRanker, or leave history= out.
    """
    if history is not None and not reads_histories(model):
        raise TypeError(
            f"history= was passed, but {type(model).__name__} reads no histories. Use a model that does, such as "
            "SASRecRanker, GRU4RecRanker or DINRanker, or leave history= out."
        )


def require_queries(model: Any, queries: Any, history: Any) -> None:
    """Raise an error if there are neither queries nor histories.

    Parameters
    ----------
    model : object
        As :func:`unwrap` returns it.
    queries, history : object
        What was passed as ``queries`` and ``history=``.

    Raises
    ------
    ValueError
        If both are None.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> require_queries(Ridge(), None, None)
    Traceback (most recent call last):
    ValueError: recommend needs queries: pass user ids, such as [3, 5], or rows with a user column.
    """
    if queries is None and history is None:
        sessions = ", or history= for sessions without a user" if reads_histories(model) else ""
        raise ValueError(
            f"recommend needs queries: pass user ids, such as [3, 5], or rows with a user column{sessions}."
        )


def flat(step: Any) -> list[Any]:
    """Return the transformers of a step: none for "passthrough", several for a Pipeline."""
    if type(step).__name__ == "FrozenEstimator":
        step = step.estimator
    if hasattr(step, "named_steps"):
        return [part for _, inner in step.steps for part in flat(inner)]
    return [step] if hasattr(step, "transform") else []
