"""Statistics of recommended lists beyond relevance.

Lists are an array of shape (n_lists, k) of positions in a catalogue, best first, each at most once per row; -1 where
there is no item.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.preprocessing import normalize

from skrec.metrics._ranks import ratio

Lists = NDArray[np.int64]


def mean_over_lists(lists: Lists, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the values of each list's items; NaN for an empty list.

    Examples
    --------
    >>> import numpy as np
    >>> mean_over_lists(np.array([[0, 2], [1, -1]]), np.array([1.0, 2.0, 6.0]))
    array([3.5, 2. ])
    """
    there = lists >= 0
    total = np.where(there, values[lists], 0.0).sum(axis=1)
    return ratio(total, np.count_nonzero(there, axis=1))


def self_information(shares: NDArray[np.float64], n_users: int) -> NDArray[np.float64]:
    """Return ``-log2`` of the share of users of each item; an item without users counts as one user's."""
    return -np.log2(np.maximum(shares, 1 / n_users))


def distances_within(lists: Lists, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean cosine distance between the items of each list; NaN for a list of fewer than two.

    Parameters
    ----------
    lists : ndarray of shape (n_lists, k)
    vectors : ndarray of shape (n_items, n_features)
        Vectors of length 1, as returned by `unit_vectors`, or of length 0, which have a distance of 1 from all others.

    Examples
    --------
    >>> import numpy as np
    >>> distances_within(np.array([[0, 1, 2], [0, 2, -1]]), unit_vectors([[1.0, 0.0], [0.0, 3.0], [2.0, 0.0]]))
    array([0.66666667, 0.        ])
    """
    there = lists >= 0
    lengths = np.count_nonzero(there, axis=1)
    items, indptr = lists[there], np.append(0, np.cumsum(lengths))
    chosen = csr_array((np.ones(len(items)), items, indptr), shape=(len(lists), len(vectors)))
    # The sum of the products of all pairs is the square of the sum of the vectors, minus the square of each vector.
    sums, squares = chosen @ vectors, chosen @ np.einsum("if,if->i", vectors, vectors)
    similarity = ratio(np.einsum("if,if->i", sums, sums) - squares, lengths * (lengths - 1))
    return np.clip(1 - similarity, 0, 2)


def unit_vectors(vectors: Any) -> NDArray[np.float64]:
    """Return vectors scaled to length 1; vectors of length 0 are not changed."""
    scaled: NDArray[np.float64] = normalize(np.asarray(vectors, dtype=np.float64))
    return scaled


def places_by_popularity(lists: Lists, shares: NDArray[np.float64], excluded: csr_array) -> Lists:
    """Return the position, from 0, of each item in the list that popularity alone would recommend to the user.

    Parameters
    ----------
    lists : ndarray of shape (n_lists, k)
    shares : ndarray of shape (n_items,)
        Popularity of the items; equally popular items keep their order.
    excluded : csr_array of shape (n_lists, n_items)
        Its stored entries are left out of both lists.

    Returns
    -------
    ndarray of shape (n_lists, k)
        Undefined where there is no item.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> places_by_popularity(np.array([[2, 1]]), np.array([0.9, 0.5, 0.7]), csr_array([[True, False, False]]))
    array([[0, 1]])
    """
    n_lists, n_items = excluded.shape
    place = np.empty(n_items, dtype=np.int64)
    place[np.argsort(-shares, kind="stable")] = np.arange(n_items)
    start = np.arange(n_lists)[:, None] * n_items
    gone = np.repeat(start.ravel(), np.diff(excluded.indptr)) + place[excluded.indices]
    before = np.searchsorted(np.sort(gone), start + place[lists]) - excluded.indptr[:-1, None]
    return np.asarray(place[lists] - before, dtype=np.int64)


def are_cells(lists: Lists, rows: NDArray[np.integer], columns: NDArray[np.integer], n_items: int) -> NDArray[np.bool_]:
    """Return which items of the lists are among the given (list, item) cells."""
    keys = np.arange(len(lists))[:, None] * n_items + lists
    return (lists >= 0) & np.isin(keys, rows.astype(np.int64) * n_items + columns)


def serendipity_of(found: NDArray[np.bool_], places: Lists, k: int) -> NDArray[np.float64]:
    """Return the share of the first k places with a relevant item that is not among the k most popular items."""
    return np.asarray(np.count_nonzero(found[:, :k] & (places[:, :k] >= k), axis=1) / k, dtype=np.float64)


def gini_index(counts: NDArray[np.integer]) -> float:
    """Return the Gini index of the counts: 0 if all are equal, ``1 - 1/n`` if only one is above 0.

    Examples
    --------
    >>> import numpy as np
    >>> gini_index(np.array([3, 3, 3])), gini_index(np.array([0, 0, 0, 5]))
    (0.0, 0.75)
    """
    n, total = len(counts), int(counts.sum())
    if not total:
        return float("nan")
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ np.sort(counts).astype(np.float64)) / (n * total)


def counts_in(lists: Lists, n_items: int) -> NDArray[np.int64]:
    """Return the number of lists that contain each item."""
    return np.bincount(lists[lists >= 0], minlength=n_items)
