"""Text that several docstrings share."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeVar

__all__ = ["documented"]

_Documented = TypeVar("_Documented", bound=Callable[..., Any])


def documented(**sections: str) -> Callable[[_Documented], _Documented]:
    """Replace ``{name}`` lines in the docstring of a class or function by shared text, indented like its sections."""

    def fill(documented: _Documented) -> _Documented:
        text = documented.__doc__
        if text:
            for name, section in sections.items():
                text = text.replace(f"    {{{name}}}", indent(section, "    "))
            documented.__doc__ = text
        return documented

    return fill
