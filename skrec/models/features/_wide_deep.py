"""Wide & Deep: a linear model of crosses and a deep network, trained jointly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from skrec._estimators import Interval
from skrec.base.classifier import NetworkClassifier
from skrec.base.field_docs import field_model
from skrec.base.field_inputs import chosen_fields, whole_numbers
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.regressor import NetworkRegressor
from skrec.exceptions import ColumnError

__all__ = ["WideDeepClassifier", "WideDeepRanker", "WideDeepRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _WideDeep(FieldModel):
    """Architecture shared by the estimators of this module."""

    crosses: Any = None
    n_cross_bins: int = 2**16
    wide_features: Any = None
    deep_features: Any = None
    wide_learning_rate: float = 0.03
    wide_l1: float = 0.0
    hidden_units: Any = (128, 64)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "crosses": ["array-like", None],
        "n_cross_bins": [Interval(Integral, 1, None, closed="left")],
        "wide_features": ["array-like", None],
        "deep_features": ["array-like", None],
        "wide_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "wide_l1": [Interval(Real, 0, None, closed="left")],
        "hidden_units": ["array-like"],
    }
    _takes_dims: ClassVar[bool] = True

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "wide_learning_rate": distributions.FloatDistribution(3e-3, 3e-1, log=True),
            "wide_l1": distributions.FloatDistribution(1e-6, 1e-2, log=True),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        names = self.field_names_
        return {
            **super()._network_config(n_outputs),
            "dims": self._dims(),
            "crosses": tuple(self._cross(cross) for cross in self.crosses) if self.crosses is not None else (),
            "wide": self._chosen(names, "wide_features"),
            "deep": self._chosen(names, "deep_features"),
            "hidden_units": whole_numbers(self.hidden_units),
        }

    def _chosen(self, names: tuple[str, ...], parameter: str) -> tuple[int, ...] | None:
        wanted = getattr(self, parameter)
        return None if wanted is None else tuple(sorted(chosen_fields(names, wanted, parameter, self._estimator_roles)))

    def _cross(self, cross: Any) -> tuple[int, ...]:
        """Return the indices of the crossed fields among the single-valued categorical fields."""
        names = self._single_valued()
        if isinstance(cross, str) or len(cross) < 2:
            raise ValueError(
                f"crosses contains {cross!r}, but a cross must be a tuple of at least two names of categorical fields."
            )
        fields = self.field_names_
        chosen = [fields[place] for place in chosen_fields(fields, cross, "crosses", self._estimator_roles)]
        other = [name for name in chosen if name not in names]
        if other:
            raise ColumnError(
                f"crosses names {other[0]!r}, which is not a single-valued categorical field. Discretize numbers with "
                "sklearn.preprocessing.KBinsDiscretizer (or name the column in categorical_features); encode lists "
                "with skrec.preprocessing.MultiHotEncoder."
            )
        return tuple(names.index(name) for name in chosen)

    def _single_valued(self) -> tuple[str, ...]:
        names: list[str] = []
        for role, fields in (("user", self._query_fields), ("item", self._item_fields)):
            if self._has_role(role):
                names.append(getattr(self._estimator_roles, f"{role}_name"))
            names += fields.layout.categorical
        return tuple(names)

    def _field_tables(self) -> tuple[str, ...]:
        return ("fields", "wide_fields")

    def _more_tables(self) -> dict[str, int]:
        return {"crosses": int(self.n_cross_bins)}

    def _parameter_groups(self) -> dict[str, Any]:
        return {
            "parts": {
                "user_wide",
                "item_wide",
                "crosses",
                "query_wide_fields",
                "item_wide_fields",
                "query_wide_numbers",
                "item_wide_numbers",
                "query_wide_sparse",
            },
            "optimizer": "ftrl",
            "learning_rate": float(self.wide_learning_rate),
            "l1": float(self.wide_l1),
        }

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        fields: tuple[Any, ...],
        n_outputs: int,
        dims: tuple[int, ...] | None,
        crosses: tuple[tuple[int, ...], ...],
        wide: tuple[int, ...] | None,
        deep: tuple[int, ...] | None,
        hidden_units: tuple[int, ...],
    ) -> Any:
        pair, parts = layers.Fields(*fields), dict[str, Any]()
        first = pair.sides[0].n_fields
        in_wide = None
        if wide is not None:
            in_wide = {"query": [i for i in wide if i < first], "item": [i - first for i in wide if i >= first]}
        in_deep = tuple(range(len(pair))) if deep is None else deep
        has_deep = bool(hidden_units) and bool(in_deep)
        of_sides = {
            "codes": pair.categories(),
            "logits": pair.first_order(parts, n_outputs, name="_wide", penalised=False, only=in_wide),
        }
        if crosses:
            parts["crosses"] = layers.HashedCrosses(crosses, n_outputs)
        if has_deep:
            of_sides["vectors"] = pair.embed(parts)
            network = layers.mlp(parts, hidden_units)
            parts["output"] = keras.layers.Dense(n_outputs, use_bias=False)
        parts["bias"] = layers.Bias(n_outputs)

        def core(inputs: Mapping[str, Any]) -> Any:
            logits = keras.ops.zeros([keras.ops.shape(inputs["codes"])[0], n_outputs])
            if crosses:
                logits += parts["crosses"](inputs["codes"])
            if has_deep:
                chosen = inputs["vectors"] if deep is None else keras.ops.take(inputs["vectors"], in_deep, axis=1)
                widths = None if dims is None else [dims[i] for i in in_deep]
                logits += parts["output"](network(layers.flatten(chosen, widths)))
            return parts["bias"](logits)

        return layers.field_network(core, parts, of_sides, n_outputs=n_outputs, width=pair.width)


_ARCHITECTURE = """\
crosses : list of tuples of str or int, default=None
    Crosses of categorical columns, including users and items. The wide part has a weight for each hashed combination
    of their values. For exact crosses as columns, see :class:`~skrec.preprocessing.FeatureCrosses`.
n_cross_bins : int, default=2**16
    Number of hash bins, shared by all crosses.
wide_features, deep_features : array-like of str or int, default=None
    Fields of the wide part and of the deep part, by name or position of their column. If None, all fields are used.
    After a ``ColumnTransformer``, names may be given without the prefix.
wide_learning_rate : float, default=0.03
    Step size of the wide part, which is trained with FTRL (McMahan et al., 2013).
wide_l1 : float, default=0.0
    L1 penalty of the wide part. It makes the weights sparse.
hidden_units : sequence of int, default=(128, 64)
    Number of units of each hidden layer of the deep part. If empty, only the wide part is used."""

_REFERENCES = """\
H.-T. Cheng et al. "Wide & Deep Learning for Recommender Systems". DLRS 2016, doi:10.1145/2988450.2988454.

H. B. McMahan et al. "Ad Click Prediction: a View from the Trenches". KDD 2013, doi:10.1145/2487575.2488200."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class WideDeepClassifier(_WideDeep, NetworkClassifier):
    """Wide & Deep (Cheng et al., 2016) for labels."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class WideDeepRegressor(_WideDeep, NetworkRegressor):
    """Wide & Deep (Cheng et al., 2016) for ratings and other numbers."""


@field_model(architecture=_ARCHITECTURE, references=_REFERENCES, one_dim=False)
@dataclass(eq=False, repr=False, kw_only=True)
class WideDeepRanker(_WideDeep, FieldRanker):
    """Wide & Deep (Cheng et al., 2016) for ranking items from events with features."""
