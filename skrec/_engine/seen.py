"""The model as callbacks see it: what of Keras's interface a program has, and what it refuses."""

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
    """What callbacks of a fit share: the moving average of the weights, and whether one has set weights since."""

    average: Weights | None = None
    weights_were_set: bool = False


class ForCallbacks:
    """Weights as the fit would leave them, to take and to set; neither files nor predictions of the network alone."""

    named: dict[str, Any]
    constants: dict[str, Any]
    in_fit: InFit

    def get_weights(self) -> list[np.ndarray]:
        """Return the weights that the fit would leave behind now: where there is an average, the average."""
        average = self.in_fit.average
        now: Mapping[str, np.ndarray] = self.state() if average is None else average  # type: ignore[attr-defined]
        return [now[name] for name in self.named | self.constants]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Take weights in the order of :meth:`get_weights`.

        Training goes on from them. Those that are set after the last epoch are what the fit leaves behind.

        Raises
        ------
        ValueError
            If they are not as many, or of other shapes.
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
        """Refuse: a network alone is of no use without the ids, the histories and the optimiser's state."""
        raise NotImplementedError(CANNOT_SAVE)

    save_weights = load_weights = export = save

    def predict(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: only the estimator reads rows."""
        raise NotImplementedError(
            "The network cannot read rows without the estimator. To watch a score while it trains, pass X_val (and "
            "y_val) to fit: the logs of callbacks then hold it after every epoch."
        )

    evaluate = predict
