"""Ranks of relevant items among all scored items, and the metrics that follow from them, without a loop over users.

Every ranking metric of skrec is computed here, for the metric functions, the scorers and early stopping, so that ties,
excluded items and users without relevant items are always treated in the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.metrics._functions import FunctionMetric, values_of_function
from skrec.metrics._metric_names import depth_of, parse_metric

_CHUNK_ELEMENTS = 2**19  # number of scores that are copied at a time, so that they fit into a cache
_MOST_COMPARED = 4  # a row with more positives is sorted instead of compared once per positive
_WHOLE_LIST = np.iinfo(np.int64).max


def positive_ranks(
    scores: NDArray[Any], positives: csr_array, excluded: csr_array | None = None, *, depth: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rank of every positive among the columns of its row; ties count against the positive.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Scores; higher is better. Infinite scores are allowed, NaN is not.
    positives : csr_array of shape (n_rows, n_columns)
        Its stored entries are the relevant columns of each row. The values only break ties between positives: the one
        with the lower value comes first.
    excluded : csr_array of shape (n_rows, n_columns) or None, default=None
        Its stored entries are left out of the ranking, unless they are positives.
    depth : int or None, default=None
        Largest rank that must be exact: for larger ranks, any number above `depth` may be returned, which is faster if
        there are many positives. If None, all ranks are exact.

    Returns
    -------
    indptr : ndarray of shape (n_rows + 1,)
        The ranks of row ``i`` are ``ranks[indptr[i]:indptr[i + 1]]``, in the order of the stored entries.
    ranks : ndarray of shape (n_positives,)
        Ranks from 1. Other columns with the same score come before a positive; tied positives have consecutive ranks.

    Raises
    ------
    ValueError
        If the shapes differ or a score is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> scores = np.array([[0.9, 0.5, 0.5, 0.1]])
    >>> positive_ranks(scores, csr_array([[0, 1, 0, 1]]), csr_array([[1, 0, 0, 0]]))[1]
    array([2, 3])
    """
    ranks = np.empty(len(positives.indices), dtype=np.int64)
    for part in rival_chunks(scores, positives, excluded):
        before = n_not_below(part.rivals, part.rows, part.own, depth)
        near = np.arange(len(before)) if depth is None else np.flatnonzero(before < depth)
        before[near] += _places_among_positives(part.rows[near], part.own[near], positives.data[part.here][near])
        ranks[part.here] = 1 + before
    return positives.indptr.astype(np.int64), ranks


@dataclass(frozen=True, eq=False)
class Rivals:
    """The scores that the positives of some rows are ranked against.

    Parameters
    ----------
    here : slice
        The positions of these positives among all positives.
    rows : ndarray of shape (n_positives,)
        The row of each positive; sorted.
    own : ndarray of shape (n_positives,)
        The score of each positive.
    rivals : ndarray of shape (n_rows, n_columns)
        The scores of these rows, with NaN for positives and excluded columns. No comparison with NaN is true, so these
        columns never count. It is a copy that may be modified.
    """

    here: slice
    rows: NDArray[np.int64]
    own: NDArray[Any]
    rivals: NDArray[Any]


def rival_chunks(scores: NDArray[Any], positives: csr_array, excluded: csr_array | None = None) -> Iterator[Rivals]:
    """Yield the rivals of the positives, some rows at a time; arguments as for `positive_ranks`."""
    scores = np.asarray(scores)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    for name, matrix in (("positives", positives), ("excluded", excluded)):
        if matrix is not None and matrix.shape != scores.shape:
            raise ValueError(f"{name} has shape {matrix.shape}, but scores has shape {scores.shape}: make them equal.")
    n_rows, n_columns = scores.shape
    chunk = max(1, _CHUNK_ELEMENTS // max(1, n_columns))
    for start in range(0, n_rows, chunk):
        stop = min(start + chunk, n_rows)
        here, rows = _cells_of(positives, start, stop)
        rivals = scores[start:stop].copy()
        refuse_nan(rivals, start)
        own = rivals[rows, positives.indices[here]]
        rivals[rows, positives.indices[here]] = np.nan
        if excluded is not None:
            left_out, left_out_rows = _cells_of(excluded, start, stop)
            rivals[left_out_rows, excluded.indices[left_out]] = np.nan
        yield Rivals(here, rows, own, rivals)


def refuse_nan(scores: NDArray[Any], start: int = 0) -> None:
    """Raise an error if a score is NaN; `start` is the number of the first row."""
    if np.isnan(scores.min(initial=np.inf)):
        row, column = np.argwhere(np.isnan(scores))[0]
        raise ValueError(f"Score of row {start + row}, column {column} is NaN: only numbers can be ranked.")


def ratio(values: NDArray[Any], counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Divide sums by counts; NaN where a count is 0."""
    return np.where(counts > 0, values / np.maximum(counts, 1), np.nan)


def _cells_of(matrix: csr_array, start: int, stop: int) -> tuple[slice, NDArray[np.int64]]:
    """Return the slice of the stored entries of some rows, and the row of each entry, counted from `start`."""
    rows = np.repeat(np.arange(stop - start), np.diff(matrix.indptr[start : stop + 1]))
    return slice(int(matrix.indptr[start]), int(matrix.indptr[stop])), rows


def group_ranks(
    groups: NDArray[np.integer], relevance: NDArray[Any], scores: NDArray[Any], n_groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the rank of every relevant row among the rows of its group; ties count against the more relevant row.

    Parameters
    ----------
    groups : ndarray of shape (n_rows,)
        Group of each row, from 0.
    relevance, scores : ndarray of shape (n_rows,)
        Relevance, above 0 where the row is relevant, and score of each row. Neither may be NaN.
    n_groups : int
        Number of groups.

    Returns
    -------
    indptr : ndarray of shape (n_groups + 1,)
        The ranks of group ``i`` are ``ranks[indptr[i]:indptr[i + 1]]``, best first.
    ranks : ndarray of shape (n_relevant,)
        Ranks from 1.
    gains : ndarray of shape (n_relevant,)
        The relevance of these rows.

    Examples
    --------
    >>> import numpy as np
    >>> group_ranks(np.array([0, 0, 1]), np.array([0, 2, 1]), np.array([0.5, 0.5, 0.1]), 2)
    (array([0, 1, 2]), array([2, 1]), array([2., 1.]))
    """
    gains = np.maximum(relevance, 0).astype(np.float64)
    order = np.lexsort((gains, -scores, groups))
    ranks = 1 + _places(groups[order])
    kept = gains[order] > 0
    counts = np.bincount(groups[order][kept], minlength=n_groups)
    return np.append(0, np.cumsum(counts)), ranks[kept], gains[order][kept]


def n_not_below(
    rivals: NDArray[Any], rows: NDArray[Any], own: NDArray[Any], depth: int | None = None
) -> NDArray[np.int64]:
    """Return, for each positive (grouped by row), the number of rivals in its row whose score is at least its own.

    With `depth`, counts of `depth` or more may be replaced by any number that is at least `depth`.
    """
    counts = np.bincount(rows, minlength=len(rivals))
    first = np.cumsum(counts) - counts
    result = np.empty(len(own), dtype=np.int64)
    for place in range(min(_MOST_COMPARED, int(counts.max(initial=0)))):
        chosen = np.flatnonzero((counts > place) & (counts <= _MOST_COMPARED))
        block = rivals if len(chosen) == len(rivals) else rivals[chosen]
        at = first[chosen] + place
        result[at] = np.sum(block >= own[at, None], axis=1, dtype=np.int32)  # faster than count_nonzero
    many = np.flatnonzero(counts > _MOST_COMPARED)
    if len(many):
        at = np.flatnonzero(counts[rows] > _MOST_COMPARED)
        block = rivals if len(many) == len(rivals) else rivals[many]
        row = np.searchsorted(many, rows[at])
        if depth is None or depth >= block.shape[1]:
            result[at] = _n_not_below_sorted(np.sort(block, axis=1), row, own[at])
        else:
            upside_down = -block
            upside_down.partition(depth - 1, axis=1)  # NaN is at the end
            result[at] = np.count_nonzero(upside_down[:, :depth][row] <= -own[at, None], axis=1)
    return result


def _n_not_below_sorted(ordered: NDArray[Any], rows: NDArray[Any], own: NDArray[Any]) -> NDArray[np.int64]:
    """Count by bisection, for all positives at once, in rows sorted upwards with NaN at the end."""
    n_columns = ordered.shape[1]
    n_rivals = n_columns - np.count_nonzero(np.isnan(ordered), axis=1)[rows]
    low, high = np.zeros(len(own), dtype=np.int64), n_rivals.copy()
    for _ in range(int(n_columns).bit_length()):
        middle = (low + high) // 2
        below = (low < high) & (ordered[rows, np.minimum(middle, n_columns - 1)] < own)
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return np.asarray(n_rivals - low, dtype=np.int64)


def _places_among_positives(rows: NDArray[Any], own: NDArray[Any], gains: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of positives of the same row that come before each positive."""
    order = np.lexsort((gains, -own, rows))
    places = np.empty(len(rows), dtype=np.int64)
    places[order] = _places(rows)
    return places


def _places(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return 0, 1, 2, ... within each run of equal values of the sorted `rows`."""
    counts = np.bincount(rows)
    return np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


@dataclass(frozen=True)
class _Ranking:
    """Ranks of the relevant items of n_rows users, from which every metric is computed."""

    rows: NDArray[np.int64]
    ranks: NDArray[np.int64]
    n_relevant: NDArray[np.int64]
    gains: NDArray[Any] | None

    def _sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(self.rows, weights=values, minlength=len(self.n_relevant)).astype(np.float64)

    @cached_property
    def _precision_at_own_rank(self) -> NDArray[np.float64]:
        order = np.lexsort((self.ranks, self.rows))
        precision = np.empty(len(order))
        precision[order] = (1 + _places(self.rows)) / self.ranks[order]
        return precision

    def hits(self, k: int) -> NDArray[np.float64]:
        return self._sum(self.ranks <= k)

    def ndcg(self, k: int) -> NDArray[np.float64]:
        gains = np.ones(len(self.rows)) if self.gains is None else self.gains.astype(np.float64)
        dcg = self._sum(np.where(self.ranks <= k, gains / np.log2(self.ranks + 1.0), 0.0))
        if self.gains is None:
            depth = min(k, int(self.n_relevant.max(initial=0)))
            discounts = 1 / np.log2(np.arange(2.0, depth + 2))
            ideal: NDArray[np.float64] = np.append(0.0, np.cumsum(discounts))[np.minimum(self.n_relevant, depth)]
        else:
            best = gains[np.lexsort((-gains, self.rows))]
            places = _places(self.rows)
            ideal = self._sum(np.where(places < k, best / np.log2(places + 2.0), 0.0))
        return dcg / ideal

    def recall(self, k: int) -> NDArray[np.float64]:
        return self.hits(k) / self.n_relevant

    def capped_recall(self, k: int) -> NDArray[np.float64]:
        return self.hits(k) / np.minimum(k, self.n_relevant)

    def precision(self, k: int) -> NDArray[np.float64]:
        return self.hits(k) / k

    def hit_rate(self, k: int) -> NDArray[np.float64]:
        return (self.hits(k) > 0).astype(np.float64)

    def average_precision(self, k: int) -> NDArray[np.float64]:
        total = self._sum(np.where(self.ranks <= k, self._precision_at_own_rank, 0.0))
        return total / np.minimum(k, self.n_relevant)

    def reciprocal_rank(self, k: int) -> NDArray[np.float64]:
        best = np.full(len(self.n_relevant), np.inf)
        np.minimum.at(best, self.rows, self.ranks.astype(np.float64))
        return np.where(best <= k, 1 / best, 0.0)


_METRICS: dict[str, Callable[[_Ranking, int], NDArray[np.float64]]] = {
    "ndcg": _Ranking.ndcg,
    "recall": _Ranking.recall,
    "capped_recall": _Ranking.capped_recall,
    "precision": _Ranking.precision,
    "hit_rate": _Ranking.hit_rate,
    "map": _Ranking.average_precision,
    "mrr": _Ranking.reciprocal_rank,
}


def metrics_from_ranks(
    names: Sequence[str],
    indptr: NDArray[np.integer],
    ranks: NDArray[np.integer],
    n_relevant: NDArray[np.integer],
    gains: NDArray[Any] | None = None,
    *,
    n_items: NDArray[np.integer] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Compute metrics per row from the ranks that `positive_ranks` returns.

    Parameters
    ----------
    names : sequence of str
        Metrics such as ``"ndcg@10"`` and ``"map"``; their kinds are listed in ``_metric_names.PER_RANK``.
    indptr : ndarray of shape (n_rows + 1,)
        The ranks of row ``i`` are ``ranks[indptr[i]:indptr[i + 1]]``.
    ranks : ndarray of shape (n_positives,)
        Ranks of the relevant items, from 1.
    n_relevant : ndarray of shape (n_rows,)
        Number of relevant items, including those without a rank because they could not be recommended: they are misses
        that count in the ideal DCG and in the denominator of recall.
    gains : ndarray of shape (n_positives,) or None, default=None
        Graded relevance for NDCG (the gain is the relevance itself). If None, every gain is 1.
    n_items : ndarray of shape (n_rows,) or None, default=None
        Number of items that are ranked. Required if there is a :class:`FunctionMetric`, which receives it.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        The values by name; NaN for rows without relevant items.

    Raises
    ------
    ValueError
        If a metric is unknown.

    Examples
    --------
    The first user has relevant items at ranks 1 and 3, the second has a relevant item that is not in the catalogue.

    >>> import numpy as np
    >>> values = metrics_from_ranks(["ndcg@2", "recall@2"], np.array([0, 2, 2]), np.array([3, 1]), np.array([2, 1]))
    >>> values["ndcg@2"].round(3), values["recall@2"]
    (array([0.613, 0.   ]), array([0.5, 0. ]))
    """
    functions = [name for name in names if isinstance(name, FunctionMetric)]
    parsed = {name: parse_metric(name) for name in names if name not in functions}
    counted = np.asarray(n_relevant, dtype=np.int64)
    rows, places = np.repeat(np.arange(len(counted)), np.diff(indptr)), np.asarray(ranks, dtype=np.int64)
    deepest = depth_of([*parsed])
    if gains is None and deepest is not None:  # otherwise, later ranks count in the ideal DCG
        rows, places = rows[places <= deepest], places[places <= deepest]
    ranking = _Ranking(rows, places, counted, gains)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {name: _METRICS[kind](ranking, k or _WHOLE_LIST) for name, (kind, k) in parsed.items()}
    for name in functions:
        assert n_items is not None
        values[name] = values_of_function(name, indptr, ranks, counted, n_items)
    return {name: np.where(counted == 0, np.nan, value) for name, value in values.items()}
