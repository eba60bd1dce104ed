"""Networks as files of TensorFlow: a SavedModel, or LiteRT files."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skrec._engine.backend import tf
from skrec._engine.functions import FunctionsModule

__all__ = ["ConversionError", "flat_functions", "litert_file", "write_saved_model"]

_NAMES = ("query", "item", "interact", "pairs")
_SHARED_RESULTS = {"interact": "scores", "pairs": "scores"}


class ConversionError(Exception):
    """A function of a network has operations that LiteRT lacks."""


def flat_functions(module: FunctionsModule, specs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the functions of a network with named tensors as inputs and outputs, without nested structures.

    Parameters
    ----------
    module : FunctionsModule
    specs : dict of str to dict
        The TensorSpec of each input of ``query``, ``item`` and ``pairs``.

    Returns
    -------
    dict of str to concrete function
        ``query`` returns ``query_0``, ..., ``item`` returns ``item_0``, ...; ``interact`` takes all of these. The
        result of ``interact`` and ``pairs`` is ``scores``.
    """
    flat = {}
    for name in _NAMES:
        function = getattr(module, name)
        if function is None:
            continue
        inputs = _sides(module) if name == "interact" else specs[name]
        flat[name] = _flat(module, name).get_concrete_function(
            **{key: tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in inputs.items()}
        )
    return flat


def _flat(module: FunctionsModule, name: str) -> Any:
    function = getattr(module, name)

    def call(**inputs: Any) -> dict[str, Any]:
        if name != "interact":
            return _named(function(inputs), name)
        sides = []
        for side in ("query", "item"):
            structure = getattr(module, side).get_concrete_function().structured_outputs
            leaves = [inputs[key] for key in _named(structure, side)]
            sides.append(tf.nest.pack_sequence_as(structure, leaves))
        return _named(function(*sides), name)

    return tf.function(call, autograph=False)


def _named(result: Any, name: str) -> dict[str, Any]:
    leaves = tf.nest.flatten(result)
    if name in _SHARED_RESULTS:
        return {_SHARED_RESULTS[name]: leaves[0]}
    return {f"{name}_{i}": leaf for i, leaf in enumerate(leaves)}


def _sides(module: FunctionsModule) -> dict[str, Any]:
    return {
        key: leaf
        for side in ("query", "item")
        for key, leaf in _named(getattr(module, side).get_concrete_function().structured_outputs, side).items()
    }


def write_saved_model(module: FunctionsModule, flat: Mapping[str, Any], folder: Path) -> None:
    """Write a SavedModel: the functions of the module, and the flat ones as signatures."""
    with _silent():
        tf.saved_model.save(module, str(folder), signatures=dict(flat))


def litert_file(module: FunctionsModule, function: Any, *, int8: bool) -> bytes:
    """Convert a flat function to the content of a LiteRT file.

    Parameters
    ----------
    module : FunctionsModule
        The owner of the weights.
    function : concrete function
    int8 : bool
        Whether to store weights as whole numbers of 8 bits (dynamic-range quantization).

    Raises
    ------
    ConversionError
        If the function has operations that LiteRT lacks.
    """
    try:
        with _silent():
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converted: bytes = converter.convert()
    except Exception as error:  # the converter has no public class of errors
        raise ConversionError(str(error)) from error
    return converted


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Suppress the output of the converter, which comes from Python and from its libraries."""
    logger = logging.getLogger("tensorflow")
    absl = logging.getLogger("absl")
    levels = logger.level, absl.level
    logger.setLevel(logging.CRITICAL)
    absl.setLevel(logging.CRITICAL)
    terminal = os.dup(2)
    try:
        with tempfile.TemporaryFile() as dropped:
            os.dup2(dropped.fileno(), 2)
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        logger.setLevel(levels[0])
        absl.setLevel(levels[1])
