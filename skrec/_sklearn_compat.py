"""The only module that imports from scikit-learn's private modules; it supports all versions since 1.6.

Names that scikit-learn renames or moves are adapted here and nowhere else.
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any, TypeVar

from sklearn import base as _base
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    InvalidParameterError,
    MissingValues,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import Interval as _Interval
from sklearn.utils._param_validation import Options as _Options
from sklearn.utils._set_output import _get_output_config as get_output_config
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _get_feature_names as get_feature_names
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "POSITION",
    "BaseSearchCV",
    "HasMethods",
    "Hidden",
    "Interval",
    "InvalidParameterError",
    "MissingValues",
    "MultimetricScorer",
    "Options",
    "RealNotInt",
    "StrOptions",
    "_fit_context",
    "check_feature_names_in",
    "check_method_params",
    "column_transformer_inputs",
    "fit_and_score",
    "get_feature_names",
    "get_output_config",
    "num_samples",
    "safe_indexing",
    "validate_parameter_constraints",
]

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Interval(_Interval):
    """scikit-learn's constraint of a number, except that booleans, which Python counts as integers, do not pass.

    Examples
    --------
    >>> from numbers import Integral
    >>> from skrec.base import Interval
    >>> positive = Interval(Integral, 1, None, closed="left")
    >>> [positive.is_satisfied_by(value) for value in (1, 0, True)]
    [True, False, False]
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value satisfies the constraint."""
        return not isinstance(val, bool) and bool(super().is_satisfied_by(val))


class Options(_Options):
    """scikit-learn's constraint of some values of a type, except that True is not taken for 1, nor False for 0.

    Examples
    --------
    >>> from numbers import Integral
    >>> from skrec.base import Options
    >>> [Options(Integral, {1, 2}).is_satisfied_by(value) for value in (1, 3, True)]
    [True, False, False]
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value satisfies the constraint."""
        return not isinstance(val, bool) and bool(super().is_satisfied_by(val))


class _Position(Interval):
    """An integer of any size, such as the position of a column."""

    def __init__(self) -> None:
        super().__init__(Integral, None, None, closed="neither")

    def __str__(self) -> str:
        return "an instance of 'int'"


POSITION = _Position()


def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
    """Return scikit-learn's decorator of ``fit``, which checks the parameters against ``_parameter_constraints``."""
    decorator: Callable[[_Method], _Method] = _base._fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return decorator


def column_transformer_inputs(transformer: Any) -> dict[str, list[int]]:
    """Return the positions of the input columns of each transformer of a fitted ``ColumnTransformer``, by name."""
    return {name: list(map(int, columns)) for name, columns in transformer._transformer_to_input_indices.items()}
