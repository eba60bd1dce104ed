"""The parts of a fitted network as TensorFlow functions with fixed signatures and their own weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skrec._engine.backend import tf
from skrec._engine.program import Program
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["FunctionsModule", "tensor_specs"]

Shapes = Mapping[str, tuple[str, tuple[int | None, ...]]]


class FunctionsModule(tf.Module):
    """Module with the functions of a network, for ``tf.saved_model.save``.

    Parameters
    ----------
    structure : Structure
        The network.
    weights : Weights
        Weights of the network. They are copied.
    query, item : dict of str to (dtype, shape) or None
        Inputs of each function. If None, the function does not exist.
    pairs : dict of str to (dtype, shape)
        Inputs of ``pairs``.
    scale, offset : float
        Scores are ``logits * scale + offset``.

    Attributes
    ----------
    query, item, interact, pairs : tf.function
        See :class:`skrec.base.NetworkFunctions`.
    """

    def __init__(
        self,
        structure: Structure,
        weights: Weights,
        *,
        query: Shapes | None,
        item: Shapes | None,
        pairs: Shapes,
        scale: float,
        offset: float,
    ) -> None:
        super().__init__(name="network")
        program = Program(structure)  # not shared with fits
        program.load(weights)
        network = program.network
        self.weights = [weight.value for weight in (program.named | program.constants).values()]

        def scores(logits: Any) -> Any:
            return logits if (scale, offset) == (1.0, 0.0) else logits * scale + offset

        self.dot = bool(network.dot)
        self.query = self.item = self.interact = None
        if query is not None and item is not None:
            self.query = _function(network.query, tensor_specs(query))
            self.item = _function(network.item, tensor_specs(item))
            leaves = [_outputs(self.query), _outputs(self.item)]
            self.interact = _function(lambda query, item: scores(network.interact(query, item)), *leaves)

        def of_pairs(inputs: Mapping[str, Any]) -> Any:
            return scores(tf.squeeze(program.pairs(network.query(inputs), inputs), axis=1))

        self.pairs = _function(of_pairs, tensor_specs(pairs))


def _function(function: Callable[..., Any], *signature: Any) -> Any:
    return tf.function(function, input_signature=signature, autograph=False)


def tensor_specs(shapes: Shapes) -> dict[str, Any]:
    """Return a TensorSpec for each input."""
    return {name: tf.TensorSpec(shape, dtype, name=name) for name, (dtype, shape) in shapes.items()}


def _outputs(function: Any) -> Any:
    """Return the specs of what a function returns."""
    return tf.nest.map_structure(
        lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype), function.get_concrete_function().structured_outputs
    )
