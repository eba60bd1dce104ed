"""A splitter that holds out a part of each user's rows in each fold."""

from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from skrec.model_selection._base import Cold, EventKFold
from skrec.model_selection._events import Events, Mask, Positions


class DealtKFold(EventKFold):
    """Base class of splitters that distribute the rows of each user over the folds."""

    _roles_with_others: ClassVar[tuple[str, ...]] = ("user",)
    """The roles in which a test row's id must also have other rows."""

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = True,
        random_state: Any = None,
        user: str | int | None = None,
        item: str | int | None = None,
        time: str | int | None = None,
        cold: Cold = "keep",
    ) -> None:
        super().__init__(
            n_splits, shuffle=shuffle, random_state=random_state, user=user, item=item, time=time, cold=cold
        )

    def _deal(self, events: Events) -> Positions:
        dealt = np.ones(len(events), dtype=np.bool_)
        for role in self._roles_with_others:
            ids = events.ids(role)
            dealt &= ids.counts[ids.codes] > 1
        folds = self._deal_users(events, dealt)
        sizes = np.bincount(folds[folds >= 0], minlength=self.n_splits)
        if not sizes.all():
            raise ValueError(
                f"n_splits={self.n_splits} leaves a fold without a test row: only {dealt.sum()} row(s) have a "
                f"{' and '.join(self._roles_with_others)} with other rows and can be tested. Lower n_splits, or "
                f"check that {' and '.join(map(events.label, self._roles_with_others))} hold the right ids."
            )
        return folds

    def _deal_users(self, events: Events, dealt: Mask) -> Positions:
        """Deal out the rows user by user: sizes of folds and of a user's parts in them differ by one row at most."""
        users = events.users.codes
        if self.shuffle:
            rng = check_random_state(self.random_state)
            rank = rng.permutation(len(events.users.counts))
            order = np.lexsort((rng.permutation(len(events)), rank[users]))
        else:
            order = events.order_within_users()
        order = order[dealt[order]]
        turns = np.arange(len(order)) % self.n_splits
        if not self.shuffle:  # the same folds, but the earlier rows of a user get the earlier ones
            turns = turns[np.lexsort((turns, users[order]))]
        folds = np.full(len(events), -1, dtype=np.intp)
        folds[order] = turns
        return folds


class WithinUserKFold(DealtKFold):
    """K-fold within each user: every fold holds out a part of the rows of each user.

    This measures how well a model serves users whose other events it has seen. The rows of a user are distributed over
    the folds as evenly as possible. Rows of users with only one row are always in the training part. All other rows are
    in the test part once, so that every test user is in the training part. Users with fewer rows than folds are not in
    every test part.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        If True, distribute the rows of a user at random. If False, each fold gets a part that is contiguous in time,
        the first fold the earliest.
    random_state : int, RandomState instance or None, default=None
        Used if ``shuffle=True``. Pass an int for the same folds in every call.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names. Only
        ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"`` if there is one.
        Without a time column, and among events with equal times, a user's rows are taken to be in order of time. Only
        ``shuffle=False`` and :meth:`fold_report` read the times.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose item does not occur in the training rows. Dropped rows are in neither
        part.

    See Also
    --------
    WarmKFold : Every test item is in the training part as well.
    LeaveLastOut : Holds out only the last events, so that no later event of a user is in the training part.

    Notes
    -----
    If every user has two rows or more, the test parts are a partition of the rows, as ``cross_val_predict`` requires.

    Events later than the held-out events are used for training. If that matters, use :class:`TemporalSplit`.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import WithinUserKFold
    >>> X = pd.DataFrame({"user_id": ["ana", "bo", "ana", "ana", "ana"], "timestamp": [4, 9, 1, 3, 2]})
    >>> for train, test in WithinUserKFold(n_splits=2, shuffle=False).split(X):
    ...     print(train, test)
    [0 1 3] [2 4]
    [1 2 4] [0 3]
    """
