"""Pairs of a user and an item that must not be recommended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from skrec._data.ids.values import is_hashable, of_another_kind, unhashable, warn_other_kind
from skrec._data.tables.columns import Column, as_column
from skrec._data.tables.table import as_rows, to_pandas
from skrec._recommend._frames import as_ids, named_column
from skrec._recommend._lists_by_user import by_index

__all__ = ["Exclusions", "exclusions_of"]


@dataclass(frozen=True)
class Exclusions:
    """The items that users must not get, as raw ids.

    Parameters
    ----------
    users, items : ndarray of shape (n_pairs,)
    names : tuple of str
        What messages call their columns.
    """

    users: Column
    items: Column
    names: tuple[str, str]

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def by_user(self) -> dict[Any, set[Any]]:
        """The items of each user."""
        result: dict[Any, set[Any]] = {}
        for user, item in zip(self.users.tolist(), self.items.tolist(), strict=True):
            result.setdefault(user, set()).add(item)
        return result

    @property
    def most(self) -> int:
        """The largest number of items of one user."""
        return max(map(len, self.by_user.values()), default=0)

    def warn_unmatched(self, queries: Column, candidates: Column, known_users: Column | None = None) -> None:
        """Warn if no pair can match: for instance its ids are strings and those of the queries are numbers.

        Parameters
        ----------
        queries, candidates : ndarray of shape (n_queries,) and (n_candidates,)
            Raw ids; None where there is none.
        known_users : ndarray of shape (n,), default=None
            Users of ``fit``. Their pairs may be in a list that serves every query, including those of unknown users.
        """
        if not len(self):
            return
        so = "no pair matches, so nothing is excluded"
        if known_users is None or of_another_kind(self.users, known_users):
            warn_other_kind(
                self.users, _present(queries), self.names[0], what="ids of exclude", of="the queries", so=so
            )
        warn_other_kind(
            self.items, _present(candidates), self.names[1], what="ids of exclude", of="the candidates", so=so
        )


def exclusions_of(exclude: Any, user_name: str, item_name: str) -> Exclusions:
    """Read the pairs that are to be left out.

    Parameters
    ----------
    exclude : table of shape (n_pairs, 2), set of pairs, dict of user to items, or None
        A frame has the columns of the names.
    user_name, item_name : str

    Returns
    -------
    Exclusions

    Raises
    ------
    ColumnError
        If a frame lacks a column.
    ValueError
        If there is something else than pairs, or an id is missing.
    """
    names = (user_name, item_name)
    exclude = by_index(to_pandas(exclude))
    if exclude is None:
        return Exclusions(as_column([]), as_column([]), names)
    if hasattr(exclude, "columns"):
        if len(exclude) and as_rows(exclude, name="exclude", min_columns=2).names is None:
            exclude = pd.DataFrame(exclude).iloc[:, :2].set_axis([*names], axis=1)
        columns = [named_column(exclude, name, "exclude") for name in names]
    else:
        pairs = _pairs(exclude)
        wrong = [pair for pair in pairs if not _is_pair(pair)]
        if wrong:
            raise ValueError(
                f"exclude must hold (user, item) pairs, but has {wrong[0]!r}: pass a list of pairs, such as "
                "[(user, item)], an array of shape (n_pairs, 2), a dict {user: [item, ...]} or a DataFrame with the "
                f"columns {user_name!r} and {item_name!r}."
            )
        columns = [as_column([pair[part] for pair in pairs]) for part in (0, 1)]
    users, items = (as_ids(column, "exclude") for column in columns)
    for column, name in zip((users, items), names, strict=True):
        if column.dtype.kind == "O" and not all(map(is_hashable, column)):
            raise unhashable(column, name, "exclude")
    return Exclusions(users, items, names)


def _pairs(exclude: Any) -> list[Any]:
    """Return what may be pairs."""
    if isinstance(exclude, Mapping):
        lists = {user: as_ids(items, f"exclude[{user!r}]") for user, items in exclude.items()}
        return [(user, item) for user, items in lists.items() for item in items.tolist()]
    if sparse.issparse(exclude):
        return ["a sparse array"]
    return list(exclude) if isinstance(exclude, Iterable) and not isinstance(exclude, str | bytes) else [exclude]


def _is_pair(pair: Any) -> bool:
    return (isinstance(pair, (tuple, list)) and len(pair) == 2) or (isinstance(pair, np.ndarray) and pair.shape == (2,))


def _present(ids: Column) -> Column:
    """Leave out what is missing: decoded ids of which an encoder kept none."""
    missing = pd.isna(ids) if ids.dtype == object else None
    return ids if missing is None or not missing.any() else as_column(ids[~missing].tolist())
