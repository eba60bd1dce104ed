"""What every recommender can do once it knows how to score: recommend, score items, tell what it has seen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from skrec._data import Interactions, Rows, Vocabulary
from skrec._data.columns import as_column
from skrec._recommend import exclusions_of, refuse_history, refuse_nothing, top_k
from skrec.models._events import Events, Inputs
from skrec.models._reader import Asked, Codes, Reader

_CELLS = 2**23  # scores held at a time

Work = Callable[[Any, NDArray[np.float32]], None]


@dataclass(eq=False, repr=False, kw_only=True)
class Recommender(Reader):
    """Base of all recommenders: ``recommend`` and its kin, from scores.

    A subclass scores with :meth:`_score_rows` and :meth:`_score_catalogue`.
    """

    _instead_of_explain: ClassVar[str] = (
        "it does not score items by single past events. sklearn.inspection.permutation_importance tells which columns "
        "matter."
    )
    """What ``explain`` of a model without one says: why there is none, and what to use."""

    # -- what a subclass provides -------------------------------------------------------------------------------------

    @abstractmethod
    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        """Relevance of each row's item for its user, shape (n,)."""

    @abstractmethod
    def _score_catalogue(self, queries: Asked, items: Asked, work: Work) -> None:
        """Call ``work(slice or numbers of queries, relevance of all items for them)``, perhaps in several threads."""

    @abstractmethod
    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        """Check ``y``; return targets and weights of the rows, and the number of outputs that they need.

        Error messages call ``y`` by its ``name``. Unless ``fresh``, labels must be those of earlier calls.
        """

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        """Return what a model is given of rows, besides their users and items.

        ``fit="fresh"`` learns how to read them first, ``"more"`` learns more.
        """
        return {}

    def _counted(self, events: Events) -> NDArray[np.bool_]:
        """Tell which rows count as seen and belong to a history: those that were chosen, not merely shown."""
        return events.target > 0

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        """Log what users chose in the events that are inside: beside what ``log`` holds, or alone."""
        chosen = self._counted(events) & inside
        seen = events.users[chosen], events.items[chosen]
        sizes = {"n_users": len(self._users), "n_items": len(self._items)}
        self._log = Interactions.from_codes(*seen, **sizes) if log is None else log.extend(*seen, **sizes)

    def _are_logged(self, events: Events) -> NDArray[np.bool_]:
        """Tell which rows are events that an earlier call logged."""
        return self._log.contains(events.users, events.items)

    # -- ranking ------------------------------------------------------------------------------------------------------

    def seen_items(self, queries: Any) -> csr_array:
        """Return which items of the catalogue each user chose in ``fit``.

        Those are the items of the user's positive rows, ``y > 0`` (without ``y``, and of a Regressor, of all rows; of a
        Classifier, of rows of another class than the first). A row with ``y <= 0`` was shown, not chosen.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.

        Returns
        -------
        csr_array of shape (n_queries, n_items)
            True where the user chose the item; columns in the order of ``items_``. Unknown users chose nothing.

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
        return self._log.seen(self._asked(queries, "user")[1].codes)

    def score_items(self, queries: Any = None, candidates: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Score items for users: the relevance that :meth:`recommend` ranks by.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.
        candidates : array-like of shape (n_candidates,) or rows, default=None
            Item ids, or rows with an item column; the whole catalogue by default.
        history : None
            Only for models that read histories.

        Returns
        -------
        ndarray of shape (n_queries, n_items or n_candidates), float32
            Columns in the order of ``items_`` or of ``candidates``.

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
        """
        refuse_history(self, history)
        refuse_nothing(self, queries, history)
        check_is_fitted(self)
        return self._scored(self._asked(queries, "user")[1], candidates)

    def _scored(self, asked: Asked, candidates: Any) -> NDArray[np.float32]:
        items = Asked(self._catalogue_codes()) if candidates is None else self._asked(candidates, "item")[1]
        scores = np.empty((len(asked.codes), len(items.codes)), np.float32)

        def keep(part: Any, block: NDArray[np.float32]) -> None:
            scores[part] = block

        self._score_catalogue(asked, items, keep)
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
            How many items at most.
        history : None
            Only for models that read histories, such as :class:`~skrec.models.SASRecRanker`.
        candidates : array-like of shape (n_candidates,) or rows, default=None
            The items to choose from: ids, or rows with an item column. The whole catalogue by default. An id that is
            there more than once counts once, with the features of its first row.
        exclude_seen : bool, default=True
            Leave out the items that the user chose in ``fit``, as :meth:`seen_items` tells: positive rows, ``y > 0``.
            A row with ``y <= 0`` was shown, not chosen, and may be recommended: pass it in ``exclude``.
        exclude : array-like of shape (n_pairs, 2) or rows, default=None
            Further (user, item) pairs to leave out.
        as_frame : bool, default=True
            Whether to return a DataFrame or a pair of arrays.

        Returns
        -------
        DataFrame
            Columns: user, item (named as in ``fit``), ``score`` and ``rank`` (from 1); best first, at most ``k`` rows a
            query, in the order of the queries. Equal scores are ranked in vocabulary order. An unknown user gets what
            the row of unknown users scores best (or an error, see ``handle_unknown``).
        items, scores : ndarray of shape (n_queries, min(k, n_candidates))
            With ``as_frame=False``. Where fewer items are left for a user, the score is ``-inf`` and the item None.

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
        """
        refuse_history(self, history)
        refuse_nothing(self, queries, history)
        check_is_fitted(self)
        return self._ranked(
            *self._asked(queries, "user"),
            k,
            candidates=candidates,
            exclude_seen=exclude_seen,
            exclude=exclude,
            as_frame=as_frame,
        )

    def _ranked(
        self,
        ids: NDArray[Any],
        asked: Asked,
        k: int,
        *,
        candidates: Any,
        exclude_seen: bool,
        exclude: Any,
        as_frame: bool,
    ) -> Any:
        """Rank for queries that have been read; see :meth:`recommend`."""
        _check_k(k)
        item_ids, chosen_from = self._candidates(candidates)
        users, items = asked.codes, chosen_from.codes
        left_out = self._seen_among(asked, items) if exclude_seen else csr_array((len(users), len(items)), dtype=bool)
        if exclude is not None:
            left_out = left_out.maximum(self._excluded_among(exclude, ids, item_ids)).tocsr()
        k = min(int(k), len(items))
        columns, scores = np.empty((len(users), k), np.int64), np.empty((len(users), k), np.float32)

        def choose(part: Any, block: NDArray[np.float32]) -> None:
            out = left_out[part]
            block[np.repeat(np.arange(block.shape[0], dtype=np.int32), np.diff(out.indptr)), out.indices] = -np.inf
            columns[part], scores[part] = top_k(block, k)

        self._score_catalogue(asked, chosen_from, choose)
        chosen = item_ids[columns]
        kept = scores > -np.inf
        if as_frame:
            return self._frame(ids, chosen, scores, kept)
        if not kept.all():
            chosen = chosen.astype(object)
            chosen[~kept] = None
        return chosen, scores

    def similar_items(self, items: Any, k: int = 10) -> pd.DataFrame:
        """Return the items whose embeddings point the same way.

        Parameters
        ----------
        items : array-like of shape (n,) or rows
            Item ids, or rows with an item column.
        k : int, default=10
            How many for each.

        Returns
        -------
        DataFrame
            Columns: the item column named as in ``fit``, ``similar_item``, ``score`` (cosine of the angle between the
            embeddings, from -1 to 1) and ``rank``; best first. An item is not similar to itself.

        Raises
        ------
        AttributeError
            If the model has no item embeddings.
        UnknownIdError
            If an item was not seen in ``fit``.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> model = NCFRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
        >>> similar = model.similar_items([3], k=2)
        >>> similar.columns.tolist(), len(similar)
        (['item_id', 'similar_item', 'score', 'rank'], 2)
        """
        check_is_fitted(self)
        _check_k(k)
        if not hasattr(self, "item_embeddings_"):
            raise AttributeError(
                f"{type(self).__name__} learns no embeddings of items, by which they could be compared. Use a model "
                "that does, such as NCFRanker or SASRecRanker."
            )
        ids = self._column_of(items, "item")
        codes = self._items.encode(ids, where="items")
        self._items.refuse_unknown(ids, codes, where="items")
        vectors: NDArray[np.float32] = normalize(self.item_embeddings_)
        k = min(int(k), len(vectors) - 1)
        columns, scores = np.empty((len(codes), k), np.int64), np.empty((len(codes), k), np.float32)
        for part in chunks(len(codes), len(vectors)) if k else ():
            cosines = vectors[codes[part] - 1] @ vectors.T
            cosines[np.arange(len(cosines)), codes[part] - 1] = -np.inf
            columns[part], scores[part] = top_k(cosines, k)
        return pd.DataFrame(
            {
                self._estimator_roles.item_name: np.repeat(ids, k),
                "similar_item": self._items.ids[columns].ravel(),
                "score": scores.ravel(),
                "rank": np.tile(np.arange(1, k + 1), len(codes)),
            }
        )

    if not TYPE_CHECKING:  # models that explain define a method

        @property
        def explain(self) -> Any:
            """Not there: no score of this model is made of contributions of past events (an AttributeError)."""
            raise AttributeError(
                f"{type(self).__name__} has no explain: {self._instead_of_explain} Models that do are SASRecRanker, "
                "GRU4RecRanker and DINRanker, DINClassifier and DINRegressor."
            )

    def _frame(self, users: Any, items: Any, scores: Any, kept: Any) -> pd.DataFrame:
        roles = self._estimator_roles
        ranks = np.broadcast_to(np.arange(1, items.shape[1] + 1), items.shape)
        return pd.DataFrame(
            {
                roles.user_name: np.repeat(np.asarray(users), kept.sum(axis=1)),
                roles.item_name: items[kept],
                "score": scores[kept],
                "rank": ranks[kept],
            }
        )

    def _catalogue_codes(self) -> Codes:
        self._need_role("item")
        return np.arange(1, len(self._items) + 1, dtype=np.int32)

    def _candidates(self, candidates: Any) -> tuple[NDArray[Any], Asked]:
        """Ids and codes of the candidates, each once: known ones in vocabulary order, then unknown ones."""
        if candidates is None:
            return self._items.ids, Asked(self._catalogue_codes())
        ids, asked = self._asked(candidates, "item")
        if len(ids) == 0:
            raise ValueError("candidates is empty: pass at least one item id, or None for the whole catalogue.")
        codes = asked.codes
        known, first = np.unique(codes, return_index=True)
        known, first = known[known > 0], first[known > 0]
        strangers = np.flatnonzero(codes == 0)
        strangers = strangers[~pd.Series(as_column(ids)[strangers]).duplicated().to_numpy()]
        at = np.concatenate([first, strangers])
        if len(strangers) == 0:
            return self._items.ids[known - 1], Asked(known, asked.rows, at)
        both = [*self._items.ids[known - 1], *as_column(ids)[strangers]]
        return as_column(both), Asked(codes[at], asked.rows, at)

    def _seen(self, queries: Asked) -> csr_array:
        """Mark the items of the catalogue that queries have seen."""
        return self._log.seen(queries.codes)

    def _seen_among(self, queries: Asked, items: Codes) -> csr_array:
        """Mark the (query, candidate) pairs that have been seen."""
        seen, n_items = self._seen(queries), len(self._items)
        if len(items) == n_items and items[0] == 1 and items[-1] == n_items:
            return seen
        known = seen[:, items[items > 0] - 1].tocsr()  # unknown candidates come last, and nobody has seen them
        return csr_array((known.data, known.indices, known.indptr), shape=(len(queries.codes), len(items)))

    def _excluded_among(self, exclude: Any, queries: NDArray[Any], candidates: NDArray[Any]) -> csr_array:
        """Mark the (query, candidate) pairs that ``exclude`` names; by id, for they need not be known."""
        roles = self._estimator_roles
        exclusions = exclusions_of(exclude, roles.user_name, roles.item_name)
        if not (len(exclusions) and len(queries)):
            return csr_array((len(queries), len(candidates)), dtype=bool)
        exclusions.doubt(as_column(queries), as_column(candidates), self._users.ids)
        users, user_codes = Vocabulary.fit(queries, name=roles.user_name)
        items, item_codes = Vocabulary.fit(candidates, name=roles.item_name)
        pairs = [
            ids.encode(pair, where="exclude") for ids, pair in ((users, exclusions.users), (items, exclusions.items))
        ]
        excluded = Interactions.from_codes(pairs[0], pairs[1], n_users=len(users), n_items=len(items)).seen(user_codes)
        return excluded[:, item_codes - 1].tocsr()


def _check_k(k: Any) -> None:
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of at least 1: how many items to return.")


def chunks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of ``n`` rows whose scores of ``width`` columns stay within memory."""
    size = max(1, _CELLS // max(1, width))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
