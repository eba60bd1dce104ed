"""Rows of a task: validation rows and their weights, and the classes and their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_class_weight

from skrec._data.targets.classes import class_labels, warn_of_missing_as_text
from skrec.base.events import Events

__all__ = ["class_weights", "find_classes", "latest_or_random", "usable_weights"]


def latest_or_random(events: Events, fraction: float, random_state: Any, stratify: Any) -> NDArray[Any]:
    """Return the validation rows: the latest rows if there is a time column, otherwise a random (stratified) sample."""
    n = max(1, round(fraction * len(events)))
    if n >= len(events):
        return np.arange(len(events))
    if events.time is not None:
        return np.argsort(events.time, kind="stable")[-n:]
    if stratify is not None and (np.unique(stratify, return_counts=True)[1].min() < 2 or n < len(np.unique(stratify))):
        stratify = None
    split: list[NDArray[Any]] = train_test_split(
        np.arange(len(events)), test_size=n, random_state=random_state, stratify=stratify
    )
    return split[1]


def usable_weights(events: Events) -> NDArray[np.float64] | None:
    """Return the weights of the validation rows, or None if all of them are 0."""
    return events.weight if events.weight is not None and events.weight.any() else None


def class_weights(given: Any, classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weights of all classes; classes that are missing from `labels` are allowed."""
    here = np.isin(classes, labels) | isinstance(given, dict)
    weights = np.ones(len(classes))
    weights[here] = compute_class_weight(given, classes=classes[here], y=labels)
    return weights


def find_classes(
    labels: NDArray[Any], announced: Any, known: NDArray[Any] | None, where: str = "", name: str = "y"
) -> NDArray[Any]:
    """Return the known classes, the announced classes, or all labels."""
    announced = None if announced is None else np.unique(class_labels(announced, announced, f"classes{where}"))
    if known is None:
        classes = np.unique(labels) if announced is None else announced
        warn_of_missing_as_text(classes, name)
        return classes
    if announced is not None and not np.array_equal(announced, known):
        raise ValueError(
            f"classes{where}={announced.tolist()!r} differs from the classes of the first call, "
            f"{known.tolist()!r}. Omit classes, or call fit again."
        )
    return known
