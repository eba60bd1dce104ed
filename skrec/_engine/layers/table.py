"""Embedding tables of any number of rows."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf, unsized
from skrec._engine.context import current_context, is_building


def take_rows(table: Any, codes: Any) -> Any:
    """Gather rows of a tensor (N, d), with a dense gradient that is summed at once."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def gathered(table: Any) -> Any:
        n, width = tf.shape(table)[0], table.shape[-1]

        def gradient(upstream: Any) -> Any:
            return tf.math.unsorted_segment_sum(tf.reshape(upstream, [-1, width]), tf.reshape(codes, [-1]), n)

        return tf.gather(table, codes), gradient

    return gathered(table)


def penalise(rows: Any, counts: Any = None) -> Any:
    """Apply L1 and L2 to rows (n, ..., dim), and return them unchanged.

    With ``counts`` (n,), each row counts as often as it was looked up.
    """
    step = current_context()
    if step is not None:
        step.looked_up(rows, counts)
    return rows


def even_shares(weight: Any, n: Any) -> Any:
    """Return weights of n rows that together count as much as one row for each example, of the weights (B,)."""
    return tf.fill(tf.reshape(n, [1]), tf.reduce_sum(weight) / tf.cast(n, tf.float32))


class Table(keras.layers.Layer):
    """Embedding table with one row per id; row 0 is for ids that were not seen during ``fit``.

    Rows are gathered from the variable itself: reading its dense value first would copy the table at every step. Their
    gradient is sparse, and the optimisers of :mod:`skrec._engine.optimizers` update the rows of the batch alone.
    If the network propagates embeddings over a graph, propagated rows are looked up in training, and penalties apply to
    the rows of the table itself.

    Parameters
    ----------
    rows : str
        What the rows stand for (``"user"``, ``"item"``): their number is that vocabulary's size plus one.
    dim : int
        Width.
    stddev : float, default=0.1
        Standard deviation of the normal distribution of initial rows.
    penalised : bool, default=True
        Whether L1 and L2 see the rows as they are looked up; if not, the architecture tells what they see instead
        (:func:`penalise`).
    trainable : bool, default=True
        Whether the rows are learned. If not, they are constants of the model, such as the popularity of items.
    """

    def __init__(
        self, rows: str, dim: int, *, stddev: float = 0.1, penalised: bool = True, trainable: bool = True
    ) -> None:
        super().__init__()
        self.rows = rows
        self.dim = dim
        self.stddev = stddev
        self.penalised = penalised
        weight = self.add_weight(shape=(1, dim), initializer="zeros", name="embeddings", trainable=trainable)
        self.embeddings = unsized(weight)
        self.built = True

    def call(self, codes: Any) -> Any:
        """Return the rows of ``codes``: shape ``codes.shape + (dim,)``."""
        step = current_context()
        if step is not None and id(self) in step.propagated:
            own, propagated = step.propagated[id(self)]
            if self.penalised and step.penalised:
                penalise(take_rows(own, codes))
            return take_rows(propagated, codes)
        rows = tf.gather(self.embeddings.value, tf.zeros_like(codes) if is_building() else codes)
        if self.penalised:
            penalise(rows)
        return rows
