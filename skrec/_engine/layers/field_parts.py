"""The sides of a network of fields, and the layers that embed their categories and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from skrec._engine.backend import keras, tf
from skrec._engine.context import current_context
from skrec._engine.layers.table import Table, penalise

__all__ = ["FieldTable", "Numbers", "Side"]


class Side(NamedTuple):
    """Numbers of fields of one side of a network; the trace depends on nothing else.

    Parameters
    ----------
    name : {"query", "item"}
        What the names of its columns and weights start with.
    role : str or None
        ``"user"`` or ``"item"`` if ids are a field too, the first one.
    categorical, multivalued, numeric, flags : int
        Numbers of fields; flags tell where a number is missing.
    arrays : tuple of int
        Widths of the array-valued fields.
    sparse : {0, 1}
        Whether the rest of a row is a weighted bag of columns, the last field.
    """

    name: str
    role: str | None = None
    categorical: int = 0
    multivalued: int = 0
    numeric: int = 0
    flags: int = 0
    arrays: tuple[int, ...] = ()
    sparse: int = 0

    @property
    def n_embedded(self) -> int:
        """Number of fields that are looked up in tables."""
        return (self.role is not None) + self.categorical + self.multivalued

    @property
    def n_fields(self) -> int:
        """Number of all fields."""
        return self.n_embedded + self.numeric + self.flags + len(self.arrays) + self.sparse


class FieldTable(Table):
    """One table for all categorical fields, each with separate rows.

    In training, a fraction of the codes is replaced by the row for unknown values of their field.

    Parameters
    ----------
    side : Side
        The fields.
    dim : int
        Width.
    suffix : str
        Ending of the name that counts its rows.
    stddev : float
        Standard deviation of the normal distribution of initial rows.
    penalised : bool
        Whether L1 and L2 apply to the looked-up rows.
    pooling : {"mean", "sum", "max"}
        How the vectors of a multi-valued field are combined.
    """

    def __init__(
        self, side: Side, dim: int, *, stddev: float = 0.1, penalised: bool = True, pooling: str = "mean"
    ) -> None:
        super().__init__(f"{side.name}_fields", dim, stddev=stddev, penalised=penalised)
        self.side, self.pooling = side, pooling
        self.unknown = self.add_weight(
            shape=(side.categorical,), initializer="zeros", dtype="int32", trainable=False, name="unknown"
        )

    def call(self, inputs: Mapping[str, Any]) -> Any:
        """Return the vectors of the categorical and the multi-valued fields: (N, n_fields, dim)."""
        side, vectors = self.side, []
        if side.categorical:
            codes, step = inputs[f"{side.name}_codes"], current_context()
            vectors.append(super().call(codes if step is None else step.dropped(codes, self.unknown.value)))
        vectors += [self._pool(inputs[f"{side.name}_bag_{i}"]) for i in range(side.multivalued)]
        return vectors[0] if len(vectors) == 1 else tf.concat(vectors, axis=1)

    def _pool(self, codes: Any) -> Any:
        there = tf.expand_dims(tf.cast(codes >= 0, tf.float32), -1)  # LiteRT has it, but not [..., None]
        rows = tf.gather(self.embeddings.value, tf.maximum(codes, 0)) * there
        if self.penalised:
            penalise(rows)
        if self.pooling == "max":
            return tf.reduce_max(rows + (there - 1.0) * 1e9, axis=1, keepdims=True)
        total = tf.reduce_sum(rows, axis=1, keepdims=True)
        return total / tf.reduce_sum(there, axis=1, keepdims=True) if self.pooling == "mean" else total


class Numbers(keras.layers.Layer):
    """Vectors of numeric fields: the number times a vector, or the vectors of the bins up to it.

    With bins, it is the piecewise-linear encoding of Gorishniy et al. (2022, arXiv:2203.05556, section 3.2), followed
    by a linear layer for each field.

    Parameters
    ----------
    side : Side
        The fields.
    dim : int
        Width.
    n_bins : int
        Bins of a field; 0: the number itself.
    stddev : float or None
        About the standard deviation of the vectors at the start; None: Glorot's.
    """

    def __init__(self, side: Side, dim: int, *, n_bins: int = 0, stddev: float | None = None) -> None:
        super().__init__()
        self.side, self.n_bins, self.stddev = side, n_bins, stddev
        if side.numeric:
            self.numeric_kernel = self.add_weight(
                shape=(side.numeric, max(n_bins, 1), dim), initializer="zeros", name="numeric_kernel"
            )
            self.bias = self.add_weight(shape=(side.numeric, dim), initializer="zeros", name="bias")
        if side.numeric and n_bins:
            self.edges = self.add_weight(
                shape=(side.numeric, n_bins + 1), initializer="zeros", trainable=False, name="edges"
            )
        if side.flags:
            self.flag_kernel = self.add_weight(shape=(side.flags, 1, dim), initializer="zeros", name="flag_kernel")
        self.built = True

    def call(self, numbers: Any) -> Any:
        """Return (N, n_numeric + n_flags, dim) for numbers (N, n_numeric + n_flags)."""
        side, vectors = self.side, []
        if side.numeric:
            encoded = numbers[:, : side.numeric, None]
            if self.n_bins:
                low, high = self.edges.value[:, :-1], self.edges.value[:, 1:]
                share = tf.math.divide_no_nan(encoded - low, high - low)
                encoded = tf.where(high > low, tf.clip_by_value(share, 0.0, 1.0), tf.cast(encoded >= low, tf.float32))
                scaled = tf.einsum("ndt,dtk->ndk", encoded, self.numeric_kernel.value)
            else:
                scaled = encoded * self.numeric_kernel.value[:, 0]
            vectors.append(scaled + self.bias.value)
        if side.flags:
            vectors.append(numbers[:, side.numeric :, None] * self.flag_kernel.value[:, 0])
        return vectors[0] if len(vectors) == 1 else tf.concat(vectors, axis=1)
