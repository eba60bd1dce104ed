"""Whether this process only serves exported models, for which scikit-learn need not be imported."""

import sys

__all__ = ["is_serving_only", "serve_only"]

_state = {"serving_only": False}


def serve_only() -> None:
    """From now on, import the classes of models without scikit-learn, unless it or they have been imported before.

    Importing scikit-learn takes a second and 80 MB. The classes are the same, except that they do not inherit from
    those of scikit-learn; what they lack is imported from it when it is used for the first time.
    """
    _state["serving_only"] |= not (sys.modules.get("sklearn") or "skrec._estimators" in sys.modules)


def is_serving_only() -> bool:
    """Return whether :func:`serve_only` has taken effect.

    Examples
    --------
    >>> import sklearn
    >>> from skrec._serving_only import is_serving_only, serve_only
    >>> serve_only()
    >>> is_serving_only()  # scikit-learn has been imported already
    False
    """
    return _state["serving_only"]
