"""The report on the folds of a splitter."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skrec._sklearn_compat import safe_indexing
from skrec.model_selection._events import Events, Mask, Positions


class Fold(NamedTuple):
    """One split: the training rows, the test rows, and the number of cold rows dropped from the test part."""

    train: Mask
    test: Mask
    n_dropped: int


def fold_report(events: Events, folds: Iterable[Fold]) -> pd.DataFrame:
    """Count the rows, users and items of folds, and compute the cold shares and time ranges of their parts.

    Parameters
    ----------
    events : Events
        The events, with users and items.
    folds : iterable of Fold
        The folds, each with training rows and test rows.

    Returns
    -------
    DataFrame of shape (n_folds, n_columns)
        The columns are described in :meth:`skrec.model_selection.LeaveLastOut.fold_report`.
    """
    counts, ends = [], []
    for fold in folds:
        counts.append(_counts(events, fold))
        ends.append(_ends(events.times, fold) if events.have_times else [])
    report = pd.DataFrame(counts).rename_axis("fold")
    if not events.have_times:
        return report
    first_and_last = np.array(ends)
    for column, rows in zip(("train_start", "train_end", "test_start", "test_end"), first_and_last.T, strict=True):
        report[column] = _times_as_they_came(events, rows)
    report["overlap"] = events.times[first_and_last[:, 1]] >= events.times[first_and_last[:, 2]]
    return report


def _counts(events: Events, fold: Fold) -> dict[str, Any]:
    users, items = events.users, events.items
    train_users, test_users = users.seen(fold.train), users.seen(fold.test)
    train_items, test_items = items.seen(fold.train), items.seen(fold.test)
    n_items = len(items.counts)
    pairs = pd.unique(users.codes[fold.test].astype(np.int64) * n_items + items.codes[fold.test])
    return {
        "train_rows": int(fold.train.sum()),
        "test_rows": int(fold.test.sum()),
        "dropped_rows": fold.n_dropped,
        "train_users": int(train_users.sum()),
        "test_users": int(test_users.sum()),
        "train_items": int(train_items.sum()),
        "test_items": int(test_items.sum()),
        "cold_user_share": float(np.mean(~train_users[test_users])),
        "cold_item_share": float(np.mean(~train_items[pairs % n_items])),
    }


def _ends(times: Any, fold: Fold) -> list[int]:
    """Return the rows with the first and the last time of the training part, then of the test part."""
    rows = [np.flatnonzero(mask) for mask in (fold.train, fold.test)]
    return [int(part[end(times[part])]) for part in rows for end in (np.argmin, np.argmax)]


def _times_as_they_came(events: Events, rows: Positions) -> pd.Series:
    values = safe_indexing(events.raw_times, rows)
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    # polars keeps the time zone of its times; an object array keeps their type, as lists of plain values do.
    keeps_type = isinstance(values, np.ndarray) and values.dtype.kind != "O"
    return pd.Series(values if keeps_type else list(values))
