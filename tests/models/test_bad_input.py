"""Bad input either works or raises an error that names the cause and the cure, and leaves the estimator as it was."""

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor

from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker

FRAME = pd.DataFrame(
    {"user_id": np.repeat(np.arange(8), 5), "item_id": np.arange(40) * 3 % 11, "timestamp": np.arange(40)}
)
SMALL = {"architecture": "gmf", "embedding_dim": 3, "epochs": 1, "batch_size": 16, "random_state": 0}
MODELS = {
    "ranker": NCFRanker(**SMALL),
    "classifier": NCFClassifier(**SMALL),
    "regressor": NCFRegressor(**SMALL),
    "popularity": PopularityRanker(),
}


def target(model, n_rows):
    if is_classifier(model):
        return (np.arange(n_rows) % 2,)
    return (np.arange(n_rows) % 5,) if is_regressor(model) else ()


@pytest.fixture(scope="module")
def fitted_models():
    return {name: clone(model).fit(FRAME, *target(model, 40)) for name, model in MODELS.items()}


@pytest.fixture(params=MODELS)
def model(request, fitted_models):
    """A fitted model; nothing that a test does with it may change it."""
    fitted = fitted_models[request.param]
    before = dict(vars(fitted))
    expected = fitted.score_items([1, 99]).tobytes()
    yield fitted
    assert list(vars(fitted)) == list(before)
    assert all(vars(fitted)[name] is value for name, value in before.items())
    assert fitted.score_items([1, 99]).tobytes() == expected


def refused(model, X, match, *, error=ValueError, methods=("fit", "partial_fit", "predict"), **arguments):
    """Every method refuses X with the same words; so does an unfitted copy, which stays unfitted."""
    if "y" not in arguments and target(model, 1):
        arguments["y"] = target(model, len(X))[0]
    for method in methods:
        with pytest.raises(error, match=match):
            getattr(model, method)(X, **(arguments if method != "predict" else {}))
    if "fit" in methods:
        unfitted = clone(model)
        with pytest.raises(error, match=match):
            unfitted.fit(X, **arguments)
        assert vars(unfitted).keys() == clone(model).__dict__.keys()


# -- X: shape and container ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("X", [FRAME[:0], FRAME[:0].to_numpy(), []], ids=["frame", "array", "list"])
def test_empty_x(model, X):
    refused(model, X, r"0 sample\(s\).*: X is empty\. Pass at least one row", y=[])


def test_misspelt_columns_are_guessed(model):
    X = FRAME.rename(columns={"user_id": "UserId", "timestamp": "time_stamp"})
    message = r"(?s)feature names should match.*- user_id\nDid you mean 'user_id' by 'UserId', 'timestamp' by 'time_st"
    refused(model, X, message, methods=("predict",))
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, *target(model, 40))


def test_sparse_x(model):
    X = sparse.csr_array(FRAME.to_numpy())
    for method in ("fit", "predict"):
        with pytest.raises(TypeError, match=r"(?s)Sparse data was passed.*events_from_matrix.*toarray"):
            getattr(model, method)(X, *(target(model, 40) if method == "fit" else ()))


@pytest.mark.parametrize("X", [np.arange(4), [1, 2, 3, 4], pd.Series([1, 2, 3, 4])], ids=lambda X: type(X).__name__)
def test_one_dimensional_x(model, X):
    refused(model, X, r"Expected 2D array.*Reshape your data: pass a DataFrame that has both columns")


def test_three_dimensional_x(model):
    refused(model, np.ones((4, 2, 2)), "dim 3")


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ({"user_id": [1], "item_id": [2]}, r"dict.*pandas\.DataFrame"),
        ([{"user_id": 1, "item_id": 2}], r"list of dicts.*pandas\.DataFrame"),
        ("ratings.csv", "str instead.*DataFrame"),
        (pl.LazyFrame({"user_id": [1], "item_id": [2]}), r"LazyFrame.*collect\(\)"),
    ],
)
def test_other_containers(model, X, match):
    for method in ("fit", "predict"):
        with pytest.raises(TypeError, match=match):
            getattr(model, method)(X, *(target(model, 1) if method == "fit" else ()))


def test_one_column(model):
    refused(model, [[1], [2]], r"1 feature\(s\).* minimum of 2 is required", methods=("fit",))


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("user_id", "no column 'item_id' for the item; its columns are 'user_id'"),
        (
            "itemid",
            r"(?s)no column 'user_id'.*; its columns are 'itemid'.*Did you mean 'itemid'\? Pass item=",
        ),
    ],
)
def test_one_named_column(model, name, match):
    refused(model, pd.DataFrame({name: np.arange(40)}), match, error=ColumnError, methods=("fit",))


def test_rows_of_different_length(model):
    refused(model, [[1, 2], [1]], "row 0 has 2 values and row 1 1", methods=("fit", "predict"))


def test_complex_numbers(model):
    refused(model, FRAME.to_numpy() + 1j, "Complex data not supported", methods=("fit",))


# -- X: columns ----------------------------------------------------------------------------------------------------


def test_a_misspelt_column(model):
    X = FRAME.rename(columns={"item_id": "itemid"})
    refused(model, X, r"'item_id'.*'itemid'", error=ColumnError, methods=("fit",))
    refused(model, X, "feature names should match|'itemid'", methods=("predict", "partial_fit"))


def test_a_missing_column(model):
    X = FRAME[["user_id", "timestamp"]].assign(price=1)
    refused(model, X, r"'item_id'.*'user_id', 'timestamp'", error=ColumnError, methods=("fit",))


def test_duplicated_columns(model):
    X = FRAME[["user_id", "item_id", "user_id"]]
    refused(model, X, r"more than one column named 'user_id'.*duplicated\(\)", error=ColumnError)


def test_a_role_by_name_for_an_array(model):
    named = clone(model).set_params(user="who", item="what")
    with pytest.raises(ColumnError, match=r"'who'.*set_output\(transform=.pandas.\)|position"):
        named.fit(FRAME.to_numpy(), *target(model, 40))
    assert not hasattr(named, "users_")


@pytest.mark.parametrize(
    ("roles", "match"),
    [
        ({"user": 7}, r"7.*(0 to 2|3 columns)"),
        ({"user": "user_id", "item": "user_id"}, "user_id"),
        ({"user": 1, "item": 1}, "item_id|1"),
        ({"time": "when"}, r"'when'.*'timestamp'"),
    ],
)
def test_impossible_roles(model, roles, match):
    other = clone(model).set_params(**roles)
    with pytest.raises(ColumnError, match=match):
        other.fit(FRAME, *target(model, 40))
    assert not hasattr(other, "users_")


# -- X: values -----------------------------------------------------------------------------------------------------

MISSING = {"None": None, "nan": np.nan, "NA": pd.NA, "NaT": pd.NaT}


@pytest.mark.parametrize("column", ["user_id", "item_id"])
@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING.keys())
def test_a_missing_id(model, column, value):
    X = FRAME.astype(object)
    X.loc[7, column] = value
    refused(model, X, rf"{column}.*row 7|row 7.*{column}")
    cured = X.dropna()
    assert clone(model).fit(cured, *target(model, 39)).users_.size == 8


@pytest.mark.parametrize("column", ["user_id", "item_id"])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_id(model, column, value):
    X = FRAME.astype(float)
    X.loc[7, column] = value
    refused(model, X, f"infinity.*{column}.*row 7.*dropna")


@pytest.mark.parametrize("value", [None, np.nan, np.inf, "noon"])
def test_a_time_that_is_none(model, value):
    if isinstance(model, PopularityRanker):
        pytest.skip("counts events whenever they were")
    X = FRAME.astype(object)
    X.loc[7, "timestamp"] = value
    refused(model, X, r"timestamp.*(row 7|neither numbers nor dates)", methods=("fit", "partial_fit"))


def test_an_id_that_is_not_hashable(model):
    X = FRAME.astype(object)
    X.at[7, "user_id"] = [1, 2]
    refused(model, X, r"user_id.*\[1, 2\]", error=TypeError, methods=("fit",))


def test_an_unknown_id_if_it_is_to_be_an_error(model):
    strict = clone(model).set_params(handle_unknown="error").fit(FRAME, *target(model, 40))
    X = FRAME.assign(item_id=FRAME["item_id"].replace(5, 77))
    with pytest.raises(UnknownIdError, match=r"item_id.*77.*(partial_fit|oov)"):
        strict.predict(X)
    with pytest.raises(UnknownIdError, match=r"queries has the id 99 .*place 1.*(partial_fit|oov)"):
        strict.recommend([1, 99])
    strict.partial_fit(X, *target(model, 40))
    assert len(strict.predict(X)) == 40


# -- small data ----------------------------------------------------------------------------------------------------


def test_one_row(model):
    row = FRAME[:1]
    one = clone(model)
    if is_classifier(model):
        with pytest.raises(ValueError, match="1 class.*Ranker"):
            one.fit(row, [1])
        return
    one.fit(row, *target(model, 1))
    assert one.predict(row).shape == (1,)
    assert one.recommend([0, 5], exclude_seen=False)["item_id"].tolist() == [0, 0]


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_one_user_or_one_item(model, column):
    X = FRAME.assign(**{column: 3})
    one = clone(model).fit(X, *target(model, 40))
    assert len(one.users_ if column == "user_id" else one.items_) == 1
    assert one.predict(X).shape == (40,)
    assert one.recommend([3, 99], k=20, exclude_seen=False)["rank"].max() == len(one.items_)


@pytest.mark.parametrize("name", ["ranker", "classifier", "regressor"])
def test_early_stopping_with_too_few_rows(name, fitted_models, unchanged):
    model = fitted_models[name]
    X = FRAME[:1] if name != "ranker" else FRAME[::5]  # one event a user
    for time in (X, X.drop(columns="timestamp")):
        stopping = clone(model).set_params(early_stopping=True)
        y = [[0, 1][: len(time)]] if name == "classifier" else target(model, len(time))
        with unchanged(stopping), pytest.raises(ValueError, match=r"early_stopping=False|1 class"):
            stopping.fit(time, *y)


@pytest.mark.parametrize("name", ["classifier", "regressor"])
@pytest.mark.parametrize("columns", [["user_id", "item_id"], ["user_id", "item_id", "timestamp"]], ids=len)
def test_holding_out_every_row(name, columns, fitted_models):
    model = clone(fitted_models[name]).set_params(early_stopping=True, validation_fraction=1.0)
    with pytest.raises(ValueError, match=r"validation_fraction|early_stopping"):
        model.fit(FRAME[columns], *target(model, 40))
    assert not hasattr(model, "users_")


# -- y and sample_weight -------------------------------------------------------------------------------------------


def test_a_missing_y(fitted_models, unchanged):
    for name in ("classifier", "regressor"):
        model = fitted_models[name]
        for method in ("fit", "partial_fit"):
            with unchanged(model), pytest.raises(ValueError, match="requires y to be passed"):
                getattr(model, method)(FRAME, None)


@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_a_label_that_is_missing(model, value):
    y = np.array([0, 1] * 20, dtype=object)
    y[7] = value
    if value is not None:
        y = y.astype(float)
    with pytest.raises(ValueError, match=r"(?i)\by\b.*(NaN|infinity)|NaN.*\by\b|label type|missing"):
        model.fit(FRAME, y)


@pytest.mark.parametrize("y", [np.arange(39) % 2, np.zeros((40, 2), int)], ids=["too few", "two columns"])
def test_a_y_of_another_shape(model, y):
    refused(
        model,
        FRAME,
        "y has 39 values, but X has 40 rows|y should be a 1d array, got an array of shape",
        y=y,
        methods=("fit", "partial_fit"),
    )


def test_labels_of_one_class(fitted_models, unchanged):
    model = fitted_models["classifier"]
    with unchanged(model), pytest.raises(ValueError, match=r"1 class \('yes'\).*two classes.*Ranker"):
        model.fit(FRAME, ["yes"] * 40)


def test_continuous_labels(fitted_models, unchanged):
    model = fitted_models["classifier"]
    with unchanged(model), pytest.raises(ValueError, match="Unknown label type.*continuous"):
        model.fit(FRAME, np.linspace(0, 1, 40))


@pytest.mark.parametrize("name", ["ranker", "popularity"])
def test_a_ranker_without_positives_or_with_class_labels(name, fitted_models, unchanged):
    model = fitted_models[name]
    with unchanged(model), pytest.raises(ValueError, match="No value of y is above 0.*y=None"):
        model.fit(FRAME, np.zeros(40))
    with unchanged(model), pytest.raises(ValueError, match="must be numbers.*'click'.*Classifier"):
        model.fit(FRAME, ["click"] * 40)


def test_text_for_ratings(fitted_models, unchanged):
    model = fitted_models["regressor"]
    with (
        unchanged(model),
        pytest.raises(ValueError, match="y must be numbers for a Regressor.* has 'good' .* in row 1"),
    ):
        model.fit(FRAME, [3, "good"] * 20)


@pytest.mark.parametrize(
    ("callback", "match"),
    [
        ("x", r"Callback, or of functions f\(epoch, logs\), but has 'x'\. Leave it out"),
        (keras.callbacks.EarlyStopping, r"Pass an instance: EarlyStopping\(\)"),
    ],
)
def test_callbacks_that_are_none(callback, match):
    with pytest.raises(TypeError, match=match):
        NCFRanker(callbacks=[callback]).fit(FRAME)


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.zeros(40), "Each weight in sample_weight is zero"),
        (-np.ones(40), "[Nn]egative"),
        (np.full(40, np.nan), "NaN"),
        (np.full(40, np.inf), "infinity"),
        (np.ones(39), r"(39.*40|40.*39|shape)"),
        (np.ones((40, 2)), "sample_weight should be a 1d array"),
    ],
    ids=["zero", "negative", "NaN", "infinite", "too few", "two columns"],
)
def test_impossible_weights(model, weight, match):
    refused(model, FRAME, match, methods=("fit", "partial_fit"), sample_weight=weight)


def test_class_weights_that_fit_no_label(fitted_models, unchanged):
    model = clone(fitted_models["classifier"]).set_params(class_weight={0: 1, 5: 2})
    with unchanged(model), pytest.raises(ValueError, match=r"\[5\].*class_weight|class_weight.*5|classes, \[1\]"):
        model.fit(FRAME, np.arange(40) % 2)


# -- parameters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"batch_size": "large"},
        {"learning_rate": 0},
        {"learning_rate": -1},
        {"optimizer": "rmsprop"},
        {"l2": -1},
        {"dropout": 1},
        {"id_dropout": 1.5},
        {"early_stopping": "yes"},
        {"validation_fraction": 0},
        {"architecture": "wide"},
        {"embedding_dim": 0},
        {"mlp_embedding_dim": 2.5},
        {"hidden_units": 64},
        {"loss": "hinge"},
        {"n_negatives": 0},
        {"n_negatives": "some"},
        {"negative_sampling": "zipf"},
        {"negative_sampling": -0.5},
        {"handle_unknown": "ignore"},
        {"random_state": "seed"},
        {"user": 1.5},
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(parameters, unchanged):
    model = NCFRanker(**{**SMALL, **parameters})
    (name,) = parameters
    with unchanged(model), pytest.raises(ValueError, match=f"The '{name}' parameter (of NCFRanker )?must be"):
        model.fit(FRAME)


@pytest.mark.parametrize("hidden_units", [(), (64, 0), (64, -3), (64, 2.5), ("64",), [[64, 32]], None], ids=str)
def test_hidden_units_must_be_whole_numbers(hidden_units, unchanged):
    model = NCFRanker(**{**SMALL, "architecture": "neumf", "hidden_units": hidden_units})
    with unchanged(model), pytest.raises(ValueError, match=r"hidden_units"):
        model.fit(FRAME)


def test_all_negatives_need_softmax(unchanged):
    model = NCFRanker(**SMALL, loss="bpr", n_negatives="all")
    with unchanged(model), pytest.raises(ValueError, match="n_negatives='all' needs loss='softmax', not 'bpr'"):
        model.fit(FRAME)


# -- validation data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ranker", "classifier", "regressor"])
def test_impossible_validation_data(name, fitted_models, unchanged):
    model = fitted_models[name]
    y = target(model, 40)
    y_val = {"y_val": y[0][:5]} if y else {}
    with unchanged(model), pytest.raises(ValueError, match="feature names|'user_id'"):
        model.fit(FRAME, *y, X_val=FRAME[:5].rename(columns={"user_id": "users"}), **y_val)
    with unchanged(model), pytest.raises(ValueError, match=r"0 sample\(s\)"):
        model.fit(FRAME, *y, X_val=FRAME[:0], **({"y_val": []} if y else {}))
    missing = FRAME[:5].astype(object)
    missing.loc[1, "user_id"] = None
    with unchanged(model), pytest.raises(ValueError, match="user_id.*row 1"):
        model.fit(FRAME, *y, X_val=missing, **y_val)
    if y:
        with unchanged(model), pytest.raises(ValueError, match="y to be passed|y_val"):
            model.fit(FRAME, *y, X_val=FRAME[:5])
    with unchanged(model), pytest.raises(ValueError, match="y_val.*X_val"):
        model.fit(FRAME, *y, y_val=np.ones(5))
