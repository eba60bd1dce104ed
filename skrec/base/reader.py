"""Reading of rows and ids by all recommenders: column roles, vocabularies and times."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import ABSENT, Interactions, Roles, Rows, Vocabulary, as_rows, resolve_roles
from skrec._data.events.windows import Windows
from skrec._data.ids.id_lists import read_ids
from skrec._data.tables.roles import role_position
from skrec._data.tables.spelling import guessing
from skrec._estimators import POSITION, BaseEstimator, StrOptions, check_features, check_is_fitted
from skrec._recommend import is_table
from skrec._transaction import ReadsOneState
from skrec.exceptions import ColumnError

Codes = NDArray[np.int32]
_ARGUMENTS = {"user": "queries", "item": "candidates"}


@dataclass(frozen=True)
class Query:
    """Users or items to score.

    Parameters
    ----------
    codes : ndarray of shape (n,) of int32
        Codes of the users or items.
    rows : Rows or None
        Rows with their features or context, if given.
    at : ndarray of shape (n,) or None
        Row index of each query. None stands for the order of `rows`.
    times : ndarray of shape (n,) or None
        Times of queries. Only events before them are used. If None, all stored events are used.
    history : Windows or None
        Histories of queries, used instead of the stored histories.
    whole : bool
        Whether these are all items of the catalogue, in its order.
    """

    codes: Codes
    rows: Rows | None = None
    at: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    history: Windows | None = None
    whole: bool = False


@dataclass(eq=False, repr=False, kw_only=True)
class Reader(ReadsOneState, BaseEstimator):
    """Base class of all recommenders, which reads rows and ids.

    A subclass fits :attr:`_users`, :attr:`_items`, :attr:`_log` and :attr:`_estimator_roles`. Fitted attributes are
    annotated as fields with ``init=False``: they are not parameters and are not set before ``fit``.
    """

    user: str | int | None = None
    item: str | int | None = None
    time: str | int | None = None
    handle_unknown: Literal["oov", "error"] = "oov"

    _declared_constraints: ClassVar[dict[str, Any]]  # those of a class itself, without inherited ones
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{role: [str, POSITION, None] for role in ("user", "item", "time")},
        "handle_unknown": [StrOptions({"oov", "error"})],
    }

    _users: Vocabulary = field(init=False, repr=False)
    _items: Vocabulary = field(init=False, repr=False)
    _log: Interactions = field(init=False, repr=False)
    _estimator_roles: Roles = field(init=False, repr=False)
    _time_kind: str | None = field(default=None, init=False, repr=False)
    """Kind of the times in ``fit`` (:meth:`Rows.time_kind`); None if unknown or if times are not compared."""

    _keeps_times: ClassVar[bool] = False  # whether the times in ``fit`` are compared with those of later rows

    def __init_subclass__(cls, **options: Any) -> None:
        """Take parameters and their constraints from the nearest class in the method resolution order.

        Dataclasses use the last base that *has* a field, including inherited fields: combining an architecture with a
        task would restore the defaults that the task had overridden. Fitted attributes (``init=False``) have no
        defaults and are not changed.
        """
        super().__init_subclass__(**options)
        own = dict(vars(cls).get("__annotations__", {}))
        constraints = dict(vars(cls).get("_parameter_constraints", {}))
        cls._declared_constraints = constraints
        bases = [base for base in cls.__mro__[1:] if "__dataclass_fields__" in vars(base)]
        parameters = [each for base in reversed(bases) for each in fields(base) if each.init]
        defaults = {each.name: each.default for each in parameters}
        for base in bases:
            declared = vars(base).get("_declared_constraints", vars(base).get("_parameter_constraints", {}))
            constraints = {**declared, **constraints}
            for name, annotation in vars(base).get("__annotations__", {}).items():
                if name not in defaults or name in own:
                    continue
                own[name] = annotation
                if vars(base)[name] is not defaults[name]:
                    setattr(cls, name, vars(base)[name])
                    cls.__annotations__ = {**vars(cls).get("__annotations__", {}), name: annotation}
        cls._parameter_constraints = constraints

    # -- fitted attributes --------------------------------------------------------------------------------------------

    @property
    def users_(self) -> NDArray[Any]:
        """Ids of the known users, in vocabulary order; shape (n_users,)."""
        check_is_fitted(self)
        self._need_role("user")
        return self._users.ids

    @property
    def items_(self) -> NDArray[Any]:
        """Ids of the known items, in vocabulary order; shape (n_items,)."""
        check_is_fitted(self)
        self._need_role("item")
        return self._items.ids

    @property
    def column_roles_(self) -> pd.DataFrame:
        """Role of each column of ``X`` in ``fit``, and the reason for it.

        There is one row per column, indexed by its name or position, with the columns ``role`` (``"user"``, ``"item"``,
        ``"time"``, ``"item feature"``, ``"user feature"``, ``"context"``, ``"feature"`` or ``"ignored"``), ``kind``
        (``"id"``, ``"time"``, ``"categorical"``, ``"multivalued"``, ``"numeric"``, ``"array"``) and ``reason``.
        """
        check_is_fitted(self)
        names = self._estimator_roles.names
        labels: Any = range(self.n_features_in_) if names is None else list(names)
        ignored = ("ignored", "", f"{type(self).__name__} does not use it")
        described = self._described_columns()
        rows = [described.get(position, ignored) for position in range(len(labels))]
        return pd.DataFrame(rows, index=pd.Index(labels, name="column"), columns=["role", "kind", "reason"])

    @property
    def roles_(self) -> Roles:
        """Positions and names of the columns of the user, the item and the time."""
        check_is_fitted(self)
        return self._estimator_roles

    def query_times(self, queries: Any) -> NDArray[Any] | None:
        """Return the times of rows that are queries.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_columns)
            Rows; they may lack the column of the time.

        Returns
        -------
        ndarray of shape (n_queries,) or None
            Times that can be sorted; None without a column of the time, in ``fit`` or in the rows.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"], "timestamp": [7, 8]})
        >>> model = PopularityRanker().fit(events)
        >>> model.query_times(events), model.query_times(events[["user_id"]])
        (array([7, 8]), None)
        """
        check_is_fitted(self)
        return self._times_in(as_rows(queries, name="queries"))

    def feature_positions(self, side: Literal["query", "item"]) -> tuple[int, ...] | None:
        """Return the positions of the columns that hold the features of queries or of items.

        Parameters
        ----------
        side : {"query", "item"}

        Returns
        -------
        tuple of int or None
            Positions in ``X``; None for a model that does not tell features of queries from those of items.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import FMRanker
        >>> events = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 6, 6], "genre": ["a", "b", "b"]})
        >>> model = FMRanker(item_features=["genre"], epochs=1, random_state=0).fit(events)
        >>> model.feature_positions("query"), model.feature_positions("item")
        ((), (2,))
        """
        check_is_fitted(self)
        fields = getattr(self, f"_{side}_fields", None)
        return None if fields is None else tuple(int(position) for position in fields.positions)

    def _described_columns(self) -> dict[int, tuple[str, str, str]]:
        """Return the role, kind and reason of each used column, by position."""
        roles, described = self._estimator_roles, {}
        for role, position in (("user", roles.user), ("item", roles.item), ("time", roles.time)):
            if position is None or position == ABSENT:
                continue
            given = getattr(self, role)
            by_default = "the default position" if roles.names is None else "its default name"
            reason = by_default if given is None else f"{role}={given!r}"
            described[position] = (role, "time" if role == "time" else "id", reason)
        return described

    def __sklearn_is_fitted__(self) -> bool:
        return "_users" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags

    # -- reading X ----------------------------------------------------------------------------------------------------

    def _read(self, X: Any, y: Any = "no_validation", *, reset: bool, guess: bool = True) -> Rows:
        """Check ``X`` as scikit-learn does (names, number of columns) without converting it to one array.

        If ``guess`` is True, errors suggest the names of ``fit`` that are similar to a misspelled one.
        """
        rows = self._as_rows(X, self._min_columns() if reset else 1)
        with guessing(getattr(self, "feature_names_in_", None) if guess and not reset else None, rows.names):
            check_features(self, X, y, rows.names, rows.n_columns, reset=reset)
        return rows

    def _as_rows(self, X: Any, n_least: int) -> Rows:
        """Read a table with at least ``n_least`` columns; errors name the required columns."""
        try:
            rows = as_rows(X)
        except ValueError as error:
            one_dimensional = str(error).startswith(("Expected 2D array, got 1D", "Expected a 2-dimensional container"))
            if not one_dimensional or self._min_columns() < 2:
                raise
            raise ValueError(
                "Expected 2D array, got 1D array instead: every row of X needs a user and an item. Reshape your data: "
                "pass a DataFrame that has both columns, such as events[['user_id', 'item_id']], or "
                "np.column_stack([users, items])."
            ) from None
        if rows.n_columns < n_least and rows.names is not None:
            missing: list[str] = []
            for role in ("user", "item"):
                try:
                    resolve_roles(rows, user=self.user, item=self.item, required=(role,), looked_for=(role,))
                except ColumnError as error:
                    missing.append(str(error))
            if missing:
                raise ColumnError("\n".join(dict.fromkeys(missing)))
        return rows if rows.n_columns >= n_least else as_rows(X, min_columns=n_least)

    def _min_columns(self) -> int:
        return 2  # users and items

    def _find_roles(self, rows: Rows) -> Roles:
        return resolve_roles(rows, user=self.user, item=self.item, time=self.time)

    def _has_role(self, role: str) -> bool:
        """Whether the model was fitted with a column of users or of items."""
        return bool(getattr(self._estimator_roles, role) != ABSENT)

    def _need_role(self, role: str) -> None:
        """Raise an error if the model was fitted without a column of users or of items."""
        if not self._has_role(role):
            raise AttributeError(
                f"This {type(self).__name__} was fitted without {role}s, as a model of a plain table. To recommend "
                "items, fit it with the columns of the ids: user=..., item=..."
            )

    def _vocabularies(self, rows: Rows, roles: Roles, *, resume: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        """Fit the vocabularies, or add new ids to them, and return them with the codes of the rows.

        Without a column, the vocabulary is empty and all codes are 0.
        """
        found: list[Any] = []
        for role, position, name in (("user", roles.user, roles.user_name), ("item", roles.item, roles.item_name)):
            if position == ABSENT:
                found += [Vocabulary(np.empty(0, np.int64), name), np.zeros(rows.n_rows, np.int32)]
            elif resume:
                found += getattr(self, f"_{role}s").extend(rows.column(position))
            else:
                found += Vocabulary.fit(rows.column(position), name=name)
        return found[0], found[1], found[2], found[3]

    def _pair_codes(self, rows: Rows, *, allow_unknown: bool = False) -> tuple[Codes, Codes]:
        """Return the codes of users and items, 0 without a column. See :meth:`_encode` for ``allow_unknown``."""
        roles = self._estimator_roles
        codes = [
            np.zeros(rows.n_rows, np.int32)
            if at == ABSENT
            else self._encode(rows.column(at), role, allow_unknown=allow_unknown)
            for role, at in (("user", roles.user), ("item", roles.item))
        ]
        return codes[0], codes[1]

    def _encode(self, ids: Any, role: str, where: str | None = None, *, allow_unknown: bool = False) -> Codes:
        """Return the codes of ids; depending on ``handle_unknown``, unknown ids have code 0 or raise an error.

        ``where`` is the argument with the ids, for error messages; None stands for a column of ``X``. Ids of another
        kind than those of ``fit`` cause a warning unless ``allow_unknown``.
        """
        vocabulary = self._users if role == "user" else self._items
        codes = vocabulary.encode(ids, where=where)
        if self.handle_unknown == "error":
            vocabulary.refuse_unknown(ids, codes, where=where, or_oov=True)
        if not allow_unknown:
            vocabulary.warn_other_kind(ids, codes)
        return codes

    def _read_query(self, data: Any, role: str, *, allow_unknown: bool = False) -> tuple[NDArray[Any], Query]:
        """Read users or items given as ids (1-D) or as rows; return their ids and the query."""
        ids, rows = self._ids_and_rows(data, role)
        where = _ARGUMENTS[role] if rows is None else f"{_ARGUMENTS[role]}[{rows.label(self._position(rows, role))}]"
        times = self._times_in(rows) if rows is not None and role == "user" else None
        return ids, Query(self._encode(ids, role, where, allow_unknown=allow_unknown), rows, times=times)

    def _times(self, rows: Rows) -> NDArray[Any] | None:
        """Return the times of rows with the columns of ``fit``; they must be of the same kind as in ``fit``."""
        time = self._estimator_roles.time
        return None if time is None else rows.times(time, like=self._time_kind)

    def _fit_times(self, rows: Rows, *, fresh: bool, more: bool) -> NDArray[Any] | None:
        """Return the times of the rows of ``fit`` and store their kind; if ``more``, it must be the stored kind.

        If the kind is unknown, as in a file of an older version, it is not learned from further rows.
        """
        if fresh:
            self._time_kind = None
        times, position = self._times(rows), self._estimator_roles.time
        compared = self._keeps_times and self._has_role("user")  # a plain table stores no users
        if position is not None and compared and self._time_kind is None and not more:
            self._time_kind = rows.time_kind(position)
        return times

    def _times_in(self, rows: Rows, *, compared: bool = True) -> NDArray[Any] | None:
        """Return the times of rows, if any; unless ``compared``, they may be of another kind than in ``fit``."""
        roles, like = self._estimator_roles, self._time_kind if compared else None
        if roles.time is None:
            return None
        if rows.names is None or roles.names is None:
            return rows.times(roles.time, like=like) if roles.time < rows.n_columns else None
        name = roles.names[roles.time]
        return rows.times(rows.names.index(name), like=like) if name in rows.names else None

    def _column_of(self, data: Any, role: str, argument: str | None = None) -> Any:
        return self._ids_and_rows(data, role, argument)[0]

    def _ids_and_rows(self, data: Any, role: str, argument: str | None = None) -> tuple[NDArray[Any], Rows | None]:
        """Return the ids of a role from ids (1-D) or from rows; ``argument`` is their name in error messages."""
        self._need_role(role)
        argument = argument or _ARGUMENTS[role]
        if is_table(data):
            rows = as_rows(data, name=argument)
            return rows.column(self._position(rows, role)), rows
        return read_ids(data, argument), None

    def _position(self, rows: Rows, role: str, cure: str = "Add it, or pass ids.") -> int:
        """Return the position in ``rows`` of the column that had this role in ``fit``."""
        return role_position(rows, self._estimator_roles, role, cure)

    def _read_events(self, X: Any) -> tuple[Rows, NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        """Read rows that need only the user, the item and, if ``fit`` had one, the time.

        Return the rows, the ids of their users and items, and their times. Columns are found by name; other columns
        are ignored. An array may lack columns at its end.
        """
        rows = self._as_rows(X, 1)
        if rows.names is None and rows.n_columns >= self.n_features_in_:
            self._read(X, reset=False)  # raises or warns as in predict
        user, item = (rows.column(self._position(rows, role, "Add it.")) for role in ("user", "item"))
        if self._estimator_roles.time is None:
            return rows, user, item, None
        return rows, user, item, rows.times(self._position(rows, "time", "Add it."), like=self._time_kind)

    def role_ids(self, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the user ids and item ids of rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Rows with the user and item columns of ``fit``.

        Returns
        -------
        users, items : ndarray of shape (n_rows,)

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> users, items = model.role_ids(events[:2])
        >>> users.tolist(), items.tolist()
        (['ann', 'ann'], ['x', 'y'])
        """
        check_is_fitted(self)
        rows = as_rows(X)
        return rows.column(self._position(rows, "user")), rows.column(self._position(rows, "item"))
