"""AutoInt: self-attention over the fields."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from skrec._estimators import Interval
from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["AutoIntClassifier", "AutoIntRanker", "AutoIntRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _AutoInt(FieldModel):
    """Architecture shared by the estimators of this module."""

    n_attention_layers: int = 2
    n_heads: int = 2
    attention_units: int = 32
    hidden_units: Any = (128, 64)

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.attention_weights returns how "
        "much each field attends to the others, and field_importance the importance of each field."
    )
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_attention_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "attention_units": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "n_attention_layers": distributions.IntDistribution(1, 4),
            "n_heads": distributions.CategoricalDistribution((1, 2, 4)),
            "attention_units": distributions.CategoricalDistribution((16, 32, 64)),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            **super()._network_config(n_outputs),
            "n_attention_layers": int(self.n_attention_layers),
            "n_heads": int(self.n_heads),
            "units": self._attention_units(),
            "hidden_units": whole_numbers(self.hidden_units),
        }

    def _attention_units(self) -> int:
        if self.attention_units % self.n_heads:
            raise ValueError(
                f"attention_units={self.attention_units} is not a multiple of n_heads={self.n_heads}. "
                "Choose a multiple."
            )
        return int(self.attention_units)

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
        n_attention_layers: int,
        n_heads: int,
        units: int,
        hidden_units: tuple[int, ...],
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        embed = pair.embed(parts)
        attention = []
        for i in range(1, n_attention_layers + 1):
            parts[f"attention_{i}"] = layers.FieldAttention(pair.dim if i == 1 else units, units, n_heads=n_heads)
            attention.append(parts[f"attention_{i}"])
        deep = layers.mlp(parts, hidden_units)
        parts["output"] = keras.layers.Dense(n_outputs)
        if hidden_units:
            parts["deep_output"] = keras.layers.Dense(n_outputs, use_bias=False)

        def core(inputs: dict[str, Any]) -> Any:
            x = inputs["vectors"]
            for layer in attention:
                x = layer(x)
            logits = parts["output"](layers.flatten(x))
            if not hidden_units:
                return logits
            return logits + parts["deep_output"](deep(layers.flatten(inputs["vectors"])))

        def weights(inputs: dict[str, Any]) -> Any:
            x, found = inputs["vectors"], []
            for layer in attention:
                found.append(layer.attention(x))
                x = layer(x)
            return keras.ops.stack(found, axis=1)

        width = len(pair) * (4 * units + n_heads * len(pair))
        views = {"attention": weights}
        return layers.field_network(core, parts, {"vectors": embed}, n_outputs=n_outputs, width=width, views=views)


_ARCHITECTURE = """\
n_attention_layers : int, default=2
    Number of self-attention layers.
n_heads : int, default=2
    Number of heads of each self-attention layer.
attention_units : int, default=32
    Output dimension of each self-attention layer, split among its heads.
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer of the deep network beside the attention layers (AutoInt+). Pass an empty
    sequence for the plain AutoInt of the paper."""

_REFERENCES = """\
W. Song, C. Shi, Z. Xiao, Z. Duan, Y. Xu, M. Zhang, J. Tang. "AutoInt: Automatic Feature Interaction Learning via
Self-Attentive Neural Networks". CIKM 2019, doi:10.1145/3357384.3357925."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class AutoIntClassifier(_AutoInt, NetworkClassifier):
    """AutoInt (Song et al., 2019) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class AutoIntRegressor(_AutoInt, NetworkRegressor):
    """AutoInt (Song et al., 2019) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class AutoIntRanker(_AutoInt, FieldRanker):
    """AutoInt (Song et al., 2019) for ranking items from events with features."""
