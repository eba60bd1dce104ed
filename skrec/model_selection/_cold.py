"""Splitters that hold out whole users or whole items, which are then new to the model."""

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
                f"n_splits={self.n_splits} needs at least one {self._held_out} per fold, but "
                f"{events.label(self._held_out)} holds {len(ids.counts)}. Lower n_splits, or check that it is the "
                "right column."
            )
        folds = np.empty(len(events), dtype=np.intp)
        splitter = GroupKFold(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        for fold, (_, test) in enumerate(splitter.split(ids.codes, groups=ids.codes)):
            folds[test] = fold
        return folds


class ColdUserKFold(_ColdKFold):
    """K-fold over users: all rows of a test user are in the test part, so that test users are new to the model.

    This measures how well a model serves users it has never seen, by their features or as unknown users. The test
    parts are a partition of the rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        If False, distribute the users so that the folds have about the same number of rows. If True, distribute them
        at random, so that the folds have about the same number of users.
    random_state : int, RandomState instance or None, default=None
        Used if ``shuffle=True``. Pass an int for the same folds in every call.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names. Only
        ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Name or position of the time column. If None, ``"timestamp"`` if there is one. Only :meth:`fold_report` reads
        it.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose item does not occur in the training rows. Dropped rows are in neither
        part. The users are cold by design.

    See Also
    --------
    ColdItemKFold : K-fold over items.
    sklearn.model_selection.GroupKFold : The splitter that distributes the users.

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
    """K-fold over items: all rows of a test item are in the test part, so that test items are new to the model.

    This measures how well a model finds items that no user has chosen yet, by their features. The test parts are a
    partition of the rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        If False, distribute the items so that the folds have about the same number of rows. If True, distribute them
        at random, so that the folds have about the same number of items.
    random_state : int, RandomState instance or None, default=None
        Used if ``shuffle=True``. Pass an int for the same folds in every call.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
        Only ``cold="drop"`` and :meth:`fold_report` need it.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names.
    time : str, int or None, default=None
        Name or position of the time column. If None, ``"timestamp"`` if there is one. Only :meth:`fold_report` reads
        it.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose user does not occur in the training rows. Dropped rows are in neither
        part. The items are cold by design.

    See Also
    --------
    ColdUserKFold : K-fold over users.
    sklearn.model_selection.GroupKFold : The splitter that distributes the items.

    Notes
    -----
    With ``protocol="full"`` in :func:`skrec.metrics.make_ranking_scorer`, the held-out items are not in the catalogue,
    so each of them counts as a miss, and a warning is given. Use a model of the features of items, such as
    :class:`~skrec.models.ContentRanker`, and score predictions of labels, use ``protocol="rerank"``, or rank the
    held-out items with a scorer of your own, as in "New items" in the user guide.

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
