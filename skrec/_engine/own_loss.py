"""Custom losses, given as functions of logits and targets."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skrec._engine.backend import keras, tf

__all__ = ["IGNORED", "OwnLoss", "checked_loss"]

IGNORED = -1e9
"""Logit of a sampled item that is not a negative of its row, so that it does not contribute to the loss."""

_CONTRACT = "loss must be a function f(logits, targets) of Keras or TensorFlow operations that returns one loss per row"


def _key(function: Any) -> Hashable:
    """Return a key that identifies a function; copies of a partial function are equal, so that clones share a trace."""
    if isinstance(function, partial):
        key = (partial, _key(function.func), function.args, tuple(sorted(function.keywords.items())))
        try:
            hash(key)
        except TypeError:
            return id(function)
        return key
    return function if isinstance(function, Hashable) else id(function)


@dataclass(frozen=True, eq=False)
class OwnLoss:
    """Custom loss; two instances are equal if they have the same function.

    Parameters
    ----------
    function : callable
        Function ``f(logits, targets)`` that returns the losses (B,) of B rows.
    """

    function: Callable[[Any, Any], Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnLoss) and _key(self.function) == _key(other.function)

    def __hash__(self) -> int:
        return hash(_key(self.function))

    def rows(self, logits: Any, target: Any) -> Any:
        """Return the losses of rows with one target each: logits (B, 1) or (B, 1, C), targets (B,)."""
        logits = tf.squeeze(logits, 1)
        return self._of(logits, tf.cast(target, tf.int32) if logits.shape.rank == 2 else target)

    def ranking(self, score: Any, negatives: Any, usable: Any, positive: Any) -> Any:
        """Return the losses of rows with negatives: logits of the row items (B,) and of the sampled items (B, M)."""
        logits = tf.concat([score[:, None], tf.where(usable > 0, negatives, IGNORED)], axis=1)
        return self._of(logits, tf.concat([positive[:, None], tf.zeros_like(negatives)], axis=1))

    def _of(self, logits: Any, targets: Any) -> Any:
        losses = tf.convert_to_tensor(self.function(logits, targets))
        if losses.shape.rank != 1 or losses.shape[0] not in (None, logits.shape[0]):
            cure = "Omit the mean: skrec computes it, weighted by sample_weight."
            if losses.shape.rank:
                cure = "Reduce it to one number per row, for instance with keras.ops.mean(..., axis=-1)."
            raise ValueError(
                f"{_CONTRACT}, of shape {tuple(logits.shape[:1])}, but for logits of shape {tuple(logits.shape)} and "
                f"targets of shape {tuple(targets.shape)} it returned shape {tuple(losses.shape)}. {cure}"
            )
        return tf.cast(losses, tf.float32)


def checked_loss(function: Any, *, n_outputs: int = 1, ranking: bool = False) -> Any:
    """Check a custom loss function on three rows before training.

    Raises
    ------
    TypeError, ValueError
        If the function does not satisfy the contract of :class:`OwnLoss`. The message says what to return.
    """
    if isinstance(function, keras.losses.Loss) or (
        isinstance(function, type) and issubclass(function, keras.losses.Loss)
    ):
        name = function.__name__ if isinstance(function, type) else type(function).__name__
        raise TypeError(
            f"{_CONTRACT}; keras.losses.{name} takes (y_true, y_pred). Write it as a function, for instance: def huber("
            "logits, targets): return keras.losses.huber(targets[:, None], logits[:, None])."
        )
    if isinstance(function, type):
        raise TypeError(f"{_CONTRACT}, got the class {function.__name__}. Pass a callable instance.")
    rng = np.random.default_rng(0)
    targets = tf.constant([0.0, 1.0, 1.0])
    loss = OwnLoss(function)
    with tf.GradientTape() as tape:
        logits = tf.constant(
            rng.normal(size=(3, 3) if ranking else (3, 1) if n_outputs == 1 else (3, 1, n_outputs)), tf.float32
        )
        tape.watch(logits)
        try:
            losses = (
                loss.ranking(logits[:, 0], logits[:, 1:], tf.ones([3, 2]), targets)
                if ranking
                else loss.rows(logits, targets)
            )
        except Exception as error:
            error.add_note(f"The error is in loss={function!r}. {_CONTRACT}.")
            raise
    if tape.gradient(losses, logits) is None:
        raise ValueError(f"{_CONTRACT}: the result of {function!r} has no gradient, so nothing could be learned.")
    return function
