"""From scores to the best items: among candidates that queries share, and among lists that differ by query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data.tables.columns import as_column
from skrec._recommend import CandidateLists, top_k
from skrec.base.reader import Query

ScoreConsumer = Callable[[Any, NDArray[np.float32]], None]

_CELLS = 2**23  # scores held at a time
_FEW_QUERIES = 64  # whose lists are scored together, by their union


def chunks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of ``n`` rows whose scores of ``width`` columns stay within memory."""
    size = max(1, _CELLS // max(1, width))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def retrieve_exactly(
    score: Callable[[ScoreConsumer], None], k: int, left_out: csr_array
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the columns and the scores of the k best items of each query, by scoring all of them.

    Parameters
    ----------
    score : callable
        ``score(consume)`` calls ``consume(slice or numbers of queries, their scores)`` for all queries, perhaps in
        several threads; the scores may be written to.
    k : int
        At most the number of items.
    left_out : csr_array of shape (n_queries, n_items), bool
        The items that must not be chosen.

    Returns
    -------
    columns : ndarray of shape (n_queries, k), int64
    scores : ndarray of shape (n_queries, k), float32
        Best first, ties in the order of the columns; -inf where nothing is left to choose.
    """
    shape = (left_out.shape[0], k)
    columns, scores = np.empty(shape, np.int64), np.empty(shape, np.float32)

    def choose(part: Any, block: NDArray[np.float32]) -> None:
        if isinstance(part, slice):
            first, stop, _ = part.indices(len(columns))
            indptr, indices = left_out.indptr[first : stop + 1], left_out.indices
        else:
            out = left_out[part]
            indptr, indices = out.indptr, out.indices
        rows = np.repeat(np.arange(block.shape[0], dtype=np.int32), np.diff(indptr))
        block[rows, indices[indptr[0] : indptr[-1]]] = -np.inf
        columns[part], scores[part] = top_k(block, k)

    if k:
        score(choose)
    return columns, scores


def take_queries(queries: Query, at: NDArray[np.intp]) -> Query:
    """Return some of the queries, or of the items."""
    return replace(
        queries,
        codes=queries.codes[at],
        at=None if queries.rows is None else at if queries.at is None else queries.at[at],
        times=None if queries.times is None else queries.times[at],
        history=None if queries.history is None else queries.history.take(at),
        whole=False,
    )


def score_pairs_by_blocks(
    score: Callable[[Query, Query, ScoreConsumer], None],
    queries: Query,
    items: Query,
    query: NDArray[np.int64],
    item: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Score pairs by a function that scores blocks: those of a few queries by all of the items that one of them has.

    Parameters
    ----------
    score : callable
        ``score(queries, items, consume)``, as ``Recommender._score_catalogue``.
    queries, items : Query
    query, item : ndarray of shape (n_pairs,)
        The numbers of the query, in order, and of the item of each pair.

    Returns
    -------
    ndarray of shape (n_pairs,), float32
    """
    scores = np.empty(len(query), np.float32)
    for start in range(0, len(queries.codes), _FEW_QUERIES):
        low, high = np.searchsorted(query, [start, start + _FEW_QUERIES])
        if low == high:
            continue
        here, row = np.unique(query[low:high], return_inverse=True)
        needed, column = np.unique(item[low:high], return_inverse=True)
        block = np.empty((len(here), len(needed)), np.float32)

        def keep(part: Any, values: NDArray[np.float32], block: NDArray[np.float32] = block) -> None:
            block[part] = values

        score(take_queries(queries, here), take_queries(items, needed), keep)
        scores[low:high] = block[row, column]
    return scores


def distinct_pairs(lists: CandidateLists, codes: NDArray[np.int32], n_items: int) -> tuple[Any, Any, Any]:
    """Return the pairs of a query and an item, each once, and their places among equal scores.

    Parameters
    ----------
    lists : CandidateLists
    codes : ndarray of shape (n_pairs,)
        Codes of the items; 0 for unknown ones, which the ids tell apart.
    n_items : int

    Returns
    -------
    first : ndarray of shape (n_distinct,)
        The first pair of each; sorted by query, then in vocabulary order, unknown items last.
    tie : ndarray of shape (n_distinct,)
    same : ndarray of shape (n_pairs,)
        For each pair, the first pair that is equal to it.
    """
    place = codes.astype(np.int64)
    unknown = np.flatnonzero(codes == 0)
    if len(unknown):
        place[unknown] = n_items + 1 + pd.factorize(as_column(lists.ids)[unknown])[0]
    width = int(place.max(initial=0)) + 1
    _, first, pair = np.unique(lists.query * width + place, return_index=True, return_inverse=True)
    return first, place[first], first[pair]


def check_k(k: Any) -> None:
    """Refuse what is not a number of items to return."""
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of at least 1: how many items to return.")
