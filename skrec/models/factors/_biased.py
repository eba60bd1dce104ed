"""The network of matrix factorization with biases of items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["matrix_factorization"]


def matrix_factorization(keras: Any, layers: Any, dim: int) -> Any:
    """Build matrix factorization: the dot product of a user and an item, plus the bias of the item."""
    parts = {
        "user": layers.Table("user", dim),
        "item": layers.Table("item", dim),
        "item_bias": layers.Table("item", 1, penalised=False),
        "bias": layers.Bias(1),
    }

    def query(inputs: Mapping[str, Any]) -> Any:
        user = parts["user"](inputs["user"])
        return keras.ops.concatenate([user, keras.ops.ones_like(user[:, :1])], axis=-1)

    def item(inputs: Mapping[str, Any]) -> Any:
        return keras.ops.concatenate([parts["item"](inputs["item"]), parts["item_bias"](inputs["item"])], axis=-1)

    def interact(query: Any, item: Any) -> Any:
        return parts["bias"](layers.match(query, item))

    return layers.Network(query=query, item=item, interact=interact, parts=parts, dot=True)
