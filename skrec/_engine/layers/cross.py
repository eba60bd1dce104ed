"""Layers that multiply features with each other."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.table import Table

__all__ = ["Cross", "FieldAttention", "HashedCrosses", "bi_interaction"]


_PRIME, _ODD = 1_000_003, -7046029254386353131  # the second is 2**64 / golden ratio, as a signed number


class Cross(keras.layers.Layer):
    """One cross layer of a Deep & Cross Network.

    Version 1 (Wang et al., 2017, equation 3): ``x0 * (w^T x) + b + x``. Version 2 (Wang et al., 2021, equation 1):
    ``x0 * (W x + b) + x``, where ``W`` may be a product ``U V^T`` of low rank (equation 2).

    Parameters
    ----------
    width : int
        Length of the vectors.
    version : {1, 2}
        Which of the two.
    rank : int
        Of ``W``; 0: full.
    """

    def __init__(self, width: int, *, version: int = 2, rank: int = 0) -> None:
        super().__init__()
        self.version, self.rank = version, rank
        if rank and version == 2:
            self.inner = self.add_weight(shape=(width, rank), initializer="zeros", name="inner_kernel")
        rows = rank if rank and version == 2 else width
        self.kernel = self.add_weight(shape=(rows, 1 if version == 1 else width), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")
        self.built = True

    def call(self, x0: Any, x: Any) -> Any:
        """Cross (N, width) with (N, width)."""
        y = tf.matmul(x, self.inner.value) if self.rank and self.version == 2 else x
        y = tf.matmul(y, self.kernel.value)
        if self.version == 1:
            return x0 * y + self.bias.value + x
        return x0 * tf.nn.bias_add(y, self.bias.value) + x


class HashedCrosses(Table):
    """Weights of cross-product features (Cheng et al., 2016, section 3.1), hashed to the rows of one table.

    Parameters
    ----------
    crosses : tuple of tuple of int
        The columns of the codes that each cross multiplies.
    outputs : int
        Number of outputs.
    """

    def __init__(self, crosses: tuple[tuple[int, ...], ...], outputs: int = 1) -> None:
        super().__init__("crosses", outputs, stddev=0.0, penalised=False)
        self.crosses = crosses

    def call(self, codes: Any) -> Any:
        """Return the sum of the weights of a row's crosses: (N, outputs) for codes (N, n)."""
        n_bins = tf.cast(tf.shape(self.embeddings.value)[0], tf.int64)
        bins = []
        for number, cross in enumerate(self.crosses, start=1):
            mixed = tf.fill([tf.shape(codes)[0]], tf.constant(number, tf.int64))
            for column in cross:
                mixed = (mixed * _PRIME + tf.cast(codes[:, column], tf.int64)) * _ODD
                mixed = tf.bitwise.bitwise_xor(mixed, tf.bitwise.right_shift(mixed, tf.constant(29, tf.int64)))
            bins.append(tf.cast(tf.math.floormod(mixed, n_bins), tf.int32))
        return tf.reduce_sum(super().call(tf.stack(bins, axis=1)), axis=1)


class FieldAttention(keras.layers.Layer):
    """Self-attention of the fields of a row (Song et al., 2019, section 4.4): ReLU(heads side by side + W x).

    Parameters
    ----------
    dim : int
        Width of the fields' vectors.
    units : int
        Width of the result, split among the heads.
    n_heads : int
        Number of heads.
    """

    def __init__(self, dim: int, units: int, *, n_heads: int = 2) -> None:
        super().__init__()
        self.units, self.n_heads = units, n_heads
        for name in ("query", "key", "value", "residual"):
            setattr(self, name, self.add_weight(shape=(dim, units), initializer="zeros", name=f"{name}_kernel"))
        self.built = True

    def attention(self, x: Any) -> Any:
        """Return the attention of each field for each, (N, n_heads, n_fields, n_fields); rows sum to 1."""
        query, key = self._heads(x, self.query), self._heads(x, self.key)
        return tf.nn.softmax(tf.matmul(query, key, transpose_b=True), axis=-1)

    def call(self, x: Any) -> Any:
        """Return new vectors (N, n_fields, units) of fields (N, n_fields, dim)."""
        heads = tf.matmul(self.attention(x), self._heads(x, self.value))
        joined = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [-1, x.shape[1], self.units])
        return tf.nn.relu(joined + _times(x, self.residual))

    def _heads(self, x: Any, kernel: Any) -> Any:
        """Project and split: (N, n_heads, n_fields, units / n_heads)."""
        shape = [-1, x.shape[1], self.n_heads, self.units // self.n_heads]
        return tf.transpose(tf.reshape(_times(x, kernel), shape), [0, 2, 1, 3])


def _times(x: Any, kernel: Any) -> Any:
    """Multiply (N, n, d) with (d, k), as one matrix product."""
    flat = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), kernel.value)
    return tf.reshape(flat, [-1, x.shape[1], kernel.shape[1]])


def bi_interaction(vectors: Any) -> Any:
    """Sum of the products of all pairs of fields: (N, n_fields, dim) to (N, dim) (He & Chua, 2017, equation 4)."""
    total = tf.reduce_sum(vectors, axis=1)
    return 0.5 * (tf.square(total) - tf.reduce_sum(tf.square(vectors), axis=1))
