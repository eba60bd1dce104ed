"""Deep Interest Network: attention between a candidate item and the user's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data.events.windows import Windows
from skrec._estimators import Interval
from skrec.base.attention import AttentionModel
from skrec.base.classifier import NetworkClassifier
from skrec.base.events import Inputs
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.reader import Query
from skrec.base.regressor import NetworkRegressor

__all__ = ["DINClassifier", "DINRanker", "DINRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _DIN(AttentionModel, FieldModel):
    """Architecture shared by the estimators of this module."""

    max_history: int = 50
    attention_units: int = 36
    hidden_units: Any = (128, 64)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "attention_units": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
    }
    _needs_ids: ClassVar[bool] = True

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "attention_units": distributions.CategoricalDistribution((16, 36, 64)),
            "max_history": distributions.CategoricalDistribution((20, 50, 100)),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        kept = sorted((name, str(array.dtype), array.shape[1:]) for name, array in self._catalogue.items())
        return {
            **super()._network_config(n_outputs),
            "catalogue": tuple(kept),
            "attention_units": int(self.attention_units),
            "hidden_units": whole_numbers(self.hidden_units),
        }

    def _constants(self) -> dict[str, NDArray[Any]]:
        kept = {f"catalogue/{name}": np.asarray(array) for name, array in self._catalogue.items()}
        return {**super()._constants(), **kept}

    def _query_inputs(self, queries: Query) -> Inputs:
        inputs = super()._query_inputs(queries)
        return {**inputs, "history": _narrowed(inputs["history"])}

    def _inputs_of_any_width(self) -> Sequence[str]:
        return [*super()._inputs_of_any_width(), "history"]

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
        catalogue: tuple[Any, ...],
        attention_units: int,
        hidden_units: tuple[int, ...],
    ) -> Any:
        ops = keras.ops
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        user_vectors, item_vectors = pair.embed(parts)
        width = pair.sides[1].n_fields * pair.dim
        parts["catalogue"] = layers.Catalogue(catalogue)
        parts["activation"] = layers.LocalActivation(width, attention_units)
        deep = layers.mlp(parts, hidden_units)
        parts["output"] = keras.layers.Dense(n_outputs)

        def of_query(inputs: Mapping[str, Any]) -> dict[str, Any]:
            codes = inputs["history"]
            flat = ops.reshape(ops.maximum(codes, 0), [-1])
            past = layers.distinct(lambda codes: of_item(parts["catalogue"](codes)), flat)
            return {
                "user": layers.flatten(user_vectors(inputs)),
                "history": ops.reshape(past, [*ops.shape(codes), width]),
                "there": codes >= 0,
            }

        def of_item(inputs: Mapping[str, Any]) -> Any:
            return layers.flatten(item_vectors(inputs))

        def candidates(query: Mapping[str, Any], item: Any) -> Any:
            """Return the candidates of each query: (B, M, width)."""
            shape = [ops.shape(query["user"])[0], *ops.shape(item)[-2:]]
            return item if len(item.shape) == 3 else ops.broadcast_to(item, shape)

        def interact(query: Mapping[str, Any], item: Any) -> Any:
            interest = parts["activation"](query["history"], query["there"], item)
            item = candidates(query, item)
            n_pairs = ops.shape(item)[:2]
            user = ops.expand_dims(query["user"], 1)
            user = ops.broadcast_to(user, [*n_pairs, user.shape[-1]])
            joined = ops.concatenate([user, interest, item, interest * item], axis=-1)
            logits = parts["output"](deep(ops.reshape(joined, [-1, joined.shape[-1]])))
            logits = ops.reshape(logits, [*n_pairs, n_outputs])
            return ops.squeeze(logits, -1) if n_outputs == 1 else logits

        def attention(inputs: Mapping[str, Any]) -> Any:
            seen = of_query(inputs)
            weights = parts["activation"].weights_of(seen["history"], seen["there"], of_item(inputs)[:, None])
            return weights[:, 0]

        return layers.Network(
            query=of_query,
            item=of_item,
            interact=interact,
            parts=parts,
            width=64 * attention_units,
            views={"attention": attention},
        )


def _narrowed(windows: Windows) -> Windows:
    """Return windows with as many columns as the longest history needs: a power of two, so that there are few shapes.

    Padding has no weight.
    """
    longest = int(windows.lengths.max(initial=0))
    return replace(windows, length=min(windows.length, max(8, 1 << (longest - 1).bit_length() if longest else 8)))


_ARCHITECTURE = """\
max_history : int, default=50
    Maximum number of events in the history of a row; the latest are used. The history consists of the events strictly
    before the time of the row. Without times, it consists of the events before the row if the row was in ``fit``, and
    of all stored events for a new row.
attention_units : int, default=36
    Number of units of the hidden layer of the local activation unit.
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer."""

_REFERENCES = """\
G. Zhou, X. Zhu, C. Song, Y. Fan, H. Zhu, X. Ma, Y. Yan, J. Jin, H. Li, K. Gai. "Deep Interest Network for Click-Through
Rate Prediction". KDD 2018, doi:10.1145/3219819.3219823."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, needs_ids=True)
@dataclass(eq=False, repr=False, kw_only=True)
class DINClassifier(_DIN, NetworkClassifier):
    """Deep Interest Network (Zhou et al., 2018) for class labels, such as clicked or not.

    Past items, with their features, are weighted by their relevance to the candidate item. The history of a row
    consists of the user's earlier rows whose label is not the first class.
    """


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, needs_ids=True)
@dataclass(eq=False, repr=False, kw_only=True)
class DINRegressor(_DIN, NetworkRegressor):
    """Deep Interest Network (Zhou et al., 2018) for ratings.

    Past items, with their features, are weighted by their relevance to the candidate item. The history of a row
    consists of the user's earlier rows.
    """


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, needs_ids=True)
@dataclass(eq=False, repr=False, kw_only=True)
class DINRanker(_DIN, FieldRanker):
    """Deep Interest Network (Zhou et al., 2018) for ranking items from events with features.

    Past items, with their features, are weighted by their relevance to the candidate item.
    """
