"""Hold out the last events of every user."""

from collections.abc import Iterator

import numpy as np

from skrec.model_selection._base import Cold, EventSplitter
from skrec.model_selection._events import Events, Mask


class LeaveLastOut(EventSplitter):
    """Hold out the last `n` events of each user; all earlier ones are for training.

    The usual split for next-item recommendation ("leave one out"). It makes one split, so that scikit-learn's
    searches and ``cross_validate`` fit once per candidate.

    Parameters
    ----------
    n : int, default=1
        Number of events of each user in the test set. Users with `n` events or fewer stay in the training set whole.
    user : str, int or None, default=None
        Column of the user: a name, or a position. None: ``"user_id"``, or column 0 where the columns have no names.
    item : str, int or None, default=None
        Column of the item. None: ``"item_id"``, or column 1. Only ``cold="drop"`` and :meth:`fold_report` need it.
    time : str, int or None, default=None
        Column of the time: numbers or dates. None: ``"timestamp"`` if there is one. Without it, and among events of
        one time, the order of the rows within a user is the order of time.
    cold : {"keep", "drop"}, default="keep"
        Whether test rows stay whose item no training row holds. "drop" leaves them out of both parts.

    See Also
    --------
    TemporalSplit : Cuts at a time that is the same for all users.
    skrec.metrics.make_ranking_scorer : Scorers for the rows held out.

    Notes
    -----
    An event of one user may be held out while later events of others are trained on. Where that matters, use
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
            raise ValueError(f"n must be a whole number of at least 1, got {n!r}: it is how many events are held out.")
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
                f"No user has more than n={self.n} events (the longest history has {counts.max()}): there is nothing "
                f"to hold out. Lower n, or check that the users of {events.label('user')} are the right ones."
            )
        yield ~held_out, held_out
