"""SASRec: self-attention over a user's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from skrec._estimators import Interval
from skrec.base.attention import AttentionModel
from skrec.base.sequence_docs import sequence_model
from skrec.base.sequence_ranker import SequenceRanker

__all__ = ["SASRecRanker"]


_ARCHITECTURE = """\
n_blocks : int, default=2
    Number of blocks, each of which consists of self-attention and a feed-forward layer.
n_heads : int, default=1
    Number of attention heads. ``embedding_dim`` is split among them."""

_REFERENCES = """\
W.-C. Kang, J. McAuley. "Self-Attentive Sequential Recommendation". ICDM 2018, doi:10.1109/ICDM.2018.00035.

A. Klenitskiy, A. Vasilev. "Turning Dross Into Gold Loss: is BERT4Rec really better than SASRec?". RecSys 2023,
doi:10.1145/3604915.3610644 (the softmax over the catalogue).

A. Petrov, C. Macdonald. "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with Negative Sampling".
RecSys 2023, doi:10.1145/3604915.3608783."""


@sequence_model(architecture=_ARCHITECTURE, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class SASRecRanker(AttentionModel, SequenceRanker):
    """SASRec (Kang & McAuley, 2018): self-attention over the history of a user to predict the next item.

    Users are represented only by their histories. New users and anonymous sessions can therefore be scored
    (``recommend(history=...)``), and :meth:`append_history` takes effect without training. All events of a history are
    predicted in one pass, each from the events before it. Long histories are split into windows; short ones share a
    row.
    :meth:`explain` returns what each past event contributes to the score of an item.

    There are three differences from the paper: positions are counted from the latest event; each history begins with a
    start position, which is all that an empty history contains; and the default loss is a softmax instead of one
    negative (``loss="log_loss"``), because it ranks better.
    """

    n_blocks: int = 2
    n_heads: int = 1

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "n_blocks": distributions.IntDistribution(1, 3),
            "n_heads": distributions.CategoricalDistribution((1, 2, 4)),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        if self.embedding_dim % self.n_heads:
            raise ValueError(
                f"embedding_dim={self.embedding_dim} is not a multiple of n_heads={self.n_heads}. Choose a multiple."
            )
        return {"dim": int(self.embedding_dim), "n_blocks": int(self.n_blocks), "n_heads": int(self.n_heads)}

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, dim: int, n_blocks: int, n_heads: int) -> Any:
        ops = keras.ops
        parts = {
            "item": layers.Table("item", dim, stddev=dim**-0.5),
            "position": layers.Table("position", dim, stddev=0.02, penalised=False),
            "norm": keras.layers.LayerNormalization(epsilon=1e-8),
        }
        for i in range(1, n_blocks + 1):
            parts[f"attention_norm_{i}"] = keras.layers.LayerNormalization(epsilon=1e-8)
            parts[f"attention_{i}"] = layers.SelfAttention(dim, n_heads)
            parts[f"forward_norm_{i}"] = keras.layers.LayerNormalization(epsilon=1e-8)
            parts[f"inner_{i}"] = keras.layers.Dense(dim, activation="relu")
            parts[f"outer_{i}"] = keras.layers.Dense(dim)
        dropout = layers.Dropout()

        def embed(history: Any, position: Any) -> Any:
            """Add the embeddings of items and positions; row 0 of the positions is the start of a history."""
            start = parts["position"](ops.zeros_like(position[:1, :1]))
            items = parts["item"](ops.maximum(history, 0))
            items = ops.where(history[..., None] >= 0, items, start)
            return dropout(items + parts["position"](history.shape[1] - position))

        def block(i: int, x: Any, allowed: Any, last: int | None = None) -> Any:
            """Apply attention and feed-forward layers (sections 3.2 and 3.3) to the ``last`` positions, or to all."""
            own = x if last is None else x[:, -last:]
            normed = parts[f"attention_norm_{i}"](x)
            seen = parts[f"attention_{i}"](normed if last is None else normed[:, -last:], normed, allowed)
            own = own + dropout(seen)
            hidden = dropout(parts[f"inner_{i}"](parts[f"forward_norm_{i}"](own)))
            return own + dropout(parts[f"outer_{i}"](hidden))

        def states(inputs: Mapping[str, Any]) -> Any:
            x, allowed = embed(inputs["history"], inputs["position"]), layers.past(inputs["position"])
            for i in range(1, n_blocks + 1):
                x = block(i, x, allowed)
            return ops.take_along_axis(parts["norm"](x), inputs["source"][..., None], axis=1)

        def before_last(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
            """Compute the inputs of the last block for whole windows, one per row."""
            history = inputs["history"]
            position = ops.broadcast_to(ops.arange(history.shape[1]), ops.shape(history))
            # The position before the first event is the start of the history.
            there = ops.concatenate([history[:, 1:], ops.ones_like(history[:, :1])], axis=1) >= 0
            place = ops.arange(history.shape[1])
            allowed = there[:, None, :] & (place[:, None] >= place[None, :])
            x = embed(history, position)
            for i in range(1, n_blocks):
                x = block(i, x, allowed)
            return x, allowed[:, -1:]

        def query(inputs: Mapping[str, Any]) -> Any:
            return parts["norm"](block(n_blocks, *before_last(inputs), last=1))[:, 0]

        def attention(inputs: Mapping[str, Any]) -> Any:
            x, allowed = before_last(inputs)
            x = parts[f"attention_norm_{n_blocks}"](x)
            return ops.mean(parts[f"attention_{n_blocks}"].attention(x[:, -1:], x, allowed), axis=1)[:, 0]

        return layers.Network(
            query=query,
            item=lambda inputs: parts["item"](inputs["item"]),
            interact=layers.match,
            parts=parts,
            dot=True,
            width=2**16,
            states=states,
            views={"attention": attention},
        )
