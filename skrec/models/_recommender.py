"""What every recommender can do once it knows how to score: recommend, score items, tell what it has seen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import ABSENT, Interactions, Roles, Rows, Vocabulary, as_rows, resolve_roles
from skrec._data.columns import as_column
from skrec._data.windows import Windows
from skrec._engine.topk import top_k
from skrec._recommend import refuse_history
from skrec._sklearn_compat import StrOptions
from skrec.exceptions import ColumnError

Codes = NDArray[np.int32]
_CELLS = 2**23  # scores held at a time
_ARGUMENTS = {"user": "queries", "item": "candidates"}


@dataclass(frozen=True)
class Asked:
    """Users or items whose scores are asked for.

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


class _Fitted:
    """What every fitted recommender holds; no dataclass, so that none of it becomes a parameter."""

    _users: Vocabulary
    _items: Vocabulary
    _log: Interactions
    _estimator_roles: Roles


@dataclass(eq=False, repr=False, kw_only=True)
class Recommender(_Fitted, BaseEstimator):
    """Base of all recommenders: the columns' roles, the vocabularies, the log of seen items, and ``recommend``.

    A subclass fits :attr:`_users`, :attr:`_items`, :attr:`_log` and :attr:`_estimator_roles`, and scores with
    :meth:`_score_rows` and :meth:`_score_catalogue`.
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

    def __init_subclass__(cls, **options: Any) -> None:
        """Take parameters and their constraints from the nearest class in the method resolution order.

        Dataclasses go by the last base that *has* a field, inherited ones included: an architecture beside a task
        would bring back the defaults that the task had replaced.
        """
        super().__init_subclass__(**options)
        own = dict(vars(cls).get("__annotations__", {}))
        constraints = dict(vars(cls).get("_parameter_constraints", {}))
        bases = [base for base in cls.__mro__[1:] if "__dataclass_fields__" in vars(base)]
        defaults = {field.name: field.default for base in reversed(bases) for field in fields(base)}
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

    # -- what a subclass provides -------------------------------------------------------------------------------------

    @abstractmethod
    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        """Relevance of each row's item for its user, shape (n,)."""

    @abstractmethod
    def _score_catalogue(self, queries: Asked, items: Asked) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Yield (slice of queries, relevance of all items for them)."""

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

    def __sklearn_is_fitted__(self) -> bool:
        return "_users" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags

    # -- reading X ----------------------------------------------------------------------------------------------------

    def _read(self, X: Any, y: Any = "no_validation", *, reset: bool) -> Rows:
        """Check ``X`` as scikit-learn does (names, number of columns) without turning it into one array."""
        rows = as_rows(X, min_columns=self._min_columns() if reset else 1)
        validate_data(self, X, y, reset=reset, skip_check_array=True)
        return rows

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

    def _vocabularies(self, rows: Rows, roles: Roles, *, going_on: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        """Fit the vocabularies, or have new ids join them; with the codes of the rows.

        Without a column the vocabulary is empty, and all codes are 0.
        """
        found: list[Any] = []
        for role, position, name in (("user", roles.user, roles.user_name), ("item", roles.item, roles.item_name)):
            if position == ABSENT:
                found += [Vocabulary(np.empty(0, np.int64), name), np.zeros(rows.n_rows, np.int32)]
            elif going_on:
                found += getattr(self, f"_{role}s").extend(rows.column(position))
            else:
                found += Vocabulary.fit(rows.column(position), name=name)
        return found[0], found[1], found[2], found[3]

    def _pair_codes(self, rows: Rows) -> tuple[Codes, Codes]:
        """Codes of the rows' users and items; 0 without a column."""
        roles = self._estimator_roles
        codes = [
            np.zeros(rows.n_rows, np.int32) if at == ABSENT else self._encode(rows.column(at), role)
            for role, at in (("user", roles.user), ("item", roles.item))
        ]
        return codes[0], codes[1]

    def _encode(self, ids: Any, role: str, where: str | None = None) -> Codes:
        """Codes of ids; unknown ones are 0, or an error if ``handle_unknown`` says so.

        ``where`` is the argument that they came in, for error messages; None: a column of ``X``.
        """
        vocabulary = self._users if role == "user" else self._items
        codes = vocabulary.encode(ids, where=where)
        if self.handle_unknown == "error":
            vocabulary.refuse_unknown(ids, codes)
        vocabulary.doubt_kind(ids, codes)
        return codes

    def _asked(self, data: Any, role: str) -> tuple[NDArray[Any], Asked]:
        """Read users or items given as ids (1-D) or as rows: their ids, and what scores depend on."""
        ids, rows = self._ids_and_rows(data, role)
        where = _ARGUMENTS[role] if rows is None else f"{_ARGUMENTS[role]}[{rows.label(self._position(rows, role))}]"
        times = self._times_in(rows) if rows is not None and role == "user" else None
        return ids, Asked(self._encode(ids, role, where), rows, times=times)

    def _times_in(self, rows: Rows) -> NDArray[Any] | None:
        """Return the times of rows that need not have any."""
        roles = self._estimator_roles
        if roles.time is None:
            return None
        if rows.names is None or roles.names is None:
            return rows.times(roles.time) if roles.time < rows.n_columns else None
        name = roles.names[roles.time]
        return rows.times(rows.names.index(name)) if name in rows.names else None

    def _column_of(self, data: Any, role: str) -> Any:
        return self._ids_and_rows(data, role)[0]

    def _ids_and_rows(self, data: Any, role: str) -> tuple[NDArray[Any], Rows | None]:
        """Take the ids of a role from ids (1-D) or from rows."""
        self._need_role(role)
        if np.isscalar(data) or data is None or isinstance(data, (str, bytes)):
            raise ValueError(f"Expected a list of {role} ids or rows, got {data!r}. Pass a list: [{data!r}].")
        if isinstance(data, (set, frozenset, dict)):
            data = list(data)
        two_dimensional = isinstance(data, pd.DataFrame) or getattr(data, "ndim", 1) == 2 or hasattr(data, "to_series")
        if two_dimensional and not isinstance(data, (pd.Series, pd.Index)) and not _is_polars_series(data):
            rows = as_rows(data, name=_ARGUMENTS[role])
            return rows.column(self._position(rows, role)), rows
        return as_column(data), None

    def _position(self, rows: Rows, role: str) -> int:
        """Position in ``rows`` of the column that had this role in ``fit``."""
        roles = self._estimator_roles
        position = roles.user if role == "user" else roles.item
        if rows.names is None or roles.names is None:
            if position >= rows.n_columns:
                raise ColumnError(
                    f"The {role} was column {position} in fit, but there are only {rows.n_columns} columns here."
                )
            return position
        name = roles.names[position]
        if name not in rows.names:
            close = get_close_matches(name, rows.names, n=1)
            raise ColumnError(
                f"There is no column {name!r}, the {role} in fit; the columns are {', '.join(map(repr, rows.names))}."
                f"{f' Did you mean {close[0]!r}? Rename it.' if close else ' Add it, or pass ids.'}"
            )
        return rows.names.index(name)

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

    # -- ranking ------------------------------------------------------------------------------------------------------

    def seen_items(self, queries: Any) -> csr_array:
        """Return which items of the catalogue each user had to do with in ``fit``.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.

        Returns
        -------
        csr_array of shape (n_queries, n_items)
            True where the user has seen the item; columns in the order of ``items_``. Unknown users have seen nothing.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.items_.tolist(), model.seen_items(["bob", "new"]).toarray().tolist()
        (['x', 'y', 'z'], [[False, True, False], [False, False, False]])
        """
        check_is_fitted(self)
        return self._log.seen(self._asked(queries, "user")[1].codes)

    def score_items(self, queries: Any = None, candidates: Any = None, *, history: Any = None) -> NDArray[np.float32]:
        """Score items for users: the relevance that :meth:`recommend` ranks by.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.
        candidates : array-like of shape (n_candidates,) or rows, default=None
            Item ids, or rows with an item column; the whole catalogue by default.
        history : None
            Only for models that read histories.

        Returns
        -------
        ndarray of shape (n_queries, n_items or n_candidates), float32
            Columns in the order of ``items_`` or of ``candidates``.

        Raises
        ------
        TypeError
            If there is a ``history``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.score_items(["ann", "bob"])
        array([[1., 2., 1.],
               [1., 2., 1.]], dtype=float32)
        >>> model.score_items(["ann"], candidates=["y", "x"])
        array([[2., 1.]], dtype=float32)
        """
        refuse_history(self, history)
        check_is_fitted(self)
        return self._scored(self._asked(queries, "user")[1], candidates)

    def _scored(self, asked: Asked, candidates: Any) -> NDArray[np.float32]:
        items = Asked(self._catalogue_codes()) if candidates is None else self._asked(candidates, "item")[1]
        scores = np.empty((len(asked.codes), len(items.codes)), np.float32)
        for part, block in self._score_catalogue(asked, items):
            scores[part] = block
        return scores

    def recommend(
        self,
        queries: Any = None,
        k: int = 10,
        *,
        history: Any = None,
        candidates: Any = None,
        exclude_seen: bool = True,
        exclude: Any = None,
        as_frame: bool = True,
    ) -> Any:
        """Return the ``k`` best items for each query.

        Parameters
        ----------
        queries : array-like of shape (n_queries,) or rows
            User ids, or rows with a user column.
        k : int, default=10
            How many items at most.
        history : None
            Only for models that read histories, such as :class:`~skrec.models.SASRecRanker`.
        candidates : array-like of shape (n_candidates,) or rows, default=None
            The items to choose from: ids, or rows with an item column. The whole catalogue by default.
        exclude_seen : bool, default=True
            Leave out the items that the user had to do with in ``fit``.
        exclude : array-like of shape (n_pairs, 2) or rows, default=None
            Further (user, item) pairs to leave out.
        as_frame : bool, default=True
            Whether to return a DataFrame or a pair of arrays.

        Returns
        -------
        DataFrame
            Columns: user, item (named as in ``fit``), ``score`` and ``rank`` (from 1); best first, at most ``k`` rows a
            query, in the order of the queries. Equal scores are ranked in vocabulary order. An unknown user gets what
            the row of unknown users scores best (or an error, see ``handle_unknown``).
        items, scores : ndarray of shape (n_queries, min(k, n_candidates))
            With ``as_frame=False``. Where fewer items are left for a user, the score is ``-inf`` and the item None.

        Raises
        ------
        ValueError
            If ``k`` is not a whole number of at least 1, or there are no queries or candidates.
        TypeError
            If there is a ``history``.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import PopularityRanker
        >>> events = pd.DataFrame({"user_id": ["ann", "ann", "bob", "cy"], "item_id": ["x", "y", "y", "z"]})
        >>> model = PopularityRanker().fit(events)
        >>> model.recommend(["bob", "new"], k=2)
          user_id item_id  score  rank
        0     bob       x    1.0     1
        1     bob       z    1.0     2
        2     new       y    2.0     1
        3     new       x    1.0     2
        >>> model.recommend(["bob"], candidates=["y", "z"], exclude_seen=False)
          user_id item_id  score  rank
        0     bob       y    2.0     1
        1     bob       z    1.0     2
        """
        refuse_history(self, history)
        check_is_fitted(self)
        return self._ranked(
            *self._asked(queries, "user"),
            k,
            candidates=candidates,
            exclude_seen=exclude_seen,
            exclude=exclude,
            as_frame=as_frame,
        )

    def _ranked(
        self,
        ids: NDArray[Any],
        asked: Asked,
        k: int,
        *,
        candidates: Any,
        exclude_seen: bool,
        exclude: Any,
        as_frame: bool,
    ) -> Any:
        """Rank for queries that have been read; see :meth:`recommend`."""
        _check_k(k)
        item_ids, chosen_from = self._candidates(candidates)
        users, items = asked.codes, chosen_from.codes
        left_out = self._seen_among(asked, items) if exclude_seen else csr_array((len(users), len(items)), dtype=bool)
        if exclude is not None:
            left_out = left_out.maximum(self._excluded_among(exclude, ids, item_ids)).tocsr()
        k = min(int(k), len(items))
        columns, scores = np.empty((len(users), k), np.int64), np.empty((len(users), k), np.float32)
        for part, block in self._score_catalogue(asked, chosen_from):
            block = block if block.flags.writeable else block.copy()  # noqa: PLW2901
            out = left_out[part]
            block[np.repeat(np.arange(block.shape[0]), np.diff(out.indptr)), out.indices] = -np.inf
            columns[part], scores[part] = top_k(block, k)
        chosen = item_ids[columns]
        kept = scores > -np.inf
        if as_frame:
            return self._frame(ids, chosen, scores, kept)
        if not kept.all():
            chosen = chosen.astype(object)
            chosen[~kept] = None
        return chosen, scores

    def similar_items(self, items: Any, k: int = 10) -> pd.DataFrame:
        """Return the items whose embeddings point the same way.

        Parameters
        ----------
        items : array-like of shape (n,) or rows
            Item ids, or rows with an item column.
        k : int, default=10
            How many for each.

        Returns
        -------
        DataFrame
            Columns: the item column named as in ``fit``, ``similar_item``, ``score`` (cosine of the angle between the
            embeddings, from -1 to 1) and ``rank``; best first. An item is not similar to itself.

        Raises
        ------
        AttributeError
            If the model has no item embeddings.
        UnknownIdError
            If an item was not seen in ``fit``.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.models import NCFRanker
        >>> model = NCFRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
        >>> similar = model.similar_items([3], k=2)
        >>> similar.columns.tolist(), len(similar)
        (['item_id', 'similar_item', 'score', 'rank'], 2)
        """
        check_is_fitted(self)
        _check_k(k)
        ids = self._column_of(items, "item")
        codes = self._items.encode(ids, where="items")
        self._items.refuse_unknown(ids, codes)
        vectors: NDArray[np.float32] = normalize(self.item_embeddings_)
        k = min(int(k), len(vectors) - 1)
        columns, scores = np.empty((len(codes), k), np.int64), np.empty((len(codes), k), np.float32)
        for part in chunks(len(codes), len(vectors)) if k else ():
            cosines = vectors[codes[part] - 1] @ vectors.T
            cosines[np.arange(len(cosines)), codes[part] - 1] = -np.inf
            columns[part], scores[part] = top_k(cosines, k)
        return pd.DataFrame(
            {
                self._estimator_roles.item_name: np.repeat(ids, k),
                "similar_item": self._items.ids[columns].ravel(),
                "score": scores.ravel(),
                "rank": np.tile(np.arange(1, k + 1), len(codes)),
            }
        )

    def _frame(self, users: Any, items: Any, scores: Any, kept: Any) -> pd.DataFrame:
        roles = self._estimator_roles
        ranks = np.broadcast_to(np.arange(1, items.shape[1] + 1), items.shape)
        return pd.DataFrame(
            {
                roles.user_name: np.repeat(np.asarray(users), kept.sum(axis=1)),
                roles.item_name: items[kept],
                "score": scores[kept],
                "rank": ranks[kept],
            }
        )

    def _catalogue_codes(self) -> Codes:
        self._need_role("item")
        return np.arange(1, len(self._items) + 1, dtype=np.int32)

    def _candidates(self, candidates: Any) -> tuple[NDArray[Any], Asked]:
        """Ids and codes of the candidates, each once: known ones in vocabulary order, then unknown ones."""
        if candidates is None:
            return self._items.ids, Asked(self._catalogue_codes())
        ids, asked = self._asked(candidates, "item")
        if len(ids) == 0:
            raise ValueError("candidates is empty: pass at least one item id, or None for the whole catalogue.")
        codes = asked.codes
        known, first = np.unique(codes, return_index=True)
        known, first = known[known > 0], first[known > 0]
        strangers = np.flatnonzero(codes == 0)
        strangers = strangers[~pd.Series(as_column(ids)[strangers]).duplicated().to_numpy()]
        at = np.concatenate([first, strangers])
        if len(strangers) == 0:
            return self._items.ids[known - 1], Asked(known, asked.rows, at)
        both = [*self._items.ids[known - 1], *as_column(ids)[strangers]]
        return as_column(both), Asked(codes[at], asked.rows, at)

    def _seen(self, queries: Asked) -> csr_array:
        """Mark the items of the catalogue that queries have seen."""
        return self._log.seen(queries.codes)

    def _seen_among(self, queries: Asked, items: Codes) -> csr_array:
        """Mark the (query, candidate) pairs that have been seen."""
        seen, n_items = self._seen(queries), len(self._items)
        if len(items) == n_items and items[0] == 1 and items[-1] == n_items:
            return seen
        known = seen[:, items[items > 0] - 1].tocsr()  # unknown candidates come last, and nobody has seen them
        return csr_array((known.data, known.indices, known.indptr), shape=(len(queries.codes), len(items)))

    def _excluded_among(self, exclude: Any, queries: NDArray[Any], candidates: NDArray[Any]) -> csr_array:
        """Mark the (query, candidate) pairs that ``exclude`` names; by id, for they need not be known."""
        if isinstance(exclude, (set, frozenset)):
            exclude = list(exclude)
        if len(exclude) == 0 or len(queries) == 0:
            return csr_array((len(queries), len(candidates)), dtype=bool)
        rows = as_rows(exclude, name="exclude", min_columns=2)
        user, item = (0, 1) if rows.names is None else (self._position(rows, "user"), self._position(rows, "item"))
        users, user_codes = Vocabulary.fit(queries, name=self._estimator_roles.user_name)
        items, item_codes = Vocabulary.fit(candidates, name=self._estimator_roles.item_name)
        pairs = users.encode(rows.column(user)), items.encode(rows.column(item))
        excluded = Interactions.from_codes(*pairs, n_users=len(users), n_items=len(items)).seen(user_codes)
        return excluded[:, item_codes - 1].tocsr()


def _check_k(k: Any) -> None:
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of at least 1: how many items to return.")


def _is_polars_series(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] == "polars" and not hasattr(data, "columns")


def chunks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of ``n`` rows whose scores of ``width`` columns stay within memory."""
    size = max(1, _CELLS // max(1, width))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
