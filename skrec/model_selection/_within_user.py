"""Parts of each user's rows in turn."""

from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from skrec.model_selection._base import Cold, EventKFold
from skrec.model_selection._events import Events, Mask, Positions


class DealtKFold(EventKFold):
    """Base class of splitters that deal the rows of each user over the folds."""

    _roles_with_others: ClassVar[tuple[str, ...]] = ("user",)
    """The roles of whose ids a row must not be the only one, to be in a test part."""

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
                f"n_splits={self.n_splits} leaves a fold without a test row, as only {dealt.sum()} row(s) can be "
                f"tested: those whose {' and '.join(self._roles_with_others)} have other rows. Lower n_splits, or "
                f"check that {' and '.join(map(events.label, self._roles_with_others))} hold the right ids."
            )
        return folds

    def _deal_users(self, events: Events, dealt: Mask) -> Positions:
        """Deal the rows one by one, user after user: folds and the parts of a user are even to within one row."""
        users = events.users.codes
        if self.shuffle:
            rng = check_random_state(self.random_state)
            rank = rng.permutation(len(events.users.counts))
            order = np.lexsort((rng.permutation(len(events)), rank[users]))
        else:
            order = events.order_within_users()
        order = order[dealt[order]]
        turns = np.arange(len(order)) % self.n_splits
        if not self.shuffle:  # The same turns, but the earlier rows of a user get the earlier folds.
            turns = turns[np.lexsort((turns, users[order]))]
        folds = np.full(len(events), -1, dtype=np.intp)
        folds[order] = turns
        return folds


class WithinUserKFold(DealtKFold):
    """K-fold within each user: every fold holds out a part of the rows of each user.

    It tells how well a model knows users of whom it has seen other events. The rows of a user are dealt over the folds,
    as evenly as they go. Rows of users who have one row only are always in the training part; all others are in the
    test part once, so that every test user is in training. Users with fewer rows than folds are not in every test
    part.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        True: chance deals the rows of a user. False: each fold gets a part that is contiguous in time, the first fold
        the earliest.
    random_state : int, RandomState instance or None, default=None
        For ``shuffle=True``: an int makes the folds the same in every call.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
    item : str, int or None, default=None
        Column of the item. None: ``"item_id"``, or column 1. Only ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Column of the time: numbers or dates. None: ``"timestamp"`` if there is one. Without it, and among events of
        one time, the order of the rows within a user is the order of time. Only ``shuffle=False`` and
        :meth:`fold_report` read it.
    cold : {"keep", "drop"}, default="keep"
        Whether test rows stay whose item no training row holds. "drop" leaves them out of both parts.

    See Also
    --------
    WarmKFold : Every test item is in training, too.
    LeaveLastOut : Holds out the last events alone, with nothing of a user's future in training.

    Notes
    -----
    The test parts are a partition of the rows, as ``cross_val_predict`` wants them, if every user has two rows or more.

    Events later than those held out are trained on. Where that matters, use :class:`TemporalSplit`.

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
