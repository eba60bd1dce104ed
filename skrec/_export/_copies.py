"""Copies of fitted estimators whose networks are ONNX graphs."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from skrec._export._quantized import quantized_graphs
from skrec._transaction import snapshot
from skrec.base.fitted_network import FittedNetwork
from skrec.preprocessing import AutoencoderFeatures
from skrec.serving.graphs import Graphs, PackedZeros, QuantizedTable

__all__ = ["networks_in", "refuse_exported_again", "with_graphs", "with_replaced"]

Quantize = Literal["int8"] | None
_ONLY_FOR_TRAINING = ("callbacks", "learning_rate", "loss", "optimizer", "pretrained", "random_state")
_STATE_OF_TRAINING = ("_slots", "_trained")
_INSPECTED = ("cross_1/", "pairs/")  # kernels that skrec.inspection.cross_strengths reads
_SMALL = 2**14  # values of a weight that is kept beside the graphs


def networks_in(estimator: Any) -> list[Any]:
    """Return the fitted networks in an estimator: itself, or steps of a Pipeline or ColumnTransformer."""
    found: list[Any] = []

    def keep(one: Any) -> Any:
        found.append(one)
        return one

    with_replaced(estimator, keep)
    return found


def with_replaced(estimator: Any, replace: Any) -> Any:
    """Return a copy of a search's best estimator, a Pipeline or a ColumnTransformer, with its networks replaced."""
    if hasattr(estimator, "best_estimator_"):
        return with_replaced(estimator.best_estimator_, replace)
    if isinstance(estimator, (FittedNetwork, AutoencoderFeatures)):
        return replace(estimator)
    state = dict(vars(estimator)) if hasattr(estimator, "__dict__") else {}
    for name in ("steps", "transformers", "transformers_", "transformer_list"):
        if isinstance(state.get(name), list) and not isinstance(estimator, type):
            state[name] = [
                tuple(with_replaced(part, replace) if hasattr(part, "fit") else part for part in step)
                for step in state[name]
            ]
    made: Any = object.__new__(type(estimator))
    made.__dict__.update(state)
    return made


def with_graphs(model: Any, quantize: Quantize) -> Any:
    """Return a copy of a fitted network whose scores are computed by ONNX graphs."""
    model = snapshot(model)
    if model._graphs is not None and quantize is None:
        return model
    refuse_exported_again(model)
    from skrec._engine.onnx_graphs import converted

    shapes = network_shapes(model)
    network = model._network()
    made = converted(network.structure, network.weights, **shapes)
    arrays = made.arrays
    models = {name: np.frombuffer(serialized, np.uint8) for name, serialized in made.models.items()}
    if quantize == "int8":
        models, arrays = quantized_graphs(models, arrays)
    packed = {key: PackedZeros.if_smaller(array) for key, array in arrays.items()}
    users = model._weights.get("user/embeddings")
    graphs = Graphs(
        models=models,
        arrays=packed,
        dot=made.dot,
        offset=made.offset,
        width=made.width,
        n_users=np.iinfo(np.int32).max if users is None else len(users),
    )
    copy: Any = object.__new__(type(model))
    copy.__dict__.update(vars(model))
    for name in _STATE_OF_TRAINING:
        if name in vars(copy):
            setattr(copy, name, None)
    for name in _ONLY_FOR_TRAINING:
        if not isinstance(getattr(copy, name, None), (str, int, float, type(None))):
            setattr(copy, name, getattr(type(copy), name))
    copy._graphs = graphs
    copy._weights = _kept_weights(model._weights, arrays, packed, quantize)
    if "_structure" in vars(copy):
        copy._structure = {**copy._structure, "losses": ()}
    return copy


def refuse_exported_again(model: Any) -> None:
    """Raise a TypeError if a network consists of graphs already, which cannot be converted."""
    if model._graphs is not None:
        raise TypeError(f"This {type(model).__name__} was exported before: export the estimator that was fitted.")


def network_shapes(model: Any) -> dict[str, Any]:
    """Return the types and shapes of the inputs of a fitted network: of a query, an item, and a pair."""
    if isinstance(model, AutoencoderFeatures):
        columns = model._structure["columns"]
        sets = ("columns", "values")
        pairs = {name: (dtype, (None, *((None,) if name in sets else shape))) for name, dtype, shape, _ in columns}
        views = {"decode": {"codes": ("float32", (None, model._n_features_out))}}
        return {"query": None, "item": None, "pairs": pairs, "views": views}
    specs = model._function_specs()
    shapes = {key: {name: (s.dtype, s.shape) for name, s in inputs.items()} for key, inputs in specs.items()}
    return {"query": None, "item": None, **shapes, "views": {}, "widths": model._history_widths()}


def _kept_weights(weights: Any, arrays: dict[str, Any], packed: dict[str, Any], quantize: Quantize) -> Any:
    """Return the weights that are looked at besides the scores: embeddings of ids, and small ones.

    Arrays that the graphs have as well are the same objects, so that each is stored once.
    """
    stored = {_content(array): packed[key] for key, array in arrays.items()}

    def shared(array: Any) -> Any:
        return stored.get(_content(array), array)

    kept = {}
    for name, weight in weights.items():
        if name not in {"user/embeddings", "item/embeddings"} and weight.size > _SMALL:
            continue
        if quantize == "int8" and name.endswith("kernel") and not name.startswith(_INSPECTED):
            continue  # the graphs have whole numbers instead
        is_table = name.endswith("/embeddings") and weight.ndim == 2
        if quantize == "int8" and is_table:
            table = QuantizedTable.of(weight)
            kept[name] = QuantizedTable(shared(table.codes), shared(table.scales))
        else:
            kept[name] = shared(weight)
    return type(weights)(kept)


def _content(array: Any) -> tuple[Any, ...]:
    return array.shape, array.dtype.str, array.tobytes()
