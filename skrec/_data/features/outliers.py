"""Means and scales that a few extreme values cannot move, and values that stand for something else than a number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spread", "learn_spread", "moments", "within_limits"]

Floats = NDArray[np.float64]

_FEW = 20
"""Columns with fewer values than this have no limits: their quantiles tell too little."""

_SAMPLED = 100_000
_FENCE = 10.0
"""Number of robust standard deviations beyond which a value is extreme; normal values never are."""

_COVERAGES = ((0.25, 1.349), (0.1, 2.563), (0.05, 3.290), (0.025, 3.920))
"""Lower quantiles, and the widths that the normal distribution has between them and the upper ones."""

_LEAST_COUNT, _LEAST_SHARE, _LEAST_SHARE_OF_SIDE = 3, 0.001, 0.3
_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_TINY = 64 * float(np.finfo(np.float64).eps)


class Spread(NamedTuple):
    """What standardises columns of numbers.

    Parameters
    ----------
    means, scales : ndarray of shape (k,), float64
        Of the values that are neither missing nor extreme.
    limits : ndarray of shape (k, 2), float64
        The standardised values below and above which one is extreme; infinite where there are none.
    sentinels : list of (int, float)
        Columns, and extreme values that they repeat, such as -999: these stand for something else than a number.

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
    """Return means and scales of columns, extreme values aside.

    A value is extreme if it is more than 10 robust standard deviations off the median; one such deviation is the
    range between two quantiles, divided by that of the normal distribution: the quartiles, or the nearest ones further
    out that differ. Means and scales are those of :func:`moments` where no value is extreme.

    Parameters
    ----------
    block : ndarray of shape (n_rows, k), float64
        NaN values are left out.
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
    """Draw extreme values near the limits; their order stays.

    Parameters
    ----------
    standardised : ndarray of shape (n_rows, k), float64
    limits : ndarray of shape (k, 2), float64
        See :class:`Spread`.

    Returns
    -------
    ndarray of shape (n_rows, k), float64
        Beyond a limit by ``x`` is beyond it by ``log(1 + log(1 + x))``: at most 6.5.

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
    """Return means and scales of columns whose values may be of any size.

    Parameters
    ----------
    block : ndarray of shape (n_rows, k), float64
        NaN values are left out.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    means, scales : ndarray of shape (k,), float64
        The scale is the standard deviation; 1 for a constant column.

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
    # Divided by a power of two, which is exact, squares neither overflow nor vanish.
    unit = np.ldexp(1.0, np.clip(np.frexp(np.maximum(-low, high))[1], -1000, 1000))
    in_units = np.where(missing, 0.0, block / unit)
    total = weights @ ~missing
    total[total <= 0.0] = 1.0
    mean = weights @ in_units / total
    apart = np.where(missing, 0.0, in_units - mean)
    shift = weights @ apart / total  # What rounding left over
    deviation = np.sqrt(np.maximum(weights @ apart**2 / total - shift**2, 0.0))
    with np.errstate(over="ignore"):
        spread = np.where(high > low, high - low, 1.0)  # Also where values differ by rounding, or have no weight.
    scales = np.where(deviation > _ROUNDING, deviation * unit, spread)
    return np.where(high > low, (mean + shift) * unit, low), scales


def _fences(block: Floats) -> tuple[Floats, Floats]:
    """Return the least and the greatest value of each column that is not extreme; infinite if that cannot be told."""
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
