"""MKR: recommendation and a knowledge graph as two tasks of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions, Rows, Vocabulary
from skrec._data.graphs.edges import read_knowledge
from skrec._estimators import Interval
from skrec.base.classifier import NetworkClassifier
from skrec.base.docs import (
    CLASS_WEIGHT,
    CLASSES,
    CLASSIFIER_LOSS,
    COLUMNS,
    FITTED,
    LOG_LOSS,
    OF_EVENTS,
    OF_ROWS,
    RANKING,
    documented,
    training,
)
from skrec.base.events import Events, Inputs
from skrec.base.network import NetworkRecommender
from skrec.base.ranker import NetworkRanker
from skrec.base.reader import Codes, Query

__all__ = ["MKRClassifier", "MKRRanker"]


@dataclass(eq=False, repr=False, kw_only=True)
class _MKR(NetworkRecommender):
    """Architecture of Wang et al. (2019)."""

    _chooses_epochs: ClassVar[bool] = False  # pairs that are held out tell little of ids with few rows

    item_graph: Any = None
    embedding_dim: int = 8
    n_low_layers: int = 1
    n_high_layers: int = 1
    kge_weight: float = 0.5

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "item_graph": "no_validation",
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "n_low_layers": [Interval(Integral, 1, None, closed="left")],
        "n_high_layers": [Interval(Integral, 1, None, closed="left")],
        "kge_weight": [Interval(Real, 0, None, closed="left")],
    }
    _instead_of_explain: ClassVar[str] = (
        "the embedding of a user is learned from all events together, so the contribution of a single event to a score "
        "is not defined. similar_items returns the items whose embeddings are nearest to that of a recommended item."
    )

    _entities: Vocabulary | None = field(default=None, init=False, repr=False)
    _relations: Vocabulary | None = field(default=None, init=False, repr=False)
    _triples: dict[str, NDArray[np.int32]] = field(init=False, repr=False)
    """Codes of the triples of the knowledge graph."""

    _entity_codes: NDArray[np.int32] = field(init=False, repr=False)
    """Code of the entity of each item code; 0 for an item that is not in the graph."""

    # -- the knowledge graph ------------------------------------------------------------------------------------------

    def _read_graph(self, *, fresh: bool) -> None:
        """Encode the triples; further calls add to the vocabularies."""
        if self.item_graph is None:
            if fresh:
                self._entities = self._relations = None
            self._entity_codes = np.zeros(len(self._items) + 1, np.int32)
            return
        edges = read_knowledge(self.item_graph, "item_graph", relations=True)
        head_items, _ = edges.encode(self._items)
        if fresh or self._entities is None or self._relations is None:
            self._entities, nodes = Vocabulary.fit(edges.ids(), name="item_graph")
            self._relations, relations = Vocabulary.fit(edges.relation, name="relation")
        else:
            self._entities, nodes = self._entities.extend(edges.ids())
            self._relations, relations = self._relations.extend(edges.relation)
        heads, tails = np.split(nodes, 2)
        self._triples = {"head": heads, "head_item": head_items, "relation": relations, "tail": tails}
        self._entity_codes = np.append(np.int32(0), self._entities.encode(self._items.ids))

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = None) -> Inputs:
        if fit is not None:
            self._read_graph(fresh=fit == "fresh")
        return self._with_entities(super()._row_inputs(rows, users, items, fit=fit), items)

    def _item_inputs(self, items: Query) -> Inputs:
        return self._with_entities(super()._item_inputs(items), items.codes)

    def _with_entities(self, inputs: Inputs, items: Codes) -> Inputs:
        return inputs if self._entities is None else {**inputs, "entity": self._entity_codes[items]}

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)  # type: ignore[safe-super]
        if self._entities is None:
            return plan
        return {**plan, "arrays": replace(plan["arrays"], further=self._triples)}

    def _table_rows(self) -> dict[str, int]:
        if self._entities is None or self._relations is None:
            return super()._table_rows()
        return {**super()._table_rows(), "entity": len(self._entities) + 1, "relation": len(self._relations) + 1}

    # -- the network --------------------------------------------------------------------------------------------------

    def _settings(self, seed: int, task: Mapping[str, Any], *, epochs: int, stopping: bool) -> Any:
        return super()._settings(seed, {**task, "added": float(self.kge_weight)}, epochs=epochs, stopping=stopping)

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            "dim": int(self.embedding_dim),
            "n_low": int(self.n_low_layers),
            "n_high": int(self.n_high_layers),
            "knowledge": self._entities is not None,
            "n_outputs": n_outputs,
        }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "embedding_dim": distributions.CategoricalDistribution((4, 8, 16, 32)),
            "kge_weight": distributions.FloatDistribution(0.01, 10.0, log=True),
        }

    @property
    def _factorised(self) -> bool:
        return True

    @staticmethod
    def _build_network(
        keras: Any, layers: Any, *, dim: int, n_low: int, n_high: int, knowledge: bool, n_outputs: int
    ) -> Any:
        ops = keras.ops
        parts = {"user": layers.Table("user", dim), "item": layers.Table("item", dim)}
        towers = {"user": layers.mlp(parts, (dim,) * n_low, name="user_hidden")}
        if n_outputs > 1:
            parts["output"] = layers.Scale(dim, n_outputs)
        parts["bias"] = layers.Bias(n_outputs)
        units = []
        if knowledge:
            parts |= {"entity": layers.Table("entity", dim), "relation": layers.Table("relation", dim)}
            units = [layers.CrossCompress(dim) for _ in range(n_low)]
            parts |= {f"cross_{i}": unit for i, unit in enumerate(units, start=1)}
            towers["relation"] = layers.mlp(parts, (dim,) * n_low, name="relation_hidden")
            towers["high"] = layers.mlp(parts, (2 * dim,) * (n_high - 1), name="high_hidden")
            parts["tail"] = keras.layers.Dense(dim)
            for name in ("relation_hidden_1", "tail"):
                parts[name].build((None, dim if name != "tail" else 2 * dim))

        def crossed(item: Any, entity: Any) -> tuple[Any, Any]:
            vectors = parts["item"](item), parts["entity"](entity)
            for unit in units:
                vectors = unit(*vectors)
            return vectors

        def query(inputs: Mapping[str, Any]) -> Any:
            vectors = towers["user"](parts["user"](inputs["user"]))
            return parts["output"](vectors) if n_outputs > 1 else vectors

        def item(inputs: Mapping[str, Any]) -> Any:
            return crossed(inputs["item"], inputs["entity"])[0] if knowledge else parts["item"](inputs["item"])

        def embedding(triples: Mapping[str, Any]) -> Any:
            """Return the loss of triples: the score of their tail must be above that of the tail of another triple."""
            _, head = crossed(triples["head_item"], triples["head"])
            relation = towers["relation"](parts["relation"](triples["relation"]))
            expected = ops.sigmoid(parts["tail"](towers["high"](ops.concatenate([head, relation], axis=-1))))
            tail = parts["entity"](triples["tail"])
            true, other = (ops.sigmoid(ops.sum(expected * each, axis=-1)) for each in (tail, ops.roll(tail, 1, axis=0)))
            return ops.mean(other - true)

        return layers.Network(
            query=query,
            item=item,
            interact=lambda query, item: parts["bias"](layers.match(query, item)),
            parts=parts,
            dot=n_outputs == 1,
            auxiliary=embedding if knowledge else None,
        )


_ARCHITECTURE = """\
item_graph : DataFrame or array-like of shape (n_triples, 3), default=None
    Knowledge graph of the items, with the columns ``head``, ``relation`` and ``tail``. Heads and tails are item ids or
    any other ids. If None, there is one task only, and the model is a matrix factorization with a tower of users.
embedding_dim : int, default=8
    Dimension of all embeddings.
n_low_layers : int, default=1
    Number of layers of users and relations, and of cross and compress units of items and entities.
n_high_layers : int, default=1
    Number of layers that predict the tail from head and relation.
kge_weight : float, default=0.5
    Weight of the loss of the knowledge graph."""

_NOTES = """\
In each training step, as many triples as rows are drawn at random, and the losses of both tasks are added. The released
code of the paper alternates between them instead; `kge_weight` takes the place of its interval and learning rate."""

_REFERENCES = """\
H. Wang, F. Zhang, M. Zhao, W. Li, X. Xie, M. Guo. "Multi-Task Feature Learning for Knowledge Graph Enhanced
Recommendation". WWW 2019, doi:10.1145/3308558.3313411."""


@documented(
    columns=COLUMNS,
    architecture=_ARCHITECTURE,
    training=training(**OF_ROWS, rate=0.003, l2=0.001),
    loss=CLASSIFIER_LOSS,
    class_weight=CLASS_WEIGHT,
    classes=CLASSES,
    fitted=FITTED.format(scores=LOG_LOSS),
    notes=_NOTES,
    references=_REFERENCES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class MKRClassifier(_MKR, NetworkClassifier):
    """Multi-task learning with a knowledge graph (Wang et al., 2019) for class labels, such as clicked or not.

    Embeddings of items and of entities of the graph exchange information in cross and compress units. One task predicts
    the labels, the other one the tails of the triples from their heads and relations.

    Parameters
    ----------
    {columns}
    {architecture}
    {training}
    {loss}
    {class_weight}

    Attributes
    ----------
    {classes}
    {fitted}

    See Also
    --------
    MKRRanker : The same network for events without labels.
    LightGCNRanker : Propagates embeddings over a knowledge graph.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import MKRClassifier
    >>> X, y = make_interactions(50, 20, 600, target="label", random_state=0)
    >>> genres = pd.DataFrame({"head": range(20), "relation": "genre", "tail": [f"genre {i % 3}" for i in range(20)]})
    >>> model = MKRClassifier(item_graph=genres, epochs=3, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:3]).shape
    (3, 2)
    """


@documented(
    columns=COLUMNS,
    architecture=_ARCHITECTURE,
    training=training(**OF_EVENTS, rate=0.003, l2=0.001),
    ranking=RANKING.format(
        auto_loss="``log_loss``",
        negatives=(
            "Number of negatives per row. With ``softmax``, the number per batch, whose rows share them. If\n"
            '    ``"all"``, the whole catalogue is used (``softmax`` only). ``"auto"`` is 4 per row; with\n'
            "    ``softmax``, all items up to a catalogue of 16,384 and 4,096 negatives above."
        ),
    ),
    fitted=FITTED.format(scores="NDCG@10 of the held-out events, ranked among the whole catalogue,"),
    notes=_NOTES,
    references=_REFERENCES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class MKRRanker(_MKR, NetworkRanker):
    """Multi-task learning with a knowledge graph (Wang et al., 2019) for events, such as purchases, plays or reads.

    Embeddings of items and of entities of the graph exchange information in cross and compress units. One task ranks
    items, the other one predicts the tails of the triples from their heads and relations.

    Parameters
    ----------
    {columns}
    {architecture}
    {training}
    {ranking}

    Attributes
    ----------
    {fitted}

    See Also
    --------
    MKRClassifier : The same network for labels.
    LightGCNRanker : Propagates embeddings over a knowledge graph.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import MKRRanker
    >>> events = make_interactions(50, 20, 600, random_state=0)
    >>> genres = pd.DataFrame({"head": range(20), "relation": "genre", "tail": [f"genre {i % 3}" for i in range(20)]})
    >>> model = MKRRanker(item_graph=genres, epochs=3, random_state=0).fit(events)
    >>> len(model.recommend([3, 5], k=2))
    4
    """

    l2: float = 0.001

    @property
    def _auto_loss(self) -> str:
        return "log_loss"
