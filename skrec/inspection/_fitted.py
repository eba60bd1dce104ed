"""Find the fitted model in an estimator, and encode rows for its network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skrec._recommend import Unwrapped, unwrap
from skrec.base.events import Inputs
from skrec.base.field_model import FieldModel
from skrec.base.regressor import NetworkRegressor

__all__ = ["fitted", "prediction_scale", "row_inputs", "row_views"]


def fitted(estimator: Any, kinds: type | tuple[type, ...], needs: str) -> Unwrapped:
    """Return the fitted model of the given kinds in a search or Pipeline.

    Raises
    ------
    TypeError
        If the model is of another kind; the message starts with `needs`.
    NotFittedError
        If the model is not fitted.
    """
    unwrapped = unwrap(estimator)
    if not isinstance(unwrapped.model, kinds):
        raise TypeError(
            f"{needs}, alone or at the end of a Pipeline or search, but got {type(unwrapped.model).__name__}. "
            "For other estimators, use sklearn.inspection.permutation_importance."
        )
    check_is_fitted(unwrapped.model)
    return unwrapped


def row_inputs(unwrapped: Unwrapped, X: Any) -> Inputs:
    """Encode raw rows as inputs of the network, including the histories of users for a model of histories."""
    model: FieldModel = unwrapped.model
    rows = model._read(unwrapped.transform(X), reset=False)
    codes = model._pair_codes(rows)
    return {**model._row_inputs(rows, *codes), **model._history_inputs(*codes, model._times(rows))}


def row_views(unwrapped: Unwrapped, X: Any, name: str) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield slices of the rows, each with the given view of the network."""
    model: FieldModel = unwrapped.model
    found: Iterator[tuple[slice, NDArray[np.float32]]] = model._network().views(row_inputs(unwrapped, X), name)
    return found


def prediction_scale(model: FieldModel) -> float:
    """Return the factor that converts differences of logits to differences of predictions."""
    return float(model._scale) if isinstance(model, NetworkRegressor) else 1.0
