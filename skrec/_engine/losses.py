"""Losses, one number per example.

Every ranking loss is the negative logarithm of a probability ``P`` that the row's item, and not a negative, is chosen;
for a row that the user marked as a negative it is ``-log(1 - P)`` of the same ``P``.
"""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import tf

__all__ = ["POINTWISE", "catalogue_softmax", "pairwise"]

_IMPOSSIBLE = -1e9


def _log_loss(logits: Any, target: Any) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits[:, 0])


def _squared_error(logits: Any, target: Any) -> Any:
    return tf.square(logits[:, 0] - target)


def _categorical_crossentropy(logits: Any, target: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(target, tf.int32), logits=logits[:, 0, :])


POINTWISE = {
    "log_loss": _log_loss,
    "squared_error": _squared_error,
    "categorical_crossentropy": _categorical_crossentropy,
}


def pairwise(loss: str, score: Any, negatives: Any, usable: Any, positive: Any) -> Any:
    """Loss of rows with negatives drawn for them.

    Parameters
    ----------
    loss : {"log_loss", "bpr", "softmax"}
        ``log_loss``: each pair on its own; ``bpr``: the row's item against each negative (Rendle et al., 2009);
        ``softmax``: the row's item against all negatives at once.
    score : tensor (B,)
        Logits of the rows' items.
    negatives : tensor (B, M)
        Logits of the negatives, corrected for how often they are drawn.
    usable : tensor (B, M) of float
        0 for a negative that must not count.
    positive : tensor (B,) of float
        1 for a positive row, 0 for a row the user marked as negative.
    """
    if loss == "log_loss":
        drawn = tf.reduce_sum(usable * tf.nn.softplus(negatives), axis=1)
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=positive, logits=score) + positive * drawn
    sign = 2.0 * positive - 1.0
    if loss == "bpr":
        pairs = tf.nn.softplus(-sign[:, None] * (score[:, None] - negatives))
        return tf.math.divide_no_nan(tf.reduce_sum(usable * pairs, axis=1), tf.reduce_sum(usable, axis=1))
    others = tf.reduce_logsumexp(tf.where(usable > 0, negatives, _IMPOSSIBLE), axis=1)
    return tf.nn.softplus(sign * (others - score))


def catalogue_softmax(logits: Any, target: Any, positive: Any) -> Any:
    """Cross-entropy of the row's item against the whole catalogue: logits (B, N), target (B,) column numbers."""
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    rejected = -tf.math.log1p(-tf.minimum(tf.exp(-loss), 1.0 - 1e-6))
    return tf.where(positive > 0, loss, rejected)
