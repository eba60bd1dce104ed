"""Conversion of a network with its weights to ONNX graphs."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.program import Program
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["Converted", "converted"]

_OPSET = 18
_LEAST_SIZE = 64  # values of an initializer that is stored as an array beside the graph
Shapes = Mapping[str, tuple[str, tuple[int | None, ...]]]


@dataclass
class Converted:
    """The graphs of a network.

    Parameters
    ----------
    models : dict of str to bytes
        Serialized graphs by name: ``"query"`` (or ``"query_50"`` for histories of 50 columns), ``"item"``,
        ``"interact"`` and ``"pairs"`` (unless ``dot``) and ``"view_..."``. Their inputs are called ``"in_..."``. Larger
        initializers are marked as external.
    arrays : dict of str to ndarray
        The external initializers, each once for all graphs.
    dot, width, offset
        See :class:`~skrec._engine.layers.Network`; the offset is the constant that is added to the dot product.
    """

    models: dict[str, bytes] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    dot: bool = False
    width: int = 64
    offset: float = 0.0


def converted(
    structure: Structure,
    weights: Weights,
    *,
    query: Shapes | None,
    item: Shapes | None,
    pairs: Shapes,
    views: Mapping[str, Shapes],
    widths: Sequence[int] = (),
) -> Converted:
    """Convert a network.

    Parameters
    ----------
    structure, weights
        The network.
    query, item : dict of str to (dtype, shape) or None
        The inputs of a query and of an item. If None, only pairs and views are converted.
    pairs : dict of str to (dtype, shape)
        The inputs of a row.
    views : dict of str to dict
        The inputs of views, where they are not those of a row.
    widths : sequence of int
        The numbers of columns that ``history`` may have: there is a graph of the query for each. If empty, the one of
        its shape.
    """
    program = Program(structure)  # not shared with fits
    program.load(weights)
    network = program.network
    made = Converted(dot=bool(network.dot), width=int(network.width))

    def of_pairs(inputs: Mapping[str, Any]) -> Any:
        return tf.squeeze(program.pairs(network.query(inputs), inputs), axis=1)

    if query is None or not made.dot:
        made.models["pairs"] = _convert(of_pairs, pairs, made.arrays)
    for name, view in network.views.items():
        made.models[f"view_{name}"] = _convert(view, views.get(name, pairs), made.arrays)
    if query is not None and item is not None:
        for width in widths:
            narrow = {**query, "history": ("int32", (None, width))}
            made.models[f"query_{width}"] = _convert(network.query, narrow, made.arrays)
        if not widths:
            made.models["query"] = _convert(network.query, query, made.arrays)
        made.models["item"] = _convert(network.item, item, made.arrays)
        of_query, of_item = _outputs(network.query, query), _outputs(network.item, item)
        if made.dot:
            made.offset = _offset(network, of_query, of_item)
        else:
            leaves = [*tf.nest.flatten(of_query), *tf.nest.flatten(of_item)]
            shapes = {str(i): (leaf.dtype.name, tuple(leaf.shape)) for i, leaf in enumerate(leaves)}
            n = len(tf.nest.flatten(of_query))

            def interact(inputs: Mapping[str, Any]) -> Any:
                tensors = [inputs[name] for name in shapes]
                sides = tf.nest.pack_sequence_as(of_query, tensors[:n]), tf.nest.pack_sequence_as(of_item, tensors[n:])
                return network.interact(*sides)

            made.models["interact"] = _convert(interact, shapes, made.arrays)
    return made


def _offset(network: Any, query: Any, item: Any) -> float:
    """Return the constant that the network adds to dot products."""
    zeros = [
        tf.nest.map_structure(lambda leaf: tf.zeros([1, *leaf.shape[1:]], leaf.dtype), side) for side in (query, item)
    ]
    return float(np.ravel(network.interact(*zeros).numpy())[0])


def _specs(shapes: Shapes) -> list[Any]:
    return [tf.TensorSpec(shape, dtype, name=f"in_{name}") for name, (dtype, shape) in shapes.items()]


def _outputs(function: Callable[..., Any], shapes: Shapes) -> Any:
    """Return the specs of what a function returns."""

    def call(*tensors: Any) -> Any:
        return function(dict(zip(shapes, tensors, strict=True)))

    traced = tf.function(call, autograph=False).get_concrete_function(*_specs(shapes))
    return tf.nest.map_structure(lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), traced.structured_outputs)


def _convert(function: Callable[..., Any], shapes: Shapes, arrays: dict[str, np.ndarray]) -> bytes:
    """Convert a function of inputs to a serialized graph; its larger initializers are added to ``arrays``."""
    from skrec._engine.onnx_packages import tf2onnx

    def call(*tensors: Any) -> Any:
        leaves = tf.nest.flatten(function(dict(zip(shapes, tensors, strict=True))))
        return [tf.identity(leaf, name=f"out_{i}") for i, leaf in enumerate(leaves)]

    specs = _specs(shapes)
    traced = tf.function(call, input_signature=specs, autograph=False)
    logger, level = logging.getLogger("tf2onnx"), logging.getLogger("tf2onnx").level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NumPy's types, by tf2onnx
            model, _ = tf2onnx.convert.from_function(
                traced, input_signature=specs, opset=_OPSET, custom_op_handlers=_HANDLERS
            )
    finally:
        logger.setLevel(level)
    _move_out(model, arrays)
    serialized: bytes = model.SerializeToString()
    return serialized


def _move_out(model: Any, arrays: dict[str, np.ndarray]) -> None:
    """Replace the larger initializers of a graph by references to arrays."""
    from skrec._engine.onnx_packages import onnx

    renamed: dict[str, str] = {}
    for initializer in model.graph.initializer:
        array = onnx.numpy_helper.to_array(initializer)
        if array.size < _LEAST_SIZE:
            continue
        content = hashlib.sha256(repr((array.dtype.str, array.shape)).encode())
        content.update(np.ascontiguousarray(array).data)
        key = f"array_{content.hexdigest()[:24]}"
        arrays[key] = array
        renamed[initializer.name] = initializer.name = key
        initializer.ClearField("raw_data")
        for values in ("float_data", "int32_data", "int64_data", "double_data"):
            initializer.ClearField(values)
        initializer.data_location = onnx.TensorProto.EXTERNAL
        del initializer.external_data[:]
        initializer.external_data.add(key="location", value=key)
    unique = {initializer.name: initializer for initializer in model.graph.initializer}
    del model.graph.initializer[:]
    model.graph.initializer.extend(unique.values())
    _rename(model.graph, renamed)


def _rename(graph: Any, renamed: Mapping[str, str]) -> None:
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name in renamed:
                node.input[i] = renamed[name]
        for attribute in node.attribute:
            for part in [attribute.g, *attribute.graphs] if attribute.HasField("g") or attribute.graphs else []:
                _rename(part, renamed)


def _sparse_product(ctx: Any, node: Any, name: str, args: Any) -> None:  # noqa: ARG001
    """Convert a product of a sparse and a dense matrix: rows are looked up, multiplied, and added up."""
    from skrec._engine.onnx_packages import onnx

    at, values, shape, dense = node.input
    output, dtypes, shapes = node.output[0], node.output_dtypes, node.output_shapes
    ctx.remove_node(node.name)

    def constant(suffix: str, value: Any) -> str:
        made: str = ctx.make_const(f"{name}__{suffix}", np.array(value, np.int64)).output[0]
        return made

    def make(kind: str, *inputs: str, **attributes: Any) -> str:
        made: str = ctx.make_node(kind, list(inputs), attr=attributes).output[0]
        return made

    row = make("Gather", at, constant("first", [0]), axis=1)  # (n, 1)
    column = make("Squeeze", make("Gather", at, constant("second", [1]), axis=1), constant("axis", [1]))
    weighted = make("Mul", make("Gather", dense, column, axis=0), make("Unsqueeze", values, constant("last", [1])))
    n_rows = make("Slice", make("Cast", shape, to=onnx.TensorProto.INT64), constant("from", [0]), constant("to", [1]))
    width = make("Slice", make("Shape", dense), constant("from_1", [1]), constant("to_2", [2]))
    nothing = make("Expand", ctx.make_const(f"{name}__zero", np.zeros([1, 1], np.float32)).output[0],
                   make("Concat", n_rows, width, axis=0))  # fmt: skip
    ctx.make_node(
        "ScatterND",
        [nothing, row, weighted],
        attr={"reduction": "add"},
        outputs=[output],
        name=node.name,
        shapes=shapes,
        dtypes=dtypes,
    )


def _numbers_in_bits(ctx: Any, node: Any, name: str, args: Any) -> None:  # noqa: ARG001
    """Let an input whose bits are numbers be given as these numbers."""
    from skrec._engine.onnx_packages import onnx

    source, output = node.input[0], node.output[0]
    ctx.remove_node(node.name)
    ctx.set_dtype(source, onnx.TensorProto.FLOAT)
    ctx.make_node("Identity", [source], outputs=[output], name=node.name, dtypes=[onnx.TensorProto.FLOAT])


def _choice(ctx: Any, node: Any, name: str, args: Any) -> None:  # noqa: ARG001
    """Convert a choice to one; tf2onnx makes a product with 0 and 1 of it, in which a NaN that is not chosen stays."""
    inputs, dtypes, shapes = list(node.input), node.output_dtypes, node.output_shapes
    ctx.remove_node(node.name)
    ctx.make_node("Where", inputs, outputs=node.output, name=node.name, shapes=shapes, dtypes=dtypes)


_HANDLERS: dict[str, Any] = {
    "SelectV2": (_choice, []),
    "SparseTensorDenseMatMul": (_sparse_product, []),
    "Bitcast": (_numbers_in_bits, []),
}
