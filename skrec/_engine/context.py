"""What the layers may know of the training step they are traced in: its random numbers, rates and penalties."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from skrec._engine.backend import tf

_CURRENT: ContextVar[TrainingContext | None] = ContextVar("skrec_step", default=None)
_BUILDING: ContextVar[bool] = ContextVar("skrec_building", default=False)


class TrainingContext:
    """One traced training step.

    Random numbers are a function of the fit's seed, the number of the operation in the step and the number of the step:
    they need no global generator, and repeat bit for bit on a program that is used again.
    """

    def __init__(self, seed: Any, number: Any, *, dropout: Any, id_dropout: Any, penalised: bool) -> None:
        self._seed = seed
        self._number = tf.cast(number, tf.int32)
        self._operations = 0
        self.dropout = dropout
        self.id_dropout = id_dropout
        self.penalised = penalised
        self.lookups: list[tuple[Any, Any]] = []
        self.lookup_weight: Any = None

    def next_seed(self) -> Any:
        """Return a fresh seed (2,) for one stateless random operation."""
        self._operations += 1
        return tf.stack([self._seed * 1009 + self._operations, self._number])

    def uniform(self, shape: Any, *, dtype: Any = tf.float32, maxval: Any = None) -> Any:
        """Draw uniform numbers: floats in [0, 1) or integers in [0, maxval)."""
        if dtype.is_floating:
            return tf.random.stateless_uniform(shape, self.next_seed(), dtype=dtype)
        return tf.random.stateless_uniform(shape, self.next_seed(), minval=0, maxval=maxval, dtype=dtype)

    def dropped(self, codes: Any, unknown: Any = 0) -> Any:
        """Replace a share of the codes by ``unknown``, which trains the rows that serve unknown values."""
        if self.id_dropout is None:
            return codes
        return tf.where(self.uniform(tf.shape(codes)) >= self.id_dropout, codes, unknown)

    def looked_up(self, rows: Any) -> None:
        """Note rows (..., dim) taken from a table for the penalty on them: the same number for each example.

        The weights of the examples are those of ``lookup_weight``; None: each row counts once.
        """
        if self.penalised:
            weight = self.lookup_weight
            n = tf.shape(rows)[0] if weight is None else tf.size(weight)
            self.lookups.append((tf.reshape(rows, [n, -1]), weight))


def current_context() -> TrainingContext | None:
    """Return the training step being traced, or None while scoring."""
    return _CURRENT.get()


@contextmanager
def tracing(step: TrainingContext) -> Iterator[TrainingContext]:
    """Make ``step`` the current one."""
    token = _CURRENT.set(step)
    try:
        yield step
    finally:
        _CURRENT.reset(token)


def is_building() -> bool:
    """Return whether the network is only being built: its tables have no more than their first row yet."""
    return _BUILDING.get()


@contextmanager
def building() -> Iterator[None]:
    """Let tables return their first row, whatever is looked up."""
    token = _BUILDING.set(True)
    try:
        yield
    finally:
        _BUILDING.reset(token)
