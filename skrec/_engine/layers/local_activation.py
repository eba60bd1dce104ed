"""The attention of a candidate over a history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skrec._engine.backend import keras, tf, unsized
from skrec._engine.context import current_context

__all__ = ["Catalogue", "LocalActivation", "distinct"]


def distinct(function: Callable[[Any], Any], codes: Any) -> Any:
    """Apply ``function`` to codes (N,); in training, only once to each distinct code, because histories repeat items.

    The penalties also count each item once, as in the mini-batch aware regularization of the paper (section 5.1).
    """
    step = current_context()
    if step is None:
        return function(codes)  # a row's score must not depend on the rows beside it, not even in the last bit
    once, at = tf.unique(codes)
    weight, step.lookup_weight = step.lookup_weight, None
    vectors = function(once)
    step.lookup_weight = weight
    return tf.gather(vectors, at)


class Catalogue(keras.layers.Layer):
    """Inputs of all items, which give the items of a history their features; not trained.

    Parameters
    ----------
    columns : tuple of (name, dtype, shape)
        Inputs that an item has besides its code, and the shape of one item's.
    """

    def __init__(self, columns: tuple[tuple[str, str, tuple[int, ...]], ...]) -> None:
        super().__init__()
        self.arrays = {}
        for name, dtype, shape in columns:
            weight = self.add_weight(shape=(1, *shape), initializer="zeros", dtype=dtype, trainable=False, name=name)
            self.arrays[name] = unsized(weight)
        self.built = True

    def call(self, codes: Any) -> Mapping[str, Any]:
        """Return the inputs of items: codes (N,), unknown ones 0."""
        return {"item": codes, **{name: tf.gather(array.value, codes) for name, array in self.arrays.items()}}


class LocalActivation(keras.layers.Layer):
    """Local activation unit (Zhou et al., 2018, section 4.3): the relevance of each past item to a candidate.

    A small network over the past item ``h``, the candidate ``v`` and their product gives its weight, which is not
    normalised: the sum of a history's weights is how strong an interest is. Layers are linear in ``h`` and ``v``, so
    that these parts are computed once for all their partners.

    Parameters
    ----------
    dim : int
        Width of an item's vector.
    units : int
        Units of the hidden layer.
    """

    def __init__(self, dim: int, units: int) -> None:
        super().__init__()
        for name in ("past", "candidate", "product"):
            setattr(self, name, self.add_weight(shape=(dim, units), initializer="zeros", name=f"{name}_kernel"))
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")
        self.output_kernel = self.add_weight(shape=(units, 1), initializer="zeros", name="output_kernel")
        self.output_bias = self.add_weight(shape=(1,), initializer="zeros", name="output_bias")
        self.built = True

    def weights_of(self, history: Any, there: Any, candidates: Any) -> Any:
        """Return the weights (B, M, L) of past items (B, L, dim) for candidates; 0 where nothing is.

        Candidates have shape (B, M, dim), or (M, dim) if all queries share them.
        """
        if candidates.shape.rank == 2:
            return self._shared_weights(history, candidates) * tf.cast(there, history.dtype)[:, None]
        past = tf.einsum("bld,du->blu", history, self.past.value) + self.bias.value
        candidate = tf.einsum("bmd,du->bmu", candidates, self.candidate.value)
        # (h * v) W = h (v * W): one product for each candidate instead of one for each pair.
        scaled = tf.expand_dims(candidates, -1) * self.product.value
        product = tf.einsum("bld,bmdu->bmlu", history, scaled)
        hidden = tf.sigmoid(product + tf.expand_dims(past, 1) + tf.expand_dims(candidate, 2))
        weights = tf.einsum("bmlu,u->bml", hidden, tf.squeeze(self.output_kernel.value, 1)) + self.output_bias.value
        return weights * tf.cast(there, weights.dtype)[:, None]

    def _shared_weights(self, history: Any, candidates: Any) -> Any:
        """Return the weights for candidates that all queries share: one matrix product for each query.

        With the sigmoid as (1 + tanh(x / 2)) / 2, its factors belong to the kernels.
        """
        n, length, units = tf.shape(history)[0], tf.shape(history)[1], self.bias.shape[0]
        of_candidate = tf.expand_dims(history, -1) * self.product.value + self.candidate.value  # (B, L, dim, units)
        of_past = tf.einsum("bld,du->blu", history, self.past.value) + self.bias.value
        kernel = 0.5 * tf.concat([of_candidate, tf.expand_dims(of_past, 2)], axis=2)
        kernel = tf.reshape(tf.transpose(kernel, [0, 2, 1, 3]), [n, candidates.shape[1] + 1, length * units])
        rows = tf.concat([candidates, tf.ones_like(candidates[:, :1])], axis=1)
        if history.shape[0] == 1:  # a product of two matrices is faster than one of each of a batch
            logits = tf.matmul(rows, tf.squeeze(kernel, 0))
        else:
            logits = tf.matmul(tf.expand_dims(rows, 0), kernel)
        hidden = tf.reshape(tf.tanh(logits), [-1, units])
        weights = tf.matmul(hidden, 0.5 * self.output_kernel.value)
        weights += 0.5 * tf.reduce_sum(self.output_kernel.value) + self.output_bias.value
        return tf.reshape(weights, [n, -1, length])

    def call(self, history: Any, there: Any, candidates: Any) -> Any:
        """Return the weighted sums (B, M, dim) of the past items, for candidates as in :meth:`weights_of`."""
        return tf.matmul(self.weights_of(history, there, candidates), history)
