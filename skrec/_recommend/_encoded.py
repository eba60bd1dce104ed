"""skrec models behind transformers: raw ids are encoded, ranked and decoded.

The columns of the user and the item are followed from the model back to the raw rows. A raw id is encoded in a row
whose other columns hold known values; the catalogue is decoded by ``inverse_transform``. Of a ``ColumnTransformer``,
which has none, the parts that hold the user and the item are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skrec._data.columns import Column, as_column
from skrec._data.vocabulary import Vocabulary
from skrec._recommend._ranking import Ranking
from skrec._recommend._tables import (
    Columns,
    as_ids,
    as_table,
    columns_of,
    is_table,
    named_column,
    repeat,
    unknown_error,
)
from skrec._recommend._unwrap import Unwrapped, flat
from skrec._sklearn_compat import column_transformer_inputs, safe_indexing
from skrec.exceptions import UnknownIdError

_CURE = (
    "Encode the ids with skrec.preprocessing.IDEncoder or sklearn.preprocessing.OrdinalEncoder (beside other "
    "columns: in a ColumnTransformer), or call recommend on the last step, with encoded ids."
)


class Block(NamedTuple):
    """A part of a transformer that turns the columns `inputs` into the columns `outputs`."""

    encoder: Any
    inputs: list[int]
    outputs: range


@dataclass
class Stage:
    """One transformer: its blocks that hold the user and the item, and known values for the columns it takes."""

    blocks: list[Block]
    names: Sequence[str] | None
    width: int
    known: list[Any] = field(default_factory=list)

    def encode(self, columns: Columns, known: list[Any]) -> Columns:
        """Return the columns after the transformer; those of other blocks hold the `known` values."""
        outputs = [repeat(value, len(columns[0])) for value in known]
        for encoder, inputs, span in self.blocks:
            names = None if self.names is None else [self.names[position] for position in inputs]
            table = as_table([columns[position] for position in inputs], names)
            outputs[span.start : span.stop] = columns_of(encoder.transform(table))
        return outputs

    def decode(self, columns: Columns) -> Columns:
        """Return the columns before the transformer; those of other blocks hold None."""
        inputs = [repeat(None, len(columns[0])) for _ in range(self.width)]
        for encoder, positions, span in self.blocks:
            decoded = columns_of(encoder.inverse_transform(as_table([columns[position] for position in span], None)))
            for position, column in zip(positions, decoded, strict=True):
                inputs[position] = column
        return inputs


class EncodedSpace:
    """The ids of a fitted model behind transformers, and the way from the raw ids to them and back.

    Parameters
    ----------
    unwrapped : Unwrapped
        At least one transformer, and a skrec model.
    """

    def __init__(self, unwrapped: Unwrapped) -> None:
        self.unwrapped, self.model = unwrapped, unwrapped.model
        check_is_fitted(self.model)
        self.user: int = self.model._estimator_roles.user
        self.item: int = self.model._estimator_roles.item
        user, item = self.user, self.item
        self.stages: list[Stage] = []
        for transformer in reversed(unwrapped.transformers):
            blocks = [_block(transformer, user)]
            if item not in blocks[0].outputs:
                blocks.append(_block(transformer, item))
            names = getattr(transformer, "feature_names_in_", None)
            self.stages.insert(0, Stage(blocks, names, transformer.n_features_in_))
            user, item = _origin(transformer, user), _origin(transformer, item)
        self.raw_user, self.raw_item, self.raw_names = user, item, self.stages[0].names
        self.user_name = "user_id" if self.raw_names is None else str(self.raw_names[user])
        self.item_name = "item_id" if self.raw_names is None else str(self.raw_names[item])
        self._find_known_values()
        self.items = Vocabulary(np.asarray(self.model.items_), "item_id")
        self.catalogue = self._decode_items(self.model.items_)

    @property
    def known_users(self) -> Column:
        """One raw id of a user, which tells of what kind they are."""
        return as_column([self.stages[0].known[self.raw_user]])

    def rank(self, queries: Any, k: int, candidates: Any, *, exclude_seen: bool, history: Any = None) -> Ranking:
        """Rank for raw queries, or by raw histories, among raw candidates."""
        if queries is None and history is not None:
            users, encoded = np.arange(len(history)), None
        else:
            users, encoded = self._encode_queries(queries)
        n_candidates, encoded_candidates = self._encode_candidates(candidates)
        k = min(k, n_candidates)
        if not (k and len(users)):
            shape = (len(users), 0)
            return Ranking(users, self.catalogue, np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32))
        try:
            if history is None:
                items, scores = self._recommend(encoded, k, encoded_candidates, exclude_seen=exclude_seen)
            else:
                options = {"candidates": encoded_candidates, "exclude_seen": exclude_seen, "as_frame": False}
                items, scores = self.model.recommend(encoded, k, history=self._encode_lists(history), **options)
        except UnknownIdError as error:
            codes = columns_of(encoded)[self.user] if is_table(encoded) else encoded
            unknown = Vocabulary(self.model.users_).encode(codes) == 0
            raise unknown_error("users", users[unknown], "queries") from error
        there = scores > -np.inf
        positions = np.full(items.shape, -1, dtype=np.int64)
        positions[there] = self._positions(items[there])
        self._check_round_trip(np.unique(positions[there]))
        return Ranking(users, self.catalogue, positions, scores)

    def _recommend(self, encoded: Any, k: int, candidates: Any, *, exclude_seen: bool) -> tuple[Any, Any]:
        """Rank encoded queries. Users that an encoder merges share one log, which is nobody's: nothing is left out."""
        codes = np.asarray(columns_of(encoded)[self.user] if is_table(encoded) else encoded)
        merged = pd.isna(self._decode(codes, self.user)[self.raw_user])
        options = {"candidates": candidates, "as_frame": False}
        if not (exclude_seen and merged.any()):
            ranked: tuple[Any, Any] = self.model.recommend(encoded, k, exclude_seen=exclude_seen, **options)
            return ranked
        parts = np.flatnonzero(~merged), np.flatnonzero(merged)
        found = [
            self.model.recommend(safe_indexing(encoded, rows), k, exclude_seen=leave_out, **options)
            for rows, leave_out in zip(parts, (True, False), strict=True)
            if len(rows)
        ]
        order = np.argsort(np.concatenate(parts))
        items, scores = (np.concatenate(arrays)[order] for arrays in zip(*found, strict=True))
        return items, scores

    def _encode_queries(self, queries: Any) -> tuple[Column, Any]:
        if is_table(queries):
            rows = self._completed(queries, self.raw_item)
            return self._raw_column(rows, self.raw_user, "queries"), self.unwrapped.transform(rows)
        users = as_ids(queries, "queries")
        return users, self._encode_ids(users, self.raw_user, self.user)

    def _encode_lists(self, history: Any) -> list[Any]:
        """Encode lists of item ids, all in one go."""
        lists = [
            as_ids(items, f"history[{at}]") if len(items) else np.empty(0, object) for at, items in enumerate(history)
        ]
        flat = as_column([item for items in lists for item in items.tolist()])
        codes = self._encode_ids(flat, self.raw_item, self.item)
        return np.split(codes, np.cumsum([len(items) for items in lists])[:-1]) if lists else []

    def _encode_candidates(self, candidates: Any) -> tuple[int, Any]:
        """Return how many items are candidates, and the candidates for the model."""
        known = ~pd.isna(self.catalogue)
        if candidates is None:
            return int(known.sum()), None if known.all() else self.model.items_[known]
        if is_table(candidates):
            rows = self._completed(candidates, self.raw_user)
            ids, encoded = self._raw_column(rows, self.raw_item, "candidates"), self.unwrapped.transform(rows)
            positions = self._positions(columns_of(encoded)[self.item])
        else:
            ids = as_ids(candidates, "candidates")
            encoded = self._encode_ids(ids, self.raw_item, self.item)
            positions = self._positions(encoded)
        if not len(ids):
            raise ValueError("candidates is empty: pass at least one item id, or None for the whole catalogue.")
        unknown = (positions < 0) | ~known[positions]
        if unknown.any():
            raise unknown_error("items", ids[unknown], "candidates")
        return len(np.unique(positions)), encoded

    def _positions(self, codes: Column) -> NDArray[np.int64]:
        codes_from_1: NDArray[np.int32] = self.items.encode(codes)
        return codes_from_1.astype(np.int64) - 1

    def _raw_column(self, rows: Any, position: int, argument: str) -> Column:
        if self.raw_names is not None and hasattr(rows, "columns"):
            return named_column(rows, str(self.raw_names[position]), argument)
        return columns_of(rows)[position]

    def _completed(self, rows: Any, position: int) -> Any:
        """Return rows with the item (of queries) or the user (of candidates) that they may lack: any known one."""
        if self.raw_names is None or not isinstance(rows, pd.DataFrame) or self.raw_names[position] in rows:
            return rows
        rows = rows.assign(**{str(self.raw_names[position]): self.stages[0].known[position]})
        return rows[[*self.raw_names]] if set(rows) == set(self.raw_names) else rows

    def _encode_ids(self, ids: Column, raw_position: int, position: int) -> Column:
        if not len(ids):
            return ids
        columns = [repeat(value, len(ids)) for value in self.stages[0].known]
        columns[raw_position] = ids
        return self._encode(columns)[position]

    def _encode(self, columns: Columns) -> Columns:
        known = [*(stage.known for stage in self.stages[1:]), self.known]
        for stage, values in zip(self.stages, known, strict=True):
            columns = stage.encode(columns, values)
        return columns

    def _decode(self, codes: Any, position: int) -> Columns:
        """Return the columns before all transformers for one column after them."""
        columns: Columns = [repeat(value, len(codes)) for value in self.known]
        columns[position] = np.asarray(codes)
        for stage in reversed(self.stages):
            columns = stage.decode(columns)
        return columns

    def _decode_items(self, items: Any) -> Column:
        raw: Column = self._decode(items, self.item)[self.raw_item]
        if raw.dtype == object:  # what OrdinalEncoder calls the ids that min_frequency merges
            raw = raw.copy()
            raw[raw == "infrequent_sklearn"] = None
        return raw

    def _find_known_values(self) -> None:
        """Find a value for every column, before and after every stage, that the transformers accept."""
        for code in (
            1,
            0,
        ):  # a column that is neither user nor item: 1 is known to an IDEncoder, 0 to an OrdinalEncoder
            columns = [repeat(code, 2) for _ in range(self.model.n_features_in_)]
            for position, ids in ((self.user, self.model.users_), (self.item, self.model.items_)):
                columns[position] = np.resize(ids, 2)  # two, for one may be the code of unknown ids
            self.known = [column[-1] for column in columns]
            try:
                for stage in reversed(self.stages):
                    columns = stage.decode(columns)
                    stage.known = [next(iter(column[~pd.isna(column)]), None) for column in columns]
                self._encode([repeat(value, 1) for value in self.stages[0].known])
            except (IndexError, KeyError, TypeError, ValueError):
                if code == 0:
                    raise
            else:
                return

    def _check_round_trip(self, positions: NDArray[np.int64]) -> None:
        raw, codes = self.catalogue[positions], self.model.items_[positions]
        returned = self._encode_ids(raw, self.raw_item, self.item)
        wrong = np.flatnonzero(returned != codes)
        if len(wrong):
            raise ValueError(
                f"The transformers cannot be inverted: their inverse_transform maps the item {codes[wrong[0]]!r} to "
                f"{raw[wrong[0]]!r}, which transform maps to {returned[wrong[0]]!r}. {_CURE}"
            )


def _block(transformer: Any, position: int) -> Block:
    """Return the part of a transformer that makes an output column."""
    if hasattr(transformer, "output_indices_"):
        inputs = column_transformer_inputs(transformer)
        for name, encoder, _ in transformer.transformers_:
            span = transformer.output_indices_[name]
            if span.start <= position < span.stop:
                return _invertible(Block(encoder, inputs[name], range(span.start, span.stop)))
    width, n_outputs = transformer.n_features_in_, len(_names_out(transformer)) or transformer.n_features_in_
    return _invertible(Block(transformer, list(range(width)), range(n_outputs)))


def _invertible(block: Block) -> Block:
    if not hasattr(block.encoder, "inverse_transform"):
        raise ValueError(
            f"{block.encoder!r} has no inverse_transform: ids cannot be mapped back through it. If it leaves them as "
            "they are, as HistoryEncoder and FeatureCrosses do, ask the last step: "
            "pipeline[-1].recommend(pipeline[:-1].transform(rows), k), where rows have the columns of fit, with any "
            f"item that is new to the user. If it encodes them, use one that can be inverted. {_CURE}"
        )
    return block


def _origin(transformer: Any, position: int) -> int:
    """Return the input column that an output column of a transformer comes from."""
    encoder, inputs, outputs = _block(transformer, position)
    position -= outputs.start
    if encoder is not transformer:
        for part in reversed(flat(encoder)):
            position = _origin(part, position)
        return inputs[position]
    names_in, names_out = list(getattr(transformer, "feature_names_in_", ())), _names_out(transformer)
    if names_out and names_out[position] in names_in:
        return names_in.index(names_out[position])
    if len(outputs) != len(inputs):
        raise ValueError(
            f"{transformer!r} makes {len(outputs)} columns of {len(inputs)}: it cannot be told which one column "
            f"{position} comes from. {_CURE}"
        )
    return position


def _names_out(transformer: Any) -> list[str]:
    return list(transformer.get_feature_names_out()) if hasattr(transformer, "get_feature_names_out") else []
