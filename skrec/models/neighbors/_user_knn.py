"""Neighbors of users."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._estimators import StrOptions
from skrec.base.closed_form import ClosedFormRanker
from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.models.neighbors._products import largest_of_product
from skrec.models.neighbors._similarity import SIMILARITY, NeighborParameters, TermWeights, squared_norms

__all__ = ["UserKNNRanker"]


@documented(
    similarity=SIMILARITY.format(
        n_neighbors=100,
        kept="Number of most similar users. Values above the number of users take all users with a common item.",
        what="users",
        past="i is the user of the query",
        document="a user",
        terms="items",
        weighting='"bm25"',
        shrink="0.0",
        alpha="0.5",
    ),
    columns=CLOSED_FORM_COLUMNS,
    fitted=CLOSED_FORM_FITTED,
)
@dataclass(eq=False, repr=False, kw_only=True)
class UserKNNRanker(NeighborParameters, ClosedFormRanker):
    """Rank items by the choices of similar users.

    The score of an item is the sum of the similarities of those among the ``n_neighbors`` most similar users who chose
    it. Two users are similar if they chose the same items [1]_ [2]_. A user who was in ``fit`` is one of the own
    neighbors, which adds only to the scores of items that the user has seen. Histories that were not in ``fit`` are
    served alike.

    Parameters
    ----------
    {similarity}
    neighborhood : {"nearest", "reverse"}, default="nearest"
        Which users are the neighbors of a query. ``"nearest"``: the ``n_neighbors`` users most similar to it.
        ``"reverse"``: all users to whom the query is as similar as their own ``n_neighbors`` most similar users are, as
        in the implementation of [3]_. Typical users have many such neighbors, unusual ones have few. It is better on
        MovieLens with ``metric="asymmetric"`` and an `alpha` above 0.5; ``fit`` then compares all pairs of users.
    {columns}

    Attributes
    ----------
    {fitted}

    See Also
    --------
    ItemKNNRanker : Rank items by their similarity to past items. It answers single queries faster.

    References
    ----------
    .. [1] P. Resnick et al., "GroupLens: an open architecture for collaborative filtering of netnews", CSCW 1994,
       https://doi.org/10.1145/192844.192905
    .. [2] F. Aiolli, "Efficient top-n recommendation for very large scale binary rated datasets", RecSys 2013,
       https://doi.org/10.1145/2507157.2507189
    .. [3] M. Ferrari Dacrema, S. Boglio, P. Cremonesi and D. Jannach, "A troubling analysis of reproducibility and
       progress in recommender systems research", ACM TOIS 39 (2021), https://doi.org/10.1145/3434185

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import UserKNNRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = UserKNNRanker(weighting=None).fit(events)
    >>> model.recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y  1.414     1
    >>> model.recommend(history=[["y"]], k=1)["item_id"].tolist()
    ['x']
    """

    weighting: Literal["bm25", "tfidf"] | None = "bm25"
    neighborhood: Literal["nearest", "reverse"] = "nearest"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NeighborParameters._parameter_constraints,
        "neighborhood": [StrOptions({"nearest", "reverse"})],
    }

    _fitted_with: dict[str, Any] = field(init=False, repr=False)
    _choices: csr_array = field(init=False, repr=False)
    _profiles: csr_array = field(init=False, repr=False)  # of shape (n_items, n_users)
    _profile_norms: Any = field(init=False, repr=False)
    _inverse_frequency: Any = field(init=False, repr=False)
    _mean_length: float = field(init=False, repr=False)
    _least_similarities: NDArray[np.float32] | None = field(init=False, repr=False)

    def _solve(self, matrix: csr_array) -> None:
        self._check_alpha()
        self._fitted_with = {each.name: getattr(self, each.name) for each in fields(NeighborParameters)}
        weights = TermWeights.of(matrix, self.weighting)
        self._inverse_frequency, self._mean_length = weights.inverse_frequency, weights.mean_length
        self._choices = matrix.astype(np.float32)
        profiles = weights.apply(matrix)
        self._profiles, self._profile_norms = csr_array(profiles.T), squared_norms(profiles)
        self._least_similarities = self._least_of_neighbors(profiles) if self.neighborhood == "reverse" else None

    def _least_of_neighbors(self, profiles: csr_array) -> NDArray[np.float32]:
        """Return the similarity of each user's last neighbor, or 0 for users who have fewer."""
        similarity = self._similarity(self._profile_norms, self._profile_norms)

        def of_owners(dots: Any, owners: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
            return similarity(dots, others, owners)

        neighbors = largest_of_product(profiles, self._profiles, self.n_neighbors, of_owners, skip_diagonal=True)
        least, some = np.zeros(neighbors.shape[0], np.float32), np.diff(neighbors.indptr) > 0
        if some.any():
            least[some] = np.minimum.reduceat(neighbors.data, neighbors.indptr[:-1][some])
        least[np.diff(neighbors.indptr) < self.n_neighbors] = 0
        return least

    def _scores(self, histories: csr_array) -> Any:
        settings = NeighborParameters(**self._fitted_with)
        queries = TermWeights(settings.weighting, self._inverse_frequency, self._mean_length).apply(histories)
        similarity = settings._similarity(squared_norms(queries), self._profile_norms)
        least = self._least_similarities
        if least is None:
            return largest_of_product(queries, self._profiles, settings.n_neighbors, similarity) @ self._choices

        def of_owners(dots: Any, rows: NDArray[Any], owners: NDArray[Any]) -> NDArray[Any]:
            found = similarity(dots, rows, owners).astype(np.float32)
            found[found < least[owners]] = 0
            return found

        return largest_of_product(queries, self._profiles, len(least), of_owners) @ self._choices

    def _are_told(self, block: NDArray[np.float32], histories: csr_array) -> NDArray[np.bool_]:
        # A stored user is a neighbor of its own, who tells only what is in the history.
        owner = np.repeat(np.arange(len(block)), np.diff(histories.indptr))
        of_history = np.bincount(owner[block[owner, histories.indices] != 0], minlength=len(block))
        scored, complete = np.count_nonzero(block, axis=1), np.diff(histories.indptr) == block.shape[1]
        return np.asarray((scored > of_history) | ((scored > 0) & complete))

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        nearest_or_reverse = distributions.CategoricalDistribution(("nearest", "reverse"))
        return {**NeighborParameters._search_space(self, distributions), "neighborhood": nearest_or_reverse}
