"""A model of one's own over histories: a convolution and a maximum over time, without packing.

The class is what the guide shows: it uses no private name of another package.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skrec.base import HistoryModel, Interval, NetworkRanker, StrOptions
from skrec.datasets import make_interactions
from skrec.testing import check_recommender


@dataclass(eq=False, repr=False, kw_only=True)
class ConvolutionRanker(HistoryModel, NetworkRanker):
    """Patterns of the last events, as the horizontal filters of Caser (Tang & Wang, 2018) find them."""

    embedding_dim: int = 16
    n_filters: int = 16
    kernel_size: int = 3
    pooling: str = "max"
    max_history: int = 16

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"max", "min", "mean", "layer"})],
    }

    def _network_config(self, n_outputs):
        size = min(self.kernel_size, self.history_length_)  # a window may be shorter than the filters
        return {"dim": self.embedding_dim, "filters": self.n_filters, "size": size, "pooling": self.pooling}

    @property
    def _factorised(self):
        return True

    @staticmethod
    def _build_network(keras, layers, *, dim, filters, size, pooling):
        ops = keras.ops
        parts = {
            "past": layers.Table("item", dim),
            "item": layers.Table("item", dim),
            "user": layers.Table("user", dim),
            "filters": keras.layers.Conv1D(filters, size, activation="relu"),
            "output": keras.layers.Dense(dim),
        }
        pools = {"max": ops.max, "min": ops.min, "mean": ops.mean}
        layer = keras.layers.GlobalMaxPooling1D()

        def query(inputs):
            history = inputs["history"]  # codes, the latest last; padded with -1 before the first event
            there = ops.cast(history >= 0, "float32")[..., None]
            found = parts["filters"](parts["past"](ops.maximum(history, 0)) * there)
            pooled = layer(found) if pooling == "layer" else pools[pooling](found, axis=1)
            return parts["output"](pooled) + parts["user"](inputs["user"])

        return layers.Network(
            query=query,
            item=lambda inputs: parts["item"](inputs["item"]),
            interact=layers.match,
            parts=parts,
            dot=True,
        )


FAST = {"epochs": 2, "embedding_dim": 4, "n_filters": 4, "random_state": 0}
EVENTS = make_interactions(n_users=60, n_items=30, n_interactions=900, random_state=0)


def test_it_is_a_recommender():
    check_recommender(ConvolutionRanker(epochs=30, batch_size=32, learning_rate=0.02, embedding_dim=8, n_filters=8))


def test_it_learns_what_follows():
    """Item b follows a, and c follows b, whoever the user is; where the walk starts is random."""
    random = np.random.default_rng(0)
    walks = (random.integers(0, 12, 150)[:, None] + np.arange(6)) % 12
    X = pd.DataFrame(
        {"user_id": np.repeat(np.arange(150), 6), "item_id": walks.ravel(), "timestamp": np.tile(range(6), 150)}
    )
    model = ConvolutionRanker(epochs=40, learning_rate=0.02, l2=0, max_history=4, random_state=0).fit(X)
    asked = [[3, 4], [9, 10], [0, 1]]
    assert model.recommend(history=asked, k=1)["item_id"].tolist() == [5, 11, 2]


@pytest.mark.parametrize(
    "pooling", ["mean", "layer", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("max", "min"))]
)
def test_poolings_over_time_build_and_train(pooling):
    model = ConvolutionRanker(pooling=pooling, **FAST).fit(EVENTS)
    assert np.isfinite(model.score_items([0, 1])).all()
    assert model._weights["filters/kernel"].shape == (3, 4, 4)


@pytest.mark.parametrize(("max_history", "length"), [(1, 1), (2, 2), (5, 5), (200, 64)])
def test_the_length_of_a_history_is_public(max_history, length):
    """As long as the longest history, rounded up to a power of two; at most ``max_history``."""
    longest = EVENTS.groupby("user_id").size().max()
    assert 16 <= longest < 64
    model = ConvolutionRanker(max_history=max_history, kernel_size=4, **FAST).fit(EVENTS)
    expected = length if max_history < 8 else max(8, 1 << int(longest).bit_length())
    assert model.history_length_ == expected
    assert len(model._weights["filters/kernel"]) == min(4, expected)
    assert "history_length_" not in vars(clone(model))
    with pytest.raises(AttributeError, match="not fitted"):
        clone(model).history_length_


class TooLong(ConvolutionRanker):
    def _network_config(self, n_outputs):
        return {**super()._network_config(n_outputs), "size": 9}


def test_a_network_that_cannot_be_built_says_what_it_was_given():
    with pytest.raises(ValueError) as caught:
        TooLong(max_history=4, **FAST).fit(EVENTS)
    assert "called on one row of its inputs" in caught.value.__notes__[-1]
    assert "history (1, 4)" in caught.value.__notes__[-1]


def test_a_fit_repeats():
    one, other = (ConvolutionRanker(**FAST).fit(EVENTS) for _ in range(2))
    assert (one.predict(EVENTS) == other.predict(EVENTS)).all()
