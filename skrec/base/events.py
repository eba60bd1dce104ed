"""Encoded training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrec._data.events.windows import Windows
from skrec.base.reader import Codes

Inputs = dict[str, Any]  # arrays, or Windows of histories, row by row


@dataclass(frozen=True)
class Events:
    """Encoded rows with their targets.

    Parameters
    ----------
    users, items : ndarray of shape (n_rows,) of int32
        Codes of the ids.
    inputs : dict of str to ndarray (n_rows, ...)
        Inputs of the network for each row.
    target : ndarray of shape (n_rows,) or (n_rows, n_targets) of float32
        Targets of the loss.
    weight : ndarray of shape (n_rows,) of float64 or None
        Weights of the rows. None stands for weights of 1.
    time : ndarray of shape (n_rows,) or None
        Sortable times.
    n_outputs : int
        Number of outputs of a network that predicts the target.
    seen : bool
        Whether the rows were logged and added to histories in an earlier call.
    """

    users: Codes
    items: Codes
    inputs: Inputs
    target: NDArray[np.float32]
    weight: NDArray[np.float64] | None = None
    time: NDArray[Any] | None = None
    n_outputs: int = 1
    seen: bool = False

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: NDArray[Any]) -> Events:
        """Return the given rows."""
        return Events(
            self.users[rows],
            self.items[rows],
            {
                name: array.take(rows) if isinstance(array, Windows) else array[rows]
                for name, array in self.inputs.items()
            },
            self.target[rows],
            None if self.weight is None else self.weight[rows],
            None if self.time is None else self.time[rows],
            self.n_outputs,
            self.seen,
        )
