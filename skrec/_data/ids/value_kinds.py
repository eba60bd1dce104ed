"""The kinds of ids and categories: numbers, strings, bytes and others; warnings of those that cannot be known ones."""

from __future__ import annotations

from datetime import date, timedelta
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.columns import Column
from skrec._warnings import warn

__all__ = ["warn_other_kind", "kinds_of", "of_another_kind", "warn_mixed_kinds", "warn_rounded"]

_KINDS_OF_DTYPES = {"M": "dates", "m": "durations"}
_KINDS_INFERRED = {
    **dict.fromkeys(["integer", "floating", "mixed-integer-float", "decimal", "boolean"], "numbers"),
    **dict.fromkeys(["datetime", "datetime64", "date"], "dates"),
    **dict.fromkeys(["timedelta", "timedelta64"], "durations"),
    "string": "strings",
    "bytes": "bytes",
}  # what pandas.api.types.infer_dtype calls them
_KINDS_OF_TYPES: tuple[tuple[Any, str], ...] = (
    (str, "strings"),
    (bytes, "bytes"),
    ((Number, np.number, np.bool_), "numbers"),
    (date, "dates"),
    (timedelta, "durations"),
)
_CONVERSIONS = {
    ("numbers", "strings"): ".astype(str)",
    ("bytes", "strings"): ".str.decode('utf-8')",
    ("strings", "bytes"): ".str.encode('utf-8')",
    ("dates", "strings"): ".astype(str)",
    ("strings", "dates"): "pandas.to_datetime",
    ("numbers", "dates"): "pandas.to_datetime",
    ("strings", "durations"): "pandas.to_timedelta",
    ("numbers", "durations"): "pandas.to_timedelta",
}
_NO_ACCIDENT = 16
"""So many large floats that 32 bits hold exactly were of 32 bits: of any others every second one at most is exact."""


def kinds_of(ids: Column) -> frozenset[str]:
    """Return the kinds of values in a column: values of two kinds are never equal.

    Parameters
    ----------
    ids : ndarray of shape (n_rows,)

    Returns
    -------
    frozenset of str
        ``"numbers"``, ``"strings"``, ``"bytes"``, ``"dates"``, ``"durations"``, or the name of another type of
        Python. Missing values are of no kind.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.ids.value_kinds import kinds_of
    >>> kinds_of(np.array([5.0, np.nan])), sorted(kinds_of(np.array([b"a", "a", None], dtype=object)))
    (frozenset({'numbers'}), ['bytes', 'strings'])
    """
    if ids.dtype.kind != "O":
        return frozenset([_KINDS_OF_DTYPES.get(ids.dtype.kind, "numbers")] if len(ids) else [])
    inferred = _KINDS_INFERRED.get(pd.api.types.infer_dtype(ids, skipna=True))
    if inferred is not None:
        return frozenset([inferred])
    return frozenset(map(_kind_of_type, set(map(type, ids[~pd.isna(ids)]))))


def of_another_kind(column: Column, known: Column) -> bool:
    """Whether the ids of two columns have no kind in common, such as strings and numbers: no id is in both.

    Parameters
    ----------
    column, known : ndarray of shape (n_rows,) and (n,)

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.ids.value_kinds import of_another_kind
    >>> of_another_kind(np.array(["5"], dtype=object), np.array([5, 7]))
    True
    >>> of_another_kind(np.array([b"5"], dtype=object), np.array(["5", "7"], dtype=object))
    True
    """
    here = kinds_of(column)
    if not here or not len(known) or here & kinds_of(known[:1]):
        return False  # so far without a look at all known ids
    there = kinds_of(known)
    return bool(there) and here.isdisjoint(there)


def warn_other_kind(
    column: Column,
    known: Column,
    name: str,
    *,
    what: str = "ids",
    of: str = "fit",
    so: str = "none of them is known, and all count as unknown",
) -> None:
    """Warn if ids have no kind in common with those of ``fit``, as strings and numbers: none can be a known one.

    The words are the same whatever the ids are, so that Python shows them once.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
    known : ndarray of shape (n,)
        The ids of ``fit``.
    name : str
        What the warning calls the column.
    what, of, so : str
        What it calls the ids, and the known ones, and what comes of it.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data.ids.value_kinds import warn_other_kind
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_other_kind(np.array(["5"], dtype=object), np.array([5, 7]), "user_id")
    >>> print(caught[0].message)
    The ids for column 'user_id' are strings (object), but those of fit are numbers (int64): none of them is known, \
and all count as unknown. Convert them as in fit, for instance with .astype('int64').
    """
    if not of_another_kind(column, known):
        return
    here, there = kinds_of(column), kinds_of(known)
    warn(
        f"The {what} for column {name!r} are {_joined(here)} ({column.dtype}), but those of {of} are {_joined(there)} "
        f"({known.dtype}): {so}. Convert them as in {of}{_conversion(here, there, known.dtype)}."
    )


def warn_mixed_kinds(
    column: Column, unknown: NDArray[np.bool_], kinds: frozenset[str], name: str, *, what: str, so: str
) -> None:
    """Warn if unknown values are of a kind that no value of ``fit`` has, such as bytes where those are strings.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
    unknown : ndarray of shape (n_rows,), bool
        Which values are unknown.
    kinds : frozenset of str
        The kinds of the values of ``fit``, see :func:`kinds_of`.
    name : str
        What the warning calls the column.
    what, so : str
        What it calls the values, and the consequence.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data.ids.value_kinds import warn_mixed_kinds
    >>> column = np.array(["a", b"b"], dtype=object)
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn_mixed_kinds(column, np.array([False, True]), frozenset({"strings"}), "c", what="values", so="unknown")
    >>> print(caught[0].message)
    Some values for column 'c' are bytes, such as b'b' in row 1, but those of fit are strings: unknown. Convert them \
as in fit, for instance with .str.decode('utf-8').
    """
    new_kinds = kinds_of(column[unknown]) - kinds if kinds else frozenset()
    if not new_kinds:
        return
    row = next(int(row) for row in np.flatnonzero(unknown) if kinds_of(column[row : row + 1]) & new_kinds)
    warn(
        f"Some {what} for column {name!r} are {_joined(new_kinds)}, such as {column[row]!r} in row {row}, but those of "
        f"fit are {_joined(kinds)}: {so}. Convert them as in fit{_conversion(new_kinds, kinds, None)}."
    )


def warn_rounded(column: Column, label: str) -> None:
    """Warn of floats that are too large for every whole number to be one: ids that were cast to them may be merged.

    Parameters
    ----------
    column : ndarray of shape (n_rows,)
    label : str
        What the warning calls the column.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data.ids.value_kinds import warn_rounded
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     warn_rounded(np.array([2.0**60, 7.0]), "Column 'ad_id'")
    >>> str(caught[0].message)[:61]
    "Column 'ad_id' has ids or categories that are floats beyond 2"
    """
    if column.dtype.kind != "f" or not len(column):
        return
    for bits, exponent, upper in ((64, 53, 2.0**64), (32, 24, 2.0**53)):
        with np.errstate(invalid="ignore"):
            is_large = (np.abs(column) > 2.0**exponent) & (np.abs(column) < upper)
        if not is_large.any() or (bits == 32 and not _were_singles(column[is_large])):
            continue
        row = int(np.argmax(is_large))
        warn(
            f"{label} has ids or categories that are floats beyond 2**{exponent}, such as {float(column[row])!r}. "
            f"Floats of this size with {bits} bits do not hold every whole number: a cast from integers rounded them, "
            "and different ones may have become equal. Read them as integers (dtype 'Int64' if some are missing) or as "
            "strings."
        )
        return


def _were_singles(values: Column) -> bool:
    """Whether large floats are all those that 32 bits hold, which is not an accident if there are several."""
    with np.errstate(over="ignore"):
        exact = values.astype(np.float32) == values
    return bool(exact.all()) and len(np.unique(values)) >= _NO_ACCIDENT


def _kind_of_type(found: type) -> str:
    for types, kind in _KINDS_OF_TYPES:
        if issubclass(found, types):
            return kind
    return found.__name__


def _joined(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds))


def _conversion(here: frozenset[str], there: frozenset[str], dtype: np.dtype[Any] | None) -> str:
    """Return an example of the call that makes values of one kind of those of another; empty if there is none."""
    if len(here) != 1 or len(there) != 1:
        return ""
    pair = next(iter(here)), next(iter(there))
    if pair == ("strings", "numbers"):
        return f", for instance with .astype({str(dtype)!r})" if dtype is not None else ", with pandas.to_numeric"
    call = _CONVERSIONS.get(pair)
    return f", for instance with {call}" if call is not None else ""
