"""Sparse rows: each a weighted bag of columns, whose vectors are added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skrec._engine.backend import tf
from skrec._engine.layers.table import Table, penalise

__all__ = ["ColumnBag"]


class ColumnBag(Table):
    """A vector for each column of a sparse matrix; a row has the vectors of its columns, each times its value.

    Parameters
    ----------
    side : str
        What the names of the inputs start with: ``"query"``.
    dim : int
        Width.
    stddev, penalised
        See :class:`~skrec._engine.layers.Table`.
    """

    def __init__(self, side: str, dim: int, *, stddev: float = 0.1, penalised: bool = True) -> None:
        super().__init__(f"{side}_sparse", dim, stddev=stddev, penalised=penalised)
        self.side = side

    def call(self, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the sum of the vectors (N, dim), and half of what is left of its square without their own squares.

        The latter is the sum of the products of all pairs of different columns: the interactions of a factorisation
        machine (Rendle, 2010, equation 3).
        """
        places = inputs[f"{self.side}_sparse"]
        there = places >= 0
        values = tf.where(there, tf.bitcast(inputs[f"{self.side}_values"], tf.float32), 0.0)[..., None]
        vectors = tf.gather(self.embeddings.value, tf.maximum(places, 0))
        if self.penalised:
            used = vectors * tf.cast(there, tf.float32)[..., None]
            penalise(tf.reshape(used, [tf.shape(used)[0], used.shape[1] * used.shape[2]]))
        vectors = vectors * values
        total = tf.reduce_sum(vectors, axis=1)
        return total, 0.5 * (tf.square(total) - tf.reduce_sum(tf.square(vectors), axis=1))
