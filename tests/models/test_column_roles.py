"""What a column is taken for: told, tolerant of a few odd rows, and never ignored."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import skrec
from skrec.exceptions import ColumnError
from skrec.models import FMClassifier, FMRanker, NCFRanker

SMALL = {"epochs": 1, "embedding_dim": 4, "batch_size": 256, "numeric_embedding": "linear", "random_state": 0}
N = 600


def events(seed=0):
    draw = np.random.default_rng(seed)
    users, items = draw.integers(0, 30, N), draw.integers(0, 40, N)
    prices = np.round(draw.gamma(2, 10, 40), 2)
    return pd.DataFrame(
        {
            "user_id": users,
            "item_id": items,
            "price": prices[items],
            "age": 20.0 + users,
            "hour": draw.integers(0, 24, N),
        }
    )


def fit(X, **parameters):
    return FMRanker(**SMALL, **parameters).fit(X)


def roles(model):
    return model.column_roles_["role"].to_dict()


@pytest.fixture(scope="module")
def fitted():
    return fit(events())


def test_the_roles_are_told(fitted):
    assert roles(fitted) == {
        "user_id": "user",
        "item_id": "item",
        "price": "item feature",
        "age": "user feature",
        "hour": "context",
    }
    assert fitted.column_roles_["kind"].tolist() == ["id", "id", "numeric", "numeric", "numeric"]
    assert fitted.column_roles_.loc["price", "reason"] == "the same in all rows of an item"
    assert "item feature" in str(fitted.column_roles_)


def test_a_few_odd_prices_are_tolerated_and_told_of():
    X = events()
    odd = X.assign(price=X["price"] + (X.index % 100 == 7) * 0.01)
    with pytest.warns(
        UserWarning, match=r"'price' is the same .* except for 6 of 600 rows: row 7 has .*item_features="
    ) as w:
        model = fit(odd)
    assert len(w) == 1
    assert model._item_fields.names == ("price",)


@pytest.mark.parametrize("row", [7, N - 1])
def test_a_gap_is_tolerated_and_filled(row, fitted):
    X = events()
    model = fit(X.assign(price=X["price"].where(X.index != row)))
    assert model._item_fields.names == ("price",)
    flagged = model._catalogue["item_numbers"]
    assert not flagged[model._items.encode(X["item_id"]), 1].any()
    np.testing.assert_allclose(flagged[1:, 0], fitted._catalogue["item_numbers"][1:, 0], atol=0.01)


def test_gaps_in_later_parts_leave_what_is_known():
    X = events().assign(
        brand=lambda X: "b" + (X["item_id"] % 7).astype(str), tags=lambda X: [[f"t{i % 3}"] for i in X["item_id"]]
    )
    X.loc[3, ["price", "brand", "tags"]] = None
    model = fit(X)
    assert model._item_fields.names == ("brand", "tags", "price")
    before = {name: array.copy() for name, array in model._catalogue.items()}
    model.partial_fit(X[:50].assign(price=np.nan, brand=None, tags=None))
    for name, array in model._catalogue.items():
        np.testing.assert_array_equal(array, before[name])
    model.partial_fit(X[:50].assign(price=1.0, tags=None))
    changed = model._items.encode(X["item_id"][:50])
    assert len(np.unique(model._catalogue["item_numbers"][changed, 0])) == 1
    np.testing.assert_array_equal(model._catalogue["item_bag_0"], before["item_bag_0"])


def test_what_nearly_is_a_feature_of_the_item_is_the_querys_with_a_warning():
    X = events()
    odd = X.assign(price=X["price"] + (X.index % 10 == 7))
    with pytest.warns(UserWarning, match=r"'price' .* except for 60 of 600 rows.*assigned to the query, so"):
        model = fit(odd)
    assert roles(model)["price"] == "context"
    named = fit(odd, item_features=["price"])
    assert named.column_roles_.loc["price"].tolist() == ["item feature", "numeric", "named in item_features"]


def test_items_of_a_single_row_tell_nothing():
    X = events().assign(item_id=np.arange(N))
    with pytest.warns(UserWarning, match=r"too little evidence whether .*'price' and 'hour'.*item_features="):
        model = fit(X)
    assert roles(model) == {**roles(model), "price": "context", "hour": "context", "age": "user feature"}
    few = X.assign(item_id=np.where(X.index < 40, X.index // 2, X.index))  # 20 items have two rows: enough to tell
    few["price"] = few["item_id"] / 3
    assert roles(fit(few)) == {**roles(model), "price": "item feature"}


def test_users_of_a_single_row_hide_no_feature_of_the_item():
    X = events().assign(user_id=np.arange(N))
    assert roles(fit(X)) == {**roles(fit(X)), "price": "item feature", "hour": "context"}


def test_what_follows_from_both_is_told_of():
    draw = np.random.default_rng(0)
    users = draw.integers(0, 30, N)
    X = pd.DataFrame({"user_id": users, "item_id": 3 * draw.integers(0, 12, N) + users % 3})
    X["market"] = np.array(["de", "fr", "it"])[users % 3]
    with pytest.warns(UserWarning, match=r"'market' has the same value in all rows of an item and also in .* a user"):
        assert roles(fit(X))["market"] == "user feature"
    assert roles(fit(X, item_features=["market"]))["market"] == "item feature"


@pytest.mark.parametrize(
    "values",
    {
        "sets": lambda i, odd: {0, 8, i} if odd else {i, 8, 0},
        "lists": lambda i, odd: [f"g{i % 3}"] if odd else (f"g{i % 3}",),
        "arrays": lambda i, odd: np.array([f"g{i % 3}", "h"]) if odd else ["h", f"g{i % 3}"],
        "gaps": lambda i, odd: f"g{i % 3}" if i % 4 else (None if odd else np.nan),
        "numbers": lambda i, odd: (1.0 if odd else True) if i % 2 else "two",
        "gaps in lists": lambda i, odd: [f"g{i}", None] if odd else [f"g{i}"],
    }.items(),
    ids=lambda pair: pair[0],
)
def test_values_are_compared_as_they_are_encoded(values):
    X = events()[["user_id", "item_id"]]
    cells = [values[1](i, odd) for i, odd in zip(X["item_id"], X.index % 2 == 1, strict=True)]
    assert roles(fit(X.assign(g=pd.Series(cells, dtype=object))))["g"] == "item feature"


def test_columns_that_would_be_ignored_are_refused(fitted):
    new = pd.DataFrame({"item_id": [100, 101], "price": [1.0, 2.0]})
    assert fitted.score_items([1], new).shape == (1, 2)
    X = events()
    items = X[:5].drop(columns="user_id")  # with the user they would be pairs
    np.testing.assert_array_equal(fitted.score_items([1], items), fitted.score_items([1], items[["item_id", "price"]]))
    for column, message in (
        ("hour", r"candidates have the column 'hour'.*\(context: different in .*item_features=\['price', 'hour'\]"),
        ("age", r"candidates have the column 'age'.*user feature: the same in all rows of a user"),
        ("colour", "candidates have the column 'colour', which fit did not see"),
    ):
        for method in (fitted.score_items, fitted.recommend):
            with pytest.raises(ColumnError, match=message):
                method([1], candidates=new.assign(**{column: 1.0}))
    queries = X[:3][["user_id", "age", "hour"]]
    assert fitted.score_items(queries).shape == (3, 40)
    with pytest.raises(ColumnError, match="queries have the column 'price'.*does not name 'price'"):
        fitted.score_items(queries.assign(price=1.0))
    without = fit(X, item_features=None)
    with pytest.raises(ColumnError, match="candidates have the column 'price'.*not named in item_features"):
        without.recommend([1], candidates=new)


def test_roles_stay_in_partial_fit_warm_start_and_files(fitted, tmp_path):
    other = events(1)  # with other prices
    model = pickle.loads(pickle.dumps(fitted)).partial_fit(other)
    pd.testing.assert_frame_equal(model.column_roles_, fitted.column_roles_)
    assert roles(model.set_params(warm_start=True).fit(other.assign(price=other["hour"] + 0.5))) == roles(fitted)
    skrec.save(fitted, tmp_path / "model")
    pd.testing.assert_frame_equal(skrec.load(tmp_path / "model").column_roles_, fitted.column_roles_)
    old = pickle.loads(pickle.dumps(fitted))
    del old._decided_roles
    assert roles(old) == {**roles(fitted), "age": "context"}


def test_roles_of_models_of_ids_and_of_arrays():
    X = events()
    assert roles(NCFRanker(epochs=1, embedding_dim=4).fit(X)) == {
        "user_id": "user",
        "item_id": "item",
        **dict.fromkeys(["price", "age", "hour"], "ignored"),
    }
    assert roles(fit(X.to_numpy())) == {0: "user", 1: "item", 2: "item feature", 3: "user feature", 4: "context"}
    prefixed = X.add_prefix("remainder__")
    assert roles(fit(prefixed, item_features=["price"]))["remainder__price"] == "item feature"


def test_ids_that_are_taken_for_numbers_are_told_of():
    X, y = events(), np.arange(N) % 2
    with pytest.warns(UserWarning, match=r"'user_id', 'item_id' look like ids.*user='user_id', item='item_id'"):
        model = FMClassifier(**SMALL).fit(X, y)
    assert roles(model) == dict.fromkeys(X, "feature")
    for silent in (X.astype({"user_id": "category", "item_id": str}), X.drop(columns=["user_id", "item_id"])):
        with warnings.catch_warnings(action="error"):
            FMClassifier(**SMALL).fit(silent, y)
    with warnings.catch_warnings(action="error"):
        FMClassifier(**SMALL, user="user_id", item="item_id").fit(X, y)
