"""Pruning of networks by magnitude, with fine-tuning of what remains."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from numbers import Integral, Real
from typing import Any

import numpy as np

from skrec._export._copies import refuse_exported_again
from skrec._recommend import unwrap
from skrec._transaction import snapshot
from skrec.base.network import NetworkRecommender

__all__ = ["check_pruning", "prunable", "pruned"]


def check_pruning(prune: Any, fine_tune: Any, fine_tune_epochs: Any) -> None:
    """Check the arguments of an export that concern pruning."""
    if prune is None:
        if fine_tune is not None:
            raise ValueError("fine_tune was passed without prune=: only pruned networks are fine-tuned.")
        return
    if isinstance(prune, bool) or not isinstance(prune, Real) or not 0 < float(prune) < 1:
        raise ValueError(f"prune is {prune!r}, but must be a number between 0 and 1, such as 0.5, or None.")
    if fine_tune is not None and not (isinstance(fine_tune, tuple) and len(fine_tune) == 2):
        raise TypeError("fine_tune must be a pair (X, y) of rows and targets; y may be None for a Ranker.")
    if isinstance(fine_tune_epochs, bool) or not isinstance(fine_tune_epochs, Integral) or fine_tune_epochs < 1:
        raise ValueError(f"fine_tune_epochs is {fine_tune_epochs!r}, but must be a whole number of at least 1.")


def pruned(estimator: Any, model: Any, share: float, fine_tune: tuple[Any, Any] | None, epochs: int) -> Any:
    """Return a copy of the model at the end of an estimator, with pruned kernels.

    Parameters
    ----------
    estimator : estimator
        A Pipeline with fitted transformers, or the model itself.
    model : NetworkRecommender
        The fitted model. It is not changed.
    share : float
        Share of the values of each kernel that become zero.
    fine_tune : (X, y) or None
        Rows as the estimator takes them, on which the remaining weights are trained.
    epochs : int
        Number of passes over these rows.
    """
    from skrec._engine.pruning import KeepZeros, kernel_masks, masked

    before = snapshot(model)
    masks = kernel_masks(before._weights, share)
    if not masks:
        raise ValueError(
            f"This {type(model).__name__} has no kernels of dense layers that could be pruned: its weights are "
            f"{', '.join(sorted(before._weights))}."
        )
    copy = _shallow(before)
    copy._weights = masked(before._weights, masks)
    copy._trained = None if before._trained is None else masked(before._trained, masks)
    if fine_tune is None:
        return copy
    learner = _shallow(copy)
    learner.callbacks = [KeepZeros(masks)]
    learner.random_state = deepcopy(before.random_state)
    X, y = unwrap(estimator).transform(fine_tune[0]), fine_tune[1]
    for number in range(epochs):
        _learn(learner, X, y, is_first=number == 0)
    copy._weights = masked(_like(learner._weights, before._weights), masks)
    copy._trained = copy._slots = None
    return copy


def _learn(learner: Any, X: Any, y: Any, *, is_first: bool) -> None:
    """Train for one pass over rows, which may have been seen in fit."""
    arguments = (X,) if y is None else (X, y)
    try:
        learner.partial_fit(*arguments, seen=True)
    except ValueError as error:
        if not is_first or not str(error).startswith("seen=True"):
            raise
        learner.partial_fit(*arguments)  # its log and histories are dropped


def _like(weights: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights without the rows of ids that were new in fine-tuning, which come last."""
    return {name: weight[: len(before[name])] if before[name].ndim else weight for name, weight in weights.items()}


def _shallow(model: Any) -> Any:
    made: Any = object.__new__(type(model))
    made.__dict__.update(vars(model))
    return made


def prunable(model: Any) -> NetworkRecommender:
    """Return the model, or raise an error if it has no network that can be pruned."""
    if not isinstance(model, NetworkRecommender):
        raise TypeError(f"{type(model).__name__} has no network that could be pruned: leave out prune=.")
    refuse_exported_again(model)
    return model
