"""A splitter without cold starts."""

from typing import ClassVar

import numpy as np

from skrec.model_selection._events import Events, Ids, Mask, Positions
from skrec.model_selection._within_user import DealtKFold


class WarmKFold(DealtKFold):
    """K-fold in which every test user and every test item is in the training part.

    This measures how well a model ranks known items for known users, without cold starts. The rows of each user are
    distributed over the folds as in :class:`WithinUserKFold`. If that puts all rows of an item into one fold, one of
    them is moved to another fold.

    Rows whose user or item has no other row are always in the training part. All other rows are in the test part once.
    With ``n_splits=2`` it may be impossible to move a row, because the other fold would then hold all rows of the user.
    One row of such an item is also always in the training part. There are few such rows, unless most users and items
    have just two rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        If True, distribute the rows of a user at random. If False, each fold gets a part that is contiguous in time,
        the first fold the earliest, except for the rows that are moved because of their item.
    random_state : int, RandomState instance or None, default=None
        Used if ``shuffle=True``. Pass an int for the same folds in every call.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"`` if there is one.
        Without a time column, and among events with equal times, a user's rows are taken to be in order of time. Only
        ``shuffle=False`` and :meth:`fold_report` read the times.
    cold : {"keep", "drop"}, default="keep"
        Present for consistency with the other splitters. No test row is cold here.

    See Also
    --------
    WithinUserKFold : Every test user is in the training part; test items need not be.
    ColdUserKFold, ColdItemKFold : No test user, or no test item, is in the training part.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import WarmKFold
    >>> X = pd.DataFrame({"user_id": ["ana", "ana", "bo", "bo"], "item_id": ["x", "y", "x", "z"]})
    >>> for train, test in WarmKFold(n_splits=2, random_state=0).split(X):  # y and z are there once
    ...     print(train, test)
    [0 1 3] [2]
    [1 2 3] [0]
    """

    _reads: ClassVar[tuple[str, ...]] = ("user", "item")
    _roles_with_others: ClassVar[tuple[str, ...]] = ("user", "item")

    def _deal_users(self, events: Events, dealt: Mask) -> Positions:
        folds = super()._deal_users(events, dealt)
        _part_items(folds, events, self.n_splits)
        return folds


def _part_items(folds: Positions, events: Events, n_splits: int) -> None:
    """Move rows between folds, in place, until no item has all its rows in one fold; no user gets into that state."""
    users = events.users.codes
    items = _rows_of_whole_items(folds, events.items)
    concerned = np.unique(users[np.concatenate([[], *items]).astype(np.intp)])
    theirs = np.flatnonzero(np.isin(users, concerned))
    held = np.zeros((len(concerned), n_splits + 1), dtype=np.intp)  # the last column, -1, is for rows never tested
    np.add.at(held, (np.searchsorted(concerned, users[theirs]), folds[theirs]), 1)
    by_fold = dict(zip(concerned.tolist(), held.tolist(), strict=True))
    for rows in items:
        options = ((row, _other_fold(by_fold[users[row]], folds[row])) for row in rows)
        row, fold = next((option for option in options if option[1] >= 0), (rows[0], -1))
        by_fold[users[row]][folds[row]] -= 1
        by_fold[users[row]][fold] += 1
        folds[row] = fold


def _rows_of_whole_items(folds: Positions, items: Ids) -> list[Positions]:
    """Return the rows of each item whose rows are all in the same fold."""
    first = np.unique(items.codes, return_index=True)[1]
    beside_first = np.bincount(items.codes, weights=folds == folds[first][items.codes])
    whole = (beside_first == items.counts) & (folds[first] >= 0)
    rows = np.flatnonzero(whole[items.codes])
    rows = rows[np.argsort(items.codes[rows], kind="stable")]
    return np.split(rows, np.cumsum(items.counts[whole])[:-1]) if len(rows) else []


def _other_fold(by_fold: list[int], fold: int) -> int:
    """Return the fold to which a user's row can move from `fold`, or -1 if there is none.

    It is the fold with the fewest rows of the user. It must not be the only fold in which the user then has rows.
    """
    rest = list(by_fold)
    rest[fold] -= 1
    taken = [other for other, n_rows in enumerate(rest) if n_rows]
    n_splits = len(rest) - 1
    others = ((fold + step) % n_splits for step in range(1, n_splits))
    return min((other for other in others if taken != [other]), key=rest.__getitem__, default=-1)
