"""The classes whose objects can be stored, their names in files, and the state of an object."""

import sys
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from typing import Any

from scipy.sparse import csr_array

from skrec.exceptions import FileFormatError

DAMAGED = "It is damaged or was altered: get another copy, or save the estimator again."

# Every class in the __all__ of these modules can be stored, and these classes of scikit-learn.
_MODULES = [
    "skrec.models",
    "skrec.preprocessing",
    "skrec._data",
    "skrec._engine.weights",
    "skrec.serving.graphs",
    "skrec.serving._pipeline",
]
_SKLEARN = {
    "sklearn.compose": ["ColumnTransformer"],
    "sklearn.decomposition": ["TruncatedSVD"],
    "sklearn.feature_extraction.text": ["CountVectorizer", "HashingVectorizer", "TfidfTransformer", "TfidfVectorizer"],
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


def name_of(cls: type) -> str | None:
    """Return the public name of a class that may be stored, or None."""
    names = (f"{module}.{cls.__name__}" for module in [*_MODULES, *_SKLEARN] if module in sys.modules)
    return next((name for name in names if class_of(name) is cls), None)


def class_of(name: str) -> type | None:
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


def state_of(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return dict(value)
    state = value.to_state() if hasattr(value, "to_state") else value.__getstate__()
    own = getattr(value, "__dict__", {})
    return {  # ClosedFormRanker gives the parts of sparse arrays, which have a format of their own
        name: own[name] if isinstance(own.get(name), csr_array) else part
        for name, part in (state or {}).items()
        if name != "_sklearn_version"
    }


def rebuilt(cls: type, state: dict[str, Any]) -> Any:
    """Return an object of a listed class with the given state; its ``__init__`` is not called."""
    renamed = _RENAMED.get(name_of(cls) or "", {})
    state = {renamed.get(name, name): part for name, part in state.items()}
    if issubclass(cls, dict):
        return cls(state)
    if not all(name.isidentifier() for name in state):
        raise FileFormatError(f"The attributes of {cls.__name__} have invalid names. {DAMAGED}")
    if hasattr(cls, "from_state"):
        return cls.from_state(state)
    if not hasattr(cls, "get_params") and is_dataclass(cls):
        state = {**_defaults(cls), **state}
        if {field.name for field in fields(cls)} != set(state):
            raise FileFormatError(f"{cls.__name__} has missing or unknown attributes. {DAMAGED}")
    made: Any = object.__new__(cls)
    set_state = getattr(cls, "__setstate__", None)
    if set_state is None or set_state.__module__ == "sklearn.base":  # that of BaseEstimator compares versions
        made.__dict__.update(state)
    else:  # a trusted class
        made.__setstate__(state)
    return made


def _defaults(cls: Any) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(cls) if one.default is not MISSING}
    return defaults | {one.name: one.default_factory() for one in fields(cls) if one.default_factory is not MISSING}
