"""Rankers and classifiers that cross a query's features with an item's: catalogues, contexts, new items, cold users."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skrec import models
from skrec.testing import check_recommender

N_USERS, N_ITEMS = 36, 30
FAST = {"embedding_dim": 8, "batch_size": 64, "learning_rate": 0.01, "l2": 0, "random_state": 0}
DEEP = {**FAST, "hidden_units": (16,)}
RANKERS = {
    "FM": FAST,
    "DNN": {**DEEP, "epochs": 40},
    "DCN": DEEP,
    "NFM": DEEP,
    "DeepFM": DEEP,
    "AutoInt": {**DEEP, "attention_units": 8},
    "WideDeep": {**DEEP, "crosses": [("taste", "kind")], "wide_learning_rate": 0.3},
}
TASTES = np.array(["calm", "fast", "loud"])


def ranker(name, **parameters):
    return getattr(models, f"{name}Ranker")(**{**RANKERS[name], **parameters})


def table(users, items):
    """Rows of users and items with their features: a user's taste and age, an item's kind and price."""
    users, items = np.asarray(users), np.asarray(items)
    return pd.DataFrame(
        {
            "user_id": users,
            "taste": TASTES[users % 3],
            "age": 20.0 + users,
            "item_id": items,
            "kind": TASTES[items % 3],
            "price": items % 7 / 2,
        }
    )


def items_alone(items):
    """Candidates for all users: all columns but the user's, with which they would be pairs."""
    return table(0, items).drop(columns="user_id")


@pytest.fixture(scope="module")
def events():
    """Every user chose half of the items of the kind that is the user's taste, and one other item."""
    draw = np.random.default_rng(0)
    users, items = np.divmod(draw.permutation(N_USERS * N_ITEMS), N_ITEMS)
    chosen = ((users % 3 == items % 3) & (draw.random(len(users)) < 0.5)) | ((users - items) % N_ITEMS == 7)
    return table(users[chosen], items[chosen])


@pytest.fixture(scope="module")
def fitted(events):
    return ranker("FM").fit(events)


def own_share(frame):
    return (frame["user_id"] % 3 == frame["item_id"] % 3).mean()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in {"FM", "DCN", "WideDeep"} else pytest.mark.exhaustive) for name in RANKERS],
)
def test_a_ranker_matches_the_features_of_users_and_items(events, name):
    """It finds the kind of a known user, of new items with a known kind, and of a new user with a known taste.

    The last is asked of two networks: where ids tell all there is to learn, the others may rest on them.
    """
    model = ranker(name).fit(events)
    assert model.field_names_ == ("user_id", "taste", "age", "item_id", "kind", "price")
    assert own_share(model.recommend(np.arange(N_USERS), k=3)) > 0.8
    cold_users = table(N_USERS + np.arange(6), 0).drop(columns=["item_id", "kind", "price"])
    if name in {"DCN", "WideDeep"}:
        assert own_share(model.recommend(cold_users, k=5)) > 0.55  # 1/3 by chance
    new_items = table(0, np.arange(300, 330)).drop(columns=["user_id", "taste", "age"])
    from_new = model.recommend(np.arange(N_USERS), k=5, candidates=new_items)
    assert own_share(from_new) > 0.55
    assert from_new["item_id"].min() >= 300
    assert (from_new.groupby("user_id").size() == 5).all()


def test_a_cold_user_without_features_gets_what_most_like(fitted):
    nobody = fitted.recommend([999, 1000], k=3)
    first, second = (nobody.loc[nobody["user_id"] == user, "item_id"].tolist() for user in (999, 1000))
    assert first == second


@pytest.mark.parametrize("given", [["kind", "price"], [4, 5]], ids=["names", "positions"])
def test_item_features_may_be_named(events, fitted, given):
    named = ranker("FM", item_features=given).fit(events)
    assert named.score_items([1, 2]).tobytes() == fitted.score_items([1, 2]).tobytes()


def test_a_column_that_is_not_the_items_is_the_querys(events):
    draw = np.random.default_rng(0)
    context = events.assign(hour=draw.integers(0, 3, len(events)), same="x")
    assert ranker("FM", epochs=1).fit(context).field_names_ == (
        *("user_id", "taste", "same", "age", "hour"),
        *("item_id", "kind", "price"),
    )
    alone = ranker("FM", epochs=1, item_features=None).fit(events)
    assert alone.field_names_ == ("user_id", "taste", "kind", "age", "price", "item_id")


def test_the_context_of_a_query_decides():
    """Whoever it is: calm items in the morning, fast ones at noon, loud ones at night."""
    draw = np.random.default_rng(0)
    X = table(draw.integers(0, 12, 600), draw.integers(0, N_ITEMS, 600))
    X = X.assign(taste=X["kind"]).rename(columns={"taste": "time_of_day"})
    model = ranker("FM", item_features=["kind", "price"]).fit(X)
    for kind, time in enumerate(TASTES):
        queries = pd.DataFrame({"user_id": np.arange(12), "time_of_day": time, "age": 20.0 + np.arange(12)})
        assert (model.recommend(queries, k=3, exclude_seen=False)["item_id"] % 3 == kind).all()
    last = X.drop_duplicates("user_id", keep="last")
    queries = last[["user_id", "time_of_day", "age"]]
    assert model.score_items(last["user_id"]).tobytes() == model.score_items(queries).tobytes()


def test_a_catalogue_keeps_the_features_of_an_item_that_were_seen_last(events):
    times = np.arange(len(events))
    latest = events.groupby("item_id").tail(1).index
    moved = events.assign(timestamp=times, price=9.0)
    moved.loc[latest, "price"] = events.loc[latest, "price"]
    model = ranker("FM", item_features=["kind", "price"], epochs=1).fit(moved[::-1])
    catalogue = events[["item_id", "kind", "price"]].drop_duplicates("item_id").sort_values("item_id")
    np.testing.assert_array_equal(model.score_items([3]), model.score_items([3], catalogue))
    np.testing.assert_allclose(
        model.score_items([3], catalogue.assign(price=9.0)) == model.score_items([3], catalogue), False
    )


def test_candidates_and_queries_may_lie_in_any_order_of_columns(fitted):
    new_items = items_alone(np.arange(300, 312))
    queries = table([1, 40], 0)
    expected = fitted.score_items(queries, new_items)
    np.testing.assert_array_equal(fitted.score_items(queries[queries.columns[::-1]], new_items), expected)
    np.testing.assert_array_equal(fitted.score_items(queries, new_items.iloc[:, ::-1]), expected)


def test_candidates_without_some_features_are_refused(fitted):
    new_items = table(0, np.arange(300, 312))
    with pytest.raises(ValueError, match=r"candidates lack the column\(s\) 'kind'.*Add them, or pass ids alone"):
        fitted.recommend([1], candidates=new_items[["item_id", "price"]])
    with pytest.raises(ValueError, match=r"queries lack the column\(s\) 'age'.*Add them, or pass ids alone"):
        fitted.recommend(new_items[["user_id", "taste"]])


def test_arrays_have_their_roles_by_position(events):
    X = events[["user_id", "item_id", "taste", "kind", "age", "price"]]
    framed, arrayed = (ranker("FM", epochs=2).fit(data) for data in (X, X.to_numpy(object)))
    np.testing.assert_array_equal(framed.predict(X), arrayed.predict(X.to_numpy(object)))
    np.testing.assert_array_equal(framed.score_items([1, 2]), arrayed.score_items([1, 2]))
    assert arrayed.recommend([1], k=2).columns.tolist() == ["user_id", "item_id", "score", "rank"]


# -- classifiers and regressors with roles ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    users, items = np.divmod(np.random.default_rng(0).permutation(N_USERS * N_ITEMS)[:700], N_ITEMS)
    return table(users, items)


def liked(frame):
    return (frame["user_id"] % 3 == frame["item_id"] % 3).to_numpy()


@pytest.mark.parametrize("task", ["Classifier", "Regressor"])
def test_with_roles_classifiers_and_regressors_recommend(rows, task):
    y = liked(rows) if task == "Classifier" else 1.0 + 4 * liked(rows)
    model = getattr(models, f"FM{task}")(**FAST, user="user_id", item="item_id").fit(rows, y)
    assert own_share(model.recommend(np.arange(N_USERS), k=3, exclude_seen=False)) > 0.9
    assert (len(model.users_), len(model.items_)) == (N_USERS, N_ITEMS)
    new_items = items_alone(np.arange(300, 330))
    assert own_share(model.recommend(np.arange(N_USERS), k=3, candidates=new_items)) > 0.9
    grid = rows[:5]
    scores = model.score_items(grid, grid.drop(columns="user_id"))
    by_row = model.decision_function(grid) if task == "Classifier" else model.predict(grid)
    np.testing.assert_allclose(np.diag(scores), by_row, rtol=1e-4, atol=1e-4)


def test_without_roles_there_is_nothing_to_recommend(rows):
    with pytest.warns(UserWarning, match="'user_id', 'item_id' look like ids"):
        model = models.FMClassifier(**FAST).set_params(epochs=1).fit(rows, liked(rows))
    assert "user_id" in model.field_names_
    for call in (lambda: model.recommend([1]), lambda: model.items_, lambda: model.user_embeddings_):
        with pytest.raises(AttributeError, match=r"without (user|item)s.*user=\.\.\., item=\.\.\."):
            call()
    assert not hasattr(model, "users_")


def test_an_item_without_a_user_is_refused(rows, unchanged):
    model = models.FMClassifier(**FAST, item="item_id")
    with unchanged(model), pytest.raises(ValueError, match="item= was passed without user=.*pass the user column"):
        model.fit(rows, liked(rows))


def test_a_users_own_row_counts_without_an_item(rows):
    """A role of the user alone makes the id a category of its own."""
    model = models.FMClassifier(**FAST, user="user_id").set_params(epochs=1)
    with pytest.warns(UserWarning, match="'item_id' look like ids"):
        model.fit(rows, liked(rows))
    assert model.user_embeddings_.shape == (N_USERS, 8)
    with pytest.raises(AttributeError, match="without items"):
        model.recommend([1])


@pytest.mark.parametrize(
    "model",
    [
        ranker("FM"),
        models.DeepFMClassifier(**DEEP, early_stopping=False, user="user_id", item="item_id"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_of_features_pass_the_checks_of_recommenders(model):
    check_recommender(clone(model))


@pytest.mark.parametrize("times", [False, True], ids=["row order", "timestamp"])
def test_early_stopping_asks_in_the_context_that_scorers_ask_in(times):
    """Each hour has its items. Users were last seen at night, and the validation rows are of all hours."""
    random = np.random.default_rng(0)
    hour = random.choice(["day", "night"], 600)
    X = pd.DataFrame({"user_id": random.integers(0, 30, 600), "hour": hour})
    X["item_id"] = random.integers(0, 15, 600) + 15 * (hour == "night")
    last = pd.DataFrame({"user_id": range(30), "hour": "night", "item_id": random.integers(15, 30, 30)})
    X_val = pd.DataFrame({"user_id": [*range(30), *range(30)], "hour": ["day"] * 30 + ["night"] * 30})
    X_val["item_id"] = random.integers(0, 15, 60) + 15 * (X_val["hour"] == "night")
    X = pd.concat([X, last], ignore_index=True)
    if times:
        X, X_val = X.assign(timestamp=range(630)), X_val.assign(timestamp=range(1060, 1000, -1))
    model = ranker("FM", epochs=10, item_features=None).fit(X, X_val=X_val)
    assert model.score(X_val) == pytest.approx(model.best_validation_score_, abs=1e-5)
