"""Conversion of values to JSON and arrays, and back."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import as_rows
from skrec._trusted import global_name, has_plain_state
from skrec._version import __version__
from skrec.exceptions import FileFormatError
from skrec.persistence._classes import DAMAGED, class_of, name_of, rebuilt, state_of

CURE = "Replace it, or store the estimator with pickle, joblib or skops."
_MAX_DEPTH = 100
_OF_SPARSE = ("data", "indices", "indptr")
_LONG = 4096  # values of an array of whole numbers whose type is chosen by its values
_JSON_TYPES = {type(None), bool, int, str}
_BUILTIN_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "object": object}
_COLLECTIONS: dict[str, Callable[[Iterable[Any]], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class Encoder:
    """Converts values to JSON, and collects the arrays."""

    def __init__(self, trusted: Mapping[str, Any]) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.trusted = trusted
        self._numbers: dict[int, int] = {}  # of arrays by id, so that each is stored once
        self._kept: list[NDArray[Any]] = []  # so that no id is used again

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """Return JSON for a value; `path` is the expression by which the user would access it."""
        if depth > _MAX_DEPTH:
            raise TypeError(f"{path[:200]}... is nested too deeply, or contains itself. {CURE}")
        kinds = (
            self._encode_plain,
            self._encode_numpy,
            self._encode_sparse,
            self._encode_nested,
            self._encode_frame,
            self._encode_schedule,
        )
        for encode in kinds:
            result = encode(value, path, depth)
            if result is not NotImplemented:
                return result
        name = global_name(value)
        if name in self.trusted:
            return {"type": "global", "value": name}
        raise TypeError(
            f"{path} is {value!r:.100} ({type(value).__name__}), which needs pickle to be stored. "
            f"{trust_hint(value)}{CURE}"
        )

    def _encode_plain(self, value: Any, path: str, depth: int) -> Any:  # noqa: ARG002
        kind = type(value)
        if kind in _JSON_TYPES:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
        if kind is bytes:
            return {"type": "bytes", "value": value.hex()}
        if kind is type and value in _BUILTIN_TYPES.values():
            return {"type": "builtin", "value": value.__name__}
        return NotImplemented

    def _encode_numpy(self, value: Any, path: str, depth: int) -> Any:
        kind = type(value)
        if kind is np.ndarray and value.dtype == object:
            items = self._encode_items(value.ravel().tolist(), f"{path}.flat", depth)
            return {"type": "objects", "shape": list(value.shape), "items": items}
        if kind is np.ndarray and _is_simple(value.dtype):
            number = self._numbers.setdefault(id(value), len(self.arrays))
            if number == len(self.arrays):
                self._kept.append(value)
                self.arrays.append(narrowed(value))
            wide = {} if self.arrays[number].dtype == value.dtype else {"dtype": value.dtype.str}
            return {"type": "array", "value": number, **wide}
        if isinstance(value, np.generic) and _is_simple(value.dtype):
            return {"type": "scalar", "dtype": value.dtype.str, "value": value.tobytes().hex()}
        if isinstance(value, np.dtype) and _is_simple(value):
            return {"type": "dtype", "value": value.str}
        if isinstance(value, type) and issubclass(value, np.generic) and value in np.sctypeDict.values():
            return {"type": "scalar_type", "value": value.__name__}
        return NotImplemented

    def _encode_sparse(self, value: Any, path: str, depth: int) -> Any:
        if type(value) is not csr_array:
            return NotImplemented
        parts = {name: self.encode(getattr(value, name), f"{path}.{name}", depth) for name in _OF_SPARSE}
        return {"type": "sparse", "shape": list(value.shape), **parts}

    def _encode_nested(self, value: Any, path: str, depth: int) -> Any:
        kind = type(value)
        if kind is list or kind.__name__ == "_RemainderColsList":  # the latter in older ColumnTransformers
            return self._encode_items(getattr(value, "data", value), path, depth)
        if kind in {tuple, set, frozenset}:
            return {"type": kind.__name__, "items": self._encode_items(value, path, depth)}
        if kind is slice:
            items = [self.encode(part, path, depth + 1) for part in (value.start, value.stop, value.step)]
            return {"type": "slice", "items": items}
        if kind is dict:
            keys = [self.encode(key, f"{path} (a key)", depth + 1) for key in value]
            parts = [self.encode(part, f"{path}[{key!r}]", depth + 1) for key, part in value.items()]
            return {"type": "dict", "keys": keys, "items": parts}
        name = name_of(kind)
        if name is None:
            name = global_name(kind)
            if name not in self.trusted:
                return NotImplemented
            if not has_plain_state(value):
                raise TypeError(
                    f"{path} is a {kind.__name__}, which holds more than its attributes: it needs pickle to be stored, "
                    f"even if it is trusted. {CURE}"
                )
        state = {key: self.encode(part, f"{path}.{key}", depth + 1) for key, part in state_of(value).items()}
        return {"type": "object", "class": name, "state": state}

    def _encode_frame(self, value: Any, path: str, depth: int) -> Any:
        """Encode a data frame, such as a graph that is a parameter; its index is not kept."""
        library = type(value).__module__.partition(".")[0]
        if library not in {"pandas", "polars"} or type(value).__name__ != "DataFrame":
            return NotImplemented
        rows, names = as_rows(value, name=path), list(value.columns)
        items = [self.encode(rows.column(at), f"{path}[{name!r}]", depth + 1) for at, name in enumerate(names)]
        return {"type": "frame", "library": library, "columns": self.encode(names, path, depth + 1), "items": items}

    def _encode_schedule(self, value: Any, path: str, depth: int) -> Any:
        if not type(value).__module__.startswith("keras."):
            return NotImplemented
        from skrec._engine.schedules import stored

        found = stored(value)
        if found is None:
            return NotImplemented
        return {"type": "schedule", "class": found[0], "config": self.encode(found[1], path, depth + 1)}

    def _encode_items(self, items: Collection[Any], path: str, depth: int) -> list[Any]:
        if {*map(type, items)} <= _JSON_TYPES:  # such as a million ids
            return list(items)
        return [self.encode(item, f"{path}[{position}]", depth + 1) for position, item in enumerate(items)]


class Decoder:
    """Converts JSON to values."""

    def __init__(self, arrays: list[NDArray[Any]], trusted: Mapping[str, Any]) -> None:
        self.arrays = arrays
        self._widened: dict[int, NDArray[Any]] = {}  # each once, so that no file expands to more than 8 times its size
        self.trusted = trusted
        self.has_sklearn = False

    def decode(self, node: Any) -> Any:
        """Return the value of a node; malformed input raises an error."""
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        kind = node["type"]
        if kind in _COLLECTIONS:
            return _COLLECTIONS[kind](map(self.decode, node["items"]))
        return getattr(self, f"_decode_{kind}")(node)

    def _decode_float(self, node: dict[str, Any]) -> float:
        return float(node["value"])

    def _decode_bytes(self, node: dict[str, Any]) -> bytes:
        return bytes.fromhex(node["value"])

    def _decode_builtin(self, node: dict[str, Any]) -> type:
        return _BUILTIN_TYPES[node["value"]]

    def _decode_array(self, node: dict[str, Any]) -> NDArray[Any]:
        number = int(node["value"])
        array = self.arrays[number]
        if "dtype" not in node:
            return array
        dtype = self._decode_dtype({"value": node["dtype"]})
        if number in self._widened and self._widened[number].dtype == dtype:
            return self._widened[number]
        if dtype.kind not in "iu" or array.dtype.kind not in "iu" or number in self._widened:
            raise FileFormatError(DAMAGED)
        self._widened[number] = array.astype(dtype)
        return self._widened[number]

    def _decode_objects(self, node: dict[str, Any]) -> NDArray[Any]:
        array = np.empty(len(node["items"]), dtype=object)
        for position, item in enumerate(node["items"]):
            array[position] = self.decode(item)
        return array.reshape([int(length) for length in node["shape"]])

    def _decode_sparse(self, node: dict[str, Any]) -> csr_array:
        parts = tuple(self.decode(node[name]) for name in _OF_SPARSE)
        matrix = csr_array(parts, shape=tuple(int(length) for length in node["shape"]))
        matrix.check_format()
        return matrix

    def _decode_scalar(self, node: dict[str, Any]) -> Any:
        return np.frombuffer(bytes.fromhex(node["value"]), dtype=self._decode_dtype({"value": node["dtype"]}))[0]

    def _decode_dtype(self, node: dict[str, Any]) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(node["value"])
        if not _is_simple(dtype):
            raise FileFormatError(DAMAGED)
        return dtype

    def _decode_scalar_type(self, node: dict[str, Any]) -> type:
        return next(kind for kind in np.sctypeDict.values() if kind.__name__ == node["value"])

    def _decode_global(self, node: dict[str, Any]) -> Any:
        name = node["value"]
        if not isinstance(name, str) or name not in self.trusted:
            last = str(name).rpartition(".")[2]
            raise FileFormatError(
                f"It contains {name!r}, which skrec {__version__} does not load by default. If it is yours or from a "
                f"package that you trust, import it and pass trusted=[{last}]. Otherwise the file was altered, or "
                "written by another version of skrec."
            )
        return self.trusted[name]

    def _decode_slice(self, node: dict[str, Any]) -> slice:
        return slice(*map(self.decode, node["items"]))

    def _decode_dict(self, node: dict[str, Any]) -> dict[Any, Any]:
        return dict(zip(map(self.decode, node["keys"]), map(self.decode, node["items"]), strict=True))

    def _decode_frame(self, node: dict[str, Any]) -> Any:
        columns = dict(zip(self.decode(node["columns"]), map(self.decode, node["items"]), strict=True))
        if node["library"] == "polars":
            import polars as pl

            return pl.DataFrame(columns)
        return pd.DataFrame(columns)

    def _decode_schedule(self, node: dict[str, Any]) -> Any:
        from skrec._engine.schedules import from_stored

        return from_stored(node["class"], self.decode(node["config"]))

    def _decode_object(self, node: dict[str, Any]) -> Any:
        cls = class_of(node["class"]) or self._decode_global({"value": node["class"]})
        if not isinstance(cls, type):
            raise FileFormatError(DAMAGED)
        self.has_sklearn |= cls.__module__.startswith("sklearn.")
        return rebuilt(cls, {name: self.decode(part) for name, part in node["state"].items()})


def trust_hint(value: Any) -> str:
    """Return a hint on how to store a function, or an object of a class, that may be trusted."""
    if global_name(value) is None:
        if global_name(type(value)) is None or not has_plain_state(value):
            return ""
        value = type(value)
    return f"If it is your own or you trust its package, pass trusted=[{value.__name__}] to save and load. "


def narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Return long arrays of whole numbers, such as the log of events, in the smallest type that holds them."""
    if array.dtype.kind not in "iu" or array.size < _LONG:
        return array
    low, high = int(array.min()), int(array.max())
    smallest = np.min_scalar_type(high if low >= 0 else min(low, -high - 1))
    return array.astype(smallest) if smallest.kind in "iu" and smallest.itemsize < array.itemsize else array


def _is_simple(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biufcmMSU" and dtype.names is None
