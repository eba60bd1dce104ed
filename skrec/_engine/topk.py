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
    For many columns the maximum of each group of 32 is taken first: the k best lie in the k groups with the best maxima
    and those that tie with the last of them. A row in which a tie crosses the boundary of what was looked at is ranked
    anew.
    """
    m = scores.shape[1]
    n_groups = m // _GROUP
    if n_groups <= 4 * k:
        columns = _select(scores, k)
        return columns, np.take_along_axis(scores, columns, axis=1)
    width = n_groups * _GROUP
    best = scores[:, :width].reshape(len(scores), _GROUP, n_groups).max(axis=1)
    groups = np.argpartition(best, n_groups - k, axis=1)[:, n_groups - k :]
    looked_at = (groups[:, :, None] + np.arange(_GROUP) * n_groups).reshape(len(scores), k * _GROUP)
    rest = np.broadcast_to(np.arange(width, m), (len(scores), m - width))
    looked_at = np.sort(np.concatenate([looked_at, rest], axis=1), axis=1)
    candidates = np.take_along_axis(scores, looked_at, axis=1)
    chosen = _select(candidates, k)
    columns = np.take_along_axis(looked_at, chosen, axis=1)
    values = np.take_along_axis(candidates, chosen, axis=1)
    # A group left out can hold an entry as good as the last chosen only if its maximum ties with it.
    unseen_tie = (best >= values[:, -1:]).sum(axis=1) > (
        np.take_along_axis(best, groups, axis=1) >= values[:, -1:]
    ).sum(axis=1)
    for row in np.flatnonzero(unseen_tie):
        columns[row] = _select(scores[row : row + 1], k)[0]
        values[row] = scores[row, columns[row]]
    return columns, values


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
