"""Neural collaborative filtering: GMF, MLP and NeuMF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skrec._sklearn_compat import Interval, StrOptions
from skrec.models._base import NetworkRecommender
from skrec.models._tasks import NetworkClassifier, NetworkRanker, NetworkRegressor

__all__ = ["NCFClassifier", "NCFRanker", "NCFRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _NCF(NetworkRecommender):
    """The architecture of He et al. (2017)."""

    architecture: Literal["neumf", "gmf", "mlp"] = "neumf"
    embedding_dim: int = 32
    mlp_embedding_dim: int = 32
    hidden_units: Any = (64, 32, 16)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRecommender._parameter_constraints,
        "architecture": [StrOptions({"neumf", "gmf", "mlp"})],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "mlp_embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
    }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            "gmf_dim": int(self.embedding_dim) if self.architecture != "mlp" else 0,
            "mlp_dim": int(self.mlp_embedding_dim) if self.architecture != "gmf" else 0,
            "hidden_units": tuple(int(units) for units in self.hidden_units) if self.architecture != "gmf" else (),
            "n_outputs": n_outputs,
        }

    @property
    def _factorised(self) -> bool:
        return self.architecture == "gmf"

    @staticmethod
    def _build_network(
        keras: Any, layers: Any, *, gmf_dim: int, mlp_dim: int, hidden_units: tuple[int, ...], n_outputs: int
    ) -> Any:
        # One table holds what a user is to both parts: one look-up and one update instead of two.
        parts = {"user": layers.Table("user", gmf_dim + mlp_dim), "item": layers.Table("item", gmf_dim + mlp_dim)}
        if gmf_dim:
            parts["gmf_output"] = layers.WeightedMatch(gmf_dim, n_outputs)
        if mlp_dim:
            # The first layer is linear in [user, item]: each half is computed once for all its partners.
            parts["first_user"] = keras.layers.Dense(hidden_units[0], use_bias=False)
            parts["first_item"] = keras.layers.Dense(hidden_units[0])
            for i, units in enumerate(hidden_units[1:], start=2):
                parts[f"hidden_{i}"] = keras.layers.Dense(units, activation="relu")
            parts["mlp_output"] = keras.layers.Dense(n_outputs, use_bias=False)
        parts["bias"] = layers.Bias(n_outputs)
        stack = [
            step for i in range(2, len(hidden_units) + 1) for step in (layers.Dropout(), parts[f"hidden_{i}"])
        ]

        def side(who: str, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
            rows = parts[who](inputs[who])
            return rows[..., :gmf_dim], parts[f"first_{who}"](rows[..., gmf_dim:]) if mlp_dim else rows

        def interact(query: tuple[Any, Any], item: tuple[Any, Any]) -> Any:
            logits = parts["gmf_output"](query[0], item[0]) if gmf_dim else 0.0
            if mlp_dim:
                hidden = keras.ops.relu(query[1][:, None, :] + item[1])
                output = layers.dense_stack(hidden, [*stack, layers.Dropout(), parts["mlp_output"]])
                logits += output[..., 0] if n_outputs == 1 else output
            return parts["bias"](logits)

        return layers.Network(
            query=lambda inputs: side("user", inputs),
            item=lambda inputs: side("item", inputs),
            interact=interact,
            parts=parts,
        )


@dataclass(eq=False, repr=False, kw_only=True)
class NCFClassifier(_NCF, NetworkClassifier):
    """Neural collaborative filtering for labels."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkClassifier._parameter_constraints,
        **_NCF._parameter_constraints,
    }


@dataclass(eq=False, repr=False, kw_only=True)
class NCFRegressor(_NCF, NetworkRegressor):
    """Neural collaborative filtering for ratings."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRegressor._parameter_constraints,
        **_NCF._parameter_constraints,
    }


@dataclass(eq=False, repr=False, kw_only=True)
class NCFRanker(_NCF, NetworkRanker):
    """Neural collaborative filtering from events."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRanker._parameter_constraints,
        **_NCF._parameter_constraints,
    }
