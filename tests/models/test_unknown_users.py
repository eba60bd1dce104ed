"""Users without events are served by popularity, whatever the model has learned about the others."""

import numpy as np
import pandas as pd
import pytest

from skrec.datasets import make_interactions
from skrec.models import (
    ALSRanker,
    ContentRanker,
    EASERanker,
    ItemKNNRanker,
    LightGCNRanker,
    MultDAERanker,
    MultVAERanker,
    NCFRanker,
    PopularityRanker,
    PureSVDRanker,
    RecVAERanker,
    RP3BetaRanker,
    SLIMRanker,
    UserKNNRanker,
)

SMALL = {"epochs": 4, "learning_rate": 0.02, "random_state": 0}
MODELS = [
    *(
        NCFRanker(architecture=name, loss=loss, **SMALL)
        for name in ("neumf", "gmf", "mlp", "mf")
        for loss in ("auto", "bpr")
    ),
    LightGCNRanker(**SMALL),
    LightGCNRanker(loss="softmax", n_layers=0, **SMALL),
    *(cls(hidden_units=(8,), **SMALL) for cls in (MultVAERanker, MultDAERanker, RecVAERanker)),
    *(cls() for cls in (ALSRanker, EASERanker, ItemKNNRanker, PureSVDRanker, RP3BetaRanker, SLIMRanker, UserKNNRanker)),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: repr(model).partition("epochs")[0])
def test_unknown_users_get_the_popular_items(model):
    events = make_interactions(60, 40, 700, random_state=0)[["user_id", "item_id"]]
    counts = events["item_id"].value_counts()
    found = model.fit(events).recommend([10_000], k=40)["item_id"]
    assert sorted(found) == sorted(counts.index)
    times = counts[found].to_numpy()
    assert (np.diff(times) <= 0).all()
    assert times[:10].tolist() == counts[PopularityRanker().fit(events).recommend([10_000], k=10)["item_id"]].tolist()


def weighted_counts(events, weights):
    """The sum of the weights of each item's events; a second way to count, in the order of the rows."""
    counts = dict.fromkeys(events["item_id"], 0.0)
    for item, weight in zip(events["item_id"], weights, strict=True):
        counts[item] += weight
    return pd.Series(counts)


@pytest.mark.parametrize(
    "model",
    [PopularityRanker(), ContentRanker(), *MODELS],
    ids=lambda model: repr(model).partition("epochs")[0],
)
def test_weights_count_as_in_popularity_ranker(model):
    events = make_interactions(60, 40, 700, random_state=0)[["user_id", "item_id"]]
    if isinstance(model, ContentRanker):
        events["feature"] = events["item_id"] % 7
    weights = np.random.default_rng(0).permuted(2.0 ** (np.arange(700) % 5) - 1)  # from 0 to 15
    counts = weighted_counts(events, weights)
    by_events = events["item_id"].value_counts().index.tolist()
    found = model.fit(events, sample_weight=weights).recommend([10_000], k=40)["item_id"].tolist()
    assert (np.diff(counts[found]) <= 0).all()
    assert (np.diff(counts[by_events]) > 0).sum() > 9  # another order than that of the numbers of events


@pytest.mark.parametrize(
    "model",
    [EASERanker(), NCFRanker(architecture="mf", **SMALL), LightGCNRanker(**SMALL), MultVAERanker(**SMALL)],
    ids=lambda model: type(model).__name__,
)
def test_weights_of_further_events_are_added(model):
    events = make_interactions(60, 40, 700, random_state=0)[["user_id", "item_id"]]
    weights = (np.arange(700) < 400) * 3.0
    counts = weighted_counts(events, weights)
    found = model.fit(events, sample_weight=weights).recommend([10_000], k=20)["item_id"]
    assert (np.diff(counts[found]) <= 0).all()
    more = events[400:].assign(item_id=[found[0], *[found[19]] * 299])  # of which the last 299 weigh nothing
    model.partial_fit(more, sample_weight=np.arange(300) == 0)
    assert model.recommend([10_000], k=20)["item_id"].tolist() == found.tolist()
    model.partial_fit(more, sample_weight=np.where(np.arange(300) == 299, 1000.0, 0.5))
    assert model.recommend([10_000], k=1)["item_id"].tolist() == [found[19]]


@pytest.mark.parametrize(
    "model",
    [*(cls() for cls in (EASERanker, ItemKNNRanker, RP3BetaRanker, SLIMRanker, UserKNNRanker)), ALSRanker(epochs=2)],
    ids=lambda model: type(model).__name__,
)
def test_users_whose_items_tell_nothing_get_the_popular_items(model):
    """Without weights of their item, all scores would be 0, and items would be in the order of their ids."""
    events = make_interactions(60, 40, 700, random_state=0)[["user_id", "item_id"]]
    alone = pd.DataFrame({"user_id": [900], "item_id": [901]})  # the item of a single user with a single item
    fitted = model.fit(pd.concat([events, alone]))
    rows = pd.DataFrame({"user_id": 900, "item_id": events["item_id"].unique()})
    scores = fitted.score_items([900, 10_000], rows["item_id"])
    assert len(np.unique(scores[0])) > 10
    if not isinstance(model, ALSRanker):
        assert (scores[0] == scores[1]).all()
        assert (fitted.predict(rows) == scores[0]).all()
        counts = events["item_id"].value_counts()
        assert (np.diff(counts[fitted.recommend([900], k=40)["item_id"]]) <= 0).all()


def test_items_that_tell_nothing_contribute_nothing():
    events = pd.DataFrame({"user_id": [1, 1, 2, 2, 3], "item_id": ["x", "y", "x", "y", "z"]})
    model = ItemKNNRanker(shrink=0.0).fit(events)
    assert model.explain([3], ["x"])["contribution"].tolist() == [0.0]
    assert model.explain(history=[["z", "x"]], items=["y"])["contribution"].tolist() == pytest.approx([1.0, 0.0])
