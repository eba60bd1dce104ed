"""Deep neural network over the fields, a plain baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["DNNClassifier", "DNNRanker", "DNNRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _DNN(FieldModel):
    """Architecture shared by the estimators of this module."""

    hidden_units: Any = (128, 64)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_units": ["array-like"],
    }
    _takes_dims: ClassVar[bool] = True

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            **super()._network_config(n_outputs),
            "dims": self._dims(),
            "hidden_units": whole_numbers(self.hidden_units),
        }

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
        dims: tuple[int, ...] | None,
        hidden_units: tuple[int, ...],
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        embed = pair.embed(parts)
        deep = layers.mlp(parts, hidden_units)
        parts["output"] = keras.layers.Dense(n_outputs)

        def core(inputs: dict[str, Any]) -> Any:
            return parts["output"](deep(layers.flatten(inputs["vectors"], dims)))

        return layers.field_network(core, parts, {"vectors": embed}, n_outputs=n_outputs, width=pair.width)


_ARCHITECTURE = """\
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer."""

_REFERENCES = """\
P. Covington, J. Adams, E. Sargin. "Deep Neural Networks for YouTube Recommendations". RecSys 2016,
doi:10.1145/2959100.2959190.

Y. Gorishniy, I. Rubachev, A. Babenko. "On Embeddings for Numerical Features in Tabular Deep Learning". NeurIPS 2022,
arXiv:2203.05556."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DNNClassifier(_DNN, NetworkClassifier):
    """A fully connected network over embedded fields for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DNNRegressor(_DNN, NetworkRegressor):
    """A fully connected network over embedded fields for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DNNRanker(_DNN, FieldRanker):
    """A fully connected network over embedded fields for ranking items from events with features."""
