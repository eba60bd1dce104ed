"""Separate use of the two sides of a network: vectors of queries and items, and scores of selected pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.program import Program
from skrec._engine.program_cache import shared
from skrec._engine.scoring import _CELLS, _ITEMS, _LARGE, _ROWS, _SMALL, _length, _power, _size, _specs, _take, _traced
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["pairs_between", "pairs_between_on", "vectors"]

_QUERIES = 1024  # number of queries whose tensors are stored at a time


def vectors(structure: Structure, weights: Weights, inputs: Mapping[str, np.ndarray], side: str) -> np.ndarray | None:
    """Return the vectors (n, dim) of queries or items whose dot products are the scores; None if there are none."""
    with shared(structure, weights) as program:
        if not program.network.dot:
            return None
        return np.asarray(_encoded(program, side, inputs).numpy())


def _encoded(program: Program, side: str, inputs: Mapping[str, np.ndarray]) -> Any:
    """Compute the query part or the item part of the network: tensors of shape (n, ...)."""
    function = getattr(program.network, side)
    n = _length(inputs)
    size = _size(n, _ITEMS if side == "item" else _ROWS)
    call = _traced(program, side, function, _specs(inputs, size))
    chunks = [call(_take(inputs, at, size)) for at in range(0, max(n, 1), size)]
    return tf.nest.map_structure(lambda *leaves: tf.concat(leaves, axis=0)[:n], *chunks)


def pairs_between(
    structure: Structure,
    weights: Weights,
    queries: Mapping[str, np.ndarray],
    items: Mapping[str, np.ndarray],
    at: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the logits of selected pairs of queries and items: shape (n_pairs, n_outputs).

    Each query and each item is computed once, regardless of the number of its pairs.

    Parameters
    ----------
    structure : Structure
    weights : Weights
    queries, items : mapping of str to ndarray
        Inputs of the network.
    at : tuple of ndarray of shape (n_pairs,)
        Indices of the query, sorted, and of the item of each pair.
    """
    with shared(structure, weights) as program:
        return pairs_between_on(program, queries, items, at)


def pairs_between_on(
    program: Program,
    queries: Mapping[str, np.ndarray],
    items: Mapping[str, np.ndarray],
    at: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the logits of selected pairs as in :func:`pairs_between`, on a program that is already borrowed."""
    query_at, item_at = at
    parts = []
    item = _encoded(program, "item", items)
    size = _size(len(query_at), _ROWS)
    if len(query_at) > 8 * _SMALL:
        size = int(np.clip(_power(_CELLS // program.network.width), _SMALL, _LARGE))

    def score(query: Any, item: Any) -> Any:
        own = tf.nest.map_structure(lambda leaf: tf.expand_dims(leaf, 1), item)
        return tf.reshape(program.network.interact(query, own), [size, -1])

    for start in range(0, _length(queries), _QUERIES):
        low, high = np.searchsorted(query_at, [start, start + _QUERIES])
        if low == high:
            continue
        query = _encoded(program, "query", {name: array[start : start + _QUERIES] for name, array in queries.items()})
        for first in range(low, high, size):
            chosen = [positions[first : min(first + size, high)] for positions in (query_at - start, item_at)]
            padded = [np.pad(positions, (0, size - len(positions))) for positions in chosen]
            leaves = [
                tf.nest.map_structure(lambda leaf, rows=rows: tf.gather(leaf, rows), side)
                for side, rows in zip((query, item), padded, strict=True)
            ]
            call = _traced(program, "between", score, *leaves)
            parts.append(call(*leaves).numpy()[: len(chosen[0])])
    return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)
