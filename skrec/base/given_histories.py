"""Recommendations for histories that the caller gives: of known users, new ones, or anonymous sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Rows, as_rows
from skrec._data.events.histories import Histories, Windows
from skrec._data.tables.columns import as_column
from skrec._estimators import check_is_fitted
from skrec._recommend import are_events, as_sessions, by_index, refuse_history, require_queries, sessions_by_user
from skrec.base.history_docs import WALKS, documented
from skrec.base.reader import Query
from skrec.base.recommender import Recommender

__all__ = ["GivenHistories", "history_matrix"]

_ALL_EVENTS = 2**31 - 1


@dataclass(eq=False, repr=False, kw_only=True)
class GivenHistories(Recommender):
    """Base class for models whose ``recommend`` and ``score_items`` accept ``history=``."""

    @property
    def _history_length(self) -> int:
        """Maximum number of events of a given history that are used; the latest are kept."""
        return _ALL_EVENTS

    @documented(walks=WALKS)
    def recommend(
        self,
        queries: Any = None,
        k: int = 10,
        *,
        history: Any = None,
        candidates: Any = None,
        exclude_seen: bool = True,
        exclude: Any = None,
        as_frame: bool = True,
    ) -> Any:
        """Return the ``k`` best items for each query.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows, default=None
            User ids, or rows with a user column. If rows have a time, only events before it are used. Not needed with
            ``history``.
        k : int, default=10
            Maximum number of items per query.
        history : list of lists of item ids, dict, or rows, default=None
            Histories to use instead of the stored ones, for known users, new users, or anonymous sessions: for
            each query its items, oldest first; the same by user, ``{user: [item, ...]}``, where the keys are the
            queries if there are no ``queries``, and those of other users are ignored otherwise; or events with user and
            item columns (and times): a DataFrame or a two-dimensional array.
        candidates : array-like of shape (n_candidates,), rows, or lists by query, default=None
            The items to choose from: ids, or rows with an item column; or a
            list for each query: a dict ``{user: [item, ...]}``, a list of lists, a sparse matrix of shape (n_queries,
            n_items) or a DataFrame with the columns of the user and the item. The whole catalogue by default.
        exclude_seen : bool, default=True
            If True, exclude the items of the stored or given history.
        exclude : array-like of shape (n_pairs, 2), rows or dict, default=None
            Further (user, item) pairs to exclude, or a dict ``{user: [item, ...]}``.
        as_frame : bool, default=True
            If True, return a DataFrame; otherwise, return a pair of arrays.

        Returns
        -------
        DataFrame
            Columns: user, item (named as in ``fit``), ``score`` and ``rank`` (from 1); best first, at most ``k`` rows a
            query, in the order of the queries. Sessions without a user are numbered from 0. A user without a history
            gets what is best to begin with.
        items, scores : ndarray of shape (n_queries, min(k, n_candidates))
            With ``as_frame=False``. Where fewer items are left for a user, the score is ``-inf`` and the item None.

        Raises
        ------
        ValueError
            If there are neither queries nor histories, not as many of one as of the other, or ``k`` is less than 1. For
            an empty list of queries there is nothing to recommend: the result is empty.

        Examples
        --------
        {walks}
        >>> model.recommend(history=[["b"], ["b", "c"]], k=1)["item_id"].tolist()  # two anonymous sessions
        ['c', 'd']
        """
        check_is_fitted(self)
        ids, query = self._read_queries(queries, history)
        return self._ranked(
            ids, query, k, candidates=candidates, exclude_seen=exclude_seen, exclude=exclude, as_frame=as_frame
        )

    def score_items(self, queries: Any = None, candidates: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Return the scores of items for users, by which :meth:`recommend` ranks.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows, default=None
            User ids, or rows with a user column. Not needed with ``history``.
        candidates : array-like of shape (n_candidates,), rows, or lists by query, default=None
            As for :meth:`recommend`.
        history : list of lists of item ids, or rows, default=None
            As for :meth:`recommend`.

        Returns
        -------
        ndarray of shape (n_queries, n_items or n_candidates), float32
            Columns in the order of ``items_`` or of ``candidates``. With a list for each query, ``scores[i, j]`` is
            that of the j-th item in the list of query i; shorter lists are filled up with ``-inf``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import ItemKNNRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "z"]})
        >>> model = ItemKNNRanker(shrink=0.0).fit(events)
        >>> model.score_items(history=[["x"]]).round(2)  # of x, y and z
        array([[0., 1., 0.]], dtype=float32)
        """
        check_is_fitted(self)
        return self._scored(*self._read_queries(queries, history), candidates)

    def _read_queries(self, queries: Any, history: Any) -> tuple[NDArray[Any], Query]:
        """Read queries, and the histories that come with them."""
        refuse_history(self, history)
        if history is None:
            require_queries(self, queries, history)
            return self._read_query(queries, "user")
        if are_events(history):
            return self._read_query_with_events(queries, as_rows(history, name="history"))
        history = by_index(history)
        if queries is None and isinstance(history, Mapping):
            queries = as_column([*history])
        if queries is None:
            lists = as_sessions(history)
            ids, codes, query = np.arange(len(lists)), np.zeros(len(lists), np.int32), None
        else:
            ids, query = self._read_query(
                queries, "user", allow_unknown=True
            )  # a history may belong to an unknown user
            codes, lists = query.codes, sessions_by_user(history, ids)
        if len(ids) != len(lists):
            raise ValueError(f"There are {len(ids)} queries, but {len(lists)} histories: pass one for each query.")
        lengths = np.array([len(items) for items in lists], np.int64)
        flat = [self._encode(items, "item", f"history[{at}]") for at, items in enumerate(lists) if len(items)]
        stop = np.cumsum(lengths)
        joined = np.concatenate(flat) if flat else np.empty(0, np.int32)
        windows = Windows(joined, stop - lengths, stop, self._history_length)
        return ids, replace(query or Query(codes), history=windows)

    def _read_query_with_events(self, queries: Any, rows: Rows) -> tuple[NDArray[Any], Query]:
        """Return the queries with histories from events with a user and an item."""
        if rows.names is None and rows.n_columns > self.n_features_in_:
            raise ValueError(
                f"history is an array with {rows.n_columns} columns, but rows had {self.n_features_in_} in fit: an "
                "array holds events, one a row. Pass sessions as a list of lists: history.tolist()."
            )
        user, item = self._position(rows, "user"), self._position(rows, "item")
        owner = pd.Series(rows.column(user))
        items = self._encode(rows.column(item), "item", f"history[{rows.label(item)}]")
        if queries is None:
            ids = owner.drop_duplicates().to_numpy()
            query = Query(self._encode(as_column(ids), "user", f"history[{rows.label(user)}]", allow_unknown=True))
        else:
            ids, query = self._read_query(queries, "user", allow_unknown=True)
        at = pd.Index(ids).drop_duplicates().get_indexer(owner)
        place = pd.Index(ids).drop_duplicates().get_indexer(pd.Index(ids)) + 1
        time = self._times_in(rows, compared=False)
        past = Histories.from_events(
            (at + 1).astype(np.int32), items, time, n_users=int(place.max(initial=0))
        )  # events of users without a query belong to user 0
        return ids, replace(query, history=past.windows(place.astype(np.int32), self._history_length))

    def _seen(self, queries: Query) -> csr_array:
        if queries.history is None:
            return super()._seen(queries)
        return history_matrix(queries.history, len(self._items)).astype(bool)

    def _read_query_pairs(
        self, queries: Any, items: Any, history: Any
    ) -> tuple[NDArray[Any], Query, NDArray[Any] | None, Query | None]:
        """Read queries and an item for each, from `items` or the rows of the queries; None without any."""
        known = getattr(self, "feature_names_in_", ())
        extra = [name for name in ("score", "rank") if name in getattr(queries, "columns", ()) and name not in known]
        if extra:  # rows that recommend returned
            queries = queries[[name for name in queries.columns if name not in extra]]
        ids, query = self._read_queries(queries, history)
        if items is None and query.rows is not None and self._has_column(query.rows, "item"):
            items = query.rows.column(self._position(query.rows, "item"))
        if items is None:
            return ids, query, None, None
        item_ids, about = self._read_query(items, "item")
        if len(item_ids) != len(ids):
            raise ValueError(f"There are {len(ids)} queries, but {len(item_ids)} items: pass one for each query.")
        return ids, query, item_ids, about

    def _read_explained(
        self, method: str, queries: Any, items: Any, history: Any
    ) -> tuple[NDArray[Any], Query, NDArray[Any], Query]:
        """Read queries, and the item of each; `method` is named in errors."""
        ids, read, item_ids, about = self._read_query_pairs(queries, items, history)
        if about is None or item_ids is None:
            raise ValueError(
                f"{type(self).__name__}.{method} needs the items to explain: pass items=, one for each query, or the "
                "rows that recommend returned."
            )
        return ids, read, item_ids, about

    def _has_column(self, rows: Rows, role: str) -> bool:
        """Whether rows have the column of a role, by name."""
        roles = self._estimator_roles
        return rows.names is not None and roles.names is not None and roles.names[getattr(roles, role)] in rows.names


def history_matrix(windows: Windows, n_items: int) -> csr_array:
    """Return how often each known item occurs in histories, as a matrix of shape (n_histories, n_items)."""
    n = windows.stop - windows.start
    rows = np.repeat(np.arange(len(n)), n)
    items = windows.flat[np.arange(len(rows)) + np.repeat(windows.start - np.cumsum(n) + n, n)]
    known = items > 0
    shape = (len(n), n_items)
    matrix = csr_array((np.ones(known.sum()), (rows[known], items[known] - 1)), shape=shape)
    matrix.sum_duplicates()
    return matrix
