"""What a ranking becomes: excluded pairs left out, cut at k, a frame or arrays."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.columns import Column
from skrec._recommend._exclusions import Exclusions


@dataclass(frozen=True)
class Ranking:
    """Items by descending score.

    Parameters
    ----------
    users : ndarray of shape (n_queries,)
        Raw ids.
    catalogue : ndarray of shape (n_items,)
        Raw ids.
    positions : ndarray of shape (n_queries, n), int64
        Positions in `catalogue`, best first; -1 where there is no item.
    scores : ndarray of shape (n_queries, n)
    """

    users: Column
    catalogue: Column
    positions: NDArray[np.int64]
    scores: Column

    def best(self, k: int, exclusions: Exclusions) -> "Ranking":
        """Return the `k` best that are not excluded; fewer columns if none is longer."""
        positions = self.positions.copy()
        for query, user in enumerate(self.users.tolist() if exclusions else ()):
            barred = exclusions.by_user.get(user)
            if barred:
                positions[query, [item in barred for item in self.catalogue[positions[query]].tolist()]] = -1
        order = np.argsort(positions < 0, axis=1, kind="stable")[:, :k]
        best, scores = (np.take_along_axis(array, order, axis=1) for array in (positions, self.scores))
        return Ranking(self.users, self.catalogue, best, scores)

    def as_frame(self, user_name: str, item_name: str) -> pd.DataFrame:
        """Return one row an item, best first within each query."""
        query, column = np.nonzero(self.positions >= 0)
        return pd.DataFrame(
            {
                user_name: self.users[query],
                item_name: self.catalogue[self.positions[query, column]],
                "score": self.scores[query, column],
                "rank": column + 1,
            },
            copy=False,
        )

    def as_arrays(self) -> tuple[Column, Column]:
        """Return items and scores; where there is no item, None and -inf."""
        there = self.positions >= 0
        items = self.catalogue[self.positions]
        if not there.all():
            items = items.astype(object)
            items[~there] = None
        return items, np.where(there, self.scores, -np.inf).astype(self.scores.dtype)
