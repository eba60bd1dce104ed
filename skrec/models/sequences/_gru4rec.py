"""GRU4Rec: gated recurrent units over a user's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions
from skrec._estimators import Interval
from skrec.base.events import Events
from skrec.base.sequence_docs import sequence_model
from skrec.base.sequence_ranker import SequenceRanker

__all__ = ["GRU4RecRanker"]


_ARCHITECTURE = """\
n_layers : int, default=1
    Number of layers of gated recurrent units, each with ``embedding_dim`` units."""

_REFERENCES = """\
B. Hidasi, A. Karatzoglou, L. Baltrunas, D. Tikk. "Session-based Recommendations with Recurrent Neural Networks". ICLR
2016, arXiv:1511.06939.

B. Hidasi, A. Karatzoglou. "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations". CIKM 2018,
doi:10.1145/3269206.3271761.

B. Hidasi, A. Czapp. "The Effect of Third Party Implementations on Reproducibility". RecSys 2023,
doi:10.1145/3604915.3609487."""

_MORE = """\
bpreg : float, default=1.0
    Weight of the regularization in ``bpr_max``, which penalizes the squared scores of the negatives."""


@sequence_model(architecture=_ARCHITECTURE, references=_REFERENCES, more=_MORE)
@dataclass(eq=False, repr=False, kw_only=True)
class GRU4RecRanker(SequenceRanker):
    """GRU4Rec (Hidasi et al., 2016; Hidasi & Karatzoglou, 2018): a recurrent network over the history of a user.

    Users are represented only by their histories. New users and anonymous sessions can therefore be scored
    (``recommend(history=...)``), and :meth:`append_history` takes effect without training.

    As in the implementation of the authors, each item has a bias and one embedding that is used for both input and
    output (constrained embeddings). Negatives are sampled according to ``negative_sampling`` and shared by the batch.
    Dropout is applied to the item embeddings and to the states. The losses are the cross-entropy, BPR-max with its
    regularization, and TOP1-max. In contrast to the authors' implementation, gradients flow through the whole window
    instead of one step, and a batch consists of whole histories instead of steps of parallel sessions.
    """

    n_layers: int = 1
    bpreg: float = 1.0

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bpreg": [Interval(Real, 0, None, closed="left")],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        space["n_layers"] = distributions.IntDistribution(1, 2)
        if self.loss == "bpr_max":
            space["bpreg"] = distributions.FloatDistribution(0.1, 10.0, log=True)
        return space

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        return {"dim": int(self.embedding_dim), "n_layers": int(self.n_layers)}

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)
        plan["settings"]["regularisation"] = float(self.bpreg)
        return plan

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, dim: int, n_layers: int) -> Any:
        ops = keras.ops
        # Item embeddings serve as both input and output weights (constrained embeddings); each item also has a bias.
        parts = {
            "item": layers.Table("item", dim + 1, stddev=dim**-0.5),
            "start": layers.Table("start", dim, penalised=False),
        }
        for i in range(1, n_layers + 1):
            parts[f"gru_{i}"] = layers.GRU(dim, dim)
        dropout = layers.Dropout()

        def run(history: Any, starts: Any) -> Any:
            items = parts["item"](ops.maximum(history, 0))[..., :dim]
            x = dropout(ops.where(history[..., None] >= 0, items, parts["start"](ops.zeros_like(history[:1, :1]))))
            for i in range(1, n_layers + 1):
                x = dropout(parts[f"gru_{i}"](x, starts))
            # A constant 1 multiplies the item biases.
            return ops.concatenate([x, ops.ones_like(x[..., :1])], axis=-1)

        def states(inputs: Mapping[str, Any]) -> Any:
            ends = inputs["position"] == inputs["position"].shape[1] - 1
            starts = ops.concatenate([ops.ones_like(ends[:, :1]), ends[:, :-1]], axis=1)
            return ops.take_along_axis(run(inputs["history"], starts), inputs["source"][..., None], axis=1)

        def query(inputs: Mapping[str, Any]) -> Any:
            history = inputs["history"]
            # All positions before the first event are starts: the state is 0 until then.
            before = ops.concatenate([history[:, 1:], ops.ones_like(history[:, :1])], axis=1) < 0
            first = ops.concatenate([ops.ones_like(before[:, :1]), before[:, :-1]], axis=1)
            return run(history, first)[:, -1]

        return layers.Network(
            query=query,
            item=lambda inputs: parts["item"](inputs["item"]),
            interact=layers.match,
            parts=parts,
            dot=True,
            width=2**15,
            states=states,
        )

    def _embeddings(self, role: str) -> NDArray[np.float32]:
        return super()._embeddings(role)[:, :-1]  # without the biases

    def _table_rows(self) -> dict[str, int]:
        return {"item": len(self._items) + 1, "start": 1}
