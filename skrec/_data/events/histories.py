"""Histories of users: their events in order of time, and the part of them that each row may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skrec._data.events.windows import PADDING, Windows

__all__ = ["PADDING", "Histories", "Windows"]

_CHUNK = 1 << 18


@dataclass(frozen=True, eq=False)
class Histories:
    """The events of each user in order of time, and the single rule for which of them a row may see.

    Users and items are codes of two vocabularies. An unknown user (code 0) has no history. An unknown item stays in a
    history as 0.

    Parameters
    ----------
    indptr : ndarray of shape (n_users + 2,), int64
        The history of user ``u`` is ``items[indptr[u]:indptr[u + 1]]``, for the user codes 0 to ``n_users``.
    items : ndarray of shape (n_events,), int32
        Item codes, oldest first within a user.
    times : ndarray of shape (n_events,) or None, default=None
        Times of the events. None if only the order is known.
    known : ndarray of shape (n_pairs,), int64 or None, default=None
        Without times: the sorted, distinct pairs ``user << 32 | item`` of all rows, whether events or not.
    before : ndarray of shape (n_pairs,), int64 or None, default=None
        Without times: the number of events of the user before the first row of each pair.

    Examples
    --------
    >>> from skrec._data.events.histories import Histories
    >>> past = Histories.from_events([1, 2, 1, 1], [5, 7, 6, 5], times=[30, 10, 20, 20], n_users=2)
    >>> past.items, past.indptr
    (array([6, 5, 5, 7], dtype=int32), array([0, 0, 3, 4]))
    >>> users = [1, 1, 1, 0]
    >>> ends = past.ends(users, [5, 6, 9, 5], times=[30, 20, 99, 99])
    >>> past.windows(users, 3, ends)[:]
    array([[-1,  6,  5],
           [-1, -1, -1],
           [ 6,  5,  5],
           [-1, -1, -1]], dtype=int32)
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    times: NDArray[Any] | None = None
    known: NDArray[np.int64] | None = None
    before: NDArray[np.int64] | None = None

    @property
    def n_users(self) -> int:
        """Number of known users."""
        return len(self.indptr) - 2

    @classmethod
    def from_events(
        cls,
        users: ArrayLike,
        items: ArrayLike,
        times: ArrayLike | None = None,
        chosen: ArrayLike | None = None,
        *,
        n_users: int,
    ) -> Self:
        """Sort events into histories: by user, then by time, then by the given order.

        Parameters
        ----------
        users, items : array-like of shape (n_rows,), int
            Codes. Rows of user 0 are left out.
        times : array-like of shape (n_rows,), default=None
            Finite numbers. If None, the rows of a user are in order of time.
        chosen : array-like of shape (n_rows,), bool, default=None
            Which rows are events; if None, all rows. Other rows, such as items that were shown but not clicked, are in
            no history, but without times they are still recognized (see :meth:`ends`).
        n_users : int
            The largest possible user code.

        Returns
        -------
        Histories

        Raises
        ------
        ValueError
            If the lengths differ or a code is out of range.

        Examples
        --------
        >>> from skrec._data.events.histories import Histories
        >>> Histories.from_events([2, 1, 2], [5, 6, 7], chosen=[True, True, False], n_users=2).items
        array([6, 5], dtype=int32)
        """
        codes, item_codes, when, is_event = _checked(users, items, times, chosen, n_users)
        if when is not None:
            order = np.argsort(when, kind="stable")
            order = order[is_event[order]]
            order = order[_grouped(codes[order], n_users)]
            return cls(_indptr(codes[order], n_users), item_codes[order], when[order])
        by_user = _grouped(codes, n_users)
        codes, item_codes, is_event = codes[by_user], item_codes[by_user], is_event[by_user]
        indptr = _indptr(codes[is_event], n_users)
        before = np.cumsum(is_event) - is_event - indptr[codes]
        pairs = _pairs(codes, item_codes)
        first = np.unique(pairs, return_index=True)[1]
        first = first[pairs[first] >> 32 > 0]
        return cls(indptr, item_codes[is_event], None, pairs[first], before[first])

    def append(
        self,
        users: ArrayLike,
        items: ArrayLike,
        times: ArrayLike | None = None,
        chosen: ArrayLike | None = None,
        *,
        n_users: int,
    ) -> Histories:
        """Return the histories with additional rows.

        With times, the rows are merged in order of time, after stored events with the same time, and an event that is
        already stored (same user, item and time) is not added again. Without times, they come after all stored events.

        Parameters
        ----------
        users, items, times, chosen
            As in :meth:`from_events`.
        n_users : int
            The largest possible user code now. It must not be smaller than before.

        Returns
        -------
        Histories
            New histories. The existing ones do not change.

        Raises
        ------
        ValueError
            If the lengths differ, if a code is out of range, if there are fewer users than before, or if only the
            stored or only the new events have times.

        Examples
        --------
        >>> from skrec._data.events.histories import Histories
        >>> past = Histories.from_events([1, 1], [5, 6], times=[10, 30], n_users=1)
        >>> past.append([1, 2, 1], [7, 8, 6], times=[20, 20, 30], n_users=2).items
        array([5, 7, 6, 8], dtype=int32)
        """
        self._refuse_other_times(times)
        if n_users < self.n_users:
            raise ValueError(f"Histories of {self.n_users} users cannot shrink to {n_users}.")
        old = self.indptr[np.minimum(np.arange(n_users + 2), self.n_users + 1)]
        codes, item_codes, when, is_event = _checked(users, items, times, chosen, n_users)
        if self.times is not None:
            is_event &= ~self._is_stored(codes, item_codes, when, old)
        new = Histories.from_events(codes, item_codes, when, is_event, n_users=n_users)
        owners = np.repeat(np.arange(n_users + 1), np.diff(new.indptr))
        if self.times is not None and new.times is not None:
            at = _count(self.times, old[owners], old[owners + 1], new.times, np.less_equal)
            merged = self.times.astype(np.result_type(self.times, new.times), copy=False)
            return Histories(old + new.indptr, np.insert(self.items, at, new.items), np.insert(merged, at, new.times))
        assert self.known is not None
        assert self.before is not None
        assert new.known is not None
        assert new.before is not None
        fresh = ~np.isin(new.known, self.known, assume_unique=True)
        pairs = new.known[fresh]
        at = np.searchsorted(self.known, pairs)
        return Histories(
            old + new.indptr,
            np.insert(self.items, old[owners + 1], new.items),
            None,
            np.insert(self.known, at, pairs),
            np.insert(self.before, at, new.before[fresh] + np.diff(old)[pairs >> 32]),
        )

    def ends(self, users: ArrayLike, items: ArrayLike, times: ArrayLike | None = None) -> NDArray[np.int64]:
        """Return where the past of each row ends: the single rule for training, prediction and transformation.

        With times, a row sees the stored events of its user that are strictly before its time. Without times, a known
        row (same user and item, event or not) sees the events before the first such row; any other row sees all
        events. So the rows of :meth:`from_events` see neither themselves nor later events, and simultaneous events do
        not see each other. No row sees another row of the same call.

        Parameters
        ----------
        users, items : array-like of shape (n_rows,), int
            Codes. All unknown items are one item here, with code 0.
        times : array-like of shape (n_rows,), default=None
            Required if the stored events have times, and not allowed otherwise.

        Returns
        -------
        ndarray of shape (n_rows,), int64
            The past of row ``i`` is ``self.items[self.indptr[users[i]]:ends[i]]``. It is empty for user 0.

        Raises
        ------
        ValueError
            If the lengths differ, if a code is out of range, or if only the stored events or only the rows have times.

        Examples
        --------
        >>> from skrec._data.events.histories import Histories
        >>> past = Histories.from_events([1, 1, 1], [5, 6, 5], n_users=1)
        >>> past.ends([1, 1, 1, 0], [5, 6, 7, 5])
        array([0, 1, 3, 0])
        """
        self._refuse_other_times(times)
        codes, item_codes, when, _ = _checked(users, items, times, None, self.n_users)
        start, stop = self.indptr[codes], self.indptr[codes + 1]
        if self.times is not None:
            return _count(self.times, start, stop, when, np.less)
        assert self.known is not None
        assert self.before is not None
        order = _grouped(codes, self.n_users)  # the search is several times as fast if the keys are almost in order
        pairs = _pairs(codes, item_codes)[order]
        at = np.searchsorted(self.known, pairs)
        is_known = np.append(self.known, -1)[at] == pairs
        rows = order[is_known]
        stop[rows] = start[rows] + self.before[at[is_known]]
        return stop

    def stored(self, users: ArrayLike, items: ArrayLike, times: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows are stored events, with the same user, item and time.

        Parameters
        ----------
        users, items : array-like of shape (n_rows,), int
            Codes.
        times : array-like of shape (n_rows,)
            Times of the rows. The stored events must have times as well.

        Returns
        -------
        ndarray of shape (n_rows,), bool

        Examples
        --------
        >>> from skrec._data.events.histories import Histories
        >>> past = Histories.from_events([1, 1], [5, 6], times=[10, 30], n_users=1)
        >>> past.stored([1, 1, 1], [5, 5, 6], times=[10, 30, 30])
        array([ True, False,  True])
        """
        self._refuse_other_times(times)
        codes, item_codes, when, _ = _checked(users, items, times, None, self.n_users)
        return self._is_stored(codes, item_codes, when, self.indptr)

    def windows(self, users: ArrayLike, length: int, ends: NDArray[np.int64] | None = None) -> Windows:
        """Return the last events of users.

        Parameters
        ----------
        users : array-like of shape (n,), int
            Codes.
        length : int
            Maximum number of events.
        ends : ndarray of shape (n,), int64, default=None
            Where the past of each row ends (see :meth:`ends`). If None, all events are used.

        Returns
        -------
        Windows of shape (n, length)

        Raises
        ------
        ValueError
            If `length` is less than 1, or if a code is out of range.

        Examples
        --------
        >>> from skrec._data.events.histories import Histories
        >>> Histories.from_events([1, 1, 1], [5, 6, 7], n_users=1).windows([1, 0], 2)[:]
        array([[ 6,  7],
               [-1, -1]], dtype=int32)
        """
        if length < 1:
            raise ValueError(f"A window shows at least one event, got length={length}.")
        codes = _codes(users, "user", self.n_users)
        return Windows(self.items, self.indptr[codes], self.indptr[codes + 1] if ends is None else ends, length)

    def _refuse_other_times(self, times: Any) -> None:
        if (times is None) != (self.times is None):
            there, missing = ("stored events", "rows") if times is None else ("rows", "stored events")
            raise ValueError(
                f"The {there} have times, but the {missing} have none, so they cannot be put in order. Pass times for "
                "all of them, or for none."
            )

    def _is_stored(
        self, users: NDArray[np.int32], items: NDArray[np.int32], times: NDArray[Any], indptr: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return whether each row is a stored event with the same user, item and time."""
        assert self.times is not None
        low, high = (
            _count(self.times, indptr[users], indptr[users + 1], times, is_before)
            for is_before in (np.less, np.less_equal)
        )
        # the stored events of a user at one time are at low to high, so low identifies the user and the time
        runs, at = np.unique(low[low < high], return_index=True)
        lengths = high[low < high][at] - runs
        inside = np.arange(lengths.sum()) + np.repeat(runs - np.cumsum(lengths) + lengths, lengths)
        stored = np.repeat(runs, lengths) << 32 | self.items[inside]
        return (low < high) & np.isin(low << 32 | items, stored)


def _checked(
    users: ArrayLike, items: ArrayLike, times: ArrayLike | None, chosen: ArrayLike | None, n_users: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Any, NDArray[np.bool_]]:
    """Return rows as arrays; rows of unknown users are not chosen."""
    codes, item_codes = _codes(users, "user", n_users), _codes(items, "item", np.iinfo(np.int32).max)
    when = None if times is None else np.asarray(times)
    is_event = np.ones(len(codes), np.bool_) if chosen is None else np.asarray(chosen, np.bool_)
    for name, array in (("items", item_codes), ("times", when), ("chosen", is_event)):
        if array is not None and array.shape != codes.shape:
            raise ValueError(f"There are {len(codes)} users, but the shape of {name} is {array.shape}.")
    return codes, item_codes, when, is_event & (codes > 0)


def _codes(values: ArrayLike, what: str, largest: int) -> NDArray[np.int32]:
    codes = np.asarray(values)
    if codes.ndim != 1 or (codes.size and (codes.min() < 0 or codes.max() > largest)):
        raise ValueError(f"The {what} codes must be one-dimensional and from 0 to {largest}.")
    return codes.astype(np.int32, copy=False)


def _pairs(users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int64]:
    pairs: NDArray[np.int64] = users.astype(np.int64) << 32 | items
    return pairs


def _grouped(codes: NDArray[np.int32], largest: int) -> NDArray[np.int32]:
    """Return the stable order of codes by a counting sort, which SciPy uses to transpose a matrix."""
    ones = np.ones(len(codes), np.bool_)
    by_row = sparse.csr_array((ones, codes, np.arange(len(codes) + 1)), shape=(len(codes), largest + 1))
    return np.asarray(by_row.tocsc().indices)


def _indptr(users: NDArray[np.int32], n_users: int) -> NDArray[np.int64]:
    indptr = np.zeros(n_users + 2, np.int64)
    np.cumsum(np.bincount(users, minlength=n_users + 1), out=indptr[1:])
    return indptr


def _count(
    times: NDArray[Any], start: NDArray[np.int64], stop: NDArray[np.int64], when: Any, is_before: np.ufunc
) -> NDArray[np.int64]:
    """Return for each row the end of the stored times from `start` to `stop`, which are sorted, before its own time.

    This is a binary search for all rows at once, in chunks that fit into the cache.
    """
    ends = start.copy()
    for at in range(0, len(ends), _CHUNK):
        part = slice(at, at + _CHUNK)
        step = 1 << int((stop[part] - start[part]).max(initial=0)).bit_length()
        while step := step >> 1:
            probe = ends[part] + step
            earlier = is_before(times.take(probe - 1, mode="clip"), when[part])
            ends[part] += step * (earlier & (probe <= stop[part]))
    return ends
