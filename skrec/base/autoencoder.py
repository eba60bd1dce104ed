"""Base class of autoencoders: rankers that reconstruct the items of a user from the items of the user."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions, Rows
from skrec._data.events.windows import Windows
from skrec._estimators import Interval
from skrec.base.events import Events, Inputs
from skrec.base.field_inputs import whole_numbers
from skrec.base.given_histories import history_matrix
from skrec.base.ranker import TrainedRanker
from skrec.base.reader import Codes, Query
from skrec.base.stored_histories import StoredHistories

__all__ = ["AutoencoderRanker", "set_width"]


@dataclass(eq=False, repr=False, kw_only=True)
class AutoencoderRanker(StoredHistories, TrainedRanker):
    """Base class for rankers that read a user as a set of items, and are trained to return the items of that set.

    The rows of a batch are users. Their items are the input ``"history"`` of the network, codes of shape (B, L) in no
    particular order; below 1 for none. They are also the targets: the loss of a user is the sum of the cross-entropies
    of the items against the whole catalogue, weighted by their events. Times are not used.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skrec.base import AutoencoderRanker
    >>> from skrec.datasets import make_interactions
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class LinearAutoencoderRanker(AutoencoderRanker):
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, hidden_units, dim):
    ...         parts = {"encoder": layers.Bag("item", dim)}
    ...         return layers.item_decoder(parts, lambda inputs: parts["encoder"](inputs["history"]), dim)
    >>> model = LinearAutoencoderRanker(embedding_dim=8, epochs=2, random_state=0)
    >>> model.fit(make_interactions(50, 20, 600, random_state=0)).recommend(history=[[3, 5]], k=4).shape
    (4, 4)
    """

    hidden_units: Any = ()
    embedding_dim: int = 200
    epochs: int = 100
    batch_size: int | Literal["auto"] = 128
    dropout: float = 0.5
    l2: float = 0.0
    n_iter_no_change: int = 10

    _length: int = field(init=False, repr=False)

    _log_weights: ClassVar[bool] = True
    _events_have_order: ClassVar[bool] = False
    _least_events: ClassVar[int] = 1_000  # events that are held out are lost for the weights, not for the histories

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_units": ["array-like"],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "dropout": distributions.FloatDistribution(0.2, 0.8),
            "embedding_dim": distributions.CategoricalDistribution((50, 100, 200)),
        }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        return {"hidden_units": whole_numbers(self.hidden_units), "dim": int(self.embedding_dim)}

    # -- the sets ------------------------------------------------------------------------------------------------------

    def _log_events(self, events: Events, inside: NDArray[np.bool_], log: Interactions | None) -> None:
        super()._log_events(events, inside, log)
        self._length = set_width(np.diff(self._log.indptr))

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        return {"item": items}

    def _history_inputs(self, users: Codes, items: Codes, time: NDArray[Any] | None) -> Inputs:  # noqa: ARG002
        return {"history": self._sets(Query(users))}

    def _query_inputs(self, queries: Query) -> Inputs:
        return {"history": self._sets(queries)}

    def _with_history(self, events: Events) -> Events:
        return events  # rows of a batch are users

    def _table_rows(self) -> dict[str, int]:
        return {"item": len(self._items) + 1}

    def _matrix(self, queries: Query) -> csr_array:
        """Return the given or stored histories of queries; (n_queries, n_items)."""
        if queries.history is not None:
            return history_matrix(queries.history, len(self._items))
        return self._log.matrix(queries.codes)

    def _sets(self, queries: Query) -> Windows:
        """Return the distinct known items of queries, as codes."""
        matrix = self._matrix(queries)
        start, stop = matrix.indptr[:-1].astype(np.int64), matrix.indptr[1:].astype(np.int64)
        return Windows((matrix.indices + 1).astype(np.int32), start, stop, max(self._length, set_width(stop - start)))

    def _constants(self) -> dict[str, NDArray[Any]]:
        """Return the log-popularity of the items, by which they are scored for a user without items."""
        return {"popularity/embeddings": self._log_popularity()}

    def _inputs_of_any_width(self) -> Collection[str]:
        return ("history",)

    # -- training ------------------------------------------------------------------------------------------------------

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        from skrec._engine.batches import TrainingArrays

        users = np.unique(events.users[self._is_positive(events) & (events.users > 0)])
        matrix = log.matrix(users)
        matrix = matrix[np.diff(matrix.indptr) > 0]
        if not matrix.nnz:
            raise ValueError(
                f"None of the {len(events)} rows is a positive event with a positive weight, so there is nothing that "
                f"{type(self).__name__} could learn."
            )
        start, stop = matrix.indptr[:-1].astype(np.int64), matrix.indptr[1:].astype(np.int64)
        columns = {"history": Windows((matrix.indices + 1).astype(np.int32), start, stop, self._length)}
        if (matrix.data != 1).any():
            columns["target_weights"] = Windows(
                matrix.data.astype(np.float32).view(np.int32), start, stop, self._length
            )
        arrays = TrainingArrays(columns, np.ones((len(start), 1), np.float32), None, log.n_items)
        structure = {"losses": ("softmax",), "negatives": "catalogue", "target_set": "history"}
        return {"structure": structure, "settings": self._added_losses(), "arrays": arrays}

    def _added_losses(self) -> dict[str, float]:
        """Return the settings of the losses that layers add: ``added``, their weight, and ``added_steps``."""
        return {}

    # -- scores --------------------------------------------------------------------------------------------------------

    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        users, items = self._pair_codes(rows)
        order = np.argsort(users, kind="stable")
        distinct, query = np.unique(users[order], return_inverse=True)
        known, item = np.unique(items[order], return_inverse=True)
        scores = np.empty(len(users), np.float32)
        scores[order] = self._score_between(Query(distinct), Query(known), query, item)
        return scores

    @property
    def user_embeddings_(self) -> NDArray[np.float32]:
        """Raise an AttributeError: autoencoders learn no user embeddings, see :meth:`encode_queries`."""
        return super().user_embeddings_

    def _embeddings(self, role: str) -> NDArray[np.float32]:
        return super()._embeddings(role)[:, :-1]  # without the biases


def set_width(lengths: NDArray[Any]) -> int:
    """Return the number of columns for sets of these sizes: a power of two, so that many fits share a program."""
    longest = int(lengths.max(initial=0))
    return max(8, 1 << (longest - 1).bit_length()) if longest else 8
