"""The one scoring path: traced functions of fixed shape, over padded chunks.

A fixed shape makes a row's score independent of the rows beside it, bit for bit, and saves a trace per length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.program import Program, Structure, borrowed
from skrec._engine.weights import Weights

__all__ = ["catalogue", "pairs", "pairs_on", "score_catalogue"]

_SMALL, _LARGE = 256, 8192
_ITEMS = 1024  # a chunk of the catalogue
_MANY_USERS, _FEW_USERS = 256, 16  # users scored at once, by the size of the catalogue
_MANY_ITEMS = 2**16


def _traced(program: Program, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Trace ``function`` once for the shapes of ``arguments``; kept with the program."""
    key = (name, *(tuple(leaf.shape) for leaf in tf.nest.flatten(arguments)))
    if key not in program.functions:
        program.functions[key] = tf.function(function, autograph=False).get_concrete_function(*arguments)
    return program.functions[key]


def _codes(size: int) -> Any:
    return tf.TensorSpec([size], tf.int32)


def _padded(codes: np.ndarray, size: int) -> np.ndarray:
    return codes if len(codes) == size else np.pad(codes, (0, size - len(codes)))


def pairs(structure: Structure, weights: Weights, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Logits of (user, item) pairs of codes: shape (n, n_outputs)."""
    with borrowed(structure, weights) as program:
        return pairs_on(program, users, items)


def pairs_on(program: Program, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Logits of pairs as :func:`pairs` returns them, on a program in hand."""
    net = program.network

    def score(user: Any, item: Any) -> Any:
        logits = net.interact(net.query({"user": user}), program.items(item[:, None]))
        return tf.reshape(logits, [tf.shape(user)[0], -1])

    size = _SMALL if len(users) <= 8 * _SMALL else _LARGE
    call = _traced(program, "pairs", score, _codes(size), _codes(size))
    parts = []
    for at in range(0, len(users), size):
        chunk = users[at : at + size], items[at : at + size]
        logits = call(*(tf.constant(_padded(codes, size)) for codes in chunk)).numpy()
        parts.append(logits[: len(chunk[0])])
    return np.concatenate(parts)


class _Catalogue:
    """The items' part of the network, computed once, and a function that scores chunks of users against it."""

    def __init__(self, program: Program, items: np.ndarray) -> None:
        self._net = program.network
        self._n_items = len(items)
        self.size = _MANY_USERS if len(items) <= _MANY_ITEMS else _FEW_USERS
        self._query = _traced(program, "query", lambda user: self._net.query({"user": user}), _codes(self.size))
        item = _traced(program, "item", program.items, _codes(_ITEMS))
        chunks = [item(tf.constant(_padded(items[at : at + _ITEMS], _ITEMS))) for at in range(0, len(items), _ITEMS)]
        if self._net.dot:
            vectors = np.concatenate([chunk.numpy() for chunk in chunks])
            # Never fewer columns than a chunk: for small products the library's kernels differ, and so the last bits.
            self._vectors = np.ascontiguousarray(vectors[: max(self._n_items, _ITEMS)].T)
            nothing = tf.zeros([1, vectors.shape[1]])
            self._constant = float(self._net.interact(nothing, nothing)[0, 0])
            return
        self._items = tf.nest.map_structure(lambda *leaves: tf.stack(leaves), *chunks)
        shapes = tf.nest.map_structure(lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype), self._items)
        self._block = _traced(program, "block", self._score_block, self._query.structured_outputs, shapes)

    def _score_block(self, query: Any, chunks: Any) -> Any:
        scores = tf.map_fn(lambda chunk: self._net.interact(query, chunk), chunks, fn_output_signature=tf.float32)
        return tf.reshape(tf.transpose(scores, [1, 0, 2]), [tf.shape(scores)[1], -1])

    def score(self, users: np.ndarray) -> np.ndarray:
        """Logits of up to ``size`` users: shape (n, n_items)."""
        query = self._query(tf.constant(_padded(users, self.size)))
        scores: np.ndarray
        if self._net.dot:
            scores = query.numpy() @ self._vectors
            scores += self._constant
        else:
            scores = self._block(query, self._items).numpy()
        return scores[: len(users), : self._n_items]


def catalogue(program: Program, users: np.ndarray, items: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice of ``users``, their logits for all ``items``) over chunks of users, on a program in hand."""
    scorer = _Catalogue(program, items)
    for at in range(0, len(users), scorer.size):
        part = slice(at, min(at + scorer.size, len(users)))
        yield part, scorer.score(users[part])


def score_catalogue(
    structure: Structure, weights: Weights, users: np.ndarray, items: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice, logits) as :func:`catalogue` does, on a borrowed program.

    The program is held from the first chunk to the last; a consumer that stops early gives it up.
    """
    with borrowed(structure, weights) as program:
        yield from catalogue(program, users, items)
