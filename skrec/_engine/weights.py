"""The arrays of a fitted network. Only NumPy is used, so that loading a model does not need TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Weights"]


class Weights(dict[str, np.ndarray]):
    """Arrays by name. They are never modified in place, so that a program can recognize the weights that it holds."""

    __slots__ = ("__weakref__",)

    def __reduce__(self) -> Any:
        return Weights, (dict(self),)
