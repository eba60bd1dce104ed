"""The graphs of an exported network, which compute scores without TensorFlow."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec.exceptions import FileFormatError

__all__ = ["Graphs", "PackedZeros", "QuantizedTable"]

_QUERIES = 256  # queries at a time
_CELLS = 2**22  # values for the pairs that are scored at once
_CELLS_IN_CACHE = 2**19
_ROWS = 8192
Inputs = Mapping[str, Any]
Array = NDArray[Any]


class QuantizedTable:
    """The vectors of a table as whole numbers from -127 to 127, with a scale for each row.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, dim), int8
    scales : ndarray of shape (n_rows, 1), float32

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.serving.graphs import QuantizedTable
    >>> table = QuantizedTable.of(np.array([[0.5, -1.0], [0.0, 0.0]], np.float32))
    >>> table.codes.tolist(), np.asarray(table).round(2).tolist()
    ([[64, -127], [0, 0]], [[0.5, -1.0], [0.0, 0.0]])
    """

    def __init__(self, codes: Array, scales: Array) -> None:
        self.codes, self.scales = codes, scales

    @classmethod
    def of(cls, vectors: Array) -> QuantizedTable:
        """Quantize the vectors of a table, each by its largest absolute value."""
        scales = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0).astype(np.float32) / np.float32(127)
        codes = np.rint(vectors / np.where(scales == 0, np.float32(1), scales)).astype(np.int8)
        return cls(codes, scales)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        found: Array = self.codes.astype(np.float32) * self.scales
        return found if dtype is None else found.astype(dtype, copy=bool(copy))


class PackedZeros:
    """An array without its zeros, in files: its other values, and a bit for each value.

    Parameters
    ----------
    values : ndarray of shape (n_nonzero,)
    bits : ndarray of shape (n_bytes,), uint8
    shape : tuple of int

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.serving.graphs import PackedZeros
    >>> packed = PackedZeros.of(np.array([[0.5, 0.0], [0.0, 2.0]]))
    >>> packed.values.tolist(), PackedZeros.from_state(vars(packed)).tolist()
    ([0.5, 2.0], [[0.5, 0.0], [0.0, 2.0]])
    """

    def __init__(self, values: Array, bits: Array, shape: tuple[int, ...]) -> None:
        self.values, self.bits, self.shape = values, bits, shape

    @classmethod
    def of(cls, array: Array) -> PackedZeros:
        """Pack an array."""
        return cls(array[array != 0], np.packbits(array != 0), array.shape)

    @classmethod
    def if_smaller(cls, array: Array) -> Array | PackedZeros:
        """Pack an array if that saves an eighth of its bytes, else return it unchanged."""
        size = np.count_nonzero(array) * array.itemsize + array.size / 8
        return cls.of(array) if 8 * size < 7 * array.nbytes else array

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Array:
        """Return the array with a stored state."""
        values, bits, shape = state["values"], state["bits"], tuple(int(length) for length in state["shape"])
        size = math.prod(shape)
        # Checked before memory is allocated, because a file may declare any shape.
        if min(shape, default=0) < 0 or bits.dtype != np.uint8 or len(bits) != -(-size // 8):
            raise FileFormatError("An array without its zeros is damaged.")
        there = np.unpackbits(bits, count=size).astype(bool)
        if np.count_nonzero(there) != len(values):
            raise FileFormatError("An array without its zeros is damaged.")
        found: Array = np.zeros(size, values.dtype)
        found[there] = values
        return found.reshape(shape)


class Graphs:
    """The network of an exported model: its ONNX graphs, run by ONNX Runtime.

    The methods are those of :class:`skrec._engine.scorer.NetworkScorer`. Any number of threads may call them.

    Parameters
    ----------
    models : dict of str to ndarray of uint8
        Serialized graphs by name, see :class:`skrec._engine.onnx_graphs.Converted`.
    arrays : dict of str to ndarray
        Their external initializers.
    dot : bool
        Whether the score of a query and an item is the dot product of their vectors, plus ``offset``.
    offset : float
    width : int
        About how many numbers are computed for one pair.
    n_users : int
        Number of users that the network knows, including the unknown one; users added since are unknown to it.
    """

    def __init__(
        self, *, models: dict[str, Array], arrays: dict[str, Any], dot: bool, offset: float, width: int, n_users: int
    ) -> None:
        self.models, self.arrays = models, arrays
        self.dot, self.offset, self.width, self.n_users = dot, offset, width, n_users
        self._lock = threading.RLock()
        self._sessions: dict[str, tuple[Any, dict[str, bool], list[str]]] = {}
        self._all_items: tuple[list[Array], int] | None = None

    def to_state(self) -> dict[str, Any]:
        """Return what has to be stored."""
        names = ("models", "arrays", "dot", "offset", "width", "n_users")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Graphs:
        """Return graphs with a stored state."""
        return cls(**state)

    def __getstate__(self) -> dict[str, Any]:
        return self.to_state()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    # -- running a graph ----------------------------------------------------------------------------------------------

    def _session(self, name: str) -> tuple[Any, dict[str, bool], list[str]]:
        """Return the session of a graph, its inputs (whether they are floating-point) and its outputs."""
        found = self._sessions.get(name)
        if found is None:
            with self._lock:
                found = self._sessions.get(name)
                if found is None:
                    found = self._sessions[name] = self._start(name)
        return found

    def _start(self, name: str) -> tuple[Any, dict[str, bool], list[str]]:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                "Serving an exported network needs onnxruntime, which is not installed: pip install onnxruntime, or "
                "pip install 'skrec-deep[onnx]'."
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1  # requests run side by side
        serialized = self.models[name].tobytes()
        needed = [key for key in self.arrays if key.encode() in serialized]
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(self.arrays[key]) for key in needed]
        options.add_external_initializers(needed, values)
        session = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])
        inputs = {one.name[3:]: one.type == "tensor(float)" for one in session.get_inputs()}
        return session, inputs, [one.name for one in session.get_outputs()]

    def _run(self, name: str, inputs: Inputs) -> list[Array]:
        if name not in self.models:
            name = f"{name}_{inputs['history'].shape[1]}"
        session, floats, outputs = self._session(name)
        given = {}
        for key, is_float in floats.items():
            array = np.asarray(inputs[key])
            if is_float and array.dtype == np.int32:  # numbers in bits
                array = array.view(np.float32)
            elif key == "user" and len(array) and array.max() >= self.n_users:
                array = np.where(array < self.n_users, array, 0).astype(array.dtype)
            given[f"in_{key}"] = array
        found: list[Array] = session.run(outputs, given)
        return found

    # -- scores -------------------------------------------------------------------------------------------------------

    def pairs(self, inputs: Inputs) -> Array:
        """Return the logits of rows: shape (n, n_outputs)."""
        n = _length(inputs)
        if "pairs" not in self.models:
            return self.between(inputs, inputs, (np.arange(n), np.arange(n)))
        size = int(np.clip(_CELLS // self.width, _QUERIES, _ROWS))
        parts = [self._run("pairs", _rows(inputs, at, size))[0] for at in range(0, max(n, 1), size)]
        logits = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return logits.reshape(n, -1)

    def _item_part(self, items: Inputs) -> tuple[list[Array], int]:
        n = _length(items)
        parts = [self._run("item", _rows(items, at, _ROWS)) for at in range(0, max(n, 1), _ROWS)]
        return [np.concatenate(leaves) for leaves in zip(*parts, strict=True)], n

    def _catalogue_part(self, items: Callable[[], Inputs]) -> tuple[list[Array], int]:
        """Return the item part for all items, which is computed once."""
        if self._all_items is None:
            with self._lock:
                if self._all_items is None:
                    self._all_items = self._item_part(items())
        return self._all_items

    def catalogue(
        self,
        queries: Inputs,
        items: Callable[[], Inputs],
        consume: Callable[[slice, Array], None],
        *,
        whole: bool = False,
        output: int = 0,
    ) -> None:
        """Call ``consume(slice of the queries, their logits for all items)`` for chunks of queries."""
        leaves, n_items = self._catalogue_part(items) if whole else self._item_part(items())
        n = _length(queries)
        size = _QUERIES if self.dot else int(np.clip(_CELLS // (self.width * max(n_items, 1)), 1, _QUERIES))
        for at in range(0, n, size):
            query = self._run("query", _rows(queries, at, size))
            scores = self._products(query[0], leaves[0]) if self.dot else self._interactions(query, leaves, n_items)
            consume(slice(at, min(at + size, n)), scores[..., output] if scores.ndim == 3 else scores)

    def _products(self, query: Array, items: Array) -> Array:
        """Return the dot products of queries (n, d) or (n, C, d) with items (m, d), plus the constant."""
        scores = query @ items.T
        if self.offset:
            scores += np.float32(self.offset)
        return np.moveaxis(scores, 1, 2) if scores.ndim == 3 else scores

    def _interactions(self, query: list[Array], items: list[Array], n_items: int) -> Array:
        size = max(64, _CELLS_IN_CACHE // (self.width * len(query[0])))
        parts = []
        for at in range(0, n_items, size):
            leaves = [*query, *(leaf[at : at + size] for leaf in items)]
            parts.append(self._run("interact", {str(i): leaf for i, leaf in enumerate(leaves)})[0])
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def between(self, queries: Inputs, items: Inputs, at: tuple[Array, Array]) -> Array:
        """Return the logits of selected pairs of queries, in their order, and items: shape (n_pairs, n_outputs)."""
        query_at, item_at = at
        if not len(query_at):
            return np.empty((0, 1), np.float32)
        if not self.dot:
            chosen = {name: array[query_at] for name, array in queries.items()}
            return self.pairs({**chosen, **{name: array[item_at] for name, array in items.items()}})
        parts = []
        item = self._item_part(items)[0][0]
        for start in range(0, _length(queries), _QUERIES):
            low, high = np.searchsorted(query_at, [start, start + _QUERIES])
            if low < high:
                query = self._run("query", _rows(queries, start, _QUERIES))[0]
                own = query[query_at[low:high] - start], item[item_at[low:high]]
                products = np.einsum("n...d,nd->n...", *own) + np.float32(self.offset)
                parts.append(products.reshape(high - low, -1))
        return np.concatenate(parts)

    def vectors(self, inputs: Inputs, side: str) -> Array | None:
        """Return the vectors (n, dim) of queries or items whose dot products are the scores; None if there are none."""
        if not self.dot:
            return None
        n = _length(inputs)
        parts = [self._run(side, _rows(inputs, at, _QUERIES))[0] for at in range(0, max(n, 1), _QUERIES)]
        return np.concatenate(parts)

    def views(self, inputs: Inputs, name: str) -> Iterator[tuple[slice, Array]]:
        """Yield slices of the rows with the output (n, ...) of the view ``name``."""
        n = _length(inputs)
        for at in range(0, n, _QUERIES):
            yield slice(at, min(at + _QUERIES, n)), self._run(f"view_{name}", _rows(inputs, at, _QUERIES))[0]


def _length(inputs: Inputs) -> int:
    return len(next(iter(inputs.values())))


def _rows(inputs: Inputs, at: int, size: int) -> dict[str, Array]:
    return {name: np.asarray(array[at : at + size]) for name, array in inputs.items()}
