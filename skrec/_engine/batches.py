"""The training data of one fit, held once in memory, and the batches and negatives drawn from it inside the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.step import Step

__all__ = ["TrainingArrays", "TrainingData"]

_REDRAWS = 2


@dataclass(frozen=True)
class TrainingArrays:
    """What one fit trains on, in codes.

    Parameters
    ----------
    columns : dict of str to ndarray (n_rows,)
        The inputs of the network, row by row: ``"user"`` and ``"item"`` codes.
    target : ndarray (n_rows,) of float32
        Label, rating, class number, or 1 / 0 for positive and negative events.
    weight : ndarray (n_rows,) of float32 or None
        Weights of the rows.
    n_items : int
        Size of the catalogue; codes run from 1.
    item_counts : ndarray (n_items + 1,) or None
        Events of each item, for negatives drawn by popularity.
    positives : ndarray of int64 or None
        Sorted keys ``user * (n_items + 1) + item`` of the pairs that must not be drawn as negatives.
    """

    columns: dict[str, np.ndarray]
    target: np.ndarray
    weight: np.ndarray | None
    n_items: int
    item_counts: np.ndarray | None = None
    positives: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.target)


def _holder(dtype: Any) -> Any:
    return tf.Variable(tf.zeros([0], dtype), shape=[None], trainable=False, dtype=dtype)


class TrainingData:
    """Variables of a program that a fit fills and its end empties: none of them is part of the traced program."""

    def __init__(self, columns: tuple[str, ...], batch_size: int, popularity: bool) -> None:
        self._batch_size = batch_size
        self._popularity = popularity
        self.columns = {name: _holder(tf.int32) for name in columns}
        self.target = _holder(tf.float32)
        self.weight = _holder(tf.float32)
        self.permutation = _holder(tf.int32)
        self.cumulative = _holder(tf.float64)
        self.log_shares = _holder(tf.float32)
        self.positives = _holder(tf.int64)
        self.n_items = tf.Variable(0, trainable=False, dtype=tf.int32)

    def fill(self, arrays: TrainingArrays, alpha: float) -> None:
        """Take the data of a fit; negatives will be drawn in proportion to ``item_counts ** alpha``."""
        for name, holder in self.columns.items():
            holder.assign(arrays.columns[name])
        self.target.assign(arrays.target)
        self.weight.assign(np.ones(1, np.float32) if arrays.weight is None else arrays.weight)
        self.n_items.assign(arrays.n_items)
        if arrays.positives is not None:
            self.positives.assign(arrays.positives)
        if self._popularity and arrays.item_counts is not None:
            # An item without events (of an earlier fit) can still be drawn, as one with a single event.
            share = np.maximum(arrays.item_counts[1:], 1).astype(np.float64) ** alpha
            share /= share.sum()
            self.cumulative.assign(np.cumsum(share))
            self.log_shares.assign(np.log(share, dtype=np.float64).astype(np.float32))

    def clear(self) -> None:
        """Give the memory back."""
        for holder in (*self.columns.values(), self.target, self.weight, self.permutation, self.cumulative,
                       self.log_shares, self.positives):  # fmt: skip
            holder.assign(tf.zeros([0], holder.dtype))

    def shuffle(self, seed: int, epoch: int) -> None:
        """Put the rows in the order of an epoch, padded with -1 to whole batches."""
        n_rows = int(self.target.shape[0] or tf.shape(self.target)[0])
        order = tf.random.experimental.stateless_shuffle(tf.range(n_rows, dtype=tf.int32), [seed, epoch])
        self.permutation.assign(tf.pad(order, [[0, -n_rows % self._batch_size]], constant_values=-1))

    def batch(self, step: Any) -> tuple[dict[str, Any], Any, Any]:
        """Return the columns, targets and weights of one batch; weight 0 marks padding."""
        rows = tf.slice(self.permutation.value(), [tf.cast(step, tf.int32) * self._batch_size], [self._batch_size])
        usable = tf.cast(rows >= 0, tf.float32)
        rows = tf.maximum(rows, 0)
        columns = {name: tf.gather(holder, rows) for name, holder in self.columns.items()}
        last = tf.shape(self.weight)[0] - 1
        weight = usable * tf.gather(self.weight, tf.minimum(rows, last))
        return columns, tf.gather(self.target, rows), weight

    def draw(self, step: Step, shape: Any) -> Any:
        """Draw item codes."""
        if not self._popularity:
            return 1 + step.uniform(shape, dtype=tf.int32, maxval=self.n_items)
        flat = step.uniform([tf.reduce_prod(shape)], dtype=tf.float64)
        codes = tf.searchsorted(self.cumulative, flat, side="right")
        return 1 + tf.minimum(tf.reshape(codes, shape), self.n_items - 1)

    def log_share(self, codes: Any) -> Any:
        """Return the logarithm of each code's share of the draws, for the logQ correction of sampled softmax.

        Drawn uniformly, all items have the same share, and no correction is needed.
        """
        return tf.gather(self.log_shares, tf.maximum(codes - 1, 0))

    def is_positive(self, users: Any, items: Any) -> Any:
        """Tell which pairs of codes are training positives; users (B,), items (B, M)."""
        width = tf.cast(self.n_items + 1, tf.int64)
        keys = tf.cast(users, tf.int64)[:, None] * width + tf.cast(items, tf.int64)
        flat = tf.reshape(keys, [-1])
        last = tf.shape(self.positives)[0] - 1
        place = tf.minimum(tf.searchsorted(self.positives, flat), last)
        return tf.reshape(tf.equal(tf.gather(self.positives, place), flat), tf.shape(keys))

    def draw_unseen(self, step: Step, users: Any, shape: Any) -> tuple[Any, Any]:
        """Draw items that are no training positives of their row's user; where three draws failed the mask is 0."""
        codes = self.draw(step, shape)
        taken = self.is_positive(users, codes)
        for _ in range(_REDRAWS):
            codes = tf.where(taken, self.draw(step, shape), codes)
            taken = self.is_positive(users, codes)
        return codes, 1.0 - tf.cast(taken, tf.float32)
