"""GRU4Rec: gated recurrent units over a user's past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from skrec._data import Interactions
from skrec._sklearn_compat import Interval
from skrec.models._base import Events
from skrec.models._sequences import SequenceRanker

__all__ = ["GRU4RecRanker"]


@dataclass(eq=False, repr=False, kw_only=True)
class GRU4RecRanker(SequenceRanker):
    """Placeholder."""

    n_layers: int = 1
    bpreg: float = 1.0

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bpreg": [Interval(Real, 0, None, closed="left")],
    }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        return {"dim": int(self.embedding_dim), "n_layers": int(self.n_layers)}

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)
        plan["settings"]["regularisation"] = float(self.bpreg)
        return plan

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, dim: int, n_layers: int) -> Any:
        ops = keras.ops
        # The items' vectors are input and output weights alike (constrained embeddings), beside a bias of each item.
        parts = {"item": layers.Table("item", dim + 1, stddev=dim**-0.5), "start": layers.Table("start", dim)}
        for i in range(1, n_layers + 1):
            parts[f"gru_{i}"] = layers.GRU(dim, dim)
        dropout = layers.Dropout()

        def states(history: Any, starts: Any) -> Any:
            items = parts["item"](ops.maximum(history, 0))[..., :dim]
            x = dropout(ops.where(history[..., None] >= 0, items, parts["start"](ops.zeros_like(history[:1, :1]))))
            for i in range(1, n_layers + 1):
                x = dropout(parts[f"gru_{i}"](x, starts))
            # A constant 1 meets the items' biases.
            return ops.concatenate([x, ops.ones_like(x[..., :1])], axis=-1)

        def steps(inputs: Mapping[str, Any]) -> Any:
            ends = inputs["position"] == inputs["position"].shape[1] - 1
            starts = ops.concatenate([ops.ones_like(ends[:, :1]), ends[:, :-1]], axis=1)
            return ops.take_along_axis(states(inputs["history"], starts), inputs["source"][..., None], axis=1)

        def query(inputs: Mapping[str, Any]) -> Any:
            history = inputs["history"]
            # All before the first event is start: the state is 0 until then.
            before = ops.concatenate([history[:, 1:], ops.ones_like(history[:, :1])], axis=1) < 0
            first = ops.concatenate([ops.ones_like(before[:, :1]), before[:, :-1]], axis=1)
            return states(history, first)[:, -1]

        return layers.Network(
            query=query,
            item=lambda inputs: parts["item"](inputs["item"]),
            interact=layers.match,
            parts=parts,
            dot=True,
            steps=steps,
        )

    def _table_rows(self) -> dict[str, int]:
        return {"item": len(self._items) + 1, "start": 1}
