"""Transformers taken apart: the blocks that hold the user and the item, forwards and backwards."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skrec._data.tables.columns import Column
from skrec._recommend._frames import Columns, as_table, columns_of, repeat
from skrec._recommend._unwrap import flat

__all__ = ["CURE", "Stage", "any_value", "block_of", "origin", "sources"]

CURE = (
    "Encode the ids with skrec.preprocessing.IDEncoder or sklearn.preprocessing.OrdinalEncoder (beside other "
    "columns: in a ColumnTransformer), or call recommend on the last step, with encoded ids."
)


_UNUSED: Column = np.empty(0)


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

    def learn_known(self, columns: Columns) -> None:
        """Take the known values from decoded columns, or from an encoder that has none for the codes of these."""
        self.known = [next(iter(column[~pd.isna(column)]), None) for column in columns]
        for encoder, inputs, _ in self.blocks:
            for at, position in enumerate(inputs):
                if self.known[position] is None:
                    self.known[position] = _any_id(encoder, at)

    def encode(self, columns: Columns, known: list[Any]) -> Columns:
        """Return the columns after the transformer; those of other blocks hold the `known` values."""
        outputs: Columns = [_UNUSED] * len(known)
        for encoder, inputs, span in self.blocks:
            names = None if self.names is None else [self.names[position] for position in inputs]
            table = as_table([columns[position] for position in inputs], names)
            outputs[span.start : span.stop] = columns_of(encoder.transform(table))
        others = (at for at, column in enumerate(outputs) if column is _UNUSED)
        for at in others:
            outputs[at] = repeat(known[at], len(columns[0]))
        return outputs

    def decode(self, columns: Columns) -> Columns:
        """Return the columns before the transformer; those of other blocks hold None."""
        inputs = [repeat(None, len(columns[0])) for _ in range(self.width)]
        for encoder, positions, span in self.blocks:
            decoded = columns_of(encoder.inverse_transform(as_table([columns[position] for position in span], None)))
            for position, column in zip(positions, decoded, strict=True):
                inputs[position] = column
        return inputs


def block_of(transformer: Any, position: int) -> Block:
    """Return the part of a transformer that makes an output column."""
    from skrec._sklearn_compat import column_transformer_inputs

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
            f"item that is new to the user. If it encodes them, use one that can be inverted. {CURE}"
        )
    return block


def origin(transformer: Any, position: int) -> int:
    """Return the input column that an output column of a transformer comes from."""
    encoder, inputs, outputs = block_of(transformer, position)
    position -= outputs.start
    if encoder is not transformer:
        for part in reversed(flat(encoder)):
            position = origin(part, position)
        return inputs[position]
    names_in, names_out = list(getattr(transformer, "feature_names_in_", ())), _names_out(transformer)
    if names_out and names_out[position] in names_in:
        return names_in.index(names_out[position])
    if len(outputs) != len(inputs):
        raise ValueError(
            f"{transformer!r} makes {len(outputs)} columns of {len(inputs)}: it cannot be told which one column "
            f"{position} comes from. {CURE}"
        )
    return position


def sources(transformer: Any, positions: Collection[int]) -> set[int]:
    """Return the input columns that output columns may come from; where it cannot be told, all of the same part."""
    found: set[int] = set()
    for position in positions:
        try:
            found.add(origin(transformer, position))
        except ValueError:
            found.update(_part_inputs(transformer, position))
    return found


def _part_inputs(transformer: Any, position: int) -> Collection[int]:
    from skrec._sklearn_compat import column_transformer_inputs

    if hasattr(transformer, "output_indices_"):
        inputs = column_transformer_inputs(transformer)
        for name, span in transformer.output_indices_.items():
            if name in inputs and span.start <= position < span.stop:
                return inputs[name]
    return range(transformer.n_features_in_)


def any_value(transformer: Any, position: int) -> Any:
    """Return a value of an input column that a transformer is likely to accept."""
    from skrec._sklearn_compat import column_transformer_inputs

    part, at = transformer, position
    if hasattr(transformer, "output_indices_"):
        inputs = column_transformer_inputs(transformer)
        parts = [
            (part, inputs[name]) for name, part, _ in transformer.transformers_ if position in inputs.get(name, ())
        ]
        if not parts:
            return 0
        part, at = parts[0][0], parts[0][1].index(position)
    part = (flat(part) or [part])[0]
    if hasattr(part, "statistics_"):  # of an imputer
        return part.statistics_[at]
    try:
        return _any_id(part, at)
    except (IndexError, KeyError, TypeError):
        return 0


def _any_id(encoder: Any, at: int) -> Any:
    """Return an id of a column that an encoder accepts: a kept one, one too rare to be kept, or any."""
    for name in ("categories_", "infrequent_categories_"):
        ids = (getattr(encoder, name, None) or {at: None})[at]
        if ids is not None and len(ids):
            return ids[0]
    return 0


def _names_out(transformer: Any) -> list[str]:
    return list(transformer.get_feature_names_out()) if hasattr(transformer, "get_feature_names_out") else []
