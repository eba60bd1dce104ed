"""Building of networks independently of Keras's global state, and naming of their layers and weights.

Keras numbers the layers of a thread, so the name of a layer depends on all layers that were built before. TensorFlow's
graph optimizer sorts some operands by name, so ``cross_10`` comes before ``cross_9`` in a sum. The last bits of a fit
would then depend on the history of the process. Therefore, a network is built in a separate thread, where numbers start
at 0 and weights are float32, and its layers are named after its parts.
"""

from __future__ import annotations

import contextvars
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from skrec._engine.backend import keras, preserved_random_state, tf

__all__ = ["apart_from_global_state", "initial_by_keras", "initial_dense", "name_layers", "weights_by_name"]

_Result = TypeVar("_Result")


def apart_from_global_state(function: Callable[[], _Result]) -> _Result:
    """Call a function in a thread with a fresh Keras state and float32, without advancing any random generator.

    The device of the caller (``with tf.device(...)``) is also used in the thread.
    """
    device = tf.constant(0.0).device

    def call() -> _Result:
        keras.config.set_dtype_policy("float32")  # only in this thread
        if tf.constant(0.0).device == device:
            return function()
        with tf.device(device):
            return function()

    with preserved_random_state(), ThreadPoolExecutor(1, thread_name_prefix="skrec-build") as thread:
        return thread.submit(contextvars.copy_context().run, call).result()


def name_layers(parts: Mapping[str, Any]) -> None:
    """Name every layer after its part.

    Raises
    ------
    ValueError
        If the name of a part cannot be the name of a layer.
    """
    named: set[int] = set()
    for name, layer in parts.items():
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"{name!r} cannot name a part of a network: use a string without '/', such as 'hidden_1'.")
        if id(layer) not in named:
            layer.name = name
            named.add(id(layer))


def weights_by_name(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights of all parts under names that depend only on the parts.

    The name of a weight is ``part/weight``. If layers within a part have weights with the same name, the names of the
    layers are inserted: ``part/layer/weight``.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for part, layer in parts.items():
        weights = [weight for weight in layer.variables if id(weight) not in seen]
        seen.update(map(id, weights))
        within = [weight.path.partition("/")[2] or weight.name for weight in weights]
        short, long = Counter(weight.name for weight in weights), Counter(within)
        for weight, path in zip(weights, within, strict=True):
            name = weight.name if short[weight.name] == 1 else path if long[path] == 1 else weight.path
            key, number = f"{part}/{name}", 1
            while key in found:  # created outside of their layer: numbered in order
                number += 1
                key = f"{part}/{name}_{number}"
            found[key] = weight
    return found


def initial_by_keras(layer: Any, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray | None:
    """Draw a weight of a Keras layer with the initializer of the layer.

    Return None for other layers, and for weights that :func:`initial_dense` draws in the same way: Glorot-uniform
    matrices and zero biases.
    """
    initializer = getattr(layer, f"{name}_initializer", None)
    if not type(layer).__module__.startswith("keras.") or not isinstance(initializer, keras.initializers.Initializer):
        return None
    if isinstance(initializer, keras.initializers.GlorotUniform) and len(shape) == 2:
        return None
    if isinstance(initializer, keras.initializers.Zeros) and not name.endswith("kernel"):
        return None
    config = initializer.get_config()
    if "seed" in config:
        config["seed"] = int(rng.integers(2**31))
    drawn: np.ndarray = keras.ops.convert_to_numpy(type(initializer).from_config(config)(shape)).astype(np.float32)
    return drawn


def initial_dense(name: str, shape: tuple[int, ...], rng: np.random.Generator, stddev: float | None) -> np.ndarray:
    """Return Glorot-uniform kernels, ones for a scale and zeros for other weights, as in the Keras layers.

    Kernels of a layer with ``stddev`` are scaled so that its outputs have about this standard deviation.
    """
    if name.endswith("kernel") and stddev is not None:
        return rng.standard_normal(shape, np.float32) * np.float32(stddev / np.sqrt(shape[-2]))
    if name.endswith("kernel"):
        limit = np.sqrt(6.0 / sum(shape[-2:]))
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    return np.full(shape, 1.0 if name in {"gamma", "scale"} else 0.0, np.float32)
