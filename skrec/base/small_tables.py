"""Settings of small tables that depend on the rows: the number of epochs, the bins, and what is done to categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_ID_DROPOUT",
    "RARE",
    "best_epoch",
    "hold_out_in_turn",
    "holds_out_by_default",
    "is_small",
    "mean_curve",
    "most_bins",
]

_FEWEST, _MOST = 200, 10_000  # from so many rows on, and below so many
_LATEST = 0.2
_ROWS_PER_BIN, _FEWEST_BINS = 16, 8
RARE = 1
"""A category of a small table with at most so many rows is treated as unknown."""
LEAST_ID_DROPOUT = 0.1
"""Fraction of the categories of a small table that are dropped at least, unless none are to be dropped."""


def is_small(n_rows: int) -> bool:
    """Return whether a table is small, but large enough to hold out rows.

    Examples
    --------
    >>> from skrec.base.small_tables import is_small
    >>> [is_small(n_rows) for n_rows in (199, 200, 9_999, 10_000)]
    [False, True, True, False]
    """
    return _FEWEST <= n_rows < _MOST


def holds_out_by_default(n_rows: int) -> bool:
    """Return whether a table is larger than a small one, so that validation rows are held out by default.

    Examples
    --------
    >>> from skrec.base.small_tables import holds_out_by_default
    >>> [holds_out_by_default(n_rows) for n_rows in (9_999, 10_000)]
    [False, True]
    """
    return n_rows >= _MOST


def most_bins(n_rows: int, n_numbers: int) -> int:
    """Return the maximum number of bins of each number in a small table, a power of two, to share programs.

    All numbers together have at most one bin per 16 rows, because each bin has weights of its own. If this leaves fewer
    than 8 bins for a number, the result is 0: numbers have one weight vector each, and no bins.

    Examples
    --------
    >>> from skrec.base.small_tables import most_bins
    >>> [most_bins(n_rows, n_numbers=6) for n_rows in (300, 1000, 3000, 9000)]
    [0, 8, 16, 64]
    """
    n_bins = n_rows / (_ROWS_PER_BIN * max(n_numbers, 1))
    return int(2 ** np.floor(np.log2(n_bins))) if n_bins >= _FEWEST_BINS else 0


def hold_out_in_turn(
    n_rows: int,
    random_state: np.random.RandomState,
    *,
    labels: NDArray[np.generic] | None = None,
    time: NDArray[np.generic] | None = None,
) -> list[NDArray[np.bool_]]:
    """Return masks of the rows to hold out in turn.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    random_state : RandomState
        Source of random numbers.
    labels : ndarray of shape (n_rows,), optional
        Labels that all folds should have in the same proportions. A label with fewer rows than folds is allowed.
    time : ndarray of shape (n_rows,), optional
        Sortable times. If given, the only fold is the latest fifth of the rows.

    Returns
    -------
    list of ndarray of shape (n_rows,), bool
        Five folds below 1,000 rows, otherwise three; every row is in one of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.small_tables import hold_out_in_turn
    >>> labels = np.repeat([0, 1], [400, 100])
    >>> folds = hold_out_in_turn(500, np.random.RandomState(0), labels=labels)
    >>> [np.bincount(labels[fold]).tolist() for fold in folds]
    [[80, 20], [80, 20], [80, 20], [80, 20], [80, 20]]
    """
    if time is not None:
        latest = np.zeros(n_rows, bool)
        latest[np.argsort(time, kind="stable")[-max(1, round(_LATEST * n_rows)) :]] = True
        return [latest]
    n_folds = 5 if n_rows < 1_000 else 3
    order = random_state.permutation(n_rows)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(n_rows, np.intp)
    fold[order] = np.arange(n_rows) % n_folds
    return [fold == number for number in range(n_folds)]


def mean_curve(scores: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean score of the folds after each epoch; a fold that stopped keeps its last score.

    Examples
    --------
    >>> from skrec.base.small_tables import mean_curve
    >>> mean_curve([[-1.0, -0.5, -0.25], [-2.0, -1.5]])
    [-1.5, -1.0, -0.875]
    """
    return [float(score) for score in _padded(scores).mean(axis=0)]


def best_epoch(scores: Sequence[Sequence[float]]) -> int:
    """Return the fewest epochs whose mean score is within one standard error of the best.

    The standard error is that of the mean difference between epochs within a fold, because folds differ more from each
    other than epochs do. This is the one-standard-error rule of Breiman et al. (1984, section 3.4.3,
    doi:10.1201/9781315139470) for paired differences. With one fold, it is the best epoch.

    Parameters
    ----------
    scores : sequence of sequences of float
        Scores of each fold after each epoch; higher is better.

    Returns
    -------
    int
        Number of epochs, from 1.

    Examples
    --------
    >>> from skrec.base.small_tables import best_epoch
    >>> best_epoch([[-0.5, -0.38, -0.36], [-0.5, -0.36, -0.37]])
    2
    """
    curves = _padded(scores)
    best = int(np.argmax(curves.mean(axis=0)))
    if len(curves) == 1:
        return best + 1
    behind = curves[:, [best]] - curves
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(curves))
    return int(np.argmax(behind.mean(axis=0) <= error)) + 1


def _padded(scores: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    longest = max(map(len, scores))
    return np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in scores])
