"""Labels with several columns, one per task: their names and values, and the weights of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import as_rows
from skrec._data.tables.spelling import closest


def label_columns(y: Any) -> tuple[list[Any] | None, list[str] | None]:
    """Split labels into columns and, if all are strings, their names; return None for a single column."""
    if sparse.issparse(y):
        raise TypeError("y is sparse. Pass dense labels: y.toarray().")
    if hasattr(y, "columns"):
        rows = as_rows(y, name="y")
        columns = [rows.raw(position) for position in range(rows.n_columns)]
        return (columns, list(rows.names) if rows.names else None) if len(columns) > 1 else (None, None)
    if isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 1:
        lengths = {len(row) for row in y if np.ndim(row) == 1}
        if len(lengths) > 1 or any(np.ndim(row) != 1 for row in y):
            raise ValueError("The rows of y have different numbers of labels. Give each row one label per task.")
        columns = [np.asarray(column) for column in zip(*y, strict=True)]
    else:
        array = np.asarray(y)
        if array.ndim != 2:
            return None, None
        columns = list(array.T)
    return (columns, None) if len(columns) > 1 else (None, None)


def label_places(names: list[str] | None, n: int, name: str) -> list[str]:
    """Return the names of the label columns for error messages."""
    return [f"{name}[:, {i}]" for i in range(n)] if names is None else [f"{name}[{one!r}]" for one in names]


def side_by_side(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """Stack columns without converting numbers to strings."""
    texts = [column.dtype.kind in "OSU" for column in columns]
    return np.column_stack(columns if all(texts) or not any(texts) else [column.astype(object) for column in columns])


def listed(names: Any) -> str:
    """Return names for an error message."""
    return ", ".join(map(repr, names))


def task_weights(given: Any, names: list[str]) -> tuple[float, ...]:
    """Check ``loss_weights`` and return one weight per task."""
    if given is None:
        return (1.0,) * len(names)
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                close = closest(str(name), names)
                hint = f" Did you mean {close!r}?" if close else ""
                raise ValueError(f"loss_weights has unknown task {name!r}; the tasks are {listed(names)}.{hint}")
        missing = [name for name in names if name not in given]
        if missing:
            raise ValueError(f"loss_weights lacks the task(s) {listed(missing)}. Give every task a weight.")
        given = [given[name] for name in names]
    weights = list(given)
    if len(weights) != len(names):
        raise ValueError(f"loss_weights has {len(weights)} values for {len(names)} task(s): {listed(names)}.")
    for name, weight in zip(names, weights, strict=True):
        if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(f"The loss weight of task {name!r} is {weight!r}, but must be a number of at least 0.")
    if not any(weights):
        raise ValueError("All values of loss_weights are 0. At least one must be positive.")
    return tuple(float(weight) for weight in weights)


def task_position(names: list[str], task: str | int | None, model: str) -> int:
    """Return the position of the task that items are ranked by, from its name or position."""
    if task is None:
        raise ValueError(
            f"{model} was fitted with the tasks {listed(names)}. Choose the one to rank items by, "
            f"for instance set_params(rank_by={names[0]!r})."
        )
    if isinstance(task, str):
        if task not in names:
            close = closest(task, names)
            hint = f" Did you mean {close!r}?" if close else ""
            raise ValueError(f"rank_by is {task!r}; the tasks are {listed(names)}.{hint}")
        task = names.index(task)
    if not 0 <= task < len(names):
        raise ValueError(f"rank_by is {task}; the tasks are {listed(names)}, at positions 0 to {len(names) - 1}.")
    return task
