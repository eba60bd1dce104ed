"""The form every architecture takes: what depends on the query, on the item, and on both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skrec._engine.backend import tf


@dataclass(frozen=True)
class Network:
    """A recommender network in three parts.

    Splitting it so lets a block of one positive and its negatives compute the query's part once, and a whole catalogue be
    scored without repeating what depends on the query or the item alone.

    Parameters
    ----------
    query : callable
        ``query(inputs)``: from the columns of B queries (``inputs["user"]`` of shape (B,), ...) to one or more tensors of
        shape (B, ...).
    item : callable
        ``item(inputs)``: from the columns of items (``inputs["item"]``) to one or more tensors of shape
        ``inputs["item"].shape + (...)``; the items are (B, M), M for each query, or (M,), shared by all queries.
    interact : callable
        ``interact(query, item)``: their logits, of shape (B, M), or (B, M, C) for C outputs.
    parts : mapping of str to keras.layers.Layer
        Every layer with weights, under the name that its weights are stored by.
    """

    query: Callable[[Mapping[str, Any]], Any]
    item: Callable[[Mapping[str, Any]], Any]
    interact: Callable[[Any, Any], Any]
    parts: Mapping[str, Any]


def match(query: Any, item: Any) -> Any:
    """Dot products of queries (B, d) with items: (B, M, d) of their own or (M, d) shared. Returns (B, M)."""
    if item.shape.rank == 2:
        return tf.matmul(query, item, transpose_b=True)
    return tf.reduce_sum(query[:, tf.newaxis, :] * item, axis=-1)


def dense_stack(x: Any, layers: Sequence[Callable[[Any], Any]]) -> Any:
    """Apply layers to the last axis of ``x`` (B, M, d), as one matrix: faster than a product per query."""
    shape = tf.shape(x)
    flat = tf.reshape(x, [-1, x.shape[-1]])
    for layer in layers:
        flat = layer(flat)
    return tf.reshape(flat, [shape[0], shape[1], flat.shape[-1]])
