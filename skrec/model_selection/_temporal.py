"""A splitter that cuts the events at times that are the same for all users."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from skrec._data.tables.columns import Column
from skrec._data.tables.timestamps import are_nanoseconds
from skrec._sklearn_compat import Interval, validate_parameter_constraints
from skrec.model_selection._base import Cold, EventSplitter
from skrec.model_selection._events import Events, Mask


class TemporalSplit(EventSplitter):
    r"""Train on the events up to a cut in time and test on the events after it, for several cuts.

    The cuts are the same for all users, so that no training event is later than a test event, as when a model is
    trained today to be used tomorrow. Events at the cut itself belong to the training part: with cuts
    :math:`c_1 < \dots < c_n`, the test part of a fold has the times :math:`c_i < t \le c_i + \text{horizon}`, and its
    training part :math:`c_i - \text{gap} - \text{window} < t \le c_i - \text{gap}`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of cuts, at least 1.
    horizon : number, str, timedelta or None, default=None
        Length of each test part: a number in the unit of the time column or, for dates, a duration such as ``"7D"``
        (as :class:`pandas.Timedelta` reads it) or a timedelta. The test parts follow one another without gaps, and the
        last one ends with the last event. If None, the cuts divide the events into ``n_splits + 1`` parts with about
        the same number of rows; the first part is used only for training, and each part ends where the next begins.
        Events with equal times always stay together.
    gap : number, str or timedelta, default=0
        Length of the period before the cut whose events are left out because they would not be known yet at the cut.
    window : number, str, timedelta or None, default=None
        Length of the training part, which then rolls. If None, the training part expands: it starts with the first
        event.
    user : str, int or None, default=None
        Name or position of the user column. If None, ``"user_id"``, or column 0 if the columns have no names. Only
        ``cold="drop"`` and :meth:`fold_report` need the user and the item.
    item : str, int or None, default=None
        Name or position of the item column. If None, ``"item_id"``, or column 1 if the columns have no names.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"``. The column is
        required because the order of the rows only orders the events of the same user.
    cold : {"keep", "drop"}, default="keep"
        Whether to keep or drop test rows whose user or item does not occur in the training rows. Dropped rows are in
        neither part.

    See Also
    --------
    LeaveLastOut : Holds out the last events of each user, whatever their time.
    sklearn.model_selection.TimeSeriesSplit : Cuts sorted rows by number of rows.

    Notes
    -----
    Splitting at global times keeps the future out of training [1]_. The folds are not a partition of the rows, so
    ``cross_val_predict`` does not accept them.

    References
    ----------
    .. [1] Y. Ji, A. Sun, J. Zhang and C. Li, "A Critical Study on Data Leakage in Recommender System Offline
       Evaluation", ACM Transactions on Information Systems 41(3), 2023. :doi:`10.1145/3569930`

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.model_selection import TemporalSplit
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-04", "2024-01-06"])
    >>> X = pd.DataFrame({"user_id": [1, 2, 1, 2, 3, 1], "item_id": list("ababcb"), "timestamp": days})
    >>> for train, test in TemporalSplit(n_splits=2, horizon="2D").split(X):
    ...     print(train, test)
    [0 1] [2 3 4]
    [0 1 2 3 4] [5]
    >>> for train, test in TemporalSplit(n_splits=2, horizon="2D", window="2D").split(X):
    ...     print(train, test)
    [0 1] [2 3 4]
    [2 3 4] [5]
    """

    _reads: ClassVar[tuple[str, ...]] = ("time",)

    def __init__(
        self,
        n_splits: int = 5,
        *,
        horizon: Any = None,
        gap: Any = 0,
        window: Any = None,
        user: str | int | None = None,
        item: str | int | None = None,
        time: str | int | None = None,
        cold: Cold = "keep",
    ) -> None:
        validate_parameter_constraints(
            {"n_splits": [Interval(Integral, 1, None, closed="left")]}, {"n_splits": n_splits}, "TemporalSplit"
        )
        for name, length in (("horizon", horizon), ("window", window)):
            if length is not None and not _length(name, length) > 0:
                raise ValueError(f"{name} must be longer than 0, or None, got {length!r}.")
        if _length("gap", gap) < 0:
            raise ValueError(f"gap must be 0 or longer, got {gap!r}.")
        super().__init__(user=user, item=item, time=time, cold=cold)
        self.n_splits = n_splits
        self.horizon = horizon
        self.gap = gap
        self.window = window

    def _masks(self, events: Events) -> Iterator[tuple[Mask, Mask]]:
        times, column = events.times, events.label("time")
        horizon, gap, window = (self._in_unit_of_times(name, events) for name in ("horizon", "gap", "window"))
        cuts = self._even_cuts(times, events) if horizon is None else self._cuts(times, horizon)
        first = times.min().item()
        if cuts[0] - gap < first:
            raise ValueError(
                f"There is no event to train on before the first test part: {column} ranges from "
                f"{_shown(first, events)} to {_shown(cuts[-1], events)}, and n_splits={self.n_splits}, "
                f"horizon={self.horizon!r} and gap={self.gap!r} leave no part of it for training. Lower one of them."
            )
        for fold, (cut, end) in enumerate(pairwise(cuts)):
            train = times <= cut - gap
            if window is not None:
                train &= times > cut - gap - window
            test = (times > cut) & (times <= end)
            if not train.any():
                raise ValueError(
                    f"Fold {fold} has no event to train on: {column} has none in the window={self.window!r} "
                    f"up to {_shown(cut - gap, events)}. Choose a longer window, or None for all earlier events."
                )
            if not test.any():
                raise ValueError(
                    f"Fold {fold} has no event to test on: {column} has none after {_shown(cut, events)} "
                    f"and up to {_shown(end, events)}. Choose a longer horizon, or fewer splits."
                )
            yield train, test

    def _cuts(self, times: Column, horizon: Any) -> list[Any]:
        last = times.max().item()
        return [last - number * horizon for number in range(self.n_splits, -1, -1)]

    def _even_cuts(self, times: Column, events: Events) -> list[Any]:
        """Return the distinct times up to which the share of rows is nearest to 1/(n + 1), 2/(n + 1), ... 1."""
        distinct, counts = np.unique(times, return_counts=True)
        number = np.arange(self.n_splits)
        if len(distinct) <= self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} needs at least {self.n_splits + 1} different times, but "
                f"{events.label('time')} has {len(distinct)}. Lower n_splits, or pass times of a finer resolution."
            )
        n_until = np.cumsum(counts)
        wanted = len(times) * (number + 1) / (self.n_splits + 1)
        at = np.searchsorted(n_until, wanted)
        at -= (at > 0) & (wanted - n_until[at - 1] < n_until[at] - wanted)
        at = np.maximum.accumulate(at - number) + number
        at = np.minimum(at, len(distinct) - 1 - self.n_splits + number)
        return [*distinct[at].tolist(), distinct[-1].item()]

    def _in_unit_of_times(self, name: str, events: Events) -> Any:
        """Return a length as a number that can be added to times, or None for None."""
        value = getattr(self, name)
        if value is None or (_is_number(value) and value == 0):
            return value
        is_number, kind, column = _is_number(value), events.time_kind, events.label("time")
        if is_number and kind != "numbers":
            raise ValueError(
                f"{name}={value!r} is a number, but {column} holds {kind}: pass a duration, such as '7D' or "
                "pandas.Timedelta(days=7)."
            )
        if not is_number and kind == "numbers":
            raise ValueError(
                f"{name}={value!r} is a duration, but {column} holds numbers: pass a number in their unit (7 days are "
                "604800 seconds), or convert the column, for instance with pandas.to_datetime(..., unit='s')."
            )
        if kind != "numbers" and not are_nanoseconds(events.times):
            raise ValueError(
                f"{name}={value!r} cannot be measured in {column}, which has times before 1690 or after 2250. Drop "
                "those rows, or correct them."
            )
        return _length(name, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.timedelta64))


def _length(name: str, value: Any) -> int | float:
    """Return a number unchanged (as an int if it is whole), and a duration in nanoseconds."""
    if _is_number(value) and np.isfinite(value):
        return int(value) if value == int(value) else float(value)
    has_unit = any(character.isalpha() or character == ":" for character in str(value))
    if isinstance(value, (str, timedelta, np.timedelta64)) and has_unit:
        with suppress(ValueError, OverflowError):
            return int(pd.Timedelta(value).as_unit("ns").value)
    raise ValueError(
        f"{name} must be a number in the unit of the time column, or a duration with a unit, such as '7D' or "
        f"pandas.Timedelta(days=7), got {value!r}."
    )


def _shown(time: Any, events: Events) -> str:
    kinds = {"dates": pd.Timestamp, "durations": pd.Timedelta}
    return str(kinds.get(events.time_kind, lambda number: number)(time))
