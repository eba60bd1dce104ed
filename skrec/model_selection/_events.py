"""Read the events of a table for the splitters."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import ABSENT, as_rows, resolve_roles
from skrec._data.ids.values import unhashable
from skrec._data.tables.columns import Column
from skrec._data.tables.time_checks import warn_unused_times

Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]


class Ids(NamedTuple):
    """Users or items of the rows: the code of each row, from 0, and the number of rows of each code."""

    codes: Positions
    counts: NDArray[np.intp]

    def seen(self, rows: Mask) -> Mask:
        """Return for each code whether it occurs in the given rows."""
        seen = np.zeros(len(self.counts), dtype=np.bool_)
        seen[self.codes[rows]] = True
        return seen


class Events:
    """The users, items and times of a table, each read on first access.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
    groups : array-like of shape (n_rows,) or None
        The user of each row, used instead of the user column of `X`.
    user, item, time : str, int or None
        The columns, as passed to the splitter.
    required : sequence of str
        The roles whose column must be present.

    Raises
    ------
    ColumnError
        If a column is not in `X`.
    ValueError
        If `groups` and `X` differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection._events import Events
    >>> X = pd.DataFrame({"user_id": ["bo", "ana", "bo"], "timestamp": [3, 2, 1]})
    >>> events = Events(X, None, user=None, item=None, time=None, required=["user"])
    >>> events.users
    Ids(codes=array([0, 1, 0]), counts=array([2, 1]))
    >>> events.order_within_users()
    array([2, 0, 1])
    """

    def __init__(
        self,
        X: Any,
        groups: Any,
        *,
        user: str | int | None,
        item: str | int | None,
        time: str | int | None,
        required: Sequence[str],
    ) -> None:
        self.rows = as_rows(X)
        needed = [role for role in required if role != "user" or groups is None]
        self.roles = resolve_roles(self.rows, user=user, item=item, time=time, required=needed)
        self._groups = None if groups is None else pd.Index(groups)
        if self._groups is not None and len(self._groups) != len(self):
            raise ValueError(
                f"groups has {len(self._groups)} entries, but X has {len(self)} rows: pass one for each row."
            )

    def __len__(self) -> int:
        return self.rows.n_rows

    @cached_property
    def users(self) -> Ids:
        """The users: `groups` if given, else the user column."""
        return self._ids("user", self.rows.column(self.roles.user) if self._groups is None else self._groups)

    @cached_property
    def items(self) -> Ids:
        """The items."""
        return self._ids("item", self.rows.column(self.roles.item))

    def ids(self, role: str) -> Ids:
        """Return the users or the items.

        Parameters
        ----------
        role : {"user", "item"}

        Returns
        -------
        Ids
        """
        return self.users if role == "user" else self.items

    @property
    def have_times(self) -> bool:
        """Whether there is a time column."""
        return self.roles.time is not None

    @cached_property
    def times(self) -> Column:
        """The times as numbers in the same order, if there is a time column."""
        return self.rows.times(self._position("time"))

    @property
    def raw_times(self) -> Any:
        """The time column as the table holds it."""
        return self.rows.raw(self._position("time"))

    @property
    def time_kind(self) -> str:
        """The kind of the times: ``"numbers"``, ``"dates"`` or ``"durations"``."""
        return self.rows.time_kind(self._position("time"))

    def label(self, role: str) -> str:
        """Return the name of a role's column for error messages, or ``groups`` if the users come from `groups`.

        Parameters
        ----------
        role : {"user", "item", "time"}

        Returns
        -------
        str
        """
        if role == "user" and self._groups is not None:
            return "groups"
        return f"{'the time ' * (role == 'time')}column {self.rows.label(self._position(role))}"

    def order_within_users(self) -> Positions:
        """Return the rows sorted by user, then by time. Rows keep their order if times tie or are absent.

        Returns
        -------
        ndarray of shape (n_rows,), int

        Warns
        -----
        UserWarning
            If there is no time column, but another column probably holds the times of the events.
        """
        codes = self.users.codes
        if self.have_times:
            return np.lexsort((self.times, codes))
        items = None
        if self.roles.item != ABSENT:
            with suppress(TypeError, ValueError):  # item ids are not needed here and may be missing
                items = self.items.codes
        warn_unused_times(self.rows, self.roles, codes, items)
        return np.argsort(codes, kind="stable")

    def _position(self, role: str) -> int:
        position: int = getattr(self.roles, role)
        return position

    def _ids(self, role: str, values: Any) -> Ids:
        try:
            codes, distinct = pd.factorize(values)
        except TypeError as error:
            name = self.roles.user_name if role == "user" else self.roles.item_name
            where = "groups" if self.label(role) == "groups" else None
            raise unhashable(values, name, where) from error
        missing = codes < 0
        if missing.any():
            raise ValueError(
                f"The {role} is missing (None or NaN) in row {int(np.argmax(missing))} of {self.label(role)}: drop it."
            )
        return Ids(codes, np.bincount(codes, minlength=len(distinct)))
