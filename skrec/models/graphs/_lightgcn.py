"""LightGCN and XSimGCL: embeddings propagated over the graph of users and items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skrec._data import Interactions, Vocabulary
from skrec._data.graphs.adjacency import adjacency, normalized
from skrec._data.graphs.edges import Edges, read_knowledge, read_links
from skrec._estimators import Interval
from skrec.base.docs import (
    COLUMNS,
    ENOUGH_EVENTS,
    FITTED,
    HELD_OUT_EVENTS,
    RANKING,
    documented,
    training,
)
from skrec.base.events import Events, Inputs
from skrec.base.given_histories import GivenHistories, history_matrix
from skrec.base.ranker import NetworkRanker
from skrec.base.reader import Query

__all__ = ["LightGCNRanker"]


@documented(
    columns=COLUMNS,
    training=training(
        epochs=100,
        batch="at least 8 and at most 8,192 rows per step",
        held_out=HELD_OUT_EVENTS,
        fraction='"auto"',
        auto=ENOUGH_EVENTS,
        score="val_ndcg",
        rate=0.01,
        l2=0.0001,
        penalty=" They apply to\n    the embeddings before propagation.",
    ),
    ranking=RANKING.replace("reject_positives : bool, default=False", "reject_positives : bool, default=True").format(
        auto_loss="``softmax``",
        negatives=(
            "Number of negatives per row. With ``softmax``, the number per batch, whose rows share them. If\n"
            '    ``"all"``, the whole catalogue is used (``softmax`` only). ``"auto"`` is 1 per row; with\n'
            "    ``softmax``, all items up to a catalogue of 16,384 and 4,096 negatives above."
        ),
    ),
    fitted=FITTED.format(scores="NDCG@10 of the held-out events, ranked among the whole catalogue,"),
)
@dataclass(eq=False, repr=False, kw_only=True)
class LightGCNRanker(GivenHistories, NetworkRanker):
    """Light graph convolution network (He et al., 2020) for events, such as purchases, plays or reads.

    The embeddings of users and items are propagated over the graph of their interactions: in each layer, the embedding
    of a node becomes the sum of the embeddings of its neighbors, divided by the square roots of both degrees. The
    average over the layers is the embedding of a user or item, and a score is the dot product of two of them. After
    training, the propagated embeddings are stored, so that scoring is as fast as matrix factorization.

    The graph may have further edges between users (``user_graph``), such as friendships, and further nodes and edges of
    items (``item_graph``), such as the artists, genres and labels of a knowledge graph.

    Parameters
    ----------
    {columns}
    embedding_dim : int, default=64
        Dimension of the embeddings.
    n_layers : int, default=3
        Number of propagation layers. 0 is matrix factorization.
    layer_weights : sequence of float of length n_layers + 1, default=None
        Weights of the embeddings before propagation and after each layer in the average. If None, all weights are
        equal.
    user_graph : DataFrame or array-like of shape (n_edges, 2) or (n_edges, 3), default=None
        Edges between users, with the columns ``source``, ``target`` and optionally ``weight``. Edges are undirected. A
        user without interactions in ``fit`` is ignored, with a warning.
    item_graph : DataFrame or array-like of shape (n_edges, 2) or (n_edges, 3), default=None
        Edges of items, with the columns ``head`` and ``tail`` and optionally ``relation``, which is not used. Heads and
        tails are item ids or any other ids, which become nodes with an embedding of their own.
    user_graph_weight, item_graph_weight : float, default=1.0
        Weight of the edges of these graphs. An interaction has weight 1.
    contrastive_weight : float, default=0.0
        Weight of the contrastive loss of XSimGCL (Yu et al., 2024). If greater than 0, random noise is added to the
        embeddings in each layer, and the embedding of each node in a batch must be more similar to its own embedding
        after `contrast_layer` than to those of other nodes.
    contrastive_temperature : float, default=0.2
        Temperature of the contrastive loss.
    noise : float, default=0.2
        Length of the random vectors that are added to the embeddings in each layer if there is a contrastive loss.
    contrast_layer : int, default=1
        Layer whose embeddings are contrasted with the average.
    {training}
    {ranking}

    Attributes
    ----------
    {fitted}

    See Also
    --------
    NCFRanker : Matrix factorization without propagation (``architecture="mf"``).
    skrec.preprocessing.GraphFeatures : Features from a graph for any model.

    Notes
    -----
    A training step propagates the embeddings of all nodes, so that an epoch is faster with larger batches. With the
    softmax over the whole catalogue, up to 16 events of a user are trained together, because they share the scores.

    An event counts as an edge once, however often it occurs. ``sample_weight`` weights the loss, not the edges.

    Unknown users are served by popularity. With ``history=``, the embedding of a query is propagated from the items of
    the history.

    The recipe of XSimGCL averages the layers after the first propagation only: ``layer_weights=(0, .5, .5)`` for two
    layers.

    References
    ----------
    X. He, K. Deng, X. Wang, Y. Li, Y. Zhang, M. Wang. "LightGCN: Simplifying and Powering Graph Convolution Network for
    Recommendation". SIGIR 2020, doi:10.1145/3397271.3401063.

    J. Yu, X. Xia, T. Chen, L. Cui, N. Q. V. Hung, H. Yin. "XSimGCL: Towards Extremely Simple Graph Contrastive Learning
    for Recommendation". TKDE 2024, doi:10.1109/TKDE.2023.3288135.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import LightGCNRanker
    >>> events = make_interactions(50, 20, 600, random_state=0)
    >>> model = LightGCNRanker(epochs=5, random_state=0).fit(events)
    >>> model.recommend([3, 5], k=2)[["user_id", "rank"]]
       user_id  rank
    0        3     1
    1        3     2
    2        5     1
    3        5     2

    Friends are edges between users:

    >>> friends = pd.DataFrame({"source": [3, 5], "target": [5, 7]})
    >>> model = LightGCNRanker(user_graph=friends, epochs=5, random_state=0).fit(events)
    """

    epochs: int = 100
    learning_rate: Any = 0.01
    l2: float = 0.0001
    reject_positives: bool = True
    embedding_dim: int = 64
    n_layers: int = 3
    layer_weights: Any = None
    user_graph: Any = None
    item_graph: Any = None
    user_graph_weight: float = 1.0
    item_graph_weight: float = 1.0
    contrastive_weight: float = 0.0
    contrastive_temperature: float = 0.2
    noise: float = 0.2
    contrast_layer: int = 1

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "layer_weights": ["array-like", None],
        "user_graph": "no_validation",
        "item_graph": "no_validation",
        "user_graph_weight": [Interval(Real, 0, None, closed="neither")],
        "item_graph_weight": [Interval(Real, 0, None, closed="neither")],
        "contrastive_weight": [Interval(Real, 0, None, closed="left")],
        "contrastive_temperature": [Interval(Real, 0, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "contrast_layer": [Interval(Integral, 1, None, closed="left")],
    }
    _instead_of_explain: ClassVar[str] = (
        "the embedding of a user is learned from all events together, so the contribution of a single event to a score "
        "is not defined. similar_items returns the items whose embeddings are nearest to that of a recommended item."
    )
    _negatives_of_row: ClassVar[int] = 1

    _entities: Vocabulary | None = field(default=None, init=False, repr=False)
    """Ids of ``item_graph`` that are not items; None without such a graph."""

    _factors: NDArray[np.float32] = field(init=False, repr=False)
    """Inverse square roots of the degrees of the items, by code."""

    @property
    def _factorised(self) -> bool:
        return True

    @property
    def reads_histories(self) -> bool:
        """Whether ``recommend`` takes ``history=``."""
        return True

    # -- the graph ----------------------------------------------------------------------------------------------------

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        super()._prepare(X, y, sample_weight)
        self._entities = None

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)
        matrix, factors = normalized(self._adjacency(log))
        n_users, n_items = len(self._users) + 1, len(self._items) + 1
        self._factors = factors[n_users : n_users + n_items].astype(np.float32)
        return {**plan, "arrays": replace(plan["arrays"], graph=matrix)} if self.n_layers else plan

    def _adjacency(self, log: Interactions) -> sparse.csr_array:
        """Return the adjacency matrix of all nodes: users, items and entities, each by code."""
        n_users, n_items = len(self._users) + 1, len(self._items) + 1
        users = np.repeat(np.arange(n_users), np.diff(log.indptr))
        edges: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        edges.append((users, n_users + log.items, np.ones(len(users))))
        if self.user_graph is not None:
            source, target, weight = read_links(self.user_graph, "user_graph").encode_known(self._users)
            edges.append((source, target, self.user_graph_weight * weight))
        if self.item_graph is not None:
            knowledge = read_knowledge(self.item_graph, "item_graph")
            nodes, self._entities = _nodes(knowledge, self._items, self._entities)
            one, other = np.split(n_users + nodes, 2)
            edges.append((one, other, np.full(len(knowledge), float(self.item_graph_weight))))
        n_entities = 0 if self._entities is None else len(self._entities) + 1
        return adjacency(edges, n_users + n_items + n_entities)

    def _table_rows(self) -> dict[str, int]:
        return {**super()._table_rows(), "entity": 0 if self._entities is None else len(self._entities) + 1}

    def _constants(self) -> dict[str, Any]:
        return {"popularity/embeddings": self._log_popularity()}

    # -- the network --------------------------------------------------------------------------------------------------

    def _auto_batch_size(self, n_rows: int, length: int) -> int:  # noqa: ARG002
        return int(2 ** np.clip(np.round(np.log2(max(n_rows, 1) / 64)), 3, 13))

    def _network_config(self, n_outputs: int) -> dict[str, Any]:  # noqa: ARG002
        contrastive = bool(self.contrastive_weight)
        further = {"user_graph": self.user_graph is not None, "item_graph": self.item_graph is not None}
        useless = [name for name, given in {**further, "contrastive_weight": contrastive}.items() if given]
        if not self.n_layers and useless:
            raise ValueError(
                f"{useless[0]} has no effect with n_layers=0: nothing is propagated. Use n_layers=1 or more."
            )
        if contrastive and self.contrast_layer > self.n_layers:
            raise ValueError(
                f"contrast_layer={self.contrast_layer}, but there are n_layers={self.n_layers} layers. Use a layer "
                f"from 1 to {self.n_layers}."
            )
        return {
            "dim": int(self.embedding_dim),
            "layer_weights": self._weights_of_layers(),
            "entities": self._entities is not None,
            "contrast": (float(self.contrastive_temperature), float(self.noise), int(self.contrast_layer))
            if contrastive
            else None,
        }

    def _weights_of_layers(self) -> tuple[float, ...]:
        n = int(self.n_layers) + 1
        if self.layer_weights is None:
            return (1.0 / n,) * n
        try:
            weights = tuple(float(weight) for weight in self.layer_weights)
        except (TypeError, ValueError):
            weights = ()
        if len(weights) != n or not np.isfinite(weights).all() or not any(weights):
            raise ValueError(
                f"layer_weights must be {n} numbers, not all 0: one for the embeddings before propagation and one for "
                f"each of n_layers={self.n_layers} layers. Got {self.layer_weights!r}."
            )
        return weights

    def _settings(self, seed: int, task: Mapping[str, Any], *, epochs: int, stopping: bool) -> Any:
        task = {**task, "added": float(self.contrastive_weight)}
        return super()._settings(seed, task, epochs=epochs, stopping=stopping)

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            **super()._search_space(distributions),
            "embedding_dim": distributions.CategoricalDistribution((16, 32, 64, 128)),
            "n_layers": distributions.IntDistribution(1, 4),
        }

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        dim: int,
        layer_weights: tuple[float, ...],
        entities: bool,
        contrast: tuple[float, float, int] | None,
    ) -> Any:
        parts = {"user": layers.Table("user", dim), "item": layers.Table("item", dim)}
        if entities:
            parts["entity"] = layers.Table("entity", dim)
        parts["popularity"] = layers.Table("item", 1, penalised=False, trainable=False)
        temperature, noise, contrast_layer = contrast or (0.0, 0.0, 0)

        def propagate(nodes: Any, product: Any, batch: Mapping[str, Any] | None) -> Any:
            average, view = layer_weights[0] * nodes, None
            for layer, weight in enumerate(layer_weights[1:], start=1):
                nodes = product(nodes)
                if contrast:
                    nodes = layers.perturbed(nodes, noise)
                average += weight * nodes
                if layer == contrast_layer:
                    view = nodes
            if contrast and batch is not None:
                step = layers.current_context()
                for side in ("user", "item"):
                    step.add_loss(layers.contrast(average, view, batch[side], temperature))
            return average

        def query(inputs: Mapping[str, Any]) -> Any:
            rows = inputs["vector"] if "vector" in inputs else parts["user"](inputs["user"])
            known = inputs["known"] if "vector" in inputs else keras.ops.cast(inputs["user"] > 0, rows.dtype)
            return keras.ops.concatenate([rows * known[:, None], 1.0 - known[:, None]], axis=-1)

        def item(inputs: Mapping[str, Any]) -> Any:
            return keras.ops.concatenate([parts["item"](inputs["item"]), parts["popularity"](inputs["item"])], axis=-1)

        return layers.Network(
            query=query,
            item=item,
            interact=layers.match,
            parts=parts,
            dot=True,
            propagate=propagate if len(layer_weights) > 1 else None,
        )

    # -- queries with histories ---------------------------------------------------------------------------------------

    def _query_inputs(self, queries: Query) -> Inputs:
        if queries.history is None:
            return super()._query_inputs(queries)
        given = history_matrix(queries.history, len(self._items)).astype(bool).astype(np.float32)
        n = np.diff(given.indptr)
        vectors = given @ (self.item_embeddings_ * self._factors[1:, None]) / np.sqrt(np.maximum(n, 1))[:, None]
        return {"user": queries.codes, "vector": vectors.astype(np.float32), "known": (n > 0).astype(np.float32)}


def _nodes(edges: Edges, items: Vocabulary, entities: Vocabulary | None) -> tuple[NDArray[np.int64], Vocabulary]:
    """Return the nodes of heads and tails, which are items or entities, and the vocabulary of the entities.

    Items are numbered by their codes, and entities follow them by theirs.
    """
    codes = np.concatenate(edges.encode(items)).astype(np.int64)
    other, ids = codes == 0, edges.ids()
    if entities is None:
        entities, found = Vocabulary.fit(ids[other], name=edges.names[0])
    else:
        entities, found = entities.extend(ids[other]) if other.any() else (entities, np.empty(0, np.int32))
    codes[other] = len(items) + 1 + found
    return codes, entities
