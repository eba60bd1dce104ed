"""Which columns are features of the item, which of the query: what the data tell, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data import Encoded, Fields, Rows
from skrec._data.features.dependence import Dependence, dependence, sampled_groups, value_codes
from skrec._warnings import warn
from skrec.base.reader import Codes

__all__ = ["ColumnRole", "decide_sides"]

_TOLERATED, _NEAR = 0.03, 0.2
"""Deviations, as a share of those expected by chance: below the first a rule holds, below the second it nearly does."""

_LEAST_EVIDENCE, _LEAST_SHARE = 3.0, 0.1
"""Deviations that chance would give are evidence if they are at least so many, or this share of the rows."""

_FEWEST_ROWS = 50
"""In a table of fewer rows it goes without a warning that hardly any item has two."""

_CURE = "Name those of the item, for instance item_features=[{}], or pass item_features=None if there are none."


@dataclass(frozen=True)
class ColumnRole:
    """The role of a column, and why it has it.

    Parameters
    ----------
    role : {"item feature", "user feature", "context"}
    reason : str
        What follows "because".
    """

    role: str
    reason: str


def decide_sides(rows: Rows, fields: Fields, encoded: Encoded, users: Codes, items: Codes) -> dict[int, ColumnRole]:
    """Decide from the data which columns are features of the item, and warn where that is not clear.

    A column is a feature of the item if its value follows from the item and not from the user. Missing values and a
    small share of other values are tolerated, and rows of items (or users) with a single row count for nothing.

    Parameters
    ----------
    rows : Rows
        The table.
    fields, encoded : Fields, Encoded
        All columns that are features, and the rows as they encode them: values are equal where they are encoded alike.
    users, items : ndarray of shape (n_rows,), int
        Codes of the ids.

    Returns
    -------
    dict of int to ColumnRole
        By position.

    Warns
    -----
    UserWarning
        If a column is nearly a feature of the item, or is one but for some rows; if it follows from the item as well as
        from the user; or if too few items have two rows.
    """
    item_sample, user_sample = sampled_groups(items), sampled_groups(users)
    roles: dict[int, ColumnRole] = {}
    untold: list[str] = []
    for position, values in value_codes(fields, encoded):
        by_item = _Evidence.of(values, items, item_sample)
        by_user = _Evidence.of(values, users, user_sample)
        roles[position] = _decide(values, by_item, by_user)
        if by_item.is_enough:
            _warn_of_nearly(rows, position, by_item, by_user)
        elif roles[position] == _UNTOLD and rows.n_rows >= _FEWEST_ROWS and by_item.n_rows + by_user.n_rows:
            untold.append(rows.label(position))
    if untold:
        warn(
            f"Too few items have two rows or more to tell whether {_joined(untold)} belong(s) to the item or to the "
            f"query: taken for the query's. {_CURE.format(untold[0])}"
        )
    return roles


@dataclass(frozen=True)
class _Evidence:
    """What the groups tell of a column: its dependence on them, and whether there are enough rows to go by."""

    found: Dependence
    is_enough: bool

    @classmethod
    def of(cls, values: NDArray[Any], groups: Codes, sample: Any) -> _Evidence:
        found = dependence(values[sample], groups[sample])
        if found.first >= 0 and not isinstance(sample, slice):
            found = replace(found, first=int(sample[found.first]), usual=int(sample[found.usual]))
        n_there = int(np.count_nonzero(values[sample] >= 0))
        return cls(found, 0 < min(_LEAST_EVIDENCE, _LEAST_SHARE * n_there) <= found.n_expected)

    @property
    def n_rows(self) -> int:
        """Rows of groups with two or more."""
        return self.found.n_rows

    @property
    def holds(self) -> bool:
        """Whether the groups determine the values, some deviations aside."""
        return self.is_enough and self.found.share <= _TOLERATED

    @property
    def is_exact(self) -> bool:
        """Whether the groups determine the values without exception."""
        return self.is_enough and not self.found.n_deviations

    def within(self, group: str) -> str:
        """Say how many rows deviate from the others of their item or user."""
        found = self.found
        if not found.n_deviations:
            return f"the same in all rows of {group}"
        return f"different in {found.n_deviations} of {found.n_rows} rows from the other rows of {group}"


_UNTOLD = ColumnRole("context", "too few items have two rows or more to tell")


def _decide(values: NDArray[Any], by_item: _Evidence, by_user: _Evidence) -> ColumnRole:
    follows_user = by_user.holds and not (by_item.is_exact and not by_user.is_exact)
    if by_item.holds and not follows_user:
        return ColumnRole("item feature", by_item.within("an item"))
    if follows_user:
        also = ", as in those of an item" if by_item.holds else ""
        return ColumnRole("user feature", by_user.within("a user") + also)
    if by_item.is_enough:
        return ColumnRole("context", by_item.within("an item"))
    return ColumnRole("context", "the same in all rows") if values.min() == values.max() else _UNTOLD


def _warn_of_nearly(rows: Rows, position: int, by_item: _Evidence, by_user: _Evidence) -> None:
    """Warn of a column that may be a feature of the item or of the user, or is one of the item but for some rows."""
    name, found = rows.label(position), by_item.found
    if by_item.holds and by_user.holds and by_item.is_exact == by_user.is_exact:
        warn(
            f"Column {name} has the same value in the rows of an item and also in the rows of a user, so that it may "
            f"belong to either: taken for the user's. {_CURE.format(name)}"
        )
    elif found.n_deviations and found.share <= _NEAR and not by_user.holds:
        taken = "a feature of the item" if by_item.holds else "the query's, so that new items cannot have it"
        values = rows.column(position)
        one, other = (values[row : row + 1].tolist()[0] for row in (found.first, found.usual))
        warn(
            f"Column {name} is the same in all rows of an item, but for {found.n_deviations} of {found.n_rows} rows: "
            f"row {found.first} has {one!r}, and row {found.usual}, of the same item, {other!r}. It is taken for "
            f"{taken}. Correct these rows, or say which it is: name all features of the item in item_features=, with "
            f"{name} or without."
        )


def _joined(names: Sequence[str]) -> str:
    shown = [*names[:5], *([f"{len(names) - 5} more"] if len(names) > 5 else [])]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
