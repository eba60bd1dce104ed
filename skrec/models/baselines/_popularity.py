"""Popularity baseline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions
from skrec.base.closed_form import ClosedFormRanker
from skrec.base.events import Events
from skrec.base.recommender import Recommender

__all__ = ["PopularityRanker"]


@dataclass(eq=False, repr=False, kw_only=True)
class PopularityRanker(ClosedFormRanker):
    """Rank items by their number of events.

    This is the baseline to compare all other rankers with.

    Parameters
    ----------
    user, item, time : str, int or None, default=None
        Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and
        ``"timestamp"`` in a DataFrame, and columns 0 and 1 in an array.
    handle_unknown : {"oov", "error"}, default="oov"
        How to handle an unknown id. If ``"oov"``, it is scored; unknown items have the score 0. If ``"error"``,
        :class:`~skrec.exceptions.UnknownIdError` is raised.

    Attributes
    ----------
    users_, items_ : ndarray
        Known user ids and item ids.
    item_counts_ : ndarray of shape (n_items,)
        Number of positive events of each item, weighted by ``sample_weight``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import PopularityRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
    >>> PopularityRanker().fit(events).recommend(["bob", "new"], k=1)
      user_id item_id  score  rank
    0     bob       x    1.0     1
    1     new       y    2.0     1
    """

    item_counts_: NDArray[Any] = field(init=False, repr=False)

    _instead_of_explain: ClassVar[str] = "the score of an item is its number of events, item_counts_, for every user."

    _reads_histories: ClassVar[bool] = False

    if not TYPE_CHECKING:
        explain = Recommender.explain  # raises an error with the reason

    def _solve(self, matrix: csr_array) -> None:
        self.item_counts_ = np.asarray(matrix.sum(axis=0))

    def _scores(self, histories: csr_array) -> NDArray[np.float64]:  # noqa: ARG002
        return self.item_counts_[None, :]

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        if log is not None and log.weights is None:  # files of older versions contain only the counts
            pairs = np.bincount(log.items, minlength=log.n_items + 1)[1:]
            log = replace(log, weights=(self.item_counts_ / np.maximum(pairs, 1))[log.items - 1])
        super()._log_events(events, inside, log)
