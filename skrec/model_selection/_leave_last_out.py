"""Hold out the last events of every user."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator

from skrec._data import as_rows, resolve_roles


class LeaveLastOut(BaseCrossValidator):
    """Hold out the last `n` events of each user; all earlier ones are for training.

    The usual split for next-item recommendation ("leave one out"). It makes one split, so that scikit-learn's
    searches and ``cross_validate`` fit once per candidate.

    Parameters
    ----------
    n : int, default=1
        Number of events of each user in the test set. Users with `n` events or fewer stay in the training set whole.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
    time : str, int or None, default=None
        Column of the time: numbers or dates. None: ``"timestamp"`` if there is one. Without it, and among events of
        one time, the order of the rows within a user is the order of time.

    See Also
    --------
    skrec.metrics.make_ranking_scorer : Scorers for the rows held out.

    Notes
    -----
    An event of one user may be held out while later events of others are trained on. Where that matters, split at a
    date.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import LeaveLastOut
    >>> X = pd.DataFrame({"user_id": ["ana", "bo", "ana", "ana"], "timestamp": [30, 5, 10, 20]})
    >>> splitter = LeaveLastOut()
    >>> train, test = next(splitter.split(X))
    >>> train, test
    (array([1, 2, 3]), array([0]))
    >>> splitter
    LeaveLastOut(n=1, time=None, user=None)
    """

    # With metadata routing on, groups reach split as they do for GroupKFold.
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, n: int = 1, *, user: str | int | None = None, time: str | int | None = None) -> None:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1, got {n!r}: it is how many events are held out.")
        self.n: int = n
        self.user: str | int | None = user
        self.time: str | int | None = time

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the one split.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            One row an event: a pandas or polars DataFrame or an array, with the columns of the user and the time.
        y : ignored
            Present for scikit-learn's convention.
        groups : array-like of shape (n_rows,) or None, default=None
            User of each row, instead of the column of `X`.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Sorted positions of the rows to train on.
        test : ndarray of shape (n_test,)
            Sorted positions of the rows held out.

        Raises
        ------
        ColumnError
            If a column is not in `X`.
        ValueError
            If a user or a time is missing, or no user has more than `n` events.
        """
        del y
        rows = as_rows(X)
        roles = resolve_roles(rows, user=self.user, time=self.time, required=() if groups is not None else ("user",))
        if groups is None:
            users, label = rows.column(roles.user), f"column {rows.label(roles.user)}"
        else:
            users, label = pd.Index(groups), "groups"
            if len(users) != rows.n_rows:
                raise ValueError(
                    f"groups has {len(users)} entries, but X has {rows.n_rows} rows: pass one for each row."
                )
        codes = pd.factorize(users)[0]
        if (codes < 0).any():
            raise ValueError(
                f"The user is missing (None or NaN) in row {int(np.argmax(codes < 0))} of {label}: drop it."
            )
        order = np.lexsort((codes,) if roles.time is None else (rows.times(roles.time), codes))
        counts = np.bincount(codes)
        from_end = np.repeat(np.cumsum(counts), counts) - np.arange(len(codes))
        held_out = np.zeros(len(codes), dtype=bool)
        held_out[order] = (from_end <= self.n) & np.repeat(counts > self.n, counts)
        if not held_out.any():
            raise ValueError(
                f"No user has more than n={self.n} events (the longest history has {counts.max()}): there is nothing "
                f"to hold out. Lower n, or check that the users of {label} are the right ones."
            )
        yield np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits, which is 1.

        Parameters
        ----------
        X, y, groups : ignored
            Present for scikit-learn's convention.

        Returns
        -------
        int

        Examples
        --------
        >>> from skrec.model_selection import LeaveLastOut
        >>> LeaveLastOut(n=2).get_n_splits()
        1
        """
        del X, y, groups
        return 1
