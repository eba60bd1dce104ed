"""The feature values that a model keeps for users and items, and the inputs of queries and items made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Fields, Rows
from skrec.base.events import Inputs
from skrec.base.field_inputs import fill_gaps, latest, latest_times, named, positions_in, refuse_ignored, unknown
from skrec.base.network import NetworkRecommender
from skrec.base.reader import Codes, Query


@dataclass(eq=False, repr=False, kw_only=True)
class KeptFeatures(NetworkRecommender):
    """Base class for networks that keep the latest context of each user and the latest features of each item."""

    _query_fields: Fields = field(init=False, repr=False)
    _item_fields: Fields = field(init=False, repr=False)
    _contexts: Inputs = field(init=False, repr=False)
    _catalogue: Inputs = field(init=False, repr=False)
    _kept_times: Mapping[str, NDArray[Any]] | None = field(default=None, init=False, repr=False)
    """Times of the stored contexts and item features."""
    _decided_roles: tuple[tuple[int, str, str], ...] = field(default=(), init=False, repr=False)
    """Position, role and reason of each feature; empty in files of older versions."""

    _keeps_times: ClassVar[bool] = True  # times of the stored features

    def _remember_seen(self, rows: Rows, users: Codes, items: Codes, time: NDArray[Any] | None) -> None:
        sides: dict[str, Inputs | None] = {}
        for side, fields in (("query", self._query_fields), ("item", self._item_fields)):
            at = positions_in(rows, fields, self._estimator_roles, side, what="events")
            sides[side] = None if at is None else named(side, replace(fields, positions=at).encode(rows))
        self._remember(time, {"query": users, "item": items}, sides, fresh=False)

    def _remember(
        self,
        times: NDArray[Any] | None,
        codes: Mapping[str, Codes],
        sides: Mapping[str, Inputs | None],
        *,
        fresh: bool,
    ) -> None:
        """Store the latest context of each user and the latest features of each item, except for sides that are None.

        With times, these are from the event with the latest time, regardless of the call; otherwise from the latest
        call.
        """
        n_rows = len(codes["query"])
        order = np.arange(n_rows) if times is None else np.argsort(times, kind="stable")
        old: tuple[Inputs, Inputs] = ({}, {}) if fresh else (self._contexts, self._catalogue)
        old_times: Mapping[str, NDArray[Any]] = {} if fresh else self._kept_times or {}
        kept: list[Inputs] = []
        kept_times: dict[str, NDArray[Any]] = {}
        for side, role, ids, fields, before in (
            ("query", "user", self._users, self._query_fields, old[0]),
            ("item", "item", self._items, self._item_fields, old[1]),
        ):
            if not self._has_role(role):
                kept.append({})  # they cannot be requested
                continue
            there, blank = sides[side], unknown(side, fields)
            which = order if there is not None else order[:0]
            there = blank if there is None else there
            if times is not None:
                seen = slice(None) if len(which) else slice(0)
                replaces, kept_times[side] = latest_times(
                    times[seen], codes[side][seen], len(ids) + 1, old_times.get(side)
                )
                which = which[replaces[which]]
            in_order = {name: array[which] for name, array in there.items()}
            codes_in_order = codes[side][which]
            made = latest(in_order, blank, codes_in_order, len(ids) + 1, before)
            own = {name for name, (found, _) in self._roles_of_features().items() if found == f"{role} feature"}
            fill_gaps(made, in_order, codes_in_order, before, side=side, fields=fields, named=own)
            kept.append(made)
        self._contexts, self._catalogue = kept
        self._kept_times = kept_times if times is not None else None

    def _positions_of_item_features(self, rows: Rows) -> tuple[int, ...] | None:
        return positions_in(rows, self._item_fields, self._estimator_roles, "item")

    def _query_inputs(self, queries: Query) -> Inputs:
        return self._side_inputs("query", queries, self._query_fields, self._contexts)

    def _item_inputs(self, items: Query) -> Inputs:
        return self._side_inputs("item", items, self._item_fields, self._catalogue)

    def _side_inputs(self, side: str, query: Query, fields: Fields, kept: Inputs) -> Inputs:
        ids = self._roles_of({"user" if side == "query" else "item": query.codes})
        at = None
        if query.rows is not None:
            at = positions_in(query.rows, fields, self._estimator_roles, side)
            refuse_ignored(query.rows, fields, self._estimator_roles, side, self._roles_of_features())
        if query.rows is None or at is None:
            return {**ids, **{name: array[query.codes] for name, array in kept.items()}}
        inputs = named(side, replace(fields, positions=at).encode(query.rows))
        if query.at is not None:
            inputs = {name: array[query.at] for name, array in inputs.items()}
        return {**ids, **inputs}

    def _roles_of(self, codes: Mapping[str, Codes]) -> Inputs:
        return {role: codes[role] for role in codes if self._has_role(role)}

    def _roles_of_features(self) -> dict[str, tuple[str, str]]:
        """Return the role of each feature and its reason, by column name."""
        names = self._estimator_roles.names
        if self._decided_roles:
            return {f"x{at}" if names is None else names[at]: (role, why) for at, role, why in self._decided_roles}
        sides = ((self._query_fields, "context"), (self._item_fields, "item feature"))
        return {name: (role, "as fitted by an older version") for fields, role in sides for name in fields.names}
