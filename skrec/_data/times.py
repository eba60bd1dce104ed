"""Doubts about times: a column of them that nobody uses, and codes in place of them."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.roles import Roles
from skrec._data.table import Rows

__all__ = ["are_codes", "doubt_codes", "doubt_order"]

_TIME_NAMES = re.compile(r"time|date|stamp|(^|_)ts($|_)", re.IGNORECASE)
_UNIX_1973 = 10**8  # in seconds


def are_codes(times: NDArray[Any]) -> bool:
    """Whether times are the integers 1 to n, each there at least once: what an encoder of ids makes of a column.

    Parameters
    ----------
    times : ndarray of shape (n_rows,)
        As :meth:`skrec._data.table.Rows.times` returns them.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.times import are_codes
    >>> are_codes(np.array([2, 1, 3, 1])), are_codes(np.array([2, 4]))
    (True, False)
    """
    if not len(times) or times.min() != 1 or times.max() > len(times):
        return False
    whole = times.astype(np.int64)
    return bool((whole == times).all() and np.bincount(whole)[1:].all())


def doubt_codes(times: NDArray[Any] | None, name: str) -> None:
    """Warn of rows at time 0, where the times of ``fit`` were 1 to n: a new time is an unknown id to an encoder.

    Parameters
    ----------
    times : ndarray of shape (n_rows,) or None
        Times of rows; None: they have none.
    name : str
        What the warning calls the column.

    Warns
    -----
    UserWarning

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrec._data.times import doubt_codes
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     doubt_codes(np.array([3, 0, 2]), "timestamp")
    >>> str(told[0].message)[:33]
    '1 of 3 row(s) have the time 0, be'
    """
    n_rows = 0 if times is None else int((times == 0).sum())
    if times is None or not n_rows:
        return
    warnings.warn(
        f"{n_rows} of {len(times)} row(s) have the time 0, before all times of fit, and so no past. Those of fit were "
        "1, 2, 3, ... without a gap, as an encoder of ids makes them, to which a new time is an unknown id, 0. Have it "
        f"pass the time through: IDEncoder(time={name!r}).",
        stacklevel=3,
    )


def doubt_order(rows: Rows, roles: Roles, users: NDArray[np.int32], items: NDArray[np.int32]) -> None:
    """Warn if the times leave no row a past, or if the order of the rows stands for it, though there are dates.

    Times tell no order if they are the same in all rows of every user, where some have several. Numbers are taken for
    dates if the name of their column says so and all could be Unix times, of 1973 or later. Dates that are always the
    same for a user, or for an item, are no times of events.

    Parameters
    ----------
    rows : Rows
    roles : Roles
        Those of `rows`.
    users, items : ndarray of shape (n_rows,), int32
        Codes of the rows.

    Warns
    -----
    UserWarning
    """
    if roles.time is not None:
        if users.max(initial=0) < len(users) and not _varies_within(users, rows.times(roles.time)):
            warnings.warn(
                f"All rows of a user have one and the same time in column {rows.label(roles.time)}, for every user, so "
                "that none of them has a past. Pass a finer time, or leave the column out, so that the order of a "
                "user's rows counts.",
                stacklevel=3,
            )
        return
    if rows.names is None:
        return
    for position, name in enumerate(rows.names):
        held = "dates" if _holds_dates(rows.raw(position)) else None
        if held is None and _TIME_NAMES.search(name) and _are_unix_times(rows.column(position)):
            held = "what look like Unix times"
        if held is None:
            continue
        dates = rows.column(position)
        if _varies_within(users, dates) and _varies_within(items, dates):
            warnings.warn(
                f"No column is the time, so that the order of a user's rows stands for it; but {name!r} holds {held}. "
                f"If they tell when the events were, pass time={name!r} (to this estimator too, where a transformer "
                "before it has been told).",
                stacklevel=3,
            )
            return


def _are_unix_times(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iuf" and bool((values >= _UNIX_1973).all())


def _holds_dates(column: Any) -> bool:
    if type(column).__module__.partition(".")[0] == "polars":
        return str(column.dtype.base_type()) in {"Date", "Datetime"}
    return getattr(column.dtype, "kind", "O") == "M"


def _varies_within(codes: NDArray[np.int32], values: NDArray[Any]) -> bool:
    order = np.argsort(codes, kind="stable")
    codes, values = codes[order], values[order]
    return bool(((codes[1:] == codes[:-1]) & (values[1:] != values[:-1])).any())
