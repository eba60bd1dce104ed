"""Base class of all recommenders: recommending and scoring items."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions, Rows, as_rows
from skrec._estimators import check_is_fitted
from skrec._recommend import CandidateLists, best_in_lists
from skrec.base.events import Events, Inputs
from skrec.base.reader import Codes, Query
from skrec.base.retrieval import ScoreConsumer, check_k, distinct_pairs, retrieve_exactly, score_pairs_by_blocks
from skrec.base.vectors import VectorRecommender


@dataclass(eq=False, repr=False, kw_only=True)
class Recommender(VectorRecommender):
    """Base class for all recommenders, with ``recommend`` and ``score_items``.

    A subclass implements :meth:`_score_rows` and :meth:`_score_catalogue`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrec.base import RankerMixin, Recommender
    >>> from skrec.base.learning import learn
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class LastNameRanker(RankerMixin, Recommender):
    ...     def fit(self, X, y=None):
    ...         learn(self, X, y, None, fresh=True)  # users, items and the log of events
    ...         return self
    ...
    ...     def _score_rows(self, rows):
    ...         return self._pair_codes(rows)[1].astype(np.float32)
    ...
    ...     def _score_catalogue(self, queries, items, consume):
    ...         consume(slice(None), np.tile(items.codes.astype(np.float32), (len(queries.codes), 1)))
    >>> events = pd.DataFrame({"user_id": ["ann", "bob", "cy"], "item_id": ["x", "y", "z"]})
    >>> LastNameRanker().fit(events).recommend(["cy"], k=2)["item_id"].tolist()
    ['y', 'x']
    """

    _log_weights: ClassVar[bool] = False  # whether the log keeps the weights of events

    # -- what a subclass provides -------------------------------------------------------------------------------------

    @abstractmethod
    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        """Return the relevance of the item for the user of each row, shape (n,)."""

    @abstractmethod
    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        """Call ``consume(slice or numbers of queries, their scores of all items)``, perhaps in several threads."""

    @abstractmethod
    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        """Check ``y``; return targets and weights of the rows, and the number of outputs that they need.

        Error messages call ``y`` by its ``name``. Unless ``fresh``, labels must be those of earlier calls.
        """

    def _note_size(self, n_rows: int) -> None:
        """Take note of the number of rows of ``fit`` with a weight, before the inputs are learned."""

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        """Return the inputs of rows besides their users and items.

        With ``fit="fresh"``, the encoding of the inputs is learned first; with ``fit="more"``, it is extended.
        """
        return {}

    def _is_positive(self, events: Events) -> NDArray[np.bool_]:
        """Return which rows are positive, so that they count as seen and belong to histories."""
        return events.target > 0

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        """Log the positive events that are inside, in addition to those of ``log`` if given."""
        chosen = self._is_positive(events) & inside
        seen = events.users[chosen], events.items[chosen]
        sizes: dict[str, Any] = {"n_users": len(self._users), "n_items": len(self._items)}
        if events.weight is not None:
            sizes |= {"weights": events.weight[chosen], "store_weights": self._log_weights}
        elif self._log_weights:
            sizes["weights"] = np.ones(len(seen[0]))
        self._log = Interactions.from_codes(*seen, **sizes) if log is None else log.extend(*seen, **sizes)

    def _are_logged(self, events: Events) -> NDArray[np.bool_]:
        """Return which rows are events that an earlier call has logged."""
        return self._log.contains(events.users, events.items)

    # -- ranking ------------------------------------------------------------------------------------------------------

    def score_items(self, queries: Any = None, candidates: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Return the scores of items for users, by which :meth:`recommend` ranks.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.
        candidates : array-like of shape (n_candidates,), rows, or lists by query, default=None
            Item ids, rows with an item column, or a list for each query, as in :meth:`recommend`. If None, all items
            are scored.
        history : None
            Only for models that read histories.

        Returns
        -------
        ndarray of shape (n_queries, n_items or n_candidates), float32
            Columns in the order of ``items_`` or of ``candidates``. With a list for each query, ``scores[i, j]`` is
            that of the j-th item in the list of query i (of a sparse matrix, in the order of its columns; of a
            DataFrame, of its rows), and lists shorter than the longest are filled up with ``-inf``.

        Raises
        ------
        TypeError
            If there is a ``history``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.score_items(["ann", "bob"])
        array([[1., 2., 1.],
               [1., 2., 1.]], dtype=float32)
        >>> model.score_items(["ann"], candidates=["y", "x"])
        array([[2., 1.]], dtype=float32)
        >>> model.score_items(["ann", "bob"], candidates={"ann": ["y"], "bob": ["x", "y"]})
        array([[  2., -inf],
               [  1.,   2.]], dtype=float32)
        """
        check_is_fitted(self)
        return self._scored(*self._read_queries(queries, history), candidates)

    def _scored(self, ids: NDArray[Any], query: Query, candidates: Any) -> NDArray[np.float32]:
        """Score for queries that have been read; see :meth:`score_items`."""
        candidates = self._read_candidates(candidates, ids)
        if isinstance(candidates, CandidateLists):
            padded = np.full((len(ids), candidates.longest), -np.inf, np.float32)
            scores = self._score_lists(query, candidates, self._list_codes(candidates))
            padded[candidates.query, candidates.place] = scores
            return padded
        items = self._every_item() if candidates is None else self._read_query(candidates, "item")[1]
        scores = np.empty((len(query.codes), len(items.codes)), np.float32)

        def keep(part: Any, block: NDArray[np.float32]) -> None:
            scores[part] = block

        self._score_catalogue(query, items, keep)
        return scores

    def recommend(
        self,
        queries: Any = None,
        k: int = 10,
        *,
        history: Any = None,
        candidates: Any = None,
        exclude_seen: bool = True,
        exclude: Any = None,
        as_frame: bool = True,
    ) -> Any:
        """Return the ``k`` best items for each query.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.
        k : int, default=10
            Maximum number of items per query.
        history : None
            Only for models that read histories, such as :class:`~skrec.models.SASRecRanker`.
        candidates : array-like of shape (n_candidates,), rows, or lists by query, default=None
            The items to choose from: ids, or rows with an item column. The whole catalogue by default. An id that is
            there more than once counts once; its rows must have the same features. Or a list for each query: a dict
            ``{user: [item, ...]}``, a list of lists, a sparse matrix of shape (n_queries, n_items) with columns in the
            order of ``items_``, or a DataFrame with the columns of the user and the item, such as :meth:`recommend` of
            another model returns. A user without rows in that DataFrame gets nothing; one without a key in the dict
            is an error.
        exclude_seen : bool, default=True
            If True, exclude the items of the user's positive rows in ``fit`` (``y > 0``), see :meth:`seen_items`. Items
            of rows with ``y <= 0`` may be recommended; pass them in ``exclude`` to prevent it.
        exclude : array-like of shape (n_pairs, 2), rows or dict, default=None
            Further (user, item) pairs to exclude, or a dict ``{user: [item, ...]}``.
        as_frame : bool, default=True
            If True, return a DataFrame; otherwise, return a pair of arrays.

        Returns
        -------
        DataFrame
            Columns: user, item (named as in ``fit``), ``score`` and ``rank`` (from 1); best first, at most ``k`` rows a
            query, in the order of the queries. Items of equal scores are in the order of ``items_`` (by id, items of
            later fits last), unknown candidates after them as they were given. An unknown user gets what the row of
            unknown users scores best (or an error, see ``handle_unknown``).
        items, scores : ndarray of shape (n_queries, min(k, n_candidates))
            With ``as_frame=False``; of lists by query, the longest counts. Where fewer items are left for a user, the
            score is ``-inf`` and the item None.

        Raises
        ------
        ValueError
            If ``k`` is not a whole number of at least 1, ``queries`` is None, or ``candidates`` are empty. For an empty
            list of queries there is nothing to recommend: the result is empty.
        TypeError
            If there is a ``history``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.recommend(["bob", "new"], k=2)
          user_id item_id  score  rank
        0     bob       x    1.0     1
        1     bob       z    1.0     2
        2     new       y    2.0     1
        3     new       x    1.0     2
        >>> model.recommend(["bob"], candidates=["y", "z"], exclude_seen=False)
          user_id item_id  score  rank
        0     bob       y    2.0     1
        1     bob       z    1.0     2
        >>> model.recommend(["bob", "ann"], candidates={"ann": ["x", "z"], "bob": ["x", "y"]})
          user_id item_id  score  rank
        0     bob       x    1.0     1
        1     ann       z    1.0     1
        """
        check_is_fitted(self)
        return self._ranked(
            *self._read_queries(queries, history),
            k,
            candidates=candidates,
            exclude_seen=exclude_seen,
            exclude=exclude,
            as_frame=as_frame,
        )

    def _ranked(
        self,
        ids: NDArray[Any],
        query: Query,
        k: int,
        *,
        candidates: Any,
        exclude_seen: bool,
        exclude: Any,
        as_frame: bool,
    ) -> Any:
        """Rank for queries that have been read; see :meth:`recommend`."""
        check_k(k)
        candidates = self._read_candidates(candidates, ids)
        if isinstance(candidates, CandidateLists):
            options = {"exclude_seen": exclude_seen, "exclude": exclude}
            chosen, scores = self._best_in_lists(ids, query, int(k), candidates, **options)
        else:
            item_ids, chosen_from = self._candidates(candidates)
            users, items = query.codes, chosen_from.codes
            if exclude_seen:
                left_out = self._seen_among(query, items)
            else:
                left_out = csr_array((len(users), len(items)), dtype=bool)
            if exclude is not None:
                left_out = left_out.maximum(self._excluded_among(exclude, ids, item_ids)).tocsr()
            columns, scores = self._retrieve(query, min(int(k), len(items)), left_out, chosen_from)
            chosen = item_ids[columns]
        kept = scores > -np.inf
        if as_frame:
            return self._frame(ids, chosen, scores, kept)
        if not kept.all():
            chosen = chosen.astype(object)
            chosen[~kept] = None
        return chosen, scores

    def _retrieve(
        self, queries: Query, k: int, left_out: csr_array, items: Query
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the k best items of each query, by scoring all of them.

        A subclass with an index overrides this; for queries or items that the index does not serve it calls
        ``super()``.

        Parameters
        ----------
        queries, items : Query
            The queries, and the items that all of them choose from.
        k : int
            At most as many as there are items.
        left_out : csr_array of shape (n_queries, n_items), bool
            The items that must not be chosen.

        Returns
        -------
        columns : ndarray of shape (n_queries, k), int64
            Positions in ``items``, best first; ties in the order of the items.
        scores : ndarray of shape (n_queries, k), float32
            -inf where nothing is left to choose.
        """
        return retrieve_exactly(lambda consume: self._score_catalogue(queries, items, consume), k, left_out)

    # -- candidates that differ by query ------------------------------------------------------------------------------

    def _list_codes(self, lists: CandidateLists) -> Codes:
        self._need_role("item")
        return self._encode(lists.ids, "item", "candidates")

    def _score_lists(self, queries: Query, lists: CandidateLists, codes: Codes) -> NDArray[np.float32]:
        """Score the pairs of lists, each item computed once for all queries that have it."""
        if not len(codes):
            return np.empty(0, np.float32)
        if lists.rows is None:
            distinct, item = np.unique(codes, return_inverse=True)
            items = Query(distinct)
        else:
            at, first, item = np.unique(lists.rows, return_index=True, return_inverse=True)
            items = Query(codes[first], as_rows(lists.table, name="candidates"), at)
        return self._score_between(queries, items, lists.query, item)

    def _score_between(
        self, queries: Query, items: Query, query: NDArray[np.int64], item: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score pairs, given by the numbers of their query (in order) and of their item, as the catalogue is scored."""
        return score_pairs_by_blocks(self._score_catalogue, queries, items, query, item)

    def _best_in_lists(
        self, ids: NDArray[Any], queries: Query, k: int, lists: CandidateLists, *, exclude_seen: bool, exclude: Any
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return the items and scores of the k best in the list of each query: -inf where none is left."""
        n_items = len(self._items)
        codes = self._list_codes(lists)
        first, tie, same = distinct_pairs(lists, codes, n_items)
        if lists.rows is not None and len(first) < len(codes):
            kept = np.arange(len(lists.table))
            kept[lists.rows] = lists.rows[same]
            self._refuse_conflicts(as_rows(lists.table, name="candidates"), kept)
        rows = None if lists.rows is None else lists.rows[first]
        lists = replace(lists, query=lists.query[first], ids=lists.ids[first], rows=rows)
        codes = codes[first]
        scores = self._score_lists(queries, lists, codes)
        if exclude_seen:
            seen = self._seen(queries)
            keys = np.repeat(np.arange(seen.shape[0], dtype=np.int64) * n_items, np.diff(seen.indptr)) + seen.indices
            scores[(codes > 0) & np.isin(lists.query * n_items + codes - 1, keys)] = -np.inf
        if exclude is not None:
            distinct, column = np.unique(tie, return_inverse=True)
            representative = np.empty(len(distinct), np.int64)
            representative[column] = np.arange(len(tie))
            excluded = self._excluded_among(exclude, ids, lists.ids[representative])
            keys = np.repeat(np.arange(len(ids), dtype=np.int64), np.diff(excluded.indptr)) * len(distinct)
            scores[np.isin(lists.query * len(distinct) + column, keys + excluded.indices)] = -np.inf
        best = best_in_lists(lists.query, tie, scores, len(ids), min(k, lists.longest))
        return lists.ids[best], np.where(best < 0, np.float32(-np.inf), scores[best])

    def _frame(self, users: Any, items: Any, scores: Any, kept: Any) -> pd.DataFrame:
        roles = self._estimator_roles
        ranks = np.broadcast_to(np.arange(1, items.shape[1] + 1), items.shape)
        return pd.DataFrame(
            {
                roles.user_name: np.repeat(np.asarray(users), kept.sum(axis=1)),
                roles.item_name: items[kept],
                "score": scores[kept],
                "rank": ranks[kept],
            },
            copy=False,
        )
