"""First part of every ``fit``, with or without a network: converting rows to codes, targets, weights and the log."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data import Rows
from skrec.base.events import Events
from skrec.base.recommender import Recommender

__all__ = ["learn"]


def learn(
    model: Recommender, X: Any, y: Any, sample_weight: Any, *, fresh: bool, more: bool = False, seen: Any = False
) -> Events:
    """Read the rows of ``fit`` and learn the column roles, the ids, the inputs and the log.

    Parameters
    ----------
    model : Recommender
        The model, which stores the result.
    X, y, sample_weight
        As in ``fit``.
    fresh : bool
        Whether to discard the state of earlier calls. If False, new ids are added to the known ones.
    more : bool, default=False
        Whether the rows are added to those of earlier calls (``partial_fit``). If True, the columns must be those of
        ``fit``, and the log keeps its events.
    seen : bool, default=False
        Whether these rows were passed to an earlier call. If True, ids, log, histories and features do not change.

    Returns
    -------
    Events
        The rows in codes.

    Raises
    ------
    TypeError
        If `seen` is not a bool.
    ValueError
        If `seen` is True for rows that were not seen.
    """
    if not isinstance(seen, bool | np.bool_):
        raise TypeError(f"seen must be True or False, which applies to all rows of the call, got {seen!r}.")
    if seen:
        return _learn_again(model, X, y, sample_weight, fresh=fresh)
    rows = model._read(X, y, reset=not more)
    roles = model._find_roles(rows)
    target, weight, n_outputs = model._targets(X, y, sample_weight, fresh=fresh)
    model._note_size(rows.n_rows if weight is None else int(np.count_nonzero(weight)))
    model._users, users, model._items, items = model._vocabularies(rows, roles, resume=not fresh)
    model._estimator_roles = roles
    time = model._fit_times(rows, fresh=fresh, more=more)
    inputs = model._row_inputs(rows, users, items, fit="fresh" if fresh else "more")
    events = Events(users, items, inputs, target, weight, time, n_outputs)
    model._log_events(events, np.ones(len(events), bool), model._log if more else None)
    return events


def _learn_again(model: Recommender, X: Any, y: Any, sample_weight: Any, *, fresh: bool) -> Events:
    """Read rows of an earlier call, which change only the weights of the model."""
    if fresh:
        raise ValueError(
            f"seen=True, but this {type(model).__name__} is not fitted yet: it has seen no rows. Pass seen=True from "
            "the second pass over the rows on."
        )
    rows = model._read(X, y, reset=False)
    target, weight, n_outputs = model._targets(X, y, sample_weight, fresh=False)
    roles, codes = model._estimator_roles, dict[str, Any]()
    for role in ("user", "item"):
        if not model._has_role(role):
            codes[role] = np.zeros(rows.n_rows, np.int32)
            continue
        vocabulary, ids = getattr(model, f"_{role}s"), rows.column(getattr(roles, role))
        codes[role] = vocabulary.encode(ids)
        _refuse_unseen(codes[role] > 0, rows, f"no earlier call had its {role}", {role: ids})
    inputs = model._row_inputs(rows, codes["user"], codes["item"])
    events = Events(codes["user"], codes["item"], inputs, target, weight, model._times(rows), n_outputs, seen=True)
    if model._has_role("user") and model._has_role("item"):
        known = model._are_logged(events) | ~model._is_positive(events)
        pairs = {role: rows.column(getattr(roles, role)) for role in ("user", "item")}
        _refuse_unseen(known, rows, "this event was in no earlier call", pairs)
    return events


def _refuse_unseen(known: NDArray[np.bool_], rows: Rows, why: str, ids: dict[str, NDArray[Any]]) -> None:
    if known.all():
        return
    row = int(np.argmin(known))
    which = ", ".join(f"{role} {values[row : row + 1].tolist()[0]!r}" for role, values in ids.items())
    raise ValueError(
        f"seen=True, but row {row} of X ({which}) was not seen before: {why} ({int((~known).sum())} of {rows.n_rows} "
        "rows). Pass only rows of earlier calls to fit, partial_fit or append_history, or set seen=False for new rows."
    )
