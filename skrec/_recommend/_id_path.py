"""The way of ids through fitted transformers: from raw rows to a model and back, kept from call to call."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from weakref import ref

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column
from skrec._recommend._frames import Columns, repeat
from skrec._recommend._inverse_steps import Stage, any_value, block_of, origin
from skrec._recommend._protocol import FittedRecommender, roles_of
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

    def __init__(self, transformers: list[Any], model: FittedRecommender) -> None:
        roles = roles_of(model)
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
        self.known_columns: Columns = [repeat(value, 1) for value in self.raw.known]
        """For each raw column, one value that the transformers accept."""
        self.stage_columns: Columns = [repeat(value, 1) for value in self.stages[0].known]
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
        columns: Columns = [np.repeat(column, len(codes)) for column in self._encoded_columns]
        columns[position] = np.asarray(codes)
        raw: Column = decoded(self.stages, columns)[raw_position]
        if raw.dtype == object:  # what OrdinalEncoder calls the ids that min_frequency merges
            raw = raw.copy()
            raw[raw == "infrequent_sklearn"] = None
        return raw

    @cached_property
    def merges_users(self) -> bool:
        """Whether one of the users of the model stands for several raw ids, or for none."""
        return bool(pd.isna(self.decode_ids(self.users, self.user, self.raw.user)).any())

    def _find_known_values(self, n_columns: int) -> None:
        """Find a value for every column, before and after every stage, that the transformers accept."""
        # A column that is neither user nor item: 1 is known to an IDEncoder, 0 to an OrdinalEncoder.
        for code in (1, 0):
            columns = [repeat(code, 2) for _ in range(n_columns)]
            for position, ids in ((self.user, self.users), (self.item, self.items)):
                columns[position] = np.resize(ids, 2)  # two, for one may be the code of unknown ids
            self.known = [column[-1] for column in columns]
            self._encoded_columns: Columns = [repeat(value, 1) for value in self.known]
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


class _Paths:
    """The path of each model that is alive, with the state that it was found for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._paths: dict[int, tuple[ref[Any], IdPath, list[Any]]] = {}

    def get(self, model: Any, state: list[Any]) -> IdPath | None:
        """Return the path of a model, unless its state is another one now."""
        with self._guard:
            known = self._paths.get(id(model))
        if known is None or known[0]() is not model or len(known[2]) != len(state):
            return None
        return known[1] if all(map(_is, known[2], state)) else None

    def keep(self, model: Any, path: IdPath, state: list[Any]) -> None:
        """Keep a path for as long as the model lives."""
        key = id(model)
        try:
            alive = ref(model, lambda dead: self._forget(key, dead))
        except TypeError:  # a class with __slots__: nothing tells when it is gone
            return
        with self._guard:
            self._paths[key] = alive, path, state

    def _forget(self, key: int, dead: Any) -> None:
        known = self._paths.get(key)
        if known is not None and known[0] is dead:
            self._paths.pop(key, None)


_paths = _Paths()


def id_path(unwrapped: Unwrapped, model: FittedRecommender | None = None) -> IdPath:
    """Return the path of the ids, as it was found at an earlier call if neither model nor transformers have changed.

    Parameters
    ----------
    unwrapped : Unwrapped
        At least one transformer, and a fitted recommender.
    model : estimator or None, default=None
        A snapshot of the recommender; None: the recommender as it is now.

    Returns
    -------
    IdPath
    """
    now: FittedRecommender = unwrapped.model if model is None else model
    state = [now.items_, now.users_, roles_of(now), *_state(unwrapped.transformers)]
    path = _paths.get(unwrapped.model, state)
    if path is None:
        path = IdPath(unwrapped.transformers, now)
        _paths.keep(unwrapped.model, path, state)
    return path


def _is(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str | int | float | bool) and type(one) is type(other) and one == other)


def _state(value: Any, depth: int = _DEPTH) -> Iterator[Any]:
    """Yield a value and what it holds: the attributes of a transformer, the elements of lists and dicts.

    Fits put new objects in the place of old ones, so that comparing these by identity detects every fit.
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
