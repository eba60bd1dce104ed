"""Self-attention over a history."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.dropout import Dropout

__all__ = ["SelfAttention", "past"]

_NEVER = -1e9


def past(position: Any) -> Any:
    """Return the causal mask of packed sequences: a position attends to itself and to earlier ones of its sequence.

    Parameters
    ----------
    position : tensor (B, L) of int32
        Place of each event in its window; a sequence ends at ``L - 1``.

    Returns
    -------
    tensor (B, L, L) of bool
        Whether the place of the second axis may see that of the third.
    """
    length = position.shape[1]
    sequence = tf.cumsum(tf.cast(tf.equal(position, length - 1), tf.int32), axis=1, exclusive=True)
    place = tf.range(length)
    return tf.equal(sequence[:, :, None], sequence[:, None, :]) & (place[:, None] >= place[None, :])


class SelfAttention(keras.layers.Layer):
    """Scaled dot-product attention of events to those they may see (Vaswani et al., 2017, section 3.2.1).

    Parameters
    ----------
    dim : int
        Width of the events' vectors, split among the heads.
    n_heads : int
        Number of heads.
    """

    def __init__(self, dim: int, n_heads: int = 1) -> None:
        super().__init__()
        self.dim, self.n_heads = dim, n_heads
        for name in ("query", "key", "value"):
            setattr(self, name, self.add_weight(shape=(dim, dim), initializer="zeros", name=f"{name}_kernel"))
        self.dropout = Dropout()
        self.built = True

    def attention(self, queries: Any, x: Any, allowed: Any) -> Any:
        """Return the attention of queries (B, Q, dim) to events (B, L, dim): (B, n_heads, Q, L); rows sum to 1."""
        scale = (self.dim // self.n_heads) ** -0.5
        logits = tf.matmul(self._heads(queries, self.query) * scale, self._heads(x, self.key), transpose_b=True)
        return tf.nn.softmax(logits + tf.where(allowed, 0.0, _NEVER)[:, None], axis=-1)

    def call(self, queries: Any, x: Any, allowed: Any) -> Any:
        """Return what queries (B, Q, dim) take from events (B, L, dim): (B, Q, dim); allowed is (B, Q, L)."""
        heads = tf.matmul(self.dropout(self.attention(queries, x, allowed)), self._heads(x, self.value))
        return tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [-1, queries.shape[1], self.dim])

    def _heads(self, x: Any, kernel: Any) -> Any:
        """Project and split: (B, n_heads, L, dim / n_heads)."""
        flat = tf.matmul(tf.reshape(x, [-1, self.dim]), kernel.value)
        split = tf.reshape(flat, [-1, x.shape[1], self.n_heads, self.dim // self.n_heads])
        return tf.transpose(split, [0, 2, 1, 3])
