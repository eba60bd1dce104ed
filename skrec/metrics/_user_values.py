"""Compute the values of all users from scores: all metrics and cutoffs in one pass."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec.metrics._functions import FunctionMetric
from skrec.metrics._metric_names import depth_of
from skrec.metrics._ranks import group_ranks, metrics_from_ranks, n_not_below, positive_ranks, ratio, rival_chunks

Values = dict[str, NDArray[np.float64]]


def values_of_rows(
    names: Sequence[str],
    scores: NDArray[Any],
    positives: csr_array,
    excluded: csr_array | None = None,
    *,
    n_relevant: NDArray[np.integer] | None = None,
    graded: bool = False,
) -> Values:
    """Return the values of the rows of an array of scores, one row per user.

    Parameters
    ----------
    names : sequence of str
        Metrics of ranks, and ``"auc"``.
    scores, positives, excluded
        As for `positive_ranks`.
    n_relevant : ndarray of shape (n_rows,) or None, default=None
        Number of relevant items of each row, including those without a column. If None, the number of positives.
    graded : bool, default=False
        Whether the values of `positives` are the gains of NDCG.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        The values by name; NaN for rows without relevant items and, for the AUC, without irrelevant items.
    """
    counts = np.diff(positives.indptr) if n_relevant is None else n_relevant
    of_ranks = [name for name in names if name != "auc"]
    values: Values = {}
    if of_ranks:
        indptr, ranks = positive_ranks(scores, positives, excluded, depth=depth_of(of_ranks))
        alike = not graded or not (positives.data != positives.data[:1]).any()  # equal gains cancel out
        gains = None if alike else positives.data
        told = any(isinstance(name, FunctionMetric) for name in names)
        n_items = _n_ranked(scores, positives, excluded) if told else None
        values = metrics_from_ranks(of_ranks, indptr, ranks, counts, gains, n_items=n_items)
    if "auc" in names:
        values["auc"] = _auc_of_rows(scores, positives, excluded, counts)
    return {name: values[name] for name in names}


def values_of_groups(
    names: Sequence[str], groups: NDArray[np.integer], relevance: NDArray[Any], scores: NDArray[Any], n_groups: int
) -> Values:
    """Return the values of groups of rows; arguments as for `group_ranks`.

    Returns
    -------
    dict of str to ndarray of shape (n_groups,)
        The values by name; NaN for groups without relevant rows and, for the AUC, without irrelevant rows.
    """
    indptr, ranks, gains = group_ranks(groups, relevance, scores, n_groups)
    of_ranks = [name for name in names if name != "auc"]
    n_items = np.bincount(groups, minlength=n_groups)
    values = metrics_from_ranks(of_ranks, indptr, ranks, np.diff(indptr), gains, n_items=n_items)
    if "auc" in names:
        values["auc"] = _auc_of_groups(groups, relevance > 0, scores, n_groups)
    return {name: values[name] for name in names}


def _n_ranked(scores: NDArray[Any], positives: csr_array, excluded: csr_array | None) -> NDArray[np.int64]:
    """Return the number of ranked columns of each row: all except excluded columns that are not positive."""
    n_rows, n_columns = scores.shape
    left_out = np.zeros(n_rows, dtype=np.int64)
    if excluded is not None:
        left_out = np.diff(excluded.indptr) - np.diff(excluded.multiply(positives.astype(bool)).tocsr().indptr)
    return np.asarray(n_columns - left_out)


def _auc_of_rows(
    scores: NDArray[Any], positives: csr_array, excluded: csr_array | None, n_relevant: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return, for each row, the share of (relevant, irrelevant) pairs of columns in the right order; ties count half.

    A relevant item without a column loses all its pairs.
    """
    won: list[NDArray[np.float64]] = [np.empty(0)]
    n_rivals: list[NDArray[np.integer]] = [np.empty(0, dtype=np.intp)]
    for part in rival_chunks(scores, positives, excluded):
        there = np.count_nonzero(~np.isnan(part.rivals), axis=1)
        not_below = n_not_below(part.rivals, part.rows, part.own)
        np.negative(part.rivals, out=part.rivals)
        not_above = n_not_below(part.rivals, part.rows, -part.own)
        # The number of rivals below, plus half of the tied ones.
        of_positive = (there[part.rows] - not_below + not_above) / 2
        won.append(np.bincount(part.rows, weights=of_positive, minlength=len(there)).astype(np.float64))
        n_rivals.append(there)
    return ratio(np.concatenate(won), np.concatenate(n_rivals) * n_relevant)


def _auc_of_groups(
    groups: NDArray[np.integer], relevant: NDArray[np.bool_], scores: NDArray[Any], n_groups: int
) -> NDArray[np.float64]:
    """Return, for each group, the share of (relevant, irrelevant) pairs of rows in the right order."""
    order = np.lexsort((scores, groups))
    group, score, hit = groups[order], scores[order], relevant[order]
    starts = np.append(True, (group[1:] != group[:-1]) | (score[1:] != score[:-1]))[: len(group)]
    tied = np.cumsum(starts) - 1  # rows of one group and one score
    hits, others = np.bincount(tied, weights=hit), np.bincount(tied, weights=~hit)
    n_hits, n_others = (np.bincount(groups, weights=part, minlength=n_groups) for part in (relevant, ~relevant))
    before = np.cumsum(n_others) - n_others  # in earlier groups
    below = np.cumsum(others) - others - before[group[starts]]
    won = np.bincount(group[starts], weights=hits * (below + others / 2), minlength=n_groups)
    return ratio(won, (n_hits * n_others).astype(np.int64))
