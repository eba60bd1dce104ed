"""Sparse arrays among the attributes that pickle and skops store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["SparseState", "with_arrays", "without_arrays"]


@dataclass(frozen=True)
class SparseState:
    """The parts of a ``csr_array``, a class that skops does not load unless it is asked to."""

    data: NDArray[Any]
    indices: NDArray[Any]
    indptr: NDArray[Any]
    shape: tuple[int, int]


def without_arrays(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with the parts of sparse arrays in place of these."""
    return {
        name: SparseState(value.data, value.indices, value.indptr, value.shape) if type(value) is csr_array else value
        for name, value in state.items()
    }


def with_arrays(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with sparse arrays in place of their parts.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skrec.base.sparse_state import with_arrays, without_arrays
    >>> with_arrays(without_arrays({"weights": csr_array([[0, 2]])}))["weights"].toarray()
    array([[0, 2]])
    """
    return {
        name: csr_array((value.data, value.indices, value.indptr), shape=value.shape)
        if isinstance(value, SparseState)
        else value
        for name, value in state.items()
    }
