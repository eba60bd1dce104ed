"""Estimators in one file that loads without executing anything.

The file is a zip archive, not compressed, of ``manifest.json`` (format, versions, the SHA-256 of every array, and the
attributes of the estimator) and of arrays in NumPy's ``.npy`` format; the comment of the archive is the SHA-256 of the
manifest. Only objects of the classes listed here are created when the file is read, and no code in it is executed.
"""

import hashlib
import json
import math
import os
import sys
import uuid
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skrec._trusted import global_name, has_plain_state, trusted_by_name
from skrec._version import __version__
from skrec._warnings import warn
from skrec.exceptions import FileFormatError

__all__ = ["load", "save"]

_FORMAT = "skrec"
_FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_VERSIONS = {"skrec": __version__, "scikit-learn": sklearn.__version__}
_DAMAGED = "It is damaged or was altered: get another copy, or save the estimator again."
_CURE = "Replace it, or store the estimator with pickle, joblib or skops."
_MAX_DEPTH = 100

# Every class in the __all__ of these modules can be stored, and these classes of scikit-learn.
_MODULES = ["skrec.models", "skrec.preprocessing", "skrec._data", "skrec._engine.weights"]
_SKLEARN = {
    "sklearn.compose": ["ColumnTransformer"],
    "sklearn.frozen": ["FrozenEstimator"],
    "sklearn.impute": ["SimpleImputer"],
    "sklearn.pipeline": ["Pipeline"],
    "sklearn.preprocessing": [
        "FunctionTransformer",
        "KBinsDiscretizer",
        "MaxAbsScaler",
        "MinMaxScaler",
        "OneHotEncoder",
        "OrdinalEncoder",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    ],
}
# Older files must load. _MOVED maps the names of classes in older files to their current names. _RENAMED maps the
# current name of a class to the old and new names of its attributes. An attribute that older files lack needs a default
# in its class.
_MOVED: dict[str, str] = {}
_RENAMED: dict[str, dict[str, str]] = {}
_JSON_TYPES = {type(None), bool, int, str}
_BUILTIN_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "object": object}
_COLLECTIONS: dict[str, Callable[[Iterable[Any]], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def save(estimator: Any, path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> None:
    """Store an estimator in one file that loads without executing anything.

    Unlike a pickle, the file cannot run code when it is loaded, and does not depend on the module layout of skrec. It
    is written beside `path` and then moved to `path`, so that a failed `save` leaves an existing file unchanged.

    Parameters
    ----------
    estimator : estimator
        A model or transformer of skrec, fitted or not, or a scikit-learn ``Pipeline`` or ``ColumnTransformer`` of these
        and of scikit-learn's encoders and scalers. For a search, pass its ``best_estimator_``.
    path : str or path-like
        The file to write; any name is allowed.
    trusted : list of classes and functions, default=None
        Classes and functions of other packages, or of your own, that are part of the estimator, such as its class, a
        ``loss`` or the function of a ``FunctionTransformer``. The file contains their names, not their code: they must
        be importable, and must be passed to :func:`load` as well.

    Raises
    ------
    TypeError
        If a part of the estimator cannot be stored without pickle, such as a lambda, a callback or a ``RandomState``,
        or is not `trusted`; the message says which part.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from skrec.preprocessing import IDEncoder
    >>> encoder = IDEncoder().fit([["ana"], ["bo"]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.save(encoder, Path(folder) / "encoder.skrec")
    ...     skrec.load(Path(folder) / "encoder.skrec").transform([["bo"]])
    array([[2]])
    """
    by_name = trusted_by_name(trusted)
    if _name_of(type(estimator)) is None and type(estimator) not in by_name.values():
        hint = f" {_trust(estimator)}{_CURE}"
        if hasattr(estimator, "best_estimator_"):
            hint = " Save its best_estimator_."
        raise TypeError(f"{type(estimator).__name__} is not a class that skrec.save can store.{hint}")
    encoder = _Encoder(by_name)
    root = encoder.encode(estimator, type(estimator).__name__)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist: create it first.")
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                _write(archive, root, encoder.arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> Any:
    """Load an estimator that was stored by :func:`save`.

    Parameters
    ----------
    path : str or path-like
        The file to read.
    trusted : list of classes and functions, default=None
        Classes and functions of other packages, or of your own, such as those passed to :func:`save`. Names in the file
        are looked up in this list; nothing is imported because a file names it.

    Returns
    -------
    estimator
        The stored estimator; its predictions are exactly the same.

    Raises
    ------
    FileFormatError
        If the file was not written by skrec, is damaged or altered, has a newer format, or names a class or function
        that is not `trusted`.
    TypeError
        If `trusted` holds anything but classes and functions.
    OSError
        If the file cannot be opened.

    Warns
    -----
    UserWarning
        If the file was written by another minor version of skrec (or of scikit-learn, for its estimators).

    See Also
    --------
    save : Store an estimator in a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.save(pipeline, Path(folder) / "model.skrec", trusted=[LogisticRegression])
    ...     skrec.load(Path(folder) / "model.skrec", trusted=[LogisticRegression]).predict([[0.9]])
    array([1])
    """
    by_name = trusted_by_name(trusted)
    with Path(path).open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise FileFormatError(f"{os.fspath(path)} is not a file that skrec.save wrote.")
        try:
            estimator, differing = _read(file, by_name)
        except FileFormatError as error:
            raise FileFormatError(f"{os.fspath(path)} cannot be loaded. {error}") from error.__cause__
        except Exception as error:  # zipfile, json and numpy raise a dozen types on damaged data
            raise FileFormatError(f"{os.fspath(path)} cannot be loaded. {_DAMAGED}") from error
    for package, version in differing.items():
        warn(
            f"{os.fspath(path)} was written with {package} {version}, and this is {package} {_VERSIONS[package]}: "
            "predictions may differ. Compare some, or fit and save again.",
            UserWarning,
        )
    return estimator


# ---------------------------------------------------------------------------------------------------------- the archive


def _write(archive: zipfile.ZipFile, root: Any, arrays: list[NDArray[Any]]) -> None:
    digests = {}
    for number, array in enumerate(arrays):
        buffer = BytesIO()
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        name = f"arrays/{number}.npy"
        archive.writestr(zipfile.ZipInfo(name), buffer.getbuffer())
        digests[name] = hashlib.sha256(buffer.getbuffer()).hexdigest()
    content = {"format": _FORMAT, "format_version": _FORMAT_VERSION, "versions": _VERSIONS, "arrays": digests}
    manifest = json.dumps({**content, "estimator": root}, allow_nan=False).encode()
    archive.writestr(zipfile.ZipInfo(_MANIFEST), manifest)
    archive.comment = hashlib.sha256(manifest).hexdigest().encode()


def _read(file: IO[bytes], trusted: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the estimator, and the packages with a different minor version."""
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if _MANIFEST not in archive.namelist():
            raise FileFormatError(f"It has no {_MANIFEST}: it is not a file that skrec.save wrote.")
        # Nothing is compressed, so that no member can be larger than the file.
        if any(m.compress_type != zipfile.ZIP_STORED for m in members) or sum(m.file_size for m in members) > size:
            raise FileFormatError(_DAMAGED)
        content = archive.read(_MANIFEST)
        manifest = json.loads(content)
        if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
            raise FileFormatError(f"Its {_MANIFEST} is not one that skrec.save wrote.")
        if manifest["format_version"] > _FORMAT_VERSION:
            raise FileFormatError(
                f"It has format {manifest['format_version']}, and skrec {__version__} knows {_FORMAT_VERSION}. It was "
                f"written by skrec {manifest['versions']['skrec']}. Install that or a newer one."
            )
        digests = manifest["arrays"]
        if archive.comment != _digest(content) or sorted(archive.namelist()) != sorted([_MANIFEST, *digests]):
            raise FileFormatError(_DAMAGED)
        decoder = _Decoder([_read_array(archive.read(name), digest) for name, digest in digests.items()], trusted)
    estimator = decoder.decode(manifest["estimator"])
    versions = {name: manifest["versions"][name] for name in ("skrec", *["scikit-learn"] * decoder.has_sklearn)}
    return estimator, {name: v for name, v in versions.items() if v.split(".")[:2] != _VERSIONS[name].split(".")[:2]}


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _read_array(data: bytes, digest: str) -> NDArray[Any]:
    if _digest(data).decode() != digest:
        raise FileFormatError(_DAMAGED)
    buffer = BytesIO(data)
    np.lib.format.read_magic(buffer)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    # Checked before memory is allocated, because a header may declare any shape.
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - buffer.tell():
        raise FileFormatError(_DAMAGED)
    array: NDArray[Any] = np.ndarray(shape, dtype, data, buffer.tell(), order="F" if is_fortran else "C")
    return array.copy(order="K")


# -------------------------------------------------------------------------------------------------------------- classes


def _name_of(cls: type) -> str | None:
    """Return the public name of a class that may be stored, or None."""
    names = (f"{module}.{cls.__name__}" for module in [*_MODULES, *_SKLEARN] if module in sys.modules)
    return next((name for name in names if _class_of(name) is cls), None)


def _class_of(name: str) -> type | None:
    name = _MOVED.get(name, name)
    module_name, _, class_name = name.rpartition(".")
    if module_name in _SKLEARN:
        allowed: Iterable[str] = _SKLEARN[module_name]
    elif module_name in _MODULES:
        allowed = import_module(module_name).__all__
    else:
        return None
    found = getattr(import_module(module_name), class_name, None) if class_name in allowed else None
    return found if isinstance(found, type) else None


def _state_of(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return dict(value)
    state = value.to_state() if hasattr(value, "to_state") else value.__getstate__()
    return {name: part for name, part in (state or {}).items() if name != "_sklearn_version"}


def _rebuilt(cls: type, state: dict[str, Any]) -> Any:
    """Return an object of a listed class with the given state; its ``__init__`` is not called."""
    renamed = _RENAMED.get(_name_of(cls) or "", {})
    state = {renamed.get(name, name): part for name, part in state.items()}
    if issubclass(cls, dict):
        return cls(state)
    if not all(name.isidentifier() for name in state):
        raise FileFormatError(f"The attributes of {cls.__name__} have invalid names. {_DAMAGED}")
    if hasattr(cls, "from_state"):
        return cls.from_state(state)
    if not issubclass(cls, BaseEstimator) and is_dataclass(cls):
        state = {**_defaults(cls), **state}
        if {field.name for field in fields(cls)} != set(state):
            raise FileFormatError(f"{cls.__name__} has missing or unknown attributes. {_DAMAGED}")
    made: Any = object.__new__(cls)
    set_state = getattr(cls, "__setstate__", None)
    if set_state is None or set_state is BaseEstimator.__setstate__:
        made.__dict__.update(state)
    else:  # a trusted class
        made.__setstate__(state)
    return made


def _defaults(cls: Any) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(cls) if one.default is not MISSING}
    return defaults | {one.name: one.default_factory() for one in fields(cls) if one.default_factory is not MISSING}


# --------------------------------------------------------------------------------------------------------------- values


class _Encoder:
    """Converts values to JSON, and collects the arrays."""

    def __init__(self, trusted: Mapping[str, Any]) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.trusted = trusted

    def encode(self, value: Any, path: str, depth: int = 0) -> Any:
        """Return JSON for a value; `path` is the expression by which the user would access it."""
        if depth > _MAX_DEPTH:
            raise TypeError(f"{path[:200]}... is nested too deeply, or contains itself. {_CURE}")
        for encode in (self._encode_plain, self._encode_numpy, self._encode_nested, self._encode_schedule):
            result = encode(value, path, depth)
            if result is not NotImplemented:
                return result
        name = global_name(value)
        if name in self.trusted:
            return {"type": "global", "value": name}
        raise TypeError(
            f"{path} is {value!r:.100} ({type(value).__name__}), which needs pickle to be stored. "
            f"{_trust(value)}{_CURE}"
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
            self.arrays.append(value)
            return {"type": "array", "value": len(self.arrays) - 1}
        if isinstance(value, np.generic) and _is_simple(value.dtype):
            return {"type": "scalar", "dtype": value.dtype.str, "value": value.tobytes().hex()}
        if isinstance(value, np.dtype) and _is_simple(value):
            return {"type": "dtype", "value": value.str}
        if isinstance(value, type) and issubclass(value, np.generic) and value in np.sctypeDict.values():
            return {"type": "scalar_type", "value": value.__name__}
        return NotImplemented

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
        name = _name_of(kind)
        if name is None:
            name = global_name(kind)
            if name not in self.trusted:
                return NotImplemented
            if not has_plain_state(value):
                raise TypeError(
                    f"{path} is a {kind.__name__}, which holds more than its attributes: it needs pickle to be stored, "
                    f"even if it is trusted. {_CURE}"
                )
        state = {key: self.encode(part, f"{path}.{key}", depth + 1) for key, part in _state_of(value).items()}
        return {"type": "object", "class": name, "state": state}

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


class _Decoder:
    """Converts JSON to values."""

    def __init__(self, arrays: list[NDArray[Any]], trusted: Mapping[str, Any]) -> None:
        self.arrays = arrays
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
        return self.arrays[int(node["value"])]

    def _decode_objects(self, node: dict[str, Any]) -> NDArray[Any]:
        array = np.empty(len(node["items"]), dtype=object)
        for position, item in enumerate(node["items"]):
            array[position] = self.decode(item)
        return array.reshape([int(length) for length in node["shape"]])

    def _decode_scalar(self, node: dict[str, Any]) -> Any:
        return np.frombuffer(bytes.fromhex(node["value"]), dtype=self._decode_dtype({"value": node["dtype"]}))[0]

    def _decode_dtype(self, node: dict[str, Any]) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(node["value"])
        if not _is_simple(dtype):
            raise FileFormatError(_DAMAGED)
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

    def _decode_schedule(self, node: dict[str, Any]) -> Any:
        from skrec._engine.schedules import from_stored

        return from_stored(node["class"], self.decode(node["config"]))

    def _decode_object(self, node: dict[str, Any]) -> Any:
        cls = _class_of(node["class"]) or self._decode_global({"value": node["class"]})
        if not isinstance(cls, type):
            raise FileFormatError(_DAMAGED)
        self.has_sklearn |= cls.__module__.startswith("sklearn.")
        return _rebuilt(cls, {name: self.decode(part) for name, part in node["state"].items()})


def _trust(value: Any) -> str:
    """Return a hint on how to store a function, or an object of a class, that may be trusted."""
    if global_name(value) is None:
        if global_name(type(value)) is None or not has_plain_state(value):
            return ""
        value = type(value)
    return f"If it is your own or you trust its package, pass trusted=[{value.__name__}] to save and load. "


def _is_simple(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biufcmMSU" and dtype.names is None
