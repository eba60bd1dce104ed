"""Names of a package that are imported when they are used for the first time."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        The name of the package.
    modules : dict of str to list of str
        The names that each module defines.

    Examples
    --------
    >>> from skrec._lazy import lazy_names
    >>> find, _ = lazy_names("skrec", {"skrec._version": ["__version__"]})
    >>> import skrec
    >>> find("__version__") == skrec.__version__
    True
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def find(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(module_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return find, lambda: sorted({*vars(sys.modules[package]), *module_of})
