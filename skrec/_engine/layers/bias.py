"""A global bias."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras


class Bias(keras.layers.Layer):
    """Add one learned bias per output to all logits.

    Parameters
    ----------
    outputs : int
        Number of outputs.
    """

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        self.bias = self.add_weight(shape=(outputs,), initializer="zeros", name="bias")
        self.built = True

    def call(self, logits: Any) -> Any:
        """Add the bias to logits (B, M), or (B, M, outputs)."""
        return logits + self.bias
