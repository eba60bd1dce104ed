"""What models need of scikit-learn: from scikit-learn, or from stand-ins in a process that only serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skrec._serving_only import is_serving_only

if TYPE_CHECKING or not is_serving_only():
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.metaestimators import available_if

    from skrec._sklearn_compat import POSITION, HasMethods, Interval, Options, StrOptions, _fit_context
else:
    from skrec._stand_ins import (
        POSITION,
        BaseEstimator,
        ClassifierMixin,
        HasMethods,
        Interval,
        Options,
        RegressorMixin,
        StrOptions,
        _fit_context,
        available_if,
    )

__all__ = [
    "POSITION",
    "BaseEstimator",
    "ClassifierMixin",
    "HasMethods",
    "Interval",
    "Options",
    "RegressorMixin",
    "StrOptions",
    "_fit_context",
    "available_if",
    "check_features",
    "check_is_fitted",
]


def check_is_fitted(estimator: Any) -> None:
    """Raise ``NotFittedError`` unless the estimator is fitted; scikit-learn is asked only if it is not.

    Examples
    --------
    >>> from skrec._estimators import check_is_fitted
    >>> from skrec.models import PopularityRanker
    >>> check_is_fitted(PopularityRanker().fit([[1, 5], [2, 5]]))
    """
    is_fitted = getattr(estimator, "__sklearn_is_fitted__", None)
    if is_fitted is None or not is_fitted():
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)


def check_features(estimator: Any, X: Any, y: Any, names: tuple[str, ...] | None, n: int, *, reset: bool) -> None:
    """Check the names and the number of features by scikit-learn's ``validate_data``, which sets them if ``reset``.

    Parameters
    ----------
    estimator : estimator
        The estimator that reads `X`.
    X, y : table and targets
        As the estimator was given them.
    names : tuple of str or None
        The names of the columns of `X`, if it has any.
    n : int
        The number of columns of `X`.
    reset : bool
        Whether the estimator learns from `X`. If not, scikit-learn is asked only if the features differ from those
        learned.
    """
    if not reset and isinstance(y, str) and y == "no_validation":
        fitted = getattr(estimator, "feature_names_in_", None)
        same = names is None if fitted is None else names is not None and np.array_equal(fitted, names)
        if same and n == estimator.n_features_in_:
            return
    from sklearn.utils.validation import validate_data

    validate_data(estimator, X, y, reset=reset, skip_check_array=True)
