"""skrec: scikit-learn for deep recommenders.

Public names are loaded on first access: ``import skrec`` takes milliseconds, and TensorFlow is not imported before the
first ``fit`` of a network.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import skrec._engine.forks  # noqa: F401 - detects forks from now on
from skrec._version import __version__

if TYPE_CHECKING:
    from skrec import (
        datasets,
        exceptions,
        inspection,
        metrics,
        model_selection,
        models,
        preprocessing,
        serving,
        testing,
    )
    from skrec._export import export
    from skrec._recommend import recommend
    from skrec._show_versions import show_versions
    from skrec.persistence import load, save

__all__ = [
    "base",
    "datasets",
    "exceptions",
    "inspection",
    "metrics",
    "model_selection",
    "models",
    "preprocessing",
    "serving",
    "testing",
    "export",
    "load",
    "recommend",
    "save",
    "show_versions",
    "__version__",
]

_SUBMODULES = frozenset(
    {
        "base",
        "datasets",
        "exceptions",
        "inspection",
        "metrics",
        "model_selection",
        "models",
        "persistence",
        "preprocessing",
        "serving",
        "testing",
    }
)
_FUNCTIONS = {
    "export": "skrec._export",
    "load": "skrec.persistence",
    "recommend": "skrec._recommend",
    "save": "skrec.persistence",
    "show_versions": "skrec._show_versions",
}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"skrec.{name}")
    if name in _FUNCTIONS:
        value = globals()[name] = getattr(import_module(_FUNCTIONS[name]), name)
        return value
    raise AttributeError(f"module 'skrec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
