"""Text that several docstrings share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from textwrap import indent
from typing import Any, TypeVar

__all__ = ["documented"]

_Documented = TypeVar("_Documented", bound=Callable[..., Any])


def documented(**sections: str) -> Callable[[_Documented], _Documented]:
    """Replace ``{name}`` lines in the docstring of a class or function by shared text, indented as the line is.

    Examples
    --------
    >>> import inspect
    >>> from skrec._docs import documented
    >>> @documented(x="x : float")
    ... def halve(x):
    ...     '''Halve a number.
    ...
    ...     Parameters
    ...     ----------
    ...     {x}
    ...     '''
    ...     return x / 2
    >>> inspect.getdoc(halve).splitlines()[-1]
    'x : float'
    """

    def fill(documented: _Documented) -> _Documented:
        text = documented.__doc__
        if text:
            for name, section in sections.items():
                text = re.sub(rf"^( *)\{{{name}\}}$", partial(_indented, section), text, flags=re.MULTILINE)
            documented.__doc__ = text
        return documented

    return fill


def _indented(section: str, line: re.Match[str]) -> str:
    return indent(section, line[1])
