"""Exchange between the embedding of an item and that of its entity."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import keras, tf


class CrossCompress(keras.layers.Layer):
    """Cross and compress unit (Wang et al., 2019, doi:10.1145/3308558.3313411).

    All products of a component of the item and one of the entity, a matrix ``C = v e^T``, are compressed to new vectors
    of both: ``v' = C w_vv + C^T w_ev + b_v`` and ``e' = C w_ve + C^T w_ee + b_e``. The matrix itself is not computed.

    Parameters
    ----------
    dim : int
        Dimension of both vectors.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        names = ("vv", "ev", "ve", "ee")
        self.kernels = [self.add_weight(shape=(dim, 1), name=f"{name}_kernel") for name in names]
        self.biases = [self.add_weight(shape=(dim,), initializer="zeros", name=f"{name}_bias") for name in "ve"]
        self.built = True

    def call(self, item: Any, entity: Any) -> tuple[Any, Any]:
        """Return the new vectors of items and entities: both (N, dim)."""
        vv, ev, ve, ee = (tf.convert_to_tensor(kernel.value) for kernel in self.kernels)
        new_item = item * tf.matmul(entity, vv) + entity * tf.matmul(item, ev) + self.biases[0]
        new_entity = item * tf.matmul(entity, ve) + entity * tf.matmul(item, ee) + self.biases[1]
        return new_item, new_entity
