"""Base of factor models without a network: histories become vectors."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.base.closed_form import ClosedFormRanker
from skrec.base.reader import Query

_ROWS = 16  # of a matrix product


@dataclass(eq=False, repr=False, kw_only=True)
class FactorRanker(ClosedFormRanker):
    """Base of rankers whose score is the inner product of a vector of the history and one of the item."""

    user_embeddings_: NDArray[np.float32] = field(init=False, repr=False)
    item_embeddings_: NDArray[np.float32] = field(init=False, repr=False)

    @abstractmethod
    def _fold_in(self, histories: csr_array) -> NDArray[np.float32]:
        """Return the vectors of histories: (n_queries, embedding_dim)."""

    def _scores(self, histories: csr_array) -> NDArray[np.float32]:
        vectors = self._fold_in(histories)
        n, dim = vectors.shape
        blocks = np.zeros((-(-n // _ROWS), _ROWS, dim), np.float32)  # of one shape: scores do not depend on other rows
        blocks.reshape(-1, dim)[:n] = vectors
        scores: NDArray[np.float32] = np.matmul(blocks, self.item_embeddings_.T).reshape(-1, len(self.item_embeddings_))
        return scores[:n]

    def _query_vectors(self, queries: Query) -> NDArray[np.float32]:
        return self._fold_in(self._histories_of(queries))

    def _item_vectors(self, items: Query) -> NDArray[np.float32]:
        vectors = np.concatenate([np.zeros_like(self.item_embeddings_[:1]), self.item_embeddings_])
        return vectors[items.codes]
