"""What the models of features share: which columns they take, of the query and of the item, and what they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skrec._data import ABSENT, Encoded, Fields, Roles, Rows, Vocabulary, resolve_roles
from skrec._data.roles import column_positions
from skrec._sklearn_compat import Interval, StrOptions
from skrec.exceptions import ColumnError
from skrec.models._base import Inputs, NetworkRecommender
from skrec.models._field_inputs import chosen_fields, depends_on, latest, named, positions_in, unknown
from skrec.models._ranking import NetworkRanker
from skrec.models._recommender import Asked, Codes

__all__ = ["FieldModel", "FieldRanker"]

_DIM = 16


class _FittedFields:
    """What a fitted model of features holds besides; no dataclass, so that none of it becomes a parameter."""

    _query_fields: Fields
    _item_fields: Fields
    _contexts: Inputs
    _catalogue: Inputs
    _edges: dict[str, NDArray[np.float32]]


@dataclass(eq=False, repr=False, kw_only=True)
class FieldModel(_FittedFields, NetworkRecommender):
    """Base of the models of features: every column but the time is a field.

    With an item column the fields are those of the query (the user, the user's features, the context) and those of
    the item, so that a catalogue can be crossed with a query; without one all are the query's.
    """

    categorical_features: Any = "from_dtype"
    multivalued_features: Any = None
    separator: str | None = "|"
    min_frequency: int = 1
    item_features: Any = "auto"
    embedding_dim: Any = _DIM
    numeric_embedding: Literal["piecewise", "linear"] = "piecewise"
    n_bins: int = 64
    pooling: Literal["mean", "sum", "max"] = "mean"
    learning_rate: float = 0.001
    l2: float = 0.0001

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), callable, None],
        "multivalued_features": ["array-like", None],
        "separator": [str, None],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "item_features": ["array-like", StrOptions({"auto"}), None],
        "embedding_dim": [Interval(Integral, 1, None, closed="left"), dict],
        "numeric_embedding": [StrOptions({"piecewise", "linear"})],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "pooling": [StrOptions({"mean", "sum", "max"})],
    }
    _needs_ids: ClassVar[bool] = False
    _takes_dims: ClassVar[bool] = False  # whether fields may have vectors of different widths

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Features may be missing everywhere; a table with ids as a whole must not be.
        tags.input_tags.allow_nan = not self._needs_ids and self.user is None and self.item is None
        tags.input_tags.categorical = True
        return tags

    # -- roles and vocabularies ---------------------------------------------------------------------------------------

    def _min_columns(self) -> int:
        return 2 if self._needs_ids else 1

    def _find_roles(self, rows: Rows) -> Roles:
        if self._needs_ids:
            return super()._find_roles(rows)
        wanted = tuple(role for role in ("user", "item") if getattr(self, role) is not None)
        roles = resolve_roles(
            rows, user=self.user, item=self.item, time=self.time, required=wanted, looked_for=(*wanted, "time")
        )
        if roles.item != ABSENT and roles.user == ABSENT:
            raise ColumnError("item= was given without user=: to recommend items, say which column holds the user.")
        return roles

    def _vocabularies(self, rows: Rows, roles: Roles, *, going_on: bool) -> tuple[Vocabulary, Codes, Vocabulary, Codes]:
        """Fit the vocabularies of the roles there are; the other is empty, and all its codes are 0."""
        found: list[Any] = []
        for role, position, name in (("user", roles.user, roles.user_name), ("item", roles.item, roles.item_name)):
            if position == ABSENT:
                found += [Vocabulary(np.empty(0, np.int64), name), np.zeros(rows.n_rows, np.int32)]
            elif going_on:
                found += getattr(self, f"_{role}s").extend(rows.column(position))
            else:
                found += Vocabulary.fit(rows.column(position), name=name)
        return found[0], found[1], found[2], found[3]

    def _pair_codes(self, rows: Rows) -> tuple[Codes, Codes]:
        roles = self._estimator_roles
        codes = [
            np.zeros(rows.n_rows, np.int32) if at == ABSENT else self._encode(rows.column(at), role)
            for role, at in (("user", roles.user), ("item", roles.item))
        ]
        return codes[0], codes[1]

    def _ids_and_rows(self, data: Any, role: str) -> tuple[NDArray[Any], Rows | None]:
        self._need_role(role)
        return super()._ids_and_rows(data, role)

    def _need_role(self, role: str) -> None:
        position = self._estimator_roles.user if role == "user" else self._estimator_roles.item
        if position == ABSENT:
            raise AttributeError(
                f"This {type(self).__name__} was fitted without {role}s, as a model of a plain table. To recommend "
                "items, say which columns hold the ids: user=..., item=..."
            )

    @property
    def users_(self) -> NDArray[Any]:
        """Ids of the known users, in vocabulary order; shape (n_users,). Only with a user column."""
        check_is_fitted(self)
        self._need_role("user")
        return self._users.ids

    @property
    def items_(self) -> NDArray[Any]:
        """Ids of the items of the catalogue, in vocabulary order; shape (n_items,). Only with an item column."""
        check_is_fitted(self)
        self._need_role("item")
        return self._items.ids

    def _embeddings(self, role: str) -> NDArray[np.float32]:
        check_is_fitted(self)
        self._need_role(role)
        return super()._embeddings(role)

    def _catalogue_codes(self) -> Codes:
        self._need_role("item")
        return super()._catalogue_codes()

    # -- fields -------------------------------------------------------------------------------------------------------

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:
        if fit == "fresh":
            query, item = self._split_columns(rows, items)
            options = {
                "categorical": self.categorical_features,
                "multivalued": self.multivalued_features,
                "separator": self.separator,
                "min_frequency": int(self.min_frequency),
            }
            self._query_fields, of_query = Fields.fit(rows, query, **options)
            self._item_fields, of_item = Fields.fit(rows, item, **options)
        elif fit == "more":
            self._query_fields, of_query = self._query_fields.extend(rows)
            self._item_fields, of_item = self._item_fields.extend(rows)
        else:
            of_query, of_item = self._query_fields.encode(rows), self._item_fields.encode(rows)
        inputs = {
            **self._roles_of({"user": users, "item": items}),
            **named("query", of_query),
            **named("item", of_item),
        }
        if fit is not None:
            self._remember(rows, users, items, of_query, of_item, fresh=fit == "fresh")
        return inputs

    def _roles_of(self, codes: Mapping[str, Codes]) -> Inputs:
        roles = self._estimator_roles
        return {role: codes[role] for role in codes if getattr(roles, role) != ABSENT}

    def _split_columns(self, rows: Rows, items: Codes) -> tuple[list[int], list[int]]:
        """Tell the columns that belong to the item from those of the query."""
        roles = self._estimator_roles
        taken = {roles.user, roles.item, roles.time}
        positions = [position for position in range(rows.n_columns) if position not in taken]
        if not positions and roles.user == ABSENT:
            raise ColumnError("X has no feature: its only column is the time. Rename it, or add others.")
        if roles.item == ABSENT or self.item_features is None:
            return positions, []
        if isinstance(self.item_features, str):
            users = self._row_users(rows)
            chosen = {p for p in positions if depends_on(rows, p, items) and not depends_on(rows, p, users)}
        else:
            chosen = set(column_positions(rows, self.item_features, parameter="item_features"))
        return [p for p in positions if p not in chosen], [p for p in positions if p in chosen]

    def _row_users(self, rows: Rows) -> Codes:
        return Vocabulary.fit(rows.column(self._estimator_roles.user), name="user")[1]

    def _remember(
        self, rows: Rows, users: Codes, items: Codes, of_query: Encoded, of_item: Encoded, *, fresh: bool
    ) -> None:
        """Keep the latest context of each user and the latest features of each item, and the edges of the bins."""
        roles = self._estimator_roles
        order = np.arange(rows.n_rows) if roles.time is None else np.argsort(rows.times(roles.time), kind="stable")
        old = ({}, {}) if fresh else (self._contexts, self._catalogue)
        kept = []
        for side, codes, size, fields, encoded, before in (
            ("query", users, len(self._users), self._query_fields, of_query, old[0]),
            ("item", items, len(self._items), self._item_fields, of_item, old[1]),
        ):
            sorted_rows = {name: array[order] for name, array in named(side, encoded).items()}
            kept.append(latest(sorted_rows, unknown(side, fields), codes[order], size + 1, before))
        self._contexts, self._catalogue = kept
        if fresh:
            n_bins = int(self.n_bins) if self.numeric_embedding == "piecewise" else 0
            self._edges = {
                side: fields.bin_edges(encoded, n_bins)
                for side, fields, encoded in (
                    ("query", self._query_fields, of_query),
                    ("item", self._item_fields, of_item),
                )
                if n_bins and fields.layout.numeric
            }

    def _query_inputs(self, queries: Asked) -> Inputs:
        return self._side_inputs("query", queries, self._query_fields, self._contexts)

    def _item_inputs(self, items: Asked) -> Inputs:
        return self._side_inputs("item", items, self._item_fields, self._catalogue)

    def _side_inputs(self, side: str, asked: Asked, fields: Fields, kept: Inputs) -> Inputs:
        ids = self._roles_of({"user" if side == "query" else "item": asked.codes})
        at = None if asked.rows is None else positions_in(asked.rows, fields, self._estimator_roles, side)
        if asked.rows is None or at is None:
            return {**ids, **{name: array[asked.codes] for name, array in kept.items()}}
        inputs = named(side, replace(fields, positions=at).encode(asked.rows))
        if asked.at is not None:
            inputs = {name: array[asked.at] for name, array in inputs.items()}
        return {**ids, **inputs}

    def _table_rows(self) -> dict[str, int]:
        return {
            **super()._table_rows(),
            "query_fields": self._query_fields.n_rows,
            "item_fields": self._item_fields.n_rows,
            **self._more_tables(),
        }

    def _more_tables(self) -> dict[str, int]:
        """Rows of the tables that an architecture has besides."""
        return {}

    def _constants(self) -> dict[str, NDArray[Any]]:
        constants: dict[str, NDArray[Any]] = {
            f"{side}_{part.replace('fields', 'numbers')}/edges": edges
            for side, edges in self._edges.items()
            for part in self._field_tables()
        }
        for side, fields in (("query", self._query_fields), ("item", self._item_fields)):
            if fields.layout.categorical or fields.layout.multivalued:
                for part in self._field_tables():
                    constants[f"{side}_{part}/unknown"] = fields.unknown
        return constants

    def _field_tables(self) -> Sequence[str]:
        """Give the endings of the names of the tables that hold the categorical fields."""
        return ("fields",)

    def _sides(self) -> dict[str, tuple[Any, ...]]:
        """Which fields there are, for ``_build_network``."""
        roles = self._estimator_roles
        return {
            side: (
                side,
                role if getattr(roles, role) != ABSENT else None,
                len(fields.layout.categorical),
                len(fields.layout.multivalued),
                len(fields.layout.numeric),
                len(fields.layout.flags),
                tuple(width for _, width in fields.layout.arrays),
            )
            for side, role, fields in (("query", "user", self._query_fields), ("item", "item", self._item_fields))
        }

    def _fields_config(self) -> dict[str, Any]:
        """Give the part of ``_network_config`` that all models of features share."""
        return {
            **self._sides(),
            "dim": self._width(),
            "n_bins": int(self.n_bins) if self.numeric_embedding == "piecewise" else 0,
            "pooling": self.pooling,
        }

    def _width(self) -> int:
        if not isinstance(self.embedding_dim, dict):
            return int(self.embedding_dim)
        if not self._takes_dims:
            raise TypeError(
                f"embedding_dim of a {type(self).__name__} must be one number for all fields: it multiplies their "
                "vectors. DCN, DNN and Wide&Deep take one for each."
            )
        return max(self._dims() or (_DIM,))

    def _dims(self) -> tuple[int, ...] | None:
        """Width of the vector of each field; None: the same for all."""
        if not isinstance(self.embedding_dim, dict):
            return None
        names = self.field_names_
        dims = [_DIM] * len(names)
        for place in chosen_fields(names, list(self.embedding_dim), "embedding_dim"):
            dims[place] = int(self.embedding_dim.get(names[place], _DIM))
        if min(dims) < 1:
            raise ValueError(f"embedding_dim is {self.embedding_dim!r}; every width must be at least 1.")
        return tuple(dims)

    @property
    def field_names_(self) -> tuple[str, ...]:
        """Names of the fields, in the order that the network holds them: the query's, then the item's."""
        check_is_fitted(self)
        names: list[str] = []
        for role, fields in (("user", self._query_fields), ("item", self._item_fields)):
            if getattr(self._estimator_roles, role) != ABSENT:
                names.append(getattr(self._estimator_roles, f"{role}_name"))
            layout = fields.layout
            names += [*layout.categorical, *layout.multivalued, *layout.numeric, *layout.flags]
            names += [name for name, _ in layout.arrays]
        return tuple(names)


@dataclass(eq=False, repr=False, kw_only=True)
class FieldRanker(FieldModel, NetworkRanker):
    """A model of features that ranks items for users and contexts, learnt from events."""

    learning_rate: float = 0.003
    l2: float = 0.01

    _needs_ids: ClassVar[bool] = True
