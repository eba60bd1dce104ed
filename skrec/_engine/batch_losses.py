"""Losses of a batch of training rows: with their own targets, or against negatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skrec._engine.backend import tf
from skrec._engine.batches import TrainingData
from skrec._engine.context import TrainingContext
from skrec._engine.layers import Network
from skrec._engine.layers.table import even_shares
from skrec._engine.losses import IMPOSSIBLE, catalogue_softmax, dot_multinomial, dot_softmax, pairwise, pointwise
from skrec._engine.structure import Structure

__all__ = ["BatchLosses"]


class BatchLosses:
    """Mixin class of a program with the losses of its training step."""

    structure: Structure
    network: Network
    data: TrainingData
    rates: dict[str, Any]
    named: dict[str, Any]
    loss_weights: Any
    n_negatives: Any
    items: Callable[[Any, TrainingContext], Any]
    pairs: Callable[[Any, Mapping[str, Any]], Any]

    def _pointwise(self, columns: Mapping[str, Any], target: Any, weight: Any, context: TrainingContext) -> Any:
        """Return the weighted sum of the losses of rows; several targets are averaged by ``loss_weights``."""
        if self.structure.target_set is not None:
            return self._pointwise_sets(columns, weight, context)
        ids = {role: context.dropped(columns[role]) for role in ("user", "item") if role in columns}
        inputs = self._history_dropped({**columns, **ids}, context)
        logits = self.pairs(self.network.query(inputs), inputs)
        losses, outputs = self.structure.losses, self.structure.outputs
        if len(losses) == 1:
            return tf.reduce_sum(weight * pointwise(losses[0], logits, target[:, 0]))
        of_targets = [
            pointwise(loss, part if part.shape[-1] == 1 else part[:, None], target[:, i])
            for i, (loss, part) in enumerate(zip(losses, tf.split(logits[:, 0], outputs, axis=1), strict=True))
        ]
        shares = self.loss_weights / tf.reduce_sum(self.loss_weights)
        return tf.reduce_sum(weight * tf.linalg.matvec(tf.stack(of_targets, axis=1), shares))

    def _pointwise_sets(self, columns: Mapping[str, Any], weight: Any, context: TrainingContext) -> Any:
        """Return the sum of the losses of all targets of rows that have a set of targets, each with its value."""
        s = self.structure
        of_rows, of_targets = self.network.query, self.network.item
        if s.target_role == "user":
            of_rows, of_targets = of_targets, of_rows
        assert s.target_set is not None
        codes = columns[s.target_set]
        at = tf.where((codes > 0) & (weight > 0)[:, None])
        distinct, column, counts = tf.unique_with_counts(tf.gather_nd(codes, at))
        rows = of_rows(columns)
        context.lookup_weight = even_shares(weight, tf.size(distinct)) if s.even else tf.cast(counts, tf.float32)
        targets = of_targets({s.target_role: distinct})
        cells = tf.stack([at[:, 0], tf.cast(column, tf.int64)], axis=1)
        logits = tf.gather_nd(tf.matmul(rows, targets, transpose_b=True), cells)
        values = tf.gather_nd(tf.bitcast(columns["target_values"], tf.float32), at)
        return tf.reduce_sum(pointwise(s.losses[0], logits[:, None], values))

    def _ranking(self, columns: Mapping[str, Any], target: Any, weight: Any, context: TrainingContext) -> Any:
        """Return the weighted sum of the losses of rows, or of positions of sequences, against negatives."""
        s, interact = self.structure, self.network.interact
        loss = s.losses[0]
        query = self._queries(columns, context)
        if s.target_set is not None:
            return self._ranking_sets(query, columns, weight, context)
        items = tf.reshape(columns["item"], [-1])
        positive = tf.cast(target[:, 0] > 0, tf.float32)
        if s.negatives == "catalogue":
            of_items = tf.math.unsorted_segment_sum(weight, items, self.data.n_items + 1)
            context.lookup_weight = of_items + even_shares(weight, self.data.n_items + 1)
            every = self.items(tf.range(self.data.n_items + 1), context)
            if self.network.dot:
                return dot_softmax(query, every, items, positive, weight) + self._without_gradient(every)
            return tf.reduce_sum(weight * catalogue_softmax(interact(query, every), items, positive))
        if s.in_batch:
            return self._in_batch(query, items, positive, weight, context)
        if s.negatives == "shared":
            score = tf.squeeze(interact(query, self.items(items[:, None], context)), 1)
            drawn = self.data.draw(context, tf.reshape(self.n_negatives, [1]))[None, :]
            context.lookup_weight = even_shares(weight, self.n_negatives)
            negatives = interact(query, self.items(drawn[0], context))
            usable = tf.cast(drawn != items[:, None], tf.float32)
        else:
            shape = tf.stack([tf.shape(items)[0], self.n_negatives])
            if s.reject:
                drawn, usable = self.data.draw_unseen(context, tf.reshape(columns["user"], [-1]), shape)
            else:
                drawn = self.data.draw(context, shape)
                usable = tf.cast(drawn != items[:, None], tf.float32)
            context.lookup_weight = tf.repeat(weight, 1 + self.n_negatives)
            logits = interact(query, self.items(tf.concat([items[:, None], drawn], axis=1), context))
            score, negatives = logits[:, 0], logits[:, 1:]
        if loss == "softmax" and s.popularity:
            score -= self.data.log_share(items)
            negatives -= self.data.log_share(drawn)
        beta, regularisation = self.rates["beta"], self.rates["regularisation"]
        example = pairwise(loss, score, negatives, usable, positive, beta=beta, regularisation=regularisation)
        return tf.reduce_sum(weight * example)

    def _ranking_sets(self, query: Any, columns: Mapping[str, Any], weight: Any, context: TrainingContext) -> Any:
        """Return the weighted sum of the softmax losses of rows that have a set of items, over the whole catalogue."""
        assert self.structure.target_set is not None
        targets, values = columns[self.structure.target_set], columns.get("target_weights")
        values = tf.cast(targets > 0, tf.float32) if values is None else tf.bitcast(values, tf.float32)
        of_rows = tf.where(targets > 0, values, 0.0) * weight[:, None]
        n = self.data.n_items + 1
        of_items = tf.math.unsorted_segment_sum(of_rows, tf.maximum(targets, 0), n)
        context.lookup_weight = of_items + even_shares(weight, n)
        every = self.items(tf.range(n), context)
        return dot_multinomial(query, every, targets, values, weight) + self._without_gradient(every)

    def _in_batch(self, query: Any, items: Any, positive: Any, weight: Any, context: TrainingContext) -> Any:
        """Return the weighted sum of softmax losses against the items of all rows of the batch and sampled items.

        An item's logit is corrected for the number of times that it is expected among them (logQ correction).
        """
        drawn = self.data.draw(context, tf.reshape(self.n_negatives, [1]))
        own = self.items(items, context)
        context.lookup_weight = even_shares(weight, self.n_negatives)
        every = tf.concat([own, self.items(drawn, context)], axis=0)
        codes = tf.concat([items, drawn], axis=0)
        usable = tf.concat([weight > 0, tf.ones_like(drawn, tf.bool)], axis=0)  # rows of padding have no item
        n_rows = tf.reduce_sum(tf.cast(weight > 0, tf.float32))
        offset = tf.where(usable, -self.data.log_expected(codes, n_rows, self.n_negatives), IMPOSSIBLE)
        target = tf.range(tf.shape(items)[0])
        total = dot_softmax(query, every, target, positive, weight, offset=offset, codes=codes)
        return total + self._without_gradient(every)

    def _without_gradient(self, items: Any) -> Any:
        """Return 0 with a gradient of 0 for weights that a softmax does not depend on, such as a constant."""
        nothing = tf.zeros([1, items.shape[1]])
        return 0.0 * tf.reduce_sum(self.network.interact(nothing, nothing))

    def _queries(self, columns: Mapping[str, Any], context: TrainingContext) -> Any:
        """Compute the query part of the network: one query per row, or per position of a sequence."""
        inputs = {**columns, "user": context.dropped(columns["user"])} if "user" in columns else columns
        inputs = self._history_dropped(inputs, context)
        if not self.structure.length:
            return self.network.query(inputs)
        assert self.network.states is not None
        return tf.nest.map_structure(
            lambda leaf: tf.reshape(leaf, [-1, *leaf.shape[2:]]), self.network.states(inputs)
        )  # fmt: skip

    @staticmethod
    def _history_dropped(inputs: Mapping[str, Any], context: TrainingContext) -> Mapping[str, Any]:
        """Replace dropped items of histories by the unknown item; padding is kept."""
        if "history" not in inputs:
            return inputs
        history = inputs["history"]
        return {**inputs, "history": tf.where(history > 0, context.dropped(history), history)}

    def _added(self, context: TrainingContext, weight: Any, total: Any) -> Any:
        """Return the mean of the losses that layers have added, whose weight grows in the first steps of training."""
        share = tf.math.divide_no_nan(tf.cast(context.number, tf.float32), self.rates["added_steps"])
        share = tf.where(self.rates["added_steps"] > 0, tf.minimum(share, 1.0), 1.0)
        return self.rates["added"] * share * tf.math.divide_no_nan(tf.reduce_sum(weight * sum(context.added)), total)

    def _penalty(self, context: TrainingContext, total: Any) -> Any:
        """Return L1 and L2 on the weights that the batch uses, with each lookup divided by the number of examples."""
        l1, l2 = self.rates["l1"], self.rates["l2"]
        penalty = tf.constant(0.0)
        for rows, weight in context.lookups:
            size = l1 * tf.reduce_sum(tf.abs(rows), axis=-1) + l2 * tf.reduce_sum(tf.square(rows), axis=-1)
            penalty += tf.math.divide_no_nan(tf.reduce_sum(size if weight is None else size * weight), total)
        for name, variable in self.named.items():
            if name.endswith("kernel"):
                penalty += l1 * tf.reduce_sum(tf.abs(variable.value)) + l2 * tf.reduce_sum(tf.square(variable.value))
        return penalty
