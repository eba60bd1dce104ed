"""The way of ids through fitted transformers: from raw rows to a model and back, kept from call to call."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column
from skrec._recommend._frames import Columns, repeat
from skrec._recommend._inverse_steps import Stage, any_value, block_of, origin
from skrec._recommend._raw_columns import RawColumns
from skrec._recommend._unwrap import Unwrapped

__all__ = ["IdPath", "decoded", "id_path", "stages_of"]

_DEPTH = 4  # of lists, dicts and transformers within transformers whose identity is compared


def stages_of(transformers: list[Any], user: int, item: int) -> tuple[list[Stage], int, int]:
    """Follow the columns of the user and the item back through transformers.

    Parameters
    ----------
    transformers : list of transformers
        Fitted, in the order in which they are applied.
    user, item : int
        Positions of the ids in what the last one returns.

    Returns
    -------
    stages : list of Stage
        In the order in which the transformers are applied.
    user, item : int
        Positions in the raw rows.
    """
    stages: list[Stage] = []
    for transformer in reversed(transformers):
        blocks = [block_of(transformer, user)]
        if item not in blocks[0].outputs:
            blocks.append(block_of(transformer, item))
        names = getattr(transformer, "feature_names_in_", None)
        stages.insert(0, Stage(blocks, names, transformer.n_features_in_))
        user, item = origin(transformer, user), origin(transformer, item)
    return stages, user, item


def decoded(stages: list[Stage], columns: Columns) -> Columns:
    """Return the raw columns of transformed ones; what does not come from one raw value alone is missing."""
    for stage in reversed(stages):
        columns = stage.decode(columns)
    return columns


class IdPath:
    """The ids of a fitted model behind transformers, and the way from the raw ids to them and back.

    It holds no reference to the model, so that it can be kept as long as the model lives.

    Parameters
    ----------
    transformers : list of transformers
        At least one, fitted.
    model : estimator
        A fitted recommender.
    """

    def __init__(self, transformers: list[Any], model: Any) -> None:
        roles = model._estimator_roles
        self.user: int = roles.user
        self.item: int = roles.item
        self.items: Column = np.asarray(model.items_)
        self.users: Column = np.asarray(model.users_)
        self.stages, user, item = stages_of(transformers, self.user, self.item)
        self._find_known_values(model.n_features_in_)
        first = transformers[0]
        known = [any_value(first, at) if value is None else value for at, value in enumerate(self.stages[0].known)]
        self.raw = RawColumns(self.stages[0].names, known, user, item, _raw_time(transformers, roles.time))
        self.catalogue = self.decode_ids(self.items, self.item, self.raw.item)
        self.is_own: NDArray[np.bool_] = ~np.asarray(pd.isna(self.catalogue), dtype=np.bool_)
        """Whether an item of the model stands for one raw id."""
        self.is_verified: NDArray[np.bool_] = np.zeros(len(self.items), dtype=np.bool_)
        """Which items have been encoded and decoded again, with the right result."""
        self._vocabulary = Vocabulary(self.items, "item_id")

    def positions(self, codes: Column) -> NDArray[np.int64]:
        """Return where in the items of the model each code stands; -1 for those that are not there."""
        return self._vocabulary.encode(codes).astype(np.int64) - 1

    def encode(self, columns: Columns) -> Columns:
        """Return the columns after all transformers for those before them."""
        known = [*(stage.known for stage in self.stages[1:]), self.known]
        for stage, values in zip(self.stages, known, strict=True):
            columns = stage.encode(columns, values)
        return columns

    def decode_ids(self, codes: Any, position: int, raw_position: int) -> Column:
        """Return the raw ids of users or items; None for a code of several."""
        columns: Columns = [repeat(value, len(codes)) for value in self.known]
        columns[position] = np.asarray(codes)
        raw: Column = decoded(self.stages, columns)[raw_position]
        if raw.dtype == object:  # what OrdinalEncoder calls the ids that min_frequency merges
            raw = raw.copy()
            raw[raw == "infrequent_sklearn"] = None
        return raw

    def _find_known_values(self, n_columns: int) -> None:
        """Find a value for every column, before and after every stage, that the transformers accept."""
        # A column that is neither user nor item: 1 is known to an IDEncoder, 0 to an OrdinalEncoder.
        for code in (1, 0):
            columns = [repeat(code, 2) for _ in range(n_columns)]
            for position, ids in ((self.user, self.users), (self.item, self.items)):
                columns[position] = np.resize(ids, 2)  # two, for one may be the code of unknown ids
            self.known = [column[-1] for column in columns]
            try:
                for stage in reversed(self.stages):
                    columns = stage.decode(columns)
                    stage.learn_known(columns)
                self.encode([repeat(value, 1) for value in self.stages[0].known])
            except (IndexError, KeyError, TypeError, ValueError):
                if code == 0:
                    raise
            else:
                return


_paths: WeakKeyDictionary[Any, tuple[IdPath, list[Any]]] = WeakKeyDictionary()
_lock = threading.Lock()


def id_path(unwrapped: Unwrapped) -> IdPath:
    """Return the path of the ids, as it was found at an earlier call if neither model nor transformers have changed.

    Parameters
    ----------
    unwrapped : Unwrapped
        At least one transformer, and a fitted recommender.

    Returns
    -------
    IdPath
    """
    model = unwrapped.model
    state = [model.items_, model.users_, model._estimator_roles, *_state(unwrapped.transformers)]
    with _lock:
        path, known = _paths.get(model, (None, []))
    if path is not None and len(known) == len(state) and all(map(_is, known, state)):
        return path
    path = IdPath(unwrapped.transformers, model)
    with _lock:
        _paths[model] = path, state
    return path


def _is(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str | int | float | bool) and type(one) is type(other) and one == other)


def _state(value: Any, depth: int = _DEPTH) -> Iterator[Any]:
    """Yield a value and what it holds: the attributes of a transformer, the elements of lists and dicts.

    Fits put new objects in the place of old ones, so that comparing these by identity tells of every fit.
    """
    if isinstance(value, Mapping):
        parts: list[Any] = [*value.values()] if len(value) < 1000 else []
    elif isinstance(value, list | tuple):
        parts = [*value] if len(value) < 1000 else []
    elif hasattr(value, "transform") and hasattr(value, "__dict__"):
        yield value
        parts = [*vars(value).values()]
    else:
        yield value
        return
    yield len(parts)
    if depth:
        for part in parts:
            yield from _state(part, depth - 1)


def _raw_time(transformers: list[Any], time: int | None) -> int | None:
    """Follow the column of the time back to the raw rows; None if it cannot be."""
    for transformer in reversed(transformers):
        try:
            time = None if time is None else origin(transformer, time)
        except ValueError:
            return None
    return time
