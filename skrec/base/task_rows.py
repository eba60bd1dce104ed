"""Rows of a task: validation rows and their weights, and the classes and their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.targets.classes import class_labels, warn_of_missing_as_text
from skrec.base.events import Events

__all__ = ["class_weights", "find_classes", "latest_or_random", "training_rows", "usable_weights"]


def latest_or_random(
    n_rows: int,
    fraction: float,
    random_state: np.random.RandomState,
    *,
    labels: NDArray[np.generic] | None = None,
    time: NDArray[np.generic] | None = None,
) -> NDArray[np.intp]:
    """Return the validation rows: the latest rows if there are times, otherwise a random (stratified) sample.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    fraction : float
        Fraction of the rows to hold out; at least one row is.
    random_state : RandomState
        Source of random numbers.
    labels : ndarray of shape (n_rows,), optional
        Labels to stratify by, if each has two rows and the sample is large enough.
    time : ndarray of shape (n_rows,), optional
        Sortable times.

    Returns
    -------
    ndarray of shape (n_held_out,)
        Row numbers; all of them if none would be left.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.task_rows import latest_or_random
    >>> latest_or_random(5, 0.4, np.random.RandomState(0), time=np.array([3, 9, 1, 7, 5])).tolist()
    [3, 1]
    """
    from sklearn.model_selection import train_test_split

    n = max(1, round(fraction * n_rows))
    if n >= n_rows:
        return np.arange(n_rows)
    if time is not None:
        return np.argsort(time, kind="stable")[-n:]
    if labels is not None and (np.unique(labels, return_counts=True)[1].min() < 2 or n < len(np.unique(labels))):
        labels = None
    split: list[NDArray[np.intp]] = train_test_split(
        np.arange(n_rows), test_size=n, random_state=random_state, stratify=labels
    )
    return split[1]


def training_rows(
    held_out: NDArray[np.intp], n_rows: int, fraction: Any, *, instead: str | None = None
) -> NDArray[np.bool_]:
    """Return a mask of the rows that are not held out.

    Parameters
    ----------
    held_out : ndarray of shape (n_held_out,)
        Row numbers.
    n_rows : int
        Number of rows.
    fraction : float or str
        The parameter ``validation_fraction``, for the message.
    instead : str, optional
        Arguments that the caller may pass instead, for the message.

    Returns
    -------
    ndarray of shape (n_rows,), bool

    Raises
    ------
    ValueError
        If no rows are held out, or all of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.task_rows import training_rows
    >>> training_rows(np.array([3, 1]), 5, 0.4).tolist()
    [True, False, True, False, True]
    """
    if len(held_out) in {0, n_rows}:
        cures = ["more rows", "another validation_fraction", *filter(None, [instead]), "early_stopping=False"]
        raise ValueError(
            f"Early stopping with validation_fraction={fraction} holds out {len(held_out)} of {n_rows} rows: too "
            f"{'many to train' if len(held_out) else 'few to validate'} on. Pass {', '.join(cures[:-1])}, or "
            f"{cures[-1]}."
        )
    inside = np.ones(n_rows, bool)
    inside[held_out] = False
    return inside


def usable_weights(events: Events) -> NDArray[np.float64] | None:
    """Return the weights of the validation rows, or None if all of them are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.events import Events
    >>> from skrec.base.task_rows import usable_weights
    >>> codes, target = np.ones(2, np.int32), np.ones(2, np.float32)
    >>> [usable_weights(Events(codes, codes, {}, target, weight=np.array(w))) for w in ([0.0, 0.0], [0.0, 2.0])]
    [None, array([0., 2.])]
    """
    return events.weight if events.weight is not None and events.weight.any() else None


def class_weights(given: Any, classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the weights of all classes; classes that are missing from `labels` are allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.task_rows import class_weights
    >>> class_weights("balanced", np.array(["no", "yes"]), np.array(["no", "no", "no", "yes"])).round(2).tolist()
    [0.67, 2.0]
    """
    from sklearn.utils import compute_class_weight

    here = np.isin(classes, labels) | isinstance(given, dict)
    weights = np.ones(len(classes))
    weights[here] = compute_class_weight(given, classes=classes[here], y=labels)
    return weights


def find_classes(
    labels: NDArray[Any], announced: Any, known: NDArray[Any] | None, where: str = "", name: str = "y"
) -> NDArray[Any]:
    """Return the known classes, the announced classes, or all labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.task_rows import find_classes
    >>> find_classes(np.array(["yes"]), announced=["no", "yes"], known=None).tolist()
    ['no', 'yes']
    """
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
