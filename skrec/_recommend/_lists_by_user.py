"""Lists of ids that come with their users, as the keys of a dict or the index of a series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from skrec._data.ids.id_lists import is_list_of_lists
from skrec._data.ids.values import as_objects
from skrec._data.tables.columns import Column

__all__ = ["by_index", "lists_by_user"]


def by_index(values: Any) -> Any:
    """Return a series of lists, indexed by users, as a dict; anything else as it is."""
    if isinstance(values, pd.Series) and is_list_of_lists(values) and not _is_numbered(values.index):
        return dict(zip(values.index, values, strict=True))
    return values


def lists_by_user(
    lists: Mapping[Any, Any],
    users: Column,
    read: Callable[[Any, str], Column],
    *,
    argument: str,
    hint: str = "",
    of: tuple[str, str] = ("queries", "users of the queries"),
) -> list[Column]:
    """Return the list of each query, found by its user; lists of other users are left alone.

    Parameters
    ----------
    lists : mapping of user to ids
    users : ndarray of shape (n_queries,)
        Users of the queries.
    read : callable
        ``read(ids, what error messages call them)`` returns a list of ids as an array.
    argument : str
        What error messages call the lists.
    hint : str, default=""
        What error messages say of other forms.
    of : tuple of str, default=("queries", "users of the queries")
        What error messages call those who need a list, and the keys of a dict.

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If a user has no list.

    Examples
    --------
    >>> import numpy as np
    >>> lists_by_user({"ann": [5], "bob": [6, 7]}, np.array(["bob"]), lambda ids, name: np.array(ids), argument="lists")
    [array([6, 7])]
    """
    asked = as_objects(users).tolist() if users.dtype.kind in "Mm" else users.tolist()
    missing = [user for user in asked if user not in lists]
    if missing:
        key = next(iter(lists), None)
        raise ValueError(
            f"{argument} has no list for {len(missing)} of the {len(asked)} {of[0]}, for instance {missing[0]!r} "
            f"({type(missing[0]).__name__}). The keys of a dict are the {of[1]}"
            f"{'' if key is None else f', and here are such as {key!r} ({type(key).__name__})'}.{hint}"
        )
    found = {user: read(lists[user], f"{argument}[{user!r}]") for user in dict.fromkeys(asked)}
    return [found[user] for user in asked]


def _is_numbered(index: Any) -> bool:
    """Whether the labels of a series are its places: no ids."""
    return isinstance(index, pd.RangeIndex) and index.name is None and index.start == 0 and index.step == 1
