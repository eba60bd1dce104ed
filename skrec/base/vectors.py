"""Vectors of queries and items, and the items that are similar to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import check_is_fitted
from skrec.base.catalogue import CatalogueReader
from skrec.base.reader import Codes, Query
from skrec.base.retrieval import ScoreConsumer, check_k, chunks, retrieve_exactly


class VectorRecommender(CatalogueReader):
    """Base of recommenders: vectors of queries and items, and similar items, of models that have them."""

    _instead_of_explain: ClassVar[str] = (
        "it does not score items by single past events. sklearn.inspection.permutation_importance tells which columns "
        "matter."
    )
    """What ``explain`` of a model without one says: why there is none, and what to use."""

    def encode_queries(self, queries: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Return query vectors, whose inner products with item vectors give the ranking of :meth:`recommend`.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            As for :meth:`recommend`.
        history : list of lists of item ids, or rows, default=None
            As for :meth:`recommend`, of models that read histories.

        Returns
        -------
        ndarray of shape (n_queries, dim), float32
            ``encode_queries(queries) @ encode_items().T`` differs from ``score_items(queries)`` only by a constant
            (and, for a Regressor, by a positive factor).

        Raises
        ------
        AttributeError
            If the scores of the model are not inner products of such vectors.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> events = make_interactions(50, 20, 600, random_state=0)
        >>> model = NCFRanker(architecture="gmf", epochs=2, random_state=0).fit(events)
        >>> queries, items = model.encode_queries([3, 7]), model.encode_items()
        >>> queries.shape, items.shape  # with two biases
        ((2, 66), (20, 66))
        >>> best = (queries @ items.T).argmax(axis=1)
        >>> recommended = model.recommend([3, 7], k=1, exclude_seen=False)["item_id"]
        >>> model.items_[best].tolist() == recommended.tolist()
        True
        """
        check_is_fitted(self)
        return self._query_vectors(self._read_queries(queries, history)[1])

    def encode_items(self, items: Any = None) -> NDArray[np.float32]:
        """Return item vectors, for inner products with those of :meth:`encode_queries`.

        Parameters
        ----------
        items : array-like of shape (n,) or rows, default=None
            Item ids, or rows with an item column. If None, all items in the order of ``items_``.

        Returns
        -------
        ndarray of shape (n, dim), float32

        Raises
        ------
        AttributeError
            If the scores of the model are not inner products of such vectors.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PureSVDRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
        >>> model = PureSVDRanker(embedding_dim=1, random_state=0).fit(events)
        >>> model.encode_items().shape, model.encode_items(["y"]).shape
        ((2, 1), (1, 1))
        """
        check_is_fitted(self)
        query = self._every_item() if items is None else self._read_query(items, "item")[1]
        return self._item_vectors(query)

    def _query_vectors(self, queries: Query) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the vectors of queries: (n_queries, dim)."""
        raise self._no_vectors()

    def _item_vectors(self, items: Query) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the vectors of items: (n_items, dim)."""
        raise self._no_vectors()

    def _no_vectors(self) -> AttributeError:
        return AttributeError(
            f"The scores of this {type(self).__name__} are not inner products of a vector of the query and one of the "
            "item, so that it has none to give. Rank with recommend or score_items; or use a factorised model, such as "
            "NCFRanker(architecture='gmf'), FMRanker or SASRecRanker."
        )

    def similar_items(self, items: Any, k: int = 10) -> pd.DataFrame:
        """Return the items with the most similar embeddings.

        Parameters
        ----------
        items : array-like of shape (n,) or rows
            Item ids, or rows with an item column.
        k : int, default=10
            Number of similar items for each item.

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
        check_k(k)
        ids, query = self._read_compared(items)
        codes, n_items = query.codes, len(self._items)
        k = min(int(k), n_items - 1)
        known = np.flatnonzero(codes > 0)
        itself = csr_array((np.ones(len(known), bool), (known, codes[known] - 1)), shape=(len(codes), n_items))
        columns, scores = retrieve_exactly(lambda consume: self._score_compared(query, consume), k, itself)
        return pd.DataFrame(
            {
                self._estimator_roles.item_name: np.repeat(ids, k),
                "similar_item": self._items.ids[columns].ravel(),
                "score": scores.ravel(),
                "rank": np.tile(np.arange(1, k + 1), len(codes)),
            }
        )

    def _read_compared(self, items: Any) -> tuple[NDArray[Any], Query]:
        """Read the items that others are compared with; a model that compares features may accept new ones."""
        ids = self._column_of(items, "item", "items")
        codes = self._items.encode(ids, where="items")
        self._items.refuse_unknown(ids, codes, where="items")
        return ids, Query(codes)

    def _score_compared(self, items: Query, consume: ScoreConsumer) -> None:
        """Call ``consume(slice of the items, how similar all items of the catalogue are to them)``."""
        self._score_similar(items.codes, consume)

    if not TYPE_CHECKING:  # models that explain define a method

        @property
        def explain(self) -> Any:
            """Not there: no score of this model is made of contributions of past events (an AttributeError)."""
            raise AttributeError(
                f"{type(self).__name__} has no explain: {self._instead_of_explain} Models that do are SASRecRanker, "
                "GRU4RecRanker and DINRanker, DINClassifier and DINRegressor."
            )

    def _score_similar(self, items: Codes, consume: ScoreConsumer) -> None:
        """Call ``consume(slice of the items, how similar all items of the catalogue are to them)``.

        By default this is the cosine of ``item_embeddings_``.
        """
        if not hasattr(self, "item_embeddings_"):
            raise AttributeError(
                f"{type(self).__name__} learns no embeddings of items, by which they could be compared. Use a model "
                "that does, such as NCFRanker or SASRecRanker."
            )
        vectors = unit_rows(self.item_embeddings_)
        for part in chunks(len(items), len(vectors)):
            consume(part, vectors[items[part] - 1] @ vectors.T)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each vector by its length; a vector of zeros is left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.vectors import unit_rows
    >>> unit_rows(np.array([[3, 4], [0, 0]], np.float32))
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    lengths: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    lengths[lengths == 0] = 1
    return vectors / lengths
