"""Random walks of three steps."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import Interval, StrOptions
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.models.linear._item_weights import ItemWeightsRanker
from skrec.models.neighbors._products import largest_of_product, largest_of_rows

__all__ = ["RP3BetaRanker"]


@documented(columns=CLOSED_FORM_COLUMNS, fitted=CLOSED_FORM_FITTED)
@dataclass(eq=False, repr=False, kw_only=True)
class RP3BetaRanker(ItemWeightsRanker):
    """Rank items by random walks of three steps, with a penalty for popular items.

    The weight of a past item i for an item j is the probability of a walk on the graph of users and items from i to a
    user and on to j, each step raised to the power of `alpha`, divided by the popularity of j to the power of `beta`
    [1]_. With ``beta=0`` the model is P3alpha [2]_.

    Parameters
    ----------
    n_neighbors : int, default=300
        Number of items with the largest weights that each past item keeps.
    alpha : float, default=0.4
        Power of the probabilities of a step. Smaller values bring users and items with many events closer to the
        others. Values near 1 are better on dense data, such as MovieLens.
    beta : float, default=0.3
        Power of the popularity by which weights are divided. Larger values recommend less popular items
        and are better on dense data, such as 0.6 on MovieLens.
    normalize : bool, default=False
        Whether the weights that a past item keeps are scaled to a sum of 1.
    pruning : {"past", "both"}, default="past"
        Which items keep their ``n_neighbors`` largest weights. ``"past"``: each past item, of the weights to the items
        that it is followed by. ``"both"``: each past item and then, after the scaling, each item to score, as in the
        implementation of [3]_. It is better on dense data with ``normalize=True``, where few past items matter.
    {columns}

    Attributes
    ----------
    item_weights_ : csr_array of shape (n_items, n_items), float32
        Weight of each past item (row) for each item (column).
    {fitted}

    See Also
    --------
    ItemKNNRanker : Rank items by their similarity to past items.

    References
    ----------
    .. [1] B. Paudel, F. Christoffel, C. Newell and A. Bernstein, "Updatable, accurate, diverse, and scalable
       recommendations for interactive applications", ACM TiiS 7 (2017), https://doi.org/10.1145/2955101
    .. [2] C. Cooper, S. H. Lee, T. Radzik and Y. Siantos, "Random walks in recommender systems: exact computation and
       simulations", WWW 2014 Companion, https://doi.org/10.1145/2567948.2579244
    .. [3] M. Ferrari Dacrema, S. Boglio, P. Cremonesi and D. Jannach, "A troubling analysis of reproducibility and
       progress in recommender systems research", ACM TOIS 39 (2021), https://doi.org/10.1145/3434185

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import RP3BetaRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = RP3BetaRanker(alpha=1.0, beta=0.0).fit(events)
    >>> model.recommend(["cy"], k=1)  # from x to ann or bob (2/3), and on to y (1/2)
      user_id item_id  score  rank
    0      cy       y  0.333     1
    """

    n_neighbors: int = 300
    alpha: float = 0.4
    beta: float = 0.3
    normalize: bool = False
    pruning: Literal["past", "both"] = "past"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "normalize": ["boolean"],
        "pruning": [StrOptions({"past", "both"})],
    }

    def _solve(self, matrix: csr_array) -> None:
        from sklearn.preprocessing import normalize

        popularity = np.asarray(matrix.sum(axis=0))
        penalty = np.where(popularity > 0, np.maximum(popularity, 1e-300) ** -float(self.beta), 0.0)
        to_users, to_items = (self._step(steps) for steps in (csr_array(matrix.T), matrix))

        def weights(walks: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:  # noqa: ARG001
            found: NDArray[Any] = walks * penalty[columns]
            return found

        found = largest_of_product(to_users, to_items, self.n_neighbors, weights, skip_diagonal=True)
        if self.normalize:
            found = normalize(found, "l1", copy=False)
        if self.pruning == "both":
            found = csr_array(largest_of_rows(csr_array(found.T), self.n_neighbors).T)
        self.item_weights_ = found

    def _step(self, matrix: csr_array) -> csr_array:
        """Return the probabilities of a step from the rows to the columns, raised to the power of alpha."""
        totals = np.repeat(np.asarray(matrix.sum(axis=1)), np.diff(matrix.indptr))
        data = (matrix.data / totals) ** float(self.alpha)
        return csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            "n_neighbors": distributions.IntDistribution(10, 1000, log=True),
            "alpha": distributions.FloatDistribution(0.2, 2.0),
            "beta": distributions.FloatDistribution(0.0, 1.5),
            "normalize": distributions.CategoricalDistribution((False, True)),
            "pruning": distributions.CategoricalDistribution(("past", "both")),
        }
