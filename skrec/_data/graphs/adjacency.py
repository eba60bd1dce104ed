"""Adjacency matrices."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

__all__ = ["adjacency", "normalized"]


def adjacency(edges: Iterable[tuple[ArrayLike, ArrayLike, ArrayLike]], n_nodes: int) -> sparse.csr_array:
    """Return the symmetric adjacency matrix of undirected edges.

    Parameters
    ----------
    edges : iterable of (one, other, weight)
        Arrays of equal length: the numbers of the two nodes of each edge, and its weight. If an edge occurs more than
        once, in either direction, its largest weight counts.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes)

    Examples
    --------
    >>> from skrec._data.graphs.adjacency import adjacency
    >>> adjacency([([0, 1, 1], [1, 0, 2], [1.0, 3.0, 1.0])], 3).toarray()
    array([[0., 3., 0.],
           [3., 0., 1.],
           [0., 1., 0.]])
    """
    parts = [[np.asarray(array) for array in edge] for edge in edges]
    one, other = (np.concatenate([np.empty(0), *(p[i] for p in parts)]).astype(np.int64) for i in (0, 1))
    weight = np.concatenate([np.empty(0), *(np.asarray(p[2], np.float64) for p in parts)])
    keys = np.minimum(one, other) * n_nodes + np.maximum(one, other)
    order = np.argsort(keys, kind="stable")
    keys, weight = keys[order], weight[order]
    if len(keys):
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        keys, weight = keys[first], np.maximum.reduceat(weight, first)
    one, other = np.divmod(keys, max(n_nodes, 1))
    half = sparse.coo_array((weight, (one, other)), shape=(n_nodes, n_nodes))
    return sparse.csr_array(half + half.T)


def normalized(matrix: sparse.csr_array) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """Return the symmetrically normalized adjacency matrix, and the factors of its rows and columns.

    Parameters
    ----------
    matrix : csr_array of shape (n_nodes, n_nodes)
        Symmetric adjacency matrix.

    Returns
    -------
    normalized : csr_array of shape (n_nodes, n_nodes)
        ``D^-1/2 A D^-1/2`` with the degrees ``D``. A node without edges has an edge of weight 1 to itself, so that
        propagation keeps its embedding.
    factors : ndarray of shape (n_nodes,)
        The diagonal of ``D^-1/2``.

    Examples
    --------
    >>> from skrec._data.graphs.adjacency import adjacency, normalized
    >>> normalized(adjacency([([0], [1], [4.0])], 3))[0].toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 1.]])
    """
    degrees = np.asarray(matrix.sum(axis=1)).ravel()
    alone = degrees == 0
    matrix = sparse.csr_array(matrix + sparse.diags_array(alone.astype(np.float64)))
    factors = 1.0 / np.sqrt(np.where(alone, 1.0, degrees))
    scale = sparse.diags_array(factors)
    found = sparse.csr_array(scale @ matrix @ scale)
    found.eliminate_zeros()
    found.sort_indices()
    return found, factors
