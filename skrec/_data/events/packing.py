"""Pack sequences of any length into rows of a fixed length, so that batches contain little padding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skrec._data.events.histories import Histories
from skrec._data.events.windows import PADDING

__all__ = ["Packed", "pack"]


@dataclass(frozen=True, eq=False)
class Packed:
    """Rows that hold the sequences of one or more users, one after another, and the items to predict from them.

    Parameters
    ----------
    history : ndarray of shape (n_rows, length), int32
        Items in order of time; ``PADDING`` at the start of a sequence, before its first event, and in unused places.
    position : ndarray of shape (n_rows, length), int32
        Place of the item in its window. The latest is at ``length - 1``, and the next sequence starts after it.
    item : ndarray of shape (n_rows, length), int32
        Items to predict.
    source : ndarray of shape (n_rows, length), int32
        Place in the row of the latest event that each prediction may use.
    event : ndarray of shape (n_rows, length), int64
        The event to predict, or -1 if there is none.
    """

    history: NDArray[np.int32]
    position: NDArray[np.int32]
    item: NDArray[np.int32]
    source: NDArray[np.int32]
    event: NDArray[np.int64]


def pack(
    histories: Histories, users: NDArray[np.int32], ends: NDArray[np.int64], items: NDArray[np.int32], length: int
) -> Packed:
    """Pack the histories from which events are predicted.

    A history longer than ``length`` is cut into windows, starting at its end. All its events are predicted, each from
    the events of its window. Events with the same past, such as simultaneous events, are predicted from the same place.

    Parameters
    ----------
    histories : Histories
    users, items : ndarray of shape (n_events,), int32
        Codes of the events to predict. No user is unknown.
    ends : ndarray of shape (n_events,), int64
        Where the past of each event ends (see :meth:`Histories.ends`).
    length : int
        Number of places in a row.

    Returns
    -------
    Packed

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.events.histories import Histories
    >>> from skrec._data.events.packing import pack
    >>> users, items = np.array([1, 1, 2], np.int32), np.array([5, 6, 7], np.int32)
    >>> past = Histories.from_events(users, items, n_users=2)
    >>> packed = pack(past, users, past.ends(users, items), items, length=4)
    >>> packed.history, packed.item
    (array([[-1,  5, -1, -1]], dtype=int32), array([[5, 6, 7, 0]], dtype=int32))
    """
    # state s of a user is the state after s events; states are cut into windows from the last state needed
    state = ends - histories.indptr[users]
    last = np.zeros(len(histories.indptr), np.int64)
    np.maximum.at(last, users, state)
    window = (last[users] - state) // length
    order = np.lexsort((state, -window, users))
    users, state, window = users[order], state[order], window[order]
    rank = np.arange(len(order)) - _run_starts(users, window)
    # a window from which more events than places are predicted is repeated
    first = np.flatnonzero(rank % length == 0)
    n_targets = np.diff(np.append(first, len(order)))
    stop = last[users[first]] - window[first] * length
    start = np.maximum(0, stop - length + 1)
    n_states = stop - start + 1
    row, column, n_rows = _fit_together(np.maximum(n_states, n_targets), length)

    history, item, source = (np.full((n_rows, length), fill, np.int32) for fill in (PADDING, 0, 0))
    position = np.full((n_rows, length), length - 1, np.int32)
    event = np.full((n_rows, length), -1, np.int64)
    owner, offset = _spread(n_states)
    place = row[owner] * length + column[owner] + offset
    position.ravel()[place] = length - n_states[owner] + offset
    states = start[owner] + offset
    real = states > 0
    history.ravel()[place[real]] = histories.items[histories.indptr[users[first]][owner[real]] + states[real] - 1]
    owner, offset = _spread(n_targets)
    place = row[owner] * length + column[owner] + offset
    item.ravel()[place] = items[order]
    source.ravel()[place] = column[owner] + state - start[owner]
    event.ravel()[place] = order
    return Packed(history, position, item, source, event)


def _run_starts(*keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return for each position the start of its run of equal keys."""
    at = np.arange(len(keys[0]))
    changes = np.zeros(len(at), np.bool_)
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    starts: NDArray[np.int64] = np.maximum.accumulate(np.where(changes, at, 0))
    return starts


def _spread(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the group of each member of groups, and the member's number within the group."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _fit_together(sizes: NDArray[np.int64], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the row and column of each piece when the largest go first, each where it leaves the least space."""
    row, column = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
    open_rows: list[list[int]] = [[] for _ in range(length + 1)]  # by remaining space
    rooms = 0  # one bit for each amount of space that some row has left
    n_rows = 0
    for piece in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[piece])
        fitting = rooms >> size
        if fitting:
            room = size + (fitting & -fitting).bit_length() - 1
            at = open_rows[room].pop()
            if not open_rows[room]:
                rooms &= ~(1 << room)
        else:
            at, room = n_rows, length
            n_rows += 1
        row[piece], column[piece] = at, length - room
        left = room - size
        if left:
            open_rows[left].append(at)
            rooms |= 1 << left
    return row, column, n_rows
