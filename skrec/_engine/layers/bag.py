"""Bags of items: the first layer of a network that reads a set of items as one sparse row."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import tf
from skrec._engine.context import current_context, is_building
from skrec._engine.layers.dropout import Dropout
from skrec._engine.layers.table import Table, even_shares, penalise

__all__ = ["Bag"]


class Bag(Table):
    """A dense layer on sparse binary rows: the sum of the vectors of the items of each row, divided by its length.

    The rows are normalised to a length of 1: an item of a row with n items counts 1 / sqrt(n). This is what a dense
    layer without bias returns for the row of a user in a matrix of users and items, but neither the matrix nor the
    weights of items that are not in the batch are touched.

    Parameters
    ----------
    rows : str
        What the rows of the table stand for (``"item"``).
    dim : int
        Width.
    stddev, penalised, trainable
        See :class:`~skrec._engine.layers.Table`.
    dropout : bool, default=True
        Whether dropout leaves out items of the bags in training.
    even : bool, default=False
        Whether penalties count all distinct items of a batch alike, together as much as one item for each example. If
        not, an item counts as often as it is in a bag.
    """

    def __init__(
        self,
        rows: str,
        dim: int,
        *,
        stddev: float = 0.1,
        penalised: bool = True,
        trainable: bool = True,
        dropout: bool = True,
        even: bool = False,
    ) -> None:
        super().__init__(rows, dim, stddev=stddev, penalised=penalised, trainable=trainable)
        self._dropout = Dropout() if dropout else tf.identity
        self._even = even

    def call(self, codes: Any, values: Any = None) -> Any:
        """Return the vectors (N, dim) of bags (N, L); codes below 1 are unknown items or padding, and are left out.

        Items with ``values`` (N, L) count as much, instead of 1 / sqrt(n). Dropout leaves out items of the bags, and
        scales up the others.
        """
        at = tf.where(codes > 0)
        row, items = at[:, 0], tf.gather_nd(codes, at)
        if values is None:
            n = tf.math.count_nonzero(codes > 0, axis=1, dtype=tf.float32)
            values = tf.gather(tf.math.rsqrt(tf.maximum(n, 1.0)), row)
        else:
            values = tf.gather_nd(values, at)
        values = self._dropout(values)
        distinct, column, counts = tf.unique_with_counts(items)
        vectors = tf.gather(self.embeddings.value, tf.zeros_like(distinct) if is_building() else distinct)
        if self.penalised:
            step, counts = current_context(), tf.cast(counts, tf.float32)
            if self._even and step is not None:
                counts = even_shares(step.lookup_weight, tf.size(counts))
            penalise(vectors, counts)
        shape = tf.stack([tf.shape(codes, tf.int64)[0], tf.size(distinct, tf.int64)])
        bags = tf.SparseTensor(tf.stack([row, tf.cast(column, tf.int64)], axis=1), values, shape)
        return tf.ensure_shape(tf.sparse.sparse_dense_matmul(bags, vectors), [codes.shape[0], self.dim])
