"""Names of the optimizers that networks support."""

from __future__ import annotations

from typing import Any

__all__ = ["optimizer_name"]


def optimizer_name(optimizer: Any) -> str:
    """Return the name of an optimizer in lower case, and check that it is supported.

    Raises
    ------
    InvalidParameterError
        If the optimizer is not supported. The message says what to use instead.
    """
    from skrec._sklearn_compat import InvalidParameterError

    if isinstance(optimizer, str):
        name, cure = optimizer.lower(), "Use 'adam'"
        if name in {"adam", "adagrad", "sgd"}:
            return name
        if name in {"adamw", "lion"}:
            cure += ", with l2= instead of weight decay"
    else:
        name = type(optimizer).__name__.lower()
        known = name if name in {"adagrad", "sgd"} else "adam"
        cure = f"Pass a name, and the rate or a schedule as learning_rate: optimizer={known!r}, learning_rate=..."
    raise InvalidParameterError(
        f"The 'optimizer' parameter must be 'adam', 'adagrad' or 'sgd', got {optimizer!r}. {cure}. These update only "
        "the embeddings of the ids in a batch; other Keras optimizers would update whole tables in every step."
    )
