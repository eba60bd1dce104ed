"""Base classes of the splitters of events: columns by role, cold rows and the fold report."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, KFold

from skrec._data.targets.labels import check_aligned
from skrec._sklearn_compat import StrOptions, validate_parameter_constraints
from skrec.model_selection._events import Events, Mask, Positions
from skrec.model_selection._report import Fold, fold_report

Cold = Literal["keep", "drop"]


class EventSplitter(BaseCrossValidator):
    """Base class of splitters whose rows are events. Subclasses choose the training and the test rows.

    Parameters
    ----------
    user, item, time : str, int or None
        User, item and time columns, by name or position.
    cold : {"keep", "drop"}
        Whether to keep or drop test rows whose user or item does not occur in the training rows.
    """

    n_splits: int

    # With metadata routing on, groups reach split as they do for GroupKFold.
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    _reads: ClassVar[tuple[str, ...]] = ("user",)
    """The roles that the splitter needs."""
    _may_be_cold: ClassVar[tuple[str, ...]] = ("user", "item")
    """The roles that ``cold="drop"`` checks."""

    def __init__(self, *, user: str | int | None, item: str | int | None, time: str | int | None, cold: Cold) -> None:
        validate_parameter_constraints(
            {"cold": [StrOptions({"keep", "drop"})]}, {"cold": cold}, caller_name=type(self).__name__
        )
        self.user = user
        self.item = item
        self.time = time
        self.cold = cold

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the rows of each split.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            One event per row, in any order: a pandas or polars DataFrame or an array with the user, item and time
            columns.
        y : array-like of shape (n_rows,) or None, default=None
            Not used. If given, it must have one value per row; a pandas index must be in the order of that of `X`.
        groups : array-like of shape (n_rows,) or None, default=None
            The user of each row, used instead of the user column of `X`.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Sorted positions of the training rows.
        test : ndarray of shape (n_test,)
            Sorted positions of the test rows.

        Raises
        ------
        ColumnError
            If a column is not in `X`.
        TypeError
            If an id is not hashable.
        ValueError
            If a required user, item or time value is missing, if `y` or `groups` do not match the rows of `X`, or if
            the training part or the test part would be empty.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.model_selection import LeaveLastOut
        >>> X = pd.DataFrame({"user_id": [1, 1, 1, 2, 2], "item_id": [5, 6, 7, 5, 6], "timestamp": [1, 3, 2, 1, 2]})
        >>> train, test = next(LeaveLastOut().split(X))
        >>> train.tolist(), test.tolist()
        ([0, 2, 3], [1, 4])
        """
        drops = self._may_be_cold if self.cold == "drop" else ()
        events = self._read(X, groups, [*self._reads, *drops])
        check_aligned(X, {"y": y, "groups": groups})
        for train, test, _ in self._folds(events):
            yield np.flatnonzero(train), np.flatnonzero(test)

    def fold_report(self, X: Any, y: Any = None, groups: Any = None) -> pd.DataFrame:
        """Summarize the splits of a table, one row per fold.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            One event per row, with user and item columns.
        y : array-like of shape (n_rows,) or None, default=None
            Not used. If given, it must have one value per row; a pandas index must be in the order of that of `X`.
        groups : array-like of shape (n_rows,) or None, default=None
            The user of each row, used instead of the user column of `X`.

        Returns
        -------
        DataFrame of shape (n_splits, n_columns)
            Indexed by fold, from 0, with these columns:

            - ``train_rows``, ``test_rows``: numbers of rows; ``dropped_rows``: number of rows that ``cold="drop"``
              removed from the test part. All other columns describe the test part without these rows;
            - ``train_users``, ``test_users``, ``train_items``, ``test_items``: numbers of distinct ids;
            - ``cold_user_share``: share of the distinct test users who have no training row; ``cold_item_share``:
              share of the distinct test (user, item) pairs whose item has no training row. Both are defined as in
              :class:`skrec.metrics.RankingReport`;
            - if there is a time column, ``train_start``, ``train_end``, ``test_start``, ``test_end``: the first and
              the last time of each part, as in the column of `X`; ``overlap``: whether any training event is as late
              as the first test event, or later.

        Raises
        ------
        ColumnError, TypeError, ValueError
            For the same reasons as in :meth:`split`, and if there is no user or no item column.

        Notes
        -----
        With ``shuffle=True``, the report describes the folds that :meth:`split` makes only if `random_state` is an
        int. Otherwise each call of either method makes new folds.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.model_selection import LeaveLastOut
        >>> X = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": list("abac"), "timestamp": [10, 40, 20, 30]})
        >>> LeaveLastOut().fold_report(X).T
        fold                0
        train_rows          2
        test_rows           2
        dropped_rows        0
        train_users         2
        test_users          2
        train_items         1
        test_items          2
        cold_user_share   0.0
        cold_item_share   1.0
        train_start        10
        train_end          20
        test_start         30
        test_end           40
        overlap         False
        """
        events = self._read(X, groups, [*self._reads, "user", "item"])
        check_aligned(X, {"y": y, "groups": groups})
        return fold_report(events, self._folds(events))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : ignored
            Present for API consistency with scikit-learn.

        Returns
        -------
        int

        Examples
        --------
        >>> from skrec.model_selection import LeaveLastOut, WithinUserKFold
        >>> LeaveLastOut(n=2).get_n_splits(), WithinUserKFold(n_splits=3).get_n_splits()
        (1, 3)
        """
        del X, y, groups
        return self.n_splits

    @abstractmethod
    def _masks(self, events: Events) -> Iterator[tuple[Mask, Mask]]:
        """Yield the training rows and the test rows of each split."""

    def _read(self, X: Any, groups: Any, required: Sequence[str]) -> Events:
        return Events(X, groups, user=self.user, item=self.item, time=self.time, required=required)

    def _folds(self, events: Events) -> Iterator[Fold]:
        for number, (train, test) in enumerate(self._masks(events)):
            kept = self._without_cold(events, train, test) if self.cold == "drop" else test
            if not kept.any():
                raise ValueError(
                    f"All {int(test.sum())} test rows of fold {number} are cold: their "
                    f"{' and '.join(self._may_be_cold)} do not occur in the training rows, and cold='drop' removes "
                    "all of them. Pass cold='keep', or make fewer or larger folds."
                )
            yield Fold(train, kept, int(test.sum() - kept.sum()))

    def _without_cold(self, events: Events, train: Mask, test: Mask) -> Mask:
        for role in self._may_be_cold:
            ids = events.ids(role)
            test = test & ids.seen(train)[ids.codes]
        return test


class EventKFold(EventSplitter):
    """Base class of splitters that distribute the rows over folds and use each fold as the test part once.

    Parameters
    ----------
    n_splits : int
        Number of folds, at least 2.
    shuffle : bool
        Whether to distribute the rows at random.
    random_state : int, RandomState or None
        Used if ``shuffle=True``.
    user, item, time, cold
        As for EventSplitter.
    """

    def __init__(
        self,
        n_splits: int,
        *,
        shuffle: bool,
        random_state: Any,
        user: str | int | None,
        item: str | int | None,
        time: str | int | None,
        cold: Cold,
    ) -> None:
        KFold(n_splits, shuffle=shuffle, random_state=random_state)  # same parameter checks as in scikit-learn
        super().__init__(user=user, item=item, time=time, cold=cold)
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    @abstractmethod
    def _deal(self, events: Events) -> Positions:
        """Return the fold of each row, or -1 for rows that are always in training; no fold is empty."""

    def _masks(self, events: Events) -> Iterator[tuple[Mask, Mask]]:
        folds = self._deal(events)
        for fold in range(self.n_splits):
            test = folds == fold
            yield ~test, test
