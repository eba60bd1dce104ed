"""Bad columns of features either work or raise an error that names the cause and the cure."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skrec.exceptions import ColumnError
from skrec.models import AutoIntClassifier, DCNClassifier, DNNClassifier, FMClassifier, FMRanker, WideDeepClassifier

N = 40
FRAME = pd.DataFrame(
    {
        "city": np.tile(["Bern", "Rome"], N // 2),
        "age": np.arange(N) * 1.5,
        "genres": [["War"], ["War", "Drama"], [], None] * (N // 4),
        "image": [np.array([i % 3, 1.0]) for i in range(N)],
    }
)
Y = np.arange(N) % 2
SMALL = {"embedding_dim": 2, "epochs": 1, "batch_size": 32, "n_bins": 4, "random_state": 0}
MODEL = DNNClassifier(**SMALL, hidden_units=(4,))


@pytest.fixture(scope="module")
def fitted():
    return clone(MODEL).fit(FRAME, Y)


def refused(fitted, X, match, *, error=ValueError, methods=("partial_fit", "predict")):
    """Methods refuse X with the same words and change nothing."""
    before = dict(vars(fitted))
    for method in methods:
        with pytest.raises(error, match=match):
            getattr(fitted, method)(X, *((Y[: len(X)],) if method != "predict" else ()))
        assert list(vars(fitted)) == list(before)
        assert all(vars(fitted)[name] is value for name, value in before.items())


# -- values --------------------------------------------------------------------------------------------------------


def test_unseen_categories_are_scored_as_unknown(fitted):
    X = FRAME[:3].assign(city=["Oslo", "Lima", None], genres=[["Noir"], ["Art", "Kids"], []], age=3.0)
    X["image"] = [np.zeros(2)] * 3
    assert len(np.unique(fitted.predict_proba(X)[:, 1])) == 1
    alike = FRAME[:2].assign(genres=[["War", "Noir"], ["War"]], city="Bern", age=3.0)
    alike["image"] = [np.zeros(2)] * 2
    assert len(np.unique(fitted.predict_proba(alike)[:, 1])) == 1  # an unseen value beside a seen one does not count


def test_numbers_that_arrive_as_text(fitted):
    text = FRAME.assign(age=FRAME["age"].astype(str))
    np.testing.assert_array_equal(fitted.predict_proba(text), fitted.predict_proba(FRAME))
    text.loc[7, "age"] = "twelve"
    refused(fitted, text, r"'?age'? is one of numbers, but has 'twelve' \(str\) in row 7", error=ColumnError)
    with pytest.raises(ColumnError, match="'twelve'.*categorical_features"):
        clone(MODEL).set_params(categorical_features=["city"]).fit(text, Y)


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ([1.5, 2, None, 4] * (N // 4), "holds numbers as objects, such as 1.5.*pandas.to_numeric.*category"),
        ([Decimal("1.5"), None] * (N // 2), r"holds numbers as objects, such as Decimal\('1.5'\)"),
        (["2", "1.5", None, "7"] * (N // 4), "holds numbers as text, such as '2'.*pandas.to_numeric"),
        (pd.date_range("2024", periods=N).date, "holds times as objects, such as datetime.date.*pandas.to_datetime"),
    ],
)
def test_numbers_that_arrive_as_categories_are_told_of(column, match):
    X = FRAME[["city"]].assign(size=pd.Series(column, dtype=object))
    with pytest.warns(UserWarning, match=f"Column 'size' {match}"):
        clone(MODEL).fit(X, Y)
    clone(MODEL).fit(X.assign(size=X["size"].astype("category")), Y)  # said to be categories


def test_text_that_spells_whole_numbers_may_well_be_codes():
    assert clone(MODEL).fit(FRAME[["city"]].assign(zip=["8001", "3011"] * (N // 2)), Y).field_names_ == ("city", "zip")


@pytest.mark.parametrize(
    ("there", "here", "match"),
    [
        (pd.date_range("2024", periods=N), np.arange(N), "numbers, but held dates in fit.*pandas.to_datetime"),
        (pd.date_range("2024", periods=N), ["2024-01-01"] * N, "text, but held dates in fit.*pandas.to_datetime"),
        (np.arange(N), pd.date_range("2024", periods=N), "dates, but held numbers in fit.*Convert it to the numbers"),
        (pd.to_timedelta(np.arange(N), "h"), np.arange(N), "numbers, but held durations in fit.*pandas.to_timedelta"),
    ],
)
def test_numbers_and_times_do_not_stand_for_one_another(there, here, match):
    X = FRAME[["city"]].assign(when=there)
    fitted = clone(MODEL).fit(X, Y)
    refused(fitted, X.assign(when=here), f"Column 'when' holds {match}", error=ColumnError)
    assert np.isfinite(fitted.predict_proba(X.assign(when=None))).all()


def test_a_column_of_lists_may_hold_single_values_and_start_with_one():
    X = FRAME[["city"]].assign(genres=["War", ["War", "Drama"], [], None] * (N // 4))
    lists = X.assign(genres=[[cell] if isinstance(cell, str) else cell for cell in X["genres"]])
    model = clone(MODEL).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), clone(MODEL).fit(lists, Y).predict_proba(lists))


def test_delimited_strings_with_another_separator_are_told_of():
    X = FRAME[["city"]].assign(genres=["Drama, War", "War"] * (N // 2))
    with pytest.warns(UserWarning, match=r"'genres' has the separator '\|', but 'Drama, War' has ','.*separator=','"):
        clone(MODEL).set_params(multivalued_features=["genres"]).fit(X, Y)
    model = clone(MODEL).set_params(multivalued_features=["genres"], separator=",").fit(X, Y)
    lists = X.assign(genres=[["Drama", "War"], ["War"]] * (N // 2))  # blanks around the parts do not count
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(lists))
    with pytest.raises(ValueError, match="separator='' separates nothing: pass None"):
        clone(model).set_params(separator="").fit(X, Y)


@pytest.mark.parametrize("parameter", ["categorical_features", "multivalued_features"])
def test_categories_of_another_kind_than_in_fit_are_told_of(parameter):
    table = pd.DataFrame({"level": np.tile([3, 4], N // 2), "age": np.arange(N) * 1.0})
    if parameter == "multivalued_features":
        table["level"] = [[level] for level in table["level"]]
    text = table.assign(
        level=table["level"].map(lambda level: [str(level[0])] if isinstance(level, list) else str(level))
    )
    for there, here, kind in ((table, text, "strings"), (text, table, "numbers")):
        model = clone(MODEL).set_params(**{parameter: ["level"]}).fit(there, Y)
        with pytest.warns(
            UserWarning, match=f"The values for column 'level' are {kind} .*Convert them as in fit"
        ) as seen:
            model.predict(here[:3])
        assert len(seen) == 1
        unseen = there[:1].assign(level=[[9] if kind == "strings" else ["9"]])
        if parameter == "categorical_features":
            unseen["level"] = unseen["level"].str[0]
        model.predict(unseen)  # a new value of the same kind is no reason to warn
        model.predict(there[:1].assign(level=None))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_number(fitted, value):
    X = FRAME.copy()
    X.loc[7, "age"] = value
    refused(fitted, X, "infinity.*age.*row 7.*make it missing", methods=("fit", "partial_fit", "predict"))


def test_an_array_of_another_width(fitted):
    X = FRAME.copy()
    X["image"] = [np.ones(3)] * N
    refused(fitted, X, "image.*3.*2|image.*2.*3", error=ColumnError)


def test_a_category_that_is_not_hashable(fitted):
    X = FRAME.assign(city=[{"name": "Bern"}] * N)
    refused(fitted, X, "city.*name.*Bern", error=TypeError, methods=("fit", "partial_fit", "predict"))


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(np.full(N, 7.0), id="constant number"),
        pytest.param(["same"] * N, id="constant text"),
        pytest.param(np.full(N, np.nan), id="missing number"),
        pytest.param([None] * N, id="missing object"),
        pytest.param(pd.Series([pd.NA] * N, dtype="Int64"), id="missing integer"),
        pytest.param([[]] * N, id="empty lists"),
        pytest.param([[], ["a"]] * (N // 2), id="some empty lists"),
        pytest.param(pd.date_range("2024", periods=N), id="dates"),
        pytest.param([True, None] * (N // 2), id="bool with missing"),
        pytest.param([b"a", "a"] * (N // 2), id="mixed types"),
    ],
)
def test_odd_columns_work(column):
    X = FRAME[["city"]].assign(odd=column)
    model = clone(MODEL).fit(X, Y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.isfinite(model.partial_fit(X[:5], Y[:5]).predict_proba(X)).all()


def test_ten_thousand_columns():
    X = np.random.default_rng(0).standard_normal((64, 10_000)).astype(np.float32)
    model = FMClassifier(**SMALL).fit(X, Y[np.arange(64) % N])
    assert np.isfinite(model.predict_proba(X)).all()
    assert len(model.field_names_) == 10_000


def test_the_matrices_of_a_wide_dcn_are_of_low_rank():
    """Full ones of 10,000 columns would take 100 GB each."""
    X = np.random.default_rng(0).standard_normal((32, 1200)).astype(np.float32)
    wide = DCNClassifier(**SMALL, hidden_units=()).fit(X, Y[:32])
    low = clone(wide).set_params(rank=64).fit(X, Y[:32])
    np.testing.assert_array_equal(wide.predict_proba(X), low.predict_proba(X))
    narrow = clone(wide).fit(X[:, :3], Y[:32])
    full = clone(wide).set_params(rank=None).fit(X[:, :3], Y[:32])
    np.testing.assert_array_equal(narrow.predict_proba(X[:, :3]), full.predict_proba(X[:, :3]))


# -- columns -------------------------------------------------------------------------------------------------------


def test_a_feature_missing_at_predict(fitted):
    for X in (FRAME.drop(columns="age"), FRAME.rename(columns={"age": "years"})):
        refused(fitted, X, "(?s)feature names should match.*age")


def test_a_feature_missing_in_an_array():
    X = np.column_stack([np.arange(N), np.arange(N) % 3, np.arange(N) % 5])
    model = clone(MODEL).fit(X, Y)
    refused(model, X[:, :2], "X has 2 features, but DNNClassifier is expecting 3 features")


def test_a_table_of_nothing_but_times(unchanged):
    model = clone(MODEL)
    with unchanged(model), pytest.raises(ColumnError, match="no features: its only column is the time"):
        model.fit(pd.DataFrame({"timestamp": np.arange(N)}), Y)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"categorical_features": ["citty"]}, "categorical_features.*'citty'.*'city'"),
        ({"categorical_features": [9]}, "categorical_features.*9"),
        ({"multivalued_features": ["genre"]}, "multivalued_features.*'genre'.*'genres'"),
        ({"embedding_dim": {"citty": 3}}, "embedding_dim names 'citty'.*fields are city.*Did you mean 'city'"),
        ({"embedding_dim": {"city": 0}}, "embedding_dim is.*at least 1"),
    ],
    ids=str,
)
def test_misspelt_names_in_parameters(parameters, match, unchanged):
    model = clone(MODEL).set_params(**parameters)
    with unchanged(model), pytest.raises(ValueError, match=match):
        model.fit(FRAME, Y)


def test_misspelt_item_features(unchanged):
    X = FRAME[["city", "age"]].assign(user_id=Y, item_id=np.arange(N))
    model = FMRanker(**SMALL, item_features=["ages"])
    with unchanged(model), pytest.raises(ColumnError, match="item_features.*'ages'.*'age'"):
        model.fit(X)
    model = clone(model).set_params(item_features=["age", "user_id"])
    with unchanged(model), pytest.raises(ColumnError, match="item_features has 'user_id', which is the user"):
        model.fit(X)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"crosses": [("city",)]}, r"crosses contains \('city',\), but a cross must be a tuple of at least two names"),
        ({"crosses": ["city"]}, "crosses contains 'city', but a cross must be a tuple of at least two names"),
        ({"crosses": [("city", "kindd")]}, "crosses names 'kindd'.*fields are city, kind.*Did you mean 'kind'"),
        (
            {"crosses": [("city", "age")]},
            "crosses names 'age'.*not a single-valued categorical field.*KBinsDiscretizer",
        ),
        ({"wide_features": ["citty"]}, "wide_features names 'citty'.*Did you mean 'city'"),
        ({"deep_features": ["agee"]}, "deep_features names 'agee'.*Did you mean 'age'"),
        ({"deep_features": [0, 3]}, "deep_features names 3, which is not a field; the fields are city, kind, age"),
        ({"deep_features": [True]}, "deep_features names True, which is not a field"),
    ],
    ids=str,
)
def test_impossible_parts_of_wide_and_deep(parameters, match, unchanged):
    model = WideDeepClassifier(**SMALL, hidden_units=(4,), **parameters)
    X = FRAME[["city", "age"]].assign(kind=np.tile(["a", "b", "c", "d"], N // 4))
    with unchanged(model), pytest.raises(ValueError, match=match):
        model.fit(X, Y)


def test_attention_that_cannot_be_split(unchanged):
    model = AutoIntClassifier(**SMALL, attention_units=9, n_heads=2)
    with unchanged(model), pytest.raises(ValueError, match="attention_units=9.*n_heads=2.*Choose a multiple"):
        model.fit(FRAME, Y)


@pytest.mark.parametrize(
    "parameters",
    [
        {"version": 3},
        {"rank": 0},
        {"structure": "serial"},
        {"n_cross_layers": 0},
        {"n_bins": 1},
        {"numeric_embedding": "none"},
        {"pooling": "first"},
        {"embedding_dim": 0},
        {"min_frequency": 0},
        {"separator": 3},
        {"item_features": "all"},
        {"categorical_features": "all"},
        {"hidden_units": 64},
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_named(parameters, unchanged):
    model = DCNClassifier(**{**SMALL, **parameters})
    (name,) = parameters
    with unchanged(model), pytest.raises(ValueError, match=f"The '{name}' parameter of DCNClassifier must be"):
        model.fit(FRAME, Y)


@pytest.mark.parametrize("hidden_units", [(64, 0), (64, -3), (64, 2.5), ("64",)], ids=str)
def test_hidden_units_must_be_whole_numbers(hidden_units, unchanged):
    model = clone(MODEL).set_params(hidden_units=hidden_units)
    with unchanged(model), pytest.raises(ValueError, match="hidden_units is.*whole number of at least 1"):
        model.fit(FRAME, Y)
