"""Candidates that differ by query: a dict, a list of lists, a sparse matrix or a frame of pairs, in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data.ids.id_lists import is_array_of_ids, is_list_of_lists, read_ids
from skrec._data.ids.values import refuse_missing
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column, as_column
from skrec._data.tables.table import as_rows, to_pandas
from skrec._recommend._lists_by_user import by_index, lists_by_user

__all__ = ["CandidateLists", "best_in_lists", "read_candidates", "shared_rows"]

HINT = (
    " candidates takes item ids, or rows with item features, for all queries; or a list of its own for each query: a "
    "dict {user: [item, ...]}, a list of lists, a sparse matrix of shape (n_queries, n_items) or a DataFrame with the "
    "columns of the user and the item."
)
_SHARED = "skrec: candidates of all queries"
_RANKED = {"score", "rank"}  # columns that recommend adds to the pairs; not features


@dataclass(frozen=True)
class CandidateLists:
    """The items that each query has to choose from: pairs of a query and an item, sorted by query.

    Parameters
    ----------
    query : ndarray of shape (n_pairs,), int64
        The number of the query; in order.
    ids : ndarray of shape (n_pairs,)
        The ids of the items, in the order in which they were given.
    n_queries : int
    table : DataFrame or None
        The rows that the pairs came in, where these have features.
    rows : ndarray of shape (n_pairs,) or None
        The row of each pair.
    """

    query: NDArray[np.int64]
    ids: Column
    n_queries: int
    table: Any = None
    rows: NDArray[np.int64] | None = None

    @property
    def place(self) -> NDArray[np.int64]:
        """The place of each pair in the list of its query, from 0."""
        return np.arange(len(self.query)) - np.searchsorted(self.query, self.query)

    @property
    def longest(self) -> int:
        """The length of the longest list."""
        return int(np.bincount(self.query, minlength=1).max())

    def take(self, queries: NDArray[np.intp], ids: Column | None = None) -> CandidateLists:
        """Return the lists of some queries, perhaps with other ids for the items."""
        ids = self.ids if ids is None else ids
        bounds = np.searchsorted(self.query, np.arange(self.n_queries + 1))
        lengths = np.diff(bounds)[queries]
        at = np.repeat(bounds[queries] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        rows = None if self.rows is None else self.rows[at]
        return CandidateLists(np.repeat(np.arange(len(queries)), lengths), ids[at], len(queries), self.table, rows)

    def split(self, ids: Column | None = None) -> list[Column]:
        """Return the ids of each query, perhaps others for the items."""
        bounds = np.searchsorted(self.query, np.arange(1, self.n_queries))
        return [*np.split(self.ids if ids is None else ids, bounds)] if self.n_queries else []


def read_candidates(
    candidates: Any,
    users: Column,
    *,
    catalogue: Callable[[], Column] | None,
    names: tuple[str, str],
    n_columns: int | None = None,
    of_scorer: bool = False,
) -> Any:
    """Read candidates: those that all queries share, or lists that differ by query.

    Parameters
    ----------
    candidates : object
        What was passed as ``candidates=``.
    users : ndarray of shape (n_queries,)
        Ids of the queries' users.
    catalogue : callable or None
        Returns the ids that the columns of a sparse matrix stand for; None: there is no catalogue.
    names : tuple of str
        What the columns of the user and the item are called in a frame of pairs.
    n_columns : int or None, default=None
        The columns of rows in an array; None: an array holds no rows.
    of_scorer : bool, default=False
        Whether they are lists for the users that a scorer finds in its rows: all of them may be empty.

    Returns
    -------
    CandidateLists, or None, ndarray or table
        Lists that differ by query; else what all queries share: the whole catalogue, ids, or rows.

    Raises
    ------
    TypeError, ValueError
        If the candidates are invalid: a query has no list, the number of lists differs from the number of queries, or
        a list does not hold ids.
    """
    candidates = by_index(to_pandas(candidates))
    if isinstance(candidates, Mapping):
        if of_scorer:
            of = ("users to score", "user ids of X")
            return _joined(lists_by_user(candidates, users, read_ids, argument="candidates", of=of))
        return _checked(_joined(lists_by_user(candidates, users, _read, argument="candidates", hint=HINT)))
    if sparse.issparse(candidates):
        return _of_matrix(candidates, len(users), catalogue)
    if hasattr(candidates, "columns") and {*names} <= {*candidates.columns} and not _are_shared(candidates):
        pairs = _of_pairs(candidates, users, *names)
        return pairs if of_scorer else _checked(pairs)
    if isinstance(candidates, Iterable) and not is_array_of_ids(candidates) and not isinstance(candidates, str | bytes):
        candidates = list(candidates)  # a generator, or the view of a dict
    if is_list_of_lists(candidates):
        return _by_place(candidates, len(users))
    shared = _shared(candidates, n_columns)
    if isinstance(shared, np.ndarray) and shared.dtype == object and all(isinstance(item, tuple) for item in shared):
        _refuse_pairs(shared, catalogue)
    return shared


def _refuse_pairs(ids: Column, catalogue: Callable[[], Column] | None) -> None:
    """Refuse pairs of a user and an item, unless the ids of items are tuples."""
    if catalogue is not None and len(ids) and not any(isinstance(item, tuple) for item in catalogue()):
        raise ValueError(f"candidates has the tuple {ids[0]!r}, but item ids are not tuples.{HINT}")


def _shared(candidates: Any, n_columns: int | None) -> Any:
    """Check candidates that all queries share: refuse an array that is neither ids nor rows."""
    if candidates is None or hasattr(candidates, "columns"):
        return candidates
    shape: tuple[int, ...] = getattr(candidates, "shape", ())
    if len(shape) != 2:
        return read_ids(candidates, "candidates", hint=HINT)
    if shape[1] != n_columns:
        raise ValueError(
            f"candidates is an array of shape {tuple(shape)}, whose columns have no names: if each row has the "
            "candidates of one query, pass candidates.tolist(); a table of True and False as "
            f"scipy.sparse.csr_array(candidates); rows with features as a DataFrame.{HINT}"
        )
    return candidates


def _by_place(candidates: Any, n_queries: int) -> CandidateLists:
    if len(candidates) != n_queries:
        raise ValueError(
            f"candidates has {len(candidates)} lists, but there are {n_queries} queries: pass one for each query."
        )
    return _checked(_joined([read_ids(items, f"candidates[{at}]", hint=HINT) for at, items in enumerate(candidates)]))


def best_in_lists(
    query: NDArray[np.int64], tie: NDArray[np.int64], scores: NDArray[Any], n_queries: int, k: int
) -> NDArray[np.int64]:
    """Return the k best pairs of each query.

    Parameters
    ----------
    query, tie, scores : ndarray of shape (n_pairs,)
        The query of each pair, its place among equal scores, and its score: -inf is left out.
    n_queries, k : int

    Returns
    -------
    ndarray of shape (n_queries, k), int64
        Numbers of pairs, best first; -1 where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> best_in_lists(np.array([0, 0, 2]), np.array([5, 4, 4]), np.array([1.0, 1.0, 0.5]), 3, 2).tolist()
    [[1, 0], [-1, -1], [2, -1]]
    """
    order = np.lexsort((tie, -scores, query))
    order = order[scores[order] > -np.inf]
    ordered = query[order]
    nth = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    best = np.full((n_queries, k), -1, dtype=np.int64)
    kept = nth < k
    best[ordered[kept], nth[kept]] = order[kept]
    return best


def shared_rows(table: Any) -> Any:
    """Mark rows as candidates that all queries share, although they have a column of users, which means nothing.

    Transformers make such rows: they return all columns of ``fit``.
    """
    if isinstance(table, np.ndarray):
        return table
    if isinstance(table, pd.DataFrame):
        marked = table.copy(deep=False)
    else:
        marked = pd.DataFrame({name: as_column(table[name]) for name in table.columns})
    marked.attrs = {**marked.attrs, _SHARED: True}
    return marked


def _are_shared(table: Any) -> bool:
    return bool(getattr(table, "attrs", {}).get(_SHARED, False))


def _read(ids: Any, argument: str) -> Column:
    return read_ids(ids, argument, hint=HINT)


def _joined(lists: list[Column]) -> CandidateLists:
    query = np.repeat(np.arange(len(lists)), [len(ids) for ids in lists])
    ids = as_column([*chain.from_iterable(ids.tolist() for ids in lists)])
    if len({ids.dtype for ids in lists}) == 1 and lists:
        ids = np.concatenate(lists)
    return CandidateLists(query, ids, len(lists))


def _checked(lists: CandidateLists) -> CandidateLists:
    if lists.n_queries and not len(lists.ids):
        raise ValueError("candidates is empty: it has no item for any of the queries.")
    return lists


def _of_matrix(matrix: Any, n_queries: int, catalogue: Callable[[], Column] | None) -> CandidateLists:
    if catalogue is None:
        raise TypeError(
            "candidates is a sparse matrix, but the estimator has no catalogue that its columns could stand for: pass "
            "a dict {user: [item, ...]} or a list of lists."
        )
    items, marked = catalogue(), sparse.csr_array(matrix)
    if marked.shape != (n_queries, len(items)):
        raise ValueError(
            f"candidates is a sparse matrix of shape {marked.shape}; it needs a row for each of the {n_queries} "
            f"queries and a column for each of the {len(items)} items, in the order of items_."
        )
    query, position = marked.nonzero()
    order = np.lexsort((position, query))
    return _checked(CandidateLists(query[order].astype(np.int64), items[position[order]], n_queries))


def _of_pairs(table: Any, users: Column, user_name: str, item_name: str) -> CandidateLists:
    owners, ids = (as_column(table[name]) for name in (user_name, item_name))
    refuse_missing(ids, item_name, f"candidates[{item_name!r}]")
    vocabulary, query_codes = Vocabulary.fit(users, name=user_name)
    codes = vocabulary.encode(owners, where=f"candidates[{user_name!r}]")
    if len(users) and not codes.any():
        first = owners[:1].tolist()
        example = f", such as {first[0]!r} ({type(first[0]).__name__})," if first else ""
        raise ValueError(
            f"candidates has the column {user_name!r} of the user, and so is read as pairs of a user and an item; but "
            f"none of its users{example} is one of the queries. Drop that column if all queries share the candidates."
        )
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(vocabulary) + 2))
    lengths = np.diff(bounds)[query_codes]
    at = np.repeat(bounds[query_codes] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    rows = order[at]
    query = np.repeat(np.arange(len(users)), lengths)
    features = {str(name) for name in as_rows(table, name="candidates").names or ()} - {user_name, item_name} - _RANKED
    return CandidateLists(query, ids[rows], len(users), table if features else None, rows if features else None)
