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
        return histories.astype(np.float32) @ self.item_weights_

    def _similarities(self, items: NDArray[np.intp]) -> Any:
        return self.item_weights_[items]
