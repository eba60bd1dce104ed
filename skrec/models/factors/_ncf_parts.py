"""Parts of the networks of neural collaborative filtering."""

from __future__ import annotations

from typing import Any

__all__ = ["item_biases", "perceptron"]


def perceptron(keras: Any, layers: Any, parts: dict[str, Any], hidden_units: tuple[int, ...], n_outputs: int) -> Any:
    """Add the layers of the perceptron to the parts, and return those after the first one."""
    # The first layer is linear in [user, item], so each half is computed once and reused for all pairs.
    parts["first_user"] = keras.layers.Dense(hidden_units[0], use_bias=False)
    parts["first_item"] = keras.layers.Dense(hidden_units[0])
    stack: list[Any] = [keras.ops.relu]
    for i, units in enumerate(hidden_units[1:], start=2):
        parts[f"hidden_{i}"] = keras.layers.Dense(units, activation="relu")
        stack += [layers.Dropout(), parts[f"hidden_{i}"]]
    parts["mlp_output"] = keras.layers.Dense(n_outputs, use_bias=False)
    return [*stack, layers.Dropout(), parts["mlp_output"]]


def item_biases(layers: Any, parts: dict[str, Any]) -> Any:
    """Add tables to the parts, and return a function of items: their biases for known and for unknown users.

    Both start from popularity. Known users learn theirs; unknown users are served by popularity.
    """
    parts["item_bias"] = layers.Table("item", 1, penalised=False)
    parts["popularity"] = layers.Table("item", 1, penalised=False, trainable=False)
    return lambda items: [parts["item_bias"](items), parts["popularity"](items)]
