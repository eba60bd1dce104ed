"""Cells of a column that are the same object, as after a merge: each needs to be read once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["shared_cells"]

_FEW = 1000


def shared_cells(cells: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]] | None:
    """Return the distinct objects among the cells of a column, and which of them each cell is.

    Parameters
    ----------
    cells : ndarray of shape (n,), object

    Returns
    -------
    tuple of ndarray or None
        The distinct objects in order of appearance, and an index of shape (n,). None if more than half of the cells are
        different objects, or if there are few cells.

    Examples
    --------
    >>> from skrec._data.features.shared_cells import shared_cells
    >>> import numpy as np
    >>> genres = np.array([["Drama"], ["War", "Drama"]], dtype=object)
    >>> distinct, index = shared_cells(genres.repeat(1000))
    >>> distinct.tolist(), index[[0, 999, 1000]].tolist()
    ([['Drama'], ['War', 'Drama']], [0, 0, 1])
    """
    if cells.dtype != object or len(cells) < _FEW:
        return None
    ids = np.fromiter(map(id, cells), np.int64, len(cells))
    index, distinct = pd.factorize(ids)
    if 2 * len(distinct) > len(cells):
        return None
    first = np.empty(len(distinct), np.intp)
    first[index[::-1]] = np.arange(len(cells))[::-1]
    return cells[first], index
