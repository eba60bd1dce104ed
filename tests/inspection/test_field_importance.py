"""Field importance: known right answers, and the definition computed with nothing but ``predict``."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrec.inspection import field_importance
from skrec.models import (
    DCNClassifier,
    DCNRanker,
    DINClassifier,
    DNNClassifier,
    FMClassifier,
    FMRegressor,
    NCFClassifier,
    WideDeepClassifier,
)

RANDOM = np.random.default_rng(0)
N = 600
TABLE = pd.DataFrame(
    {
        "noise": RANDOM.choice(list("pqr"), N),
        "strong": RANDOM.choice(list("abcd"), N),
        "weak": RANDOM.normal(size=N),
        "noisy_number": RANDOM.normal(size=N),
    }
)
LABEL = 4.0 * TABLE["strong"].isin(["a", "c"]) + 0.7 * TABLE["weak"] + RANDOM.logistic(size=N) > 2

KINDS = pd.DataFrame(
    {
        "city": RANDOM.choice(["Bern", "Rome", "Oslo"], 24),
        "age": np.where(RANDOM.random(24) < 0.3, np.nan, RANDOM.normal(40, 10, 24)),
        "tags": [list(RANDOM.choice(list("xyz"), RANDOM.integers(0, 3))) for _ in range(24)],
        "genres": RANDOM.choice(["Drama|War", "War", "Comedy|Drama"], 24),
        "vector": [RANDOM.normal(size=3) for _ in range(24)],
        "text": [RANDOM.normal(size=2) for _ in range(24)],
    }
)
EVENTS = pd.DataFrame({"user_id": RANDOM.integers(0, 6, 24), "item_id": RANDOM.integers(0, 8, 24)}).assign(
    price=lambda frame: frame["item_id"] * 1.5, hour=RANDOM.choice(["am", "pm"], 24)
)
FAST = {"batch_size": 16, "learning_rate": 0.02, "embedding_dim": 4, "random_state": 0}


@pytest.mark.parametrize("model", [DCNClassifier, DNNClassifier, FMClassifier])
def test_the_column_that_decides_comes_first_and_noise_last(model):
    fitted = model(epochs=5, numeric_embedding="linear", l2=0.01, early_stopping=False, random_state=0).fit(
        TABLE, LABEL
    )
    importance = field_importance(fitted, TABLE, random_state=0)
    assert importance.index.tolist() == ["noise", "strong", "weak", "noisy_number"]
    assert importance.sort_values().index.tolist()[2:] == ["weak", "strong"]
    assert importance[["noise", "noisy_number"]].max() < 0.15 * importance["strong"]


def test_fields_that_the_model_does_not_use_have_importance_0():
    wide = WideDeepClassifier(
        epochs=2, wide_features=["strong"], hidden_units=(), early_stopping=False, random_state=0
    ).fit(TABLE, LABEL)
    importance = field_importance(wide, TABLE, random_state=0)
    assert (importance.drop("strong") == 0).all()
    assert importance["strong"] > 0.1
    one_value = TABLE.assign(strong="a")
    assert field_importance(wide, one_value, random_state=0)["strong"] == 0


def centred_decision(model, X):
    logits = model.decision_function(X)
    return logits - logits.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("model", "X", "y", "predict"),
    [
        (DCNClassifier(multivalued_features=["genres"], **FAST), KINDS, np.arange(24) % 3, centred_decision),
        (FMRegressor(**FAST), KINDS, 7.0 * np.arange(24), FMRegressor.predict),
        (DCNRanker(**FAST), EVENTS, None, DCNRanker.predict),
    ],
    ids=["classifier", "regressor", "ranker"],
)
def test_it_is_the_mean_absolute_prediction_difference(model, X, y, predict):
    model.fit(X, y)
    importance = field_importance(model, X, n_repeats=200, random_state=0)
    assert set(importance.index) == set(X.columns)
    predicted, n = predict(model, X), len(X)
    for name in X.columns:
        every_value = X.iloc[np.repeat(np.arange(n), n)].reset_index(drop=True)
        every_value[name] = pd.concat([X[name]] * n, ignore_index=True)
        average = predict(model, every_value).reshape(n, n, -1).mean(axis=1).reshape(predicted.shape)
        assert importance[name] == pytest.approx(np.abs(predicted - average).mean(), rel=0.05), name


def test_the_draws_follow_random_state():
    model = FMRegressor(epochs=2, **FAST).fit(KINDS, np.arange(24))
    one, same, other = (field_importance(model, KINDS, random_state=seed) for seed in (0, 0, 1))
    pd.testing.assert_series_equal(one, same)
    assert (one != other).any()


def test_pipelines_are_explained_in_the_columns_that_reach_the_model():
    transformer = make_column_transformer(
        (StandardScaler(), ["weak"]), ("passthrough", ["strong"]), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipe = make_pipeline(transformer, FMClassifier(epochs=2, early_stopping=False, random_state=0)).fit(TABLE, LABEL)
    found = field_importance(pipe, TABLE, random_state=0)
    pd.testing.assert_series_equal(found, field_importance(pipe[-1], pipe[:-1].transform(TABLE), random_state=0))
    assert set(found.index) == {"weak", "strong"}


def test_fields_of_arrays_are_named_by_position():
    X = TABLE.to_numpy(dtype=object)
    model = FMClassifier(epochs=1, categorical_features=[0, 1], random_state=0).fit(X, LABEL)
    assert field_importance(model, X).index.tolist() == ["x0", "x1", "x2", "x3"]


def test_the_past_of_a_row_is_one_field_more():
    X = pd.DataFrame({"user_id": np.arange(90) % 9, "item_id": np.arange(90) * 7 % 11, "weak": np.arange(90) % 2})
    model = DINClassifier(epochs=2, random_state=0).fit(X, X["item_id"] > 5)
    found = field_importance(model, X, random_state=0)
    assert found.index.tolist() == ["user_id", "weak", "item_id", "history"]
    assert (found > 0).all()
    same = X.assign(user_id=0, item_id=12)  # new events of one user all see the same past
    assert field_importance(model, same, random_state=0)["history"] == 0


def test_errors_say_what_to_do():
    with pytest.raises(TypeError, match=r"got LogisticRegression.*sklearn.inspection.permutation_importance"):
        field_importance(LogisticRegression(), TABLE)
    with pytest.raises(TypeError, match="Only models of features .* got NCFClassifier"):
        field_importance(NCFClassifier(), TABLE)
    with pytest.raises(NotFittedError):
        field_importance(FMClassifier(), TABLE)
    model = FMClassifier(epochs=1, random_state=0).fit(TABLE, LABEL)
    with pytest.raises(ValueError, match="X has one row, but .*: add rows"):
        field_importance(model, TABLE[:1])
    with pytest.raises(ValueError, match="The 'n_repeats' parameter of field_importance must be an int"):
        field_importance(model, TABLE, n_repeats=0)
    with pytest.raises(ValueError, match="weak"):
        field_importance(model, TABLE.drop(columns="weak"))
