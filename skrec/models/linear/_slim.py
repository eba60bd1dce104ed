"""Sparse linear weights by the elastic net."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec import _warnings
from skrec._estimators import Interval, StrOptions
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.base.threads import in_threads
from skrec.models.linear._ease import auto_l2
from skrec.models.linear._gram import Gram, item_gram
from skrec.models.linear._item_weights import ItemWeightsRanker

__all__ = ["SLIMRanker"]

_ITEMS_AT_A_TIME = 64
_PART = 0.2  # of the L2 regularization of EASE


@dataclass(frozen=True, eq=False)
class _Solution:
    """Past items with a weight for an item, these weights, the number of passes and whether they sufficed."""

    past: NDArray[np.intp]
    weights: NDArray[np.float32]
    n_iter: int = 0
    converged: bool = True


@documented(columns=CLOSED_FORM_COLUMNS, fitted=CLOSED_FORM_FITTED)
@dataclass(eq=False, repr=False, kw_only=True)
class SLIMRanker(ItemWeightsRanker):
    """Rank items by sparse, non-negative weights of past items (SLIM).

    Each item is regressed on all other items by scikit-learn's elastic net with non-negative coefficients [1]_. The
    coordinate descent works on dot products of items and on the items that can have a positive weight, so that the
    solution is that of :class:`~sklearn.linear_model.ElasticNet` in much less time.

    Parameters
    ----------
    alpha : float or "auto", default="auto"
        Strength of the regularization, as in ``ElasticNet``: the penalty of an item is ``alpha * l1_ratio * |w|_1 +
        0.5 * alpha * (1 - l1_ratio) * |w|_2**2``, added to half the mean squared error over the users.
        If ``"auto"``, a fifth of the ``l2`` that :class:`EASERanker` would choose, divided by the number of users.
    l1_ratio : float, default=0.01
        Part of the regularization that is L1. Larger values give fewer weights and faster fits.
    n_neighbors : int or None, default=None
        Number of largest weights that each item keeps. If None, all positive weights are kept.
    max_iter : int, default=1000
        Maximum number of passes of the coordinate descent of each item. If items reach it, ``fit`` issues a
        :class:`~sklearn.exceptions.ConvergenceWarning`.
    tol : float, default=1e-3
        Tolerance of the coordinate descent, as in ``ElasticNet``.
    {columns}

    Attributes
    ----------
    item_weights_ : csr_array of shape (n_items, n_items), float32
        Weight of each past item (row) for each item (column).
    alpha_ : float
        The strength of the regularization that was used.
    n_iter_ : int
        Largest number of passes of an item.
    {fitted}

    See Also
    --------
    EASERanker : Dense weights with an L2 penalty, which are computed at once.

    References
    ----------
    .. [1] X. Ning and G. Karypis, "SLIM: sparse linear methods for top-N recommender systems", ICDM 2011,
       https://doi.org/10.1109/ICDM.2011.134

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import SLIMRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = SLIMRanker(alpha=0.05).fit(events)
    >>> model.recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y   0.63     1
    >>> model.recommend(history=[["y"]], k=1)["item_id"].tolist()
    ['x']
    """

    alpha: float | Literal["auto"] = "auto"
    l1_ratio: float = 0.01
    n_neighbors: int | None = None
    max_iter: int = 1000
    tol: float = 1e-3

    alpha_: float = field(init=False, repr=False)
    n_iter_: int = field(init=False, repr=False)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "l1_ratio": [Interval(Real, 0, 1, closed="right")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def _solve(self, matrix: csr_array) -> None:
        from sklearn import config_context
        from sklearn.exceptions import ConvergenceWarning

        n_users, n_items = matrix.shape
        self.alpha_ = _PART * auto_l2(matrix) / n_users if self.alpha == "auto" else float(self.alpha)
        gram = item_gram(matrix)
        penalty = self.alpha_ * n_users

        def solve(start: int) -> list[_Solution]:
            items, seed = range(start, min(start + _ITEMS_AT_A_TIME, n_items)), np.random.RandomState(0)
            with config_context(skip_parameter_validation=True):  # which takes longer than to solve for a rare item
                return [self._weights_of(gram, item, penalty, seed) for item in items]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            parts = in_threads(solve, range(0, n_items, _ITEMS_AT_A_TIME))
        items = [item for part in parts for item in part]
        indptr = np.concatenate([[0], np.cumsum([len(item.past) for item in items])])
        values, past = (np.concatenate([getattr(item, name) for item in items]) for name in ("weights", "past"))
        self.item_weights_ = csr_array(csr_array((values, past, indptr), shape=(n_items, n_items)).T)
        self.n_iter_ = max(item.n_iter for item in items)
        unfinished = sum(not item.converged for item in items)
        if unfinished:
            _warnings.warn(
                f"SLIMRanker did not converge to tol={self.tol:g} within max_iter={self.max_iter} passes for "
                f"{unfinished:,} of {n_items:,} items. Increase max_iter or tol, or use a stronger regularization than "
                f"alpha={self.alpha_:.3g}.",
                ConvergenceWarning,
            )

    def _weights_of(self, gram: Gram, item: int, penalty: float, seed: np.random.RandomState) -> _Solution:
        """Return the weights of past items for an item."""
        from sklearn.linear_model import enet_path

        others, dots = gram.row(item)
        own, least = float(gram.diagonal[item]), penalty * self.l1_ratio
        # The other items only lower the gradient: below the L1 penalty, a weight stays 0.
        past = others[(dots > least) & (others != item)]
        if not len(past):
            return _Solution(past, np.empty(0, np.float32))
        if len(past) == 1:
            above = dots[np.searchsorted(others, past)] - least
            weight = above / (gram.diagonal[past] + penalty * (1 - self.l1_ratio))
            return _Solution(past, weight.astype(np.float32), n_iter=1)
        among, past = gram.among(past)
        target = dots[np.searchsorted(others, past)]
        target[past == item] = 0  # its weight stays 0
        _, found, gaps, n_iter = enet_path(
            np.empty((1, len(past)), np.float32, order="F"),  # only its shape is used: the penalty is not divided by n
            np.full(1, np.sqrt(own), np.float32),
            l1_ratio=self.l1_ratio,
            alphas=[penalty],
            precompute=among,
            Xy=target,
            positive=True,
            check_input=False,
            max_iter=self.max_iter,
            tol=self.tol,
            return_n_iter=True,
            random_state=seed,  # not used, but drawn from
        )
        weights = found[:, 0]
        kept = np.flatnonzero(weights)
        if self.n_neighbors is not None and len(kept) > self.n_neighbors:
            kept = np.sort(kept[np.argpartition(weights[kept], -self.n_neighbors)[-self.n_neighbors :]])
        converged = n_iter[0] < self.max_iter or gaps[0] <= self.tol * own * (1 + 1e-5)  # rounding in float32
        return _Solution(past[kept], weights[kept], int(n_iter[0]), bool(converged))

    def _similarities(self, items: NDArray[np.intp]) -> Any:
        return csr_array(self.item_weights_[:, items].T)

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            "alpha": distributions.FloatDistribution(0.001, 1.0, log=True),
            "l1_ratio": distributions.FloatDistribution(0.0001, 1.0, log=True),
        }
