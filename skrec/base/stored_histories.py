"""Models of the stored events of users: events that are appended without training, and explanations by past events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import Interactions
from skrec._estimators import check_is_fitted
from skrec._transaction import transaction
from skrec.base.contributions import contributions
from skrec.base.events import Events
from skrec.base.given_histories import GivenHistories
from skrec.base.history_docs import (
    EXPLAIN_RAISES,
    EXPLAINED_ITEMS,
    EXPLAINED_QUERIES,
    GIVEN_HISTORY,
    WALKS,
    documented,
)
from skrec.base.network import NetworkRecommender

__all__ = ["StoredHistories"]


@dataclass(eq=False, repr=False, kw_only=True)
class StoredHistories(GivenHistories, NetworkRecommender):
    """Base class for networks that read the stored events of users, as sequences or as sets."""

    _events_have_order: ClassVar[bool] = True  # whether histories are sequences rather than sets

    @documented(walks=WALKS)
    def append_history(self, X: Any, y: Any = None) -> Any:
        """Add events to the histories of users, without training.

        Later recommendations are based on these events, and their items count as seen. New users are added. An item
        that was not seen during ``fit`` remains unknown until :meth:`partial_fit`. An event of a sequence that is
        already stored with the same user, item and time is not added again. Without times, every row is a new event.

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
        {walks}
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

    def _store_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        """Add events to the log and to the histories."""
        self._log_events(events, inside, log)

    @documented(
        queries=EXPLAINED_QUERIES, items=EXPLAINED_ITEMS, history=GIVEN_HISTORY, raises=EXPLAIN_RAISES, walks=WALKS
    )
    def explain(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return the contribution of each past event to the scores of recommended items.

        The contribution of an event is the score of the item with the whole history minus its score with the history
        without that event, both as returned by ``score_items(history=...)``. If a history is longer than the model
        reads, an older event takes the place of the removed one.

        Parameters
        ----------
        {queries}
        {items}
        {history}

        Returns
        -------
        DataFrame
            One row per query and past event, in descending order of the contribution. The columns are ``query`` (index
            of the query), the user, the item, ``past_item``, ``age`` (1 is the latest event; only if histories are
            sequences) and ``contribution``, in the unit of :meth:`score_items`. A negative contribution lowers the
            score of the item. Unknown items of a given history are None in a sequence; in a set, they have no
            influence and are left out.

        Raises
        ------
        {raises}

        See Also
        --------
        skrec.inspection.history_attention : Attention of SASRec and DIN to past events, which shows what the model
            looks at rather than what raises a score.

        Notes
        -----
        Contributions do not sum to the score, because events can be redundant or contradictory, and a network is not
        linear.

        Examples
        --------
        {walks}
        >>> found = model.explain(history=[["a", "b"]], items=["c"])
        >>> found[["item_id", "past_item", "age"]]  # the walks go from b to c
          item_id past_item  age
        0       c         b    1
        1       c         a    2
        """
        check_is_fitted(self)
        ids, read, item_ids, about = self._read_explained("explain", queries, items, history)
        inputs = {**self._query_inputs(read), **self._item_inputs(about)}
        frame = contributions(inputs, self._pair_scores)
        roles, query = self._estimator_roles, frame["query"]
        frame["past_item"] = self._items.decode(frame["past_item"])
        frame.insert(1, roles.user_name, np.asarray(ids)[query])
        frame.insert(2, roles.item_name, item_ids[query])
        return frame if self._events_have_order else frame.drop(columns="age")
