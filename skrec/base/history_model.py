"""Base class of models that read histories: stored events, histories passed by the caller, and appended events."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skrec._data import Interactions, Roles, Rows, Vocabulary
from skrec._data.events.histories import Histories, Windows
from skrec._data.tables.time_checks import are_codes, warn_encoded_times, warn_row_order
from skrec._sklearn_compat import Interval
from skrec._transaction import transaction
from skrec._warnings import warn
from skrec.base.contributions import contributions
from skrec.base.events import Events, Inputs
from skrec.base.given_histories import GivenHistories
from skrec.base.network import NetworkRecommender
from skrec.base.reader import Codes, Query


@dataclass(eq=False, repr=False, kw_only=True)
class HistoryModel(GivenHistories, NetworkRecommender):
    """Base class for models that read the history of a user.

    The same rule defines the history of a row in training and in prediction (:meth:`Histories.ends`): it consists of
    the stored events strictly before the time of the row. Without times, it consists of the events before the row if
    the row was in ``fit``, and of all stored events for a new row.
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

    @property
    def _history_length(self) -> int:
        return self._length

    # -- the stored events --------------------------------------------------------------------------------------------

    @property
    def history_length_(self) -> int:
        """Number of latest events of each history that the network reads; shorter histories are left-padded with -1.

        This is the length of the longest history in ``fit``, rounded up to a power of two, at least 8 and at most
        ``max_history``. :meth:`_network_config` and :meth:`_table_rows` may use it.
        """
        if "_length" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so it has no history length.")
        return self._length

    def _vocabularies(self, rows: Rows, roles: Roles, *, resume: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        found = super()._vocabularies(rows, roles, resume=resume)
        if not resume:
            warn_row_order(rows, roles, found[1], found[3])
        return found

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        super()._prepare(X, y, sample_weight)
        self._length = 0

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        self._store_events(events, inside, log)
        # A power of two, so that many fits share a program; at least the length of earlier fits.
        added = np.bincount(events.users[self._is_positive(events)], minlength=len(self._users) + 1)
        longest = int(np.maximum(np.diff(self._histories.indptr), added).max(initial=0))
        self._length = int(min(self.max_history, max(8, self._length, 1 << longest.bit_length())))

    def _store_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        """Add events to the log and to the histories."""
        super()._log_events(events, inside, log)
        # Held-out rows are in no history, but their position among the others defines their own history.
        rows = (events.users, events.items, events.time, self._is_positive(events) & inside)
        earliest = None if events.time is None else events.time.min().item()
        if log is None:
            self._coded_times = events.time is not None and are_codes(events.time)
        elif self._coded_times:
            warn_encoded_times(events.time, self._estimator_roles.time_name)
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

    def _history_inputs(self, users: Codes, items: Codes, time: NDArray[Any] | None) -> Inputs:
        past = self._histories
        whole = time is None and past.times is not None
        self._warn_times(time)
        return {"history": past.windows(users, self._length, None if whole else past.ends(users, items, time))}

    def _query_inputs(self, queries: Query) -> Inputs:
        return {**super()._query_inputs(queries), "history": self._histories_of(queries)}

    def _histories_of(self, queries: Query) -> Windows:
        """Return the given or stored histories of queries, up to the time of each query if it has one."""
        if queries.history is not None:
            return queries.history
        ends = None
        if queries.times is not None and self._histories.times is not None:
            self._warn_times(queries.times)
            ends = self._histories.ends(queries.codes, np.zeros_like(queries.codes), queries.times)
        return self._histories.windows(queries.codes, self._length, ends)

    def _warn_times(self, time: NDArray[Any] | None) -> None:
        """Warn about times that leave all rows without a history, such as the codes of an encoder."""
        if time is None or self._earliest is None or not len(time):
            return
        if self._coded_times and (time == 0).any():
            warn_encoded_times(time, self._estimator_roles.time_name)
        elif time.max() < self._earliest:
            warn(
                f"All {len(time)} rows are earlier than the first event in fit, so none of them has a history. Check "
                "that times have the same unit as in fit. An encoder before the model must pass the time through, as "
                f"IDEncoder(time={self._estimator_roles.time_name!r}) does."
            )

    def append_history(self, X: Any, y: Any = None) -> Any:
        """Add events to the histories of users, without training.

        Later recommendations are based on these events, and their items count as seen. New users are added. An item
        that was not seen during ``fit`` remains unknown until :meth:`partial_fit`. An event that is already stored with
        the same user, item and time is not added again. Without times, every row is a new event.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Events with the user and item columns of ``fit`` and, if ``fit`` had one, the time column. Other columns may
            be missing, and the columns of a DataFrame may be in any order. A field model stores the features of users
            or of items if all their columns are present.
        y : array-like of shape (n_rows,), default=None
            Targets, as in ``fit``, which define the positive rows. If None, all rows are positive.

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
        self._store_events(Events(users, items, {}, target, None, time), np.ones(rows.n_rows, bool), self._log)
        self._weights, self._trained = self._with_new_users(self._weights), self._with_new_users(self._trained)

    def _with_new_users(self, weights: Any) -> Any:
        """Add the weights of unknown users for users that were added since training."""
        table = None if weights is None else weights.get("user/embeddings")
        if table is None or len(table) > len(self._users):
            return weights
        more = np.repeat(table[:1], len(self._users) + 1 - len(table), axis=0)
        return type(weights)({**weights, "user/embeddings": np.concatenate([table, more])})

    # -- explanations -------------------------------------------------------------------------------------------------

    def explain(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return the contribution of each past event to the scores of recommended items.

        The contribution of an event is the score of the item with the whole history minus its score with the history
        without that event, both as returned by ``score_items(history=...)``. If a history is longer than the model
        reads, an older event takes the place of the removed one.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows, default=None
            User ids or rows, as in :meth:`recommend`. Rows may have an item column with the items to explain, such as
            the rows returned by ``recommend``.
        items : array-like of shape (n_queries,), default=None
            The item to explain for each query. Required if the rows have no item column.
        history : list of lists of item ids, or rows, default=None
            Histories, as in :meth:`recommend`.

        Returns
        -------
        DataFrame
            One row per query and past event, in descending order of the contribution. The columns are ``query`` (index
            of the query), the user, the item, ``past_item``, ``age`` (1 is the latest event) and ``contribution``, in
            the unit of :meth:`score_items`. A negative contribution lowers the score of the item. Unknown items of a
            given history are None.

        Raises
        ------
        ValueError
            If there are no items, or their number differs from the number of queries.

        See Also
        --------
        skrec.inspection.history_attention : Attention of SASRec and DIN to past events, which shows what the model
            looks at rather than what raises a score.

        Notes
        -----
        Contributions do not sum to the score, because events can be redundant or contradictory.

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
        ids, read, item_ids, about = self._read_query_pairs(queries, items, history)
        if about is None:
            raise ValueError(
                f"{type(self).__name__}.explain needs the items to explain: pass items=, one for each query, or the "
                "rows that recommend returned."
            )
        inputs = {**self._query_inputs(read), **self._item_inputs(about)}
        frame = contributions(inputs, self._pair_scores)
        roles, query = self._estimator_roles, frame["query"]
        frame["past_item"] = self._items.decode(frame["past_item"])
        frame.insert(1, roles.user_name, np.asarray(ids)[query])
        frame.insert(2, roles.item_name, np.asarray(item_ids)[query])
        return frame
