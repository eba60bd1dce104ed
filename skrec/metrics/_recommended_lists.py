"""Read the lists, events and features that are passed to metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions, Vocabulary, as_rows
from skrec._data.ids.values import nearest_id
from skrec._data.tables.columns import Column, as_column
from skrec._recommend._frames import as_ids, named_column
from skrec.metrics._array_inputs import check_k
from skrec.metrics._held_out import cells, positions_of
from skrec.metrics._list_statistics import Lists


@dataclass(frozen=True, eq=False)
class Recommended:
    """Recommended lists.

    Parameters
    ----------
    users : Index of length n_lists, or None
        The user of each list; None if the users are not given.
    items : ndarray of shape (n_items,)
        The distinct ids of recommended items.
    lists : ndarray of shape (n_lists, k)
        Positions in `items`, best first; -1 where there is no item.
    """

    users: pd.Index | None
    items: Column
    lists: Lists

    @classmethod
    def read(cls, recommendations: Any, k: Any, user: str, item: str) -> "Recommended":
        """Read the first `k` items of a frame of users, items and optionally ranks, or of an array of items."""
        check_k(k)
        if hasattr(recommendations, "columns"):
            return cls._of_frame(as_rows(recommendations, name="recommendations").table, int(k), user, item)
        told = isinstance(recommendations, np.ndarray)
        array = np.asarray(
            recommendations, dtype=None if told else object
        )  # otherwise NaN beside strings becomes "nan"
        if array.ndim != 2:
            raise ValueError(
                f"recommendations must be a DataFrame with one row per item, as returned by recommend, or an array of "
                f"item ids of shape (n_users, n_items), with None for no item; got an array of shape {array.shape}."
            )
        codes, items = pd.factorize(as_column(array[:, : int(k)].ravel()))
        lists = codes.reshape(len(array), -1).astype(np.int64)
        return cls(None, as_column(items), lists)._checked()

    @classmethod
    def _of_frame(cls, frame: Any, k: int, user: str, item: str) -> "Recommended":
        columns = [named_column(frame, name, "recommendations") for name in (user, item)]
        user_codes, users = pd.factorize(as_ids(columns[0], "recommendations"))
        item_codes, items = pd.factorize(as_ids(columns[1], "recommendations"))
        keys = (as_column(frame["rank"]), user_codes) if "rank" in frame.columns else (user_codes,)
        order = np.lexsort(keys)
        lengths = np.bincount(user_codes, minlength=len(users))
        place = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        kept = place < k
        lists = np.full((len(users), min(k, int(lengths.max(initial=0)))), -1, dtype=np.int64)
        lists[user_codes[order][kept], place[kept]] = item_codes[order][kept]
        return cls(pd.Index(users, name=user), as_column(items), lists)._checked()

    def _checked(self) -> "Recommended":
        ordered = np.sort(self.lists, axis=1)
        twice = np.argwhere((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0))
        if len(twice):
            row, column = twice[0].tolist()
            owner = f"row {row}" if self.users is None else f"user {self.users[[row]].tolist()[0]!r}"
            item = self.items[ordered[[row], column]].tolist()[0]
            raise ValueError(
                f"recommendations has the item {item!r} twice for {owner}: each item must occur once in a list."
            )
        if not (self.lists >= 0).any():
            raise ValueError("recommendations does not contain any items.")
        return self

    def in_terms_of(self, values: NDArray[np.int64]) -> Lists:
        """Return the lists with each position in `items` replaced by a value."""
        return np.where(self.lists >= 0, values[self.lists], -1)

    def per_user(self, values: NDArray[np.float64], name: str) -> Any:
        """Return the values of lists as a Series indexed by user, or unchanged if there are no users."""
        return values if self.users is None else pd.Series(values, index=self.users, name=name)


@dataclass(frozen=True, eq=False)
class Training:
    """The positive training events.

    Parameters
    ----------
    users, items : Vocabulary
    log : Interactions
    """

    users: Vocabulary
    items: Vocabulary
    log: Interactions

    @classmethod
    def read(cls, train: Any, user: str, item: str) -> "Training":
        """Read a table of events."""
        columns = pairs_of(train, "train", user, item)
        users, user_codes = Vocabulary.fit(columns[0], name=user)
        items, item_codes = Vocabulary.fit(columns[1], name=item)
        log = Interactions.from_codes(user_codes, item_codes, n_users=len(users), n_items=len(items))
        return cls(users, items, log)

    @property
    def shares(self) -> NDArray[np.float64]:
        """The share of the users who chose each item."""
        counts = np.bincount(self.log.items, minlength=len(self.items) + 1)[1:]
        return np.asarray(counts / len(self.users), dtype=np.float64)

    def shares_of(self, items: Column) -> NDArray[np.float64]:
        """Return the shares of some items; 0 for items without interactions."""
        shares: NDArray[np.float64] = np.append(0.0, self.shares)[self.positions_of(items) + 1]
        return shares

    def positions_of(self, items: Column) -> NDArray[np.int64]:
        """Return the positions of recommended items in `items`; -1 for items without interactions.

        Raises an error if all of them are -1.
        """
        codes = self.items.encode(items)
        if not codes.any():
            raise ValueError(
                f"No recommended item, such as {items[:1].tolist()[0]!r}, is in train, whose first item is "
                f"{self.items.ids[:1].tolist()[0]!r}: pass the events that the model was fitted on, with ids of the "
                "same type."
            )
        return codes.astype(np.int64) - 1

    def chosen_by(self, users: Column, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> csr_array:
        """Return the (user, item) cells that users chose, without some pairs of a row and a position in `items`."""
        seen, known = self.log.seen(self.users.encode(users)), columns >= 0
        row = np.repeat(np.arange(len(users)), np.diff(seen.indptr))
        kept = ~np.isin(row * len(self.items) + seen.indices, (rows * len(self.items) + columns)[known])
        return cells(row[kept], seen.indices[kept], seen.shape)


def pairs_of(events: Any, argument: str, user: str, item: str) -> tuple[Column, Column]:
    """Read the users and items of events: columns of a frame, or the first two columns of an array."""
    rows = as_rows(events, name=argument, min_columns=2)
    if rows.names is None:
        columns = [rows.column(0), rows.column(1)]
    else:
        columns = [named_column(rows.table, name, argument) for name in (user, item)]
    users, items = (as_ids(column, argument) for column in columns)
    return users, items


def feature_vectors(item_features: Any, items: Column) -> NDArray[np.float64]:
    """Return the rows of a DataFrame of numbers, indexed by item id, for some items.

    Raises
    ------
    TypeError
        If `item_features` is not a DataFrame.
    ValueError
        If an item has no row or several rows, or a value is missing or not a number.
    """
    if not isinstance(item_features, pd.DataFrame):
        raise TypeError(
            "item_features must be a pandas DataFrame of numbers with one row per item, indexed by item id, got a "
            f"{type(item_features).__name__}: pass pandas.DataFrame(vectors, index=item_ids)."
        )
    if not item_features.index.is_unique:
        twice = item_features.index[item_features.index.duplicated()].tolist()[0]
        raise ValueError(f"item_features has more than one row for the item {twice!r}: keep only one.")
    known = as_column(item_features.index)
    at = positions_of(items, known, "item_id")
    if (at < 0).any():
        unknown_item = items[at < 0][:1].tolist()[0]
        nearest = nearest_id(unknown_item, known)
        hint = "" if nearest is None else f" The nearest id of its index is {nearest!r} ({type(nearest).__name__})."
        raise ValueError(
            f"item_features has no row for {np.count_nonzero(at < 0)} of {len(items)} items, for instance "
            f"{unknown_item!r} ({type(unknown_item).__name__}).{hint} Its index must hold the item ids."
        )
    for name in item_features.columns:
        if not pd.api.types.is_numeric_dtype(item_features[name]):
            raise ValueError(
                f"Column {name!r} of item_features is not numeric ({item_features[name].dtype}): encode it, for "
                "instance with pandas.get_dummies."
            )
    vectors: NDArray[np.float64] = item_features.to_numpy(dtype=np.float64, na_value=np.nan)[at]
    if not np.isfinite(vectors).all():
        row, column = np.argwhere(~np.isfinite(vectors))[0].tolist()
        raise ValueError(
            f"item_features contains {vectors[row, column]} in column {item_features.columns[column]!r} for the item "
            f"{items[[row]].tolist()[0]!r}: fill it in."
        )
    return vectors
