"""Propagation of the rows of all tables over a graph, in training steps and for scoring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skrec._engine.backend import tf
from skrec._engine.batches import TrainingData
from skrec._engine.context import TrainingContext
from skrec._engine.layers import Network, Table
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["Propagation"]

_OWN = "own/"  # prefix of the names of tables as they are trained, before they are propagated


class Propagation:
    """Mixin class of a program whose network may propagate embeddings."""

    structure: Structure
    network: Network
    data: TrainingData
    functions: dict[tuple[Any, ...], Any]
    load: Callable[[Mapping[str, np.ndarray]], None]

    def scored(self, weights: Weights) -> Weights:
        """Return the weights to score with.

        They are those of training, unless the network propagates embeddings: then tables hold the propagated rows, and
        the rows of training are kept under other names. The weights of the program change.
        """
        propagate = self.network.propagate
        if propagate is None:
            return weights
        self.load(weights)
        if ("propagate",) not in self.functions:

            def propagated() -> Any:
                _, rows, sizes = self._nodes()
                found = propagate(tf.concat(rows, axis=0), self.data.graph.product(), None)
                return tf.split(found, sizes, num=len(rows))

            self.functions[("propagate",)] = tf.function(propagated, autograph=False).get_concrete_function()
        new = self.functions[("propagate",)]()
        names = [f"{name}/embeddings" for name in self._nodes()[0]]
        own = {f"{_OWN}{name}": weights[name] for name in names}
        return Weights({**weights, **{name: rows.numpy() for name, rows in zip(names, new, strict=True)}, **own})

    @staticmethod
    def trainable(weights: Mapping[str, np.ndarray]) -> Weights:
        """Return the weights that training resumes from, of weights that :meth:`scored` returned."""
        own = {name.removeprefix(_OWN): rows for name, rows in weights.items() if name.startswith(_OWN)}
        return Weights({name: own.get(name, rows) for name, rows in weights.items() if not name.startswith(_OWN)})

    def _nodes(self) -> tuple[dict[str, Table], list[Any], list[Any]]:
        """Return the tables that are trained by name, their rows, and the number of rows of each."""
        parts = self.network.parts.items()
        tables = {name: part for name, part in parts if isinstance(part, Table) and part.embeddings.trainable}
        rows = [tf.convert_to_tensor(table.embeddings.value) for table in tables.values()]
        return tables, rows, [tf.shape(each)[0] for each in rows]

    def _propagate(self, context: TrainingContext, columns: Mapping[str, Any]) -> None:
        """Propagate the rows of all tables over the graph once, for all lookups of a training step."""
        assert self.network.propagate is not None
        tables, rows, sizes = self._nodes()
        items = columns["item"] if self.structure.target_set is None else columns[self.structure.target_set]
        batch = {"user": columns["user"], "item": tf.boolean_mask(items, items > 0) + sizes[0]}
        found = self.network.propagate(tf.concat(rows, axis=0), self.data.graph.product(), batch)
        for table, own, new in zip(tables.values(), rows, tf.split(found, sizes, num=len(rows)), strict=True):
            context.propagated[id(table)] = own, tf.ensure_shape(new, own.shape)
