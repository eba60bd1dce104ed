"""``predict`` needs the columns of ``fit``, scikit-learn's rule; the other methods need what they use."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skrec.exceptions import ColumnError
from skrec.models import DINRanker, GRU4RecRanker, NCFRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import HistoryEncoder

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "note": RNG.random(60),
        "user_id": np.arange(60) % 6,
        "rating": RNG.integers(1, 6, 60),
        "item_id": RNG.integers(0, 10, 60),
        "timestamp": np.arange(60),
    }
)
LATER = pd.DataFrame({"timestamp": [70, 71], "item_id": [3, 4], "user_id": [1, 77]})
FULL = LATER.assign(note=0.5, rating=5)[X.columns]
SMALL = {"epochs": 1, "embedding_dim": 8, "random_state": 0}
SEQUENCES = [SASRecRanker(max_history=8, **SMALL), GRU4RecRanker(max_history=8, **SMALL)]
TABLES = [pd.DataFrame, lambda frame: frame.astype(float).to_numpy()]


@pytest.mark.parametrize("model", SEQUENCES, ids=["SASRec", "GRU4Rec"])
def test_events_need_no_columns_that_the_model_does_not_use(model):
    fitted = [clone(model).fit(X) for _ in range(2)]
    fitted[0].append_history(LATER)
    fitted[1].append_history(FULL)
    expected = fitted[1].score_items([1, 77])
    np.testing.assert_array_equal(fitted[0].score_items([1, 77]), expected)
    np.testing.assert_array_equal(fitted[0].seen_items([1, 77]).toarray(), fitted[1].seen_items([1, 77]).toarray())
    for missing, message in (
        ("user_id", "no column 'user_id', the user in fit.*Add it"),
        ("item_id", "no column 'item_id', the item in fit"),
        ("timestamp", "no column 'timestamp', the time in fit.*Add it"),
    ):
        with pytest.raises(ColumnError, match=message):
            fitted[0].append_history(LATER.drop(columns=missing))
    with pytest.raises(ColumnError, match="Did you mean 'item_ids'"):
        fitted[0].append_history(LATER.rename(columns={"item_id": "item_ids"}))
    np.testing.assert_array_equal(fitted[0].score_items([1, 77]), expected)


def test_an_array_may_lack_its_last_columns():
    array = X[["user_id", "item_id", "timestamp", "rating"]].to_numpy()
    model = SASRecRanker(max_history=8, time=2, **SMALL).fit(array)
    model.append_history(np.array([[1, 3, 70], [77, 4, 71]]))
    assert model.seen_items([77]).toarray().sum() == 1
    with pytest.raises(ColumnError, match="The time was column 2 in fit, but there are only 2 columns here"):
        model.append_history(np.array([[1, 3]]))
    with pytest.raises(ValueError, match="X has 5 features, but SASRecRanker is expecting 4"):
        model.append_history(np.ones((1, 5)))


def test_a_model_of_features_keeps_what_it_knows_where_events_have_none():
    model = DINRanker(hidden_units=(8,), max_history=8, **SMALL).fit(X)
    before = model._contexts
    model.append_history(LATER)
    for name, kept in before.items():
        np.testing.assert_array_equal(model._contexts[name][: len(kept)], kept)
    assert np.isfinite(model.score_items([1, 77])).all()
    model.append_history(FULL.assign(timestamp=[80, 81]))
    assert any((model._contexts[name][: len(kept)] != kept).any() for name, kept in before.items())
    with pytest.raises(
        ColumnError, match="The events lack the column.*'rating', which fit saw.*or pass none of the col"
    ):
        model.append_history(FULL.drop(columns="rating"))


@pytest.mark.parametrize("model", [NCFRanker(**SMALL), *SEQUENCES], ids=["NCF", "SASRec", "GRU4Rec"])
def test_predict_follows_the_rule_of_scikit_learn(model):
    fitted = clone(model).fit(X)
    for column in ("note", "timestamp"):
        with pytest.raises(ValueError, match="feature names should match.*\n.*missing:\n- " + column):
            fitted.predict(X.drop(columns=column))
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.predict(X[X.columns[::-1]])


def test_other_methods_need_what_they_use():
    users, pairs = X[["user_id"]][:3], X[["item_id", "user_id"]][:3]
    for model in (NCFRanker(**SMALL), PopularityRanker(), SASRecRanker(max_history=8, **SMALL)):
        fitted = model.fit(X)
        assert len(fitted.recommend(users, k=2, exclude=pairs, exclude_seen=False)) == 6
        assert fitted.score_items(users, candidates=pairs[["item_id"]]).shape == (3, 3)
        assert fitted.seen_items(users).shape[0] == 3
        assert [ids.tolist() for ids in fitted.role_ids(pairs)] == [
            X["user_id"][:3].tolist(),
            X["item_id"][:3].tolist(),
        ]
    assert len(fitted.recommend(history=pairs, k=1)) == 3
    assert len(fitted.recommend(history=pairs.assign(timestamp=[3, 2, 1]), k=1)) == 3


def test_history_encoder_needs_the_roles_to_append():
    encoders = [HistoryEncoder(max_history=3).fit(X) for _ in range(2)]
    encoders[0].append_history(LATER)
    encoders[1].append_history(FULL)
    rows = FULL.assign(timestamp=99)
    found, expected = (encoder.set_output(transform="pandas").transform(rows)["history"] for encoder in encoders)
    assert found.tolist() == expected.tolist()
    assert found[1] == [4]
    with pytest.raises(ColumnError, match="no column 'timestamp', the time in fit"):
        encoders[0].append_history(LATER.drop(columns="timestamp"))
    with pytest.raises(ValueError, match="feature names should match"):
        encoders[0].transform(LATER)
