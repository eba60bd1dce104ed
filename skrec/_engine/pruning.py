"""Kernels whose smallest values are zero and stay zero in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skrec._engine.backend import keras
from skrec._engine.weights import Weights

__all__ = ["KeepZeros", "kernel_masks", "masked"]


def kernel_masks(weights: Mapping[str, np.ndarray], share: float) -> dict[str, np.ndarray]:
    """Return masks (1: kept, 0: pruned) of the kernels of dense layers: the smallest values of each are pruned.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Tables, biases, norms and the vectors of numeric fields are not pruned.
    share : float
        Share of the values of each kernel that are pruned, rounded to a whole number of values.
    """
    masks = {}
    for name, weight in weights.items():
        last = name.rpartition("/")[2]
        if weight.ndim != 2 or not (last == "kernel" or last.endswith("_kernel")):
            continue
        order = np.argsort(np.abs(weight), axis=None, kind="stable")
        mask = np.ones(weight.size, np.float32)
        mask[order[: round(share * weight.size)]] = 0
        masks[name] = mask.reshape(weight.shape)
    return masks


def masked(weights: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray]) -> Weights:
    """Return weights with zeros where a mask has zeros."""
    return Weights({name: weight * masks[name] if name in masks else weight for name, weight in weights.items()})


class KeepZeros(keras.callbacks.Callback):
    """Set the pruned values to zero again after each call of the program, which takes several steps."""

    def __init__(self, masks: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self._masks = masks

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        weights = self.model.named | self.model.constants  # the latter has copies of parts
        for name, mask in self._masks.items():
            variable = weights[name].value
            variable.assign(variable * mask)
