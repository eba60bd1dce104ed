"""A model in one file: collaborative metric learning, which ranks items by their distance to the user.

python examples/metric_learning.py
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from skrec.base import Interval, NetworkRanker
from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import PopularityRanker
from skrec.testing import check_recommender


@dataclass(eq=False, repr=False, kw_only=True)
class MetricLearningRanker(NetworkRanker):
    """Users and items as points of one space: the nearer, the better.

    Parameters
    ----------
    embedding_dim : int, default=32
        Dimensions of the space.

    References
    ----------
    C.-K. Hsieh, L. Yang, Y. Cui, T.-Y. Lin, S. Belongie, D. Estrin. "Collaborative Metric Learning". WWW 2017,
    doi:10.1145/3038912.3052639. (Theirs is another loss.)
    """

    embedding_dim: int = 32
    loss: str = "bpr"
    l2: float = 0.001

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
    }

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        return {"dim": int(self.embedding_dim)}

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, dim: int) -> Any:
        parts = {"user": layers.Table("user", dim), "item": layers.Table("item", dim)}

        def squares(points: Any) -> Any:
            return keras.ops.sum(points**2, axis=-1)

        def query(inputs: Any) -> Any:
            return parts["user"](inputs["user"])  # (B,) codes to (B, dim)

        def item(inputs: Any) -> Any:
            return parts["item"](inputs["item"])  # (M,) codes to (M, dim)

        def interact(query: Any, item: Any) -> Any:
            # Minus the squared distances of B users to M items each: |q - p|^2 = |q|^2 - 2 q.p + |p|^2.
            return 2 * layers.match(query, item) - keras.ops.expand_dims(squares(query), 1) - squares(item)

        return layers.Network(query=query, item=item, interact=interact, parts=parts)


def main() -> None:
    X = make_interactions(random_state=0)
    train, test = next(LeaveLastOut().split(X))
    for model in (PopularityRanker(), MetricLearningRanker(random_state=0)):
        score = make_ranking_scorer("ndcg@10")(model.fit(X.iloc[train]), X.iloc[test])
        print(f"{type(model).__name__:<22}NDCG@10 {score:.3f}")
    check_recommender(MetricLearningRanker(epochs=30, learning_rate=0.01))
    print("MetricLearningRanker passes check_recommender")


if __name__ == "__main__":
    main()
