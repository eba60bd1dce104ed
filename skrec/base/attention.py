"""Attention of models to past events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.events.windows import Windows
from skrec._estimators import check_is_fitted
from skrec.base.history_model import HistoryModel


@dataclass(eq=False, repr=False, kw_only=True)
class AttentionModel(HistoryModel):
    """Base class for models whose network has a view ``attention`` with the weight of each past event.

    The public function is :func:`skrec.inspection.history_attention`.
    """

    def _attention(self, queries: Any, items: Any, history: Any) -> tuple[Windows, NDArray[np.float32]]:
        """Return the windows of past events and the attention to each event."""
        check_is_fitted(self)
        ids, query, _, about = self._read_query_pairs(queries, items, history)
        inputs = self._query_inputs(query)
        if about is not None:
            inputs |= self._item_inputs(about)
        elif "user" in inputs:  # a network with further inputs has a separate attention for each candidate
            raise ValueError(
                f"The attention of {type(self).__name__} depends on the item. Pass items=, one for each query, or "
                "the rows that recommend returned."
            )
        parts = self._network().views(inputs, "attention")
        weights = np.concatenate([block for _, block in parts]) if len(ids) else np.empty((0, self._length), np.float32)
        return inputs["history"], weights
