"""Confidence intervals of metrics, which treat the held-out users as a sample of all users."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.utils import check_random_state

_CELLS = 2**20  # number of values that are resampled at a time


class ConfidenceInterval(NamedTuple):
    """The limits of a confidence interval.

    Parameters
    ----------
    low, high : float
        Lower and upper limit.

    Examples
    --------
    >>> from skrec.metrics import bootstrap_interval
    >>> bootstrap_interval([0.5, 0.5, 0.5])
    ConfidenceInterval(low=0.5, high=0.5)
    """

    low: float
    high: float


def bootstrap_interval(
    values: ArrayLike, *, confidence_level: float = 0.95, n_resamples: int = 9999, random_state: Any = 0
) -> ConfidenceInterval:
    """Compute a bootstrap confidence interval of a mean over users, such as a ranking metric.

    Parameters
    ----------
    values : array-like of shape (n_users,)
        One value per user, as returned by metrics with ``per_user=True``. Users whose value is NaN are left out.
    confidence_level : float, default=0.95
        Confidence level of the interval, between 0 and 1.
    n_resamples : int, default=9999
        Number of samples of users.
    random_state : int, RandomState or None, default=0
        Random state of the resampling. Pass an int for reproducible results.

    Returns
    -------
    ConfidenceInterval
        A named tuple of `low` and `high`.

    Raises
    ------
    ValueError
        If fewer than two users have a value, a value is infinite, or a parameter is out of range.

    Notes
    -----
    Each sample has as many users as the data, drawn with replacement; the limits are quantiles of the means (the
    percentile method [1]_ of :func:`scipy.stats.bootstrap`). The time is proportional to ``n_users * n_resamples``: a
    third of a second for 6,000 users. (The time of the BCa method is quadratic in the number of users, and its
    corrections are negligible for a mean of many users.)

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993. :doi:`10.1201/9780429246593`

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.metrics import bootstrap_interval
    >>> hits = np.repeat([0.0, 1.0], [700, 300])
    >>> low, high = bootstrap_interval(hits)
    >>> print(f"{hits.mean():.3f} [{low:.3f}, {high:.3f}]")
    0.300 [0.272, 0.328]
    """
    check_resampling(confidence_level, n_resamples)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"values must hold one number per user, got an array of shape {array.shape}.")
    return interval_of(array[~np.isnan(array)], confidence_level, n_resamples, generator(random_state))


def interval_of(
    values: NDArray[np.float64], confidence_level: float, n_resamples: int, rng: np.random.Generator
) -> ConfidenceInterval:
    """Return the interval of the mean of values without NaN."""
    if np.isinf(values).any():
        raise ValueError(f"{np.isinf(values).sum()} user(s) have an infinite value: all values must be finite.")
    if len(values) < 2:
        raise ValueError(f"{len(values)} user(s) have a value: an interval needs at least 2 users.")
    result = stats.bootstrap(
        (values,),
        np.mean,
        vectorized=True,
        method="percentile",
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        batch=at_once(len(values)),
        random_state=rng,
    )
    low, high = result.confidence_interval
    return ConfidenceInterval(float(low), float(high))


def at_once(n_users: int) -> int:
    """Return the number of samples of users to draw at a time."""
    return max(1, _CELLS // n_users)


def generator(random_state: Any) -> np.random.Generator:
    """Return a generator that is seeded from a random state of scikit-learn."""
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))


def check_resampling(confidence_level: Any, n_resamples: Any) -> None:
    """Raise an error for parameters that are out of range."""
    if not isinstance(confidence_level, Real) or not 0 < float(confidence_level) < 1:
        raise ValueError(f"confidence_level must be a number between 0 and 1, such as 0.95, got {confidence_level!r}.")
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, Integral) or n_resamples < 1:
        raise ValueError(f"n_resamples must be a whole number of at least 1, got {n_resamples!r}.")
