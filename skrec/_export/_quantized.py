"""Quantization of graphs: tables and kernels as whole numbers of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrec.serving.graphs import QuantizedTable

__all__ = ["quantized_graphs"]

_LEAST_ROWS = 16


def quantized_graphs(
    models: dict[str, Any], arrays: dict[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Quantize the tables that graphs look rows up in, with a scale for each row, and their kernels, for each column.

    Activations stay floating-point numbers.

    Parameters
    ----------
    models : dict of str to ndarray of uint8
        Serialized graphs.
    arrays : dict of str to ndarray
        Their external initializers.

    Returns
    -------
    models, arrays : dict
        New ones.
    """
    from skrec._engine.onnx_packages import onnx

    kept: dict[str, np.ndarray] = {}
    changed = {}
    for name, serialized in models.items():
        model = onnx.load_from_string(serialized.tobytes())
        _quantize(onnx, model.graph, arrays, kept)
        changed[name] = np.frombuffer(model.SerializeToString(), np.uint8)
    return changed, kept


def _quantize(onnx: Any, graph: Any, arrays: dict[str, np.ndarray], kept: dict[str, np.ndarray]) -> None:
    declared = {one.name: one for one in graph.initializer}
    tables = {key for key in declared if key in arrays and arrays[key].dtype == np.float32 and arrays[key].ndim == 2}
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0] in tables and len(arrays[node.input[0]]) >= _LEAST_ROWS:
            nodes += _lookup(onnx, node, arrays[node.input[0]], kept)
        elif node.op_type == "MatMul" and node.input[1] in tables:
            nodes += _product(onnx, node, arrays[node.input[1]], kept)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in graph.node for name in node.input} | _used_inside(graph)
    graph.ClearField("initializer")
    external = [one for one in declared.values() if one.name in used]
    graph.initializer.extend(external)
    for name in sorted(used & kept.keys()):
        if name not in declared:
            graph.initializer.append(_external(onnx, name, kept[name]))
    kept.update({one.name: arrays[one.name] for one in external if one.name in arrays})


def _used_inside(graph: Any) -> set[str]:
    """Return the names that the bodies of loops use."""
    names: set[str] = set()
    for node in graph.node:
        for attribute in node.attribute:
            for body in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                names |= {name for inner in body.node for name in inner.input} | _used_inside(body)
    return names


def _external(onnx: Any, name: str, array: np.ndarray) -> Any:
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = onnx.TensorProto(name=name, data_type=kind, dims=array.shape, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=name)
    return tensor


def _lookup(onnx: Any, node: Any, table: np.ndarray, kept: dict[str, np.ndarray]) -> list[Any]:
    """Return nodes that look up whole numbers and scales, and multiply them."""
    key, at, output = node.input[0], node.input[1], node.output[0]
    quantized = QuantizedTable.of(table)
    kept[f"{key}_rows"], kept[f"{key}_scales"] = quantized.codes, quantized.scales
    make = onnx.helper.make_node
    return [
        make("Gather", [f"{key}_rows", at], [f"{output}_codes"], axis=0),
        make("Cast", [f"{output}_codes"], [f"{output}_numbers"], to=onnx.TensorProto.FLOAT),
        make("Gather", [f"{key}_scales", at], [f"{output}_scale"], axis=0),
        make("Mul", [f"{output}_numbers", f"{output}_scale"], [output]),
    ]


def _product(onnx: Any, node: Any, kernel: np.ndarray, kept: dict[str, np.ndarray]) -> list[Any]:
    """Return nodes that convert the columns of a kernel to numbers, and multiply by it."""
    key, output = node.input[1], node.output[0]
    quantized = QuantizedTable.of(np.ascontiguousarray(kernel.T))
    kept[f"{key}_columns"], kept[f"{key}_steps"] = np.ascontiguousarray(quantized.codes.T), quantized.scales[:, 0]
    make = onnx.helper.make_node
    return [
        make("DequantizeLinear", [f"{key}_columns", f"{key}_steps"], [f"{output}_kernel"], axis=1),
        make("MatMul", [node.input[0], f"{output}_kernel"], [output]),
    ]
