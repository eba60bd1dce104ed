"""Serving of fitted models: loading of exported ones without TensorFlow, and a web service with a page to look at them.

``python -m skrec.serving model.bundle`` serves a file that :func:`skrec.export` or :func:`skrec.save` wrote;
:func:`create_app` returns the same application for a server or a test of your own. Both need the extra
``skrec-deep[serve]``.
"""

from typing import TYPE_CHECKING

from skrec._lazy import lazy_names

if TYPE_CHECKING:
    from skrec.serving._app import create_app
    from skrec.serving._limits import Limits
    from skrec.serving._load import load
    from skrec.serving._pipeline import ServedPipeline

__all__ = ["Limits", "ServedPipeline", "create_app", "load"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "skrec.serving._app": ["create_app"],
        "skrec.serving._limits": ["Limits"],
        "skrec.serving._load": ["load"],
        "skrec.serving._pipeline": ["ServedPipeline"],
    },
)
