"""What is computed once for a fitted array, and kept as long as the array is."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from numpy.typing import NDArray

__all__ = ["PerArray"]

_Result = TypeVar("_Result")


class PerArray:
    """Results of a function of arrays that do not change, such as fitted attributes.

    The results are kept outside of the estimator, so that they are neither stored nor copied with it.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.base.per_array import PerArray
    >>> kept, vectors = PerArray(), np.ones((3, 2))
    >>> kept.of(vectors, np.sum) is kept.of(vectors, np.sum)
    True
    """

    def __init__(self) -> None:
        self._results: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def of(self, array: NDArray[Any], function: Callable[[Any], _Result]) -> _Result:
        """Return the result of the function for an array; threads may compute it twice.

        Parameters
        ----------
        array : ndarray
        function : callable
            The same in every call.
        """
        key = id(array)
        known = self._results.get(key)
        if known is None or known[0]() is not array:
            known = weakref.ref(array, lambda dead: self._forget(key, dead)), function(array)
            self._results[key] = known
        result: _Result = known[1]
        return result

    def _forget(self, key: int, dead: Any) -> None:
        known = self._results.get(key)
        if known is not None and known[0] is dead:
            self._results.pop(key, None)
