"""A splitter that holds out whole users, a part of whose events is given to the model when they are scored."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from skrec._sklearn_compat import Interval, validate_parameter_constraints
from skrec.model_selection._base import Cold, EventSplitter
from skrec.model_selection._events import Events, Mask


class UserHoldout(EventSplitter):
    """Hold out whole users, and give a part of their events to the model as histories when they are scored.

    This measures "strong generalization" [1]_ [2]_: how well a model serves users that it was not fitted on, from a few
    of their events. All rows of the held-out users are in the test part. A ranking scorer with ``fold_in=`` this
    splitter passes the part ``fold_in`` of each user's rows as ``history=`` and scores the other rows.

    Parameters
    ----------
    n_splits : int, default=1
        Number of splits, each with its own random sample of held-out users.
    test_size : float or int, default=0.2
        Users to hold out: a fraction of all users, or a number. Only users with two rows or more can be held out.
    fold_in : float, default=0.8
        Fraction of the rows of a held-out user that are the history. At least one row is history, and at least one is
        scored.
    shuffle : bool, default=True
        If True, the history of a user is a random part of the rows, which depends on their order. If False, it consists
        of the earliest rows.
    random_state : int, RandomState instance or None, default=0
        Seed of the choice of users and of histories. With an int, all models of a comparison are scored with the same
        histories.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names. Only
        ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"`` if there is one.
        Only ``shuffle=False`` and :meth:`fold_report` read the times.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose item does not occur in the training rows. Dropped rows are in neither
        part.

    See Also
    --------
    ColdUserKFold : Holds out whole users, without any history.
    WithinUserKFold : Holds out a part of each user's rows ("weak generalization").
    skrec.metrics.make_ranking_scorer : Makes scorers with ``fold_in=``.

    Notes
    -----
    A scorer without ``fold_in=`` scores all rows of users that the model does not know. Pass the splitter to both.
    With ``fold_in=``, it warns about users that the model was fitted on, and about users with a single row, who have no
    history.

    References
    ----------
    .. [1] B. Marlin, "Collaborative Filtering: A Machine Learning Perspective", Master's thesis, University of Toronto,
       2004.
    .. [2] D. Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018.
       :doi:`10.1145/3178876.3186150`

    Examples
    --------
    >>> from sklearn.model_selection import cross_validate
    >>> from skrec.datasets import make_interactions
    >>> from skrec.metrics import make_ranking_scorer
    >>> from skrec.model_selection import UserHoldout
    >>> from skrec.models import PopularityRanker
    >>> X = make_interactions(n_users=50, n_items=30, random_state=0)
    >>> cv = UserHoldout(test_size=10, fold_in=0.8)
    >>> train, test = next(cv.split(X))
    >>> X["user_id"].iloc[test].nunique(), X["user_id"].iloc[train].nunique()
    (10, 40)
    >>> scoring = make_ranking_scorer(["capped_recall@20", "ndcg@100"], fold_in=cv)
    >>> sorted(cross_validate(PopularityRanker(), X, cv=cv, scoring=scoring))
    ['fit_time', 'score_time', 'test_capped_recall@20', 'test_ndcg@100']
    """

    _may_be_cold: ClassVar[tuple[str, ...]] = ("item",)

    def __init__(
        self,
        n_splits: int = 1,
        *,
        test_size: float = 0.2,
        fold_in: float = 0.8,
        shuffle: bool = True,
        random_state: Any = 0,
        user: str | int | None = None,
        item: str | int | None = None,
        time: str | int | None = None,
        cold: Cold = "keep",
    ) -> None:
        validate_parameter_constraints(
            {
                "n_splits": [Interval(Integral, 1, None, closed="left")],
                "test_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")],
                "fold_in": [Interval(Real, 0, 1, closed="neither")],
                "shuffle": ["boolean"],
                "random_state": ["random_state"],
            },
            {
                "n_splits": n_splits,
                "test_size": test_size,
                "fold_in": fold_in,
                "shuffle": shuffle,
                "random_state": random_state,
            },
            caller_name="UserHoldout",
        )
        super().__init__(user=user, item=item, time=time, cold=cold)
        self.n_splits = n_splits
        self.test_size = test_size
        self.fold_in = fold_in
        self.shuffle = shuffle
        self.random_state = random_state

    def fold_in_rows(self, X: Any, y: Any = None, groups: Any = None) -> Mask:
        """Return which rows of held-out users are their histories.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            All rows of the held-out users: the test part of :meth:`split`.
        y : ignored
            Present for API consistency.
        groups : array-like of shape (n_rows,) or None, default=None
            The user of each row, used instead of the user column of `X`.

        Returns
        -------
        ndarray of shape (n_rows,), bool
            True for the rows of histories. The only row of a user is not history.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.model_selection import UserHoldout
        >>> X = pd.DataFrame({"user_id": [1, 1, 1, 2, 2], "timestamp": [30, 10, 20, 5, 6]})
        >>> UserHoldout(fold_in=0.7, shuffle=False).fold_in_rows(X)
        array([False,  True,  True,  True, False])
        """
        del y
        events = self._read(X, groups, self._reads)
        users, counts = events.users.codes, events.users.counts
        if self.shuffle:
            rng = check_random_state(self.random_state)
            order = np.lexsort((rng.permutation(len(events)), users))
        else:
            order = events.order_within_users()
        n_given = np.minimum(np.maximum(np.floor(self.fold_in * counts + 1e-9), 1), counts - 1)
        place = np.arange(len(events)) - np.repeat(np.cumsum(counts) - counts, counts)
        given = np.zeros(len(events), dtype=np.bool_)
        given[order] = place < np.repeat(n_given, counts)
        return given

    def _masks(self, events: Events) -> Iterator[tuple[Mask, Mask]]:
        several = np.flatnonzero(events.users.counts > 1)
        n_users = len(events.users.counts)
        fraction = not isinstance(self.test_size, Integral)
        n = int(np.ceil(self.test_size * n_users - 1e-9)) if fraction else int(self.test_size)
        if n > len(several) or n >= n_users:
            raise ValueError(
                f"test_size={self.test_size!r} holds out {n} of {n_users} users, but only {len(several)} have two rows "
                f"or more, and at least one user must be left for training. Lower test_size, or check that "
                f"{events.label('user')} holds the users."
            )
        rng = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            held_out = np.zeros(n_users, dtype=np.bool_)
            held_out[rng.permutation(several)[:n]] = True
            test = held_out[events.users.codes]
            yield ~test, test
