"""The k best of each row, exactly, ties broken by the lower column. NumPy alone."""

from __future__ import annotations

import numpy as np

__all__ = ["top_k"]

_GROUP = 32


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and scores of the ``k`` largest entries of each row, best first.

    Parameters
    ----------
    scores : ndarray of shape (n, m)
        Without NaN; ``-inf`` marks what must not be chosen.
    k : int
        At most m.

    Returns
    -------
    columns : ndarray of shape (n, k) of int64
    values : ndarray of shape (n, k)

    Notes
    -----
    For many columns the maximum of each group of columns is taken first. The k-th largest of these maxima is reached by
    at least k entries, so that only entries as large, in groups whose maximum is, can be among the k best: few are left
    to sort.
    """
    n, m = scores.shape
    n_groups = m // _GROUP
    if n_groups <= 2 * k:
        columns = _select(scores, k)
        return columns, np.take_along_axis(scores, columns, axis=1)
    width = n_groups * _GROUP
    best = scores[:, :width].reshape(n, _GROUP, n_groups).max(axis=1)
    reached = np.partition(best, n_groups - k, axis=1)[:, n_groups - k]
    usable = np.where(reached > -np.inf, reached, np.inf)[:, None]  # rows with little to choose from come last
    row, group = np.nonzero(best >= usable)
    column = group[:, None] + n_groups * np.arange(_GROUP)
    value = scores[row[:, None], column]
    large = value >= usable[row]
    tail_row, tail_column = np.nonzero(scores[:, width:] >= usable)
    rows = np.concatenate([np.repeat(row, _GROUP)[large.ravel()], tail_row])
    columns = np.concatenate([column[large], width + tail_column])
    values = np.concatenate([value[large], scores[tail_row, width + tail_column]])
    order = np.lexsort((columns, -values, rows))
    counts = np.bincount(rows, minlength=n)
    first = np.minimum((np.cumsum(counts) - counts)[:, None] + np.arange(k), max(len(order) - 1, 0))
    chosen = columns[order][first] if len(order) else np.zeros((n, k), dtype=np.int64)
    few = np.flatnonzero(reached == -np.inf)
    chosen[few] = _select(scores[few], k)
    return chosen, np.take_along_axis(scores, chosen, axis=1)


def _select(scores: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k largest of each row, best first, the lower column first among equals."""
    m = scores.shape[1]
    if k < m:
        chosen = np.sort(np.argpartition(scores, m - k, axis=1)[:, m - k :], axis=1)
        threshold = np.take_along_axis(scores, chosen, axis=1).min(axis=1, keepdims=True)
        tied = (scores >= threshold).sum(axis=1) > k
        for row in np.flatnonzero(tied):
            chosen[row] = np.sort(np.argsort(-scores[row], kind="stable")[:k])
    else:
        chosen = np.broadcast_to(np.arange(m), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
