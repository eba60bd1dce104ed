"""Outputs of autoencoders of features: one-hot columns, bags of columns and numbers, and the losses of rows.

A row has the entries ``columns`` (N, L), numbers of columns from 1, below 1 for padding, with ``values`` (N, L). Each
column belongs to a group: the categories of one field (groups from 0), or the bag (the last group).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.context import current_context
from skrec._engine.layers.table import Table

__all__ = ["ColumnDecoder", "number_losses"]


class ColumnDecoder(Table):
    """The last layer of an autoencoder: a vector and a bias for each column, and the losses of the entries of rows.

    Parameters
    ----------
    dim : int
        Width of the input.
    n_groups : int
        Number of categorical fields. A row has at most one entry of each.
    bag : {"binary", "multinomial", "squared_error"} or None
        Loss of the columns that belong to no field: the cross-entropy of each column, the cross-entropy of the entries
        with a softmax over the columns, or the squared errors of all columns. None if there are none.
    stddev : float, default=0.05
        Standard deviation of the initial vectors.
    """

    def __init__(self, dim: int, *, n_groups: int, bag: str | None, stddev: float = 0.05) -> None:
        super().__init__("columns", dim + 1, stddev=stddev, penalised=False)
        self._n_groups, self._bag = n_groups, bag

    def call(self, vectors: Any) -> Any:
        """Return the logits of all columns (N, n_columns) for vectors (N, dim)."""
        rows = tf.convert_to_tensor(self.embeddings.value)[1:]  # all of them: the gradient is dense
        step = current_context()
        if step is not None and step.lookup_weight is not None:  # each row uses all columns, as it does a kernel
            step.looked_up(rows[:, :-1], tf.fill(tf.shape(rows)[:1], tf.reduce_sum(step.lookup_weight)))
        return tf.matmul(vectors, rows[:, :-1], transpose_b=True) + rows[:, -1]

    def losses(self, logits: Any, groups: Any, columns: Any, values: Any = None) -> Any:
        """Return the losses (N,) of rows.

        Parameters
        ----------
        logits : tensor (N, n_columns)
        groups : tensor (n_columns,) of int32
            Group of each column.
        columns, values : tensor (N, L)
            Entries of the rows. If ``values`` is None, all of them are 1.
        """
        at = tf.where(columns > 0)
        row, column = at[:, 0], tf.gather_nd(columns, at) - 1
        own = tf.gather_nd(logits, tf.stack([row, tf.cast(column, tf.int64)], axis=1))
        value = tf.ones_like(own) if values is None else tf.gather_nd(values, at)
        group, n = tf.gather(groups, column), tf.shape(columns)[0]
        each, of_rows = tf.zeros_like(own), tf.zeros([n])
        if self._n_groups or self._bag == "multinomial":
            size = tf.gather_nd(self._log_sums(logits, groups), tf.stack([group, tf.cast(row, tf.int32)], axis=1))
            each = tf.where((group < self._n_groups) | (self._bag == "multinomial"), value * (size - own), 0.0)
        if self._bag in {"binary", "squared_error"}:
            in_bag = tf.cast(groups == self._n_groups, tf.float32)
            everywhere = tf.nn.softplus(logits) if self._bag == "binary" else tf.square(logits)
            here = -value * own if self._bag == "binary" else value * (value - 2.0 * own)
            of_rows = tf.linalg.matvec(everywhere, in_bag)
            each += tf.where(group == self._n_groups, here, 0.0)
        return of_rows + tf.math.unsorted_segment_sum(each, row, n)

    def decoded(self, logits: Any, groups: Any) -> Any:
        """Return probabilities (N, n_columns), or the values of the columns of a bag with squared errors."""
        values = tf.zeros_like(logits)
        if self._n_groups or self._bag == "multinomial":
            sizes = tf.gather(self._log_sums(logits, groups), groups)
            values = tf.exp(logits - tf.transpose(sizes))
        if self._bag in {"binary", "squared_error"}:
            of_bag = tf.sigmoid(logits) if self._bag == "binary" else logits
            values = tf.where(groups == self._n_groups, of_bag, values)
        return values

    def _log_sums(self, logits: Any, groups: Any) -> Any:
        """Return the logarithms of the sums of exp(logits) in each group: (n_groups + 1, N)."""
        by_column, n = tf.transpose(logits), self._n_groups + 1
        top = tf.stop_gradient(tf.math.unsorted_segment_max(by_column, groups, n))
        sums = tf.math.unsorted_segment_sum(tf.exp(by_column - tf.gather(top, groups)), groups, n)
        return top + tf.math.log(tf.maximum(sums, 1e-30))


def number_losses(
    outputs: Any, numbers: Any, *, n_numeric: int, n_flags: int, absent: Sequence[tuple[int, int]]
) -> Any:
    """Return the losses (N,) of rows of numbers: squared errors, and the cross-entropies of flags.

    Parameters
    ----------
    outputs, numbers : tensor (N, n_numeric + n_flags + n_places)
        Standardized numbers, flags of 0 and 1, and the places of arrays.
    n_numeric, n_flags : int
    absent : sequence of (start, stop)
        For each flag the numbers, and then the places, that are missing and have no error where the flag is 1.
    """
    end = n_numeric + n_flags
    gaps = outputs - numbers
    errors = tf.square(tf.concat([gaps[:, :n_numeric], gaps[:, end:]], axis=1))
    if not n_flags:
        return tf.reduce_sum(errors, axis=1)
    flags = numbers[:, n_numeric:end]
    hides = np.zeros((n_flags, errors.shape[1]), np.float32)
    for flag, (start, stop) in enumerate(absent):
        hides[flag, start:stop] = 1.0
    there = 1.0 - tf.minimum(tf.matmul(flags, tf.constant(hides)), 1.0)
    of_flags = tf.nn.sigmoid_cross_entropy_with_logits(labels=flags, logits=outputs[:, n_numeric:end])
    return tf.reduce_sum(errors * there, axis=1) + tf.reduce_sum(of_flags, axis=1)
