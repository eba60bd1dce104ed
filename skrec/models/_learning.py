"""How every ``fit`` begins, with or without a network: rows become codes, targets, weights and the log."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skrec._sklearn_compat import check_sample_weight, num_samples
from skrec.models._events import Events
from skrec.models._recommender import Recommender

__all__ = ["learn", "positive_rows", "row_weights"]


def learn(model: Recommender, X: Any, y: Any, sample_weight: Any, *, fresh: bool, more: bool = False) -> Events:
    """Read the rows of ``fit``: learn the roles of columns, the ids, the inputs and the log.

    Parameters
    ----------
    model : Recommender
        It holds afterwards what was learnt.
    X, y, sample_weight
        As in ``fit``.
    fresh : bool
        Whether to forget what earlier calls learnt; otherwise new ids join the known ones.
    more : bool, default=False
        Whether the rows are added to those of earlier calls (``partial_fit``). Then the columns must be those of
        ``fit``, and the log keeps what it holds.

    Returns
    -------
    Events
        The rows in codes.
    """
    rows = model._read(X, y, reset=not more)
    roles = model._find_roles(rows)
    target, weight, n_outputs = model._targets(X, y, sample_weight, fresh=fresh)
    model._users, users, model._items, items = model._vocabularies(rows, roles, going_on=not fresh)
    model._estimator_roles = roles
    time = model._fit_times(rows, fresh=fresh, more=more)
    inputs = model._row_inputs(rows, users, items, fit="fresh" if fresh else "more")
    events = Events(users, items, inputs, target, weight, time, n_outputs)
    model._log_events(events, np.ones(len(events), bool), model._log if more else None)
    return events


def positive_rows(X: Any, y: Any) -> NDArray[np.bool_]:
    """Check ``y`` of a Ranker and tell which rows are positive.

    Returns
    -------
    ndarray of shape (n_rows,) of bool
        True for every row, or where ``y > 0``.

    Raises
    ------
    ValueError
        If ``y`` is not numeric, missing in a row, or nowhere above 0.
    """
    if y is None:
        return np.ones(num_samples(X), bool)
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
    positive: NDArray[np.bool_] = numbers > 0
    if not positive.any():
        raise ValueError(
            f"No value of y is above 0 (n_samples = {len(numbers)}): a Ranker learns from positives. "
            "Pass y=None if every row is one."
        )
    return positive


def row_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Check the weights of rows; None stays None."""
    if sample_weight is None:
        return None
    weights = check_sample_weight(sample_weight, X, dtype=np.float64, non_negative=True)
    if not weights.any():
        raise ValueError("All values of sample_weight are 0: there is nothing to learn from.")
    return weights
