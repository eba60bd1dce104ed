"""Held-out rows as pairs of a user and an item."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Vocabulary
from skrec._data.ids.values import of_another_kind, warn_other_kind
from skrec._data.tables.columns import as_column
from skrec._recommend import Unwrapped
from skrec._recommend._protocol import FittedRecommender, roles_of
from skrec._sklearn_compat import safe_indexing
from skrec._warnings import warn
from skrec.metrics._row_ids import Array, RowIds, codes_of, labels_of


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The distinct held-out (user, item) pairs of all users with a relevant pair, sorted by user.

    Parameters
    ----------
    users : Index of length n_users
        Raw user ids.
    queries : ndarray of shape (n_users,)
        The ids of these users as the model knows them.
    own : ndarray of shape (n_users,), bool
        Whether the id in `queries` belongs to this user alone, so that the training events of the id are the user's.
    user : ndarray of shape (n_pairs,)
        Position of the pair's user in `users`; sorted.
    item : ndarray of shape (n_pairs,)
        Position of the pair's item in the catalogue; -1 if the catalogue does not contain it.
    relevant : ndarray of shape (n_pairs,), bool
        Whether the pair is relevant.
    catalogue : ndarray of shape (n_items,)
        Raw ids of the items of the catalogue.
    barred : ndarray of int
        Positions in the catalogue of ids that do not stand for a single item.
    item_position : int
        Position of the item column in the raw rows; ``ABSENT`` if the raw item ids are not known.
    cold_user_share, cold_item_share : float
        Share of the users that are not in the training data, and of the relevant pairs whose item is not.
    context : table of shape (n_users, n_columns) or None
        The first held-out row of each user (by time, if there is a time column), in the form that the model receives;
        None if the model does not use a context.
    """

    users: pd.Index
    queries: Array
    own: NDArray[np.bool_]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    relevant: NDArray[np.bool_]
    catalogue: Array
    barred: NDArray[np.int64]
    item_position: int
    cold_user_share: float
    cold_item_share: float
    context: Any

    @classmethod
    def read(cls, unwrapped: Unwrapped, X: Any, y: Any, *, ranked: bool = True) -> "HeldOut":
        """Collect the pairs of raw rows. Rows with ``y > 0`` are relevant; without `y`, all rows are.

        A warning is given if the items are of another kind than the ids of the catalogue, or, unless `ranked` is False,
        if none of the relevant items is in the catalogue. For users, the model warns when it scores them.
        """
        ids = RowIds.of(unwrapped, X)
        catalogue, name = as_column(unwrapped.model.items_), roles_of(unwrapped.model).item_name
        warn_other_kind(ids.items, catalogue, name, so="none of them is known, and every one is a miss")
        labels = None if y is None else labels_of(y, X, getattr(unwrapped.model, "classes_", None))
        relevant = np.ones(len(ids.users), dtype=bool) if labels is None else labels > 0
        held_out = cls.of(unwrapped.model, ids, relevant)
        if ranked and held_out.cold_item_share == 1 and not of_another_kind(ids.items, catalogue):
            warn_of_new_items(unwrapped.model, ids, relevant, "each of them counts as a miss")
        return held_out

    @classmethod
    def of(cls, model: FittedRecommender, ids: RowIds, relevant: NDArray[np.bool_]) -> "HeldOut":
        """Collect the pairs of rows. Repeated pairs count once, and as relevant if any of their rows is relevant.

        Raises
        ------
        ValueError
            If no row is relevant.
        """
        if not relevant.any():
            raise ValueError(
                f"None of the {len(relevant)} rows to score is relevant (y > 0): there is nothing to find. Check y, or "
                "omit it to treat every row as relevant."
            )
        users, user_labels = codes_of(ids.raw_users, "user")
        items, item_labels = codes_of(ids.raw_items, "item")
        scored = np.bincount(users, weights=relevant, minlength=len(user_labels)) > 0
        kept = scored[users]
        users = (np.cumsum(scored) - 1)[users[kept]]
        keys, first, pair = np.unique(users * len(item_labels) + items[kept], return_index=True, return_inverse=True)
        item = positions_of(ids.items[kept][first], model.items_, "item_id")
        item[~ids.own_item[kept][first]] = -1
        is_relevant = np.bincount(pair, weights=relevant[kept]) > 0
        user = keys // len(item_labels)
        in_time = np.lexsort((users,) if ids.when is None else (ids.when[kept], users))
        first_row = in_time[np.unique(users[in_time], return_index=True)[1]]
        queries, own = ids.users[kept][first_row], ids.own_user[kept][first_row]
        cold = ~own | (positions_of(queries, model.users_, "user_id") < 0)
        return cls(
            users=pd.Index(user_labels, name=ids.user_name)[scored],
            queries=queries,
            own=own,
            user=user,
            item=item,
            relevant=is_relevant,
            catalogue=ids.catalogue,
            barred=ids.barred,
            item_position=ids.item_position,
            cold_user_share=float(np.mean(cold)),
            cold_item_share=float(np.mean(item[is_relevant] < 0)),
            context=None if ids.context is None else safe_indexing(ids.context, np.flatnonzero(kept)[first_row]),
        )

    def asked(self, users: slice) -> Any:
        """Return the queries of some users in the form of ``score_items``: rows with their context, or ids."""
        if self.context is None:
            return self.queries[users]
        return safe_indexing(self.context, np.arange(users.start, users.stop))

    def left_out(self, model: FittedRecommender, users: slice, pairs: slice) -> csr_array:
        """Return the (user, item) cells that are not ranked: training items except held-out ones, and barred items."""
        seen = csr_array(model.seen_items(self.queries[users]))
        n_users, n_items = seen.shape
        row = np.repeat(np.arange(n_users), np.diff(seen.indptr))
        held_out = (self.user[pairs] - users.start) * n_items + self.item[pairs]
        kept = self.own[users][row] & ~np.isin(row * n_items + seen.indices, held_out[self.item[pairs] >= 0])
        rows = np.append(row[kept], np.repeat(np.arange(n_users), len(self.barred)))
        columns = np.append(seen.indices[kept], np.tile(self.barred, n_users))
        return cells(rows, columns, (n_users, n_items))

    def chunks(self, n_users: int) -> "list[tuple[slice, slice]]":
        """Return slices of at most `n_users` users, each with the slice of the pairs of these users."""
        starts = np.arange(0, len(self.users), n_users)
        stops = np.minimum(starts + n_users, len(self.users))
        first, last = np.searchsorted(self.user, starts), np.searchsorted(self.user, stops)
        return [
            (slice(start, stop), slice(low, high))
            for start, stop, low, high in zip(*(a.tolist() for a in (starts, stops, first, last)), strict=True)
        ]


def warn_of_new_items(model: FittedRecommender, ids: RowIds, relevant: NDArray[np.bool_], so: str) -> None:
    """Warn that no relevant item is known to the model, as in every fold of ``ColdItemKFold``."""
    items = pd.unique(ids.raw_items[relevant])
    warn(
        f"None of the {len(items):,} relevant items to score, such as {items[:1].tolist()[0]!r}, is in the catalogue "
        f"of {type(model).__name__}: {so}. If items are new by design, as with ColdItemKFold, use a model that ranks "
        "them by their features, such as ContentRanker or DeepFMRanker, with protocol='rerank' or a scorer that passes "
        "the features in candidates= (see 'New items' in the user guide). Otherwise check the ids of the items."
    )


def cells(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> csr_array:
    """Return a boolean sparse array whose stored entries are the given cells."""
    return csr_array((np.ones(len(rows), dtype=np.bool_), (rows, columns)), shape=shape)


def positions_of(ids: Array, catalogue: Array, name: str) -> NDArray[np.int64]:
    """Return the positions of ids in an array of distinct ids; -1 for ids that it does not contain."""
    positions: NDArray[np.int64] = Vocabulary(as_column(catalogue), name).encode(ids).astype(np.int64) - 1
    return positions
