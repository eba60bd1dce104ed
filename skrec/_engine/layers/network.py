"""Structure of all architectures: the parts that depend on the query, on the item, and on both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.layers.dropout import Dropout


@dataclass(frozen=True)
class Network:
    """A recommender network in three parts.

    With this split, the query part is computed once for a positive and its negatives, and the whole catalogue is scored
    without repeating computations that depend only on the query or only on the item.

    Parameters
    ----------
    query : callable
        ``query(inputs)``: from the columns of B queries (``inputs["user"]`` of shape (B,), ...) to one or more tensors
        of shape (B, ...).
    item : callable
        ``item(inputs)``: from the columns of M items (``inputs["item"]`` of shape (M,), ...) to one or more tensors of
        shape (M, ...).
    interact : callable
        ``interact(query, item)``: the logits of B queries with their items, of shape (B, M), or (B, M, C) for C
        outputs. The items' tensors have shape (B, M, ...), M of its own for each query, or (M, ...), shared by all.
    parts : mapping of str to keras.layers.Layer
        Every layer with weights, under the name that its weights are stored by.
    dot : bool, default=False
        Whether ``query`` and ``item`` return one vector each and ``interact`` is their dot product plus a constant: a
        catalogue is then scored by one matrix product.
    width : int, default=64
        About how many numbers ``interact`` holds for one pair, which decides how many are scored at once.
    states : callable, optional
        ``states(inputs)``: from the columns of B sequences of L places to the queries of each place, tensors of shape
        (B, L, ...): what ``query`` would return for the events before it. Where there is one, fits train on sequences.
    copies : mapping of str to str, default={}
        Parts that are not trained but copies of other parts, by name: made at the start of a fit and whenever a phase
        of training begins, except for the first.
    views : mapping of str to callable, default={}
        What there is to see inside, by name: functions from the inputs of N rows to a tensor (N, ...).
    propagate : callable, optional
        ``propagate(nodes, product, batch)``: from the rows (N, d) of all tables, one below the other in the order of
        ``parts``, to the rows that are looked up instead. ``product`` multiplies the matrix of the graph by a tensor
        (N, d). ``batch`` has the rows of the users and items of a training batch, by name; it is None after training,
        when the propagated rows are computed for scoring. Tables have equal width.
    auxiliary : callable, optional
        ``auxiliary(inputs)``: the loss of further rows, which are drawn at random in each training step. It is added
        to the loss of the batch.
    """

    query: Callable[[Mapping[str, Any]], Any]
    item: Callable[[Mapping[str, Any]], Any]
    interact: Callable[[Any, Any], Any]
    parts: Mapping[str, Any]
    dot: bool = False
    width: int = 64
    states: Callable[[Mapping[str, Any]], Any] | None = None
    copies: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    propagate: Callable[[Any, Callable[[Any], Any], Mapping[str, Any] | None], Any] | None = None
    auxiliary: Callable[[Mapping[str, Any]], Any] | None = None


def match(query: Any, item: Any) -> Any:
    """Dot products of queries (B, d) with items: (B, M, d) of their own or (M, d) shared. Returns (B, M).

    Queries with a vector for each of C outputs, (B, C, d), give (B, M, C).
    """
    if query.shape.rank == 3:
        return tf.einsum("bcd,md->bmc" if item.shape.rank == 2 else "bcd,bmd->bmc", query, item)
    if item.shape.rank == 2:
        return tf.matmul(query, item, transpose_b=True)
    if item.shape[1] == 1:
        return tf.reduce_sum(query * tf.squeeze(item, 1), axis=-1, keepdims=True)
    return tf.reduce_sum(tf.expand_dims(query, 1) * item, axis=-1)


def dense_stack(query: Any, item: Any, layers: Sequence[Callable[[Any], Any]]) -> Any:
    """Add queries (B, d) to items (B, M, d) or (M, d) and apply layers to the sums: (B, M, units of the last layer).

    The pairs are one matrix (B * M, d) meanwhile, which is faster than a product for each query.
    """
    one = item.shape.rank == 3 and item.shape[1] == 1
    pairs = query + tf.squeeze(item, 1) if one else tf.expand_dims(query, 1) + item
    flat = tf.reshape(pairs, [-1, pairs.shape[-1]])
    for layer in layers:
        flat = layer(flat)
    if one:
        return tf.expand_dims(flat, 1)
    shape = tf.shape(pairs)
    return tf.reshape(flat, [shape[0], shape[1], flat.shape[-1]])


def mlp(
    parts: dict[str, Any], hidden_units: Sequence[int], *, name: str = "hidden", activation: str = "relu"
) -> Callable[[Any], Any]:
    """Make fully connected layers with dropout after each, and add them to ``parts``.

    Returns
    -------
    callable
        From (N, d) to (N, units of the last layer); without layers, what it is given.
    """
    layers = []
    for i, units in enumerate(hidden_units, start=1):
        parts[f"{name}_{i}"] = keras.layers.Dense(units, activation=activation)
        layers += [parts[f"{name}_{i}"], Dropout()]

    def call(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return call
