"""X_val as a Pipeline hands it on: transformed, or not."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skrec.datasets import make_interactions
from skrec.exceptions import UnknownIdError
from skrec.models import (
    DCNRanker,
    DNNClassifier,
    FMRanker,
    GRU4RecRanker,
    LightGCNRanker,
    MultVAERanker,
    NCFClassifier,
    NCFRanker,
    SASRecRanker,
)
from skrec.preprocessing import FeatureCrosses, IDEncoder

SMALL = {"embedding_dim": 4, "epochs": 1, "random_state": 0}
EVENTS = make_interactions(n_users=20, n_items=15, n_interactions=200, random_state=0)[["user_id", "item_id"]]
EVENTS = EVENTS.assign(item_id="i" + EVENTS["item_id"].astype(str))
CURE = r"Pipeline\(\.\.\., transform_input=\['X_val'\]\).*set_fit_request\(X_val=True, y_val=True\)"


def encoded(model, **options):
    return make_pipeline(IDEncoder().set_output(transform="pandas"), model, **options)


@pytest.mark.parametrize("model", [NCFRanker(**SMALL), SASRecRanker(**SMALL), FMRanker(**SMALL)])
def test_ids_that_no_transformer_has_encoded_are_told_of_once(model):
    name = type(model).__name__.lower()
    with pytest.warns(UserWarning, match=f"No item of X_val was in fit.*{CURE}") as caught:
        encoded(model).fit(EVENTS, **{f"{name}__X_val": EVENTS[:30]})
    assert len(caught) == 1


def test_so_are_those_of_the_user_alone():
    events = EVENTS.assign(user_id=EVENTS["user_id"] + 1000, item_id=range(200))
    with pytest.warns(UserWarning, match=r"No user of X_val was in fit \('user_id' is 10\d\d in row 0, and .* 1\)"):
        encoded(NCFRanker(**SMALL)).fit(events, ncfranker__X_val=events[:30])
    with config_context(enable_metadata_routing=True):
        model = NCFRanker(**SMALL).set_fit_request(X_val=True, y_val=True)
        encoded(model, transform_input=["X_val"]).fit(events, X_val=events[:30])


def test_a_model_that_refuses_unknown_ids_says_so_too():
    with pytest.raises(UnknownIdError) as caught:
        encoded(NCFRanker(**SMALL, handle_unknown="error")).fit(EVENTS, ncfranker__X_val=EVENTS[:30])
    assert "transform_input=['X_val']" in "".join(caught.value.__notes__)


def test_ids_of_another_kind_are_told_of_by_a_classifier():
    y = [0, 1] * 100
    with pytest.warns(UserWarning, match="No item of X_val was in fit") as caught:
        encoded(NCFClassifier(**SMALL)).fit(EVENTS, y, ncfclassifier__X_val=EVENTS[:30], ncfclassifier__y_val=y[:30])
    assert len(caught) == 1


def test_validation_on_new_users_is_no_reason_to_warn_where_it_makes_sense():
    users = EVENTS["user_id"]
    known = users < users.max()
    events, y = EVENTS.assign(age=users), np.arange(200) % 2
    FMRanker(**SMALL).fit(events[known], X_val=events[~known])
    NCFClassifier(**SMALL).fit(EVENTS[known], y[known], X_val=EVENTS[~known], y_val=y[~known])


def test_some_unknown_ids_are_none_either():
    extra = pd.DataFrame({"user_id": [999, 1], "item_id": ["i1", "new"]})
    NCFRanker(**SMALL).fit(EVENTS, X_val=extra)


def test_columns_that_a_transformer_would_have_made_are_not_taken_for_misspelt():
    X, y = pd.DataFrame({"edu": list("abcd") * 10, "occ": list("xy") * 20}), np.arange(40) % 2
    crosses = FeatureCrosses(passthrough=True).set_output(transform="pandas")
    pipeline = make_pipeline(crosses, DNNClassifier(**SMALL, hidden_units=(4,)))
    with pytest.raises(ValueError, match=f"(?s)names should match.*The error is in X_val.*{CURE}") as caught:
        pipeline.fit(X, y, dnnclassifier__X_val=X[:30], dnnclassifier__y_val=y[:30])
    assert "id you mean" not in str(caught.value)
    with config_context(enable_metadata_routing=True):
        model = pipeline[-1].set_fit_request(X_val=True, y_val=True)
        make_pipeline(crosses, model, transform_input=["X_val"]).fit(X, y, X_val=X[:30], y_val=y[:30])


@pytest.mark.parametrize(
    "model", [NCFRanker(architecture="mf"), LightGCNRanker(embedding_dim=8), DCNRanker(hidden_units=(8,))]
)
def test_embeddings_of_users_are_trained_on_held_out_events_too(model):
    """The number of epochs comes from held-out events; the weights are those of a fit on all events for as long."""
    X = make_interactions(150, 40, 5_500, random_state=0)
    chosen = model.set_params(epochs=6, n_iter_no_change=2, learning_rate=0.03, random_state=0).fit(X)
    assert chosen.n_iter_ == len(chosen.loss_curve_) == np.argmax(chosen.validation_scores_) + 1
    whole = clone(model).set_params(epochs=chosen.n_iter_, early_stopping=False).fit(X)
    for name, weight in whole._weights.items():
        np.testing.assert_array_equal(chosen._weights[name], weight)
    stopped = clone(model).set_params(early_stopping=True).fit(X)
    assert any((stopped._weights[name] != weight).any() for name, weight in whole._weights.items())


def test_callbacks_follow_the_training_that_chooses_the_epochs():
    X, seen = make_interactions(150, 40, 5_500, random_state=0), []
    model = NCFRanker(architecture="mf", epochs=4, n_iter_no_change=4, random_state=0)
    model.set_params(callbacks=lambda epoch, logs: seen.append(logs["val_ndcg"])).fit(X)
    assert seen == model.validation_scores_


@pytest.mark.parametrize("model", [GRU4RecRanker(embedding_dim=8), MultVAERanker(hidden_units=(8,), embedding_dim=4)])
def test_histories_hold_the_held_out_events_without_another_training(model):
    X = make_interactions(150, 40, 5_500, random_state=0)
    model.set_params(epochs=3, n_iter_no_change=3, random_state=0).fit(X)
    assert model.n_iter_ == len(model.loss_curve_) == len(model.validation_scores_) == 3


def test_a_model_of_ids_has_time_to_rise_above_popularity():
    """Scores start at those of popularity; with early_stopping=True, training stops as soon as it is told to."""
    X = make_interactions(150, 40, 5_500, random_state=0)
    settings = {
        "architecture": "mf",
        "learning_rate": 1e-6,
        "batch_size": 500,
        "n_iter_no_change": 1,
        "random_state": 0,
    }
    n_steps = len(NCFRanker(**settings, epochs=120).fit(X).validation_scores_)
    assert 60 < n_steps < 120
    assert len(NCFRanker(**settings, epochs=120, early_stopping=True).fit(X).validation_scores_) < 20
