"""The scoring path: traced functions of fixed shape, applied to padded chunks.

With a fixed shape, the score of a row is independent of the other rows, bit for bit, and one trace serves all lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.program import Program, borrowed
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["catalogue", "pairs", "pairs_on", "score_catalogue", "views"]

_SMALL, _LARGE = 256, 8192
_ITEMS = 1024  # items per chunk of the catalogue
_MANY_USERS, _FEW_USERS = 256, 16  # users scored at once, depending on the size of the catalogue
_MANY_ITEMS = 2**16
_CELLS = 2**24  # maximum number of values for the pairs scored at once

Inputs = Mapping[str, np.ndarray]
ScoreConsumer = Callable[[slice, np.ndarray], None]


def _traced(program: Program, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Trace ``function`` once for the shapes of ``arguments``; the program keeps the trace."""
    key = (name, *(tuple(leaf.shape) for leaf in tf.nest.flatten(arguments)))
    if key not in program.functions:
        program.functions[key] = tf.function(function, autograph=False).get_concrete_function(*arguments)
    return program.functions[key]


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    return array if len(array) == size else np.pad(array, [(0, size - len(array)), *[(0, 0)] * (array.ndim - 1)])


def _take(inputs: Inputs, at: int, size: int) -> dict[str, Any]:
    """Return ``size`` rows of the inputs, padded if necessary."""
    return {name: tf.constant(_padded(array[at : at + size], size)) for name, array in inputs.items()}


def _specs(inputs: Inputs, size: int) -> dict[str, Any]:
    return {name: tf.TensorSpec([size, *array.shape[1:]], array.dtype) for name, array in inputs.items()}


def _length(inputs: Inputs) -> int:
    return len(next(iter(inputs.values())))


def pairs(structure: Structure, weights: Weights, inputs: Inputs) -> np.ndarray:
    """Return the logits of rows, given as inputs of the network: shape (n, n_outputs)."""
    with borrowed(structure, weights) as program:
        return pairs_on(program, inputs)


def pairs_on(program: Program, inputs: Inputs) -> np.ndarray:
    """Return the logits of rows as in :func:`pairs`, on a program that is already borrowed."""

    def score(rows: Mapping[str, Any]) -> Any:
        logits = program.pairs(program.network.query(rows), rows)
        return tf.reshape(logits, [size, -1])

    n = _length(inputs)
    size = _SMALL if n <= 8 * _SMALL else int(np.clip(_power(_CELLS // program.network.width), _SMALL, _LARGE))
    call = _traced(program, "pairs", score, _specs(inputs, size))
    parts = [call(_take(inputs, at, size)).numpy()[: n - at] for at in range(0, n, size)]
    return np.concatenate(parts)


def views(structure: Structure, weights: Weights, inputs: Inputs, name: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of the rows with the output (n, ...) of the view ``name`` of the network, in small chunks.

    The program is borrowed from the first chunk to the last, or until the consumer stops.
    """
    with borrowed(structure, weights) as program:
        n = _length(inputs)
        call = _traced(program, f"view_{name}", program.network.views[name], _specs(inputs, _SMALL))
        for at in range(0, n, _SMALL):
            yield slice(at, min(at + _SMALL, n)), call(_take(inputs, at, _SMALL)).numpy()[: n - at]


class _Catalogue:
    """Item part of the network, computed once, and a function that scores chunks of queries against it."""

    def __init__(self, program: Program, queries: Inputs, items: Inputs, output: int) -> None:
        self._net, self._output = program.network, output
        self._queries, self._n, self._n_items = queries, _length(queries), _length(items)
        self.size = _chunk(self._n_items, self._net)
        item = _traced(program, "item", self._net.item, _specs(items, _ITEMS))
        chunks = [item(_take(items, at, _ITEMS)) for at in range(0, self._n_items, _ITEMS)]
        if self._net.dot:
            # Always a full chunk: small matrix products use other kernels, which differ in the last bits.
            self._items = tf.concat(chunks, axis=0)[: max(self._n_items, _ITEMS)]
        else:
            self._items = tf.nest.map_structure(lambda *leaves: tf.stack(leaves), *chunks)
        shapes = tf.nest.map_structure(lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype), self._items)
        self._block = _traced(program, f"block_{output}", self._score_block, _specs(queries, self.size), shapes)

    def _score_block(self, queries: Any, items: Any) -> Any:
        query = self._net.query(queries)
        if self._net.dot:
            return self._net.interact(query, items)

        def of_chunk(chunk: Any) -> Any:
            scores = self._net.interact(query, chunk)
            return scores[..., self._output] if scores.shape.rank == 3 else scores

        scores = tf.map_fn(of_chunk, items, fn_output_signature=tf.float32)
        return tf.reshape(tf.transpose(scores, [1, 0, 2]), [tf.shape(scores)[1], -1])

    def score(self, at: int) -> tuple[slice, np.ndarray]:
        """Return the logits of the ``size`` queries starting at ``at``: shape (n, n_items)."""
        part = slice(at, min(at + self.size, self._n))
        scores = self._block(_take(self._queries, at, self.size), self._items).numpy()
        return part, scores[: part.stop - at, : self._n_items]


def _chunk(n_items: int, network: Any) -> int:
    """Return the number of queries to score at once."""
    most = _MANY_USERS if n_items <= _MANY_ITEMS else _FEW_USERS
    return most if network.dot else int(np.clip(_power(_CELLS // (_ITEMS * network.width)), 1, most))


def _power(n: int) -> int:
    """Return the largest power of two up to ``n``, at least 1."""
    return 1 << max(0, n.bit_length() - 1)


def catalogue(program: Program, queries: Inputs, items: Inputs, consume: ScoreConsumer, *, output: int = 0) -> None:
    """Call ``consume(slice of the queries, their logits for all items)`` for chunks of queries.

    The program is already borrowed. If the network has several outputs, the logits are those with index ``output``.

    If scores are cheap, ``consume`` is called in two threads: one chunk is scored while another is processed. It may
    modify the logits.
    """
    scorer = _Catalogue(program, queries, items, output)
    starts = range(0, _length(queries), scorer.size)
    n_threads = min(len(starts), 2 if program.network.dot else 1)

    def share(first: int) -> None:
        for at in starts[first::n_threads]:
            consume(*scorer.score(at))

    if n_threads == 1:
        share(0)
    elif n_threads:
        with ThreadPoolExecutor(1, thread_name_prefix="skrec") as pool:
            other = pool.submit(share, 1)
            share(0)
            other.result()


def score_catalogue(
    structure: Structure, weights: Weights, queries: Inputs, items: Inputs, consume: ScoreConsumer, *, output: int = 0
) -> None:
    """Borrow a program and score chunks with :func:`catalogue`."""
    with borrowed(structure, weights) as program:
        catalogue(program, queries, items, consume, output=output)
