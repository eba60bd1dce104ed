"""Factorisation machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skrec.base.docs import field_model
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.tasks import NetworkClassifier, NetworkRegressor

__all__ = ["FMClassifier", "FMRanker", "FMRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _FM(FieldModel):
    """The architecture."""

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.cross_strengths returns how much each "
        "pair of fields contributes, field_importance how much each field matters."
    )
    _factorised: ClassVar[bool] = True

    def _field_tables(self) -> tuple[str, ...]:
        return ("fields", "linear_fields")

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        embed = pair.embed(parts, small_numbers=True, pairs=True)
        linear = pair.first_order(parts, n_outputs)
        if n_outputs > 1:
            parts["pairs"] = keras.layers.Dense(n_outputs, use_bias=False)
        parts["bias"] = layers.Bias(n_outputs)

        def side(i: int) -> Any:
            # The sum of the products of all pairs splits into the pairs within each side and the product of the two
            # sides' sums: each side is one vector, and a pair's logit their dot product.
            def call(inputs: Any) -> Any:
                vectors = embed[i](inputs)
                total = keras.ops.sum(vectors if i else pair.without_pairs(vectors), axis=1)
                within = layers.bi_interaction(vectors) if i else pair.bi_interaction(vectors)
                if n_outputs > 1:
                    return total, parts["pairs"](within) + linear[i](inputs)
                own = keras.ops.sum(within, axis=1, keepdims=True) + linear[i](inputs)
                one = keras.ops.ones_like(own)
                return keras.ops.concatenate([total, own, one] if i == 0 else [total, one, own], axis=1)

            return call

        expand = keras.ops.expand_dims

        def interact(query: Any, item: Any) -> Any:
            if n_outputs == 1:
                return parts["bias"](layers.match(query, item))
            return parts["bias"](parts["pairs"](expand(query[0], 1) * item[0]) + expand(query[1], 1) + item[1])

        def vectors(inputs: Any) -> Any:
            return keras.ops.concatenate([pair.without_pairs(embed[0](inputs)), embed[1](inputs)], axis=1)

        return layers.Network(
            query=side(0),
            item=side(1),
            interact=interact,
            parts=parts,
            dot=n_outputs == 1,
            views={"vectors": vectors},
        )


_ARCHITECTURE = ""

_REFERENCES = """\
S. Rendle. "Factorization Machines". ICDM 2010, doi:10.1109/ICDM.2010.127."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class FMClassifier(_FM, NetworkClassifier):
    """Factorisation machine (Rendle, 2010) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class FMRegressor(_FM, NetworkRegressor):
    """Factorisation machine (Rendle, 2010) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, factorised=True)
@dataclass(eq=False, repr=False, kw_only=True)
class FMRanker(_FM, FieldRanker):
    """Factorisation machine (Rendle, 2010) for ranking: from events with features to recommendations.

    A score is the dot product of a vector of the query and one of the item, so that a batch shares its negatives and a
    catalogue is ranked by one matrix product.
    """
