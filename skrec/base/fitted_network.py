"""The network of a fitted model: its inputs, its embeddings and its scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Rows
from skrec._estimators import check_is_fitted
from skrec.base.events import Inputs
from skrec.base.reader import Codes, Query
from skrec.base.recommender import Recommender
from skrec.base.retrieval import ScoreConsumer


@dataclass(eq=False, repr=False, kw_only=True)
class FittedNetwork(Recommender):
    """Base class for estimators that score rows, queries and items with a fitted network."""

    _weights: Any = field(init=False, repr=False)
    _structure: dict[str, Any] = field(init=False, repr=False)
    _graphs: Any = field(default=None, init=False, repr=False)
    """The network of an exported model, which computes scores without TensorFlow."""

    # -- implemented by architectures: the network, and its inputs under the names that ``_build_network`` uses -------

    _build_network: ClassVar[Callable[..., Any]]
    """``_build_network(keras, layers, **config)`` builds the network; a static method that depends only on these."""

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:  # noqa: ARG002
        """Return the inputs of rows.

        With ``fit="fresh"``, the encoding of the inputs is learned first; with ``fit="more"``, it is extended.
        """
        return {"user": users, "item": items}

    def _query_inputs(self, queries: Query) -> Inputs:
        """Return the inputs of queries: those of :meth:`_row_inputs` for the user and the context."""
        return {"user": queries.codes}

    def _item_inputs(self, items: Query) -> Inputs:
        """Return the inputs of items: those of :meth:`_row_inputs` for the item."""
        return {"item": items.codes}

    def _history_inputs(self, users: Codes, items: Codes, time: NDArray[Any] | None) -> Inputs:  # noqa: ARG002
        """Return the inputs of rows that depend on the events stored before them."""
        return {}

    def _history_widths(self) -> list[int]:
        """Return the numbers of columns that the histories of queries may have, if they are not always the same."""
        return []

    # -- embeddings ---------------------------------------------------------------------------------------------------

    @property
    def user_embeddings_(self) -> NDArray[np.float32]:
        """Embeddings of the users, in the order of ``users_``; shape (n_users, dim), read-only."""
        return self._embeddings("user")

    @property
    def item_embeddings_(self) -> NDArray[np.float32]:
        """Embeddings of the items, in the order of ``items_``; shape (n_items, dim), read-only."""
        return self._embeddings("item")

    def _embeddings(self, role: str) -> NDArray[np.float32]:
        check_is_fitted(self)
        self._need_role(role)
        if f"{role}/embeddings" not in self._weights:
            raise AttributeError(f"{type(self).__name__} learns no embeddings of {role}s, only of their histories.")
        rows: NDArray[np.float32] = np.asarray(self._weights[f"{role}/embeddings"])[1:]
        rows.flags.writeable = False  # only this view: a program may already hold the weights
        return rows

    # -- scoring ------------------------------------------------------------------------------------------------------

    def _fitted_structure(self) -> Any:
        return structure_of(type(self)._build_network, self._structure)

    def _network(self) -> Any:
        """Return what computes the scores: the network with its weights, or the graphs of an exported model."""
        if self._graphs is not None:
            return self._graphs
        from skrec._engine.scorer import NetworkScorer

        return NetworkScorer(self._fitted_structure(), self._weights)

    def _logits(self, X: Any) -> NDArray[np.float32]:
        check_is_fitted(self)
        return self._row_logits(self._read(X, reset=False))

    def _row_logits(self, rows: Rows) -> NDArray[np.float32]:
        return self._pair_logits(self._inputs_of_rows(rows))

    def _inputs_of_rows(self, rows: Rows) -> Inputs:
        codes = self._pair_codes(rows)
        past = self._history_inputs(*codes, self._times(rows))
        return {**self._row_inputs(rows, *codes), **past}

    def _pair_logits(self, inputs: Inputs) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._network().pairs(inputs)
        return logits

    def _pair_scores(self, inputs: Inputs) -> NDArray[Any]:
        """Return the relevance by which items are ranked, for pairs given as inputs of the network; shape (n,)."""
        return self._pair_logits(inputs)[:, self._ranked_output()]

    def _score_rows(self, rows: Rows) -> NDArray[np.float32]:
        return self._row_logits(rows)[:, self._ranked_output()]

    def _score_catalogue(self, queries: Query, items: Query, consume: ScoreConsumer) -> None:
        self._network().catalogue(
            self._query_inputs(queries),
            lambda: self._item_inputs(items),
            consume,
            whole=items.whole,
            output=self._ranked_output(),
        )

    def _ranked_output(self) -> int:
        """Return the index of the network output by which items are ranked."""
        return 0

    def _score_between(
        self, queries: Query, items: Query, query: NDArray[np.int64], item: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        inputs = self._query_inputs(queries), self._item_inputs(items)
        logits: NDArray[np.float32] = self._network().between(*inputs, (query, item))
        return logits[:, self._ranked_output()]

    def _query_vectors(self, queries: Query) -> NDArray[np.float32]:
        return self._vectors("query", self._query_inputs(queries))

    def _item_vectors(self, items: Query) -> NDArray[np.float32]:
        return self._vectors("item", self._item_inputs(items))

    def _vectors(self, side: str, inputs: Inputs) -> NDArray[np.float32]:
        found: NDArray[np.float32] | None = self._network().vectors(inputs, side)
        if found is None:
            raise self._no_vectors()
        return found


def refuse_exported(estimator: Any) -> None:
    """Raise a TypeError if what training needs was left out of an estimator, because it was exported."""
    if estimator._graphs is not None:
        raise TypeError(
            f"This {type(estimator).__name__} was exported to serve and cannot learn: fit the estimator that it was "
            "exported from, or a clone, and export it again."
        )


def structure_of(build: Callable[..., Any], stored: Mapping[str, Any]) -> Any:
    """Return the structure of a network from the dict that fitted models store."""
    from skrec._engine.batches import Column
    from skrec._engine.own_loss import OwnLoss
    from skrec._engine.structure import Structure

    of_columns = {"further": (), **stored}  # files of older versions lack the first
    names = ("columns", "catalogue", "further")
    shapes = {name: tuple(Column(*column) for column in of_columns[name]) for name in names}
    structure = {**stored, **shapes}
    if "loss" in structure:  # a file of an older version
        structure["losses"] = (structure.pop("loss"),)
    if "apart" in structure:  # likewise
        structure["parameter_groups"] = structure.pop("apart")
    structure["losses"] = tuple(loss if isinstance(loss, str) else OwnLoss(loss) for loss in structure["losses"])
    return Structure(build=build, **structure)
