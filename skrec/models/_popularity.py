"""The baseline that everything must beat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Rows
from skrec._sklearn_compat import _fit_context
from skrec._transaction import transaction
from skrec.models._learning import learn
from skrec.models._ranking import RankerMixin
from skrec.models._reader import Asked
from skrec.models._recommender import Recommender, Work, chunks

__all__ = ["PopularityRanker"]


@dataclass(eq=False, repr=False, kw_only=True)
class PopularityRanker(RankerMixin, Recommender):
    """Rank items by how many events they have: the baseline that every model must beat.

    Parameters
    ----------
    user, item, time : str, int or None, default=None
        Columns of the user, the item and the time, by name or position; by default ``"user_id"``, ``"item_id"`` and
        ``"timestamp"`` in a DataFrame, and columns 0 and 1 in an array.
    handle_unknown : {"oov", "error"}, default="oov"
        Whether an unknown id is scored (an unknown item: 0) or an error.

    Attributes
    ----------
    users_, items_ : ndarray
        Ids of the known users and items.
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> PopularityRanker:
        """Count the events of each item.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            One event a row.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are positives; all rows by default.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        PopularityRanker
            The estimator itself.
        """
        with transaction(self) as model:
            model._count(X, y, sample_weight, fresh=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, seen: bool = False) -> PopularityRanker:
        """Count further events; new users and items join.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        seen : bool, default=False
            Whether an earlier call was given these rows. Then they are not counted again.

        Returns
        -------
        PopularityRanker
            The estimator itself.
        """
        with transaction(self) as model:
            model._count(X, y, sample_weight, fresh=not model.__sklearn_is_fitted__(), seen=seen)
        return self

    def _count(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, seen: bool = False) -> None:
        events = learn(self, X, y, sample_weight, fresh=fresh, more=not fresh, seen=seen)
        if events.seen:
            return
        positive = events.target > 0
        weight = np.ones(len(events)) if events.weight is None else events.weight
        n_items = len(self._items)
        counts: NDArray[Any] = np.bincount(events.items[positive], weight[positive], minlength=n_items + 1)[1:]
        if not fresh:
            counts = counts + np.pad(self.item_counts_, (0, n_items - len(self.item_counts_)))
        self.item_counts_ = counts

    def _relevance(self) -> NDArray[np.float32]:
        return np.concatenate([np.zeros(1), self.item_counts_]).astype(np.float32)

    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        return self._relevance()[self._pair_codes(rows)[1]]

    def _score_catalogue(self, queries: Asked, items: Asked, work: Work) -> None:
        relevance = self._relevance()[items.codes]
        for part in chunks(len(queries.codes), len(items.codes)):
            work(part, np.tile(relevance, (part.stop - part.start, 1)))
