"""Factorization machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["FMClassifier", "FMRanker", "FMRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _FM(FieldModel):
    """Architecture shared by the estimators of this module."""

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.cross_strengths returns the contribution "
        "of each pair of fields, and field_importance the importance of each field."
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
            # The sum of the products of all pairs splits into the pairs within each side and the product of the sums
            # of both sides. Each side is therefore one vector, and the logit of a pair is their dot product.
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
    """Factorization machine (Rendle, 2010) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class FMRegressor(_FM, NetworkRegressor):
    """Factorization machine (Rendle, 2010) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, factorised=True)
@dataclass(eq=False, repr=False, kw_only=True)
class FMRanker(_FM, FieldRanker):
    """Factorization machine (Rendle, 2010) for ranking items from events with features.

    A score is the dot product of a query vector and an item vector. The rows of a batch can therefore share negatives,
    and a single matrix product ranks the whole catalogue.
    """
