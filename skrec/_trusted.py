"""Classes and functions of other packages that the caller of ``skrec.save`` and ``skrec.load`` trusts."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["global_name", "has_plain_state", "trusted_by_name"]

_BUILT_IN = (dict, list, tuple, set, frozenset, str, bytes, int, float, complex, np.ndarray)


def global_name(value: Any) -> str | None:
    """Return the name under which a class or function can be imported, or None if there is none.

    Examples
    --------
    >>> from skrec._trusted import global_name
    >>> from statistics import mean
    >>> global_name(mean), global_name(lambda: 0), global_name(3)
    ('statistics.mean', None, None)
    """
    if not callable(value):
        return None
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if type(value) is np.ufunc:
        module = "numpy"
    if not isinstance(name, str) or not isinstance(module, str):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}.{name}" if found is value else None


def trusted_by_name(trusted: Iterable[type | Callable[..., Any]] | None) -> dict[str, Any]:
    """Return trusted classes and functions by the names under which files refer to them.

    Parameters
    ----------
    trusted : iterable of classes and functions, or None
        The classes and functions that the caller trusts.

    Returns
    -------
    dict of str to object

    Raises
    ------
    TypeError
        If an element is not a class or function that can be imported by its name.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skrec._trusted import trusted_by_name
    >>> list(trusted_by_name([Ridge]))
    ['sklearn.linear_model._ridge.Ridge']
    """
    if trusted is None:
        return {}
    if isinstance(trusted, (str, bytes)) or callable(trusted) or not isinstance(trusted, Iterable):
        raise TypeError(f"trusted must be a list of classes and functions, got {trusted!r:.100}: pass [...].")
    result = {}
    for one in trusted:
        name = global_name(one)
        if name is None and isinstance(one, str):
            raise TypeError(f"trusted holds the string {one!r}: import the class or function and pass it itself.")
        if name is None:
            what = "an object" if not callable(one) else "a class or function"
            raise TypeError(
                f"trusted holds {one!r:.100}, {what} that cannot be imported by its name. Define it at the top level "
                "of a module, not as a lambda or inside a function."
            )
        result[name] = one
    return result


def has_plain_state(value: Any) -> bool:
    """Return whether the attributes of an object hold its whole state, so that it can be stored without pickle.

    Examples
    --------
    >>> from datetime import date
    >>> from sklearn.linear_model import Ridge
    >>> from skrec._trusted import has_plain_state
    >>> has_plain_state(Ridge()), has_plain_state(date(2020, 1, 1)), has_plain_state([1])
    (True, False, False)
    """
    if isinstance(value, (type, *_BUILT_IN)):
        return False
    cls = type(value)
    if any(getattr(cls, name) is not getattr(object, name) for name in ("__reduce__", "__reduce_ex__")):
        return False
    return hasattr(value, "__dict__") and isinstance(value.__getstate__() or {}, dict)
