"""Weighted dot products: the output layer of generalised matrix factorisation."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.network import match


class WeightedMatch(keras.layers.Layer):
    """``h^T (p * q)`` for each output (He et al., 2017, equation 9); h starts as ones, which is matrix factorisation.

    Parameters
    ----------
    dim : int
        Width of the factors.
    outputs : int
        Number of outputs.
    """

    def __init__(self, dim: int, outputs: int = 1) -> None:
        super().__init__()
        self.outputs = outputs
        self.scale = self.add_weight(shape=(dim, outputs), initializer="ones", name="scale")
        self.built = True

    def call(self, query: Any, item: Any) -> Any:
        """Match queries (B, d) with items (B, M, d) or (M, d): (B, M) for one output, else (B, M, outputs)."""
        if self.outputs == 1:
            return match(query * self.scale[:, 0], item)
        scaled = query[:, :, None] * self.scale  # (B, d, C)
        if item.shape.rank == 2:
            return tf.einsum("bdc,md->bmc", scaled, item)
        return tf.matmul(item, scaled)
