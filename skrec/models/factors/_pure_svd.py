"""Truncated singular value decomposition of the matrix of events."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import Interval
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.models.factors._vectors import FactorRanker

__all__ = ["PureSVDRanker"]


@documented(columns=CLOSED_FORM_COLUMNS, fitted=CLOSED_FORM_FITTED)
@dataclass(eq=False, repr=False, kw_only=True)
class PureSVDRanker(FactorRanker):
    """Rank items by a truncated singular value decomposition (PureSVD).

    The matrix of users and items is projected onto its leading right singular vectors, with zeros for items without an
    event [1]_. The score of an item is its entry in the projected history.

    Parameters
    ----------
    embedding_dim : int, default=25
        Number of singular vectors. At most the smaller number of users and items is used.
    random_state : int, RandomState instance or None, default=None
        Seed of the randomized decomposition of :func:`sklearn.utils.extmath.randomized_svd`.
    {columns}

    Attributes
    ----------
    user_embeddings_ : ndarray of shape (n_users, embedding_dim), float32
        Left singular vectors times singular values.
    item_embeddings_ : ndarray of shape (n_items, embedding_dim), float32
        Right singular vectors.
    singular_values_ : ndarray of shape (embedding_dim,)
        Singular values in descending order.
    {fitted}

    See Also
    --------
    ALSRanker : Factors that weigh events more than missing ones, which are usually better.

    References
    ----------
    .. [1] P. Cremonesi, Y. Koren and R. Turrin, "Performance of recommender algorithms on top-n recommendation tasks",
       RecSys 2010, https://doi.org/10.1145/1864708.1864721

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import PureSVDRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = PureSVDRanker(embedding_dim=1, random_state=0).fit(events)
    >>> model.recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y  0.485     1
    >>> model.recommend(history=[["y"]], k=1)["item_id"].tolist()
    ['x']
    """

    embedding_dim: int = 25
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def _solve(self, matrix: csr_array) -> None:
        from sklearn.utils.extmath import randomized_svd

        dim = min(self.embedding_dim, *matrix.shape)
        left, values, right = randomized_svd(matrix.astype(np.float32), dim, random_state=self.random_state)
        self.singular_values_ = values
        self.user_embeddings_ = (left * values).astype(np.float32)
        self.item_embeddings_ = np.ascontiguousarray(right.T, np.float32)

    def _fold_in(self, histories: csr_array) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = histories.astype(np.float32) @ self.item_embeddings_
        return vectors

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {"embedding_dim": distributions.IntDistribution(8, 400, log=True)}
