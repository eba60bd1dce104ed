"""Find the user, item and time columns of ``X``, and the columns that a parameter lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrec._data.tables.matrices import HOW_TO_TURN_INTO_EVENTS, is_matrix, refuse_matrix
from skrec._data.tables.spelling import closest
from skrec._data.tables.table import Rows
from skrec.exceptions import ColumnError

__all__ = ["ABSENT", "Roles", "column_positions", "resolve_roles", "role_position"]

ABSENT = -1
"""The position of a user or item column that is absent and was not required."""

_DEFAULT_NAMES = {"user": "user_id", "item": "item_id", "time": "timestamp"}
_DEFAULT_POSITIONS = {"user": 0, "item": 1}


@dataclass(frozen=True)
class Roles:
    """The positions of the columns that have a role.

    Parameters
    ----------
    user, item : int
        Positions of the user and item columns; ``ABSENT`` if there is none and none was required.
    time : int or None
        Position of the time column; None if there is none.
    names : tuple of str or None
        The names of all columns; None if the table has none.

    Examples
    --------
    >>> from skrec._data.tables.roles import Roles
    >>> Roles(user=0, item=1, time=None, names=None).user_name
    'user_id'
    >>> Roles(user=0, item=1, time=None, names=("customer", "sku")).item_name
    'sku'
    """

    user: int
    item: int
    time: int | None = None
    names: tuple[str, ...] | None = None

    @property
    def user_name(self) -> str:
        """Name of the user column; ``"user_id"`` where the table has no names."""
        return self._name("user", self.user)

    @property
    def item_name(self) -> str:
        """Name of the item column; ``"item_id"`` where the table has no names."""
        return self._name("item", self.item)

    @property
    def time_name(self) -> str:
        """Name of the time column; ``"timestamp"`` where the table has no names."""
        return self._name("time", ABSENT if self.time is None else self.time)

    def _name(self, role: str, position: int) -> str:
        return _DEFAULT_NAMES[role] if self.names is None or position == ABSENT else self.names[position]


def resolve_roles(
    rows: Rows,
    *,
    user: str | int | None = None,
    item: str | int | None = None,
    time: str | int | None = None,
    required: Sequence[str] = ("user", "item"),
    looked_for: Sequence[str] = ("user", "item", "time"),
) -> Roles:
    """Find the user, item and time columns of a table.

    If a role is None, its usual name (``"user_id"``, ``"item_id"``, ``"timestamp"``) is used if the columns have names.
    Otherwise the user is column 0, the item is column 1, and there is no time. A name also matches the only column that
    ends in ``"__" + name``, as in the output of a ``ColumnTransformer``. Positions are always accepted.

    Parameters
    ----------
    rows : Rows
        The table.
    user, item, time : str, int or None, default=None
        Name or position of the column.
    required : sequence of str, default=("user", "item")
        The roles that must be found. Other roles may be absent, unless they were given.
    looked_for : sequence of str, default=("user", "item", "time")
        The roles whose usual names are used if they are None. Other roles are absent if they are None.

    Returns
    -------
    Roles

    Raises
    ------
    ColumnError
        If a role that is given or required has no column, or more than one, or if two roles have the same one; or if
        the rows are a user-item matrix, whose first columns would be taken as the user and the item.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.roles import resolve_roles
    >>> from skrec._data.tables.table import as_rows
    >>> resolve_roles(as_rows(pd.DataFrame({"item_id": [1], "user_id": [2]})))
    Roles(user=1, item=0, time=None, names=('item_id', 'user_id'))
    >>> resolve_roles(as_rows(pd.DataFrame({"userid": [2], "item_id": [1]})))
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: X has no column 'user_id' for the user; its columns are 'userid' and 'item_id'. \
Did you mean 'userid'? Pass user='userid', or rename the column.
    """
    given = {"user": user, "item": item, "time": time}
    if "user" in required and rows.names is None and all(spec is None for spec in given.values()):
        refuse_matrix(rows.table, rows.n_columns, rows.name)
    found: dict[str, int | None] = {}
    for role, spec in sorted(given.items(), key=lambda pair: pair[1] is None and pair[0] not in required):
        if spec is None and role not in looked_for:
            found[role] = None
            continue
        position = _by_name(rows, role, spec) if rows.names is not None else _by_position(rows, role, spec)
        wanted = spec is not None or role in required
        if position is None and wanted:
            raise _missing(rows, role, spec)
        other = next((r for r, p in found.items() if p is not None and p == position), None)
        if other is not None and wanted:
            raise ColumnError(
                f"{other} and {role} are the same column, {rows.label(position or 0)}: "
                f"each role needs a column of its own. Pass {role}= or {other}= to say which."
            )
        found[role] = position if other is None else None
    user_position, item_position = (ABSENT if p is None else p for p in (found["user"], found["item"]))
    return Roles(user=user_position, item=item_position, time=found["time"], names=rows.names)


def role_position(rows: Rows, roles: Roles, role: str, cure: str = "Add it.") -> int:
    """Return where a table has the column that had a role in ``fit``; other columns may be missing or in another order.

    Parameters
    ----------
    rows : Rows
        A later table.
    roles : Roles
        Those of the table of ``fit``, with a column for the role.
    role : {"user", "item", "time"}
    cure : str, default="Add it."
        What the error message suggests where no name is like the missing one.

    Returns
    -------
    int
        Found by name; by position if one of the tables has no column names.

    Raises
    ------
    ColumnError
        If the table lacks the column.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.roles import Roles, role_position
    >>> from skrec._data.tables.table import as_rows
    >>> roles = Roles(user=0, item=1, names=("user_id", "item_id", "price"))
    >>> role_position(as_rows(pd.DataFrame({"item_id": [1], "user_id": [2]})), roles, "user")
    1
    """
    position: int = getattr(roles, role)
    if rows.names is None or roles.names is None:
        if position >= rows.n_columns:
            raise ColumnError(
                f"The {role} was column {position} in fit, but there are only {rows.n_columns} columns here."
            )
        return position
    name = roles.names[position]
    if name not in rows.names:
        close = closest(name, rows.names)
        raise ColumnError(
            f"There is no column {name!r}, the {role} in fit; the columns are {', '.join(map(repr, rows.names))}. "
            f"{f'Did you mean {close!r}? Rename it.' if close else cure}"
        )
    return rows.names.index(name)


def column_positions(rows: Rows, columns: Iterable[Any], *, parameter: str) -> list[int]:
    """Return the positions of the columns that a parameter lists.

    As for roles, a name also stands for the one column that ends in ``"__" + name``.

    Parameters
    ----------
    rows : Rows
        The table.
    columns : iterable of str or int, or boolean mask of shape (n_columns,)
        Names and positions of columns, or which columns are meant.
    parameter : str
        Name of the parameter in error messages.

    Returns
    -------
    list of int
        The positions in the given order, without duplicates.

    Raises
    ------
    ColumnError
        If a column does not exist or is ambiguous, or if the length of a mask differs from the number of columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.roles import column_positions
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"age": [30], "city": ["Bern"]}))
    >>> column_positions(rows, ["city", 0], parameter="categorical_features")
    [1, 0]
    >>> column_positions(rows, [False, True], parameter="categorical_features")
    [1]
    >>> column_positions(rows, ["town", "ciy"], parameter="categorical_features")
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: categorical_features has 'town', which is not a column of X; its columns are \
'age' and 'city'.
    """
    if isinstance(columns, (str, int)):
        raise ColumnError(f"{parameter} has to be a list of columns: pass {parameter}=[{columns!r}].")
    specs = list(columns)
    if specs and all(isinstance(spec, (bool, np.bool_)) for spec in specs):
        if len(specs) != rows.n_columns:
            raise ColumnError(
                f"{parameter} is a mask of {len(specs)} column(s), but X has {rows.n_columns}: "
                "give one True or False for each column of X, or a list of names or positions."
            )
        return np.flatnonzero(specs).tolist()
    known = {name: position for position, name in enumerate(rows.names or ())}
    return list(dict.fromkeys(known[s] if s in known else column_position(rows, s, parameter=parameter) for s in specs))


def column_position(rows: Rows, spec: Any, *, parameter: str) -> int:
    """Return the position of a column.

    Parameters
    ----------
    rows : Rows
        The table.
    spec : str or int
        Name or position of the column. The name may lack the prefix that a ``ColumnTransformer`` adds.
    parameter : str
        Name of the parameter in error messages.

    Returns
    -------
    int

    Raises
    ------
    ColumnError
        If the column does not exist or is ambiguous.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec._data.tables.roles import column_position
    >>> from skrec._data.tables.table import as_rows
    >>> rows = as_rows(pd.DataFrame({"remainder__age": [30], "city": ["Bern"]}))
    >>> column_position(rows, "age", parameter="crosses"), column_position(rows, 1, parameter="crosses")
    (0, 1)
    """
    if isinstance(spec, (int, np.integer)) and not isinstance(spec, bool):
        if not 0 <= spec < rows.n_columns:
            raise ColumnError(
                f"{parameter} has {spec}, which is not a position in X: it has {rows.n_columns} column(s), from 0 to "
                f"{rows.n_columns - 1}."
            )
        return int(spec)
    if not isinstance(spec, str):
        raise ColumnError(f"{parameter} has {spec!r}, which is neither a column name nor a position.")
    if rows.names is None:
        raise ColumnError(
            f"{parameter} has the column name {spec!r}, but X has no column names. Pass a DataFrame (in a Pipeline, "
            "call set_output(transform='pandas') on the steps before), or give positions."
        )
    if spec in rows.names:
        return rows.names.index(spec)
    matches = [position for position, label in enumerate(rows.names) if label.endswith(f"__{spec}")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise ColumnError(
            f"{parameter} has {spec!r}, which is not a column of X, but several columns end in it: "
            f"{_listed([rows.names[position] for position in matches])}. Pass the full name of one of them."
        )
    guess = closest(spec, rows.names)
    hint = "" if guess is None else f" Did you mean {guess!r}?"
    raise ColumnError(
        f"{parameter} has {spec!r}, which is not a column of X; its columns are {_listed(rows.names)}.{hint}"
    )


def _by_name(rows: Rows, role: str, spec: str | int | None) -> int | None:
    assert rows.names is not None
    if spec is not None and not isinstance(spec, str):
        return _by_position(rows, role, spec)
    name = _DEFAULT_NAMES[role] if spec is None else spec
    if name in rows.names:
        return rows.names.index(name)
    matches = [position for position, label in enumerate(rows.names) if label.endswith(f"__{name}")]
    if len(matches) > 1:
        raise ColumnError(
            f"X has no column {name!r} for the {role}, but more than one that ends in it: "
            f"{_listed([rows.names[position] for position in matches])}. "
            f"Say which, for instance {role}={rows.names[matches[0]]!r}."
        )
    return matches[0] if matches else None


def _by_position(rows: Rows, role: str, spec: str | int | None) -> int | None:
    if isinstance(spec, str):
        raise ColumnError(
            f"{role}={spec!r} is a column name, but X has no column names. Pass a DataFrame (in a Pipeline, "
            f"call set_output(transform='pandas') on the steps before), or give a position, "
            f"for instance {role}={_DEFAULT_POSITIONS.get(role, 2)}."
        )
    if spec is None:
        position = _DEFAULT_POSITIONS.get(role)
        return position if position is not None and position < rows.n_columns else None
    if isinstance(spec, bool) or not isinstance(spec, (int, np.integer)):
        raise ColumnError(f"{role}={spec!r} is neither a column name nor a position.")
    if not 0 <= spec < rows.n_columns:
        raise ColumnError(
            f"{role}={spec} is not a position in X, which has {rows.n_columns} column(s), from 0 to "
            f"{rows.n_columns - 1}."
        )
    return int(spec)


def _missing(rows: Rows, role: str, spec: str | int | None) -> ColumnError:
    if rows.names is None and role not in _DEFAULT_POSITIONS:
        return ColumnError(
            f"X has no column names, so that the position of the {role} has to be given. Pass {role}= with it, for "
            f"instance {role}=2, or pass a DataFrame."
        )
    if rows.names is None:
        return ColumnError(
            f"X has {rows.n_columns} feature(s), and so no column {_DEFAULT_POSITIONS[role]} for the {role}. "
            f"Pass X with at least {_DEFAULT_POSITIONS[role] + 1} columns, or {role}= with the position of its column."
        )
    name = str(_DEFAULT_NAMES[role] if spec is None else spec)
    guess = closest(name, rows.names)
    cure = (
        f"Pass {role}= with the name of the column that holds it."
        if guess is None
        else f"Did you mean {guess!r}? Pass {role}={guess!r}, or rename the column."
    )
    if is_matrix(rows.table, rows.n_columns):
        cure += f" If X is a user-item matrix: {HOW_TO_TURN_INTO_EVENTS}."
    return ColumnError(f"X has no column {name!r} for the {role}; its columns are {_listed(rows.names)}. {cure}")


def _listed(names: Sequence[str], limit: int = 20) -> str:
    shown = [repr(name) for name in names[:limit]]
    if len(names) > limit:
        shown.append(f"{len(names) - limit} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
