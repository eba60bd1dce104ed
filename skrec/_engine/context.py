"""Training context of layers while they are traced: random numbers, rates and penalties."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from skrec._engine.backend import tf

_CURRENT: ContextVar[TrainingContext | None] = ContextVar("skrec_step", default=None)
_BUILDING: ContextVar[bool] = ContextVar("skrec_building", default=False)


class TrainingContext:
    """Context of one traced training step.

    Random numbers are a function of the seed of the fit, the index of the operation in the step, and the step number.
    They need no global generator and are reproducible bit for bit if a program is reused.
    """

    def __init__(self, seed: Any, number: Any, *, dropout: Any, id_dropout: Any, penalised: bool) -> None:
        self._seed = seed
        self.number = tf.cast(number, tf.int32)
        self._operations = 0
        self.dropout = dropout
        self.id_dropout = id_dropout
        self.penalised = penalised
        self.lookups: list[tuple[Any, Any]] = []
        self.lookup_weight: Any = None
        self.added: list[Any] = []
        self.propagated: dict[int, tuple[Any, Any]] = {}  # of a table: its own rows, and those to look up instead

    def next_seed(self) -> Any:
        """Return a fresh seed (2,) for one stateless random operation."""
        self._operations += 1
        return tf.stack([self._seed * 1009 + self._operations, self.number])

    def uniform(self, shape: Any, *, dtype: Any = tf.float32, maxval: Any = None) -> Any:
        """Draw uniform numbers: floats in [0, 1) or integers in [0, maxval)."""
        if dtype.is_floating:
            return tf.random.stateless_uniform(shape, self.next_seed(), dtype=dtype)
        return tf.random.stateless_uniform(shape, self.next_seed(), minval=0, maxval=maxval, dtype=dtype)

    def normal(self, shape: Any) -> Any:
        """Draw numbers from the standard normal distribution."""
        return tf.random.stateless_normal(shape, self.next_seed())

    def add_loss(self, losses: Any) -> None:
        """Add losses (B,) of the rows of the batch, such as a Kullback-Leibler divergence, or a scalar to the loss."""
        self.added.append(losses)

    def dropped(self, codes: Any, unknown: Any = 0) -> Any:
        """Replace a fraction of the codes by ``unknown``, which trains the rows for unknown values."""
        if self.id_dropout is None:
            return codes
        return tf.where(self.uniform(tf.shape(codes)) >= self.id_dropout, codes, unknown)

    def looked_up(self, rows: Any, counts: Any = None) -> None:
        """Record rows (..., dim) looked up in a table for the penalty on them; the number per example is constant.

        The examples are weighted by ``lookup_weight``. If None, each row counts once. With ``counts``, the rows are
        distinct, and each counts as often as it was looked up.
        """
        if self.penalised and counts is not None:
            self.lookups.append((rows, counts))
        elif self.penalised:
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
    """Return whether the network is being built, so that its tables have only their first row."""
    return _BUILDING.get()


@contextmanager
def building() -> Iterator[None]:
    """Make tables return their first row for all codes."""
    token = _BUILDING.set(True)
    try:
        yield
    finally:
        _BUILDING.reset(token)
