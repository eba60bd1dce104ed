"""Folds without cold starts."""

from typing import ClassVar

import numpy as np

from skrec.model_selection._events import Events, Ids, Mask, Positions
from skrec.model_selection._within_user import DealtKFold


class WarmKFold(DealtKFold):
    """K-fold in which every test user and every test item is in the training part.

    It tells how well a model ranks what it knows, without cold starts. The rows of each user are dealt over the folds
    as by :class:`WithinUserKFold`; where that puts all rows of an item in one fold, one of them goes to another fold.

    These rows are always in the training part: those whose user or item has no other row. All others are in the test
    part once. With ``n_splits=2`` there may be no other fold for a row, as it would then hold all rows of the user: one
    row of such an item is always in the training part, too. These are few, unless most users and items have just two
    rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        True: chance deals the rows of a user. False: each fold gets a part that is contiguous in time, the first fold
        the earliest, up to the rows that change folds for their item's sake.
    random_state : int, RandomState instance or None, default=None
        For ``shuffle=True``: an int makes the folds the same in every call.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
    item : str, int or None, default=None
        Column of the item. None: ``"item_id"``, or column 1.
    time : str, int or None, default=None
        Column of the time: numbers or dates. None: ``"timestamp"`` if there is one. Without it, and among events of
        one time, the order of the rows within a user is the order of time. Only ``shuffle=False`` and
        :meth:`fold_report` read it.
    cold : {"keep", "drop"}, default="keep"
        As for the other splitters; no test row is cold here.

    See Also
    --------
    WithinUserKFold : Every test user is in training; items need not be.
    ColdUserKFold, ColdItemKFold : No test user, or no test item, is in training.

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
    """Change folds, in place, until no item has all its rows in one fold, and no user is brought to that."""
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
    """Return the rows of each item that has all of them in one and the same fold."""
    first = np.unique(items.codes, return_index=True)[1]
    beside_first = np.bincount(items.codes, weights=folds == folds[first][items.codes])
    whole = (beside_first == items.counts) & (folds[first] >= 0)
    rows = np.flatnonzero(whole[items.codes])
    rows = rows[np.argsort(items.codes[rows], kind="stable")]
    return np.split(rows, np.cumsum(items.counts[whole])[:-1]) if len(rows) else []


def _other_fold(by_fold: list[int], fold: int) -> int:
    """Return the fold to which a user's row can go from `fold`, that with the fewest of the user's rows; -1 if none.

    It must not be the only one in which the user then has rows.
    """
    rest = list(by_fold)
    rest[fold] -= 1
    taken = [other for other, n_rows in enumerate(rest) if n_rows]
    n_splits = len(rest) - 1
    others = ((fold + step) % n_splits for step in range(1, n_splits))
    return min((other for other in others if taken != [other]), key=rest.__getitem__, default=-1)
