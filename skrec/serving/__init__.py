"""A service: recommendations over HTTP, with a page to look at them.

``python -m skrec.serving model.skrec`` serves a file that :func:`skrec.save` wrote; :func:`create_app` returns the same
application for a server or a test of your own. Both need the extra ``skrec-deep[serve]``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skrec.serving._app import create_app
    from skrec.serving._limits import Limits
    from skrec.serving._load import load

__all__ = ["Limits", "create_app", "load"]

_HOMES = {"Limits": "_limits", "create_app": "_app", "load": "_load"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"skrec.serving.{_HOMES[name]}"), name)
        return value
    raise AttributeError(f"module 'skrec.serving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
