"""Weights of the factors: the output layer of generalised matrix factorisation."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.table import penalise


class Scale(keras.layers.Layer):
    """Multiply factors p by the output weights h, so that a dot product with q is ``h^T (p * q)``.

    That is GMF (He et al., 2017, equation 9); h starts as ones, which is matrix factorisation. L1 and L2 see the
    product ``h * p``: on p alone, a large h would evade them.

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
        self.scale = self.add_weight(shape=(outputs, dim), initializer="ones", name="scale")
        self.built = True

    def call(self, factors: Any) -> Any:
        """Scale factors (B, dim): (B, dim) for one output, else (B, outputs, dim)."""
        scaled = (
            factors * tf.squeeze(self.scale.value, 0) if self.outputs == 1 else tf.expand_dims(factors, 1) * self.scale
        )
        penalise(tf.reshape(scaled, [-1, self.outputs * scaled.shape[-1]]))
        return scaled
