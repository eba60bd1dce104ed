"""Base class of rankers without a network that read features of items, and so score new items."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Fields, ItemColumns, ItemValues, Rows
from skrec._data.features.column_kinds import categorical_columns, kind_of
from skrec._data.tables.columns import Column
from skrec._data.tables.roles import column_positions
from skrec._estimators import StrOptions, check_is_fitted
from skrec.base.closed_form import ClosedFormRanker
from skrec.base.column_roles import ColumnRole, decide_sides
from skrec.base.events import Inputs
from skrec.base.field_inputs import positions_in, refuse_ignored
from skrec.base.reader import Codes, Query
from skrec.base.retrieval import ScoreConsumer, chunks
from skrec.exceptions import ColumnError

__all__ = ["ItemFeatures"]

_WORDS = 3
"""Mean number of words from which strings that differ between most items are text."""


@dataclass(eq=False, repr=False, kw_only=True)
class ItemFeatures(ClosedFormRanker):
    """Base class for rankers without a network that keep the latest features of each item.

    A model implements :meth:`_solve`, which may use :attr:`_item_values`, :meth:`_scores` and :meth:`_vectors_of`.
    """

    item_features: Any = "auto"
    text_features: Any = "auto"
    categorical_features: Any = "from_dtype"
    multivalued_features: Any = None
    separator: str | None = "|"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "item_features": ["array-like", StrOptions({"auto"})],
        "text_features": ["array-like", StrOptions({"auto"}), None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), callable, None],
        "multivalued_features": ["array-like", None],
        "separator": [str, None],
    }

    _item_columns: ItemColumns = field(init=False, repr=False)
    _item_values: ItemValues = field(init=False, repr=False)
    _decided_roles: tuple[tuple[int, str, str], ...] = field(default=(), init=False, repr=False)
    """Position, role and reason of each column besides the ids and the time."""

    _keeps_times: ClassVar[bool] = True  # times of the features

    # -- implemented by a model ---------------------------------------------------------------------------------------

    @abstractmethod
    def _vectors_of(self, columns: tuple[Column, ...]) -> sparse.csr_array:
        """Return the vectors of items with the given values of the columns, of shape (n, n_dimensions)."""

    @abstractmethod
    def _catalogue_vectors(self) -> sparse.csr_array:
        """Return the vectors of the known items, of shape (n_items, n_dimensions)."""

    @abstractmethod
    def _scores_of(self, histories: sparse.csr_array, vectors: sparse.csr_array, codes: Codes) -> NDArray[np.float64]:
        """Return the scores of items for histories, of shape (n_histories, n).

        `codes` are the codes of the items, 0 for new ones; `vectors` are their vectors.
        """

    @abstractmethod
    def _pair_scores(
        self, histories: sparse.csr_array, rows: NDArray[np.intp], vectors: sparse.csr_array, codes: Codes
    ) -> NDArray[np.float64]:
        """Return the score of each item for one of the histories; `rows` are the numbers of the histories."""

    # -- reading features ---------------------------------------------------------------------------------------------

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:
        if fit is None:  # rows of an earlier call
            return {}
        if fit == "fresh":
            self._item_columns = self._find_columns(rows, users, items)
            self._item_values = ItemValues((), None)
        columns = self._item_columns
        found = columns.read(rows)
        self._item_values = self._item_values.updated(columns, found, items, len(self._items), self._times(rows))
        return {}

    def _find_columns(self, rows: Rows, users: Codes, items: Codes) -> ItemColumns:
        """Decide which columns describe the item, and of which kind they are."""
        roles = self._estimator_roles
        taken = {roles.user, roles.item, roles.time}
        positions = [position for position in range(rows.n_columns) if position not in taken]
        chosen = self._chosen_columns(rows, positions)
        if not positions:
            raise ColumnError(
                f"{type(self).__name__} needs features of the items, but X has no columns besides the user, the item "
                "and the time. Add columns that describe the items, such as a title, categories or a price (merge them "
                "by the item), or use a model that needs none."
            )
        kinds: dict[int, tuple[str, int, str]] = {}
        decided = {p: ColumnRole("item feature", "named in item_features") for p in positions if chosen and p in chosen}
        text = self._text_columns(rows, positions, items)
        for is_text, part in ((True, text), (False, [position for position in positions if position not in text])):
            fields, encoded = Fields.fit(
                rows,
                part,
                categorical=part if is_text else self.categorical_features,
                multivalued=None if is_text else self.multivalued_features,
                separator=self.separator,
            )
            widths = dict(fields.layout.arrays)
            measures = dict(zip(fields.layout.numeric, fields.measures, strict=True))
            for position, (name, kind) in zip(fields.positions, fields.layout.kinds, strict=True):
                kinds[position] = "text" if is_text else kind, widths.get(name, 0), measures.get(name, "")
            if chosen is None:
                decided |= decide_sides(rows, fields, encoded, users, items, undecided="item")
        self._decided_roles = tuple((p, decided[p].role, decided[p].reason) for p in positions if p in decided)
        return self._columns_of_items(rows, kinds)

    def _columns_of_items(self, rows: Rows, kinds: dict[int, tuple[str, int, str]]) -> ItemColumns:
        of_item = tuple(position for position, role, _ in self._decided_roles if role == "item feature")
        if not of_item:
            listed = "; ".join(f"{rows.label(p)} is {_with_article(r)} ({why})" for p, r, why in self._decided_roles)
            raise ColumnError(
                f"{type(self).__name__} needs features of the items, but no column is one: {listed}. Add columns that "
                "describe the items, or name them in item_features=."
            )
        return ItemColumns(
            names=tuple(_name(rows, position) for position in of_item),
            positions=of_item,
            kinds=tuple(kinds[position][0] for position in of_item),
            widths=tuple(kinds[position][1] for position in of_item),
            measures=tuple(kinds[position][2] for position in of_item),
            separator=self.separator,
        )

    def _chosen_columns(self, rows: Rows, positions: list[int]) -> set[int] | None:
        if isinstance(self.item_features, str):
            return None
        chosen = set(column_positions(rows, self.item_features, parameter="item_features"))
        other = sorted(chosen - set(positions))
        if other:
            raise ColumnError(
                f"item_features has {rows.label(other[0])}, which is the user, the item or the time. Remove it from "
                "item_features."
            )
        if not chosen:
            raise ColumnError(
                "item_features is empty, but items can only be compared by features: name the columns that describe "
                "the items."
            )
        return chosen

    def _text_columns(self, rows: Rows, positions: list[int], items: Codes) -> list[int]:
        """Return the columns of text: those that are named, or strings of words that differ between most items."""
        if self.text_features is None:
            return []
        if not isinstance(self.text_features, str):
            named = column_positions(rows, self.text_features, parameter="text_features")
            other = [position for position in named if position not in positions]
            if other:
                raise ColumnError(
                    f"text_features has {rows.label(other[0])}, which is the user, the item or the time. Remove it "
                    "from text_features."
                )
            return named
        mask = categorical_columns(rows, self.categorical_features)
        listed = () if self.multivalued_features is None else self.multivalued_features
        declared = set(column_positions(rows, listed, parameter="multivalued_features"))
        declared |= set() if mask is None else set(np.flatnonzero(mask).tolist())
        return [p for p in positions if p not in declared and _is_text(rows, p, items)]

    def feature_positions(self, side: Literal["query", "item"]) -> tuple[int, ...] | None:
        """Return the positions of the columns that hold the features of queries or of items.

        Parameters
        ----------
        side : {"query", "item"}
            There are only features of items.

        Returns
        -------
        tuple of int
            Positions in ``X``.
        """
        check_is_fitted(self)
        return self._item_columns.positions if side == "item" else ()

    def _described_columns(self) -> dict[int, tuple[str, str, str]]:
        described = super()._described_columns()
        kinds = dict(zip(self._item_columns.positions, self._item_columns.kinds, strict=True))
        for position, role, reason in self._decided_roles:
            if position in kinds:
                described[position] = (role, kinds[position], reason)
            else:
                described[position] = ("ignored", "", f"it is {_with_article(role)}: {reason}")
        return described

    def _positions_of_item_features(self, rows: Rows) -> tuple[int, ...] | None:
        return positions_in(rows, self._item_columns, self._estimator_roles, "item")

    def _given_columns(self, items: Query) -> tuple[Column, ...] | None:
        """Return the features that come with items; None for ids alone."""
        rows, roles = items.rows, self._estimator_roles
        if rows is None:
            return None
        at = self._positions_of_item_features(rows)
        names = roles.names or [f"x{position}" for position in range(self.n_features_in_)]
        refuse_ignored(
            rows, self._item_columns, roles, "item", {names[p]: (role, why) for p, role, why in self._decided_roles}
        )
        if at is None:
            return None
        columns = self._item_columns.read(rows, at)
        return columns if items.at is None else tuple(column[items.at] for column in columns)

    def _vectors_for(self, items: Query) -> sparse.csr_array:
        """Return the vectors of items: from the features that come with them, or those of the known items."""
        given = self._given_columns(items)
        if given is not None:
            return self._vectors_of(given)
        known = self._catalogue_vectors()
        if items.whole:
            return known
        found = known[np.maximum(items.codes, 1) - 1]
        found.data[np.repeat(items.codes == 0, np.diff(found.indptr))] = 0.0
        return found

    # -- similar items ------------------------------------------------------------------------------------------------

    def _read_compared(self, items: Any) -> tuple[NDArray[Any], Query]:
        ids, rows = self._ids_and_rows(items, "item", "items")
        query = Query(self._items.encode(ids, where="items"), rows)
        if self.handle_unknown == "error" or self._given_columns(query) is None:
            self._items.refuse_unknown(ids, query.codes, where="items")
        return ids, query

    def _score_compared(self, items: Query, consume: ScoreConsumer) -> None:
        vectors, known = self._vectors_for(items), self._catalogue_vectors()
        for part in chunks(len(items.codes), known.shape[0]):
            consume(part, (vectors[part] @ known.T).toarray().astype(np.float32))

    # -- scoring ------------------------------------------------------------------------------------------------------

    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        histories, vectors = self._histories_of(queries), self._vectors_for(items)
        for part in chunks(histories.shape[0], max(vectors.shape)):
            consume(part, self._scores_of(histories[part], vectors, items.codes).astype(np.float32))

    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        users, items = self._pair_codes(rows)
        scores = np.empty(len(users), np.float32)
        vectors = self._vectors_of(self._item_columns.read(rows))
        distinct, owner = np.unique(users, return_inverse=True)
        order = np.argsort(owner, kind="stable")
        stop = np.searchsorted(owner[order], np.arange(len(distinct)), side="right")
        for part in chunks(len(distinct), vectors.shape[1]):
            at = order[(stop[part.start - 1] if part.start else 0) : stop[part.stop - 1]]
            histories = self._log.matrix(distinct[part])
            scores[at] = self._pair_scores(histories, owner[at] - part.start, vectors[at], items[at])
        return scores


def _is_text(rows: Rows, position: int, items: Codes) -> bool:
    """Whether a column holds strings of several words on average that differ between most of its items."""
    raw = rows.raw(position)
    if isinstance(raw.dtype, pd.CategoricalDtype) or str(raw.dtype).startswith(("Categorical", "Enum")):
        return False
    if kind_of(rows, position) != "categorical":
        return False
    column = rows.column(position)
    there = ~np.asarray(pd.isna(column))
    if not there.any() or pd.api.types.infer_dtype(column[there], skipna=False) != "string":
        return False
    distinct = pd.unique(column[there])
    n_words = float(np.mean([len(text.split()) for text in distinct.tolist()]))
    return n_words >= _WORDS and 2 * len(distinct) > len(np.unique(items[there]))


def _name(rows: Rows, position: int) -> str:
    return f"x{position}" if rows.names is None else rows.names[position]


def _with_article(role: str) -> str:
    return {"user feature": "a feature of the user", "context": "a feature of the event"}.get(role, role)
