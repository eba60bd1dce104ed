"""The history of each row's user as a column of lists."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import Histories, Rows, Vocabulary, as_rows, resolve_roles
from skrec._data.events.windows import PADDING, Windows
from skrec._data.tables.columns import object_array
from skrec._data.tables.roles import role_position
from skrec._data.tables.time_checks import are_codes, warn_encoded_times, warn_row_order
from skrec._data.targets.numbers import numeric_labels
from skrec._docs import documented
from skrec._sklearn_compat import (
    POSITION,
    Interval,
    StrOptions,
    _fit_context,
    check_feature_names_in,
    get_output_config,
)
from skrec._transaction import ReadsOneState, transaction
from skrec.exceptions import ColumnError
from skrec.preprocessing._common import INPUT_FEATURES, OTHER_FEATURES, read_again
from skrec.preprocessing._cross_columns import array_beside, frame_beside

__all__ = ["HistoryEncoder"]

_NAME = "history"
_CHUNK = 1 << 16


@dataclass(eq=False, repr=False, kw_only=True)
class HistoryEncoder(ReadsOneState, TransformerMixin, BaseEstimator):
    """Add to each row the items that its user interacted with before, as a column of lists.

    Any feature model can then use the history of a user, without ever seeing the row itself or later events. Each row
    of `X` is an event of a user and an item. ``fit`` stores the events. The same rule decides in ``fit_transform`` and
    in ``transform`` which stored events of its user a row sees:

    - with a time column: the events strictly before the time of the row, so that simultaneous events do not see each
      other;
    - without a time column: a row that was stored (the same user and item) sees the events before the first such row;
      any other row is new and sees all events. A user's rows are taken to be in order of time. If users return to the
      same items, their later rows see few events: pass a time column.

    Rows that are transformed together are not part of each other's history. The list of an unknown user is empty.

    Parameters
    ----------
    user, item : str, int or None, default=None
        Names or positions of the user and item columns. If None, ``"user_id"`` and ``"item_id"``, or columns 0 and 1
        if the columns have no names.
    time : str, int or None, default=None
        Name or position of the time column, which holds numbers or dates. If None, ``"timestamp"`` if there is one.
    max_history : int, default=50
        Maximum number of items in a list. The latest items are kept.
    events : {"all", "positive"}, default="all"
        Which rows become history: all, or those with ``y > 0``, such as the clicks in a log of impressions. With
        ``"positive"``, ``fit`` needs `y`; ``transform`` does not.
    remainder : {"passthrough", "drop"}, default="passthrough"
        Whether the output contains the columns of `X` before the lists.

    Attributes
    ----------
    users_, items_ : ndarray of shape (n_users,) or (n_items,)
        The known ids. Ids that :meth:`append_history` added come last.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``. Only available if all of them are strings.

    See Also
    --------
    MultiHotEncoder : Turns lists into columns of 0 and 1, for models that do not accept lists.
    skrec.models.DNNClassifier : Accepts lists, as all feature models of skrec do.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import HistoryEncoder
    >>> X = pd.DataFrame(
    ...     {"user_id": ["ana", "bo", "ana", "ana"], "item_id": [7, 7, 9, 8], "timestamp": [10, 10, 30, 20]}
    ... )
    >>> encoder = HistoryEncoder(max_history=2).set_output(transform="pandas")
    >>> encoder.fit_transform(X)
      user_id  item_id  timestamp history
    0     ana        7         10      []
    1      bo        7         10      []
    2     ana        9         30  [7, 8]
    3     ana        8         20     [7]
    >>> X_new = pd.DataFrame({"user_id": ["ana", "cy"], "item_id": [5, 5], "timestamp": [40, 40]})
    >>> encoder.transform(X_new)["history"].tolist()
    [[8, 9], []]
    """

    user: str | int | None = None
    item: str | int | None = None
    time: str | int | None = None
    max_history: int = 50
    events: Literal["all", "positive"] = "all"
    remainder: Literal["passthrough", "drop"] = "passthrough"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "user": [str, POSITION, None],
        "item": [str, POSITION, None],
        "time": [str, POSITION, None],
        "max_history": [Interval(Integral, 1, None, closed="left")],
        "events": [StrOptions({"all", "positive"})],
        "remainder": [StrOptions({"passthrough", "drop"})],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Store the events of every user.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            One event per row, in any order if there is a time column.
        y : array-like of shape (n_rows,), default=None
            With ``events="positive"``, numbers that are above 0 for the rows that become history. Otherwise ignored.

        Returns
        -------
        HistoryEncoder
            The fitted encoder.

        Raises
        ------
        ColumnError
            If a column does not exist, if two roles have the same column, or if `X` already has a column ``"history"``.
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, or if `y` is needed and is None or not numeric.
        """
        with transaction(self) as encoder:
            encoder._fit(X, y)
        return self

    def _fit(self, X: Any, y: Any) -> None:
        rows = as_rows(X)
        roles = resolve_roles(rows, user=self.user, item=self.item, time=self.time)
        if self.remainder == "passthrough" and _NAME in (rows.names or ()):
            raise ColumnError(
                f"X already has a column {_NAME!r}, which is the name of the new column: rename or drop it, or pass "
                "remainder='drop'."
            )
        users, user_codes = Vocabulary.fit(rows.column(roles.user), name=roles.user_name)
        items, item_codes = Vocabulary.fit(rows.column(roles.item), name=roles.item_name)
        times, chosen = None if roles.time is None else rows.times(roles.time), self._chosen(X, y)
        past = Histories.from_events(user_codes, item_codes, times, chosen, n_users=len(users))
        warn_row_order(rows, roles, user_codes, item_codes)
        # From here on nothing can fail: a failed fit leaves the encoder as it was.
        validate_data(self, X, reset=True, skip_check_array=True)
        self._roles, self._users, self._items, self._past = roles, users, items, past
        self._time_kind = None if roles.time is None else rows.time_kind(roles.time)
        self._coded_times = times is not None and are_codes(times)

    def append_history(self, X: Any, y: Any = None) -> Self:
        """Store further events.

        With a time column, the events are merged in order of time, and an event that is already stored (same user,
        item and time) is not added again. Without a time column, they are appended after all stored events.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The user and item columns of ``fit``, and its time column if there was one. Other columns may be missing.
            Users and items may be new.
        y : array-like of shape (n_rows,), default=None
            As in ``fit``.

        Returns
        -------
        HistoryEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, if `y` is needed and is None or not numeric, or if the columns
            differ from those of ``fit``, for instance dates instead of numbers.

        Examples
        --------
        >>> from skrec.preprocessing import HistoryEncoder
        >>> encoder = HistoryEncoder(remainder="drop").fit([["ana", 7], ["ana", 8]])
        >>> encoder.append_history([["ana", 9], ["bo", 7]]).transform([["ana", 5]])
        array([[list([7, 8, 9])]], dtype=object)
        """
        check_is_fitted(self)
        with transaction(self) as encoder:
            encoder._append(X, y)
        return self

    def _append(self, X: Any, y: Any) -> None:
        rows = as_rows(X)
        if rows.names is None and rows.n_columns >= self.n_features_in_:
            self._read(X)  # raises or warns as in transform
        roles = ("user", "item") if self._roles.time is None else ("user", "item", "time")
        at = {role: role_position(rows, self._roles, role) for role in roles}
        users, user_codes = self._users.extend(rows.column(at["user"]))
        items, item_codes = self._items.extend(rows.column(at["item"]))
        times, chosen = self._times_of(rows, at.get("time")), self._chosen(X, y)
        past = self._past.append(user_codes, item_codes, times, chosen, n_users=len(users))
        self._users, self._items, self._past = users, items, past

    def transform(self, X: Any) -> Any:
        """Return for each row the items that its user interacted with before.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The columns of ``fit``; users and items may be unknown.

        Returns
        -------
        ndarray of shape (n_rows, n_features + 1) or (n_rows, 1) of objects, or what ``set_output`` asks for
            The columns of `X` (unless ``remainder="drop"``), followed by ``history``: lists of at most `max_history`
            item ids, oldest first. In polars output this column has the type ``List``.

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, or if the columns differ from those of ``fit``, for instance
            dates instead of numbers.

        Examples
        --------
        >>> from skrec.preprocessing import HistoryEncoder
        >>> HistoryEncoder().fit([["ana", 7], ["ana", 8]]).transform([["ana", 8], ["ana", 9], ["bo", 7]])
        array([['ana', 8, list([7])],
               ['ana', 9, list([7, 8])],
               ['bo', 7, list([])]], dtype=object)
        """
        rows = self._read(X)
        user_ids, item_ids = rows.column(self._roles.user), rows.column(self._roles.item)
        users, items = self._users.encode(user_ids), self._items.encode(item_ids)
        self._users.warn_other_kind(user_ids, users)
        self._items.warn_other_kind(item_ids, items)
        ends = self._past.ends(users, items, self._times_of(rows, self._roles.time))
        return self._output(X, rows, self._past.windows(users, self.max_history, ends))

    @documented(input_features=INPUT_FEATURES, raises=OTHER_FEATURES)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns: those of the input, and ``"history"``.

        Parameters
        ----------
        {input_features}

        Returns
        -------
        ndarray of shape (n_features + 1,) or (1,) of str objects

        Raises
        ------
        {raises}

        Examples
        --------
        >>> from skrec.preprocessing import HistoryEncoder
        >>> HistoryEncoder().fit([["ana", 7]]).get_feature_names_out()
        array(['x0', 'x1', 'history'], dtype=object)
        """
        check_is_fitted(self)
        inputs = check_feature_names_in(self, input_features)
        return np.array([*inputs, _NAME] if self.remainder == "passthrough" else [_NAME], dtype=object)

    @property
    def users_(self) -> NDArray[Any]:
        """The ids of the known users."""
        check_is_fitted(self)
        return self._users.ids

    @property
    def items_(self) -> NDArray[Any]:
        """The ids of the known items, including items of rows that did not become history."""
        check_is_fitted(self)
        return self._items.ids

    def _read(self, X: Any) -> Rows:
        check_is_fitted(self)
        return read_again(self, X)

    def _times_of(self, rows: Rows, position: int | None) -> NDArray[Any] | None:
        """Return the times in a column, which must be of the same kind as in ``fit``."""
        if position is None:
            return None
        times = rows.times(position, like=getattr(self, "_time_kind", None))  # older files lack it
        if self._coded_times:
            warn_encoded_times(times, self._roles.time_name)
        return times

    def _chosen(self, X: Any, y: Any) -> NDArray[np.bool_] | None:
        """Return the mask of the rows that become history, or None if all rows do."""
        if self.events == "all":
            return None
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None: with "
                "events='positive' the rows with y > 0 become history. Pass y, or events='all'."
            )
        what = "numbers with events='positive', above 0 for the rows that become history"
        return np.asarray(numeric_labels(y, X, what=what, cure="Convert it, for instance with y == 'click'.") > 0)

    def _output(self, X: Any, rows: Rows, windows: Windows) -> Any:
        library = get_output_config("transform", self)["dense"]
        passes = self.remainder == "passthrough"
        if library == "polars":
            history = _series_of(windows, self._items)
            no_column = np.empty((len(windows), 0))
            return frame_beside(X, rows, no_column, library).with_columns(history) if passes else history.to_frame()
        column = object_array(_lists_of(windows, self._items)).reshape(-1, 1)
        if not passes:
            return column
        return array_beside(rows, column) if library == "default" else frame_beside(X, rows, column, library)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.target_tags.required = self.events == "positive"
        tags.transformer_tags.preserves_dtype = []
        return tags


def _lists_of(windows: Windows, items: Vocabulary) -> list[list[Any]]:
    """Return the ids in each window as a list."""
    lists: list[list[Any]] = []
    for start in range(0, len(windows), _CHUNK):
        block = windows[start : start + _CHUNK]
        shown = block != PADDING
        at, codes = pd.factorize(block[shown])
        ids = object_array(items.decode(codes).tolist())[at].tolist()
        ends = np.concatenate([[0], np.cumsum(shown.sum(axis=1))]).tolist()
        lists += [ids[a:b] for a, b in pairwise(ends)]
    return lists


def _series_of(windows: Windows, items: Vocabulary) -> Any:
    """Return the ids in each window as a polars Series of lists, without slow conversion from Python lists."""
    import polars as pl

    ids = pl.Series(_NAME, [None, None, *items.ids.tolist()])  # padding and unknown items, -1 and 0, have no id
    blocks = (windows[start : start + _CHUNK] for start in range(0, len(windows), _CHUNK))
    lists = [ids.gather(block.ravel() + 1).reshape(block.shape).arr.to_list().list.drop_nulls() for block in blocks]
    return pl.concat(lists)
