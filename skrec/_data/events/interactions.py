"""The log of the events seen in ``fit``, as codes in compressed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

__all__ = ["Interactions"]


@dataclass(frozen=True, eq=False)
class Interactions:
    """The items that each user interacted with, and the popularity of each item.

    Users and items are codes of two vocabularies: 0 stands for an unknown user or item and has no events here.

    Parameters
    ----------
    indptr : ndarray of shape (n_users + 2,), int64
        The items of user ``u`` are ``items[indptr[u]:indptr[u + 1]]``, for the user codes 0 to ``n_users``.
    items : ndarray of shape (n_distinct_pairs,), int32
        Item codes from 1, sorted and distinct within a user.
    item_counts : ndarray of shape (n_items + 1,), float64
        Popularity of each item code: the number of events, or the sum of their weights, including repeated pairs and
        unknown users; 0 for code 0.
    weights : ndarray of shape (n_distinct_pairs,), float64, or None
        Sum of the weights of each pair's events. None if weights are not stored.

    Examples
    --------
    >>> from skrec._data.events.interactions import Interactions
    >>> log = Interactions.from_codes([1, 2, 1, 1], [3, 1, 1, 3], n_users=2, n_items=3)
    >>> log.items, log.item_counts
    (array([1, 3, 1], dtype=int32), array([0., 2., 0., 2.]))
    >>> log.seen([1, 0]).toarray().astype(int)
    array([[1, 0, 1],
           [0, 0, 0]])
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    item_counts: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None

    @property
    def n_users(self) -> int:
        """Number of known users."""
        return len(self.indptr) - 2

    @property
    def n_items(self) -> int:
        """Number of known items."""
        return len(self.item_counts) - 1

    @classmethod
    def from_codes(
        cls,
        users: ArrayLike,
        items: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        weights: ArrayLike | None = None,
        store_weights: bool = True,
    ) -> Interactions:
        """Create the log from a list of events.

        Parameters
        ----------
        users, items : array-like of shape (n_events,), int
            Codes. Events with code 0 are left out.
        n_users, n_items : int
            The largest possible codes.
        weights : array-like of shape (n_events,), default=None
            Weight of each event. The sum for each pair is stored. If None, each event counts 1, and no weights are
            stored.
        store_weights : bool, default=True
            If False, the weights are only added to ``item_counts``.

        Returns
        -------
        Interactions

        Raises
        ------
        ValueError
            If the lengths differ, or if a code is out of range.
        """
        keys, item_counts, known_weights = _keys_and_counts(users, items, n_users, n_items, weights)
        return cls._from_keys(keys, item_counts, n_users, known_weights if store_weights else None)

    def extend(
        self,
        users: ArrayLike,
        items: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        weights: ArrayLike | None = None,
        store_weights: bool = True,
    ) -> Interactions:
        """Return the log with additional events.

        Parameters
        ----------
        users, items : array-like of shape (n_events,), int
            Codes of the new events.
        n_users, n_items : int
            The largest possible codes now. They must not be smaller than before.
        weights : array-like of shape (n_events,), default=None
            Weight of each new event. If None, 1 if this log stores weights. If it does not, all existing pairs have
            weight 1.
        store_weights : bool, default=True
            If False, the weights are only added to ``item_counts``, and the new log stores no weights of pairs.

        Returns
        -------
        Interactions
            A new log. The existing one does not change.

        Raises
        ------
        ValueError
            If the lengths differ, if a code is out of range, or if there are fewer users or items than before.
        """
        if n_users < self.n_users or n_items < self.n_items:
            raise ValueError(
                f"A log of {self.n_users} users and {self.n_items} items cannot shrink to {n_users} and {n_items}."
            )
        if self.weights is not None and weights is None:
            weights = np.ones(np.shape(users))
        keys, item_counts, added = _keys_and_counts(users, items, n_users, n_items, weights)
        item_counts[: len(self.item_counts)] += self.item_counts
        old = np.repeat(np.arange(self.n_users + 1, dtype=np.int64) * (n_items + 1), np.diff(self.indptr))
        old += self.items
        if not store_weights:
            added = None
        if added is not None:
            added = np.concatenate([np.ones(len(old)) if self.weights is None else self.weights, added])
        if added is None:
            keys.sort()
        # two sorted parts: the stable sort merges them in linear time
        return self._from_keys(np.concatenate([old, keys]), item_counts, n_users, added, kind="stable")

    def matrix(self, user_codes: ArrayLike | None = None) -> Any:
        """Return the weights of the pairs of users as a matrix.

        Parameters
        ----------
        user_codes : array-like of shape (n_queries,), int, default=None
            Codes of users, in any order and possibly repeated. If None, all known users.

        Returns
        -------
        scipy.sparse.csr_array of shape (n_queries, n_items), float64
            Column ``j`` is item code ``j + 1``. Indices are sorted, and pairs with weight 0 are left out. If no weights
            are stored, each pair has weight 1.

        Raises
        ------
        IndexError
            If a code is out of range.

        Examples
        --------
        >>> from skrec._data.events.interactions import Interactions
        >>> log = Interactions.from_codes([1, 2, 1], [3, 1, 3], n_users=2, n_items=3, weights=[0.5, 1, 2])
        >>> log.matrix().toarray()
        array([[0. , 0. , 2.5],
               [1. , 0. , 0. ]])
        """
        codes = np.arange(1, self.n_users + 1) if user_codes is None else np.asarray(user_codes, dtype=np.int64)
        indptr, places = self._rows_of(codes)
        weights = np.ones(len(places)) if self.weights is None else self.weights[places]
        columns = self.items[places] - np.int32(1)
        matrix = sparse.csr_array((weights, columns, indptr), shape=(len(codes), self.n_items))
        if not weights.all():
            matrix.eliminate_zeros()
        return matrix

    def seen(self, user_codes: ArrayLike) -> Any:
        """Return the items that users have interacted with.

        Parameters
        ----------
        user_codes : array-like of shape (n_queries,), int
            Codes of users, in any order and possibly repeated.

        Returns
        -------
        scipy.sparse.csr_array of shape (n_queries, n_items), bool
            Column ``j`` is item code ``j + 1``. Indices are sorted.

        Raises
        ------
        IndexError
            If a code is out of range.
        """
        codes = np.asarray(user_codes, dtype=np.int64)
        indptr, places = self._rows_of(codes)
        seen = np.ones(len(places), dtype=np.bool_)
        return sparse.csr_array((seen, self.items[places] - np.int32(1), indptr), shape=(len(codes), self.n_items))

    def contains(self, users: ArrayLike, items: ArrayLike) -> NDArray[np.bool_]:
        """Return which pairs of a user and an item are in the log.

        Parameters
        ----------
        users, items : array-like of shape (n_pairs,), int
            Codes. Pairs with code 0 are not in the log.

        Returns
        -------
        ndarray of shape (n_pairs,), bool

        Examples
        --------
        >>> from skrec._data.events.interactions import Interactions
        >>> log = Interactions.from_codes([1, 2, 1], [3, 1, 1], n_users=2, n_items=3)
        >>> log.contains([1, 2, 1, 0], [3, 3, 1, 1])
        array([ True, False,  True, False])
        """
        users, items = np.asarray(users, np.int64), np.asarray(items, np.int64)
        width = self.n_items + 1
        owners = np.repeat(np.arange(self.n_users + 1, dtype=np.int64), np.diff(self.indptr))
        known = owners * width + self.items  # sorted
        keys = users * width + items
        at = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        return np.asarray(known[at] == keys) if len(known) else np.zeros(len(keys), np.bool_)

    def _rows_of(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the pairs of each user begin in a list of the pairs of users, and their positions in the log."""
        if codes.size and (codes.min() < 0 or codes.max() > self.n_users):
            raise IndexError(f"User codes must be from 0 to {self.n_users}.")
        starts = self.indptr[codes]
        lengths = self.indptr[codes + 1] - starts
        indptr = np.zeros(len(codes) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        return indptr, np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)

    @classmethod
    def _from_keys(
        cls,
        keys: NDArray[np.int64],
        item_counts: NDArray[np.float64],
        n_users: int,
        weights: NDArray[np.float64] | None,
        *,
        kind: Literal["quicksort", "stable"] = "quicksort",
    ) -> Interactions:
        """Sort the keys ``user * (n_items + 1) + item`` (in place without weights) and cut them into rows."""
        width = len(item_counts)
        if weights is None:
            keys.sort(kind=kind)
        else:
            order = np.argsort(keys, kind="stable")
            keys, weights = keys[order], weights[order]
        if len(keys):
            first = np.empty(len(keys), dtype=np.bool_)
            first[0] = True
            np.not_equal(keys[1:], keys[:-1], out=first[1:])
            keys = keys[first]
            weights = None if weights is None else np.add.reduceat(weights, np.flatnonzero(first))
        indptr = np.searchsorted(keys, np.arange(n_users + 2, dtype=np.int64) * width).astype(np.int64, copy=False)
        keys %= width
        return cls(indptr, keys.astype(np.int32), item_counts, weights)


def _keys_and_counts(
    users: ArrayLike, items: ArrayLike, n_users: int, n_items: int, weights: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64] | None]:
    users, items = np.asarray(users), np.asarray(items)
    weights = None if weights is None else np.asarray(weights, np.float64)
    if users.shape != items.shape or users.ndim != 1:
        raise ValueError(f"users {users.shape} and items {items.shape} must be one-dimensional and of equal length.")
    for what, codes, largest in (("user", users, n_users), ("item", items, n_items)):
        if codes.size and (codes.min() < 0 or codes.max() > largest):
            raise ValueError(f"There are {what} codes outside 0 to {largest}.")
    if weights is not None and weights.shape != users.shape:
        raise ValueError(f"weights {weights.shape} must be as long as users {users.shape}.")
    item_counts = np.bincount(items.astype(np.intp, copy=False), weights, minlength=n_items + 1).astype(np.float64)
    item_counts[0] = 0
    keys = users.astype(np.int64)
    keys *= n_items + 1
    keys += items
    known = (users > 0) & (items > 0)
    weights = None if weights is None else weights[known]
    return (keys if known.all() else keys[known]), item_counts, weights
