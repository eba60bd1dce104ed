"""Dropout whose rate may change between fits without a new trace."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf
from skrec._engine.context import current_context


class Dropout(keras.layers.Layer):
    """Inverted dropout (Srivastava et al., 2014) at the rate of the fit; the identity while scoring.

    Unlike ``keras.layers.Dropout`` the rate is a variable of the program and the mask a function of the fit's seed.
    """

    def call(self, x: Any) -> Any:
        """Drop elements of ``x``."""
        step = current_context()
        if step is None or step.dropout is None:
            return x
        keep = 1.0 - step.dropout
        mask = tf.cast(step.uniform(tf.shape(x)) < keep, x.dtype)
        return x * mask / keep
