"""A splitter that holds out the last events of every user."""

from collections.abc import Iterator

import numpy as np

from skrec.model_selection._base import Cold, EventSplitter
from skrec.model_selection._events import Events, Mask


class LeaveLastOut(EventSplitter):
    """Hold out the last `n` events of each user and train on all earlier events.

    This is the usual split for next-item recommendation ("leave one out"). It makes one split, so scikit-learn's
    searches and ``cross_validate`` fit once per candidate.

    Parameters
    ----------
    n : int, default=1
        Number of events of each user in the test set. All events of users with `n` events or fewer stay in the
        training set.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names. Only
        ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"`` if there is one.
        Without a time column, and among events with equal times, a user's rows are taken to be in order of time.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose item does not occur in the training rows. Dropped rows are in neither
        part.

    See Also
    --------
    TemporalSplit : Splits at times that are the same for all users.
    skrec.metrics.make_ranking_scorer : Makes scorers for the held-out rows.

    Notes
    -----
    An event of one user may be held out while later events of other users are used for training. If that matters, use
    :class:`TemporalSplit`.

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
    LeaveLastOut(cold='keep', item=None, n=1, time=None, user=None)
    """

    n_splits = 1

    def __init__(
        self,
        n: int = 1,
        *,
        user: str | int | None = None,
        item: str | int | None = None,
        time: str | int | None = None,
        cold: Cold = "keep",
    ) -> None:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1, got {n!r}. It is the number of held-out events.")
        super().__init__(user=user, item=item, time=time, cold=cold)
        self.n: int = n

    def _masks(self, events: Events) -> Iterator[tuple[Mask, Mask]]:
        counts = events.users.counts
        order = events.order_within_users()
        from_end = np.repeat(np.cumsum(counts), counts) - np.arange(len(events))
        held_out = np.zeros(len(events), dtype=np.bool_)
        held_out[order] = (from_end <= self.n) & np.repeat(counts > self.n, counts)
        if not held_out.any():
            raise ValueError(
                f"No user has more than n={self.n} events (the longest history has {counts.max()}), so there is "
                f"nothing to hold out. Lower n, or check that {events.label('user')} holds the users."
            )
        yield ~held_out, held_out
