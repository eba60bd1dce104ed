"""Parts of autoencoders: latent variables, and the last layer of the decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skrec._engine.backend import tf
from skrec._engine.context import current_context
from skrec._engine.layers.network import Network, match
from skrec._engine.layers.table import Table

__all__ = ["floats", "gaussian", "item_decoder", "sampled"]


def floats(bits: Any) -> Any:
    """Return the floats whose bits are int32 codes, 0 for padding, as inputs that are windows hold them."""
    numbers = tf.bitcast(bits, tf.float32)
    return tf.where(tf.math.is_nan(numbers), 0.0, numbers)  # the bits of -1 are NaN


def sampled(mean: Any, log_variance: Any) -> Any:
    """Sample a normal variable (B, dim) in training; while scoring, it is the mean.

    The sample is reparameterised (Kingma & Welling, 2014, arXiv:1312.6114).
    """
    step = current_context()
    return mean if step is None else mean + step.normal(tf.shape(mean)) * tf.exp(0.5 * log_variance)


def gaussian(mean: Any, log_variance: Any) -> Any:
    """Sample a normal variable (B, dim) in training, and add its divergence from the standard normal to the loss."""
    step = current_context()
    if step is not None:
        step.add_loss(0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance, axis=1))
    return sampled(mean, log_variance)


def item_decoder(
    parts: dict[str, Any],
    decoded: Callable[[Mapping[str, Any]], Any],
    dim: int,
    *,
    stddev: float = 0.02,
    copies: Mapping[str, str] | None = None,
) -> Network:
    """Make the network of an autoencoder, whose last layer is a table with a vector and a bias for each item.

    Queries without items are scored by ``"popularity"``, a constant of each item.

    Parameters
    ----------
    parts : dict of str to layer
        The layers. Those of the items are added.
    decoded : callable
        ``decoded(inputs)``: what the last layer is given, (B, dim), from the inputs of B queries.
    dim : int
    stddev : float, default=0.02
        Standard deviation of the initial vectors of the items.
    copies : mapping of str to str, optional
        See :class:`~skrec._engine.layers.Network`.

    Returns
    -------
    Network
    """
    parts["item"] = Table("item", dim + 1, stddev=stddev)
    parts["popularity"] = Table("item", 1, penalised=False, trainable=False)

    def query(inputs: Mapping[str, Any]) -> Any:
        there = tf.cast(tf.reduce_any(inputs["history"] > 0, axis=1, keepdims=True), tf.float32)
        return tf.concat([decoded(inputs) * there, there, 1.0 - there], axis=1)

    def item(inputs: Mapping[str, Any]) -> Any:
        return tf.concat([parts["item"](inputs["item"]), parts["popularity"](inputs["item"])], axis=-1)

    return Network(
        query=query, item=item, interact=match, parts=parts, dot=True, width=2**15, copies=dict(copies or {})
    )
