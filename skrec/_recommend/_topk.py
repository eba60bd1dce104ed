"""The k best of each row, exactly, ties broken by the lower column. NumPy alone."""

from __future__ import annotations

import numpy as np

__all__ = ["top_k"]

_GROUP = 16
_MANY = 4  # groups for each of the k best: most of their maxima are equal
_CHUNK = 1 << 12


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
    at least k entries, so that only entries as large can be among the k best: few are left to sort.
    """
    n, m = scores.shape
    n_groups = m // _GROUP
    width = n_groups * _GROUP
    if n_groups <= 2 * k:
        reached = np.partition(scores, m - k, axis=1)[:, m - k, None]
        place = np.flatnonzero(scores >= reached)
    else:
        best = scores[:, :n_groups].copy()
        for at in range(n_groups, width, n_groups):
            np.maximum(best, scores[:, at : at + n_groups], out=best)
        reached = np.partition(best, n_groups - k, axis=1)[:, n_groups - k, None]
        groups = np.flatnonzero(best >= reached)
        if len(groups) > _MANY * n * k:
            place = _first_of_equals(scores, reached[:, 0], k)
        else:
            row, group = np.divmod(groups, n_groups)
            within = (row * m + group) + n_groups * np.arange(_GROUP)[:, None]
            tail_row, tail = np.nonzero(scores[:, width:] >= reached)
            large = scores.take(within) >= reached[row, 0]
            place = np.concatenate([within[large], tail_row * m + width + tail])
        place.sort()
    row, column = np.divmod(place, m)
    first = np.searchsorted(row, np.arange(n))
    nth = np.arange(len(row)) - first[row]
    descending = np.full((n, nth.max(initial=0) + 1), np.inf, scores.dtype)
    descending[row, nth] = -scores[row, column]
    order = np.argsort(descending, axis=1, kind="stable")[:, :k]
    columns = column[first[:, None] + order] if n else np.empty((0, k), np.int64)
    return columns, np.take_along_axis(scores, columns, axis=1)


def _first_of_equals(scores: np.ndarray, reached: np.ndarray, k: int) -> np.ndarray:
    """Return the positions, in the flattened scores, of the k best of each row, if many are equal.

    At least k entries of a row are as large as `reached`.
    """
    m, found = scores.shape[1], []
    for row, (values, last) in enumerate(zip(scores, reached, strict=True)):
        above = np.flatnonzero(values > last)
        if len(above) >= k:
            large = values[above]
            last = np.partition(large, len(large) - k)[len(large) - k]  # noqa: PLW2901
            above = above[large > last]
        found.append(row * m + above)
        missing = k - len(above)
        for start in range(0, m, _CHUNK):
            equal = start + np.flatnonzero(values[start : start + _CHUNK] == last)[:missing]
            found.append(row * m + equal)
            missing -= len(equal)
            if not missing:
                break
    return np.concatenate(found)
