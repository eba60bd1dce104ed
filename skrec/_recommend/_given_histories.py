"""Histories that come with a question: lists of items, or events."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import pandas as pd

from skrec._data.ids.id_lists import is_array_of_ids
from skrec._data.tables.columns import Column, as_column
from skrec._recommend._lists_by_user import lists_by_user

__all__ = ["are_events", "as_sessions", "sessions_by_user"]


def are_events(history: Any) -> bool:
    """Whether a history is a table of events, with a user and an item each, not a list for each query.

    Parameters
    ----------
    history : object
        What was passed as ``history=``: a data frame or a two-dimensional array has events; a list of lists is one of
        sessions.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> are_events([[1, 5], [1, 6]]), are_events(np.array([[1, 5], [1, 6]]))
    (False, True)
    """
    return isinstance(history, pd.DataFrame) or hasattr(history, "to_series") or getattr(history, "ndim", 1) == 2


def as_sessions(history: Any) -> list[Column]:
    """Return the items of each query, oldest first.

    Parameters
    ----------
    history : list of lists of item ids

    Returns
    -------
    list of ndarray

    Raises
    ------
    TypeError
        If one is not ordered.
    ValueError
        If it, or one of its elements, is not a list.

    Examples
    --------
    >>> as_sessions([[5, 6], []])
    [array([5, 6]), array([], dtype=object)]
    """
    if isinstance(history, Set):
        raise TypeError(f"history is a {type(history).__name__}, which has no order: pass a list of lists.")
    if isinstance(history, str | bytes) or not isinstance(history, Iterable) or getattr(history, "ndim", 1) == 0:
        raise ValueError(f"history is {history!r}; pass a list with the item ids of each query, oldest first.")
    return [_listed(items) for items in history]


def sessions_by_user(history: Any, users: Column) -> list[Column]:
    """Return the items of each query, oldest first, of lists in the order of the queries or by their users.

    Parameters
    ----------
    history : list of lists of item ids, or mapping of user to such a list
    users : ndarray of shape (n_queries,)
        Users of the queries.

    Returns
    -------
    list of ndarray
        Of lists in order as many as there are, which may differ from the number of queries.

    Raises
    ------
    TypeError, ValueError
        As :func:`as_sessions`; or if a user has no list.

    Examples
    --------
    >>> import numpy as np
    >>> sessions_by_user({"ann": [5], "bob": [6, 7]}, np.array(["bob", "ann"]))
    [array([6, 7]), array([5])]
    """
    if not isinstance(history, Mapping):
        return as_sessions(history)
    return lists_by_user(history, users, lambda items, _: _listed(items), argument="history")


def _listed(items: Any) -> Column:
    if np.isscalar(items) or items is None or not isinstance(items, Iterable):
        raise ValueError(
            f"history holds {items!r}, which is not a list: pass a list of lists, one for each query, such as "
            "[[12, 7], [3]]. For one session: [[12, 7]]."
        )
    if isinstance(items, Mapping) or (isinstance(items, Set) and not hasattr(items, "mapping")):
        raise TypeError(f"history holds a {type(items).__name__}, which has no order: pass a list, oldest first.")
    return as_column(items if is_array_of_ids(items) else list(items))
