"""How every ``fit`` begins, with or without a network: rows become codes, targets, weights and the log."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrec.models._events import Events
from skrec.models._recommender import Recommender

__all__ = ["learn"]


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
