"""Warnings that point to the line of the caller, however deep in the library they come from."""

from __future__ import annotations

import sys
import warnings

_LIBRARIES = frozenset({"skrec", "sklearn", "joblib", "contextlib", "functools"})

__all__ = ["warn"]


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn, at the line that called skrec, perhaps through scikit-learn.

    Parameters
    ----------
    message : str or Warning
        The text.
    category : type, default=UserWarning
        Class of the warning.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("Something is unusual.")
    >>> str(caught[0].message)
    'Something is unusual.'
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
