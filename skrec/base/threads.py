"""Independent parts of a computation in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

__all__ = ["in_threads"]

_FEW = 1e7

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def in_threads(
    function: Callable[[_Part], _Result], parts: Iterable[_Part], *, operations: float = np.inf
) -> list[_Result]:
    """Call a function for each part, in as many threads as there are CPUs for this process.

    Meanwhile, linear algebra uses a single thread. The results do not depend on the number of threads.

    Parameters
    ----------
    function : callable
        It should spend its time in code that releases the GIL: NumPy's linear algebra, products of sparse matrices.
    parts : iterable
    operations : float, default=inf
        About the number of floating point operations. If there are few, no threads are started.

    Returns
    -------
    list
        Results in the order of the parts.
    """
    from joblib import cpu_count
    from threadpoolctl import threadpool_limits

    parts = list(parts)
    n_threads = 1 if len(parts) < 2 or operations < _FEW else min(cpu_count(), len(parts))
    if n_threads < 2:
        return [function(part) for part in parts]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(n_threads, thread_name_prefix="skrec") as pool:
        return list(pool.map(function, parts))
