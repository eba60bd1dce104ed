"""Neural factorization machine: a deep network over the sum of the products of all pairs of fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["NFMClassifier", "NFMRanker", "NFMRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _NFM(FieldModel):
    """Architecture shared by the estimators of this module."""

    hidden_units: Any = (64,)

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
        pooled_dropout = layers.Dropout()

        def core(inputs: dict[str, Any]) -> Any:
            return parts["output"](deep(pooled_dropout(pair.bi_interaction(inputs["vectors"]))))

        return layers.field_network(
            core, parts, {"vectors": embed, "logits": linear}, n_outputs=n_outputs, width=pair.width
        )


_ARCHITECTURE = """\
hidden_units : sequence of int, default=(64,)
    Number of units of each hidden layer."""

_REFERENCES = """\
X. He, T.-S. Chua. "Neural Factorization Machines for Sparse Predictive Analytics". SIGIR 2017,
doi:10.1145/3077136.3080777."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class NFMClassifier(_NFM, NetworkClassifier):
    """Neural factorization machine (He & Chua, 2017) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class NFMRegressor(_NFM, NetworkRegressor):
    """Neural factorization machine (He & Chua, 2017) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class NFMRanker(_NFM, FieldRanker):
    """Neural factorization machine (He & Chua, 2017) for ranking items from events with features."""
