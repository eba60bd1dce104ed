"""Base of models whose score is a sum of weights of past items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.base.closed_form import ClosedFormRanker


@dataclass(eq=False, repr=False, kw_only=True)
class ItemWeightsRanker(ClosedFormRanker):
    """Base of rankers with a weight for each pair of a past item and an item to score."""

    item_weights_: Any = field(init=False, repr=False)

    def _scores(self, histories: csr_array) -> Any:
        if histories.shape[0] == 1 and isinstance(self.item_weights_, csr_array):
            return _sum_of_rows(self.item_weights_, histories)
        return histories.astype(np.float32) @ self.item_weights_

    def _similarities(self, items: NDArray[np.intp]) -> Any:
        return self.item_weights_[items]


def _sum_of_rows(weights: csr_array, history: csr_array) -> NDArray[Any]:
    """Return the product of one history and the weights, as SciPy computes it, in a fraction of the time."""
    starts = weights.indptr[history.indices]
    lengths = weights.indptr[history.indices + 1] - starts
    stops = np.cumsum(lengths)
    places = np.arange(lengths.sum()) + np.repeat(starts - stops + lengths, lengths)
    values = weights.data[places] * np.repeat(history.data.astype(np.float32), lengths)
    scores = np.zeros((1, weights.shape[1]), values.dtype)
    np.add.at(scores[0], weights.indices[places], values)
    return scores
