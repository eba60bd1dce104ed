"""Sequential rankers, trained on all positions of a history at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions, Rows
from skrec._data.events.packing import pack
from skrec._data.events.windows import Windows
from skrec._estimators import Interval, StrOptions
from skrec.base.events import Events, Inputs
from skrec.base.history_model import HistoryModel
from skrec.base.ranker import NetworkRanker
from skrec.base.reader import Codes, Query
from skrec.base.retrieval import ScoreConsumer

_SHORT = 16  # positions; shorter windows are not faster


@dataclass(eq=False, repr=False, kw_only=True)
class SequenceRanker(HistoryModel, NetworkRanker):
    """Base class for sequential models, which represent a user only by the events of the history.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skrec.base import SequenceRanker
    >>> from skrec.datasets import make_interactions
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class LastItemRanker(SequenceRanker):
    ...     def _network_config(self, n_outputs):
    ...         return {"dim": self.embedding_dim}
    ...
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, dim):
    ...         parts = {"last": layers.Table("item", dim), "item": layers.Table("item", dim)}
    ...
    ...         def vectors(history):
    ...             return parts["last"](keras.ops.maximum(history, 0))
    ...
    ...         return layers.Network(
    ...             query=lambda inputs: vectors(inputs["history"][:, -1]),
    ...             item=lambda inputs: parts["item"](inputs["item"]),
    ...             interact=layers.match,
    ...             parts=parts,
    ...             dot=True,
    ...             states=lambda inputs: keras.ops.take_along_axis(
    ...                 vectors(inputs["history"]), inputs["source"][..., None], axis=1
    ...             ),
    ...         )
    >>> model = LastItemRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
    >>> model.recommend(history=[[3, 5]], k=4).shape
    (4, 4)
    """

    embedding_dim: int = 64
    epochs: int = 100
    n_iter_no_change: int = 10
    learning_rate: Any = 0.002
    l2: float = 0.0
    dropout: float = 0.2
    loss: Any = "auto"
    gbce_t: float = 0.75

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "loss": [StrOptions({"auto", "softmax", "log_loss", "gbce", "bpr", "bpr_max", "top1_max"}), callable],
        "gbce_t": [Interval(Real, 0, 1, closed="both")],
    }
    _negatives_of_row: ClassVar[int] = 1

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = {
            "learning_rate": super()._search_space(distributions)["learning_rate"],
            "embedding_dim": distributions.CategoricalDistribution((32, 64, 128)),
            "dropout": distributions.FloatDistribution(0.0, 0.5),
        }
        if self.loss == "gbce":
            space["gbce_t"] = distributions.FloatDistribution(0.0, 1.0)
        return space

    @property
    def user_embeddings_(self) -> NDArray[np.float32]:
        """Raise an AttributeError: sequential models learn no user embeddings."""
        return super().user_embeddings_

    @property
    def _factorised(self) -> bool:
        return True

    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        for rows, windows in _by_length(self._histories_of(queries)):
            query = Query(queries.codes[rows], history=windows)
            super()._score_catalogue(query, items, lambda part, block, rows=rows: consume(rows[part], block))  # type: ignore[misc]

    def _pair_logits(self, inputs: Inputs) -> NDArray[np.float32]:
        logits = np.empty((len(inputs["item"]), 1), np.float32)
        for rows, windows in _by_length(inputs["history"]):
            logits[rows] = super()._pair_logits({"item": inputs["item"][rows], "history": windows})
        return logits

    def _history_widths(self) -> list[int]:
        return _lengths(self._length)

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        return {"item": items}

    def _query_inputs(self, queries: Query) -> Inputs:
        return {"history": self._histories_of(queries)}

    def _table_rows(self) -> dict[str, int]:
        return {"item": len(self._items) + 1, "position": self._length + 1}

    def _with_history(self, events: Events) -> Events:
        return events  # histories are packed for training, and read by user for validation

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)
        packed = pack(self._histories, events.users, self._ends(events), events.items, self._length)
        there = packed.event >= 0
        weight = there.astype(np.float32)
        if events.weight is not None:
            weight[there] = events.weight[packed.event[there]]
        target = np.ones_like(weight)
        target[there] = events.target[packed.event[there]]
        columns = {name: getattr(packed, name) for name in ("history", "position", "item", "source")}
        if plan["structure"]["reject"]:
            columns["user"] = np.where(there, events.users[packed.event], 0).astype(np.int32)
        plan["arrays"] = replace(plan["arrays"], columns=columns, target=target[..., None], weight=weight)
        plan["structure"]["length"] = self._length
        if plan["structure"]["losses"] == ("gbce",):
            plan["settings"]["beta"] = _gbce_beta(plan["settings"]["n_negatives"], log.n_items, float(self.gbce_t))
        return plan

    def _auto_batch_size(self, n_rows: int, length: int) -> int:
        """Return a number of rows, a power of two, for about 512 steps per epoch.

        A batch has 256 to 4,096 positions, but at least 16 histories: with fewer, a step follows a single user.
        """
        positions = np.clip(n_rows * length / 512, 256, 4096)
        histories = 16 * n_rows / max(len(self._users), 1)
        return int(2 ** max(0, np.round(np.log2(max(positions / length, histories)))))

    def _ends(self, events: Events) -> NDArray[np.int64]:
        """Return the end of the history of each event; without times, it follows from the order of the rows."""
        past = self._histories
        if events.time is not None or events.seen:  # their position among later events is that of their pair
            return past.ends(events.users, events.items, events.time)
        order = np.argsort(events.users, kind="stable")
        counts = self._is_positive(events)[order]
        users = events.users[order]
        total = np.bincount(users, weights=counts, minlength=past.n_users + 1).astype(np.int64)
        before = np.cumsum(counts) - counts - (np.cumsum(total) - total)[users]
        ends = np.empty(len(order), np.int64)
        ends[order] = past.indptr[users + 1] - total[users] + before
        return ends


def _by_length(windows: Windows) -> Iterator[tuple[NDArray[np.int64], Windows]]:
    """Yield rows and their windows grouped by length, so that short histories need little padding."""
    longer = windows.lengths + 1  # including the start position
    lengths = _lengths(windows.length)
    group = np.searchsorted(lengths[:-1], longer)
    for i in np.unique(group):
        rows = np.flatnonzero(group == i)
        yield rows, replace(windows.take(rows), length=lengths[i])


def _lengths(longest: int) -> list[int]:
    """Return the lengths of windows, of which the last is the longest."""
    return [*(n for n in (longest // 8, longest // 4, longest // 2) if n >= _SHORT), longest]


def _gbce_beta(n_negatives: int, n_items: int, t: float) -> float:
    """Return the power of gBCE (Petrov & Macdonald, 2023, equation 13) at calibration ``t``."""
    share = min(1.0, n_negatives / max(1, n_items - 1))
    return share * (t * (1.0 - 1.0 / share) + 1.0 / share)
