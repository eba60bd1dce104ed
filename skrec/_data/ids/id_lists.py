"""Read ids that are passed as an argument, and raise clear errors for containers that are not lists of ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from skrec._data.ids.values import refuse_missing
from skrec._data.tables.columns import Column, as_column

__all__ = ["is_array_of_ids", "is_list_of_lists", "read_ids"]

_SINGLE = (str, bytes, int, float, complex, np.generic, type(None))


def read_ids(values: Any, argument: str, *, ordered: bool = False, hint: str = "") -> Column:
    """Return ids as a one-dimensional array that keeps their types.

    Parameters
    ----------
    values : iterable of ids
        A list, tuple, set, range, view of a dict, generator, 1-D array, pandas Series, Index or array, polars Series.
    argument : str
        Name of the argument in error messages.
    ordered : bool, default=False
        Whether the order of the ids matters, so that sets are not allowed.
    hint : str, default=""
        Text about other accepted forms of the argument, added to error messages.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    TypeError
        If the argument is a mapping, or a set although the order matters.
    ValueError
        If the argument is a single id, has more than one dimension, is a boolean mask, or has a missing id.

    Examples
    --------
    >>> from skrec._data.ids.id_lists import read_ids
    >>> read_ids({"ann": 1, "bob": 2}.keys(), "queries"), read_ids(range(2), "queries")
    (array(['ann', 'bob'], dtype=object), array([0, 1]))
    >>> read_ids("ann", "queries")
    Traceback (most recent call last):
    ValueError: queries='ann' must be a list or an array, also for a single id: ['ann'].
    """
    if isinstance(values, Mapping):
        raise TypeError(
            f"{argument} is a {type(values).__name__}, which is not a list of ids.{hint or ' Pass a list.'}"
        )
    if isinstance(values, _SINGLE) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise ValueError(f"{argument}={values!r} must be a list or an array, also for a single id: [{values!r}].{hint}")
    if sparse.issparse(values):
        raise TypeError(f"{argument} is a sparse array, which is not a list of ids.{hint or ' Pass a list.'}")
    shape = getattr(values, "shape", (0,))
    if len(shape) > 1:
        raise ValueError(f"{argument} has the shape {tuple(shape)}: ids must be one-dimensional.{hint}")
    if ordered and isinstance(values, Set) and not hasattr(values, "mapping"):  # views of dicts have an order
        raise TypeError(f"{argument} is a {type(values).__name__}, which has no order: pass a list, oldest first.")
    ids = as_column(values if is_array_of_ids(values) else list(values))
    refuse_missing(ids, argument, argument)
    if ids.dtype.kind == "b" and len(ids) > 2:  # two at most can be ids: True equals 1
        raise ValueError(
            f"{argument} holds {len(ids)} booleans, a mask, which is not a list of ids: pass the ids that it selects, "
            f"for instance ids[mask].{hint}"
        )
    return ids


def is_array_of_ids(values: Any) -> bool:
    """Return whether :func:`as_column` can read a container directly: a list, a tuple, an array or a series."""
    library = type(values).__module__.partition(".")[0]
    known = isinstance(values, (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray))
    return known or library == "polars" or hasattr(values, "__array__")


def is_list_of_lists(values: Any) -> bool:
    """Return whether a container holds lists, arrays or sets, which cannot be ids. Tuples can be ids.

    Examples
    --------
    >>> from skrec._data.ids.id_lists import is_list_of_lists
    >>> is_list_of_lists([[1, 2], []]), is_list_of_lists([(1, 2), (3, 4)]), is_list_of_lists([1, 2])
    (True, False, False)
    """
    if isinstance(values, np.ndarray):
        values = values if values.ndim == 1 and values.dtype == object else ()
    if isinstance(values, pd.Series):
        values = values if values.dtype == object else ()
    if not isinstance(values, (list, tuple, np.ndarray, pd.Series)):
        return False
    return any(_holds_ids(value) for value in values)


def _holds_ids(value: Any) -> bool:
    lists = (list, set, np.ndarray, pd.Series, pd.Index, range)  # a frozenset can be hashed, and be an id
    return isinstance(value, lists) and getattr(value, "ndim", 1) > 0
