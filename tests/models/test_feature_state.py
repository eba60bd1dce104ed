"""What models of features keep, copy and go on from: codes, contexts, the catalogue, bits."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import skrec
from skrec import models

N = 160
_draw = np.random.default_rng(0)
EVENTS = pd.DataFrame(
    {
        "user_id": _draw.integers(0, 20, N),
        "city": _draw.choice(["Bern", "Rome", None], N),
        "age": np.where(_draw.random(N) < 0.2, np.nan, _draw.normal(40, 10, N)),
        "item_id": _draw.choice(list("abcdefghij"), N),
        "tags": _draw.choice(["new", "new|hot", "hot", ""], N),
    }
)
EVENTS["genres"] = EVENTS["item_id"].map(lambda item: ["War"] if item < "e" else ["Drama", item])
EVENTS["image"] = EVENTS["item_id"].map(lambda item: np.array([ord(item), ord(item) % 3], np.float32))
LABELS = _draw.choice(["no", "yes"], N)
SMALL = {"embedding_dim": 4, "n_bins": 4, "batch_size": 32, "epochs": 2, "random_state": 0}
SMALL = {**SMALL, "multivalued_features": ["tags"], "item_features": ["genres", "image"]}
ROLES = {"user": "user_id", "item": "item_id"}
MODELS = {
    "FMRanker": models.FMRanker(**SMALL),
    "DCNRanker": models.DCNRanker(**SMALL, hidden_units=(8,), dropout=0.2, id_dropout=0.1, l1=1e-4),
    "WideDeepClassifier": models.WideDeepClassifier(
        **SMALL, **ROLES, hidden_units=(8,), crosses=[("user_id", "city"), ("city", "item_id")], n_cross_bins=64
    ),
}


def fit(model, X=EVENTS, method="fit"):
    return getattr(model, method)(X, *targets(model, len(X)))


def targets(model, n_rows):
    return () if type(model).__name__.endswith("Ranker") else (LABELS[:n_rows],)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    return fit(clone(MODELS[request.param]))


def bits(model):
    """Scores of rows, and of users and items known, known by their last features, and unknown."""
    return model.predict(EVENTS[:20]).tolist(), model.score_items([*range(20), 99]).tobytes()


def test_the_same_random_state_gives_the_same_bits(fitted):
    again = fit(clone(fitted))
    assert bits(again) == bits(fitted)
    assert bits(fit(clone(fitted).set_params(random_state=1))) != bits(fitted)


def test_clone_keeps_parameters_and_nothing_learnt(fitted):
    fresh = clone(fitted)
    assert repr(fresh) == repr(fitted)
    assert not fresh.__sklearn_is_fitted__()


@pytest.mark.parametrize("way", ["pickle", "joblib", "skrec"])
def test_a_copy_scores_and_goes_on_the_same_bit_for_bit(fitted, way, tmp_path):
    if way == "pickle":
        copy = pickle.loads(pickle.dumps(fitted))
    elif way == "joblib":
        joblib.dump(fitted, tmp_path / "model")
        copy = joblib.load(tmp_path / "model")
    else:
        skrec.save(fitted, tmp_path / "model.skrec")
        copy = skrec.load(tmp_path / "model.skrec")
    assert bits(copy) == bits(fitted)
    assert copy.field_names_ == fitted.field_names_
    new = pd.DataFrame({"item_id": ["new", "a"], "genres": [["War"], ["unheard of"]], "image": [np.ones(2)] * 2})
    pd.testing.assert_frame_equal(
        copy.recommend([3, 99], k=3, candidates=new, exclude_seen=False),
        fitted.recommend([3, 99], k=3, candidates=new, exclude_seen=False),
    )
    other = pickle.loads(pickle.dumps(fitted))
    assert bits(fit(copy, EVENTS[:50], "partial_fit")) == bits(fit(other, EVENTS[:50], "partial_fit"))


def changed():
    """Rows with a new user, item, city and genre, and a longer list."""
    X = EVENTS[:30].copy()
    X["user_id"], X["item_id"], X["city"] = 77, "zz", "Oslo"
    X["genres"] = [["Comedy", "War", "Drama", "Art", "Noir", "News", "Live", "Kids", "Long"]] * 30
    return X


@pytest.mark.parametrize("method", ["partial_fit", "fit"], ids=["partial_fit", "warm_start"])
def test_going_on_lets_new_values_join_and_leaves_the_old_ones_alone(fitted, method):
    """With steps too small to matter, all that was known is scored as before."""
    model = pickle.loads(pickle.dumps(fitted)).set_params(learning_rate=1e-12, warm_start=method == "fit")
    if "Wide" in type(model).__name__:
        model.set_params(wide_learning_rate=1e-12)
    before, known = fitted.score_items(range(20)), fitted.predict(EVENTS[:20])
    X = changed() if method == "partial_fit" else pd.concat([EVENTS, changed()], ignore_index=True)
    y = tuple(np.resize(target, len(X)) for target in targets(model, N))
    getattr(model, method)(X, *y)
    assert model.users_.tolist() == [*range(20), 77]
    assert model.items_.tolist() == [*"abcdefghij", "zz"]
    if "Classifier" in type(model).__name__:
        assert model.predict(EVENTS[:20]).tolist() == known.tolist()
    else:
        np.testing.assert_allclose(model.predict(EVENTS[:20]), known, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.score_items(range(20))[:, :10], before, rtol=1e-4, atol=1e-4)
    for fields, old in ((model._query_fields, fitted._query_fields), (model._item_fields, fitted._item_fields)):
        for name in old.vocabularies:
            np.testing.assert_array_equal(fields.rows_of(name)[: len(old.rows_of(name))], old.rows_of(name))
    assert "Oslo" in model._query_fields.vocabularies["city"].ids
    assert model.n_iter_ == (1 if method == "partial_fit" else 2)


def test_partial_fit_learns_and_keeps_the_latest_features():
    model = fit(clone(MODELS["FMRanker"]).set_params(learning_rate=0.05))
    for _ in range(30):
        fit(model, changed(), "partial_fit")
    assert model.recommend([77], k=1, exclude_seen=False)["item_id"].tolist() == ["zz"]
    catalogue = changed()[-1:][["item_id", "genres", "image"]]
    np.testing.assert_array_equal(model.score_items([3])[0, -1:], model.score_items([3], catalogue)[0])
    old = EVENTS.drop_duplicates("item_id").set_index("item_id").loc[list("abcdefghij")].reset_index()
    np.testing.assert_allclose(
        model.score_items([3])[:, :10], model.score_items([3], old[["item_id", "genres", "image"]]), rtol=1e-5
    )


def test_warm_start_goes_on_where_the_last_fit_stopped():
    model = fit(clone(MODELS["FMRanker"]).set_params(warm_start=True, epochs=5))
    first = model.loss_curve_
    assert fit(model).loss_curve_[-1] < first[-1]
    assert model.loss_curve_[5] < first[0]


def test_going_on_with_another_structure_is_refused(fitted, unchanged):
    model = pickle.loads(pickle.dumps(fitted)).set_params(embedding_dim=5, warm_start=True)
    message = "structure of the network has changed.*Fit again with warm_start=False"
    with unchanged(model), pytest.raises(ValueError, match=message):
        fit(model)


def test_wide_weights_outlive_a_fit_that_goes_on():
    """FTRL computes a weight from its slots alone: they have to start from the weight where they are not kept."""
    X = pd.DataFrame({"left": ["a", "b"] * 100, "right": ["u", "v", "w", "w"] * 50})
    y = (X["left"] == "a").to_numpy()
    model = models.WideDeepClassifier(hidden_units=(), wide_learning_rate=0.3, batch_size=32, random_state=0).fit(X, y)
    before = model.decision_function(X)
    assert np.abs(before).min() > 1
    model.set_params(wide_learning_rate=1e-9, learning_rate=1e-9).partial_fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), before, rtol=1e-3)
    model.set_params(wide_learning_rate=0.3).partial_fit(X[:32], y[:32])
    assert (np.abs(model.decision_function(X)) > 0.9 * np.abs(before)).all()


def timed(shift=0):
    """Users and items in order of time, whose features change with it."""
    events = EVENTS[["user_id", "item_id"]].assign(timestamp=np.arange(N) + shift)
    return events.assign(mood=np.sin(events["timestamp"] * 1.7), price=np.cos(events["timestamp"] * 0.9))


@pytest.mark.parametrize("warm_start", [False, True])
def test_an_older_event_does_not_replace_the_latest_features(warm_start, tmp_path):
    events, settings = timed(), {"embedding_dim": 4, "n_bins": 4, "epochs": 1, "random_state": 0}
    model = models.FMRanker(**settings, item_features=["price"]).fit(events)
    skrec.save(model, tmp_path / "model.skrec")
    model = skrec.load(tmp_path / "model.skrec").set_params(warm_start=warm_start)
    older = timed(-1000)
    model = model.fit(older) if warm_start else model.partial_fit(older)
    users, items = events.groupby("user_id").tail(1), events.groupby("item_id").tail(1)
    known = model.score_items(users["user_id"], items["item_id"])
    assert np.array_equal(known, model.score_items(users, items.drop(columns="user_id")))
    later = timed(1000)[:30].sample(frac=1, random_state=0)
    model.partial_fit(later)
    there = later.sort_values("timestamp").groupby("user_id").tail(1)
    assert np.array_equal(model.score_items(there["user_id"], items["item_id"]), known_as(model, there, later, events))


def known_as(model, users, later, events):
    """Scores of users by their rows, of the items of ``events`` by their last rows."""
    items = events.groupby("item_id").tail(1)
    last = pd.concat([events, later]).sort_values("timestamp").groupby("item_id").tail(1)
    new = last.set_index("item_id").loc[items["item_id"]].reset_index()
    return model.score_items(users, new.drop(columns="user_id"))


def test_without_times_the_later_call_replaces_them():
    events, older = timed().drop(columns="timestamp"), timed(-1000).drop(columns="timestamp")
    settings = {"embedding_dim": 4, "n_bins": 4, "epochs": 1, "random_state": 0}
    model = models.FMRanker(**settings, item_features=["price"]).fit(events).partial_fit(older)
    users, items = older.groupby("user_id").tail(1), older.groupby("item_id").tail(1)
    by_rows = model.score_items(users, items.drop(columns="user_id"))
    assert np.array_equal(model.score_items(users["user_id"], items["item_id"]), by_rows)


def test_an_older_event_that_is_appended_does_not_either():
    events = timed()
    settings = {"embedding_dim": 4, "n_bins": 4, "epochs": 1, "random_state": 0, "hidden_units": (4,)}
    model = models.DINRanker(**settings, attention_units=4, item_features=["price"]).fit(events)
    past = {"history": [["a", "b"]] * 3}
    before = model.score_items([1, 2, 3], **past)
    model.append_history(timed(-1000))
    assert np.array_equal(model.score_items([1, 2, 3], **past), before)
    model.append_history(timed(1000))
    assert not np.array_equal(model.score_items([1, 2, 3], **past), before)
