"""Random perturbation of propagated embeddings, and the contrastive loss of two views of them."""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import tf
from skrec._engine.context import current_context
from skrec._engine.layers.table import take_rows

__all__ = ["contrast", "perturbed"]

_MOST = 2048  # rows of a batch that are contrasted with each other


def perturbed(vectors: Any, size: float) -> Any:
    """Add random vectors of length ``size`` to (N, d), in the same orthant; only in training.

    Each component has the sign of the component that it is added to (Yu et al., 2022, doi:10.1145/3477495.3531937).
    """
    step = current_context()
    if step is None:
        return vectors
    noise = tf.math.l2_normalize(step.uniform(tf.shape(vectors)), axis=-1)
    return vectors + size * tf.stop_gradient(tf.sign(vectors)) * noise


def contrast(one: Any, other: Any, rows: Any, temperature: float) -> Any:
    """Return the InfoNCE loss of two views of the same nodes, a scalar.

    Parameters
    ----------
    one, other : tensor (N, d)
        Two views of all nodes.
    rows : tensor (B,)
        Nodes of a batch. The first distinct ones are used.
    temperature : float
        Temperature of the softmax over the nodes.
    """
    chosen, _ = tf.unique(rows[:_MOST])
    first, second = (tf.math.l2_normalize(take_rows(view, chosen), axis=-1) for view in (one, other))
    logits = tf.matmul(first, second, transpose_b=True) / temperature
    return tf.reduce_mean(tf.reduce_logsumexp(logits, axis=1) - tf.linalg.diag_part(logits))
