"""How many bytes of a file are a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrec._export._copies import networks_in
from skrec.serving.graphs import PackedZeros, QuantizedTable

__all__ = ["network_bytes"]


def network_bytes(estimator: Any) -> int:
    """Return the bytes of the weights and graphs of an estimator in its file; equal arrays count once.

    Parameters
    ----------
    estimator : estimator
        Fitted, exported or not.

    Examples
    --------
    >>> from skrec._export import network_bytes
    >>> from skrec.models import NCFRanker
    >>> model = NCFRanker(architecture="gmf", embedding_dim=4, epochs=1).fit([[1, 1], [1, 2], [2, 1], [3, 2]])
    >>> network_bytes(model) == sum(weight.nbytes for weight in model._weights.values())
    True
    """
    total = 0
    for model in networks_in(estimator):
        arrays: list[Any] = [*model._weights.values()]
        if model._graphs is not None:
            arrays += [*model._graphs.arrays.values(), *model._graphs.models.values()]
        parts = [part for one in arrays for part in _parts(one)]
        if model._graphs is None:
            total += sum(part.nbytes for part in parts)
            continue
        distinct = {(part.shape, part.dtype.str, part.tobytes()): part for part in parts}
        total += sum(_stored(part) for part in distinct.values())
    return total


def _parts(array: Any) -> list[Any]:
    return [array.codes, array.scales] if isinstance(array, QuantizedTable) else [np.asarray(array)]


def _stored(array: Any) -> int:
    packed = PackedZeros.if_smaller(array)
    if isinstance(packed, PackedZeros):
        return int(packed.values.nbytes + packed.bits.nbytes)
    return int(array.nbytes)
