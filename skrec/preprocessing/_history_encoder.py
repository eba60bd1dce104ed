"""What each row's user did before, as a column of lists."""

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
from skrec._sklearn_compat import Interval, StrOptions, _fit_context, check_feature_names_in, get_output_config
from skrec._transaction import ReadsOneState, transaction
from skrec.exceptions import ColumnError
from skrec.preprocessing._common import read_again
from skrec.preprocessing._cross_columns import array_beside, frame_beside

__all__ = ["HistoryEncoder"]

_NAME = "history"
_CHUNK = 1 << 16


@dataclass(eq=False, repr=False, kw_only=True)
class HistoryEncoder(ReadsOneState, TransformerMixin, BaseEstimator):
    """Put beside each row the items that its user had to do with before: a column of lists.

    Any model can then use the past, without ever seeing the row itself or what came later. Each row of `X` is an event
    of a user and an item. ``fit`` stores the events, and one rule says what a row sees of those of its user, in
    ``fit_transform`` as in ``transform``:

    - with a time column: the stored events strictly before the row's time, so that events of one instant do not see
      each other;
    - without: a row that was stored (the same user and item) sees what came before the first such row; any other row
      is new and sees all. The order of the rows within a user is the order of time. Where users come back to items,
      their later rows see little: give a time.

    Rows that are transformed together are no history for each other, and the list of an unknown user is empty.

    Parameters
    ----------
    user, item : str, int or None, default=None
        Columns of the user and the item: names, or positions. None: ``"user_id"`` and ``"item_id"``, or columns 0 and
        1 where the columns have no names.
    time : str, int or None, default=None
        Column of the time: numbers or dates. None: ``"timestamp"`` if there is one.
    max_history : int, default=50
        Number of items in a list, at most: the latest ones.
    events : {"all", "positive"}, default="all"
        Which rows become history: all, or those with ``y > 0``, such as clicks in a log of what was shown. ``fit``
        needs `y` for that; ``transform`` does not.
    remainder : {"passthrough", "drop"}, default="passthrough"
        Whether the columns of `X` stand before the lists in the output.

    Attributes
    ----------
    users_, items_ : ndarray of shape (n_users,) or (n_items,)
        The ids that were seen; ids that :meth:`append_history` added come last.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``; there only if all of them are strings.

    See Also
    --------
    MultiHotEncoder : Turns lists into columns of 0 and 1, for models that do not take lists.
    skrec.models.DNNClassifier : A model that does, as do all models of features.

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
        "user": [str, Integral, None],
        "item": [str, Integral, None],
        "time": [str, Integral, None],
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
            One row an event, in any order if it has a time column.
        y : array-like of shape (n_rows,), default=None
            With ``events="positive"``: numbers, above 0 for the rows that become history. Else ignored.

        Returns
        -------
        HistoryEncoder
            The encoder itself.

        Raises
        ------
        ColumnError
            If a column is not there, two roles have the same one, or `X` has a column ``"history"`` already.
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, or if `y` is needed and is not there or no numbers.
        """
        with transaction(self) as encoder:
            encoder._fit(X, y)
        return self

    def _fit(self, X: Any, y: Any) -> None:
        rows = as_rows(X)
        roles = resolve_roles(rows, user=self.user, item=self.item, time=self.time)
        if self.remainder == "passthrough" and _NAME in (rows.names or ()):
            raise ColumnError(
                f"X has a column {_NAME!r} already, and the lists would be a second one: rename or drop it, or pass "
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

        With a time column they take their place in the order of time, and an event that is stored (same user, item
        and time) is not added again. Without one they come after all that is stored.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The user and item columns of ``fit`` and, if it had one, the time; other columns may be missing. Users and
            items may be new.
        y : array-like of shape (n_rows,), default=None
            As in ``fit``.

        Returns
        -------
        HistoryEncoder
            The encoder itself.

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, if `y` is needed and is not there or no numbers, or if the
            columns are not those of ``fit``, dates in place of numbers for instance.

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
        """Return for each row the items that its user had to do with before.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The columns of ``fit``; users and items may be unknown.

        Returns
        -------
        ndarray of shape (n_rows, n_features + 1) or (n_rows, 1) of objects, or what ``set_output`` asks for
            The columns of `X` (not with ``remainder="drop"``), then ``history``: lists of item ids, oldest first, of
            `max_history` at most. polars output has a column of type ``List``.

        Raises
        ------
        TypeError
            If an id is not hashable.
        ValueError
            If an id or a time is missing or infinite, or the columns are not those of ``fit``, dates in place of
            numbers for instance.

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

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns: those of the input, and ``"history"``.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the input columns: those of ``fit`` where it saw names, and by default. Else ``"x0"``, ``"x1"``,
            ... stand for None.

        Returns
        -------
        ndarray of shape (n_features + 1,) or (1,) of str objects

        Raises
        ------
        ValueError
            If `input_features` are not the names of ``fit``, or not as many.

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
        """The ids of the users that were seen."""
        check_is_fitted(self)
        return self._users.ids

    @property
    def items_(self) -> NDArray[Any]:
        """The ids of the items that were seen, also in rows that are no history."""
        check_is_fitted(self)
        return self._items.ids

    def _read(self, X: Any) -> Rows:
        check_is_fitted(self)
        return read_again(self, X)

    def _times_of(self, rows: Rows, position: int | None) -> NDArray[Any] | None:
        """Return the times in a column, which must be of the kind that ``fit`` saw."""
        if position is None:
            return None
        times = rows.times(position, like=getattr(self, "_time_kind", None))  # older files lack it
        if self._coded_times:
            warn_encoded_times(times, self._roles.time_name)
        return times

    def _chosen(self, X: Any, y: Any) -> NDArray[np.bool_] | None:
        """Return which rows become history; None for all."""
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
    """Return the ids that windows show, each window as a list."""
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
    """Return the same as a polars Series of lists, which polars is slow to make of Python's."""
    import polars as pl

    ids = pl.Series(_NAME, [None, None, *items.ids.tolist()])  # padding and unknown items, -1 and 0, have no id
    blocks = (windows[start : start + _CHUNK] for start in range(0, len(windows), _CHUNK))
    lists = [ids.gather(block.ravel() + 1).reshape(block.shape).arr.to_list().list.drop_nulls() for block in blocks]
    return pl.concat(lists)
