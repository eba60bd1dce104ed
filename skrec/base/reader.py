"""What every recommender knows of its data: the columns' roles, the vocabularies, and how rows and ids are read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import ABSENT, Interactions, Roles, Rows, Vocabulary, as_rows, resolve_roles
from skrec._data.events.windows import Windows
from skrec._data.ids.id_lists import read_ids
from skrec._data.tables.roles import role_position
from skrec._data.tables.spelling import guessing
from skrec._recommend import is_table
from skrec._sklearn_compat import StrOptions
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
        Their codes.
    rows : Rows or None
        The rows they came in, where they came with features or a context.
    at : ndarray of shape (n,) or None
        The row of each; None: in order.
    times : ndarray of shape (n,) or None
        Of queries: only what was before counts; None: all that is known.
    history : Windows or None
        Of queries: what to go by instead of the stored histories.
    """

    codes: Codes
    rows: Rows | None = None
    at: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    history: Windows | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class Reader(ReadsOneState, BaseEstimator):
    """Base of all recommenders: it reads their rows and ids.

    A subclass fits :attr:`_users`, :attr:`_items`, :attr:`_log` and :attr:`_estimator_roles`. Fitted attributes are
    annotated as fields with ``init=False``: they are not parameters, and nothing is set before ``fit``.
    """

    user: str | int | None = None
    item: str | int | None = None
    time: str | int | None = None
    handle_unknown: Literal["oov", "error"] = "oov"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "user": [str, Integral, None],
        "item": [str, Integral, None],
        "time": [str, Integral, None],
        "handle_unknown": [StrOptions({"oov", "error"})],
    }

    _users: Vocabulary = field(init=False, repr=False)
    _items: Vocabulary = field(init=False, repr=False)
    _log: Interactions = field(init=False, repr=False)
    _estimator_roles: Roles = field(init=False, repr=False)
    _time_kind: str | None = field(default=None, init=False, repr=False)
    """The kind of the times of ``fit`` (:meth:`Rows.time_kind`); None: unknown, or times are not compared."""

    _keeps_times: ClassVar[bool] = False  # whether times of ``fit`` are compared with those of later rows

    def __init_subclass__(cls, **options: Any) -> None:
        """Take parameters and their constraints from the nearest class in the method resolution order.

        Dataclasses go by the last base that *has* a field, inherited ones included: an architecture beside a task
        would bring back the defaults that the task had replaced. Fitted attributes (``init=False``) have no defaults
        to replace and are left alone.
        """
        super().__init_subclass__(**options)
        own = dict(vars(cls).get("__annotations__", {}))
        constraints = dict(vars(cls).get("_parameter_constraints", {}))
        bases = [base for base in cls.__mro__[1:] if "__dataclass_fields__" in vars(base)]
        parameters = [each for base in reversed(bases) for each in fields(base) if each.init]
        defaults = {each.name: each.default for each in parameters}
        for base in bases:
            constraints = {**vars(base).get("_parameter_constraints", {}), **constraints}
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
        """Ids of the items of the catalogue, in vocabulary order; shape (n_items,)."""
        check_is_fitted(self)
        self._need_role("item")
        return self._items.ids

    @property
    def column_roles_(self) -> pd.DataFrame:
        """What each column of ``X`` was taken for in ``fit``, and why.

        One row a column, indexed by its name or position, with the columns ``role`` (``"user"``, ``"item"``,
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

    def _described_columns(self) -> dict[int, tuple[str, str, str]]:
        """Return role, kind and reason of the columns that are used, by position."""
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
        """Check ``X`` as scikit-learn does (names, number of columns) without turning it into one array.

        Errors ``guess`` which of the names of ``fit`` a misspelt one may have meant.
        """
        rows = self._as_rows(X, self._min_columns() if reset else 1)
        with guessing(getattr(self, "feature_names_in_", None) if guess and not reset else None, rows.names):
            validate_data(self, X, y, reset=reset, skip_check_array=True)
        return rows

    def _as_rows(self, X: Any, n_least: int) -> Rows:
        """Read a table of at least so many columns; say which are needed."""
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
        """Whether ``fit`` saw a column of users or of items."""
        return bool(getattr(self._estimator_roles, role) != ABSENT)

    def _need_role(self, role: str) -> None:
        """Refuse what cannot be told without a column of users or of items."""
        if not self._has_role(role):
            raise AttributeError(
                f"This {type(self).__name__} was fitted without {role}s, as a model of a plain table. To recommend "
                "items, say which columns hold the ids: user=..., item=..."
            )

    def _vocabularies(self, rows: Rows, roles: Roles, *, resume: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        """Fit the vocabularies, or have new ids join them; with the codes of the rows.

        Without a column the vocabulary is empty, and all codes are 0.
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
        """Codes of the rows' users and items; 0 without a column. For ``allow_unknown`` see :meth:`_encode`."""
        roles = self._estimator_roles
        codes = [
            np.zeros(rows.n_rows, np.int32)
            if at == ABSENT
            else self._encode(rows.column(at), role, allow_unknown=allow_unknown)
            for role, at in (("user", roles.user), ("item", roles.item))
        ]
        return codes[0], codes[1]

    def _encode(self, ids: Any, role: str, where: str | None = None, *, allow_unknown: bool = False) -> Codes:
        """Codes of ids; unknown ones are 0, or an error if ``handle_unknown`` says so.

        ``where`` is the argument that they came in, for error messages; None: a column of ``X``. Ids of another
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
        """Read users or items given as ids (1-D) or as rows: their ids, and what scores depend on."""
        ids, rows = self._ids_and_rows(data, role)
        where = _ARGUMENTS[role] if rows is None else f"{_ARGUMENTS[role]}[{rows.label(self._position(rows, role))}]"
        times = self._times_in(rows) if rows is not None and role == "user" else None
        return ids, Query(self._encode(ids, role, where, allow_unknown=allow_unknown), rows, times=times)

    def _times(self, rows: Rows) -> NDArray[Any] | None:
        """Return the times of rows with the columns of ``fit``, which must be of the kind that ``fit`` saw."""
        time = self._estimator_roles.time
        return None if time is None else rows.times(time, like=self._time_kind)

    def _fit_times(self, rows: Rows, *, fresh: bool, more: bool) -> NDArray[Any] | None:
        """Return the times of the rows of ``fit`` and keep their kind; where there are ``more``, it is that of before.

        A model of which it is not known, from a file of an older version, does not learn it from further rows.
        """
        if fresh:
            self._time_kind = None
        times, position = self._times(rows), self._estimator_roles.time
        compared = self._keeps_times and self._has_role("user")  # a plain table remembers nobody
        if position is not None and compared and self._time_kind is None and not more:
            self._time_kind = rows.time_kind(position)
        return times

    def _times_in(self, rows: Rows, *, compared: bool = True) -> NDArray[Any] | None:
        """Return the times of rows that need not have any, and perhaps are not ``compared`` with those of ``fit``."""
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
        """Take the ids of a role from ids (1-D) or from rows; errors call them ``argument``."""
        self._need_role(role)
        argument = argument or _ARGUMENTS[role]
        if is_table(data):
            rows = as_rows(data, name=argument)
            return rows.column(self._position(rows, role)), rows
        return read_ids(data, argument), None

    def _position(self, rows: Rows, role: str, cure: str = "Add it, or pass ids.") -> int:
        """Position in ``rows`` of the column that had this role in ``fit``."""
        return role_position(rows, self._estimator_roles, role, cure)

    def _read_events(self, X: Any) -> tuple[Rows, NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        """Read rows of which no more is needed than the user, the item and, if ``fit`` had one, the time.

        Returns the rows, the ids of their users and items, and their times. Columns are found by name, whatever others
        there are. An array may lack columns at its end.
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
