"""Contributions of past events to a score: the score minus the score of the history without the event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.events.windows import PADDING, Windows
from skrec.base.events import Inputs

__all__ = ["contributions"]

_CELLS = 2**22  # maximum number of item codes of shortened histories to score at a time


def contributions(inputs: Inputs, score: Callable[[Inputs], NDArray[Any]]) -> pd.DataFrame:
    """Score every history with all of its events and without each of them in turn.

    Parameters
    ----------
    inputs : dict of str to ndarray (n, ...)
        Inputs of the network for queries with one item each. ``"history"`` contains Windows.
    score : callable
        Maps inputs of any number of rows to their scores, shape (n,).

    Returns
    -------
    DataFrame
        One row for each past event in a window, sorted by query and descending contribution. The columns are
        ``query``, ``past_item`` (its code), ``age`` (1 is the latest event) and ``contribution``.
    """
    windows: Windows = inputs["history"]
    found = [_part(rows, inputs, score) for rows in _parts(windows)]
    columns = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    frame = pd.DataFrame(columns)
    return frame.iloc[np.lexsort((-frame["contribution"], frame["query"]))].reset_index(drop=True)


def _parts(windows: Windows) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of chunks of queries; at least one chunk."""
    cells = np.cumsum((windows.lengths + 1) * windows.length)
    part = cells // _CELLS
    yield from np.split(np.arange(len(windows)), np.flatnonzero(np.diff(part)) + 1)


def _part(rows: NDArray[np.int64], inputs: Inputs, score: Callable[[Inputs], NDArray[Any]]) -> dict[str, Any]:
    windows: Windows = inputs["history"]
    length = windows.length
    # One event more than the window has: it fills the gap if another event is removed.
    longer = Windows(windows.flat, windows.start[rows], windows.stop[rows], length + 1)[:]
    shown = longer != PADDING
    shown[:, 0] = True  # removing this column, which is outside the window, gives the whole history
    at, removed = np.nonzero(shown)
    if not len(at):
        return {"query": at, "past_item": at, "age": at, "contribution": np.empty(0)}
    kept = np.arange(length) + (np.arange(length) >= removed[:, None])
    codes = longer[at[:, None], kept]
    stop = np.arange(1, len(codes) + 1) * length
    shortened = Windows(codes.ravel(), stop - (codes != PADDING).sum(axis=1), stop, length)
    others = {name: array[rows[at]] for name, array in inputs.items() if name != "history"}
    scores = score({**others, "history": shortened}).astype(np.float64)
    whole = scores[removed == 0]
    event = removed > 0
    return {
        "query": rows[at[event]],
        "past_item": longer[at[event], removed[event]],
        "age": length + 1 - removed[event],
        "contribution": whole[at[event]] - scores[event],
    }
