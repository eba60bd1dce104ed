"""Base class of models that read histories: stored events, histories passed by the caller, and appended events."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions, Roles, Rows, Vocabulary
from skrec._data.events.histories import Histories, Windows
from skrec._data.tables.time_checks import are_codes, warn_encoded_times, warn_row_order
from skrec._estimators import Interval
from skrec._warnings import warn
from skrec.base.events import Events, Inputs
from skrec.base.reader import Codes, Query
from skrec.base.stored_histories import StoredHistories


@dataclass(eq=False, repr=False, kw_only=True)
class HistoryModel(StoredHistories):
    """Base class for models that read the history of a user.

    The same rule defines the history of a row in training and in prediction (:meth:`Histories.ends`): it consists of
    the stored events strictly before the time of the row. Without times, it consists of the events before the row if
    the row was in ``fit``, and of all stored events for a new row.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skrec.base import HistoryModel, NetworkRanker
    >>> from skrec.datasets import make_interactions
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class SumOfPastRanker(HistoryModel, NetworkRanker):
    ...     def _network_config(self, n_outputs):
    ...         return {"dim": 8}
    ...
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, dim):
    ...         parts = {"past": layers.Table("item", dim), "item": layers.Table("item", dim)}
    ...
    ...         def query(inputs):
    ...             history = inputs["history"]  # codes, the latest last; padded with -1
    ...             there = keras.ops.cast(history >= 0, "float32")[..., None]
    ...             return keras.ops.sum(parts["past"](keras.ops.maximum(history, 0)) * there, axis=1)
    ...
    ...         return layers.Network(
    ...             query=query, item=lambda inputs: parts["item"](inputs["item"]), interact=layers.match, parts=parts
    ...         )
    >>> model = SumOfPastRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
    >>> model.recommend(history=[[3, 5]], k=4).shape
    (4, 4)
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
            from sklearn.exceptions import NotFittedError

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

    def _append(self, X: Any, y: Any) -> None:
        super()._append(X, y)
        self._weights, self._trained = self._with_new_users(self._weights), self._with_new_users(self._trained)

    def _with_new_users(self, weights: Any) -> Any:
        """Add the weights of unknown users for users that were added since training."""
        if weights is None or "user/embeddings" not in weights:
            return weights
        table = np.asarray(weights["user/embeddings"])
        if len(table) > len(self._users):
            return weights
        more = np.repeat(table[:1], len(self._users) + 1 - len(table), axis=0)
        return type(weights)({**weights, "user/embeddings": np.concatenate([table, more])})
