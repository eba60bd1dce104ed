"""Matrix factorization of implicit feedback by alternating least squares."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import Interval, StrOptions
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.base.per_array import PerArray
from skrec.models.factors._least_squares import solve_rows
from skrec.models.factors._vectors import FactorRanker

__all__ = ["ALSRanker"]


@documented(columns=CLOSED_FORM_COLUMNS, fitted=CLOSED_FORM_FITTED)
@dataclass(eq=False, repr=False, kw_only=True)
class ALSRanker(FactorRanker):
    """Rank items by matrix factorization of implicit feedback (iALS).

    The inner products of user and item vectors should be 1 for events and 0 for all pairs, with different weights [1]_:
    the sum of ``(s - 1)**2`` over events, plus ``unobserved_weight`` times the sum of ``s**2`` over all pairs, plus
    L2 penalties, is minimized by solving for all users and for all items in turn. The penalties grow with the number of
    events, which makes the model competitive with much newer ones [2]_.

    Parameters
    ----------
    embedding_dim : int, default=64
        Number of dimensions of the vectors.
    unobserved_weight : float or "auto", default="auto"
        Weight of all pairs of users and items relative to events. If ``"auto"``, it is three times the fraction of the
        pairs that have events, but at most 1: all pairs together then weigh three times as much as the events.
    l2 : float, default=0.01
        Strength of the L2 regularization. The penalty of a vector is multiplied by ``(n_events + unobserved_weight *
        n) ** frequency_scaling``, where ``n_events`` is the number of events of the user or item, and ``n`` is the
        number of items or users with events.
    frequency_scaling : float, default=1.0
        Exponent of the scaling of `l2`. If 0, all vectors have the same penalty, as in [1]_.
    epochs : int, default=16
        Number of passes over the users and items. ``partial_fit`` on a fitted model makes one pass from its vectors.
    init_std : float, default=0.1
        Standard deviation of the initial item vectors, divided by the square root of ``embedding_dim``.
    solver : {"cg", "exact"}, default="cg"
        Method by which vectors are solved for in training. ``"cg"`` makes three steps of conjugate gradients from the
        vectors of the previous pass [3]_, ``"exact"`` solves the normal equations. The vectors of users after training,
        and those of given histories, are always exact.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial item vectors.
    {columns}

    Attributes
    ----------
    user_embeddings_ : ndarray of shape (n_users, embedding_dim), float32
        User vectors, solved for the final item vectors, as the vectors of given histories are.
    item_embeddings_ : ndarray of shape (n_items, embedding_dim), float32
        Item vectors.
    unobserved_weight_ : float
        Weight of all pairs in the last call to ``fit`` or ``partial_fit``.
    {fitted}

    See Also
    --------
    NCFRanker : With ``architecture="mf"``, matrix factorization by gradient descent, also with the BPR loss.

    References
    ----------
    .. [1] Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008,
       https://doi.org/10.1109/ICDM.2008.22
    .. [2] S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the performance of iALS on item recommendation
       benchmarks", RecSys 2022, https://doi.org/10.1145/3523227.3548486
    .. [3] G. Takacs, I. Pilaszy and D. Tikk, "Applications of the conjugate gradient method for implicit feedback
       collaborative filtering", RecSys 2011, https://doi.org/10.1145/2043932.2043987

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import ALSRanker
    >>> events = make_interactions(50, 20, 600, random_state=0)
    >>> model = ALSRanker(embedding_dim=8, random_state=0).fit(events)
    >>> model.recommend([3], k=2)["item_id"].tolist() == model.recommend(history=[events[events["user_id"] == 3][
    ...     "item_id"].tolist()], k=2)["item_id"].tolist()
    True
    """

    embedding_dim: int = 64
    unobserved_weight: float | Literal["auto"] = "auto"
    l2: float = 0.01
    frequency_scaling: float = 1.0
    epochs: int = 16
    init_std: float = 0.1
    solver: Literal["cg", "exact"] = "cg"
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "unobserved_weight": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "l2": [Interval(Real, 0, None, closed="neither")],
        "frequency_scaling": [Interval(Real, 0, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "init_std": [Interval(Real, 0, None, closed="neither")],
        "solver": [StrOptions({"cg", "exact"})],
        "random_state": ["random_state"],
    }

    _loss: tuple[float, float, float] = field(init=False, repr=False)
    unobserved_weight_: float = field(init=False, repr=False)

    def _solve(self, matrix: csr_array) -> None:
        self.item_embeddings_ = np.empty((0, self.embedding_dim), np.float32)
        self._alternate(matrix, self.epochs)

    def _solve_again(self, matrix: csr_array) -> None:
        self._alternate(matrix, 1)

    def _alternate(self, matrix: csr_array, epochs: int) -> None:
        from sklearn.utils import check_random_state

        users, items = matrix.astype(np.float32), csr_array(matrix.T, dtype=np.float32)
        if self.unobserved_weight == "auto":
            n_pairs = np.count_nonzero(np.diff(users.indptr)) * np.count_nonzero(np.diff(items.indptr))
            self.unobserved_weight_ = min(1.0, 3.0 * users.nnz / n_pairs)
        else:
            self.unobserved_weight_ = float(self.unobserved_weight)
        self._loss = self.unobserved_weight_, float(self.l2), float(self.frequency_scaling)
        known = len(self.item_embeddings_)
        vectors = np.zeros((items.shape[0], self.embedding_dim), np.float32)
        vectors[:known] = self.item_embeddings_
        new = known + np.flatnonzero(np.diff(items.indptr)[known:])  # items without events have zeros
        random = check_random_state(self.random_state)
        vectors[new] = random.normal(0, self.init_std / np.sqrt(self.embedding_dim), (len(new), self.embedding_dim))
        of_users = np.zeros((users.shape[0], self.embedding_dim), np.float32)
        if known:
            of_users[: len(self.user_embeddings_)] = self.user_embeddings_
        for _ in range(epochs):
            of_users = self._vectors_of(users, vectors, of_users)
            vectors = self._vectors_of(items, of_users, vectors)
        self.item_embeddings_ = vectors
        self.user_embeddings_ = self._fold_in(users)

    def _vectors_of(
        self,
        matrix: csr_array,
        fixed: NDArray[np.float32],
        start: NDArray[np.float32] | None = None,
        sums: tuple[int, NDArray[np.float32]] | None = None,
    ) -> NDArray[np.float32]:
        """Return the vectors of rows that minimize the loss for the fixed vectors of the columns."""
        events = np.asarray(matrix.sum(axis=1), np.float64)
        n, gram = sums or _sums_of(fixed)
        unobserved_weight, l2, scaling = self._loss
        penalty = l2 * (events + unobserved_weight * n) ** scaling
        start = None if self.solver == "exact" else start
        return solve_rows(matrix, fixed, unobserved_weight, penalty, gram=gram, start=start)

    def _fold_in(self, histories: csr_array) -> NDArray[np.float32]:
        vectors = self.item_embeddings_
        return self._vectors_of(histories.astype(np.float32), vectors, sums=_KEPT.of(vectors, _sums_of))

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            "embedding_dim": distributions.CategoricalDistribution((16, 32, 64, 128, 256)),
            "unobserved_weight": distributions.FloatDistribution(0.003, 1.0, log=True),
            "l2": distributions.FloatDistribution(0.0003, 0.1, log=True),
        }


def _sums_of(vectors: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """Return the number of vectors of columns with events, and the sum of the outer products of all vectors."""
    return int(np.count_nonzero(vectors.any(axis=1))), vectors.T @ vectors  # without events, the vector is 0


_KEPT = PerArray()
