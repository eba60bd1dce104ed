"""Explanations of scores by past items and by features."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._estimators import check_is_fitted
from skrec.base.history_docs import EXPLAIN_RAISES, EXPLAINED_QUERIES, GIVEN_HISTORY, documented
from skrec.base.item_features import ItemFeatures
from skrec.base.reader import Query
from skrec.base.retrieval import chunks
from skrec.models.content._encoders import Encoder, value_names

__all__ = ["FeatureExplanations", "entry_products"]


@dataclass(eq=False, repr=False, kw_only=True)
class FeatureExplanations(ItemFeatures):
    """Base class with ``explain`` and ``explain_features`` of models that score items by weights of features."""

    item_vectors_: sparse.csr_array = field(init=False, repr=False)
    _encoders: list[Encoder] = field(init=False, repr=False)

    @abstractmethod
    def _regressed(self, vectors: sparse.csr_array) -> NDArray[np.float64]:
        """Return vectors multiplied by the (symmetric) matrix of the regression."""

    @abstractmethod
    def _profiles(self, histories: sparse.csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weights of features for histories, and the factors of their scores: 0 without features."""

    @documented(queries=EXPLAINED_QUERIES, history=GIVEN_HISTORY, raises=EXPLAIN_RAISES)
    def explain(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return the contribution of each past item to the scores of recommended items.

        The contributions of the past items of a query add up to the score without the part of the popularity. They are
        0 for users who get popular items because their history has no features.

        Parameters
        ----------
        {queries}
        items : array-like of shape (n_queries,) or rows, default=None
            The item to explain for each query: ids, or rows with the features of items, which may be new. Required if
            the rows of `queries` have no item column.
        {history}

        Returns
        -------
        DataFrame
            One row per query and past item, in descending order of the magnitude of the contribution. The columns are
            ``query`` (index of the query), the user, the item, ``past_item`` and ``contribution``.

        Raises
        ------
        {raises}

        See Also
        --------
        ContentRanker.explain_features : The contributions of features.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import ContentRanker
        >>> genres = {"x": "War", "y": "War", "z": "Art"}
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["x", "z", "y"]})
        >>> model = ContentRanker().fit(events.assign(genre=events["item_id"].map(genres)))
        >>> model.explain(["ann"], items=["y"])["past_item"].tolist()  # x is of the same genre
        ['x', 'z']
        """
        return super().explain(queries, items, history=history)

    def _contributions_to(
        self, histories: sparse.csr_array, items: Query
    ) -> list[tuple[NDArray[Any], NDArray[np.float32]]]:
        vectors, found = self._vectors_for(items), []
        for part in chunks(histories.shape[0], max(vectors.shape[1], 1)):
            _, factors = self._profiles(histories[part])
            mapped = self._regressed(vectors[part])
            for at, query in enumerate(range(part.start, part.stop)):
                past = histories[[query]]
                values = past.data * (self.item_vectors_[past.indices] @ mapped[at]) * factors[at]
                found.append((past.indices.astype(np.int64), values.astype(np.float32)))
        return found

    def explain_features(self, queries: Any = None, items: Any = None, *, history: Any = None) -> pd.DataFrame:
        """Return the contribution of each feature to the scores of recommended items.

        The contribution of a feature is the weight that the user's history gives it, multiplied by its value in the
        vector of the item. The contributions of a query add up to the score without the part of the popularity, as
        those of :meth:`explain` do.

        Parameters
        ----------
        queries, items, history
            As in :meth:`explain`.

        Returns
        -------
        DataFrame
            One row per query and feature that the item has, in descending order of the magnitude of the contribution.
            The columns are ``query`` (index of the query), the user, the item, ``feature`` (the name of the column),
            ``value`` (a word or a category; None for numbers and arrays, which have one row) and ``contribution``.

        Raises
        ------
        ValueError
            If items are missing, or their number differs from the number of queries.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import ContentRanker
        >>> films = pd.DataFrame({"item_id": ["alien", "dune"], "genres": [["scifi", "horror"], ["scifi", "desert"]]})
        >>> events = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["alien", "dune"]}).merge(films)
        >>> model = ContentRanker(item_features=["genres"], popularity=0).fit(events)
        >>> model.explain_features(["ann"], ["dune"])[["feature", "value"]].values.tolist()
        [['genres', 'scifi'], ['genres', 'desert']]
        """
        check_is_fitted(self)
        ids, read, item_ids, about = self._read_explained("explain_features", queries, items, history)
        histories, vectors = self._histories_of(read), self._vectors_for(about)
        parts = [(np.empty(0, np.intp), np.empty(0, np.int32), np.empty(0))]
        for part in chunks(histories.shape[0], max(vectors.shape[1], 1)):
            profiles, factors = self._profiles(histories[part])
            pair, values = entry_products(profiles, np.arange(len(factors)), vectors[part])
            parts.append((pair + part.start, vectors[part].indices, values * factors[pair]))
        query, dimension, contribution = (np.concatenate(each) for each in zip(*parts, strict=True))
        feature, number, value = self._dimensions()
        keys = pd.DataFrame({"query": query, "feature": feature[dimension], "number": number[dimension]})
        found = keys.assign(contribution=contribution).groupby([*keys], as_index=False, sort=False).sum()
        order = np.lexsort((-np.abs(found["contribution"].to_numpy()), found["query"].to_numpy()))
        found = found.iloc[order].reset_index(drop=True)
        at = found["query"].to_numpy()
        return pd.DataFrame(
            {
                "query": at,
                self._estimator_roles.user_name: np.asarray(ids)[at],
                self._estimator_roles.item_name: np.asarray(item_ids)[at],
                "feature": np.array(self.feature_names_, object)[found["feature"]],
                "value": pd.Series(value[found["number"]], dtype=object),
                "contribution": found["contribution"].to_numpy(np.float32),
            }
        )

    def _dimensions(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
        """Return the column of each dimension of the vectors, the number of its value, and the values.

        The dimensions of a number, and those of an array, have one value, None.
        """
        names = [value_names(encoder) for encoder in self._encoders]
        column = np.repeat(np.arange(len(names)), [len(each) for each in names])
        values = np.concatenate(names)
        first = np.flatnonzero(np.diff(column, prepend=-1))
        is_one = np.array([value is None for value in values.tolist()], bool)
        number = np.where(is_one, first[np.cumsum(np.diff(column, prepend=-1) != 0) - 1], np.arange(len(values)))
        return column, number, values


def entry_products(
    profiles: NDArray[np.float64], rows: NDArray[np.intp], vectors: sparse.csr_array
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return, for each entry of the vectors, its row and its product with the weight in a profile (`rows`)."""
    pair = np.repeat(np.arange(len(rows)), np.diff(vectors.indptr))
    return pair, vectors.data * profiles[rows[pair], vectors.indices]
