"""What models of histories share: the stored events of every user, those the caller gives, and those added later."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skrec._data import Interactions, Roles, Rows, Vocabulary, as_rows
from skrec._data.columns import as_column
from skrec._data.histories import Histories, Windows
from skrec._data.times import are_codes, doubt_codes, doubt_order
from skrec._recommend import are_events, as_sessions, refuse_nothing
from skrec._sklearn_compat import Interval
from skrec._transaction import transaction
from skrec.models._base import NetworkRecommender
from skrec.models._contributions import contributions
from skrec.models._events import Events, Inputs
from skrec.models._reader import Asked, Codes


@dataclass(eq=False, repr=False, kw_only=True)
class HistoryModel(NetworkRecommender):
    """Base of the models that read a user's past.

    One rule says what a row may see of it, in training and after (:meth:`Histories.ends`): the stored events strictly
    before the row's time; without times, a row that was in ``fit`` sees what came before it, and a new one sees all.
    """

    max_history: int = 200

    _histories: Histories = field(init=False, repr=False)
    _length: int = field(init=False, repr=False)
    _earliest: int | float | None = field(init=False, repr=False)
    _coded_times: bool = field(init=False, repr=False)

    _keeps_times: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "max_history": [Interval(Integral, 1, None, closed="left")],
    }

    # -- the stored events --------------------------------------------------------------------------------------------

    @property
    def history_length_(self) -> int:
        """Events that the network is given of each history: the latest, padded with -1 before the first.

        It is the length of the longest history of ``fit``, rounded up to a power of two, at least 8 and at most
        ``max_history``. :meth:`_network_config` and :meth:`_table_rows` may use it.
        """
        if "_length" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so that its histories have no length.")
        return self._length

    def _vocabularies(self, rows: Rows, roles: Roles, *, going_on: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        found = super()._vocabularies(rows, roles, going_on=going_on)
        if not going_on:
            doubt_order(rows, roles, found[1], found[3])
        return found

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        super()._prepare(X, y, sample_weight)
        self._length = 0

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        self._store(events, inside, log)
        # A power of two, so that few programs serve many fits; and not shorter than what was trained before.
        added = np.bincount(events.users[self._counted(events)], minlength=len(self._users) + 1)
        longest = int(np.maximum(np.diff(self._histories.indptr), added).max(initial=0))
        self._length = int(min(self.max_history, max(8, self._length, 1 << longest.bit_length())))

    def _store(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        """Add events to the log and to the histories."""
        super()._log_events(events, inside, log)
        # Rows outside stand in no history, but their place among the others tells what they may see.
        rows = (events.users, events.items, events.time, self._counted(events) & inside)
        earliest = None if events.time is None else events.time.min().item()
        if log is None:
            self._coded_times = events.time is not None and are_codes(events.time)
        elif self._coded_times:
            doubt_codes(events.time, self._estimator_roles.time_name)
        if log is not None and earliest is not None and self._earliest is not None:
            earliest = min(earliest, self._earliest)
        self._earliest = earliest
        if log is None:
            self._histories = Histories.from_events(*rows, n_users=len(self._users))
        else:
            self._histories = self._histories.append(*rows, n_users=len(self._users))

    def _are_logged(self, events: Events) -> NDArray[np.bool_]:
        if self._histories.times is None or events.time is None:
            return super()._are_logged(events)
        return self._histories.stored(events.users, events.items, events.time)

    def _past(self, users: Codes, items: Codes, time: NDArray[Any] | None) -> Inputs:
        past = self._histories
        whole = time is None and past.times is not None
        self._doubt(time)
        return {"history": past.windows(users, self._length, None if whole else past.ends(users, items, time))}

    def _query_inputs(self, queries: Asked) -> Inputs:
        return {**super()._query_inputs(queries), "history": self._queried(queries)}

    def _queried(self, queries: Asked) -> Windows:
        """Return the histories of queries: given, or stored, up to a time where one is asked for."""
        if queries.history is not None:
            return queries.history
        ends = None
        if queries.times is not None and self._histories.times is not None:
            self._doubt(queries.times)
            ends = self._histories.ends(queries.codes, np.zeros_like(queries.codes), queries.times)
        return self._histories.windows(queries.codes, self._length, ends)

    def _doubt(self, time: NDArray[Any] | None) -> None:
        """Warn of times that are hardly meant so: an encoder's codes, and those that leave no row a past."""
        if time is None or self._earliest is None or not len(time):
            return
        if self._coded_times and (time == 0).any():
            doubt_codes(time, self._estimator_roles.time_name)
        elif time.max() < self._earliest:
            warnings.warn(
                f"All {len(time)} rows are from before the first event of fit, so that none of them has a past. Are "
                "their times in the unit of fit? An encoder before the model must pass the time through, as "
                f"IDEncoder(time={self._estimator_roles.time_name!r}) does.",
                stacklevel=4,
            )

    def append_history(self, X: Any, y: Any = None) -> Any:
        """Add events to the users' histories, without training.

        What they lead to is recommended from now on, and they count as seen. New users join; an item that ``fit`` did
        not see is an unknown one until :meth:`partial_fit`. An event that is stored, with the same user, item and time,
        is not added again; without times every row is a new event.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Events, with the user and item columns of ``fit`` and, if it had one, the time. Other columns may be
            missing, and the columns of a data frame may be in any order. A model of features remembers the features
            of the users, and of the items, if all their columns are there.
        y : array-like of shape (n_rows,), default=None
            As in ``fit``: which rows were chosen. None: all of them.

        Returns
        -------
        self
            The fitted estimator.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import SASRecRanker
        >>> walks = pd.DataFrame(
        ...     {"user_id": [1, 1, 1, 2, 2, 2], "item_id": list("abcbcd"), "timestamp": [1, 2, 3, 1, 2, 3]}
        ... )
        >>> settings = {"embedding_dim": 8, "max_history": 8, "learning_rate": 0.01, "dropout": 0.0}
        >>> model = SASRecRanker(epochs=200, early_stopping=False, random_state=0, **settings).fit(walks)
        >>> model.recommend([1], k=1)["item_id"].tolist()
        ['d']
        >>> model = model.append_history(pd.DataFrame({"user_id": [1], "item_id": ["d"], "timestamp": [4]}))
        >>> model.recommend([1], k=1)["item_id"].tolist()  # user 1 has had all four items now
        []
        """
        check_is_fitted(self)
        with transaction(self) as model:
            model._append(X, y)
        return self

    def _append(self, X: Any, y: Any) -> None:
        rows, user_ids, item_ids, time = self._read_events(X)
        self._users, users = self._users.extend(user_ids)
        items = self._encode(item_ids, "item")
        target = np.ones(rows.n_rows, np.float32) if y is None else self._targets(X, y, None, fresh=False)[0]
        self._remember_seen(rows, users, items, time)
        self._store(Events(users, items, {}, target, None, time), np.ones(rows.n_rows, bool), self._log)
        self._weights, self._trained = self._with_new_users(self._weights), self._with_new_users(self._trained)

    def _with_new_users(self, weights: Any) -> Any:
        """Give users that joined since the row of unknown ones."""
        table = None if weights is None else weights.get("user/embeddings")
        if table is None or len(table) > len(self._users):
            return weights
        more = np.repeat(table[:1], len(self._users) + 1 - len(table), axis=0)
        return type(weights)({**weights, "user/embeddings": np.concatenate([table, more])})

    # -- histories given by the caller --------------------------------------------------------------------------------

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
            User ids, or rows with a user column; of rows with a time, only events before it are looked at. Not needed
            with ``history``.
        k : int, default=10
            How many items at most.
        history : list of lists of item ids, or rows, default=None
            What to go by instead of the stored histories, for known users, new ones, or sessions of nobody known: for
            each query its items, oldest first; or events with user and item columns (and times): a DataFrame or a
            two-dimensional array.
        candidates : array-like of shape (n_candidates,), rows, or lists by query, default=None
            The items to choose from: ids, or rows with an item column; or a
            list for each query: a dict ``{user: [item, ...]}``, a list of lists, a sparse matrix of shape (n_queries,
            n_items) or a DataFrame with the columns of the user and the item. The whole catalogue by default.
        exclude_seen : bool, default=True
            Leave out the items of the stored or given history.
        exclude : array-like of shape (n_pairs, 2), rows or dict, default=None
            Further (user, item) pairs to leave out, or a dict ``{user: [item, ...]}``.
        as_frame : bool, default=True
            Whether to return a DataFrame or a pair of arrays.

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
        >>> import pandas as pd
        >>> from skrec.models import SASRecRanker
        >>> walks = pd.DataFrame(
        ...     {"user_id": [1, 1, 1, 2, 2, 2], "item_id": list("abcbcd"), "timestamp": [1, 2, 3, 1, 2, 3]}
        ... )
        >>> settings = {"embedding_dim": 8, "max_history": 8, "learning_rate": 0.01, "dropout": 0.0}
        >>> model = SASRecRanker(epochs=200, early_stopping=False, random_state=0, **settings).fit(walks)
        >>> model.recommend(history=[["b"], ["b", "c"]], k=1)["item_id"].tolist()  # two sessions of nobody known
        ['c', 'd']
        """
        check_is_fitted(self)
        ids, asked = self._read_queries(queries, history)
        return self._ranked(
            ids, asked, k, candidates=candidates, exclude_seen=exclude_seen, exclude=exclude, as_frame=as_frame
        )

    def score_items(self, queries: Any = None, candidates: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Score items for users: the relevance that :meth:`recommend` ranks by.

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
        """
        check_is_fitted(self)
        return self._scored(*self._read_queries(queries, history), candidates)

    def _read_queries(self, queries: Any, history: Any) -> tuple[NDArray[Any], Asked]:
        """Read queries, and the histories that come with them."""
        if history is None:
            refuse_nothing(self, queries, history)
            return self._asked(queries, "user")
        if are_events(history):
            return self._asked_with_events(queries, as_rows(history, name="history"))
        lists = as_sessions(history)
        if queries is None:
            ids, codes, asked = np.arange(len(lists)), np.zeros(len(lists), np.int32), None
        else:
            ids, asked = self._asked(queries, "user", strangers=True)  # a history may be a stranger's
            codes = asked.codes
        if len(ids) != len(lists):
            raise ValueError(f"There are {len(ids)} queries, but {len(lists)} histories: pass one for each query.")
        lengths = np.array([len(items) for items in lists], np.int64)
        flat = [self._encode(items, "item", f"history[{at}]") for at, items in enumerate(lists) if len(items)]
        stop = np.cumsum(lengths)
        joined = np.concatenate(flat) if flat else np.empty(0, np.int32)
        windows = Windows(joined, stop - lengths, stop, self._length)
        return ids, replace(asked or Asked(codes), history=windows)

    def _asked_with_events(self, queries: Any, rows: Rows) -> tuple[NDArray[Any], Asked]:
        """Take the histories from events with a user and an item."""
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
            asked = Asked(self._encode(as_column(ids), "user", f"history[{rows.label(user)}]", strangers=True))
        else:
            ids, asked = self._asked(queries, "user", strangers=True)
        at = pd.Index(ids).drop_duplicates().get_indexer(owner)
        place = pd.Index(ids).drop_duplicates().get_indexer(pd.Index(ids)) + 1
        time = self._times_in(rows, compared=False)
        past = Histories.from_events(
            (at + 1).astype(np.int32), items, time, n_users=int(place.max(initial=0))
        )  # an event of nobody asked for is one of user 0
        return ids, replace(asked, history=past.windows(place.astype(np.int32), self._length))

    def _seen(self, queries: Asked) -> csr_array:
        if queries.history is None:
            return super()._seen(queries)
        windows = queries.history
        n = windows.stop - windows.start
        rows = np.repeat(np.arange(len(n)), n)
        items = windows.flat[np.arange(len(rows)) + np.repeat(windows.start - np.cumsum(n) + n, n)]
        known = items > 0
        shape = (len(n), len(self._items))
        seen = csr_array((np.ones(known.sum(), bool), (rows[known], items[known] - 1)), shape=shape)
        seen.sum_duplicates()
        return seen

    # -- explanations -------------------------------------------------------------------------------------------------

    def explain(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return what each past event contributes to the scores of recommended items.

        The contribution of an event is the score of the item with the whole history less its score with the history
        from which that event alone is removed, as ``score_items(history=...)`` would return both. Where a history is
        longer than the model reads, an older event moves up in place of the removed one.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows, default=None
            As for :meth:`recommend`. The item column of rows that have one, such as those that ``recommend`` returns,
            names the items.
        items : array-like of shape (n_queries,), default=None
            The item to explain for each query; needed unless the rows name it.
        history : list of lists of item ids, or rows, default=None
            As for :meth:`recommend`.

        Returns
        -------
        DataFrame
            A row for each query and past event, the largest contribution first: ``query`` (its number, from 0), the
            user, the item, ``past_item``, ``age`` (1 is the latest event) and ``contribution``, in the unit of
            :meth:`score_items`; it is negative where the event speaks against the item. Unknown items of a given
            history are None.

        Raises
        ------
        ValueError
            If there are no items, or not as many as queries.

        See Also
        --------
        skrec.inspection.history_attention : The attention that SASRec and DIN pay to past events, which tells what
            they look at, not what raises a score.

        Notes
        -----
        Contributions do not sum to the score: events may repeat or contradict one another.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import SASRecRanker
        >>> walks = pd.DataFrame(
        ...     {"user_id": [1, 1, 1, 2, 2, 2], "item_id": list("abcbcd"), "timestamp": [1, 2, 3, 1, 2, 3]}
        ... )
        >>> settings = {"embedding_dim": 8, "max_history": 8, "learning_rate": 0.01, "dropout": 0.0}
        >>> model = SASRecRanker(epochs=200, early_stopping=False, random_state=0, **settings).fit(walks)
        >>> found = model.explain(history=[["a", "b"]], items=["c"])
        >>> found[["item_id", "past_item", "age"]]  # the walks go from b to c
          item_id past_item  age
        0       c         b    1
        1       c         a    2
        """
        check_is_fitted(self)
        ids, asked, item_ids, about = self._asked_pairs(queries, items, history)
        if about is None:
            raise ValueError(
                f"{type(self).__name__}.explain explains the scores of items: pass items=, one for each query, or the "
                "rows that recommend returned."
            )
        inputs = {**self._query_inputs(asked), **self._item_inputs(about)}
        frame = contributions(inputs, self._pair_scores)
        roles, query = self._estimator_roles, frame["query"]
        frame["past_item"] = self._items.decode(frame["past_item"])
        frame.insert(1, roles.user_name, np.asarray(ids)[query])
        frame.insert(2, roles.item_name, np.asarray(item_ids)[query])
        return frame

    def _asked_pairs(
        self, queries: Any, items: Any, history: Any
    ) -> tuple[NDArray[Any], Asked, NDArray[Any] | None, Asked | None]:
        """Read queries and an item for each, from `items` or the rows of the queries; None without any."""
        ids, asked = self._read_queries(queries, history)
        if items is None and asked.rows is not None and self._has_column(asked.rows, "item"):
            items = asked.rows.column(self._position(asked.rows, "item"))
        if items is None:
            return ids, asked, None, None
        item_ids, about = self._asked(items, "item")
        if len(item_ids) != len(ids):
            raise ValueError(f"There are {len(ids)} queries, but {len(item_ids)} items: pass one for each query.")
        return ids, asked, item_ids, about

    def _has_column(self, rows: Rows, role: str) -> bool:
        """Whether rows have the column of a role, by name."""
        roles = self._estimator_roles
        return rows.names is not None and roles.names is not None and roles.names[getattr(roles, role)] in rows.names
