"""Columns of ids that would be taken for numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.tables.columns import Column, narrow
from skrec._data.tables.table import Rows
from skrec._warnings import warn

__all__ = ["is_id_name", "looks_like_ids", "role_of_name", "warn_ids_as_numbers"]

_ROLES = {
    "user": {"user", "users", "uid", "customer", "client", "member", "visitor", "account"},
    "item": {"item", "items", "iid", "product", "movie", "song", "track", "article", "book", "video", "sku", "asin"},
}
_OTHERS = {"ad", "artist", "brand", "category", "city", "country", "device", "session", "shop", "store", "zip"}
_ENDINGS = {"id", "ids", "uid", "uuid", "guid"}
_KNOWN = {f"{word}{ending}" for word in (*_ROLES["user"], *_ROLES["item"], *_OTHERS) for ending in ("id", "ids")}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_FEWEST, _ROWS_EACH = 100, 5
_ROUND = (5, 12, 15, 24, 25, 30, 50, 60, 100)
_DENSE, _OVERDISPERSED, _ROUGH, _HEAPED = 0.5, 4.0, 0.7, 2.0


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name.rpartition("__")[2])]


def is_id_name(name: str) -> bool:
    """Whether a column is called an id: ``"user_id"``, ``"movieId"``, ``"remainder__item_id"``, ``"userid"``.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrec._data.ids.id_columns import is_id_name
    >>> [is_id_name(name) for name in ("user_id", "movieId", "num__shop id", "userid", "age", "paid", "idle")]
    [True, True, True, True, False, False, False]
    """
    words = _words(name)
    return bool(words) and (words[-1] in _ENDINGS or "".join(words) in _KNOWN)


def role_of_name(name: str) -> str | None:
    """Return the role that the name of a column suggests.

    Parameters
    ----------
    name : str

    Returns
    -------
    "user", "item" or None

    Examples
    --------
    >>> from skrec._data.ids.id_columns import role_of_name
    >>> role_of_name("User ID"), role_of_name("scaled__itemid"), role_of_name("item"), role_of_name("item_price")
    ('user', 'item', 'item', None)
    """
    words = _words(name)
    if words and words[-1] in _ENDINGS - {"uid"}:
        words = words[:-1]
    joined = re.sub("ids?$", "", "".join(words)) if "".join(words) in _KNOWN else "".join(words)
    return next((role for role, known in _ROLES.items() if joined in known), None)


def looks_like_ids(numbers: NDArray[np.float64]) -> bool:
    """Whether whole numbers are probably ids: many, each in several rows, and without an order.

    Numbers that measure something have a smooth distribution: the next age is about as frequent as the last one. How
    frequent an id is tells nothing about the next id. Numbers that people round (prices, minutes) are uneven too, but
    at round numbers or by their last digit.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), float64

    Returns
    -------
    bool
        False where it cannot be told, as of ids that are all equally frequent.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.ids.id_columns import looks_like_ids
    >>> random = np.random.default_rng(0)
    >>> popularity = random.permutation(1 / np.arange(1, 201))
    >>> items = random.choice(200, 5000, p=popularity / popularity.sum())
    >>> looks_like_ids(items.astype(float)), looks_like_ids(random.poisson(400, 5000).astype(float))
    (True, False)
    """
    numbers = numbers[~np.isnan(numbers)]
    if len(numbers) < _FEWEST * _ROWS_EACH or not np.array_equal(numbers, np.floor(numbers)):
        return False
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) < _FEWEST or len(numbers) < _ROWS_EACH * len(values) or values[0] < 0:
        return False
    if len(values) < _DENSE * (values[-1] - values[0] + 1):
        return False
    spread = counts.var()
    if spread < _OVERDISPERSED * counts.mean():
        return False
    uneven = np.mean((counts[1:-1] - (counts[:-2] + counts[2:]) / 2) ** 2) / 1.5
    digits = values.astype(np.int64) % 10
    heaps = [digits == digit for digit in np.unique(digits)] + [values % step == 0 for step in _ROUND]
    most = max(np.median(counts[heap]) for heap in heaps if heap.sum() >= 8)
    return bool(uneven > _ROUGH * spread and most < _HEAPED * np.median(counts))


def warn_ids_as_numbers(rows: Rows, positions: Sequence[int], *, roles: Collection[str], chosen: bool) -> None:
    """Warn of columns that are taken for numbers and are probably ids.

    Parameters
    ----------
    rows : Rows
        The table.
    positions : sequence of int
        Positions of the columns that are taken for numbers.
    roles : collection of str
        The roles that could still be given: ``"user"``, ``"item"``.
    chosen : bool
        Whether the caller said which columns are categories, so that the others are numbers on purpose; columns that
        are called the user or the item are warned of in any case.

    Warns
    -----
    UserWarning
    """
    found: list[int] = []
    suggested: dict[str, int] = {}
    for position in positions:
        name = "" if rows.names is None else rows.names[position]
        role = role_of_name(name)
        if role is not None and role in roles and role not in suggested:
            suggested[role] = position
        elif chosen:
            continue
        else:
            column = rows.column(position)
            if not (_merge_as_floats(column) or _are_ids(column, name)):
                continue
        found.append(position)
    if not found:
        return
    named = ", ".join(rows.label(position) for position in found[:5]) + (", ..." if len(found) > 5 else "")
    if rows.names is None:
        cure = f"Pass categorical_features={found[:5]}"
    else:
        cure = (
            f"Convert such columns, X[{rows.label(found[0])}].astype('category'), or name them in categorical_features="
        )
    given = ", ".join(f"{role}={rows.label(position)}" for role, position in sorted(suggested.items(), reverse=True))
    warn(
        f"The column(s) {named} look like ids, but are taken for numbers, as if neighbouring ids were alike. "
        f"{f'To give each id an embedding, pass {given}. ' if given else ''}{cure}. If they are numbers, say so with "
        "categorical_features=[...], which names all columns that are not."
    )


def _are_ids(column: Column, name: str) -> bool:
    """Whether a column of numbers holds ids, by its name or by its values."""
    if column.dtype.kind not in "iuf":
        return False
    numbers = column.astype(np.float64)
    return _repeat(numbers) if is_id_name(name) else looks_like_ids(numbers)


def _merge_as_floats(column: Column) -> bool:
    """Whether whole numbers that differ are equal as floats: hashes, which are too large to be counts or times."""
    if column.dtype.kind == "O":  # whole numbers that no float holds, some of them missing
        column = column[~pd.isna(column)]
        if pd.api.types.infer_dtype(column, skipna=False) != "integer":
            return False
        column = narrow(column)
    if column.dtype.kind not in "iu" or not len(column) or max(abs(int(column.min())), int(column.max())) <= 2**53:
        return False
    distinct = np.unique(column)
    return len(np.unique(distinct.astype(np.float64))) <= len(distinct) / 2


def _repeat(numbers: NDArray[np.float64]) -> bool:
    """Whether numbers are whole, more than two of them, and some are in more than one row."""
    numbers = numbers[~np.isnan(numbers)]
    n_distinct = len(np.unique(numbers))
    return bool(2 < n_distinct < len(numbers) and np.array_equal(numbers, np.floor(numbers)))
