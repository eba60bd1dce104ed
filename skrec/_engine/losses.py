"""Losses, one number per example.

Every ranking loss is the negative logarithm of a probability ``P`` that the item of the row is chosen, and not a
negative. For a row that is marked as negative, it is ``-log(1 - P)`` with the same ``P``.
"""

from __future__ import annotations

from typing import Any

from skrec._engine.backend import tf
from skrec._engine.own_loss import OwnLoss

__all__ = [
    "IMPOSSIBLE",
    "POINTWISE",
    "catalogue_softmax",
    "dot_multinomial",
    "dot_softmax",
    "pairwise",
    "pointwise",
]

_CHUNK = 2**19  # number of logits computed at once, so that they fit in the processor cache

IMPOSSIBLE = -1e9


def _log_loss(logits: Any, target: Any) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=tf.squeeze(logits, 1))


def _squared_error(logits: Any, target: Any) -> Any:
    return tf.square(tf.squeeze(logits, 1) - target)


def _categorical_crossentropy(logits: Any, target: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.cast(target, tf.int32), logits=tf.squeeze(logits, 1)
    )


def _of_network(logits: Any, target: Any) -> Any:  # noqa: ARG001
    """Return the output of a network that computes the losses of rows itself, such as an autoencoder."""
    return tf.squeeze(logits, 1)


POINTWISE = {
    "log_loss": _log_loss,
    "squared_error": _squared_error,
    "categorical_crossentropy": _categorical_crossentropy,
    "of_network": _of_network,
}


def pointwise(loss: Any, logits: Any, target: Any) -> Any:
    """Return the losses of rows with targets, for the name of a loss or a custom loss: logits (B, 1) or (B, 1, C)."""
    return loss.rows(logits, target) if isinstance(loss, OwnLoss) else POINTWISE[loss](logits, target)


def pairwise(
    loss: Any, score: Any, negatives: Any, usable: Any, positive: Any, *, beta: Any = 1.0, regularisation: Any = 0.0
) -> Any:
    """Return the losses of rows with sampled negatives.

    Parameters
    ----------
    loss : {"log_loss", "gbce", "bpr", "bpr_max", "top1_max", "softmax"} or OwnLoss
        ``log_loss`` classifies each pair separately. ``gbce`` does the same with the probability of the positive raised
        to the power ``beta`` (Petrov & Macdonald, 2023). ``bpr`` compares the item of the row with each negative
        (Rendle et al., 2009). ``bpr_max`` and ``top1_max`` compare it with the negatives weighted by their softmax
        (Hidasi & Karatzoglou, 2018). ``softmax`` compares it with all negatives at once.
    score : tensor (B,)
        Logits of the items of the rows.
    negatives : tensor (B, M)
        Logits of the negatives, corrected for their sampling probability.
    usable : tensor (B, M) of float
        0 for a negative that must be ignored, otherwise 1.
    positive : tensor (B,) of float
        1 for a positive row, 0 for a row that is marked as negative.
    beta : scalar
        Exponent of ``gbce``.
    regularisation : scalar
        Weight of the squared logits of the negatives in ``bpr_max``.
    """
    if isinstance(loss, OwnLoss):
        return loss.ranking(score, negatives, usable, positive)
    if loss in {"log_loss", "gbce"}:
        drawn = tf.reduce_sum(usable * tf.nn.softplus(negatives), axis=1)
        own = tf.nn.sigmoid_cross_entropy_with_logits(labels=positive, logits=score)
        if loss == "gbce":
            own *= tf.where(positive > 0, beta, 1.0)
        return own + positive * drawn
    sign = 2.0 * positive - 1.0
    if loss == "bpr":
        pairs = tf.nn.softplus(-sign[:, None] * (tf.expand_dims(score, 1) - negatives))
        return tf.math.divide_no_nan(tf.reduce_sum(usable * pairs, axis=1), tf.reduce_sum(usable, axis=1))
    masked = tf.where(usable > 0, negatives, IMPOSSIBLE)
    if loss == "softmax":
        return tf.nn.softplus(sign * (tf.reduce_logsumexp(masked, axis=1) - score))
    share = usable * tf.nn.softmax(masked, axis=1)
    above = sign[:, None] * (tf.expand_dims(score, 1) - negatives)
    if loss == "top1_max":
        return tf.reduce_sum(share * (tf.nn.sigmoid(-above) + tf.nn.sigmoid(tf.square(negatives))), axis=1)
    size = tf.reduce_sum(share * tf.square(negatives), axis=1)
    return regularisation * size - tf.math.log(tf.reduce_sum(share * tf.nn.sigmoid(above), axis=1) + 1e-24)


def catalogue_softmax(logits: Any, target: Any, positive: Any) -> Any:
    """Return the cross-entropy of the row's item against the whole catalogue: logits (B, N), target (B,) indices."""
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    rejected = -tf.math.log1p(-tf.minimum(tf.exp(-loss), 1.0 - 1e-6))
    return tf.where(positive > 0, loss, rejected)


def dot_softmax(
    query: Any, items: Any, target: Any, positive: Any, weight: Any, *, offset: Any = None, codes: Any = None
) -> Any:
    """Return the weighted sum of :func:`catalogue_softmax` for logits that are dot products, without storing them.

    Parameters
    ----------
    query : tensor (B, d)
    items : tensor (N, d)
        Vectors of the catalogue, or of the items of the rows and sampled items.
    target : tensor (B,) of int32
        Row index in ``items`` of the item of each query.
    positive, weight : tensor (B,) of float
        1 for a positive row, 0 for a row that is marked as negative; and the weights of the rows.
    offset : tensor (N,), optional
        Term added to the logits of each item: the correction of sampled items for their sampling probability.
    codes : tensor (N,) of int32, optional
        Codes of the items. Other rows of ``items`` with the code of the query's own item are ignored.

    Returns
    -------
    scalar tensor
    """

    def adjusted(logits: Any, part: Any) -> Any:
        logits = logits if offset is None else logits + offset
        if codes is None:
            return logits
        same = tf.equal(tf.gather(codes, target[part])[:, None], codes)
        itself = tf.equal(target[part][:, None], tf.range(tf.shape(codes)[0]))
        return tf.where(same & ~itself, IMPOSSIBLE, logits)

    own, ones = tf.gather(items, target), tf.ones_like(weight)
    own_offset = None if offset is None else tf.gather(offset, target)
    return _dot_softmax(
        query, items, own, count=ones, positive=positive, weight=weight, adjusted=adjusted, own_offset=own_offset
    )


def dot_multinomial(query: Any, items: Any, targets: Any, values: Any, weight: Any) -> Any:
    """Return the weighted sum of the losses of rows with a set of items: one cross-entropy for each item of the set.

    Parameters
    ----------
    query : tensor (B, d)
    items : tensor (N, d)
    targets : tensor (B, L) of int32
        Row indices in ``items`` of the items of each query; below 1 for none.
    values : tensor (B, L) of float or None
        Weights of the items of a row. None stands for weights of 1.
    weight : tensor (B,) of float
        Weights of the rows.

    Returns
    -------
    scalar tensor
    """
    at = tf.where(targets > 0)
    there = tf.ones([tf.shape(at)[0]]) if values is None else tf.gather_nd(values, at)
    count = tf.math.unsorted_segment_sum(there, at[:, 0], tf.shape(targets)[0])
    cells = tf.stack([at[:, 0], tf.cast(tf.gather_nd(targets, at), tf.int64)], axis=1)
    bags = tf.SparseTensor(cells, there, tf.stack([tf.shape(query, tf.int64)[0], tf.shape(items, tf.int64)[0]]))
    own = tf.sparse.sparse_dense_matmul(bags, items)
    return _dot_softmax(query, items, own, count=count, positive=tf.ones_like(weight), weight=weight)


def _dot_softmax(
    query: Any,
    items: Any,
    own: Any,
    *,
    count: Any,
    positive: Any,
    weight: Any,
    adjusted: Any = None,
    own_offset: Any = None,
) -> Any:
    """Return the weighted sum of the cross-entropies of queries, given the sum ``own`` of the vectors of their targets.

    Loss and gradients are computed together for chunks of rows. The logits of a large batch, which are much larger than
    the processor cache, are therefore neither stored nor read again. ``count`` is the number of targets of each row; a
    row that is not positive has one target. ``adjusted(logits, part)`` may adjust the logits of a part of the queries
    by constants; ``own_offset`` is what it adds to those of their targets.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def total(query: Any, items: Any, own: Any) -> Any:
        n = tf.shape(query)[0]
        rows = tf.clip_by_value(_CHUNK // tf.shape(items)[0], 16, 1024)

        def chunk(at: Any, loss: Any, to_items: Any, to_query: Any, slopes: Any) -> Any:
            part = slice(at, tf.minimum(at + rows, n))
            logits = tf.matmul(query[part], items, transpose_b=True)
            logits = logits if adjusted is None else adjusted(logits, part)
            top = tf.reduce_max(logits, axis=1, keepdims=True)
            powers = tf.exp(logits - top)
            sums = tf.reduce_sum(powers, axis=1, keepdims=True)
            score = tf.reduce_sum(query[part] * own[part], axis=1)
            score = score if own_offset is None else score + own_offset[part]
            each = count[part] * (top + tf.math.log(sums))[:, 0] - score
            chosen = tf.minimum(tf.exp(-each), 1.0 - 1e-6)
            rejected = positive[part] <= 0
            loss += tf.reduce_sum(weight[part] * tf.where(rejected, -tf.math.log1p(-chosen), each))
            slope = weight[part] * tf.where(rejected, -chosen / (1.0 - chosen), 1.0)
            shares = (slope * count[part])[:, None] / sums
            to_items += tf.matmul(powers, query[part] * shares, transpose_a=True)
            to_query = to_query.write(at // rows, tf.matmul(powers, items) * shares)
            return at + rows, loss, to_items, to_query, slopes.write(at // rows, slope)

        n_chunks = -(-n // rows)
        parts = tf.TensorArray(tf.float32, n_chunks, infer_shape=False, element_shape=[None, query.shape[1]])
        slopes = tf.TensorArray(tf.float32, n_chunks, infer_shape=False, element_shape=[None])
        start = (0, 0.0, tf.zeros_like(items), parts, slopes)
        _, loss, to_items, parts, slopes = tf.while_loop(lambda at, *_: at < n, chunk, start, parallel_iterations=1)
        slope = slopes.concat()[:, None]
        to_query = parts.concat() - slope * own
        return loss, lambda upstream: (upstream * to_query, upstream * to_items, -upstream * slope * query)

    return total(query, items, own)
