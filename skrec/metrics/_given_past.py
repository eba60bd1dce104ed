"""Held-out users a part of whose events is given to the model, which was not fitted on them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._recommend import Unwrapped
from skrec._recommend._unwrap import reads_histories
from skrec._sklearn_compat import safe_indexing
from skrec._warnings import warn
from skrec.metrics._held_out import cells, positions_of
from skrec.metrics._row_ids import Array, RowIds, labels_of

__all__ = ["GivenPast"]


@dataclass(frozen=True, eq=False)
class GivenPast:
    """Events that are given as histories, sorted by time within each user.

    Parameters
    ----------
    users : ndarray of shape (n_events,)
        Raw user ids; after :meth:`of_users`, the positions of the users, sorted.
    items : ndarray of shape (n_events,)
        Item ids as the model knows them.
    position : ndarray of shape (n_events,)
        Position of the item in the catalogue; -1 if the catalogue does not contain it.
    indptr : ndarray of shape (n_users + 1,) or None
        The events of user ``i`` are ``items[indptr[i]:indptr[i + 1]]``.
    """

    users: Array
    items: Array
    position: NDArray[np.int64]
    indptr: NDArray[np.int64] | None = None

    @classmethod
    def split(cls, unwrapped: Unwrapped, X: Any, y: Any, fold_in: Any) -> tuple[GivenPast, Any, Any]:
        """Split held-out rows into histories and rows to score.

        Negative rows are in no history. Rows to score whose item is in the history of the user are left out. Warnings
        are given about users on whom the model was fitted, and about users without a history.

        Returns
        -------
        past : GivenPast
        X, y : table and labels
            The rows to score.

        Raises
        ------
        TypeError
            If the model reads no histories.
        ValueError
            If no row is left to score.
        """
        model = unwrapped.model
        if not reads_histories(model) and not hasattr(model, "reads_histories"):
            raise TypeError(
                f"fold_in gives the model histories of users that it was not fitted on, and {type(model).__name__} "
                "reads no histories: it represents a user by what it learned in fit. Use a model that reads them, such "
                "as MultVAERanker, EASERanker or SASRecRanker, or a splitter that keeps a part of each user in "
                "training, such as WithinUserKFold."
            )
        ids, given = RowIds.of(unwrapped, X), np.asarray(fold_in.fold_in_rows(X), dtype=np.bool_)
        labels = None if y is None else labels_of(y, X, getattr(model, "classes_", None))
        past = given if labels is None else given & (labels > 0)
        pairs = pd.MultiIndex.from_arrays([ids.raw_users, ids.raw_items])
        scored = np.flatnonzero(~given & ~pairs.isin(pairs[past]))
        if not len(scored):
            raise ValueError(
                f"None of the {len(ids.users)} held-out rows is left to score: all of them are in histories. Score the "
                "rows of whole users, or lower fold_in."
            )
        _warn_about_users(model, ids, past, scored if labels is None else scored[labels[scored] > 0])
        at = np.flatnonzero(past)
        at = at if ids.when is None else at[np.argsort(ids.when[at], kind="stable")]
        position = positions_of(ids.items[at], model.items_, "item_id")
        position[~ids.own_item[at]] = -1
        y_scored = None if y is None else safe_indexing(y, scored)
        return cls(ids.raw_users[at], ids.items[at], position), safe_indexing(X, scored), y_scored

    def of_users(self, users: pd.Index) -> GivenPast:
        """Return the histories of some users, in their order."""
        owner = users.get_indexer(pd.Index(self.users))
        order = np.argsort(owner, kind="stable")
        order = order[owner[order] >= 0]
        indptr = np.searchsorted(owner[order], np.arange(len(users) + 1)).astype(np.int64)
        return GivenPast(owner[order], self.items[order], self.position[order], indptr)

    def scores(self, model: Any, queries: Any, users: slice) -> Any:
        """Return the scores of all items for some users, given their histories."""
        if not reads_histories(model):  # a baseline
            return model.score_items(queries)
        assert self.indptr is not None
        bounds = self.indptr[users.start : users.stop + 1]
        lists = [self.items[start:stop] for start, stop in pairwise(bounds)]
        return model.score_items(queries, history=lists)

    def left_out(self, users: slice, n_items: int) -> csr_array:
        """Return the (user, item) cells of the histories of some users."""
        assert self.indptr is not None
        part = slice(self.indptr[users.start], self.indptr[users.stop])
        known = self.position[part] >= 0
        rows, columns = self.users[part][known] - users.start, self.position[part][known]
        keys = np.unique(rows * n_items + columns)
        return cells(keys // n_items, keys % n_items, (users.stop - users.start, n_items))


def _warn_about_users(model: Any, ids: RowIds, past: NDArray[np.bool_], scored: NDArray[np.intp]) -> None:
    """Warn about users, among those of the scored rows, that the model was fitted on or that have no history."""
    codes = pd.factorize(ids.raw_users)[0]
    users, first = np.unique(codes[scored], return_index=True)
    at = scored[first]
    fitted = ids.own_user[at] & (positions_of(ids.users[at], model.users_, "user_id") >= 0)
    if fitted.any():
        warn(
            f"{type(model).__name__} was fitted on {int(fitted.sum()):,} of the {len(users):,} users to score, such as "
            f"{_example(ids, at[fitted])!r}, but fold_in= evaluates users who are new to the model: their scores may "
            "be too high. Fit on the other users, for instance by cross_validate(model, X, cv=cv, scoring=scorer) with "
            "the same UserHoldout as cv= and as fold_in=. For a split of the rows of each user, leave out fold_in=."
        )
    lacking = ~np.isin(users, codes[past])
    if lacking.any():
        warn(
            f"{int(lacking.sum()):,} of the {len(users):,} users to score, such as {_example(ids, at[lacking])!r}, "
            "have no history: they have a single row, or no positive row among those of fold_in_rows. They are scored "
            "like any unknown user. UserHoldout.split holds out only users with two rows or more; leave out the others."
        )


def _example(ids: RowIds, rows: NDArray[np.intp]) -> Any:
    return ids.raw_users[rows[:1]].tolist()[0]
