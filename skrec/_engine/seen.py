"""Model interface for callbacks: the supported and unsupported parts of the Keras interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrec._engine.callbacks import CANNOT_SAVE
from skrec._engine.weights import Weights

__all__ = ["ForCallbacks", "InFit"]


@dataclass
class InFit:
    """State shared by the callbacks of a fit: the moving average of the weights, and whether weights were set."""

    average: Weights | None = None
    weights_were_set: bool = False


class ForCallbacks:
    """Mixin class to get and set the weights as the fit would leave them; saving and predicting are not supported."""

    named: dict[str, Any]
    constants: dict[str, Any]
    in_fit: InFit

    def get_weights(self) -> list[np.ndarray]:
        """Return the weights that the fit would keep now: their moving average, if there is one."""
        average = self.in_fit.average
        now: Mapping[str, np.ndarray] = self.state() if average is None else average  # type: ignore[attr-defined]
        return [now[name] for name in self.named | self.constants]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Set the weights, in the order of :meth:`get_weights`.

        Training continues with them. Weights that are set after the last epoch are kept by the fit.

        Raises
        ------
        ValueError
            If the number of weights or a shape differs.
        """
        names = list(self.named | self.constants)
        if len(weights) != len(names):
            raise ValueError(f"The network has {len(names)} weights, but {len(weights)} were passed to set_weights.")
        now = self.state()  # type: ignore[attr-defined]
        for name, array in zip(names, weights, strict=True):
            if np.shape(array) != now[name].shape:
                raise ValueError(f"Weight {name!r} has shape {now[name].shape}, but {np.shape(array)} was passed.")
        self.load(dict(zip(names, weights, strict=True)))  # type: ignore[attr-defined]
        self.in_fit.weights_were_set = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raise an error: a network is not usable without the ids, the histories and the optimizer state."""
        raise NotImplementedError(CANNOT_SAVE)

    save_weights = load_weights = export = save

    def predict(self, *args: Any, **kwargs: Any) -> None:
        """Raise an error: only the estimator can read rows."""
        raise NotImplementedError(
            "The network cannot read rows without the estimator. To monitor a score during training, pass X_val (and "
            "y_val) to fit: the logs of callbacks then contain it after every epoch."
        )

    evaluate = predict
