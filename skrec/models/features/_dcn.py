"""Deep & Cross Network: explicit feature crosses in parallel with, or followed by, a deep network."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal

from skrec._estimators import Interval, Options, StrOptions
from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor

__all__ = ["DCNClassifier", "DCNRanker", "DCNRegressor"]

_WIDEST, _LOW_RANK = 2048, 64
"""Maximum width for full matrices with ``rank="auto"``, and the rank of wider ones."""


@dataclass(eq=False, repr=False, kw_only=True)
class _DCN(FieldModel):
    """Architecture shared by the estimators of this module."""

    version: Literal[1, 2] = 2
    n_cross_layers: int = 2
    rank: int | Literal["auto"] | None = "auto"
    structure: Literal["parallel", "stacked"] = "parallel"
    hidden_units: Any = (128, 64)

    _instead_of_explain: ClassVar[str] = (
        "it scores rows by their fields, not by past events. skrec.inspection.cross_strengths returns the contribution "
        "of each pair of fields, and field_importance the importance of each field."
    )
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "version": [Options(Integral, {1, 2})],
        "n_cross_layers": [Interval(Integral, 1, None, closed="left")],
        "rank": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "structure": [StrOptions({"parallel", "stacked"})],
        "hidden_units": ["array-like"],
    }
    _takes_dims: ClassVar[bool] = True

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "n_cross_layers": distributions.IntDistribution(1, 4),
            "structure": distributions.CategoricalDistribution(("parallel", "stacked")),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        dims = self._dims()
        width = sum(dims) if dims else len(self.field_names_) * self._width()
        rank = (_LOW_RANK if width > _WIDEST else None) if isinstance(self.rank, str) else self.rank
        return {
            **super()._network_config(n_outputs),
            "dims": dims,
            "version": int(self.version),
            "n_cross_layers": int(self.n_cross_layers),
            "rank": int(rank or 0),
            "stacked": self.structure == "stacked",
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
        version: int,
        n_cross_layers: int,
        rank: int,
        stacked: bool,
        hidden_units: tuple[int, ...],
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        embed = pair.embed(parts)
        width = sum(dims) if dims else pair.width
        cross = []
        for i in range(1, n_cross_layers + 1):
            parts[f"cross_{i}"] = layers.Cross(width, version=version, rank=rank)
            cross.append(parts[f"cross_{i}"])
        deep = layers.mlp(parts, hidden_units)
        parts["output"] = keras.layers.Dense(n_outputs)

        def core(inputs: dict[str, Any]) -> Any:
            x0 = x = layers.flatten(inputs["vectors"], dims)
            for layer in cross:
                x = layer(x0, x)
            if stacked or not hidden_units:
                return parts["output"](deep(x))
            return parts["output"](keras.ops.concatenate([x, deep(x0)], axis=1))

        return layers.field_network(core, parts, {"vectors": embed}, n_outputs=n_outputs, width=4 * width)


_ARCHITECTURE = """\
version : {1, 2}, default=2
    Version of the cross layers. Layers of version 1 have a weight vector; layers of version 2 have a weight matrix.
n_cross_layers : int, default=2
    Number of cross layers. With n layers, crosses have up to n + 1 features.
rank : int, "auto" or None, default="auto"
    Rank of the weight matrices of version 2. If None, they have full rank, and their size is the square of the total
    width of all fields. If ``"auto"``, the rank is full up to a total width of 2,048 (128 fields of dimension 16) and
    64 above.
structure : {"parallel", "stacked"}, default="parallel"
    Whether the deep network runs in parallel with the cross layers or takes their output.
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer. If empty, only cross layers are used."""

_REFERENCES = """\
R. Wang, B. Fu, G. Fu, M. Wang. "Deep & Cross Network for Ad Click Predictions". ADKDD 2017,
doi:10.1145/3124749.3124754.

R. Wang, R. Shivanna, D. Z. Cheng, S. Jain, D. Lin, L. Hong, E. H. Chi. "DCN V2: Improved Deep & Cross Network and
Practical Lessons for Web-scale Learning to Rank Systems". WWW 2021, doi:10.1145/3442381.3450078."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DCNClassifier(_DCN, NetworkClassifier):
    """Deep & Cross Network (Wang et al., 2017 and 2021) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DCNRegressor(_DCN, NetworkRegressor):
    """Deep & Cross Network (Wang et al., 2017 and 2021) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class DCNRanker(_DCN, FieldRanker):
    """Deep & Cross Network (Wang et al., 2017 and 2021) for ranking items from events with features."""
