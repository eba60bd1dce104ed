"""Users without events are served by popularity, whatever the model has learned about the others."""

import numpy as np
import pytest

from skrec.datasets import make_interactions
from skrec.models import (
    ALSRanker,
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


@pytest.mark.parametrize(
    "model",
    [EASERanker(), NCFRanker(architecture="mf", **SMALL), LightGCNRanker(**SMALL), MultVAERanker(**SMALL)],
    ids=lambda model: type(model).__name__,
)
def test_events_of_weight_0_do_not_make_an_item_popular(model):
    events = make_interactions(60, 40, 700, random_state=0)[["user_id", "item_id"]]
    weights = (np.arange(700) < 400).astype(float)
    counts = events[:400]["item_id"].value_counts().reindex(np.unique(events["item_id"]), fill_value=0)
    found = model.fit(events, sample_weight=weights).recommend([10_000], k=20)["item_id"]
    assert (np.diff(counts[found]) <= 0).all()
    more = events[400:].assign(item_id=[found[0], *[found[19]] * 299])
    model.partial_fit(more, sample_weight=np.arange(300) == 0)
    assert model.recommend([10_000], k=20)["item_id"].tolist() == found.tolist()
