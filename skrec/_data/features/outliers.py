"""Means and scales that are robust to a few extreme values, and sentinel values that do not stand for a number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spread", "learn_spread", "moments", "within_limits"]

Floats = NDArray[np.float64]

_FEW = 20
"""Columns with fewer values than this have no limits, because their quantiles are not reliable."""

_SAMPLED = 100_000
_FENCE = 10.0
"""Number of robust standard deviations beyond which a value is extreme; normal values never are."""

_COVERAGES = ((0.25, 1.349), (0.1, 2.563), (0.05, 3.290), (0.025, 3.920))
"""Lower quantiles, and the distances between them and the upper quantiles in the normal distribution."""

_LEAST_COUNT, _LEAST_SHARE, _LEAST_SHARE_OF_SIDE = 3, 0.001, 0.3
_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_TINY = 64 * float(np.finfo(np.float64).eps)


class Spread(NamedTuple):
    """The statistics that standardize numeric columns.

    Parameters
    ----------
    means, scales : ndarray of shape (k,), float64
        Means and scales of the values that are neither missing nor extreme.
    limits : ndarray of shape (k, 2), float64
        The standardized values below and above which a value is extreme; infinite if there are no limits.
    sentinels : list of (int, float)
        Columns and their repeated extreme values, such as -999, which do not stand for a number.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.outliers import learn_spread
    >>> block = np.append(np.arange(97.0), [-999.0] * 3)[:, None]
    >>> spread = learn_spread(block)
    >>> spread.means, spread.sentinels
    (array([48.]), [(0, -999.0)])
    """

    means: Floats
    scales: Floats
    limits: Floats
    sentinels: list[tuple[int, float]]


def learn_spread(block: Floats, sample_weight: Any = None) -> Spread:
    """Return means and scales of columns, ignoring extreme values.

    A value is extreme if it is more than 10 robust standard deviations from the median. A robust standard deviation is
    the range between two quantiles divided by the same range of the normal distribution. The quantiles are the
    quartiles, or the nearest more extreme quantiles that differ. Without extreme values, means and scales are those of
    :func:`moments`.

    Parameters
    ----------
    block : ndarray of shape (n_rows, k), float64
        NaN values are ignored.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    Spread
    """
    means, scales = moments(block, sample_weight)
    counted = np.ones(len(block), dtype=np.bool_) if sample_weight is None else np.asarray(sample_weight) > 0
    low, high = _fences(block[counted] if not counted.all() else block)
    outside = (block < low) | (block > high)
    outside[~counted] = False
    columns = np.flatnonzero(outside.any(axis=0))
    sentinels: list[tuple[int, float]] = []
    if len(columns):
        inside = np.where(outside[:, columns], np.nan, block[:, columns])
        means[columns], scales[columns] = moments(inside, sample_weight)
        for column in columns.tolist():
            values, n_there = block[outside[:, column], column], int((~np.isnan(block[:, column])).sum())
            for side in (values[values < low[column]], values[values > high[column]]):
                found, counts = np.unique(side, return_counts=True)
                least = max(_LEAST_COUNT, _LEAST_SHARE * n_there, _LEAST_SHARE_OF_SIDE * len(side))
                sentinels += [(column, float(value)) for value in found[counts >= least]]
    with np.errstate(over="ignore", invalid="ignore"):
        limits = (np.stack([low, high], axis=1) - means[:, None]) / scales[:, None]
    return Spread(means, scales, limits, sentinels)


def within_limits(standardised: Floats, limits: Floats) -> Floats:
    """Compress extreme values towards the limits without changing their order.

    Parameters
    ----------
    standardised : ndarray of shape (n_rows, k), float64
    limits : ndarray of shape (k, 2), float64
        See :class:`Spread`.

    Returns
    -------
    ndarray of shape (n_rows, k), float64
        A value that exceeds a limit by ``x`` exceeds it by ``log(1 + log(1 + x))`` afterwards, which is at most 6.5.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.outliers import within_limits
    >>> within_limits(np.array([[5.0], [1e12], [-1e300]]), np.array([[-10.0, 10.0]])).round(2)
    array([[  5.  ],
           [ 13.36],
           [-16.54]])
    """
    low, high = limits.T
    if not ((standardised < low) | (standardised > high)).any():
        return standardised
    finite = np.clip(standardised, -1e300, 1e300)
    above, below = np.maximum(finite - high, 0.0), np.maximum(low - finite, 0.0)
    drawn = np.where(above > 0, high + np.log1p(np.log1p(above)), standardised)
    return np.where(below > 0, low - np.log1p(np.log1p(below)), drawn)


def moments(block: Floats, sample_weight: Any = None) -> tuple[Floats, Floats]:
    """Return means and scales of columns whose values may be of any magnitude.

    Parameters
    ----------
    block : ndarray of shape (n_rows, k), float64
        NaN values are ignored.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    means, scales : ndarray of shape (k,), float64
        Means, and scales: the standard deviation, or 1 for a constant column.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.outliers import moments
    >>> moments(np.array([[1.0, 7.0], [5.0, np.nan]]))
    (array([3., 7.]), array([2., 1.]))
    """
    missing = np.isnan(block)
    weights = np.ones(len(block)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    low, high = (np.nan_to_num(extreme.reduce(block, axis=0)) for extreme in (np.fmin, np.fmax))
    # after division by a power of two, which is exact, squares neither overflow nor vanish
    unit = np.ldexp(1.0, np.clip(np.frexp(np.maximum(-low, high))[1], -1000, 1000))
    in_units = np.where(missing, 0.0, block / unit)
    total = weights @ ~missing
    total[total <= 0.0] = 1.0
    mean = weights @ in_units / total
    apart = np.where(missing, 0.0, in_units - mean)
    shift = weights @ apart / total  # the remaining rounding error
    deviation = np.sqrt(np.maximum(weights @ apart**2 / total - shift**2, 0.0))
    with np.errstate(over="ignore"):
        spread = np.where(high > low, high - low, 1.0)  # also if values differ by rounding only, or have no weight
    scales = np.where(deviation > _ROUNDING, deviation * unit, spread)
    return np.where(high > low, (mean + shift) * unit, low), scales


def _fences(block: Floats) -> tuple[Floats, Floats]:
    """Return the smallest and largest non-extreme value of each column, or infinity if they cannot be determined."""
    step = max(1, len(block) // _SAMPLED)
    ordered = np.sort(block[::step], axis=0)  # NaN comes last
    counts = len(ordered) - np.isnan(ordered).sum(axis=0)
    median, spread = np.zeros(block.shape[1]), np.zeros(block.shape[1])
    if len(ordered):
        median = _quantile(ordered, counts, 0.5)
        tiny = _TINY * np.abs(median)
        with np.errstate(over="ignore", invalid="ignore"):
            for level, width in reversed(_COVERAGES):
                found = (_quantile(ordered, counts, 1.0 - level) - _quantile(ordered, counts, level)) / width
                spread = np.where(found > tiny, found, spread)
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.where((counts >= _FEW) & (spread > 0) & np.isfinite(spread), _FENCE * spread, np.inf)
        return median - reach, median + reach


def _quantile(ordered: Floats, counts: NDArray[np.intp], level: float) -> Floats:
    at = np.round(level * np.maximum(counts - 1, 0)).astype(np.intp)[None]
    return np.asarray(np.where(counts > 0, np.take_along_axis(ordered, at, axis=0)[0], 0.0))
