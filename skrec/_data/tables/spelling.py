"""Names of columns, and what a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["closest", "guessing", "meant"]


def closest(name: str, names: Sequence[str]) -> str | None:
    """Return the name most like another, upper case and punctuation aside.

    Parameters
    ----------
    name : str
    names : sequence of str

    Returns
    -------
    str or None
        None if none is like it.

    Examples
    --------
    >>> from skrec._data.tables.spelling import closest
    >>> closest("user_id", ["item_id", "UserID"])
    'UserID'
    """
    plain = {"".join(filter(str.isalnum, label)).lower(): label for label in reversed(names)}
    matches = difflib.get_close_matches("".join(filter(str.isalnum, name)).lower(), plain, n=1)
    return plain[matches[0]] if matches else None


def meant(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """Ask whether missing columns were meant by those that are there and were not expected.

    Parameters
    ----------
    missing, unexpected : sequence of str

    Returns
    -------
    str
        Empty if no name is like another.

    Examples
    --------
    >>> from skrec._data.tables.spelling import meant
    >>> meant(["price", "genre"], ["prize", "colour"])
    "Did you mean 'price' by 'prize'? Rename it."
    """
    pairs = [(closest(name, missing), name) for name in unexpected]
    hints = [f"{guess!r} by {name!r}" for guess, name in pairs if guess is not None]
    return f"Did you mean {', '.join(hints)}? Rename {'it' if len(hints) == 1 else 'them'}." if hints else ""


@contextmanager
def guessing(known: Sequence[str] | None, names: Sequence[str] | None) -> Iterator[None]:
    """Add to scikit-learn's error about the names of columns what the misspelt ones may have meant.

    Parameters
    ----------
    known : sequence of str or None
        Names of the columns in ``fit``; None: there were none.
    names : sequence of str or None
        Names of the columns now.

    Raises
    ------
    ValueError
        As scikit-learn does, with more text.

    Examples
    --------
    >>> from skrec._data.tables.spelling import guessing
    >>> with guessing(["user_id", "age"], ["userid", "age"]):
    ...     raise ValueError("The feature names should match.")
    Traceback (most recent call last):
    ValueError: The feature names should match.
    Did you mean 'user_id' by 'userid'? Rename it.
    """
    try:
        yield
    except ValueError as error:
        if known is not None and names is not None:
            missing = [str(name) for name in known if name not in names]
            hint = meant(missing, [name for name in names if name not in [*known]])
            if hint:
                text = f"{error}".rstrip("\n")
                error.args = (f"{text}\n{hint}",)
        raise
