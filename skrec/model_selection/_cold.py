"""Hold out whole users, or whole items: those that a model meets for the first time."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import GroupKFold

from skrec.model_selection._base import Cold, EventKFold
from skrec.model_selection._events import Events, Positions


class _ColdKFold(EventKFold):
    """Hold out all rows of a user or an item together, as GroupKFold does with its groups."""

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: Any = None,
        user: str | int | None = None,
        item: str | int | None = None,
        time: str | int | None = None,
        cold: Cold = "keep",
    ) -> None:
        super().__init__(
            n_splits, shuffle=shuffle, random_state=random_state, user=user, item=item, time=time, cold=cold
        )

    @property
    @abstractmethod
    def _held_out(self) -> str:
        """The role whose ids are held out."""

    def _deal(self, events: Events) -> Positions:
        ids = events.ids(self._held_out)
        if len(ids.counts) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} needs as many {self._held_out}s, to have one for each fold, but "
                f"{events.label(self._held_out)} holds {len(ids.counts)}. Lower n_splits, or check that it is the "
                "right column."
            )
        folds = np.empty(len(events), dtype=np.intp)
        splitter = GroupKFold(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        for fold, (_, test) in enumerate(splitter.split(ids.codes, groups=ids.codes)):
            folds[test] = fold
        return folds


class ColdUserKFold(_ColdKFold):
    """K-fold over users: all rows of a test user are in the test part, so that each is new to the model.

    It tells how well a model serves users it has never seen, by their features or as unknown ones. The test parts are
    a partition of the rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        False: the users are dealt so that the folds have about equally many rows. True: by chance, so that the folds
        have about equally many users.
    random_state : int, RandomState instance or None, default=None
        For ``shuffle=True``: an int makes the folds the same in every call.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
    item : str, int or None, default=None
        Column of the item. None: ``"item_id"``, or column 1. Only ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Column of the time. None: ``"timestamp"`` if there is one. Only :meth:`fold_report` reads it.
    cold : {"keep", "drop"}, default="keep"
        Whether test rows stay whose item no training row holds. "drop" leaves them out of both parts. The users are
        cold by design.

    See Also
    --------
    ColdItemKFold : The same over items.
    sklearn.model_selection.GroupKFold : Deals the users.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import ColdUserKFold
    >>> X = pd.DataFrame({"user_id": ["ana", "bo", "ana", "cy"], "item_id": [1, 1, 2, 1]})
    >>> for train, test in ColdUserKFold(n_splits=2).split(X):
    ...     print(sorted(set(X.user_id[train])), sorted(set(X.user_id[test])))
    ['bo', 'cy'] ['ana']
    ['ana'] ['bo', 'cy']
    """

    _may_be_cold: ClassVar[tuple[str, ...]] = ("item",)
    _held_out = "user"


class ColdItemKFold(_ColdKFold):
    """K-fold over items: all rows of a test item are in the test part, so that each is new to the model.

    It tells how well a model finds items that nobody has chosen yet, by their features. The test parts are a partition
    of the rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        False: the items are dealt so that the folds have about equally many rows. True: by chance, so that the folds
        have about equally many items.
    random_state : int, RandomState instance or None, default=None
        For ``shuffle=True``: an int makes the folds the same in every call.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
        Only ``cold="drop"`` and :meth:`fold_report` need it.
    item : str, int or None, default=None
        Column of the item. None: ``"item_id"``, or column 1.
    time : str, int or None, default=None
        Column of the time. None: ``"timestamp"`` if there is one. Only :meth:`fold_report` reads it.
    cold : {"keep", "drop"}, default="keep"
        Whether test rows stay whose user no training row holds. "drop" leaves them out of both parts. The items are
        cold by design.

    See Also
    --------
    ColdUserKFold : The same over users.
    sklearn.model_selection.GroupKFold : Deals the items.

    Notes
    -----
    With ``protocol="full"`` of :func:`skrec.metrics.make_ranking_scorer` the items held out are outside the catalogue,
    so that every one of them is a miss. Score predictions of labels, or use ``protocol="rerank"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import ColdItemKFold
    >>> X = pd.DataFrame({"user_id": ["ana", "bo", "ana", "cy"], "item_id": [1, 1, 2, 3]})
    >>> ColdItemKFold(n_splits=2).fold_report(X)[["test_rows", "test_items", "cold_item_share", "cold_user_share"]]
          test_rows  test_items  cold_item_share  cold_user_share
    fold
    0             2           1              1.0              0.5
    1             2           2              1.0              0.5
    """

    _reads: ClassVar[tuple[str, ...]] = ("item",)
    _may_be_cold: ClassVar[tuple[str, ...]] = ("user",)
    _held_out = "item"
