"""Custom metrics: functions of the ranks of a user's relevant items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FunctionMetric", "metrics_by_label", "values_of_function"]

_SIGNATURE = "f(ranks, n_relevant, n_items)"


class FunctionMetric(str):
    """The name of a metric that a function computes; equal to the name as a string.

    Parameters
    ----------
    name : str
    function : callable
        ``function(ranks, n_relevant, n_items)`` returns the value of one user.

    Examples
    --------
    >>> first_hit = FunctionMetric("first hit", lambda ranks, n_relevant, n_items: ranks.min(initial=n_items))
    >>> first_hit == "first hit"
    True
    """

    __slots__ = ("function",)
    function: Callable[..., Any]

    def __new__(cls, name: str, function: Callable[..., Any]) -> FunctionMetric:
        """Create the string and attach its function."""
        made = super().__new__(cls, name)
        made.function = function
        return made


def metrics_by_label(metrics: Any) -> dict[str, str]:
    """Return metrics by the label of their values.

    Parameters
    ----------
    metrics : str, callable, sequence of these, or mapping of str to these
        As :func:`skrec.metrics.make_ranking_scorer` takes them.

    Returns
    -------
    dict of str to str
        The metrics; those that are computed by functions are instances of :class:`FunctionMetric`.

    Raises
    ------
    TypeError
        If a metric is neither a string nor a function of ranks.
    ValueError
        If there are no metrics, or two have the same label.

    Examples
    --------
    >>> metrics_by_label(["ndcg@10", "auc"])
    {'ndcg@10': 'ndcg@10', 'auc': 'auc'}
    """
    if isinstance(metrics, Mapping):
        pairs = [(label, metric) for label, metric in metrics.items()]
    else:
        listed = [metrics] if isinstance(metrics, str) or callable(metrics) else metrics
        if not isinstance(listed, Iterable):
            raise TypeError(
                f"metrics is {metrics!r}; it must be a name such as 'ndcg@10', a function {_SIGNATURE}, or a list or "
                "dict of these."
            )
        pairs = [(label_of(metric), metric) for metric in listed]
    if not pairs:
        raise ValueError("metrics is empty: name at least one, such as 'ndcg@10'.")
    result: dict[str, str] = {}
    for label, metric in pairs:
        if isinstance(metrics, Mapping) and not isinstance(label, str):
            raise TypeError(f"The keys of metrics must be strings, got {label!r}.")
        if callable(metric):
            if label in result:
                raise ValueError(f"Two metrics are called {label!r}: name them in a dict, such as {{'first': f}}.")
            _check_function(metric, label)
            result[label] = FunctionMetric(label, metric)
        else:
            result[label] = metric
    return result


def label_of(metric: Any) -> str:
    """Return the label of a metric: its name, or the name of its function.

    Examples
    --------
    >>> label_of("ndcg@10"), label_of(len)
    ('ndcg@10', 'len')
    """
    if not callable(metric):
        return metric  # type: ignore[no-any-return]
    function = getattr(metric, "func", metric)  # for functools.partial
    return str(getattr(function, "__name__", type(function).__name__))


def _check_function(function: Any, label: str) -> None:
    is_scorer = (hasattr(function, "evaluate") and hasattr(function, "protocol")) or hasattr(function, "_score_func")
    if is_scorer or isinstance(function, type):
        what = "a scorer already: pass it as scoring" if is_scorer else "a class: pass an object or a function"
        raise TypeError(f"The metric {label!r} is {what}.")
    try:
        signature(function).bind(np.array([1]), 1, 1)
    except TypeError as error:
        raise TypeError(
            f"The metric {label!r} cannot be called as {_SIGNATURE}: {error}. It receives the ranks of one user's "
            "relevant items. To use a metric of skrec, pass its name, such as 'ndcg@10'."
        ) from None
    except ValueError:  # a builtin without a signature
        return


def values_of_function(
    metric: FunctionMetric,
    indptr: NDArray[np.integer],
    ranks: NDArray[np.integer],
    n_relevant: NDArray[np.integer],
    n_items: NDArray[np.integer],
) -> NDArray[np.float64]:
    """Return the value of each row, NaN for rows without relevant items; arguments as for ``metrics_from_ranks``.

    Examples
    --------
    >>> import numpy as np
    >>> worst = FunctionMetric("worst", lambda ranks, n_relevant, n_items: ranks.max() / n_items)
    >>> values_of_function(worst, np.array([0, 2, 2]), np.array([3, 1]), np.array([2, 0]), np.array([4, 4]))
    array([0.75,  nan])
    """
    values = np.full(len(n_relevant), np.nan)
    for row in np.flatnonzero(n_relevant).tolist():
        own = np.sort(ranks[indptr[row] : indptr[row + 1]])
        value = metric.function(own, int(n_relevant[row]), int(n_items[row]))
        if not isinstance(value, (Real, np.generic)) and np.ndim(value) != 0:
            raise TypeError(
                f"The metric {str(metric)!r} returned {value!r:.60} for the ranks {own.tolist()!r:.60}: it must return "
                "one number."
            )
        values[row] = value
    return values
