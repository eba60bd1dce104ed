"""Neural collaborative filtering: GMF, MLP and NeuMF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import clone

from skrec._sklearn_compat import HasMethods, Interval, StrOptions
from skrec.models._base import NetworkRecommender
from skrec.models._ranking import NetworkRanker
from skrec.models._tasks import NetworkClassifier, NetworkRegressor

__all__ = ["NCFClassifier", "NCFRanker", "NCFRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _NCF(NetworkRecommender):
    """The architecture of He et al. (2017)."""

    architecture: Literal["neumf", "gmf", "mlp"] = "neumf"
    embedding_dim: int = 32
    mlp_embedding_dim: int = 32
    hidden_units: Any = (64, 32, 16)
    gmf: Any = None
    mlp: Any = None
    pretrain_alpha: float = 0.5

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkRecommender._parameter_constraints,
        "architecture": [StrOptions({"neumf", "gmf", "mlp"})],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "mlp_embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
        "gmf": [HasMethods(["fit", "recommend"]), None],
        "mlp": [HasMethods(["fit", "recommend"]), None],
        "pretrain_alpha": [Interval(Real, 0, 1, closed="both")],
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

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        for name in ("gmf", "mlp"):
            part = getattr(self, name)
            self.__dict__.pop(f"{name}_", None)
            if part is None:
                continue
            part = getattr(part, "estimator", part)  # a FrozenEstimator, which clone keeps fitted
            if self.architecture != "neumf" or getattr(part, "architecture", None) != name:
                raise ValueError(
                    f"{name}= takes an estimator with architecture={name!r}, for architecture='neumf'; got "
                    f"architecture={getattr(part, 'architecture', None)!r} for architecture={self.architecture!r}."
                )
            if not part.__sklearn_is_fitted__():
                part = clone(part).fit(X, y, sample_weight=sample_weight)
            setattr(self, f"{name}_", part)

    def _start_weights(self, fresh: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Start from pre-trained parts: their tables side by side, their outputs weighted (section 3.4.1)."""
        weights = dict(fresh)
        gmf, mlp = vars(self).get("gmf_"), vars(self).get("mlp_")
        width = int(self.embedding_dim)
        if gmf is not None:
            self._take_rows(weights, gmf, slice(None, width))
            _take(weights, gmf, "gmf_output/scale", self.pretrain_alpha if mlp is not None else 1.0)
        if mlp is not None:
            self._take_rows(weights, mlp, slice(width, None))
            for name in mlp._weights:
                share = 1.0 - self.pretrain_alpha if name.startswith("mlp_output") and gmf is not None else 1.0
                if not name.startswith(("user", "item", "bias")):
                    _take(weights, mlp, name, share)
        biases = [part._weights["bias/bias"] for part in (gmf, mlp) if part is not None]
        if biases:
            alphas = (self.pretrain_alpha, 1.0 - self.pretrain_alpha) if len(biases) == 2 else (1.0,)
            weights["bias/bias"] = sum(alpha * bias for alpha, bias in zip(alphas, biases, strict=True))
        return weights

    def _take_rows(self, weights: dict[str, np.ndarray], part: Any, columns: slice) -> None:
        """Copy a part's tables into columns of ours, id by id; ids it does not know keep their fresh rows."""
        for role, ours, its in (("user", self._users, part._users), ("item", self._items, part._items)):
            name = f"{role}/embeddings"
            table = weights[name] = weights[name].copy()
            pretrained = part._weights[name]
            if table[:, columns].shape[1] != pretrained.shape[1]:
                raise ValueError(
                    f"The pre-trained {part.architecture} has tables of width {pretrained.shape[1]}, but this model of "
                    f"width {table[:, columns].shape[1]}: give both the same embedding_dim and mlp_embedding_dim."
                )
            codes = its.encode(ours.ids)
            known = np.flatnonzero(codes)
            table[1 + known, columns] = pretrained[codes[known]]
            table[0, columns] = pretrained[0]

    @staticmethod
    def _build_network(
        keras: Any, layers: Any, *, gmf_dim: int, mlp_dim: int, hidden_units: tuple[int, ...], n_outputs: int
    ) -> Any:
        # One table holds what a user is to both parts: one look-up and one update instead of two.
        width = gmf_dim + mlp_dim
        parts = {"user": layers.Table("user", width, penalised=False), "item": layers.Table("item", width)}
        if gmf_dim:
            parts["gmf_output"] = layers.Scale(gmf_dim, n_outputs)
        if mlp_dim:
            # The first layer is linear in [user, item]: each half is computed once for all its partners.
            parts["first_user"] = keras.layers.Dense(hidden_units[0], use_bias=False)
            parts["first_item"] = keras.layers.Dense(hidden_units[0])
            for i, units in enumerate(hidden_units[1:], start=2):
                parts[f"hidden_{i}"] = keras.layers.Dense(units, activation="relu")
            parts["mlp_output"] = keras.layers.Dense(n_outputs, use_bias=False)
        parts["bias"] = layers.Bias(n_outputs)
        stack = [keras.ops.relu]
        for i in range(2, len(hidden_units) + 1):
            stack += [layers.Dropout(), parts[f"hidden_{i}"]]

        def query(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
            gmf, mlp = keras.ops.split(parts["user"](inputs["user"]), [gmf_dim], axis=-1)
            return (
                parts["gmf_output"](gmf) if gmf_dim else gmf,
                parts["first_user"](layers.penalise(mlp)) if mlp_dim else mlp,
            )

        def item(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
            gmf, mlp = keras.ops.split(parts["item"](inputs["item"]), [gmf_dim], axis=-1)
            return gmf, parts["first_item"](mlp) if mlp_dim else mlp

        def interact(query: tuple[Any, Any], item: tuple[Any, Any]) -> Any:
            logits = layers.match(query[0], item[0]) if gmf_dim else 0.0
            if mlp_dim:
                output = layers.dense_stack(query[1], item[1], [*stack, layers.Dropout(), parts["mlp_output"]])
                logits += output[..., 0] if n_outputs == 1 else output
            return parts["bias"](logits)

        return layers.Network(
            query=query,
            item=item,
            interact=interact,
            parts=parts,
        )


def _take(weights: dict[str, np.ndarray], part: Any, name: str, share: float) -> None:
    if name not in weights or weights[name].shape != part._weights[name].shape:
        raise ValueError(
            f"The pre-trained {part.architecture} has other layers ({name} does not fit): "
            "give both the same embedding_dim, mlp_embedding_dim and hidden_units."
        )
    weights[name] = share * part._weights[name]


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
