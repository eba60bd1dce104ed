import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import SASRecRanker
from skrec.preprocessing import IDEncoder

EXPECTED_FAILURES = {
    "oov": {},
    "error": {"check_fit_idempotent": "it transforms numbers that fit did not see, which is the error asked for"},
}

TABLE = {"user_id": ["bo", "al", "bo", "cy"], "item_id": [30, 7, 7, 10**18 + 1]}
CODES = [[2, 2], [1, 1], [2, 1], [3, 3]]


@parametrize_with_checks(
    [IDEncoder(), IDEncoder(handle_unknown="error"), IDEncoder(min_frequency=2)],
    expected_failed_checks=lambda encoder: EXPECTED_FAILURES[encoder.handle_unknown],
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).astype({"user_id": "category", "item_id": "Int64"}),
        pd.DataFrame(TABLE, index=[5, 5, 1, 0]),
        pl.DataFrame(TABLE),
        np.array([*TABLE.values()], dtype=object).T,
        [list(row) for row in zip(*TABLE.values(), strict=True)],
    ],
)
def test_codes_are_the_same_whatever_holds_the_ids(X):
    encoder = IDEncoder().fit(X)
    assert encoder.transform(X).tolist() == encoder.fit_transform(X).tolist() == CODES
    assert encoder.transform(X).dtype == np.int64
    assert [ids.tolist() for ids in encoder.categories_] == [["al", "bo", "cy"], [7, 30, 10**18 + 1]]
    assert encoder.infrequent_categories_ == [None, None]
    assert encoder.inverse_transform(CODES).tolist() == [list(row) for row in zip(*TABLE.values(), strict=True)]


def test_codes_are_those_of_ordinal_encoder_plus_one():
    rng = np.random.default_rng(0)
    X, X_new = rng.integers(0, 40, (200, 3)), rng.integers(0, 60, (100, 3))
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(X)
    encoder = IDEncoder().fit(X)
    assert np.array_equal(encoder.transform(X_new), ordinal.transform(X_new) + 1)
    assert np.array_equal(encoder.inverse_transform(encoder.transform(X)), X)


@pytest.mark.parametrize("min_frequency", [1, 3, 40, 0.02, 0.1])
def test_infrequent_ids_are_those_of_scikit_learn(min_frequency):
    X = np.random.default_rng(0).geometric(0.2, (200, 2))
    theirs = OneHotEncoder(min_frequency=min_frequency).fit(X)
    encoder = IDEncoder(min_frequency=min_frequency).fit(X)
    for ours, expected in zip(encoder.infrequent_categories_, theirs.infrequent_categories_, strict=True):
        assert np.array_equal(ours, expected) if expected is not None else ours is None
    codes = encoder.transform(X)
    assert np.array_equal(codes, encoder.fit_transform(X))
    for column, infrequent, values in zip(codes.T, encoder.infrequent_categories_, X.T, strict=True):
        assert np.array_equal(column == 0, np.isin(values, [] if infrequent is None else infrequent))


def test_infrequent_ids_count_as_seen():
    encoder = IDEncoder(min_frequency=2, handle_unknown="error").fit([["a"], ["a"], ["b"]])
    assert encoder.transform([["b"], ["a"]]).tolist() == [[0], [1]]
    with pytest.raises(UnknownIdError, match="'c'"):
        encoder.transform([["c"]])


def test_unknown_ids():
    X_new = pd.DataFrame({"user_id": ["all", "bo"], "item_id": [7, 8]})
    assert IDEncoder().fit(pd.DataFrame(TABLE)).transform(X_new).tolist() == [[0, 1], [2, 0]]
    strict = IDEncoder(handle_unknown="error").fit(pd.DataFrame(TABLE))
    message = (
        r"^Column 'user_id' has the id 'all' \(str\) in row 0, which was not seen in fit \(1 such row\(s\)\)\. "
        r"The nearest known id is 'al' \(str\)\. Correct it, fit on data that has it, or pass handle_unknown='oov'\.$"
    )
    with pytest.raises(UnknownIdError, match=message):
        strict.transform(X_new)
    with pytest.raises(UnknownIdError, match=r"Column 'item_id' has the id 8 \(int\) in row 1.*id is 7 \(int\)"):
        strict.transform(X_new.assign(user_id="al"))


def test_unknown_codes_have_no_id():
    encoder = IDEncoder().fit(pd.DataFrame(TABLE))
    assert encoder.inverse_transform(pd.DataFrame([[0, 1], [3, 0]])).tolist() == [[None, 7], ["cy", None]]
    numbers = IDEncoder().fit([[1, 5], [2, 5]])
    assert numbers.inverse_transform([[2, 1]]).dtype == np.int64
    assert numbers.inverse_transform(np.array([[2.0, 1.0]])).tolist() == [[2, 5]]
    with pytest.raises(ValueError, match=r"4 is not a code of column 'user_id': .* from 0 \(unknown\) to 3"):
        encoder.inverse_transform([[4, 1]])
    with pytest.raises(ValueError, match="X has 1 features, but IDEncoder is expecting 2 features"):
        encoder.inverse_transform([[1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    X = pd.DataFrame(TABLE, index=[3, 1, 4, 0])
    encoder = IDEncoder(dtype=np.int32).set_output(transform=library)
    for out in (encoder.fit_transform(X), encoder.transform(X)):
        assert list(out.columns) == ["user_id", "item_id"]
        assert out.to_numpy().tolist() == CODES
        assert {str(dtype).lower() for dtype in out.dtypes} == {"int32"}
        if library == "pandas":
            assert list(out.index) == [3, 1, 4, 0]


def test_feature_names():
    encoder = IDEncoder().fit(pl.DataFrame(TABLE))
    assert encoder.feature_names_in_.tolist() == encoder.get_feature_names_out().tolist() == ["user_id", "item_id"]
    assert IDEncoder().fit([[1, 2]]).get_feature_names_out().tolist() == ["x0", "x1"]


def test_in_a_column_transformer_and_a_pipeline():
    X = pd.DataFrame({**TABLE, "price": [1.0, 2.0, 3.0, 4.0]})
    columns = ColumnTransformer([("ids", IDEncoder(), ["item_id", "user_id"])], remainder="passthrough")
    out = columns.set_output(transform="pandas").fit_transform(X)
    assert list(out) == ["ids__item_id", "ids__user_id", "remainder__price"]
    assert out["ids__item_id"].tolist() == [row[1] for row in CODES]
    pipeline = make_pipeline(columns, LogisticRegression())
    search = GridSearchCV(pipeline, {"columntransformer__ids__min_frequency": [None, 2]}, cv=2)
    search.fit(pd.concat([X] * 3), [0, 1, 0, 1] * 3)
    assert search.predict(X).shape == (4,)


def test_dtype_must_hold_the_codes():
    X = np.arange(200).reshape(-1, 1)
    assert IDEncoder(dtype=np.uint8).fit_transform(X).dtype == np.uint8
    assert IDEncoder(dtype="float32").fit_transform(X).max() == 200
    with pytest.raises(ValueError, match="dtype int8 cannot hold the codes of column 'x0', which go up to 200"):
        IDEncoder(dtype=np.int8).fit(X)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), ValueError, r"contains NaN: column 'b' has no id in row 1"),
        (
            pd.DataFrame({"a": [np.nan] * 3, "b": 1}),
            ValueError,
            r"contains NaN: column 'a' has no id in any of its 3 rows\. .*: fill the column .*, or pass the one",
        ),
        ([[1, 2], [np.inf, 3]], ValueError, r"contains infinity: column 'x0' has no id in row 1"),
        (pd.DataFrame({"a": [1, 2], "b": [{"x": 1}, 2]}), TypeError, r"Column 'b' has \{'x': 1\} \(dict\) in row 0"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, r"more than one column named 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), TypeError, r"Feature names are only supported if all .* string"),
        (np.empty((0, 2)), ValueError, r"0 sample\(s\)"),
        (np.arange(300).reshape(-1, 2), ValueError, r"dtype int8 cannot hold"),
    ],
)
def test_a_failed_fit_changes_nothing(X, error, message):
    encoder = IDEncoder(dtype=np.int8)
    with pytest.raises(error, match=message):
        encoder.fit(X)
    assert vars(encoder) == vars(IDEncoder(dtype=np.int8))
    encoder.fit(pd.DataFrame(TABLE))
    before = copy.deepcopy(encoder)
    for method in (encoder.fit, encoder.fit_transform):
        with pytest.raises(error, match=message):
            method(X)
    assert vars(encoder).keys() == vars(before).keys()
    assert encoder.feature_names_in_.tolist() == before.feature_names_in_.tolist()
    assert encoder.transform(pd.DataFrame(TABLE)).tolist() == CODES


def test_missing_ids_are_refused_in_transform():
    encoder = IDEncoder().fit(pd.DataFrame(TABLE))
    with pytest.raises(ValueError, match=r"column 'user_id' has no id in row 1.*dropna\(subset=\['user_id'\]\)"):
        encoder.transform(pd.DataFrame({"user_id": ["bo", None], "item_id": [7, 7]}))


def test_an_encoder_that_is_not_fitted():
    for method in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(IDEncoder(), method)([[1]])
    assert not hasattr(IDEncoder(), "categories_")


def test_copies_encode_alike():
    encoder = IDEncoder(min_frequency=1).fit(pd.DataFrame(TABLE))
    assert pickle.loads(pickle.dumps(encoder)).transform(pd.DataFrame(TABLE)).tolist() == CODES
    unfitted = clone(encoder)
    assert unfitted.get_params() == {"dtype": np.int64, "handle_unknown": "oov", "min_frequency": 1, "time": None}
    assert not hasattr(unfitted, "categories_")
    assert repr(unfitted) == "IDEncoder(min_frequency=1)"


# -- the time ----------------------------------------------------------------------------------------------------------

TIMED = pd.DataFrame({"timestamp": [30.5, 10.0, 20.0, 10.0], **TABLE}, index=[4, 4, 1, 0])
DATED = TIMED.assign(timestamp=pd.to_datetime(TIMED["timestamp"], unit="s"))


@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
@pytest.mark.parametrize(
    "X", [TIMED, DATED, pl.from_pandas(TIMED), pl.from_pandas(DATED)], ids=["f", "d", "pl-f", "pl-d"]
)
def test_the_time_passes_through_with_its_name_and_type(X, library):
    encoder = IDEncoder(time="timestamp", dtype=np.int32).set_output(transform=library)
    for out in (encoder.fit_transform(X), encoder.transform(X)):
        assert isinstance(
            out, type(X) if library == "default" else {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library]
        )
        assert list(out.columns) == ["timestamp", "user_id", "item_id"]
        assert out["timestamp"].to_list() == X["timestamp"].to_list()
        assert [list(row) for row in zip(out["user_id"], out["item_id"], strict=True)] == CODES
        if isinstance(X, type(out)):
            assert out["timestamp"].dtype == X["timestamp"].dtype
        if isinstance(X, pd.DataFrame) and isinstance(out, pd.DataFrame):
            assert list(out.index) == list(X.index)
    assert [None if ids is None else len(ids) for ids in encoder.categories_] == [None, 3, 3]
    back = encoder.inverse_transform(encoder.transform(X))
    assert [list(row) for row in zip(*TABLE.values(), strict=True)] == back[:, 1:].tolist()
    assert back[:, 0].tolist() == X["timestamp"].to_list()


def test_the_time_is_the_column_that_is_named():
    X = TIMED.rename(columns={"timestamp": "played_at"})
    assert IDEncoder(time="played_at").fit_transform(X)["played_at"].tolist() == TIMED["timestamp"].tolist()
    for ids in (X, TIMED):  # unless told otherwise
        assert IDEncoder().fit_transform(ids).tolist() == [[3, 2, 2], [1, 1, 1], [2, 2, 1], [1, 3, 3]]
    array = IDEncoder(time=2).fit_transform([[7, 5, 0.5], [6, 5, 1.5]])
    assert array.tolist() == [[2, 1, 0.5], [1, 1, 1.5]]
    rare = IDEncoder(time=0, min_frequency=2, handle_unknown="error").fit_transform(TIMED)
    assert rare.to_numpy().tolist() == [[30.5, 1, 0], [10, 0, 1], [20, 1, 1], [10, 0, 0]]
    dates = np.array([["b", pd.Timestamp(5)], ["a", pd.Timestamp(4)]], dtype=object)
    assert IDEncoder(time=1).fit_transform(dates).tolist() == [[2, pd.Timestamp(5)], [1, pd.Timestamp(4)]]
    with pytest.raises(ColumnError, match="X has no column 'played' for the time; .*Did you mean 'played_at'"):
        IDEncoder(time="played").fit(X)


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("dates", [False, True])
def test_a_model_of_histories_behind_the_encoder_knows_the_times(output, dates):
    X = pd.DataFrame({"user_id": ["a", "b"] * 4, "item_id": [*"vwxyzvwx"], "timestamp": [8, 7, 6, 5, 4, 3, 2, 1]})
    if dates:
        X["timestamp"] = pd.to_datetime(X["timestamp"], unit="s")
    model = SASRecRanker(epochs=1, embedding_dim=4, random_state=0)
    pipeline = make_pipeline(IDEncoder(time="timestamp"), model).set_output(transform=output).fit(X)
    alone = clone(model).fit(X)
    np.testing.assert_allclose(pipeline.predict(X), alone.predict(X), rtol=1e-5)
    pd.testing.assert_frame_equal(skrec.recommend(pipeline, ["b", "a"], k=2), alone.recommend(["b", "a"], k=2))
    assert pipeline.score(X) == pytest.approx(alone.score(X))


def test_misspelt_columns_are_guessed():
    encoder = IDEncoder().fit(pd.DataFrame({"user_id": [1], "item_id": [2]}))
    with pytest.raises(ValueError, match=r"(?s)names should match.*Did you mean 'user_id' by 'userid'\? Rename it\.$"):
        encoder.transform(pd.DataFrame({"userid": [1], "item_id": [2]}))


def test_the_time_of_an_array_stays_in_an_array():
    X = np.array([[7, 5, 1700000000], [3, 5, 1700000001]])
    codes = IDEncoder(time=2).fit_transform(X)
    assert isinstance(codes, np.ndarray)
    assert codes.tolist() == [[2, 1, 1700000000], [1, 1, 1700000001]]
