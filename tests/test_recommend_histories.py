"""skrec.recommend by histories that the caller gives: as the model alone reads them, with raw ids."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import DINRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import IDEncoder

SESSIONS = [["i3", "i5"], [], ["i7", "nothing known"]]


def clicks():
    events = make_interactions(n_users=40, n_items=20, random_state=0)
    return events.assign(item_id="i" + events["item_id"].astype(str))


def test_sessions_behind_an_encoder_are_ranked_as_without_one():
    model = SASRecRanker(epochs=2, embedding_dim=8, random_state=0)
    alone = clone(model).fit(clicks())
    encoded = make_pipeline(IDEncoder().set_output(transform="pandas"), model).fit(clicks())
    for queries in (None, [1, 2, 3]):
        expected = alone.recommend(queries, k=3, history=SESSIONS)
        pd.testing.assert_frame_equal(skrec.recommend(alone, queries, k=3, history=SESSIONS), expected)
        pd.testing.assert_frame_equal(skrec.recommend(encoded, queries, k=3, history=SESSIONS), expected)


@pytest.mark.parametrize("encoders", [[], [IDEncoder()]], ids=["alone", "encoded"])
def test_a_missing_item_of_a_session_is_told_of(encoders):
    fitted = make_pipeline(*encoders, SASRecRanker(epochs=1, embedding_dim=8)).fit(clicks()[["user_id", "item_id"]])
    with pytest.raises(ValueError, match=r"^history\[1\] contains NaN: there is no id in place 1"):
        skrec.recommend(fitted, history=[["i3"], ["i3", None]])


def test_a_model_without_histories_is_told_of():
    model = PopularityRanker().fit(clicks())
    for ask in (partial(skrec.recommend, model), model.recommend, model.score_items):
        for queries in ({}, {"queries": [1, 2, 3]}):
            with pytest.raises(TypeError, match=r"PopularityRanker reads no histories\. Use .* such as SASRecRanker"):
                ask(**queries, history=SESSIONS)


MODELS = {
    "SASRec": SASRecRanker(epochs=2, embedding_dim=8, random_state=0),
    "DIN": DINRanker(epochs=1, embedding_dim=4, hidden_units=(4,), attention_units=4, random_state=0),
}
EVENTS = pd.DataFrame(
    {
        "user_id": [3, "guest", 3, 1, "guest", 3],
        "item_id": ["i5", "i2", "i7", "nothing known", "i9", "i1"],
        "timestamp": [30, 20, 10, 10, 10, 20],
    }
)


@pytest.fixture(scope="module", params=MODELS)
def both(request):
    """The model alone, and behind an encoder that keeps the order of ids: their networks are the same."""
    model = MODELS[request.param]
    return clone(model).fit(clicks()), make_pipeline(IDEncoder(time="timestamp"), clone(model)).fit(clicks())


@pytest.mark.parametrize("queries", [None, [3], ["guest", 3, 2, 3], pd.DataFrame({"user_id": [1, "guest"]})], ids=str)
def test_events_behind_an_encoder_are_read_as_by_the_model_alone(both, queries):
    alone, encoded = both
    tables = [
        EVENTS,
        EVENTS[["user_id", "item_id"]],
        EVENTS.assign(more=0)[["more", "item_id", "timestamp", "user_id"]],
    ]
    for history in (
        *tables,
        EVENTS[["user_id", "item_id"]].to_numpy(),
        pl.from_pandas(EVENTS.astype({"user_id": str})),
    ):
        expected = alone.recommend(queries, k=3, history=history)
        pd.testing.assert_frame_equal(skrec.recommend(encoded, queries, k=3, history=history), expected)


def test_a_two_dimensional_array_has_events_and_a_list_of_lists_sessions(both):
    pairs = np.array([[3, "i5"], [3, "i7"], [1, "i2"]], dtype=object)
    for model in both:
        assert len(skrec.recommend(model, history=pairs, k=1)) == 2
        assert len(skrec.recommend(model, history=[["i5", "i7"], ["i2"], []], k=1)) == 3


def test_strangers_with_a_history_may_have_ids_of_another_kind(both):
    for model in both:
        assert skrec.recommend(model, ["guest"], history=[["i5"]], k=1)["user_id"].tolist() == ["guest"]


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ([5, 6], ValueError, "history holds 5, which is not a list: pass a list of lists"),
        ("i5", ValueError, "history is 'i5'; pass a list with the item ids of each query"),
        ([{"i5"}], TypeError, "history holds a set, which has no order"),
        (pd.DataFrame({"user_id": [1], "item": ["i5"]}), ColumnError, "no column 'item_id'.*Did you mean 'item'"),
        (EVENTS.assign(item_id=None), ValueError, "NaN"),
    ],
)
def test_what_is_no_history_is_told_of_in_the_same_words(both, history, error, message):
    for model in both:
        with pytest.raises(error, match=message):
            skrec.recommend(model, history=history)


def test_unknown_items_of_a_history_are_an_error_if_the_model_refuses_them():
    model = SASRecRanker(epochs=1, embedding_dim=8, handle_unknown="error")
    encoded = make_pipeline(IDEncoder(time="timestamp"), model).fit(clicks())
    with pytest.raises(UnknownIdError, match=r"history\[\d\] has 1 unknown items: 'nothing known'"):
        skrec.recommend(encoded, [1, 2, 3], history=SESSIONS)


def test_what_is_missing_is_told_of(both):
    for model in both:
        with pytest.raises(ValueError, match="recommend needs queries.*, or history= for sessions without a user"):
            skrec.recommend(model, k=2)


def test_lists_by_user_are_aligned_with_the_queries(both):
    given = {"guest": ["i5"], 3: ["i7", "i2"], 1: []}
    for model in both:
        expected = skrec.recommend(model, [3, "guest", 3], k=3, history=[["i7", "i2"], ["i5"], ["i7", "i2"]])
        for history in (given, pd.Series(given)):
            pd.testing.assert_frame_equal(skrec.recommend(model, [3, "guest", 3], k=3, history=history), expected)
        expected = skrec.recommend(model, ["guest", 3, 1], k=3, history=[["i5"], ["i7", "i2"], []])
        pd.testing.assert_frame_equal(skrec.recommend(model, k=3, history=given), expected)
        with pytest.raises(ValueError, match=r"history has no list for 1 of the 2 queries, for instance 2 \(int\)"):
            skrec.recommend(model, [3, 2], history=given)
        with pytest.raises(ValueError, match="history holds 'i5', which is not a list"):
            skrec.recommend(model, ["guest"], history={"guest": "i5"})
