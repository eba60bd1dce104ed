"""The matrix of a graph, over which the rows of tables are propagated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skrec._engine.backend import tf

__all__ = ["Graph"]


class Graph:
    """Symmetric sparse matrix of any size, stored as variables, so that a trace serves all graphs."""

    def __init__(self) -> None:
        self._at = tf.Variable(tf.zeros([0, 2], tf.int64), shape=[None, 2], trainable=False)
        self._values = tf.Variable(tf.zeros([0]), shape=[None], trainable=False)
        self._n_nodes = tf.Variable(0, dtype=tf.int64, trainable=False)

    def fill(self, matrix: Any) -> None:
        """Store a scipy.sparse array of shape (n_nodes, n_nodes)."""
        entries = matrix.tocsr().tocoo()
        self._at.assign(np.column_stack([entries.row, entries.col]).astype(np.int64))
        self._values.assign(entries.data.astype(np.float32))
        self._n_nodes.assign(matrix.shape[0])

    def clear(self) -> None:
        """Free the memory."""
        self._at.assign(tf.zeros([0, 2], tf.int64))
        self._values.assign(tf.zeros([0]))

    def product(self) -> Callable[[Any], Any]:
        """Return a function that multiplies the matrix by a tensor (n_nodes, d).

        Compressed rows are converted once, and multiplied eight times as fast as a ``tf.SparseTensor``.
        """
        shape = tf.stack([self._n_nodes, self._n_nodes])
        rows = tf.raw_ops.SparseTensorToCSRSparseMatrix(indices=self._at, values=self._values, dense_shape=shape)

        def multiply(dense: Any) -> Any:
            product = tf.raw_ops.SparseMatrixMatMul(a=rows, b=dense)
            return tf.ensure_shape(product, dense.shape)

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def call(dense: Any) -> Any:
            return multiply(dense), multiply  # the matrix is symmetric

        return call  # type: ignore[no-any-return]
