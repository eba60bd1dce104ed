"""Recurrent layers over packed sequences."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf

__all__ = ["GRU"]


class GRU(keras.layers.Layer):
    """Gated recurrent units (Cho et al., 2014, arXiv:1406.1078) that reset at the start of each packed sequence.

    The input part is computed for all positions at once; only the recurrence is sequential.

    Parameters
    ----------
    dim : int
        Width of the inputs.
    units : int
        Width of the state.
    """

    def __init__(self, dim: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.kernel = self.add_weight(shape=(dim, 3 * units), initializer="zeros", name="kernel")
        self.gates = self.add_weight(shape=(units, 2 * units), initializer="zeros", name="gates_kernel")
        self.candidate = self.add_weight(shape=(units, units), initializer="zeros", name="candidate_kernel")
        self.bias = self.add_weight(shape=(3 * units,), initializer="zeros", name="bias")
        self.built = True

    def call(self, x: Any, starts: Any) -> Any:
        """Return the states (B, L, units) of inputs (B, L, dim); starts (B, L) of bool is where the state is 0."""
        length = x.shape[1]
        flat = tf.matmul(tf.reshape(x, [-1, x.shape[2]]), self.kernel.value) + self.bias.value
        inputs = tf.transpose(tf.reshape(flat, [-1, length, 3 * self.units]), [1, 0, 2])
        keep = tf.transpose(1.0 - tf.cast(starts, x.dtype))[:, :, None]

        def step(state: Any, now: Any) -> Any:
            given, kept = now
            state = state * kept
            gates = tf.sigmoid(given[:, : 2 * self.units] + tf.matmul(state, self.gates.value))
            update, reset = tf.split(gates, 2, axis=1)
            new = tf.tanh(given[:, 2 * self.units :] + tf.matmul(reset * state, self.candidate.value))
            return update * state + (1.0 - update) * new

        states = tf.scan(step, (inputs, keep), tf.zeros([tf.shape(x)[0], self.units], x.dtype))
        return tf.transpose(states, [1, 0, 2])
