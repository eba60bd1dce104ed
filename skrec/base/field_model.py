"""Base class of models of features: the roles of the columns, and the fields of queries and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skrec._data import ABSENT, Encoded, Fields, Roles, Rows, resolve_roles
from skrec._data.features.sides import select_fields
from skrec._data.features.sparse_rows import SparseRows, dense_columns, largest_values, packed, refuse_options
from skrec._data.ids.id_columns import warn_ids_as_numbers
from skrec._data.tables.roles import column_positions
from skrec._estimators import Interval, StrOptions, check_is_fitted
from skrec.base.column_roles import ColumnRole, decide_sides
from skrec.base.events import Inputs
from skrec.base.field_inputs import chosen_fields, named
from skrec.base.kept_features import KeptFeatures
from skrec.base.ranker import NetworkRanker
from skrec.base.reader import Codes
from skrec.base.small_tables import LEAST_ID_DROPOUT, RARE, most_bins
from skrec.exceptions import ColumnError

__all__ = ["FieldModel", "FieldRanker"]

_DIM = 16


@dataclass(eq=False, repr=False, kw_only=True)
class FieldModel(KeptFeatures):
    """Base class for models of features, in which every column except the time is a field.

    With an item column, fields belong either to the query (the user, the user features, the context) or to the item,
    so that a query can be combined with all items of the catalogue. Without an item column, all fields belong to the
    query.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skrec.base import FieldModel, NetworkRegressor
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class LinearRegressor(FieldModel, NetworkRegressor):
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, fields, n_outputs):
    ...         parts, pair = {"output": keras.layers.Dense(n_outputs)}, layers.Fields(*fields)
    ...         vectors = pair.embed(parts)
    ...         core = lambda inputs: parts["output"](layers.flatten(inputs["vectors"]))
    ...         return layers.field_network(core, parts, {"vectors": vectors}, n_outputs=n_outputs, width=pair.width)
    >>> X = pd.DataFrame({"age": np.arange(100.0), "city": ["Bern", "Rome"] * 50})
    >>> y = X["age"] + 50 * (X["city"] == "Rome")
    >>> LinearRegressor(epochs=40, learning_rate=0.01, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    categorical_features: Any = "from_dtype"
    multivalued_features: Any = None
    separator: str | None = "|"
    min_frequency: int = 1
    item_features: Any = "auto"
    embedding_dim: Any = _DIM
    numeric_embedding: Literal["piecewise", "linear", "bag"] = "piecewise"
    n_bins: int = 64
    pooling: Literal["mean", "sum", "max"] = "mean"
    learning_rate: Any = 0.001
    l2: float = 0.0001

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), callable, None],
        "multivalued_features": ["array-like", None],
        "separator": [str, None],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "item_features": ["array-like", StrOptions({"auto"}), None],
        "embedding_dim": [Interval(Integral, 1, None, closed="left"), dict],
        "numeric_embedding": [StrOptions({"piecewise", "linear", "bag"})],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "pooling": [StrOptions({"mean", "sum", "max"})],
    }
    _edges: dict[str, NDArray[np.float32]] = field(init=False, repr=False)
    _bag_columns: NDArray[np.int64] | None = field(default=None, init=False, repr=False)
    """Columns of sparse rows that have an embedding, in the order of the table; None if rows are dense."""
    _bag_scales: NDArray[np.float64] = field(init=False, repr=False)
    """Maximum absolute value of each of these columns, by which values are divided."""

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.field_importance returns the importance "
        "of each field."
    )
    _needs_ids: ClassVar[bool] = False
    _takes_dims: ClassVar[bool] = False  # whether fields may have embeddings of different dimensions

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        space["l2"] = distributions.FloatDistribution(1e-6, 1e-2, log=True)
        if not isinstance(self.embedding_dim, dict):
            space["embedding_dim"] = distributions.CategoricalDistribution((8, 16, 32, 64))
        if len(getattr(self, "hidden_units", ())):
            space["dropout"] = distributions.FloatDistribution(0.0, 0.5)
        return space

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Features may be missing in all rows; a table that consists only of ids may not.
        tags.input_tags.allow_nan = not self._needs_ids and self.user is None and self.item is None
        tags.input_tags.categorical = True
        tags.input_tags.sparse = not self._needs_ids
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
            raise ColumnError("item= was passed without user=. To recommend items, pass the user column as well.")
        return roles

    # -- fields -------------------------------------------------------------------------------------------------------

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:
        rows = self._as_fitted(rows, fit)
        if fit == "fresh":
            self._bag_columns = None
            of_query, of_item = (
                self._fit_bag(rows) if isinstance(rows, SparseRows) else self._fit_fields(rows, users, items)
            )
        elif fit == "more":
            self._query_fields, of_query = self._query_fields.extend(rows)
            self._item_fields, of_item = self._item_fields.extend(rows)
        else:
            of_query, of_item = self._query_fields.encode(rows), self._item_fields.encode(rows)
        sides = {"query": named("query", of_query), "item": named("item", of_item)}
        if isinstance(rows, SparseRows):
            sides["query"] |= self._bag_inputs(rows, more=fit == "more")
        if fit is not None:
            self._remember(self._times(rows), {"query": users, "item": items}, sides, fresh=fit == "fresh")
        if fit == "fresh":
            self._learn_edges({"query": of_query, "item": of_item})
        return {**self._roles_of({"user": users, "item": items}), **sides["query"], **sides["item"]}

    def _fit_fields(self, rows: Rows, users: Codes, items: Codes) -> tuple[Encoded, Encoded]:
        """Learn all feature columns, and split them into those of the item and those of the query."""
        roles = self._estimator_roles
        taken = {roles.user, roles.item, roles.time}
        positions = [position for position in range(rows.n_columns) if position not in taken]
        if not positions and roles.user == ABSENT:
            raise ColumnError("X has no features: its only column is the time. Rename it, or add other columns.")
        chosen = self._named_item_features(rows, taken)
        fields, encoded = Fields.fit(
            rows,
            positions,
            categorical=self.categorical_features,
            multivalued=self.multivalued_features,
            separator=self.separator,
            min_frequency=max(int(self.min_frequency), RARE + 1 if self._n_small else 1),
        )
        fields = replace(fields, min_frequency=int(self.min_frequency))  # for the rows of partial_fit
        self._warn_ids_as_numbers(rows, fields)
        if roles.item == ABSENT:
            decided = {position: ColumnRole("feature", "no column of items") for position in positions}
        elif chosen is None:
            decided = decide_sides(rows, fields, encoded, users, items)
        else:
            decided = {
                position: ColumnRole("item feature", "named in item_features")
                if position in chosen
                else ColumnRole("context", "not named in item_features")
                for position in positions
            }
        of_item = {position for position, column in decided.items() if column.role == "item feature"}
        self._decided_roles = tuple(sorted((p, column.role, column.reason) for p, column in decided.items()))
        self._query_fields, of_query = select_fields(fields, encoded, set(positions) - of_item)
        self._item_fields, encoded_item = select_fields(fields, encoded, of_item)
        return of_query, encoded_item

    def _warn_ids_as_numbers(self, rows: Rows, fields: Fields) -> None:
        first = len(fields.categories)
        numeric = fields.positions[first : first + len(fields.layout.numeric)]
        open_roles = [role for role in ("user", "item") if not self._has_role(role)]
        chosen = not isinstance(self.categorical_features, str)
        warn_ids_as_numbers(rows, numeric, roles=open_roles, chosen=chosen)

    def _as_rows(self, X: Any, n_least: int) -> Rows:
        return SparseRows(X) if issparse(X) and not self._needs_ids else super()._as_rows(X, n_least)

    def _as_fitted(self, rows: Rows, fit: str | None) -> Rows:
        """Return the rows in the format used in fit: sparse or dense."""
        is_sparse = isinstance(rows, SparseRows)
        if fit == "fresh":
            as_bag = is_sparse or self.numeric_embedding == "bag"
            if as_bag and self._needs_ids:
                raise ValueError(
                    f"numeric_embedding='bag' makes one field of all columns, but {type(self).__name__} needs users "
                    "and items: pass 'piecewise' or 'linear'."
                )
            if as_bag:
                given = {name: getattr(self, name) for name in ("user", "item", "multivalued_features")}
                if not isinstance(self.categorical_features, str):
                    given["categorical_features"] = self.categorical_features
                refuse_options(**given)
        else:
            as_bag = self._bag_columns is not None
            if is_sparse and not as_bag:
                raise TypeError("X is sparse, but was dense in fit. Pass X.toarray(), or fit on sparse data.")
        return SparseRows.of_dense(rows) if as_bag and not isinstance(rows, SparseRows) else rows

    def _fit_bag(self, rows: SparseRows) -> tuple[Encoded, Encoded]:
        """Learn sparse rows: columns with many values are numeric; all others form a bag with an embedding for each."""
        time = self._estimator_roles.time
        taken = set() if time is None else {time}
        numbers = [] if self.numeric_embedding == "bag" else dense_columns(rows, taken)
        self._query_fields, of_query = Fields.fit(rows, numbers, categorical=None)
        self._item_fields, of_item = Fields.fit(rows, [])
        self._decided_roles = ()
        self._bag_columns, self._bag_scales = largest_values(rows, taken | set(numbers))
        return of_query, of_item

    def _bag_inputs(self, rows: SparseRows, *, more: bool) -> Inputs:
        """Return the entries of sparse rows; if ``more``, columns with a value for the first time are added."""
        assert self._bag_columns is not None
        if more:
            time = self._estimator_roles.time
            taken = {*self._bag_columns.tolist(), *self._query_fields.positions, *(() if time is None else (time,))}
            columns, scales = largest_values(rows, taken)
            self._bag_columns = np.concatenate([self._bag_columns, columns])
            self._bag_scales = np.concatenate([self._bag_scales, scales])
        places, bits = packed(rows, self._bag_columns, self._bag_scales)
        return {"query_sparse": places, "query_values": bits}

    def _named_item_features(self, rows: Rows, taken: set[int | None]) -> set[int] | None:
        """Return the positions of `item_features`, or None if they are detected automatically."""
        if isinstance(self.item_features, str):
            return None
        chosen = set(
            column_positions(rows, () if self.item_features is None else self.item_features, parameter="item_features")
        )
        other = sorted(chosen & {position for position in taken if position is not None})
        if other:
            raise ColumnError(
                f"item_features has {rows.label(other[0])}, which is the user, the item or the time. "
                "Remove it from item_features."
            )
        return chosen

    def _described_columns(self) -> dict[int, tuple[str, str, str]]:
        described = super()._described_columns()
        if self._bag_columns is not None:
            columns = [*self._query_fields.positions, *self._bag_columns.tolist()]
            return described | dict.fromkeys(columns, ("feature", "numeric", "a column of a sparse X"))
        roles = self._roles_of_features()
        for fields in (self._query_fields, self._item_fields):
            for (name, kind), position in zip(fields.layout.kinds, fields.positions, strict=True):
                role, reason = roles[name]
                described[position] = (role, kind, reason)
        return described

    def _learn_edges(self, encoded: Mapping[str, Encoded]) -> None:
        """Compute the bin edges of numeric fields, if they have bins."""
        n_bins = int(self.n_bins) if self.numeric_embedding == "piecewise" else 0
        fields = {"query": self._query_fields, "item": self._item_fields}
        if self._n_small:
            n_bins = min(n_bins, most_bins(self._n_small, sum(len(side.layout.numeric) for side in fields.values())))
        self._edges = {
            side: fields[side].bin_edges(encoded[side], n_bins)
            for side in fields
            if n_bins and fields[side].layout.numeric
        }

    def _fraction_dropped(self) -> float:
        return max(float(self.id_dropout), LEAST_ID_DROPOUT if self.id_dropout and self._n_small else 0.0)

    def _bins(self) -> int:
        """Return the number of bins of a numeric field, or 0 if it is embedded linearly."""
        return int(next(iter(self._edges.values())).shape[1]) - 1 if self._edges else 0

    def _inputs_of_any_width(self) -> Sequence[str]:
        sides = (("query", self._query_fields), ("item", self._item_fields))
        return [f"{side}_bag_{i}" for side, fields in sides for i in range(len(fields.layout.multivalued))]

    def _table_rows(self) -> dict[str, int]:
        return {
            **super()._table_rows(),
            "query_fields": self._query_fields.n_rows,
            "item_fields": self._item_fields.n_rows,
            "query_sparse": 1 + (0 if self._bag_columns is None else len(self._bag_columns)),
            **self._more_tables(),
        }

    def _more_tables(self) -> dict[str, int]:
        """Return the number of rows of further tables of an architecture."""
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
        """Return the suffixes of the names of the tables with the categorical fields."""
        return ("fields",)

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        sides = tuple(
            (
                side,
                role if self._has_role(role) else None,
                len(fields.layout.categorical),
                len(fields.layout.multivalued),
                len(fields.layout.numeric),
                len(fields.layout.flags),
                tuple(width for _, width in fields.layout.arrays),
                int(side == "query" and self._bag_columns is not None),
            )
            for side, role, fields in (("query", "user", self._query_fields), ("item", "item", self._item_fields))
        )
        return {"fields": (*sides, self._width(), self._bins(), self.pooling), "n_outputs": n_outputs}

    def _width(self) -> int:
        if not isinstance(self.embedding_dim, dict):
            return int(self.embedding_dim)
        if not self._takes_dims:
            raise TypeError(
                f"embedding_dim of {type(self).__name__} must be one number for all fields, because it multiplies "
                "their embeddings. DCN, DNN and Wide&Deep support a dict."
            )
        return max(self._dims() or (_DIM,))

    def _dims(self) -> tuple[int, ...] | None:
        """Return the embedding dimension of each field, or None if it is the same for all."""
        if not isinstance(self.embedding_dim, dict):
            return None
        names = self.field_names_
        dims = [_DIM] * len(names)
        places = chosen_fields(names, self.embedding_dim, "embedding_dim", self._estimator_roles)
        for place, dim in zip(places, self.embedding_dim.values(), strict=True):
            dims[place] = int(dim)
        if min(dims) < 1:
            raise ValueError(f"embedding_dim is {self.embedding_dim!r}, but every dimension must be at least 1.")
        return tuple(dims)

    @property
    def field_names_(self) -> tuple[str, ...]:
        """Names of the fields in the order used by the network: the query fields, then the item fields."""
        check_is_fitted(self)
        names: list[str] = []
        for role, fields in (("user", self._query_fields), ("item", self._item_fields)):
            if self._has_role(role):
                names.append(getattr(self._estimator_roles, f"{role}_name"))
            layout = fields.layout
            names += [*layout.categorical, *layout.multivalued, *layout.numeric, *layout.flags]
            names += [name for name, _ in layout.arrays]
            if fields is self._query_fields and self._bag_columns is not None:
                names.append("sparse_columns")
        return tuple(names)


@dataclass(eq=False, repr=False, kw_only=True)
class FieldRanker(FieldModel, NetworkRanker):
    """Base class for models of features that rank items for users and contexts.

    Examples
    --------
    >>> from skrec.base import FieldRanker
    >>> from skrec.models import DCNRanker, DeepFMRanker
    >>> issubclass(DCNRanker, FieldRanker), issubclass(DeepFMRanker, FieldRanker)
    (True, True)
    """

    _full_catalogue: ClassVar[int] = 1024  # items with features cost more than items with an embedding each
    _negatives_of_batch: ClassVar[int] = 1024

    learning_rate: Any = 0.003

    _needs_ids: ClassVar[bool] = True
    _validated_roles: ClassVar[tuple[str, ...]] = ("item",)  # new users are represented by their features
