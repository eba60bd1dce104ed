"""Non-negative factorization of the matrix of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix

from skrec._estimators import Interval
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.models.factors._vectors import FactorRanker

__all__ = ["NMFRanker"]

_SWEEPS = 30  # of the vectors of histories: a fixed number, so that a vector does not depend on other histories


@documented(columns=CLOSED_FORM_COLUMNS, fitted=CLOSED_FORM_FITTED)
@dataclass(eq=False, repr=False, kw_only=True)
class NMFRanker(FactorRanker):
    """Rank items by a non-negative matrix factorization (NMF).

    The matrix of users and items is approximated by the product of two matrices without negative entries, by the
    coordinate descent of scikit-learn's :class:`~sklearn.decomposition.NMF` on the squared error [1]_. A dimension is a
    group of items that are chosen together; the vector of a user has few dimensions above 0, which can be read as
    tastes.

    Parameters
    ----------
    embedding_dim : int, default=25
        Number of dimensions. At most the smaller number of users and items is used.
    alpha : float, default=0.0
        Strength of the regularization of both matrices: ``alpha_W`` and ``alpha_H`` of ``NMF``.
    l1_ratio : float, default=0.0
        Part of the regularization that is L1.
    max_iter : int, default=200
        Maximum number of passes. If it is reached before `tol`, ``fit`` issues a
        :class:`~sklearn.exceptions.ConvergenceWarning`.
    tol : float, default=1e-4
        Tolerance of the coordinate descent, as in ``NMF``.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial matrices.
    {columns}

    Attributes
    ----------
    user_embeddings_ : ndarray of shape (n_users, embedding_dim), float32
        Vectors of users for the final item vectors, as the vectors of given histories are.
    item_embeddings_ : ndarray of shape (n_items, embedding_dim), float32
        Vectors of items: the transposed components.
    n_iter_ : int
        Number of passes.
    {fitted}

    See Also
    --------
    PureSVDRanker : Factors with negative entries, which are computed faster.
    ALSRanker : Factors that weigh events more than missing ones, which are usually better.

    References
    ----------
    .. [1] A. Cichocki and A.-H. Phan, "Fast local algorithms for large scale nonnegative matrix and tensor
       factorizations", IEICE Transactions E92-A (2009), https://doi.org/10.1587/transfun.E92.A.708

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import NMFRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = NMFRanker(embedding_dim=1, random_state=0).fit(events)
    >>> model.recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y  0.485     1
    >>> model.recommend(history=[["y"]], k=1)["item_id"].tolist()
    ['x']
    """

    embedding_dim: int = 25
    alpha: float = 0.0
    l1_ratio: float = 0.0
    max_iter: int = 200
    tol: float = 1e-4
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    n_iter_: int = field(init=False, repr=False)
    _regularization: dict[str, float] = field(init=False, repr=False)

    def _solve(self, matrix: csr_array) -> None:
        from sklearn.decomposition import non_negative_factorization

        self._regularization = {
            "alpha_W": float(self.alpha),
            "alpha_H": float(self.alpha),
            "l1_ratio": float(self.l1_ratio),
        }
        _, components, self.n_iter_ = non_negative_factorization(
            csr_matrix(matrix, dtype=np.float32),
            n_components=min(self.embedding_dim, *matrix.shape),
            init="nndsvda",
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.random_state,
            **self._regularization,
        )
        self.item_embeddings_ = np.ascontiguousarray(components.T, np.float32)
        self.user_embeddings_ = self._fold_in(matrix)

    def _fold_in(self, histories: csr_array) -> NDArray[np.float32]:
        from sklearn.decomposition import non_negative_factorization

        if not histories.nnz:
            return np.zeros((histories.shape[0], self.item_embeddings_.shape[1]), np.float32)
        vectors: NDArray[np.float32] = non_negative_factorization(
            csr_matrix(histories, dtype=np.float32),
            H=np.ascontiguousarray(self.item_embeddings_.T),
            n_components=self.item_embeddings_.shape[1],
            update_H=False,
            max_iter=_SWEEPS,
            tol=0,
            **self._regularization,
        )[0]
        return vectors

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            "embedding_dim": distributions.IntDistribution(8, 200, log=True),
            "alpha": distributions.FloatDistribution(1e-6, 1e-2, log=True),
        }
