"""Neighbors of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.base.docs import CLOSED_FORM_COLUMNS, CLOSED_FORM_FITTED, documented
from skrec.models.linear._item_weights import ItemWeightsRanker
from skrec.models.neighbors._products import largest_of_product
from skrec.models.neighbors._similarity import SIMILARITY, NeighborParameters, TermWeights, squared_norms

__all__ = ["ItemKNNRanker"]


@documented(
    similarity=SIMILARITY.format(
        n_neighbors=200,
        kept="Number of most similar items that each item keeps. Values above the number of items keep all of them.",
        what="items",
        past="i is the past item",
        document="an item",
        terms="users",
        weighting="None",
        shrink="20.0",
        alpha="0.5",
    ),
    columns=CLOSED_FORM_COLUMNS,
    fitted=CLOSED_FORM_FITTED,
)
@dataclass(eq=False, repr=False, kw_only=True)
class ItemKNNRanker(NeighborParameters, ItemWeightsRanker):
    """Rank items by their similarity to the past items of a user.

    The score of an item is the sum of its similarities to the past items of the user among its ``n_neighbors`` most
    similar items. Two items are similar if the same users chose them [1]_ [2]_.

    Parameters
    ----------
    {similarity}
    {columns}

    Attributes
    ----------
    item_weights_ : csr_array of shape (n_items, n_items), float32
        Similarity of each past item (row) to each item (column) among the neighbors of the latter.
    {fitted}

    See Also
    --------
    UserKNNRanker : Rank items by the choices of similar users.
    EASERanker : Weights of past items by ridge regression, which are usually better.

    References
    ----------
    .. [1] G. Linden, B. Smith and J. York, "Amazon.com recommendations: item-to-item collaborative filtering", IEEE
       Internet Computing 7 (2003), https://doi.org/10.1109/MIC.2003.1167344
    .. [2] F. Aiolli, "Efficient top-n recommendation for very large scale binary rated datasets", RecSys 2013,
       https://doi.org/10.1145/2507157.2507189

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import ItemKNNRanker
    >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "bob", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    >>> model = ItemKNNRanker(shrink=0.0).fit(events)
    >>> model.recommend(["cy"], k=1)
      user_id item_id  score  rank
    0      cy       y  0.816     1
    >>> model.recommend(history=[["y"]], k=1)["item_id"].tolist()
    ['x']
    """

    n_neighbors: int = 200
    shrink: float = 20.0

    def _solve(self, matrix: csr_array) -> None:
        self._check_alpha()
        items = csr_array(matrix.T)
        items = TermWeights.of(items, self.weighting).apply(items)
        norms = squared_norms(items)
        similarity = self._similarity(norms, norms)

        def of_candidates(dots: Any, candidates: NDArray[Any], past: NDArray[Any]) -> NDArray[Any]:
            return similarity(dots, past, candidates)

        users = csr_array(items.T)
        neighbors = largest_of_product(items, users, self.n_neighbors, of_candidates, skip_diagonal=True)
        self.item_weights_ = csr_array(neighbors.T)

    def _similarities(self, items: NDArray[Any]) -> Any:
        return csr_array(self.item_weights_[:, items].T)
