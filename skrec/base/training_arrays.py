"""Training data of a fit as arrays of the engine: their conversion, shapes and batch size."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrec._data import Interactions
from skrec._data.events.windows import Windows
from skrec.base.events import Events, Inputs

__all__ = ["batch_size_for", "sets_by_user", "shapes_of", "training_arrays"]

SET = 16  # events of a user that share a softmax over the catalogue


def training_arrays(events: Events, log: Interactions, **more: Any) -> Any:
    """Convert events to training arrays of the engine."""
    from skrec._engine.batches import TrainingArrays

    target = events.target if events.target.ndim == 2 else events.target[:, None]
    weight = None if events.weight is None else events.weight.astype(np.float32)
    return TrainingArrays(events.inputs, target, weight, log.n_items, **more)


def batch_size_for(n_rows: int) -> int:
    """Return a batch size for about 64 steps per epoch, from 8 to 1,024; a power of two, to share programs.

    Examples
    --------
    >>> from skrec.base.training_arrays import batch_size_for
    >>> [batch_size_for(n_rows) for n_rows in (100, 5_000, 1_000_000)]
    [8, 64, 1024]
    """
    return int(2 ** np.clip(np.round(np.log2(max(n_rows, 1) / 64)), 3, 10))


def shapes_of(arrays: Inputs) -> tuple[tuple[str, str, tuple[int, ...], bool], ...]:
    """Return the name, type and shape of each input, and whether it is a window.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.training_arrays import shapes_of
    >>> shapes_of({"user": np.zeros(9, np.int32), "query_numbers": np.zeros((9, 4), np.float32)})
    (('query_numbers', 'float32', (4,), False), ('user', 'int32', (), False))
    """
    return tuple(
        sorted((name, str(array.dtype), array.shape[1:], isinstance(array, Windows)) for name, array in arrays.items())
    )


def sets_by_user(events: Events, log: Interactions, catalogue: Any) -> Any:
    """Convert events to rows of up to 16 events of a user; a row weighs as much as its events.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data import Interactions
    >>> from skrec.base.events import Events
    >>> from skrec.base.training_arrays import sets_by_user
    >>> users, items = np.array([1, 1, 2], np.int32), np.array([1, 2, 2], np.int32)
    >>> log = Interactions.from_codes(users, items, n_users=2, n_items=2)
    >>> arrays = sets_by_user(Events(users, items, {}, np.ones(3, np.float32)), log, None)
    >>> arrays.n_rows, arrays.weight.tolist()  # user 1 has two events
    (2, [2.0, 1.0])
    """
    from skrec._engine.batches import TrainingArrays

    order = np.argsort(events.users, kind="stable")
    users = events.users[order]
    weight = np.ones(len(order), np.float32) if events.weight is None else events.weight[order].astype(np.float32)
    first = np.flatnonzero(np.append(True, users[1:] != users[:-1])) if len(users) else np.arange(0)
    place = np.arange(len(users)) - np.repeat(first, np.diff(np.append(first, len(users))))
    start = np.flatnonzero(place % SET == 0)
    stop = np.append(start[1:], len(users))
    total = np.add.reduceat(weight, start) if len(start) else weight
    shares = np.divide(weight, np.repeat(total, stop - start), out=np.zeros_like(weight), where=weight > 0)
    columns = {
        "user": users[start],
        "targets": Windows(events.items[order].astype(np.int32), start, stop, SET),
        "target_weights": Windows(shares.view(np.int32), start, stop, SET),
    }
    target = np.ones((len(start), 1), np.float32)
    return TrainingArrays(columns, target, total, log.n_items, catalogue=catalogue)
