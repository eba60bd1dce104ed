"""Base class of rankers without a network: counts, neighbors, linear models, and factors in closed form."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Rows
from skrec._estimators import _fit_context, check_is_fitted
from skrec._transaction import transaction
from skrec.base.given_histories import GivenHistories, history_matrix
from skrec.base.history_docs import EXPLAIN_RAISES, EXPLAINED_ITEMS, EXPLAINED_QUERIES, GIVEN_HISTORY, documented
from skrec.base.learning import learn
from skrec.base.ranker_mixin import RankerMixin
from skrec.base.reader import Codes, Query
from skrec.base.retrieval import ScoreConsumer, chunks
from skrec.base.sparse_state import with_arrays, without_arrays
from skrec.base.vectors import unit_rows

__all__ = ["ClosedFormRanker"]

_LARGEST_WEIGHT = 1e9


@dataclass(eq=False, repr=False, kw_only=True)
class ClosedFormRanker(RankerMixin, GivenHistories):
    """Base class for rankers that are computed from the interaction matrix, without a network.

    A model implements :meth:`_solve` and :meth:`_scores`. Everything else is inherited: ``fit``, ``partial_fit``,
    ``predict``, ``recommend`` (also for given histories), ``score_items``, ``explain`` and, if the model has item
    embeddings (``item_embeddings_``) or implements :meth:`_similarities`, ``similar_items``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import pandas as pd
    >>> from skrec.base import ClosedFormRanker
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class CoOccurrenceRanker(ClosedFormRanker):
    ...     def _solve(self, matrix):
    ...         self.together_ = matrix.T @ matrix
    ...
    ...     def _scores(self, histories):
    ...         return histories @ self.together_
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> CoOccurrenceRanker().fit(events).recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y    2.0     1
    """

    _item_shares: NDArray[np.float64] = field(init=False, repr=False)
    """Fraction of the total event weight for each item: the scores for users about whom nothing is known."""

    _log_weights: ClassVar[bool] = True
    _ids_may_come_alone: ClassVar[bool] = True
    _reads_histories: ClassVar[bool] = True  # whether scores depend on the history of the user

    def __getstate__(self) -> dict[str, Any]:
        return without_arrays(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(with_arrays(state))

    @property
    def reads_histories(self) -> bool:
        """Whether scores depend on the history of the user, so that ``recommend`` takes ``history=``."""
        return self._reads_histories

    # -- implemented by a model ---------------------------------------------------------------------------------------

    @abstractmethod
    def _solve(self, matrix: sparse.csr_array) -> None:
        """Learn from interactions: set the fitted attributes.

        Parameters
        ----------
        matrix : csr_array of shape (n_users, n_items), float64
            Total weight of the events of each user and item over all calls to ``fit`` and ``partial_fit``: the number
            of events, or the sum of their ``sample_weight``. Rows and columns are in the order of ``users_`` and
            ``items_``.
        """

    def _solve_again(self, matrix: sparse.csr_array) -> None:
        """Learn from interactions after ``partial_fit`` added to them; the fitted attributes have earlier values.

        By default, this is :meth:`_solve`. Iterative models can start from the earlier values: ids that were added
        have positions after the known ones.

        Parameters
        ----------
        matrix : csr_array of shape (n_users, n_items), float64
            All interactions, as in :meth:`_solve`.
        """
        self._solve(matrix)

    @abstractmethod
    def _scores(self, histories: sparse.csr_array) -> Any:
        """Score all items for queries.

        Parameters
        ----------
        histories : csr_array of shape (n_queries, n_items), float64
            Weights of the events of each query: rows of the matrix passed to ``_solve``, or histories passed by the
            caller.

        Returns
        -------
        ndarray or sparse array of shape (n_queries, n_items)
            Scores. An array of shape (1, n_items) is used for all queries.
        """

    def _similarities(self, items: NDArray[np.intp]) -> Any:
        """Return the similarities of all items to the given items.

        Parameters
        ----------
        items : ndarray of shape (n,)
            Positions in ``items_``.

        Returns
        -------
        ndarray or sparse array of shape (n, n_items)
            Similarities. The default is the cosine similarity of ``item_embeddings_``.
        """
        if not hasattr(self, "item_embeddings_"):
            raise AttributeError(
                f"{type(self).__name__} does not support similar items. Use a model that does, such as ItemKNNRanker "
                "or NCFRanker."
            )
        vectors = unit_rows(self.item_embeddings_)
        return vectors[items] @ vectors.T

    def _search_space(self, distributions: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return the search space: an Optuna distribution for each parameter to tune."""
        return {}

    # -- fitting ------------------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit the model.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Training data, one event per row.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are positives, all others are ignored. If None, all rows are positives.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        self
            The fitted estimator.
        """
        with transaction(self) as model:
            model._learn_and_solve(X, y, sample_weight, fresh=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Add further events with their new users and items, and solve again.

        The result equals a single ``fit`` on all events; iterative models start from their earlier solution instead.
        Rows with ``y <= 0`` add their users and items, without events: with ``y=0``, all of them do.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        seen : bool, default=False
            Whether these rows were passed to an earlier call. If True, they are not counted again, and nothing
            changes.

        Returns
        -------
        self
            The fitted estimator.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> first = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]})
        >>> model = PopularityRanker().partial_fit(first)
        >>> model = model.partial_fit(pd.DataFrame({"user_id": ["cy", "cy"], "item_id": ["y", "z"]}))
        >>> model.score_items(["ann"])
        array([[1., 2., 1.]], dtype=float32)
        """
        with transaction(self) as model:
            model._learn_and_solve(X, y, sample_weight, fresh=not model.__sklearn_is_fitted__(), seen=seen)
        return self

    def _learn_and_solve(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, seen: Any = False) -> None:
        events = learn(self, X, y, sample_weight, fresh=fresh, more=not fresh, seen=seen)
        if events.seen:
            return
        matrix = self._log.matrix()
        if self._reads_histories and matrix.nnz:
            _refuse_extremes(float(matrix.data.max()))
        weights = np.asarray(matrix.sum(axis=0))
        self._item_shares = weights / (weights.sum() or 1.0)
        if fresh:
            self._solve(matrix)
        else:
            self._solve_again(matrix)

    # -- scoring ------------------------------------------------------------------------------------------------------

    def _histories_of(self, queries: Query) -> sparse.csr_array:
        """Return the given or stored histories of queries."""
        if queries.history is None:
            return self._log.matrix(queries.codes)
        return history_matrix(queries.history, len(self._items))

    def _block(self, histories: sparse.csr_array) -> NDArray[np.float32]:
        """Score all items for histories; those that give no item a score, or are empty, are scored by popularity."""
        block = self._model_scores(histories)
        if self._reads_histories:
            block[~self._are_told(block, histories)] = self._item_shares
        return block

    def _model_scores(self, histories: sparse.csr_array) -> NDArray[np.float32]:
        """Score all items for histories by the model; only empty histories are scored by popularity."""
        scores = self._scores(histories)
        dense = scores.toarray() if sparse.issparse(scores) else np.asarray(scores)
        block: NDArray[np.float32] = np.broadcast_to(dense, histories.shape).astype(np.float32)  # a writable copy
        if self._reads_histories:
            block[np.diff(histories.indptr) == 0] = self._item_shares
        return block

    def _are_told(self, block: NDArray[np.float32], histories: sparse.csr_array) -> NDArray[np.bool_]:  # noqa: ARG002
        """Return which histories tell anything about items, given the scores of all items for them."""
        return np.asarray(block.any(axis=1))

    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        histories, known = self._histories_of(queries), items.codes > 0
        n = histories.shape[0]
        for part in chunks(n, len(self._items)):
            block = self._block(histories if part == slice(0, n) else histories[part])
            consume(part, block if items.whole else np.where(known, block[:, items.codes - 1], np.float32(0)))

    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        users, items = self._pair_codes(rows)
        scores = np.empty(len(users), np.float32)
        order = np.argsort(users, kind="stable")
        distinct, first = np.unique(users[order], return_index=True)
        stop = np.append(first[1:], len(users))
        for part in chunks(len(distinct), len(self._items)):
            at = order[first[part.start] : stop[part.stop - 1]]
            block = self._block(self._log.matrix(distinct[part]))
            scores[at] = block[np.searchsorted(distinct[part], users[at]), items[at] - 1]
        return np.where(items > 0, scores, np.float32(0))

    def _score_similar(self, items: Codes, consume: ScoreConsumer) -> None:
        for part in chunks(len(items), len(self._items)):
            found = self._similarities(items[part].astype(np.intp) - 1)
            consume(part, (found.toarray() if sparse.issparse(found) else np.asarray(found)).astype(np.float32))

    # -- explanations -------------------------------------------------------------------------------------------------

    @documented(queries=EXPLAINED_QUERIES, items=EXPLAINED_ITEMS, history=GIVEN_HISTORY, raises=EXPLAIN_RAISES)
    def explain(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return the contribution of each past item to the scores of recommended items.

        The contribution of a past item is the score with the whole history minus the score with the history without
        that item. In a linear model, contributions add up to the score. With an empty history, an item is scored by
        its fraction of the total weight of all events; one that tells nothing about any other item counts 0.

        Parameters
        ----------
        {queries}
        {items}
        {history}

        Returns
        -------
        DataFrame
            One row per query and past item, in descending order of the magnitude of the contribution. The columns are
            ``query`` (index of the query), the user, the item, ``past_item`` and ``contribution``.

        Raises
        ------
        {raises}

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import ItemKNNRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "z"]})
        >>> model = ItemKNNRanker(shrink=0.0).fit(events)
        >>> model.explain(history=[["z", "x"]], items=["y"])  # x and y are always together
           query  user_id item_id past_item  contribution
        0      0        0       y         x           1.0
        1      0        0       y         z           0.0
        """
        check_is_fitted(self)
        ids, read, item_ids, about = self._read_explained("explain", queries, items, history)
        histories = self._histories_of(read)
        parts = self._contributions_to(histories, about)
        query = np.repeat(np.arange(len(ids)), [len(past) for past, _ in parts])
        past = np.concatenate([np.empty(0, np.int64), *(past for past, _ in parts)])
        contribution = np.concatenate([np.empty(0, np.float32), *(values for _, values in parts)])
        order = np.lexsort((-np.abs(contribution), query))
        return pd.DataFrame(
            {
                "query": query[order],
                self._estimator_roles.user_name: np.asarray(ids)[query[order]],
                self._estimator_roles.item_name: np.asarray(item_ids)[query[order]],
                "past_item": self._items.ids[past[order]],
                "contribution": contribution[order],
            }
        )

    def _contributions_to(
        self, histories: sparse.csr_array, items: Query
    ) -> list[tuple[NDArray[Any], NDArray[np.float32]]]:
        """Return the positions of the past items of each history and their contributions to the score of its item."""
        return [self._contributions(histories[[query]], code) for query, code in enumerate(items.codes.tolist())]

    def _contributions(self, history: sparse.csr_array, item: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return the positions of the past items of one history and their contributions to the score of an item."""
        past = history.indices.astype(np.int64)
        if item == 0 or not len(past):
            return past, np.zeros(len(past), np.float32)
        n = len(past)
        others = ~np.eye(n, dtype=bool)
        indptr = np.arange(0, n * (n - 1) + 1, n - 1) if n > 1 else np.zeros(n + 1, np.int64)
        rows = (np.tile(history.data, (n, 1))[others], np.tile(past, (n, 1))[others], indptr)
        without = sparse.csr_array(rows, shape=(n, history.shape[1]))
        scores = np.empty(n, np.float32)
        for part in chunks(n, history.shape[1]):
            scores[part] = self._model_scores(without[part])[:, item - 1]
        whole = self._model_scores(history)
        told = self._are_told(whole, history)[0] or not self._reads_histories
        return past, whole[0, item - 1] - scores if told else np.zeros(n, np.float32)


def _refuse_extremes(largest: float) -> None:
    """Refuse weights whose squares and sums leave the range of single precision."""
    if not 1 / _LARGEST_WEIGHT <= largest <= _LARGEST_WEIGHT:
        raise ValueError(
            f"The largest sum of the sample_weight of a user's events with an item is {largest:.3g}, but it must be "
            f"from {1 / _LARGEST_WEIGHT:g} to {_LARGEST_WEIGHT:g}: results are computed in single precision. Divide "
            "sample_weight by its mean."
        )
