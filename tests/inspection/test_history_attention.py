"""Attention over histories as arrays, aligned with the events."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrec.datasets import make_interactions
from skrec.inspection import history_attention
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import DINRanker, GRU4RecRanker, NCFRanker, SASRecRanker
from skrec.preprocessing import IDEncoder

X = make_interactions(20, 15, 200, ids="str", random_state=0).sample(frac=1, random_state=0)
FAST = {"epochs": 1, "embedding_dim": 8, "random_state": 0}


@pytest.fixture(scope="module")
def sasrec():
    return SASRecRanker(**FAST).fit(X)


@pytest.fixture(scope="module")
def din():
    return DINRanker(**FAST).fit(X)


@pytest.mark.parametrize("asked", [{"queries": ["u03", "u07"]}, {"history": [["i02", "i11", "i02"], [], ["i05"]]}])
def test_the_weights_are_shares(sasrec, asked):
    attention = history_attention(sasrec, **asked)
    assert attention.weights.dtype == np.float32
    assert (attention.weights >= 0).all()
    assert (attention.weights.sum(axis=1) < 1).all()  # the start of the history has a share


def test_the_columns_are_the_events_in_the_order_of_time(sasrec):
    attention = history_attention(sasrec, ["u03", "nobody", "u07"])
    events = X.sort_values("timestamp")
    for row, user in ((0, "u03"), (2, "u07")):
        past = events.loc[events["user_id"] == user, "item_id"].tolist()
        padding = attention.past_items.shape[1] - len(past)
        assert attention.past_items[row].tolist() == [None] * padding + past
        assert not attention.weights[row, :padding].any()
    assert attention.past_items[1].tolist() == [None] * attention.past_items.shape[1]
    assert not attention.weights[1].any()


def test_an_unknown_item_has_a_weight_but_no_id(sasrec):
    attention = history_attention(sasrec, history=[["i02", "new"], ["i05"]])
    assert attention.past_items.tolist() == [["i02", None], [None, "i05"]]
    assert (attention.weights != 0).tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize("asked", [{"queries": []}, {"history": []}, {"history": [[], []]}])
def test_nothing_asked_or_nothing_past(sasrec, asked):
    attention = history_attention(sasrec, **asked)
    assert attention.past_items.shape == attention.weights.shape == (len(asked.get("history", [])), 0)


def test_of_a_din_it_depends_on_the_item(din):
    recommended = din.recommend(["u03"], k=2)
    attention = history_attention(din, recommended)
    assert attention.past_items[0].tolist() == attention.past_items[1].tolist()
    assert (attention.weights[0] != attention.weights[1]).any()
    other = history_attention(din, ["u03", "u03"], recommended["item_id"])
    assert np.array_equal(attention.weights, other.weights)
    with pytest.raises(ValueError, match="attention of DINRanker depends on the item. Pass items="):
        history_attention(din, ["u03"])


def test_searches_are_peeled_off():
    scorer = make_ranking_scorer("ndcg@10")
    search = GridSearchCV(SASRecRanker(**FAST), {"n_heads": [1, 2]}, scoring=scorer, cv=LeaveLastOut()).fit(X)
    found, expected = (history_attention(model, ["u03"]) for model in (search, search.best_estimator_))
    assert np.array_equal(found.weights, expected.weights)


@pytest.mark.parametrize("model", [GRU4RecRanker(), NCFRanker()])
def test_other_models_have_none(model):
    name = type(model).__name__
    with pytest.raises(TypeError, match=f"Only SASRec and DIN have attention over histories.* got {name}"):
        history_attention(model, [1])


def test_other_errors_say_what_to_do(sasrec):
    with pytest.raises(NotFittedError):
        history_attention(SASRecRanker(), [1])
    with pytest.raises(TypeError, match="SASRecRanker is behind transformers, .*: pass the last step"):
        history_attention(make_pipeline(IDEncoder(), SASRecRanker()), [1])
    with pytest.raises(ValueError, match="recommend needs queries: .* or history="):
        history_attention(sasrec)
