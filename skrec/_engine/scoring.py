"""The scoring path: traced functions of few fixed shapes, applied to padded chunks.

One trace of a shape serves all lengths. Within a shape, the score of a row is independent of the other rows, bit for
bit; between shapes, it may differ in the last bits. Small shapes serve requests of one or a few rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.program import Program
from skrec._engine.program_cache import shared
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["catalogue", "pairs", "pairs_on", "score_catalogue", "views"]

_ROWS, _LARGE = (1, 16, 256), 8192  # rows or queries per chunk: the smallest size that holds all of them
_FEW, _SMALL = _ROWS[1:]
_ITEMS = (16, 128, 1024)  # items per chunk
_MANY_ITEMS = 2**16  # above it, only a few queries are scored at once
_PARALLEL = 4  # chunks of items
_BRANCHING = {"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"}
_CELLS = 2**24  # maximum number of values for the pairs scored at once
_CELLS_AT_ONCE = 2**20  # above it, items are scored in chunks
_CELLS_IN_CACHE = 2**18  # number of values for such a chunk and one query

Inputs = Mapping[str, np.ndarray]
ScoreConsumer = Callable[[slice, np.ndarray], None]


class _Traced:
    """A function that was traced for some shapes. A call has an eighth of the overhead of a ``tf.function``'s."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._graph = tf.function(function, autograph=False).get_concrete_function(*arguments)
        self._captured = list(self._graph.captured_inputs)
        self._structure = self._graph.structured_outputs
        self._types = [leaf.dtype for leaf in self._graph.outputs]
        # A request runs in the thread that asks, which leaves the other cores to other requests.
        self._executor = "" if _has_loop(self._graph.graph) else "SINGLE_THREADED_EXECUTOR"

    def __call__(self, *arguments: Any) -> Any:
        given = [*tf.nest.flatten(arguments), *self._captured]
        leaves = tf.raw_ops.StatefulPartitionedCall(
            args=given, Tout=self._types, f=self._graph, executor_type=self._executor
        )
        return tf.nest.pack_sequence_as(self._structure, leaves)


def _has_loop(graph: Any) -> bool:
    """Return whether a graph has a loop or a branch, which the executor with a single thread refuses."""
    definition = graph.as_graph_def()
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    return any(node.op in _BRANCHING for body in bodies for node in body)


def _traced(program: Program, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Trace ``function`` once for the shapes of ``arguments``; the program keeps the trace."""
    key = (name, *(tuple(leaf.shape) for leaf in tf.nest.flatten(arguments)))
    if key not in program.functions:
        with program.tracing:
            if key not in program.functions:  # still, after other threads
                program.functions[key] = _Traced(function, arguments)
    return program.functions[key]


def _size(n: int, sizes: tuple[int, ...]) -> int:
    """Return the smallest size of a chunk that holds ``n`` rows, or the largest."""
    return next((size for size in sizes if n <= size), sizes[-1])


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
    with shared(structure, weights) as program:
        return pairs_on(program, inputs)


def pairs_on(program: Program, inputs: Inputs) -> np.ndarray:
    """Return the logits of rows as in :func:`pairs`, on a program that is already borrowed."""

    def score(rows: Mapping[str, Any]) -> Any:
        logits = program.pairs(program.network.query(rows), rows)
        return tf.reshape(logits, [size, -1])

    n = _length(inputs)
    # No shape for one row: scikit-learn's checks compare its prediction with that among other rows almost exactly.
    size = _size(n, (_FEW, _SMALL))
    if n > 8 * _SMALL:
        size = int(np.clip(_power(_CELLS // program.network.width), _SMALL, _LARGE))
    call = _traced(program, "pairs", score, _specs(inputs, size))
    parts = [call(_take(inputs, at, size)).numpy()[: n - at] for at in range(0, n, size)]
    return np.concatenate(parts)


def views(structure: Structure, weights: Weights, inputs: Inputs, name: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of the rows with the output (n, ...) of the view ``name`` of the network, in small chunks.

    The program is borrowed from the first chunk to the last, or until the consumer stops.
    """
    with shared(structure, weights) as program:
        n = _length(inputs)
        size = _size(n, _ROWS)
        call = _traced(program, f"view_{name}", program.network.views[name], _specs(inputs, size))
        for at in range(0, n, size):
            yield slice(at, min(at + size, n)), call(_take(inputs, at, size)).numpy()[: n - at]


def _item_part(program: Program, items: Inputs) -> tuple[Any, int]:
    """Compute the item part of the network: tensors of shape (n, ...); and the number n of items.

    There are at least as many rows as the smallest chunk has.
    """
    n = _length(items)
    size = _size(n, _ITEMS)
    item = _traced(program, "item", program.network.item, _specs(items, size))
    chunks = [item(_take(items, at, size)) for at in range(0, max(n, 1), size)]
    return tf.nest.map_structure(lambda *leaves: tf.concat(leaves, axis=0)[: max(n, _ITEMS[0])], *chunks), n


def _catalogue_part(program: Program, items: Callable[[], Inputs]) -> tuple[Any, int]:
    """Return the item part for all items, which the program keeps for as long as it holds these weights."""
    known, held = program.catalogue_items, program.held
    part: tuple[Any, int]
    if known is not None and held is not None and known[0] is held:
        _, part = known
        return part
    part = _item_part(program, items())
    if held is not None:
        program.catalogue_items = held, part
    return part


class _Catalogue:
    """A function that scores chunks of queries against the item part of the network."""

    def __init__(self, program: Program, queries: Inputs, items: tuple[Any, int], output: int) -> None:
        self._net, self._output = program.network, output
        self._queries, self.n = queries, _length(queries)
        self._items, self._n_items = items
        self.size = _chunk(self.n, self._n_items, self._net)
        shapes = tf.nest.map_structure(lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype), self._items)
        at_once = self._net.dot or self.size * self._n_items * self._net.width <= _CELLS_AT_ONCE
        name, score = ("block", self._score_block) if at_once else ("blocks", self._score_blocks)
        self._block = _traced(program, f"{name}_{output}", score, _specs(queries, self.size), shapes)

    def _score_block(self, queries: Any, items: Any) -> Any:
        return self._interact(self._net.query(queries), items)

    def _interact(self, query: Any, items: Any) -> Any:
        scores = self._net.interact(query, items)
        return scores if self._net.dot or scores.shape.rank == 2 else scores[..., self._output]

    def _score_blocks(self, queries: Any, items: Any) -> Any:
        """Score chunks of items one after another, so that little memory is needed."""
        query = self._net.query(queries)
        size = _power(max(_CELLS_IN_CACHE // self._net.width, 1)) if self.size == 1 else _ITEMS[-1]
        n = tf.shape(tf.nest.flatten(items)[0])[0]
        chunks = tf.nest.map_structure(lambda leaf: _in_chunks(leaf, size), items)
        scores = tf.map_fn(
            lambda chunk: self._interact(query, chunk),
            chunks,
            fn_output_signature=tf.float32,
            parallel_iterations=_PARALLEL,
        )
        return tf.reshape(tf.transpose(scores, [1, 0, 2]), [tf.shape(scores)[1], -1])[:, :n]

    def score(self, at: int) -> tuple[slice, np.ndarray]:
        """Return the logits of the ``size`` queries starting at ``at``: shape (n, n_items)."""
        part = slice(at, min(at + self.size, self.n))
        scores = self._block(_take(self._queries, at, self.size), self._items).numpy()
        return part, scores[: part.stop - at, : self._n_items]


def _in_chunks(leaf: Any, size: int) -> Any:
    """Reshape a tensor (n, ...) to (n_chunks, size, ...), padded with zeros."""
    missing = -tf.shape(leaf)[0] % size
    padded = tf.pad(leaf, [[0, missing], *[[0, 0]] * (leaf.shape.rank - 1)])
    return tf.reshape(padded, [-1, size, *leaf.shape[1:]])


def _chunk(n: int, n_items: int, network: Any) -> int:
    """Return the number of queries to score at once."""
    size = min(_size(n, _ROWS), _SMALL if n_items <= _MANY_ITEMS else _FEW)
    return size if network.dot else int(np.clip(_power(_CELLS // (_ITEMS[-1] * network.width)), 1, size))


def _power(n: int) -> int:
    """Return the largest power of two up to ``n``, at least 1."""
    return 1 << max(0, n.bit_length() - 1)


def catalogue(program: Program, queries: Inputs, items: Inputs, consume: ScoreConsumer, *, output: int = 0) -> None:
    """Call ``consume(slice of the queries, their logits for all items)`` for chunks of queries.

    The program is already borrowed. If the network has several outputs, the logits are those with index ``output``.

    If scores are cheap, ``consume`` is called in two threads: one chunk is scored while another is processed. It may
    modify the logits.
    """
    _consume(program, _Catalogue(program, queries, _item_part(program, items), output), consume)


def _consume(program: Program, scorer: _Catalogue, consume: ScoreConsumer) -> None:
    starts = range(0, scorer.n, scorer.size)
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
    structure: Structure,
    weights: Weights,
    queries: Inputs,
    items: Callable[[], Inputs],
    consume: ScoreConsumer,
    *,
    whole: bool,
    output: int = 0,
) -> None:
    """Borrow a program and score chunks as :func:`catalogue` does.

    If the items are the ``whole`` catalogue, their part of the network is computed by the first call alone, and their
    inputs are asked for only then.
    """
    with shared(structure, weights) as program:
        part = _catalogue_part(program, items) if whole else _item_part(program, items())
        _consume(program, _Catalogue(program, queries, part, output), consume)
