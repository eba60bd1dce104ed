"""The scores of a network with fitted weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from skrec._engine.retrieval import pairs_between, vectors
from skrec._engine.scoring import Inputs, ScoreConsumer, pairs, score_catalogue, views
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["NetworkScorer"]


@dataclass(frozen=True)
class NetworkScorer:
    """The scores of a network, computed by TensorFlow.

    An exported model has :class:`skrec.serving.graphs.Graphs` instead, which have the same methods.

    Parameters
    ----------
    structure : Structure
    weights : Weights
    """

    structure: Structure
    weights: Weights

    def pairs(self, inputs: Inputs) -> np.ndarray:
        """Return the logits of rows: shape (n, n_outputs)."""
        return pairs(self.structure, self.weights, inputs)

    def catalogue(
        self,
        queries: Inputs,
        items: Callable[[], Inputs],
        consume: ScoreConsumer,
        *,
        whole: bool = False,
        output: int = 0,
    ) -> None:
        """Call ``consume(slice of the queries, their logits for all items)`` for chunks of queries."""
        score_catalogue(self.structure, self.weights, queries, items, consume, whole=whole, output=output)

    def between(self, queries: Inputs, items: Inputs, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the logits of selected pairs of queries, in their order, and items: shape (n_pairs, n_outputs)."""
        return pairs_between(self.structure, self.weights, queries, items, at)

    def vectors(self, inputs: Inputs, side: str) -> np.ndarray | None:
        """Return the vectors (n, dim) of queries or items whose dot products are the scores; None if there are none."""
        return vectors(self.structure, self.weights, inputs, side)

    def views(self, inputs: Inputs, name: str) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield slices of the rows with the output (n, ...) of the view ``name``."""
        return views(self.structure, self.weights, inputs, name)
