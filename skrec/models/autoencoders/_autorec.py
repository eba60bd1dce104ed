"""AutoRec: autoencoders of the ratings of an item or of a user."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions, Rows
from skrec._data.events.windows import Windows
from skrec._estimators import Interval, StrOptions
from skrec.base.autoencoder import set_width
from skrec.base.autoencoder_docs import autorec
from skrec.base.events import Events, Inputs
from skrec.base.reader import Codes, Query
from skrec.base.regressor import NetworkRegressor

__all__ = ["AutoRecRegressor"]


@autorec
@dataclass(eq=False, repr=False, kw_only=True)
class AutoRecRegressor(NetworkRegressor):
    """AutoRec (Sedhain et al., 2015): an autoencoder of all ratings of an item, or of a user.

    The ratings of an item (``by="item"``) are encoded by one hidden layer, from which the ratings of all users are
    reconstructed. Only the observed ratings count in the input and in the loss. A rating is read as its distance from
    the mean in standard deviations, plus 3, so that who has rated counts as well as how.

    A rating is predicted as the mean rating if the user or the item is unknown, or the item (the user with
    ``by="user"``) has no ratings. :meth:`predict` returns ratings in the range of those in ``fit``; ``score_items`` and
    the scores of ``recommend`` are not clipped.
    """

    by: Literal["item", "user"] = "item"
    embedding_dim: int = 500
    activation: Literal["sigmoid", "tanh", "relu", "linear"] = "sigmoid"
    epochs: int = 100
    batch_size: int | Literal["auto"] = "auto"
    learning_rate: Any = 0.001
    l2: float | Literal["auto"] = "auto"  # type: ignore[assignment]
    ema_momentum: float = 0.8
    id_dropout: float = 0.0
    n_iter_no_change: int = 5

    _rated: dict[str, NDArray[Any]] = field(init=False, repr=False)  # codes and standardized ratings of all rows
    _range: tuple[float, float] = field(init=False, repr=False)

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "by": [StrOptions({"item", "user"})],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"sigmoid", "tanh", "relu", "linear"})],
        "l2": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "loss": [StrOptions({"squared_error"}), callable],
    }
    _chooses_epochs: ClassVar[bool] = False  # training rows are users or items, which folds of ratings would cut

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        penalty = distributions.FloatDistribution(0.05, 5.0, log=True)
        return {**space, "dropout": distributions.FloatDistribution(0.0, 0.6), "l2": penalty}

    @property
    def _l2_penalty(self) -> float:
        if self.l2 != "auto":
            return float(self.l2)
        return 0.8 if self.by == "item" else 0.5

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        return {"by": self.by, "dim": int(self.embedding_dim), "activation": self.activation}

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, by: str, dim: int, activation: str) -> Any:
        ops, other = keras.ops, "user" if by == "item" else "item"
        activate = keras.activations.get(activation)
        parts = {
            "encoder": layers.Bag(other, dim, stddev=0.03, even=by == "item"),
            "encoder_bias": layers.Bias(dim),
            other: layers.Table(other, dim, stddev=0.03),
            f"{other}_bias": layers.Table(other, 1, stddev=0.03, penalised=False),
        }

        def encoded(inputs: Mapping[str, Any]) -> Any:
            ratings = layers.floats(inputs["rating_values"]) + _OFFSET
            there = ops.any(inputs["ratings"] > 0, axis=1, keepdims=True)
            x = activate(parts["encoder_bias"](parts["encoder"](inputs["ratings"], ratings)))
            return ops.concatenate([x, ops.ones_like(x[:, :1])], axis=1) * ops.cast(there, "float32")

        def decoder(inputs: Mapping[str, Any]) -> Any:
            rows = ops.concatenate([parts[part](inputs[other]) for part in (other, f"{other}_bias")], axis=1)
            return rows * ops.cast(inputs[other] > 0, "float32")[:, None]

        query, item = (decoder, encoded) if by == "item" else (encoded, decoder)
        return layers.Network(query=query, item=item, interact=layers.match, parts=parts, dot=True, width=dim)

    # -- ratings -------------------------------------------------------------------------------------------------------

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        super()._log_events(events, inside, log)
        new = {"user": events.users[inside], "item": events.items[inside], "value": events.target[inside]}
        if log is not None:
            new = {name: np.concatenate([self._rated[name], values]) for name, values in new.items()}
        self._rated = new

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = "y") -> tuple[Any, Any, int]:
        target, weight, n_outputs = super()._targets(X, y, sample_weight, fresh=fresh, name=name)
        if name == "y":
            low, high = (float(end) for end in (target.min(), target.max()))
            self._range = (low, high) if fresh else (min(low, self._range[0]), max(high, self._range[1]))
        return target, weight, n_outputs

    def _ratings(self) -> csr_array:
        """Return the mean ratings of pairs, a row for each code of ``by``, which starts at 0."""
        own, other = self._rated[self.by], self._rated["user" if self.by == "item" else "item"]
        known = (own > 0) & (other > 0)
        at, values = (own[known], other[known]), self._rated["value"][known].astype(np.float64)
        shape = tuple(len(ids) + 1 for ids in (self._items, self._users)[:: 1 if self.by == "item" else -1])
        keys, pair = np.unique(at[0].astype(np.int64) * shape[1] + at[1], return_inverse=True)
        mean = np.bincount(pair, weights=values) / np.maximum(np.bincount(pair), 1)
        return csr_array((mean.astype(np.float32), (keys // shape[1], keys % shape[1])), shape=shape)

    def _rating_inputs(self, codes: Codes) -> dict[str, Windows]:
        matrix = self._ratings()
        length = set_width(np.diff(matrix.indptr))
        ends = matrix.indptr.astype(np.int64)
        start, stop = ends[codes], ends[codes + 1]
        flat = matrix.indices.astype(np.int32), matrix.data.astype(np.float32).view(np.int32)
        return {name: Windows(part, start, stop, length) for name, part in zip(_INPUTS, flat, strict=True)}

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        return {"user": users} if self.by == "item" else {"item": items}

    def _history_inputs(self, users: Codes, items: Codes, time: NDArray[Any] | None) -> Inputs:  # noqa: ARG002
        return {**self._rating_inputs(items if self.by == "item" else users)}

    def _query_inputs(self, queries: Query) -> Inputs:
        return {"user": queries.codes} if self.by == "item" else {**self._rating_inputs(queries.codes)}

    def _item_inputs(self, items: Query) -> Inputs:
        return {**self._rating_inputs(items.codes)} if self.by == "item" else {"item": items.codes}

    def _inputs_of_any_width(self) -> Collection[str]:
        return _INPUTS

    def _table_rows(self) -> dict[str, int]:
        return {"user": len(self._users) + 1, "item": len(self._items) + 1}

    # -- training and scores -------------------------------------------------------------------------------------------

    def _trains_again(self, n_rows: int) -> bool:  # noqa: ARG002
        return self.early_stopping == "auto"  # held-out ratings would be lost for the weights

    def _with_history(self, events: Events) -> Events:
        return events  # rows of a batch are items or users

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        from skrec._engine.batches import TrainingArrays

        plan = super()._training(events, log)
        codes = np.unique(events.items if self.by == "item" else events.users)
        inputs = self._rating_inputs(codes[codes > 0])
        columns = {**inputs, "target_values": inputs[_INPUTS[1]]}
        n = inputs[_INPUTS[0]].lengths.astype(np.float32)
        plan["arrays"] = TrainingArrays(columns, np.zeros((len(n), 1), np.float32), n, log.n_items)
        plan["structure"] |= {"target_set": _INPUTS[0], "target_role": "user" if self.by == "item" else "item"}
        plan["structure"]["even"] = self.by == "item"
        return plan

    def _scorer(self, events: Events) -> Any:
        from skrec._engine.retrieval import pairs_between_on

        order, queries, items, at = _distinct(events.users, events.items)
        inputs = self._query_inputs(Query(queries)), self._item_inputs(Query(items))
        ordered = events.take(order)
        return lambda program: self._validation_score(pairs_between_on(program, *inputs, at), ordered)

    def _row_logits(self, rows: Rows) -> NDArray[np.float32]:
        order, queries, items, at = _distinct(*self._pair_codes(rows))
        inputs = self._query_inputs(Query(queries)), self._item_inputs(Query(items))
        logits = np.empty((len(order), 1), np.float32)
        logits[order] = self._network().between(*inputs, at)
        return logits

    def _in_range(self, standardized: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(standardized, *self._range)


_INPUTS = ("ratings", "rating_values")
_OFFSET = 3.0  # added to the standardized ratings of the input, where an absent rating is 0


def _distinct(users: Codes, items: Codes) -> tuple[NDArray[np.intp], Codes, Codes, tuple[Any, Any]]:
    """Return the order of rows by user, the distinct users and items, and those of each row in this order."""
    order = np.argsort(users, kind="stable")
    distinct, query = np.unique(users[order], return_inverse=True)
    known, item = np.unique(items[order], return_inverse=True)
    return order, distinct, known, (query, item)
