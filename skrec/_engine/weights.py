"""The arrays of a fitted network. NumPy alone, so that loading a model needs no TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Weights"]


class Weights(dict[str, np.ndarray]):
    """Arrays by name. Never changed in place, so that a program may remember which weights it holds."""

    __slots__ = ("__weakref__",)

    def __reduce__(self) -> Any:
        return Weights, (dict(self),)
