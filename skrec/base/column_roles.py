"""Detection of the columns that are features of the item or of the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skrec._data import Encoded, Fields, Rows
from skrec._data.features.dependence import Dependence, dependence, sampled_groups, value_codes
from skrec._warnings import warn
from skrec.base.reader import Codes

__all__ = ["ColumnRole", "decide_sides"]

_TOLERATED, _NEAR = 0.03, 0.2
"""Maximum deviations, as a fraction of those expected by chance, for a rule to hold and to nearly hold."""

_LEAST_EVIDENCE, _LEAST_SHARE = 3.0, 0.1
"""Minimum number of deviations expected by chance, and the same as a fraction of rows, to decide a role."""

_FEWEST_ROWS = 50
"""Minimum number of rows of a table to warn that too few items have two rows."""

_CURE = "Name the item features, for instance item_features=[{}], or pass item_features=None if there are none."


@dataclass(frozen=True)
class ColumnRole:
    """Role of a column, and the reason for it.

    Parameters
    ----------
    role : {"item feature", "user feature", "context"}
    reason : str
        Reason, as a phrase that can follow "because".
    """

    role: str
    reason: str


def decide_sides(
    rows: Rows,
    fields: Fields,
    encoded: Encoded,
    users: Codes,
    items: Codes,
    *,
    undecided: Literal["query", "item"] = "query",
) -> dict[int, ColumnRole]:
    """Decide from the data which columns are features of the item, and warn about unclear columns.

    A column is a feature of the item if its value is determined by the item and not by the user. Missing values and a
    small fraction of other values are tolerated, and items (or users) with a single row are ignored.

    Parameters
    ----------
    rows : Rows
        The table.
    fields, encoded : Fields, Encoded
        All feature columns, and the encoded rows. Values are equal if their encodings are.
    users, items : ndarray of shape (n_rows,), int
        Codes of the ids.
    undecided : {"query", "item"}, default="query"
        The side of columns with too little evidence, and of columns with a single value. If ``"item"``, also of columns
        that both the item and the user determine, which are features of the user otherwise.

    Returns
    -------
    dict of int to ColumnRole
        Roles by column position.

    Warns
    -----
    UserWarning
        If a column is nearly a feature of the item, or is one except for some rows; if it is determined by both the
        item and the user; or if too few items have two rows.
    """
    item_sample, user_sample = sampled_groups(items), sampled_groups(users)
    roles: dict[int, ColumnRole] = {}
    untold: list[str] = []
    for position, values in value_codes(fields, encoded):
        by_item = _Evidence.of(values, items, item_sample)
        by_user = _Evidence.of(values, users, user_sample)
        roles[position] = _decide(values, by_item, by_user, undecided)
        if by_item.is_enough:
            _warn_of_nearly(rows, position, by_item, by_user, undecided)
        elif roles[position].reason == _UNTOLD and rows.n_rows >= _FEWEST_ROWS and by_item.n_rows + by_user.n_rows:
            untold.append(rows.label(position))
    if untold:
        warn(
            f"There is too little evidence whether {_joined(untold)} belong(s) to the item or to the query: too few "
            f"items have several rows, or too few values differ. Assigned to the {undecided}. {_CURE.format(untold[0])}"
        )
    return roles


@dataclass(frozen=True)
class _Evidence:
    """Dependence of a column on groups, and whether there are enough rows to rely on it."""

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
        """Number of rows in groups of two or more."""
        return self.found.n_rows

    @property
    def holds(self) -> bool:
        """Whether the groups determine the values, except for a few deviations."""
        return self.is_enough and self.found.share <= _TOLERATED

    @property
    def is_exact(self) -> bool:
        """Whether the groups determine the values without exception."""
        return self.is_enough and not self.found.n_deviations

    def within(self, group: str) -> str:
        """Return a phrase with the number of rows that deviate from the other rows of their item or user."""
        found = self.found
        if not found.n_deviations:
            return f"the same in all rows of {group}"
        return f"different in {found.n_deviations} of {found.n_rows} rows from the other rows of {group}"


_UNTOLD = "too few items have two rows or more to decide"


def _decide(values: NDArray[Any], by_item: _Evidence, by_user: _Evidence, undecided: str) -> ColumnRole:
    follows_user = by_user.holds and not (by_item.is_exact and not by_user.is_exact)
    if undecided == "item":
        follows_user = by_user.holds and not by_item.holds
    if by_item.holds and not follows_user:
        return ColumnRole("item feature", by_item.within("an item"))
    if follows_user:
        also = ", as in those of an item" if by_item.holds else ""
        return ColumnRole("user feature", by_user.within("a user") + also)
    if by_item.is_enough:
        return ColumnRole("context", by_item.within("an item"))
    reason = "the same in all rows" if values.min() == values.max() else _UNTOLD
    return ColumnRole("item feature" if undecided == "item" else "context", reason)


def _warn_of_nearly(rows: Rows, position: int, by_item: _Evidence, by_user: _Evidence, undecided: str) -> None:
    """Warn about a column that may belong to the item or the user, or to the item except for some rows."""
    name, found = rows.label(position), by_item.found
    if by_item.holds and by_user.holds and by_item.is_exact == by_user.is_exact:
        if undecided == "item":
            return
        warn(
            f"Column {name} has the same value in all rows of an item and also in all rows of a user, so it may belong "
            f"to either. Assigned to the user. {_CURE.format(name)}"
        )
    elif found.n_deviations and found.share <= _NEAR and not by_user.holds:
        taken = "the item" if by_item.holds else "the query, so new items cannot have it"
        values = rows.column(position)
        one, other = (values[row : row + 1].tolist()[0] for row in (found.first, found.usual))
        warn(
            f"Column {name} is the same in all rows of an item, except for {found.n_deviations} of {found.n_rows} "
            f"rows: row {found.first} has {one!r}, but row {found.usual} of the same item has {other!r}. It is "
            f"assigned to {taken}. Correct these rows, or name all item features in item_features=, with or without "
            f"{name}."
        )


def _joined(names: Sequence[str]) -> str:
    shown = [*names[:5], *([f"{len(names) - 5} more"] if len(names) > 5 else [])]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
