"""The last events of many rows as a matrix that is never held in memory as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PADDING", "Windows"]

PADDING = -1
"""The value that fills a window to the left of the first event; 0 is an unknown item."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The last events of many rows: a matrix of item codes whose rows are only created on access.

    Parameters
    ----------
    flat : ndarray of shape (n_events,), int32
        The item codes of all histories, one after another.
    start, stop : ndarray of shape (n,), int64
        The history of row ``i`` is ``flat[start[i]:stop[i]]``.
    length : int
        Number of columns. Only the last `length` events before `stop` are in a window.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.events.windows import Windows
    >>> windows = Windows(np.array([7, 8, 9], np.int32), np.array([0, 0, 3]), np.array([3, 1, 3]), 2)
    >>> windows[:]
    array([[ 8,  9],
           [-1,  7],
           [-1, -1]], dtype=int32)
    >>> windows.take([1, 0]).shape, windows.lengths
    ((2, 2), array([2, 1, 0]))
    """

    flat: NDArray[np.int32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    length: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.start), self.length

    @property
    def dtype(self) -> np.dtype[np.int32]:
        """Type of the codes, int32."""
        return np.dtype(np.int32)

    @property
    def ndim(self) -> int:
        """Number of dimensions, 2."""
        return 2

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of events in each row, shape (n,)."""
        return np.asarray(np.minimum(self.stop - self.start, self.length))

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: Any) -> NDArray[np.int32]:
        """Return rows as an array, with the latest event in the last column and ``PADDING`` on the left.

        Parameters
        ----------
        rows : slice, or array of int or bool
            Which rows.

        Returns
        -------
        ndarray of shape (m, length), int32
        """
        start, stop = self.start[rows], self.stop[rows]
        at = stop[..., None] + np.arange(-self.length, 0)
        if not len(self.flat):
            return np.full(at.shape, PADDING, np.int32)
        codes = np.asarray(self.flat.take(at, mode="clip"))
        codes[at < start[..., None]] = PADDING
        return codes

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Windows cannot be converted to an array without a copy.")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def take(self, rows: Any) -> Windows:
        """Return some of the rows, still without creating them.

        Parameters
        ----------
        rows : slice, or array of int or bool
            Which rows.

        Returns
        -------
        Windows
        """
        return Windows(self.flat, self.start[rows], self.stop[rows], self.length)
