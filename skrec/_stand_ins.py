"""Stand-ins for scikit-learn's classes that models inherit from and describe their parameters by.

Each of them imports scikit-learn when it is needed for the first time. See :mod:`skrec._serving_only`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

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
]


def _of_scikit_learn(name: str) -> Callable[..., Any]:
    """Return a method that calls the one of scikit-learn's class."""

    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        from sklearn.base import BaseEstimator as Real

        return getattr(Real, name)(self, *arguments, **options)

    return call


class BaseEstimator:
    """The methods of scikit-learn's class, which are called with an object of this one."""

    set_params = _of_scikit_learn("set_params")
    get_metadata_routing = _of_scikit_learn("get_metadata_routing")
    _get_metadata_request = _of_scikit_learn("_get_metadata_request")
    __sklearn_clone__ = _of_scikit_learn("__sklearn_clone__")

    @classmethod
    def _get_param_names(cls) -> list[str]:
        names = inspect.signature(cls.__init__).parameters
        return sorted(name for name in names if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; those of parameters with ``deep`` come from scikit-learn."""
        if deep:
            found: dict[str, Any] = _of_scikit_learn("get_params")(self)
            return found
        return {name: getattr(self, name) for name in self._get_param_names()}

    def _validate_params(self) -> None:
        from skrec import _sklearn_compat as real

        constraints = {
            name: [one.made() if isinstance(one, _Later) else one for one in kinds]
            for name, kinds in type(self)._parameter_constraints.items()  # type: ignore[attr-defined]
        }
        real.validate_parameter_constraints(constraints, self.get_params(deep=False), type(self).__name__)

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        values = {name: getattr(self, name) for name in self._get_param_names()}
        changed = [f"{name}={value!r}" for name, value in values.items() if repr(value) != repr(defaults[name].default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=None,
            input_tags=InputTags(),
        )


class ClassifierMixin:
    """The tags and ``score`` of scikit-learn's class."""

    _estimator_type = "classifier"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type, tags.classifier_tags, tags.target_tags.required = "classifier", ClassifierTags(), True
        return tags

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy; see scikit-learn."""
        from sklearn.base import ClassifierMixin as Real

        return float(Real.score(self, X, y, sample_weight))


class RegressorMixin:
    """The tags and ``score`` of scikit-learn's class."""

    _estimator_type = "regressor"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags

        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.estimator_type, tags.regressor_tags, tags.target_tags.required = "regressor", RegressorTags(), True
        return tags

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination; see scikit-learn."""
        from sklearn.base import RegressorMixin as Real

        return float(Real.score(self, X, y, sample_weight))


class _Later:
    """A constraint of a parameter that is made when parameters are validated."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.arguments, self.options = arguments, options

    def made(self) -> Any:
        from skrec import _sklearn_compat as real

        return getattr(real, type(self).__name__)(*self.arguments, **self.options)


class Interval(_Later):
    """A constraint of a number."""


class Options(_Later):
    """A constraint of some values of a type."""


class StrOptions(_Later):
    """A constraint of some strings."""


class HasMethods(_Later):
    """A constraint of an object with some methods."""


class _Position(_Later):
    def made(self) -> Any:
        from skrec._sklearn_compat import POSITION

        return POSITION


POSITION = _Position()


def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return scikit-learn's decorator, which is applied at the first call."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            from skrec import _sklearn_compat as real

            decorated = real._fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)(method)
            return decorated(self, *args, **kwargs)

        return call

    return decorate


class available_if:  # noqa: N801 - the name of scikit-learn's decorator
    """A method that exists if a check of its object says so."""

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self.check = check

    def __call__(self, method: Callable[..., Any]) -> Any:
        self.method = method
        return self

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self.method
        if not self.check(owner):
            raise AttributeError(f"{type(owner).__name__!r} object has no attribute {self.method.__name__!r}")
        return self.method.__get__(owner, kind)
