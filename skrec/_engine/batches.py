"""Training data of one fit, stored once in memory; batches and negatives are drawn from it inside the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.context import TrainingContext
from skrec._engine.graph import Graph

__all__ = ["Column", "TrainingArrays", "TrainingData"]

_REDRAWS = 2


@dataclass(frozen=True)
class Column:
    """Input of a network.

    Parameters
    ----------
    name : str
        Name of the input.
    dtype : {"int32", "float32"}, default="int32"
        Data type: int32 for codes, float32 for numbers.
    shape : tuple of int
        Shape of one row.
    window : bool, default=False
        Whether rows are windows of one long array. In this case, only their ends are stored for each row.
    """

    name: str
    dtype: str = "int32"
    shape: tuple[int, ...] = ()
    window: bool = False

    def holder(self) -> Any:
        """Create a variable for any number of rows."""
        return _holder("int64", (2,)) if self.window else _holder(self.dtype, self.shape)

    def padding(self) -> Any:
        """Return one row of padding: a history without events, otherwise zeros."""
        return tf.fill([1, *self.shape], tf.constant(-1 if self.window or self.name == "history" else 0, self.dtype))


@dataclass(frozen=True)
class TrainingArrays:
    """Encoded training data of one fit.

    Parameters
    ----------
    columns : dict of str to ndarray (n_rows, ...)
        Inputs of the network for each row: ``"user"`` and ``"item"`` codes, and further inputs of the architecture.
        Histories are Windows.
    target : ndarray (n_rows, n_targets) or (n_rows, length, n_targets) of float32
        Label, rating, class index, or 1 / 0 for positive and negative events, for each row or position of a sequence.
    weight : ndarray (n_rows,) or (n_rows, length) or None
        Weights of the rows, or of the positions of sequences. None stands for weights of 1.
    n_items : int
        Number of items. Codes start at 1.
    item_counts : ndarray (n_items + 1,) or None
        Popularity of each item, to sample by it, or its number of rows, to correct for negatives in the batch.
    positives : ndarray of int64 or None
        Sorted keys ``user * (n_items + 1) + item`` of the pairs that must not be sampled as negatives.
    catalogue : dict of str to ndarray (n_items + 1, ...) or None
        Inputs of the network for each item code, if items are sampled.
    graph : scipy.sparse.csr_array of shape (n_nodes, n_nodes), or None
        Symmetric matrix of the graph over which embeddings are propagated.
    further : dict of str to ndarray (n_further_rows, ...) or None
        Inputs of rows of their own, of which some are drawn at random in each step for an auxiliary loss.
    """

    columns: dict[str, Any]
    target: np.ndarray
    weight: np.ndarray | None
    n_items: int
    item_counts: np.ndarray | None = None
    positives: np.ndarray | None = None
    catalogue: dict[str, np.ndarray] | None = None
    graph: Any = None
    further: dict[str, np.ndarray] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.target)


def _holder(dtype: Any, shape: tuple[int, ...] = ()) -> Any:
    return tf.Variable(tf.zeros([0, *shape], dtype), shape=[None, *shape], trainable=False, dtype=dtype)


class TrainingData:
    """Variables of a program that are filled for a fit and emptied at its end; the trace does not depend on them.

    Columns, targets and weights are stored in the order of the epoch, so that a batch is a slice of each. Reordering
    all rows once per epoch takes a tenth of the time of gathering the rows in each step.
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        catalogue: tuple[Column, ...],
        batch_size: int,
        *,
        popularity: bool,
        in_batch: bool = False,
        length: int = 0,
        n_targets: int = 1,
        further: tuple[Column, ...] = (),
    ) -> None:
        self._batch_size = batch_size
        self._popularity = popularity
        self._in_batch = in_batch
        self._arrays: TrainingArrays | None = None  # training data of the fit, in the original order
        self._sources: dict[str, np.ndarray] = {}  # columns of the training data
        places = (length,) if length else ()
        self.columns = {column.name: column.holder() for column in columns}
        self.catalogue = {column.name: column.holder() for column in catalogue}
        self.further = {column.name: column.holder() for column in further}
        self.graph = Graph()
        self.flat = {column.name: _holder(column.dtype) for column in columns if column.window}
        self._lengths = {column.name: column.shape[0] for column in columns if column.window}
        self.target = _holder(tf.float32, (*places, n_targets))
        self.weight = _holder(tf.float32, places)
        self.cumulative = _holder(tf.float64)
        self.log_shares = _holder(tf.float32)
        self.row_shares = _holder(tf.float32)
        self.positives = _holder(tf.int64)
        self.n_items = tf.Variable(0, trainable=False, dtype=tf.int32)

    def fill(self, arrays: TrainingArrays, alpha: float) -> None:
        """Load the data of a fit; negatives are sampled in proportion to ``item_counts ** alpha``."""
        self._arrays = arrays
        for name in self.columns:
            column = arrays.columns[name]
            if name in self.flat:
                self.flat[name].assign(np.append(column.flat, np.int32(0)))  # never empty
                column = np.column_stack([column.start, column.stop])
            self._sources[name] = column
        for name, holder in self.catalogue.items():
            holder.assign((arrays.catalogue or {})[name])
        for name, holder in self.further.items():
            holder.assign((arrays.further or {})[name])
        if arrays.graph is not None:
            self.graph.fill(arrays.graph)
        self.n_items.assign(arrays.n_items)
        if arrays.positives is not None:
            self.positives.assign(arrays.positives)
        if self._popularity and arrays.item_counts is not None:
            # An item without events is sampled like the least popular of the others.
            share = arrays.item_counts[1:].astype(np.float64)
            share[share == 0] = share.min(where=share > 0, initial=share.max()) or 1.0
            share **= alpha
            share /= share.sum()
            self.cumulative.assign(np.cumsum(share))
            self.log_shares.assign(np.log(share, dtype=np.float64).astype(np.float32))
        if self._in_batch and arrays.item_counts is not None:
            self.row_shares.assign((arrays.item_counts / max(arrays.item_counts.sum(), 1)).astype(np.float32))

    def clear(self) -> None:
        """Free the memory."""
        self._arrays, self._sources = None, {}
        self.graph.clear()
        tables = (*self.columns.values(), *self.flat.values(), *self.catalogue.values(), *self.further.values())
        lists = (self.target, self.weight, self.cumulative, self.log_shares, self.row_shares, self.positives)
        for holder in (*tables, *lists):
            holder.assign(tf.zeros([0, *holder.shape[1:]], holder.dtype))

    def shuffle(self, seed: int, epoch: int) -> None:
        """Put the rows in the order of an epoch, with rows of weight 0 at the end to fill the last batch."""
        arrays = self._arrays
        assert arrays is not None
        n_rows = arrays.n_rows
        order = tf.random.experimental.stateless_shuffle(tf.range(n_rows, dtype=tf.int32), [seed, epoch]).numpy()
        order = np.pad(order, (0, -n_rows % self._batch_size))
        for name, holder in self.columns.items():
            holder.assign(np.take(self._sources[name], order, axis=0))
        self.target.assign(np.take(arrays.target, order, axis=0))
        weight = np.ones((len(order), *self.weight.shape[1:]), np.float32)
        if arrays.weight is not None:
            np.take(arrays.weight, order, axis=0, out=weight, mode="clip")
        weight[n_rows:] = 0.0
        self.weight.assign(weight)

    def batch(self, step: Any) -> tuple[dict[str, Any], Any, Any]:
        """Return the columns, targets (B, n_targets) and weights (B,) of one batch; weight 0 marks padding.

        For B sequences, targets and weights are those of all positions, one after the other.
        """
        at = tf.cast(step, tf.int32) * self._batch_size

        def piece(holder: Any) -> Any:
            inner = holder.shape[1:]
            return tf.slice(holder.value(), [at, *(0 for _ in inner)], [self._batch_size, *inner])

        columns = {name: self._windows(name, piece(holder)) for name, holder in self.columns.items()}
        target = tf.reshape(piece(self.target), [-1, self.target.shape[-1]])
        return columns, target, tf.reshape(piece(self.weight), [-1])

    def _windows(self, name: str, rows: Any) -> Any:
        """Return the windows of rows from their ends, right-aligned and padded with -1."""
        if name not in self.flat:
            return rows
        at = rows[:, 1:] + tf.range(-self._lengths[name], 0, dtype=tf.int64)
        return tf.where(at >= rows[:, :1], tf.gather(self.flat[name], tf.maximum(at, 0)), -1)

    def items(self, codes: Any) -> dict[str, Any]:
        """Return the inputs of the network for items: codes (M,)."""
        return {"item": codes, **{name: tf.gather(holder, codes) for name, holder in self.catalogue.items()}}

    def draw_further(self, step: TrainingContext) -> dict[str, Any]:
        """Draw as many further rows, with replacement, as a batch has rows."""
        n = tf.shape(next(iter(self.further.values())))[0]
        rows = step.uniform([self._batch_size], dtype=tf.int32, maxval=n)
        return {name: tf.gather(holder, rows) for name, holder in self.further.items()}

    def draw(self, step: TrainingContext, shape: Any) -> Any:
        """Sample item codes."""
        if not self._popularity:
            return 1 + step.uniform(shape, dtype=tf.int32, maxval=self.n_items)
        flat = step.uniform([tf.reduce_prod(shape)], dtype=tf.float64)
        codes = tf.searchsorted(self.cumulative, flat, side="right")
        return 1 + tf.minimum(tf.reshape(codes, shape), self.n_items - 1)

    def log_share(self, codes: Any) -> Any:
        """Return the log probability of sampling each code, for the logQ correction of sampled softmax.

        With uniform sampling, all items have the same probability, and no correction is needed.
        """
        return tf.gather(self.log_shares, tf.maximum(codes - 1, 0))

    def log_expected(self, codes: Any, n_rows: Any, n_drawn: Any) -> Any:
        """Return the log of the expected number of times that each code is among the items of rows and drawn items."""
        drawn = tf.cast(n_drawn, tf.float32) / tf.cast(tf.maximum(self.n_items, 1), tf.float32)
        return tf.math.log(n_rows * tf.gather(self.row_shares, codes) + drawn)

    def is_positive(self, users: Any, items: Any) -> Any:
        """Return which pairs of codes are training positives; users (B,), items (B, M)."""
        width = tf.cast(self.n_items + 1, tf.int64)
        keys = tf.cast(users, tf.int64)[:, None] * width + tf.cast(items, tf.int64)
        flat = tf.reshape(keys, [-1])
        last = tf.shape(self.positives)[0] - 1
        place = tf.minimum(tf.searchsorted(self.positives, flat), last)
        return tf.reshape(tf.equal(tf.gather(self.positives, place), flat), tf.shape(keys))

    def draw_unseen(self, step: TrainingContext, users: Any, shape: Any) -> tuple[Any, Any]:
        """Sample items that are not positives of the row's user; the mask is 0 where three attempts failed."""
        codes = self.draw(step, shape)
        taken = self.is_positive(users, codes)
        for _ in range(_REDRAWS):
            codes = tf.where(taken, self.draw(step, shape), codes)
            taken = self.is_positive(users, codes)
        return codes, 1.0 - tf.cast(taken, tf.float32)
