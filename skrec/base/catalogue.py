"""Items that can be recommended for a query: all items or candidates, without seen and excluded items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions, Rows, Vocabulary
from skrec._data.features.conflicts import refuse_conflicts
from skrec._data.tables.columns import as_column
from skrec._estimators import check_is_fitted
from skrec._recommend import exclusions_of, read_candidates, refuse_history, require_queries
from skrec.base.reader import Codes, Query, Reader


class CatalogueReader(Reader):
    """Base class that reads queries and candidates, and marks the pairs that must not be recommended."""

    def seen_items(self, queries: Any) -> csr_array:
        """Return the items of the positive rows of each user in ``fit``.

        Those are the items of the user's positive rows, ``y > 0`` (without ``y``, and of a Regressor, of all rows; of a
        Classifier, of rows of another class than the first). A row with ``y <= 0`` was shown, not chosen.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.

        Returns
        -------
        csr_array of shape (n_queries, n_items)
            True for the items of the user's positive rows. Columns are in the order of ``items_``. Unknown users have
            none.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.items_.tolist(), model.seen_items(["bob", "new"]).toarray().tolist()
        (['x', 'y', 'z'], [[False, True, False], [False, False, False]])
        """
        check_is_fitted(self)
        return self._log.seen(self._read_query(queries, "user")[1].codes)

    def _read_queries(self, queries: Any, history: Any) -> tuple[NDArray[Any], Query]:
        """Read queries, and the histories that come with them, if the model takes any."""
        refuse_history(self, history)
        require_queries(self, queries, history)
        return self._read_query(queries, "user")

    def _read_candidates(self, candidates: Any, users: NDArray[Any]) -> Any:
        """Read candidates: lists that differ by query, or what all queries share."""
        roles = self._estimator_roles
        return read_candidates(
            candidates,
            as_column(users),
            catalogue=lambda: self.items_,
            names=(roles.user_name, roles.item_name),
            n_columns=self.n_features_in_ if roles.names is None else None,
        )

    def _every_item(self) -> Query:
        """Return all items of the catalogue, in its order."""
        self._need_role("item")
        return Query(self._items.all_codes, whole=True)

    def _candidates(self, candidates: Any) -> tuple[NDArray[Any], Query]:
        """Ids and codes of the candidates, each once: known ones in vocabulary order, then unknown ones."""
        if candidates is None:
            return self._items.ids, self._every_item()
        ids, query = self._read_query(candidates, "item")
        if len(ids) == 0:
            raise ValueError("candidates is empty: pass at least one item id, or None for the whole catalogue.")
        codes = query.codes
        known, first = np.unique(codes, return_index=True)
        known, first = known[known > 0], first[known > 0]
        unseen = np.flatnonzero(codes == 0)
        unseen = unseen[~pd.Series(as_column(ids)[unseen]).duplicated().to_numpy()]
        at = np.concatenate([first, unseen])
        if query.rows is not None and len(at) < len(ids):
            distinct, item = np.unique(pd.factorize(as_column(ids))[0], return_index=True, return_inverse=True)[1:]
            self._refuse_conflicts(query.rows, distinct[item])
        if len(unseen) == 0:
            return self._items.ids[known - 1], Query(known, query.rows, at)
        both = [*self._items.ids[known - 1], *as_column(ids)[unseen]]
        return as_column(both), Query(codes[at], query.rows, at)

    def _refuse_conflicts(self, rows: Rows, kept: NDArray[np.int64]) -> None:
        """Refuse candidates whose features differ from those of the row that is kept of their item."""
        if positions := self._positions_of_item_features(rows):
            ids, name = rows.column(self._position(rows, "item")), self._estimator_roles.item_name
            refuse_conflicts(rows, positions, kept, ids, argument="candidates", item=name)

    def _positions_of_item_features(self, rows: Rows) -> tuple[int, ...] | None:  # noqa: ARG002
        """Return the positions of the features of items in candidates; None without any."""
        return None

    def _seen(self, queries: Query) -> csr_array:
        """Mark the items of the catalogue that queries have seen."""
        return self._log.seen(queries.codes)

    def _seen_among(self, queries: Query, items: Codes) -> csr_array:
        """Mark the (query, candidate) pairs that have been seen."""
        seen, n_items = self._seen(queries), len(self._items)
        if len(items) == n_items and items[0] == 1 and items[-1] == n_items:
            return seen
        known = seen[:, items[items > 0] - 1].tocsr()  # unknown candidates come last and are never seen
        return csr_array((known.data, known.indices, known.indptr), shape=(len(queries.codes), len(items)))

    def _excluded_among(self, exclude: Any, queries: NDArray[Any], candidates: NDArray[Any]) -> csr_array:
        """Mark the (query, candidate) pairs in ``exclude``, by id, because ids may be unknown."""
        roles = self._estimator_roles
        exclusions = exclusions_of(exclude, roles.user_name, roles.item_name)
        if not (len(exclusions) and len(queries)):
            return csr_array((len(queries), len(candidates)), dtype=bool)
        exclusions.warn_unmatched(as_column(queries), as_column(candidates), self._users.ids)
        users, user_codes = Vocabulary.fit(queries, name=roles.user_name)
        items, item_codes = Vocabulary.fit(candidates, name=roles.item_name)
        pairs = [
            ids.encode(pair, where="exclude") for ids, pair in ((users, exclusions.users), (items, exclusions.items))
        ]
        excluded = Interactions.from_codes(pairs[0], pairs[1], n_users=len(users), n_items=len(items)).seen(user_codes)
        return excluded[:, item_codes - 1].tocsr()
