"""Neural collaborative filtering: GMF, MLP and NeuMF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np

from skrec._estimators import HasMethods, Interval, StrOptions
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
    REGRESSOR_LOSS,
    SQUARED_ERROR,
    documented,
    training,
)
from skrec.base.network import NetworkRecommender
from skrec.base.ranker import NetworkRanker
from skrec.base.regressor import NetworkRegressor
from skrec.models.factors._ncf_parts import item_biases, perceptron
from skrec.models.factors._pretraining import from_pretrained

__all__ = ["NCFClassifier", "NCFRanker", "NCFRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class _NCF(NetworkRecommender):
    """Architecture of He et al. (2017)."""

    architecture: Literal["neumf", "gmf", "mlp", "mf"] = "neumf"
    embedding_dim: int = 32
    mlp_embedding_dim: int = 32
    hidden_units: Any = (64, 32, 16)
    gmf: Any = None
    mlp: Any = None
    pretrain_alpha: float = 0.5

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "architecture": [StrOptions({"neumf", "gmf", "mlp", "mf"})],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "mlp_embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
        "gmf": [HasMethods(["fit", "recommend"]), None],
        "mlp": [HasMethods(["fit", "recommend"]), None],
        "pretrain_alpha": [Interval(Real, 0, 1, closed="both")],
    }

    _chooses_epochs: ClassVar[bool] = False  # pairs that are held out tell little of ids with few rows
    _instead_of_explain: ClassVar[str] = (
        "the embedding of a user is learned from all events together, so the contribution of a single event to a score "
        "is not defined. similar_items returns the items whose embeddings are nearest to that of a recommended item."
    )

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {
            "gmf_dim": int(self.embedding_dim) if self.architecture != "mlp" else 0,
            "mlp_dim": 0 if self._factorised else int(self.mlp_embedding_dim),
            "hidden_units": () if self._factorised else _whole_numbers(self.hidden_units),
            "weighted": self.architecture != "mf" or n_outputs > 1,
            "biased": isinstance(self, NetworkRanker),
            "n_outputs": n_outputs,
        }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        dims = distributions.CategoricalDistribution((16, 32, 64, 128))
        if self.gmf is None and self.mlp is None:  # pre-trained parts have fixed dimensions
            space |= {"embedding_dim": dims} if self.architecture != "mlp" else {}
            space |= {"mlp_embedding_dim": dims} if not self._factorised else {}
        if not self._factorised:
            space["dropout"] = distributions.FloatDistribution(0.0, 0.5)
        return space

    @property
    def _factorised(self) -> bool:
        return self.architecture in {"gmf", "mf"}

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        from sklearn.base import clone

        for name in ("gmf", "mlp"):
            part = getattr(self, name)
            self.__dict__.pop(f"{name}_", None)
            if part is None:
                continue
            part = getattr(part, "estimator", part)  # a FrozenEstimator, which clone keeps fitted
            if self.architecture != "neumf" or getattr(part, "architecture", None) != name:
                raise ValueError(
                    f"{name}= requires an estimator with architecture={name!r} and architecture='neumf' of this model, "
                    f"got {getattr(part, 'architecture', None)!r} and {self.architecture!r}."
                )
            task = next(base for base in (NetworkClassifier, NetworkRegressor, NetworkRanker) if isinstance(self, base))
            if not isinstance(part, task):
                raise TypeError(
                    f"{name}= is a {type(part).__name__}, which is for another task. Pass a {type(self).__name__} with "
                    f"architecture={name!r}."
                )
            if not part.__sklearn_is_fitted__():
                part = clone(part).fit(X, y, sample_weight=sample_weight)
            setattr(self, f"{name}_", part)

    def _constants(self) -> dict[str, Any]:
        return {"popularity/embeddings": self._log_popularity()} if isinstance(self, NetworkRanker) else {}

    def _start_weights(self, fresh: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Initialize from pre-trained parts: concatenate their tables and weight their outputs (section 3.4.1)."""
        weights = dict(fresh)
        if "item_bias/embeddings" in weights:  # start from item popularity, which the embeddings then refine
            weights["item_bias/embeddings"] = self._log_popularity()
        parts = vars(self).get("gmf_"), vars(self).get("mlp_")
        return from_pretrained(weights, *parts, model=self)

    @staticmethod
    def _build_network(
        keras: Any,
        layers: Any,
        *,
        gmf_dim: int,
        mlp_dim: int,
        hidden_units: tuple[int, ...],
        weighted: bool,
        n_outputs: int,
        biased: bool = False,
    ) -> Any:
        # One table holds the embeddings of both parts: one lookup and one update instead of two.
        width = gmf_dim + mlp_dim
        parts = {"user": layers.Table("user", width, penalised=False), "item": layers.Table("item", width)}
        if gmf_dim and weighted:
            parts["gmf_output"] = layers.Scale(gmf_dim, n_outputs)
        hidden = perceptron(keras, layers, parts, hidden_units, n_outputs) if mlp_dim else None
        biases = item_biases(layers, parts) if biased else None
        parts["bias"] = layers.Bias(n_outputs)

        def query(inputs: Mapping[str, Any]) -> Any:
            gmf, mlp = keras.ops.split(parts["user"](inputs["user"]), [gmf_dim], axis=-1)
            if gmf_dim:
                gmf = parts.get("gmf_output", layers.penalise)(gmf)
            first = parts["first_user"](layers.penalise(mlp)) if mlp_dim else None
            if biases is None:
                return gmf if first is None else (gmf, first)
            known = keras.ops.cast(inputs["user"] > 0, gmf.dtype)[:, None]
            gmf = keras.ops.concatenate([gmf * known, known, 1.0 - known], axis=-1)
            return gmf if first is None else (gmf, first, known)

        def item(inputs: Mapping[str, Any]) -> Any:
            gmf, mlp = keras.ops.split(parts["item"](inputs["item"]), [gmf_dim], axis=-1)
            gmf = gmf if biases is None else keras.ops.concatenate([gmf, *biases(inputs["item"])], axis=-1)
            return (gmf, parts["first_item"](mlp)) if mlp_dim else gmf

        def interact(query: Any, item: Any) -> Any:
            if hidden is None:
                return parts["bias"](layers.match(query, item))
            output = layers.dense_stack(query[1], item[1], hidden)
            logits = keras.ops.squeeze(output, -1) if n_outputs == 1 else output
            logits = logits if biases is None else logits * query[2]
            return parts["bias"](layers.match(query[0], item[0]) + logits if gmf_dim or biased else logits)

        return layers.Network(
            query=query, item=item, interact=interact, parts=parts, dot=not mlp_dim and n_outputs == 1
        )


def _whole_numbers(hidden_units: Any) -> tuple[int, ...]:
    units = tuple(hidden_units)
    if not units or any(isinstance(n, bool) or not isinstance(n, Integral) or n < 1 for n in units):
        raise ValueError(
            f"hidden_units is {hidden_units!r}, but must contain a whole number of at least 1 for each hidden layer, "
            "for instance (64, 32, 16). For a network without hidden layers, use architecture='gmf'."
        )
    return tuple(int(n) for n in units)


_ARCHITECTURE = """\
architecture : {"neumf", "gmf", "mlp", "mf"}, default="neumf"
    ``"gmf"`` is generalized matrix factorization, a dot product of embeddings with learned weights. ``"mlp"`` is a
    multilayer perceptron on the concatenated embeddings. ``"neumf"`` combines both with a shared output layer.
    ``"mf"`` is plain matrix factorization, which is GMF with all weights equal to 1; if tuned well, it outperforms the
    others (Rendle et al., 2020). In a Ranker, every score also has a bias of the item, which starts from the item's
    popularity, and unknown users are served by popularity. ``encode_queries`` and ``encode_items`` include both.
embedding_dim : int, default=32
    Dimension of the embeddings of the GMF part.
mlp_embedding_dim : int, default=32
    Dimension of the embeddings of the MLP part.
hidden_units : sequence of int, default=(64, 32, 16)
    Number of units of each hidden layer of the MLP part.
gmf, mlp : estimator or None, default=None
    Estimators of the same class with ``architecture="gmf"`` and ``"mlp"`` from which NeuMF is initialized (section
    3.4.1 of the paper, which then trains with ``optimizer="sgd"``). A fitted estimator is used as is. An unfitted
    estimator, such as one returned by ``clone``, is first fitted on the same data. To keep it fitted in a search, wrap
    it in :class:`sklearn.frozen.FrozenEstimator`.
pretrain_alpha : float, default=0.5
    Weight of the output of the GMF part relative to the MLP part if both are pre-trained."""

_REFERENCES = """\
X. He, L. Liao, H. Zhang, L. Nie, X. Hu, T.-S. Chua. "Neural Collaborative Filtering". WWW 2017,
doi:10.1145/3038912.3052569.

S. Rendle, W. Krichene, L. Zhang, J. Anderson. "Neural Collaborative Filtering vs. Matrix Factorization Revisited".
RecSys 2020, doi:10.1145/3383313.3412488."""


@documented(
    columns=COLUMNS,
    architecture=_ARCHITECTURE,
    training=training(**OF_ROWS, rate=0.003, l2=0.001),
    loss=CLASSIFIER_LOSS,
    class_weight=CLASS_WEIGHT,
    classes=CLASSES,
    fitted=FITTED.format(scores=LOG_LOSS),
    references=_REFERENCES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class NCFClassifier(_NCF, NetworkClassifier):
    """Neural collaborative filtering (He et al., 2017) for class labels, such as clicked or not.

    No negatives are sampled. If all events are positive, use :class:`NCFRanker`.

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
    NCFRegressor : The same network for ratings.
    NCFRanker : The same network for events without labels.

    References
    ----------
    {references}

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import NCFClassifier
    >>> X, y = make_interactions(50, 30, 500, target="label", random_state=0)
    >>> model = NCFClassifier(epochs=5, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:3]).shape
    (3, 2)
    """


@documented(
    columns=COLUMNS,
    architecture=_ARCHITECTURE,
    training=training(**OF_ROWS, rate=0.003, l2=0.001),
    loss=REGRESSOR_LOSS,
    fitted=FITTED.format(scores=SQUARED_ERROR),
    references=_REFERENCES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class NCFRegressor(_NCF, NetworkRegressor):
    """Neural collaborative filtering (He et al., 2017) for ratings.

    Parameters
    ----------
    {columns}
    {architecture}
    {training}
    {loss}

    Attributes
    ----------
    {fitted}

    See Also
    --------
    NCFClassifier : The same network for labels.
    NCFRanker : The same network for events without labels.

    References
    ----------
    {references}

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import NCFRegressor
    >>> X, y = make_interactions(50, 30, 500, target="rating", random_state=0)
    >>> model = NCFRegressor(epochs=5, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """


@documented(
    columns=COLUMNS,
    architecture=_ARCHITECTURE.replace("default=32", "default=64", 1),
    training=training(
        epochs=60,
        n_iter_no_change=10,
        **OF_EVENTS,
        rate=0.003,
        l2='"auto"',
        penalty=(
            '\n    ``l2="auto"`` is 0.0001 for ``architecture="mlp"``: a larger penalty makes it collapse to item'
            "\n    popularity. With the default loss, it is larger for sparser data: ``c * n ** (-2 / 3)``, where n is"
            "\n    the geometric mean of the items per user and of the users per item, or 1 if that is smaller, and c"
            '\n    is 0.6 for ``architecture="gmf"`` and ``"mf"`` and 0.2 for ``"neumf"``. Otherwise, it is 0.01.'
        ),
    ),
    ranking=RANKING.format(
        auto_loss='``softmax`` for\n    ``architecture="gmf"`` and ``"mf"``, else ``log_loss``',
        negatives=(
            'Number of negatives per row. With ``softmax`` and ``"gmf"`` or ``"mf"``, the number per batch, whose\n'
            '    rows share them. If ``"all"``, the whole catalogue is used (``softmax`` only). ``"auto"`` is 4 per\n'
            "    row; if the batch shares them, all items up to a catalogue of 16,384 and 4,096 negatives above."
        ),
    ),
    fitted=FITTED.format(scores="NDCG@10 of the held-out events, ranked among the whole catalogue,"),
    references=_REFERENCES,
)
@dataclass(eq=False, repr=False, kw_only=True)
class NCFRanker(_NCF, NetworkRanker):
    """Neural collaborative filtering (He et al., 2017) for events, such as purchases, plays or reads.

    Rows are positives unless ``y`` marks them as negatives. Further negatives are sampled in every epoch.

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
    PopularityRanker : Popularity baseline.
    skrec.recommend : Call ``recommend`` of a Pipeline or a search.

    Notes
    -----
    With the softmax over the whole catalogue, up to 16 events of a user are trained together, because they share the
    scores: the loss is the same, and an epoch takes a fraction of the time. ``batch_size`` is still a number of events,
    and the learning rate of a user's embedding (except with SGD) is multiplied by the mean number of events that
    share a step.

    References
    ----------
    {references}

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.models import NCFRanker
    >>> events = make_interactions(50, 30, 500, random_state=0)
    >>> model = NCFRanker(epochs=5, random_state=0).fit(events)
    >>> model.recommend([3, 5], k=2)[["user_id", "rank"]]
       user_id  rank
    0        3     1
    1        3     2
    2        5     1
    3        5     2
    """

    embedding_dim: int = 64
    epochs: int = 60
    n_iter_no_change: int = 10
    l2: float | Literal["auto"] = "auto"  # type: ignore[assignment]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "l2": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    }

    @property
    def _l2_penalty(self) -> float:
        if self.l2 != "auto":
            return float(self.l2)
        if self.architecture == "mlp":
            return 0.0001
        if self.loss not in ({"auto", "softmax"} if self._factorised else {"auto", "log_loss"}):
            return 0.01
        # Few events for each id need a larger penalty: the geometric mean of the events per user and per item decides.
        # Pairs are counted once, so that a second pass over the same rows changes nothing.
        n_pairs, n_ids = len(self._log.items), float(len(self._users)) * len(self._items)
        share = 0.6 if self._factorised else 0.2
        return float(share * max(n_pairs / n_ids**0.5, 1.0) ** (-2 / 3))
