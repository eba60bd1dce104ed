"""What a ranking becomes: excluded pairs left out, cut at k, a frame or arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.columns import Column
from skrec._recommend._tables import as_ids, named_column


@dataclass(frozen=True)
class Exclusions:
    """The items that each user must not get, as raw ids."""

    items: dict[Any, set[Any]]

    @property
    def most(self) -> int:
        """The largest number of items of one user."""
        return max(map(len, self.items.values()), default=0)


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
        for query, user in enumerate(self.users.tolist() if exclusions.items else ()):
            barred = exclusions.items.get(user)
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
            }
        )

    def as_arrays(self) -> tuple[Column, Column]:
        """Return items and scores; where there is no item, None and -inf."""
        there = self.positions >= 0
        items = self.catalogue[self.positions]
        if not there.all():
            items = items.astype(object)
            items[~there] = None
        return items, np.where(there, self.scores, -np.inf).astype(self.scores.dtype)


def exclusions_of(exclude: Any, user_name: str, item_name: str) -> Exclusions:
    """Return the excluded pairs by user."""
    if exclude is None:
        return Exclusions({})
    if hasattr(exclude, "columns"):
        users, items = (named_column(exclude, name, "exclude") for name in (user_name, item_name))
    else:
        pairs = list(exclude)
        if any(isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2 for pair in pairs):
            raise ValueError("exclude must hold (user, item) pairs: a list of pairs or an array of shape (n_pairs, 2).")
        users, items = (as_ids([pair[part] for pair in pairs], "exclude") for part in (0, 1))
    result: dict[Any, set[Any]] = {}
    for user, item in zip(users.tolist(), items.tolist(), strict=True):
        result.setdefault(user, set()).add(item)
    return Exclusions(result)
