"""A ``fit`` that fails leaves the estimator as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def transaction(estimator: Any) -> Iterator[None]:
    """Undo what the block did to the estimator's attributes if it raises.

    Learned state is replaced, never changed in place, so that a shallow copy is enough.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
