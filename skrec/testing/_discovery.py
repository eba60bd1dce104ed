"""A list of all estimators."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, TransformerMixin

__all__ = ["all_estimators"]

Kind = Literal["classifier", "regressor", "ranker", "transformer"]

_PACKAGE = str(Path(__file__).parents[1])
_KINDS: dict[str, Callable[[type], bool]] = {
    "classifier": lambda cls: issubclass(cls, ClassifierMixin),
    "regressor": lambda cls: issubclass(cls, RegressorMixin),
    "ranker": lambda cls: hasattr(cls, "recommend") and not issubclass(cls, ClassifierMixin | RegressorMixin),
    "transformer": lambda cls: issubclass(cls, TransformerMixin),
}


def all_estimators(type_filter: Kind | Sequence[Kind] | None = None) -> list[tuple[str, type[Any]]]:
    """List the public estimators and transformers of skrec, as :func:`sklearn.utils.discovery.all_estimators` does.

    Meta-estimators, such as :class:`~skrec.model_selection.OptunaSearchCV`, and the base classes of :mod:`skrec.base`
    are left out.

    Parameters
    ----------
    type_filter : {"classifier", "regressor", "ranker", "transformer"} or sequence of these, default=None
        The kinds of estimators to list. If None, all of them. A ranker has ``recommend`` and is neither a classifier
        nor a regressor.

    Returns
    -------
    list of (str, type)
        Name and class of each, sorted by name.

    Raises
    ------
    ValueError
        If `type_filter` contains an unknown kind.

    Examples
    --------
    >>> from skrec.testing import all_estimators
    >>> for name, cls in all_estimators("transformer"):
    ...     print(name, *list(cls().get_params())[:9])
    AutoencoderFeatures activation batch_size callbacks categorical_features early_stopping epochs hidden_units l2 \
learning_rate
    FeatureCrosses crosses degree dtype encoding handle_unknown min_frequency n_bins passthrough sparse_output
    GraphFeatures columns graph handle_unknown n_components powers random_state
    HistoryEncoder events item max_history remainder time user
    IDEncoder dtype handle_unknown min_frequency time
    MultiHotEncoder dtype handle_unknown max_categories min_frequency separator sparse_output
    """
    kinds = list(_KINDS) if type_filter is None else [type_filter] if isinstance(type_filter, str) else [*type_filter]
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if unknown:
        raise ValueError(
            f"type_filter must be one of {', '.join(map(repr, _KINDS))} or a list of them, got {unknown[0]!r}."
        )
    found = {
        (name, value)
        for package in pkgutil.iter_modules([_PACKAGE], "skrec.")
        if package.ispkg and "._" not in package.name and package.name != "skrec.base"
        for name, value in inspect.getmembers(import_module(package.name), inspect.isclass)
        if issubclass(value, BaseEstimator) and hasattr(value, "fit") and not inspect.isabstract(value)
        if not issubclass(value, MetaEstimatorMixin)
    }
    return sorted(
        ((name, cls) for name, cls in found if type_filter is None or any(_KINDS[kind](cls) for kind in kinds)),
        key=lambda pair: pair[0],
    )
