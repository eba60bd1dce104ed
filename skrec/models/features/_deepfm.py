"""DeepFM: a factorization machine and a deep network that share embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["DeepFMClassifier", "DeepFMRanker", "DeepFMRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _DeepFM(FieldModel):
    """Architecture shared by the estimators of this module."""

    hidden_units: Any = (128, 64)

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.cross_strengths returns the contribution "
        "of each pair of fields, and field_importance the importance of each field."
    )
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_units": ["array-like"],
    }

    def _field_tables(self) -> tuple[str, ...]:
        return ("fields", "linear_fields")

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            **super()._network_config(n_outputs),
            "hidden_units": whole_numbers(self.hidden_units),
        }

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
        hidden_units: tuple[int, ...],
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        embed = pair.embed(parts, small_numbers=True, pairs=True)
        linear = pair.first_order(parts, n_outputs)
        deep = layers.mlp(parts, hidden_units)
        parts["output"] = keras.layers.Dense(n_outputs)
        if n_outputs > 1:
            parts["pairs"] = keras.layers.Dense(n_outputs, use_bias=False)

        def core(inputs: dict[str, Any]) -> Any:
            pairs = pair.bi_interaction(inputs["vectors"])
            pairs = parts["pairs"](pairs) if n_outputs > 1 else keras.ops.sum(pairs, axis=1, keepdims=True)
            return pairs + parts["output"](deep(layers.flatten(pair.without_pairs(inputs["vectors"]))))

        views = {"vectors": lambda inputs: pair.without_pairs(inputs["vectors"])}
        return layers.field_network(
            core, parts, {"vectors": embed, "logits": linear}, n_outputs=n_outputs, width=pair.width, views=views
        )


_ARCHITECTURE = """\
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer."""

_REFERENCES = """\
H. Guo, R. Tang, Y. Ye, Z. Li, X. He. "DeepFM: A Factorization-Machine based Neural Network for CTR Prediction".
IJCAI 2017, doi:10.24963/ijcai.2017/239."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class DeepFMClassifier(_DeepFM, NetworkClassifier):
    """DeepFM (Guo et al., 2017) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class DeepFMRegressor(_DeepFM, NetworkRegressor):
    """DeepFM (Guo et al., 2017) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class DeepFMRanker(_DeepFM, FieldRanker):
    """DeepFM (Guo et al., 2017) for ranking items from events with features."""
