import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrec
from skrec.exceptions import ColumnError
from skrec.models import DNNClassifier
from skrec.preprocessing import HistoryEncoder, MultiHotEncoder

LISTS_CANNOT_BE_COMPARED = "it compares the output by assert_allclose, which takes numbers: the output has lists"
EXPECTED_FAILURES = dict.fromkeys(
    [
        "check_estimators_pickle",
        "check_fit_idempotent",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_pipeline_consistency",
        "check_transformer_data_not_an_array",
        "check_transformer_general",
    ],
    LISTS_CANNOT_BE_COMPARED,
)


class PaddedHistoryEncoder(HistoryEncoder):
    """Its lists stand in a matrix of numbers, so that every check can compare them."""

    def transform(self, X):
        lists = np.asarray(super().transform(X))[:, -1]
        return np.array([[*(np.nan for _ in range(self.max_history - len(past))), *past] for past in lists])

    def get_feature_names_out(self, input_features=None):
        super().get_feature_names_out(input_features)
        return np.array([f"history_{number}" for number in range(self.max_history)], dtype=object)


def parametrize(encoders):
    return parametrize_with_checks(
        encoders,
        expected_failed_checks=lambda encoder: {} if isinstance(encoder, PaddedHistoryEncoder) else EXPECTED_FAILURES,
    )


@parametrize([HistoryEncoder(), PaddedHistoryEncoder()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@parametrize([HistoryEncoder(remainder="drop"), HistoryEncoder(events="positive")])
def test_scikit_learn_checks_with_options(estimator, check):
    check(estimator)


TABLE = {
    "user_id": ["ana", "bo", "ana", "ana", "bo"],
    "item_id": [7, 7, 9, 8, 9],
    "timestamp": [10, 10, 30, 20, 10],
}
LISTS = [[], [], [7, 8], [7], []]  # in order of time
LISTS_BY_ROW = [[], [], [7], [7, 9], [7]]  # in order of the rows


def lists(table):
    return np.asarray(table)[:, -1].tolist()


def dates(unit, zone=None):
    return pd.to_datetime(TABLE["timestamp"], unit=unit, utc=zone is not None)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame(TABLE),
        pd.DataFrame({**TABLE, "timestamp": dates("D")}, index=[3, 1, 3, 0, 2]),
        pd.DataFrame({**TABLE, "timestamp": dates("s", "UTC")}).astype({"user_id": "category", "item_id": "Int64"}),
        pd.DataFrame({**TABLE, "timestamp": dates("D").date}),
        pl.DataFrame(TABLE),
        pl.DataFrame({**TABLE, "timestamp": dates("ms").to_numpy()}),
        pd.DataFrame(TABLE).set_axis([0, 1, 2], axis=1),
        pd.DataFrame(TABLE).to_numpy(),
        [list(row) for row in zip(*TABLE.values(), strict=True)],
    ],
)
@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
def test_the_past_is_the_same_whatever_holds_it(X, library):
    named = isinstance(X, pl.DataFrame) or (isinstance(X, pd.DataFrame) and X.columns[0] == "user_id")
    encoder = HistoryEncoder(time=None if named else 2).set_output(transform=library)
    for table in (encoder.fit_transform(X), encoder.transform(X)):
        if library == "default":
            assert table.shape == (5, 4)
            assert table[:, :2].tolist() == [list(row) for row in zip(TABLE["user_id"], TABLE["item_id"], strict=True)]
            assert lists(table) == LISTS
        else:
            assert isinstance(table, (pd.DataFrame if library == "pandas" else pl.DataFrame))
            inputs = list(TABLE) if named else ["x0", "x1", "x2"]
            assert list(table.columns) == [*inputs, "history"] == encoder.get_feature_names_out().tolist()
            assert [list(past) for past in table["history"]] == LISTS
            assert list(table[inputs[0]]) == TABLE["user_id"]
    if library == "pandas" and isinstance(X, pd.DataFrame):
        assert table.index.equals(X.index)
        assert table.dtypes.tolist()[:3] == X.dtypes.tolist()
    if library == "polars":
        assert table.schema["history"] == pl.List(pl.Int64)


@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
def test_lists_alone(library):
    encoder = HistoryEncoder(remainder="drop").set_output(transform=library)
    for table in (encoder.fit_transform(pd.DataFrame(TABLE)), encoder.transform(pd.DataFrame(TABLE))):
        assert table.shape == (5, 1)
        assert encoder.get_feature_names_out().tolist() == ["history"]
        assert [list(past) for past in (table[:, 0] if library == "default" else table["history"])] == LISTS
    if library == "polars":
        assert table.schema == {"history": pl.List(pl.Int64)}
        unknown = pl.DataFrame({"user_id": ["cy"], "item_id": [7], "timestamp": [50]})
        assert encoder.transform(unknown).schema == table.schema


def test_rows_of_a_user_are_in_order_of_time_where_there_is_no_time():
    X = pd.DataFrame(TABLE).drop(columns="timestamp")
    encoder = HistoryEncoder()
    assert lists(encoder.fit_transform(X)) == lists(encoder.transform(X)) == LISTS_BY_ROW
    assert lists(encoder.transform(X.iloc[[0, 2, 2]].assign(item_id=[5, 9, 7], user_id=["ana", "ana", "cy"]))) == [
        [7, 9, 8],
        [7],
        [],
    ]


def test_the_latest_items_are_kept():
    X = pd.DataFrame({"user_id": 1, "item_id": range(100, 200)})
    past = HistoryEncoder(max_history=3).fit_transform(X)[:, -1].tolist()
    assert past == [list(range(max(100, item - 3), item)) for item in range(100, 200)]
    assert len(HistoryEncoder().fit_transform(X)[-1, -1]) == 50
    assert len(HistoryEncoder(max_history=1000).fit_transform(X)[-1, -1]) == 99


EVENTS = st.lists(
    st.tuples(st.sampled_from(["ana", "bo", "cy"]), st.integers(1, 4), st.integers(10, 15), st.integers(0, 1)),
    min_size=1,
    max_size=30,
)


@pytest.mark.filterwarnings("ignore:All rows of a user have one and the same time")
@pytest.mark.parametrize("timed", [True, False])
@given(events=EVENTS, new=EVENTS, positive=st.booleans(), max_history=st.integers(1, 4))
def test_no_row_sees_itself_or_what_came_later(events, new, positive, max_history, timed):
    def past_of(user, item, time):
        mine = [event for event in events if event[0] == user]
        if timed:
            mine = sorted((event for event in mine if event[2] < time), key=lambda event: event[2])
        else:
            known = [at for at, event in enumerate(mine) if event[1] == item]
            mine = mine[: known[0]] if known else mine
        return [item for _, item, _, label in mine if label or not positive][-max_history:]

    encoder = HistoryEncoder(
        user=0, item=1, time=2 if timed else None, max_history=max_history, events="positive" if positive else "all"
    )
    labels = [label for *_, label in events]
    for rows in (events, new):
        X = [list(row[:3]) for row in rows]
        expected = [past_of(*row) for row in X]
        if rows is events:
            assert lists(encoder.fit_transform(X, labels)) == expected
        assert lists(encoder.transform(X)) == expected
        assert lists(encoder.transform(X[::-1])) == expected[::-1]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_many_rows(library):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": rng.integers(0, 500, 70_000), "item_id": rng.integers(0, 90, 70_000)})
    X["timestamp"] = rng.permutation(70_000)
    last = X.sort_values("timestamp").groupby("user_id")["item_id"].shift().sort_index()
    encoder = HistoryEncoder(max_history=1, remainder="drop").set_output(transform=library)
    past = list(encoder.fit_transform(X)["history"])
    assert [list(items) for items in past] == [[] if np.isnan(item) else [item] for item in last]


def test_rows_that_are_transformed_are_no_history():
    encoder = HistoryEncoder().fit(pd.DataFrame(TABLE))
    X = pd.DataFrame({"user_id": ["bo", "bo"], "item_id": [1, 2], "timestamp": [40, 50]})
    assert lists(encoder.transform(X)) == [[7, 9], [7, 9]]


def test_ids_that_are_not_known():
    X = pd.DataFrame({"user_id": ["cy", "ana", "ana"], "item_id": [7, 99, 99], "timestamp": [99, 99, 5]})
    assert lists(HistoryEncoder().fit(pd.DataFrame(TABLE)).transform(X)) == [[], [7, 8, 9], []]


def test_one_event_each_and_all_at_one_instant():
    alone = pd.DataFrame({"user_id": [1, 2, 3], "item_id": 7})
    assert lists(HistoryEncoder().fit_transform(alone)) == [[], [], []]
    instant = pd.DataFrame({"user_id": 1, "item_id": [7, 8, 9], "timestamp": pd.Timestamp("2020-01-01")})
    encoder = HistoryEncoder().set_output(transform="polars")
    with pytest.warns(UserWarning, match="one and the same time in column 'timestamp'"):
        assert encoder.fit_transform(instant)["history"].to_list() == [[], [], []]
    instant["timestamp"] += pd.Timedelta(1, "ns")
    assert encoder.transform(instant)["history"].to_list() == [[7, 8, 9]] * 3


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, pl.Series, lambda y: pd.Series(y, dtype="Int64")])
def test_only_positive_rows_become_history(kind):
    X = pd.DataFrame(TABLE)
    encoder = HistoryEncoder(events="positive")
    assert lists(encoder.fit_transform(X, kind([0, 1, 0, 1, 1]))) == [[], [], [8], [], []]
    assert lists(encoder.transform(X)) == [[], [], [8], [], []]
    assert lists(encoder.fit_transform(X, kind([True, False, True, False, False]))) == [[], [], [7], [7], []]
    assert lists(encoder.fit_transform(X, kind([0, 0, -1, 0, 0]))) == [[], [], [], [], []]


def test_a_row_that_was_shown_and_not_clicked_is_known_again():
    X = pd.DataFrame({"user_id": 1, "item_id": [5, 6, 7]})
    encoder = HistoryEncoder(events="positive").fit(X, [1, 0, 1])
    assert lists(encoder.transform(X)) == [[], [5], [5]]
    assert lists(encoder.transform(X[:1].assign(item_id=8))) == [[5, 7]]


@pytest.mark.parametrize("timed", [True, False])
def test_appending_equals_fitting_on_all(timed):
    X = pd.DataFrame(TABLE).sort_values("timestamp", kind="stable")
    X = X if timed else X.drop(columns="timestamp")
    encoder = HistoryEncoder().fit(X[:2])
    before = copy.deepcopy(encoder)
    assert encoder.append_history(X[2:]) is encoder
    assert lists(encoder.transform(X)) == lists(HistoryEncoder().fit_transform(X))
    assert [*encoder.users_, *encoder.items_] == ["ana", "bo", 7, 8, 9]
    if timed:
        assert lists(encoder.append_history(X).transform(X)) == lists(HistoryEncoder().fit_transform(X))
        with pytest.raises(ValueError, match="time column 'timestamp' has none in row 0"):
            encoder.append_history(X.assign(timestamp=[np.nan] * 5, user_id="eve"))
        assert "eve" not in encoder.users_
    assert [*before.users_] == ["ana", "bo"]
    labelled = HistoryEncoder(events="positive").fit(X[:2], [1, 1]).append_history(X[2:], [0, 0, 0])
    assert lists(labelled.transform(X)) == lists(before.transform(X))
    with pytest.raises(ValueError, match="requires y to be passed"):
        labelled.append_history(X)


@pytest.mark.filterwarnings("ignore:The column.* look like ids")  # only the history decides here
def test_lists_go_into_a_model_of_features():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": rng.integers(0, 60, 2000), "item_id": rng.integers(0, 10, 2000)})
    X["timestamp"] = np.arange(2000)
    last = X.groupby("user_id")["item_id"].shift()
    y = np.where(last % 2 == 1, "odd", "even")  # what only the history can tell
    history = HistoryEncoder(max_history=1).set_output(transform="pandas")
    model = Pipeline([("history", history), ("model", DNNClassifier(epochs=10, early_stopping=False, random_state=0))])
    assert model.fit(X, y).score(X, y) > 0.95
    alone = ColumnTransformer([("past", clone(history).set_params(remainder="drop"), list(X.columns))])
    alone.set_output(transform="pandas")
    assert alone.fit_transform(X).columns.tolist() == ["past__history"]
    assert (
        make_pipeline(alone, DNNClassifier(epochs=10, early_stopping=False, random_state=0)).fit(X, y).score(X, y)
        > 0.95
    )
    ones = make_pipeline(alone, MultiHotEncoder(), LogisticRegression())
    search = GridSearchCV(ones, {"columntransformer__past__max_history": [1, 20]}, cv=2)
    assert search.fit(X, y).best_params_ == {"columntransformer__past__max_history": 1}
    assert search.score(X, y) > 0.95


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_beside_other_columns(make):
    X = make({**TABLE, "price": [1.0, 2.0, 3.0, 4.0, 5.0]})
    columns = ColumnTransformer(
        [
            ("past", HistoryEncoder(remainder="drop"), ["user_id", "item_id", "timestamp"]),
            ("price", StandardScaler(), ["price"]),
        ]
    )
    columns.set_output(transform="pandas" if make is pd.DataFrame else "polars")
    table = columns.fit_transform(X)
    assert list(table.columns) == ["past__history", "price__price"]
    assert [list(past) for past in table["past__history"]] == LISTS


X_GOOD = pd.DataFrame(TABLE)


@pytest.mark.parametrize(
    ("parameters", "X", "y", "error", "message"),
    [
        ({}, X_GOOD.rename(columns={"user_id": "userid"}), None, ColumnError, "no column 'user_id'.*mean 'userid'"),
        ({"item": "itm_id"}, X_GOOD, None, ColumnError, "no column 'itm_id' for the item; .* Did you mean 'item_id'"),
        ({"time": "user_id"}, X_GOOD, None, ColumnError, "user and time are the same column|time and user are"),
        ({"time": "when"}, X_GOOD, None, ColumnError, "no column 'when' for the time"),
        ({}, X_GOOD.assign(history=1), None, ColumnError, "already has a column 'history'.*rename or drop it"),
        ({}, X_GOOD.assign(timestamp=pd.NaT), None, ValueError, "time column 'timestamp' has none in row 0"),
        ({}, X_GOOD.assign(timestamp=[1, 2, np.nan, 4, 5]), None, ValueError, "'timestamp' has none in row 2"),
        ({}, X_GOOD.assign(timestamp="noon"), None, ValueError, "neither numbers nor dates, for instance 'noon'"),
        ({}, X_GOOD.assign(user_id=[1, 2, None, 4, 5]), None, ValueError, "column 'user_id' has no id in row 2"),
        ({}, X_GOOD.assign(item_id=[[1]] * 5), None, TypeError, r"column 'item_id' has \[1\] .*not hashable"),
        ({"max_history": 0}, X_GOOD, None, ValueError, r"'max_history' .* must be an int in the range \[1, inf\)"),
        ({"events": "clicked"}, X_GOOD, None, ValueError, "'events' parameter"),
        ({"remainder": "keep"}, X_GOOD, None, ValueError, "'remainder' parameter"),
        ({"events": "positive"}, X_GOOD, None, ValueError, "requires y to be passed.*Pass y, or events='all'"),
        (
            {"events": "positive"},
            X_GOOD,
            list("abcde"),
            ValueError,
            r"y must be numbers.*has 'a' \(str\) in row 0.*y == 'click'",
        ),
        (
            {"events": "positive"},
            X_GOOD,
            [1, 0, np.nan, 1, 1],
            ValueError,
            "y contains NaN: its value in row 2 is missing",
        ),
        ({"events": "positive"}, X_GOOD, [1, 0], ValueError, "y has 2 values, but X has 5 rows"),
    ],
)
def test_a_failed_fit_changes_nothing(parameters, X, y, error, message):
    encoder = HistoryEncoder().fit(X_GOOD)
    encoder.set_params(**parameters)
    with pytest.raises(error, match=f"(?i){message}"):
        encoder.fit(X, y)
    encoder.set_params(**HistoryEncoder().get_params())
    assert lists(encoder.transform(X_GOOD)) == LISTS


def test_wrong_rows_to_transform():
    encoder = HistoryEncoder().fit(X_GOOD)
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X_GOOD.rename(columns={"item_id": "item"}))
    with pytest.raises(ValueError, match="'timestamp' has none in row 4"):
        encoder.transform(X_GOOD.assign(timestamp=[1, 2, 3, 4, np.nan]))
    with pytest.raises(ColumnError, match="'timestamp' holds dates, but in fit it held numbers: convert it"):
        encoder.transform(X_GOOD.assign(timestamp=dates("s")))
    with pytest.raises(ColumnError, match="'timestamp' holds numbers, but in fit it held dates: convert it"):
        HistoryEncoder().fit(X_GOOD.assign(timestamp=dates("s"))).append_history(X_GOOD)
    with pytest.raises(ValueError, match="column 'item_id' has no id in any of its"):
        encoder.transform(X_GOOD.assign(item_id=np.nan))


def test_ids_of_another_kind_are_told_of():
    encoder = HistoryEncoder().fit([[1, "x"], [2, "y"]])
    with pytest.warns(UserWarning, match="'user_id' are strings .* of fit are numbers"):
        encoder.transform([["1", "x"]])
    with pytest.warns(UserWarning, match="'item_id' are numbers .* of fit are strings"):
        encoder.transform([[1, 7]])


def test_an_encoder_that_is_not_fitted():
    for method in ("transform", "append_history"):
        with pytest.raises(NotFittedError):
            getattr(HistoryEncoder(), method)(X_GOOD)
    for attribute in ("users_", "items_"):
        with pytest.raises(NotFittedError):
            getattr(HistoryEncoder(), attribute)


@pytest.mark.parametrize("timed", [True, False])
def test_copies_encode_alike(tmp_path, timed):
    X = X_GOOD if timed else X_GOOD.drop(columns="timestamp")
    encoder = HistoryEncoder(max_history=5).fit(X)
    skrec.save(encoder, tmp_path / "encoder.skrec")
    for other in (pickle.loads(pickle.dumps(encoder)), skrec.load(tmp_path / "encoder.skrec")):
        assert lists(other.transform(X)) == (LISTS if timed else LISTS_BY_ROW)
        assert lists(other.append_history(X).transform(X)) == (LISTS if timed else LISTS_BY_ROW)
    assert repr(encoder) == "HistoryEncoder(max_history=5)"
